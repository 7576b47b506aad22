package xmlsec_test

import (
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/fips140"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"os"
	"strings"
	"testing"

	"github.com/beevik/etree"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml/internal/compose"
	"github.com/logintrust/saml/internal/fips"
	"github.com/logintrust/saml/internal/oracle"
	"github.com/logintrust/saml/internal/xmlsec"
)

// What others encrypt we open, and what we encrypt they open. After a change of one octet neither does.

const clearDoc = `<saml:EncryptedAssertion xmlns:saml="` + samlNS + `"><saml:Assertion a="1"><saml:Issuer>ø &amp; 1</saml:Issuer></saml:Assertion></saml:EncryptedAssertion>`

const clearC14N = `<saml:Assertion xmlns:saml="` + samlNS + `" a="1"><saml:Issuer>ø &amp; 1</saml:Issuer></saml:Assertion>`

const plainDoc = `<saml:Assertion a="1"><saml:Issuer>ø &amp; 1</saml:Issuer></saml:Assertion>`

var digestNames = map[crypto.Hash]string{crypto.SHA1: dsNS + "sha1", crypto.SHA256: encNS + "sha256", crypto.SHA384: moreNS + "sha384", crypto.SHA512: encNS + "sha512"}

var maskNames = map[crypto.Hash]string{crypto.SHA1: enc11NS + "mgf1sha1", crypto.SHA256: enc11NS + "mgf1sha256", crypto.SHA384: enc11NS + "mgf1sha384", crypto.SHA512: enc11NS + "mgf1sha512"}

// theirsOpens demands that we open what somebody else encrypted, by the policy that it needs and not after a change.
func theirsOpens(t *testing.T, k *keyring, doc []byte, p xmlsec.Policy, signedOnly bool) {
	t.Helper()
	got, err := opened(t, k, doc, p)
	if signedOnly {
		requireKind(t, err, xmlsec.WeakAlgorithm)
	} else {
		require.NoError(t, err, "%s", doc)
	}
	require.Equal(t, clearC14N, got)
	tree := etree.NewDocument()
	require.NoError(t, tree.ReadFromBytes(doc))
	for _, path := range []string{contentPath, keyPath} {
		e := tree.FindElement("." + path)
		if e == nil {
			e = tree.FindElement(path)
		}
		before := e.Text()
		octets, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(before), ""))
		require.NoError(t, err)
		octets[len(octets)/2] ^= 1
		e.SetText(base64.StdEncoding.EncodeToString(octets))
		changed, err := tree.WriteToBytes()
		require.NoError(t, err)
		got, _ := opened(t, k, changed, p)
		require.NotEqual(t, clearC14N, got)
		e.SetText(before)
	}
}

// req: IIP-ALG04 EN-OAEP-MGF EN-GCM
func TestOracleXMLSecEncrypts(t *testing.T) {
	fips.Forbids(t, "OAEP with SHA-1 and RSA 1.5, and xmlsec1 knows nothing else")
	t.Parallel()
	k := newKeyring()
	cbc := xmlsec.Policy{AllowUnsignedCBC: true}
	for _, c := range []struct {
		block, session string
		policy         xmlsec.Policy
	}{
		{compose.AES128GCM, "aes-128", xmlsec.Policy{}}, {compose.AES192GCM, "aes-192", xmlsec.Policy{}}, {compose.AES256GCM, "aes-256", xmlsec.Policy{}},
		{compose.AES128CBC, "aes-128", cbc}, {compose.AES192CBC, "aes-192", cbc}, {compose.AES256CBC, "aes-256", cbc},
		{compose.TripleDES, "des-192", xmlsec.Policy{AllowUnsignedCBC: true, AllowTripleDES: true}},
	} {
		for _, transport := range []string{compose.OAEPMGF1P, compose.RSA15} {
			for _, label := range []string{"", "bGFiZWw="} {
				if transport == compose.RSA15 && label != "" {
					continue
				}
				method := `<xenc:EncryptionMethod Algorithm="` + transport + `"/>`
				if label != "" {
					method = `<xenc:EncryptionMethod Algorithm="` + transport + `"><xenc:OAEPparams>` + label + `</xenc:OAEPparams></xenc:EncryptionMethod>`
				}
				template := `<xenc:EncryptedData xmlns:xenc="` + encNS + `" Type="` + encNS + `Element"><xenc:EncryptionMethod Algorithm="` + c.block + `"/>` +
					`<ds:KeyInfo xmlns:ds="` + dsNS + `"><xenc:EncryptedKey>` + method + `<xenc:CipherData><xenc:CipherValue/></xenc:CipherData></xenc:EncryptedKey></ds:KeyInfo>` +
					`<xenc:CipherData><xenc:CipherValue/></xenc:CipherData></xenc:EncryptedData>`
				doc, err := oracle.XMLSecEncrypt(t, []byte(template), c.session, publicPEM(t, k.rsa), []byte(clearDoc))
				require.NoError(t, err)
				p := c.policy
				p.AllowRSA15 = transport == compose.RSA15
				theirsOpens(t, k, doc, p, p.AllowRSA15)
			}
		}
	}
}

