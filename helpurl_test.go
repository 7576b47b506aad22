package saml_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/logintrust/saml"
)

// req: ER-ERRORURL
func TestHelpURL(t *testing.T) {
	t.Parallel()
	const template = "https://idp.example.com/help?code=ERRORURL_CODE&ts=ERRORURL_TS&rp=ERRORURL_RP&tid=ERRORURL_TID&ctx=ERRORURL_CTX"
	for _, c := range []struct {
		reason saml.Reason
		place  string
		want   string
	}{
		{saml.MissingAttribute, template, "https://idp.example.com/help?code=IDENTIFICATION_FAILURE&ts=1773500966&rp=https%3A%2F%2Fsp.example.com%3Fa%3D1%262&tid=R%26&ctx="},
		{saml.WrongAuthnContext, "https://idp.example.com/ERRORURL_CODE", "https://idp.example.com/AUTHENTICATION_FAILURE"},
		{saml.NoRoles, "https://idp.example.com/ERRORURL_CODE", "https://idp.example.com/AUTHORIZATION_FAILURE"},
		{saml.BadSignature, "https://idp.example.com/ERRORURL_CODE", "https://idp.example.com/OTHER_ERROR"},
		{saml.BadSignature, "https://idp.example.com/plain", "https://idp.example.com/plain"},
		{saml.BadSignature, "http://idp.example.com/plain", ""},
		{saml.BadSignature, "javascript:alert(1)", ""},
		{saml.BadSignature, "", ""},
	} {
		e := &saml.Error{Reason: c.reason, ErrorURL: c.place}
		assert.Equal(t, c.want, e.HelpURL("https://sp.example.com?a=1&2", "R&", now))
	}
}
