package storetest

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	saml "github.com/logintrust/saml"
)

// UserDirectory tests a saml.UserDirectory. open returns a directory that holds these users and no other. Their IDs may be
// given anew, if the directory makes its own; everything else is to be kept.
func UserDirectory(t *testing.T, open func(users ...saml.User) saml.UserDirectory) {
	t.Helper()
	for _, c := range []struct {
		name string
		test func(*userTest)
	}{
		{"Find", (*userTest).find},
		{"FindNobody", (*userTest).findNobody},
		{"Create", (*userTest).create},
		{"CreateTaken", (*userTest).createTaken},
		{"Reactivate", (*userTest).reactivate},
		{"OneCreatedAtOnce", (*userTest).oneCreatedAtOnce},
		{"OneAddressAtOnce", (*userTest).oneAddressAtOnce},
		{"OneReactivatedAtOnce", (*userTest).oneReactivatedAtOnce},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.test(&userTest{t, t.Context(), open(residents()...)})
		})
	}
}

// residents are users of two organizations: two with one name, two with one address, one in each state.
func residents() []saml.User {
	list := []saml.User{
		{ID: "1", Username: "alice", Organization: "a", Email: "Alice@example.com", FirstName: "Alice", LastName: "O'Søren <b>", Department: "ward 7",
			Type: "customer", Roles: []string{"reader", "writer"}, AccountKeys: []string{"key-1", "key-2"}, State: saml.UserActive},
		{ID: "2", Username: "alice", Organization: "b", Roles: []string{"reader"}, State: saml.UserActive},
		{ID: "3", Username: "bob", Organization: "a", Email: "shared@example.com", State: saml.UserActive, SSODisabled: true},
		{ID: "4", Username: "carol", Organization: "a", Email: "SHARED@example.com", State: saml.UserActive, Privileged: true},
		{ID: "5", Username: "nobody's", Email: "free@example.com", State: saml.UserActive},
	}
	for i, state := range states {
		list = append(list, saml.User{ID: fmt.Sprint(10 + i), Username: state.String(), Organization: "a", Roles: []string{"reader"}, State: state})
	}
	return list
}

var states = []saml.UserState{saml.UserActive, saml.UserLoginDisabled, saml.UserDeleted, saml.UserLocked, saml.UserExpired}

type userTest struct {
	*testing.T
	ctx   context.Context
	users saml.UserDirectory
}

// one demands exactly one user.
func (t *userTest) one(q saml.UserQuery) (u saml.User) {
	t.Helper()
	list := t.all(q)
	if len(list) != 1 {
		t.Fatalf("FindUsers %+v: got %d users, want 1", q, len(list))
	}
	if list[0].ID == "" {
		t.Errorf("FindUsers %+v: a user without ID", q)
	}
	return list[0]
}

func (t *userTest) all(q saml.UserQuery) []saml.User {
	t.Helper()
	list, err := t.users.FindUsers(t.ctx, q)
	if err != nil {
		t.Fatalf("FindUsers %+v: %v", q, err)
	}
	return list
}

func (t *userTest) find() {
	alice := t.one(saml.UserQuery{Username: "alice", Organization: "a"})
	want := residents()[0]
	slices.Sort(alice.Roles)
	slices.Sort(alice.AccountKeys)
	want.ID = alice.ID
	if fmt.Sprintf("%+v", alice) != fmt.Sprintf("%+v", want) {
		t.Errorf("FindUsers: got %+v, want %+v", alice, want)
	}
	for _, q := range []saml.UserQuery{
		{AccountKey: "key-1", Organization: "a"}, {AccountKey: "key-2", AnyOrganization: true}, {Email: "alice@EXAMPLE.com", Organization: "a"},
		{Email: "Alice@example.com", AnyOrganization: true},
	} {
		if got := t.one(q); got.ID != alice.ID {
			t.Errorf("FindUsers %+v: another user", q)
		}
	}
	if other := t.one(saml.UserQuery{Username: "alice", Organization: "b"}); other.ID == alice.ID || other.Organization != "b" {
		t.Errorf("FindUsers: got %+v, want the user of that name in b", other)
	}
	if !t.one(saml.UserQuery{Username: "bob", Organization: "a"}).SSODisabled || !t.one(saml.UserQuery{Username: "carol", Organization: "a"}).Privileged {
		t.Errorf("FindUsers: SSODisabled or Privileged is lost")
	}
	t.one(saml.UserQuery{Username: "nobody's"})
	for _, state := range states {
		if got := t.one(saml.UserQuery{Username: state.String(), Organization: "a"}).State; got != state {
			t.Errorf("FindUsers: got a user who is %v, want %v", got, state)
		}
	}
	for _, q := range []saml.UserQuery{{Username: "alice", AnyOrganization: true}, {Email: "Shared@Example.com", Organization: "a"}} {
		if n := len(t.all(q)); n != 2 {
			t.Errorf("FindUsers %+v: got %d users, want 2", q, n)
		}
	}
}

