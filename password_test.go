package saml_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml"
	"github.com/logintrust/saml/samltest"
)

// password is everybody's.
const password = "correct horse"

// typed is what a user types.
func typed(guess string) func(context.Context, saml.User) (bool, error) {
	return func(_ context.Context, u saml.User) (bool, error) { return u.Username != "" && guess == password, nil }
}

func asking(t *saml.LoginTrust, _ *saml.Config) { t.PasswordRequired = true }

// newAskingTown is a town whose alice is asked for her password.
func newAskingTown(t testing.TB, change ...func(*saml.LoginTrust, *saml.Config)) *town {
	t.Helper()
	w := newTown(t, append([]func(*saml.LoginTrust, *saml.Config){asking}, change...)...)
	w.users.Set(resident("alice"))
	return w
}

// ask begins a login and returns its step.
func (w *town) ask(change ...func(*samltest.Answer)) saml.PasswordStep {
	w.t.Helper()
	login, err := w.login(change...)
	step, found := denied(w.t, saml.PasswordRequired, login, err).PasswordStep()
	require.True(w.t, found)
	require.NotEmpty(w.t, step.Token)
	return step
}

func (w *town) finish(step saml.PasswordStep, guess string) (*saml.Login, error) {
	return w.sp.FinishPassword(context.Background(), step, typed(guess))
}

// req: LT-45
func TestPasswordStep(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.users.Set(resident("alice"))
	rich := func(a *samltest.Answer) {
		x := a.Assertion()
		x.Subject.NameID.NameQualifier = "urn:q"
		x.Statements[0].SessionIndex, x.Statements[0].SessionNotOnOrAfter = "_s", at(time.Hour)
		x.Statements[0].Authorities = []string{"https://upstream.example.com"}
		x.Attributes = append(x.Attributes, samltest.Attribute{Name: "odd", NameFormat: "urn:f", FriendlyName: "Odd", Values: []samltest.Value{
			{Nil: true}, {Text: "<&>\u2028"}, {Raw: []string{`<saml:NameID xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" Format="urn:x">y</saml:NameID>`}}}})
		x.Conditions.OneTimeUse, x.Conditions.ProxyRestriction = 1, &samltest.ProxyRestriction{Count: "2", Audiences: []string{"urn:a"}}
		x.ID = "_same"
	}
	plain, err := w.login(rich) // the same login without the step
	accepted(t, plain, err)

	w = newAskingTown(t)
	step := w.ask(rich)
	login, err := w.finish(step, "guess")
	e := denied(t, saml.PasswordWrong, login, err)
	again, found := e.PasswordStep()
	assert.True(t, found)
	assert.Equal(t, step, again)
	assert.Equal(t, w.idp.EntityID, e.Domain)
	login, err = w.finish(step, password)
	assert.Equal(t, "id-alice", userOf(t, login, err).ID)

	assert.Equal(t, plain.Subject(), login.Subject())
	assert.Equal(t, plain.Attributes(), login.Attributes())
	odd := login.Attributes()[3]
	assert.True(t, odd.IsNil(0))
	id, found := odd.NameID(2)
	assert.True(t, found)
	assert.Equal(t, "urn:x", id.Format)
	assert.Equal(t, "/inbox", login.ReturnTo())
	assert.Equal(t, []string{"_s"}, login.SessionIndexes())
	assert.Equal(t, plain.SessionNotOnOrAfter(), login.SessionNotOnOrAfter())
	assert.Equal(t, plain.AuthnInstant(), login.AuthnInstant())
	assert.Equal(t, plain.AuthnContext(), login.AuthnContext())
	assert.Equal(t, plain.AuthenticatingAuthorities(), login.AuthenticatingAuthorities())
	assert.Equal(t, plain.ID(), login.ID())
	assert.Equal(t, plain.IssueInstant(), login.IssueInstant())
	assert.True(t, login.OneTimeUse())
	count, audiences, _ := login.ProxyRestriction()
	assert.Equal(t, "2", count)
	assert.Equal(t, []string{"urn:a"}, audiences)
	assert.NotEmpty(t, login.RequestID())
	assert.False(t, login.Unsolicited())
	assert.Equal(t, w.idp.EntityID, login.Trust().Domain)
	want, _ := plain.Subject().AccountKey()
	key, err := login.Subject().AccountKey()
	require.NoError(t, err)
	assert.Equal(t, want, key)

	login, err = w.finish(step, password) // once
	denied(t, saml.UnknownRequest, login, err)
}

