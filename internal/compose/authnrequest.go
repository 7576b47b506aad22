package compose

import (
	"time"

	"github.com/beevik/etree"

	"github.com/logintrust/saml/internal/wire"
)

// AuthnRequest is a samlp:AuthnRequest (SAML Core 3.4.1). What is zero is left out: the least that is asked is what most
// identity providers take.
type AuthnRequest struct {
	ID           string
	IssueInstant time.Time
	Destination  string
	Issuer       string
	ACSURL       string
	ForceAuthn   bool
	IsPassive    bool
	NameIDFormat string
	AuthnContext []string // classes, in order of preference, exact
}

// Element builds the request.
func (r AuthnRequest) Element() *etree.Element {
	e := etree.NewElement("samlp:AuthnRequest")
	e.CreateAttr("xmlns:samlp", wire.ProtocolNS)
	e.CreateAttr("xmlns:saml", wire.AssertionNS)
	e.CreateAttr("ID", r.ID)
	e.CreateAttr("Version", "2.0")
	e.CreateAttr("IssueInstant", Instant(r.IssueInstant))
	e.CreateAttr("Destination", r.Destination)
	if r.ForceAuthn {
		e.CreateAttr("ForceAuthn", "true")
	}
	if r.IsPassive {
		e.CreateAttr("IsPassive", "true")
	}
	e.CreateAttr("ProtocolBinding", wire.BindingPOST)
	e.CreateAttr("AssertionConsumerServiceURL", r.ACSURL)
	e.CreateElement("saml:Issuer").SetText(r.Issuer)
	if r.NameIDFormat != "" {
		policy := e.CreateElement("samlp:NameIDPolicy")
		policy.CreateAttr("Format", r.NameIDFormat)
		if r.NameIDFormat != wire.FormatTransient { // erratum E14
			policy.CreateAttr("AllowCreate", "true")
		}
	}
	if len(r.AuthnContext) > 0 {
		requested := e.CreateElement("samlp:RequestedAuthnContext")
		requested.CreateAttr("Comparison", "exact")
		for _, class := range r.AuthnContext {
			requested.CreateElement("saml:AuthnContextClassRef").SetText(class)
		}
	}
	return e
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
