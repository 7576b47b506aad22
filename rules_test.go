package saml_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml"
	"github.com/logintrust/saml/samltest"
)

const skew = 3 * time.Minute

func at(d time.Duration) string { return now.Add(d).Format("2006-01-02T15:04:05.999Z") }

// A ruleCase is one answer and the reason for which it is refused, "" if it is accepted.
type ruleCase struct {
	name   string
	edit   func(*samltest.Answer)
	reason saml.Reason
	trust  func(*saml.LoginTrust, *saml.Config)
}

// judge runs each case in a world of its own.
func judge(t *testing.T, cases []ruleCase) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var changes []func(*saml.LoginTrust, *saml.Config)
			if c.trust != nil {
				changes = append(changes, c.trust)
			}
			login, err := newWorld(t, changes...).login(c.edit)
			if c.reason == "" {
				accepted(t, login, err)
				return
			}
			refused(t, c.reason, login, err)
		})
	}
}

func signResponse(a *samltest.Answer)  { a.Sign = samltest.SignResponse }
func signAssertion(a *samltest.Answer) { a.Sign = samltest.SignAssertion }
func signBoth(a *samltest.Answer)      { a.Sign = samltest.SignResponse | samltest.SignAssertion }

// both applies edits one after the other.
func both(edits ...func(*samltest.Answer)) func(*samltest.Answer) {
	return func(a *samltest.Answer) {
		for _, e := range edits {
			e(a)
		}
	}
}

func confirmation(edit func(*samltest.Confirmation)) func(*samltest.Answer) {
	return func(a *samltest.Answer) { edit(&a.Assertion().Subject.Confirmations[0]) }
}

func conditions(edit func(*samltest.Conditions)) func(*samltest.Answer) {
	return func(a *samltest.Answer) { edit(a.Assertion().Conditions) }
}

func statement(edit func(*samltest.AuthnStatement)) func(*samltest.Answer) {
	return func(a *samltest.Answer) { edit(&a.Assertion().Statements[0]) }
}

// req: CORE-4.1.2-ver
func TestVersion(t *testing.T) {
	t.Parallel()
	judge(t, []ruleCase{
		{"2.0", func(a *samltest.Answer) { a.Version = "2.0" }, "", nil},
		{"1.1", func(a *samltest.Answer) { a.Version = "1.1" }, saml.WrongVersion, nil},
		{"2.1", func(a *samltest.Answer) { a.Version = "2.1" }, saml.WrongVersion, nil},
		{"3.0", func(a *samltest.Answer) { a.Version = "3.0" }, saml.WrongVersion, nil},
		{"absent", func(a *samltest.Answer) { a.Version = "" }, saml.WrongVersion, nil},
		{"assertion 1.1", func(a *samltest.Answer) { a.Assertion().Version = "1.1" }, saml.WrongVersion, nil},
		{"assertion absent", func(a *samltest.Answer) { a.Assertion().Version = "" }, saml.WrongVersion, nil},
	})
}

// req: CORE-3.2.2-dest OWASP-dest BIND-3.5.5.2-recv
func TestDestination(t *testing.T) {
	t.Parallel()
	requireDestination := func(t *saml.LoginTrust, _ *saml.Config) { t.RequireDestination = true }
	dest := func(d string) func(*samltest.Answer) { return func(a *samltest.Answer) { a.Destination = d } }
	judge(t, []ruleCase{
		{"ours, signed", signResponse, "", nil},
		{"another path", dest("https://sp.example.com/sso/acs2"), saml.WrongDestination, nil},
		{"another case", dest("https://sp.example.com/SSO/acs"), saml.WrongDestination, nil},
		{"default port", dest("https://sp.example.com:443/sso/acs"), saml.WrongDestination, nil},
		{"trailing slash", dest("https://sp.example.com/sso/acs/"), saml.WrongDestination, nil},
		{"empty", dest(samltest.Blank), saml.WrongDestination, nil},
		{"absent, assertion signed", both(signAssertion, dest("")), "", nil},
		{"absent, response signed", both(signResponse, dest("")), saml.WrongDestination, nil},
		{"absent though required", both(signAssertion, dest("")), saml.WrongDestination, requireDestination},
		{"there as required", signAssertion, "", requireDestination},
	})
}

