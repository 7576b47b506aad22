package saml_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml"
	"github.com/logintrust/saml/samltest"
)

// A town is a world with a directory: organizations acme, whose users the trust may log in, and rival, which has its own
// identity provider.
type town struct {
	*world
	users        *saml.MemoryUsers
	translations *saml.MemoryTranslations
	made         saml.Config
}

// config is that of a second process of the same application.
func (w *town) config() saml.Config { return w.made }

// newTown makes a town; change edits the trust of acme and the configuration.
func newTown(t testing.TB, change ...func(*saml.LoginTrust, *saml.Config)) *town {
	t.Helper()
	w := &town{users: saml.NewMemoryUsers(), translations: saml.NewMemoryTranslations()}
	w.world = newWorld(t, append([]func(*saml.LoginTrust, *saml.Config){func(trust *saml.LoginTrust, c *saml.Config) {
		trust.Organization, c.Users, c.Translations = "acme", w.users, w.translations
	}}, append(change, func(_ *saml.LoginTrust, c *saml.Config) { w.made = *c })...)...)
	return w
}

// resident is a user of acme, whom the default answer is about if his name is alice.
func resident(username string, change ...func(*saml.User)) saml.User {
	u := saml.User{ID: "id-" + username, Username: username, Organization: "acme", Roles: []string{"reader"}, State: saml.UserActive}
	for _, f := range change {
		f(&u)
	}
	return u
}

// trust edits the trust alone.
func editTrust(f func(*saml.LoginTrust)) func(*saml.LoginTrust, *saml.Config) {
	return func(t *saml.LoginTrust, _ *saml.Config) { f(t) }
}

var creating = editTrust(func(t *saml.LoginTrust) {
	t.CreateUsers, t.DefaultRole, t.DefaultDepartment, t.EmailDomains = true, "reader", "ward 7", []string{"example.com"}
})

// named answers with another NameID.
func named(value string) func(*samltest.Answer) {
	return func(a *samltest.Answer) { a.Assertion().Subject.NameID.Value = value }
}

// attributes answers with these attributes alone: name, value, name, value…
func attributes(pairs ...string) func(*samltest.Answer) {
	return func(a *samltest.Answer) {
		a.Assertion().Attributes = []samltest.Attribute{}
		for i := 0; i < len(pairs); i += 2 {
			a.Assertion().Attributes = append(a.Assertion().Attributes, samltest.Attr(pairs[i], pairs[i+1]))
		}
	}
}

// userOf demands a login with a user.
func userOf(t testing.TB, login *saml.Login, err error) saml.User {
	t.Helper()
	user, found := accepted(t, login, err).User()
	require.True(t, found)
	return user
}

// secrets are what no refusal of a town may tell.
var secrets = []string{"alice", "Alice", "Smith", "example.com\"", "@example", "mallory"}

// denied demands a refusal that tells nothing of the user, neither to the log nor to the page.
func denied(t testing.TB, reason saml.Reason, login *saml.Login, err error) *saml.Error {
	t.Helper()
	e := refused(t, reason, login, err)
	for _, secret := range secrets {
		assert.NotContains(t, e.Error(), secret)
		assert.NotContains(t, reason.Public(), secret)
	}
	return e
}

// req: SA-07 SA-10
func TestUserByName(t *testing.T) {
	t.Parallel()
	for _, format := range []string{samltest.FormatUnspecified, samltest.FormatPersistent, samltest.FormatEmail, "urn:example:whatever"} {
		w := newTown(t)
		w.users.Set(resident("alice", func(u *saml.User) { u.Email = "a@acme.example" }))
		login, err := w.login(func(a *samltest.Answer) { a.Assertion().Subject.NameID.Format = format })
		user := userOf(t, login, err)
		assert.Equal(t, "id-alice", user.ID)
		assert.Equal(t, "a@acme.example", user.Email)
		assert.False(t, login.Created())
		assert.False(t, login.Reactivated())
		user.Roles[0] = "administrator"
		again, _ := login.User()
		assert.Equal(t, []string{"reader"}, again.Roles)
	}
	w := newTown(t)
	login, err := w.login()
	e := denied(t, saml.InvalidUser, login, err)
	assert.Equal(t, w.idp.EntityID, e.Domain)
	assert.Equal(t, saml.UserDisabled.Public(), saml.InvalidUser.Public(), "one sentence for who is unknown and who is disabled")
	assert.Empty(t, w.users.All())
}

