package saml

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"html/template"
	"io"
	"mime"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/logintrust/saml/internal/binding"
	"github.com/logintrust/saml/internal/wire"
)

// ErrAnswered says that the response has been written and there is nothing left to do: the browser was asked for its
// cookie once more, or sent where an earlier submit of the same form had led.
const ErrAnswered = sentinel("saml: the response has been written")

// Handler serves everything: GET {MetadataURL} (with ?download as a file), GET {LoginURL}?entityID=…&target=…, POST {ACSURL}
// and, with Config.Sessions, {LogoutURL}: GET and POST for messages of single logout, and with Config.EndSession a POST from a
// page of ours without message, to log out; with Config.NameIDs, GET and POST {NameIDURL}; the first rung of the API. LoginURL also takes forceAuthn, isPassive (SAML V2.0
// request initiation), binding=post and popup=1, for a login in a pop-up window; without entityID it asks
// Config.DiscoveryURL, if there is one. With Config.Artifacts a GET of ACSURL may bring one. onLogin starts the host's session
// and answers, as a rule with
//
//	http.Redirect(w, r, login.ReturnTo(), http.StatusSeeOther)
//
// Identity providers post to the assertion consumer service, and to LogoutURL, from their own site. So mount the handler outside
// of application-wide protection against cross-site request forgery, which would refuse these posts: a login is bound to the
// browser that began it, and the handler protects its own logout button itself.
//
// If BaseURL has a path, the handler serves with it and, behind http.StripPrefix, without.
func (sp *ServiceProvider) Handler(onLogin func(w http.ResponseWriter, r *http.Request, login *Login)) http.Handler {
	if onLogin == nil {
		panic("saml: Handler needs onLogin")
	}
	routes := make(map[string]http.HandlerFunc)
	mount := func(place string, h http.HandlerFunc) {
		path := pathOf(place)
		routes[path] = h
		if stripped, ok := strings.CutPrefix(path, strings.TrimRight(pathOf(sp.config.BaseURL), "/")); ok {
			routes[stripped] = h
		}
	}
	mount(sp.config.MetadataURL, sp.serveMetadata)
	mount(sp.config.LoginURL, sp.serveLogin)
	if sp.config.Sessions != nil {
		mount(sp.config.LogoutURL, sp.serveLogout)
	}
	if sp.config.NameIDs != nil {
		mount(sp.config.NameIDURL, sp.serveNameID)
	}
	mount(sp.config.ACSURL, func(w http.ResponseWriter, r *http.Request) {
		login, err := sp.FinishLogin(w, r)
		switch {
		case errors.Is(err, ErrAnswered):
		case errors.Is(err, PasswordRequired) && sp.config.AskPassword != nil:
			sp.config.AskPassword(w, r, passwordStep(err))
		case err != nil:
			sp.WriteError(w, r, err)
		default:
			onLogin(w, r, login)
		}
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h, found := routes[r.URL.Path]
		if !found {
			http.NotFound(w, r)
			return
		}
		h(w, r)
	})
}

func pathOf(place string) string {
	u, err := url.Parse(place)
	if err != nil {
		return ""
	}
	return u.Path
}

func (sp *ServiceProvider) serveMetadata(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/samlmetadata+xml")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("ETag", sp.metadata.etag)
	if r.URL.Query().Has("download") {
		h.Set("Content-Disposition", `attachment; filename="`+sp.metadataFile()+`"`)
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(sp.metadata.bytes))
}

// metadataFile names the file after our host, in letters that no header and no file system minds.
func (sp *ServiceProvider) metadataFile() string {
	_, host, _ := strings.Cut(origin(sp.config.BaseURL), "://")
	return "saml-metadata-" + strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '.' {
			return r
		}
		return '-'
	}, host) + ".xml"
}

