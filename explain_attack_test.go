package saml_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/beevik/etree"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml"
	"github.com/logintrust/saml/internal/fips"
	"github.com/logintrust/saml/samltest"
)

// nasty is what an identity provider might call something to write lines of its own into a report, or to speak to a terminal.
const nasty = "x\n  ok      signature                on the Assertion\r\t\u009b31m\u202e\u2066\u200b\u0085\u2028\U000e0041\x7f"

// What a message says stays on its line, and speaks to no terminal.
func TestReportTextIsOurs(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*samltest.Answer){
		"name": func(a *samltest.Answer) { a.Assertion().Subject.NameID.Value = nasty },
		"format": func(a *samltest.Answer) {
			a.Assertion().Subject.NameID.Format = nasty
		},
		"qualifier": func(a *samltest.Answer) { a.Assertion().Subject.NameID.SPNameQualifier = nasty },
		"attributes": func(a *samltest.Answer) {
			a.Assertion().Attributes = []samltest.Attribute{{Name: nasty, FriendlyName: nasty, Values: []samltest.Value{{Text: nasty}}}}
		},
		"issuer":          func(a *samltest.Answer) { a.Issuer.Value = nasty },
		"audience":        func(a *samltest.Answer) { a.Assertion().Conditions.Audiences = [][]string{{nasty}} },
		"destination":     func(a *samltest.Answer) { a.Destination = nasty },
		"recipient":       confirmation(func(c *samltest.Confirmation) { c.Recipient = nasty }),
		"address":         confirmation(func(c *samltest.Confirmation) { c.Address = nasty }),
		"method":          confirmation(func(c *samltest.Confirmation) { c.Method = nasty }),
		"class":           func(a *samltest.Answer) { a.Assertion().Statements[0].ClassRef = nasty },
		"status":          refusing(samltest.Status{Code: nasty, Second: nasty, Message: nasty}),
		"vendor's status": refusing(samltest.Status{Code: samltest.Responder, Message: "AADSTS50105: " + nasty}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, func(t *saml.LoginTrust, _ *saml.Config) {
				t.CheckClientAddress, t.AuthnContext = true, []string{"urn:x"}
				t.RequiredAttributes = []string{"badge"}
			})
			started, request := w.start(saml.StartOptions{})
			answer := w.idp.Answer(request)
			change(answer)
			posted := saml.Posted{SAMLResponse: answer.Encode(), RelayState: started.RelayState, BrowserKey: started.BrowserKey}
			_, err := w.sp.Validate(context.Background(), posted)
			require.Error(t, err)
			report := w.sp.Explain(context.Background(), posted, saml.ExplainOptions{Personal: true})
			structured, err2 := json.Marshal(report)
			require.NoError(t, err2)
			var back saml.Report
			require.NoError(t, json.Unmarshal(structured, &back))
			assert.Equal(t, report.Personal, back.Personal, "what is escaped is the same")
			assert.Equal(t, report.Issuer, back.Issuer)
			for _, r := range report.String() + err.Error() + string(structured) {
				require.True(t, r == '\n' || unicode.IsPrint(r), "%q in %s\n%s", r, report, structured)
			}
			assert.LessOrEqual(t, strings.Count(report.String(), "\n  ok      signature "), 1, report)
		})
	}
}

// A key on file that is too short is not said to have signed something else.
func TestExplainAWeakKey(t *testing.T) {
	t.Parallel()
	fips.Forbids(t, "RSA keys of 1024 bits")
	key, err := rsa.GenerateKey(rand.Reader, 1024)
	require.NoError(t, err)
	pinned, err := saml.NewPublicKey(key.Public())
	require.NoError(t, err)
	report := newWorld(t, func(t *saml.LoginTrust, _ *saml.Config) { t.Keys = []saml.PublicKey{pinned} }).explained(func(a *samltest.Answer) {
		a.Seal.Key, a.Seal.Certificate = key, nil
	})
	require.Equal(t, saml.WeakKey, report.Reason, report)
	assert.NotContains(t, report.String(), "changed on its way")
	report = newWorld(t, func(t *saml.LoginTrust, _ *saml.Config) { t.Keys = []saml.PublicKey{pinned} }).explained(func(a *samltest.Answer) {
		a.Seal.Key = key
	})
	assert.NotContains(t, report.String(), "changed on its way")
}

// The signature of an encrypted assertion is inside, and so is the key that it names.
func TestExplainAnotherKeyInside(t *testing.T) {
	t.Parallel()
	stranger, err := samltest.New(samltest.Options{EntityID: "https://stranger.example.com/metadata"})
	require.NoError(t, err)
	report := newWorld(t, func(_ *saml.LoginTrust, c *saml.Config) { c.DecryptionKeys = []saml.DecryptionKey{{Key: cipherKey()}} }).explained(func(a *samltest.Answer) {
		a.Seal, a.Sign, a.Encrypt = stranger.Seal(), samltest.SignAssertion, []samltest.Encryption{{Key: cipherKey().Public()}}
	})
	require.Equal(t, saml.BadSignature, report.Reason, report)
	assert.NotContains(t, report.String(), "does not say with which key")
}

