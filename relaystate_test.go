package saml_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml"
	"github.com/logintrust/saml/samltest"
)

// req: II-RELAY E90-scheme SE-REDIRECT E1 RS-LONGIN BIND-3.5.5.2-swap
func TestWhereARelayStateLeads(t *testing.T) {
	t.Parallel()
	w := newWorld(t, allowIdPInitiated, func(_ *saml.LoginTrust, c *saml.Config) {
		c.DefaultPath = "/home"
		c.RelayStateHosts = []string{"help.example.com"}
	})
	for relayState, want := range map[string]string{
		"":                                         "/home",
		"/inbox":                                   "/inbox",
		"/inbox?a=1&b=%2f#top":                     "/inbox?a=1&b=%2f#top",
		"https://sp.example.com/inbox?x=1":         "/inbox?x=1",
		"https://sp.example.com:443/inbox":         "/inbox",
		"https://SP.example.com/inbox":             "/inbox",
		"https://sp.example.com":                   "/",
		"https://help.example.com/x?y=1":           "https://help.example.com/x?y=1",
		"http://help.example.com/x":                "/home",
		"https://help.example.com:444/x":           "/home",
		"https://help.example.com.evil.net/":       "/home",
		"https://evil.net/https://sp.example.com/": "/home",
		"https://evil.example.net/":                "/home",
		"http://sp.example.com/":                   "/home",
		"https://user@sp.example.com/":             "/home",
		"https://sp.example.com@evil.net/":         "/home",
		"https://sp.example.com//evil.net":         "/home",
		"https://sp.example.com:8443/":             "/home",
		"//evil.net":                               "/home",
		"///evil.net":                              "/home",
		"/\\evil.net":                              "/home",
		"\\/evil.net":                              "/home",
		"/\t/evil.net":                             "/home",
		"/\n/evil.net":                             "/home",
		" /inbox":                                  "/home",
		"/x\r\nSet-Cookie: a=b":                    "/home",
		"javascript:alert(1)":                      "/home",
		"JaVaScRiPt:alert(1)":                      "/home",
		"data:text/html,x":                         "/home",
		"vbscript:x":                               "/home",
		"inbox":                                    "/home",
		"/\"><script>":                             "/home",
		"/a\"b":                                    "/home",
		"/a<b":                                     "/home",
		"/a>b":                                     "/home",
		"/a b":                                     "/home",
		"/a\x7fb":                                  "/home",
		"/a/..//evil.net":                          "/home",
		"/.//evil.net":                             "/home",
		"https://help.example.com/a<b":             "/home",
		"https://sp.example.com/a<b":               "/home",
		"https://help.example.com/" + strings.Repeat("a", 2048): "/home",
		"/é":                            "/home",
		"/%2F/evil.net":                 "/home",
		"/%zz":                          "/home",
		"https:///evil.net":             "/home",
		"https:/evil.net":               "/home",
		"an opaque handle":              "/home",
		"/" + strings.Repeat("a", 2047): "/" + strings.Repeat("a", 2047),
		"/" + strings.Repeat("a", 2048): "/home",
		strings.Repeat("x", 500):        "/home",
	} {
		answer := w.unsolicited()
		answer.RelayState = relayState
		login, err := w.post(answer, "")
		accepted(t, login, err)
		assert.Equal(t, want, login.ReturnTo(), "%q", relayState)
	}
}

// The page at which a login began counts, whatever the relay state says on its way back.
//
// req: E1 BIND-3.4.3 PROF-4.1.3.1 IIP-SP09
func TestReturnToIsKept(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	long := "/a?patient=1&" + strings.Repeat("é", 10)
	started, request := w.start(saml.StartOptions{ReturnTo: "/a?patient=1"})
	assert.LessOrEqual(t, len(started.RelayState), 80)
	assert.Equal(t, started.RelayState, request.RelayState)
	assert.NotContains(t, started.URL, "patient")
	assert.NotContains(t, string(request.XML), "patient")
	answer := w.idp.Answer(request)
	answer.RelayState = "/elsewhere"
	login, err := w.post(answer, started.BrowserKey)
	accepted(t, login, err)
	assert.Equal(t, "/a?patient=1", login.ReturnTo())

	for _, hostile := range []string{"https://evil.net/", "//evil.net", long, "javascript:x"} {
		login, err := w.loginAsking(saml.StartOptions{ReturnTo: hostile})
		accepted(t, login, err)
		assert.Equal(t, "/", login.ReturnTo())
	}
	login, err = w.loginAsking(saml.StartOptions{ReturnTo: "https://sp.example.com/in?x=1"})
	accepted(t, login, err)
	assert.Equal(t, "/in?x=1", login.ReturnTo())
}

// A handle of ours that comes back without a page to return to is no place to go.
func TestOwnHandleIsNoURL(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	login, err := w.loginAsking(saml.StartOptions{})
	accepted(t, login, err)
	assert.Equal(t, "/", login.ReturnTo())
	started, request := w.start(saml.StartOptions{})
	answer := w.idp.Answer(request)
	answer.RelayState = "/there"
	login, err = w.post(answer, started.BrowserKey)
	accepted(t, login, err)
	assert.Equal(t, "/there", login.ReturnTo())
}

func TestRelayStateOfALoopbackSite(t *testing.T) {
	t.Parallel()
	w := newWorld(t, allowIdPInitiated, func(_ *saml.LoginTrust, c *saml.Config) { c.BaseURL = "http://127.0.0.1:8080" })
	answer := w.idp.Answer(samltest.Request{ACSURL: "http://127.0.0.1:8080/sso/acs", SPEntityID: "http://127.0.0.1:8080/sso/metadata"})
	answer.RelayState = "http://127.0.0.1:8080/in"
	login, err := w.post(answer, "")
	require.NoError(t, err)
	assert.Equal(t, "/in", login.ReturnTo())
}