// serveLogin begins a login at the trust that the query names.
func (sp *ServiceProvider) serveLogin(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet {
		sp.WriteError(w, r, wrongMethod(r, http.MethodGet))
		return
	}
	if refused := sp.checkEnabled(r.Context()); refused != nil {
		sp.WriteError(w, r, refused)
		return
	}
	q := r.URL.Query()
	if q.Get("popup") == "done" {
		sp.FinishPopup(w, false)
		return
	}
	opts := StartOptions{ReturnTo: q.Get("target"), ForceAuthn: isTrue(q.Get("forceAuthn")), IsPassive: isTrue(q.Get("isPassive"))}
	if handle := q.Get(discoveryParam); handle != "" {
		var refused *Error
		if opts.ReturnTo, refused = sp.finishDiscovery(r, handle); refused == nil && q.Get("entityID") == "" {
			refused = refuse(NoIdPChosen, "no entityID", "the identity provider of the user's choice")
		}
		if refused != nil {
			sp.WriteError(w, r, refused)
			return
		}
	} else if _, byPAOS := sp.asksForPAOS(r); q.Get("entityID") == "" && sp.config.DiscoveryURL != "" && !byPAOS {
		if err := sp.StartDiscovery(w, r, opts); err != nil {
			sp.WriteError(w, r, err)
		}
		return
	}
	trust, found, err := sp.config.Trusts.FindTrust(r.Context(), q.Get("entityID"))
	switch {
	case err != nil:
		sp.WriteError(w, r, storeFailed(err))
		return
	case !found:
		sp.WriteError(w, r, refuse(UnknownDomain, quoted(q.Get("entityID")), "the Domain of a login trust"))
		return
	}
	if q.Get("popup") == "1" {
		opts.ReturnTo = sp.popupEnd
	}
	if q.Get("binding") == "post" && trust.Initiation == InitiatedBySP {
		opts.Binding = POSTBinding
	}
	if err := sp.StartLogin(w, r, trust, opts); err != nil {
		sp.WriteError(w, r, err)
	}
}

// isTrue reads an xs:boolean.
func isTrue(s string) bool { return s == "true" || s == "1" }

// StartStepUp asks the user to prove that he is still there, before he signs something: the same subject as in his session,
// freshly authenticated. Any other answer is refused; the one that is right gives a Login with SteppedUp. It writes the
// response unless it returns an error.
func (sp *ServiceProvider) StartStepUp(w http.ResponseWriter, r *http.Request, trust LoginTrust, as Subject, opts StartOptions) error {
	opts.ForceAuthn, opts.SameSubject, opts.Subject = true, &as, nil
	return sp.StartLogin(w, r, trust, opts)
}

// StartLogin begins a login and sends the browser to the identity provider: the second rung of the API. It writes the
// response unless it returns an error. A browser that says it asks for a frame or a script's own use is refused.
func (sp *ServiceProvider) StartLogin(w http.ResponseWriter, r *http.Request, trust LoginTrust, opts StartOptions) error {
	if refused := checkWholePage(r); refused != nil {
		return refused
	}
	if options, asks := sp.asksForPAOS(r); asks {
		opts.Binding, opts.wantSigned = PAOSBinding, slices.Contains(options, wire.ECPWantSigned)
	}
	opts.BrowserKey = sp.browserKey(r)
	started, err := sp.Request(r.Context(), trust, opts)
	if err != nil {
		return err
	}
	return sp.toIdP(w, started)
}

// checkWholePage: in a frame of another site nobody sees who signs in to what.
func checkWholePage(r *http.Request) *Error {
	if dest := r.Header.Get("Sec-Fetch-Dest"); dest != "" && dest != "document" {
		return refuse(BadRequest, "a request for a "+quoted(dest), "one for a whole page")
	}
	return nil
}

// toIdP sends the browser to the identity provider.
func (sp *ServiceProvider) toIdP(w http.ResponseWriter, started *Started) error {
	if started.BrowserKey != "" {
		sp.setBrowserKey(w, started.BrowserKey)
	}
	if started.PAOS != nil {
		binding.NoStore(w.Header())
		w.Header().Set("Content-Type", paosType)
		w.WriteHeader(http.StatusOK)
		_, _ = w.Write(started.PAOS) // a peer that has gone away cannot be told
		return nil
	}
	if started.URL == "" {
		form := binding.Form{Action: started.Action}
		for _, name := range []string{"SAMLRequest", "RelayState"} {
			form.Fields = append(form.Fields, binding.Field{Name: name, Value: started.Fields[name]})
		}
		return form.Write(w)
	}
	binding.SeeOther(w, started.URL)
	return nil
}

// FinishLogin reads the answer that the identity provider has the browser post, and returns the login: the second rung of
// the API. On ErrAnswered the response is written; on any other error, which is an *Error, the host answers, best with
// WriteError. The answer to a login should be a redirect (303), so that a reload does not post again. It is never answered
// with a new request, which would loop.
func (sp *ServiceProvider) FinishLogin(w http.ResponseWriter, r *http.Request) (*Login, error) {
	posted, hopped, refused := sp.readForm(w, r)
	if refused != nil {
		return nil, refused
	}
	if posted.Artifact != "" && posted.BrowserKey == "" && !hopped {
		// An artifact is used once: the cookie has to be there before.
		if err := sp.hop(w, posted); err != nil {
			return nil, err
		}
		return nil, ErrAnswered
	}
	login, refused := sp.validate(r.Context(), posted)
	if refused != nil && posted.PAOS != nil {
		return nil, refused // nothing that would follow is for an enhanced client
	}
	if refused != nil && isTestID(refused.answers) {
		return nil, sp.endTest(w, r, posted, hopped, refused)
	}
	switch {
	case refused == nil:
		binding.NoStore(w.Header())
		return login, nil
	case refused.repeat != nil:
		binding.SeeOther(w, refused.repeat.returnTo)
		return nil, ErrAnswered
	case refused.step != nil:
		// The browser may have no key yet, or one that ends before the step does.
		binding.NoStore(w.Header())
		sp.setBrowserKey(w, refused.step.BrowserKey)
		return nil, refused
	case refused.hop && !hopped:
		if err := sp.hop(w, posted); err != nil {
			return nil, err
		}
		return nil, ErrAnswered
	}
	return nil, refused
}

