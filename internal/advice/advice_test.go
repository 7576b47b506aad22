package advice_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/logintrust/saml/internal/advice"
)

func TestRecognise(t *testing.T) {
	t.Parallel()
	for issuer, want := range map[string]string{
		"https://sts.windows.net/7a4b1c9e-0000-4000-8000-000000000000/": advice.EntraID,
		"http://fs.example.com/adfs/services/trust":                     advice.ADFS,
		"http://www.okta.com/exk1fcia6d6EMsf331d8":                      advice.Okta,
		"https://accounts.google.com/o/saml2?idpid=C01abc":              advice.Google,
		"https://auth.pingone.eu/0f0e0d0c":                              advice.Ping,
		"https://idp.example.edu/idp/shibboleth":                        advice.Shibboleth,
		"https://sso.example.com/realms/staff":                          advice.Keycloak,
		"https://app.onelogin.com/saml/metadata/123456":                 advice.OneLogin,
		"https://idp.example.org/simplesaml/saml2/idp/metadata.php":     advice.SimpleSAMLphp,
		"https://auth.example.org/saml/metadata":                        advice.LemonLDAP,
		"urn:example.eu.auth0.com":                                      advice.Auth0,
		"https://idp.example.com/metadata":                              "",
		"https://okta.com.evil.example/":                                "",
		"https://notokta.com/":                                          "",
		"%zz":                                                           "",
	} {
		assert.Equal(t, want, advice.Recognise(advice.Facts{Issuer: issuer}), issuer)
	}
	assert.Equal(t, advice.EntraID, advice.Recognise(advice.Facts{Issuer: "urn:x", StatusMessage: "AADSTS50105: …"}))
	assert.Equal(t, advice.EntraID, advice.Recognise(advice.Facts{Issuer: "urn:x", Attributes: []string{"http://schemas.microsoft.com/identity/claims/tenantid"}}))
	assert.Equal(t, advice.ADFS, advice.Recognise(advice.Facts{Issuer: "urn:x", StatusMessage: "MSIS7070: …"}))
}

func TestDifference(t *testing.T) {
	t.Parallel()
	const name = "https://app.example.com/sso/metadata"
	for other, want := range map[string]string{
		name:                                  "",
		"":                                    "",
		" " + name:                            "white space",
		name + "/":                            "slash at the end",
		strings.ToUpper(name):                 "case of letters",
		"http://app.example.com/sso/metadata": "by http and https",
		"https://app.example.com:443/sso/metadata": "by the port",
		"https://www.app.example.com/sso/metadata": `"www."`,
		"http://APP.example.com/sso/metadata/":     "http and https",
		"https://other.example.com/sso/metadata":   "",
		"urn:app":                                  "",
	} {
		got := advice.Difference(other, name)
		if want == "" {
			assert.Empty(t, got, other)
			continue
		}
		assert.Contains(t, got, want, other)
	}
}

func TestNear(t *testing.T) {
	t.Parallel()
	near := advice.Near("http://IdP.example.com/x")
	for _, want := range []string{"http://IdP.example.com/x/", "https://IdP.example.com/x", "http://idp.example.com/x"} {
		assert.Contains(t, near, want)
	}
	assert.NotContains(t, near, "http://IdP.example.com/x")
	assert.Less(t, len(near), 12)
}

// A status message is the identity provider's own text, and often names the user: only its code is repeated.
func TestStatus(t *testing.T) {
	t.Parallel()
	const responder = "urn:oasis:names:tc:SAML:2.0:status:Responder"
	got := advice.Status(responder, nil, "AADSTS50105: Your administrator has not assigned 'alice@example.com'")
	assert.Contains(t, got, "AADSTS50105: the user is not assigned")
	assert.NotContains(t, got, "alice")
	assert.Contains(t, advice.Status(responder, nil, "AADSTS9999999: alice"), "see the sign-in log")
	assert.Contains(t, advice.Status(responder, nil, "MSIS7070: alice"), "no claim rule issues a Name ID")
	assert.Contains(t, advice.Status(responder, nil, "MSIS1234: alice"), "event log")
	assert.Contains(t, advice.Status(responder, []string{"urn:x", "urn:oasis:names:tc:SAML:2.0:status:RequestDenied", "urn:y"}, ""), "does not want to answer")
	assert.Contains(t, advice.Status(responder, nil, "alice"), "its own log says why")
	assert.Empty(t, advice.Status("urn:x", nil, ""))
}

// What can be done on our side stands beside what each product can do.
func TestForBothSides(t *testing.T) {
	t.Parallel()
	for _, product := range []string{"", advice.Keycloak} {
		a := advice.For("missing_attribute", product)
		assert.Equal(t, advice.Both, a.Actor)
		assert.Contains(t, a.Remedy, "trust.Attributes = trust.Product.AttributeNames()")
	}
	a := advice.For("sso_disabled", "")
	assert.Contains(t, a.Remedy, "Config.Enabled")
	assert.NotEqual(t, advice.App, a.Actor)
}
