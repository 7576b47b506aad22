package saml

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/logintrust/saml/internal/xmlsec"
)

// A Config says what a service provider is. New copies it; every zero value is the strict choice.
type Config struct {
	// BaseURL is where users reach the application: https://app.example.com, with a path if the application lives under
	// one. http is for the loopback only. Nothing is ever derived from request headers.
	BaseURL string
	// EntityID names the service provider; {BaseURL}/sso/metadata if empty.
	EntityID string
	// MetadataURL, LoginURL, ACSURL, LogoutURL and NameIDURL are {BaseURL}/sso/metadata, /sso/login, /sso/acs, /sso/logout and
	// /sso/nameid if empty. They must be on the origin of BaseURL.
	MetadataURL, LoginURL, ACSURL, LogoutURL, NameIDURL string

	// Trusts finds the login trusts. Required.
	Trusts TrustStore
	// State remembers pending requests and what was used. Required: processes that serve the same service provider must
	// share one; NewMemoryState serves a single process.
	State StateStore

	// Enabled is the switch for single sign-on as a whole, which an administrator may turn at any time: it is asked for
	// every login that begins or ends here. While it says no, both are refused with SSODisabled; metadata is served all the
	// same, so that identity providers can be set up. An error refuses too. Nil is on.
	Enabled func(ctx context.Context) (bool, error)

	// ResolveIssuer names the login trust of an issuer that is no trust's Domain, for identity providers whose issuer differs
	// from tenant to tenant while their keys are the same (Entra ID's /organizations). It must answer from a list of tenants
	// that an administrator admitted, never by a pattern: the keys vouch for every tenant of the world. It is asked twice, once
	// with what the message claims and once with what is proven. Subjects of different issuers are different subjects. Such a
	// trust's Organization holds the users of all issuers that are mapped to it. Nil maps none.
	ResolveIssuer func(ctx context.Context, issuer string) (domain string, found bool, err error)

	// Users is the application's list of users, where each login finds its user. nil: the library maps nobody, Login.User finds
	// none, and what a trust says of users is the host's to apply.
	Users UserDirectory
	// Translations is the application's table of translations, for trusts that ask for one.
	Translations Translations

	// Sessions ends sessions of the application when an identity provider asks for it. It switches single logout on, in both
	// directions: the metadata then says where logout messages go. It needs SigningKeys, since all of them are signed. nil: no
	// single logout.
	Sessions Sessions
	// EndSession ends the session of the browser that made the request, and returns what the host has kept of its login (see
	// Login.Session), for Handler: it serves POST {LogoutURL}, from pages of our own, with it. found is false if there was no
	// session. It needs Sessions. nil: the host has a handler of its own, which calls StartLogout.
	EndSession func(w http.ResponseWriter, r *http.Request) (session LoginSession, found bool, err error)
	// LogoutClient asks identity providers by SOAP to log users out, for LogoutBySOAP. nil: browsers carry all that we ask.
	LogoutClient *SOAPClient
	// NameIDs is told by identity providers when they call a user by another name, or stop using a name (SAML Core 3.6). It switches
	// NameID management on: the metadata then says where its messages go, which is NameIDURL. It needs SigningKeys, since all
	// answers are signed. nil: no NameID management.
	NameIDs NameIDs
	// RawQuery is the query of a request as the browser sent it, percent-encoding and all, for hosts behind a gateway that
	// decodes it and writes it anew, which destroys signatures by HTTP-Redirect; the gateway must hand the original over, in a
	// header that it lets nobody else set. nil is http.Request.URL.RawQuery, which net/http leaves as it came.
	RawQuery func(r *http.Request) string

	// SigningKeys are our own keys, all of which are published. The first that is not PublishOnly signs, unless a trust asks
	// for an algorithm that takes a key of another kind: then the first that fits. None: requests are not signed, and there
	// is no single logout. See docs/keys.md for the life of a key.
	SigningKeys []KeyPair
	// SignatureAlgorithms and DigestAlgorithms, if there are any, are the URIs of those that are made, accepted and published,
	// in this order; what is not listed is refused. Empty: all that the library knows. They cannot admit what a trust must
	// admit, such as SHA-1, and what is not on the list a trust cannot admit either. Signatures of metadata that is imported are
	// judged by ImportOptions alone.
	SignatureAlgorithms, DigestAlgorithms []string

	// Metadata is what SP metadata says beside what follows from the other fields.
	Metadata MetadataOptions

	// DecryptionKeys are our own keys that open what is encrypted for us. All are published in SP metadata, upon which some
	// products begin to encrypt, and all are tried, so that a new one can be published before the old one goes. None: what
	// is encrypted is refused.
	DecryptionKeys []DecryptionKey

	// Now is the clock, time.Now if nil. It is read once a login.
	Now func() time.Time
	// ClockSkew is the tolerance on every time check: 0 means 3 minutes, negative none.
	ClockSkew time.Duration
	// Artifacts resolves artifacts (SAML Bindings 3.6); the assertion consumer service then takes them, by GET and by POST, and
	// SP metadata says so. It needs a SigningKey or a certificate for TLS. Nil takes none, and nothing leaves the process.
	Artifacts *SOAPClient
	// ECP serves enhanced clients too: programs that take a request to an identity provider themselves (SAML Profiles 4.2). LoginURL
	// then answers those that say so by PAOS, ACSURL takes what they bring, and SP metadata says so. They need to keep cookies, as
	// they do for the session that follows. A trust with PasswordRequired does not admit them.
	ECP bool
	// DiscoveryURL is a discovery service, where users pick their identity provider (Identity Provider Discovery Service Protocol).
	// SP metadata then names LoginURL as the place to which it may send them back. Empty: our own pages show the choice.
	DiscoveryURL string
	// DefaultPath is where a login leads that was not begun at a page of ours; "/" if empty.
	DefaultPath string
	// RelayStateHosts are hosts (not URLs), beside our own, to which a relay state may lead, by https; exact, with port if it has one.
	RelayStateHosts []string
	// MaxFormBytes and MaxMessageBytes bound what is posted, and the XML in it: at most, and by default, 4 and 3 MiB.
	MaxFormBytes, MaxMessageBytes int

	// InsecureAllowHTTP admits http URLs of our own off the loopback. Whoever is on the way between browser and application
	// then reads assertions, and takes over every session. It is for closed test beds and for judging recorded logins.
	InsecureAllowHTTP bool

	// AskPassword answers a login by a trust with PasswordRequired, for Handler: with a form that asks for the local password and
	// keeps the step's token in a hidden field. What the form sends goes to FinishPassword. nil: such a login is refused.
	AskPassword func(w http.ResponseWriter, r *http.Request, step PasswordStep)
	// OnRefusal is called for every refused login, and message about a logout, that the handlers meet, for logs, audit and
	// support. reference is what the error page shows; err.Report says how the login met each check, and err.SealedCase writes it
	// down. It may be called concurrently.
	OnRefusal func(ctx context.Context, r *http.Request, reference string, err *Error)
}

