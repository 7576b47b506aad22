package xmlsec_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml/internal/xmlsec"
)

var (
	exclusive = xmlsec.C14N{Exclusive: true}
	inclusive = xmlsec.C14N{}
)

func TestC14NByURI(t *testing.T) {
	t.Parallel()
	for uri, want := range map[string]xmlsec.C14N{
		"http://www.w3.org/2001/10/xml-exc-c14n#":                      {Exclusive: true},
		"http://www.w3.org/2001/10/xml-exc-c14n#WithComments":          {Exclusive: true, Comments: true},
		"http://www.w3.org/TR/2001/REC-xml-c14n-20010315":              {},
		"http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments": {Comments: true},
		"http://www.w3.org/2006/12/xml-c14n11":                         {V11: true},
		"http://www.w3.org/2006/12/xml-c14n11#WithComments":            {V11: true, Comments: true},
	} {
		got, known := xmlsec.C14NByURI(uri)
		assert.True(t, known)
		assert.Equal(t, want, got)
		for _, near := range []string{uri + "#", uri + " ", " " + uri, strings.ToUpper(uri), strings.Replace(uri, "http:", "https:", 1), uri[:len(uri)-1]} {
			if _, known := xmlsec.C14NByURI(near); near != xmlsec.ExclusiveC14N {
				assert.False(t, known, "%q", near)
			}
		}
	}
	_, known := xmlsec.C14NByURI("")
	assert.False(t, known)
}

// canonical writes the element that the path of local names leads to from the root; no path is the document.
func canonical(t testing.TB, doc string, m xmlsec.C14N, path ...string) string {
	t.Helper()
	u := parseMetadata(t, doc)
	if path == nil {
		got, err := u.CanonicalizeDocument(nil, m)
		require.NoError(t, err)
		return string(got)
	}
	got, err := u.Canonicalize(nil, find(t, u, path...), m)
	require.NoError(t, err)
	return string(got)
}

func find(t testing.TB, u *xmlsec.Unverified, path ...string) xmlsec.Element {
	t.Helper()
	e := u.Root()
	for _, local := range path[1:] {
		for e = e.First(); e.Exists() && e.Local() != local; {
			e = e.Next()
		}
	}
	require.Equal(t, path[len(path)-1], e.Local())
	return e
}

