package xmlsec_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml/internal/xmlsec"
)

// parse reads a message, which must be accepted.
func parse(t testing.TB, doc string) *xmlsec.Unverified {
	t.Helper()
	u, err := xmlsec.Parse([]byte(doc), xmlsec.Limits{})
	require.NoError(t, err, "%.200q", doc)
	return u
}

// parseMetadata reads a document that may hold processing instructions.
func parseMetadata(t testing.TB, doc string) *xmlsec.Unverified {
	t.Helper()
	u, err := xmlsec.Parse([]byte(doc), xmlsec.MetadataLimits())
	require.NoError(t, err, "%.200q", doc)
	return u
}

// refuses demands a refusal of that kind, and nothing beside it.
func refuses(t testing.TB, kind xmlsec.Kind, doc string, limits xmlsec.Limits) *xmlsec.Error {
	t.Helper()
	u, err := xmlsec.Parse([]byte(doc), limits)
	require.Error(t, err, "%.200q", doc)
	require.Nil(t, u, "a value beside an error")
	fault, ok := errors.AsType[*xmlsec.Error](err)
	require.True(t, ok, "%v", err)
	require.Equal(t, kind, fault.Kind, "%v of %.200q", err, doc)
	return fault
}

// req: SE-PARSER SE-ENC
func TestReaderAccepts(t *testing.T) {
	t.Parallel()
	for _, doc := range []string{
		"<e/>", "<e />", "<e></e>", "<e\n></e\n>", " \t\r\n<e/>\r\n", "\ufeff<e/>", "<!--a--><e/><!--b-->",
		"<e a='1' b=\"2\"/>", "<e a = '1'\t\n\rb\n=\n\"2\"\n/>", "<e a='\"'/>", `<e a="'>"/>`, "<e a=''/>",
		"<e>]]</e>", "<e>]]&gt;</e>", "<e>></e>", "<e>'\"</e>", "<e>\u00e9\u65e5\U0001F600</e>",
		"<e><!----></e>", "<e><!-- - --></e>", "<e><!-->--></e>", "<e><!--->--></e>", "<e><!--<&]]>--></e>",
		"<e><![CDATA[]]></e>", "<e><![CDATA[<&]]]]></e>", "<e><![CDATA[]]]]><![CDATA[>]]></e>", "<e><![CDATA[>]]></e>",
		"<e>\t\n\r \u0085\u2028\ufffd\U0001FFFE\U0010FFFF</e>", "<e>\x7f\u0080</e>",
		"<a><a><a/></a><a/></a>", "<a>text<b/>text<b/></a>",
		"<p:e xmlns:p='urn:p'/>", "<p:e xmlns:p='urn:p' p:a='' a=''/>", "<e xmlns=''/>", "<e xmlns='urn:e'><f xmlns=''/></e>",
		"<e p:a='1' xmlns:p='urn:p'/>", "<e xmlns:p='urn:1' xmlns:q='urn:2' p:a='' q:a=''/>",
		"<e xml:lang='en' xml:space='' xml:id='x'/>", "<e xmlns:xml='" + xmlsec.XMLNamespace + "' xml:a=''/>",
		"<e xmlns='urn:e' xmlns:p='urn:e' a='' p:a=''/>", "<e xmlns:p='urn:&amp;'/>", "<e xmlns:xmlish='urn:x'/>", "<xmlns/>",
		"<e xmln='' xmlnsx='' x='' n='' ns=''/>",
	} {
		assert.True(t, parse(t, doc).Root().Exists(), "%q", doc)
	}
}