const (
	defaultSkew     = 3 * time.Minute
	maxSkew         = 24 * time.Hour
	maxFormBytes    = 4 << 20
	maxMessageBytes = 3 << 20
	maxEntityID     = 1024 // SAML Core 8.3.6
)

// complete checks a Config and fills in what is derived.
func (c Config) complete() (Config, error) {
	base, err := url.Parse(c.BaseURL)
	if err != nil || c.checkOwn(c.BaseURL) != nil || base.RawQuery != "" || base.ForceQuery {
		return c, fmt.Errorf("saml: BaseURL %q must be https://host, with a path if need be (http:// only for the loopback)", c.BaseURL)
	}
	c.BaseURL = strings.TrimRight(c.BaseURL, "/")
	if c.Trusts == nil || c.State == nil {
		return c, errors.New("saml: Trusts and State are required")
	}
	for _, place := range []struct {
		name string
		url  *string
		path string
	}{{"MetadataURL", &c.MetadataURL, "/sso/metadata"}, {"LoginURL", &c.LoginURL, "/sso/login"}, {"ACSURL", &c.ACSURL, "/sso/acs"},
		{"LogoutURL", &c.LogoutURL, "/sso/logout"}, {"NameIDURL", &c.NameIDURL, "/sso/nameid"}} {
		if *place.url == "" {
			*place.url = c.BaseURL + place.path
		}
		if err := c.checkOwn(*place.url); err != nil {
			return c, fmt.Errorf("saml: %s: %w", place.name, err)
		}
		if origin(*place.url) != origin(c.BaseURL) {
			return c, fmt.Errorf("saml: %s must be on the origin of BaseURL", place.name)
		}
	}
	if paths := []string{pathOf(c.MetadataURL), pathOf(c.LoginURL), pathOf(c.ACSURL), pathOf(c.LogoutURL), pathOf(c.NameIDURL)}; len(slices.Compact(slices.Sorted(slices.Values(paths)))) < len(paths) {
		return c, errors.New("saml: MetadataURL, LoginURL, ACSURL, LogoutURL and NameIDURL must have different paths")
	}
	if c.EndSession != nil && c.Sessions == nil {
		return c, errors.New("saml: EndSession needs Sessions, which switches single logout on: without it nothing would call EndSession")
	}
	if c.Sessions != nil && len(c.signers()) == 0 {
		return c, errors.New("saml: Sessions needs SigningKeys, since messages of single logout are signed")
	}
	if c.NameIDs != nil && len(c.signers()) == 0 {
		return c, errors.New("saml: NameIDs needs SigningKeys, since its answers are signed")
	}
	for _, host := range c.RelayStateHosts {
		if u, err := url.Parse("https://" + host); err != nil || host == "" || u.Host != host || u.User != nil {
			return c, fmt.Errorf("saml: RelayStateHosts: %q is not a host, with port if need be", host)
		}
	}
	if c.EntityID == "" {
		c.EntityID = c.MetadataURL
	}
	if len(c.EntityID) > maxEntityID || !utf8.ValidString(c.EntityID) ||
		strings.ContainsFunc(c.EntityID, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }) {
		return c, fmt.Errorf("saml: EntityID must be at most %d octets of printable characters without spaces", maxEntityID)
	}
	switch {
	case c.ClockSkew == 0:
		c.ClockSkew = defaultSkew
	case c.ClockSkew < 0:
		c.ClockSkew = 0
	case c.ClockSkew > maxSkew:
		return c, fmt.Errorf("saml: a ClockSkew of more than %v", maxSkew)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.RawQuery == nil {
		c.RawQuery = func(r *http.Request) string { return r.URL.RawQuery }
	}
	if c.MaxFormBytes, err = bounded("MaxFormBytes", c.MaxFormBytes, maxFormBytes); err != nil {
		return c, err
	}
	if c.MaxMessageBytes, err = bounded("MaxMessageBytes", c.MaxMessageBytes, maxMessageBytes); err != nil {
		return c, err
	}
	c.RelayStateHosts = slices.Clone(c.RelayStateHosts)
	c.SigningKeys = slices.Clone(c.SigningKeys)
	for i, k := range c.SigningKeys {
		if err := k.check(); err != nil {
			return c, fmt.Errorf("saml: SigningKeys[%d]: %w", i, err)
		}
		c.SigningKeys[i].Signer = hide(k.Signer)
	}
	if err := c.checkAlgorithms(); err != nil {
		return c, err
	}
	if c.Metadata, err = c.Metadata.complete(len(c.signers()) > 0, c.Sessions != nil, c.Now()); err != nil {
		return c, fmt.Errorf("saml: Metadata.%w", err)
	}
	c.DecryptionKeys = slices.Clone(c.DecryptionKeys)
	for i, k := range c.DecryptionKeys {
		if err := k.check(); err != nil {
			return c, fmt.Errorf("saml: DecryptionKeys[%d]: %w", i, err)
		}
		c.DecryptionKeys[i].Key = hideDecryption(k.Key)
	}
	if c.DefaultPath == "" {
		c.DefaultPath = "/"
	}
	if c.Artifacts, err = c.Artifacts.complete(); err != nil {
		return c, fmt.Errorf("saml: Artifacts: %w", err)
	}
	if c.Artifacts != nil && len(c.signers()) == 0 && len(c.Artifacts.Certificates) == 0 { // SAML Profiles 4.1.4.4
		return c, errors.New("saml: Artifacts needs a SigningKey, or Certificates for TLS")
	}
	if c.LogoutClient, err = c.LogoutClient.complete(); err != nil {
		return c, fmt.Errorf("saml: LogoutClient: %w", err)
	}
	if c.DiscoveryURL != "" {
		if err := checkURL(c.DiscoveryURL); err != nil {
			return c, fmt.Errorf("saml: DiscoveryURL: %w", err)
		}
		if u, err := url.Parse(c.LoginURL); err != nil || u.Query().Has("entityID") || u.Query().Has(discoveryParam) {
			return c, errors.New("saml: LoginURL must not have an entityID of its own, which a discovery service adds")
		}
	}
	if localPath(c.DefaultPath) == "" {
		return c, fmt.Errorf("saml: DefaultPath %q is not a local path", c.DefaultPath)
	}
	return c, nil
}

