package saml_test

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml"
	"github.com/logintrust/saml/samltest"
)

// req: PROF-4.1.4.5-replay RY-REQ CORE-2.5.1.5
func TestReplay(t *testing.T) {
	t.Parallel()
	t.Run("the same response", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		started, request := w.start(saml.StartOptions{})
		answer := w.idp.Answer(request)
		login, err := w.post(answer, started.BrowserKey)
		accepted(t, login, err)
		login, err = w.post(answer, started.BrowserKey)
		refused(t, saml.Replayed, login, err)
	})
	t.Run("unsolicited, also in a new wrapper", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, allowIdPInitiated)
		answer := w.unsolicited()
		answer.Assertion().Conditions.OneTimeUse = 1
		login, err := w.post(answer, "")
		accepted(t, login, err)
		login, err = w.post(answer, "")
		refused(t, saml.Replayed, login, err)
		answer.ID, answer.IssueInstant = "_wrapper", at(time.Second)
		login, err = w.post(answer, "")
		refused(t, saml.Replayed, login, err)
	})
	t.Run("another answer to the same request", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		started, request := w.start(saml.StartOptions{})
		login, err := w.post(w.idp.Answer(request), started.BrowserKey)
		accepted(t, login, err)
		login, err = w.post(w.idp.Answer(request), started.BrowserKey)
		refused(t, saml.Replayed, login, err)
	})
	t.Run("the same assertion ID under another request", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		for i, reason := range []saml.Reason{"", saml.Replayed} {
			started, request := w.start(saml.StartOptions{})
			answer := w.idp.Answer(request)
			answer.Assertion().ID = "_fixed"
			login, err := w.post(answer, started.BrowserKey)
			if i == 0 {
				accepted(t, login, err)
				continue
			}
			refused(t, reason, login, err)
		}
	})
	t.Run("after the memory of the request, until the assertion is over", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, allowIdPInitiated)
		answer := w.unsolicited()
		login, err := w.post(answer, "")
		accepted(t, login, err)
		w.now = w.now.Add(5 * time.Minute)
		login, err = w.post(answer, "")
		require.Error(t, err)
		assert.Nil(t, login)
	})
}

// req: RY-KEY
func TestSameAssertionIDFromTwoIdPs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, allowIdPInitiated)
	other, err := samltest.New(samltest.Options{EntityID: "https://other.example.com", Now: func() time.Time { return now }})
	require.NoError(t, err)
	trust := other.Trust()
	trust.AllowIdPInitiated = true
	w.trusts.Set(trust)
	for _, idp := range []*samltest.IdP{w.idp, other} {
		w.idp = idp
		answer := w.unsolicited()
		answer.Assertion().ID = "_same"
		login, err := w.post(answer, "")
		accepted(t, login, err)
	}
}

// req: RY-KEY
func TestOneOfManyAtOnce(t *testing.T) {
	t.Parallel()
	for _, solicited := range []bool{true, false} {
		w := newWorld(t, allowIdPInitiated)
		started, request := w.start(saml.StartOptions{})
		answer := w.idp.Answer(request)
		if !solicited {
			answer = w.unsolicited()
		}
		var logins atomic.Int32
		var group sync.WaitGroup
		for range 16 {
			group.Go(func() {
				if login, err := w.post(answer, started.BrowserKey); err == nil && login != nil {
					logins.Add(1)
				}
			})
		}
		group.Wait()
		assert.Equal(t, int32(1), logins.Load())
	}
}

// req: II-CSRF CORE-3.2.2-irt
func TestBrowserBinding(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a, requestA := w.start(saml.StartOptions{})
	b, _ := w.start(saml.StartOptions{})
	answer := w.idp.Answer(requestA)
	for _, key := range []string{"", b.BrowserKey, "x", a.BrowserKey + "x"} {
		login, err := w.post(answer, key)
		refused(t, saml.BrowserMismatch, login, err)
	}
	login, err := w.post(answer, a.BrowserKey) // nothing was used up
	accepted(t, login, err)
	tab, request := w.start(saml.StartOptions{BrowserKey: a.BrowserKey})
	assert.Equal(t, a.BrowserKey, tab.BrowserKey, "a second tab shares the key of the first")
	login, err = w.post(w.idp.Answer(request), tab.BrowserKey)
	accepted(t, login, err)
}

