package e2e_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/fips140"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"net/http"
	"net/url"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml"
	"github.com/logintrust/saml/internal/oracle"
	"github.com/logintrust/saml/samltest"
)

// What we emit is valid by the SAML schemas, with each kind of key and every option; and xmlsec1 verifies what we sign.
func TestSchemaOfMetadataAndRequests(t *testing.T) {
	t.Parallel()
	pairs := keyPairs(t)
	trust := trustFor(t, pairs["RSA with certificate"].Certificate)
	for name, pair := range pairs {
		for _, config := range []saml.Config{
			{BaseURL: "https://sp.example.com"},
			{BaseURL: "https://sp.example.com/prefix", EntityID: "https://sp.example.com/?a=1&b=<2>'\""},
		} {
			t.Run(name+" "+config.BaseURL, func(t *testing.T) {
				t.Parallel()
				if pair.Signer != nil {
					config.SigningKeys = []saml.KeyPair{pair}
				}
				config.Trusts, config.State = saml.NewMemoryTrusts(), saml.NewMemoryState()
				sp, err := saml.New(config)
				require.NoError(t, err)
				assert.NoError(t, oracle.ValidateSchema(t, sp.Metadata(), "metadata"), "%s", sp.Metadata())
				for _, binding := range []saml.Binding{saml.RedirectBinding, saml.POSTBinding} {
					for _, opts := range startOptions {
						opts.Binding = binding
						checkRequest(t, sp, trust, opts, pair.Signer)
					}
				}
			})
		}
	}
}

// Metadata with keys that open what is encrypted is valid.
//
// req: MP-SCHEMA MP-ENCMETH
func TestSchemaOfEncryptionKeys(t *testing.T) {
	t.Parallel()
	var keys []saml.DecryptionKey
	for name, pair := range keyPairs(t) {
		if pair.Signer != nil {
			require.NotContains(t, name, "Ed25519")
			keys = append(keys, saml.DecryptionKey{Key: pair.Signer, Certificate: pair.Certificate})
		}
	}
	require.NotEmpty(t, keys)
	sp, err := saml.New(saml.Config{BaseURL: "https://sp.example.com", Trusts: saml.NewMemoryTrusts(), State: saml.NewMemoryState(), DecryptionKeys: keys})
	require.NoError(t, err)
	require.Equal(t, len(keys), bytes.Count(sp.Metadata(), []byte(`use="encryption"`)))
	// FIPS 140-3 mode has to name the mask generation of OAEP, which is of XML Encryption 1.1; the schemas are of 1.0.
	mgf := regexp.MustCompile(`\s*<xenc11:MGF xmlns:xenc11="http://www\.w3\.org/2009/xmlenc11#" Algorithm="[^"]+"/>`)
	metadata := sp.Metadata()
	if fips140.Enforced() {
		metadata = mgf.ReplaceAll(metadata, nil)
	}
	require.NoError(t, oracle.ValidateSchema(t, metadata, "metadata"), "%s", metadata)
}

