package saml

import (
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/logintrust/saml/internal/advice"
)

// An Outcome says how a check of a Report ended.
type Outcome int

// Outcomes of a check.
const (
	// NotReached: the check was not made, since something that it needs was missing.
	NotReached Outcome = iota
	// Passed: the check holds.
	Passed
	// Failed: the check refuses the login.
	Failed
)

var outcomes = wordList{"not reached", "passed", "failed"}

// String gives the word that MarshalText writes.
func (o Outcome) String() string { return outcomes.word(int(o)) }

// MarshalText writes "not reached", "passed" or "failed".
func (o Outcome) MarshalText() ([]byte, error) { return outcomes.marshal("outcome", int(o)) }

// UnmarshalText reads what MarshalText writes.
func (o *Outcome) UnmarshalText(text []byte) error {
	i, err := outcomes.unmarshal("outcome", text)
	if err == nil {
		*o = Outcome(i)
	}
	return err
}

// A Check is one demand on a login, and how the login met it.
type Check struct {
	// Name says what was checked, in a few words that do not change.
	Name string `json:"name"`
	// Spec is the section of the specification that asks for it, "" if it is our own rule.
	Spec    string  `json:"spec,omitempty"`
	Outcome Outcome `json:"outcome"`
	// Reason is why the check refuses, if it failed.
	Reason Reason `json:"reason,omitempty"`
	// Found and Wanted say what the message had and, if it failed, what would have been accepted; at most 64 characters of any
	// foreign value, quoted.
	Found  string `json:"found,omitempty"`
	Wanted string `json:"wanted,omitempty"`
	// Note is what a person would notice, such as that two names differ only by a slash.
	Note string `json:"note,omitempty"`
	// Actor is who can mend it, and Remedy what to do, in the words of the identity provider's product if it is known.
	Actor  string `json:"actor,omitempty"`
	Remedy string `json:"remedy,omitempty"`
}

// A Report says how a login met each check: Explain, Error.Report and TestResult make one. It is plain data with a stable
// JSON form, and proves nothing: no login can be made of it. It holds no NameID, attribute value, assertion, cookie or key,
// unless Personal was asked for.
type Report struct {
	// Time is the clock that the login was judged by.
	Time time.Time `json:"time"`
	// Accepted says that every check passed.
	Accepted bool `json:"accepted"`
	// Reason is why the login is refused: that of the first check that failed.
	Reason Reason `json:"reason,omitempty"`
	// Issuer is whom the message says that it is from, and Domain the login trust that it was judged by; "" if there is none.
	Issuer string `json:"issuer,omitempty"`
	Domain string `json:"domain,omitempty"`
	// Product is the identity provider's product as its messages show it, such as "Entra ID"; "" if it is not recognised.
	Product string `json:"product,omitempty"`
	// MessageID and InResponseTo are those of the Response, which nobody need have signed.
	MessageID    string `json:"messageID,omitempty"`
	InResponseTo string `json:"inResponseTo,omitempty"`
	// Checks are all checks, in the order in which a login meets them. A login ends at the first that fails; a report goes on
	// where that makes sense.
	Checks []Check `json:"checks"`
	// Unproven says that no key on file vouches for the message: what stands behind the signature in Checks is then what the
	// message says, which may be anything.
	Unproven bool `json:"unproven,omitempty"`
	// User is what becomes of the local user; nil if that was not reached, or there is no Config.Users.
	User *UserPreview `json:"user,omitempty"`
	// Attributes are the names of the attributes that a key on file vouches for, in order; the first 200.
	Attributes []string `json:"attributes,omitempty"`
	// Personal is what the message says of its subject, as a key on file vouches for it, if ExplainOptions.Personal asked
	// for it; nil if it says nothing. slog never shows it.
	Personal *PersonalData `json:"personal,omitempty"`
}

// A UserPreview is what a login does with its local user.
type UserPreview struct {
	// Action is "finds", "creates", "reactivates", or "asks for the password of".
	Action string `json:"action"`
	// By is how the user is found: "translation", "account key", "user name" or "e-mail address"; "" for one who is created.
	By string `json:"by,omitempty"`
	// ID is the application's own, "" for a user who is created.
	ID string `json:"id,omitempty"`
	// Roles are those that the user has, or is created with.
	Roles []string `json:"roles,omitempty"`
	// Department is that of a user who is created.
	Department string `json:"department,omitempty"`
}

// PersonalData is what a message says of its subject.
type PersonalData struct {
	NameID     NameID              `json:"nameID,omitzero"`
	Attributes []PersonalAttribute `json:"attributes,omitempty"`
	// StatusMessage is the identity provider's own text where it refused; it often names the user. Nobody need have signed it.
	StatusMessage string `json:"statusMessage,omitempty"`
	// TooMuch says that all of this was left out of the report of a test login, since it is more than a StateStore keeps.
	TooMuch bool `json:"tooMuch,omitempty"`
}

// A PersonalAttribute is one attribute with its values.
type PersonalAttribute struct {
	Name   string   `json:"name"`
	Values []string `json:"values"`
}

// Failures are the checks that failed, in order.
func (r *Report) Failures() (failed []Check) {
	for _, c := range r.Checks {
		if c.Outcome == Failed {
			failed = append(failed, c)
		}
	}
	return failed
}

