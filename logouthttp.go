package saml

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"html/template"
	"io"
	"mime"
	"net/http"
	"net/url"

	"github.com/logintrust/saml/internal/binding"
)

// StartLogout asks the identity provider of a session to log the user out everywhere, and sends the browser there: the second
// rung of the API. The host ends its session before, whatever becomes of this. The request must be a POST from a page of our
// own (http.CrossOriginProtection), so that no other site logs users out; a host's handler does best to look at that itself,
// before it ends the session. Where there is no single logout, the browser goes where LoginTrust.AfterLogout says.
//
// It writes the response unless it returns an error. The page with the button must not have form-action 'self' in its
// Content-Security-Policy: Chromium holds that against the redirect to the identity provider.
func (sp *ServiceProvider) StartLogout(w http.ResponseWriter, r *http.Request, session LoginSession, opts LogoutOptions) error {
	if refused := sp.checkOwnPost(r); refused != nil {
		return refused
	}
	opts.BrowserKey = sp.browserKey(r)
	started, err := sp.LogoutRequest(r.Context(), session, opts)
	if err != nil {
		if !errors.Is(err, ErrNoSingleLogout) {
			sp.report(r, asError(err).leaving()) // the session here has ended, and the user goes on
		}
		trust, found, err := sp.config.Trusts.FindTrust(r.Context(), session.Domain)
		if err != nil || !found {
			trust = LoginTrust{}
		}
		sp.FinishLogout(w, trust)
		return nil
	}
	sp.setBrowserKey(w, started.BrowserKey)
	sp.Pause(w)
	return sp.write(w, sent{url: started.URL, action: started.Action, fields: started.Fields}, "")
}

// checkOwnPost admits a POST that no other site has caused.
func (sp *ServiceProvider) checkOwnPost(r *http.Request) *Error {
	if r.Method != http.MethodPost {
		return wrongMethod(r, http.MethodPost).leaving()
	}
	own := http.NewCrossOriginProtection()
	err := own.AddTrustedOrigin(origin(sp.config.BaseURL)) // behind a proxy, Host may be another
	if err == nil {
		err = own.Check(r)
	}
	if err != nil {
		return refuse(BadRequest, "a form of another site", "one of our own").leaving()
	}
	return nil
}

// write sends the browser on, by a redirect or with a page that posts. frame is the origin that may show the page in a frame,
// as identity providers do with the service providers that they log a user out of; "" is none.
func (sp *ServiceProvider) write(w http.ResponseWriter, s sent, frame string) error {
	if s.url == "" {
		form := binding.Form{Action: s.action, Leaving: true, Frame: frame}
		for _, name := range []string{"SAMLRequest", "SAMLResponse", "RelayState"} {
			if value, found := s.fields[name]; found {
				form.Fields = append(form.Fields, binding.Field{Name: name, Value: value})
			}
		}
		return form.Write(w)
	}
	binding.SeeOther(w, s.url)
	return nil
}

// ReceiveLogout reads a message of single logout that comes to LogoutURL, by any binding: the second rung of the API. To an
// identity provider's LogoutRequest it writes the answer itself, and returns ErrAnswered. To the answer to a logout that we
// began it returns the result, and the host answers, best with WriteLogout. On any other error, which is an *Error, the host
// answers with WriteError.
func (sp *ServiceProvider) ReceiveLogout(w http.ResponseWriter, r *http.Request) (*LogoutResult, error) {
	m, hopped, refused := sp.readLogoutHTTP(w, r)
	if refused != nil {
		return nil, refused.leaving()
	}
	isAnswer := m.SAMLResponse != ""
	if m.Query != "" {
		if q, err := binding.ReadQuery(m.Query); err == nil {
			isAnswer = !q.Request
		}
	}
	if !isAnswer {
		answer, err := sp.AnswerLogout(r.Context(), m)
		if m.SOAP != nil {
			var body []byte
			if err == nil {
				body, refused = answer.SOAP, answer.Refusal
			}
			return nil, sp.writeSOAP(w, r, body, refused, err)
		}
		if err != nil {
			return nil, err
		}
		return nil, sp.writeAnswer(w, r, answer)
	}
	result, err := sp.CompleteLogout(r.Context(), m)
	if refused, _ := errors.AsType[*Error](err); refused != nil && refused.hop && m.SAMLResponse != "" && !hopped {
		form := binding.Form{Action: sp.config.LogoutURL, Leaving: true, Fields: []binding.Field{{Name: "SAMLResponse", Value: m.SAMLResponse},
			{Name: "RelayState", Value: m.RelayState}, {Name: hopField, Value: "1"}}}
		if err := form.Write(w); err != nil {
			return nil, err
		}
		return nil, ErrAnswered
	}
	return result, err
}

