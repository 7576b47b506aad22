package samltest

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	saml "github.com/logintrust/saml"
)

// Target is a service provider under attack.
type Target struct {
	IdP      *IdP                  // whom it trusts
	Handler  http.Handler          // what serves its site
	Provider *saml.ServiceProvider // if set, its Validate is attacked, without net/http, instead of Handler

	SP       SP       // empty: the first one registered with the IdP; with an EncryptionKey, or else no attack needs one
	LoginURL string   // starts a login, with ?entityID=…; empty: /sso/login where the ACS URL has /sso/acs
	Other    *IdP     // a second IdP that it trusts; nil: one that it does not know
	Attacks  []Attack // nil: all

	// IdPInitiated says that the login trust allows unsolicited answers: the attacks that need that are tried, and those to
	// which that is the answer are not.
	IdPInitiated bool

	// Reason is why Handler refused last, as the host was told by Config.OnRefusal. nil: any refusal counts, also one by luck.
	Reason func() saml.Reason

	mallory Seal
}

// RunAttacks tries all [Attacks] on the service provider that handler serves, the first one registered with [IdP.AddSP]. It
// fails the test for every attack that is accepted, and for every honest answer that is not. Attacks with encryption are
// tried if the service provider was registered with a key for that, as by [IdP.AddSPMetadata]. [Target] has more to set.
func (p *IdP) RunAttacks(t *testing.T, handler http.Handler) {
	t.Helper()
	Target{IdP: p, Handler: handler}.Run(t)
}

// CheckReasons tries all [Attacks] on the service provider's Validate, and fails the test too if one is refused for the wrong
// reason.
func (p *IdP) CheckReasons(t *testing.T, sp *saml.ServiceProvider) {
	t.Helper()
	Target{IdP: p, Provider: sp}.Run(t)
}

// Run tries the attacks, one after the other, each in new browsers and after an honest login of the same kind.
func (x Target) Run(t *testing.T) {
	t.Helper()
	if err := x.complete(); err != nil {
		t.Fatal(err)
	}
	attacks := x.Attacks
	if attacks == nil {
		attacks = Attacks()
	}
	for _, attack := range attacks {
		if attack.NeedsIdPInitiated && !x.IdPInitiated || attack.NeedsSolicited && x.IdPInitiated || attack.Encrypted && x.SP.EncryptionKey == nil {
			continue
		}
		t.Run(string(attack.Class)+"/"+attack.Name, func(t *testing.T) { x.try(t, attack) })
	}
}

// complete fills in what was left empty.
func (x *Target) complete() (err error) {
	if x.SP == (SP{}) {
		found := false
		if x.SP, found = x.IdP.firstSP(); !found {
			return errors.New("samltest: register the service provider with AddSP first")
		}
	}
	if x.SP.EncryptionKey == nil && x.Provider != nil {
		keys, err := EncryptionKeys(x.Provider.Metadata())
		if err != nil {
			return err
		}
		if len(keys) > 0 {
			x.SP.EncryptionKey = keys[0]
		}
	}
	if x.LoginURL == "" && x.Provider == nil {
		base, found := strings.CutSuffix(x.SP.ACSURL, "/sso/acs")
		if !found {
			return fmt.Errorf("samltest: set Target.LoginURL: it cannot be told from ACS URL %s", x.SP.ACSURL)
		}
		x.LoginURL = base + "/sso/login"
	}
	if x.Other == nil {
		x.Other, err = New(Options{EntityID: "https://rogue.example.com/metadata", SSOURL: "https://rogue.example.com/sso", Now: x.IdP.Now})
		if err != nil {
			return err
		}
	}
	x.mallory, err = mallorySeal(x.IdP)
	return err
}

// try makes an honest login of the attack's kind, and then the attack.
func (x Target) try(t *testing.T, attack Attack) {
	t.Helper()
	honest, _ := x.scene(t, attack)
	honest.Accept(honest.Answer().Form())

	scene, victim := x.scene(t, attack)
	got := victim.post(attack.Forge(scene))
	switch {
	case got.accepted:
		t.Errorf("accepted (%s): %s", attack.Reference, got.text)
	case got.reason != "" && !slices.Contains(attack.Reasons, got.reason):
		t.Errorf("refused for the wrong reason: %q; right would be %q (%s)", string(got.reason), attack.Reasons, attack.Reference)
	}
}

// scene sets the scene, with two new clients: the victim's and another.
func (x Target) scene(t *testing.T, attack Attack) (scene *Scene, victim client) {
	t.Helper()
	victim, stranger := x.client(), x.client()
	pick := func(elsewhere bool) client {
		if elsewhere {
			return stranger
		}
		return victim
	}
	return &Scene{
		IdP: x.IdP, Other: x.Other, SP: x.SP, Mallory: x.mallory, base: attack.base(x.SP),
		begin: func(p *IdP, elsewhere bool) Request {
			t.Helper()
			req, err := pick(elsewhere).begin(p)
			if err != nil && p == x.Other { // not trusted
				req, err = pick(elsewhere).begin(x.IdP)
			}
			if err != nil {
				t.Fatalf("no login began: %v", err)
			}
			if req.ACSURL == "" {
				req.ACSURL = x.SP.ACSURL
			}
			return req
		},
		accept: func(form url.Values, elsewhere bool) {
			t.Helper()
			if got := pick(elsewhere).post(form); !got.accepted {
				t.Fatalf("an honest answer was refused: %s %s", got.text, got.reason)
			}
		},
	}, victim
}

func (x Target) client() client {
	if x.Provider != nil {
		return &caller{provider: x.Provider}
	}
	acs, err := url.Parse(x.SP.ACSURL)
	if err != nil {
		panic(fmt.Sprintf("samltest: ACS URL %q: %v", x.SP.ACSURL, err))
	}
	return &surfer{target: x, browser: NewBrowser().Site(originOf(acs), x.Handler)}
}

// mallorySeal is the attacker's: her own key, in a certificate with the IdP's name.
func mallorySeal(p *IdP) (Seal, error) {
	key, err := keyFor("mallory", RSA2048)
	if err != nil {
		return Seal{}, err
	}
	certificate, err := selfSigned(key, p.EntityID)
	if err != nil {
		return Seal{}, err
	}
	return Seal{Key: key, Certificate: certificate, Prefix: "ds"}, nil
}
