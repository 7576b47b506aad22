package xmlsec_test

import (
	"bytes"
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/fips140"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/beevik/etree"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml/internal/compose"
	"github.com/logintrust/saml/internal/xmlsec"
)

const (
	ourselves = "https://sp.example.com"
	plainText = `<saml:Assertion a="1">t</saml:Assertion>`
	enc11NS   = "http://www.w3.org/2009/xmlenc11#"
)

// everything is the policy that admits all that can be admitted.
var everything = xmlsec.Policy{AllowSignedCBC: true, AllowUnsignedCBC: true, AllowRSA15: true, AllowTripleDES: true}

// A keyring holds our private keys, each in a box that counts how often it is asked.
type keyring struct {
	rsa  *rsa.PrivateKey
	ec   map[string]*ecdsa.PrivateKey
	used int
}

var ringKeys = sync.OnceValue(func() *keyring {
	k := &keyring{ec: map[string]*ecdsa.PrivateKey{}}
	var err error
	if k.rsa, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
		panic(err)
	}
	for _, curve := range []elliptic.Curve{elliptic.P256(), elliptic.P384(), elliptic.P521()} {
		if k.ec[curve.Params().Name], err = ecdsa.GenerateKey(curve, rand.Reader); err != nil {
			panic(err)
		}
	}
	return k
})

func newKeyring() *keyring { return &keyring{rsa: ringKeys().rsa, ec: ringKeys().ec} }

type rsaBox struct {
	*rsa.PrivateKey
	k *keyring
}

func (b rsaBox) Decrypt(r io.Reader, message []byte, opts crypto.DecrypterOpts) ([]byte, error) {
	b.k.used++
	return b.PrivateKey.Decrypt(r, message, opts)
}

type ecBox struct {
	*ecdh.PrivateKey
	k *keyring
}

func (b ecBox) ECDH(peer *ecdh.PublicKey) ([]byte, error) {
	b.k.used++
	return b.PrivateKey.ECDH(peer)
}

func (k *keyring) keys() []crypto.PrivateKey {
	keys := []crypto.PrivateKey{rsaBox{k.rsa, k}}
	for _, name := range []string{"P-256", "P-384", "P-521"} {
		key, err := k.ec[name].ECDH()
		if err != nil {
			panic(err)
		}
		keys = append(keys, ecBox{key, k})
	}
	return keys
}

// sealed is a document whose root holds plain, encrypted.
func sealed(t testing.TB, plain string, recipients ...compose.Encryption) *etree.Element {
	t.Helper()
	e, err := compose.Encrypted("saml:EncryptedAssertion", []byte(plain), recipients...)
	require.NoError(t, err)
	e.CreateAttr("xmlns:saml", samlNS)
	return e
}

func octetsOf(t testing.TB, e *etree.Element) []byte {
	t.Helper()
	b, err := etree.NewDocumentWithRoot(e.Copy()).WriteToBytes()
	require.NoError(t, err)
	return b
}

// opened decrypts the root of doc, as what nobody vouches for and as what somebody does. That a signature covers it must
// make no difference but for what the policy says.
func opened(t testing.TB, k *keyring, doc []byte, p xmlsec.Policy) (plain string, err error) {
	t.Helper()
	u, err := xmlsec.Parse(doc, xmlsec.Limits{})
	require.NoError(t, err)
	o := &xmlsec.Opener{Keys: k.keys(), Recipient: ourselves}
	k.used = 0
	got, err := u.Decrypt(u.Root(), o, p)
	checkFault(t, k, err)
	s, signErr := u.Record(u.Root(), xmlsec.Element{}, xmlsec.C14N{Exclusive: true})
	require.NoError(t, signErr)
	k.used = 0
	o.Reset(o.Keys, o.Recipient, o.Limits)
	_, signed, signedErr := s.Decrypt(s.Root(), o, p)
	checkFault(t, k, signedErr)
	if !isKind(err, xmlsec.WeakAlgorithm) {
		require.Equal(t, fmt.Sprint(err), fmt.Sprint(signedErr))
	}
	if err != nil {
		require.Zero(t, got)
		if signedErr != nil {
			return "", err
		}
		return string(signed.Bytes()), err
	}
	canonical, c14nErr := got.Document().Canonicalize(nil, got.Root(), xmlsec.C14N{Exclusive: true})
	require.NoError(t, c14nErr)
	require.Equal(t, string(canonical), string(signed.Bytes()))
	return string(canonical), nil
}

