package samltest

import (
	"encoding/base64"
	"fmt"
	"html/template"
	"net/http"
	"slices"

	saml "github.com/logintrust/saml"
)

// maxForm is how much the IdP reads of a posted form.
const maxForm = 4 << 20

// Handler is the IdP as a web site, at the paths that SSOURL gives: the SSO endpoint itself (Redirect and POST), and beside it
// single logout (slo), metadata, start?sp=ENTITYID[&RelayState=…] for a login that begins here, and a home page. Mount it at the root of its host.
// Register service providers with [IdP.AddSP].
func (p *IdP) Handler() http.Handler {
	s := &site{idp: p, pages: parsePages(), origin: http.NewCrossOriginProtection()}
	mux := http.NewServeMux()
	sso, start := p.beside("").Path, p.beside("start").Path
	mux.HandleFunc("GET "+sso, s.serveSSO)
	mux.HandleFunc("POST "+sso, s.serveSSO)
	mux.HandleFunc("GET "+start, s.serveStart)
	mux.HandleFunc("POST "+start, s.serveStart)
	mux.HandleFunc("GET "+p.beside("slo").Path, s.serveSLO)
	mux.HandleFunc("POST "+p.beside("slo").Path, s.serveSLO)
	mux.HandleFunc("GET "+p.beside("metadata").Path, s.serveMetadata)
	mux.HandleFunc("GET "+p.beside(".").Path+"{$}", s.serveHome)
	mux.HandleFunc("POST "+p.beside("signout").Path, s.serveSignOut)
	return mux
}

// site serves the IdP's pages.
type site struct {
	idp    *IdP
	pages  *template.Template
	origin *http.CrossOriginProtection
}

// serveSSO takes an AuthnRequest, by either binding, or the sign-in form that was shown for one.
func (s *site) serveSSO(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	req, err := ParseRequest(r)
	if err != nil {
		s.refuse(w, http.StatusBadRequest, err.Error())
		return
	}
	if req.Destination != "" && req.Destination != s.idp.SSOURL {
		s.refuse(w, http.StatusBadRequest, fmt.Sprintf("the request is meant for %q; this is %q", req.Destination, s.idp.SSOURL))
		return
	}
	s.login(w, r, req, s.idp.SSOURL, []field{
		{"SAMLRequest", base64.StdEncoding.EncodeToString(req.XML)},
		{"RelayState", req.RelayState},
	})
}

// serveStart begins a login that nobody asked for: the IdP-initiated one.
func (s *site) serveStart(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	req := Request{SPEntityID: r.FormValue("sp"), RelayState: r.FormValue("RelayState")}
	s.login(w, r, req, s.idp.beside("start").String(), []field{
		{"sp", req.SPEntityID},
		{"RelayState", req.RelayState},
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
		refusal := s.idp.Refuse(req, Status{Code: Responder, Second: NoPassive, Message: "Nobody is signed in."})
		refusal.Sign = SignResponse
		s.answer(w, refusal)
		return
	}
	s.show(w, http.StatusOK, "signin", &form)
}

// answerFor answers for somebody who is signed in, with the time and index of that sign-in.
func (p *IdP) answerFor(req Request, current session) *Answer {
	a := p.AnswerAbout(req, current.user)
	statement := &a.Assertion().Statements[0]
	statement.AuthnInstant = Time(current.at)
	statement.SessionIndex = current.index
	if sp, found := p.findSP(req.SPEntityID, req.ACSURL); found && a.Assertion().Subject.NameID != nil {
		p.visited(current.index, visit{sp, saml.LoginSession{NameID: saml.NameID(*a.Assertion().Subject.NameID), SessionIndexes: []string{current.index}}})
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
	page := &homePage{EntityID: s.idp.EntityID, SignOut: s.idp.beside("signout").String()}
	if current, ok := s.idp.signedIn(r); ok {
		page.User = current.user.Name
	}
	for _, sp := range s.idp.allSPs() {
		start := s.idp.beside("start")
		query := start.Query()
		query.Set("sp", sp.EntityID)
		start.RawQuery = query.Encode()
		page.SPs = append(page.SPs, spLink{EntityID: sp.EntityID, URL: start.String()})
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
	http.Redirect(w, r, s.idp.beside(".").String(), http.StatusSeeOther)
}

func (s *site) refuse(w http.ResponseWriter, status int, text string) {
	s.show(w, status, "refusal", &refusalPage{Text: text})
}

func (p *IdP) allSPs() []SP {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.sps)
}