// What is not well-formed, what namespaces forbid, and what messages must not have. Not one is read leniently.
//
// req: IIP-G03 SE-GOXML SE-XXE SE-ENC SE-PARSER
func TestReaderRefuses(t *testing.T) {
	t.Parallel()
	for name, docs := range map[string][]string{
		"no root":   {"", " ", "\ufeff", "<!--c-->", "text", "<?xml version='1.0'?>"},
		"two roots": {"<e/><e/>", "<e></e><f/>", "<e/>\n<e/>"},
		"around the root": {"x<e/>", "<e/>x", "<e/>&#32;", "&#32;<e/>", "<![CDATA[]]><e/>", "<e/><![CDATA[]]>", "<e/>\x00", "<e/>\u00a0",
			"<e/>\ufeff", "\ufeff\ufeff<e/>", "<e/></e>", "</e>", "<e/>>"},
		"not ended": {"<e>", "<e", "<e ", "<e a", "<e a=", "<e a='", "<e a=''", "<e/", "<e></", "<e></e", "<e></e ", "<e>text", "<e><", "<", "<e><!",
			"<e><!-", "<e><!--", "<e><!-- -", "<e><!-- --", "<e><![CDATA[", "<e><![CDATA[]", "<e><![CDATA[]]", "<e>&", "<e>&amp", "<?", "<!--"},
		"nesting": {"<a><b></a></b>", "<a></b>", "<a></A>", "<a></ab>", "<ab></a>", "<a></a:b>", "<p:a xmlns:p='urn:p'></a>", "<p:a xmlns:p='u' xmlns:q='u'></q:a>"},
		"tags": {"< e/>", "<e/ >", "<e / >", "<e //>", "<e></ e>", "<e></e/>", "<e></e a=''>", "<e><f</e>", "<e <f/></e>", "<>", "</>", "<e></>", "<e?/>",
			"<a><e/x</a>", "<e></e x", "<e></e /", "<e></ex>"},
		"names": {"<1/>", "<-e/>", "<.e/>", "<e!/>", "<e$/>", "<\u00d7/>", "<\u00b7/>", "<\u0300e/>", "<e 1=''/>", "<e -a=''/>", "<e\u00a0a=''/>", "<e\u2028/>", "<e\u037e/>"},
		"colons": {"<:e/>", "<e:/>", "<:/>", "<p:q:e xmlns:p='urn:p'/>", "<p::e xmlns:p='urn:p'/>", "<e :a=''/>", "<e a:=''/>", "<p:1 xmlns:p='urn:p'/>", "<e xmlns:=''/>", "<e xmlns:a:b='urn:p'/>",
			"<p: xmlns:p='urn:p'/>", "<p: xmlns:p='urn:p'></p:>", "<e xmlns:p='urn:p' p:=''/>"},
		"unbound": {"<p:e/>", "<e p:a=''/>", "<e><f xmlns:p='urn:p'/><p:g/></e>", "<e xmlns:p='urn:p'><p:f/><q:f/></e>", "<e><p:f><g xmlns:p='urn:p'/></p:f></e>", "<e xmlns:P='urn:p' p:a=''/>"},
		"twice":   {"<e a='' a=''/>", "<e a='1' b='' a='2'/>", "<e xmlns:p='u' xmlns:q='u' p:a='' q:a=''/>", "<e xmlns='u' xmlns='u'/>", "<e xmlns:p='u' xmlns:p='v'/>", "<e xmlns='' xmlns=''/>", "<e xml:a='' xml:a=''/>"},
		"reserved": {"<e xmlns:p=''/>", "<e xmlns:xml='urn:x'/>", "<e xmlns:xml=''/>", "<e xmlns:p='" + xmlsec.XMLNamespace + "'/>", "<e xmlns='" + xmlsec.XMLNamespace + "'/>",
			"<e xmlns:xmlns='urn:x'/>", "<e xmlns:xmlns='http://www.w3.org/2000/xmlns/'/>", "<e xmlns:p='http://www.w3.org/2000/xmlns/'/>", "<e xmlns='http://www.w3.org/2000/xmlns/'/>",
			"<xmlns:e/>", "<e><xmlns:f/></e>", "<e xmlns:p='http://www.w3.org/2000/xmlns&#47;'/>", "<e xmlns:p='http://www.w3.org/XML/1998/namespac&#101;'/>"},
		"attributes": {"<e a/>", "<e a=1/>", "<e a='1'b='2'/>", "<e a=\"1'/>", "<e a='<'/>", "<e a='&'/>", "<e a='x' '/>", "<e ='1'/>", "<e a=''=''/>", "<e a='\x01'/>", "<e a ''/>", "<e 'a'/>",
			"<e a x''/>", "<e a+''/>", "<e a=xbx/>", "<e a >''/>", "<e a='b\"/>"},
		"text": {"<e>]]></e>", "<e>x]]>y</e>", "<e>]]]></e>", "<e><!-- -- --></e>", "<e><!-- ---></e>", "<e><! ></e>", "<e><!ELEMENT e></e>", "<e><![cdata[]]></e>", "<e><![INCLUDE[]]></e>",
			"<!--x><e/>", "<e><!--x></e>", "<e><!--></e>", "<e><!---></e>", "<e><![CDATA[x]>]</e>"},
		"octets": {"<e>\x00</e>", "<e>\x08</e>", "<e>\x0b</e>", "<e>\x0c</e>", "<e>\x1f</e>", "<e>\xff</e>", "<e>\xc3</e>", "<e>\xc0\x80</e>", "<e>\xed\xa0\x80</e>", "<e>\xf4\x90\x80\x80</e>",
			"<e>\xef\xbf\xbe</e>", "<e>\xef\xbf\xbf</e>", "<e><!--\x01--></e>", "<e><![CDATA[\x01]]></e>", "<e a='\xef\xbf\xbf'/>", "<e\x00/>", "\x1b<e/>", "<e>12345\x0167890</e>", "<e/>\x7f"},
		"references": {"<e>&nbsp;</e>", "<e>&AMP;</e>", "<e>& amp;</e>", "<e>&amp ;</e>", "<e>&;</e>", "<e>&#;</e>", "<e>&#x;</e>", "<e>&#X41;</e>", "<e>&#x4G;</e>", "<e>&#4a;</e>", "<e>&#-1;</e>", "<e>&# 65;</e>",
			"<e>&#0;</e>", "<e>&#8;</e>", "<e>&#11;</e>", "<e>&#x1F;</e>", "<e>&#xD800;</e>", "<e>&#xDFFF;</e>", "<e>&#xFFFE;</e>", "<e>&#xFFFF;</e>", "<e>&#x110000;</e>", "<e>&#4294967361;</e>", "<e>&#x100000041;</e>",
			"<e a='&nbsp;'/>", "<e a='&#0;'/>", "<e a='&lt'/>", "<e>&#x00000000041;</e>", "<e>&xxe;</e>", "<e xmlns:p='&p;'/>"},
		"document types": {"<!DOCTYPE e><e/>", "<!DOCTYPE e [<!ENTITY x 'y'>]><e>&x;</e>", "<!DOCTYPE e SYSTEM 'file:///etc/passwd'><e/>", "<e/><!DOCTYPE e>", "<e><!DOCTYPE e></e>", "<!doctype e><e/>", "<!ENTITY x ''><e/>",
			"<!--c--><!DOCTYPE e [<!ENTITY % p SYSTEM 'http://x/'> %p;]><e/>", "<?xml version='1.0'?><!DOCTYPE e><e/>"},
		"instructions":   {"<?p?><e/>", "<e><?p d?></e>", "<e/><?p?>", "<?xml-stylesheet href='x'?><e/>"},
		"other charsets": {"<\x00e\x00/\x00>\x00", "\xff\xfe<\x00e\x00/\x00>\x00", "\xfe\xff\x00<\x00e\x00/\x00>", "\x00\x00\x00<\x00\x00\x00e", "<e>caf\xe9</e>", "+ADw-e/+AD4-", "\x4c\x85\x61\x6e"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, doc := range docs {
				fault := refuses(t, xmlsec.Syntax, doc, xmlsec.Limits{})
				assert.LessOrEqual(t, fault.Offset, len(doc))
				assert.NotEmpty(t, fault.Error())
			}
		})
	}
}

