package saml_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml"
	"github.com/logintrust/saml/samltest"
)

// Each rule is needed: for each there is an answer that it alone refuses, and that gets in without it.
//
// req: SE-NIST-6
func TestEachRuleIsNeeded(t *testing.T) {
	t.Parallel()
	const elsewhere = "https://elsewhere.example.com"
	answers := []struct {
		name  string
		edit  func(*samltest.Answer)
		trust func(*saml.LoginTrust)
	}{
		{name: "version", edit: func(a *samltest.Answer) { a.Version = "2.1" }},
		{name: "destination", edit: func(a *samltest.Answer) { a.Destination = elsewhere }},
		{name: "response issuer", edit: func(a *samltest.Answer) { a.Issuer.Format = samltest.FormatEmail }},
		{name: "response instant", edit: func(a *samltest.Answer) { a.IssueInstant = at(time.Hour) }},
		{name: "assertion version", edit: func(a *samltest.Answer) { a.Assertion().Version = "1.1" }},
		{name: "assertion issuer", edit: both(signResponse, func(a *samltest.Answer) { a.Assertion().Issuer.Value = elsewhere })},
		{name: "signature of the response", edit: signAssertion, trust: func(t *saml.LoginTrust) { t.RequireSignedResponse = true }},
		{name: "encryption", edit: func(*samltest.Answer) {}, trust: func(t *saml.LoginTrust) { t.RequireEncryption = true }},
		{name: "assertion instant", edit: func(a *samltest.Answer) { a.Assertion().IssueInstant = at(time.Hour) }},
		{name: "subject", edit: func(a *samltest.Answer) { a.Assertion().Subject.NameID.Value = "" }},
		{name: "qualifier", edit: func(a *samltest.Answer) { a.Assertion().Subject.NameID.SPNameQualifier = elsewhere }},
		{name: "horizon", edit: confirmation(func(c *samltest.Confirmation) { c.NotOnOrAfter = at(48 * time.Hour) })},
		{name: "form of conditions", edit: conditions(func(c *samltest.Conditions) { c.OneTimeUse = 2 })},
		{name: "unknown condition", edit: conditions(func(c *samltest.Conditions) { c.Raw = []string{`<x:Moon xmlns:x="urn:x"/>`} })},
		{name: "not before", edit: conditions(func(c *samltest.Conditions) { c.NotBefore, c.NotOnOrAfter = at(time.Hour), at(2*time.Hour) })},
		{name: "not on or after", edit: conditions(func(c *samltest.Conditions) { c.NotBefore, c.NotOnOrAfter = at(-2*time.Hour), at(-time.Hour) })},
		{name: "audience", edit: conditions(func(c *samltest.Conditions) { c.Audiences = [][]string{{elsewhere}} })},
		{name: "statement", edit: func(a *samltest.Answer) { a.Assertion().Statements = nil }},
		{name: "authn instant", edit: statement(func(s *samltest.AuthnStatement) { s.AuthnInstant = at(time.Hour) })},
		{name: "session end", edit: statement(func(s *samltest.AuthnStatement) { s.SessionNotOnOrAfter = at(-time.Hour) })},
		{name: "context", trust: func(t *saml.LoginTrust) { t.AuthnContext = []string{"urn:mfa"} }, edit: func(*samltest.Answer) {}},
		{name: "age", trust: func(t *saml.LoginTrust) { t.MaxAuthnAge = time.Minute }, edit: statement(func(s *samltest.AuthnStatement) { s.AuthnInstant = at(-time.Hour) })},
		{name: "attributes", trust: func(t *saml.LoginTrust) { t.RequiredAttributes = []string{"badge"} }, edit: func(*samltest.Answer) {}},
	}
	for i := 0; ; i++ {
		lacking, rule := newWorld(t).sp.WithoutRule(i)
		if lacking == nil {
			require.Greater(t, i, 20)
			break
		}
		needed := false
		for _, c := range answers {
			w := newWorld(t, func(t *saml.LoginTrust, _ *saml.Config) {
				t.AllowIdPInitiated = true
				if c.trust != nil {
					c.trust(t)
				}
			})
			lacking, _ := w.sp.WithoutRule(i)
			answer := w.unsolicited()
			c.edit(answer)
			_, err := w.post(answer, "")
			require.Error(t, err, c.name)
			if login := withoutPanic(lacking, answer); login != nil {
				needed = true
			}
		}
		// The confirmation is what spending the login is made of: without that rule nothing can be spent at all.
		if !needed && rule != "no_bearer_confirmation, SAML Profiles 4.1.4.2" {
			assert.Fail(t, "a rule that no answer needs", rule)
		}
	}
}

// withoutPanic validates with a service provider that lacks a rule, and may stumble for it.
func withoutPanic(sp *saml.ServiceProvider, answer *samltest.Answer) (login *saml.Login) {
	defer func() { _ = recover() }()
	login, _ = sp.Validate(samltestContext, saml.Posted{SAMLResponse: answer.Encode()})
	return login
}

// Each rule about messages of single logout is needed too.
//
// req: SE-NIST-6
func TestEachLogoutRuleIsNeeded(t *testing.T) {
	t.Parallel()
	edits := map[string]func(*samltest.LogoutMessage){
		"wrong_destination": func(m *samltest.LogoutMessage) { m.Destination = "https://elsewhere.example.com" },
		"wrong_issuer":      func(m *samltest.LogoutMessage) { m.Issuer.Format = samltest.FormatEmail },
		"wrong_version":     func(m *samltest.LogoutMessage) { m.Version = "1.1" },
		"not_yet_valid":     func(m *samltest.LogoutMessage) { m.IssueInstant, m.NotOnOrAfter = at(time.Hour), at(2*time.Hour) },
		"expired":           func(m *samltest.LogoutMessage) { m.IssueInstant, m.NotOnOrAfter = at(-2*time.Hour), at(-time.Hour) },
		"no_subject":        func(m *samltest.LogoutMessage) { m.NameID = nil },
	}
	for i := 0; ; i++ {
		l := newLeaving(t)
		m := l.idp.LogoutRequest(l.signIn("s1"), sloURL)
		lacking, rule := l.sp.WithoutLogoutRule(i)
		if lacking == nil {
			require.Len(t, edits, i)
			return
		}
		require.Contains(t, edits, rule)
		edits[rule](m)
		message := carriers["redirect"](m)
		a, err := l.sp.AnswerLogout(t.Context(), message)
		require.True(t, err != nil || a.Refusal != nil, rule)
		require.Empty(t, l.sessions.calls)
		if rule == "expired" {
			continue // the memory against replay cannot hold what is over, and refuses it as well
		}
		_, err = lacking.AnswerLogout(t.Context(), message)
		require.NoError(t, err, rule)
		assert.Len(t, l.sessions.calls, 1, "a rule that no message needs: %s", rule)
	}
}