// Without a directory nothing is mapped, but a password that is asked for is not forgotten.
func TestNoDirectory(t *testing.T) {
	t.Parallel()
	login, err := newWorld(t).login()
	_, found := accepted(t, login, err).User()
	assert.False(t, found)
	login, err = newWorld(t, editTrust(func(t *saml.LoginTrust) { t.PasswordRequired = true })).login()
	refused(t, saml.NotConfigured, login, err)
}

// Names that are shown like another's, or cannot be one, name nobody; those that are only odd are compared octet for octet.
//
// req: SA-10
func TestSubjectString(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		value string
		fits  bool
	}{
		"255 characters":      {strings.Repeat("ä", 255), true},
		"256 characters":      {strings.Repeat("a", 256), false},
		"space in front":      {" alice", false},
		"space behind":        {"alice ", false},
		"no-break space":      {"alice\u00a0", false},
		"tab":                 {"al\tice", false},
		"line break":          {"alice\n", false},
		"C1 control":          {"alice\u0085x", false},
		"zero-width space":    {"ali\u200bce", false},
		"right-to-left":       {"\u202eecila", false},
		"byte order mark":     {"\ufeffalice", false},
		"space inside":        {"al ice", true},
		"another normal form": {"ali\u0301ce", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newTown(t, creating)
			w.users.Set(resident("alice"))
			w.users.Set(resident("alíce"))
			login, err := w.login(named(c.value), attributes("firstname", "F", "lastname", "L"))
			if !c.fits {
				denied(t, saml.BadSubject, login, err)
				assert.Len(t, w.users.All(), 2)
				return
			}
			assert.Equal(t, c.value, userOf(t, login, err).Username)
			assert.True(t, login.Created())
		})
	}
	t.Run("comment inside", func(t *testing.T) {
		t.Parallel()
		w := newTown(t)
		w.users.Set(resident("alice"))
		login, err := w.login(named("alice.evil.example"), func(a *samltest.Answer) {
			a.Bytes = replaceBytes("alice.evil", "alice<!-- -->.evil")
		})
		denied(t, saml.InvalidUser, login, err) // the name is read whole
	})
	t.Run("letter case", func(t *testing.T) {
		t.Parallel()
		w := newTown(t)
		w.users.Set(resident("Alice"))
		login, err := w.login()
		denied(t, saml.InvalidUser, login, err)
	})
	t.Run("no NameID", func(t *testing.T) {
		t.Parallel()
		w := newTown(t)
		login, err := w.login(func(a *samltest.Answer) { a.Assertion().Subject.NameID = nil })
		denied(t, saml.BadSubject, login, err)
	})
}

// loose is a directory as databases with a forgiving collation are.
type loose struct{ *saml.MemoryUsers }

func (l loose) FindUsers(_ context.Context, q saml.UserQuery) (list []saml.User, err error) {
	for _, u := range l.All() {
		if strings.EqualFold(u.Username, q.Username) || q.Email != "" && strings.EqualFold(u.Email, q.Email) {
			list = append(list, u)
		}
	}
	return list, nil
}

// A database that finds Alice for alice finds nobody.
func TestLooseDirectory(t *testing.T) {
	t.Parallel()
	users := loose{saml.NewMemoryUsers(resident("ALICE"))}
	w := newTown(t, func(_ *saml.LoginTrust, c *saml.Config) { c.Users = users })
	login, err := w.login()
	denied(t, saml.InvalidUser, login, err)

	users = loose{saml.NewMemoryUsers(resident("x", func(u *saml.User) { u.Email = "\u212aate@example.com" }))} // Kelvin
	w = newTown(t, func(trust *saml.LoginTrust, c *saml.Config) {
		c.Users, trust.Match, trust.EmailDomains = users, saml.MatchEmail, []string{"example.com"}
	})
	login, err = w.login(attributes("email", "kate@example.com"))
	denied(t, saml.InvalidUser, login, err)
}

