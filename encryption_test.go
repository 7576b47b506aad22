package saml_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/beevik/etree"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml"
	"github.com/logintrust/saml/internal/fips"
	"github.com/logintrust/saml/samltest"
)

// cipherKey opens what is encrypted in most tests. Making one takes longer than most tests.
var cipherKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

func rsaKey(t testing.TB) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	return key
}

func ecKey(t testing.TB, curve elliptic.Curve) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	require.NoError(t, err)
	return key
}

// What is encrypted for us opens, whatever of the sound algorithms the identity provider uses.
//
// req: IIP-ALG04 EN-OAEP-MGF EN-OAEP-LABEL CORE-2.3.3-order EN-NSCTX EN-GCM
func TestEncryptedAssertionOpens(t *testing.T) {
	t.Parallel()
	const mgf1p = "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p"
	key := rsaKey(t)
	opens := func(name string, private crypto.PrivateKey, e samltest.Encryption) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if e.Digest == crypto.SHA1 || e.MGF == crypto.SHA1 || e.Transport == mgf1p {
				fips.Forbids(t, "OAEP with SHA-1")
			}
			w := newWorld(t, func(_ *saml.LoginTrust, c *saml.Config) {
				c.DecryptionKeys = []saml.DecryptionKey{{Key: private}}
			})
			for _, sign := range []samltest.Parts{samltest.SignAssertion, samltest.SignResponse, samltest.SignAssertion | samltest.SignResponse} {
				for _, e.Beside = range []bool{false, true} {
					login, err := w.login(func(a *samltest.Answer) {
						a.Sign, a.Encrypt = sign, []samltest.Encryption{e}
					})
					require.NoError(t, err)
					require.Equal(t, "alice", login.Subject().NameID.Value)
				}
			}
		})
	}
	hashes := []crypto.Hash{crypto.SHA1, crypto.SHA256, crypto.SHA384, crypto.SHA512}
	for _, block := range []string{"aes128-gcm", "aes192-gcm", "aes256-gcm"} {
		opens(block, key, samltest.Encryption{Key: key.Public(), Block: "http://www.w3.org/2009/xmlenc11#" + block})
	}
	for _, digest := range hashes {
		opens("mgf1p "+digest.String(), key, samltest.Encryption{Key: key.Public(), Transport: mgf1p, Digest: digest})
		for _, mgf := range hashes {
			opens("OAEP "+digest.String()+" "+mgf.String(), key, samltest.Encryption{Key: key.Public(), Transport: "http://www.w3.org/2009/xmlenc11#rsa-oaep",
				Digest: digest, MGF: mgf, Label: []byte("a label")})
		}
	}
	for _, curve := range []elliptic.Curve{elliptic.P256(), elliptic.P384(), elliptic.P521()} {
		key := ecKey(t, curve)
		for _, wrap := range []string{"128", "192", "256"} {
			for _, digest := range hashes[1:] {
				opens("ECDH-ES "+curve.Params().Name+wrap+digest.String(), key, samltest.Encryption{Key: key.Public(),
					Transport: "http://www.w3.org/2001/04/xmlenc#kw-aes" + wrap, Digest: digest})
			}
		}
	}
}

// counting is a private key in a box: it opens, and counts how often it is asked.
type counting struct {
	*rsa.PrivateKey
	times *atomic.Int32
}

func (k counting) Decrypt(r io.Reader, message []byte, opts crypto.DecrypterOpts) ([]byte, error) {
	k.times.Add(1)
	return k.PrivateKey.Decrypt(r, message, opts)
}

// A cipherWorld is a world whose service provider has one key that opens, in a box.
type cipherWorld struct {
	*world
	key   *rsa.PrivateKey
	times atomic.Int32
}

func newCipherWorld(t *testing.T, change ...func(*saml.LoginTrust, *saml.Config)) *cipherWorld {
	t.Helper()
	c := &cipherWorld{key: cipherKey()}
	c.world = newWorld(t, append(change, func(_ *saml.LoginTrust, config *saml.Config) {
		config.DecryptionKeys = []saml.DecryptionKey{{Key: counting{c.key, &c.times}}}
	})...)
	return c
}

// refused demands that a login is refused for that reason.
func (c *cipherWorld) refused(reason saml.Reason, change ...func(*samltest.Answer)) *saml.Error {
	c.t.Helper()
	login, err := c.login(change...)
	return refused(c.t, reason, login, err)
}