// Go's encoding/xml took these apart differently from what it wrote (CVE-2020-29509, -29510, -29511).
//
// req: SE-GOXML
func TestReaderRefusesRoundTripVectors(t *testing.T) {
	t.Parallel()
	for _, doc := range []string{
		`<Root ::attr="x"/>`, `<Root x:="y"/>`, `<Root :x="y"/>`, `<x::Root/>`, `<x:/>`, `<:x/>`,
		`<!DOCTYPE x [<!ENTITY a '<!--'>]><x/>`, `<x><!DIRECTIVE <!-- --> ><y/></x>`, `<x><!-<!---->--></x>`, `<!-<!-- -->x--><x/>`,
		`<x><?></x>`, `<x/><x`, `<x/><!`, `<x/>trailing`,
	} {
		refuses(t, xmlsec.Syntax, doc, xmlsec.Limits{})
	}
}

func TestReaderProcessingInstructions(t *testing.T) {
	t.Parallel()
	for _, doc := range []string{"<?p?><e/>", "<e><?p d?></e>", "<e/><?p \t\n d ?>", "<?xml-stylesheet href='x'?><e/>", "<e><?p <&]]>--?></e>", "<e><?\u00e9?></e>", "<?xmlish?><e/>", "<?xsl?><e/>", "<?xm?><e/>"} {
		parseMetadata(t, doc)
		refuses(t, xmlsec.Syntax, doc, xmlsec.Limits{})
	}
	for _, doc := range []string{"<??><e/>", "<? p?><e/>", "<?p><e/>", "<?p:q?><e/>", "<?1?><e/>", "<e><?xml version='1.0'?></e>", "<e><?XmL?></e>", "<?xml?><e/>", "<e/><?xml ?>", "<?p", "<e><?p?"} {
		refuses(t, xmlsec.Syntax, doc, xmlsec.MetadataLimits())
	}
}

// req: SE-ENC
func TestReaderXMLDeclaration(t *testing.T) {
	t.Parallel()
	for _, head := range []string{
		"<?xml version='1.0'?>", `<?xml version="1.0"?>`, "<?xml version='1.0' encoding='UTF-8'?>", "<?xml version='1.0' encoding='utf-8'?>",
		"<?xml version='1.0' encoding='Utf-8' standalone='yes'?>", "<?xml version='1.0' standalone='no'?>", "<?xml\tversion\n=\r'1.0' \n?>",
		"\ufeff<?xml version='1.0'?>", "<?xml version='1.0'?>\n", "<?xml version = \"1.0\" encoding = 'UTF-8' ?>",
	} {
		parse(t, head+"<e/>")
	}
	for _, head := range []string{
		"<?xml version='1.1'?>", "<?xml version='2.0'?>", "<?xml version=''?>", "<?xml version='1.0 '?>", "<?xml version=1.0?>", "<?xml version?>", "<?xml version=?>", "<?xml version= ?>", "<?xml version:'1.0'?>", "<?xml version=x1.0x?>", "<?xml ='1.0'?>", "<?xml ?>", "<?xml?>", "<?XML version='1.0'?>",
		"<?xml encoding='UTF-8'?>", "<?xml standalone='yes'?>", "<?xml encoding='UTF-8' version='1.0'?>", "<?xml version='1.0' standalone='yes' encoding='UTF-8'?>", "<?xml version='1.0' version='1.0'?>",
		"<?xml version='1.0' encoding='UTF-8' encoding='UTF-8'?>", "<?xml version='1.0'encoding='UTF-8'?>", "<?xml version='1.0' encoding='UTF-16'?>", "<?xml version='1.0' encoding='ISO-8859-1'?>",
		"<?xml version='1.0' encoding='utf8'?>", "<?xml version='1.0' encoding=''?>", "<?xml version='1.0' encoding='UTF-7'?>", "<?xml version='1.0' standalone='YES'?>", "<?xml version='1.0' standalone=''?>", "<?xml version='1.0' other='x'?>",
		"<?xml version='1.0\"?>", "<?xml version='1.0' ", "<?xml version='1.0'>", "<?xml version='1.0' x?>", "<?xml :version='1.0'?>", "<?xml version='?>", " <?xml version='1.0'?>", "<!--c--><?xml version='1.0'?>", "<?xml version='1.0'?><?xml version='1.0'?>", "\n<?xml version='1.0'?>",
	} {
		refuses(t, xmlsec.Syntax, head+"<e/>", xmlsec.Limits{})
		refuses(t, xmlsec.Syntax, head+"<e/>", xmlsec.MetadataLimits())
	}
}

