package xmlsec_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml/internal/xmlsec"
)

// A hostile document costs what a harmless one of its length costs, within a factor: time grows with its length and no
// faster. Each shape here is made to hit whatever is compared with, looked up in, or copied from what came before.

// A shape makes a document out of about n small pieces.
type shape struct {
	name   string
	make   func(n int) string
	listed []string // PrefixList to canonicalise with
}

// letters is i in letters that all end alike, so that a comparison from the front and one from the back take long.
func letters(i int) string {
	return fmt.Sprintf("%s%05d%s", strings.Repeat("x", 60), i, strings.Repeat("x", 60))
}

func repeated(n, most int, format string) string { return numbered(min(n, most), format) }

var hostile = []shape{
	{name: "plain", make: func(n int) string { return "<e>" + strings.Repeat("<f>text</f>", n) + "</e>" }},
	{name: "elements", make: func(n int) string { return "<e>" + strings.Repeat("<f/>", n) + "</e>" }},
	{name: "text of references", make: func(n int) string { return "<e>" + strings.Repeat("&amp;&#x0010FFFF;&#13;", n) + "</e>" }},
	{name: "value of references", make: func(n int) string { return "<e a='" + strings.Repeat("&amp;&#x0010FFFF;&#9;", n) + "'/>" }},
	{name: "text of carriage returns", make: func(n int) string { return "<e>" + strings.Repeat("\r\r\n", 4*n) + "</e>" }},
	{name: "value of carriage returns", make: func(n int) string { return "<e a='" + strings.Repeat("\r\r\n", 4*n) + "'/>" }},
	{name: "carriage returns between elements", make: func(n int) string { return "<e>" + strings.Repeat("\r<f/>", n) + "</e>" }},
	{name: "brackets", make: func(n int) string { return "<e>" + strings.Repeat("]]]]]]]]", n) + "<![CDATA[]]></e>" }},
	{name: "CDATA", make: func(n int) string { return "<e>" + strings.Repeat("<![CDATA[]]>", n) + "</e>" }},
	{name: "CDATA and text", make: func(n int) string { return "<e>" + strings.Repeat("a<![CDATA[<]]>", n) + "</e>" }},
	{name: "comments", make: func(n int) string { return "<e>" + strings.Repeat("a<!-- - -->", n) + "</e>" }},
	{name: "comments around", make: func(n int) string { return strings.Repeat("<!---->\r", n) + "<e/>" + strings.Repeat("<!---->\r", n) }},
	{name: "hyphens in a comment", make: func(n int) string { return "<e><!--" + strings.Repeat("- ", 4*n) + "--></e>" }},
	{name: "white space in a tag", make: func(n int) string { return "<e" + strings.Repeat(" \r\n", 4*n) + "a='' />" }},
	{name: "white space in end tags", make: func(n int) string { return "<e>" + strings.Repeat("<f></f       >", n) + "</e>" }},
	{name: "wide names", make: func(n int) string {
		return "<e>" + strings.Repeat("<"+strings.Repeat("\u00e9", 100)+"/>", n/8) + "</e>"
	}},
	{name: "attributes", make: func(n int) string {
		return "<e>" + strings.Repeat("<f"+numbered(xmlsec.MaxAttributes, " a%d=''")+"/>", n/xmlsec.MaxAttributes*2) + "</e>"
	}},
	{name: "attributes that look alike", make: func(n int) string {
		var f strings.Builder
		for i := range xmlsec.MaxAttributes {
			f.WriteString(" " + letters(i) + "=''")
		}
		return "<e>" + strings.Repeat("<f"+f.String()+"/>", n/xmlsec.MaxAttributes/4) + "</e>"
	}},
	{name: "attributes of namespaces that look alike", make: func(n int) string {
		var root, f strings.Builder
		for i := range xmlsec.MaxDeclarations {
			fmt.Fprintf(&root, " xmlns:p%d='%s'", i, letters(i))
			fmt.Fprintf(&f, " p%d:a=''", i)
		}
		return "<e" + root.String() + " " + strings.TrimSpace(f.String()) + ">" + strings.Repeat("<f a='1'/>", n) + "</e>"
	}},
	{name: "depth", make: func(n int) string {
		deep := xmlsec.MaxDepth - 1
		return "<e>" + strings.Repeat(strings.Repeat("<f>", deep)+strings.Repeat("</f>", deep), n/deep+1) + "</e>"
	}},
	{name: "depth with declarations", make: func(n int) string {
		deep := xmlsec.MaxDepth - 1
		return "<e>" + strings.Repeat(numbered(deep, "<f xmlns='u%d' xmlns:p='v%[1]d'>")+strings.Repeat("</f>", deep), n/deep/2+1) + "</e>"
	}},
	{name: "IDs", make: func(n int) string { return "<e>" + numbered(n, "<f ID='i%d'/>") + "</e>" }},
	{name: "IDs that look alike", make: func(n int) string {
		var s strings.Builder
		for i := range n / 8 {
			s.WriteString("<f Id='" + letters(i) + "'/>")
		}
		return "<e>" + s.String() + "</e>"
	}},
	{name: "prefixes", make: func(n int) string {
		return "<e>" + repeated(n, xmlsec.MaxPrefixes-2, "<p%d:e xmlns:p%[1]d='u'/>") + strings.Repeat("<p7:f xmlns:p7='v'/>", n) + "</e>"
	}},
	{name: "prefixes that collide", make: func(n int) string { // by first octet, which the reader remembers the last prefix by
		var s strings.Builder
		s.WriteString("<e" + numbered(60, " xmlns:p%d='u'") + ">")
		for i := range n {
			fmt.Fprintf(&s, "<p%d:f p%d:a=''/>", i%60, (i+30)%60)
		}
		return s.String() + "</e>"
	}},
	{name: "prefixes that look alike", make: func(n int) string {
		var s strings.Builder
		for i := range n / 8 {
			p := letters(i % 250)
			s.WriteString("<" + p + ":f xmlns:" + p + "='u'/>")
		}
		return "<e>" + s.String() + "</e>"
	}},
	{name: "namespaces", make: func(n int) string {
		return "<e>" + repeated(n, xmlsec.MaxNamespaces-2, "<f xmlns='urn:%d'/>") + strings.Repeat("<f xmlns='urn:7'/><f xmlns='urn:8'/>", n/2) + "</e>"
	}},
	{name: "namespaces that look alike", make: func(n int) string {
		var s strings.Builder
		for i := range n / 8 {
			s.WriteString("<f xmlns='" + letters(i%1000) + "'/>")
		}
		return "<e>" + s.String() + "</e>"
	}},
	{name: "long namespaces, few", make: func(n int) string {
		var s strings.Builder
		for i := range n / 32 {
			fmt.Fprintf(&s, "<f xmlns='%s%d'/>", strings.Repeat("u", 1000), i%20)
		}
		return "<e>" + s.String() + "</e>"
	}},
	{name: "namespaces of references", make: func(n int) string {
		var s strings.Builder
		for i := range n / 8 {
			fmt.Fprintf(&s, "<f xmlns='%s%d'/>", strings.Repeat("&amp;", 100), i%1000)
		}
		return "<e>" + s.String() + "</e>"
	}},
	{name: "one prefix, bound again and again", make: func(n int) string {
		var s strings.Builder
		for i := range n {
			fmt.Fprintf(&s, "<p:f xmlns:p='urn:%d'/>", i%1000)
		}
		return "<e>" + s.String() + "</e>"
	}},
	{name: "declarations", make: func(n int) string {
		return "<e>" + strings.Repeat("<f"+numbered(xmlsec.MaxDeclarations, " xmlns:p%d='u'")+"/>", n/xmlsec.MaxDeclarations*2) + "</e>"
	}},
	{name: "declarations of each level again", make: func(n int) string {
		level := "<f" + numbered(xmlsec.MaxDeclarations, " xmlns:p%d='u'") + ">"
		const deep = 100
		return "<e>" + strings.Repeat(strings.Repeat(level, deep)+strings.Repeat("</f>", deep), n/deep/32+1) + "</e>"
	}},
	{name: "declarations of each level changed", make: func(n int) string {
		levels := "<f" + numbered(30, " xmlns:p%d='u'") + "><f" + numbered(30, " xmlns:p%d='v'") + ">"
		const deep = 50
		return "<e>" + strings.Repeat(strings.Repeat(levels, deep)+strings.Repeat("</f></f>", deep), n/deep/32+1) + "</e>"
	}},
	{name: "PrefixList of many over elements", listed: strings.Fields(numbered(xmlsec.MaxPrefixList, "p%d ")), make: func(n int) string {
		return "<e" + numbered(xmlsec.MaxDeclarations, " xmlns:p%d='u'") + ">" + strings.Repeat("<f/>", n) + "</e>"
	}},
	{name: "PrefixList of many, not bound", listed: strings.Fields(numbered(xmlsec.MaxPrefixList, "p%d ")), make: func(n int) string {
		return "<e><f" + numbered(xmlsec.MaxDeclarations, " xmlns:p%d='u'") + "/>" + strings.Repeat("<f/>", n) + "</e>"
	}},
	{name: "siblings with an inherited namespace", make: func(n int) string {
		return "<e xmlns:p='" + strings.Repeat("u", 20) + "'>" + strings.Repeat("<p:f>some text here</p:f>", n) + "</e>"
	}},
	{name: "siblings with an inherited namespace, long", make: func(n int) string {
		return "<e xmlns:p='" + strings.Repeat("u", 1000) + "'>" + strings.Repeat("<p:f/>", n) + "</e>"
	}},
	{name: "siblings with many inherited namespaces", make: func(n int) string {
		return "<e" + numbered(60, " xmlns:p%d='u'") + ">" + strings.Repeat("<f"+numbered(60, " p%d:a%[1]d=''")+"/>", n/32) + "</e>"
	}},
	{name: "double quotes", make: func(n int) string { return "<e a='" + strings.Repeat(`"`, 4*n) + "'/>" }},
	{name: "angle brackets", make: func(n int) string { return "<e>" + strings.Repeat(">", 4*n) + "</e>" }},
}

