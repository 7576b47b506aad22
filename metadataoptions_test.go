package saml_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/xml"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml"
	"github.com/logintrust/saml/internal/xmlsec"
	"github.com/logintrust/saml/samltest"
)

// hostile is a text that would end elements and attributes if it were not escaped.
const hostile = `"Müller" & 'Söhne' </md:EntityDescriptor><!-- ]]> 𝕏` + "\u202e"

func fullMetadata() saml.MetadataOptions {
	texts := map[string]string{"en": hostile, "de-CH": "Grüezi"}
	urls := map[string]string{"en": "https://sp.example.com/?a=1&b=2", "de": "http://sp.example.com/'de'"}
	return saml.MetadataOptions{
		CacheDuration: 6 * time.Hour, ValidUntil: now.Add(365 * 24 * time.Hour),
		NameIDFormats: []string{"urn:oasis:names:tc:SAML:2.0:nameid-format:persistent", "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"},
		UI: saml.UIInfo{DisplayNames: texts, Descriptions: texts, InformationURLs: urls, PrivacyStatementURLs: urls,
			Logos: []saml.Logo{{URL: "https://sp.example.com/logo.svg", Width: 80, Height: 60}, {URL: "data:image/png;base64,AAAA", Width: 1, Height: 1, Lang: "de"}}},
		Organization: saml.Organization{Names: texts, DisplayNames: texts, URLs: urls},
		Contacts: []saml.Contact{{Type: saml.TechnicalContact, Company: hostile, GivenName: "A", SurName: "B", Emails: []string{"a@example.com", "mailto:b@example.com"}, Phones: []string{"+1 555"}},
			{Type: saml.SupportContact, Emails: []string{"support@example.com"}}, {Type: saml.SecurityContact, Emails: []string{"security@example.com"}}},
		Services: []saml.AttributeService{
			{Names: texts, Descriptions: texts, Attributes: []saml.RequestedAttribute{
				{Name: "urn:oid:0.9.2342.19200300.100.1.3", NameFormat: "urn:oasis:names:tc:SAML:2.0:attrname-format:uri", FriendlyName: hostile, Required: true}, {Name: "lastname"}}},
			{Names: map[string]string{"en": "Second"}, Attributes: []saml.RequestedAttribute{{Name: hostile}}},
		},
	}
}

// published is what somebody else reads in the metadata.
type published struct {
	ID            string `xml:"ID,attr"`
	ValidUntil    string `xml:"validUntil,attr"`
	CacheDuration string `xml:"cacheDuration,attr"`
	SP            struct {
		UI struct {
			DisplayName []string
			Logo        []string
		} `xml:"Extensions>UIInfo"`
		NameIDFormat []string
		Service      []struct {
			Index              int `xml:"index,attr"`
			ServiceName        []string
			RequestedAttribute []struct {
				Name       string `xml:",attr"`
				IsRequired bool   `xml:"isRequired,attr"`
			}
		} `xml:"AttributeConsumingService"`
	} `xml:"SPSSODescriptor"`
	Organization struct{ OrganizationName []string }
	Contact      []struct {
		Company      string
		EmailAddress []string
	} `xml:"ContactPerson"`
}

// req: MP-ACSVC MP-NIDF MP-CONTACT MP-STABLE MP-ROOTTIME MDUI-prod SDP-MD10
func TestFullMetadata(t *testing.T) {
	t.Parallel()
	make := func(change func(*saml.MetadataOptions)) []byte {
		w := newWorld(t, func(_ *saml.LoginTrust, c *saml.Config) {
			c.Metadata = fullMetadata()
			if change != nil {
				change(&c.Metadata)
			}
		})
		return w.sp.Metadata()
	}
	first := make(nil)
	for range 10 {
		require.Equal(t, string(first), string(make(nil)), "languages have an order")
	}
	var got published
	require.NoError(t, xml.Unmarshal(first, &got))
	assert.Equal(t, []string{"Grüezi", hostile}, got.SP.UI.DisplayName)
	assert.Equal(t, []string{"https://sp.example.com/logo.svg", "data:image/png;base64,AAAA"}, got.SP.UI.Logo)
	assert.Equal(t, fullMetadata().NameIDFormats, got.SP.NameIDFormat)
	require.Len(t, got.SP.Service, 2)
	assert.Equal(t, []int{0, 1}, []int{got.SP.Service[0].Index, got.SP.Service[1].Index})
	assert.True(t, got.SP.Service[0].RequestedAttribute[0].IsRequired)
	assert.False(t, got.SP.Service[0].RequestedAttribute[1].IsRequired)
	assert.Equal(t, hostile, got.SP.Service[1].RequestedAttribute[0].Name)
	assert.Equal(t, []string{"Grüezi", hostile}, got.Organization.OrganizationName)
	require.Len(t, got.Contact, 3)
	assert.Equal(t, hostile, got.Contact[0].Company)
	assert.Equal(t, []string{"mailto:a@example.com", "mailto:b@example.com"}, got.Contact[0].EmailAddress)
	assert.Contains(t, string(first), `contactType="other" xmlns:remd="http://refeds.org/metadata" remd:contactType="http://refeds.org/metadata/contactType/security"`)
	assert.Equal(t, "2027-03-14T15:09:26.535Z", got.ValidUntil)
	assert.Equal(t, "PT21600S", got.CacheDuration)
	assert.Empty(t, got.ID)
	assert.Contains(t, string(make(func(o *saml.MetadataOptions) { o.CacheDuration = 48 * time.Hour })), `cacheDuration="P2D"`)
	assert.Contains(t, string(newWorld(t).sp.Metadata()), `cacheDuration="P1D"`)
}

