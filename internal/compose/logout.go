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
	SessionIndexes             []string
	Asynchronous               bool
}

// Element builds the request.
func (r LogoutRequest) Element() *etree.Element {
	e := message("LogoutRequest", r.ID, r.IssueInstant, r.Destination)
	if r.Reason != "" {
		e.CreateAttr("Reason", r.Reason)
	}
	if !r.NotOnOrAfter.IsZero() {
		e.CreateAttr("NotOnOrAfter", Instant(r.NotOnOrAfter))
	}
	e.CreateElement("saml:Issuer").SetText(r.Issuer)
	if r.Asynchronous {
		e.CreateElement("samlp:Extensions").CreateElement("aslo:Asynchronous").CreateAttr("xmlns:aslo", wire.AsyncLogoutNS)
	}
	name := e.CreateElement("saml:NameID")
	for _, a := range []struct{ name, value string }{{"NameQualifier", r.NameID.NameQualifier}, {"SPNameQualifier", r.NameID.SPNameQualifier},
		{"Format", r.NameID.Format}, {"SPProvidedID", r.NameID.SPProvidedID}} {
		if a.value != "" {
			name.CreateAttr(a.name, a.value)
		}
	}
	name.SetText(r.NameID.Value)
	for _, index := range r.SessionIndexes {
		e.CreateElement("samlp:SessionIndex").SetText(index)
	}
	return e
}

// LogoutResponse is a samlp:LogoutResponse (SAML Core 3.7.2).
type LogoutResponse struct {
	ID            string
	IssueInstant  time.Time
	Destination   string
	Issuer        string
	InResponseTo  string
	Status, Below string // the top-level code and, if not "", the one inside it
}

// Element builds the answer.
func (r LogoutResponse) Element() *etree.Element {
	e := message("LogoutResponse", r.ID, r.IssueInstant, r.Destination)
	e.CreateAttr("InResponseTo", r.InResponseTo)
	e.CreateElement("saml:Issuer").SetText(r.Issuer)
	code := e.CreateElement("samlp:Status").CreateElement("samlp:StatusCode")
	code.CreateAttr("Value", r.Status)
	if r.Below != "" {
		code.CreateElement("samlp:StatusCode").CreateAttr("Value", r.Below)
	}
	return e
}

// message begins a message of the protocol.
func message(name, id string, instant time.Time, destination string) *etree.Element {
	e := etree.NewElement("samlp:" + name)
	e.CreateAttr("xmlns:samlp", wire.ProtocolNS)
	e.CreateAttr("xmlns:saml", wire.AssertionNS)
	e.CreateAttr("ID", id)
	e.CreateAttr("Version", "2.0")
	e.CreateAttr("IssueInstant", Instant(instant))
	if destination != "" {
		e.CreateAttr("Destination", destination)
	}
	return e
}

// Envelope is a SOAP 1.1 Envelope around a message (SAML Bindings 3.2.2).
func Envelope(message *etree.Element) *etree.Element {
	e := etree.NewElement("soap:Envelope")
	e.CreateAttr("xmlns:soap", wire.SOAPNS)
	e.CreateElement("soap:Body").AddChild(message)
	return e
}

// A Message is one that can be built.
type Message interface{ Element() *etree.Element }
