package xmlsec_test

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/fips140"
	"crypto/rand"
	"crypto/rsa"
	"encoding/asn1"
	"encoding/base64"
	"fmt"
	"math/big"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml/internal/fips"
	"github.com/logintrust/saml/internal/xmlsec"
)

// req: CORE-5-env SE-PARSER
func TestVerify(t *testing.T) {
	t.Parallel()
	s := sign().verifies(t, xmlsec.Policy{})
	assert.Equal(t, assertionOut, string(s.Bytes()))
	assert.True(t, s.Root().Is("urn:r", "Assertion"))
	assert.False(t, s.Root().HasSignature())
	assert.Equal(t, "alice", s.Root().Child("urn:r", "Subject").Text())
	assert.False(t, s.Root().Parent().Exists(), "nothing around it is signed")
	assert.False(t, s.Root().Next().Exists())
}

// Every algorithm on the list, with a key that fits; the value of every other is refused.
//
// req: IIP-ALG01 IIP-ALG02 IIP-ALG03 SG-ECDSA OWASP-SHA1
func TestVerifyAlgorithms(t *testing.T) {
	t.Parallel()
	sha1 := xmlsec.Policy{AllowSHA1: true}
	for _, c := range []struct {
		name, method, digest string
		key                  crypto.Signer
		policy               xmlsec.Policy
	}{
		{name: "rsa-sha256", method: moreNS + "rsa-sha256", key: rsaKey()},
		{name: "rsa-sha384", method: moreNS + "rsa-sha384", key: rsaKey(), digest: moreNS + "sha384"},
		{name: "rsa-sha512", method: moreNS + "rsa-sha512", key: rsaKey(), digest: encNS + "sha512"},
		{name: "pss-sha256", method: "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1", key: rsaKey()},
		{name: "pss-sha384", method: "http://www.w3.org/2007/05/xmldsig-more#sha384-rsa-MGF1", key: rsaKey()},
		{name: "pss-sha512", method: "http://www.w3.org/2007/05/xmldsig-more#sha512-rsa-MGF1", key: rsaKey()},
		{name: "P-256", method: moreNS + "ecdsa-sha256", key: ecKey(elliptic.P256())},
		{name: "P-256 sha384", method: moreNS + "ecdsa-sha384", key: ecKey(elliptic.P256())},
		{name: "P-256 sha512", method: moreNS + "ecdsa-sha512", key: ecKey(elliptic.P256())},
		{name: "P-384", method: moreNS + "ecdsa-sha384", key: ecKey(elliptic.P384())},
		{name: "P-521", method: moreNS + "ecdsa-sha512", key: ecKey(elliptic.P521())},
		{name: "P-521 sha256", method: moreNS + "ecdsa-sha256", key: ecKey(elliptic.P521())},
		{name: "Ed25519", method: "http://www.w3.org/2021/04/xmldsig-more#eddsa-ed25519", key: edKey()},
		{name: "rsa-sha1", method: dsNS + "rsa-sha1", key: rsaKey(), policy: sha1},
		{name: "ecdsa-sha1", method: moreNS + "ecdsa-sha1", key: ecKey(elliptic.P256()), policy: sha1},
		{name: "digest sha1", method: moreNS + "rsa-sha256", digest: dsNS + "sha1", key: rsaKey(), policy: sha1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if c.policy.AllowSHA1 {
				fips.Forbids(t, "SHA-1")
			}
			s := sign(func(s *signing) {
				s.method, s.key = c.method, c.key
				if c.digest != "" {
					s.digest = c.digest
				}
			})
			assert.Equal(t, assertionOut, string(s.verifies(t, c.policy).Bytes()))
			if c.policy.AllowSHA1 {
				s.refused(t, xmlsec.WeakAlgorithm, xmlsec.Policy{AllowRSA1024: true, AllowInclusiveReference: true})
			}
			last := s
			last.value = func(v []byte) []byte { v[len(v)-1] ^= 1; return v }
			last.refused(t, xmlsec.BadSignature, c.policy)
			first := s
			first.value = func(v []byte) []byte { v[0] ^= 1; return v }
			first.refused(t, xmlsec.BadSignature, c.policy)
			for name, f := range map[string]func([]byte) []byte{
				"shorter": func(v []byte) []byte { return v[:len(v)-1] }, "longer": func(v []byte) []byte { return append(v, 0) },
				"padded": func(v []byte) []byte { return append([]byte{0}, v...) }, "twice": func(v []byte) []byte { return append(v, v...) },
				"zero": func(v []byte) []byte { clear(v); return v }, "one octet": func([]byte) []byte { return []byte{0} }, "ones": func(v []byte) []byte { return bytes.Repeat([]byte{0xff}, len(v)) },
			} {
				s.value = f
				_, err := verify(t, s.document(t), c.policy, c.key.Public())
				assert.True(t, isKind(err, xmlsec.BadSignature), "%s: %v", name, err)
			}
		})
	}
}

// What is not on the list of algorithms, though the specification once had it. A key is never read as another algorithm's.
//
// req: SG-ALGCONF IIP-ALG08 CONF-4-legacy
func TestVerifyUnknownAlgorithms(t *testing.T) {
	t.Parallel()
	lax := xmlsec.Policy{AllowSHA1: true, AllowRSA1024: true, AllowInclusiveReference: true}
	for _, uri := range []string{
		dsNS + "hmac-sha1", moreNS + "hmac-sha256", moreNS + "hmac-sha512", dsNS + "dsa-sha1", "http://www.w3.org/2009/xmldsig11#dsa-sha256", moreNS + "rsa-md5", moreNS + "md5",
		moreNS + "rsa-ripemd160", "http://www.w3.org/2007/05/xmldsig-more#rsa-pss", "http://www.w3.org/2007/05/xmldsig-more#sha1-rsa-MGF1", moreNS + "ecdsa-sha224", moreNS + "RSA-SHA256",
		moreNS + "rsa-sha256 ", " " + moreNS + "rsa-sha256", moreNS + "rsa-sha256#", "rsa-sha256", "", "none", encNS + "rsa-1_5",
	} {
		sign(func(s *signing) { s.method = uri }).refused(t, xmlsec.UnsupportedAlgorithm, lax)
	}
	for _, uri := range []string{moreNS + "md5", encNS + "ripemd160", moreNS + "sha224", encNS + "sha256 ", "sha256", "", moreNS + "rsa-sha256", encNS + "sha384"} {
		sign(func(s *signing) { s.digest = uri }).refused(t, xmlsec.UnsupportedAlgorithm, lax)
	}
	for _, uri := range []string{"http://www.w3.org/2006/12/xml-c14n11#", "http://www.w3.org/2010/xml-c14n2", dsNS + "base64", "", xmlsec.ExclusiveC14N + "withcomments", " " + xmlsec.ExclusiveC14N} {
		sign(func(s *signing) { s.info = uri }).refused(t, xmlsec.UnsupportedAlgorithm, lax)
		sign(func(s *signing) { s.transform = `<ds:Transform Algorithm="` + uri + `"/>` }).refused(t, xmlsec.UnsupportedAlgorithm, lax)
	}
	for _, name := range []string{"CanonicalizationMethod", "SignatureMethod", "DigestMethod"} {
		for _, with := range []string{" Algorithmus=", " algorithm=", ` xmlns:x="u" x:Algorithm=`} {
			sign(edit(name+" Algorithm=", name+with)).refused(t, xmlsec.UnsupportedAlgorithm, lax)
		}
	}
}