// answer is an answer encrypted for us, its assertion signed and the Response not, so that anybody may change what
// stands around the ciphertext.
func (c *cipherWorld) answer(change func(e *samltest.Encryption), after func(response *etree.Element)) func(*samltest.Answer) {
	return func(a *samltest.Answer) {
		e := samltest.Encryption{Key: c.key.Public()}
		if change != nil {
			change(&e)
		}
		a.Sign, a.Encrypt, a.AfterSign = samltest.SignAssertion, []samltest.Encryption{e}, after
	}
}

// editValue edits the octets of a CipherValue.
func editValue(path string, edit func([]byte) []byte) func(*etree.Element) {
	return func(response *etree.Element) {
		e := response.FindElement(path)
		octets, err := base64.StdEncoding.DecodeString(e.Text())
		if err != nil {
			panic(err)
		}
		e.SetText(base64.StdEncoding.EncodeToString(edit(octets)))
	}
}

const (
	contentPath = ".//EncryptedData/CipherData/CipherValue"
	keyPath     = ".//EncryptedKey/CipherData/CipherValue"
)

func flip(at int) func([]byte) []byte {
	return func(b []byte) []byte {
		b[(at+len(b))%len(b)] ^= 1
		return b
	}
}

// Whatever is wrong with a ciphertext, the refusal is the same to the last letter.
//
// req: EN-ORACLE EN-GCM EN-KEYLEN CORE-2.2.4-type EN-NEST
func TestCiphertextsThatDoNotOpen(t *testing.T) {
	t.Parallel()
	plain := func(text string) func(*samltest.Encryption) {
		return func(e *samltest.Encryption) { e.Plain = func([]byte) []byte { return []byte(text) } }
	}
	around := func(before, after string) func(*samltest.Encryption) {
		return func(e *samltest.Encryption) {
			e.Plain = func(xml []byte) []byte { return []byte(before + string(xml) + after) }
		}
	}
	other := rsaKey(t)
	cases := map[string]func(c *cipherWorld) func(*samltest.Answer){
		"another's key": func(c *cipherWorld) func(*samltest.Answer) {
			return c.answer(func(e *samltest.Encryption) { e.Key = other.Public() }, nil)
		},
		"key of another length": func(c *cipherWorld) func(*samltest.Answer) {
			return c.answer(nil, func(r *etree.Element) {
				r.FindElement(".//EncryptedData/EncryptionMethod").CreateAttr("Algorithm", "http://www.w3.org/2009/xmlenc11#aes128-gcm")
			})
		},
		"another label": func(c *cipherWorld) func(*samltest.Answer) {
			return c.answer(func(e *samltest.Encryption) { e.Label = []byte("a") }, func(r *etree.Element) {
				r.FindElement(".//OAEPparams").SetText("Yg==")
			})
		},
		"another digest": func(c *cipherWorld) func(*samltest.Answer) {
			return c.answer(func(e *samltest.Encryption) { e.Digest = crypto.SHA256 }, func(r *etree.Element) {
				r.FindElement(".//EncryptedKey/EncryptionMethod/DigestMethod").CreateAttr("Algorithm", "http://www.w3.org/2001/04/xmlenc#sha512")
			})
		},
	}
	for name, change := range map[string]func(*samltest.Encryption){
		"text":                plain("text"),
		"nothing but space":   plain("  "),
		"a NameID":            plain(`<saml:NameID>alice</saml:NameID>`),
		"not XML":             plain("<saml:Assertion"),
		"two elements":        plain("<a/><b/>"),
		"an open comment":     plain("<a/><!--"),
		"an open CDATA":       plain("<a/><![CDATA["),
		"a way out":           plain("<a/></scope><scope>"),
		"a way out and in":    around("</scope>", "<scope>"),
		"a DTD":               around("<!DOCTYPE x>", ""),
		"an instruction":      around("<?x?>", ""),
		"text in front":       around("x", ""),
		"text behind":         around("", "x"),
		"another assertion":   around("", `<saml:Assertion ID="_x"/>`),
		"an unbound prefix":   plain("<q:Assertion/>"),
		"nested":              plain(`<saml:EncryptedAssertion/>`),
		"another's Assertion": plain(`<Assertion xmlns="urn:x"/>`),
		"not UTF-8":           plain("<a>\xff</a>"),
		"a NUL":               plain("<a>\x00</a>"),
	} {
		cases["content is "+name] = func(c *cipherWorld) func(*samltest.Answer) { return c.answer(change, nil) }
	}
	for _, at := range []int{0, 11, 12, 40, -17, -16, -1} {
		cases[fmt.Sprintf("content changed at %d", at)] = func(c *cipherWorld) func(*samltest.Answer) {
			return c.answer(nil, editValue(contentPath, flip(at)))
		}
	}
	for _, at := range []int{0, 128, -1} {
		cases[fmt.Sprintf("key changed at %d", at)] = func(c *cipherWorld) func(*samltest.Answer) {
			return c.answer(nil, editValue(keyPath, flip(at)))
		}
	}
	for _, size := range []int{1, 11, 12, 13, 27, 28, 29, 64} {
		cases[fmt.Sprintf("content of %d octets", size)] = func(c *cipherWorld) func(*samltest.Answer) {
			return c.answer(nil, editValue(contentPath, func(b []byte) []byte { return b[:size] }))
		}
	}
	for _, size := range []int{1, 255, 257, 1000} {
		cases[fmt.Sprintf("key of %d octets", size)] = func(c *cipherWorld) func(*samltest.Answer) {
			return c.answer(nil, editValue(keyPath, func(b []byte) []byte { return bytes.Repeat(b, 5)[:size] }))
		}
	}
	texts := make(chan string, len(cases))
	t.Run("each", func(t *testing.T) {
		for name, make := range cases {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				c := newCipherWorld(t)
				e := c.refused(saml.DecryptionFailed, make(c))
				texts <- e.Error()
				assert.EqualValues(t, 1, c.times.Load(), "the private key is used once, as for one that opens")
				_, err := c.login(c.answer(nil, nil))
				require.NoError(t, err, "the untouched one is accepted")
			})
		}
	})
	close(texts)
	first := <-texts
	for text := range texts {
		require.Equal(t, first, text)
	}
}

