package xmlsec_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"strings"
	"testing"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml/internal/fips"
	"github.com/logintrust/saml/internal/oracle"
	"github.com/logintrust/saml/internal/xmlsec"
)

// What xmlsec1, the JDK and goxmldsig sign, we accept, and the octets that we return are those that they digested;
// after a change of one octet we refuse it, or return the same octets still.

// response stands for a SAML message; the signature of its assertion goes where %s is.
const response = `<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"
    xmlns:unused="urn:unused" ID="_r1" Version="2.0"><saml:Issuer>https://idp.example</saml:Issuer>
  <saml:Assertion xmlns:xs="http://www.w3.org/2001/XMLSchema" Version='2.0' ID="_a1"><saml:Issuer>https://idp.example</saml:Issuer>%s<saml:Subject>
    <saml:NameID Format="f&#10;g">al<!-- not here -->ice@example.org</saml:NameID></saml:Subject>
    <saml:AttributeStatement><saml:Attribute Name="ø&amp;&lt;"><saml:AttributeValue xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
      xsi:type="xs:string"><![CDATA[O'Brien & Søn <x>]]>&#13;</saml:AttributeValue></saml:Attribute></saml:AttributeStatement>
  </saml:Assertion>
</samlp:Response>`

const (
	moreNS = "http://www.w3.org/2001/04/xmldsig-more#"
	dsNS   = "http://www.w3.org/2000/09/xmldsig#"
	encNS  = "http://www.w3.org/2001/04/xmlenc#"
	samlNS = "urn:oasis:names:tc:SAML:2.0:assertion"
)

// testKeys has one key for each kind of signature.
func testKeys(t *testing.T) map[string]crypto.Signer {
	t.Helper()
	keys := map[string]crypto.Signer{}
	var err error
	for name, curve := range map[string]elliptic.Curve{"P-256": elliptic.P256(), "P-384": elliptic.P384(), "P-521": elliptic.P521()} {
		keys[name], err = ecdsa.GenerateKey(curve, rand.Reader)
		require.NoError(t, err)
	}
	keys["RSA"], err = rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	_, keys["Ed25519"], err = ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	return keys
}

