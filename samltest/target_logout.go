package samltest

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"

	saml "github.com/logintrust/saml"
)

// LogoutTarget is a service provider whose single logout is under attack.
type LogoutTarget struct {
	IdP      *IdP                  // whom it trusts
	Other    *IdP                  // another one that it trusts
	Provider *saml.ServiceProvider // its AnswerLogout and CompleteLogout are attacked
	SLOURL   string                // its Config.LogoutURL
	// Start begins a session of the host for a login, and Live says how many there are.
	Start func(login *saml.Login)
	Live  func() int

	Attacks []LogoutAttack // nil: all
}

// Run tries the attacks, one after the other, each against a new session. It fails the test for every attack that ends a
// session, completes a logout, or is refused for the wrong reason, and for every honest message that is refused.
func (x LogoutTarget) Run(t *testing.T) {
	t.Helper()
	mallory, err := mallorySeal(x.IdP)
	if err != nil {
		t.Fatal(err)
	}
	attacks := x.Attacks
	if attacks == nil {
		attacks = LogoutAttacks()
	}
	for _, attack := range attacks {
		t.Run(string(attack.Class)+"/"+attack.Name, func(t *testing.T) { x.try(t, attack, mallory) })
	}
}

// Accepts tries one attack against a new session, and reports whether the service provider falls for it: a session ended, or a
// logout was completed that was not. An error says that it could not be tried: an honest step was refused.
func (x LogoutTarget) Accepts(attack LogoutAttack) (fell bool, err error) {
	mallory, err := mallorySeal(x.IdP)
	if err != nil {
		return false, err
	}
	defer recoverFailure(&err)
	scene := x.scene(fail, mallory)
	before := x.Live()
	complete, _ := x.bring(fail, attack.Forge(scene))
	return x.Live() != before || complete && attack.Reasons != nil, nil
}

func (x LogoutTarget) try(t *testing.T, attack LogoutAttack, mallory Seal) {
	t.Helper()
	scene := x.scene(t.Fatalf, mallory)
	before := x.Live()
	message := attack.Forge(scene)
	complete, reason := x.bring(t.Fatalf, message)
	switch {
	case x.Live() != before:
		t.Errorf("a session ended (%s)", attack.Reference)
	case complete && attack.Reasons != nil:
		t.Errorf("accepted (%s)", attack.Reference)
	case reason != "" && !slices.Contains(attack.Reasons, reason):
		t.Errorf("refused for the wrong reason: %q; right would be %q (%s)", string(reason), attack.Reasons, attack.Reference)
	}
	// The honest message works in the same place.
	scene.Accept(scene.Request().ByRedirect())
	if x.Live() != before-1 {
		t.Errorf("an honest request ended %d sessions, not one", before-x.Live())
	}
}

// bring delivers a message. complete says that a request was obeyed, or a logout completed.
func (x LogoutTarget) bring(fail failing, m saml.LogoutMessage) (complete bool, reason saml.Reason) {
	isAnswer := m.SAMLResponse != "" && m.SAMLRequest == "" || strings.HasPrefix(m.Query, "SAMLResponse=")
	var err error
	if isAnswer {
		var result *saml.LogoutResult
		if result, err = x.Provider.CompleteLogout(context.Background(), m); err == nil {
			return result.Outcome == saml.LogoutComplete, ""
		}
	} else {
		var answer *saml.LogoutAnswer
		if answer, err = x.Provider.AnswerLogout(context.Background(), m); err == nil && answer.Refusal == nil {
			return true, ""
		} else if err == nil {
			err = answer.Refusal
		}
	}
	var refused *saml.Error
	if !errors.As(err, &refused) {
		fail("an error that is no refusal: %v", err)
	}
	return false, refused.Reason
}

// scene signs the victim in.
func (x LogoutTarget) scene(fail failing, mallory Seal) *LogoutScene {
	started, err := x.Provider.Request(context.Background(), x.IdP.Trust(), saml.StartOptions{})
	if err != nil {
		fail("no login began: %v", err)
	}
	req, err := ParseRequestURL(started.URL)
	if err != nil {
		fail("%v", err)
	}
	answer := x.IdP.Answer(req)
	login, err := x.Provider.Validate(context.Background(), saml.Posted{SAMLResponse: answer.Encode(), BrowserKey: started.BrowserKey})
	if err != nil {
		fail("an honest answer was refused: %v", err)
	}
	x.Start(login)
	return &LogoutScene{IdP: x.IdP, Other: x.Other, SLOURL: x.SLOURL, Mallory: mallory, Session: login.Session(), Answer: answer,
		Begin: func() (ReceivedLogout, string) {
			started, err := x.Provider.LogoutRequest(context.Background(), login.Session(), saml.LogoutOptions{})
			if err != nil {
				fail("no logout began: %v", err)
			}
			return receivedFrom(fail, started)
		},
		Accept: func(m saml.LogoutMessage) {
			if complete, reason := x.bring(fail, m); !complete {
				fail("an honest message was refused: %s", string(reason))
			}
		},
	}
}

func receivedFrom(fail failing, started *saml.Started) (ReceivedLogout, string) {
	var m ReceivedLogout
	var err error
	if started.URL != "" {
		m, err = ParseLogoutURL(started.URL)
	} else {
		form := url.Values{}
		for name, value := range started.Fields {
			form.Set(name, value)
		}
		m, err = ParseLogoutForm(form)
	}
	if err != nil {
		fail("%v", err)
	}
	return m, started.BrowserKey
}
