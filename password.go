package saml

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/logintrust/saml/internal/wire"
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
	passwordKeep     = 10 * time.Minute
	passwordTries    = 5
	maxPasswordState = 64 << 10 // octets of a login that waits, attributes included

	passwordVersion = 1
	passwordToken   = 32 // octets
)

// A passwordRecord is a login that waits, as the state store holds it.
type passwordRecord struct {
	Version     int             `json:"version"`
	Browser     []byte          `json:"browser"` // hash of the browser key
	User        string          `json:"user"`
	Domain      string          `json:"domain"`
	ReturnTo    string          `json:"returnTo"`
	RequestID   string          `json:"requestID"`
	Unsolicited bool            `json:"unsolicited"`
	Assertion   *wire.Assertion `json:"assertion"`
}

// askPassword turns a login that has its user into one that waits. Nothing of the user is changed before he has finished.
func (sp *ServiceProvider) askPassword(ctx context.Context, login *Login, user User, browserKey string) *Error {
	if !isBrowserKey(browserKey) { // nobody asked for this login, so its browser may have none
		browserKey = base64.RawURLEncoding.EncodeToString(random(browserKeyBytes))
	}
	step := &PasswordStep{Token: base64.RawURLEncoding.EncodeToString(random(passwordToken)), BrowserKey: browserKey}
	browser := sha256.Sum256([]byte(browserKey))
	value, err := json.Marshal(passwordRecord{Version: passwordVersion, Browser: browser[:], User: user.ID, Domain: login.trust.Domain,
		ReturnTo: login.returnTo, RequestID: login.requestID, Unsolicited: login.unsolicited, Assertion: login.Assertion.w})
	if err != nil {
		return storeFailed(err)
	}
	if len(value) > maxPasswordState {
		return refuse(TooLarge, fmt.Sprintf("a login of %d octets to be kept", len(value)), fmt.Sprintf("at most %d", maxPasswordState))
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
// and reports whether it is right; it may be called concurrently. Trust and user are judged anew, and only then is a
// login-disabled user re-activated. PasswordWrong may be tried again with the same step.
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
	if err == nil && m.user.ID != p.User {
		err = refuse(InvalidUser, "another user than was asked for his password", "the same")
	}
	if err == nil {
		err = sp.try(ctx, step, m.user, check)
	}
	if err == nil {
		err = sp.takePassword(ctx, step)
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
	p := &passwordRecord{}
	if json.Unmarshal(value, p) != nil || p.Version != passwordVersion || p.Assertion == nil || p.User == "" {
		return nil, storeFailed(errRecord)
	}
	sum := sha256.Sum256([]byte(step.BrowserKey))
	if subtle.ConstantTimeCompare(sum[:], p.Browser) != 1 {
		return nil, refuse(BrowserMismatch, "the key of another browser", "the one of the browser that began the login")
	}
	return p, nil
}

// resume makes the login what it was, by the trust as it is now.
func (sp *ServiceProvider) resume(ctx context.Context, p *passwordRecord) (*Login, *Error) {
	trust, found, err := sp.config.Trusts.FindTrust(ctx, p.Domain)
	if err != nil {
		return nil, storeFailed(err)
	}
	if !found || trust.Domain != p.Domain {
		return nil, refuse(UnknownDomain, quoted(p.Domain), "the Domain of a login trust")
	}
	if refused := trust.admits(); refused != nil {
		return nil, refused.of(trust)
	}
	c := &candidate{now: sp.config.Now(), skew: sp.config.ClockSkew}
	if end := sessionEnd(p.Assertion); !end.IsZero() && c.after(end) {
		return nil, refuse(SessionExpired, "SessionNotOnOrAfter "+stamp(end), "later than "+stamp(c.now.Add(-c.skew))).of(trust)
	}
	return &Login{Assertion: &Assertion{w: p.Assertion, spEntityID: sp.config.EntityID}, trust: trust, returnTo: p.ReturnTo,
		requestID: p.RequestID, unsolicited: p.Unsolicited}, nil
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
		return storeFailed(hushed{err})
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
