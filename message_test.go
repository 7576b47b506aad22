package saml_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml"
	"github.com/logintrust/saml/samltest"
)

// What real messages look like: all of this is ordinary.
//
// req: SE-PARSER IIP-SSO07 IIP-EXT01 RP-ASSERTPOS CORE-5.4.3 SE-ENC CORE-5.4.5
func TestOrdinaryMessages(t *testing.T) {
	t.Parallel()
	style := func(s samltest.Style) func(*samltest.Answer) { return func(a *samltest.Answer) { a.Style = s } }
	octets := func(f func([]byte) []byte) func(*samltest.Answer) { return func(a *samltest.Answer) { a.Bytes = f } }
	prefixed := func(s string) func(*samltest.Answer) {
		return octets(func(b []byte) []byte { return append([]byte(s), b...) })
	}
	for name, edit := range map[string]func(*samltest.Answer){
		"default namespaces":      style(samltest.Style{}),
		"odd prefixes":            style(samltest.Style{Protocol: "xs", Assertion: "ds"}),
		"pretty":                  style(samltest.Style{Protocol: "p", Assertion: "a", Pretty: true, Declaration: true}),
		"byte order mark":         prefixed("\xef\xbb\xbf"),
		"declaration":             prefixed(`<?xml version="1.0"?>`),
		"declaration, full":       prefixed("<?xml\tversion = '1.0'\n encoding = 'utf-8' standalone='no' ?>\r\n"),
		"mark and declaration":    prefixed("\xef\xbb\xbf<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- made by hand -->\n"),
		"comment behind the root": octets(func(b []byte) []byte { return append(b, "\n<!-- end -->\n"...) }),
		"comment between elements": octets(func(b []byte) []byte {
			return bytes.Replace(b, []byte("<saml:Subject>"), []byte("<!-- who --><saml:Subject>"), 1)
		}),
		"no KeyInfo": func(a *samltest.Answer) { a.Seal.Certificate = nil },
		"a prefix list": func(a *samltest.Answer) {
			a.Seal.Prefixes = []string{"xs", "xsi", "#default", "unheard"}
		},
		"extensions": func(a *samltest.Answer) { a.Extensions = []string{`<x:Any xmlns:x="urn:x" y="1"><x:z/></x:Any>`} },
		"consent":    func(a *samltest.Answer) { a.Consent = "urn:oasis:names:tc:SAML:2.0:consent:obtained" },
		"advice": func(a *samltest.Answer) {
			a.Assertion().Advice = []string{`<saml:AssertionIDRef xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">_x</saml:AssertionIDRef>`}
		},
		"an assertion in the advice": func(a *samltest.Answer) {
			a.Assertion().Advice = []string{`<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_advice" Version="2.0" IssueInstant="2026-01-01T00:00:00Z"><saml:Issuer>x</saml:Issuer></saml:Assertion>`}
		},
		"status detail":             func(a *samltest.Answer) { a.Status.Detail = []string{`<x:Cause xmlns:x="urn:x"/>`} },
		"fifty attributes":          func(a *samltest.Answer) { addAttributes(a, 50) },
		"empty attribute statement": func(a *samltest.Answer) { a.Assertion().Attributes = []samltest.Attribute{} },
		"no attribute statement":    func(a *samltest.Answer) { a.Assertion().Attributes = nil },
		"nine fraction digits":      func(a *samltest.Answer) { a.Assertion().IssueInstant = "2026-03-14T15:09:26.535897932Z" },
		"no fraction":               func(a *samltest.Answer) { a.Assertion().IssueInstant = "2026-03-14T15:09:26Z" },
		"an offset":                 func(a *samltest.Answer) { a.Assertion().IssueInstant = "2026-03-14T16:09:26+01:00" },
		"supplementary characters": func(a *samltest.Answer) {
			a.Assertion().Attributes = append(a.Assertion().Attributes, samltest.Attr("𝒩", "𝓋"))
		},
	} {
		for _, sign := range []func(*samltest.Answer){signAssertion, signResponse, signBoth} {
			login, err := newWorld(t).login(sign, edit)
			require.NoError(t, err, name)
			require.NotNil(t, login)
		}
	}
}

