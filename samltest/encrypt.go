package samltest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/fips140"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/beevik/etree"

	"github.com/logintrust/saml/internal/compose"
)

// Encryption says how what is encrypted is encrypted for one recipient. Its zero value, with a Key, is AES-256-GCM and
// RSA-OAEP with SHA-1, as rsa-oaep-mgf1p has it (in FIPS 140-3 mode with SHA-256, as rsa-oaep can have it); or ECDH-ES with AES Key Wrap, for an EC key.
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
	inner, err := encrypted(plain, list)
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

// encrypted encrypts for all recipients. What FIPS 140-3 mode makes impossible is then encrypted otherwise and only called by
// the name asked for: a service provider refuses the algorithm before it looks at values, and in that mode must.
func encrypted(plain []byte, list []compose.Encryption) (*etree.Element, error) {
	if !fips140.Enforced() {
		return compose.Encrypted("x", plain, list...)
	}
	possible := slices.Clone(list)
	if list[0].Block == compose.TripleDES {
		possible[0].Block = compose.AES256CBC
	}
	for i, r := range list {
		if r.Transport == compose.RSA15 || r.Transport == compose.OAEPMGF1P {
			possible[i].Transport = ""
		}
	}
	e, err := compose.Encrypted("x", plain, possible...)
	if err != nil {
		return nil, err
	}
	if list[0].Block == compose.TripleDES {
		e.FindElement("./EncryptedData/EncryptionMethod").CreateAttr("Algorithm", compose.TripleDES)
	}
	for i, key := range e.FindElements(".//EncryptedKey") { // in the order of the recipients, unless only some stand beside
		if list[i].Transport != possible[i].Transport {
			key.SelectElement("EncryptionMethod").CreateAttr("Algorithm", list[i].Transport)
		}
	}
	return e, nil
}

// EncryptionKeys are the keys that a service provider's metadata publishes for encryption, each of which [Encryption] takes.
func EncryptionKeys(metadata []byte) ([]crypto.PublicKey, error) {
	root, err := readRoot(metadata, nsMetadata, "EntityDescriptor")
	if err != nil {
		return nil, err
	}
	role := find(root, nsMetadata, "SPSSODescriptor")
	if role == nil {
		return nil, errors.New("samltest: SP metadata: no SPSSODescriptor")
	}
	var keys []crypto.PublicKey
	for _, descriptor := range role.ChildElements() {
		if descriptor.Tag != "KeyDescriptor" || descriptor.SelectAttrValue("use", "encryption") != "encryption" {
			continue
		}
		key, err := publicKey(find(descriptor, nsSignature, "KeyInfo"))
		if err != nil {
			return nil, fmt.Errorf("samltest: SP metadata: %w", err)
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// publicKey is the key of a ds:KeyInfo, in a certificate or bare.
func publicKey(info *etree.Element) (crypto.PublicKey, error) {
	if info == nil {
		return nil, errors.New("a KeyDescriptor without KeyInfo")
	}
	if e := info.FindElement(".//X509Certificate"); e != nil {
		der, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(e.Text()), ""))
		if err != nil {
			return nil, err
		}
		certificate, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, err
		}
		return certificate.PublicKey, nil
	}
	octets := func(path string) []byte {
		e := info.FindElement(path)
		if e == nil {
			return nil
		}
		b, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(e.Text()), ""))
		if err != nil {
			return nil
		}
		return b
	}
	if n, e := octets(".//Modulus"), octets(".//Exponent"); n != nil && e != nil {
		return &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(new(big.Int).SetBytes(e).Int64())}, nil
	}
	point := octets(".//PublicKey")
	for _, curve := range []elliptic.Curve{elliptic.P256(), elliptic.P384(), elliptic.P521()} {
		if key, err := ecdsa.ParseUncompressedPublicKey(curve, point); err == nil {
			return key, nil
		}
	}
	return nil, errors.New("a KeyInfo without a key")
}
