package wire_test

import (
	"crypto"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml/internal/wire"
	"github.com/logintrust/saml/internal/xmlsec"
)

const good = `<saml:Subject><saml:NameID>alice</saml:NameID></saml:Subject>`

// req: CORE-5.3 PROF-4.1.4.3-sig
func TestOpen(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		ids                 []string
		response, assertion bool
	}{{[]string{"_a"}, false, true}, {[]string{"_r"}, true, false}, {[]string{"_a", "_r"}, true, true}} {
		o, err := open(t, frame(good), c.ids...)
		require.NoError(t, err)
		assert.Equal(t, c.response, o.ResponseSigned)
		assert.Equal(t, c.assertion, o.AssertionSigned)
		assert.Equal(t, "alice", o.Assertion.NameID.Value)
		assert.Equal(t, "https://idp", o.Assertion.Issuer.Value)
		assert.Equal(t, wire.StatusSuccess, o.Claims.StatusCode)
		assert.Equal(t, 1, o.Claims.Assertions)
	}
	_, err := open(t, frame(good))
	fault, ok := errors.AsType[*xmlsec.Error](err)
	require.True(t, ok)
	assert.Equal(t, xmlsec.Unsigned, fault.Kind)

	// One that fails fails the message, whatever the other.
	doc, _ := signed(frame(good), "_a", "_r")
	first, last := strings.Index(doc, "SignatureValue>")+15, strings.LastIndex(doc, "<ds:SignatureValue>")+19
	for _, at := range []int{first, last} {
		other := "A"
		if doc[at] == 'A' {
			other = "B"
		}
		r, err := read(t, doc[:at]+other+doc[at+1:])
		require.NoError(t, err)
		_, err = r.Open(pinned, xmlsec.Policy{}, nil)
		assert.Error(t, err)
	}
	r, err := read(t, doc)
	require.NoError(t, err)
	_, other, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	_, err = r.Open([]crypto.PublicKey{other.Public()}, xmlsec.Policy{}, nil)
	assert.Error(t, err)
	_, err = r.Open(nil, xmlsec.Policy{}, nil)
	assert.Error(t, err)
}

// A Response without an assertion that could count has nothing to hand out.
func TestOpenWithoutAssertion(t *testing.T) {
	t.Parallel()
	none := responseStart + status + `</samlp:Response>`
	two := strings.Replace(frame(good), "</samlp:Response>", strings.Replace(assertionStart, `ID="_a"`, `ID="_b"`, 1)+end, 1)
	encrypted := responseStart + status + `<saml:EncryptedAssertion/></samlp:Response>`
	for doc, count := range map[string]int{none: 0, two: 2, encrypted: 1} {
		for _, ids := range [][]string{nil, {"_r"}} {
			o, err := open(t, doc, ids...)
			require.NoError(t, err)
			assert.Nil(t, o.Assertion)
			assert.Equal(t, count, o.Claims.Assertions)
			assert.Equal(t, len(ids) > 0, o.ResponseSigned)
		}
	}
	o, err := open(t, two, "_a")
	require.NoError(t, err)
	assert.Nil(t, o.Assertion, "of several none counts")
	assert.False(t, o.AssertionSigned)
}

