package saml_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml"
	"github.com/logintrust/saml/samltest"
)

// What a service provider has not been given is said when the trust is saved, and is why nobody gets in.
func TestProblemsOfAServiceProvider(t *testing.T) {
	t.Parallel()
	type change = func(*saml.LoginTrust, *saml.Config)
	signing := func(_ *saml.LoginTrust, c *saml.Config) {
		c.SigningKeys = []saml.KeyPair{{Signer: mustKey(t, "federation-rsa2048")}}
	}
	for name, test := range map[string]struct {
		field       string
		wrong, mend change
	}{
		"no URL": {"LoginURL", func(l *saml.LoginTrust, _ *saml.Config) { l.LoginURL, l.LoginPostURL = "", "" }, allowIdPInitiated},
		"no URL, with clients that know their own": {"LoginURL",
			func(l *saml.LoginTrust, _ *saml.Config) { l.LoginURL, l.LoginPostURL = "", "" },
			func(_ *saml.LoginTrust, c *saml.Config) { c.ECP = true }},
		"nothing to sign with": {"WantRequestsSigned", editTrust(func(l *saml.LoginTrust) { l.WantRequestsSigned = true }), signing},
		"an algorithm for another key": {"SignatureAlgorithm", func(l *saml.LoginTrust, c *saml.Config) {
			signing(l, c)
			l.SignatureAlgorithm = saml.AlgorithmEd25519
		}, editTrust(func(l *saml.LoginTrust) { l.SignatureAlgorithm = saml.AlgorithmRSASHA256 })},
		"methods for other keys": {"SigningMethods", func(l *saml.LoginTrust, c *saml.Config) {
			signing(l, c)
			l.SigningMethods = []saml.SigningMethod{{Algorithm: saml.AlgorithmECDSASHA256}}
		}, editTrust(func(l *saml.LoginTrust) { l.SigningMethods = nil })},
		"a method that is not admitted": {"SigningMethods", func(l *saml.LoginTrust, c *saml.Config) {
			signing(l, c)
			l.SigningMethods = []saml.SigningMethod{{Algorithm: saml.AlgorithmRSASHA512}}
			c.SignatureAlgorithms = []string{saml.AlgorithmRSASHA256}
		}, func(_ *saml.LoginTrust, c *saml.Config) { c.SignatureAlgorithms = nil }},
		"another digest": {"DigestMethods", func(l *saml.LoginTrust, c *saml.Config) {
			signing(l, c)
			l.LoginURL, l.LoginPostURL = "", l.LoginURL
			l.DigestMethods = []string{saml.AlgorithmSHA512}
			c.DigestAlgorithms = []string{saml.AlgorithmSHA256}
		}, func(l *saml.LoginTrust, _ *saml.Config) { l.LoginURL = l.LoginPostURL }},
		"nothing to decrypt with": {"RequireEncryption", editTrust(func(l *saml.LoginTrust) { l.RequireEncryption = true }),
			func(_ *saml.LoginTrust, c *saml.Config) {
				c.DecryptionKeys = []saml.DecryptionKey{{Key: cipherKey()}}
			}},
		"no directory": {"PasswordRequired", func(l *saml.LoginTrust, c *saml.Config) {
			l.PasswordRequired, c.Users = true, nil
		}, editTrust(func(l *saml.LoginTrust) { l.PasswordRequired = false })},
		"nobody's users": {"Organization", editTrust(func(l *saml.LoginTrust) { l.Organization = "" }),
			func(_ *saml.LoginTrust, c *saml.Config) { c.Users = nil }},
		"nobody's users, of any": {"Organization", editTrust(func(l *saml.LoginTrust) { l.Organization = "" }),
			editTrust(func(l *saml.LoginTrust) { l.AllowAnyOrganization = true })},
		"nobody's addresses": {"EmailDomains", editTrust(func(l *saml.LoginTrust) { l.Match = saml.MatchEmail }),
			editTrust(func(l *saml.LoginTrust) { l.EmailDomains = []string{"example.com"} })},
		"nobody's addresses, of any": {"EmailDomains", editTrust(func(l *saml.LoginTrust) { l.Match = saml.MatchEmail }),
			editTrust(func(l *saml.LoginTrust) { l.AllowAnyOrganization = true })},
		"no table": {"Translation", func(l *saml.LoginTrust, c *saml.Config) {
			l.Translation, c.Translations = saml.TranslationOptional, nil
		}, func(_ *saml.LoginTrust, c *saml.Config) { c.Translations = saml.NewMemoryTranslations() }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newTown(t, test.wrong)
			trust := w.trust()
			require.Empty(t, trust.Problems())
			problems := w.sp.Problems(trust)
			require.Len(t, problems, 1)
			assert.Equal(t, test.field, problems[0].Field)
			assert.False(t, w.admitsAnybody(), "the trust works all the same")

			mended := newTown(t, test.wrong, test.mend)
			assert.Empty(t, mended.sp.Problems(mended.trust()))
			assert.True(t, newTown(t).admitsAnybody(), "the tries are no tries")

			trust.State = saml.Provisional
			assert.Empty(t, w.sp.Problems(trust), "nobody is to get in yet")
			trust.State, trust.SAML, trust.OpenID = saml.Active, false, true
			assert.Empty(t, w.sp.Problems(trust), "not by SAML")
			trust.Domain = ""
			assert.Equal(t, trust.Problems(), w.sp.Problems(trust))
			trust = mended.trust()
			trust.LoginURL, trust.SAML, trust.OpenID = "http://idp.example.com", true, false
			require.NotEmpty(t, trust.Problems())
			assert.Equal(t, trust.Problems(), mended.sp.Problems(trust), "a URL that is none is not said to be missing")
		})
	}
}

// admitsAnybody tries logins of the ordinary kind, each with the attributes of a user who is there.
func (w *town) admitsAnybody() bool {
	w.users.Set(resident("alice", func(u *saml.User) { u.Email = "alice@example.com" }))
	attempt := func(request samltest.Request, browserKey string) bool {
		answer := w.idp.Answer(request)
		answer.Assertion().Attributes = append(answer.Assertion().Attributes, samltest.Attr("email", "alice@example.com"))
		_, err := w.post(answer, browserKey)
		return err == nil
	}
	if attempt(samltest.Request{ACSURL: "https://sp.example.com/sso/acs", SPEntityID: "https://sp.example.com/sso/metadata"}, "") {
		return true
	}
	started, err := w.sp.Request(context.Background(), w.trust(), saml.StartOptions{})
	if err != nil {
		return false
	}
	return attempt(samltest.Request{ID: started.RequestID, ACSURL: "https://sp.example.com/sso/acs", SPEntityID: "https://sp.example.com/sso/metadata"},
		started.BrowserKey)
}
