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
