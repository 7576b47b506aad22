package saml_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml"
	"github.com/logintrust/saml/samltest"
)

// req: LT-19 LT-49 LT-50 SA-07 SA-14
func TestCreation(t *testing.T) {
	t.Parallel()
	w := newTown(t, creating)
	login, err := w.login()
	user := userOf(t, login, err)
	assert.True(t, login.Created())
	key, err := login.Subject().AccountKey()
	require.NoError(t, err)
	assert.Equal(t, saml.User{ID: user.ID, Username: "alice", Organization: "acme", Email: "alice@example.com", FirstName: "Alice", LastName: "Smith",
		Department: "ward 7", Roles: []string{"reader"}, AccountKeys: []string{key}, State: saml.UserActive}, user)
	assert.NotEmpty(t, user.ID)
	login, err = w.login(attributes()) // whom it has made needs no names any more
	assert.Equal(t, user.ID, userOf(t, login, err).ID)
	assert.False(t, login.Created())

	w = newTown(t, creating, editTrust(func(t *saml.LoginTrust) { t.DefaultDepartment = "" }))
	login, err = w.login(attributes("firstname", " Zoë\n", "lastname", "O'Søren <b>"))
	user = userOf(t, login, err)
	assert.Equal(t, []string{"Zoë", "O'Søren <b>", "", ""}, []string{user.FirstName, user.LastName, user.Email, user.Department})

	w = newTown(t) // without the option
	login, err = w.login()
	denied(t, saml.InvalidUser, login, err)
	assert.Empty(t, w.users.All())

	w = newTown(t, creating) // from a bad signature
	login, err = w.login(func(a *samltest.Answer) { a.Bytes = replaceBytes("alice", "mallory") })
	denied(t, saml.BadSignature, login, err)
	assert.Empty(t, w.users.All())

	w = newTown(t, creating) // an answer that is refused for any other reason
	login, err = w.post(w.unsolicited(), "")
	denied(t, saml.UnsolicitedNotAllowed, login, err)
	assert.Empty(t, w.users.All())
}

// req: SA-13
func TestCreationNeedsNames(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 256)
	for name, c := range map[string]struct {
		pairs   []string
		reason  saml.Reason
		missing []string
	}{
		"no last name":      {[]string{"firstname", "F"}, saml.MissingAttribute, []string{"lastname"}},
		"no first name":     {[]string{"lastname", "L"}, saml.MissingAttribute, []string{"firstname"}},
		"neither":           {nil, saml.MissingAttribute, []string{"firstname", "lastname"}},
		"empty":             {[]string{"firstname", "F", "lastname", ""}, saml.MissingAttribute, []string{"lastname"}},
		"white space":       {[]string{"firstname", "F", "lastname", " \t\u00a0"}, saml.MissingAttribute, []string{"lastname"}},
		"letter case":       {[]string{"firstname", "F", "LastName", "L"}, saml.MissingAttribute, []string{"lastname"}},
		"twice":             {[]string{"firstname", "F", "lastname", "L", "lastname", "M"}, saml.BadAttribute, nil},
		"long":              {[]string{"firstname", long, "lastname", "L"}, saml.BadAttribute, nil},
		"control":           {[]string{"firstname", "F\u0085", "lastname", "L\u0085L"}, saml.BadAttribute, nil},
		"two addresses":     {[]string{"firstname", "F", "lastname", "L", "email", "a@example.com", "email", "b@example.com"}, saml.BadAttribute, nil},
		"no address at all": {[]string{"firstname", "F", "lastname", "L", "email", "nonsense"}, saml.BadAttribute, nil},
		"a foreign address": {[]string{"firstname", "F", "lastname", "L", "email", "admin@rival.example"}, saml.WrongEmailDomain, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newTown(t, creating)
			login, err := w.login(attributes(c.pairs...))
			e := denied(t, c.reason, login, err)
			assert.Equal(t, c.missing, e.Missing)
			assert.NotContains(t, e.Error(), "rival")
			assert.Empty(t, w.users.All())
		})
	}
	t.Run("by a product's names", func(t *testing.T) {
		t.Parallel()
		w := newTown(t, creating, editTrust(func(t *saml.LoginTrust) { t.Attributes = saml.EntraID.AttributeNames() }))
		login, err := w.login()
		e := denied(t, saml.MissingAttribute, login, err)
		assert.Equal(t, []string{"http://schemas.xmlsoap.org/ws/2005/05/identity/claims/givenname", "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/surname"}, e.Missing)
		const claims = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"
		login, err = w.login(attributes(claims+"surname", "L", claims+"emailaddress", "x@example.com", claims+"givenname", "F"))
		user := userOf(t, login, err)
		assert.Equal(t, []string{"F", "L", "x@example.com"}, []string{user.FirstName, user.LastName, user.Email})
	})
	t.Run("null and XML", func(t *testing.T) {
		t.Parallel()
		w := newTown(t, creating)
		edit := func(v samltest.Value) func(*samltest.Answer) {
			return func(a *samltest.Answer) { a.Assertion().Attributes[1].Values = []samltest.Value{v} }
		}
		login, err := w.login(edit(samltest.Value{Nil: true}))
		denied(t, saml.MissingAttribute, login, err)
		login, err = w.login(edit(samltest.Value{Text: "L", Raw: []string{`<x:y xmlns:x="urn:x"/>`}}))
		denied(t, saml.BadAttribute, login, err)
		assert.Empty(t, w.users.All())
	})
}

