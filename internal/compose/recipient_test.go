package compose_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/fips140"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml/internal/compose"
	"github.com/logintrust/saml/internal/oracle"
	"github.com/logintrust/saml/internal/wire"
)

// named are the requests that carry a name.
func named(n wire.NameID, to *compose.Encryption) map[string]compose.Message {
	return map[string]compose.Message{
		"LogoutRequest": compose.LogoutRequest{ID: "_1", IssueInstant: time.Now(), Issuer: "sp", NameID: n, EncryptTo: to, SessionIndexes: []string{"s"}},
		"AuthnRequest":  compose.AuthnRequest{ID: "_1", IssueInstant: time.Now(), Issuer: "sp", ACSURL: "https://sp/acs", Subject: &n, EncryptTo: to},
	}
}

// Another implementation opens the names that we encrypt, and finds in their place what stands there in clear without
// encryption. Signed around the ciphertext, the message is valid by the schema.
//
// req: SDP-SP30 IIP-ALG04
func TestOracleOpensNames(t *testing.T) {
	t.Parallel()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	privatePEM := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})
	java := oracle.StartJavaEnc(t)
	name := wire.NameID{Value: "a&<b>é", Format: wire.FormatPersistent, NameQualifier: "\"q", SPNameQualifier: "<s>", SPProvidedID: "p"}
	for _, declared := range [][]string{nil, {compose.AES128GCM}, {compose.AES192GCM, compose.OAEP}, {compose.OAEP}} {
		to, err := compose.EncryptionFor(&key.PublicKey, declared)
		require.NoError(t, err)
		clear := named(name, nil)
		for kind, m := range named(name, &to) {
			xml, err := compose.Write(m, &compose.SigningKey{Signer: key})
			require.NoError(t, err)
			mask := bytes.Contains(xml, []byte("xenc11:MGF")) // which neither the schema nor xmlsec1 knows
			if !mask {
				require.NoError(t, oracle.ValidateSchema(t, xml, "protocol"), "%s", xml)
			}
			opened, err := java.Decrypt(private, xml)
			require.NoError(t, err)
			checkOpened(t, opened, clear[kind])
			if !mask {
				opened, err = oracle.XMLSecDecrypt(t, privatePEM, xml)
				require.NoError(t, err)
				checkOpened(t, opened, clear[kind])
			}
		}
	}
}

func checkOpened(t *testing.T, opened []byte, clear compose.Message) {
	t.Helper()
	find := func(xml []byte) map[string]string {
		doc := etree.NewDocument()
		require.NoError(t, doc.ReadFromBytes(xml))
		e := doc.FindElement("//NameID")
		require.NotNil(t, e, "%s", xml)
		found := map[string]string{"": e.Text()}
		for _, a := range e.Attr {
			if a.Space != "xmlns" {
				found[a.Key] = a.Value
			}
		}
		return found
	}
	xml, err := compose.Write(clear, nil)
	require.NoError(t, err)
	assert.Equal(t, find(xml), find(opened))
}

// req: IIP-MD10
func TestEncryptionFor(t *testing.T) {
	t.Parallel()
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	edKey, _, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	for _, c := range []struct {
		declared         string
		block, transport string // "" for the default, "no" for none
	}{
		{"", "", ""},
		{"urn:x", "", ""},
		{compose.AES256CBC + " " + compose.AES256GCM + " " + compose.AES128GCM, compose.AES256GCM, ""},
		{compose.AES192GCM + " " + compose.AES256GCM, compose.AES192GCM, ""},
		{compose.AES128CBC, "no", ""},
		{compose.TripleDES + " " + compose.OAEP, "no", ""},
		{compose.RSA15, "", "no"},
		{compose.RSA15 + " " + compose.OAEP + " " + compose.OAEPMGF1P, "", compose.OAEP},
		{compose.WrapAES128, "", ""},
	} {
		e, err := compose.EncryptionFor(&rsaKey.PublicKey, strings.Fields(c.declared))
		if c.block == "no" || c.transport == "no" {
			require.Error(t, err, c.declared)
			continue
		}
		require.NoError(t, err, c.declared)
		assert.Equal(t, c.block, e.Block, c.declared)
		assert.Equal(t, c.transport, e.Transport, c.declared)
	}
	e, err := compose.EncryptionFor(&ecKey.PublicKey, []string{compose.OAEP, compose.WrapAES128})
	require.NoError(t, err)
	assert.Equal(t, compose.WrapAES128, e.Transport)
	e, err = compose.EncryptionFor(&rsaKey.PublicKey, []string{compose.OAEPMGF1P})
	if fips140.Enforced() { // its mask is made with SHA-1
		require.Error(t, err)
	} else {
		assert.Equal(t, compose.OAEPMGF1P, e.Transport)
	}
	_, err = compose.EncryptionFor(edKey, nil)
	require.ErrorContains(t, err, "no encryption for")
	xml, err := compose.Write(named(wire.NameID{Value: "alice"}, &compose.Encryption{Key: edKey})["LogoutRequest"], nil)
	require.ErrorContains(t, err, "encrypting")
	assert.Empty(t, xml)
}
