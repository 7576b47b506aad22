package xmlsec_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"os"
	"regexp"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml/internal/xmlsec"
)

// keptKey is a private key that is checked in, which the corpus is encrypted for.
func keptKey(t testing.TB, name string) crypto.PrivateKey {
	t.Helper()
	text, err := os.ReadFile("../../testdata/keys/" + name + ".TEST-ONLY.key.pem")
	require.NoError(t, err)
	block, _ := pem.Decode(text)
	require.NotNil(t, block)
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	require.NoError(t, err)
	return key
}

func keptRing(t testing.TB) *keyring {
	t.Helper()
	return &keyring{rsa: keptKey(t, "sp-rsa2048").(*rsa.PrivateKey),
		ec: map[string]*ecdsa.PrivateKey{"P-256": keptKey(t, "sp-p256").(*ecdsa.PrivateKey), "P-384": ringKeys().ec["P-384"], "P-521": ringKeys().ec["P-521"]}}
}

// Whatever stands in the place of something encrypted: no panic, at most four operations with private keys, and one fault
// once there was one. The corpus opens with keys that are checked in; value, if there is one, takes the place of the octets
// in the CipherValue of that number.
//
// req: EN-ORACLE EN-NEST
func FuzzDecrypt(f *testing.F) {
	k := keptRing(f)
	f.Add([]byte(`<e xmlns="http://www.w3.org/2001/04/xmlenc#"><EncryptedData><CipherData><CipherValue>AA==</CipherValue></CipherData></EncryptedData></e>`), byte(0), []byte{})
	f.Fuzz(func(t *testing.T, doc []byte, which byte, value []byte) {
		if len(value) > 0 {
			doc = withValue(doc, int(which%4), value)
		}
		u, err := xmlsec.Parse(doc, xmlsec.Limits{Bytes: 1 << 16})
		if err != nil {
			return
		}
		before, parts := string(doc), 0
		for _, p := range []xmlsec.Policy{{}, everything} {
			for e := range descendants(u.Root()) {
				if e.Child(encNS, "EncryptedData").Exists() && parts < 8 {
					parts++
					openedAt(t, k, u, e, p)
				}
			}
		}
		require.Equal(t, before, string(doc), "the document was written to")
	})
}

func openedAt(t *testing.T, k *keyring, u *xmlsec.Unverified, e xmlsec.Element, p xmlsec.Policy) {
	t.Helper()
	o := &xmlsec.Opener{Keys: k.keys(), Recipient: ourselves}
	k.used = 0
	plain, err := u.Decrypt(e, o, p)
	checkFault(t, k, err)
	if err != nil {
		require.Zero(t, plain)
	} else {
		require.True(t, plain.Root().Exists())
		require.Equal(t, "scope", plain.Root().Parent().Local())
		require.False(t, plain.Root().Next().Exists())
	}
	s, err := u.Record(e, xmlsec.Element{}, xmlsec.C14N{Exclusive: true})
	if err != nil {
		return // a limit
	}
	o.Reset(o.Keys, o.Recipient, o.Limits)
	k.used = 0
	_, signed, err := s.Decrypt(s.Root(), o, p)
	checkFault(t, k, err)
	if err == nil {
		_, err := xmlsec.Parse(signed.Bytes(), xmlsec.Limits{})
		require.NoError(t, err)
	}
}

var cipherValues = regexp.MustCompile(`CipherValue>[^<>]+</`)

// withValue puts octets into the CipherValue of that number, if there is one.
func withValue(doc []byte, n int, octets []byte) []byte {
	all := cipherValues.FindAllIndex(doc, n+1)
	if len(all) <= n {
		return doc
	}
	value := "CipherValue>" + base64.StdEncoding.EncodeToString(octets) + "</"
	return slices.Concat(doc[:all[n][0]], []byte(value), doc[all[n][1]:])
}
