package saml_test

import (
	"crypto/ecdh"
	"crypto/elliptic"
	"crypto/fips140"
	"crypto/rand"
	"strings"
	"testing"

	"github.com/beevik/etree"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml"
	"github.com/logintrust/saml/samltest"
)

// Keys that open what is encrypted are published apart from those that sign, each with the algorithms that we prefer, best
// first; nothing that only a trust's option admits is among them.
//
// req: MP-ENCMETH MP-KEYS EN-SEPKEY
func TestMetadataPublishesEncryptionKeys(t *testing.T) {
	t.Parallel()
	signing, exchange := rsaKey(t), ecKey(t, elliptic.P384())
	inBox, err := ecdh.P521().GenerateKey(rand.Reader)
	require.NoError(t, err)
	w := newWorld(t, func(trust *saml.LoginTrust, c *saml.Config) {
		trust.AllowSignedCBC, trust.InsecureAllowRSA15 = true, true
		c.SigningKeys = []saml.KeyPair{{Signer: signing}}
		c.DecryptionKeys = []saml.DecryptionKey{{Key: cipherKey()}, {Key: exchange}, {Key: inBox}}
	})
	doc := etree.NewDocument()
	require.NoError(t, doc.ReadFromBytes(w.sp.Metadata()))
	const xenc, xenc11 = "http://www.w3.org/2001/04/xmlenc#", "http://www.w3.org/2009/xmlenc11#"
	carried := []string{xenc + "rsa-oaep-mgf1p http://www.w3.org/2000/09/xmldsig#sha1", xenc11 + "rsa-oaep " + xenc + "sha256"}
	if fips140.Enforced() {
		carried = carried[1:]
	}
	block := []string{xenc11 + "aes256-gcm", xenc11 + "aes128-gcm"}
	agreed := append(block[:2:2], xenc11+"ECDH-ES", xenc+"kw-aes256", xenc+"kw-aes128")
	want := [][]string{nil, append(block[:2:2], carried...), agreed, agreed}
	descriptors := doc.FindElements("//KeyDescriptor")
	require.Len(t, descriptors, len(want))
	moduli := map[string]bool{}
	for i, d := range descriptors {
		use := "encryption"
		if i == 0 {
			use = "signing"
		}
		require.Equal(t, use, d.SelectAttrValue("use", ""))
		var got []string
		for _, m := range d.SelectElements("EncryptionMethod") {
			algorithm := m.SelectAttrValue("Algorithm", "")
			if digest := m.SelectElement("DigestMethod"); digest != nil {
				algorithm += " " + digest.SelectAttrValue("Algorithm", "")
			}
			got = append(got, algorithm)
		}
		require.Equal(t, want[i], got)
		moduli[d.FindElement(".//KeyValue/*").ChildElements()[0].Text()+d.FindElement(".//KeyValue/*").ChildElements()[1].Text()] = true
	}
	require.Len(t, moduli, len(want), "each is a key of its own")
	require.NotContains(t, string(w.sp.Metadata()), "-cbc") // which base64 cannot hold
	require.NotContains(t, string(w.sp.Metadata()), "rsa-1_5")

	without := newWorld(t)
	require.NotContains(t, string(without.sp.Metadata()), "encryption")
}

// What metadata publishes opens what is encrypted by it.
//
// req: MP-ENCMETH
func TestEncryptByMetadata(t *testing.T) {
	t.Parallel()
	for _, key := range []saml.DecryptionKey{{Key: cipherKey()}, {Key: ecKey(t, elliptic.P256())}} {
		w := newWorld(t, func(_ *saml.LoginTrust, c *saml.Config) { c.DecryptionKeys = []saml.DecryptionKey{key} })
		public, err := samltest.EncryptionKeys(w.sp.Metadata())
		require.NoError(t, err)
		require.Len(t, public, 1)
		login, err := w.login(func(a *samltest.Answer) { a.Encrypt = []samltest.Encryption{{Key: public[0]}} })
		accepted(t, login, err)
	}
	keys, err := samltest.EncryptionKeys(newWorld(t).sp.Metadata())
	require.NoError(t, err)
	require.Empty(t, keys)
	_, err = samltest.EncryptionKeys([]byte(strings.Repeat("x", 10)))
	require.Error(t, err)
}
