package saml_test

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/beevik/etree"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml"
	"github.com/logintrust/saml/samltest"
)

const sloURL = "https://sp.example.com/sso/logout"

// hostSessions are the sessions of a host, found by what they were told to keep, and without any cookie.
type hostSessions struct {
	mu    sync.Mutex
	live  []saml.LoginSession
	calls []saml.Logout
	fail  error
}

func (h *hostSessions) EndSessions(_ context.Context, logout saml.Logout) (ended int, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.calls = append(h.calls, logout)
	if h.fail != nil {
		return 0, h.fail
	}
	before := len(h.live)
	h.live = slices.DeleteFunc(h.live, logout.Ends)
	return before - len(h.live), nil
}

// start begins a session, as a host does after a login.
func (h *hostSessions) start(login *saml.Login) saml.LoginSession {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.live = append(h.live, login.Session())
	return login.Session()
}

func (h *hostSessions) indexes() (list []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, s := range h.live {
		list = append(list, s.SessionIndexes...)
	}
	return list
}

// A leaving is a world with single logout.
type leaving struct {
	*world
	sessions *hostSessions
	key      crypto.Signer
}

func newLeaving(t testing.TB, change ...func(*saml.LoginTrust, *saml.Config)) *leaving {
	t.Helper()
	l := &leaving{sessions: &hostSessions{}, key: mustKey(t, "next-rsa2048")}
	l.world = newWorld(t, append([]func(*saml.LoginTrust, *saml.Config){func(_ *saml.LoginTrust, c *saml.Config) {
		c.Sessions, c.SigningKeys = l.sessions, []saml.KeyPair{{Signer: l.key}}
	}}, change...)...)
	return l
}

// signIn makes a session with that index.
func (l *leaving) signIn(index string, change ...func(*samltest.Answer)) saml.LoginSession {
	l.t.Helper()
	login, err := l.login(append([]func(*samltest.Answer){func(a *samltest.Answer) { a.Assertion().Statements[0].SessionIndex = index }}, change...)...)
	return l.sessions.start(accepted(l.t, login, err))
}

// otherIdP is another identity provider, with a key of its own.
func otherIdP(t testing.TB) *samltest.IdP {
	t.Helper()
	idp, err := samltest.New(samltest.Options{EntityID: "https://other.example.com", Now: func() time.Time { return now }})
	require.NoError(t, err)
	return idp
}

// setTrust changes the trust.
func (l *leaving) setTrust(change func(*saml.LoginTrust)) {
	trust := l.trust()
	change(&trust)
	l.trusts.Set(trust)
}

// The bindings by which a browser brings a message.
var carriers = map[string]func(*samltest.LogoutMessage) saml.LogoutMessage{
	"redirect": func(m *samltest.LogoutMessage) saml.LogoutMessage { return saml.LogoutMessage{Query: m.RawQuery()} },
	"post": func(m *samltest.LogoutMessage) saml.LogoutMessage {
		f := m.Form()
		return saml.LogoutMessage{SAMLRequest: f.Get("SAMLRequest"), SAMLResponse: f.Get("SAMLResponse"), RelayState: f.Get("RelayState")}
	},
}

// answered reads an answer, and checks what every answer has: who it is from, what it answers, its signature, and that it goes
// where the trust says.
func (l *leaving) answered(a *saml.LogoutAnswer, m *samltest.LogoutMessage) samltest.ReceivedLogout {
	l.t.Helper()
	require.NotNil(l.t, a)
	var got samltest.ReceivedLogout
	var err error
	if a.URL != "" {
		require.Empty(l.t, a.Action)
		require.True(l.t, strings.HasPrefix(a.URL, got.Destination), a.URL)
		got, err = samltest.ParseLogoutURL(a.URL)
		require.NoError(l.t, err)
		assert.NotContains(l.t, string(got.XML), "Signature")
		l.verifyQuery(got)
		assert.True(l.t, strings.HasPrefix(a.URL, got.Destination))
	} else {
		form := url.Values{}
		for name, value := range a.Fields {
			form.Set(name, value)
		}
		got, err = samltest.ParseLogoutForm(form)
		require.NoError(l.t, err)
		verifyOwn(l.t, got.XML, l.key.Public())
		assert.Equal(l.t, a.Action, got.Destination)
	}
	assert.True(l.t, got.Response)
	assert.Equal(l.t, "https://sp.example.com/sso/metadata", got.SPEntityID)
	assert.Equal(l.t, m.ID, got.InResponseTo)
	assert.Equal(l.t, m.RelayState, got.RelayState)
	assert.Equal(l.t, m.Issuer.Value, a.Domain)
	return got
}

// verifyQuery checks a signature of ours with the standard library alone.
func (l *leaving) verifyQuery(got samltest.ReceivedLogout) {
	l.t.Helper()
	require.Equal(l.t, samltest.RSASHA256, got.SigAlg)
	sum := sha256.Sum256([]byte(got.Signed))
	require.NoError(l.t, rsa.VerifyPKCS1v15(l.key.Public().(*rsa.PublicKey), crypto.SHA256, sum[:], got.Signature))
}

