package saml_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml"
	"github.com/logintrust/saml/samltest"
)

// Two processes share a store, and their clocks differ.
//
// req: PROF-4.1.4.5-replay
func TestReplayBetweenClocksThatDiffer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		idp, err := samltest.New(samltest.Options{Now: time.Now})
		require.NoError(t, err)
		trust := idp.Trust()
		trust.AllowIdPInitiated = true
		state := saml.NewMemoryState()
		make := func(late time.Duration) *saml.ServiceProvider {
			sp, err := saml.New(saml.Config{BaseURL: "https://sp.example.com", Trusts: saml.NewMemoryTrusts(trust), State: state,
				Now: func() time.Time { return time.Now().Add(-late) }})
			require.NoError(t, err)
			return sp
		}
		punctual, late := make(0), make(2*time.Minute)
		answer := idp.Answer(samltest.Request{ACSURL: "https://sp.example.com/sso/acs", SPEntityID: "https://sp.example.com/sso/metadata"})
		posted := saml.Posted{SAMLResponse: answer.Encode()}
		_, err = punctual.Validate(t.Context(), posted)
		require.NoError(t, err)
		for time.Since(begun) < 30*time.Minute {
			_, err := late.Validate(t.Context(), posted)
			require.Error(t, err, "after %v", time.Since(begun))
			time.Sleep(15 * time.Second)
		}
	})
}

// If the store fails in the middle, no login was made, and none is pretended to the browser afterwards.
func TestNoRepeatOfALoginThatFailed(t *testing.T) {
	t.Parallel()
	state := &brokenState{MemoryState: saml.NewMemoryState()}
	s := newSite(t, func(_ *saml.LoginTrust, c *saml.Config) { c.State = state })
	b := s.browser()
	answer := s.idp.Answer(b.start("&target=/inbox"))
	state.takeOnce = errBroken
	resp, _ := b.post(answer)
	assert.Equal(t, http.StatusServiceUnavailable, resp.StatusCode)
	resp, _ = b.post(answer)
	assert.Equal(t, http.StatusSeeOther, resp.StatusCode)
	assert.Equal(t, int32(1), s.logins.Load(), "the second submit makes the login")
}

func TestHostileKeys(t *testing.T) {
	t.Parallel()
	small := make(ed25519.PublicKey, 32)
	small[0] = 1
	negated := append(ed25519.PublicKey{}, small...)
	negated[31] |= 0x80
	order8, err := hex.DecodeString("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a")
	require.NoError(t, err)
	odd := new(big.Int).SetBit(big.NewInt(1), 2047, 1)
	for name, key := range map[string]any{
		"identity":        small,
		"identity, other": negated,
		"order eight":     ed25519.PublicKey(order8),
		"short":           ed25519.PublicKey{1, 2, 3, 4, 5},
		"empty":           ed25519.PublicKey{},
		"even modulus":    &rsa.PublicKey{N: new(big.Int).SetBit(big.NewInt(0), 2047, 1), E: 65537},
		"negative":        &rsa.PublicKey{N: new(big.Int).Neg(odd), E: 65537},
		"even exponent":   &rsa.PublicKey{N: odd, E: 65536},
		"exponent one":    &rsa.PublicKey{N: odd, E: 1},
		"huge":            &rsa.PublicKey{N: new(big.Int).SetBit(big.NewInt(1), 16383, 1), E: 65537},
		"no modulus":      &rsa.PublicKey{E: 65537},
		"no curve":        &ecdsa.PublicKey{},
	} {
		_, err := saml.NewPublicKey(key)
		assert.Error(t, err, name)
	}
	_, err = saml.ParsePublicKey(base64.StdEncoding.EncodeToString(make([]byte, 40_000)))
	assert.ErrorContains(t, err, "32768")
	assert.Empty(t, saml.PublicKey{}.SHA256())
}

// Equal IDs are equal however they are written.
//
// req: SG-DUPID
func TestEqualIDsInDisguise(t *testing.T) {
	t.Parallel()
	w := newWorld(t, allowIdPInitiated)
	answer := w.unsolicited()
	answer.Extensions = []string{`<x:y xmlns:x="urn:x" ID="_twin"/>`}
	answer.Assertion().ID = "_twin-"
	answer.Bytes = func(b []byte) []byte {
		return []byte(strings.Replace(string(b), `ID="_twin"`, `ID="&#x5f;twin&#45;"`, 1))
	}
	login, err := w.post(answer, "")
	refused(t, saml.BadResponse, login, err)
}

