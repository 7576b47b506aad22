package saml

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/logintrust/saml/internal/compose"
)

// Algorithms of signatures that we make, for LoginTrust.SignatureAlgorithm and Config.SignatureAlgorithms (XML Signature
// 1.1, 6.4; RFC 9231, 2.3). All of them are also accepted.
const (
	AlgorithmRSASHA256    = compose.RSASHA256
	AlgorithmRSASHA384    = compose.RSASHA384
	AlgorithmRSASHA512    = compose.RSASHA512
	AlgorithmECDSASHA256  = compose.ECDSASHA256
	AlgorithmECDSASHA384  = compose.ECDSASHA384
	AlgorithmECDSASHA512  = compose.ECDSASHA512
	AlgorithmRSAPSSSHA256 = compose.PSSSHA256
	AlgorithmRSAPSSSHA384 = compose.PSSSHA384
	AlgorithmRSAPSSSHA512 = compose.PSSSHA512
	AlgorithmEd25519      = compose.Ed25519
)

// Digests of what is signed, for Config.DigestAlgorithms (XML Signature 1.1, 6.2).
const (
	AlgorithmSHA256 = compose.SHA256
	AlgorithmSHA384 = compose.SHA384
	AlgorithmSHA512 = compose.SHA512
)

// ErrNoAlgorithm says that none of Config.SigningKeys signs with an algorithm that an identity provider takes, or that it
// declares none that we encrypt with. No login or logout starts there until either side changes: see LoginTrust.SignatureAlgorithm,
// SigningMethods and EncryptionMethods.
const ErrNoAlgorithm = sentinel("saml: no algorithm in common with the identity provider, for the keys that there are")

// A SigningMethod is an algorithm whose signatures an identity provider says that it verifies (SAML V2.0 Metadata Profile for
// Algorithm Support 2.4).
type SigningMethod struct {
	// Algorithm is the URI of a signature algorithm. It need not be one that we know.
	Algorithm string `json:"algorithm"`
	// MinKeySize and MaxKeySize bound the size of keys in bits; 0 sets no bound.
	MinKeySize int `json:"minKeySize,omitempty"`
	MaxKeySize int `json:"maxKeySize,omitempty"`
}

// String writes the algorithm, and the bounds if there are any: "http://… 2048-4096".
func (m SigningMethod) String() string {
	bound := func(bits int) string {
		if bits == 0 {
			return ""
		}
		return strconv.Itoa(bits)
	}
	if m.MinKeySize == 0 && m.MaxKeySize == 0 {
		return m.Algorithm
	}
	return m.Algorithm + " " + bound(m.MinKeySize) + "-" + bound(m.MaxKeySize)
}

func (m SigningMethod) takes(key crypto.PublicKey) bool {
	bits := keyBits(key)
	return bits >= m.MinKeySize && (m.MaxKeySize == 0 || bits <= m.MaxKeySize)
}

// keyBits is the size of a key as people say it: of the modulus, or of the curve.
func keyBits(key crypto.PublicKey) int {
	switch k := key.(type) {
	case *rsa.PublicKey:
		return k.N.BitLen()
	case *ecdsa.PublicKey:
		return k.Curve.Params().BitSize
	case ed25519.PublicKey:
		return 256
	}
	return 0
}

// signers are the keys that sign: those that are not PublishOnly, in their order.
func (c *Config) signers() []KeyPair {
	return slices.DeleteFunc(slices.Clone(c.SigningKeys), func(p KeyPair) bool { return p.PublishOnly })
}

// signing is how what goes to an identity provider is signed, nil if no key of ours signs. A signature inside of the message
// takes a digest too, on which both sides must agree.
func (sp *ServiceProvider) signing(t *LoginTrust, inside bool) (*compose.SigningKey, error) {
	key, err := sp.signingKey(t)
	if err != nil || key == nil || !inside {
		return key, err
	}
	if key.Digest, err = sp.digest(t); err != nil {
		return nil, err
	}
	return key, nil
}

// signingKey picks the key and the algorithm for what goes to an identity provider: what its metadata declares is read in its
// order, and the first that one of our keys can do wins (Algorithm Support 2.5). Nil if no key of ours signs.
func (sp *ServiceProvider) signingKey(t *LoginTrust) (*compose.SigningKey, error) {
	keys := sp.config.signers()
	if len(keys) == 0 {
		if t.WantRequestsSigned {
			return nil, fmt.Errorf("saml: %s wants signed requests, and Config.SigningKeys has no key that signs", quoted(t.Domain))
		}
		return nil, nil
	}
	if t.SignatureAlgorithm == "" && len(t.SigningMethods) == 0 {
		return sp.config.defaultSigning(keys[0])
	}
	for _, m := range t.acceptedMethods() {
		method, known := compose.MethodByURI(m.Algorithm)
		if !known || !sp.config.signsWith(m.Algorithm) {
			continue
		}
		for _, k := range keys {
			if public := k.Signer.Public(); method.Fits(public) && m.takes(public) {
				return &compose.SigningKey{Signer: k.Signer, Certificate: k.Certificate, Algorithm: m.Algorithm}, nil
			}
		}
	}
	return nil, fmt.Errorf("%w: %s", ErrNoAlgorithm, quoted(t.Domain))
}

