package samltest

import (
	"crypto"

	"github.com/beevik/etree"

	"github.com/logintrust/saml/internal/compose"
)

// Encryption says how what is encrypted is encrypted for one recipient. Its zero value, with a Key, is AES-256-GCM and
// RSA-OAEP with SHA-1, as rsa-oaep-mgf1p has it; or ECDH-ES with AES Key Wrap, for an EC key.
type Encryption struct {
	// Key is the recipient's public key: *rsa.PublicKey, *ecdsa.PublicKey or *ecdh.PublicKey.
	Key crypto.PublicKey
	// Block and Transport are algorithm identifiers of XML Encryption; of several recipients the first one's Block counts.
	Block, Transport string
	// Digest and MGF are the hashes of OAEP; Digest is also that of the key derivation of ECDH-ES.
	Digest, MGF crypto.Hash
	// Label is OAEPparams.
	Label []byte
	// Recipient is the entity ID in EncryptedKey.
	Recipient string
	// Beside puts the EncryptedKey behind the EncryptedData.
	Beside bool
	// Plain edits what is encrypted.
	Plain func(xml []byte) []byte
}

// encryptParts encrypts what of the assertions is to be encrypted apart.
func (a *Answer) encryptParts(assertions []*etree.Element) error {
	w := &writer{style: a.Style}
	for _, assertion := range assertions {
		for _, part := range []struct {
			path, name string
			recipients []Encryption
		}{{"Subject/NameID", "EncryptedID", a.EncryptNameID}, {"AttributeStatement/Attribute", "EncryptedAttribute", a.EncryptAttributes}} {
			if len(part.recipients) == 0 {
				continue
			}
			for _, el := range assertion.FindElements(part.path) {
				if err := encrypt(w, el, part.name, part.recipients); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// encrypt puts an element of that name in the place of el, which holds el, encrypted.
func encrypt(w *writer, el *etree.Element, name string, recipients []Encryption) error {
	plain := serialize(el.Copy(), false)
	list := make([]compose.Encryption, len(recipients))
	for i, r := range recipients {
		if r.Plain != nil {
			plain = r.Plain(plain)
		}
		list[i] = compose.Encryption{Key: r.Key, Block: r.Block, Transport: r.Transport, Digest: r.Digest, MGF: r.MGF, Label: r.Label,
			Recipient: r.Recipient, Beside: r.Beside}
	}
	inner, err := compose.Encrypted("x", plain, list...)
	if err != nil {
		return err
	}
	outer := w.element(nil, nsAssertion, name)
	for _, child := range inner.ChildElements() {
		outer.AddChild(child)
	}
	parent, at := el.Parent(), el.Index()
	parent.RemoveChildAt(at)
	parent.InsertChildAt(at, outer)
	return nil
}