func TestOracleXMLSecSigns(t *testing.T) {
	t.Parallel()
	keys, others := testKeys(t), testKeys(t)
	exclusive := `<ds:Transform Algorithm="` + xmlsec.ExclusiveC14N + `"/>`
	cases := []struct {
		name                            string
		key, method, digest, info, c14n string
		policy                          xmlsec.Policy
		refusedBy                       xmlsec.Kind // the zero Policy's refusal, if policy is not it
		noC14N                          bool
	}{
		{name: "rsa-sha256", key: "RSA", method: moreNS + "rsa-sha256", digest: encNS + "sha256"},
		{name: "rsa-sha384", key: "RSA", method: moreNS + "rsa-sha384", digest: moreNS + "sha384"},
		{name: "rsa-sha512", key: "RSA", method: moreNS + "rsa-sha512", digest: encNS + "sha512"},
		{name: "P-256 sha256", key: "P-256", method: moreNS + "ecdsa-sha256", digest: encNS + "sha256"},
		{name: "P-256 sha512", key: "P-256", method: moreNS + "ecdsa-sha512", digest: encNS + "sha256"},
		{name: "P-384 sha256", key: "P-384", method: moreNS + "ecdsa-sha256", digest: encNS + "sha256"},
		{name: "P-384 sha384", key: "P-384", method: moreNS + "ecdsa-sha384", digest: moreNS + "sha384"},
		{name: "P-521 sha256", key: "P-521", method: moreNS + "ecdsa-sha256", digest: encNS + "sha256"},
		{name: "P-521 sha512", key: "P-521", method: moreNS + "ecdsa-sha512", digest: encNS + "sha512"},
		{name: "rsa-sha1", key: "RSA", method: dsNS + "rsa-sha1", digest: encNS + "sha256",
			policy: xmlsec.Policy{AllowSHA1: true}, refusedBy: xmlsec.WeakAlgorithm},
		{name: "ecdsa-sha1", key: "P-256", method: moreNS + "ecdsa-sha1", digest: encNS + "sha256",
			policy: xmlsec.Policy{AllowSHA1: true}, refusedBy: xmlsec.WeakAlgorithm},
		{name: "digest sha1", key: "RSA", method: moreNS + "rsa-sha256", digest: dsNS + "sha1",
			policy: xmlsec.Policy{AllowSHA1: true}, refusedBy: xmlsec.WeakAlgorithm},
		{name: "SignedInfo inclusive", key: "RSA", method: moreNS + "rsa-sha256", digest: encNS + "sha256", info: xmlsec.InclusiveC14N},
		{name: "SignedInfo inclusive 1.1", key: "RSA", method: moreNS + "rsa-sha256", digest: encNS + "sha256", info: xmlsec.InclusiveC14N11},
		{name: "SignedInfo with comments", key: "RSA", method: moreNS + "rsa-sha256", digest: encNS + "sha256", info: xmlsec.ExclusiveC14NWithComments},
		{name: "with comments, which a #ID never covers", key: "RSA", method: moreNS + "rsa-sha256", digest: encNS + "sha256",
			c14n: `<ds:Transform Algorithm="` + xmlsec.ExclusiveC14NWithComments + `"/>`},
		{name: "PrefixList", key: "RSA", method: moreNS + "rsa-sha256", digest: encNS + "sha256",
			c14n: `<ds:Transform Algorithm="` + xmlsec.ExclusiveC14N + `"><ec:InclusiveNamespaces xmlns:ec="` + xmlsec.ExclusiveC14N +
				`" PrefixList="xs #default unused nowhere"/></ds:Transform>`},
		{name: "inclusive", key: "RSA", method: moreNS + "rsa-sha256", digest: encNS + "sha256",
			c14n:   `<ds:Transform Algorithm="` + xmlsec.InclusiveC14N + `"/>`,
			policy: xmlsec.Policy{AllowInclusiveReference: true}, refusedBy: xmlsec.WeakAlgorithm},
		{name: "inclusive 1.1", key: "RSA", method: moreNS + "rsa-sha256", digest: encNS + "sha256",
			c14n:   `<ds:Transform Algorithm="` + xmlsec.InclusiveC14N11 + `"/>`,
			policy: xmlsec.Policy{AllowInclusiveReference: true}, refusedBy: xmlsec.WeakAlgorithm},
		{name: "no canonicalisation, which means inclusive", key: "RSA", method: moreNS + "rsa-sha256", digest: encNS + "sha256",
			noC14N: true,
			policy: xmlsec.Policy{AllowInclusiveReference: true}, refusedBy: xmlsec.WeakAlgorithm},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if strings.Contains(c.name, "sha1") {
				fips.Forbids(t, "SHA-1")
			}
			t.Parallel()
			if c.info == "" {
				c.info = xmlsec.ExclusiveC14N
			}
			if c.c14n == "" && !c.noC14N {
				c.c14n = exclusive
			}
			template := fmt.Sprintf(response, `<ds:Signature xmlns:ds="`+dsNS+`"><ds:SignedInfo>
  <ds:CanonicalizationMethod Algorithm="`+c.info+`"/><!-- c --><ds:SignatureMethod Algorithm="`+c.method+`"/><ds:Reference URI="#_a1">`+
				`<ds:Transforms><ds:Transform Algorithm="`+dsNS+`enveloped-signature"/>`+c.c14n+`</ds:Transforms>`+
				`<ds:DigestMethod Algorithm="`+c.digest+`"/><ds:DigestValue/></ds:Reference></ds:SignedInfo><ds:SignatureValue/></ds:Signature>`)
			key := keys[c.key]
			signed, err := oracle.XMLSecSign(t, []byte(template), privatePEM(t, key), samlNS+":Assertion")
			require.NoError(t, err)
			theirs, err := oracle.XMLSecVerify(t, signed, publicPEM(t, key), samlNS+":Assertion")
			require.NoError(t, err)

			require.Len(t, theirs.References, 1)
			checkSigned(t, signed, theirs.References[0], key.Public(), others[c.key].Public(), c.policy)
			if c.policy != (xmlsec.Policy{}) {
				_, err := verifyAssertion(signed, xmlsec.Policy{}, key.Public())
				requireKind(t, err, c.refusedBy)
			}
		})
	}
}

