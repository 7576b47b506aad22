package saml

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/logintrust/saml/internal/wire"
)

// A Proposal is a login trust made from an identity provider's metadata, for an administrator to look at. Nothing has saved
// it, and its State is Provisional: nobody gets in before an administrator activates it.
type Proposal struct {
	Trust LoginTrust `json:"trust"`
	// Verified says that one of ImportOptions.Keys signed what was read.
	Verified bool `json:"verified"`
	// ValidUntil is when the metadata must be read again at the latest; zero if it does not say.
	ValidUntil time.Time `json:"validUntil,omitzero"`
	// CacheDuration is how often the metadata asks to be read again; 0 if it does not say.
	CacheDuration time.Duration `json:"cacheDurationNanoseconds,omitempty"`
	// ClaimedScopes are those that the metadata claims for itself. They are in Trust.Scopes only if the metadata is Verified:
	// an identity provider that chooses its own scopes can speak for anybody (SAML V2.0 Deployment Profile, SDP-SP17).
	ClaimedScopes []string `json:"claimedScopes,omitempty"`
	// Notes say what in the metadata was left out, and what to look at.
	Notes []ImportNote `json:"notes,omitempty"`
}

// An ImportNote says what an administrator should know of imported metadata: a code for programs, a sentence for people.
type ImportNote struct {
	Code ImportNoteCode `json:"code"`
	Text string         `json:"text"`
}

// An ImportNoteCode says what sort of note it is.
type ImportNoteCode string

// What there is to say of metadata.
const (
	// NoteUnreadableKey: a signing key was left out, since it cannot be read or is not supported.
	NoteUnreadableKey ImportNoteCode = "unreadable_key"
	// NotePlainEndpoint: an endpoint without https was left out.
	NotePlainEndpoint ImportNoteCode = "endpoint_without_https"
	// NoteErrorURL: the page for errors was left out, since it is not an https URL.
	NoteErrorURL ImportNoteCode = "error_url_ignored"
	// NoteScopeIgnored: a scope was left out that is a pattern, or no name of a domain.
	NoteScopeIgnored ImportNoteCode = "scope_ignored"
	// NoteScopesClaimed: the metadata claims scopes, and nobody vouches for it; see Proposal.ClaimedScopes.
	NoteScopesClaimed ImportNoteCode = "scopes_claimed"
	// NoteDescriptionCut: the name was cut to what a Description holds.
	NoteDescriptionCut ImportNoteCode = "description_cut"
)

const (
	maxNotes  = 16  // of a document made to have more, the rest is not shown
	maxScopes = 256 // claimed by one identity provider

	maxKeysRead = 64 // KeyDescriptors of one identity provider; maxPinnedKeys different ones may be among them
)

// A Candidate is an identity provider in metadata, for an administrator to choose.
type Candidate struct {
	EntityID string `json:"entityID"`
	// DisplayName is its name in English, or in the first language that there is; the EntityID if it has none.
	DisplayName string `json:"displayName"`
}

const (
	// ErrSeveralIdPs says that metadata holds more than one identity provider, and none was picked. Candidates lists them.
	ErrSeveralIdPs = sentinel("saml: the metadata holds several identity providers; name one by its entity ID")
	errNoIdP       = sentinel("saml: the metadata holds no SAML 2.0 identity provider")
)

// TrustFromMetadata is ProposeTrust without options, and without what else it has to say: it proposes a login trust from an
// identity provider's metadata, one EntityDescriptor, or an aggregate from which entityID picks one. entityID may be empty
// if there is only one identity provider. now is held against validUntil. Keys and endpoints come from the
// IDPSSODescriptor for SAML 2.0 alone.
//
// The trust is provisional: an administrator looks at it, activates and saves it. The metadata's own signature is not
// verified; whoever calls this vouches for where the metadata comes from.
func TrustFromMetadata(metadata []byte, entityID string, now time.Time) (LoginTrust, error) {
	p, err := ProposeTrust(metadata, ImportOptions{EntityID: entityID}, now)
	return p.Trust, err
}

