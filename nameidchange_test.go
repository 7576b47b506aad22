package saml_test

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/beevik/etree"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml"
	"github.com/logintrust/saml/internal/oracle"
	"github.com/logintrust/saml/samltest"
)

const nameIDURL = "https://sp.example.com/sso/nameid"

// hostNames are the accounts and the sessions of a host, by the names that identity providers have for their users.
type hostNames struct {
	mu       sync.Mutex
	accounts map[string]string // user by account key
	live     []saml.LoginSession
	calls    []saml.NameIDChange
	fail     error
}

func (h *hostNames) ChangeNameID(_ context.Context, c saml.NameIDChange) (found bool, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.calls = append(h.calls, c)
	if h.fail != nil {
		return false, h.fail
	}
	user, found := h.accounts[c.AccountKey]
	if !found {
		return false, nil
	}
	delete(h.accounts, c.AccountKey)
	if !c.Terminated {
		h.accounts[c.NewAccountKey] = user
	}
	for i, s := range h.live {
		h.live[i], _ = c.Rename(s)
	}
	return true, nil
}

func (h *hostNames) users() map[string]string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return maps.Clone(h.accounts)
}

// A naming is a world with NameID management and single logout.
type naming struct {
	*leaving
	names *hostNames
}

func newNaming(t testing.TB, change ...func(*saml.LoginTrust, *saml.Config)) *naming {
	t.Helper()
	n := &naming{names: &hostNames{accounts: map[string]string{}}}
	n.leaving = newLeaving(t, append([]func(*saml.LoginTrust, *saml.Config){func(trust *saml.LoginTrust, c *saml.Config) {
		c.NameIDs = n.names
		trust.NameIDURL, trust.NameIDPostURL = "https://idp.example.com/mni", "https://idp.example.com/mni/post"
	}}, change...)...)
	return n
}

// know makes an account, and a session, of a user who has signed in by a persistent name.
func (n *naming) know(name string) saml.LoginSession {
	n.t.Helper()
	login, err := n.login(func(a *samltest.Answer) {
		a.Assertion().Subject.NameID.Value, a.Assertion().Subject.NameID.Format = name, samltest.FormatPersistent
	})
	accepted(n.t, login, err)
	key, err := login.Subject().AccountKey()
	require.NoError(n.t, err)
	n.names.accounts[key] = name
	n.names.live = append(n.names.live, login.Session())
	return login.Session()
}

// namingCarriers are the bindings by which a ManageNameIDRequest comes.
func namingCarriers() map[string]func(*samltest.LogoutMessage) saml.LogoutMessage {
	all := maps.Clone(carriers)
	all["soap"] = func(m *samltest.LogoutMessage) saml.LogoutMessage { return saml.LogoutMessage{SOAP: m.SOAP()} }
	return all
}

// answer reads an answer, with what every answer has.
func (n *naming) answer(a *saml.NameIDAnswer, m *samltest.LogoutMessage) samltest.ReceivedLogout {
	n.t.Helper()
	require.NotNil(n.t, a)
	if a.SOAP == nil {
		return n.answered(&saml.LogoutAnswer{URL: a.URL, Action: a.Action, Fields: a.Fields, Domain: a.Domain}, m)
	}
	require.Empty(n.t, a.URL+a.Action)
	envelope := etree.NewDocument()
	require.NoError(n.t, envelope.ReadFromBytes(a.SOAP))
	message := envelope.FindElement("/Envelope/Body/ManageNameIDResponse")
	require.NotNil(n.t, message, "%s", a.SOAP)
	doc := etree.NewDocumentWithRoot(message.Copy())
	xml, err := doc.WriteToBytes()
	require.NoError(n.t, err)
	got, err := samltest.ReadLogout(xml)
	require.NoError(n.t, err)
	verifyOwn(n.t, xml, n.key.Public())
	assert.Equal(n.t, m.ID, got.InResponseTo)
	return got
}

