package e2e_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml"
)

// A soapSite is an application that LemonLDAP::NG signs users in to, with connections of their own between the two. What we
// ask goes by https only, and the portal speaks http: a proxy stands in front of it.
type soapSite struct {
	idp    *lemonLDAP
	base   string
	config saml.Config
	sp     *saml.ServiceProvider
	trust  saml.LoginTrust
	roots  *x509.CertPool

	mu       sync.Mutex
	asked    map[string]int // requests to the portal, by path
	sessions map[string]saml.LoginSession
	received []string // messages by SOAP
}

func startSOAPSite(t *testing.T) *soapSite {
	t.Helper()
	s := &soapSite{asked: map[string]int{}, sessions: map[string]saml.LoginSession{}, roots: x509.NewCertPool()}
	address := freeAddress(t)
	proxy := httptest.NewTLSServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(&url.URL{Scheme: "http", Host: address})
		r.Out.Host = r.In.Host
		s.mu.Lock()
		defer s.mu.Unlock()
		s.asked[r.In.URL.Path]++
	}})
	t.Cleanup(proxy.Close)
	s.idp = startLemonLDAPAt(t, address, proxy.URL)
	s.roots.AddCert(proxy.Certificate())

	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	s.trust, err = saml.TrustFromMetadata(s.idp.metadata, "", time.Now())
	require.NoError(t, err)
	s.trust.State = saml.Active
	mux, base := serve(t)
	s.base = base
	client := &saml.SOAPClient{RootCAs: s.roots, AllowAddresses: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
	s.config = saml.Config{BaseURL: s.base, Trusts: saml.NewMemoryTrusts(s.trust), State: saml.NewMemoryState(), Sessions: s,
		SigningKeys: []saml.KeyPair{{Signer: key, Certificate: selfSigned(t, key)}}, Artifacts: client, LogoutClient: client,
		Metadata: saml.MetadataOptions{LogoutBySOAP: true}}
	s.sp, err = saml.New(s.config)
	require.NoError(t, err)
	handler := s.sp.Handler(func(w http.ResponseWriter, _ *http.Request, login *saml.Login) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.sessions[login.Subject().NameID.Value] = login.Session()
		fmt.Fprintf(w, "signed in: %s from %s, to %s", login.Subject().NameID.Value, login.Issuer(), login.ReturnTo())
	})
	mux.HandleFunc("/start", func(w http.ResponseWriter, r *http.Request) {
		opts := saml.StartOptions{ReturnTo: "/here", Details: saml.RequestDetails{ByArtifact: r.URL.Query().Has("artifact")}}
		if err := s.sp.StartLogin(w, r, s.trust, opts); err != nil {
			s.sp.WriteError(w, r, err)
		}
	})
	mux.HandleFunc("/sso/", func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.Header.Get("Content-Type"), "text/xml") {
			body, err := io.ReadAll(r.Body)
			if err == nil {
				s.mu.Lock()
				s.received = append(s.received, string(body))
				s.mu.Unlock()
			}
			r.Body = io.NopCloser(strings.NewReader(string(body)))
		}
		handler.ServeHTTP(w, r)
	})
	return s
}

// EndSessions implements saml.Sessions.
func (s *soapSite) EndSessions(_ context.Context, logout saml.Logout) (ended int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for user, session := range s.sessions {
		if logout.Ends(session) {
			delete(s.sessions, user)
			ended++
		}
	}
	return ended, nil
}

func (s *soapSite) users() (list []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for user := range s.sessions {
		list = append(list, user)
	}
	return slices.Sorted(slices.Values(list))
}

// browser is one that trusts the proxy's certificate.
func (s *soapSite) browser(t *testing.T, user string) *browser {
	t.Helper()
	b := newBrowser(t, s.idp.users[user])
	b.client.Transport = &http.Transport{Proxy: nil, DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: s.roots}}
	return b
}

// signIn signs a user in, in a browser of his own.
func (s *soapSite) signIn(t *testing.T, user, query string) *browser {
	t.Helper()
	b := s.browser(t, user)
	p := b.visit(s.base + "/start" + query)
	require.Equal(t, http.StatusOK, p.status, p.text())
	require.Equal(t, "signed in: "+s.idp.users[user].Email+" from "+s.idp.entityID+", to /here", p.text())
	return b
}

// lives reports whether the portal signs the user of a browser in without asking for a password.
func (s *soapSite) lives(b *browser) bool {
	return !strings.Contains(b.visit(s.base+"/start").body, `type="password"`)
}

