package samltest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	saml "github.com/logintrust/saml"
)

// client is somebody who logs in at a [Target].
type client interface {
	// begin starts a login at the IdP and returns the request.
	begin(p *IdP) (Request, error)
	// post brings an answer.
	post(form url.Values) outcome
}

// outcome is what became of an answer.
type outcome struct {
	accepted bool
	reason   saml.Reason // empty if it is not known
	text     string
}

// surfer is a client with a browser.
type surfer struct {
	target  Target
	browser *Browser
}

// begin reads the request with which the browser is sent to the IdP, by either binding.
func (c *surfer) begin(p *IdP) (Request, error) {
	page := c.browser.Get(c.target.LoginURL + "?entityID=" + url.QueryEscape(p.EntityID))
	forms := page.Forms()
	switch {
	case page.Status >= 400:
	case page.Location() != "":
		return ParseRequestURL(page.Location())
	case len(forms) > 0:
		return ParseForm(forms[0].Fields)
	}
	return Request{}, fmt.Errorf("status %d at %s", page.Status, page.URL)
}

// post brings the answer from the IdP's site, and makes the one hop with which a service provider may ask for its cookie.
func (c *surfer) post(form url.Values) outcome {
	page := c.browser.Post(c.target.IdP.SSOURL, c.target.SP.ACSURL, form)
	if hop, is := c.hop(page); is {
		page = c.browser.Submit(page, hop)
	}
	_, again := c.hop(page)
	got := outcome{accepted: page.Status < 400 && !again, text: fmt.Sprintf("status %d %s", page.Status, page.Location())}
	if !got.accepted && c.target.Reason != nil {
		got.reason = c.target.Reason()
	}
	return got
}

// hop is the form of a page that posts the same message to the same place once more.
func (c *surfer) hop(page *Page) (form Form, found bool) {
	if page.Status != http.StatusOK {
		return Form{}, false
	}
	for _, f := range page.Forms() {
		if f.Action == c.target.SP.ACSURL && f.Fields.Has("SAMLResponse") && f.Fields.Get("hop") == "1" {
			return f, true
		}
	}
	return Form{}, false
}

// caller is a client of the library itself, without net/http.
type caller struct {
	provider *saml.ServiceProvider
	ask      func(*saml.StartOptions) // nil: nothing beyond a login
	key      string                   // binds its requests to it
}

func (c *caller) begin(p *IdP) (Request, error) {
	options := saml.StartOptions{BrowserKey: c.key}
	if c.ask != nil {
		c.ask(&options)
	}
	started, err := c.provider.Request(context.Background(), p.Trust(), options)
	if err != nil {
		return Request{}, err
	}
	c.key = started.BrowserKey
	return ParseRequestURL(started.URL)
}

func (c *caller) post(form url.Values) outcome {
	if len(form["SAMLResponse"]) != 1 { // what a handler refuses before it validates
		return outcome{reason: saml.BadRequest}
	}
	posted := saml.Posted{SAMLResponse: form.Get("SAMLResponse"), RelayState: form.Get("RelayState"), BrowserKey: c.key}
	login, err := c.provider.Validate(context.Background(), posted)
	if err != nil {
		var refused *saml.Error
		if errors.As(err, &refused) {
			return outcome{reason: refused.Reason, text: err.Error()}
		}
		return outcome{text: err.Error()}
	}
	return outcome{accepted: true, text: "as a login that leads to " + login.ReturnTo()}
}
