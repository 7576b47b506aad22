package samltest_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	saml "github.com/logintrust/saml"
	"github.com/logintrust/saml/samltest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// decryptionKey is the service providers'.
var decryptionKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

// target is a real service provider that trusts two IdPs.
func target(t *testing.T, allow func(trust *saml.LoginTrust)) samltest.Target {
	t.Helper()
	idp := samltest.NewIdP(t)
	other, err := samltest.New(samltest.Options{EntityID: "https://other.example.com/metadata", SSOURL: "https://other.example.com/sso"})
	require.NoError(t, err)
	trust := idp.Trust()
	allow(&trust)
	require.NoError(t, trust.Check())
	trusts := saml.NewMemoryTrusts(trust, other.Trust())

	var last atomic.Value
	sp, err := saml.New(saml.Config{
		BaseURL: "https://app.example.com",
		Trusts:  trusts,
		State:   saml.NewMemoryState(),

		DecryptionKeys: []saml.DecryptionKey{{Key: decryptionKey()}},
		OnRefusal: func(_ context.Context, _ *http.Request, _ string, err *saml.Error) {
			last.Store(err.Reason)
		},
	})
	require.NoError(t, err)
	require.NoError(t, idp.AddSPMetadata(sp.Metadata()))
	return samltest.Target{
		IdP: idp, Other: other, Trusts: trusts,
		Handler: sp.Handler(func(w http.ResponseWriter, r *http.Request, login *saml.Login) {
			http.Redirect(w, r, login.ReturnTo(), http.StatusSeeOther)
		}),
		Reason: func() saml.Reason { return last.Load().(saml.Reason) },
	}
}

func TestAttacks(t *testing.T) {
	t.Parallel()
	target(t, func(*saml.LoginTrust) {}).Run(t)
}

func TestAttacksIdPInitiated(t *testing.T) {
	t.Parallel()
	x := target(t, func(trust *saml.LoginTrust) { trust.AllowIdPInitiated = true })
	x.IdPInitiated = true
	x.Attacks = attacksOf(samltest.Profile, samltest.Mixup, samltest.RelayStates)
	x.Run(t)
}

func TestCheckReasons(t *testing.T) {
	t.Parallel()
	idp := samltest.NewIdP(t)
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	for _, key := range []crypto.PrivateKey{decryptionKey(), ec} {
		trusts := saml.NewMemoryTrusts(idp.Trust())
		sp, err := saml.New(saml.Config{BaseURL: "https://app.example.com", Trusts: trusts, State: saml.NewMemoryState(),
			DecryptionKeys: []saml.DecryptionKey{{Key: key}}})
		require.NoError(t, err)
		idp.AddSP(samltest.SP{EntityID: sp.EntityID(), ACSURL: "https://app.example.com/sso/acs"})
		samltest.Target{IdP: idp, Provider: sp, Trusts: trusts}.Run(t)
	}
}

func TestRunAttacks(t *testing.T) {
	t.Parallel()
	x := target(t, func(*saml.LoginTrust) {})
	x.IdP.RunAttacks(t, x.Handler)
}

// TestRunAttacksEnds sees, in processes of their own, that the first honest step that is refused is the one failure.
func TestRunAttacksEnds(t *testing.T) {
	deaf := map[string]func(*saml.LoginTrust){
		"answer": func(trust *saml.LoginTrust) { trust.RequiredAttributes = []string{"badge"} },
		"login":  func(trust *saml.LoginTrust) { trust.State = saml.Inactive },
	}
	if name := os.Getenv("SAMLTEST_DEAF"); name != "" {
		x := target(t, deaf[name])
		x.IdP.RunAttacks(t, x.Handler)
		return
	}
	t.Parallel()
	for name, want := range map[string]string{
		"answer": `an honest answer was refused, .*: status 403, with the page "[^"]+"; Target\.Reason, or Config\.OnRefusal`,
		"login":  `no login began: status 403 at https://app.example.com/sso/login, with the page "[^"]+"`,
	} {
		suite := exec.Command(os.Args[0], "-test.run=^TestRunAttacksEnds$")
		suite.Env = append(os.Environ(), "SAMLTEST_DEAF="+name)
		out, err := suite.CombinedOutput()
		require.Error(t, err, name)
		assert.Equal(t, 1, strings.Count(string(out), "    --- FAIL"), string(out))
		assert.Regexp(t, want, string(out))
	}
}

