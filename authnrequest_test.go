package saml_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml"
	"github.com/logintrust/saml/samltest"
)

// req: PROF-4.1.4.1-a CORE-3.2.1-ver CORE-1.3.3-a SDP-SP04 SDP-SP05 SDP-SP07 CORE-3.4.1-force IIP-SP03 IIP-G03-send BIND-3.4.4.1-2
func TestMinimalRequest(t *testing.T) {
	t.Parallel()
	kolkata := time.FixedZone("Kolkata", 5*3600+1800)
	w := newWorld(t, func(_ *saml.LoginTrust, c *saml.Config) {
		c.Now = func() time.Time { return now.Add(123456 * time.Nanosecond).In(kolkata) }
	})
	_, request := w.start(saml.StartOptions{})
	xml := string(request.XML)
	assert.Equal(t, `<samlp:AuthnRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="`+request.ID+
		`" Version="2.0" IssueInstant="2026-03-14T15:09:26.535Z" Destination="https://idp.example.com/sso" ProtocolBinding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"`+
		` AssertionConsumerServiceURL="https://sp.example.com/sso/acs"><saml:Issuer>https://sp.example.com/sso/metadata</saml:Issuer></samlp:AuthnRequest>`, xml)
}

// req: CORE-1.3.4
func TestRequestIDs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	form := regexp.MustCompile(`^_[0-9a-f]{40}$`)
	seen := map[string]bool{}
	for range 2000 {
		started, err := w.sp.Request(t.Context(), w.trust(), saml.StartOptions{})
		require.NoError(t, err)
		require.Regexp(t, form, started.RequestID)
		require.False(t, seen[started.RequestID])
		seen[started.RequestID] = true
	}
	for id, good := range map[string]bool{"_a.b-1": true, "a": true, "1a": true, "<": false, "a\"": false, "a b": false, "é": true, "\x00": false, "\xff": false, strings.Repeat("a", 257): false} {
		_, err := w.sp.Request(t.Context(), w.trust(), saml.StartOptions{RequestID: id})
		assert.Equal(t, good, err == nil, id)
	}
	_, err := w.sp.Request(t.Context(), w.trust(), saml.StartOptions{RequestID: "a"})
	assert.ErrorIs(t, err, saml.StoreFailed, "an ID that waits already")
}

// req: IIP-SP06 E14-a E14-b eGov-041
func TestRequestOptions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, request := w.start(saml.StartOptions{ForceAuthn: true, IsPassive: true, AuthnContext: []string{"urn:b", "urn:a&<"}, NameIDFormat: saml.NameIDPersistent})
	assert.True(t, request.ForceAuthn)
	assert.True(t, request.IsPassive)
	assert.Equal(t, []string{"urn:b", "urn:a&<"}, request.AuthnContext)
	assert.Equal(t, saml.NameIDPersistent, request.NameIDFormat)
	assert.Contains(t, string(request.XML), `Comparison="exact"`)
	assert.Contains(t, string(request.XML), `AllowCreate="true"`)
	_, request = w.start(saml.StartOptions{NameIDFormat: saml.NameIDTransient})
	assert.NotContains(t, string(request.XML), "AllowCreate")
}

// req: BIND-3.4.4.1-1 BIND-3.4.4.1-3 BIND-3.4.4.1-4 BIND-3.4.4.1-5 BIND-3.4.4.1-6 BIND-3.4.4.1-7 BIND-3.4.4.1-8 BIND-3.4.4-query BIND-3.4.5.2/3.5.5.2-send SG-ECDSA SE-KEY
func TestSignedRedirect(t *testing.T) {
	t.Parallel()
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	signers := map[string]crypto.Signer{"RSA": rsaKey}
	for _, curve := range []elliptic.Curve{elliptic.P256(), elliptic.P384(), elliptic.P521()} {
		key, err := ecdsa.GenerateKey(curve, rand.Reader)
		require.NoError(t, err)
		signers[curve.Params().Name] = key
	}
	for name, signer := range signers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, func(t *saml.LoginTrust, c *saml.Config) {
				t.LoginURL = "https://idp.example.com/sso?idpid=C01"
				c.SigningKeys = []saml.KeyPair{{Signer: onlySigner{signer}}}
			})
			started, request := w.start(saml.StartOptions{})
			assert.Equal(t, 1, strings.Count(started.URL, "?"))
			assert.True(t, strings.HasPrefix(started.URL, "https://idp.example.com/sso?idpid=C01&SAMLRequest="))
			assert.NotContains(t, started.URL, "%0A")
			assert.NotContains(t, string(request.XML), "Signature")
			assert.Equal(t, "https://idp.example.com/sso?idpid=C01", request.Destination)
			_, query, _ := strings.Cut(started.URL, "idpid=C01&")
			signed, _, found := strings.Cut(query, "&Signature=")
			require.True(t, found)
			assert.Equal(t, signed, request.Signed)
			values, err := url.ParseQuery(query)
			require.NoError(t, err)
			signature, err := base64.StdEncoding.Strict().DecodeString(values.Get("Signature"))
			require.NoError(t, err)
			verifyRedirect(t, signer.Public(), []byte(signed), signature)
		})
	}
}

