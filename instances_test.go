package saml_test

import (
	"context"
	"encoding/pem"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml"
	"github.com/logintrust/saml/internal/fips"
	"github.com/logintrust/saml/samltest"
)

// Six instances in one process: test and main, in three environments, each with an identity provider of its own that has
// the same entity ID.
//
// req: CS-05 CS-06 CS-07 SDP-SP12
func TestInstances(t *testing.T) {
	t.Parallel()
	var instances []*world
	seen := map[string]bool{}
	for i := range 6 {
		host := fmt.Sprintf("https://instance%d.example.com", i)
		w := newWorld(t, func(trust *saml.LoginTrust, c *saml.Config) {
			c.BaseURL = host
			trust.LoginURL, trust.LogoutURL = fmt.Sprintf("https://idp%d.example.com/sso", i), fmt.Sprintf("https://idp%d.example.com/out", i)
		})
		instances = append(instances, w)
		metadata := string(w.sp.Metadata())
		assert.Contains(t, metadata, `entityID="`+host+`/sso/metadata"`)
		assert.Contains(t, metadata, host+"/sso/acs")
		assert.False(t, seen[metadata])
		seen[metadata] = true
		assert.True(t, strings.HasPrefix(w.begin(saml.StartOptions{}), w.trust().LoginURL+"?SAMLRequest="))
		rec := httptest.NewRecorder()
		w.sp.FinishLogout(rec, w.trust())
		assert.Equal(t, w.trust().LogoutURL, rec.Header().Get("Location"))
	}
	first, second := instances[0], instances[1]
	for _, edit := range []func(*samltest.Answer){signAssertion, signResponse, func(a *samltest.Answer) { a.Destination = "" }} {
		started, request := first.start(saml.StartOptions{})
		answer := first.idp.Answer(request)
		edit(answer)
		login, err := second.post(answer, started.BrowserKey)
		require.Error(t, err)
		require.Nil(t, login)
		login, err = first.post(answer, started.BrowserKey)
		accepted(t, login, err)
	}

	other, err := samltest.New(samltest.Options{Key: mustKey(t, "next-rsa2048"), Now: first.idp.Now})
	require.NoError(t, err)
	answer := second.idp.Answer(mustRequest(t, second.begin(saml.StartOptions{})))
	answer.Seal = other.Seal()
	login, err := second.post(answer, "")
	refused(t, saml.BadSignature, login, err)
}

// Two tenants whose people come from one identity provider, with one key and one issuer, are two service providers, even in
// one process, at one address and on one state store: what is for one is nothing to the other.
//
// req: CS-05
func TestTwoTenantsOfOneIssuer(t *testing.T) {
	t.Parallel()
	state := saml.NewMemoryState()
	tenant := func(entityID string) *world {
		return newWorld(t, allowIdPInitiated, func(_ *saml.LoginTrust, c *saml.Config) { c.EntityID, c.State = entityID, state })
	}
	a, b := tenant("https://a.example.com"), tenant("https://b.example.com")
	require.Equal(t, a.trust(), b.trust())
	for _, edit := range []func(*samltest.Answer){signAssertion, signResponse, func(a *samltest.Answer) { a.Destination = "" }} {
		started, request := a.start(saml.StartOptions{})
		answer := a.idp.Answer(request)
		edit(answer)
		login, err := b.post(answer, started.BrowserKey)
		refused(t, saml.WrongAudience, login, err)

		request.SPEntityID = b.sp.EntityID() // the answer to a's request, made for b
		crossed := a.idp.Answer(request)
		edit(crossed)
		login, err = b.post(crossed, started.BrowserKey)
		refused(t, saml.UnknownRequest, login, err)
		login, err = a.post(crossed, started.BrowserKey)
		refused(t, saml.WrongAudience, login, err)

		login, err = a.post(answer, started.BrowserKey)
		accepted(t, login, err)
	}
	answer := a.idp.Answer(samltest.Request{ACSURL: "https://sp.example.com/sso/acs", SPEntityID: a.sp.EntityID()})
	login, err := b.post(answer, "")
	refused(t, saml.WrongAudience, login, err)
	login, err = a.post(answer, "")
	accepted(t, login, err)
}

