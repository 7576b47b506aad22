package samltest

import (
	"errors"
	"testing"
	"time"

	saml "github.com/logintrust/saml"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// propose is the library's own importer.
func propose(entityID string) MetadataImporter {
	return func(metadata []byte, keys []saml.PublicKey) (saml.LoginTrust, error) {
		p, err := saml.ProposeTrust(metadata, saml.ImportOptions{EntityID: entityID, Keys: keys}, time.Now())
		return p.Trust, err
	}
}

func TestMetadataAttacks(t *testing.T) {
	t.Parallel()
	idp := NewIdP(t)
	idp.RunMetadataAttacks(t, propose(idp.EntityID))
}

func TestMetadataAttacksAreNamed(t *testing.T) {
	t.Parallel()
	attacks, names, signed := MetadataAttacks(), map[string]bool{}, 0
	assert.GreaterOrEqual(t, len(attacks), 100)
	for _, a := range attacks {
		assert.False(t, names[a.Name], "twice: %s", a.Name)
		names[a.Name] = true
		assert.NotEmpty(t, a.Reference, a.Name)
		assert.Equal(t, Metadata, a.Class)
		if a.Signed {
			signed++
		}
	}
	assert.Greater(t, signed, 20)
}

// Each attack differs from its base, and an importer that takes everything falls for it.
func TestMetadataTargetCatches(t *testing.T) {
	t.Parallel()
	idp := NewIdP(t)
	var forged *MetadataScene
	gullible := MetadataTarget{IdP: idp, Importer: func([]byte, []saml.PublicKey) (saml.LoginTrust, error) {
		trust := idp.Trust()
		key, err := saml.NewPublicKey(forged.Mallory.Key.Public())
		trust.Keys = append(trust.Keys, key)
		return trust, err
	}}
	scene, err := gullible.scene()
	require.NoError(t, err)
	forged = scene
	for _, a := range MetadataAttacks() {
		assert.NotEqual(t, string(a.base(scene)), string(a.Forge(scene)), a.Name)
		assert.NotEmpty(t, a.judge(scene, gullible.bring(a, scene, a.Forge(scene))), a.Name)
	}
}

// One that looks at no signature, one that waits for ever and one that breaks down are caught too, and so is one that takes
// addresses or the entity as they come.
func TestMetadataTargetCatchesFaults(t *testing.T) {
	t.Parallel()
	idp := NewIdP(t)
	blind := MetadataTarget{IdP: idp, Importer: func(metadata []byte, _ []saml.PublicKey) (saml.LoginTrust, error) {
		return propose(idp.EntityID)(metadata, nil)
	}}
	scene, err := blind.scene()
	require.NoError(t, err)
	caught := 0
	for _, a := range metadataSignatureAttacks() {
		if a.judge(scene, blind.bring(a, scene, a.Forge(scene))) != "" {
			caught++
		}
	}
	assert.Greater(t, caught, 20)

	attack := metadataEndpointAttacks()[0]
	never := make(chan struct{})
	t.Cleanup(func() { close(never) })
	for name, importer := range map[string]func() saml.LoginTrust{
		"silence":      func() saml.LoginTrust { <-never; return saml.LoginTrust{} },
		"panic":        func() saml.LoginTrust { panic("at the disco") },
		"address":      func() saml.LoginTrust { x := idp.Trust(); x.SLOPostResponseURL = "http://evil.example.net"; return x },
		"other entity": func() saml.LoginTrust { x := idp.Trust(); x.Domain += "/"; return x },
		"error page":   func() saml.LoginTrust { x := idp.Trust(); x.ErrorURL = "javascript:alert(1)"; return x },
	} {
		x := MetadataTarget{IdP: idp, Patience: 50 * time.Millisecond, Importer: func([]byte, []saml.PublicKey) (saml.LoginTrust, error) { return importer(), nil }}
		assert.NotEmpty(t, attack.judge(scene, x.bring(attack, scene, nil)), name)
	}
	assert.Empty(t, attack.judge(scene, imported{err: errors.New("no")}))
}
