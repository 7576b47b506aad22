package saml_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml/samltest"
)

func mustAddr(s string) netip.Addr { return netip.MustParseAddr(s) }

// replaceBytes changes the octets of a message, once.
func replaceBytes(old, new string) func([]byte) []byte {
	return func(b []byte) []byte {
		if !bytes.Contains(b, []byte(old)) {
			panic("nothing to replace: " + old)
		}
		return bytes.Replace(b, []byte(old), []byte(new), 1)
	}
}

// setConfirmationType gives SubjectConfirmationData an xsi:type, by a prefix of its own.
func setConfirmationType(response *etree.Element) {
	data := response.FindElement(".//SubjectConfirmationData")
	data.CreateAttr("xmlns:i", "http://www.w3.org/2001/XMLSchema-instance")
	data.CreateAttr("xmlns:a", "urn:oasis:names:tc:SAML:2.0:assertion")
	data.CreateAttr("i:type", "a:KeyInfoConfirmationDataType")
}

func bigInt(b []byte) *big.Int { return new(big.Int).SetBytes(b) }

// verifyOwn checks an enveloped signature of ours with goxmldsig.
func verifyOwn(t testing.TB, xml []byte, key crypto.PublicKey) {
	t.Helper()
	doc := etree.NewDocument()
	require.NoError(t, doc.ReadFromBytes(xml))
	// goxmldsig asks for a certificate: wrap the key in one.
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	signer, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	der, err := x509.CreateCertificate(rand.Reader, template, template, key, signer)
	require.NoError(t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	ctx := dsig.NewDefaultValidationContext(&dsig.MemoryX509CertificateStore{Roots: []*x509.Certificate{cert}})
	_, err = ctx.Validate(doc.Root())
	require.NoError(t, err)
}

// mustRequest reads the AuthnRequest of a redirect.
func mustRequest(t testing.TB, location string) samltest.Request {
	t.Helper()
	request, err := samltest.ParseRequestURL(location)
	require.NoError(t, err)
	return request
}

func getRequest(target string, headers ...string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, target, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return r
}

func mustKey(t testing.TB, name string) crypto.Signer {
	t.Helper()
	key, err := testKey(name)
	require.NoError(t, err)
	return key
}
