package saml

import (
	"context"
	"errors"
	"slices"
	"time"
)

// A mapping is a subject on its way to a local user. It is decided in three parts: what the identity provider says
// (subjectRules), what the directory answers (lookUp), and what follows from both and the trust's options (userRules). None
// of them changes anything; carryOut does, once all have passed.
type mapping struct {
	trust      *LoginTrust
	assertion  *Assertion
	config     *Config
	attributes AttributeNames

	// What the identity provider says.
	subject  Subject // whom it names: by NameID, or by the attribute that stands for it
	key      string  // the subject's account key, "" if it has none that lasts
	username string  // the name that a new user gets
	email    string  // for MatchEmail

	// What the directory answers.
	by         lookup
	users      []User
	emailUsers []User // who has the address of the user to be made, anywhere

	// What follows.
	user       User
	create     *NewUser // user is the one that this makes
	reactivate bool     // user is not active yet
}

// A lookup says by what a user was found.
type lookup int

const (
	byNothing lookup = iota
	byTranslation
	byAccountKey
	byUsername
	byEmail
)

// mapUser leads from a login's subject to its local user. Without a directory it leads nowhere: the host maps.
func (sp *ServiceProvider) mapUser(ctx context.Context, login *Login, posted Posted, now time.Time) *Error {
	if sp.config.Users == nil {
		if login.trust.PasswordRequired { // a demand that nobody would meet
			return withoutDirectory()
		}
		return nil
	}
	m, err := sp.decide(ctx, login)
	if err != nil {
		return err
	}
	if login.trust.PasswordRequired {
		return sp.askPassword(ctx, login, m.user, posted, now)
	}
	return sp.admit(ctx, login, m)
}

func withoutDirectory() *Error {
	return refuse(NotConfigured, "LoginTrust.PasswordRequired without Config.Users", "a directory")
}

// decide is a mapping up to where something would be written.
func (sp *ServiceProvider) decide(ctx context.Context, login *Login) (*mapping, *Error) {
	m := &mapping{trust: login.trust, assertion: login.Assertion, config: &sp.config, attributes: login.trust.Attributes.complete()}
	if err := m.apply(subjectRules); err != nil {
		return nil, err
	}
	if err := m.lookUp(ctx); err != nil {
		return nil, err
	}
	if err := m.apply(userRules); err != nil {
		return nil, err
	}
	return m, nil
}

// admit carries out what was decided. If another login was faster, what that one did is decided upon anew, once.
func (sp *ServiceProvider) admit(ctx context.Context, login *Login, m *mapping) *Error {
	inTheWay, err := m.carryOut(ctx)
	if inTheWay != nil {
		before := m
		if m, err = sp.decide(ctx, login); err != nil {
			return err
		}
		if before.create == nil && m.user.ID != before.user.ID { // it may have been his password that was right
			return refuse(InvalidUser, "another user than before", "the same")
		}
		inTheWay, err = m.carryOut(ctx)
	}
	switch {
	case err != nil:
		return err
	case inTheWay != nil:
		return m.conflict(inTheWay)
	}
	user := m.user.clone()
	login.user, login.created, login.reactivated = &user, m.create != nil, m.reactivate
	return nil
}

// carryOut makes or re-activates the user, if that was decided, and judges what came of it. inTheWay is who kept it from
// being done.
func (m *mapping) carryOut(ctx context.Context) (inTheWay *User, refused *Error) {
	switch {
	case m.create != nil:
		user, created, err := m.config.Users.CreateUser(ctx, *m.create)
		if err != nil {
			return nil, directoryFailed(err)
		}
		if !created {
			return &user, nil
		}
		if user.ID == "" {
			return nil, storeFailed(errNoID)
		}
		m.users, m.user = []User{user}, user
	case m.reactivate:
		reactivated, err := m.config.Users.ReactivateUser(ctx, m.user.ID)
		if err != nil {
			return nil, directoryFailed(err)
		}
		if !reactivated {
			return &m.user, nil
		}
		m.users[0].State, m.user.State = UserActive, UserActive
	default:
		return nil, nil
	}
	return nil, m.apply([]mappingRule{{WrongOrganization, checkOrganization}, {SSODisabledForUser, checkSingleSignOn},
		{UserDisabled, checkActive}, {UserNotAllowed, checkUserAllowed}, {NoRoles, checkRoles}, {UserNotAllowed, checkAllowedRoles}})
}

