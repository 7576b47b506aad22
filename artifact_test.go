package saml_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
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

// An artifactSite is a site whose identity provider answers by artifacts, at the services 0 and 3.
type artifactSite struct {
	*site
	mu    sync.Mutex
	asked []string // paths and messages
}

func newArtifactSite(t testing.TB, change ...func(*saml.LoginTrust, *saml.Config)) *artifactSite {
	t.Helper()
	s := &artifactSite{}
	s.site = newSite(t, append([]func(*saml.LoginTrust, *saml.Config){byArtifacts(t, func() *samltest.IdP { return s.idp }, func(r *http.Request, soap []byte) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.asked = append(s.asked, r.URL.Path+" "+r.Header.Get("Content-Type")+" "+string(soap))
	})}, change...)...)
	return s
}

// byArtifacts serves an identity provider's artifacts, and tells of what is asked there.
func byArtifacts(t testing.TB, idp func() *samltest.IdP, asked func(*http.Request, []byte)) func(*saml.LoginTrust, *saml.Config) {
	t.Helper()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		idp().ArtifactHandler(asked).ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	return func(trust *saml.LoginTrust, c *saml.Config) {
		trust.ArtifactServices = []saml.ArtifactService{{Index: 0, URL: server.URL + "/zero"}, {Index: 3, URL: server.URL + "/three"}}
		c.SigningKeys = []saml.KeyPair{{Signer: mustKey(t, "federation-rsa2048")}}
		c.Artifacts = &saml.SOAPClient{RootCAs: roots, AllowAddresses: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}}
	}
}

// deliver brings an artifact as a browser does, by GET or POST, and takes the hop.
func (j *jar) deliver(method, artifact string) *http.Response {
	j.s.t.Helper()
	send := func(form url.Values, crossSite bool) *http.Response {
		if method == http.MethodGet && !form.Has("hop") {
			return j.do(httptest.NewRequest(http.MethodGet, "https://sp.example.com/sso/acs?"+form.Encode(), nil), crossSite)
		}
		return j.do(formRequest("https://sp.example.com/sso/acs", form), crossSite)
	}
	form := url.Values{"SAMLart": {artifact}}
	resp := send(form, true)
	if resp.StatusCode == http.StatusOK && strings.Contains(read(resp), `name="hop"`) {
		form.Set("hop", "1")
		resp = send(form, false)
	}
	return resp
}

// req: CONF-T2-art BIND-3.6.3 PROF-5.5-index PROF-5.4.1 PROF-4.1.4.4 E59 AF-SIG BIND-3.2.3.2
func TestArtifact(t *testing.T) {
	t.Parallel()
	s := newArtifactSite(t)
	for i, method := range []string{http.MethodGet, http.MethodPost, http.MethodPost} {
		b := s.browser()
		b.keepsBack = i == 2
		request := b.start("&target=/deep")
		answer := s.idp.Answer(request)
		answer.Destination = ""
		artifact, _ := s.idp.Artifact(3, answer)
		resp := b.deliver(method, artifact)
		require.Equal(t, http.StatusSeeOther, resp.StatusCode, s.reason())
		assert.Equal(t, "/deep", resp.Header.Get("Location"))
	}
	require.Len(t, s.asked, 3)
	for _, asked := range s.asked {
		assert.True(t, strings.HasPrefix(asked, `/three text/xml; charset=utf-8 <soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body><samlp:ArtifactResolve`), asked)
		assert.Contains(t, asked, "<saml:Issuer>https://sp.example.com/sso/metadata</saml:Issuer>")
		assert.Contains(t, asked, "SignatureValue")
	}
	for name, sign := range map[string]func(*samltest.Answer, *samltest.Resolution){
		"assertion":         func(*samltest.Answer, *samltest.Resolution) {},
		"response":          func(a *samltest.Answer, _ *samltest.Resolution) { a.Sign = samltest.SignResponse },
		"artifact response": func(a *samltest.Answer, r *samltest.Resolution) { a.Sign, r.Sign = 0, true },
		"all three": func(a *samltest.Answer, r *samltest.Resolution) {
			a.Sign, r.Sign = samltest.SignResponse|samltest.SignAssertion, true
		},
		"no Issuer outside":    func(_ *samltest.Answer, r *samltest.Resolution) { r.Issuer = "" },
		"default declarations": func(a *samltest.Answer, _ *samltest.Resolution) { a.Style = samltest.Style{} },
	} {
		b := s.browser()
		answer := s.idp.Answer(b.start(""))
		artifact, r := s.idp.Artifact(0, answer)
		sign(answer, r)
		assert.Equal(t, http.StatusSeeOther, b.deliver(http.MethodGet, artifact).StatusCode, "%s: %v", name, s.reason())
	}
	assert.Contains(t, string(s.sp.Metadata()), `<md:AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Artifact" Location="https://sp.example.com/sso/acs" index="1"/>`)
	started, err := s.sp.Request(t.Context(), s.trust(), saml.StartOptions{Details: saml.RequestDetails{ByArtifact: true}})
	require.NoError(t, err)
	request := mustRequest(t, started.URL)
	assert.True(t, request.ByArtifact)
	assert.Equal(t, "https://sp.example.com/sso/acs", request.ACSURL)
}

