package saml_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml"
	"github.com/logintrust/saml/samltest"
)

// One trust for the tenants of one product, each with an issuer of its own, all with the same key.
const (
	tenants  = "https://login.example.com/organizations"
	tenantA  = "https://login.example.com/aaaa"
	tenantB  = "https://login.example.com/bbbb"
	stranger = "https://login.example.com/cccc"
)

// newTenants is a world whose trust takes issuers A and B, and asked counts what the resolver is asked.
func newTenants(t testing.TB, resolve func(issuer string) (string, bool, error), change ...func(*saml.LoginTrust, *saml.Config)) *world {
	t.Helper()
	w := newWorld(t, append([]func(*saml.LoginTrust, *saml.Config){func(trust *saml.LoginTrust, c *saml.Config) {
		trust.Domain = tenants
		c.ResolveIssuer = func(_ context.Context, issuer string) (string, bool, error) { return resolve(issuer) }
	}}, change...)...)
	w.idp.EntityID = tenants
	return w
}

func admitted(issuer string) (string, bool, error) {
	return tenants, issuer == tenantA || issuer == tenantB, nil
}

// of makes an answer another issuer's.
func of(issuer string) func(*samltest.Answer) {
	return func(a *samltest.Answer) {
		a.Issuer.Value, a.Assertion().Issuer.Value = issuer, issuer
	}
}

func TestResolveIssuer(t *testing.T) {
	t.Parallel()
	w := newTenants(t, admitted)
	keys := map[string]bool{}
	for _, issuer := range []string{tenants, tenantA, tenantB} {
		login, err := w.login(of(issuer))
		accepted(t, login, err)
		assert.Equal(t, issuer, login.Issuer())
		assert.Equal(t, issuer, login.Subject().Issuer)
		assert.Equal(t, tenants, login.Trust().Domain)
		key, err := login.Subject().AccountKey()
		require.NoError(t, err)
		keys[key] = true
	}
	assert.Len(t, keys, 3, "the same NameID of three issuers is three subjects")
	for name, c := range map[string]struct {
		change func(*samltest.Answer)
		reason saml.Reason
	}{
		"a tenant who is not on the list": {of(stranger), saml.UnknownDomain},
		"a prefix":                        {of(tenantA[:len(tenantA)-1]), saml.UnknownDomain},
		"another letter case":             {of("https://login.example.com/AAAA"), saml.UnknownDomain},
		"one outside, another inside":     {func(a *samltest.Answer) { of(tenantA)(a); a.Assertion().Issuer.Value = tenantB }, saml.WrongIssuer},
		"the trust's outside":             {func(a *samltest.Answer) { of(tenants)(a); a.Assertion().Issuer.Value = tenantB }, saml.WrongIssuer},
		"a stranger inside":               {func(a *samltest.Answer) { of(tenantA)(a); a.Assertion().Issuer.Value = stranger }, saml.WrongIssuer},
	} {
		login, err := w.login(c.change)
		assert.ErrorIs(t, err, c.reason, name)
		assert.Nil(t, login, name)
	}
}

// The resolver is asked with what is proven, and what it says then counts.
func TestResolveIssuerAgain(t *testing.T) {
	t.Parallel()
	asked := 0
	down := errors.New("the list of tenants is out of reach")
	second := func(domain string, found bool, err error) *world {
		asked = 0
		return newTenants(t, func(issuer string) (string, bool, error) {
			if asked++; asked == 1 {
				return tenants, true, nil
			}
			return domain, found, err
		})
	}
	for _, c := range []struct {
		domain string
		found  bool
		err    error
		reason saml.Reason
	}{
		{tenants, false, nil, saml.UnknownDomain}, {"", true, nil, saml.UnknownDomain}, {"https://other.example.com", true, nil, saml.UnknownDomain},
		{tenants, true, down, saml.StoreFailed},
	} {
		w := second(c.domain, c.found, c.err)
		started, request := w.start(saml.StartOptions{})
		answer := w.idp.Answer(request)
		of(tenantA)(answer)
		login, err := w.post(answer, started.BrowserKey)
		refused(t, c.reason, login, err)
		assert.Equal(t, 2, asked)
		asked = 0
		login, err = w.post(answer, started.BrowserKey)
		refused(t, c.reason, login, err) // nothing was used up, and the answer is still no
	}
}

// A resolver that names a trust which is not there, or not active, admits nobody; and none is asked for a Domain.
func TestResolveIssuerToNothing(t *testing.T) {
	t.Parallel()
	for _, domain := range []string{"", "https://nobody.example.com", tenantA} {
		w := newTenants(t, func(string) (string, bool, error) { return domain, true, nil })
		login, err := w.login(of(tenantA))
		refused(t, saml.UnknownDomain, login, err)
	}
	w := newTenants(t, admitted)
	started, request := w.start(saml.StartOptions{})
	trust := w.trust()
	trust.State = saml.Inactive // since the login began
	w.trusts.Set(trust)
	answer := w.idp.Answer(request)
	of(tenantA)(answer)
	login, err := w.post(answer, started.BrowserKey)
	refused(t, saml.TrustInactive, login, err)
	w = newTenants(t, func(string) (string, bool, error) { t.Error("asked for a Domain"); return "", false, nil })
	login, err = w.login(of(tenants))
	accepted(t, login, err)
}

// The same name from two issuers of one trust is two users; neither is taken for a local user of that name.
func TestResolvedIssuersShareNoUser(t *testing.T) {
	t.Parallel()
	w := newTown(t, creating, func(trust *saml.LoginTrust, c *saml.Config) {
		trust.Domain = tenants
		c.ResolveIssuer = func(_ context.Context, issuer string) (string, bool, error) { return admitted(issuer) }
	})
	w.idp.EntityID = tenants
	first, err := w.login(of(tenantA))
	accepted(t, first, err)
	a, _ := first.User()
	again, err := w.login(of(tenantA))
	accepted(t, again, err)
	b, _ := again.User()
	assert.Equal(t, a.ID, b.ID)
	login, err := w.login(of(tenantB))
	refused(t, saml.EmailTaken, login, err)
	login, err = w.login(of(tenantB), func(a *samltest.Answer) {
		a.Assertion().Attributes = slices.DeleteFunc(a.Assertion().Attributes, func(at samltest.Attribute) bool { return at.Name == "email" })
	})
	refused(t, saml.UsernameTaken, login, err)
}
