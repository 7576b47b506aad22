package saml_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml"
	"github.com/logintrust/saml/samltest"
)

func count(n int) *int { return &n }

// All that a request may say, in the order of the schema (which e2e holds it against).
//
// req: eGov-041 SCHEMA-PROTO CORE-3.2.1-ext PROF-4.1.4.1-subj PX-SCOPING CORE-3.4.1-acs CORE-3.4.1-acsidx IIP-SP03
func TestRequestDetails(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(_ *saml.LoginTrust, c *saml.Config) {
		c.SigningKeys = []saml.KeyPair{{Signer: mustKey(t, "federation-rsa2048")}}
		c.Metadata.Services = []saml.AttributeService{{Names: map[string]string{"en": "a"}, Attributes: []saml.RequestedAttribute{{Name: "a"}}},
			{Names: map[string]string{"en": "b"}, Attributes: []saml.RequestedAttribute{{Name: "b"}}}}
	})
	started, request := w.start(saml.StartOptions{
		Subject: &saml.NameID{Value: "alice", Format: saml.NameIDPersistent, NameQualifier: "nq", SPNameQualifier: "sq", SPProvidedID: "pid"},
		Details: saml.RequestDetails{NameIDPolicy: true, SPNameQualifier: "urn:affiliation", AuthnContextDecls: []string{"urn:decl"}, Comparison: saml.Minimum,
			Scoping: &saml.Scoping{ProxyCount: count(0), IDPList: []string{"https://a.example.com", "https://b.example.com"},
				GetComplete: "https://list.example.com", RequesterIDs: []string{"https://r.example.com"}},
			Extensions:   []string{`<x:hint xmlns:x="urn:x" a="1">text</x:hint>`},
			ProviderName: "Our <application>", Consent: "urn:oasis:names:tc:SAML:2.0:consent:obtained", ACSByIndex: true, AttributeService: 2,
			Parameters: []saml.Parameter{{"login_hint", "a b@example.com"}, {"domain_hint", "é&"}}},
	})
	xml := string(request.XML)
	at := 0
	for _, part := range []string{`Consent="urn:oasis:names:tc:SAML:2.0:consent:obtained"`, `AssertionConsumerServiceIndex="0"`, `AttributeConsumingServiceIndex="1"`,
		`ProviderName="Our &lt;application>"`, `<saml:Issuer>`, `<samlp:Extensions><x:hint xmlns:x="urn:x" a="1">text</x:hint></samlp:Extensions>`,
		`<saml:Subject><saml:NameID NameQualifier="nq" SPNameQualifier="sq" Format="` + saml.NameIDPersistent + `" SPProvidedID="pid">alice</saml:NameID></saml:Subject>`,
		`<samlp:NameIDPolicy SPNameQualifier="urn:affiliation" AllowCreate="true"/>`,
		`<samlp:RequestedAuthnContext Comparison="minimum"><saml:AuthnContextDeclRef>urn:decl</saml:AuthnContextDeclRef></samlp:RequestedAuthnContext>`,
		`<samlp:Scoping ProxyCount="0"><samlp:IDPList><samlp:IDPEntry ProviderID="https://a.example.com"/><samlp:IDPEntry ProviderID="https://b.example.com"/><samlp:GetComplete>https://list.example.com</samlp:GetComplete></samlp:IDPList><samlp:RequesterID>https://r.example.com</samlp:RequesterID></samlp:Scoping>`} {
		i := strings.Index(xml[at:], part)
		require.GreaterOrEqual(t, i, 0, "%s in %s", part, xml)
		at += i
	}
	assert.NotContains(t, xml, "ProtocolBinding")
	assert.NotContains(t, xml, "SubjectConfirmation")
	assert.Contains(t, started.URL, "https://idp.example.com/sso?login_hint=a+b%40example.com&domain_hint=%C3%A9%26&SAMLRequest=")

	posted, err := w.sp.Request(t.Context(), w.trust(), saml.StartOptions{Binding: saml.POSTBinding, Details: saml.RequestDetails{Parameters: []saml.Parameter{{"login_hint", "a"}}}})
	require.NoError(t, err)
	assert.True(t, strings.HasSuffix(posted.Action, "?login_hint=a"), posted.Action)
}