// What comes by an artifact is judged as if it had come by itself, and what is around it as well.
//
// req: CORE-3.5.3-irt CORE-3.5.3-empty CORE-3.5-same AF-SIG BIND-3.2.2.1-req BIND-3.2.2.1
func TestArtifactResponsesThatAreRefused(t *testing.T) {
	t.Parallel()
	mallory, err := samltest.New(samltest.Options{EntityID: "https://mallory.example.com"})
	require.NoError(t, err)
	for name, c := range map[string]struct {
		change func(*samltest.Answer, *samltest.Resolution)
		reason saml.Reason
	}{
		"nothing signed": {func(a *samltest.Answer, _ *samltest.Resolution) { a.Sign = 0 }, saml.Unsigned},
		"audience": {func(a *samltest.Answer, _ *samltest.Resolution) {
			a.Assertion().Conditions.Audiences = [][]string{{"https://other"}}
		}, saml.WrongAudience},
		"recipient": {func(a *samltest.Answer, _ *samltest.Resolution) {
			a.Assertion().Subject.Confirmations[0].Recipient = "https://other"
		}, saml.WrongRecipient},
		"destination": {func(a *samltest.Answer, _ *samltest.Resolution) { a.Destination = "https://other" }, saml.WrongDestination},
		"expired": {func(a *samltest.Answer, _ *samltest.Resolution) {
			a.Assertion().Subject.Confirmations[0].NotOnOrAfter = "2020-01-01T00:00:00Z"
		}, saml.Expired},
		"another's key":          {func(a *samltest.Answer, _ *samltest.Resolution) { a.Seal = mallory.Seal() }, saml.BadSignature},
		"another issuer inside":  {func(a *samltest.Answer, _ *samltest.Resolution) { a.Issuer.Value = mallory.EntityID }, saml.UnknownDomain},
		"another issuer outside": {func(_ *samltest.Answer, r *samltest.Resolution) { r.Issuer = mallory.EntityID }, saml.ArtifactFailed},
		"another request":        {func(_ *samltest.Answer, r *samltest.Resolution) { r.InResponseTo = "_other" }, saml.ArtifactFailed},
		"failure":                {func(_ *samltest.Answer, r *samltest.Resolution) { r.Status = samltest.Requester }, saml.ArtifactFailed},
		"empty":                  {func(_ *samltest.Answer, r *samltest.Resolution) { r.Answer = nil }, saml.ArtifactFailed},
		"something behind the Response": {func(_ *samltest.Answer, r *samltest.Resolution) {
			r.AfterSign = func(e *etree.Element) { e.CreateElement("samlp:More") }
		}, saml.BadResponse},
		"something inside the Response": {func(_ *samltest.Answer, r *samltest.Resolution) {
			r.AfterSign = func(e *etree.Element) { e.SelectElement("Response").CreateElement("samlp:More") }
		}, saml.BadResponse},
		"no Status": {func(_ *samltest.Answer, r *samltest.Resolution) {
			r.AfterSign = func(e *etree.Element) { e.RemoveChild(e.SelectElement("Status")) }
		}, saml.BadResponse},
		"an IssueInstant that is none": {func(_ *samltest.Answer, r *samltest.Resolution) {
			r.AfterSign = func(e *etree.Element) { e.CreateAttr("IssueInstant", "now") }
		}, saml.BadResponse},
		"another message": {func(_ *samltest.Answer, r *samltest.Resolution) {
			r.AfterSign = func(e *etree.Element) { e.Tag = "LogoutResponse" }
		}, saml.BadResponse},
		"SAML 1.1": {func(_ *samltest.Answer, r *samltest.Resolution) {
			r.AfterSign = func(e *etree.Element) { e.CreateAttr("Version", "1.1") }
		}, saml.ArtifactFailed},
		"a changed outer signature": {func(a *samltest.Answer, r *samltest.Resolution) {
			r.Sign = true
			r.AfterSign = func(e *etree.Element) { e.CreateAttr("Consent", "urn:x") }
		}, saml.BadSignature},
		"an outer signature that is elsewhere": {func(a *samltest.Answer, r *samltest.Resolution) {
			a.Sign, r.Sign = 0, true
			r.AfterSign = func(e *etree.Element) { s := e.SelectElement("Signature"); e.RemoveChild(s); e.AddChild(s) }
		}, saml.BadResponse},
		"two responses": {func(_ *samltest.Answer, r *samltest.Resolution) {
			r.AfterSign = func(e *etree.Element) { e.AddChild(e.SelectElement("Response").Copy()) }
		}, saml.BadResponse},
		"a foreign element beside it in the Body": {func(_ *samltest.Answer, r *samltest.Resolution) {
			r.Bytes = func(b []byte) []byte { return edited(b, "</soap:Body>", `<x xmlns="urn:x"/></soap:Body>`) }
		}, saml.ArtifactFailed},
		"two in the Body": {func(_ *samltest.Answer, r *samltest.Resolution) {
			r.Bytes = func(b []byte) []byte {
				message := b[bytes.Index(b, []byte("<soap:Body>"))+len("<soap:Body>") : bytes.Index(b, []byte("</soap:Body>"))]
				second := bytes.Replace(message, []byte(` ID="_`), []byte(` ID="_2`), -1)
				return edited(b, "</soap:Body>", string(second)+"</soap:Body>")
			}
		}, saml.ArtifactFailed},
		"a bare Response": {func(a *samltest.Answer, r *samltest.Resolution) { r.Bytes = func([]byte) []byte { return a.XML() } }, saml.ArtifactFailed},
		"a fault": {func(_ *samltest.Answer, r *samltest.Resolution) {
			r.Bytes = func([]byte) []byte {
				return []byte(`<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><s:Fault/></s:Body></s:Envelope>`)
			}
		}, saml.ArtifactFailed},
		"not XML": {func(_ *samltest.Answer, r *samltest.Resolution) { r.Bytes = func([]byte) []byte { return []byte("<") } }, saml.BadResponse},
		"a DTD": {func(_ *samltest.Answer, r *samltest.Resolution) {
			r.Bytes = func(b []byte) []byte { return append([]byte("<!DOCTYPE x>"), b...) }
		}, saml.BadResponse},
		"too large": {func(_ *samltest.Answer, r *samltest.Resolution) {
			r.Bytes = func([]byte) []byte { return bytes.Repeat([]byte("x"), 4<<20) }
		}, saml.ArtifactFailed},
		"a header that must be understood": {func(_ *samltest.Answer, r *samltest.Resolution) {
			r.Bytes = func(b []byte) []byte {
				return bytes.Replace(b, []byte("<soap:Body>"), []byte(`<soap:Header><x:h xmlns:x="urn:x" soap:mustUnderstand="1"/></soap:Header><soap:Body>`), 1)
			}
		}, saml.ArtifactFailed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newArtifactSite(t)
			b := s.browser()
			answer := s.idp.Answer(b.start(""))
			artifact, r := s.idp.Artifact(0, answer)
			c.change(answer, r)
			b.deliver(http.MethodPost, artifact)
			assert.Equal(t, c.reason, s.reason())
			assert.Zero(t, s.logins.Load())
			assert.Len(t, s.asked, 1, "no second request")

			b.deliver(http.MethodPost, artifact)
			assert.Equal(t, saml.Replayed, s.reason(), "not asked again")
			assert.Len(t, s.asked, 1)
		})
	}
}

