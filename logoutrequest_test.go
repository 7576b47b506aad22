package saml_test

import (
	"context"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml"
	"github.com/logintrust/saml/samltest"
)

// received is a request of ours as the identity provider gets it, its signature checked.
func (l *leaving) received(started *saml.Started) samltest.ReceivedLogout {
	l.t.Helper()
	if started.URL != "" {
		got, err := samltest.ParseLogoutURL(started.URL)
		require.NoError(l.t, err)
		assert.NotContains(l.t, string(got.XML), "Signature")
		l.verifyQuery(got)
		return got
	}
	form := url.Values{}
	for name, value := range started.Fields {
		form.Set(name, value)
	}
	got, err := samltest.ParseLogoutForm(form)
	require.NoError(l.t, err)
	verifyOwn(l.t, got.XML, l.key.Public())
	return got
}

// ask begins a logout.
func (l *leaving) ask(session saml.LoginSession, opts saml.LogoutOptions) (*saml.Started, samltest.ReceivedLogout) {
	l.t.Helper()
	started, err := l.sp.LogoutRequest(context.Background(), session, opts)
	require.NoError(l.t, err)
	return started, l.received(started)
}

// req: IIP-SP14 IIP-SP15 PROF-4.4.3.1-sign E38 SDP-SP29 SDP-SP30 SL-NOOA E10 BIND-3.4.5.2/3.5.5.2-send AS-INDEX AN-PRESERVE CORE-1.3.4 ASLO-2.3
func TestStartLogoutRequest(t *testing.T) {
	t.Parallel()
	name := &samltest.NameID{Value: "a&<b>é", Format: samltest.FormatPersistent, NameQualifier: "https://idp.example.com/metadata",
		SPNameQualifier: "https://sp.example.com/sso/metadata", SPProvidedID: "p"}
	for _, c := range []struct {
		binding saml.Binding
		trust   func(*saml.LoginTrust)
		post    bool
	}{
		{saml.AnyBinding, func(*saml.LoginTrust) {}, false},
		{saml.RedirectBinding, func(*saml.LoginTrust) {}, false},
		{saml.POSTBinding, func(*saml.LoginTrust) {}, true},
		{saml.AnyBinding, func(t *saml.LoginTrust) { t.SLOURL = "" }, true},
		{saml.AnyBinding, func(t *saml.LoginTrust) { t.SLOPostURL = "" }, false},
		{saml.AnyBinding, func(t *saml.LoginTrust) {
			t.SLOURL, t.SLOResponseURL = "https://idp.example.com/slo?a=1", "https://idp.example.com/r"
		}, false},
	} {
		l := newLeaving(t)
		l.setTrust(c.trust)
		session := l.signIn("s1", func(a *samltest.Answer) { a.Assertion().Subject.NameID = name })
		started, got := l.ask(session, saml.LogoutOptions{Binding: c.binding, Reason: saml.LogoutByUser})
		assert.Equal(t, c.post, started.URL == "")
		assert.Equal(t, *name, got.NameID)
		assert.Equal(t, []string{"s1"}, got.SessionIndexes)
		assert.Equal(t, saml.LogoutByUser, got.Reason)
		assert.Equal(t, at(5*time.Minute), strings.Replace(got.NotOnOrAfter, ".000Z", "Z", 1))
		assert.False(t, got.Asynchronous)
		assert.Equal(t, started.RequestID, got.ID)
		assert.Regexp(t, `^_[0-9a-f]{40}$`, got.ID)
		assert.Equal(t, started.RelayState, got.RelayState)
		assert.LessOrEqual(t, len(got.RelayState), 80)
		assert.NotContains(t, string(got.XML), "EncryptedID")
		place := l.trust().SLOURL
		if c.post {
			place = l.trust().SLOPostURL
			assert.Equal(t, place, started.Action)
		} else {
			assert.True(t, strings.HasPrefix(started.URL, place), started.URL)
		}
		assert.Equal(t, place, got.Destination, "never the place for answers")
	}
}

// A signature in a query has no digest of its own, so the two sides need none in common; one inside of the message does.
func TestLogoutRequestDigest(t *testing.T) {
	t.Parallel()
	l := newLeaving(t)
	l.setTrust(func(t *saml.LoginTrust) { t.DigestMethods = []string{"urn:unknown"} })
	session := l.signIn("s1")
	l.ask(session, saml.LogoutOptions{Binding: saml.RedirectBinding})
	_, err := l.sp.LogoutRequest(t.Context(), session, saml.LogoutOptions{Binding: saml.POSTBinding})
	require.ErrorIs(t, err, saml.ErrNoAlgorithm)
}

