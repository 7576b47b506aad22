package saml_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml"
	"github.com/logintrust/saml/samltest"
)

func noteCodes(p saml.Proposal) (codes []saml.ImportNoteCode) {
	for _, n := range p.Notes {
		codes = append(codes, n.Code)
	}
	return codes
}

// idpNamed is an identity provider with a key of its own.
func idpNamed(t testing.TB, name string) *samltest.IdP {
	t.Helper()
	idp, err := samltest.New(samltest.Options{EntityID: "https://" + name + ".example", KeyType: samltest.P256})
	require.NoError(t, err)
	return idp
}

// pinned is the key of a certificate.
func pinned(t testing.TB, certificate []byte) saml.PublicKey {
	t.Helper()
	key, err := saml.ParsePublicKey(base64.StdEncoding.EncodeToString(certificate))
	require.NoError(t, err)
	return key
}

// shibboleth is what a Shibboleth identity provider publishes, with a decoy in its attribute authority.
func shibboleth(t testing.TB, signing, encryption, decoy []byte) string {
	t.Helper()
	const id = "https://idp.uni.example/idp/shibboleth"
	const at = "https://idp.uni.example/idp/profile"
	return fmt.Sprintf(`<?xml version="1.0" encoding="UTF-8"?><!-- put together by the installer -->
<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" xmlns:ds="http://www.w3.org/2000/09/xmldsig#" xmlns:shibmd="urn:mace:shibboleth:metadata:1.0"
  xmlns:mdui="urn:oasis:names:tc:SAML:metadata:ui" xmlns:req-attr="urn:oasis:names:tc:SAML:protocol:ext:req-attr" entityID="`+id+`" cacheDuration="PT12H">
  <IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol urn:oasis:names:tc:SAML:1.1:protocol urn:mace:shibboleth:1.0" errorURL="https://uni.example/help">
    <Extensions>
      <shibmd:Scope regexp="false">uni.example</shibmd:Scope>
      <shibmd:Scope regexp="true">^.+\.uni\.example$</shibmd:Scope>
      <mdui:UIInfo><mdui:DisplayName xml:lang="de">Universität</mdui:DisplayName><mdui:DisplayName xml:lang="en">University</mdui:DisplayName></mdui:UIInfo>
    </Extensions>
    <KeyDescriptor><ds:KeyInfo><ds:X509Data><ds:X509Certificate>%s</ds:X509Certificate></ds:X509Data></ds:KeyInfo></KeyDescriptor>
    <KeyDescriptor use="encryption"><ds:KeyInfo><ds:X509Data><ds:X509Certificate>%s</ds:X509Certificate></ds:X509Data></ds:KeyInfo></KeyDescriptor>
    <ArtifactResolutionService Binding="urn:oasis:names:tc:SAML:2.0:bindings:SOAP" Location="`+at+`/ArtifactResolution" index="1"/>
    <SingleLogoutService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="`+at+`/SAML2/POST/SLO"/>
    <SingleLogoutService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="`+at+`/SAML2/Redirect/SLO"/>
    <SingleSignOnService Binding="urn:mace:shibboleth:1.0:profiles:AuthnRequest" Location="`+at+`/Shibboleth/SSO"/>
    <SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:SOAP" Location="`+at+`/SAML2/SOAP/ECP"/>
    <SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="`+at+`/SAML2/POST/SSO"/>
    <SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="`+at+`/SAML2/Redirect/SSO"/>
  </IDPSSODescriptor>
  <AttributeAuthorityDescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
    <Extensions><shibmd:Scope regexp="false">decoy.example</shibmd:Scope></Extensions>
    <KeyDescriptor use="signing"><ds:KeyInfo><ds:X509Data><ds:X509Certificate>%s</ds:X509Certificate></ds:X509Data></ds:KeyInfo></KeyDescriptor>
    <AttributeService Binding="urn:oasis:names:tc:SAML:2.0:bindings:SOAP" Location="https://decoy.example/"/>
  </AttributeAuthorityDescriptor>
  <Organization><OrganizationName xml:lang="en">Uni Inc</OrganizationName><OrganizationDisplayName xml:lang="en">Uni</OrganizationDisplayName><OrganizationURL xml:lang="en">https://uni.example</OrganizationURL></Organization>
</EntityDescriptor>`, base64.StdEncoding.EncodeToString(signing), base64.StdEncoding.EncodeToString(encryption), base64.StdEncoding.EncodeToString(decoy))
}