// checkFault: once a private key is used there is one fault, with one text, and no key is used more than four times.
func checkFault(t testing.TB, k *keyring, err error) {
	t.Helper()
	require.LessOrEqual(t, k.used, 4)
	if err != nil && k.used > 0 {
		require.Equal(t, xmlsec.Closed(), err)
	}
}

// A cryptogram is a kind of encryption, with what it needs of the policy and whether FIPS 140-3 mode forbids it.
type cryptogram struct {
	name   string
	e      compose.Encryption
	p      xmlsec.Policy
	noFIPS bool
	signed bool // opens inside of a signature only
}

func cryptograms(k *keyring) (list []cryptogram) {
	public := k.rsa.Public()
	sound := compose.Encryption{Key: public, Transport: compose.OAEP, Digest: crypto.SHA256, MGF: crypto.SHA256}
	for _, block := range []string{compose.AES128GCM, compose.AES192GCM, compose.AES256GCM} {
		e := sound
		e.Block = block
		list = append(list, cryptogram{name: block[len(enc11NS):], e: e})
	}
	for _, block := range []string{compose.AES128CBC, compose.AES192CBC, compose.AES256CBC} {
		e := sound
		e.Block = block
		list = append(list, cryptogram{name: block[len(encNS):], e: e, p: xmlsec.Policy{AllowUnsignedCBC: true}})
	}
	tripleDES := sound
	tripleDES.Block = compose.TripleDES
	list = append(list, cryptogram{name: "3des", e: tripleDES, p: xmlsec.Policy{AllowUnsignedCBC: true, AllowTripleDES: true}, noFIPS: true},
		cryptogram{name: "rsa-1_5", e: compose.Encryption{Key: public, Transport: compose.RSA15}, p: xmlsec.Policy{AllowRSA15: true}, noFIPS: true, signed: true},
		cryptogram{name: "mgf1p", e: compose.Encryption{Key: public}, noFIPS: true})
	for name, key := range k.ec {
		list = append(list, cryptogram{name: name, e: compose.Encryption{Key: key.Public()}})
	}
	if !fips140.Enforced() {
		return list
	}
	var allowed []cryptogram
	for _, c := range list {
		if !c.noFIPS {
			allowed = append(allowed, c)
		}
	}
	return allowed
}

// req: EN-GCM EN-OAEP-MGF EN-METHOD
func TestDecrypt(t *testing.T) {
	t.Parallel()
	k := newKeyring()
	for _, c := range cryptograms(k) {
		doc := octetsOf(t, sealed(t, plainText, c.e))
		got, err := opened(t, k, doc, c.p)
		if c.signed {
			requireKind(t, err, xmlsec.WeakAlgorithm)
		} else {
			require.NoError(t, err, c.name)
		}
		assert.Equal(t, `<saml:Assertion xmlns:saml="`+samlNS+`" a="1">t</saml:Assertion>`, got, c.name)
		if c.p != (xmlsec.Policy{}) {
			_, err := opened(t, k, doc, xmlsec.Policy{})
			requireKind(t, err, xmlsec.WeakAlgorithm)
			require.Zero(t, k.used)
		}
	}
}

// What FIPS 140-3 mode forbids is refused before anything could panic over it.
func TestDecryptWhatFIPSForbids(t *testing.T) {
	t.Parallel()
	k := newKeyring()
	change := func(path, attr, value string) func(*etree.Element) {
		return func(e *etree.Element) { e.FindElement(path).CreateAttr(attr, value) }
	}
	for name, edit := range map[string]func(*etree.Element){
		"mgf1p":      change(".//EncryptedKey/EncryptionMethod", "Algorithm", compose.OAEPMGF1P),
		"SHA-1":      change(".//DigestMethod", "Algorithm", dsNS+"sha1"),
		"MGF1-SHA1":  change(".//MGF", "Algorithm", enc11NS+"mgf1sha1"),
		"RSA 1.5":    change(".//EncryptedKey/EncryptionMethod", "Algorithm", compose.RSA15),
		"Triple DES": change(".//EncryptedData/EncryptionMethod", "Algorithm", compose.TripleDES),
		"no MGF":     func(e *etree.Element) { m := e.FindElement(".//MGF"); m.Parent().RemoveChild(m) },
		"no digest":  func(e *etree.Element) { m := e.FindElement(".//DigestMethod"); m.Parent().RemoveChild(m) },
		"no EncMeth.": func(e *etree.Element) {
			m := e.FindElement(".//EncryptedKey/EncryptionMethod")
			m.Parent().RemoveChild(m)
		},
	} {
		doc := sealed(t, plainText, compose.Encryption{Key: k.rsa.Public(), Transport: compose.OAEP, Digest: crypto.SHA256, MGF: crypto.SHA256})
		edit(doc)
		_, err := opened(t, k, octetsOf(t, doc), everything)
		require.Error(t, err, name)
		if fips140.Enforced() {
			require.Zero(t, k.used, name)
		}
	}
}

