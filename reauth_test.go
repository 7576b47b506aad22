package saml_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml"
	"github.com/logintrust/saml/samltest"
)

func TestVisit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ended := w.trust()
	for _, c := range []struct {
		name string
		r    *http.Request
		want saml.Visit
	}{
		{"a page", getRequest("/a", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document", "Accept", "text/html,application/json"), saml.Visit{Read: true}},
		{"an old browser", getRequest("/a", "Accept", "text/html, */*"), saml.Visit{Read: true}},
		{"nothing said", getRequest("/a"), saml.Visit{Read: true}},
		{"fetch", getRequest("/a", "Sec-Fetch-Mode", "cors", "Accept", "text/html"), saml.Visit{Read: true, Script: true}},
		{"an image", getRequest("/a", "Sec-Fetch-Mode", "no-cors"), saml.Visit{Read: true, Script: true}},
		{"a frame", getRequest("/a", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "iframe"), saml.Visit{Read: true, Script: true}},
		{"JSON", getRequest("/a", "Accept", "application/json"), saml.Visit{Read: true, Script: true}},
		{"JSON among others", getRequest("/a", "Accept", "text/plain;q=0.5, Application/JSON;q=0.9"), saml.Visit{Read: true, Script: true}},
		{"no JSON", getRequest("/a", "Accept", ";;,application/jsonp,/"), saml.Visit{Read: true}},
		{"break-glass", getRequest("/a?x=1&sso=off"), saml.Visit{Read: true, SSOOff: true}},
		{"no break-glass", getRequest("/a?sso=on"), saml.Visit{Read: true}},
		{"a form", httptest.NewRequest(http.MethodPost, "/a", nil), saml.Visit{}},
	} {
		assert.Equal(t, c.want, w.sp.Visit(c.r, nil), c.name)
	}
	assert.Same(t, &ended, w.sp.Visit(getRequest("/a"), &ended).Ended)
}

// At most one automatic redirect in ten seconds, whatever comes back.
//
// req: SA-02 LT-12 LT-22
func TestStartAutomatic(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(t *saml.LoginTrust, _ *saml.Config) {
		t.PassPageVariables, t.PageVariables = true, []string{"id", "tab"}
	})
	page := "https://sp.example.com/chart?id=7&tab=2&name=Smith"
	w := httptest.NewRecorder()
	require.NoError(t, s.sp.StartAutomatic(w, getRequest(page), s.trust(), saml.StartOptions{}))
	assert.Equal(t, http.StatusSeeOther, w.Code)
	location := w.Header().Get("Location")
	assert.True(t, strings.HasPrefix(location, s.trust().LoginURL+"?id=7&tab=2&SAMLRequest="), location)
	assert.NotContains(t, location, "Smith")
	var mark *http.Cookie
	for _, c := range w.Result().Cookies() {
		if c.Name == "__Host-saml-pause" {
			mark = c
		}
	}
	require.NotNil(t, mark)
	assert.True(t, mark.Secure && mark.HttpOnly && mark.Path == "/" && mark.Domain == "" && mark.MaxAge == 10 && mark.SameSite == http.SameSiteLaxMode)

	again := func(value string) error {
		r := getRequest(page)
		r.AddCookie(&http.Cookie{Name: "__Host-saml-pause", Value: value})
		assert.Equal(t, s.sp.Visit(r, nil).Paused, errors.Is(s.sp.StartAutomatic(httptest.NewRecorder(), r, s.trust(), saml.StartOptions{}), saml.ErrPaused))
		return s.sp.StartAutomatic(httptest.NewRecorder(), r, s.trust(), saml.StartOptions{})
	}
	require.ErrorIs(t, again(mark.Value), saml.ErrPaused)
	for _, forged := range []string{"", "x", "1", "-1", "99999999999", "999999999999999999999999", "-9223372036854775808", "9223372036854775807", mark.Value + "0"} {
		assert.NoError(t, again(forged), "a mark that is none stops nothing: %q", forged)
	}
	s.now = s.now.Add(9 * time.Second)
	require.ErrorIs(t, again(mark.Value), saml.ErrPaused)
	s.now = s.now.Add(time.Second)
	require.NoError(t, again(mark.Value))

	// The way back leads to the page, query included.
	b := s.browser()
	w = httptest.NewRecorder()
	require.NoError(t, s.sp.StartAutomatic(w, getRequest("/chart?id=7"), s.trust(), saml.StartOptions{}))
	for _, c := range w.Result().Cookies() {
		b.cookies[c.Name] = c
	}
	resp, _ := b.post(s.idp.Answer(mustRequest(t, w.Header().Get("Location"))))
	assert.Equal(t, "/chart?id=7", resp.Header.Get("Location"))

	stripped := getRequest("/chart")
	stripped.RequestURI = "/app/chart?id=8"
	for target, r := range map[string]*http.Request{"/app/chart?id=8": stripped, "/": getRequest("//evil.net/x"), "/x": getRequest("https://evil.net/x")} {
		b := s.browser()
		w := httptest.NewRecorder()
		require.NoError(t, s.sp.StartAutomatic(w, r, s.trust(), saml.StartOptions{}))
		for _, c := range w.Result().Cookies() {
			b.cookies[c.Name] = c
		}
		resp, _ := b.post(s.idp.Answer(mustRequest(t, w.Header().Get("Location"))))
		assert.Equal(t, target, resp.Header.Get("Location"))
	}
}

