package samltest_test

import (
	"fmt"
	"net/http"

	saml "github.com/logintrust/saml"
	"github.com/logintrust/saml/samltest"
)

// A test of an application's login: the browser starts at the application, signs in at the IdP, and comes back.
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