// Where the schema has the parts of a Response, and nothing anywhere else.
//
// req: SG-POS
func TestReadResponse(t *testing.T) {
	t.Parallel()
	const extensions, encrypted, signature = `<samlp:Extensions><x/></samlp:Extensions>`, `<saml:EncryptedAssertion/>`, `<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"/>`
	a := assertionStart + `</saml:Assertion>`
	response := func(inner string) string {
		return strings.Replace(responseStart, issuer+responseMark, "", 1) + inner + `</samlp:Response>`
	}
	for _, inner := range []string{
		"", issuer, issuer + status, issuer + extensions + status, issuer + signature + extensions + status + a, status + a, a, issuer + status + a + encrypted + strings.Replace(a, "_a", "_b", 1),
		signature + status, "<!-- c -->" + issuer + "text" + status, issuer + `<samlp:Status><samlp:StatusCode/><samlp:StatusMessage/><samlp:StatusDetail><x/></samlp:StatusDetail></samlp:Status>`,
	} {
		_, err := read(t, response(inner))
		assert.NoError(t, err, "%s", inner)
	}
	for _, inner := range []string{
		status + issuer, issuer + issuer, extensions + issuer, status + signature, issuer + status + signature, issuer + signature + signature, issuer + status + status, a + status, a + issuer, "<x/>", issuer + "<x/>", status + "<samlp:Assertion/>",
		issuer + "<samlp:Issuer/>", issuer + status + extensions, "<samlp:Status/>", "<samlp:Status><samlp:StatusMessage/></samlp:Status>", `<samlp:Status><samlp:StatusCode/><x/></samlp:Status>`,
		`<samlp:Status><samlp:StatusCode/><samlp:StatusDetail/><samlp:StatusMessage/></samlp:Status>`, `<samlp:Status><samlp:StatusCode/><samlp:StatusCode/></samlp:Status>`, status + a + "<saml:Advice/>",
	} {
		_, err := read(t, response(inner))
		malformed(t, err, inner)
	}
	for _, doc := range []string{
		"<Response/>", "<Response xmlns='urn:oasis:names:tc:SAML:2.0:assertion' ID='a' IssueInstant='2026-03-14T12:00:00Z'/>", "<samlp:LogoutResponse xmlns:samlp='urn:oasis:names:tc:SAML:2.0:protocol'/>",
		strings.Replace(response(""), `ID="_r"`, "", 1), strings.Replace(response(""), `ID="_r"`, `ID=""`, 1), strings.Replace(response(""), `ID="_r"`, `Id="_r"`, 1), strings.Replace(response(""), `IssueInstant="2026-03-14T15:09:26Z"`, "", 1),
		strings.Replace(response(""), "T15:09:26Z", "", 1), strings.Replace(response(""), "T15:09:26Z", "T1:09:26Z", 1), strings.Replace(response(""), `IssueInstant="2026-03-14T15:09:26Z"`, `IssueInstant=""`, 1),
	} {
		_, err := read(t, doc)
		malformed(t, err, doc)
	}
}

func TestReadResponseClaims(t *testing.T) {
	t.Parallel()
	r, err := read(t, `<Response xmlns="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:a="urn:oasis:names:tc:SAML:2.0:assertion" ID="_r" Version="2.0" IssueInstant="2026-03-14T12:00:00Z" Destination="" InResponseTo=" _q">`+
		`<a:Issuer Format="f">id<!-- -->p</a:Issuer><Status><StatusCode Value="top"><StatusCode Value="second"><StatusCode Value="third"/></StatusCode></StatusCode><StatusMessage> m </StatusMessage></Status>`+
		`<a:Assertion ID="_a"><a:Issuer>other</a:Issuer></a:Assertion></Response>`)
	require.NoError(t, err)
	c := r.Claims
	assert.Equal(t, "_r", c.ID)
	assert.Equal(t, "2.0", c.Version)
	assert.Equal(t, wire.Text{Present: true}, c.Destination, "absent is not empty")
	assert.Equal(t, wire.Text{Value: " _q", Present: true}, c.InResponseTo)
	assert.Equal(t, wire.Text{Value: "idp", Present: true}, c.Issuer)
	assert.Equal(t, wire.Text{Value: "f", Present: true}, c.IssuerFormat)
	assert.Equal(t, "top", c.StatusCode)
	assert.Equal(t, []string{"second", "third"}, c.StatusSub)
	assert.Equal(t, " m ", c.StatusMessage)
	assert.Equal(t, wire.Text{Value: "other", Present: true}, c.AssertionIssuer)

	r, err = read(t, strings.Replace(frame(""), issuer, "", 1))
	require.NoError(t, err)
	assert.Equal(t, wire.Text{}, r.Claims.Issuer)
	assert.Equal(t, wire.Text{}, r.Claims.Destination)

	deep := strings.Repeat("<samlp:StatusCode Value='x'>", 100) + strings.Repeat("</samlp:StatusCode>", 100)
	r, err = read(t, responseStart+"<samlp:Status>"+deep+"</samlp:Status></samlp:Response>")
	require.NoError(t, err)
	assert.Len(t, r.Claims.StatusSub, 8, "those that are read are bounded")
}

