package wire

import (
	"crypto"
	"time"

	"github.com/logintrust/saml/internal/xmlsec"
)

// An Exchange is a protocol of one request and one answer, whose elements are called by its name.
type Exchange string

// The exchanges that either side may begin about a subject.
const (
	SingleLogout     Exchange = "Logout"       // SAML Core 3.7
	NameIDManagement Exchange = "ManageNameID" // SAML Core 3.6
)

// A Logout is a message of single logout, or of another Exchange, as received. Nothing in it is verified: Issuer says by which
// trust it is to be judged.
type Logout struct {
	// Request says that it is the request of the exchange; otherwise it is the answer.
	Request bool
	Issuer  Text

	root xmlsec.Element
	u    *xmlsec.Unverified
	d    decoder
}

// SubjectRequest is what every request about a subject has (SAML Core 3.2.1). Its strings come from signed octets.
type SubjectRequest struct {
	ID, Version  string
	IssueInstant time.Time
	Destination  Text
	Issuer       NameID
	HasIssuer    bool
	Identifier   Identifier
	NameID       NameID
}

// LogoutRequest is a samlp:LogoutRequest (SAML Core 3.7.1). Its strings come from signed octets.
type LogoutRequest struct {
	SubjectRequest
	NotOnOrAfter   time.Time
	Reason         Text
	SessionIndexes []string
	// Asynchronous says that no answer is awaited (SAML V2.0 Asynchronous Single Logout Protocol Extension 2.1).
	Asynchronous bool
}

const maxSessionIndexes = 100 // of one LogoutRequest

// Read checks that u holds a message of the exchange: as its root or, if soap is set, as the one child of a SOAP 1.1 Body (SAML
// Bindings 3.2.2).
func (l *Logout) Read(u *xmlsec.Unverified, x Exchange, soap bool) error {
	*l = Logout{u: u, root: u.Root()}
	if soap {
		if l.root = Enveloped(l.root); !l.root.Exists() {
			return malformed("no SOAP 1.1 envelope with one message in its Body")
		}
	}
	switch {
	case l.root.Is(ProtocolNS, string(x)+"Request"):
		l.Request = true
	case l.root.Is(ProtocolNS, string(x)+"Response"):
	default:
		return malformed("the message is a %.64q, not a samlp:%sRequest or samlp:%sResponse", l.root.Local(), x, x)
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
	signed, err := l.openRequest(query, keys, p, opener)
	if err != nil {
		return nil, err
	}
	return l.d.logoutRequest(signed)
}

func (l *Logout) openRequest(query *xmlsec.Detached, keys []crypto.PublicKey, p xmlsec.Policy, opener *xmlsec.Opener) (vouched, error) {
	l.d.opener, l.d.policy, l.d.documents = opener, p, append(l.d.room[:0], l.u)
	return l.verify(query, keys, p)
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
	r := &LogoutRequest{Reason: d.attr(e.Element, "Reason")}
	var err error
	if r.NotOnOrAfter, err = d.time(e.Element, "NotOnOrAfter"); err != nil {
		return nil, err
	}
	s, extensions, err := d.subjectRequest(e, &r.SubjectRequest)
	if err != nil {
		return nil, err
	}
	r.Asynchronous = extensions.Child(AsyncLogoutNS, "Asynchronous").Exists()
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

// subjectRequest decodes what every request about a subject begins with, its name the last; s goes on behind that.
func (d *decoder) subjectRequest(e vouched, r *SubjectRequest) (s sequence, extensions xmlsec.Element, err error) {
	r.ID, r.Version, r.Destination = d.attr(e.Element, "ID").Value, d.attr(e.Element, "Version").Value, d.attr(e.Element, "Destination")
	if r.IssueInstant, err = d.time(e.Element, "IssueInstant"); err != nil {
		return s, extensions, err
	}
	if r.ID == "" || r.IssueInstant.IsZero() {
		return s, extensions, malformed("%s without ID or IssueInstant", e.Local())
	}
	s = walk(e.Element)
	if issuer, ok := s.take(AssertionNS, "Issuer"); ok {
		r.Issuer, r.HasIssuer = d.nameID(issuer), true
	}
	s.take(SignatureNS, "Signature")
	extensions, _ = s.take(ProtocolNS, "Extensions")
	d.in = e.in
	r.Identifier, r.NameID, err = d.name(&s)
	return s, extensions, err
}