// A boundary is a document that grows with n, and the n from which on it is refused.
type boundary struct {
	name   string
	limits xmlsec.Limits
	most   int
	make   func(n int) string
}

// numbered joins n pieces made from their numbers.
func numbered(n int, format string) string {
	var s strings.Builder
	for i := range n {
		fmt.Fprintf(&s, format, i)
	}
	return s.String()
}

// Each limit admits its own number and not one more.
//
// req: SE-LIMITS
func TestReaderLimits(t *testing.T) {
	t.Parallel()
	name := func(n int) string { return strings.Repeat("n", n) }
	for _, b := range []boundary{
		{"octets", xmlsec.Limits{Bytes: 100}, 100, func(n int) string { return "<e>" + strings.Repeat("x", n-7) + "</e>" }},
		{"octets by default", xmlsec.Limits{}, xmlsec.MaxMessageBytes, func(n int) string { return "<e>" + strings.Repeat("x", n-7) + "</e>" }},
		{"octets of metadata", xmlsec.Limits{Bytes: 1 << 16, AllowPI: true}, 1 << 16, func(n int) string { return "<e>" + strings.Repeat("x", n-7) + "</e>" }},
		{"elements", xmlsec.Limits{Nodes: 10}, 10, func(n int) string { return "<e>" + strings.Repeat("<e/>", n-1) + "</e>" }},
		{"elements by default", xmlsec.Limits{}, xmlsec.MaxMessageNodes, func(n int) string { return "<e>" + strings.Repeat("<e/>", n-1) + "</e>" }},
		{"texts", xmlsec.Limits{Nodes: 11}, 5, func(n int) string { return "<e>" + strings.Repeat("<e/>x", n) + "</e>" }},
		{"elements and a text", xmlsec.Limits{Nodes: 10}, 9, func(n int) string { return "<e>" + strings.Repeat("<e/>", n-1) + "x</e>" }},
		{"comments", xmlsec.Limits{Nodes: 10}, 9, func(n int) string { return "<e>" + strings.Repeat("<!---->", n) + "</e>" }},
		{"comments around", xmlsec.Limits{Nodes: 10}, 9, func(n int) string { return "<e/>" + strings.Repeat("<!---->", n) }},
		{"comments before", xmlsec.Limits{Nodes: 10}, 9, func(n int) string { return strings.Repeat("<!---->", n) + "<e/>" }},
		{"CDATA", xmlsec.Limits{Nodes: 10}, 9, func(n int) string { return "<e>" + strings.Repeat("<![CDATA[]]>", n) + "</e>" }},
		{"instructions", xmlsec.Limits{Nodes: 10, AllowPI: true}, 9, func(n int) string { return "<e>" + strings.Repeat("<?p?>", n) + "</e>" }},
		{"levels", xmlsec.Limits{}, xmlsec.MaxDepth, func(n int) string { return strings.Repeat("<e>", n) + strings.Repeat("</e>", n) }},
		{"levels, the last empty", xmlsec.Limits{}, xmlsec.MaxDepth, func(n int) string {
			return strings.Repeat("<e>", n-1) + "<e/>" + strings.Repeat("</e>", n-1)
		}},
		{"levels of metadata", xmlsec.MetadataLimits(), xmlsec.MaxDepth, func(n int) string { return strings.Repeat("<e>", n) + strings.Repeat("</e>", n) }},
		{"attributes", xmlsec.Limits{}, xmlsec.MaxAttributes, func(n int) string { return "<e" + numbered(n, " a%d=''") + "/>" }},
		{"declarations", xmlsec.Limits{}, xmlsec.MaxDeclarations, func(n int) string { return "<e" + numbered(n, " xmlns:p%d='u'") + "/>" }},
		{"declarations and attributes", xmlsec.Limits{}, xmlsec.MaxDeclarations, func(n int) string {
			return "<e" + numbered(n, " xmlns:p%d='u'") + numbered(xmlsec.MaxAttributes, " a%d=''") + "/>"
		}},
		// Two rows are there from the start: no prefix and xml, no namespace and xml's.
		{"prefixes", xmlsec.Limits{}, xmlsec.MaxPrefixes - 2, func(n int) string { return "<e>" + numbered(n, "<e xmlns:p%d='u'/>") + "</e>" }},
		{"namespaces", xmlsec.Limits{}, xmlsec.MaxNamespaces - 2, func(n int) string { return "<e>" + numbered(n, "<e xmlns='u%d'/>") + "</e>" }},
		{"octets of a name", xmlsec.Limits{}, xmlsec.MaxName, func(n int) string { return "<" + name(n) + "/>" }},
		{"octets of a prefixed name", xmlsec.Limits{}, xmlsec.MaxName, func(n int) string { return "<p:" + name(n-2) + " xmlns:p='u'/>" }},
		{"octets of an attribute's name", xmlsec.Limits{}, xmlsec.MaxName, func(n int) string { return "<e " + name(n) + "=''/>" }},
		{"octets of a declaration's name", xmlsec.Limits{}, xmlsec.MaxName, func(n int) string { return "<e xmlns:" + name(n-6) + "='u'/>" }},
		{"octets of a namespace name", xmlsec.Limits{}, xmlsec.MaxNamespaceURI, func(n int) string { return "<e xmlns='" + name(n) + "'/>" }},
		{"octets of a namespace name with references", xmlsec.Limits{}, xmlsec.MaxNamespaceURI, func(n int) string { return "<e xmlns='" + strings.Repeat("&amp;", n) + "'/>" }},
	} {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			_, err := xmlsec.Parse([]byte(b.make(b.most)), b.limits)
			require.NoError(t, err, "at the limit")
			refuses(t, xmlsec.Limit, b.make(b.most+1), b.limits)
			if b.most < 1<<12 {
				refuses(t, xmlsec.Limit, b.make(4*b.most), b.limits)
			}
		})
	}
}