// req: SA-10
func TestTransient(t *testing.T) {
	t.Parallel()
	transient := func(a *samltest.Answer) { a.Assertion().Subject.NameID.Format = samltest.FormatTransient }
	allow := editTrust(func(t *saml.LoginTrust) { t.AllowTransientNameID = true })
	w := newTown(t)
	w.users.Set(resident("alice"))
	login, err := w.login(transient)
	denied(t, saml.TransientSubject, login, err)

	w = newTown(t, allow)
	w.users.Set(resident("alice"))
	login, err = w.login(transient, func(a *samltest.Answer) {
		a.Assertion().Subject.NameID.SPNameQualifier = "https://sp.example.com/sso/metadata"
	})
	assert.Equal(t, "id-alice", userOf(t, login, err).ID)

	w = newTown(t, allow, creating) // and it is never stored as what stands for an account
	login, err = w.login(transient)
	assert.Empty(t, userOf(t, login, err).AccountKeys)
	login, err = w.login(transient)
	userOf(t, login, err)
	assert.False(t, login.Created())

	w.users = saml.NewMemoryUsers(resident("alice", func(u *saml.User) { u.AccountKeys = []string{"x"} }))
	w = newTown(t, allow, func(_ *saml.LoginTrust, c *saml.Config) { c.Users = w.users })
	login, err = w.login(transient)
	denied(t, saml.WrongSubject, login, err)
}

// req: LT-51
func TestOrganization(t *testing.T) {
	t.Parallel()
	rivals := resident("alice", func(u *saml.User) { u.Organization = "rival" })
	t.Run("of another organization", func(t *testing.T) {
		t.Parallel()
		w := newTown(t)
		w.users.Set(rivals)
		login, err := w.login(func(a *samltest.Answer) { // what the message says of organizations counts for nothing
			a.Assertion().Attributes = append(a.Assertion().Attributes, samltest.Attr("organization", "rival"), samltest.Attr("Organization", "rival"))
		})
		denied(t, saml.InvalidUser, login, err)
	})
	t.Run("the directory lies", func(t *testing.T) {
		t.Parallel()
		w := newTown(t, func(_ *saml.LoginTrust, c *saml.Config) { c.Users = liar{rivals} })
		login, err := w.login()
		denied(t, saml.WrongOrganization, login, err)
		w = newTown(t, creating, func(_ *saml.LoginTrust, c *saml.Config) { c.Users = maker{rivals} })
		login, err = w.login()
		denied(t, saml.WrongOrganization, login, err)
	})
	t.Run("a trust of nobody", func(t *testing.T) {
		t.Parallel()
		w := newTown(t, creating, editTrust(func(t *saml.LoginTrust) { t.Organization = "" }))
		w.users.Set(resident("alice", func(u *saml.User) { u.Organization = "" }))
		login, err := w.login()
		denied(t, saml.WrongOrganization, login, err)
	})
	t.Run("any organization", func(t *testing.T) {
		t.Parallel()
		w := newTown(t, editTrust(func(t *saml.LoginTrust) { t.Organization, t.AllowAnyOrganization = "", true }))
		w.users.Set(rivals)
		login, err := w.login()
		assert.Equal(t, "rival", userOf(t, login, err).Organization)
		w.users.Set(resident("alice", func(u *saml.User) { u.ID = "another" }))
		login, err = w.login()
		denied(t, saml.AmbiguousUser, login, err)
	})
	t.Run("linked there, unknown here", func(t *testing.T) {
		t.Parallel()
		w := newTown(t, creating)
		login, err := w.login()
		user := userOf(t, login, err)
		user.Organization, user.Email = "rival", ""
		w.users.Set(user)
		login, err = w.login()
		denied(t, saml.WrongOrganization, login, err)
	})
}

