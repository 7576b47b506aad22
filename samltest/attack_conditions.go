package samltest

import (
	"net/url"
	"time"

	saml "github.com/logintrust/saml"
)

// unknownCondition is an extension of saml:Condition that nobody knows.
const unknownCondition = `<saml:Condition xmlns:saml="` + nsAssertion + `" xmlns:xsi="` + nsInstance + `" xmlns:x="urn:x" xsi:type="x:OnTuesdays"/>`

// conditionAttacks are genuinely signed too; this half is about conditions and statements.
func conditionAttacks() []Attack {
	schema := because(saml.BadResponse)
	audience := because(saml.WrongAudience)
	conditions := because(saml.BadConditions, saml.BadResponse)
	return []Attack{
		{Name: "no Conditions", Reference: "SAML Profiles 4.1.4.2", Reasons: append(audience, saml.BadConditions),
			Forge: before(func(a *Answer) { a.Assertion().Conditions = nil })},
		{Name: "no AudienceRestriction", Reference: "SAML Profiles 4.1.4.2", Reasons: audience, Forge: conditioned(func(c *Conditions) { c.Audiences = nil })},
		{Name: "AudienceRestriction without Audience", Reference: "SAML Core 2.5.1.4", Reasons: append(audience, saml.BadResponse), Forge: conditioned(func(c *Conditions) { c.Audiences = [][]string{{}} })},
		{Name: "empty Audience", Reference: "SAML Core 2.5.1.4", Reasons: append(audience, saml.BadResponse), Forge: conditioned(func(c *Conditions) { c.Audiences = [][]string{{Blank}} })},
		{Name: "Audience of another service provider", Reference: "SAML Core 2.5.1.4", Reasons: audience, Forge: conditioned(func(c *Conditions) { c.Audiences = [][]string{{"https://other.example.com"}} })},
		{Name: "Audience with a slash more", Reference: "SAML Core 1.3.2: compared octet by octet", Reasons: audience, Forge: conditioned(func(c *Conditions) { c.Audiences[0][0] += "/" })},
		{Name: "Audience that begins alike", Reference: "SAML Core 2.5.1.4", Reasons: audience, Forge: conditioned(func(c *Conditions) { c.Audiences[0][0] += ".evil.example.com" })},
		{Name: "two AudienceRestrictions, one of them another's", Reference: "SAML Core 2.5.1.4, E46: all must hold", Reasons: audience,
			Forge: conditioned(func(c *Conditions) { c.Audiences = append(c.Audiences, []string{"https://other.example.com"}) })},
		{Name: "NotBefore to come", Reference: "SAML Core 2.5.1.2", Reasons: because(saml.NotYetValid), Forge: timed(func(a *Answer, in in) {
			a.Assertion().Conditions.NotBefore = in(time.Hour)
			a.Assertion().Conditions.NotOnOrAfter = in(2 * time.Hour)
		})},
		{Name: "NotOnOrAfter past", Reference: "SAML Core 2.5.1.2", Reasons: because(saml.Expired), Forge: timed(func(a *Answer, in in) {
			a.Assertion().Conditions.NotBefore = in(-2 * time.Hour)
			a.Assertion().Conditions.NotOnOrAfter = in(-time.Hour)
		})},
		{Name: "NotBefore equal to NotOnOrAfter", Reference: "SAML Core 2.5.1.2", Reasons: append(conditions, saml.Expired), Forge: timed(func(a *Answer, in in) {
			same := in(0) // asked once, since the clock goes on
			a.Assertion().Conditions.NotBefore, a.Assertion().Conditions.NotOnOrAfter = same, same
		})},
		{Name: "NotBefore after NotOnOrAfter", Reference: "SAML Core 2.5.1.2", Reasons: append(conditions, saml.Expired, saml.NotYetValid), Forge: timed(func(a *Answer, in in) {
			a.Assertion().Conditions.NotBefore = in(30 * time.Second)
			a.Assertion().Conditions.NotOnOrAfter = in(-30 * time.Second)
		})},
		{Name: "NotBefore no time", Reference: "SAML Core 1.3.3", Reasons: schema, Forge: conditioned(func(c *Conditions) { c.NotBefore = "yesterday" })},
		{Name: "two OneTimeUse", Reference: "SAML Core 2.5.1.5: one at most", Reasons: conditions, Forge: conditioned(func(c *Conditions) { c.OneTimeUse = 2 })},
		{Name: "two ProxyRestrictions", Reference: "SAML Core 2.5.1.6: one at most", Reasons: conditions, Forge: conditioned(func(c *Conditions) {
			c.ProxyRestriction = &ProxyRestriction{Count: "0"}
			c.Raw = []string{`<saml:ProxyRestriction xmlns:saml="` + nsAssertion + `" Count="1"/>`}
		})},
		{Name: "unknown condition", Reference: "SAML Core 2.5.1", Reasons: because(saml.UnknownCondition), Forge: conditioned(func(c *Conditions) { c.Raw = []string{unknownCondition} })},
		{Name: "condition of another namespace", Reference: "SAML Core 2.5.1, schema", Reasons: because(saml.UnknownCondition, saml.BadResponse), Forge: conditioned(func(c *Conditions) { c.Raw = []string{`<x xmlns="urn:x"/>`} })},
		{Name: "two Conditions", Reference: "SAML Core 2.3.3, schema", Reasons: append(schema, saml.BadConditions), Forge: twice("Conditions")},
		{Name: "no AuthnStatement", Reference: "SAML Profiles 4.1.4.2", Reasons: because(saml.NoAuthnStatement), Forge: before(func(a *Answer) { a.Assertion().Statements = nil })},
		{Name: "no AuthnInstant", Reference: "SAML Core 2.7.2", Reasons: because(saml.NoAuthnStatement, saml.BadResponse), Forge: stated(func(s *AuthnStatement) { s.AuthnInstant = "" })},
		{Name: "AuthnInstant to come", Reference: "SAML Core 2.7.2", Reasons: because(saml.AuthnInFuture), Forge: timed(func(a *Answer, in in) {
			a.Assertion().Statements[0].AuthnInstant = in(time.Hour)
		})},
		{Name: "SessionNotOnOrAfter past", Reference: "SAML Profiles 4.1.4.3", Reasons: because(saml.SessionExpired), Forge: timed(func(a *Answer, in in) {
			a.Assertion().Statements[0].SessionNotOnOrAfter = in(-time.Hour)
		})},
		{Name: "no ID of the assertion", Reference: "SAML Core 2.3.3: nothing to remember it by", Reasons: append(schema, saml.MalformedSignature), Base: signing(SignResponse),
			Forge: before(func(a *Answer) { a.Assertion().ID = "" })},
		{Name: "empty ID of the assertion", Reference: "SAML Core 1.3.4", Reasons: append(schema, saml.MalformedSignature), Base: signing(SignResponse),
			Forge: before(func(a *Answer) { a.Assertion().ID = Blank })},
		{Name: "IssueInstant of the assertion no time", Reference: "SAML Core 1.3.3", Reasons: schema, Forge: before(func(a *Answer) { a.Assertion().IssueInstant = "now" })},
		{Name: "no IssueInstant of the assertion", Reference: "SAML Core 2.3.3", Reasons: schema, Forge: before(func(a *Answer) { a.Assertion().IssueInstant = "" })},
	}
}

// conditioned changes the Conditions.
func conditioned(change func(c *Conditions)) forge {
	return before(func(a *Answer) { change(a.Assertion().Conditions) })
}

// stated changes the one AuthnStatement.
func stated(change func(s *AuthnStatement)) forge {
	return before(func(a *Answer) { change(&a.Assertion().Statements[0]) })
}

// in is the time so far from now, as a message writes it.
type in = func(d time.Duration) string

// timed changes times.
func timed(change func(a *Answer, in in)) forge {
	return func(s *Scene) url.Values {
		a := s.Answer()
		change(a, s.IdP.In)
		return a.Form()
	}
}
