package saml

import (
	"context"
	"crypto"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"github.com/logintrust/saml/internal/wire"
	"github.com/logintrust/saml/internal/xmlsec"
)

// A ServiceProvider is one SAML service provider: one entity ID, one set of login trusts. It is safe for concurrent use.
// Making one is cheap; one for each tenant or instance is a normal way to use it.
type ServiceProvider struct {
	config   Config
	metadata document
	popupEnd string              // where a login in a pop-up window leads
	readers  sync.Pool           // of *workspace
	opening  []crypto.PrivateKey // the DecryptionKeys
	admitted *xmlsec.Admitted    // the algorithms of signatures; nil for all
	rules    *ruleBook
}

// New makes a service provider. It does no I/O and starts no goroutine.
func New(config Config) (*ServiceProvider, error) {
	config, err := config.complete()
	if err != nil {
		return nil, err
	}
	sp := &ServiceProvider{config: config, rules: allRules()}
	sp.popupEnd = popupPlace(config.LoginURL)
	for _, k := range config.DecryptionKeys {
		sp.opening = append(sp.opening, k.Key)
	}
	if len(config.SignatureAlgorithms)+len(config.DigestAlgorithms) > 0 {
		sp.admitted = &xmlsec.Admitted{Signatures: config.SignatureAlgorithms, Digests: config.DigestAlgorithms}
	}
	sp.readers.New = func() any { return &workspace{reader: xmlsec.NewReader()} }
	sp.metadata, err = sp.describe()
	if err != nil {
		return nil, err
	}
	return sp, nil
}

// EntityID is the name of this service provider, which identity providers know it by.
func (sp *ServiceProvider) EntityID() string { return sp.config.EntityID }

// Posted is a message that arrived at the assertion consumer service by HTTP-POST, or an artifact that stands for one.
type Posted struct {
	// SAMLResponse and RelayState are the form values.
	SAMLResponse, RelayState string
	// Artifact is SAMLart, which came in the place of a SAMLResponse; see Config.Artifacts.
	Artifact string
	// PAOS is the envelope that an enhanced client brought, in the place of a SAMLResponse and RelayState; see Config.ECP.
	PAOS []byte
	// TargetResource and Target are the form values of those names ("target" in small letters), in which some identity
	// providers hand back where a login leads that they began; "" if there are none.
	TargetResource, Target string
	// BrowserKey is what Request gave for this browser to keep, "" if the browser brought none. An answer to a request is
	// refused without it.
	BrowserKey string
	// ClientAddress is where the browser is, for trusts with CheckClientAddress; the zero Addr if that is not known.
	ClientAddress netip.Addr

	headers    *wire.PAOSHeaders // what PAOS says beside the Response, once that is known
	resolution *resolution       // what Artifact stands for, once that is known
}

// A workspace is the memory that one login works in.
type workspace struct {
	reader    *xmlsec.Reader
	message   []byte
	keys      []crypto.PublicKey
	response  wire.Response
	candidate candidate
	opener    xmlsec.Opener
}

// forget drops what belongs to one login, before the memory serves another.
func (w *workspace) forget() {
	clear(w.keys)
	w.response, w.candidate = wire.Response{}, candidate{}
}

// Validate judges a posted Response and, if every rule holds, returns the login that it makes: the third rung of the API,
// without net/http. Nothing is used up before all checks have passed. A refusal is an *Error.
func (sp *ServiceProvider) Validate(ctx context.Context, posted Posted) (*Login, error) {
	login, err := sp.validate(ctx, posted)
	if err != nil {
		return nil, err
	}
	return login, nil
}

// validate is one login from start to end. A refusal knows what was refused, so that it can be explained.
func (sp *ServiceProvider) validate(ctx context.Context, posted Posted) (*Login, *Error) {
	now := sp.config.Now()
	w := sp.readers.Get().(*workspace)
	defer sp.release(w)
	login, err := sp.walk(ctx, w, posted, now)
	if err != nil {
		err.answers = w.response.Claims.InResponseTo.Value
		err.seen = sp.seen(posted, now)
		return nil, err
	}
	return login, nil
}

