package wire_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml/internal/wire"
	"github.com/logintrust/saml/internal/xmlsec"
)

const metadataNS = ` xmlns="urn:oasis:names:tc:SAML:2.0:metadata" xmlns:ds="http://www.w3.org/2000/09/xmldsig#" xmlns:ds11="http://www.w3.org/2009/xmldsig11#" xmlns:mdui="urn:oasis:names:tc:SAML:metadata:ui" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"`

func entity(id, inner string) string {
	return `<EntityDescriptor` + metadataNS + ` entityID="` + id + `">` + inner + `</EntityDescriptor>`
}

func role(inner string) string {
	return `<IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">` + inner + `</IDPSSODescriptor>`
}

func readIdPs(t testing.TB, doc string, want func(string) bool) ([]wire.IdP, error) {
	t.Helper()
	u, err := xmlsec.Parse([]byte(doc), xmlsec.MetadataLimits())
	require.NoError(t, err, "%s", doc)
	if want == nil {
		want = func(string) bool { return true }
	}
	return wire.ReadIdPs(u.Root(), want)
}

// theIdP demands that there is one.
func theIdP(t testing.TB, doc string) wire.IdP {
	t.Helper()
	idps, err := readIdPs(t, doc, nil)
	require.NoError(t, err)
	require.Len(t, idps, 1)
	require.True(t, idps[0].Descriptor.Is(wire.MetadataNS, "EntityDescriptor"))
	idps[0].Descriptor = xmlsec.Element{}
	return idps[0]
}

// req: MC-ROLE MC-KEYFORMS IIP-MD11
func TestReadIdPs(t *testing.T) {
	t.Parallel()
	got := theIdP(t, `<EntityDescriptor`+metadataNS+` entityID="https://idp" validUntil="2027-01-01T00:00:00Z"><!-- c --><Extensions><x xmlns="u"/></Extensions>
  <RoleDescriptor xsi:type="fed:SecurityTokenServiceType" xmlns:fed="u" protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><KeyDescriptor><ds:KeyInfo><ds:X509Data><ds:X509Certificate>wrong</ds:X509Certificate></ds:X509Data></ds:KeyInfo></KeyDescriptor></RoleDescriptor>
  <IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:1.1:protocol"><SingleSignOnService Binding="b" Location="wrong"/></IDPSSODescriptor>
  <SPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"/>
  <IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:1.1:protocol
    urn:oasis:names:tc:SAML:2.0:protocol" validUntil="2026-06-01T00:00:00Z" WantAuthnRequestsSigned="true" errorURL="https://idp/error">
    <KeyDescriptor use="signing"><ds:KeyInfo><ds:KeyName>k</ds:KeyName><X509Data xmlns="u"><ds:X509Certificate>wrong</ds:X509Certificate></X509Data><ds:X509Data><ds:X509Certificate>one</ds:X509Certificate><ds:X509Certificate>two</ds:X509Certificate></ds:X509Data></ds:KeyInfo></KeyDescriptor>
    <KeyDescriptor use="encryption"><ds:KeyInfo><ds:X509Data><ds:X509Certificate>wrong</ds:X509Certificate></ds:X509Data></ds:KeyInfo><EncryptionMethod Algorithm="urn:a"/><EncryptionMethod Algorithm="urn:b"/></KeyDescriptor>
    <KeyDescriptor><ds:KeyInfo><ds:KeyValue><ds:RSAKeyValue><ds:Modulus>m</ds:Modulus><ds:Exponent>e</ds:Exponent></ds:RSAKeyValue></ds:KeyValue></ds:KeyInfo></KeyDescriptor>
    <KeyDescriptor><ds:KeyInfo><ds:KeyValue><ds11:ECKeyValue><ds11:NamedCurve URI="c"/><ds11:PublicKey>p</ds11:PublicKey></ds11:ECKeyValue></ds:KeyValue></ds:KeyInfo></KeyDescriptor>
    <KeyDescriptor><ds:KeyInfo><ds11:DEREncodedKeyValue>d</ds11:DEREncodedKeyValue></ds:KeyInfo></KeyDescriptor>
    <KeyDescriptor><ds:KeyInfo><ds:KeyName>only a name</ds:KeyName></ds:KeyInfo></KeyDescriptor><KeyDescriptor/>
    <SingleSignOnService Binding="redirect" Location="https://idp/sso"/><SingleSignOnService Binding="post" Location="https://idp/sso?a=1&amp;b=2"/>
  </IDPSSODescriptor>
  <Organization><OrganizationDisplayName xml:lang="de">Firma</OrganizationDisplayName><OrganizationDisplayName xml:lang="en"> Company </OrganizationDisplayName></Organization></EntityDescriptor>`)
	assert.Equal(t, wire.IdP{EntityID: "https://idp", ValidUntil: time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC), ErrorURL: "https://idp/error", WantSignedRequests: true, DisplayName: "Company",
		SSO:  []wire.Endpoint{{Binding: "redirect", Location: "https://idp/sso"}, {Binding: "post", Location: "https://idp/sso?a=1&b=2"}},
		Keys: []wire.Key{{Certificates: []string{"one", "two"}}, {Modulus: "m", Exponent: "e"}, {Curve: "c", Point: "p"}, {DER: "d"}}, Keyless: 2,
		EncryptionKeys:    []wire.Key{{Certificates: []string{"wrong"}}, {Modulus: "m", Exponent: "e"}, {Curve: "c", Point: "p"}, {DER: "d"}},
		EncryptionMethods: []string{"urn:a", "urn:b"}}, got)
	assert.Equal(t, wire.IdP{EntityID: "x"}, theIdP(t, entity("x", role(""))))
}

