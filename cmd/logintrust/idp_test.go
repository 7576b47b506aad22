package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml"
	"github.com/logintrust/saml/samltest"
)

// TestMain is the program itself where a test asks for a process of its own.
func TestMain(m *testing.M) {
	if os.Getenv("LOGINTRUST_TEST_MAIN") == "1" {
		main()
	}
	os.Exit(m.Run())
}

// A started identity provider, with what it printed about itself.
type started struct {
	text string
	end  func() (status int, stderr string)
}

func (s started) line(name string) string {
	m := regexp.MustCompile(`(?m)^` + name + ` +(.*)$`).FindStringSubmatch(s.text)
	if m == nil {
		return ""
	}
	return m[1]
}

func startIdP(t *testing.T, args ...string) started {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	out, in := io.Pipe()
	status := make(chan int, 1)
	var stderr bytes.Buffer
	go func() {
		status <- serveIdP(ctx, append([]string{"-listen", "127.0.0.1:0"}, args...), nil, in, &stderr)
		in.Close()
	}()
	text := make([]byte, 8<<10)
	n, err := out.Read(text)
	if err != nil {
		t.Fatalf("status %d: %s", <-status, stderr.String())
	}
	end := sync.OnceValues(func() (int, string) {
		cancel()
		return <-status, stderr.String()
	})
	t.Cleanup(func() { end() })
	return started{text: string(text[:n]), end: end}
}

// A serviceProvider is a small application on a port of its own.
type serviceProvider struct {
	*httptest.Server
	sp     *saml.ServiceProvider
	trusts *saml.MemoryTrusts
}

func newServiceProvider(t *testing.T) *serviceProvider {
	t.Helper()
	x := &serviceProvider{trusts: saml.NewMemoryTrusts()}
	mux := http.NewServeMux()
	x.Server = httptest.NewServer(mux)
	t.Cleanup(x.Close)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	x.sp, err = saml.New(saml.Config{BaseURL: x.URL, Trusts: x.trusts, State: saml.NewMemoryState(), SigningKeys: []saml.KeyPair{{Signer: key}}})
	require.NoError(t, err)
	mux.Handle("/sso/", x.sp.Handler(func(w http.ResponseWriter, _ *http.Request, login *saml.Login) {
		fmt.Fprint(w, "welcome ", login.Attributes())
	}))
	return x
}

// page reads the answer that all redirects end at.
func page(t *testing.T, r *http.Response, err error) *samltest.Page {
	t.Helper()
	require.NoError(t, err)
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	require.NoError(t, err)
	return &samltest.Page{URL: r.Request.URL, Status: r.StatusCode, Header: r.Header, Body: string(body)}
}

func newClient(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	client := &http.Client{Jar: jar, Timeout: 10 * time.Second}
	t.Cleanup(client.CloseIdleConnections)
	return client
}

// Somebody signs in through the identity provider over real sockets, whatever product it writes like, with the trust that its
// metadata proposes.
func TestIdP(t *testing.T) {
	t.Parallel()
	for _, shape := range append(samltest.Personalities(), samltest.Personality{}) {
		t.Run("like "+shape.Name, func(t *testing.T) {
			t.Parallel()
			x := newServiceProvider(t)
			args := []string{"-sp", x.URL + "/sso/metadata"}
			if shape.Name != "" {
				args = append(args, "-personality", shape.Name)
			}
			idp := startIdP(t, args...)
			assert.Equal(t, shape.Title, idp.line("writes like"))
			assert.Contains(t, idp.text, `alice, password "password"`)
			assert.Contains(t, idp.text, "registered: 1.")

			client := newClient(t)
			r, err := client.Get(idp.line("metadata"))
			metadata := page(t, r, err)
			trust, err := saml.TrustFromMetadata([]byte(metadata.Body), "", time.Now())
			require.NoError(t, err)
			assert.Equal(t, idp.line("entity ID"), trust.Domain)
			trust.State = saml.Active
			x.trusts.Set(trust)

			r, err = client.Get(x.sp.LoginLink(trust, "/"))
			p := page(t, r, err)
			require.Len(t, p.Forms(), 1, p.Body)
			form := p.Forms()[0]
			form.Fields.Set("username", "alice")
			form.Fields.Set("password", "password")
			for range 3 { // the sign-in form, the answer, and the hop that asks for the cookie again
				r, err = client.PostForm(form.Action, form.Fields)
				p = page(t, r, err)
				if len(p.Forms()) == 0 {
					break
				}
				form = p.Forms()[0]
			}
			assert.Equal(t, http.StatusOK, p.Status)
			assert.Contains(t, p.Body, "alice@example.com")

			r, err = client.Get(idp.line("address"))
			assert.Contains(t, page(t, r, err).Body, "Signed in as alice")
			client.CloseIdleConnections()
			status, stderr := idp.end()
			assert.Equal(t, exitOK, status)
			assert.Empty(t, stderr)
		})
	}
}

