package saml_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/asn1"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml"
	"github.com/logintrust/saml/samltest"
)

func TestSPMetadata(t *testing.T) {
	t.Parallel()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	make := func() []byte {
		w := newWorld(t, func(_ *saml.LoginTrust, c *saml.Config) {
			c.BaseURL = "https://sp.example.com/a&b"
			c.SigningKeys = []saml.KeyPair{{Signer: key}, {Signer: rsaKey}}
		})
		return w.sp.Metadata()
	}
	first := make()
	assert.Equal(t, first, make(), "the same configuration gives the same bytes")
	// req: SG-ROLL SG-EMIT
	assert.Equal(t, 2, strings.Count(string(first), `<md:KeyDescriptor use="signing">`))
	assert.Contains(t, string(first), `Location="https://sp.example.com/a&amp;b/sso/acs"`)
	assert.NotContains(t, string(first), "validUntil")
	assert.Contains(t, string(first), "cacheDuration")
	first[0] = 'x'
	assert.NotEqual(t, first, make(), "what is handed out is a copy")

	plain := newWorld(t).sp.Metadata()
	assert.NotContains(t, string(plain), "AuthnRequestsSigned")
	assert.NotContains(t, string(plain), "KeyDescriptor")
}

const (
	md       = `xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" xmlns:ds="http://www.w3.org/2000/09/xmldsig#"`
	redirect = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
	saml2    = "urn:oasis:names:tc:SAML:2.0:protocol"
)

// entity writes an EntityDescriptor with one role.
func entity(id, protocol, inner string) string {
	return fmt.Sprintf(`<md:EntityDescriptor %s entityID=%q><md:IDPSSODescriptor protocolSupportEnumeration=%q>%s</md:IDPSSODescriptor></md:EntityDescriptor>`, md, id, protocol, inner)
}

func keyDescriptor(use string, der []byte) string {
	return fmt.Sprintf(`<md:KeyDescriptor%s><ds:KeyInfo><ds:X509Data><ds:X509Certificate>
	%s
	</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>`, use, base64.StdEncoding.EncodeToString(der))
}

func sso(binding, location string) string {
	return fmt.Sprintf(`<md:SingleSignOnService Binding=%q Location=%q/>`, binding, location)
}

const ssoPOST = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"

