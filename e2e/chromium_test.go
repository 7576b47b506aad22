package e2e_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
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
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	base := "http://" + listener.Addr().String()

	trust := idp.Trust()
	trust.LoginURL, trust.LoginPostURL = "", base+"/idp"
	sp, err := saml.New(saml.Config{BaseURL: base, Trusts: saml.NewMemoryTrusts(trust), State: saml.NewMemoryState()})
	require.NoError(t, err)
	requests := make(chan samltest.Request, 1)
	mux := http.NewServeMux()
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
	server := &httptest.Server{Listener: listener, Config: &http.Server{Handler: mux}}
	server.Start()
	defer server.Close()

	cmd := exec.CommandContext(t.Context(), chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--user-data-dir="+t.TempDir(),
		"--timeout=20000", "--virtual-time-budget=10000", "--dump-dom", sp.LoginLink(trust, "/inbox"))
	cmd.WaitDelay = 5 * time.Second
	page, err := cmd.Output()
	require.NoError(t, err)
	assert.Contains(t, string(page), "you have mail")
	select {
	case request := <-requests:
		assert.True(t, strings.HasPrefix(request.ACSURL, base))
	default:
		assert.Fail(t, "the form was not posted")
	}
}
