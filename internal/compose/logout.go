package compose

import (
	"time"

	"github.com/beevik/etree"

	"github.com/logintrust/saml/internal/wire"
)

// LogoutRequest is a samlp:LogoutRequest (SAML Core 3.7.1). What is zero is left out. NameID is written as it was received,
// whatever it left out.
type LogoutRequest struct {
	ID                         string
	IssueInstant, NotOnOrAfter time.Time
	Destination                string
	Issuer                     string
	Reason                     string
	NameID                     wire.NameID
	EncryptTo                  *Encryption // the NameID; nil leaves it in clear
	SessionIndexes             []string
	Asynchronous               bool
}

// Element builds the request.
func (r LogoutRequest) Element() (*etree.Element, error) {
	e := message("LogoutRequest", r.ID, r.IssueInstant, r.Destination)
	optional(e, "Reason", r.Reason)
	if !r.NotOnOrAfter.IsZero() {
		e.CreateAttr("NotOnOrAfter", Instant(r.NotOnOrAfter))
	}
	e.CreateElement("saml:Issuer").SetText(r.Issuer)
	if r.Asynchronous {
		e.CreateElement("samlp:Extensions").CreateElement("aslo:Asynchronous").CreateAttr("xmlns:aslo", wire.AsyncLogoutNS)
	}
	if err := identifier(e, r.NameID, r.EncryptTo); err != nil {
		return nil, err
	}
	for _, index := range r.SessionIndexes {
		e.CreateElement("samlp:SessionIndex").SetText(index)
	}
	return e, nil
}

// Answer is the answer of an exchange: a samlp:LogoutResponse (SAML Core 3.7.2) or a samlp:ManageNameIDResponse (3.6.2).
type Answer struct {
	Exchange      wire.Exchange
	ID            string
	IssueInstant  time.Time
	Destination   string
	Issuer        string
	InResponseTo  string
	Status, Below string // the top-level code and, if not "", the one inside it
}

// Element builds the answer.
func (r Answer) Element() (*etree.Element, error) {
	e := message(string(r.Exchange)+"Response", r.ID, r.IssueInstant, r.Destination)
	e.CreateAttr("InResponseTo", r.InResponseTo)
	e.CreateElement("saml:Issuer").SetText(r.Issuer)
	code := e.CreateElement("samlp:Status").CreateElement("samlp:StatusCode")
	code.CreateAttr("Value", r.Status)
	if r.Below != "" {
		code.CreateElement("samlp:StatusCode").CreateAttr("Value", r.Below)
	}
	return e, nil
}
