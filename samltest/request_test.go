package samltest_test

import (
	"bytes"
	"compress/flate"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/logintrust/saml/samltest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const authnRequest = `<samlp:AuthnRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="_r1" Version="2.0"
 IssueInstant="2026-01-02T03:04:05Z" Destination="https://idp.example.com/sso" ForceAuthn="1"
 AssertionConsumerServiceURL="https://app.example.com/sso/acs">
<saml:Issuer xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">https://app.example.com/sso/metadata</saml:Issuer>
<samlp:NameIDPolicy Format="urn:oasis:names:tc:SAML:2.0:nameid-format:transient"/>
<samlp:RequestedAuthnContext><saml:AuthnContextClassRef xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">urn:x</saml:AuthnContextClassRef></samlp:RequestedAuthnContext>
</samlp:AuthnRequest>`

func deflate(t testing.TB, xml string) string {
	t.Helper()
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.DefaultCompression)
	require.NoError(t, err)
	_, err = w.Write([]byte(xml))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return base64.StdEncoding.EncodeToString(b.Bytes())
}

func TestParseRequest(t *testing.T) {
	t.Parallel()
	byRedirect := "https://idp.example.com/sso?" + url.Values{"SAMLRequest": {deflate(t, authnRequest)}, "RelayState": {"h"}}.Encode()
	form := url.Values{"SAMLRequest": {base64.StdEncoding.EncodeToString([]byte(authnRequest))}, "RelayState": {"h"}}
	byPOST := httptest.NewRequest(http.MethodPost, "/sso", strings.NewReader(form.Encode()))
	byPOST.Header.Set("Content-Type", "application/x-www-form-urlencoded")

	for name, r := range map[string]*http.Request{
		"redirect": httptest.NewRequest(http.MethodGet, byRedirect, nil),
		"POST":     byPOST,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := samltest.ParseRequest(r)
			require.NoError(t, err)
			assert.Equal(t, "_r1", got.ID)
			assert.Equal(t, "https://app.example.com/sso/metadata", got.SPEntityID)
			assert.Equal(t, "https://app.example.com/sso/acs", got.ACSURL)
			assert.Equal(t, "https://idp.example.com/sso", got.Destination)
			assert.Equal(t, samltest.FormatTransient, got.NameIDFormat)
			assert.Equal(t, []string{"urn:x"}, got.AuthnContext)
			assert.Equal(t, "h", got.RelayState)
			assert.True(t, got.ForceAuthn)
			assert.False(t, got.IsPassive)
		})
	}
}

func TestParseRequestRefuses(t *testing.T) {
	t.Parallel()
	cases := map[string]string{
		"other message": strings.ReplaceAll(authnRequest, "AuthnRequest", "LogoutRequest"),
		"version":       strings.Replace(authnRequest, `Version="2.0"`, `Version="1.1"`, 1),
		"no ID":         strings.Replace(authnRequest, `ID="_r1"`, "", 1),
		"digit ID":      strings.Replace(authnRequest, `ID="_r1"`, `ID="1"`, 1),
		"local time":    strings.Replace(authnRequest, "05Z", "05+01:00", 1),
		"boolean":       strings.Replace(authnRequest, `ForceAuthn="1"`, `ForceAuthn="yes"`, 1),
		"not XML":       strings.Replace(authnRequest, "</samlp:AuthnRequest>", "", 1),
		"nothing":       "",
	}
	for name, xml := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := samltest.ParseRequestURL("https://idp.example.com/sso?SAMLRequest=" + url.QueryEscape(deflate(t, xml)))
			assert.Error(t, err)
		})
	}
}

func TestParseRequestSignedOctets(t *testing.T) {
	t.Parallel()
	request := url.QueryEscape(deflate(t, authnRequest))
	got, err := samltest.ParseRequestURL("https://idp.example.com/sso?x=1&SAMLRequest=" + request + "&SigAlg=urn%3ax&RelayState=%2f&Signature=AAAA")
	require.NoError(t, err)
	assert.Equal(t, "urn:x", got.SigAlg)
	assert.Equal(t, []byte{0, 0, 0}, got.Signature)
	assert.Equal(t, "SAMLRequest="+request+"&RelayState=%2f&SigAlg=urn%3ax", got.Signed)
}