// seen keeps what was refused. It stands by itself so that a login that is not refused needs no memory for that.
func (sp *ServiceProvider) seen(posted Posted, now time.Time) func() (*ServiceProvider, Posted, time.Time) {
	return func() (*ServiceProvider, Posted, time.Time) { return sp, posted, now }
}

// walk leads from what was posted to a login, or to the first check that fails.
func (sp *ServiceProvider) walk(ctx context.Context, w *workspace, posted Posted, now time.Time) (*Login, *Error) {
	if err := sp.checkEnabled(ctx); err != nil {
		return nil, err
	}
	if err := checkRelayState(posted.RelayState); err != nil {
		return nil, err
	}
	c, err := sp.verify(ctx, w, &posted, now)
	if err != nil {
		return nil, err
	}
	if err := checkStatus(c); err != nil {
		err.ReturnTo = sp.consumeFailed(ctx, c, posted)
		return nil, c.refusal(err)
	}
	if err := sp.judge(ctx, c); err != nil {
		return nil, c.refusal(err)
	}
	login, err := sp.spend(ctx, c, posted)
	if err != nil {
		return nil, c.refusal(err)
	}
	if err = sp.checkEnded(ctx, c.Assertion, c.trust, now); err != nil {
		err = err.at(stageSession)
	} else if err = sp.mapUser(ctx, login, posted, now); err != nil {
		err = err.at(stageUser)
	}
	if err != nil {
		sp.unfinish(ctx, login)
		return nil, c.refusal(err)
	}
	sp.noteArtifact(ctx, login, posted)
	return login, nil
}

func (sp *ServiceProvider) release(w *workspace) {
	w.forget()
	sp.readers.Put(w)
}

// verify leads from octets to what the keys of a trust vouch for, in an envelope that was meant for us.
func (sp *ServiceProvider) verify(ctx context.Context, w *workspace, posted *Posted, now time.Time) (*candidate, *Error) {
	response, err := sp.receive(ctx, w, posted, now)
	if err != nil {
		return nil, err
	}
	trust, issuer, err := sp.findTrust(ctx, &response.Claims)
	if err != nil {
		return nil, err
	}
	if r := posted.resolution; r != nil && r.trust.Domain != trust.Domain {
		return nil, refuse(WrongIssuer, quoted(issuer), quoted(r.trust.Domain)).claiming(r.trust)
	}
	c, err := sp.open(w, response, trust)
	if err != nil {
		return nil, err.claiming(trust)
	}
	c.resolved, c.headers = posted.resolution != nil, posted.headers
	c.issuer, c.now, c.skew, c.client = issuer, now, sp.config.ClockSkew, posted.ClientAddress
	if err := c.apply(sp.rules.envelope); err != nil {
		return nil, c.refusal(err)
	}
	return c, nil
}

// receive has the Response that came, its parts in their places; nothing is verified yet. An artifact is resolved by it.
func (sp *ServiceProvider) receive(ctx context.Context, w *workspace, posted *Posted, now time.Time) (response *wire.Response, err *Error) {
	if posted.Artifact != "" && posted.PAOS == nil {
		if posted.resolution, err = sp.resolve(ctx, posted, now); err != nil {
			return nil, err
		}
	}
	if posted.resolution == nil {
		return sp.readPosted(w, posted)
	}
	if response, err = sp.readResolved(ctx, w, posted.resolution); err != nil {
		return nil, err.claiming(posted.resolution.trust)
	}
	return response, nil
}

// judge holds the assertion against the rules.
func (sp *ServiceProvider) judge(ctx context.Context, c *candidate) *Error {
	if err := checkCount(c); err != nil {
		return err
	}
	err := c.apply(sp.rules.assertion)
	if err != nil && err.Reason == MissingAttribute {
		err.Missing = c.missingAttributes()
	}
	if err != nil {
		return err
	}
	if err := sp.confirmIssuer(ctx, c); err != nil {
		return err.at(stageIssuer)
	}
	return nil
}

