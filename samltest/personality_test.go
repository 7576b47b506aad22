package samltest_test

import (
	"bytes"
	"context"
	"crypto/fips140"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/beevik/etree"
	saml "github.com/logintrust/saml"
	"github.com/logintrust/saml/samltest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// character makes an IdP of that personality. In FIPS 140-3 mode the mask that the products' RSA-OAEP makes with SHA-1 is forbidden,
// and one with SHA-256 takes its place.
func character(t *testing.T, shape samltest.Personality) *samltest.IdP {
	t.Helper()
	if fips140.Enforced() {
		shape.Encryption.Transport = ""
	}
	idp, err := samltest.New(samltest.Options{Personality: shape})
	require.NoError(t, err)
	return idp
}

// lenient is what a trust must allow for what the product encrypts with: ADFS and its like write CBC under no signature.
func lenient(trust *saml.LoginTrust) { trust.InsecureAllowUnsignedCBC = true }

// A host is a small application that says who is signed in.
type host struct {
	sp       *saml.ServiceProvider
	sessions *hostSessions
	handler  http.Handler
}

type hostSessions struct {
	mu    sync.Mutex
	live  []*saml.Login
	ended []saml.Logout
}

func newHost(t *testing.T, config saml.Config, trust saml.LoginTrust) *host {
	t.Helper()
	h := &host{sessions: &hostSessions{}}
	config.BaseURL, config.Trusts, config.State = "https://app.example.com", saml.NewMemoryTrusts(trust), saml.NewMemoryState()
	config.SigningKeys, config.Sessions = []saml.KeyPair{{Signer: decryptionKey()}}, h.sessions
	config.EndSession = h.sessions.endSession
	var err error
	h.sp, err = saml.New(config)
	require.NoError(t, err)
	mux := http.NewServeMux()
	mux.Handle("/sso/", h.sp.Handler(func(w http.ResponseWriter, r *http.Request, login *saml.Login) {
		h.sessions.mu.Lock()
		defer h.sessions.mu.Unlock()
		h.sessions.live = append(h.sessions.live, login)
		http.Redirect(w, r, login.ReturnTo(), http.StatusSeeOther)
	}))
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "welcome to ", r.URL.Path) })
	h.handler = mux
	return h
}

func (h *host) last() *saml.Login {
	h.sessions.mu.Lock()
	defer h.sessions.mu.Unlock()
	if len(h.sessions.live) == 0 {
		return nil
	}
	return h.sessions.live[len(h.sessions.live)-1]
}

func (h *host) browser(idp *samltest.IdP) *samltest.Browser {
	return samltest.NewBrowser().Site("https://app.example.com", h.handler).Site(idp.Origin(), idp.Handler())
}

// forEach runs a test for each personality, with and without a key to encrypt with.
func forEach(t *testing.T, run func(t *testing.T, shape samltest.Personality)) {
	t.Helper()
	for _, shape := range samltest.Personalities() {
		t.Run(shape.Name, func(t *testing.T) {
			t.Parallel()
			run(t, shape)
		})
	}
}