// req: PROF-4.4.3.4 PROF-4.4.3.4-sign IIP-SP15 BIND-3.1.1-echo BIND-3.4.4.1-1 BIND-3.4.4.1-4 BIND-3.4.4.1-5 BIND-3.4.4.1-8 BIND-3.4.4.1-9 CORE-3.7.3.1-match SL-SERVERSIDE
func TestLogoutRequest(t *testing.T) {
	t.Parallel()
	for name, carry := range carriers {
		for _, c := range []struct {
			name  string
			edit  func(*samltest.LogoutMessage)
			stays []string
		}{
			{"one session", func(m *samltest.LogoutMessage) { m.SessionIndexes = []string{"s1"} }, []string{"s2", "s3"}},
			{"two sessions", func(m *samltest.LogoutMessage) { m.SessionIndexes = []string{"s1", "s3"} }, []string{"s2"}},
			{"all sessions", func(m *samltest.LogoutMessage) { m.SessionIndexes = nil }, nil},
			{"a session that is not there", func(m *samltest.LogoutMessage) { m.SessionIndexes = []string{"s9"} }, []string{"s1", "s2", "s3"}},
			{"white space around", func(m *samltest.LogoutMessage) { m.Style.Pretty, m.SessionIndexes = true, []string{"\n s2 "} }, []string{"s1", "s3"}},
			{"small hexadecimal", func(m *samltest.LogoutMessage) { m.LowerHex, m.SessionIndexes = true, []string{"s1"} }, []string{"s2", "s3"}},
			{"relay state", func(m *samltest.LogoutMessage) {
				m.RelayState, m.SessionIndexes = "a b&c=d%/é+"+strings.Repeat("x", 200), nil
			}, nil},
			{"no NotOnOrAfter", func(m *samltest.LogoutMessage) { m.NotOnOrAfter, m.SessionIndexes = "", nil }, nil},
			{"far NotOnOrAfter", func(m *samltest.LogoutMessage) { m.NotOnOrAfter, m.SessionIndexes = "2046-01-01T00:00:00Z", nil }, nil},
			{"a reason", func(m *samltest.LogoutMessage) { m.Reason, m.SessionIndexes = saml.LogoutByAdmin, nil }, nil},
			{"default namespaces", func(m *samltest.LogoutMessage) { m.Style, m.SessionIndexes = samltest.Style{}, nil }, nil},
			{"a comment in the name", func(m *samltest.LogoutMessage) {
				m.BeforeSign = func(e *etree.Element) {
					name := e.FindElement("./NameID")
					text := name.Text()
					name.SetText(text[:2])
					name.CreateComment("x")
					name.CreateText(text[2:])
				}
				m.SessionIndexes = nil
			}, nil},
			{"Issuer with format", func(m *samltest.LogoutMessage) { m.Issuer.Format, m.SessionIndexes = samltest.FormatEntity, nil }, nil},
			{"extensions", func(m *samltest.LogoutMessage) {
				m.Extensions, m.SessionIndexes = []string{`<x:Any xmlns:x="urn:x"/>`}, nil
			}, nil},
		} {
			t.Run(name+", "+c.name, func(t *testing.T) {
				t.Parallel()
				l := newLeaving(t)
				session := l.signIn("s1")
				l.signIn("s2")
				l.signIn("s3")
				m := l.idp.LogoutRequest(session, sloURL)
				c.edit(m)
				a, err := l.sp.AnswerLogout(t.Context(), carry(m))
				require.NoError(t, err)
				require.NoError(t, refusalOf(a))
				got := l.answered(a, m)
				assert.Equal(t, []string{samltest.Success}, got.Status)
				assert.Equal(t, c.stays, l.sessions.indexes())
				assert.Equal(t, 3-len(c.stays), a.Ended)
				require.Len(t, l.sessions.calls, 1)
				assert.Equal(t, session.SubjectKey, l.sessions.calls[0].SubjectKey)
				assert.Equal(t, name == "redirect", a.URL != "", "by the binding of the request")
			})
		}
	}
}

func refusalOf(a *saml.LogoutAnswer) error {
	if a.Refusal == nil {
		return nil
	}
	return a.Refusal
}