// What is not allowed is refused for what it is, before a private key is used.
//
// req: E93 EN-METHOD EN-CIPHERREF EN-NOTAUTH EN-RECIP CORE-2.2.4-type
func TestEncryptionThatIsRefusedUnopened(t *testing.T) {
	t.Parallel()
	set := func(path, attr, value string) func(*etree.Element) {
		return func(r *etree.Element) { r.FindElement(path).CreateAttr(attr, value) }
	}
	drop := func(path string) func(*etree.Element) {
		return func(r *etree.Element) { e := r.FindElement(path); e.Parent().RemoveChild(e) }
	}
	with := func(block, transport string) func(*samltest.Encryption) {
		return func(e *samltest.Encryption) { e.Block, e.Transport = block, transport }
	}
	const xenc, xenc11 = "http://www.w3.org/2001/04/xmlenc#", "http://www.w3.org/2009/xmlenc11#"
	for name, tc := range map[string]struct {
		change func(*samltest.Encryption)
		after  func(*etree.Element)
		reason saml.Reason
	}{
		"AES-128-CBC":              {with(xenc+"aes128-cbc", ""), nil, saml.WeakAlgorithm},
		"AES-256-CBC":              {with(xenc+"aes256-cbc", ""), nil, saml.WeakAlgorithm},
		"Triple DES":               {with(xenc+"tripledes-cbc", ""), nil, saml.WeakAlgorithm},
		"RSA 1.5":                  {with("", xenc+"rsa-1_5"), nil, saml.WeakAlgorithm},
		"no method of the content": {nil, drop(".//EncryptedData/EncryptionMethod"), saml.UnsupportedAlgorithm},
		"no method of the key":     {nil, drop(".//EncryptedKey/EncryptionMethod"), saml.UnsupportedAlgorithm},
		"unknown method":           {nil, set(".//EncryptedData/EncryptionMethod", "Algorithm", xenc11+"aes512-gcm"), saml.UnsupportedAlgorithm},
		"unknown transport":        {nil, set(".//EncryptedKey/EncryptionMethod", "Algorithm", xenc+"rsa"), saml.UnsupportedAlgorithm},
		"unknown digest":           {func(e *samltest.Encryption) { e.Digest = crypto.SHA256 }, set(".//EncryptedKey/EncryptionMethod/DigestMethod", "Algorithm", "md5"), saml.UnsupportedAlgorithm},
		"key wrap, no agreement":   {nil, set(".//EncryptedKey/EncryptionMethod", "Algorithm", xenc+"kw-aes256"), saml.UnsupportedAlgorithm},
		"content, not element":     {nil, set(".//EncryptedData", "Type", xenc+"Content"), saml.BadResponse},
		"no EncryptedData":         {nil, drop(".//EncryptedData"), saml.BadResponse},
		"no CipherValue":           {nil, drop(contentPath), saml.BadResponse},
		"CipherValue not base64":   {nil, func(r *etree.Element) { r.FindElement(contentPath).SetText("%%%") }, saml.BadResponse},
		"CipherReference":          {nil, func(r *etree.Element) { r.FindElement(contentPath).Tag = "CipherReference" }, saml.BadResponse},
		"two EncryptedData":        {nil, func(r *etree.Element) { e := r.FindElement(".//EncryptedData"); e.Parent().AddChild(e.Copy()) }, saml.BadResponse},
		"something else beside":    {nil, func(r *etree.Element) { r.FindElement(".//EncryptedAssertion").CreateElement("ds:KeyInfo") }, saml.BadResponse},
		"no key":                   {nil, drop(".//EncryptedKey"), saml.EncryptedAssertion},
		"for another":              {func(e *samltest.Encryption) { e.Recipient = "https://other.example.com" }, nil, saml.EncryptedAssertion},
		"EC key for our RSA key":   {func(e *samltest.Encryption) { e.Key = ecKey(t, elliptic.P256()).Public() }, nil, saml.EncryptedAssertion},
		"ten thousand keys":        {nil, manyKeys(10_000), saml.TooLarge},
		"seventeen keys":           {nil, manyKeys(17), saml.TooLarge},
		"a large wrapped key":      {nil, func(r *etree.Element) { r.FindElement(keyPath).SetText(strings.Repeat("A", 40_000)) }, saml.TooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCipherWorld(t)
			c.refused(tc.reason, c.answer(tc.change, tc.after))
			require.Zero(t, c.times.Load(), "no private key is used")
		})
	}
	t.Run("unsigned", func(t *testing.T) {
		t.Parallel()
		c := newCipherWorld(t)
		c.refused(saml.Unsigned, c.answer(nil, nil), func(a *samltest.Answer) { a.Sign = 0 })
	})
}