// req: E17 E26-issuer CORE-1.3.1-cmp SA-05 SA-11
func TestIssuer(t *testing.T) {
	t.Parallel()
	issuer := func(v string) func(*samltest.Answer) {
		return func(a *samltest.Answer) { a.Issuer = &samltest.NameID{Value: v} }
	}
	none := func(a *samltest.Answer) { a.Issuer = nil }
	format := func(f string) func(*samltest.Answer) {
		return func(a *samltest.Answer) { a.Issuer.Format, a.Assertion().Issuer.Format = f, f }
	}
	judge(t, []ruleCase{
		{"both", signBoth, "", nil},
		{"response without, assertion signed", both(signAssertion, none), "", nil},
		{"response without, response signed", both(signResponse, none), saml.WrongIssuer, nil},
		{"entity format", format(samltest.FormatEntity), "", nil},
		{"another format", format(samltest.FormatPersistent), saml.WrongIssuer, nil},
		{"unknown", issuer("https://other.example.com"), saml.UnknownDomain, nil},
		{"trailing slash", issuer("https://idp.example.com/metadata/"), saml.UnknownDomain, nil},
		{"white space around", issuer(" https://idp.example.com/metadata "), saml.UnknownDomain, nil},
		{"another case", issuer("https://IDP.example.com/metadata"), saml.UnknownDomain, nil},
		{"assertion of another, response signed", both(signResponse, func(a *samltest.Answer) {
			a.Assertion().Issuer = &samltest.NameID{Value: "https://other.example.com"}
		}), saml.WrongIssuer, nil},
		{"assertion without", func(a *samltest.Answer) { a.Assertion().Issuer = nil }, saml.BadResponse, nil},
		{"neither", both(signAssertion, none, func(a *samltest.Answer) { a.Assertion().Issuer = nil }), saml.WrongIssuer, nil},
	})
}

// req: CORE-3.2.2.2 PROF-4.1.4.2-err PROF-4.1.4.2-one
func TestStatusAndCount(t *testing.T) {
	t.Parallel()
	status := func(code string) func(*samltest.Answer) {
		return func(a *samltest.Answer) { a.Status = &samltest.Status{Code: code} }
	}
	judge(t, []ruleCase{
		{"success", status(samltest.Success), "", nil},
		{"responder with assertion", status(samltest.Responder), saml.IdPRefused, nil},
		{"requester with assertion", status(samltest.Requester), saml.IdPRefused, nil},
		{"made up", status("urn:example:fine"), saml.IdPRefused, nil},
		{"success in another case", status("urn:oasis:names:tc:saml:2.0:status:success"), saml.IdPRefused, nil},
		{"no status", func(a *samltest.Answer) { a.Status = nil }, saml.IdPRefused, nil},
		{"no assertion", func(a *samltest.Answer) { a.Assertions = nil }, saml.NoAssertion, nil},
		{"no assertion, signed", both(signResponse, func(a *samltest.Answer) { a.Assertions = nil }), saml.NoAssertion, nil},
	})
}

// req: E26-multi RP-PARTIAL PROF-4.1.4.3-discard
func TestSeveralAssertions(t *testing.T) {
	t.Parallel()
	for _, sign := range []func(*samltest.Answer){signResponse, signAssertion, signBoth} {
		login, err := newWorld(t).login(sign, func(a *samltest.Answer) {
			second := *a.Assertion()
			second.ID, second.Unsigned = "_second", true
			a.Assertions = append(a.Assertions, &second)
		})
		refused(t, saml.SeveralAssertions, login, err)
	}
}

// req: RP-NOSUBJ SDP-SP13 AN-BASEID
func TestSubject(t *testing.T) {
	t.Parallel()
	judge(t, []ruleCase{
		{"absent", func(a *samltest.Answer) { a.Assertion().Subject = nil }, saml.NoSubject, nil},
		{"without NameID", func(a *samltest.Answer) { a.Assertion().Subject.NameID = nil }, "", nil},
		{"empty NameID", func(a *samltest.Answer) { a.Assertion().Subject.NameID.Value = "" }, saml.NoSubject, nil},
		{"blank NameID", func(a *samltest.Answer) { a.Assertion().Subject.NameID.Value = " \u00a0\n" }, saml.NoSubject, nil},
		{"for us", func(a *samltest.Answer) {
			a.Assertion().Subject.NameID.SPNameQualifier = "https://sp.example.com/sso/metadata"
		}, "", nil},
		{"for another", func(a *samltest.Answer) {
			a.Assertion().Subject.NameID.SPNameQualifier = "https://other.example.com"
		}, saml.WrongSubjectQualifier, nil},
	})
}

