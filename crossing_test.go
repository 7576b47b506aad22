package saml_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml"
	"github.com/logintrust/saml/samltest"
)

// A caller is a state store that fails once its caller is gone, as databases do, and calls back.
type caller struct {
	saml.StateStore
	added, taken func()
	entries      int
	keep         time.Duration
}

func (s *caller) Add(ctx context.Context, key string, value []byte, keep time.Duration) (bool, error) {
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	s.entries, s.keep = s.entries+1, max(s.keep, keep)
	added, err := s.StateStore.Add(ctx, key, value, keep)
	if s.added != nil {
		s.added()
	}
	return added, err
}

func (s *caller) Take(ctx context.Context, key string) ([]byte, bool, error) {
	if ctx.Err() != nil {
		return nil, false, ctx.Err()
	}
	value, found, err := s.StateStore.Take(ctx, key)
	if s.taken != nil {
		s.taken()
	}
	return value, found, err
}

func newCaller(t *testing.T) (*leaving, *caller) {
	t.Helper()
	state := &caller{StateStore: saml.NewMemoryState()}
	return newLeaving(t, func(_ *saml.LoginTrust, c *saml.Config) { c.State = state }), state
}

// Identity providers load logouts in frames and move on: what was begun is done all the same.
func TestLogoutOfAPageThatMovesOn(t *testing.T) {
	t.Parallel()
	l, state := newCaller(t)
	message := carriers["redirect"](l.idp.LogoutRequest(l.signIn("s0"), sloURL))
	ctx, cancel := context.WithCancel(context.Background())
	state.added = cancel
	a, err := l.sp.AnswerLogout(ctx, message)
	require.NoError(t, err)
	require.Nil(t, a.Refusal)
	assert.Equal(t, 1, a.Ended)
	assert.Empty(t, l.sessions.indexes())
}

// What could not be done is not used up: the same request may come again.
func TestLogoutThatFailedComesAgain(t *testing.T) {
	t.Parallel()
	l, _ := newCaller(t)
	message := carriers["redirect"](l.idp.LogoutRequest(l.signIn("s0"), sloURL))
	l.sessions.fail = errors.New("down")
	a, err := l.sp.AnswerLogout(context.Background(), message)
	require.NoError(t, err)
	require.Error(t, a.Refusal)
	l.sessions.fail = nil
	a, err = l.sp.AnswerLogout(context.Background(), message)
	require.NoError(t, err)
	require.Nil(t, a.Refusal)
	assert.Empty(t, l.sessions.indexes())
	a, err = l.sp.AnswerLogout(context.Background(), message)
	require.NoError(t, err)
	require.ErrorIs(t, a.Refusal, saml.Replayed)
}

// everything is a logout of all sessions of the subject, issued now.
func (l *leaving) everything(t *testing.T, session saml.LoginSession) {
	t.Helper()
	m := l.idp.LogoutRequest(session, sloURL)
	m.SessionIndexes = nil
	l.leave(carriers["redirect"](m))
}

// hold begins a login whose answer is made now, and handed in by post.
func (l *leaving) hold() (answer *samltest.Answer, post func() (*saml.Login, error)) {
	l.t.Helper()
	started, request := l.start(saml.StartOptions{})
	answer = l.idp.Answer(request)
	return answer, func() (*saml.Login, error) { return l.post(answer, started.BrowserKey) }
}

// leave hands in a logout request, which is carried out.
func (l *leaving) leave(m saml.LogoutMessage) *saml.LogoutAnswer {
	l.t.Helper()
	a, err := l.sp.AnswerLogout(context.Background(), m)
	require.NoError(l.t, err)
	require.Nil(l.t, a.Refusal)
	return a
}

