package samltest_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	saml "github.com/logintrust/saml"
	"github.com/logintrust/saml/samltest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Login is a host's test in three lines; the host's own page is what comes back.
func TestLogin(t *testing.T) {
	t.Parallel()
	idp := samltest.NewIdP(t)
	h := newHost(t, saml.Config{}, idp.Trust())
	page := idp.Login(t, h.handler, h.sp.LoginLink(idp.Trust(), "/reports"))
	assert.Equal(t, http.StatusOK, page.Status)
	assert.Equal(t, "welcome to /reports", page.Body)
	page = idp.Login(t, h.handler, "") // by now it is registered
	assert.Equal(t, "welcome to /", page.Body)
}

// failing is a test that fails without ending this one.
type failing struct {
	testing.TB
	text string
}

func (f *failing) Helper() {}
func (f *failing) Fatal(args ...any) {
	f.text = args[0].(error).Error()
	panic(f)
}
func (f *failing) Fatalf(format string, args ...any) {
	f.text = fmt.Sprintf(format, args...)
	panic(f)
}

// Login fails the test of a host that does not sign in, each for its own reason.
func TestLoginFails(t *testing.T) {
	t.Parallel()
	idp := samltest.NewIdP(t)
	other, err := samltest.New(samltest.Options{EntityID: "https://other.example.com", SSOURL: idp.SSOURL})
	require.NoError(t, err)
	deaf := newHost(t, saml.Config{}, other.Trust()) // knows another IdP at the address of this one
	loop := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/", http.StatusFound) })
	page := func(status int, body string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		})
	}
	for _, tt := range []struct {
		name    string
		handler http.Handler
		url     string
		want    string
	}{
		{"refused", deaf.handler, deaf.sp.LoginLink(other.Trust(), "/"), `the login ended with status 403 at https://app.example.com/sso/acs, with the page "`},
		{"error", page(500, "<html><style>p {}</style>out of &lt;order&gt; "+strings.Repeat("x", 300)+"y"), "https://app.example.com/", `status 500 at https://app.example.com/, before the identity provider answered, with the page "out of <order> ` + strings.Repeat("x", 285) + `"`},
		{"empty", page(500, ""), "https://app.example.com/", "with an empty page"},
		{"no way on", page(200, "hello"), "https://app.example.com/", `leads to no identity provider: status 200, with the page "hello"`},
		{"loop", loop, "https://app.example.com/", "no end after"},
		{"relative", loop, "/login", "want an absolute one"},
		{"unknown", loop, "", "AddSPMetadata(sp.Metadata())"},
	} {
		func() {
			f := &failing{TB: t}
			defer func() {
				recover()
				assert.Contains(t, f.text, tt.want, tt.name)
			}()
			samltest.NewIdP(t).Login(f, tt.handler, tt.url)
			t.Error(tt.name, "signed in")
		}()
	}

	// A wrong password ends at the IdP.
	h := newHost(t, saml.Config{}, idp.Trust())
	require.NoError(t, idp.AddSPMetadata(h.sp.Metadata()))
	browser := h.browser(idp)
	_, err = browser.SignIn(browser.Get(h.sp.LoginLink(idp.Trust(), "/")), "alice", "wrong")
	require.ErrorContains(t, err, "status 403 at https://idp.example.com/sso")
}
