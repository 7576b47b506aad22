package samltest

import (
	"cmp"
	"crypto"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"

	saml "github.com/logintrust/saml"
	"github.com/logintrust/saml/internal/xmlsec"
)

// Options are what [New] may be told. The zero value makes the IdP of all examples.
type Options struct {
	EntityID string           // empty: /metadata beside the SSOURL, or the Personality's
	SSOURL   string           // empty: https://idp.example.com/sso, or the Personality's
	Origin   string           // where its addresses are, such as http://127.0.0.1:8081; empty: as they stand
	Key      crypto.Signer    // RSA or ECDSA; nil: one is made, the same for the same EntityID throughout the process
	KeyType  KeyType          // of the key that is made
	Users    []User           // who can sign in at Handler; nil: alice and bob
	Now      func() time.Time // nil: time.Now

	// Personality is how it writes; the zero value is of no product.
	Personality Personality
	// Registration lets everybody who finds the page register a service provider at [IdP.Handler].
	Registration bool
}

// IdP is an identity provider. Set its exported fields before its first use; everything else may run concurrently.
type IdP struct {
	EntityID string
	SSOURL   string
	Now      func() time.Time

	// Personality is how it writes. Its addresses are resolved; EntityID and SSOURL above are those that count.
	Personality Personality

	users        []User
	registration bool

	mu       sync.Mutex
	own      []ownKey           // the first one signs
	sps      []SP               // in the order in which they were registered
	sessions map[string]session // by cookie
	visits   map[string][]visit // by index of the session

	artifacts map[string]*Resolution
}

// SP is a service provider that the IdP knows. Answers go to registered ACS URLs only.
type SP struct {
	EntityID string
	ACSURL   string

	// EncryptionKey is the first that its metadata publishes for encryption, nil if there is none. Answers are encrypted
	// only by the [Answer]'s own fields; [Target] asks for it.
	EncryptionKey crypto.PublicKey
	SLOURL        string // empty: it takes no part in single logout
}

func (sp SP) is(other SP) bool { return sp.EntityID == other.EntityID && sp.ACSURL == other.ACSURL }

// New makes an identity provider.
func New(o Options) (*IdP, error) {
	shape, err := o.Personality.completed().placed(o.Origin, o.SSOURL, o.EntityID)
	if err != nil {
		return nil, err
	}
	p := &IdP{EntityID: shape.EntityID, SSOURL: shape.SSOURL, Personality: shape, Now: o.Now, users: o.Users, registration: o.Registration}
	if p.Now == nil {
		p.Now = time.Now
	}
	if p.users == nil {
		p.users = demoUsers()
	}
	key := o.Key
	if key == nil {
		if key, err = keyFor(p.EntityID, o.KeyType); err != nil {
			return nil, err
		}
	}
	if _, err = p.Publish(key); err != nil {
		return nil, err
	}
	p.sessions, p.visits = map[string]session{}, map[string][]visit{}
	return p, nil
}

