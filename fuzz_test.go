package saml_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	mathrand "math/rand/v2"
	"os"
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

// forgetful is a store that knows no request and no assertion, so that a login can be tried over and over.
type forgetful struct{}

func (forgetful) Add(context.Context, string, []byte, time.Duration) (bool, error) { return true, nil }
func (forgetful) Get(context.Context, string) ([]byte, bool, error)                { return nil, false, nil }
func (forgetful) Take(context.Context, string) ([]byte, bool, error)               { return nil, false, nil }

// A victim is a service provider, and genuine responses that it accepts. Every process makes the same ones, octet for
// octet: what the fuzzer found in one is found again in another.
type victim struct {
	sp    *saml.ServiceProvider
	bases []genuine
	evil  samltest.Seal // mallory's
}

type genuine struct {
	name  string
	xml   []byte
	login string // all that its login says
}

var theVictim = sync.OnceValues(newVictim)

func newVictim() (*victim, error) {
	key, err := testKey("idp-rsa2048")
	if err != nil {
		return nil, err
	}
	mallory, err := testKey("mallory-rsa2048")
	if err != nil {
		return nil, err
	}
	clock := func() time.Time { return now }
	idp, err := samltest.New(samltest.Options{Key: key, Now: clock})
	if err != nil {
		return nil, err
	}
	trust := idp.Trust()
	trust.AllowIdPInitiated, trust.AllowUnknownInResponseTo = true, true
	v := &victim{evil: samltest.Seal{Key: mallory}}
	v.sp, err = saml.New(saml.Config{BaseURL: "https://sp.example.com", Trusts: saml.NewMemoryTrusts(trust), State: forgetful{}, Now: clock})
	if err != nil {
		return nil, err
	}
	prefixes, defaults := samltest.Style{Protocol: "samlp", Assertion: "saml"}, samltest.Style{Pretty: true, Declaration: true}
	for _, c := range []struct {
		name    string
		sign    samltest.Parts
		style   samltest.Style
		request string
	}{
		{"assertion signed", samltest.SignAssertion, prefixes, ""},
		{"response signed", samltest.SignResponse, prefixes, ""},
		{"both signed", samltest.SignAssertion | samltest.SignResponse, prefixes, "_request"},
		{"assertion signed, default namespaces", samltest.SignAssertion, defaults, "_request"},
		{"response signed, default namespaces", samltest.SignResponse, defaults, "_request"},
		{"both signed, default namespaces", samltest.SignAssertion | samltest.SignResponse, defaults, ""},
	} {
		answer := idp.Answer(samltest.Request{ID: c.request, ACSURL: "https://sp.example.com/sso/acs", SPEntityID: v.sp.EntityID()})
		answer.ID, answer.Sign, answer.Style = "_response", c.sign, c.style
		enrich(answer.Assertion())
		g := genuine{name: c.name, xml: answer.XML()}
		login, err := v.validate(g.xml)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.name, err)
		}
		g.login = describe(login)
		v.bases = append(v.bases, g)
	}
	return v, nil
}

// enrich gives an assertion something of everything that a login hands on.
func enrich(a *samltest.Assertion) {
	a.ID = "_assertion"
	a.Subject.NameID = &samltest.NameID{Value: "alice", Format: samltest.FormatPersistent, NameQualifier: "https://idp.example.com/metadata", SPNameQualifier: "https://sp.example.com/sso/metadata", SPProvidedID: "a1"}
	a.Conditions.OneTimeUse = 1
	a.Conditions.ProxyRestriction = &samltest.ProxyRestriction{Count: "1", Audiences: []string{"https://other.example.com"}}
	a.Statements[0].SessionIndex, a.Statements[0].Authorities = "_session", []string{"https://upstream.example.com"}
	a.Statements[0].SessionNotOnOrAfter = samltest.Time(now.Add(time.Hour))
	a.Attributes = []samltest.Attribute{
		{Name: "urn:oid:0.9.2342.19200300.100.1.3", NameFormat: samltest.NameURI, FriendlyName: "mail", Values: []samltest.Value{{Text: "alice@example.com"}}},
		{Name: "groups", NameFormat: samltest.NameBasic, Values: []samltest.Value{{Text: "users"}, {Text: `R&D <"x">`}, {Nil: true}, {}}},
		{Name: "eptid", Values: []samltest.Value{{Raw: []string{`<saml:NameID xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" Format="` + samltest.FormatPersistent + `">alice-id</saml:NameID>`}}}},
		{Name: "xml", Values: []samltest.Value{{Raw: []string{`<x:a xmlns:x="urn:x" b="1">one<c>two</c></x:a>`}}}},
	}
}

