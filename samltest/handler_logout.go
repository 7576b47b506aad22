package samltest

import (
	"fmt"
	"net/http"

	saml "github.com/logintrust/saml"
)

// visit is a service provider that somebody signed in to, with what its sessions are called.
type visit struct {
	sp      SP
	session saml.LoginSession
}

// visited remembers where a session has been, once for each service provider with single logout.
func (p *IdP) visited(index string, v visit) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, old := range p.visits[index] {
		if old.sp == v.sp {
			return
		}
	}
	p.visits[index] = append(p.visits[index], v)
}

// nextVisit takes one service provider that a session is to be logged out of.
func (p *IdP) nextVisit(index string) (v visit, found bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.visits[index]) > 0 {
		v, p.visits[index] = p.visits[index][0], p.visits[index][1:]
		if v.sp.SLOURL != "" {
			return v, true
		}
	}
	delete(p.visits, index)
	return visit{}, false
}

// serveSLO takes a message of single logout by either binding. Of its signature it wants no more than that there is one: whose
// keys those are is for a real identity provider to know.
func (s *site) serveSLO(w http.ResponseWriter, r *http.Request) {
	m, err := s.receiveLogout(w, r)
	if err != nil {
		s.refuse(w, http.StatusBadRequest, err.Error())
		return
	}
	sp, found := s.idp.findSP(m.SPEntityID, "")
	switch {
	case m.Response:
		http.Redirect(w, r, s.home(), http.StatusSeeOther)
	case !found || m.Destination != s.idp.SLOURL() || m.Signature == nil && !signedXML(m.XML):
		s.refuse(w, http.StatusBadRequest, "the logout request is not signed, not meant for here, or of an unknown service provider")
	default:
		s.idp.signOut(w, r)
		if sp.SLOURL == "" || m.Asynchronous {
			http.Redirect(w, r, s.home(), http.StatusSeeOther)
			return
		}
		s.send(w, r, s.idp.LogoutResponse(m, sp.SLOURL), r.Method == http.MethodPost)
	}
}

func (s *site) receiveLogout(w http.ResponseWriter, r *http.Request) (ReceivedLogout, error) {
	if r.Method != http.MethodPost {
		return ParseLogoutURL(r.URL.String())
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return ReceivedLogout{}, fmt.Errorf("samltest: form: %w", err)
	}
	return ParseLogoutForm(r.PostForm)
}

func signedXML(xml []byte) bool {
	root, err := readRoot(xml, nsProtocol, "LogoutRequest")
	return err == nil && find(root, nsSignature, "Signature") != nil
}

// send brings a logout message to the service provider.
func (s *site) send(w http.ResponseWriter, r *http.Request, m *LogoutMessage, byPOST bool) {
	if !byPOST {
		w.Header().Set("Cache-Control", "no-cache, no-store")
		http.Redirect(w, r, m.URL(), http.StatusSeeOther)
		return
	}
	form := m.Form()
	s.show(w, http.StatusOK, "post", &postPage{Action: m.SLOURL, Request: form.Get("SAMLRequest"), Response: form.Get("SAMLResponse"), RelayState: m.RelayState})
}
