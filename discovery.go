package saml

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/logintrust/saml/internal/binding"
)

// A discovery is a user who is asked, somewhere else, which identity provider is his (Identity Provider Discovery Service
// Protocol and Profile, 2).
type discovery struct {
	browser  [sha256.Size]byte // hash of the browser key
	returnTo string            // where the login will lead
}

const (
	discoveryKeep    = time.Hour
	discoveryVersion = 1
	discoveryParam   = "discovery" // of our LoginURL: the handle under which a discovery waits
)

func (d *discovery) marshal() []byte {
	b := append([]byte{discoveryVersion}, d.browser[:]...)
	return appendString(b, d.returnTo)
}

func unmarshalDiscovery(b []byte) (*discovery, error) {
	r := record{rest: b}
	if r.byte() != discoveryVersion {
		return nil, errRecord
	}
	d := &discovery{}
	r.fixed(d.browser[:])
	if d.returnTo = r.string(); r.bad || len(r.rest) > 0 {
		return nil, errRecord
	}
	return d, nil
}

// StartDiscovery sends the browser to Config.DiscoveryURL, where the user picks his identity provider, and from there back
// to our LoginURL, which begins the login there. LoginURL without an entityID does so too. It writes the response unless it
// returns an error.
func (sp *ServiceProvider) StartDiscovery(w http.ResponseWriter, r *http.Request, opts StartOptions) error {
	if sp.config.DiscoveryURL == "" {
		return refuse(NotConfigured, "no discovery service", "Config.DiscoveryURL")
	}
	browserKey := browserKeyFrom(sp.browserKey(r))
	handle := base64.RawURLEncoding.EncodeToString(random(relayBytes))
	d := discovery{browser: sha256.Sum256([]byte(browserKey)), returnTo: sp.target(opts.ReturnTo)}
	if _, err := sp.config.State.Add(r.Context(), stateKey(discoveryKind, sp.config.EntityID, "", handle), d.marshal(), discoveryKeep); err != nil {
		return storeFailed(err)
	}
	back := withQuery(sp.config.LoginURL, []string{discoveryParam + "=" + handle})
	variables := []string{"entityID=" + url.QueryEscape(sp.config.EntityID), "return=" + url.QueryEscape(back)}
	if opts.IsPassive {
		variables = append(variables, "isPassive=true")
	}
	sp.setBrowserKey(w, browserKey)
	binding.SeeOther(w, withQuery(sp.config.DiscoveryURL, variables))
	return nil
}

// finishDiscovery finds the discovery that comes back, in the browser in which it began: otherwise any page could send
// users to the identity provider of its choice with a place of its choice behind it.
func (sp *ServiceProvider) finishDiscovery(r *http.Request, handle string) (returnTo string, refused *Error) {
	value, found, err := sp.config.State.Take(r.Context(), stateKey(discoveryKind, sp.config.EntityID, "", handle))
	if err != nil {
		return "", storeFailed(err)
	}
	if !found {
		return "", refuse(UnknownRequest, "an unknown or old discovery", "one that waits")
	}
	d, err := unmarshalDiscovery(value)
	if err != nil {
		return "", storeFailed(err)
	}
	if !isHashOf(d.browser, sp.browserKey(r)) {
		return "", refuse(BrowserMismatch, "the key of another browser", "the one of the browser that was sent to the discovery service")
	}
	return d.returnTo, nil
}

const maxCommonDomain = 64 // entity IDs in a common domain cookie that are looked at

// CommonDomainIdPs are the identity providers by which a browser says that it signed in somewhere in a common domain, the most
// recent last (SAML Profiles 4.3, the cookie _saml_idp): entity IDs that a login page on a host of that domain may offer first.
// Anybody in the domain writes the cookie, so it chooses nothing by itself. What cannot be read of it is left out.
func CommonDomainIdPs(r *http.Request) (entityIDs []string) {
	cookie, err := r.Cookie("_saml_idp")
	if err != nil {
		return nil
	}
	value, err := url.QueryUnescape(cookie.Value) // some write a space as a plus, which in base64 they escape
	if err != nil {
		return nil
	}
	list := strings.Fields(value)
	for _, entry := range list[max(0, len(list)-maxCommonDomain):] {
		id, err := base64.StdEncoding.DecodeString(entry)
		if err == nil && len(id) <= maxEntityID && checkDomain(string(id)) == "" {
			entityIDs = append(entityIDs, string(id))
		}
	}
	return entityIDs
}

// TrustsForEmail returns, of these trusts, the active ones that hold the domain of an e-mail address among their
// EmailDomains: for a login page that asks for the address first. That nobody proves the address does not matter: it only
// says where to ask.
func TrustsForEmail(address string, trusts []LoginTrust) (found []LoginTrust) {
	at := strings.LastIndexByte(address, '@')
	if at <= 0 {
		return nil
	}
	domain := strings.TrimSuffix(address[at+1:], ".")
	for i := range trusts {
		if trusts[i].gate(MethodSAML) == nil && domain != "" &&
			slices.ContainsFunc(trusts[i].EmailDomains, func(d string) bool { return equalASCIIFold(d, domain) }) {
			found = append(found, trusts[i])
		}
	}
	return found
}
