package xmlsec_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/fips140"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml/internal/xmlsec"
)

// A signing says how the element with ID _a of a document is signed. It signs whatever it is told to, however wrong: the
// signature that comes out is always genuine, so that a refusal is for the shape.
type signing struct {
	doc       string // the signature goes where %s is
	id        string // of what is signed; _a by default
	key       crypto.Signer
	method    string                        // of the signature
	info      string                        // canonicalisation of SignedInfo
	digest    string                        // method
	transform string                        // content of Transforms behind enveloped-signature
	covered   xmlsec.C14N                   // what transform comes to
	template  func(string) string           // edits the signature before anything is digested
	value     func([]byte) []byte           // edits the signature value
	text      func(base64 string) string    // edits the text of the signature value
	after     func(signature string) string // edits the signature in the end
}

const (
	assertion    = `<Response xmlns="urn:r" xmlns:xs="urn:xs" ID="_r"><Assertion ID="_a"><Issuer>idp</Issuer>%s<Subject>ali<!-- c -->ce</Subject></Assertion></Response>`
	assertionOut = `<Assertion xmlns="urn:r" ID="_a"><Issuer>idp</Issuer><Subject>alice</Subject></Assertion>`
	excTransform = `<ds:Transform Algorithm="` + xmlsec.ExclusiveC14N + `"/>`
	enveloped    = `<ds:Transform Algorithm="` + dsNS + `enveloped-signature"/>`

	// A good signature, by its pieces.
	sigStart        = `<ds:Signature xmlns:ds="` + dsNS + `">`
	infoMethod      = `<ds:CanonicalizationMethod Algorithm="` + xmlsec.ExclusiveC14N + `"/>`
	signatureMethod = `<ds:SignatureMethod Algorithm="` + moreNS + `rsa-sha256"/>`
	transforms      = `<ds:Transforms>` + enveloped + excTransform + `</ds:Transforms>`
	digestMethod    = `<ds:DigestMethod Algorithm="` + encNS + `sha256"/>`
	digestValue     = `<ds:DigestValue>DIGEST</ds:DigestValue>`
	reference       = `<ds:Reference URI="#_a">` + transforms + digestMethod + digestValue + `</ds:Reference>`
	signedInfoStart = `<ds:SignedInfo>`
	signedInfo      = signedInfoStart + infoMethod + signatureMethod + reference + `</ds:SignedInfo>`
	signatureValue  = `<ds:SignatureValue>VALUE</ds:SignatureValue>`
	sigEnd          = `</ds:Signature>`
)

