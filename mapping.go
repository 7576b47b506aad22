package saml

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
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

// A mappingRule is one demand on the way to a local user. Its specification is the login trust.
type mappingRule struct {
	reason Reason
	check  func(*mapping) *mismatch
}

func (m *mapping) apply(rules []mappingRule) *Error {
	for _, r := range rules {
		if found := r.check(m); found != nil {
			e := refuse(r.reason, found.found, found.wanted)
			if found.reason != "" {
				e.Reason = found.reason
			}
			e.Spec, e.Missing = "the login trust", found.missing
			return e
		}
	}
	return nil
}

// subjectRules judge what the identity provider says of its user.
var subjectRules = []mappingRule{
	{WrongOrganization, checkTrustOrganization},
	{MissingAttribute, checkSubjectName},
	{TransientSubject, checkTransient},
	{BadSubject, checkSubjectString},
	{WrongScope, checkScope},
	{WrongEmailDomain, checkMatchedEmail},
}

// userRules judge the user who was found, or is to be made.
var userRules = []mappingRule{
	{NotTranslated, checkTranslated},
	{TranslationDangling, checkTranslation},
	{WrongOrganization, checkOrganization},
	{AmbiguousUser, checkOneUser},
	{WrongSubject, checkLinked},
	{InvalidUser, checkCreation},
	{MissingAttribute, checkNewNames},
	{WrongEmailDomain, checkNewEmail},
	{EmailTaken, checkEmailFree},
	{SSODisabledForUser, checkSingleSignOn},
	{UserDisabled, checkUserState},
	{UserNotAllowed, checkUserAllowed},
	{NoRoles, checkRoles},
	{UserNotAllowed, checkAllowedRoles},
}

