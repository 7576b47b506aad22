package saml_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml"
)

func TestMemoryTranslations(t *testing.T) {
	t.Parallel()
	const trust = "https://idp.example.com"
	m := saml.NewMemoryTranslations()
	translate := func(issuer string, name saml.NameID) string {
		to, found, err := m.Translate(t.Context(), trust, saml.Subject{Issuer: issuer, NameID: name})
		require.NoError(t, err)
		assert.Equal(t, found, to != "")
		return to
	}
	m.Set(trust, saml.Subject{NameID: saml.NameID{Value: "a"}}, "any")
	m.Set(trust, saml.Subject{NameID: saml.NameID{Value: "a", Format: saml.NameIDPersistent}}, "persistent")
	assert.Equal(t, "any", translate(trust, saml.NameID{Value: "a", Format: saml.NameIDEmail}))
	assert.Equal(t, "persistent", translate(trust, saml.NameID{Value: "a", Format: saml.NameIDPersistent}))
	assert.Equal(t, "persistent", translate(trust, saml.NameID{Value: "a", Format: saml.NameIDPersistent, NameQualifier: trust}))
	assert.Equal(t, "any", translate(trust, saml.NameID{Value: "a", Format: saml.NameIDPersistent, NameQualifier: "https://other"}))
	assert.Empty(t, translate("https://behind.example.com", saml.NameID{Value: "a"}), "another issuer's name is another's")
	assert.Empty(t, translate(trust, saml.NameID{Value: "A"}))
}
