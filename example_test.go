package saml_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"time"

	"github.com/logintrust/saml"
	"github.com/logintrust/saml/samltest"
)

// startSession stands for what an application does for a user who signed in.
func startSession(http.ResponseWriter, *saml.Login) {}

// The first rung: everything mounted.
func ExampleServiceProvider_Handler() {
	idp, err := samltest.New(samltest.Options{}) // an identity provider for this example
	if err != nil {
		panic(err)
	}
	mux := http.NewServeMux()
	idpMetadata := idp.Metadata()

	trust, err := saml.TrustFromMetadata(idpMetadata, "", time.Now())
	if err != nil {
		panic(err)
	}
	trust.State = saml.Active // after an administrator has looked at it

	sp, err := saml.New(saml.Config{
		BaseURL: "https://app.example.com",
		Trusts:  saml.NewMemoryTrusts(trust),
		State:   saml.NewMemoryState(),
	})
	if err != nil {
		panic(err)
	}
	mux.Handle("/sso/", sp.Handler(func(w http.ResponseWriter, r *http.Request, login *saml.Login) {
		startSession(w, login) // yours: login.Subject(), login.Attribute("mail"), …
		http.Redirect(w, r, login.ReturnTo(), http.StatusSeeOther)
	}))

	w := httptest.NewRecorder()
	mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, sp.LoginLink(trust, "/inbox"), nil))
	to, _ := url.Parse(w.Header().Get("Location"))
	fmt.Println(w.Code, to.Host)
	// Output: 303 idp.example.com
}

// The third rung: a whole login without net/http.
//
// req: SA-04
func ExampleServiceProvider_Validate() {
	ctx := context.Background()
	idp, err := samltest.New(samltest.Options{})
	if err != nil {
		panic(err)
	}
	trust := idp.Trust()
	sp, err := saml.New(saml.Config{BaseURL: "https://app.example.com", Trusts: saml.NewMemoryTrusts(trust), State: saml.NewMemoryState()})
	if err != nil {
		panic(err)
	}
	started, err := sp.Request(ctx, trust, saml.StartOptions{ReturnTo: "/inbox"})
	if err != nil {
		panic(err)
	}
	request, err := samltest.ParseRequestURL(started.URL) // what the identity provider gets
	if err != nil {
		panic(err)
	}
	answer := idp.Answer(request) // and what it answers

	login, err := sp.Validate(ctx, saml.Posted{SAMLResponse: answer.Encode(), BrowserKey: started.BrowserKey})
	if err != nil {
		panic(err)
	}
	fmt.Println(login.Subject().NameID.Value, login.ReturnTo())

	_, err = sp.Validate(ctx, saml.Posted{SAMLResponse: answer.Encode(), BrowserKey: started.BrowserKey})
	fmt.Println(errors.Is(err, saml.Replayed))
	// Output:
	// alice /inbox
	// true
}

// A trust made by hand, from what an administrator pastes.
func ExampleLoginTrust_Check() {
	pem, err := os.ReadFile("testdata/example-idp.pem")
	if err != nil {
		panic(err)
	}
	key, err := saml.ParsePublicKey(string(pem))
	if err != nil {
		panic(err)
	}
	trust := saml.LoginTrust{Domain: "https://idp.example.com", Description: "St Mary's Hospital", LoginURL: "https://idp.example.com/sso",
		Keys: []saml.PublicKey{key}, SAML: true, State: saml.Active}
	fmt.Println(trust.Check())
	trust.LoginURL = "http://idp.example.com/sso"
	fmt.Println(trust.Check())
	// Output:
	// <nil>
	// saml: login trust: LoginURL: "http://idp.example.com/sso" must begin with https:// (http:// only for the loopback)
}

// The second rung: from handlers of the application's own.
func ExampleServiceProvider_StartLogin() {
	idp, err := samltest.New(samltest.Options{})
	if err != nil {
		panic(err)
	}
	trust := idp.Trust()
	sp, err := saml.New(saml.Config{BaseURL: "https://app.example.com", Trusts: saml.NewMemoryTrusts(trust), State: saml.NewMemoryState()})
	if err != nil {
		panic(err)
	}
	start := func(w http.ResponseWriter, r *http.Request) {
		if err := sp.StartLogin(w, r, trust, saml.StartOptions{ReturnTo: r.URL.RequestURI()}); err != nil {
			sp.WriteError(w, r, err)
		}
	}
	finish := func(w http.ResponseWriter, r *http.Request) {
		login, err := sp.FinishLogin(w, r)
		switch {
		case errors.Is(err, saml.ErrAnswered):
		case err != nil:
			sp.WriteError(w, r, err)
		default:
			startSession(w, login)
			http.Redirect(w, r, login.ReturnTo(), http.StatusSeeOther)
		}
	}
	w := httptest.NewRecorder()
	start(w, httptest.NewRequest(http.MethodGet, "/inbox", nil))
	fmt.Println(w.Code)
	w = httptest.NewRecorder()
	finish(w, httptest.NewRequest(http.MethodPost, "/sso/acs", nil))
	fmt.Println(w.Code)
	// Output:
	// 303
	// 400
}

