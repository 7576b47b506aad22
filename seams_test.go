package saml_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml"
	"github.com/logintrust/saml/samltest"
)

// Tests of what two features do together.

// deciphering has a key that opens, and Encryption for it.
func deciphering(_ *saml.LoginTrust, c *saml.Config) {
	c.DecryptionKeys = []saml.DecryptionKey{{Key: cipherKey()}}
}

func ciphered(block string) []samltest.Encryption {
	return []samltest.Encryption{{Key: cipherKey().Public(), Block: block}}
}

// The signature of the ArtifactResponse alone vouches for what is encrypted in it, so what may be opened inside of a
// signature only is opened there; and an encrypted assertion outside of all signatures must have its own.
func TestEncryptedByArtifact(t *testing.T) {
	t.Parallel()
	const cbc, gcm = "http://www.w3.org/2001/04/xmlenc#aes256-cbc", "http://www.w3.org/2009/xmlenc11#aes256-gcm"
	all := samltest.SignResponse | samltest.SignAssertion
	for name, c := range map[string]struct {
		block  string
		sign   samltest.Parts
		outer  bool
		change func(*saml.LoginTrust)
		reason saml.Reason
	}{
		"signed outside":                       {gcm, 0, true, nil, ""},
		"signed outside, CBC":                  {cbc, 0, true, func(t *saml.LoginTrust) { t.AllowSignedCBC = true }, ""},
		"signed outside, CBC, not allowed":     {cbc, 0, true, nil, saml.WeakAlgorithm},
		"signed outside, as the trust demands": {gcm, 0, true, func(t *saml.LoginTrust) { t.RequireSignedResponse, t.RequireEncryption = true, true }, ""},
		"not signed inside":                    {gcm, 0, true, func(t *saml.LoginTrust) { t.RequireSignedAssertion = true }, saml.Unsigned},
		"signed inside":                        {gcm, samltest.SignAssertion, false, nil, ""},
		"signed inside, CBC":                   {cbc, samltest.SignAssertion, false, func(t *saml.LoginTrust) { t.AllowSignedCBC = true }, saml.WeakAlgorithm},
		"three signatures":                     {gcm, all, true, nil, ""},
		"three signatures, CBC":                {cbc, all, true, func(t *saml.LoginTrust) { t.AllowSignedCBC = true }, ""},
		"no signature":                         {gcm, 0, false, nil, saml.Unsigned},
		"no signature, CBC":                    {cbc, 0, false, func(t *saml.LoginTrust) { t.InsecureAllowUnsignedCBC = true }, saml.DecryptionFailed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newArtifactSite(t, deciphering, func(trust *saml.LoginTrust, _ *saml.Config) {
				if c.change != nil {
					c.change(trust)
				}
			})
			b := s.browser()
			answer := s.idp.Answer(b.start(""))
			answer.Sign, answer.Encrypt = c.sign, ciphered(c.block)
			artifact, r := s.idp.Artifact(3, answer)
			r.Sign = c.outer
			b.deliver(http.MethodGet, artifact)
			assert.Equal(t, c.reason, s.reason(), "%v", s.refusals.Load())
			if c.reason == "" {
				require.NotNil(t, s.last.Load())
				assert.Equal(t, "alice", s.last.Load().Subject().NameID.Value)
			}
		})
	}
}

// What Config admits counts wherever a signature or a digest is judged.
//
// req: IIP-ALG08
func TestAdmittedAlgorithmsEverywhere(t *testing.T) {
	t.Parallel()
	for name, narrow := range map[string]func(*saml.LoginTrust, *saml.Config){
		"method": func(_ *saml.LoginTrust, c *saml.Config) { c.SignatureAlgorithms = []string{saml.AlgorithmRSASHA512} },
		"digest": func(_ *saml.LoginTrust, c *saml.Config) { c.DigestAlgorithms = []string{saml.AlgorithmSHA512} },
	} {
		for place, change := range map[string]func(*samltest.Answer, *samltest.Resolution){
			"ArtifactResponse": func(a *samltest.Answer, r *samltest.Resolution) { a.Sign, r.Sign = 0, true },
			"Response":         func(a *samltest.Answer, _ *samltest.Resolution) { a.Sign = samltest.SignResponse },
			"Assertion":        func(a *samltest.Answer, _ *samltest.Resolution) { a.Sign = samltest.SignAssertion },
			"EncryptedAssertion": func(a *samltest.Answer, _ *samltest.Resolution) {
				a.Sign, a.Encrypt = samltest.SignAssertion, ciphered("")
			},
		} {
			s := newArtifactSite(t, deciphering, narrow)
			b := s.browser()
			answer := s.idp.Answer(b.start(""))
			artifact, r := s.idp.Artifact(3, answer)
			change(answer, r)
			b.deliver(http.MethodPost, artifact)
			assert.Equal(t, saml.WeakAlgorithm, s.reason(), "%s of %s", name, place)
		}
		l := newLeaving(t, narrow)
		session := saml.LoginSession{Domain: l.idp.EntityID, NameID: saml.NameID{Value: "alice"}}
		carried := map[string]saml.LogoutMessage{"SOAP": {SOAP: l.idp.LogoutRequest(session, sloURL).SOAP()}}
		for binding, carry := range carriers {
			carried[binding] = carry(l.idp.LogoutRequest(session, sloURL))
		}
		for binding, m := range carried {
			_, err := l.sp.AnswerLogout(t.Context(), m)
			if name == "digest" && binding == "redirect" { // has none
				require.NoError(t, err)
				continue
			}
			require.ErrorIs(t, err, saml.WeakAlgorithm, "%s by %s", name, binding)
		}
	}
}