// req: SG-ALGCONF CORE-5.4.5 IIP-MD07 SDP-MD06 SE-LIMITS
func TestVerifyKeys(t *testing.T) {
	t.Parallel()
	s := sign()
	doc := s.document(t)
	good, other := rsaKey().Public(), rsaKeys()[1].Public()
	ec, ed := ecKey(elliptic.P256()).Public(), edKey().Public()
	repeat := func(key crypto.PublicKey, n int) (keys []crypto.PublicKey) {
		for range n {
			keys = append(keys, key)
		}
		return keys
	}
	for _, c := range []struct {
		name string
		keys []crypto.PublicKey
		want xmlsec.Kind // -1: accepted
	}{
		{"the one", []crypto.PublicKey{good}, -1},
		{"the second", []crypto.PublicKey{other, good}, -1},
		{"the third, of several kinds", []crypto.PublicKey{ec, other, ed, good}, -1},
		{"behind one that is too short", []crypto.PublicKey{weakKey().Public(), good}, -1},
		{"no key", nil, xmlsec.NoKey},
		{"another", []crypto.PublicKey{other}, xmlsec.BadSignature},
		{"of another type", []crypto.PublicKey{ec, ed}, xmlsec.NoKey},
		{"nil", []crypto.PublicKey{nil}, xmlsec.NoKey},
		{"a private key", []crypto.PublicKey{rsaKey()}, xmlsec.NoKey},
		{"a value, no pointer", []crypto.PublicKey{*rsaKey().Public().(*rsa.PublicKey)}, xmlsec.NoKey},
		{"octets", []crypto.PublicKey{[]byte("secret"), "secret"}, xmlsec.NoKey},
		{"too short", []crypto.PublicKey{weakKey().Public()}, xmlsec.WeakKey},
		{"too short, and of another type", []crypto.PublicKey{weakKey().Public(), ec}, xmlsec.WeakKey},
		{"too short, and another", []crypto.PublicKey{weakKey().Public(), other}, xmlsec.BadSignature},
		{"as long as can be", []crypto.PublicKey{keyOf(xmlsec.MaxRSABits)}, xmlsec.BadSignature},
		{"too long", []crypto.PublicKey{keyOf(xmlsec.MaxRSABits + 1)}, xmlsec.WeakKey},
		{"the last that is tried", append(repeat(other, xmlsec.MaxKeysTried-1), good), -1},
		{"one too many", append(repeat(other, xmlsec.MaxKeysTried), good), xmlsec.BadSignature},
		{"many of other types do not count", append(repeat(ec, 100), good), -1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := verify(t, doc, xmlsec.Policy{}, c.keys...)
			if c.want < 0 {
				require.NoError(t, err)
				assert.Equal(t, assertionOut, string(got.Bytes()))
				return
			}
			require.True(t, isKind(err, c.want), "%v", err)
		})
	}
	_, err := verify(t, doc, xmlsec.Policy{}, []crypto.PublicKey{&rsa.PublicKey{N: big.NewInt(0), E: 3}}...)
	assert.True(t, isKind(err, xmlsec.WeakKey), "%v", err)
	for _, size := range []int{0, 31, 33} {
		ed := sign(func(s *signing) { s.key, s.method = edKey(), "http://www.w3.org/2021/04/xmldsig-more#eddsa-ed25519" }).document(t)
		_, err := verify(t, ed, xmlsec.Policy{}, ed25519.PublicKey(make([]byte, size)))
		assert.True(t, isKind(err, xmlsec.NoKey), "%v", err)
	}
}

// keyOf is no real key; it has the length of one.
func keyOf(bits uint) *rsa.PublicKey {
	n := new(big.Int).Lsh(big.NewInt(1), bits-1)
	return &rsa.PublicKey{N: n.Add(n, big.NewInt(1)), E: 65537}
}

// Keys of the wrong type have no chance, whichever the method.
//
// req: SG-ALGCONF
func TestVerifyKeyTypes(t *testing.T) {
	t.Parallel()
	keys := map[string]crypto.Signer{"rsa": rsaKey(), "ec": ecKey(elliptic.P256()), "ed": edKey()}
	for method, fits := range map[string]string{moreNS + "rsa-sha256": "rsa", "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1": "rsa", moreNS + "ecdsa-sha256": "ec",
		"http://www.w3.org/2021/04/xmldsig-more#eddsa-ed25519": "ed"} {
		doc := sign(func(s *signing) { s.method, s.key = method, keys[fits] }).document(t)
		for name, key := range keys {
			_, err := verify(t, doc, xmlsec.Policy{}, key.Public())
			if name == fits {
				assert.NoError(t, err)
			} else {
				assert.True(t, isKind(err, xmlsec.NoKey), "%s by a key of %s: %v", method, name, err)
			}
		}
	}
	// PKCS #1 under the name of PSS, and the reverse
	pkcs, pss := sign(), sign(func(s *signing) { s.method = "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1" })
	pkcs.value = func([]byte) []byte { return pssOf(t, pkcs, rsa.PSSSaltLengthEqualsHash) }
	pkcs.refused(t, xmlsec.BadSignature, xmlsec.Policy{})
	pss.value = func([]byte) []byte { return must(rsa.SignPKCS1v15(nil, rsaKey(), crypto.SHA256, infoDigest(t, pss))) }
	pss.refused(t, xmlsec.BadSignature, xmlsec.Policy{})
	// RFC 9231, 2.3.10: the salt is as long as the hash
	for salt, good := range map[int]bool{32: true, 20: false, 0x100 - 32 - 2 - 1: false, 1: false} {
		if fips140.Enforced() && salt > 32 {
			continue // nobody can make it there
		}
		pss.value = func([]byte) []byte { return pssOf(t, pss, salt) }
		_, err := verify(t, pss.document(t), xmlsec.Policy{}, rsaKey().Public())
		assert.Equal(t, good, err == nil, "a salt of %d octets: %v", salt, err)
	}
}