// A costing is the shortest that each piece of work on a document took so far.
type costing struct {
	doc  []byte
	r    xmlsec.Reader // keeps its memory, as one does in use
	dst  []byte
	took [len(works)]time.Duration
}

var works = [...]string{"reading", "exclusive canonicalisation", "inclusive canonicalisation"}

// measure does all work once more.
func (c *costing) measure(t testing.TB, listed []string) {
	t.Helper()
	began := time.Now()
	u, err := c.r.Parse(c.doc, xmlsec.MetadataLimits())
	c.note(0, began)
	require.NoError(t, err)
	for i, m := range []xmlsec.C14N{{Exclusive: true, Prefixes: listed}, {Comments: true}} {
		began := time.Now()
		dst, err := u.Canonicalize(c.dst[:0], u.Root(), m)
		c.note(1+i, began)
		if dst != nil {
			c.dst = dst
		}
		if !isKind(err, xmlsec.Limit) { // a refusal for growth is as good, if it comes in time
			require.NoError(t, err)
		}
	}
}

func (c *costing) note(work int, began time.Time) {
	if took := time.Since(began); c.took[work] == 0 || took < c.took[work] {
		c.took[work] = took
	}
}

// tooSlow says what grew by more than three times the growth of the document, "" if nothing did. The floor is what noise does
// not reach.
func tooSlow(small, large *costing) string {
	const floor = 100 * time.Microsecond
	growth := float64(len(large.doc)) / float64(len(small.doc))
	for i, work := range works {
		if allowed := 3 * growth * float64(max(small.took[i], floor)); float64(large.took[i]) > allowed {
			return fmt.Sprintf("%s took %v for %d octets and %v for %d", work, small.took[i], len(small.doc), large.took[i], len(large.doc))
		}
	}
	return ""
}