// What XML cannot hold, what the schemas do not admit and what nobody can mean is refused by New, by name.
//
// req: MDUI-prod MP-CONTACT SDP-MD10
func TestBadMetadataOptions(t *testing.T) {
	t.Parallel()
	one := func(lang, text string) map[string]string { return map[string]string{lang: text} }
	for name, change := range map[string]func(*saml.MetadataOptions){
		"Sign: needs":               func(o *saml.MetadataOptions) { o.Sign = true },
		"CacheDuration":             func(o *saml.MetadataOptions) { o.CacheDuration = -time.Hour },
		"CacheDuration: must":       func(o *saml.MetadataOptions) { o.CacheDuration = time.Millisecond },
		"ValidUntil":                func(o *saml.MetadataOptions) { o.ValidUntil = now },
		"NameIDFormats: an empty":   func(o *saml.MetadataOptions) { o.NameIDFormats = []string{""} },
		"NameIDFormats: ":           func(o *saml.MetadataOptions) { o.NameIDFormats = []string{"a b"} },
		"UI.DisplayNames: an empty": func(o *saml.MetadataOptions) { o.UI.DisplayNames = one("en", " ") },
		"UI.DisplayNames: two":      func(o *saml.MetadataOptions) { o.UI.DisplayNames = map[string]string{"en": "a", "EN": "b"} },
		"UI.DisplayNames: \"e n\"":  func(o *saml.MetadataOptions) { o.UI.DisplayNames = one("e n", "x") },
		"UI.DisplayNames: \"\"":     func(o *saml.MetadataOptions) { o.UI.DisplayNames = one("", "x") },
		"UI.DisplayNames: \"a":      func(o *saml.MetadataOptions) { o.UI.DisplayNames = one("en", "a\x00b") },
		"UI.Descriptions: \"a":      func(o *saml.MetadataOptions) { o.UI.Descriptions = one("en", "a\nb") },
		"UI.Descriptions: \"\\x":    func(o *saml.MetadataOptions) { o.UI.Descriptions = one("en", "\xff") },
		"UI.Descriptions: \"\\uff":  func(o *saml.MetadataOptions) { o.UI.Descriptions = one("en", "\uffff") },
		"UI.Descriptions: more":     func(o *saml.MetadataOptions) { o.UI.Descriptions = one("en", strings.Repeat("a", 4097)) },
		"UI.InformationURLs":        func(o *saml.MetadataOptions) { o.UI.InformationURLs = one("en", "javascript:alert(1)") },
		"UI.PrivacyStatementURLs":   func(o *saml.MetadataOptions) { o.UI.PrivacyStatementURLs = one("en", "/privacy") },
		"UI.Logos: \"http:":         func(o *saml.MetadataOptions) { o.UI.Logos[0].URL = "http://sp.example.com/logo" },
		"UI.Logos: \"data:":         func(o *saml.MetadataOptions) { o.UI.Logos[0].URL = "data:text/html,x" },
		"UI.Logos: Width":           func(o *saml.MetadataOptions) { o.UI.Logos[0].Width = 0 },
		"UI.Logos: \"*\"":           func(o *saml.MetadataOptions) { o.UI.Logos[0].Lang = "*" },
		"UI.Logos: a URL": func(o *saml.MetadataOptions) {
			o.UI.Logos[0].URL = "data:image/png;base64," + strings.Repeat("A", 70_000)
		},
		"LogoutBySOAP: needs":       func(o *saml.MetadataOptions) { o.LogoutBySOAP = true },
		"Organization: Names":       func(o *saml.MetadataOptions) { o.Organization.URLs = nil },
		"Organization.URLs":         func(o *saml.MetadataOptions) { o.Organization.URLs = one("en", "https://") },
		"Contacts: \"boss\"":        func(o *saml.MetadataOptions) { o.Contacts[0].Type = "boss" },
		"Contacts: a contact":       func(o *saml.MetadataOptions) { o.Contacts = []saml.Contact{{Type: saml.SupportContact}} },
		"Contacts: \"nobody\"":      func(o *saml.MetadataOptions) { o.Contacts[0].Emails = []string{"nobody"} },
		"Contacts: \"a@b?":          func(o *saml.MetadataOptions) { o.Contacts[0].Emails = []string{"a@b?bcc=c@d"} },
		"Contacts: \"\\a":           func(o *saml.MetadataOptions) { o.Contacts[0].GivenName = "\a" },
		"Services: a service":       func(o *saml.MetadataOptions) { o.Services[0].Attributes = nil },
		"Services: a service needs": func(o *saml.MetadataOptions) { o.Services[1].Names = nil },
		"Services: an empty":        func(o *saml.MetadataOptions) { o.Services[1].Attributes[0].Name = "" },
	} {
		config := saml.Config{BaseURL: "https://sp.example.com", Trusts: saml.NewMemoryTrusts(), State: saml.NewMemoryState(), Metadata: fullMetadata(), Now: func() time.Time { return now }}
		change(&config.Metadata)
		_, err := saml.New(config)
		require.ErrorContains(t, err, "saml: Metadata."+name, name)
	}
}