// mapUser leads from a login's subject to its local user. Without a directory it leads nowhere: the host maps.
func (sp *ServiceProvider) mapUser(ctx context.Context, login *Login, posted Posted, now time.Time) *Error {
	if sp.config.Users == nil {
		if login.trust.PasswordRequired { // a demand that nobody would meet
			return refuse(NotConfigured, "LoginTrust.PasswordRequired without Config.Users", "a directory")
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

// decide is a mapping up to where something would be written.
func (sp *ServiceProvider) decide(ctx context.Context, login *Login) (*mapping, *Error) {
	m := &mapping{trust: &login.trust, assertion: login.Assertion, config: &sp.config, attributes: login.trust.Attributes.complete()}
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
func directoryFailed(err error) *Error { return storeFailed(hushed{err}) }

type hushed struct{ cause error }

func (hushed) Error() string   { return "the user directory or the table of translations" }
func (h hushed) Unwrap() error { return h.cause }

// checkTrustOrganization: a trust that names no organization logs in nobody's users, whatever the directory would say.
func checkTrustOrganization(m *mapping) *mismatch {
	if m.trust.Organization == "" && !m.trust.AllowAnyOrganization {
		return &mismatch{found: "a trust without Organization", wanted: "LoginTrust.Organization, or AllowAnyOrganization"}
	}
	return nil
}

// checkSubjectName finds out what the identity provider calls the user: the attribute that the trust names, or the NameID,
// or, where addresses are matched and the NameID does not last, the address.
func checkSubjectName(m *mapping) *mismatch {
	m.subject = m.assertion.Subject()
	if name := m.attributes.Username; name != "" {
		value, problem := m.required(name)
		if problem != nil {
			return problem
		}
		m.subject.NameID = NameID{Value: value, Format: name}
	}
	m.username = m.subject.NameID.Value
	if m.trust.Match != MatchEmail {
		return nil
	}
	var problem *mismatch
	if m.email, problem = m.assertedEmail(); problem != nil {
		return problem
	}
	n := &m.subject.NameID
	if n.Value == "" || n.Format == NameIDTransient && !m.trust.AllowTransientNameID {
		*n = NameID{Value: lowerASCII(m.email), Format: NameIDEmail}
	}
	if m.attributes.Username == "" {
		m.username = m.email
	}
	return nil
}

// assertedEmail is the address by which the user is found.
func (m *mapping) assertedEmail() (string, *mismatch) {
	if len(m.values(m.attributes.Email)) == 0 && m.attributes.Username == "" && isEmail(m.subject.NameID.Value) {
		return m.subject.NameID.Value, nil
	}
	return m.required(m.attributes.Email)
}

func checkTransient(m *mapping) *mismatch {
	n := m.subject.NameID
	if n.Format == NameIDTransient && !m.trust.AllowTransientNameID {
		return &mismatch{found: "a transient NameID", wanted: "a lasting one, or AllowTransientNameID"}
	}
	return nil
}

const maxName = 255 // characters of a user name or a person's name

// checkSubjectString: a name that cannot be told from another when it is shown or stored names nobody.
func checkSubjectString(m *mapping) *mismatch {
	if problem := unfitName(m.subject.NameID.Value); problem != "" {
		return &mismatch{found: problem, wanted: fmt.Sprintf("a name of 1 to %d characters", maxName)}
	}
	m.key = m.accountKey()
	return nil
}

// accountKey is what stands for the subject in the directory. A transient identifier is never stored, even if the trust
// takes it for a lasting one, and so has none. An issuer that speaks through a trust of another is a different one through
// each, for whoever holds the trust's key speaks in its name.
func (m *mapping) accountKey() string {
	key, err := m.subject.AccountKey()
	switch {
	case err != nil:
		return ""
	case m.subject.Issuer != m.trust.Domain:
		return stateKey("account", m.trust.Domain, m.subject.Issuer, key)
	}
	return key
}

// unfitName says what is wrong with a user's name, "" if nothing is.
func unfitName(s string) string {
	first, _ := utf8.DecodeRuneInString(s)
	last, _ := utf8.DecodeLastRuneInString(s)
	switch {
	case s == "":
		return "no name"
	case !utf8.ValidString(s), utf8.RuneCountInString(s) > maxName:
		return "a name that is too long or no text"
	case unicode.IsSpace(first) || unicode.IsSpace(last):
		return "a name with white space at an end"
	case strings.ContainsFunc(s, isInvisible):
		return "a name with a control character"
	}
	return ""
}

// isInvisible reports characters that control how others are shown, and show nothing themselves.
func isInvisible(r rune) bool {
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Co, unicode.Noncharacter_Code_Point)
}

// checkScope: what stands behind the "@" of an attribute says whose user it is, and an identity provider speaks for its own
// only. A scope is a domain name, whose letter case does not count; the name as a whole is compared octet for octet.
func checkScope(m *mapping) *mismatch {
	if m.attributes.Username == "" || m.trust.AllowAnyOrganization {
		return nil
	}
	_, scope, scoped := strings.Cut(m.subject.NameID.Value, "@")
	if scoped && !slices.ContainsFunc(m.trust.Scopes, func(s string) bool { return equalASCIIFold(s, scope) }) {
		return &mismatch{found: "another scope", wanted: "one of LoginTrust.Scopes"}
	}
	return nil
}

// checkMatchedEmail: an identity provider speaks for the addresses of its own domains only.
func checkMatchedEmail(m *mapping) *mismatch {
	if m.trust.Match != MatchEmail {
		return nil
	}
	return m.checkEmail(m.email)
}

func (m *mapping) checkEmail(email string) *mismatch {
	if !isEmail(email) {
		return &mismatch{found: "what is no e-mail address", wanted: "an e-mail address", reason: BadAttribute}
	}
	_, domain, _ := strings.Cut(email, "@")
	own := func(d string) bool { return equalASCIIFold(d, domain) }
	if !m.trust.AllowAnyOrganization && !slices.ContainsFunc(m.trust.EmailDomains, own) {
		return &mismatch{found: "an e-mail address of another domain", wanted: "one of LoginTrust.EmailDomains"}
	}
	return nil
}

const maxEmail = 254 // octets (RFC 5321, Section 4.5.3.1.3)

// isEmail reports whether s has the form of one bare e-mail address. Stricter than RFC 5322 in that quoted local parts and
// address literals are none: two readers would take them for two addresses.
func isEmail(s string) bool {
	local, domain, found := strings.Cut(s, "@")
	odd := func(r rune) bool {
		return unicode.IsSpace(r) || isInvisible(r) || strings.ContainsRune(`@"(),:;<>[\]`, r)
	}
	return found && local != "" && domain != "" && len(s) <= maxEmail && utf8.ValidString(s) &&
		!strings.ContainsFunc(local, odd) && !strings.ContainsFunc(domain, odd)
}

// notText stands for a value that is XML, which is no name. No text holds it.
const notText = "\x00"

// values are all values of an attribute, whatever name formats it has; a value that is null is none.
func (m *mapping) values(name string) (list []string) {
	for _, a := range m.assertion.data().Attributes {
		if !sameAttributeName(a.Name, name) {
			continue
		}
		at := Attribute{extra: a.Extra}
		for i, v := range a.Values {
			switch x, odd := at.extraOf(i); {
			case !odd:
				list = append(list, v)
			case !x.Nil:
				list = append(list, notText)
			}
		}
	}
	return list
}

// single is the value of an attribute that has one, "" if there is none. Of several nobody knows which is right.
func (m *mapping) single(name string) (string, *mismatch) {
	values := m.values(name)
	switch {
	case len(values) == 0:
		return "", nil
	case len(values) > 1:
		return "", &mismatch{found: "several values of " + quoted(name), wanted: "one", reason: BadAttribute}
	case values[0] == notText:
		return "", &mismatch{found: "XML in " + quoted(name), wanted: "text", reason: BadAttribute}
	}
	return values[0], nil
}

// required is the value of an attribute that must be there. White space alone is not.
func (m *mapping) required(name string) (string, *mismatch) {
	value, problem := m.single(name)
	if problem == nil && strings.TrimSpace(value) == "" {
		problem = missing(name)
	}
	return value, problem
}

func missing(names ...string) *mismatch {
	return &mismatch{found: "no attribute " + quoted(names[0]), wanted: "the attributes that the trust needs", missing: names,
		reason: MissingAttribute}
}

// optionalEmail is the address of the user to be made, "" if there is none.
func (m *mapping) optionalEmail() (string, *mismatch) {
	if m.trust.Match == MatchEmail {
		return m.email, nil
	}
	value, problem := m.single(m.attributes.Email)
	if problem != nil || strings.TrimSpace(value) == "" {
		return "", problem
	}
	return value, nil
}

func checkTranslated(m *mapping) *mismatch {
	if m.trust.Translation == TranslationRequired && m.by != byTranslation {
		return &mismatch{found: "a subject without translation", wanted: "a translated one"}
	}
	return nil
}

func checkTranslation(m *mapping) *mismatch {
	if m.by == byTranslation && len(m.users) == 0 {
		return &mismatch{found: "a translation to nobody", wanted: "one to a user of LoginTrust.Organization"}
	}
	return nil
}

// checkOrganization holds the directory's answer against the trust: a query that forgot the organization must not let one
// customer's identity provider log in another's users.
func checkOrganization(m *mapping) *mismatch {
	foreign := func(u User) bool { return u.Organization != m.trust.Organization }
	if !m.trust.AllowAnyOrganization && slices.ContainsFunc(m.users, foreign) {
		return &mismatch{found: "a user of another organization", wanted: "one of LoginTrust.Organization"}
	}
	return nil
}

func checkOneUser(m *mapping) *mismatch {
	if len(m.users) < 2 {
		return nil
	}
	no := &mismatch{found: "several users", wanted: "one"}
	if m.by == byEmail {
		no.reason = AmbiguousEmail
	}
	return no
}

// checkLinked: a user whom another subject stands for is not found by what he is called. Names and addresses are given to
// somebody else one day, and two identity providers of one organization may use the same ones.
func checkLinked(m *mapping) *mismatch {
	if len(m.users) == 0 {
		return nil
	}
	m.user = m.users[0]
	if (m.by == byUsername || m.by == byEmail) && len(m.user.AccountKeys) > 0 && !slices.Contains(m.user.AccountKeys, m.key) {
		return &mismatch{found: "a user whom another subject stands for", wanted: "one who has no subject yet"}
	}
	return nil
}

// checkCreation: an unknown user is made, if the trust says so. Where a password is asked for he is not, for he has none.
func checkCreation(m *mapping) *mismatch {
	switch {
	case len(m.users) > 0:
		return nil
	case !m.trust.CreateUsers:
		return &mismatch{found: "an unknown user", wanted: "one of the directory, or LoginTrust.CreateUsers"}
	case m.trust.PasswordRequired:
		return &mismatch{found: "an unknown user, who has no password", wanted: "one of the directory"}
	case m.trust.DefaultRole == "":
		return &mismatch{found: "no LoginTrust.DefaultRole", wanted: "a role for new users", reason: NotConfigured}
	}
	if problem := unfitName(m.username); problem != "" {
		return &mismatch{found: problem, wanted: "the name of a new user", reason: BadSubject}
	}
	m.create = &NewUser{Username: m.username, Organization: m.trust.Organization, Department: m.trust.DefaultDepartment,
		Role: m.trust.DefaultRole, AccountKey: m.key}
	return nil
}

// checkNewNames: a new user has a first and a last name.
func checkNewNames(m *mapping) *mismatch {
	if m.create == nil {
		return nil
	}
	var absent []string
	for _, name := range []struct {
		attribute string
		to        *string
	}{{m.attributes.FirstName, &m.create.FirstName}, {m.attributes.LastName, &m.create.LastName}} {
		value, problem := m.single(name.attribute)
		if problem != nil {
			return problem
		}
		if *name.to = strings.TrimSpace(value); *name.to == "" {
			absent = append(absent, name.attribute)
			continue
		}
		if utf8.RuneCountInString(value) > maxName || strings.ContainsFunc(*name.to, unicode.IsControl) {
			return &mismatch{found: "what is no name in " + quoted(name.attribute), wanted: "a person's name", reason: BadAttribute}
		}
	}
	if len(absent) > 0 {
		return missing(absent...)
	}
	return nil
}

// checkNewEmail: a new user's address is one that the identity provider may assert, or none.
func checkNewEmail(m *mapping) *mismatch {
	if m.create == nil {
		return nil
	}
	var problem *mismatch
	if m.create.Email, problem = m.optionalEmail(); problem != nil || m.create.Email == "" {
		return problem
	}
	return m.checkEmail(m.create.Email)
}

// checkEmailFree: an address that somebody has, in any organization, makes no second user and never one of two. It would
// let whoever asserts an administrator's address become him.
func checkEmailFree(m *mapping) *mismatch {
	if m.create == nil {
		return nil
	}
	if len(m.emailUsers) > 0 {
		return &mismatch{found: "the e-mail address of another user", wanted: "an address of nobody's"}
	}
	m.user = m.create.user()
	return nil
}

func checkSingleSignOn(m *mapping) *mismatch {
	if m.user.SSODisabled {
		return &mismatch{found: "a user who logs in with a password", wanted: "one who logs in by single sign-on"}
	}
	return nil
}

// checkUserState: only a login-disabled user is ever re-activated.
func checkUserState(m *mapping) *mismatch {
	m.reactivate = m.user.State == UserLoginDisabled && m.trust.ReactivateUsers
	if m.reactivate {
		return nil
	}
	return checkActive(m)
}

func checkActive(m *mapping) *mismatch {
	if m.user.State != UserActive {
		return &mismatch{found: "a user who is " + m.user.State.String(), wanted: "an active one"}
	}
	return nil
}

func checkUserAllowed(m *mapping) *mismatch {
	switch id := m.user.ID; {
	case slices.Contains(m.trust.DeniedUsers, id):
		return &mismatch{found: "a user of LoginTrust.DeniedUsers", wanted: "another"}
	case m.user.Privileged && !slices.Contains(m.trust.PrivilegedUsers, id):
		return &mismatch{found: "a privileged user", wanted: "one of LoginTrust.PrivilegedUsers"}
	}
	return nil
}

func checkRoles(m *mapping) *mismatch {
	if !slices.ContainsFunc(m.user.Roles, func(role string) bool { return role != "" }) {
		return &mismatch{found: "a user without role", wanted: "a role"}
	}
	return nil
}

func checkAllowedRoles(m *mapping) *mismatch {
	allowed := func(role string) bool { return slices.Contains(m.trust.AllowedRoles, role) }
	if len(m.trust.AllowedRoles) > 0 && !slices.ContainsFunc(m.user.Roles, allowed) {
		return &mismatch{found: "a user without such a role", wanted: "one of LoginTrust.AllowedRoles"}
	}
	return nil
}
