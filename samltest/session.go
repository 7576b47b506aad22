package samltest

import (
	"crypto/rand"
	"crypto/subtle"
	"net/http"
	"time"
)

// sessionLife is how long somebody stays signed in at the IdP.
const sessionLife = 8 * time.Hour

// sessionCookie carries the IdP's own session.
const sessionCookie = "samltest_idp"

// session is somebody signed in at the IdP: what makes sign-on single.
type session struct {
	user  User
	at    time.Time
	index string
}

// signIn checks the password and starts a session. A session that the browser had before ends.
func (p *IdP) signIn(w http.ResponseWriter, r *http.Request, name, password string) (s session, ok bool) {
	user, ok := p.findUser(name, password)
	if !ok {
		return session{}, false
	}
	p.signOut(w, r)
	s = session{user: user, at: p.Now(), index: newID()}
	token := rand.Text()
	p.mu.Lock()
	defer p.mu.Unlock()
	for old, other := range p.sessions {
		if s.at.Sub(other.at) > sessionLife {
			delete(p.sessions, old)
		}
	}
	p.sessions[token] = s
	http.SetCookie(w, p.cookie(token, int(sessionLife/time.Second)))
	return s, true
}

// findUser compares passwords in constant time.
func (p *IdP) findUser(name, password string) (user User, found bool) {
	for _, u := range p.users {
		if u.Name == name && subtle.ConstantTimeCompare([]byte(u.Password), []byte(password)) == 1 {
			return u, true
		}
	}
	return User{}, false
}

// signedIn is the session of this browser.
func (p *IdP) signedIn(r *http.Request) (s session, found bool) {
	cookie, err := r.Cookie(sessionCookie)
	if err != nil {
		return session{}, false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	s, found = p.sessions[cookie.Value]
	if !found || p.Now().Sub(s.at) > sessionLife {
		return session{}, false
	}
	return s, true
}

// signOut ends the session of this browser, if there is one.
func (p *IdP) signOut(w http.ResponseWriter, r *http.Request) {
	cookie, err := r.Cookie(sessionCookie)
	if err != nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.visits, p.sessions[cookie.Value].index)
	delete(p.sessions, cookie.Value)
	http.SetCookie(w, p.cookie("", -1))
}

// cookie is SameSite=None where the browser allows that, over https: a request by the POST binding comes from another site
// and must find the session too.
func (p *IdP) cookie(token string, maxAge int) *http.Cookie {
	home := p.beside(p.Personality.HomeURL)
	cookie := &http.Cookie{Name: sessionCookie, Value: token, Path: home.Path, MaxAge: maxAge, HttpOnly: true, SameSite: http.SameSiteLaxMode}
	if home.Scheme == "https" {
		cookie.Secure = true
		cookie.SameSite = http.SameSiteNoneMode
	}
	return cookie
}
