package saml_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml"
	"github.com/logintrust/saml/samltest"
)

// partlyDown is a directory that fails for some questions.
type partlyDown struct {
	*saml.MemoryUsers
	fails func(q saml.UserQuery) bool
}

func (p partlyDown) FindUsers(ctx context.Context, q saml.UserQuery) ([]saml.User, error) {
	if p.fails(q) {
		return nil, errBroken
	}
	return p.MemoryUsers.FindUsers(ctx, q)
}

// A question that fails is no answer: whoever was to be found by it is not looked for by something else, and nobody is made.
func TestDirectoryFailsForOneQuestion(t *testing.T) {
	t.Parallel()
	for name, fails := range map[string]func(q saml.UserQuery) bool{
		"account key": func(q saml.UserQuery) bool { return q.AccountKey != "" },
		"user name":   func(q saml.UserQuery) bool { return q.Username != "" },
		"address":     func(q saml.UserQuery) bool { return q.Email != "" },
	} {
		users := saml.NewMemoryUsers()
		w := newTown(t, creating, func(_ *saml.LoginTrust, c *saml.Config) { c.Users = partlyDown{users, fails} })
		if name != "address" && name != "user name" {
			users.Set(resident("alice"))
		}
		before := len(users.All())
		login, err := w.login()
		denied(t, saml.StoreFailed, login, err)
		assert.Len(t, users.All(), before, name)
	}
}

// obedient is a directory that makes whoever it is asked to make.
type obedient struct{ *saml.MemoryUsers }

func (o obedient) CreateUser(_ context.Context, n saml.NewUser) (saml.User, bool, error) {
	u := saml.User{ID: "new", Username: n.Username, Organization: n.Organization, Email: n.Email, Roles: []string{n.Role}, State: saml.UserActive}
	o.Set(u)
	return u, true, nil
}

// The address of somebody else makes no user, even if the directory would let it.
//
// req: LT-49
func TestEmailTakenIsAskedFor(t *testing.T) {
	t.Parallel()
	users := saml.NewMemoryUsers(resident("x", func(u *saml.User) { u.Email, u.Organization = "alice@example.com", "rival" }))
	w := newTown(t, creating, func(_ *saml.LoginTrust, c *saml.Config) { c.Users = obedient{users} })
	login, err := w.login()
	denied(t, saml.EmailTaken, login, err)
	assert.Len(t, users.All(), 1)
}

// quick is a directory in which another login is faster: once it makes the user itself, and says that he is there.
type quick struct {
	*saml.MemoryUsers
	done bool
}

func (q *quick) CreateUser(ctx context.Context, n saml.NewUser) (saml.User, bool, error) {
	if q.done {
		return q.MemoryUsers.CreateUser(ctx, n)
	}
	q.done = true
	user, _, err := q.MemoryUsers.CreateUser(ctx, n)
	return user, false, err
}

func TestAnotherLoginIsFaster(t *testing.T) {
	t.Parallel()
	w := newTown(t, creating, func(_ *saml.LoginTrust, c *saml.Config) { c.Users = &quick{MemoryUsers: saml.NewMemoryUsers()} })
	login, err := w.login()
	assert.Equal(t, "alice", userOf(t, login, err).Username)
	assert.False(t, login.Created())
}

// contrary is a directory that finds nobody and makes nobody, since somebody is in the way.
type contrary struct {
	edit  func(u *saml.User)
	found []saml.User
}

func (c contrary) FindUsers(context.Context, saml.UserQuery) ([]saml.User, error) {
	return c.found, nil
}
func (c contrary) CreateUser(_ context.Context, n saml.NewUser) (saml.User, bool, error) {
	u := resident("somebody", func(u *saml.User) { u.AccountKeys = []string{n.AccountKey} })
	c.edit(&u)
	return u, false, nil
}
func (c contrary) ReactivateUser(context.Context, string) (bool, error) { return false, nil }

