package saml_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"encoding/xml"
	"fmt"
	"log/slog"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml"
	"github.com/logintrust/saml/internal/xmlsec"
)

func pemText(label string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: label, Bytes: der}))
}

// privateHalf is the octets of a private key that must be nowhere.
func privateHalf(t *testing.T, key crypto.PrivateKey) [][]byte {
	t.Helper()
	switch k := key.(type) {
	case *rsa.PrivateKey:
		return [][]byte{k.D.Bytes(), k.Primes[0].Bytes(), k.Primes[1].Bytes()}
	case *ecdsa.PrivateKey:
		d, err := k.Bytes()
		require.NoError(t, err)
		return [][]byte{d}
	case ed25519.PrivateKey:
		return [][]byte{k.Seed()}
	}
	require.Fail(t, "no key")
	return nil
}

// showsNothing looks for the secrets in every notation that Go prints.
func showsNothing(t *testing.T, text string, all [][]byte) {
	t.Helper()
	for _, secret := range all {
		for _, written := range []string{string(secret), hex.EncodeToString(secret), fmt.Sprintf("%X", secret), base64.StdEncoding.EncodeToString(secret)[:20], strings.Trim(fmt.Sprint(secret[:16]), "[]"),
			fmt.Sprintf("%#v", secret[:16])[8:60], new(big.Int).SetBytes(secret).String()} {
			assert.NotContains(t, text, written)
		}
	}
}

// However a key of ours is printed, logged or marshalled, the private half does not show.
//
// req: SE-KEY
func TestPrivateKeysDoNotShow(t *testing.T) {
	t.Parallel()
	for _, kind := range []saml.KeyKind{saml.RSA2048, saml.P256, saml.Ed25519} {
		key, err := saml.GenerateKey(kind)
		require.NoError(t, err)
		all := privateHalf(t, key)
		der, err := x509.MarshalPKCS8PrivateKey(key)
		require.NoError(t, err)
		loaded, err := saml.ParseKeyPair(pemText("PRIVATE KEY", der))
		require.NoError(t, err)
		config := saml.Config{BaseURL: "https://sp.example.com", Trusts: saml.NewMemoryTrusts(), State: saml.NewMemoryState(), SigningKeys: []saml.KeyPair{{Signer: key}}}
		if kind != saml.Ed25519 {
			config.DecryptionKeys = []saml.DecryptionKey{{Key: key}}
		}
		sp, err := saml.New(config)
		require.NoError(t, err)
		type mine struct {
			key        saml.KeyPair
			decryption saml.DecryptionKey
			sp         *saml.ServiceProvider
		}
		var decryption saml.DecryptionKey
		if kind != saml.Ed25519 {
			decryption, err = saml.ParseDecryptionKey(pemText("PRIVATE KEY", der))
			require.NoError(t, err)
		}
		for name, value := range map[string]any{"KeyPair": saml.KeyPair{Signer: key}, "pointer": &saml.KeyPair{Signer: key}, "DecryptionKey": saml.DecryptionKey{Key: key}, "Config": config, "pointer to Config": &config,
			"ServiceProvider": sp, "list": config.SigningKeys, "loaded": loaded, "the loaded Signer": loaded.Signer, "the loaded key": decryption.Key, "a field of the host's": mine{loaded, decryption, sp}, "map": map[string]saml.KeyPair{"x": {Signer: key}}} {
			var logged bytes.Buffer
			slog.New(slog.NewTextHandler(&logged, nil)).Info("x", "key", value)
			slog.New(slog.NewJSONHandler(&logged, nil)).Info("x", "key", value)
			showsNothing(t, logged.String(), all)
			for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
				text := fmt.Sprintf(verb, value)
				showsNothing(t, text, all)
				if name == "KeyPair" {
					public, err := saml.NewPublicKey(key.Public())
					require.NoError(t, err)
					assert.Equal(t, "KeyPair("+public.Kind()+", SHA-256 "+public.SHA256()+")", text)
				}
			}
			if text, err := json.Marshal(value); err == nil {
				showsNothing(t, string(text), all)
			}
		}
	}
	assert.Equal(t, "KeyPair(none) DecryptionKey(none) ServiceProvider(nil)", fmt.Sprint(saml.KeyPair{}, " ", saml.DecryptionKey{}, " ", (*saml.ServiceProvider)(nil)))
}

