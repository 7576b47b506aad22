package outbound_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml/internal/outbound"
)

// newServer is a server on loopback, and a client that may ask it.
func newServer(t *testing.T, answer http.HandlerFunc) (*httptest.Server, outbound.Client, *int) {
	t.Helper()
	asked := 0
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		answer(w, r)
	}))
	t.Cleanup(server.Close)
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	return server, outbound.Client{Guard: outbound.Guard{netip.MustParsePrefix("127.0.0.0/8")}, TLS: &tls.Config{RootCAs: roots},
		Timeout: 10 * time.Second, MaxBytes: 100, MaxRedirects: 1}, &asked
}

// What is no https URL of a host, with nobody's password in it, is asked nothing, by either method.
func TestURLsThatAreNotAsked(t *testing.T) {
	t.Parallel()
	server, c, asked := newServer(t, func(http.ResponseWriter, *http.Request) {})
	host := strings.TrimPrefix(server.URL, "https://")
	for _, target := range []string{"http://" + host, "https:" + host, "https:///x", "https://user:secret@" + host, "https://%zz", "ftp://" + host, ""} {
		_, err := c.Get(t.Context(), target, "*/*")
		require.Error(t, err, target)
		assert.NotContains(t, err.Error(), "secret")
		_, err = c.Post(t.Context(), target, "text/xml", nil)
		require.Error(t, err, target)
		assert.NotContains(t, err.Error(), "secret")
	}
	closed := c
	closed.Guard = nil
	_, err := closed.Get(t.Context(), server.URL, "*/*")
	require.ErrorIs(t, err, outbound.ErrAddress)
	_, err = closed.Post(t.Context(), server.URL, "text/xml", nil)
	require.ErrorIs(t, err, outbound.ErrAddress)
	assert.Zero(t, *asked)
	_, err = c.Get(t.Context(), server.URL, "*/*")
	require.NoError(t, err)
}

// A proxy that may be dialled does not lead to an address that may not.
func TestAddressBehindAProxy(t *testing.T) {
	t.Parallel()
	proxy, c, asked := newServer(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	place, err := url.Parse(proxy.URL)
	require.NoError(t, err)
	c.Proxy = func(*http.Request) (*url.URL, error) { return place, nil }
	for _, target := range []string{"https://10.1.2.3/", "https://[fd00::1]/", "https://169.254.169.254/latest", "https://[::ffff:10.1.2.3]/"} {
		_, err = c.Get(t.Context(), target, "*/*")
		require.ErrorIs(t, err, outbound.ErrAddress, target)
		_, err = c.Post(t.Context(), target, "text/xml", nil)
		require.ErrorIs(t, err, outbound.ErrAddress, target)
	}
	assert.Zero(t, *asked)
}

// Whoever shows a pinned certificate and does not hold its key gets nothing: a certificate is public, and it is looked at
// before the proof of its key. The second connection, which trusts the key alone, must ask for that very key.
func TestPinnedKeyIsProven(t *testing.T) {
	t.Parallel()
	selfSigned := func() tls.Certificate {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		require.NoError(t, err)
		template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
		der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
		require.NoError(t, err)
		return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
	}
	pinned, mallory := selfSigned(), selfSigned()
	borrowed := tls.Certificate{Certificate: pinned.Certificate, PrivateKey: mallory.PrivateKey}
	for name, shown := range map[string][]tls.Certificate{
		"the pinned one":                {pinned, pinned},
		"another":                       {mallory, mallory},
		"the pinned one, then another":  {borrowed, mallory},
		"the pinned one, without a key": {borrowed, borrowed},
	} {
		asked, connections := 0, 0
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked++ }))
		server.Config.ErrorLog = log.New(io.Discard, "", 0)
		server.TLS = &tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
			connections++
			return &tls.Config{Certificates: shown[min(connections, len(shown))-1:][:1]}, nil
		}}
		server.StartTLS()
		c := outbound.Client{Guard: outbound.Guard{netip.MustParsePrefix("127.0.0.0/8")}, Timeout: 10 * time.Second, MaxBytes: 100,
			ServerKeys: []crypto.PublicKey{pinned.PrivateKey.(*ecdsa.PrivateKey).Public()}}
		_, err := c.Post(t.Context(), server.URL, "text/xml", []byte("secret"))
		server.Close()
		if name == "the pinned one" {
			require.NoError(t, err)
			assert.Equal(t, 1, asked)
			continue
		}
		require.Error(t, err, name)
		assert.Zero(t, asked, name)
	}
}

// A POST is not sent on, and its answer is not what stands where a redirect leads.
func TestPostIsNotRedirected(t *testing.T) {
	t.Parallel()
	server, c, asked := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/next", http.StatusTemporaryRedirect)
	})
	_, err := c.Post(t.Context(), server.URL, "text/xml", []byte("x"))
	require.ErrorContains(t, err, "redirect")
	assert.Equal(t, 1, *asked)
}

func TestContentEncodings(t *testing.T) {
	t.Parallel()
	coding := ""
	server, c, _ := newServer(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", coding)
		_, _ = w.Write([]byte("body"))
	})
	for _, coding = range []string{"identity", "Identity"} {
		body, err := c.Get(t.Context(), server.URL, "*/*")
		require.NoError(t, err)
		assert.Equal(t, "body", string(body))
	}
	coding = "br"
	_, err := c.Get(t.Context(), server.URL, "*/*")
	require.ErrorContains(t, err, "encoded")
}

// An error tells no address.
func TestConnectionErrors(t *testing.T) {
	t.Parallel()
	server, c, _ := newServer(t, func(http.ResponseWriter, *http.Request) {})
	server.Close()
	_, err := c.Post(t.Context(), server.URL, "text/xml", nil)
	require.EqualError(t, err, "the connection failed")
	assert.NotContains(t, err.Error(), "127.0.0.1")
}
