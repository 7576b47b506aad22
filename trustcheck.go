package saml

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/logintrust/saml/internal/compose"
)

// A FieldError says which field of a login trust may not be saved as it is, and why.
type FieldError struct {
	// Field is the name of the field of LoginTrust.
	Field string
	// Problem says what is wrong, for the administrator who fills in the form.
	Problem string
}

func (e *FieldError) Error() string { return "saml: login trust: " + e.Field + ": " + e.Problem }

// Limits of what a login trust holds.
const (
	maxArtifactServices = 16

	maxPinnedKeys    = 8    // keys of one trust
	maxShortText     = 255  // characters of names, and of Domain
	maxTrustURL      = 2048 // octets of a URL
	maxListEntries   = 1000 // of users, roles, domains, scopes and attributes
	maxURIEntries    = 32   // of audiences and authentication contexts
	maxPageVariables = 32
	maxDomainName    = 253 // octets of an e-mail domain or scope (RFC 1035, 2.3.4)
)

// Check reports the first field that may not be saved as it is, as a *FieldError.
func (t *LoginTrust) Check() error {
	if problems := t.Problems(); len(problems) > 0 {
		return &problems[0]
	}
	return nil
}

// Problems are all that Check has to say, in the order of the fields, for a form. There may be several about one field.
// ServiceProvider.Problems says besides what a trust asks of its service provider in vain.
func (t *LoginTrust) Problems() []FieldError {
	var p problems
	t.checkNames(&p)
	t.checkState(&p)
	t.checkTargets(&p)
	t.checkUsers(&p)
	t.checkMessages(&p)
	return p
}

type problems []FieldError

func (p *problems) add(field, format string, args ...any) {
	*p = append(*p, FieldError{field, fmt.Sprintf(format, args...)})
}

// when adds a problem if there is one.
func (p *problems) when(wrong bool, field, problem string) {
	if wrong {
		p.add(field, "%s", problem)
	}
}

// known adds a problem for a value that is none of the words.
func (p *problems) known(field string, words wordList, value int) {
	if !words.has(value) {
		p.add(field, "must be one of %s", strings.Join(words, ", "))
	}
}

// text checks a name that people or the host gave.
func (p *problems) text(field, what, s string, least int) {
	n := utf8.RuneCountInString(s)
	switch {
	case n < least || n > maxShortText:
		p.add(field, "%smust have %d to %d characters", what, least, maxShortText)
	case !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl):
		p.add(field, "%smust be text without control characters", what)
	case strings.TrimSpace(s) != s:
		p.add(field, "%smust not begin or end with white space", what)
	}
}

// list checks each entry of a list.
func (p *problems) list(field string, list []string, most int, check func(what, entry string)) {
	if len(list) > most {
		p.add(field, "at most %d entries", most)
		return
	}
	for i, entry := range list {
		check(fmt.Sprintf("entry %d ", i+1), entry)
	}
}

// texts checks a list of names.
func (p *problems) texts(field string, list []string) {
	p.list(field, list, maxListEntries, func(what, entry string) { p.text(field, what, entry, 1) })
}

// uris checks a list of what SAML compares as URIs, octet for octet.
func (p *problems) uris(field string, list []string) {
	p.list(field, list, maxURIEntries, func(what, entry string) {
		if entry == "" || len(entry) > maxEntityID || !utf8.ValidString(entry) || strings.ContainsFunc(entry, isBlankOrHidden) {
			p.add(field, "%smust have 1 to %d octets of printable characters without spaces", what, maxEntityID)
		}
	})
}

func isBlankOrHidden(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }

// domains checks e-mail domains and scopes. They are compared without regard to ASCII case.
func (p *problems) domains(field string, list []string) {
	seen := map[string]bool{}
	p.list(field, list, maxListEntries, func(what, entry string) {
		if problem := checkDomainName(entry); problem != "" {
			p.add(field, "%s%s", what, problem)
		} else if lower := strings.ToLower(entry); seen[lower] {
			p.add(field, "%sis there twice", what)
		} else {
			seen[lower] = true
		}
	})
}

