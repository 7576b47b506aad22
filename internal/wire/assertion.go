package wire

import (
	"time"

	"github.com/logintrust/saml/internal/xmlsec"
)

// NameID is a saml:NameID with everything that makes it unique (SAML Core 2.2.2). Format is as sent.
type NameID struct {
	Value, Format                                string
	NameQualifier, SPNameQualifier, SPProvidedID string
}

// Assertion is a decoded saml:Assertion. Its strings come from signed octets.
type Assertion struct {
	ID, Version   string
	IssueInstant  time.Time
	Issuer        NameID
	HasSubject    bool
	Identifier    Identifier
	NameID        NameID
	Confirmations []Confirmation
	HasConditions bool
	Conditions    Conditions
	Authn         []AuthnStatement
	Attributes    []Attribute

	room struct { // for what nearly every assertion has one of, so that it costs no memory of its own
		confirmation [1]Confirmation
		authn        [1]AuthnStatement
		restriction  [1][]string
		audience     [1]string
	}
}

// Identifier says by what a Subject is named.
type Identifier uint8

// The ways in which a Subject is named.
const (
	NoIdentifier Identifier = iota
	ByNameID
	ByBaseID
	ByEncryptedID
)

// Confirmation is a SubjectConfirmation.
type Confirmation struct {
	Method                           string
	HasData                          bool
	Recipient, InResponseTo, Address Text
	NotBefore, NotOnOrAfter          time.Time
}

// Conditions is a saml:Conditions.
type Conditions struct {
	NotBefore, NotOnOrAfter time.Time
	Audiences               [][]string // one list for each AudienceRestriction
	OneTimeUse              int        // how many
	Proxy                   int        // how many ProxyRestriction
	ProxyCount              Text
	ProxyAudiences          []string
	Unknown                 string // local name or type of a condition that is not understood
}

// AuthnStatement is a saml:AuthnStatement.
type AuthnStatement struct {
	AuthnInstant, SessionNotOnOrAfter time.Time
	SessionIndex                      Text
	ClassRef, DeclRef                 Text
	Authorities                       []string
	Address, DNSName                  Text
}

// Attribute is a saml:Attribute; values of several elements with the same name and format are joined.
type Attribute struct {
	Name, NameFormat, FriendlyName string
	Values                         []string
	Extra                          []Extra
}

// Extra is what a value is beside its text: null, or XML.
type Extra struct {
	Index  int
	Nil    bool
	XML    string
	NameID *NameID
}

// assertion decodes a saml:Assertion (SAML Core 2.3.3).
func (d *decoder) assertion(e vouched) (*Assertion, error) {
	d.in = e.in
	d.reserve(min(e.Size()/3, maxReserve)) // tags and URIs that are interned take the rest
	a := &Assertion{ID: d.attr(e.Element, "ID").Value, Version: d.attr(e.Element, "Version").Value}
	var err error
	if a.IssueInstant, err = d.time(e.Element, "IssueInstant"); err != nil {
		return nil, err
	}
	if a.ID == "" || a.IssueInstant.IsZero() {
		return nil, malformed("Assertion without ID or IssueInstant")
	}
	s := walk(e.Element)
	issuer, ok := s.take(AssertionNS, "Issuer")
	if !ok {
		return nil, malformed("Assertion without Issuer")
	}
	a.Issuer = d.nameID(issuer)
	s.take(SignatureNS, "Signature")
	if subject, ok := s.take(AssertionNS, "Subject"); ok {
		if err := d.subject(subject, a); err != nil {
			return nil, err
		}
	}
	if conditions, ok := s.take(AssertionNS, "Conditions"); ok {
		a.HasConditions = true
		a.Conditions.Audiences = a.room.restriction[:0]
		if err := d.conditions(conditions, &a.Conditions, a.room.audience[:0]); err != nil {
			return nil, err
		}
	}
	s.take(AssertionNS, "Advice") // SAML Core 2.6.1: may be ignored
	for s.next.Exists() {
		if err := d.statement(&s, a); err != nil {
			return nil, err
		}
	}
	return a, nil
}

const maxAuthnStatements = 100 // of one assertion, each of which may cost a look into the state store

func (d *decoder) statement(s *sequence, a *Assertion) error {
	if st, ok := s.take(AssertionNS, "AuthnStatement"); ok {
		if len(a.Authn) == maxAuthnStatements {
			return malformed("more than %d authentication statements", maxAuthnStatements)
		}
		authn, err := d.authnStatement(st)
		if a.Authn == nil {
			a.Authn = a.room.authn[:0]
		}
		a.Authn = append(a.Authn, authn)
		return err
	}
	if st, ok := s.take(AssertionNS, "AttributeStatement"); ok {
		return d.attributeStatement(st, a)
	}
	if _, ok := s.take(AssertionNS, "AuthzDecisionStatement"); ok {
		return nil // not used by any profile for single sign-on; says nothing about who the user is
	}
	if _, ok := s.take(AssertionNS, "Statement"); ok {
		return nil // an extension point (SAML Core 2.7.1)
	}
	return s.end()
}

func (d *decoder) nameID(e xmlsec.Element) NameID {
	return NameID{
		Value:           d.text(e),
		Format:          d.attr(e, "Format").Value,
		NameQualifier:   d.attr(e, "NameQualifier").Value,
		SPNameQualifier: d.attr(e, "SPNameQualifier").Value,
		SPProvidedID:    d.attr(e, "SPProvidedID").Value,
	}
}