// testKey reads a private key of testdata/keys.
func testKey(name string) (crypto.Signer, error) {
	text, err := os.ReadFile("testdata/keys/" + name + ".TEST-ONLY.key.pem")
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, fmt.Errorf("%s is not PEM", name)
	}
	if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return key, nil
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	return key.(crypto.Signer), nil
}

func (v *victim) validate(xml []byte) (*saml.Login, error) {
	return v.sp.Validate(context.Background(), saml.Posted{SAMLResponse: base64.StdEncoding.EncodeToString(xml)})
}

// describe is all that a login says.
func describe(l *saml.Login) string {
	var s strings.Builder
	count, audiences, proxy := l.ProxyRestriction()
	key, keyErr := l.Subject().AccountKey()
	fmt.Fprintf(&s, "%q %q %v %+v\n%q %v\n", l.ID(), l.Issuer(), l.IssueInstant(), l.Subject(), key, keyErr)
	fmt.Fprintf(&s, "%q %v %v %q %q %t %q %q %t\n", l.SessionIndexes(), l.SessionNotOnOrAfter(), l.AuthnInstant(), l.AuthnContext(), l.AuthenticatingAuthorities(), l.OneTimeUse(), count, audiences, proxy)
	fmt.Fprintf(&s, "%q %q %t %q\n", l.ReturnTo(), l.RequestID(), l.Unsolicited(), l.Trust().Domain)
	for _, a := range l.Attributes() {
		fmt.Fprintf(&s, "%q %q %q %q\n", a.Name, a.NameFormat, a.FriendlyName, a.Values)
		for i := range a.Values {
			id, found := a.NameID(i)
			fmt.Fprintf(&s, "\t%t %q %+v %t\n", a.IsNil(i), a.XML(i), id, found)
		}
	}
	return s.String()
}

// FuzzVerify: whatever is done to a genuine response, it is refused, or its login is the one that was signed.
//
// req: SG-SWS SG-DUPID SG-POS SG-COMMENTS PROF-4.1.4.3-sig
func FuzzVerify(f *testing.F) {
	for i := range 200 {
		program := randomProgram(uint64(i))
		f.Add(program[0], program[1:1+i%24], program[30:30+i/24])
	}
	f.Fuzz(func(t *testing.T, base byte, tree, octets []byte) {
		v, err := theVictim()
		require.NoError(t, err)
		v.attack(t, base, tree, octets)
	})
}

// attack changes a base as told, and reports whether the result was accepted and whether it was changed at all.
func (v *victim) attack(t *testing.T, base byte, tree, octets []byte) (accepted, changed bool) {
	t.Helper()
	g := v.bases[int(base)%len(v.bases)]
	xml := g.xml
	if len(tree) > 0 {
		xml = v.changeTree(xml, tree)
	}
	if len(octets) > 0 {
		xml = changeOctets(xml, octets)
	}
	changed = !bytes.Equal(xml, g.xml)
	login, err := v.validate(xml)
	if err != nil {
		require.True(t, changed, "%s is refused as it is: %v", g.name, err)
		require.Nil(t, login, "a value beside an error")
		var refusal *saml.Error
		require.ErrorAs(t, err, &refusal)
		return false, changed
	}
	require.Equal(t, g.login, describe(login), "%s, changed to %s", g.name, xml)
	return true, changed
}

