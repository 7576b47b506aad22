package saml_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml"
	"github.com/logintrust/saml/samltest"
)

// A laboratory is a site that knows no login trust: its administrator is trying one out.
type laboratory struct {
	*site
	t     *testing.T
	trust saml.LoginTrust
}

func newLaboratory(t *testing.T, change ...func(*saml.LoginTrust, *saml.Config)) *laboratory {
	l := &laboratory{t: t}
	l.site = newSite(t, change...)
	l.trust = l.site.trust()
	l.trusts.Remove(l.trust.Domain)
	l.trust.State = saml.Provisional
	return l
}

// begin starts a test and returns its ID, the request as the identity provider has it, and the browser.
func (l *laboratory) begin(show saml.ExplainOptions) (string, samltest.Request, *jar) {
	l.t.Helper()
	b := l.browser()
	r := httptest.NewRequest(http.MethodPost, "https://sp.example.com/admin/test", nil)
	w := httptest.NewRecorder()
	id, err := l.sp.StartTest(w, r, l.trust, saml.StartOptions{ReturnTo: "/admin/test/result"}, show)
	require.NoError(l.t, err)
	for _, c := range w.Result().Cookies() {
		b.cookies[c.Name] = c
	}
	return id, mustRequest(l.t, w.Result().Header.Get("Location")), b
}

func (l *laboratory) result(id string) *saml.Report {
	l.t.Helper()
	report, found, err := l.sp.TestResult(context.Background(), id)
	require.NoError(l.t, err)
	require.True(l.t, found)
	return report
}

// A connection that is not saved is tried out, and ends in a report with what it would have done to the user.
//
// req: CS-17
func TestDryRun(t *testing.T) {
	t.Parallel()
	users := saml.NewMemoryUsers()
	l := newLaboratory(t, func(trust *saml.LoginTrust, c *saml.Config) {
		c.Users = users
		trust.Organization, trust.CreateUsers, trust.DefaultRole, trust.EmailDomains = "o", true, "nurse", []string{"example.com"}
	})
	id, request, b := l.begin(saml.ExplainOptions{})
	assert.Equal(t, saml.NoAnswer, l.result(id).Reason)
	assert.Contains(t, l.result(id).String(), "WAITING for")
	assert.NotContains(t, l.result(id).String(), "REFUSED")

	answer := l.idp.Answer(request)
	response, _ := b.post(answer)
	assert.Equal(t, http.StatusSeeOther, response.StatusCode)
	assert.Equal(t, "/admin/test/result", response.Header.Get("Location"))
	report := l.result(id)
	assert.True(t, report.Accepted, report)
	require.NotNil(t, report.User, report)
	assert.Equal(t, "creates", report.User.Action)
	assert.Equal(t, []string{"nurse"}, report.User.Roles)
	assert.Empty(t, users.All(), "a test makes no user")
	assert.Zero(t, l.logins.Load(), "a test is no login")
	assert.Nil(t, report.Personal)

	// A double submit is led to the same result, and nobody else is.
	response, _ = b.post(answer)
	assert.Equal(t, "/admin/test/result", response.Header.Get("Location"))
	response, _ = l.browser().post(answer)
	assert.Equal(t, http.StatusForbidden, response.StatusCode)
	assert.Zero(t, l.logins.Load())
}

// An answer to a test makes no login, even by a saved trust that takes whatever the identity provider sends.
func TestDryRunIsNoLogin(t *testing.T) {
	t.Parallel()
	l := newLaboratory(t, func(trust *saml.LoginTrust, _ *saml.Config) {
		trust.AllowIdPInitiated, trust.AllowUnknownInResponseTo = true, true
	})
	_, request, b := l.begin(saml.ExplainOptions{})
	saved := l.trust
	saved.State = saml.Active
	l.trusts.Set(saved)
	answer := l.idp.Answer(request)
	response, _ := l.browser().post(answer)
	assert.Equal(t, http.StatusForbidden, response.StatusCode, "another browser")
	response, _ = b.post(answer)
	assert.Equal(t, "/admin/test/result", response.Header.Get("Location"))
	login, err := l.sp.Validate(context.Background(), saml.Posted{SAMLResponse: answer.Encode()})
	refused(t, saml.UnknownRequest, login, err)
	assert.Zero(t, l.logins.Load())
}

// Only the browser that began a test ends it, with the hop if its cookie was kept back.
func TestDryRunInItsBrowser(t *testing.T) {
	t.Parallel()
	l := newLaboratory(t)
	id, request, b := l.begin(saml.ExplainOptions{})
	answer := l.idp.Answer(request)
	response, _ := l.browser().post(answer)
	assert.Equal(t, http.StatusForbidden, response.StatusCode)
	assert.Equal(t, saml.NoAnswer, l.result(id).Reason, "the test goes on")

	b.keepsBack = true
	response, _ = b.post(answer)
	assert.Equal(t, "/admin/test/result", response.Header.Get("Location"))
	assert.True(t, l.result(id).Accepted)
}

