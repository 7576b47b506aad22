package xmlsec

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
)

const (
	dsNamespace   = "http://www.w3.org/2000/09/xmldsig#"
	excNamespace  = "http://www.w3.org/2001/10/xml-exc-c14n#"
	envelopedSig  = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
	idAttribute   = "ID"
	signatureName = "Signature"
)

// A signature is a ds:Signature of the one shape that SAML allows (SAML Core 5.4): enveloped, one Reference to the
// element that carries it, no Object.
type signature struct {
	row       int32 // of ds:Signature
	info      Element
	value     Element
	infoC14N  C14N
	algorithm algorithm
	transform C14N // of the Reference; a canonicalisation, since there must be octets in the end
	digest    crypto.Hash
	digestB64 Element
}

// readSignature takes the ds:Signature element apart. It does no cryptography; what is not of the allowed shape ends
// here.
func readSignature(sig Element, p Policy) (signature, error) {
	s := signature{row: sig.row}
	var buf [maxParts]Element
	parts, err := children(buf[:0], sig, "Signature", maxParts)
	if err != nil {
		return s, err
	}
	if len(parts) < 2 || len(parts) > 3 || !parts[0].Is(dsNamespace, "SignedInfo") || !parts[1].Is(dsNamespace, "SignatureValue") ||
		len(parts) == 3 && !parts[2].Is(dsNamespace, "KeyInfo") {
		// Erratum E91: a ds:Object is refused.
		return s, fault(MalformedSignature, "Signature must hold SignedInfo, SignatureValue and at most one KeyInfo, and nothing else")
	}
	s.info, s.value = parts[0], parts[1]
	if s.info.Size() > maxSignedInfo || s.value.Size() > maxSignedInfo {
		return s, fault(Limit, "more than %d octets in SignedInfo or SignatureValue", maxSignedInfo)
	}
	if !s.value.onlyText() {
		return s, fault(MalformedSignature, "SignatureValue must hold text only")
	}
	if parts, err = children(buf[:0], s.info, "SignedInfo", 3); err != nil {
		return s, err
	}
	if len(parts) != 3 || !parts[0].Is(dsNamespace, "CanonicalizationMethod") || !parts[1].Is(dsNamespace, "SignatureMethod") ||
		!parts[2].Is(dsNamespace, "Reference") {
		return s, fault(MalformedSignature, "SignedInfo must hold CanonicalizationMethod, SignatureMethod and exactly one Reference")
	}
	if s.infoC14N, err = readC14N(parts[0]); err != nil {
		return s, err
	}
	if err = s.readMethod(parts[1], p); err != nil {
		return s, err
	}
	return s, s.readReference(parts[2], sig.Parent(), p)
}

const maxParts = 4 // child elements of any element of a signature

// children appends to list the child elements of e, which has no text beside them; at most that many.
func children(list []Element, e Element, name string, most int) ([]Element, error) {
	for c := e.First(); c.Exists(); c = c.Next() {
		if len(list) == most {
			return nil, fault(MalformedSignature, "more than %d elements in %s", most, name)
		}
		list = append(list, c)
	}
	if e.hasText() {
		return nil, fault(MalformedSignature, "text in %s", name)
	}
	return list, nil
}

func readC14N(e Element) (C14N, error) {
	uri := e.value("Algorithm")
	m, known := c14nByURI(uri)
	if !known {
		return m, fault(UnsupportedAlgorithm, "canonicalisation %.64q", uri)
	}
	var buf [maxParts]Element
	parts, err := children(buf[:0], e, "a canonicalisation", 1)
	if err != nil || len(parts) == 0 {
		return m, err
	}
	if !m.Exclusive || !parts[0].Is(excNamespace, "InclusiveNamespaces") || parts[0].First().Exists() || parts[0].hasText() {
		return m, fault(MalformedSignature, "a canonicalisation may hold one InclusiveNamespaces, if it is exclusive, and nothing else")
	}
	list, _ := parts[0].Attr("PrefixList")
	m.Prefixes, err = prefixList(list)
	return m, err
}

func (s *signature) readMethod(e Element, p Policy) error {
	uri := e.value("Algorithm")
	var known bool
	if s.algorithm, known = signatureAlgorithm(uri); !known {
		return fault(UnsupportedAlgorithm, "signature algorithm %.64q", uri)
	}
	if !p.admitsSignature(uri) {
		return fault(WeakAlgorithm, "signature algorithm %.64q, which this service provider does not admit", uri)
	}
	if e.First().Exists() || e.hasText() {
		return fault(MalformedSignature, "SignatureMethod must be empty")
	}
	return p.checkHash(s.algorithm.hash)
}