// req: PROF-4.5.3 CORE-3.6.3-new E12 E8 BIND-3.1.1-echo
func TestNameIDChange(t *testing.T) {
	t.Parallel()
	for binding, carry := range namingCarriers() {
		t.Run(binding, func(t *testing.T) {
			t.Parallel()
			n := newNaming(t)
			session, other := n.know("p-1"), n.know("p-2")
			m := n.idp.NameIDRequest(session, "p-9", nameIDURL)
			m.RelayState = "a b&c=%"
			if binding == "soap" {
				m.RelayState = ""
			}
			a, err := n.sp.AnswerNameID(t.Context(), carry(m))
			require.NoError(t, err)
			require.Nil(t, a.Refusal)
			assert.Equal(t, []string{samltest.Success}, n.answer(a, m).Status)
			require.Len(t, n.names.calls, 1)
			c := n.names.calls[0]
			assert.Equal(t, n.idp.EntityID, c.Domain)
			assert.Equal(t, session.NameID, c.NameID)
			assert.Equal(t, session.SubjectKey, c.SubjectKey)
			want := session.NameID
			want.Value = "p-9"
			assert.Equal(t, want, c.NewNameID, "nothing but the value changes")
			assert.False(t, c.Terminated)

			// The next login has the new name, and is the same user's; a logout, in either direction, has it too.
			login, err := n.login(func(a *samltest.Answer) {
				a.Assertion().Subject.NameID.Value, a.Assertion().Subject.NameID.Format = "p-9", samltest.FormatPersistent
			})
			accepted(t, login, err)
			key, err := login.Subject().AccountKey()
			require.NoError(t, err)
			assert.Equal(t, "p-1", n.names.users()[key])
			assert.Len(t, n.names.users(), 2)
			assert.Equal(t, login.Session().SubjectKey, n.names.live[0].SubjectKey)
			assert.Equal(t, other, n.names.live[1])
			started, err := n.sp.LogoutRequest(t.Context(), n.names.live[0], saml.LogoutOptions{})
			require.NoError(t, err)
			got, err := samltest.ParseLogoutURL(started.URL)
			require.NoError(t, err)
			assert.Equal(t, "p-9", got.NameID.Value)
			assert.True(t, saml.Logout{Domain: n.idp.EntityID, SubjectKey: login.Session().SubjectKey}.Ends(n.names.live[0]))

			// The name is used no more: the link goes, the session stays.
			m = n.idp.NameIDRequest(n.names.live[0], "", nameIDURL)
			a, err = n.sp.AnswerNameID(t.Context(), carry(m))
			require.NoError(t, err)
			require.Nil(t, a.Refusal)
			assert.Equal(t, []string{samltest.Success}, n.answer(a, m).Status)
			c = n.names.calls[1]
			assert.True(t, c.Terminated)
			assert.Zero(t, c.NewNameID)
			assert.Empty(t, c.NewSubjectKey+c.NewAccountKey)
			assert.NotContains(t, n.names.users(), key)
			assert.Equal(t, login.Session().SubjectKey, n.names.live[0].SubjectKey)
			assert.Empty(t, n.sessions.calls)
		})
	}
}