// setValue puts octets into a CipherValue or the like.
func setValue(e *etree.Element, path string, octets []byte) {
	e.FindElement(path).SetText(base64.StdEncoding.EncodeToString(octets))
}

func valueOf(t testing.TB, e *etree.Element, path string) []byte {
	t.Helper()
	octets, err := base64.StdEncoding.DecodeString(e.FindElement(path).Text())
	require.NoError(t, err)
	return octets
}

const (
	contentPath = ".//EncryptedData/CipherData/CipherValue"
	keyPath     = ".//EncryptedKey/CipherData/CipherValue"
	pointPath   = ".//PublicKey"
)

// Ciphertexts of every length from 0 on, and cut short, and with a bit changed at every place, do not open; all look the
// same.
//
// req: EN-ORACLE EN-GCM EN-KEYLEN
func TestMalformedCiphertexts(t *testing.T) {
	t.Parallel()
	for _, c := range cryptograms(newKeyring()) {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			k := newKeyring()
			doc := sealed(t, plainText, c.e)
			for _, path := range []string{contentPath, keyPath} {
				good := valueOf(t, doc, path)
				closed := func(octets []byte) {
					t.Helper()
					setValue(doc, path, octets)
					_, err := opened(t, k, octetsOf(t, doc), everything)
					switch {
					case c.signed:
						require.Error(t, err) // outside of a signature; the same inside of one, opened has held against checkFault
					case len(octets) == 0:
						requireKind(t, err, xmlsec.MalformedEncryption)
					default:
						require.Equal(t, xmlsec.Closed(), err)
					}
				}
				for size := range 65 {
					if size%16 > 1 && slices.Contains([]string{"aes128-gcm", "aes192-gcm", "aes192-cbc", "aes256-cbc", "P-384", "P-521"}, c.name) {
						continue // as the others of their kind
					}
					closed(good[:min(size, len(good)-1)])
					if size%8 == 0 {
						closed(make([]byte, size))
						closed(bytes.Repeat([]byte{0xff}, size))
					}
				}
				closed(append(bytes.Clone(good), good...))
				closed(good[:len(good)-1])
				if !strings.HasSuffix(c.name, "cbc") && c.name != "3des" || path == keyPath { // CBC protects nothing
					for at := range good {
						changed := bytes.Clone(good)
						changed[at] ^= 1 << (at % 8)
						if at%(len(good)/8+1) == 0 || at > len(good)-17 && path == contentPath {
							closed(changed)
						}
					}
				}
				setValue(doc, path, good)
			}
			_, err := opened(t, k, octetsOf(t, doc), everything)
			if !c.signed {
				require.NoError(t, err, "the untouched one opens")
			}
		})
	}
}

