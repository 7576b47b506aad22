package e2e_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml/internal/oracle"
)

// withoutRedirect takes the endpoint for single logout by HTTP-Redirect out of metadata.
func withoutRedirect(t *testing.T, metadata []byte) []byte {
	t.Helper()
	endpoint := regexp.MustCompile(`<(md:)?SingleLogoutService\s[^>]*HTTP-Redirect[^>]*/>`)
	require.True(t, endpoint.Match(metadata), "%s", metadata)
	return endpoint.ReplaceAll(metadata, nil)
}

// Single logout with SimpleSAMLphp, begun on either side, by either binding: both sessions end, in another window too, and
// SimpleSAMLphp takes our signatures.
func TestSimpleSAMLphpLogout(t *testing.T) {
	needIdPs(t)
	idp := startSimpleSAMLphp(t)
	idp.set(t, settings{})
	for _, c := range []struct {
		name          string
		ours, theirs  func(*testing.T, []byte) []byte // edits of metadata
		sends, answer string                          // methods of request and answer
	}{
		{"redirect", keep, keep, http.MethodGet, http.MethodGet},
		{"POST", withoutRedirect, withoutRedirect, http.MethodPost, http.MethodPost},
	} {
		sp := startServer(t, c.theirs(t, idp.metadata))
		idp.trust(t, c.ours(t, sp.metadata))
		assert.NoError(t, oracle.ValidateSchema(t, sp.metadata, "metadata"))
		for _, nameID := range []string{"urn:oasis:names:tc:SAML:2.0:nameid-format:transient", "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent",
			"urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"} {
			idp.set(t, settings{"nameID": nameID})
			t.Run("from here by "+c.name+", "+nameID, func(t *testing.T) {
				b := signedInBrowser(t, idp, sp, c.sends)
				p := b.take(signOut(t, sp))
				assert.Equal(t, sp.base+"/?out", p.url.String(), p.text())
				checkSignedOut(t, b, idp, sp)
				checkMessages(t, b, c.sends, c.answer, "LogoutRequest", "LogoutResponse")
			})
			t.Run("from there by "+c.name+", "+nameID, func(t *testing.T) {
				b := signedInBrowser(t, idp, sp, c.sends)
				p := b.visit(idp.base + "/simplesaml/saml2/idp/SingleLogoutService.php?" + url.Values{"ReturnTo": {idp.base + "/simplesaml/logout.php"}}.Encode())
				assert.Equal(t, idp.base+"/simplesaml/logout.php", p.url.String(), p.text())
				checkSignedOut(t, b, idp, sp)
				checkMessages(t, b, c.sends, c.answer, "LogoutRequest", "LogoutResponse")
			})
		}
	}
}

func keep(_ *testing.T, metadata []byte) []byte { return metadata }

// signOut is the press of the button on the example server's page.
func signOut(t *testing.T, sp *server) step {
	t.Helper()
	return step{method: http.MethodPost, target: sp.base + "/sso/logout", fields: url.Values{"target": {"/?out"}}, from: mustParse(t, sp.base+"/")}
}

func mustParse(t *testing.T, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	require.NoError(t, err)
	return u
}

// signedInBrowser is a browser in which alice has signed in. It has carried no message yet.
func signedInBrowser(t *testing.T, idp *simpleSAMLphp, sp *server, sends string) *browser {
	t.Helper()
	b := newBrowser(t, idp.users["alice"])
	// SimpleSAMLphp without https loses its own session where another site posts.
	b.portsAreOneSite = sends == http.MethodPost
	checkSignedIn(t, b, b.visit(ways[0].start(idp, sp)), sp, idp.users["alice"])
	b.messages = nil
	return b
}

// checkSignedOut looks at both sides: nobody is greeted here, and there the password is asked for.
func checkSignedOut(t *testing.T, b *browser, idp *simpleSAMLphp, sp *server) {
	t.Helper()
	carried := b.messages
	assert.Contains(t, b.visit(sp.base+"/").text(), "You are not signed in")
	p := b.visit(ways[0].start(idp, sp))
	assert.True(t, strings.HasPrefix(p.url.String(), idp.base), p.url)
	assert.Contains(t, p.body, `type="password"`, "the session there lives")
	b.messages = carried
}

// checkMessages holds the request and the answer against the schema.
func checkMessages(t *testing.T, b *browser, sends, answers, request, response string) {
	t.Helper()
	require.Len(t, b.messages, 2)
	for i, want := range []struct{ method, root string }{{sends, request}, {answers, response}} {
		m := b.messages[i]
		xml := m.xml(t)
		assert.Equal(t, want.method, m.method)
		assert.Contains(t, string(xml[:100]), want.root)
		assert.NoError(t, oracle.ValidateSchema(t, xml, "protocol"), "%s", xml)
		if want.root == response {
			assert.Contains(t, string(xml), "urn:oasis:names:tc:SAML:2.0:status:Success")
		}
	}
}
