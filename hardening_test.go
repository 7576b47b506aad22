package saml_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
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

	"github.com/beevik/etree"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml"
	"github.com/logintrust/saml/samltest"
)

// A tenant's administrator signs what he likes: thousands of statements cost no more for each than one.
func TestManyStatementsCostLinearTime(t *testing.T) {
	w := newWorld(t, allowIdPInitiated)
	cost := func(n int) time.Duration {
		answer := w.unsolicited()
		answer.BeforeSign = func(response *etree.Element) {
			assertion := response.FindElement(".//Assertion")
			for i := range n {
				statement := assertion.CreateElement("saml:AttributeStatement").CreateElement("saml:Attribute")
				statement.CreateAttr("Name", fmt.Sprintf("x%d", i))
			}
		}
		posted := saml.Posted{SAMLResponse: answer.Encode()}
		best := time.Hour
		for range 3 {
			begun := time.Now()
			_, err := w.sp.Validate(t.Context(), posted)
			best = min(best, time.Since(begun))
			if err != nil {
				require.ErrorIs(t, err, saml.Replayed)
			}
		}
		return best
	}
	cost(100)
	few, many := cost(500), cost(4000)
	assert.Less(t, many, 30*few+20*time.Millisecond)
}

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
		assert.Empty(t, a.ID()+a.Issuer()+a.SessionIndex()+a.Subject().NameID.Value)
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
	assert.Equal(t, http.StatusBadRequest, w.Code)
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
