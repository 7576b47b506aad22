package replay

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/logintrust/saml"
)

// Judge answers one case, a JSON object. It starts with fresh state, and never panics.
func Judge(line []byte) Answer {
	var c Case
	began := time.Now()
	answer := guard(func() Answer {
		if err := json.Unmarshal(line, &c); err != nil {
			return answerTo(fmt.Errorf("not a case: %w", err))
		}
		return c.judge()
	})
	answer.Name, answer.Millis = c.Name, millisSince(began)
	return answer
}

// guard turns a panic, which is a fault of ours, into an answer, so that the cases behind it are judged all the same.
func guard(judge func() Answer) (answer Answer) {
	defer func() {
		if p := recover(); p != nil {
			answer = Answer{Verdict: Error, Detail: fmt.Sprintf("panic: %v", p)}
		}
	}()
	return judge()
}

func millisSince(began time.Time) float64 {
	return float64(time.Since(began).Microseconds()) / 1000
}

func (c *Case) judge() Answer {
	switch kind := cmp.Or(c.Kind, kindPostResponse); kind {
	case kindPostResponse, kindRelayState:
		return c.judgePost()
	case kindSequence:
		return c.judgeSequence()
	case kindMetadata:
		return c.judgeMetadata()
	case kindLogoutRequestRedirect, kindLogoutRequestPOST:
		return c.judgeLogoutRequest(kind == kindLogoutRequestPOST)
	case kindLogoutResponseRedirect, kindLogoutResponsePOST:
		return c.judgeLogoutResponse(kind == kindLogoutResponsePOST)
	default:
		return Answer{Verdict: Unsupported, Detail: fmt.Sprintf("cases of kind %.64q are not known", kind)}
	}
}

func (c *Case) judgeMetadata() Answer {
	now, err := parseNow(c.Now)
	if err != nil {
		return answerTo(err)
	}
	trust, err := c.importTrust(now)
	if err != nil {
		return answerTo(err)
	}
	return Answer{Verdict: Accept, Trust: newTrust(trust)}
}

func (c *Case) judgePost() Answer {
	s, err := c.begin()
	if err != nil {
		return answerTo(err)
	}
	return s.answer(c.only())
}

// Explain says of a case of one post to the assertion consumer service how it meets each check. decryptionKey, in PEM, opens what
// is encrypted if the case itself, as one that a refusal wrote down, has no key; "" if there is none.
func Explain(line []byte, decryptionKey string, show saml.ExplainOptions) (*saml.Report, error) {
	var c Case
	if err := json.Unmarshal(line, &c); err != nil {
		return nil, fmt.Errorf("not a case: %w", err)
	}
	if c.SP.DecryptionKeyPEM == "" {
		c.SP.DecryptionKeyPEM = decryptionKey
	}
	if kind := cmp.Or(c.Kind, kindPostResponse); kind != kindPostResponse && kind != kindRelayState {
		return nil, fmt.Errorf("a case of kind %.64q cannot be explained", kind)
	}
	s, err := c.begin()
	if err != nil {
		return nil, err
	}
	if s.asking, err = c.requestedAt(s.now); err != nil {
		return nil, err
	}
	posted, err := s.prepare(c.only())
	if err != nil {
		return nil, err
	}
	s.asking = time.Time{}
	return s.sp.Explain(context.Background(), posted, show), nil
}

// requestedAt is when the request was made. If the case does not say it, that is taken to be a little before the answer, so that
// no clock seems to be wrong for that.
func (c *Case) requestedAt(now time.Time) (time.Time, error) {
	if c.RequestedAt != "" {
		return parseTime("requestedAt", c.RequestedAt)
	}
	if c.SAMLResponse == nil {
		return now, nil
	}
	m, err := peek(*c.SAMLResponse)
	if err != nil || !m.issued.Before(now) {
		return now, nil
	}
	return m.issued.Add(-5 * time.Second), nil
}

// judgeSequence posts one step after the other; the sequence is accepted if each ends as it expects. Beside that, the
// answer repeats that of the last step.
func (c *Case) judgeSequence() Answer {
	if len(c.Sequence) == 0 {
		return answerTo(errors.New(`"sequence" has no steps`))
	}
	s, err := c.begin()
	if err != nil {
		return answerTo(err)
	}
	var steps []Answer
	verdict, differs := Accept, ""
	for i, step := range c.Sequence {
		a := s.answer(c.complete(step))
		a.Name = fmt.Sprintf("%s/%d", c.Name, i+1)
		if step.Expect != Accept && step.Expect != Reject {
			a = Answer{Name: a.Name, Verdict: Error, Detail: fmt.Sprintf(`"expect" of step %d must be accept or reject`, i+1)}
		}
		steps = append(steps, a)
		switch {
		case a.Verdict == Error:
			verdict = Error
		case a.Verdict != step.Expect && verdict == Accept:
			verdict, differs = Reject, fmt.Sprintf("step %d: %s, expected %s; ", i+1, a.Verdict, step.Expect)
		}
	}
	last := steps[len(steps)-1]
	last.Verdict, last.Detail, last.Steps = verdict, differs+last.Detail, steps
	return last
}

