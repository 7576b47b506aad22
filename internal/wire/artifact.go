package wire

import (
	"crypto"
	"time"

	"github.com/logintrust/saml/internal/xmlsec"
)

// ArtifactClaims is what an ArtifactResponse says of itself (SAML Core 3.5.2). It may only veto.
type ArtifactClaims struct {
	ID, Version  string
	IssueInstant time.Time
	InResponseTo Text
	Issuer       Text
	StatusCode   string
	Empty        bool // there is no message in it
}

// ReadResolved reads the Response in an ArtifactResponse, an element of u. An ArtifactResponse without Response gives its
// claims alone.
func (r *Response) ReadResolved(u *xmlsec.Unverified, e xmlsec.Element) (ArtifactClaims, error) {
	*r = Response{u: u, outer: e}
	c, err := r.d.artifactResponse(e, &r.root)
	if err != nil || c.Empty {
		return c, err
	}
	return c, r.read()
}

func (d *decoder) artifactResponse(e xmlsec.Element, message *xmlsec.Element) (c ArtifactClaims, err error) {
	if !e.Is(ProtocolNS, "ArtifactResponse") {
		return c, malformed("the message is a %.64q, not a samlp:ArtifactResponse", e.Local())
	}
	c.ID, c.Version, c.InResponseTo = d.attr(e, "ID").Value, d.attr(e, "Version").Value, d.attr(e, "InResponseTo")
	if c.IssueInstant, err = d.time(e, "IssueInstant"); err != nil {
		return c, err
	}
	s := walk(e)
	if issuer, ok := s.take(AssertionNS, "Issuer"); ok {
		c.Issuer = Text{d.text(issuer), true}
	}
	if _, signed := s.take(SignatureNS, "Signature"); !signed && e.HasSignature() {
		return c, malformed("a signature that is not behind Issuer")
	}
	s.take(ProtocolNS, "Extensions")
	status, ok := s.take(ProtocolNS, "Status")
	if !ok {
		return c, malformed("ArtifactResponse without Status")
	}
	c.StatusCode = d.attr(status.Child(ProtocolNS, "StatusCode"), "Value").Value
	response, ok := s.take(ProtocolNS, "Response")
	if *message = response; !ok {
		c.Empty = true
	}
	return c, s.end()
}

// openOuter verifies the signature of the ArtifactResponse around the Response, if it has one, and returns the Response
// that it covers.
func (r *Response) openOuter(keys []crypto.PublicKey, p xmlsec.Policy) (vouched, error) {
	if !r.outer.HasSignature() {
		return vouched{}, nil
	}
	signed, err := r.u.Verify(r.outer, keys, p)
	if err != nil {
		return vouched{}, err
	}
	return vouch(signed).child(ProtocolNS, "Response"), nil
}
