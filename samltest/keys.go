package samltest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
)

// ownKey is a key that the IdP publishes for signatures.
type ownKey struct {
	signer      crypto.Signer
	certificate []byte
}

// Publish makes a further signing key known: the metadata lists it and [IdP.Trust] pins it, but nothing is signed with it yet,
// except what [Answer.Seal] is set for. nil makes a key. The result is how to sign with it, and what to call it by in
// [IdP.SignWith] and [IdP.Retire].
func (p *IdP) Publish(key crypto.Signer) (Seal, error) {
	if key == nil {
		var err error
		if key, err = generateKey(RSA2048); err != nil {
			return Seal{}, err
		}
	}
	switch key.Public().(type) {
	case *rsa.PublicKey, *ecdsa.PublicKey:
	default:
		return Seal{}, fmt.Errorf("samltest: a key of %T cannot sign here: want RSA or ECDSA", key.Public())
	}
	certificate, err := selfSigned(key, p.Personality.certificateName(p.EntityID))
	if err != nil {
		return Seal{}, fmt.Errorf("samltest: certificate: %w", err)
	}
	own := ownKey{key, certificate}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.own = append(p.own, own)
	return p.sealWith(own), nil
}

// SignWith makes a published key the one that signs from now on. The others stay published, so that service providers that
// have not looked yet go on working.
func (p *IdP) SignWith(seal Seal) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	i, err := p.indexOf(seal)
	if err != nil {
		return err
	}
	own := p.own[i]
	p.own = slices.Insert(slices.Delete(slices.Clone(p.own), i, i+1), 0, own)
	return nil
}

// Retire takes a key back: neither the metadata nor [IdP.Trust] has it any more. The key that signs stays.
func (p *IdP) Retire(seal Seal) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	i, err := p.indexOf(seal)
	if err != nil {
		return err
	}
	if i == 0 {
		return errors.New("samltest: this key signs; SignWith another first")
	}
	p.own = slices.Delete(slices.Clone(p.own), i, i+1)
	return nil
}

// indexOf finds a seal's key among those that are published. The caller holds the lock.
func (p *IdP) indexOf(seal Seal) (int, error) {
	i := slices.IndexFunc(p.own, func(own ownKey) bool { return own.signer == seal.Key })
	if i < 0 {
		return 0, errors.New("samltest: no published key is that seal's")
	}
	return i, nil
}

// published are the keys for signatures; the first one signs.
func (p *IdP) published() []ownKey {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.own)
}

// Certificate is the certificate of the key that signs, DER.
func (p *IdP) Certificate() []byte { return slices.Clone(p.published()[0].certificate) }

// Seal is how this IdP signs: SHA-256 and exclusive canonicalisation, with its certificate in KeyInfo, as its Personality has it.
func (p *IdP) Seal() Seal { return p.sealWith(p.published()[0]) }

func (p *IdP) sealWith(own ownKey) Seal {
	seal := p.Personality.Seal
	seal.Key, seal.Certificate = own.signer, slices.Clone(own.certificate)
	if p.Personality.KeyName {
		seal.KeyName = keyName(own.signer.Public())
	}
	return seal
}

// keyName is what KeyName calls a key: a hash of it.
func keyName(key crypto.PublicKey) string {
	spki, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return "" // of no kind that has a certificate either
	}
	sum := sha256.Sum256(spki)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// certificateName is the common name of certificates.
func (p Personality) certificateName(entityID string) string {
	if p.CertificateName == "" || p.Name == "" {
		return entityID
	}
	return p.CertificateName
}