// The same artifact again: the browser that it signed in is sent where it was led, any other is refused, and nobody is asked
// twice.
//
// req: BIND-3.6.5.2-once PROF-4.1.4.5-replay
func TestArtifactTwice(t *testing.T) {
	t.Parallel()
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		s := newArtifactSite(t)
		b, other := s.browser(), s.browser()
		other.start("")
		artifact, _ := s.idp.Artifact(0, s.idp.Answer(b.start("&target=/deep")))
		require.Equal(t, http.StatusSeeOther, b.deliver(method, artifact).StatusCode)
		s.refusals.Store(nil)
		for range 2 {
			resp := b.deliver(method, artifact)
			assert.Equal(t, http.StatusSeeOther, resp.StatusCode)
			assert.Equal(t, "/deep", resp.Header.Get("Location"))
			assert.Nil(t, s.refusals.Load())
		}
		for name, stranger := range map[string]*jar{"another browser": other, "without cookie": s.browser()} {
			resp := stranger.deliver(method, artifact)
			assert.Equal(t, http.StatusForbidden, resp.StatusCode, name)
			assert.Equal(t, saml.Replayed, s.reason(), name)
		}
		assert.Equal(t, int32(1), s.logins.Load(), "the callback does not run again")
		assert.Len(t, s.asked, 1)
	}
}