// Each product's users sign in by both bindings, with the trust that its metadata proposes and with keys that it may encrypt
// with.
//
// req: IIP-SSO01
func TestPersonalitiesSignIn(t *testing.T) {
	t.Parallel()
	forEach(t, func(t *testing.T, shape samltest.Personality) {
		idp := character(t, shape)
		proposal, err := saml.ProposeTrust(idp.Metadata(), saml.ImportOptions{}, time.Now())
		require.NoError(t, err)
		trust := proposal.Trust
		assert.Equal(t, idp.EntityID, trust.Domain)
		assert.Equal(t, idp.SSOURL, trust.LoginURL)
		assert.Equal(t, idp.SSOPostURL(), trust.LoginPostURL)
		assert.Equal(t, idp.SLOURL(), trust.SLOURL)
		assert.Len(t, trust.Keys, 1)
		if shape.Name != "pingfederate" { // whose entity ID tells nothing
			assert.Equal(t, shape.Product, trust.Product)
		}
		trust.State = saml.Active
		for name, config := range map[string]saml.Config{"clear": {}, "encrypted": {DecryptionKeys: []saml.DecryptionKey{{Key: decryptionKey()}}}} {
			lenient(&trust)
			h := newHost(t, config, trust)
			require.NoError(t, idp.AddSPMetadata(h.sp.Metadata()))
			for _, binding := range []string{"redirect", "post"} {
				browser := h.browser(idp)
				page, err := browser.SignIn(browser.Get("https://app.example.com/sso/login?target=/deep&binding="+binding+"&entityID="+url.QueryEscape(idp.EntityID)), "alice", "password")
				require.NoError(t, err, name)
				require.Equal(t, http.StatusOK, page.Status, "%s by %s: %s", name, binding, page.Body)
				assert.Equal(t, "welcome to /deep", page.Body)
				login := h.last()
				assert.NotEmpty(t, login.Subject().NameID.Value)
				assert.Equal(t, shape.NameFormats[0], login.Subject().NameID.Format)
				assert.NotEmpty(t, login.Session().SessionIndexes)
				assert.Contains(t, fmt.Sprint(login.Attributes()), "alice@example.com")
			}
		}
	})
}

// Each product's users are created with the names that its Product has for attributes.
func TestPersonalitiesAttributeNames(t *testing.T) {
	t.Parallel()
	forEach(t, func(t *testing.T, shape samltest.Personality) {
		idp := character(t, shape)
		trust, users := idp.Trust(), saml.NewMemoryUsers()
		trust.Attributes = trust.Product.AttributeNames()
		trust.Organization, trust.CreateUsers, trust.DefaultRole, trust.EmailDomains = "acme", true, "reader", []string{"example.com"}
		trust.Scopes = []string{"example.com"}
		require.NoError(t, trust.Check())
		h := newHost(t, saml.Config{Users: users}, trust)
		require.NoError(t, idp.AddSPMetadata(h.sp.Metadata()))
		browser := h.browser(idp)
		page, err := browser.SignIn(browser.Get(h.sp.LoginLink(trust, "/")), "alice", "password")
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, page.Status, page.Body)
		require.Len(t, users.All(), 1)
		alice, _ := h.last().User()
		assert.Equal(t, []string{"Alice", "Smith", "alice@example.com"}, []string{alice.FirstName, alice.LastName, alice.Email})
	})
}

// What a product encrypts by itself is encrypted only where there is a key, and CBC only gets in where the trust says so.
func TestPersonalitiesEncrypt(t *testing.T) {
	t.Parallel()
	forEach(t, func(t *testing.T, shape samltest.Personality) {
		idp := character(t, shape)
		trust := idp.Trust()
		h := newHost(t, saml.Config{DecryptionKeys: []saml.DecryptionKey{{Key: decryptionKey()}}}, trust)
		require.NoError(t, idp.AddSPMetadata(h.sp.Metadata()))
		req := samltest.Request{ID: "_r", SPEntityID: h.sp.EntityID(), ACSURL: "https://app.example.com/sso/acs"}
		answer := idp.Answer(req)
		assert.Equal(t, shape.Encrypts, len(answer.Encrypt) > 0)
		keys, err := samltest.EncryptionKeys(h.sp.Metadata())
		require.NoError(t, err)
		answer.Encrypt = idp.EncryptFor(samltest.SP{EncryptionKey: keys[0]})
		xml := string(answer.XML())
		assert.NotContains(t, xml, "alice")
		assert.Equal(t, shape.Encryption.Beside, strings.Contains(xml, "RetrievalMethod"))
		assert.Contains(t, xml, shape.Encryption.Block)
		cbc := strings.HasSuffix(shape.Encryption.Block, "cbc")

		browser := h.browser(idp)
		page, err := browser.SignIn(browser.Get(h.sp.LoginLink(trust, "/")), "alice", "password")
		require.NoError(t, err)
		assert.Equal(t, shape.Encrypts && cbc, page.Status == http.StatusForbidden, page.Body)
	})
}