// req: LT-45
func TestPasswordStepOfAnotherBrowser(t *testing.T) {
	t.Parallel()
	w := newAskingTown(t, allowIdPInitiated)
	step, other := w.ask(), w.ask()
	for _, key := range []string{"", "x", other.BrowserKey, step.BrowserKey + "x"} {
		login, err := w.finish(saml.PasswordStep{Token: step.Token, BrowserKey: key}, password)
		denied(t, saml.BrowserMismatch, login, err)
	}
	for _, token := range []string{"", "x", step.BrowserKey, step.Token[1:]} {
		login, err := w.finish(saml.PasswordStep{Token: token, BrowserKey: step.BrowserKey}, password)
		denied(t, saml.UnknownRequest, login, err)
	}
	login, err := w.finish(step, password)
	userOf(t, login, err)

	// A login that nobody asked for is bound to the browser that it came by, from then on.
	login, err = w.post(w.unsolicited(), "")
	unasked, _ := denied(t, saml.PasswordRequired, login, err).PasswordStep()
	login, err = w.finish(saml.PasswordStep{Token: unasked.Token}, password)
	denied(t, saml.BrowserMismatch, login, err)
	login, err = w.finish(unasked, password)
	userOf(t, login, err)
	assert.True(t, login.Unsolicited())
}

// req: LT-45
func TestPasswordTries(t *testing.T) {
	t.Parallel()
	w := newAskingTown(t)
	step := w.ask()
	for range 4 {
		login, err := w.finish(step, "guess")
		denied(t, saml.PasswordWrong, login, err)
	}
	login, err := w.finish(step, "guess")
	e := denied(t, saml.PasswordFailed, login, err)
	_, found := e.PasswordStep()
	assert.False(t, found)
	login, err = w.finish(step, password)
	denied(t, saml.PasswordFailed, login, err)

	step = w.ask() // the fifth may be right
	for range 4 {
		login, err = w.finish(step, "guess")
		denied(t, saml.PasswordWrong, login, err)
	}
	login, err = w.finish(step, password)
	userOf(t, login, err)

	// Many at once, in two processes, are five.
	step = w.ask()
	second, err := saml.New(w.config())
	require.NoError(t, err)
	var looked atomic.Int32
	var group sync.WaitGroup
	for i := range 50 {
		sp := []*saml.ServiceProvider{w.sp, second}[i%2]
		group.Go(func() {
			_, err := sp.FinishPassword(context.Background(), step, func(context.Context, saml.User) (bool, error) {
				looked.Add(1)
				return false, nil
			})
			assert.Error(t, err)
		})
	}
	group.Wait()
	assert.Equal(t, int32(5), looked.Load())

	// Right ones at once make one login.
	step = w.ask()
	var logins atomic.Int32
	for range 5 {
		group.Go(func() {
			if login, err := w.finish(step, password); err == nil && login != nil {
				logins.Add(1)
			}
		})
	}
	group.Wait()
	assert.Equal(t, int32(1), logins.Load())

	// A check that fails has had its try.
	step = w.ask()
	broken := errors.New("cannot compare " + password)
	for range 5 {
		login, err := w.sp.FinishPassword(context.Background(), step, func(context.Context, saml.User) (bool, error) { return true, broken })
		e := denied(t, saml.StoreFailed, login, err)
		assert.ErrorIs(t, err, broken)
		assert.NotContains(t, e.Error(), password)
	}
	login, err = w.finish(step, password)
	denied(t, saml.PasswordFailed, login, err)
	login, err = w.sp.FinishPassword(context.Background(), step, nil)
	denied(t, saml.NotConfigured, login, err)
}