// req: E26-bearer E26-any SC-DATA SC-RECIP SC-NOOA SC-NB SC-HOKONLY SC-XSITYPE
func TestSubjectConfirmation(t *testing.T) {
	t.Parallel()
	add := func(c samltest.Confirmation) func(*samltest.Answer) {
		return func(a *samltest.Answer) {
			s := a.Assertion().Subject
			s.Confirmations = append([]samltest.Confirmation{c}, s.Confirmations...)
		}
	}
	judge(t, []ruleCase{
		{"none", func(a *samltest.Answer) { a.Assertion().Subject.Confirmations = nil }, saml.NoBearerConfirmation, nil},
		{"holder of key", confirmation(func(c *samltest.Confirmation) { c.Method = samltest.HolderOfKey }), saml.NoBearerConfirmation, nil},
		{"sender vouches", confirmation(func(c *samltest.Confirmation) { c.Method = samltest.SenderVouches }), saml.NoBearerConfirmation, nil},
		{"no data", confirmation(func(c *samltest.Confirmation) { c.NoData = true }), saml.NoBearerConfirmation, nil},
		{"no Recipient", confirmation(func(c *samltest.Confirmation) { c.Recipient = "" }), saml.NoBearerConfirmation, nil},
		{"no NotOnOrAfter", confirmation(func(c *samltest.Confirmation) { c.NotOnOrAfter = "" }), saml.NoBearerConfirmation, nil},
		{"other recipient", confirmation(func(c *samltest.Confirmation) { c.Recipient = "https://sp.example.com/sso/acs2" }), saml.WrongRecipient, nil},
		{"expired, within tolerance", confirmation(func(c *samltest.Confirmation) { c.NotOnOrAfter = at(-skew + time.Millisecond) }), "", nil},
		{"expired", confirmation(func(c *samltest.Confirmation) { c.NotOnOrAfter = at(-skew) }), saml.Expired, nil},
		{"not yet, within tolerance", confirmation(func(c *samltest.Confirmation) { c.NotBefore = at(skew) }), "", nil},
		{"not yet", confirmation(func(c *samltest.Confirmation) { c.NotBefore = at(skew + time.Millisecond) }), saml.NotYetValid, nil},
		{"a bad one first", add(samltest.Confirmation{Method: samltest.Bearer, Recipient: "https://other.example.com/acs", NotOnOrAfter: at(time.Minute)}), "", nil},
		{"a holder of key first", add(samltest.Confirmation{Method: samltest.HolderOfKey, NoData: true}), "", nil},
		{"xsi:type", both(func(a *samltest.Answer) {
			a.BeforeSign = setConfirmationType
		}), "", nil},
		{"a time that is none", confirmation(func(c *samltest.Confirmation) { c.NotOnOrAfter = "soon" }), saml.BadResponse, nil},
	})
}

// req: SC-IRT CORE-3.2.2-irt PROF-4.1.5-irt
func TestInResponseTo(t *testing.T) {
	t.Parallel()
	response := func(id string) func(*samltest.Answer) { return func(a *samltest.Answer) { a.InResponseTo = id } }
	data := func(id string) func(*samltest.Answer) {
		return confirmation(func(c *samltest.Confirmation) { c.InResponseTo = id })
	}
	judge(t, []ruleCase{
		{"response absent", response(""), saml.WrongInResponseTo, nil},
		{"confirmation absent", data(""), saml.WrongInResponseTo, nil},
		{"confirmation other", data("_other"), saml.WrongInResponseTo, nil},
		{"response other", both(signAssertion, response("_other")), saml.WrongInResponseTo, nil},
		{"both unknown", both(response("_unknown"), data("_unknown")), saml.UnknownRequest, nil},
		{"both unknown, IdP may begin", both(response("_unknown"), data("_unknown")), saml.UnknownRequest, allowIdPInitiated},
		{"both unknown, tolerated", both(response("_unknown"), data("_unknown")), "", func(t *saml.LoginTrust, _ *saml.Config) {
			t.AllowIdPInitiated, t.AllowUnknownInResponseTo = true, true
		}},
		{"both absent", both(response(""), data("")), saml.UnsolicitedNotAllowed, nil},
		{"both absent, IdP may begin", both(response(""), data("")), "", allowIdPInitiated},
		{"empty", both(response(samltest.Blank), data(samltest.Blank)), saml.UnknownRequest, allowIdPInitiated},
	})
}