// req: IIP-ALG04 CORE-2.2.4-fresh
func TestOracleXMLSecDecrypts(t *testing.T) {
	fips.Forbids(t, "OAEP with SHA-1 and RSA 1.5, and xmlsec1 knows nothing else")
	t.Parallel()
	k := newKeyring()
	for _, block := range []string{compose.AES128GCM, compose.AES192GCM, compose.AES256GCM, compose.AES128CBC, compose.AES192CBC, compose.AES256CBC, compose.TripleDES} {
		for _, e := range []compose.Encryption{{}, {Transport: compose.RSA15}, {Label: []byte("label")}} {
			e.Key, e.Block = k.rsa.Public(), block
			doc := sealed(t, plainDoc, e)
			clear, err := oracle.XMLSecDecrypt(t, privatePEM(t, k.rsa), octetsOf(t, doc))
			require.NoError(t, err)
			require.Contains(t, strings.ReplaceAll(string(clear), "&#xF8;", "ø"), plainDoc)
			if block == compose.AES256GCM {
				good := valueOf(t, doc, contentPath)
				good[20] ^= 1
				setValue(doc, contentPath, good)
				_, err := oracle.XMLSecDecrypt(t, privatePEM(t, k.rsa), octetsOf(t, doc))
				require.Error(t, err)
			}
		}
	}
}

// Apache Santuario, with each digest and each mask of RSA-OAEP.
//
// req: EN-OAEP-MGF EN-OAEP-LABEL IIP-ALG06
func TestOracleSantuario(t *testing.T) {
	t.Parallel()
	java := oracle.StartJavaEnc(t)
	k := newKeyring()
	private, err := x509.MarshalPKCS8PrivateKey(k.rsa)
	require.NoError(t, err)
	public, err := x509.MarshalPKIXPublicKey(k.rsa.Public())
	require.NoError(t, err)
	both := func(block string, e compose.Encryption, p xmlsec.Policy) {
		t.Helper()
		if fips140.Enforced() && (e.Transport == compose.OAEPMGF1P || e.Digest < crypto.SHA256 || e.MGF < crypto.SHA256) {
			return // what is not named is SHA-1
		}
		doc, err := java.Encrypt(block, e.Transport, digestNames[e.Digest], maskNames[e.MGF], e.Label, public, []byte(clearDoc))
		require.NoError(t, err)
		theirsOpens(t, k, doc, p, false)
		e.Key, e.Block = k.rsa.Public(), block
		clear, err := java.Decrypt(private, octetsOf(t, sealed(t, plainDoc, e)))
		require.NoError(t, err, "%+v", e)
		require.Contains(t, string(clear), "<saml:Issuer>ø &amp; 1</saml:Issuer>")
		changed := sealed(t, plainDoc, e)
		setValue(changed, keyPath, flipBit(valueOf(t, changed, keyPath)))
		_, err = java.Decrypt(private, octetsOf(t, changed))
		require.Error(t, err)
	}
	hashes := []crypto.Hash{crypto.SHA1, crypto.SHA256, crypto.SHA384, crypto.SHA512}
	for _, label := range [][]byte{nil, []byte("label")} {
		both(compose.AES256GCM, compose.Encryption{Transport: compose.OAEPMGF1P, Label: label}, xmlsec.Policy{})
		both(compose.AES256GCM, compose.Encryption{Transport: compose.OAEP, Label: label}, xmlsec.Policy{})
		for _, digest := range hashes {
			both(compose.AES128GCM, compose.Encryption{Transport: compose.OAEPMGF1P, Digest: digest, Label: label}, xmlsec.Policy{})
			both(compose.AES192GCM, compose.Encryption{Transport: compose.OAEP, Digest: digest, Label: label}, xmlsec.Policy{})
			for _, mask := range hashes {
				both(compose.AES256GCM, compose.Encryption{Transport: compose.OAEP, Digest: digest, MGF: mask, Label: label}, xmlsec.Policy{})
			}
		}
	}
	for _, block := range []string{compose.AES128CBC, compose.AES256CBC} {
		both(block, compose.Encryption{Transport: compose.OAEPMGF1P}, xmlsec.Policy{AllowUnsignedCBC: true})
		both(block, compose.Encryption{Transport: compose.OAEP, Digest: crypto.SHA256, MGF: crypto.SHA256}, xmlsec.Policy{AllowUnsignedCBC: true})
	}
}

