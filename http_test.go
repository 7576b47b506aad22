package saml_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml"
	"github.com/logintrust/saml/samltest"
)

// A site is a world behind its handler, as browsers see it.
type site struct {
	*world
	handler  http.Handler
	logins   atomic.Int32
	last     atomic.Pointer[saml.Login]
	refusals atomic.Pointer[saml.Error]
}

func newSite(t testing.TB, change ...func(*saml.LoginTrust, *saml.Config)) *site {
	t.Helper()
	s := &site{}
	change = append(change, func(_ *saml.LoginTrust, c *saml.Config) {
		c.OnRefusal = func(_ context.Context, _ *http.Request, reference string, err *saml.Error) {
			assert.NotEmpty(t, reference)
			s.refusals.Store(err)
		}
	})
	s.world = newWorld(t, change...)
	s.handler = s.sp.Handler(func(w http.ResponseWriter, r *http.Request, login *saml.Login) {
		s.logins.Add(1)
		s.last.Store(login)
		http.Redirect(w, r, login.ReturnTo(), http.StatusSeeOther)
	})
	return s
}

func (s *site) reason() saml.Reason {
	if e := s.refusals.Load(); e != nil {
		return e.Reason
	}
	return ""
}

// A jar is one browser's cookies for the site. A browser that keeps SameSite cookies back sends them only with posts from
// the site's own pages.
type jar struct {
	s         *site
	cookies   map[string]*http.Cookie
	keepsBack bool
}

func (s *site) browser() *jar { return &jar{s: s, cookies: map[string]*http.Cookie{}} }

func (j *jar) do(r *http.Request, crossSite bool) *http.Response {
	if !(crossSite && r.Method == http.MethodPost && j.keepsBack) {
		for _, c := range j.cookies {
			r.AddCookie(c)
		}
	}
	w := httptest.NewRecorder()
	j.s.handler.ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		j.cookies[c.Name] = c
	}
	return w.Result()
}

func (j *jar) get(target string) *http.Response {
	return j.do(httptest.NewRequest(http.MethodGet, target, nil), false)
}

// start begins a login and returns the request as the IdP sees it.
func (j *jar) start(query string) samltest.Request {
	j.s.t.Helper()
	resp := j.get("https://sp.example.com/sso/login?entityID=" + url.QueryEscape(j.s.idp.EntityID) + query)
	require.Equal(j.s.t, http.StatusSeeOther, resp.StatusCode)
	request, err := samltest.ParseRequestURL(resp.Header.Get("Location"))
	require.NoError(j.s.t, err)
	return request
}

