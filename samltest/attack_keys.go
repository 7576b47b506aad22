package samltest

import (
	"crypto"
	"crypto/fips140"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"hash"
	"net/url"
	"strconv"

	"github.com/beevik/etree"
	saml "github.com/logintrust/saml"
)

// Signature methods that no service provider should know.
const (
	rsaMD5     = "http://www.w3.org/2001/04/xmldsig-more#rsa-md5"
	dsaSHA1    = "http://www.w3.org/2000/09/xmldsig#dsa-sha1"
	hmacSHA1   = "http://www.w3.org/2000/09/xmldsig#hmac-sha1"
	hmacSHA256 = "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256"
)

// keyAttacks are signed with the wrong key, or with an algorithm that proves nothing.
func keyAttacks() []Attack {
	foreign := because(saml.BadSignature)
	algorithm := because(saml.UnsupportedAlgorithm, saml.WeakAlgorithm, saml.BadSignature)
	weak := because(saml.WeakAlgorithm)
	const keyInfo = "SAML Metadata Interoperability 2.6.1: KeyInfo is no source of trust"
	return []Attack{
		{Name: "attacker's key, its certificate in KeyInfo", Reference: keyInfo, Reasons: foreign,
			Forge: sealedBy(func(s *Scene) Seal { return s.Mallory })},
		{Name: "attacker's key, no KeyInfo", Reference: keyInfo, Reasons: foreign,
			Forge: sealedBy(func(s *Scene) Seal { return Seal{Key: s.Mallory.Key, Prefix: "ds"} })},
		{Name: "attacker's key, the genuine certificate in KeyInfo", Reference: keyInfo, Reasons: foreign,
			Forge: sealedBy(func(s *Scene) Seal {
				return Seal{Key: s.Mallory.Key, Certificate: s.IdP.Certificate(), Prefix: "ds"}
			})},
		{Name: "attacker's key as KeyValue", Reference: keyInfo, Reasons: foreign, Forge: keyInfoOf(keyValue)},
		{Name: "attacker's key, KeyName of the IdP", Reference: keyInfo, Reasons: foreign,
			Forge: keyInfoOf(func(s *Scene, info *etree.Element) { place(info, 0, "KeyName", etree.NewText(s.IdP.EntityID)) })},
		{Name: "attacker's key by RetrievalMethod", Reference: keyInfo + "; SSRF", Reasons: foreign,
			Forge: keyInfoOf(func(_ *Scene, info *etree.Element) {
				place(info, 0, "RetrievalMethod").CreateAttr("URI", "https://evil.example.com/key")
			})},
		{Name: "attacker's certificate after the genuine one", Reference: keyInfo, Reasons: foreign,
			Forge: keyInfoOf(func(s *Scene, info *etree.Element) {
				data := place(info, 0, "X509Data")
				place(data, 0, "X509Certificate", etree.NewText(encode(s.IdP.Certificate())))
				place(data, 1, "X509Certificate", etree.NewText(encode(s.Mallory.Certificate)))
			})},
		{Name: "attacker's response around the genuine assertion", Reference: "SAML Core 5.4.1", Reasons: foreign,
			Base: signing(SignResponse | SignAssertion),
			Forge: func(s *Scene) url.Values {
				a := s.Answer()
				genuine := a.Seal
				a.Seal, a.AssertionSeal = s.Mallory, &genuine
				return a.Form()
			}},
		{Name: "key of the other IdP", Reference: "RP-ISSUERKEY: a key counts for the Issuer it is pinned for", Reasons: foreign,
			Forge: sealedBy(func(s *Scene) Seal { return s.Other.Seal() })},
		{Name: "encryption key of the IdP", Reference: "SAML Metadata 2.4.1.1", Reasons: foreign,
			Forge: sealedBy(func(s *Scene) Seal {
				key, certificate, err := s.IdP.encryptionKey()
				if err != nil {
					panic(err)
				}
				return Seal{Key: key, Certificate: certificate, Prefix: "ds"}
			})},
		{Name: "attacker's RSA key of 1024 bits", Reference: "NIST SP 800-131A", Reasons: because(saml.BadSignature, saml.WeakKey),
			Forge: sealedBy(func(s *Scene) Seal {
				key, err := keyFor("mallory", rsa1024)
				if err != nil {
					panic(err)
				}
				certificate, err := selfSigned(key, s.IdP.EntityID)
				if err != nil {
					panic(err)
				}
				return Seal{Key: key, Certificate: certificate, Prefix: "ds"}
			})},
		{Name: "HMAC with the certificate as secret", Reference: "CVE-2016-5431 for tokens: key confusion", Reasons: algorithm,
			Forge: authenticated(hmacSHA256, sha256.New, func(s *Scene) []byte { return s.IdP.Certificate() })},
		{Name: "HMAC with the PEM certificate as secret", Reference: "CVE-2015-9235 for tokens: key confusion", Reasons: algorithm,
			Forge: authenticated(hmacSHA256, sha256.New, func(s *Scene) []byte {
				return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.IdP.Certificate()})
			})},
		{Name: "HMAC with the public key as secret", Reference: "CVE-2015-9235 for tokens: key confusion", Reasons: algorithm,
			Forge: authenticated(hmacSHA256, sha256.New, func(s *Scene) []byte {
				spki, err := x509.MarshalPKIXPublicKey(s.IdP.Seal().Key.Public())
				if err != nil {
					panic(err)
				}
				return spki
			})},
		{Name: "HMAC-SHA-1 with an empty secret", Reference: "XML Signature 6.3.1", Reasons: algorithm,
			Forge: authenticated(hmacSHA1, sha1.New, func(*Scene) []byte { return nil })},
		{Name: "HMAC of no length", Reference: "CVE-2009-0217: HMACOutputLength", Reasons: append(algorithm, saml.MalformedSignature), Forge: truncatedHMAC},
		{Name: "RSA with SHA-1", Reference: "RFC 6931 2.3.1, Leurent and Peyrin, SHA-1 is a Shambles (2020)", Reasons: weak,
			Forge: before(func(a *Answer) { a.Seal.Method = RSASHA1 })},
		{Name: "SHA-1 digest", Reference: "Leurent and Peyrin, SHA-1 is a Shambles (2020)", Reasons: weak,
			Forge: before(func(a *Answer) { a.Seal.Digest = SHA1 })},
		{Name: "RSA with MD5", Reference: "RFC 6931 2.3.1", Reasons: algorithm,
			Forge: before(func(a *Answer) { a.Seal.Method = rsaMD5 })},
		{Name: "RSA-SHA-512 in name, SHA-256 in fact", Reference: "XML Signature 6.4.2", Reasons: foreign,
			Forge: valued(RSASHA512, func(s *Scene, info []byte) ([]byte, error) {
				seal := s.IdP.Seal()
				seal.Method = RSASHA256
				return seal.signatureValue(info)
			})},
		{Name: "RSA signature of the bare digest", Reference: "RFC 8017 8.2: no DigestInfo", Reasons: foreign,
			Forge: valued(RSASHA256, func(s *Scene, info []byte) ([]byte, error) {
				digest := sha256.Sum256(info)
				if fips140.Enforced() { // in which no key signs such a thing
					return make([]byte, 256), nil
				}
				return s.IdP.Seal().Key.Sign(rand.Reader, digest[:], crypto.Hash(0))
			})},
		{Name: "ECDSA in name, by the IdP's RSA key", Reference: "RFC 6931 2.3.6", Reasons: append(algorithm, saml.MalformedSignature, saml.NoKeyOnFile),
			Forge: valued(ECDSASHA256, func(s *Scene, info []byte) ([]byte, error) {
				seal := s.IdP.Seal()
				return seal.signatureValue(info)
			})},
		{Name: "ECDSA signature of zeros", Reference: "CVE-2022-21449, psychic signatures", Reasons: append(algorithm, saml.MalformedSignature, saml.NoKeyOnFile),
			Forge: valued(ECDSASHA256, func(*Scene, []byte) ([]byte, error) { return make([]byte, 64), nil })},
		{Name: "DSA", Reference: "NIST FIPS 186-5", Reasons: algorithm,
			Forge: valued(dsaSHA1, func(*Scene, []byte) ([]byte, error) { return make([]byte, 40), nil })},
		{Name: "algorithm none", Reference: "CVE-2015-2951 for tokens", Reasons: append(algorithm, saml.MalformedSignature),
			Forge: valued("none", func(*Scene, []byte) ([]byte, error) { return []byte{0}, nil })},
		{Name: "algorithm empty", Reference: "XML Signature 4.4.2", Reasons: append(algorithm, saml.MalformedSignature),
			Forge: resigned(func(info *etree.Element) { info.SelectElement("SignatureMethod").CreateAttr("Algorithm", "") })},
		{Name: "algorithm unknown", Reference: "XML Signature 4.4.2", Reasons: algorithm,
			Forge: resigned(func(info *etree.Element) { info.SelectElement("SignatureMethod").CreateAttr("Algorithm", "urn:x") })},
		{Name: "no SignatureMethod", Reference: "XML Signature 4.4", Reasons: append(algorithm, saml.MalformedSignature),
			Forge: resigned(func(info *etree.Element) { info.SelectElement("SignatureMethod").Remove() })},
	}
}

