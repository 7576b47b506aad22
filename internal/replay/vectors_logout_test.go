package replay_test

import (
	"strings"
	"time"

	"github.com/beevik/etree"

	"github.com/logintrust/saml"
	"github.com/logintrust/saml/internal/replay"
	"github.com/logintrust/saml/samltest"
)

const sloURL = "https://sp.example.com/sso/logout"

// aliceThere is what a host has kept of alice's login.
var aliceThere = saml.LoginSession{NameID: saml.NameID{Value: "alice", Format: samltest.FormatPersistent}, SessionIndexes: []string{"_session"}}

type logoutChange = func(v *vector, m *samltest.LogoutMessage)

// logout is a case of one message of single logout, by either binding. change edits the case and the message before that is
// written.
func (w *world) logout(name, kind, description, reason, ref string, change logoutChange) *vector {
	w.t.Helper()
	v := &vector{Name: name, Class: "logout", Description: description, Refs: []string{ref}, Kind: kind, Now: clock(0),
		SP: sp{EntityID: spEntityID, ACSURL: acsURL, SLOURL: sloURL}, IdPEntityID: idpEntityID, IdPMetadata: w.metadata(), Expect: replay.Reject, Reason: reason}
	var m *samltest.LogoutMessage
	if isRequest := strings.Contains(kind, "request"); isRequest {
		m = w.idp.LogoutRequest(aliceThere, sloURL)
		if reason == "" {
			v.NameID, v.NameIDFormat = new("alice"), new(samltest.FormatPersistent)
		}
	} else {
		v.RequestID = requestID
		m = w.idp.LogoutResponse(samltest.ReceivedLogout{ID: requestID}, sloURL)
	}
	m.ID = "_logout"
	if reason == "" {
		v.Expect = replay.Accept
	}
	if change != nil {
		change(v, m)
	}
	switch {
	case strings.HasSuffix(kind, "redirect"):
		v.Query = new(m.RawQuery())
	case strings.Contains(kind, "request"):
		v.SAMLRequest, v.RelayState = new(m.Form().Get("SAMLRequest")), m.RelayState
	default:
		v.SAMLResponse, v.RelayState = new(m.Form().Get("SAMLResponse")), m.RelayState
	}
	return v
}

// both makes a case for each binding.
func (w *world) bothLogouts(name, what, description string, reason any, ref string, change logoutChange) (list []*vector) {
	w.t.Helper()
	text := ""
	switch r := reason.(type) {
	case saml.Reason:
		text = string(r)
	case string:
		text = r
	}
	for _, binding := range []string{"redirect", "post"} {
		list = append(list, w.logout("logout-"+what+"-"+binding+"-"+name, "logout-"+what+"-"+binding, description, text, ref, change))
	}
	return list
}