// Metadata with all that it can have is valid too, and xmlsec1 verifies its signature, with each kind of key.
//
// req: MP-SCHEMA MP-SIGN
func TestSchemaOfFullMetadata(t *testing.T) {
	t.Parallel()
	const hostile = `"A" & 'B' </md:EntityDescriptor><!-- ]]> é 𝕏`
	texts := map[string]string{"en": hostile, "de-CH": "Grüezi"}
	urls := map[string]string{"en": "https://sp.example.com/?a=1&b='2'", "fr-CH": "https://sp.example.com/fr"}
	full := saml.MetadataOptions{
		CacheDuration: 90 * time.Minute, ValidUntil: time.Now().Add(time.Hour),
		NameIDFormats: []string{"urn:oasis:names:tc:SAML:2.0:nameid-format:persistent", "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"},
		UI: saml.UIInfo{DisplayNames: texts, Descriptions: texts, InformationURLs: urls, PrivacyStatementURLs: urls,
			Logos: []saml.Logo{{URL: "https://sp.example.com/logo.png", Width: 80, Height: 60}, {URL: "data:image/png;base64,iVBORw0KGgo=", Width: 16, Height: 16, Lang: "en"}}},
		Organization: saml.Organization{Names: texts, DisplayNames: texts, URLs: urls},
		Services: []saml.AttributeService{
			{Names: texts, Descriptions: texts, Attributes: []saml.RequestedAttribute{{Name: "urn:oid:2.5.4.4", NameFormat: "urn:oasis:names:tc:SAML:2.0:attrname-format:uri", FriendlyName: "sn", Required: true}, {Name: hostile}}},
			{Names: texts, Attributes: []saml.RequestedAttribute{{Name: "email"}}}},
	}
	for _, kind := range []saml.ContactType{saml.TechnicalContact, saml.SupportContact, saml.AdministrativeContact, saml.BillingContact, saml.OtherContact, saml.SecurityContact} {
		full.Contacts = append(full.Contacts, saml.Contact{Type: kind, Company: hostile, GivenName: "A", SurName: "B", Emails: []string{"a@example.com", "b@example.com"}, Phones: []string{"+41 44 000 00 00"}})
	}
	for name, options := range map[string]saml.MetadataOptions{
		"all": full, "texts only": {UI: saml.UIInfo{DisplayNames: texts}}, "a contact only": {Contacts: full.Contacts[:1]},
		"a service only": {Services: full.Services[:1]}, "an organization only": {Organization: full.Organization}, "formats only": {NameIDFormats: full.NameIDFormats},
	} {
		for key, pair := range keyPairs(t) {
			config := saml.Config{BaseURL: "https://sp.example.com", Trusts: saml.NewMemoryTrusts(), State: saml.NewMemoryState(), Metadata: options}
			if pair.Signer != nil {
				config.SigningKeys, config.Metadata.Sign = []saml.KeyPair{pair}, true
			}
			sp, err := saml.New(config)
			require.NoError(t, err)
			require.NoError(t, oracle.ValidateSchema(t, sp.Metadata(), "metadata"), "%s, %s: %s", name, key, sp.Metadata())
			if pair.Signer == nil || name != "all" {
				continue
			}
			spki, err := x509.MarshalPKIXPublicKey(pair.Signer.Public())
			require.NoError(t, err)
			public := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: spki})
			_, err = oracle.XMLSecVerify(t, sp.Metadata(), public, "urn:oasis:names:tc:SAML:2.0:metadata:EntityDescriptor")
			require.NoError(t, err, "%s: %s", key, sp.Metadata())
			_, err = oracle.XMLSecVerify(t, bytes.Replace(sp.Metadata(), []byte("Grüezi"), []byte("Gruezi"), 1), public, "urn:oasis:names:tc:SAML:2.0:metadata:EntityDescriptor")
			require.Error(t, err)
		}
	}
}

// hostSessions are the sessions of a host that has none.
type hostSessions struct{}

func (hostSessions) EndSessions(context.Context, saml.Logout) (int, error) { return 0, nil }

