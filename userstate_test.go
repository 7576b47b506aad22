package saml_test

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/logintrust/saml"
	"github.com/logintrust/saml/samltest"
)

// req: LT-18 CS-12
func TestUserStates(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*saml.User)
		trust  func(*saml.LoginTrust)
		reason saml.Reason
	}{
		"active":                       {},
		"no state":                     {func(u *saml.User) { u.State = 0 }, nil, saml.UserDisabled},
		"login-disabled":               {func(u *saml.User) { u.State = saml.UserLoginDisabled }, nil, saml.UserDisabled},
		"deleted, with re-activation":  {func(u *saml.User) { u.State = saml.UserDeleted }, reactivating, saml.UserDisabled},
		"locked, with re-activation":   {func(u *saml.User) { u.State = saml.UserLocked }, reactivating, saml.UserDisabled},
		"expired, with re-activation":  {func(u *saml.User) { u.State = saml.UserExpired }, reactivating, saml.UserDisabled},
		"unknown state":                {func(u *saml.User) { u.State = 99 }, reactivating, saml.UserDisabled},
		"by password only":             {func(u *saml.User) { u.SSODisabled = true }, nil, saml.SSODisabledForUser},
		"denied":                       {nil, func(t *saml.LoginTrust) { t.DeniedUsers = []string{"id-alice"} }, saml.UserNotAllowed},
		"another is denied":            {nil, func(t *saml.LoginTrust) { t.DeniedUsers = []string{"id-bob", "alice"} }, ""},
		"privileged":                   {func(u *saml.User) { u.Privileged = true }, nil, saml.UserNotAllowed},
		"privileged, any organization": {func(u *saml.User) { u.Privileged = true }, func(t *saml.LoginTrust) { t.AllowAnyOrganization = true }, saml.UserNotAllowed},
		"privileged and named":         {func(u *saml.User) { u.Privileged = true }, func(t *saml.LoginTrust) { t.PrivilegedUsers = []string{"id-alice"} }, ""},
		"privileged and named by name": {func(u *saml.User) { u.Privileged = true }, func(t *saml.LoginTrust) { t.PrivilegedUsers = []string{"alice"} }, saml.UserNotAllowed},
		"named and denied": {func(u *saml.User) { u.Privileged = true }, func(t *saml.LoginTrust) {
			t.PrivilegedUsers, t.DeniedUsers = []string{"id-alice"}, []string{"id-alice"}
		}, saml.UserNotAllowed},
		"no role":                 {func(u *saml.User) { u.Roles = nil }, nil, saml.NoRoles},
		"a blank role":            {func(u *saml.User) { u.Roles = []string{""} }, nil, saml.NoRoles},
		"a role that is allowed":  {nil, func(t *saml.LoginTrust) { t.AllowedRoles = []string{"writer", "reader"} }, ""},
		"no role that is allowed": {nil, func(t *saml.LoginTrust) { t.AllowedRoles = []string{"writer"} }, saml.UserNotAllowed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newTown(t, editTrust(func(t *saml.LoginTrust) {
				if c.trust != nil {
					c.trust(t)
				}
			}))
			w.users.Set(resident("alice", func(u *saml.User) {
				if c.change != nil {
					c.change(u)
				}
			}))
			before := w.users.All()
			login, err := w.login()
			if c.reason != "" {
				denied(t, c.reason, login, err)
				assert.Equal(t, before, w.users.All())
				return
			}
			assert.Equal(t, "id-alice", userOf(t, login, err).ID)
		})
	}
}

func reactivating(t *saml.LoginTrust) { t.ReactivateUsers = true }

// req: LT-18
func TestReactivation(t *testing.T) {
	t.Parallel()
	disabled := resident("alice", func(u *saml.User) { u.State = saml.UserLoginDisabled })
	w := newTown(t, editTrust(reactivating))
	w.users.Set(disabled)
	login, err := w.login(func(a *samltest.Answer) { a.Bytes = replaceBytes("Smith", "Jones") })
	denied(t, saml.BadSignature, login, err)
	assert.Equal(t, saml.UserLoginDisabled, w.users.All()[0].State, "a login that failed changes nothing")
	login, err = w.login()
	assert.Equal(t, saml.UserActive, userOf(t, login, err).State)
	assert.True(t, login.Reactivated())
	assert.Equal(t, saml.UserActive, w.users.All()[0].State)
	login, err = w.login()
	userOf(t, login, err)
	assert.False(t, login.Reactivated())

	// Who is refused for something else is not re-activated first.
	for name, c := range map[string]struct {
		change func(*saml.User)
		reason saml.Reason
	}{
		"no roles":         {func(u *saml.User) { u.Roles = nil }, saml.NoRoles},
		"privileged":       {func(u *saml.User) { u.Privileged = true }, saml.UserNotAllowed},
		"by password only": {func(u *saml.User) { u.SSODisabled = true }, saml.SSODisabledForUser},
	} {
		w := newTown(t, editTrust(reactivating))
		user := disabled
		c.change(&user)
		w.users.Set(user)
		login, err := w.login()
		denied(t, c.reason, login, err)
		assert.Equal(t, saml.UserLoginDisabled, w.users.All()[0].State, name)
	}

	// A user who is deleted between the question and the change stays deleted.
	users := &moody{MemoryUsers: saml.NewMemoryUsers(disabled), next: saml.UserDeleted}
	w = newTown(t, func(trust *saml.LoginTrust, c *saml.Config) { trust.ReactivateUsers, c.Users = true, users })
	login, err = w.login()
	denied(t, saml.UserDisabled, login, err)
	assert.Equal(t, saml.UserDeleted, users.All()[0].State)

	// One whom another login has re-activated meanwhile gets in.
	users = &moody{MemoryUsers: saml.NewMemoryUsers(disabled), next: saml.UserActive}
	w = newTown(t, func(trust *saml.LoginTrust, c *saml.Config) { trust.ReactivateUsers, c.Users = true, users })
	login, err = w.login()
	userOf(t, login, err)
	assert.False(t, login.Reactivated())
}

// moody changes its user just before he would be re-activated.
type moody struct {
	*saml.MemoryUsers
	next saml.UserState
}

func (m *moody) ReactivateUser(ctx context.Context, id string) (bool, error) {
	u := m.All()[0]
	u.State = m.next
	m.Set(u)
	return m.MemoryUsers.ReactivateUser(ctx, id)
}

func TestReactivationsAtOnce(t *testing.T) {
	t.Parallel()
	w := newTown(t, editTrust(func(t *saml.LoginTrust) { t.AllowIdPInitiated, t.ReactivateUsers = true, true }))
	w.users.Set(resident("alice", func(u *saml.User) { u.State = saml.UserLoginDisabled }))
	var reactivated sync.Map
	var group sync.WaitGroup
	for i := range 50 {
		answer := w.unsolicited()
		group.Go(func() {
			login, err := w.post(answer, "")
			if assert.NoError(t, err) && login.Reactivated() {
				reactivated.Store(i, true)
			}
		})
	}
	group.Wait()
	n := 0
	reactivated.Range(func(any, any) bool { n++; return true })
	assert.Equal(t, 1, n)
}
