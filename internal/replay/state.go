package replay

import (
	"context"
	"errors"
	"time"
)

// state is a saml.StateStore whose clock is the case's, so that a request expires in a sequence of posts that lie hours
// apart. It serves one case, in one goroutine.
type state struct {
	now     func() time.Time
	entries map[string]stateEntry
}

type stateEntry struct {
	value   []byte
	expires time.Time
}

func newState(now func() time.Time) *state { return &state{now: now, entries: map[string]stateEntry{}} }

func (s *state) Add(_ context.Context, key string, value []byte, keep time.Duration) (bool, error) {
	if keep <= 0 {
		return false, errors.New("replay: a state entry must be kept for longer than nothing")
	}
	if _, found := s.find(key); found {
		return false, nil
	}
	s.entries[key] = stateEntry{value, s.now().Add(keep)}
	return true, nil
}

func (s *state) Get(_ context.Context, key string) ([]byte, bool, error) {
	value, found := s.find(key)
	return value, found, nil
}

func (s *state) Take(_ context.Context, key string) ([]byte, bool, error) {
	value, found := s.find(key)
	delete(s.entries, key)
	return value, found, nil
}

func (s *state) find(key string) ([]byte, bool) {
	e, found := s.entries[key]
	if !found || !s.now().Before(e.expires) {
		return nil, false
	}
	return e.value, true
}