// A liar answers every question with a user whom nobody asked for.
type liar struct{ user saml.User }

func (l liar) FindUsers(context.Context, saml.UserQuery) ([]saml.User, error) {
	return []saml.User{l.user}, nil
}
func (l liar) CreateUser(context.Context, saml.NewUser) (saml.User, bool, error) {
	return l.user, true, nil
}
func (l liar) ReactivateUser(context.Context, string) (bool, error) { return true, nil }

// A maker knows nobody, and makes somebody else.
type maker struct{ user saml.User }

func (maker) FindUsers(context.Context, saml.UserQuery) ([]saml.User, error) { return nil, nil }
func (m maker) CreateUser(context.Context, saml.NewUser) (saml.User, bool, error) {
	return m.user, true, nil
}
func (maker) ReactivateUser(context.Context, string) (bool, error) { return false, nil }

// newcomer adds a second identity provider with a trust like acme's, but for the organization.
func (w *town) newcomer(organization string) *samltest.IdP {
	w.t.Helper()
	idp, err := samltest.New(samltest.Options{EntityID: "https://" + organization + ".example.org/2", Now: w.idp.Now})
	require.NoError(w.t, err)
	key := idp.Trust().Keys
	trust := w.trust()
	trust.Domain, trust.Keys, trust.Organization = idp.EntityID, key, organization
	w.trusts.Set(trust)
	return idp
}

// The same name in two organizations is two users, and from two identity providers of one organization never one account.
//
// req: LT-51
func TestSameNameID(t *testing.T) {
	t.Parallel()
	for _, organization := range []string{"rival", "acme"} {
		w := newTown(t, creating)
		login, err := w.login(attributes("firstname", "F", "lastname", "L"))
		first := userOf(t, login, err)
		assert.True(t, login.Created())
		w.idp = w.newcomer(organization)
		login, err = w.login(attributes("firstname", "F", "lastname", "L"))
		if organization == "acme" {
			denied(t, saml.WrongSubject, login, err)
			assert.Len(t, w.users.All(), 1)
			continue
		}
		second := userOf(t, login, err)
		assert.NotEqual(t, first.ID, second.ID)
		assert.Equal(t, "rival", second.Organization)
	}
}

// Of several issuers behind one trust only the trust's own may name users literally.
func TestForeignIssuer(t *testing.T) {
	t.Parallel()
	const proxied = "https://behind.example.com"
	names := map[string]string{"firstname": "F", "lastname": "L"}
	w := newTown(t, creating)
	w.users.Set(resident("alice"))
	ctx := context.Background()
	_, err := w.sp.MapSubject(ctx, w.trust(), w.idp.EntityID, "alice", names)
	require.NoError(t, err)
	_, err = w.sp.MapSubject(ctx, w.trust(), proxied, "alice", names)
	require.ErrorIs(t, err, saml.UsernameTaken)

	login, err := w.sp.MapSubject(ctx, w.trust(), proxied, "carol", names)
	require.NoError(t, err)
	carol, _ := login.User()
	login, err = w.sp.MapSubject(ctx, w.trust(), proxied, "carol", nil)
	require.NoError(t, err)
	again, _ := login.User()
	assert.Equal(t, carol.ID, again.ID, "its own user is found by the account key")
	_, err = w.sp.MapSubject(ctx, w.trust(), w.idp.EntityID, "carol", names)
	require.ErrorIs(t, err, saml.WrongSubject)

	trust := w.trust()
	trust.Domain = "https://proxy.example.com" // the same issuer, vouched for by somebody else
	_, err = w.sp.MapSubject(ctx, trust, proxied, "carol", names)
	require.ErrorIs(t, err, saml.UsernameTaken)

	trust = w.trust()
	trust.Match = saml.MatchEmail
	w.users.Set(resident("dave", func(u *saml.User) { u.Email = "dave@example.com" }))
	_, err = w.sp.MapSubject(ctx, trust, proxied, "d", map[string]string{"email": "dave@example.com"})
	require.ErrorIs(t, err, saml.MissingAttribute, "he is no user whom that issuer may name")
	_, err = w.sp.MapSubject(ctx, trust, proxied, "d", map[string]string{"email": "dave@example.com", "firstname": "F", "lastname": "L"})
	require.ErrorIs(t, err, saml.EmailTaken)
}

