package saml

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/logintrust/saml/internal/binding"
	"github.com/logintrust/saml/internal/wire"
	"github.com/logintrust/saml/internal/xmlsec"
)

// Single logout (SAML Core 3.7, Profiles 4.4): messages from an identity provider, which asks us to end sessions or answers
// what we asked it. logoutrequest.go is the outgoing half, logouthttp.go what browsers see.

// A LogoutMessage is a message of single logout as it came, by one of three bindings.
type LogoutMessage struct {
	// Query is the raw query of a message by HTTP-Redirect, just as the browser sent it; see Config.RawQuery.
	Query string
	// SAMLRequest or SAMLResponse, and RelayState, are the form values of a message by HTTP-POST.
	SAMLRequest, SAMLResponse, RelayState string
	// SOAP is the body of a message that the identity provider sends itself.
	SOAP []byte
	// BrowserKey is what LogoutRequest gave for this browser to keep. An answer to a request is refused without it; a request
	// needs none.
	BrowserKey string
}

// A LogoutAnswer is what an identity provider gets for its LogoutRequest. It goes to the places of the login trust and nowhere
// else. All of URL, Action and SOAP are "" if no answer is awaited, or there is no place for one.
type LogoutAnswer struct {
	// URL is where to send the browser by 303, for HTTP-Redirect.
	URL string
	// Action and Fields are the form that the browser is to post, for HTTP-POST.
	Action string
	Fields map[string]string
	// SOAP is the body of the answer to a message by SOAP.
	SOAP []byte

	// Domain is the login trust.
	Domain string
	// Ended is how many sessions have ended.
	Ended int
	// Refusal says why the answer reports a failure; nil if it reports success.
	Refusal *Error
}

// A LogoutOutcome is how a logout that we began has ended at the identity provider. Here it had ended before.
type LogoutOutcome int

// Outcomes. The zero one claims nothing.
const (
	// LogoutFailed: the session at the identity provider may still be there.
	LogoutFailed LogoutOutcome = iota
	// LogoutPartial: the session there has ended, but not that at every other service provider.
	LogoutPartial
	// LogoutComplete: all sessions have ended.
	LogoutComplete
)

var logoutOutcomes = wordList{"failed", "partial", "complete"}

// String names the outcome.
func (o LogoutOutcome) String() string { return logoutOutcomes.word(int(o)) }

// A LogoutResult is what an identity provider answers to a logout that we began.
type LogoutResult struct {
	Outcome LogoutOutcome
	// Status is the answer's own.
	Status Status
	// Domain is the login trust, and RequestID the request that was answered.
	Domain, RequestID string
	// ReturnTo is where to send the user; "" after LogoutBySOAP.
	ReturnTo string
}

const (
	// A LogoutRequest without NotOnOrAfter counts for this long; with it, for at most replayLimit, whatever it says, so that the
	// memory against replay stays bounded.
	logoutLife = 10 * time.Minute
)

// A departure is a logout message, or another about a subject, on its way through the rules: what a pinned key vouches for, and
// by what it is judged.
type departure struct {
	exchange wire.Exchange
	place    string               // of ours, where such messages come to
	request  *wire.SubjectRequest // of an identity provider; nil for an answer
	leave    *wire.LogoutRequest  // what else the request says, one of the two
	change   *wire.NameIDRequest
	response *wire.Claims // the answer; nil for a request

	trust       *LoginTrust
	issuer      string // the Issuer that picked the trust
	now         time.Time
	skew        time.Duration
	relay       string
	byPOST      bool
	bySOAP      bool
	answered    bool // by SOAP, on the connection of our request
	version     string
	instant     time.Time
	destination wire.Text
	signed      wire.NameID // the Issuer that is vouched for
}

func (sp *ServiceProvider) departure(x wire.Exchange) *departure {
	d := &departure{exchange: x, place: sp.config.LogoutURL, now: sp.config.Now(), skew: sp.config.ClockSkew}
	if x == wire.NameIDManagement {
		d.place = sp.config.NameIDURL
	}
	return d
}

// A logoutRule is one demand of the specification on a message of single logout, or on another about a subject.
type logoutRule struct {
	reason Reason
	spec   string
	check  func(*departure) *mismatch
}

func (d *departure) apply(rules []logoutRule) *Error {
	for _, r := range rules {
		if m := r.check(d); m != nil {
			e := refuse(r.reason, m.found, m.wanted)
			e.Spec = r.spec
			return e
		}
	}
	return nil
}