func TestTrustFromMetadata(t *testing.T) {
	t.Parallel()
	idp := samltest.NewIdP(t)
	cert := idp.Certificate()
	trust, err := saml.TrustFromMetadata(idp.Metadata(), "", now)
	require.NoError(t, err)
	assert.Equal(t, idp.EntityID, trust.Domain)
	assert.Equal(t, idp.SSOURL, trust.LoginURL)
	assert.Equal(t, saml.Provisional, trust.State)
	assert.True(t, trust.SAML)
	require.Len(t, trust.Keys, 1)
	assert.True(t, trust.Keys[0].Equal(idp.Trust().Keys[0]))
	require.NoError(t, trust.Check())

	good := keyDescriptor("", cert) + sso(redirect, "https://idp/r")
	one, two := entity("https://one", saml2, good), entity("https://two", saml2, good)
	sp := `<md:EntityDescriptor ` + md + ` entityID="https://sp"><md:SPSSODescriptor protocolSupportEnumeration="` + saml2 + `"/></md:EntityDescriptor>`
	group := func(attrs string, inner ...string) string {
		return `<md:EntitiesDescriptor ` + md + ` ` + attrs + `>` + strings.Join(inner, "") + `</md:EntitiesDescriptor>`
	}
	for _, c := range []struct {
		name, xml, pick, fails string
		check                  func(*testing.T, saml.LoginTrust)
	}{
		{name: "aggregate of one", xml: group("", one), check: func(t *testing.T, l saml.LoginTrust) { assert.Equal(t, "https://one", l.Domain) }},
		{name: "aggregate with a service provider", xml: group("", sp, one)},
		{name: "picked", xml: group("", one, two), pick: "https://two", check: func(t *testing.T, l saml.LoginTrust) { assert.Equal(t, "https://two", l.Domain) }},
		{name: "picked from a nested one", xml: group("", one, group("", group("", two))), pick: "https://two"},
		{name: "not picked", xml: group("", one, two), fails: "several identity providers"},
		{name: "not there", xml: one, pick: "https://three", fails: "holds no SAML 2.0 identity provider"},
		{name: "twice there", xml: group("", one, one), pick: "https://one", fails: "more than once"},
		{name: "only a service provider", xml: sp, fails: "holds no SAML 2.0 identity provider"},
		{name: "SAML 1.1 only", xml: entity("https://one", "urn:oasis:names:tc:SAML:1.1:protocol", good), fails: "holds no SAML 2.0"},
		{name: "two protocols", xml: entity("https://one", "urn:oasis:names:tc:SAML:1.1:protocol\n "+saml2, good)},
		{name: "no key", xml: entity("https://one", saml2, sso(redirect, "https://idp/r")), fails: "no signing key"},
		// req: SG-USE
		{name: "encryption key only", xml: entity("https://one", saml2, keyDescriptor(` use="encryption"`, cert)+sso(redirect, "https://idp/r")), fails: "no signing key"},
		{name: "signing key", xml: entity("https://one", saml2, keyDescriptor(` use="signing"`, cert)+sso(redirect, "https://idp/r"))},
		{name: "unreadable key beside a good one", xml: entity("https://one", saml2, keyDescriptor("", []byte("junk"))+good)},
		{name: "the same key twice", xml: entity("https://one", saml2, good+keyDescriptor("", cert)), check: func(t *testing.T, l saml.LoginTrust) { assert.Len(t, l.Keys, 1) }},
		{name: "no endpoint", xml: entity("https://one", saml2, keyDescriptor("", cert)), fails: "no https endpoint"},
		{name: "http endpoint", xml: entity("https://one", saml2, keyDescriptor("", cert)+sso(redirect, "http://idp/r")), check: func(t *testing.T, l saml.LoginTrust) { assert.Empty(t, l.LoginURL) }},
		{name: "POST only", xml: entity("https://one", saml2, keyDescriptor("", cert)+sso(ssoPOST, "https://idp/p")), check: func(t *testing.T, l saml.LoginTrust) {
			assert.Equal(t, "https://idp/p", l.LoginPostURL)
			assert.Empty(t, l.LoginURL)
		}},
		{name: "javascript endpoint", xml: entity("https://one", saml2, keyDescriptor("", cert)+sso(redirect, "javascript:alert(1)")), fails: "no https endpoint"},
		{name: "expired", xml: group(`validUntil="2026-03-14T15:09:26Z"`, one), fails: "expired"},
		{name: "still valid", xml: group(`validUntil="2026-03-14T15:09:27Z"`, one)},
		{name: "expired inside", xml: group(`validUntil="2030-01-01T00:00:00Z"`, strings.Replace(one, "entityID", `validUntil="2020-01-01T00:00:00Z" entityID`, 1)), fails: "expired"},
		{name: "bad validUntil", xml: group(`validUntil="tomorrow"`, one), fails: "not a time"},
		{name: "byte order mark and comment", xml: "\xef\xbb\xbf<?xml version='1.0'?><!-- c --><?pi x?>" + one},
		{name: "doctype", xml: "<!DOCTYPE x>" + one, fails: "document type declaration"},
		{name: "not metadata", xml: "<html/>", fails: "not SAML metadata"},
		{name: "not XML", xml: "hello", fails: "outside the root"},
		{name: "nothing", xml: "", fails: "no element"},
		{name: "no entity ID", xml: strings.Replace(one, ` entityID="https://one"`, "", 1), fails: "without entityID"},
		{name: "an entity ID that is no Domain", xml: entity("a b", saml2, good), fails: "Domain"},
		{name: "unknown roles", xml: strings.Replace(one, "<md:IDPSSODescriptor", `<md:RoleDescriptor xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:fed="urn:fed" xsi:type="fed:SecurityTokenServiceType" protocolSupportEnumeration="urn:fed">`+keyDescriptor("", []byte("evil"))+`</md:RoleDescriptor><md:IDPSSODescriptor`, 1)},
		{name: "names", xml: entity("https://one", saml2, `<md:Extensions><mdui:UIInfo xmlns:mdui="urn:oasis:names:tc:SAML:metadata:ui"><mdui:DisplayName xml:lang="de">Klinik</mdui:DisplayName><mdui:DisplayName xml:lang="en">The
			Clinic</mdui:DisplayName></mdui:UIInfo></md:Extensions>`+good), check: func(t *testing.T, l saml.LoginTrust) { assert.Equal(t, "The Clinic", l.Description) }},
		{name: "wants signed requests", xml: strings.Replace(one, "<md:IDPSSODescriptor", `<md:IDPSSODescriptor WantAuthnRequestsSigned="true" errorURL="https://idp/help"`, 1), check: func(t *testing.T, l saml.LoginTrust) {
			assert.True(t, l.WantRequestsSigned)
			assert.Equal(t, "https://idp/help", l.ErrorURL)
		}},
		{name: "script as errorURL", xml: strings.Replace(one, "<md:IDPSSODescriptor", `<md:IDPSSODescriptor errorURL="javascript:x"`, 1), check: func(t *testing.T, l saml.LoginTrust) { assert.Empty(t, l.ErrorURL) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			trust, err := saml.TrustFromMetadata([]byte(c.xml), c.pick, now)
			if c.fails != "" {
				require.ErrorContains(t, err, c.fails)
				assert.Zero(t, trust)
				return
			}
			require.NoError(t, err)
			if c.check != nil {
				c.check(t, trust)
			}
		})
	}
	_, err = saml.TrustFromMetadata([]byte(group("", one, two)), "", now)
	assert.ErrorIs(t, err, saml.ErrSeveralIdPs)
}