// The manual steps of an administrator with a Shibboleth file, done by the import: the record is the same, whether the
// file is read, pasted or fetched, and nothing is active.
//
// req: MC-ROLE MC-ROLES SG-USE E94-cache SDP-SP17-trust LT-01 LT-07 LT-52 LT-54 LT-55 LT-56 LT-58 LT-59 LT-60 LT-61 LT-62
func TestProposeTrust(t *testing.T) {
	t.Parallel()
	idp, encryption, decoy := idpNamed(t, "idp"), idpNamed(t, "encryption"), idpNamed(t, "decoy")
	file := shibboleth(t, idp.Certificate(), encryption.Certificate(), decoy.Certificate())
	p, err := saml.ProposeTrust([]byte(file), saml.ImportOptions{}, now)
	require.NoError(t, err)
	assert.Equal(t, saml.LoginTrust{
		Domain: "https://idp.uni.example/idp/shibboleth", Description: "University", Product: saml.Shibboleth, Keys: []saml.PublicKey{pinned(t, idp.Certificate())},
		LoginURL: "https://idp.uni.example/idp/profile/SAML2/Redirect/SSO", LoginPostURL: "https://idp.uni.example/idp/profile/SAML2/POST/SSO",
		SLOURL: "https://idp.uni.example/idp/profile/SAML2/Redirect/SLO", SLOPostURL: "https://idp.uni.example/idp/profile/SAML2/POST/SLO",
		ErrorURL: "https://uni.example/help", State: saml.Provisional, SAML: true, LinkOnLoginPage: true,
		ArtifactServices: []saml.ArtifactService{{Index: 1, URL: "https://idp.uni.example/idp/profile/ArtifactResolution"}},
		EncryptionKeys:   []saml.PublicKey{pinned(t, idp.Certificate()), pinned(t, encryption.Certificate())},
	}, p.Trust)
	assert.Equal(t, 12*time.Hour, p.CacheDuration)
	assert.Zero(t, p.ValidUntil)
	assert.False(t, p.Verified)
	assert.Equal(t, []string{"uni.example"}, p.ClaimedScopes, "nobody vouches for it, so it is not in the trust")
	assert.Equal(t, []saml.ImportNoteCode{saml.NoteScopeIgnored, saml.NoteScopesClaimed}, noteCodes(p))

	crlf, err := saml.ProposeTrust([]byte("\ufeff"+strings.ReplaceAll(file, "\n", "\r\n")), saml.ImportOptions{EntityID: p.Trust.Domain}, now)
	require.NoError(t, err)
	assert.Equal(t, p, crlf, "pasted")
	b, err := json.Marshal(p)
	require.NoError(t, err)
	var again saml.Proposal
	require.NoError(t, json.Unmarshal(b, &again))
	assert.Equal(t, p, again)

	p, err = saml.ProposeTrust([]byte(file), saml.ImportOptions{LogoutURL: true}, now)
	require.NoError(t, err)
	assert.Equal(t, "https://idp.uni.example/idp/profile/SAML2/Redirect/SLO", p.Trust.LogoutURL)

	// The same keys, endpoints and options come out of the simple rung.
	simple, err := saml.TrustFromMetadata([]byte(file), "", now)
	require.NoError(t, err)
	p.Trust.LogoutURL = ""
	assert.Equal(t, p.Trust, simple)

	_, err = saml.ProposeTrust([]byte(strings.ReplaceAll(file, "IDPSSODescriptor", "SPSSODescriptor")), saml.ImportOptions{}, now)
	assert.ErrorContains(t, err, "no SAML 2.0 identity provider", "an attribute authority is none")
}

