package saml_test

import (
	"bytes"
	"crypto/x509"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"

	"github.com/beevik/etree"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml"
	"github.com/logintrust/saml/samltest"
)

// A soapLeaving is a world whose identity provider is asked by SOAP. answer edits what it answers.
type soapLeaving struct {
	*leaving
	asked  []samltest.ReceivedLogout
	answer func(m *samltest.LogoutMessage)
	octets func(soap []byte) []byte
}

func newSOAPLeaving(t testing.TB, change ...func(*saml.LoginTrust, *saml.Config)) *soapLeaving {
	t.Helper()
	l := &soapLeaving{}
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		doc := etree.NewDocument()
		if err != nil || doc.ReadFromBytes(body) != nil || doc.FindElement("/Envelope/Body/LogoutRequest") == nil {
			http.Error(w, "no LogoutRequest", http.StatusInternalServerError)
			return
		}
		inner := etree.NewDocumentWithRoot(doc.FindElement("/Envelope/Body/LogoutRequest").Copy())
		xml, err := inner.WriteToBytes()
		require.NoError(t, err)
		received, err := samltest.ReadLogout(xml)
		require.NoError(t, err)
		assert.NotNil(t, inner.FindElement("/LogoutRequest/Signature"), "unsigned")
		l.asked = append(l.asked, received)
		m := l.idp.LogoutResponse(received, "")
		if l.answer != nil {
			l.answer(m)
		}
		soap := m.SOAP()
		if l.octets != nil {
			soap = l.octets(soap)
		}
		_, _ = w.Write(soap)
	}))
	t.Cleanup(server.Close)
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	l.leaving = newLeaving(t, append([]func(*saml.LoginTrust, *saml.Config){func(trust *saml.LoginTrust, c *saml.Config) {
		trust.SLOSOAPURL = server.URL + "/slo"
		c.LogoutClient = &saml.SOAPClient{RootCAs: roots, AllowAddresses: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}}
	}}, change...)...)
	return l
}

func (l *soapLeaving) session() saml.LoginSession {
	l.t.Helper()
	login, err := l.login()
	require.NoError(l.t, err)
	return login.Session()
}

// req: CONF-T2-slo BIND-3.2.3.2
func TestLogoutBySOAPClient(t *testing.T) {
	t.Parallel()
	l := newSOAPLeaving(t)
	session := l.session()
	result, err := l.sp.LogoutBySOAP(t.Context(), session, saml.LogoutOptions{Reason: saml.LogoutByAdmin})
	require.NoError(t, err)
	assert.Equal(t, saml.LogoutComplete, result.Outcome)
	require.Len(t, l.asked, 1)
	assert.Equal(t, session.NameID.Value, l.asked[0].NameID.Value)
	assert.Equal(t, session.SessionIndexes, l.asked[0].SessionIndexes)
	assert.Equal(t, l.asked[0].ID, result.RequestID)

	l.answer = func(m *samltest.LogoutMessage) {
		m.Status = &samltest.Status{Code: samltest.Responder, Second: saml.StatusPartialLogout}
	}
	result, err = l.sp.LogoutBySOAP(t.Context(), session, saml.LogoutOptions{})
	require.NoError(t, err)
	assert.Equal(t, saml.LogoutPartial, result.Outcome)
}

// What is not a signed answer to this very request says nothing.
func TestLogoutBySOAPClientRefuses(t *testing.T) {
	t.Parallel()
	mallory, err := samltest.New(samltest.Options{EntityID: "https://mallory.example.com"})
	require.NoError(t, err)
	for name, c := range map[string]struct {
		answer func(m *samltest.LogoutMessage)
		octets func([]byte) []byte
		reason saml.Reason
	}{
		"unsigned":            {answer: func(m *samltest.LogoutMessage) { m.Unsigned = true }, reason: saml.Unsigned},
		"another's key":       {answer: func(m *samltest.LogoutMessage) { m.Seal = mallory.Seal() }, reason: saml.BadSignature},
		"another issuer":      {answer: func(m *samltest.LogoutMessage) { m.Issuer.Value = mallory.EntityID }, reason: saml.UnknownDomain},
		"another request":     {answer: func(m *samltest.LogoutMessage) { m.InResponseTo = "_other" }, reason: saml.UnknownRequest},
		"no request":          {answer: func(m *samltest.LogoutMessage) { m.InResponseTo = "" }, reason: saml.UnknownRequest},
		"another destination": {answer: func(m *samltest.LogoutMessage) { m.Destination = "https://other.example.com" }, reason: saml.WrongDestination},
		"from the future":     {answer: func(m *samltest.LogoutMessage) { m.IssueInstant = at(time.Hour) }, reason: saml.NotYetValid},
		"not SOAP":            {octets: func([]byte) []byte { return []byte("<a/>") }, reason: saml.BadResponse},
		"a page":              {octets: func([]byte) []byte { return []byte("<html>") }, reason: saml.BadResponse},
		"changed on the way":  {octets: func(b []byte) []byte { return bytes.Replace(b, []byte(":Success"), []byte(":Succes2"), 1) }, reason: saml.BadSignature},
		"a DTD":               {octets: func(b []byte) []byte { return append([]byte("<!DOCTYPE a>"), b...) }, reason: saml.BadResponse},
	} {
		l := newSOAPLeaving(t)
		l.answer, l.octets = c.answer, c.octets
		result, err := l.sp.LogoutBySOAP(t.Context(), l.session(), saml.LogoutOptions{})
		require.ErrorIs(t, err, c.reason, name)
		require.Nil(t, result)
		require.Len(t, l.asked, 1, name)
	}
	for name, change := range map[string]func(*saml.LoginTrust, *saml.Config){
		"no place":    func(trust *saml.LoginTrust, _ *saml.Config) { trust.SLOSOAPURL = "" },
		"no client":   func(_ *saml.LoginTrust, c *saml.Config) { c.LogoutClient = nil },
		"no sessions": func(_ *saml.LoginTrust, c *saml.Config) { c.Sessions = nil },
	} {
		l := newSOAPLeaving(t, change)
		_, err := l.sp.LogoutBySOAP(t.Context(), l.session(), saml.LogoutOptions{})
		require.ErrorIs(t, err, saml.ErrNoSingleLogout, name)
		require.Empty(t, l.asked)
	}
	l := newSOAPLeaving(t, func(_ *saml.LoginTrust, c *saml.Config) { c.LogoutClient.AllowAddresses = nil })
	_, err = l.sp.LogoutBySOAP(t.Context(), l.session(), saml.LogoutOptions{})
	require.ErrorContains(t, err, "saml: logout by SOAP: its address is not", "an address of our own network")
	require.Empty(t, l.asked)
}