// What is not known to be from the identity provider, and for us, ends nothing and gets no answer; the rest is answered with a
// failure.
//
// req: CORE-3.7.3.1-auth CORE-3.7.3.1-who CORE-3.7.1-exp E7-binding BIND-3.4.5.2-recv BIND-3.4.6 IIP-G01 BIND-3.4.4.1-alg05 SL-RESP
func TestLogoutRequestRefused(t *testing.T) {
	t.Parallel()
	name := func(change func(*samltest.NameID)) func(*samltest.LogoutMessage) {
		return func(m *samltest.LogoutMessage) { change(m.NameID) }
	}
	times := func(issued, end time.Duration) func(*samltest.LogoutMessage) {
		return func(m *samltest.LogoutMessage) { m.IssueInstant, m.NotOnOrAfter = at(issued), at(end) }
	}
	const answers, silent, ends = 1, 0, 2
	encrypted := `<saml:EncryptedID xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"><xenc:EncryptedData xmlns:xenc="http://www.w3.org/2001/04/xmlenc#"/></saml:EncryptedID>`
	for _, c := range []struct {
		name   string
		edit   func(*samltest.LogoutMessage)
		reason saml.Reason
		how    int
	}{
		{"unsigned", func(m *samltest.LogoutMessage) { m.Unsigned = true }, saml.Unsigned, silent},
		{"of nobody", func(m *samltest.LogoutMessage) { m.Issuer = nil }, saml.WrongIssuer, silent},
		{"of an unknown IdP", func(m *samltest.LogoutMessage) { m.Issuer.Value = "https://other.example.com" }, saml.UnknownDomain, silent},
		{"odd Issuer format", func(m *samltest.LogoutMessage) { m.Issuer.Format = samltest.FormatPersistent }, saml.WrongIssuer, silent},
		{"no Destination", func(m *samltest.LogoutMessage) { m.Destination = "" }, saml.WrongDestination, silent},
		{"blank Destination", func(m *samltest.LogoutMessage) { m.Destination = samltest.Blank }, saml.WrongDestination, silent},
		{"Destination of another", func(m *samltest.LogoutMessage) { m.Destination = "https://other.example.com/sso/logout" }, saml.WrongDestination, silent},
		{"Destination of our logins", func(m *samltest.LogoutMessage) { m.Destination = "https://sp.example.com/sso/acs" }, saml.WrongDestination, silent},
		{"Version", func(m *samltest.LogoutMessage) { m.Version = "1.1" }, saml.WrongVersion, answers},
		{"no Version", func(m *samltest.LogoutMessage) { m.Version = "" }, saml.WrongVersion, answers},
		{"no ID", func(m *samltest.LogoutMessage) { m.ID = "" }, saml.BadResponse, silent},
		{"no IssueInstant", func(m *samltest.LogoutMessage) { m.IssueInstant = "" }, saml.BadResponse, silent},
		{"odd NotOnOrAfter", func(m *samltest.LogoutMessage) { m.NotOnOrAfter = "soon" }, saml.BadResponse, silent},
		{"just not early", times(skew, skew+time.Minute), "", ends},
		{"early", times(skew+time.Second, time.Hour), saml.NotYetValid, answers},
		{"just not late", times(-10*time.Minute, -skew+time.Second), "", ends},
		{"late", times(-10*time.Minute, -skew), saml.Expired, answers},
		{"a day old", times(-24*time.Hour-skew, time.Hour), saml.Expired, answers},
		{"old without end", func(m *samltest.LogoutMessage) { m.IssueInstant, m.NotOnOrAfter = at(-10*time.Minute-skew), "" }, saml.Expired, answers},
		{"no name", func(m *samltest.LogoutMessage) { m.NameID = nil }, saml.NoSubject, answers},
		{"blank name", func(m *samltest.LogoutMessage) { m.NameID.Value = " " }, saml.NoSubject, answers},
		{"encrypted name", func(m *samltest.LogoutMessage) { m.NameID, m.Identifier = nil, []string{encrypted} }, saml.NoSubject, answers},
		{"BaseID", func(m *samltest.LogoutMessage) {
			m.NameID, m.Identifier = nil, []string{`<saml:BaseID xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"/>`}
		}, saml.NoSubject, answers},
		{"blank SessionIndex", func(m *samltest.LogoutMessage) { m.SessionIndexes = []string{samltest.Blank} }, saml.BadResponse, silent},
		{"a second name", func(m *samltest.LogoutMessage) {
			m.Identifier = []string{`<saml:NameID xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">x</saml:NameID>`}
		}, saml.BadResponse, silent},
		{"an answer in its place", func(m *samltest.LogoutMessage) { m.Response = true }, saml.BadResponse, silent},
		{"SHA-1", func(m *samltest.LogoutMessage) { m.Seal.Method, m.Seal.Digest = samltest.RSASHA1, samltest.SHA1 }, saml.WeakAlgorithm, silent},
		// Other subjects than alice: nothing ends, and that is no failure.
		{"another name", name(func(n *samltest.NameID) { n.Value = "Alice" }), "", answers},
		{"another format", name(func(n *samltest.NameID) { n.Format = samltest.FormatEmail }), "", answers},
		{"no format", name(func(n *samltest.NameID) { n.Format = "" }), "", answers},
		{"another NameQualifier", name(func(n *samltest.NameID) { n.NameQualifier = "https://other.example.com" }), "", answers},
		{"another SPNameQualifier", name(func(n *samltest.NameID) { n.SPNameQualifier = "https://other.example.com" }), "", answers},
		// Qualifiers that say what is so anyhow (SAML Core 8.3.7).
		{"our own qualifiers", name(func(n *samltest.NameID) {
			n.NameQualifier, n.SPNameQualifier = "https://idp.example.com/metadata", "https://sp.example.com/sso/metadata"
		}), "", ends},
		{"an alias", name(func(n *samltest.NameID) { n.SPProvidedID = "alias" }), "", ends},
	} {
		for carrier, carry := range carriers {
			t.Run(c.name+", "+carrier, func(t *testing.T) {
				t.Parallel()
				l := newLeaving(t)
				m := l.idp.LogoutRequest(l.signIn("s1"), sloURL)
				c.edit(m)
				message := carry(m)
				if m.Response {
					message.SAMLRequest, message.SAMLResponse = message.SAMLResponse, ""
					message.Query = strings.Replace(message.Query, "SAMLResponse", "SAMLRequest", 1)
				}
				a, err := l.sp.AnswerLogout(t.Context(), message)
				live := 1
				if c.how == ends {
					live = 0
				}
				assert.Len(t, l.sessions.live, live)
				if c.how == silent {
					reason := c.reason
					if c.name == "no ID" && carrier == "post" { // nothing for a signature to refer to
						reason = saml.MalformedSignature
					}
					e := leftWith(t, reason, err)
					assert.Nil(t, a)
					assert.NotContains(t, e.Error(), "alice")
					assert.Empty(t, l.sessions.calls)
					return
				}
				require.NoError(t, err)
				status := l.answered(a, m).Status
				if c.reason == "" {
					require.NoError(t, refusalOf(a))
					assert.Equal(t, []string{samltest.Success}, status)
					return
				}
				assert.Empty(t, l.sessions.calls)
				require.ErrorIs(t, a.Refusal, c.reason)
				assert.NotContains(t, a.Refusal.Error(), "alice")
				assert.NotEqual(t, samltest.Success, status[0])
				switch c.reason {
				case saml.WrongVersion:
					assert.Equal(t, []string{saml.StatusVersionMismatch}, status)
				case saml.NoSubject:
					assert.Equal(t, []string{saml.StatusResponder, saml.StatusRequestUnsupported}, status)
				default:
					assert.Equal(t, []string{saml.StatusRequester}, status)
				}
			})
		}
	}
}

// leftWith demands a refusal for that reason.
func leftWith(t testing.TB, reason saml.Reason, err error) *saml.Error {
	t.Helper()
	require.ErrorIs(t, err, reason)
	var e *saml.Error
	require.ErrorAs(t, err, &e)
	return e
}

// Only the identity provider that made a session ends it, whatever another says with a key that is good for its own.
//
// req: CORE-3.7.3.1-who
func TestLogoutOfAnotherTenant(t *testing.T) {
	t.Parallel()
	l := newLeaving(t)
	session := l.signIn("s1")
	other := otherIdP(t)
	l.trusts.Set(other.Trust())
	for carrier, carry := range carriers {
		m := other.LogoutRequest(session, sloURL)
		a, err := l.sp.AnswerLogout(t.Context(), carry(m))
		require.NoError(t, err, carrier)
		assert.Equal(t, 0, a.Ended)
		assert.Equal(t, other.EntityID, a.Domain)
		m = other.LogoutRequest(session, sloURL)
		m.Issuer.Value = l.idp.EntityID // signed by the other
		_, err = l.sp.AnswerLogout(t.Context(), carry(m))
		leftWith(t, saml.BadSignature, err)
		m = l.idp.LogoutRequest(session, sloURL)
		m.NameID.NameQualifier = other.EntityID
		a, err = l.sp.AnswerLogout(t.Context(), carry(m))
		require.NoError(t, err)
		assert.Equal(t, 0, a.Ended)
	}
	assert.Len(t, l.sessions.live, 1)
	for _, state := range []saml.TrustState{saml.Provisional, saml.Inactive} {
		trust := l.trust()
		trust.State = state
		l.trusts.Set(trust)
		_, err := l.sp.AnswerLogout(t.Context(), carriers["redirect"](l.idp.LogoutRequest(session, sloURL)))
		require.Error(t, err)
	}
	assert.Len(t, l.sessions.live, 1)
}