// Cases whose canonical form was written down by hand, from the text of the specifications.
//
// req: CORE-5.4.3
func TestCanonicalize(t *testing.T) {
	t.Parallel()
	xml11 := xmlsec.C14N{V11: true}
	for _, c := range []struct {
		name, doc string
		m         xmlsec.C14N
		path      []string
		want      string
	}{
		{"empty", "<e/>", exclusive, nil, "<e></e>"},
		{"around the root", "<!--a-->\n<?p d?><e/>\n<!--b--><?q?>", xmlsec.C14N{Comments: true}, nil, "<!--a-->\n<?p d?>\n<e></e>\n<!--b-->\n<?q?>"},
		{"around the root, no comments", "<!--a-->\n<?p d?><e/>\n<!--b--><?q?>", inclusive, nil, "<?p d?>\n<e></e>\n<?q?>"},
		{"apex has nothing around", "<!--a--><e/><!--b-->", xmlsec.C14N{Comments: true}, []string{"e"}, "<e></e>"},
		{"comments", "<e>a<!-- \r\n -->b</e>", xmlsec.C14N{Exclusive: true, Comments: true}, nil, "<e>a<!-- \n -->b</e>"},
		{"text", "<e>&lt;&gt;&amp;&quot;&apos;\"'&#13;\t\r\n]]&gt;</e>", exclusive, nil, "<e>&lt;&gt;&amp;\"'\"'&#xD;\t\n]]&gt;</e>"},
		{"CDATA", "<e><![CDATA[<>&\"\r]]></e>", exclusive, nil, "<e>&lt;&gt;&amp;\"\n</e>"},
		{"attribute", "<e a='&lt;>&amp;\"&apos;&#9;&#10;&#13;\n'/>", exclusive, nil, `<e a="&lt;>&amp;&quot;'&#x9;&#xA;&#xD; "></e>`},
		{"order", "<e b:a='1' a:b='2' z='3' a='4' xmlns:a='u2' xmlns:b='u1' xmlns='u3'/>", inclusive, nil, `<e xmlns="u3" xmlns:a="u2" xmlns:b="u1" a="4" z="3" b:a="1" a:b="2"></e>`},
		{"instruction", "<e><?p  a \r\n?><?q?></e>", exclusive, nil, "<e><?p a \n?><?q?></e>"},

		{"unused is left out", "<e xmlns:u='u' xmlns='d'><f/></e>", exclusive, nil, `<e xmlns="d"><f></f></e>`},
		{"unused is kept by inclusive", "<e xmlns:u='u' xmlns='d'><f/></e>", inclusive, nil, `<e xmlns="d" xmlns:u="u"><f></f></e>`},
		{"where it is used", "<e xmlns:p='u'><p:f/><p:g/></e>", exclusive, nil, `<e><p:f xmlns:p="u"></p:f><p:g xmlns:p="u"></p:g></e>`},
		{"used by an attribute", "<e xmlns:p='u'><f p:a=''/></e>", exclusive, nil, `<e><f xmlns:p="u" p:a=""></f></e>`},
		{"the default is not used by attributes", "<p:e xmlns:p='u' xmlns='d'><p:f a=''/></p:e>", exclusive, nil, `<p:e xmlns:p="u"><p:f a=""></p:f></p:e>`},
		{"not again", "<p:e xmlns:p='u'><p:f xmlns:p='u'/></p:e>", exclusive, nil, `<p:e xmlns:p="u"><p:f></p:f></p:e>`},
		{"not again by inclusive", "<p:e xmlns:p='u'><p:f xmlns:p='u'/></p:e>", inclusive, nil, `<p:e xmlns:p="u"><p:f></p:f></p:e>`},
		{"re-bound and back", "<p:e xmlns:p='u'><p:f xmlns:p='v'><p:g xmlns:p='u'/></p:f><p:h/></p:e>", exclusive, nil,
			`<p:e xmlns:p="u"><p:f xmlns:p="v"><p:g xmlns:p="u"></p:g></p:f><p:h></p:h></p:e>`},
		{"undeclared", "<e xmlns='u'><f xmlns=''><g xmlns='u'/></f></e>", exclusive, nil, `<e xmlns="u"><f xmlns=""><g xmlns="u"></g></f></e>`},
		{"undeclared, not declared before", "<e xmlns=''><f xmlns=''/></e>", inclusive, nil, `<e><f></f></e>`},
		{"undeclared between, unused", "<p:e xmlns:p='u' xmlns='d'><p:f xmlns=''><g xmlns='d'/></p:f></p:e>", exclusive, nil, `<p:e xmlns:p="u"><p:f><g xmlns="d"></g></p:f></p:e>`},
		{"undeclared above an apex", "<p:e xmlns:p='u' xmlns='d'><f xmlns=''/></p:e>", inclusive, []string{"e", "f"}, `<f xmlns:p="u"></f>`},

		{"apex of exclusive", "<a xmlns='d' xmlns:p='u' xmlns:q='v' xml:lang='en'><b><p:c/></b></a>", exclusive, []string{"a", "b"}, `<b xmlns="d"><p:c xmlns:p="u"></p:c></b>`},
		{"apex of inclusive", "<a xmlns='d' xmlns:p='u' xmlns:q='v' xml:lang='en'><b><p:c/></b></a>", inclusive, []string{"a", "b"},
			`<b xmlns="d" xmlns:p="u" xmlns:q="v" xml:lang="en"><p:c></p:c></b>`},
		{"xml: attributes, nearest", "<a xml:lang='en' xml:x='1'><b xml:lang='de' y='2'><c z='3'/></b></a>", inclusive, []string{"a", "b", "c"}, `<c z="3" xml:lang="de" xml:x="1"></c>`},
		{"xml: attributes, own", "<a xml:lang='en'><b xml:lang=''/></a>", inclusive, []string{"a", "b"}, `<b xml:lang=""></b>`},
		{"xml: attributes, own and others", "<a xml:lang='en' xml:space='preserve'><b xml:lang='de'/></a>", inclusive, []string{"a", "b"}, `<b xml:lang="de" xml:space="preserve"></b>`},
		{"xml: attributes, not those of no namespace", "<a xml:lang='en'><b lang='de'/></a>", inclusive, []string{"a", "b"}, `<b lang="de" xml:lang="en"></b>`},
		{"xml: attributes of 1.1", "<a xml:lang='en' xml:space='preserve' xml:id='i' xml:x='1'><b/></a>", xml11, []string{"a", "b"}, `<b xml:lang="en" xml:space="preserve"></b>`},
		{"xml: attributes, exclusive", "<a xml:lang='en'><b xml:space='default'/></a>", exclusive, []string{"a", "b"}, `<b xml:space="default"></b>`},
		{"a sibling's are not inherited", "<a><x xml:lang='en' xmlns:p='u'/><b/></a>", inclusive, []string{"a", "b"}, "<b></b>"},

		{"PrefixList", "<a xmlns:xs='u' xmlns:p='v' xmlns='d'><b xmlns:q='w'><c/></b></a>", xmlsec.C14N{Exclusive: true, Prefixes: []string{"xs"}}, []string{"a", "b"},
			`<b xmlns="d" xmlns:xs="u"><c></c></b>`},
		{"PrefixList, default", "<a xmlns:p='u' xmlns='d'><p:b/></a>", xmlsec.C14N{Exclusive: true, Prefixes: []string{""}}, []string{"a", "b"}, `<p:b xmlns="d" xmlns:p="u"></p:b>`},
		{"PrefixList, below the apex", "<a><b xmlns:p='u'><c/></b></a>", xmlsec.C14N{Exclusive: true, Prefixes: []string{"p"}}, []string{"a"}, `<a><b xmlns:p="u"><c></c></b></a>`},
		{"PrefixList, re-bound", "<a xmlns:p='u'><b xmlns:p='v'><c xmlns:p='u'/></b><b/></a>", xmlsec.C14N{Exclusive: true, Prefixes: []string{"p"}}, []string{"a"},
			`<a xmlns:p="u"><b xmlns:p="v"><c xmlns:p="u"></c></b><b></b></a>`},
		{"PrefixList, unknown, xml, twice", "<a xmlns:p='u'><b/></a>", xmlsec.C14N{Exclusive: true, Prefixes: []string{"nowhere", "xml", "p", "p", "xmlns"}}, nil, `<a xmlns:p="u"><b></b></a>`},
		{"PrefixList, undeclared default", "<a xmlns='d'><b xmlns=''/></a>", xmlsec.C14N{Exclusive: true, Prefixes: []string{""}}, []string{"a"}, `<a xmlns="d"><b xmlns=""></b></a>`},
		{"PrefixList, out of scope", "<a><x xmlns:p='u'/><b/></a>", xmlsec.C14N{Exclusive: true, Prefixes: []string{"p"}}, []string{"a", "b"}, "<b></b>"},

		{"names of namespaces are escaped", "<e xmlns:p='&amp;&lt;&quot;&#10;>'><p:f/></e>", exclusive, nil, `<e><p:f xmlns:p="&amp;&lt;&quot;&#xA;>"></p:f></e>`},
		{"white space around the root", " <e> </e> ", inclusive, nil, "<e> </e>"},
		{"XML declaration and mark", "\ufeff<?xml version='1.0'?><e/>", inclusive, nil, "<e></e>"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, c.want, canonical(t, c.doc, c.m, c.path...))
		})
	}
}

