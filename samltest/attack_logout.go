package samltest

import (
	"encoding/base64"
	"strings"
	"time"

	"github.com/beevik/etree"
	saml "github.com/logintrust/saml"
)

// LogoutAttack is one forgery at a service provider's endpoint for single logout. It must end no session there and, if it is an
// answer, complete no logout.
type LogoutAttack struct {
	Name      string // unique among all attacks on logout
	Class     Class
	Reference string // specification, CVE or paper

	// Reasons are the right reasons for the refusal. None: the message is genuine, and may be answered with success, but it is
	// about nobody's session here.
	Reasons []saml.Reason
	// Forge makes the message.
	Forge func(s *LogoutScene) saml.LogoutMessage
}

// LogoutScene is where an attack on logout takes place.
type LogoutScene struct {
	IdP     *IdP // whom the service provider trusts
	Other   *IdP // another one that it trusts too, for other users
	SLOURL  string
	Mallory Seal              // the attacker's key, in a certificate that bears the IdP's name
	Session saml.LoginSession // the victim's, which lives
	Answer  *Answer           // with which the victim signed in

	// Begin begins a logout at the service provider in the victim's browser, and returns the request and the browser's key.
	Begin func() (req ReceivedLogout, browserKey string)
	// Accept brings a message and insists that it is accepted.
	Accept func(m saml.LogoutMessage)
}

// Request is an honest request to end the victim's session.
func (s *LogoutScene) Request() *LogoutMessage { return s.IdP.LogoutRequest(s.Session, s.SLOURL) }

// ByRedirect and ByPOST are how a message reaches the service provider.
func (m *LogoutMessage) ByRedirect() saml.LogoutMessage {
	return saml.LogoutMessage{Query: m.RawQuery()}
}

// ByPOST is the message by the POST binding.
func (m *LogoutMessage) ByPOST() saml.LogoutMessage {
	form := m.Form()
	return saml.LogoutMessage{SAMLRequest: form.Get("SAMLRequest"), SAMLResponse: form.Get("SAMLResponse"), RelayState: m.RelayState}
}

// LogoutAttacks are all attacks on single logout.
func LogoutAttacks() []LogoutAttack {
	all := append(requestAttacks(), queryAttacks()...)
	all = append(all, logoutWrappingAttacks()...)
	return append(all, answerAttacks()...)
}

