package saml_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml"
	"github.com/logintrust/saml/samltest"
)

func byIdP(t *saml.LoginTrust, _ *saml.Config) {
	t.Initiation, t.AllowIdPInitiated, t.LoginURL = saml.InitiatedByIdP, true, "https://idp.example.com/begin"
}

// begin is where the browser is sent.
func (w *world) begin(opts saml.StartOptions) string {
	w.t.Helper()
	started, err := w.sp.Request(context.Background(), w.trust(), opts)
	require.NoError(w.t, err)
	return started.URL
}

// The exact octets of the URL at which an identity provider begins.
//
// req: LT-22 LT-29 LT-31 LT-32 LT-33 LT-35 LT-37 SA-06 LT-57
func TestBeginURL(t *testing.T) {
	t.Parallel()
	const page = "/chart?id=7&tab=a%20b"
	const target = "https%3A%2F%2Fsp.example.com%2Fchart%3Fid%3D7%26tab%3Da%2520b"
	const us = "https%3A%2F%2Fsp.example.com%2Fsso%2Fmetadata"
	pass := func(names ...string) func(*saml.LoginTrust) {
		return func(t *saml.LoginTrust) { t.PassPageVariables, t.PageVariables = true, names }
	}
	for _, c := range []struct {
		name   string
		change func(*saml.LoginTrust)
		query  string
		want   string
	}{
		{"TargetResource", func(*saml.LoginTrust) {}, "", "https://idp.example.com/begin?TargetResource=" + target},
		{"RelayState", func(t *saml.LoginTrust) { t.TargetParam = saml.TargetRelayState }, "", "https://idp.example.com/begin?RelayState=" + target},
		{"target", func(t *saml.LoginTrust) { t.TargetParam = saml.TargetShibboleth }, "", "https://idp.example.com/begin?target=" + target},
		{"own query stays, octet for octet", func(t *saml.LoginTrust) { t.LoginURL += "?B=%2f&a=x+y&&c" }, "",
			"https://idp.example.com/begin?B=%2f&a=x+y&&c&TargetResource=" + target},
		{"own query that is empty", func(t *saml.LoginTrust) { t.LoginURL += "?" }, "", "https://idp.example.com/begin?TargetResource=" + target},
		{"own query with end", func(t *saml.LoginTrust) { t.LoginURL += "?a=1&" }, "", "https://idp.example.com/begin?a=1&TargetResource=" + target},
		{"ADFS", func(t *saml.LoginTrust) { t.Product, t.TargetParam = saml.ADFS, saml.TargetRelayState }, "",
			"https://idp.example.com/begin?RelayState=" + url.QueryEscape("RPID="+us+"&RelayState="+target)},
		{"ADFS, TargetResource", func(t *saml.LoginTrust) { t.Product = saml.ADFS }, "", "https://idp.example.com/begin?TargetResource=" + target},
		{"Shibboleth", func(t *saml.LoginTrust) { t.Product, t.TargetParam = saml.Shibboleth, saml.TargetShibboleth }, "",
			"https://idp.example.com/begin?providerId=" + us + "&shire=https%3A%2F%2Fsp.example.com%2Fsso%2Facs&target=" + target},
		{"Shibboleth, in LoginURL", func(t *saml.LoginTrust) {
			t.Product, t.TargetParam, t.LoginURL = saml.Shibboleth, saml.TargetShibboleth, t.LoginURL+"?providerId=x&%73hire=y"
		}, "", "https://idp.example.com/begin?providerId=x&%73hire=y&target=" + target},
		{"Ping", func(t *saml.LoginTrust) { t.Product = saml.Ping }, "", "https://idp.example.com/begin?PartnerSpId=" + us + "&TargetResource=" + target},
		{"Ping, in LoginURL", func(t *saml.LoginTrust) { t.Product, t.LoginURL = saml.Ping, t.LoginURL+"?partnerspid=x" }, "",
			"https://idp.example.com/begin?partnerspid=x&TargetResource=" + target},
		{"no question mark", func(t *saml.LoginTrust) { t.StripQuestionMark = true }, "",
			"https://idp.example.com/begin?TargetResource=https%3A%2F%2Fsp.example.com%2Fchart%2F~q%2FaWQ9NyZ0YWI9YSUyMGI"},
		{"page variables", pass("id", "tab"), "id=7&tab=a%20b&other=1", "https://idp.example.com/begin?id=7&tab=a%20b&TargetResource=" + target},
		{"page variables, in order and twice", pass("id", "tab"), "tab=1&id=2&tab=3&id&tab=", "https://idp.example.com/begin?tab=1&id=2&tab=3&id&tab=&TargetResource=" + target},
		{"page variables that may not be passed", pass(), "id=7", "https://idp.example.com/begin?TargetResource=" + target},
		{"page variables, not switched on", func(t *saml.LoginTrust) { t.PageVariables = []string{"id"} }, "id=7", "https://idp.example.com/begin?TargetResource=" + target},
		{"page variables that LoginURL has", func(t *saml.LoginTrust) { pass("id", "ID", "tab")(t); t.LoginURL += "?Id=1" }, "id=7&ID=8&tab=2",
			"https://idp.example.com/begin?Id=1&tab=2&TargetResource=" + target},
		{"page variables, hostile values", pass("id"), "id=%0d%0aSet-Cookie:+a%3Db&id=%22%3E%26target=x&id=%zz&id=%C3%A9&i%64=1;id=2",
			"https://idp.example.com/begin?id=%0D%0ASet-Cookie%3A%20a%3Db&id=%22%3E%26target%3Dx&id=%C3%A9&id=1%3Bid%3D2&TargetResource=" + target},
		{"page variables, reserved", pass("RelayState", "target", "TargetResource", "SAMLResponse", "samlrequest", "login.ticket", "shire"),
			"RelayState=1&target=2&TargetResource=3&SAMLResponse=4&samlrequest=5&login.ticket=6&shire=7", "https://idp.example.com/begin?TargetResource=" + target},
		{"page variables, too long", pass("id"), "id=" + strings.Repeat("x", 2046), "https://idp.example.com/begin?TargetResource=" + target},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, byIdP, func(t *saml.LoginTrust, _ *saml.Config) { c.change(t) })
			assert.Equal(t, c.want, w.begin(saml.StartOptions{ReturnTo: page, PageQuery: c.query}))
		})
	}
}

