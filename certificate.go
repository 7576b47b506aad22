package saml

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"
	"unicode/utf8"
)

// CertificateOptions say what stands in a certificate for a key of ours.
type CertificateOptions struct {
	// Subject is its common name, at most 64 characters, such as the name of the application. Required.
	Subject string
	// NotBefore is when it begins to be valid, the time of its making. Required.
	NotBefore time.Time
	// Days is how long it is valid: ten years if 0. A certificate is only the wrapping of a key: short dates do not make the
	// key safer, and some identity providers refuse what has expired.
	Days int
}

const (
	defaultCertificateDays = 3650
	maxCertificateDays     = 36500
	maxCommonName          = 64 // X.520, ub-common-name
	serialBits             = 127
)

// SelfSigned makes a certificate for a key of ours, signed with that key: SAML asks for no more, since identity providers
// pin it (SAML V2.0 Metadata Interoperability Profile 2.6.1). The key may live in an HSM.
func SelfSigned(key crypto.Signer, o CertificateOptions) ([]byte, error) {
	o.Subject = strings.TrimSpace(o.Subject)
	if o.Days == 0 {
		o.Days = defaultCertificateDays
	}
	switch {
	case key == nil:
		return nil, errors.New("saml: a certificate needs a key")
	case o.Subject == "" || printable(o.Subject) != o.Subject || utf8.RuneCountInString(o.Subject) > maxCommonName || !utf8.ValidString(o.Subject):
		return nil, fmt.Errorf("saml: the subject of a certificate must have 1 to %d printable characters", maxCommonName)
	case o.NotBefore.IsZero():
		return nil, errors.New("saml: a certificate needs a time from which it is valid")
	case o.Days < 0 || o.Days > maxCertificateDays:
		return nil, fmt.Errorf("saml: a certificate must be valid for 1 to %d days", maxCertificateDays)
	}
	if err := (KeyPair{Signer: key}).check(); err != nil {
		return nil, fmt.Errorf("saml: %w", err)
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), serialBits))
	if err != nil {
		return nil, fmt.Errorf("saml: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber: serial.Add(serial, big.NewInt(1)),
		Subject:      pkix.Name{CommonName: o.Subject},
		NotBefore:    o.NotBefore.UTC().Truncate(time.Second),
		NotAfter:     o.NotBefore.UTC().Truncate(time.Second).AddDate(0, 0, o.Days),
		KeyUsage:     x509.KeyUsageDigitalSignature,
	}
	if _, ok := key.Public().(*rsa.PublicKey); ok {
		template.KeyUsage |= x509.KeyUsageKeyEncipherment // the same key may be a DecryptionKey of another deployment
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("saml: %w", err)
	}
	return der, nil
}