// NewIdP makes the default identity provider for a test.
func NewIdP(t testing.TB) *IdP {
	t.Helper()
	p, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Trust is a login trust for this IdP: active, SAML on, its published keys pinned.
func (p *IdP) Trust() saml.LoginTrust {
	trust := saml.LoginTrust{
		Domain:       p.EntityID,
		Description:  "samltest",
		Product:      p.Personality.Product,
		LoginURL:     p.SSOURL,
		LoginPostURL: p.SSOPostURL(),
		SLOURL:       p.SLOURL(),
		SLOPostURL:   p.SLOURL(),
		State:        saml.Active,
		SAML:         true,
	}
	for _, own := range p.published() {
		key, err := saml.NewPublicKey(own.signer.Public())
		if err != nil {
			panic(fmt.Sprintf("samltest: the IdP's own key: %v", err)) // Options.Key is of a kind that the library refuses
		}
		trust.Keys = append(trust.Keys, key)
	}
	return trust
}

// plain is the same IdP, but writing as one of no product does: what attacks prove does not depend on it.
func (p *IdP) plain() *IdP {
	shape := Personality{}.completed()
	own := p.Personality
	shape.EntityID, shape.SSOURL, shape.SSOPostURL, shape.SLOURL = own.EntityID, own.SSOURL, own.SSOPostURL, own.SLOURL
	shape.MetadataURL, shape.StartURL, shape.HomeURL = own.MetadataURL, own.StartURL, own.HomeURL
	return &IdP{EntityID: p.EntityID, SSOURL: p.SSOURL, Now: p.Now, Personality: shape, users: p.users, own: p.published(), sps: p.allSPs(),
		sessions: map[string]session{}, visits: map[string][]visit{}}
}

// SSOPostURL is where the IdP takes requests by POST: SSOURL, unless its product has two addresses.
func (p *IdP) SSOPostURL() string { return cmp.Or(p.Personality.SSOPostURL, p.SSOURL) }

// SLOURL is where the IdP takes messages of single logout, by Redirect and by POST; empty if it takes none.
func (p *IdP) SLOURL() string { return p.Personality.SLOURL }

// MetadataURL is where [IdP.Handler] serves the metadata.
func (p *IdP) MetadataURL() string { return p.Personality.MetadataURL }

// HomeURL is the page that says who is signed in and where one can go from here.
func (p *IdP) HomeURL() string { return p.beside(p.Personality.HomeURL).String() }

// Users are those who can sign in at [IdP.Handler].
func (p *IdP) Users() []User { return slices.Clone(p.users) }

// Origin is where the IdP's site is, for [Browser.Site].
func (p *IdP) Origin() string { return originOf(p.beside("")) }

// StartURL begins a login that nobody asked for (SAML Profiles 4.1.5): the IdP-initiated one, that leads to a place at the
// service provider, or to none if target is empty.
func (p *IdP) StartURL(spEntityID, target string) string {
	start := p.beside(p.Personality.StartURL)
	query := start.Query()
	query.Set(p.Personality.StartSP, spEntityID)
	switch {
	case target == "":
	case p.Personality.PackedState:
		query.Del(p.Personality.StartSP)
		query.Set("RelayState", url.Values{"RPID": {spEntityID}, "RelayState": {target}}.Encode())
	default:
		query.Set(p.Personality.StartTarget, target)
	}
	start.RawQuery = query.Encode()
	return start.String()
}

// EncryptFor is how the IdP encrypts for a service provider, for [Answer.Encrypt]; nil if that published no key.
func (p *IdP) EncryptFor(sp SP) []Encryption {
	if sp.EncryptionKey == nil {
		return nil
	}
	encryption := p.Personality.Encryption
	encryption.Key = sp.EncryptionKey
	return []Encryption{encryption}
}

// AddSP makes a service provider known. A second ACS URL for the same entity is a further one; the first is the default.
func (p *IdP) AddSP(sp SP) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if i := slices.IndexFunc(p.sps, sp.is); i >= 0 {
		p.sps[i] = sp
		return
	}
	p.sps = append(p.sps, sp)
}

// AddSPMetadata makes the service provider of this metadata known, with all its ACS URLs for the POST binding.
func (p *IdP) AddSPMetadata(metadata []byte) error {
	root, err := readRoot(metadata, nsMetadata, "EntityDescriptor")
	if err != nil {
		return err
	}
	descriptor := find(root, nsMetadata, "SPSSODescriptor")
	if descriptor == nil {
		return errors.New("samltest: SP metadata: no SPSSODescriptor")
	}
	keys, err := EncryptionKeys(metadata)
	if err != nil {
		return err
	}
	var key crypto.PublicKey
	if len(keys) > 0 {
		key = keys[0]
	}
	found, logout := false, ""
	if slo := find(descriptor, nsMetadata, "SingleLogoutService"); slo != nil {
		logout = slo.SelectAttrValue("Location", "")
	}
	for _, el := range descriptor.ChildElements() {
		if el.Tag != "AssertionConsumerService" || el.SelectAttrValue("Binding", "") != bindingPOST {
			continue
		}
		p.AddSP(SP{EntityID: root.SelectAttrValue("entityID", ""), ACSURL: el.SelectAttrValue("Location", ""), SLOURL: logout, EncryptionKey: key})
		found = true
	}
	if !found {
		return errors.New("samltest: SP metadata: no AssertionConsumerService for HTTP-POST")
	}
	return nil
}