func addAttributes(a *samltest.Answer, n int) {
	for i := range n {
		a.Assertion().Attributes = append(a.Assertion().Attributes, samltest.Attr(fmt.Sprintf("urn:example:%d", i), "v"))
	}
}

// req: BIND-3.5.4-wrap
func TestWrappedBase64(t *testing.T) {
	t.Parallel()
	for _, sep := range []string{"\r\n", "\n", " ", "\t", " \r\n "} {
		w := newWorld(t)
		started, request := w.start(saml.StartOptions{})
		encoded := w.idp.Answer(request).Encode()
		var lines []string
		for ; len(encoded) > 76; encoded = encoded[76:] {
			lines = append(lines, encoded[:76])
		}
		login, err := w.sp.Validate(t.Context(), saml.Posted{SAMLResponse: sep + strings.Join(append(lines, encoded), sep) + sep,
			BrowserKey: started.BrowserKey})
		accepted(t, login, err)
	}
}

// Carriage returns in base64 inside the message, raw and as references, as Java writes them.
func TestCarriageReturnsInSignatureValues(t *testing.T) {
	t.Parallel()
	login, err := newWorld(t).login(func(a *samltest.Answer) {
		a.AfterSign = func(response *etree.Element) {
			value := response.FindElement(".//SignatureValue")
			text := value.Text()
			value.SetText(text[:40] + "\r\n" + text[40:80] + "\r\n" + text[80:] + "\r\n")
		}
		a.Bytes = func(b []byte) []byte {
			require.Contains(t, string(b), "&#xD;")
			return b
		}
	})
	accepted(t, login, err)
}

// A CRLF document verifies, since a reader turns line ends into line feeds before anything is signed or verified.
func TestLineEnds(t *testing.T) {
	t.Parallel()
	login, err := newWorld(t).login(func(a *samltest.Answer) {
		a.Style = samltest.Style{Protocol: "p", Assertion: "a", Pretty: true}
		a.Bytes = func(b []byte) []byte { return bytes.ReplaceAll(b, []byte("\n"), []byte("\r\n")) }
	})
	accepted(t, login, err)
}

// req: SG-COMMENTS
func TestCommentsDoNotSplitValues(t *testing.T) {
	t.Parallel()
	const whole = "user@sp.example.com.evil.example.net"
	login, err := newWorld(t).login(func(a *samltest.Answer) {
		a.Assertion().Subject.NameID.Value = whole
		a.Assertion().Attributes = []samltest.Attribute{samltest.Attr("mail", whole)}
		a.Bytes = func(b []byte) []byte {
			return bytes.ReplaceAll(b, []byte(whole), []byte("user@sp.example.com<!-- x -->.evil.<![CDATA[example]]>.net"))
		}
	})
	accepted(t, login, err)
	assert.Equal(t, whole, login.Subject().NameID.Value)
	assert.Equal(t, []string{whole}, login.Attribute("mail"))
}

// req: IIP-G02 AN-PRESERVE AN-NOSPLIT
func TestLongAndOddValues(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("𝕏", 255) + "é"
	odd := " a;b,c \t\n<&>\"' \u00a0\u2028 "
	login, err := newWorld(t).login(func(a *samltest.Answer) {
		a.Assertion().Subject.NameID = &samltest.NameID{Value: long, Format: saml.NameIDPersistent, NameQualifier: "n q",
			SPNameQualifier: "https://sp.example.com/sso/metadata", SPProvidedID: "<p>"}
		a.Assertion().Attributes = []samltest.Attribute{samltest.Attr("odd", odd, "", long)}
	})
	accepted(t, login, err)
	assert.Equal(t, saml.NameID{Value: long, Format: saml.NameIDPersistent, NameQualifier: "n q",
		SPNameQualifier: "https://sp.example.com/sso/metadata", SPProvidedID: "<p>"}, login.Subject().NameID)
	assert.Equal(t, []string{odd, "", long}, login.Attribute("odd"))
}

