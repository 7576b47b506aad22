package saml_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/logintrust/saml"
)

func TestAttributeNames(t *testing.T) {
	t.Parallel()
	for _, p := range []saml.Product{saml.EntraID, saml.ADFS, saml.Okta, saml.Google, saml.Shibboleth, saml.Keycloak,
		saml.Ping, saml.OneLogin} {
		n := p.AttributeNames()
		assert.NotEmpty(t, n.FirstName, p)
		assert.NotEmpty(t, n.LastName, p)
		assert.NotEmpty(t, n.Email, p)
		assert.Equal(t, p == saml.Shibboleth, n.Username != "", p)
	}
	assert.Zero(t, saml.GenericIdP.AttributeNames())
}