// Canonical XML 1.1 joins xml:base of what is left out; nothing in SAML needs that, and it is refused rather than done
// wrong.
func TestCanonicalizeXMLBase(t *testing.T) {
	t.Parallel()
	u := parse(t, "<a xml:base='http://x/'><b><c xml:base='y'/></b></a>")
	for _, e := range []xmlsec.Element{find(t, u, "a", "b"), find(t, u, "a", "b", "c")} {
		_, err := u.Canonicalize(nil, e, xmlsec.C14N{V11: true})
		assert.True(t, isKind(err, xmlsec.UnsupportedAlgorithm), "%v", err)
		got, err := u.Canonicalize(nil, e, xmlsec.C14N{})
		require.NoError(t, err)
		assert.Contains(t, string(got), "xml:base")
	}
	_, err := u.Canonicalize(nil, u.Root(), xmlsec.C14N{V11: true})
	assert.NoError(t, err, "nothing is left out")
}

func TestCanonicalizeAppends(t *testing.T) {
	t.Parallel()
	u := parse(t, "<e><f/></e>")
	got, err := u.Canonicalize([]byte("x"), u.Root().First(), exclusive)
	require.NoError(t, err)
	assert.Equal(t, "x<f></f>", string(got))
	got, err = u.CanonicalizeDocument(got, inclusive)
	require.NoError(t, err)
	assert.Equal(t, "x<f></f><e><f></f></e>", string(got))
}

