package saml_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/beevik/etree"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml"
	"github.com/logintrust/saml/internal/oracle"
	"github.com/logintrust/saml/samltest"
)

const (
	acsURL     = "https://sp.example.com/sso/acs"
	paosType   = "application/vnd.paos+xml"
	paosHeader = `ver="urn:liberty:paos:2003-08" ; "urn:oasis:names:tc:SAML:2.0:profiles:SSO:ecp"`
)

func withECP(_ *saml.LoginTrust, c *saml.Config) { c.ECP = true }

// offer begins a login as an enhanced client does; headers are added to the two of the profile, or take their place.
func (j *jar) offer(query string, headers ...string) *http.Response {
	r := httptest.NewRequest(http.MethodGet, "https://sp.example.com/sso/login?entityID="+url.QueryEscape(j.s.idp.EntityID)+query, nil)
	r.Header.Set("Accept", "text/html, "+paosType)
	r.Header.Set("PAOS", paosHeader)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return j.do(r, false)
}

// client begins a login and returns the request as the IdP sees it.
func (j *jar) client(query string, headers ...string) samltest.Request {
	j.s.t.Helper()
	resp := j.offer(query, headers...)
	require.Equal(j.s.t, http.StatusOK, resp.StatusCode)
	require.Equal(j.s.t, paosType, resp.Header.Get("Content-Type"))
	request, err := samltest.ParsePAOS([]byte(read(resp)))
	require.NoError(j.s.t, err)
	return request
}

// bring delivers what an enhanced client has.
func (j *jar) bring(body []byte) (*http.Response, string) {
	r := httptest.NewRequest(http.MethodPost, acsURL, strings.NewReader(string(body)))
	r.Header.Set("Content-Type", paosType)
	resp := j.do(r, false)
	return resp, read(resp)
}

func (s *site) answerTo(request samltest.Request) *samltest.Answer {
	a := s.idp.Answer(request)
	a.RelayState = request.RelayState
	return a
}

// A whole login of an enhanced client: the SP's half of the profile, with a session at its end.
//
// req: CONF-T2-ecp ECP-ENV E35 ECP-REQ ECP-RS ECP-REFID ECP-META
func TestEnhancedClient(t *testing.T) {
	t.Parallel()
	key := mustKey(t, "next-rsa2048")
	s := newSite(t, withECP, func(trust *saml.LoginTrust, c *saml.Config) {
		trust.WantRequestsSigned, c.SigningKeys = true, []saml.KeyPair{{Signer: key}}
	})
	c := s.browser()
	resp := c.offer("&target=/inbox/" + strings.Repeat("x", 300))
	envelope := read(resp)
	require.Equal(t, http.StatusOK, resp.StatusCode, envelope)
	assert.Equal(t, paosType, resp.Header.Get("Content-Type"))
	assert.Contains(t, resp.Header.Get("Cache-Control"), "no-store")
	request, err := samltest.ParsePAOS([]byte(envelope))
	require.NoError(t, err)
	assert.Equal(t, acsURL, request.ACSURL)
	assert.Empty(t, request.Destination)
	assert.Contains(t, string(request.XML), `ProtocolBinding="urn:oasis:names:tc:SAML:2.0:bindings:PAOS"`)
	require.NoError(t, oracle.ValidateSchema(t, request.XML, "protocol"), "%s", request.XML)
	verifyOwn(t, request.XML, key.Public())

	doc := etree.NewDocument()
	require.NoError(t, doc.ReadFromString(envelope))
	headers := doc.FindElements("/Envelope/Header/*")
	require.Len(t, headers, 3)
	for _, h := range headers {
		assert.Equal(t, "1", h.SelectAttrValue("soap:mustUnderstand", ""), h.Tag)
		assert.Equal(t, "http://schemas.xmlsoap.org/soap/actor/next", h.SelectAttrValue("soap:actor", ""), h.Tag)
	}
	paos, ecp, relay := headers[0], headers[1], headers[2]
	assert.Equal(t, acsURL, paos.SelectAttrValue("responseConsumerURL", ""))
	assert.Equal(t, request.ID, paos.SelectAttrValue("messageID", ""))
	assert.Equal(t, "urn:oasis:names:tc:SAML:2.0:profiles:SSO:ecp", paos.SelectAttrValue("service", ""))
	assert.Equal(t, "0", ecp.SelectAttrValue("IsPassive", ""))
	assert.Equal(t, s.sp.EntityID(), ecp.FindElement("./Issuer").Text())
	assert.Equal(t, s.idp.EntityID, ecp.FindElement("./IDPList/IDPEntry").SelectAttrValue("ProviderID", ""))
	assert.LessOrEqual(t, len(relay.Text()), 80)
	assert.NotContains(t, envelope, "inbox")

	resp, body := c.bring(s.answerTo(request).PAOS())
	assert.Equal(t, http.StatusSeeOther, resp.StatusCode, body)
	assert.True(t, strings.HasPrefix(resp.Header.Get("Location"), "/inbox/xxx"))
	require.NotNil(t, s.last.Load())
	assert.Equal(t, "alice", s.last.Load().Subject().NameID.Value)
	assert.False(t, s.last.Load().Unsolicited())

	// The header paos:Response may be missing, and others may be there.
	for name, edit := range map[string][2]string{
		"no paos:Response": {"<paos:Response", `<x:Other`},
		"another header":   {"<s:Header>", `<s:Header><x:Any xmlns:x="urn:x" s:mustUnderstand="0"/>`},
	} {
		answer := s.answerTo(c.client("")).PAOS()
		if name == "no paos:Response" {
			at := strings.Index(string(answer), "<paos:Response")
			answer = append(answer[:at:at], answer[at+strings.Index(string(answer[at:]), "/>")+2:]...)
		} else {
			answer = edited(answer, edit[0], edit[1])
		}
		resp, body = c.bring(answer)
		assert.Equal(t, http.StatusSeeOther, resp.StatusCode, name+body)
	}
	assert.Equal(t, "1", ecpRequest(t, read(c.offer("&isPassive=true"))).SelectAttrValue("IsPassive", ""))

	metadata := string(s.sp.Metadata())
	require.NoError(t, oracle.ValidateSchema(t, s.sp.Metadata(), "metadata"))
	assert.Contains(t, metadata, `Binding="urn:oasis:names:tc:SAML:2.0:bindings:PAOS" Location="`+acsURL+`" index="2"`)
}

