package saml

import (
	"crypto"
	"crypto/rsa"
	"errors"
	"fmt"
)

// A KeyPair is a key of our own that signs: Signer may live in an HSM or a KMS. See docs/keys.md for its life.
type KeyPair struct {
	// Signer holds the private key: RSA of 2048 bits or more, ECDSA on P-256, P-384 or P-521, or Ed25519, which few
	// identity providers verify. For RSA-PSS it must honour rsa.PSSOptions.
	Signer crypto.Signer
	// Certificate is the DER of a certificate for it, which SP metadata and signatures show, and which need not
	// be signed by anybody in particular. Nil publishes the bare key, which some products cannot read (SimpleSAMLphp).
	Certificate []byte
	// PublishOnly publishes the key and does not sign with it: the next one, before identity providers know it, and the last
	// one, while what it signed is on its way.
	PublishOnly bool
}

func (p KeyPair) check() error {
	if p.Signer == nil {
		return errors.New("a KeyPair without Signer")
	}
	key, err := NewPublicKey(p.Signer.Public())
	if err != nil {
		return err
	}
	if k, ok := key.key.(*rsa.PublicKey); ok && k.N.BitLen() < minRSABits {
		return fmt.Errorf("an RSA key of %d bits", k.N.BitLen())
	}
	return checkCertificate(p.Certificate, key)
}
