package saml

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"strings"

	"github.com/logintrust/saml/internal/wire"
)

// maxCertificates is how many certificates one X509Data may hold: a chain is short.
const maxCertificates = 16

// keysFromMetadata reads the content of a KeyDescriptor, and says of each key that cannot be read why.
func keysFromMetadata(k wire.Key) (keys []PublicKey, unread []error) {
	switch n := len(k.Certificates); {
	case n == 0:
		key, err := bareKey(k)
		if err != nil {
			return nil, []error{err}
		}
		return []PublicKey{key}, nil
	case n > maxCertificates:
		return nil, []error{fmt.Errorf("saml: an X509Data of more than %d certificates", maxCertificates)}
	}
	for _, text := range k.Certificates {
		key, err := ParsePublicKey(text)
		if err != nil {
			unread = append(unread, err)
			continue
		}
		keys = append(keys, key)
	}
	return withoutAuthorities(keys), unread
}

// withoutAuthorities leaves out certificates that are there to vouch for another one of their X509Data, as a chain has it.
// Their keys are the authority's, not the identity provider's, and are not pinned.
func withoutAuthorities(keys []PublicKey) []PublicKey {
	if len(keys) < 2 {
		return keys
	}
	issuers := map[string]bool{} // of those that did not issue themselves
	subjects := make([]string, len(keys))
	for i, k := range keys {
		if cert, err := x509.ParseCertificate(k.certificate); err == nil {
			subjects[i] = string(cert.RawSubject)
			if !bytes.Equal(cert.RawIssuer, cert.RawSubject) {
				issuers[string(cert.RawIssuer)] = true
			}
		}
	}
	var own []PublicKey
	for i, k := range keys {
		if subjects[i] == "" || !issuers[subjects[i]] {
			own = append(own, k)
		}
	}
	return own
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