func TestPauseOnTheLoopback(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(_ *saml.LoginTrust, c *saml.Config) { c.BaseURL = "http://127.0.0.1:8080" })
	rec := httptest.NewRecorder()
	w.sp.Pause(rec)
	cookie := rec.Result().Cookies()[0]
	assert.Equal(t, "saml-pause", cookie.Name)
	assert.False(t, cookie.Secure)
	r := getRequest("/")
	r.AddCookie(cookie)
	assert.True(t, w.sp.Visit(r, nil).Paused)
}

// A refused login is shown, and not tried again at once.
func TestErrorsPause(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.browser()
	b.get("https://sp.example.com/sso/login?entityID=unknown")
	assert.NotNil(t, b.cookies["__Host-saml-pause"])
}

// checkScriptPage sees that a page runs its own script and nothing else, and says its text without it.
func checkScriptPage(t *testing.T, resp *http.Response, text string) (body string) {
	t.Helper()
	body = read(resp)
	script := regexp.MustCompile(`(?s)<script>(.*)</script>`).FindStringSubmatch(body)
	require.NotNil(t, script)
	sum := sha256.Sum256([]byte(script[1]))
	csp := resp.Header.Get("Content-Security-Policy")
	assert.Equal(t, "default-src 'none'; script-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+
		"'; base-uri 'none'; frame-ancestors 'none'; form-action 'none'", csp)
	assert.Equal(t, "no-cache, no-store", resp.Header.Get("Cache-Control"))
	assert.Equal(t, "DENY", resp.Header.Get("X-Frame-Options"))
	assert.Equal(t, "nosniff", resp.Header.Get("X-Content-Type-Options"))
	assert.Equal(t, "no-referrer", resp.Header.Get("Referrer-Policy"))
	assert.Contains(t, strings.ReplaceAll(body, script[0], ""), text)
	assert.NotRegexp(t, ` on[a-z]+=`, body)
	return body
}

// A whole round in a pop-up window.
//
// req: LT-22
func TestPopup(t *testing.T) {
	t.Parallel()
	for _, initiation := range []func(*saml.LoginTrust, *saml.Config){func(*saml.LoginTrust, *saml.Config) {}, byIdP} {
		s := newSite(t, initiation, func(t *saml.LoginTrust, _ *saml.Config) { t.StripQuestionMark = true })
		w := httptest.NewRecorder()
		s.sp.WriteSessionEnded(w, s.trust())
		assert.Equal(t, http.StatusUnauthorized, w.Code)
		body := checkScriptPage(t, w.Result(), "Your session has ended")
		link := s.sp.PopupLink(s.trust())
		assert.Contains(t, body, `href="`+strings.ReplaceAll(link, "&", "&amp;")+`" target="_blank" rel="opener"`)
		assert.Contains(t, body, `data-origin="https://sp.example.com"`)
		assert.Contains(t, body, "e.origin!==document.body.dataset.origin")
		assert.NotContains(t, body, "pathname", "of https://sp.example.com//evil.net/ it is another host")

		b := s.browser()
		resp := b.get(link)
		require.Equal(t, http.StatusSeeOther, resp.StatusCode)
		answer := s.unsolicited()
		if s.trust().Initiation == saml.InitiatedBySP {
			answer = s.idp.Answer(mustRequest(t, resp.Header.Get("Location")))
		} else {
			u, err := url.Parse(resp.Header.Get("Location"))
			require.NoError(t, err)
			answer.RelayState = u.Query().Get("TargetResource")
		}
		resp, _ = b.post(answer)
		require.Equal(t, http.StatusSeeOther, resp.StatusCode)
		assert.True(t, s.last.Load().Popup())
		// A host that has not looked who it is gets the page that reloads.
		resp = b.get("https://sp.example.com" + resp.Header.Get("Location"))
		assert.Equal(t, http.StatusOK, resp.StatusCode)
		body = checkScriptPage(t, resp, "You may close this window")
		assert.Contains(t, body, `data-origin="https://sp.example.com" data-type="sso-other-user"`)
		assert.Contains(t, body, "postMessage({type:d.type},d.origin)")
		assert.NotContains(t, body, `"*"`)
		w = httptest.NewRecorder()
		s.sp.FinishPopup(w, true)
		assert.Contains(t, checkScriptPage(t, w.Result(), "You may close this window"), `data-type="sso-done"`)
	}
	login, err := newWorld(t).login()
	assert.False(t, accepted(t, login, err).Popup())
}