// What leads nowhere of ours leads to the default page.
func TestBeginURLTargets(t *testing.T) {
	t.Parallel()
	for returnTo, want := range map[string]string{
		"":                              "https://sp.example.com/home?x=1",
		"/a":                            "https://sp.example.com/a",
		"https://SP.example.com:443/a":  "https://sp.example.com/a",
		"https://help.example.com/x?y":  "https://help.example.com/x?y",
		"https://evil.net/":             "https://sp.example.com/home?x=1",
		"//evil.net":                    "https://sp.example.com/home?x=1",
		"/\\evil.net":                   "https://sp.example.com/home?x=1",
		"/" + strings.Repeat("a", 2047): "https://sp.example.com/home?x=1", // with the origin it is too long to come back
	} {
		w := newWorld(t, byIdP, func(_ *saml.LoginTrust, c *saml.Config) {
			c.BaseURL, c.DefaultPath, c.RelayStateHosts = "https://SP.example.com:443", "/home?x=1", []string{"help.example.com"}
		})
		u, err := url.Parse(w.begin(saml.StartOptions{ReturnTo: returnTo}))
		require.NoError(t, err)
		assert.Equal(t, want, u.Query().Get("TargetResource"), returnTo)
	}
}

// A trust that begins by itself is asked for nothing, and leaves nothing waiting.
//
// req: LT-27
func TestInitiatedByIdP(t *testing.T) {
	t.Parallel()
	state := &countingState{StateStore: saml.NewMemoryState()}
	w := newWorld(t, byIdP, func(_ *saml.LoginTrust, c *saml.Config) { c.State = state })
	started, err := w.sp.Request(context.Background(), w.trust(), saml.StartOptions{ReturnTo: "/a"})
	require.NoError(t, err)
	assert.Equal(t, &saml.Started{URL: started.URL}, started)
	assert.Zero(t, state.added)
	for name, opts := range map[string]saml.StartOptions{"POST": {Binding: saml.POSTBinding}, "ForceAuthn": {ForceAuthn: true}, "IsPassive": {IsPassive: true},
		"MaxAuthnAge": {MaxAuthnAge: time.Hour}, "AuthnContext": {AuthnContext: []string{"urn:x"}}, "NameIDFormat": {NameIDFormat: "urn:x"}, "RequestID": {RequestID: "_1"}} {
		started, err := w.sp.Request(context.Background(), w.trust(), opts)
		assert.Error(t, err, name)
		assert.Nil(t, started)
	}
	trust := w.trust()
	trust.AllowIdPInitiated = false
	_, err = w.sp.Request(context.Background(), trust, saml.StartOptions{})
	require.ErrorIs(t, err, saml.UnsolicitedNotAllowed)
	for _, change := range []func(*saml.LoginTrust){func(t *saml.LoginTrust) { t.LoginURL = "" }, func(t *saml.LoginTrust) { t.TargetParam = 3 },
		func(t *saml.LoginTrust) { t.LoginURL = "javascript:x" }} {
		trust := w.trust()
		change(&trust)
		_, err := w.sp.Request(context.Background(), trust, saml.StartOptions{})
		assert.Error(t, err)
	}

	answer := w.unsolicited()
	login, err := w.post(answer, "")
	accepted(t, login, err)
	login, err = w.post(answer, "")
	refused(t, saml.Replayed, login, err)
	login, err = newWorld(t).post(newWorld(t).unsolicited(), "")
	refused(t, saml.UnsolicitedNotAllowed, login, err)
}