// ProposeTrust makes a login trust from metadata as it comes in a file, a block of text, or from a MetadataFetcher: an
// EntityDescriptor or an aggregate of any depth. Of an entity only the first IDPSSODescriptor for SAML 2.0 counts, and of
// its keys those for signing or without use. now is held against the validUntil of the entity and of all that is around it.
func ProposeTrust(metadata []byte, opts ImportOptions, now time.Time) (Proposal, error) {
	u, idps, err := opts.read(metadata, func(id string) bool { return opts.EntityID == "" || id == opts.EntityID }, now)
	if err != nil {
		return Proposal{}, err
	}
	switch {
	case len(idps) == 0 && opts.EntityID != "":
		return Proposal{}, fmt.Errorf("%w %s", errNoIdP, quoted(opts.EntityID))
	case len(idps) == 0:
		return Proposal{}, errNoIdP
	case len(idps) > 1 && opts.EntityID == "":
		return Proposal{}, ErrSeveralIdPs
	case len(idps) > 1:
		return Proposal{}, fmt.Errorf("saml: the metadata describes %s more than once", quoted(opts.EntityID))
	}
	idp, err := opts.verify(u, idps[0], now)
	if err != nil {
		return Proposal{}, err
	}
	return propose(idp, opts, now)
}

// Candidates lists the identity providers in metadata, without those that have expired, in the order of the document.
// With ImportOptions.AllowSignedEntity the list is only what there is to choose from; ProposeTrust verifies the choice.
func Candidates(metadata []byte, opts ImportOptions, now time.Time) ([]Candidate, error) {
	_, idps, err := opts.read(metadata, func(string) bool { return true }, now)
	if err != nil {
		return nil, err
	}
	var list []Candidate
	var expired error
	for _, idp := range idps {
		if err := checkExpiry(idp, now); err != nil {
			expired = err
			continue
		}
		name, _ := description(idp.IdP)
		list = append(list, Candidate{EntityID: idp.EntityID, DisplayName: name})
	}
	if len(list) == 0 {
		if expired != nil {
			return nil, expired
		}
		return nil, errNoIdP
	}
	return list, nil
}

func checkExpiry(idp importable, now time.Time) error {
	if !idp.ValidUntil.IsZero() && !now.Before(idp.ValidUntil) {
		return fmt.Errorf("saml: the metadata expired at %s", stamp(idp.ValidUntil))
	}
	return nil
}

func propose(idp importable, opts ImportOptions, now time.Time) (Proposal, error) {
	if err := checkExpiry(idp, now); err != nil {
		return Proposal{}, err
	}
	p := Proposal{Verified: idp.verified, ValidUntil: idp.ValidUntil, CacheDuration: idp.CacheDuration,
		Trust: LoginTrust{Domain: idp.EntityID, SAML: true, LinkOnLoginPage: true, WantRequestsSigned: idp.WantSignedRequests}}
	if err := p.addKeys(idp.IdP); err != nil {
		return Proposal{}, err
	}
	p.addEncryptionKeys(idp.IdP)
	if err := p.addEndpoints(idp.IdP, opts); err != nil {
		return Proposal{}, err
	}
	cut := false
	if p.Trust.Description, cut = description(idp.IdP); cut {
		p.note(NoteDescriptionCut, "The name is longer than %d characters and was cut.", maxShortText)
	}
	p.addScopes(idp)
	p.addAlgorithms(idp.IdP)
	p.Trust.Product = guessProduct(idp.EntityID, p.Trust.LoginURL)
	if err := p.Trust.Check(); err != nil {
		return Proposal{}, err
	}
	return p, nil
}

func (p *Proposal) note(code ImportNoteCode, format string, args ...any) {
	if len(p.Notes) < maxNotes {
		p.Notes = append(p.Notes, ImportNote{code, fmt.Sprintf(format, args...)})
	}
}

func (p *Proposal) addKeys(idp wire.IdP) error {
	t := &p.Trust
	var unread error
	for i, k := range idp.Keys {
		if len(t.Keys) > maxPinnedKeys {
			break // Check says what is wrong
		}
		if i == maxKeysRead {
			p.note(NoteUnreadableKey, "Of %d signing keys only the first %d were looked at.", len(idp.Keys), maxKeysRead)
			break
		}
		keys, errs := keysFromMetadata(k)
		for _, err := range errs {
			unread = err
			p.note(NoteUnreadableKey, "A signing key was left out: %s.", strings.TrimPrefix(err.Error(), "saml: "))
		}
		for _, key := range keys {
			// Two certificates for one key are two wrappings, of which an administrator may know either.
			if !slices.ContainsFunc(t.Keys, key.sameWrapping) {
				t.Keys = append(t.Keys, key)
			}
		}
	}
	if idp.Keyless > 0 {
		p.note(NoteUnreadableKey, "The metadata has a KeyDescriptor for signing without a key, which was left out.")
	}
	if len(t.Keys) == 0 {
		none := fmt.Errorf("saml: the metadata of %s has no signing key that can be read", quoted(t.Domain))
		if unread != nil {
			none = fmt.Errorf("%w: %w", none, unread)
		}
		return none
	}
	return nil
}