// A logout that comes late takes back nothing of one that was issued after it.
func TestLateLogoutTakesNothingBack(t *testing.T) {
	t.Parallel()
	l := newLeaving(t)
	session := l.signIn("s0")
	started, request := l.start(saml.StartOptions{})
	early := l.idp.LogoutRequest(session, sloURL)
	early.SessionIndexes = nil
	message := carriers["redirect"](early)
	l.now = now.Add(2 * time.Minute)
	held := l.idp.Answer(request)
	l.now = now.Add(3 * time.Minute)
	l.everything(t, session)
	l.leave(message)
	login, err := l.post(held, started.BrowserKey)
	refused(t, saml.LoggedOut, login, err)
}

// The note of a logout outlives a second one whose browser goes away at the worst moment.
func TestNoteOutlivesACancelledLogout(t *testing.T) {
	t.Parallel()
	l, state := newCaller(t)
	session := l.signIn("s0")
	_, post := l.hold()
	l.everything(t, session)
	l.now = now.Add(time.Second)
	again := l.idp.LogoutRequest(session, sloURL)
	again.SessionIndexes = nil
	ctx, cancel := context.WithCancel(context.Background())
	state.taken = cancel
	_, err := l.sp.AnswerLogout(ctx, carriers["redirect"](again))
	require.NoError(t, err)
	state.taken = nil
	login, err := post()
	refused(t, saml.LoggedOut, login, err)
}

// A request that names a hundred sessions is remembered by few entries, and not for longer than an answer may come.
func TestLogoutOfManySessions(t *testing.T) {
	t.Parallel()
	l, state := newCaller(t)
	session := l.signIn("s0")
	_, post := l.hold()
	m := l.idp.LogoutRequest(session, sloURL)
	m.SessionIndexes = nil
	for i := range 100 {
		m.SessionIndexes = append(m.SessionIndexes, string(rune('A'+i)))
	}
	state.entries, state.keep = 0, 0
	l.leave(carriers["post"](m))
	assert.LessOrEqual(t, state.entries, 2)
	assert.Less(t, state.keep, 25*time.Hour)
	login, err := post()
	refused(t, saml.LoggedOut, login, err)
}

// White space around a session's name is no part of it: in a request it may stand around the element's text.
func TestLogoutOfASessionNamedWithSpace(t *testing.T) {
	t.Parallel()
	l := newLeaving(t)
	session := l.signIn(" s1")
	held, post := l.hold()
	held.Assertion().Statements[0].SessionIndex = "s1 "
	a := l.leave(carriers["post"](l.idp.LogoutRequest(session, sloURL)))
	assert.Equal(t, 1, a.Ended)
	login, err := post()
	refused(t, saml.LoggedOut, login, err)
}

// scripted is a state store whose nth call of one method goes wrong.
type scripted struct {
	saml.StateStore
	calls map[string]int
	wrong map[string]func() ([]byte, bool, error) // by method and number, such as "Add 2"
}

func (s *scripted) script(wrong map[string]func() ([]byte, bool, error)) {
	s.calls, s.wrong = map[string]int{}, wrong
}

func (s *scripted) next(method string) func() ([]byte, bool, error) {
	if s.calls == nil {
		return nil
	}
	s.calls[method]++
	return s.wrong[fmt.Sprint(method, " ", s.calls[method])]
}

func (s *scripted) Add(ctx context.Context, key string, value []byte, keep time.Duration) (bool, error) {
	if wrong := s.next("Add"); wrong != nil {
		_, added, err := wrong()
		return added, err
	}
	return s.StateStore.Add(ctx, key, value, keep)
}

func (s *scripted) Get(ctx context.Context, key string) ([]byte, bool, error) {
	if wrong := s.next("Get"); wrong != nil {
		return wrong()
	}
	return s.StateStore.Get(ctx, key)
}

func (s *scripted) Take(ctx context.Context, key string) ([]byte, bool, error) {
	if wrong := s.next("Take"); wrong != nil {
		return wrong()
	}
	return s.StateStore.Take(ctx, key)
}