// A sender's key must be a point of the curve that it names, written out in full. What is none is refused before our key
// meets it (invalid curve attacks: Jager, Schwenk and Somorovsky, ESORICS 2015).
func TestSendersKey(t *testing.T) {
	t.Parallel()
	k := newKeyring()
	urns := map[string]string{"P-256": "urn:oid:1.2.840.10045.3.1.7", "P-384": "urn:oid:1.3.132.0.34", "P-521": "urn:oid:1.3.132.0.35"}
	for name, key := range k.ec {
		doc := sealed(t, plainText, compose.Encryption{Key: key.Public()})
		good := valueOf(t, doc, pointPath)
		size := len(good) / 2
		off := bytes.Clone(good)
		off[len(off)-1] ^= 1
		mirrored := bytes.Clone(good) // x and y exchanged
		copy(mirrored[1:], good[1+size:])
		copy(mirrored[1+size:], good[1:1+size])
		for what, point := range map[string][]byte{
			"not on the curve": off, "x and y exchanged": mirrored, "at infinity": {0}, "at infinity, in full length": make([]byte, len(good)),
			"origin":     append([]byte{4}, make([]byte, 2*size)...),
			"compressed": append([]byte{2 | good[len(good)-1]&1}, good[1:1+size]...), "hybrid": append([]byte{6 | good[len(good)-1]&1}, good[1:]...),
			"no form": append([]byte{5}, good[1:]...), "short": good[:len(good)-1], "long": append(bytes.Clone(good), 0),
			"x alone": good[:1+size], "out of the field": append([]byte{4}, bytes.Repeat([]byte{0xff}, 2*size)...), "very long": make([]byte, 5000),
		} {
			setValue(doc, pointPath, point)
			_, err := opened(t, k, octetsOf(t, doc), everything)
			require.Error(t, err, what)
			require.Zero(t, k.used, "%s: %s", name, what)
		}
		for n := range 65 {
			setValue(doc, pointPath, make([]byte, n))
			_, err := opened(t, k, octetsOf(t, doc), everything)
			require.Error(t, err)
			require.Zero(t, k.used)
		}
		setValue(doc, pointPath, good)
		for other, urn := range urns {
			doc.FindElement(".//NamedCurve").CreateAttr("URI", urn)
			_, err := opened(t, k, octetsOf(t, doc), everything)
			require.Equal(t, other == name, err == nil)
		}
		for _, urn := range []string{"", "urn:oid:1.3.132.0.10", "urn:oid:1.3.101.110", "P-256"} {
			doc.FindElement(".//NamedCurve").CreateAttr("URI", urn)
			_, err := opened(t, k, octetsOf(t, doc), everything)
			requireKind(t, err, xmlsec.UnsupportedAlgorithm)
		}
	}
}

// Parameters of the key derivation are whole octets in hexadecimal.
func TestDerivationParameters(t *testing.T) {
	t.Parallel()
	k := newKeyring()
	for value, kind := range map[string]xmlsec.Kind{
		"0": xmlsec.MalformedEncryption, "zz": xmlsec.MalformedEncryption, "0102": xmlsec.MalformedEncryption, "07ff": xmlsec.MalformedEncryption,
		strings.Repeat("00", 3000): xmlsec.MalformedEncryption,
		"":                         xmlsec.Undecryptable, "00": xmlsec.Undecryptable, "0000": xmlsec.Undecryptable,
	} {
		doc := sealed(t, plainText, compose.Encryption{Key: k.ec["P-256"].Public()})
		doc.FindElement(".//ConcatKDFParams").CreateAttr("PartyUInfo", value)
		_, err := opened(t, k, octetsOf(t, doc), xmlsec.Policy{})
		requireKind(t, err, kind)
	}
}

// Of two parts where there must be one, none counts: two readers might take one each.
//
// req: EN-METHOD CORE-2.2.4-type
func TestPartsThatAreThereTwice(t *testing.T) {
	t.Parallel()
	k := newKeyring()
	for path, kind := range map[string]xmlsec.Kind{
		".//EncryptedData/EncryptionMethod": xmlsec.UnsupportedAlgorithm, ".//EncryptedKey/EncryptionMethod": xmlsec.UnsupportedAlgorithm,
		".//EncryptedData/CipherData": xmlsec.MalformedEncryption, ".//EncryptedKey/CipherData": xmlsec.MalformedEncryption,
		contentPath: xmlsec.MalformedEncryption, keyPath: xmlsec.MalformedEncryption, "./EncryptedData": xmlsec.MalformedEncryption,
		"./EncryptedData/KeyInfo": xmlsec.NoDecryptionKey, ".//EncryptedKey/KeyInfo": xmlsec.UnsupportedAlgorithm,
		".//AgreementMethod": xmlsec.UnsupportedAlgorithm,
	} {
		doc := sealed(t, plainText, compose.Encryption{Key: k.ec["P-256"].Public()})
		e := doc.FindElement(path)
		e.Parent().InsertChildAt(e.Index(), e.Copy())
		_, err := opened(t, k, octetsOf(t, doc), xmlsec.Policy{})
		requireKind(t, err, kind)
		require.Zero(t, k.used, path)
	}
	doc := sealed(t, plainText, compose.Encryption{Key: k.ec["P-256"].Public()})
	value := doc.FindElement(contentPath)
	value.Parent().InsertChildAt(0, etree.NewElement("xenc:CipherReference"))
	_, err := opened(t, k, octetsOf(t, doc), xmlsec.Policy{})
	requireKind(t, err, xmlsec.MalformedEncryption)
}