// The signature in the query counts, and none inside the message does.
//
// req: E7-binding RD-RAWAPI RD-ECDSA
func TestLogoutSignatureInside(t *testing.T) {
	t.Parallel()
	l := newLeaving(t)
	session := l.signIn("s1")
	inside := func(seal samltest.Seal) func(*etree.Element) {
		return func(e *etree.Element) { require.NoError(t, seal.Enveloped(e)) }
	}
	m := l.idp.LogoutRequest(session, sloURL)
	m.BeforeSign, m.Unsigned = inside(l.idp.Seal()), true
	_, err := l.sp.AnswerLogout(t.Context(), carriers["redirect"](m))
	leftWith(t, saml.Unsigned, err)

	m = l.idp.LogoutRequest(session, sloURL)
	m.Query = func(q string) string { return q[:strings.Index(q, "&Signature=")] }
	_, err = l.sp.AnswerLogout(t.Context(), carriers["redirect"](m))
	leftWith(t, saml.Unsigned, err)

	m = l.idp.LogoutRequest(session, sloURL)
	m.Query = func(q string) string { return q[:strings.Index(q, "&SigAlg=")] + q[strings.Index(q, "&Signature="):] }
	_, err = l.sp.AnswerLogout(t.Context(), carriers["redirect"](m))
	leftWith(t, saml.MalformedSignature, err)

	m = l.idp.LogoutRequest(session, sloURL)
	m.BeforeSign = inside(otherIdP(t).Seal()) // inert
	a, err := l.sp.AnswerLogout(t.Context(), carriers["redirect"](m))
	require.NoError(t, err)
	assert.Equal(t, 1, a.Ended)

	_, err = l.sp.AnswerLogout(t.Context(), saml.LogoutMessage{})
	leftWith(t, saml.BadRequest, err)
	both := carriers["post"](l.idp.LogoutRequest(session, sloURL))
	both.Query = l.idp.LogoutRequest(session, sloURL).RawQuery()
	_, err = l.sp.AnswerLogout(t.Context(), both)
	leftWith(t, saml.BadRequest, err)
	_, err = l.sp.AnswerLogout(t.Context(), saml.LogoutMessage{SAMLRequest: "a", SAMLResponse: "b"})
	leftWith(t, saml.BadRequest, err)
}

// ECDSA as XML Signature has it; in DER by an option of the trust.
//
// req: RD-ECDSA
func TestLogoutECDSA(t *testing.T) {
	t.Parallel()
	for _, allow := range []bool{false, true} {
		idp, err := samltest.New(samltest.Options{EntityID: "https://ec.example.com", Key: mustKey(t, "idp-p256"), Now: func() time.Time { return now }})
		require.NoError(t, err)
		l := newLeaving(t)
		l.idp = idp
		trust := idp.Trust()
		trust.AllowRedirectDER = allow
		l.trusts.Set(trust)
		session := l.signIn("s1")
		m := idp.LogoutRequest(session, sloURL)
		m.Query = func(q string) string {
			head, value, _ := strings.Cut(q, "&Signature=")
			value, err := url.QueryUnescape(value)
			require.NoError(t, err)
			rs, err := base64.StdEncoding.DecodeString(value)
			require.NoError(t, err)
			return head + "&Signature=" + url.QueryEscape(base64.StdEncoding.EncodeToString(der(rs[:32], rs[32:])))
		}
		a, err := l.sp.AnswerLogout(t.Context(), carriers["redirect"](m))
		if allow {
			require.NoError(t, err)
			assert.Equal(t, 1, a.Ended)
		} else {
			leftWith(t, saml.BadSignature, err)
		}
		a, err = l.sp.AnswerLogout(t.Context(), carriers["redirect"](idp.LogoutRequest(session, sloURL)))
		require.NoError(t, err)
		require.NoError(t, refusalOf(a))
	}
}

// der writes SEQUENCE { r INTEGER, s INTEGER }.
func der(r, s []byte) []byte {
	integer := func(b []byte) []byte {
		v := new(big.Int).SetBytes(b).Bytes()
		if v[0] >= 0x80 {
			v = append([]byte{0}, v...)
		}
		return append([]byte{2, byte(len(v))}, v...)
	}
	body := append(integer(r), integer(s)...)
	return append([]byte{0x30, byte(len(body))}, body...)
}

// A request counts once: played back, it does not end a session that has begun since.
//
// req: RY-SLO
func TestLogoutRequestReplayed(t *testing.T) {
	t.Parallel()
	for _, end := range []time.Duration{5 * time.Minute, 0, 48 * time.Hour} {
		for carrier, carry := range carriers {
			l := newLeaving(t)
			m := l.idp.LogoutRequest(l.signIn("s1"), sloURL)
			m.NotOnOrAfter, m.SessionIndexes = at(end), nil
			if end == 0 {
				m.NotOnOrAfter = ""
			}
			message := carry(m)
			a, err := l.sp.AnswerLogout(t.Context(), message)
			require.NoError(t, err)
			assert.Equal(t, 1, a.Ended)
			l.now = l.now.Add(time.Minute)
			l.signIn("s2")
			for _, later := range []time.Duration{0, 5*time.Minute + skew, 10*time.Minute + skew, 24*time.Hour + skew, 48 * time.Hour} {
				l.now = now.Add(time.Minute + later)
				a, err = l.sp.AnswerLogout(t.Context(), message)
				require.NoError(t, err)
				assert.Contains(t, []saml.Reason{saml.Replayed, saml.Expired}, a.Refusal.Reason, carrier)
				assert.Equal(t, []string{saml.StatusRequester}, l.answered(a, m).Status)
			}
			assert.Len(t, l.sessions.live, 1)
		}
	}
}