// What is quadratic takes 64 times as long for eight times the length, what is linear eight times. Other programs take
// the processor away at any time, so the shortest of many runs counts, and more are made before one complains.
//
// req: SE-LIMITS
func TestCostIsLinear(t *testing.T) {
	const n = 1000
	for _, s := range hostile {
		t.Run(s.name, func(t *testing.T) {
			small, large := &costing{doc: []byte(s.make(n))}, &costing{doc: []byte(s.make(8 * n))}
			for run := 1; ; run++ {
				small.measure(t, s.listed)
				large.measure(t, s.listed)
				complaint := tooSlow(small, large)
				if raceDetector || run >= 3 && complaint == "" {
					return // the detector has costs of its own
				}
				require.Less(t, run, 400, complaint)
			}
		})
	}
}

func BenchmarkHostile(b *testing.B) {
	for _, s := range hostile {
		doc := []byte(s.make(16_000))
		b.Run("Parse/"+s.name, func(b *testing.B) {
			r := xmlsec.NewReader()
			b.SetBytes(int64(len(doc)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := r.Parse(doc, xmlsec.MetadataLimits()); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run("Canonicalize/"+s.name, func(b *testing.B) {
			u := parseMetadata(b, string(doc))
			buf := make([]byte, 0, (xmlsec.MaxGrowth+1)*len(doc)+xmlsec.GrowthAllowance)
			b.SetBytes(int64(len(doc)))
			b.ReportAllocs()
			for b.Loop() {
				_, err := u.Canonicalize(buf, u.Root(), xmlsec.C14N{Exclusive: true, Prefixes: s.listed})
				if err != nil && !isKind(err, xmlsec.Limit) {
					b.Fatal(err)
				}
			}
		})
	}
}