// What is wrong in a document is said, not dropped.
//
// req: MC-ENTITYID MDUI-use LT-54
func TestProposalNotes(t *testing.T) {
	t.Parallel()
	cert := samltest.NewIdP(t).Certificate()
	key, end := keyDescriptor("", cert), sso(redirect, "https://idp/r")
	name := func(s string) string {
		return `<md:Extensions><u:UIInfo xmlns:u="urn:oasis:names:tc:SAML:metadata:ui"><u:DisplayName xml:lang="en">` + s + `</u:DisplayName></u:UIInfo></md:Extensions>`
	}
	scope := func(s string) string {
		return `<md:Extensions><s:Scope xmlns:s="urn:mace:shibboleth:metadata:1.0">` + s + `</s:Scope></md:Extensions>`
	}
	p224, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	require.NoError(t, err)
	point, err := p224.PublicKey.Bytes()
	require.NoError(t, err)
	for _, c := range []struct {
		name, inner string
		want        saml.ImportNoteCode
		text        string
	}{
		{"nothing", key + end, "", ""},
		{"unreadable key", keyDescriptor("", []byte("junk")) + key + end, saml.NoteUnreadableKey, "A signing key was left out: neither a certificate nor a public key that can be read."},
		{"unreadable key for encryption", keyDescriptor(` use="encryption"`, []byte("junk")) + key + end, "", ""},
		{"key on another curve", `<md:KeyDescriptor><ds:KeyInfo><ds:KeyValue><e:ECKeyValue xmlns:e="http://www.w3.org/2009/xmldsig11#"><e:NamedCurve URI="urn:oid:1.3.132.0.33"/><e:PublicKey>` +
			base64.StdEncoding.EncodeToString(point) + `</e:PublicKey></e:ECKeyValue></ds:KeyValue></ds:KeyInfo></md:KeyDescriptor>` + key + end, saml.NoteUnreadableKey, "ECKeyValue"},
		{"only the name of a key", `<md:KeyDescriptor><ds:KeyInfo><ds:KeyName>k</ds:KeyName></ds:KeyInfo></md:KeyDescriptor>` + key + end, saml.NoteUnreadableKey, "without a key"},
		{"a private key", keyDescriptor("", []byte("-----BEGIN RSA PRIVATE KEY-----\nc2VjcmV0\n-----END RSA PRIVATE KEY-----")) + key + end, saml.NoteUnreadableKey, "private key"},
		{"many certificates", `<md:KeyDescriptor><ds:KeyInfo><ds:X509Data>` + strings.Repeat(`<ds:X509Certificate>`+base64.StdEncoding.EncodeToString(cert)+`</ds:X509Certificate>`, 17) +
			`</ds:X509Data></ds:KeyInfo></md:KeyDescriptor>` + key + end, saml.NoteUnreadableKey, "more than 16 certificates"},
		{"http beside https", key + sso(ssoPOST, "http://idp/p") + end, saml.NotePlainEndpoint, "http://idp/p"},
		{"http for SOAP", key + sso("urn:oasis:names:tc:SAML:2.0:bindings:SOAP", "http://idp/p") + end, "", ""},
		{"http only", key + sso(redirect, "http://idp/r"), saml.NotePlainEndpoint, "http://idp/r"},
		{"long name", name(strings.Repeat("ü", 256)) + key + end, saml.NoteDescriptionCut, "255"},
		{"name that fits", name(strings.Repeat("ü", 255)) + key + end, "", ""},
		{"scope with a space", scope("a b") + key + end, saml.NoteScopeIgnored, "a b"},
		{"scope with an address", scope("a@b.example") + key + end, saml.NoteScopeIgnored, "a@b.example"},
		{"no scope", scope("") + key + end, saml.NoteScopeIgnored, ""},
		{"claimed scope", scope("b.example") + key + end, saml.NoteScopesClaimed, "claims 1 scopes"},
	} {
		p, err := saml.ProposeTrust([]byte(entity("https://one", saml2, c.inner)), saml.ImportOptions{}, now)
		require.NoError(t, err, c.name)
		assert.NoError(t, p.Trust.Check())
		assert.LessOrEqual(t, len([]rune(p.Trust.Description)), 255)
		if c.want == "" {
			assert.Empty(t, p.Notes, c.name)
			continue
		}
		require.Len(t, p.Notes, 1, c.name)
		assert.Equal(t, c.want, p.Notes[0].Code, c.name)
		assert.Contains(t, p.Notes[0].Text, c.text, c.name)
		assert.NotContains(t, p.Notes[0].Text, "c2VjcmV0")
	}
	p, err := saml.ProposeTrust([]byte(entity("https://one", saml2, strings.Repeat(keyDescriptor("", []byte("junk")), 63)+key+end)), saml.ImportOptions{}, now)
	require.NoError(t, err)
	assert.Len(t, p.Notes, 16)
	p, err = saml.ProposeTrust([]byte(strings.Replace(entity("https://one", saml2, key+end), " protocol", ` errorURL="javascript:alert(1)" protocol`, 1)), saml.ImportOptions{}, now)
	require.NoError(t, err)
	assert.Equal(t, []saml.ImportNoteCode{saml.NoteErrorURL}, noteCodes(p))
	p, err = saml.ProposeTrust([]byte(entity("https://one", saml2, name("&#x202e;Clinic\n of &lt;b&gt;")+key+end)), saml.ImportOptions{}, now)
	require.NoError(t, err)
	assert.Equal(t, "Clinic of <b>", p.Trust.Description)
	p, err = saml.ProposeTrust([]byte(entity("https://one", saml2, key+end)), saml.ImportOptions{}, now)
	require.NoError(t, err)
	assert.Equal(t, "https://one", p.Trust.Description, "nothing better")

	for _, id := range []string{"https://idp.example.com/" + strings.Repeat("a", 231), "https://idp.example.com/" + strings.Repeat("a", 232)} {
		p, err := saml.ProposeTrust([]byte(entity(id, saml2, key+end)), saml.ImportOptions{}, now)
		if len(id) <= 255 {
			require.NoError(t, err)
			continue
		}
		require.ErrorContains(t, err, "must have 1 to 255 characters, not 256: that is the limit of a login trust, although SAML admits entity IDs of 1024")
		assert.Zero(t, p)
	}
	var nine string
	for i := range 9 {
		nine += keyDescriptor("", idpNamed(t, fmt.Sprint("key", i)).Certificate())
	}
	p, err = saml.ProposeTrust([]byte(entity("https://one", saml2, strings.Repeat(key, 65)+end)), saml.ImportOptions{}, now)
	require.NoError(t, err)
	require.Len(t, p.Trust.Keys, 1)
	require.Len(t, p.Notes, 1)
	assert.Contains(t, p.Notes[0].Text, "Of 65 signing keys only the first 64")
	_, err = saml.ProposeTrust([]byte(entity("https://one", saml2, nine+end)), saml.ImportOptions{}, now)
	assert.ErrorContains(t, err, "at most 8 keys")
}