// failedCheck is the check that a refusal is about.
func failedCheck(name string, e *Error) Check {
	found, wanted := e.gotAndWanted()
	return Check{Name: name, Spec: e.Spec, Outcome: Failed, Reason: e.Reason, Found: found, Wanted: wanted}
}

// advise says of each check that failed who can mend it, in the words of the product.
func (r *Report) advise() {
	for i := range r.Checks {
		if c := &r.Checks[i]; c.Outcome == Failed {
			a := advice.For(string(c.Reason), r.Product)
			c.Actor, c.Remedy = a.Actor, a.Remedy
		}
	}
}

// String is the report as text for a terminal or a support ticket: what failed first, with its remedy, then every check.
func (r *Report) String() string {
	var b strings.Builder
	verdict := "REFUSED: " + string(r.Reason)
	switch {
	case r.Accepted:
		verdict = "ACCEPTED"
	case r.Reason == NoAnswer: // of a test login
		verdict = "WAITING for the identity provider's answer"
	}
	fmt.Fprintf(&b, "%s\n", verdict)
	for _, line := range []struct{ name, value string }{{"time", stamp(r.Time)}, {"issuer", quotedOrNot(r.Issuer)}, {"trust", quotedOrNot(r.Domain)},
		{"product", r.Product}, {"message", quotedOrNot(r.MessageID)}, {"in response to", quotedOrNot(r.InResponseTo)}} {
		if line.value != "" {
			fmt.Fprintf(&b, "  %-15s %s\n", line.name, line.value)
		}
	}
	for i, c := range r.Failures() {
		if i == 0 {
			b.WriteString("\nWhat to do\n")
		}
		c.writeRemedy(&b)
	}
	b.WriteString("\nChecks\n")
	if r.Unproven {
		b.WriteString("  (no key on file vouches for the message: behind the signature stands what it says of itself)\n")
	}
	for _, c := range r.Checks {
		c.writeLine(&b)
	}
	r.writeUser(&b)
	return b.String()
}

func quotedOrNot(s string) string {
	if s == "" {
		return ""
	}
	return quoted(s)
}

func (c *Check) writeRemedy(b *strings.Builder) {
	fmt.Fprintf(b, "  %s (%s)\n", c.Name, string(c.Reason))
	for _, line := range []struct{ name, value string }{{"found", c.Found}, {"wanted", c.Wanted}, {"note", c.Note}, {"who", c.Actor}, {"do", c.Remedy}} {
		if line.value != "" {
			fmt.Fprintf(b, "    %-7s %s\n", line.name, line.value)
		}
	}
}

func (c *Check) writeLine(b *strings.Builder) {
	mark := map[Outcome]string{Passed: "ok", Failed: "FAILED", NotReached: "-"}[c.Outcome]
	line := fmt.Sprintf("  %-7s %-24s %s", mark, c.Name, c.Found)
	if c.Outcome == Failed && c.Spec != "" {
		line += " (" + c.Spec + ")"
	}
	b.WriteString(strings.TrimRight(line, " ") + "\n")
}

func (r *Report) writeUser(b *strings.Builder) {
	if u := r.User; u != nil {
		fmt.Fprintf(b, "\nUser\n  the login %s", u.Action)
		if u.ID != "" {
			fmt.Fprintf(b, " the user with ID %s", quoted(u.ID))
		} else {
			b.WriteString(" a user")
		}
		if u.By != "" {
			fmt.Fprintf(b, ", found by %s", u.By)
		}
		fmt.Fprintf(b, "; roles: %s\n", some(u.Roles))
	}
	if p := r.Personal; p != nil {
		b.WriteString("\nPersonal data\n")
		if p.TooMuch {
			b.WriteString("  left out: more than is kept\n")
		}
		if p.NameID.Value != "" {
			fmt.Fprintf(b, "  NameID %q (%q)\n", p.NameID.Value, p.NameID.Format)
		}
		for _, a := range p.Attributes {
			fmt.Fprintf(b, "  %q: %q\n", a.Name, a.Values)
		}
		if p.StatusMessage != "" {
			fmt.Fprintf(b, "  status message %q\n", p.StatusMessage)
		}
	}
}

// LogValue is the report for slog: what failed, who can mend it and how, without personal data. The checks that failed are in
// the group checks, each by its name. What has no value is left out.
func (r Report) LogValue() slog.Value {
	attrs := append([]slog.Attr{slog.Bool("accepted", r.Accepted)}, nonEmpty("reason", string(r.Reason), "issuer", unquoted(r.Issuer),
		"domain", unquoted(r.Domain), "product", r.Product, "messageID", unquoted(r.MessageID))...)
	var checks []slog.Attr
	for _, c := range r.Failures() {
		checks = append(checks, slog.Attr{Key: c.Name, Value: c.logValue()})
	}
	if len(checks) > 0 {
		attrs = append(attrs, slog.Attr{Key: "checks", Value: slog.GroupValue(checks...)})
	}
	return slog.GroupValue(attrs...)
}

func (c *Check) logValue() slog.Value {
	return slog.GroupValue(nonEmpty("reason", string(c.Reason), "found", c.Found, "wanted", c.Wanted, "note", c.Note, "actor", c.Actor, "remedy", c.Remedy)...)
}

// nonEmpty makes attributes of pairs of name and value, without those that have no value.
func nonEmpty(pairs ...string) (attrs []slog.Attr) {
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			attrs = append(attrs, slog.String(pairs[i], pairs[i+1]))
		}
	}
	return attrs
}
