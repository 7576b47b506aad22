package saml_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml"
	"github.com/logintrust/saml/samltest"
)

// still is a store that tells of whoever changes it while it is to be still.
type still struct {
	saml.StateStore
	still   atomic.Bool
	changed atomic.Int32
}

func (s *still) Add(ctx context.Context, key string, value []byte, keep time.Duration) (bool, error) {
	if s.still.Load() {
		s.changed.Add(1)
	}
	return s.StateStore.Add(ctx, key, value, keep)
}

func (s *still) Take(ctx context.Context, key string) ([]byte, bool, error) {
	if s.still.Load() {
		s.changed.Add(1)
	}
	return s.StateStore.Take(ctx, key)
}

// stillUsers is a directory that does so too.
type stillUsers struct {
	saml.UserDirectory
	state *still
}

func (u stillUsers) CreateUser(ctx context.Context, user saml.NewUser) (saml.User, bool, error) {
	if u.state.still.Load() {
		u.state.changed.Add(1)
	}
	return u.UserDirectory.CreateUser(ctx, user)
}

func (u stillUsers) ReactivateUser(ctx context.Context, id string) (bool, error) {
	if u.state.still.Load() {
		u.state.changed.Add(1)
	}
	return u.UserDirectory.ReactivateUser(ctx, id)
}

// A comparison explains each message and then has it judged, and both must say the same. It uses nothing up by explaining.
type comparison struct {
	*world
	state *still
}

func newComparison(t testing.TB, change ...func(*saml.LoginTrust, *saml.Config)) *comparison {
	c := &comparison{state: &still{StateStore: saml.NewMemoryState()}}
	c.world = newWorld(t, append(change, func(_ *saml.LoginTrust, config *saml.Config) {
		config.State = c.state
		if config.Users != nil {
			config.Users = stillUsers{config.Users, c.state}
		}
	})...)
	return c
}

// compare reports why the message is refused, "" if it makes a login.
func (c *comparison) compare(posted saml.Posted, about ...any) saml.Reason {
	c.t.Helper()
	ctx := context.Background()
	c.state.still.Store(true)
	report := c.sp.Explain(ctx, posted, saml.ExplainOptions{Personal: true})
	c.state.still.Store(false)
	require.Zero(c.t, c.state.changed.Load(), "an explanation changed something")
	_, err := c.sp.Validate(ctx, posted)
	var refused *saml.Error
	if !errors.As(err, &refused) || refused.Reason == saml.PasswordRequired {
		require.True(c.t, report.Accepted, "%v: %s", about, report)
		return ""
	}
	require.False(c.t, report.Accepted, "%v: %v", about, err)
	require.Equal(c.t, refused.Reason, report.Reason, "%v: %v\n%s", about, err, report)
	text, err := json.Marshal(report)
	require.NoError(c.t, err)
	require.Less(c.t, len(text), 64<<10)
	// What is made of it afterwards says the same, and says it where it was.
	c.state.still.Store(true)
	later := refused.Report(ctx)
	c.state.still.Store(false)
	require.Zero(c.t, c.state.changed.Load(), "a report changed something")
	require.Equal(c.t, refused.Reason, later.Reason)
	require.NotEmpty(c.t, later.Failures(), later)
	require.Equal(c.t, refused.Reason, later.Failures()[0].Reason, later)
	require.Equal(c.t, report.Failures()[0].Name, later.Failures()[0].Name, "%v: %v\n%s", about, err, report)
	return refused.Reason
}