// readLogoutHTTP takes the message out of a request: the raw query of a GET, the form of a POST, or the body of one by SOAP.
func (sp *ServiceProvider) readLogoutHTTP(w http.ResponseWriter, r *http.Request) (m LogoutMessage, hopped bool, refused *Error) {
	m.BrowserKey = sp.browserKey(r)
	switch {
	case r.Method == http.MethodGet:
		m.Query = sp.config.RawQuery(r)
		return m, false, nil
	case r.Method != http.MethodPost:
		return m, false, wrongMethod(r, "GET, POST")
	case isSOAP(r):
		m.SOAP, refused = sp.readBody(w, r)
		return m, false, refused
	}
	form, refused := sp.logoutForm(w, r)
	if refused != nil {
		return m, false, refused
	}
	if len(form["SAMLRequest"])+len(form["SAMLResponse"]) != 1 || len(form["RelayState"]) > 1 || len(form[hopField]) > 1 {
		return m, false, refuse(BadRequest, "a field that is missing or repeated", "one SAMLRequest or SAMLResponse and at most one RelayState")
	}
	m.SAMLRequest, m.SAMLResponse, m.RelayState = form.Get("SAMLRequest"), form.Get("SAMLResponse"), form.Get("RelayState")
	return m, form.Has(hopField), nil
}

// isSOAP: SOAP 1.1 is text/xml. SOAPAction is not looked at (SAML Bindings 3.2.2.2).
func isSOAP(r *http.Request) bool {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && kind == "text/xml"
}

// logoutForm reads the form of a POST once, and leaves it where it is found again. One without form is empty.
func (sp *ServiceProvider) logoutForm(w http.ResponseWriter, r *http.Request) (url.Values, *Error) {
	if r.PostForm != nil {
		return r.PostForm, nil
	}
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if r.Body == nil || err != nil || kind != "application/x-www-form-urlencoded" {
		r.PostForm = url.Values{}
		return r.PostForm, nil
	}
	form, refused := sp.formValues(w, r)
	if refused == nil {
		r.PostForm = form
	}
	return form, refused
}

func (sp *ServiceProvider) readBody(w http.ResponseWriter, r *http.Request) ([]byte, *Error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, int64(sp.config.MaxMessageBytes)))
	if _, limit := errors.AsType[*http.MaxBytesError](err); limit {
		return nil, refuse(TooLarge, "a larger message", "a message within Config.MaxMessageBytes")
	}
	if err != nil || len(body) == 0 {
		return nil, refuse(BadRequest, "a body that cannot be read", "a SOAP envelope")
	}
	return body, nil
}

// writeAnswer sends the browser back to the identity provider with the answer, or shows a page where none is awaited.
func (sp *ServiceProvider) writeAnswer(w http.ResponseWriter, r *http.Request, answer *LogoutAnswer) error {
	if answer.Refusal != nil {
		sp.report(r, answer.Refusal)
	}
	var err error
	switch {
	case answer.URL != "" || answer.Action != "":
		err = sp.write(w, sent{url: answer.URL, action: answer.Action, fields: answer.Fields}, origin(answer.Action))
	case answer.Refusal != nil:
		return answer.Refusal
	default:
		sp.Pause(w)
		sp.writeLoggedOut(w, "You are signed out here.", sp.config.DefaultPath)
	}
	if err != nil {
		return err
	}
	return ErrAnswered
}

const soapFault = `<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body><soap:Fault>` +
	`<faultcode>soap:Client</faultcode><faultstring>The message was refused.</faultstring></soap:Fault></soap:Body></soap:Envelope>`