// What is not known to be from the identity provider, and for us, changes nothing and gets no answer; the rest is answered with a
// failure.
//
// req: PROF-4.5.3 CORE-3.6.3-unk E14-nim
func TestNameIDChangeRefused(t *testing.T) {
	t.Parallel()
	const silent, answers = false, true
	child := func(tag string) func(*samltest.LogoutMessage) {
		return func(m *samltest.LogoutMessage) {
			m.NewID, m.Terminate = "", false
			m.BeforeSign = func(e *etree.Element) {
				if tag != "" {
					e.CreateElement(e.Space + ":" + tag)
				}
			}
		}
	}
	for _, c := range []struct {
		name   string
		edit   func(*samltest.LogoutMessage)
		reason saml.Reason
		how    bool
		status []string
	}{
		{"unsigned", func(m *samltest.LogoutMessage) { m.Unsigned = true }, saml.Unsigned, silent, nil},
		{"of nobody", func(m *samltest.LogoutMessage) { m.Issuer = nil }, saml.WrongIssuer, silent, nil},
		{"of an unknown IdP", func(m *samltest.LogoutMessage) { m.Issuer.Value = "https://other.example.com" }, saml.UnknownDomain, silent, nil},
		{"no Destination", func(m *samltest.LogoutMessage) { m.Destination = "" }, saml.WrongDestination, silent, nil},
		{"to the place of logouts", func(m *samltest.LogoutMessage) { m.Destination = sloURL }, saml.WrongDestination, silent, nil},
		{"a logout in its place", func(m *samltest.LogoutMessage) { m.ManageNameID, m.NewID = false, "" }, saml.BadResponse, silent, nil},
		{"both", func(m *samltest.LogoutMessage) { m.Terminate = true }, saml.BadResponse, silent, nil},
		{"neither", child(""), saml.BadResponse, silent, nil},
		{"something else", child("Other"), saml.BadResponse, silent, nil},
		{"Version", func(m *samltest.LogoutMessage) { m.Version = "1.1" }, saml.WrongVersion, answers, []string{saml.StatusVersionMismatch}},
		{"early", func(m *samltest.LogoutMessage) { m.IssueInstant = at(skew + time.Second) }, saml.NotYetValid, answers, []string{saml.StatusRequester}},
		{"late", func(m *samltest.LogoutMessage) { m.IssueInstant = at(-10*time.Minute - skew) }, saml.Expired, answers, []string{saml.StatusRequester}},
		{"no name", func(m *samltest.LogoutMessage) { m.NameID = nil }, saml.NoSubject, answers, []string{saml.StatusRequester, saml.StatusRequestUnsupported}},
		{"transient", func(m *samltest.LogoutMessage) { m.NameID.Format = samltest.FormatTransient }, saml.TransientSubject, answers,
			[]string{saml.StatusRequester, saml.StatusRequestUnsupported}},
		{"unknown", func(m *samltest.LogoutMessage) { m.NameID.Value = "P-1" }, saml.InvalidUser, answers, []string{saml.StatusRequester, saml.StatusUnknownPrincipal}},
		{"of another service provider", func(m *samltest.LogoutMessage) { m.NameID.SPNameQualifier = "https://other.example.com" }, saml.InvalidUser, answers,
			[]string{saml.StatusRequester, saml.StatusUnknownPrincipal}},
		{"a blank new name", child("NewID"), saml.BadSubject, answers, []string{saml.StatusRequester}},
		{"a new name with a space behind", func(m *samltest.LogoutMessage) { m.NewID = "p-9 " }, saml.BadSubject, answers, []string{saml.StatusRequester}},
		{"a new name that is too long", func(m *samltest.LogoutMessage) { m.NewID = strings.Repeat("x", 256) }, saml.BadSubject, answers, []string{saml.StatusRequester}},
		{"a new name that is sealed", func(m *samltest.LogoutMessage) { m.EncryptNewID = ciphered("") }, saml.NoSubject, answers,
			[]string{saml.StatusRequester, saml.StatusRequestUnsupported}},
	} {
		for binding, carry := range namingCarriers() {
			t.Run(c.name+", "+binding, func(t *testing.T) {
				t.Parallel()
				n := newNaming(t)
				m := n.idp.NameIDRequest(n.know("p-1"), "p-9", nameIDURL)
				before := n.names.users()
				c.edit(m)
				a, err := n.sp.AnswerNameID(t.Context(), carry(m))
				assert.Equal(t, before, n.names.users())
				if c.how == silent {
					assert.Nil(t, a)
					assert.NotContains(t, leftWith(t, c.reason, err).Error(), "p-1")
					assert.Empty(t, n.names.calls)
					return
				}
				require.NoError(t, err)
				require.NotNil(t, a.Refusal)
				require.ErrorIs(t, a.Refusal, c.reason)
				assert.NotContains(t, a.Refusal.Error(), "p-")
				assert.Equal(t, c.status, n.answer(a, m).Status)
				assert.Equal(t, c.reason == saml.InvalidUser, len(n.names.calls) > 0)
			})
		}
	}
}

