package xmlsec

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/fips140"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
)

// A family is a kind of signature, which needs a key of one type.
type family uint8

const (
	rsaPKCS1 family = iota
	rsaPSS
	ecdsaRS
	eddsa
)

// An algorithm is what a SignatureMethod names.
type algorithm struct {
	family family
	hash   crypto.Hash
}

// signatureAlgorithm returns the algorithm that a SignatureMethod names (XML Signature 1.1, 6.4; RFC 9231, 2.3). There
// is no HMAC, no DSA and no MD5 on the list, whatever a trust allows.
func signatureAlgorithm(uri []byte) (algorithm, bool) {
	switch string(uri) {
	case "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256":
		return algorithm{rsaPKCS1, crypto.SHA256}, true
	case "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384":
		return algorithm{rsaPKCS1, crypto.SHA384}, true
	case "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512":
		return algorithm{rsaPKCS1, crypto.SHA512}, true
	case "http://www.w3.org/2000/09/xmldsig#rsa-sha1":
		return algorithm{rsaPKCS1, crypto.SHA1}, true
	case "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1":
		return algorithm{rsaPSS, crypto.SHA256}, true
	case "http://www.w3.org/2007/05/xmldsig-more#sha384-rsa-MGF1":
		return algorithm{rsaPSS, crypto.SHA384}, true
	case "http://www.w3.org/2007/05/xmldsig-more#sha512-rsa-MGF1":
		return algorithm{rsaPSS, crypto.SHA512}, true
	case "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256":
		return algorithm{ecdsaRS, crypto.SHA256}, true
	case "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384":
		return algorithm{ecdsaRS, crypto.SHA384}, true
	case "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512":
		return algorithm{ecdsaRS, crypto.SHA512}, true
	case "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha1":
		return algorithm{ecdsaRS, crypto.SHA1}, true
	case "http://www.w3.org/2021/04/xmldsig-more#eddsa-ed25519":
		return algorithm{eddsa, 0}, true
	}
	return algorithm{}, false
}

// IsSignatureAlgorithm and IsDigestAlgorithm report whether a URI names an algorithm that is known here, SHA-1 included.
func IsSignatureAlgorithm(uri string) bool {
	_, known := signatureAlgorithm([]byte(uri))
	return known
}

// IsDigestAlgorithm: see IsSignatureAlgorithm.
func IsDigestAlgorithm(uri string) bool {
	_, known := digestAlgorithm([]byte(uri))
	return known
}

// digestAlgorithm returns the hash that a DigestMethod names (XML Signature 1.1, 6.2).
func digestAlgorithm(uri []byte) (crypto.Hash, bool) {
	switch string(uri) {
	case "http://www.w3.org/2001/04/xmlenc#sha256":
		return crypto.SHA256, true
	case "http://www.w3.org/2001/04/xmldsig-more#sha384":
		return crypto.SHA384, true
	case "http://www.w3.org/2001/04/xmlenc#sha512":
		return crypto.SHA512, true
	case "http://www.w3.org/2000/09/xmldsig#sha1":
		return crypto.SHA1, true
	}
	return 0, false
}

// appendHash appends the hash of b to dst. SHA-1 is not to be asked for in FIPS 140-3 mode; see checkHash.
func appendHash(dst []byte, h crypto.Hash, b []byte) []byte {
	switch h {
	case crypto.SHA256:
		sum := sha256.Sum256(b)
		return append(dst, sum[:]...)
	case crypto.SHA384:
		sum := sha512.Sum384(b)
		return append(dst, sum[:]...)
	case crypto.SHA512:
		sum := sha512.Sum512(b)
		return append(dst, sum[:]...)
	case crypto.SHA1:
		sum := sha1.Sum(b)
		return append(dst, sum[:]...)
	}
	return dst
}

// Policy loosens what a signature may be made with. The zero value is the strict choice.
type Policy struct {
	// AllowSHA1 admits SHA-1 as digest and in signatures. Collisions are practical (SHAttered, 2017): who can choose
	// part of what an IdP signs may move its signature to another text.
	AllowSHA1 bool
	// AllowRSA1024 admits RSA keys from 1024 bits, which a well-funded attacker can factor.
	AllowRSA1024 bool
	// AllowInclusiveReference admits inclusive canonicalisation of the signed element. Its octets depend on what is
	// declared around the element, outside of what is signed.
	AllowInclusiveReference bool
	// AllowSignedCBC admits CBC where a verified signature covers the ciphertext.
	AllowSignedCBC bool
	// AllowUnsignedCBC admits CBC where only what is inside is signed: a padding oracle, unless all failures look alike.
	AllowUnsignedCBC bool
	// AllowRSA15 admits RSA 1.5 as key transport, which Bleichenbacher's attack (1998) opens.
	AllowRSA15 bool
	// AllowTripleDES admits Triple DES, of blocks so small that they repeat (Sweet32, 2016).
	AllowTripleDES bool
	// AllowDER admits ECDSA signatures in DER where a signature is Detached. It weakens nothing: one signature then has two
	// forms, of which XML Signature knows one.
	AllowDER bool
	// Only, if it is not nil, restricts what is admitted.
	Only *Admitted
}