// A logout whose note cannot be kept ends nothing, says so, and may come again.
func TestNoteThatCannotBeKept(t *testing.T) {
	t.Parallel()
	fails := func() ([]byte, bool, error) { return nil, false, errors.New("down") }
	garbage := func() ([]byte, bool, error) { return []byte("garbage"), true, nil }
	taken := func() ([]byte, bool, error) { return nil, false, nil } // somebody else was faster
	for name, wrong := range map[string]map[string]func() ([]byte, bool, error){
		"Get":         {"Get 1": fails},
		"Get garbage": {"Get 1": garbage},
		"Take":        {"Take 1": fails},
		"Add":         {"Add 2": fails},
		"contended":   {"Add 2": taken, "Add 3": taken, "Add 4": taken, "Add 5": taken},
	} {
		state := &scripted{StateStore: saml.NewMemoryState()}
		l := newLeaving(t, func(_ *saml.LoginTrust, c *saml.Config) { c.State = state })
		l.everything(t, l.signIn("s0")) // there is a note
		l.now = now.Add(time.Second)
		message := carriers["redirect"](l.idp.LogoutRequest(l.signIn("s1"), sloURL))
		m := l.idp.LogoutRequest(l.signIn("s2"), sloURL)
		m.SessionIndexes = nil
		all := carriers["redirect"](m)
		state.script(wrong)
		a, err := l.sp.AnswerLogout(context.Background(), all)
		require.NoError(t, err, name)
		require.ErrorIs(t, a.Refusal, saml.StoreFailed, name)
		assert.Equal(t, []string{"s1", "s2"}, l.sessions.indexes(), name)
		state.script(map[string]func() ([]byte, bool, error){"Add 2": taken})
		a, err = l.sp.AnswerLogout(context.Background(), all)
		require.NoError(t, err, name)
		require.Nil(t, a.Refusal, "%s: once somebody else was faster", name)
		assert.Empty(t, l.sessions.indexes(), name)
		state.script(nil)
		a, err = l.sp.AnswerLogout(context.Background(), message)
		require.NoError(t, err, name)
		require.Nil(t, a.Refusal, name)
	}
}

// Of two logouts of one session each time counts that reaches further, in whatever order they come.
func TestNotesAreJoined(t *testing.T) {
	t.Parallel()
	type request struct{ issued, until time.Duration }
	short, long := request{time.Minute, 2 * time.Minute}, request{0, 10 * time.Minute}
	for _, order := range [][]request{{short, long}, {long, short}} {
		state := &scripted{StateStore: saml.NewMemoryState()}
		l := newLeaving(t, func(_ *saml.LoginTrust, c *saml.Config) { c.State, c.ClockSkew = state, time.Second })
		session := l.signIn("s0")
		started, asked := l.start(saml.StartOptions{})
		l.now = now.Add(30 * time.Second)
		held := l.idp.Answer(asked) // issued between the two
		held.Assertion().Statements[0].SessionIndex = "other"
		for _, r := range order {
			for _, indexes := range [][]string{nil, {"s0"}} {
				l.now = now.Add(r.issued)
				m := l.idp.LogoutRequest(session, sloURL)
				m.SessionIndexes, m.NotOnOrAfter = indexes, samltest.Time(now.Add(r.until))
				message := carriers["redirect"](m)
				l.now = now.Add(time.Minute)
				l.leave(message)
			}
		}
		login, err := l.post(held, started.BrowserKey)
		refused(t, saml.LoggedOut, login, err)
		l.now = now.Add(5 * time.Minute)
		login, err = l.login(func(a *samltest.Answer) { a.Assertion().Statements[0].SessionIndex = "s0" })
		refused(t, saml.LoggedOut, login, err)

		// What says nothing new changes nothing.
		l.now = now.Add(time.Minute)
		m := l.idp.LogoutRequest(session, sloURL)
		m.SessionIndexes, m.NotOnOrAfter = nil, samltest.Time(now.Add(2*time.Minute))
		state.script(map[string]func() ([]byte, bool, error){})
		_, err = l.sp.AnswerLogout(context.Background(), carriers["redirect"](m))
		require.NoError(t, err)
		assert.Equal(t, map[string]int{"Add": 1, "Get": 1}, state.calls)
	}
}
