package saml_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml"
	"github.com/logintrust/saml/samltest"
)

// fetcher may reach this server, which listens on the loopback.
func fetcher(server *httptest.Server) saml.MetadataFetcher {
	f := saml.MetadataFetcher{AllowAddresses: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}}
	if server.TLS != nil {
		f.RootCAs = x509.NewCertPool()
		f.RootCAs.AddCert(server.Certificate())
	}
	return f
}

func metadataServer(t testing.TB, routes map[string]http.HandlerFunc) *httptest.Server {
	t.Helper()
	mux := http.NewServeMux()
	for path, h := range routes {
		mux.HandleFunc(path, h)
	}
	server := httptest.NewUnstartedServer(mux)
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // refused handshakes
	server.StartTLS()
	t.Cleanup(server.Close)
	return server
}

func redirectTo(code int, target string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", target)
		http.SetCookie(w, &http.Cookie{Name: "tracked", Value: "1"})
		w.WriteHeader(code)
	}
}

// The record is the same as from the file, whatever type the server gives, compressed or not, at the end of redirects.
//
// req: MC-GZIP IIP-MD02 LT-03 CL-19
func TestFetchMetadata(t *testing.T) {
	t.Parallel()
	idp := samltest.NewIdP(t)
	var seen []http.Header
	server := metadataServer(t, map[string]http.HandlerFunc{
		"/plain": func(w http.ResponseWriter, r *http.Request) {
			seen = append(seen, r.Header)
			w.Header().Set("Content-Type", "text/html")
			_, _ = w.Write(idp.Metadata())
		},
		"/gzip": func(w http.ResponseWriter, r *http.Request) {
			assert.Contains(t, r.Header.Get("Accept-Encoding"), "gzip")
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			_, _ = z.Write(idp.Metadata())
			_ = z.Close()
		},
		"/301": redirectTo(301, "/302"), "/302": redirectTo(302, "/307#fragment"), "/307": redirectTo(307, "/plain"),
	})
	want, err := saml.ProposeTrust(idp.Metadata(), saml.ImportOptions{}, now)
	require.NoError(t, err)
	for _, path := range []string{"/plain", "/plain?secret=1", "/gzip", "/301"} {
		b, err := fetcher(server).Fetch(t.Context(), server.URL+path)
		require.NoError(t, err, path)
		got, err := saml.ProposeTrust(b, saml.ImportOptions{}, now)
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
	require.Len(t, seen, 3)
	for _, h := range seen {
		assert.Contains(t, h.Get("Accept"), "application/samlmetadata+xml")
		for _, name := range []string{"Cookie", "Referer", "Authorization"} {
			assert.Empty(t, h.Get(name))
		}
	}
}

// req: MC-GZIP IIP-ALG07 SDP-MD02 LT-03
func TestFetchRefuses(t *testing.T) {
	t.Parallel()
	plain := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { t.Error("reached without TLS") }))
	t.Cleanup(plain.Close)
	old := httptest.NewUnstartedServer(http.NotFoundHandler())
	old.Config.ErrorLog = log.New(io.Discard, "", 0)
	old.TLS = &tls.Config{MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10}
	old.StartTLS()
	t.Cleanup(old.Close)
	const limit = 4 << 20
	write := func(size int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(bytes.Repeat([]byte("x"), size)) }
	}
	server := metadataServer(t, map[string]http.HandlerFunc{
		"/loop": redirectTo(302, "/loop"), "/4": redirectTo(302, "/3"), "/3": redirectTo(302, "/2"), "/2": redirectTo(302, "/1"), "/1": redirectTo(302, "/small"), "/small": write(1),
		"/to-http": redirectTo(302, plain.URL), "/to-file": redirectTo(302, "file:///etc/passwd"), "/to-link-local": redirectTo(302, "https://169.254.169.254/latest/"),
		"/to-mapped": redirectTo(307, "https://[::ffff:10.0.0.1]/"), "/to-user": func(w http.ResponseWriter, r *http.Request) { redirectTo(302, "https://a:b@"+r.Host+"/small")(w, r) },
		"/nowhere": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(302) },
		"/missing": http.NotFound, "/part": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(206) },
		"/exact": write(limit), "/large": write(limit + 1), "/5MiB": write(5 << 20),
		"/bomb": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			block := make([]byte, 1<<20)
			for range 64 {
				_, _ = z.Write(block)
			}
			_ = z.Close()
		},
		"/br": func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Encoding", "br") },
		"/cut": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "10")
			_, _ = w.Write([]byte("x"))
		},
		"/header": func(w http.ResponseWriter, _ *http.Request) {
			for i := range 100 {
				w.Header().Set(fmt.Sprint("X-", i), strings.Repeat("x", 1<<10))
			}
		},
	})
	_, port, _ := strings.Cut(server.Listener.Addr().String(), ":")
	f := fetcher(server)
	f.Timeout = time.Minute // on a busy machine 5 seconds may be too little for the bomb
	strict := f
	strict.AllowAddresses = nil
	for _, c := range []struct {
		name, url, fails string
		f                saml.MetadataFetcher
	}{
		{"http", plain.URL, `"http" instead of https`, f},
		{"file", "file:///etc/passwd", "instead of https", f},
		{"no scheme", "127.0.0.1", "instead of https", f},
		{"opaque", "https:x", "without host", f},
		{"no host", "https:///x", "without host", f},
		{"not a URL", "https://a b\x00/", "not a URL", f},
		{"credentials", strings.Replace(server.URL, "https://", "https://user:pass@", 1), "credentials", f},
		{"loopback", server.URL + "/small", "not a public one", strict},
		{"loopback by name", "https://localhost:" + port + "/small", "not a public one", strict},
		{"loopback, mapped", "https://[::ffff:127.0.0.1]:" + port + "/small", "not a public one", strict},
		{"loopback, short", "https://127.1:" + port + "/small", "", strict},
		{"loopback, a number", "https://2130706433:" + port + "/small", "", strict},
		{"unspecified", "https://0.0.0.0:" + port + "/small", "not a public one", strict},
		{"unspecified v6", "https://[::]:" + port + "/small", "not a public one", strict},
		{"link-local", "https://169.254.169.254/latest/", "not a public one", f},
		{"a name that is none", "https://idp.invalid:" + port, "", f},
		{"redirect to http", server.URL + "/to-http", `"http" instead of https`, f},
		{"redirect to a file", server.URL + "/to-file", "instead of https", f},
		{"redirect to link-local", server.URL + "/to-link-local", "not a public one", f},
		{"redirect to a mapped address", server.URL + "/to-mapped", "not a public one", f},
		{"redirect with credentials", server.URL + "/to-user", "credentials", f},
		{"redirect to nowhere", server.URL + "/nowhere", "nowhere", f},
		{"redirect loop", server.URL + "/loop", "more than 3 redirects", f},
		{"four redirects", server.URL + "/4", "more than 3 redirects", f},
		{"404", server.URL + "/missing", "answers 404", f},
		{"206", server.URL + "/part", "answers 206", f},
		{"an octet more", server.URL + "/large", "more than 4194304 octets", f},
		{"5 MiB", server.URL + "/5MiB", "more than 4194304 octets", f},
		{"gzip bomb", server.URL + "/bomb", "more than 4194304 octets", f},
		{"brotli", server.URL + "/br", "encoded", f},
		{"cut", server.URL + "/cut", "unexpected EOF", f},
		{"large header", server.URL + "/header", "exceed", f},
		{"TLS 1.1", old.URL, "", f},
		{"unknown authority", server.URL + "/small", "certificate", saml.MetadataFetcher{AllowAddresses: f.AllowAddresses}},
		{"limit out of range", server.URL, "out of range", saml.MetadataFetcher{MaxBytes: 129 << 20}},
		{"time out of range", server.URL, "out of range", saml.MetadataFetcher{Timeout: time.Hour}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b, err := c.f.Fetch(t.Context(), c.url)
			require.Error(t, err)
			assert.ErrorContains(t, err, c.fails)
			assert.Nil(t, b)
			assert.NotContains(t, err.Error(), "127.0.0.1", "no address of ours in an error")
			assert.NotContains(t, err.Error(), "pass")
		})
	}
	for _, path := range []string{"/3", "/exact"} {
		_, err := f.Fetch(t.Context(), server.URL+path)
		require.NoError(t, err, path)
	}
	f.MaxBytes = 5 << 20
	b, err := f.Fetch(t.Context(), server.URL+"/5MiB")
	require.NoError(t, err)
	assert.Len(t, b, 5<<20)
}