// req: LT-54
func TestCandidates(t *testing.T) {
	t.Parallel()
	good := keyDescriptor("", samltest.NewIdP(t).Certificate()) + sso(redirect, "https://idp/r")
	two := strings.Replace(entity("https://two", saml2, good), "</md:EntityDescriptor>", `<md:Organization><md:OrganizationDisplayName xml:lang="fr">Deux</md:OrganizationDisplayName></md:Organization></md:EntityDescriptor>`, 1)
	gone := strings.Replace(entity("https://gone", saml2, good), "entityID", `validUntil="2020-01-01T00:00:00Z" entityID`, 1)
	sp := strings.ReplaceAll(entity("https://sp", saml2, ""), "IDPSSO", "SPSSO")
	group := func(inner ...string) []byte {
		return []byte(`<md:EntitiesDescriptor ` + md + `>` + strings.Join(inner, "") + `</md:EntitiesDescriptor>`)
	}
	list, err := saml.Candidates(group(entity("https://one", saml2, good), sp, string(group(two)), gone), saml.ImportOptions{}, now)
	require.NoError(t, err)
	assert.Equal(t, []saml.Candidate{{EntityID: "https://one", DisplayName: "https://one"}, {EntityID: "https://two", DisplayName: "Deux"}}, list)
	for _, c := range list {
		_, err := saml.ProposeTrust(group(entity("https://one", saml2, good), string(group(two))), saml.ImportOptions{EntityID: c.EntityID}, now)
		require.NoError(t, err)
	}
	_, err = saml.ProposeTrust(group(entity("https://one", saml2, good), two), saml.ImportOptions{}, now)
	require.ErrorIs(t, err, saml.ErrSeveralIdPs)
	_, err = saml.Candidates(group(gone), saml.ImportOptions{}, now)
	require.ErrorContains(t, err, "expired")
	_, err = saml.Candidates(group(sp), saml.ImportOptions{}, now)
	require.ErrorContains(t, err, "no SAML 2.0 identity provider")
	_, err = saml.Candidates([]byte("<html/>"), saml.ImportOptions{}, now)
	require.ErrorContains(t, err, "not SAML metadata")
}