// Signed once and kept; our own reader verifies it, and what a key of ours did not sign is not read from it.
//
// req: MP-SIGN MP-STABLE
func TestSignedSPMetadata(t *testing.T) {
	t.Parallel()
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	idp := samltest.NewIdP(t)
	for name, pair := range map[string]saml.KeyPair{"ECDSA": {Signer: ecKey}, "bare RSA": {Signer: idp.Seal().Key}, "RSA": {Signer: idp.Seal().Key, Certificate: idp.Certificate()}} {
		make := func() *saml.ServiceProvider {
			return newWorld(t, func(_ *saml.LoginTrust, c *saml.Config) {
				c.SigningKeys, c.Metadata = []saml.KeyPair{pair, {Signer: ecKey}}, fullMetadata()
				c.Metadata.Sign = true
			}).sp
		}
		sp := make()
		signed := sp.Metadata()
		assert.Equal(t, signed, sp.Metadata())
		if name != "ECDSA" {
			assert.Equal(t, string(signed), string(make().Metadata()), "in every process")
		}
		signature, _, _ := strings.Cut(string(signed), "</ds:Signature>")
		assert.Equal(t, pair.Certificate != nil, strings.Contains(signature, "X509Certificate>"))
		u, err := xmlsec.Parse(signed, xmlsec.MetadataLimits())
		require.NoError(t, err)
		assert.True(t, u.Root().First().Is("http://www.w3.org/2000/09/xmldsig#", "Signature"), "first")
		verified, err := u.Verify(u.Root(), []crypto.PublicKey{pair.Signer.Public()}, xmlsec.Policy{})
		require.NoError(t, err, name)
		assert.Contains(t, string(verified.Bytes()), "Grüezi")
		_, err = u.Verify(u.Root(), []crypto.PublicKey{idpNamed(t, "mallory").Seal().Key.Public()}, xmlsec.Policy{})
		require.Error(t, err)
		if name == "bare RSA" { // goxmldsig reads ECDSA's values in another form
			verifyOwn(t, signed, pair.Signer.Public())
		}
	}
}

// The URL, the file and the block of text are the same bytes, before any identity provider is known, to anybody.
//
// req: MP-MIME MP-STABLE CS-13 CS-15 LT-04 LT-05 CL-18
func TestMetadataThreeWays(t *testing.T) {
	t.Parallel()
	for base, file := range map[string]string{"https://sp.example.com": "saml-metadata-sp.example.com.xml", "https://SP.example.com:8443/a/b": "saml-metadata-sp.example.com-8443.xml",
		"http://[::1]:80": "saml-metadata----1-.xml"} {
		sp, err := saml.New(saml.Config{BaseURL: base, Trusts: saml.NewMemoryTrusts(), State: saml.NewMemoryState()})
		require.NoError(t, err)
		handler := sp.Handler(func(http.ResponseWriter, *http.Request, *saml.Login) {})
		get := func(query string) *httptest.ResponseRecorder {
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, httptest.NewRequestWithContext(context.Background(), http.MethodGet, base+"/sso/metadata"+query, nil))
			require.Equal(t, http.StatusOK, w.Code)
			assert.Equal(t, "application/samlmetadata+xml", w.Header().Get("Content-Type"))
			return w
		}
		page, download := get(""), get("?download")
		assert.Equal(t, string(sp.Metadata()), page.Body.String())
		assert.Equal(t, string(sp.Metadata()), download.Body.String())
		assert.Empty(t, page.Header().Get("Content-Disposition"))
		assert.Equal(t, `attachment; filename="`+file+`"`, download.Header().Get("Content-Disposition"))
		assert.Equal(t, page.Header().Get("ETag"), download.Header().Get("ETag"))
		assert.Equal(t, `attachment; filename="`+file+`"`, get(`?download=%22%0d%0aX-Evil:1`).Header().Get("Content-Disposition"))
	}
}
