package saml_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml"
	"github.com/logintrust/saml/samltest"
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

// Anybody may claim to be an identity provider: until a key on file vouches for a message, nobody is sent to the help page of
// the one that it names.
func TestHelpURLOfNobodyProven(t *testing.T) {
	t.Parallel()
	w := newWorld(t, editTrust(func(t *saml.LoginTrust) { t.ErrorURL = "https://idp.example.com/help" }))
	stranger := otherIdP(t).Trust()
	stranger.ErrorURL = "https://phish.example/help"
	w.trusts.Set(stranger)
	_, request := w.start(saml.StartOptions{})
	a := w.idp.Answer(request)
	a.Issuer = &samltest.NameID{Value: stranger.Domain}
	login, err := w.post(a, "")
	e := refused(t, saml.BadSignature, login, err)
	assert.Equal(t, stranger.Domain, e.Domain)
	assert.Empty(t, e.HelpURL("https://sp", "ref", now))

	for _, sign := range []samltest.Parts{0, samltest.SignResponse} { // what says that it failed may be anybody's, too
		login, err = w.login(func(a *samltest.Answer) {
			a.Assertions, a.Status, a.Sign = nil, &samltest.Status{Code: samltest.Responder, Second: samltest.AuthnFailed}, sign
		})
		e = refused(t, saml.IdPRefused, login, err)
		assert.Equal(t, sign == samltest.SignResponse, e.HelpURL("https://sp", "ref", now) != "")
	}

	login, err = w.login(func(a *samltest.Answer) { a.Assertion().Conditions.Audiences = [][]string{{"https://other"}} })
	e = refused(t, saml.WrongAudience, login, err)
	assert.Equal(t, "https://idp.example.com/help", e.HelpURL("https://sp", "ref", now))
}

// The same holds for a logout request that nobody signed as its issuer.
func TestHelpURLOfAForgedLogout(t *testing.T) {
	t.Parallel()
	l := newLeaving(t)
	session := l.signIn("s0")
	stranger := otherIdP(t).Trust()
	stranger.ErrorURL, stranger.Keys = "https://phish.example/help", []saml.PublicKey{pinned(t, idpNamed(t, "nobody").Certificate())}
	l.trusts.Set(stranger)
	m := l.idp.LogoutRequest(session, sloURL)
	m.Issuer = &samltest.NameID{Value: stranger.Domain}
	_, err := l.sp.AnswerLogout(context.Background(), carriers["post"](m))
	e, found := errors.AsType[*saml.Error](err)
	require.True(t, found, "%v", err)
	assert.Equal(t, stranger.Domain, e.Domain)
	assert.Empty(t, e.HelpURL("https://sp", "ref", now))
}