// LemonLDAP::NG answers by an artifact, which is resolved by SOAP over TLS.
//
// req: CONF-T2-art
func TestLemonLDAPByArtifact(t *testing.T) {
	needIdPs(t)
	s := startSOAPSite(t)
	s.idp.sp = string(s.sp.Metadata())
	s.idp.configure(t, nil)
	b := s.signIn(t, "alice", "?artifact")
	assert.Equal(t, 1, s.asked["/saml/artifact"])
	for _, m := range b.messages {
		assert.NotEqual(t, "SAMLResponse", m.parameter, "the browser never holds the assertion")
	}
}

// Single logout with LemonLDAP::NG by SOAP, begun on either side: no browser carries a message of it. It ends alice's sessions
// on both sides and leaves bob's. Each side verifies the other's signatures.
//
// req: CONF-T2-slo
func TestLemonLDAPLogoutBySOAP(t *testing.T) {
	needIdPs(t)
	s := startSOAPSite(t)
	require.NotEmpty(t, s.trust.SLOSOAPURL)
	withoutBrowsers := regexp.MustCompile(`<md:SingleLogoutService\s[^>]*HTTP-(Redirect|POST)[^>]*/>`)
	s.idp.sp = withoutBrowsers.ReplaceAllString(string(s.sp.Metadata()), "")
	s.idp.configure(t, nil)
	bobs := s.idp.users["bob"].Email
	alices := s.idp.users["alice"].Email

	t.Run("from here", func(t *testing.T) {
		alice, bob := s.signIn(t, "alice", ""), s.signIn(t, "bob", "")
		require.Equal(t, []string{alices, bobs}, s.users())
		session := s.sessions[alices]
		delete(s.sessions, alices) // as a host does before

		forged := s.config // else it would not show that our signature is looked at
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		require.NoError(t, err)
		forged.SigningKeys = []saml.KeyPair{{Signer: key}}
		mallory, err := saml.New(forged)
		require.NoError(t, err)
		_, err = mallory.LogoutBySOAP(t.Context(), session, saml.LogoutOptions{})
		require.Error(t, err)
		require.True(t, s.lives(alice), "somebody else ended alice's session there")
		session = s.sessions[alices]
		delete(s.sessions, alices)

		result, err := s.sp.LogoutBySOAP(t.Context(), session, saml.LogoutOptions{Reason: saml.LogoutByAdmin})
		require.NoError(t, err)
		assert.Equal(t, saml.LogoutComplete, result.Outcome)
		assert.False(t, s.lives(alice), "the session there lives")
		assert.True(t, s.lives(bob), "bob's session there is gone")
		assert.Equal(t, []string{bobs}, s.users())
	})
	t.Run("from here, with an encrypted name", func(t *testing.T) {
		require.NotEmpty(t, s.trust.EncryptionKeys, "in its metadata")
		secretive := func(keys []saml.PublicKey) *saml.ServiceProvider {
			config, trust := s.config, s.trust
			trust.EncryptNameID, trust.EncryptionKeys = true, keys
			config.Trusts = saml.NewMemoryTrusts(trust)
			sp, err := saml.New(config)
			require.NoError(t, err)
			return sp
		}
		alice := s.signIn(t, "alice", "")
		ours, err := saml.NewPublicKey(s.config.SigningKeys[0].Signer.Public())
		require.NoError(t, err)
		result, err := secretive([]saml.PublicKey{ours}).LogoutBySOAP(t.Context(), s.sessions[alices], saml.LogoutOptions{})
		require.False(t, err == nil && result.Outcome == saml.LogoutComplete, "the name is not looked at")
		require.True(t, s.lives(alice))
		result, err = secretive(s.trust.EncryptionKeys).LogoutBySOAP(t.Context(), s.sessions[alices], saml.LogoutOptions{})
		require.NoError(t, err)
		assert.Equal(t, saml.LogoutComplete, result.Outcome)
		delete(s.sessions, alices)
		assert.False(t, s.lives(alice), "the session there lives")
	})
	t.Run("from there", func(t *testing.T) {
		s.received = nil
		alice := s.signIn(t, "alice", "")
		alice.messages = nil
		p := alice.visit(s.idp.base + "/?logout=1")
		image := regexp.MustCompile(`<img src="([^"]*relaySingleLogoutSOAP[^"]*)"`).FindStringSubmatch(p.body)
		require.NotNil(t, image, p.body)
		shown := alice.visit(image[1])
		assert.Contains(t, shown.url.Path+shown.body, "ok.png", "its verdict on our answer")
		assert.Equal(t, []string{bobs}, s.users())
		assert.Empty(t, alice.messages)
		assert.False(t, s.lives(alice), "the session there lives")
		require.Len(t, s.received, 1)
		assert.Contains(t, s.received[0], "<samlp:LogoutRequest ")
	})
}