// The IdP may begin where the trust allows it, by the address and with the parameters of the product.
func TestPersonalitiesBegin(t *testing.T) {
	t.Parallel()
	forEach(t, func(t *testing.T, shape samltest.Personality) {
		idp := character(t, shape)
		trust := idp.Trust()
		trust.AllowIdPInitiated = true
		h := newHost(t, saml.Config{}, trust)
		require.NoError(t, idp.AddSPMetadata(h.sp.Metadata()))
		browser := h.browser(idp)
		page, err := browser.SignIn(browser.Get(idp.StartURL(h.sp.EntityID(), "https://app.example.com/deep")), "bob", "password")
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, page.Status, page.Body)
		assert.True(t, h.last().Unsolicited())
		want := "welcome to /deep"
		if shape.DropRelayState {
			want = "welcome to /"
		}
		assert.Equal(t, want, page.Body)
	})
}

// EndSessions forgets who is named.
func (s *hostSessions) EndSessions(_ context.Context, logout saml.Logout) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = append(s.ended, logout)
	return 1, nil
}

func (s *hostSessions) endSession(http.ResponseWriter, *http.Request) (saml.LoginSession, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.live) == 0 {
		return saml.LoginSession{}, false, nil
	}
	session := s.live[len(s.live)-1].Session()
	s.live = s.live[:len(s.live)-1]
	return session, true, nil
}

// Single logout works in both directions with each product that has it; Google has none (quirk 28).
func TestPersonalitiesSignOut(t *testing.T) {
	t.Parallel()
	forEach(t, func(t *testing.T, shape samltest.Personality) {
		idp := character(t, shape)
		assert.Equal(t, shape.Name == "google", idp.SLOURL() == "")
		if idp.SLOURL() == "" {
			return
		}
		h := newHost(t, saml.Config{}, idp.Trust())
		require.NoError(t, idp.AddSPMetadata(h.sp.Metadata()))
		browser := h.browser(idp)
		signIn := func() {
			page, err := browser.SignIn(browser.Get(h.sp.LoginLink(idp.Trust(), "/")), "alice", "password")
			require.NoError(t, err)
			require.Equal(t, http.StatusOK, page.Status, page.Body)
		}
		home := func() *samltest.Page {
			root := idp.Personality.HomeURL
			return browser.Get(root)
		}

		// The host begins.
		signIn()
		assert.Contains(t, home().Body, "Signed in as alice")
		page := browser.Post("https://app.example.com/", "https://app.example.com/sso/logout", url.Values{})
		for page.Location() != "" {
			page = browser.Follow(page)
		}
		assert.Equal(t, http.StatusOK, page.Status, page.Body)
		assert.Equal(t, "app.example.com", page.URL.Host)
		assert.NotContains(t, home().Body, "Signed in as")
		assert.Empty(t, h.sessions.ended)

		// The IdP begins.
		signIn()
		start := home()
		page = browser.Submit(start, start.Forms()[0])
		if shape.LowerHex {
			assert.Regexp(t, "%[0-9a-f]*[a-f][0-9a-f]*", page.Location())
			assert.NotRegexp(t, "%[0-9a-f]?[A-F]", page.Location())
		}
		for page.Location() != "" {
			page = browser.Follow(page)
		}
		assert.Equal(t, http.StatusOK, page.Status, page.Body)
		require.Len(t, h.sessions.ended, 1)
		assert.Equal(t, h.last().Session().NameID, h.sessions.ended[0].NameID)
	})
}

