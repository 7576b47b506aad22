package e2e_test

import (
	"net/http"
	"net/http/httptest"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml"
	"github.com/logintrust/saml/internal/oracle"
	"github.com/logintrust/saml/samltest"
)

// A real browser submits our page by itself, under the strict Content-Security-Policy that it comes with, and brings the
// cookie that binds the answer to it: a whole login without a click.
//
// req: PO-CSP PO-COOKIE
func TestChromium(t *testing.T) {
	t.Parallel()
	chromium := oracle.Need(t, "chromium")
	idp := samltest.NewIdP(t)
	mux, base := serve(t)
	trust := idp.Trust()
	trust.LoginURL, trust.LoginPostURL = "", base+"/idp"
	sp, err := saml.New(saml.Config{BaseURL: base, Trusts: saml.NewMemoryTrusts(trust), State: saml.NewMemoryState()})
	require.NoError(t, err)
	requests := make(chan samltest.Request, 1)
	mux.Handle("/sso/", sp.Handler(func(w http.ResponseWriter, r *http.Request, login *saml.Login) {
		http.Redirect(w, r, login.ReturnTo(), http.StatusSeeOther)
	}))
	mux.HandleFunc("/idp", func(w http.ResponseWriter, r *http.Request) {
		request, err := samltest.ParseRequest(r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		requests <- request
		form := idp.Answer(request).Form()
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte(`<form method="post" action="` + request.ACSURL + `"><input type="hidden" name="SAMLResponse" value="` +
			form.Get("SAMLResponse") + `"></form><script>document.forms[0].submit()</script>`))
	})
	mux.HandleFunc("/inbox", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("you have mail")) })
	page := browse(t, chromium, sp.LoginLink(trust, "/inbox"), "--virtual-time-budget=10000")
	assert.Contains(t, page, "you have mail")
	select {
	case request := <-requests:
		assert.True(t, strings.HasPrefix(request.ACSURL, base))
	default:
		assert.Fail(t, "the form was not posted")
	}
}

// serve serves a mux at an address that is known before anything is in it.
func serve(t *testing.T) (mux *http.ServeMux, base string) {
	t.Helper()
	mux = http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return mux, server.URL
}

// browse has Chromium load a page, and returns what it shows in the end.
func browse(t *testing.T, chromium, place string, options ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), chromium, slices.Concat([]string{"--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
		"--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--user-data-dir=" + t.TempDir(),
		"--timeout=20000", "--dump-dom"}, options, []string{place})...)
	cmd.WaitDelay = 5 * time.Second
	page, err := cmd.Output()
	require.NoError(t, err)
	return string(page)
}
