package xmlsec_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"testing"

	"github.com/beevik/etree"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml/internal/compose"
	"github.com/logintrust/saml/internal/xmlsec"
)

// Of a key agreement, what is on no list is refused before our key is asked.
//
// req: EN-METHOD
func TestAgreementAlgorithms(t *testing.T) {
	t.Parallel()
	k := newKeyring()
	for path, uris := range map[string][]string{
		".//AgreementMethod":              {"", "http://www.w3.org/2001/04/xmlenc#dh", "http://www.w3.org/2009/xmlenc11#dh-es"},
		".//KeyDerivationMethod":          {"", "http://www.w3.org/2009/xmlenc11#pbkdf2"},
		".//ConcatKDFParams/DigestMethod": {"", "http://www.w3.org/2000/09/xmldsig#sha1", "http://www.w3.org/2001/04/xmldsig-more#md5"},
	} {
		for _, uri := range uris {
			doc := sealed(t, plainText, compose.Encryption{Key: k.ec["P-256"].Public()})
			doc.FindElement(path).CreateAttr("Algorithm", uri)
			_, err := opened(t, k, octetsOf(t, doc), everything)
			requireKind(t, err, xmlsec.UnsupportedAlgorithm)
			require.Zero(t, k.used, "%s %s", path, uri)
		}
		doc := sealed(t, plainText, compose.Encryption{Key: k.ec["P-256"].Public()})
		e := doc.FindElement(path)
		e.Parent().RemoveChild(e)
		_, err := opened(t, k, octetsOf(t, doc), everything)
		requireKind(t, err, xmlsec.UnsupportedAlgorithm)
	}
}

// Values in base64 are whole, and nothing but text.
func TestEncodedValues(t *testing.T) {
	t.Parallel()
	k := newKeyring()
	seal := func() *etree.Element {
		return sealed(t, plainText, compose.Encryption{Key: k.rsa.Public(), Transport: compose.OAEP, Digest: crypto.SHA256, MGF: crypto.SHA256})
	}
	_, err := opened(t, k, octetsOf(t, seal()), everything)
	require.NoError(t, err)
	for _, path := range []string{contentPath, keyPath} {
		for what, edit := range map[string]func(e *etree.Element){
			"goes on":           func(e *etree.Element) { e.SetText(e.Text() + "=") },
			"goes on further":   func(e *etree.Element) { e.SetText(e.Text() + "====AAAA") },
			"an element in it":  func(e *etree.Element) { e.CreateElement("x") },
			"an element before": func(e *etree.Element) { e.InsertChildAt(0, etree.NewElement("x")) },
		} {
			doc := seal()
			edit(doc.FindElement(path))
			_, err := opened(t, k, octetsOf(t, doc), everything)
			require.True(t, isKind(err, xmlsec.MalformedEncryption), "%s %s: %v", path, what, err)
			require.Zero(t, k.used)
		}
	}
	doc := seal()
	label := doc.FindElement(".//EncryptedKey/EncryptionMethod").CreateElement("xenc:OAEPparams")
	label.CreateAttr("xmlns:xenc", "http://www.w3.org/2001/04/xmlenc#")
	label.SetText("!!")
	_, err = opened(t, k, octetsOf(t, doc), everything)
	requireKind(t, err, xmlsec.MalformedEncryption)
	require.Zero(t, k.used)
}

// The Type of EncryptedData may be left out.
func TestEncryptedDataWithoutType(t *testing.T) {
	t.Parallel()
	k := newKeyring()
	doc := sealed(t, plainText, compose.Encryption{Key: k.ec["P-256"].Public()})
	doc.FindElement(".//EncryptedData").RemoveAttr("Type")
	_, err := opened(t, k, octetsOf(t, doc), everything)
	require.NoError(t, err)
}

// Keys beside EncryptedData are counted where it has no KeyInfo, too.
//
// req: SE-LIMITS
func TestManyKeysBeside(t *testing.T) {
	t.Parallel()
	k := newKeyring()
	doc := sealed(t, plainText, compose.Encryption{Key: k.ec["P-256"].Public()})
	info := doc.FindElement(".//EncryptedData/KeyInfo")
	key := info.FindElement("./EncryptedKey").Copy()
	key.CreateAttr("xmlns:xenc", "http://www.w3.org/2001/04/xmlenc#")
	key.CreateAttr("xmlns:ds", "http://www.w3.org/2000/09/xmldsig#")
	info.Parent().RemoveChild(info)
	for n := 1; n <= 17; n++ {
		doc.AddChild(key.Copy())
		_, err := opened(t, k, octetsOf(t, doc), everything)
		if n <= 16 {
			require.NoError(t, err, n)
			continue
		}
		requireKind(t, err, xmlsec.Limit)
		require.Zero(t, k.used)
	}
}

// A signature in DER, where that is admitted, is tried with the keys that would be tried otherwise, and no more.
func TestDetachedDER(t *testing.T) {
	t.Parallel()
	octets := []byte("SAMLRequest=x")
	digest := sha256.Sum256(octets)
	made := func(curve elliptic.Curve) (*ecdsa.PrivateKey, xmlsec.Detached) {
		key, err := ecdsa.GenerateKey(curve, rand.Reader)
		require.NoError(t, err)
		value, err := ecdsa.SignASN1(rand.Reader, key, digest[:])
		require.NoError(t, err)
		return key, xmlsec.Detached{Octets: [][]byte{octets}, Algorithm: moreNS + "ecdsa-sha256", Value: value}
	}
	u, err := xmlsec.Parse([]byte("<a/>"), xmlsec.Limits{})
	require.NoError(t, err)
	der := xmlsec.Policy{AllowDER: true}
	key, s := made(elliptic.P256())
	_, err = u.VerifyDetached(s, []crypto.PublicKey{rsaKey().Public(), key.Public()}, der)
	require.NoError(t, err)
	_, err = u.VerifyDetached(s, []crypto.PublicKey{key.Public()}, xmlsec.Policy{})
	requireKind(t, err, xmlsec.BadSignature)

	weak, weakly := made(elliptic.P224())
	other, _ := made(elliptic.P256())
	_, err = u.VerifyDetached(weakly, []crypto.PublicKey{weak.Public(), other.Public()}, der)
	requireKind(t, err, xmlsec.BadSignature)

	var many []crypto.PublicKey
	for range xmlsec.MaxKeysTried {
		many = append(many, other.Public())
	}
	_, err = u.VerifyDetached(s, append(many, key.Public()), der)
	requireKind(t, err, xmlsec.BadSignature)
	_, err = u.VerifyDetached(s, append(many[1:], key.Public()), der)
	require.NoError(t, err)
	_, err = u.VerifyDetached(xmlsec.Detached{Octets: [][]byte{octets, octets, octets}, Algorithm: s.Algorithm, Value: s.Value}, many, der)
	requireKind(t, err, xmlsec.MalformedSignature)
}