func (t *userTest) findNobody() {
	for _, q := range []saml.UserQuery{
		{Username: "alice", Organization: "c"}, {Username: "alice"}, {Username: "dave", AnyOrganization: true}, {AccountKey: "key-1", Organization: "b"},
		{AccountKey: "key", AnyOrganization: true}, {Email: "shared@example.com", Organization: "b"}, {Email: "shared@example.org", AnyOrganization: true},
		{Username: "alice' OR 'a'='a", AnyOrganization: true}, {Username: "%", AnyOrganization: true}, {Username: "_____", AnyOrganization: true},
	} {
		if list := t.all(q); len(list) != 0 {
			t.Errorf("FindUsers %+v: got %d users, want none", q, len(list))
		}
	}
}

// newcomer is a user whom nobody is like.
func newcomer() saml.NewUser {
	return saml.NewUser{Username: "dave", Organization: "a", Email: "dave@example.com", FirstName: "Dave", LastName: "Müller", Department: "ward 8",
		Role: "writer", AccountKey: "key-9"}
}

func (t *userTest) create() {
	n := newcomer()
	made, created, err := t.users.CreateUser(t.ctx, n)
	if err != nil || !created {
		t.Fatalf("CreateUser: got %v, %v", created, err)
	}
	found := t.one(saml.UserQuery{AccountKey: "key-9", Organization: "a"})
	for _, u := range []saml.User{made, found} {
		if u.ID != made.ID || u.ID == "" || u.Username != n.Username || u.Organization != n.Organization || u.Email != n.Email ||
			u.FirstName != n.FirstName || u.LastName != n.LastName || u.Department != n.Department || u.State != saml.UserActive ||
			!slices.Equal(u.Roles, []string{n.Role}) || !slices.Equal(u.AccountKeys, []string{n.AccountKey}) {
			t.Errorf("CreateUser: got %+v, want %+v", u, n)
		}
	}
	// Neither an address nor an account key need be given, and two users may lack them.
	for _, name := range []string{"erin", "frank"} {
		n := saml.NewUser{Username: name, Organization: "a", FirstName: "F", LastName: "L", Role: "reader"}
		if made, created, err := t.users.CreateUser(t.ctx, n); err != nil || !created || len(made.AccountKeys) != 0 || made.Email != "" {
			t.Errorf("CreateUser without address and account key: got %v, %v, %v", made, created, err)
		}
	}
	n = saml.NewUser{Username: "bob", Organization: "b", FirstName: "F", LastName: "L", Role: "reader"}
	if _, created, err := t.users.CreateUser(t.ctx, n); err != nil || !created {
		t.Errorf("CreateUser: a name of another organization: got %v, %v, want a new user", created, err)
	}
}