func randomProgram(seed uint64) []byte {
	r := mathrand.New(mathrand.NewPCG(seed, 0xf0))
	program := make([]byte, 64)
	for i := range program {
		program[i] = byte(r.Uint32())
	}
	return program
}

// The machine of FuzzVerify works: it leaves alone what it is not told to change, most of its changes are refused, and
// some, which touch nothing that is signed or read, are not.
func TestFuzzVerifyMachine(t *testing.T) {
	t.Parallel()
	v, err := theVictim()
	require.NoError(t, err)
	for i, g := range v.bases {
		accepted, changed := v.attack(t, byte(i), nil, nil)
		assert.True(t, accepted && !changed, g.name)
		doc := etree.NewDocument()
		require.NoError(t, doc.ReadFromBytes(g.xml))
		again, err := doc.WriteToBytes()
		require.NoError(t, err)
		login, err := v.validate(again)
		require.NoError(t, err, "%s, read and written by etree: %s", g.name, again)
		assert.Equal(t, g.login, describe(login))
	}
	var accepted, refused [treeChanges]int
	for seed := range uint64(50 * treeChanges) {
		program := randomProgram(seed)
		kind := int(seed % treeChanges)
		program[1] = byte(kind)
		ok, changed := v.attack(t, program[0], program[1:7], nil)
		switch {
		case ok && changed:
			accepted[kind]++
		case !ok:
			refused[kind]++
		}
	}
	t.Logf("accepted by kind of change: %v, refused: %v", accepted, refused)
	for kind := range treeChanges {
		assert.NotZero(t, accepted[kind]+refused[kind], "change %d changes nothing", kind)
	}
	assert.NotZero(t, accepted[splitByComment])
	assert.NotZero(t, accepted[splitByCDATA])
	assert.NotZero(t, accepted[redeclare])
	assert.NotZero(t, refused[resign])
	n := 0
	for seed := range uint64(500) {
		program := randomProgram(seed)
		if ok, changed := v.attack(t, program[0], nil, program[1:8]); ok && changed {
			n++
		}
	}
	assert.NotZero(t, n)
	assert.Less(t, n, 250)
}

// A program is the fuzzer's octets, as decisions. At its end all decisions are 0.
type program []byte

func (p *program) choose(n int) int {
	if n <= 0 || len(*p) == 0 {
		return 0
	}
	c := int((*p)[0])
	*p = (*p)[1:]
	if n > 256 && len(*p) > 0 {
		c = c<<8 | int((*p)[0])
		*p = (*p)[1:]
	}
	return c % n
}

func choice[T any](p *program, from []T) T { return from[p.choose(len(from))] }

const maxChanges = 6 // of one kind, in one attack