// Whose software it is changes neither what is asked nor what is accepted.
//
// req: CS-04 CS-09
func TestProductChangesNoCheck(t *testing.T) {
	t.Parallel()
	var first string
	for product := saml.GenericIdP; product <= saml.SimpleSAMLphp; product++ {
		w := newWorld(t, func(t *saml.LoginTrust, _ *saml.Config) { t.Product = product })
		trust := w.trust()
		require.NoError(t, trust.Check())
		started, request := w.start(saml.StartOptions{RequestID: "_same"})
		if first == "" {
			first = string(request.XML)
		}
		assert.Equal(t, first, string(request.XML), product)
		login, err := w.post(w.idp.Answer(request), started.BrowserKey)
		accepted(t, login, err)
	}
	for _, word := range []string{"generic", "entra", "adfs", "okta", "shibboleth"} {
		var p saml.Product
		require.NoError(t, p.UnmarshalText([]byte(word)))
		assert.Equal(t, word, p.String())
	}
}

// What a customer sends by mail, without metadata, is enough.
//
// req: CS-16 LT-01
func TestTrustByHand(t *testing.T) {
	t.Parallel()
	w := newWorld(t, allowIdPInitiated)
	key, err := saml.ParsePublicKey(string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: w.idp.Certificate()})))
	require.NoError(t, err)
	trust := saml.LoginTrust{Domain: w.idp.EntityID, Description: "The clinic", LoginURL: "https://idp.example.com/sso",
		LogoutURL: "https://idp.example.com/out", Keys: []saml.PublicKey{key}, State: saml.Active, SAML: true}
	require.NoError(t, trust.Check())
	w.trusts.Set(trust)
	login, err := w.login()
	accepted(t, login, err)
	rec := httptest.NewRecorder()
	w.sp.FinishLogout(rec, login.Trust())
	assert.Equal(t, "https://idp.example.com/out", rec.Header().Get("Location"))
}

// A message of 2015: the Response signed with SHA-1 and 1024 bits, a password class, a GUID as name.
//
// req: SA-15
func TestOldSample(t *testing.T) {
	fips.Forbids(t, "SHA-1 and RSA keys of 1024 bits")
	t.Parallel()
	idp, err := samltest.New(samltest.Options{EntityID: "https://saml.example.com", Key: mustKey(t, "weak-rsa1024")})
	require.NoError(t, err)
	legacy := func(t *saml.LoginTrust) { t.AllowSHA1, t.AllowRSA1024 = true, true }
	for _, c := range []struct {
		name     string
		trust    func(*saml.LoginTrust)
		audience bool
		want     saml.Reason
	}{
		{"allowed", legacy, true, ""},
		{"by default", func(*saml.LoginTrust) {}, true, saml.WeakAlgorithm},
		{"without audience", legacy, false, saml.WrongAudience},
	} {
		w := newWorld(t)
		idp.Now = w.idp.Now
		w.idp = idp
		trust := idp.Trust()
		trust.AllowIdPInitiated = true
		c.trust(&trust)
		w.trusts.Set(trust)
		answer := w.unsolicited()
		answer.Sign = samltest.SignResponse
		answer.Seal.Method, answer.Seal.Digest, answer.Seal.Certificate = samltest.RSASHA1, samltest.SHA1, nil
		answer.Assertion().Subject.NameID.Value = "6b9a7b6e-7c0d-4a64-b7a8-0d9d4bb0c9a1"
		answer.Assertion().Statements[0].ClassRef = "urn:oasis:names:tc:SAML:2.0:ac:classes:Password"
		if !c.audience {
			answer.Assertion().Conditions.Audiences = nil
		}
		login, err := w.sp.Validate(context.Background(), saml.Posted{SAMLResponse: answer.Encode()})
		if c.want == "" {
			accepted(t, login, err)
			continue
		}
		refused(t, c.want, login, err)
	}
}