// An artifactTown is a town whose alice is asked for her password when an artifact has brought her.
type artifactTown struct {
	*town
	asked atomic.Int32
}

func newArtifactTown(t testing.TB, change ...func(*saml.LoginTrust, *saml.Config)) *artifactTown {
	t.Helper()
	w := &artifactTown{}
	w.town = newAskingTown(t, append([]func(*saml.LoginTrust, *saml.Config){byArtifacts(t, func() *samltest.IdP { return w.idp }, func(*http.Request, []byte) {
		w.asked.Add(1)
	})}, change...)...)
	return w
}

func (w *artifactTown) bring(edit func(*samltest.Answer, *samltest.Resolution)) saml.PasswordStep {
	w.t.Helper()
	started, request := w.start(saml.StartOptions{ReturnTo: "/inbox"})
	answer := w.idp.Answer(request)
	artifact, r := w.idp.Artifact(3, answer)
	edit(answer, r)
	login, err := w.sp.Validate(context.Background(), saml.Posted{Artifact: artifact, BrowserKey: started.BrowserKey})
	step, found := denied(w.t, saml.PasswordRequired, login, err).PasswordStep()
	require.True(w.t, found)
	require.Equal(w.t, started.BrowserKey, step.BrowserKey)
	return step
}

// What an artifact led to waits for the password as what was posted does: it is asked for once, and judged anew.
//
// req: LT-45 BIND-3.6.5.2-once E59
func TestPasswordStepByArtifact(t *testing.T) {
	t.Parallel()
	for name, edit := range map[string]func(*samltest.Answer, *samltest.Resolution){
		"assertion signed":         func(a *samltest.Answer, _ *samltest.Resolution) { a.Destination = "" },
		"response signed":          func(a *samltest.Answer, _ *samltest.Resolution) { a.Sign = samltest.SignResponse },
		"artifact response signed": func(a *samltest.Answer, r *samltest.Resolution) { a.Sign, a.Destination, r.Sign = 0, "", true },
	} {
		w := newArtifactTown(t)
		step := w.bring(edit)
		login, err := w.finish(step, "guess")
		denied(t, saml.PasswordWrong, login, err)
		login, err = w.finish(step, password)
		assert.Equal(t, "id-alice", userOf(t, login, err).ID, name)
		assert.Equal(t, "/inbox", login.ReturnTo())
		assert.Equal(t, int32(1), w.asked.Load())
		login, err = w.finish(step, password)
		denied(t, saml.UnknownRequest, login, err)
	}
	for name, c := range map[string]struct {
		change func(*artifactTown)
		reason saml.Reason
	}{
		"trust removed":      {func(w *artifactTown) { w.trusts.Remove(w.idp.EntityID) }, saml.UnknownDomain},
		"trust switched off": {func(w *artifactTown) { w.setTrust(func(t *saml.LoginTrust) { t.State = saml.Inactive }) }, saml.TrustInactive},
		"key removed": {func(w *artifactTown) {
			other := otherIdP(w.t).Trust().Keys
			w.setTrust(func(t *saml.LoginTrust) { t.Keys = other })
		}, saml.BadSignature},
		"user locked": {func(w *artifactTown) {
			w.users.Set(resident("alice", func(u *saml.User) { u.State = saml.UserLocked }))
		}, saml.UserDisabled},
	} {
		w := newArtifactTown(t)
		step := w.bring(func(a *samltest.Answer, r *samltest.Resolution) { a.Sign, a.Destination, r.Sign = 0, "", true })
		c.change(w)
		login, err := w.finish(step, password)
		e := denied(t, c.reason, login, err)
		assert.NotEmpty(t, e.Reason, name)
		assert.Equal(t, int32(1), w.asked.Load())
	}
}

