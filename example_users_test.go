package saml_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/logintrust/saml"
	"github.com/logintrust/saml/samltest"
)

// exampleLogin is a whole login by the third rung, about the identity provider's first user.
func exampleLogin(sp *saml.ServiceProvider, idp *samltest.IdP, trust saml.LoginTrust) (*saml.Login, error) {
	started, err := sp.Request(context.Background(), trust, saml.StartOptions{ReturnTo: "/inbox"})
	if err != nil {
		panic(err)
	}
	request, err := samltest.ParseRequestURL(started.URL)
	if err != nil {
		panic(err)
	}
	return sp.Validate(context.Background(), saml.Posted{SAMLResponse: idp.Answer(request).Encode(), BrowserKey: started.BrowserKey})
}

// A first login makes its user, and the next one finds him.
func ExampleLogin_User() {
	idp, err := samltest.New(samltest.Options{})
	if err != nil {
		panic(err)
	}
	trust := idp.Trust()
	trust.Organization = "St Mary's Hospital" // whose users this identity provider may log in
	trust.EmailDomains = []string{"example.com"}
	trust.CreateUsers, trust.DefaultRole = true, "reader"

	sp, err := saml.New(saml.Config{BaseURL: "https://app.example.com", Trusts: saml.NewMemoryTrusts(trust), State: saml.NewMemoryState(),
		Users: saml.NewMemoryUsers()}) // your own list, in an application
	if err != nil {
		panic(err)
	}
	for range 2 {
		login, err := exampleLogin(sp, idp, trust)
		if err != nil {
			panic(err)
		}
		user, _ := login.User()
		fmt.Println(user.Username, user.Organization, user.Roles, login.Created())
	}
	// Output:
	// alice St Mary's Hospital [reader] true
	// alice St Mary's Hospital [reader] false
}

// Only who is in the table gets in, under the name that the table has.
func ExampleMemoryTranslations_Set() {
	idp, err := samltest.New(samltest.Options{})
	if err != nil {
		panic(err)
	}
	trust := idp.Trust()
	trust.Organization, trust.Translation = "St Mary's Hospital", saml.TranslationRequired
	table := saml.NewMemoryTranslations()
	sp, err := saml.New(saml.Config{BaseURL: "https://app.example.com", Trusts: saml.NewMemoryTrusts(trust), State: saml.NewMemoryState(), Translations: table,
		Users: saml.NewMemoryUsers(saml.User{Username: "asmith", Organization: trust.Organization, Roles: []string{"reader"}, State: saml.UserActive})})
	if err != nil {
		panic(err)
	}
	_, err = exampleLogin(sp, idp, trust)
	fmt.Println(errors.Is(err, saml.NotTranslated))

	table.Set(trust.Domain, saml.Subject{NameID: saml.NameID{Value: "alice"}}, "asmith")
	login, err := exampleLogin(sp, idp, trust)
	if err != nil {
		panic(err)
	}
	user, _ := login.User()
	fmt.Println(user.Username)
	// Output:
	// true
	// asmith
}

// A trust that asks for the local password too. With Handler, Config.AskPassword shows the form.
func ExampleServiceProvider_FinishPassword() {
	idp, err := samltest.New(samltest.Options{})
	if err != nil {
		panic(err)
	}
	trust := idp.Trust()
	trust.Organization, trust.PasswordRequired = "St Mary's Hospital", true
	sp, err := saml.New(saml.Config{BaseURL: "https://app.example.com", Trusts: saml.NewMemoryTrusts(trust), State: saml.NewMemoryState(),
		Users: saml.NewMemoryUsers(saml.User{Username: "alice", Organization: trust.Organization, Roles: []string{"reader"}, State: saml.UserActive})})
	if err != nil {
		panic(err)
	}
	_, err = exampleLogin(sp, idp, trust)
	fmt.Println(errors.Is(err, saml.PasswordRequired))
	refused, _ := errors.AsType[*saml.Error](err)
	step, _ := refused.PasswordStep() // its token goes into the form that asks

	for _, typed := range []string{"guess", "secret"} {
		login, err := sp.FinishPassword(context.Background(), step, func(_ context.Context, user saml.User) (bool, error) {
			return user.Username == "alice" && typed == "secret", nil // yours: compare hashes
		})
		if err != nil {
			fmt.Println(errors.Is(err, saml.PasswordWrong))
			continue
		}
		fmt.Println(login.Subject().NameID.Value, login.ReturnTo())
	}
	// Output:
	// true
	// true
	// alice /inbox
}

// The names by which a product sends its users' names, to start from.
func ExampleProduct_AttributeNames() {
	names := saml.Shibboleth.AttributeNames()
	fmt.Println(names.FirstName, names.Username)
	// Output: urn:oid:2.5.4.42 urn:oid:1.3.6.1.4.1.5923.1.1.1.6
}

// A directory in memory, for tests.
func ExampleMemoryUsers() {
	users := saml.NewMemoryUsers(saml.User{Username: "alice", Organization: "a", Roles: []string{"reader"}, State: saml.UserActive})
	found, err := users.FindUsers(context.Background(), saml.UserQuery{Username: "alice", Organization: "a"})
	fmt.Println(len(found), err)
	found, err = users.FindUsers(context.Background(), saml.UserQuery{Username: "alice", Organization: "b"})
	fmt.Println(len(found), err)
	// Output:
	// 1 <nil>
	// 0 <nil>
}
