package oracle_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml/internal/oracle"
)

// An oracle that accepted everything would prove nothing: each test here shows one refusing, too.

func TestXMLLintC14N(t *testing.T) {
	t.Parallel()
	docs := [][]byte{[]byte(`<a z="1" b="2"/>`), []byte(`<a><b></a>`), []byte(`<a xmlns="relative"/>`), []byte(`<?p i?><a/><!-- c -->`)}
	for _, mode := range []oracle.C14NMode{oracle.Inclusive, oracle.Inclusive11, oracle.Exclusive} {
		got := oracle.XMLLintC14NAll(t, docs, mode)
		require.Len(t, got, 4)
		assert.Equal(t, `<a b="2" z="1"></a>`, string(got[0]))
		assert.Nil(t, got[1])
		assert.Equal(t, "<?p i?>\n<a></a>\n<!-- c -->", string(got[3]))
		for i, doc := range docs {
			one, err := oracle.XMLLintC14N(t, doc, mode)
			assert.Equal(t, got[i], one)
			assert.Equal(t, got[i] == nil, err != nil)
		}
	}
}

const document = `<p:R xmlns:p="urn:p" ID="r1"><i:Issuer xmlns:i="urn:i">x</i:Issuer><p:S a="&#10;">y<!-- c --></p:S></p:R>`

const signature = `<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:SignedInfo>` +
	`<ds:CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/>` +
	`<ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"/>` +
	`<ds:Reference URI="#r1"><ds:Transforms><ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"/>` +
	`<ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/></ds:Transforms>` +
	`<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/><ds:DigestValue/></ds:Reference>` +
	`</ds:SignedInfo><ds:SignatureValue/></ds:Signature>`

func TestXMLSec(t *testing.T) {
	t.Parallel()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	private, public := encode(t, key, &key.PublicKey)
	template := strings.Replace(document, "<p:S", signature+"<p:S", 1)

	signed, err := oracle.XMLSecSign(t, []byte(template), private, "urn:p:R")
	require.NoError(t, err)
	octets, err := oracle.XMLSecVerify(t, signed, public, "urn:p:R")
	require.NoError(t, err)
	require.Len(t, octets.References, 1)
	assert.Equal(t, `<p:R xmlns:p="urn:p" ID="r1"><i:Issuer xmlns:i="urn:i">x</i:Issuer><p:S a="&#xA;">y</p:S></p:R>`, string(octets.References[0]))
	assert.Contains(t, string(octets.SignedInfo), `<ds:SignedInfo xmlns:ds=`)

	_, err = oracle.XMLSecVerify(t, bytes.Replace(signed, []byte(">y<"), []byte(">z<"), 1), public, "urn:p:R")
	require.Error(t, err)
	_, err = oracle.XMLSecVerify(t, signed, public) // nothing says that ID is an ID
	require.Error(t, err)
}

func TestJavaDSig(t *testing.T) {
	t.Parallel()
	java := oracle.StartJavaDSig(t)
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	for algorithm, key := range map[string]crypto.Signer{
		oracle.RSASHA256: rsaKey, oracle.PSSSHA256: rsaKey, oracle.PSSSHA384: rsaKey, oracle.PSSSHA512: rsaKey, oracle.PSSParams: rsaKey,
		oracle.ECDSASHA256: ecKey, oracle.Ed25519: edKey,
	} {
		private, err := x509.MarshalPKCS8PrivateKey(key)
		require.NoError(t, err)
		public, err := x509.MarshalPKIXPublicKey(key.Public())
		require.NoError(t, err)
		signed, err := java.Sign(algorithm, "r1", private, []byte(document))
		require.NoError(t, err, algorithm)
		octets, err := java.Verify("r1", public, signed)
		require.NoError(t, err, algorithm)
		assert.Contains(t, string(octets), `<p:S a="&#xA;">y</p:S>`)
		_, err = java.Verify("r1", public, bytes.Replace(signed, []byte(">y<"), []byte(">z<"), 1))
		require.ErrorContains(t, err, "wrong digest", algorithm)
		_, err = java.Verify("r1", public, bytes.Replace(signed, []byte("#r1"), []byte("#r2"), 1))
		require.ErrorContains(t, err, "wrong signature value", algorithm)
	}
}

func TestValidateSchema(t *testing.T) {
	t.Parallel()
	const request = `<p:AuthnRequest xmlns:p="urn:oasis:names:tc:SAML:2.0:protocol" ID="_1" Version="2.0" IssueInstant="2026-01-01T00:00:00Z"/>`
	require.NoError(t, oracle.ValidateSchema(t, []byte(request), "protocol"))
	require.Error(t, oracle.ValidateSchema(t, []byte(request), "metadata"))
	require.Error(t, oracle.ValidateSchema(t, []byte(strings.Replace(request, "_1", "1", 1)), "protocol"))

	const metadata = `<m:EntityDescriptor xmlns:m="urn:oasis:names:tc:SAML:2.0:metadata" entityID="urn:x">` +
		`<m:SPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">` +
		`<m:Extensions><u:UIInfo xmlns:u="urn:oasis:names:tc:SAML:metadata:ui"><u:DisplayName xml:lang="en">x</u:DisplayName></u:UIInfo></m:Extensions>` +
		`<m:AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://x/acs" index="0"/>` +
		`</m:SPSSODescriptor></m:EntityDescriptor>`
	require.NoError(t, oracle.ValidateSchema(t, []byte(metadata), "metadata"))
	require.Error(t, oracle.ValidateSchema(t, []byte(strings.Replace(metadata, ` index="0"`, "", 1)), "metadata"))
	require.Error(t, oracle.ValidateSchema(t, []byte(strings.Replace(metadata, ` xml:lang="en"`, "", 1)), "metadata"), "extensions count")
}

func encode(t *testing.T, private crypto.PrivateKey, public crypto.PublicKey) (privatePEM, publicPEM []byte) {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(private)
	require.NoError(t, err)
	spki, err := x509.MarshalPKIXPublicKey(public)
	require.NoError(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: spki})
}