// Each product's messages look like its own, so that they can be told apart.
func TestPersonalitiesFingerprint(t *testing.T) {
	t.Parallel()
	const g = `[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}`
	prints := map[string][]string{
		"entra-id": {`<samlp:Response xmlns:samlp=`, `ID="_` + g + `"`, `<Issuer xmlns="urn:oasis:names:tc:SAML:2.0:assertion">https://sts\.windows\.net/[^/]+/</Issuer>`,
			`<Assertion xmlns=`, `<Signature xmlns=`, `Name="http://schemas\.microsoft\.com/identity/claims/tenantid"`, `</AttributeStatement><AuthnStatement`},
		"adfs": {`>http://adfs\.example\.com/adfs/services/trust<`, `Consent="urn:oasis:names:tc:SAML:2\.0:consent:unspecified"`, `<ds:Signature`,
			`<KeyInfo xmlns="http://www\.w3\.org/2000/09/xmldsig#"><ds:X509Data>`, `Name="http://schemas\.xmlsoap\.org/claims/Group"`},
		"okta": {`^<\?xml`, `<saml2p:Response[^>]* ID="id\d{19}"`, `<saml2:Issuer[^>]*Format="[^"]*:entity">http://www\.okta\.com/exk`, `PrefixList="xs"`,
			`(?s)<ds:Signature.*<saml2:Assertion.*<ds:Signature`, `NameFormat="[^"]*:unspecified"`},
		"google":       {`<saml2p:Response`, `>https://accounts\.google\.com/o/saml2\?idpid=C0`, `<ds:X509SubjectName>`, `xsi:type="xs:anyType"`, `ID="_[0-9a-f]{32}"`},
		"pingfederate": {`<samlp:Response[^>]* ID="[A-Za-z][A-Za-z0-9._-]{26}"`, `<saml:Issuer xmlns:saml=`, `Name="memberOf" NameFormat="[^"]*:basic"`},
		"pingone":      {`>https://auth\.pingone\.com/[0-9a-f-]{36}<`, `ID="ID[0-9a-f]{32}"`},
		"shibboleth":   {`>https://idp\.example\.com/idp/shibboleth<`, `Name="urn:oid:[0-9.]+" NameFormat="[^"]*:uri" FriendlyName="mail"`, `PrefixList="xsd"`, `Format="[^"]*:transient" NameQualifier="`},
		"keycloak": {`<samlp:Response xmlns:samlp="[^"]*" xmlns:saml="`, `ID="ID_` + g + `"`, `/realms/demo<`, `<dsig:KeyName>`, `<dsig:RSAKeyValue>`,
			`Name="Role"[^>]*>.*Name="Role"`, `SessionIndex="` + g + `::` + g + `"`},
		"onelogin": {`<samlp:Response[^>]* ID="R[0-9a-f]{40}"`, `<saml:Assertion ID="A[0-9a-f]{40}"`, `>https://app\.onelogin\.com/saml/metadata/`, `IssueInstant="\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"`, `Name="User\.email"`},
	}
	forEach(t, func(t *testing.T, shape samltest.Personality) {
		idp := character(t, shape)
		xml := string(idp.Answer(samltest.Request{ID: "_r", SPEntityID: "https://app.example.com", ACSURL: "https://app.example.com/acs"}).XML())
		require.NotEmpty(t, prints[shape.Name])
		for _, pattern := range prints[shape.Name] {
			assert.Regexp(t, regexp.MustCompile(pattern), xml)
		}
		for other, patterns := range prints {
			if other == shape.Name {
				continue
			}
			all := true
			for _, pattern := range patterns {
				all = all && regexp.MustCompile(pattern).MatchString(xml)
			}
			assert.False(t, all, "looks like %s", other)
		}
		assert.Equal(t, shape.NoDestination, !strings.Contains(xml, "Destination="))
	})
}

// Explain knows them by what they write.
func TestPersonalitiesAreRecognised(t *testing.T) {
	t.Parallel()
	want := map[string]string{"entra-id": "Entra ID", "adfs": "AD FS", "okta": "Okta", "google": "Google Workspace", "pingone": "Ping",
		"shibboleth": "Shibboleth", "keycloak": "Keycloak", "onelogin": "OneLogin"} // PingFederate has any entity ID
	forEach(t, func(t *testing.T, shape samltest.Personality) {
		idp := character(t, shape)
		h := newHost(t, saml.Config{}, idp.Trust())
		answer := idp.Answer(samltest.Request{ID: "_r", SPEntityID: h.sp.EntityID(), ACSURL: "https://app.example.com/sso/acs"})
		assert.Equal(t, want[shape.Name], h.sp.Explain(t.Context(), saml.Posted{SAMLResponse: answer.Encode()}, saml.ExplainOptions{}).Product)
	})
}