// A server that never ends is left at the time for everything, however it goes about it; and the host's context counts.
func TestFetchEnds(t *testing.T) {
	t.Parallel()
	ended := make(chan struct{})
	t.Cleanup(func() { close(ended) })
	server := metadataServer(t, map[string]http.HandlerFunc{
		"/trickle": func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				_, _ = w.Write([]byte("x"))
				w.(http.Flusher).Flush()
				select {
				case <-r.Context().Done():
				case <-time.After(10 * time.Millisecond):
				}
			}
		},
		"/silent": func(_ http.ResponseWriter, r *http.Request) {
			select {
			case <-r.Context().Done():
			case <-ended:
			}
		},
	})
	for _, path := range []string{"/trickle", "/silent"} {
		f := fetcher(server)
		f.Timeout = 200 * time.Millisecond
		began := time.Now()
		_, err := f.Fetch(t.Context(), server.URL+path)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorContains(t, err, "no whole answer within 200ms")
		assert.Less(t, time.Since(began), 4*time.Second)
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(50*time.Millisecond, cancel)
		_, err = fetcher(server).Fetch(ctx, server.URL+path)
		require.ErrorIs(t, err, context.Canceled, path)
	}
}

// The environment names no proxy; the host may, and then the proxy's address counts.
func TestFetchProxy(t *testing.T) {
	for _, name := range []string{"HTTPS_PROXY", "https_proxy", "ALL_PROXY"} {
		t.Setenv(name, "http://127.0.0.1:1")
	}
	server := metadataServer(t, map[string]http.HandlerFunc{"/": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("x")) }})
	_, err := fetcher(server).Fetch(t.Context(), server.URL)
	require.NoError(t, err)
	var asked []string
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Method+" "+r.Host)
		w.WriteHeader(http.StatusForbidden)
	}))
	t.Cleanup(proxy.Close)
	f := fetcher(server)
	f.Proxy = func(*http.Request) (*url.URL, error) { return url.Parse(proxy.URL) }
	_, err = f.Fetch(t.Context(), "https://idp.example.com/metadata")
	require.Error(t, err)
	assert.Equal(t, []string{"CONNECT idp.example.com:443"}, asked)
	f.AllowAddresses = nil
	_, err = f.Fetch(t.Context(), "https://idp.example.com/metadata")
	require.ErrorContains(t, err, "not a public one")
	_, err = f.Fetch(t.Context(), "https://10.0.0.1/metadata")
	require.ErrorContains(t, err, "not a public one")
	assert.Len(t, asked, 1)
}
