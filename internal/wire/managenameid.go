package wire

import (
	"crypto"

	"github.com/logintrust/saml/internal/xmlsec"
)

// NameIDRequest is a samlp:ManageNameIDRequest (SAML Core 3.6.1). Its strings come from signed octets.
type NameIDRequest struct {
	SubjectRequest
	// NewID is the value that takes the place of the NameID's. Format and qualifiers stay (erratum E12).
	NewID string
	// Sealed says that the new value is a NewEncryptedID, and that we have no key to open it.
	Sealed bool
	// Terminate says that the name is used no more. One of the three is there.
	Terminate bool
}

// OpenNameIDRequest does for a ManageNameIDRequest what OpenRequest does for a LogoutRequest.
func (l *Logout) OpenNameIDRequest(query *xmlsec.Detached, keys []crypto.PublicKey, p xmlsec.Policy, opener *xmlsec.Opener) (*NameIDRequest, error) {
	signed, err := l.openRequest(query, keys, p, opener)
	if err != nil {
		return nil, err
	}
	r := &NameIDRequest{}
	s, _, err := l.d.subjectRequest(signed, &r.SubjectRequest)
	if err != nil {
		return nil, err
	}
	if err := l.d.change(&s, r); err != nil {
		return nil, err
	}
	return r, s.end()
}

// change takes NewID, NewEncryptedID or Terminate.
func (d *decoder) change(s *sequence, r *NameIDRequest) error {
	if e, ok := s.take(ProtocolNS, "NewID"); ok {
		r.NewID = d.text(e)
		return nil
	}
	if _, ok := s.take(ProtocolNS, "Terminate"); ok {
		r.Terminate = true
		return nil
	}
	e, ok := s.take(ProtocolNS, "NewEncryptedID")
	switch {
	case !ok:
		return malformed("a ManageNameIDRequest without NewID, NewEncryptedID and Terminate")
	case d.opener == nil:
		r.Sealed = true
		return nil
	}
	opened, err := d.open(e, ProtocolNS, "NewID")
	if err == nil {
		r.NewID = d.text(opened)
	}
	return err
}
