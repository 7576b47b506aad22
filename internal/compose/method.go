package compose

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"slices"
)

// Signature algorithms that we sign with (XML Signature 1.1, 6.4; RFC 9231, 2.3).
const (
	RSASHA256   = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
	RSASHA384   = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384"
	RSASHA512   = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512"
	ECDSASHA256 = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"
	ECDSASHA384 = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384"
	ECDSASHA512 = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512"
	PSSSHA256   = "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1"
	PSSSHA384   = "http://www.w3.org/2007/05/xmldsig-more#sha384-rsa-MGF1"
	PSSSHA512   = "http://www.w3.org/2007/05/xmldsig-more#sha512-rsa-MGF1"
	Ed25519     = "http://www.w3.org/2021/04/xmldsig-more#eddsa-ed25519"
)

// Digest algorithms that we sign with.
const (
	SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
	SHA384 = "http://www.w3.org/2001/04/xmldsig-more#sha384"
	SHA512 = "http://www.w3.org/2001/04/xmlenc#sha512"
)

// A Method is a signature algorithm that we sign with.
type Method struct {
	URI    string
	family family
	hash   crypto.Hash // 0 for Ed25519, which hashes by itself
}

type family uint8

const (
	rsaPKCS1 family = iota
	rsaPSS
	ecdsaRS
	eddsa
)

// methods are in the order in which we would rather have them: what most peers know comes first.
func methods() []Method {
	return []Method{
		{RSASHA256, rsaPKCS1, crypto.SHA256}, {ECDSASHA256, ecdsaRS, crypto.SHA256},
		{RSASHA384, rsaPKCS1, crypto.SHA384}, {ECDSASHA384, ecdsaRS, crypto.SHA384},
		{RSASHA512, rsaPKCS1, crypto.SHA512}, {ECDSASHA512, ecdsaRS, crypto.SHA512},
		{PSSSHA256, rsaPSS, crypto.SHA256}, {PSSSHA384, rsaPSS, crypto.SHA384}, {PSSSHA512, rsaPSS, crypto.SHA512},
		{Ed25519, eddsa, 0},
	}
}

// Methods are the URIs of what we sign with, the preferred first.
func Methods() (uris []string) {
	for _, m := range methods() {
		uris = append(uris, m.URI)
	}
	return uris
}

// Digests are the URIs of the digests that we sign with, the preferred first.
func Digests() []string { return []string{SHA256, SHA384, SHA512} }

// MethodByURI finds a method that we sign with.
func MethodByURI(uri string) (Method, bool) {
	list := methods()
	i := slices.IndexFunc(list, func(m Method) bool { return m.URI == uri })
	if i < 0 {
		return Method{}, false
	}
	return list[i], true
}

// Fits reports whether the method signs with keys of that kind.
func (m Method) Fits(key crypto.PublicKey) bool {
	switch key.(type) {
	case *rsa.PublicKey:
		return m.family == rsaPKCS1 || m.family == rsaPSS
	case *ecdsa.PublicKey:
		return m.family == ecdsaRS
	case ed25519.PublicKey:
		return m.family == eddsa
	}
	return false
}

// Digest is the digest of what is signed that goes with the method unless another is asked for.
func (m Method) Digest() string {
	switch m.hash {
	case crypto.SHA384:
		return SHA384
	case crypto.SHA512:
		return SHA512
	}
	return SHA256
}

func digestHash(uri string) (crypto.Hash, bool) {
	switch uri {
	case SHA256:
		return crypto.SHA256, true
	case SHA384:
		return crypto.SHA384, true
	case SHA512:
		return crypto.SHA512, true
	}
	return 0, false
}

// DefaultMethod is the one that suits a key: SHA-256 for RSA, the hash that is as strong as the curve for ECDSA.
func DefaultMethod(key crypto.PublicKey) (Method, error) {
	switch k := key.(type) {
	case *rsa.PublicKey:
		return Method{RSASHA256, rsaPKCS1, crypto.SHA256}, nil
	case *ecdsa.PublicKey:
		switch bits := k.Curve.Params().BitSize; {
		case bits <= 256:
			return Method{ECDSASHA256, ecdsaRS, crypto.SHA256}, nil
		case bits <= 384:
			return Method{ECDSASHA384, ecdsaRS, crypto.SHA384}, nil
		default:
			return Method{ECDSASHA512, ecdsaRS, crypto.SHA512}, nil
		}
	case ed25519.PublicKey:
		return Method{Ed25519, eddsa, 0}, nil
	}
	return Method{}, fmt.Errorf("no signature algorithm for a %T", key)
}

// Sign signs a message as XML Signature has it: r‖s for ECDSA, a salt as long as the hash for RSA-PSS (RFC 9231, 2.3.10),
// the message itself for Ed25519 (RFC 9231, 2.3.12).
func (m Method) Sign(signer crypto.Signer, message []byte) ([]byte, error) {
	if !m.Fits(signer.Public()) {
		return nil, fmt.Errorf("%s does not sign with a %T", m.URI, signer.Public())
	}
	if m.family == eddsa {
		return signer.Sign(rand.Reader, message, crypto.Hash(0))
	}
	h := m.hash.New()
	h.Write(message)
	var opts crypto.SignerOpts = m.hash
	if m.family == rsaPSS {
		opts = &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: m.hash}
	}
	return XMLSigner(signer).Sign(rand.Reader, h.Sum(nil), opts)
}
