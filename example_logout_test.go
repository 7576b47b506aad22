package saml_test

import (
	"context"
	"fmt"
	"net/http"

	"github.com/logintrust/saml"
	"github.com/logintrust/saml/samltest"
)

// clinicSessions are the sessions of an application: its own rows, with what Login.Session gave for each.
type clinicSessions map[string]saml.LoginSession

func (c clinicSessions) EndSessions(_ context.Context, logout saml.Logout) (ended int, err error) {
	for id, session := range c { // in SQL: DELETE … WHERE subject_key = $1 AND …
		if logout.Ends(session) {
			delete(c, id)
			ended++
		}
	}
	return ended, nil
}

func exampleLogout() (*samltest.IdP, *saml.ServiceProvider, clinicSessions, saml.LoginSession) {
	idp, err := samltest.New(samltest.Options{})
	if err != nil {
		panic(err)
	}
	key, err := testKey("next-rsa2048")
	if err != nil {
		panic(err)
	}
	trust := idp.Trust()
	trust.AllowIdPInitiated = true
	sessions := clinicSessions{}
	sp, err := saml.New(saml.Config{BaseURL: "https://app.example.com", Trusts: saml.NewMemoryTrusts(trust), State: saml.NewMemoryState(),
		Sessions: sessions, SigningKeys: []saml.KeyPair{{Signer: key}}})
	if err != nil {
		panic(err)
	}
	answer := idp.Answer(samltest.Request{SPEntityID: sp.EntityID(), ACSURL: "https://app.example.com/sso/acs"})
	login, err := sp.Validate(context.Background(), saml.Posted{SAMLResponse: answer.Encode()})
	if err != nil {
		panic(err)
	}
	sessions["cookie"] = login.Session()
	return idp, sp, sessions, login.Session()
}

// An identity provider ends a session.
func ExampleServiceProvider_AnswerLogout() {
	idp, sp, sessions, session := exampleLogout()
	query := idp.LogoutRequest(session, "https://app.example.com/sso/logout").RawQuery()

	answer, err := sp.AnswerLogout(context.Background(), saml.LogoutMessage{Query: query}) // of an http.Request: r.URL.RawQuery
	if err != nil {
		panic(err)
	}
	fmt.Println(answer.Ended, len(sessions), answer.URL != "")
	// Output: 1 0 true
}

// We end one, and the identity provider answers.
func ExampleServiceProvider_LogoutRequest() {
	idp, sp, sessions, session := exampleLogout()
	delete(sessions, "cookie") // ours ends first

	started, err := sp.LogoutRequest(context.Background(), session, saml.LogoutOptions{ReturnTo: "/bye"})
	if err != nil {
		panic(err)
	}
	request, err := samltest.ParseLogoutURL(started.URL) // where the browser is sent
	if err != nil {
		panic(err)
	}
	query := idp.LogoutResponse(request, "https://app.example.com/sso/logout").RawQuery()
	result, err := sp.CompleteLogout(context.Background(), saml.LogoutMessage{Query: query, BrowserKey: started.BrowserKey})
	if err != nil {
		panic(err)
	}
	fmt.Println(result.Outcome, result.ReturnTo)
	// Output: complete /bye
}

// A handler of the host's own, where Handler does not serve the button.
func ExampleServiceProvider_StartLogout() {
	_, sp, _, session := exampleLogout()
	own := http.NewCrossOriginProtection()
	http.Handle("POST /logout", own.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// End the session of this browser first, whatever becomes of the rest.
		if err := sp.StartLogout(w, r, session, saml.LogoutOptions{ReturnTo: "/"}); err != nil {
			sp.WriteError(w, r, err)
		}
	})))
}
