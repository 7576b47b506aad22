package saml_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml"
	"github.com/logintrust/saml/samltest"
)

// looseTrusts is a database that compares without regard to letter case, and finds something for any source of artifacts.
type looseTrusts struct{ *saml.MemoryTrusts }

func (l looseTrusts) FindTrust(_ context.Context, domain string) (saml.LoginTrust, bool, error) {
	for _, t := range l.All() {
		if strings.EqualFold(t.Domain, domain) {
			return t, true, nil
		}
	}
	return saml.LoginTrust{}, false, nil
}

func (l looseTrusts) FindTrustBySource(context.Context, [20]byte) (saml.LoginTrust, bool, error) {
	return l.All()[0], true, nil
}

// A database that finds a trust for another name than its Domain finds none: two names that it takes for one may be two
// customers'.
func TestLooseTrusts(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(_ *saml.LoginTrust, c *saml.Config) { c.Trusts = looseTrusts{c.Trusts.(*saml.MemoryTrusts)} })
	login, err := w.login()
	accepted(t, login, err)
	login, err = w.login(of("HTTPS" + w.idp.EntityID[5:]))
	refused(t, saml.UnknownDomain, login, err)

	resolved := newTenants(t, func(string) (string, bool, error) { return strings.ToUpper(tenants), true, nil },
		func(_ *saml.LoginTrust, c *saml.Config) { c.Trusts = looseTrusts{c.Trusts.(*saml.MemoryTrusts)} })
	login, err = resolved.login(of(tenantA))
	refused(t, saml.UnknownDomain, login, err)

	s := newArtifactSite(t, func(_ *saml.LoginTrust, c *saml.Config) { c.Trusts = looseTrusts{c.Trusts.(*saml.MemoryTrusts)} })
	stranger, err := samltest.New(samltest.Options{EntityID: "https://mallory.example.com"})
	require.NoError(t, err)
	artifact, _ := stranger.Artifact(0, nil)
	s.browser().deliver(http.MethodPost, artifact)
	assert.Equal(t, saml.UnknownDomain, s.reason())
	assert.Empty(t, s.asked)
}

// An issuer that is mapped to one trust when keys are picked, and to another when it is proven, is neither's.
func TestResolveIssuerToAnother(t *testing.T) {
	t.Parallel()
	const other = "https://other.example.com"
	asked := 0
	resolve := func(_ context.Context, issuer string) (string, bool, error) {
		if asked++; asked%2 == 0 {
			return other, issuer == tenantA, nil
		}
		return tenants, issuer == tenantA, nil
	}
	change := func(trust *saml.LoginTrust, c *saml.Config) {
		trust.Domain, c.ResolveIssuer = tenants, resolve
		another := *trust
		another.Domain = other
		c.Trusts.(*saml.MemoryTrusts).Set(another)
	}
	w := newWorld(t, change)
	w.idp.EntityID = tenants
	login, err := w.login(of(tenantA))
	refused(t, saml.WrongIssuer, login, err)
	assert.Equal(t, 2, asked)

	l := newLeaving(t, change)
	l.idp.EntityID = tenants
	session := l.signIn("s1")
	request := l.idp.LogoutRequest(session, sloURL)
	request.Issuer.Value, asked = tenantA, 0
	_, err = l.sp.AnswerLogout(t.Context(), carriers["redirect"](request))
	leftWith(t, saml.WrongIssuer, err)
	assert.Equal(t, 2, asked)
}

// An answer by SOAP that another of our identity providers signed answers nothing, nor one that is mapped to it.
func TestLogoutBySOAPOfAnotherTenant(t *testing.T) {
	t.Parallel()
	other := otherIdP(t)
	l := newSOAPLeaving(t)
	l.trusts.Set(other.Trust())
	l.answer = func(m *samltest.LogoutMessage) { m.Seal, m.Issuer.Value = other.Seal(), other.EntityID }
	result, err := l.sp.LogoutBySOAP(t.Context(), l.session(), saml.LogoutOptions{})
	leftWith(t, saml.WrongIssuer, err)
	assert.Nil(t, result)
}