// req: CORE-2.5.1.1 CORE-2.5.1.2 CORE-2.5.1.2-inv COND-SINGLE COND-BOTH CORE-2.5.1.6 IIP-G01
func TestConditions(t *testing.T) {
	t.Parallel()
	bounds := func(from, to string) func(*samltest.Answer) {
		return conditions(func(c *samltest.Conditions) { c.NotBefore, c.NotOnOrAfter = from, to })
	}
	strictClock := func(_ *saml.LoginTrust, c *saml.Config) { c.ClockSkew = -1 }
	judge(t, []ruleCase{
		{"no bounds", bounds("", ""), "", nil},
		{"starts now", bounds(at(0), at(time.Minute)), "", strictClock},
		{"starts later", bounds(at(time.Millisecond), at(time.Minute)), saml.NotYetValid, strictClock},
		{"starts within tolerance", bounds(at(skew), at(time.Hour)), "", nil},
		{"starts beyond tolerance", bounds(at(skew+time.Millisecond), at(time.Hour)), saml.NotYetValid, nil},
		{"ends now", bounds(at(-time.Minute), at(0)), saml.Expired, strictClock},
		{"ends later", bounds(at(-time.Minute), at(time.Millisecond)), "", strictClock},
		{"ended within tolerance", bounds(at(-time.Hour), at(-skew+time.Millisecond)), "", nil},
		{"ended beyond tolerance", bounds(at(-time.Hour), at(-skew)), saml.Expired, nil},
		{"starts as it ends", bounds(at(time.Second), at(time.Second)), saml.BadConditions, nil},
		{"ends before it starts", bounds(at(2*time.Second), at(time.Second)), saml.BadConditions, nil},
		{"the year one", bounds("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"), saml.BadResponse, nil},
		{"unknown condition", conditions(func(c *samltest.Conditions) {
			c.Raw = []string{`<saml:Condition xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:x="urn:x" xsi:type="x:Moon"/>`}
		}), saml.UnknownCondition, nil},
		{"foreign condition", conditions(func(c *samltest.Conditions) { c.Raw = []string{`<x:Moon xmlns:x="urn:x"/>`} }), saml.UnknownCondition, nil},
		{"one time use", conditions(func(c *samltest.Conditions) { c.OneTimeUse = 1 }), "", nil},
		{"one time use twice", conditions(func(c *samltest.Conditions) { c.OneTimeUse = 2 }), saml.BadConditions, nil},
		{"proxy restriction", conditions(func(c *samltest.Conditions) {
			c.ProxyRestriction = &samltest.ProxyRestriction{Count: "0", Audiences: []string{"https://x.example.com"}}
		}), "", nil},
	})
}

// req: PROF-4.1.4.2-aud E46 COND-AUDMULTI COND-AUDEXTRA
func TestAudience(t *testing.T) {
	t.Parallel()
	const ours = "https://sp.example.com/sso/metadata"
	audiences := func(list ...[]string) func(*samltest.Answer) {
		return conditions(func(c *samltest.Conditions) { c.Audiences = list })
	}
	alias := func(t *saml.LoginTrust, _ *saml.Config) { t.Audiences = []string{"urn:alias"} }
	judge(t, []ruleCase{
		{"ours", audiences([]string{ours}), "", nil},
		{"no conditions", func(a *samltest.Answer) { a.Assertion().Conditions = nil }, saml.WrongAudience, nil},
		{"no restriction", audiences(), saml.WrongAudience, nil},
		{"empty restriction", audiences([]string{}), saml.WrongAudience, nil},
		{"other", audiences([]string{"https://other.example.com"}), saml.WrongAudience, nil},
		{"trailing slash", audiences([]string{ours + "/"}), saml.WrongAudience, nil},
		{"ours second", audiences([]string{"urn:other", ours}), "", nil},
		{"ours first", audiences([]string{ours, "urn:other"}), "", nil},
		{"two restrictions met", audiences([]string{ours}, []string{"urn:x", ours}), "", nil},
		{"two restrictions, one not met", audiences([]string{ours}, []string{"urn:other"}), saml.WrongAudience, nil},
		{"two restrictions, the first not met", audiences([]string{"urn:other"}, []string{ours}), saml.WrongAudience, nil},
		{"alias", audiences([]string{"urn:alias"}), "", alias},
		{"alias of nobody", audiences([]string{"urn:alias"}), saml.WrongAudience, nil},
	})
}

