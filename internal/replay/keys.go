package replay

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"

	"github.com/logintrust/saml"
)

// decryptionKeys are the service provider's: the current one and the one before.
func (sp *ServiceProvider) decryptionKeys() (keys []saml.DecryptionKey, err error) {
	for _, k := range []struct{ field, key, certificate string }{
		{"sp.decryptionKeyPEM", sp.DecryptionKeyPEM, sp.DecryptionCertPEM},
		{"sp.oldDecryptionKeyPEM", sp.OldDecryptionKeyPEM, sp.OldDecryptionCertPEM},
	} {
		if k.key == "" {
			continue
		}
		key := saml.DecryptionKey{}
		if key.Key, err = parsePrivateKey(k.key); err != nil {
			return nil, fmt.Errorf("%q: %w", k.field, err)
		}
		if k.certificate != "" {
			block, _ := pem.Decode([]byte(k.certificate))
			if block == nil {
				return nil, fmt.Errorf("the certificate of %q is not PEM", k.field)
			}
			key.Certificate = block.Bytes
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// parsePrivateKey reads PKCS #8, PKCS #1 and SEC 1. What it says of a fault quotes nothing of the key.
func parsePrivateKey(text string) (crypto.PrivateKey, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, errors.New("not PEM")
	}
	if key, err := x509.ParsePKCS8PrivateKey(block.Bytes); err == nil {
		return key, nil
	}
	if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return key, nil
	}
	if key, err := x509.ParseECPrivateKey(block.Bytes); err == nil {
		return key, nil
	}
	return nil, errors.New("not a private key in PKCS #8, PKCS #1 or SEC 1")
}