// An address that anybody has, anywhere, makes no user and is never merged.
func TestEmailTaken(t *testing.T) {
	t.Parallel()
	administrator := saml.User{ID: "root", Username: "root", Organization: "headquarters", Email: "ALICE@example.com", Roles: []string{"administrator"},
		State: saml.UserActive, Privileged: true}
	for _, any := range []bool{false, true} {
		w := newTown(t, creating, editTrust(func(t *saml.LoginTrust) { t.AllowAnyOrganization = any }))
		w.users.Set(administrator)
		login, err := w.login()
		denied(t, saml.EmailTaken, login, err)
		assert.Equal(t, []saml.User{administrator}, w.users.All())
	}
	// The directory is the last to say so: here it did not tell before.
	w := newTown(t, creating, func(_ *saml.LoginTrust, c *saml.Config) {
		c.Users = forgetfulUsers{saml.NewMemoryUsers(administrator)}
	})
	login, err := w.login()
	denied(t, saml.EmailTaken, login, err)
	w = newTown(t, creating, func(_ *saml.LoginTrust, c *saml.Config) {
		c.Users = forgetfulUsers{saml.NewMemoryUsers(resident("alice"))}
	})
	login, err = w.login()
	denied(t, saml.UsernameTaken, login, err)
}

// forgetfulUsers finds nobody.
type forgetfulUsers struct{ *saml.MemoryUsers }

func (forgetfulUsers) FindUsers(context.Context, saml.UserQuery) ([]saml.User, error) {
	return nil, nil
}

// Two first logins at once make one user, and every login is his.
//
// req: LT-19
func TestFirstLoginsAtOnce(t *testing.T) {
	t.Parallel()
	w := newTown(t, creating, editTrust(func(t *saml.LoginTrust) { t.AllowIdPInitiated = true }))
	const many = 50
	answers := make([]*samltest.Answer, many)
	for i := range answers {
		answers[i] = w.unsolicited()
	}
	ids, created := make([]string, many), make([]bool, many)
	var group sync.WaitGroup
	for i := range many {
		group.Go(func() {
			login, err := w.post(answers[i], "")
			if assert.NoError(t, err) {
				user, _ := login.User()
				ids[i], created[i] = user.ID, login.Created()
			}
		})
	}
	group.Wait()
	require.Len(t, w.users.All(), 1)
	assert.Equal(t, []string{w.users.All()[0].ID}, slices.Compact(ids))
	slices.SortFunc(created, func(a, b bool) int { return map[bool]int{true: 0, false: 1}[a] - map[bool]int{true: 0, false: 1}[b] })
	assert.True(t, created[0])
	assert.False(t, created[1])
}

// A trust that was saved although Check refuses it makes nobody.
//
// req: LT-49
func TestNoDefaultRole(t *testing.T) {
	t.Parallel()
	w := newTown(t, editTrust(func(t *saml.LoginTrust) { t.CreateUsers = true }))
	login, err := w.login()
	denied(t, saml.NotConfigured, login, err)
	assert.Empty(t, w.users.All())
}
