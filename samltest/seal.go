package samltest

import (
	"cmp"
	"crypto"
	"crypto/ecdsa"
	"crypto/fips140"
	_ "crypto/md5" // registered for the attack that signs with it
	"crypto/rsa"
	_ "crypto/sha1"
	_ "crypto/sha256"
	_ "crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"strings"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"
)

// Seal says how something is signed. [IdP.Answer] fills one in; change its fields for other algorithms or another key.
type Seal struct {
	Key         crypto.Signer
	Certificate []byte   // DER, for KeyInfo; nil: no KeyInfo at all
	Method      string   // signature method; empty: RSA or ECDSA with SHA-256, as the key is
	Digest      string   // digest method; empty: SHA-256
	C14N        string   // of SignedInfo and of the Reference; empty: Exclusive
	Prefixes    []string // InclusiveNamespaces PrefixList of the Reference, with exclusive canonicalisation; #default included
	Prefix      string   // of the signature's own elements; empty: a default namespace declaration

	// What else stands in KeyInfo, which must count for nothing.
	KeyName      string
	KeyValue     bool // the bare RSA key, behind the certificate
	SubjectName  bool // X509SubjectName, before the certificate
	PlainKeyInfo bool // KeyInfo itself in a default namespace, as ADFS has it

	value func(signedInfo []byte) ([]byte, error) // makes the SignatureValue; nil: Key does, by Method
}

// Enveloped signs the element and puts the ds:Signature where the schemas want it: right after the Issuer, or first where
// there is none. The element must stand where it will stay, since what is around it gives it its namespaces.
func (s Seal) Enveloped(el *etree.Element) error {
	octets, err := canonical(el, s.c14n(), s.Prefixes)
	if err != nil {
		return err
	}
	_, err = s.sign(el, reference{
		uri:        "#" + el.SelectAttrValue("ID", ""),
		transforms: []transform{{algorithm: transformEnveloped}, {algorithm: s.c14n(), prefixes: s.Prefixes}},
		octets:     octets,
	})
	return err
}

// reference is one ds:Reference: what it says, and the octets of which it gives the digest. An honest one has the octets
// that its URI and transforms lead to.
type reference struct {
	uri        string
	transforms []transform
	octets     []byte
}

// transform is one ds:Transform; child, if any, is put into it.
type transform struct {
	algorithm string
	prefixes  []string
	child     *etree.Element
}

// sign puts a ds:Signature with these references into parent, after its Issuer, and returns it.
func (s Seal) sign(parent *etree.Element, refs ...reference) (*etree.Element, error) {
	signature := s.element(nil, "Signature")
	if s.Prefix == "" {
		signature.CreateAttr("xmlns", nsSignature)
	} else {
		signature.CreateAttr("xmlns:"+s.Prefix, nsSignature)
	}
	insertAfterIssuer(parent, signature)

	info := s.element(signature, "SignedInfo")
	s.element(info, "CanonicalizationMethod").CreateAttr("Algorithm", s.c14n())
	s.element(info, "SignatureMethod").CreateAttr("Algorithm", s.method())
	for _, ref := range refs {
		if err := s.addReference(info, ref); err != nil {
			return nil, err
		}
	}
	octets, err := canonical(info, s.c14n(), nil)
	if err != nil {
		return nil, err
	}
	value, err := s.signatureValue(octets)
	if err != nil {
		return nil, err
	}
	s.element(signature, "SignatureValue").SetText(base64.StdEncoding.EncodeToString(value))
	s.addKeyInfo(signature)
	return signature, nil
}

func (s Seal) addKeyInfo(signature *etree.Element) {
	if s.Certificate == nil && s.KeyName == "" && !s.KeyValue {
		return
	}
	info := s.element(signature, "KeyInfo")
	if s.PlainKeyInfo {
		info.Space = ""
		info.CreateAttr("xmlns", nsSignature)
	}
	if s.KeyName != "" {
		s.element(info, "KeyName").SetText(s.KeyName)
	}
	if s.Certificate != nil {
		data := s.element(info, "X509Data")
		if certificate, err := x509.ParseCertificate(s.Certificate); err == nil && s.SubjectName {
			s.element(data, "X509SubjectName").SetText(certificate.Subject.String())
		}
		s.element(data, "X509Certificate").SetText(base64.StdEncoding.EncodeToString(s.Certificate))
	}
	if s.Key == nil || !s.KeyValue {
		return
	}
	if key, ok := s.Key.Public().(*rsa.PublicKey); ok {
		value := s.element(s.element(info, "KeyValue"), "RSAKeyValue")
		s.element(value, "Modulus").SetText(base64.StdEncoding.EncodeToString(key.N.Bytes()))
		s.element(value, "Exponent").SetText(base64.StdEncoding.EncodeToString(big.NewInt(int64(key.E)).Bytes()))
	}
}

func (s Seal) addReference(info *etree.Element, ref reference) error {
	el := s.element(info, "Reference")
	el.CreateAttr("URI", ref.uri)
	if len(ref.transforms) > 0 {
		list := s.element(el, "Transforms")
		for _, t := range ref.transforms {
			s.addTransform(list, t)
		}
	}
	value, err := digestWith(s.digest(), ref.octets)
	if err != nil {
		return err
	}
	s.element(el, "DigestMethod").CreateAttr("Algorithm", s.digest())
	s.element(el, "DigestValue").SetText(value)
	return nil
}