// A login is not begun in a frame, where nobody sees it.
//
// req: SDP-SP03
func TestNoLoginInAFrame(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for dest, want := range map[string]int{"": 303, "document": 303, "iframe": 400, "image": 400, "empty": 400} {
		r := httptest.NewRequest(http.MethodGet, "https://sp.example.com/sso/login?entityID="+url.QueryEscape(s.idp.EntityID), nil)
		if dest != "" {
			r.Header.Set("Sec-Fetch-Dest", dest)
		}
		assert.Equal(t, want, s.browser().do(r, false).StatusCode, dest)
	}
}

// What is quoted of a request is short.
func TestLongMethod(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for _, path := range []string{"/sso/acs", "/sso/login"} {
		s.browser().do(httptest.NewRequest(strings.Repeat("A", 100_000), "https://sp.example.com"+path, nil), false)
		assert.Less(t, len(s.refusals.Load().Error()), 200)
	}
}

// Zero values say nothing and do not panic.
func TestZeroValues(t *testing.T) {
	t.Parallel()
	var login saml.Login
	var assertion saml.Assertion
	for _, a := range []*saml.Assertion{&assertion, login.Assertion, nil} {
		assert.Empty(t, a.ID()+a.Issuer()+strings.Join(a.SessionIndexes(), "")+a.Subject().NameID.Value)
		assert.Empty(t, a.Attributes())
		assert.Nil(t, a.Attribute("x"))
		assert.Nil(t, a.AttributeOf("x", "y"))
		assert.Empty(t, a.AuthnContext())
		assert.Empty(t, a.AuthenticatingAuthorities())
		assert.True(t, a.SessionNotOnOrAfter().IsZero() && a.AuthnInstant().IsZero() && a.IssueInstant().IsZero() && !a.OneTimeUse())
		_, _, found := a.ProxyRestriction()
		assert.False(t, found)
	}
	assert.Empty(t, login.ReturnTo()+login.RequestID())
	var trusts saml.MemoryTrusts
	trusts.Set(saml.LoginTrust{Domain: "a"})
	assert.Len(t, trusts.All(), 1)
	var state saml.MemoryState
	added, err := state.Add(t.Context(), "a", nil, time.Hour)
	require.NoError(t, err)
	assert.True(t, added)
	assert.Error(t, new(saml.LoginTrust).Check())
	s := newSite(t)
	w := httptest.NewRecorder()
	s.sp.WriteError(w, httptest.NewRequest(http.MethodGet, "/", nil), (*saml.Error)(nil))
	assert.Equal(t, http.StatusInternalServerError, w.Code)
	assert.Panics(t, func() { s.sp.Handler(nil) })
}

// A full store refuses quickly, keeps what it holds, and forgets what has expired.
func TestMemoryState(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var m saml.MemoryState
		ctx := t.Context()
		_, err := m.Add(ctx, "k", nil, 0)
		require.Error(t, err)
		added, err := m.Add(ctx, "k", []byte("v"), time.Minute)
		require.True(t, added && err == nil)
		added, err = m.Add(ctx, "k", []byte("w"), time.Minute)
		require.True(t, !added && err == nil)
		value, found, err := m.Get(ctx, "k")
		require.True(t, found && err == nil)
		assert.Equal(t, "v", string(value))
		time.Sleep(time.Minute)
		_, found, _ = m.Get(ctx, "k")
		assert.False(t, found)
		added, _ = m.Add(ctx, "k", []byte("w"), time.Minute)
		assert.True(t, added, "an expired key is free")
		value, found, _ = m.Take(ctx, "k")
		assert.True(t, found)
		assert.Equal(t, "w", string(value))
		_, found, _ = m.Take(ctx, "k")
		assert.False(t, found)

		big := make([]byte, 64<<20)
		for i := range 4 {
			added, err := m.Add(ctx, fmt.Sprint(i), big, time.Minute)
			require.True(t, added && err == nil)
		}
		_, err = m.Add(ctx, "more", []byte("x"), time.Minute)
		require.ErrorContains(t, err, "full")
		time.Sleep(time.Minute)
		added, err = m.Add(ctx, "more", big, time.Minute)
		require.True(t, added && err == nil, "what expired makes room")
	})
}

// What a reviewer found: names that a trust knows us by, addresses without port, queries of our own, long relay states.
func TestAliasAsQualifier(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(t *saml.LoginTrust, _ *saml.Config) { t.Audiences = []string{"urn:alias"} })
	login, err := w.login(func(a *samltest.Answer) {
		a.Assertion().Subject.NameID.SPNameQualifier = "urn:alias"
		a.Assertion().Conditions.Audiences = [][]string{{"urn:alias"}}
	})
	accepted(t, login, err)
}