func manyKeys(n int) func(*etree.Element) {
	return func(r *etree.Element) {
		key := r.FindElement(".//EncryptedKey")
		for range n - 1 {
			key.Parent().AddChild(key.Copy())
		}
	}
}

// Four operations with a private key are all that one message gets.
//
// req: EN-NEST
func TestPrivateKeyWorkIsBounded(t *testing.T) {
	t.Parallel()
	c := newCipherWorld(t)
	theirs := rsaKey(t)
	c.refused(saml.DecryptionFailed, c.answer(func(e *samltest.Encryption) { e.Key = theirs.Public() }, manyKeys(16)))
	require.EqualValues(t, 4, c.times.Load())
}

// A key that is to retire still opens, and a key for somebody else is left alone.
//
// req: IIP-SP08 E43-loc EN-RECIP
func TestSeveralDecryptionKeysAndRecipients(t *testing.T) {
	t.Parallel()
	next, current, theirs := rsaKey(t), rsaKey(t), rsaKey(t)
	w := newWorld(t, func(_ *saml.LoginTrust, c *saml.Config) {
		c.DecryptionKeys = []saml.DecryptionKey{{Key: next}, {Key: ecKey(t, elliptic.P256())}, {Key: current}}
	})
	for name, list := range map[string][]samltest.Encryption{
		"the old key":               {{Key: current.Public()}},
		"the new key":               {{Key: next.Public()}},
		"for another first":         {{Key: theirs.Public(), Recipient: "https://other.example.com"}, {Key: current.Public(), Recipient: w.sp.EntityID()}},
		"for nobody in particular":  {{Key: theirs.Public()}, {Key: current.Public()}},
		"beside, for another first": {{Key: theirs.Public(), Beside: true, Recipient: "https://other.example.com"}, {Key: current.Public(), Beside: true}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := w.login(func(a *samltest.Answer) { a.Encrypt = list })
			require.NoError(t, err)
		})
	}
}

