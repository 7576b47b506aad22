package wire_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml/internal/wire"
)

const (
	nameID     = `<saml:NameID>n</saml:NameID>`
	bearer     = `<saml:SubjectConfirmation Method="m"/>`
	context    = `<saml:AuthnContext/>`
	authn      = `<saml:AuthnStatement>` + context + `</saml:AuthnStatement>`
	value      = `<saml:AttributeValue>v</saml:AttributeValue>`
	attribute  = `<saml:Attribute Name="a">` + value + `</saml:Attribute>`
	subject    = `<saml:Subject>` + nameID + bearer + `</saml:Subject>`
	conditions = `<saml:Conditions/>`
	statement  = `<saml:AttributeStatement>` + attribute + `</saml:AttributeStatement>`
)

// Insides of an assertion that are in the order of the schema.
var assertionsGood = []string{
	"", subject, conditions, authn, statement, subject + conditions + `<saml:Advice><x/></saml:Advice>` + authn + statement, statement + authn + statement + authn, subject + statement,
	`<saml:AuthzDecisionStatement/>`, `<saml:Statement xsi:type="x"/>`, "<!-- c -->" + subject + "text" + statement,
	`<saml:Subject/>`, `<saml:Subject>` + bearer + bearer + `</saml:Subject>`, `<saml:Subject><saml:BaseID/>` + bearer + `</saml:Subject>`,
	`<saml:Subject><saml:SubjectConfirmation Method="m">` + nameID + `<saml:SubjectConfirmationData><x/></saml:SubjectConfirmationData></saml:SubjectConfirmation></saml:Subject>`,
	`<saml:Conditions><saml:OneTimeUse/><x/><saml:AudienceRestriction/><saml:ProxyRestriction Count="1"><saml:Audience/></saml:ProxyRestriction></saml:Conditions>`,
	`<saml:AuthnStatement><saml:SubjectLocality/>` + context + `</saml:AuthnStatement>`,
	`<saml:AuthnStatement><saml:AuthnContext><saml:AuthnContextClassRef/><saml:AuthnContextDecl><x/></saml:AuthnContextDecl><saml:AuthenticatingAuthority/><saml:AuthenticatingAuthority/></saml:AuthnContext></saml:AuthnStatement>`,
	`<saml:AuthnStatement><saml:AuthnContext><saml:AuthnContextDeclRef/></saml:AuthnContext></saml:AuthnStatement>`,
	`<saml:AttributeStatement/>`, `<saml:AttributeStatement><saml:Attribute Name=""/></saml:AttributeStatement>`,
	`<saml:AttributeStatement><saml:Attribute Name="a"><saml:AttributeValue xsi:nil="1"/><saml:AttributeValue><saml:NameID>n</saml:NameID></saml:AttributeValue></saml:Attribute>` + attribute + `</saml:AttributeStatement>`,
}

// And others that are not.
var assertionsBad = []string{
	conditions + subject, subject + subject, conditions + conditions, statement + conditions, authn + subject, statement + subject, `<saml:Advice/>` + conditions, authn + `<saml:Advice/>`, "<x/>", `<saml:Issuer/>`, subject + "<x/>" + statement,
	`<Subject/>`, `<saml:Subject><x/></saml:Subject>`, `<saml:Subject>` + bearer + nameID + `</saml:Subject>`, `<saml:Subject>` + nameID + nameID + `</saml:Subject>`, `<saml:Subject>` + nameID + bearer + nameID + `</saml:Subject>`,
	`<saml:Subject><saml:SubjectConfirmation><saml:SubjectConfirmationData/><saml:SubjectConfirmationData/></saml:SubjectConfirmation></saml:Subject>`,
	`<saml:Subject><saml:SubjectConfirmation><saml:SubjectConfirmationData NotOnOrAfter="soon"/></saml:SubjectConfirmation></saml:Subject>`,
	`<saml:Subject><saml:SubjectConfirmation><saml:SubjectConfirmationData NotBefore=""/></saml:SubjectConfirmation></saml:Subject>`,
	`<saml:Conditions NotBefore="soon"/>`, `<saml:Conditions NotOnOrAfter=""/>`, `<saml:Conditions><saml:AudienceRestriction><x/></saml:AudienceRestriction></saml:Conditions>`, `<saml:Conditions><saml:ProxyRestriction>` + nameID + `</saml:ProxyRestriction></saml:Conditions>`,
	`<saml:AuthnStatement/>`, `<saml:AuthnStatement>` + context + context + `</saml:AuthnStatement>`, `<saml:AuthnStatement>` + context + `<saml:SubjectLocality/></saml:AuthnStatement>`, `<saml:AuthnStatement AuthnInstant="x">` + context + `</saml:AuthnStatement>`,
	`<saml:AuthnStatement SessionNotOnOrAfter="x">` + context + `</saml:AuthnStatement>`, `<saml:AuthnStatement><saml:AuthnContext><x/></saml:AuthnContext></saml:AuthnStatement>`,
	`<saml:AuthnStatement><saml:AuthnContext><saml:AuthnContextDeclRef/><saml:AuthnContextClassRef/></saml:AuthnContext></saml:AuthnStatement>`,
	`<saml:AttributeStatement><x/></saml:AttributeStatement>`, `<saml:AttributeStatement><saml:Attribute/></saml:AttributeStatement>`,
	`<saml:AttributeStatement><saml:Attribute Name="a"><x/></saml:Attribute></saml:AttributeStatement>`, `<saml:AttributeStatement><saml:Attribute xmlns:q="u" q:Name="a"/></saml:AttributeStatement>`,
}

