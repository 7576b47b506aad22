package saml

import (
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/logintrust/saml/internal/advice"
)

// A test login runs everything that a login runs, by a trust that need not be saved, and ends in a report.

// testPrefix marks the requests of test logins. An answer to one never makes a login.
const testPrefix = "_test-"

// isTestID reports whether a request is a test login's.
func isTestID(id string) bool { return strings.HasPrefix(id, testPrefix) }

// StartTest begins a test login and sends the browser to the identity provider: a dry run of a trust that need not be saved
// nor active. It writes the response unless it returns an error. The answer makes no login, whatever the trust says, and
// leads to opts.ReturnTo, a page of the host's, where TestResult has the report under the testID. Handler and FinishLogin finish tests
// by themselves: the host has nothing to do with the answer. show says whether the report
// holds personal data, which then lies in Config.State for an hour.
//
// The trust is the caller's: before a customer's administrator tests one, the host sets what he may not choose, such as
// Organization. The trust must be one whose logins begin here, and whose answers come by POST: an artifact is only resolved
// where the trust that it comes from is saved, and ends a test without telling more.
func (sp *ServiceProvider) StartTest(w http.ResponseWriter, r *http.Request, trust LoginTrust, opts StartOptions, show ExplainOptions) (testID string, err error) {
	if refused := checkWholePage(r); refused != nil {
		return "", refused
	}
	opts.BrowserKey = sp.browserKey(r)
	started, err := sp.RequestTest(r.Context(), trust, opts, show)
	if err != nil {
		return "", err
	}
	return started.RequestID, sp.toIdP(w, started)
}

// RequestTest is StartTest without net/http. The test is known by Started.RequestID.
func (sp *ServiceProvider) RequestTest(ctx context.Context, trust LoginTrust, opts StartOptions, show ExplainOptions) (*Started, error) {
	if refused := sp.checkEnabled(ctx); refused != nil {
		return nil, refused.of(&trust)
	}
	if trust.Initiation == InitiatedByIdP {
		return nil, refuse(NotConfigured, "a trust whose logins the identity provider begins", "one whose logins begin here").of(&trust)
	}
	if opts.Binding == PAOSBinding {
		return nil, errors.New("saml: a test login is for a browser")
	}
	opts.RequestID = testPrefix + strings.TrimPrefix(newID(), "_")
	started, p, err := sp.ask(&trust, opts)
	if err != nil {
		return nil, err
	}
	value, err := json.Marshal(testRecord{Trust: trust, Pending: p.marshal(), Personal: show.Personal})
	if err != nil {
		return nil, err
	}
	if len(value) > maxStateValue {
		return nil, refuse(TooLarge, fmt.Sprintf("a login trust of %d octets", len(value)), fmt.Sprintf("at most %d", maxStateValue)).of(&trust)
	}
	return started, sp.keepRequest(ctx, sp.testKey(testKind, started.RequestID), value)
}

// A testRecord is a test login that waits for its answer.
type testRecord struct {
	Trust    LoginTrust `json:"trust"`
	Pending  []byte     `json:"pending"`
	Personal bool       `json:"personal,omitempty"`
}

func (sp *ServiceProvider) testKey(kind, testID string) string {
	return stateKey(kind, sp.config.EntityID, "", testID)
}

// FinishTest is what becomes of an answer that Validate refused and that belongs to a test login of this browser: the test
// ends, its report is kept for TestResult, and returnTo is where to go. found is false if the answer is not one to a test.
func (sp *ServiceProvider) FinishTest(ctx context.Context, posted Posted) (returnTo string, found bool, err error) {
	w := sp.readers.Get().(*workspace)
	defer sp.release(w)
	response, refused := sp.read(w, posted.SAMLResponse)
	if refused != nil || !isTestID(response.Claims.InResponseTo.Value) {
		return "", false, nil
	}
	return sp.finishTest(ctx, posted, response.Claims.InResponseTo.Value)
}