// What the octets and the tree are changed with.
var (
	tokens = []string{"<!---->", "<!--", "-->", "<![CDATA[", "]]>", "&#x61;", "&#13;", "&amp;", "\r", "\n", " ", "\t", "\x00", "\xc3", "\ufeff", "mallory", "alice", "@evil.example", "<!DOCTYPE x>", "<?p?>", "/>", ">", "<", "</", "\"", "'", "=",
		" ID=\"_assertion\"", " Id=\"_assertion\"", " xml:id=\"_assertion\"", " xmlns=\"\"", " xmlns=\"urn:oasis:names:tc:SAML:2.0:assertion\"", " xmlns:saml=\"urn:x\"", " xmlns:ds=\"urn:x\"", "_assertion", "_response", "_request",
		"saml:", "samlp:", "ds:", "#", "<saml:NameID>mallory</saml:NameID>", "<saml:AttributeValue>admin</saml:AttributeValue>", "<Signature xmlns=\"http://www.w3.org/2000/09/xmldsig#\"/>", "#WithComments", "sha1", "rsa-sha1", "0", "A", "=", "\u00e9", "%5f"}
	uris = []string{"", "urn:oasis:names:tc:SAML:2.0:assertion", "urn:oasis:names:tc:SAML:2.0:protocol", "http://www.w3.org/2000/09/xmldsig#", "http://www.w3.org/2001/10/xml-exc-c14n#", "urn:x",
		"http://www.w3.org/XML/1998/namespace", "http://www.w3.org/2001/XMLSchema-instance"}
	spaces = []string{"", "saml", "samlp", "ds", "x", "xml", "xmlns", "xsi", "xs"}
	names  = []string{"Response", "Assertion", "Signature", "SignedInfo", "Reference", "Transforms", "Transform", "Object", "KeyInfo", "Issuer", "Subject", "NameID", "SubjectConfirmation", "SubjectConfirmationData", "Conditions",
		"AudienceRestriction", "Audience", "AuthnStatement", "AttributeStatement", "Attribute", "AttributeValue", "Advice", "Extensions", "Status", "EncryptedAssertion", "InclusiveNamespaces", "x"}
	keys = []string{"ID", "Id", "id", "xml:id", "URI", "Algorithm", "PrefixList", "Name", "NameFormat", "Format", "NameQualifier", "Method", "Recipient", "InResponseTo", "NotOnOrAfter", "NotBefore", "Destination", "Version", "IssueInstant",
		"SessionIndex", "xsi:nil", "xsi:type", "saml:ID", "xmlns:x", "AuthnInstant"}
	values = []string{"", "_assertion", "_response", "_other", "#_assertion", "#_response", "#_other", "#", "#xpointer(/)", "mallory", "admin", "true", "https://idp.example.com/metadata", "https://evil.example", "https://sp.example.com/sso/acs",
		"https://sp.example.com/sso/metadata", "2036-01-01T00:00:00Z", "2016-01-01T00:00:00Z", "http://www.w3.org/2001/10/xml-exc-c14n#", "http://www.w3.org/TR/2001/REC-xml-c14n-20010315",
		"http://www.w3.org/2000/09/xmldsig#enveloped-signature", "http://www.w3.org/TR/1999/REC-xpath-19991116", "urn:oasis:names:tc:SAML:2.0:cm:bearer", "xs saml #default"}
)

// changeOctets does what a program says to octets.
func changeOctets(xml []byte, code []byte) []byte {
	p := program(code)
	xml = bytes.Clone(xml)
	for range maxChanges {
		if len(p) == 0 || len(xml) == 0 || len(xml) > 64<<10 {
			break
		}
		kind := p.choose(9)
		at := p.choose(len(xml))
		end := at + p.choose(min(len(xml)-at, 256)) + 1
		switch kind {
		case 0: // flip a bit
			xml[at] ^= 1 << p.choose(8)
		case 1: // insert a token
			xml = splice(xml, at, at, []byte(choice(&p, tokens)))
		case 2: // delete
			xml = splice(xml, at, end, nil)
		case 3: // copy elsewhere
			to := p.choose(len(xml))
			xml = splice(xml, to, to, bytes.Clone(xml[at:end]))
		case 4: // overwrite
			xml[at] = byte(p.choose(256))
		case 5: // replace a token everywhere behind here
			old := choice(&p, tokens)
			xml = append(xml[:at:at], bytes.ReplaceAll(xml[at:], []byte(old), []byte(choice(&p, tokens)))...)
		case 6: // an octet
			xml = splice(xml, at, at, []byte{byte(p.choose(256))})
		case 7: // copy a whole element's worth elsewhere
			if end = bytes.Index(xml[at:], []byte("</")); end > 0 {
				to := p.choose(len(xml))
				xml = splice(xml, to, to, bytes.Clone(xml[at:at+end]))
			}
		case 8: // replace by a token
			xml = splice(xml, at, end, []byte(choice(&p, tokens)))
		}
	}
	return xml
}