func TestAssertionOrder(t *testing.T) {
	t.Parallel()
	for _, inner := range assertionsGood {
		decode(t, inner)
	}
	for _, inner := range assertionsBad {
		for _, id := range []string{"_a", "_r"} {
			_, err := open(t, frame(inner), id)
			malformed(t, err, inner)
		}
	}
	for _, c := range [][2]string{
		{issuer + assertionMark, "<saml:Subject/>"}, {` IssueInstant="2026-03-14T15:09:26Z">` + issuer + assertionMark, ">" + issuer}, {` ID="_a"`, ""}, {`ID="_a"`, `ID=""`},
	} {
		doc := strings.Replace(frame(""), assertionStart, strings.Replace(assertionStart, c[0], c[1], 1), 1)
		_, err := open(t, doc, "_r")
		malformed(t, err, doc)
	}
}

func TestAssertionDecodes(t *testing.T) {
	t.Parallel()
	a := decode(t, `<saml:Subject><saml:NameID Format="f" NameQualifier="q" SPNameQualifier="s" SPProvidedID="p"> al<!-- -->ice </saml:NameID>`+
		`<saml:SubjectConfirmation Method="m1"/><saml:SubjectConfirmation Method="m2"><saml:SubjectConfirmationData Recipient="r" InResponseTo="i" Address="a" NotBefore="2026-03-14T15:00:00Z" NotOnOrAfter="2026-03-14T16:00:00+01:00"/></saml:SubjectConfirmation></saml:Subject>`+
		`<saml:Conditions NotBefore="2026-03-14T15:00:00Z" NotOnOrAfter="2026-03-14T16:00:00Z"><saml:AudienceRestriction><saml:Audience> one
</saml:Audience><saml:Audience>two</saml:Audience></saml:AudienceRestriction><saml:AudienceRestriction/><saml:OneTimeUse/><saml:OneTimeUse/><saml:ProxyRestriction Count="2"><saml:Audience>three</saml:Audience></saml:ProxyRestriction><saml:Condition/></saml:Conditions>`+
		`<saml:AuthnStatement AuthnInstant="2026-03-14T15:00:00Z" SessionIndex="" SessionNotOnOrAfter="2026-03-14T17:00:00Z"><saml:SubjectLocality Address="1.2.3.4" DNSName="d"/><saml:AuthnContext><saml:AuthnContextClassRef> c </saml:AuthnContextClassRef><saml:AuthenticatingAuthority>u</saml:AuthenticatingAuthority></saml:AuthnContext></saml:AuthnStatement>`)
	at := func(hour int) time.Time { return time.Date(2026, 3, 14, hour, 0, 0, 0, time.UTC) }
	text := func(s string) wire.Text { return wire.Text{Value: s, Present: true} }
	assert.Equal(t, wire.ByNameID, a.Identifier)
	assert.Equal(t, wire.NameID{Value: " alice ", Format: "f", NameQualifier: "q", SPNameQualifier: "s", SPProvidedID: "p"}, a.NameID, "an identifier is not trimmed")
	assert.Equal(t, []wire.Confirmation{{Method: "m1"}, {Method: "m2", HasData: true, Recipient: text("r"), InResponseTo: text("i"), Address: text("a"), NotBefore: at(15), NotOnOrAfter: at(15)}}, a.Confirmations)
	assert.True(t, a.HasSubject && a.HasConditions)
	assert.Equal(t, wire.Conditions{NotBefore: at(15), NotOnOrAfter: at(16), Audiences: [][]string{{"one", "two"}, nil}, OneTimeUse: 2, Proxy: 1, ProxyCount: text("2"), ProxyAudiences: []string{"three"}, Unknown: "Condition"}, a.Conditions)
	assert.Equal(t, []wire.AuthnStatement{{AuthnInstant: at(15), SessionNotOnOrAfter: at(17), SessionIndex: text(""), ClassRef: text("c"), Authorities: []string{"u"}, Address: text("1.2.3.4"), DNSName: text("d")}}, a.Authn)

	empty := decode(t, "")
	assert.False(t, empty.HasSubject || empty.HasConditions)
	assert.Equal(t, wire.NoIdentifier, empty.Identifier)
	for inner, want := range map[string]wire.Identifier{"<saml:BaseID/>": wire.ByBaseID, nameID: wire.ByNameID, "": wire.NoIdentifier} {
		assert.Equal(t, want, decode(t, "<saml:Subject>"+inner+"</saml:Subject>").Identifier)
	}
}

