package e2e_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml"
	"github.com/logintrust/saml/internal/oracle"
	"github.com/logintrust/saml/samltest"
)

// What the test IdP writes in the shape of each product is valid by the SAML schemas: metadata, answers, refusals, logout. (What
// stands there without its product's own schema, WS-Federation's roles above all, is left out first: the schemas at hand do not know it.)
//
// req: MP-SCHEMA
func TestSchemaOfPersonalities(t *testing.T) {
	t.Parallel()
	for _, shape := range append(samltest.Personalities(), samltest.Personality{}) {
		t.Run("personality "+shape.Name, func(t *testing.T) {
			t.Parallel()
			idp, err := samltest.New(samltest.Options{Personality: shape})
			require.NoError(t, err)
			valid := func(xml []byte, schema string) {
				t.Helper()
				assert.NoError(t, oracle.ValidateSchema(t, xml, schema), "%s", xml)
			}
			valid(withoutFederation(bytes.TrimPrefix(idp.Metadata(), []byte("\xef\xbb\xbf"))), "metadata")
			req := samltest.Request{ID: "_r1", SPEntityID: "https://sp.example.com", ACSURL: "https://sp.example.com/acs", RelayState: "x"}
			valid(idp.Answer(req).XML(), "protocol")
			valid(idp.Refuse(req, idp.Personality.Passive).XML(), "protocol")
			session := saml.LoginSession{NameID: saml.NameID(*idp.Answer(req).Assertion().Subject.NameID), SessionIndexes: []string{"s1"}}
			request := idp.LogoutRequest(session, "https://sp.example.com/slo")
			valid(request.XML(), "protocol")
			received, err := samltest.ReadLogout(request.XML())
			require.NoError(t, err)
			valid(idp.LogoutResponse(received, "https://sp.example.com/slo").XML(), "protocol")
		})
	}
}

func withoutFederation(xml []byte) []byte {
	for {
		start := bytes.Index(xml, []byte("<RoleDescriptor"))
		end := bytes.Index(xml, []byte("</RoleDescriptor>"))
		if start < 0 || end < start {
			return xml
		}
		xml = append(bytes.Clone(xml[:start]), xml[end+len("</RoleDescriptor>"):]...)
	}
}