// req: LT-24
func TestTranslationRequired(t *testing.T) {
	t.Parallel()
	w := newTown(t, creating, editTrust(func(t *saml.LoginTrust) { t.Translation = saml.TranslationRequired }))
	w.users.Set(resident("alice"))
	login, err := w.login()
	denied(t, saml.NotTranslated, login, err) // although there is a local user of that name
	login, err = w.login(named("mallory"))
	denied(t, saml.NotTranslated, login, err)
	assert.Len(t, w.users.All(), 1, "nobody is created")

	subject := saml.Subject{NameID: saml.NameID{Value: "alice"}}
	w.translations.Set(w.idp.EntityID, subject, "asmith")
	login, err = w.login()
	denied(t, saml.TranslationDangling, login, err)
	w.users.Set(resident("asmith", func(u *saml.User) { u.Organization = "rival" }))
	login, err = w.login()
	denied(t, saml.TranslationDangling, login, err)
	assert.Len(t, w.users.All(), 2)
	w.users.Set(resident("asmith"))
	login, err = w.login()
	assert.Equal(t, "id-asmith", userOf(t, login, err).ID)

	w = newTown(t, func(trust *saml.LoginTrust, c *saml.Config) {
		trust.Translation, c.Translations = saml.TranslationRequired, nil
	})
	w.users.Set(resident("alice"))
	login, err = w.login()
	denied(t, saml.NotConfigured, login, err)
}

// req: LT-25
func TestTranslationOptional(t *testing.T) {
	t.Parallel()
	w := newTown(t, editTrust(func(t *saml.LoginTrust) { t.Translation = saml.TranslationOptional }))
	w.users.Set(resident("alice"))
	w.users.Set(resident("asmith", func(u *saml.User) { u.AccountKeys = []string{"another subject"} }))
	w.users.Set(resident("ajones"))
	login, err := w.login()
	assert.Equal(t, "id-alice", userOf(t, login, err).ID)

	w.translations.Set(w.idp.EntityID, saml.Subject{NameID: saml.NameID{Value: "alice"}}, "asmith")
	login, err = w.login()
	assert.Equal(t, "id-asmith", userOf(t, login, err).ID, "an administrator has said so")
	other := w.newcomer("acme")
	w.translations.Set(other.EntityID, saml.Subject{NameID: saml.NameID{Value: "alice"}}, "ajones")
	w.idp = other
	login, err = w.login()
	assert.Equal(t, "id-ajones", userOf(t, login, err).ID, "a translation is of one trust")
	w.translations.Set(other.EntityID, saml.Subject{NameID: saml.NameID{Value: "alice"}}, "")
	login, err = w.login()
	assert.Equal(t, "id-alice", userOf(t, login, err).ID)
}