func TestAttributes(t *testing.T) {
	t.Parallel()
	a := decode(t, `<saml:AttributeStatement><saml:Attribute Name="a" FriendlyName="f"><saml:AttributeValue> one </saml:AttributeValue><saml:AttributeValue/></saml:Attribute>`+
		`<saml:Attribute Name="a" NameFormat="other"><saml:AttributeValue xsi:type="xs:string">x</saml:AttributeValue></saml:Attribute>`+
		`<saml:Attribute Name="a" NameFormat="`+wire.AttrNameUnspecified+`" FriendlyName="g"><saml:AttributeValue xsi:nil=" true "/></saml:Attribute><saml:Attribute Name="empty"/></saml:AttributeStatement>`+
		`<saml:AttributeStatement><saml:Attribute Name="empty"><saml:AttributeValue xsi:nil="0">v</saml:AttributeValue></saml:Attribute><saml:Attribute Name="a"><saml:AttributeValue>u<saml:NameID Format="f">id</saml:NameID>w</saml:AttributeValue>`+
		`<saml:AttributeValue>t<x a='1'>y</x><!-- c --><z/></saml:AttributeValue></saml:Attribute></saml:AttributeStatement>`)
	assert.Equal(t, []wire.Attribute{
		{Name: "a", NameFormat: wire.AttrNameUnspecified, FriendlyName: "f", Values: []string{" one ", "", "", "id", "t"}, Extra: []wire.Extra{
			{Index: 2, Nil: true},
			{Index: 3, NameID: &wire.NameID{Value: "id", Format: "f"}, XML: `u<saml:NameID Format="f">id</saml:NameID>w`},
			{Index: 4, XML: `t<x a="1">y</x><z></z>`},
		}},
		{Name: "a", NameFormat: "other", Values: []string{"x"}},
		{Name: "empty", NameFormat: wire.AttrNameUnspecified, Values: []string{"v"}},
	}, a.Attributes)
}

// Values stay apart, however the memory that they share is cut.
func TestAttributesMany(t *testing.T) {
	t.Parallel()
	for _, perAttribute := range []int{1, 2, 7, 100} {
		var s strings.Builder
		want := map[string][]string{}
		for i := range 120 {
			name := fmt.Sprintf("a%d", i%80) // some come twice
			fmt.Fprintf(&s, `<saml:Attribute Name="%s">`, name)
			for j := range perAttribute {
				v := fmt.Sprintf("%s of %d/%d", strings.Repeat("v", (i*j)%300), i, j)
				want[name] = append(want[name], v)
				s.WriteString("<saml:AttributeValue>" + v + "</saml:AttributeValue>")
			}
			s.WriteString("</saml:Attribute>")
		}
		a := decode(t, "<saml:AttributeStatement>"+s.String()+"</saml:AttributeStatement>")
		require.Len(t, a.Attributes, 80)
		for _, attribute := range a.Attributes {
			require.Equal(t, want[attribute.Name], attribute.Values)
		}
	}
}