// CBC is for trusts that say so: by one option inside of a signature, by a louder one outside.
//
// req: E93 IIP-ALG05
func TestCBCByOption(t *testing.T) {
	t.Parallel()
	const xenc = "http://www.w3.org/2001/04/xmlenc#"
	for name, tc := range map[string]struct {
		allow            func(*saml.LoginTrust)
		block, transport string
		sign             samltest.Parts
		reason           saml.Reason // "" = accepted
	}{
		"inside, not allowed":         {nil, xenc + "aes128-cbc", "", samltest.SignResponse, saml.WeakAlgorithm},
		"inside":                      {func(t *saml.LoginTrust) { t.AllowSignedCBC = true }, xenc + "aes192-cbc", "", samltest.SignResponse, ""},
		"inside, both signed":         {func(t *saml.LoginTrust) { t.AllowSignedCBC = true }, xenc + "aes256-cbc", "", samltest.SignResponse | samltest.SignAssertion, ""},
		"outside":                     {func(t *saml.LoginTrust) { t.AllowSignedCBC = true }, xenc + "aes256-cbc", "", samltest.SignAssertion, saml.WeakAlgorithm},
		"outside, the louder one":     {func(t *saml.LoginTrust) { t.InsecureAllowUnsignedCBC = true }, xenc + "aes256-cbc", "", samltest.SignAssertion, ""},
		"inside, the louder one":      {func(t *saml.LoginTrust) { t.InsecureAllowUnsignedCBC = true }, xenc + "aes128-cbc", "", samltest.SignResponse, ""},
		"Triple DES, CBC only":        {func(t *saml.LoginTrust) { t.AllowSignedCBC = true }, xenc + "tripledes-cbc", "", samltest.SignResponse, saml.WeakAlgorithm},
		"Triple DES alone":            {func(t *saml.LoginTrust) { t.Allow3DES = true }, xenc + "tripledes-cbc", "", samltest.SignResponse, saml.WeakAlgorithm},
		"Triple DES and CBC":          {func(t *saml.LoginTrust) { t.Allow3DES, t.AllowSignedCBC = true, true }, xenc + "tripledes-cbc", "", samltest.SignResponse, ""},
		"RSA 1.5 inside":              {func(t *saml.LoginTrust) { t.InsecureAllowRSA15 = true }, "", xenc + "rsa-1_5", samltest.SignResponse, ""},
		"RSA 1.5 outside":             {func(t *saml.LoginTrust) { t.InsecureAllowRSA15 = true }, "", xenc + "rsa-1_5", samltest.SignAssertion, saml.WeakAlgorithm},
		"RSA 1.5 inside, not allowed": {nil, "", xenc + "rsa-1_5", samltest.SignResponse, saml.WeakAlgorithm},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCipherWorld(t, func(trust *saml.LoginTrust, _ *saml.Config) {
				if tc.allow != nil {
					tc.allow(trust)
				}
			})
			answer := c.answer(func(e *samltest.Encryption) { e.Block, e.Transport = tc.block, tc.transport }, nil)
			sign := func(a *samltest.Answer) { a.Sign = tc.sign }
			if tc.reason != "" {
				c.refused(tc.reason, answer, sign)
				return
			}
			if strings.HasSuffix(tc.block, "#tripledes-cbc") || tc.transport != "" {
				fips.Forbids(t, "Triple DES and RSA 1.5 encryption")
			}
			_, err := c.login(answer, sign)
			require.NoError(t, err)
		})
	}
}

// Outside of a signature, CBC must not tell a bad padding from a bad signature inside, nor from anything between them.
//
// req: E93 EN-ORACLE
func TestUnsignedCBCIsNoOracle(t *testing.T) {
	t.Parallel()
	c := newCipherWorld(t, func(trust *saml.LoginTrust, _ *saml.Config) { trust.InsecureAllowUnsignedCBC = true })
	cbc := func(plain func([]byte) []byte) func(*samltest.Encryption) {
		return func(e *samltest.Encryption) { e.Block, e.Plain = "http://www.w3.org/2001/04/xmlenc#aes128-cbc", plain }
	}
	want := c.refused(saml.DecryptionFailed, c.answer(cbc(nil), editValue(contentPath, flip(-1)))).Error()
	for name, answer := range map[string]func(*samltest.Answer){
		"padding":            c.answer(cbc(nil), editValue(contentPath, flip(-17))),
		"first block":        c.answer(cbc(nil), editValue(contentPath, flip(0))),
		"middle":             c.answer(cbc(nil), editValue(contentPath, flip(500))),
		"half a block":       c.answer(cbc(nil), editValue(contentPath, func(b []byte) []byte { return b[:len(b)-8] })),
		"one block less":     c.answer(cbc(nil), editValue(contentPath, func(b []byte) []byte { return b[:len(b)-16] })),
		"nothing but the IV": c.answer(cbc(nil), editValue(contentPath, func(b []byte) []byte { return b[:16] })),
		"bad signature": c.answer(cbc(func(xml []byte) []byte {
			return bytes.Replace(xml, []byte("alice"), []byte("admin"), 1)
		}), nil),
		"unsigned inside":  c.answer(cbc(func([]byte) []byte { return []byte(`<saml:Assertion ID="_a"/>`) }), nil),
		"not an assertion": c.answer(cbc(func([]byte) []byte { return []byte(`<saml:Advice/>`) }), nil),
		"bad XML":          c.answer(cbc(func([]byte) []byte { return []byte(`<saml:Advice`) }), nil),
		"algorithm inside": c.answer(cbc(func(xml []byte) []byte {
			return bytes.Replace(xml, []byte("#rsa-sha256"), []byte("#hmac-sha256"), 1)
		}), nil),
	} {
		require.Equal(t, want, c.refused(saml.DecryptionFailed, answer).Error(), name)
	}
	_, err := c.login(c.answer(cbc(nil), nil))
	require.NoError(t, err)
}

