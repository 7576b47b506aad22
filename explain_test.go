package saml_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml"
	"github.com/logintrust/saml/samltest"
)

// explained begins a login, edits its answer, and has it explained.
func (w *world) explained(change ...func(*samltest.Answer)) *saml.Report {
	w.t.Helper()
	started, request := w.start(saml.StartOptions{})
	answer := w.idp.Answer(request)
	for _, f := range change {
		f(answer)
	}
	return w.explain(answer, started.BrowserKey)
}

func (w *world) explain(answer *samltest.Answer, browserKey string) *saml.Report {
	return w.sp.Explain(context.Background(), saml.Posted{SAMLResponse: answer.Encode(), RelayState: answer.RelayState, BrowserKey: browserKey}, saml.ExplainOptions{})
}

func checkOf(t testing.TB, r *saml.Report, name string) saml.Check {
	t.Helper()
	for _, c := range r.Checks {
		if c.Name == name {
			return c
		}
	}
	require.Fail(t, "no such check", name)
	return saml.Check{}
}

func TestExplainAGoodLogin(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	started, request := w.start(saml.StartOptions{})
	answer := w.idp.Answer(request)
	report := w.explain(answer, started.BrowserKey)
	assert.True(t, report.Accepted, report)
	assert.Empty(t, report.Reason)
	assert.Empty(t, report.Failures())
	assert.Equal(t, w.idp.EntityID, report.Domain)
	assert.Equal(t, request.ID, report.InResponseTo)
	for _, c := range report.Checks {
		if c.Name != "local user" { // there is no directory
			assert.Equal(t, saml.Passed, c.Outcome, c.Name)
		}
	}
	// It used nothing up: the login is still to be made, and explained once more.
	assert.True(t, w.explain(answer, started.BrowserKey).Accepted)
	login, err := w.post(answer, started.BrowserKey)
	accepted(t, login, err)
	assert.Equal(t, saml.Replayed, w.explain(answer, started.BrowserKey).Reason)
}

// A report goes on behind the first check that fails, and says of all of them what was found and wanted.
func TestExplainGoesOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	report := w.explained(func(a *samltest.Answer) {
		a.Destination = "https://elsewhere.example.com/"
		a.Assertion().Conditions.Audiences = [][]string{{"https://elsewhere.example.com/metadata"}}
		a.Assertion().Statements = nil
	})
	assert.False(t, report.Accepted)
	assert.Equal(t, saml.WrongDestination, report.Reason)
	var names []string
	for _, c := range report.Failures() {
		names = append(names, c.Name)
		assert.NotEmpty(t, c.Found, c.Name)
		assert.NotEmpty(t, c.Wanted, c.Name)
		assert.NotEmpty(t, c.Spec, c.Name)
		assert.NotEmpty(t, c.Actor, c.Name)
		assert.NotEmpty(t, c.Remedy, c.Name)
	}
	assert.Equal(t, []string{"destination", "audience", "authentication statement"}, names)
	assert.Equal(t, saml.NotReached, checkOf(t, report, "authentication time").Outcome)
	assert.Equal(t, saml.Passed, checkOf(t, report, "request").Outcome)
}