// req: IIP-SP01 IIP-SP02 IIP-SP10 IIP-SP11 E49 CORE-2.7.3.1-nf AN-EMPTY SDP-SP19 X500-cmp
func TestAttributes(t *testing.T) {
	t.Parallel()
	const eptid = "urn:oid:1.3.6.1.4.1.5923.1.1.1.10"
	login, err := newWorld(t).login(func(a *samltest.Answer) {
		a.Assertion().Attributes = []samltest.Attribute{
			{Name: "urn:oid:0.9.2342.19200300.100.1.3", NameFormat: samltest.NameURI, FriendlyName: "mail", Values: []samltest.Value{{Text: "a@x", Type: "xs:string"}, {Text: "b@x"}}},
			{Name: "groups", NameFormat: samltest.NameBasic, Values: []samltest.Value{{Text: "one"}, {Text: "two"}}},
			{Name: "groups", NameFormat: samltest.NameURI, Values: []samltest.Value{{Text: "other"}}},
			{Name: "groups", NameFormat: samltest.NameBasic, Values: []samltest.Value{{Text: "three"}, {Text: "one"}}},
			{Name: "plain words é", Values: []samltest.Value{{Text: "7", Type: "xs:integer"}}},
			{Name: "none"},
			{Name: "empty", Values: []samltest.Value{{}}},
			{Name: "nil", Values: []samltest.Value{{Text: "x"}, {Nil: true}}},
			{Name: "evil", FriendlyName: "urn:oid:2.5.4.4", Values: []samltest.Value{{Text: "no"}}},
			{Name: eptid, NameFormat: samltest.NameURI, Values: []samltest.Value{{Raw: []string{
				`<saml:NameID xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" Format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent" NameQualifier="idp" SPNameQualifier="sp">opaque</saml:NameID>`}}}},
			{Name: "xml", Values: []samltest.Value{{Raw: []string{`<x:a xmlns:x="urn:x" b="1">t</x:a>`}}}},
		}
	})
	accepted(t, login, err)
	assert.Equal(t, []string{"a@x", "b@x"}, login.Attribute("urn:oid:0.9.2342.19200300.100.1.3"))
	assert.Equal(t, []string{"a@x", "b@x"}, login.Attribute("URN:OID:0.9.2342.19200300.100.1.3"))
	assert.Nil(t, login.Attribute("mail"), "a FriendlyName is not a name")
	assert.Nil(t, login.Attribute("urn:oid:2.5.4.4"))
	assert.Equal(t, []string{"one", "two", "three", "one"}, login.AttributeOf(saml.AttributeNameBasic, "groups"))
	assert.Equal(t, []string{"other"}, login.AttributeOf(saml.AttributeNameURI, "groups"))
	assert.Equal(t, []string{"7"}, login.AttributeOf(saml.AttributeNameUnspecified, "plain words é"))
	byName := map[string]saml.Attribute{}
	for _, a := range login.Attributes() {
		byName[a.Name] = a
	}
	none, empty, null := byName["none"], byName["empty"], byName["nil"]
	assert.Empty(t, none.Values)
	assert.Equal(t, []string{""}, empty.Values)
	assert.False(t, empty.IsNil(0))
	assert.Equal(t, []string{"x", ""}, null.Values)
	assert.False(t, null.IsNil(0))
	assert.True(t, null.IsNil(1))
	targeted := byName[eptid]
	id, found := targeted.NameID(0)
	require.True(t, found)
	assert.Equal(t, saml.NameID{Value: "opaque", Format: saml.NameIDPersistent, NameQualifier: "idp", SPNameQualifier: "sp"}, id)
	assert.Equal(t, []string{"opaque"}, targeted.Values)
	xml := byName["xml"]
	assert.Equal(t, `<x:a xmlns:x="urn:x" b="1">t</x:a>`, xml.XML(0))
	assert.Len(t, login.Attributes(), 10, "repeated elements are one attribute")
}

