package samltest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

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

	// Trusts is where the login trust of IdP is, if the attacks may change it for their time: those that go against what it may
	// demand are tried then, and no other login should go on meanwhile. nil: they are not tried.
	Trusts *saml.MemoryTrusts

	// Patience is how long an answer may take before it counts as none: a generous bound, since it is about attacks whose cost
	// explodes. 0: half a minute.
	Patience time.Duration

	// Reason is why Handler refused last, as the host was told by Config.OnRefusal. nil: any refusal counts, also one by luck.
	Reason func() saml.Reason

	mallory Seal
	gaveUp  *bool // set where an honest step was refused; nil: nobody asks
}

// RunAttacks tries all [Attacks] on the service provider that handler serves, the first one registered with [IdP.AddSP]. It
// fails the test for every attack that is accepted, and ends with the first honest login that is not. Attacks with encryption are
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

// Run tries the attacks, one after the other, each in new browsers and after an honest login of the same kind. It ends with the
// first honest step that is refused, since a service provider that lets nobody in withstands every attack.
func (x Target) Run(t *testing.T) {
	t.Helper()
	if err := x.complete(); err != nil {
		t.Fatal(err)
	}
	attacks := x.Attacks
	if attacks == nil {
		attacks = Attacks()
	}
	x.gaveUp = new(bool)
	for _, attack := range attacks {
		if *x.gaveUp {
			return
		}
		if !x.admits(attack) {
			continue
		}
		t.Run(string(attack.Class)+"/"+attack.Name, func(t *testing.T) { x.try(t, attack) })
	}
}

// complete fills in what was left empty.
func (x *Target) complete() (err error) {
	if x.IdP.Personality.Name != "" {
		x.IdP = x.IdP.plain()
	}
	if x.SP == (SP{}) {
		found := false
		if x.SP, found = x.IdP.firstSP(); !found {
			return errors.New("samltest: register the service provider first, with idp.AddSPMetadata(sp.Metadata()) or AddSP")
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

// admits reports whether an attack can be tried here.
func (x Target) admits(attack Attack) bool {
	return !(attack.NeedsIdPInitiated && !x.IdPInitiated || attack.NeedsSolicited && x.IdPInitiated ||
		attack.Encrypted && x.SP.EncryptionKey == nil || attack.Demand != nil && x.Trusts == nil || attack.Ask != nil && x.Provider == nil)
}

// Accepts tries one attack, after an honest login of the same kind, and reports whether the service provider falls for it. An
// error says why that cannot be told: an honest step was refused, or the target is not one for this attack.
func (x Target) Accepts(attack Attack) (fell bool, err error) {
	if err := x.complete(); err != nil {
		return false, err
	}
	if !x.admits(attack) {
		return false, errors.New("samltest: the attack needs another target")
	}
	defer recoverFailure(&err)
	got := x.attempt(fail, attack)
	return attack.fell(got), nil
}

// A failure ends an attack that could not be tried. A failing is what ends it: fail, or a test's own.
type (
	failure struct{ error }
	failing = func(format string, args ...any)
)

func fail(format string, args ...any) { panic(failure{fmt.Errorf("samltest: "+format, args...)}) }

func recoverFailure(err *error) {
	switch p := recover().(type) {
	case nil:
	case failure:
		*err = p.error
	default:
		panic(p)
	}
}

// try makes an attack, and says what is wrong with what became of it.
func (x Target) try(t *testing.T, attack Attack) {
	t.Helper()
	got := x.attempt(t.Fatalf, attack)
	if attack.fell(got) {
		t.Errorf("%s (%s)", got.says(), attack.Reference)
	} else if attack.Reasons != nil && got.reason != "" && !slices.Contains(attack.Reasons, got.reason) {
		t.Errorf("refused for the wrong reason: %q; right would be %q (%s)", string(got.reason), attack.Reasons, attack.Reference)
	}
}

// wait posts the form, and waits for the answer no longer than the target's patience.
func (x Target) wait(victim client, form url.Values) outcome {
	answered := make(chan outcome, 1)
	go func() {
		defer func() {
			if panicked := recover(); panicked != nil {
				answered <- outcome{panicked: true, text: fmt.Sprint(panicked)}
			}
		}()
		answered <- victim.post(form)
	}()
	limit := time.NewTimer(cmp.Or(x.Patience, defaultPatience))
	defer limit.Stop()
	select {
	case got := <-answered:
		return got
	case <-limit.C:
		return outcome{late: true}
	}
}

const defaultPatience = 30 * time.Second

// fell reports whether the attacker got what she wanted.
func (a Attack) fell(got outcome) bool {
	switch {
	case got.late, got.panicked, got.broken():
		return true
	case a.Bounded:
		return false
	case a.Won != nil:
		return a.Won(got.pages)
	}
	return got.accepted
}

// attempt makes an honest login of the attack's kind, and then the attack.
func (x Target) attempt(fail failing, attack Attack) outcome {
	if attack.Demand != nil {
		trust := x.IdP.Trust()
		if kept, found, err := x.Trusts.FindTrust(context.Background(), trust.Domain); err == nil && found {
			trust = kept
		}
		defer x.Trusts.Set(trust)
		demanding := trust
		attack.Demand(&demanding)
		x.Trusts.Set(demanding)
	}
	honest, client := x.scene(fail, attack)
	x.honour(fail, client.post(honest.Answer().Form()))
	scene, victim := x.scene(fail, attack)
	return x.wait(victim, attack.Forge(scene))
}

// honour demands that an honest answer was accepted.
func (x Target) honour(fail failing, got outcome) {
	if !got.accepted {
		x.giveUp(fail, "an honest answer was refused, so nothing can be told of attacks: %s", got.refused())
	}
}

// giveUp ends the attack, and those that would come after it.
func (x Target) giveUp(fail failing, format string, args ...any) {
	if x.gaveUp != nil {
		*x.gaveUp = true
	}
	fail(format, args...)
}

// scene sets the scene, with two new clients: the victim's and another.
func (x Target) scene(fail failing, attack Attack) (scene *Scene, victim client) {
	victim, stranger := x.client(attack), x.client(attack)
	pick := func(elsewhere bool) client {
		if elsewhere {
			return stranger
		}
		return victim
	}
	return &Scene{
		IdP: x.IdP, Other: x.Other, SP: x.SP, Mallory: x.mallory, base: attack.base(x.SP),
		plant: victim.plant,
		begin: func(p *IdP, elsewhere bool, place string) Request {
			req, err := pick(elsewhere).begin(p, place)
			if err != nil && (p == x.Other || place != "") { // not trusted, or not followed
				req, err = pick(elsewhere).begin(x.IdP, "")
			}
			if err != nil {
				x.giveUp(fail, "no login began: %v", err)
			}
			if req.ACSURL == "" {
				req.ACSURL = x.SP.ACSURL
			}
			return req
		},
		accept: func(form url.Values, elsewhere bool) {
			x.honour(fail, pick(elsewhere).post(form))
		},
	}, victim
}

func (x Target) client(attack Attack) client {
	acs, err := url.Parse(x.SP.ACSURL)
	if err != nil {
		panic(fmt.Sprintf("samltest: ACS URL %q: %v", x.SP.ACSURL, err))
	}
	if x.Provider != nil {
		return &caller{provider: x.Provider, ask: attack.Ask, site: acs}
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