// req: CL-07 CL-08 CL-11
func TestMatchEmail(t *testing.T) {
	t.Parallel()
	byEmail := editTrust(func(t *saml.LoginTrust) { t.Match, t.EmailDomains = saml.MatchEmail, []string{"Example.com"} })
	alice := resident("x1", func(u *saml.User) { u.Email = "Alice@Example.COM" })
	for name, c := range map[string]struct {
		change func(*samltest.Answer)
		reason saml.Reason
		users  []saml.User
	}{
		"letter case does not count": {users: []saml.User{alice}},
		"transient NameID":           {users: []saml.User{alice}, change: func(a *samltest.Answer) { a.Assertion().Subject.NameID.Format = samltest.FormatTransient }},
		"NameID as address": {users: []saml.User{alice}, change: func(a *samltest.Answer) {
			a.Assertion().Attributes, a.Assertion().Subject.NameID.Value = nil, "alice@example.com"
		}},
		"unknown":               {reason: saml.InvalidUser},
		"shared":                {users: []saml.User{alice, resident("x2", func(u *saml.User) { u.Email = "alice@example.com" })}, reason: saml.AmbiguousEmail},
		"of a rival":            {users: []saml.User{resident("x3", func(u *saml.User) { u.Email, u.Organization = "alice@example.com", "rival" })}, reason: saml.InvalidUser},
		"of another subject":    {users: []saml.User{resident("x4", func(u *saml.User) { u.Email, u.AccountKeys = "alice@example.com", []string{"x"} })}, reason: saml.WrongSubject},
		"no address":            {users: []saml.User{alice}, change: attributes(), reason: saml.MissingAttribute},
		"blank address":         {users: []saml.User{alice}, change: attributes("email", " "), reason: saml.MissingAttribute},
		"address twice":         {users: []saml.User{alice}, change: attributes("email", "alice@example.com", "email", "bob@example.com"), reason: saml.BadAttribute},
		"same address twice":    {users: []saml.User{alice}, change: attributes("email", "alice@example.com", "email", "alice@example.com"), reason: saml.BadAttribute},
		"another domain":        {users: []saml.User{alice}, change: attributes("email", "alice@rival.example"), reason: saml.WrongEmailDomain},
		"a domain below":        {users: []saml.User{alice}, change: attributes("email", "alice@sub.example.com"), reason: saml.WrongEmailDomain},
		"a domain that ends so": {users: []saml.User{alice}, change: attributes("email", "alice@badexample.com"), reason: saml.WrongEmailDomain},
		"two signs":             {users: []saml.User{alice}, change: attributes("email", "alice@rival.example@example.com"), reason: saml.BadAttribute},
		"with a name":           {users: []saml.User{alice}, change: attributes("email", "Alice <alice@example.com>"), reason: saml.BadAttribute},
		"quoted":                {users: []saml.User{alice}, change: attributes("email", `"alice"@example.com`), reason: saml.BadAttribute},
		"with a space":          {users: []saml.User{alice}, change: attributes("email", "alice@example.com "), reason: saml.BadAttribute},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newTown(t, byEmail)
			for _, u := range c.users {
				w.users.Set(u)
			}
			login, err := w.login(func(a *samltest.Answer) {
				if c.change != nil {
					c.change(a)
				}
			})
			if c.reason != "" {
				denied(t, c.reason, login, err)
				assert.Len(t, w.users.All(), len(c.users), "nothing is created")
				return
			}
			assert.Equal(t, "id-x1", userOf(t, login, err).ID)
		})
	}
	t.Run("in two name formats", func(t *testing.T) {
		t.Parallel()
		w := newTown(t, byEmail)
		w.users.Set(alice)
		login, err := w.login(func(a *samltest.Answer) {
			second := samltest.Attr("email", "bob@example.com")
			second.NameFormat = samltest.NameURI
			a.Assertion().Attributes = append(a.Assertion().Attributes, second)
		})
		denied(t, saml.BadAttribute, login, err)
	})
	t.Run("creation", func(t *testing.T) {
		t.Parallel()
		w := newTown(t, creating, byEmail)
		login, err := w.login()
		user := userOf(t, login, err)
		assert.True(t, login.Created())
		assert.Equal(t, "alice@example.com", user.Username)
		assert.Len(t, user.AccountKeys, 1)
		login, err = w.login(attributes("email", "new@example.com")) // the same NameID: the user has a new address
		assert.Equal(t, user.ID, userOf(t, login, err).ID)
		login, err = w.login(named("another")) // another NameID: the address was given to somebody else
		denied(t, saml.WrongSubject, login, err)
	})
}

