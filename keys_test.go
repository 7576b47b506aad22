package saml_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml"
)

// pastedKeys are the vectors of what an administrator may paste.
func pastedKeys(t testing.TB) (spki string, text, want map[string]string) {
	t.Helper()
	var vectors struct {
		SPKI   string `json:"spki_sha256"`
		Inputs []struct{ Name, Text, Want string }
	}
	b, err := os.ReadFile("testdata/pasted_keys.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(b, &vectors))
	text, want = map[string]string{}, map[string]string{}
	for _, in := range vectors.Inputs {
		text[in.Name], want[in.Name] = in.Text, in.Want
	}
	return vectors.SPKI, text, want
}

// req: IIP-MD12 SG-NOPKIX LT-40 LT-41 LT-42 LT-63 LT-64 LT-65
func TestPastedKeys(t *testing.T) {
	t.Parallel()
	spki, texts, want := pastedKeys(t)
	reasons := map[string]string{"truncated_not_multiple_of_4": "multiple of 4", "empty": "no key in it", "headers_only": "no key in it",
		"two_certificates": "more than one key", "private_key_pasted": "private key"}
	require.Greater(t, len(texts), 15)
	for name, text := range texts {
		key, err := saml.ParsePublicKey(text)
		switch want[name] {
		case "ok":
			require.NoError(t, err, name)
			assert.Equal(t, spki, key.SHA256(), name)
			_, notAfter := key.CertificateDates()
			assert.True(t, notAfter.Before(now), "an expired certificate is a warning, not a refusal")
		case "weak_key":
			require.NoError(t, err, name)
			require.Len(t, key.Warnings(now, 0), 1)
			assert.Equal(t, saml.KeyWeak, key.Warnings(now, 0)[0].Code, name)
		default:
			require.ErrorContains(t, err, reasons[name], name)
			assert.NotEmpty(t, reasons[name], name)
			assert.Zero(t, key)
		}
	}
}

// What the vectors do not have.
//
// req: IIP-MD12 LT-63 LT-64
func TestPastedKeysMangled(t *testing.T) {
	t.Parallel()
	spki, texts, _ := pastedKeys(t)
	certificate, bare := texts["pem_crt_64"], texts["bare_base64_one_line"]
	block, _ := pem.Decode([]byte(certificate))
	require.NotNil(t, block)
	b64 := base64.StdEncoding.EncodeToString
	for name, text := range map[string]string{
		"en dashes":                  strings.ReplaceAll(certificate, "-----", "–––––"),
		"minus signs":                strings.ReplaceAll(certificate, "-----", "−−−"),
		"dashes of many kinds":       strings.ReplaceAll(certificate, "-----", "-–—−‑⸺－"),
		"one hyphen":                 strings.ReplaceAll(certificate, "-----", "-"),
		"space inside the markers":   strings.NewReplacer("-----BEGIN", "-----  BEGIN", "CERTIFICATE-----", "CERTIFICATE -----").Replace(certificate),
		"no-break spaces":            strings.ReplaceAll(certificate, " ", "\u00a0") + "\u00a0",
		"indented by no-break space": "\u00a0\u00a0" + strings.ReplaceAll(certificate, "\n", "\n\u00a0\u00a0"),
		"zero width":                 "\u200b" + strings.ReplaceAll(certificate, "M", "M\u200b") + "\u2060",
		"old Mac lines":              strings.ReplaceAll(certificate, "\n", "\r"),
		"out of JSON":                strings.ReplaceAll(certificate, "\n", `\r\n`),
		"no line ends at all":        strings.ReplaceAll(certificate, "\n", ""),
		"tabs and form feeds":        strings.ReplaceAll(certificate, "\n", "\t\f\n"),
		"text of openssl before":     "Certificate:\n    Data:\n        Version: 3 (0x2)\n" + certificate,
		"trusted certificate":        "-----BEGIN TRUSTED CERTIFICATE-----\n" + b64(append(block.Bytes, 0x30, 0x02, 0x05, 0x00)) + "\n-----END TRUSTED CERTIFICATE-----",
		"a key under a wrong label":  strings.ReplaceAll(texts["pem_spki"], "PUBLIC KEY", "CERTIFICATE"),
		"base64 of PEM":              b64([]byte(certificate)),
		"bare with zero width":       "\ufeff" + bare,
		"bare, bytes per line":       strings.Join(strings.Split(bare, ""), "\n"),
	} {
		key, err := saml.ParsePublicKey(text)
		require.NoError(t, err, name)
		assert.Equal(t, spki, key.SHA256(), name)
		stored, err := key.MarshalText()
		require.NoError(t, err)
		again, rest := pem.Decode(stored)
		require.NotNil(t, again, name)
		assert.Empty(t, rest)
		for line := range strings.Lines(string(stored)) {
			assert.LessOrEqual(t, len(line), 65, "stored as strict PEM")
		}
	}
	lines := strings.SplitAfter(certificate, "\n")
	for name, c := range map[string]struct{ text, fails string }{
		"no END":              {strings.Join(lines[:len(lines)-2], ""), "END is missing"},
		"no BEGIN":            {strings.Join(lines[1:], ""), "BEGIN is missing"},
		"END before BEGIN":    {"-----END CERTIFICATE-----\n" + certificate, "BEGIN is missing"},
		"text behind":         {certificate + "regards", "text behind"},
		"two ENDs":            {certificate + "-----END CERTIFICATE-----", "text behind"},
		"key and certificate": {texts["pem_spki"] + certificate, "more than one key"},
		"other END":           {strings.Replace(certificate, "END CERTIFICATE", "END PUBLIC KEY", 1), "do not belong together"},
		"PKCS #7":             {"-----BEGIN PKCS7-----\nAAAA\n-----END PKCS7-----", "PKCS #7"},
		"a request":           {"-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----", "neither a certificate nor a public key"},
		"a line lost":         {strings.Join(append(lines[:3:3], lines[4:]...), ""), "can be read"},
		"base64url":           {strings.NewReplacer("+", "-", "/", "_").Replace(bare), "character that base64 does not have"},
		"not strict":          {"AAB=", "end is not"},
		"padding in between":  {"AA==AA==", "end is not"},
		"XML":                 {"<ds:X509Certificate>" + bare + "</ds:X509Certificate>", "this is XML"},
		"garbage":             {b64([]byte("hello there, this is no key")), "can be read"},
		"too long":            {strings.Repeat(" ", 64<<10) + bare, "more than 65536"},
		"not UTF-8":           {"\xff\xfe" + bare, "character that base64 does not have"},
	} {
		key, err := saml.ParsePublicKey(c.text)
		require.ErrorContains(t, err, c.fails, name)
		assert.Zero(t, key)
	}
}

// No shape of a private key gets in, and none is repeated.
//
// req: LT-41
func TestPrivateKeysAreRefused(t *testing.T) {
	t.Parallel()
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	pkcs8 := func(key any) []byte {
		der, err := x509.MarshalPKCS8PrivateKey(key)
		require.NoError(t, err)
		return der
	}
	sec1, err := x509.MarshalECPrivateKey(ecKey)
	require.NoError(t, err)
	dsaKey, err := asn1.Marshal([]int64{0, 11, 5, 3, 4, 2})
	require.NoError(t, err)
	oid := asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 13}
	encrypted, err := asn1.Marshal(struct {
		Algorithm pkix.AlgorithmIdentifier
		Data      []byte
	}{pkix.AlgorithmIdentifier{Algorithm: oid}, []byte("secret")})
	require.NoError(t, err)
	bundle, err := asn1.Marshal(struct { // PKCS#12 without its third part
		Version int
		Content pkix.AlgorithmIdentifier
	}{3, pkix.AlgorithmIdentifier{Algorithm: oid}})
	require.NoError(t, err)
	public := func(key any) string {
		k, err := saml.NewPublicKey(key)
		require.NoError(t, err)
		return k.SHA256()
	}
	b64 := base64.StdEncoding.EncodeToString
	for name, c := range map[string]struct {
		label  string
		der    []byte
		public string // "": cannot be read
	}{
		"PKCS#8 RSA":       {"PRIVATE KEY", pkcs8(rsaKey), public(rsaKey.Public())},
		"PKCS#8 EC":        {"PRIVATE KEY", pkcs8(ecKey), public(ecKey.Public())},
		"PKCS#8 Ed25519":   {"PRIVATE KEY", pkcs8(edKey), public(edKey.Public())},
		"PKCS#1":           {"RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rsaKey), public(rsaKey.Public())},
		"SEC 1":            {"EC PRIVATE KEY", sec1, public(ecKey.Public())},
		"DSA":              {"DSA PRIVATE KEY", dsaKey, ""},
		"encrypted PKCS#8": {"ENCRYPTED PRIVATE KEY", encrypted, ""},
		"PKCS#12":          {"PRIVATE KEY", bundle, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := string(pem.EncodeToMemory(&pem.Block{Type: c.label, Bytes: c.der}))
			certificate := "-----BEGIN CERTIFICATE-----\n" + b64(c.der) + "\n-----END CERTIFICATE-----"
			for _, pasted := range []string{text, strings.ReplaceAll(text, "-----", "—"), strings.ReplaceAll(text, "-----", "–"), strings.ReplaceAll(text, " ", "\u00a0"),
				strings.ReplaceAll(text, "PRIVATE", "PRI\u200bVATE"), strings.ReplaceAll(text, "-", ""), strings.ToLower(text[:30]) + text[30:], "\ufeff  " + strings.ReplaceAll(text, "\n", "\n  "),
				strings.ReplaceAll(text, "\n", " "), b64(c.der), b64([]byte(text)), b64([]byte(strings.ReplaceAll(text, "\n", "\r\n"))), certificate, b64([]byte(certificate))} {
				key, err := saml.ParsePublicKey(pasted)
				require.ErrorContains(t, err, "private key", "%s", pasted)
				assert.Zero(t, key)
				assert.NotContains(t, err.Error(), b64(c.der)[:8])
				var read saml.PublicKey
				require.Error(t, read.UnmarshalText([]byte(pasted)))
				assert.Zero(t, read)
			}
			for _, pasted := range []string{text, strings.ReplaceAll(text, "-----", "—"), b64(c.der), "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n" + text,
				text + "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"} {
				key, err := saml.PublicFromPrivate(pasted)
				if c.public == "" {
					require.ErrorContains(t, err, "not a private key that can be read")
					assert.NotContains(t, err.Error(), b64(c.der)[:8])
					assert.Zero(t, key)
					continue
				}
				require.NoError(t, err)
				assert.Equal(t, c.public, key.SHA256())
				stored, err := key.MarshalText()
				require.NoError(t, err)
				assert.Contains(t, string(stored), "BEGIN PUBLIC KEY")
			}
		})
	}
	_, texts, _ := pastedKeys(t)
	for _, text := range []string{"", "x", texts["pem_crt_64"], texts["pem_spki"], texts["pem_pkcs1"], texts["two_certificates"], "-----BEGIN PRIVATE KEY-----", strings.Repeat("A", 70_000)} {
		_, err := saml.PublicFromPrivate(text)
		assert.Error(t, err)
	}
}