// The longest prefix leaves room for its colon and one letter.
func TestReaderLongPrefix(t *testing.T) {
	t.Parallel()
	doc := func(prefix, local int) string {
		p := strings.Repeat("p", prefix)
		return "<" + p + ":" + strings.Repeat("e", local) + " xmlns:x='u'/>"
	}
	// The declaration "xmlns:" + prefix is a name, too, so that a prefix of more than 250 octets can never be bound.
	refuses(t, xmlsec.Syntax, doc(xmlsec.MaxName-2, 1), xmlsec.Limits{}) // not bound
	refuses(t, xmlsec.Limit, doc(xmlsec.MaxName-1, 1), xmlsec.Limits{})
	p := strings.Repeat("p", xmlsec.MaxName-6)
	e := parse(t, "<"+p+":eeeee xmlns:"+p+"='u' "+p+":a=''/>").Root()
	assert.True(t, e.Is("u", "eeeee"))
}

// Names without colon, character by character, against the productions of XML 1.0 (fifth edition).
func TestNameCharacters(t *testing.T) {
	t.Parallel()
	const start = `"_" [A-Z] [a-z] [#xC0-#xD6] [#xD8-#xF6] [#xF8-#x2FF] [#x370-#x37D] [#x37F-#x1FFF] [#x200C-#x200D] [#x2070-#x218F]
		[#x2C00-#x2FEF] [#x3001-#xD7FF] [#xF900-#xFDCF] [#xFDF0-#xFFFD] [#x10000-#xEFFFF]` // production 4, without ":"
	const further = `"-" "." [0-9] #xB7 [#x0300-#x036F] [#x203F-#x2040]` // production 4a, what it adds
	inProduction := func(production string) func(rune) bool {
		var ranges [][2]rune
		for _, field := range strings.Fields(production) {
			from, to, isRange := strings.Cut(strings.Trim(field, `"[]`), "-")
			if !isRange || field == `"-"` {
				from, to = strings.Trim(field, `"`), strings.Trim(field, `"`)
			}
			ranges = append(ranges, [2]rune{character(t, from), character(t, to)})
		}
		return func(c rune) bool {
			return slices.ContainsFunc(ranges, func(r [2]rune) bool { return r[0] <= c && c <= r[1] })
		}
	}
	isStart, isFurther := inProduction(start), inProduction(further)
	for c := range rune(utf8.MaxRune + 1) {
		if !utf8.ValidRune(c) {
			continue
		}
		size := utf8.RuneLen(c)
		alone, behind := 0, 1
		if isStart(c) {
			alone = size
		}
		if isStart(c) || isFurther(c) {
			behind = 1 + size
		}
		if got := xmlsec.NCName([]byte(string(c))); got != alone {
			t.Errorf("%U: %d octets of a name begin with it, want %d", c, got, alone)
		}
		if got := xmlsec.NCName([]byte("a" + string(c))); got != behind {
			t.Errorf("%U: %d octets of a name end with it, want %d", c, got, behind)
		}
	}
}

