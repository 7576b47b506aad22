package saml_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml"
	"github.com/logintrust/saml/samltest"
)

// req: CS-02 CS-11 CS-12 CS-17 CL-14 CL-15
func TestWhoMayUseAPassword(t *testing.T) {
	t.Parallel()
	alice := saml.Account{ID: "1", Type: "customer"}
	admin := saml.Account{ID: "2", Type: "admin", SSODisabled: true}
	for _, c := range []struct {
		name         string
		policy       saml.SSOPolicy
		alice, admin bool // of whom single sign-on is demanded
	}{
		{"zero", saml.SSOPolicy{}, false, false},
		{"off", saml.SSOPolicy{AllTypes: true, Types: []string{"customer"}, HasDefault: true}, false, false},
		{"on, for nobody", saml.SSOPolicy{On: true}, false, false},
		{"all types", saml.SSOPolicy{On: true, AllTypes: true}, true, false},
		{"her type", saml.SSOPolicy{On: true, Types: []string{"supplier", "customer"}}, true, false},
		{"another type", saml.SSOPolicy{On: true, Types: []string{"Customer", "admin"}}, false, false},
		{"pilot with her", saml.SSOPolicy{On: true, AllTypes: true, Pilot: []string{"1"}}, true, false},
		{"pilot without her", saml.SSOPolicy{On: true, AllTypes: true, Pilot: []string{"3"}}, false, false},
		{"pilot with her, of another type", saml.SSOPolicy{On: true, Types: []string{"admin"}, Pilot: []string{"1"}}, false, false},
		{"default trust", saml.SSOPolicy{On: true, HasDefault: true}, true, false},
		{"default trust ends the pilot", saml.SSOPolicy{On: true, Pilot: []string{"3"}, HasDefault: true}, true, false},
	} {
		assert.Equal(t, c.alice, c.policy.Demands(alice), c.name)
		assert.Equal(t, c.admin, c.policy.Demands(admin), c.name)
		for _, right := range []bool{true, false} {
			called := 0
			verify := func() bool { called++; return right }
			assert.Equal(t, right && !c.alice, c.policy.PasswordLogin(alice, verify), c.name)
			assert.Equal(t, 1, called, "the password is compared whatever the answer")
			assert.Equal(t, right && !c.admin, c.policy.PasswordLogin(admin, verify), c.name)
		}
	}
	assert.Contains(t, saml.PasswordRefused, "identity provider", "the message points to single sign-on")
}

// req: LT-09 LT-16 LT-30
func TestRemoteLogins(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	trust := func(description string, change func(*saml.LoginTrust)) saml.LoginTrust {
		trust := w.trust()
		trust.Domain, trust.Description, trust.LinkOnLoginPage = "https://idp.example.com/?a=1&b="+description, description, true
		if change != nil {
			change(&trust)
		}
		return trust
	}
	trusts := []saml.LoginTrust{trust("zebra", nil), trust("Émile", nil), trust("alpha", nil), trust("Beta", nil),
		trust("post", func(t *saml.LoginTrust) { t.LoginURL = "" }),
		trust("x1", func(t *saml.LoginTrust) { t.LinkOnLoginPage = false }),
		trust("x2", func(t *saml.LoginTrust) { t.State = saml.Inactive }),
		trust("x3", func(t *saml.LoginTrust) { t.State = saml.Provisional }),
		trust("x4", func(t *saml.LoginTrust) { t.SAML = false }),
		trust("x5", func(t *saml.LoginTrust) { t.LoginURL, t.LoginPostURL = "", "" }),
		trust("x6", func(t *saml.LoginTrust) { t.Keys = nil }),
	}
	var names []string
	links := w.sp.RemoteLogins(trusts, "/inbox?a=1")
	for _, l := range links {
		names = append(names, l.Description)
	}
	assert.Equal(t, []string{"alpha", "Beta", "post", "zebra", "Émile"}, names)
	assert.Equal(t, w.sp.LoginLink(trusts[2], "/inbox?a=1"), links[0].URL)
	assert.Equal(t, "zebra", trusts[0].Description, "the list is not changed")
	assert.Equal(t, "Remote Log In", saml.RemoteLogInHeading)
	assert.Empty(t, w.sp.RemoteLogins(nil, ""))
}