// signedBy signs the root of a document, or the element that path leads to.
func signedBy(t testing.TB, idp *samltest.IdP, xml, path string) []byte {
	t.Helper()
	doc := etree.NewDocument()
	require.NoError(t, doc.ReadFromString(xml))
	e := doc.Root()
	if path != "" {
		e = doc.FindElement(path)
	}
	e.CreateAttr("ID", "_"+rand.Text())
	require.NoError(t, idp.Seal().Enveloped(e))
	b, err := doc.WriteToBytes()
	require.NoError(t, err)
	return b
}

// Only what a pinned key signed is imported.
//
// req: IIP-MD03 IIP-MD04 MC-SIGRULES SDP-MD02 SDP-SP17-trust
func TestSignedMetadata(t *testing.T) {
	t.Parallel()
	federation, mallory, idp := idpNamed(t, "federation"), idpNamed(t, "mallory"), idpNamed(t, "idp")
	keys, evil := federation.Trust().Keys, mallory.Certificate()
	scope := `<md:Extensions><s:Scope xmlns:s="urn:mace:shibboleth:metadata:1.0">uni.example</s:Scope></md:Extensions>`
	one := entity("https://one", saml2, scope+keyDescriptor("", idp.Certificate())+sso(redirect, "https://idp/r"))
	two := entity("https://two", saml2, keyDescriptor("", evil)+sso(redirect, "https://idp/r"))
	forged := entity("https://one", saml2, keyDescriptor("", evil)+sso(redirect, "https://evil/r"))
	group := func(attrs string, inner ...string) string {
		return `<md:EntitiesDescriptor ` + md + ` ` + attrs + `>` + strings.Join(inner, "") + `</md:EntitiesDescriptor>`
	}
	replaced := func(b []byte, old, with string) []byte {
		require.Contains(t, string(b), old)
		return bytes.Replace(b, []byte(old), []byte(with), 1)
	}
	inner := string(signedBy(t, federation, one, ""))
	rollover := append(append([]saml.PublicKey{}, mallory.Trust().Keys...), keys...)
	for _, c := range []struct {
		name  string
		xml   []byte
		opts  saml.ImportOptions
		fails string
	}{
		{"signed root", signedBy(t, federation, one, ""), saml.ImportOptions{Keys: keys}, ""},
		{"signed aggregate", signedBy(t, federation, group("", two, one), ""), saml.ImportOptions{Keys: keys, EntityID: "https://one"}, ""},
		{"two keys vouch", signedBy(t, federation, one, ""), saml.ImportOptions{Keys: rollover}, ""},
		{"not signed", []byte(one), saml.ImportOptions{Keys: keys}, "does not begin with a signature"},
		{"signed by another", signedBy(t, mallory, one, ""), saml.ImportOptions{Keys: keys}, "none of the 1 keys"},
		{"signed by its own key", signedBy(t, idp, one, ""), saml.ImportOptions{Keys: keys}, "none of the 1 keys"},
		{"an empty key vouches for nothing", signedBy(t, federation, one, ""), saml.ImportOptions{Keys: make([]saml.PublicKey, 1)}, "no key on file"},
		{"changed", replaced(signedBy(t, federation, one, ""), "https://idp/r", "https://evil/r"), saml.ImportOptions{Keys: keys}, "digest differs"},
		{"wrapped", []byte(group("", forged, inner)), saml.ImportOptions{Keys: keys, EntityID: "https://one"}, "does not begin with a signature"},
		{"signature moved out", []byte(group(`ID="x"`, inner[strings.Index(inner, "<ds:Signature"):strings.Index(inner, "</ds:Signature>")+15], forged)), saml.ImportOptions{Keys: keys}, "does not name the element"},
		{"signed entity, not allowed", []byte(group("", two, inner)), saml.ImportOptions{Keys: keys, EntityID: "https://one"}, "does not begin with a signature"},
		{"signed entity", []byte(group("", two, inner)), saml.ImportOptions{Keys: keys, EntityID: "https://one", AllowSignedEntity: true}, ""},
		{"signed entity in a group", []byte(group("", two, group("", inner))), saml.ImportOptions{Keys: keys, EntityID: "https://one", AllowSignedEntity: true}, ""},
		{"signed entity, the other picked", []byte(group("", two, inner)), saml.ImportOptions{Keys: keys, EntityID: "https://two", AllowSignedEntity: true}, "begins with a signature"},
		{"signed entity beside a forged one", []byte(group("", forged, inner)), saml.ImportOptions{Keys: keys, EntityID: "https://one", AllowSignedEntity: true}, "more than once"},
		{"signed entity, changed", replaced([]byte(group("", inner)), "https://idp/r", "https://evil/r"), saml.ImportOptions{Keys: keys, AllowSignedEntity: true}, "digest differs"},
		{"signed entity in an expired group", []byte(group(`validUntil="2026-01-01T00:00:00Z"`, inner)), saml.ImportOptions{Keys: keys, AllowSignedEntity: true}, "expired"},
		{"a bad signature of the root is not passed over", signedBy(t, mallory, group("", inner), ""), saml.ImportOptions{Keys: keys, AllowSignedEntity: true}, "none of the 1 keys"},
		{"root signature last", []byte(strings.Replace(string(signedBy(t, mallory, group("", inner), "")), "<ds:Signature", "<md:Extensions/><ds:Signature", 1)), saml.ImportOptions{Keys: keys, AllowSignedEntity: true}, "does not begin with a signature"},
		{"valid for long enough", signedBy(t, federation, group(`validUntil="2026-03-20T00:00:00Z"`, one), ""), saml.ImportOptions{Keys: keys, MaxValidity: 7 * 24 * time.Hour}, ""},
		{"valid for too long", signedBy(t, federation, group(`validUntil="2026-03-22T00:00:00Z"`, one), ""), saml.ImportOptions{Keys: keys, MaxValidity: 7 * 24 * time.Hour}, "further ahead"},
		{"valid for ever", signedBy(t, federation, group("", one), ""), saml.ImportOptions{Keys: keys, MaxValidity: 7 * 24 * time.Hour}, "no validUntil"},
		{"valid for ever, not signed", []byte(one), saml.ImportOptions{MaxValidity: time.Hour}, "no validUntil"},
		{"signed entity without validUntil in a group with", []byte(group(`validUntil="2026-03-20T00:00:00Z"`, inner)), saml.ImportOptions{Keys: keys, AllowSignedEntity: true, MaxValidity: 7 * 24 * time.Hour}, "no validUntil"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p, err := saml.ProposeTrust(c.xml, c.opts, now)
			if c.fails != "" {
				require.ErrorContains(t, err, c.fails)
				assert.Zero(t, p)
				return
			}
			require.NoError(t, err)
			assert.True(t, p.Verified)
			assert.Equal(t, "https://one", p.Trust.Domain)
			assert.Equal(t, "https://idp/r", p.Trust.LoginURL)
			require.Len(t, p.Trust.Keys, 1)
			assert.True(t, p.Trust.Keys[0].Equal(idp.Trust().Keys[0]))
			assert.Equal(t, []string{"uni.example"}, p.Trust.Scopes, "somebody vouches for them")
			list, err := saml.Candidates(c.xml, c.opts, now)
			require.NoError(t, err)
			assert.Contains(t, list, saml.Candidate{EntityID: "https://one", DisplayName: "https://one"})
		})
	}
	p, err := saml.ProposeTrust(signedBy(t, mallory, one, ""), saml.ImportOptions{}, now)
	require.NoError(t, err)
	assert.False(t, p.Verified, "nobody asked")
	assert.Empty(t, p.Trust.Scopes)
	_, err = saml.Candidates([]byte(one), saml.ImportOptions{Keys: keys}, now)
	require.ErrorContains(t, err, "does not begin with a signature")
}

