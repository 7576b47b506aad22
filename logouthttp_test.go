package saml_test

import (
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml"
	"github.com/logintrust/saml/samltest"
)

// A leavingSite is a host with sessions, behind its handler.
type leavingSite struct {
	*site
	sessions *hostSessions
	current  *saml.LoginSession // of the browser
	ended    int                // sessions that the browser ended itself
}

func newLeavingSite(t testing.TB, change ...func(*saml.LoginTrust, *saml.Config)) *leavingSite {
	t.Helper()
	s := &leavingSite{sessions: &hostSessions{}}
	s.site = newSite(t, append([]func(*saml.LoginTrust, *saml.Config){func(_ *saml.LoginTrust, c *saml.Config) {
		c.Sessions, c.SigningKeys = s.sessions, []saml.KeyPair{{Signer: mustKey(t, "next-rsa2048")}}
		c.EndSession = func(http.ResponseWriter, *http.Request) (session saml.LoginSession, found bool, err error) {
			if s.current == nil {
				return session, false, nil
			}
			session, s.current = *s.current, nil
			s.ended++
			return session, true, nil
		}
	}}, change...)...)
	return s
}

// signIn logs the browser in.
func (s *leavingSite) signIn(b *jar) saml.LoginSession {
	s.t.Helper()
	b.post(s.idp.Answer(b.start("")))
	require.NotNil(s.t, s.last.Load())
	session := s.sessions.start(s.last.Load())
	s.current = &session
	return session
}

func ownLogout(fields url.Values, headers ...string) *http.Request {
	r := formRequest(sloURL, fields)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return r
}

// A whole logout from a button of ours: the session here ends first, whatever becomes of the rest.
//
// req: SDP-SP34 SDP-SP27 IIP-SP14 BIND-3.4.5 BIND-3.4.5.1 SL-PARTIAL
func TestHandlerLogout(t *testing.T) {
	t.Parallel()
	for _, byPOST := range []bool{false, true} {
		for _, keepsBack := range []bool{false, true} {
			s := newLeavingSite(t, func(t *saml.LoginTrust, _ *saml.Config) {
				if byPOST {
					t.SLOURL = ""
				}
			})
			b := s.browser()
			s.signIn(b)
			b.keepsBack = keepsBack
			resp := b.do(ownLogout(url.Values{"target": {"/bye"}}), false)
			assert.Equal(t, 1, s.ended)
			assert.Contains(t, resp.Header.Get("Cache-Control"), "no-store")
			assert.NotEmpty(t, resp.Header.Get("X-Frame-Options"))
			var got samltest.ReceivedLogout
			var err error
			if byPOST {
				assert.Equal(t, http.StatusOK, resp.StatusCode)
				body := read(resp)
				assert.Contains(t, body, "Signing you out")
				page := samltest.Page{URL: mustURL(sloURL), Body: body}
				got, err = samltest.ParseLogoutForm(page.Forms()[0].Fields)
			} else {
				assert.Equal(t, http.StatusSeeOther, resp.StatusCode)
				got, err = samltest.ParseLogoutURL(resp.Header.Get("Location"))
			}
			require.NoError(t, err)
			answer := s.idp.LogoutResponse(got, sloURL)
			if byPOST {
				resp = b.do(formRequest(sloURL, answer.Form()), true)
				if keepsBack {
					body := read(resp)
					require.Contains(t, body, `name="hop"`)
					form := answer.Form()
					form.Set("hop", "1")
					resp = b.do(formRequest(sloURL, form), false)
				}
			} else {
				resp = b.do(httptest.NewRequest(http.MethodGet, answer.URL(), nil), true)
			}
			assert.Equal(t, http.StatusSeeOther, resp.StatusCode)
			assert.Equal(t, "/bye", resp.Header.Get("Location"))
			assert.NotNil(t, b.cookies["__Host-saml-pause"])
			// Nobody is left who could be logged out once more.
			resp = b.do(ownLogout(nil), false)
			assert.Equal(t, "/", resp.Header.Get("Location"))
		}
	}
}

func mustURL(s string) *url.URL {
	u, err := url.Parse(s)
	if err != nil {
		panic(err)
	}
	return u
}

