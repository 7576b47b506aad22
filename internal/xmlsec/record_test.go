package xmlsec_test

import (
	"errors"
	mathrand "math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml/internal/xmlsec"
)

// Verify hands out a table that was written beside the canonical octets, so that nobody need parse them. The tests here
// hold it against the table of somebody who does.

// methods are the canonicalisations that the element of a Reference can have: never with comments.
var methods = []xmlsec.C14N{
	{Exclusive: true}, {Exclusive: true, Prefixes: []string{"", "a", "p", "xs"}}, {}, {V11: true},
}

// assertSameSigned holds against each other, for each element of a document as the signed one, what Verify would hand
// out and what a fresh reading of the same octets says.
func assertSameSigned(t testing.TB, doc string) {
	t.Helper()
	u, err := xmlsec.Parse([]byte(doc), xmlsec.MetadataLimits())
	require.NoError(t, err, "%.200q", doc)
	for e := range descendants(u.Root()) {
		signature, err := e.Signature()
		if err != nil {
			signature = xmlsec.Element{}
		}
		for _, m := range methods {
			sameSigned(t, u, e, xmlsec.Element{}, m)
			if signature.Exists() {
				sameSigned(t, u, e, signature, m)
			}
		}
	}
}

// sameSigned does so for one element, one method, and one child that is left out. A canonical form that is over a limit
// that the document kept (an element may inherit more declarations than it may have) has no fresh reading.
func sameSigned(t testing.TB, u *xmlsec.Unverified, e, skip xmlsec.Element, m xmlsec.C14N) {
	t.Helper()
	s, err := u.Record(e, skip, m)
	if isKind(err, xmlsec.Limit) || isKind(err, xmlsec.UnsupportedAlgorithm) {
		return
	}
	require.NoError(t, err)
	if !skip.Exists() {
		alone, err := u.Canonicalize([]byte("before"), e, m)
		require.NoError(t, err)
		require.Equal(t, "before"+string(s.Bytes()), string(alone), "recording changes what is written")
	}
	fresh, err := xmlsec.Parse(s.Bytes(), xmlsec.Limits{Bytes: len(s.Bytes()), Nodes: 1 << 30, AllowPI: true})
	if isKind(err, xmlsec.Limit) {
		return
	}
	require.NoError(t, err, "%+v gives %q", m, s.Bytes())
	// Messages cannot have processing instructions, and no row of them is recorded. Elsewhere "<?" cannot stand.
	message := !strings.Contains(string(s.Bytes()), "<?")
	sameView(t, s.Root(), fresh.Root(), message)
	if message {
		require.Empty(t, s.Difference(fresh), "%+v gives %q", m, s.Bytes())
	}
}

// sameView demands that two elements, and all below them, look the same from outside.
func sameView(t testing.TB, a, b xmlsec.Element, inner bool) {
	t.Helper()
	require.Equal(t, b.Space(), a.Space())
	require.Equal(t, b.Local(), a.Local())
	require.True(t, a.Is(b.Space(), b.Local()))
	require.Equal(t, b.Text(), a.Text())
	require.Equal(t, b.Count(), a.Count())
	for _, e := range []xmlsec.Element{a, b} { // the quick ways lead to the same place
		if text, ok := e.PlainText(); ok {
			require.Equal(t, e.Text(), string(text))
		}
		for x := range e.Attributes() {
			require.Equal(t, string(x.AppendValue(nil)), string(x.Value()))
		}
	}
	require.Equal(t, attributes(b), attributes(a))
	require.Equal(t, b.Size(), a.Size())
	require.Equal(t, b.Parent().Exists(), a.Parent().Exists())
	if inner {
		require.Equal(t, string(b.AppendInner(nil)), string(a.AppendInner(nil)))
	}
	x, y := a.First(), b.First()
	for ; x.Exists() && y.Exists(); x, y = x.Next(), y.Next() {
		sameView(t, x, y, inner)
	}
	require.Equal(t, y.Exists(), x.Exists())
}

func attributes(e xmlsec.Element) (list [][3]string) {
	for a := range e.Attributes() {
		list = append(list, [3]string{a.Space(), a.Local(), string(a.AppendValue(nil))})
	}
	return list
}

func isKind(err error, kind xmlsec.Kind) bool {
	fault, ok := errors.AsType[*xmlsec.Error](err)
	return ok && fault.Kind == kind
}

// signature is what Verify leaves out.
const signature = `<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#" ds:x="1">a<b ID="in"/><!-- c --></ds:Signature>`