// ECDSA values have leading zeros once in 256 signatures; each size of r and s must be taken as xmlsec1 writes it.
func TestOracleXMLSecSignsWithShortIntegers(t *testing.T) {
	t.Parallel()
	key := testKeys(t)["P-521"]
	template := fmt.Sprintf(response, `<ds:Signature xmlns:ds="`+dsNS+`"><ds:SignedInfo><ds:CanonicalizationMethod Algorithm="`+xmlsec.ExclusiveC14N+
		`"/><ds:SignatureMethod Algorithm="`+moreNS+`ecdsa-sha512"/><ds:Reference URI="#_a1"><ds:Transforms><ds:Transform Algorithm="`+dsNS+
		`enveloped-signature"/><ds:Transform Algorithm="`+xmlsec.ExclusiveC14N+`"/></ds:Transforms><ds:DigestMethod Algorithm="`+encNS+
		`sha512"/><ds:DigestValue/></ds:Reference></ds:SignedInfo><ds:SignatureValue/></ds:Signature>`)
	for range 24 { // P-521 has 7 idle bits at the top, so half of all integers there start with a zero octet
		signed, err := oracle.XMLSecSign(t, []byte(template), privatePEM(t, key), samlNS+":Assertion")
		require.NoError(t, err)
		_, err = verifyAssertion(signed, xmlsec.Policy{}, key.Public())
		require.NoError(t, err, "%s", signed)
	}
}

func TestOracleJavaSigns(t *testing.T) {
	t.Parallel()
	java := oracle.StartJavaDSig(t)
	keys, others := testKeys(t), testKeys(t)
	for _, c := range []struct{ key, method string }{
		{"RSA", oracle.RSASHA256}, {"RSA", oracle.PSSSHA256}, {"RSA", oracle.PSSSHA384}, {"RSA", oracle.PSSSHA512},
		{"P-256", oracle.ECDSASHA256}, {"P-384", oracle.ECDSASHA384}, {"P-521", oracle.ECDSASHA512}, {"Ed25519", oracle.Ed25519},
	} {
		t.Run(c.method, func(t *testing.T) {
			key := keys[c.key]
			private, err := x509.MarshalPKCS8PrivateKey(key)
			require.NoError(t, err)
			public, err := x509.MarshalPKIXPublicKey(key.Public())
			require.NoError(t, err)
			signed, err := java.Sign(c.method, "_a1", private, fmt.Appendf(nil, response, ""))
			require.NoError(t, err)
			theirs, err := java.Verify("_a1", public, signed)
			require.NoError(t, err)
			checkSigned(t, signed, theirs, key.Public(), others[c.key].Public(), xmlsec.Policy{})
		})
	}
}

func TestOracleGoxmldsigSigns(t *testing.T) {
	t.Parallel()
	keys, others := testKeys(t), testKeys(t)
	for _, c := range []struct{ key, method string }{
		{"RSA", dsig.RSASHA256SignatureMethod}, {"RSA", dsig.RSASHA384SignatureMethod}, {"RSA", dsig.RSASHA512SignatureMethod},
		{"P-256", dsig.ECDSASHA256SignatureMethod}, {"P-384", dsig.ECDSASHA384SignatureMethod}, {"P-521", dsig.ECDSASHA512SignatureMethod},
	} {
		t.Run(c.method, func(t *testing.T) {
			t.Parallel()
			// goxmldsig 1.6.1 writes a line feed in an attribute as it stands, and so signs what is not the canonical form.
			message := strings.Replace(fmt.Sprintf(response, ""), "f&#10;g", "f g", 1)
			doc := etree.NewDocument()
			doc.WriteSettings = etree.WriteSettings{CanonicalText: true, CanonicalAttrVal: true} // else &#13; is not written as such
			require.NoError(t, doc.ReadFromString(message))
			assertion := doc.Root().SelectElement("Assertion")
			assertion.CreateAttr("xmlns:saml", samlNS) // goxmldsig looks at the element alone
			key := keys[c.key]
			if _, ok := key.(*ecdsa.PrivateKey); ok {
				key = rs{key}
			}
			context, err := dsig.NewSigningContext(key, nil)
			require.NoError(t, err)
			context.Canonicalizer = dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList("")
			require.NoError(t, context.SetSignatureMethod(c.method))
			signature, err := context.ConstructSignature(assertion, true)
			require.NoError(t, err)
			if info := signature.SelectElement("KeyInfo"); info != nil {
				signature.RemoveChild(info) // it holds no certificate
			}
			assertion.InsertChildAt(1, signature)
			signed, err := doc.WriteToBytes()
			require.NoError(t, err)

			got, err := verifyAssertion(signed, xmlsec.Policy{}, keys[c.key].Public())
			require.NoError(t, err)
			checkSigned(t, signed, got, keys[c.key].Public(), others[c.key].Public(), xmlsec.Policy{})
		})
	}
}