// Two sessions with two identity providers are two requests.
//
// req: PROF-4.4.3.1-multi
func TestTwoLogouts(t *testing.T) {
	t.Parallel()
	l := newLeaving(t)
	first := l.signIn("s1")
	one := l.idp
	l.idp = otherIdP(t)
	l.trusts.Set(l.idp.Trust())
	second := l.signIn("s1")
	a, gotA := l.ask(first, saml.LogoutOptions{})
	b, gotB := l.ask(second, saml.LogoutOptions{BrowserKey: a.BrowserKey})
	assert.Equal(t, a.BrowserKey, b.BrowserKey)
	assert.NotEqual(t, gotA.ID, gotB.ID)
	for _, c := range []struct {
		idp *samltest.IdP
		got samltest.ReceivedLogout
	}{{l.idp, gotB}, {one, gotA}} {
		m := carriers["redirect"](c.idp.LogoutResponse(c.got, sloURL))
		m.BrowserKey = a.BrowserKey
		result, err := l.sp.CompleteLogout(t.Context(), m)
		require.NoError(t, err)
		assert.Equal(t, c.idp.EntityID, result.Domain)
	}
}

// Where there is nobody to ask, the logout here is all there is.
//
// req: SL-LOCAL
func TestNoSingleLogout(t *testing.T) {
	t.Parallel()
	l := newLeaving(t)
	session := l.signIn("s1")
	for name, change := range map[string]func(*saml.LoginTrust, *saml.LoginSession){
		"no endpoint": func(t *saml.LoginTrust, _ *saml.LoginSession) { t.SLOURL, t.SLOPostURL = "", "" },
		"no name":     func(_ *saml.LoginTrust, s *saml.LoginSession) { s.NameID = saml.NameID{} },
		"unknown":     func(_ *saml.LoginTrust, s *saml.LoginSession) { s.Domain = "https://gone.example.com" },
		"inactive":    func(t *saml.LoginTrust, _ *saml.LoginSession) { t.State = saml.Inactive },
	} {
		trust, session := l.trust(), session
		change(&trust, &session)
		l.trusts.Set(trust)
		started, err := l.sp.LogoutRequest(t.Context(), session, saml.LogoutOptions{})
		require.ErrorIs(t, err, saml.ErrNoSingleLogout, name)
		assert.Nil(t, started)
		l.trusts.Set(l.idp.Trust())
	}
	_, err := newWorld(t).sp.LogoutRequest(t.Context(), session, saml.LogoutOptions{})
	require.ErrorIs(t, err, saml.ErrNoSingleLogout)
	l.setTrust(func(t *saml.LoginTrust) { t.SLOPostURL = "" })
	_, err = l.sp.LogoutRequest(t.Context(), session, saml.LogoutOptions{Binding: saml.POSTBinding})
	require.ErrorIs(t, err, saml.ErrNoSingleLogout)
	for _, reason := range []string{"bye", "", "a b:c", "urn:x\n"} {
		_, err = l.sp.LogoutRequest(t.Context(), session, saml.LogoutOptions{Reason: reason})
		if reason == "" {
			require.NoError(t, err)
			continue
		}
		require.ErrorContains(t, err, "not a URI", "req: E10")
	}
	_, err = l.sp.LogoutRequest(t.Context(), session, saml.LogoutOptions{RequestID: `"`})
	require.ErrorContains(t, err, "is no ID")
	l.setTrust(func(t *saml.LoginTrust) { t.SLOURL = "javascript:alert(1)" })
	_, err = l.sp.LogoutRequest(t.Context(), session, saml.LogoutOptions{})
	require.Error(t, err, "a trust that was not checked")
}

