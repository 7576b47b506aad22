package samltest

import (
	"bytes"
	"crypto/rand"
	"html/template"
	"net/http"
)

// pageTexts are the IdP's pages. They work without JavaScript; the one script saves a click.
const pageTexts = `
{{define "top"}}<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{.Title}}</title>
<style nonce="{{.Nonce}}">
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 26rem; margin: 4rem auto; padding: 0 1rem }
label, input, textarea, button { display: block; font: inherit }
input, textarea { width: 100%; box-sizing: border-box; padding: .4rem; margin-bottom: 1rem }
button { padding: .4rem 1.2rem }
[role=alert] { color: #a00 }
code { overflow-wrap: anywhere }
</style>
</head>
<body>
<main>
<h1>{{.Title}}</h1>{{end}}
{{define "bottom"}}</main>
</body>
</html>
{{end}}
{{define "signin"}}{{template "top" .}}
<p>to continue to <code>{{.SP}}</code></p>
{{if .Wrong}}<p role="alert">Unknown user name or wrong password.</p>{{end}}
<form method="post" action="{{.Action}}">
{{range .Fields}}<input type="hidden" name="{{.Name}}" value="{{.Value}}">
{{end}}<label for="username">User name</label>
<input id="username" name="username" autocomplete="username" required autofocus>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required>
<button>Sign in</button>
</form>
{{template "bottom" .}}{{end}}
{{define "post"}}{{template "top" .}}
<form id="answer" method="post" action="{{.Action}}">
{{if .Request}}<input type="hidden" name="SAMLRequest" value="{{.Request}}">
{{end}}{{if .Response}}<input type="hidden" name="SAMLResponse" value="{{.Response}}">
{{end}}{{if .RelayState}}<input type="hidden" name="RelayState" value="{{.RelayState}}">
{{end}}<button>Continue</button>
</form>
<script nonce="{{.Nonce}}">document.getElementById("answer").submit()</script>
{{template "bottom" .}}{{end}}
{{define "home"}}{{template "top" .}}
<p><code>{{.EntityID}}</code>, an identity provider for tests{{with .Product}} that writes like {{.}}{{end}}.
Its <a href="{{.Metadata}}">metadata</a>.</p>
{{if .User}}<form method="post" action="{{.SignOut}}"><p>Signed in as {{.User}}.</p><button>Sign out</button></form>{{end}}
<ul>
{{range .SPs}}<li><a href="{{.URL}}">{{.EntityID}}</a></li>
{{end}}</ul>
{{if .Register}}<form method="post" action="{{.Register}}">
<label for="metadata">Metadata of a service provider</label>
<textarea id="metadata" name="metadata" rows="8" required></textarea>
<button>Register</button>
</form>{{end}}
{{template "bottom" .}}{{end}}
{{define "refusal"}}{{template "top" .}}
<p role="alert">{{.Text}}</p>
{{template "bottom" .}}{{end}}
`

func parsePages() *template.Template { return template.Must(template.New("").Parse(pageTexts)) }

// frame is what every page has.
type frame struct {
	Title string
	Nonce string
}

func (f *frame) set(title, nonce string) { *f = frame{Title: title, Nonce: nonce} }

// page is a page's data.
type page interface{ set(title, nonce string) }

type signInPage struct {
	frame
	Action string
	SP     string
	Fields []field
	Wrong  bool
}

// field is a hidden field of a form.
type field struct{ Name, Value string }

type postPage struct {
	frame
	Action     string
	Request    string
	Response   string
	RelayState string
}

type homePage struct {
	frame
	EntityID string
	Product  string
	Metadata string
	User     string
	SignOut  string
	Register string // empty: nobody can
	SPs      []spLink
}

type spLink struct{ EntityID, URL string }

type refusalPage struct {
	frame
	Text string
}

// show writes a page. There is no form-action in its policy: Chromium applies that to the redirects after the form too, and
// where the service provider leads next is its own affair.
func (s *site) show(w http.ResponseWriter, status int, name string, data page) {
	nonce := rand.Text()
	data.set(titleOf(name), nonce)
	var body bytes.Buffer
	if err := s.pages.ExecuteTemplate(&body, name, data); err != nil {
		http.Error(w, "samltest: "+err.Error(), http.StatusInternalServerError)
		return
	}
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Content-Security-Policy", "default-src 'none'; style-src 'nonce-"+nonce+"'; script-src 'nonce-"+nonce+
		"'; base-uri 'none'; frame-ancestors 'none'")
	header.Set("Cache-Control", "no-store")
	header.Set("Referrer-Policy", "same-origin") // no-referrer would make the sign-in form's Origin null
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("X-Frame-Options", "DENY")
	w.WriteHeader(status)
	_, _ = w.Write(body.Bytes())
}

func titleOf(name string) string {
	switch name {
	case "signin":
		return "Sign in"
	case "post":
		return "One moment"
	case "home":
		return "Test identity provider"
	}
	return "That did not work"
}
