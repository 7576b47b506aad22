package saml

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/logintrust/saml/internal/compose"
	"github.com/logintrust/saml/internal/wire"
)

// A Comparison says how an identity provider is to compare authentication contexts with those asked for (SAML Core
// 3.3.2.2.1).
type Comparison int

// Comparisons. Only an exact one can be held against the answer here, since no order of the classes is known.
const (
	Exact Comparison = iota
	Minimum
	Maximum
	Better
)

var comparisons = wordList{"exact", "minimum", "maximum", "better"}

// RequestDetails are the parts of an AuthnRequest that few identity providers want, and some refuse: Entra ID takes no
// Scoping, ADFS no Subject of other formats than its own. The zero value sends none of them.
type RequestDetails struct {
	// NameIDPolicy sends a NameIDPolicy even if no format is asked for.
	NameIDPolicy bool
	// SPNameQualifier asks for the NameID that users have at an affiliation or another service provider (SAML Core 3.4.1.1).
	SPNameQualifier string
	// Comparison is how the identity provider compares StartOptions.AuthnContext. Of an answer to another than Exact the host
	// judges the classes: Assertion.AuthnContext.
	Comparison Comparison
	// AuthnContextDecls asks for declarations in place of classes; never both.
	AuthnContextDecls []string
	// Scoping says which identity providers a proxy may ask.
	Scoping *Scoping
	// Extensions are XML elements, each of a namespace that is not SAML's.
	Extensions []string
	// ProviderName is our name for people, at most 256 characters.
	ProviderName string
	// Consent is a URI that says how the user has consented to this request. It needs a request that is signed.
	Consent string
	// ByArtifact asks for the answer by HTTP-Artifact. It needs Config.Artifacts.
	ByArtifact bool
	// ACSByIndex names our assertion consumer service by its index in our metadata, not by its URL.
	ACSByIndex bool
	// AttributeService asks for the attributes of one of Config.Metadata.Services: 1 is the first.
	AttributeService int
	// Parameters are added to the identity provider's URL, beside the message and not signed: login_hint, domain_hint and the
	// like. They must not be parameters of the protocol.
	Parameters []Parameter
}

// A Parameter is one of a URL's query.
type Parameter struct{ Name, Value string }

// Scoping says which identity providers a proxy may ask (SAML Core 3.4.1.2).
type Scoping struct {
	// ProxyCount is how many proxies may stand between the one that is asked and the one that authenticates; nil sets no limit.
	ProxyCount *int
	// IDPList are entity IDs of identity providers that may be asked.
	IDPList []string
	// GetComplete is a URL where the whole list stands; it needs an IDPList.
	GetComplete string
	// RequesterIDs are those on whose behalf we ask.
	RequesterIDs []string
}

const (
	maxRequestText    = 256 // characters: SAML V2.0 deployments take no more (SDP-G02)
	maxParameters     = 32
	maxParameterValue = 2048 // octets
	maxIDPList        = 1024
)

// check refuses what no request may say.
func (d *RequestDetails) check(sp *ServiceProvider, classes []string) error {
	services := len(sp.config.Metadata.Services)
	switch {
	case !comparisons.has(int(d.Comparison)):
		return errors.New("an unknown Comparison")
	case len(d.AuthnContextDecls) > 0 && len(classes) > 0:
		return errors.New("both AuthnContext and AuthnContextDecls (SAML Core 3.3.2.2.1)")
	case len(d.AuthnContextDecls) > maxClasses:
		return fmt.Errorf("more than %d AuthnContextDecls", maxClasses)
	case d.Consent != "" && len(sp.config.signers()) == 0:
		return errors.New("a Consent in a request that is not signed (SAML Core 3.2.1)")
	case d.ByArtifact && sp.config.Artifacts == nil:
		return errors.New("an answer ByArtifact without Config.Artifacts")
	case d.AttributeService < 0 || d.AttributeService > services:
		return fmt.Errorf("AttributeService %d, where our metadata has %d", d.AttributeService, services)
	case len(d.Parameters) > maxParameters:
		return fmt.Errorf("more than %d Parameters", maxParameters)
	}
	for _, text := range append([]string{d.ProviderName, d.SPNameQualifier, d.Consent}, d.AuthnContextDecls...) {
		if !isRequestText(text) {
			return fmt.Errorf("%s, where at most %d printable characters may stand", quoted(text), maxRequestText)
		}
	}
	for _, p := range d.Parameters {
		if p.Name == "" || isReserved(p.Name) || !isRequestText(p.Name) || len(p.Value) > maxParameterValue || !utf8.ValidString(p.Value) {
			return fmt.Errorf("the parameter %s, which is empty, too long, or the protocol's own", quoted(p.Name))
		}
	}
	return d.Scoping.check()
}

func isRequestText(s string) bool {
	return utf8.ValidString(s) && utf8.RuneCountInString(s) <= maxRequestText &&
		!strings.ContainsFunc(s, func(c rune) bool { return !unicode.IsPrint(c) })
}

