package saml

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strings"
	"time"

	"github.com/logintrust/saml/internal/wire"
)

// An Assertion is what an identity provider says of a user, signed with one of its pinned keys and within every rule of
// the Web Browser SSO Profile. It is only made by a login that was accepted.
type Assertion struct {
	w          *wire.Assertion
	spEntityID string
}

// data is what the assertion says; nothing, for an Assertion that no login made.
func (a *Assertion) data() *wire.Assertion {
	if a == nil || a.w == nil {
		return new(wire.Assertion)
	}
	return a.w
}

// ID is the assertion's own identifier, for an audit log.
func (a *Assertion) ID() string { return a.data().ID }

// Issuer is the entity ID of the identity provider.
func (a *Assertion) Issuer() string { return a.data().Issuer.Value }

// IssueInstant is when the assertion was made, UTC.
func (a *Assertion) IssueInstant() time.Time { return a.data().IssueInstant }

// NameID formats (SAML Core 8.3).
const (
	NameIDUnspecified = wire.FormatUnspecified
	NameIDEmail       = wire.FormatEmail
	NameIDPersistent  = wire.FormatPersistent
	NameIDTransient   = wire.FormatTransient
)

// A NameID is an identifier with everything that makes it unique (SAML Core 2.2.2). The value alone is not an account:
// see Subject.AccountKey.
type NameID struct {
	Value string `json:"value,omitempty"`
	// Format is a URI; NameIDUnspecified if the message has none (SAML Core 8.3.1).
	Format          string `json:"format,omitempty"`
	NameQualifier   string `json:"nameQualifier,omitempty"`
	SPNameQualifier string `json:"spNameQualifier,omitempty"`
	SPProvidedID    string `json:"spProvidedID,omitempty"`
}

func newNameID(w wire.NameID) NameID {
	n := NameID{w.Value, w.Format, w.NameQualifier, w.SPNameQualifier, w.SPProvidedID}
	if n.Format == "" {
		n.Format = NameIDUnspecified
	}
	return n
}

// A Subject is whom an assertion is about: a NameID and who issued it.
type Subject struct {
	// Issuer is the verified entity ID of the identity provider.
	Issuer string
	// NameID is the zero NameID if the assertion names its subject by attributes only.
	NameID NameID
	// SPEntityID is the entity ID of the service provider that the identity provider told: ours. A persistent NameID without
	// SPNameQualifier means another person at each.
	SPEntityID string
}

// Subject is whom the assertion is about.
func (a *Assertion) Subject() Subject {
	w := a.data()
	s := Subject{Issuer: w.Issuer.Value}
	if a != nil {
		s.SPEntityID = a.spEntityID
	}
	if w.Identifier == wire.ByNameID {
		s.NameID = newNameID(w.NameID)
	}
	return s
}

// ErrNoAccountKey says that a subject cannot stand for an account: it has no NameID, a transient one, or one that means
// somebody only together with an Issuer or SPEntityID that is not there.
const ErrNoAccountKey = sentinel("saml: the subject has no lasting identifier")

// AccountKey is a string that stands for this user at this identity provider for good: a hash over issuer, format,
// qualifiers and value (SAML Core 8.3.7), safe to store and to log. Two issuers that use the same name give two keys. A
// transient NameID is ErrNoAccountKey: it means somebody else tomorrow (SAML Core 8.3.8). A Subject that was stored, as a
// session does, has the same key as on the day of the login if all its fields were kept.
func (s Subject) AccountKey() (string, error) {
	n := s.NameID
	if n.Value == "" || n.Format == NameIDTransient || s.Issuer == "" || n.Format == NameIDPersistent && n.SPNameQualifier == "" && s.SPEntityID == "" {
		return "", ErrNoAccountKey
	}
	sum := n.withDefaults(s.Issuer, s.SPEntityID).hash(s.Issuer)
	return base64.RawURLEncoding.EncodeToString(sum[:]), nil
}

// withDefaults fills in what a persistent NameID leaves out (SAML Core 8.3.7).
func (n NameID) withDefaults(issuer, spEntityID string) NameID {
	if n.Format == NameIDPersistent {
		n.NameQualifier = cmp.Or(n.NameQualifier, issuer)
		n.SPNameQualifier = cmp.Or(n.SPNameQualifier, spEntityID)
	}
	return n
}

// hash stands for the name, as issuer's.
func (n NameID) hash(issuer string) [sha256.Size]byte {
	var b []byte
	for _, part := range [...]string{issuer, n.Format, n.NameQualifier, n.SPNameQualifier, n.Value} {
		b = appendString(b, part)
	}
	return sha256.Sum256(b)
}

// Attribute name formats (SAML Core 8.2).
const (
	AttributeNameUnspecified = wire.AttrNameUnspecified
	AttributeNameURI         = wire.AttrNameURI
	AttributeNameBasic       = wire.AttrNameBasic
)

// An Attribute is one statement about the user. It is known by Name and NameFormat; FriendlyName is for people and
// identifies nothing (SAML Core 2.7.3.1).
type Attribute struct {
	Name string
	// NameFormat is a URI; AttributeNameUnspecified if the message has none.
	NameFormat   string
	FriendlyName string
	// Values are the texts of the values, in order, untouched. A value that is XML has the text beside its elements, or
	// the identifier if it is a NameID; see XML and NameID.
	Values []string

	extra []wire.Extra
}

