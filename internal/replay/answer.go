package replay

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/logintrust/saml"
)

// A Verdict is how a case ends.
type Verdict string

// Verdicts.
const (
	// Accept: a login, a login trust, or a logout.
	Accept Verdict = "accept"
	// Reject: the library's refusal.
	Reject Verdict = "reject"
	// Error: the case could not be judged, because it is malformed or by a fault of ours.
	Error Verdict = "error"
	// Unsupported: a kind of case that is not known.
	Unsupported Verdict = "unsupported"
)

// BadMetadata is a reason beside those of the library: the identity provider's metadata cannot be imported.
const BadMetadata = "bad_metadata"

// Reasons for which a logout of ours is not complete, although the identity provider's answer is its own.
const (
	PartialLogout = "partial_logout"
	LogoutFailed  = "logout_failed"
)

// An Answer is what became of a case.
type Answer struct {
	Name    string  `json:"name"`
	Verdict Verdict `json:"verdict"`
	Reason  string  `json:"reason,omitempty"`
	*Login
	*Trust
	Steps  []Answer `json:"steps,omitempty"`
	Detail string   `json:"detail,omitempty"`
	Millis float64  `json:"millis"`
}

// Login is what an accepted login yields; of an accepted logout request it has the name.
type Login struct {
	NameID       string              `json:"nameID"`
	NameIDFormat string              `json:"nameIDFormat"`
	Attributes   map[string][]string `json:"attributes"`
	// Redirect is where the user goes; "" is the default page.
	Redirect string `json:"redirect"`
}

// Trust is what imported metadata yields.
type Trust struct {
	// SSOURL is the one for HTTP-Redirect.
	SSOURL     string   `json:"ssoURL"`
	CertSHA256 []string `json:"certSHA256"`
}

// defaultPath is where a login leads that nothing else sends elsewhere. An answer has "" for it.
const defaultPath = "/__default"

func newLogin(l *saml.Login) *Login {
	name := l.Subject().NameID
	out := &Login{NameID: name.Value, NameIDFormat: name.Format, Attributes: map[string][]string{}}
	for _, a := range l.Attributes() {
		out.Attributes[a.Name] = append(slices.Clip(out.Attributes[a.Name]), a.Values...)
	}
	for name, values := range out.Attributes {
		if values == nil {
			out.Attributes[name] = []string{} // an attribute without values is a list all the same
		}
	}
	if to := l.ReturnTo(); to != defaultPath {
		out.Redirect = to
	}
	return out
}

func newTrust(t saml.LoginTrust) *Trust {
	out := &Trust{SSOURL: t.LoginURL, CertSHA256: []string{}}
	for _, k := range t.Keys {
		if sum := k.CertificateSHA256(); sum != "" {
			out.CertSHA256 = append(out.CertSHA256, sum)
		}
	}
	return out
}

// A refusal is one that replay makes itself. Any other error but the library's own means that the case cannot be judged.
type refusal struct {
	reason string
	cause  error
}

func (r *refusal) Error() string { return r.cause.Error() }

// answerTo tells a refusal from a case that could not be judged.
func answerTo(err error) Answer {
	if refused, ok := errors.AsType[*saml.Error](err); ok {
		return Answer{Verdict: Reject, Reason: string(refused.Reason), Detail: err.Error()}
	}
	if refused, ok := errors.AsType[*refusal](err); ok {
		return Answer{Verdict: Reject, Reason: refused.reason, Detail: err.Error()}
	}
	return Answer{Verdict: Error, Detail: err.Error()}
}

// An Expectation is what a case says that its answer should be. What is nil is not compared.
type Expectation struct {
	Expect       *Verdict            `json:"expect"`
	NameID       *string             `json:"nameID"`
	NameIDFormat *string             `json:"nameIDFormat"`
	Attributes   map[string][]string `json:"attributes"`
	Redirect     *string             `json:"redirect"`
	SSOURL       *string             `json:"ssoURL"`
	CertSHA256   []string            `json:"certSHA256"`
}

// Differences holds the answer against what the case, a line of JSON, expects; none if all is as expected.
func (a Answer) Differences(line []byte) (differences []string) {
	var want Expectation
	if err := json.Unmarshal(line, &want); err != nil {
		return []string{fmt.Sprintf("what is expected cannot be read: %v", err)}
	}
	differ := func(field string, got, want any) {
		differences = append(differences, fmt.Sprintf("%s: got %v, want %v", field, got, want))
	}
	text := func(field, got string, want *string) {
		if want != nil && got != *want {
			differ(field, fmt.Sprintf("%q", got), fmt.Sprintf("%q", *want))
		}
	}
	if want.Expect != nil && a.Verdict != *want.Expect {
		differ("verdict", a.Verdict, *want.Expect)
	}
	if a.Verdict != Accept {
		return differences
	}
	if l := a.Login; l != nil {
		text("nameID", l.NameID, want.NameID)
		if want.NameIDFormat != nil && *want.NameIDFormat != "" { // none means unspecified: SAML Core 8.3.1
			text("nameIDFormat", l.NameIDFormat, want.NameIDFormat)
		}
		text("redirect", l.Redirect, want.Redirect)
		if want.Attributes != nil && !maps.EqualFunc(l.Attributes, want.Attributes, slices.Equal) {
			differ("attributes", l.Attributes, want.Attributes)
		}
	}
	if t := a.Trust; t != nil {
		text("ssoURL", t.SSOURL, want.SSOURL)
		if want.CertSHA256 != nil && !sameSet(t.CertSHA256, want.CertSHA256) {
			differ("certSHA256", t.CertSHA256, want.CertSHA256)
		}
	}
	return differences
}

// sameSet compares without regard to order: a trust's keys have none.
func sameSet(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}
