package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"flag"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml/samltest"
)

// A journal is a log that a test may read while it is written.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(b []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(b)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// A world is the running server and a browser in front of it.
type world struct {
	t       *testing.T
	demo    *demo
	journal *journal
	client  *http.Client
}

func newWorld(t *testing.T, args ...string) *world {
	t.Helper()
	w := &world{t: t, journal: &journal{}}
	o, err := parse(append([]string{"-addr", "127.0.0.1:0", "-idp-addr", "127.0.0.1:0"}, args...), io.Discard)
	require.NoError(t, err)
	w.demo, err = newDemo(o, slog.New(slog.NewTextHandler(w.journal, nil)))
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- w.demo.serve(ctx) }()
	t.Cleanup(func() {
		w.client.CloseIdleConnections()
		cancel()
		assert.NoError(t, <-ended)
	})
	w.client = newBrowser(t)
	return w
}

func newBrowser(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	return &http.Client{Jar: jar, Timeout: 10 * time.Second}
}

// page reads the answer that all redirects end at.
func (w *world) page(r *http.Response, err error) *samltest.Page {
	w.t.Helper()
	require.NoError(w.t, err)
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	require.NoError(w.t, err)
	return &samltest.Page{URL: r.Request.URL, Status: r.StatusCode, Header: r.Header, Body: string(body)}
}

// get visits a page of the application, or one anywhere.
func (w *world) get(target string) *samltest.Page {
	w.t.Helper()
	if strings.HasPrefix(target, "/") {
		target = w.demo.app.baseURL + target
	}
	return w.page(w.client.Get(target))
}

// submit sends the page's one form, with further fields as name and value.
func (w *world) submit(p *samltest.Page, fields ...string) *samltest.Page {
	w.t.Helper()
	require.Len(w.t, p.Forms(), 1, p.Body)
	form := p.Forms()[0]
	for i := 0; i < len(fields); i += 2 {
		form.Fields.Set(fields[i], fields[i+1])
	}
	return w.page(w.client.PostForm(form.Action, form.Fields))
}

// signIn signs in at the identity provider, whose sign-in page p is.
func (w *world) signIn(p *samltest.Page, user string) *samltest.Page {
	w.t.Helper()
	return w.submit(w.submit(p, "username", user, "password", "password"))
}

func (w *world) loginLink(target, binding string) string {
	q := url.Values{"entityID": {w.demo.idp.EntityID}, "target": {target}}
	if binding != "" {
		q.Set("binding", binding)
	}
	return "/sso/login?" + q.Encode()
}

func (w *world) sessionCookie() string {
	base, err := url.Parse(w.demo.app.baseURL)
	require.NoError(w.t, err)
	for _, c := range w.client.Jar.Cookies(base) {
		if c.Name == "session" {
			return c.Value
		}
	}
	return ""
}

func TestLogin(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	home := w.get("/")
	assert.Contains(t, home.Body, "You are not signed in")
	assert.Contains(t, home.Body, "Sign in with the demonstration identity provider")
	assert.Contains(t, home.Header.Get("Content-Security-Policy"), "default-src 'none'")
	assert.NotContains(t, home.Body, "<script")
	assert.NotContains(t, home.Body, "style=")

	p := w.signIn(w.get(w.loginLink("/?from=here", "")), "alice")
	assert.Equal(t, http.StatusOK, p.Status)
	assert.Equal(t, w.demo.app.baseURL+"/?from=here", p.URL.String())
	for _, want := range []string{"Alice Smith", "alice@example.com", "the demonstration identity provider", ">alice<", samltest.FormatPersistent,
		w.demo.idp.EntityID, "Account key"} {
		assert.Contains(t, p.Body, want)
	}

	// The session has a new name after each login, and the old one is worth nothing.
	first := w.sessionCookie()
	require.NotEmpty(t, first)
	w.submit(w.get(w.loginLink("/", ""))) // single sign-on: no password
	second := w.sessionCookie()
	assert.NotEqual(t, first, second)
	request, err := http.NewRequest(http.MethodGet, w.demo.app.baseURL+"/", nil)
	require.NoError(t, err)
	request.AddCookie(&http.Cookie{Name: "session", Value: first})
	assert.Contains(t, w.page(http.DefaultClient.Do(request)).Body, "You are not signed in")

	p = w.submit(w.get("/"))
	assert.Contains(t, p.Body, "You are not signed in")
	assert.Empty(t, w.sessionCookie())
}

