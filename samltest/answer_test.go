package samltest_test

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"math/big"
	"testing"
	"time"

	"github.com/beevik/etree"
	"github.com/logintrust/saml/samltest"
	dsig "github.com/russellhaering/goxmldsig"
	"github.com/russellhaering/goxmldsig/etreeutils"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func request() samltest.Request {
	return samltest.Request{
		ID:         "_request",
		SPEntityID: "https://app.example.com/sso/metadata",
		ACSURL:     "https://app.example.com/sso/acs",
		RelayState: "handle",
	}
}

func TestAnswerVerifies(t *testing.T) {
	t.Parallel()
	idp := samltest.NewIdP(t)
	cases := map[string]func(a *samltest.Answer){
		"assertion signed": func(*samltest.Answer) {},
		"response signed":  func(a *samltest.Answer) { a.Sign = samltest.SignResponse },
		"both signed":      func(a *samltest.Answer) { a.Sign |= samltest.SignResponse },
		"no KeyInfo":       func(a *samltest.Answer) { a.Seal.Certificate = nil },
		"SHA-512":          func(a *samltest.Answer) { a.Seal.Method, a.Seal.Digest = samltest.RSASHA512, samltest.SHA512 },
		"other digest":     func(a *samltest.Answer) { a.Seal.Digest = samltest.SHA384 },
		"default namespaces": func(a *samltest.Answer) {
			a.Style = samltest.Style{}
			a.Seal.Prefix = ""
			a.Sign |= samltest.SignResponse
		},
		"pretty": func(a *samltest.Answer) { a.Style.Pretty, a.Style.Declaration = true, true },
		"prefix list": func(a *samltest.Answer) {
			a.Seal.Prefixes = []string{"xs"}
			a.Assertion().Attributes[0].Values[0].Type = "xs:string"
		},
		"raw value": func(a *samltest.Answer) {
			a.Assertion().Attributes[0].Values = []samltest.Value{
				{Raw: []string{`<saml:NameID xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">x</saml:NameID>`}}, {Nil: true}, {},
			}
		},
	}
	for name, edit := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := idp.Answer(request())
			edit(a)
			for _, el := range signedElements(t, a) {
				verify(t, idp, el)
			}
		})
	}
}

// signedElements are the elements of the message, as read back from its octets, that should carry a signature.
func signedElements(t *testing.T, a *samltest.Answer) []*etree.Element {
	t.Helper()
	doc := etree.NewDocument()
	require.NoError(t, doc.ReadFromBytes(a.XML()))
	var list []*etree.Element
	if a.Sign&samltest.SignResponse != 0 {
		list = append(list, doc.Root())
	}
	if a.Sign&samltest.SignAssertion != 0 {
		list = append(list, doc.Root().SelectElement("Assertion"))
	}
	return list
}

// verify checks the signature with goxmldsig's own validator.
func verify(t *testing.T, idp *samltest.IdP, el *etree.Element) {
	t.Helper()
	certificate, err := x509.ParseCertificate(idp.Certificate())
	require.NoError(t, err)
	ctx := dsig.NewDefaultValidationContext(&dsig.MemoryX509CertificateStore{Roots: []*x509.Certificate{certificate}})
	surroundings, err := etreeutils.NSBuildParentContext(el)
	require.NoError(t, err)
	apart, err := etreeutils.NSDetatch(surroundings, el)
	require.NoError(t, err)
	signed, err := ctx.Validate(apart)
	require.NoError(t, err)
	assert.Equal(t, el.Tag, signed.Tag)
	assert.Equal(t, "Issuer", signed.ChildElements()[0].Tag)
}

func TestAnswerOmits(t *testing.T) {
	t.Parallel()
	idp := samltest.NewIdP(t)
	a := idp.Answer(request())
	a.Destination, a.InResponseTo, a.Issuer = "", samltest.Blank, nil
	doc := etree.NewDocument()
	require.NoError(t, doc.ReadFromBytes(a.XML()))
	assert.Nil(t, doc.Root().SelectAttr("Destination"))
	assert.NotNil(t, doc.Root().SelectAttr("InResponseTo"))
	assert.Empty(t, doc.Root().SelectAttrValue("InResponseTo", "x"))
	assert.Nil(t, doc.Root().SelectElement("Issuer"))
}

func TestAnswerIsStable(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	idp, err := samltest.New(samltest.Options{Now: func() time.Time { return now }})
	require.NoError(t, err)
	a := idp.Answer(request())
	assert.Equal(t, "2026-01-02T03:04:05.000Z", a.IssueInstant)
	assert.Equal(t, "2026-01-02T03:09:05.000Z", a.Assertion().Conditions.NotOnOrAfter)
	form := a.Form()
	xml, err := base64.StdEncoding.DecodeString(form.Get("SAMLResponse"))
	require.NoError(t, err)
	assert.Equal(t, a.XML(), xml)
	assert.Equal(t, "handle", form.Get("RelayState"))
}

func TestAnswerECDSA(t *testing.T) {
	t.Parallel()
	idp, err := samltest.New(samltest.Options{EntityID: "https://p256.example.com", KeyType: samltest.P256})
	require.NoError(t, err)
	doc := etree.NewDocument()
	require.NoError(t, doc.ReadFromBytes(idp.Answer(request()).XML()))
	value, err := base64.StdEncoding.DecodeString(doc.FindElement("//SignatureValue").Text())
	require.NoError(t, err)
	require.Len(t, value, 64)
	info := doc.FindElement("//SignedInfo")
	surroundings, err := etreeutils.NSBuildParentContext(info)
	require.NoError(t, err)
	apart, err := etreeutils.NSDetatch(surroundings, info)
	require.NoError(t, err)
	octets, err := dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList("").Canonicalize(apart)
	require.NoError(t, err)
	certificate, err := x509.ParseCertificate(idp.Certificate())
	require.NoError(t, err)
	digest := sha256.Sum256(octets)
	r, s := new(big.Int).SetBytes(value[:32]), new(big.Int).SetBytes(value[32:])
	assert.True(t, ecdsa.Verify(certificate.PublicKey.(*ecdsa.PublicKey), digest[:], r, s))
}
