package saml

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/logintrust/saml/internal/advice"
	"github.com/logintrust/saml/internal/wire"
)

// ExplainOptions say what a Report shows.
type ExplainOptions struct {
	// Personal shows the NameID and the attribute values too, of messages that a key on file vouches for, and the status message
	// of a refusal, which may be anybody's.
	// For an administrator who looks at a login of his own, or at one whose user agreed.
	Personal bool
}

// Explain judges a posted Response by the rules of Validate, but runs on behind the first that fails where that makes sense,
// and says of each check what was found, what was wanted, who can mend it and how. It makes no login, uses nothing up and
// changes nothing, so it may be called as often as wanted. It costs a little more than a login: a message whose signature
// does not verify is tried once more with the key inside it, to tell a changed key from a changed message. An artifact is not
// resolved. It may be called concurrently.
func (sp *ServiceProvider) Explain(ctx context.Context, posted Posted, opts ExplainOptions) *Report {
	e := &explanation{sp: sp, posted: posted, now: sp.config.Now(), opts: opts}
	return e.run(ctx)
}

// An explanation is a login that is judged to the end, and leads nowhere.
type explanation struct {
	sp     *ServiceProvider
	posted Posted
	now    time.Time
	opts   ExplainOptions
	known  *Error // how the login itself ended; nil asks the stores how it would
	report *Report

	// A dry run's trust and request; nil asks Config.Trusts and Config.State.
	tested        *LoginTrust
	testedID      string
	testedRequest *pending

	w        *workspace
	response *wire.Response
	issuer   string // what the message claims
	trust    *LoginTrust
	c        *candidate // what is signed; nil if nothing is
	proven   bool       // by a key on file; else by the key in the message, which proves nothing
	sender   sender
	pending  *pending
	missing  []string // the attributes that the last check to fail misses
	lastly   bool     // no check has failed so far
}

// A stage is a check that is no rule: it needs stores, or comes before there is anything to hold rules against.
type stage struct {
	name, spec string
	reached    func(*explanation) bool
	check      func(*explanation, context.Context) (found string, refused *Error)
}

// Names of the stages behind the rules, at which a login may end.
const (
	stageIssuer   = "issuer of the trust"
	stageRequest  = "request"
	stageBrowser  = "browser"
	stageAsked    = "what was asked for"
	stageFirstUse = "first use"
	stageSession  = "session"
	stageUser     = "local user"
)

// The stages of a login, around the rules, in the order of validate.
var (
	openingStages = []stage{
		{"single sign-on", "", func(*explanation) bool { return true }, (*explanation).enabled},
		{"relay state", "SAML Bindings 3.5.3", func(*explanation) bool { return true }, (*explanation).relayState},
		{"message", "SAML Core 3.2.2, Bindings 3.5.4", func(*explanation) bool { return true }, (*explanation).read},
		{"login trust", "", func(e *explanation) bool { return e.response != nil }, (*explanation).findTrust},
		{"trust state", "", func(e *explanation) bool { return e.trust != nil }, (*explanation).gate},
		{"signature", "SAML Core 5.4", func(e *explanation) bool { return e.trust != nil }, (*explanation).verify},
	}
	statusStages = []stage{
		{"status", "SAML Core 3.2.2.2", func(e *explanation) bool { return e.c != nil }, (*explanation).status},
		{"one assertion", "SAML Profiles 4.1.4.2", func(e *explanation) bool { return e.c != nil && e.c.Claims.StatusCode == wire.StatusSuccess },
			(*explanation).count},
	}
	closingStages = []stage{
		{stageIssuer, "", (*explanation).isProven, (*explanation).confirmIssuer},
		{stageRequest, "SAML Profiles 4.1.4.3", (*explanation).isConfirmed, (*explanation).request},
		{stageBrowser, "", func(e *explanation) bool { return e.pending != nil }, (*explanation).browser},
		{stageAsked, "SAML Core 3.4.1", func(e *explanation) bool { return e.pending != nil && e.hasStatement() }, (*explanation).asked},
		{stageFirstUse, "SAML Profiles 4.1.4.5", (*explanation).isConfirmed, (*explanation).firstUse},
		{stageSession, "SAML Core 3.7.3.1", (*explanation).isConfirmed, (*explanation).notEnded},
		{stageUser, "the login trust", (*explanation).hasUser, (*explanation).user},
	}
)

