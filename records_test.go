package saml_test

import (
	"context"
	"crypto"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml"
	"github.com/logintrust/saml/samltest"
)

// scribbled is a store whose values somebody has edited, those from a length on.
type scribbled struct {
	*saml.MemoryState
	least, most int
	edit        func(value []byte) []byte
}

func (s *scribbled) Get(ctx context.Context, key string) ([]byte, bool, error) {
	value, found, err := s.MemoryState.Get(ctx, key)
	if found && s.edit != nil && len(value) >= s.least && len(value) <= s.most {
		value = s.edit(append([]byte(nil), value...))
	}
	return value, found, err
}

// scribbles are records that this version did not write, though nearly.
var scribbles = map[string]func(b []byte) []byte{
	"longer":          func(b []byte) []byte { return append(b, 0) },
	"shorter":         func(b []byte) []byte { return b[:len(b)-1] },
	"another version": func(b []byte) []byte { b[0]++; return b },
	"empty":           func([]byte) []byte { return nil },
}

// A record that is not as it was written refuses the login, whichever it is.
func TestScribbledRecords(t *testing.T) {
	t.Parallel()
	for name, edit := range scribbles {
		state := &scribbled{MemoryState: saml.NewMemoryState(), most: 1 << 20}
		w := newWorld(t, func(_ *saml.LoginTrust, c *saml.Config) { c.State = state })
		started, request := w.start(saml.StartOptions{ReturnTo: "/there"})
		answer := w.idp.Answer(request)
		state.edit = edit
		login, err := w.post(answer, started.BrowserKey) // the pending request
		refused(t, saml.StoreFailed, login, err)
		state.edit = nil
		login, err = w.post(answer, started.BrowserKey)
		accepted(t, login, err)
		state.edit = edit
		login, err = w.post(answer, started.BrowserKey) // the note that it was answered
		e := refused(t, saml.StoreFailed, login, err)
		assert.Equal(t, saml.StoreFailed, e.Reason, name)

		state = &scribbled{MemoryState: saml.NewMemoryState(), least: 2, most: 25}
		l := newLeaving(t, func(_ *saml.LoginTrust, c *saml.Config) { c.State = state })
		session := l.signIn("s1")
		started, request = l.start(saml.StartOptions{})
		answer = l.idp.Answer(request)
		m := l.idp.LogoutRequest(session, sloURL)
		m.SessionIndexes = nil
		_, err = l.sp.AnswerLogout(t.Context(), carriers["redirect"](m))
		require.NoError(t, err)
		state.edit = edit
		login, err = l.post(answer, started.BrowserKey) // the note that all sessions have ended
		refused(t, saml.StoreFailed, login, err)
	}
}

// A record that says it is longer than it is, is no record.
func TestTruncatedRecord(t *testing.T) {
	t.Parallel()
	state := &scribbled{MemoryState: saml.NewMemoryState(), most: 1 << 20}
	w := newWorld(t, func(_ *saml.LoginTrust, c *saml.Config) { c.State = state })
	started, request := w.start(saml.StartOptions{ReturnTo: "/there"})
	for cut := range 120 {
		state.edit = func(b []byte) []byte { return b[:min(cut, len(b)-1)] }
		login, err := w.post(w.idp.Answer(request), started.BrowserKey)
		refused(t, saml.StoreFailed, login, err)
	}
}

// failsLater is a store that fails once it has stored so many values.
type failsLater struct {
	*saml.MemoryState
	left int
}

func (f *failsLater) Add(ctx context.Context, key string, value []byte, keep time.Duration) (bool, error) {
	if f.left--; f.left < 0 {
		return false, errBroken
	}
	return f.MemoryState.Add(ctx, key, value, keep)
}

// A logout whose note cannot be stored ends nothing: a login that it overtakes would live on.
func TestLogoutThatCannotBeNoted(t *testing.T) {
	t.Parallel()
	state := &failsLater{saml.NewMemoryState(), 1 << 20}
	l := newLeaving(t, func(_ *saml.LoginTrust, c *saml.Config) { c.State = state })
	m := l.idp.LogoutRequest(l.signIn("s1"), sloURL)
	state.left = 1 // the memory of the request
	a, err := l.sp.AnswerLogout(t.Context(), carriers["redirect"](m))
	require.NoError(t, err)
	require.ErrorIs(t, a.Refusal, saml.StoreFailed)
	assert.Empty(t, l.sessions.calls)
}

