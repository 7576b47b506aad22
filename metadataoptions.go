package saml

import (
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// MetadataOptions are what SP metadata says beside what follows from the rest of a Config. All of it may be left out. Texts
// for people are maps from a language (en, de-CH) to the text in it.
type MetadataOptions struct {
	// Sign signs the metadata with the first of the SigningKeys that signs, once, in New. With an ECDSA key each process makes a
	// signature of its own, so that processes serve different bytes; with RSA they are the same. ADFS wants a Certificate.
	Sign bool
	// CacheDuration is how often identity providers are asked to read the metadata again: a day if 0.
	CacheDuration time.Duration
	// ValidUntil, if not zero, is when the metadata expires: identity providers then refuse logins until they have a newer
	// one, so a Config with a later time must be in use well before.
	ValidUntil time.Time
	// OmitAlgorithms leaves out which signatures we verify, for products that stumble over an Extensions element.
	OmitAlgorithms bool
	// LogoutBySOAP names LogoutURL as a place for logout requests by SOAP too, which identity providers send themselves, without a
	// browser. Set it only where they reach LogoutURL: one that chooses it and does not fails to log users out here. The endpoint
	// takes such requests in any case. It needs Config.Sessions.
	LogoutBySOAP bool
	// NameIDFormats are the formats of NameID that we take, in order of preference; none leaves the choice to the
	// identity provider. They are a request, not a check.
	NameIDFormats []string
	// UI is what a page of the identity provider may show of us.
	UI UIInfo
	// Organization is who runs the service; all three of its fields go together.
	Organization Organization
	// Contacts are whom to write to.
	Contacts []Contact
	// Services are sets of attributes that we ask for; the first is the default. They are a request, not a check: see
	// LoginTrust.RequiredAttributes.
	Services []AttributeService
}

// UIInfo is mdui:UIInfo, what a page of the identity provider may show of us (SAML V2.0 Metadata Extensions for Login and
// Discovery User Interface 2.1).
type UIInfo struct {
	DisplayNames, Descriptions, InformationURLs, PrivacyStatementURLs map[string]string
	Logos                                                             []Logo
}

// A Logo is an image of that size in pixels, at an https URL or in a data URL. Lang may be empty.
type Logo struct {
	URL           string
	Width, Height int
	Lang          string
}

// An Organization is who runs the service (SAML Metadata 2.3.2.1).
type Organization struct{ Names, DisplayNames, URLs map[string]string }

// A ContactType says what to write to a Contact about.
type ContactType string

// The types of contact (SAML Metadata 2.3.2.2), and the REFEDS security contact.
const (
	TechnicalContact      ContactType = "technical"
	SupportContact        ContactType = "support"
	AdministrativeContact ContactType = "administrative"
	BillingContact        ContactType = "billing"
	OtherContact          ContactType = "other"
	SecurityContact       ContactType = "security"
)

// A Contact is whom to write to. One of its other fields must be there beside Type.
type Contact struct {
	Type                        ContactType
	Company, GivenName, SurName string
	Emails, Phones              []string
}

// An AttributeService is a set of attributes that we ask for (SAML Metadata 2.4.4.1).
type AttributeService struct {
	Names, Descriptions map[string]string
	Attributes          []RequestedAttribute
}

// A RequestedAttribute is an attribute that we ask for. Name and NameFormat are those that the identity provider is to use.
type RequestedAttribute struct {
	Name, NameFormat, FriendlyName string
	Required                       bool
}

const (
	defaultCacheDuration = 24 * time.Hour
	maxMetadataText      = 4096  // octets of one text
	maxLogo              = 65536 // octets of a Logo's URL, which may be a data URL
)

func (o Organization) isZero() bool { return len(o.Names)+len(o.DisplayNames)+len(o.URLs) == 0 }

// complete checks the options and fills in what is left out.
func (o MetadataOptions) complete(canSign, logsOut bool, now time.Time) (MetadataOptions, error) {
	if o.CacheDuration == 0 {
		o.CacheDuration = defaultCacheDuration
	}
	var c optionCheck
	if o.Sign && !canSign {
		c.fail("Sign", "needs a key in SigningKeys that signs")
	}
	if o.LogoutBySOAP && !logsOut {
		c.fail("LogoutBySOAP", "needs Sessions, which end by it")
	}
	if o.CacheDuration < time.Second {
		c.fail("CacheDuration", "must be a second or more")
	}
	if !o.ValidUntil.IsZero() && !o.ValidUntil.After(now) {
		c.fail("ValidUntil", "%s has passed", stamp(o.ValidUntil))
	}
	for _, format := range o.NameIDFormats {
		c.name("NameIDFormats", format)
	}
	c.texts("UI.DisplayNames", o.UI.DisplayNames)
	c.texts("UI.Descriptions", o.UI.Descriptions)
	c.urls("UI.InformationURLs", o.UI.InformationURLs)
	c.urls("UI.PrivacyStatementURLs", o.UI.PrivacyStatementURLs)
	for _, l := range o.UI.Logos {
		c.logo(l)
	}
	c.texts("Organization.Names", o.Organization.Names)
	c.texts("Organization.DisplayNames", o.Organization.DisplayNames)
	c.urls("Organization.URLs", o.Organization.URLs)
	if org := o.Organization; !org.isZero() && (len(org.Names) == 0 || len(org.DisplayNames) == 0 || len(org.URLs) == 0) {
		c.fail("Organization", "Names, DisplayNames and URLs go together")
	}
	for _, contact := range o.Contacts {
		c.contact(contact)
	}
	for _, s := range o.Services {
		c.service(s)
	}
	return o, c.err
}

// An optionCheck keeps the first thing that is wrong.
type optionCheck struct{ err error }

func (c *optionCheck) fail(field, format string, args ...any) {
	if c.err == nil {
		c.err = fmt.Errorf("%s: %s", field, fmt.Sprintf(format, args...))
	}
}

// text admits what XML can hold and a page can show in a line; quotes and angle brackets are escaped.
func (c *optionCheck) text(field, s string) {
	switch {
	case strings.TrimSpace(s) == "":
		c.fail(field, "an empty text")
	case len(s) > maxMetadataText:
		c.fail(field, "more than %d octets", maxMetadataText)
	case !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) || r == '\ufffe' || r == '\uffff' }):
		c.fail(field, "%s holds a control character or is not UTF-8", quoted(s))
	}
}