// req: SA-10
func TestScopedName(t *testing.T) {
	t.Parallel()
	const eppn = "urn:oid:1.3.6.1.4.1.5923.1.1.1.6"
	for name, c := range map[string]struct {
		values []string
		any    bool
		reason saml.Reason
	}{
		"own scope":                {values: []string{"alice@acme.example"}},
		"another scope":            {values: []string{"alice@rival.example"}, reason: saml.WrongScope},
		"a scope below":            {values: []string{"alice@x.acme.example"}, reason: saml.WrongScope},
		"two scopes":               {values: []string{"alice@rival.example@acme.example"}, reason: saml.WrongScope},
		"empty scope":              {values: []string{"alice@"}, reason: saml.WrongScope},
		"letter case of the scope": {values: []string{"alice@ACME.example"}},
		"any organization":         {values: []string{"alice@rival.example"}, any: true},
		"no scope":                 {values: []string{"alice"}},
		"none":                     {reason: saml.MissingAttribute},
		"blank":                    {values: []string{"  "}, reason: saml.MissingAttribute},
		"two":                      {values: []string{"alice@acme.example", "bob@acme.example"}, reason: saml.BadAttribute},
		"with a space behind":      {values: []string{"alice@acme.example "}, reason: saml.BadSubject},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newTown(t, editTrust(func(t *saml.LoginTrust) {
				t.Attributes, t.Scopes, t.AllowAnyOrganization = saml.Shibboleth.AttributeNames(), []string{"acme.example"}, c.any
			}))
			w.users.Set(resident("mallory")) // whom the NameID names, which does not count
			for _, name := range []string{"alice", "alice@acme.example", "alice@ACME.example", "alice@rival.example"} {
				w.users.Set(resident(name))
			}
			login, err := w.login(func(a *samltest.Answer) {
				a.Assertion().Subject.NameID = &samltest.NameID{Value: "mallory", Format: samltest.FormatTransient}
				a.Assertion().Attributes = []samltest.Attribute{samltest.Attr("URN:OID:1.3.6.1.4.1.5923.1.1.1.6", c.values...)}
			})
			if c.reason != "" {
				e := denied(t, c.reason, login, err)
				assert.NotContains(t, e.Error(), "rival.example")
				if c.reason == saml.MissingAttribute {
					assert.Equal(t, []string{eppn}, e.Missing)
				}
				return
			}
			assert.Equal(t, c.values[0], userOf(t, login, err).Username)
		})
	}
}

// A login that finds no user has spent its assertion, but a second click is not sent where it would have led.
func TestDoubleSubmitOfARefusedUser(t *testing.T) {
	t.Parallel()
	s := &site{}
	users := saml.NewMemoryUsers()
	s = newSite(t, func(trust *saml.LoginTrust, c *saml.Config) { trust.Organization, c.Users = "acme", users })
	b := s.browser()
	answer := s.idp.Answer(b.start("&target=/inbox"))
	r, _ := b.post(answer)
	assert.Equal(t, 403, r.StatusCode)
	assert.Equal(t, saml.InvalidUser, s.reason())
	r, _ = b.post(answer)
	assert.Equal(t, 403, r.StatusCode, "sent to the page of a login that never was")
	assert.Equal(t, saml.UnknownRequest, s.reason())

	users.Set(resident("alice"))
	r, _ = b.post(answer)
	assert.Equal(t, 403, r.StatusCode, "what was spent stays spent")
	answer = s.idp.Answer(b.start("&target=/inbox"))
	r, _ = b.post(answer)
	assert.Equal(t, 303, r.StatusCode)
	r, _ = b.post(answer)
	assert.Equal(t, "/inbox", r.Header.Get("Location"))
	assert.EqualValues(t, 1, s.logins.Load())
}

// brokenUsers fails in one of its methods, with words that no log may have.
type brokenUsers struct {
	*saml.MemoryUsers
	find, create, reactivate error
}

func (b *brokenUsers) FindUsers(ctx context.Context, q saml.UserQuery) ([]saml.User, error) {
	if b.find != nil {
		return nil, b.find
	}
	return b.MemoryUsers.FindUsers(ctx, q)
}

