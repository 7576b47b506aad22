package saml

import (
	"context"
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/logintrust/saml/internal/advice"
	"github.com/logintrust/saml/internal/wire"
)

// What a person would notice about a refused message. A diagnosis is for the eyes of an administrator: it may lean on what
// nobody signed, and decides nothing.

// note is what is worth saying about a check that failed, "" if there is nothing.
func (e *explanation) note(ctx context.Context, reason Reason) string {
	switch reason {
	case BadRequest:
		if e.posted.Artifact != "" {
			return "an artifact is not resolved here, since it can be only once: look at a login that it was to make"
		}
	case UnknownDomain:
		return e.nearDomain(ctx)
	case BadSignature, NoKeyOnFile, WeakKey:
		return e.sender.note
	case WrongDestination:
		return advice.Difference(e.c.Claims.Destination.Value, e.c.acsURL)
	case WrongRecipient:
		return e.nearRecipient()
	case WrongAudience:
		return e.nearAudience()
	case WrongIssuer:
		return e.nearIssuer()
	case NotYetValid, AuthnInFuture:
		return e.clockAhead(ctx)
	case Expired:
		return e.tooOld(ctx)
	case UnknownRequest:
		return e.strangeRequest()
	case IdPRefused, NoPassive:
		return advice.Status(e.c.Claims.StatusCode, e.c.Claims.StatusSub, e.c.Claims.StatusMessage)
	case NoAssertion:
		return "the status says Success all the same"
	case MissingAttribute:
		return e.nearAttributes()
	}
	return ""
}

// nearAttributes looks for attributes of the message that are nearly those which are missing, and lists what it has.
func (e *explanation) nearAttributes() string {
	if e.c == nil || e.c.Assertion == nil {
		return ""
	}
	var near, names []string
	for _, a := range e.c.Assertion.Attributes {
		names = append(names, a.Name)
		for _, name := range e.missing {
			if d := advice.Difference(a.Name, name); d != "" && len(near) < maxMissing {
				near = append(near, fmt.Sprintf("the message has %s, and the login trust wants %s: %s; ", quoted(a.Name), quoted(name), d))
			}
		}
	}
	return strings.Join(near, "") + "the message has these attributes: " + listed(names, maxListed)
}

const maxListed = 12 // names that a note lists

// nearDomain looks for a trust whose Domain is nearly the issuer.
func (e *explanation) nearDomain(ctx context.Context) string {
	if e.tested != nil {
		return advice.Difference(e.issuer, e.tested.Domain)
	}
	for _, near := range advice.Near(e.issuer) {
		if t, found, err := e.sp.config.Trusts.FindTrust(ctx, near); err == nil && found && t.Domain == near {
			return advice.Difference(e.issuer, near) + ": there is a login trust for " + quoted(near)
		}
	}
	return ""
}

func (e *explanation) nearRecipient() string {
	for _, sc := range e.c.Assertion.Confirmations {
		if sc.Method == wire.MethodBearer && sc.Recipient.Present {
			return advice.Difference(sc.Recipient.Value, e.c.acsURL)
		}
	}
	return ""
}

func (e *explanation) nearAudience() string {
	for _, audiences := range e.c.Assertion.Conditions.Audiences {
		for _, audience := range audiences {
			if d := advice.Difference(audience, e.c.entityID); d != "" {
				return d
			}
			if audience == e.c.acsURL {
				return "the audience is the URL of the assertion consumer service, not the entity ID"
			}
		}
	}
	return ""
}

func (e *explanation) nearIssuer() string {
	if e.c == nil {
		return ""
	}
	claimed := e.c.Claims.Issuer.Value
	if e.c.Assertion != nil && e.c.Assertion.Issuer.Value != e.c.issuer {
		claimed = e.c.Assertion.Issuer.Value
	}
	return advice.Difference(claimed, e.c.issuer)
}

// clockAhead: what was just made lies in the future only if the clocks differ.
func (e *explanation) clockAhead(context.Context) string {
	ahead := e.response.Claims.IssueInstant.Sub(e.now)
	if ahead <= e.sp.config.ClockSkew {
		return "the message was made by now, clocks considered, so it is a validity that is still to begin, not a clock"
	}
	return fmt.Sprintf("the identity provider's clock is %s ahead of ours, or ours behind%s", about(ahead), wholeHours(ahead))
}

// tooOld tells a clock that is behind from a message that is old.
func (e *explanation) tooOld(ctx context.Context) string {
	made := e.response.Claims.IssueInstant
	age := e.now.Sub(made)
	if p := e.asker(ctx); p != nil && made.Before(p.issued.Add(-time.Second)) {
		behind := p.issued.Sub(made)
		return fmt.Sprintf("the answer is dated %s before its request, so the identity provider's clock is at least that far behind ours%s",
			about(behind), wholeHours(behind))
	}
	if e.endedBefore(made) {
		return "what it says had ended when the message was made, so it is the validity that is set wrong there, not a clock"
	}
	if age < staleAfter {
		return fmt.Sprintf("the message was made %s ago by its own clock: it was on its way for long, or the identity provider's clock is behind ours", about(age))
	}
	return fmt.Sprintf("the message was made %s ago by its own clock: most likely an old page was sent again, from the history, a restored tab or a bookmark%s",
		about(age), wholeHours(age))
}