func TestProductGuess(t *testing.T) {
	t.Parallel()
	key := keyDescriptor("", samltest.NewIdP(t).Certificate())
	for id, c := range map[string]struct {
		login string
		want  saml.Product
	}{
		"https://sts.windows.net/6babcaad-604b-40ac-a9d7-9fd97c0b779f/": {"https://login.microsoftonline.com/x/saml2", saml.EntraID},
		"https://sts.windows.net.evil.example/x/":                       {"https://evil.example/", saml.GenericIdP},
		"http://adfs.example.com/adfs/services/trust":                   {"https://adfs.example.com/adfs/ls/", saml.ADFS},
		"https://accounts.google.com/o/saml2?idpid=C0":                  {"https://accounts.google.com/o/saml2/idp?idpid=C0", saml.Google},
		"http://www.okta.com/exk1":                                      {"https://dev-1.okta.com/app/x/sso/saml", saml.Okta},
		"urn:e":                                                         {"https://corp.okta-emea.com/app/x/sso/saml", saml.Okta},
		"urn:a":                                                         {"https://corp.oktapreview.com/app/x/sso/saml", saml.Okta},
		"https://idp.notokta.com/exk1":                                  {"https://notokta.com/app", saml.GenericIdP},
		"https://sso.example.com/realms/staff":                          {"https://sso.example.com/realms/staff/protocol/saml", saml.Keycloak},
		"https://sso.example.com/auth/realms/staff":                     {"https://sso.example.com/auth/realms/staff/protocol/saml", saml.Keycloak},
		"https://sso.example.com/realms/other":                          {"https://sso.example.com/login", saml.GenericIdP},
		"https://idp.example.edu/idp/shibboleth":                        {"https://idp.example.edu/idp/profile/SAML2/Redirect/SSO", saml.Shibboleth},
		"https://auth.pingone.com/f1":                                   {"https://auth.pingone.com/f1/saml20/idp/sso", saml.Ping},
		"https://app.onelogin.com/saml/metadata/1":                      {"https://a.onelogin.com/trust/saml2/http-post/sso/1", saml.OneLogin},
		"https://login.example.net/simplesaml/saml2/idp/metadata.php":   {"https://login.example.net/simplesaml/saml2/idp/SSOService.php", saml.SimpleSAMLphp},
		"https://example.org/saml":                                      {"https://example.org/", saml.GenericIdP},
		"%zz":                                                           {"https://example.org/", saml.GenericIdP},
	} {
		trust, err := saml.TrustFromMetadata([]byte(entity(id, saml2, key+sso(redirect, c.login))), "", now)
		require.NoError(t, err, id)
		assert.Equal(t, c.want, trust.Product, id)
	}
}