// req: CORE-3.2.1-ext CORE-3.2.1-consent CORE-3.3.2.2.1 CORE-3.4.1-acsidx SDP-G02
func TestRequestDetailsThatAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	long := strings.Repeat("é", 257)
	for name, opts := range map[string]saml.StartOptions{
		"classes and declarations":    {AuthnContext: []string{"a"}, Details: saml.RequestDetails{AuthnContextDecls: []string{"b"}}},
		"comparison":                  {Details: saml.RequestDetails{Comparison: 4}},
		"consent, unsigned":           {Details: saml.RequestDetails{Consent: "urn:oasis:names:tc:SAML:2.0:consent:obtained"}},
		"no such service":             {Details: saml.RequestDetails{AttributeService: 1}},
		"negative service":            {Details: saml.RequestDetails{AttributeService: -1}},
		"long ProviderName":           {Details: saml.RequestDetails{ProviderName: long}},
		"control in ProviderName":     {Details: saml.RequestDetails{ProviderName: "a\x00b"}},
		"negative ProxyCount":         {Details: saml.RequestDetails{Scoping: &saml.Scoping{ProxyCount: count(-1)}}},
		"GetComplete alone":           {Details: saml.RequestDetails{Scoping: &saml.Scoping{GetComplete: "https://a"}}},
		"space in IDPList":            {Details: saml.RequestDetails{Scoping: &saml.Scoping{IDPList: []string{"a b"}}}},
		"extension without namespace": {Details: saml.RequestDetails{Extensions: []string{"<hint/>"}}},
		"extension of SAML":           {Details: saml.RequestDetails{Extensions: []string{`<saml:Issuer xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"/>`}}},
		"two extensions in one":       {Details: saml.RequestDetails{Extensions: []string{`<a xmlns="u"/><b xmlns="u"/>`}}},
		"no extension":                {Details: saml.RequestDetails{Extensions: []string{`text`}}},
		"empty parameter":             {Details: saml.RequestDetails{Parameters: []saml.Parameter{{"", "a"}}}},
		"parameter of the protocol":   {Details: saml.RequestDetails{Parameters: []saml.Parameter{{"RelayState", "a"}}}},
		"the same, spelt otherwise":   {Details: saml.RequestDetails{Parameters: []saml.Parameter{{"samlrequest", "a"}}}},
		"subject without name":        {Subject: &saml.NameID{}},
		"long subject":                {Subject: &saml.NameID{Value: long}},
		"two subjects":                {Subject: &saml.NameID{Value: "a"}, SameSubject: &saml.Subject{NameID: saml.NameID{Value: "a"}}},
		"nobody's session":            {SameSubject: &saml.Subject{}},
	} {
		_, err := w.sp.Request(t.Context(), w.trust(), opts)
		assert.Error(t, err, name)
	}
}

// Who asks for one user gets nobody else.
func TestSubjectAskedFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	login, err := w.login()
	accepted(t, login, err)
	subject := login.Subject()
	named := func(edit func(*samltest.NameID)) func(*samltest.Answer) {
		return func(a *samltest.Answer) { edit(a.Assertion().Subject.NameID) }
	}
	others := map[string]func(*samltest.Answer){
		"name":             named(func(n *samltest.NameID) { n.Value = "mallory" }),
		"letter case":      named(func(n *samltest.NameID) { n.Value = strings.ToUpper(n.Value) }),
		"format":           named(func(n *samltest.NameID) { n.Format = saml.NameIDUnspecified }),
		"qualifier":        named(func(n *samltest.NameID) { n.NameQualifier = "https://other.example.com" }),
		"no NameID at all": func(a *samltest.Answer) { a.Assertion().Subject.NameID = nil },
	}
	for name, opts := range map[string]saml.StartOptions{"Subject": {Subject: &subject.NameID}, "SameSubject": {SameSubject: &subject}} {
		login, err := w.loginAsking(opts)
		accepted(t, login, err)
		assert.False(t, login.SteppedUp())
		login, err = w.loginAsking(opts, named(func(n *samltest.NameID) { // the defaults of SAML Core 8.3.7, spelt out
			n.NameQualifier, n.SPNameQualifier = w.idp.EntityID, w.sp.EntityID()
		}))
		accepted(t, login, err)
		for other, change := range others {
			login, err := w.loginAsking(opts, change)
			refused(t, saml.OtherSubject, login, err)
			assert.NotContains(t, err.Error(), "alice", "%s, %s", name, other)
		}
	}
	_, request := w.start(saml.StartOptions{SameSubject: &subject})
	assert.NotContains(t, string(request.XML), "Subject")
}