// req: RP-MIXUP RP-ISSUERKEY
func TestMixUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	other, err := samltest.New(samltest.Options{EntityID: "https://other.example.com", Now: func() time.Time { return now }})
	require.NoError(t, err)
	w.trusts.Set(other.Trust())
	started, request := w.start(saml.StartOptions{})
	login, err := w.post(other.Answer(request), started.BrowserKey)
	refused(t, saml.UnknownRequest, login, err)

	forged := other.Answer(request)
	forged.Issuer.Value, forged.Assertion().Issuer.Value = w.idp.EntityID, w.idp.EntityID
	login, err = w.post(forged, started.BrowserKey)
	refused(t, saml.BadSignature, login, err)

	wrapped := other.Answer(request) // the response speaks for one, its assertion for the other
	wrapped.Sign = samltest.SignResponse
	wrapped.Assertion().Issuer.Value = w.idp.EntityID
	login, err = w.post(wrapped, started.BrowserKey)
	refused(t, saml.WrongIssuer, login, err)

	login, err = w.post(w.idp.Answer(request), started.BrowserKey)
	accepted(t, login, err)
}

// req: ER-STATE ER-UNSIGNED
func TestFailureConsumes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		sign     samltest.Parts
		stranger bool
		consumed bool
	}{
		{"unsigned", samltest.SignNothing, false, false},
		{"signed", samltest.SignResponse, false, true},
		{"signed, from another browser", samltest.SignResponse, true, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			started, request := w.start(saml.StartOptions{ReturnTo: "/inbox"})
			failure := w.idp.Refuse(request, samltest.Status{Code: samltest.Responder})
			failure.Sign = c.sign
			key := started.BrowserKey
			if c.stranger {
				key = ""
			}
			login, err := w.post(failure, key)
			e := refused(t, saml.IdPRefused, login, err)
			assert.Equal(t, c.stranger, e.ReturnTo == "", "where the login was to lead is for its own browser")
			login, err = w.post(w.idp.Answer(request), started.BrowserKey)
			if c.consumed {
				refused(t, saml.UnknownRequest, login, err)
				return
			}
			accepted(t, login, err)
		})
	}
}

// A failure that answers nothing of ours is told as what it is.
func TestFailureOfAnUnknownRequest(t *testing.T) {
	t.Parallel()
	state := &brokenState{MemoryState: saml.NewMemoryState()}
	w := newWorld(t, func(_ *saml.LoginTrust, c *saml.Config) { c.State = state })
	started, request := w.start(saml.StartOptions{ReturnTo: "/inbox"})
	for _, id := range []string{"_unknown", "", request.ID} {
		failure := w.idp.Refuse(samltest.Request{ID: id, SPEntityID: request.SPEntityID, ACSURL: request.ACSURL}, samltest.Status{Code: samltest.Responder})
		if id == request.ID {
			state.get = errBroken
		}
		login, err := w.post(failure, started.BrowserKey)
		e := refused(t, saml.IdPRefused, login, err)
		assert.Empty(t, e.ReturnTo)
	}
}

// A trust that tolerates an InResponseTo that nobody knows does not tolerate a second answer to a request that was answered.
func TestSecondAnswerIsNotAnUnknownOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(t *saml.LoginTrust, _ *saml.Config) { t.AllowIdPInitiated, t.AllowUnknownInResponseTo = true, true })
	started, request := w.start(saml.StartOptions{})
	login, err := w.post(w.idp.Answer(request), started.BrowserKey)
	accepted(t, login, err)
	login, err = w.post(w.idp.Answer(request), "")
	refused(t, saml.Replayed, login, err)
}

// A form value is measured before it is decoded.
func TestFormValueOverTheLimit(t *testing.T) {
	t.Parallel()
	w := newWorld(t, allowIdPInitiated, func(_ *saml.LoginTrust, c *saml.Config) { c.MaxFormBytes = 64 << 10 })
	value := w.unsolicited().Encode()
	padded := strings.Repeat("\n", 64<<10-len(value)) + value
	login, err := w.sp.Validate(t.Context(), saml.Posted{SAMLResponse: "\n" + padded})
	refused(t, saml.TooLarge, login, err)
	login, err = w.sp.Validate(t.Context(), saml.Posted{SAMLResponse: padded})
	accepted(t, login, err)
}

// A refusal of any kind before the last check spends nothing.
func TestTamperedCopyDoesNotBurnTheGenuineOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t, allowIdPInitiated)
	answer := w.unsolicited()
	answer.Bytes = replaceBytes("alice", "mallory")
	login, err := w.post(answer, "")
	refused(t, saml.BadSignature, login, err)
	answer.Bytes = nil
	login, err = w.post(answer, "")
	accepted(t, login, err)
}

// req: E90-off eGov-052 PROF-4.1.5-landing
func TestUnsolicited(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	login, err := w.post(w.unsolicited(), "")
	refused(t, saml.UnsolicitedNotAllowed, login, err)

	w = newWorld(t, allowIdPInitiated, func(_ *saml.LoginTrust, c *saml.Config) { c.DefaultPath = "/home" })
	login, err = w.post(w.unsolicited(), "")
	accepted(t, login, err)
	assert.True(t, login.Unsolicited())
	assert.Equal(t, "/home", login.ReturnTo())
	assert.Empty(t, login.RequestID())
}