// readReference: the URI must be "#" and the ID of the element that carries the signature (SAML Core 5.4.2). Nothing is
// looked up by ID, so there is nothing to point elsewhere.
func (s *signature) readReference(ref, parent Element, p Policy) error {
	id := parent.value(idAttribute)
	if len(id) == 0 {
		return fault(MalformedSignature, "the signed element has no ID")
	}
	if uri := ref.value("URI"); len(uri) == 0 || uri[0] != '#' || !bytes.Equal(uri[1:], id) {
		return fault(MalformedSignature, "the Reference does not name the element that carries the signature")
	}
	var buf [maxParts]Element
	parts, err := children(buf[:0], ref, "Reference", 3)
	if err != nil {
		return err
	}
	if len(parts) != 3 || !parts[0].Is(dsNamespace, "Transforms") || !parts[1].Is(dsNamespace, "DigestMethod") ||
		!parts[2].Is(dsNamespace, "DigestValue") {
		return fault(MalformedSignature, "Reference must hold Transforms, DigestMethod and DigestValue")
	}
	if err := s.readTransforms(parts[0], p); err != nil {
		return err
	}
	uri := parts[1].value("Algorithm")
	var known bool
	if s.digest, known = digestAlgorithm(uri); !known {
		return fault(UnsupportedAlgorithm, "digest algorithm %.64q", uri)
	}
	if !p.admitsDigest(uri) {
		return fault(WeakAlgorithm, "digest algorithm %.64q, which this service provider does not admit", uri)
	}
	if parts[1].First().Exists() || parts[1].hasText() || !parts[2].onlyText() {
		return fault(MalformedSignature, "DigestMethod must be empty and DigestValue must hold text only")
	}
	s.digestB64 = parts[2]
	return p.checkHash(s.digest)
}

// readTransforms: enveloped-signature, then at most one canonicalisation (SAML Core 5.4.4).
func (s *signature) readTransforms(e Element, p Policy) error {
	var buf [maxParts]Element
	parts, err := children(buf[:0], e, "Transforms", maxTransforms)
	if err != nil {
		return err
	}
	for _, t := range parts {
		if !t.Is(dsNamespace, "Transform") {
			return fault(MalformedSignature, "Transforms must hold Transform elements only")
		}
	}
	if len(parts) == 0 || string(parts[0].value("Algorithm")) != envelopedSig || parts[0].First().Exists() || parts[0].hasText() {
		return fault(MalformedSignature, "the first transform must be enveloped-signature")
	}
	if len(parts) == 2 {
		if s.transform, err = readC14N(parts[1]); err != nil {
			return err
		}
	}
	// A "#ID" Reference never covers comments, whatever the algorithm's name says (XML Signature 1.1, 4.4.3.3).
	s.transform.Comments = false
	if !s.transform.Exclusive && !p.AllowInclusiveReference {
		return fault(WeakAlgorithm, "inclusive canonicalisation of the signed element")
	}
	return nil
}

// Signature returns the one ds:Signature child of e. None is Unsigned; several are MalformedSignature.
func (e Element) Signature() (Element, error) {
	var found Element
	for c := e.First(); c.Exists(); c = c.Next() {
		if !c.Is(dsNamespace, signatureName) {
			continue
		}
		if found.Exists() {
			return Element{}, fault(MalformedSignature, "two signatures on one element")
		}
		found = c
	}
	if !found.Exists() {
		return Element{}, fault(Unsigned, "no signature")
	}
	return found, nil
}

// Signed is what one of the pinned keys signed: canonical octets, and a view of them. It is valid until the next Parse
// of the Reader that read the document.
type Signed struct{ d *document }

// Root returns the signed element, without its signature, as a view of the canonical octets.
func (s Signed) Root() Element {
	if s.d == nil {
		return Element{}
	}
	return s.d.root()
}

// Bytes returns the canonical octets whose digest was signed.
func (s Signed) Bytes() []byte {
	if s.d == nil {
		return nil
	}
	return s.d.src
}