// endTest ends a test login, if its answer has come back to the browser that began it.
func (sp *ServiceProvider) endTest(w http.ResponseWriter, r *http.Request, posted Posted, hopped bool, refused *Error) error {
	if posted.BrowserKey == "" && !hopped {
		if err := sp.hop(w, posted); err != nil {
			return err
		}
		return ErrAnswered
	}
	place, found, err := sp.finishTest(r.Context(), posted, refused.answers)
	switch {
	case err != nil:
		return err
	case !found:
		return refused
	}
	binding.NoStore(w.Header())
	w.Header().Set("Location", place)
	w.WriteHeader(http.StatusSeeOther)
	return ErrAnswered
}

const hopField = "hop"

// hop asks for the cookie once more. Browsers keep a SameSite cookie back when another site posts; they send it with a
// page of our own. The message has passed every check by now that does not need its request, unless it says that it answers
// a test login.
func (sp *ServiceProvider) hop(w http.ResponseWriter, posted Posted) error {
	message := binding.Field{Name: "SAMLResponse", Value: posted.SAMLResponse}
	if posted.Artifact != "" {
		message = binding.Field{Name: artifactField, Value: posted.Artifact}
	}
	form := binding.Form{Action: sp.config.ACSURL, Fields: []binding.Field{
		message,
		{Name: "RelayState", Value: posted.RelayState},
		{Name: hopField, Value: "1"},
	}}
	return form.Write(w)
}

// readForm reads the body of a POST: that and nothing else counts (SAML Bindings 3.5).
func (sp *ServiceProvider) readForm(w http.ResponseWriter, r *http.Request) (p Posted, hopped bool, refused *Error) {
	if r.Method == http.MethodGet && sp.config.Artifacts != nil && r.URL.Query().Has(artifactField) { // SAML Bindings 3.6.3
		return sp.posted(r, r.URL.Query())
	}
	if r.Method != http.MethodPost {
		return p, false, wrongMethod(r, http.MethodPost)
	}
	if r.Body == nil {
		return p, false, refuse(BadRequest, "no body", "a form")
	}
	if sp.bringsPAOS(r) {
		p = Posted{BrowserKey: sp.browserKey(r), ClientAddress: clientAddress(r)}
		p.PAOS, refused = sp.readBody(w, r)
		return p, false, refused
	}
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/x-www-form-urlencoded" {
		return p, false, refuse(BadRequest, quoted(r.Header.Get("Content-Type")), "application/x-www-form-urlencoded")
	}
	form, refused := sp.formValues(w, r)
	if refused != nil {
		return p, false, refused
	}
	return sp.posted(r, form)
}

const artifactField = "SAMLart"

// posted takes the fields of a form.
func (sp *ServiceProvider) posted(r *http.Request, form url.Values) (p Posted, hopped bool, refused *Error) {
	if len(form["SAMLResponse"])+len(form[artifactField]) != 1 || len(form["RelayState"]) > 1 || len(form[hopField]) > 1 {
		return p, false, refuse(BadRequest, "a field that is missing or repeated", "one SAMLResponse and at most one RelayState")
	}
	p = Posted{SAMLResponse: form.Get("SAMLResponse"), Artifact: form.Get(artifactField), RelayState: form.Get("RelayState"), BrowserKey: sp.browserKey(r),
		TargetResource: only(form["TargetResource"]), Target: only(form["target"]), ClientAddress: clientAddress(r)}
	return p, form.Has(hopField), nil
}

// clientAddress is where a request comes from, the zero Addr if that is not known.
func clientAddress(r *http.Request) netip.Addr {
	if addr, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		return addr.Addr()
	}
	addr, _ := netip.ParseAddr(r.RemoteAddr) // as middleware for proxies leaves it
	return addr
}

// only is the value of a field that is there once; of one that is repeated nobody knows which is meant.
func only(values []string) string {
	if len(values) != 1 {
		return ""
	}
	return values[0]
}