// Plaintext is one element, read where the encrypted one stood, and cannot reach out of it.
//
// req: CORE-2.2.4-type EN-NSCTX EN-NEST
func TestPlaintext(t *testing.T) {
	t.Parallel()
	k := newKeyring()
	for plain, want := range map[string]string{
		`<saml:A/>`:                           `<saml:A xmlns:saml="` + samlNS + `"></saml:A>`,
		"\n <!-- c --> <saml:A/><!-- d -->\n": `<saml:A xmlns:saml="` + samlNS + `"></saml:A>`,
		`<A/>`:                                `<A></A>`,
		`<scope/>`:                            `<scope></scope>`,
		`<A xmlns:saml="urn:x"><saml:B/></A>`: `<A><saml:B xmlns:saml="urn:x"></saml:B></A>`,
		`<xenc:EncryptedData/>`:               "",
		`</scope><saml:A/><scope>`:            "",
		`<saml:A/></scope><scope>`:            "",
		`</scope><scope><saml:A/>`:            "",
		`<saml:A/></scope><!--`:               "",
		`<saml:A/><!--`:                       "",
		`<saml:A/><![CDATA[`:                  "",
		`<saml:A/><![CDATA[]]>x`:              "",
		`<saml:A/>&#65;`:                      "",
		`<saml:A`:                             "",
		`<saml:A>`:                            "",
		`<saml:A/><saml:A/>`:                  "",
		`<?xml version="1.0"?><saml:A/>`:      "",
		`<!DOCTYPE a><saml:A/>`:               "",
		"\ufeff<saml:A/>":                     "",
		` `:                                   "",
		`text`:                                "",
		`<a ID="x"><b ID="x"/></a>`:           "",
		`<other:A/>`:                          "",
		"\xff\xfe<\x00":                       "",
		"\x00":                                "",
		`" xmlns:x="urn:x"><saml:A/>`:         "",
		`<saml:A xmlns:xml="urn:x"/>`:         "",
		`<saml:A></saml:A ></scope >`:         "",
	} {
		got, err := opened(t, k, octetsOf(t, sealed(t, plain, compose.Encryption{Key: k.ec["P-256"].Public()})), xmlsec.Policy{})
		if want == "" {
			require.Equal(t, xmlsec.Closed(), err, plain)
			continue
		}
		require.NoError(t, err, plain)
		require.Equal(t, want, got)
	}
	deep := strings.Repeat("<a>", 200) + strings.Repeat("</a>", 200)
	_, err := opened(t, k, octetsOf(t, sealed(t, deep, compose.Encryption{Key: k.ec["P-256"].Public()})), xmlsec.Policy{})
	require.Equal(t, xmlsec.Closed(), err)
}

// The namespaces of the place are those that are in scope there, the innermost declaration of each prefix.
//
// req: EN-NSCTX
func TestPlaintextNamespaces(t *testing.T) {
	t.Parallel()
	k := newKeyring()
	inner := sealed(t, `<p:a><q:b/><c/><xml:d xml:e=""/></p:a>`, compose.Encryption{Key: k.ec["P-256"].Public()})
	for around, want := range map[string]string{
		`<r xmlns="urn:d" xmlns:p="urn:p1" xmlns:q="urn:q&amp;&quot;&lt;"><s xmlns:p="urn:p2" xmlns="">%s</s></r>`: `<p:a xmlns:p="urn:p2">` +
			`<q:b xmlns:q="urn:q&amp;&quot;&lt;"></q:b><c></c><xml:d xml:e=""></xml:d></p:a>`,
		`<r xmlns="" xmlns:p="urn:p1"><s xmlns="urn:d" xmlns:q="urn:q">%s</s></r>`: `<p:a xmlns:p="urn:p1"><q:b xmlns:q="urn:q"></q:b>` +
			`<c xmlns="urn:d"></c><xml:d xml:e=""></xml:d></p:a>`,
		`<r xmlns:p="urn:p"><s>%s</s></r>`:                         "",
		`<r><s xmlns:p="urn:p">%s</s><t xmlns:q="urn:q"/></r>`:     "",
		`<r><t xmlns:q="urn:q"/><s xmlns:p="urn:p">%s</s></r>`:     "",
		`<r xmlns:q="urn:q"><s xmlns:p="urn:p">%s</s></r>`:         `<p:a xmlns:p="urn:p"><q:b xmlns:q="urn:q"></q:b><c></c><xml:d xml:e=""></xml:d></p:a>`,
		`<r xmlns:q='urn:"'><s xmlns:p="urn:&#9;&#10;">%s</s></r>`: `<p:a xmlns:p="urn:&#x9;&#xA;"><q:b xmlns:q="urn:&quot;"></q:b><c></c><xml:d xml:e=""></xml:d></p:a>`,
	} {
		u, err := xmlsec.Parse(fmt.Appendf(nil, around, octetsOf(t, inner)), xmlsec.Limits{})
		require.NoError(t, err)
		o := &xmlsec.Opener{Keys: k.keys(), Recipient: ourselves}
		plain, err := u.Decrypt(u.Root().Child("", "s").First(), o, xmlsec.Policy{})
		if s := u.Root().First(); !u.Root().Child("", "s").Exists() {
			for ; s.Exists() && s.Local() != "s"; s = s.Next() {
			}
			plain, err = u.Decrypt(s.First(), o, xmlsec.Policy{})
		}
		if want == "" {
			require.Equal(t, xmlsec.Closed(), err, around)
			continue
		}
		require.NoError(t, err, around)
		got, err := plain.Document().Canonicalize(nil, plain.Root(), xmlsec.C14N{Exclusive: true})
		require.NoError(t, err)
		require.Equal(t, want, string(got))
	}
}