// A new name of another identity provider's user is another name, whatever it says.
func TestNameIDChangeOfAnotherTenant(t *testing.T) {
	t.Parallel()
	n := newNaming(t)
	session := n.know("p-1")
	other := otherIdP(t)
	n.trusts.Set(other.Trust())
	for _, edit := range []func(*samltest.LogoutMessage){
		func(*samltest.LogoutMessage) {},
		func(m *samltest.LogoutMessage) { m.NameID.NameQualifier = n.idp.EntityID },
	} {
		m := other.NameIDRequest(session, "p-9", nameIDURL)
		edit(m)
		a, err := n.sp.AnswerNameID(t.Context(), saml.LogoutMessage{SOAP: m.SOAP()})
		require.NoError(t, err)
		require.ErrorIs(t, a.Refusal, saml.InvalidUser)
		c := n.names.calls[len(n.names.calls)-1]
		assert.Equal(t, other.EntityID, c.Domain)
		assert.NotEqual(t, session.SubjectKey, c.SubjectKey)
		_, renamed := c.Rename(session)
		assert.False(t, renamed)
	}
	m := other.NameIDRequest(session, "p-9", nameIDURL)
	m.Issuer.Value = n.idp.EntityID // signed with the key of another
	_, err := n.sp.AnswerNameID(t.Context(), saml.LogoutMessage{SOAP: m.SOAP()})
	leftWith(t, saml.BadSignature, err)
	assert.Len(t, n.names.users(), 1)
}

// A request counts once: played back when the name has been given to somebody else, it would rename him.
func TestNameIDChangeReplayed(t *testing.T) {
	t.Parallel()
	for binding, carry := range namingCarriers() {
		n := newNaming(t)
		m := n.idp.NameIDRequest(n.know("p-1"), "p-9", nameIDURL)
		message := carry(m)
		a, err := n.sp.AnswerNameID(t.Context(), message)
		require.NoError(t, err)
		require.Nil(t, a.Refusal)
		n.know("p-1")
		for _, later := range []time.Duration{0, 10*time.Minute + skew - time.Second, 10*time.Minute + skew, 48 * time.Hour} {
			n.now = now.Add(later)
			a, err = n.sp.AnswerNameID(t.Context(), message)
			require.NoError(t, err)
			assert.Contains(t, []saml.Reason{saml.Replayed, saml.Expired}, a.Refusal.Reason, binding)
			assert.Equal(t, []string{saml.StatusRequester}, n.answer(a, m).Status)
		}
		assert.Len(t, n.names.calls, 1)
	}
}

// Both names may come encrypted, and nothing that is encrypted is taken from another message.
//
// req: E12
func TestNameIDChangeEncrypted(t *testing.T) {
	t.Parallel()
	for binding, carry := range namingCarriers() {
		n := newNaming(t, deciphering)
		m := n.idp.NameIDRequest(n.know("p-1"), "p-9", nameIDURL)
		m.EncryptNameID, m.EncryptNewID = ciphered(""), ciphered("")
		require.NotContains(t, string(m.XML()), "p-9")
		require.Contains(t, string(m.XML()), "NewEncryptedID")
		a, err := n.sp.AnswerNameID(t.Context(), carry(m))
		require.NoError(t, err, binding)
		require.Nil(t, a.Refusal, binding)
		c := n.names.calls[0]
		assert.Equal(t, "p-1", c.NameID.Value)
		assert.Equal(t, "p-9", c.NewNameID.Value)
		assert.Equal(t, c.NameID.Format, c.NewNameID.Format)

		// What is in it is a NewID, and for us.
		for name, e := range map[string]samltest.Encryption{
			"a NameID":    {Key: cipherKey().Public(), Plain: func(b []byte) []byte { return []byte(strings.ReplaceAll(string(b), "NewID", "NameID")) }},
			"for another": {Key: rsaKey(t).Public()},
		} {
			m := n.idp.NameIDRequest(n.know("p-1"), "p-8", nameIDURL)
			m.EncryptNewID = []samltest.Encryption{e}
			_, err := n.sp.AnswerNameID(t.Context(), carry(m))
			leftWith(t, saml.DecryptionFailed, err)
			require.Len(t, n.names.calls, 1, name)
		}
	}
}