func (e *explanation) run(ctx context.Context) *Report {
	e.report, e.lastly = &Report{Time: e.now}, true
	e.w = e.sp.readers.Get().(*workspace)
	defer e.sp.release(e.w)

	e.stages(ctx, openingStages)
	e.rules(ctx, e.sp.rules.envelope, e.c != nil)
	e.stages(ctx, statusStages)
	e.rules(ctx, e.sp.rules.assertion, e.c != nil && e.c.Assertion != nil)
	if e.known == nil {
		e.stages(ctx, closingStages)
	} else {
		e.ended(ctx)
	}
	e.describe()
	return e.report
}

func (e *explanation) stages(ctx context.Context, list []stage) {
	for _, s := range list {
		if !s.reached(e) {
			e.add(ctx, Check{Name: s.name, Spec: s.spec})
			continue
		}
		found, refused := s.check(e, ctx)
		if refused == nil {
			e.add(ctx, Check{Name: s.name, Spec: s.spec, Outcome: Passed, Found: found})
			continue
		}
		check := e.failed(s.name, refused)
		if check.Spec == "" {
			check.Spec = s.spec
		}
		e.add(ctx, check)
	}
}

// rules runs every rule whose needs are met.
func (e *explanation) rules(ctx context.Context, list []rule, reached bool) {
	for i := range list {
		r := &list[i]
		check := Check{Name: r.name, Spec: r.spec}
		if reached && (r.needs == "" || e.passed(r.needs)) {
			check.Outcome = Passed
			if refused := r.refuses(e.c); refused != nil {
				if refused.Reason == MissingAttribute {
					refused.Missing = e.c.missingAttributes()
				}
				check = e.failed(r.name, refused)
			} else if r.shows != nil {
				check.Found = r.shows(e.c)
			}
		}
		e.add(ctx, check)
	}
}

func (e *explanation) passed(name string) bool {
	return slices.ContainsFunc(e.report.Checks, func(c Check) bool { return c.Name == name && c.Outcome == Passed })
}

// failed is the check that a refusal is about, and remembers which attributes it misses.
func (e *explanation) failed(name string, refused *Error) Check {
	e.missing = refused.Missing
	return failedCheck(name, refused)
}

// add notes a check. One that failed gets a note, who can mend it and how, once it is known who wrote the message.
func (e *explanation) add(ctx context.Context, c Check) {
	if c.Outcome == Failed {
		if c.Note == "" {
			c.Note = e.note(ctx, c.Reason)
		}
		if e.lastly {
			e.report.Reason = c.Reason
		}
		e.lastly = false
	}
	e.report.Checks = append(e.report.Checks, c)
}

// ended continues the report of a login that was refused with how it ended: the stores have changed since.
func (e *explanation) ended(ctx context.Context) {
	at := e.known.stage
	if e.lastly && at == "" {
		check := e.failed("login", e.known)
		check.Note = "what refused it then passes now: the login trust, or a store, has changed since"
		e.add(ctx, check)
	}
	for _, s := range closingStages {
		check := Check{Name: s.name, Spec: s.spec}
		switch {
		case e.lastly && s.name == at:
			check = e.failed(s.name, e.known)
		case e.lastly: // else it came no further
			check.Outcome = Passed
		}
		e.add(ctx, check)
	}
}

// describe fills in what the report says of the whole.
func (e *explanation) describe() {
	r := e.report
	r.Accepted = e.lastly && e.known == nil
	if e.known != nil {
		r.Reason = e.known.Reason
	}
	if e.response != nil {
		c := &e.response.Claims
		r.MessageID, r.InResponseTo, r.Issuer = cut(c.ID), cut(c.InResponseTo.Value), cut(e.issuer)
		r.Product = advice.Recognise(e.facts())
	}
	if e.trust != nil {
		r.Domain = e.trust.Domain
	}
	r.advise()
	r.Unproven = e.c != nil && !e.proven
	if e.opts.Personal && e.c != nil && e.proven {
		r.Personal = e.personal()
	}
	if !e.isProven() {
		return
	}
	for _, a := range e.c.Assertion.Attributes[:min(len(e.c.Assertion.Attributes), maxAttributeNames)] {
		r.Attributes = append(r.Attributes, cut(a.Name))
	}
}

const (
	maxAttributeNames = 200  // that a report has
	maxReported       = 1024 // octets of a foreign name in a report: an entity ID has no more (SAML Core 8.3.6)
)

