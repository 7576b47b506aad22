package saml

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
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

// isNobodys reports a trust that logs in nobody's users.
func (t *LoginTrust) isNobodys() bool { return t.Organization == "" && !t.AllowAnyOrganization }

// checkTrustOrganization: a trust that names no organization logs in nobody's users, whatever the directory would say.
func checkTrustOrganization(m *mapping) *mismatch {
	if m.trust.isNobodys() {
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

func (m *mapping) accountKey() string { return accountKey(m.trust, m.subject) }

// accountKey is what stands for the subject in the directory. A transient identifier is never stored, even if the trust
// takes it for a lasting one, and so has none. An issuer that speaks through a trust of another is a different one through
// each, for whoever holds the trust's key speaks in its name. Where addresses are matched, it does not tell apart what that
// does not.
func accountKey(trust *LoginTrust, subject Subject) string {
	if trust.Match == MatchEmail && subject.NameID.Format == NameIDEmail {
		subject.NameID.Value = lowerASCII(subject.NameID.Value)
	}
	key, err := subject.AccountKey()
	switch {
	case err != nil:
		return ""
	case subject.Issuer != trust.Domain:
		return stateKey("account", trust.Domain, subject.Issuer, key)
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

// isJoiner reports the two that Persian and the scripts of India are written with.
func isJoiner(r rune) bool { return r == '\u200c' || r == '\u200d' }

// visible drops the marks of direction and the like that copying leaves in people's names, for strings.Map.
func visible(r rune) rune {
	if unicode.Is(unicode.Cf, r) && !isJoiner(r) {
		return -1
	}
	return r
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
		if *name.to = strings.TrimSpace(strings.Map(visible, value)); *name.to == "" {
			absent = append(absent, name.attribute)
			continue
		}
		if utf8.RuneCountInString(value) > maxName || strings.ContainsFunc(*name.to, func(r rune) bool { return isInvisible(r) && !isJoiner(r) }) {
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