// checkEnabled asks for the switch of the whole service provider. A switch that cannot be asked is off.
func (sp *ServiceProvider) checkEnabled(ctx context.Context) *Error {
	if sp.config.Enabled == nil {
		return nil
	}
	on, err := sp.config.Enabled(ctx)
	switch {
	case err != nil:
		return storeFailed(err)
	case !on:
		return refuse(SSODisabled, "single sign-on switched off", "")
	}
	return nil
}

// read turns a form value into a Response whose parts are in their places. Nothing is verified yet.
func (sp *ServiceProvider) read(w *workspace, value string) (*wire.Response, *Error) {
	if refused := sp.decodeForm(w, value); refused != nil {
		return nil, refused
	}
	u, err := w.reader.Parse(w.message, xmlsec.Limits{Bytes: sp.config.MaxMessageBytes})
	if err != nil {
		return nil, reasonOf(err)
	}
	if err := w.response.Read(u); err != nil {
		return nil, reasonOf(err)
	}
	return &w.response, nil
}

// decodeForm decodes a form value into the workspace.
func (sp *ServiceProvider) decodeForm(w *workspace, value string) *Error {
	if len(value) > sp.config.MaxFormBytes {
		return refuse(TooLarge, fmt.Sprintf("a form value of %d octets", len(value)), fmt.Sprintf("at most %d", sp.config.MaxFormBytes))
	}
	var ok bool
	if w.message, ok = xmlsec.AppendBase64(w.message[:0], value); !ok || len(w.message) == 0 {
		return refuse(BadResponse, "something else", "base64")
	}
	return nil
}

// open verifies what is signed with the keys of the trust, and decodes only that.
func (sp *ServiceProvider) open(w *workspace, response *wire.Response, trust *LoginTrust) (*candidate, *Error) {
	w.keys = appendPinned(w.keys[:0], trust.Keys)
	opened, err := response.Open(w.keys, sp.policy(trust), sp.opener(w))
	if err != nil {
		return nil, reasonOf(err)
	}
	w.candidate = candidate{Opened: opened, trust: trust, entityID: sp.config.EntityID, acsURL: sp.config.ACSURL, rules: sp.rules}
	return &w.candidate, nil
}

// policy is what the trust admits, and the host.
func (sp *ServiceProvider) policy(trust *LoginTrust) xmlsec.Policy {
	p := trust.policy()
	p.Only = sp.admitted
	return p
}

// opener opens what is encrypted; nil if we have no key for that.
func (sp *ServiceProvider) opener(w *workspace) *xmlsec.Opener {
	if len(sp.opening) == 0 {
		return nil
	}
	w.opener.Reset(sp.opening, sp.config.EntityID, xmlsec.Limits{Bytes: sp.config.MaxMessageBytes})
	return &w.opener
}

// spend is the first step that changes anything: it judges the answer against its request, then consumes the request and
// remembers the assertion.
func (sp *ServiceProvider) spend(ctx context.Context, c *candidate, posted Posted) (*Login, *Error) {
	made := &struct { // one piece of memory
		login     Login
		assertion Assertion
	}{Login{trust: c.trust}, Assertion{w: c.Assertion, spEntityID: sp.config.EntityID}}
	login := &made.login
	login.Assertion = &made.assertion
	id := c.confirmed.InResponseTo
	if !id.Present {
		return sp.spendUnsolicited(ctx, c, posted, login)
	}
	key := sp.pendingKey(c.trust.Domain, id.Value)
	p, err := sp.findPending(ctx, key)
	if err != nil {
		return nil, err.at(stageRequest)
	}
	if p == nil {
		unknown := sp.unknownRequest(ctx, c, posted)
		if c.trust.AllowUnknownInResponseTo && unknown.Reason == UnknownRequest && !isTestID(id.Value) {
			return sp.spendUnsolicited(ctx, c, posted, login)
		}
		return nil, unknown.at(stageRequest)
	}
	if err := checkBrowser(p, posted); err != nil {
		return nil, err.at(stageBrowser)
	}
	if err := c.applyAsked(p); err != nil {
		return nil, err.at(stageAsked)
	}
	login.requestID, login.steppedUp = id.Value, p.sameSubject && p.forceAuthn
	login.returnTo = p.returnTo
	if login.returnTo == "" {
		handed := posted.RelayState
		if handed == p.relay {
			handed = "" // our own handle is no place to go
		}
		login.returnTo = sp.landing(c.trust, handed)
	}
	if err := sp.consume(ctx, c, key, p, posted, login.returnTo); err != nil {
		return nil, err.at(stageFirstUse)
	}
	return login, nil
}