// The user is told when the identity provider did not do all of it.
//
// req: SL-PARTIAL
func TestHandlerLogoutOutcome(t *testing.T) {
	t.Parallel()
	for text, status := range map[string]samltest.Status{
		"not everywhere":       {Code: samltest.Success, Second: samltest.PartialLogout},
		"did not sign you out": {Code: samltest.Responder, Message: "<script>alert(1)</script>"},
	} {
		s := newLeavingSite(t)
		b := s.browser()
		s.signIn(b)
		got, err := samltest.ParseLogoutURL(b.do(ownLogout(nil), false).Header.Get("Location"))
		require.NoError(t, err)
		answer := s.idp.LogoutResponse(got, sloURL)
		answer.Status = &status
		resp := b.get(answer.URL())
		assert.Equal(t, http.StatusOK, resp.StatusCode)
		body := read(resp)
		assert.Contains(t, body, text)
		assert.NotContains(t, body, "<script")
		assert.Contains(t, resp.Header.Get("Content-Security-Policy"), "default-src 'none'")
	}
}

// Only a page of ours begins a logout: no link does, no form of another site, and GET is for messages alone.
func TestLogoutOfAnotherSite(t *testing.T) {
	t.Parallel()
	s := newLeavingSite(t)
	b := s.browser()
	s.signIn(b)
	for _, r := range []*http.Request{
		ownLogout(nil, "Sec-Fetch-Site", "cross-site"), ownLogout(nil, "Sec-Fetch-Site", "same-site"), ownLogout(nil, "Origin", "https://evil.example.net"),
		ownLogout(nil, "Origin", "null"), getRequest(sloURL), getRequest(sloURL + "?target=/"), httptest.NewRequest(http.MethodHead, sloURL, nil),
		httptest.NewRequest(http.MethodPut, sloURL, nil), getRequest(sloURL, "Sec-Fetch-Site", "same-origin"),
	} {
		resp := b.do(r, true)
		assert.GreaterOrEqual(t, resp.StatusCode, 400, r.Method)
		assert.Empty(t, resp.Header.Get("Location"))
		assert.Zero(t, s.ended)
		assert.Equal(t, saml.BadRequest, s.reason())
	}
	resp := b.do(ownLogout(nil, "Sec-Fetch-Site", "same-origin", "Origin", "https://sp.example.com"), false)
	assert.Equal(t, http.StatusSeeOther, resp.StatusCode)
	assert.Equal(t, 1, s.ended)

	// StartLogout looks for itself.
	session := s.signIn(b)
	for _, r := range []*http.Request{getRequest("/logout"), ownLogout(nil, "Sec-Fetch-Site", "cross-site")} {
		w := httptest.NewRecorder()
		require.ErrorIs(t, s.sp.StartLogout(w, r, session, saml.LogoutOptions{}), saml.BadRequest)
		assert.Empty(t, w.Body.String())
	}
	// Behind a proxy that changes Host, our own origin is still ours.
	r := ownLogout(nil, "Origin", "https://sp.example.com")
	r.Host = "backend.internal"
	require.NoError(t, s.sp.StartLogout(httptest.NewRecorder(), r, session, saml.LogoutOptions{}))
}