// Success is reported only if the sessions really ended, and a store that fails ends nothing.
//
// req: SL-STATUS
func TestLogoutThatFails(t *testing.T) {
	t.Parallel()
	l := newLeaving(t)
	m := l.idp.LogoutRequest(l.signIn("s1"), sloURL)
	l.sessions.fail = namedError{"alice's sessions are on another server"}
	a, err := l.sp.AnswerLogout(t.Context(), carriers["post"](m))
	require.NoError(t, err)
	require.ErrorIs(t, a.Refusal, saml.StoreFailed)
	require.ErrorIs(t, a.Refusal, l.sessions.fail)
	assert.NotContains(t, a.Refusal.Error()+fmt.Sprintf("%v %+v %#v", *a.Refusal, *a.Refusal, *a.Refusal), "alice")
	assert.Equal(t, []string{saml.StatusResponder}, l.answered(a, m).Status)

	state := &brokenState{MemoryState: saml.NewMemoryState()}
	l = newLeaving(t, func(_ *saml.LoginTrust, c *saml.Config) { c.State = state })
	m = l.idp.LogoutRequest(l.signIn("s1"), sloURL)
	state.add = errBroken
	a, err = l.sp.AnswerLogout(t.Context(), carriers["redirect"](m))
	require.NoError(t, err)
	require.ErrorIs(t, a.Refusal, saml.StoreFailed)
	assert.Empty(t, l.sessions.calls)
	assert.Equal(t, []string{saml.StatusResponder}, l.answered(a, m).Status)

	l = newLeaving(t)
	m = l.idp.LogoutRequest(l.signIn("s1"), sloURL)
	part := &partial{}
	sp, err := saml.New(saml.Config{BaseURL: "https://sp.example.com", Trusts: l.trusts, State: saml.NewMemoryState(), Now: l.idp.Now,
		Sessions: part, SigningKeys: []saml.KeyPair{{Signer: l.key}}})
	require.NoError(t, err)
	a, err = sp.AnswerLogout(t.Context(), carriers["redirect"](m))
	require.NoError(t, err)
	assert.Equal(t, []string{saml.StatusResponder, saml.StatusPartialLogout}, l.answered(a, m).Status)
}

// partial ends one of two sessions.
type partial struct{}

func (partial) EndSessions(context.Context, saml.Logout) (int, error) { return 1, errBroken }

// Answers go to ResponseLocation, by a binding that the identity provider has, and nowhere else.
//
// req: E41 SL-BIND
func TestLogoutAnswerGoes(t *testing.T) {
	t.Parallel()
	const place = "https://idp.example.com/"
	for _, c := range []struct {
		name                   string
		slo, sloR, post, postR string
		byRedirect, byPOST     string // where the answer goes
	}{
		{"both", "slo", "", "post", "", "slo", "post"},
		{"both, elsewhere", "slo", "slo/r", "post", "post/r", "slo/r", "post/r"},
		{"redirect only", "slo?a=1", "", "", "", "slo?a=1", "slo?a=1"},
		{"POST only", "", "", "post", "", "post", "post"},
		{"POST only, elsewhere", "", "", "post", "post/r", "post/r", "post/r"},
		{"none", "", "", "", "", "", ""},
	} {
		for carrier, carry := range carriers {
			at := func(s string) string {
				if s == "" {
					return ""
				}
				return place + s
			}
			l := newLeaving(t, func(t *saml.LoginTrust, _ *saml.Config) {
				t.SLOURL, t.SLOResponseURL, t.SLOPostURL, t.SLOPostResponseURL = at(c.slo), at(c.sloR), at(c.post), at(c.postR)
			})
			m := l.idp.LogoutRequest(l.signIn("s1"), sloURL)
			a, err := l.sp.AnswerLogout(t.Context(), carry(m))
			require.NoError(t, err)
			assert.Equal(t, 1, a.Ended)
			want := c.byRedirect
			if carrier == "post" {
				want = c.byPOST
			}
			if want == "" {
				assert.Empty(t, a.URL+a.Action)
				continue
			}
			got := l.answered(a, m)
			assert.Equal(t, at(want), got.Destination, c.name+", "+carrier)
			assert.Equal(t, strings.HasPrefix(want, "slo"), a.URL != "")
		}
	}
}

// Of an asynchronous request nobody awaits an answer.
//
// req: ASLO-2.1
func TestLogoutRequestAsynchronous(t *testing.T) {
	t.Parallel()
	l := newLeaving(t)
	m := l.idp.LogoutRequest(l.signIn("s1"), sloURL)
	m.Extensions = []string{`<aslo:Asynchronous xmlns:aslo="urn:oasis:names:tc:SAML:2.0:protocol:ext:async-slo"/>`}
	a, err := l.sp.AnswerLogout(t.Context(), carriers["redirect"](m))
	require.NoError(t, err)
	assert.Equal(t, &saml.LogoutAnswer{Domain: l.idp.EntityID, Ended: 1}, a)
}