func ecpRequest(t testing.TB, envelope string) *etree.Element {
	t.Helper()
	doc := etree.NewDocument()
	require.NoError(t, doc.ReadFromString(envelope))
	e := doc.FindElement("/Envelope/Header/ecp:Request")
	require.NotNil(t, e, envelope)
	return e
}

// Who says that he is an enhanced client is answered as one; nobody else is.
//
// req: ECP-DETECT ECP2-SIGN
func TestEnhancedClientDetected(t *testing.T) {
	t.Parallel()
	const service, signed = `"urn:oasis:names:tc:SAML:2.0:profiles:SSO:ecp"`, `"urn:oasis:names:tc:SAML:2.0:profiles:SSO:ecp:2.0:WantAuthnRequestsSigned"`
	s := newSite(t, withECP)
	for header, is := range map[string]bool{
		paosHeader: true,
		`ver="urn:liberty:paos:2003-08";` + service:                               true,
		`ver = "urn:liberty:paos:2003-08","urn:liberty:paos:2006-08" ;` + service: true,
		`ver="urn:liberty:paos:2003-08";"urn:x","urn:y"; ` + service + `,"urn:z"`: true,
		`ver='urn:liberty:paos:2003-08';'` + strings.Trim(service, `"`) + `'`:     true,
		`ver="urn:liberty:paos:2006-08";` + service:                               false,
		`ver="urn:liberty:paos:2003-08";"urn:x",` + service:                       false,
		`ver="urn:liberty:paos:2003-08"`:                                          false,
		service:                                                                   false,
		`"urn:liberty:paos:2003-08";` + service:                                   false,
		`="urn:liberty:paos:2003-08";` + service:                                  false,
		`ver "urn:liberty:paos:2003-08";` + service:                               false,
		"": false,
		`ver="urn:liberty:paos:2003-08";` + signed: false,
	} {
		resp := s.browser().offer("", "PAOS", header)
		assert.Equal(t, is, resp.Header.Get("Content-Type") == paosType, header)
		assert.Equal(t, is, resp.StatusCode == http.StatusOK, header)
	}
	for accept, is := range map[string]bool{
		paosType: true, "text/html; " + paosType: true, "text/html;q=0.5, Application/Vnd.PAOS+xml ;q=0.9": true, "*/*": false, "text/html": false,
		"": false, paosType + ";q=0": false, "text/html, x" + paosType: false,
	} {
		resp := s.browser().offer("", "Accept", accept)
		assert.Equal(t, is, resp.Header.Get("Content-Type") == paosType, accept)
	}
	assert.Equal(t, http.StatusSeeOther, newSite(t).browser().offer("").StatusCode, "off by default")

	// A client that wants a signed request gets one, or none (ECP 2.0, 2.3.2).
	want := paosHeader + "," + signed
	resp := s.browser().offer("", "PAOS", want)
	assert.Equal(t, http.StatusInternalServerError, resp.StatusCode)
	assert.Contains(t, read(resp), "soap:Fault")
	assert.Equal(t, saml.NotConfigured, s.reason())
	key := mustKey(t, "next-rsa2048")
	signs := newSite(t, withECP, func(_ *saml.LoginTrust, c *saml.Config) { c.SigningKeys = []saml.KeyPair{{Signer: key}} })
	verifyOwn(t, signs.browser().client("", "PAOS", want).XML, key.Public())
}