// conflict says why a user cannot be made or re-activated although nothing that was found stands against it.
func (m *mapping) conflict(inTheWay *User) *Error {
	no := func(r Reason, found, wanted string) *Error {
		e := refuse(r, found, wanted)
		e.Spec = "the login trust"
		return e
	}
	switch {
	case m.create == nil:
		return no(UserDisabled, "a user whose state has changed", "an active user")
	case m.key != "" && slices.Contains(inTheWay.AccountKeys, m.key):
		if inTheWay.Organization == m.trust.Organization {
			return storeFailed(errContradiction)
		}
		return no(WrongOrganization, "the subject's user in another organization", "one in LoginTrust.Organization")
	case m.create.Email != "" && equalASCIIFold(inTheWay.Email, m.create.Email):
		return no(EmailTaken, "the e-mail address of another user", "an address of nobody's")
	}
	return no(UsernameTaken, "the user name of another user", "a name of nobody's")
}

// lookUp asks the host: the table of translations, then the directory, by the most certain key first.
func (m *mapping) lookUp(ctx context.Context) *Error {
	organization := UserQuery{Organization: m.trust.Organization, AnyOrganization: m.trust.AllowAnyOrganization}
	if m.trust.Translation != TranslationNone {
		name, found, err := m.translate(ctx)
		switch {
		case err != nil:
			return err
		case found:
			organization.Username = name
			return m.find(ctx, byTranslation, organization)
		case m.trust.Translation == TranslationRequired:
			return nil
		}
	}
	if m.key != "" {
		q := organization
		q.AccountKey = m.key
		if err := m.find(ctx, byAccountKey, q); err != nil || len(m.users) > 0 {
			return err
		}
	}
	if err := m.findLiterally(ctx, organization); err != nil || len(m.users) > 0 || !m.trust.CreateUsers {
		return err
	}
	return m.findAddress(ctx)
}

// translate asks the host's table; a trust that wants one where there is none admits nobody.
func (m *mapping) translate(ctx context.Context) (username string, found bool, refused *Error) {
	if m.config.Translations == nil {
		return "", false, refuse(NotConfigured, "LoginTrust.Translation without Config.Translations", "a table of translations")
	}
	username, found, err := m.config.Translations.Translate(ctx, m.trust.Domain, m.subject)
	if err != nil {
		return "", false, directoryFailed(err)
	}
	return username, found, nil
}

// findLiterally asks for what the identity provider calls the user. Only the trust's own issuer is asked so: of several
// issuers behind one trust, none may name the users of another.
func (m *mapping) findLiterally(ctx context.Context, q UserQuery) *Error {
	if m.subject.Issuer != m.trust.Domain {
		return nil
	}
	if m.trust.Match == MatchEmail {
		q.Email = m.email
		return m.find(ctx, byEmail, q)
	}
	q.Username = m.username
	return m.find(ctx, byUsername, q)
}

// findAddress asks who has the address of the user to be made. There is nobody to be made if it cannot be read: that is
// refused later.
func (m *mapping) findAddress(ctx context.Context) *Error {
	email, problem := m.optionalEmail()
	if problem != nil || email == "" {
		return nil
	}
	q := UserQuery{AnyOrganization: true, Email: email}
	users, err := m.ask(ctx, q)
	m.emailUsers = users
	return err
}

func (m *mapping) find(ctx context.Context, by lookup, q UserQuery) *Error {
	users, err := m.ask(ctx, q)
	m.by, m.users = by, users
	return err
}

// ask drops what does not fit the question: a database may compare without regard to case, accents or trailing spaces, and
// then a name that looks like another's would be his.
func (m *mapping) ask(ctx context.Context, q UserQuery) ([]User, *Error) {
	if q.AccountKey == "" && q.Username == "" && q.Email == "" {
		return nil, nil
	}
	found, err := m.config.Users.FindUsers(ctx, q)
	if err != nil {
		return nil, directoryFailed(err)
	}
	var users []User
	for _, u := range found {
		if !q.fits(u) {
			continue
		}
		if u.ID == "" {
			return nil, storeFailed(errNoID)
		}
		users = append(users, u)
	}
	return users, nil
}

var (
	errNoID          = errors.New("saml: the directory has a user without ID")
	errContradiction = errors.New("saml: the directory has a user whom it does not find")
)

// directoryFailed refuses a login whose user could not be asked for. What a directory says may name people, so only
// errors.Is and errors.As find it.
func directoryFailed(err error) *Error {
	return hostFailed("the user directory or the table of translations", err)
}