// infoDigest is the digest of the canonical SignedInfo that a signing makes.
func infoDigest(t testing.TB, s signing) []byte {
	s.value = nil
	u := parse(t, string(s.document(t)))
	info := find(t, u, "Response", "Assertion", "Signature", "SignedInfo")
	return digestOf(t, s.method, must(u.Canonicalize(nil, info, xmlsec.C14N{Exclusive: true})))
}

func pssOf(t testing.TB, s signing, salt int) []byte {
	return must(rsa.SignPSS(rand.Reader, rsaKey(), crypto.SHA256, infoDigest(t, s), &rsa.PSSOptions{SaltLength: salt}))
}

// req: SDP-MD06
func TestVerifyShortRSAKey(t *testing.T) {
	fips.Forbids(t, "RSA keys of 1024 bits")
	t.Parallel()
	s := sign(func(s *signing) { s.key = weakKey() })
	s.refused(t, xmlsec.WeakKey, xmlsec.Policy{AllowSHA1: true, AllowInclusiveReference: true})
	s.verifies(t, xmlsec.Policy{AllowRSA1024: true})
	doc := s.document(t)
	modulus := new(big.Int).Rsh(weakKey().N, 1) // 1023 bits
	_, err := verify(t, doc, xmlsec.Policy{AllowRSA1024: true}, &rsa.PublicKey{N: modulus, E: 65537})
	assert.True(t, isKind(err, xmlsec.WeakKey), "%v", err)
	modulus = new(big.Int).Rsh(rsaKey().N, 1) // 2047 bits
	_, err = verify(t, doc, xmlsec.Policy{}, &rsa.PublicKey{N: modulus, E: 65537})
	assert.True(t, isKind(err, xmlsec.WeakKey), "%v", err)
}

// req: SG-ECDSA
func TestVerifyECDSAValues(t *testing.T) {
	t.Parallel()
	for _, curve := range []elliptic.Curve{elliptic.P256(), elliptic.P384(), elliptic.P521()} {
		key := ecKey(curve)
		size, order := (curve.Params().BitSize+7)/8, curve.Params().N
		s := sign(func(s *signing) { s.key, s.method = key, moreNS+"ecdsa-sha256" })
		s.verifies(t, xmlsec.Policy{})
		integer := func(n *big.Int) []byte { return n.FillBytes(make([]byte, size)) }
		values := map[string]func([]byte) []byte{
			"DER": func(v []byte) []byte {
				return must(asn1.Marshal(struct{ R, S *big.Int }{new(big.Int).SetBytes(v[:size]), new(big.Int).SetBytes(v[size:])}))
			},
			"r = 0":         func(v []byte) []byte { clear(v[:size]); return v },
			"s = 0":         func(v []byte) []byte { clear(v[size:]); return v },
			"both 0":        func(v []byte) []byte { clear(v); return v },
			"r = order":     func(v []byte) []byte { return append(integer(order), v[size:]...) },
			"s = order":     func(v []byte) []byte { return append(v[:size:size], integer(order)...) },
			"s and r":       func(v []byte) []byte { return append(v[size:size*2:size*2], v[:size]...) },
			"r twice":       func(v []byte) []byte { return append(v[:size:size], v[:size]...) },
			"without zeros": func(v []byte) []byte { return v[1:] },
			"too many zeros": func(v []byte) []byte {
				return append(append([]byte{0}, v[:size]...), append([]byte{0}, v[size:]...)...)
			},
			"half": func(v []byte) []byte { return v[:size] },
			"r + order": func(v []byte) []byte {
				n := new(big.Int).Add(new(big.Int).SetBytes(v[:size]), order)
				if n.BitLen() > 8*size {
					return v[:size]
				}
				return append(integer(n), v[size:]...)
			},
		}
		for name, f := range values {
			s.value = f
			_, err := verify(t, s.document(t), xmlsec.Policy{}, key.Public())
			assert.True(t, isKind(err, xmlsec.BadSignature), "%s, %s: %v", curve.Params().Name, name, err)
		}
		// Short integers keep their leading zeros. (The negative of s verifies as well as s: ECDSA is malleable, and nothing
		// here takes a signature for a name.)
		short := 0
		for range 2000 {
			if v := s.signature(t, infoOctets(t, s)); v[0] == 0 || v[size] == 0 {
				s.value = func([]byte) []byte { return v }
				s.verifies(t, xmlsec.Policy{})
				if short++; short == 3 {
					break
				}
			}
		}
		assert.NotZero(t, short)
	}
	// A key on another curve is as wrong as any other.
	s := sign(func(s *signing) { s.key, s.method = ecKey(elliptic.P256()), moreNS+"ecdsa-sha256" })
	_, err := verify(t, s.document(t), xmlsec.Policy{}, ecKey(elliptic.P384()).Public())
	assert.True(t, isKind(err, xmlsec.BadSignature), "%v", err)
}

func infoOctets(t testing.TB, s signing) []byte {
	s.value = func(v []byte) []byte { return v[:1] }
	u := parse(t, string(s.document(t)))
	return must(u.Canonicalize(nil, find(t, u, "Response", "Assertion", "Signature", "SignedInfo"), xmlsec.C14N{Exclusive: true}))
}

// req: CORE-5.4.3 SG-C14N-INCL SG-COMMENTS
func TestVerifyCanonicalisations(t *testing.T) {
	t.Parallel()
	strict, lax := xmlsec.Policy{}, xmlsec.Policy{AllowInclusiveReference: true}
	for _, uri := range []string{xmlsec.InclusiveC14N, xmlsec.InclusiveC14N11, xmlsec.ExclusiveC14N, xmlsec.ExclusiveC14NWithComments, xmlsec.InclusiveC14NWithComments, xmlsec.InclusiveC14N11Comments} {
		s := sign(func(s *signing) { s.info = uri })
		assert.Equal(t, assertionOut, string(s.verifies(t, strict).Bytes()), "SignedInfo by %s", uri)
		s.template = replace("<ds:Reference ", "<!-- in SignedInfo --><ds:Reference ")
		assert.Equal(t, assertionOut, string(s.verifies(t, strict).Bytes()), "a comment in SignedInfo by %s", uri)
	}
	const all = `<Assertion xmlns="urn:r" xmlns:xs="urn:xs" ID="_a"><Issuer>idp</Issuer><Subject>alice</Subject></Assertion>`
	for _, uri := range []string{xmlsec.InclusiveC14N, xmlsec.InclusiveC14N11, xmlsec.InclusiveC14NWithComments, xmlsec.InclusiveC14N11Comments} {
		s := sign(func(s *signing) { s.transform, s.covered = `<ds:Transform Algorithm="`+uri+`"/>`, xmlsec.C14N{} })
		s.refused(t, xmlsec.WeakAlgorithm, strict)
		assert.Equal(t, all, string(s.verifies(t, lax).Bytes()), "the element by %s", uri)
	}
	none := sign(func(s *signing) { s.transform, s.covered = "", xmlsec.C14N{} })
	none.refused(t, xmlsec.WeakAlgorithm, strict)
	assert.Equal(t, all, string(none.verifies(t, lax).Bytes()), "no canonicalisation means inclusive")
	none.covered = exclusive
	none.refused(t, xmlsec.BadDigest, lax)

	// "#ID" never covers comments. Who signed them signed something else.
	comments := sign(func(s *signing) { s.transform = `<ds:Transform Algorithm="` + xmlsec.ExclusiveC14NWithComments + `"/>` })
	assert.Equal(t, assertionOut, string(comments.verifies(t, strict).Bytes()))
	comments.covered.Comments = true
	comments.refused(t, xmlsec.BadDigest, strict)
}

