package samltest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/fips140"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"io"
	"math/big"
	"sync"
	"time"
)

// KeyType says what kind of key an IdP makes for itself.
type KeyType int

// The kinds of key.
const (
	RSA2048 KeyType = iota
	P256
	rsa1024 // an attacker's
)

// keys holds the keys of this process by label, so that a test binary makes each but once: an RSA key costs a tenth of a
// second. It is a cache of constants of the process; nothing reads it but keyFor.
var keys sync.Map // label → func() (crypto.Signer, error)

// keyFor is the key of this process for that label: the same label, the same key.
func keyFor(label string, kind KeyType) (crypto.Signer, error) {
	once := sync.OnceValues(func() (crypto.Signer, error) { return generateKey(kind) })
	stored, _ := keys.LoadOrStore(fmt.Sprintf("%d %s", kind, label), once)
	return stored.(func() (crypto.Signer, error))()
}

func generateKey(kind KeyType) (crypto.Signer, error) {
	switch kind {
	case RSA2048:
		return rsa.GenerateKey(rand.Reader, 2048)
	case rsa1024:
		if fips140.Enforced() { // which makes none so short; it is a key of an attacker all the same
			return rsa.GenerateKey(rand.Reader, 2048)
		}
		return rsa.GenerateKey(rand.Reader, 1024)
	case P256:
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	}
	return nil, fmt.Errorf("samltest: no such KeyType: %d", kind)
}

// selfSigned wraps the key in a certificate. Its dates are fixed and wide: they mean nothing to a pinned key.
func selfSigned(key crypto.Signer, commonName string) ([]byte, error) {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: truncate(commonName, 64)},
		NotBefore:    time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC),
		NotAfter:     time.Date(2049, 1, 1, 0, 0, 0, 0, time.UTC),
		KeyUsage:     x509.KeyUsageDigitalSignature,
	}
	return x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
}

// truncate keeps a common name within the 64 characters that X.520 gives it.
func truncate(s string, limit int) string {
	if len(s) > limit {
		return s[:limit]
	}
	return s
}

// rawECDSA is an ECDSA signer that emits r‖s, each as long as the curve's order, as XML Signature 6.4.3 (RFC 4050, RFC
// 6931) wants it. crypto.Signer gives DER, and goxmldsig passes that on.
type rawECDSA struct{ crypto.Signer }

func (s rawECDSA) Sign(random io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	der, err := s.Signer.Sign(random, digest, opts)
	if err != nil {
		return nil, err
	}
	var pair struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(der, &pair); err != nil {
		return nil, fmt.Errorf("samltest: read ECDSA signature: %w", err)
	}
	size := (s.Public().(*ecdsa.PublicKey).Curve.Params().BitSize + 7) / 8
	raw := make([]byte, 2*size)
	pair.R.FillBytes(raw[:size])
	pair.S.FillBytes(raw[size:])
	return raw, nil
}
