package saml_test

import (
	"bytes"
	"crypto"
	"encoding/base64"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml"
	"github.com/logintrust/saml/internal/compose"
	"github.com/logintrust/saml/samltest"
)

// everythingAllowed is what a trust can admit.
func everythingAllowed(t *saml.LoginTrust) {
	t.AllowIdPInitiated, t.AllowSHA1, t.AllowRSA1024, t.AllowInclusiveC14NReference = true, true, true, true
	t.AllowSignedCBC, t.InsecureAllowUnsignedCBC, t.InsecureAllowRSA15, t.Allow3DES = true, true, true, true
}

// No algorithm that a message can name makes the library panic, whatever the trust admits, in FIPS 140-3 mode too, where Go's
// SHA-1 panics: a refusal it is.
func TestNoAlgorithmPanics(t *testing.T) {
	t.Parallel()
	const (
		dsig, more   = "http://www.w3.org/2000/09/xmldsig#", "http://www.w3.org/2001/04/xmldsig-more#"
		xenc, xenc11 = "http://www.w3.org/2001/04/xmlenc#", "http://www.w3.org/2009/xmlenc11#"
	)
	own, err := saml.GenerateKey(saml.RSA2048)
	require.NoError(t, err)
	ec, err := saml.GenerateKey(saml.P256)
	require.NoError(t, err)
	w := newWorld(t, func(trust *saml.LoginTrust, c *saml.Config) {
		everythingAllowed(trust)
		c.DecryptionKeys = []saml.DecryptionKey{{Key: own}, {Key: ec}}
	})
	judge := func(what string, answer *samltest.Answer, change func([]byte) []byte) {
		t.Helper()
		xml := change(answer.XML())
		assert.NotPanics(t, func() {
			_, err := w.sp.Validate(t.Context(), saml.Posted{SAMLResponse: base64.StdEncoding.EncodeToString(xml)})
			if err != nil {
				var refused *saml.Error
				assert.ErrorAs(t, err, &refused, what)
			}
		}, what)
	}
	same := func(b []byte) []byte { return b }
	rename := func(old, with string) func([]byte) []byte {
		return func(b []byte) []byte {
			require.Contains(t, string(b), old)
			return bytes.ReplaceAll(b, []byte(old), []byte(with))
		}
	}

	methods := append(compose.Methods(), dsig+"rsa-sha1", more+"ecdsa-sha1", more+"rsa-md5", dsig+"hmac-sha1", dsig+"dsa-sha1", more+"rsa-ripemd160")
	digests := []string{saml.AlgorithmSHA256, saml.AlgorithmSHA384, saml.AlgorithmSHA512, dsig + "sha1", more + "md5"}
	for _, method := range methods {
		for _, digest := range digests {
			answer := w.unsolicited()
			judge(method+" "+digest, answer, func(b []byte) []byte {
				return rename(`DigestMethod Algorithm="`+samltest.SHA256, `DigestMethod Algorithm="`+digest)(
					rename(`SignatureMethod Algorithm="`+samltest.RSASHA256, `SignatureMethod Algorithm="`+method)(b))
			})
		}
	}
	encrypted := func(key crypto.PublicKey) *samltest.Answer {
		answer := w.unsolicited()
		answer.Sign = samltest.SignResponse
		answer.Encrypt = []samltest.Encryption{{Key: key, Transport: xenc11 + "rsa-oaep", Digest: crypto.SHA256, MGF: crypto.SHA256}}
		if key == ec.Public() {
			answer.Encrypt[0].Transport = ""
		}
		return answer
	}
	// Names are changed behind the signature, and under no signature at all: each gets as far as it can.
	for _, key := range []crypto.PublicKey{own.Public(), ec.Public()} {
		for _, signed := range []samltest.Parts{samltest.SignAssertion, samltest.SignResponse} {
			for _, block := range []string{"aes128-cbc", "aes256-cbc", "tripledes-cbc", "aes192-cbc"} {
				answer := encrypted(key)
				answer.Sign, answer.Encrypt[0].Block = signed, xenc11+"aes256-gcm"
				judge(block, answer, rename(xenc11+"aes256-gcm", xenc+block))
			}
		}
	}
	for _, transport := range []string{xenc + "rsa-1_5", xenc + "rsa-oaep-mgf1p", xenc + "kw-aes128", xenc + "kw-tripledes"} {
		answer := encrypted(own.Public())
		answer.Sign = samltest.SignAssertion
		judge(transport, answer, rename(xenc11+"rsa-oaep", transport))
	}
	answer := encrypted(own.Public())
	answer.Sign = samltest.SignAssertion
	judge("OAEP with SHA-1", answer, rename(`DigestMethod Algorithm="`+samltest.SHA256, `DigestMethod Algorithm="`+dsig+"sha1"))
	judge("MGF with SHA-1", answer, rename(xenc11+"mgf1sha256", xenc11+"mgf1sha1"))
	judge("untouched", answer, same)
}

// Keys that FIPS 140-3 mode does not work with are refused, or do not verify.
func TestNoKeyPanics(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/keys/weak-rsa1024.TEST-ONLY.key.pem")
	require.NoError(t, err)
	weak, err := saml.PublicFromPrivate(string(text))
	require.NoError(t, err)
	w := newWorld(t, func(trust *saml.LoginTrust, c *saml.Config) {
		everythingAllowed(trust)
		trust.Keys = []saml.PublicKey{weak}
	})
	assert.NotPanics(t, func() {
		_, err := w.post(w.unsolicited(), "")
		require.Error(t, err)
	})
	for _, kind := range saml.KeyKinds() {
		pair, err := saml.GenerateKeyPair(kind, saml.CertificateOptions{Subject: "x", NotBefore: now})
		require.NoError(t, err, kind)
		signs(t, pair.Signer)
	}
}
