package samltest

import (
	"encoding/base64"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"slices"

	saml "github.com/logintrust/saml"
)

// maxForm is how much the IdP reads of a posted form.
const maxForm = 4 << 20

// Handler is the IdP as a web site, at the addresses that its Personality gives: sign-on and single logout (Redirect and POST),
// metadata, the address of [IdP.StartURL] for a login that begins here, and a home page. Of no product these are SSOURL itself,
// and beside it slo, metadata, start?sp=ENTITYID[&RelayState=…] and the directory. Mount it at the root of its host. Register
// service providers with [IdP.AddSP].
func (p *IdP) Handler() http.Handler {
	s := &site{idp: p, pages: parsePages(), origin: http.NewCrossOriginProtection()}
	mux := http.NewServeMux()
	both := func(address string, serve http.HandlerFunc) {
		mux.HandleFunc("GET "+p.beside(address).Path, serve)
		mux.HandleFunc("POST "+p.beside(address).Path, serve)
	}
	both("", s.serveProtocol)
	if p.path(p.SSOPostURL()) != p.path("") {
		both(p.SSOPostURL(), s.serveProtocol)
	}
	if slo := p.SLOURL(); slo != "" && p.path(slo) != p.path("") {
		both(slo, s.serveSLO)
	}
	both(p.Personality.StartURL, s.serveStart)
	mux.HandleFunc("GET "+p.path(p.MetadataURL()), s.serveMetadata)
	mux.HandleFunc("GET "+s.home()+"{$}", s.serveHome)
	mux.HandleFunc("POST "+s.home()+"signout", s.serveSignOut)
	if p.registration {
		mux.HandleFunc("POST "+s.home()+"register", s.serveRegister)
	}
	return mux
}

func (p *IdP) path(address string) string { return p.beside(address).Path }

// home is the path of the home page, which ends in a slash.
func (s *site) home() string { return s.idp.path(s.idp.Personality.HomeURL) }

// serveProtocol is for products with one address for sign-on and logout.
func (s *site) serveProtocol(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if slo := s.idp.SLOURL(); slo != "" && s.idp.path(slo) == r.URL.Path && isLogout(r) {
		s.serveSLO(w, r)
		return
	}
	s.serveSSO(w, r)
}

// isLogout reports whether the message that came is one of single logout.
func isLogout(r *http.Request) bool {
	if r.FormValue("SAMLResponse") != "" {
		return true
	}
	var err error
	if r.Method == http.MethodPost {
		_, err = ParseLogoutForm(r.PostForm)
	} else {
		_, err = ParseLogoutURL(r.URL.String())
	}
	return err == nil
}

// site serves the IdP's pages.
type site struct {
	idp    *IdP
	pages  *template.Template
	origin *http.CrossOriginProtection
}

// serveSSO takes an AuthnRequest, by either binding, or the sign-in form that was shown for one.
func (s *site) serveSSO(w http.ResponseWriter, r *http.Request) {
	req, err := ParseRequest(r)
	if err != nil {
		s.refuse(w, http.StatusBadRequest, err.Error())
		return
	}
	if here := s.idp.SSOURL; req.Destination != "" && req.Destination != here && req.Destination != s.idp.SSOPostURL() {
		s.refuse(w, http.StatusBadRequest, fmt.Sprintf("the request is meant for %q; this is %q", req.Destination, here))
		return
	}
	s.login(w, r, req, s.idp.SSOPostURL(), []field{
		{"SAMLRequest", base64.StdEncoding.EncodeToString(req.XML)},
		{"RelayState", req.RelayState},
	})
}

// serveStart begins a login that nobody asked for: the IdP-initiated one.
func (s *site) serveStart(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	shape := s.idp.Personality
	req := Request{SPEntityID: r.FormValue(shape.StartSP), RelayState: r.FormValue(shape.StartTarget)}
	if packed, err := url.ParseQuery(req.RelayState); err == nil && shape.PackedState && packed.Has("RPID") {
		req.SPEntityID, req.RelayState = packed.Get("RPID"), packed.Get("RelayState")
	}
	s.login(w, r, req, s.idp.beside(shape.StartURL).String(), []field{
		{shape.StartSP, req.SPEntityID},
		{shape.StartTarget, req.RelayState},
	})
}