// An explanation agrees with the login under every option of a trust, whatever is done to the message, and however the login
// came about.
func TestExplainAgreesUnderEveryOption(t *testing.T) {
	t.Parallel()
	victim, err := theVictim()
	require.NoError(t, err)
	directory := func(users ...saml.User) func(*saml.LoginTrust, *saml.Config) {
		return func(t *saml.LoginTrust, c *saml.Config) {
			c.Users = saml.NewMemoryUsers(users...)
			t.Organization, t.EmailDomains = "o", []string{"example.com"}
		}
	}
	alice := saml.User{Username: "alice", Organization: "o", Email: "alice@example.com", Roles: []string{"nurse"}, State: saml.UserActive}
	disabled := alice
	disabled.State = saml.UserLoginDisabled
	type change = func(*saml.LoginTrust, *saml.Config)
	encrypting := func(_ *saml.LoginTrust, c *saml.Config) {
		c.DecryptionKeys = []saml.DecryptionKey{{Key: cipherKey()}}
	}
	for name, world := range map[string][]change{
		"plain":                        nil,
		"unsolicited":                  {allowIdPInitiated},
		"unknown requests":             {allowIdPInitiated, func(t *saml.LoginTrust, _ *saml.Config) { t.AllowUnknownInResponseTo = true }},
		"unknown, but not unsolicited": {func(t *saml.LoginTrust, _ *saml.Config) { t.AllowUnknownInResponseTo = true }},
		"response signed":              {func(t *saml.LoginTrust, _ *saml.Config) { t.RequireSignedResponse = true }},
		"assertion signed":             {func(t *saml.LoginTrust, _ *saml.Config) { t.RequireSignedAssertion = true }},
		"must be encrypted":            {encrypting, func(t *saml.LoginTrust, _ *saml.Config) { t.RequireEncryption = true }},
		"encrypted":                    {encrypting},
		"weak":                         {func(t *saml.LoginTrust, _ *saml.Config) { t.AllowSHA1, t.AllowRSA1024 = true, true }},
		"no key":                       {func(t *saml.LoginTrust, _ *saml.Config) { t.Keys = nil }},
		"inactive":                     {func(t *saml.LoginTrust, _ *saml.Config) { t.State = saml.Provisional }},
		"no SAML":                      {func(t *saml.LoginTrust, _ *saml.Config) { t.SAML = false }},
		"address":                      {func(t *saml.LoginTrust, _ *saml.Config) { t.CheckClientAddress = true }},
		"attribute":                    {func(t *saml.LoginTrust, _ *saml.Config) { t.RequiredAttributes = []string{"badge", "groups"} }},
		"switched off": {func(_ *saml.LoginTrust, c *saml.Config) {
			c.Enabled = func(context.Context) (bool, error) { return false, nil }
		}},
		"password, no users":   {func(t *saml.LoginTrust, _ *saml.Config) { t.PasswordRequired = true }},
		"no user":              {directory()},
		"a user":               {directory(alice)},
		"a disabled user":      {directory(disabled)},
		"reactivated":          {directory(disabled), func(t *saml.LoginTrust, _ *saml.Config) { t.ReactivateUsers = true }},
		"created":              {directory(), func(t *saml.LoginTrust, _ *saml.Config) { t.CreateUsers, t.DefaultRole = true, "nurse" }},
		"by e-mail":            {directory(alice), func(t *saml.LoginTrust, _ *saml.Config) { t.Match = saml.MatchEmail }},
		"password":             {directory(alice), func(t *saml.LoginTrust, _ *saml.Config) { t.PasswordRequired = true }},
		"translated, no table": {directory(alice), func(t *saml.LoginTrust, _ *saml.Config) { t.Translation = saml.TranslationRequired }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newComparison(t, world...)
			reasons := map[saml.Reason]int{}
			for seed := range uint64(40) {
				program := randomProgram(seed)
				started, err := c.startAnyhow()
				require.NoError(t, err)
				answer := c.answerTo(started, program[40:], name == "encrypted" || name == "must be encrypted")
				octets := answer.XML()
				switch program[0] % 4 {
				case 1:
					octets = victim.changeTree(octets, program[1:1+seed%12])
				case 2:
					octets = changeOctets(octets, program[30:30+seed%6])
				}
				posted := saml.Posted{SAMLResponse: base64.StdEncoding.EncodeToString(octets), RelayState: started.RelayState, BrowserKey: started.BrowserKey,
					ClientAddress: mustAddr("192.0.2.1")}
				switch program[60] % 16 {
				case 0:
					posted.BrowserKey = ""
				case 1:
					posted.BrowserKey = "A" + started.BrowserKey[1:]
				}
				reasons[c.compare(posted, seed)]++
				if seed%5 == 0 {
					reasons[c.compare(posted, seed, "again")]++
				}
			}
			t.Log(reasons)
			assert.Greater(t, len(reasons)+reasons[saml.SSODisabled]+reasons[saml.TrustProvisional]+reasons[saml.MethodNotAllowed]+reasons[saml.NoKeyOnFile], 3)
		})
	}
}

