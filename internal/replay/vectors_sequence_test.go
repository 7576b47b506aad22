package replay_test

import (
	"strings"
	"time"

	"github.com/logintrust/saml"
	"github.com/logintrust/saml/internal/replay"
	"github.com/logintrust/saml/samltest"
)

func (w *world) sequenceVectors() []*vector {
	sequence := func(name, description, ref string, reason saml.Reason, edit func(v *vector)) *vector {
		w.t.Helper()
		v := w.login("sequence-"+name, "replay", description, "", []string{ref}, func(v *vector, _ *samltest.Answer) { edit(v) })
		v.Kind, v.RequestID, v.Reason = "sequence", "", string(reason)
		if reason != "" {
			v.NameID, v.NameIDFormat, v.Attributes = nil, nil, nil
		}
		return v
	}
	post := func(a *samltest.Answer, request string, later time.Duration, expect replay.Verdict) step {
		return step{SAMLResponse: a.Encode(), Now: clock(later), RequestID: request, Expect: expect}
	}
	// good is an answer with the time of its delivery.
	good := func(request, suffix string, when time.Duration) *samltest.Answer {
		idp := newIdP(w.t, "idp-rsa2048")
		idp.Now = func() time.Time { return now.Add(when) }
		return fixed(idp.Answer(samltest.Request{ID: request, SPEntityID: spEntityID, ACSURL: acsURL}), suffix)
	}
	return []*vector{
		sequence("replay", "The same response twice.", "SAML Profiles 4.1.4.5", saml.Replayed, func(v *vector) {
			a := good("_r", "", 0)
			v.Sequence = []step{post(a, "_r", 0, replay.Accept), post(a, "_r", time.Second, replay.Reject)}
		}),
		sequence("replay-later", "The same response again, when its request is forgotten.", "SAML Profiles 4.1.4.5", saml.UnknownRequest, func(v *vector) {
			a := good("_r", "", 0)
			v.Sequence = []step{post(a, "_r", 0, replay.Accept), post(a, "_r", 2*time.Minute, replay.Reject)}
		}),
		sequence("replay-unsolicited", "The same unsolicited response twice, until it expires.", "SAML Profiles 4.1.4.5", saml.Expired, func(v *vector) {
			v.SP.AllowIdPInitiated = true
			a := good("", "", 0)
			v.Sequence = []step{post(a, "", 0, replay.Accept), post(a, "", 8*time.Minute-time.Second, replay.Reject), post(a, "", 8*time.Minute, replay.Reject)}
		}),
		sequence("replay-in-new-response", "The same assertion in another Response.", "SAML Profiles 4.1.4.5", saml.Replayed, func(v *vector) {
			v.SP.AllowIdPInitiated = true
			a, b := good("", "", 0), good("", "", 0)
			b.ID = "_new"
			v.Sequence = []step{post(a, "", 0, replay.Accept), post(b, "", time.Minute, replay.Reject)}
		}),
		sequence("second-answer", "Two assertions in answer to one request.", "SAML Profiles 4.1.4.5", saml.Replayed, func(v *vector) {
			v.Sequence = []step{post(good("_r", "1", 0), "_r", 0, replay.Accept), post(good("_r", "2", 0), "_r", time.Second, replay.Reject)}
		}),
		sequence("two-logins", "Two logins in two tabs, answered the other way round.", "SAML Core 3.2.2", "", func(v *vector) {
			v.Sequence = []step{post(good("_never", "0", 0), "_a", 0, replay.Reject), post(good("_b", "1", 0), "_b", 0, replay.Accept),
				post(good("_a", "2", 0), "_a", time.Second, replay.Accept)}
		}),
		sequence("refused-then-good", "A refused answer does not use up its request.", "DESIGN.md section 2, number 6", "", func(v *vector) {
			bad := good("_r", "1", 0)
			bad.Assertion().Conditions.Audiences = [][]string{{other}}
			v.Sequence = []step{post(bad, "_r", 0, replay.Reject), post(good("_r", "2", 0), "_r", time.Second, replay.Accept)}
		}),
		sequence("failure-unsigned", "An unsigned failure uses up nothing.", "DESIGN.md section 9, number 5", "", func(v *vector) {
			v.Sequence = []step{post(w.failure("_r", samltest.SignNothing), "_r", 0, replay.Reject), post(good("_r", "", 0), "_r", time.Second, replay.Accept)}
		}),
		sequence("failure-signed", "A signed failure uses up the request.", "DESIGN.md section 9, number 5", saml.UnknownRequest, func(v *vector) {
			v.Sequence = []step{post(w.failure("_r", samltest.SignResponse), "_r", 0, replay.Reject), post(good("_r", "", 0), "_r", time.Second, replay.Reject)}
		}),
		sequence("slow-user", "A user who takes 59 minutes to sign in.", "DESIGN.md section 9, number 4", "", func(v *vector) {
			v.Sequence = []step{post(good("_never", "1", 0), "_r", 0, replay.Reject), post(good("_r", "2", 59*time.Minute), "_r", 59*time.Minute, replay.Accept)}
		}),
		sequence("too-slow-user", "A user who takes longer than an hour to sign in.", "DESIGN.md section 9, number 4", saml.UnknownRequest, func(v *vector) {
			v.Sequence = []step{post(good("_never", "1", 0), "_r", 0, replay.Reject), post(good("_r", "2", time.Hour), "_r", time.Hour, replay.Reject)}
		}),
	}
}