// What cannot end well does not begin; the client gets a fault and no page.
//
// req: ECP2-ERR
func TestEnhancedClientRefusedAtTheStart(t *testing.T) {
	t.Parallel()
	key := mustKey(t, "next-rsa2048")
	for name, c := range map[string]struct {
		change func(*saml.LoginTrust, *saml.Config)
		query  string
		header string
		reason saml.Reason
	}{
		"another IdP": {withECP, "x", "", saml.UnknownDomain},
		"IdP begins": {func(t *saml.LoginTrust, _ *saml.Config) {
			t.Initiation, t.AllowIdPInitiated = saml.InitiatedByIdP, true
		}, "", "", saml.MethodNotAllowed},
		"password":     {func(t *saml.LoginTrust, _ *saml.Config) { t.PasswordRequired = true }, "", "", saml.MethodNotAllowed},
		"trust off":    {func(t *saml.LoginTrust, _ *saml.Config) { t.State = saml.Inactive }, "", "", saml.TrustInactive},
		"script's own": {withECP, "", "empty", saml.BadRequest},
		"switched off": {func(_ *saml.LoginTrust, c *saml.Config) {
			c.Enabled = func(context.Context) (bool, error) { return false, nil }
		}, "", "", saml.SSODisabled},
		"signs, no key": {func(t *saml.LoginTrust, _ *saml.Config) { t.WantRequestsSigned = true }, "", "", saml.NotConfigured},
		"no algorithm": {func(t *saml.LoginTrust, c *saml.Config) {
			t.SignatureAlgorithm, c.SigningKeys = saml.AlgorithmEd25519, []saml.KeyPair{{Signer: key}}
		}, "", "", saml.NotConfigured},
		"a key that fails": {func(_ *saml.LoginTrust, c *saml.Config) {
			c.SigningKeys = []saml.KeyPair{{Signer: downSigner{key}}}
		}, "", "", saml.NotConfigured},
		"store that fails": {func(_ *saml.LoginTrust, c *saml.Config) {
			c.State = &brokenState{MemoryState: saml.NewMemoryState(), add: errBroken}
		}, "", "", saml.StoreFailed},
	} {
		s := newSite(t, withECP, c.change)
		resp := s.browser().offer(c.query, "Sec-Fetch-Dest", c.header)
		assert.GreaterOrEqual(t, resp.StatusCode, 400, name)
		assert.Contains(t, read(resp), "soap:Fault", name)
		assert.Equal(t, c.reason, s.reason(), name)
	}
	s := newSite(t, withECP, func(_ *saml.LoginTrust, c *saml.Config) { c.DiscoveryURL = "https://ds.example.com" })
	r := httptest.NewRequest(http.MethodGet, "https://sp.example.com/sso/login", nil)
	r.Header.Set("Accept", paosType)
	r.Header.Set("PAOS", paosHeader)
	assert.Equal(t, http.StatusForbidden, s.browser().do(r, false).StatusCode, "a client picks no IdP on a page")
	for _, opts := range []saml.StartOptions{
		{Binding: saml.PAOSBinding, Details: saml.RequestDetails{ACSByIndex: true}},
		{Binding: saml.PAOSBinding, Details: saml.RequestDetails{ByArtifact: true}},
	} {
		_, err := s.sp.Request(t.Context(), s.trust(), opts)
		require.ErrorContains(t, err, "not for PAOSBinding")
	}
	_, err := newWorld(t).sp.Request(t.Context(), s.trust(), saml.StartOptions{Binding: saml.PAOSBinding})
	require.ErrorContains(t, err, "Config.ECP")
	_, err = s.sp.RequestTest(t.Context(), s.trust(), saml.StartOptions{Binding: saml.PAOSBinding}, saml.ExplainOptions{})
	require.Error(t, err)
}

