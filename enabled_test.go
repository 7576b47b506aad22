package saml_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml"
)

// The switch of the whole service provider, with another one in the same process.
//
// req: CS-02 CS-13
func TestEnabled(t *testing.T) {
	t.Parallel()
	on, broken := true, error(nil)
	s := newSite(t, allowIdPInitiated, func(_ *saml.LoginTrust, c *saml.Config) {
		c.Enabled = func(context.Context) (bool, error) { return on, broken }
	})
	other := newSite(t)
	b := s.browser()
	answer := s.idp.Answer(b.start(""))
	check := func(status int, reason saml.Reason) {
		t.Helper()
		for _, resp := range []*http.Response{
			b.get(s.sp.LoginLink(s.trust(), "/")),
			b.get("https://sp.example.com/sso/login?entityID=unknown"),
			b.get("https://sp.example.com/sso/login?popup=done"),
			b.do(formRequest("https://sp.example.com/sso/acs", answer.Form()), false),
			b.do(formRequest("https://sp.example.com/sso/acs", s.unsolicited().Form()), true),
		} {
			assert.Equal(t, status, resp.StatusCode)
			assert.Equal(t, reason, s.reason())
			assert.Empty(t, resp.Header.Get("Location"))
		}
		_, err := s.sp.Request(context.Background(), s.trust(), saml.StartOptions{})
		require.ErrorIs(t, err, reason)
		require.ErrorIs(t, s.sp.StartLogin(httptest.NewRecorder(), getRequest("/"), s.trust(), saml.StartOptions{}), reason)
		login, err := s.post(s.unsolicited(), "")
		refused(t, reason, login, err)
		metadata := b.get("https://sp.example.com/sso/metadata")
		assert.Equal(t, http.StatusOK, metadata.StatusCode)
		assert.Equal(t, string(s.sp.Metadata()), read(metadata))
		ob := other.browser()
		resp, _ := ob.post(other.idp.Answer(ob.start("")))
		assert.Equal(t, http.StatusSeeOther, resp.StatusCode)
	}
	on = false
	check(http.StatusNotFound, saml.SSODisabled)
	on, broken = true, errors.New("the database is away")
	check(http.StatusServiceUnavailable, saml.StoreFailed)
	broken = nil
	resp, _ := b.post(answer)
	assert.Equal(t, http.StatusSeeOther, resp.StatusCode, "what waited is still there")
}

// SP metadata exists before any trust does.
//
// req: CS-13 LT-05
func TestMetadataWithoutTrusts(t *testing.T) {
	t.Parallel()
	sp, err := saml.New(saml.Config{BaseURL: "https://sp.example.com", Trusts: saml.NewMemoryTrusts(), State: saml.NewMemoryState(),
		Enabled: func(context.Context) (bool, error) { return false, nil }})
	require.NoError(t, err)
	w := httptest.NewRecorder()
	sp.Handler(func(http.ResponseWriter, *http.Request, *saml.Login) {}).ServeHTTP(w, getRequest("/sso/metadata"))
	assert.Equal(t, http.StatusOK, w.Code)
	assert.Contains(t, w.Body.String(), `entityID="https://sp.example.com/sso/metadata"`)
}
