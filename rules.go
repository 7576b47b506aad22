package saml

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/logintrust/saml/internal/wire"
)

// A candidate is a message on its way through the rules: what the pinned keys vouch for, and by what it is judged.
type candidate struct {
	*wire.Opened
	trust    *LoginTrust
	issuer   string // the Issuer that picked the trust
	resolved bool   // it came by an artifact
	entityID string
	acsURL   string
	now      time.Time
	skew     time.Duration
	headers  *wire.PAOSHeaders // nil for what browsers post
	client   netip.Addr        // invalid if the host does not know it
	rules    *ruleBook

	confirmed *wire.Confirmation // set by checkConfirmation
}

// isProven reports whether a key of the trust vouches for any of the message.
func (c *candidate) isProven() bool {
	return c.ResponseSigned || c.Assertion != nil
}

// A rule is one demand of the specification: what a report calls it, which reason it refuses with, where it is written,
// and the check, which returns what was found and what was wanted, or nil. shows says what a report shows of a message that
// passes, and needs which rule must hold before this one makes sense.
type rule struct {
	name   string
	reason Reason
	spec   string
	check  func(*candidate) *mismatch
	shows  func(*candidate) string
	needs  string
}

type mismatch struct {
	found, wanted string
	reason        Reason   // where a check tells more than one apart
	missing       []string // attributes, for MissingAttribute
}

// refuses holds a candidate against the rule.
func (r *rule) refuses(c *candidate) *Error {
	m := r.check(c)
	if m == nil {
		return nil
	}
	e := refuse(r.reason, m.found, m.wanted)
	if m.reason != "" {
		e.Reason = m.reason
	}
	e.Spec = r.spec
	return e
}

func (c *candidate) apply(rules []rule) *Error {
	for i := range rules {
		if e := rules[i].refuses(c); e != nil {
			return e
		}
	}
	return nil
}

// envelopeRules judge the Response itself. They come before the status is believed.
var envelopeRules = []rule{
	{"response version", WrongVersion, "SAML Core 4.1.3.2", checkVersion, showVersion, ""},
	{"destination", WrongDestination, "SAML Core 3.2.2, Bindings 3.5.5.2", checkDestination, showDestination, ""},
	{"response issuer", WrongIssuer, "SAML Core 3.2.2, Profiles 4.1.4.2", checkResponseIssuer, showResponseIssuer, ""},
	{"response time", NotYetValid, "SAML Core 1.3.3", checkResponseInstant, showResponseInstant, ""},
}

// Names of rules that others need.
const (
	ruleSubject      = "subject"
	ruleConfirmation = "subject confirmation"
	ruleStatement    = "authentication statement"
)

// assertionRules judge the assertion, in the order of the specification.
var assertionRules = []rule{
	{"assertion version", WrongVersion, "SAML Core 4.1.3.1", checkAssertionVersion, showAssertionVersion, ""},
	{"assertion issuer", WrongIssuer, "SAML Profiles 4.1.4.2", checkAssertionIssuer, showAssertionIssuer, ""},
	{"required signatures", Unsigned, "the login trust", checkRequiredSignatures, showSignatures, ""},
	{"encryption", EncryptionRequired, "the login trust", checkRequiredEncryption, showEncryption, ""},
	{"assertion time", NotYetValid, "SAML Core 2.3.3", checkAssertionInstant, showAssertionInstant, ""},
	{ruleSubject, NoSubject, "SAML Profiles 4.1.4.2", checkSubject, showSubject, ""},
	{"subject qualifier", WrongSubjectQualifier, "SAML Core 8.3.7", checkSubjectQualifier, showSubjectQualifier, ruleSubject},
	{ruleConfirmation, NoBearerConfirmation, "SAML Profiles 4.1.4.2", checkConfirmation, showConfirmation, ""},
	{"confirmation lifetime", ValidTooLong, "SAML Profiles 4.1.4.5", checkHorizon, showHorizon, ruleConfirmation},
	{"form of the conditions", BadConditions, "SAML Core 2.5.1", checkConditionsForm, nil, ""},
	{"known conditions", UnknownCondition, "SAML Core 2.5.1.1", checkConditionsKnown, nil, ""},
	{"not before", NotYetValid, "SAML Core 2.5.1.2", checkNotBefore, showNotBefore, ""},
	{"not on or after", Expired, "SAML Core 2.5.1.2", checkNotOnOrAfter, showNotOnOrAfter, ""},
	{"audience", WrongAudience, "SAML Core 2.5.1.4, Profiles 4.1.4.2", checkAudience, showAudience, ""},
	{ruleStatement, NoAuthnStatement, "SAML Profiles 4.1.4.2", checkAuthnStatement, showAuthnStatement, ""},
	{"authentication time", AuthnInFuture, "SAML Core 2.7.2", checkAuthnInstant, showAuthnInstant, ruleStatement},
	{"session end", SessionExpired, "SAML Core 2.7.2", checkSessionEnd, showSessionEnd, ruleStatement},
	{"authentication context", WrongAuthnContext, "the login trust", checkAuthnContext, showAuthnContext, ruleStatement},
	{"authentication age", ReauthenticationRequired, "the login trust", checkAuthnAge, showAuthnInstant, ruleStatement},
	{"required attributes", MissingAttribute, "the login trust", checkRequiredAttributes, showAttributes, ""},
}