func TestFiveThousandGroups(t *testing.T) {
	t.Parallel()
	values := make([]string, 5000)
	for i := range values {
		values[i] = fmt.Sprintf("CN=group-%05d,OU=Groups,DC=example,DC=com", i)
	}
	repeated := make([]samltest.Attribute, 0, len(values))
	for _, v := range values {
		repeated = append(repeated, samltest.Attr("groups", v))
	}
	distinct := make([]samltest.Attribute, 0, len(values))
	for _, v := range values {
		distinct = append(distinct, samltest.Attr(v, "1"))
	}
	for name, attributes := range map[string][]samltest.Attribute{"one attribute": {samltest.Attr("groups", values...)}, "repeated": repeated} {
		login, err := newWorld(t).login(signBoth, func(a *samltest.Answer) { a.Assertion().Attributes = attributes })
		accepted(t, login, err)
		assert.Equal(t, values, login.Attribute("groups"), name)
	}
	login, err := newWorld(t).login(func(a *samltest.Answer) { a.Assertion().Attributes = distinct })
	accepted(t, login, err)
	assert.Len(t, login.Attributes(), len(values))
}

// req: CONF-3.3 E60 CORE-8.3.7-key IIP-SP12 CORE-8.3.8 SDP-SP18
func TestNameIDFormats(t *testing.T) {
	t.Parallel()
	subject := func(issuer string, id samltest.NameID) saml.Subject {
		w := newWorld(t)
		if issuer != "" {
			idp, err := samltest.New(samltest.Options{EntityID: issuer, Now: func() time.Time { return now }})
			require.NoError(t, err)
			w.idp = idp
			w.trusts.Set(idp.Trust())
		}
		login, err := w.login(func(a *samltest.Answer) { a.Assertion().Subject.NameID = &id })
		return accepted(t, login, err).Subject()
	}
	for _, format := range []string{"urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified", "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress",
		"urn:oasis:names:tc:SAML:1.1:nameid-format:X509SubjectName", "urn:oasis:names:tc:SAML:1.1:nameid-format:WindowsDomainQualifiedName",
		"urn:oasis:names:tc:SAML:2.0:nameid-format:kerberos", "urn:oasis:names:tc:SAML:2.0:nameid-format:entity",
		"urn:oasis:names:tc:SAML:2.0:nameid-format:persistent", "urn:oasis:names:tc:SAML:2.0:nameid-format:transient", "urn:x:own"} {
		s := subject("", samltest.NameID{Value: "v", Format: format})
		assert.Equal(t, format, s.NameID.Format)
		key, err := s.AccountKey()
		if format == saml.NameIDTransient {
			assert.ErrorIs(t, err, saml.ErrNoAccountKey)
			continue
		}
		require.NoError(t, err)
		assert.NotContains(t, key, "v v")
	}
	assert.Equal(t, saml.NameIDUnspecified, subject("", samltest.NameID{Value: "v"}).NameID.Format)

	key := func(s saml.Subject) string {
		k, err := s.AccountKey()
		require.NoError(t, err)
		return k
	}
	persistent := samltest.NameID{Value: "abc", Format: saml.NameIDPersistent}
	qualified := persistent
	qualified.NameQualifier, qualified.SPNameQualifier = "https://idp.example.com/metadata", "https://sp.example.com/sso/metadata"
	foreign := persistent
	foreign.NameQualifier = "https://elsewhere.example.com"
	own := key(subject("", persistent))
	assert.Equal(t, own, key(subject("", qualified)), "the defaults of Core 8.3.7")
	assert.NotEqual(t, own, key(subject("", foreign)))
	assert.NotEqual(t, own, key(subject("https://other.example.com", persistent)), "the same value from two IdPs")
	assert.NotEqual(t, own, key(subject("", samltest.NameID{Value: "abc"})), "another format")
	_, err := saml.Subject{}.AccountKey()
	assert.ErrorIs(t, err, saml.ErrNoAccountKey)
}