// A user proves that he is still there: the same subject, asked again.
func TestStepUp(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.browser()
	b.post(s.idp.Answer(b.start("")))
	subject := s.last.Load().Subject()
	stepUp := func() samltest.Request {
		handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			assert.NoError(t, s.sp.StartStepUp(w, r, s.trust(), subject, saml.StartOptions{ReturnTo: "/sign"}))
		})
		r := httptest.NewRequest(http.MethodGet, "https://sp.example.com/sign", nil)
		for _, c := range b.cookies {
			r.AddCookie(c)
		}
		rec := httptest.NewRecorder()
		handler.ServeHTTP(rec, r)
		request, err := samltest.ParseRequestURL(rec.Header().Get("Location"))
		require.NoError(t, err)
		require.True(t, request.ForceAuthn)
		return request
	}
	resp, _ := b.post(s.idp.Answer(stepUp()))
	assert.Equal(t, "/sign", resp.Header.Get("Location"))
	assert.True(t, s.last.Load().SteppedUp())

	stale := s.idp.Answer(stepUp())
	stale.Assertion().Statements[0].AuthnInstant = samltest.Time(s.now.Add(-time.Hour))
	b.post(stale)
	assert.Equal(t, saml.ReauthenticationRequired, s.reason())
	other := s.idp.Answer(stepUp())
	other.Assertion().Subject.NameID.Value = "mallory"
	b.post(other)
	assert.Equal(t, saml.OtherSubject, s.reason())
	b.post(s.idp.Answer(b.start("")))
	assert.False(t, s.last.Load().SteppedUp())

	off := s.trust()
	off.State = saml.Inactive
	rec := httptest.NewRecorder()
	err := s.sp.StartStepUp(rec, httptest.NewRequest(http.MethodGet, "https://sp.example.com/sign", nil), off, subject, saml.StartOptions{})
	assert.ErrorIs(t, err, saml.TrustInactive)
	assert.Empty(t, rec.Header().Get("Location"))
}

// req: INIT-get INIT-idp INIT-target INIT-flags
func TestRequestInitiation(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.browser()
	request := b.start("&forceAuthn=true&isPassive=1&foo=1&ForceAuthn=false&EntityID=x")
	assert.True(t, request.ForceAuthn)
	assert.True(t, request.IsPassive)
	request = b.start("&forceAuthn=false&isPassive=yes&target=https://evil.example.com/")
	assert.False(t, request.ForceAuthn)
	assert.False(t, request.IsPassive)
	resp, _ := b.post(s.idp.Answer(request))
	assert.Equal(t, "/", resp.Header.Get("Location"))
	for _, query := range []string{"entityID=https://unknown.example.com", "EntityID=" + url.QueryEscape(s.idp.EntityID), ""} {
		resp := b.get("https://sp.example.com/sso/login?" + query)
		assert.Equal(t, http.StatusForbidden, resp.StatusCode, query)
		assert.Empty(t, resp.Header.Get("Location"))
	}
}

func withDiscovery(_ *saml.LoginTrust, c *saml.Config) {
	c.DiscoveryURL = "https://discovery.example.com/choose?theme=1"
}

// choose follows a browser to the discovery service, and returns where that may send it back to.
func (j *jar) choose(query string) string {
	j.s.t.Helper()
	resp := j.get("https://sp.example.com/sso/login?" + query)
	require.Equal(j.s.t, http.StatusSeeOther, resp.StatusCode)
	u, err := url.Parse(resp.Header.Get("Location"))
	require.NoError(j.s.t, err)
	assert.Equal(j.s.t, "discovery.example.com", u.Host)
	assert.Equal(j.s.t, "1", u.Query().Get("theme"))
	assert.Equal(j.s.t, j.s.sp.EntityID(), u.Query().Get("entityID"))
	back, err := url.Parse(u.Query().Get("return"))
	require.NoError(j.s.t, err)
	assert.False(j.s.t, back.Query().Has("entityID"))
	assert.True(j.s.t, strings.HasPrefix(u.Query().Get("return"), "https://sp.example.com/sso/login?"))
	return u.Query().Get("return")
}