// A note says nothing of a clock that it cannot know.
func TestExplainTimesHonestly(t *testing.T) {
	t.Parallel()
	later := func(from, to time.Duration) func(*samltest.Answer) {
		return func(a *samltest.Answer) {
			a.Assertion().Conditions.NotBefore, a.Assertion().Conditions.NotOnOrAfter = at(from), at(to)
		}
	}
	for name, c := range map[string]struct {
		change func(*samltest.Answer)
		reason saml.Reason
		not    []string
		want   string
	}{
		"valid from tomorrow": {func(a *samltest.Answer) { later(24*time.Hour, 25*time.Hour)(a); a.IssueInstant = at(time.Second) }, saml.NotYetValid,
			[]string{"clock is"}, "still to begin"},
		"ended before it was made": {func(a *samltest.Answer) { later(-2*time.Hour, -time.Hour)(a); a.IssueInstant = at(time.Minute) }, saml.Expired,
			[]string{" ago", "clock is"}, "had ended"},
		"ended as it was made": {later(-2*time.Hour, -time.Hour), saml.Expired, []string{" ago", "clock is"}, "had ended"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			report := newWorld(t).explained(c.change)
			require.Equal(t, c.reason, report.Reason, report)
			note := report.Failures()[0].Note
			assert.Contains(t, note, c.want)
			for _, not := range c.not {
				assert.NotContains(t, note, not)
			}
		})
	}
}

// Whoever forges a message may name a key that is on file: nothing says that the message was ever whole.
func TestExplainDoesNotVouchForAForgery(t *testing.T) {
	t.Parallel()
	report := newWorld(t).explained(func(a *samltest.Answer) { a.Bytes = replaceBytes("alice", "mallory") })
	require.Equal(t, saml.BadSignature, report.Reason)
	assert.Contains(t, report.Failures()[0].Note, "or forged")
}

// An answer to a test login is known as one.
func TestExplainAnAnswerToATest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	started, err := w.sp.RequestTest(context.Background(), w.trust(), saml.StartOptions{}, saml.ExplainOptions{})
	require.NoError(t, err)
	report := w.explain(w.idp.Answer(mustRequest(t, started.URL)), started.BrowserKey)
	require.Equal(t, saml.UnknownRequest, report.Reason)
	assert.Contains(t, report.Failures()[0].Note, "test login")
	assert.NotContains(t, report.Failures()[0].Note, "made it up")
}

// A KeyInfo of hundreds of keys is read to its beginning at most.
func TestExplainManyKeys(t *testing.T) {
	t.Parallel()
	stranger, err := samltest.New(samltest.Options{EntityID: "https://stranger.example.com/metadata"})
	require.NoError(t, err)
	other, err := samltest.New(samltest.Options{EntityID: "https://other.example.com/metadata"})
	require.NoError(t, err)
	for name, change := range map[string]func(info, data *etree.Element){
		"certificates in one": func(_, data *etree.Element) {
			for range 500 {
				data.AddChild(data.ChildElements()[0].Copy())
			}
		},
		"one each": func(info, data *etree.Element) {
			for range 500 {
				info.AddChild(data.Copy())
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			report := w.explained(func(a *samltest.Answer) {
				a.Seal = stranger.Seal()
				a.Seal.Certificate = other.Seal().Certificate
				a.AfterSign = func(r *etree.Element) {
					data := r.FindElement(".//X509Data")
					change(data.Parent(), data)
				}
			})
			assert.False(t, report.Accepted)
			assert.Less(t, len(report.String()), 8<<10)
		})
	}
}

// talkative is a directory whose error, a plain value, names somebody.
type talkative struct{ noDirectory }

type namedError struct{ Text string }

func (e namedError) Error() string { return e.Text }

func (talkative) FindUsers(context.Context, saml.UserQuery) ([]saml.User, error) {
	return nil, namedError{"no row for s3cret"}
}

// A refusal names nobody, however it is written.
func TestErrorsNameNobody(t *testing.T) {
	t.Parallel()
	for name, edit := range map[string]func(*samltest.Answer){
		"directory": func(a *samltest.Answer) { a.Assertion().Subject.NameID.Value = "s3cret" },
		"status":    refusing(samltest.Status{Code: samltest.Responder, Message: "s3cret is not assigned"}),
		"audience": func(a *samltest.Answer) {
			a.Assertion().Subject.NameID.Value = "s3cret"
			a.Assertion().Conditions.Audiences[0][0] += "/"
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, func(t *saml.LoginTrust, c *saml.Config) { c.Users, t.Organization = talkative{}, "o" })
			e := refusedHere(t, w, edit)
			text, err := json.Marshal(e)
			require.NoError(t, err)
			report := e.Report(context.Background())
			var log bytes.Buffer
			slog.New(slog.NewJSONHandler(&log, nil)).Info("refused", "error", e, "report", report)
			slog.New(slog.NewTextHandler(&log, nil)).Info("refused", "error", e, "report", report)
			for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
				fmt.Fprintf(&log, verb, e)
				fmt.Fprintf(&log, verb, report)
			}
			for _, verb := range []string{"%v", "%+v", "%#v"} { // as a value it has no methods
				fmt.Fprintf(&log, verb, reflect.ValueOf(e).Elem().Interface())
			}
			assert.NotContains(t, log.String()+string(text), "s3cret")
			if name == "directory" {
				_, found := errors.AsType[namedError](e)
				assert.True(t, found, "who looks for it finds it")
			}
		})
	}
}