// character reads one of the productions' characters, itself or as #x1F.
func character(t *testing.T, s string) rune {
	t.Helper()
	if hex, found := strings.CutPrefix(s, "#x"); found {
		c, err := strconv.ParseInt(hex, 16, 32)
		require.NoError(t, err)
		return rune(c)
	}
	c, _ := utf8.DecodeRuneInString(s)
	return c
}

// A prefix is no declaration for being as long as xmlns.
func TestReaderPrefixOfFiveLetters(t *testing.T) {
	t.Parallel()
	root := parse(t, "<saml2:e xmlns:saml2='urn:u' saml2:a='v'><saml2:f b=''/></saml2:e>").Root()
	a, found := root.Find("urn:u", "a")
	require.True(t, found)
	assert.Equal(t, "v", string(a.Value()))
	assert.True(t, root.First().Is("urn:u", "f"))
}

// An octet cut off a long name in the middle of a character must not be taken for a letter.
func TestReaderNameAtTheLimitBeforeWideCharacter(t *testing.T) {
	t.Parallel()
	for n := xmlsec.MaxName - 5; n <= xmlsec.MaxName+2; n++ {
		for _, c := range []string{"\u00d7", "\u2028", "\U000F0000", "\u00b7", "\u3001", "\U00010000"} {
			_, err := xmlsec.Parse([]byte("<e><"+strings.Repeat("n", n)+c+"/></e>"), xmlsec.Limits{})
			legal := xmlsec.NCName([]byte("n"+c)) > 1 && n+len(c) <= xmlsec.MaxName
			assert.Equal(t, legal, err == nil, "%d octets and %q: %v", n, c, err)
		}
	}
}

// A limit counts what one element or one document has, not what came before.
func TestReaderLimitsAreForEach(t *testing.T) {
	t.Parallel()
	full := "<e" + numbered(xmlsec.MaxAttributes, " a%d=''") + numbered(xmlsec.MaxDeclarations, " xmlns:p%d='u'")
	doc := []byte(full + ">" + strings.Repeat(full+"/>", 10) + "</e>")
	r := xmlsec.NewReader()
	for range 3 {
		_, err := r.Parse(doc, xmlsec.Limits{})
		require.NoError(t, err)
	}
}

// A Reader keeps its memory; nothing of one document may be seen in the next.
func TestReaderForgets(t *testing.T) {
	t.Parallel()
	r := xmlsec.NewReader()
	docs := []string{
		"<p:e xmlns:p='urn:p' ID='a'/>", "<e ID='a'/>", "<e>" + numbered(200, "<e xmlns:p%d='u' ID='i%[1]d'/>") + "</e>",
		"<e>" + numbered(900, "<e xmlns='u%d' Id='i%[1]d'/>") + "</e>", "<e xmlns:p7='other'><p7:f/></e>",
	}
	for range 3 {
		for _, doc := range docs {
			u, err := r.Parse([]byte(doc), xmlsec.Limits{})
			require.NoError(t, err)
			got, err := u.CanonicalizeDocument(nil, xmlsec.C14N{Exclusive: true})
			require.NoError(t, err)
			want, err := parse(t, doc).CanonicalizeDocument(nil, xmlsec.C14N{Exclusive: true})
			require.NoError(t, err)
			require.Equal(t, string(want), string(got))
		}
		for _, doc := range []string{"<p:e/>", "<e p7:a=''/>", "<p0:e/>", "<e", "<e xmlns:a='u' xmlns:b='u' xmlns:a='u'/>"} {
			_, err := r.Parse([]byte(doc), xmlsec.Limits{})
			require.Error(t, err)
		}
	}
}

// req: SG-DUPID SG-IDATTR
func TestReaderIDs(t *testing.T) {
	t.Parallel()
	many := numbered(40, "<f ID='f%d'/>")
	for _, doc := range []string{
		"<e ID='a'><f ID='b'/></e>", "<e ID='a'><f ID='A'/></e>", "<e ID='a'><f name='a' iD='a' id='a' IDs='a'/></e>",
		"<e Ix='a'><f Ix='a'/></e>", "<e xml:ix='a'><f xml:ix='a'/></e>", "<e xml:xd='a'><f xml:xd='a'/></e>",
		"<e xmlns:p='u' ID='a'><f p:ID='a' p:id='a' p:Id='a'/></e>", "<e ID='a'><f xml:ID='a' xml:lang='a'/></e>",
		"<e ID='ab'><f ID='a'/></e>", "<e ID='a'><f>ID='a'</f></e>", "<e>" + many + "</e>", "<e ID='a' IDREF='a'/>", "<e a='x' ID='b' b='x'/>",
	} {
		parse(t, doc)
	}
	for _, doc := range []string{
		"<e ID='a'><f ID='a'/></e>", "<e ID='a'><f Id='a'/></e>", "<e Id='a'><f Id=\"a\"/></e>", "<e ID='a'><f xml:id='a'/></e>", "<e xml:id='a'><f Id='a'/></e>",
		"<e ID='a' Id='a'/>", "<e ID='a' xml:id='a'/>", "<e><f ID='a'/><g><h ID='a'/></g></e>", "<e ID=''><f ID=''/></e>",
		"<e>" + many + "<g ID='f0'/></e>", "<e>" + many + "<g Id='f39'/></e>", "<e>" + many + "<g xml:id='f20'/></e>",
		"<e xmlns='u' ID='a'><f xmlns='v' ID='a'/></e>", "<e ID='a&amp;'><f ID='a&amp;'/></e>",
		"<e ID='_a'><f ID='&#95;a'/></e>", "<e ID='a b'><f ID='a\nb'/></e>", "<e>" + many + "<g ID='&#x66;0'/></e>", // the same, written otherwise
	} {
		refuses(t, xmlsec.DuplicateID, doc, xmlsec.Limits{})
		refuses(t, xmlsec.DuplicateID, doc, xmlsec.MetadataLimits())
	}
}

