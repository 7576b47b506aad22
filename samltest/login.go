package samltest

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"
)

// maxSteps bounds a login: each redirect and each form is a step, and a careful one has about eight.
const maxSteps = 30

// Login signs the IdP's first user in to a host, without a network: a new browser goes to loginURL, follows every redirect,
// sends the request on to the IdP, signs in there, brings the answer back, and returns the page at which that ends, which is
// what the host shows to somebody who is signed in. Any page of the host that leads to the IdP will do for loginURL; empty, it
// is /sso/login?entityID=… where the ACS URL that the IdP knows has /sso/acs.
//
// The IdP registers the service provider that asks if it does not know it. The test fails if no answer of the IdP is brought
// to the host, or the host does not answer that with success.
//
// For more (another user, a login that the IdP begins, what comes after) make a [Browser] and use [Browser.SignIn].
func (p *IdP) Login(t testing.TB, handler http.Handler, loginURL string) *Page {
	t.Helper()
	if loginURL == "" {
		x := Target{IdP: p, Handler: handler}
		if err := x.complete(); err != nil {
			t.Fatal(err)
		}
		loginURL = x.LoginURL + "?entityID=" + url.QueryEscape(p.EntityID)
	}
	u, err := url.Parse(loginURL)
	if err != nil || u.Host == "" {
		t.Fatalf("samltest: login URL %q: want an absolute one", loginURL)
	}
	browser := NewBrowser().Site(originOf(u), handler).Site(p.Origin(), p.welcoming())
	page, err := browser.SignIn(browser.Get(loginURL), p.users[0].Name, p.users[0].Password)
	switch {
	case err != nil:
		t.Fatal(err)
	case page.Status >= http.StatusBadRequest:
		t.Fatalf("samltest: the login ended with status %d at %s, %s", page.Status, page.place(), page.start())
	}
	return page
}

// welcoming is the IdP's site, which registers whoever sends a request.
func (p *IdP) welcoming() http.Handler {
	site := p.Handler()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		if req, err := ParseRequest(r); err == nil && req.ACSURL != "" {
			if _, known := p.findSP(req.SPEntityID, req.ACSURL); !known {
				p.AddSP(SP{EntityID: req.SPEntityID, ACSURL: req.ACSURL})
			}
		}
		site.ServeHTTP(w, r)
	})
}

// SignIn walks on from a page until nothing leads further by itself: it follows redirects, sends the forms that carry a
// message of SAML, and fills in a form that asks for a user name and a password. It returns the page where it ends, also one
// of an error. It is itself an error if no answer of an identity provider was sent on the way, or if there is no end to it.
func (b *Browser) SignIn(page *Page, user, password string) (*Page, error) {
	answered, asked := false, false
	for range maxSteps {
		if page.Status < http.StatusBadRequest && page.Location() != "" {
			page = b.Follow(page)
			continue
		}
		form, found := page.formBySAML()
		switch {
		case page.Status >= http.StatusBadRequest:
			if !answered {
				return nil, fmt.Errorf("samltest: status %d at %s, before the identity provider answered, %s", page.Status, page.place(), page.start())
			}
			return page, nil
		case !found && answered:
			return page, nil
		case !found:
			return nil, fmt.Errorf("samltest: the page at %s leads to no identity provider: status %d, %s", page.place(), page.Status, page.start())
		case form.Fields.Has("password"):
			if asked {
				return nil, fmt.Errorf("samltest: the identity provider asks for the password again: status %d, %s", page.Status, page.start())
			}
			asked = true
			form.Fields.Set("username", user)
			form.Fields.Set("password", password)
		case form.Fields.Has("SAMLResponse"):
			answered = true
		}
		page = b.Submit(page, form)
	}
	return nil, fmt.Errorf("samltest: no end after %d steps, the last to %s: status %d, %s", maxSteps, page.place(), page.Status, page.start())
}

// formBySAML is the form of a page that leads on in a login.
func (p *Page) formBySAML() (form Form, found bool) {
	for _, f := range p.Forms() {
		asks := f.Fields.Has("username") && f.Fields.Has("password")
		if f.Method == http.MethodPost && (asks || f.Fields.Has("SAMLRequest") || f.Fields.Has("SAMLResponse")) {
			return f, true
		}
	}
	return Form{}, false
}

// place is where a page is, without what its address carries: a message may stand there.
func (p *Page) place() string { return originOf(p.URL) + p.URL.Path }
