package samltest_test

import (
	"fmt"
	"net/http"
	"testing"

	saml "github.com/logintrust/saml"
	"github.com/logintrust/saml/samltest"
)

// A test of an application's login in three lines: an IdP, the application with a trust for it, and the way through both.
func ExampleIdP_Login() {
	t := new(testing.T) // the one of your test

	idp := samltest.NewIdP(t)
	page := idp.Login(t, newApp(idp.Trust()), "https://app.example.com/reports")
	fmt.Println(page.Status, page.Body)

	// Output:
	// 200 alice reads /reports
}

// newApp is the application: whoever is not signed in is sent to the IdP.
func newApp(trust saml.LoginTrust) http.Handler {
	sp, err := saml.New(saml.Config{BaseURL: "https://app.example.com", Trusts: saml.NewMemoryTrusts(trust), State: saml.NewMemoryState()})
	if err != nil {
		panic(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/sso/", sp.Handler(func(w http.ResponseWriter, r *http.Request, login *saml.Login) {
		http.SetCookie(w, &http.Cookie{Name: "user", Value: login.Subject().NameID.Value, Path: "/", Secure: true, HttpOnly: true}) // yours is a session
		http.Redirect(w, r, login.ReturnTo(), http.StatusSeeOther)
	}))
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		user, err := r.Cookie("user")
		if err != nil {
			http.Redirect(w, r, sp.LoginLink(trust, r.URL.RequestURI()), http.StatusSeeOther)
			return
		}
		fmt.Fprintf(w, "%s reads %s", user.Value, r.URL.Path)
	})
	return mux
}

// The same step by step: the browser starts at the application, signs in at the IdP, and comes back.
func Example() {
	idp, err := samltest.New(samltest.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	sp, err := saml.New(saml.Config{
		BaseURL: "https://app.example.com",
		Trusts:  saml.NewMemoryTrusts(idp.Trust()),
		State:   saml.NewMemoryState(),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	app := sp.Handler(func(w http.ResponseWriter, r *http.Request, login *saml.Login) {
		fmt.Println("welcome,", login.Subject().NameID.Value)
		http.Redirect(w, r, login.ReturnTo(), http.StatusSeeOther)
	})

	browser := samltest.NewBrowser().Site("https://app.example.com", app)
	page := browser.Get(sp.LoginLink(idp.Trust(), "/reports"))
	request, err := samltest.ParseRequestURL(page.Location())
	if err != nil {
		fmt.Println(err)
		return
	}
	page = browser.Post(idp.SSOURL, request.ACSURL, idp.Answer(request).Form())
	fmt.Println(page.Status, page.Location())

	// An answer that is wrong in one thing:
	page = browser.Get(sp.LoginLink(idp.Trust(), "/reports"))
	if request, err = samltest.ParseRequestURL(page.Location()); err != nil {
		fmt.Println(err)
		return
	}
	answer := idp.Answer(request)
	answer.Assertion().Conditions.Audiences = [][]string{{"https://other.example.com"}}
	fmt.Println(browser.Post(idp.SSOURL, request.ACSURL, answer.Form()).Status)

	// Output:
	// welcome, alice
	// 303 https://app.example.com/reports
	// 403
}