// A store that changes what an artifact led to, or says that it came from another, is found out.
func TestPasswordStepByArtifactThatTheStoreChanged(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		old, new string
		reason   saml.Reason
	}{
		"another user":   {">alice<", ">mallo<", saml.BadSignature},
		"another source": {"https://idp.example.com/metadata\x29", "https://two.example.com/metadata\x29", saml.ArtifactFailed},
	} {
		state := &changer{MemoryState: saml.NewMemoryState(), old: c.old, new: c.new}
		w := newArtifactTown(t, func(_ *saml.LoginTrust, c *saml.Config) { c.State = state })
		two := otherIdP(t).Trust()
		two.Domain = "https://two.example.com/metadata"
		w.trusts.Set(two)
		step := w.bring(func(*samltest.Answer, *samltest.Resolution) {})
		state.changes = true
		login, err := w.finish(step, password)
		e := denied(t, c.reason, login, err)
		assert.NotEmpty(t, e.Reason, name)
		assert.True(t, state.changed, name)
	}
}

// A changer is a store that hands out something else than it was given.
type changer struct {
	*saml.MemoryState
	old, new         string
	changes, changed bool
}

func (c *changer) Get(ctx context.Context, key string) ([]byte, bool, error) {
	value, found, err := c.MemoryState.Get(ctx, key)
	if c.changes && bytes.Contains(value, []byte(c.old)) {
		value, c.changed = bytes.ReplaceAll(value, []byte(c.old), []byte(c.new)), true
	}
	return value, found, err
}

// A password may take longer than the assertion is valid, but not for ever.
//
// req: LT-45
func TestPasswordTime(t *testing.T) {
	t.Parallel()
	w := newAskingTown(t)
	step, late := w.ask(), w.ask()
	w.now = w.now.Add(9 * time.Minute)
	login, err := w.finish(step, password)
	userOf(t, login, err)
	w.now = w.now.Add(15 * time.Minute) // the store has its own clock, and here it is slow
	login, err = w.finish(late, password)
	denied(t, saml.UnknownRequest, login, err)
}

// What has changed since the identity provider answered counts.
//
// req: LT-45
func TestPasswordStepJudgesAnew(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*town)
		reason saml.Reason
	}{
		"trust switched off": {func(w *town) { w.setTrust(func(t *saml.LoginTrust) { t.State = saml.Inactive }) }, saml.TrustInactive},
		"trust removed":      {func(w *town) { w.trusts.Remove(w.idp.EntityID) }, saml.UnknownDomain},
		"SAML switched off":  {func(w *town) { w.setTrust(func(t *saml.LoginTrust) { t.SAML = false }) }, saml.MethodNotAllowed},
		"trust of others":    {func(w *town) { w.setTrust(func(t *saml.LoginTrust) { t.Organization = "rival" }) }, saml.InvalidUser},
		"user denied":        {func(w *town) { w.setTrust(func(t *saml.LoginTrust) { t.DeniedUsers = []string{"id-alice"} }) }, saml.UserNotAllowed},
		"user locked":        {func(w *town) { w.users.Set(resident("alice", func(u *saml.User) { u.State = saml.UserLocked })) }, saml.UserDisabled},
		"another user of that name": {func(w *town) {
			w.users.Set(resident("alice", func(u *saml.User) { u.Username = "before" }))
			w.users.Set(resident("alice", func(u *saml.User) { u.ID = "another" }))
		}, saml.InvalidUser},
		"key removed": {func(w *town) {
			other, err := samltest.New(samltest.Options{EntityID: "https://other.example.com"})
			require.NoError(w.t, err)
			w.setTrust(func(t *saml.LoginTrust) { t.Keys = other.Trust().Keys })
		}, saml.BadSignature},
		"more is demanded": {func(w *town) { w.setTrust(func(t *saml.LoginTrust) { t.AuthnContext = []string{"urn:mfa"} }) }, saml.WrongAuthnContext},
		"session over":     {func(w *town) { w.now = w.now.Add(5 * time.Minute) }, saml.SessionExpired},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newAskingTown(t)
			step := w.ask(func(a *samltest.Answer) { a.Assertion().Statements[0].SessionNotOnOrAfter = at(time.Minute) })
			c.change(w)
			login, err := w.sp.FinishPassword(context.Background(), step, func(context.Context, saml.User) (bool, error) {
				t.Error("the password was looked at")
				return true, nil
			})
			denied(t, c.reason, login, err)
		})
	}
}