// An Opener's results do not share memory, and one that failed leaves nothing behind for the next.
func TestOpenerMemory(t *testing.T) {
	t.Parallel()
	k := newKeyring()
	key := compose.Encryption{Key: k.ec["P-256"].Public()}
	o := &xmlsec.Opener{Keys: k.keys(), Recipient: ourselves}
	for range 3 {
		o.Reset(k.keys(), ourselves, xmlsec.Limits{})
		var results []xmlsec.Signed
		var want []string
		for i := range 3 {
			plain := fmt.Sprintf(`<a n="%d">%s</a>`, i, strings.Repeat("x", 100*(3-i)))
			for _, text := range []string{"<broken>", plain} {
				u, err := xmlsec.Parse(octetsOf(t, sealed(t, text, key)), xmlsec.Limits{})
				require.NoError(t, err)
				s, err := u.Record(u.Root(), xmlsec.Element{}, xmlsec.C14N{Exclusive: true})
				require.NoError(t, err)
				if text == "<broken>" && i > 0 {
					continue
				}
				_, signed, err := s.Decrypt(s.Root(), o, xmlsec.Policy{})
				require.Equal(t, text == plain, err == nil)
				if err == nil {
					results, want = append(results, signed), append(want, plain)
				}
			}
		}
		for i, s := range results {
			require.Equal(t, want[i], string(s.Bytes()))
		}
		u, err := xmlsec.Parse(octetsOf(t, sealed(t, "<a/>", key)), xmlsec.Limits{})
		require.NoError(t, err)
		_, err = u.Decrypt(u.Root(), o, xmlsec.Policy{})
		require.Equal(t, xmlsec.Closed(), err, "four operations were all there are")
	}
}

// The key that opened something last is tried first, so that a key that is to retire costs two operations once.
//
// req: IIP-SP08
func TestLastKeyFirst(t *testing.T) {
	t.Parallel()
	k := newKeyring()
	old, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	o := &xmlsec.Opener{Keys: append(k.keys(), old), Recipient: ourselves}
	for i := range 4 {
		u, err := xmlsec.Parse(octetsOf(t, sealed(t, "<a/>", compose.Encryption{Key: old.Public()})), xmlsec.Limits{})
		require.NoError(t, err)
		_, err = u.Decrypt(u.Root(), o, xmlsec.Policy{})
		require.Equal(t, i < 3, err == nil, i)
	}
}

// A limit that what was opened meets is no fault of its own either.
func TestCanonicalLimitInsideLooksClosed(t *testing.T) {
	t.Parallel()
	k := newKeyring()
	var b strings.Builder
	b.WriteString("<a xmlns:p='urn:" + strings.Repeat("p", 1000) + "'>")
	b.WriteString(strings.Repeat("<p:b/>", 3000) + "</a>")
	u, err := xmlsec.Parse(octetsOf(t, sealed(t, b.String(), compose.Encryption{Key: k.ec["P-256"].Public()})), xmlsec.Limits{})
	require.NoError(t, err)
	s, err := u.Record(u.Root(), xmlsec.Element{}, xmlsec.C14N{Exclusive: true})
	require.NoError(t, err)
	_, _, err = s.Decrypt(s.Root(), &xmlsec.Opener{Keys: k.keys(), Recipient: ourselves}, xmlsec.Policy{})
	require.Equal(t, xmlsec.Closed(), err)
}
