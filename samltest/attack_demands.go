package samltest

import (
	"net/url"
	"time"

	saml "github.com/logintrust/saml"
)

// demandAttacks are genuinely signed and within the specification, but not what the login trust demands or the request asked
// for.
func demandAttacks() []Attack {
	const trust, asked = "the login trust's options", "SAML Core 3.4.1"
	stale := timed(func(a *Answer, in in) { a.Assertion().Statements[0].AuthnInstant = in(-2 * time.Hour) })
	authn := because(saml.ReauthenticationRequired)
	class := because(saml.WrongAuthnContext)
	return []Attack{
		{Name: "assertion signed only, where the response must be", Reference: trust, Reasons: because(saml.Unsigned), Base: signing(SignResponse | SignAssertion),
			Demand: func(t *saml.LoginTrust) { t.RequireSignedResponse = true }, Forge: before(signing(SignAssertion))},
		{Name: "response signed only, where the assertion must be", Reference: trust, Reasons: because(saml.Unsigned), Base: signing(SignResponse | SignAssertion),
			Demand: func(t *saml.LoginTrust) { t.RequireSignedAssertion = true }, Forge: before(signing(SignResponse))},
		{Name: "no Destination, where there must be one", Reference: trust, Reasons: because(saml.WrongDestination),
			Demand: func(t *saml.LoginTrust) { t.RequireDestination = true }, Forge: before(func(a *Answer) { a.Destination = "" })},
		{Name: "another Address than the client's", Reference: "SAML Profiles 4.1.4.3", Reasons: because(saml.WrongAddress),
			Demand: func(t *saml.LoginTrust) { t.CheckClientAddress = true }, Forge: confirmed(func(c *Confirmation) { c.Address = "198.51.100.7" })},
		{Name: "an Address that is none", Reference: "SAML Profiles 4.1.4.3", Reasons: because(saml.WrongAddress),
			Demand: func(t *saml.LoginTrust) { t.CheckClientAddress = true }, Forge: confirmed(func(c *Confirmation) { c.Address = "localhost" })},
		{Name: "authenticated too long ago for the trust", Reference: trust, Reasons: authn,
			Demand: func(t *saml.LoginTrust) { t.MaxAuthnAge = time.Hour }, Forge: stale},
		{Name: "a class that the trust does not accept", Reference: trust, Reasons: class, Base: stating("urn:strong"),
			Demand: func(t *saml.LoginTrust) { t.AuthnContext = []string{"urn:strong"} }, Forge: before(stating("urn:weak"))},
		{Name: "no class, where the trust accepts only some", Reference: trust, Reasons: class, Base: stating("urn:strong"),
			Demand: func(t *saml.LoginTrust) { t.AuthnContext = []string{"urn:strong"} }, Forge: before(stating(""))},
		{Name: "without an attribute that the trust requires", Reference: trust, Reasons: because(saml.MissingAttribute),
			Demand: func(t *saml.LoginTrust) { t.RequiredAttributes = []string{"email"} },
			Forge:  before(func(a *Answer) { a.Assertion().Attributes = nil })},

		{Name: "authenticated before ForceAuthn asked for it", Reference: asked, Reasons: authn,
			Ask: func(o *saml.StartOptions) { o.ForceAuthn = true }, Forge: stale},
		{Name: "authenticated longer ago than was asked for", Reference: "StartOptions.MaxAuthnAge", Reasons: authn,
			Ask: func(o *saml.StartOptions) { o.MaxAuthnAge = time.Hour }, Forge: stale},
		{Name: "a class that was not asked for", Reference: "SAML Core 3.3.2.2.1", Reasons: class, Base: stating("urn:strong"),
			Ask: func(o *saml.StartOptions) { o.AuthnContext = []string{"urn:strong"} }, Forge: before(stating("urn:weak"))},
		{Name: "a NameID of a format that was not asked for", Reference: "SAML Core 3.4.1.1", Reasons: because(saml.WrongNameIDFormat),
			Ask:   func(o *saml.StartOptions) { o.NameIDFormat = FormatPersistent },
			Forge: before(func(a *Answer) { a.Assertion().Subject.NameID.Format = FormatEmail })},
		{Name: "a NameID without the format that was asked for", Reference: "SAML Core 3.4.1.1", Reasons: because(saml.WrongNameIDFormat),
			Ask:   func(o *saml.StartOptions) { o.NameIDFormat = FormatPersistent },
			Forge: before(func(a *Answer) { a.Assertion().Subject.NameID.Format = "" })},
		{Name: "another subject than was asked for", Reference: asked, Reasons: because(saml.OtherSubject), Ask: forAlice, Base: asAlice,
			Forge: before(func(a *Answer) { a.Assertion().Subject.NameID.Value = evil })},
		{Name: "the subject that was asked for, of another format", Reference: asked, Reasons: because(saml.OtherSubject), Ask: forAlice, Base: asAlice,
			Forge: before(func(a *Answer) { a.Assertion().Subject.NameID.Format = FormatEmail })},
		{Name: "nobody, where a subject was asked for", Reference: asked, Reasons: because(saml.OtherSubject, saml.NoSubject), Ask: forAlice, Base: asAlice,
			Forge: func(s *Scene) url.Values {
				a := s.Answer()
				a.Assertion().Subject.NameID = nil
				return a.Form()
			}},
	}
}

// stating makes an answer one of that authentication context class; "" states none.
func stating(class string) func(a *Answer) {
	return func(a *Answer) { a.Assertion().Statements[0].ClassRef = class }
}

func forAlice(o *saml.StartOptions) {
	o.Subject = &saml.NameID{Value: "alice", Format: FormatPersistent}
}

func asAlice(a *Answer) {
	a.Assertion().Subject.NameID.Value, a.Assertion().Subject.NameID.Format = "alice", FormatPersistent
}