func formRequest(target string, form url.Values) *http.Request {
	r := httptest.NewRequest(http.MethodPost, target, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r
}

// post delivers an answer as a page of the IdP does, and takes the hop if there is one.
func (j *jar) post(answer *samltest.Answer) (resp *http.Response, body string) {
	j.s.t.Helper()
	resp = j.do(formRequest("https://sp.example.com/sso/acs", answer.Form()), true)
	body = read(resp)
	if resp.StatusCode == http.StatusOK && strings.Contains(body, `name="hop"`) {
		form := answer.Form()
		form.Set("hop", "1")
		resp = j.do(formRequest("https://sp.example.com/sso/acs", form), false)
		body = read(resp)
	}
	return resp, body
}

func read(resp *http.Response) string {
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// req: IIP-SP09 SE-COOKIE PO-COOKIE BIND-3.4.5 BIND-3.4.5.1 II-CSRF
func TestHandlerLogin(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.browser()
	request := b.start("&target=" + url.QueryEscape("/a/b?x=1"))
	cookie := b.cookies["__Host-saml-browser"]
	require.NotNil(t, cookie)
	assert.True(t, cookie.Secure && cookie.HttpOnly)
	assert.Equal(t, "/", cookie.Path)
	assert.Equal(t, http.SameSiteNoneMode, cookie.SameSite)
	resp, _ := b.post(s.idp.Answer(request))
	assert.Equal(t, http.StatusSeeOther, resp.StatusCode)
	assert.Equal(t, "/a/b?x=1", resp.Header.Get("Location"))
	assert.Equal(t, "no-cache, no-store", resp.Header.Get("Cache-Control"))
	assert.Equal(t, int32(1), s.logins.Load())
}

// req: II-CSRF PO-COOKIE
func TestTwoBrowsers(t *testing.T) {
	t.Parallel()
	for _, keepsBack := range []bool{false, true} {
		s := newSite(t)
		a, b := s.browser(), s.browser()
		a.keepsBack, b.keepsBack = keepsBack, keepsBack
		answer := s.idp.Answer(a.start(""))

		resp, body := b.post(answer) // a browser that never began a login
		assert.Equal(t, http.StatusForbidden, resp.StatusCode)
		assert.Equal(t, saml.BrowserMismatch, s.reason())
		assert.NotContains(t, body, "browser_mismatch")

		b.start("") // one that began another
		resp, _ = b.post(answer)
		assert.Equal(t, http.StatusForbidden, resp.StatusCode)
		assert.Equal(t, saml.BrowserMismatch, s.reason())
		assert.Zero(t, s.logins.Load())

		resp, _ = a.post(answer)
		assert.Equal(t, http.StatusSeeOther, resp.StatusCode)
		assert.Equal(t, int32(1), s.logins.Load())
	}
}

func TestTwoTabs(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.browser()
	first, second := b.start("&target=/one"), b.start("&target=/two")
	resp, _ := b.post(s.idp.Answer(first))
	assert.Equal(t, "/one", resp.Header.Get("Location"))
	resp, _ = b.post(s.idp.Answer(second))
	assert.Equal(t, "/two", resp.Header.Get("Location"))
	assert.Equal(t, int32(2), s.logins.Load())
}

// req: BIND-3.5.5.2-swap
func TestSwappedRelayState(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.browser()
	first, second := b.start("&target=/one"), b.start("&target=/two")
	one, two := s.idp.Answer(first), s.idp.Answer(second)
	one.RelayState, two.RelayState = two.RelayState, one.RelayState
	resp, _ := b.post(one)
	assert.Equal(t, "/one", resp.Header.Get("Location"))
	resp, _ = b.post(two)
	assert.Equal(t, "/two", resp.Header.Get("Location"))
}

func TestDoubleSubmitAndBackButton(t *testing.T) {
	t.Parallel()
	for _, keepsBack := range []bool{false, true} {
		s := newSite(t)
		b := s.browser()
		b.keepsBack = keepsBack
		answer := s.idp.Answer(b.start("&target=/inbox"))
		for range 3 {
			resp, _ := b.post(answer)
			assert.Equal(t, http.StatusSeeOther, resp.StatusCode)
			assert.Equal(t, "/inbox", resp.Header.Get("Location"))
		}
		assert.Equal(t, int32(1), s.logins.Load(), "the callback runs once")

		thief := s.browser()
		thief.keepsBack = keepsBack
		resp, _ := thief.post(answer)
		assert.Equal(t, http.StatusForbidden, resp.StatusCode)
		assert.Equal(t, saml.Replayed, s.reason())
		thief.start("")
		resp, _ = thief.post(answer)
		assert.Equal(t, http.StatusForbidden, resp.StatusCode)
		assert.Equal(t, saml.Replayed, s.reason())
	}
}

func TestUnsolicitedTwice(t *testing.T) {
	t.Parallel()
	s := newSite(t, allowIdPInitiated)
	b := s.browser()
	answer := s.unsolicited()
	resp, _ := b.post(answer)
	assert.Equal(t, http.StatusSeeOther, resp.StatusCode)
	resp, body := b.post(answer)
	assert.Equal(t, http.StatusForbidden, resp.StatusCode)
	assert.Contains(t, body, "already used")
	assert.Contains(t, body, `href="/"`)
}

// An ACS POST is never answered with a new request to the IdP, which would loop.
func TestACSNeverStartsALogin(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for _, edit := range []func(*samltest.Answer){
		func(a *samltest.Answer) { a.Sign = samltest.SignNothing },
		func(a *samltest.Answer) { a.Assertion().Statements[0].SessionNotOnOrAfter = at(-time.Hour) },
		func(a *samltest.Answer) { a.InResponseTo = "_unknown" },
		func(a *samltest.Answer) { a.Status.Code = samltest.Responder },
	} {
		b := s.browser()
		answer := s.idp.Answer(b.start(""))
		edit(answer)
		resp, body := b.post(answer)
		assert.Equal(t, http.StatusForbidden, resp.StatusCode)
		assert.Empty(t, resp.Header.Get("Location"))
		assert.NotContains(t, body, "SAMLRequest")
	}
}

// req: BIND-3.5.4-submit BIND-3.5.4-extra
func TestPostNeedsNothingElse(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.browser()
	form := s.idp.Answer(b.start("")).Form()
	form.Set("continue", "Go")
	form.Del("RelayState")
	r := formRequest("https://sp.example.com/sso/acs", form)
	r.Header.Set("Origin", "null")
	resp := b.do(r, true)
	assert.Equal(t, http.StatusSeeOther, resp.StatusCode)
}

// Middleware that has parsed the form before us does no harm.
func TestFormThatWasParsed(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.browser()
	r := formRequest("https://sp.example.com/sso/acs?SAMLResponse=other", s.idp.Answer(b.start("")).Form())
	require.NoError(t, r.ParseForm())
	assert.Equal(t, http.StatusSeeOther, b.do(r, true).StatusCode)
}

// req: PO-METHOD PROF-4.1.2-noredir PO-B64 RS-LONGIN
func TestBadForms(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	good := func() url.Values { return s.idp.Answer(s.browser().start("")).Form() }
	const acs = "https://sp.example.com/sso/acs"
	twice := good()
	twice["SAMLResponse"] = append(twice["SAMLResponse"], twice["SAMLResponse"][0])
	relayTwice := good()
	relayTwice["RelayState"] = []string{"a", "b"}
	longRelay := good()
	longRelay.Set("RelayState", strings.Repeat("a", 1<<20))
	hopTwice := good()
	hopTwice["hop"] = []string{"1", "1"}
	torn := formRequest(acs, good())
	torn.Body = io.NopCloser(io.MultiReader(torn.Body, iotest.ErrReader(io.ErrUnexpectedEOF)))
	torn.ContentLength = -1
	badField := formRequest(acs, nil)
	badField.Body = io.NopCloser(strings.NewReader(good().Encode() + "&x=%zz"))
	multipart := formRequest(acs, good())
	multipart.Header.Set("Content-Type", "multipart/form-data; boundary=x")
	oddType := formRequest(acs, good())
	oddType.Header.Set("Content-Type", "application/x-www-form-urlencoded; =x")
	untyped := formRequest(acs, good())
	untyped.Header.Del("Content-Type")
	for _, c := range []struct {
		name   string
		r      *http.Request
		status int
		reason saml.Reason
	}{
		{"GET", httptest.NewRequest(http.MethodGet, acs+"?"+good().Encode(), nil), 405, saml.BadRequest},
		{"query", formRequest(acs+"?"+good().Encode(), url.Values{}), 400, saml.BadRequest},
		{"empty form", formRequest(acs, url.Values{}), 400, saml.BadRequest},
		{"twice", formRequest(acs, twice), 400, saml.BadRequest},
		{"relay state twice", formRequest(acs, relayTwice), 400, saml.BadRequest},
		{"relay state of a megabyte", formRequest(acs, longRelay), 413, saml.TooLarge},
		{"hop twice", formRequest(acs, hopTwice), 400, saml.BadRequest},
		{"torn off behind the last field", torn, 400, saml.BadRequest},
		{"a field beside it that is badly escaped", badField, 400, saml.BadRequest},
		{"multipart", multipart, 400, saml.BadRequest},
		{"a content type that cannot be read", oddType, 400, saml.BadRequest},
		{"no content type", untyped, 400, saml.BadRequest},
		{"not base64", formRequest(acs, url.Values{"SAMLResponse": {"!!!"}}), 403, saml.BadResponse},
		{"empty", formRequest(acs, url.Values{"SAMLResponse": {""}}), 403, saml.BadResponse},
		{"not XML", formRequest(acs, url.Values{"SAMLResponse": {"aGVsbG8="}}), 403, saml.BadResponse},
		{"bad escape", formRequest(acs, url.Values{}), 400, saml.BadRequest},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.name == "bad escape" {
				c.r.Body = io.NopCloser(strings.NewReader("SAMLResponse=%zz"))
			}
			resp := s.browser().do(c.r, true)
			assert.Equal(t, c.status, resp.StatusCode)
			assert.Equal(t, c.reason, s.reason())
		})
	}
}