// req: E26-authn AS-INSTANT E26-snooa IIP-SP07 NIST-4-xal AS-MAXAGE CORE-2.7.2.2 AS-LOCALITY
func TestAuthnStatement(t *testing.T) {
	t.Parallel()
	class := func(t *saml.LoginTrust, _ *saml.Config) { t.AuthnContext = []string{"urn:mfa", "urn:smartcard"} }
	hour := func(t *saml.LoginTrust, _ *saml.Config) { t.MaxAuthnAge = time.Hour }
	judge(t, []ruleCase{
		{"none", func(a *samltest.Answer) { a.Assertion().Statements = nil }, saml.NoAuthnStatement, nil},
		{"no instant", statement(func(s *samltest.AuthnStatement) { s.AuthnInstant = "" }), saml.NoAuthnStatement, nil},
		{"a day ago", statement(func(s *samltest.AuthnStatement) { s.AuthnInstant = at(-24 * time.Hour) }), "", nil},
		{"future, within tolerance", statement(func(s *samltest.AuthnStatement) { s.AuthnInstant = at(skew) }), "", nil},
		{"future", statement(func(s *samltest.AuthnStatement) { s.AuthnInstant = at(skew + time.Millisecond) }), saml.AuthnInFuture, nil},
		{"session over", statement(func(s *samltest.AuthnStatement) { s.SessionNotOnOrAfter = at(-skew) }), saml.SessionExpired, nil},
		{"session just over", statement(func(s *samltest.AuthnStatement) { s.SessionNotOnOrAfter = at(-skew + time.Millisecond) }), "", nil},
		{"no context", statement(func(s *samltest.AuthnStatement) { s.NoContext = true }), saml.BadResponse, nil},
		{"declaration only", statement(func(s *samltest.AuthnStatement) { s.ClassRef, s.DeclRef = "", "urn:decl" }), "", nil},
		{"class and declaration", statement(func(s *samltest.AuthnStatement) { s.DeclRef = "urn:decl" }), "", nil},
		{"locality", statement(func(s *samltest.AuthnStatement) { s.Address = "192.0.2.7" }), "", nil},
		{"accepted class", statement(func(s *samltest.AuthnStatement) { s.ClassRef = "urn:smartcard" }), "", class},
		{"other class", statement(func(s *samltest.AuthnStatement) { s.ClassRef = "urn:password" }), saml.WrongAuthnContext, class},
		{"no class", statement(func(s *samltest.AuthnStatement) { s.ClassRef, s.DeclRef = "", "urn:decl" }), saml.WrongAuthnContext, class},
		{"fresh enough", statement(func(s *samltest.AuthnStatement) { s.AuthnInstant = at(-time.Hour - skew) }), "", hour},
		{"too old", statement(func(s *samltest.AuthnStatement) { s.AuthnInstant = at(-time.Hour - skew - time.Millisecond) }), saml.ReauthenticationRequired, hour},
	})
}

