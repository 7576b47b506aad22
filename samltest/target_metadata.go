package samltest

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"testing"
	"time"

	saml "github.com/logintrust/saml"
)

// MetadataImporter is how a host makes a login trust of metadata for the IdP that it names by its entity ID. With keys, only what
// one of these signed counts; without, whoever brought the metadata vouches for it.
type MetadataImporter = func(metadata []byte, keys []saml.PublicKey) (saml.LoginTrust, error)

// MetadataTarget is an importer of metadata under attack.
type MetadataTarget struct {
	IdP      *IdP // whose metadata is imported
	Importer MetadataImporter
	Attacks  []MetadataAttack // nil: all
	Patience time.Duration    // as of [Target]
}

// RunMetadataAttacks tries all [MetadataAttacks] on a host's importer. It fails the test for each by which the attacker gets
// something, and for honest metadata that is not imported.
//
//	idp.RunMetadataAttacks(t, func(metadata []byte, keys []saml.PublicKey) (saml.LoginTrust, error) {
//		p, err := saml.ProposeTrust(metadata, saml.ImportOptions{EntityID: idp.EntityID, Keys: keys}, time.Now())
//		return p.Trust, err
//	})
func (p *IdP) RunMetadataAttacks(t *testing.T, importer MetadataImporter) {
	t.Helper()
	MetadataTarget{IdP: p, Importer: importer}.Run(t)
}

// Run tries the attacks, one after the other, each after an honest import of the same kind.
func (x MetadataTarget) Run(t *testing.T) {
	t.Helper()
	scene, err := x.scene()
	if err != nil {
		t.Fatal(err)
	}
	attacks := x.Attacks
	if attacks == nil {
		attacks = MetadataAttacks()
	}
	for _, attack := range attacks {
		t.Run(string(attack.Class)+"/"+attack.Name, func(t *testing.T) {
			honest := x.bring(attack, scene, attack.base(scene))
			if fault := scene.fault(honest); honest.err != nil || fault != "" {
				t.Fatalf("honest metadata was not imported: %v %s", honest.err, fault)
			}
			if fault := attack.judge(scene, x.bring(attack, scene, attack.Forge(scene))); fault != "" {
				t.Errorf("%s (%s)", fault, attack.Reference)
			}
		})
	}
}

func (x MetadataTarget) scene() (*MetadataScene, error) {
	idp := x.IdP.plain()
	mallory, err := mallorySeal(idp)
	if err != nil {
		return nil, err
	}
	key, err := keyFor("federation", RSA2048)
	if err != nil {
		return nil, err
	}
	certificate, err := selfSigned(key, "federation")
	if err != nil {
		return nil, err
	}
	return &MetadataScene{IdP: idp, Mallory: mallory, Federation: Seal{Key: key, Certificate: certificate, Prefix: "ds"}}, nil
}

// imported is what became of metadata.
type imported struct {
	trust saml.LoginTrust
	err   error
	late  bool
	panic any
}

// bring gives metadata to the importer, and waits no longer than the target's patience.
func (x MetadataTarget) bring(attack MetadataAttack, s *MetadataScene, metadata []byte) imported {
	var keys []saml.PublicKey
	if attack.Signed {
		key, err := saml.NewPublicKey(s.Federation.Key.Public())
		if err != nil {
			return imported{err: err}
		}
		keys = []saml.PublicKey{key}
	}
	answered := make(chan imported, 1)
	go func() {
		defer func() {
			if panicked := recover(); panicked != nil {
				answered <- imported{panic: panicked}
			}
		}()
		trust, err := x.Importer(metadata, keys)
		answered <- imported{trust: trust, err: err}
	}()
	limit := time.NewTimer(cmp.Or(x.Patience, defaultPatience))
	defer limit.Stop()
	select {
	case got := <-answered:
		return got
	case <-limit.C:
		return imported{late: true}
	}
}

// judge says what the attacker got; nothing if she got nothing.
func (a MetadataAttack) judge(s *MetadataScene, got imported) (fault string) {
	switch {
	case got.late:
		return "no answer"
	case got.panic != nil:
		return fmt.Sprintf("panic: %v", got.panic)
	case got.err != nil:
		return ""
	case s.fault(got) != "":
		return s.fault(got)
	case a.Bounded:
		return ""
	case a.Won == nil:
		return "imported"
	case a.Won(s, got.trust):
		return "imported, with what the attacker put there"
	}
	return ""
}

// fault is what may be in no trust at all.
func (s *MetadataScene) fault(got imported) string {
	if got.err != nil {
		return ""
	}
	if got.trust.Domain != s.IdP.EntityID {
		return "a trust for an entity that was not asked for"
	}
	own := s.IdP.Trust().Keys
	for _, key := range got.trust.Keys {
		if !slices.ContainsFunc(own, key.Equal) {
			return "a key was pinned that is not for the identity provider's signatures"
		}
	}
	for _, address := range addresses(got.trust) {
		if u, err := url.Parse(address); err != nil || u.Host == "" || u.Scheme != "https" && !loopback(u) {
			return fmt.Sprintf("an address that is not https: %.64q", address)
		}
	}
	return ""
}

// addresses are all of a trust to which browsers are sent.
func addresses(trust saml.LoginTrust) []string {
	return slices.DeleteFunc([]string{trust.LoginURL, trust.LoginPostURL, trust.SLOURL, trust.SLOPostURL, trust.SLOResponseURL,
		trust.SLOPostResponseURL, trust.LogoutURL, trust.ErrorURL}, func(s string) bool { return s == "" })
}