// acceptedMethods are the methods that may be signed with, where the trust says anything of it.
func (t *LoginTrust) acceptedMethods() []SigningMethod {
	switch {
	case t.SignatureAlgorithm == "":
		return t.SigningMethods
	case len(t.SigningMethods) == 0:
		return []SigningMethod{{Algorithm: t.SignatureAlgorithm}}
	}
	return slices.DeleteFunc(slices.Clone(t.SigningMethods), func(m SigningMethod) bool { return m.Algorithm != t.SignatureAlgorithm })
}

// digest picks the digest for what goes to an identity provider, in the same way; "" is the one that goes with the algorithm.
func (sp *ServiceProvider) digest(t *LoginTrust) (string, error) {
	ours := compose.Digests()
	if len(sp.config.DigestAlgorithms) > 0 {
		ours = sp.config.DigestAlgorithms
	}
	if len(t.DigestMethods) == 0 {
		return sp.config.defaultDigest(), nil
	}
	for _, uri := range t.DigestMethods {
		if slices.Contains(ours, uri) && slices.Contains(compose.Digests(), uri) {
			return uri, nil
		}
	}
	return "", fmt.Errorf("%w: %s: no digest in common", ErrNoAlgorithm, quoted(t.Domain))
}

// signsWith reports whether the host admits a signature algorithm.
func (c *Config) signsWith(uri string) bool {
	return len(c.SignatureAlgorithms) == 0 || slices.Contains(c.SignatureAlgorithms, uri)
}

// defaultDigest is "" unless the host says which digests there are.
func (c *Config) defaultDigest() string {
	for _, uri := range c.DigestAlgorithms {
		if slices.Contains(compose.Digests(), uri) {
			return uri
		}
	}
	return ""
}

// defaultSigning is how a key signs where nobody asks for anything: by the algorithm that suits it, or else by the first that
// the host admits.
func (c *Config) defaultSigning(k KeyPair) (*compose.SigningKey, error) {
	method, err := compose.DefaultMethod(k.Signer.Public())
	if err != nil {
		return nil, fmt.Errorf("saml: %w", err)
	}
	key := &compose.SigningKey{Signer: k.Signer, Certificate: k.Certificate, Algorithm: method.URI, Digest: c.defaultDigest()}
	if c.signsWith(method.URI) {
		return key, nil
	}
	for _, uri := range c.SignatureAlgorithms {
		if method, known := compose.MethodByURI(uri); known && method.Fits(k.Signer.Public()) {
			key.Algorithm = uri
			return key, nil
		}
	}
	return nil, fmt.Errorf("saml: SignatureAlgorithms has none for a %T", k.Signer.Public())
}

// supported is what metadata says that we verify from anybody, in the host's order or else in ours: nothing that only some
// trusts admit.
func (c *Config) supported() (digests []string, methods []compose.SupportedMethod) {
	digests, uris := compose.Digests(), compose.Methods()
	if len(c.DigestAlgorithms) > 0 {
		digests = slices.DeleteFunc(slices.Clone(c.DigestAlgorithms), func(uri string) bool { return !slices.Contains(compose.Digests(), uri) })
	}
	if len(c.SignatureAlgorithms) > 0 {
		uris = c.SignatureAlgorithms
	}
	for _, uri := range uris {
		method, known := compose.MethodByURI(uri)
		switch {
		case !known: // SHA-1
		case method.Fits(&rsa.PublicKey{}):
			methods = append(methods, compose.SupportedMethod{Algorithm: uri, MinKeySize: minRSABits, MaxKeySize: maxRSABits})
		default:
			methods = append(methods, compose.SupportedMethod{Algorithm: uri})
		}
	}
	return digests, methods
}

// methodList and readMethodList write and read the text that a Difference has of SigningMethods.
func methodList(list []SigningMethod) string {
	words := make([]string, len(list))
	for i, m := range list {
		words[i] = m.String()
	}
	return strings.Join(words, " ")
}

func readMethodList(text string) (list []SigningMethod) {
	for word := range strings.FieldsSeq(text) {
		low, high, bounds := strings.Cut(word, "-")
		if bounds && !strings.Contains(word, ":") && len(list) > 0 {
			last := &list[len(list)-1]
			last.MinKeySize, _ = strconv.Atoi(low) // "" is 0
			last.MaxKeySize, _ = strconv.Atoi(high)
			continue
		}
		list = append(list, SigningMethod{Algorithm: word})
	}
	return list
}