// endedBefore reports whether the assertion was never valid at a time when the message was there.
func (e *explanation) endedBefore(made time.Time) bool {
	if e.c == nil || e.c.Assertion == nil {
		return false
	}
	a := e.c.Assertion
	end := a.Conditions.NotOnOrAfter
	for _, sc := range a.Confirmations {
		if sc.Method == wire.MethodBearer && !sc.NotOnOrAfter.IsZero() && (end.IsZero() || sc.NotOnOrAfter.Before(end)) {
			end = sc.NotOnOrAfter
		}
	}
	return !end.IsZero() && !made.Before(end)
}

// staleAfter is the age from which on a message is called old: clocks of servers that are set at all differ by less.
const staleAfter = time.Hour

// asker is the request that the message claims to answer, while it waits.
func (e *explanation) asker(ctx context.Context) *pending {
	id := e.response.Claims.InResponseTo
	if !id.Present || e.trust == nil {
		return nil
	}
	p, err := e.findPending(ctx, id.Value)
	if err != nil {
		return nil
	}
	return p
}

func about(d time.Duration) string {
	if d < 0 {
		d = -d
	}
	switch {
	case d < 2*time.Minute:
		return fmt.Sprintf("%d seconds", int(d.Seconds()))
	case d < 2*time.Hour:
		return fmt.Sprintf("%d minutes", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d hours", int(d.Hours()))
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}

// wholeHours notices local time that was written as UTC.
func wholeHours(d time.Duration) string {
	const slack, day = 2 * time.Minute, 15 * time.Hour
	off := d - d.Round(30*time.Minute)
	if d < 30*time.Minute-slack || d > day || off < -slack || off > slack {
		return ""
	}
	return "; the difference is close to whole or half hours, as when local time is written as UTC"
}

// strangeRequest: an ID that we cannot have made was made up, as test buttons do.
func (e *explanation) strangeRequest() string {
	switch id := e.c.confirmed.InResponseTo.Value; {
	case isTestID(id):
		return "this is the answer to a test login, which makes no login: it ends in the report of the test, in the browser that began it"
	case !isOwnRequestID(id):
		return "this is no request ID of ours: the identity provider made it up, as the test buttons of some products do; start from the application instead"
	}
	return "requests wait for an hour; after that, or where the processes of the application do not share one state store, an answer finds none"
}

// isOwnRequestID reports whether an ID has the form of those that newID makes.
func isOwnRequestID(id string) bool {
	hex, ok := strings.CutPrefix(id, "_")
	return ok && len(hex) == 2*requestIDBytes && strings.Trim(hex, "0123456789abcdef") == ""
}

// A sender is what the key inside a message says of who made it, where no key on file does.
type sender struct {
	note   string
	opened *candidate // what that key signed; nil if it did not
}

// trySender verifies the message with the keys that it brings along, beside those on file, in memory of its own. If one makes
// it fit, then the message is whole and its maker has a key that is not on file.
func (sp *ServiceProvider) trySender(response *wire.Response, posted Posted, trust *LoginTrust) sender {
	var brought []PublicKey
	for _, k := range response.SenderKeys() {
		keys, _ := keysFromMetadata(k)
		brought = append(brought, keys...)
	}
	strange := slices.DeleteFunc(slices.Clone(brought), trust.hasKey)
	switch inside := response.Claims.Encrypted > 0; {
	case inside && len(strange) == 0:
		return sender{note: "the signature that does not verify, or the key that it names, is inside of what is encrypted"}
	case len(brought) == 0:
		return sender{note: "the message does not say with which key it was signed"}
	}
	w := &workspace{reader: sp.readers.New().(*workspace).reader}
	again, refused := sp.readPosted(w, &posted)
	if refused != nil {
		return sender{}
	}
	pinned := appendPinned(nil, trust.Keys)
	for _, k := range strange {
		opened, err := again.Open(append(pinned[:len(pinned):len(pinned)], k.key), sp.policy(trust), nil)
		switch {
		case err == nil:
			c := &candidate{Opened: opened, trust: trust, entityID: sp.config.EntityID, acsURL: sp.config.ACSURL, rules: sp.rules}
			return sender{opened: c, note: "the message is whole, but signed with a key that is not on file: " + keyInWords(k) +
				". Either the identity provider has changed its key, or somebody else made the message: compare the SHA-256 with the identity provider's administrator before you add it"}
		case reasonOf(err).Reason != BadSignature: // it may have been this key, which was not tried, being too short
			return sender{}
		}
	}
	if i := slices.IndexFunc(brought, trust.hasKey); i >= 0 {
		return sender{note: "the message names a key that is on file, " + keyInWords(brought[i]) + ", but that key did not sign it as it is now: it was changed on its way, or forged"}
	}
	return sender{note: "not even the key that the message brings along fits, " + keyInWords(brought[0]) + ": it was changed on its way, or forged"}
}

func (t *LoginTrust) hasKey(k PublicKey) bool {
	return slices.ContainsFunc(t.Keys, k.Equal)
}

func keyInWords(k PublicKey) string {
	text := "SHA-256 " + k.SHA256()
	if cert, err := x509.ParseCertificate(k.certificate); err == nil {
		text += fmt.Sprintf(" (certificate for %s, from %s)", quoted(cert.Subject.CommonName), stamp(cert.NotBefore))
	}
	return text
}
