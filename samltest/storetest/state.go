package storetest

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	saml "github.com/logintrust/saml"
)

const (
	keep      = time.Hour
	shortKeep = time.Second
	patience  = 5 * time.Second // until what is kept for shortKeep must have gone
)

// newKey is a key as the library makes them, which no store has seen before.
func newKey() string {
	sum := sha256.Sum256([]byte(rand.Text()))
	return hex.EncodeToString(sum[:])
}

// StateStore tests a saml.StateStore. open returns the store to test; it may hold entries, and may be the same each time.
func StateStore(t *testing.T, open func() saml.StateStore) {
	t.Helper()
	for _, c := range []struct {
		name string
		test func(*stateTest)
	}{
		{"AddGetTake", (*stateTest).addGetTake},
		{"FirstAddWins", (*stateTest).firstAddWins},
		{"Values", (*stateTest).values},
		{"NoMemoryShared", (*stateTest).noMemoryShared},
		{"KeepMustBePositive", (*stateTest).keepMustBePositive},
		{"Expiry", (*stateTest).expiry},
		{"OneAddAtOnce", (*stateTest).oneAddAtOnce},
		{"OneTakeAtOnce", (*stateTest).oneTakeAtOnce},
		{"AddAndTakeAtOnce", (*stateTest).addAndTakeAtOnce},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.test(&stateTest{t, t.Context(), open()})
		})
	}
}

type stateTest struct {
	*testing.T
	ctx   context.Context
	store saml.StateStore
}

// add demands that the store answers as wanted.
func (t *stateTest) add(key string, value []byte, keep time.Duration, want bool) {
	t.Helper()
	added, err := t.store.Add(t.ctx, key, value, keep)
	if err != nil || added != want {
		t.Errorf("Add: got %v, %v, want %v", added, err, want)
	}
}

// holds demands that Get, and with take also Take, finds this value, or nothing if it is nil.
func (t *stateTest) holds(key string, want []byte, take bool) {
	t.Helper()
	ask, name := t.store.Get, "Get"
	if take {
		ask, name = t.store.Take, "Take"
	}
	value, found, err := ask(t.ctx, key)
	switch {
	case err != nil:
		t.Errorf("%s: %v", name, err)
	case found != (want != nil):
		t.Errorf("%s: found %v, want %v", name, found, want != nil)
	case found && !bytes.Equal(value, want):
		t.Errorf("%s: got %d octets, want %d, or others", name, len(value), len(want))
	}
}

func (t *stateTest) addGetTake() {
	key, other, value := newKey(), newKey(), []byte("value")
	t.holds(key, nil, false)
	t.holds(key, nil, true)
	t.add(key, value, keep, true)
	t.holds(other, nil, false)
	t.holds(key, value, false)
	t.holds(key, value, false)
	t.holds(key, value, true)
	t.holds(key, nil, true)
	t.holds(key, nil, false)
	t.add(key, []byte("another"), keep, true)
	t.holds(key, []byte("another"), true)
}

func (t *stateTest) firstAddWins() {
	key := newKey()
	t.add(key, []byte("first"), keep, true)
	t.add(key, []byte("second"), keep, false)
	t.add(key, []byte("first"), keep, false)
	t.holds(key, []byte("first"), true)
}

// values: any octets, up to 256 KiB of them, none included.
func (t *stateTest) values() {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	for _, value := range [][]byte{{}, {0}, all, bytes.Repeat(all, 1024), []byte("\xff\xfe'\";--\\x00")} {
		key := newKey()
		t.add(key, value, keep, true)
		t.holds(key, value, false)
		t.holds(key, value, true)
	}
}

// noMemoryShared: what a caller does with his slice afterwards is his own affair.
func (t *stateTest) noMemoryShared() {
	key, value := newKey(), []byte("value")
	given := slices.Clone(value)
	t.add(key, given, keep, true)
	given[0] = 'X'
	got := t.unchanged(key, value, "the store kept the caller's slice: Add must copy the value")
	if len(got) > 0 {
		got[0] = 'X'
	}
	t.unchanged(key, value, "the store gave its own slice out: Get must copy the value")
	t.holds(key, value, true)
}