type countingState struct {
	saml.StateStore
	added int
}

func (c *countingState) Add(ctx context.Context, key string, value []byte, keep time.Duration) (bool, error) {
	c.added++
	return c.StateStore.Add(ctx, key, value, keep)
}

// The handler goes that way too, and comes back to the page.
//
// req: LT-27 LT-29 LT-31 LT-32 LT-33 SA-03
func TestInitiatedByIdPInABrowser(t *testing.T) {
	t.Parallel()
	const page = "/chart?id=7&tab=2&x=%2F"
	for _, param := range []saml.TargetParam{saml.TargetResource, saml.TargetRelayState, saml.TargetShibboleth} {
		for _, asRelayState := range []bool{false, true} {
			for _, strip := range []bool{false, true} {
				s := newSite(t, byIdP, func(t *saml.LoginTrust, _ *saml.Config) { t.TargetParam, t.StripQuestionMark = param, strip })
				b := s.browser()
				resp := b.get(s.sp.LoginLink(s.trust(), page) + "&binding=post") // which is for requests
				require.Equal(t, http.StatusSeeOther, resp.StatusCode)
				assert.Empty(t, b.cookies)
				u, err := url.Parse(resp.Header.Get("Location"))
				require.NoError(t, err)
				assert.Len(t, u.Query(), 1)
				sent := u.Query().Get(param.String())
				require.NotEmpty(t, sent, param)
				assert.Equal(t, !strip, strings.Contains(sent, "?"))
				form := s.unsolicited().Form()
				if asRelayState {
					form.Set("RelayState", sent)
				} else {
					form.Set(param.String(), sent)
				}
				resp = b.do(formRequest("https://sp.example.com/sso/acs", form), true)
				assert.Equal(t, http.StatusSeeOther, resp.StatusCode)
				assert.Equal(t, page, resp.Header.Get("Location"))
			}
		}
	}
}

// What is handed back leads nowhere but to us, and RelayState comes first.
func TestHandedBack(t *testing.T) {
	t.Parallel()
	post := func(param saml.TargetParam, posted saml.Posted) string {
		t.Helper()
		w := newWorld(t, byIdP, func(t *saml.LoginTrust, c *saml.Config) {
			t.TargetParam, t.StripQuestionMark, c.DefaultPath = param, true, "/home"
		})
		posted.SAMLResponse = w.unsolicited().Encode()
		login, err := w.sp.Validate(context.Background(), posted)
		return accepted(t, login, err).ReturnTo()
	}
	assert.Equal(t, "/a", post(saml.TargetResource, saml.Posted{TargetResource: "/a", Target: "/b"}))
	assert.Equal(t, "/b", post(saml.TargetShibboleth, saml.Posted{TargetResource: "/a", Target: "/b"}))
	assert.Equal(t, "/home", post(saml.TargetRelayState, saml.Posted{TargetResource: "/a", Target: "/b"}))
	assert.Equal(t, "/c", post(saml.TargetResource, saml.Posted{TargetResource: "/a", RelayState: "https://sp.example.com/c"}))
	assert.Equal(t, "/home", post(saml.TargetResource, saml.Posted{TargetResource: "/a", RelayState: "RPID=x&RelayState=/c"}))
	for _, hostile := range []string{"https://evil.net/", "//evil.net", "/\\evil.net", "/\t/evil.net", "javascript:x", "https://sp.example.com@evil.net/",
		"https://sp.example.com.evil.net/", "/%2F/evil.net", "//evil.net/~q/YQ", "/\x00", "/\r\nX: y", "/é", strings.Repeat("/a", 5000),
		"https://sp.example.com//evil.net/~q/YQ", "/.//evil.net/~q/YQ", "https://evil.net/~q/YQ"} {
		assert.Equal(t, "/home", post(saml.TargetResource, saml.Posted{TargetResource: hostile}), "%q", hostile)
	}
	// A field that is there twice is none.
	s := newSite(t, byIdP)
	form := s.unsolicited().Form()
	form["TargetResource"] = []string{"/a", "/b"}
	resp := s.browser().do(formRequest("https://sp.example.com/sso/acs", form), true)
	assert.Equal(t, "/", resp.Header.Get("Location"))
}