// req: AS-AUTHORITIES CORE-2.5.1.6 AS-INDEX E26-snooa NIST-6-session
func TestWhatALoginTells(t *testing.T) {
	t.Parallel()
	login, err := newWorld(t).login(func(a *samltest.Answer) {
		s := &a.Assertion().Statements[0]
		s.SessionIndex, s.Authorities, s.ClassRef = "_session", []string{"https://a", "https://b", "https://c"}, "urn:mfa"
		s.SessionNotOnOrAfter = at(8 * time.Hour)
		second := *s
		second.SessionIndex, second.SessionNotOnOrAfter = "_second", at(time.Hour)
		a.Assertion().Statements = append(a.Assertion().Statements, second)
		a.Assertion().Conditions.ProxyRestriction = &samltest.ProxyRestriction{Count: "0", Audiences: []string{"urn:x"}}
		a.Assertion().Conditions.OneTimeUse = 1
	})
	accepted(t, login, err)
	assert.Equal(t, []string{"_session", "_second"}, login.SessionIndexes())
	assert.Equal(t, now.Add(time.Hour), login.SessionNotOnOrAfter(), "the earliest")
	assert.Equal(t, []string{"urn:mfa", "urn:mfa"}, login.AuthnContext())
	assert.Equal(t, []string{"https://a", "https://b", "https://c"}, login.AuthenticatingAuthorities()[:3])
	count, audiences, found := login.ProxyRestriction()
	assert.True(t, found)
	assert.Equal(t, "0", count)
	assert.Equal(t, []string{"urn:x"}, audiences)
	assert.True(t, login.OneTimeUse())

	login, err = newWorld(t).login(statement(func(s *samltest.AuthnStatement) { s.SessionNotOnOrAfter = "" }),
		conditions(func(c *samltest.Conditions) { c.NotOnOrAfter = at(time.Minute) }))
	accepted(t, login, err)
	assert.True(t, login.SessionNotOnOrAfter().IsZero(), "conditions say nothing about the session")
}

// No NameID, attribute value, assertion or key stands in an error.
//
// req: CORE-8.3.7-log SE-LOG
func TestErrorsHoldNoPersonalData(t *testing.T) {
	t.Parallel()
	const secret = "Zaphod-4711"
	for _, edit := range []func(*samltest.Answer){
		func(a *samltest.Answer) { a.Assertion().Conditions.Audiences = nil },
		func(a *samltest.Answer) { a.Sign = samltest.SignNothing },
		func(a *samltest.Answer) { a.Bytes = replaceBytes("Success", "Succes") },
		func(a *samltest.Answer) { a.Bytes = replaceBytes(secret, secret+"<x>") },
		func(a *samltest.Answer) { a.Bytes = replaceBytes(secret, secret+"\x01") },
		func(a *samltest.Answer) { a.Bytes = replaceBytes(secret, secret+"&foo;") },
		func(a *samltest.Answer) { a.Assertion().Subject.NameID.SPNameQualifier = "urn:other" },
		func(a *samltest.Answer) { a.Assertion().Subject.Confirmations = nil },
		func(a *samltest.Answer) { a.Bytes = func(b []byte) []byte { return b[:len(b)-3] } },
	} {
		_, err := newWorld(t).login(func(a *samltest.Answer) {
			a.Assertion().Subject.NameID.Value = secret
			a.Assertion().Attributes = []samltest.Attribute{samltest.Attr("mail", secret)}
		}, edit)
		require.Error(t, err)
		assert.NotContains(t, fmt.Sprintf("%v %+v", err, err), secret)
	}
}