// failure is an answer without a login.
func (w *world) failure(request string, signed samltest.Parts) *samltest.Answer {
	a := w.idp.Refuse(samltest.Request{ID: request, SPEntityID: spEntityID, ACSURL: acsURL}, samltest.Status{Code: samltest.Responder})
	a.ID, a.Sign = "_failure", signed
	return a
}

func (w *world) relayStateVectors() []*vector {
	relay := func(name, relayState, redirect, description string, edit change) *vector {
		w.t.Helper()
		return w.login("relay-"+name, "relay-state", description, "", []string{"CWE-601", "DESIGN.md section 2, number 10"}, func(v *vector, a *samltest.Answer) {
			v.Kind, v.RelayState, v.Redirect, v.SP.AllowIdPInitiated = "relay-state", relayState, &redirect, true
			v.SP.RelayStateAllowedHosts = []string{"docs.example.com"}
			unsolicited(v, a)
			if edit != nil {
				edit(v, a)
			}
		})
	}
	asked := func(v *vector, a *samltest.Answer) { // undoes unsolicited
		v.RequestID, a.InResponseTo, a.Assertion().Subject.Confirmations[0].InResponseTo = requestID, requestID, requestID
	}
	list := []*vector{
		relay("none", "", "", "No relay state.", nil),
		relay("path", "/inbox?x=1#y", "/inbox?x=1#y", "A path of ours.", nil),
		relay("own-url", "https://sp.example.com/inbox?x=1", "/inbox?x=1", "A URL of our origin, of which the path counts.", nil),
		relay("own-url-with-port", "https://sp.example.com:443/inbox", "/inbox", "A URL of our origin with the default port.", nil),
		relay("allowed-host", "https://docs.example.com/page?x=1", "https://docs.example.com/page?x=1", "A URL of a host that is allowed.", nil),
		relay("allowed-host-http", "http://docs.example.com/page", "", "A host that is allowed, without https.", nil),
		relay("allowed-host-port", "https://docs.example.com:8443/page", "", "A host that is allowed, at a port that is not.", nil),
		relay("opaque", "3f0c9a2e", "", "An opaque value.", nil),
		relay("solicited-path", "/inbox", "/inbox", "A path of ours beside the answer to a request.", asked),
		relay("solicited-foreign", "https://evil.example.net/", "", "Another host beside the answer to a request.", asked),
	}
	hostile := []struct{ name, relayState string }{
		{"foreign", "https://evil.example.net/"},
		{"two-slashes", "//evil.example.net/"},
		{"backslash", `/\evil.example.net/`},
		{"backslashes", `\\evil.example.net/`},
		{"encoded-slash", "/%2fevil.example.net/"},
		{"javascript", "javascript:alert(document.cookie)"},
		{"data", "data:text/html,<script>alert(1)</script>"},
		{"suffix", "https://sp.example.com.evil.example.net/"},
		{"user", "https://sp.example.com@evil.example.net/"},
		{"allowed-suffix", "https://evil-docs.example.com/"},
		{"control", "/inbox\r\nSet-Cookie: a=b"},
		{"tab", "/\t/evil.example.net/"},
		{"no-slashes", "https:evil.example.net"},
		{"three-slashes", "https:///evil.example.net/"},
		{"other-port", "https://sp.example.com:8443/"},
		{"markup", `"><script>alert(1)</script>`},
		{"long", "/" + strings.Repeat("a", 3000)},
	}
	for _, h := range hostile {
		list = append(list, relay("hostile-"+h.name, h.relayState, "", "A hostile relay state leads to the default page.", nil))
	}
	return list
}