// req: SE-ENC
func TestMetadataInUTF16(t *testing.T) {
	t.Parallel()
	idp := samltest.NewIdP(t)
	text := string(idp.Metadata())
	if _, rest, found := strings.Cut(text, "?>"); found {
		text = rest
	}
	text = `<?xml version="1.0" encoding="UTF-16"?>` + strings.Replace(text, "</md:IDPSSODescriptor>", "<!-- é 𝕏 --></md:IDPSSODescriptor>", 1)
	require.Contains(t, text, "𝕏")
	for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
		b := order.AppendUint16(nil, 0xfeff)
		for _, u := range utf16.Encode([]rune(text)) {
			b = order.AppendUint16(b, u)
		}
		trust, err := saml.TrustFromMetadata(b, "", now)
		require.NoError(t, err)
		assert.Equal(t, idp.EntityID, trust.Domain)
		_, err = saml.TrustFromMetadata(b[:len(b)-1], "", now)
		assert.ErrorContains(t, err, "UTF-16")
		_, err = saml.TrustFromMetadata(order.AppendUint16(b, 0xd800), "", now)
		assert.ErrorContains(t, err, "UTF-16")
	}
	trust, err := saml.TrustFromMetadata([]byte(text), "", now)
	require.NoError(t, err, "text that says it is UTF-16 and is not")
	assert.Equal(t, idp.EntityID, trust.Domain)
	_, err = saml.TrustFromMetadata([]byte(`<?xml version="1.0" encoding="ISO-8859-1"?>`+string(idp.Metadata())), "", now)
	assert.Error(t, err)
}

// Bare keys in metadata: every form that the specifications have.
func TestBareKeysInMetadata(t *testing.T) {
	t.Parallel()
	b64 := base64.StdEncoding.EncodeToString
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	want, err := saml.NewPublicKey(rsaKey.Public())
	require.NoError(t, err)
	import1 := func(info string) (saml.LoginTrust, error) {
		return saml.TrustFromMetadata([]byte(entity("https://one", saml2, `<md:KeyDescriptor><ds:KeyInfo>`+info+`</ds:KeyInfo></md:KeyDescriptor>`+sso(redirect, "https://idp/r"))), "", now)
	}
	trust, err := import1(`<ds:KeyName>x</ds:KeyName><ds:KeyValue><ds:RSAKeyValue><ds:Modulus>` + b64(rsaKey.N.Bytes()) + `</ds:Modulus><ds:Exponent>AQAB</ds:Exponent></ds:RSAKeyValue></ds:KeyValue>`)
	require.NoError(t, err)
	assert.True(t, trust.Keys[0].Equal(want))
	for curve, oid := range map[elliptic.Curve]string{elliptic.P256(): "1.2.840.10045.3.1.7", elliptic.P384(): "1.3.132.0.34", elliptic.P521(): "1.3.132.0.35"} {
		key, err := ecdsa.GenerateKey(curve, rand.Reader)
		require.NoError(t, err)
		point, err := key.PublicKey.Bytes()
		require.NoError(t, err)
		want, err := saml.NewPublicKey(key.Public())
		require.NoError(t, err)
		trust, err := import1(`<ds:KeyValue><e:ECKeyValue xmlns:e="http://www.w3.org/2009/xmldsig11#"><e:NamedCurve URI="urn:oid:` + oid + `"/><e:PublicKey>` + b64(point) + `</e:PublicKey></e:ECKeyValue></ds:KeyValue>`)
		require.NoError(t, err)
		assert.True(t, trust.Keys[0].Equal(want))
		_, err = import1(`<ds:KeyValue><e:ECKeyValue xmlns:e="http://www.w3.org/2009/xmldsig11#"><e:NamedCurve URI="urn:oid:` + oid + `"/><e:PublicKey>` + b64(point[:len(point)-1]) + `</e:PublicKey></e:ECKeyValue></ds:KeyValue>`)
		require.Error(t, err)
		_, err = import1(`<ds:KeyValue><e:ECKeyValue xmlns:e="http://www.w3.org/2009/xmldsig11#"><e:NamedCurve URI="urn:oid:` + oid + `"/><e:PublicKey>` + b64(point) + `!</e:PublicKey></e:ECKeyValue></ds:KeyValue>`)
		require.Error(t, err)
	}
	for _, bad := range []string{``, `<ds:KeyName>x</ds:KeyName>`, `<ds:KeyValue><ds:RSAKeyValue/></ds:KeyValue>`,
		`<ds:KeyValue><ds:RSAKeyValue><ds:Modulus>!!</ds:Modulus><ds:Exponent>AQAB</ds:Exponent></ds:RSAKeyValue></ds:KeyValue>`,
		`<ds:KeyValue><ds:RSAKeyValue><ds:Modulus>` + b64(rsaKey.N.Bytes()) + `!</ds:Modulus><ds:Exponent>AQAB</ds:Exponent></ds:RSAKeyValue></ds:KeyValue>`,
		`<ds:KeyValue><ds:RSAKeyValue><ds:Modulus>` + b64(rsaKey.N.Bytes()) + `</ds:Modulus><ds:Exponent>AQAB!</ds:Exponent></ds:RSAKeyValue></ds:KeyValue>`,
		`<ds:KeyValue><ds:RSAKeyValue><ds:Modulus>` + b64(rsaKey.N.Bytes()) + `</ds:Modulus><ds:Exponent>AQAAAAAAAAAAAQAB</ds:Exponent></ds:RSAKeyValue></ds:KeyValue>`, // 65537 in its last octets
		`<ds:KeyValue><ds:RSAKeyValue><ds:Modulus>` + b64(rsaKey.N.Bytes()) + `</ds:Modulus><ds:Exponent/></ds:RSAKeyValue></ds:KeyValue>`,
		`<ds:KeyValue><ds:RSAKeyValue><ds:Modulus>AQAB</ds:Modulus><ds:Exponent>AQAB</ds:Exponent></ds:RSAKeyValue></ds:KeyValue>`} {
		_, err := import1(bad)
		assert.ErrorContains(t, err, "no signing key")
	}
}

