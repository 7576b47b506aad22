package samltest_test

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/beevik/etree"
	"github.com/logintrust/saml/samltest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const idpOrigin = "https://idp.example.com"

// site is an IdP with one SP registered, and a browser that can reach it.
func site(t *testing.T) (*samltest.IdP, *samltest.Browser) {
	t.Helper()
	idp := samltest.NewIdP(t)
	idp.AddSP(samltest.SP{EntityID: request().SPEntityID, ACSURL: request().ACSURL})
	return idp, samltest.NewBrowser().Site(idpOrigin, idp.Handler())
}

func requestURL(t testing.TB, xml string) string {
	t.Helper()
	return idpOrigin + "/sso?" + url.Values{"SAMLRequest": {deflate(t, xml)}, "RelayState": {"h"}}.Encode()
}

func signIn(t *testing.T, b *samltest.Browser, page *samltest.Page, name, password string) *samltest.Page {
	t.Helper()
	require.Equal(t, http.StatusOK, page.Status, page.Body)
	require.Len(t, page.Forms(), 1)
	form := page.Forms()[0]
	require.True(t, form.Fields.Has("password"), page.Body)
	form.Fields.Set("username", name)
	form.Fields.Set("password", password)
	return b.Submit(page, form)
}

// response reads the answer on an auto-submit page.
func response(t *testing.T, page *samltest.Page) *etree.Element {
	t.Helper()
	require.Equal(t, http.StatusOK, page.Status, page.Body)
	require.Len(t, page.Forms(), 1)
	form := page.Forms()[0]
	assert.Equal(t, request().ACSURL, form.Action)
	assert.Contains(t, page.Body, "<button>Continue</button>")
	xml, err := base64.StdEncoding.DecodeString(form.Fields.Get("SAMLResponse"))
	require.NoError(t, err)
	doc := etree.NewDocument()
	require.NoError(t, doc.ReadFromBytes(xml))
	return doc.Root()
}

func TestHandlerSignsIn(t *testing.T) {
	t.Parallel()
	_, browser := site(t)
	once := strings.Replace(authnRequest, `ForceAuthn="1"`, "", 1)

	page := browser.Get(requestURL(t, once))
	assert.Contains(t, page.Header.Get("Content-Security-Policy"), "default-src 'none'")
	wrong := signIn(t, browser, page, "bob", "wrong")
	assert.Equal(t, http.StatusForbidden, wrong.Status)
	wrong.Status = http.StatusOK

	page = signIn(t, browser, wrong, "bob", "password")
	root := response(t, page)
	assert.Equal(t, "_r1", root.SelectAttrValue("InResponseTo", ""))
	assert.Equal(t, "h", page.Forms()[0].Fields.Get("RelayState"))
	assert.Equal(t, "bob", root.FindElement("//NameID").Text())
	assert.Equal(t, `Bob "Bobby" & Co`, root.FindElement("//Attribute[@Name='firstname']/AttributeValue").Text())

	// Single sign-on: no password the second time, by either binding, the same session.
	again := response(t, browser.Get(requestURL(t, once)))
	index := root.FindElement("//AuthnStatement").SelectAttrValue("SessionIndex", "")
	assert.Equal(t, index, again.FindElement("//AuthnStatement").SelectAttrValue("SessionIndex", ""))
	posted := url.Values{"SAMLRequest": {base64.StdEncoding.EncodeToString([]byte(once))}}
	response(t, browser.Post("https://app.example.com/sso/login", idpOrigin+"/sso", posted))

	// ForceAuthn asks all the same.
	page = signIn(t, browser, browser.Get(requestURL(t, authnRequest)), "alice", "password")
	assert.Equal(t, "alice", response(t, page).FindElement("//NameID").Text())

	// Signing out ends it.
	home := browser.Get(idpOrigin + "/")
	assert.Contains(t, home.Body, "Signed in as alice")
	assert.Equal(t, http.StatusSeeOther, browser.Submit(home, home.Forms()[0]).Status)
	assert.True(t, browser.Get(requestURL(t, once)).Forms()[0].Fields.Has("password"))
}