// sealedBy signs the answer otherwise.
func sealedBy(seal func(s *Scene) Seal) forge {
	return func(s *Scene) url.Values {
		a := s.Answer()
		a.Seal = seal(s)
		return a.Form()
	}
}

// valued has a SignatureMethod of that name, and a value that was made otherwise.
func valued(method string, value func(s *Scene, signedInfo []byte) ([]byte, error)) forge {
	return sealedBy(func(s *Scene) Seal {
		seal := s.IdP.Seal()
		seal.Method = method
		seal.value = func(info []byte) ([]byte, error) { return value(s, info) }
		return seal
	})
}

// authenticated is "signed" by HMAC with something that the attacker knows.
func authenticated(method string, hash func() hash.Hash, secret func(s *Scene) []byte) forge {
	return valued(method, func(s *Scene, info []byte) ([]byte, error) {
		if fips140.Enforced() { // which makes none with SHA-1, or with a short secret
			return make([]byte, hash().Size()), nil
		}
		mac := hmac.New(hash, secret(s))
		mac.Write(info)
		return mac.Sum(nil), nil
	})
}

// truncatedHMAC asks for an HMAC of zero bits, which anybody can make.
func truncatedHMAC(s *Scene) url.Values {
	return inSignature("SignatureMethod", func(method *etree.Element) {
		method.CreateAttr("Algorithm", hmacSHA256)
		place(method, 0, "HMACOutputLength", etree.NewText("0"))
		method.Parent().Parent().SelectElement("SignatureValue").SetText("")
	})(s)
}

// keyInfoOf signs with the attacker's key and fills the KeyInfo otherwise. (KeyInfo is not under the signature.)
func keyInfoOf(fill func(s *Scene, info *etree.Element)) forge {
	return func(s *Scene) url.Values {
		a := s.Answer()
		a.Seal = s.Mallory
		a.AfterSign = func(response *etree.Element) {
			info := signatureOf(assertionOf(response)).SelectElement("KeyInfo")
			empty(info)
			fill(s, info)
		}
		return a.Form()
	}
}

func keyValue(s *Scene, info *etree.Element) {
	public := s.Mallory.Key.Public().(*rsa.PublicKey)
	value := place(place(info, 0, "KeyValue"), 0, "RSAKeyValue")
	place(value, 0, "Modulus", etree.NewText(encode(public.N.Bytes())))
	exponent, err := strconv.ParseUint(strconv.Itoa(public.E), 10, 24)
	if err != nil {
		panic(err)
	}
	place(value, 1, "Exponent", etree.NewText(encode([]byte{byte(exponent >> 16), byte(exponent >> 8), byte(exponent)})))
}

func encode(octets []byte) string { return base64.StdEncoding.EncodeToString(octets) }
