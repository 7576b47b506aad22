package saml_test

import (
	"crypto"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml"
	"github.com/logintrust/saml/samltest"
)

// A resolver is where an identity provider resolves artifacts, with demands of its own on who asks.
type resolver struct {
	mu     sync.Mutex
	tls    *tls.Config
	admits func(*http.Request) bool
	asked  []*http.Request
}

// at makes the resolver's site; change edits its trust and configuration.
func (s *resolver) at(t testing.TB, change func(*saml.LoginTrust, *saml.Config)) *site {
	t.Helper()
	var made *site
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.asked = append(s.asked, r)
		s.mu.Unlock()
		if s.admits != nil && !s.admits(r) {
			w.Header().Set("WWW-Authenticate", `Basic realm="x"`)
			http.Error(w, "who are you?", http.StatusUnauthorized)
			return
		}
		made.idp.ArtifactHandler(func(*http.Request, []byte) {}).ServeHTTP(w, r)
	}))
	server.TLS = s.tls
	server.StartTLS()
	t.Cleanup(server.Close)
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	made = newSite(t, byArtifacts(t, func() *samltest.IdP { return made.idp }, nil), func(trust *saml.LoginTrust, c *saml.Config) {
		trust.ArtifactServices = []saml.ArtifactService{{Index: 0, URL: server.URL + "/resolve"}}
		c.Artifacts.RootCAs = roots
		change(trust, c)
	})
	return made
}

// signsIn reports whether an artifact leads to a login.
func signsIn(s *site) bool {
	b := s.browser()
	artifact, _ := s.idp.Artifact(0, s.idp.Answer(b.start("")))
	return b.deliver(http.MethodPost, artifact).StatusCode == http.StatusSeeOther
}

// Who asks by SOAP proves who he is in the way that the identity provider wants: by nothing but TLS, by a name and a password that
// go with the first request, or by a certificate.
//
// req: CONF-3.5
func TestSOAPClientAuthentication(t *testing.T) {
	t.Parallel()
	plain := func(*saml.LoginTrust, *saml.Config) {}
	none := &resolver{}
	assert.True(t, signsIn(none.at(t, plain)))
	require.Len(t, none.asked, 1)
	assert.Empty(t, none.asked[0].Header.Get("Authorization"))

	knows := func(r *http.Request) bool {
		user, password, ok := r.BasicAuth()
		return ok && user == "us" && password == "pässword:"
	}
	basic := &resolver{admits: knows}
	assert.False(t, signsIn(basic.at(t, plain)))
	basic = &resolver{admits: knows}
	var targets []string
	withPassword := func(trust *saml.LoginTrust, c *saml.Config) {
		c.Artifacts.Credentials = func(target string) (string, string, bool) {
			targets = append(targets, target)
			return "us", "pässword:", target == trust.ArtifactServices[0].URL
		}
	}
	s := basic.at(t, withPassword)
	assert.True(t, signsIn(s))
	require.Len(t, basic.asked, 1, "not after a challenge")
	assert.Equal(t, []string{s.trust().ArtifactServices[0].URL}, targets)

	stranger := &resolver{}
	assert.True(t, signsIn(stranger.at(t, func(_ *saml.LoginTrust, c *saml.Config) {
		c.Artifacts.Credentials = func(string) (string, string, bool) { return "us", "password", false }
	})))
	assert.Empty(t, stranger.asked[0].Header.Get("Authorization"), "a password for others")

	key := mustKey(t, "sp-rsa2048")
	der, err := saml.SelfSigned(key, saml.CertificateOptions{Subject: "us", NotBefore: time.Now().Add(-time.Hour)})
	require.NoError(t, err)
	certificate, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	mutual := &resolver{tls: &tls.Config{ClientAuth: tls.RequireAnyClientCert}, admits: func(r *http.Request) bool {
		return r.TLS.PeerCertificates[0].Equal(certificate)
	}}
	assert.False(t, signsIn(mutual.at(t, plain)))
	assert.True(t, signsIn(mutual.at(t, func(_ *saml.LoginTrust, c *saml.Config) {
		c.Artifacts.Certificates = []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}
	})))
}

// serverCertificate is one of ten years ago, for another host, that nobody vouches for.
func serverCertificate(t testing.TB, key crypto.Signer) *tls.Config {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "old"}, IPAddresses: []net.IP{net.IPv4(192, 0, 2, 1)},
		NotBefore: time.Now().AddDate(-11, 0, 0), NotAfter: time.Now().AddDate(-10, 0, 0)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
}

// A server proves itself by one of the trust's keys too, whatever its certificate says beside it; by any other key it does not,
// nor by the trust's certificate without its key.
//
// req: IIP-MD06-tls
func TestServerKeyOfTheTrust(t *testing.T) {
	t.Parallel()
	key, other := mustKey(t, "idp-rsa2048"), mustKey(t, "mallory-rsa2048")
	pins := func(keys ...crypto.PublicKey) func(*saml.LoginTrust, *saml.Config) {
		return func(trust *saml.LoginTrust, c *saml.Config) {
			c.Artifacts.RootCAs = x509.NewCertPool() // nobody
			for _, k := range keys {
				trust.Keys = append(trust.Keys, publicKeyOf(t, k))
			}
		}
	}
	for name, c := range map[string]struct {
		server crypto.Signer
		change func(*saml.LoginTrust, *saml.Config)
		works  bool
	}{
		"a key of the trust": {key, pins(key.Public()), true},
		"one of several":     {key, pins(other.Public(), key.Public()), true},
		"an elliptic one":    {mustKey(t, "idp-p256"), pins(mustKey(t, "idp-p256").Public()), true},
		"another key":        {other, pins(key.Public()), false},
		"no key":             {other, pins(), false},
		"a key for encryption": {key, func(trust *saml.LoginTrust, c *saml.Config) {
			pins()(trust, c)
			trust.EncryptionKeys = []saml.PublicKey{publicKeyOf(t, key.Public())}
		}, false},
	} {
		r := &resolver{tls: serverCertificate(t, c.server)}
		s := r.at(t, c.change)
		assert.Equal(t, c.works, signsIn(s), "%s: %v", name, s.reason())
		if !c.works {
			assert.Equal(t, saml.ArtifactFailed, s.reason(), name)
			assert.Empty(t, r.asked, "%s: nothing is said to it", name)
		}
	}

	// Who has the certificate has not the key.
	stolen := serverCertificate(t, key)
	stolen.Certificates[0].PrivateKey = other
	r := &resolver{tls: stolen}
	assert.False(t, signsIn(r.at(t, pins(key.Public()))))
	assert.Empty(t, r.asked)
}

// Credentials show in nothing.
func TestSOAPClientShowsNoPassword(t *testing.T) {
	t.Parallel()
	r := &resolver{admits: func(*http.Request) bool { return false }}
	s := r.at(t, func(_ *saml.LoginTrust, c *saml.Config) {
		c.Artifacts.Credentials = func(string) (string, string, bool) { return "us", "opensesame", true }
	})
	assert.False(t, signsIn(s))
	for _, secret := range []string{"opensesame", base64.StdEncoding.EncodeToString([]byte("us:opensesame"))} {
		assert.NotContains(t, s.refusals.Load().Error(), secret)
	}
}