// req: SL-RESP SL-PARTIAL BIND-3.4.5.2-recv E7-binding
func TestLogoutResponse(t *testing.T) {
	t.Parallel()
	status := func(s samltest.Status) func(*samltest.LogoutMessage) {
		return func(m *samltest.LogoutMessage) { m.Status = &s }
	}
	for _, c := range []struct {
		name    string
		edit    func(*samltest.LogoutMessage)
		reason  saml.Reason
		outcome saml.LogoutOutcome
	}{
		{"success", func(*samltest.LogoutMessage) {}, "", saml.LogoutComplete},
		{"small hexadecimal", func(m *samltest.LogoutMessage) { m.LowerHex = true }, "", saml.LogoutComplete},
		{"no relay state", func(m *samltest.LogoutMessage) { m.RelayState = "" }, "", saml.LogoutComplete},
		{"partial", status(samltest.Status{Code: samltest.Success, Second: samltest.PartialLogout}), "", saml.LogoutPartial},
		{"partial, as a failure", status(samltest.Status{Code: samltest.Responder, Second: samltest.PartialLogout}), "", saml.LogoutPartial},
		{"responder", status(samltest.Status{Code: samltest.Responder, Message: "alice"}), "", saml.LogoutFailed},
		{"requester", status(samltest.Status{Code: samltest.Requester}), "", saml.LogoutFailed},
		{"success inside a failure", status(samltest.Status{Code: samltest.Responder, Second: samltest.Success}), "", saml.LogoutFailed},
		{"an unknown code", status(samltest.Status{Code: "urn:x"}), "", saml.LogoutFailed},
		{"no status", func(m *samltest.LogoutMessage) { m.Status = nil }, "", saml.LogoutFailed},
		{"old", func(m *samltest.LogoutMessage) { m.IssueInstant = at(-time.Hour) }, "", saml.LogoutComplete},
		{"unsigned", func(m *samltest.LogoutMessage) { m.Unsigned = true }, saml.Unsigned, 0},
		{"changed", func(m *samltest.LogoutMessage) {
			m.Query = func(q string) string { return strings.Replace(q, "RelayState=", "RelayState=x", 1) }
			m.Bytes = replaceBytes("Success", "Requester")
		}, saml.BadSignature, 0},
		{"of another", func(m *samltest.LogoutMessage) {
			m.Seal, m.Issuer.Value = otherIdP(t).Seal(), "https://other.example.com"
		}, saml.UnknownRequest, 0},
		{"signed by another", func(m *samltest.LogoutMessage) { m.Seal = otherIdP(t).Seal() }, saml.BadSignature, 0},
		{"no Issuer", func(m *samltest.LogoutMessage) { m.Issuer = nil }, saml.WrongIssuer, 0},
		{"Destination", func(m *samltest.LogoutMessage) { m.Destination = "https://sp.example.com/sso/acs" }, saml.WrongDestination, 0},
		{"no Destination", func(m *samltest.LogoutMessage) { m.Destination = "" }, saml.WrongDestination, 0},
		{"to nothing", func(m *samltest.LogoutMessage) { m.InResponseTo = "" }, saml.UnknownRequest, 0},
		{"to another request", func(m *samltest.LogoutMessage) { m.InResponseTo = "_x" }, saml.UnknownRequest, 0},
		{"Version", func(m *samltest.LogoutMessage) { m.Version = "2.1" }, saml.WrongVersion, 0},
		{"early", func(m *samltest.LogoutMessage) { m.IssueInstant = at(skew + time.Second) }, saml.NotYetValid, 0},
		{"SHA-1", func(m *samltest.LogoutMessage) { m.Seal.Method, m.Seal.Digest = samltest.RSASHA1, samltest.SHA1 }, saml.WeakAlgorithm, 0},
	} {
		for carrier, carry := range carriers {
			t.Run(c.name+", "+carrier, func(t *testing.T) {
				t.Parallel()
				l := newLeaving(t)
				l.trusts.Set(otherIdP(t).Trust())
				started, got := l.ask(l.signIn("s1"), saml.LogoutOptions{ReturnTo: "/bye"})
				m := l.idp.LogoutResponse(got, sloURL)
				c.edit(m)
				if c.name == "changed" && carrier == "redirect" { // by Query
					m.Bytes = nil
				}
				message := carry(m)
				message.BrowserKey = started.BrowserKey
				result, err := l.sp.CompleteLogout(t.Context(), message)
				if c.reason == "" {
					require.NoError(t, err)
					assert.Equal(t, c.outcome, result.Outcome)
					assert.Equal(t, "/bye", result.ReturnTo)
					assert.Equal(t, started.RequestID, result.RequestID)
					assert.Equal(t, l.idp.EntityID, result.Domain)
					result, err = l.sp.CompleteLogout(t.Context(), message)
					assert.Nil(t, result)
					leftWith(t, saml.UnknownRequest, err) // a second time
					return
				}
				assert.Nil(t, result)
				e := leftWith(t, c.reason, err)
				assert.NotContains(t, e.Error(), "alice")
				// What was refused has used up nothing.
				good := carry(l.idp.LogoutResponse(got, sloURL))
				good.BrowserKey = started.BrowserKey
				result, err = l.sp.CompleteLogout(t.Context(), good)
				require.NoError(t, err)
				assert.Equal(t, saml.LogoutComplete, result.Outcome)
			})
		}
	}
}