func splice(b []byte, from, to int, with []byte) []byte {
	return append(append(b[:from:from], with...), b[to:]...)
}

// The changes of a tree.
const (
	move = iota
	copyElement
	copyEvil
	wrap
	unwrap
	rename
	changePrefix
	redeclare
	splitByComment
	splitByCDATA
	swap
	copySignature
	remove
	setAttribute
	removeAttribute
	setText
	insertInstruction
	renamePrefix
	insertAssertion
	resign
	replaceElement
	splitElement
	appendText
	treeChanges
)

// changeTree does what a program says to the document as a tree.
func (v *victim) changeTree(xml []byte, code []byte) []byte {
	doc := etree.NewDocument()
	if err := doc.ReadFromBytes(xml); err != nil {
		return xml
	}
	p := program(code)
	for range maxChanges {
		all := elements(nil, doc.Root())
		if len(p) == 0 || len(all) == 0 || len(all) > 1000 {
			break
		}
		v.change(doc, all, &p)
	}
	out, err := doc.WriteToBytes()
	if err != nil || len(out) > 64<<10 {
		return xml
	}
	return out
}

func (v *victim) change(doc *etree.Document, all []*etree.Element, p *program) {
	kind := p.choose(treeChanges)
	e := choice(p, all)
	switch kind {
	case move:
		if to := choice(p, all); !isIn(to, e) {
			e.Parent().RemoveChild(e)
			put(to, e, p)
		}
	case copyElement:
		put(choice(p, all), e.Copy(), p)
	case copyEvil:
		put(choice(p, all), evil(e, p), p)
	case wrap:
		w := etree.NewElement(choice(p, names))
		w.Space = choice(p, spaces[:5])
		e.Parent().InsertChildAt(e.Index(), w)
		w.AddChild(e)
	case unwrap:
		if parent := e.Parent(); parent.Parent() != nil { // stays with one root
			for _, c := range slices.Clone(e.Child) {
				parent.InsertChildAt(e.Index(), c)
			}
			parent.RemoveChild(e)
		}
	case rename:
		e.Tag = choice(p, names)
	case changePrefix:
		e.Space = choice(p, spaces)
	case redeclare:
		key := "xmlns"
		if prefix := choice(p, spaces); prefix != "" {
			key = "xmlns:" + prefix
		}
		e.CreateAttr(key, choice(p, uris))
	case splitByComment:
		split(e, p, func() etree.Token { return etree.NewComment(choice(p, []string{"", " x ", "mallory"})) })
	case splitByCDATA:
		split(e, p, func() etree.Token { return etree.NewCData(choice(p, []string{"", "x", "]]"})) })
	case insertInstruction:
		split(e, p, func() etree.Token { return etree.NewProcInst("p", "") })
	case splitElement:
		split(e, p, func() etree.Token { return etree.NewElement(choice(p, names)) })
	case swap:
		siblings := e.Parent().ChildElements()
		if other := choice(p, siblings); other != e {
			i, j := e.Index(), other.Index()
			c := e.Parent()
			c.RemoveChildAt(max(i, j))
			first := c.RemoveChildAt(min(i, j))
			last := other
			if i > j {
				last = e
			}
			c.InsertChildAt(min(i, j), last)
			c.InsertChildAt(max(i, j), first)
		}
	case copySignature:
		signatures := slices.DeleteFunc(slices.Clone(all), func(e *etree.Element) bool { return e.Tag != "Signature" })
		if len(signatures) > 0 {
			put(e, choice(p, signatures).Copy(), p)
		}
	case remove:
		e.Parent().RemoveChild(e)
	case setAttribute:
		e.CreateAttr(choice(p, keys), choice(p, values))
	case removeAttribute:
		if len(e.Attr) > 0 {
			a := choice(p, e.Attr)
			e.RemoveAttr(a.FullKey())
		}
	case setText:
		e.SetText(choice(p, values))
	case appendText:
		e.CreateText(choice(p, values))
	case renamePrefix:
		renameAll(doc, choice(p, spaces), choice(p, []string{"x", "q", "saml", "samlp", "ds", "a-1"}))
	case insertAssertion:
		put(e, evilAssertion(all, p), p)
	case resign:
		if e.SelectAttr("ID") != nil {
			for _, s := range e.SelectElements("Signature") {
				e.RemoveChild(s)
			}
			_ = v.evil.Enveloped(e) // what cannot be signed stays as it is
		}
	case replaceElement:
		if other := choice(p, all); !isIn(other, e) && !isIn(e, other) {
			c := evil(other, p)
			e.Parent().InsertChildAt(e.Index(), c)
			e.Parent().RemoveChild(e)
		}
	}
}