// createTaken: nothing is made beside somebody, and it is he who is returned.
func (t *userTest) createTaken() {
	for _, c := range []struct {
		name     string
		change   func(*saml.NewUser)
		inTheWay func(saml.User) bool
	}{
		{"account key", func(n *saml.NewUser) { n.AccountKey = "key-2" }, func(u saml.User) bool { return slices.Contains(u.AccountKeys, "key-2") }},
		{"account key, another organization", func(n *saml.NewUser) { n.AccountKey, n.Organization = "key-1", "b" }, func(u saml.User) bool { return u.Organization == "a" }},
		{"user name", func(n *saml.NewUser) { n.Username = "alice" }, func(u saml.User) bool { return u.Username == "alice" && u.Organization == "a" }},
		{"address", func(n *saml.NewUser) { n.Email = "ALICE@example.com" }, func(u saml.User) bool { return u.Email == "Alice@example.com" }},
		{"address, another organization", func(n *saml.NewUser) { n.Email, n.Organization = "free@example.com", "b" }, func(u saml.User) bool { return u.Username == "nobody's" }},
	} {
		n := newcomer()
		c.change(&n)
		user, created, err := t.users.CreateUser(t.ctx, n)
		if err != nil || created || !c.inTheWay(user) {
			t.Errorf("CreateUser with a taken %s: got %+v, %v, %v, want who has it and false", c.name, user, created, err)
		}
		if c.name != "user name" && len(t.all(saml.UserQuery{Username: n.Username, AnyOrganization: true})) != 0 {
			t.Errorf("CreateUser with a taken %s made a user all the same", c.name)
		}
	}
}

func (t *userTest) reactivate() {
	for _, state := range states {
		q := saml.UserQuery{Username: state.String(), Organization: "a"}
		reactivated, err := t.users.ReactivateUser(t.ctx, t.one(q).ID)
		if err != nil || reactivated != (state == saml.UserLoginDisabled) {
			t.Errorf("ReactivateUser of one who is %v: got %v, %v", state, reactivated, err)
		}
		want := state
		if reactivated {
			want = saml.UserActive
		}
		if got := t.one(q).State; got != want {
			t.Errorf("ReactivateUser of one who is %v made him %v", state, got)
		}
	}
	if reactivated, err := t.users.ReactivateUser(t.ctx, "no such user"); err == nil && reactivated {
		t.Errorf("ReactivateUser of nobody succeeded")
	}
}

func (t *userTest) oneCreatedAtOnce() {
	var made atomic.Int32
	var ids sync.Map
	atOnce(func(int) {
		u, created, err := t.users.CreateUser(t.ctx, newcomer())
		if err != nil {
			t.Errorf("CreateUser: %v", err)
			return
		}
		if created {
			made.Add(1)
		}
		ids.Store(u.ID, true)
	})
	n := 0
	ids.Range(func(any, any) bool { n++; return true })
	if made.Load() != 1 || n != 1 {
		t.Errorf("%d first logins at once made %d users and met %d, want 1", many, made.Load(), n)
	}
	t.one(saml.UserQuery{Username: "dave", AnyOrganization: true})
}

// oneAddressAtOnce: different subjects that assert one address.
func (t *userTest) oneAddressAtOnce() {
	var made atomic.Int32
	atOnce(func(i int) {
		n := newcomer()
		n.Username, n.AccountKey = fmt.Sprint("dave", i), fmt.Sprint("key-9-", i)
		if _, created, err := t.users.CreateUser(t.ctx, n); err != nil {
			t.Errorf("CreateUser: %v", err)
		} else if created {
			made.Add(1)
		}
	})
	if made.Load() != 1 {
		t.Errorf("%d users at once with one address: %d were made, want 1", many, made.Load())
	}
	t.one(saml.UserQuery{Email: "dave@example.com", AnyOrganization: true})
}

func (t *userTest) oneReactivatedAtOnce() {
	id := t.one(saml.UserQuery{Username: saml.UserLoginDisabled.String(), Organization: "a"}).ID
	var reactivated atomic.Int32
	atOnce(func(int) {
		if done, err := t.users.ReactivateUser(t.ctx, id); err != nil {
			t.Errorf("ReactivateUser: %v", err)
		} else if done {
			reactivated.Add(1)
		}
	})
	if reactivated.Load() != 1 {
		t.Errorf("%d re-activations at once: %d succeeded, want 1", many, reactivated.Load())
	}
}