func prefixListTransform(list string) string {
	return `<ds:Transform Algorithm="` + xmlsec.ExclusiveC14N + `"><ec:InclusiveNamespaces xmlns:ec="` + xmlsec.ExclusiveC14N + `" ` + list + `/></ds:Transform>`
}

// req: CORE-5.4.3
func TestVerifyPrefixList(t *testing.T) {
	t.Parallel()
	const xs = `<Assertion xmlns="urn:r" xmlns:xs="urn:xs" ID="_a"><Issuer>idp</Issuer><Subject>alice</Subject></Assertion>`
	for _, c := range []struct {
		list     string
		prefixes []string
		want     string
	}{
		{`PrefixList="xs"`, []string{"xs"}, xs}, {`PrefixList="xsd xs"`, []string{"xs"}, xs}, {"PrefixList=\" xs\n\t#default \"", []string{"xs", ""}, xs},
		{`PrefixList="no&#10;xs"`, []string{"xs"}, xs}, {`PrefixList="no&#9;xs"`, []string{"xs"}, xs}, {`PrefixList="no&#13;xs"`, []string{"xs"}, xs},
		{`PrefixList=""`, nil, assertionOut}, {``, nil, assertionOut}, {`PrefixList="xml xmlns"`, nil, assertionOut}, {`PrefixList="xs xs"`, []string{"xs"}, xs},
		{`prefixList="xs"`, nil, assertionOut}, {`PrefixList="XS"`, nil, assertionOut}, {`xmlns:q="u" q:PrefixList="xs"`, nil, assertionOut},
		{`PrefixList="` + numbered(xmlsec.MaxPrefixList, "p%d ") + `"`, nil, assertionOut},
	} {
		s := sign(func(s *signing) {
			s.transform, s.covered = prefixListTransform(c.list), xmlsec.C14N{Exclusive: true, Prefixes: c.prefixes}
		})
		assert.Equal(t, c.want, string(s.verifies(t, xmlsec.Policy{}).Bytes()), "%s", c.list)
	}
	sign(func(s *signing) {
		s.transform = prefixListTransform(`PrefixList="` + numbered(xmlsec.MaxPrefixList+1, "p%d ") + `"`)
	}).refused(t, xmlsec.Limit, xmlsec.Policy{})

	long := func(n int) func(*signing) { // one long name of a prefix
		return func(s *signing) { s.transform = prefixListTransform(`PrefixList="` + strings.Repeat("p", n) + `"`) }
	}
	sign(long(xmlsec.MaxPrefixOctets)).verifies(t, xmlsec.Policy{})
	sign(long(xmlsec.MaxPrefixOctets+1)).refused(t, xmlsec.Limit, xmlsec.Policy{})
	// Only what XML calls white space parts them.
	s := sign(func(s *signing) { s.transform = prefixListTransform("PrefixList=\"xs\u00a0xs\u0085xs\"") })
	assert.Equal(t, assertionOut, string(s.verifies(t, xmlsec.Policy{}).Bytes()))

	for name, transform := range map[string]string{
		"of inclusive":      strings.Replace(prefixListTransform(`PrefixList="xs"`), xmlsec.ExclusiveC14N, xmlsec.InclusiveC14N, 1),
		"twice":             strings.Replace(prefixListTransform(`PrefixList="xs"`), "</ds:T", `<ec:InclusiveNamespaces xmlns:ec="`+xmlsec.ExclusiveC14N+`"/></ds:T`, 1),
		"another namespace": strings.Replace(prefixListTransform(`PrefixList="xs"`), `xmlns:ec="`+xmlsec.ExclusiveC14N, `xmlns:ec="u`, 1),
		"another name":      strings.ReplaceAll(prefixListTransform(`PrefixList="xs"`), "InclusiveNamespaces", "Inclusivenamespaces"),
		"text in it":        strings.Replace(prefixListTransform(`PrefixList="xs"`), "/></ds", ">xs</ec:InclusiveNamespaces></ds", 1),
		"text beside it":    strings.Replace(prefixListTransform(`PrefixList="xs"`), "</ds", "xs</ds", 1),
		"element in it":     strings.Replace(prefixListTransform(`PrefixList="xs"`), "/></ds", "><x/></ec:InclusiveNamespaces></ds", 1),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sign(func(s *signing) { s.transform = transform }).refused(t, xmlsec.MalformedSignature, xmlsec.Policy{AllowInclusiveReference: true})
		})
	}

	// For SignedInfo, too.
	list := `<ec:InclusiveNamespaces xmlns:ec="` + xmlsec.ExclusiveC14N + `" PrefixList="unused"/>`
	s = sign(edit(xmlsec.ExclusiveC14N+`"/>`, xmlsec.ExclusiveC14N+`">`+list+`</ds:CanonicalizationMethod>`))
	s.verifies(t, xmlsec.Policy{})
}

// A spelling is one replacement in a good signature, before it is made.
type spelling struct{ name, old, with string }

func twice(s string) string { return s + s }