// formValues returns the fields of the body, which middleware may have parsed already.
func (sp *ServiceProvider) formValues(w http.ResponseWriter, r *http.Request) (url.Values, *Error) {
	if r.PostForm != nil {
		return r.PostForm, nil
	}
	tooLarge := refuse(TooLarge, "a larger form", "a form within Config.MaxFormBytes")
	if r.ContentLength > int64(sp.config.MaxFormBytes) {
		return nil, tooLarge
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, int64(sp.config.MaxFormBytes)))
	if _, limit := errors.AsType[*http.MaxBytesError](err); limit {
		return nil, tooLarge
	}
	form, badForm := url.ParseQuery(string(body)) // not r.ParseForm, which judges the URL's query too
	if err != nil || badForm != nil {
		return nil, refuse(BadRequest, "a form that cannot be read", "application/x-www-form-urlencoded")
	}
	return form, nil
}

// cookieName: __Host- binds the cookie to exactly this host over https. On the loopback without https browsers would
// drop it, so there it is a plain one.
func (sp *ServiceProvider) cookieName() string {
	if sp.secure() {
		return "__Host-saml-browser"
	}
	return "saml-browser"
}

func (sp *ServiceProvider) secure() bool { return strings.HasPrefix(sp.config.BaseURL, "https://") }

// BrowserKey is the key that the request's browser holds, "" if it has none: for hosts that call FinishPassword, or
// Validate, from handlers of their own.
func (sp *ServiceProvider) BrowserKey(r *http.Request) string { return sp.browserKey(r) }

func (sp *ServiceProvider) browserKey(r *http.Request) string {
	c, err := r.Cookie(sp.cookieName())
	if err != nil || !isBrowserKey(c.Value) {
		return ""
	}
	return c.Value
}

// setBrowserKey keeps the key in the browser for as long as a request waits. The answer is posted from another site, so
// the cookie is SameSite=None; where a browser keeps it back all the same, there is the hop.
func (sp *ServiceProvider) setBrowserKey(w http.ResponseWriter, key string) {
	c := &http.Cookie{Name: sp.cookieName(), Value: key, Path: "/", HttpOnly: true, MaxAge: int(pendingKeep.Seconds()),
		Secure: true, SameSite: http.SameSiteNoneMode}
	if !sp.secure() {
		c.Secure, c.SameSite = false, http.SameSiteLaxMode
	}
	http.SetCookie(w, c)
}

var errorPage = template.Must(template.New("error").Parse(`<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{.Title}}</title></head>
<body>
<h1>{{.Title}}</h1>
<p>{{.Text}}</p>
<p>Reference: {{.Reference}}</p>
<p><a href="{{.Home}}">Continue</a></p>
</body>
</html>
`))

// WriteError answers a refused login with a page that helps its user and tells an attacker nothing: a sentence that many
// reasons share, and a reference under which Config.OnRefusal, which is called first, has the rest. An enhanced client gets a SOAP fault
// that says less. err may be any error.
func (sp *ServiceProvider) WriteError(w http.ResponseWriter, r *http.Request, err error) {
	refused := asError(err)
	reference := newReference()
	if sp.config.OnRefusal != nil {
		sp.config.OnRefusal(context.WithoutCancel(r.Context()), r, reference, refused)
	}
	sp.Pause(w) // an error is shown, not tried again
	h := w.Header()
	if refused.allow != "" {
		h.Set("Allow", refused.allow)
	}
	if _, asks := sp.asksForPAOS(r); asks || sp.bringsPAOS(r) {
		writeFault(w, refused.status())
		return
	}
	binding.NoStore(h)
	h.Set("Content-Security-Policy", "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'none'")
	h.Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(refused.status())
	title, text := "You are not signed in", refused.Reason.Public()
	if refused.logout {
		// It may have been about a logout that we began, or about one that has not happened.
		title, text = "Sign-out", "A message about signing you out was refused. Close the browser to be sure that you are signed out everywhere."
	}
	if refused.naming {
		title, text = "Not changed", "A message of your identity provider about your name there was refused."
	}
	_ = errorPage.Execute(w, struct{ Title, Text, Reference, Home string }{title, text, reference, cmp.Or(refused.ReturnTo, sp.config.DefaultPath)})
}

func wrongMethod(r *http.Request, allow string) *Error {
	e := refuse(BadRequest, quoted(r.Method), allow)
	e.allow = allow
	return e
}

// status is the HTTP status for a browser. It is the same for all that an attacker might tell apart.
func (e *Error) status() int {
	switch {
	case e.allow != "":
		return http.StatusMethodNotAllowed
	case e.Reason == NotConfigured:
		return http.StatusInternalServerError
	}
	switch e.Reason {
	case SSODisabled:
		return http.StatusNotFound
	case BadRequest:
		return http.StatusBadRequest
	case TooLarge:
		return http.StatusRequestEntityTooLarge
	case StoreFailed:
		return http.StatusServiceUnavailable
	}
	return http.StatusForbidden
}