// TestAttacksOnAPersonality: attacks are about who reads, whatever product the IdP writes like.
func TestAttacksOnAPersonality(t *testing.T) {
	t.Parallel()
	shape, _ := samltest.FindPersonality("google")
	idp, err := samltest.New(samltest.Options{Personality: shape})
	require.NoError(t, err)
	sp, err := saml.New(saml.Config{BaseURL: "https://app.example.com", Trusts: saml.NewMemoryTrusts(idp.Trust()), State: saml.NewMemoryState()})
	require.NoError(t, err)
	require.NoError(t, idp.AddSPMetadata(sp.Metadata()))
	samltest.Target{IdP: idp, Provider: sp, Attacks: attacksOf(samltest.Wrapping, samltest.Parsing, samltest.Profile)}.Run(t)
}

// TestAttacksOnLoopback is without https: the cookie is Lax, so every answer makes the hop that asks for it again.
func TestAttacksOnLoopback(t *testing.T) {
	t.Parallel()
	idp := samltest.NewIdP(t)
	sp, err := saml.New(saml.Config{BaseURL: "http://localhost:8080/app", Trusts: saml.NewMemoryTrusts(idp.Trust()), State: saml.NewMemoryState()})
	require.NoError(t, err)
	idp.AddSP(samltest.SP{EntityID: sp.EntityID(), ACSURL: "http://localhost:8080/app/sso/acs"})
	x := samltest.Target{IdP: idp, Handler: sp.Handler(func(w http.ResponseWriter, r *http.Request, login *saml.Login) {
		http.Redirect(w, r, login.ReturnTo(), http.StatusSeeOther)
	})}
	x.Attacks = attacksOf(samltest.Mixup)
	x.Run(t)
}

// attacksOf are the attacks of these classes, where all would prove nothing more.
func attacksOf(classes ...samltest.Class) []samltest.Attack {
	return slices.DeleteFunc(samltest.Attacks(), func(a samltest.Attack) bool { return !slices.Contains(classes, a.Class) })
}

// TestSignOn lets a browser go all the way, from the application to the IdP's sign-in page and back.
func TestSignOn(t *testing.T) {
	t.Parallel()
	idp := samltest.NewIdP(t)
	sp, err := saml.New(saml.Config{BaseURL: "https://app.example.com", Trusts: saml.NewMemoryTrusts(idp.Trust()), State: saml.NewMemoryState()})
	require.NoError(t, err)
	require.NoError(t, idp.AddSPMetadata(sp.Metadata()))
	handler := sp.Handler(func(w http.ResponseWriter, r *http.Request, login *saml.Login) {
		w.Header().Set("X-User", login.Subject().NameID.Value+" "+login.Attribute("lastname")[0])
		http.Redirect(w, r, login.ReturnTo(), http.StatusSeeOther)
	})
	for _, binding := range []string{"redirect", "post"} {
		t.Run(binding, func(t *testing.T) {
			t.Parallel()
			browser := samltest.NewBrowser().Site("https://app.example.com", handler).Site(idpOrigin, idp.Handler())
			page := browser.Get("https://app.example.com/sso/login?target=/deep&binding=" + binding + "&entityID=" + url.QueryEscape(idp.EntityID))
			if binding == "post" {
				page = browser.Submit(page, page.Forms()[0])
			} else {
				page = browser.Follow(page)
			}
			page = signIn(t, browser, page, "bob", "password")
			page = browser.Submit(page, page.Forms()[0])
			assert.Equal(t, http.StatusSeeOther, page.Status, page.Body)
			assert.Equal(t, "https://app.example.com/deep", page.Location())
			assert.Equal(t, "bob O'Søren <b>", page.Header.Get("X-User"))
		})
	}
}

// TestEncryptionNeedsAKey: attacks with encryption are for service providers that publish a key for it.
func TestEncryptionNeedsAKey(t *testing.T) {
	t.Parallel()
	x := target(t, func(*saml.LoginTrust) {})
	x.Attacks = attacksOf(samltest.Encrypted, samltest.Ciphertexts)
	assert.Greater(t, len(x.Attacks), 50)
	x.SP = samltest.SP{EntityID: "https://app.example.com/sso/metadata", ACSURL: "https://app.example.com/sso/acs"}
	x.Handler = http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("an attack was tried") })
	x.Run(t)
}
