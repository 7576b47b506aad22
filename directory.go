package saml

import (
	"cmp"
	"context"
	"crypto/rand"
	"maps"
	"slices"
	"strings"
	"sync"
)

// A UserDirectory is the application's list of users, where a login finds, creates and re-activates its user. Its methods
// are called concurrently, by all processes that serve the application. An error means that the directory could not be
// asked; it refuses the login.
type UserDirectory interface {
	// FindUsers returns all users who fit the query. None is an empty list, not an error. What it returns is held against the
	// query once more, so a database that compares more loosely must not cut the list short.
	FindUsers(ctx context.Context, q UserQuery) ([]User, error)
	// CreateUser makes an active user, atomically: if a user of any organization has the account key already, or the e-mail
	// address, or one of that organization the user name, then nothing is made, created is false, and user is the one in the
	// way. Of two first logins at once one makes the user, and the other finds him.
	CreateUser(ctx context.Context, n NewUser) (user User, created bool, err error)
	// ReactivateUser makes the user with that ID active if he is UserLoginDisabled at this moment, and says whether he was.
	// No other state is ever changed.
	ReactivateUser(ctx context.Context, id string) (reactivated bool, err error)
}

// A UserQuery asks for users by exactly one of AccountKey, Username and Email.
type UserQuery struct {
	// Organization is whose users are asked for, unless AnyOrganization is set. "" is the organization of users who have none.
	Organization    string
	AnyOrganization bool
	// AccountKey is one of User.AccountKeys.
	AccountKey string
	// Username is compared octet for octet.
	Username string
	// Email is compared without regard to ASCII case. Several users may share an address.
	Email string
}

// fits reports whether the query's key is the user's; the organization is a question of its own.
func (q UserQuery) fits(u User) bool {
	switch {
	case q.AccountKey != "":
		return slices.Contains(u.AccountKeys, q.AccountKey)
	case q.Username != "":
		return u.Username == q.Username
	}
	return q.Email != "" && equalASCIIFold(u.Email, q.Email)
}

// equalASCIIFold compares without regard to ASCII case. Unlike strings.EqualFold it takes no foreign letter, such as the
// Kelvin sign, for one of ours.
func equalASCIIFold(a, b string) bool { return lowerASCII(a) == lowerASCII(b) }

func lowerASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}

// MemoryUsers is a UserDirectory in memory, for tests, examples and small applications: every question looks at every user.
type MemoryUsers struct {
	mu    sync.RWMutex
	users map[string]User
}

// NewMemoryUsers returns a directory that holds these users.
func NewMemoryUsers(users ...User) *MemoryUsers {
	m := &MemoryUsers{users: make(map[string]User, len(users))}
	for _, u := range users {
		m.Set(u)
	}
	return m
}

// Set adds a user, or replaces the one with the same ID, and returns the ID, which is a new one if it was empty.
func (m *MemoryUsers) Set(u User) (id string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.set(u).ID
}

func (m *MemoryUsers) set(u User) User {
	if m.users == nil {
		m.users = make(map[string]User)
	}
	u.ID = cmp.Or(u.ID, rand.Text())
	m.users[u.ID] = u.clone()
	return u
}

// All returns the users, by Organization and Username.
func (m *MemoryUsers) All() []User {
	m.mu.RLock()
	defer m.mu.RUnlock()
	list := slices.SortedFunc(maps.Values(m.users), func(a, b User) int {
		return cmp.Or(cmp.Compare(a.Organization, b.Organization), cmp.Compare(a.Username, b.Username), cmp.Compare(a.ID, b.ID))
	})
	for i := range list {
		list[i] = list[i].clone()
	}
	return list
}

// FindUsers implements UserDirectory.
func (m *MemoryUsers) FindUsers(_ context.Context, q UserQuery) ([]User, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.find(q), nil
}

func (m *MemoryUsers) find(q UserQuery) (list []User) {
	for _, u := range m.users {
		if q.fits(u) && (q.AnyOrganization || u.Organization == q.Organization) {
			list = append(list, u.clone())
		}
	}
	return list
}

// CreateUser implements UserDirectory.
func (m *MemoryUsers) CreateUser(_ context.Context, n NewUser) (User, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, q := range []UserQuery{
		{AccountKey: n.AccountKey, AnyOrganization: true},
		{Username: n.Username, Organization: n.Organization},
		{Email: n.Email, AnyOrganization: true},
	} {
		if taken := m.find(q); len(taken) > 0 {
			return taken[0], false, nil
		}
	}
	return m.set(n.user()), true, nil
}

// ReactivateUser implements UserDirectory.
func (m *MemoryUsers) ReactivateUser(_ context.Context, id string) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	u, found := m.users[id]
	if !found || u.State != UserLoginDisabled {
		return false, nil
	}
	u.State = UserActive
	m.users[id] = u
	return true, nil
}
