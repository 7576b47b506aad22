package compose_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml/internal/compose"
)

// Keys for signing and for encryption stand in KeyDescriptors of their own, in their order.
//
// req: MP-KEYS SG-ROLL EN-SEPKEY
func TestKeyDescriptors(t *testing.T) {
	t.Parallel()
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	ecKey, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	require.NoError(t, err)
	m := compose.SPMetadata{EntityID: "https://sp", ACSURL: "https://sp/acs", SigningKeys: []compose.MetadataKey{{Certificate: []byte("one")}, {Key: ecKey.Public()}},
		EncryptionKeys: []compose.MetadataKey{{Certificate: []byte("two")}, {Key: rsaKey.Public()}}}
	b, err := m.Document(nil)
	require.NoError(t, err)
	var uses []string
	for part := range strings.SplitSeq(string(b), "<md:KeyDescriptor use=") {
		use, _, _ := strings.Cut(part, ">")
		uses = append(uses, use)
	}
	assert.Equal(t, []string{`"signing"`, `"signing"`, `"encryption"`, `"encryption"`}, uses[1:])
	assert.Equal(t, 4, strings.Count(string(b), "<ds:KeyInfo "))
	m.EncryptionKeys = []compose.MetadataKey{{Key: []byte{}}}
	_, err = m.Document(nil)
	require.ErrorContains(t, err, "cannot publish")
}