// writeSOAP answers on the identity provider's own connection: with a status where the request is known to be its own, with a
// fault where there is no request, or that nobody can process (erratum E19), and with 403 and nothing else to whom it is not for
// (SAML Bindings 3.2.3.3). refusal is what the answer in body reports; err that there is none.
func (sp *ServiceProvider) writeSOAP(w http.ResponseWriter, r *http.Request, body []byte, refusal *Error, err error) error {
	status := http.StatusOK
	switch {
	case err != nil:
		refused := asError(err)
		sp.report(r, refused)
		status, body = http.StatusInternalServerError, []byte(soapFault)
		if refused.status() == http.StatusForbidden && refused.Reason != BadResponse {
			status, body = http.StatusForbidden, nil
		}
	case refusal != nil:
		sp.report(r, refusal)
	}
	h := w.Header()
	binding.NoStore(h)
	h.Set("Cache-Control", "no-cache, no-store, must-revalidate, private") // SAML Bindings 3.2.3.2
	h.Set("Content-Type", "text/xml; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(body) // a peer that has gone away cannot be told
	return ErrAnswered
}

// report tells the host of a refusal that no page shows.
func (sp *ServiceProvider) report(r *http.Request, refused *Error) {
	if sp.config.OnRefusal != nil {
		sp.config.OnRefusal(context.WithoutCancel(r.Context()), r, newReference(), refused)
	}
}

func newReference() string { return rand.Text()[:10] }

// asError is err as an *Error; any other is a fault of the configuration.
func asError(err error) *Error {
	refused, _ := errors.AsType[*Error](err)
	if refused == nil {
		refused = &Error{Reason: NotConfigured, cause: err}
	}
	return refused
}

// serveLogout is the endpoint of single logout, and, for POSTs from pages of our own, where a logout begins.
func (sp *ServiceProvider) serveLogout(w http.ResponseWriter, r *http.Request) {
	if sp.config.EndSession != nil && sp.isOwnLogout(w, r) {
		sp.serveOwnLogout(w, r)
		return
	}
	result, err := sp.ReceiveLogout(w, r)
	switch {
	case errors.Is(err, ErrAnswered):
	case err != nil:
		sp.WriteError(w, r, err)
	default:
		sp.WriteLogout(w, r, result)
	}
}

// isOwnLogout reports whether a request is a POST without message.
func (sp *ServiceProvider) isOwnLogout(w http.ResponseWriter, r *http.Request) bool {
	if r.Method != http.MethodPost || isSOAP(r) {
		return false
	}
	form, refused := sp.logoutForm(w, r)
	return refused == nil && !form.Has("SAMLRequest") && !form.Has("SAMLResponse")
}

// serveOwnLogout ends the session here, and then asks the identity provider to end its own. "target" in the form is where the
// user goes afterwards.
func (sp *ServiceProvider) serveOwnLogout(w http.ResponseWriter, r *http.Request) {
	if refused := sp.checkOwnPost(r); refused != nil {
		sp.WriteError(w, r, refused)
		return
	}
	session, found, err := sp.config.EndSession(w, r)
	switch {
	case err != nil:
		sp.WriteError(w, r, sessionsFailed(err).leaving())
	case !found:
		sp.FinishLogout(w, LoginTrust{})
	default:
		if err := sp.StartLogout(w, r, session, LogoutOptions{ReturnTo: only(r.PostForm["target"])}); err != nil {
			sp.WriteError(w, r, err)
		}
	}
}

// WriteLogout answers the end of a logout that we began: it sends the user on, or tells him that the identity provider could
// not sign him out everywhere. Automatic redirects pause.
func (sp *ServiceProvider) WriteLogout(w http.ResponseWriter, _ *http.Request, result *LogoutResult) {
	sp.Pause(w)
	place := cmp.Or(result.ReturnTo, sp.config.DefaultPath)
	if result.Outcome == LogoutComplete {
		binding.SeeOther(w, place)
		return
	}
	text := "You are signed out here, but not everywhere: your identity provider could not reach all applications. Close the browser to be sure."
	if result.Outcome == LogoutFailed {
		text = "You are signed out here. Your identity provider did not sign you out: close the browser to be sure."
	}
	sp.writeLoggedOut(w, text, place)
}

var loggedOutPage = template.Must(template.New("out").Parse(`<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Sign-out</title></head>
<body>
<h1>You are signed out</h1>
<p>{{.Text}}</p>
<p><a href="{{.Home}}">Continue</a></p>
</body>
</html>
`))

func (sp *ServiceProvider) writeLoggedOut(w http.ResponseWriter, text, place string) {
	h := w.Header()
	binding.NoStore(h)
	h.Set("Content-Security-Policy", "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'none'")
	h.Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(http.StatusOK)
	_ = loggedOutPage.Execute(w, struct{ Text, Home string }{text, place})
}

func sessionsFailed(err error) *Error { return hostFailed("the host's sessions", err) }