func (w *world) logoutVectors() (list []*vector) {
	add := func(vectors ...*vector) { list = append(list, vectors...) }
	request := func(name, description string, reason saml.Reason, ref string, change logoutChange) {
		add(w.bothLogouts(name, "request", description, reason, ref, change)...)
	}
	response := func(name, description string, reason any, ref string, change logoutChange) {
		add(w.bothLogouts(name, "response", description, reason, ref, change)...)
	}
	const none = saml.Reason("")
	request("good", "A logout request.", none, "SAML Profiles 4.4", nil)
	request("no-session-index", "All sessions of the user.", none, "SAML Core 3.7.3.1", func(_ *vector, m *samltest.LogoutMessage) { m.SessionIndexes = nil })
	request("no-end", "A request without NotOnOrAfter.", none, "SAML Core 3.7.1", func(_ *vector, m *samltest.LogoutMessage) { m.NotOnOrAfter = "" })
	request("last-moment", "A request at the last moment.", none, "SAML Core 3.7.1", func(_ *vector, m *samltest.LogoutMessage) {
		m.IssueInstant, m.NotOnOrAfter = at(-10*time.Minute), at(-3*time.Minute+time.Second)
	})
	request("relay-state", "A relay state with odd characters.", none, "SAML Bindings 3.4.3", func(_ *vector, m *samltest.LogoutMessage) { m.RelayState = "r a&b=c%/é" })
	request("unsigned", "A request that nobody signed.", saml.Unsigned, "SAML Core 3.7.3.1", func(_ *vector, m *samltest.LogoutMessage) { m.Unsigned = true })
	request("attackers-key", "A request signed by somebody else.", saml.BadSignature, "SAML Core 3.7.3.1", func(_ *vector, m *samltest.LogoutMessage) { m.Seal = w.mallory })
	request("sha1", "A request signed with SHA-1.", saml.WeakAlgorithm, "SHAttered", func(_ *vector, m *samltest.LogoutMessage) {
		m.Seal.Method, m.Seal.Digest = samltest.RSASHA1, samltest.SHA1
	})
	request("sha1-allowed", "A request signed with SHA-1, where that is allowed.", none, "SAML Bindings 3.4.4.1", func(v *vector, m *samltest.LogoutMessage) {
		v.SP.Allow = []string{"AllowSHA1"}
		m.Seal.Method, m.Seal.Digest = samltest.RSASHA1, samltest.SHA1
	})
	request("unknown-issuer", "A request of an unknown identity provider.", saml.UnknownDomain, "SAML Core 3.7.3.1", func(_ *vector, m *samltest.LogoutMessage) { m.Issuer.Value = other })
	request("no-issuer", "A request of nobody.", saml.WrongIssuer, "SAML Profiles 4.4.4.1", func(_ *vector, m *samltest.LogoutMessage) { m.Issuer = nil })
	request("destination", "A request for another service provider.", saml.WrongDestination, "SAML Bindings 3.4.5.2", func(_ *vector, m *samltest.LogoutMessage) { m.Destination = other })
	request("no-destination", "A signed request without Destination.", saml.WrongDestination, "SAML Bindings 3.4.5.2", func(_ *vector, m *samltest.LogoutMessage) { m.Destination = "" })
	request("version", "A request of SAML 1.1.", saml.WrongVersion, "SAML Core 3.2.1", func(_ *vector, m *samltest.LogoutMessage) { m.Version = "1.1" })
	request("future", "A request of the future.", saml.NotYetValid, "SAML Core 1.3.3", func(_ *vector, m *samltest.LogoutMessage) {
		m.IssueInstant, m.NotOnOrAfter = at(3*time.Minute+time.Second), at(time.Hour)
	})
	request("expired", "A request that has expired.", saml.Expired, "SAML Core 3.7.1", func(_ *vector, m *samltest.LogoutMessage) {
		m.IssueInstant, m.NotOnOrAfter = at(-10*time.Minute), at(-3*time.Minute)
	})
	request("no-name", "A request about nobody.", saml.NoSubject, "SAML Core 3.7.1", func(_ *vector, m *samltest.LogoutMessage) { m.NameID = nil })
	request("encrypted-name", "A request with an EncryptedID that cannot be opened.", saml.NoSubject, "SAML Core 3.7.1", func(_ *vector, m *samltest.LogoutMessage) {
		m.NameID, m.Identifier = nil, []string{`<saml:EncryptedID xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"/>`}
	})
	request("an-answer", "An answer in the place of a request.", saml.BadResponse, "SAML Bindings 3.4.4", func(_ *vector, m *samltest.LogoutMessage) {
		m.BeforeSign = func(e *etree.Element) { e.Tag = "LogoutResponse" }
	})
	request("doctype", "A request with a DTD.", saml.BadResponse, "OWASP", func(_ *vector, m *samltest.LogoutMessage) {
		m.Bytes = func(xml []byte) []byte { return append([]byte("<!DOCTYPE a>"), xml...) }
	})

	redirect := func(name, description string, reason saml.Reason, ref string, change logoutChange) {
		add(w.logout("logout-redirect-"+name, "logout-request-redirect", description, string(reason), ref, change))
	}
	query := func(edit func(q string) string) logoutChange {
		return func(_ *vector, m *samltest.LogoutMessage) { m.Query = edit }
	}
	redirect("small-hex", "Percent-encoding in small letters, signed as sent, as ADFS and Entra ID do.", none, "SAML Bindings 3.4.4.1", func(_ *vector, m *samltest.LogoutMessage) {
		m.LowerHex, m.RelayState = true, "a/b c"
	})
	redirect("re-encoded", "Percent-encoding changed on the way.", saml.BadSignature, "SAML Bindings 3.4.4.1", func(_ *vector, m *samltest.LogoutMessage) {
		m.LowerHex, m.Query = true, func(q string) string { return strings.ReplaceAll(q, "%2f", "%2F") }
	})
	redirect("shuffled", "Parameters in another order, and others among them.", none, "SAML Bindings 3.4.4.1", query(func(q string) string {
		parts := strings.Split(q, "&")
		return "x=1&" + parts[2] + "&" + parts[1] + "&y=%2f&" + parts[0]
	}))
	redirect("relay-state-added", "A relay state added behind the signature's back.", saml.BadSignature, "SAML Bindings 3.4.4.1", query(func(q string) string { return q + "&RelayState=x" }))
	redirect("relay-state-empty", "An empty relay state, which is left out of what is signed.", none, "SAML Bindings 3.4.4.1", query(func(q string) string { return q + "&RelayState=" }))
	redirect("duplicate", "Two relay states.", saml.BadRequest, "CWE-235", query(func(q string) string { return q + "&RelayState=&RelayState=" }))
	redirect("both", "A request and an answer.", saml.BadRequest, "CWE-235", query(func(q string) string { return q + "&SAMLResponse=x" }))
	redirect("no-algorithm", "A signature without algorithm.", saml.MalformedSignature, "SAML Bindings 3.4.4.1", query(func(q string) string {
		return q[:strings.Index(q, "&SigAlg=")] + q[strings.Index(q, "&Signature="):]
	}))
	redirect("encoding", "Another encoding than DEFLATE.", saml.BadRequest, "SAML Bindings 3.4.4", query(func(q string) string { return q + "&SAMLEncoding=urn%3Ax" }))
	redirect("trailing", "Octets behind the message.", saml.BadResponse, "SAML Bindings 3.4.4.1", func(_ *vector, m *samltest.LogoutMessage) {
		m.Deflated = func(b []byte) []byte { return append(b, 0) }
	})
	redirect("bomb", "A message that inflates to more than messages do.", saml.TooLarge, "SAML Security Considerations 5.2.1", func(_ *vector, m *samltest.LogoutMessage) {
		m.Bytes = func(xml []byte) []byte { return append(xml, strings.Repeat(" ", 2<<20)...) }
	})
	redirect("signature-inside", "A signature in the message, and none in the query.", saml.Unsigned, "erratum E7", func(_ *vector, m *samltest.LogoutMessage) {
		seal := m.Seal
		m.Unsigned, m.BeforeSign = true, func(e *etree.Element) {
			if err := seal.Enveloped(e); err != nil {
				w.t.Fatal(err)
			}
		}
	})

	response("good", "The answer to our request.", none, "SAML Profiles 4.4.3.5", nil)
	response("partial", "An answer that says that some sessions live on.", replay.PartialLogout, "SAML Core 3.7.3.2", func(_ *vector, m *samltest.LogoutMessage) {
		m.Status = &samltest.Status{Code: samltest.Success, Second: samltest.PartialLogout}
	})
	response("failed", "An answer that says that logout failed.", replay.LogoutFailed, "SAML Core 3.2.2.2", func(_ *vector, m *samltest.LogoutMessage) {
		m.Status = &samltest.Status{Code: samltest.Responder}
	})
	response("unsigned", "An answer that nobody signed.", saml.Unsigned, "SAML Profiles 4.4.4.2", func(_ *vector, m *samltest.LogoutMessage) { m.Unsigned = true })
	response("attackers-key", "An answer signed by somebody else.", saml.BadSignature, "SAML Profiles 4.4.4.2", func(_ *vector, m *samltest.LogoutMessage) { m.Seal = w.mallory })
	response("nobodys-request", "An answer to a request that nobody made.", saml.UnknownRequest, "SAML Core 3.2.2", func(v *vector, _ *samltest.LogoutMessage) { v.RequestID = "" })
	response("other-request", "An answer to another request.", saml.UnknownRequest, "SAML Core 3.2.2", func(_ *vector, m *samltest.LogoutMessage) { m.InResponseTo = "_other" })
	response("no-in-response-to", "An answer to nothing.", saml.UnknownRequest, "SAML Core 3.2.2", func(_ *vector, m *samltest.LogoutMessage) { m.InResponseTo = "" })
	response("destination", "An answer for another service provider.", saml.WrongDestination, "SAML Bindings 3.4.5.2", func(_ *vector, m *samltest.LogoutMessage) { m.Destination = other })
	response("issuer", "An answer of another identity provider.", saml.UnknownDomain, "SAML Core 3.2.2", func(_ *vector, m *samltest.LogoutMessage) { m.Issuer.Value = other })
	return list
}
