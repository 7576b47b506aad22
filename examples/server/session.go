package main

import (
	"crypto/rand"
	"net/http"
	"sync"
	"time"

	"github.com/logintrust/saml"
)

// A session is somebody who is signed in. The library keeps no sessions: they are the application's.
type session struct {
	login   *saml.Login
	since   time.Time
	expires time.Time
}

const (
	sessionLife = 8 * time.Hour
	offerLife   = 5 * time.Minute
)

// A sessionStore keeps something for a browser under a random name that the browser holds in a cookie.
type sessionStore struct {
	cookie string
	life   time.Duration
	secure bool

	mu     sync.Mutex
	byName map[string]session
}

func newSessionStore(cookie string, life time.Duration, secure bool) *sessionStore {
	if secure {
		cookie = "__Host-" + cookie
	}
	return &sessionStore{cookie: cookie, life: life, secure: secure, byName: map[string]session{}}
}

// start begins a session under a new name: a name that was known before the login would be good for whoever planted it
// (session fixation).
func (s *sessionStore) start(w http.ResponseWriter, r *http.Request, login *saml.Login) {
	s.forget(r)
	now := time.Now()
	expires := now.Add(s.life)
	// The identity provider may ask for less than our own limit.
	if end := login.SessionNotOnOrAfter(); !end.IsZero() && end.Before(expires) {
		expires = end
	}
	name := rand.Text()
	s.mu.Lock()
	defer s.mu.Unlock()
	for old, x := range s.byName {
		if !now.Before(x.expires) {
			delete(s.byName, old)
		}
	}
	s.byName[name] = session{login, now, expires}
	s.setCookie(w, name, 0)
}

// find returns the browser's session.
func (s *sessionStore) find(r *http.Request) (x session, found bool) {
	cookie, err := r.Cookie(s.cookie)
	if err != nil {
		return session{}, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	x, found = s.byName[cookie.Value]
	if !found || !time.Now().Before(x.expires) {
		return session{}, false
	}
	return x, true
}

// endAll ends the sessions that a logout names, wherever their browsers are.
func (s *sessionStore) endAll(logout saml.Logout) (ended int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, x := range s.byName {
		if logout.Ends(x.login.Session()) {
			delete(s.byName, name)
			ended++
		}
	}
	return ended
}

// end ends the browser's session.
func (s *sessionStore) end(w http.ResponseWriter, r *http.Request) {
	s.forget(r)
	s.setCookie(w, "", -1)
}

func (s *sessionStore) forget(r *http.Request) {
	cookie, err := r.Cookie(s.cookie)
	if err != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.byName, cookie.Value)
}

// setCookie: Lax keeps the session out of requests that other sites make, but lets links lead into it.
func (s *sessionStore) setCookie(w http.ResponseWriter, name string, maxAge int) {
	http.SetCookie(w, &http.Cookie{Name: s.cookie, Value: name, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode,
		Secure: s.secure, MaxAge: maxAge})
}
