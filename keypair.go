package saml

import (
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
)

// A KeyPair is a key of our own that signs: Signer may live in an HSM or a KMS. However it is printed, logged or marshalled,
// it says which key it is and nothing of the private half. See docs/keys.md for its life.
//
// That holds everywhere for a KeyPair that ParseKeyPair, GenerateKeyPair or NewKeyPair made. In one made as a literal, fmt
// prints the key itself where the KeyPair stands in an unexported field, whose methods it does not call.
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

// ParseKeyPair reads a private key, PEM of PKCS#8, PKCS#1 or SEC 1 without encryption, and its certificate, in one text or in
// several. Of a chain the certificate for the key counts; certificates of which none is for the key are refused. Without any
// certificate there is none in the KeyPair. No error repeats what was read.
func ParseKeyPair(texts ...string) (KeyPair, error) {
	key, certificate, err := parseOwnKey(texts)
	if err != nil {
		return KeyPair{}, err
	}
	return KeyPair{Signer: hide(key), Certificate: certificate}, nil
}

// NewKeyPair hides a private key of yours, with a certificate for it or nil.
func NewKeyPair(key crypto.Signer, certificate []byte) (KeyPair, error) {
	p := KeyPair{Signer: key, Certificate: certificate}
	if err := p.check(); err != nil {
		return KeyPair{}, fmt.Errorf("saml: %w", err)
	}
	p.Signer = hide(key)
	return p, nil
}

// GenerateKeyPair makes a new key with a self-signed certificate.
func GenerateKeyPair(kind KeyKind, o CertificateOptions) (KeyPair, error) {
	key, err := GenerateKey(kind)
	if err != nil {
		return KeyPair{}, err
	}
	certificate, err := SelfSigned(key, o)
	if err != nil {
		return KeyPair{}, err
	}
	return KeyPair{Signer: hide(key), Certificate: certificate}, nil
}

// PEM writes the certificate, if there is one, and the private key as PKCS#8, for a host that stores them; ParseKeyPair reads
// both. A key that lives in an HSM cannot be written.
func (p KeyPair) PEM() (certificate, key []byte, err error) {
	private := crypto.PrivateKey(p.Signer)
	if hidden, ok := p.Signer.(*hiddenKey); ok {
		private = hidden.private()
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, nil, errors.New("saml: this private key cannot be written: it lives elsewhere")
	}
	defer clear(der)
	if p.Certificate != nil {
		certificate = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.Certificate})
	}
	return certificate, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
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

// public is the key with its certificate, as the other keys of this package are.
func (p KeyPair) public() PublicKey {
	if p.Signer == nil {
		return PublicKey{}
	}
	return withCertificate(p.Signer.Public(), p.Certificate)
}

// withCertificate is a public key of ours, with the dates of its certificate, if there is one for it.
func withCertificate(public crypto.PublicKey, certificate []byte) PublicKey {
	key, err := NewPublicKey(public)
	if err != nil {
		return PublicKey{}
	}
	if wrapped, err := parseKeyDER(certificate); err == nil && wrapped.Equal(key) {
		return wrapped
	}
	return key
}

// String says which key it is: its type, its size and its SHA256.
func (p KeyPair) String() string { return "KeyPair(" + describeKey(p.public()) + ")" }

// Format writes String, whatever the verb is: no verb shows the private key.
func (p KeyPair) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, p.String()) }

// LogValue is String.
func (p KeyPair) LogValue() slog.Value { return slog.StringValue(p.String()) }

// MarshalJSON writes String: a Config that ends in a log or a page gives nothing away. PEM writes the key.
func (p KeyPair) MarshalJSON() ([]byte, error) { return json.Marshal(p.String()) }

// String says which key it is: its type, its size and its SHA256.
func (k DecryptionKey) String() string {
	public, err := k.public()
	if err != nil {
		return "DecryptionKey(none)"
	}
	return "DecryptionKey(" + describeKey(withCertificate(public, k.Certificate)) + ")"
}

// Format writes String, whatever the verb is: no verb shows the private key.
func (k DecryptionKey) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, k.String()) }

// LogValue is String.
func (k DecryptionKey) LogValue() slog.Value { return slog.StringValue(k.String()) }

// MarshalJSON writes String.
func (k DecryptionKey) MarshalJSON() ([]byte, error) { return json.Marshal(k.String()) }

// Format writes the entity ID and nothing else: the Config holds private keys.
func (sp *ServiceProvider) Format(f fmt.State, _ rune) {
	if sp == nil {
		_, _ = io.WriteString(f, "ServiceProvider(nil)")
		return
	}
	_, _ = fmt.Fprintf(f, "ServiceProvider(%s)", quoted(sp.config.EntityID))
}

func describeKey(k PublicKey) string {
	if k.key == nil {
		return "none"
	}
	return k.Kind() + ", SHA-256 " + k.SHA256()
}

// A hiddenKey keeps a private key out of what is printed of the structures around it: in a field that is not exported fmt
// calls no Format, and follows pointers for a verb that does not fit, but never functions.
type hiddenKey struct{ private func() crypto.Signer }

func hide(key crypto.Signer) *hiddenKey { return &hiddenKey{func() crypto.Signer { return key }} }

func (h *hiddenKey) Public() crypto.PublicKey { return h.private().Public() }

func (h *hiddenKey) Sign(random io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	return h.private().Sign(random, digest, opts)
}

func (h *hiddenKey) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "a private key") }

// MarshalText writes no key.
func (h *hiddenKey) MarshalText() ([]byte, error) { return []byte("a private key"), nil }

// hideDecryption does for a key that decrypts what hide does for one that signs. What it does not know it leaves as it is.
func hideDecryption(key crypto.PrivateKey) crypto.PrivateKey {
	switch k := key.(type) {
	case *ecdsa.PrivateKey:
		if exchanger, err := k.ECDH(); err == nil {
			return &hiddenExchanger{func() ecdh.KeyExchanger { return exchanger }}
		}
	case ecdh.KeyExchanger:
		return &hiddenExchanger{func() ecdh.KeyExchanger { return k }}
	case crypto.Decrypter:
		return &hiddenDecrypter{func() crypto.Decrypter { return k }}
	}
	return key
}

// A hiddenDecrypter is a hiddenKey that decrypts.
type hiddenDecrypter struct{ private func() crypto.Decrypter }

func (h *hiddenDecrypter) Public() crypto.PublicKey { return h.private().Public() }

func (h *hiddenDecrypter) Decrypt(random io.Reader, message []byte, opts crypto.DecrypterOpts) ([]byte, error) {
	return h.private().Decrypt(random, message, opts)
}

func (h *hiddenDecrypter) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "a private key") }

// A hiddenExchanger is a hiddenKey that agrees on keys.
type hiddenExchanger struct{ private func() ecdh.KeyExchanger }

func (h *hiddenExchanger) PublicKey() *ecdh.PublicKey { return h.private().PublicKey() }

func (h *hiddenExchanger) Curve() ecdh.Curve { return h.private().Curve() }

func (h *hiddenExchanger) ECDH(peer *ecdh.PublicKey) ([]byte, error) { return h.private().ECDH(peer) }

func (h *hiddenExchanger) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "a private key") }