func (s *Scoping) check() error {
	switch {
	case s == nil:
		return nil
	case s.ProxyCount != nil && *s.ProxyCount < 0:
		return errors.New("a negative ProxyCount")
	case len(s.IDPList) > maxIDPList || len(s.RequesterIDs) > maxIDPList:
		return fmt.Errorf("more than %d entity IDs in Scoping", maxIDPList)
	case s.GetComplete != "" && len(s.IDPList) == 0:
		return errors.New("GetComplete without IDPList")
	}
	for _, id := range slices.Concat(s.IDPList, s.RequesterIDs, []string{s.GetComplete}) {
		if len(id) > maxEntityID || strings.ContainsFunc(id, func(c rune) bool { return unicode.IsSpace(c) || !unicode.IsPrint(c) }) {
			return fmt.Errorf("%s in Scoping", quoted(id))
		}
	}
	return nil
}

// authnRequest is the request that asks for all this.
func (sp *ServiceProvider) authnRequest(trust *LoginTrust, opts *StartOptions) (compose.AuthnRequest, error) {
	d := &opts.Details
	r := compose.AuthnRequest{ID: opts.RequestID, Issuer: sp.config.EntityID, Consent: d.Consent, Extensions: d.Extensions,
		ForceAuthn: opts.ForceAuthn, IsPassive: opts.IsPassive, AttributeService: d.AttributeService, ProviderName: d.ProviderName}
	if r.ByArtifact = d.ByArtifact; d.ByArtifact {
		r.ACSIndex = artifactIndex
	}
	if !d.ACSByIndex {
		r.ACSURL = sp.config.ACSURL
	}
	if opts.Subject != nil {
		s := wire.NameID(*opts.Subject)
		r.Subject = &s
		var err error
		if r.EncryptTo, err = trust.nameIDEncryption(); err != nil {
			return r, err
		}
	}
	if opts.NameIDFormat != "" || d.NameIDPolicy || d.SPNameQualifier != "" {
		r.Policy = &compose.NameIDPolicy{Format: opts.NameIDFormat, SPNameQualifier: d.SPNameQualifier}
	}
	if len(opts.AuthnContext) > 0 || len(d.AuthnContextDecls) > 0 {
		r.Context = &compose.AuthnContext{Comparison: d.Comparison.String(), Classes: opts.AuthnContext, Decls: d.AuthnContextDecls}
	}
	if s := d.Scoping; s != nil {
		r.Scoping = &compose.Scoping{ProxyCount: s.ProxyCount, Complete: s.GetComplete, Requesters: s.RequesterIDs}
		for _, id := range s.IDPList {
			r.Scoping.IDPs = append(r.Scoping.IDPs, compose.IDPEntry{ProviderID: id})
		}
	}
	return r, nil
}

// String gives the word that stands in the request.
func (c Comparison) String() string { return comparisons.word(int(c)) }

// query is what Parameters add to a URL.
func (d *RequestDetails) query() (variables []string) {
	for _, p := range d.Parameters {
		variables = append(variables, url.QueryEscape(p.Name)+"="+url.QueryEscape(p.Value))
	}
	return variables
}

// expectedSubject is whom an answer must be about, as a hash, since names of people are not kept; "" if anybody will do.
func (sp *ServiceProvider) expectedSubject(trust *LoginTrust, opts *StartOptions) (string, error) {
	switch {
	case opts.Subject != nil && opts.SameSubject != nil:
		return "", errors.New("saml: StartOptions: Subject and SameSubject are two answers to one question")
	case opts.Subject != nil:
		s := Subject{Issuer: trust.Domain, NameID: *opts.Subject, SPEntityID: sp.config.EntityID}
		if s.NameID.Value == "" || !isRequestText(s.NameID.Value) {
			return "", fmt.Errorf("saml: StartOptions.Subject without a name of at most %d printable characters", maxRequestText)
		}
		return s.fingerprint(false), nil
	case opts.SameSubject != nil:
		if opts.SameSubject.NameID.Value == "" {
			return "", fmt.Errorf("saml: StartOptions.SameSubject: %w", ErrNoAccountKey)
		}
		same := *opts.SameSubject
		same.SPEntityID = cmp.Or(same.SPEntityID, sp.config.EntityID)
		return same.fingerprint(true), nil
	}
	return "", nil
}

// fingerprint stands for a subject for as long as a request waits: name, format and qualifiers; with whole also the
// issuer. A transient NameID has one, since it is the same for a session.
func (s Subject) fingerprint(whole bool) string {
	kind, n := "name", s.NameID
	if n.Format == "" {
		n.Format = NameIDUnspecified
	}
	issuer := ""
	if n = n.withDefaults(s.Issuer, s.SPEntityID); whole {
		kind, issuer = "subject", s.Issuer
	}
	sum := n.hash(issuer)
	return kind + string(sum[:])
}
