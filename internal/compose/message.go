package compose

import (
	"fmt"
	"time"

	"github.com/beevik/etree"

	"github.com/logintrust/saml/internal/wire"
)

// A Message is one that can be built.
type Message interface {
	Element() (*etree.Element, error)
}

// Write builds a message, signs it unless key is nil, and writes it as a document without declaration.
func Write(m Message, key *SigningKey) ([]byte, error) {
	e, err := signed(m, key)
	if err != nil {
		return nil, err
	}
	return Bytes(e)
}

// WriteSOAP does what Write does, and puts the message into a SOAP 1.1 Envelope (SAML Bindings 3.2.2): one message, and no
// header.
func WriteSOAP(m Message, key *SigningKey) ([]byte, error) {
	e, err := signed(m, key)
	if err != nil {
		return nil, err
	}
	envelope := etree.NewElement("soap:Envelope")
	envelope.CreateAttr("xmlns:soap", wire.SOAPNS)
	envelope.CreateElement("soap:Body").AddChild(e)
	return Bytes(envelope)
}

func signed(m Message, key *SigningKey) (*etree.Element, error) {
	e, err := m.Element()
	if err != nil || key == nil {
		return e, err
	}
	if e, err = key.Sign(e); err != nil {
		return nil, fmt.Errorf("signing: %w", err)
	}
	return e, nil
}

// message begins a message of the protocol (SAML Core 3.2.1 and 3.2.2).
func message(name, id string, instant time.Time, destination string) *etree.Element {
	e := etree.NewElement("samlp:" + name)
	e.CreateAttr("xmlns:samlp", wire.ProtocolNS)
	e.CreateAttr("xmlns:saml", wire.AssertionNS)
	e.CreateAttr("ID", id)
	e.CreateAttr("Version", "2.0")
	e.CreateAttr("IssueInstant", Instant(instant))
	optional(e, "Destination", destination)
	return e
}

func optional(e *etree.Element, name, value string) {
	if value != "" {
		e.CreateAttr(name, value)
	}
}

// nameID writes a name as it is, what it left out left out.
func nameID(e *etree.Element, n wire.NameID) {
	optional(e, "NameQualifier", n.NameQualifier)
	optional(e, "SPNameQualifier", n.SPNameQualifier)
	optional(e, "Format", n.Format)
	optional(e, "SPProvidedID", n.SPProvidedID)
	e.SetText(n.Value)
}

// Instant writes a time as SAML Core 1.3.3 has it: UTC, Z, milliseconds.
func Instant(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// Bytes writes an element as a document without declaration.
func Bytes(e *etree.Element) ([]byte, error) {
	doc := etree.NewDocumentWithRoot(e)
	doc.WriteSettings.CanonicalText = true // a carriage return survives as a reference
	doc.WriteSettings.CanonicalAttrVal = true
	return doc.WriteToBytes()
}