// A login that was refused, or that nobody asked for, leads nowhere a second time.
func TestArtifactTwiceWithoutLogin(t *testing.T) {
	t.Parallel()
	s := newArtifactSite(t)
	b := s.browser()
	answer := s.idp.Answer(b.start("&target=/deep"))
	answer.Assertion().Conditions.Audiences = [][]string{{"https://other"}}
	artifact, _ := s.idp.Artifact(0, answer)
	for _, reason := range []saml.Reason{saml.WrongAudience, saml.Replayed} {
		assert.Equal(t, http.StatusForbidden, b.deliver(http.MethodPost, artifact).StatusCode)
		assert.Equal(t, reason, s.reason())
	}

	s = newArtifactSite(t, allowIdPInitiated)
	b = s.browser()
	b.start("") // so that it holds a key
	artifact, _ = s.idp.Artifact(0, s.unsolicited())
	require.Equal(t, http.StatusSeeOther, b.deliver(http.MethodPost, artifact).StatusCode, s.reason())
	assert.Equal(t, http.StatusForbidden, b.deliver(http.MethodPost, artifact).StatusCode)
	assert.Equal(t, saml.Replayed, s.reason())

	// An hour later it is a replay in any browser.
	state := &forgetsFinished{MemoryState: saml.NewMemoryState()}
	s = newArtifactSite(t, func(_ *saml.LoginTrust, c *saml.Config) { c.State = state })
	b = s.browser()
	artifact, _ = s.idp.Artifact(0, s.idp.Answer(b.start("")))
	require.Equal(t, http.StatusSeeOther, b.deliver(http.MethodPost, artifact).StatusCode)
	assert.Equal(t, http.StatusForbidden, b.deliver(http.MethodPost, artifact).StatusCode)
	assert.Equal(t, saml.Replayed, s.reason())
	assert.Equal(t, 2, state.forgot)
}

// forgetsFinished is a store in which a minute is over at once: it drops what is kept no longer.
type forgetsFinished struct {
	*saml.MemoryState
	forgot int
}

func (s *forgetsFinished) Add(ctx context.Context, key string, value []byte, keep time.Duration) (bool, error) {
	if keep == time.Minute {
		s.forgot++
		return true, nil
	}
	return s.MemoryState.Add(ctx, key, value, keep)
}