// addEncryptionKeys takes those that we can encrypt to. That one cannot be read is worth no note: nothing is encrypted unless an
// administrator wants it.
func (p *Proposal) addEncryptionKeys(idp wire.IdP) {
	t := &p.Trust
	for _, k := range idp.EncryptionKeys[:min(len(idp.EncryptionKeys), maxKeysRead)] {
		keys, _ := keysFromMetadata(k)
		for _, key := range keys {
			if key.checkEncrypts() == nil && len(t.EncryptionKeys) < maxPinnedKeys && !slices.ContainsFunc(t.EncryptionKeys, key.sameWrapping) {
				t.EncryptionKeys = append(t.EncryptionKeys, key)
			}
		}
	}
	if len(t.EncryptionKeys) > 0 {
		t.EncryptionMethods = algorithmsOf(idp.EncryptionMethods)
	}
}

// addEndpoints takes the first endpoint of each binding. Those of SOAP, Artifact and older protocols are not for us.
func (p *Proposal) addEndpoints(idp wire.IdP, opts ImportOptions) error {
	t := &p.Trust
	plain := false // no login starts there, but the identity provider may begin
	for _, e := range idp.SSO {
		if e.Binding != wire.BindingRedirect && e.Binding != wire.BindingPOST {
			continue
		}
		if checkURL(e.Location) != nil {
			plain = plain || strings.HasPrefix(e.Location, "http://")
			p.note(NotePlainEndpoint, "The sign-on address %s was left out: it is not an https address.", quoted(e.Location))
			continue
		}
		switch {
		case e.Binding == wire.BindingRedirect && t.LoginURL == "":
			t.LoginURL = e.Location
		case e.Binding == wire.BindingPOST && t.LoginPostURL == "":
			t.LoginPostURL = e.Location
		}
	}
	if t.LoginURL == "" && t.LoginPostURL == "" && !plain {
		return fmt.Errorf("saml: the metadata of %s has no https endpoint for HTTP-Redirect or HTTP-POST", quoted(t.Domain))
	}
	for _, e := range idp.Artifact {
		index, err := strconv.ParseUint(e.Index, 10, 16)
		known := func(s ArtifactService) bool { return s.Index == uint16(index) }
		if err == nil && e.Binding == wire.BindingSOAP && checkURL(e.Location) == nil && len(t.ArtifactServices) < maxArtifactServices &&
			!slices.ContainsFunc(t.ArtifactServices, known) {
			t.ArtifactServices = append(t.ArtifactServices, ArtifactService{uint16(index), e.Location})
		}
	}
	p.addLogout(idp, opts)
	p.addNameID(idp)
	switch {
	case idp.ErrorURL == "":
	case checkURL(idp.ErrorURL) == nil:
		t.ErrorURL = idp.ErrorURL
	default:
		p.note(NoteErrorURL, "The page for errors %s was left out: it is not an https address.", quoted(idp.ErrorURL))
	}
	return nil
}

// addLogout takes the first endpoint of each binding for single logout, with the place for answers if it has one.
func (p *Proposal) addLogout(idp wire.IdP, opts ImportOptions) {
	t := &p.Trust
	for _, e := range idp.SLO {
		if e.Binding != wire.BindingRedirect && e.Binding != wire.BindingPOST && e.Binding != wire.BindingSOAP {
			continue
		}
		if place := cmp.Or(e.ResponseLocation, e.Location); checkURL(e.Location) != nil || checkURL(place) != nil {
			p.note(NotePlainEndpoint, "The logout address %s was left out: it is not an https address.", quoted(place))
			continue
		}
		switch {
		case e.Binding == wire.BindingRedirect && t.SLOURL == "":
			t.SLOURL, t.SLOResponseURL = e.Location, e.ResponseLocation
			if opts.LogoutURL {
				t.LogoutURL = e.Location
			}
		case e.Binding == wire.BindingSOAP && t.SLOSOAPURL == "":
			t.SLOSOAPURL = e.Location
		case e.Binding == wire.BindingPOST && t.SLOPostURL == "":
			t.SLOPostURL, t.SLOPostResponseURL = e.Location, e.ResponseLocation
		}
	}
}