// endless is a body that never ends; it counts what is read of it.
type endless struct{ read int64 }

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'A'
	}
	copy(p, "SAMLResponse=")
	e.read += int64(len(p))
	return len(p), nil
}

// req: PO-METHOD SE-LIMITS
func TestBodyOverTheLimitIsNotRead(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for _, length := range []int64{-1, 50 << 20} {
		body := &endless{}
		r := formRequest("https://sp.example.com/sso/acs", nil)
		r.Body, r.ContentLength = io.NopCloser(body), length
		resp := s.browser().do(r, true)
		assert.Equal(t, http.StatusRequestEntityTooLarge, resp.StatusCode)
		assert.Less(t, body.read, int64(6<<20))
	}
}

// req: ER-UNIFORM ER-XSS
func TestErrorPage(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	var bodies []string
	for _, edit := range []func(*samltest.Answer){
		func(a *samltest.Answer) { a.Bytes = replaceBytes("alice", "mallory") },
		func(a *samltest.Answer) {
			a.Issuer.Value, a.Assertion().Issuer.Value = "https://x.example.com", "https://x.example.com"
		},
		func(a *samltest.Answer) { a.Assertion().Conditions.Audiences = nil },
	} {
		b := s.browser()
		answer := s.idp.Answer(b.start(""))
		edit(answer)
		resp, body := b.post(answer)
		assert.Equal(t, http.StatusForbidden, resp.StatusCode)
		assert.Contains(t, resp.Header.Get("Content-Security-Policy"), "default-src 'none'")
		assert.Equal(t, "DENY", resp.Header.Get("X-Frame-Options"))
		i := strings.Index(body, "Reference: ")
		bodies = append(bodies, body[:i]+body[i+len("Reference: 0123456789"):])
	}
	assert.Equal(t, bodies[0], bodies[1])
	assert.Equal(t, bodies[0], bodies[2])

	b := s.browser()
	answer := s.idp.Refuse(b.start(""), samltest.Status{Code: samltest.Responder, Message: `<script>alert("x")</script>`})
	_, body := b.post(answer)
	assert.NotContains(t, body, "alert")
}