// Messages of single logout, and the metadata that announces it, are valid too, with each kind of key; and xmlsec1 verifies
// what goes by HTTP-POST.
func TestSchemaOfLogout(t *testing.T) {
	t.Parallel()
	idp, err := samltest.New(samltest.Options{})
	require.NoError(t, err)
	for name, pair := range keyPairs(t) {
		if pair.Signer == nil {
			continue
		}
		trust := idp.Trust()
		trust.AsyncLogout = true
		sp, err := saml.New(saml.Config{BaseURL: "https://sp.example.com", Trusts: saml.NewMemoryTrusts(trust), State: saml.NewMemoryState(),
			Sessions: hostSessions{}, SigningKeys: []saml.KeyPair{pair}, Metadata: saml.MetadataOptions{NameIDFormats: []string{saml.NameIDPersistent}}})
		require.NoError(t, err)
		require.NoError(t, oracle.ValidateSchema(t, sp.Metadata(), "metadata"), "%s", sp.Metadata())
		session := saml.LoginSession{Domain: trust.Domain, SessionIndexes: []string{"s<1>", "s2"},
			NameID: saml.NameID{Value: "a&b", Format: saml.NameIDPersistent, NameQualifier: "<q>", SPNameQualifier: "s", SPProvidedID: "\"p"}}
		checkLogout := func(kind, place string, fields map[string]string) {
			m := message{method: http.MethodPost, value: fields["SAML"+kind]}
			if place != "" {
				u, err := url.Parse(place)
				require.NoError(t, err)
				m = message{method: http.MethodGet, value: u.Query().Get("SAML" + kind)}
			}
			xml := m.xml(t)
			require.NoError(t, oracle.ValidateSchema(t, xml, "protocol"), "%s: %s", name, xml)
			if place == "" {
				spki, err := x509.MarshalPKIXPublicKey(pair.Signer.Public())
				require.NoError(t, err)
				_, err = oracle.XMLSecVerify(t, xml, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: spki}), "urn:oasis:names:tc:SAML:2.0:protocol:Logout"+kind)
				require.NoError(t, err, "%s: %s", name, xml)
			}
		}
		for _, binding := range []saml.Binding{saml.RedirectBinding, saml.POSTBinding} {
			started, err := sp.LogoutRequest(t.Context(), session, saml.LogoutOptions{Binding: binding, Reason: saml.LogoutByAdmin})
			require.NoError(t, err)
			checkLogout("Request", started.URL, started.Fields)
		}
		for _, carry := range []func(*samltest.LogoutMessage) saml.LogoutMessage{(*samltest.LogoutMessage).ByRedirect, (*samltest.LogoutMessage).ByPOST} {
			m := idp.LogoutRequest(session, "https://sp.example.com/sso/logout")
			m.NameID = nil // which makes a status with a second code
			answer, err := sp.AnswerLogout(t.Context(), carry(m))
			require.NoError(t, err)
			checkLogout("Response", answer.URL, answer.Fields)
		}
	}
}

var startOptions = []saml.StartOptions{
	{},
	{ForceAuthn: true, MaxAuthnAge: time.Minute, NameIDFormat: "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"},
	{IsPassive: true, NameIDFormat: "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"},
	{AuthnContext: []string{"urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport", "https://refeds.org/profile/mfa?a=1&b=2"}},
	{ForceAuthn: true, IsPassive: true, Subject: &saml.NameID{Value: "<alice> & co", Format: saml.NameIDPersistent, SPNameQualifier: "urn:sp"},
		NameIDFormat: saml.NameIDPersistent, AuthnContext: []string{"urn:a"},
		Details: saml.RequestDetails{SPNameQualifier: "urn:affiliation", Comparison: saml.Better, ProviderName: "Ours", ACSByIndex: true,
			Scoping:    &saml.Scoping{ProxyCount: new(int), IDPList: []string{"https://a.example.com"}, GetComplete: "https://a.example.com/list", RequesterIDs: []string{"https://r.example.com"}},
			Extensions: []string{`<x:hint xmlns:x="urn:x">text</x:hint>`, `<hint xmlns="urn:y"/>`}}},
	{Details: saml.RequestDetails{NameIDPolicy: true, AuthnContextDecls: []string{"urn:decl"}}},
}

func checkRequest(t *testing.T, sp *saml.ServiceProvider, trust saml.LoginTrust, opts saml.StartOptions, signer crypto.Signer) {
	t.Helper()
	started, err := sp.Request(context.Background(), trust, opts)
	require.NoError(t, err)
	m := message{method: http.MethodPost, value: started.Fields["SAMLRequest"]}
	if opts.Binding == saml.RedirectBinding {
		u, err := url.Parse(started.URL)
		require.NoError(t, err)
		m = message{method: http.MethodGet, value: u.Query().Get("SAMLRequest")}
	}
	xml := m.xml(t)
	require.NoError(t, oracle.ValidateSchema(t, xml, "protocol"), "%s", xml)
	if opts.Binding == saml.RedirectBinding || signer == nil {
		assert.NotContains(t, string(xml), "Signature")
		return
	}
	spki, err := x509.MarshalPKIXPublicKey(signer.Public())
	require.NoError(t, err)
	public := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: spki})
	_, err = oracle.XMLSecVerify(t, xml, public, "urn:oasis:names:tc:SAML:2.0:protocol:AuthnRequest")
	require.NoError(t, err, "%s", xml)
}