// rs is an ECDSA key whose signatures are r and s, each as long as the order, as XML Signature has them.
type rs struct{ crypto.Signer }

func (k rs) Sign(random io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	der, err := k.Signer.Sign(random, digest, opts)
	if err != nil {
		return nil, err
	}
	var v struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(der, &v); err != nil {
		return nil, err
	}
	size := (k.Public().(*ecdsa.PublicKey).Params().BitSize + 7) / 8
	out := make([]byte, 2*size)
	v.R.FillBytes(out[:size])
	v.S.FillBytes(out[size:])
	return out, nil
}

// checkSigned holds a signed response against all that must be true of it.
func checkSigned(t *testing.T, signed, octets []byte, key, other crypto.PublicKey, p xmlsec.Policy) {
	t.Helper()
	got, err := verifyAssertion(signed, p, key)
	require.NoError(t, err)
	require.Equal(t, string(octets), string(got), "what was digested")
	got, err = verifyAssertion(signed, p, other, key)
	require.NoError(t, err, "with two keys on file")
	require.Equal(t, string(octets), string(got))

	_, err = verifyAssertion(signed, p, other)
	requireKind(t, err, xmlsec.BadSignature)
	_, err = verifyAssertion(bytes.Replace(signed, []byte("ice@"), []byte("icf@"), 1), p, key)
	requireKind(t, err, xmlsec.BadDigest)
	_, err = verifyAssertion(bytes.Replace(signed, []byte("enveloped-signature"), []byte("enveloped-signaturf"), 1), p, key)
	require.Error(t, err)

	step := 3 // a tenth of a second for each signature
	if _, slow := key.(*ecdsa.PublicKey); slow {
		step = 23
	}
	refused := 0
	for i := 0; i < len(signed); i += step {
		changed := bytes.Clone(signed)
		changed[i] ^= 1
		if got, err := verifyAssertion(changed, p, key); err != nil {
			refused++
		} else {
			require.Equal(t, string(octets), string(got), "after a change of octet %d of %s", i, signed)
		}
	}
	assert.Greater(t, refused*step, len(octets)/2)
}

// verifyAssertion returns the signed octets of the assertion in a response.
func verifyAssertion(doc []byte, p xmlsec.Policy, keys ...crypto.PublicKey) ([]byte, error) {
	u, err := xmlsec.Parse(doc, xmlsec.Limits{})
	if err != nil {
		return nil, err
	}
	s, err := u.Verify(u.Root().Child(samlNS, "Assertion"), keys, p)
	if err != nil {
		return nil, err
	}
	if !s.Root().Is(samlNS, "Assertion") || strings.Contains(string(s.Bytes()), "Signature") {
		return nil, errors.New("what was signed is not the assertion without its signature")
	}
	return s.Bytes(), nil
}

func requireKind(t *testing.T, err error, want xmlsec.Kind) {
	t.Helper()
	fault, ok := errors.AsType[*xmlsec.Error](err)
	require.True(t, ok, "%v", err)
	require.Equal(t, want, fault.Kind, "%v", err)
}

func privatePEM(t *testing.T, key crypto.Signer) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

func publicPEM(t *testing.T, key crypto.Signer) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	require.NoError(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}