// A directory that fails is told of as that, and says nothing of people.
func TestNameIDChangeThatFails(t *testing.T) {
	t.Parallel()
	n := newNaming(t)
	n.names.fail = errBroken
	m := n.idp.NameIDRequest(n.know("p-1"), "p-9", nameIDURL)
	a, err := n.sp.AnswerNameID(t.Context(), saml.LogoutMessage{SOAP: m.SOAP()})
	require.NoError(t, err)
	require.ErrorIs(t, a.Refusal, saml.StoreFailed)
	require.ErrorIs(t, a.Refusal, errBroken)
	assert.NotContains(t, a.Refusal.Error(), errBroken.Error())
	assert.Equal(t, []string{saml.StatusResponder}, n.answer(a, m).Status)

	n = newNaming(t)
	n.names.fail = namedError{"alice is in another table"}
	a, err = n.sp.AnswerNameID(t.Context(), saml.LogoutMessage{SOAP: n.idp.NameIDRequest(n.know("p-1"), "p-9", nameIDURL).SOAP()})
	require.NoError(t, err)
	require.ErrorIs(t, a.Refusal, n.names.fail)
	assert.NotContains(t, fmt.Sprintf("%v %+v %#v", *a.Refusal, *a.Refusal, *a.Refusal), "alice")
}

// Where answers have no place to go, none is made; and without Config.NameIDs there is no endpoint at all.
func TestNameIDChangePlaces(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		redirect, post string
		byPOST         bool
		want           string
	}{
		"redirect":      {"https://idp.example.com/r", "https://idp.example.com/p", false, "https://idp.example.com/r"},
		"post":          {"https://idp.example.com/r", "https://idp.example.com/p", true, "https://idp.example.com/p"},
		"only post":     {"", "https://idp.example.com/p", false, "https://idp.example.com/p"},
		"only redirect": {"https://idp.example.com/r", "", true, "https://idp.example.com/r"},
		"none":          {"", "", true, ""},
	} {
		n := newNaming(t, func(trust *saml.LoginTrust, _ *saml.Config) {
			trust.NameIDURL, trust.NameIDPostURL = c.redirect, c.post
		})
		carry := carriers["redirect"]
		if c.byPOST {
			carry = carriers["post"]
		}
		a, err := n.sp.AnswerNameID(t.Context(), carry(n.idp.NameIDRequest(n.know("p-1"), "p-9", nameIDURL)))
		require.NoError(t, err, name)
		require.Nil(t, a.Refusal)
		assert.True(t, strings.HasPrefix(a.URL+a.Action, c.want), name)
		assert.Equal(t, c.want == "", a.URL+a.Action == "", name)
	}
	alone := newNaming(t, func(_ *saml.LoginTrust, c *saml.Config) { c.Sessions = nil }) // one goes without the other
	a, err := alone.sp.AnswerNameID(t.Context(), saml.LogoutMessage{SOAP: alone.idp.NameIDRequest(alone.know("p-1"), "p-9", nameIDURL).SOAP()})
	require.NoError(t, err)
	require.Nil(t, a.Refusal)
	_, err = alone.sp.AnswerLogout(t.Context(), saml.LogoutMessage{SOAP: alone.idp.LogoutRequest(saml.LoginSession{}, sloURL).SOAP()})
	leftWith(t, saml.NotConfigured, err)
	l := newLeaving(t)
	assert.NotContains(t, string(l.sp.Metadata()), "ManageNameIDService")
	_, err = l.sp.AnswerNameID(t.Context(), saml.LogoutMessage{SOAP: l.idp.NameIDRequest(l.signIn("s1"), "x", nameIDURL).SOAP()})
	leftWith(t, saml.NotConfigured, err)
	_, err = saml.New(saml.Config{BaseURL: "https://sp.example.com", Trusts: saml.NewMemoryTrusts(), State: saml.NewMemoryState(), NameIDs: &hostNames{}})
	require.ErrorContains(t, err, "SigningKeys")
}

