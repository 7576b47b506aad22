package saml_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml"
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
	a, err := l.sp.AnswerLogout(context.Background(), carriers["redirect"](m))
	require.NoError(t, err)
	require.Nil(t, a.Refusal)
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
	a, err := l.sp.AnswerLogout(context.Background(), message)
	require.NoError(t, err)
	require.Nil(t, a.Refusal)
	login, err := l.post(held, started.BrowserKey)
	refused(t, saml.LoggedOut, login, err)
}

// The note of a logout outlives a second one whose browser goes away at the worst moment.
func TestNoteOutlivesACancelledLogout(t *testing.T) {
	t.Parallel()
	l, state := newCaller(t)
	session := l.signIn("s0")
	started, request := l.start(saml.StartOptions{})
	held := l.idp.Answer(request)
	l.everything(t, session)
	l.now = now.Add(time.Second)
	again := l.idp.LogoutRequest(session, sloURL)
	again.SessionIndexes = nil
	ctx, cancel := context.WithCancel(context.Background())
	state.taken = cancel
	_, err := l.sp.AnswerLogout(ctx, carriers["redirect"](again))
	require.NoError(t, err)
	state.taken = nil
	login, err := l.post(held, started.BrowserKey)
	refused(t, saml.LoggedOut, login, err)
}

// A request that names a hundred sessions is remembered by few entries, and not for longer than an answer may come.
func TestLogoutOfManySessions(t *testing.T) {
	t.Parallel()
	l, state := newCaller(t)
	session := l.signIn("s0")
	started, request := l.start(saml.StartOptions{})
	held := l.idp.Answer(request)
	m := l.idp.LogoutRequest(session, sloURL)
	m.SessionIndexes = nil
	for i := range 100 {
		m.SessionIndexes = append(m.SessionIndexes, string(rune('A'+i)))
	}
	state.entries, state.keep = 0, 0
	a, err := l.sp.AnswerLogout(context.Background(), carriers["post"](m))
	require.NoError(t, err)
	require.Nil(t, a.Refusal)
	assert.LessOrEqual(t, state.entries, 2)
	assert.Less(t, state.keep, 25*time.Hour)
	login, err := l.post(held, started.BrowserKey)
	refused(t, saml.LoggedOut, login, err)
}

// White space around a session's name is no part of it: in a request it may stand around the element's text.
func TestLogoutOfASessionNamedWithSpace(t *testing.T) {
	t.Parallel()
	l := newLeaving(t)
	session := l.signIn(" s1")
	started, request := l.start(saml.StartOptions{})
	held := l.idp.Answer(request)
	held.Assertion().Statements[0].SessionIndex = "s1 "
	a, err := l.sp.AnswerLogout(context.Background(), carriers["post"](l.idp.LogoutRequest(session, sloURL)))
	require.NoError(t, err)
	require.Nil(t, a.Refusal)
	assert.Equal(t, 1, a.Ended)
	login, err := l.post(held, started.BrowserKey)
	refused(t, saml.LoggedOut, login, err)
}