// requestAttacks change what a request says; each comes by both bindings.
func requestAttacks() (list []LogoutAttack) {
	add := func(name string, class Class, reference string, reasons []saml.Reason, change func(s *LogoutScene, m *LogoutMessage)) {
		forge := func(send func(*LogoutMessage) saml.LogoutMessage) func(*LogoutScene) saml.LogoutMessage {
			return func(s *LogoutScene) saml.LogoutMessage {
				m := s.Request()
				change(s, m)
				return send(m)
			}
		}
		list = append(list, LogoutAttack{name + ", by Redirect", class, reference, reasons, forge((*LogoutMessage).ByRedirect)},
			LogoutAttack{name + ", by POST", class, reference, reasons, forge((*LogoutMessage).ByPOST)})
	}
	add("unsigned", Tampering, "SAML Core 3.7.3.1", because(saml.Unsigned), func(_ *LogoutScene, m *LogoutMessage) { m.Unsigned = true })
	add("signed by the attacker", Keys, "SAML Core 3.7.3.1", because(saml.BadSignature), func(s *LogoutScene, m *LogoutMessage) { m.Seal = s.Mallory })
	add("signed by another tenant", Keys, "SAML Core 3.7.3.1", because(saml.BadSignature), func(s *LogoutScene, m *LogoutMessage) { m.Seal = s.Other.Seal() })
	add("of another tenant, about this one's user", Mixup, "SAML Core 3.7.3.1", nil, func(s *LogoutScene, m *LogoutMessage) {
		m.Seal, m.Issuer = s.Other.Seal(), &NameID{Value: s.Other.EntityID}
	})
	add("of another tenant, with this one's qualifier", Mixup, "SAML Core 8.3.7", nil, func(s *LogoutScene, m *LogoutMessage) {
		m.Seal, m.Issuer, m.NameID.NameQualifier = s.Other.Seal(), &NameID{Value: s.Other.EntityID}, s.IdP.EntityID
	})
	add("of an unknown identity provider", Keys, "SAML Core 3.7.3.1", because(saml.UnknownDomain), func(s *LogoutScene, m *LogoutMessage) {
		m.Seal, m.Issuer = s.Mallory, &NameID{Value: "https://unknown.example.net"}
	})
	add("of nobody", Profile, "SAML Profiles 4.4.4.1", because(saml.WrongIssuer), func(_ *LogoutScene, m *LogoutMessage) { m.Issuer = nil })
	add("of an Issuer of another Format", Profile, "SAML Profiles 4.4.4.1", because(saml.WrongIssuer), func(_ *LogoutScene, m *LogoutMessage) { m.Issuer.Format = FormatEmail })
	add("signed with SHA-1", Keys, "SHAttered", because(saml.WeakAlgorithm), func(_ *LogoutScene, m *LogoutMessage) { m.Seal.Method, m.Seal.Digest = RSASHA1, SHA1 })
	add("for another service provider", Mixup, "SAML Bindings 3.4.5.2", because(saml.WrongDestination), func(_ *LogoutScene, m *LogoutMessage) {
		m.Destination = "https://other-sp.example.net/sso/logout"
	})
	add("for another host of the same name", Mixup, "SAML Bindings 3.4.5.2", because(saml.WrongDestination), func(_ *LogoutScene, m *LogoutMessage) { m.Destination += "/" })
	add("for anybody", Profile, "SAML Bindings 3.4.5.2", because(saml.WrongDestination), func(_ *LogoutScene, m *LogoutMessage) { m.Destination = "" })
	add("expired", Profile, "SAML Core 3.7.1", because(saml.Expired), func(s *LogoutScene, m *LogoutMessage) {
		m.IssueInstant, m.NotOnOrAfter = s.IdP.In(-time.Hour), s.IdP.In(-30*time.Minute)
	})
	add("just expired", Profile, "SAML Core 3.7.1", because(saml.Expired), func(s *LogoutScene, m *LogoutMessage) {
		m.IssueInstant, m.NotOnOrAfter = s.IdP.In(-time.Hour), s.IdP.In(-4*time.Minute) // the usual tolerance is three
	})
	add("a week old, good for ever", Profile, "SAML Security Considerations 6.1.2", because(saml.Expired), func(s *LogoutScene, m *LogoutMessage) {
		m.IssueInstant, m.NotOnOrAfter = s.IdP.In(-7*24*time.Hour), s.IdP.In(24*365*time.Hour)
	})
	add("old, without an end", Profile, "SAML Security Considerations 6.1.2", because(saml.Expired), func(s *LogoutScene, m *LogoutMessage) {
		m.IssueInstant, m.NotOnOrAfter = s.IdP.In(-time.Hour), ""
	})
	add("of the future", Profile, "SAML Core 1.3.3", because(saml.NotYetValid), func(s *LogoutScene, m *LogoutMessage) {
		m.IssueInstant, m.NotOnOrAfter = s.IdP.In(time.Hour), s.IdP.In(2*time.Hour)
	})
	add("SAML 1.1", Profile, "SAML Core 3.2.1", because(saml.WrongVersion), func(_ *LogoutScene, m *LogoutMessage) { m.Version = "1.1" })
	add("the session of another", Mixup, "SAML Core 3.7.3.1", nil, func(_ *LogoutScene, m *LogoutMessage) { m.SessionIndexes = []string{newID()} })
	add("another name in the same session", Mixup, "SAML Core 3.3.4", nil, func(_ *LogoutScene, m *LogoutMessage) { m.NameID.Value = strings.ToUpper(m.NameID.Value) })
	add("another format", Mixup, "SAML Core 3.3.4", nil, func(_ *LogoutScene, m *LogoutMessage) { m.NameID.Format, m.SessionIndexes = FormatEmail, nil })
	add("another NameQualifier", Mixup, "SAML Core 8.3.7", nil, func(s *LogoutScene, m *LogoutMessage) { m.NameID.NameQualifier = s.Other.EntityID })
	add("another SPNameQualifier", Mixup, "SAML Core 8.3.7", nil, func(_ *LogoutScene, m *LogoutMessage) {
		m.NameID.SPNameQualifier = "https://other-sp.example.net"
	})
	add("nobody, so everybody", Profile, "SAML Core 3.7.1", because(saml.NoSubject), func(_ *LogoutScene, m *LogoutMessage) { m.NameID, m.SessionIndexes = nil, nil })
	add("a blank name", Profile, "SAML Core 3.7.1", because(saml.NoSubject), func(_ *LogoutScene, m *LogoutMessage) { m.NameID.Value, m.SessionIndexes = Blank, nil })
	add("a blank session, so all", Profile, "SAML Core 3.7.3.1", because(saml.BadResponse), func(_ *LogoutScene, m *LogoutMessage) { m.SessionIndexes = []string{Blank} })
	add("of more sessions than anybody has", Parsing, "CWE-770", because(saml.BadResponse), func(s *LogoutScene, m *LogoutMessage) {
		for range 100 {
			m.SessionIndexes = append([]string{newID()}, m.SessionIndexes...)
		}
	})
	add("an IssueInstant that is none", Profile, "SAML Core 1.3.3", because(saml.BadResponse), func(_ *LogoutScene, m *LogoutMessage) { m.IssueInstant = "now" })
	add("two names", Parsing, "SAML Core 3.7.1", because(saml.BadResponse), func(_ *LogoutScene, m *LogoutMessage) {
		m.Identifier = []string{`<saml:NameID xmlns:saml="` + nsAssertion + `">` + evil + `</saml:NameID>`}
	})
	add("DTD", Parsing, "CWE-611", because(saml.BadResponse), func(_ *LogoutScene, m *LogoutMessage) {
		m.Bytes = func(xml []byte) []byte { return append([]byte(`<!DOCTYPE a [<!ENTITY b "c">]>`), xml...) }
	})
	list = append(list, LogoutAttack{"played back, by Redirect", Mixup, "SAML Security Considerations 6.1.2", because(saml.Replayed), playedBack((*LogoutMessage).ByRedirect)},
		LogoutAttack{"played back, by POST", Mixup, "SAML Security Considerations 6.1.2", because(saml.Replayed), playedBack((*LogoutMessage).ByPOST)},
		LogoutAttack{"played back by the other binding", Mixup, "SAML Security Considerations 6.1.2", because(saml.Replayed), func(s *LogoutScene) saml.LogoutMessage {
			m := s.elsewhere()
			s.Accept(m.ByPOST())
			return m.ByRedirect()
		}})
	return list
}