// Where single logout is not possible, or fails, the user goes where the trust says.
//
// req: SL-LOCAL CS-16 LT-36
func TestLogoutLocally(t *testing.T) {
	t.Parallel()
	for place, change := range map[string]func(*saml.LoginTrust){
		"https://idp.example.com/out": func(t *saml.LoginTrust) { t.SLOURL, t.SLOPostURL, t.LogoutURL = "", "", "https://idp.example.com/out" },
		"https://idp.example.com/sso": func(t *saml.LoginTrust) { t.SLOURL, t.SLOPostURL = "", "" },
		"https://idp.example.com/x":   func(t *saml.LoginTrust) { t.LogoutURL, t.State = "https://idp.example.com/x", saml.Inactive },
	} {
		s := newLeavingSite(t)
		b := s.browser()
		s.signIn(b)
		trust := s.trust()
		change(&trust)
		s.trusts.Set(trust)
		resp := b.do(ownLogout(nil), false)
		assert.Equal(t, place, resp.Header.Get("Location"))
		assert.Equal(t, 1, s.ended)
		assert.NotNil(t, b.cookies["__Host-saml-pause"])
	}
	// A store that fails is reported, and stops nobody.
	state := &brokenState{MemoryState: saml.NewMemoryState()}
	s := newLeavingSite(t, func(t *saml.LoginTrust, c *saml.Config) { c.State, t.LogoutURL = state, "https://idp.example.com/out" })
	b := s.browser()
	s.signIn(b)
	state.add = errBroken
	resp := b.do(ownLogout(nil), false)
	assert.Equal(t, "https://idp.example.com/out", resp.Header.Get("Location"))
	assert.Equal(t, saml.StoreFailed, s.reason())
	assert.Equal(t, 1, s.ended)

	// Sessions of the host that fail are its own to mend.
	s = newLeavingSite(t, func(_ *saml.LoginTrust, c *saml.Config) {
		c.EndSession = func(http.ResponseWriter, *http.Request) (saml.LoginSession, bool, error) {
			return saml.LoginSession{}, false, errors.New("alice")
		}
	})
	resp = s.browser().do(ownLogout(nil), false)
	assert.Equal(t, http.StatusServiceUnavailable, resp.StatusCode)
	assert.NotContains(t, s.refusals.Load().Error(), "alice")
	// Without EndSession the host has a handler of its own.
	s = newLeavingSite(t, func(_ *saml.LoginTrust, c *saml.Config) { c.EndSession = nil })
	assert.Equal(t, http.StatusBadRequest, s.browser().do(ownLogout(nil), false).StatusCode)
	// Without Sessions there is no such place.
	assert.Equal(t, http.StatusNotFound, newSite(t).browser().do(ownLogout(nil), false).StatusCode)
}

// The identity provider's request, by a browser that has none of our cookies: sessions end, and the answer goes back.
//
// req: SL-SERVERSIDE IIP-SP15 PROF-4.4.3.4 BIND-3.4.6
func TestHandlerLogoutRequest(t *testing.T) {
	t.Parallel()
	s := newLeavingSite(t)
	session := s.signIn(s.browser())
	resp := s.browser().get(s.idp.LogoutRequest(session, sloURL).URL())
	assert.Equal(t, http.StatusSeeOther, resp.StatusCode)
	assert.Contains(t, resp.Header.Get("Cache-Control"), "no-store")
	got, err := samltest.ParseLogoutURL(resp.Header.Get("Location"))
	require.NoError(t, err)
	assert.Equal(t, []string{samltest.Success}, got.Status)
	assert.Empty(t, s.sessions.live)

	session = s.signIn(s.browser())
	m := s.idp.LogoutRequest(session, sloURL)
	m.RelayState = `"><script>`
	resp = s.browser().do(formRequest(sloURL, m.Form()), true)
	assert.Equal(t, http.StatusOK, resp.StatusCode)
	body := read(resp)
	page := samltest.Page{URL: mustURL(sloURL), Body: body}
	require.Len(t, page.Forms(), 1)
	assert.Equal(t, s.idp.SLOURL(), page.Forms()[0].Action)
	assert.Equal(t, m.RelayState, page.Forms()[0].Fields.Get("RelayState"))
	assert.NotContains(t, body, m.RelayState)
	assert.Contains(t, resp.Header.Get("Content-Security-Policy"), "frame-ancestors https://idp.example.com", "the frame of the identity provider")
	assert.Empty(t, resp.Header.Get("X-Frame-Options"))
	assert.Empty(t, s.sessions.live)

	// A request that must not be obeyed is answered all the same, and reported.
	m = s.idp.LogoutRequest(session, sloURL)
	m.Version = "1.1"
	resp = s.browser().get(m.URL())
	got, err = samltest.ParseLogoutURL(resp.Header.Get("Location"))
	require.NoError(t, err)
	assert.Equal(t, []string{saml.StatusVersionMismatch}, got.Status)
	assert.Equal(t, saml.WrongVersion, s.reason())
}