func cut(s string) string {
	if len(s) > maxReported {
		return strings.ToValidUTF8(s[:maxReported], "") + "…"
	}
	return s
}

// facts are what tells the products apart. They are claims, and only choose among remedies.
func (e *explanation) facts() advice.Facts {
	f := advice.Facts{Issuer: e.issuer, StatusMessage: e.response.Claims.StatusMessage}
	if e.c != nil && e.c.Assertion != nil {
		for _, a := range e.c.Assertion.Attributes {
			f.Attributes = append(f.Attributes, a.Name)
		}
	}
	return f
}

// personal is what the message says of its subject; nil if it says nothing. A status needs no signature to be shown.
func (e *explanation) personal() *PersonalData {
	p := &PersonalData{StatusMessage: e.c.Claims.StatusMessage}
	if a := e.c.Assertion; a != nil {
		if a.Identifier == wire.ByNameID {
			p.NameID = newNameID(a.NameID)
		}
		for _, attribute := range a.Attributes {
			p.Attributes = append(p.Attributes, PersonalAttribute{attribute.Name, slices.Clone(attribute.Values)})
		}
	}
	if p.StatusMessage == "" && p.NameID.Value == "" && len(p.Attributes) == 0 {
		return nil
	}
	return p
}

func (e *explanation) isProven() bool     { return e.proven && e.c != nil && e.c.Assertion != nil }
func (e *explanation) isConfirmed() bool  { return e.isProven() && e.c.confirmed != nil }
func (e *explanation) hasStatement() bool { return e.passed(ruleStatement) }

// hasUser: the directory is asked only for a login that would come so far.
func (e *explanation) hasUser() bool {
	return e.isProven() && e.lastly && (e.sp.config.Users != nil || e.trust.PasswordRequired)
}

func (e *explanation) enabled(ctx context.Context) (string, *Error) {
	return "on", e.sp.checkEnabled(ctx)
}

func (e *explanation) relayState(context.Context) (string, *Error) {
	return fmt.Sprintf("%d octets", len(e.posted.RelayState)), checkRelayState(e.posted.RelayState)
}

func (e *explanation) read(context.Context) (string, *Error) {
	if e.posted.Artifact != "" {
		return "", refuse(BadRequest, "an artifact", "the message that it stands for")
	}
	response, err := e.sp.readPosted(e.w, &e.posted)
	if err != nil {
		return "", err
	}
	e.response = response
	return fmt.Sprintf("a Response of %d octets", len(e.w.message)), nil
}

func (e *explanation) findTrust(ctx context.Context) (string, *Error) {
	issuer, err := claimedIssuer(&e.response.Claims)
	if err != nil {
		return "", err
	}
	e.issuer = issuer
	if e.tested == nil {
		e.trust, err = e.sp.trustOf(ctx, issuer)
	} else if err = e.isTested(ctx, issuer); err == nil {
		e.trust = e.tested
	}
	if err != nil {
		return "", err
	}
	return quoted(e.trust.Domain), nil
}

// isTested demands an issuer that the tested trust would be found by, if it were saved; see trustOf.
func (e *explanation) isTested(ctx context.Context, issuer string) *Error {
	if issuer == e.tested.Domain {
		return nil
	}
	other := refuse(UnknownDomain, quoted(issuer), quoted(e.tested.Domain))
	if e.sp.config.ResolveIssuer == nil {
		return other
	}
	trust, found, err := e.sp.config.Trusts.FindTrust(ctx, issuer)
	if err == nil && found && trust.Domain == issuer {
		return other
	}
	domain := ""
	if err == nil {
		domain, found, err = e.sp.config.ResolveIssuer(ctx, issuer)
	}
	switch {
	case err != nil:
		return storeFailed(err)
	case !found || domain != e.tested.Domain:
		return other
	}
	return nil
}

func (e *explanation) gate(context.Context) (string, *Error) {
	if e.tested != nil { // it is not saved, so it has no state yet
		return "a test", nil
	}
	return e.trust.State.String(), e.trust.gate(MethodSAML)
}

