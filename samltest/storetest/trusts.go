package storetest

import (
	"encoding/json"
	"strings"
	"testing"

	saml "github.com/logintrust/saml"
	"github.com/logintrust/saml/samltest"
)

// TrustStore tests a saml.TrustStore. open returns a store that holds these trusts and no other. All of them pass
// [saml.LoginTrust.Check].
func TrustStore(t *testing.T, open func(trusts ...saml.LoginTrust) saml.TrustStore) {
	t.Helper()
	other := samltest.NewIdP(t).Trust()
	other.Domain = "https://idp.example.com/other"
	trusts := []saml.LoginTrust{fullTrust(t), other}
	t.Run("Find", func(t *testing.T) {
		t.Parallel()
		store := open(trusts...)
		atOnce(func(i int) {
			want := trusts[i%len(trusts)]
			got, found, err := store.FindTrust(t.Context(), want.Domain)
			if err != nil || !found {
				t.Errorf("FindTrust %q: got %v, %v", want.Domain, found, err)
				return
			}
			if a, b := text(t, got), text(t, want); a != b {
				t.Errorf("FindTrust: got %s, want %s", a, b)
			}
		})
	})
	t.Run("FindNone", func(t *testing.T) {
		t.Parallel()
		store := open(trusts...)
		domain := trusts[0].Domain
		for _, d := range []string{"", "x", domain + "/", domain + " ", " " + domain, strings.ToUpper(domain), domain[:len(domain)-1], "%", domain + "' OR 'a'='a"} {
			if trust, found, err := store.FindTrust(t.Context(), d); err != nil || found || trust.Domain != "" {
				t.Errorf("FindTrust %q: got %q, %v, %v, want none and no error", d, trust.Domain, found, err)
			}
		}
		if _, found, err := open().FindTrust(t.Context(), domain); err != nil || found {
			t.Errorf("FindTrust in an empty store: got %v, %v", found, err)
		}
	})
}

// fullTrust has something in most fields.
func fullTrust(t *testing.T) saml.LoginTrust {
	trust := samltest.NewIdP(t).Trust()
	trust.Domain = "https://idp.example.com/metadata"
	trust.Description = `St Mary's "Hospital" – Søren <b>`
	trust.Product, trust.Organization, trust.EmailDomains, trust.Scopes = saml.Shibboleth, "a", []string{"example.com", "example.org"}, []string{"example.com"}
	trust.Match, trust.Translation, trust.Attributes = saml.MatchEmail, saml.TranslationRequired, saml.Shibboleth.AttributeNames()
	trust.PrivilegedUsers, trust.DeniedUsers, trust.AllowedRoles = []string{"1"}, []string{"2"}, []string{"reader"}
	trust.CreateUsers, trust.DefaultRole, trust.DefaultDepartment, trust.ReactivateUsers = true, "reader", "ward 7", true
	trust.AllowIdPInitiated, trust.RequireSignedAssertion, trust.Audiences = true, true, []string{"urn:audience"}
	return trust
}

// text is all of a trust: its JSON form has every field.
func text(t *testing.T, trust saml.LoginTrust) string {
	b, err := json.Marshal(trust)
	if err != nil {
		t.Errorf("json.Marshal: %v", err)
	}
	return string(b)
}
