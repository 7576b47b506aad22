// Package e2e_test logs people in from one end to the other: a browser, the example server as a process of its own, and
// SimpleSAMLphp as their identity provider. .ci/run installs what is needed and sets SAML_E2E_SIMPLESAMLPHP=1.
package e2e_test

import (
	"bytes"
	"compress/flate"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml/internal/oracle"
)

const serverDir = "../examples/server"

// A server is the running example server.
type server struct {
	base     string
	entityID string
	metadata []byte
}

// startServer builds the example server and runs it with one active trust, for the identity provider of that metadata.
func startServer(t *testing.T, idpMetadata []byte) *server {
	t.Helper()
	dir := t.TempDir()
	binary := filepath.Join(dir, "server")
	out, err := exec.Command("go", "build", "-C", serverDir, "-o", binary, ".").CombinedOutput()
	require.NoError(t, err, "%s", out)
	metadataFile, keyFile := filepath.Join(dir, "idp.xml"), filepath.Join(dir, "sp.pem")
	require.NoError(t, os.WriteFile(metadataFile, idpMetadata, 0o600))
	writeKeyPair(t, keyFile, keyFile)

	address := freeAddress(t)
	sp := &server{base: "http://" + address}
	sp.entityID = sp.base + "/sso/metadata"
	start(t, sp.entityID, nil, binary, "-addr", address, "-base-url", sp.base, "-no-demo-idp", "-idp-metadata", metadataFile, "-key", keyFile)
	sp.metadata = fetch(t, sp.entityID)
	return sp
}

// The ways that a login may begin.
type way struct {
	name  string
	start func(*simpleSAMLphp, *server) string
}

var ways = []way{
	{"redirect", func(idp *simpleSAMLphp, sp *server) string {
		return sp.base + "/sso/login?" + url.Values{"entityID": {idp.entityID}, "target": {"/?from=here"}}.Encode()
	}},
	{"post", func(idp *simpleSAMLphp, sp *server) string {
		return sp.base + "/sso/login?" + url.Values{"entityID": {idp.entityID}, "target": {"/?from=here"}, "binding": {"post"}}.Encode()
	}},
	{"from the IdP", func(idp *simpleSAMLphp, sp *server) string {
		return idp.base + "/simplesaml/saml2/idp/SSOService.php?" + url.Values{"spentityid": {sp.entityID}, "RelayState": {"/?from=here"}}.Encode()
	}},
}