// A trust from an identity provider's metadata, for an administrator to look at.
func ExampleTrustFromMetadata() {
	idp, err := samltest.New(samltest.Options{})
	if err != nil {
		panic(err)
	}
	trust, err := saml.TrustFromMetadata(idp.Metadata(), "", time.Now())
	if err != nil {
		panic(err)
	}
	fmt.Println(trust.Domain, trust.LoginURL, len(trust.Keys), trust.State)
	// Output: https://idp.example.com/metadata https://idp.example.com/sso 1 provisional
}

// A second import of an identity provider's metadata, which has a new key now: each change is a decision of its own.
func ExampleLoginTrust_Compare() {
	before, err := samltest.New(samltest.Options{EntityID: "https://idp.example.com/metadata"})
	if err != nil {
		panic(err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	after, err := samltest.New(samltest.Options{EntityID: "https://idp.example.com/metadata", Key: key})
	if err != nil {
		panic(err)
	}
	trust, err := saml.TrustFromMetadata(before.Metadata(), "", time.Now())
	if err != nil {
		panic(err)
	}
	proposal, err := saml.ProposeTrust(after.Metadata(), saml.ImportOptions{}, time.Now())
	if err != nil {
		panic(err)
	}
	differences, err := trust.Compare(proposal)
	if err != nil {
		panic(err)
	}
	for _, d := range differences {
		fmt.Println(d.Kind)
	}
	trust, err = differences[0].Apply(trust) // the administrator adds the key, and keeps the old one for now
	if err != nil {
		panic(err)
	}
	fmt.Println(len(trust.Keys), "keys")
	// Output:
	// add_key
	// remove_key
	// 2 keys
}

// A trust from metadata at a URL that an administrator entered, with all there is to say of it.
func ExampleMetadataFetcher() {
	importFrom := func(ctx context.Context, metadataURL string) (saml.Proposal, error) {
		metadata, err := saml.MetadataFetcher{}.Fetch(ctx, metadataURL)
		if err != nil {
			return saml.Proposal{}, err
		}
		return saml.ProposeTrust(metadata, saml.ImportOptions{}, time.Now())
	}
	_, err := importFrom(context.Background(), "https://169.254.169.254/latest/meta-data/")
	fmt.Println(err)
	// Output: saml: fetching metadata: its address is not a public one, nor one that is allowed
}

// What an auditor reads after an administrator has saved a trust.
func ExampleDiff() {
	old := saml.LoginTrust{Domain: "https://idp.example.com", Description: "The clinic", EmailDomains: []string{"a.example.com"}}
	changed := old
	changed.State, changed.EmailDomains = saml.Active, []string{"b.example.com"}
	for _, change := range saml.Diff(old, changed) {
		fmt.Println(change)
	}
	// Output:
	// State: provisional → active
	// EmailDomains: removed a.example.com
	// EmailDomains: added b.example.com
}

// A page of the application, asked for without session.
func ExampleSSOPolicy_Route() {
	idp, err := samltest.New(samltest.Options{})
	if err != nil {
		panic(err)
	}
	trust := idp.Trust() // the default, as saml.DefaultTrust finds it
	sp, err := saml.New(saml.Config{BaseURL: "https://app.example.com", Trusts: saml.NewMemoryTrusts(trust), State: saml.NewMemoryState()})
	if err != nil {
		panic(err)
	}
	policy := saml.SSOPolicy{On: true, HasDefault: true}
	page := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch way, trust := policy.Route(sp.Visit(r, nil), &trust); way {
		case saml.ToIdP:
			if err := sp.StartAutomatic(w, r, *trust, saml.StartOptions{}); err != nil {
				sp.WriteError(w, r, err)
			}
		case saml.ToPopup:
			sp.WriteSessionEnded(w, *trust)
		case saml.ToScript:
			sp.WriteUnauthorized(w, trust)
		default:
			fmt.Fprintln(w, "the login page")
		}
	})
	for _, target := range []string{"/chart?id=7", "/chart?sso=off"} {
		w := httptest.NewRecorder()
		page.ServeHTTP(w, httptest.NewRequest(http.MethodGet, target, nil))
		fmt.Println(w.Code)
	}
	// Output:
	// 303
	// 200
}

// What an application keeps of a refusal: the reference that the user was shown, and the report.
func ExampleError_Report() {
	var config saml.Config
	config.OnRefusal = func(ctx context.Context, r *http.Request, reference string, err *saml.Error) {
		slog.Warn("login refused", "reference", reference, "report", err.Report(ctx))
	}
}