// req: LT-42
func TestDSAIsNamed(t *testing.T) {
	t.Parallel()
	type algorithm struct {
		ID         asn1.ObjectIdentifier
		Parameters struct{ P, Q, G *big.Int }
	}
	y, err := asn1.Marshal(big.NewInt(5))
	require.NoError(t, err)
	spki, err := asn1.Marshal(struct {
		Algorithm algorithm
		Key       asn1.BitString
	}{algorithm{asn1.ObjectIdentifier{1, 2, 840, 10040, 4, 1}, struct{ P, Q, G *big.Int }{big.NewInt(0xc001), big.NewInt(11), big.NewInt(4)}}, asn1.BitString{Bytes: y, BitLength: 8 * len(y)}})
	require.NoError(t, err)
	for _, label := range []string{"PUBLIC KEY", "DSA PUBLIC KEY"} {
		_, err = saml.ParsePublicKey(string(pem.EncodeToMemory(&pem.Block{Type: label, Bytes: spki})))
		require.ErrorContains(t, err, "DSA keys are not supported")
	}
	key, err := x509.ParsePKIXPublicKey(spki)
	require.NoError(t, err)
	_, err = saml.NewPublicKey(key)
	require.ErrorContains(t, err, "DSA keys are not supported")
	_, err = saml.NewPublicKey(nil)
	require.ErrorContains(t, err, "not supported")
}