// A logout that overtakes its login: the login is refused, and a later one is not.
//
// req: CORE-3.7.3.1-late
func TestLogoutOvertakesLogin(t *testing.T) {
	t.Parallel()
	for _, all := range []bool{false, true} {
		l := newLeaving(t)
		session := l.signIn("s0")
		late := func(index string, issued time.Duration) *samltest.Answer {
			started, request := l.start(saml.StartOptions{})
			a := l.idp.Answer(request)
			a.Assertion().Statements[0].SessionIndex, a.Assertion().IssueInstant = index, at(issued)
			a.RelayState = started.BrowserKey // carried beside
			return a
		}
		overtaken, other := late("s9", 0), late("s8", 0)
		again, fresh := late("s9", time.Second), late("s7", time.Second)
		m := l.idp.LogoutRequest(session, sloURL)
		if m.SessionIndexes = []string{"s9"}; all {
			m.SessionIndexes = nil
		}
		_, err := l.sp.AnswerLogout(t.Context(), carriers["redirect"](m))
		require.NoError(t, err)
		post := func(a *samltest.Answer) (*saml.Login, error) {
			key := a.RelayState
			a.RelayState = ""
			return l.post(a, key)
		}
		login, err := post(overtaken)
		e := refused(t, saml.LoggedOut, login, err)
		assert.NotContains(t, e.Error(), "alice")
		login, err = post(other)
		if all {
			refused(t, saml.LoggedOut, login, err)
		} else {
			accepted(t, login, err)
		}
		login, err = post(again) // of the ended session, though issued since
		if all {
			accepted(t, login, err)
		} else {
			refused(t, saml.LoggedOut, login, err)
		}
		login, err = post(fresh)
		accepted(t, login, err)
		l.now = now.Add(5*time.Minute + skew)
		login, err = l.login(func(a *samltest.Answer) { a.Assertion().Statements[0].SessionIndex = "s9" })
		accepted(t, login, err)
	}
}

// What a host keeps of a login, in JSON, brings back every attribute of the name.
//
// req: AN-PRESERVE AS-INDEX
func TestLoginSession(t *testing.T) {
	t.Parallel()
	l := newLeaving(t)
	session := l.signIn("s<1>&", func(a *samltest.Answer) {
		a.Assertion().Subject.NameID = &samltest.NameID{Value: " a&<b> \té", Format: samltest.FormatPersistent, NameQualifier: "q", SPNameQualifier: "https://sp.example.com/sso/metadata", SPProvidedID: "p"}
	})
	text, err := json.Marshal(session)
	require.NoError(t, err)
	var again saml.LoginSession
	require.NoError(t, json.Unmarshal(text, &again))
	assert.Equal(t, session, again)
	assert.Equal(t, saml.NameID{Value: " a&<b> \té", Format: samltest.FormatPersistent, NameQualifier: "q", SPNameQualifier: "https://sp.example.com/sso/metadata", SPProvidedID: "p"}, session.NameID)
	assert.Equal(t, []string{"s<1>&"}, session.SessionIndexes)
	assert.Equal(t, l.idp.EntityID, session.Domain)
	assert.NotContains(t, session.SubjectKey, "a&")

	// A format that was not sent is not made up.
	bare := l.signIn("", func(a *samltest.Answer) { a.Assertion().Subject.NameID = &samltest.NameID{Value: "alice"} })
	assert.Equal(t, saml.NameID{Value: "alice"}, bare.NameID)
	assert.Empty(t, bare.SessionIndexes)
	transient := l.signIn("", func(a *samltest.Answer) { a.Assertion().Subject.NameID.Format = samltest.FormatTransient })
	assert.NotEmpty(t, transient.SubjectKey)
	assert.NotEqual(t, bare.SubjectKey, transient.SubjectKey)
	none := l.signIn("s", func(a *samltest.Answer) { a.Assertion().Subject.NameID = nil })
	assert.Empty(t, none.SubjectKey)
	assert.False(t, saml.Logout{Domain: none.Domain}.Ends(none), "nobody is not everybody")
	assert.Zero(t, new(saml.Login).Session())
	assert.Zero(t, (&saml.Login{Assertion: &saml.Assertion{}}).Session())

	assert.True(t, saml.Logout{Domain: bare.Domain, SubjectKey: bare.SubjectKey}.Ends(bare), "without index, all")
	assert.False(t, saml.Logout{Domain: bare.Domain, SubjectKey: bare.SubjectKey, SessionIndexes: []string{""}}.Ends(bare))
	assert.False(t, saml.Logout{Domain: "other", SubjectKey: bare.SubjectKey}.Ends(bare))
}

// severalStatements gives an assertion one authentication statement for each index.
func severalStatements(indexes ...string) func(*samltest.Answer) {
	return func(a *samltest.Answer) {
		statement := a.Assertion().Statements[0]
		a.Assertion().Statements = nil
		for _, index := range indexes {
			statement.SessionIndex = index
			a.Assertion().Statements = append(a.Assertion().Statements, statement)
		}
	}
}

// A session has every name that its authentication statements give it: a logout by any of them ends it, or refuses the login
// that it overtakes, and our own names them all.
//
// req: AS-INDEX E38 CORE-3.7.3.1-match CORE-3.7.3.1-late
func TestSessionWithSeveralIndexes(t *testing.T) {
	t.Parallel()
	for _, index := range []string{"s1", "s2", "s3"} {
		l := newLeaving(t)
		session := l.signIn("", severalStatements("s1", "", "s2", "s2", "s3"))
		require.Equal(t, []string{"s1", "s2", "s3"}, session.SessionIndexes)
		l.signIn("s4")
		_, got := l.ask(session, saml.LogoutOptions{})
		assert.Equal(t, session.SessionIndexes, got.SessionIndexes)

		m := l.idp.LogoutRequest(session, sloURL)
		m.SessionIndexes = []string{index}
		answer, err := l.sp.AnswerLogout(t.Context(), carriers["post"](m))
		require.NoError(t, err)
		assert.Equal(t, 1, answer.Ended)
		assert.Equal(t, []string{"s4"}, l.sessions.indexes())
		login, err := l.login(severalStatements("s5", index))
		refused(t, saml.LoggedOut, login, err)
	}
}

// Each name costs a look into the state store, so there is an end to them.
func TestHundredSessionIndexes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	login, err := w.login(severalStatements(make([]string, 100)...))
	accepted(t, login, err)
	login, err = w.login(severalStatements(make([]string, 101)...))
	refused(t, saml.BadResponse, login, err)
}

