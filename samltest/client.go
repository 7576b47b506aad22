package samltest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	saml "github.com/logintrust/saml"
)

// client is somebody who logs in at a [Target].
type client interface {
	// begin starts a login at the IdP, that shall lead to a place if that is not empty, and returns the request.
	begin(p *IdP, place string) (Request, error)
	// post brings an answer.
	post(form url.Values) outcome
	// plant makes it send a cookie.
	plant(name, value string)
}

// outcome is what became of an answer.
type outcome struct {
	accepted bool
	panicked bool
	late     bool        // there was none in time
	reason   saml.Reason // empty if it is not known
	text     string
	pages    []*Page // what came of it: the answer, and where it led in the same site
}

// broken reports a status that says that the fault is the service provider's own. 501 and 503 are deliberate.
func (o outcome) broken() bool {
	return len(o.pages) > 0 && (o.pages[0].Status == http.StatusInternalServerError || o.pages[0].Status == http.StatusBadGateway)
}

// says is what became of it, for who reads why a test failed.
func (o outcome) says() string {
	switch {
	case o.late:
		return "no answer"
	case o.panicked:
		return "panic: " + o.text
	case o.broken():
		return "the service provider broke down: " + o.text
	}
	return "accepted: " + o.text
}

// refused is what became of an honest answer, and where to look for the reason.
func (o outcome) refused() string {
	text := strings.TrimSpace(o.text)
	if len(o.pages) > 0 {
		text += ", " + o.pages[0].start()
	}
	if o.reason != "" {
		return text + "; the reason is " + string(o.reason)
	}
	return text + "; Target.Reason, or Config.OnRefusal of the service provider, can tell the reason"
}

// surfer is a client with a browser.
type surfer struct {
	target  Target
	browser *Browser
}

// begin reads the request with which the browser is sent to the IdP, by either binding.
func (c *surfer) begin(p *IdP, place string) (Request, error) {
	link := c.target.LoginURL + "?entityID=" + url.QueryEscape(p.EntityID)
	for _, name := range places {
		if place != "" {
			link += "&" + name + "=" + url.QueryEscape(place)
		}
	}
	page := c.browser.Get(link)
	forms := page.Forms()
	switch {
	case page.Status >= 400:
	case page.Location() != "":
		return ParseRequestURL(page.Location())
	case len(forms) > 0:
		return ParseForm(forms[0].Fields)
	}
	return Request{}, fmt.Errorf("status %d at %s, %s", page.Status, page.place(), page.start())
}

// post brings the answer from the IdP's site, and makes the one hop with which a service provider may ask for its cookie.
func (c *surfer) post(form url.Values) outcome {
	page := c.browser.Post(c.target.IdP.SSOURL, c.target.SP.ACSURL, form)
	if hop, is := c.hop(page); is {
		page = c.browser.Submit(page, hop)
	}
	_, again := c.hop(page)
	got := outcome{accepted: page.Status < 400 && !again, text: fmt.Sprintf("status %d %s", page.Status, page.Location()), pages: c.onwards(page)}
	if !got.accepted && c.target.Reason != nil {
		got.reason = c.target.Reason()
	}
	return got
}

// onwards are the page and those to which it redirects in the same site.
func (c *surfer) onwards(page *Page) []*Page {
	pages := []*Page{page}
	for range maxOnwards {
		to, err := url.Parse(page.Location())
		if page.Location() == "" || err != nil || originOf(to) != originOf(page.URL) || to.Path == page.URL.Path {
			break
		}
		page = c.browser.Follow(page)
		pages = append(pages, page)
	}
	return pages
}

// maxOnwards bounds how far a login is followed.
const maxOnwards = 3

func (c *surfer) plant(name, value string) {
	c.browser.jar = append(c.browser.jar, storedCookie{&http.Cookie{Name: name, Value: value, Path: "/", Secure: true, SameSite: http.SameSiteNoneMode}, hostOf(c.target.SP.ACSURL)})
}

func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Hostname()
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
	site     *url.URL
}

func (c *caller) begin(p *IdP, place string) (Request, error) {
	options := saml.StartOptions{BrowserKey: c.key, ReturnTo: place}
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
	page := &Page{URL: c.site, Status: http.StatusSeeOther, Header: http.Header{"Location": {login.ReturnTo()}}}
	return outcome{accepted: true, text: "as a login that leads to " + login.ReturnTo(), pages: []*Page{page}}
}

func (c *caller) plant(string, string) {} // without a browser there are no cookies