func (b *brokenUsers) CreateUser(ctx context.Context, n saml.NewUser) (saml.User, bool, error) {
	if b.create != nil {
		return saml.User{}, false, b.create
	}
	return b.MemoryUsers.CreateUser(ctx, n)
}

func (b *brokenUsers) ReactivateUser(ctx context.Context, id string) (bool, error) {
	if b.reactivate != nil {
		return false, b.reactivate
	}
	return b.MemoryUsers.ReactivateUser(ctx, id)
}

type brokenTranslations struct{ err error }

func (b brokenTranslations) Translate(context.Context, string, saml.Subject) (string, bool, error) {
	return "alice", true, b.err
}

func TestBrokenDirectory(t *testing.T) {
	t.Parallel()
	errTelling := errors.New(`duplicate key value: (email)=(alice@example.com)`)
	for name, change := range map[string]func(*saml.LoginTrust, *saml.Config, *brokenUsers){
		"find":   func(_ *saml.LoginTrust, _ *saml.Config, b *brokenUsers) { b.find = errTelling },
		"create": func(_ *saml.LoginTrust, _ *saml.Config, b *brokenUsers) { b.create = errTelling },
		"re-activate": func(_ *saml.LoginTrust, _ *saml.Config, b *brokenUsers) {
			b.reactivate = errTelling
			b.Set(resident("alice", func(u *saml.User) { u.State = saml.UserLoginDisabled }))
		},
		"translate": func(trust *saml.LoginTrust, c *saml.Config, _ *brokenUsers) {
			trust.Translation, c.Translations = saml.TranslationOptional, brokenTranslations{errTelling}
		},
	} {
		w := newTown(t, creating, editTrust(reactivating), func(trust *saml.LoginTrust, c *saml.Config) {
			b := &brokenUsers{MemoryUsers: saml.NewMemoryUsers()}
			change(trust, c, b)
			c.Users = b
		})
		login, err := w.login()
		denied(t, saml.StoreFailed, login, err)
		assert.ErrorIs(t, err, errTelling, name)
	}
	w := newTown(t, func(_ *saml.LoginTrust, c *saml.Config) {
		c.Users = liar{resident("alice", func(u *saml.User) { u.ID = "" })}
	})
	login, err := w.login()
	denied(t, saml.StoreFailed, login, err)
}

// Where users are matched by address, its case tells nobody apart, neither in the directory nor in the account key.
func TestMatchEmailInAnotherCase(t *testing.T) {
	t.Parallel()
	w := newTown(t, creating, editTrust(func(t *saml.LoginTrust) { t.Match = saml.MatchEmail }))
	as := func(email string) func(*samltest.Answer) {
		return func(a *samltest.Answer) {
			attributes("firstname", "Alice", "lastname", "Smith", "email", email)(a)
			a.Assertion().Subject.NameID = &samltest.NameID{Value: email, Format: samltest.FormatEmail}
		}
	}
	login, err := w.login(as("Alice@example.com"))
	first := userOf(t, login, err)
	login, err = w.login(as("alice@example.com"))
	assert.Equal(t, first.ID, userOf(t, login, err).ID)
}

// What turns the direction of writing, or is not seen at all, is in nobody's name; nor are lines and controls.
func TestInvisibleNames(t *testing.T) {
	t.Parallel()
	for sent, want := range map[string]string{"Ali\u202ece": "Alice", "Al\u200bice": "Alice", "\u2066Alice\u2069\ufeff": "Alice", "मीरा": "मीरा", "क्\u200dष": "क्\u200dष",
		"نام\u200cخانوادگی": "نام\u200cخانوادگی", "O’Neil-Łukasz": "O’Neil-Łukasz", "Ali\u2028ce": "", "Ali\u0085ce": "", "\u200b": ""} {
		w := newTown(t, creating)
		login, err := w.login(attributes("firstname", sent, "lastname", "Smith", "email", "x@example.com"))
		if want == "" {
			require.Error(t, err, "%q", sent)
			continue
		}
		assert.Equal(t, want, userOf(t, login, err).FirstName, "%q", sent)
	}
}