// req: IIP-G03 SE-GOXML SE-XXE SE-LIMITS SG-DUPID SG-IDATTR RP-SCHEMA SE-ENC
func TestHostileMessages(t *testing.T) {
	t.Parallel()
	doctype := `<!DOCTYPE r [<!ENTITY a "aaaaaaaaaa"><!ENTITY x SYSTEM "file:///etc/passwd">]>`
	body := func(s string) []byte {
		return []byte(`<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="_r" Version="2.0" IssueInstant="2026-03-14T15:09:26Z">` + s + `</samlp:Response>`)
	}
	for name, c := range map[string]struct {
		xml    []byte
		reason saml.Reason
	}{
		"doctype":                {append([]byte(doctype), body("&a;")...), saml.BadResponse},
		"entity":                 {body("&a;"), saml.BadResponse},
		"processing instruction": {body("<?php x?>"), saml.BadResponse},
		"two roots":              {append(body(""), body("")...), saml.BadResponse},
		"text behind":            {append(body(""), 'x'), saml.BadResponse},
		"unbound prefix":         {body("<x:y/>"), saml.BadResponse},
		"colons":                 {body("<a:b:c xmlns:a='urn:a'/>"), saml.BadResponse},
		"duplicate attribute":    {body(`<a b="1" b="2"/>`), saml.BadResponse},
		"same attribute by two prefixes": {
			body(`<a xmlns:x="urn:x" xmlns:y="urn:x" x:b="1" y:b="2"/>`), saml.BadResponse},
		"duplicate ID":         {body(`<a ID="_1"/><b ID="_1"/>`), saml.BadResponse},
		"ID and xml:id":        {body(`<a ID="_1"/><b xml:id="_1"/>`), saml.BadResponse},
		"NUL":                  {body("\x00"), saml.BadResponse},
		"invalid UTF-8":        {body("\xff"), saml.BadResponse},
		"overlong UTF-8":       {body("\xc0\xbc"), saml.BadResponse},
		"surrogate":            {body("\xed\xa0\x80"), saml.BadResponse},
		"U+FFFE":               {body("\uFFFE"), saml.BadResponse},
		"reference to NUL":     {body("&#0;"), saml.BadResponse},
		"reference to U+FFFF":  {body("&#xFFFF;"), saml.BadResponse},
		"reference beyond":     {body("&#x110000;"), saml.BadResponse},
		"UTF-16":               {[]byte("\xff\xfe<\x00a\x00/\x00>\x00"), saml.BadResponse},
		"declared Latin-1":     {append([]byte(`<?xml version="1.0" encoding="ISO-8859-1"?>`), body("")...), saml.BadResponse},
		"XML 1.1":              {append([]byte(`<?xml version="1.1"?>`), body("")...), saml.BadResponse},
		"declaration twice":    {append([]byte(`<?xml version="1.0"?><?xml version="1.0"?>`), body("")...), saml.BadResponse},
		"less-than in a value": {body(`<a b="<"/>`), saml.BadResponse},
		"]]> in text":          {body("]]>"), saml.BadResponse},
		"-- in a comment":      {body("<!-- -- -->"), saml.BadResponse},
		"not closed":           {body("<a>"), saml.BadResponse},
		"crossed":              {body("<a><b></a></b>"), saml.BadResponse},
		"cut":                  {body("")[:40], saml.BadResponse},
		"nothing":              {[]byte(" "), saml.BadResponse},
		"100,000 levels":       {body(strings.Repeat("<a>", 100_000)), saml.TooLarge},
		"100,000 attributes":   {body("<a" + many(100_000, ` a%d=""`) + "/>"), saml.TooLarge},
		"namespace flood":      {body("<a" + many(100_000, ` xmlns:a%d="urn:%[1]d"`) + "/>"), saml.TooLarge},
		"prefix flood":         {body(many(50_000, `<a%d:b xmlns:a%[1]d="urn:%[1]d"/>`)), saml.TooLarge},
		"re-declaration flood": {body(many(30_000, `<a xmlns="urn:%d">`)), saml.TooLarge},
		"a long name":          {body("<" + strings.Repeat("a", 100_000) + "/>"), saml.TooLarge},
		"a million elements":   {body(strings.Repeat("<a/>", 700_000)), saml.TooLarge},
		"10 MB of text":        {body(strings.Repeat("a", 10<<20)), saml.TooLarge},
		"3 MB of text":         {body(strings.Repeat("a", 3<<20-1000)), saml.WrongIssuer},
		"another message":      {[]byte(`<LogoutRequest xmlns="urn:oasis:names:tc:SAML:2.0:protocol"/>`), saml.BadResponse},
		"another namespace":    {[]byte(`<Response ID="_1" Version="2.0" IssueInstant="2026-03-14T15:09:26Z"/>`), saml.BadResponse},
		"SAML 1.1":             {[]byte(`<Response xmlns="urn:oasis:names:tc:SAML:1.0:protocol" ResponseID="_1"/>`), saml.BadResponse},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, allowIdPInitiated)
			begun := time.Now()
			login, err := w.sp.Validate(t.Context(), saml.Posted{SAMLResponse: base64.StdEncoding.EncodeToString(c.xml)})
			refused(t, c.reason, login, err)
			assert.Less(t, time.Since(begun), 5*time.Second)
		})
	}
}