// elsewhere is a request about a session of the victim that is not there, so that it can be accepted before the attack.
func (s *LogoutScene) elsewhere() *LogoutMessage {
	m := s.Request()
	m.SessionIndexes = []string{newID()}
	return m
}

func playedBack(send func(*LogoutMessage) saml.LogoutMessage) func(*LogoutScene) saml.LogoutMessage {
	return func(s *LogoutScene) saml.LogoutMessage {
		m := send(s.elsewhere())
		s.Accept(m)
		return m
	}
}

// queryAttacks are about signatures over queries.
func queryAttacks() (list []LogoutAttack) {
	add := func(name string, class Class, reference string, reasons []saml.Reason, change func(s *LogoutScene, m *LogoutMessage)) {
		list = append(list, LogoutAttack{name, class, reference, reasons, func(s *LogoutScene) saml.LogoutMessage {
			m := s.Request()
			change(s, m)
			return m.ByRedirect()
		}})
	}
	edit := func(change func(query string) string) func(*LogoutScene, *LogoutMessage) {
		return func(_ *LogoutScene, m *LogoutMessage) { m.RelayState, m.Query = "honest", change }
	}
	part := func(query, name string) string { // the parameter as it stands
		for p := range strings.SplitSeq(query, "&") {
			if strings.HasPrefix(p, name+"=") {
				return p
			}
		}
		return ""
	}
	add("XML signature on Redirect", Tampering, "SAML erratum E7", because(saml.Unsigned), func(s *LogoutScene, m *LogoutMessage) {
		m.Unsigned, m.BeforeSign = true, func(e *etree.Element) { _ = s.IdP.Seal().Enveloped(e) }
	})
	add("signature stripped", Tampering, "SAML Bindings 3.4.4.1", because(saml.Unsigned), edit(func(q string) string { return strings.Replace(q, "&"+part(q, "Signature"), "", 1) }))
	add("signature and algorithm stripped", Tampering, "SAML Bindings 3.4.4.1", because(saml.Unsigned), edit(func(q string) string { return q[:strings.Index(q, "&SigAlg=")] }))
	add("algorithm stripped", Tampering, "SAML Bindings 3.4.4.1", because(saml.MalformedSignature), edit(func(q string) string { return strings.Replace(q, "&"+part(q, "SigAlg"), "", 1) }))
	add("algorithm swapped for HMAC", Keys, "CVE-2016-10555, for JWT", because(saml.UnsupportedAlgorithm), edit(func(q string) string {
		return strings.Replace(q, "rsa-sha256", "hmac-sha256", 1)
	}))
	add("algorithm swapped for another hash", Keys, "SAML Bindings 3.4.4.1", because(saml.BadSignature), edit(func(q string) string {
		return strings.Replace(q, "rsa-sha256", "rsa-sha512", 1)
	}))
	add("empty signature", Tampering, "SAML Bindings 3.4.4.1", because(saml.MalformedSignature), edit(func(q string) string {
		return strings.Replace(q, part(q, "Signature"), "Signature=", 1)
	}))
	add("relay state changed", Tampering, "SAML erratum E1", because(saml.BadSignature), edit(func(q string) string {
		return strings.Replace(q, "RelayState=honest", "RelayState=evil", 1)
	}))
	add("relay state dropped", Tampering, "SAML erratum E1", because(saml.BadSignature), edit(func(q string) string { return strings.Replace(q, "&RelayState=honest", "", 1) }))
	add("relay state emptied", Tampering, "SAML erratum E1", because(saml.BadSignature), edit(func(q string) string { return strings.Replace(q, "RelayState=honest", "RelayState=", 1) }))
	add("re-encoded on the way", Parsing, "SAML Bindings 3.4.4.1", because(saml.BadSignature), func(_ *LogoutScene, m *LogoutMessage) {
		m.LowerHex, m.RelayState, m.Query = true, "a/b", func(q string) string { return strings.ReplaceAll(q, "%2f", "%2F") }
	})
	add("a forged request behind the genuine one", Parsing, "CWE-235", because(saml.BadRequest), edit(func(q string) string { return q + "&SAMLRequest=PGEvPg%3D%3D" }))
	add("a forged request before the genuine one", Parsing, "CWE-235", because(saml.BadRequest), edit(func(q string) string { return "SAMLRequest=PGEvPg%3D%3D&" + q }))
	add("a forged request under an encoded name", Parsing, "CWE-235", because(saml.BadRequest), edit(func(q string) string { return "%53AMLRequest=PGEvPg%3D%3D&" + q }))
	add("a second relay state", Parsing, "CWE-235", because(saml.BadRequest), edit(func(q string) string { return q + "&RelayState=evil" }))
	add("an answer beside the request", Parsing, "CWE-235", because(saml.BadRequest), edit(func(q string) string { return q + "&SAMLResponse=PGEvPg%3D%3D" }))
	add("another encoding", Parsing, "SAML Bindings 3.4.4", because(saml.BadRequest), edit(func(q string) string { return q + "&SAMLEncoding=urn%3Ax" }))
	add("the signature of another message", Tampering, "SAML Bindings 3.4.4.1", because(saml.BadSignature), func(s *LogoutScene, m *LogoutMessage) {
		genuine := s.elsewhere().RawQuery()
		m.Query = func(q string) string { return strings.Replace(q, part(q, "Signature"), part(genuine, "Signature"), 1) }
	})
	add("octets behind the message", Parsing, "RFC 1951", because(saml.BadResponse), func(_ *LogoutScene, m *LogoutMessage) {
		m.Deflated = func(b []byte) []byte { return append(b, 'x') }
	})
	add("zlib", Parsing, "RFC 1950", because(saml.BadResponse), func(_ *LogoutScene, m *LogoutMessage) {
		m.Deflated = func(b []byte) []byte { return append([]byte{0x78, 0x9c}, b...) }
	})
	add("not deflated", Parsing, "SAML Bindings 3.4.4.1", because(saml.BadResponse), func(s *LogoutScene, m *LogoutMessage) {
		m.Deflated = func([]byte) []byte { return s.Request().XML() }
	})
	add("bomb", Parsing, "SAML Security Considerations 5.2.1", because(saml.TooLarge), func(_ *LogoutScene, m *LogoutMessage) {
		m.Bytes = func(xml []byte) []byte { return append(xml, strings.Repeat(" ", 20<<20)...) }
	})
	return list
}

