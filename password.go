package saml

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"time"
)

// A PasswordStep is a login that waits for its user's local password: LoginTrust.PasswordRequired asks for it after the
// identity provider has answered. It is good for ten minutes, five tries, one login, and the browser that it was given to.
type PasswordStep struct {
	// Token goes into a hidden field of the form that asks for the password. It is no session and opens nothing by itself.
	Token string
	// BrowserKey is the key of the browser. FinishLogin keeps it in the cookie; see ServiceProvider.BrowserKey.
	BrowserKey string
}

// PasswordStep is what a PasswordRequired asks for, or a PasswordWrong asks for again.
func (e *Error) PasswordStep() (step PasswordStep, found bool) {
	if e.step == nil {
		return PasswordStep{}, false
	}
	return *e.step, true
}

func passwordStep(err error) PasswordStep {
	if e, ok := errors.AsType[*Error](err); ok {
		step, _ := e.PasswordStep()
		return step
	}
	return PasswordStep{}
}

const (
	passwordKeep  = 10 * time.Minute
	passwordTries = 5

	passwordVersion = 2
	passwordToken   = 32 // octets
)

// A passwordRecord is a login that waits, as the state store holds it: with the message as it came, which is verified anew
// when the password is there. A store could hand out anything; what counts is what a pinned key signed.
type passwordRecord struct {
	browser     [sha256.Size]byte // hash of the browser key
	user        string            // ID
	received    time.Time
	client      netip.Addr
	message     string // the form value, or what an artifact led to
	source      string // of the artifact, the Domain of its trust; "" for a form value
	resolve     string // ID of the request that message then answers
	returnTo    string
	requestID   string
	unsolicited bool
	steppedUp   bool
}

func (p *passwordRecord) marshal() []byte {
	b := make([]byte, 0, 256+len(p.message))
	b = append(b, passwordVersion, 0)
	if p.unsolicited {
		b[1] = 1
	}
	if p.steppedUp {
		b[1] |= 2
	}
	b = append(b, p.browser[:]...)
	b = binary.AppendVarint(b, p.received.UnixNano())
	client := ""
	if p.client.IsValid() {
		client = p.client.String()
	}
	for _, s := range [...]string{p.user, client, p.message, p.source, p.resolve, p.returnTo, p.requestID} {
		b = appendString(b, s)
	}
	return b
}

func unmarshalPassword(b []byte) (*passwordRecord, error) {
	r := record{rest: b}
	if r.byte() != passwordVersion {
		return nil, errRecord
	}
	flags := r.byte()
	p := &passwordRecord{unsolicited: flags&1 != 0, steppedUp: flags&2 != 0}
	r.fixed(p.browser[:])
	p.received = time.Unix(0, r.int()).UTC()
	p.user = r.string()
	if client := r.string(); client != "" {
		p.client, _ = netip.ParseAddr(client)
	}
	p.message, p.source, p.resolve = r.string(), r.string(), r.string()
	p.returnTo, p.requestID = r.string(), r.string()
	if r.bad || len(r.rest) > 0 || p.user == "" {
		return nil, errRecord
	}
	return p, nil
}

// askPassword turns a login that has its user into one that waits. Nothing of the user is changed before he has finished.
func (sp *ServiceProvider) askPassword(ctx context.Context, login *Login, user User, posted Posted, now time.Time) *Error {
	if posted.PAOS != nil {
		return noPasswordByPAOS()
	}
	// Nobody may have asked for this login, so its browser may have no key.
	step := &PasswordStep{Token: base64.RawURLEncoding.EncodeToString(random(passwordToken)), BrowserKey: browserKeyFrom(posted.BrowserKey)}
	p := passwordRecord{browser: sha256.Sum256([]byte(step.BrowserKey)), user: user.ID, received: now, client: posted.ClientAddress,
		message: posted.SAMLResponse, returnTo: login.returnTo, requestID: login.requestID, unsolicited: login.unsolicited,
		steppedUp: login.steppedUp}
	if r := posted.resolution; r != nil {
		p.message, p.source, p.resolve = string(r.answer), r.trust.Domain, r.request
	}
	value := p.marshal()
	if len(value) > maxStateValue {
		return refuse(TooLarge, fmt.Sprintf("a login of %d octets to be kept", len(value)), fmt.Sprintf("at most %d", maxStateValue))
	}
	added, err := sp.config.State.Add(ctx, sp.passwordKey(step.Token), value, passwordKeep)
	if err == nil && !added {
		err = errors.New("the state store already holds a new token")
	}
	if err != nil {
		return storeFailed(err)
	}
	e := refuse(PasswordRequired, "no local password yet", "the user's local password")
	e.Spec, e.step = "the login trust", step
	return e
}

func (sp *ServiceProvider) passwordKey(token string) string {
	return stateKey(passwordKind, sp.config.EntityID, "", token)
}

// FinishPassword ends the login that a PasswordRequired began. check compares what the user typed with his local password,
// and reports whether it is right; it may be called concurrently. Signature, trust and user are judged anew before, by what
// they are now, and a login-disabled user is re-activated after. PasswordWrong may be tried again with the same step.
//
// The five tries are those of one step. An identity provider can begin another, so check should count for itself what it
// counts on the login page.
func (sp *ServiceProvider) FinishPassword(ctx context.Context, step PasswordStep, check func(ctx context.Context, user User) (bool, error)) (*Login, error) {
	login, err := sp.finishPassword(ctx, step, check)
	if err != nil {
		return nil, err
	}
	return login, nil
}

