package xmlsec_test

import (
	"crypto"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml/internal/compose"
	"github.com/logintrust/saml/internal/xmlsec"
)

// What is encrypted, and what stands around it, costs what its length says, whether it opens or not.
//
// req: EN-NEST SE-LIMITS
func TestDecryptCostIsLinear(t *testing.T) {
	key := newKeyring().ec["P-256"]
	edited := func(edit func(e *etree.Element, n int)) func(int) []byte {
		return func(n int) []byte {
			e := sealed(t, plainText, compose.Encryption{Key: key.Public()})
			e.CreateAttr("xmlns:xenc", encNS)
			edit(e, n)
			return octetsOf(t, e)
		}
	}
	content := func(piece string) func(int) []byte {
		return func(n int) []byte {
			doc := edited(func(e *etree.Element, _ int) { e.FindElement(contentPath).SetText("HERE") })(n)
			return []byte(strings.Replace(string(doc), "HERE", strings.Repeat(piece, n), 1))
		}
	}
	sealedText := func(piece string) func(int) []byte {
		return func(n int) []byte {
			return octetsOf(t, sealed(t, "<a>"+strings.Repeat(piece, n)+"</a>", compose.Encryption{Key: key.Public()}))
		}
	}
	many := func(path, name string) func(int) []byte {
		return edited(func(e *etree.Element, n int) {
			parent := e.FindElement(path)
			for range n {
				parent.CreateElement(name)
			}
		})
	}
	for name, make := range map[string]func(int) []byte{
		"octets": content("AAAA"), "octets and white space": content("AA\nAA \r"), "references": content("&#65;"), "CDATA": content("<![CDATA[AAAA]]>"),
		"white space": content(" "), "not base64": content("A%"), "plaintext": sealedText("<b c='d'>e</b>"), "plaintext of IDs": sealedText("<b ID='x'/>"),
		"plaintext of ends": sealedText("</a>"), "plaintext of open elements": sealedText("<a>"),
		"KeyInfo": many("./EncryptedData/KeyInfo", "ds:RetrievalMethod"), "methods": many("./EncryptedData", "xenc:EncryptionMethod"),
		"properties":  many("./EncryptedData", "xenc:EncryptionProperties"),
		"agreements":  many(".//EncryptedKey/KeyInfo", "xenc:AgreementMethod"),
		"keys":        many(".", "xenc:EncryptedKey"),
		"cipher data": many(".//EncryptedKey", "xenc:CipherData"),
		"declarations around": func(n int) []byte {
			var b strings.Builder
			for range n / 64 {
				b.WriteString("<f" + numbered(64, " xmlns:p%d='urn:x'") + "/>")
			}
			return []byte("<e" + numbered(60, " xmlns:p%d='urn:y'") + ">" + string(octetsOf(t, sealed(t, plainText, compose.Encryption{Key: key.Public()}))) + b.String() + "</e>")
		},
	} {
		const n = 4000
		small, large := make(n), make(8*n)
		for run := 1; ; run++ {
			quick, long := fastest(t, key, small), fastest(t, key, large)
			growth := float64(len(large)) / float64(len(small))
			if raceDetector || float64(long) <= 3*growth*float64(max(quick, 200*time.Microsecond)) {
				break
			}
			require.Less(t, run, 40, "%s: %v for %d octets, %v for %d", name, quick, len(small), long, len(large))
		}
	}
}

func fastest(t *testing.T, key crypto.PrivateKey, doc []byte) (best time.Duration) {
	t.Helper()
	u, err := xmlsec.Parse(doc, xmlsec.Limits{})
	require.NoError(t, err)
	e := u.Root()
	if !e.Is(samlNS, "EncryptedAssertion") {
		e = e.First()
	}
	for run := range 3 {
		o := &xmlsec.Opener{Keys: []crypto.PrivateKey{key}, Recipient: ourselves}
		began := time.Now()
		_, _ = u.Decrypt(e, o, xmlsec.Policy{})
		if took := time.Since(began); run == 0 || took < best {
			best = took
		}
	}
	return best
}