func TestHandlerIsPassive(t *testing.T) {
	t.Parallel()
	_, browser := site(t)
	root := response(t, browser.Get(requestURL(t, strings.Replace(authnRequest, "ForceAuthn", "IsPassive", 1))))
	assert.Equal(t, samltest.NoPassive, root.FindElement("//StatusCode/StatusCode").SelectAttrValue("Value", ""))
	assert.Nil(t, root.SelectElement("Assertion"))
}

func TestHandlerStart(t *testing.T) {
	t.Parallel()
	_, browser := site(t)
	page := browser.Get(idpOrigin + "/start?RelayState=deep&sp=" + url.QueryEscape(request().SPEntityID))
	page = signIn(t, browser, page, "alice", "password")
	assert.Nil(t, response(t, page).SelectAttr("InResponseTo"))
	assert.Equal(t, "deep", page.Forms()[0].Fields.Get("RelayState"))
}

func TestHandlerRefuses(t *testing.T) {
	t.Parallel()
	_, browser := site(t)
	cases := map[string]string{
		"unknown SP":        strings.Replace(authnRequest, "app.example.com/sso/metadata", "evil.example.com", 1),
		"unregistered ACS":  strings.Replace(authnRequest, "app.example.com/sso/acs", "evil.example.com/acs", 1),
		"other destination": strings.Replace(authnRequest, "idp.example.com/sso", "other.example.com/sso", 1),
		"not a request":     strings.ReplaceAll(authnRequest, "AuthnRequest", "Response"),
	}
	for name, xml := range cases {
		page := browser.Get(requestURL(t, xml))
		assert.Equal(t, http.StatusBadRequest, page.Status, name)
		assert.Empty(t, page.Forms(), name)
	}
	assert.Equal(t, http.StatusBadRequest, browser.Get(idpOrigin+"/start?sp=x").Status)

	// A sign-in form on another site signs nobody in.
	fields := url.Values{
		"SAMLRequest": {base64.StdEncoding.EncodeToString([]byte(authnRequest))},
		"username":    {"alice"}, "password": {"password"},
	}
	assert.Equal(t, http.StatusForbidden, browser.Post("https://evil.example.com/", idpOrigin+"/sso", fields).Status)
}

func TestAddSPMetadata(t *testing.T) {
	t.Parallel()
	idp := samltest.NewIdP(t)
	require.NoError(t, idp.AddSPMetadata([]byte(`<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata"
 entityID="https://app.example.com/sso/metadata"><SPSSODescriptor><AssertionConsumerService
 Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://app.example.com/sso/acs"/></SPSSODescriptor></EntityDescriptor>`)))
	browser := samltest.NewBrowser().Site(idpOrigin, idp.Handler())
	assert.Equal(t, http.StatusOK, browser.Get(requestURL(t, authnRequest)).Status)
	assert.Error(t, idp.AddSPMetadata(idp.Metadata()))
}

func TestMetadata(t *testing.T) {
	t.Parallel()
	idp, browser := site(t)
	page := browser.Get(idpOrigin + "/metadata")
	assert.Equal(t, string(idp.Metadata()), page.Body)
	doc := etree.NewDocument()
	require.NoError(t, doc.ReadFromString(page.Body))
	assert.Equal(t, idp.EntityID, doc.Root().SelectAttrValue("entityID", ""))
	assert.Equal(t, idp.SSOURL, doc.FindElement("//SingleSignOnService").SelectAttrValue("Location", ""))

	signed, err := idp.SignedMetadata(idp.Seal())
	require.NoError(t, err)
	doc = etree.NewDocument()
	require.NoError(t, doc.ReadFromBytes(signed))
	assert.Equal(t, "Signature", doc.Root().ChildElements()[0].Tag)
}