// What comes by PAOS is judged as what comes by a form is, and headers that nobody signed can only make it worse.
//
// req: ECP-PROC ECP-FAULT ECP-REFID ECP2-ERR RY-ALLBIND
func TestPAOSRefused(t *testing.T) {
	t.Parallel()
	on := func(edit func(*samltest.Answer)) func(*site, samltest.Request) []byte {
		return func(s *site, r samltest.Request) []byte {
			a := s.answerTo(r)
			edit(a)
			return a.PAOS()
		}
	}
	octets := func(old, new string) func(*site, samltest.Request) []byte {
		return func(s *site, r samltest.Request) []byte { return edited(s.answerTo(r).PAOS(), old, new) }
	}
	const next = ` s:actor="http://schemas.xmlsoap.org/soap/actor/next"`
	for _, c := range []struct {
		name   string
		forge  func(*site, samltest.Request) []byte
		reason saml.Reason
	}{
		{"unsigned", on(func(a *samltest.Answer) { a.Sign = 0 }), saml.Unsigned},
		{"wrong Recipient", on(func(a *samltest.Answer) {
			a.Assertion().Subject.Confirmations[0].Recipient = "https://other.example.com/acs"
		}), saml.WrongRecipient},
		{"wrong Destination", on(func(a *samltest.Answer) { a.Destination = "https://other.example.com/acs" }), saml.WrongDestination},
		{"of an unknown IdP", on(func(a *samltest.Answer) { a.Issuer.Value = "https://other.example.com" }), saml.UnknownDomain},
		{"another relay state", on(func(a *samltest.Answer) { a.RelayState = "x" }), saml.BadRequest},
		{"no relay state in its header", on(func(a *samltest.Answer) { a.RelayState = "" }), saml.BadRequest},
		{"a long relay state", on(func(a *samltest.Answer) { a.RelayState = strings.Repeat("x", 2000) }), saml.BadRequest},
		{"another message", octets(`refToMessageID="_`, `refToMessageID="`), saml.BadRequest},
		{"another actor", octets(` s:actor="http://schemas.xmlsoap.org/soap/actor/next" refTo`, ` s:actor="urn:x" refTo`), saml.BadResponse},
		{"no actor", octets(next+` refTo`, ` refTo`), saml.BadResponse},
		{"an actor of no namespace", octets(next+` refTo`, ` actor="http://schemas.xmlsoap.org/soap/actor/next" refTo`), saml.BadResponse},
		{"need not be understood", octets(`s:mustUnderstand="1"`, `s:mustUnderstand="0"`), saml.BadResponse},
		{"no mustUnderstand", octets(` s:mustUnderstand="1"`, ``), saml.BadResponse},
		{"an unknown header that must be understood", octets(`<s:Header>`, `<s:Header><x:Any xmlns:x="urn:x" s:mustUnderstand="1"/>`), saml.BadResponse},
		{"channel bindings that must be understood", octets(`<s:Header>`,
			`<s:Header><cb:ChannelBindings xmlns:cb="urn:oasis:names:tc:SAML:protocol:ext:channel-binding" Type="tls-server-end-point" s:mustUnderstand="1"/>`), saml.BadResponse},
		{"two relay states", octets(`<ecp:RelayState`, `<ecp:RelayState xmlns:ecp="urn:oasis:names:tc:SAML:2.0:profiles:SSO:ecp" s:mustUnderstand="1"`+next+`/><ecp:RelayState`), saml.BadResponse},
		{"two paos:Response", octets(`<paos:Response`, `<paos:Response xmlns:paos="urn:liberty:paos:2003-08" s:mustUnderstand="1"`+next+`/><paos:Response`), saml.BadResponse},
		{"two headers", octets(`</s:Header>`, `</s:Header><s:Header/>`), saml.BadResponse},
		{"two bodies", octets(`</s:Body>`, `</s:Body><s:Body/>`), saml.BadResponse},
		{"two messages", octets(`</s:Body>`, `<x xmlns="urn:x"/></s:Body>`), saml.BadResponse},
		{"an empty body first", octets(`<s:Body>`, `<s:Body/><s:Body>`), saml.BadResponse},
		{"SOAP 1.2", func(s *site, r samltest.Request) []byte {
			return []byte(strings.ReplaceAll(string(s.answerTo(r).PAOS()), "http://schemas.xmlsoap.org/soap/envelope/", "http://www.w3.org/2003/05/soap-envelope"))
		}, saml.BadResponse},
		{"no header at all", func(s *site, r samltest.Request) []byte {
			b := string(s.answerTo(r).PAOS())
			return []byte(b[:strings.Index(b, "<s:Header>")] + b[strings.Index(b, "<s:Body>"):])
		}, saml.BadRequest},
		{"an envelope by another name", func(s *site, r samltest.Request) []byte {
			return []byte(strings.ReplaceAll(string(s.answerTo(r).PAOS()), "s:Envelope", "s:Other"))
		}, saml.BadResponse},
		{"no envelope", func(s *site, r samltest.Request) []byte { return s.answerTo(r).XML() }, saml.BadResponse},
		{"base64", func(s *site, r samltest.Request) []byte { return []byte(s.answerTo(r).Encode()) }, saml.BadResponse},
		{"a fault", func(*site, samltest.Request) []byte {
			return []byte(`<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><s:Fault><faultcode>s:Server</faultcode></s:Fault></s:Body></s:Envelope>`)
		}, saml.BadResponse},
		{"a refusal", func(s *site, r samltest.Request) []byte {
			return s.idp.Refuse(r, samltest.Status{Code: samltest.Responder}).PAOS()
		}, saml.IdPRefused},
		{"a logout", func(s *site, _ samltest.Request) []byte {
			return s.idp.LogoutRequest(saml.LoginSession{NameID: saml.NameID{Value: "x"}}, acsURL).SOAP()
		}, saml.BadResponse},
		{"unsolicited", func(s *site, _ samltest.Request) []byte {
			return s.idp.Answer(samltest.Request{ACSURL: acsURL, SPEntityID: s.sp.EntityID()}).PAOS()
		}, saml.UnsolicitedNotAllowed},
		{"to an unknown request", on(func(a *samltest.Answer) {
			a.InResponseTo, a.Assertion().Subject.Confirmations[0].InResponseTo = "_x", "_x"
		}), saml.UnsolicitedNotAllowed},
		{"nothing", func(*site, samltest.Request) []byte { return nil }, saml.BadRequest},
		{"too large", func(*site, samltest.Request) []byte { return []byte(strings.Repeat("x", 3<<20+1)) }, saml.TooLarge},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, withECP, func(trust *saml.LoginTrust, _ *saml.Config) {
				trust.AllowIdPInitiated, trust.AllowUnknownInResponseTo = true, true // by a browser only
			})
			client := s.browser()
			request := client.client("")
			resp, body := client.bring(c.forge(s, request))
			assert.Equal(t, c.reason, s.reason(), "%v", s.refusals.Load())
			assert.GreaterOrEqual(t, resp.StatusCode, 400)
			assert.Less(t, resp.StatusCode, 500)
			assert.Contains(t, body, "soap:Fault")
			assert.NotContains(t, body, "alice")
			assert.Zero(t, s.logins.Load())

			// Nothing was used up by it but, at most, what an identity provider refused.
			if resp, body = client.bring(s.answerTo(request).PAOS()); c.name != "a refusal" {
				assert.Equal(t, http.StatusSeeOther, resp.StatusCode, body)
			}
		})
	}
}