// onlySigner is a key that lives elsewhere: nothing but crypto.Signer.
type onlySigner struct{ crypto.Signer }

func verifyRedirect(t *testing.T, key crypto.PublicKey, octets, signature []byte) {
	t.Helper()
	switch k := key.(type) {
	case *rsa.PublicKey:
		sum := sha256.Sum256(octets)
		require.NoError(t, rsa.VerifyPKCS1v15(k, crypto.SHA256, sum[:], signature))
	case *ecdsa.PublicKey:
		hash := map[int]crypto.Hash{256: crypto.SHA256, 384: crypto.SHA384, 521: crypto.SHA512}[k.Params().BitSize]
		h := hash.New()
		h.Write(octets)
		size := (k.Params().BitSize + 7) / 8
		require.Len(t, signature, 2*size)
		require.True(t, ecdsa.Verify(k, h.Sum(nil), bigInt(signature[:size]), bigInt(signature[size:])))
	}
}

// req: SG-EMIT E7-declares E7-wants
func TestSignedPOST(t *testing.T) {
	t.Parallel()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	w := newWorld(t, func(t *saml.LoginTrust, c *saml.Config) {
		t.LoginURL, t.LoginPostURL, t.WantRequestsSigned = "", "https://idp.example.com/sso", true
		c.SigningKeys = []saml.KeyPair{{Signer: key}}
	})
	started, err := w.sp.Request(t.Context(), w.trust(), saml.StartOptions{})
	require.NoError(t, err)
	assert.Empty(t, started.URL)
	assert.Equal(t, "https://idp.example.com/sso", started.Action)
	xml, err := base64.StdEncoding.DecodeString(started.Fields["SAMLRequest"])
	require.NoError(t, err)
	assert.Contains(t, string(xml), "http://www.w3.org/2001/10/xml-exc-c14n#")
	assert.Equal(t, 1, strings.Count(string(xml), "<ds:Reference "))
	assert.NotContains(t, string(xml), "KeyInfo", "an empty KeyInfo is left out")
	assert.Contains(t, string(w.sp.Metadata()), `AuthnRequestsSigned="true"`)
	verifyOwn(t, xml, key.Public())

	w = newWorld(t, func(t *saml.LoginTrust, _ *saml.Config) { t.WantRequestsSigned = true })
	_, err = w.sp.Request(t.Context(), w.trust(), saml.StartOptions{})
	require.ErrorContains(t, err, "signed requests")
}

// req: IIP-SSO02 SDP-SP02
func TestBindingOfARequest(t *testing.T) {
	t.Parallel()
	const redirect, post = "https://idp.example.com/redirect", "https://idp.example.com/post"
	for _, c := range []struct {
		name           string
		redirect, post string
		binding        saml.Binding
		want           string
	}{
		{"both", redirect, post, saml.AnyBinding, redirect},
		{"redirect only", redirect, "", saml.AnyBinding, redirect},
		{"post only", "", post, saml.AnyBinding, post},
		{"post asked", redirect, post, saml.POSTBinding, post},
		{"redirect asked", redirect, post, saml.RedirectBinding, redirect},
		{"post asked, not there", redirect, "", saml.POSTBinding, ""},
		{"redirect asked, not there", "", post, saml.RedirectBinding, ""},
		{"neither", "", "", saml.AnyBinding, ""},
		{"not https", "http://idp.example.com/", "", saml.AnyBinding, ""},
	} {
		w := newWorld(t, func(t *saml.LoginTrust, _ *saml.Config) { t.LoginURL, t.LoginPostURL = c.redirect, c.post })
		started, err := w.sp.Request(t.Context(), w.trust(), saml.StartOptions{Binding: c.binding})
		if c.want == "" {
			assert.Error(t, err, c.name)
			continue
		}
		require.NoError(t, err, c.name)
		assert.True(t, started.Action == c.want || strings.HasPrefix(started.URL, c.want+"?"), c.name)
	}
}