// req: MD12-go IIP-MD12
func TestCertificatesThatGoRefuses(t *testing.T) {
	t.Parallel()
	idp := samltest.NewIdP(t)
	want := idp.Trust().Keys[0]
	var certificate, tbs []asn1.RawValue
	_, err := asn1.Unmarshal(idp.Certificate(), &certificate)
	require.NoError(t, err)
	_, err = asn1.Unmarshal(certificate[0].FullBytes, &tbs)
	require.NoError(t, err)
	for i, v := range tbs {
		if v.Tag == asn1.TagInteger && v.Class == asn1.ClassUniversal {
			negative, err := asn1.Marshal(big.NewInt(-5))
			require.NoError(t, err)
			tbs[i] = asn1.RawValue{FullBytes: negative}
			break
		}
	}
	body, err := asn1.Marshal(tbs)
	require.NoError(t, err)
	certificate[0] = asn1.RawValue{FullBytes: body}
	negativeSerial, err := asn1.Marshal(certificate)
	require.NoError(t, err)
	for name, der := range map[string][]byte{"negative serial": negativeSerial, "trailing octet": append(idp.Certificate(), 0)} {
		key, err := saml.ParsePublicKey(base64.StdEncoding.EncodeToString(der))
		require.NoError(t, err, name)
		assert.True(t, key.Equal(want), name)
		if name == "negative serial" {
			require.Len(t, key.Warnings(now, 0), 1)
			assert.Equal(t, saml.KeyDatesUnreadable, key.Warnings(now, 0)[0].Code)
			assert.Empty(t, key.CertificateSubject()+key.CertificateSerial())
		}
	}
}

func TestPublicKeyText(t *testing.T) {
	t.Parallel()
	key := samltest.NewIdP(t).Trust().Keys[0]
	text, err := key.MarshalText()
	require.NoError(t, err)
	again, err := saml.ParsePublicKey(string(text))
	require.NoError(t, err)
	assert.True(t, key.Equal(again))
	assert.Len(t, key.SHA256(), 64)
	for _, bad := range []string{"", "x", "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n", string(text) + string(text), strings.Repeat("A", 70_000)} {
		_, err := saml.ParsePublicKey(bad)
		assert.Error(t, err)
	}
	_, err = saml.ParsePublicKey("-----BEGIN RSA PRIVATE KEY-----\nc2VjcmV0\n-----END RSA PRIVATE KEY-----\n")
	require.ErrorContains(t, err, "private key")
	assert.NotContains(t, err.Error(), "c2VjcmV0")
	_, err = saml.PublicKey{}.MarshalText()
	assert.Error(t, err)
	_, err = saml.NewPublicKey("x")
	assert.Error(t, err)
	p224, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	require.NoError(t, err)
	_, err = saml.NewPublicKey(p224.Public())
	assert.Error(t, err)
}