func TestHandlerServesWithAndWithoutPrefix(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(_ *saml.LoginTrust, c *saml.Config) { c.BaseURL = "https://sp.example.com/app/" })
	for path, status := range map[string]int{"/app/sso/metadata": 200, "/sso/metadata": 200, "/app/sso/other": 404, "/metadata": 404, "/": 404,
		"/app/sso/login?entityID=unknown": 403} {
		assert.Equal(t, status, s.browser().get("https://sp.example.com"+path).StatusCode, path)
	}
}

// req: SDP-SP06
func TestHostHeaderIsNotBelieved(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	r := httptest.NewRequest(http.MethodGet, "https://evil.example.net/sso/login?entityID="+url.QueryEscape(s.idp.EntityID), nil)
	r.Header.Set("X-Forwarded-Host", "evil.example.net")
	resp := s.browser().do(r, false)
	request, err := samltest.ParseRequestURL(resp.Header.Get("Location"))
	require.NoError(t, err)
	assert.Equal(t, "https://sp.example.com/sso/acs", request.ACSURL)
	metadata := s.browser().do(httptest.NewRequest(http.MethodGet, "https://evil.example.net/sso/metadata", nil), false)
	assert.NotContains(t, read(metadata), "evil")
}

func TestServeMetadata(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	resp := s.browser().get("https://sp.example.com/sso/metadata")
	assert.Equal(t, "application/samlmetadata+xml", resp.Header.Get("Content-Type"))
	body := []byte(read(resp))
	assert.True(t, bytes.Equal(s.sp.Metadata(), body))
	etag := resp.Header.Get("ETag")
	require.NotEmpty(t, etag)
	r := httptest.NewRequest(http.MethodGet, "https://sp.example.com/sso/metadata", nil)
	r.Header.Set("If-None-Match", etag)
	assert.Equal(t, http.StatusNotModified, s.browser().do(r, false).StatusCode)
	post := httptest.NewRequest(http.MethodPost, "https://sp.example.com/sso/metadata", nil)
	assert.Equal(t, http.StatusMethodNotAllowed, s.browser().do(post, false).StatusCode)
}

// req: BIND-3.5.4-names BIND-3.5.4-action BIND-3.5.4-escape BIND-3.5.4-xhtml PO-CSP BIND-3.5.5.1 SDP-SP03
func TestStartByPOST(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(t *saml.LoginTrust, _ *saml.Config) { t.LoginPostURL = "https://idp.example.com/sso?a=1&b=%22%3E" })
	b := s.browser()
	resp := b.get("https://sp.example.com/sso/login?binding=post&entityID=" + url.QueryEscape(s.idp.EntityID))
	require.Equal(t, http.StatusOK, resp.StatusCode)
	csp := resp.Header.Get("Content-Security-Policy")
	assert.Contains(t, csp, "default-src 'none'; script-src 'sha256-")
	assert.Contains(t, csp, "frame-ancestors 'none'")
	assert.Equal(t, "no-cache, no-store", resp.Header.Get("Cache-Control"))
	assert.Equal(t, "no-cache", resp.Header.Get("Pragma"))
	body := read(resp)
	assert.Contains(t, body, `<form method="post" action="https://idp.example.com/sso?a=1&amp;b=%22%3E">`)
	assert.Contains(t, body, `<button type="submit">Continue</button>`)
	assert.NotContains(t, body, "onload")
	page := &samltest.Page{Body: body}
	forms := page.Forms()
	require.Len(t, forms, 1)
	request, err := samltest.ParseForm(forms[0].Fields)
	require.NoError(t, err)
	answerResp, _ := b.post(s.idp.Answer(request))
	assert.Equal(t, http.StatusSeeOther, answerResp.StatusCode)
}
