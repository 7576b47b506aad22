package saml

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"html/template"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/logintrust/saml/internal/binding"
)

// What happens to a request whose session has ended. A host asks SSOPolicy.Route where it goes, and calls what the Way
// names.

// Visit is what decides where a request goes for which there is no session. ended is the trust of the session that ended,
// nil if the host remembers none.
func (sp *ServiceProvider) Visit(r *http.Request, ended *LoginTrust) Visit {
	return Visit{Script: isScript(r), Read: isRead(r), SSOOff: r.URL.Query().Get("sso") == "off", Paused: sp.paused(r), Ended: ended}
}

// isScript reports whether what comes back is not shown in a window: browsers say so in Sec-Fetch-Mode and -Dest, and
// scripts for those that do not in Accept.
func isScript(r *http.Request) bool {
	if mode := r.Header.Get("Sec-Fetch-Mode"); mode != "" && mode != "navigate" {
		return true
	}
	if dest := r.Header.Get("Sec-Fetch-Dest"); dest != "" && dest != "document" {
		return true
	}
	json := false
	for entry := range strings.SplitSeq(r.Header.Get("Accept"), ",") {
		kind, _, _ := mime.ParseMediaType(entry)
		if kind == "text/html" {
			return false
		}
		json = json || kind == "application/json"
	}
	return json
}

// The pause: for ten seconds nothing sends the browser to an identity provider by itself. Without it, who logs out would be
// logged in again at once, and a login that fails, or a session that ends as it begins, would go round in circles.
//
// The mark is a cookie of this very host. Whoever can write it or delete it has the browser in hand, and gains a login page
// that is shown once more, or a redirect that is made once more.
const pause = 10 * time.Second

// ErrPaused says that this browser was just logged out, refused or redirected: show the login page.
const ErrPaused = sentinel("saml: no automatic redirect so soon; show the login page")

// Pause keeps StartAutomatic from sending this browser away for the next 10 seconds. Call it when a user logs out;
// FinishLogout and WriteError do.
func (sp *ServiceProvider) Pause(w http.ResponseWriter) {
	c := &http.Cookie{Name: sp.pauseCookie(), Value: strconv.FormatInt(sp.config.Now().Unix(), 10), Path: "/", HttpOnly: true,
		MaxAge: int(pause.Seconds()), Secure: sp.secure(), SameSite: http.SameSiteLaxMode}
	http.SetCookie(w, c)
}

func (sp *ServiceProvider) pauseCookie() string {
	if sp.secure() {
		return "__Host-saml-pause"
	}
	return "saml-pause"
}

func (sp *ServiceProvider) paused(r *http.Request) bool {
	c, err := r.Cookie(sp.pauseCookie())
	if err != nil {
		return false
	}
	at, err := strconv.ParseInt(c.Value, 10, 64)
	return err == nil && sp.config.Now().Sub(time.Unix(at, 0)).Abs() < pause
}

// StartAutomatic is StartLogin for a redirect that nobody clicked for, at most one for each browser in 10 seconds; then it
// is ErrPaused. Without opts.ReturnTo the login leads back to the page that was asked for, and the variables of its URL are
// passed on as far as the trust lets them.
func (sp *ServiceProvider) StartAutomatic(w http.ResponseWriter, r *http.Request, trust LoginTrust, opts StartOptions) error {
	if sp.paused(r) {
		return ErrPaused
	}
	if opts.ReturnTo == "" && isRead(r) {
		opts.ReturnTo = requestPlace(r)
	}
	if opts.PageQuery == "" {
		opts.PageQuery = r.URL.RawQuery
	}
	sp.Pause(w)
	return sp.StartLogin(w, r, trust, opts)
}

// requestPlace is the local path that was asked for, as the browser wrote it.
func requestPlace(r *http.Request) string {
	if strings.HasPrefix(r.RequestURI, "/") {
		return r.RequestURI // what http.StripPrefix took away is still there
	}
	return r.URL.RequestURI()
}

// PopupLink is LoginLink for a pop-up window: it ends by telling the window that opened it, which then goes on.
func (sp *ServiceProvider) PopupLink(trust LoginTrust) string {
	return sp.LoginLink(trust, "") + "&popup=1"
}

// popupPlace is where a login leads that was begun in a pop-up window.
func popupPlace(loginURL string) string {
	u, err := url.Parse(loginURL)
	if err != nil {
		return ""
	}
	return withQuery(localPart(u), []string{popupDone})
}

// popupDone ends the place where a login leads that was begun in a pop-up window.
const popupDone = "popup=done"

// SameUser reports whether both subjects are one lasting account at one identity provider. After a login in a pop-up window
// it says whether the page may go on: give it the subject of the session that ended. It is false for subjects that have no
// AccountKey; where users are mapped to local ones, compare those.
func (s Subject) SameUser(as Subject) bool {
	a, err1 := s.AccountKey()
	b, err2 := as.AccountKey()
	return err1 == nil && err2 == nil && a == b
}