// shapes are no signatures of the one shape that SAML allows. Each is genuine, so that a refusal is for its shape.
var shapes = []spelling{
	{"Object", sigEnd, "<ds:Object/>" + sigEnd},
	{"Object behind KeyInfo", sigEnd, "<ds:KeyInfo/><ds:Object/>" + sigEnd},
	{"Object before KeyInfo", sigEnd, "<ds:Object/><ds:KeyInfo/>" + sigEnd},
	{"Object first", signedInfoStart, "<ds:Object/>" + signedInfoStart},
	{"Manifest", sigEnd, "<ds:KeyInfo/><ds:Object><ds:Manifest/></ds:Object>" + sigEnd},
	{"SignatureProperties", sigEnd, "<ds:SignatureProperties/>" + sigEnd},
	{"two KeyInfo", sigEnd, "<ds:KeyInfo/><ds:KeyInfo/>" + sigEnd},
	{"a hundred KeyInfo", sigEnd, strings.Repeat("<ds:KeyInfo/>", 100) + sigEnd},
	{"KeyInfo first", signedInfoStart, "<ds:KeyInfo/>" + signedInfoStart},
	{"KeyInfo of no namespace", sigEnd, `<KeyInfo xmlns=""/>` + sigEnd},
	{"KeyInfo of another namespace", sigEnd, `<KeyInfo xmlns="http://www.w3.org/2001/04/xmlenc#"/>` + sigEnd},
	{"text in Signature", signedInfoStart, "x" + signedInfoStart},
	{"CDATA in Signature", signedInfoStart, "<![CDATA[x]]>" + signedInfoStart},
	{"a space by reference in Signature", signedInfoStart, "&#32;" + signedInfoStart},
	{"two SignedInfo", signedInfo, twice(signedInfo)},
	{"no SignedInfo", signedInfo, ""},
	{"SignedInfo of another namespace", signedInfo, `<x:SignedInfo xmlns:x="u"/>`},
	{"two SignatureValue", signatureValue, twice(signatureValue)},
	{"no SignatureValue", signatureValue, ""},
	{"SignatureValue first", signedInfo + signatureValue, signatureValue + signedInfo},
	{"nothing", signedInfo + signatureValue, ""},
	{"Signature in Signature", signedInfo + signatureValue, sigStart + signedInfo + signatureValue + sigEnd},

	{"two References", reference, twice(reference)},
	{"another Reference first", reference, strings.Replace(reference, "#_a", "#_r", 1) + reference},
	{"another Reference behind", reference, reference + strings.Replace(reference, "#_a", "#_r", 1)},
	{"no Reference", reference, ""},
	{"Manifest for Reference", reference, strings.ReplaceAll(reference, "ds:Reference", "ds:Manifest")},
	{"Reference of another namespace", "<ds:Reference ", `<ds:Reference xmlns:ds="u" `},
	{"two SignatureMethod", signatureMethod, twice(signatureMethod)},
	{"no SignatureMethod", signatureMethod, ""},
	{"two CanonicalizationMethod", infoMethod, twice(infoMethod)},
	{"no CanonicalizationMethod", infoMethod, ""},
	{"methods swapped", infoMethod + signatureMethod, signatureMethod + infoMethod},
	{"Reference before SignatureMethod", signatureMethod + reference, reference + signatureMethod},
	{"Reference first", infoMethod + signatureMethod + reference, reference + infoMethod + signatureMethod},
	{"text in SignedInfo", reference, "x" + reference},
	{"an element behind Reference", reference, reference + "<x/>"},
	{"HMACOutputLength", `rsa-sha256"/>`, `rsa-sha256"><ds:HMACOutputLength>8</ds:HMACOutputLength></ds:SignatureMethod>`},
	{"text in SignatureMethod", `rsa-sha256"/>`, `rsa-sha256">x</ds:SignatureMethod>`},
	{"text in CanonicalizationMethod", infoMethod, strings.Replace(infoMethod, "/>", ">x</ds:CanonicalizationMethod>", 1)},
	{"an element in CanonicalizationMethod", infoMethod, strings.Replace(infoMethod, "/>", "><x/></ds:CanonicalizationMethod>", 1)},
	{"two elements in CanonicalizationMethod", infoMethod, strings.Replace(infoMethod, "/>", "><x/><x/></ds:CanonicalizationMethod>", 1)},

	{"URI empty", `URI="#_a"`, `URI=""`},
	{"URI absent", ` URI="#_a"`, ``},
	{"URI in a namespace", ` URI=`, ` ds:URI=`},
	{"URI of the parent", "#_a", "#_r"},
	{"URI of nothing", "#_a", "#_x"},
	{"URI without #", "#_a", "_a"},
	{"URI with another character for #", "#_a", "?_a"},
	{"URI of # alone", "#_a", "#"},
	{"URI with a space behind", "#_a", "#_a "},
	{"URI with a space before", "#_a", " #_a"},
	{"URI with a second #", "#_a", "##_a"},
	{"URI in upper case", "#_a", "#_A"},
	{"URI with %", "#_a", "#%5fa"},
	{"URI an xpointer to the element", "#_a", "#xpointer(id('_a'))"},
	{"URI an xpointer to the root", "#_a", "#xpointer(/)"},
	{"URI elsewhere", "#_a", "https://evil.example/#_a"},
	{"URI a file", "#_a", "file:///etc/passwd"},

	{"no Transforms", transforms, ""},
	{"two Transforms", transforms, twice(transforms)},
	{"Transforms empty", enveloped + excTransform, ""},
	{"Transforms behind DigestMethod", transforms + digestMethod, digestMethod + transforms},
	{"no enveloped-signature", enveloped, ""},
	{"enveloped-signature last", enveloped + excTransform, excTransform + enveloped},
	{"three transforms", excTransform, twice(excTransform)},
	{"enveloped-signature twice", enveloped, twice(enveloped)},
	{"a hundred transforms", excTransform, strings.Repeat(excTransform, 100)},
	{"text in enveloped-signature", `enveloped-signature"/>`, `enveloped-signature">x</ds:Transform>`},
	{"an element in enveloped-signature", `enveloped-signature"/>`, `enveloped-signature"><ds:XPath>1</ds:XPath></ds:Transform>`},
	{"text in Transforms", excTransform, "x" + excTransform},
	{"no Transform", excTransform, strings.Replace(excTransform, "ds:Transform", "ds:Transformer", 1)},
	{"Transform of another namespace", excTransform, `<Transform xmlns="u" Algorithm="` + xmlsec.ExclusiveC14N + `"/>`},

	{"two DigestMethod", digestMethod, twice(digestMethod)},
	{"no DigestMethod", digestMethod, ""},
	{"two DigestValue", digestValue, twice(digestValue)},
	{"no DigestValue", digestValue, ""},
	{"DigestValue first", digestMethod + digestValue, digestValue + digestMethod},
	{"text in DigestMethod", digestMethod, strings.Replace(digestMethod, "/>", ">x</ds:DigestMethod>", 1)},
	{"an element in DigestMethod", digestMethod, strings.Replace(digestMethod, "/>", "><x/></ds:DigestMethod>", 1)},
	{"text in Reference", digestMethod, "x" + digestMethod},
	{"a comment in DigestValue", "DIGEST<", "DIGEST<!-- --><"},
	{"a comment before the digest", ">DIGEST", "><!--AAAA-->DIGEST"},
	{"an element in DigestValue", "DIGEST", "<x/>DIGEST"},
	{"a comment in SignatureValue", "VALUE", "<!-- -->VALUE"},
	{"an element in SignatureValue", "VALUE", "VALUE<x/>"},
}

// req: CORE-5.4.2 CORE-5.4.4 E91 SG-SIGNEDINFO CORE-5-env SE-NONET
func TestVerifyShapes(t *testing.T) {
	t.Parallel()
	for _, c := range shapes {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			sign(edit(c.old, c.with)).refused(t, xmlsec.MalformedSignature, xmlsec.Policy{AllowInclusiveReference: true, AllowSHA1: true})
		})
	}
}