// An answer belongs to the client that asked, comes once, and by the binding that was asked for.
//
// req: ECP-PROC RY-ALLBIND
func TestPAOSBelongsToItsClient(t *testing.T) {
	t.Parallel()
	s := newSite(t, withECP)
	mine, other := s.browser(), s.browser()
	request := mine.client("")
	answer := s.answerTo(request)
	other.client("")

	resp, _ := other.bring(answer.PAOS())
	assert.Equal(t, http.StatusForbidden, resp.StatusCode)
	assert.Equal(t, saml.BrowserMismatch, s.reason())

	resp, body := s.browser().bring(answer.PAOS()) // no cookie at all: it is not asked for once more
	assert.Equal(t, http.StatusForbidden, resp.StatusCode)
	assert.Equal(t, saml.BrowserMismatch, s.reason())
	assert.Contains(t, body, "soap:Fault")

	_, body = mine.post(answer) // as a form
	assert.Equal(t, saml.BadRequest, s.reason())
	assert.Contains(t, body, "<html")
	envelope := url.Values{"SAMLResponse": {base64.StdEncoding.EncodeToString(answer.PAOS())}}
	mine.do(formRequest(acsURL, envelope), false)
	assert.Equal(t, saml.BadResponse, s.reason())
	for _, kind := range []string{"text/xml", "text/plain", "", "application/vnd.paos+xml2", "multipart/form-data"} {
		r := httptest.NewRequest(http.MethodPost, acsURL, strings.NewReader(string(answer.PAOS())))
		r.Header.Set("Content-Type", kind)
		mine.do(r, false)
		assert.Equal(t, saml.BadRequest, s.reason(), kind)
	}
	assert.Zero(t, s.logins.Load())

	resp, _ = mine.bring(answer.PAOS())
	assert.Equal(t, http.StatusSeeOther, resp.StatusCode)
	for _, again := range []*jar{mine, other} { // by the same client too: it needs no help with a double click
		resp, _ = again.bring(answer.PAOS())
		assert.Equal(t, http.StatusForbidden, resp.StatusCode)
		assert.Equal(t, saml.Replayed, s.reason())
	}
	assert.EqualValues(t, 1, s.logins.Load())

	// What a browser asked for does not come by PAOS.
	b := s.browser()
	request = b.start("")
	resp, _ = b.bring(s.answerTo(request).PAOS())
	assert.Equal(t, http.StatusBadRequest, resp.StatusCode)
	assert.Equal(t, saml.BadRequest, s.reason())
	resp, _ = b.post(s.answerTo(request))
	assert.Equal(t, http.StatusSeeOther, resp.StatusCode)

	// Off by default.
	off := newSite(t)
	b = off.browser()
	resp, _ = b.bring(off.answerTo(b.start("")).PAOS())
	assert.Equal(t, http.StatusBadRequest, resp.StatusCode)
	assert.NotContains(t, string(off.sp.Metadata()), "PAOS")
	_, err := off.sp.Validate(t.Context(), saml.Posted{PAOS: answer.PAOS()})
	require.ErrorIs(t, err, saml.BadRequest)
	_, err = s.sp.Validate(t.Context(), saml.Posted{PAOS: answer.PAOS(), SAMLResponse: answer.Encode()})
	require.ErrorIs(t, err, saml.BadRequest)
	_, err = s.sp.Validate(t.Context(), saml.Posted{PAOS: answer.PAOS(), Artifact: "x"})
	require.ErrorIs(t, err, saml.BadRequest)
}

