package storetest_test

import (
	"context"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	saml "github.com/logintrust/saml"
	"github.com/logintrust/saml/samltest/storetest"
)

// pause is where a store that is not atomic is overtaken.
func pause() { time.Sleep(time.Millisecond) }

// twice looks and then adds, and looks and then takes.
type twice struct{ *saml.MemoryState }

func (s twice) Add(ctx context.Context, key string, value []byte, keep time.Duration) (bool, error) {
	if _, found, _ := s.Get(ctx, key); found {
		return false, nil
	}
	pause()
	_, err := s.MemoryState.Add(ctx, key, value, keep)
	return err == nil, err
}

type takenTwice struct{ *saml.MemoryState }

func (s takenTwice) Take(ctx context.Context, key string) ([]byte, bool, error) {
	value, found, err := s.Get(ctx, key)
	pause()
	_, _, _ = s.MemoryState.Take(ctx, key)
	return value, found, err
}

// forever forgets nothing.
type forever struct{ *saml.MemoryState }

func (s forever) Add(ctx context.Context, key string, value []byte, keep time.Duration) (bool, error) {
	if keep > 0 {
		keep = time.Hour
	}
	return s.MemoryState.Add(ctx, key, value, keep)
}

// anyKeep keeps for nothing.
type anyKeep struct{ *saml.MemoryState }

func (s anyKeep) Add(ctx context.Context, key string, value []byte, keep time.Duration) (bool, error) {
	return s.MemoryState.Add(ctx, key, value, max(keep, 1))
}

// keeper keeps the caller's slices, and lender lends its own.
type (
	keeper struct {
		*saml.MemoryState
		given *sync.Map
	}
	lender struct{ keeper }
)

func (s keeper) Add(ctx context.Context, key string, value []byte, keep time.Duration) (bool, error) {
	added, err := s.MemoryState.Add(ctx, key, value, keep)
	if added {
		s.given.Store(key, value)
	}
	return added, err
}

func (s keeper) Get(ctx context.Context, key string) ([]byte, bool, error) {
	value, found, err := s.MemoryState.Get(ctx, key)
	if given, kept := s.given.Load(key); found && kept {
		value = given.([]byte)
	}
	return value, found, err
}

func (s lender) Add(ctx context.Context, key string, value []byte, keep time.Duration) (bool, error) {
	return s.keeper.Add(ctx, key, slices.Clone(value), keep)
}

// A directory that looks and then creates.
type createsTwice struct{ *saml.MemoryUsers }

func (d createsTwice) CreateUser(ctx context.Context, n saml.NewUser) (saml.User, bool, error) {
	for _, q := range []saml.UserQuery{{AccountKey: n.AccountKey, AnyOrganization: true}, {Email: n.Email, AnyOrganization: true}, {Username: n.Username, Organization: n.Organization}} {
		if list, _ := d.FindUsers(ctx, q); len(list) > 0 {
			return list[0], false, nil
		}
	}
	pause()
	u := saml.User{Username: n.Username, Organization: n.Organization, Email: n.Email, State: saml.UserActive, Roles: []string{n.Role}, AccountKeys: []string{n.AccountKey}}
	u.ID = d.Set(u)
	return u, true, nil
}

// A directory that forgets whose users are asked for, one that compares loosely, and one that re-activates anybody.
type (
	boundless    struct{ *saml.MemoryUsers }
	looseUsers   struct{ *saml.MemoryUsers }
	reactivator  struct{ *saml.MemoryUsers }
	looseTrusts  struct{ *saml.MemoryTrusts }
	brokenTrusts struct{ *saml.MemoryTrusts }
)

func (d boundless) FindUsers(ctx context.Context, q saml.UserQuery) ([]saml.User, error) {
	q.AnyOrganization = true
	return d.MemoryUsers.FindUsers(ctx, q)
}

