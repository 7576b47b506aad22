package saml

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
)

// A KeyKind is a kind of key of our own.
type KeyKind string

// The kinds of key that GenerateKey makes. Every identity provider verifies RSA; ECDSA many; Ed25519 few.
const (
	RSA2048 KeyKind = "rsa-2048"
	RSA3072 KeyKind = "rsa-3072"
	RSA4096 KeyKind = "rsa-4096"
	P256    KeyKind = "p256"
	P384    KeyKind = "p384"
	P521    KeyKind = "p521"
	Ed25519 KeyKind = "ed25519" // signs only
)

// KeyKinds are all of them.
func KeyKinds() []KeyKind { return []KeyKind{RSA2048, RSA3072, RSA4096, P256, P384, P521, Ed25519} }

// GenerateKey makes a private key. GenerateKeyPair makes one with its certificate.
func GenerateKey(kind KeyKind) (crypto.Signer, error) {
	switch kind {
	case RSA2048:
		return rsa.GenerateKey(rand.Reader, 2048)
	case RSA3072:
		return rsa.GenerateKey(rand.Reader, 3072)
	case RSA4096:
		return rsa.GenerateKey(rand.Reader, 4096)
	case P256:
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case P384:
		return ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case P521:
		return ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	case Ed25519:
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return key, err
	}
	return nil, fmt.Errorf("saml: %.64q is no kind of key; there are %v", string(kind), KeyKinds())
}

// Kind says of what type and size the key is: "RSA 2048", "ECDSA P-256", "Ed25519"; "" for the zero PublicKey.
func (k PublicKey) Kind() string {
	switch key := k.key.(type) {
	case *rsa.PublicKey:
		return fmt.Sprintf("RSA %d", key.N.BitLen())
	case *ecdsa.PublicKey:
		return "ECDSA " + key.Curve.Params().Name
	case ed25519.PublicKey:
		return "Ed25519"
	}
	return ""
}

const (
	errUnreadPrivate    = sentinel("saml: not a private key that can be read: PKCS#8, PKCS#1 or SEC 1, not encrypted")
	errEncryptedPrivate = sentinel("saml: not a private key that can be read: it is encrypted; \"openssl pkey -in FILE -out NEWFILE\" decrypts it")
	errNoPrivate        = sentinel("saml: there is no private key in it")
	errSeveralPrivate   = sentinel("saml: more than one private key")
)

// ParsePrivateKey reads one private key of ours: PEM or base64 of PKCS#8, PKCS#1 or SEC 1, not encrypted; certificates may
// stand around it. It is an *rsa.PrivateKey, an *ecdsa.PrivateKey or an ed25519.PrivateKey, whose %v prints it: keep it in a
// KeyPair or a DecryptionKey. No error repeats what was read.
func ParsePrivateKey(text string) (crypto.Signer, error) {
	objects, err := ownObjects(text, true)
	switch {
	case err != nil:
		return nil, err
	case len(objects) == 0:
		return nil, errNoPrivate
	case len(objects) > 1:
		return nil, errSeveralPrivate
	}
	return objects[0].private, nil
}

// parseOwnKey finds the one private key in some texts, and the certificate for it.
func parseOwnKey(texts []string) (key crypto.Signer, certificate []byte, err error) {
	var certificates []PublicKey
	for _, text := range texts {
		objects, err := ownObjects(text, false)
		if err != nil {
			return nil, nil, err
		}
		for _, object := range objects {
			switch {
			case object.private != nil && key != nil:
				return nil, nil, errSeveralPrivate
			case object.private != nil:
				key = object.private
			default:
				certificates = append(certificates, object.public)
			}
		}
	}
	if key == nil {
		return nil, nil, errNoPrivate
	}
	public, err := NewPublicKey(key.Public())
	if err != nil {
		return nil, nil, err
	}
	for _, c := range certificates {
		if c.Equal(public) && c.certificate != nil {
			return key, c.certificate, nil
		}
	}
	if len(certificates) > 0 {
		return nil, nil, errors.New("saml: the certificate is not for the private key")
	}
	return key, nil, nil
}

// An ownObject is what one PEM block holds: a private key, or a certificate or public key.
type ownObject struct {
	private crypto.Signer
	public  PublicKey
}

// ownObjects reads all PEM blocks of a text, or only its private keys, or the base64 without markers that it is.
func ownObjects(text string, privateOnly bool) (objects []ownObject, err error) {
	if text, err = cleaned(text); err != nil {
		return nil, err
	}
	marks := marker.FindAllStringSubmatchIndex(text, 4*maxCertificates)
	if len(marks) == 0 {
		object, err := ownObjectOf("PRIVATE KEY", text)
		return []ownObject{object}, err
	}
	for i := 0; i < len(marks); i += 2 {
		word := func(mark []int, group int) string { return text[mark[2*group]:mark[2*group+1]] }
		if i+1 == len(marks) || word(marks[i], 1) != "BEGIN" || word(marks[i+1], 1) != "END" || word(marks[i], 2) != word(marks[i+1], 2) {
			return nil, errors.New("saml: the lines with BEGIN and END do not belong together")
		}
		label := word(marks[i], 2)
		if label == "EC PARAMETERS" || privateOnly && !namesPrivateKey(label) { // OpenSSL writes parameters in front of a key
			continue
		}
		object, err := ownObjectOf(label, text[marks[i][1]:marks[i+1][0]])
		if err != nil {
			return nil, err
		}
		objects = append(objects, object)
	}
	return objects, nil
}

func ownObjectOf(label, body string) (ownObject, error) {
	switch {
	case strings.Contains(label, "ENCRYPTED"), strings.Contains(body, "ENCRYPTED"):
		return ownObject{}, errEncryptedPrivate
	case namesPrivateKey(label):
		key, err := privateKeyIn(body)
		return ownObject{private: key}, err
	}
	if err := checkLabel(label); err != nil {
		return ownObject{}, err
	}
	der, err := decodeKey(body)
	if err != nil {
		return ownObject{}, err
	}
	key, err := parseKeyDER(der)
	return ownObject{public: key}, err
}

// privateKeyIn reads the base64 of a private key. What crypto/x509 says of it is not repeated.
func privateKeyIn(body string) (crypto.Signer, error) {
	der, err := decodeKey(body)
	if err != nil {
		return nil, errUnreadPrivate
	}
	defer clear(der)
	if key, err := x509.ParsePKCS8PrivateKey(der); err == nil {
		if signer, ok := key.(crypto.Signer); ok {
			return signer, nil
		}
	}
	if key, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		return key, nil
	}
	if key, err := x509.ParseECPrivateKey(der); err == nil {
		return key, nil
	}
	return nil, errUnreadPrivate
}

// PublicFromPrivate gives the public half of a private key, PEM or base64 of PKCS#8, PKCS#1 or SEC 1, for the rare
// administrator who has nothing else. Keep only what it returns; a private key that was pasted somewhere is best replaced.
func PublicFromPrivate(text string) (PublicKey, error) {
	key, err := ParsePrivateKey(text)
	if err != nil {
		return PublicKey{}, err
	}
	return NewPublicKey(key.Public())
}