// Each attack on a login by a form is tried by PAOS too, with an honest login of the same kind before it: the envelope neither
// hides nor vouches for anything.
func TestAttacksByPAOS(t *testing.T) {
	t.Parallel()
	s := newSite(t, withECP, deciphering)
	s.idp.AddSP(samltest.SP{EntityID: s.sp.EntityID(), ACSURL: acsURL, EncryptionKey: cipherKey().Public()})
	attacks := slices.DeleteFunc(samltest.Attacks(), func(a samltest.Attack) bool {
		return a.Name == "text before the root" || a.Name == "text after the root" // in an envelope it stands in the Body, and says nothing
	})
	require.Greater(t, len(attacks), 100)
	samltest.Target{IdP: s.idp, Other: otherIdP(t), Handler: viaPAOS(t, s.handler), Trusts: s.trusts, Attacks: attacks}.Run(t)
	require.Greater(t, s.logins.Load(), int32(100), "honest logins")
	for name, forge := range map[string]func(*samltest.Answer, string) string{
		"the signed assertion in a header, an unsigned one in the body": func(a *samltest.Answer, good string) string {
			a.Sign = 0
			a.Assertion().Subject.NameID.Value = "mallory"
			return strings.Replace(string(a.PAOS()), "<s:Header>", "<s:Header>"+assertionIn(good), 1)
		},
		"the signature in a header": func(a *samltest.Answer, good string) string {
			a.Sign = 0
			return strings.Replace(string(a.PAOS()), "<s:Header>", "<s:Header>"+good[strings.Index(good, "<ds:Signature"):strings.Index(good, "</ds:Signature>")+15], 1)
		},
	} {
		c := s.browser()
		request := c.client("")
		before := s.logins.Load()
		resp, _ := c.bring([]byte(forge(s.answerTo(request), string(s.answerTo(request).XML()))))
		assert.Equal(t, http.StatusForbidden, resp.StatusCode, name)
		assert.Equal(t, before, s.logins.Load(), name)
	}
}