func certificateOf(t testing.TB, key *rsa.PrivateKey, template x509.Certificate) saml.PublicKey {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, key.Public(), key)
	require.NoError(t, err)
	k, err := saml.ParsePublicKey(base64.StdEncoding.EncodeToString(der))
	require.NoError(t, err)
	return k
}

func codes(list []saml.KeyWarning) (codes []saml.KeyWarningCode) {
	for _, w := range list {
		codes = append(codes, w.Code)
	}
	return codes
}

// req: IIP-MD12 LT-67
func TestKeyWarnings(t *testing.T) {
	t.Parallel()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	const month = 30 * 24 * time.Hour
	now := now.Truncate(time.Second)
	k := certificateOf(t, key, x509.Certificate{SerialNumber: big.NewInt(0xbeef), NotBefore: now, NotAfter: now.Add(2 * month),
		Subject: pkix.Name{CommonName: "idp\n\u202eexample", Organization: []string{strings.Repeat("é", 300)}}})
	assert.Equal(t, "beef", k.CertificateSerial())
	assert.Len(t, []rune(k.CertificateSubject()), 255)
	assert.Contains(t, k.CertificateSubject(), "CN=")
	assert.NotContains(t, k.CertificateSubject(), "\n")
	assert.NotContains(t, k.CertificateSubject(), "\u202e")
	for at, want := range map[time.Duration][]saml.KeyWarningCode{
		-time.Second: {saml.KeyNotYetValid}, 0: nil, month - time.Second: nil, month: {saml.KeyExpiresSoon},
		2 * month: {saml.KeyExpiresSoon}, 2*month + time.Second: {saml.KeyExpired},
	} {
		assert.Equal(t, want, codes(k.Warnings(now.Add(at), month)), at)
	}
	assert.Empty(t, k.Warnings(now.Add(2*month), 0))
	assert.Contains(t, k.Warnings(now.Add(3*month), 0)[0].Text, "expired on 13 May 2026")

	bare, err := saml.NewPublicKey(key.Public())
	require.NoError(t, err)
	assert.Empty(t, bare.Warnings(now, month))
	assert.Empty(t, bare.CertificateSubject()+bare.CertificateSerial())
	assert.Empty(t, saml.PublicKey{}.Warnings(now, month))
	weak, err := saml.NewPublicKey(&rsa.PublicKey{N: new(big.Int).SetBit(big.NewInt(1), 2046, 1), E: 65537})
	require.NoError(t, err)
	assert.Equal(t, []saml.KeyWarningCode{saml.KeyWeak}, codes(weak.Warnings(now, month)))
}