// An EncryptedID is opened with any of our keys, in whatever binding it comes, and then counts as the same in clear.
//
// req: IIP-SP16
func TestLogoutOfAnEncryptedName(t *testing.T) {
	t.Parallel()
	next, current, theirs := rsaKey(t), rsaKey(t), rsaKey(t)
	keys := func(list ...saml.DecryptionKey) func(*saml.LoginTrust, *saml.Config) {
		return func(_ *saml.LoginTrust, c *saml.Config) { c.DecryptionKeys = list }
	}
	bindings := maps.Clone(carriers)
	bindings["SOAP"] = func(m *samltest.LogoutMessage) saml.LogoutMessage { return saml.LogoutMessage{SOAP: m.SOAP()} }
	for binding, carry := range bindings {
		t.Run(binding, func(t *testing.T) {
			t.Parallel()
			l := newLeaving(t, keys(saml.DecryptionKey{Key: next}, saml.DecryptionKey{Key: current}))
			ask := func(session saml.LoginSession, e ...samltest.Encryption) (*saml.LogoutAnswer, error) {
				m := l.idp.LogoutRequest(session, sloURL)
				m.EncryptNameID = e
				require.NotContains(t, string(m.XML()), session.NameID.Value)
				require.Contains(t, string(m.XML()), "EncryptedID")
				return l.sp.AnswerLogout(t.Context(), carry(m))
			}
			for name, list := range map[string][]samltest.Encryption{
				"the first key":         {{Key: next.Public()}},
				"the second key":        {{Key: current.Public()}},
				"key beside":            {{Key: current.Public(), Beside: true}},
				"for another one first": {{Key: theirs.Public()}, {Key: current.Public()}},
			} {
				session := l.signIn(name)
				other := l.signIn("other")
				a, err := ask(session, list...)
				require.NoError(t, err, name)
				require.NoError(t, refusalOf(a), name)
				require.Equal(t, 1, a.Ended, name)
				require.Equal(t, other.SessionIndexes, l.sessions.indexes(), name)
				l.sessions.live = nil
			}

			// What is for another is not opened, and ends nothing.
			session := l.signIn("s1")
			l.sessions.calls = nil
			for name, e := range map[string]samltest.Encryption{
				"for another":         {Key: theirs.Public()},
				"not a name":          {Key: current.Public(), Plain: func([]byte) []byte { return []byte("<BaseID/>") }},
				"named, but not ours": {Key: theirs.Public(), Recipient: l.sp.EntityID()},
			} {
				a, err := ask(session, e)
				require.Nil(t, a, name)
				require.NotContains(t, leftWith(t, saml.DecryptionFailed, err).Error(), session.NameID.Value)
			}

			// The ciphertext of one message put into another is not what was signed.
			m, theirs := l.idp.LogoutRequest(session, sloURL), l.idp.LogoutRequest(l.signIn("s2"), sloURL)
			m.EncryptNameID, theirs.EncryptNameID = []samltest.Encryption{{Key: current.Public()}}, []samltest.Encryption{{Key: current.Public()}}
			if m.Bytes = func(xml []byte) []byte {
				return encryptedID.ReplaceAll(xml, encryptedID.Find(theirs.XML()))
			}; binding == "redirect" {
				signed := *m
				signed.Bytes = nil
				query := signed.RawQuery()
				m.Query = func(forged string) string {
					return forged[:strings.Index(forged, "&SigAlg=")] + query[strings.Index(query, "&SigAlg="):]
				}
			}
			a, err := l.sp.AnswerLogout(t.Context(), carry(m))
			require.Nil(t, a)
			leftWith(t, saml.BadSignature, err)
			assert.Empty(t, l.sessions.calls)
			assert.Len(t, l.sessions.live, 2)

			// Without a key of ours, the answer says that we cannot.
			without := newLeaving(t)
			m = without.idp.LogoutRequest(without.signIn("s1"), sloURL)
			m.EncryptNameID = []samltest.Encryption{{Key: current.Public()}}
			a, err = without.sp.AnswerLogout(t.Context(), carry(m))
			require.NoError(t, err)
			require.ErrorIs(t, a.Refusal, saml.NoSubject)
			if binding != "SOAP" {
				assert.Equal(t, []string{saml.StatusResponder, saml.StatusRequestUnsupported}, without.answered(a, m).Status)
			}
			assert.Empty(t, without.sessions.calls)
			assert.Len(t, without.sessions.live, 1)
		})
	}
}

var encryptedID = regexp.MustCompile(`(?s)<saml:EncryptedID.*</saml:EncryptedID>`)

// By SOAP the identity provider asks itself, without a browser.
//
// req: BIND-3.2.2.2 SL-SERVERSIDE
func TestLogoutBySOAP(t *testing.T) {
	t.Parallel()
	l := newLeaving(t)
	session := l.signIn("s1")
	m := l.idp.LogoutRequest(session, sloURL)
	a, err := l.sp.AnswerLogout(t.Context(), saml.LogoutMessage{SOAP: m.SOAP()})
	require.NoError(t, err)
	assert.Equal(t, 1, a.Ended)
	assert.Empty(t, a.URL+a.Action)
	doc := etree.NewDocument()
	require.NoError(t, doc.ReadFromBytes(a.SOAP))
	assert.Equal(t, "http://schemas.xmlsoap.org/soap/envelope/", doc.Root().NamespaceURI())
	inner := etree.NewDocumentWithRoot(doc.FindElement("./Envelope/Body/LogoutResponse").Copy())
	xml, err := inner.WriteToBytes()
	require.NoError(t, err)
	verifyOwn(t, xml, l.key.Public())
	got, err := samltest.ReadLogout(xml)
	require.NoError(t, err)
	assert.Equal(t, m.ID, got.InResponseTo)
	assert.Equal(t, []string{samltest.Success}, got.Status)

	for name, edit := range map[string]func(*samltest.LogoutMessage){
		"unsigned":               func(m *samltest.LogoutMessage) { m.Unsigned = true },
		"no Destination":         func(m *samltest.LogoutMessage) { m.Destination = "" },
		"Destination of another": func(m *samltest.LogoutMessage) { m.Destination = "https://other.example.com/" },
		"an answer":              func(m *samltest.LogoutMessage) { m.Response = true },
		"in another envelope": func(m *samltest.LogoutMessage) {
			m.Bytes = func(xml []byte) []byte { return []byte("<x>" + string(xml) + "</x>") }
		},
		"two messages": func(m *samltest.LogoutMessage) {
			m.Bytes = func(xml []byte) []byte { return append(xml, `<x xmlns="urn:x"/>`...) }
		},
	} {
		m := l.idp.LogoutRequest(session, sloURL)
		edit(m)
		a, err := l.sp.AnswerLogout(t.Context(), saml.LogoutMessage{SOAP: m.SOAP()})
		require.Error(t, err, name)
		assert.Nil(t, a)
	}
}