// Metadata has the product's shape, and its keys are those of the SAML role alone.
func TestPersonalitiesMetadata(t *testing.T) {
	t.Parallel()
	has := map[string][]string{
		"entra-id":   {"\xef\xbb\xbf<?xml", "fed:SecurityTokenServiceType", "<Signature"},
		"adfs":       {"\xef\xbb\xbf<?xml", "fed:ApplicationServiceType", "<SPSSODescriptor", `use="encryption"`, "<ds:Signature"},
		"okta":       {"<md:EntityDescriptor", `WantAuthnRequestsSigned="false"`},
		"google":     {"validUntil=", "o/saml2/idp?idpid="},
		"shibboleth": {"shibmd:Scope", "<KeyDescriptor><ds:KeyInfo", "AttributeAuthorityDescriptor", "<ds:KeyName>", "urn:mace:shibboleth:1.0:profiles:AuthnRequest"},
		"keycloak":   {"<ds:KeyName>", `WantAuthnRequestsSigned="true"`},
	}
	forEach(t, func(t *testing.T, shape samltest.Personality) {
		idp := character(t, shape)
		xml := idp.Metadata()
		for _, part := range has[shape.Name] {
			assert.Contains(t, string(xml), part)
		}
		browser := samltest.NewBrowser().Site(idp.Origin(), idp.Handler())
		served := browser.Get(idp.MetadataURL())
		assert.Equal(t, http.StatusOK, served.Status)
		doc := etree.NewDocument()
		require.NoError(t, doc.ReadFromBytes(bytes.TrimPrefix([]byte(served.Body), []byte("\xef\xbb\xbf"))))
		assert.Equal(t, idp.EntityID, doc.Root().SelectAttrValue("entityID", ""))
		assert.NotNil(t, doc.FindElement("//IDPSSODescriptor"))

		// Of metadata that signs itself, a federation that pins the key can make sure.
		if shape.Metadata.Signed {
			p, err := saml.ProposeTrust(xml, saml.ImportOptions{Keys: idp.Trust().Keys}, time.Now())
			require.NoError(t, err)
			assert.True(t, p.Verified)
		}
	})
}

// A product that cannot do what is asked says so in its own way.
func TestPersonalitiesRefuse(t *testing.T) {
	t.Parallel()
	forEach(t, func(t *testing.T, shape samltest.Personality) {
		idp := character(t, shape)
		var refusal *saml.Error
		h := newHost(t, saml.Config{OnRefusal: func(_ context.Context, _ *http.Request, _ string, err *saml.Error) { refusal = err }}, idp.Trust())
		require.NoError(t, idp.AddSPMetadata(h.sp.Metadata()))
		passive := func(opts saml.StartOptions) *etree.Element {
			started, err := h.sp.Request(t.Context(), idp.Trust(), opts)
			require.NoError(t, err)
			browser := h.browser(idp)
			page := browser.Get(started.URL)
			require.NotEmpty(t, page.Forms(), page.Body)
			form := page.Forms()[0]
			xml, err := base64.StdEncoding.DecodeString(form.Fields.Get("SAMLResponse"))
			require.NoError(t, err)
			doc := etree.NewDocument()
			require.NoError(t, doc.ReadFromBytes(xml))
			return doc.Root()
		}
		root := passive(saml.StartOptions{IsPassive: true})
		assert.Equal(t, samltest.NoPassive, root.FindElement("./Status/StatusCode/StatusCode").SelectAttrValue("Value", ""))
		assert.Equal(t, shape.SignRefusals, root.SelectElement("Signature") != nil) // quirk 34
		if shape.Name == "entra-id" {
			assert.Contains(t, root.FindElement("./Status/StatusMessage").Text(), "AADSTS50058") // quirk 27
		}
		if shape.OtherFormat.Code != "" {
			root = passive(saml.StartOptions{NameIDFormat: samltest.FormatEntity})
			assert.Equal(t, samltest.InvalidNameIDPolicy, root.FindElement("./Status/StatusCode/StatusCode").SelectAttrValue("Value", "")) // quirk 3
		}

		// The service provider understands it.
		browser := h.browser(idp)
		page := browser.Get(h.sp.LoginLink(idp.Trust(), "/") + "&isPassive=true")
		page, err := browser.SignIn(page, "alice", "password")
		require.NoError(t, err)
		if assert.NotNil(t, refusal, page.Body) {
			assert.Equal(t, saml.NoPassive, refusal.Reason)
		}
	})
}