// TestSingleLogout: whoever signs out here is signed out at the identity provider, and the other way round, in every browser.
func TestSingleLogout(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	signedIn := func() bool { return strings.Contains(w.get("/").Body, "You are signed in") }
	idpHome := strings.TrimSuffix(w.demo.idp.SSOURL, "sso")
	w.signIn(w.get(w.loginLink("/", "")), "alice")
	require.True(t, signedIn())
	p := w.submit(w.get("/"))
	assert.Equal(t, w.demo.app.baseURL+"/", p.URL.String())
	assert.False(t, signedIn())
	assert.NotContains(t, w.get(idpHome).Body, "Signed in as")
	assert.Contains(t, w.get(w.loginLink("/", "")).Body, "Password", "it asks again")

	w.signIn(w.get(w.loginLink("/", "")), "alice")
	require.True(t, signedIn())
	p = w.submit(w.get(idpHome)) // "Sign out" there
	assert.Equal(t, idpHome, p.URL.String())
	assert.False(t, signedIn())
	assert.Contains(t, w.journal.String(), "signed out by the identity provider")
	assert.NotContains(t, w.journal.String(), "refused")
}

func TestLoginByPOST(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.signIn(w.submit(w.get(w.loginLink("/", "post"))), "alice")
	assert.Contains(t, p.Body, "Alice Smith")
}

func TestDeepLink(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.get("/login-required?page=7&x=%22%3E")
	assert.Contains(t, p.Body, "for people who are signed in")
	links := strings.Split(p.Body, `href="`)
	var link string
	for _, l := range links[1:] {
		if l, _, _ = strings.Cut(l, `"`); strings.Contains(l, "/sso/login?") {
			link = strings.ReplaceAll(l, "&amp;", "&")
			break
		}
	}
	require.NotEmpty(t, link, p.Body)
	p = w.signIn(w.get(link), "alice")
	assert.Equal(t, w.demo.app.baseURL+"/login-required?page=7&x=%22%3E", p.URL.String())
	assert.Contains(t, p.Body, "Hello <strong>Alice Smith</strong>")
}

func TestWrongPassword(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.submit(w.get(w.loginLink("/", "")), "username", "alice", "password", "guess")
	assert.Equal(t, http.StatusForbidden, p.Status)
	assert.Contains(t, w.get("/").Body, "You are not signed in")
	assert.Contains(t, w.signIn(p, "alice").Body, "Alice Smith")
}

func TestOddNames(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.signIn(w.get(w.loginLink("/", "")), "bob")
	assert.Contains(t, p.Body, "Bob &#34;Bobby&#34; &amp; Co O&#39;Søren &lt;b&gt;")
	assert.NotContains(t, p.Body, "<b>")
}

// TestLocalUsers: alice is known, and bob is made by his first login.
func TestLocalUsers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	assert.Contains(t, w.signIn(w.get(w.loginLink("/", "")), "alice").Body, "administrator")
	assert.Contains(t, w.journal.String(), "created=false")
	w.client = newBrowser(t)
	assert.Contains(t, w.signIn(w.get(w.loginLink("/", "")), "bob").Body, "member")
	assert.Contains(t, w.journal.String(), "created=true")
}