// What one would notice.
func TestExplainNotes(t *testing.T) {
	t.Parallel()
	stranger, err := samltest.New(samltest.Options{EntityID: "https://stranger.example.com/metadata"})
	require.NoError(t, err)
	later := func(d time.Duration) func(*samltest.Answer) {
		return func(a *samltest.Answer) { moveTimes(a, d) }
	}
	for name, c := range map[string]struct {
		change func(*samltest.Answer)
		trust  func(*saml.LoginTrust, *saml.Config)
		reason saml.Reason
		note   string
	}{
		"a new key":            {change: func(a *samltest.Answer) { a.Seal = stranger.Seal() }, reason: saml.BadSignature, note: "signed with a key that is not on file"},
		"changed":              {change: func(a *samltest.Answer) { a.Bytes = replaceBytes("alice", "mallory") }, reason: saml.BadSignature, note: "key that is on file"},
		"changed, without key": {change: func(a *samltest.Answer) { a.Seal.Certificate = nil; a.Bytes = replaceBytes("alice", "mallory") }, reason: saml.BadSignature, note: "does not say with which key"},
		"changed, strange key": {change: func(a *samltest.Answer) { a.Seal = stranger.Seal(); a.Bytes = replaceBytes("alice", "mallory") }, reason: saml.BadSignature, note: "not even the key that the message brings along"},
		"clock ahead":          {change: later(10 * time.Minute), reason: saml.NotYetValid, note: "clock is 10 minutes ahead"},
		"time zone ahead":      {change: later(2 * time.Hour), reason: saml.NotYetValid, note: "local time is written as UTC"},
		"clock behind":         {change: later(-20 * time.Minute), reason: saml.Expired, note: "before its request"},
		"audience by a slash":  {change: func(a *samltest.Answer) { a.Assertion().Conditions.Audiences[0][0] += "/" }, reason: saml.WrongAudience, note: "slash at the end"},
		"audience by case": {change: func(a *samltest.Answer) {
			a.Assertion().Conditions.Audiences[0][0] = "https://SP.example.com/sso/metadata"
		}, reason: saml.WrongAudience, note: "case of letters"},
		"audience is the ACS":   {change: func(a *samltest.Answer) { a.Assertion().Conditions.Audiences[0][0] = a.ACSURL }, reason: saml.WrongAudience, note: "URL of the assertion consumer service"},
		"destination by scheme": {change: func(a *samltest.Answer) { a.Destination = strings.Replace(a.Destination, "https", "http", 1) }, reason: saml.WrongDestination, note: "http and https"},
		"recipient by port":     {change: confirmation(func(c *samltest.Confirmation) { c.Recipient = "https://sp.example.com:8443/sso/acs" }), reason: saml.WrongRecipient, note: "by the port"},
		"issuer by a slash":     {change: func(a *samltest.Answer) { a.Issuer.Value += "/"; a.Assertion().Issuer.Value += "/" }, reason: saml.UnknownDomain, note: "slash at the end: there is a login trust"},
		"test button": {change: func(a *samltest.Answer) {
			a.InResponseTo = "id6c1c178c166d486687be4aaf5e482730"
			a.Assertion().Subject.Confirmations[0].InResponseTo = a.InResponseTo
		}, reason: saml.UnknownRequest, note: "test buttons"},
		"refused by Entra ID":    {change: refusing(samltest.Status{Code: samltest.Responder, Second: saml.StatusRequestDenied, Message: "AADSTS50105: The signed in user 'alice@example.com' is not assigned"}), reason: saml.IdPRefused, note: "AADSTS50105: the user is not assigned"},
		"refused":                {change: refusing(samltest.Status{Code: samltest.Requester, Second: saml.StatusInvalidNameIDPolicy}), reason: saml.IdPRefused, note: "cannot make a NameID"},
		"success, but nothing":   {change: func(a *samltest.Answer) { a.Assertions = nil; a.Sign = samltest.SignResponse }, reason: saml.NoAssertion, note: "Success all the same"},
		"an attribute not there": {change: func(*samltest.Answer) {}, trust: func(t *saml.LoginTrust, _ *saml.Config) { t.RequiredAttributes = []string{"badge"} }, reason: saml.MissingAttribute, note: "has these attributes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var change []func(*saml.LoginTrust, *saml.Config)
			if c.trust != nil {
				change = append(change, c.trust)
			}
			report := newWorld(t, change...).explained(c.change)
			require.Equal(t, c.reason, report.Reason, report)
			assert.Contains(t, report.Failures()[0].Note, c.note)
			assert.NotContains(t, report.String(), "alice")
		})
	}
}

// moveTimes sets the identity provider's clock.
func moveTimes(a *samltest.Answer, d time.Duration) {
	a.IssueInstant = at(d)
	as := a.Assertion()
	as.IssueInstant = at(d)
	as.Conditions.NotBefore, as.Conditions.NotOnOrAfter = at(d-time.Minute), at(d+5*time.Minute)
	as.Subject.Confirmations[0].NotOnOrAfter = at(d + 5*time.Minute)
	as.Statements[0].AuthnInstant = at(d)
}

func refusing(s samltest.Status) func(*samltest.Answer) {
	return func(a *samltest.Answer) { a.Status, a.Assertions, a.Sign = &s, nil, samltest.SignNothing }
}