func (w *town) setTrust(f func(*saml.LoginTrust)) {
	trust := w.trust()
	f(&trust)
	w.trusts.Set(trust)
}

// Nobody is created or re-activated for a password that was not given.
func TestPasswordBeforeAnyChange(t *testing.T) {
	t.Parallel()
	w := newAskingTown(t, creating, editTrust(reactivating))
	login, err := w.login(named("mallory"))
	denied(t, saml.InvalidUser, login, err)
	w.users.Set(resident("alice", func(u *saml.User) { u.State = saml.UserLoginDisabled }))
	step := w.ask()
	login, err = w.finish(step, "guess")
	denied(t, saml.PasswordWrong, login, err)
	require.Len(t, w.users.All(), 1)
	assert.Equal(t, saml.UserLoginDisabled, w.users.All()[0].State)
	login, err = w.finish(step, password)
	assert.Equal(t, saml.UserActive, userOf(t, login, err).State)
	assert.True(t, login.Reactivated())
	assert.Equal(t, saml.UserActive, w.users.All()[0].State)
}

// swapper has another user of that name, just before the first would be re-activated.
type swapper struct{ *saml.MemoryUsers }

func (s swapper) ReactivateUser(context.Context, string) (bool, error) {
	s.Set(resident("alice", func(u *saml.User) { u.Username = "before" }))
	s.Set(resident("alice", func(u *saml.User) { u.ID = "another" }))
	return false, nil
}

// Whose password was right is who is logged in.
func TestPasswordOfAnotherUser(t *testing.T) {
	t.Parallel()
	users := swapper{saml.NewMemoryUsers(resident("alice", func(u *saml.User) { u.State = saml.UserLoginDisabled }))}
	w := newTown(t, asking, editTrust(reactivating), func(_ *saml.LoginTrust, c *saml.Config) { c.Users = users })
	login, err := w.finish(w.ask(), password)
	denied(t, saml.InvalidUser, login, err)
}

func TestPasswordStepState(t *testing.T) {
	t.Parallel()
	w := newAskingTown(t)
	login, err := w.login(func(a *samltest.Answer) {
		groups := make([]string, 4000)
		for i := range groups {
			groups[i] = strings.Repeat("g", 30)
		}
		a.Assertion().Attributes = append(a.Assertion().Attributes, samltest.Attr("groups", groups...))
	})
	refused(t, saml.TooLarge, login, err)

	for _, value := range []string{"", "x", "\x01", "\x01\x00", "\x02" + string(make([]byte, 100)), "\x01" + string(make([]byte, 100))} {
		state := &garbled{MemoryState: saml.NewMemoryState(), value: value}
		w := newAskingTown(t, func(_ *saml.LoginTrust, c *saml.Config) { c.State = state })
		login, err := w.finish(saml.PasswordStep{Token: "x", BrowserKey: "y"}, password)
		denied(t, saml.StoreFailed, login, err)
	}
	for _, breakIt := range []func(*brokenState){
		func(b *brokenState) { b.add = errBroken },
		func(b *brokenState) { b.get = errBroken },
		func(b *brokenState) { b.take = errBroken },
	} {
		state := &brokenState{MemoryState: saml.NewMemoryState()}
		w := newAskingTown(t, func(_ *saml.LoginTrust, c *saml.Config) { c.State = state })
		step := w.ask()
		breakIt(state)
		login, err := w.finish(step, password)
		denied(t, saml.StoreFailed, login, err)
		assert.ErrorIs(t, err, errBroken)
	}
}