// elements appends e and all elements below it, in document order.
func elements(list []*etree.Element, e *etree.Element) []*etree.Element {
	if e == nil {
		return list
	}
	list = append(list, e)
	for _, c := range e.Child {
		if c, ok := c.(*etree.Element); ok {
			list = elements(list, c)
		}
	}
	return list
}

// put inserts an element among the children of another; there are not many with more than 256.
func put(parent, e *etree.Element, p *program) {
	parent.InsertChildAt(p.choose(len(parent.Child)+1), e)
}

func isIn(e, ancestor *etree.Element) bool {
	for ; e != nil; e = e.Parent() {
		if e == ancestor {
			return true
		}
	}
	return false
}

// evil is a copy about mallory, with the same ID, another or none.
func evil(e *etree.Element, p *program) *etree.Element {
	c := e.Copy()
	id := choice(p, []string{"", "_other", "same"})
	for _, x := range elements(nil, c) {
		if strings.Contains(x.Text(), "alice") {
			x.SetText(strings.ReplaceAll(x.Text(), "alice", "mallory"))
		}
		switch {
		case id == "":
			x.RemoveAttr("ID")
		case id != "same" && x.SelectAttr("ID") != nil:
			x.CreateAttr("ID", id+x.Tag)
		}
	}
	return c
}

// evilAssertion is an assertion about mallory, with the genuine signature or without.
func evilAssertion(all []*etree.Element, p *program) *etree.Element {
	i := slices.IndexFunc(all, func(e *etree.Element) bool { return e.Tag == "Assertion" })
	if i < 0 {
		return etree.NewElement("Assertion")
	}
	c := evil(all[i], p)
	for _, s := range c.SelectElements("Signature") {
		if p.choose(2) == 0 {
			c.RemoveChild(s)
		}
	}
	return c
}

// split puts something into an element's text, or among its children.
func split(e *etree.Element, p *program, what func() etree.Token) {
	text := e.Text()
	if text == "" {
		e.InsertChildAt(p.choose(len(e.Child)+1), what())
		return
	}
	at := p.choose(len(text) + 1)
	rest := slices.Clone(e.Child[1:])
	for _, c := range slices.Clone(e.Child) {
		e.RemoveChild(c)
	}
	e.CreateText(text[:at])
	token := what()
	if cdata, ok := token.(*etree.CharData); ok && p.choose(2) == 0 {
		// the second half itself in CDATA, which is the same text
		cdata.Data, text = text[at:], text[:at]
	}
	e.AddChild(token)
	e.CreateText(text[at:])
	for _, c := range rest {
		e.AddChild(c)
	}
}

// renameAll gives a prefix another name throughout, declarations included.
func renameAll(doc *etree.Document, from, to string) {
	for _, e := range elements(nil, doc.Root()) {
		if e.Space == from {
			e.Space = to
		}
		for i := range e.Attr {
			a := &e.Attr[i]
			switch {
			case a.Space == "xmlns" && a.Key == from && from != "":
				a.Key = to
			case a.Space == from && from != "":
				a.Space = to
			case from == "" && a.Space == "" && a.Key == "xmlns":
				a.Space, a.Key = "xmlns", to
			}
		}
	}
}