func TestSimpleSAMLphp(t *testing.T) {
	needIdPs(t)
	idp := startSimpleSAMLphp(t)
	sp := startServer(t, idp.metadata)
	idp.trust(t, sp.metadata)

	t.Run("metadata", func(t *testing.T) {
		assert.NoError(t, oracle.ValidateSchema(t, sp.metadata, "metadata"))
		assert.NoError(t, oracle.ValidateSchema(t, idp.metadata, "metadata"))
	})

	for _, sign := range []string{"response", "assertion", "both"} {
		for _, way := range ways {
			for _, user := range []string{"alice", "bob"} {
				t.Run(fmt.Sprintf("signed %s, %s, %s", sign, way.name, user), func(t *testing.T) {
					idp.set(t, settings{"sign": sign})
					b := newBrowser(t, idp.users[user])
					checkSignedIn(t, b, b.visit(way.start(idp, sp)), sp, idp.users[user])
				})
			}
		}
	}

	t.Run("as one site", func(t *testing.T) { // as browsers see loopback: the cookie comes with the POST, no hop is needed
		idp.set(t, settings{})
		b := newBrowser(t, idp.users["alice"])
		b.portsAreOneSite = true
		checkSignedIn(t, b, b.visit(ways[0].start(idp, sp)), sp, idp.users["alice"])
		assert.Len(t, b.messages, 2, "one request, one answer")
	})

	for _, way := range ways[:2] {
		t.Run("the IdP requires signed requests, "+way.name, func(t *testing.T) {
			idp.set(t, settings{"requireSignedRequests": true})
			b := newBrowser(t, idp.users["alice"])
			checkSignedIn(t, b, b.visit(way.start(idp, sp)), sp, idp.users["alice"])
		})
	}

	for _, algorithm := range []string{"rsa-sha384", "rsa-sha512"} {
		t.Run(algorithm, func(t *testing.T) {
			idp.set(t, settings{"algorithm": "http://www.w3.org/2001/04/xmldsig-more#" + algorithm})
			b := newBrowser(t, idp.users["bob"])
			checkSignedIn(t, b, b.visit(ways[0].start(idp, sp)), sp, idp.users["bob"])
		})
	}

	for name, format := range map[string]string{
		"e-mail address": "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress",
		"persistent":     "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent",
		"unspecified":    "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified",
	} {
		t.Run("name ID "+name, func(t *testing.T) {
			idp.set(t, settings{"nameID": format, "basicNames": true})
			b := newBrowser(t, idp.users["bob"])
			checkSignedIn(t, b, b.visit(ways[0].start(idp, sp)), sp, idp.users["bob"])
		})
	}

	// What must not work.
	refusals := []struct {
		name string
		set  settings
		do   func(t *testing.T, b *browser, answer step) *page
	}{
		{"unsigned", settings{"sign": "none"}, func(_ *testing.T, b *browser, answer step) *page { return b.take(answer) }},
		{"SHA-1", settings{"algorithm": "http://www.w3.org/2000/09/xmldsig#rsa-sha1"},
			func(_ *testing.T, b *browser, answer step) *page { return b.take(answer) }},
		{"another browser", nil, func(t *testing.T, _ *browser, answer step) *page {
			return newBrowser(t, idp.users["alice"]).take(answer)
		}},
		{"twice, in another browser", nil, func(t *testing.T, b *browser, answer step) *page {
			checkSignedIn(t, b, b.take(answer), sp, idp.users["alice"])
			return newBrowser(t, idp.users["alice"]).take(answer)
		}},
		{"changed", nil, func(t *testing.T, b *browser, answer step) *page {
			xml, err := base64.StdEncoding.DecodeString(answer.fields.Get("SAMLResponse"))
			require.NoError(t, err)
			changed := bytes.ReplaceAll(xml, []byte(">alice@example.org<"), []byte(">admin@example.org<"))
			require.NotEqual(t, xml, changed)
			answer.fields.Set("SAMLResponse", base64.StdEncoding.EncodeToString(changed))
			return b.take(answer)
		}},
	}
	for _, r := range refusals {
		t.Run("refused: "+r.name, func(t *testing.T) {
			idp.set(t, r.set)
			b := newBrowser(t, idp.users["alice"])
			answer := b.visitUntil(ways[0].start(idp, sp), func(s step) bool { return s.fields.Has("SAMLResponse") })
			p := r.do(t, b, answer)
			assert.True(t, p.status >= 400 && p.status < 500, "status %d: %s", p.status, p.text())
			assert.NotContains(t, p.text(), "Liddell")
			assert.NotContains(t, newBrowserWith(b).visit(sp.base+"/").text(), "admin@example.org")
		})
	}
}

// newBrowserWith is a new window of a browser.
func newBrowserWith(b *browser) *browser {
	window := newBrowser(b.t, account{Username: b.name, Password: b.pass})
	window.cookies = b.cookies
	return window
}

// checkSignedIn looks at the page after a login: who it greets, and what it says about them; and at the messages that
// led to it.
func checkSignedIn(t *testing.T, b *browser, p *page, sp *server, user account) {
	t.Helper()
	text := p.text()
	require.Equal(t, http.StatusOK, p.status, text)
	require.Equal(t, sp.base+"/?from=here", p.url.String(), text)
	for _, want := range append([]string{user.Firstname, user.Lastname, user.Email}, user.Groups...) {
		assert.Contains(t, text, want)
	}
	assert.NotContains(t, p.body, "<x>", "a value is written unescaped")
	assert.Equal(t, 1, b.logins)

	var answer string
	for _, m := range b.messages {
		xml := m.xml(t)
		if m.parameter == "SAMLRequest" {
			require.NoError(t, oracle.ValidateSchema(t, xml, "protocol"), "%s", xml)
			assert.LessOrEqual(t, len(m.fields.Get("RelayState")), 80)
		} else {
			answer = string(xml)
		}
	}
	name := regexp.MustCompile(`<saml:NameID\b[^>]*>([^<]+)</saml:NameID>`).FindStringSubmatch(answer)
	require.NotNil(t, name, "no name ID in %s", answer)
	assert.Contains(t, text, name[1])
}

func (m message) xml(t *testing.T) []byte {
	t.Helper()
	xml, err := base64.StdEncoding.DecodeString(m.value)
	require.NoError(t, err)
	if m.method == http.MethodGet {
		xml, err = io.ReadAll(flate.NewReader(bytes.NewReader(xml)))
		require.NoError(t, err)
	}
	require.True(t, strings.HasPrefix(strings.TrimSpace(string(xml)), "<"))
	return xml
}