// checkAlgorithms checks what the host admits, and that each key can sign with some of it.
func (c *Config) checkAlgorithms() error {
	c.SignatureAlgorithms, c.DigestAlgorithms = slices.Clone(c.SignatureAlgorithms), slices.Clone(c.DigestAlgorithms)
	for _, list := range []struct {
		name  string
		uris  []string
		known func(uri string) bool
	}{{"SignatureAlgorithms", c.SignatureAlgorithms, xmlsec.IsSignatureAlgorithm}, {"DigestAlgorithms", c.DigestAlgorithms, xmlsec.IsDigestAlgorithm}} {
		for i, uri := range list.uris {
			if !list.known(uri) || slices.Contains(list.uris[:i], uri) {
				return fmt.Errorf("saml: %s: %s is not an algorithm that the library knows, or is there twice", list.name, quoted(uri))
			}
		}
	}
	for i, k := range c.SigningKeys {
		if _, err := c.defaultSigning(k); err != nil {
			return fmt.Errorf("saml: SigningKeys[%d]: %w", i, err)
		}
	}
	if len(c.signers()) > 0 && len(c.DigestAlgorithms) > 0 && c.defaultDigest() == "" {
		return errors.New("saml: DigestAlgorithms has none to sign with")
	}
	return nil
}

// checkOwn checks a URL of our own.
func (c *Config) checkOwn(place string) error {
	if rest, plain := strings.CutPrefix(place, "http://"); plain && c.InsecureAllowHTTP {
		place = "https://" + rest
	}
	return checkURL(place)
}

func bounded(name string, value, most int) (int, error) {
	if value < 0 || value > most {
		return 0, fmt.Errorf("saml: %s must be between 0 and %d", name, most)
	}
	if value == 0 {
		return most, nil
	}
	return value, nil
}

// origin is scheme, host and port of a URL, with the default port left out.
func origin(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" {
		return ""
	}
	host := strings.ToLower(u.Host)
	switch u.Scheme {
	case "https":
		host = strings.TrimSuffix(host, ":443")
	case "http":
		host = strings.TrimSuffix(host, ":80")
	}
	return u.Scheme + "://" + host
}