// Names, against the productions as XML 1.0 (fifth edition) prints them.
func TestNames(t *testing.T) {
	t.Parallel()
	// [4] NameStartChar and [4a] NameChar, without the colon (Namespaces in XML 1.0, production 4).
	start := [][2]rune{{'A', 'Z'}, {'_', '_'}, {'a', 'z'}, {0xC0, 0xD6}, {0xD8, 0xF6}, {0xF8, 0x2FF}, {0x370, 0x37D}, {0x37F, 0x1FFF}, {0x200C, 0x200D},
		{0x2070, 0x218F}, {0x2C00, 0x2FEF}, {0x3001, 0xD7FF}, {0xF900, 0xFDCF}, {0xFDF0, 0xFFFD}, {0x10000, 0xEFFFF}}
	more := [][2]rune{{'-', '.'}, {'0', '9'}, {0xB7, 0xB7}, {0x0300, 0x036F}, {0x203F, 0x2040}}
	in := func(c rune, ranges [][2]rune) bool {
		for _, r := range ranges {
			if r[0] <= c && c <= r[1] {
				return true
			}
		}
		return false
	}
	for c := rune(0); c <= 0x10FFFF; c++ {
		if 0xD800 <= c && c <= 0xDFFF {
			continue
		}
		s := string(c)
		starts, goesOn := in(c, start), in(c, start) || in(c, more)
		if got := xmlsec.NCName([]byte(s)) == len(s); got != starts {
			t.Errorf("%U starts a name: got %t, want %t", c, got, starts)
		}
		if got := xmlsec.NCName([]byte("x"+s+"y")) == len(s)+2; got != goesOn {
			t.Errorf("%U goes on in a name: got %t, want %t", c, got, goesOn)
		}
	}
	assert.Zero(t, xmlsec.NCName(nil))
	assert.Equal(t, 2, xmlsec.NCName([]byte("ab:c")))
}

// Every character that XML 1.0 production 2 admits is read as it is, and no other, as itself or by reference.
func TestCharacters(t *testing.T) {
	t.Parallel()
	r := xmlsec.NewReader()
	for c := rune(0); c <= 0x10FFFF; c++ {
		if 0x3000 < c && c < 0xD000 || 0x20000 < c && c < 0x10FF00 {
			continue // alike
		}
		legal := c == 0x9 || c == 0xA || c == 0xD || 0x20 <= c && c <= 0xD7FF || 0xE000 <= c && c <= 0xFFFD || 0x10000 <= c
		docs := []string{fmt.Sprintf("<e>&#x%X;</e>", c), fmt.Sprintf("<e>&#%d;</e>", c)}
		if (c < 0xD800 || c > 0xDFFF) && c != '<' && c != '&' && c != '\r' {
			docs = append(docs, "<e>"+string(c)+"</e>")
		}
		for _, doc := range docs {
			u, err := r.Parse([]byte(doc), xmlsec.Limits{})
			if !assert.Equal(t, legal, err == nil, "%U by %q: %v", c, doc, err) {
				return
			}
			if legal && u.Root().Text() != string(c) {
				t.Fatalf("%q gave %q", doc, u.Root().Text())
			}
		}
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ raw, want string }{
		{"", ""}, {"a", "a"}, {" a ", " a "}, {"&amp;&lt;&gt;&quot;&apos;", `&<>"'`}, {"&#65;&#x41;&#x0041;&#0000065;", "AAAA"}, {"&#x10FFFF;&#x0010FFFF;", "\U0010FFFF\U0010FFFF"},
		{"&amp;amp;", "&amp;"}, {"&#38;#65;", "&#65;"}, {"&#x3C;b/>", "<b/>"},
		// XML 1.0, 2.11: line ends
		{"a\nb", "a\nb"}, {"a\r\nb", "a\nb"}, {"a\rb", "a\nb"}, {"\r\r\n\n\r", "\n\n\n\n"}, {"&#13;", "\r"}, {"&#13;\n", "\r\n"}, {"\r&#10;", "\n\n"}, {"&#xD;&#xA;", "\r\n"},
		// comments, CDATA
		{"a<!--b-->c", "ac"}, {"user@a.com<!-- x -->.evil.com", "user@a.com.evil.com"}, {"a<![CDATA[b]]>c", "abc"}, {"<![CDATA[&amp;<]]>", "&amp;<"}, {"<![CDATA[\r\n\r]]>", "\n\n"},
		{"<![CDATA[]]]]><![CDATA[>]]>", "]]>"}, {"\r<![CDATA[\n]]>", "\n\n"}, {"\r<!---->\n", "\n\n"}, {"a<b>not this</b>c<b/>", "ac"}, {"<!---->", ""}, {"&#13;<![CDATA[\n]]>", "\r\n"},
		{"a<!--\r-->b", "ab"}, {"\u00e9\u0085\u2028", "\u00e9\u0085\u2028"},
	} {
		e := parse(t, "<e>"+c.raw+"</e>").Root()
		assert.Equal(t, c.want, e.Text(), "%q", c.raw)
		assert.Equal(t, "x"+c.want, string(e.AppendText([]byte("x"))), "%q", c.raw)
		assertSameSigned(t, "<e>"+c.raw+"</e>")
	}
}

