package saml_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml"
	"github.com/logintrust/saml/samltest"
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

// A translation is found however much of the name its administrator wrote down, and whatever else the message says that is no
// part of the name: one that is missed would leave the user to the local name that is spelled like the subject.
func TestTranslationAsWritten(t *testing.T) {
	t.Parallel()
	persistent := saml.NameID{Value: "admin", Format: saml.NameIDPersistent}
	with := func(n saml.NameID, change func(*saml.NameID)) saml.NameID {
		change(&n)
		return n
	}
	const ours = "https://sp.example.com/sso/metadata"
	for name, c := range map[string]struct{ written, sent saml.NameID }{
		"with our qualifier":       {with(persistent, func(n *saml.NameID) { n.SPNameQualifier = ours }), with(persistent, func(n *saml.NameID) { n.SPNameQualifier = ours })},
		"our qualifier is written": {with(persistent, func(n *saml.NameID) { n.SPNameQualifier = ours }), persistent},
		"our qualifier is sent":    {persistent, with(persistent, func(n *saml.NameID) { n.SPNameQualifier = ours })},
		"an alias":                 {persistent, with(persistent, func(n *saml.NameID) { n.SPProvidedID = "x" })},
		"an alias, written":        {with(persistent, func(n *saml.NameID) { n.SPProvidedID = "x" }), persistent},
		"no format":                {saml.NameID{Value: "admin", NameQualifier: "q"}, saml.NameID{Value: "admin", NameQualifier: "q"}},
		"format written":           {saml.NameID{Value: "admin", NameQualifier: "q", Format: saml.NameIDUnspecified}, saml.NameID{Value: "admin", NameQualifier: "q"}},
	} {
		w := newTown(t, editTrust(func(t *saml.LoginTrust) { t.Translation = saml.TranslationOptional }))
		w.users.Set(resident("jane"))
		w.users.Set(resident("admin"))
		w.translations.Set(w.idp.EntityID, saml.Subject{NameID: c.written}, "jane")
		login, err := w.login(func(a *samltest.Answer) { n := samltest.NameID(c.sent); a.Assertion().Subject.NameID = &n })
		assert.Equal(t, "id-jane", userOf(t, login, err).ID, name)
	}
	for name, c := range map[string]struct{ written, sent saml.NameID }{
		"another's qualifier": {with(persistent, func(n *saml.NameID) { n.SPNameQualifier = "https://other" }), persistent},
		"another format":      {saml.NameID{Value: "admin", Format: saml.NameIDEmail}, persistent},
	} {
		w := newTown(t, editTrust(func(t *saml.LoginTrust) { t.Translation = saml.TranslationRequired }))
		w.users.Set(resident("jane"))
		w.translations.Set(w.idp.EntityID, saml.Subject{NameID: c.written}, "jane")
		login, err := w.login(func(a *samltest.Answer) { n := samltest.NameID(c.sent); a.Assertion().Subject.NameID = &n })
		refused(t, saml.NotTranslated, login, err)
		assert.Nil(t, login, name)
	}
}
