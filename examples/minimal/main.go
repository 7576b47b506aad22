// Minimal is the shortest whole service provider: people of one identity provider sign in.
//
//	go run ./examples/minimal idp-metadata.xml
//
// Give http://localhost:8080/sso/metadata to the identity provider, then open http://localhost:8080/.
package main

import (
	"crypto/rand"
	"fmt"
	"log"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/logintrust/saml"
)

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: minimal IDP-METADATA-FILE")
	}
	metadata, err := os.ReadFile(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(http.ListenAndServe("localhost:8080", newApp(metadata)))
}

func newApp(metadata []byte) http.Handler {
	trust, err := saml.TrustFromMetadata(metadata, "", time.Now())
	if err != nil {
		log.Fatal(err)
	}
	trust.State = saml.Active
	sp, err := saml.New(saml.Config{BaseURL: "http://localhost:8080", Trusts: saml.NewMemoryTrusts(trust), State: saml.NewMemoryState()})
	if err != nil {
		log.Fatal(err)
	}
	app := http.NewServeMux()
	var sessions sync.Map // who is signed in, by cookie
	app.Handle("/sso/", sp.Handler(func(w http.ResponseWriter, r *http.Request, login *saml.Login) {
		id := rand.Text()
		sessions.Store(id, login)
		http.SetCookie(w, &http.Cookie{Name: "session", Value: id, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
		http.Redirect(w, r, login.ReturnTo(), http.StatusSeeOther)
	}))
	app.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		if cookie, err := r.Cookie("session"); err == nil {
			if login, found := sessions.Load(cookie.Value); found {
				fmt.Fprintf(w, "Hello %q, by %s.\n", login.(*saml.Login).Subject().NameID.Value, trust.Description)
				return
			}
		}
		http.Redirect(w, r, sp.LoginLink(trust, r.URL.RequestURI()), http.StatusSeeOther)
	})
	return app
}
