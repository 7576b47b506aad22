package saml_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"math/big"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml"
)

// Of keys and endpoints that metadata lists, none is dropped for looking like another, and of one that is there twice one
// stays.
func TestImportKeepsWhatDiffers(t *testing.T) {
	t.Parallel()
	const soap = "urn:oasis:names:tc:SAML:2.0:bindings:SOAP"
	certificate := func(key ed25519.PrivateKey, serial int64) []byte {
		template := &x509.Certificate{SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "idp"}, NotBefore: now, NotAfter: now.AddDate(1, 0, 0)}
		der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
		require.NoError(t, err)
		return der
	}
	bare := func(key ed25519.PrivateKey) []byte {
		der, err := x509.MarshalPKIXPublicKey(key.Public())
		require.NoError(t, err)
		return der
	}
	derKey := func(der []byte) string {
		return `<md:KeyDescriptor><ds:KeyInfo><e:DEREncodedKeyValue xmlns:e="http://www.w3.org/2009/xmldsig11#">` +
			base64.StdEncoding.EncodeToString(der) + `</e:DEREncodedKeyValue></ds:KeyInfo></md:KeyDescriptor>`
	}
	var keys []ed25519.PrivateKey
	for range 2 {
		_, key, err := ed25519.GenerateKey(rand.Reader)
		require.NoError(t, err)
		keys = append(keys, key)
	}
	one := certificate(keys[0], 1)
	resolution := func(index, location string) string {
		return `<md:ArtifactResolutionService Binding="` + soap + `" index="` + index + `" Location="` + location + `"/>`
	}
	p, err := saml.ProposeTrust([]byte(entity("https://one", saml2,
		keyDescriptor("", one)+keyDescriptor("", one)+keyDescriptor("", certificate(keys[0], 2))+derKey(bare(keys[0]))+derKey(bare(keys[1]))+
			resolution("0", "https://idp/a0")+resolution("1", "https://idp/a1")+resolution("1", "https://idp/again")+
			`<md:SingleLogoutService Binding="urn:x" Location="https://idp/x"/><md:SingleLogoutService Binding="`+soap+`" Location="https://idp/soap"/>`+
			sso(redirect, "https://idp/r"))), saml.ImportOptions{}, now)
	require.NoError(t, err)
	assert.Len(t, p.Trust.Keys, 4, "two certificates of one key, and two bare keys")
	assert.Equal(t, []saml.ArtifactService{{Index: 0, URL: "https://idp/a0"}, {Index: 1, URL: "https://idp/a1"}}, p.Trust.ArtifactServices)
	assert.Equal(t, "https://idp/soap", p.Trust.SLOSOAPURL)
	assert.Empty(t, p.Trust.SLOURL)
}

// An XML declaration without end is no metadata, and no panic.
func TestMetadataThatIsADeclaration(t *testing.T) {
	t.Parallel()
	for _, text := range []string{`<?xml version="1.0" encoding="utf-16"`, "\ufeff<?xml ", `<?xml ?`} {
		_, err := saml.TrustFromMetadata([]byte(text), "", now)
		require.Error(t, err)
	}
}