// req: MP-SCHEMA
func TestNameIDMetadata(t *testing.T) {
	t.Parallel()
	n := newNaming(t)
	assert.NoError(t, oracle.ValidateSchema(t, n.sp.Metadata(), "metadata"))
	assert.Equal(t, 3, strings.Count(string(n.sp.Metadata()), `ManageNameIDService Binding="`))
	assert.Equal(t, 3, strings.Count(string(n.sp.Metadata()), nameIDURL))

	// Of an identity provider's metadata, the first place of each binding is taken, and that for answers if there is one.
	service := func(binding, rest string) string {
		return `<md:ManageNameIDService Binding="urn:oasis:names:tc:SAML:2.0:bindings:` + binding + `" Location="https://idp/` + rest + `"/>`
	}
	services := service("SOAP", "soap") + service("HTTP-Redirect", `mni" ResponseLocation="https://idp/mni/r`) + service("HTTP-Redirect", "second") +
		service("HTTP-POST", "post")
	metadata := strings.Replace(string(n.idp.Metadata()), "<md:SingleSignOnService", services+"<md:SingleSignOnService", 1)
	require.Contains(t, metadata, "ManageNameIDService")
	p, err := saml.ProposeTrust([]byte(metadata), saml.ImportOptions{}, now)
	require.NoError(t, err)
	assert.Equal(t, "https://idp/mni/r", p.Trust.NameIDURL)
	assert.Equal(t, "https://idp/post", p.Trust.NameIDPostURL)
	trust := p.Trust
	trust.NameIDURL, trust.NameIDPostURL = "", "https://idp/old"
	list, err := trust.Compare(p)
	require.NoError(t, err)
	assert.Equal(t, []saml.DifferenceKind{saml.ChangeNameIDURL, saml.ChangeNameIDPostURL}, kinds(list))
	for _, d := range list {
		trust, err = d.Apply(trust)
		require.NoError(t, err)
	}
	assert.Equal(t, p.Trust, trust)
	p, err = saml.ProposeTrust([]byte(strings.ReplaceAll(metadata, "https://idp/mni/r", "http://idp/mni/r")), saml.ImportOptions{}, now)
	require.NoError(t, err)
	assert.Equal(t, "https://idp/second", p.Trust.NameIDURL)
	assert.Contains(t, noteCodes(p), saml.NotePlainEndpoint)
}

// The handler, by each binding.
func TestHandlerNameID(t *testing.T) {
	t.Parallel()
	names := &hostNames{accounts: map[string]string{}}
	s := newLeavingSite(t, func(trust *saml.LoginTrust, c *saml.Config) {
		c.NameIDs, trust.NameIDURL = names, "https://idp.example.com/mni"
	})
	session := s.signIn(s.browser())
	key, err := s.last.Load().Subject().AccountKey()
	require.NoError(t, err)
	names.accounts[key] = "alice"
	serve := func(r *http.Request) (*http.Response, string) {
		w := httptest.NewRecorder()
		s.handler.ServeHTTP(w, r)
		return w.Result(), w.Body.String()
	}
	soap := func(m *samltest.LogoutMessage) *http.Request {
		r := httptest.NewRequest(http.MethodPost, nameIDURL, strings.NewReader(string(m.SOAP())))
		r.Header.Set("Content-Type", "text/xml")
		return r
	}
	resp, body := serve(httptest.NewRequest(http.MethodGet, s.idp.NameIDRequest(session, "a1", nameIDURL).URL(), nil))
	assert.Equal(t, http.StatusSeeOther, resp.StatusCode, body)
	assert.True(t, strings.HasPrefix(resp.Header.Get("Location"), "https://idp.example.com/mni?SAMLResponse="))
	session, renamed := names.calls[0].Rename(session)
	require.True(t, renamed)

	resp, _ = serve(formRequest(nameIDURL, s.idp.NameIDRequest(session, "a2", nameIDURL).Form()))
	assert.Equal(t, http.StatusSeeOther, resp.StatusCode)
	session, _ = names.calls[1].Rename(session)

	resp, body = serve(soap(s.idp.NameIDRequest(session, "a3", nameIDURL)))
	assert.Equal(t, http.StatusOK, resp.StatusCode)
	assert.Contains(t, body, samltest.Success)
	assert.Len(t, names.users(), 1)

	resp, body = serve(soap(s.idp.NameIDRequest(session, "a4", nameIDURL))) // nobody has that name any more
	assert.Equal(t, http.StatusOK, resp.StatusCode)
	assert.Contains(t, body, saml.StatusUnknownPrincipal)
	assert.Equal(t, saml.InvalidUser, s.reason())

	bad := s.idp.NameIDRequest(session, "a5", nameIDURL)
	bad.Unsigned = true
	resp, body = serve(soap(bad))
	assert.Equal(t, http.StatusForbidden, resp.StatusCode)
	assert.Empty(t, body)
	resp, body = serve(formRequest(nameIDURL, bad.Form()))
	assert.Equal(t, http.StatusForbidden, resp.StatusCode)
	assert.Contains(t, body, "your name")
	resp, _ = serve(formRequest(nameIDURL, url.Values{"SAMLResponse": bad.Form()["SAMLRequest"]}))
	assert.Equal(t, http.StatusForbidden, resp.StatusCode)
	resp, _ = serve(httptest.NewRequest(http.MethodPut, nameIDURL, nil))
	assert.Equal(t, http.StatusMethodNotAllowed, resp.StatusCode)
	for _, target := range []string{sloURL, "https://sp.example.com/sso/acs"} { // not what is awaited there
		resp, _ = serve(formRequest(target, s.idp.NameIDRequest(session, "a6", target).Form()))
		assert.GreaterOrEqual(t, resp.StatusCode, 400)
	}
	assert.Len(t, names.calls, 4)
	assert.Empty(t, s.sessions.calls)

	// Without a place for the answer.
	s.trusts.Set(func() saml.LoginTrust { trust := s.trust(); trust.NameIDURL = ""; return trust }())
	session, _ = names.calls[2].Rename(session)
	resp, _ = serve(formRequest(nameIDURL, s.idp.NameIDRequest(session, "", nameIDURL).Form()))
	assert.Equal(t, http.StatusNoContent, resp.StatusCode)
	assert.Empty(t, names.users())
	resp, _ = serve(formRequest(nameIDURL, s.idp.NameIDRequest(session, "", nameIDURL).Form()))
	assert.Equal(t, http.StatusForbidden, resp.StatusCode)

	other := newLeavingSite(t)
	w := httptest.NewRecorder()
	other.handler.ServeHTTP(w, soap(bad))
	assert.Equal(t, http.StatusNotFound, w.Code)
}

