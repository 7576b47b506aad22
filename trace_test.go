package saml_test

import (
	"bytes"
	"context"
	"crypto/ecdh"
	"crypto/fips140"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml"
	"github.com/logintrust/saml/internal/replay"
	"github.com/logintrust/saml/samltest"
)

// refusedHere makes a login that is refused, and returns the refusal.
func refusedHere(t *testing.T, w *world, change ...func(*samltest.Answer)) *saml.Error {
	t.Helper()
	_, err := w.login(change...)
	var e *saml.Error
	require.ErrorAs(t, err, &e)
	return e
}

// A refusal reports how it came about, with how it really ended, though the stores have changed since.
func TestRefusalReport(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	w := newWorld(t)
	report := refusedHere(t, w, func(a *samltest.Answer) { a.Assertion().Conditions.Audiences[0][0] += "/" }).Report(ctx)
	assert.Equal(t, saml.WrongAudience, report.Reason)
	assert.Contains(t, report.Failures()[0].Note, "slash")
	assert.Equal(t, saml.NotReached, checkOf(t, report, "request").Outcome, "a login ends at the first check that fails")

	started, request := w.start(saml.StartOptions{})
	answer := w.idp.Answer(request)
	login, err := w.post(answer, started.BrowserKey)
	accepted(t, login, err)
	_, err = w.post(answer, started.BrowserKey)
	var e *saml.Error
	require.ErrorAs(t, err, &e)
	report = e.Report(ctx)
	assert.Equal(t, saml.Replayed, report.Reason)
	assert.Equal(t, []string{"request"}, checkNames(report.Failures()), "where Explain says it")
	assert.Equal(t, saml.NotReached, checkOf(t, report, "local user").Outcome)

	// The user whom the directory lacks: by then the answer is spent, and the report knows it all the same.
	w = newWorld(t, func(t *saml.LoginTrust, c *saml.Config) { c.Users, t.Organization = saml.NewMemoryUsers(), "o" })
	report = refusedHere(t, w).Report(ctx)
	assert.Equal(t, saml.InvalidUser, report.Reason)
	assert.Equal(t, []string{"local user"}, checkNames(report.Failures()))
	assert.Equal(t, saml.Passed, checkOf(t, report, "first use").Outcome)
	assert.False(t, report.Accepted)
}

func checkNames(checks []saml.Check) (list []string) {
	for _, c := range checks {
		list = append(list, c.Name)
	}
	return list
}

// What was no login by POST has a report too, which says what the error does.
func TestBareReport(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	trust := w.trust()
	trust.State = saml.Inactive
	_, err := w.sp.Request(context.Background(), trust, saml.StartOptions{})
	var e *saml.Error
	require.ErrorAs(t, err, &e)
	report := e.Report(context.Background())
	assert.Equal(t, saml.TrustInactive, report.Reason)
	assert.NotEmpty(t, report.Failures()[0].Remedy)
	_, err = e.UnsealedCase(context.Background())
	assert.ErrorIs(t, err, saml.ErrNoCase)
}