// spendUnsolicited accepts what nobody asked for, if the trust allows it (SAML Profiles 4.1.5, erratum E90).
func (sp *ServiceProvider) spendUnsolicited(ctx context.Context, c *candidate, posted Posted, login *Login) (*Login, *Error) {
	if err := c.checkUnsolicited(); err != nil {
		return nil, err.at(stageRequest)
	}
	login.unsolicited = true
	login.returnTo = sp.landing(c.trust, posted.handedBack(c.trust))
	if err := sp.rememberAssertion(ctx, c); err != nil {
		return nil, err.at(stageFirstUse)
	}
	return login, nil
}

// findPending asks the store for a request that waits; none is nil.
func (sp *ServiceProvider) findPending(ctx context.Context, key string) (*pending, *Error) {
	value, found, err := sp.config.State.Get(ctx, key)
	if err == nil && found {
		var p *pending
		if p, err = unmarshalPending(value); err == nil {
			return p, nil
		}
	}
	if err != nil {
		return nil, storeFailed(err)
	}
	return nil, nil
}

func storeFailed(err error) *Error {
	e := refuse(StoreFailed, "a store failed", "")
	e.cause = err
	return e
}

// checkBrowser binds the answer to the browser that asked: without it an attacker could sign a victim in to an account
// of his own.
func checkBrowser(p *pending, posted Posted) *Error {
	if posted.BrowserKey == "" {
		e := refuse(BrowserMismatch, "no browser key", "the one of the browser that began the login")
		e.hop = true
		return e
	}
	if !p.isFrom(posted.BrowserKey) {
		return refuse(BrowserMismatch, "the key of another browser", "the one of the browser that began the login")
	}
	return nil
}

// unknownRequest tells an answer that made a login a moment ago from one that answers nothing.
func (sp *ServiceProvider) unknownRequest(ctx context.Context, c *candidate, posted Posted) *Error {
	f, err := sp.findFinished(ctx, sp.finishedKey(c))
	if err != nil {
		return err
	}
	if f == nil {
		return refuse(UnknownRequest, quoted(c.confirmed.InResponseTo.Value), "a request of ours to this identity provider that waits")
	}
	return c.repeated(f, posted)
}

// repeated refuses a request's second answer. If it is the same answer from the same browser, the refusal knows where the
// first one led.
func (c *candidate) repeated(f *finished, posted Posted) *Error {
	e := refuse(Replayed, "the second answer to a request", "the first")
	if posted.BrowserKey == "" {
		e.hop = true
		return e
	}
	if f.isFrom(posted.BrowserKey) && f.assertion == c.Assertion.ID {
		e.repeat = f
	}
	return e
}

// pendingKey is where a request to an identity provider waits for its answer.
func (sp *ServiceProvider) pendingKey(domain, requestID string) string {
	return stateKey(pendingKind, sp.config.EntityID, domain, requestID)
}

func (sp *ServiceProvider) finishedKey(c *candidate) string {
	return stateKey(finishedKind, sp.config.EntityID, c.trust.Domain, c.confirmed.InResponseTo.Value)
}

// unfinish takes back the note of a login that found no user, so that a double submit is not sent where it was to lead.
// What was spent stays spent. A browser that submits twice drops the first request, whose context then must not count.
func (sp *ServiceProvider) unfinish(ctx context.Context, login *Login) {
	if login.requestID == "" {
		return
	}
	key := stateKey(finishedKind, sp.config.EntityID, login.trust.Domain, login.requestID)
	_, _, _ = sp.config.State.Take(context.WithoutCancel(ctx), key)
}