func (sp *ServiceProvider) finishPassword(ctx context.Context, step PasswordStep, check func(context.Context, User) (bool, error)) (*Login, *Error) {
	if err := sp.checkEnabled(ctx); err != nil {
		return nil, err
	}
	if check == nil || sp.config.Users == nil {
		return nil, refuse(NotConfigured, "nothing to check a password with", "a check and Config.Users")
	}
	p, err := sp.findPassword(ctx, step)
	if err != nil {
		return nil, err
	}
	login, err := sp.resume(ctx, p)
	if err != nil {
		return nil, err
	}
	m, err := sp.decide(ctx, login)
	if err == nil && m.user.ID != p.user {
		err = refuse(InvalidUser, "another user than was asked for his password", "the same")
	}
	if err == nil {
		err = sp.try(ctx, step, m.user, check)
	}
	if err == nil {
		err = sp.takePassword(ctx, step)
	}
	if err == nil { // once more: checking a password takes its time
		err = sp.checkEnded(ctx, login.Assertion.w, login.trust, sp.config.Now())
	}
	if err == nil {
		err = sp.admit(ctx, login, m)
	}
	if err != nil {
		return nil, err.of(login.trust)
	}
	return login, nil
}

// findPassword finds the login that waits, for the browser that it waits for.
func (sp *ServiceProvider) findPassword(ctx context.Context, step PasswordStep) (*passwordRecord, *Error) {
	value, found, err := sp.config.State.Get(ctx, sp.passwordKey(step.Token))
	if err != nil {
		return nil, storeFailed(err)
	}
	if !found {
		return nil, refuse(UnknownRequest, "an unknown or old token", "one of a login that waits for a password")
	}
	p, err := unmarshalPassword(value)
	if err != nil {
		return nil, storeFailed(err)
	}
	if !isHashOf(p.browser, step.BrowserKey) {
		return nil, refuse(BrowserMismatch, "the key of another browser", "the one of the browser that began the login")
	}
	return p, nil
}

// resume makes the login what it was, from the message itself. It is judged by the time at which it came, and by trust and
// keys as they are now; what was spent for it is spent. The session must not have ended meanwhile.
func (sp *ServiceProvider) resume(ctx context.Context, p *passwordRecord) (*Login, *Error) {
	now := sp.config.Now()
	if age := now.Sub(p.received); age < -replayMargin || age > passwordKeep+replayMargin {
		return nil, refuse(UnknownRequest, "an old token", "one of a login that waits for a password")
	}
	w := sp.readers.Get().(*workspace)
	defer sp.release(w)
	posted := Posted{SAMLResponse: p.message, ClientAddress: p.client}
	if p.source != "" {
		trust, refused := sp.trustOf(ctx, p.source)
		if refused != nil {
			return nil, refused
		}
		posted.resolution = &resolution{trust, p.resolve, []byte(p.message)}
	}
	c, err := sp.verify(ctx, w, &posted, p.received)
	if err != nil {
		return nil, err
	}
	if err := checkStatus(c); err != nil {
		return nil, err.of(c.trust)
	}
	if err := sp.judge(ctx, c); err != nil {
		return nil, err.of(c.trust)
	}
	if p.unsolicited {
		if err := c.checkUnsolicited(); err != nil {
			return nil, err.of(c.trust)
		}
	}
	c.now = now
	if m := checkSessionEnd(c); m != nil {
		return nil, refuse(SessionExpired, m.found, m.wanted).of(c.trust)
	}
	if err := sp.checkEnded(ctx, c.Assertion, c.trust, now); err != nil {
		return nil, err.of(c.trust)
	}
	return &Login{Assertion: &Assertion{w: c.Assertion, spEntityID: sp.config.EntityID}, trust: c.trust, returnTo: p.returnTo,
		requestID: p.requestID, unsolicited: p.unsolicited, steppedUp: p.steppedUp}, nil
}

// try counts a try before the password is looked at, so that tries at once are no more than tries in turn. A check that
// fails has had its try: otherwise a client that breaks off would have any number.
func (sp *ServiceProvider) try(ctx context.Context, step PasswordStep, user User, check func(context.Context, User) (bool, error)) *Error {
	number, refused := sp.countTry(ctx, step)
	if refused != nil {
		return refused
	}
	right, err := check(ctx, user.clone())
	switch {
	case err != nil:
		return directoryFailed(err)
	case right:
		return nil
	case number == passwordTries:
		return tooManyTries()
	}
	e := refuse(PasswordWrong, fmt.Sprintf("a wrong password, try %d of %d", number, passwordTries), "the user's local password")
	e.step = &step
	return e
}

// countTry takes the first try that is left.
func (sp *ServiceProvider) countTry(ctx context.Context, step PasswordStep) (number int, refused *Error) {
	for number := 1; number <= passwordTries; number++ {
		key := stateKey(tryKind, sp.config.EntityID, strconv.Itoa(number), step.Token)
		first, err := sp.config.State.Add(ctx, key, []byte{1}, passwordKeep)
		if err != nil {
			return 0, storeFailed(err)
		}
		if first {
			return number, nil
		}
	}
	return 0, tooManyTries()
}

func tooManyTries() *Error {
	return refuse(PasswordFailed, fmt.Sprintf("%d wrong passwords", passwordTries), "the user's local password")
}

// takePassword uses the step up: of several right answers at once, one makes the login.
func (sp *ServiceProvider) takePassword(ctx context.Context, step PasswordStep) *Error {
	_, found, err := sp.config.State.Take(ctx, sp.passwordKey(step.Token))
	switch {
	case err != nil:
		return storeFailed(err)
	case !found:
		return refuse(Replayed, "the second right password", "the first")
	}
	return nil
}