// req: SA-02 LT-12 LT-22 LT-34
func TestRoute(t *testing.T) {
	t.Parallel()
	usable := samltest.NewIdP(t).Trust()
	passing, dead := usable, usable
	passing.PassPageVariables, dead.State = true, saml.Inactive
	on := saml.SSOPolicy{On: true}
	for _, c := range []struct {
		name     string
		policy   saml.SSOPolicy
		visit    saml.Visit
		standard *saml.LoginTrust
		want     saml.Way
		trust    *saml.LoginTrust
	}{
		{"no default trust", on, saml.Visit{Read: true}, nil, saml.ToLoginPage, nil},
		{"default trust", on, saml.Visit{Read: true}, &usable, saml.ToIdP, &usable},
		{"default trust, but switched off", saml.SSOPolicy{}, saml.Visit{Read: true}, &usable, saml.ToLoginPage, nil},
		{"default trust that is dead", on, saml.Visit{Read: true}, &dead, saml.ToLoginPage, nil},
		{"default trust, ?sso=off", on, saml.Visit{Read: true, SSOOff: true}, &usable, saml.ToLoginPage, nil},
		{"default trust, ?sso=off that is off", saml.SSOPolicy{On: true, NoBreakGlass: true}, saml.Visit{Read: true, SSOOff: true}, &usable, saml.ToIdP, &usable},
		{"default trust, just logged out", on, saml.Visit{Read: true, Paused: true}, &usable, saml.ToLoginPage, nil},
		{"default trust, a form", on, saml.Visit{}, &usable, saml.ToLoginPage, nil},
		{"a script", on, saml.Visit{Script: true, Read: true}, nil, saml.ToScript, nil},
		{"a script, default trust", on, saml.Visit{Script: true, Paused: true}, &usable, saml.ToScript, &usable},
		{"a script, dead trust", on, saml.Visit{Script: true}, &dead, saml.ToScript, nil},
		{"a session ended", on, saml.Visit{Read: true, Ended: &usable}, nil, saml.ToPopup, &usable},
		{"a session ended, variables are passed", on, saml.Visit{Read: true, Ended: &passing}, nil, saml.ToIdP, &passing},
		{"a session ended, variables are passed, in a form", on, saml.Visit{Ended: &passing}, nil, saml.ToPopup, &passing},
		{"a session ended as it began", on, saml.Visit{Read: true, Ended: &passing, Paused: true}, nil, saml.ToPopup, &passing},
		{"a session ended, for a script", on, saml.Visit{Read: true, Script: true, Ended: &passing}, nil, saml.ToScript, &passing},
		{"a session ended, of a dead trust", on, saml.Visit{Read: true, Ended: &dead}, nil, saml.ToLoginPage, nil},
		{"a session ended, of a dead trust, default trust", on, saml.Visit{Read: true, Ended: &dead}, &usable, saml.ToIdP, &usable},
		{"a session ended, not of the default trust", on, saml.Visit{Read: true, Ended: &usable}, &passing, saml.ToPopup, &usable},
		{"a session ended, switched off", saml.SSOPolicy{}, saml.Visit{Read: true, Ended: &usable}, nil, saml.ToLoginPage, nil},
		{"a session ended, ?sso=off", on, saml.Visit{Read: true, SSOOff: true, Ended: &usable}, nil, saml.ToLoginPage, nil},
	} {
		way, trust := c.policy.Route(c.visit, c.standard)
		assert.Equal(t, c.want, way, c.name)
		assert.Same(t, c.trust, trust, c.name)
	}
}

// A memoryDefault is a DefaultStore.
type memoryDefault struct {
	mu     sync.Mutex
	domain string
	fails  error
	before func() // called once, before a swap
}

func (m *memoryDefault) DefaultTrust(context.Context) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.domain, m.fails
}

