package saml

import (
	"fmt"
	"strings"
	"time"

	"github.com/logintrust/saml/internal/wire"
)

// What a report shows of a message that passes a rule. Nothing here names or describes a user.

func present(t wire.Text) string {
	if !t.Present {
		return "none"
	}
	return quoted(t.Value)
}

func moment(t time.Time) string {
	if t.IsZero() {
		return "none"
	}
	return stamp(t)
}

// some shows the first of a list, and how many more there are.
func some(list []string) string {
	switch len(list) {
	case 0:
		return "none"
	case 1:
		return quoted(list[0])
	}
	return fmt.Sprintf("%s and %d more", quoted(list[0]), len(list)-1)
}

// listed shows the first names of a list, and says how many more there are.
func listed(names []string, limit int) string {
	if len(names) == 0 {
		return "none"
	}
	var shown []string
	for _, name := range names[:min(len(names), limit)] {
		shown = append(shown, quoted(name))
	}
	if more := len(names) - limit; more > 0 {
		shown = append(shown, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(shown, ", ")
}

func showVersion(c *candidate) string          { return quoted(c.Claims.Version) }
func showDestination(c *candidate) string      { return present(c.Claims.Destination) }
func showResponseIssuer(c *candidate) string   { return present(c.Claims.Issuer) }
func showResponseInstant(c *candidate) string  { return moment(c.Claims.IssueInstant) }
func showAssertionVersion(c *candidate) string { return quoted(c.Assertion.Version) }
func showAssertionIssuer(c *candidate) string  { return quoted(c.Assertion.Issuer.Value) }
func showAssertionInstant(c *candidate) string { return moment(c.Assertion.IssueInstant) }
func showHorizon(c *candidate) string          { return moment(c.horizon()) }
func showNotBefore(c *candidate) string        { return moment(c.Assertion.Conditions.NotBefore) }
func showNotOnOrAfter(c *candidate) string     { return moment(c.Assertion.Conditions.NotOnOrAfter) }
func showAuthnInstant(c *candidate) string     { return moment(lastAuthn(c.Assertion)) }
func showSessionEnd(c *candidate) string       { return moment(sessionEnd(c.Assertion)) }
func showAuthnContext(c *candidate) string     { return some(contextClasses(c.Assertion)) }
func showAuthnStatement(c *candidate) string   { return fmt.Sprint(len(c.Assertion.Authn)) }

func showSignatures(c *candidate) string {
	var parts []string
	if c.ResponseSigned {
		parts = append(parts, "Response")
	}
	if c.AssertionSigned {
		parts = append(parts, "Assertion")
	}
	return "on the " + strings.Join(parts, " and the ")
}

func showEncryption(c *candidate) string {
	if c.Claims.Encrypted > 0 {
		return "an encrypted assertion"
	}
	return "an assertion in clear"
}

// showSubject says of what format the name is, not the name.
func showSubject(c *candidate) string {
	if c.Assertion.Identifier != wire.ByNameID {
		return "a Subject without NameID"
	}
	return "a NameID of format " + quoted(newNameID(c.Assertion.NameID).Format)
}

func showSubjectQualifier(c *candidate) string {
	return present(wire.Text{Value: c.Assertion.NameID.SPNameQualifier, Present: c.Assertion.NameID.SPNameQualifier != ""})
}

func showConfirmation(c *candidate) string {
	if c.confirmed == nil {
		return ""
	}
	return fmt.Sprintf("bearer, for %s, until %s, in response to %s", present(c.confirmed.Recipient), moment(c.confirmed.NotOnOrAfter), present(c.confirmed.InResponseTo))
}

func showAudience(c *candidate) string {
	var all []string
	for _, audiences := range c.Assertion.Conditions.Audiences {
		all = append(all, audiences...)
	}
	return some(all)
}

// showAttributes names attributes; their values are the user's.
func showAttributes(c *candidate) string {
	var names []string
	for _, a := range c.Assertion.Attributes {
		names = append(names, a.Name)
	}
	return some(names)
}