func TestLoginTrustCheckAndJSON(t *testing.T) {
	t.Parallel()
	trust := samltest.NewIdP(t).Trust()
	trust.Description, trust.MaxAuthnAge, trust.AllowIdPInitiated = "Klinik «A»", time.Hour, true
	require.NoError(t, trust.Check())
	b, err := json.Marshal(trust)
	require.NoError(t, err)
	assert.Contains(t, string(b), `"state":"active"`)
	var again saml.LoginTrust
	require.NoError(t, json.Unmarshal(b, &again))
	b2, err := json.Marshal(again)
	require.NoError(t, err)
	assert.JSONEq(t, string(b), string(b2))
	assert.True(t, again.Keys[0].Equal(trust.Keys[0]))

	for field, change := range map[string]func(*saml.LoginTrust){
		"Domain: must have":        func(t *saml.LoginTrust) { t.Domain = "" },
		"Domain: must have 1":      func(t *saml.LoginTrust) { t.Domain = strings.Repeat("a", 256) },
		"Domain: must be":          func(t *saml.LoginTrust) { t.Domain = "a b" },
		"Domain: must be p":        func(t *saml.LoginTrust) { t.Domain = "é" },
		"Description":              func(t *saml.LoginTrust) { t.Description = strings.Repeat("é", 256) },
		"LoginURL":                 func(t *saml.LoginTrust) { t.LoginURL = "http://idp.example.com" },
		"LoginPostURL":             func(t *saml.LoginTrust) { t.LoginPostURL = "javascript:x" },
		"ErrorURL":                 func(t *saml.LoginTrust) { t.ErrorURL = "data:x" },
		"State":                    func(t *saml.LoginTrust) { t.State = 7 },
		"Keys: an active":          func(t *saml.LoginTrust) { t.Keys = nil },
		"Keys: at most":            func(t *saml.LoginTrust) { t.Keys = make([]saml.PublicKey, 9) },
		"Keys: key 1":              func(t *saml.LoginTrust) { t.Keys = make([]saml.PublicKey, 1) },
		"AllowUnknownInResponseTo": func(t *saml.LoginTrust) { t.AllowIdPInitiated, t.AllowUnknownInResponseTo = false, true },
		"MaxAuthnAge":              func(t *saml.LoginTrust) { t.MaxAuthnAge = -1 },
	} {
		bad := trust
		change(&bad)
		require.ErrorContains(t, bad.Check(), field)
	}
	var state saml.TrustState
	assert.Error(t, state.UnmarshalText([]byte("on")))
	_, err = saml.TrustState(9).MarshalText()
	assert.Error(t, err)
	assert.Equal(t, "unknown (9)", saml.TrustState(9).String())
	bad := trust
	bad.Description = strings.Repeat("é", 255)
	assert.NoError(t, bad.Check())
}

// req: IIP-MD07 IIP-MD12 CORE-5.4.5 SA-09
func TestSeveralPinnedKeys(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	trust := w.trust()
	var keys []saml.PublicKey
	for range 3 {
		k, err := rsa.GenerateKey(rand.Reader, 2048)
		require.NoError(t, err)
		p, err := saml.NewPublicKey(k.Public())
		require.NoError(t, err)
		keys = append(keys, p)
	}
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	ecKey, err := saml.NewPublicKey(ec.Public())
	require.NoError(t, err)
	right := trust.Keys[0]
	for _, list := range [][]saml.PublicKey{{right}, append([]saml.PublicKey{ecKey, right}, keys...), append(append([]saml.PublicKey{ecKey}, keys...), right)} {
		trust.Keys = list
		w.trusts.Set(trust)
		for _, certificate := range [][]byte{nil, w.idp.Certificate()} {
			login, err := w.login(signBoth, func(a *samltest.Answer) { a.Seal.Certificate = certificate })
			accepted(t, login, err)
		}
	}
	trust.Keys = keys
	w.trusts.Set(trust)
	login, err := w.login()
	refused(t, saml.BadSignature, login, err)
	trust.Keys = []saml.PublicKey{ecKey}
	w.trusts.Set(trust)
	login, err = w.login()
	refused(t, saml.NoKeyOnFile, login, err)
}
