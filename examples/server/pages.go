package main

import (
	"bytes"
	"context"
	"errors"
	"html/template"
	"log/slog"
	"net/http"
	"net/url"
	"strings"

	"github.com/logintrust/saml"
)

// An app is the application: a page for everybody, one for those who are signed in, and the ways in and out.
type app struct {
	sp       *saml.ServiceProvider
	trusts   *saml.MemoryTrusts
	baseURL  string
	sessions *sessionStore
	offers   *sessionStore // logins that the identity provider began, on their way to becoming sessions
	pages    *template.Template
	log      *slog.Logger

	singleLogout bool
}

func newApp(baseURL string, trusts *saml.MemoryTrusts, users saml.UserDirectory, keys []saml.KeyPair, log *slog.Logger) (*app, error) {
	base, err := url.Parse(baseURL)
	if err != nil || strings.Trim(base.Path, "/") != "" {
		return nil, errors.New("-base-url must be a URL without path, like https://app.example.com")
	}
	secure := base.Scheme == "https"
	a := &app{trusts: trusts, baseURL: strings.TrimRight(baseURL, "/"), log: log,
		sessions: newSessionStore("session", sessionLife, secure), offers: newSessionStore("offer", offerLife, secure),
		pages: template.Must(template.New("").Parse(pageTexts))}
	config := saml.Config{BaseURL: baseURL, Trusts: trusts, State: saml.NewMemoryState(), Users: users, SigningKeys: keys, OnRefusal: a.refused}
	if len(keys) > 0 { // messages of single logout are signed
		config.Sessions, config.EndSession, a.singleLogout = a, a.endSession, true
	}
	a.sp, err = saml.New(config)
	return a, err
}

// EndSessions ends what an identity provider says is over. It needs no cookie: the sessions are found by what the library gave
// for them.
func (a *app) EndSessions(_ context.Context, logout saml.Logout) (ended int, err error) {
	ended = a.sessions.endAll(logout) + a.offers.endAll(logout)
	a.log.Info("signed out by the identity provider", "domain", logout.Domain, "sessions", ended)
	return ended, nil
}

// endSession ends the session of this browser. The library then asks the identity provider to end its own.
func (a *app) endSession(w http.ResponseWriter, r *http.Request) (session saml.LoginSession, found bool, err error) {
	current, found := a.sessions.find(r)
	a.sessions.end(w, r)
	if !found {
		return saml.LoginSession{}, false, nil
	}
	return current.login.Session(), true, nil
}

func (a *app) handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/sso/", a.sp.Handler(a.finish))
	mux.HandleFunc("GET /{$}", a.serveHome)
	mux.HandleFunc("GET /login-required", a.serveMembers)
	mux.HandleFunc("GET /continue", a.serveContinue)
	mux.HandleFunc("GET /style.css", serveStyle)
	// A form on another site must neither sign people out nor decide for them.
	own := http.NewCrossOriginProtection()
	mux.Handle("POST /continue", own.Handler(http.HandlerFunc(a.acceptOffer)))
	mux.Handle("POST /logout", own.Handler(http.HandlerFunc(a.logout)))
	return mux
}

// finish is called when somebody has signed in. A login that nobody asked for becomes no session yet: it may be an attacker
// who signs the victim's browser in to an account of his own. It is offered on a page of ours, where the browser sends the
// session that it has, which it keeps back here, since another site posts.
func (a *app) finish(w http.ResponseWriter, r *http.Request, login *saml.Login) {
	user, _ := login.User()
	a.log.Info("signed in", "user", user.ID, "created", login.Created(), "domain", login.Trust().Domain, "assertion", login.ID(), "unsolicited", login.Unsolicited())
	if login.Unsolicited() {
		a.offers.start(w, r, login)
		http.Redirect(w, r, "/continue", http.StatusSeeOther)
		return
	}
	a.sessions.start(w, r, login)
	http.Redirect(w, r, login.ReturnTo(), http.StatusSeeOther)
}

// refused is called for each refused login. Its user sees the reference, and whoever is asked for help finds it here.
func (a *app) refused(ctx context.Context, _ *http.Request, reference string, err *saml.Error) {
	a.log.Warn("login refused", "reason", string(err.Reason), "reference", reference, "detail", err.Error(), "report", err.Report(ctx))
}