func TestNoRequestThroughAClosedTrust(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	trust := w.trust()
	trust.State = saml.Provisional
	_, err := w.sp.Request(t.Context(), trust, saml.StartOptions{})
	assert.ErrorIs(t, err, saml.TrustProvisional)
}

// req: CS-10
func TestConfig(t *testing.T) {
	t.Parallel()
	weak := mustKey(t, "weak-rsa1024")
	idp := samltest.NewIdP(t)
	good := saml.Config{BaseURL: "https://sp.example.com", Trusts: saml.NewMemoryTrusts(), State: saml.NewMemoryState()}
	// req: SDP-SP09 SE-NIST-chan SDP-G02
	for name, change := range map[string]func(*saml.Config){
		"no BaseURL":            func(c *saml.Config) { c.BaseURL = "" },
		"http":                  func(c *saml.Config) { c.BaseURL = "http://sp.example.com" },
		"query":                 func(c *saml.Config) { c.BaseURL = "https://sp.example.com?x=1" },
		"user":                  func(c *saml.Config) { c.BaseURL = "https://u@sp.example.com" },
		"ACS http":              func(c *saml.Config) { c.ACSURL = "http://sp.example.com/acs" },
		"ACS of another origin": func(c *saml.Config) { c.ACSURL = "https://other.example.com/acs" },
		"entity ID with NUL":    func(c *saml.Config) { c.EntityID = "a\x00" },
		"entity ID with space":  func(c *saml.Config) { c.EntityID = "a b" },
		"entity ID too long":    func(c *saml.Config) { c.EntityID = strings.Repeat("a", 1025) },
		"large letters":         func(c *saml.Config) { c.BaseURL = "HTTPS://sp.example.com" },
		"an empty query":        func(c *saml.Config) { c.BaseURL = "https://sp.example.com/?" },
		"one path for two":      func(c *saml.Config) { c.ACSURL = "https://sp.example.com/sso/metadata" },
		"a URL for a host":      func(c *saml.Config) { c.RelayStateHosts = []string{"https://ok.example.com/"} },
		"no trusts":             func(c *saml.Config) { c.Trusts = nil },
		"no state":              func(c *saml.Config) { c.State = nil },
		"skew":                  func(c *saml.Config) { c.ClockSkew = 25 * time.Hour },
		"form size":             func(c *saml.Config) { c.MaxFormBytes = 5 << 20 },
		"negative size":         func(c *saml.Config) { c.MaxMessageBytes = -1 },
		"default elsewhere":     func(c *saml.Config) { c.DefaultPath = "//evil.net" },
		"empty key":             func(c *saml.Config) { c.SigningKeys = []saml.KeyPair{{}} },
		"weak key":              func(c *saml.Config) { c.SigningKeys = []saml.KeyPair{{Signer: weak}} },
		"certificate of another": func(c *saml.Config) {
			key, _ := rsa.GenerateKey(rand.Reader, 2048)
			c.SigningKeys = []saml.KeyPair{{Signer: key, Certificate: idp.Certificate()}}
		},
	} {
		c := good
		change(&c)
		sp, err := saml.New(c)
		assert.Error(t, err, name)
		assert.Nil(t, sp, name)
	}
	for name, change := range map[string]func(*saml.Config){
		"plain":        func(*saml.Config) {},
		"slash":        func(c *saml.Config) { c.BaseURL += "/" },
		"loopback":     func(c *saml.Config) { c.BaseURL = "http://127.0.0.1:8080" },
		"loopback 6":   func(c *saml.Config) { c.BaseURL = "http://[::1]:8080" },
		"localhost":    func(c *saml.Config) { c.BaseURL = "http://localhost" },
		"urn":          func(c *saml.Config) { c.EntityID = "urn:example:sp" },
		"http allowed": func(c *saml.Config) { c.BaseURL, c.InsecureAllowHTTP = "http://sp.example.com", true },
		"query in ACS": func(c *saml.Config) { c.ACSURL = "https://sp.example.com/acs?tenant=7" },
	} {
		c := good
		change(&c)
		sp, err := saml.New(c)
		require.NoError(t, err, name)
		assert.NotEmpty(t, sp.EntityID())
	}
}

// An ACS URL with a query, and an entity ID that is a URN.
func TestOddAddresses(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(_ *saml.LoginTrust, c *saml.Config) {
		c.EntityID, c.ACSURL = "urn:example:sp", "https://sp.example.com/acs?tenant=7&x=1"
	})
	login, err := w.login()
	accepted(t, login, err)
}
