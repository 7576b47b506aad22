package samltest_test

import (
	"testing"

	saml "github.com/logintrust/saml"
	"github.com/logintrust/saml/samltest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A rollover: the next key is published before it signs, and both count until the old one is retired.
func TestRollover(t *testing.T) {
	t.Parallel()
	idp, err := samltest.New(samltest.Options{EntityID: "https://rolling.example.com"})
	require.NoError(t, err)
	old := idp.Seal()
	next, err := idp.Publish(nil)
	require.NoError(t, err)
	assert.Equal(t, old.Certificate, idp.Certificate())

	both, err := saml.TrustFromMetadata(idp.Metadata(), "", idp.Now())
	require.NoError(t, err)
	require.Len(t, both.Keys, 2)
	assert.Len(t, idp.Trust().Keys, 2)
	trusts := saml.NewMemoryTrusts(idp.Trust())
	sp, err := saml.New(saml.Config{BaseURL: "https://app.example.com", Trusts: trusts, State: saml.NewMemoryState()})
	require.NoError(t, err)
	post := func(change func(*samltest.Answer)) error {
		started, err := sp.Request(t.Context(), idp.Trust(), saml.StartOptions{})
		require.NoError(t, err)
		req, err := samltest.ParseRequestURL(started.URL)
		require.NoError(t, err)
		answer := idp.Answer(req)
		change(answer)
		_, err = sp.Validate(t.Context(), saml.Posted{SAMLResponse: answer.Encode(), BrowserKey: started.BrowserKey})
		return err
	}
	with := func(seal samltest.Seal) func(*samltest.Answer) {
		return func(a *samltest.Answer) { a.Seal = seal }
	}
	require.NoError(t, post(with(old)))
	require.NoError(t, post(with(next)))

	require.ErrorContains(t, idp.Retire(old), "SignWith another first")
	require.NoError(t, idp.SignWith(next))
	assert.Equal(t, next.Certificate, idp.Certificate())
	require.NoError(t, post(func(*samltest.Answer) {}))

	require.NoError(t, idp.Retire(old))
	require.Len(t, idp.Trust().Keys, 1)
	trusts.Set(idp.Trust())
	require.NoError(t, post(func(*samltest.Answer) {}))
	require.ErrorIs(t, post(with(old)), saml.BadSignature)
	require.Error(t, idp.SignWith(old))
	require.Error(t, idp.Retire(old))
}