// viaPAOS makes an enhanced client of each browser: it asks for PAOS, hands on the request as the form of a page, and wraps what
// the browser then posts into an envelope.
func viaPAOS(t testing.TB, site http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			r.Header.Set("Accept", paosType)
			r.Header.Set("PAOS", paosHeader)
			got := httptest.NewRecorder()
			site.ServeHTTP(got, r)
			maps.Copy(w.Header(), got.Header())
			if got.Code != http.StatusOK {
				w.WriteHeader(got.Code)
				return
			}
			request, err := samltest.ParsePAOS(got.Body.Bytes())
			assert.NoError(t, err)
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprintf(w, `<form method="post" action="https://idp.example.com/sso"><input name="SAMLRequest" value="%s"><input name="RelayState" value="%s"></form>`,
				base64.StdEncoding.EncodeToString(request.XML), request.RelayState)
			return
		}
		tooLarge := r.ParseForm()
		message, err := base64.StdEncoding.DecodeString(r.PostForm.Get("SAMLResponse"))
		if tooLarge != nil || err != nil || len(r.PostForm["SAMLResponse"]) != 1 {
			w.WriteHeader(http.StatusBadRequest) // an attack of forms
			return
		}
		envelope := samltest.Answer{RelayState: r.PostForm.Get("RelayState"), Bytes: func([]byte) []byte { return message }}
		again := httptest.NewRequest(http.MethodPost, acsURL, bytes.NewReader(edited(envelope.PAOS(), ` refToMessageID=""`, "")))
		again.Header = r.Header.Clone()
		again.Header.Set("Content-Type", paosType)
		site.ServeHTTP(w, again)
	})
}

func assertionIn(response string) string {
	const end = "</saml:Assertion>"
	return response[strings.Index(response, "<saml:Assertion") : strings.Index(response, end)+len(end)]
}

// Explain and Report follow an enhanced client's login too, and the rule about how it comes is needed.
func TestPAOSExplained(t *testing.T) {
	t.Parallel()
	s := newSite(t, withECP)
	c := s.browser()
	request := c.client("")
	posted := saml.Posted{PAOS: s.answerTo(request).PAOS(), BrowserKey: c.cookies["__Host-saml-browser"].Value}
	report := s.sp.Explain(t.Context(), posted, saml.ExplainOptions{})
	assert.Empty(t, report.Reason, "%v", report)

	byForm := saml.Posted{SAMLResponse: s.answerTo(request).Encode(), BrowserKey: posted.BrowserKey}
	report = s.sp.Explain(t.Context(), byForm, saml.ExplainOptions{})
	assert.Equal(t, saml.BadRequest, report.Reason)
	_, err := s.sp.Validate(t.Context(), byForm)
	e := leftWith(t, saml.BadRequest, err)
	assert.Equal(t, saml.BadRequest, e.Report(t.Context()).Reason)

	swapped := posted
	swapped.PAOS = edited(posted.PAOS, request.RelayState, "x")
	_, err = s.sp.Validate(t.Context(), swapped)
	e = leftWith(t, saml.BadRequest, err)
	assert.Equal(t, saml.BadRequest, e.Report(t.Context()).Reason)
	_, err = e.UnsealedCase(t.Context())
	require.ErrorIs(t, err, saml.ErrNoCase)
}

