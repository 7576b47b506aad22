package e2e_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml"
)

// LemonLDAP::NG answers by an artifact, which is resolved by SOAP over TLS.
//
// req: CONF-T2-art
func TestLemonLDAPByArtifact(t *testing.T) {
	needIdPs(t)
	// Artifacts are resolved by https only, and the portal speaks http: a proxy stands in front of it.
	address := freeAddress(t)
	resolved := 0
	proxy := httptest.NewTLSServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(&url.URL{Scheme: "http", Host: address})
		r.Out.Host = r.In.Host
		if strings.HasPrefix(r.In.URL.Path, "/saml/artifact") {
			resolved++
		}
	}})
	t.Cleanup(proxy.Close)
	idp := startLemonLDAPAt(t, address, proxy.URL)
	roots := x509.NewCertPool()
	roots.AddCert(proxy.Certificate())

	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	trust, err := saml.TrustFromMetadata(idp.metadata, "", time.Now())
	require.NoError(t, err)
	require.NotEmpty(t, trust.ArtifactServices)
	trust.State = saml.Active
	mux := http.NewServeMux()
	application := httptest.NewServer(mux)
	t.Cleanup(application.Close)
	sp, err := saml.New(saml.Config{BaseURL: application.URL, Trusts: saml.NewMemoryTrusts(trust), State: saml.NewMemoryState(),
		SigningKeys: []saml.KeyPair{{Signer: key, Certificate: selfSigned(t, key)}},
		Artifacts:   &saml.SOAPClient{RootCAs: roots, AllowAddresses: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}})
	require.NoError(t, err)
	mux.HandleFunc("/start", func(w http.ResponseWriter, r *http.Request) {
		if err := sp.StartLogin(w, r, trust, saml.StartOptions{ReturnTo: "/here", Details: saml.RequestDetails{ByArtifact: true}}); err != nil {
			sp.WriteError(w, r, err)
		}
	})
	mux.Handle("/sso/", sp.Handler(func(w http.ResponseWriter, _ *http.Request, login *saml.Login) {
		fmt.Fprintf(w, "signed in: %s from %s, to %s", login.Subject().NameID.Value, login.Issuer(), login.ReturnTo())
	}))
	idp.sp = string(sp.Metadata())
	idp.configure(t, nil)
	b := newBrowser(t, idp.users["alice"])
	b.client.Transport = &http.Transport{Proxy: nil, DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: roots}}
	p := b.visit(application.URL + "/start")
	require.Equal(t, http.StatusOK, p.status, p.text())
	assert.Equal(t, "signed in: "+idp.users["alice"].Email+" from "+idp.entityID+", to /here", p.text())
	assert.Equal(t, 1, resolved)
	for _, m := range b.messages {
		assert.NotEqual(t, "SAMLResponse", m.parameter, "the browser never holds the assertion")
	}
}
