package samltest

import (
	"fmt"
	"strings"

	"github.com/beevik/etree"
)

// writer turns the plain structs into elements, in one style. The first thing that goes wrong stays in err.
type writer struct {
	style Style
	err   error
}

// element makes a child of parent, or a root when parent is nil. With prefixes both namespaces are declared on the root, unless
// the style is Local; without, a default namespace is declared wherever it changes.
func (w *writer) element(parent *etree.Element, space, tag string) *etree.Element {
	el := etree.NewElement(tag)
	if parent != nil {
		parent.AddChild(el)
	}
	el.Space = w.prefix(space)
	if parent == nil && !w.style.Local {
		if w.style.Protocol != "" {
			el.CreateAttr("xmlns:"+w.style.Protocol, nsProtocol)
		}
		if w.style.Assertion != "" {
			el.CreateAttr("xmlns:"+w.style.Assertion, nsAssertion)
		}
	}
	if el.NamespaceURI() != space {
		el.CreateAttr(strings.TrimSuffix("xmlns:"+el.Space, ":"), space)
	}
	if w.style.Schema != "" && (tag == "Response" || tag == "Assertion") {
		el.CreateAttr("xmlns:"+w.style.Schema, nsSchema)
	}
	return el
}

func (w *writer) prefix(space string) string {
	if space == nsProtocol {
		return w.style.Protocol
	}
	return w.style.Assertion
}

// attr sets an attribute unless it is empty.
func (w *writer) attr(el *etree.Element, key, value string) {
	if value != "" {
		el.CreateAttr(key, unblank(value))
	}
}

// text makes a child with text unless that is empty.
func (w *writer) text(parent *etree.Element, space, tag, value string) {
	if value != "" {
		w.element(parent, space, tag).SetText(unblank(value))
	}
}

// raw adds fragments of XML, each of which declares its own namespaces.
func (w *writer) raw(parent *etree.Element, fragments ...string) {
	for _, fragment := range fragments {
		doc := etree.NewDocument()
		if err := doc.ReadFromString(fragment); err != nil || doc.Root() == nil {
			w.err = fmt.Errorf("raw XML %q: %w", fragment, err)
			return
		}
		parent.AddChild(doc.Root())
	}
}

func (w *writer) nameID(parent *etree.Element, tag string, name *NameID) {
	if name == nil {
		return
	}
	el := w.element(parent, nsAssertion, tag)
	w.attr(el, "Format", name.Format)
	w.attr(el, "NameQualifier", name.NameQualifier)
	w.attr(el, "SPNameQualifier", name.SPNameQualifier)
	w.attr(el, "SPProvidedID", name.SPProvidedID)
	el.SetText(unblank(name.Value))
}

func (w *writer) status(parent *etree.Element, status *Status) {
	if status == nil {
		return
	}
	el := w.element(parent, nsProtocol, "Status")
	if status.Code != "" {
		code := w.element(el, nsProtocol, "StatusCode")
		w.attr(code, "Value", status.Code)
		if status.Second != "" {
			w.attr(w.element(code, nsProtocol, "StatusCode"), "Value", status.Second)
		}
	}
	w.text(el, nsProtocol, "StatusMessage", status.Message)
	if len(status.Detail) > 0 {
		w.raw(w.element(el, nsProtocol, "StatusDetail"), status.Detail...)
	}
}

func (w *writer) assertion(parent *etree.Element, a *Assertion) *etree.Element {
	el := w.element(parent, nsAssertion, "Assertion")
	w.attr(el, "ID", a.ID)
	w.attr(el, "Version", a.Version)
	w.attr(el, "IssueInstant", a.IssueInstant)
	w.nameID(el, "Issuer", a.Issuer)
	w.subject(el, a.Subject)
	w.conditions(el, a.Conditions)
	if len(a.Advice) > 0 {
		w.raw(w.element(el, nsAssertion, "Advice"), a.Advice...)
	}
	if w.style.AttributesFirst {
		w.attributes(el, a.Attributes)
	}
	for _, statement := range a.Statements {
		w.statement(el, statement)
	}
	if !w.style.AttributesFirst {
		w.attributes(el, a.Attributes)
	}
	return el
}

