package saml_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml"
	"github.com/logintrust/saml/samltest"
)

// notAlone are rules that no attack needs alone, and why.
var notAlone = map[string]string{
	"checkConfirmation": "a login is spent by what it finds; the rules about one confirmation are taken away one by one",
	"askedPAOS":         "attacks by enhanced clients have a test of their own, TestPAOSExplained",
	"confirmData":       "what is absent is no Recipient of ours either, or over; the rule says what is wrong",
}

// Each rule is needed: there is an attack that the service provider refuses for that rule's reason and, without the rule, falls
// for. What is no row of a list has its mutants in internal/cmd/mutants.
//
// req: SE-NIST-6
func TestEachRuleIsNeeded(t *testing.T) {
	t.Parallel()
	attacks := samltest.Attacks()
	for i := 0; ; i++ {
		w := newWorld(t, func(_ *saml.LoginTrust, c *saml.Config) {
			c.DecryptionKeys = []saml.DecryptionKey{{Key: mustKey(t, "sp-rsa2048")}}
		})
		lacking, rule, reason := w.sp.WithoutRule(i)
		if lacking == nil || strings.HasPrefix(rule, "checkLogout") {
			require.Greater(t, i, 35)
			return
		}
		if notAlone[rule] != "" {
			continue
		}
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			whole, broken := w.target(t, w.sp), w.target(t, lacking)
			for _, attack := range attacks {
				if !slices.Contains(attack.Reasons, reason) {
					continue
				}
				if fell, err := falls(broken, attack); err != nil || !fell {
					continue
				}
				fell, err := whole.Accepts(attack)
				require.NoError(t, err, attack.Name)
				require.False(t, fell, attack.Name)
				return
			}
			assert.Fail(t, "a rule that no attack needs")
		})
	}
}

// target is a service provider of the world under attack.
func (w *world) target(t *testing.T, sp *saml.ServiceProvider) samltest.Target {
	t.Helper()
	w.idp.AddSP(samltest.SP{EntityID: sp.EntityID(), ACSURL: "https://sp.example.com/sso/acs"})
	return samltest.Target{IdP: w.idp, Other: otherIdP(t), Provider: sp, Trusts: w.trusts}
}

// falls is Accepts for a service provider that lacks a rule, and may stumble for it.
func falls(x samltest.Target, attack samltest.Attack) (fell bool, err error) {
	defer func() {
		if p := recover(); p != nil {
			fell, err = false, fmt.Errorf("panic: %v", p)
		}
	}()
	return x.Accepts(attack)
}

// Each rule about messages of single logout is needed too.
//
// req: SE-NIST-6
func TestEachLogoutRuleIsNeeded(t *testing.T) {
	t.Parallel()
	attacks, rules := samltest.LogoutAttacks(), 0
	for i := 0; ; i++ {
		l := newLeaving(t)
		lacking, rule, reason := l.sp.WithoutRule(i)
		if lacking == nil {
			require.Equal(t, 6, rules)
			return
		}
		if !strings.HasPrefix(rule, "checkLogout") {
			continue
		}
		rules++
		other := otherIdP(t)
		l.trusts.Set(other.Trust())
		x := samltest.LogoutTarget{IdP: l.idp, Other: other, SLOURL: sloURL,
			Start: func(login *saml.Login) { l.sessions.start(login) },
			Live:  func() int { return len(l.sessions.indexes()) }}
		at := slices.IndexFunc(attacks, func(a samltest.LogoutAttack) bool {
			x.Provider = lacking
			fell, err := x.Accepts(a)
			return err == nil && fell && slices.Contains(a.Reasons, reason)
		})
		require.GreaterOrEqual(t, at, 0, "a rule that no attack needs: %s", rule)
		x.Provider = l.sp
		fell, err := x.Accepts(attacks[at])
		require.NoError(t, err, attacks[at].Name)
		assert.False(t, fell, attacks[at].Name)
	}
}