// addNameID takes where answers go in NameID management: the place for them, if the first endpoint of a binding has one.
func (p *Proposal) addNameID(idp wire.IdP) {
	for _, e := range idp.NameID {
		place := cmp.Or(e.ResponseLocation, e.Location)
		field := map[string]*string{wire.BindingRedirect: &p.Trust.NameIDURL, wire.BindingPOST: &p.Trust.NameIDPostURL}[e.Binding]
		switch {
		case field == nil || *field != "":
		case checkURL(place) != nil:
			p.note(NotePlainEndpoint, "The address for changed names %s was left out: it is not an https address.", quoted(place))
		default:
			*field = place
		}
	}
}

func (p *Proposal) addScopes(idp importable) {
	for _, s := range idp.Scopes {
		switch {
		case s.Regexp:
			p.note(NoteScopeIgnored, "The scope %s was left out: it is a pattern, and scopes are compared as they are.", quoted(s.Value))
		case checkDomainName(s.Value) != "" || len(p.ClaimedScopes) == maxScopes:
			p.note(NoteScopeIgnored, "The scope %s was left out.", quoted(s.Value))
		case !slices.ContainsFunc(p.ClaimedScopes, func(c string) bool { return equalASCIIFold(c, s.Value) }):
			p.ClaimedScopes = append(p.ClaimedScopes, s.Value)
		}
	}
	switch {
	case len(p.ClaimedScopes) == 0:
	case idp.verified:
		p.Trust.Scopes = slices.Clone(p.ClaimedScopes)
	default:
		p.note(NoteScopesClaimed, "The metadata claims %d scopes for itself. Enter those that belong to the organization.", len(p.ClaimedScopes))
	}
}

// addAlgorithms takes what the metadata declares, in its order. What it declares twice, or not as a URI, is left out.
func (p *Proposal) addAlgorithms(idp wire.IdP) {
	t := &p.Trust
	for _, m := range idp.SigningMethods {
		method := SigningMethod{Algorithm: m.Algorithm, MinKeySize: m.MinKeySize, MaxKeySize: m.MaxKeySize}
		if method.MaxKeySize > 0 && method.MaxKeySize < method.MinKeySize {
			continue // no key has such a size
		}
		if isAlgorithm(m.Algorithm) && len(t.SigningMethods) < maxURIEntries && !slices.Contains(t.SigningMethods, method) {
			t.SigningMethods = append(t.SigningMethods, method)
		}
	}
	t.DigestMethods = algorithmsOf(idp.DigestMethods)
}

func algorithmsOf(uris []string) (list []string) {
	for _, uri := range uris {
		if isAlgorithm(uri) && len(list) < maxURIEntries && !slices.Contains(list, uri) {
			list = append(list, uri)
		}
	}
	return list
}

func isAlgorithm(uri string) bool {
	var wrong problems
	wrong.algorithms("", []string{uri})
	return len(wrong) == 0
}

// description is the name that users see, cut to what fits.
func description(idp wire.IdP) (name string, cut bool) {
	if name = printable(idp.DisplayName); name == "" {
		name = printable(idp.EntityID)
	}
	short := shortened(name)
	return short, short != name
}

// printable joins words by single spaces and drops what would change how the text around it is shown.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return -1
		}
		return r
	}, strings.Join(strings.Fields(s), " "))
}

func shortened(s string) string {
	count := 0
	for i := range s {
		if count == maxShortText {
			return s[:i]
		}
		count++
	}
	return s
}

// guessProduct knows a product by an address that only it has. It changes no check.
func guessProduct(entityID, loginURL string) Product {
	id, err := url.Parse(entityID)
	if err != nil {
		return GenericIdP
	}
	login, err := url.Parse(loginURL)
	if err != nil {
		login = &url.URL{}
	}
	okta := func(host string) bool {
		return strings.HasSuffix(host, ".okta.com") || strings.HasSuffix(host, ".oktapreview.com") || strings.HasSuffix(host, ".okta-emea.com")
	}
	switch {
	case id.Host == "sts.windows.net":
		return EntraID
	case id.Path == "/adfs/services/trust":
		return ADFS
	case id.Host == "accounts.google.com" && strings.HasPrefix(id.Path, "/o/saml2"):
		return Google
	case okta(id.Host) || okta(login.Host):
		return Okta
	case strings.Contains(id.Path, "/realms/") && strings.HasSuffix(login.Path, "/protocol/saml"):
		return Keycloak
	case strings.HasSuffix(id.Path, "/idp/shibboleth"):
		return Shibboleth
	case id.Host == "auth.pingone.com" || id.Host == "auth.pingone.eu":
		return Ping
	case strings.HasSuffix(id.Host, ".onelogin.com"):
		return OneLogin
	case strings.HasSuffix(id.Path, "/saml2/idp/metadata.php"):
		return SimpleSAMLphp
	}
	return GenericIdP
}