// Where a scope counts, which name is taken, and how long metadata may be kept.
//
// req: E76
func TestReadIdPsExtensions(t *testing.T) {
	t.Parallel()
	const scopes = ` xmlns:shibmd="urn:mace:shibboleth:metadata:1.0"><shibmd:Scope regexp="false"> a.example </shibmd:Scope><shibmd:Scope regexp="1">^.*$</shibmd:Scope></Extensions>`
	idp := theIdP(t, `<EntitiesDescriptor`+metadataNS+` cacheDuration="PT6H"><Extensions`+strings.ReplaceAll(scopes, "a.example", "group.example")+
		strings.Replace(entity("x", `<Extensions`+strings.ReplaceAll(scopes, "a.example", "b.example")+
			strings.Replace(role(`<Extensions`+scopes+`<SingleLogoutService Binding="b" Location="l"/>`), " protocol", ` cacheDuration="junk" protocol`, 1)+
			`<AttributeAuthorityDescriptor protocolSupportEnumeration="x"><Extensions`+strings.ReplaceAll(scopes, "a.example", "decoy.example")+`</AttributeAuthorityDescriptor>`+
			`<Organization><OrganizationName xml:lang="en">Inc</OrganizationName></Organization>`), "entityID", `cacheDuration="P1D" entityID`, 1)+`</EntitiesDescriptor>`)
	assert.Equal(t, []wire.Scope{{Value: "a.example"}, {Value: "^.*$", Regexp: true}, {Value: "b.example"}, {Value: "^.*$", Regexp: true}}, idp.Scopes)
	assert.Equal(t, []wire.Endpoint{{Binding: "b", Location: "l"}}, idp.SLO)
	assert.Equal(t, 6*time.Hour, idp.CacheDuration)
	assert.Equal(t, "Inc", idp.DisplayName)
}

// req: SG-USE
func TestReadIdPsUse(t *testing.T) {
	t.Parallel()
	for use, kept := range map[string]bool{"": true, ` use="signing"`: true, ` use="encryption"`: false, ` use=""`: false, ` use="Signing"`: false, ` use="both"`: false} {
		idp := theIdP(t, entity("x", role(`<KeyDescriptor`+use+`><ds:KeyInfo><ds:X509Data><ds:X509Certificate>c</ds:X509Certificate></ds:X509Data></ds:KeyInfo></KeyDescriptor>`)))
		assert.Equal(t, kept, len(idp.Keys) == 1, "%s", use)
	}
}

