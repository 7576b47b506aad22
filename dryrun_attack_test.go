package saml_test

import (
	"context"
	"net/http"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml"
)

// A store that fails spoils no test: the answer is not lost, and comes again.
func TestDryRunWithABrokenStore(t *testing.T) {
	t.Parallel()
	for name, breakIt := range map[string]func(*brokenState){
		"add":  func(b *brokenState) { b.add = errBroken },
		"get":  func(b *brokenState) { b.get = errBroken },
		"take": func(b *brokenState) { b.take = errBroken },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			state := &brokenState{MemoryState: saml.NewMemoryState()}
			l := newLaboratory(t, func(_ *saml.LoginTrust, c *saml.Config) { c.State = state })
			id, request, b := l.begin(saml.ExplainOptions{})
			breakIt(state)
			answer := l.idp.Answer(request)
			response, _ := b.post(answer)
			if name == "take" { // the test outlives its report, which goes before it
				assert.Equal(t, http.StatusSeeOther, response.StatusCode)
			} else {
				assert.Equal(t, http.StatusServiceUnavailable, response.StatusCode)
			}
			state.add, state.get, state.take = nil, nil, nil
			response, _ = b.post(answer)
			assert.Equal(t, http.StatusSeeOther, response.StatusCode)
			assert.True(t, l.result(id).Accepted)
			assert.Zero(t, l.logins.Load())
		})
	}
	state := &brokenState{MemoryState: saml.NewMemoryState()}
	l := newLaboratory(t, func(_ *saml.LoginTrust, c *saml.Config) { c.State = state })
	id, _, _ := l.begin(saml.ExplainOptions{})
	state.get = errBroken
	_, _, err := l.sp.TestResult(context.Background(), id)
	require.ErrorIs(t, err, saml.StoreFailed)
}

// Of answers that are submitted all at once every one is led to the report.
func TestDryRunSubmittedAtOnce(t *testing.T) {
	t.Parallel()
	l := newLaboratory(t)
	ctx := context.Background()
	started, err := l.sp.RequestTest(ctx, l.trust, saml.StartOptions{ReturnTo: "/result"}, saml.ExplainOptions{})
	require.NoError(t, err)
	posted := saml.Posted{SAMLResponse: l.idp.Answer(mustRequest(t, started.URL)).Encode(), BrowserKey: started.BrowserKey}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			place, found, err := l.sp.FinishTest(ctx, posted)
			assert.NoError(t, err)
			assert.True(t, found)
			assert.Equal(t, "/result", place)
		})
	}
	all.Wait()
	assert.True(t, l.result(started.RequestID).Accepted)
}

// Two tests in one browser end each in its own report, and neither answers for the other.
func TestTwoDryRuns(t *testing.T) {
	t.Parallel()
	l := newLaboratory(t)
	ctx := context.Background()
	first, err := l.sp.RequestTest(ctx, l.trust, saml.StartOptions{}, saml.ExplainOptions{})
	require.NoError(t, err)
	second, err := l.sp.RequestTest(ctx, l.trust, saml.StartOptions{BrowserKey: first.BrowserKey}, saml.ExplainOptions{})
	require.NoError(t, err)
	mixed := l.idp.Answer(mustRequest(t, first.URL))
	mixed.InResponseTo = second.RequestID
	_, found, err := l.sp.FinishTest(ctx, saml.Posted{SAMLResponse: mixed.Encode(), BrowserKey: first.BrowserKey})
	require.NoError(t, err)
	assert.True(t, found)
	assert.Equal(t, saml.WrongInResponseTo, l.result(second.RequestID).Reason)
	assert.Equal(t, saml.NoAnswer, l.result(first.RequestID).Reason)
	for _, id := range []string{"", first.RequestID[:len(first.RequestID)-1], "_test-", first.BrowserKey} {
		_, found, err := l.sp.TestResult(ctx, id)
		require.NoError(t, err)
		assert.False(t, found, id)
	}
}

// A saved trust of the same Domain is not asked: its keys and options are those of yesterday.
func TestDryRunBesideASavedTrust(t *testing.T) {
	t.Parallel()
	l := newLaboratory(t)
	saved := l.trust
	saved.State, saved.Keys, saved.RequiredAttributes = saml.Active, nil, []string{"badge"}
	l.trusts.Set(saved)
	id, request, b := l.begin(saml.ExplainOptions{})
	response, _ := b.post(l.idp.Answer(request))
	assert.Equal(t, http.StatusSeeOther, response.StatusCode)
	assert.True(t, l.result(id).Accepted, l.result(id))
	assert.Zero(t, l.logins.Load())
}

// A trust of several issuers is tested with each of them, and with no other.
func TestDryRunOfResolvedIssuers(t *testing.T) {
	t.Parallel()
	for issuer, reason := range map[string]saml.Reason{tenants: "", tenantA: "", stranger: saml.UnknownDomain} {
		l := newLaboratory(t, func(trust *saml.LoginTrust, c *saml.Config) {
			c.ResolveIssuer = func(_ context.Context, issuer string) (string, bool, error) { return admitted(issuer) }
		})
		l.trust.Domain = tenants
		id, request, b := l.begin(saml.ExplainOptions{})
		answer := l.idp.Answer(request)
		of(issuer)(answer)
		b.post(answer)
		assert.Equal(t, reason, l.result(id).Reason, l.result(id))
	}
}