// A ruleBook holds every rule that a message is held against; a test takes them away one at a time.
type ruleBook struct {
	envelope, assertion []rule
	confirmation        []confirmationRule
	asked               []askedRule
	address, departure  []logoutRule
	change              []logoutRule
}

func allRules() *ruleBook {
	return &ruleBook{envelopeRules, assertionRules, confirmationRules, askedRules, addressRules, departureRules, changeRules}
}

// before reports that t is still to come, and after that it is over; both with the tolerance for clocks that differ.
func (c *candidate) before(t time.Time) bool { return c.now.Before(t.Add(-c.skew)) }
func (c *candidate) after(t time.Time) bool  { return !c.now.Before(t.Add(c.skew)) }

func checkVersion(c *candidate) *mismatch {
	if c.Claims.Version != "2.0" {
		return &mismatch{found: quoted(c.Claims.Version), wanted: `Version "2.0"`}
	}
	return nil
}

// checkDestination: a Destination must be ours; a signed Response must have one. Stricter than Core 3.2.2 in that the URL
// is compared octet for octet, with what is configured and not with what the request's headers say.
func checkDestination(c *candidate) *mismatch {
	d := c.Claims.Destination
	switch {
	case !d.Present && c.resolved: // erratum E59: nobody was given it to deliver
	case !d.Present && (c.ResponseSigned || c.trust.RequireDestination):
		return &mismatch{found: "no Destination", wanted: quoted(c.acsURL)}
	case d.Present && d.Value != c.acsURL:
		return &mismatch{found: quoted(d.Value), wanted: quoted(c.acsURL)}
	}
	return nil
}

// checkResponseIssuer: the Issuer may be absent from a Response that is not signed (erratum E17).
func checkResponseIssuer(c *candidate) *mismatch {
	issuer := c.Claims.Issuer
	switch {
	case !issuer.Present && c.ResponseSigned:
		return &mismatch{found: "no Issuer in a signed Response", wanted: quoted(c.issuer)}
	case issuer.Present && issuer.Value != c.issuer:
		return &mismatch{found: quoted(issuer.Value), wanted: quoted(c.issuer)}
	case !isEntityFormat(c.Claims.IssuerFormat.Value):
		return &mismatch{found: quoted(c.Claims.IssuerFormat.Value), wanted: "an Issuer Format of entity or none"}
	}
	return nil
}

func isEntityFormat(format string) bool { return format == "" || format == wire.FormatEntity }

func checkResponseInstant(c *candidate) *mismatch {
	if c.before(c.Claims.IssueInstant) {
		return &mismatch{found: "IssueInstant " + stamp(c.Claims.IssueInstant), wanted: "at most " + stamp(c.now.Add(c.skew))}
	}
	return nil
}

// checkStatus tells a failure, which is no rule of ours: the identity provider did not sign the user in.
func checkStatus(c *candidate) *Error {
	if c.Claims.StatusCode == wire.StatusSuccess {
		return nil
	}
	status := &Status{Code: c.Claims.StatusCode, Sub: c.Claims.StatusSub, Message: c.Claims.StatusMessage, Detail: c.Claims.StatusDetail,
		Signed: c.ResponseSigned}
	reason := IdPRefused
	if status.Has(wire.StatusNoPassive) {
		reason = NoPassive
	}
	codes := make([]string, 0, 1+len(status.Sub))
	for _, code := range append([]string{status.Code}, status.Sub...) {
		codes = append(codes, quoted(code[strings.LastIndexByte(code, ':')+1:]))
	}
	e := refuse(reason, "status "+strings.Join(codes, " / "), "Success")
	e.Spec, e.Status = "SAML Core 3.2.2.2", status
	return e
}