// addressRules say whether a message is from whom it seems to be, and for us. What fails them gets no answer.
var addressRules = []logoutRule{
	{WrongDestination, "SAML Bindings 3.4.5.2, 3.5.5.2", checkLogoutDestination},
	{WrongIssuer, "SAML Profiles 4.4.4", checkLogoutIssuer},
}

// departureRules judge what is for us. A request that fails them is answered, but ends nothing.
var departureRules = []logoutRule{
	{WrongVersion, "SAML Core 3.2.1", checkLogoutVersion},
	{NotYetValid, "SAML Core 1.3.3", checkLogoutInstant},
	{Expired, "SAML Core 3.7.1", checkLogoutEnd},
	{NoSubject, "SAML Core 3.7.1", checkLogoutSubject},
}

// checkLogoutDestination: every message of single logout is signed, so it has a Destination, and it is ours. Stricter than
// Bindings 3.2, which leaves it open by SOAP: without it, another service provider could hand on what it was sent.
func checkLogoutDestination(d *departure) *mismatch {
	switch {
	case !d.destination.Present && d.answered:
		return nil
	case !d.destination.Present:
		return &mismatch{found: "no Destination", wanted: quoted(d.place)}
	case d.destination.Present && d.destination.Value != d.place:
		return &mismatch{found: quoted(d.destination.Value), wanted: quoted(d.place)}
	}
	return nil
}

func checkLogoutIssuer(d *departure) *mismatch {
	if d.signed.Value != d.issuer {
		return &mismatch{found: quoted(d.signed.Value), wanted: quoted(d.issuer)}
	}
	if !isEntityFormat(d.signed.Format) {
		return &mismatch{found: quoted(d.signed.Format), wanted: "an Issuer Format of entity or none"}
	}
	return nil
}

func checkLogoutVersion(d *departure) *mismatch {
	if d.version != "2.0" {
		return &mismatch{found: quoted(d.version), wanted: `Version "2.0"`}
	}
	return nil
}

func checkLogoutInstant(d *departure) *mismatch {
	if d.now.Before(d.instant.Add(-d.skew)) {
		return &mismatch{found: "IssueInstant " + stamp(d.instant), wanted: "at most " + stamp(d.now.Add(d.skew))}
	}
	return nil
}

// end is when a request counts no more: by then it cannot be delivered again.
func (d *departure) end() time.Time {
	if d.leave == nil || d.leave.NotOnOrAfter.IsZero() {
		return d.instant.Add(logoutLife)
	}
	if limit := d.instant.Add(replayLimit); d.leave.NotOnOrAfter.After(limit) {
		return limit
	}
	return d.leave.NotOnOrAfter
}

// checkLogoutEnd: stricter than Core 3.7.1, which lets an old request be discarded; here it is. An answer does not grow old: its
// request does.
func checkLogoutEnd(d *departure) *mismatch {
	if d.request == nil {
		return nil
	}
	if end := d.end(); !d.now.Before(end.Add(d.skew)) {
		return &mismatch{found: "a request that counts until " + stamp(end), wanted: "later than " + stamp(d.now.Add(-d.skew))}
	}
	return nil
}

// checkLogoutSubject: a name that says who. An EncryptedID was opened with the message, if we have a key.
func checkLogoutSubject(d *departure) *mismatch {
	if d.request == nil {
		return nil
	}
	switch {
	case d.request.Identifier == wire.ByEncryptedID:
		return &mismatch{found: "an EncryptedID", wanted: "a key of ours to open it, or a NameID in clear"}
	case d.request.Identifier != wire.ByNameID, d.subjectKey("") == "":
		return &mismatch{found: "no NameID", wanted: "a NameID"}
	}
	return nil
}

// AnswerLogout acts upon an identity provider's LogoutRequest: it ends the sessions that it names, by Config.Sessions, and
// makes the answer: the third rung of the API, without net/http. Only a request that a key of the trust signed, meant for us,
// gets an answer, which may report a failure; see LogoutAnswer.Refusal. Any other is an *Error.
func (sp *ServiceProvider) AnswerLogout(ctx context.Context, m LogoutMessage) (*LogoutAnswer, error) {
	w := sp.readers.Get().(*workspace)
	defer sp.release(w)
	d, err := sp.openLogout(ctx, w, wire.SingleLogout, m)
	if err == nil && d.request == nil {
		err = refuse(BadRequest, "a LogoutResponse", "a LogoutRequest")
	}
	if err != nil {
		return nil, err.leaving()
	}
	answer, err := sp.answerLogout(ctx, d)
	if err != nil {
		return nil, err.of(d.trust).leaving()
	}
	return answer, nil
}