// Each form of each kind of key is read, with its certificate in the same text or in another.
func TestParseKeyPair(t *testing.T) {
	t.Parallel()
	for _, kind := range saml.KeyKinds() {
		pair, err := saml.GenerateKeyPair(kind, saml.CertificateOptions{Subject: "Test", NotBefore: now})
		require.NoError(t, err)
		certificate, pkcs8, err := pair.PEM()
		require.NoError(t, err)
		assert.Contains(t, string(pkcs8), "BEGIN PRIVATE KEY")
		assert.Contains(t, string(certificate), "BEGIN CERTIFICATE")
		raw, err := saml.ParsePrivateKey(string(pkcs8))
		require.NoError(t, err)
		forms := []string{string(pkcs8), "  " + strings.ReplaceAll(string(pkcs8), "\n", "\r\n  "), "words around it\n" + string(pkcs8)}
		switch key := raw.(type) {
		case *rsa.PrivateKey:
			forms = append(forms, pemText("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(key)))
		case *ecdsa.PrivateKey:
			der, err := x509.MarshalECPrivateKey(key)
			require.NoError(t, err)
			forms = append(forms, pemText("EC PRIVATE KEY", der), pemText("EC PARAMETERS", []byte{6, 0})+pemText("EC PRIVATE KEY", der))
		}
		other, err := saml.SelfSigned(ownKeys()["next"].Signer, saml.CertificateOptions{Subject: "another", NotBefore: now})
		require.NoError(t, err)
		chain := pemText("CERTIFICATE", other)
		for _, form := range forms {
			for _, texts := range [][]string{{form, string(certificate)}, {string(certificate), form}, {form + string(certificate)}, {string(certificate) + form}, {form, string(certificate) + chain}, {chain + form, string(certificate)}} {
				got, err := saml.ParseKeyPair(texts...)
				require.NoError(t, err, kind)
				assert.Equal(t, pair.Certificate, got.Certificate)
				assert.Equal(t, pair.String(), got.String())
				signs(t, got.Signer)
				decryption, err := saml.ParseDecryptionKey(texts...)
				if kind == saml.Ed25519 {
					require.Error(t, err)
					continue
				}
				require.NoError(t, err)
				assert.Equal(t, pair.Certificate, decryption.Certificate)
			}
			bare, err := saml.ParseKeyPair(form)
			require.NoError(t, err)
			assert.Nil(t, bare.Certificate)
			_, err = saml.ParseKeyPair(form, chain)
			require.ErrorContains(t, err, "not for the private key")
			_, err = saml.ParseDecryptionKey(form, chain)
			require.ErrorContains(t, err, "not for the private key")
			for name, texts := range map[string][]string{"two keys": {form, form}, "two keys in one": {form + form}, "half a key": {form[:len(form)/2]}, "no key": {string(certificate)}, "nothing": {}, "an empty text": {""},
				"another label": {strings.ReplaceAll(form, "PRIVATE KEY", "OPENSSH PRIVATE KEY"), "-----BEGIN PKCS7-----\nAAAA\n-----END PKCS7-----"},
				"encrypted":     {strings.Replace(form, "KEY-----", "KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\n", 1)},
				"encrypted too": {strings.ReplaceAll(form, "PRIVATE KEY", "ENCRYPTED PRIVATE KEY")}, "too long": {form + strings.Repeat(" ", 70_000)}} {
				got, err := saml.ParseKeyPair(texts...)
				require.Error(t, err, name)
				assert.Zero(t, got)
				showsNothing(t, err.Error(), privateHalf(t, raw))
				assert.Equal(t, strings.HasPrefix(name, "encrypted"), strings.Contains(err.Error(), "openssl pkey"), "%s: %v", name, err)
			}
		}
	}
	_, err := saml.GenerateKey("dsa")
	require.ErrorContains(t, err, "rsa-3072")
	_, err = saml.GenerateKeyPair("dsa", saml.CertificateOptions{Subject: "x", NotBefore: now})
	require.Error(t, err)
	_, _, err = keyList("rsa2048")[0].PEM()
	require.ErrorContains(t, err, "lives elsewhere")
	_, _, err = saml.KeyPair{}.PEM()
	require.Error(t, err)
}

// signs reports whether a key makes a request of ours.
func signs(t *testing.T, key crypto.Signer) {
	t.Helper()
	trust, err := saml.TrustFromMetadata(declaring(t, "", ""), "", now)
	require.NoError(t, err)
	_, post, err := signatures(t, trust, saml.Config{SigningKeys: []saml.KeyPair{{Signer: key}}})
	require.NoError(t, err)
	assert.NotEmpty(t, post.algorithm)
}

func TestSelfSigned(t *testing.T) {
	t.Parallel()
	for name, pair := range ownKeys() {
		der, err := saml.SelfSigned(pair.Signer, saml.CertificateOptions{Subject: " Prüfung 1 ", NotBefore: now})
		require.NoError(t, err, name)
		cert, err := x509.ParseCertificate(der)
		require.NoError(t, err)
		require.NoError(t, cert.CheckSignature(cert.SignatureAlgorithm, cert.RawTBSCertificate, cert.Signature))
		assert.Equal(t, "Prüfung 1", cert.Subject.CommonName)
		assert.Equal(t, now.UTC().Truncate(time.Second), cert.NotBefore)
		assert.Equal(t, 3650*aDay, cert.NotAfter.Sub(cert.NotBefore))
		assert.Positive(t, cert.SerialNumber.Sign())
		pair.Certificate = der
		signs(t, pair.Signer)
	}
	pair := ownKeys()["p256"]
	one, err := saml.SelfSigned(pair.Signer, saml.CertificateOptions{Subject: "x", NotBefore: now, Days: 36500})
	require.NoError(t, err)
	two, err := saml.SelfSigned(pair.Signer, saml.CertificateOptions{Subject: "x", NotBefore: now})
	require.NoError(t, err)
	assert.NotEqual(t, one[:60], two[:60], "serial numbers differ")
	for name, o := range map[string]saml.CertificateOptions{"no subject": {NotBefore: now}, "blank": {Subject: " ", NotBefore: now}, "no time": {Subject: "x"}, "too long": {Subject: strings.Repeat("x", 65), NotBefore: now},
		"two lines": {Subject: "a\nb", NotBefore: now}, "no UTF-8": {Subject: "\xff", NotBefore: now}, "negative": {Subject: "x", NotBefore: now, Days: -1}, "for ever": {Subject: "x", NotBefore: now, Days: 36501}} {
		_, err := saml.SelfSigned(pair.Signer, o)
		require.Error(t, err, name)
	}
	_, err = saml.SelfSigned(nil, saml.CertificateOptions{Subject: "x", NotBefore: now})
	require.Error(t, err)
}

// The life of a signing key, as docs/keys.md tells it: what metadata shows, and which key signs.
//
// req: SG-ROLL MP-KEYS MP-FLAGS
func TestLifeOfAKey(t *testing.T) {
	t.Parallel()
	trust, err := saml.TrustFromMetadata(declaring(t, "", ""), "", now)
	require.NoError(t, err)
	for _, stage := range []struct {
		name   string
		keys   []saml.KeyPair
		signer string // "" is unsigned
	}{
		{"before the first key", nil, ""},
		{"the first key is published", keyList("-rsa2048"), ""},
		{"it signs", keyList("rsa2048"), "rsa2048"},
		{"the next one is published", keyList("rsa2048", "-next"), "rsa2048"},
		{"the next one in front, published only", keyList("-next", "rsa2048"), "rsa2048"},
		{"switched", keyList("next", "-rsa2048"), "next"},
		{"the old one is retired", keyList("next"), "next"},
		{"another kind of key is published", keyList("next", "-p256"), "next"},
		{"switched to it", keyList("p256", "-next"), "p256"},
	} {
		t.Run(stage.name, func(t *testing.T) {
			t.Parallel()
			config := saml.Config{BaseURL: "https://sp.example.com", Trusts: saml.NewMemoryTrusts(), State: saml.NewMemoryState(), SigningKeys: stage.keys}
			sp, err := saml.New(config)
			require.NoError(t, err)
			var got struct {
				SP struct {
					Signed bool `xml:"AuthnRequestsSigned,attr"`
					Key    []struct {
						Use string `xml:"use,attr"`
					} `xml:"KeyDescriptor"`
				} `xml:"SPSSODescriptor"`
			}
			require.NoError(t, xml.Unmarshal(sp.Metadata(), &got))
			assert.Len(t, got.SP.Key, len(stage.keys))
			for _, k := range got.SP.Key {
				assert.Equal(t, "signing", k.Use)
			}
			assert.Equal(t, stage.signer != "", got.SP.Signed, "AuthnRequestsSigned")
			redirect, post, err := signatures(t, trust, config)
			require.NoError(t, err)
			if stage.signer == "" {
				assert.Empty(t, redirect.value)
				assert.Empty(t, post.algorithm)
				wanting := trust
				wanting.WantRequestsSigned, wanting.State = true, saml.Active
				_, err := sp.Request(t.Context(), wanting, saml.StartOptions{})
				require.ErrorContains(t, err, "no key that signs")
				config.Metadata.Sign = true
				_, err = saml.New(config)
				require.ErrorContains(t, err, "Metadata.Sign")
				return
			}
			verifyRedirect(t, ownKeys()[stage.signer].Signer.Public(), redirect.octets, redirect.value)
			config.Metadata.Sign = true
			signed, err := saml.New(config)
			require.NoError(t, err)
			u, err := xmlsec.Parse(signed.Metadata(), xmlsec.MetadataLimits())
			require.NoError(t, err)
			_, err = u.Verify(u.Root(), []crypto.PublicKey{ownKeys()[stage.signer].Signer.Public()}, xmlsec.Policy{})
			require.NoError(t, err)
		})
	}
}

// The key of a KeyPair only signs; who gives it to decrypt is told what to do.
func TestSigningKeyDoesNotDecrypt(t *testing.T) {
	t.Parallel()
	pair, err := saml.GenerateKeyPair(saml.RSA2048, saml.CertificateOptions{Subject: "sp.example.com", NotBefore: now})
	require.NoError(t, err)
	_, err = saml.New(saml.Config{BaseURL: "https://sp.example.com", Trusts: saml.NewMemoryTrusts(), State: saml.NewMemoryState(),
		DecryptionKeys: []saml.DecryptionKey{{Key: pair.Signer, Certificate: pair.Certificate}}})
	require.ErrorContains(t, err, "ParseDecryptionKey")
	certificate, key, err := pair.PEM()
	require.NoError(t, err)
	_, err = saml.ParseDecryptionKey(string(certificate), string(key))
	require.NoError(t, err)
}

// A key that is hidden is not printed even where fmt calls no methods.
func TestNewKeyPair(t *testing.T) {
	t.Parallel()
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, 32))
	pair, err := saml.NewKeyPair(key, nil)
	require.NoError(t, err)
	type host struct {
		pair saml.KeyPair
		list []saml.KeyPair
	}
	seed := strings.Trim(fmt.Sprint(bytes.Repeat([]byte{7}, 32)), "[]")
	for _, verb := range []string{"%v", "%+v", "%#v", "%x", "%d"} {
		assert.NotContains(t, fmt.Sprintf(verb, host{pair, []saml.KeyPair{pair}}), seed, verb)
		assert.NotContains(t, fmt.Sprintf(verb, host{pair, []saml.KeyPair{pair}}), "070707", verb)
		assert.NotContains(t, fmt.Sprintf(verb, host{pair, nil}), strings.Repeat("0x7, ", 8), verb)
	}
	_, key2, err := pair.PEM()
	require.NoError(t, err)
	assert.Contains(t, string(key2), "PRIVATE KEY")
	_, err = saml.NewKeyPair(nil, nil)
	require.Error(t, err)
	_, err = saml.NewKeyPair(key, []byte("no certificate"))
	require.Error(t, err)
}