// req: AS-FORCE AS-EXACT AS-MAXAGE E15
func TestAskedFor(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		opts   saml.StartOptions
		edit   func(*samltest.Answer)
		reason saml.Reason
	}{
		{"forced, fresh", saml.StartOptions{ForceAuthn: true}, statement(func(s *samltest.AuthnStatement) { s.AuthnInstant = at(-skew) }), ""},
		{"forced, stale", saml.StartOptions{ForceAuthn: true}, statement(func(s *samltest.AuthnStatement) { s.AuthnInstant = at(-skew - time.Millisecond) }), saml.ReauthenticationRequired},
		{"class given", saml.StartOptions{AuthnContext: []string{"urn:mfa"}}, statement(func(s *samltest.AuthnStatement) { s.ClassRef = "urn:mfa" }), ""},
		{"class not given", saml.StartOptions{AuthnContext: []string{"urn:mfa"}}, statement(func(s *samltest.AuthnStatement) { s.ClassRef = "urn:pw" }), saml.WrongAuthnContext},
		{"age kept", saml.StartOptions{MaxAuthnAge: time.Minute}, statement(func(s *samltest.AuthnStatement) { s.AuthnInstant = at(-time.Minute) }), ""},
		{"age not kept", saml.StartOptions{MaxAuthnAge: time.Minute}, statement(func(s *samltest.AuthnStatement) { s.AuthnInstant = at(-time.Hour) }), saml.ReauthenticationRequired},
		{"format given", saml.StartOptions{NameIDFormat: saml.NameIDPersistent}, func(a *samltest.Answer) { a.Assertion().Subject.NameID.Format = saml.NameIDPersistent }, ""},
		{"any format", saml.StartOptions{NameIDFormat: saml.NameIDUnspecified}, func(a *samltest.Answer) { a.Assertion().Subject.NameID.Format = saml.NameIDPersistent }, ""},
		{"other format", saml.StartOptions{NameIDFormat: saml.NameIDPersistent}, func(a *samltest.Answer) { a.Assertion().Subject.NameID.Format = saml.NameIDEmail }, saml.WrongNameIDFormat},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			login, err := newWorld(t).loginAsking(c.opts, c.edit)
			if c.reason == "" {
				accepted(t, login, err)
				return
			}
			refused(t, c.reason, login, err)
		})
	}
}

// req: IIP-SSO04 CORE-5.3 E7-was IIP-SP13 E26-sig
func TestRequiredSignatures(t *testing.T) {
	t.Parallel()
	response := func(t *saml.LoginTrust, _ *saml.Config) { t.RequireSignedResponse = true }
	assertion := func(t *saml.LoginTrust, _ *saml.Config) { t.RequireSignedAssertion = true }
	nothing := func(a *samltest.Answer) { a.Sign = samltest.SignNothing }
	judge(t, []ruleCase{
		{"response", signResponse, "", nil},
		{"assertion", signAssertion, "", nil},
		{"both", signBoth, "", nil},
		{"nothing", nothing, saml.Unsigned, nil},
		{"response, as required", signResponse, "", response},
		{"assertion, response required", signAssertion, saml.Unsigned, response},
		{"assertion, as required", signAssertion, "", assertion},
		{"response, assertion required", signResponse, saml.Unsigned, assertion},
		{"both, response required", signBoth, "", response},
	})
}

// An assertion in clear is refused where the trust wants it encrypted, and is not spent by that.
func TestRequiredEncryption(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(t *saml.LoginTrust, _ *saml.Config) { t.RequireEncryption = true })
	started, request := w.start(saml.StartOptions{})
	answer := w.idp.Answer(request)
	login, err := w.post(answer, started.BrowserKey)
	refused(t, saml.EncryptionRequired, login, err)
	trust := w.trust()
	trust.RequireEncryption = false
	w.trusts.Set(trust)
	login, err = w.post(answer, started.BrowserKey)
	accepted(t, login, err)
}

// req: RY-CAP TM-ISSUE
func TestHorizonAndIssueInstant(t *testing.T) {
	t.Parallel()
	judge(t, []ruleCase{
		{"24 hours", confirmation(func(c *samltest.Confirmation) { c.NotOnOrAfter = at(24 * time.Hour) }), "", nil},
		{"longer", confirmation(func(c *samltest.Confirmation) { c.NotOnOrAfter = at(24*time.Hour + time.Millisecond) }), saml.ValidTooLong, nil},
		{"ten years", confirmation(func(c *samltest.Confirmation) { c.NotOnOrAfter = at(87600 * time.Hour) }), saml.ValidTooLong, nil},
		{"issued an hour ago", func(a *samltest.Answer) { a.IssueInstant = at(-time.Hour); a.Assertion().IssueInstant = at(-time.Hour) }, "", nil},
		{"issued ahead, within tolerance", func(a *samltest.Answer) { a.Assertion().IssueInstant = at(skew) }, "", nil},
		{"issued ahead", func(a *samltest.Answer) { a.Assertion().IssueInstant = at(skew + time.Millisecond) }, saml.NotYetValid, nil},
		{"response issued ahead", func(a *samltest.Answer) { a.IssueInstant = at(skew + time.Millisecond) }, saml.NotYetValid, nil},
		{"no IssueInstant", func(a *samltest.Answer) { a.Assertion().IssueInstant = "" }, saml.BadResponse, nil},
	})
}