// A stale page tells itself from a clock that is behind.
func TestExplainAnOldPage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	started, request := w.start(saml.StartOptions{})
	answer := w.idp.Answer(request)
	w.now = now.Add(30 * time.Hour)
	report := w.explain(answer, started.BrowserKey)
	assert.Equal(t, saml.Expired, report.Reason)
	assert.Contains(t, report.Failures()[0].Note, "an old page was sent again")
}

// What the key inside a message signed goes through the rules, but never to the stores, the directory or the names.
func TestExplainBelievesNoKeyFromTheMessage(t *testing.T) {
	t.Parallel()
	stranger, err := samltest.New(samltest.Options{EntityID: "https://stranger.example.com/metadata"})
	require.NoError(t, err)
	w := newWorld(t, func(t *saml.LoginTrust, c *saml.Config) {
		c.Users = noDirectory{}
		t.Organization = "o"
	})
	report := w.explained(func(a *samltest.Answer) {
		a.Seal = stranger.Seal()
		a.Assertion().Conditions.Audiences = [][]string{{"https://elsewhere.example.com/metadata"}}
	})
	assert.Equal(t, saml.BadSignature, report.Reason)
	assert.Equal(t, saml.Failed, checkOf(t, report, "audience").Outcome)
	for _, name := range []string{"request", "browser", "first use", "session", "local user"} {
		assert.Equal(t, saml.NotReached, checkOf(t, report, name).Outcome, name)
	}
	assert.True(t, report.Unproven)
	assert.Contains(t, report.String(), "no key on file vouches")
	assert.Nil(t, report.User)
	assert.Empty(t, report.Attributes)
}

// noDirectory fails the test that asks it.
type noDirectory struct{}

func (noDirectory) FindUsers(context.Context, saml.UserQuery) ([]saml.User, error) {
	panic("asked for a user")
}
func (noDirectory) CreateUser(context.Context, saml.NewUser) (saml.User, bool, error) {
	panic("asked to create a user")
}
func (noDirectory) ReactivateUser(context.Context, string) (bool, error) {
	panic("asked to re-activate a user")
}

// The user whom a login would find or make is shown, and not made.
func TestExplainTheUser(t *testing.T) {
	t.Parallel()
	users := saml.NewMemoryUsers()
	w := newWorld(t, func(t *saml.LoginTrust, c *saml.Config) {
		c.Users = users
		t.Organization, t.CreateUsers, t.DefaultRole, t.DefaultDepartment = "o", true, "nurse", "ward 3"
		t.EmailDomains = []string{"example.com"}
	})
	report := w.explained(func(a *samltest.Answer) {
		a.Assertion().Attributes = append(a.Assertion().Attributes, samltest.Attribute{Name: "firstName", Values: []samltest.Value{{Text: "Alice"}}},
			samltest.Attribute{Name: "lastName", Values: []samltest.Value{{Text: "Doe"}}})
	})
	require.True(t, report.Accepted, report)
	assert.Equal(t, &saml.UserPreview{Action: "creates", Roles: []string{"nurse"}, Department: "ward 3"}, report.User)
	assert.Empty(t, users.All())

	login, err := w.login()
	accepted(t, login, err)
	report = w.explained()
	require.NotNil(t, report.User, report)
	assert.Equal(t, "finds", report.User.Action)
	assert.Equal(t, "account key", report.User.By)
	assert.Equal(t, users.All()[0].ID, report.User.ID)
}

// Nothing that names or describes the user is shown unless it is asked for, and slog never shows it.
func TestExplainIsRedacted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	started, request := w.start(saml.StartOptions{})
	answer := w.idp.Answer(request)
	answer.Assertion().Subject.NameID.Value = "s3cret-name"
	answer.Assertion().Attributes = append(answer.Assertion().Attributes[:0], samltest.Attribute{Name: "mail", Values: []samltest.Value{{Text: "s3cret-mail"}}})
	posted := saml.Posted{SAMLResponse: answer.Encode(), BrowserKey: started.BrowserKey}
	show := func(r *saml.Report) string {
		text, err := json.Marshal(r)
		require.NoError(t, err)
		var log bytes.Buffer
		slog.New(slog.NewJSONHandler(&log, nil)).Info("login", "report", r)
		assert.NotContains(t, log.String(), "s3cret")
		return string(text) + r.String()
	}
	closed := show(w.sp.Explain(context.Background(), posted, saml.ExplainOptions{}))
	assert.NotContains(t, closed, "s3cret")
	assert.Contains(t, closed, `"mail"`)
	assert.NotContains(t, closed, started.BrowserKey)
	open := show(w.sp.Explain(context.Background(), posted, saml.ExplainOptions{Personal: true}))
	assert.Contains(t, open, "s3cret-name")
	assert.Contains(t, open, "s3cret-mail")
}