func TestRemoteAddrWithoutPort(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(t *saml.LoginTrust, _ *saml.Config) { t.CheckClientAddress = true })
	for remote, want := range map[string]int{"192.0.2.1": 303, "192.0.2.1:4711": 303, "192.0.2.2": 403, "": 403, "@": 403} {
		b := s.browser()
		answer := s.idp.Answer(b.start(""))
		answer.Assertion().Subject.Confirmations[0].Address = "192.0.2.1"
		r := formRequest("https://sp.example.com/sso/acs", answer.Form())
		r.RemoteAddr = remote
		assert.Equal(t, want, b.do(r, true).StatusCode, remote)
	}
}

func TestOddQueriesOfOurOwn(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(_ *saml.LoginTrust, c *saml.Config) {
		c.ACSURL, c.LoginURL = "https://sp.example.com/acs?a;b", "https://sp.example.com/login?tenant=1"
	})
	b := s.browser()
	resp := b.get(s.sp.LoginLink(s.trust(), "/inbox"))
	require.Equal(t, http.StatusSeeOther, resp.StatusCode)
	request, err := samltest.ParseRequestURL(resp.Header.Get("Location"))
	require.NoError(t, err)
	assert.Equal(t, http.StatusSeeOther, b.do(formRequest(request.ACSURL, s.idp.Answer(request).Form()), true).StatusCode)
}

// req: RS-LONGIN
func TestLongRelayStates(t *testing.T) {
	t.Parallel()
	for size, reason := range map[int]saml.Reason{500: "", 3000: "", 8192: "", 8193: saml.TooLarge} {
		w := newWorld(t, allowIdPInitiated)
		answer := w.unsolicited()
		answer.RelayState = strings.Repeat("x", size)
		login, err := w.post(answer, "")
		if reason == "" {
			accepted(t, login, err)
			continue
		}
		refused(t, reason, login, err)
	}
}

// The operator reads what is wrong, the user does not.
func TestNotConfigured(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(t *saml.LoginTrust, _ *saml.Config) { t.WantRequestsSigned = true })
	resp := s.browser().get(s.sp.LoginLink(s.trust(), ""))
	assert.Equal(t, http.StatusInternalServerError, resp.StatusCode)
	assert.Equal(t, saml.NotConfigured, s.reason())
	assert.Contains(t, s.refusals.Load().Error(), "SigningKeys")
	assert.NotContains(t, read(resp), "SigningKeys")
}

// A certificate authority in a chain of metadata is not the identity provider: its key is not pinned.
func TestChainInMetadata(t *testing.T) {
	t.Parallel()
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	leafKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	issue := func(subject, issuer string, serial int64, key, by *ecdsa.PrivateKey) []byte {
		template := &x509.Certificate{SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: subject}, NotAfter: now, IsCA: subject == issuer, BasicConstraintsValid: true}
		parent := &x509.Certificate{Subject: pkix.Name{CommonName: issuer}}
		der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), by)
		require.NoError(t, err)
		return der
	}
	ca, leaf := issue("CA", "CA", 1, caKey, caKey), issue("IdP", "CA", 2, leafKey, caKey)
	other := issue("CA", "CA", 3, leafKey, leafKey)
	descriptor := func(certificates ...[]byte) string {
		data := ""
		for _, der := range certificates {
			data += "<ds:X509Certificate>" + base64.StdEncoding.EncodeToString(der) + "</ds:X509Certificate>"
		}
		return "<md:KeyDescriptor><ds:KeyInfo><ds:X509Data>" + data + "</ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"
	}
	want, err := saml.NewPublicKey(leafKey.Public())
	require.NoError(t, err)
	for _, chain := range [][][]byte{{leaf, ca}, {ca, leaf}, {leaf}} {
		trust, err := saml.TrustFromMetadata([]byte(entity("https://one", saml2, descriptor(chain...)+sso(redirect, "https://idp/r"))), "", now)
		require.NoError(t, err)
		require.Len(t, trust.Keys, 1)
		assert.True(t, trust.Keys[0].Equal(want))
	}
	trust, err := saml.TrustFromMetadata([]byte(entity("https://one", saml2, descriptor(ca, other)+sso(redirect, "https://idp/r"))), "", now)
	require.NoError(t, err)
	assert.Len(t, trust.Keys, 2, "two that vouch for themselves, of one name")

	pemText, err := want.MarshalText()
	require.NoError(t, err)
	key, err := saml.ParsePublicKey(base64.StdEncoding.EncodeToString(pemText))
	require.NoError(t, err, "the base64 of PEM, as some products have it")
	assert.True(t, key.Equal(want))
}
