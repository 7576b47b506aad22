package saml_test

import (
	"context"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/logintrust/saml"
	"github.com/logintrust/saml/samltest"
)

// A login that was refused, explained: here the identity provider has the wrong audience.
func ExampleServiceProvider_Explain() {
	idp, sp := exampleSite(saml.Config{})
	started, err := sp.Request(context.Background(), idp.Trust(), saml.StartOptions{})
	if err != nil {
		panic(err)
	}
	request, _ := samltest.ParseRequestURL(started.URL)
	answer := idp.Answer(request)
	answer.Assertion().Conditions.Audiences[0][0] += "/"

	report := sp.Explain(context.Background(), saml.Posted{SAMLResponse: answer.Encode(), BrowserKey: started.BrowserKey}, saml.ExplainOptions{})
	for _, check := range report.Failures() {
		fmt.Println(check.Name, "found", check.Found)
		fmt.Println("note:", check.Note)
		fmt.Println("who:", check.Actor)
		fmt.Println("do:", check.Remedy)
	}
	// Output:
	// audience found "https://app.example.com/sso/metadata/"
	// note: they differ only by a slash at the end
	// who: the identity provider's administrator
	// do: Set the audience there to our entity ID, letter for letter.
}

// A refusal, written down for an administrator's eyes only, who opens it with "logintrust explain -key" or OpenCase.
func ExampleError_SealedCase() {
	idp, sp := exampleSite(saml.Config{Now: func() time.Time { return time.Now().Add(time.Hour) }})
	administrator, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		panic(err)
	}
	answer := idp.Answer(samltest.Request{ID: "_1", ACSURL: "https://app.example.com/sso/acs", SPEntityID: sp.EntityID()})
	_, err = sp.Validate(context.Background(), saml.Posted{SAMLResponse: answer.Encode()})

	refused, ok := errors.AsType[*saml.Error](err) // as Config.OnRefusal has it
	if !ok {
		panic(err)
	}
	sealed, err := refused.SealedCase(context.Background(), administrator.PublicKey())
	if err != nil {
		panic(err)
	}
	_, err = saml.OpenCase(sealed, administrator)
	fmt.Println(refused.Reason == saml.Expired, saml.IsSealedCase(sealed), err)
	// Output: true true <nil>
}

// The application has the certificate of the administrator's key, as "logintrust keys generate -type p256" writes it.
func ExampleError_SealedCase_keyFromFile() {
	idp, sp := exampleSite(saml.Config{Now: func() time.Time { return time.Now().Add(time.Hour) }})
	pair, err := saml.GenerateKeyPair(saml.P256, saml.CertificateOptions{Subject: "refused logins", NotBefore: time.Now(), Days: 365})
	if err != nil {
		panic(err)
	}
	certificatePEM, _, err := pair.PEM() // os.ReadFile("cases.crt.pem")
	if err != nil {
		panic(err)
	}
	key, err := loadCaseKey(certificatePEM)
	if err != nil {
		panic(err)
	}
	answer := idp.Answer(samltest.Request{ID: "_1", ACSURL: "https://app.example.com/sso/acs", SPEntityID: sp.EntityID()})
	_, err = sp.Validate(context.Background(), saml.Posted{SAMLResponse: answer.Encode()})
	refused, ok := errors.AsType[*saml.Error](err)
	if !ok {
		panic(err)
	}
	sealed, err := refused.SealedCase(context.Background(), key)
	fmt.Println(saml.IsSealedCase(sealed), err)
	// Output: true <nil>
}

func loadCaseKey(certificatePEM []byte) (*ecdh.PublicKey, error) {
	block, _ := pem.Decode(certificatePEM)
	if block == nil {
		return nil, errors.New("no certificate in PEM")
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, err
	}
	key, ok := certificate.PublicKey.(*ecdsa.PublicKey)
	if !ok {
		return nil, errors.New("the key is not on P-256, P-384 or P-521")
	}
	return key.ECDH()
}

// A trust is tried out before it is saved: the test ends in a report on a page of the administrator's.
func ExampleServiceProvider_StartTest() {
	_, sp := exampleSite(saml.Config{})
	mux := http.NewServeMux()
	mux.HandleFunc("POST /admin/trusts/test", func(w http.ResponseWriter, r *http.Request) {
		trust := saml.LoginTrust{ /* what is on the form */ }
		testID, err := sp.StartTest(w, r, trust, saml.StartOptions{ReturnTo: "/admin/trusts/result"}, saml.ExplainOptions{})
		if err != nil {
			sp.WriteError(w, r, err)
			return
		}
		_ = testID // to be kept in the administrator's session
	})
	mux.HandleFunc("GET /admin/trusts/result", func(w http.ResponseWriter, r *http.Request) {
		report, found, err := sp.TestResult(r.Context(), "the testID from the administrator's session")
		if err != nil || !found {
			http.NotFound(w, r)
			return
		}
		fmt.Fprintln(w, report) // or a page made of report.Checks
	})
}

// exampleSite is a service provider that trusts an identity provider.
func exampleSite(config saml.Config) (*samltest.IdP, *saml.ServiceProvider) {
	idp, err := samltest.New(samltest.Options{})
	if err != nil {
		panic(err)
	}
	config.BaseURL, config.Trusts, config.State = "https://app.example.com", saml.NewMemoryTrusts(idp.Trust()), saml.NewMemoryState()
	sp, err := saml.New(config)
	if err != nil {
		panic(err)
	}
	return idp, sp
}