// Nobody unknown is asked anything, and nobody twice.
//
// req: BIND-3.6.4 E4 BIND-3.6.4-src PROF-5.5-index BIND-3.6.5.2-once SE-NONET
func TestArtifactsThatLeadNowhere(t *testing.T) {
	t.Parallel()
	s := newArtifactSite(t)
	b := s.browser()
	b.start("")
	good, _ := s.idp.Artifact(0, nil)
	edited := func(edit func(b []byte) []byte) string {
		octets, err := base64.StdEncoding.DecodeString(good)
		require.NoError(t, err)
		return base64.StdEncoding.EncodeToString(edit(octets))
	}
	for name, c := range map[string]struct {
		artifact string
		reason   saml.Reason
	}{
		"type 1":         {edited(func(b []byte) []byte { b[1] = 1; return b }), saml.BadArtifact},
		"type 0x0104":    {edited(func(b []byte) []byte { b[0] = 1; return b }), saml.BadArtifact},
		"short":          {edited(func(b []byte) []byte { return b[:43] }), saml.BadArtifact},
		"long":           {edited(func(b []byte) []byte { return append(b, 0) }), saml.BadArtifact},
		"not base64":     {strings.Repeat("!", 60), saml.BadArtifact},
		"line break":     {good[:20] + "\n" + good[20:], saml.BadArtifact},
		"another index":  {edited(func(b []byte) []byte { b[3] = 1; return b }), saml.BadArtifact},
		"unknown source": {edited(func(b []byte) []byte { b[10] ^= 1; return b }), saml.UnknownDomain},
		"a megabyte":     {strings.Repeat("A", 1<<20), saml.BadArtifact},
	} {
		resp := b.deliver(http.MethodPost, c.artifact)
		assert.Equal(t, http.StatusForbidden, resp.StatusCode, name)
		assert.Equal(t, c.reason, s.reason(), name)
	}
	assert.Empty(t, s.asked)
	resp := b.do(formRequest("https://sp.example.com/sso/acs", url.Values{"SAMLart": {good}, "SAMLResponse": {"x"}}), true)
	assert.Equal(t, saml.BadRequest, s.reason())
	assert.Equal(t, http.StatusBadRequest, resp.StatusCode)

	answer := s.idp.Answer(b.start("")).Form()
	resp = b.do(httptest.NewRequest(http.MethodGet, "https://sp.example.com/sso/acs?"+answer.Encode(), nil), true)
	assert.Equal(t, http.StatusMethodNotAllowed, resp.StatusCode, "a GET is for artifacts only")
	assert.Zero(t, s.logins.Load())
	b.do(formRequest("https://sp.example.com/sso/acs?SAMLart="+url.QueryEscape(good), url.Values{}), true)
	assert.Equal(t, saml.BadRequest, s.reason(), "the query of a POST is nothing")
	assert.Empty(t, s.asked)

	source := saml.ArtifactSource("https://IdentityProvider.com/SAML") // SAML Bindings 3.6.8
	example, err := base64.StdEncoding.DecodeString("AAQAADWNEw5VT47wcO4zX/iEzMmFQvGknDfws2ZtqSGdkNSbsW1cmVR0bzU=")
	require.NoError(t, err)
	assert.Equal(t, source[:], example[4:24])

	trust := s.trust()
	trust.State = saml.Inactive
	s.trusts.Set(trust)
	b.deliver(http.MethodPost, good)
	assert.Equal(t, saml.TrustInactive, s.reason())
	assert.Empty(t, s.asked)

	off := newSite(t)
	off.browser().deliver(http.MethodPost, good)
	assert.Equal(t, saml.NotConfigured, off.reason())
	off.browser().get("https://sp.example.com/sso/acs?SAMLart=" + url.QueryEscape(good))
	assert.Equal(t, saml.BadRequest, off.reason(), "a GET is for artifacts only")
}

