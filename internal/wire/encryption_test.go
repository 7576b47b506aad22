package wire_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml/internal/compose"
	"github.com/logintrust/saml/internal/wire"
	"github.com/logintrust/saml/internal/xmlsec"
)

// sealed is an element of that name with plain in it, encrypted for key.
func sealed(t testing.TB, key crypto.PublicKey, name, plain string) string {
	t.Helper()
	e, err := compose.Encrypted(name, []byte(plain), compose.Encryption{Key: key})
	require.NoError(t, err)
	text, err := etree.NewDocumentWithRoot(e).WriteToString()
	require.NoError(t, err)
	return text
}

// openWith signs the assertion of doc and opens it with key.
func openWith(t testing.TB, key crypto.PrivateKey, doc string) (*wire.Opened, error) {
	t.Helper()
	doc, ok := signed(doc, "_a")
	require.True(t, ok)
	r, err := read(t, doc)
	require.NoError(t, err)
	return r.Open(pinned, xmlsec.Policy{}, &xmlsec.Opener{Keys: []crypto.PrivateKey{key}, Recipient: "https://sp"})
}

// IDs are unique in all that a message holds, opened parts included.
func TestIDsOfOpenedParts(t *testing.T) {
	t.Parallel()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	attribute := func(name, id string) string {
		return sealed(t, key.Public(), "saml:EncryptedAttribute", `<saml:Attribute Name="`+name+`"><saml:AttributeValue><x `+id+`/></saml:AttributeValue></saml:Attribute>`)
	}
	for name, c := range map[string]struct {
		first, second string
		fine          bool
	}{
		"different":        {`ID="b"`, `ID="c"`, true},
		"none":             {``, ``, true},
		"as the assertion": {`ID="_a"`, ``, false},
		"as the response":  {``, `Id="_r"`, false},
		"both the same":    {`ID="b"`, `xml:id="b"`, false},
	} {
		o, err := openWith(t, key, frame(good+"<saml:AttributeStatement>"+attribute("one", c.first)+attribute("two", c.second)+"</saml:AttributeStatement>"))
		if c.fine {
			require.NoError(t, err, name)
			require.Len(t, o.Assertion.Attributes, 2)
			continue
		}
		var fault *xmlsec.Error
		require.ErrorAs(t, err, &fault, name)
		require.Equal(t, xmlsec.DuplicateID, fault.Kind)
	}
}

// What a login is made of stays what it was when the memory that it was opened in serves another.
func TestOpenedStringsAreCopies(t *testing.T) {
	t.Parallel()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	var r wire.Response
	opener, reader := new(xmlsec.Opener), xmlsec.NewReader()
	var kept []*wire.Assertion
	for _, name := range []string{"alice", "bobby"} {
		value := strings.Repeat(name, 20)
		doc, ok := signed(frame(`<saml:Subject>`+sealed(t, key.Public(), "saml:EncryptedID", "<saml:NameID>"+name+"</saml:NameID>")+`</saml:Subject><saml:AttributeStatement>`+
			sealed(t, key.Public(), "saml:EncryptedAttribute", `<saml:Attribute Name="n-`+name+`"><saml:AttributeValue>`+value+`</saml:AttributeValue></saml:Attribute>`)+
			`</saml:AttributeStatement>`), "_a")
		require.True(t, ok)
		u, err := reader.Parse([]byte(doc), xmlsec.Limits{})
		require.NoError(t, err)
		require.NoError(t, r.Read(u))
		opener.Reset([]crypto.PrivateKey{key}, "https://sp", xmlsec.Limits{})
		o, err := r.Open(pinned, xmlsec.Policy{}, opener)
		require.NoError(t, err)
		kept = append(kept, o.Assertion)
	}
	for i, name := range []string{"alice", "bobby"} {
		require.Equal(t, name, kept[i].NameID.Value)
		require.Equal(t, "n-"+name, kept[i].Attributes[0].Name)
		require.Equal(t, []string{strings.Repeat(name, 20)}, kept[i].Attributes[0].Values)
	}
}

// A CBC ciphertext that opens to something with a bad signature must not take one verification longer than one that does
// not open. A key that is slow enough makes that visible.
//
// req: EN-ORACLE
func TestUnsignedCBCTakesItsTime(t *testing.T) {
	t.Parallel()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	slow := make([]crypto.PublicKey, 8)
	for i := range slow {
		k, err := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
		require.NoError(t, err)
		slow[i] = k.Public()
	}
	inner := `<saml:Assertion xmlns:saml="` + wire.AssertionNS + `" ID="_a">` + issuer + `<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:SignedInfo>` +
		`<ds:CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/><ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"/>` +
		`<ds:Reference URI="#_a"><ds:Transforms><ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"/><ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/></ds:Transforms>` +
		`<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/><ds:DigestValue>AAAA</ds:DigestValue></ds:Reference></ds:SignedInfo>` +
		`<ds:SignatureValue>` + strings.Repeat("AQEB", 44) + `</ds:SignatureValue></ds:Signature></saml:Assertion>`
	took := func(plain string) time.Duration {
		e, err := compose.Encrypted("saml:EncryptedAssertion", []byte(plain), compose.Encryption{Key: key.Public(), Block: compose.AES128CBC})
		require.NoError(t, err)
		text, err := etree.NewDocumentWithRoot(e).WriteToString()
		require.NoError(t, err)
		best := time.Hour
		for range 3 {
			r, err := read(t, responseStart+status+text+"</samlp:Response>")
			require.NoError(t, err)
			began := time.Now()
			_, err = r.Open(slow, xmlsec.Policy{AllowUnsignedCBC: true}, &xmlsec.Opener{Keys: []crypto.PrivateKey{key}, Recipient: "https://sp"})
			best = min(best, time.Since(began))
			require.Equal(t, xmlsec.Closed(), err)
		}
		return best
	}
	// Other programs take the processor away at any time, so the shortest of many runs counts.
	best := [3]time.Duration{time.Hour, time.Hour, time.Hour}
	for run := 1; ; run++ {
		for i, plain := range []string{inner, "<broken", `<saml:Assertion ID="_a"/>`} {
			best[i] = min(best[i], took(plain))
		}
		if slices.Max(best[:])*10 < slices.Min(best[:])*16 {
			return
		}
		require.Less(t, run, 40, "%v", best)
	}
}