func (sp *ServiceProvider) findFinished(ctx context.Context, key string) (*finished, *Error) {
	value, found, err := sp.config.State.Get(ctx, key)
	if err == nil && found {
		var f *finished
		if f, err = unmarshalFinished(value); err == nil {
			return f, nil
		}
	}
	if err != nil {
		return nil, storeFailed(err)
	}
	return nil, nil
}

// consume uses up the request and remembers the assertion. Of several answers that arrive at once, the one that writes
// the note of the finished login goes on; it stands before the request is gone, so that a double submit always finds one
// of the two.
func (sp *ServiceProvider) consume(ctx context.Context, c *candidate, key string, p *pending, posted Posted, returnTo string) *Error {
	done := finished{browser: p.browser, assertion: c.Assertion.ID, returnTo: returnTo}
	first, err := sp.config.State.Add(ctx, sp.finishedKey(c), done.marshal(), finishedKeep)
	if err != nil {
		_, _, _ = sp.config.State.Take(ctx, sp.finishedKey(c)) // it may have been stored all the same
		return storeFailed(err)
	}
	if !first {
		return sp.unknownRequest(ctx, c, posted)
	}
	refused := sp.takePending(ctx, key)
	if refused == nil {
		refused = sp.rememberAssertion(ctx, c)
	}
	if refused != nil {
		// No login was made, so nothing is to be repeated; if the store cannot forget, it does so within a minute.
		_, _, _ = sp.config.State.Take(ctx, sp.finishedKey(c))
	}
	return refused
}

func (sp *ServiceProvider) takePending(ctx context.Context, key string) *Error {
	_, found, err := sp.config.State.Take(ctx, key)
	switch {
	case err != nil:
		return storeFailed(err)
	case !found:
		return refuse(Replayed, "the second answer to a request", "the first")
	}
	return nil
}

// rememberAssertion refuses an assertion that was used before (SAML Profiles 4.1.4.5), for as long as it could be
// delivered again.
func (sp *ServiceProvider) rememberAssertion(ctx context.Context, c *candidate) *Error {
	keep := c.horizon().Add(c.skew).Sub(c.now) + replayMargin
	added, err := sp.config.State.Add(ctx, sp.usedKey(c), []byte{1}, keep)
	if err != nil {
		return storeFailed(err)
	}
	if !added {
		e := refuse(Replayed, "an assertion that was used before", "a new one")
		e.Spec = "SAML Profiles 4.1.4.5"
		return e
	}
	return nil
}

func (sp *ServiceProvider) usedKey(c *candidate) string {
	return stateKey(usedKind, sp.config.EntityID, c.trust.Domain, c.Assertion.ID)
}

// consumeFailed uses up the request that a signed failure answers, and returns where its login was to lead. An unsigned
// failure could come from anybody and consumes nothing. Whether the store can be asked does not matter: the login is
// refused anyhow.
func (sp *ServiceProvider) consumeFailed(ctx context.Context, c *candidate, posted Posted) (returnTo string) {
	id := c.Claims.InResponseTo
	if !id.Present {
		return ""
	}
	key := sp.pendingKey(c.trust.Domain, id.Value)
	p, err := sp.findPending(ctx, key)
	if err != nil || p == nil || !p.isFrom(posted.BrowserKey) {
		return ""
	}
	if c.ResponseSigned {
		_, _, _ = sp.config.State.Take(ctx, key)
	}
	return p.returnTo
}

// landing decides where a login leads that was not begun at a page of ours: where the identity provider says, if that is
// a place of ours; or else to the default page.
func (sp *ServiceProvider) landing(trust *LoginTrust, handed string) string {
	place := sp.target(handed)
	switch {
	case place == "":
		return sp.config.DefaultPath
	case trust.StripQuestionMark:
		return RestoreQuestionMark(place)
	}
	return place
}