// Admitted are the URIs of all the algorithms that are admitted; an empty list restricts nothing.
type Admitted struct{ Signatures, Digests []string }

func (p Policy) admitsSignature(uri []byte) bool {
	return p.Only == nil || admits(p.Only.Signatures, uri)
}

func (p Policy) admitsDigest(uri []byte) bool { return p.Only == nil || admits(p.Only.Digests, uri) }

// admits reports whether a list of algorithms, if there is one, has this one.
func admits(list []string, uri []byte) bool {
	if len(list) == 0 {
		return true
	}
	for _, admitted := range list {
		if admitted == string(uri) {
			return true
		}
	}
	return false
}

func (p Policy) checkHash(h crypto.Hash) error {
	if h != crypto.SHA1 {
		return nil
	}
	if !p.AllowSHA1 {
		return fault(WeakAlgorithm, "SHA-1")
	}
	if fips140.Enforced() {
		return fault(WeakAlgorithm, "SHA-1 in FIPS 140-3 mode")
	}
	return nil
}

// usable reports whether a key is of the family's type, and refuses one that is too short.
func (p Policy) usable(f family, key crypto.PublicKey) (bool, error) {
	switch k := key.(type) {
	case *rsa.PublicKey:
		if f != rsaPKCS1 && f != rsaPSS {
			return false, nil
		}
		least := minRSABits
		if p.AllowRSA1024 {
			least = minWeakRSABits
		}
		if bits := k.N.BitLen(); bits < least || bits > maxRSABits {
			return false, fault(WeakKey, "an RSA key of %d bits, where %d to %d are admitted", bits, least, maxRSABits)
		}
		return true, nil
	case *ecdsa.PublicKey:
		return f == ecdsaRS && (k.Curve == elliptic.P256() || k.Curve == elliptic.P384() || k.Curve == elliptic.P521()), nil
	case ed25519.PublicKey:
		return f == eddsa && len(k) == ed25519.PublicKeySize, nil
	}
	return false, nil
}

// verify reports whether key made the signature over message, whose hash is digest.
func (a algorithm) verify(key crypto.PublicKey, message, digest, signature []byte) bool {
	switch k := key.(type) {
	case *rsa.PublicKey:
		if a.family == rsaPKCS1 {
			return rsa.VerifyPKCS1v15(k, a.hash, digest, signature) == nil
		}
		// RFC 9231, 2.3.10: MGF1 with the same hash, and a salt as long as the hash.
		return rsa.VerifyPSS(k, a.hash, digest, signature, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}) == nil
	case *ecdsa.PublicKey:
		size := (k.Curve.Params().BitSize + 7) / 8
		if len(signature) != 2*size { // XML Signature 1.1, 6.4.3: r and s, each as long as the order
			return false
		}
		var der [150]byte
		return ecdsa.VerifyASN1(k, digest, appendDER(der[:0], signature[:size], signature[size:]))
	case ed25519.PublicKey:
		return ed25519.Verify(k, message, signature)
	}
	return false
}

// appendDER appends SEQUENCE { r INTEGER, s INTEGER }; r and s are at most 66 octets (P-521).
func appendDER(dst, r, s []byte) []byte {
	r, s = trimInteger(r), trimInteger(s)
	body := 4 + integerSize(r) + integerSize(s)
	dst = append(dst, 0x30)
	if body >= 0x80 {
		dst = append(dst, 0x81)
	}
	dst = append(dst, byte(body))
	for _, i := range [][]byte{r, s} {
		dst = append(dst, 0x02, byte(integerSize(i)))
		if integerSize(i) > len(i) {
			dst = append(dst, 0)
		}
		dst = append(dst, i...)
	}
	return dst
}

// trimInteger drops leading zeros.
func trimInteger(b []byte) []byte {
	for len(b) > 0 && b[0] == 0 {
		b = b[1:]
	}
	return b
}

// integerSize is the size of a DER INTEGER's content: never empty, never negative.
func integerSize(b []byte) int {
	if len(b) == 0 || b[0] >= 0x80 {
		return len(b) + 1
	}
	return len(b)
}