// Key agreement: the JDK makes and opens what we open and make, of every curve, length of key and hash.
//
// req: EN-KEYLEN
func TestOracleJavaAgrees(t *testing.T) {
	t.Parallel()
	java := oracle.StartJavaEnc(t)
	k := newKeyring()
	names := map[crypto.Hash]string{crypto.SHA256: "SHA-256", crypto.SHA384: "SHA-384", crypto.SHA512: "SHA-512"}
	for curve, key := range k.ec {
		private, err := x509.MarshalPKCS8PrivateKey(key)
		require.NoError(t, err)
		public, err := x509.MarshalPKIXPublicKey(key.Public())
		require.NoError(t, err)
		for bits, wrap := range map[int]string{128: compose.WrapAES128, 192: compose.WrapAES192, 256: compose.WrapAES256} {
			for hash, name := range names {
				for blockBits, block := range map[int]string{128: compose.AES128GCM, 192: compose.AES192GCM, 256: compose.AES256GCM} {
					doc := sealed(t, plainDoc, compose.Encryption{Key: key.Public(), Block: block, Transport: wrap, Digest: hash})
					var other []byte
					for _, part := range []string{"AlgorithmID", "PartyUInfo", "PartyVInfo"} {
						octets, err := hex.DecodeString(doc.FindElement(".//ConcatKDFParams").SelectAttrValue(part, ""))
						require.NoError(t, err)
						other = append(other, octets[1:]...)
					}
					// Ours, by the JDK.
					point, err := ecdsa.ParseUncompressedPublicKey(key.Curve, valueOf(t, doc, pointPath))
					require.NoError(t, err)
					peer, err := x509.MarshalPKIXPublicKey(point)
					require.NoError(t, err)
					content, err := java.Unwrap(private, peer, name, other, bits, valueOf(t, doc, keyPath))
					require.NoError(t, err, "%s %d %s", curve, bits, name)
					clear, err := java.OpenGCM(content, valueOf(t, doc, contentPath))
					require.NoError(t, err)
					require.Equal(t, plainDoc, string(clear))
					_, err = java.Unwrap(private, peer, name, append(other, 0), bits, valueOf(t, doc, keyPath))
					require.Error(t, err)
					// The JDK's, by us.
					ownPrivate, ownPublic, err := java.Generate(public)
					require.NoError(t, err)
					content = make([]byte, blockBits/8)
					_, _ = rand.Read(content)
					wrapped, err := java.Wrap(ownPrivate, public, name, other, bits, content)
					require.NoError(t, err)
					sealedOctets, err := java.SealGCM(content, []byte(plainDoc))
					require.NoError(t, err)
					parsed, err := x509.ParsePKIXPublicKey(ownPublic)
					require.NoError(t, err)
					octets, err := parsed.(*ecdsa.PublicKey).Bytes()
					require.NoError(t, err)
					setValue(doc, pointPath, octets)
					setValue(doc, keyPath, wrapped)
					setValue(doc, contentPath, sealedOctets)
					theirsOpens(t, k, octetsOf(t, doc), xmlsec.Policy{}, false)
				}
			}
		}
	}
}