func TestContraryDirectory(t *testing.T) {
	t.Parallel()
	asleep := resident("alice", func(u *saml.User) { u.State = saml.UserLoginDisabled })
	for name, c := range map[string]struct {
		users  saml.UserDirectory
		reason saml.Reason
	}{
		"the subject's own user, whom it does not find": {contrary{edit: func(*saml.User) {}}, saml.StoreFailed},
		"his user in another organization":              {contrary{edit: func(u *saml.User) { u.Organization = "rival" }}, saml.WrongOrganization},
		"somebody of the name":                          {contrary{edit: func(u *saml.User) { u.AccountKeys = nil }}, saml.UsernameTaken},
		"somebody with the address":                     {contrary{edit: func(u *saml.User) { u.AccountKeys, u.Email = nil, "ALICE@example.com" }}, saml.EmailTaken},
		"a user who cannot be woken":                    {contrary{found: []saml.User{asleep}}, saml.UserDisabled},
		"a new user without ID":                         {maker{saml.User{Organization: "acme", Roles: []string{"r"}, State: saml.UserActive}}, saml.StoreFailed},
	} {
		w := newTown(t, creating, editTrust(reactivating), func(_ *saml.LoginTrust, conf *saml.Config) { conf.Users = c.users })
		login, err := w.login()
		e := refused(t, c.reason, login, err)
		assert.Equal(t, c.reason, e.Reason, name)
	}
}

// A blank address is none, and a trust for any organization asserts addresses of any domain.
func TestAddressOfANewUser(t *testing.T) {
	t.Parallel()
	w := newTown(t, creating)
	login, err := w.login(attributes("firstname", "Alice", "lastname", "Smith", "email", " "))
	assert.Empty(t, userOf(t, login, err).Email)
	w = newTown(t, creating, editTrust(func(t *saml.LoginTrust) { t.AllowAnyOrganization, t.EmailDomains = true, nil }))
	login, err = w.login(attributes("firstname", "Alice", "lastname", "Smith", "email", "alice@rival.example"))
	assert.Equal(t, "alice@rival.example", userOf(t, login, err).Email)
}

// What is nearly an address finds nobody, and is not taken for one of another domain.
func TestAddressesThatAreNone(t *testing.T) {
	t.Parallel()
	w := newTown(t, creating, editTrust(func(t *saml.LoginTrust) { t.Match, t.EmailDomains = saml.MatchEmail, []string{"example.com"} }))
	for _, email := range []string{"alice", "@example.com", "alice@", "@", "al\u200bice@example.com", "alice@exam\u00adple.com", "a,b@example.com",
		strings.Repeat("a", 243) + "@example.com"} {
		login, err := w.login(attributes("email", email, "firstname", "A", "lastname", "B"))
		e := refused(t, saml.BadAttribute, login, err)
		require.NotNil(t, e, email)
	}
	login, err := w.login(attributes("email", strings.Repeat("a", 242)+"@example.com", "firstname", "A", "lastname", "B"))
	accepted(t, login, err)
}

// Transient names of one issuer among several are not one user.
//
// req: LT-49
func TestTransientNamesOfAResolvedIssuer(t *testing.T) {
	t.Parallel()
	w := newTown(t, creating, func(trust *saml.LoginTrust, c *saml.Config) {
		trust.Domain, trust.AllowTransientNameID = tenants, true
		c.ResolveIssuer = func(_ context.Context, issuer string) (string, bool, error) { return admitted(issuer) }
	})
	w.idp.EntityID = tenants
	transient := func(name string) func(*samltest.Answer) {
		return func(a *samltest.Answer) {
			a.Assertion().Subject.NameID.Format, a.Assertion().Subject.NameID.Value = samltest.FormatTransient, name
		}
	}
	noEmail := attributes("firstname", "Alice", "lastname", "Smith")
	first, err := w.login(of(tenantA), noEmail, transient("t1"))
	one := userOf(t, first, err)
	second, err := w.login(of(tenantA), noEmail, transient("t2"))
	assert.NotEqual(t, one.ID, userOf(t, second, err).ID)
}