// startAnyhow makes a request, whatever the trust's state.
func (c *comparison) startAnyhow() (*saml.Started, error) {
	on, err := saml.New(saml.Config{BaseURL: "https://sp.example.com", Trusts: c.trusts, State: c.state, Now: func() time.Time { return c.now }})
	if err != nil {
		return nil, err
	}
	trust := c.trust()
	trust.State, trust.SAML, trust.Keys = saml.Active, true, make([]saml.PublicKey, 1)
	return on.Request(context.Background(), trust, saml.StartOptions{ReturnTo: "/inbox", ForceAuthn: c.now.Nanosecond() > 0})
}

// answerTo is an answer with a few of the faults that products and attackers have.
func (c *comparison) answerTo(started *saml.Started, faults []byte, encrypted bool) *samltest.Answer {
	id := started.RequestID
	switch faults[0] % 12 {
	case 0:
		id = ""
	case 1:
		id = "_strange"
	case 2:
		id = "_test-00112233445566778899aabbccddeeff"
	}
	a := c.idp.Answer(samltest.Request{ID: id, ACSURL: "https://sp.example.com/sso/acs", SPEntityID: c.sp.EntityID()})
	a.Sign = []samltest.Parts{samltest.SignAssertion, samltest.SignResponse, samltest.SignAssertion | samltest.SignResponse}[faults[1]%3]
	if encrypted && faults[2]%3 > 0 {
		a.Encrypt = []samltest.Encryption{{Key: cipherKey().Public()}}
	}
	as := a.Assertion()
	as.Attributes = append(as.Attributes, samltest.Attr("groups", "users"))
	switch faults[3] % 16 {
	case 0:
		a.Status, a.Assertions = &samltest.Status{Code: samltest.Responder, Message: "AADSTS50105: alice"}, nil
	case 1:
		as.Conditions.Audiences[0][0] += "/"
	case 2:
		moveTimes(a, -time.Hour)
	case 3:
		as.Statements = nil
	case 4:
		as.Subject.Confirmations[0].Address = "192.0.2.7"
	case 5:
		as.Subject.NameID.Format = samltest.FormatTransient
	case 6:
		as.Attributes = append(as.Attributes, samltest.Attr("badge", "7"))
	case 7:
		a.Issuer.Value += "/"
	}
	return a
}

// So it does for a trust of several issuers.
func TestExplainAgreesOnResolvedIssuers(t *testing.T) {
	t.Parallel()
	c := newComparison(t, func(trust *saml.LoginTrust, config *saml.Config) {
		trust.Domain = tenants
		config.ResolveIssuer = func(_ context.Context, issuer string) (string, bool, error) { return admitted(issuer) }
	})
	c.idp.EntityID = tenants
	for issuer, want := range map[string]saml.Reason{tenants: "", tenantA: "", tenantB: "", stranger: saml.UnknownDomain} {
		for response, want := range map[string]saml.Reason{issuer: want, tenants + "/": saml.UnknownDomain} {
			started, request := c.start(saml.StartOptions{})
			answer := c.idp.Answer(request)
			of(issuer)(answer)
			answer.Issuer.Value = response
			posted := saml.Posted{SAMLResponse: answer.Encode(), RelayState: started.RelayState, BrowserKey: started.BrowserKey}
			assert.Equal(t, want, c.compare(posted, issuer, response))
		}
	}
}
