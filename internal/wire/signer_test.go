package wire_test

import (
	"crypto"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml/internal/wire"
	"github.com/logintrust/saml/internal/xmlsec"
)

// key is the same in every process, and quick.
var key = ed25519.NewKeyFromSeed([]byte("a seed of thirty-two octets long"))

var pinned = []crypto.PublicKey{key.Public()}

// A frame is a Response around the inside of an assertion; signatures go where the marks are.
const (
	responseMark  = "<!--response signature-->"
	assertionMark = "<!--assertion signature-->"
	issuer        = `<saml:Issuer>https://idp</saml:Issuer>`
	status        = `<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status>`
	responseStart = `<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" xmlns:xs="http://www.w3.org/2001/XMLSchema" ` +
		`xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" ID="_r" Version="2.0" IssueInstant="2026-03-14T15:09:26Z">` + issuer + responseMark
	assertionStart = `<saml:Assertion ID="_a" Version="2.0" IssueInstant="2026-03-14T15:09:26Z">` + issuer + assertionMark
	end            = `</saml:Assertion></samlp:Response>`
)

func frame(inner string) string { return responseStart + status + assertionStart + inner + end }

// signed signs the elements with these IDs, innermost first; false if the document cannot be read.
func signed(doc string, ids ...string) (string, bool) {
	for _, id := range ids {
		mark := map[string]string{"_r": responseMark, "_a": assertionMark}[id]
		u, err := xmlsec.Parse([]byte(doc), xmlsec.Limits{})
		if err != nil {
			return "", false
		}
		e := u.Root()
		if id == "_a" {
			e = e.Child(wire.AssertionNS, "Assertion")
		}
		if !e.Exists() {
			return "", false
		}
		octets, err := u.Canonicalize(nil, e, xmlsec.C14N{Exclusive: true})
		if err != nil {
			return "", false
		}
		digest := sha256.Sum256(octets)
		// In its canonical form, with the namespace declared where the canonical form of SignedInfo has it.
		info := fmt.Sprintf(`<ds:SignedInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"></ds:CanonicalizationMethod>`+
			`<ds:SignatureMethod Algorithm="http://www.w3.org/2021/04/xmldsig-more#eddsa-ed25519"></ds:SignatureMethod><ds:Reference URI="#%s"><ds:Transforms>`+
			`<ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"></ds:Transform><ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"></ds:Transform></ds:Transforms>`+
			`<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"></ds:DigestMethod><ds:DigestValue>%s</ds:DigestValue></ds:Reference></ds:SignedInfo>`,
			id, base64.StdEncoding.EncodeToString(digest[:]))
		value := base64.StdEncoding.EncodeToString(ed25519.Sign(key, []byte(info)))
		doc = strings.Replace(doc, mark, `<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#">`+info+`<ds:SignatureValue>`+value+`</ds:SignatureValue></ds:Signature>`, 1)
	}
	return doc, true
}

func read(t testing.TB, doc string) (*wire.Response, error) {
	t.Helper()
	u, err := xmlsec.Parse([]byte(doc), xmlsec.Limits{})
	require.NoError(t, err, "%s", doc)
	return wire.ReadResponse(u)
}

// open signs, reads and opens.
func open(t testing.TB, doc string, ids ...string) (*wire.Opened, error) {
	t.Helper()
	doc, ok := signed(doc, ids...)
	require.True(t, ok, "%s", doc)
	r, err := read(t, doc)
	if err != nil {
		require.Nil(t, r)
		return nil, err
	}
	return r.Open(pinned, xmlsec.Policy{}, nil)
}

// decode opens a response with the assertion signed, which must do.
func decode(t testing.TB, inner string) *wire.Assertion {
	t.Helper()
	o, err := open(t, frame(inner), "_a")
	require.NoError(t, err, "%s", inner)
	require.True(t, o.AssertionSigned)
	return o.Assertion
}

// malformed demands that a message is refused for what the schemas say.
func malformed(t testing.TB, err error, doc string) {
	t.Helper()
	var e *wire.Error
	require.ErrorAs(t, err, &e, "%s", doc)
	require.NotEmpty(t, e.Error())
}