var recorded = []string{
	`<e/>`, `<e>a</e>`, `<e a="1"/>`, `<e>a<b/>c<d/>e</e>`, `<e><b/><!-- --><c/></e>`, `<e>a<!-- -->b<![CDATA[c&]]>d&#13;e</e>`, `<e><![CDATA[]]></e>`, `<e><![CDATA[]]><b/><![CDATA[]]></e>`,
	`<e>` + signature + `</e>`, `<e>a` + signature + `b</e>`, `<e><b/>` + signature + `<c/></e>`, `<e>a<!-- -->` + signature + `<!-- -->b</e>`, `<e> ` + signature + ` <b/> </e>`,
	`<e>&amp;` + signature + `b</e>`, `<e>b` + signature + `&amp;</e>`, `<e><b>` + signature + `</b>` + signature[:0] + `</e>`, `<e>` + signature + `<f/></e>`,
	`<ds:e xmlns:ds="http://www.w3.org/2000/09/xmldsig#">x` + signature + `y<ds:f ds:a="1"/></ds:e>`,
	`<e xmlns="u"><f xmlns=""><g xmlns="u"/></f></e>`, `<p:e xmlns:p="u"><q:e xmlns:q="u"><p:e/><q:e p:a="" q:b=""/></q:e></p:e>`,
	`<e z="1" y="2" xmlns:b="u1" xmlns:a="u2" a:x="3" b:x="4" xml:lang="en" x="5&quot;6'&gt;&lt;&#9;"/>`,
	`<r xml:lang="en" xml:space="preserve" xml:id="i"><e xml:lang="de"><f/></e><g/></r>`, `<r xml:base="u"><e/></r>`,
	`<r xmlns:a="ua" xmlns:p="up" xmlns:xs="uxs" xmlns="ud"><e a:b="1"><p:f/></e><e xmlns:a="other"/></r>`,
	`<e xmlns:p="&amp;&lt;&quot;'&gt;"><p:f p:a="1"/></e>`,
	`<!-- --><e/><!-- -->`, `<e><?p d?>a<?p?>b<f/><?q?></e>`, `<e><f><?p?></f>x<f>y<?p?></f></e>`,
	`<e>]]<!-- -->&gt;</e>`, `<e a="&#13;&#10;"> &#13; </e>`,
	"\ufeff<?xml version='1.0'?>\r\n<e\r\na='1'\r\n>\r\n<f\t/>\r</e\n>\r\n",
}

// req: SE-PARSER SG-SWS
func TestRecordedTable(t *testing.T) {
	t.Parallel()
	for _, doc := range recorded {
		assertSameSigned(t, doc)
	}
	for _, doc := range whole {
		assertSameSigned(t, doc)
	}
}

func TestRecordedTableOfRandomDocuments(t *testing.T) {
	t.Parallel()
	for seed := range uint64(200) {
		doc := newGenerator(2_000_000 + seed).document()
		if _, err := xmlsec.Parse(doc, xmlsec.MetadataLimits()); err == nil {
			// A signature somewhere, to be left out.
			if i := strings.LastIndex(string(doc), "</"); i >= 0 && mathrand.N(2) == 0 && !strings.Contains(string(doc[i:]), "-->") {
				doc = []byte(string(doc[:i]) + signature + string(doc[i:]))
			}
			if _, err := xmlsec.Parse(doc, xmlsec.MetadataLimits()); err == nil {
				assertSameSigned(t, string(doc))
			}
		}
	}
}

// The memory of one reading is used for the next.
func TestRecordedTableInUsedMemory(t *testing.T) {
	t.Parallel()
	r := xmlsec.NewReader()
	for range 2 {
		for _, doc := range recorded {
			u, err := r.Parse([]byte(doc), xmlsec.MetadataLimits())
			require.NoError(t, err)
			for _, m := range methods {
				sameSigned(t, u, u.Root(), xmlsec.Element{}, m)
			}
		}
	}
}

// An element with as many attributes and declarations of its own and of its ancestors as there can be.
func TestRecordedTableAtTheLimits(t *testing.T) {
	t.Parallel()
	var doc strings.Builder
	for i := range 3 {
		doc.WriteString("<e" + strings.ReplaceAll(numbered(xmlsec.MaxDeclarations, " xmlns:q%d='u'"), "q", string(rune('a'+i))))
		doc.WriteString(strings.ReplaceAll(numbered(20, " xml:q%d=''"), "q", string(rune('a'+i))) + ">")
	}
	beyond := doc.String() + "<x" + numbered(xmlsec.MaxAttributes-59, " a%d=''") + "/></e></e></e>"
	doc.WriteString("<x" + numbered(xmlsec.MaxAttributes-60, " a%d=''") + "/></e></e></e>")
	u := parse(t, doc.String())
	inner := u.Root().First().First().First()
	require.True(t, inner.Is("", "x"))
	s, err := u.Record(inner, xmlsec.Element{}, xmlsec.C14N{})
	require.NoError(t, err)
	assert.Len(t, attributes(s.Root()), xmlsec.MaxAttributes)
	assert.Equal(t, 3*xmlsec.MaxDeclarations, strings.Count(string(s.Bytes()), "xmlns:"))
	assertSameSigned(t, doc.String())

	u = parse(t, beyond)
	_, err = u.Record(u.Root().First().First().First(), xmlsec.Element{}, xmlsec.C14N{})
	var e *xmlsec.Error
	require.ErrorAs(t, err, &e)
	assert.Equal(t, xmlsec.Limit, e.Kind)
}