// Verify checks the signature that e, an element of u, carries as its one ds:Signature child, with the pinned keys, and
// returns what was signed. The key inside the message is not looked at. The signature's own element is checked before
// the digest of the signed element, so that only the holder of a pinned key makes us canonicalise it. At most three
// elements of one document can be verified: an ArtifactResponse, the Response in it, and its assertion.
func (u *Unverified) Verify(e Element, keys []crypto.PublicKey, p Policy) (Signed, error) {
	r := u.r
	if r.used == len(r.signed) {
		return Signed{}, fault(Limit, "more than %d signatures", len(r.signed))
	}
	sig, err := e.Signature()
	if err != nil {
		return Signed{}, err
	}
	s, err := readSignature(sig, p)
	if err != nil {
		return Signed{}, err
	}
	if err := r.verifyInfo(s, keys, p); err != nil {
		return Signed{}, err
	}
	out := &r.signed[r.used]
	buf := out.src[:0]
	c := &r.canon
	c.begin(e.d, buf, s.transform, s.row, out)
	octets, err := c.subtree(e.row)
	if err != nil {
		return Signed{}, err
	}
	out.src = octets
	var want, got [maxDigest]byte
	wanted, err := r.decodeBase64(want[:0], s.digestB64)
	if err != nil || string(wanted) != string(appendHash(got[:0], s.digest, octets)) {
		return Signed{}, fault(BadDigest, "the element is not the one that was signed: its digest differs")
	}
	r.used++
	return Signed{d: out}, nil
}

const maxDigest = 64

// verifyInfo checks the signature over SignedInfo with each key of the right type.
func (r *Reader) verifyInfo(s signature, keys []crypto.PublicKey, p Policy) error {
	c := &r.canon
	c.begin(s.info.d, r.info[:0], s.infoC14N, -1, nil)
	info, err := c.subtree(s.info.row)
	if err != nil {
		return err
	}
	r.info = info
	var buf [maxSignature]byte
	value, err := r.decodeBase64(buf[:0], s.value)
	if err != nil {
		return err
	}
	tried, err := s.algorithm.check(keys, p, info, appendHash(r.digest[:0], s.algorithm.hash, info), value)
	r.tried = r.tried || tried > 0
	return err
}

// check tries the keys of the right type over message, whose hash is digest, and says how many.
func (a algorithm) check(keys []crypto.PublicKey, p Policy, message, digest, signature []byte) (tried int, err error) {
	var weak error
	for _, key := range keys {
		fits, err := p.usable(a.family, key)
		if err != nil {
			weak = err
		}
		if !fits || tried == maxKeysTried {
			continue
		}
		tried++
		if a.verify(key, message, digest, signature) {
			return tried, nil
		}
	}
	switch {
	case tried == 0 && weak != nil:
		return tried, weak
	case tried == 0:
		return tried, fault(NoKey, "no key on file is of the type that the signature's algorithm needs")
	}
	return tried, fault(BadSignature, "none of the %d keys on file made this signature", tried)
}

// decodeBase64 decodes the text of e into buf, where it must find room.
func (r *Reader) decodeBase64(buf []byte, e Element) ([]byte, error) {
	text, plain := e.PlainText()
	if !plain {
		r.value = e.AppendText(r.value[:0])
		text = r.value
	}
	const padding = 2
	if holdsMore(text, cap(buf)+padding) {
		return nil, fault(MalformedSignature, "a value of %d octets of base64", len(text))
	}
	out, ok := AppendBase64(buf, text)
	if !ok || len(out) == 0 || len(out) > cap(buf) {
		return nil, fault(MalformedSignature, "%s is not base64 of at most %d octets", e.Local(), cap(buf))
	}
	return out, nil
}

// TakeTime does the work of a signature that none of the keys made, for a refusal that must not be told by its time from
// the refusal of such a signature.
func TakeTime(keys []crypto.PublicKey) {
	digest := appendHash(nil, crypto.SHA256, nil)
	var first family
	for i, key := range keys[:min(len(keys), maxKeysTried)] {
		var a algorithm
		var value []byte
		switch k := key.(type) {
		case *rsa.PublicKey:
			a, value = algorithm{rsaPKCS1, crypto.SHA256}, bytes.Repeat([]byte{1}, k.Size())
		case *ecdsa.PublicKey:
			size := (k.Curve.Params().BitSize + 7) / 8
			a, value = algorithm{ecdsaRS, crypto.SHA256}, bytes.Repeat([]byte{1}, 2*size)
		case ed25519.PublicKey:
			a, value = algorithm{eddsa, 0}, make([]byte, ed25519.SignatureSize)
		}
		if i == 0 {
			first = a.family
		}
		if a.family == first { // one signature is tried with keys of one type
			a.verify(key, nil, digest, value)
		}
	}
}