// A session is a service provider in front of one browser, with the clock of the case.
type session struct {
	sp         *saml.ServiceProvider
	trust      saml.LoginTrust
	trusts     *saml.MemoryTrusts
	now        time.Time
	asking     time.Time       // the clock while a request is made, if that is another
	asked      map[string]bool // the requests that were made
	browserKey string
}

func (c *Case) begin() (*session, error) {
	config, err := c.SP.config()
	if err != nil {
		return nil, err
	}
	return c.beginWith(config)
}

func (c *Case) beginWith(config saml.Config) (*session, error) {
	s := &session{asked: map[string]bool{}}
	var err error
	if s.now, err = parseNow(cmp.Or(c.Now, c.firstNow())); err != nil {
		return nil, err
	}
	s.trusts = saml.NewMemoryTrusts()
	config.Trusts, config.State = s.trusts, newState(func() time.Time { return s.now })
	config.Now = func() time.Time {
		if !s.asking.IsZero() {
			return s.asking
		}
		return s.now
	}
	if s.sp, err = saml.New(config); err != nil {
		return nil, err
	}
	if s.trust, err = c.importTrust(s.now); err != nil {
		return nil, err
	}
	s.trusts.Set(s.trust)
	return s, nil
}

// firstNow is the clock of a sequence that has none but those of its steps.
func (c *Case) firstNow() string {
	if len(c.Sequence) == 0 {
		return ""
	}
	return c.Sequence[0].Now
}

// config is the service provider's, with all that a case leaves open as strict as it is by default.
func (sp *ServiceProvider) config() (saml.Config, error) {
	acs, err := url.Parse(sp.ACSURL)
	if err != nil || acs.Host == "" {
		return saml.Config{}, fmt.Errorf(`"sp.acsURL" %.64q is not an absolute URL`, sp.ACSURL)
	}
	config := saml.Config{BaseURL: acs.Scheme + "://" + acs.Host, EntityID: sp.EntityID, ACSURL: sp.ACSURL, DefaultPath: defaultPath,
		RelayStateHosts: sp.RelayStateAllowedHosts, InsecureAllowHTTP: true}
	if err := sp.complete(&config); err != nil {
		return saml.Config{}, err
	}
	return config, nil
}

// complete sets what all kinds of cases have.
func (sp *ServiceProvider) complete(config *saml.Config) error {
	if sp.EntityID == "" {
		return errors.New(`"sp.entityID" is missing`)
	}
	if sp.ClockSkewSeconds != nil {
		const day = 24 * 60 * 60
		if *sp.ClockSkewSeconds < 0 || *sp.ClockSkewSeconds > day {
			return errors.New(`"sp.clockSkewSeconds" is not between 0 and a day`)
		}
		if config.ClockSkew = time.Duration(*sp.ClockSkewSeconds * float64(time.Second)); config.ClockSkew == 0 {
			config.ClockSkew = -1 // none
		}
	}
	var err error
	config.DecryptionKeys, err = sp.decryptionKeys()
	return err
}

func (s *session) answer(step Step) Answer {
	began := time.Now()
	login, err := s.post(step)
	if err != nil {
		a := answerTo(err)
		a.Millis = millisSince(began)
		return a
	}
	return Answer{Verdict: Accept, Login: newLogin(login), Millis: millisSince(began)}
}

// post delivers the step's response from the browser that made the step's request.
func (s *session) post(step Step) (*saml.Login, error) {
	posted, err := s.prepare(step)
	if err != nil {
		return nil, err
	}
	return s.sp.Validate(context.Background(), posted)
}

// prepare sets the clock, makes the step's request, and is what the browser then posts.
func (s *session) prepare(step Step) (saml.Posted, error) {
	if step.SAMLResponse == nil {
		return saml.Posted{}, errors.New(`"samlResponse" is missing`)
	}
	now, err := parseNow(step.Now)
	if err != nil {
		return saml.Posted{}, err
	}
	s.now = now
	if err := s.ask(*step.RequestID); err != nil {
		return saml.Posted{}, err
	}
	return saml.Posted{SAMLResponse: *step.SAMLResponse, RelayState: step.RelayState, BrowserKey: s.browserKey}, nil
}

// ask makes the request of that ID, once: one that was answered does not wait again.
func (s *session) ask(requestID string) error {
	if requestID == "" || s.asked[requestID] {
		return nil
	}
	s.asked[requestID] = true
	// The request goes nowhere: whatever the trust says, it was made.
	trust := saml.LoginTrust{Domain: s.trust.Domain, LoginURL: "https://idp.invalid/", State: saml.Active, SAML: true, Keys: make([]saml.PublicKey, 1)}
	started, err := s.sp.Request(context.Background(), trust, saml.StartOptions{RequestID: requestID, BrowserKey: s.browserKey})
	if err != nil {
		return fmt.Errorf("making the request: %w", err)
	}
	s.browserKey = started.BrowserKey
	return nil
}