// req: IIP-MD02-roots E76 MC-AFFIL
func TestReadIdPsOfFederations(t *testing.T) {
	t.Parallel()
	group := func(attributes, inner string) string {
		return `<EntitiesDescriptor` + metadataNS + attributes + `>` + inner + `</EntitiesDescriptor>`
	}
	doc := group(` validUntil="2026-06-01T00:00:00Z"`, `<Extensions/>`+entity("a", role(""))+group(` validUntil="2026-05-01T00:00:00Z"`, entity("b", role("")))+group(` validUntil="2026-07-01T00:00:00Z"`, entity("c", role("")))+
		entity("sp", "<SPSSODescriptor/>")+entity("affiliation", "<AffiliationDescriptor/>")+strings.Replace(entity("d", role("")), "entityID", `validUntil="2026-04-01T00:00:00Z" entityID`, 1))
	idps, err := readIdPs(t, doc, nil)
	require.NoError(t, err)
	var got []string
	for _, idp := range idps {
		got = append(got, idp.EntityID+idp.ValidUntil.Format(" January"))
	}
	assert.Equal(t, []string{"a June", "b May", "c June", "d April"}, got, "what is inside can only shorten")

	asked := 0
	idps, err = readIdPs(t, doc, func(id string) bool { asked++; return id == "c" })
	require.NoError(t, err)
	require.Len(t, idps, 1)
	assert.Equal(t, "c", idps[0].EntityID)
	assert.Equal(t, 6, asked)

	nested := func(n int) string {
		return strings.Repeat("<EntitiesDescriptor"+metadataNS+">", n) + entity("x", role("")) + strings.Repeat("</EntitiesDescriptor>", n)
	}
	for _, n := range []int{0, 1, 16} {
		assert.Equal(t, "x", theIdP(t, nested(n)).EntityID)
	}
	_, err = readIdPs(t, nested(17), nil)
	malformed(t, err, "17 levels")
	_, err = readIdPs(t, nested(100), nil)
	malformed(t, err, "100 levels")
}

func TestReadIdPsRefuses(t *testing.T) {
	t.Parallel()
	for _, doc := range []string{
		"<EntityDescriptor entityID='x'/>", "<Response/>", `<EntityDescriptor` + metadataNS + `/>`, entity("", role("")), `<IDPSSODescriptor` + metadataNS + `/>`, `<EntitiesDescriptor` + metadataNS + ` validUntil="soon"/>`,
		`<EntitiesDescriptor` + metadataNS + `><EntityDescriptor/></EntitiesDescriptor>`, strings.Replace(entity("x", role("")), "entityID", `validUntil="" entityID`, 1), entity("x", strings.Replace(role(""), ">", ` validUntil="2026-13-01T00:00:00Z">`, 1)),
	} {
		_, err := readIdPs(t, doc, nil)
		malformed(t, err, doc)
	}
	idps, err := readIdPs(t, `<EntitiesDescriptor`+metadataNS+`/>`, nil)
	require.NoError(t, err)
	assert.Empty(t, idps)
	idps, err = readIdPs(t, entity("x", "<IDPSSODescriptor/>"), nil)
	require.NoError(t, err)
	assert.Empty(t, idps)
}

func TestReadIdPsDisplayName(t *testing.T) {
	t.Parallel()
	names := func(list ...string) (s string) {
		for _, l := range list {
			lang, name, _ := strings.Cut(l, ":")
			s += fmt.Sprintf(`<mdui:DisplayName xml:lang="%s">%s</mdui:DisplayName>`, lang, name)
		}
		return `<Extensions><mdui:UIInfo>` + s + `</mdui:UIInfo></Extensions>`
	}
	const organization = `<Organization><OrganizationDisplayName xml:lang="en">O</OrganizationDisplayName></Organization>`
	for inner, want := range map[string]string{
		names("de:D", "en:E", "fr:F"): "E", names("de:D", "fr:F"): "D", names("en-GB:E"): "E", names("en:1", "en:2"): "1", names("de: x\n y "): "x\n y", names(): "O", names("en:"): "O",
		`<Extensions><mdui:UIInfo><mdui:Logo/><DisplayName>wrong</DisplayName></mdui:UIInfo></Extensions>`: "O", "": "O",
	} {
		assert.Equal(t, want, theIdP(t, entity("x", role(inner)+organization)).DisplayName, "%s", inner)
	}
	assert.Empty(t, theIdP(t, entity("x", role(""))).DisplayName)
}