func (a *Attribute) extraOf(i int) (wire.Extra, bool) {
	at, found := slices.BinarySearchFunc(a.extra, i, func(x wire.Extra, i int) int { return cmp.Compare(x.Index, i) })
	if !found {
		return wire.Extra{}, false
	}
	return a.extra[at], true
}

// IsNil reports whether value i is null (xsi:nil), which is not the same as empty.
func (a *Attribute) IsNil(i int) bool {
	x, _ := a.extraOf(i)
	return x.Nil
}

// XML is the canonical XML inside value i, "" if the value is plain text. Namespaces may be declared outside of it.
func (a *Attribute) XML(i int) string {
	x, _ := a.extraOf(i)
	return x.XML
}

// NameID is the saml:NameID inside value i, as eduPersonTargetedID has it.
func (a *Attribute) NameID(i int) (NameID, bool) {
	x, _ := a.extraOf(i)
	if x.NameID == nil {
		return NameID{}, false
	}
	return newNameID(*x.NameID), true
}

// Attributes returns all attributes, in the order of the message; values of repeated elements are joined.
func (a *Assertion) Attributes() []Attribute {
	w := a.data()
	list := make([]Attribute, len(w.Attributes))
	for i, from := range w.Attributes {
		list[i] = Attribute{Name: from.Name, NameFormat: from.NameFormat, FriendlyName: from.FriendlyName,
			Values: slices.Clone(from.Values), extra: from.Extra}
	}
	return list
}

// Attribute returns the values of the attribute of that name, of whatever name format, nil if there is none. Names of the
// form urn:oid: match without regard to the case of "urn:oid" (RFC 3061).
func (a *Assertion) Attribute(name string) []string {
	for _, at := range a.data().Attributes {
		if sameAttributeName(at.Name, name) {
			return slices.Clone(at.Values)
		}
	}
	return nil
}

// AttributeOf returns the values of the attribute of that name and name format.
func (a *Assertion) AttributeOf(nameFormat, name string) []string {
	for _, at := range a.data().Attributes {
		if at.NameFormat == nameFormat && sameAttributeName(at.Name, name) {
			return slices.Clone(at.Values)
		}
	}
	return nil
}

func sameAttributeName(a, b string) bool {
	const oid = "urn:oid:"
	if a == b {
		return true
	}
	return len(a) == len(b) && len(a) > len(oid) && strings.EqualFold(a[:len(oid)], oid) && strings.EqualFold(b[:len(oid)], oid) &&
		a[len(oid):] == b[len(oid):]
}

// SessionIndexes are the identity provider's names for the session, which single logout sends back: as a rule one, several
// if the assertion has several authentication statements, none if they have none.
func (a *Assertion) SessionIndexes() (list []string) {
	for _, st := range a.data().Authn {
		if index := st.SessionIndex.Value; index != "" && !slices.Contains(list, index) {
			list = append(list, index)
		}
	}
	return list
}

// SessionNotOnOrAfter is when the identity provider wants the local session to end, the earliest of several; zero if it
// does not say. Nothing else in an assertion bounds a session.
func (a *Assertion) SessionNotOnOrAfter() time.Time { return sessionEnd(a.data()) }

func sessionEnd(w *wire.Assertion) (end time.Time) {
	for _, st := range w.Authn {
		if t := st.SessionNotOnOrAfter; !t.IsZero() && (end.IsZero() || t.Before(end)) {
			end = t
		}
	}
	return end
}

// AuthnInstant is when the user was authenticated, the latest of several.
func (a *Assertion) AuthnInstant() time.Time { return lastAuthn(a.data()) }

func lastAuthn(w *wire.Assertion) time.Time { return lastAuthnBy(w, nil) }

// lastAuthnBy is the latest authentication by one of these classes; no list is any.
func lastAuthnBy(w *wire.Assertion, classes []string) (last time.Time) {
	for _, st := range w.Authn {
		if (len(classes) == 0 || slices.Contains(classes, st.ClassRef.Value)) && st.AuthnInstant.After(last) {
			last = st.AuthnInstant
		}
	}
	return last
}

// AuthnContext lists the authentication context classes that the identity provider states.
func (a *Assertion) AuthnContext() []string { return contextClasses(a.data()) }

func contextClasses(w *wire.Assertion) (classes []string) {
	for _, st := range w.Authn {
		if st.ClassRef.Present {
			classes = append(classes, st.ClassRef.Value)
		}
	}
	return classes
}

// AuthenticatingAuthorities are the entity IDs of those who authenticated the user on behalf of the identity provider, in
// order (SAML Core 2.7.2.2).
func (a *Assertion) AuthenticatingAuthorities() (list []string) {
	for _, st := range a.data().Authn {
		list = append(list, st.Authorities...)
	}
	return list
}

// OneTimeUse reports whether the assertion must not be kept for later use (SAML Core 2.5.1.5).
func (a *Assertion) OneTimeUse() bool { return a.data().Conditions.OneTimeUse > 0 }

// ProxyRestriction is how often and to whom an application may vouch for the user on the strength of this assertion (SAML
// Core 2.5.1.6): count is "" if there is no limit to the number.
func (a *Assertion) ProxyRestriction() (count string, audiences []string, found bool) {
	c := &a.data().Conditions
	return c.ProxyCount.Value, slices.Clone(c.ProxyAudiences), c.Proxy > 0
}
