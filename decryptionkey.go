package saml

import (
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"errors"
	"fmt"
)

// A DecryptionKey is a key of our own that opens what identity providers encrypt for us. It should not be one that signs.
type DecryptionKey struct {
	// Key is the private key, which may live in an HSM or a KMS: a crypto.Decrypter with an RSA key of 2048 bits or more, or
	// an ecdh.KeyExchanger or *ecdsa.PrivateKey on P-256, P-384 or P-521. A Decrypter must honour rsa.OAEPOptions with
	// different values of Hash and MGFHash.
	Key crypto.PrivateKey
	// Certificate is the DER of a certificate for it, which SP metadata shows; nil publishes the bare key.
	Certificate []byte
}

// ParseDecryptionKey reads what ParseKeyPair reads; the key must be RSA or ECDSA.
func ParseDecryptionKey(texts ...string) (DecryptionKey, error) {
	key, certificate, err := parseOwnKey(texts)
	if err != nil {
		return DecryptionKey{}, err
	}
	k := DecryptionKey{Key: key, Certificate: certificate}
	if err := k.check(); err != nil {
		return DecryptionKey{}, fmt.Errorf("saml: %w", err)
	}
	k.Key = hideDecryption(key)
	return k, nil
}

// public is the other half of the key.
func (k DecryptionKey) public() (crypto.PublicKey, error) {
	switch key := k.Key.(type) {
	case nil:
		return nil, errors.New("a DecryptionKey without Key")
	case *ecdsa.PrivateKey:
		return &key.PublicKey, nil
	case ecdh.KeyExchanger:
		curves := map[ecdh.Curve]elliptic.Curve{ecdh.P256(): elliptic.P256(), ecdh.P384(): elliptic.P384(), ecdh.P521(): elliptic.P521()}
		curve := curves[key.Curve()]
		if curve == nil {
			return nil, errors.New("an EC key must be on P-256, P-384 or P-521")
		}
		return ecdsa.ParseUncompressedPublicKey(curve, key.PublicKey().Bytes())
	case crypto.Decrypter:
		public, ok := key.Public().(*rsa.PublicKey)
		if !ok {
			return nil, fmt.Errorf("a crypto.Decrypter with a %T, which is not RSA", key.Public())
		}
		return public, nil
	}
	if _, signs := k.Key.(crypto.Signer); signs {
		return nil, errors.New("a key that only signs, as that of a KeyPair does: ParseDecryptionKey reads one that decrypts, from KeyPair.PEM too")
	}
	return nil, fmt.Errorf("a %T cannot decrypt", k.Key)
}

func (k DecryptionKey) check() error {
	public, err := k.public()
	if err != nil {
		return err
	}
	key, err := NewPublicKey(public)
	if err != nil {
		return err
	}
	if r, ok := public.(*rsa.PublicKey); ok && r.N.BitLen() < minRSABits {
		return fmt.Errorf("an RSA key of %d bits", r.N.BitLen())
	}
	return checkCertificate(k.Certificate, key)
}

// checkCertificate refuses a certificate, if there is one, that is not for that key.
func checkCertificate(der []byte, key PublicKey) error {
	if der == nil {
		return nil
	}
	cert, err := parseKeyDER(der)
	if err != nil {
		return err
	}
	if !cert.Equal(key) {
		return errors.New("the Certificate is not for the key")
	}
	return nil
}