// Whatever comes, nothing panics, and nothing changes but by what was signed.
func FuzzNameID(f *testing.F) {
	n := &naming{names: &hostNames{accounts: map[string]string{}}}
	n.leaving = newLeaving(f, deciphering, func(_ *saml.LoginTrust, c *saml.Config) { c.NameIDs = n.names })
	session := saml.LoginSession{Domain: n.idp.EntityID, NameID: saml.NameID{Value: "p-1"}}
	renamed, sealed := n.idp.NameIDRequest(session, "p-9", nameIDURL), n.idp.NameIDRequest(session, "p-9", nameIDURL)
	sealed.EncryptNewID = ciphered("")
	f.Add(renamed.RawQuery(), []byte(nil))
	f.Add("", renamed.SOAP())
	f.Add("", sealed.SOAP())
	f.Add("", n.idp.NameIDRequest(session, "", nameIDURL).SOAP())
	f.Fuzz(func(t *testing.T, query string, soap []byte) {
		for _, message := range []saml.LogoutMessage{{Query: query}, {SOAP: soap}, {SAMLRequest: query}} {
			if _, err := n.sp.AnswerNameID(t.Context(), message); err != nil {
				var e *saml.Error
				require.ErrorAs(t, err, &e)
			}
		}
		for _, c := range n.names.calls {
			require.Equal(t, "p-1", c.NameID.Value)
			require.True(t, c.Terminated || c.NewNameID.Value == "p-9")
		}
	})
}

// Each rule about a change is needed.
func TestEachChangeRuleIsNeeded(t *testing.T) {
	t.Parallel()
	edits := map[string]func(*samltest.LogoutMessage){
		"checkChangeLasting": func(m *samltest.LogoutMessage) { m.NameID.Format = samltest.FormatTransient },
		"checkChangeOpen":    func(m *samltest.LogoutMessage) { m.EncryptNewID = ciphered("") },
		"checkChangeName":    func(m *samltest.LogoutMessage) { m.NewID = " p" },
	}
	for i := 0; ; i++ {
		n := newNaming(t)
		lacking, rule, _ := n.sp.WithoutRule(i)
		if lacking == nil {
			break
		}
		edit := edits[rule]
		if edit == nil {
			continue
		}
		delete(edits, rule)
		m := n.idp.NameIDRequest(n.know("p-1"), "p-9", nameIDURL)
		edit(m)
		_, err := lacking.AnswerNameID(t.Context(), saml.LogoutMessage{SOAP: m.SOAP()})
		require.NoError(t, err)
		assert.Len(t, n.names.calls, 1, rule)
	}
	assert.Empty(t, edits)
}