// CompleteLogout judges an identity provider's answer to a logout that we began: the third rung of the API, without net/http.
// It is used up by that. A refusal is an *Error; either way the session here has ended before.
func (sp *ServiceProvider) CompleteLogout(ctx context.Context, m LogoutMessage) (*LogoutResult, error) {
	w := sp.readers.Get().(*workspace)
	defer sp.release(w)
	d, err := sp.openLogout(ctx, w, wire.SingleLogout, m)
	if err == nil && d.response == nil {
		err = refuse(BadRequest, "a LogoutRequest", "a LogoutResponse")
	}
	if err != nil {
		return nil, err.leaving()
	}
	result, err := sp.completeLogout(ctx, d, m.BrowserKey)
	if err != nil {
		return nil, err.of(d.trust).leaving()
	}
	return result, nil
}

// leaving marks an error of a logout, for the page that shows it.
func (e *Error) leaving() *Error {
	e.logout = true
	return e
}

// openLogout leads from octets to what the keys of a trust vouch for, in a message that is meant for us. What fails here gets no
// answer: nobody knows whom it would go to.
func (sp *ServiceProvider) openLogout(ctx context.Context, w *workspace, x wire.Exchange, m LogoutMessage) (*departure, *Error) {
	switch {
	case x == wire.SingleLogout && sp.config.Sessions == nil:
		return nil, refuse(NotConfigured, "a message of single logout", "Config.Sessions")
	case x == wire.NameIDManagement && sp.config.NameIDs == nil:
		return nil, refuse(NotConfigured, "a message of NameID management", "Config.NameIDs")
	}
	var message wire.Logout
	d := sp.departure(x)
	query, refused := sp.readLogout(w, m, d, &message)
	if refused != nil {
		return nil, refused
	}
	if refused := checkRelayState(d.relay); refused != nil {
		return nil, refused
	}
	if refused := sp.findLogoutTrust(ctx, d, message.Issuer); refused != nil {
		return nil, refused
	}
	if refused := d.open(w, &message, query, sp.policy(d.trust), sp.opener(w)); refused != nil {
		return nil, refused.claiming(d.trust)
	}
	if refused := d.apply(sp.rules.address); refused != nil {
		return nil, refused.of(d.trust)
	}
	if refused := sp.confirmLogoutIssuer(ctx, d); refused != nil {
		return nil, refused.of(d.trust)
	}
	return d, nil
}

// readLogout turns what came into a message whose parts are in their places. Nothing is verified yet. query is what the
// signature of a message by HTTP-Redirect is read from.
func (sp *ServiceProvider) readLogout(w *workspace, m LogoutMessage, d *departure, message *wire.Logout) (query *binding.Query, refused *Error) {
	isRequest := m.SAMLRequest != ""
	byForm := isRequest || m.SAMLResponse != ""
	switch {
	case m.Query != "" && !byForm && m.SOAP == nil:
		if query, refused = sp.readQuery(w, m.Query); refused != nil {
			return nil, refused
		}
		isRequest, d.relay = query.Request, query.RelayState
	case byForm && m.Query == "" && m.SOAP == nil && (m.SAMLRequest == "" || m.SAMLResponse == ""):
		if refused := sp.decodeForm(w, m.SAMLRequest+m.SAMLResponse); refused != nil {
			return nil, refused
		}
		d.byPOST, d.relay = true, m.RelayState
	case m.SOAP != nil && m.Query == "" && !byForm:
		isRequest, d.bySOAP = true, true // an answer would come on the connection of its request
		w.message = append(w.message[:0], m.SOAP...)
	default:
		return nil, refuse(BadRequest, "no message, or several", "one message")
	}
	return query, sp.parseLogout(w, message, d.exchange, d.bySOAP, isRequest)
}

// readEnvelope reads a message by SOAP.
func (sp *ServiceProvider) readEnvelope(w *workspace, envelope []byte, message *wire.Logout, isRequest bool) *Error {
	w.message = append(w.message[:0], envelope...)
	return sp.parseLogout(w, message, wire.SingleLogout, true, isRequest)
}