// A service provider is registered on the home page, by nobody else's page; and a key of one's own signs.
func TestIdPRegistration(t *testing.T) {
	t.Parallel()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	idp := startIdP(t, "-key", privateKeyFile(t, key), "-personality", "keycloak")
	assert.Contains(t, idp.text, "No service provider is registered")
	client := newClient(t)
	r, err := client.Get(idp.line("metadata"))
	trust, err := saml.TrustFromMetadata([]byte(page(t, r, err).Body), "", time.Now())
	require.NoError(t, err)
	pinned, err := saml.NewPublicKey(key.Public())
	require.NoError(t, err)
	require.Len(t, trust.Keys, 1)
	assert.True(t, trust.Keys[0].Equal(pinned))

	x := newServiceProvider(t)
	r, err = client.Get(idp.line("address"))
	p := page(t, r, err)
	require.Len(t, p.Forms(), 1)
	register := p.Forms()[0].Action
	fields := url.Values{"metadata": {string(x.sp.Metadata())}}
	foreign, err := http.NewRequest(http.MethodPost, register, strings.NewReader(fields.Encode()))
	require.NoError(t, err)
	foreign.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	foreign.Header.Set("Sec-Fetch-Site", "cross-site")
	r, err = client.Do(foreign)
	assert.Equal(t, http.StatusForbidden, page(t, r, err).Status)
	r, err = client.PostForm(register, url.Values{"metadata": {"none"}})
	assert.Equal(t, http.StatusBadRequest, page(t, r, err).Status)
	r, err = client.PostForm(register, fields)
	p = page(t, r, err)
	assert.Equal(t, http.StatusOK, p.Status)
	assert.Contains(t, p.Body, x.sp.EntityID())
}

func privateKeyFile(t *testing.T, key any) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	return temporary(t, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

func temporary(t *testing.T, text []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, text, 0o600))
	return file
}

// Each mistake is one clear sentence and a status of its own.
func TestIdPMistakes(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	_, edwards, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	nothing := httptest.NewServer(http.NotFoundHandler())
	defer nothing.Close()
	idp := samltest.NewIdP(t)
	for _, tt := range []struct {
		args   string
		status int
		want   string
	}{
		{"-brew", exitUsage, "-brew"},
		{"tea", exitUsage, `"tea" is too much`},
		{"-personality tea", exitUsage, `no -personality "tea"; there are entra-id, adfs, okta, google, pingfederate, pingone, shibboleth, keycloak and onelogin`},
		{"-listen here", exitUnable, `-listen: "here" is not an address`},
		{"-listen " + taken.Addr().String(), exitUnable, "(address already in use)"},
		{"-listen 127.0.0.1:0 -key nowhere.pem", exitUnable, "nowhere.pem"},
		{"-listen 127.0.0.1:0 -key " + temporary(t, []byte("no key")), exitUnable, "not a private key"},
		{"-listen 127.0.0.1:0 -key " + privateKeyFile(t, edwards), exitUnable, "want RSA or ECDSA"},
		{"-listen 127.0.0.1:0 -sp nowhere.xml", exitUnable, "-sp nowhere.xml: no such file"},
		{"-listen 127.0.0.1:0 -sp " + temporary(t, idp.Metadata()), exitUnable, "no SPSSODescriptor"},
		{"-listen 127.0.0.1:0 -sp " + temporary(t, bytes.Repeat([]byte("x"), maxMetadata+1)), exitUnable, "more than"},
		{"-listen 127.0.0.1:0 -sp " + nothing.URL, exitUnable, "404 Not Found"},
		{"-listen 127.0.0.1:0 -sp http://" + taken.Addr().String() + "x/", exitUnable, "-sp"},
	} {
		var out, stderr strings.Builder
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second) // one that starts all the same must end
		status := serveIdP(ctx, strings.Fields(tt.args), nil, &out, &stderr)
		cancel()
		assert.Equal(t, tt.status, status, tt.args)
		assert.Empty(t, out.String(), tt.args)
		assert.Contains(t, stderr.String(), tt.want, tt.args)
		assert.Equal(t, 1, strings.Count(stderr.String(), "\n"), stderr.String())
	}
	status, out, _ := call("", "idp", "-h")
	assert.Equal(t, exitOK, status)
	assert.Contains(t, out, "entra-id           Microsoft Entra ID\n")
}

// Ctrl-C ends the program, and not as a failure.
func TestIdPEnds(t *testing.T) {
	t.Parallel()
	program := exec.CommandContext(t.Context(), os.Args[0], "idp", "-listen", "127.0.0.1:0")
	program.Env = append(os.Environ(), "LOGINTRUST_TEST_MAIN=1")
	out, err := program.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, program.Start())
	text := make([]byte, 8<<10)
	n, err := out.Read(text)
	require.NoError(t, err)
	assert.Contains(t, string(text[:n]), "Ctrl-C ends it.")
	require.NoError(t, program.Process.Signal(os.Interrupt))
	assert.NoError(t, program.Wait())
}