// TestIdPInitiated: nobody is asked unless somebody else is signed in.
func TestIdPInitiated(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	start := strings.TrimSuffix(w.demo.idp.SSOURL, "sso") + "start?" +
		url.Values{"sp": {w.demo.app.sp.EntityID()}, "RelayState": {"/login-required?page=1"}}.Encode()
	p := w.signIn(w.get(start), "alice")
	assert.Equal(t, w.demo.app.baseURL+"/login-required?page=1", p.URL.String())
	assert.Contains(t, p.Body, "Alice Smith")
	assert.Equal(t, "/login-required", w.submit(w.get(start)).URL.Path, "the same user once more")

	// The same browser forgets the identity provider's session, and somebody signs in there as bob.
	sso, err := url.Parse(w.demo.idp.SSOURL)
	require.NoError(t, err)
	w.client.Jar.SetCookies(sso, []*http.Cookie{{Name: "samltest_idp", Path: "/", MaxAge: -1}})
	p = w.signIn(w.get(start), "bob")
	assert.Equal(t, "/continue", p.URL.Path)
	assert.Contains(t, w.get("/").Body, "Alice Smith")
	p = w.submit(p)
	assert.Equal(t, "/login-required", p.URL.Path)
	assert.Contains(t, p.Body, "Bobby")
	assert.Equal(t, "/", w.get("/continue").URL.Path, "an offer is good for once")
}

// TestOtherSites: a form on another site does nothing.
func TestOtherSites(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.signIn(w.get(w.loginLink("/", "")), "alice")
	for _, path := range []string{"/sso/logout", "/logout", "/continue"} {
		request, err := http.NewRequest(http.MethodPost, w.demo.app.baseURL+path, nil)
		require.NoError(t, err)
		request.Header.Set("Sec-Fetch-Site", "cross-site")
		assert.Contains(t, []int{http.StatusForbidden, http.StatusBadRequest}, w.page(w.client.Do(request)).Status)
	}
	assert.Contains(t, w.get("/").Body, "Alice Smith")
}

// TestRefusal: the user gets a reference, the log the reason under it, and neither a personal datum.
func TestRefusal(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.submit(w.get(w.loginLink("/", "")), "username", "alice", "password", "password")
	form := p.Forms()[0]
	w.client = newBrowser(t) // another browser takes the answer, asks for its cookie, and has none
	p = w.submit(w.page(w.client.PostForm(form.Action, form.Fields)))
	assert.Equal(t, http.StatusForbidden, p.Status)
	_, rest, found := strings.Cut(p.Body, "Reference: ")
	require.True(t, found, p.Body)
	assert.Contains(t, w.journal.String(), "reference="+rest[:10])
	assert.Contains(t, w.journal.String(), "reason=browser_mismatch")
	assert.NotContains(t, w.journal.String(), "alice")
}

func TestMetadataOfAnotherIdP(t *testing.T) {
	t.Parallel()
	idp, err := samltest.New(samltest.Options{SSOURL: "https://idp.example.org/sso"})
	require.NoError(t, err)
	file := write(t, idp.Metadata())
	w := newWorld(t, "-no-demo-idp", "-idp-metadata", file)
	assert.Contains(t, w.get("/").Body, "Sign in with "+idp.EntityID)

	require.NoError(t, idp.AddSPMetadata([]byte(w.get("/sso/metadata").Body)))
	answer := idp.Answer(samltest.Request{SPEntityID: w.demo.app.sp.EntityID(), ACSURL: w.demo.app.baseURL + "/sso/acs"})
	p := w.page(w.client.PostForm(answer.ACSURL, answer.Form()))
	assert.Contains(t, p.Body, "Alice Smith")
}

func TestNoIdP(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "-no-demo-idp")
	assert.Contains(t, w.get("/").Body, "-idp-metadata FILE")
	p := w.get("/sso/metadata")
	assert.Equal(t, http.StatusOK, p.Status)
	assert.Contains(t, p.Body, "EntityDescriptor")
	assert.Equal(t, http.StatusNotFound, w.get("/nowhere").Status)
	assert.Equal(t, http.StatusOK, w.get("/style.css").Status)
}

func write(t *testing.T, text []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, text, 0o600))
	return file
}

