package wire

import (
	"crypto"
	"time"

	"github.com/logintrust/saml/internal/xmlsec"
)

// A Logout is a message of the single logout protocol as received (SAML Core 3.7). Nothing in it is verified: Issuer says by
// which trust it is to be judged.
type Logout struct {
	// Request says that it is a LogoutRequest; otherwise it is a LogoutResponse.
	Request bool
	Issuer  Text

	root xmlsec.Element
	u    *xmlsec.Unverified
	d    decoder
}

// LogoutRequest is a samlp:LogoutRequest (SAML Core 3.7.1). Its strings come from signed octets.
type LogoutRequest struct {
	ID, Version                string
	IssueInstant, NotOnOrAfter time.Time
	Destination                Text
	Issuer                     NameID
	HasIssuer                  bool
	Reason                     Text
	Identifier                 Identifier
	NameID                     NameID
	SessionIndexes             []string
	// Asynchronous says that no answer is awaited (SAML V2.0 Asynchronous Single Logout Protocol Extension 2.1).
	Asynchronous bool
}

const maxSessionIndexes = 100 // of one LogoutRequest

// Read checks that u holds a message of the single logout protocol: as its root or, if soap is set, as the one child of a
// SOAP 1.1 Body (SAML Bindings 3.2.2).
func (l *Logout) Read(u *xmlsec.Unverified, soap bool) error {
	*l = Logout{u: u, root: u.Root()}
	if soap {
		if l.root = Enveloped(l.root); !l.root.Exists() {
			return malformed("no SOAP 1.1 envelope with one message in its Body")
		}
	}
	switch {
	case l.root.Is(ProtocolNS, "LogoutRequest"):
		l.Request = true
	case l.root.Is(ProtocolNS, "LogoutResponse"):
	default:
		return malformed("the message is a %.64q, not a samlp:LogoutRequest or samlp:LogoutResponse", l.root.Local())
	}
	if issuer := l.root.First(); issuer.Is(AssertionNS, "Issuer") {
		l.Issuer = Text{l.d.text(issuer), true}
	}
	return nil
}

// OpenRequest verifies a LogoutRequest with the pinned keys and decodes what they signed: by its own enveloped signature or,
// if there is one, by that of the query that it came in, beside which its own counts for nothing (erratum E7). opener opens an
// EncryptedID; nil if we have no key for that.
func (l *Logout) OpenRequest(query *xmlsec.Detached, keys []crypto.PublicKey, p xmlsec.Policy, opener *xmlsec.Opener) (*LogoutRequest, error) {
	signed, err := l.verify(query, keys, p)
	if err != nil {
		return nil, err
	}
	l.d.opener, l.d.policy, l.d.documents = opener, p, append(l.d.room[:0], l.u)
	return l.d.logoutRequest(signed)
}

// OpenResponse does the same for a LogoutResponse. Of its Claims those of assertions are empty.
func (l *Logout) OpenResponse(query *xmlsec.Detached, keys []crypto.PublicKey, p xmlsec.Policy) (*Claims, error) {
	signed, err := l.verify(query, keys, p)
	if err != nil {
		return nil, err
	}
	c, _, _, err := l.d.claims(signed.Element)
	if err == nil && c.Assertions > 0 {
		err = malformed("a LogoutResponse with an assertion")
	}
	if err != nil {
		return nil, err
	}
	return &c, nil
}

func (l *Logout) verify(query *xmlsec.Detached, keys []crypto.PublicKey, p xmlsec.Policy) (vouched, error) {
	var signed xmlsec.Signed
	var err error
	switch second := l.root.First().Next(); {
	case query != nil:
		signed, err = l.u.VerifyDetached(*query, keys, p)
	case l.root.HasSignature() && !second.Is(SignatureNS, "Signature"):
		err = malformed("a signature that is not behind Issuer")
	default:
		signed, err = l.u.Verify(l.root, keys, p)
	}
	return vouch(signed), err
}

func (d *decoder) logoutRequest(e vouched) (*LogoutRequest, error) {
	r := &LogoutRequest{ID: d.attr(e.Element, "ID").Value, Version: d.attr(e.Element, "Version").Value,
		Destination: d.attr(e.Element, "Destination"), Reason: d.attr(e.Element, "Reason")}
	var err error
	if r.IssueInstant, err = d.time(e.Element, "IssueInstant"); err != nil {
		return nil, err
	}
	if r.NotOnOrAfter, err = d.time(e.Element, "NotOnOrAfter"); err != nil {
		return nil, err
	}
	if r.ID == "" || r.IssueInstant.IsZero() {
		return nil, malformed("LogoutRequest without ID or IssueInstant")
	}
	s := walk(e.Element)
	if issuer, ok := s.take(AssertionNS, "Issuer"); ok {
		r.Issuer, r.HasIssuer = d.nameID(issuer), true
	}
	s.take(SignatureNS, "Signature")
	if extensions, ok := s.take(ProtocolNS, "Extensions"); ok {
		r.Asynchronous = extensions.Child(AsyncLogoutNS, "Asynchronous").Exists()
	}
	d.in = e.in
	if r.Identifier, r.NameID, err = d.name(&s); err != nil {
		return nil, err
	}
	for {
		index, ok := s.take(ProtocolNS, "SessionIndex")
		if !ok {
			return r, s.end()
		}
		// A blank one would name no session, and be taken for one that names all.
		name := d.trimmed(index)
		if name == "" || len(r.SessionIndexes) == maxSessionIndexes {
			return nil, malformed("a LogoutRequest with a blank SessionIndex, or with more than %d", maxSessionIndexes)
		}
		r.SessionIndexes = append(r.SessionIndexes, name)
	}
}
