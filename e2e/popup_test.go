package e2e_test

import (
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml"
	"github.com/logintrust/saml/internal/oracle"
	"github.com/logintrust/saml/samltest"
)

// In a real browser a session ends, a click opens a pop-up window, its login ends with a word to the window that opened it,
// and that one goes on: all under the strict Content-Security-Policy of the pages.
//
// req: LT-22
func TestChromiumPopup(t *testing.T) {
	t.Parallel()
	chromium := oracle.Need(t, "chromium")
	idp := samltest.NewIdP(t)
	mux, base := serve(t)
	trust := idp.Trust()
	trust.LoginURL = base + "/idp"
	sp, err := saml.New(saml.Config{BaseURL: base, Trusts: saml.NewMemoryTrusts(trust), State: saml.NewMemoryState()})
	require.NoError(t, err)
	var signedIn atomic.Bool
	mux.Handle("/sso/", sp.Handler(func(w http.ResponseWriter, _ *http.Request, login *saml.Login) {
		assert.True(t, login.Popup())
		signedIn.Store(true)
		sp.FinishPopup(w, true)
	}))
	mux.HandleFunc("/idp", func(w http.ResponseWriter, r *http.Request) {
		request, err := samltest.ParseRequest(r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte(`<form method="post" action="` + request.ACSURL + `"><input type="hidden" name="SAMLResponse" value="` +
			idp.Answer(request).Form().Get("SAMLResponse") + `"></form><script>document.forms[0].submit()</script>`))
	})
	mux.HandleFunc("/chart", func(w http.ResponseWriter, r *http.Request) {
		if !signedIn.Load() {
			sp.WriteSessionEnded(w, trust)
			return
		}
		_, _ = w.Write([]byte("the chart of room 7"))
	})
	// A page that stands for the user: it opens the chart in a window, clicks there, and tells what it sees there. It is not
	// loaded, which would end the browser, before that is the chart.
	seen := make(chan struct{})
	var once sync.Once
	mux.HandleFunc("POST /seen", func(_ http.ResponseWriter, r *http.Request) {
		if text, err := io.ReadAll(r.Body); err == nil && string(text) == "the chart of room 7" {
			once.Do(func() { close(seen) })
		}
	})
	mux.HandleFunc("/wait", func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-seen:
		case <-r.Context().Done():
		}
	})
	mux.HandleFunc("/user", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte(`<img src="/wait"><script>
var chart=window.open("/chart"),clicked=false;
setInterval(function(){var body=chart.document.body;if(!body)return;
var again=chart.document.getElementById("again");
if(again&&!clicked){clicked=true;again.click()}
fetch("/seen",{method:"POST",body:body.innerText})},100)</script>`))
	})
	browse(t, chromium, base+"/user", "--disable-popup-blocking")
	assert.True(t, signedIn.Load())
	select {
	case <-seen:
	default:
		assert.Fail(t, "the window that opened the pop-up did not go on")
	}
}