// Where logout messages go, and where answers go if that is another place.
//
// req: E41 IIP-SP17
func TestProposeLogout(t *testing.T) {
	t.Parallel()
	head := keyDescriptor("", idpNamed(t, "idp").Certificate()) + sso(redirect, "https://idp/r")
	slo := func(binding, location, response string) string {
		if response != "" {
			response = ` ResponseLocation="` + response + `"`
		}
		return `<md:SingleLogoutService Binding="urn:oasis:names:tc:SAML:2.0:bindings:` + binding + `" Location="` + location + `"` + response + `/>`
	}
	for _, c := range []struct {
		name, xml                            string
		url, response, postURL, postResponse string
		notes                                []saml.ImportNoteCode
	}{
		{"none", "", "", "", "", "", nil},
		{"redirect", slo("HTTP-Redirect", "https://idp/slo", ""), "https://idp/slo", "", "", "", nil},
		{"both, with places for answers", slo("HTTP-POST", "https://idp/p", "https://idp/p/r") + slo("HTTP-Redirect", "https://idp/slo", "https://idp/slo/r"),
			"https://idp/slo", "https://idp/slo/r", "https://idp/p", "https://idp/p/r", nil},
		{"the first of each binding", slo("HTTP-Redirect", "https://idp/1", "") + slo("HTTP-Redirect", "https://idp/2", "https://idp/2/r"), "https://idp/1", "", "", "", nil},
		{"SOAP and Artifact are not for browsers", slo("SOAP", "https://idp/soap", "") + slo("HTTP-Artifact", "https://idp/art", ""), "", "", "", "", nil},
		{"plain", slo("HTTP-Redirect", "http://idp/slo", ""), "", "", "", "", []saml.ImportNoteCode{saml.NotePlainEndpoint}},
		{"plain place for answers", slo("HTTP-POST", "https://idp/p", "http://idp/r"), "", "", "", "", []saml.ImportNoteCode{saml.NotePlainEndpoint}},
		{"script", slo("HTTP-POST", "javascript:alert(1)", ""), "", "", "", "", []saml.ImportNoteCode{saml.NotePlainEndpoint}},
	} {
		p, err := saml.ProposeTrust([]byte(entity("https://one", saml2, head+c.xml)), saml.ImportOptions{}, now)
		require.NoError(t, err, c.name)
		assert.Equal(t, []string{c.url, c.response, c.postURL, c.postResponse},
			[]string{p.Trust.SLOURL, p.Trust.SLOResponseURL, p.Trust.SLOPostURL, p.Trust.SLOPostResponseURL}, c.name)
		assert.Equal(t, c.notes, noteCodes(p), c.name)
	}
}