// Without its rule, a form's answer to a client's request would get in.
func TestPAOSRuleIsNeeded(t *testing.T) {
	t.Parallel()
	s := newSite(t, withECP)
	c := s.browser()
	request := c.client("")
	byForm := saml.Posted{SAMLResponse: s.answerTo(request).Encode(), BrowserKey: c.cookies["__Host-saml-browser"].Value}
	for i := 0; ; i++ {
		lacking, rule, _ := s.sp.WithoutRule(i)
		require.NotNil(t, lacking)
		if rule == "askedPAOS" {
			_, err := lacking.Validate(t.Context(), byForm)
			require.NoError(t, err)
			return
		}
	}
}

// A trust that comes to ask for a password while a client is away admits none.
func TestPAOSAndPasswords(t *testing.T) {
	t.Parallel()
	s := newSite(t, withECP, func(trust *saml.LoginTrust, c *saml.Config) {
		trust.Organization = "acme"
		c.Users = saml.NewMemoryUsers(saml.User{ID: "1", Username: "alice", Organization: "acme", Roles: []string{"user"}, State: saml.UserActive})
	})
	c := s.browser()
	request := c.client("")
	trust := s.trust()
	trust.PasswordRequired = true
	s.trusts.Set(trust)
	resp, _ := c.bring(s.answerTo(request).PAOS())
	assert.Equal(t, http.StatusForbidden, resp.StatusCode)
	assert.Equal(t, saml.MethodNotAllowed, s.reason(), "%v", s.refusals.Load())
}

// Whatever comes, nothing panics, and who signs in is who was signed in.
func FuzzPAOS(f *testing.F) {
	w := newWorld(f, withECP)
	started, err := w.sp.Request(f.Context(), w.trust(), saml.StartOptions{Binding: saml.PAOSBinding})
	require.NoError(f, err)
	request, err := samltest.ParsePAOS(started.PAOS)
	require.NoError(f, err)
	f.Add(w.idp.Answer(request).PAOS())
	f.Add(started.PAOS)
	f.Add([]byte(`<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><s:Fault/></s:Body></s:Envelope>`))
	f.Fuzz(func(t *testing.T, envelope []byte) {
		login, err := w.sp.Validate(t.Context(), saml.Posted{PAOS: envelope, BrowserKey: started.BrowserKey})
		if err == nil {
			require.Equal(t, "alice", login.Subject().NameID.Value)
			return
		}
		var e *saml.Error
		require.ErrorAs(t, err, &e)
		require.Nil(t, login)
	})
}

// What only looks like PAOS is not read as that; a relay state is bounded before anything is verified.
func TestPAOSOnlyWhereItIsOne(t *testing.T) {
	t.Parallel()
	s := newSite(t, withECP)
	client := s.browser()
	body := s.answerTo(client.client("")).PAOS()
	for _, c := range []struct{ method, kind string }{{http.MethodPost, paosType + "; charset"}, {http.MethodPut, paosType}, {http.MethodPost, "text/xml"}} {
		r := httptest.NewRequest(c.method, acsURL, bytes.NewReader(body))
		r.Header.Set("Content-Type", c.kind)
		resp := client.do(r, false)
		assert.GreaterOrEqual(t, resp.StatusCode, 400, c)
		assert.NotContains(t, read(resp), "soap:Fault", c)
		assert.Zero(t, s.logins.Load(), c)
	}
	resp, text := client.bring(body)
	assert.Equal(t, http.StatusSeeOther, resp.StatusCode, text)
	resp, text = newSite(t).browser().bring(body)
	assert.Equal(t, http.StatusBadRequest, resp.StatusCode)
	assert.NotContains(t, text, "soap:Fault", "off by default")

	answer := s.idp.Answer(samltest.Request{ACSURL: acsURL, SPEntityID: s.sp.EntityID()})
	answer.RelayState, answer.Sign = strings.Repeat("x", 1<<20), 0
	_, _ = client.bring(answer.PAOS())
	assert.Equal(t, saml.TooLarge, s.reason())
}
