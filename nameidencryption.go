package saml

import (
	"crypto/ed25519"
	"crypto/rsa"
	"errors"
	"fmt"

	"github.com/logintrust/saml/internal/compose"
)

// nameIDEncryption is how the NameIDs that an identity provider gets are encrypted; nil if they are not. That it is wanted and
// cannot be done is an error: the name does not go in clear.
func (t *LoginTrust) nameIDEncryption() (*compose.Encryption, error) {
	if !t.EncryptNameID {
		return nil, nil
	}
	if len(t.EncryptionKeys) == 0 {
		return nil, fmt.Errorf("saml: %s has EncryptNameID and no EncryptionKeys", quoted(t.Domain))
	}
	key := t.EncryptionKeys[0]
	if err := key.checkEncrypts(); err != nil {
		return nil, fmt.Errorf("saml: %s: the first of EncryptionKeys is %w", quoted(t.Domain), err)
	}
	e, err := compose.EncryptionFor(key.key, t.EncryptionMethods)
	if err != nil { // the key is of a kind that serves
		return nil, fmt.Errorf("%w: %s %w", ErrNoAlgorithm, quoted(t.Domain), err)
	}
	return &e, nil
}

// checkEncrypts refuses a key that nothing may be encrypted to. The text goes on where "is" ends.
func (k PublicKey) checkEncrypts() error {
	switch key := k.key.(type) {
	case nil:
		return errors.New("empty")
	case ed25519.PublicKey:
		return errors.New("an Ed25519 key, which cannot encrypt")
	case *rsa.PublicKey:
		if key.N.BitLen() < minRSABits {
			return fmt.Errorf("an RSA key of %d bits; fewer than %d protect nothing", key.N.BitLen(), minRSABits)
		}
	}
	return nil
}