// Every element of a signature has its name, in its namespace: what another would make of it is not asked.
//
// req: CORE-5.4.4 SG-SIGNEDINFO
func TestVerifyNames(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"SignedInfo", "SignatureValue", "CanonicalizationMethod", "SignatureMethod", "Reference", "Transforms", "Transform",
		"DigestMethod", "DigestValue"} {
		for _, other := range []string{name + "x", strings.ToLower(name)} {
			tag := regexp.MustCompile(`(</?ds:)` + name + `\b`)
			s := sign(func(s *signing) { s.template = func(t string) string { return tag.ReplaceAllString(t, "${1}"+other) } })
			require.Contains(t, string(s.document(t)), "ds:"+other)
			s.refused(t, xmlsec.MalformedSignature, xmlsec.Policy{AllowInclusiveReference: true, AllowSHA1: true})
		}
	}
}

func TestKnownAlgorithms(t *testing.T) {
	t.Parallel()
	assert.True(t, xmlsec.IsSignatureAlgorithm(moreNS+"rsa-sha256"))
	assert.True(t, xmlsec.IsDigestAlgorithm(encNS+"sha256"))
	for _, uri := range []string{"", "urn:x", moreNS + "hmac-sha256", moreNS + "RSA-SHA256", dsNS + "dsa-sha1"} {
		assert.False(t, xmlsec.IsSignatureAlgorithm(uri), uri)
		assert.False(t, xmlsec.IsDigestAlgorithm(uri), uri)
	}
	assert.False(t, xmlsec.IsDigestAlgorithm(moreNS+"rsa-sha256"))
	assert.False(t, xmlsec.IsSignatureAlgorithm(encNS+"sha256"))
}

// What cannot be canonicalised is refused as that, in SignedInfo and in what it covers, and not taken for what came out of it so
// far.
func TestVerifyWhatHasNoCanonicalForm(t *testing.T) {
	t.Parallel()
	const c14n11 = "http://www.w3.org/2006/12/xml-c14n11"
	covered, known := xmlsec.C14NByURI(c14n11)
	require.True(t, known)
	p := xmlsec.Policy{AllowInclusiveReference: true}
	for name, s := range map[string]signing{
		"SignedInfo": sign(func(s *signing) { s.info = c14n11 }),
		"element":    sign(func(s *signing) { s.transform, s.covered = `<ds:Transform Algorithm="`+c14n11+`"/>`, covered }),
	} {
		doc := s.document(t)
		_, err := verify(t, doc, p, s.key.Public())
		require.NoError(t, err, name)
		_, err = verify(t, bytes.Replace(doc, []byte("<Response "), []byte(`<Response xml:base="u" `), 1), p, s.key.Public())
		require.True(t, isKind(err, xmlsec.UnsupportedAlgorithm), "%s: %v", name, err)
	}
}

// SignedInfo is canonicalised before anybody's signature is known to be good, so there is little of it.
//
// req: SE-LIMITS
func TestVerifySizeOfSignedInfo(t *testing.T) {
	t.Parallel()
	size := find(t, parse(t, string(sign().document(t))), "Response", "Assertion", "Signature", "SignedInfo").Size()
	filled := func(n int) signing {
		return sign(edit(reference, "<!--"+strings.Repeat("c", n-size-len("<!---->"))+"-->"+reference))
	}
	filled(xmlsec.MaxSignedInfo).verifies(t, xmlsec.Policy{})
	filled(xmlsec.MaxSignedInfo+1).refused(t, xmlsec.Limit, xmlsec.Policy{})
	padded := sign(func(s *signing) {
		s.text = func(v string) string { return v + strings.Repeat(" ", xmlsec.MaxSignedInfo) }
	})
	padded.refused(t, xmlsec.Limit, xmlsec.Policy{})
}

// Spellings that change nothing.
func TestVerifyHarmlessShapes(t *testing.T) {
	t.Parallel()
	for _, c := range []spelling{
		{"as it is", sigEnd, sigEnd},
		{"KeyInfo", sigEnd, "<ds:KeyInfo/>" + sigEnd},
		{"white space", "><", ">\n\t <"},
		{"CDATA of white space", signedInfoStart, "<![CDATA[ ]]>" + signedInfoStart},
		{"comments in Signature", signedInfoStart, "<!-- c -->" + signedInfoStart},
		{"comments in SignedInfo", reference, "<!-- c -->" + reference + "<!-- c -->"},
		{"comments in SignatureMethod", `rsa-sha256"/>`, `rsa-sha256"><!-- c --></ds:SignatureMethod>`},
		{"Id", "<ds:SignedInfo>", `<ds:SignedInfo Id="_i">`},
		{"Id of the Signature", sigStart, strings.Replace(sigStart, " ", ` Id="_s" `, 1)},
		{"Type", "<ds:Reference ", `<ds:Reference Id="_x" Type="http://www.w3.org/2000/09/xmldsig#Object" `},
		{"another prefix", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := sign(func(s *signing) {
				s.template = func(t string) string {
					if c.name == "another prefix" {
						return strings.NewReplacer("<ds:", "<", "</ds:", "</", "xmlns:ds", "xmlns").Replace(t)
					}
					return strings.ReplaceAll(t, c.old, c.with)
				}
			})
			assert.Equal(t, assertionOut, string(s.verifies(t, xmlsec.Policy{}).Bytes()))
		})
	}
}

// Transforms that say what is signed in other words, or that fetch and run things.
//
// req: CORE-5.4.4 SE-NONET
func TestVerifyTransforms(t *testing.T) {
	t.Parallel()
	for _, uri := range []string{
		"http://www.w3.org/TR/1999/REC-xpath-19991116", "http://www.w3.org/2002/06/xmldsig-filter2", "http://www.w3.org/TR/1999/REC-xslt-19991116", dsNS + "base64",
		"http://www.w3.org/2002/07/decrypt#XML", "http://www.w3.org/TR/2001/WD-xptr-20010108",
		"http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#STR-Transform", "http://example.org/mine", "",
	} {
		for _, content := range []string{"/>", "><ds:XPath>1</ds:XPath></ds:Transform>"} {
			transform := `<ds:Transform Algorithm="` + uri + `"` + content
			lax := xmlsec.Policy{AllowInclusiveReference: true, AllowSHA1: true}
			sign(func(s *signing) { s.transform = transform }).refused(t, xmlsec.UnsupportedAlgorithm, lax)
			sign(edit(enveloped, transform)).refused(t, xmlsec.MalformedSignature, lax)
		}
	}
}

