package compose

import (
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/fips140"
	"crypto/rsa"
	"errors"
	"fmt"
	"slices"

	"github.com/beevik/etree"

	"github.com/logintrust/saml/internal/wire"
)

// EncryptionFor is how we encrypt to a key whose owner declares these algorithms, in his order; none leaves the choice to us. What
// he declares of content counts beside what he declares of keys: who names only one of the two leaves the other to us (SAML V2.0
// Metadata Profile for Algorithm Support 2.3). It is never anything weaker than AES-GCM, and RSA-OAEP or ECDH-ES.
func EncryptionFor(key crypto.PublicKey, declared []string) (Encryption, error) {
	e := Encryption{Key: key}
	carriers, ours := []string{OAEPMGF1P, OAEP, RSA15}, []string{OAEPMGF1P, OAEP}
	switch key.(type) {
	case *rsa.PublicKey:
		if fips140.Enforced() { // the mask of the other is made with SHA-1
			ours = []string{OAEP}
		}
	case *ecdsa.PublicKey, *ecdh.PublicKey:
		carriers = []string{WrapAES256, WrapAES128, WrapAES192}
		ours = carriers
	default:
		return e, fmt.Errorf("no encryption for a %T", key)
	}
	blocks := []string{AES256GCM, AES128GCM, AES192GCM, AES128CBC, AES192CBC, AES256CBC, TripleDES}
	var takesBlock, takesCarrier bool
	e.Block, takesBlock = choose(declared, blocks, blocks[:3])
	e.Transport, takesCarrier = choose(declared, carriers, ours)
	if !takesBlock || !takesCarrier {
		return e, errors.New("declares no algorithm that we encrypt with")
	}
	if e.Transport == OAEP { // whose defaults are SHA-1
		e.Digest, e.MGF = crypto.SHA256, crypto.SHA256
	}
	return e, nil
}

// choose takes the first declared one that is ours; "" if no one of the kind is declared.
func choose(declared, kind, ours []string) (chosen string, found bool) {
	found = true
	for _, uri := range declared {
		if slices.Contains(ours, uri) {
			return uri, true
		}
		found = found && !slices.Contains(kind, uri)
	}
	return "", found
}

// identifier writes a name into e, in clear or, unless to is nil, encrypted (SAML Core 2.2.4).
func identifier(e *etree.Element, n wire.NameID, to *Encryption) error {
	if to == nil {
		nameID(e.CreateElement("saml:NameID"), n)
		return nil
	}
	plain := etree.NewElement("saml:NameID")
	plain.CreateAttr("xmlns:saml", wire.AssertionNS) // some read it apart from the message
	nameID(plain, n)
	octets, err := Bytes(plain)
	if err != nil {
		return err
	}
	encrypted, err := Encrypted("saml:EncryptedID", octets, *to)
	if err != nil {
		return fmt.Errorf("encrypting: %w", err)
	}
	e.AddChild(encrypted)
	return nil
}