// What is not authenticated gets a page, and nothing that is signed, nor any way out of here.
//
// req: SE-REDIRECT RD-DUP
func TestHandlerLogoutRefused(t *testing.T) {
	t.Parallel()
	s := newLeavingSite(t)
	session := s.signIn(s.browser())
	good := s.idp.LogoutRequest(session, sloURL)
	unsigned := s.idp.LogoutRequest(session, sloURL)
	unsigned.Unsigned, unsigned.RelayState = true, "https://evil.example.net/"
	twice := good.Form()
	twice.Add("SAMLRequest", "x")
	both := good.Form()
	both.Add("SAMLResponse", "x")
	long := s.idp.LogoutRequest(session, sloURL)
	long.RelayState = strings.Repeat("x", 9<<10)
	for _, c := range []struct {
		r      *http.Request
		reason saml.Reason
	}{
		{getRequest(unsigned.URL()), saml.Unsigned},
		{formRequest(sloURL, unsigned.Form()), saml.Unsigned},
		{getRequest(good.URL() + "&RelayState=a&RelayState=b"), saml.BadRequest},
		{getRequest(good.URL() + "&RelayState=https://evil.example.net/"), saml.BadSignature},
		{getRequest(sloURL + "?SAMLRequest=x"), saml.BadResponse},
		{formRequest(sloURL, twice), saml.BadRequest},
		{formRequest(sloURL, both), saml.BadRequest},
		{formRequest(sloURL+"?"+good.RawQuery(), url.Values{"SAMLRequest": {"x"}}), saml.BadResponse},
		{formRequest(sloURL, long.Form()), saml.TooLarge},
		{getRequest(sloURL + "?SAMLRequest=" + strings.Repeat("a", 65<<10)), saml.TooLarge},
		{getRequest(strings.Replace(good.URL(), "/sso/logout?", "/sso/acs?", 1)), saml.BadRequest},
	} {
		resp := s.browser().do(c.r, true)
		body := read(resp)
		assert.GreaterOrEqual(t, resp.StatusCode, 400)
		assert.Equal(t, c.reason, s.reason())
		assert.Empty(t, resp.Header.Get("Location"))
		assert.NotContains(t, body, "evil.example.net")
		assert.NotContains(t, body, "SAMLResponse")
		if c.r.URL.Path == "/sso/logout" {
			assert.Contains(t, body, "Close the browser")
		}
	}
	assert.Len(t, s.sessions.live, 1)
	assert.Empty(t, s.sessions.calls)
	// A signature of the query stands for no form, and an own logout is not what a message becomes.
	assert.Zero(t, s.ended)
}

// A gateway destroys the query, and hands the original over.
//
// req: RD-RAWAPI
func TestRawQuery(t *testing.T) {
	t.Parallel()
	for _, handed := range []bool{false, true} {
		s := newLeavingSite(t, func(_ *saml.LoginTrust, c *saml.Config) {
			if handed {
				c.RawQuery = func(r *http.Request) string { return r.Header.Get("X-Original-Query") }
			}
		})
		m := s.idp.LogoutRequest(s.signIn(s.browser()), sloURL)
		m.LowerHex, m.RelayState = true, "a/b"
		original := m.RawQuery()
		values, err := url.ParseQuery(original)
		require.NoError(t, err)
		r := getRequest(sloURL+"?"+values.Encode(), "X-Original-Query", original)
		resp := s.browser().do(r, true)
		if handed {
			assert.Equal(t, http.StatusSeeOther, resp.StatusCode)
			assert.Empty(t, s.sessions.live)
			continue
		}
		assert.Equal(t, saml.BadSignature, s.reason())
		assert.Len(t, s.sessions.live, 1)
	}
}

// The endpoint's own query is kept, and no part of what is signed.
//
// req: BIND-3.4.4-query
func TestLogoutURLWithQuery(t *testing.T) {
	t.Parallel()
	const place = sloURL + "?tenant=7"
	s := newLeavingSite(t, func(_ *saml.LoginTrust, c *saml.Config) { c.LogoutURL = place })
	assert.Contains(t, string(s.sp.Metadata()), place)
	m := s.idp.LogoutRequest(s.signIn(s.browser()), place)
	resp := s.browser().get(m.URL())
	assert.Equal(t, http.StatusSeeOther, resp.StatusCode)
	assert.Empty(t, s.sessions.live)
}