func TestPersonalityOnAnotherOrigin(t *testing.T) {
	t.Parallel()
	forEach(t, func(t *testing.T, shape samltest.Personality) {
		idp, err := samltest.New(samltest.Options{Personality: shape, Origin: "http://127.0.0.1:8082"})
		require.NoError(t, err)
		for _, place := range []string{idp.SSOURL, idp.SSOPostURL(), idp.MetadataURL(), idp.StartURL("x", "")} {
			assert.True(t, strings.HasPrefix(place, "http://127.0.0.1:8082/"), place)
		}
		if shape.OwnHost {
			assert.True(t, strings.HasPrefix(idp.EntityID, "http://127.0.0.1:8082/"), idp.EntityID)
		} else {
			assert.Equal(t, shape.EntityID, idp.EntityID)
		}
		p, err := saml.ProposeTrust(idp.Metadata(), saml.ImportOptions{}, time.Now())
		require.NoError(t, err)
		assert.Equal(t, idp.SSOURL, p.Trust.LoginURL)
		found, ok := samltest.FindPersonality(shape.Name)
		assert.True(t, ok)
		assert.Equal(t, shape.Title, found.Title)
	})
	_, ok := samltest.FindPersonality("tea")
	assert.False(t, ok)
	for _, origin := range []string{"127.0.0.1:8082", "ftp://x", "http://x/path", "://"} {
		_, err := samltest.New(samltest.Options{Origin: origin})
		assert.ErrorContains(t, err, "Origin", origin)
	}
}

// Every field can be changed, before the IdP is made and after.
func TestPersonalityIsAdjustable(t *testing.T) {
	t.Parallel()
	shape, _ := samltest.FindPersonality("okta")
	shape.EntityID, shape.Sign = "http://www.okta.com/other", samltest.SignAssertion
	idp := character(t, shape)
	idp.Personality.NameFormats = []string{samltest.FormatEmail}
	answer := idp.Answer(samltest.Request{ID: "_r", SPEntityID: "https://app.example.com", ACSURL: "https://app.example.com/acs"})
	assert.Equal(t, "http://www.okta.com/other", answer.Issuer.Value)
	assert.Equal(t, samltest.SignAssertion, answer.Sign)
	assert.Equal(t, samltest.NameID{Value: "alice@example.com", Format: samltest.FormatEmail}, *answer.Assertion().Subject.NameID)
}

// Of more than 150 groups Entra ID writes a link (quirk 21).
func TestEntraGroupsOverage(t *testing.T) {
	t.Parallel()
	shape, _ := samltest.FindPersonality("entra-id")
	many := make([]string, 151)
	for i := range many {
		many[i] = fmt.Sprint("group", i)
	}
	for count, want := range map[int]string{150: "http://schemas.microsoft.com/ws/2008/06/identity/claims/groups", 151: "http://schemas.microsoft.com/claims/groups.link"} {
		idp, err := samltest.New(samltest.Options{Personality: shape, Users: []samltest.User{{Name: "alice", Groups: many[:count]}}})
		require.NoError(t, err)
		xml := string(idp.Answer(samltest.Request{SPEntityID: "x", ACSURL: "https://x"}).XML())
		assert.Contains(t, xml, `"`+want+`"`)
	}
}