// checkCount: one assertion. Stricter than Profiles 4.1.4.2, which lets a service provider take several; no
// product is known to send more than one, and each more is a way to hide one.
func checkCount(c *candidate) *Error {
	var e *Error
	switch {
	case c.Claims.Assertions == 0:
		e = refuse(NoAssertion, "none", "one assertion")
	case c.Claims.Assertions > 1:
		e = refuse(SeveralAssertions, fmt.Sprint(c.Claims.Assertions), "one assertion")
	case c.Claims.Encrypted > 0 && c.Assertion == nil:
		e = refuse(EncryptedAssertion, "an encrypted assertion", "a key of ours to open it, or an assertion in clear")
	case c.Assertion == nil:
		e = refuse(Unsigned, "no signature", "a signed Response or Assertion")
	default:
		return nil
	}
	e.Spec = "SAML Profiles 4.1.4.2"
	return e
}

func checkAssertionVersion(c *candidate) *mismatch {
	if c.Assertion.Version != "2.0" {
		return &mismatch{found: quoted(c.Assertion.Version), wanted: `Version "2.0"`}
	}
	return nil
}

// checkAssertionIssuer: the signed Issuer must be the one that picked the trust and its keys.
func checkAssertionIssuer(c *candidate) *mismatch {
	issuer := c.Assertion.Issuer
	if issuer.Value != c.issuer {
		return &mismatch{found: quoted(issuer.Value), wanted: quoted(c.issuer)}
	}
	if !isEntityFormat(issuer.Format) {
		return &mismatch{found: quoted(issuer.Format), wanted: "an Issuer Format of entity or none"}
	}
	return nil
}

func checkRequiredSignatures(c *candidate) *mismatch {
	switch {
	case c.trust.RequireSignedResponse && !c.ResponseSigned:
		return &mismatch{found: "a signature on the Assertion only", wanted: "a signed Response"}
	case c.trust.RequireSignedAssertion && !c.AssertionSigned:
		return &mismatch{found: "a signature on the Response only", wanted: "a signed Assertion"}
	}
	return nil
}

// checkRequiredEncryption: who is on the way, or in the browser, was not to read the assertion.
func checkRequiredEncryption(c *candidate) *mismatch {
	if c.trust.RequireEncryption && c.Claims.Encrypted == 0 {
		return &mismatch{found: "an assertion in clear", wanted: "an encrypted assertion"}
	}
	return nil
}

func checkAssertionInstant(c *candidate) *mismatch {
	if c.before(c.Assertion.IssueInstant) {
		return &mismatch{found: "IssueInstant " + stamp(c.Assertion.IssueInstant), wanted: "at most " + stamp(c.now.Add(c.skew))}
	}
	return nil
}

// checkSubject: a Subject is there. It need not have a NameID, but one that is there must name somebody.
func checkSubject(c *candidate) *mismatch {
	a := c.Assertion
	switch {
	case !a.HasSubject:
		return &mismatch{found: "no Subject", wanted: "a Subject"}
	case a.Identifier == wire.ByBaseID:
		return &mismatch{found: "a BaseID", wanted: "a NameID"}
	case a.Identifier == wire.ByNameID && strings.TrimSpace(a.NameID.Value) == "":
		return &mismatch{found: "a blank NameID", wanted: "a NameID"}
	}
	return nil
}

// checkSubjectQualifier: a NameID that was made for another service provider does not name one of our users.
func checkSubjectQualifier(c *candidate) *mismatch {
	if q := c.Assertion.NameID.SPNameQualifier; q != "" && !c.isOurs(q) {
		return &mismatch{found: quoted(q), wanted: quoted(c.entityID)}
	}
	return nil
}

// A confirmationRule is one demand on a SubjectConfirmation.
type confirmationRule struct {
	reason Reason
	check  func(*candidate, *wire.Confirmation) *mismatch
}

// confirmationRules judge one bearer confirmation (SAML Profiles 4.1.4.2 and 4.1.4.3).
var confirmationRules = []confirmationRule{
	{NoBearerConfirmation, confirmMethod},
	{NoBearerConfirmation, confirmData},
	{WrongRecipient, confirmRecipient},
	{WrongAddress, confirmAddress},
	{WrongInResponseTo, confirmInResponseTo},
	{NotYetValid, confirmNotBefore},
	{Expired, confirmNotOnOrAfter},
}