// A session gets the new name only if it is of the name that changed, at the identity provider that changed it.
func TestRenameOfOthers(t *testing.T) {
	t.Parallel()
	change := saml.NameIDChange{Domain: "https://one", SubjectKey: "key", NewNameID: saml.NameID{Value: "new"}, NewSubjectKey: "new key"}
	mine := saml.LoginSession{Domain: "https://one", NameID: saml.NameID{Value: "old"}, SubjectKey: "key"}
	renamed, changed := change.Rename(mine)
	assert.True(t, changed)
	assert.Equal(t, saml.LoginSession{Domain: "https://one", NameID: saml.NameID{Value: "new"}, SubjectKey: "new key"}, renamed)
	for _, other := range []saml.LoginSession{{Domain: "https://two", SubjectKey: "key"}, {Domain: "https://one", SubjectKey: "other"}} {
		same, changed := change.Rename(other)
		assert.False(t, changed)
		assert.Equal(t, other, same)
	}
	_, changed = saml.NameIDChange{Domain: "https://one"}.Rename(saml.LoginSession{Domain: "https://one"})
	assert.False(t, changed, "no name is nobody's")
}

// What is no request, and what cannot be answered.
func TestNameIDMessagesWithoutAnswer(t *testing.T) {
	t.Parallel()
	n := newNaming(t)
	session := n.know("p-1")
	m := n.idp.NameIDRequest(session, "p-9", nameIDURL)
	m.Response, m.InResponseTo, m.Status = true, "_x", &samltest.Status{Code: samltest.Success}
	m.NameID, m.NewID = nil, ""
	for binding, carry := range namingCarriers() {
		a, err := n.sp.AnswerNameID(t.Context(), carry(m))
		assert.Nil(t, a)
		require.ErrorIs(t, err, map[bool]saml.Reason{false: saml.BadRequest, true: saml.BadResponse}[binding == "soap"], binding)
		assert.Empty(t, n.names.calls, binding)
	}

	n = newNaming(t)
	session = n.know("p-1")
	trust := n.trust()
	trust.SignatureAlgorithm = saml.AlgorithmEd25519 // not our kind of key
	n.trusts.Set(trust)
	a, err := n.sp.AnswerNameID(t.Context(), carriers["redirect"](n.idp.NameIDRequest(session, "p-9", nameIDURL)))
	assert.Nil(t, a)
	require.ErrorIs(t, err, saml.ErrNoAlgorithm)
}

// Who calls ReceiveNameID is told that the answer is written, by whichever binding it goes.
func TestReceiveNameIDHasAnswered(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*saml.LoginTrust, *saml.Config)
		status int
		text   string
	}{
		"redirect": {func(*saml.LoginTrust, *saml.Config) {}, http.StatusSeeOther, ""},
		"post":     {func(l *saml.LoginTrust, _ *saml.Config) { l.NameIDURL = "" }, http.StatusOK, `action="https://idp.example.com/mni/post"`},
		"no place": {func(l *saml.LoginTrust, _ *saml.Config) { l.NameIDURL, l.NameIDPostURL = "", "" }, http.StatusNoContent, ""},
	} {
		n := newNaming(t, c.change)
		r := httptest.NewRequest(http.MethodGet, n.idp.NameIDRequest(n.know("p-1"), "p-9", nameIDURL).URL(), nil)
		w := httptest.NewRecorder()
		require.ErrorIs(t, n.sp.ReceiveNameID(w, r), saml.ErrAnswered, name)
		assert.Equal(t, c.status, w.Code, name)
		assert.Contains(t, w.Body.String(), c.text, name)
		assert.Len(t, n.names.calls, 1)
	}
}