// With page variables a signed request stays signed, and its Destination is the trust's.
//
// req: LT-22
func TestPageVariablesBesideARequest(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(t *saml.LoginTrust, _ *saml.Config) {
		t.LoginURL, t.PassPageVariables, t.PageVariables = "https://idp.example.com/sso?tenant=1", true, []string{"id", "tenant", "SAMLRequest"}
	})
	location := w.begin(saml.StartOptions{ReturnTo: "/chart?id=7", PageQuery: "id=7&tenant=2&SAMLRequest=x"})
	assert.True(t, strings.HasPrefix(location, "https://idp.example.com/sso?tenant=1&id=7&SAMLRequest="), location)
	assert.Equal(t, 1, strings.Count(location, "SAMLRequest="))
	request, err := samltest.ParseRequestURL(location)
	require.NoError(t, err)
	assert.Equal(t, "https://idp.example.com/sso?tenant=1", request.Destination)
}

func TestRestoreQuestionMark(t *testing.T) {
	t.Parallel()
	for place, want := range map[string]string{
		"/a":                       "/a",
		"/a?":                      "/a/~q/",
		"/a?b=c":                   "/a/~q/Yj1j",
		"/?":                       "/~q/",
		"/?a":                      "/~q/YQ",
		"/a?b=c#d?e":               "/a/~q/Yj1j#d?e",
		"/a/~q/b":                  "/a/~q/b/~q/-",
		"/a/~q/Yj1j":               "/a/~q/Yj1j/~q/-",
		"/a/~q/b?c":                "/a/~q/b/~q/Yw",
		"/~q?a":                    "/~q/~q/YQ",
		"/a?x=/~q/y":               "/a/~q/eD0vfnEveQ",
		"/a?b?c":                   "/a/~q/Yj9j",
		"/%2e/x?a=%2F&b=%00&c=%5C": "/%2e/x/~q/YT0lMkYmYj0lMDAmYz0lNUM",
	} {
		assert.Equal(t, want, saml.StripQuestionMark(place))
		assert.Equal(t, place, saml.RestoreQuestionMark(want))
	}
	for _, not := range []string{"", "/", "/a", "/a/~q", "/a/~q/!", "/a/~q/YQ==", "/a/~q/YR", "/a/~q/Y", "/a/~q/IyM", "/a/~q/DQo", "/a/~q/YQ?b", "/a/~q/YQ/b",
		"//evil.net/~q/YQ", "https://evil.net/~q/YQ", "/\\evil.net/~q/YQ", "/a/~q/-", "a/~q/YQ", "/~q/gA", "/.//evil.net/~q/YQ", "//~q/YQ"} {
		assert.Equal(t, not, saml.RestoreQuestionMark(not))
	}
}

// req: LT-29
func TestRestoreQuestionMarks(t *testing.T) {
	t.Parallel()
	h := saml.RestoreQuestionMarks(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }))
	for target, want := range map[string]string{
		"https://sp.example.com/a/~q/Yj1j":          "/a?b=c",
		"https://evil.example.net/a/~q/Yj1j":        "/a?b=c",
		"https://sp.example.com/a%2Fb/~q/Yj1j":      "/a%2Fb?b=c",
		"https://sp.example.com//evil.net/~q/Yj1j":  "",
		"https://sp.example.com/%5Cevil.net/~q/!":   "",
		"https://sp.example.com/a/~q/DQpYOiB5":      "", // a line break
		"https://sp.example.com/a/~q/Yj1j?extra=1":  "",
		"https://sp.example.com/a?b=c":              "",
		"https://sp.example.com/%2F%2Fevil/~q/Yj1j": "",
	} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, target, nil))
		if want == "" {
			assert.Equal(t, http.StatusTeapot, w.Code, target)
			continue
		}
		assert.Equal(t, http.StatusSeeOther, w.Code, target)
		assert.Equal(t, want, w.Header().Get("Location"), target)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "https://sp.example.com/a/~q/Yj1j", nil))
	assert.Equal(t, http.StatusTeapot, w.Code)
}

// Whatever is restored is a local path, and the only one that is written so.
func FuzzRestoreQuestionMark(f *testing.F) {
	for _, s := range []string{"/", "/a?b=c", "/a/~q/Yj1j", "//evil.net/~q/YQ", "/a/~q/b/~q/-", "/~q/~q/", "/\\x/~q/YQ", "/a/~q/#b", "/%2F/~q/"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if restored := saml.RestoreQuestionMark(s); restored != s {
			require.Equal(t, restored, saml.LocalPath(restored))
			require.Equal(t, s, saml.StripQuestionMark(restored))
			u, err := url.Parse("https://sp.example.com/x/y")
			require.NoError(t, err)
			to, err := u.Parse(restored)
			require.NoError(t, err)
			require.Equal(t, "https://sp.example.com", to.Scheme+"://"+to.Host)
		}
		if saml.LocalPath(s) != "" {
			stripped := saml.StripQuestionMark(s)
			before, _, _ := strings.Cut(stripped, "#")
			require.NotContains(t, before, "?")
			require.Equal(t, s, saml.RestoreQuestionMark(stripped))
		}
	})
}