// checkConfirmation: one bearer confirmation that holds is enough; the others do not matter (erratum E26). If none does,
// the one that came furthest says why.
func checkConfirmation(c *candidate) *mismatch {
	var best *mismatch
	furthest := -1
	for i := range c.Assertion.Confirmations {
		sc := &c.Assertion.Confirmations[i]
		passed := 0
		var m *mismatch
		for _, r := range c.rules.confirmation {
			if m = r.check(c, sc); m != nil {
				m.reason = r.reason
				break
			}
			passed++
		}
		if m == nil {
			c.confirmed = sc
			return nil
		}
		if passed > furthest {
			best, furthest = m, passed
		}
	}
	if best == nil {
		return &mismatch{found: "none", wanted: "a bearer SubjectConfirmation"}
	}
	return best
}

func confirmMethod(_ *candidate, sc *wire.Confirmation) *mismatch {
	if sc.Method != wire.MethodBearer {
		return &mismatch{found: quoted(sc.Method), wanted: "a bearer SubjectConfirmation"}
	}
	return nil
}

func confirmData(_ *candidate, sc *wire.Confirmation) *mismatch {
	if !sc.HasData || !sc.Recipient.Present || sc.NotOnOrAfter.IsZero() {
		return &mismatch{found: "a bearer confirmation without them", wanted: "SubjectConfirmationData with Recipient and NotOnOrAfter"}
	}
	return nil
}

func confirmRecipient(c *candidate, sc *wire.Confirmation) *mismatch {
	if sc.Recipient.Value != c.acsURL {
		return &mismatch{found: quoted(sc.Recipient.Value), wanted: quoted(c.acsURL)}
	}
	return nil
}

func confirmAddress(c *candidate, sc *wire.Confirmation) *mismatch {
	if !c.trust.CheckClientAddress || !sc.Address.Present {
		return nil
	}
	addr, err := netip.ParseAddr(strings.Trim(sc.Address.Value, "[]"))
	if err != nil || addr.Unmap() != c.client.Unmap() {
		return &mismatch{found: quoted(sc.Address.Value), wanted: "the client's address"}
	}
	return nil
}

// confirmInResponseTo: the Response and the confirmation name the same request, or neither names one.
func confirmInResponseTo(c *candidate, sc *wire.Confirmation) *mismatch {
	show := func(t wire.Text) string {
		if !t.Present {
			return "none"
		}
		return quoted(t.Value)
	}
	if sc.InResponseTo != c.Claims.InResponseTo {
		return &mismatch{found: show(sc.InResponseTo) + " in the confirmation", wanted: show(c.Claims.InResponseTo) + ", as in the Response"}
	}
	return nil
}

// confirmNotBefore: the profile has no NotBefore here; one that is there is honoured.
func confirmNotBefore(c *candidate, sc *wire.Confirmation) *mismatch {
	if !sc.NotBefore.IsZero() && c.before(sc.NotBefore) {
		return &mismatch{found: "confirmation NotBefore " + stamp(sc.NotBefore), wanted: "at most " + stamp(c.now.Add(c.skew))}
	}
	return nil
}

func confirmNotOnOrAfter(c *candidate, sc *wire.Confirmation) *mismatch {
	if c.after(sc.NotOnOrAfter) {
		return &mismatch{found: "confirmation NotOnOrAfter " + stamp(sc.NotOnOrAfter), wanted: "later than " + stamp(c.now.Add(-c.skew))}
	}
	return nil
}

// horizon is until when the assertion could be delivered again: the latest NotOnOrAfter of its bearer confirmations.
func (c *candidate) horizon() (end time.Time) {
	for _, sc := range c.Assertion.Confirmations {
		if sc.Method == wire.MethodBearer && sc.NotOnOrAfter.After(end) {
			end = sc.NotOnOrAfter
		}
	}
	return end
}

// checkHorizon bounds the memory of what was used.
func checkHorizon(c *candidate) *mismatch {
	if end := c.horizon(); end.After(c.now.Add(replayLimit)) {
		return &mismatch{found: "confirmation NotOnOrAfter " + stamp(end), wanted: "at most " + stamp(c.now.Add(replayLimit))}
	}
	return nil
}

func checkConditionsForm(c *candidate) *mismatch {
	cond := &c.Assertion.Conditions
	switch {
	case cond.OneTimeUse > 1 || cond.Proxy > 1:
		return &mismatch{found: "a condition twice", wanted: "OneTimeUse and ProxyRestriction at most once"}
	case !cond.NotBefore.IsZero() && !cond.NotOnOrAfter.IsZero() && !cond.NotBefore.Before(cond.NotOnOrAfter):
		return &mismatch{found: "NotBefore " + stamp(cond.NotBefore), wanted: "before NotOnOrAfter " + stamp(cond.NotOnOrAfter)}
	}
	return nil
}

func checkConditionsKnown(c *candidate) *mismatch {
	if name := c.Assertion.Conditions.Unknown; name != "" {
		return &mismatch{found: quoted(name), wanted: "conditions that are understood"}
	}
	return nil
}