func (m *memoryDefault) SwapDefaultTrust(_ context.Context, old, new string) (bool, error) {
	if before := m.before; before != nil {
		m.before = nil
		before()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.domain != old || m.fails != nil {
		return false, m.fails
	}
	m.domain = new
	return true, nil
}

// req: LT-10 LT-11 LT-12
func TestCanBeDefault(t *testing.T) {
	t.Parallel()
	tried := saml.DefaultFacts{Succeeded: true, BreakGlass: true}
	for _, c := range []struct {
		name   string
		facts  saml.DefaultFacts
		change func(*saml.LoginTrust)
		want   error
	}{
		{"tried", tried, nil, nil},
		{"not tried", saml.DefaultFacts{BreakGlass: true}, nil, saml.ErrNotTried},
		{"not tried, confirmed", saml.DefaultFacts{BreakGlass: true, Confirmed: true}, nil, nil},
		{"nobody else gets in", saml.DefaultFacts{Succeeded: true, Confirmed: true}, nil, saml.ErrNoBreakGlass},
		{"provisional", tried, func(t *saml.LoginTrust) { t.State = saml.Provisional }, saml.TrustProvisional},
		{"inactive", tried, func(t *saml.LoginTrust) { t.State = saml.Inactive }, saml.TrustInactive},
		{"no method", tried, func(t *saml.LoginTrust) { t.SAML = false }, saml.MethodNotAllowed},
		{"no key", tried, func(t *saml.LoginTrust) { t.Keys = nil }, saml.NoKeyOnFile},
		{"no URL", tried, func(t *saml.LoginTrust) { t.LoginURL, t.LoginPostURL = "", "" }, saml.ErrNoLoginURL},
		{"no URL for an identity provider that begins", tried, func(t *saml.LoginTrust) { t.LoginURL, t.Initiation = "", saml.InitiatedByIdP }, saml.ErrNoLoginURL},
	} {
		trust := samltest.NewIdP(t).Trust()
		if c.change != nil {
			c.change(&trust)
		}
		if c.want == nil {
			assert.NoError(t, trust.CanBeDefault(c.facts), c.name)
			continue
		}
		assert.ErrorIs(t, trust.CanBeDefault(c.facts), c.want, c.name)
	}
}

// req: LT-11 LT-12
func TestMakeDefault(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	tried := saml.DefaultFacts{Succeeded: true, BreakGlass: true}
	one, two := samltest.NewIdP(t).Trust(), samltest.NewIdP(t).Trust()
	one.Domain, two.Domain = "one", "two"
	setting := func() (*saml.MemoryTrusts, *memoryDefault) { return saml.NewMemoryTrusts(one, two), &memoryDefault{} }
	current := func(trusts saml.TrustStore, d *memoryDefault) string {
		trust, err := saml.DefaultTrust(ctx, trusts, d)
		require.NoError(t, err)
		if trust == nil {
			return ""
		}
		return trust.Domain
	}

	trusts, d := setting()
	assert.Empty(t, current(trusts, d))
	require.NoError(t, saml.MakeDefault(ctx, trusts, d, "one", tried))
	assert.Equal(t, "one", current(trusts, d))
	require.NoError(t, saml.MakeDefault(ctx, trusts, d, "one", tried))
	require.NoError(t, saml.MakeDefault(ctx, trusts, d, "two", tried))
	assert.Equal(t, "two", current(trusts, d))
	require.ErrorIs(t, saml.MakeDefault(ctx, trusts, d, "one", saml.DefaultFacts{BreakGlass: true}), saml.ErrNotTried)
	require.ErrorIs(t, saml.MakeDefault(ctx, trusts, d, "three", tried), saml.UnknownDomain)
	require.ErrorIs(t, saml.MakeDefault(ctx, trusts, d, "", tried), saml.UnknownDomain)
	assert.Equal(t, "two", current(trusts, d), "what fails changes nothing")
	require.NoError(t, saml.ClearDefault(ctx, d, "one"))
	require.NoError(t, saml.ClearDefault(ctx, d, ""))
	assert.Equal(t, "two", current(trusts, d), "another trust is not the default")
	require.NoError(t, saml.ClearDefault(ctx, d, "two"))
	assert.Empty(t, current(trusts, d))

	// Whoever forgets to clear it locks nobody out.
	require.NoError(t, saml.MakeDefault(ctx, trusts, d, "one", tried))
	off := one
	off.State = saml.Inactive
	trusts.Set(off)
	assert.Empty(t, current(trusts, d))
	trusts.Remove("one")
	assert.Empty(t, current(trusts, d))

	// Switched off between the look and the swap.
	trusts, d = setting()
	d.before = func() { trusts.Set(off) }
	require.ErrorIs(t, saml.MakeDefault(ctx, trusts, d, "one", tried), saml.TrustInactive)
	assert.Empty(t, d.domain)

	// Somebody else was faster.
	trusts, d = setting()
	d.before = func() { assert.NoError(t, saml.MakeDefault(ctx, trusts, d, "two", tried)) }
	require.ErrorIs(t, saml.MakeDefault(ctx, trusts, d, "one", tried), saml.ErrDefaultChanged)
	assert.Equal(t, "two", d.domain)

	// Both at once.
	trusts, d = setting()
	var group sync.WaitGroup
	for range 50 {
		for _, domain := range []string{"one", "two"} {
			group.Go(func() {
				if err := saml.MakeDefault(ctx, trusts, d, domain, tried); err != nil {
					assert.ErrorIs(t, err, saml.ErrDefaultChanged)
				}
			})
		}
	}
	group.Wait()
	assert.Contains(t, []string{"one", "two"}, d.domain)

	d.fails = errors.New("broken")
	require.ErrorIs(t, saml.MakeDefault(ctx, trusts, d, "one", tried), d.fails)
	require.ErrorIs(t, saml.ClearDefault(ctx, d, "one"), d.fails)
	_, err := saml.DefaultTrust(ctx, trusts, d)
	require.ErrorIs(t, err, d.fails)
}

// req: LT-36 LT-39
func TestAfterLogout(t *testing.T) {
	t.Parallel()
	trust := saml.LoginTrust{LoginURL: "https://idp.example.com/in"}
	place, closes := trust.AfterLogout()
	assert.Equal(t, "https://idp.example.com/in", place)
	assert.False(t, closes)
	trust.LogoutURL, trust.CloseOnLogout = "https://idp.example.com/out", true
	place, closes = trust.AfterLogout()
	assert.Equal(t, "https://idp.example.com/out", place)
	assert.True(t, closes)
}