// findSP looks an SP up: the registered ACS URL that was asked for, or the first when none was.
func (p *IdP) findSP(entityID, acsURL string) (sp SP, found bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, sp := range p.sps {
		if sp.EntityID == entityID && (acsURL == "" || acsURL == sp.ACSURL) {
			return sp, true
		}
	}
	return SP{}, false
}

// firstSP is the service provider registered first.
func (p *IdP) firstSP() (sp SP, found bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.sps) == 0 {
		return SP{}, false
	}
	return p.sps[0], true
}

// In is the time so far from now as a message writes it; In(-time.Hour) was an hour ago.
func (p *IdP) In(d time.Duration) string { return p.write(p.Now().Add(d)) }

// write is a time as the IdP writes it.
func (p *IdP) write(t time.Time) string { return t.UTC().Format(p.Personality.TimeLayout) }

// Time is t as a message writes it: xs:dateTime in UTC, with milliseconds.
func Time(t time.Time) string { return t.UTC().Format(milliseconds) }

// EncryptionCertificate is the certificate of the key that the metadata lists for encryption, DER.
func (p *IdP) EncryptionCertificate() []byte {
	_, certificate, err := p.encryptionKey()
	if err != nil {
		panic(fmt.Sprintf("samltest: encryption key: %v", err)) // no randomness
	}
	return certificate
}

// OpenNameID opens the EncryptedID of a LogoutRequest, or of the Subject of an AuthnRequest, with the key that the metadata
// lists for encryption. It looks at no signature.
func (p *IdP) OpenNameID(message []byte) (NameID, error) {
	key, _, err := p.encryptionKey()
	if err != nil {
		return NameID{}, err
	}
	u, err := xmlsec.Parse(message, xmlsec.Limits{})
	if err != nil {
		return NameID{}, err
	}
	around := u.Root()
	if subject := around.Child(nsAssertion, "Subject"); subject.Exists() {
		around = subject
	}
	encrypted := around.Child(nsAssertion, "EncryptedID")
	if !encrypted.Exists() {
		return NameID{}, errors.New("samltest: no EncryptedID")
	}
	plain, err := u.Decrypt(encrypted, &xmlsec.Opener{Keys: []crypto.PrivateKey{key}, Recipient: p.EntityID}, xmlsec.Policy{})
	if err != nil {
		return NameID{}, err
	}
	name := plain.Root()
	if !name.Is(nsAssertion, "NameID") {
		return NameID{}, fmt.Errorf("samltest: an EncryptedID with a %q", name.Local())
	}
	id := NameID{Value: name.Text()}
	for local, field := range map[string]*string{"Format": &id.Format, "NameQualifier": &id.NameQualifier,
		"SPNameQualifier": &id.SPNameQualifier, "SPProvidedID": &id.SPProvidedID} {
		*field, _ = name.Attr(local)
	}
	return id, nil
}

// encryptionKey is the key that the metadata lists for encryption, and that must count for no signature.
func (p *IdP) encryptionKey() (key crypto.Signer, certificate []byte, err error) {
	if key, err = keyFor(p.EntityID+"#encryption", RSA2048); err != nil {
		return nil, nil, err
	}
	certificate, err = selfSigned(key, p.EntityID)
	return key, certificate, err
}

// beside is the URL of another page of the IdP, absolute or next to the SSO endpoint.
func (p *IdP) beside(page string) *url.URL {
	sso, err := url.Parse(p.SSOURL)
	if err != nil {
		panic(fmt.Sprintf("samltest: SSOURL: %v", err)) // New has parsed it: it was set since
	}
	u, err := sso.Parse(page)
	if err != nil {
		panic(fmt.Sprintf("samltest: address %q: %v", page, err)) // of a Personality
	}
	return u
}