// An ID for a Reference is the attribute ID in no namespace, of the element that carries the signature.
//
// req: SG-IDATTR CORE-5.4.2
func TestVerifyID(t *testing.T) {
	t.Parallel()
	for _, with := range []string{`Id="_a"`, `id="_a"`, `xml:id="_a"`, `xs:ID="_a"`, ``, `ID=""`, `ID="_b" Id="_a"`, `ID="_b" xml:id="_a"`, `ID="_b" xs:ID="_a"`, `ID="_A"`, `ID="_a "`} {
		sign(func(s *signing) { s.doc = strings.Replace(assertion, `ID="_a"`, with, 1) }).refused(t, xmlsec.MalformedSignature, xmlsec.Policy{})
	}
	sign(func(s *signing) {
		s.doc = strings.Replace(assertion, `ID="_a"`, `ID=""`, 1)
		s.template = replace("#_a", "#")
	}).refused(t, xmlsec.MalformedSignature, xmlsec.Policy{})
	// The same name, written with references, is the same name.
	s := sign(func(s *signing) { s.after = replace("#_a", "&#35;&#x5F;a") })
	s.verifies(t, xmlsec.Policy{})
}

// req: SG-POS PROF-4.1.4.3-sig
func TestVerifyPlace(t *testing.T) {
	t.Parallel()
	good := string(sign().document(t))
	i, j := strings.Index(good, "<ds:Signature "), strings.Index(good, sigEnd)+len(sigEnd)
	sig, without := good[i:j], good[:i]+good[j:]
	at := func(before, with string) string { return strings.Replace(without, before, with+before, 1) }
	for _, c := range []struct {
		name, doc string
		want      xmlsec.Kind
	}{
		{"none", without, xmlsec.Unsigned},
		{"two", strings.Replace(good, sig, sig+sig, 1), xmlsec.MalformedSignature},
		{"a second, at the end", strings.Replace(good, "</Assertion>", sig+"</Assertion>", 1), xmlsec.MalformedSignature},
		{"a second, empty", strings.Replace(good, "</Assertion>", `<Signature xmlns="`+dsNS+`"/></Assertion>`, 1), xmlsec.MalformedSignature},
		{"around", at("</Response>", sig), xmlsec.Unsigned},
		{"in a child", at("</Subject>", sig), xmlsec.Unsigned},
		{"in a child with that ID", strings.Replace(strings.Replace(at("</Subject>", sig), ` ID="_a"`, "", 1), "<Subject>", `<Subject ID="_a">`, 1), xmlsec.Unsigned},
		{"of another namespace", strings.Replace(good, dsNS+`">`, dsNS+`x">`, 1), xmlsec.Unsigned},
		{"of another name", strings.NewReplacer("<ds:Signature ", "<ds:signature ", sigEnd, "</ds:signature>").Replace(good), xmlsec.Unsigned},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := verify(t, []byte(c.doc), xmlsec.Policy{}, rsaKey().Public())
			assert.True(t, isKind(err, c.want), "%v; %s", err, c.doc)
		})
	}
	// The place among the children is the profile's business: the same octets are signed.
	for _, before := range []string{"<Issuer>", "<Subject>", "</Assertion>"} {
		s, err := verify(t, []byte(at(before, sig)), xmlsec.Policy{}, rsaKey().Public())
		require.NoError(t, err)
		assert.Equal(t, assertionOut, string(s.Bytes()))
	}
	// Under another parent it names nobody.
	moved := strings.Replace(at("</Response>", sig), `ID="_r"`, `ID="_q"`, 1)
	u := parse(t, moved)
	_, err := u.Verify(u.Root(), []crypto.PublicKey{rsaKey().Public()}, xmlsec.Policy{})
	assert.True(t, isKind(err, xmlsec.MalformedSignature), "%v", err)
	// Not even if the parent takes the ID.
	stolen := strings.NewReplacer(` ID="_a"`, "", `ID="_r"`, `ID="_a"`).Replace(at("</Response>", sig))
	u = parse(t, stolen)
	_, err = u.Verify(u.Root(), []crypto.PublicKey{rsaKey().Public()}, xmlsec.Policy{})
	assert.True(t, isKind(err, xmlsec.BadDigest), "%v", err)
}

// KeyInfo may say what it likes.
//
// req: CORE-5.4.5 SE-NONET
func TestVerifyKeyInfo(t *testing.T) {
	t.Parallel()
	mallory := rsaKeys()[1]
	value := base64.StdEncoding.EncodeToString(mallory.N.Bytes())
	for _, info := range []string{
		"", "<ds:KeyInfo/>", "<ds:KeyInfo><ds:KeyName>x</ds:KeyName></ds:KeyInfo>", "<ds:KeyInfo>text<x/><!-- c --></ds:KeyInfo>",
		"<ds:KeyInfo><ds:KeyValue><ds:RSAKeyValue><ds:Modulus>" + value + "</ds:Modulus><ds:Exponent>AQAB</ds:Exponent></ds:RSAKeyValue></ds:KeyValue></ds:KeyInfo>",
		`<ds:KeyInfo><ds:RetrievalMethod URI="https://evil.example/key"/></ds:KeyInfo>`, "<ds:KeyInfo><ds:X509Data><ds:X509Certificate>!</ds:X509Certificate></ds:X509Data></ds:KeyInfo>",
	} {
		s := sign(edit(sigEnd, info+sigEnd))
		assert.Equal(t, assertionOut, string(s.verifies(t, xmlsec.Policy{}).Bytes()))
		s.key = mallory
		_, err := verify(t, s.document(t), xmlsec.Policy{}, rsaKey().Public())
		assert.True(t, isKind(err, xmlsec.BadSignature), "%v", err)
		_, err = verify(t, s.document(t), xmlsec.Policy{})
		assert.True(t, isKind(err, xmlsec.NoKey), "%v", err)
	}
}