// A store that hands out another message makes no login of it.
func TestPasswordStepOfAForger(t *testing.T) {
	t.Parallel()
	state := &rewriter{MemoryState: saml.NewMemoryState()}
	w := newAskingTown(t, func(_ *saml.LoginTrust, c *saml.Config) { c.State = state })
	w.users.Set(resident("mallory"))
	step := w.ask()
	state.rewrite = true
	login, err := w.finish(step, password)
	require.Error(t, err)
	require.Nil(t, login)
	state.rewrite = false
	login, err = w.finish(step, password)
	userOf(t, login, err)
}

// rewriter changes a letter of the name in each message that it hands out.
type rewriter struct {
	*saml.MemoryState
	rewrite bool
}

func (r *rewriter) Get(ctx context.Context, key string) ([]byte, bool, error) {
	value, found, err := r.MemoryState.Get(ctx, key)
	for offset := range 3 { // base64 has three ways to write it
		plain := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("_", offset) + ">alice<"))
		forged := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("_", offset) + ">blice<"))
		at := (offset*8 + 5) / 6
		end := (offset + 7) * 8 / 6
		if r.rewrite {
			value = bytes.ReplaceAll(value, []byte(plain[at:end]), []byte(forged[at:end]))
		}
	}
	return value, found, err
}

// garbled finds the same under every key.
type garbled struct {
	*saml.MemoryState
	value string
}

func (g *garbled) Get(context.Context, string) ([]byte, bool, error) {
	return []byte(g.value), true, nil
}

// What is stored holds neither the token nor the browser key.
func TestPasswordStepStoresNoSecret(t *testing.T) {
	t.Parallel()
	state := &recorder{MemoryState: saml.NewMemoryState()}
	w := newAskingTown(t, func(_ *saml.LoginTrust, c *saml.Config) { c.State = state })
	step := w.ask()
	all, err := json.Marshal(state.texts)
	require.NoError(t, err)
	assert.NotContains(t, string(all), step.Token)
	assert.NotContains(t, string(all), step.BrowserKey)
}

// A recorder keeps all that it is told.
type recorder struct {
	*saml.MemoryState
	texts []string
}

func (r *recorder) Add(ctx context.Context, key string, value []byte, keep time.Duration) (bool, error) {
	r.texts = append(r.texts, key, string(value))
	return r.MemoryState.Add(ctx, key, value, keep)
}

// req: LT-45
func TestHandlerAsksForPassword(t *testing.T) {
	t.Parallel()
	users := saml.NewMemoryUsers(resident("alice"))
	var step saml.PasswordStep
	s := newSite(t, asking, allowIdPInitiated, func(trust *saml.LoginTrust, c *saml.Config) {
		trust.Organization, c.Users = "acme", users
		c.AskPassword = func(w http.ResponseWriter, _ *http.Request, asked saml.PasswordStep) {
			step = asked
			w.WriteHeader(http.StatusAccepted)
		}
	})
	b := s.browser()
	answer := s.idp.Answer(b.start("&target=/inbox"))
	r, _ := b.post(answer)
	assert.Equal(t, http.StatusAccepted, r.StatusCode)
	assert.Equal(t, "no-cache, no-store", r.Header.Get("Cache-Control"))
	assert.Zero(t, s.logins.Load())
	assert.Empty(t, s.reason(), "it is no refusal")

	post := formRequest("https://sp.example.com/password", nil)
	assert.Empty(t, s.sp.BrowserKey(post))
	for _, c := range b.cookies {
		post.AddCookie(c)
	}
	login, err := s.sp.FinishPassword(t.Context(), saml.PasswordStep{Token: step.Token, BrowserKey: s.sp.BrowserKey(post)}, typed(password))
	userOf(t, login, err)
	r, _ = b.post(answer)
	assert.Equal(t, http.StatusForbidden, r.StatusCode)

	b = s.browser() // a browser that we never saw gets its key with the form
	r, _ = b.post(s.unsolicited())
	assert.Equal(t, http.StatusAccepted, r.StatusCode)
	require.Len(t, b.cookies, 1)
	for _, c := range b.cookies {
		assert.Equal(t, step.BrowserKey, c.Value)
	}

	s = newSite(t, asking, func(trust *saml.LoginTrust, c *saml.Config) { trust.Organization, c.Users = "acme", users })
	b = s.browser() // an application that never asks refuses
	r, _ = b.post(s.idp.Answer(b.start("")))
	assert.Equal(t, http.StatusForbidden, r.StatusCode)
	assert.Equal(t, saml.PasswordRequired, s.reason())
}