// digestWith is the octets' DigestValue.
func digestWith(method string, octets []byte) (string, error) {
	hash, err := hashOf(method)
	if err != nil {
		return "", err
	}
	if forbidden(hash) {
		return base64.StdEncoding.EncodeToString(make([]byte, hash.Size())), nil
	}
	h := hash.New()
	h.Write(octets)
	return base64.StdEncoding.EncodeToString(h.Sum(nil)), nil
}

func (s Seal) addTransform(list *etree.Element, t transform) {
	el := s.element(list, "Transform")
	el.CreateAttr("Algorithm", t.algorithm)
	if len(t.prefixes) > 0 {
		names := el.CreateElement("ec:InclusiveNamespaces")
		names.CreateAttr("xmlns:ec", nsExclusive)
		names.CreateAttr("PrefixList", strings.Join(t.prefixes, " "))
	}
	if t.child != nil {
		el.AddChild(t.child)
	}
}

// signatureValue lets goxmldsig hash and sign the canonical SignedInfo.
func (s Seal) signatureValue(octets []byte) ([]byte, error) {
	if s.value != nil {
		return s.value(octets)
	}
	signer := s.Key
	if signer == nil {
		return nil, errors.New("samltest: Seal has no Key")
	}
	if _, ok := signer.Public().(*ecdsa.PublicKey); ok {
		signer = rawECDSA{signer}
	}
	hash, err := hashOf(s.method())
	if err != nil {
		return nil, err
	}
	if forbidden(hash) {
		return make([]byte, 256), nil
	}
	ctx, err := dsig.NewSigningContext(signer, nil)
	if err != nil {
		return nil, err
	}
	ctx.Hash = hash
	return ctx.SignString(string(octets))
}

func (s Seal) element(parent *etree.Element, tag string) *etree.Element {
	el := etree.NewElement(tag)
	el.Space = s.Prefix
	if parent != nil {
		parent.AddChild(el)
	}
	return el
}

func (s Seal) c14n() string   { return cmp.Or(s.C14N, Exclusive) }
func (s Seal) digest() string { return cmp.Or(s.Digest, SHA256) }

func (s Seal) method() string {
	if s.Method != "" || s.Key == nil {
		return s.Method
	}
	if _, ok := s.Key.Public().(*ecdsa.PublicKey); ok {
		return ECDSASHA256
	}
	return RSASHA256
}

// canonical is goxmldsig's canonical form of the element where it stands. It works on a copy that carries the namespace
// declarations in scope, because goxmldsig changes what it is given and does not look at ancestors.
func canonical(el *etree.Element, method string, prefixes []string) ([]byte, error) {
	apart := detach(el)
	list := strings.Join(prefixes, " ")
	switch method {
	case Exclusive:
		return dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList(list).Canonicalize(apart)
	case ExclusiveWithComments:
		return dsig.MakeC14N10ExclusiveWithCommentsCanonicalizerWithPrefixList(list).Canonicalize(apart)
	case Inclusive:
		return dsig.MakeC14N10RecCanonicalizer().Canonicalize(apart)
	case Inclusive11:
		return dsig.MakeC14N11Canonicalizer().Canonicalize(apart)
	}
	return nil, fmt.Errorf("samltest: no such canonicalisation: %q", method)
}

// detach is a copy of the element with the namespace declarations that are in scope where it stands. (etreeutils.NSDetatch
// would do, but gives up at 1000 elements.)
func detach(el *etree.Element) *etree.Element {
	apart := el.Copy()
	for parent := el.Parent(); parent != nil; parent = parent.Parent() {
		for _, a := range parent.Attr {
			declares := a.Space == "xmlns" || a.Space == "" && a.Key == "xmlns"
			if declares && a.Value != "" && apart.SelectAttr(a.FullKey()) == nil {
				apart.CreateAttr(a.FullKey(), a.Value)
			}
		}
	}
	return apart
}

// hashOf is the hash that a signature or digest method's URI ends in.
func hashOf(uri string) (crypto.Hash, error) {
	for _, h := range []struct {
		suffix string
		hash   crypto.Hash
	}{
		{"md5", crypto.MD5}, {"sha1", crypto.SHA1}, {"sha256", crypto.SHA256}, {"sha384", crypto.SHA384}, {"sha512", crypto.SHA512},
	} {
		if strings.HasSuffix(uri, h.suffix) {
			return h.hash, nil
		}
	}
	return 0, fmt.Errorf("samltest: no hash in algorithm %q", uri)
}

// forbidden reports whether FIPS 140-3 mode makes the hash panic. What is made with it is then zeros: a service provider refuses
// the algorithm before it looks at values, and in that mode must.
func forbidden(hash crypto.Hash) bool {
	return fips140.Enforced() && (hash == crypto.MD5 || hash == crypto.SHA1)
}

// insertAfterIssuer puts the new child where SAML Core's schema has the Signature.
func insertAfterIssuer(parent, child *etree.Element) {
	if issuer := parent.SelectElement("Issuer"); issuer != nil {
		parent.InsertChildAt(issuer.Index()+1, child)
		return
	}
	parent.InsertChildAt(0, child)
}

// find is the first child element of that name, nil if there is none.
func find(parent *etree.Element, space, local string) *etree.Element {
	for _, el := range parent.ChildElements() {
		if el.Tag == local && el.NamespaceURI() == space {
			return el
		}
	}
	return nil
}