// A refusal that follows from message, trust and clock is the same wherever it is replayed.
func TestCaseIsReplayed(t *testing.T) {
	t.Parallel()
	stranger, err := samltest.New(samltest.Options{EntityID: "https://stranger.example.com/metadata"})
	require.NoError(t, err)
	for name, c := range map[string]struct {
		change func(*samltest.Answer)
		trust  func(*saml.LoginTrust, *saml.Config)
	}{
		"another key": {change: func(a *samltest.Answer) { a.Seal = stranger.Seal() }},
		"changed":     {change: func(a *samltest.Answer) { a.Bytes = replaceBytes("alice", "mallory") }},
		"audience":    {change: func(a *samltest.Answer) { a.Assertion().Conditions.Audiences[0][0] += "/" }},
		"expired":     {change: func(a *samltest.Answer) { moveTimes(a, -time.Hour) }},
		"no skew":     {change: func(a *samltest.Answer) { a.IssueInstant = at(time.Second) }, trust: func(_ *saml.LoginTrust, c *saml.Config) { c.ClockSkew = -1 }},
		"refused":     {change: refusing(samltest.Status{Code: samltest.Responder})},
		"attribute":   {trust: func(t *saml.LoginTrust, _ *saml.Config) { t.RequiredAttributes = []string{"badge"} }},
		"clear":       {trust: func(t *saml.LoginTrust, _ *saml.Config) { t.RequireEncryption = true }},
		"unsolicited": {change: func(a *samltest.Answer) {
			a.InResponseTo = ""
			a.Assertion().Subject.Confirmations[0].InResponseTo = ""
		}},
		"unknown": {change: func(a *samltest.Answer) {
			a.InResponseTo = "_x"
			a.Assertion().Subject.Confirmations[0].InResponseTo = "_x"
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			change, edit := c.trust, c.change
			if change == nil {
				change = func(*saml.LoginTrust, *saml.Config) {}
			}
			if edit == nil {
				edit = func(*samltest.Answer) {}
			}
			w := newWorld(t, change)
			e := refusedHere(t, w, edit)
			line, err := e.UnsealedCase(context.Background())
			require.NoError(t, err)
			assert.Equal(t, 1, bytes.Count(line, []byte("\n")))
			answer := replay.Judge(line)
			assert.Equal(t, replay.Reject, answer.Verdict, answer.Detail)
			assert.Equal(t, string(e.Reason), answer.Reason, answer.Detail)
			assert.Empty(t, answer.Differences(line))
			report, err := replay.Explain(line, "", saml.ExplainOptions{})
			require.NoError(t, err)
			assert.Equal(t, e.Reason, report.Reason)
		})
	}
}

// A case says when its request was made, by which a clock that is behind is told from an old page.
func TestCaseKnowsItsRequest(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	e := refusedHere(t, newWorld(t), func(a *samltest.Answer) { moveTimes(a, -2*time.Hour) })
	line, err := e.UnsealedCase(ctx)
	require.NoError(t, err)
	const clock = "the identity provider's clock is at least that far behind ours"
	assert.Contains(t, e.Report(ctx).String(), clock)
	report, err := replay.Explain(line, "", saml.ExplainOptions{})
	require.NoError(t, err)
	assert.Contains(t, report.String(), clock)

	var fields map[string]any
	require.NoError(t, json.Unmarshal(line, &fields))
	assert.Equal(t, now.Format(time.RFC3339Nano), fields["requestedAt"])
	delete(fields, "requestedAt")
	without, err := json.Marshal(fields)
	require.NoError(t, err)
	report, err = replay.Explain(without, "", saml.ExplainOptions{})
	require.NoError(t, err)
	assert.NotContains(t, report.String(), clock)
	assert.Contains(t, report.String(), "most likely an old page was sent again")

	fields["requestedAt"] = "yesterday"
	wrong, err := json.Marshal(fields)
	require.NoError(t, err)
	_, err = replay.Explain(wrong, "", saml.ExplainOptions{})
	require.ErrorContains(t, err, `"requestedAt" "yesterday" is not a time as RFC 3339 has it`)

	e = refusedHere(t, newWorld(t), func(a *samltest.Answer) {
		a.InResponseTo = "_x"
		a.Assertion().Subject.Confirmations[0].InResponseTo = "_x"
	})
	line, err = e.UnsealedCase(ctx)
	require.NoError(t, err)
	assert.NotContains(t, string(line), "requestedAt", "nothing waits")
}

// A case of a message that claims to answer what is no ID is judged all the same; one whose refusal came from the directory, or
// from what the host admits, expects nothing.
func TestCaseExpectsWhatItHolds(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	e := refusedHere(t, newWorld(t), func(a *samltest.Answer) { a.InResponseTo, a.Assertion().Conditions.Audiences[0][0] = "a <b>", "x" })
	line, err := e.UnsealedCase(ctx)
	require.NoError(t, err)
	assert.Equal(t, replay.Reject, replay.Judge(line).Verdict, replay.Judge(line).Detail)

	for name, change := range map[string]func(*saml.LoginTrust, *saml.Config){
		"an attribute for the directory": func(t *saml.LoginTrust, c *saml.Config) {
			c.Users, t.Organization, t.Attributes.Username = saml.NewMemoryUsers(), "o", "badge"
		},
		"algorithms of the host": func(_ *saml.LoginTrust, c *saml.Config) {
			c.SignatureAlgorithms = []string{"http://www.w3.org/2001/04/xmldsig-more#rsa-sha512"}
		},
	} {
		e := refusedHere(t, newWorld(t, change))
		line, err := e.UnsealedCase(ctx)
		require.NoError(t, err)
		assert.NotContains(t, string(line), `"expect"`, "%s: %v", name, e)
		assert.Equal(t, replay.Accept, replay.Judge(line).Verdict, name)
	}
}