// An artifact names its source by the trust's Domain, and what it stands for may come from an issuer that is mapped to that
// trust: outside, inside, or both.
func TestResolvedIssuerByArtifact(t *testing.T) {
	t.Parallel()
	const other = "https://other.example.com"
	for name, c := range map[string]struct {
		outside, inside string
		reason          saml.Reason
	}{
		"the trust's own":           {tenants, tenants, ""},
		"a tenant's inside":         {tenants, tenantA, ""},
		"none outside":              {"", tenantA, ""},
		"a tenant's":                {tenantA, tenantA, ""},
		"another tenant's outside":  {tenantB, tenantA, ""}, // one service may serve all of them; what counts is inside
		"a stranger's outside":      {stranger, tenantA, saml.ArtifactFailed},
		"a stranger's inside":       {tenants, stranger, saml.UnknownDomain},
		"of another trust, outside": {other, tenantA, saml.ArtifactFailed},
		"of another trust, inside":  {tenants, other, saml.WrongIssuer},
		"of another trust's tenant": {tenants, other + "/tenant", saml.WrongIssuer},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newArtifactSite(t, func(trust *saml.LoginTrust, c *saml.Config) {
				trust.Domain = tenants
				c.ResolveIssuer = func(_ context.Context, issuer string) (string, bool, error) {
					if issuer == other+"/tenant" {
						return other, true, nil
					}
					return admitted(issuer)
				}
			})
			s.idp.EntityID = tenants
			second := s.trust()
			second.Domain = other
			s.trusts.Set(second)
			b := s.browser()
			answer := s.idp.Answer(b.start(""))
			of(c.inside)(answer)
			artifact, r := s.idp.Artifact(0, answer)
			r.Issuer = c.outside
			b.deliver(http.MethodPost, artifact)
			assert.Equal(t, c.reason, s.reason(), "%v", s.refusals.Load())
			if c.reason == "" {
				require.NotNil(t, s.last.Load())
				assert.Equal(t, c.inside, s.last.Load().Issuer())
			}
		})
	}
}

// A logout that overtakes a login ends it too where it comes by an artifact.
func TestLogoutOvertakesArtifact(t *testing.T) {
	t.Parallel()
	s := newArtifactSite(t, func(_ *saml.LoginTrust, c *saml.Config) { c.Sessions = &hostSessions{} })
	b := s.browser()
	b.deliver(http.MethodGet, first(s.idp.Artifact(0, s.idp.Answer(b.start("")))))
	require.NotNil(t, s.last.Load())
	late := s.idp.Answer(b.start(""))
	m := s.idp.LogoutRequest(s.last.Load().Session(), sloURL)
	m.SessionIndexes = nil
	_, err := s.sp.AnswerLogout(t.Context(), carriers["redirect"](m))
	require.NoError(t, err)
	b.deliver(http.MethodGet, first(s.idp.Artifact(0, late)))
	assert.Equal(t, saml.LoggedOut, s.reason())
}

func first(artifact string, _ *samltest.Resolution) string { return artifact }