// name is for URIs and names of attributes.
func (c *optionCheck) name(field, s string) {
	c.text(field, s)
	if strings.ContainsFunc(s, unicode.IsSpace) {
		c.fail(field, "%s holds a space", quoted(s))
	}
}

// language is the shape of xs:language.
var language = regexp.MustCompile(`^[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*$`)

func (c *optionCheck) language(field, lang string) {
	if !language.MatchString(lang) {
		c.fail(field, "%s is not a language such as en or de-CH", quoted(lang))
	}
}

// texts must have one text for each language (MDUI 2.1), whose names have no case.
func (c *optionCheck) texts(field string, texts map[string]string) {
	seen := map[string]bool{}
	for _, lang := range slices.Sorted(maps.Keys(texts)) {
		c.language(field, lang)
		c.text(field, texts[lang])
		if seen[strings.ToLower(lang)] {
			c.fail(field, "two texts in %s", quoted(lang))
		}
		seen[strings.ToLower(lang)] = true
	}
}

func (c *optionCheck) urls(field string, urls map[string]string) {
	c.texts(field, urls)
	for _, lang := range slices.Sorted(maps.Keys(urls)) {
		u, err := url.Parse(urls[lang])
		if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || strings.ContainsFunc(urls[lang], unicode.IsSpace) {
			c.fail(field, "%s is not a web address", quoted(urls[lang]))
		}
	}
}

func (c *optionCheck) logo(l Logo) {
	const field = "UI.Logos"
	if l.Lang != "" {
		c.language(field, l.Lang)
	}
	image := strings.HasPrefix(l.URL, "data:image/")
	if !image && checkURL(l.URL) != nil || image && strings.ContainsFunc(l.URL, func(r rune) bool { return r <= ' ' || r > '~' }) {
		c.fail(field, "%s is neither an https URL nor a data URL of an image", quoted(l.URL))
	}
	if !utf8.ValidString(l.URL) || strings.ContainsFunc(l.URL, unicode.IsControl) || len(l.URL) > maxLogo {
		c.fail(field, "a URL of more than %d octets, or with control characters", maxLogo)
	}
	if l.Width < 1 || l.Height < 1 {
		c.fail(field, "Width and Height are required")
	}
}

func (c *optionCheck) contact(contact Contact) {
	const field = "Contacts"
	if !slices.Contains([]ContactType{TechnicalContact, SupportContact, AdministrativeContact, BillingContact, OtherContact, SecurityContact}, contact.Type) {
		c.fail(field, "%s is no type of contact", quoted(string(contact.Type)))
	}
	some := append(append([]string{contact.Company, contact.GivenName, contact.SurName}, contact.Emails...), contact.Phones...)
	some = slices.DeleteFunc(some, func(s string) bool { return s == "" })
	if len(some) == 0 {
		c.fail(field, "a contact with nothing but a type")
	}
	for _, s := range some {
		c.text(field, s)
	}
	for _, address := range contact.Emails {
		name, host, _ := strings.Cut(strings.TrimPrefix(address, "mailto:"), "@")
		if name == "" || host == "" || strings.ContainsAny(address, " ?<>\"") || strings.Contains(host, "@") {
			c.fail(field, "%s is not an e-mail address", quoted(address))
		}
	}
}

func (c *optionCheck) service(s AttributeService) {
	const field = "Services"
	c.texts(field, s.Names)
	c.texts(field, s.Descriptions)
	if len(s.Names) == 0 || len(s.Attributes) == 0 {
		c.fail(field, "a service needs a name and an attribute")
	}
	for _, a := range s.Attributes {
		c.text(field, a.Name)
		if a.NameFormat != "" {
			c.name(field, a.NameFormat)
		}
		if a.FriendlyName != "" {
			c.text(field, a.FriendlyName)
		}
	}
}