// brokenState fails in one of its methods.
type brokenState struct {
	*saml.MemoryState
	add, get, take error
	takeOnce       error // for the next Take alone
}

var errBroken = errors.New("broken")

func (b *brokenState) Add(ctx context.Context, key string, value []byte, keep time.Duration) (bool, error) {
	if b.add != nil {
		return false, b.add
	}
	return b.MemoryState.Add(ctx, key, value, keep)
}

func (b *brokenState) Get(ctx context.Context, key string) ([]byte, bool, error) {
	if b.get != nil {
		return nil, false, b.get
	}
	return b.MemoryState.Get(ctx, key)
}

func (b *brokenState) Take(ctx context.Context, key string) ([]byte, bool, error) {
	if err := cmp.Or(b.take, b.takeOnce); err != nil {
		b.takeOnce = nil
		return nil, false, err
	}
	return b.MemoryState.Take(ctx, key)
}

// req: RY-FAIL
func TestBrokenStore(t *testing.T) {
	t.Parallel()
	for _, breakIt := range []func(*brokenState){
		func(b *brokenState) { b.add = errBroken },
		func(b *brokenState) { b.get = errBroken },
		func(b *brokenState) { b.take = errBroken },
	} {
		state := &brokenState{MemoryState: saml.NewMemoryState()}
		w := newWorld(t, func(_ *saml.LoginTrust, c *saml.Config) { c.State = state })
		started, request := w.start(saml.StartOptions{})
		breakIt(state)
		login, err := w.post(w.idp.Answer(request), started.BrowserKey)
		refused(t, saml.StoreFailed, login, err)
		assert.ErrorIs(t, err, errBroken)
	}
	state := &brokenState{MemoryState: saml.NewMemoryState(), add: errBroken}
	w := newWorld(t, allowIdPInitiated, func(_ *saml.LoginTrust, c *saml.Config) { c.State = state })
	login, err := w.post(w.unsolicited(), "")
	refused(t, saml.StoreFailed, login, err)
	_, err = w.sp.Request(t.Context(), w.trust(), saml.StartOptions{})
	assert.ErrorIs(t, err, saml.StoreFailed)
}

// A store that holds what no version of ours wrote refuses the login.
func TestForeignRecord(t *testing.T) {
	t.Parallel()
	for _, record := range []string{"", "x", "\x01", "\x01\x00", "\x07" + string(make([]byte, 100))} {
		state := &sameAgain{}
		w := newWorld(t, func(_ *saml.LoginTrust, c *saml.Config) { c.State = state })
		started, request := w.start(saml.StartOptions{})
		state.value = []byte(record)
		login, err := w.post(w.idp.Answer(request), started.BrowserKey)
		refused(t, saml.StoreFailed, login, err)
	}
}

// req: IIP-SP05
func TestTwoIdPsOneService(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	other, err := samltest.New(samltest.Options{EntityID: "https://other.example.com", SSOURL: "https://other.example.com/sso", Now: func() time.Time { return now }})
	require.NoError(t, err)
	w.trusts.Set(other.Trust())
	for _, idp := range []*samltest.IdP{w.idp, other} {
		w.idp = idp
		login, err := w.loginAsking(saml.StartOptions{ReturnTo: "/deep?x=1"})
		accepted(t, login, err)
		assert.Equal(t, "/deep?x=1", login.ReturnTo())
		assert.Equal(t, idp.EntityID, login.Issuer())
	}
}

// req: SA-01
func TestTrustGates(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		change func(*saml.LoginTrust)
		reason saml.Reason
	}{
		{"provisional", func(t *saml.LoginTrust) { t.State = saml.Provisional }, saml.TrustProvisional},
		{"inactive", func(t *saml.LoginTrust) { t.State = saml.Inactive }, saml.TrustInactive},
		{"no SAML", func(t *saml.LoginTrust) { t.SAML = false }, saml.MethodNotAllowed},
		{"no key", func(t *saml.LoginTrust) { t.Keys = nil }, saml.NoKeyOnFile},
		{"zero keys", func(t *saml.LoginTrust) { t.Keys = make([]saml.PublicKey, 1) }, saml.NoKeyOnFile},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			started, request := w.start(saml.StartOptions{})
			trust := w.trust()
			c.change(&trust)
			w.trusts.Set(trust)
			login, err := w.post(w.idp.Answer(request), started.BrowserKey)
			refused(t, c.reason, login, err)
		})
	}
	t.Run("removed", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		started, request := w.start(saml.StartOptions{})
		w.trusts.Remove(w.idp.EntityID)
		login, err := w.post(w.idp.Answer(request), started.BrowserKey)
		refused(t, saml.UnknownDomain, login, err)
	})
}