// A login that nobody asked for and that waits for its password is judged by whether the trust takes such logins now.
func TestPasswordStepUnsolicitedSwitchedOff(t *testing.T) {
	t.Parallel()
	w := newAskingTown(t, allowIdPInitiated)
	login, err := w.post(w.unsolicited(), "")
	step, found := refused(t, saml.PasswordRequired, login, err).PasswordStep()
	require.True(t, found)
	trust := w.trust()
	trust.AllowIdPInitiated = false
	w.trusts.Set(trust)
	login, err = w.finish(step, password)
	refused(t, saml.UnsolicitedNotAllowed, login, err)
}

// unkept is a store that does not take a login that waits for its password: an error, or a token that is there already.
type unkept struct {
	*saml.MemoryState
	err error
}

func (u *unkept) Add(ctx context.Context, key string, value []byte, keep time.Duration) (bool, error) {
	if len(value) > 1000 {
		return false, u.err
	}
	return u.MemoryState.Add(ctx, key, value, keep)
}

func TestPasswordStepThatIsNotKept(t *testing.T) {
	t.Parallel()
	for _, failure := range []error{errBroken, nil} {
		w := newAskingTown(t, func(_ *saml.LoginTrust, c *saml.Config) { c.State = &unkept{saml.NewMemoryState(), failure} })
		login, err := w.login()
		e := denied(t, saml.StoreFailed, login, err)
		if failure != nil {
			require.ErrorIs(t, err, failure)
		}
		_, found := e.PasswordStep()
		assert.False(t, found, "nothing waits")
	}
}

// Of two right passwords at once, each of which found the login waiting, one makes it.
func TestPasswordTwiceAtOnce(t *testing.T) {
	t.Parallel()
	w := newAskingTown(t)
	step := w.ask()
	login, err := w.sp.FinishPassword(t.Context(), step, func(context.Context, saml.User) (bool, error) {
		faster, err := w.finish(step, password)
		userOf(t, faster, err)
		return true, nil
	})
	denied(t, saml.Replayed, login, err)
}

// Where there are no users there is no password, and a step that came before it was written waits for nothing.
func TestPasswordStepOutOfPlace(t *testing.T) {
	t.Parallel()
	login, err := newWorld(t).sp.FinishPassword(t.Context(), saml.PasswordStep{Token: "x", BrowserKey: "y"}, typed(password))
	refused(t, saml.NotConfigured, login, err)

	w := newAskingTown(t)
	step := w.ask()
	w.now = w.now.Add(-9 * time.Minute) // clocks of processes differ
	_, err = w.finish(step, "wrong")
	require.ErrorIs(t, err, saml.PasswordWrong)
	w.now = w.now.Add(-2 * time.Minute)
	login, err = w.finish(step, password)
	denied(t, saml.UnknownRequest, login, err)
}

func TestScribbledPasswordStep(t *testing.T) {
	t.Parallel()
	for name, edit := range scribbles {
		state := &scribbled{MemoryState: saml.NewMemoryState(), least: 1000, most: 1 << 20}
		w := newAskingTown(t, func(_ *saml.LoginTrust, c *saml.Config) { c.State = state })
		step := w.ask()
		state.edit = edit
		login, err := w.finish(step, password)
		e := denied(t, saml.StoreFailed, login, err)
		assert.NotNil(t, e, name)
		state.edit = nil
		login, err = w.finish(step, password)
		userOf(t, login, err)
	}
}