// A logout ends a login that waits for its password, be it while the password is checked.
func TestLogoutOvertakesPassword(t *testing.T) {
	t.Parallel()
	for _, during := range []bool{false, true} {
		sessions := func(_ *saml.LoginTrust, c *saml.Config) {
			c.Sessions, c.SigningKeys = &hostSessions{}, []saml.KeyPair{{Signer: mustKey(t, "next-rsa2048")}}
		}
		w := newAskingTown(t, sessions)
		login, err := w.finish(w.ask(), password)
		accepted(t, login, err)
		leave := func() {
			m := w.idp.LogoutRequest(login.Session(), sloURL)
			m.SessionIndexes = nil
			_, err := w.sp.AnswerLogout(t.Context(), carriers["redirect"](m))
			require.NoError(t, err)
		}
		step := w.ask()
		if !during {
			leave()
		}
		late, err := w.sp.FinishPassword(t.Context(), step, func(context.Context, saml.User) (bool, error) {
			assert.True(t, during, "the password was looked at")
			leave()
			return true, nil
		})
		denied(t, saml.LoggedOut, late, err)
	}
}

// What waits for a password may be encrypted, is opened anew, and can be a step-up.
func TestPasswordOfEncryptedStepUp(t *testing.T) {
	t.Parallel()
	on := true
	w := newAskingTown(t, deciphering, func(_ *saml.LoginTrust, c *saml.Config) {
		c.Enabled = func(context.Context) (bool, error) { return on, nil }
	})
	sealed := func(a *samltest.Answer) { a.Encrypt = ciphered("") }
	login, err := w.finish(w.ask(sealed), password)
	accepted(t, login, err)
	assert.False(t, login.SteppedUp())
	as := login.Subject()
	waiting, err := w.loginAsking(saml.StartOptions{ForceAuthn: true, SameSubject: &as}, sealed)
	step, _ := denied(t, saml.PasswordRequired, waiting, err).PasswordStep()
	on = false
	login, err = w.finish(step, password)
	refused(t, saml.SSODisabled, login, err)
	on = true
	login, err = w.finish(step, password)
	accepted(t, login, err)
	assert.True(t, login.SteppedUp())
}

// An encrypted name is no encrypted assertion.
func TestRequiredEncryptionOfAll(t *testing.T) {
	t.Parallel()
	w := newWorld(t, deciphering, editTrust(func(t *saml.LoginTrust) { t.RequireEncryption = true }))
	login, err := w.login(func(a *samltest.Answer) { a.EncryptNameID = ciphered("") })
	refused(t, saml.EncryptionRequired, login, err)
	login, err = w.login(func(a *samltest.Answer) { a.Encrypt = ciphered("") })
	accepted(t, login, err)
}

// An artifact brings a login in a pop-up window to its end.
func TestPopupByArtifact(t *testing.T) {
	t.Parallel()
	s := newArtifactSite(t)
	b := s.browser()
	b.deliver(http.MethodGet, first(s.idp.Artifact(0, s.idp.Answer(b.start("&popup=1")))))
	require.NotNil(t, s.last.Load(), "%v", s.refusals.Load())
	assert.True(t, s.last.Load().Popup())
}

// One reader of SOAP envelopes reads them all.
func TestLogoutWithSOAPHeaders(t *testing.T) {
	t.Parallel()
	l := newLeaving(t)
	session := l.signIn("s1")
	for name, c := range map[string]struct {
		header string
		good   bool
	}{
		"header":                   {`<x:h xmlns:x="urn:x"/>`, true},
		"need not be understood":   {`<x:h xmlns:x="urn:x" xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" s:mustUnderstand="0"/>`, true},
		"that must be understood":  {`<x:h xmlns:x="urn:x" xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" s:mustUnderstand="1"/>`, false},
		"that must be, the second": {`<x:a xmlns:x="urn:x"/><x:h xmlns:x="urn:x" xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" s:mustUnderstand="1"/>`, false},
	} {
		soap := strings.Replace(string(l.idp.LogoutRequest(session, sloURL).SOAP()), "<s:Header>", "<s:Header>"+c.header, 1)
		require.Contains(t, soap, c.header)
		_, err := l.sp.AnswerLogout(t.Context(), saml.LogoutMessage{SOAP: []byte(soap)})
		if c.good {
			require.NoError(t, err, name)
		} else {
			require.ErrorIs(t, err, saml.BadResponse, name)
		}
	}
}

// No verb shows the key of a certificate for TLS.
func TestSOAPClientShowsNoKey(t *testing.T) {
	t.Parallel()
	secret := []byte("0123456789abcdef0123456789abcdef")
	r := &saml.SOAPClient{Certificates: []tls.Certificate{{PrivateKey: secret}}}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d"} {
		for _, v := range []any{r, *r, saml.Config{Artifacts: r}} {
			text := fmt.Sprintf(verb, v)
			assert.NotContains(t, text, string(secret))
			assert.NotContains(t, text, fmt.Sprintf("%x", secret))
			assert.NotContains(t, text, "48 49 50")
			assert.NotContains(t, text, "0x30, 0x31")
		}
	}
}