var domainLabel = regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$`)

func checkDomainName(s string) string {
	switch {
	case strings.Contains(s, "@"):
		return `must be what stands behind the "@", without it`
	case strings.Contains(s, "*"):
		return "must name one domain: there are no wildcards"
	case len(s) > maxDomainName:
		return fmt.Sprintf("must have at most %d octets", maxDomainName)
	}
	for label := range strings.SplitSeq(s, ".") {
		if !domainLabel.MatchString(label) {
			return "must be a domain name like example.com; names beyond ASCII are written with xn--"
		}
	}
	return ""
}

func (t *LoginTrust) checkNames(p *problems) {
	if problem := checkDomain(t.Domain); problem != "" {
		p.add("Domain", "%s", problem)
	}
	p.text("Description", "", t.Description, 1)
	p.known("Product", products, int(t.Product))
	for _, place := range []struct{ field, url string }{{"LoginURL", t.LoginURL}, {"LoginPostURL", t.LoginPostURL},
		{"LogoutURL", t.LogoutURL}, {"SLOURL", t.SLOURL}, {"SLOPostURL", t.SLOPostURL}, {"SLOResponseURL", t.SLOResponseURL},
		{"SLOPostResponseURL", t.SLOPostResponseURL}, {"SLOSOAPURL", t.SLOSOAPURL}, {"NameIDURL", t.NameIDURL},
		{"NameIDPostURL", t.NameIDPostURL}, {"ErrorURL", t.ErrorURL}} {
		if place.url == "" {
			continue
		}
		if err := checkURL(place.url); err != nil {
			p.add(place.field, "%v", err)
		}
		if len(place.url) > maxTrustURL {
			p.add(place.field, "must have at most %d octets", maxTrustURL)
		}
	}
	if len(t.Keys) > maxPinnedKeys {
		p.add("Keys", "at most %d keys", maxPinnedKeys)
	}
	for i, k := range t.Keys {
		if k.key == nil {
			p.add("Keys", "key %d is empty", i+1)
		}
	}
	t.checkEncryption(p)
	t.checkArtifactServices(p)
}

func (t *LoginTrust) checkEncryption(p *problems) {
	if len(t.EncryptionKeys) > maxPinnedKeys {
		p.add("EncryptionKeys", "at most %d keys", maxPinnedKeys)
	}
	for i, k := range t.EncryptionKeys {
		if err := k.checkEncrypts(); err != nil {
			p.add("EncryptionKeys", "key %d is %v", i+1, err)
		}
	}
	p.algorithms("EncryptionMethods", t.EncryptionMethods)
	if !t.EncryptNameID {
		return
	}
	p.when(len(t.EncryptionKeys) == 0, "EncryptNameID", "needs EncryptionKeys")
	if _, err := t.nameIDEncryption(); errors.Is(err, ErrNoAlgorithm) {
		p.add("EncryptNameID", "EncryptionMethods has no algorithm that we encrypt with")
	}
}

func (t *LoginTrust) checkArtifactServices(p *problems) {
	if len(t.ArtifactServices) > maxArtifactServices {
		p.add("ArtifactServices", "at most %d services", maxArtifactServices)
	}
	for i, s := range t.ArtifactServices {
		if err := checkURL(s.URL); err != nil {
			p.add("ArtifactServices", "%v", err)
		}
		if slices.ContainsFunc(t.ArtifactServices[:i], func(o ArtifactService) bool { return o.Index == s.Index }) {
			p.add("ArtifactServices", "the index %d is there twice", s.Index)
		}
	}
}

func (t *LoginTrust) checkState(p *problems) {
	p.known("State", trustStates, int(t.State))
	active := t.State == Active
	p.when(active && !t.SAML && !t.OpenID && !t.Ticket, "SAML", "an active trust needs a method: SAML, OpenID or Ticket")
	p.when(active && (t.SAML || t.Ticket) && len(t.Keys) == 0, "Keys", "an active trust needs a key")
	p.when(t.TicketInQuery && !t.Ticket, "TicketInQuery", "needs Ticket")
}

func (t *LoginTrust) checkTargets(p *problems) {
	p.known("Initiation", initiations, int(t.Initiation))
	p.known("TargetParam", targetParams, int(t.TargetParam))
	if t.Initiation == InitiatedByIdP {
		p.when(!t.AllowIdPInitiated, "Initiation", "by the identity provider needs AllowIdPInitiated")
		p.when(t.LoginURL == "", "LoginURL", "is needed where the identity provider begins")
		p.when(hasVariable(query(t.LoginURL), t.TargetParam.String()), "LoginURL", "has a target of its own already")
	}
	p.list("PageVariables", t.PageVariables, maxPageVariables, func(what, entry string) {
		switch {
		case !pageVariable.MatchString(entry):
			p.add("PageVariables", "%smust have 1 to 64 letters, digits and _ - . :", what)
		case isReserved(entry):
			p.add("PageVariables", "%sis %.64q, which belongs to the protocol", what, entry)
		}
	})
}

func (t *LoginTrust) checkUsers(p *problems) {
	p.text("Organization", "", t.Organization, 0)
	p.domains("EmailDomains", t.EmailDomains)
	p.domains("Scopes", t.Scopes)
	p.known("Match", matches, int(t.Match))
	for _, name := range []struct{ what, name string }{{"FirstName", t.Attributes.FirstName}, {"LastName", t.Attributes.LastName},
		{"Email", t.Attributes.Email}, {"Username", t.Attributes.Username}} {
		p.text("Attributes", name.what+" ", name.name, 0)
	}
	p.known("Translation", translations, int(t.Translation))
	p.texts("PrivilegedUsers", t.PrivilegedUsers)
	p.texts("DeniedUsers", t.DeniedUsers)
	p.texts("AllowedRoles", t.AllowedRoles)
	p.text("DefaultRole", "", t.DefaultRole, 0)
	p.when(t.CreateUsers && t.DefaultRole == "", "DefaultRole", "is needed where users are created")
	p.when(t.CreateUsers && len(t.AllowedRoles) > 0 && t.DefaultRole != "" && !slices.Contains(t.AllowedRoles, t.DefaultRole),
		"DefaultRole", "must be one of AllowedRoles")
	p.text("DefaultDepartment", "", t.DefaultDepartment, 0)
	p.when(t.CreateUsers && t.PasswordRequired, "PasswordRequired", "a user whom CreateUsers makes has no password")
}

func (t *LoginTrust) checkMessages(p *problems) {
	p.when(t.AllowUnknownInResponseTo && !t.AllowIdPInitiated, "AllowUnknownInResponseTo", "needs AllowIdPInitiated")
	t.checkAlgorithms(p)
	p.uris("Audiences", t.Audiences)
	p.uris("AuthnContext", t.AuthnContext)
	p.when(t.MaxAuthnAge < 0, "MaxAuthnAge", "must not be negative")
	p.texts("RequiredAttributes", t.RequiredAttributes)
}

func (t *LoginTrust) checkAlgorithms(p *problems) {
	_, known := compose.MethodByURI(t.SignatureAlgorithm)
	switch {
	case t.SignatureAlgorithm == "":
	case !known:
		p.add("SignatureAlgorithm", "must be one of %s", strings.Join(compose.Methods(), " "))
	case len(t.acceptedMethods()) == 0:
		p.add("SignatureAlgorithm", "must be one of SigningMethods, which the identity provider declares")
	}
	uris := make([]string, len(t.SigningMethods))
	for i, m := range t.SigningMethods {
		uris[i] = m.Algorithm
		p.when(m.MinKeySize < 0 || m.MaxKeySize < 0 || m.MaxKeySize > 0 && m.MaxKeySize < m.MinKeySize, "SigningMethods",
			fmt.Sprintf("entry %d has sizes of keys that no key has", i+1))
	}
	p.algorithms("SigningMethods", uris)
	p.algorithms("DigestMethods", t.DigestMethods)
}

// algorithms checks a list of URIs that metadata declares. They need not be known.
func (p *problems) algorithms(field string, list []string) {
	p.uris(field, list)
	for i, uri := range list {
		p.when(!strings.Contains(uri, ":"), field, fmt.Sprintf("entry %d must be the URI of an algorithm", i+1))
	}
}

func checkDomain(s string) string {
	if s == "" || len(s) > maxShortText {
		limit := fmt.Sprintf("must have 1 to %d characters", maxShortText)
		if s != "" {
			limit += fmt.Sprintf(", not %d: that is the limit of a login trust, although SAML admits entity IDs of %d", len(s), maxEntityID)
		}
		return limit
	}
	for _, c := range []byte(s) {
		if c <= ' ' || c > '~' || strings.IndexByte(`<>"'`, c) >= 0 {
			return `must be printable ASCII without spaces, quotes, "<" and ">"`
		}
	}
	return ""
}

// checkURL admits https anywhere, and http on the loopback for development.
func checkURL(s string) error {
	u, err := url.Parse(s)
	if err != nil {
		return fmt.Errorf("%.64q is not a URL", s)
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !isLoopback(u.Hostname())) {
		return fmt.Errorf("%.64q must begin with https:// (http:// only for the loopback)", s)
	}
	if !strings.HasPrefix(s, u.Scheme+"://") {
		return fmt.Errorf("%.64q must have its scheme in small letters", s)
	}
	if u.Hostname() == "" || u.User != nil || strings.ContainsAny(s, "# \t\r\n\\") {
		return fmt.Errorf("%.64q must have a host, and no user, fragment, space or backslash", s)
	}
	return nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