// What an IdP signed is held against the shape that the schemas have, too.
//
// req: RP-SCHEMA AN-BASEID
func TestSignedButMisshapen(t *testing.T) {
	t.Parallel()
	twice := func(path string) func(*etree.Element) {
		return func(response *etree.Element) {
			e := response.FindElement(path)
			e.Parent().InsertChildAt(e.Index()+1, e.Copy())
		}
	}
	add := func(path, name string) func(*etree.Element) {
		return func(response *etree.Element) { response.FindElement(path).CreateElement(name) }
	}
	for name, c := range map[string]struct {
		edit   func(*etree.Element)
		reason saml.Reason
	}{
		"two Subjects":            {twice(".//Subject"), saml.BadResponse},
		"two NameIDs":             {twice(".//NameID"), saml.BadResponse},
		"two Conditions":          {twice(".//Conditions"), saml.BadResponse},
		"two Statuses":            {twice("./Status"), saml.BadResponse},
		"two Issuers":             {twice(".//Assertion/Issuer"), saml.BadResponse},
		"two AuthnContexts":       {twice(".//AuthnContext"), saml.BadResponse},
		"unknown in assertion":    {add(".//Assertion", "saml:Other"), saml.BadResponse},
		"unknown in Subject":      {add(".//Subject", "saml:Other"), saml.BadResponse},
		"unknown in restriction":  {add(".//AudienceRestriction", "saml:Other"), saml.BadResponse},
		"unknown in Attribute":    {add(".//Attribute", "saml:Other"), saml.BadResponse},
		"unknown in statement":    {add(".//AttributeStatement", "saml:Other"), saml.BadResponse},
		"encrypted attribute":     {add(".//AttributeStatement", "saml:EncryptedAttribute"), saml.EncryptedAssertion},
		"attribute without Name":  {func(r *etree.Element) { r.FindElement(".//Attribute").RemoveAttr("Name") }, saml.BadResponse},
		"assertion without ID":    {func(r *etree.Element) { r.FindElement(".//Assertion").RemoveAttr("ID") }, saml.BadResponse},
		"empty assertion ID":      {func(r *etree.Element) { r.FindElement(".//Assertion").CreateAttr("ID", "") }, saml.BadResponse},
		"BaseID":                  {func(r *etree.Element) { r.FindElement(".//NameID").Tag = "BaseID" }, saml.NoSubject},
		"EncryptedID":             {func(r *etree.Element) { r.FindElement(".//NameID").Tag = "EncryptedID" }, saml.EncryptedAssertion},
		"an extension statement":  {func(r *etree.Element) { r.FindElement(".//Assertion").CreateElement("saml:Statement") }, ""},
		"an authorization":        {func(r *etree.Element) { r.FindElement(".//Assertion").CreateElement("saml:AuthzDecisionStatement") }, ""},
		"subject in another name": {func(r *etree.Element) { r.FindElement(".//Subject").Tag = "subject" }, saml.BadResponse},
		"foreign namespace": {func(r *etree.Element) {
			e := r.FindElement(".//Subject")
			e.Space = "f"
			e.CreateAttr("xmlns:f", "urn:foreign")
		}, saml.BadResponse},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			login, err := newWorld(t).login(signResponse, func(a *samltest.Answer) { a.BeforeSign = c.edit })
			if c.reason == "" {
				accepted(t, login, err)
				return
			}
			refused(t, c.reason, login, err)
		})
	}
}

func many(n int, format string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}