// req: SDP-SP12
func TestRequiredAttributes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(t *saml.LoginTrust, _ *saml.Config) {
		t.RequiredAttributes = []string{"department", "badge"}
		t.ErrorURL = "https://idp.example.com/help"
	})
	login, err := w.login(func(a *samltest.Answer) {
		a.Assertion().Attributes = []samltest.Attribute{samltest.Attr("department", "7")}
	})
	e := refused(t, saml.MissingAttribute, login, err)
	assert.Equal(t, []string{"badge"}, e.Missing)
	assert.Equal(t, "https://idp.example.com/help", e.ErrorURL)
	assert.Equal(t, w.idp.EntityID, e.Domain)
	login, err = w.login(func(a *samltest.Answer) {
		a.Assertion().Attributes = []samltest.Attribute{samltest.Attr("department", "7"), samltest.Attr("badge")}
	})
	refused(t, saml.MissingAttribute, login, err) // an attribute without value says nothing
	login, err = w.login(func(a *samltest.Answer) {
		a.Assertion().Attributes = []samltest.Attribute{samltest.Attr("department", "7"), samltest.Attr("badge", "1")}
	})
	accepted(t, login, err)
}

// req: SC-ADDR
func TestClientAddress(t *testing.T) {
	t.Parallel()
	check := func(t *saml.LoginTrust, _ *saml.Config) { t.CheckClientAddress = true }
	for _, c := range []struct {
		name, stated, client string
		trust                func(*saml.LoginTrust, *saml.Config)
		reason               saml.Reason
	}{
		{"not checked", "192.0.2.1", "192.0.2.2", allowIdPInitiated, ""},
		{"same", "192.0.2.1", "192.0.2.1", check, ""},
		{"mapped", "192.0.2.1", "::ffff:192.0.2.1", check, ""},
		{"written otherwise", "2001:DB8:0:0:0:0:0:1", "2001:db8::1", check, ""},
		{"other", "192.0.2.1", "192.0.2.2", check, saml.WrongAddress},
		{"unknown client", "192.0.2.1", "", check, saml.WrongAddress},
		{"not stated", "", "192.0.2.2", check, ""},
		{"no address", "here", "192.0.2.2", check, saml.WrongAddress},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, c.trust)
			started, request := w.start(saml.StartOptions{})
			answer := w.idp.Answer(request)
			answer.Assertion().Subject.Confirmations[0].Address = c.stated
			posted := saml.Posted{SAMLResponse: answer.Encode(), BrowserKey: started.BrowserKey}
			if c.client != "" {
				posted.ClientAddress = mustAddr(c.client)
			}
			login, err := w.sp.Validate(t.Context(), posted)
			if c.reason == "" {
				accepted(t, login, err)
				return
			}
			refused(t, c.reason, login, err)
		})
	}
}