// A scope that no trust may have is left out with a note, and hinders nothing else.
func TestOddScopesAreLeftOut(t *testing.T) {
	t.Parallel()
	idp, federation := idpNamed(t, "idp"), idpNamed(t, "federation")
	scope := func(s string) string {
		return `<s:Scope xmlns:s="urn:mace:shibboleth:metadata:1.0">` + s + `</s:Scope>`
	}
	for odd, noted := range map[string]bool{"uni.example.": true, "*.uni.example": true, "https://uni.example": true, "a@uni.example": true, "Uni.Example": false, "uni.example": false, "b.example": false} {
		inner := `<md:Extensions>` + scope("uni.example") + scope(odd) + `</md:Extensions>` + keyDescriptor("", idp.Certificate()) + sso(redirect, "https://idp/r")
		signed := signedBy(t, federation, entity("https://one", saml2, inner), "")
		p, err := saml.ProposeTrust(signed, saml.ImportOptions{Keys: []saml.PublicKey{pinned(t, federation.Certificate())}}, now)
		require.NoError(t, err, odd)
		want := []string{"uni.example"}
		if odd == "b.example" {
			want = append(want, odd)
		}
		assert.Equal(t, want, p.Trust.Scopes, odd)
		assert.Equal(t, noted, slices.ContainsFunc(p.Notes, func(n saml.ImportNote) bool { return n.Code == saml.NoteScopeIgnored }), odd)
	}
}