func (d looseUsers) FindUsers(ctx context.Context, q saml.UserQuery) (list []saml.User, err error) {
	if q.Username == "%" {
		return d.All(), nil
	}
	return d.MemoryUsers.FindUsers(ctx, q)
}

func (d reactivator) ReactivateUser(_ context.Context, id string) (bool, error) {
	for _, u := range d.All() {
		if u.ID == id {
			u.State = saml.UserActive
			d.Set(u)
		}
	}
	return true, nil
}

func (s looseTrusts) FindTrust(ctx context.Context, domain string) (saml.LoginTrust, bool, error) {
	return s.MemoryTrusts.FindTrust(ctx, strings.TrimSpace(domain))
}

func (s brokenTrusts) FindTrust(ctx context.Context, domain string) (saml.LoginTrust, bool, error) {
	t, found, err := s.MemoryTrusts.FindTrust(ctx, domain)
	t.Organization = ""
	return t, found, err
}

var broken = map[string]func(*testing.T){
	"twice":        state(func() saml.StateStore { return twice{saml.NewMemoryState()} }),
	"takenTwice":   state(func() saml.StateStore { return takenTwice{saml.NewMemoryState()} }),
	"forever":      state(func() saml.StateStore { return forever{saml.NewMemoryState()} }),
	"anyKeep":      state(func() saml.StateStore { return anyKeep{saml.NewMemoryState()} }),
	"keeper":       state(func() saml.StateStore { return keeper{saml.NewMemoryState(), new(sync.Map)} }),
	"lender":       state(func() saml.StateStore { return lender{keeper{saml.NewMemoryState(), new(sync.Map)}} }),
	"createsTwice": users(func(m *saml.MemoryUsers) saml.UserDirectory { return createsTwice{m} }),
	"boundless":    users(func(m *saml.MemoryUsers) saml.UserDirectory { return boundless{m} }),
	"looseUsers":   users(func(m *saml.MemoryUsers) saml.UserDirectory { return looseUsers{m} }),
	"reactivator":  users(func(m *saml.MemoryUsers) saml.UserDirectory { return reactivator{m} }),
	"looseTrusts":  trusts(func(m *saml.MemoryTrusts) saml.TrustStore { return looseTrusts{m} }),
	"brokenTrusts": trusts(func(m *saml.MemoryTrusts) saml.TrustStore { return brokenTrusts{m} }),
}

// says is what a suite says of a store, where that is not plain.
var says = map[string]string{"keeper": "the store kept the caller's slice", "lender": "the store gave its own slice out"}

func state(open func() saml.StateStore) func(*testing.T) {
	return func(t *testing.T) { storetest.StateStore(t, open) }
}

func users(open func(*saml.MemoryUsers) saml.UserDirectory) func(*testing.T) {
	return func(t *testing.T) {
		storetest.UserDirectory(t, func(list ...saml.User) saml.UserDirectory { return open(saml.NewMemoryUsers(list...)) })
	}
}

func trusts(open func(*saml.MemoryTrusts) saml.TrustStore) func(*testing.T) {
	return func(t *testing.T) {
		storetest.TrustStore(t, func(list ...saml.LoginTrust) saml.TrustStore { return open(saml.NewMemoryTrusts(list...)) })
	}
}

// TestBrokenStores sees that each of these stores fails its suite, in a process of its own.
func TestBrokenStores(t *testing.T) {
	if name := os.Getenv("STORETEST_BROKEN"); name != "" {
		broken[name](t)
		return
	}
	t.Parallel()
	for name := range broken {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			suite := exec.Command(os.Args[0], "-test.run=^TestBrokenStores$")
			suite.Env = append(os.Environ(), "STORETEST_BROKEN="+name)
			out, err := suite.CombinedOutput()
			assert.Error(t, err)
			assert.Contains(t, string(out), "--- FAIL", "it passed its suite, or did not run")
			assert.Contains(t, string(out), says[name])
		})
	}
}