// By SOAP: an answer with a status, or a fault, and never a page.
//
// req: E19 BIND-3.2.3.2 BIND-3.2.2.2 BIND-3.2.2.1 BIND-3.2.3.3-403
func TestHandlerSOAP(t *testing.T) {
	t.Parallel()
	s := newLeavingSite(t)
	m := s.idp.LogoutRequest(s.signIn(s.browser()), sloURL)
	post := func(body []byte) (*http.Response, string) {
		r := httptest.NewRequest(http.MethodPost, sloURL, strings.NewReader(string(body)))
		r.Header.Set("Content-Type", `text/xml; charset="utf-8"`)
		w := httptest.NewRecorder()
		s.handler.ServeHTTP(w, r)
		return w.Result(), w.Body.String()
	}
	resp, body := post(m.SOAP())
	assert.Equal(t, http.StatusOK, resp.StatusCode)
	assert.Contains(t, body, samltest.Success)
	assert.Empty(t, s.sessions.live)
	for _, word := range []string{"no-cache", "no-store", "must-revalidate", "private"} {
		assert.Contains(t, resp.Header.Get("Cache-Control"), word)
	}
	assert.Equal(t, "no-cache", resp.Header.Get("Pragma"))
	assert.Empty(t, resp.Header.Get("ETag")+resp.Header.Get("Last-Modified"))

	resp, body = post(m.SOAP()) // once more
	assert.Equal(t, http.StatusOK, resp.StatusCode)
	assert.Contains(t, body, samltest.Requester)
	assert.Equal(t, saml.Replayed, s.reason())

	good := s.idp.LogoutRequest(saml.LoginSession{NameID: saml.NameID{Value: "x"}}, sloURL)
	unsigned, stranger := *good, *otherIdP(t).LogoutRequest(saml.LoginSession{NameID: saml.NameID{Value: "x"}}, sloURL)
	unsigned.Unsigned = true
	for name, c := range map[string]struct {
		body   []byte
		status int
	}{
		"unsigned":                   {unsigned.SOAP(), http.StatusForbidden},
		"of an unknown issuer":       {stranger.SOAP(), http.StatusForbidden},
		"no envelope":                {good.XML(), http.StatusInternalServerError},
		"no message":                 {[]byte("<a/>"), http.StatusInternalServerError},
		"no XML":                     {[]byte("<"), http.StatusInternalServerError},
		"two messages in the Body":   {edited(good.SOAP(), "</s:Body>", `<x xmlns="urn:x"/></s:Body>`), http.StatusInternalServerError},
		"another one in front of it": {edited(good.SOAP(), "<s:Body>", `<s:Body><x xmlns="urn:x"/>`), http.StatusInternalServerError},
		"something behind the Body":  {edited(good.SOAP(), "</s:Body>", `</s:Body><s:Body/>`), http.StatusInternalServerError},
		"an empty Body":              {[]byte(`<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body/></s:Envelope>`), http.StatusInternalServerError},
	} {
		resp, body = post(c.body)
		assert.Equal(t, c.status, resp.StatusCode, name)
		if c.status == http.StatusForbidden {
			assert.Empty(t, body, name)
			continue
		}
		assert.Contains(t, body, "soap:Fault", name)
		assert.NotContains(t, body, "Signature", name)
	}
	resp, _ = post(nil)
	assert.Equal(t, http.StatusBadRequest, resp.StatusCode)
}

// edited replaces what must be there.
func edited(b []byte, old, new string) []byte {
	if !bytes.Contains(b, []byte(old)) {
		panic("nothing to edit: " + old)
	}
	return bytes.Replace(b, []byte(old), []byte(new), 1)
}

// Where no answer is awaited, or has a place to go, there is a page.
func TestHandlerNoAnswer(t *testing.T) {
	t.Parallel()
	s := newLeavingSite(t, func(t *saml.LoginTrust, _ *saml.Config) { t.SLOURL, t.SLOPostURL = "", "" })
	m := s.idp.LogoutRequest(s.signIn(s.browser()), sloURL)
	resp := s.browser().get(m.URL())
	assert.Equal(t, http.StatusOK, resp.StatusCode)
	assert.Contains(t, read(resp), "You are signed out")
	assert.Empty(t, s.sessions.live)
	resp = s.browser().get(m.URL())
	assert.Equal(t, http.StatusForbidden, resp.StatusCode)
	assert.Equal(t, saml.Replayed, s.reason())
}

// Middleware may have parsed the form before.
func TestLogoutFormParsedBefore(t *testing.T) {
	t.Parallel()
	s := newLeavingSite(t)
	m := s.idp.LogoutRequest(s.signIn(s.browser()), sloURL)
	r := formRequest(sloURL, m.Form())
	require.NoError(t, r.ParseForm())
	assert.Equal(t, http.StatusOK, s.browser().do(r, true).StatusCode)
	assert.Empty(t, s.sessions.live)
}