// WriteUnauthorized answers a script: 401 with {"error":"session_expired","login_url":…}, the URL being one to open in a
// pop-up window by a click. Without trust it is the default page.
func (sp *ServiceProvider) WriteUnauthorized(w http.ResponseWriter, trust *LoginTrust) {
	loginURL := origin(sp.config.BaseURL) + sp.config.DefaultPath
	if trust != nil {
		loginURL = sp.PopupLink(*trust)
	}
	body, err := json.Marshal(struct {
		Error    string `json:"error"`
		LoginURL string `json:"login_url"`
	}{"session_expired", loginURL})
	if err != nil {
		body = []byte("{}") // strings do not fail
	}
	h := w.Header()
	binding.NoStore(h)
	h.Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusUnauthorized)
	_, _ = w.Write(body)
}

// A scriptPage is a page with one script of its own, and nothing else that runs or loads. Without scripts it says the same.
type scriptPage struct {
	script   string
	template *template.Template
}

func newScriptPage(body, script string) scriptPage {
	return scriptPage{script, template.Must(template.New("page").Parse(`<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Sign-in</title></head>
` + body + `<script>` + script + `</script>
</body>
</html>
`))}
}

func (p scriptPage) write(w http.ResponseWriter, status int, data any) {
	sum := sha256.Sum256([]byte(p.script))
	h := w.Header()
	binding.NoStore(h)
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+
		"'; base-uri 'none'; frame-ancestors 'none'; form-action 'none'")
	h.Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_ = p.template.Execute(w, data) // a browser that has gone away cannot be told
}

// The pop-up window opens by a click, which no blocker minds. When another user signed in there, the page is asked for
// anew; a form that was posted is not posted again in his name.
var endedPage = newScriptPage(`<body data-origin="{{.Origin}}">
<h1>Your session has ended</h1>
<p>Sign in again in a new window. This page stays, and goes on when you are back.</p>
<p><a id="again" href="{{.Login}}" target="_blank" rel="opener">Sign in again</a></p>
`, `var a=document.getElementById("again");
a.addEventListener("click",function(e){if(window.open(a.href,"_blank","popup,width=600,height=700"))e.preventDefault()});
window.addEventListener("message",function(e){if(e.origin!==document.body.dataset.origin||!e.data)return;
if(e.data.type==="sso-done")location.reload();
if(e.data.type==="sso-other-user")location.replace(location.href.split("#")[0])});`)

// WriteSessionEnded answers a request whose session has ended with a page from which a pop-up window signs the user in
// again, and which then asks for what it stands for once more. Pages of the host that keep unsaved work do the same
// themselves: they open the login_url of WriteUnauthorized in a window by a click, and listen for its message from their
// own origin. On {type:"sso-done"} the same user is back and they go on; on {type:"sso-other-user"} they must load anew.
func (sp *ServiceProvider) WriteSessionEnded(w http.ResponseWriter, trust LoginTrust) {
	endedPage.write(w, http.StatusUnauthorized, struct{ Origin, Login string }{origin(sp.config.BaseURL), sp.PopupLink(trust)})
}

var popupPage = newScriptPage(`<body data-origin="{{.Origin}}" data-type="{{.Type}}">
<h1>You may close this window</h1>
<p>Signing in is finished. Load the other window anew.</p>
`, `var d=document.body.dataset;
if(window.opener)window.opener.postMessage({type:d.type},d.origin);
window.close();`)

// FinishPopup answers a login with Login.Popup: its page tells the window that opened it, and nobody else, and closes. same
// says that the user is the one whose session ended there; see Subject.SameUser. A host that redirects to Login.ReturnTo
// instead, and so has not looked, ends with a page that says that it is another.
func (sp *ServiceProvider) FinishPopup(w http.ResponseWriter, same bool) {
	kind := "sso-other-user"
	if same {
		kind = "sso-done"
	}
	popupPage.write(w, http.StatusOK, struct{ Origin, Type string }{origin(sp.config.BaseURL), kind})
}

var closingPage = newScriptPage(`<body>
<h1>You are signed out</h1>
<p>You may close this window.</p>
<p><a href="{{.Place}}">{{.Description}}</a></p>
`, `window.close();`)

// FinishLogout answers a logout, after the host has ended its session: it sends the browser where AfterLogout says, or
// closes its window, and pauses automatic redirects.
func (sp *ServiceProvider) FinishLogout(w http.ResponseWriter, trust LoginTrust) {
	place, closes := trust.AfterLogout()
	if checkURL(place) != nil {
		place = ""
	}
	place = cmp.Or(place, sp.config.DefaultPath)
	sp.Pause(w)
	if closes {
		closingPage.write(w, http.StatusOK, struct{ Place, Description string }{place, trust.Description})
		return
	}
	binding.SeeOther(w, place)
}