func (w *writer) attributes(parent *etree.Element, attributes []Attribute) {
	if attributes == nil {
		return
	}
	list := w.element(parent, nsAssertion, "AttributeStatement")
	for _, attribute := range attributes {
		w.attribute(list, attribute)
	}
}

func (w *writer) subject(parent *etree.Element, subject *Subject) {
	if subject == nil {
		return
	}
	el := w.element(parent, nsAssertion, "Subject")
	w.nameID(el, "NameID", subject.NameID)
	for _, c := range subject.Confirmations {
		confirmation := w.element(el, nsAssertion, "SubjectConfirmation")
		w.attr(confirmation, "Method", c.Method)
		w.nameID(confirmation, "NameID", c.NameID)
		if c.NoData {
			continue
		}
		data := w.element(confirmation, nsAssertion, "SubjectConfirmationData")
		w.attr(data, "NotBefore", c.NotBefore)
		w.attr(data, "NotOnOrAfter", c.NotOnOrAfter)
		w.attr(data, "Recipient", c.Recipient)
		w.attr(data, "InResponseTo", c.InResponseTo)
		w.attr(data, "Address", c.Address)
		w.raw(data, c.Raw...)
	}
}

func (w *writer) conditions(parent *etree.Element, conditions *Conditions) {
	if conditions == nil {
		return
	}
	el := w.element(parent, nsAssertion, "Conditions")
	w.attr(el, "NotBefore", conditions.NotBefore)
	w.attr(el, "NotOnOrAfter", conditions.NotOnOrAfter)
	for _, audiences := range conditions.Audiences {
		w.audiences(w.element(el, nsAssertion, "AudienceRestriction"), audiences)
	}
	for range conditions.OneTimeUse {
		w.element(el, nsAssertion, "OneTimeUse")
	}
	if proxy := conditions.ProxyRestriction; proxy != nil {
		restriction := w.element(el, nsAssertion, "ProxyRestriction")
		w.attr(restriction, "Count", proxy.Count)
		w.audiences(restriction, proxy.Audiences)
	}
	w.raw(el, conditions.Raw...)
}

func (w *writer) audiences(parent *etree.Element, audiences []string) {
	for _, audience := range audiences {
		w.text(parent, nsAssertion, "Audience", audience)
	}
}

func (w *writer) statement(parent *etree.Element, s AuthnStatement) {
	el := w.element(parent, nsAssertion, "AuthnStatement")
	w.attr(el, "AuthnInstant", s.AuthnInstant)
	w.attr(el, "SessionIndex", s.SessionIndex)
	w.attr(el, "SessionNotOnOrAfter", s.SessionNotOnOrAfter)
	if s.Address != "" {
		w.attr(w.element(el, nsAssertion, "SubjectLocality"), "Address", s.Address)
	}
	if s.NoContext {
		return
	}
	context := w.element(el, nsAssertion, "AuthnContext")
	w.text(context, nsAssertion, "AuthnContextClassRef", s.ClassRef)
	w.text(context, nsAssertion, "AuthnContextDeclRef", s.DeclRef)
	for _, authority := range s.Authorities {
		w.text(context, nsAssertion, "AuthenticatingAuthority", authority)
	}
}

func (w *writer) attribute(parent *etree.Element, a Attribute) {
	el := w.element(parent, nsAssertion, "Attribute")
	w.attr(el, "Name", a.Name)
	w.attr(el, "NameFormat", a.NameFormat)
	w.attr(el, "FriendlyName", a.FriendlyName)
	for _, v := range a.Values {
		value := w.element(el, nsAssertion, "AttributeValue")
		if v.Type != "" || v.Nil {
			value.CreateAttr("xmlns:xsi", nsInstance)
		}
		if prefix, _, qualified := strings.Cut(v.Type, ":"); v.Type != "" {
			switch {
			case !qualified:
				value.CreateAttr("xmlns:xs", nsSchema)
			case prefix != w.style.Schema:
				value.CreateAttr("xmlns:"+prefix, nsSchema)
			}
			value.CreateAttr("xsi:type", v.Type)
		}
		if v.Nil {
			value.CreateAttr("xsi:nil", "true")
		}
		if v.Text != "" {
			value.SetText(unblank(v.Text))
		}
		w.raw(value, v.Raw...)
	}
}

func unblank(s string) string {
	if s == Blank {
		return ""
	}
	return s
}