func TestVerifyBase64(t *testing.T) {
	t.Parallel()
	wrapped := func(with string) func(string) string {
		return func(s string) string { return with + s[:7] + with + s[7:] + with }
	}
	for _, space := range []string{" ", "\n", "\r\n", "\t", "&#13;", "&#13;\n", "&#xA;", "&#x20;", strings.Repeat("\n", 80)} {
		sign(func(s *signing) { s.text = wrapped(space) }).verifies(t, xmlsec.Policy{})
		sign(edit("DIGEST", space+"DIGEST"+space)).verifies(t, xmlsec.Policy{})
	}
	for name, f := range map[string]func(string) string{
		"empty": func(string) string { return "" }, "space": func(string) string { return " \n" }, "a character": wrapped("!"), "URL alphabet": func(s string) string { return "-_" + s[2:] },
		"no padding": func(s string) string { return strings.TrimRight(s, "=") }, "more padding": func(s string) string { return s + "=" }, "padding first": func(s string) string { return "=" + s },
		"idle bits": func(s string) string { return s[:len(s)-3] + "h==" }, "wide space": wrapped("\u00a0"), "vertical": wrapped("\u0085"), "behind the padding": func(s string) string { return s + "AAAA" },
		"too long": func(s string) string { return strings.Repeat("A", 4*xmlsec.MaxSignatureBytes) }, "hex": func(string) string { return "zz zz z" },
	} {
		sign(func(s *signing) { s.text = f }).refused(t, xmlsec.MalformedSignature, xmlsec.Policy{})
		assert.NotEmpty(t, name)
	}
	for _, digest := range []string{"", " ", "!", "AAAA", "DIGESTAAAA", "DIGEST=", strings.Repeat("A", 1000)} {
		sign(edit(">DIGEST<", ">"+digest+"<")).refused(t, xmlsec.BadDigest, xmlsec.Policy{})
	}
	for _, digest := range []string{encNS + "sha512", moreNS + "sha384"} { // a digest by another method than it says
		sign(edit(encNS+"sha256", digest)).refused(t, xmlsec.BadDigest, xmlsec.Policy{})
	}
	// The longest value of all: that of a key of 16384 bits. It belongs to no key here.
	long := sign(func(s *signing) { s.value = func([]byte) []byte { return make([]byte, xmlsec.MaxSignatureBytes) } })
	long.refused(t, xmlsec.BadSignature, xmlsec.Policy{})
	for _, more := range []int{1, 2, 3} {
		long.value = func([]byte) []byte { return make([]byte, xmlsec.MaxSignatureBytes+more) }
		long.refused(t, xmlsec.MalformedSignature, xmlsec.Policy{})
	}
}

// What is signed cannot be changed, and what is not signed cannot be seen.
//
// req: SG-SWS SG-COMMENTS
func TestVerifyTampering(t *testing.T) {
	t.Parallel()
	doc := string(sign().document(t))
	for old, with := range map[string]string{
		">ali": ">ALI", "<Subject>": "<Subject a=''>", "</Subject>": " </Subject>", "<Issuer>": "<x/><Issuer>", "idp": "", "Subject>": "subject>", `ID="_a"`: `ID="_a" b=""`,
		`xmlns="urn:r"`: `xmlns="urn:r" xmlns:q="u"`, "ce</": "<![CDATA[ce]]>&#32;</",
	} {
		changed := strings.ReplaceAll(doc, old, with)
		if old == `xmlns="urn:r"` { // is not used inside
			s, err := verify(t, []byte(changed), xmlsec.Policy{}, rsaKey().Public())
			require.NoError(t, err)
			assert.Equal(t, assertionOut, string(s.Bytes()))
			continue
		}
		_, err := verify(t, []byte(changed), xmlsec.Policy{}, rsaKey().Public())
		assert.True(t, isKind(err, xmlsec.BadDigest), "%q: %v", old, err)
	}
	for old, with := range map[string]string{
		">ali": "><!--x-->al<![CDATA[i]]>", "ce</": "c&#101;</", "<Issuer>": "<Issuer\n>", "</Response>": "<!-- c --><Evil/></Response>", `ID="_a"`: "ID = '&#x5f;a'", "<!-- c -->": "",
	} {
		s, err := verify(t, []byte(strings.Replace(doc, old, with, 1)), xmlsec.Policy{}, rsaKey().Public())
		require.NoError(t, err, "%q", old)
		assert.Equal(t, assertionOut, string(s.Bytes()))
	}
	values := regexp.MustCompile(`<ds:(SignatureValue|DigestValue)>([^<]*)<`)
	s, err := verify(t, []byte(values.ReplaceAllString(doc, "<ds:$1><![CDATA[$2]]><")), xmlsec.Policy{}, rsaKey().Public())
	require.NoError(t, err, "CDATA is text")
	assert.Equal(t, assertionOut, string(s.Bytes()))
	_, err = verify(t, []byte(strings.Replace(doc, `rsa-sha256"/>`, `rsa-sha256"> </ds:SignatureMethod>`, 1)), xmlsec.Policy{}, rsaKey().Public())
	assert.True(t, isKind(err, xmlsec.BadSignature), "SignedInfo is signed, too: %v", err)
}

// At most three elements of one document are verified; the table of the first stays as it is while the second is made.
//
// req: SE-LIMITS
func TestVerifyTwo(t *testing.T) {
	t.Parallel()
	inner := string(sign().document(t))
	doc := sign(func(s *signing) {
		s.id, s.doc = "_r", strings.Replace(inner, `<Assertion ID="_a">`, `%s<Assertion ID="_a">`, 1)
	}).document(t)
	keys := []crypto.PublicKey{rsaKey().Public()}
	u, err := xmlsec.Parse(doc, xmlsec.Limits{})
	require.NoError(t, err)
	child := u.Root().Child("urn:r", "Assertion")
	whole, err := u.Verify(u.Root(), keys, xmlsec.Policy{})
	require.NoError(t, err, "%s", doc)
	before := string(whole.Bytes())
	part, err := u.Verify(child, keys, xmlsec.Policy{})
	require.NoError(t, err)
	assert.Equal(t, before, string(whole.Bytes()))
	assert.Equal(t, assertionOut, string(part.Bytes()))
	assert.Equal(t, "alice", whole.Root().Child("urn:r", "Assertion").Child("urn:r", "Subject").Text())
	assert.Equal(t, "alice", part.Root().Child("urn:r", "Subject").Text())
	_, err = u.Verify(child, keys, xmlsec.Policy{})
	require.NoError(t, err)
	for range 2 {
		_, err = u.Verify(child, keys, xmlsec.Policy{})
		assert.True(t, isKind(err, xmlsec.Limit), "%v", err)
	}
}

// A Reader that has seen refusals verifies what comes next as if it were new.
func TestVerifyWithUsedReader(t *testing.T) {
	t.Parallel()
	r := xmlsec.NewReader()
	good, keys := sign().document(t), []crypto.PublicKey{rsaKey().Public()}
	bad := [][]byte{[]byte("<e"), bytes.Replace(good, []byte("ali"), []byte("bob"), 1), sign(edit("DIGEST", "")).document(t), bytes.Replace(good, []byte("rsa-sha256"), []byte("rsa-sha384"), 1),
		fmt.Appendf(nil, assertion, "")}
	for i := range 20 {
		for _, doc := range [][]byte{bad[i%len(bad)], good, good} {
			u, err := r.Parse(doc, xmlsec.Limits{})
			if err != nil {
				continue
			}
			s, err := u.Verify(u.Root().Child("urn:r", "Assertion"), keys, xmlsec.Policy{})
			if &doc[0] != &good[0] {
				require.Error(t, err)
				continue
			}
			require.NoError(t, err)
			require.Equal(t, assertionOut, string(s.Bytes()))
		}
	}
}