// Whatever is pasted: what is read as a key is written and read again as the same one, and nothing that holds a private
// key is.
func FuzzPastedKey(f *testing.F) {
	_, texts, _ := pastedKeys(f)
	for _, text := range texts {
		f.Add(text)
	}
	private, err := os.ReadFile("testdata/keys/idp-p256.TEST-ONLY.key.pem") // the same in every process
	require.NoError(f, err)
	f.Add(string(private))
	block, _ := pem.Decode(private)
	f.Add(base64.StdEncoding.EncodeToString(block.Bytes))
	f.Fuzz(func(t *testing.T, text string) {
		key, err := saml.ParsePublicKey(text)
		_, notPrivate := saml.PublicFromPrivate(text)
		if err != nil {
			assert.Zero(t, key)
			assert.Less(t, len(err.Error()), 200)
			return
		}
		assert.Error(t, notPrivate)
		stored, err := key.MarshalText()
		require.NoError(t, err)
		again, err := saml.ParsePublicKey(string(stored))
		require.NoError(t, err)
		assert.Equal(t, key, again)
		key.Warnings(now, time.Hour)
		key.CertificateSubject()
		key.CertificateSerial()
	})
}

// A marker that names something else is believed, although a key stands behind it.
func TestPastedKeysByAnotherName(t *testing.T) {
	t.Parallel()
	_, texts, _ := pastedKeys(t)
	for label, problem := range map[string]string{"DSA PUBLIC KEY": "DSA", "PKCS7": "bundle", "CERTIFICATE REQUEST": "neither a certificate nor a public key"} {
		_, err := saml.ParsePublicKey(strings.ReplaceAll(texts["pem_crt_64"], "CERTIFICATE", label))
		require.ErrorContains(t, err, problem, label)
	}
}