// What only the application's state refuses is described, and expects nothing of a replay.
func TestCaseOfAState(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(t *saml.LoginTrust, c *saml.Config) { c.Users, t.Organization = saml.NewMemoryUsers(), "o" })
	line, err := refusedHere(t, w).UnsealedCase(context.Background())
	require.NoError(t, err)
	var c map[string]any
	require.NoError(t, json.Unmarshal(line, &c))
	assert.NotContains(t, c, "expect")
	assert.Equal(t, "invalid_user", c["reason"])
	assert.Contains(t, c["description"], "does not hold")
	assert.Equal(t, replay.Accept, replay.Judge(line).Verdict)
}

// A sealed case is read by the holder of its key alone, and not changed by anybody.
func TestSealedCase(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	w := newWorld(t)
	e := refusedHere(t, w, func(a *samltest.Answer) { a.Assertion().Conditions.Audiences[0][0] += "/" })
	plain, err := e.UnsealedCase(ctx)
	require.NoError(t, err)
	curves := []ecdh.Curve{ecdh.P256(), ecdh.P384(), ecdh.P521()}
	if !fips140.Enforced() {
		curves = append(curves, ecdh.X25519())
	}
	for _, curve := range curves {
		key, err := curve.GenerateKey(rand.Reader)
		require.NoError(t, err)
		sealed, err := e.SealedCase(ctx, key.PublicKey())
		require.NoError(t, err)
		assert.True(t, saml.IsSealedCase(sealed))
		assert.False(t, saml.IsSealedCase(plain))
		opened, err := saml.OpenCase(sealed, key)
		require.NoError(t, err)
		assert.Equal(t, string(plain), string(opened))

		other, err := curve.GenerateKey(rand.Reader)
		require.NoError(t, err)
		_, err = saml.OpenCase(sealed, other)
		assert.ErrorContains(t, err, "for another key")
		_, err = saml.OpenCase(sealed, nil)
		assert.Error(t, err)
		_, err = saml.OpenCase(plain, key)
		assert.ErrorContains(t, err, "not a sealed case")
		var fields map[string]any
		require.NoError(t, json.Unmarshal(sealed, &fields))
		changed := []byte(fields["case"].(string))
		changed[200] ^= 1
		fields["case"] = string(changed)
		line, err := json.Marshal(fields)
		require.NoError(t, err)
		_, err = saml.OpenCase(line, key)
		assert.Error(t, err)
	}
	_, err = e.SealedCase(ctx, nil)
	assert.Error(t, err)
}

// The hook for refusals has the reference of the page, the reason, the report and, if it wants, the case.
//
// req: SE-SIGNAL
func TestOnRefusalReports(t *testing.T) {
	t.Parallel()
	var report atomic.Pointer[saml.Report]
	var line atomic.Pointer[[]byte]
	w := newWorld(t, func(_ *saml.LoginTrust, c *saml.Config) {
		c.OnRefusal = func(ctx context.Context, _ *http.Request, _ string, err *saml.Error) {
			report.Store(err.Report(ctx))
			if text, err := err.UnsealedCase(ctx); err == nil {
				line.Store(&text)
			}
		}
	})
	s := &site{world: w, handler: w.sp.Handler(func(http.ResponseWriter, *http.Request, *saml.Login) {})}
	b := s.browser()
	answer := w.idp.Answer(b.start(""))
	answer.Assertion().Conditions.Audiences[0][0] += "/"
	b.post(answer)
	require.NotNil(t, report.Load())
	assert.Equal(t, saml.WrongAudience, report.Load().Reason)
	require.NotNil(t, line.Load())
	assert.Equal(t, "wrong_audience", replay.Judge(*line.Load()).Reason)
}