func TestSameUser(t *testing.T) {
	t.Parallel()
	alice := saml.Subject{Issuer: "https://idp", NameID: saml.NameID{Value: "alice", Format: saml.NameIDPersistent}, SPEntityID: "https://sp"}
	assert.True(t, alice.SameUser(alice))
	for _, change := range []func(*saml.Subject){func(s *saml.Subject) { s.Issuer = "https://other" }, func(s *saml.Subject) { s.NameID.Value = "Alice" },
		func(s *saml.Subject) { s.NameID.Format = saml.NameIDEmail }, func(s *saml.Subject) { s.NameID.NameQualifier = "q" }, func(s *saml.Subject) { s.SPEntityID = "https://other" },
		func(s *saml.Subject) { s.SPEntityID = "" }, func(s *saml.Subject) { s.Issuer = "" }, func(s *saml.Subject) { *s = saml.Subject{} }} {
		other := alice
		change(&other)
		assert.False(t, alice.SameUser(other))
		assert.False(t, other.SameUser(alice))
	}
	nobody := saml.Subject{}
	assert.False(t, nobody.SameUser(nobody), "two who are not known are not the same")
	alice.NameID.Format = saml.NameIDTransient
	assert.False(t, alice.SameUser(alice))
}

// req: LT-22
func TestWriteUnauthorized(t *testing.T) {
	t.Parallel()
	world := newWorld(t)
	trust := world.trust()
	for want, trust := range map[string]*saml.LoginTrust{"https://sp.example.com/": nil, world.sp.PopupLink(trust): &trust} {
		w := httptest.NewRecorder()
		world.sp.WriteUnauthorized(w, trust)
		assert.Equal(t, http.StatusUnauthorized, w.Code)
		assert.Equal(t, "application/json", w.Header().Get("Content-Type"))
		assert.Equal(t, "no-cache, no-store", w.Header().Get("Cache-Control"))
		var body map[string]string
		require.NoError(t, json.Unmarshal(w.Body.Bytes(), &body))
		assert.Equal(t, map[string]string{"error": "session_expired", "login_url": want}, body)
	}
}

// req: LT-16 LT-28 LT-36 LT-39
func TestFinishLogout(t *testing.T) {
	t.Parallel()
	world := newWorld(t)
	finish := func(change func(*saml.LoginTrust)) *http.Response {
		trust := world.trust()
		trust.Description = `St <Mary>`
		change(&trust)
		w := httptest.NewRecorder()
		world.sp.FinishLogout(w, trust)
		assert.Equal(t, "__Host-saml-pause", w.Result().Cookies()[0].Name)
		return w.Result()
	}
	for want, change := range map[string]func(*saml.LoginTrust){
		world.trust().LoginURL:              func(*saml.LoginTrust) {},
		"https://idp.example.com/out?a=%2f": func(t *saml.LoginTrust) { t.LogoutURL = "https://idp.example.com/out?a=%2f" },
		"/":                                 func(t *saml.LoginTrust) { t.LoginURL = "" },
	} {
		resp := finish(change)
		assert.Equal(t, http.StatusSeeOther, resp.StatusCode)
		assert.Equal(t, want, resp.Header.Get("Location"))
	}
	assert.Equal(t, "/", finish(func(t *saml.LoginTrust) { t.LogoutURL = "javascript:alert(1)" }).Header.Get("Location"), "a trust that was not checked")
	resp := finish(func(t *saml.LoginTrust) { t.CloseOnLogout, t.LogoutURL = true, "https://idp.example.com/out" })
	assert.Equal(t, http.StatusOK, resp.StatusCode)
	body := checkScriptPage(t, resp, "You may close this window")
	assert.Contains(t, body, "window.close()")
	assert.Contains(t, body, `<a href="https://idp.example.com/out">St &lt;Mary&gt;</a>`)
}

// A subject that a session has kept is the same as on the day of the login: its account key, and whom a step-up is about.
func TestStoredSubject(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	persistent := func(a *samltest.Answer) {
		a.Assertion().Subject.NameID = &samltest.NameID{Value: "u1", Format: samltest.FormatPersistent}
	}
	login, err := w.login(persistent)
	subject := accepted(t, login, err).Subject()
	text, err := json.Marshal(subject)
	require.NoError(t, err)
	var stored saml.Subject
	require.NoError(t, json.Unmarshal(text, &stored))
	key, err := subject.AccountKey()
	require.NoError(t, err)
	again, err := stored.AccountKey()
	require.NoError(t, err)
	assert.Equal(t, key, again)
	assert.True(t, stored.SameUser(subject))
	byHand := saml.Subject{Issuer: subject.Issuer, NameID: subject.NameID}
	for _, same := range []saml.Subject{stored, byHand} {
		login, err = w.loginAsking(saml.StartOptions{ForceAuthn: true, SameSubject: &same}, persistent)
		accepted(t, login, err)
	}
	for _, part := range []saml.Subject{byHand, {NameID: subject.NameID, SPEntityID: subject.SPEntityID}} {
		_, err = part.AccountKey()
		assert.ErrorIs(t, err, saml.ErrNoAccountKey, "a part of a subject has no key rather than another")
	}
}