// Of two logouts the later one counts for what was issued between them.
//
// req: CORE-3.7.3.1-late
func TestLaterLogoutOvertakesLogin(t *testing.T) {
	t.Parallel()
	l := newLeaving(t)
	session := l.signIn("s0")
	leave := func(at time.Duration) {
		l.now = now.Add(at)
		m := l.idp.LogoutRequest(session, sloURL)
		m.SessionIndexes = nil
		_, err := l.sp.AnswerLogout(t.Context(), carriers["redirect"](m))
		require.NoError(t, err)
	}
	leave(0)
	l.now = now.Add(time.Minute)
	started, request := l.start(saml.StartOptions{})
	between := l.idp.Answer(request)
	leave(2 * time.Minute)
	login, err := l.post(between, started.BrowserKey)
	refused(t, saml.LoggedOut, login, err)
}

// An answer to our logout that cannot be held against its request completes nothing.
func TestLogoutAnswerWithABrokenStore(t *testing.T) {
	t.Parallel()
	state := &brokenState{MemoryState: saml.NewMemoryState()}
	l := newLeaving(t, func(_ *saml.LoginTrust, c *saml.Config) { c.State = state })
	started, got := l.ask(l.signIn("s1"), saml.LogoutOptions{})
	m := carriers["redirect"](l.idp.LogoutResponse(got, sloURL))
	m.BrowserKey, state.get = started.BrowserKey, errBroken
	_, err := l.sp.CompleteLogout(t.Context(), m)
	leftWith(t, saml.StoreFailed, err)
}

// fickleSigner is a key that cannot be reached while it is down.
type fickleSigner struct {
	crypto.Signer
	down *bool
}

func (f fickleSigner) Sign(random io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	if *f.down {
		return nil, errBroken
	}
	return f.Signer.Sign(random, digest, opts)
}

// A key that cannot be reached signs no message of single logout, and none goes out unsigned.
func TestLogoutWithoutItsKey(t *testing.T) {
	t.Parallel()
	down := false
	change := func(_ *saml.LoginTrust, c *saml.Config) {
		c.SigningKeys = []saml.KeyPair{{Signer: fickleSigner{c.SigningKeys[0].Signer, &down}}}
	}
	l, soap := newLeaving(t, change), newSOAPLeaving(t, change)
	session, other := l.signIn("s1"), soap.session()
	down = true
	for name, carry := range carriers {
		m := l.idp.LogoutRequest(session, sloURL)
		m.ID = "_" + name
		a, err := l.sp.AnswerLogout(t.Context(), carry(m))
		require.ErrorIs(t, err, errBroken, name)
		require.Nil(t, a)
	}
	for _, binding := range []saml.Binding{saml.RedirectBinding, saml.POSTBinding} {
		_, err := l.sp.LogoutRequest(t.Context(), session, saml.LogoutOptions{Binding: binding})
		require.ErrorIs(t, err, errBroken)
	}
	_, err := soap.sp.LogoutBySOAP(t.Context(), other, saml.LogoutOptions{})
	require.ErrorIs(t, err, errBroken)
	_, err = soap.sp.LogoutBySOAP(t.Context(), other, saml.LogoutOptions{Reason: "no URI"})
	require.ErrorContains(t, err, "Reason")
	require.Empty(t, soap.asked)
}

// A place that is no https address is asked nothing.
func TestLogoutBySOAPToAPlainPlace(t *testing.T) {
	t.Parallel()
	l := newSOAPLeaving(t, func(trust *saml.LoginTrust, _ *saml.Config) { trust.SLOSOAPURL = "http://idp.example.com/slo" })
	_, err := l.sp.LogoutBySOAP(t.Context(), l.session(), saml.LogoutOptions{})
	require.ErrorIs(t, err, saml.ErrNoSingleLogout)
}

// An issuer by SOAP that is mapped to one trust and then to another is neither's.
func TestLogoutBySOAPOfAnIssuerThatMoves(t *testing.T) {
	t.Parallel()
	asked, domain := 0, ""
	l := newSOAPLeaving(t, func(trust *saml.LoginTrust, c *saml.Config) {
		domain = trust.Domain
		c.ResolveIssuer = func(_ context.Context, issuer string) (string, bool, error) {
			asked++
			return domain, asked == 1 && issuer == tenantA, nil
		}
	})
	l.answer = func(m *samltest.LogoutMessage) { m.Issuer.Value = tenantA }
	_, err := l.sp.LogoutBySOAP(t.Context(), l.session(), saml.LogoutOptions{})
	leftWith(t, saml.UnknownDomain, err)
	assert.Equal(t, 2, asked)
}