// unchanged demands that Get finds this value, and says what is wrong if it finds another.
func (t *stateTest) unchanged(key string, want []byte, wrong string) []byte {
	t.Helper()
	got, found, err := t.store.Get(t.ctx, key)
	switch {
	case err != nil || !found:
		t.Fatalf("Get: got %v, %v, want the value", found, err)
	case !bytes.Equal(got, want):
		t.Fatalf("%s: it changed from %q to %q when the caller wrote into his own", wrong, want, got)
	}
	return got
}

func (t *stateTest) keepMustBePositive() {
	for _, keep := range []time.Duration{0, -1, -time.Hour} {
		key := newKey()
		if added, err := t.store.Add(t.ctx, key, []byte("value"), keep); err == nil || added {
			t.Errorf("Add for %v: got %v, %v, want an error", keep, added, err)
		}
		t.holds(key, nil, false)
	}
}

// expiry: an entry is there for as long as it is to be kept, and then gone for every method.
func (t *stateTest) expiry() {
	began := time.Now()
	got, taken, again, long := newKey(), newKey(), newKey(), newKey()
	for _, key := range []string{got, taken, again} {
		t.add(key, []byte("value"), shortKeep, true)
	}
	t.add(long, []byte("value"), keep, true)
	if value, found, err := t.store.Get(t.ctx, got); !found && err == nil && time.Since(began) < shortKeep/2 {
		t.Errorf("an entry was gone before its time: %q", value)
	}
	for deadline := began.Add(patience); ; time.Sleep(shortKeep / 10) {
		_, found, err := t.store.Get(t.ctx, got)
		if err != nil {
			t.Errorf("Get: %v", err)
			return
		}
		if !found {
			break
		}
		if time.Now().After(deadline) {
			t.Errorf("an entry is still there %v after it was added for %v", patience, shortKeep)
			return
		}
	}
	if early := time.Since(began); early < shortKeep/2 {
		t.Errorf("an entry was gone %v after it was added for %v", early, shortKeep)
	}
	time.Sleep(shortKeep / 10) // the others were added a moment later
	t.holds(taken, nil, true)
	t.add(again, []byte("new"), keep, true)
	t.holds(again, []byte("new"), true)
	t.holds(long, []byte("value"), true)
}

func (t *stateTest) oneAddAtOnce() {
	key := newKey()
	var added atomic.Int32
	var winner atomic.Int32
	atOnce(func(i int) {
		ok, err := t.store.Add(t.ctx, key, []byte{byte(i)}, keep)
		if err != nil {
			t.Errorf("Add: %v", err)
		}
		if ok {
			added.Add(1)
			winner.Store(int32(i))
		}
	})
	if n := added.Load(); n != 1 {
		t.Errorf("%d of %d additions at once under one key succeeded, want 1", n, many)
		return
	}
	t.holds(key, []byte{byte(winner.Load())}, true)
}

func (t *stateTest) oneTakeAtOnce() {
	key := newKey()
	t.add(key, []byte("value"), keep, true)
	var taken atomic.Int32
	atOnce(func(int) {
		_, found, err := t.store.Take(t.ctx, key)
		if err != nil {
			t.Errorf("Take: %v", err)
		}
		if found {
			taken.Add(1)
		}
	})
	if n := taken.Load(); n != 1 {
		t.Errorf("%d of %d takers at once found the entry, want 1", n, many)
	}
}

// addAndTakeAtOnce: what is taken was added, as often as it was.
func (t *stateTest) addAndTakeAtOnce() {
	key := newKey()
	var added, taken atomic.Int32
	atOnce(func(i int) {
		if i%2 == 0 {
			ok, err := t.store.Add(t.ctx, key, []byte("value"), keep)
			if err != nil {
				t.Errorf("Add: %v", err)
			}
			if ok {
				added.Add(1)
			}
			return
		}
		_, found, err := t.store.Take(t.ctx, key)
		if err != nil {
			t.Errorf("Take: %v", err)
		}
		if found {
			taken.Add(1)
		}
	})
	if _, found, err := t.store.Take(t.ctx, key); err == nil && found {
		taken.Add(1)
	}
	if added.Load() != taken.Load() {
		t.Errorf("%d additions and %d takes of one entry", added.Load(), taken.Load())
	}
}