// What fails in a test is what the report is for.
func TestDryRunThatFails(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		trust  func(*saml.LoginTrust)
		answer func(*samltest.Answer)
		reason saml.Reason
	}{
		"another issuer": {trust: func(t *saml.LoginTrust) { t.Domain += "/" }, reason: saml.UnknownDomain},
		"no key yet":     {trust: func(t *saml.LoginTrust) { t.Keys = nil }, reason: saml.NoKeyOnFile},
		"audience":       {answer: func(a *samltest.Answer) { a.Assertion().Conditions.Audiences[0][0] += "/" }, reason: saml.WrongAudience},
		"refused there":  {answer: refusing(samltest.Status{Code: samltest.Responder, Message: "alice is not assigned"}), reason: saml.IdPRefused},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLaboratory(t)
			if c.trust != nil {
				c.trust(&l.trust)
			}
			id, request, b := l.begin(saml.ExplainOptions{Personal: true})
			answer := l.idp.Answer(request)
			if c.answer != nil {
				c.answer(answer)
			}
			response, _ := b.post(answer)
			assert.Equal(t, "/admin/test/result", response.Header.Get("Location"))
			report := l.result(id)
			assert.False(t, report.Accepted)
			assert.Equal(t, c.reason, report.Reason, report)
			assert.NotEmpty(t, report.Failures()[0].Remedy)
			switch c.reason {
			case saml.WrongAudience:
				assert.Equal(t, "alice", report.Personal.NameID.Value)
			case saml.IdPRefused:
				assert.Equal(t, &saml.PersonalData{StatusMessage: "alice is not assigned"}, report.Personal)
			default:
				assert.Nil(t, report.Personal, "only what a key on file vouches for is shown")
			}
		})
	}
}

// No answer is a result too.
func TestDryRunWithoutAnswer(t *testing.T) {
	t.Parallel()
	l := newLaboratory(t)
	l.trust.Domain = "https://accounts.google.com/o/saml2?idpid=C01abc"
	id, _, _ := l.begin(saml.ExplainOptions{})
	l.now = l.now.Add(5 * time.Minute)
	report := l.result(id)
	assert.Equal(t, "Google Workspace", report.Product)
	assert.Contains(t, report.Failures()[0].Found, "5 minutes")
	assert.Contains(t, report.Failures()[0].Remedy, "app_not_configured")
	_, found, err := l.sp.TestResult(context.Background(), "_test-0000")
	require.NoError(t, err)
	assert.False(t, found)
}

// A trust whose logins the identity provider begins has no request to test with.
func TestDryRunNeedsARequest(t *testing.T) {
	t.Parallel()
	l := newLaboratory(t)
	l.trust.Initiation, l.trust.AllowIdPInitiated = saml.InitiatedByIdP, true
	_, err := l.sp.RequestTest(context.Background(), l.trust, saml.StartOptions{}, saml.ExplainOptions{})
	require.ErrorIs(t, err, saml.NotConfigured)
	r := getRequest("https://sp.example.com/admin/test", "Sec-Fetch-Dest", "iframe")
	_, err = l.sp.StartTest(httptest.NewRecorder(), r, l.trust, saml.StartOptions{}, saml.ExplainOptions{})
	require.ErrorIs(t, err, saml.BadRequest, "in a frame")
}

// The third rung tests too.
func TestDryRunByTheThirdRung(t *testing.T) {
	t.Parallel()
	l := newLaboratory(t)
	ctx := context.Background()
	started, err := l.sp.RequestTest(ctx, l.trust, saml.StartOptions{ReturnTo: "/result"}, saml.ExplainOptions{})
	require.NoError(t, err)
	answer := l.idp.Answer(mustRequest(t, started.URL))
	posted := saml.Posted{SAMLResponse: answer.Encode(), BrowserKey: started.BrowserKey}
	_, err = l.sp.Validate(ctx, posted)
	require.Error(t, err)
	place, found, err := l.sp.FinishTest(ctx, posted)
	require.NoError(t, err)
	assert.True(t, found)
	assert.Equal(t, "/result", place)
	assert.True(t, l.result(started.RequestID).Accepted)
	posted.BrowserKey = ""
	_, found, err = l.sp.FinishTest(ctx, posted)
	require.NoError(t, err)
	assert.False(t, found)
}

// A report is never more than a StateStore promises to keep; what is too much is left out and said to be.
func TestDryRunOfTooMuch(t *testing.T) {
	t.Parallel()
	state := &largest{StateStore: saml.NewMemoryState()}
	l := newLaboratory(t, func(_ *saml.LoginTrust, c *saml.Config) { c.State = state })
	id, request, b := l.begin(saml.ExplainOptions{Personal: true})
	answer := l.idp.Answer(request)
	answer.Assertion().Attributes = append(answer.Assertion().Attributes, samltest.Attr("groups", strings.Repeat("g", 1<<20)))
	b.post(answer)
	assert.LessOrEqual(t, state.most, 256<<10)
	report, found, err := l.sp.TestResult(context.Background(), id)
	require.NoError(t, err)
	require.True(t, found)
	assert.True(t, report.Accepted)
	require.NotNil(t, report.Personal)
	assert.Equal(t, saml.PersonalData{TooMuch: true}, *report.Personal)
	assert.Contains(t, report.String(), "left out")

	trust := l.trust
	trust.RequiredAttributes = []string{strings.Repeat("a", 300<<10)}
	_, err = l.sp.RequestTest(context.Background(), trust, saml.StartOptions{}, saml.ExplainOptions{})
	require.ErrorIs(t, err, saml.TooLarge)
}

// largest notes how much it was given at most.
type largest struct {
	saml.StateStore
	most int
}

func (s *largest) Add(ctx context.Context, key string, value []byte, keep time.Duration) (bool, error) {
	s.most = max(s.most, len(value))
	return s.StateStore.Add(ctx, key, value, keep)
}
