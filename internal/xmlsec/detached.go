package xmlsec

import (
	"crypto"
	"crypto/ecdsa"
)

// Detached is a signature that stands beside what it covers: SAML's HTTP-Redirect binding signs the query that the
// document was decoded from (SAML Bindings 3.4.4.1).
type Detached struct {
	// Octets are the readings of what is signed, at most two; one that verifies is enough.
	Octets [][]byte
	// Algorithm is a URI, and Value the signature.
	Algorithm string
	Value     []byte
}

const maxReadings = 2 // readings of the octets that one detached signature may cover

// VerifyDetached checks a signature over octets outside of the document, with the pinned keys, and returns the document as
// signed. Whoever calls it sees to it that u was decoded from what is inside those octets. Signatures in the document count
// for nothing.
func (u *Unverified) VerifyDetached(s Detached, keys []crypto.PublicKey, p Policy) (Signed, error) {
	a, known := signatureAlgorithm([]byte(s.Algorithm))
	if !known {
		return Signed{}, fault(UnsupportedAlgorithm, "signature algorithm %.64q", s.Algorithm)
	}
	if !p.admitsSignature([]byte(s.Algorithm)) {
		return Signed{}, fault(WeakAlgorithm, "signature algorithm %.64q, which this service provider does not admit", s.Algorithm)
	}
	if err := p.checkHash(a.hash); err != nil {
		return Signed{}, err
	}
	if len(s.Octets) > maxReadings || len(s.Value) == 0 || len(s.Value) > maxSignature {
		return Signed{}, fault(MalformedSignature, "a signature of %d octets", len(s.Value))
	}
	err := fault(BadSignature, "nothing that the signature could cover")
	for _, octets := range s.Octets {
		if err = a.checkDetached(keys, p, octets, s.Value); err == nil {
			return Signed{d: &u.r.doc}, nil
		}
	}
	return Signed{}, err
}

func (a algorithm) checkDetached(keys []crypto.PublicKey, p Policy, octets, value []byte) error {
	var buf [maxDigest]byte
	digest := appendHash(buf[:0], a.hash, octets)
	_, err := a.check(keys, p, octets, digest, value)
	if err != nil && p.AllowDER && a.family == ecdsaRS && a.checkDER(keys, p, digest, value) {
		return nil
	}
	return err
}

// checkDER tries the form that Java's own libraries make, and OpenSAML with them.
func (a algorithm) checkDER(keys []crypto.PublicKey, p Policy, digest, value []byte) bool {
	tried := 0
	for _, key := range keys {
		k, is := key.(*ecdsa.PublicKey)
		if fits, _ := p.usable(a.family, key); !is || !fits || tried == maxKeysTried {
			continue
		}
		tried++
		if ecdsa.VerifyASN1(k, digest, value) {
			return true
		}
	}
	return false
}