// An element that was encrypted must not have the ID of one outside: somebody else might resolve it differently.
func TestIDsAreUniqueAcrossEncryption(t *testing.T) {
	t.Parallel()
	c := newCipherWorld(t)
	c.refused(saml.BadResponse, c.answer(nil, nil), func(a *samltest.Answer) { a.ID = a.Assertion().ID })
}

// A signed Response covers what it carries encrypted; a ciphertext put in the place of another is not covered.
//
// req: CORE-5.3 EN-NOTAUTH
func TestEncryptionInsideASignedResponse(t *testing.T) {
	t.Parallel()
	c := newCipherWorld(t)
	answer := c.answer(nil, nil)
	signed := func(a *samltest.Answer) { a.Sign = samltest.SignResponse }
	_, err := c.login(answer, signed)
	require.NoError(t, err)
	forged := func(a *samltest.Answer) {
		own := *a
		own.AfterSign = nil
		var theirs *etree.Element
		own.AfterSign = func(r *etree.Element) { theirs = r.FindElement(".//EncryptedAssertion").Copy() }
		own.XML()
		a.AfterSign = func(r *etree.Element) {
			e := r.FindElement(".//EncryptedAssertion")
			at := e.Index()
			r.RemoveChildAt(at)
			r.InsertChildAt(at, theirs)
		}
	}
	c.refused(saml.BadSignature, answer, signed, forged)
}

// An EncryptedID and EncryptedAttributes give what the same in clear give.
//
// req: CONF-3.4-attr CORE-2.3.3-order
func TestEncryptedParts(t *testing.T) {
	t.Parallel()
	c := newCipherWorld(t)
	clear, err := c.login()
	require.NoError(t, err)
	for _, sign := range []samltest.Parts{samltest.SignAssertion, samltest.SignResponse, samltest.SignAssertion | samltest.SignResponse} {
		for _, within := range []bool{false, true} {
			login, err := c.login(func(a *samltest.Answer) {
				e := []samltest.Encryption{{Key: c.key.Public(), Beside: true}}
				a.Sign, a.EncryptNameID, a.EncryptAttributes = sign, e, e
				if a.Assertion().Attributes = a.Assertion().Attributes[:2]; within {
					a.EncryptAttributes, a.Encrypt = nil, e
				}
			})
			require.NoError(t, err)
			require.Equal(t, clear.Subject().NameID, login.Subject().NameID)
			require.Equal(t, clear.Attributes()[:2], login.Attributes())
		}
	}
	part := func(e samltest.Encryption, after func(*etree.Element)) func(*samltest.Answer) {
		return func(a *samltest.Answer) {
			a.EncryptNameID, a.BeforeSign = []samltest.Encryption{e}, nil
			a.AfterSign = after
		}
	}
	theirs := rsaKey(t)
	c.refused(saml.DecryptionFailed, part(samltest.Encryption{Key: theirs.Public()}, nil))
	c.refused(saml.DecryptionFailed, part(samltest.Encryption{Key: c.key.Public(), Plain: func([]byte) []byte { return []byte("<saml:BaseID/>") }}, nil))
	c.refused(saml.WeakAlgorithm, part(samltest.Encryption{Key: c.key.Public(), Block: "http://www.w3.org/2001/04/xmlenc#aes128-cbc"}, nil))
	c.times.Store(0)
	c.refused(saml.BadSignature, part(samltest.Encryption{Key: c.key.Public()}, editValue(contentPath, flip(40))))
	require.Zero(t, c.times.Load(), "what is signed is verified before it is opened")
	without := newWorld(t)
	login, err := without.login(part(samltest.Encryption{Key: c.key.Public()}, nil))
	refused(t, saml.EncryptedAssertion, login, err)
}