// A value's pieces on both sides of a comment or an instruction are one text, before and after canonicalisation.
//
// req: SG-COMMENTS
func TestTextIsWhatIsSigned(t *testing.T) {
	t.Parallel()
	const name = "<e><NameID>user@a.com<!-- x -->.evil<![CDATA[.com]]></NameID></e>"
	u := parse(t, name)
	assert.Equal(t, "user@a.com.evil.com", u.Root().First().Text())
	s, err := u.Record(u.Root(), xmlsec.Element{}, xmlsec.C14N{Exclusive: true})
	require.NoError(t, err)
	assert.Equal(t, "<e><NameID>user@a.com.evil.com</NameID></e>", string(s.Bytes()))
	assert.Equal(t, "user@a.com.evil.com", s.Root().First().Text())

	u = parseMetadata(t, "<e>user@a.com<?x?>.evil.com</e>")
	s, err = u.Record(u.Root(), xmlsec.Element{}, xmlsec.C14N{Exclusive: true})
	require.NoError(t, err)
	assert.Equal(t, "user@a.com.evil.com", u.Root().Text())
	assert.Equal(t, "user@a.com.evil.com", s.Root().Text())
}

// XML 1.0, 3.3.3: white space becomes a space, unless it came by reference.
func TestAttributeValues(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ raw, want string }{
		{"", ""}, {" a  b ", " a  b "}, {"a\tb\nc\rd\r\ne", "a b c d e"}, {"&#9;&#10;&#13;&#x20;", "\t\n\r "}, {"&#13;\n", "\r "}, {"\r&#10;", " \n"}, {"\r\r\n", "  "},
		{"&amp;&lt;&gt;&quot;&apos;", `&<>"'`}, {"'", "'"}, {">", ">"}, {"]]>", "]]>"}, {"&amp;#65;", "&#65;"}, {"<!--"[1:], "!--"}, {"\u00e9", "\u00e9"},
	} {
		e := parse(t, `<e a="`+c.raw+`"/>`).Root()
		got, found := e.Attr("a")
		assert.True(t, found)
		assert.Equal(t, c.want, got, "%q", c.raw)
		assertSameSigned(t, `<e a="`+c.raw+`"/>`)
		ns := parse(t, `<e xmlns:p="u`+c.raw+`"><p:f/></e>`).Root().First().Space()
		assert.Equal(t, "u"+c.want, ns, "%q as the name of a namespace", c.raw)
		assertSameSigned(t, `<e xmlns:p="u`+c.raw+`"><p:f p:a=""/></e>`)
	}
	value, found := parse(t, `<e a='"&apos;"'/>`).Root().Attr("a")
	assert.True(t, found)
	assert.Equal(t, `"'"`, value)
}

func TestErrorQuotesNoContent(t *testing.T) {
	t.Parallel()
	for _, doc := range []string{"<e>secret&secret;</e>", "<e secret='secret", "<e>secret]]></e>", "<e><secret></e>", "<secret:e/>", "<e secret='' secret=''/>", "<e ID='secret'><e ID='secret'/></e>", "<e>secret\x01</e>"} {
		_, err := xmlsec.Parse([]byte(doc), xmlsec.Limits{})
		require.Error(t, err)
		assert.NotContains(t, err.Error(), "secret")
	}
}

// What is read does not depend on what stands behind it in memory.
func TestReaderStaysInside(t *testing.T) {
	t.Parallel()
	const doc = `<p:e xmlns:p="urn:p" p:a='1'><![CDATA[x]]><!--c-->&amp;</p:e>`
	for n := range len(doc) {
		_, err := xmlsec.Parse(bytes.Clone([]byte(doc))[:n:n], xmlsec.Limits{})
		require.Error(t, err, "%q", doc[:n])
		_, err = xmlsec.Parse([]byte(doc)[:n], xmlsec.Limits{})
		require.Error(t, err, "%q", doc[:n])
	}
}