// login answers the request, after asking for the password if need be. action and fields are what brings the browser back to
// this point together with the password.
func (s *site) login(w http.ResponseWriter, r *http.Request, req Request, action string, fields []field) {
	sp, found := s.idp.findSP(req.SPEntityID, req.ACSURL)
	if !found {
		s.refuse(w, http.StatusBadRequest, fmt.Sprintf("no service provider %q with that ACS URL is registered here", req.SPEntityID))
		return
	}
	req.ACSURL = sp.ACSURL
	if shape := s.idp.Personality; !shape.makes(req.NameIDFormat) {
		s.answer(w, s.refusal(req, shape.OtherFormat))
		return
	}
	form := signInPage{Action: action, SP: sp.EntityID, Fields: fields}

	if r.Method == http.MethodPost && r.PostForm.Has("password") {
		if err := s.origin.Check(r); err != nil {
			s.refuse(w, http.StatusForbidden, "the sign-in form came from another site")
			return
		}
		current, ok := s.idp.signIn(w, r, r.PostForm.Get("username"), r.PostForm.Get("password"))
		if !ok {
			form.Wrong = true
			s.show(w, http.StatusForbidden, "signin", &form)
			return
		}
		s.answer(w, s.idp.answerFor(req, current))
		return
	}
	if current, ok := s.idp.signedIn(r); ok && !req.ForceAuthn {
		s.answer(w, s.idp.answerFor(req, current))
		return
	}
	if req.IsPassive {
		s.answer(w, s.refusal(req, s.idp.Personality.Passive))
		return
	}
	s.show(w, http.StatusOK, "signin", &form)
}

// answerFor answers for somebody who is signed in, with the time and index of that sign-in.
func (p *IdP) answerFor(req Request, current session) *Answer {
	a := p.AnswerAbout(req, current.user)
	statement := &a.Assertion().Statements[0]
	statement.AuthnInstant = p.write(current.at)
	if p.Personality.SessionIndex == nil {
		statement.SessionIndex = current.index
	}
	if sp, found := p.findSP(req.SPEntityID, req.ACSURL); found && a.Assertion().Subject.NameID != nil {
		p.visited(current.index, visit{sp, saml.LoginSession{NameID: saml.NameID(*a.Assertion().Subject.NameID), SessionIndexes: []string{statement.SessionIndex}}})
	}
	return a
}

func (s *site) refusal(req Request, status Status) *Answer {
	a := s.idp.Refuse(req, status)
	if s.idp.Personality.SignRefusals {
		a.Sign = SignResponse
	}
	return a
}

func (s *site) answer(w http.ResponseWriter, a *Answer) {
	s.show(w, http.StatusOK, "post", &postPage{Action: a.ACSURL, Response: a.Encode(), RelayState: a.RelayState})
}

func (s *site) serveMetadata(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/samlmetadata+xml")
	_, _ = w.Write(s.idp.Metadata())
}

func (s *site) serveHome(w http.ResponseWriter, r *http.Request) {
	page := &homePage{EntityID: s.idp.EntityID, Product: s.idp.Personality.Title, Metadata: s.idp.MetadataURL(), SignOut: s.home() + "signout"}
	if s.idp.registration {
		page.Register = s.home() + "register"
	}
	if current, ok := s.idp.signedIn(r); ok {
		page.User = current.user.Name
	}
	for _, sp := range s.idp.allSPs() {
		page.SPs = append(page.SPs, spLink{EntityID: sp.EntityID, URL: s.idp.StartURL(sp.EntityID, "")})
	}
	s.show(w, http.StatusOK, "home", page)
}

func (s *site) serveSignOut(w http.ResponseWriter, r *http.Request) {
	if err := s.origin.Check(r); err != nil {
		s.refuse(w, http.StatusForbidden, "the form came from another site")
		return
	}
	current, _ := s.idp.signedIn(r)
	v, found := s.idp.nextVisit(current.index)
	s.idp.signOut(w, r)
	if found { // one is enough to see how it goes
		s.send(w, r, s.idp.LogoutRequest(v.session, v.sp.SLOURL), false)
		return
	}
	http.Redirect(w, r, s.home(), http.StatusSeeOther)
}

// serveRegister registers the service provider whose metadata is posted.
func (s *site) serveRegister(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := s.origin.Check(r); err != nil {
		s.refuse(w, http.StatusForbidden, "the form came from another site")
		return
	}
	if err := s.idp.AddSPMetadata([]byte(r.PostFormValue("metadata"))); err != nil {
		s.refuse(w, http.StatusBadRequest, err.Error())
		return
	}
	http.Redirect(w, r, s.home(), http.StatusSeeOther)
}

func (s *site) refuse(w http.ResponseWriter, status int, text string) {
	s.show(w, status, "refusal", &refusalPage{Text: text})
}

func (p *IdP) allSPs() []SP {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.sps)
}