// AES Key Wrap: RFC 3394, 4.1 to 4.6.
func TestKeyWrapVectors(t *testing.T) {
	t.Parallel()
	const kek, key = "000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F", "00112233445566778899AABBCCDDEEFF000102030405060708090A0B0C0D0E0F"
	for _, v := range []struct {
		kek, key int
		wrapped  string
	}{
		{128, 128, "1FA68B0A8112B447AEF34BD8FB5A7B829D3E862371D2CFE5"},
		{192, 128, "96778B25AE6CA435F92B5B97C050AED2468AB8A17AD84E5D"},
		{256, 128, "64E8C3F9CE0F5BA263E9777905818A2A93C8191E7D6E8AE7"},
		{192, 192, "031D33264E15D33268F24EC260743EDCE1C6C7DDEE725A936BA814915C6762D2"},
		{256, 192, "A8F9BC1612C68B3FF6E6F4FBE30E71E4769C8B80A32CB8958CD5D17D6B254DA1"},
		{256, 256, "28C9F404C4B810F4CBCCB35CFB87F8263F5786E2D80ED326CBC7F0E71A99F43BFB988B9B7A02DD21"},
	} {
		wrapped, wrapping := unhex(t, v.wrapped), unhex(t, kek[:v.kek/4])
		assert.Equal(t, unhex(t, key[:v.key/4]), xmlsec.UnwrapKey(wrapping, wrapped), v)
		for at := range wrapped {
			wrapped[at] ^= 0x80
			assert.Nil(t, xmlsec.UnwrapKey(wrapping, wrapped))
			wrapped[at] ^= 0x80
		}
		for n := range 100 {
			if n != len(wrapped) {
				assert.Nil(t, xmlsec.UnwrapKey(wrapping, make([]byte, n)))
			}
		}
	}
}

// ECDH on P-256 and ConcatKDF: RFC 7518, appendix C.
func TestKeyAgreementVector(t *testing.T) {
	t.Parallel()
	octets := func(s string) []byte {
		b, err := base64.RawURLEncoding.DecodeString(s)
		require.NoError(t, err)
		return b
	}
	bob, err := ecdh.P256().NewPrivateKey(octets("VEmDZpDXXK8p8N0Cndsxs924q6nS1RXFASRl6BfUqdw"))
	require.NoError(t, err)
	alice, err := ecdh.P256().NewPublicKey(append([]byte{4}, append(octets("gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0"), octets("SLW_xSffzlPWrHEVI30DHM_4egVwt3NQqeUD7nMFpps")...)...))
	require.NoError(t, err)
	secret, err := bob.ECDH(alice)
	require.NoError(t, err)
	other := "\x00\x00\x00\x07A128GCM" + "\x00\x00\x00\x05Alice" + "\x00\x00\x00\x03Bob" + "\x00\x00\x00\x80"
	assert.Equal(t, octets("VqqN6vgjbSBcIijNcacQGg"), xmlsec.ConcatKDF(crypto.SHA256, secret, []byte(other), 16))
}

func flipBit(b []byte) []byte {
	b[len(b)/2] ^= 1
	return b
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	require.NoError(t, err)
	return b
}

// ECDH-ES as the W3C's test cases have it is read to its end: our key is used, and does not open it, since it is another's.
func TestW3CKeyAgreementIsRead(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("testdata/w3c/ecdh-es-p256.xml")
	require.NoError(t, err)
	k := newKeyring()
	_, err = opened(t, k, append(append([]byte("<e>"), data...), "</e>"...), xmlsec.Policy{})
	require.Equal(t, xmlsec.Closed(), err)
	require.Equal(t, 1, k.used)
}
