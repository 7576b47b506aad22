package saml

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/logintrust/saml/internal/wire"
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

const (
	maxKeyText = 64 << 10 // octets of a pasted key
	maxKeyDER  = 32 << 10 // octets of what is in it, which as PEM stay below maxKeyText
)

// NewPublicKey pins a key: *rsa.PublicKey, *ecdsa.PublicKey on P-256, P-384 or P-521, or ed25519.PublicKey.
func NewPublicKey(key crypto.PublicKey) (PublicKey, error) {
	switch k := key.(type) {
	case *rsa.PublicKey:
		// A key that is too short is refused at login, by reason of the trust's options.
		if k == nil || k.N == nil || k.N.Sign() <= 0 || k.N.Bit(0) == 0 || k.N.BitLen() < 1024 || k.N.BitLen() > 8192 ||
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
		return PublicKey{}, fmt.Errorf("saml: a key of type %T cannot verify signatures", key)
	}
	spki, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return PublicKey{}, fmt.Errorf("saml: %w", err)
	}
	return PublicKey{key: key, spki: spki}, nil
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

// ParsePublicKey reads one key: PEM of a certificate, of a SubjectPublicKeyInfo or of a PKCS#1 public key, or the base64
// of one of these without markers, as metadata has it. A private key is refused and not repeated in the error.
func ParsePublicKey(text string) (PublicKey, error) {
	if len(text) > maxKeyText {
		return PublicKey{}, fmt.Errorf("saml: a key of more than %d octets", maxKeyText)
	}
	if strings.Contains(text, "PRIVATE KEY") {
		return PublicKey{}, errors.New("saml: this is a private key; it must stay with its owner, who should now replace it")
	}
	if block, rest := pem.Decode([]byte(text)); block != nil {
		if len(bytes.TrimSpace(rest)) > 0 {
			return PublicKey{}, errors.New("saml: more than one key")
		}
		return parseKeyDER(block.Bytes)
	}
	der, err := base64.StdEncoding.Strict().DecodeString(strings.Join(strings.Fields(text), ""))
	if err != nil || len(der) == 0 {
		return PublicKey{}, errors.New("saml: neither PEM nor base64")
	}
	if block, _ := pem.Decode(der); block != nil && !strings.Contains(block.Type, "PRIVATE") {
		der = block.Bytes // the base64 of PEM, as some products write it in metadata
	}
	return parseKeyDER(der)
}

// parseKeyDER tells by its content what der is.
func parseKeyDER(der []byte) (PublicKey, error) {
	if len(der) > maxKeyDER {
		return PublicKey{}, fmt.Errorf("saml: a key of more than %d octets", maxKeyDER)
	}
	if cert, err := x509.ParseCertificate(der); err == nil {
		k, err := NewPublicKey(cert.PublicKey)
		if err != nil {
			return PublicKey{}, err
		}
		k.certificate, k.notBefore, k.notAfter = cert.Raw, cert.NotBefore, cert.NotAfter
		return k, nil
	}
	if key, err := x509.ParsePKIXPublicKey(der); err == nil {
		return NewPublicKey(key)
	}
	if key, err := x509.ParsePKCS1PublicKey(der); err == nil {
		return NewPublicKey(key)
	}
	if spki, ok := keyOfCertificate(der); ok {
		if key, err := x509.ParsePKIXPublicKey(spki); err == nil {
			k, err := NewPublicKey(key)
			if err != nil {
				return PublicKey{}, err
			}
			k.certificate = der
			return k, nil
		}
	}
	return PublicKey{}, errors.New("saml: neither a certificate nor a public key that can be read")
}

// keyOfCertificate finds the SubjectPublicKeyInfo of a certificate that crypto/x509 refuses, for a negative serial number
// or an odd extension: only the key counts.
func keyOfCertificate(der []byte) (spki []byte, ok bool) {
	var certificate struct {
		TBS       asn1.RawValue
		Algorithm asn1.RawValue
		Signature asn1.RawValue
	}
	if _, err := asn1.Unmarshal(der, &certificate); err != nil {
		return nil, false
	}
	var tbs struct {
		Version   asn1.RawValue `asn1:"optional,tag:0"`
		Serial    asn1.RawValue
		Algorithm asn1.RawValue
		Issuer    asn1.RawValue
		Validity  asn1.RawValue
		Subject   asn1.RawValue
		Key       asn1.RawValue
	}
	if _, err := asn1.Unmarshal(certificate.TBS.FullBytes, &tbs); err != nil {
		return nil, false
	}
	return tbs.Key.FullBytes, true
}