func (sp *ServiceProvider) parseLogout(w *workspace, message *wire.Logout, x wire.Exchange, bySOAP, isRequest bool) *Error {
	u, err := w.reader.Parse(w.message, xmlsec.Limits{Bytes: sp.config.MaxMessageBytes})
	if err != nil {
		return reasonOf(err)
	}
	if err := message.Read(u, x, bySOAP); err != nil {
		return reasonOf(err)
	}
	if message.Request != isRequest {
		return refuse(BadResponse, "a request in the place of an answer, or the other way round", "SAMLRequest for a request")
	}
	return nil
}

func (sp *ServiceProvider) readQuery(w *workspace, raw string) (*binding.Query, *Error) {
	query, err := binding.ReadQuery(raw)
	if err == nil {
		w.message, err = query.AppendXML(w.message[:0], sp.config.MaxMessageBytes)
	}
	if err == nil {
		return query, nil
	}
	reason := BadRequest
	switch {
	case errors.Is(err, binding.ErrTooLarge):
		reason = TooLarge
	case errors.Is(err, binding.ErrInflate):
		reason = BadResponse
	}
	return nil, refuse(reason, err.Error(), "one deflated message")
}

// findLogoutTrust picks the login trust by the Issuer, which is all that an unverified message is asked for.
func (sp *ServiceProvider) findLogoutTrust(ctx context.Context, d *departure, issuer wire.Text) *Error {
	if !issuer.Present {
		return refuse(WrongIssuer, "no Issuer", "the Issuer of a login trust")
	}
	trust, refused := sp.trustOf(ctx, issuer.Value)
	if refused != nil {
		return refused
	}
	if refused := trust.gate(MethodSAML); refused != nil {
		return refused.claiming(trust)
	}
	d.trust, d.issuer = trust, issuer.Value
	return nil
}

// open verifies the message with the keys of the trust, and decodes only what they vouch for. By HTTP-Redirect the signature
// in the query is the one that counts (erratum E7).
func (d *departure) open(w *workspace, message *wire.Logout, query *binding.Query, p xmlsec.Policy, opener *xmlsec.Opener) *Error {
	var signature *xmlsec.Detached
	if query != nil {
		detached, found, err := query.Signature()
		switch {
		case err != nil:
			return reasonOf(err)
		case !found:
			return refuse(Unsigned, "a query without Signature", "a signed query")
		}
		signature = &detached
	}
	w.keys = appendPinned(w.keys[:0], d.trust.Keys)
	var err error
	switch {
	case message.Request && d.exchange == wire.NameIDManagement:
		if d.change, err = message.OpenNameIDRequest(signature, w.keys, p, opener); err == nil {
			d.request = &d.change.SubjectRequest
		}
	case message.Request:
		if d.leave, err = message.OpenRequest(signature, w.keys, p, opener); err == nil {
			d.request = &d.leave.SubjectRequest
		}
	default:
		d.response, err = message.OpenResponse(signature, w.keys, p)
	}
	if err != nil {
		return reasonOf(err)
	}
	if r := d.request; r != nil {
		d.version, d.instant, d.destination, d.signed = r.Version, r.IssueInstant, r.Destination, r.Issuer
		return nil
	}
	r := d.response
	d.version, d.instant, d.destination = r.Version, r.IssueInstant, r.Destination
	d.signed = wire.NameID{Value: r.Issuer.Value, Format: r.IssuerFormat.Value}
	return nil
}

// confirmLogoutIssuer asks again for the trust of an issuer that is not its Domain, as confirmIssuer does for logins.
func (sp *ServiceProvider) confirmLogoutIssuer(ctx context.Context, d *departure) *Error {
	if d.issuer == d.trust.Domain {
		return nil
	}
	trust, refused := sp.trustOf(ctx, d.signed.Value)
	if refused != nil {
		return refused
	}
	if trust.Domain != d.trust.Domain {
		return refuse(WrongIssuer, quoted(d.signed.Value), "an issuer of "+quoted(d.trust.Domain))
	}
	return nil
}

// subjectKey stands for whom the request is about; "" if it names nobody.
func (d *departure) subjectKey(sp string) string {
	return subjectKey(sp, d.trust.Domain, d.signed.Value, d.request.NameID)
}