// req: SDP-SP11 ER-NOPASSIVE ER-NOAUTHNCTX ER-UNSIGNED IIP-SSO03
func TestStatusOfARefusal(t *testing.T) {
	t.Parallel()
	const prefix = "urn:oasis:names:tc:SAML:2.0:status:"
	for _, code := range []string{"AuthnFailed", "InvalidAttrNameOrValue", "InvalidNameIDPolicy", "NoAuthnContext", "NoAvailableIDP", "NoPassive",
		"NoSupportedIDP", "PartialLogout", "ProxyCountExceeded", "RequestDenied", "RequestUnsupported", "RequestVersionDeprecated",
		"RequestVersionTooHigh", "RequestVersionTooLow", "ResourceNotRecognized", "TooManyResponses", "UnknownAttrProfile",
		"UnknownPrincipal", "UnsupportedBinding", "Unheard", ""} {
		for _, sign := range []samltest.Parts{samltest.SignNothing, samltest.SignResponse} {
			w := newWorld(t)
			started, request := w.start(saml.StartOptions{})
			status := samltest.Status{Code: samltest.Responder, Message: "<script>alert(1)</script>", Detail: []string{`<x:Cause xmlns:x="urn:x">77</x:Cause>`}}
			want := []string(nil)
			if code != "" {
				status.Second = prefix + code
				want = []string{prefix + code}
			}
			answer := w.idp.Refuse(request, status)
			answer.Sign = sign
			login, err := w.post(answer, started.BrowserKey)
			reason := saml.IdPRefused
			if code == "NoPassive" {
				reason = saml.NoPassive
			}
			e := refused(t, reason, login, err)
			require.NotNil(t, e.Status)
			assert.Equal(t, samltest.Responder, e.Status.Code)
			assert.Equal(t, want, e.Status.Sub)
			assert.Contains(t, e.Status.Detail, "Cause")
			assert.Equal(t, sign == samltest.SignResponse, e.Status.Signed)
			assert.Equal(t, code == "AuthnFailed", e.Status.Has(saml.StatusAuthnFailed))
			assert.True(t, e.Status.Has(saml.StatusResponder))
			assert.NotContains(t, err.Error(), "alert")
		}
	}
}

// req: ER-UNSIGNED
func TestStatusWithABadSignature(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	started, request := w.start(saml.StartOptions{})
	answer := w.idp.Refuse(request, samltest.Status{Code: samltest.Responder, Message: "old"})
	answer.Sign = samltest.SignResponse
	answer.Bytes = replaceBytes(">old<", ">new<")
	login, err := w.post(answer, started.BrowserKey)
	refused(t, saml.BadSignature, login, err)
}

const (
	classMFA      = "https://refeds.org/profile/mfa"
	classPassword = "urn:oasis:names:tc:SAML:2.0:ac:classes:Password"
)

// twoStatements: a strong authentication hours ago, and a password just now.
func twoStatements(a *samltest.Answer) {
	s := a.Assertion().Statements
	strong, weak := s[0], s[0]
	strong.ClassRef, strong.AuthnInstant = classMFA, samltest.Time(now.Add(-8*time.Hour))
	weak.ClassRef, weak.AuthnInstant = classPassword, samltest.Time(now)
	a.Assertion().Statements = []samltest.AuthnStatement{strong, weak}
}

// An old strong authentication and a fresh weak one are no fresh strong one, neither for the trust nor for a request.
//
// req: CORE-3.4.1-force
func TestOldStrongAndFreshWeak(t *testing.T) {
	t.Parallel()
	w := newWorld(t, editTrust(func(t *saml.LoginTrust) { t.AuthnContext, t.MaxAuthnAge = []string{classMFA}, 10*time.Minute }))
	login, err := w.login(twoStatements)
	refused(t, saml.ReauthenticationRequired, login, err)

	w = newWorld(t, editTrust(func(t *saml.LoginTrust) {
		t.AuthnContext, t.MaxAuthnAge = []string{classMFA, classPassword}, 10*time.Minute
	}))
	login, err = w.login(twoStatements)
	accepted(t, login, err)

	w = newWorld(t)
	login, err = w.login()
	as := accepted(t, login, err).Subject()
	for _, opts := range []saml.StartOptions{
		{ForceAuthn: true, SameSubject: &as, AuthnContext: []string{classMFA}},
		{MaxAuthnAge: time.Hour, AuthnContext: []string{classMFA}},
	} {
		login, err = w.loginAsking(opts, twoStatements)
		refused(t, saml.ReauthenticationRequired, login, err)
	}
	login, err = w.loginAsking(saml.StartOptions{ForceAuthn: true, SameSubject: &as}, twoStatements)
	assert.True(t, accepted(t, login, err).SteppedUp(), "any class will do")

	w = newWorld(t, editTrust(func(t *saml.LoginTrust) { t.AuthnContext = []string{classMFA} }))
	login, err = w.loginAsking(saml.StartOptions{ForceAuthn: true}, twoStatements)
	refused(t, saml.ReauthenticationRequired, login, err)
}