// logoutWrappingAttacks move genuine signatures, by POST.
func logoutWrappingAttacks() []LogoutAttack {
	forged := func(s *LogoutScene) (genuine, wrapper *etree.Element) {
		genuine = s.elsewhere().Element()
		m := s.Request()
		m.Unsigned = true
		return genuine, m.Element()
	}
	post := func(e *etree.Element) saml.LogoutMessage {
		return saml.LogoutMessage{SAMLRequest: base64.StdEncoding.EncodeToString(serialize(e, false))}
	}
	return []LogoutAttack{
		{"genuine request in the extensions", Wrapping, "Somorovsky et al., USENIX Security 2012", because(saml.Unsigned), func(s *LogoutScene) saml.LogoutMessage {
			genuine, wrapper := forged(s)
			place(wrapper, 1, "Extensions", genuine)
			return post(wrapper)
		}},
		{"genuine request in the extensions, its signature outside", Wrapping, "Somorovsky et al., USENIX Security 2012", because(saml.MalformedSignature), func(s *LogoutScene) saml.LogoutMessage {
			genuine, wrapper := forged(s)
			signature := signatureOf(genuine)
			genuine.RemoveChild(signature)
			place(wrapper, 1, "Extensions", genuine)
			insertAfterIssuer(wrapper, signature)
			return post(wrapper)
		}},
		{"genuine request in the signature", Wrapping, "SAML erratum E91", because(saml.MalformedSignature), func(s *LogoutScene) saml.LogoutMessage {
			genuine, wrapper := forged(s)
			signature := signatureOf(genuine)
			genuine.RemoveChild(signature)
			object := etree.NewElement("Object")
			object.Space = signature.Space
			object.AddChild(genuine)
			signature.AddChild(object)
			insertAfterIssuer(wrapper, signature)
			return post(wrapper)
		}},
		{"genuine signature of another request, same ID", Wrapping, "SAML Core 5.4.2", because(saml.BadSignature), func(s *LogoutScene) saml.LogoutMessage {
			genuine, wrapper := forged(s)
			wrapper.CreateAttr("ID", genuine.SelectAttrValue("ID", ""))
			insertAfterIssuer(wrapper, signatureOf(genuine))
			return post(wrapper)
		}},
		{"forged request around the genuine one", Wrapping, "Somorovsky et al., USENIX Security 2012", because(saml.Unsigned, saml.BadResponse), func(s *LogoutScene) saml.LogoutMessage {
			genuine, wrapper := forged(s)
			wrapper.AddChild(genuine)
			return post(wrapper)
		}},
		{"name changed behind the signature", Tampering, "SAML Core 5.4", because(saml.BadSignature), func(s *LogoutScene) saml.LogoutMessage {
			m := s.elsewhere()
			m.AfterSign = func(e *etree.Element) { e.SelectElement("SessionIndex").SetText(s.Session.SessionIndexes[0]) }
			return m.ByPOST()
		}},
		{"session taken out behind the signature, so all", Tampering, "SAML Core 3.7.3.1", because(saml.BadSignature), func(s *LogoutScene) saml.LogoutMessage {
			m := s.elsewhere()
			m.AfterSign = func(e *etree.Element) { e.RemoveChild(e.SelectElement("SessionIndex")) }
			return m.ByPOST()
		}},
		{"signature of the query on a form", Tampering, "SAML Bindings 3.5.4", because(saml.Unsigned), func(s *LogoutScene) saml.LogoutMessage {
			m := s.Request()
			m.Unsigned = true
			form := m.ByPOST()
			form.RelayState = s.Request().RawQuery() // SigAlg and Signature where a handler finds no field for them
			return form
		}},
		{"two signatures", Tampering, "SAML Core 5.4", because(saml.MalformedSignature), func(s *LogoutScene) saml.LogoutMessage {
			m := s.Request()
			m.Unsigned, m.AfterSign = true, func(e *etree.Element) {
				_ = s.IdP.Seal().Enveloped(e)
				_ = s.Mallory.Enveloped(e)
			}
			return m.ByPOST()
		}},
		{"signature last", Tampering, "SAML Core 3.2.1", because(saml.BadResponse), func(s *LogoutScene) saml.LogoutMessage {
			m := s.Request()
			m.AfterSign = func(e *etree.Element) {
				signature := signatureOf(e)
				e.RemoveChild(signature)
				e.AddChild(signature)
			}
			return m.ByPOST()
		}},
		{"a login in the place of a request", Mixup, "SAML Core 3.7", because(saml.BadResponse), func(s *LogoutScene) saml.LogoutMessage {
			return saml.LogoutMessage{SAMLRequest: s.Answer.Encode()}
		}},
	}
}