// serveContinue turns an offered login into a session, but asks first if that would replace somebody else's.
func (a *app) serveContinue(w http.ResponseWriter, r *http.Request) {
	offer, found := a.offers.find(r)
	if !found {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return
	}
	if current, found := a.sessions.find(r); found && current.login.Subject() != offer.login.Subject() {
		a.show(w, "continue", page{Login: describe(current), Offer: describe(offer)})
		return
	}
	a.acceptOffer(w, r)
}

func (a *app) acceptOffer(w http.ResponseWriter, r *http.Request) {
	offer, found := a.offers.find(r)
	if !found {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return
	}
	a.offers.end(w, r)
	a.sessions.start(w, r, offer.login)
	http.Redirect(w, r, offer.login.ReturnTo(), http.StatusSeeOther)
}

// logout ends the session here, and that alone: it serves where there is no key for single logout.
func (a *app) logout(w http.ResponseWriter, r *http.Request) {
	a.sessions.end(w, r)
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func (a *app) serveHome(w http.ResponseWriter, r *http.Request) {
	current, found := a.sessions.find(r)
	if !found {
		a.show(w, "welcome", page{Ways: a.ways("/")})
		return
	}
	a.show(w, "home", page{Login: describe(current)})
}

// serveMembers is a page for those who are signed in; the login leads back to it, query included.
func (a *app) serveMembers(w http.ResponseWriter, r *http.Request) {
	current, found := a.sessions.find(r)
	if !found {
		a.show(w, "welcome", page{Ways: a.ways(r.URL.RequestURI()), Required: true})
		return
	}
	a.show(w, "members", page{Login: describe(current), Place: r.URL.RequestURI()})
}

// A way is how to sign in with one identity provider.
type way struct{ Description, Redirect, POST string }

func (a *app) ways(target string) (list []way) {
	for _, trust := range a.trusts.All() {
		link := a.sp.LoginLink(trust, target)
		list = append(list, way{trust.Description, link, link + "&binding=post"})
	}
	return list
}

// A page is what a template shows.
type page struct {
	Ways     []way
	Required bool
	Login    *loginView
	Offer    *loginView
	Place    string
	Metadata string
	SignOut  string
}

// A loginView is a session as a page shows it.
type loginView struct {
	Name       string
	Trust      string
	NameID     saml.NameID
	Rows       []row
	Attributes []row
}

// A row is a line of a table.
type row struct {
	Name   string
	Values []string
}

func describe(s session) *loginView {
	login := s.login
	v := &loginView{Name: displayName(login), Trust: login.Trust().Description, NameID: login.Subject().NameID}
	v.Rows = []row{
		{"Name ID", []string{v.NameID.Value}},
		{"Format", []string{v.NameID.Format}},
		{"Signed in by", []string{v.Trust}},
		{"Its entity ID", []string{login.Issuer()}},
		{"Authentication", login.AuthnContext()},
		{"Session at the identity provider", login.SessionIndexes()},
		{"Signed in since", []string{s.since.UTC().Format("2006-01-02 15:04:05 MST")}},
		{"Until", []string{s.expires.UTC().Format("2006-01-02 15:04:05 MST")}},
	}
	if user, found := login.User(); found {
		v.Rows = append(v.Rows, row{"Local user", []string{user.Username}}, row{"Roles", user.Roles})
	}
	if key, err := login.Subject().AccountKey(); err == nil {
		v.Rows = append(v.Rows, row{"Account key", []string{key}})
	}
	for _, a := range login.Attributes() {
		name := a.Name
		if a.FriendlyName != "" {
			name += " (" + a.FriendlyName + ")"
		}
		v.Attributes = append(v.Attributes, row{name, a.Values})
	}
	return v
}

// displayName picks a name for people from the attributes that products send, or else the name ID.
func displayName(login *saml.Login) string {
	first := func(names ...string) string {
		for _, name := range names {
			if values := login.Attribute(name); len(values) > 0 && values[0] != "" {
				return values[0]
			}
		}
		return ""
	}
	given := first("firstname", "givenName", "urn:oid:2.5.4.42", "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/givenname")
	family := first("lastname", "sn", "surname", "urn:oid:2.5.4.4", "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/surname")
	if name := strings.TrimSpace(given + " " + family); name != "" {
		return name
	}
	if name := first("displayName", "urn:oid:2.16.840.1.113730.3.1.241", "cn", "urn:oid:2.5.4.3"); name != "" {
		return name
	}
	return login.Subject().NameID.Value
}

const pageTexts = `
{{define "top"}}<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{.}}</title>
<link rel="stylesheet" href="/style.css">
</head>
<body>
<main>
<h1>{{.}}</h1>{{end}}

{{define "bottom"}}</main>
</body>
</html>
{{end}}

{{define "table"}}<table>
{{range .}}<tr><th scope="row">{{.Name}}</th><td>{{range .Values}}<div>{{.}}</div>{{else}}–{{end}}</td></tr>
{{end}}</table>{{end}}

{{define "welcome"}}{{template "top" "Welcome"}}
<p>{{if .Required}}This page is for people who are signed in.{{else}}You are not signed in.{{end}}</p>
{{range .Ways}}<p><a class="button" href="{{.Redirect}}">Sign in with {{.Description}}</a> <a href="{{.POST}}">or by HTTP-POST</a></p>
{{else}}<p>There is no identity provider yet. Give it our metadata, and start the server again with
<code>-idp-metadata FILE</code>, its own.</p>
{{end}}<p><a href="/login-required?page=deep">A page for members</a> · <a href="{{.Metadata}}">Our metadata</a></p>
{{template "bottom"}}{{end}}

{{define "home"}}{{template "top" "You are signed in"}}
<p>Hello <strong>{{.Login.Name}}</strong>, you came by {{.Login.Trust}}.</p>
{{template "table" .Login.Rows}}
<h2>Attributes</h2>
{{template "table" .Login.Attributes}}
<form method="post" action="{{.SignOut}}"><button>Sign out</button></form>
<p class="note">{{if eq .SignOut "/logout"}}This ends the session here. The one at the identity provider goes on: single logout needs a
key.{{else}}This ends the session here, and asks the identity provider to end its own.{{end}}</p>
<p><a href="/login-required?page=deep">A page for members</a> · <a href="{{.Metadata}}">Our metadata</a></p>
{{template "bottom"}}{{end}}

{{define "members"}}{{template "top" "For members"}}
<p>Hello <strong>{{.Login.Name}}</strong>, this is <code>{{.Place}}</code>, which you asked for.</p>
<p><a href="/">Home</a></p>
{{template "bottom"}}{{end}}

{{define "continue"}}{{template "top" "Continue?"}}
<p>You are signed in as <strong>{{.Login.Name}}</strong>, by {{.Login.Trust}}. Your identity provider now says that you are
<strong>{{.Offer.Name}}</strong>, by {{.Offer.Trust}}.</p>
<form method="post" action="/continue"><button>Continue as {{.Offer.Name}}</button></form>
<p><a href="/">Stay {{.Login.Name}}</a></p>
{{template "bottom"}}{{end}}
`

// show writes a page: no scripts, no frames, nothing from elsewhere, nothing kept.
func (a *app) show(w http.ResponseWriter, name string, data page) {
	data.Metadata, data.SignOut = "/sso/metadata", "/logout"
	if a.singleLogout {
		data.SignOut = "/sso/logout"
	}
	var body bytes.Buffer
	if err := a.pages.ExecuteTemplate(&body, name, data); err != nil {
		a.log.Error("page", "name", name, "error", err)
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	// form-action is left out: Chromium holds it against the redirects behind a form too, and signing out leads to the identity
	// provider.
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("X-Content-Type-Options", "nosniff")
	if _, err := body.WriteTo(w); err != nil {
		a.log.Debug("page", "name", name, "error", err)
	}
}

const style = `:root { color-scheme: light dark; --line: color-mix(in srgb, currentColor 20%, transparent) }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 44rem; margin: 3rem auto; padding: 0 1rem }
h1 { font-size: 1.6rem } h2 { font-size: 1.2rem; margin-top: 2rem }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; vertical-align: top; padding: .35rem .5rem; border-top: 1px solid var(--line); overflow-wrap: anywhere }
th { font-weight: 500; width: 14rem }
code { overflow-wrap: anywhere }
form { margin-top: 2rem }
button, .button { display: inline-block; font: inherit; padding: .4rem 1rem; border: 1px solid #1d5fbf; border-radius: .4rem;
  background: #1d5fbf; color: #fff; text-decoration: none; cursor: pointer }
.note { font-size: .9rem; opacity: .75 }
`

func serveStyle(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write([]byte(style)) // the browser has gone if this fails
}