// verify opens the message with the keys on file. If they do not fit, the key inside the message is tried for the sake of the
// checks that follow; nothing that comes of it is believed.
func (e *explanation) verify(context.Context) (string, *Error) {
	c, err := e.sp.open(e.w, e.response, e.trust)
	if err == nil {
		e.use(c)
		e.proven = true
		if c.Assertion == nil && !c.ResponseSigned {
			return "none needed", nil // for a refusal, or for what the count tells
		}
		return showSignatures(c), nil
	}
	if err.Reason == BadSignature || err.Reason == NoKeyOnFile || err.Reason == WeakKey {
		e.sender = e.sp.trySender(e.response, e.posted, e.trust)
		switch {
		case e.sender.opened != nil:
			e.use(e.sender.opened)
		case err.Reason == WeakKey: // which was not tried, and may fit
			e.sender = sender{}
		}
	}
	return "", err
}

func (e *explanation) use(c *candidate) {
	e.c = c
	c.headers = e.posted.headers
	c.issuer, c.now, c.skew, c.client = e.issuer, e.now, e.sp.config.ClockSkew, e.posted.ClientAddress
}

func (e *explanation) status(context.Context) (string, *Error) { return "Success", checkStatus(e.c) }

func (e *explanation) count(context.Context) (string, *Error) { return "one", checkCount(e.c) }

func (e *explanation) confirmIssuer(ctx context.Context) (string, *Error) {
	if e.tested != nil {
		return quoted(e.tested.Domain), e.isTested(ctx, e.c.Assertion.Issuer.Value) // which the rules hold against e.issuer
	}
	return quoted(e.trust.Domain), e.sp.confirmIssuer(ctx, e.c)
}

// request looks for what the answer answers, and takes nothing.
func (e *explanation) request(ctx context.Context) (string, *Error) {
	id := e.c.confirmed.InResponseTo
	if !id.Present {
		return "none: the identity provider began", e.c.checkUnsolicited()
	}
	p, err := e.findPending(ctx, id.Value)
	if err != nil {
		return "", err
	}
	if e.pending = p; p != nil {
		return fmt.Sprintf("%s, made %s", quoted(id.Value), stamp(p.issued)), nil
	}
	unknown := e.sp.unknownRequest(ctx, e.c, e.posted)
	if e.trust.AllowUnknownInResponseTo && unknown.Reason == UnknownRequest && !isTestID(id.Value) {
		return "unknown, as the trust allows", e.c.checkUnsolicited()
	}
	return "", unknown
}

func (e *explanation) findPending(ctx context.Context, id string) (*pending, *Error) {
	if e.tested != nil && id == e.testedID {
		return e.testedRequest, nil
	}
	return e.sp.findPending(ctx, e.sp.pendingKey(e.trust.Domain, id))
}

func (e *explanation) browser(context.Context) (string, *Error) {
	return "the one that began the login", checkBrowser(e.pending, e.posted)
}

func (e *explanation) asked(context.Context) (string, *Error) { return "", e.c.applyAsked(e.pending) }

func (e *explanation) firstUse(ctx context.Context) (string, *Error) {
	_, found, err := e.sp.config.State.Get(ctx, e.sp.usedKey(e.c))
	switch {
	case err != nil:
		return "", storeFailed(err)
	case found:
		return "", refuse(Replayed, "an assertion that was used before", "a new one")
	}
	return "an assertion that was not used before", nil
}

func (e *explanation) notEnded(ctx context.Context) (string, *Error) {
	return "not ended", e.sp.checkEnded(ctx, e.c.Assertion, e.trust, e.now)
}

// user finds out what a login would do, up to where something would be written.
func (e *explanation) user(ctx context.Context) (string, *Error) {
	if e.sp.config.Users == nil {
		return "", withoutDirectory()
	}
	login := &Login{trust: e.trust, Assertion: &Assertion{w: e.c.Assertion, spEntityID: e.sp.config.EntityID}}
	m, err := e.sp.decide(ctx, login)
	if err != nil {
		return "", err
	}
	e.report.User = m.preview()
	return e.report.User.Action + " a user", nil
}

// preview is what carryOut would do.
func (m *mapping) preview() *UserPreview {
	u := &UserPreview{Action: "finds", ID: m.user.ID, Roles: slices.Clone(m.user.Roles)}
	u.By = map[lookup]string{byTranslation: "translation", byAccountKey: "account key", byUsername: "user name", byEmail: "e-mail address"}[m.by]
	switch {
	case m.create != nil:
		u.Action, u.By, u.ID, u.Department = "creates", "", "", m.create.Department
	case m.trust.PasswordRequired:
		u.Action = "asks for the password of"
	case m.reactivate:
		u.Action = "reactivates"
	}
	return u
}
