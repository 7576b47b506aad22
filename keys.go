package saml

import (
	"bytes"
	"cmp"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"
)

// A PublicKey is a key of an identity provider, pinned in its login trust. A certificate is only the wrapping of a key:
// its dates, names and signature have no say in a login. The zero PublicKey verifies nothing. It marshals as PEM.
type PublicKey struct {
	key         crypto.PublicKey
	spki        []byte // SubjectPublicKeyInfo, DER
	certificate []byte // DER, nil for a bare key
	notBefore   time.Time
	notAfter    time.Time
}

// NewPublicKey pins a key: *rsa.PublicKey, *ecdsa.PublicKey on P-256, P-384 or P-521, or ed25519.PublicKey.
func NewPublicKey(key crypto.PublicKey) (PublicKey, error) {
	switch k := key.(type) {
	case *rsa.PublicKey:
		// A key that is too short is refused at login, by reason of the trust's options.
		if k == nil || k.N == nil || k.N.Sign() <= 0 || k.N.Bit(0) == 0 || k.N.BitLen() < 1024 || k.N.BitLen() > maxRSABits ||
			k.E < 3 || k.E%2 == 0 || k.E > math.MaxInt32 {
			return PublicKey{}, errors.New("saml: an RSA key must have 1024 to 8192 bits, and an odd modulus and exponent")
		}
	case *ecdsa.PublicKey:
		if k == nil || k.Curve != elliptic.P256() && k.Curve != elliptic.P384() && k.Curve != elliptic.P521() {
			return PublicKey{}, errors.New("saml: an EC key must be on P-256, P-384 or P-521")
		}
	case ed25519.PublicKey:
		if len(k) != ed25519.PublicKeySize || isSmallOrder(k) {
			return PublicKey{}, errors.New("saml: not a proper Ed25519 key")
		}
	default:
		return PublicKey{}, unsupportedKey(key)
	}
	spki, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return PublicKey{}, fmt.Errorf("saml: %w", err)
	}
	return PublicKey{key: key, spki: spki}, nil
}

func unsupportedKey(key crypto.PublicKey) error {
	// The type has no other name here: crypto/dsa is deprecated.
	if fmt.Sprintf("%T", key) == "*dsa.PublicKey" {
		return errDSA
	}
	return errors.New("saml: a key of a kind that is not supported; RSA, ECDSA and Ed25519 are")
}

// isSmallOrder reports whether an Ed25519 key is one of the points for which anybody can make signatures: those whose
// order divides eight, in every encoding (RFC 8032, 5.1.3 and 8.9).
func isSmallOrder(key ed25519.PublicKey) bool {
	y := slices.Clone(key)
	y[31] &= 0x7f // the sign of x
	for _, bad := range []string{
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0100000000000000000000000000000000000000000000000000000000000000",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	} {
		if hex.EncodeToString(y) == bad {
			return true
		}
	}
	return false
}

// SHA256 is the hex SHA-256 of the key's SubjectPublicKeyInfo: what an administrator compares.
func (k PublicKey) SHA256() string {
	if k.key == nil {
		return ""
	}
	return hexSum(k.spki)
}

// SPKI is the key's SubjectPublicKeyInfo, DER, without its certificate.
func (k PublicKey) SPKI() []byte { return slices.Clone(k.spki) }

// CertificateSHA256 is the hex SHA-256 of the certificate that the key came in, "" for a bare key.
func (k PublicKey) CertificateSHA256() string {
	if k.certificate == nil {
		return ""
	}
	return hexSum(k.certificate)
}

func hexSum(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// CertificateSubject is the name in the certificate that the key came in, as RFC 4514 writes it; "" for a bare key and for
// a certificate that cannot be read beyond its key. It is foreign text, for an administrator's page.
func (k PublicKey) CertificateSubject() string {
	cert, err := x509.ParseCertificate(k.certificate)
	if err != nil {
		return ""
	}
	return shortened(printable(cert.Subject.String()))
}

// CertificateSerial is the serial number of the certificate that the key came in, in hexadecimal; "" where
// CertificateSubject is.
func (k PublicKey) CertificateSerial() string {
	cert, err := x509.ParseCertificate(k.certificate)
	if err != nil {
		return ""
	}
	return cert.SerialNumber.Text(16)
}

// CertificateDates are those of the certificate that the key came in, zero for a bare key. They are for an
// administrator's page: an expired certificate does not refuse a login (SAML V2.0 Metadata Interoperability Profile 2.6.1).
func (k PublicKey) CertificateDates() (notBefore, notAfter time.Time) { return k.notBefore, k.notAfter }

// String says which key it is, as an administrator compares it: by its fingerprint, and by the fingerprint and the dates of the
// certificate that it came in.
func (k PublicKey) String() string {
	words := "key with SHA-256 " + cmp.Or(k.SHA256(), "none")
	if k.certificate == nil {
		return words
	}
	words += ", certificate with SHA-256 " + k.CertificateSHA256()
	if from, to := k.CertificateDates(); !to.IsZero() {
		words += ", valid from " + from.UTC().Format(time.DateOnly) + " to " + to.UTC().Format(time.DateOnly)
	}
	return words
}

// Equal reports whether both are the same key, whatever they are wrapped in.
func (k PublicKey) Equal(other PublicKey) bool { return bytes.Equal(k.spki, other.spki) }

// MarshalText gives PEM: the certificate if the key came in one, or else the SubjectPublicKeyInfo.
func (k PublicKey) MarshalText() ([]byte, error) {
	if k.key == nil {
		return nil, errors.New("saml: an empty PublicKey")
	}
	block := &pem.Block{Type: "PUBLIC KEY", Bytes: k.spki}
	if k.certificate != nil {
		block = &pem.Block{Type: "CERTIFICATE", Bytes: k.certificate}
	}
	return pem.EncodeToMemory(block), nil
}

// UnmarshalText reads what ParsePublicKey reads.
func (k *PublicKey) UnmarshalText(text []byte) error {
	key, err := ParsePublicKey(string(text))
	if err != nil {
		return err
	}
	*k = key
	return nil
}

// appendPinned appends the bare keys of a trust.
func appendPinned(list []crypto.PublicKey, keys []PublicKey) []crypto.PublicKey {
	for _, k := range keys {
		if k.key != nil {
			list = append(list, k.key)
		}
	}
	return list
}