// trustFor makes a login trust for an identity provider that nobody asks.
func trustFor(t *testing.T, certificate []byte) saml.LoginTrust {
	t.Helper()
	trust, err := saml.TrustFromMetadata([]byte(`<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="https://idp.example.org/">`+
		`<IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><KeyDescriptor><KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#">`+
		`<X509Data><X509Certificate>`+base64.StdEncoding.EncodeToString(certificate)+`</X509Certificate></X509Data></KeyInfo></KeyDescriptor>`+
		`<SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://idp.example.org/sso?a=1&amp;b=2"/>`+
		`<SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://idp.example.org/sso?a=1&amp;b=2"/>`+
		`</IDPSSODescriptor></EntityDescriptor>`), "", time.Now())
	require.NoError(t, err)
	trust.State = saml.Active
	return trust
}

// keyPairs has each kind of key that can sign requests, and none.
func keyPairs(t *testing.T) map[string]saml.KeyPair {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotAfter: time.Now().Add(time.Hour)}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	pairs := map[string]saml.KeyPair{"no key": {}, "RSA": {Signer: key}, "RSA with certificate": {Signer: key, Certificate: certificate}}
	for name, curve := range map[string]elliptic.Curve{"P-256": elliptic.P256(), "P-384": elliptic.P384(), "P-521": elliptic.P521()} {
		key, err := ecdsa.GenerateKey(curve, rand.Reader)
		require.NoError(t, err)
		pairs[name] = saml.KeyPair{Signer: key}
	}
	return pairs
}

// Metadata of a service provider that has everything switched on at once is valid.
//
// req: MP-SCHEMA
func TestSchemaOfEverything(t *testing.T) {
	t.Parallel()
	pairs := keyPairs(t)
	texts := map[string]string{"en": "A & B"}
	sp, err := saml.New(saml.Config{BaseURL: "https://sp.example.com", Trusts: saml.NewMemoryTrusts(), State: saml.NewMemoryState(),
		Sessions: hostSessions{}, Artifacts: &saml.SOAPClient{}, DiscoveryURL: "https://discovery.example.com/?a=1&b=2",
		SigningKeys:         []saml.KeyPair{pairs["RSA with certificate"], pairs["P-256"]},
		DecryptionKeys:      []saml.DecryptionKey{{Key: pairs["RSA"].Signer}, {Key: pairs["P-384"].Signer}},
		SignatureAlgorithms: []string{saml.AlgorithmECDSASHA256, saml.AlgorithmRSASHA256}, DigestAlgorithms: []string{saml.AlgorithmSHA256},
		Metadata: saml.MetadataOptions{Sign: true, LogoutBySOAP: true, CacheDuration: time.Hour, ValidUntil: time.Now().Add(time.Hour),
			NameIDFormats: []string{saml.NameIDPersistent}, UI: saml.UIInfo{DisplayNames: texts},
			Organization: saml.Organization{Names: texts, DisplayNames: texts, URLs: map[string]string{"en": "https://example.com"}},
			Contacts:     []saml.Contact{{Type: saml.TechnicalContact, Emails: []string{"a@example.com"}}},
			Services:     []saml.AttributeService{{Names: texts, Attributes: []saml.RequestedAttribute{{Name: "email"}}}}}})
	require.NoError(t, err)
	for _, part := range []string{"SingleLogoutService", "bindings:SOAP", "HTTP-Artifact", "DiscoveryResponse", `use="encryption"`, "AttributeConsumingService", "UIInfo", "SigningMethod", "SignatureValue"} {
		require.Contains(t, string(sp.Metadata()), part)
	}
	require.NoError(t, oracle.ValidateSchema(t, sp.Metadata(), "metadata"), "%s", sp.Metadata())
}
