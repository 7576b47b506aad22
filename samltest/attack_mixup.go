package samltest

import (
	"net/url"

	saml "github.com/logintrust/saml"
)

// mixupAttacks are genuine messages at the wrong time, in the wrong browser, or for another service provider.
func mixupAttacks() []Attack {
	replayed := because(saml.Replayed, saml.UnknownRequest, saml.BrowserMismatch)
	request := because(saml.UnknownRequest, saml.BrowserMismatch)
	stranger := because(saml.BrowserMismatch, saml.UnknownRequest)
	return []Attack{
		{Name: "response used before, in another browser", Reference: "SAML Profiles 4.1.4.5: replay", Reasons: replayed,
			Forge: func(s *Scene) url.Values {
				form := s.AnswerTo(s.BeginElsewhere()).Form()
				s.AcceptElsewhere(form)
				return form
			}},
		{Name: "response used before, in another browser with a login of its own", Reference: "SAML Profiles 4.1.4.5: replay", Reasons: replayed,
			Forge: func(s *Scene) url.Values {
				s.Begin()
				form := s.AnswerTo(s.BeginElsewhere()).Form()
				s.AcceptElsewhere(form)
				return form
			}},
		{Name: "assertion used before, in another browser and a new response", Reference: "SAML Profiles 4.1.4.5: replay", Reasons: replayed,
			Forge: func(s *Scene) url.Values {
				a := s.AnswerTo(s.BeginElsewhere())
				s.AcceptElsewhere(a.Form())
				a.ID = newID()
				return a.Form()
			}},
		{Name: "assertion used before, in a new response to a new request", Reference: "SAML Profiles 4.1.4.5: replay", Reasons: append(replayed, saml.WrongInResponseTo),
			Forge: func(s *Scene) url.Values {
				a := s.Answer()
				s.Accept(a.Form())
				a.ID = newID()
				a.InResponseTo = s.Begin().ID
				return a.Form()
			}},
		{Name: "assertion ID used before, for a new request", Reference: "SAML Profiles 4.1.4.5: replay", Reasons: because(saml.Replayed),
			Forge: func(s *Scene) url.Values {
				a := s.Answer()
				s.Accept(a.Form())
				second := s.Answer()
				second.Assertion().ID = a.Assertion().ID
				return second.Form()
			}},
		{Name: "two answers to one request", Reference: "SAML Profiles 4.1.4.3", Reasons: append(request, saml.Replayed),
			Forge: func(s *Scene) url.Values {
				req := s.Begin()
				s.Accept(s.AnswerTo(req).Form())
				return s.AnswerTo(req).Form()
			}},
		{Name: "answer to another browser's request", Reference: "login CSRF, Jackson et al. (2008)", Reasons: stranger,
			Forge: func(s *Scene) url.Values {
				s.AcceptElsewhere(s.AnswerTo(s.BeginElsewhere()).Form())
				return s.AnswerTo(s.BeginElsewhere()).Form()
			}},
		{Name: "answer to another browser's request, in a browser with a login of its own", Reference: "login CSRF, Jackson et al. (2008)", Reasons: stranger,
			Forge: func(s *Scene) url.Values {
				s.Begin()
				s.AcceptElsewhere(s.AnswerTo(s.BeginElsewhere()).Form())
				return s.AnswerTo(s.BeginElsewhere()).Form()
			}},
		{Name: "answer to a request that was never made", Reference: "SAML Profiles 4.1.4.3", Reasons: request,
			Forge: func(s *Scene) url.Values {
				req := s.Begin()
				req.ID = newID()
				return s.AnswerTo(req).Form()
			}},
		{Name: "the other IdP answers the request to this one", Reference: "mix-up, Mainka et al. (2017)", Reasons: append(request, saml.UnknownDomain),
			Forge: func(s *Scene) url.Values { return s.Other.Answer(s.Begin()).Form() }},
		{Name: "this IdP answers the request to the other one", Reference: "mix-up, Mainka et al. (2017)", Reasons: request,
			Forge: func(s *Scene) url.Values {
				req := s.BeginAtOther()
				if req.Destination != s.Other.SSOURL { // the service provider does not know the other IdP
					req.ID = newID()
				}
				return s.AnswerTo(req).Form()
			}},
		{Name: "the other IdP answers in this one's name", Reference: "RP-ISSUERKEY; mix-up, Mainka et al. (2017)", Reasons: because(saml.BadSignature),
			Forge: func(s *Scene) url.Values {
				a := s.Other.Answer(s.Begin())
				a.Issuer.Value, a.Assertion().Issuer.Value = s.IdP.EntityID, s.IdP.EntityID
				return a.Form()
			}},
		{Name: "the other IdP's assertion in this one's signed response", Reference: "SAML Profiles 4.1.4.2", Reasons: because(saml.WrongIssuer, saml.BadSignature),
			Base: signing(SignResponse),
			Forge: func(s *Scene) url.Values {
				a := s.Answer()
				foreign := s.Other.Seal()
				a.Sign, a.AssertionSeal = SignResponse|SignAssertion, &foreign
				a.Assertion().Issuer.Value = s.Other.EntityID
				return a.Form()
			}},
		{Name: "this IdP's envelope around the other IdP's assertion", Reference: "SAML Profiles 4.1.4.2", Reasons: because(saml.WrongIssuer, saml.BadSignature),
			Forge: func(s *Scene) url.Values {
				req := s.Begin()
				a := s.Other.Answer(req)
				a.Issuer.Value = s.IdP.EntityID
				return a.Form()
			}},
		{Name: "answer for another service provider", Reference: "Armando et al., SAML SSO of Google (2008)", Reasons: because(saml.WrongAudience, saml.WrongRecipient, saml.WrongDestination),
			Forge: func(s *Scene) url.Values {
				req := s.Begin()
				req.SPEntityID, req.ACSURL = "https://other.example.com", "https://other.example.com/acs"
				return s.AnswerTo(req).Form()
			}},
		{Name: "answer for another service provider of this recipient", Reference: "Armando et al., SAML SSO of Google (2008)", Reasons: because(saml.WrongAudience),
			Forge: func(s *Scene) url.Values {
				req := s.Begin()
				req.SPEntityID = "https://other.example.com"
				return s.AnswerTo(req).Form()
			}},
		{Name: "unsolicited where none is allowed", Reference: "SAML Profiles 4.1.5", Reasons: because(saml.UnsolicitedNotAllowed), NeedsSolicited: true,
			Forge: func(s *Scene) url.Values { return s.AnswerTo(s.unsolicited()).Form() }},
		{Name: "unsolicited where none is allowed, in a browser with a login of its own", Reference: "SAML Profiles 4.1.5", Reasons: because(saml.UnsolicitedNotAllowed), NeedsSolicited: true,
			Forge: func(s *Scene) url.Values {
				s.Begin()
				return s.AnswerTo(s.unsolicited()).Form()
			}},
		{Name: "unsolicited with an InResponseTo", Reference: "SAML Profiles 4.1.5", Reasons: request, NeedsIdPInitiated: true,
			Forge: func(s *Scene) url.Values {
				req := s.unsolicited()
				req.ID = newID()
				return s.AnswerTo(req).Form()
			}},
		{Name: "unsolicited with an InResponseTo of the assertion only", Reference: "SAML Profiles 4.1.5", Reasons: append(request, saml.WrongInResponseTo), NeedsIdPInitiated: true,
			Forge: func(s *Scene) url.Values {
				a := s.AnswerTo(s.unsolicited())
				a.Assertion().Subject.Confirmations[0].InResponseTo = newID()
				return a.Form()
			}},
		{Name: "unsolicited with an InResponseTo of the response only", Reference: "SAML Profiles 4.1.5", Reasons: append(request, saml.WrongInResponseTo), NeedsIdPInitiated: true,
			Forge: func(s *Scene) url.Values {
				a := s.AnswerTo(s.unsolicited())
				a.InResponseTo = newID()
				return a.Form()
			}},
		{Name: "unsolicited and used before, in another browser", Reference: "SAML Profiles 4.1.4.5: replay", Reasons: because(saml.Replayed), NeedsIdPInitiated: true,
			Forge: func(s *Scene) url.Values {
				form := s.AnswerTo(s.unsolicited()).Form()
				s.AcceptElsewhere(form)
				return form
			}},
		{Name: "unsolicited, and its assertion used before", Reference: "SAML Profiles 4.1.4.5: replay", Reasons: because(saml.Replayed), NeedsIdPInitiated: true,
			Forge: func(s *Scene) url.Values {
				a := s.AnswerTo(s.unsolicited())
				s.Accept(a.Form())
				a.ID = newID()
				return a.Form()
			}},
	}
}

// unsolicited is what an IdP-initiated login has instead of a request.
func (s *Scene) unsolicited() Request {
	return Request{SPEntityID: s.SP.EntityID, ACSURL: s.SP.ACSURL}
}