// Single logout is off until a host can end sessions; then it must be able to sign.
//
// req: IIP-SP17
func TestLogoutConfig(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, err := w.sp.AnswerLogout(t.Context(), carriers["redirect"](w.idp.LogoutRequest(saml.LoginSession{}, sloURL)))
	leftWith(t, saml.NotConfigured, err)
	_, err = w.sp.CompleteLogout(t.Context(), saml.LogoutMessage{SAMLResponse: "x"})
	leftWith(t, saml.NotConfigured, err)
	assert.NotContains(t, string(w.sp.Metadata()), "SingleLogoutService")

	config := saml.Config{BaseURL: "https://sp.example.com", Trusts: w.trusts, State: saml.NewMemoryState(), Sessions: &hostSessions{}}
	_, err = saml.New(config)
	require.ErrorContains(t, err, "Sessions needs SigningKeys")
	config.SigningKeys = []saml.KeyPair{{Signer: mustKey(t, "next-rsa2048")}}
	config.Sessions, config.EndSession = nil, func(http.ResponseWriter, *http.Request) (session saml.LoginSession, found bool, err error) {
		return saml.LoginSession{}, false, nil
	}
	_, err = saml.New(config)
	require.ErrorContains(t, err, "EndSession needs Sessions")
	config.Sessions = &hostSessions{}
	sp, err := saml.New(config)
	require.NoError(t, err)
	for _, binding := range []string{"HTTP-Redirect", "HTTP-POST"} {
		assert.Contains(t, string(sp.Metadata()), `<md:SingleLogoutService Binding="urn:oasis:names:tc:SAML:2.0:bindings:`+binding+`" Location="https://sp.example.com/sso/logout"/>`)
	}
	assert.NotContains(t, string(sp.Metadata()), "bindings:SOAP", "who would choose it may not reach us")
	config.Metadata.LogoutBySOAP = true
	sp, err = saml.New(config)
	require.NoError(t, err)
	assert.Contains(t, string(sp.Metadata()), `<md:SingleLogoutService Binding="urn:oasis:names:tc:SAML:2.0:bindings:SOAP" Location="https://sp.example.com/sso/logout"/>`)
	config.LogoutURL = "https://sp.example.com/sso/acs"
	_, err = saml.New(config)
	require.ErrorContains(t, err, "different paths")
	config.LogoutURL = "https://other.example.com/out"
	_, err = saml.New(config)
	require.ErrorContains(t, err, "LogoutURL must be on the origin")
}

// Distinct service providers in one process have distinct sessions.
//
// req: SDP-SP36
func TestLogoutOfOneServiceProvider(t *testing.T) {
	t.Parallel()
	a, b := newLeaving(t), newLeaving(t, func(_ *saml.LoginTrust, c *saml.Config) { c.EntityID = "https://second.example.com" })
	session := a.signIn("s1")
	b.idp = a.idp
	other := b.signIn("s1", func(answer *samltest.Answer) {
		answer.Assertion().Conditions.Audiences = [][]string{{"https://second.example.com"}}
	})
	assert.NotEqual(t, session.SubjectKey, other.SubjectKey)
	_, err := a.sp.AnswerLogout(t.Context(), carriers["redirect"](a.idp.LogoutRequest(session, sloURL)))
	require.NoError(t, err)
	assert.Empty(t, a.sessions.live)
	assert.Len(t, b.sessions.live, 1)
}

// Many copies of one request at once end the session once.
//
// req: RY-SLO
func TestLogoutAtOnce(t *testing.T) {
	t.Parallel()
	l := newLeaving(t)
	message := carriers["redirect"](l.idp.LogoutRequest(l.signIn("s1"), sloURL))
	var group sync.WaitGroup
	for range 16 {
		group.Go(func() {
			_, err := l.sp.AnswerLogout(context.Background(), message)
			assert.NoError(t, err)
		})
	}
	group.Wait()
	assert.Len(t, l.sessions.calls, 1)
}

// Whatever comes, nothing panics, and what is refused is refused as a request and as an answer.
func FuzzLogout(f *testing.F) {
	l := newLeaving(f)
	session := l.signIn("s1")
	f.Add(l.idp.LogoutRequest(session, sloURL).RawQuery(), []byte(nil))
	f.Add("", l.idp.LogoutRequest(session, sloURL).SOAP())
	f.Add("SAMLRequest=x", []byte("<a/>"))
	f.Fuzz(func(t *testing.T, query string, soap []byte) {
		for _, message := range []saml.LogoutMessage{{Query: query}, {SOAP: soap}, {SAMLRequest: query}, {SAMLRequest: query, SAMLResponse: string(soap)}} {
			_, err := l.sp.AnswerLogout(t.Context(), message)
			if err == nil {
				continue // the seeds, once
			}
			var e *saml.Error
			require.ErrorAs(t, err, &e)
			_, err = l.sp.CompleteLogout(t.Context(), message)
			require.Error(t, err)
		}
	})
}

// Every attack on logout ends nothing, and is refused for the reason that is right for it.
//
// req: SG-SWS CORE-3.7.3.1-auth CORE-3.7.3.1-who RY-SLO SL-RESP
func TestLogoutAttacks(t *testing.T) {
	t.Parallel()
	l := newLeaving(t)
	other := otherIdP(t)
	l.trusts.Set(other.Trust())
	samltest.LogoutTarget{IdP: l.idp, Other: other, Provider: l.sp, SLOURL: sloURL,
		Start: func(login *saml.Login) { l.sessions.start(login) },
		Live:  func() int { return len(l.sessions.indexes()) }}.Run(t)
}
