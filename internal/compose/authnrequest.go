package compose

import (
	"fmt"
	"strconv"
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
	Consent      string
	Issuer       string
	Extensions   []string // XML elements

	ForceAuthn       bool
	IsPassive        bool
	ByArtifact       bool // how the answer is to come
	ByPAOS           bool
	ACSURL           string // "" sends ACSIndex in its place
	ACSIndex         int
	AttributeService int // index + 1
	ProviderName     string

	Subject   *wire.NameID
	EncryptTo *Encryption // the Subject; nil leaves it in clear
	Policy    *NameIDPolicy
	Context   *AuthnContext
	Scoping   *Scoping
}

// NameIDPolicy is samlp:NameIDPolicy (SAML Core 3.4.1.1).
type NameIDPolicy struct{ Format, SPNameQualifier string }

// AuthnContext is samlp:RequestedAuthnContext (SAML Core 3.3.2.2.1): classes or declarations, in order of preference.
type AuthnContext struct {
	Comparison     string
	Classes, Decls []string
}

// Scoping is samlp:Scoping (SAML Core 3.4.1.2).
type Scoping struct {
	ProxyCount *int
	IDPs       []IDPEntry
	Complete   string // GetComplete
	Requesters []string
}

// IDPEntry is samlp:IDPEntry (SAML Core 3.4.1.3.1).
type IDPEntry struct{ ProviderID, Name, Loc string }

// Element builds the request, its parts in the order of the schema.
func (r AuthnRequest) Element() (*etree.Element, error) {
	e := message("AuthnRequest", r.ID, r.IssueInstant, r.Destination)
	optional(e, "Consent", r.Consent)
	if r.ForceAuthn {
		e.CreateAttr("ForceAuthn", "true")
	}
	if r.IsPassive {
		e.CreateAttr("IsPassive", "true")
	}
	if r.ACSURL == "" { // never together with the two others
		e.CreateAttr("AssertionConsumerServiceIndex", strconv.Itoa(r.ACSIndex))
	} else {
		protocol := wire.BindingPOST
		switch {
		case r.ByArtifact:
			protocol = wire.BindingArtifact
		case r.ByPAOS:
			protocol = wire.BindingPAOS
		}
		e.CreateAttr("ProtocolBinding", protocol)
		e.CreateAttr("AssertionConsumerServiceURL", r.ACSURL)
	}
	if r.AttributeService > 0 {
		e.CreateAttr("AttributeConsumingServiceIndex", strconv.Itoa(r.AttributeService-1))
	}
	optional(e, "ProviderName", r.ProviderName)
	e.CreateElement("saml:Issuer").SetText(r.Issuer)
	if err := extend(e, r.Extensions); err != nil {
		return nil, err
	}
	if r.Subject != nil { // without SubjectConfirmation: SAML Profiles 4.1.4.1
		if err := identifier(e.CreateElement("saml:Subject"), *r.Subject, r.EncryptTo); err != nil {
			return nil, err
		}
	}
	r.Policy.describe(e)
	r.Context.describe(e)
	r.Scoping.describe(e)
	return e, nil
}

// extend puts elements of other namespaces into samlp:Extensions (SAML Core 3.2.1).
func extend(e *etree.Element, extensions []string) error {
	if len(extensions) == 0 {
		return nil
	}
	into := e.CreateElement("samlp:Extensions")
	for _, xml := range extensions {
		doc := etree.NewDocument()
		if err := doc.ReadFromString(xml); err != nil || doc.Root() == nil || len(doc.ChildElements()) != 1 {
			return fmt.Errorf("an extension that is not one XML element: %.64q", xml)
		}
		switch space := doc.Root().NamespaceURI(); space {
		case "", wire.ProtocolNS, wire.AssertionNS, wire.MetadataNS:
			return fmt.Errorf("an extension in the namespace %q; it needs one of its own", space)
		}
		into.AddChild(doc.Root())
	}
	return nil
}

func (p *NameIDPolicy) describe(e *etree.Element) {
	if p == nil {
		return
	}
	policy := e.CreateElement("samlp:NameIDPolicy")
	optional(policy, "Format", p.Format)
	optional(policy, "SPNameQualifier", p.SPNameQualifier)
	if p.Format != wire.FormatTransient { // erratum E14
		policy.CreateAttr("AllowCreate", "true")
	}
}

func (c *AuthnContext) describe(e *etree.Element) {
	if c == nil {
		return
	}
	requested := e.CreateElement("samlp:RequestedAuthnContext")
	requested.CreateAttr("Comparison", c.Comparison)
	for _, class := range c.Classes {
		requested.CreateElement("saml:AuthnContextClassRef").SetText(class)
	}
	for _, decl := range c.Decls {
		requested.CreateElement("saml:AuthnContextDeclRef").SetText(decl)
	}
}

func (i IDPEntry) describe(list *etree.Element) {
	entry := list.CreateElement("samlp:IDPEntry")
	entry.CreateAttr("ProviderID", i.ProviderID)
	optional(entry, "Name", i.Name)
	optional(entry, "Loc", i.Loc)
}

func (s *Scoping) describe(e *etree.Element) {
	if s == nil {
		return
	}
	scoping := e.CreateElement("samlp:Scoping")
	if s.ProxyCount != nil {
		scoping.CreateAttr("ProxyCount", strconv.Itoa(*s.ProxyCount))
	}
	if len(s.IDPs) > 0 {
		list := scoping.CreateElement("samlp:IDPList")
		for _, idp := range s.IDPs {
			idp.describe(list)
		}
		if s.Complete != "" {
			list.CreateElement("samlp:GetComplete").SetText(s.Complete)
		}
	}
	for _, requester := range s.Requesters {
		scoping.CreateElement("samlp:RequesterID").SetText(requester)
	}
}