// A signature elsewhere than behind Issuer is no signature, and one that is of no use is not passed over.
//
// req: SG-POS CORE-5-env
func TestOpenSignaturePlace(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, old, with string }{
		{"assertion's, last", assertionMark + good, good + assertionMark},
		{"assertion's, first", issuer + assertionMark, assertionMark + issuer},
		{"assertion's, behind a comment and Subject", issuer + assertionMark + good, issuer + good + "<!-- -->" + assertionMark},
		{"assertion's, in Advice", assertionMark + good, good + "<saml:Advice>" + assertionMark + "</saml:Advice>"},
		{"assertion's, in Subject", assertionMark, "<saml:Subject>" + assertionMark + "</saml:Subject>"},
		{"assertion's, around", assertionStart, assertionMark + strings.Replace(assertionStart, assertionMark, "", 1)},
	} {
		doc, ok := signed(strings.Replace(frame(good), c.old, c.with, 1), "_a")
		require.True(t, ok)
		r, err := read(t, doc)
		if err == nil {
			_, err = r.Open(pinned, xmlsec.Policy{}, nil)
		}
		assert.Error(t, err, c.name)
	}
	for _, c := range []struct{ name, old, with string }{
		{"response's, behind Status", responseMark + status, status + responseMark},
		{"response's, last", "</samlp:Response>", responseMark + "</samlp:Response>"},
		{"response's, in Extensions", responseMark, "<samlp:Extensions>" + responseMark + "</samlp:Extensions>"},
	} {
		frame := strings.Replace(frame(good), responseMark, "", 1)
		if strings.Contains(c.old, responseMark) {
			frame = strings.Replace(responseStart+status+assertionStart+good+end, c.old, c.with, 1)
		} else {
			frame = strings.Replace(frame, c.old, c.with, 1)
		}
		doc, ok := signed(frame, "_r")
		require.True(t, ok)
		r, err := read(t, doc)
		if err == nil {
			_, err = r.Open(pinned, xmlsec.Policy{}, nil)
		}
		assert.Error(t, err, c.name)
	}
}

// FuzzResponse: nothing that arrives makes the reader panic, nothing that nobody signed is handed out, and what is
// signed is read alike whether the assertion is signed or the response around it.
//
// req: SG-SWS CORE-5.3
func FuzzResponse(f *testing.F) {
	for _, inner := range append(assertionsGood, assertionsBad...) {
		f.Add(frame(inner), inner)
	}
	both, _ := signed(frame(good), "_a", "_r")
	f.Add(both, "")
	f.Fuzz(func(t *testing.T, message, inner string) {
		if u, err := xmlsec.Parse([]byte(message), xmlsec.Limits{}); err == nil {
			if r, err := wire.ReadResponse(u); err == nil {
				o, err := r.Open(pinned, xmlsec.Policy{AllowSHA1: true, AllowInclusiveReference: true}, nil)
				if err == nil && o.Assertion != nil && message != both {
					require.Contains(t, message, "Signature", "an assertion that nobody signed")
				}
			}
		}
		var results []string
		for _, id := range []string{"_a", "_r"} {
			doc, ok := signed(frame(inner), id)
			if !ok {
				return
			}
			u, err := xmlsec.Parse([]byte(doc), xmlsec.Limits{})
			if err != nil {
				return // an ID of the assertion's own once more
			}
			r, err := wire.ReadResponse(u)
			if err != nil {
				return
			}
			o, err := r.Open(pinned, xmlsec.Policy{}, nil)
			switch {
			case err != nil:
				require.Nil(t, o, "a value beside an error")
				results = append(results, "refused: "+err.Error())
			case o.Assertion == nil:
				results = append(results, "none")
			default:
				all, err := json.Marshal(o.Assertion)
				require.NoError(t, err)
				results = append(results, string(all))
			}
		}
		if !strings.Contains(inner, "Signature") { // a second one counts against the assertion only
			require.Equal(t, results[0], results[1])
		}
	})
}
