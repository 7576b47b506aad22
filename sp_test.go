package saml_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml"
	"github.com/logintrust/saml/samltest"
)

// now is the clock of all tests.
var now = time.Date(2026, 3, 14, 15, 9, 26, 535_000_000, time.UTC)

// A world is a service provider, the identity provider that it trusts, and what they share.
type world struct {
	t      testing.TB
	sp     *saml.ServiceProvider
	idp    *samltest.IdP
	trusts *saml.MemoryTrusts
	now    time.Time
}

// newWorld makes a world; change edits the trust and the configuration.
func newWorld(t testing.TB, change ...func(*saml.LoginTrust, *saml.Config)) *world {
	t.Helper()
	w := &world{t: t, now: now}
	var err error
	w.idp, err = samltest.New(samltest.Options{Now: func() time.Time { return w.now }})
	require.NoError(t, err)
	trust := w.idp.Trust()
	w.trusts = saml.NewMemoryTrusts()
	config := saml.Config{BaseURL: "https://sp.example.com", Trusts: w.trusts, State: saml.NewMemoryState(),
		Now: func() time.Time { return w.now }}
	for _, f := range change {
		f(&trust, &config)
	}
	w.trusts.Set(trust)
	w.sp, err = saml.New(config)
	require.NoError(t, err)
	return w
}

func (w *world) trust() saml.LoginTrust {
	t, _, err := w.trusts.FindTrust(context.Background(), w.idp.EntityID)
	require.NoError(w.t, err)
	return t
}

// start begins a login and returns it with the request as the IdP received it.
func (w *world) start(opts saml.StartOptions) (*saml.Started, samltest.Request) {
	w.t.Helper()
	started, err := w.sp.Request(context.Background(), w.trust(), opts)
	require.NoError(w.t, err)
	request, err := samltest.ParseRequestURL(started.URL)
	require.NoError(w.t, err)
	return started, request
}

// login walks a whole login by the third rung, after change has edited the answer.
func (w *world) login(change ...func(*samltest.Answer)) (*saml.Login, error) {
	w.t.Helper()
	return w.loginAsking(saml.StartOptions{ReturnTo: "/inbox"}, change...)
}

func (w *world) loginAsking(opts saml.StartOptions, change ...func(*samltest.Answer)) (*saml.Login, error) {
	w.t.Helper()
	started, request := w.start(opts)
	answer := w.idp.Answer(request)
	for _, f := range change {
		f(answer)
	}
	return w.post(answer, started.BrowserKey)
}

// post delivers an answer from the browser that holds the key.
func (w *world) post(answer *samltest.Answer, browserKey string) (*saml.Login, error) {
	w.t.Helper()
	return w.sp.Validate(context.Background(), saml.Posted{SAMLResponse: answer.Encode(), RelayState: answer.RelayState, BrowserKey: browserKey})
}

// unsolicited returns an answer that nobody asked for.
func (w *world) unsolicited() *samltest.Answer {
	return w.idp.Answer(samltest.Request{ACSURL: "https://sp.example.com/sso/acs", SPEntityID: "https://sp.example.com/sso/metadata"})
}

func allowIdPInitiated(t *saml.LoginTrust, _ *saml.Config) { t.AllowIdPInitiated = true }

// accepted demands a login.
func accepted(t testing.TB, login *saml.Login, err error) *saml.Login {
	t.Helper()
	require.NoError(t, err)
	require.NotNil(t, login)
	return login
}

// refused demands a refusal for that reason.
func refused(t testing.TB, reason saml.Reason, login *saml.Login, err error) *saml.Error {
	t.Helper()
	require.ErrorIs(t, err, reason)
	require.Nil(t, login, "a value beside an error")
	var e *saml.Error
	require.ErrorAs(t, err, &e)
	return e
}

func TestLogin(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	login, err := w.login()
	accepted(t, login, err)
	assert.Equal(t, "/inbox", login.ReturnTo())
	assert.False(t, login.Unsolicited())
	assert.Equal(t, w.idp.EntityID, login.Issuer())
	assert.NotEmpty(t, login.Subject().NameID.Value)
	assert.NotEmpty(t, login.Attributes())
}
