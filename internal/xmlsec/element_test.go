package xmlsec_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/logintrust/saml/internal/xmlsec"
)

const tree = `<!-- before --><a:root xmlns:a="urn:a" xmlns="urn:d" one="1" a:one="2" xml:lang="en">
  text<first x="&amp;"/><!-- c --><a:second>in<third><first/></third></a:second><first/>&lt;<![CDATA[>]]>
</a:root><!-- after -->`

func TestElement(t *testing.T) {
	t.Parallel()
	root := parse(t, tree).Root()
	assert.True(t, root.Exists())
	assert.True(t, root.Is("urn:a", "root"))
	for _, wrong := range [][2]string{{"urn:d", "root"}, {"", "root"}, {"urn:a", "a:root"}, {"urn:a", "Root"}, {"urn:a", ""}, {"urn:aroot", ""}} {
		assert.False(t, root.Is(wrong[0], wrong[1]), "%q", wrong)
	}
	assert.Equal(t, "urn:a", root.Space())
	assert.Equal(t, "root", root.Local())
	assert.False(t, root.Parent().Exists())
	assert.False(t, root.Next().Exists(), "comments are no elements")
	assert.Equal(t, "\n  text<>\n", root.Text())

	names := func(e xmlsec.Element) (list []string) {
		for c := range e.Children() {
			list = append(list, "{"+c.Space()+"}"+c.Local())
			assert.Equal(t, e, c.Parent())
		}
		return list
	}
	assert.Equal(t, []string{"{urn:d}first", "{urn:a}second", "{urn:d}first"}, names(root))
	assert.Equal(t, root.Child("urn:a", "second"), root.First().Next())
	assert.Equal(t, root.First(), root.Child("urn:d", "first"), "the first of two")
	assert.False(t, root.Child("urn:d", "third").Exists(), "a grandchild")
	assert.False(t, root.Child("", "first").Exists())
	assert.Equal(t, []string{"{urn:d}third"}, names(root.Child("urn:a", "second")))
	assert.Empty(t, names(root.First()))
	assert.Equal(t, 3, root.Count())
	assert.Zero(t, root.First().Count())
	for c := range root.Children() {
		assert.Equal(t, root.First(), c)
		break
	}
}

func TestElementAttributes(t *testing.T) {
	t.Parallel()
	root := parse(t, tree).Root()
	assert.Equal(t, [][3]string{{"", "one", "1"}, {"urn:a", "one", "2"}, {xmlsec.XMLNamespace, "lang", "en"}}, attributes(root), "without declarations")
	one, found := root.Attr("one")
	assert.True(t, found)
	assert.Equal(t, "1", one)
	two, found := root.Find("urn:a", "one")
	assert.True(t, found)
	assert.Equal(t, "2", string(two.AppendValue(nil)))
	assert.Equal(t, "urn:a", two.Space())
	assert.Equal(t, "one", two.Local())
	for _, wrong := range [][2]string{{"urn:d", "one"}, {"", "lang"}, {"", "xml:lang"}, {"", "xmlns"}, {"", "a:one"}, {"http://www.w3.org/2000/xmlns/", "a"}, {"", "On"}} {
		_, found := root.Find(wrong[0], wrong[1])
		assert.False(t, found, "%q", wrong)
	}
	value, found := root.Attr("a")
	assert.False(t, found)
	assert.Empty(t, value)
	x, _ := root.First().Attr("x")
	assert.Equal(t, "&", x)
	for range root.Attributes() {
		break
	}
}

// The zero Element is no element; nothing that is asked of it panics.
func TestZeroElement(t *testing.T) {
	t.Parallel()
	var e xmlsec.Element
	assert.False(t, e.Exists())
	assert.False(t, e.Is("", ""))
	assert.False(t, e.HasSignature())
	assert.Empty(t, e.Space()+e.Local()+e.Text())
	for _, other := range []xmlsec.Element{e.Parent(), e.First(), e.Next(), e.Child("", "")} {
		assert.Equal(t, e, other)
	}
	assert.Empty(t, slices.Collect(e.Children()))
	assert.Empty(t, slices.Collect(e.Attributes()))
	_, found := e.Attr("")
	assert.False(t, found)
	_, found = e.Find("", "")
	assert.False(t, found)
	assert.Zero(t, e.Size())
	assert.Zero(t, e.Count())
	text, ok := e.PlainText()
	assert.True(t, ok)
	assert.Empty(t, text)
	assert.Nil(t, e.AppendText(nil))
	assert.Nil(t, e.AppendInner(nil))
	_, err := e.Signature()
	assert.True(t, isKind(err, xmlsec.Unsigned))
	_, err = parse(t, "<e/>").Verify(e, nil, xmlsec.Policy{})
	assert.True(t, isKind(err, xmlsec.Unsigned))

	var s xmlsec.Signed
	assert.False(t, s.Root().Exists())
	assert.Nil(t, s.Bytes())
}

func TestElementPlainText(t *testing.T) {
	t.Parallel()
	for raw, plain := range map[string]bool{
		"": true, "a": true, " a\n": true, "<![CDATA[&amp;]]>": true, "<![CDATA[]]>": true,
		"&amp;": false, "a\r": false, "<![CDATA[\r]]>": false, "<!-- -->": false, "<b/>": false, "a<b/>": false, "a<!-- -->": false, "a<![CDATA[b]]>": false, "<b>a</b>": false,
	} {
		e := parse(t, "<e>"+raw+"</e>").Root()
		text, ok := e.PlainText()
		assert.Equal(t, plain, ok, "%q", raw)
		if ok {
			assert.Equal(t, e.Text(), string(text), "%q", raw)
		}
	}
}

func TestElementInnerAndSize(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ doc, inner string }{
		{"<e></e>", ""}, {"<e>a</e>", "a"}, {"<e>&amp;a</e>", "&amp;a"}, {"<e><f></f></e>", "<f></f>"}, {"<e>a<f></f>b</e>", "a<f></f>b"}, {"<e><f></f>b<g></g></e>", "<f></f>b<g></g>"},
		{`<e a="1">a<f b="2">c<g></g></f></e>`, `a<f b="2">c<g></g></f>`},
	} {
		u := parse(t, "<r>x"+c.doc+"y</r>")
		s, err := u.Record(u.Root(), xmlsec.Element{}, xmlsec.C14N{Exclusive: true})
		assert.NoError(t, err)
		e := s.Root().First()
		assert.Equal(t, c.inner, string(e.AppendInner(nil)))
		assert.Equal(t, "x"+c.inner, string(e.AppendInner([]byte("x"))))
		assert.Equal(t, len(c.doc)-1, e.Size())
		assert.Equal(t, len(c.doc)-1, u.Root().First().Size())
	}
	assert.Equal(t, len("e/>"), parse(t, "<e/>").Root().Size())
}

func TestElementSignature(t *testing.T) {
	t.Parallel()
	u := parse(t, "<e>"+signature+"<f/></e>")
	assert.True(t, u.Root().HasSignature())
	s, err := u.Root().Signature()
	assert.NoError(t, err)
	assert.Equal(t, u.Root().First(), s)
	assert.False(t, u.Root().Child("", "f").HasSignature())
	assert.False(t, parse(t, "<e><f>"+signature+"</f></e>").Root().HasSignature(), "a grandchild")
	assert.False(t, parse(t, "<e><Signature/></e>").Root().HasSignature())
	assert.False(t, parse(t, `<e xmlns="http://www.w3.org/2000/09/xmldsig#" ><signature/></e>`).Root().HasSignature())
}
