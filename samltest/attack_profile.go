package samltest

import (
	"time"

	"github.com/beevik/etree"
	saml "github.com/logintrust/saml"
)

// profileAttacks are genuinely signed, and say what an identity provider must not say or leave out what it must say: what a
// careless IdP, or a hostile tenant's own, sends. This half is about the envelope, the issuer and the subject.
func profileAttacks() []Attack {
	schema := because(saml.BadResponse)
	around := signing(SignResponse)
	return []Attack{
		// The response.
		{Name: "Version 1.1 of the response", Reference: "SAML Core 4.1.2", Reasons: because(saml.WrongVersion, saml.BadResponse), Base: around,
			Forge: before(func(a *Answer) { a.Version = "1.1" })},
		{Name: "Version 1.1 of the assertion", Reference: "SAML Core 4.1.2", Reasons: because(saml.WrongVersion, saml.BadResponse),
			Forge: before(func(a *Answer) { a.Assertion().Version = "1.1" })},
		{Name: "no Version of the assertion", Reference: "SAML Core 2.3.3", Reasons: because(saml.WrongVersion, saml.BadResponse),
			Forge: before(func(a *Answer) { a.Assertion().Version = "" })},
		{Name: "no Version of the response", Reference: "SAML Core 3.2.2", Reasons: because(saml.WrongVersion, saml.BadResponse),
			Forge: before(func(a *Answer) { a.Version = "" })},
		{Name: "no ID of the response", Reference: "SAML Core 3.2.2", Reasons: append(schema, saml.MalformedSignature),
			Forge: before(func(a *Answer) { a.ID = "" })},
		{Name: "no IssueInstant of the response", Reference: "SAML Core 3.2.2", Reasons: schema, Base: around,
			Forge: before(func(a *Answer) { a.IssueInstant = "" })},
		{Name: "IssueInstant of the response to come", Reference: "SAML Core 1.3.3", Reasons: because(saml.NotYetValid), Base: around,
			Forge: timed(func(a *Answer, in in) { a.IssueInstant = in(time.Hour) })},
		{Name: "IssueInstant of the assertion to come", Reference: "SAML Core 2.3.3", Reasons: because(saml.NotYetValid),
			Forge: timed(func(a *Answer, in in) { a.Assertion().IssueInstant = in(time.Hour) })},
		{Name: "Destination of another service provider", Reference: "SAML Bindings 3.5.5.2", Reasons: because(saml.WrongDestination), Base: around,
			Forge: before(func(a *Answer) { a.Destination = "https://other.example.com/acs" })},
		{Name: "Destination of another service provider, unsigned", Reference: "SAML Core 3.2.2", Reasons: because(saml.WrongDestination),
			Forge: before(func(a *Answer) { a.Destination = "https://other.example.com/acs" })},
		{Name: "no Destination of a signed response", Reference: "SAML Bindings 3.5.5.2", Reasons: because(saml.WrongDestination), Base: around,
			Forge: before(func(a *Answer) { a.Destination = "" })},
		{Name: "empty Destination of a signed response", Reference: "CVE-2018-7340 and like; SAML Bindings 3.5.5.2", Reasons: because(saml.WrongDestination), Base: around,
			Forge: before(func(a *Answer) { a.Destination = Blank })},
		{Name: "failing status with an assertion", Reference: "SAML Profiles 4.1.4.2", Reasons: because(saml.IdPRefused, saml.BadResponse),
			Forge: before(func(a *Answer) { a.Status = &Status{Code: Responder, Second: AuthnFailed} })},
		{Name: "success as the second-level status only", Reference: "SAML Core 3.2.2.2", Reasons: because(saml.IdPRefused, saml.BadResponse),
			Forge: before(func(a *Answer) { a.Status = &Status{Code: Responder, Second: Success} })},
		{Name: "unknown status", Reference: "SAML Core 3.2.2.2", Reasons: because(saml.IdPRefused, saml.BadResponse),
			Forge: before(func(a *Answer) { a.Status = &Status{Code: "urn:x"} })},
		{Name: "no Status", Reference: "SAML Core 3.2.2", Reasons: because(saml.BadResponse, saml.IdPRefused),
			Forge: before(func(a *Answer) { a.Status = nil })},
		{Name: "no StatusCode", Reference: "SAML Core 3.2.2.1", Reasons: because(saml.BadResponse, saml.IdPRefused),
			Forge: before(func(a *Answer) { a.Status = &Status{Message: "fine"} })},
		{Name: "success without assertion", Reference: "SAML Profiles 4.1.4.2", Reasons: because(saml.NoAssertion), Base: around,
			Forge: before(func(a *Answer) { a.Assertions = nil })},
		{Name: "two signed assertions", Reference: "SAML Profiles 4.1.4.2; DESIGN section 4, step 4", Reasons: because(saml.SeveralAssertions),
			Forge: before(func(a *Answer) {
				second := *a.Assertion()
				second.ID = newID()
				a.Assertions = append(a.Assertions, &second)
			})},

		// The issuer.
		{Name: "no Issuer of the assertion", Reference: "SAML Core 2.3.3", Reasons: because(saml.WrongIssuer, saml.BadResponse),
			Forge: before(func(a *Answer) { a.Assertion().Issuer = nil })},
		{Name: "other Issuer of the assertion in a signed response", Reference: "SAML Profiles 4.1.4.2", Reasons: because(saml.WrongIssuer), Base: around,
			Forge: before(func(a *Answer) { a.Assertion().Issuer.Value += "/other" })},
		{Name: "other Issuer of the response", Reference: "SAML Profiles 4.1.4.2, E26", Reasons: because(saml.WrongIssuer, saml.UnknownDomain),
			Forge: before(func(a *Answer) { a.Issuer.Value += "/other" })},
		{Name: "no Issuer of a signed response", Reference: "SAML Profiles 4.1.4.2, E26", Reasons: because(saml.WrongIssuer, saml.UnknownDomain, saml.BadResponse), Base: around,
			Forge: before(func(a *Answer) { a.Issuer = nil })},
		{Name: "Issuer in other letter case", Reference: "SAML Core 1.3.2: compared octet by octet", Reasons: because(saml.WrongIssuer, saml.UnknownDomain),
			Forge: before(func(a *Answer) {
				a.Issuer.Value = "HTTPS" + a.Issuer.Value[5:]
				a.Assertion().Issuer.Value = a.Issuer.Value
			})},
		{Name: "Issuer of another Format", Reference: "SAML Profiles 4.1.4.2", Reasons: because(saml.WrongIssuer, saml.BadResponse),
			Forge: before(func(a *Answer) { a.Assertion().Issuer.Format = FormatEmail })},

		// The subject.
		{Name: "no Subject", Reference: "SAML Profiles 4.1.4.2", Reasons: because(saml.NoSubject, saml.BadResponse),
			Forge: before(func(a *Answer) { a.Assertion().Subject = nil })},
		{Name: "empty NameID", Reference: "SAML Core 2.2.2", Reasons: because(saml.NoSubject, saml.BadResponse),
			Forge: before(func(a *Answer) { a.Assertion().Subject.NameID.Value = Blank })},
		{Name: "two Subjects", Reference: "SAML Core 2.3.3, schema", Reasons: append(schema, saml.NoSubject), Forge: twice("Subject")},
		{Name: "two NameIDs", Reference: "SAML Core 2.4.1, schema", Reasons: append(schema, saml.NoSubject), Forge: twice("NameID")},
		{Name: "NameID for another service provider", Reference: "SAML Core 2.2.2: SPNameQualifier", Reasons: because(saml.WrongSubjectQualifier),
			Forge: before(func(a *Answer) { a.Assertion().Subject.NameID.SPNameQualifier = "https://other.example.com" })},
		{Name: "no SubjectConfirmation", Reference: "SAML Profiles 4.1.4.2", Reasons: because(saml.NoBearerConfirmation),
			Forge: before(func(a *Answer) { a.Assertion().Subject.Confirmations = nil })},
		{Name: "holder-of-key only", Reference: "SAML Profiles 3.1 and 4.1.4.2", Reasons: because(saml.NoBearerConfirmation), Forge: confirmed(func(c *Confirmation) { c.Method = HolderOfKey })},
		{Name: "holder-of-key, beside a bearer confirmation for another service provider", Reference: "SAML Profiles 3.1 and 4.1.4.2",
			Reasons: because(saml.NoBearerConfirmation, saml.WrongRecipient), Forge: before(func(a *Answer) {
				s := a.Assertion().Subject
				elsewhere := s.Confirmations[0]
				elsewhere.Recipient = "https://other.example.com/acs"
				s.Confirmations[0].Method = HolderOfKey
				s.Confirmations = append(s.Confirmations, elsewhere)
			})},
		{Name: "sender-vouches only", Reference: "SAML Profiles 3.2 and 4.1.4.2", Reasons: because(saml.NoBearerConfirmation), Forge: confirmed(func(c *Confirmation) { c.Method = SenderVouches })},
		{Name: "no Method", Reference: "SAML Core 2.4.1.1", Reasons: because(saml.NoBearerConfirmation, saml.BadResponse), Forge: confirmed(func(c *Confirmation) { c.Method = "" })},
		{Name: "no SubjectConfirmationData", Reference: "SAML Profiles 4.1.4.2", Reasons: because(saml.NoBearerConfirmation), Forge: confirmed(func(c *Confirmation) { c.NoData = true })},
		{Name: "no Recipient", Reference: "SAML Profiles 4.1.4.2", Reasons: because(saml.NoBearerConfirmation), Forge: confirmed(func(c *Confirmation) { c.Recipient = "" })},
		{Name: "Recipient of another service provider", Reference: "SAML Profiles 4.1.4.3", Reasons: because(saml.WrongRecipient), Forge: confirmed(func(c *Confirmation) { c.Recipient = "https://other.example.com/acs" })},
		{Name: "Recipient with a longer path", Reference: "SAML Profiles 4.1.4.3", Reasons: because(saml.WrongRecipient), Forge: confirmed(func(c *Confirmation) { c.Recipient += "/x" })},
		{Name: "no NotOnOrAfter in the confirmation", Reference: "SAML Profiles 4.1.4.2", Reasons: because(saml.NoBearerConfirmation), Forge: confirmed(func(c *Confirmation) { c.NotOnOrAfter = "" })},
		{Name: "NotOnOrAfter of the confirmation past", Reference: "SAML Profiles 4.1.4.3", Reasons: because(saml.Expired), Forge: timed(func(a *Answer, in in) {
			a.Assertion().Subject.Confirmations[0].NotOnOrAfter = in(-time.Hour)
		})},
		{Name: "NotOnOrAfter of the confirmation just past", Reference: "SAML Profiles 4.1.4.3", Reasons: because(saml.Expired), Forge: timed(func(a *Answer, in in) {
			a.Assertion().Subject.Confirmations[0].NotOnOrAfter = in(-4 * time.Minute) // the usual tolerance is three
		})},
		{Name: "NotOnOrAfter of the confirmation no time", Reference: "SAML Core 1.3.3", Reasons: because(saml.BadResponse, saml.Expired, saml.NoBearerConfirmation), Forge: confirmed(func(c *Confirmation) { c.NotOnOrAfter = "tomorrow" })},
		{Name: "NotBefore of the confirmation to come", Reference: "SAML Core 2.4.1.2", Reasons: because(saml.NotYetValid, saml.NoBearerConfirmation), Forge: timed(func(a *Answer, in in) {
			a.Assertion().Subject.Confirmations[0].NotBefore = in(10 * time.Minute)
			a.Assertion().Subject.Confirmations[0].NotOnOrAfter = in(20 * time.Minute)
		})},
		{Name: "valid for a year", Reference: "DESIGN section 9, number 4: what must be remembered for long", Reasons: because(saml.ValidTooLong), Forge: timed(func(a *Answer, in in) {
			a.Assertion().Subject.Confirmations[0].NotOnOrAfter = in(365 * 24 * time.Hour)
			a.Assertion().Conditions.NotOnOrAfter = in(365 * 24 * time.Hour)
		})},
		{Name: "InResponseTo of the assertion names another request", Reference: "SAML Profiles 4.1.4.3", Reasons: because(saml.WrongInResponseTo, saml.UnknownRequest),
			Forge: confirmed(func(c *Confirmation) { c.InResponseTo = newID() })},
		{Name: "InResponseTo of the assertion missing", Reference: "SAML Profiles 4.1.4.2", Reasons: because(saml.WrongInResponseTo), Forge: confirmed(func(c *Confirmation) { c.InResponseTo = "" })},
		{Name: "InResponseTo of the assertion empty", Reference: "SAML Profiles 4.1.4.2", Reasons: because(saml.WrongInResponseTo, saml.BadResponse, saml.UnknownRequest), Forge: confirmed(func(c *Confirmation) { c.InResponseTo = Blank })},
		{Name: "InResponseTo of the response names another request", Reference: "SAML Core 3.2.2", Reasons: because(saml.WrongInResponseTo, saml.UnknownRequest),
			Forge: before(func(a *Answer) { a.InResponseTo = newID() })},
		{Name: "InResponseTo of the response missing", Reference: "SAML Core 3.2.2", Reasons: because(saml.WrongInResponseTo, saml.UnsolicitedNotAllowed), Base: around,
			Forge: before(func(a *Answer) { a.InResponseTo = "" })},
	}
}

// confirmed changes the one confirmation.
func confirmed(change func(c *Confirmation)) forge {
	return before(func(a *Answer) { change(&a.Assertion().Subject.Confirmations[0]) })
}

// twice doubles the named element of the assertion before it is signed, the copy for somebody else.
func twice(tag string) forge {
	return edit(func(response *etree.Element) {
		el := assertionOf(response).FindElement(".//" + tag)
		copied := el.Copy()
		if name := copied.FindElement(".//NameID"); name != nil {
			name.SetText(evil)
		}
		el.Parent().InsertChildAt(el.Index()+1, copied)
	})
}