// finishTest: only the browser that began a test ends it, so nobody else can spoil one. A double submit is led to the result
// as the first.
func (sp *ServiceProvider) finishTest(ctx context.Context, posted Posted, id string) (returnTo string, found bool, err error) {
	if returnTo, found, err = sp.repeatTest(ctx, posted, id); err != nil || found {
		return returnTo, found, err
	}
	test, p, err := sp.findTest(ctx, id)
	if err != nil || test == nil || !p.isFrom(posted.BrowserKey) {
		return "", false, err
	}
	e := &explanation{sp: sp, posted: posted, now: sp.config.Now(), opts: ExplainOptions{Personal: test.Personal}, tested: &test.Trust, testedID: id, testedRequest: p}
	done := testReport{Report: e.run(ctx), Browser: p.browser[:], ReturnTo: cmp.Or(p.returnTo, sp.config.DefaultPath)}
	value, err := done.marshal()
	if err != nil {
		return "", false, err
	}
	// The report stands before the test is gone, so that whoever asks, or submits twice, always finds one of the two. Of several
	// answers at once the first to be kept counts.
	if _, err := sp.config.State.Add(ctx, sp.testKey(reportKind, id), value, pendingKeep); err != nil {
		return "", false, storeFailed(err)
	}
	_, _, _ = sp.config.State.Take(ctx, sp.testKey(testKind, id)) // it would end by itself, and its report goes before it
	return done.ReturnTo, true, nil
}

// A testReport is a test login that has ended.
type testReport struct {
	Report   *Report `json:"report"`
	Browser  []byte  `json:"browser"` // hash of the key of the browser that it was made in
	ReturnTo string  `json:"returnTo"`
}

// marshal leaves out personal data that no StateStore need keep.
func (t *testReport) marshal() ([]byte, error) {
	value, err := json.Marshal(t)
	if err == nil && len(value) > maxStateValue && t.Report.Personal != nil {
		t.Report.Personal = &PersonalData{TooMuch: true}
		value, err = json.Marshal(t)
	}
	return value, err
}

func (sp *ServiceProvider) findReport(ctx context.Context, id string) (*testReport, error) {
	value, found, err := sp.config.State.Get(ctx, sp.testKey(reportKind, id))
	if err != nil {
		return nil, storeFailed(err)
	}
	if !found {
		return nil, nil
	}
	var done testReport
	if json.Unmarshal(value, &done) != nil {
		return nil, storeFailed(errRecord)
	}
	return &done, nil
}

func (sp *ServiceProvider) repeatTest(ctx context.Context, posted Posted, id string) (returnTo string, found bool, err error) {
	done, err := sp.findReport(ctx, id)
	key := sha256.Sum256([]byte(posted.BrowserKey))
	if err != nil || done == nil || subtle.ConstantTimeCompare(key[:], done.Browser) != 1 {
		return "", false, err
	}
	return done.ReturnTo, true, nil
}

func (sp *ServiceProvider) findTest(ctx context.Context, id string) (*testRecord, *pending, error) {
	value, found, err := sp.config.State.Get(ctx, sp.testKey(testKind, id))
	if err != nil {
		return nil, nil, storeFailed(err)
	}
	if !found {
		return nil, nil, nil
	}
	var test testRecord
	if json.Unmarshal(value, &test) != nil {
		return nil, nil, storeFailed(errRecord)
	}
	p, err := unmarshalPending(test.Pending)
	if err != nil {
		return nil, nil, storeFailed(err)
	}
	return &test, p, nil
}

// TestResult is how a test login ended, for an hour. While no answer has come back, which many products mean by an error
// page of their own, it is a report with the reason NoAnswer that says where to look. found is false for a test that there
// never was, or whose hour is over. Its page must be the administrator's alone.
func (sp *ServiceProvider) TestResult(ctx context.Context, testID string) (report *Report, found bool, err error) {
	done, err := sp.findReport(ctx, testID)
	if err != nil {
		return nil, false, err
	}
	if done != nil {
		return done.Report, true, nil
	}
	test, p, err := sp.findTest(ctx, testID)
	if err != nil || test == nil {
		return nil, false, err
	}
	return noAnswer(test.Trust.Domain, testID, sp.config.Now(), p.issued), true, nil
}

// noAnswer is the report of a test that waits.
func noAnswer(domain, testID string, now, since time.Time) *Report {
	r := &Report{Time: now, Reason: NoAnswer, Domain: domain, Product: advice.Recognise(advice.Facts{Issuer: domain}), InResponseTo: testID,
		Checks: []Check{failedCheck("answer", refuse(NoAnswer, "none, "+about(now.Sub(since))+" after the request", "an answer"))}}
	r.advise()
	return r
}

// keepRequest keeps something under a key that is new, for as long as a request waits.
func (sp *ServiceProvider) keepRequest(ctx context.Context, key string, value []byte) error {
	added, err := sp.config.State.Add(ctx, key, value, pendingKeep)
	if err != nil {
		return storeFailed(err)
	}
	if !added {
		return storeFailed(errors.New("the state store already holds a new request"))
	}
	return nil
}