// keysFromMetadata reads the content of a KeyDescriptor. What cannot be read is left out; err then says why.
func keysFromMetadata(k wire.Key) (keys []PublicKey, err error) {
	if len(k.Certificates) == 0 {
		key, err := bareKey(k)
		if err != nil {
			return nil, err
		}
		return []PublicKey{key}, nil
	}
	for _, text := range k.Certificates {
		key, unread := ParsePublicKey(text)
		if unread != nil {
			err = unread
			continue
		}
		keys = append(keys, key)
	}
	return slices.DeleteFunc(keys, func(key PublicKey) bool { return issuesOneOf(key, keys) }), err
}

// issuesOneOf reports whether a certificate is there to vouch for another one of its X509Data, as a chain has it. Its key
// is the authority's, not the identity provider's, and is not pinned.
func issuesOneOf(ca PublicKey, keys []PublicKey) bool {
	authority, err := x509.ParseCertificate(ca.certificate)
	if err != nil {
		return false
	}
	for _, k := range keys {
		cert, err := x509.ParseCertificate(k.certificate)
		if err == nil && bytes.Equal(cert.RawIssuer, authority.RawSubject) && !bytes.Equal(cert.RawIssuer, cert.RawSubject) {
			return true
		}
	}
	return false
}

func bareKey(k wire.Key) (PublicKey, error) {
	switch {
	case k.DER != "":
		return ParsePublicKey(k.DER)
	case k.Modulus != "":
		n, err1 := base64Bytes(k.Modulus)
		e, err2 := base64Bytes(k.Exponent)
		if err1 != nil || err2 != nil || len(e) == 0 || len(e) > 4 {
			return PublicKey{}, errors.New("saml: an RSAKeyValue that cannot be read")
		}
		return NewPublicKey(&rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(new(big.Int).SetBytes(e).Int64())})
	case k.Point != "":
		curves := map[string]elliptic.Curve{"urn:oid:1.2.840.10045.3.1.7": elliptic.P256(),
			"urn:oid:1.3.132.0.34": elliptic.P384(), "urn:oid:1.3.132.0.35": elliptic.P521()}
		point, err := base64Bytes(k.Point)
		curve := curves[k.Curve]
		if err != nil || curve == nil {
			return PublicKey{}, errors.New("saml: an ECKeyValue that cannot be read")
		}
		key, err := ecdsa.ParseUncompressedPublicKey(curve, point)
		if err != nil {
			return PublicKey{}, fmt.Errorf("saml: %w", err)
		}
		return NewPublicKey(key)
	}
	return PublicKey{}, errors.New("saml: a KeyDescriptor without key")
}

func base64Bytes(s string) ([]byte, error) {
	return base64.StdEncoding.DecodeString(strings.Join(strings.Fields(s), ""))
}

// SHA256 is the hex SHA-256 of the key's SubjectPublicKeyInfo: what an administrator compares.
func (k PublicKey) SHA256() string {
	if k.key == nil {
		return ""
	}
	return hexSum(k.spki)
}

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

// CertificateDates are those of the certificate that the key came in, zero for a bare key. They are for an
// administrator's page: an expired certificate does not refuse a login (SAML V2.0 Metadata Interoperability Profile 2.6.1).
func (k PublicKey) CertificateDates() (notBefore, notAfter time.Time) { return k.notBefore, k.notAfter }

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

// A KeyPair is a key of our own: Signer may live in an HSM or a KMS.
type KeyPair struct {
	// Signer holds the private key: RSA of 2048 bits or more, or ECDSA on P-256, P-384 or P-521.
	Signer crypto.Signer
	// Certificate is the DER of a certificate for it, which SP metadata and signatures show, and which need not
	// be signed by anybody in particular. Nil publishes the bare key, which some products cannot read (SimpleSAMLphp).
	Certificate []byte
}

func (p KeyPair) check() error {
	if p.Signer == nil {
		return errors.New("a KeyPair without Signer")
	}
	key, err := NewPublicKey(p.Signer.Public())
	if err != nil {
		return err
	}
	switch k := key.key.(type) {
	case *rsa.PublicKey:
		if k.N.BitLen() < 2048 {
			return fmt.Errorf("an RSA key of %d bits", k.N.BitLen())
		}
	case ed25519.PublicKey:
		return errors.New("Ed25519 keys cannot sign requests")
	}
	if p.Certificate == nil {
		return nil
	}
	cert, err := parseKeyDER(p.Certificate)
	if err != nil {
		return err
	}
	if !cert.Equal(key) {
		return errors.New("the Certificate is not for the key of the Signer")
	}
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