// What a message can make of a report is bounded.
func TestReportIsBounded(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("long", 10_000)
	report := newWorld(t).explained(func(a *samltest.Answer) {
		a.ID = "_" + long
		for range 300 {
			a.Assertion().Attributes = append(a.Assertion().Attributes, samltest.Attr("urn:"+rand.Text(), "v"))
		}
		a.Assertion().Attributes[0].Name = long
	})
	require.True(t, report.Accepted, report)
	assert.Less(t, len(report.MessageID), 2000)
	assert.Len(t, report.Attributes, 200)
	assert.Less(t, len(report.Attributes[0]), 2000)
	assert.Less(t, len(report.String()), 8<<10)
}

// A report is plain data: what its JSON says is the report.
func TestReportJSON(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	report := w.explained(func(a *samltest.Answer) { a.Destination = "https://elsewhere.example.com/" })
	text, err := json.Marshal(report)
	require.NoError(t, err)
	var again saml.Report
	require.NoError(t, json.Unmarshal(text, &again))
	assert.Equal(t, report, &again)
	assert.Contains(t, string(text), `"outcome":"not reached"`)
}

// A login and its explanation never disagree: of every attack the report's reason is the refusal's, and of every honest
// answer both accept.
func TestExplainAgrees(t *testing.T) {
	t.Parallel()
	for _, unsolicited := range []bool{false, true} {
		x, reports := explainingTarget(t, unsolicited)
		if unsolicited {
			x.Attacks = slices.DeleteFunc(samltest.Attacks(), func(a samltest.Attack) bool { return a.Class != samltest.Mixup })
		}
		x.Run(t)
		assert.Greater(t, reports.compared, 20)
	}
}

// reports holds explanations against refusals.
type reports struct {
	mu       sync.Mutex
	t        *testing.T
	last     *saml.Report
	reason   saml.Reason
	compared int
}

func explainingTarget(t *testing.T, unsolicited bool) (samltest.Target, *reports) {
	idp := samltest.NewIdP(t)
	other, err := samltest.New(samltest.Options{EntityID: "https://other.example.com/metadata", SSOURL: "https://other.example.com/sso"})
	require.NoError(t, err)
	trust := idp.Trust()
	trust.AllowIdPInitiated = unsolicited
	r := &reports{t: t}
	sp, err := saml.New(saml.Config{BaseURL: "https://app.example.com", Trusts: saml.NewMemoryTrusts(trust, other.Trust()), State: saml.NewMemoryState(),
		DecryptionKeys: []saml.DecryptionKey{{Key: cipherKey()}},
		OnRefusal: func(_ context.Context, _ *http.Request, _ string, err *saml.Error) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.reason = err.Reason
			if r.last != nil && err.Reason != saml.BadRequest {
				r.compared++
				assert.Equal(t, err.Reason, r.last.Reason, r.last)
				assert.False(t, r.last.Accepted)
				assert.NotContains(t, r.last.String(), "alice")
				text, err := json.Marshal(r.last)
				assert.NoError(t, err)
				assert.NotContains(t, string(text), "alice")
				assert.Less(t, len(text), 64<<10)
			}
		}})
	require.NoError(t, err)
	require.NoError(t, idp.AddSPMetadata(sp.Metadata()))
	inner := sp.Handler(func(w http.ResponseWriter, r2 *http.Request, login *saml.Login) {
		r.mu.Lock()
		assert.True(t, r.last.Accepted, r.last)
		r.mu.Unlock()
		http.Redirect(w, r2, login.ReturnTo(), http.StatusSeeOther)
	})
	explaining := http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		var report *saml.Report
		if req.Method == http.MethodPost && req.ParseForm() == nil {
			report = sp.Explain(req.Context(), saml.Posted{SAMLResponse: req.PostForm.Get("SAMLResponse"), RelayState: req.PostForm.Get("RelayState"),
				BrowserKey: sp.BrowserKey(req)}, saml.ExplainOptions{})
		}
		r.mu.Lock()
		r.last = report
		r.mu.Unlock()
		inner.ServeHTTP(w, req)
	})
	return samltest.Target{IdP: idp, Other: other, Handler: explaining, IdPInitiated: unsolicited, Reason: func() saml.Reason {
		r.mu.Lock()
		defer r.mu.Unlock()
		return r.reason
	}}, r
}