// TestKey signs requests with keys in each form that files have.
func TestKey(t *testing.T) {
	t.Parallel()
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(ecKey)
	require.NoError(t, err)
	sec1, err := x509.MarshalECPrivateKey(ecKey)
	require.NoError(t, err)
	template := &x509.Certificate{}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, rsaKey.Public(), rsaKey)
	require.NoError(t, err)
	block := func(kind string, der []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}) }
	for name, text := range map[string][]byte{
		"PKCS#1": append(block("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rsaKey)), block("CERTIFICATE", certificate)...),
		"PKCS#8": block("PRIVATE KEY", pkcs8),
		"SEC 1":  block("EC PRIVATE KEY", sec1),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, "-key", write(t, text))
			assert.Contains(t, w.get("/sso/metadata").Body, `use="signing"`)
			w.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
			assert.Contains(t, w.get(w.loginLink("/", "")).Header.Get("Location"), "&Signature=")
		})
	}
}

// TestAttacks throws every forgery at the application, of which none may get in.
func TestAttacks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	samltest.Target{IdP: w.demo.idp, Handler: w.demo.app.handler(), IdPInitiated: true}.Run(t)
}

// TestMistakes: each is one clear sentence.
func TestMistakes(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	noKey, noMetadata := write(t, []byte("no key")), write(t, []byte("no metadata"))
	idp, err := samltest.New(samltest.Options{})
	require.NoError(t, err)
	metadata := write(t, idp.Metadata())
	const anywhere = "127.0.0.1:0"
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"-brew"}, "-brew"},
		{[]string{"tea"}, `unexpected argument "tea"`},
		{[]string{"-addr", "here"}, `-addr: "here" is not an address`},
		{[]string{"-addr", taken.Addr().String()}, "address already in use); choose another address with -addr"},
		{[]string{"-addr", anywhere, "-idp-addr", taken.Addr().String()}, "choose another address with -idp-addr"},
		{[]string{"-addr", anywhere, "-no-demo-idp", "-key", "nowhere.pem"}, "nowhere.pem"},
		{[]string{"-addr", anywhere, "-no-demo-idp", "-key", noKey}, "no private key"},
		{[]string{"-addr", anywhere, "-no-demo-idp", "-idp-metadata", "nowhere.xml"}, "nowhere.xml"},
		{[]string{"-addr", anywhere, "-no-demo-idp", "-idp-metadata", noMetadata}, "metadata"},
		{[]string{"-addr", anywhere, "-no-demo-idp", "-idp-metadata", metadata, "-idp-metadata", metadata}, "already"},
		{[]string{"-addr", anywhere, "-no-demo-idp", "-base-url", "http://app.example.com"}, "BaseURL"},
		{[]string{"-addr", anywhere, "-no-demo-idp", "-base-url", "https://app.example.com/x"}, "without path"},
	} {
		err := run(t.Context(), tt.args, io.Discard, slog.New(slog.DiscardHandler))
		require.Error(t, err, tt.args)
		assert.Contains(t, err.Error(), tt.want)
		assert.NotContains(t, err.Error(), "\n")
	}
	var out strings.Builder
	assert.ErrorIs(t, run(t.Context(), []string{"-h"}, &out, slog.New(slog.DiscardHandler)), flag.ErrHelp)
	assert.Contains(t, out.String(), "-idp-metadata file")
}

// TestRun says where to go, and ends when it is told to.
func TestRun(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	out, in := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		ended <- run(ctx, []string{"-addr", "127.0.0.1:0", "-idp-addr", "127.0.0.1:0"}, in, slog.New(slog.DiscardHandler))
		in.Close()
	}()
	text := make([]byte, 4096)
	n, err := out.Read(text)
	require.NoError(t, err)
	assert.Contains(t, string(text[:n]), "The application is at http://127.0.0.1:")
	go io.Copy(io.Discard, out)
	cancel()
	assert.NoError(t, <-ended)
}