// answerAttacks are answers to logouts, which must complete none.
func answerAttacks() (list []LogoutAttack) {
	add := func(name string, class Class, reference string, reasons []saml.Reason, change func(s *LogoutScene, m *LogoutMessage)) {
		for _, binding := range []struct {
			name string
			send func(*LogoutMessage) saml.LogoutMessage
		}{{", by Redirect", (*LogoutMessage).ByRedirect}, {", by POST", (*LogoutMessage).ByPOST}} {
			list = append(list, LogoutAttack{name + binding.name, class, reference, reasons, func(s *LogoutScene) saml.LogoutMessage {
				req, key := s.Begin()
				m := s.IdP.LogoutResponse(req, s.SLOURL)
				change(s, m)
				message := binding.send(m)
				message.BrowserKey = key
				return message
			}})
		}
	}
	add("answer: unsigned", Tampering, "SAML Profiles 4.4.4.2", because(saml.Unsigned), func(_ *LogoutScene, m *LogoutMessage) { m.Unsigned = true })
	add("answer: signed by the attacker", Keys, "SAML Profiles 4.4.4.2", because(saml.BadSignature), func(s *LogoutScene, m *LogoutMessage) { m.Seal = s.Mallory })
	add("answer: of another tenant", Mixup, "SAML Core 3.2.2", because(saml.UnknownRequest), func(s *LogoutScene, m *LogoutMessage) {
		m.Seal, m.Issuer = s.Other.Seal(), &NameID{Value: s.Other.EntityID}
	})
	add("answer: to nobody's request", Mixup, "SAML Core 3.2.2", because(saml.UnknownRequest), func(_ *LogoutScene, m *LogoutMessage) { m.InResponseTo = newID() })
	add("answer: to nothing", Mixup, "SAML Core 3.2.2", because(saml.UnknownRequest), func(_ *LogoutScene, m *LogoutMessage) { m.InResponseTo = "" })
	add("answer: to the login", Mixup, "SAML Core 3.2.2", because(saml.UnknownRequest), func(s *LogoutScene, m *LogoutMessage) { m.InResponseTo = s.Answer.InResponseTo })
	add("answer: for another service provider", Mixup, "SAML Bindings 3.4.5.2", because(saml.WrongDestination), func(_ *LogoutScene, m *LogoutMessage) {
		m.Destination = "https://other-sp.example.net/sso/logout"
	})
	add("answer: failure", Profile, "SAML Core 3.2.2.2", nil, func(_ *LogoutScene, m *LogoutMessage) { m.Status = &Status{Code: Responder} })
	add("answer: with an assertion", Profile, "SAML Core 3.7.2", because(saml.BadResponse), func(s *LogoutScene, m *LogoutMessage) {
		m.BeforeSign = func(root *etree.Element) {
			assertion := root.CreateElement("saml:Assertion")
			assertion.CreateAttr("xmlns:saml", nsAssertion)
		}
	})
	add("answer: with an IssueInstant that is none", Profile, "SAML Core 1.3.3", because(saml.BadResponse), func(_ *LogoutScene, m *LogoutMessage) { m.IssueInstant = "now" })
	add("answer: without status", Profile, "SAML Core 3.2.2", nil, func(_ *LogoutScene, m *LogoutMessage) { m.Status = nil })
	list = append(list, LogoutAttack{"answer: in another browser", Mixup, "SAML Core 3.2.2", because(saml.BrowserMismatch), func(s *LogoutScene) saml.LogoutMessage {
		req, _ := s.Begin()
		message := s.IdP.LogoutResponse(req, s.SLOURL).ByRedirect()
		_, message.BrowserKey = s.Begin()
		return message
	}}, LogoutAttack{"answer: played back", Mixup, "SAML Core 3.2.2", because(saml.UnknownRequest), func(s *LogoutScene) saml.LogoutMessage {
		req, key := s.Begin()
		message := s.IdP.LogoutResponse(req, s.SLOURL).ByRedirect()
		message.BrowserKey = key
		s.Accept(message)
		return message
	}}, LogoutAttack{"answer: a login", Mixup, "SAML Core 3.7.2", because(saml.BadResponse), func(s *LogoutScene) saml.LogoutMessage {
		_, key := s.Begin()
		return saml.LogoutMessage{SAMLResponse: s.Answer.Encode(), BrowserKey: key}
	}})
	return list
}