// Of attributes that are missing all are named, and those that are nearly there.
func TestExplainMissingAttributes(t *testing.T) {
	t.Parallel()
	w := newTown(t, creating)
	report := w.explained(attributes("Firstname", "F", "LastName", "L"))
	require.Equal(t, saml.MissingAttribute, report.Reason, report)
	c := report.Failures()[0]
	assert.Equal(t, `no attribute "firstname", "lastname"`, c.Found)
	assert.Equal(t, `the attributes that the login trust needs: "firstname", "lastname"`, c.Wanted)
	assert.Equal(t, `the message has "Firstname", and the login trust wants "firstname": they differ only by the case of letters; `+
		`the message has "LastName", and the login trust wants "lastname": they differ only by the case of letters; `+
		`the message has these attributes: "Firstname", "LastName"`, c.Note)
	assert.Contains(t, c.Remedy, "LoginTrust.Attributes, for instance trust.Attributes = trust.Product.AttributeNames()")

	// So does the refusal of a login, and the report of it.
	login, err := w.login(attributes("firstname", "F", "Lastname", "L"))
	e := denied(t, saml.MissingAttribute, login, err)
	assert.Contains(t, e.Error(), `got no attribute "lastname", want the attributes that the login trust needs: "lastname"`)
	assert.Contains(t, e.Report(t.Context()).Failures()[0].Note, `wants "lastname": they differ only by the case`)

	report = newWorld(t, func(t *saml.LoginTrust, _ *saml.Config) {
		t.RequiredAttributes = []string{"a", "b", "c", "d", "e", "f", "g"}
	}).explained()
	require.Equal(t, saml.MissingAttribute, report.Reason, report)
	assert.Equal(t, `no attribute "a", "b", "c", "d", "e", and 2 more`, report.Failures()[0].Found)
}

// A log has what to do, in groups whose names do not change their kind.
func TestReportInALog(t *testing.T) {
	t.Parallel()
	report := newWorld(t).explained(func(a *samltest.Answer) { a.Assertion().Conditions.Audiences[0][0] += "/" })
	report.Domain += "\u200b\n" + strings.Repeat("x", 100)
	logged := func(value any) map[string]any {
		var out bytes.Buffer
		slog.New(slog.NewJSONHandler(&out, nil)).Info("refused", "value", value)
		var line map[string]any
		require.NoError(t, json.Unmarshal(out.Bytes(), &line))
		fields, _ := line["value"].(map[string]any)
		return fields
	}
	got := logged(report)
	assert.Equal(t, "wrong_audience", got["reason"])
	assert.Equal(t, "https://idp.example.com/metadata", got["issuer"])
	assert.Regexp(t, "^_[0-9a-z]+$", got["messageID"])
	assert.Regexp(t, "^https://idp.example.com/metadata\ufffd\ufffdx{30}$", got["domain"])
	require.IsType(t, map[string]any{}, got["checks"])
	checks := got["checks"].(map[string]any)
	require.Contains(t, checks, "audience")
	audience := checks["audience"].(map[string]any)
	assert.Equal(t, report.Failures()[0].Remedy, audience["remedy"])
	assert.Contains(t, audience["note"], "slash at the end")
	assert.NotContains(t, got, "product")

	got = logged(saml.Report{Checks: []saml.Check{{Name: "message", Outcome: saml.Failed, Reason: saml.Expired}}})
	assert.Equal(t, map[string]any{"accepted": false, "checks": map[string]any{"message": map[string]any{"reason": "expired"}}}, got)
	got = logged(saml.Report{Accepted: true})
	assert.Equal(t, map[string]any{"accepted": true}, got)

	var out bytes.Buffer
	slog.New(slog.NewTextHandler(&out, nil)).Info("refused", "reason", saml.Expired)
	assert.Contains(t, out.String(), "reason=expired\n")
}