// Exclusive canonicalisation writes an inherited declaration once for each sibling that uses it. Where that is made to
// explode it ends early, with octets and time within the bound.
//
// req: SE-LIMITS
func TestCanonicalGrowth(t *testing.T) {
	t.Parallel()
	uri := strings.Repeat("u", xmlsec.MaxNamespaceURI)
	for _, doc := range []string{
		"<e xmlns:p='" + uri + "'>" + strings.Repeat("<p:f/>", 60_000) + "</e>",
		"<e xmlns:p='" + uri + "'>" + strings.Repeat("<f p:a=''/>", 60_000) + "</e>",
		"<p:e xmlns:p='u' xmlns='" + uri + "'>" + strings.Repeat("<p:e><e/></p:e>", 30_000) + "</p:e>",
		"<e xmlns:p='" + strings.Repeat("&lt;", xmlsec.MaxNamespaceURI) + "'>" + strings.Repeat("<p:f/>", 60_000) + "</e>",
		"<e" + numbered(60, " xmlns:p%d='"+uri+"'") + ">" + strings.Repeat("<f"+numbered(60, " p%d:a%[1]d=''")+"/>", 2000) + "</e>",
	} {
		u := parseMetadata(t, doc)
		began := time.Now()
		got, err := u.Canonicalize(nil, u.Root(), exclusive)
		require.True(t, isKind(err, xmlsec.Limit), "%v", err)
		require.Nil(t, got)
		_, err = u.CanonicalizeDocument(nil, exclusive)
		require.True(t, isKind(err, xmlsec.Limit), "%v", err)
		assert.Less(t, time.Since(began), 5*time.Second)
		_, err = u.Canonicalize(nil, u.Root(), inclusive)
		require.NoError(t, err, "inclusive canonicalisation writes it once")
	}
}

// A message that grows by less is none of the limit's business: up to four times its size, and a little room for
// small ones.
func TestCanonicalGrowthOfHonestDocuments(t *testing.T) {
	t.Parallel()
	u := parse(t, "<e xmlns:p='"+strings.Repeat("u", 1000)+"'>"+strings.Repeat("<p:f/>", 60)+"</e>")
	got, err := u.Canonicalize(nil, u.Root(), exclusive)
	require.NoError(t, err)
	assert.Greater(t, len(got), xmlsec.MaxGrowth*u.Root().Size(), "by the allowance for small documents")

	saml := `<saml:AttributeValue xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="xs:string">x</saml:AttributeValue>`
	u = parse(t, `<saml:Attribute xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">`+strings.Repeat(saml, 20_000)+`</saml:Attribute>`)
	_, err = u.Canonicalize(nil, u.Root(), exclusive)
	require.NoError(t, err)

	u = parseMetadata(t, "<e>"+strings.Repeat("<f>>>></f>", 90_000)+"</e>")
	got, err = u.Canonicalize(nil, u.Root(), exclusive)
	require.NoError(t, err)
	assert.Less(t, len(got), xmlsec.MaxGrowth*u.Root().Size())

	// CR is written as five octets where it came by reference of five; ">" is the worst that text can do: four for one.
	u = parseMetadata(t, "<e>"+strings.Repeat(">", 1_000_000)+"</e>")
	_, err = u.Canonicalize(nil, u.Root(), exclusive)
	require.NoError(t, err)

	u = parse(t, "<e a='"+strings.Repeat(`"`, 1_000_000)+"'/>")
	_, err = u.Canonicalize(nil, u.Root(), exclusive)
	require.True(t, isKind(err, xmlsec.Limit), "a double quote is the worst that a value can do: six for one")
}
