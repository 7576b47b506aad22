package saml_test

import (
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml"
)

// req: CDC
func TestCommonDomainIdPs(t *testing.T) {
	t.Parallel()
	code := func(ids ...string) string {
		for i, id := range ids {
			ids[i] = base64.StdEncoding.EncodeToString([]byte(id))
		}
		return strings.Join(ids, " ")
	}
	const one, two = "https://one.example.com", "https://two.example.com/metadata"
	require.Contains(t, code("urn:~~~"), "+", "base64 with a plus")
	for name, c := range map[string]struct {
		cookie string
		want   []string
	}{
		"two":                  {url.PathEscape(code(one, two)), []string{one, two}},
		"as a query":           {url.QueryEscape(code(one)) + "%20" + url.QueryEscape(code(two)), []string{one, two}},
		"spaces as plus":       {url.QueryEscape(code(one, two)), []string{one, two}},
		"a plus encoded":       {url.QueryEscape(code("urn:~~~")), []string{"urn:~~~"}},
		"bad base64":           {url.PathEscape(code(one) + " !!! " + code(two)), []string{one, two}},
		"no entity ID":         {url.PathEscape(code("a b", "<x>", one, "", strings.Repeat("a", 1025))), []string{one}},
		"bad escapes":          {"%zz", nil},
		"empty":                {"", nil},
		"more than sixty-four": {url.PathEscape(strings.Repeat(code(one)+" ", 100) + code(two)), append(repeated(one, 63), two)},
	} {
		r := httptest.NewRequest(http.MethodGet, "https://sp.example.com/", nil)
		r.Header.Set("Cookie", "_saml_idp="+c.cookie)
		assert.Equal(t, c.want, saml.CommonDomainIdPs(r), name)
	}
	assert.Nil(t, saml.CommonDomainIdPs(httptest.NewRequest(http.MethodGet, "https://sp.example.com/", nil)))
}

func repeated(s string, n int) (list []string) {
	for range n {
		list = append(list, s)
	}
	return list
}

// Hints for discovery that metadata gives choose nothing: a trust is the same with them and without.
//
// req: DISCO-hints
func TestDiscoHintsChooseNothing(t *testing.T) {
	t.Parallel()
	const hints = `<md:Extensions><u:DiscoHints xmlns:u="urn:oasis:names:tc:SAML:metadata:ui"><u:IPHint>192.0.2.0/24</u:IPHint>` +
		`<u:DomainHint>example.com</u:DomainHint><u:GeolocationHint>geo:47,8</u:GeolocationHint></u:DiscoHints></md:Extensions>`
	inner := keyDescriptor("", idpNamed(t, "idp").Certificate()) + sso(redirect, "https://idp/r")
	with, without := proposalOf(t, entity("https://one", saml2, hints+inner)), proposalOf(t, entity("https://one", saml2, inner))
	assert.Equal(t, without, with)
	with.Trust.State = saml.Active
	assert.Empty(t, saml.TrustsForEmail("alice@example.com", []saml.LoginTrust{with.Trust}))
}

// A session that ends by itself says nothing to the identity provider, whose other sessions go on: of all that answers for it,
// nothing holds a message, except a new login where the user is sent there.
//
// req: SDP-SP35
func TestSessionThatEndsSendsNoLogout(t *testing.T) {
	t.Parallel()
	s := newLeavingSite(t)
	s.signIn(s.browser())
	trust := s.trust()
	r := httptest.NewRequest(http.MethodGet, "https://sp.example.com/chart", nil)
	visit := s.sp.Visit(r, &trust)
	policy := saml.SSOPolicy{On: true}
	way, _ := policy.Route(visit, nil)
	require.Equal(t, saml.ToPopup, way)
	answers := map[string]func(w http.ResponseWriter){
		"page":   func(w http.ResponseWriter) { s.sp.WriteSessionEnded(w, trust) },
		"script": func(w http.ResponseWriter) { s.sp.WriteUnauthorized(w, &trust) },
	}
	for name, answer := range answers {
		w := httptest.NewRecorder()
		answer(w)
		assert.NotContains(t, w.Body.String()+w.Header().Get("Location"), "SAMLRequest", name)
	}
	w := httptest.NewRecorder()
	require.NoError(t, s.sp.StartAutomatic(w, r, trust, saml.StartOptions{}))
	request := mustRequest(t, w.Header().Get("Location")) // which is an AuthnRequest, or this fails
	assert.Equal(t, "https://sp.example.com/sso/acs", request.ACSURL)
	assert.Empty(t, s.sessions.calls)
}