// The answer belongs to the browser that asked, and to one that asked within the hour.
func TestLogoutResponseBrowser(t *testing.T) {
	t.Parallel()
	state := &brokenState{MemoryState: saml.NewMemoryState()}
	l := newLeaving(t, func(_ *saml.LoginTrust, c *saml.Config) { c.State = state })
	session := l.signIn("s1")
	started, got := l.ask(session, saml.LogoutOptions{})
	other, _ := l.ask(session, saml.LogoutOptions{})
	for _, key := range []string{"", "x", other.BrowserKey} {
		m := carriers["redirect"](l.idp.LogoutResponse(got, sloURL))
		m.BrowserKey = key
		_, err := l.sp.CompleteLogout(t.Context(), m)
		leftWith(t, saml.BrowserMismatch, err)
	}
	m := carriers["redirect"](l.idp.LogoutResponse(got, sloURL))
	m.BrowserKey = started.BrowserKey
	state.takeOnce = errBroken
	_, err := l.sp.CompleteLogout(t.Context(), m)
	leftWith(t, saml.StoreFailed, err)
	result, err := l.sp.CompleteLogout(t.Context(), m)
	require.NoError(t, err)
	assert.Equal(t, "/", result.ReturnTo)
	// A login's answer is no logout's, nor the other way round.
	login, request := l.start(saml.StartOptions{})
	got.ID = request.ID
	m = carriers["post"](l.idp.LogoutResponse(got, sloURL))
	m.BrowserKey = login.BrowserKey
	_, err = l.sp.CompleteLogout(t.Context(), m)
	leftWith(t, saml.UnknownRequest, err)
	_, err = l.sp.CompleteLogout(t.Context(), carriers["post"](l.idp.LogoutRequest(session, sloURL)))
	leftWith(t, saml.BadRequest, err)
	_, err = l.sp.AnswerLogout(t.Context(), m)
	leftWith(t, saml.BadRequest, err)
	for _, broken := range []func(){func() { state.add = errBroken }, func() { state.get = errBroken }} {
		state.add, state.get = nil, nil
		broken()
		started, err := l.sp.LogoutRequest(t.Context(), session, saml.LogoutOptions{})
		if state.add != nil {
			leftWith(t, saml.StoreFailed, err)
			assert.Nil(t, started)
		}
	}
}

// An asynchronous request waits for nothing.
//
// req: ASLO-2.1 ASLO-2.3
func TestAsyncLogout(t *testing.T) {
	t.Parallel()
	l := newLeaving(t)
	session := l.signIn("s1")
	_, got := l.ask(session, saml.LogoutOptions{})
	assert.False(t, got.Asynchronous, "not by default")
	l.setTrust(func(t *saml.LoginTrust) { t.AsyncLogout = true })
	started, got := l.ask(session, saml.LogoutOptions{})
	assert.True(t, got.Asynchronous)
	m := carriers["redirect"](l.idp.LogoutResponse(got, sloURL))
	m.BrowserKey = started.BrowserKey
	_, err := l.sp.CompleteLogout(t.Context(), m)
	leftWith(t, saml.UnknownRequest, err)
}

// The issuer of an answer may be one that the host maps to the trust, as Entra ID's is.
func TestLogoutIssuerAlias(t *testing.T) {
	t.Parallel()
	alias, asked := "https://login.example.com/tenant/", 0
	domain := ""
	l := newLeaving(t, func(t *saml.LoginTrust, c *saml.Config) {
		domain = t.Domain
		c.ResolveIssuer = func(_ context.Context, issuer string) (string, bool, error) {
			asked++
			if issuer == alias && asked != 4 {
				return domain, true, nil
			}
			return "", false, nil
		}
	})
	session := l.signIn("s1")
	for i := range 2 {
		started, got := l.ask(session, saml.LogoutOptions{})
		response := l.idp.LogoutResponse(got, sloURL)
		response.Issuer.Value = alias
		m := carriers["redirect"](response)
		m.BrowserKey = started.BrowserKey
		result, err := l.sp.CompleteLogout(t.Context(), m)
		if i == 1 { // the mapping is gone when it is asked again
			leftWith(t, saml.UnknownDomain, err)
			continue
		}
		require.NoError(t, err)
		assert.Equal(t, saml.LogoutComplete, result.Outcome)
	}
	request := l.idp.LogoutRequest(session, sloURL)
	request.Issuer.Value = alias
	a, err := l.sp.AnswerLogout(t.Context(), carriers["redirect"](request))
	require.NoError(t, err)
	assert.Equal(t, 0, a.Ended, "subjects of different issuers are different subjects")
}