// req: IIP-SP04 DISCO-entityID DISCO-return DISCO-single DISCO-state SDP-SP23 MP-DISCO
func TestDiscovery(t *testing.T) {
	t.Parallel()
	s := newSite(t, withDiscovery)
	b := s.browser()
	back := b.choose("target=" + url.QueryEscape("/deep?x=1"))
	assert.NotContains(t, back, "deep", "where the login leads stays here")
	resp := b.get(back + "&entityID=" + url.QueryEscape(s.idp.EntityID))
	request, err := samltest.ParseRequestURL(resp.Header.Get("Location"))
	require.NoError(t, err)
	resp, _ = b.post(s.idp.Answer(request))
	assert.Equal(t, "/deep?x=1", resp.Header.Get("Location"))
	assert.Contains(t, string(s.sp.Metadata()), `<idpdisc:DiscoveryResponse xmlns:idpdisc="urn:oasis:names:tc:SAML:profiles:SSO:idp-discovery-protocol" Binding="urn:oasis:names:tc:SAML:profiles:SSO:idp-discovery-protocol" Location="https://sp.example.com/sso/login" index="0"/>`)

	resp = b.get("https://sp.example.com/sso/login?isPassive=true")
	assert.Contains(t, resp.Header.Get("Location"), "&isPassive=true")
}

// req: DISCO-none DISCO-check DISCO-state
func TestDiscoveryThatLeadsNowhere(t *testing.T) {
	t.Parallel()
	s := newSite(t, withDiscovery)
	b := s.browser()
	for _, c := range []struct {
		choice string
		reason saml.Reason
	}{{"", saml.NoIdPChosen}, {"&entityID=", saml.NoIdPChosen}, {"&entityID=https://evil.example.com", saml.UnknownDomain}} {
		resp := b.get(b.choose("") + c.choice)
		assert.Equal(t, http.StatusForbidden, resp.StatusCode)
		assert.Empty(t, resp.Header.Get("Location"), "no loop, and no way to a stranger")
		assert.Equal(t, c.reason, s.reason())
	}
	chosen := "&entityID=" + url.QueryEscape(s.idp.EntityID)
	back := b.choose("")
	s.browser().get(back + chosen) // a link that somebody else was given
	assert.Equal(t, saml.BrowserMismatch, s.reason())
	back = b.choose("")
	assert.Equal(t, http.StatusSeeOther, b.get(back+chosen).StatusCode)
	b.get(back + chosen)
	assert.Equal(t, saml.UnknownRequest, s.reason(), "once")
	b.get("https://sp.example.com/sso/login?discovery=made-up" + chosen)
	assert.Equal(t, saml.UnknownRequest, s.reason())
	s.now = s.now.Add(24 * time.Hour)

	plain := newSite(t)
	rec := httptest.NewRecorder()
	assert.ErrorIs(t, plain.sp.StartDiscovery(rec, httptest.NewRequest(http.MethodGet, "https://sp.example.com/", nil), saml.StartOptions{}), saml.NotConfigured)
	for _, change := range []func(*saml.Config){
		func(c *saml.Config) { c.DiscoveryURL = "http://discovery.example.com" },
		func(c *saml.Config) { c.LoginURL = "https://sp.example.com/sso/login?entityID=x" },
	} {
		config := saml.Config{BaseURL: "https://sp.example.com", Trusts: saml.NewMemoryTrusts(), State: saml.NewMemoryState(), DiscoveryURL: "https://discovery.example.com"}
		change(&config)
		_, err := saml.New(config)
		assert.Error(t, err)
	}
}

func TestTrustsForEmail(t *testing.T) {
	t.Parallel()
	trust := func(domain string, state saml.TrustState, domains ...string) saml.LoginTrust {
		idp, err := samltest.New(samltest.Options{EntityID: domain})
		require.NoError(t, err)
		made := idp.Trust()
		made.State, made.EmailDomains = state, domains
		return made
	}
	trusts := []saml.LoginTrust{trust("https://a", saml.Active, "a.example.com", "shared.example.com"), trust("https://b", saml.Active, "B.example.com", "shared.example.com"),
		trust("https://c", saml.Inactive, "c.example.com"), trust("https://d", saml.Active)}
	for address, want := range map[string][]string{
		"x@a.example.com": {"https://a"}, "x@A.EXAMPLE.COM": {"https://a"}, "x@b.example.com.": {"https://b"}, `"a@b.example.com"@a.example.com`: {"https://a"},
		"x@shared.example.com": {"https://a", "https://b"}, "x@c.example.com": nil, "x@sub.a.example.com": nil, "x@example.com": nil, "x": nil, "@a.example.com": nil,
		"x@": nil, "": nil,
	} {
		var got []string
		for _, found := range saml.TrustsForEmail(address, trusts) {
			got = append(got, found.Domain)
		}
		assert.Equal(t, want, got, address)
	}
}