func checkNotBefore(c *candidate) *mismatch {
	if t := c.Assertion.Conditions.NotBefore; !t.IsZero() && c.before(t) {
		return &mismatch{found: "NotBefore " + stamp(t), wanted: "at most " + stamp(c.now.Add(c.skew))}
	}
	return nil
}

func checkNotOnOrAfter(c *candidate) *mismatch {
	if t := c.Assertion.Conditions.NotOnOrAfter; !t.IsZero() && c.after(t) {
		return &mismatch{found: "NotOnOrAfter " + stamp(t), wanted: "later than " + stamp(c.now.Add(-c.skew))}
	}
	return nil
}

// isOurs reports whether a name is our entity ID, or one that the trust knows us by.
func (c *candidate) isOurs(name string) bool {
	return name == c.entityID || slices.Contains(c.trust.Audiences, name)
}

// checkAudience: audiences in one restriction are alternatives, restrictions are all to be met (erratum E46).
func checkAudience(c *candidate) *mismatch {
	restrictions := c.Assertion.Conditions.Audiences
	if len(restrictions) == 0 {
		return &mismatch{found: "no AudienceRestriction", wanted: quoted(c.entityID)}
	}
	for _, audiences := range restrictions {
		if !slices.ContainsFunc(audiences, c.isOurs) {
			found := "an empty AudienceRestriction"
			if len(audiences) > 0 {
				found = quoted(audiences[0])
			}
			return &mismatch{found: found, wanted: quoted(c.entityID)}
		}
	}
	return nil
}

func checkAuthnStatement(c *candidate) *mismatch {
	if len(c.Assertion.Authn) == 0 {
		return &mismatch{found: "none", wanted: "an AuthnStatement"}
	}
	for _, st := range c.Assertion.Authn {
		if st.AuthnInstant.IsZero() {
			return &mismatch{found: "no AuthnInstant", wanted: "an AuthnStatement with AuthnInstant"}
		}
	}
	return nil
}

func checkAuthnInstant(c *candidate) *mismatch {
	if t := lastAuthn(c.Assertion); c.before(t) {
		return &mismatch{found: "AuthnInstant " + stamp(t), wanted: "at most " + stamp(c.now.Add(c.skew))}
	}
	return nil
}

func checkSessionEnd(c *candidate) *mismatch {
	if t := sessionEnd(c.Assertion); !t.IsZero() && c.after(t) {
		return &mismatch{found: "SessionNotOnOrAfter " + stamp(t), wanted: "later than " + stamp(c.now.Add(-c.skew))}
	}
	return nil
}

func checkAuthnContext(c *candidate) *mismatch {
	return oneOfClasses(c.Assertion, c.trust.AuthnContext)
}

// oneOfClasses: a class that is accepted is stated; no list accepts any.
func oneOfClasses(a *wire.Assertion, accepted []string) *mismatch {
	if len(accepted) == 0 {
		return nil
	}
	classes := contextClasses(a)
	for _, class := range classes {
		if slices.Contains(accepted, class) {
			return nil
		}
	}
	found := "no AuthnContextClassRef"
	if len(classes) > 0 {
		found = quoted(classes[0])
	}
	return &mismatch{found: found, wanted: quoted(accepted[0]) + " or another accepted class"}
}

func checkAuthnAge(c *candidate) *mismatch {
	return c.authnSince(c.trust.MaxAuthnAge, c.trust.AuthnContext)
}

func (c *candidate) authnSince(age time.Duration, classes []string) *mismatch {
	if t := lastAuthnBy(c.Assertion, classes); age > 0 && t.Before(c.now.Add(-age-c.skew)) {
		return &mismatch{found: "AuthnInstant " + stamp(t), wanted: "at least " + stamp(c.now.Add(-age-c.skew))}
	}
	return nil
}

func (c *candidate) missingAttributes() (missing []string) {
	for _, name := range c.trust.RequiredAttributes {
		has := func(a wire.Attribute) bool { return sameAttributeName(a.Name, name) && len(a.Values) > 0 }
		if !slices.ContainsFunc(c.Assertion.Attributes, has) {
			missing = append(missing, name)
		}
	}
	return missing
}

func checkRequiredAttributes(c *candidate) *mismatch {
	if missing := c.missingAttributes(); len(missing) > 0 {
		return &mismatch{found: "no attribute " + quoted(missing[0]), wanted: "the attributes that the trust requires"}
	}
	return nil
}

// stamp writes a time for an administrator.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.999Z") }
