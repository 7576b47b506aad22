package binding

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"html/template"
	"net/http"
)

// A Form is a message for the HTTP-POST binding (SAML Bindings 3.5): what a page of the browser posts.
type Form struct {
	Action string
	Fields []Field
	// Leaving says that the user signs out, not in.
	Leaving bool
	// Frame is the origin whose pages may show this one in a frame; "" is none.
	Frame string
}

// A Field is one hidden control.
type Field struct{ Name, Value string }

const submitScript = "document.forms[0].submit()"

// ScriptHash is the Content-Security-Policy source for the one script of the page.
func ScriptHash() string {
	sum := sha256.Sum256([]byte(submitScript))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// The page is XHTML, as SAML Bindings 3.5.4 has it, and is read as HTML all the same. Its button works without scripts.
var page = template.Must(template.New("post").Parse(`<!DOCTYPE html>
<html xmlns="http://www.w3.org/1999/xhtml" lang="en">
<head><meta charset="utf-8"/><title>Signing {{.Way}}</title></head>
<body>
<form method="post" action="{{.Action}}">
{{range .Fields}}<input type="hidden" name="{{.Name}}" value="{{.Value}}"/>
{{end}}<p>Signing you {{.Way}}. If nothing happens, press Continue.</p>
<p><button type="submit">Continue</button></p>
</form>
<script>` + submitScript + `</script>
</body>
</html>
`))

// Page renders the page that submits the form by itself, or by its button where scripts are off.
func (f Form) Page() ([]byte, error) {
	// The action has been checked by who made the form; html/template would blank a scheme that it does not know.
	way := "in"
	if f.Leaving {
		way = "out"
	}
	var b bytes.Buffer
	err := page.Execute(&b, struct {
		Action template.URL
		Fields []Field
		Way    string
	}{template.URL(f.Action), f.Fields, way})
	return b.Bytes(), err
}

// Write answers a request with the page. On an error nothing has been written.
func (f Form) Write(w http.ResponseWriter) error {
	b, err := f.Page()
	if err != nil {
		return err
	}
	h := w.Header()
	NoStore(h)
	ancestors := "'none'"
	if f.Frame != "" {
		ancestors = f.Frame
		h.Del("X-Frame-Options") // which knows no origins
	}
	// form-action is left out: browsers hold it against redirects of the peer too.
	h.Set("Content-Security-Policy", "default-src 'none'; script-src "+ScriptHash()+"; base-uri 'none'; frame-ancestors "+ancestors)
	h.Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(b) // a browser that has gone away cannot be told
	return nil
}

// SeeOther sends the browser on to a place, by a GET.
func SeeOther(w http.ResponseWriter, place string) {
	NoStore(w.Header())
	w.Header().Set("Location", place)
	w.WriteHeader(http.StatusSeeOther)
}

// NoStore sets the headers that every page and redirect with a message in it carries (SAML Bindings 3.4.5.1, 3.5.5.1).
func NoStore(h http.Header) {
	h.Set("Cache-Control", "no-cache, no-store")
	h.Set("Pragma", "no-cache")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
}
