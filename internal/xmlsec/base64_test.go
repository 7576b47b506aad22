package xmlsec_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml/internal/xmlsec"
)

// req: BIND-3.5.4-wrap PO-B64
func TestAppendBase64(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"": "", "QQ==": "A", "QUI=": "AB", "QUJD": "ABC", "QUJDRA==": "ABCD",
		" Q\r\nU\tJ D ": "ABC", "Q Q = =\n": "A", "QUJDQUJDQUJD\r\nQUJD": "ABCABCABCABC"} {
		got, ok := xmlsec.AppendBase64([]byte("x"), in)
		require.True(t, ok, "%q", in)
		assert.Equal(t, "x"+want, string(got), "%q", in)
	}
	for _, in := range []string{"Q", "QQ", "QQ=", "QUI", "QQ===", "=", "====", "Q===", "QQ==QQ==", "QR==", "QUJ=", "QUJD=", "Q-_D", "QUJD\x00", "QUJDé", "QU\vJD", "!!!!"} {
		_, ok := xmlsec.AppendBase64(nil, in)
		assert.False(t, ok, "%q", in)
	}
}

// What is too long is told before it is decoded, by what is not white space.
//
// req: SE-LIMITS
func TestBase64TooLong(t *testing.T) {
	t.Parallel()
	for text, more := range map[string]bool{"": false, "AAAA": false, "A A\tA\nA\r": false, strings.Repeat(" ", 100): false, "AAAAAAA": false,
		"AAAAAAAA": true, " AAAA AAA A": true, "!!!!!!!!": true} {
		assert.Equal(t, more, xmlsec.HoldsMore(text, 3), "%q", text)
	}
	// Neither is base64; that is not looked at where it is too long.
	long := func(octets int) string { return strings.Repeat("A", octets/3*4) + "!!!!" }
	_, err := verify(t, sign(func(s *signing) { s.text = func(string) string { return long(xmlsec.MaxSignatureBytes + 6) } }).document(t), xmlsec.Policy{}, rsaKey().Public())
	require.ErrorContains(t, err, "octets of base64")
	_, err = verify(t, sign(func(s *signing) { s.text = func(string) string { return long(30) } }).document(t), xmlsec.Policy{}, rsaKey().Public())
	require.ErrorContains(t, err, "is not base64 of at most")
}

// FuzzBase64 holds our decoder against the standard library's.
func FuzzBase64(f *testing.F) {
	for _, s := range []string{"", "QQ==", "QUJD\r\nQUJD", "QUI= ", "Q=Q=", "QR==", "\x80QQ"} {
		f.Add(s)
	}
	strict := base64.StdEncoding.Strict()
	f.Fuzz(func(t *testing.T, s string) {
		got, ok := xmlsec.AppendBase64(nil, s)
		want, err := strict.DecodeString(strings.NewReplacer(" ", "", "\t", "", "\r", "", "\n", "").Replace(s))
		require.Equal(t, err == nil, ok)
		if ok {
			require.Equal(t, string(want), string(got))
		}
	})
}