var (
	rsaKeys = sync.OnceValue(func() (keys [2]*rsa.PrivateKey) { // to check that one of them is not the other
		for i := range keys {
			keys[i] = must(rsa.GenerateKey(rand.Reader, 2048))
		}
		return keys
	})
	weakKey = sync.OnceValue(func() *rsa.PrivateKey {
		if fips140.Enforced() { // which makes none so short; it has the length of one
			return &rsa.PrivateKey{PublicKey: *keyOf(1024)}
		}
		return must(rsa.GenerateKey(rand.Reader, 1024))
	})
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func rsaKey() *rsa.PrivateKey { return rsaKeys()[0] }

func ecKey(curve elliptic.Curve) *ecdsa.PrivateKey {
	return must(ecdsa.GenerateKey(curve, rand.Reader))
}

func edKey() ed25519.PrivateKey {
	_, key := must2(ed25519.GenerateKey(rand.Reader))
	return key
}

func must2[A, B any](a A, b B, err error) (A, B) {
	if err != nil {
		panic(err)
	}
	return a, b
}

// sign makes a signing with its defaults filled in: a good signature of an assertion, but for the changes.
func sign(change ...func(*signing)) signing {
	s := signing{doc: assertion, id: "_a", method: moreNS + "rsa-sha256", info: xmlsec.ExclusiveC14N, digest: encNS + "sha256",
		transform: excTransform, covered: xmlsec.C14N{Exclusive: true}}
	for _, f := range change {
		f(&s)
	}
	if s.key == nil {
		s.key = rsaKey()
	}
	return s
}

// edit returns a change of the signature before it is made.
func edit(old, with string) func(*signing) {
	return func(s *signing) { s.template = replace(old, with) }
}

func replace(old, with string) func(string) string {
	return func(s string) string {
		if !strings.Contains(s, old) {
			panic("nothing to replace: " + old + " in " + s)
		}
		return strings.Replace(s, old, with, 1)
	}
}

// document makes the signed document.
func (s signing) document(t testing.TB) []byte {
	t.Helper()
	template := strings.NewReplacer(xmlsec.ExclusiveC14N+`"/><ds:SignatureMethod`, s.info+`"/><ds:SignatureMethod`, moreNS+"rsa-sha256", s.method, encNS+"sha256", s.digest,
		excTransform, s.transform, "#_a", "#"+s.id).Replace(sigStart + signedInfo + signatureValue + sigEnd)
	if s.template != nil {
		template = s.template(template)
	}
	octets := s.canonical(t, fmt.Sprintf(s.doc, ""), s.covered, func(e xmlsec.Element) bool { id, _ := e.Attr("ID"); return id == s.id })
	template = strings.ReplaceAll(template, "DIGEST", base64.StdEncoding.EncodeToString(digestOf(t, s.digest, octets)))

	m, _ := xmlsec.C14NByURI(s.info)
	info := s.canonical(t, fmt.Sprintf(s.doc, template), m, func(e xmlsec.Element) bool { return e.Is(dsNS, "SignedInfo") })
	value := s.signature(t, info)
	if s.value != nil {
		value = s.value(value)
	}
	text := base64.StdEncoding.EncodeToString(value)
	if s.text != nil {
		text = s.text(text)
	}
	template = strings.ReplaceAll(template, "VALUE", text)
	if s.after != nil {
		template = s.after(template)
	}
	return fmt.Appendf(nil, s.doc, template)
}

// canonical returns the octets of the first element that is wanted, nil if there is none: then there is nothing to sign.
func (s signing) canonical(t testing.TB, doc string, m xmlsec.C14N, want func(xmlsec.Element) bool) []byte {
	t.Helper()
	u := parseMetadata(t, doc)
	for e := range descendants(u.Root()) {
		if want(e) {
			octets, err := u.Canonicalize(nil, e, m)
			require.NoError(t, err)
			return octets
		}
	}
	return nil
}

func hashOf(uri string) crypto.Hash {
	for suffix, h := range map[string]crypto.Hash{"sha1": crypto.SHA1, "sha256": crypto.SHA256, "sha384": crypto.SHA384, "sha512": crypto.SHA512,
		"sha256-rsa-MGF1": crypto.SHA256, "sha384-rsa-MGF1": crypto.SHA384, "sha512-rsa-MGF1": crypto.SHA512} {
		if strings.HasSuffix(uri, suffix) {
			return h
		}
	}
	return crypto.SHA256
}

func digestOf(t testing.TB, uri string, octets []byte) []byte {
	t.Helper()
	hash := hashOf(uri)
	if fips140.Enforced() && hash == crypto.SHA1 { // which panics; it is to be refused before anybody looks at the value
		return make([]byte, hash.Size())
	}
	h := hash.New()
	h.Write(octets)
	return h.Sum(nil)
}

func (s signing) signature(t testing.TB, info []byte) []byte {
	t.Helper()
	hash := hashOf(s.method)
	digest := digestOf(t, s.method, info)
	if fips140.Enforced() && hash == crypto.SHA1 {
		return make([]byte, 256)
	}
	var value []byte
	var err error
	switch key := s.key.(type) {
	case *rsa.PrivateKey:
		if strings.Contains(s.method, "MGF1") {
			value, err = rsa.SignPSS(rand.Reader, key, hash, digest, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
		} else {
			value, err = rsa.SignPKCS1v15(nil, key, hash, digest)
		}
	case *ecdsa.PrivateKey:
		value, err = rs{key}.Sign(rand.Reader, digest, hash)
	case ed25519.PrivateKey:
		value = ed25519.Sign(key, info)
	}
	require.NoError(t, err)
	return value
}

// verify reads a document and verifies its assertion, or its root if there is none.
func verify(t testing.TB, doc []byte, p xmlsec.Policy, keys ...crypto.PublicKey) (xmlsec.Signed, error) {
	t.Helper()
	u, err := xmlsec.Parse(doc, xmlsec.Limits{})
	require.NoError(t, err, "%s", doc)
	e := u.Root().Child("urn:r", "Assertion")
	if !e.Exists() {
		e = u.Root()
	}
	s, err := u.Verify(e, keys, p)
	if err != nil {
		require.Equal(t, xmlsec.Signed{}, s, "a value beside an error")
	}
	return s, err
}

// verifies demands that a signing is accepted with its key, and that what is handed out is what it covers.
func (s signing) verifies(t testing.TB, p xmlsec.Policy) xmlsec.Signed {
	t.Helper()
	doc := s.document(t)
	got, err := verify(t, doc, p, s.key.Public())
	require.NoError(t, err, "%s", doc)
	return got
}

// refused demands that it is refused for that reason.
func (s signing) refused(t testing.TB, kind xmlsec.Kind, p xmlsec.Policy) {
	t.Helper()
	doc := s.document(t)
	_, err := verify(t, doc, p, s.key.Public())
	require.True(t, isKind(err, kind), "%v; %s", err, doc)
}