// req: PROF-4.1.4.4
func TestArtifactResolverConfig(t *testing.T) {
	t.Parallel()
	config := saml.Config{BaseURL: "https://sp.example.com", Trusts: saml.NewMemoryTrusts(), State: saml.NewMemoryState(), Artifacts: &saml.SOAPClient{}}
	_, err := saml.New(config)
	require.ErrorContains(t, err, "SigningKey")
	config.SigningKeys = []saml.KeyPair{{Signer: mustKey(t, "federation-rsa2048")}}
	_, err = saml.New(config)
	require.NoError(t, err)
	config.Artifacts = &saml.SOAPClient{Timeout: time.Hour}
	_, err = saml.New(config)
	require.ErrorContains(t, err, "Timeout")

	s := newArtifactSite(t, func(trust *saml.LoginTrust, c *saml.Config) { c.Artifacts.AllowAddresses = nil })
	b := s.browser()
	artifact, _ := s.idp.Artifact(0, s.idp.Answer(b.start("")))
	b.deliver(http.MethodPost, artifact)
	assert.Equal(t, saml.ArtifactFailed, s.reason(), "a loopback address")
	assert.Empty(t, s.asked)
	assert.NotContains(t, s.refusals.Load().Error(), artifact)
	assert.NotContains(t, fmt.Sprint(s.refusals.Load()), "127.0.0.1")
}

// lookless is a store that knows nothing of artifacts.
type lookless struct{ saml.TrustStore }

// brokenTrusts fails for whom it is told to.
type brokenTrusts struct {
	*saml.MemoryTrusts
	source bool
	domain string
}

func (b *brokenTrusts) FindTrust(ctx context.Context, domain string) (saml.LoginTrust, bool, error) {
	if domain == b.domain {
		return saml.LoginTrust{}, false, errBroken
	}
	return b.MemoryTrusts.FindTrust(ctx, domain)
}

func (b *brokenTrusts) FindTrustBySource(ctx context.Context, source [20]byte) (saml.LoginTrust, bool, error) {
	if b.source {
		return saml.LoginTrust{}, false, errBroken
	}
	return b.MemoryTrusts.FindTrustBySource(ctx, source)
}

// downSigner is a key that cannot be reached.
type downSigner struct{ crypto.Signer }

func (downSigner) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) { return nil, errBroken }

// What an artifact needs and cannot have refuses it, and is not papered over.
func TestArtifactWithoutItsStores(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*saml.LoginTrust, *saml.Config)
		reason saml.Reason
	}{
		"no look-up by source": {func(_ *saml.LoginTrust, c *saml.Config) { c.Trusts = lookless{c.Trusts} }, saml.NotConfigured},
		"a broken one": {func(_ *saml.LoginTrust, c *saml.Config) {
			c.Trusts = &brokenTrusts{c.Trusts.(*saml.MemoryTrusts), true, ""}
		}, saml.StoreFailed},
		"no memory of artifact": {func(_ *saml.LoginTrust, c *saml.Config) {
			c.State = &brokenState{MemoryState: saml.NewMemoryState(), add: errBroken}
		}, saml.StoreFailed},
		"no key": {func(_ *saml.LoginTrust, c *saml.Config) {
			c.SigningKeys = []saml.KeyPair{{Signer: downSigner{c.SigningKeys[0].Signer}}}
		}, saml.ArtifactFailed},
		"an issuer around it who cannot be looked up": {func(_ *saml.LoginTrust, c *saml.Config) {
			c.Trusts = &brokenTrusts{c.Trusts.(*saml.MemoryTrusts), false, "https://alias.example.com"}
		}, saml.StoreFailed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newArtifactSite(t, c.change)
			artifact, r := s.idp.Artifact(0, s.idp.Answer(samltest.Request{ID: "_x", SPEntityID: "https://sp.example.com/sso/metadata", ACSURL: "https://sp.example.com/sso/acs"}))
			r.Issuer = "https://alias.example.com"
			b := s.browser()
			form := url.Values{"SAMLart": {artifact}, "hop": {"1"}}
			b.do(formRequest("https://sp.example.com/sso/acs", form), false)
			assert.Equal(t, c.reason, s.reason())
			assert.Zero(t, s.logins.Load())
		})
	}
}