// identifier takes the optional BaseID, NameID or EncryptedID at the front of a Subject or SubjectConfirmation.
func (d *decoder) identifier(s *sequence) (Identifier, xmlsec.Element) {
	if e, ok := s.take(AssertionNS, "NameID"); ok {
		return ByNameID, e
	}
	if e, ok := s.take(AssertionNS, "BaseID"); ok {
		return ByBaseID, e
	}
	if e, ok := s.take(AssertionNS, "EncryptedID"); ok {
		return ByEncryptedID, e
	}
	return NoIdentifier, xmlsec.Element{}
}

// name decodes the identifier of a Subject or of a logout request, opened if it is encrypted and we have a key (SAML Core
// 2.2.4).
func (d *decoder) name(s *sequence) (by Identifier, name NameID, err error) {
	by, e := d.identifier(s)
	if by == ByEncryptedID && d.opener != nil {
		if e, err = d.open(e, AssertionNS, "NameID"); err != nil {
			return by, name, err
		}
		by = ByNameID
	}
	if by == ByNameID {
		name = d.nameID(e)
	}
	return by, name, nil
}

func (d *decoder) subject(e xmlsec.Element, a *Assertion) error {
	a.HasSubject = true
	s := walk(e)
	var err error
	if a.Identifier, a.NameID, err = d.name(&s); err != nil {
		return err
	}
	if a.Identifier == ByEncryptedID {
		return &xmlsec.Error{Kind: xmlsec.NoDecryptionKey, Offset: -1, Msg: "an EncryptedID, and no key of ours to open it"}
	}
	a.Confirmations = a.room.confirmation[:0]
	for {
		sc, ok := s.take(AssertionNS, "SubjectConfirmation")
		if !ok {
			return s.end()
		}
		c, err := d.confirmation(sc)
		if err != nil {
			return err
		}
		a.Confirmations = append(a.Confirmations, c)
	}
}

func (d *decoder) confirmation(e xmlsec.Element) (Confirmation, error) {
	c := Confirmation{Method: d.attr(e, "Method").Value}
	s := walk(e)
	d.identifier(&s)
	data, ok := s.take(AssertionNS, "SubjectConfirmationData")
	if err := s.end(); err != nil || !ok {
		return c, err
	}
	c.HasData = true
	c.Recipient = d.attr(data, "Recipient")
	c.InResponseTo = d.attr(data, "InResponseTo")
	c.Address = d.attr(data, "Address")
	var err error
	if c.NotBefore, err = d.time(data, "NotBefore"); err != nil {
		return c, err
	}
	c.NotOnOrAfter, err = d.time(data, "NotOnOrAfter")
	return c, err
}

// conditions decodes saml:Conditions (SAML Core 2.5.1). What is not understood is kept by name: it refuses the login.
func (d *decoder) conditions(e xmlsec.Element, c *Conditions, room []string) (err error) {
	if c.NotBefore, err = d.time(e, "NotBefore"); err != nil {
		return err
	}
	if c.NotOnOrAfter, err = d.time(e, "NotOnOrAfter"); err != nil {
		return err
	}
	for child := range e.Children() {
		switch {
		case child.Is(AssertionNS, "AudienceRestriction"):
			list, err := d.audiences(child, room)
			if err != nil {
				return err
			}
			room = nil // the first restriction has it
			c.Audiences = append(c.Audiences, list)
		case child.Is(AssertionNS, "OneTimeUse"):
			c.OneTimeUse++
		case child.Is(AssertionNS, "ProxyRestriction"):
			c.Proxy++
			c.ProxyCount = d.attr(child, "Count")
			if c.ProxyAudiences, err = d.audiences(child, nil); err != nil {
				return err
			}
		default:
			c.Unknown = child.Local()
		}
	}
	return nil
}

func (d *decoder) audiences(e xmlsec.Element, list []string) ([]string, error) {
	for child := range e.Children() {
		if !child.Is(AssertionNS, "Audience") {
			return nil, malformed("%s holds a %.64q", e.Local(), child.Local())
		}
		list = append(list, d.trimmed(child))
	}
	return list, nil
}

func (d *decoder) authnStatement(e xmlsec.Element) (st AuthnStatement, err error) {
	if st.AuthnInstant, err = d.time(e, "AuthnInstant"); err != nil {
		return st, err
	}
	if st.SessionNotOnOrAfter, err = d.time(e, "SessionNotOnOrAfter"); err != nil {
		return st, err
	}
	st.SessionIndex = d.attr(e, "SessionIndex")
	s := walk(e)
	if locality, ok := s.take(AssertionNS, "SubjectLocality"); ok {
		st.Address, st.DNSName = d.attr(locality, "Address"), d.attr(locality, "DNSName")
	}
	context, ok := s.take(AssertionNS, "AuthnContext")
	if !ok {
		return st, malformed("AuthnStatement without AuthnContext")
	}
	if err := s.end(); err != nil {
		return st, err
	}
	// SAML Core 2.7.2.2: a class, a declaration or a reference to one, or a class and one of the two.
	s = walk(context)
	if ref, ok := s.take(AssertionNS, "AuthnContextClassRef"); ok {
		st.ClassRef = Text{d.trimmed(ref), true}
	}
	if _, ok := s.take(AssertionNS, "AuthnContextDecl"); !ok {
		if ref, ok := s.take(AssertionNS, "AuthnContextDeclRef"); ok {
			st.DeclRef = Text{d.trimmed(ref), true}
		}
	}
	for {
		authority, ok := s.take(AssertionNS, "AuthenticatingAuthority")
		if !ok {
			return st, s.end()
		}
		st.Authorities = append(st.Authorities, d.trimmed(authority))
	}
}