// logout is what the request names.
func (d *departure) logout(sp string) Logout {
	return Logout{Domain: d.trust.Domain, SubjectKey: d.subjectKey(sp), SessionIndexes: d.leave.SessionIndexes, NameID: NameID(d.request.NameID)}
}

// answerLogout does what the request asks for, if it may, and answers.
func (sp *ServiceProvider) answerLogout(ctx context.Context, d *departure) (*LogoutAnswer, *Error) {
	answer := &LogoutAnswer{Domain: d.trust.Domain}
	refusal := d.apply(sp.rules.departure)
	if refusal == nil {
		refusal = sp.once(ctx, d, func(ctx context.Context) (refused *Error) {
			answer.Ended, refused = sp.endSessions(ctx, d)
			return refused
		})
	}
	if refusal != nil {
		answer.Refusal = refusal.of(d.trust).leaving()
	}
	code, below := answer.status()
	sent, err := sp.reply(d, code, below)
	if err != nil {
		return nil, err
	}
	answer.URL, answer.Action, answer.Fields, answer.SOAP = sent.url, sent.action, sent.fields, sent.soap
	return answer, nil
}

// once does what a request asks for, unless that was done before: played back later, it would end a session that has begun
// since (SAML Security Considerations 6.1.2). A browser that moves on in the meantime stops nothing; a request that failed may
// come again.
func (sp *ServiceProvider) once(ctx context.Context, d *departure, do func(context.Context) *Error) *Error {
	ctx = context.WithoutCancel(ctx)
	key := stateKey(heardKind, sp.config.EntityID, d.trust.Domain, d.request.ID)
	refused := sp.hearOnce(ctx, d, key)
	if refused != nil {
		return refused
	}
	if refused = do(ctx); refused != nil {
		_, _, _ = sp.config.State.Take(ctx, key)
	}
	return refused
}

func (sp *ServiceProvider) hearOnce(ctx context.Context, d *departure, key string) *Error {
	added, err := sp.config.State.Add(ctx, key, []byte{1}, d.end().Add(d.skew).Sub(d.now)+replayMargin)
	switch {
	case err != nil:
		return storeFailed(err)
	case !added:
		return refuse(Replayed, "a request that was acted upon before", "a new one")
	}
	return nil
}

// endSessions ends what is there, and remembers what may still come: of a login and a logout that cross, either the login finds
// the note, or the logout the session.
func (sp *ServiceProvider) endSessions(ctx context.Context, d *departure) (int, *Error) {
	logout := d.logout(sp.config.EntityID)
	if refused := sp.noteEnded(ctx, d, logout); refused != nil {
		return 0, refused
	}
	ended, err := sp.config.Sessions.EndSessions(ctx, logout)
	if err != nil {
		return ended, sessionsFailed(err)
	}
	return ended, nil
}

// completeLogout holds an answer against the request that waits for it.
func (sp *ServiceProvider) completeLogout(ctx context.Context, d *departure, browserKey string) (*LogoutResult, *Error) {
	if refused := d.apply(sp.rules.departure); refused != nil {
		return nil, refused
	}
	id := d.response.InResponseTo
	if !id.Present {
		return nil, refuse(UnknownRequest, "no InResponseTo", "an answer to a logout request of ours")
	}
	key := stateKey(logoutKind, sp.config.EntityID, d.trust.Domain, id.Value)
	p, refused := sp.findPending(ctx, key)
	if refused != nil {
		return nil, refused
	}
	if p == nil {
		return nil, refuse(UnknownRequest, quoted(id.Value), "a logout request of ours to this identity provider that waits")
	}
	if refused := checkBrowser(p, Posted{BrowserKey: browserKey}); refused != nil {
		return nil, refused
	}
	if refused := sp.takePending(ctx, key); refused != nil {
		return nil, refused
	}
	result := d.result()
	result.ReturnTo = cmp.Or(p.returnTo, sp.config.DefaultPath)
	return result, nil
}

// result is what the identity provider's answer says.
func (d *departure) result() *LogoutResult {
	c := d.response
	result := &LogoutResult{Domain: d.trust.Domain, RequestID: c.InResponseTo.Value,
		Status: Status{Code: c.StatusCode, Sub: c.StatusSub, Message: c.StatusMessage, Detail: c.StatusDetail, Signed: true}}
	switch {
	case result.Status.Has(StatusPartialLogout):
		result.Outcome = LogoutPartial
	case c.StatusCode == wire.StatusSuccess:
		result.Outcome = LogoutComplete
	}
	return result
}
