package xmlsec

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// Identifiers of canonicalisation algorithms.
const (
	ExclusiveC14N             = "http://www.w3.org/2001/10/xml-exc-c14n#"
	ExclusiveC14NWithComments = "http://www.w3.org/2001/10/xml-exc-c14n#WithComments"
	InclusiveC14N             = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
	InclusiveC14NWithComments = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments"
	InclusiveC14N11           = "http://www.w3.org/2006/12/xml-c14n11"
	InclusiveC14N11Comments   = "http://www.w3.org/2006/12/xml-c14n11#WithComments"
)

// C14N is a canonicalisation method. The zero value is Canonical XML 1.0 without comments.
type C14N struct {
	Exclusive bool
	// V11 is Canonical XML 1.1, which differs only in the xml: attributes that the apex inherits.
	V11      bool
	Comments bool
	// Prefixes is the PrefixList of exclusive canonicalisation; "" stands for #default.
	Prefixes []string
}

// C14NByURI returns the method that an Algorithm attribute names.
func C14NByURI(uri string) (C14N, bool) { return c14nByURI([]byte(uri)) }

func c14nByURI(uri []byte) (C14N, bool) {
	switch string(uri) {
	case ExclusiveC14N:
		return C14N{Exclusive: true}, true
	case ExclusiveC14NWithComments:
		return C14N{Exclusive: true, Comments: true}, true
	case InclusiveC14N:
		return C14N{}, true
	case InclusiveC14NWithComments:
		return C14N{Comments: true}, true
	case InclusiveC14N11:
		return C14N{V11: true}, true
	case InclusiveC14N11Comments:
		return C14N{V11: true, Comments: true}, true
	}
	return C14N{}, false
}

// Canonicalize appends the canonical form of e and its descendants to dst.
func (u *Unverified) Canonicalize(dst []byte, e Element, m C14N) ([]byte, error) {
	c := &u.r.canon
	c.begin(e.d, dst, m, -1, nil)
	return c.subtree(e.row)
}

// CanonicalizeDocument appends the canonical form of the whole document, with the comments and processing instructions
// beside its root element.
func (u *Unverified) CanonicalizeDocument(dst []byte, m C14N) ([]byte, error) {
	c := &u.r.canon
	c.begin(&u.r.doc, dst, m, -1, nil)
	return c.document()
}

// A canonicalizer writes the canonical form of a part of one document. With out set it also writes the table of what
// it wrote, so that the canonical octets can be read without parsing them again; a fuzz test holds the two readings
// against each other.
type canonicalizer struct {
	d    *document
	dst  []byte
	m    C14N
	skip int32 // row of the subtree to leave out: the enveloped signature; -1 = none
	most int   // largest dst
	out  *document

	listed   []int16 // PrefixList, as rows
	rendered []int16 // by prefix: the namespace that the nearest output ancestor declared
	inScope  []int16 // by prefix: what it is bound to, kept up only where the method needs it
	undo     []restore
	decls    []declaration // scratch: what one start tag declares
	order    []int32       // scratch: the attributes of one start tag, sorted
	path     []frame
	inherit  []int32 // scratch: xml: attributes that the apex inherits
	text     []byte  // scratch: a value before it is escaped
}

// A restore puts one prefix back when its element ends.
type restore struct {
	prefix  int16
	ns      int16
	inScope bool
}

// A frame is an element whose end tag is still to be written.
type frame struct {
	row  int32
	out  int32 // its row in the table being written
	undo int32 // length of canonicalizer.undo before it
}

func (c *canonicalizer) begin(d *document, dst []byte, m C14N, skip int32, out *document) {
	c.d, c.dst, c.m, c.skip, c.out = d, dst, m, skip, out
	c.most = len(dst) + maxCanonicalGrowth*len(d.src) + canonicalAllowance
	c.rendered, c.inScope = c.rendered[:0], c.inScope[:0]
	for range d.prefixes {
		c.rendered = append(c.rendered, unbound)
		c.inScope = append(c.inScope, unbound)
	}
	c.rendered[defaultPrefix], c.rendered[xmlPrefix] = noNamespace, xmlURI
	c.inScope[defaultPrefix], c.inScope[xmlPrefix] = noNamespace, xmlURI
	c.undo, c.path, c.listed = c.undo[:0], c.path[:0], c.listed[:0]
	for _, p := range m.Prefixes {
		for row, known := range d.prefixes {
			if row != xmlPrefix && string(known) == p {
				c.listed = append(c.listed, int16(row))
			}
		}
	}
	slices.Sort(c.listed)
	c.listed = slices.Compact(c.listed)
	if out != nil {
		*out = document{nodes: out.nodes[:0], attrs: out.attrs[:0], decls: out.decls[:0], uris: d.uris, prefixes: d.prefixes}
	}
}

// tracksScope reports whether the bindings in scope are needed: for names they stand in the table already.
func (c *canonicalizer) tracksScope() bool { return !c.m.Exclusive || len(c.listed) > 0 }

func (c *canonicalizer) document() ([]byte, error) {
	seen := false
	for i := int32(0); i < int32(len(c.d.nodes)); i = c.d.nodes[i].end {
		n := &c.d.nodes[i]
		switch {
		case n.kind == elementNode:
			seen = true
			if _, err := c.subtree(i); err != nil {
				return nil, err
			}
		case n.kind == piNode || n.kind == commentNode && c.m.Comments:
			if seen {
				c.dst = append(c.dst, '\n')
			}
			c.leaf(n)
			if !seen {
				c.dst = append(c.dst, '\n')
			}
		}
	}
	return c.dst, nil
}

// subtree writes the element of that row and all below it.
func (c *canonicalizer) subtree(apex int32) ([]byte, error) {
	d := c.d
	c.inherit = c.inherit[:0]
	if err := c.ancestors(apex); err != nil {
		return nil, err
	}
	for i, end := apex, d.nodes[apex].end; i < end; {
		for len(c.path) > 0 && i >= d.nodes[c.path[len(c.path)-1].row].end {
			c.endTag()
		}
		n := &d.nodes[i]
		switch {
		case i == c.skip:
			i = n.end
			continue
		case n.exact && c.isExact(n) && i != apex:
			c.copyExact(i)
			i = n.end
			continue
		case n.kind == elementNode:
			c.startTag(i, i == apex)
		case n.kind != commentNode || c.m.Comments:
			c.leaf(n)
		}
		if len(c.dst) > c.most {
			return nil, &Error{Limit, int(n.pos), fmt.Sprintf("the canonical form is more than %d times the document", maxCanonicalGrowth)}
		}
		i++
	}
	for len(c.path) > 0 {
		c.endTag()
	}
	return c.dst, nil
}

// ancestors brings what the apex inherits from elements that are not written themselves.
func (c *canonicalizer) ancestors(apex int32) error {
	if !c.tracksScope() {
		return nil
	}
	for p := c.d.nodes[apex].parent; p >= 0; p = c.d.nodes[p].parent {
		c.path = append(c.path, frame{row: p})
	}
	for _, f := range slices.Backward(c.path) {
		for _, decl := range c.d.declarationsOf(&c.d.nodes[f.row]) {
			c.inScope[decl.prefix] = decl.ns
		}
	}
	err := c.inheritXML(apex)
	c.path = c.path[:0]
	return err
}

// inheritXML collects the xml: attributes of the ancestors in c.path, nearest first: all of them for Canonical XML 1.0
// (2.4), xml:lang and xml:space for 1.1 (2.4). The xml:base fix-up of 1.1 joins URIs, which nothing in SAML needs: a
// document that asks for it is refused.
func (c *canonicalizer) inheritXML(apex int32) error {
	if c.m.Exclusive {
		return nil
	}
	has := func(local []byte) bool {
		own := c.d.attributesOf(&c.d.nodes[apex])
		for i := range own {
			if own[i].ns == xmlURI && bytes.Equal(c.d.attrLocal(&own[i]), local) {
				return true
			}
		}
		for _, row := range c.inherit {
			if bytes.Equal(c.d.attrLocal(&c.d.attrs[row]), local) {
				return true
			}
		}
		return false
	}
	for _, f := range c.path {
		n := &c.d.nodes[f.row]
		for row := n.attr; row < n.attr+int32(n.attrs); row++ {
			a := &c.d.attrs[row]
			if a.ns != xmlURI {
				continue
			}
			local := c.d.attrLocal(a)
			if c.m.V11 {
				if string(local) == "base" {
					return &Error{UnsupportedAlgorithm, int(a.pos), "xml:base above a signed element under Canonical XML 1.1"}
				}
				if string(local) != "lang" && string(local) != "space" {
					continue
				}
			}
			if has(local) {
				continue
			}
			if int(c.d.nodes[apex].attrs)+len(c.inherit) >= maxAttributes {
				return &Error{Limit, int(a.pos), fmt.Sprintf("more than %d attributes, inherited ones included", maxAttributes)}
			}
			c.inherit = append(c.inherit, row)
		}
	}
	return nil
}

func (c *canonicalizer) startTag(row int32, apex bool) {
	d := c.d
	n := &d.nodes[row]
	f := frame{row: row, out: -1, undo: int32(len(c.undo))}
	c.decls, c.order = c.decls[:0], c.order[:0]
	if !c.isPlain(n, apex) {
		c.collectDeclarations(n, apex)
		c.sortAttributes(n, apex)
	}

	pos := int32(len(c.dst)) + 1
	c.dst = append(c.dst, d.src[n.pos-1:n.pos+n.size]...) // with its "<"
	for _, decl := range c.decls {
		c.writeDeclaration(decl)
	}
	if c.out != nil {
		f.out = c.recordElement(n, pos)
	}
	for _, a := range c.order {
		c.writeAttribute(&d.attrs[a])
	}
	c.dst = append(c.dst, '>')
	c.path = append(c.path, f)
}

// isPlain reports whether the start tag is its name alone, as most are.
func (c *canonicalizer) isPlain(n *node, apex bool) bool {
	return n.attrs == 0 && !apex && c.rendered[n.prefix] == n.ns && (n.decls == 0 || !c.tracksScope())
}

// isExact reports whether an exact element is its own canonical form here, by whatever method: it declares nothing, so that
// no prefix is bound inside of it but as around it; see exactAttributes.
func (c *canonicalizer) isExact(n *node) bool {
	return n.kind == elementNode && c.rendered[n.prefix] == n.ns
}

// copyExact writes an element that is its own canonical form.
func (c *canonicalizer) copyExact(row int32) {
	n := &c.d.nodes[row]
	shift := int32(len(c.dst)) - (n.pos - 1)
	c.dst = append(c.dst, c.d.src[n.pos-1:n.close]...)
	if c.out != nil {
		c.recordCopy(row, shift)
	}
}

// collectDeclarations leaves in c.decls the namespace declarations that this start tag must carry, sorted by prefix.
func (c *canonicalizer) collectDeclarations(n *node, apex bool) {
	d := c.d
	if c.tracksScope() {
		for _, decl := range d.declarationsOf(n) {
			c.undo = append(c.undo, restore{decl.prefix, c.inScope[decl.prefix], true})
			c.inScope[decl.prefix] = decl.ns
		}
	}
	if c.m.Exclusive {
		// Exclusive XML Canonicalization 3: prefixes that the start tag itself uses, and those of the PrefixList.
		c.need(n.prefix, n.ns)
		attrs := d.attributesOf(n)
		for i := range attrs {
			if attrs[i].prefix != defaultPrefix {
				c.need(attrs[i].prefix, attrs[i].ns)
			}
		}
		for _, p := range c.listed {
			if c.inScope[p] != unbound {
				c.need(p, c.inScope[p])
			}
		}
	} else if apex {
		for p, ns := range c.inScope {
			if ns != unbound {
				c.need(int16(p), ns)
			}
		}
	} else {
		for _, decl := range d.declarationsOf(n) {
			c.need(decl.prefix, decl.ns)
		}
	}
	if len(c.decls) > 1 {
		slices.SortFunc(c.decls, func(a, b declaration) int {
			return bytes.Compare(d.prefixes[a.prefix], d.prefixes[b.prefix])
		})
	}
}

// need adds a declaration unless the nearest output ancestor has made it.
func (c *canonicalizer) need(prefix, ns int16) {
	if c.rendered[prefix] == ns {
		return
	}
	c.undo = append(c.undo, restore{prefix, c.rendered[prefix], false})
	c.rendered[prefix] = ns
	c.decls = append(c.decls, declaration{prefix: prefix, ns: ns})
}

// sortAttributes leaves in c.order the attributes of the start tag by namespace name, then local name (Canonical XML
// 1.0, 2.2).
func (c *canonicalizer) sortAttributes(n *node, apex bool) {
	for i := range int32(n.attrs) {
		c.order = append(c.order, n.attr+i)
	}
	if apex {
		c.order = append(c.order, c.inherit...)
	}
	const few = 8
	if len(c.order) > few {
		slices.SortFunc(c.order, c.compareAttributes)
		return
	}
	for i := 1; i < len(c.order); i++ {
		for j := i; j > 0 && c.compareAttributes(c.order[j-1], c.order[j]) > 0; j-- {
			c.order[j-1], c.order[j] = c.order[j], c.order[j-1]
		}
	}
}

func (c *canonicalizer) compareAttributes(i, j int32) int {
	a, b := &c.d.attrs[i], &c.d.attrs[j]
	if a.ns != b.ns {
		return bytes.Compare(c.d.uris[a.ns], c.d.uris[b.ns])
	}
	return bytes.Compare(c.d.attrLocal(a), c.d.attrLocal(b))
}

func (c *canonicalizer) endTag() {
	f := c.path[len(c.path)-1]
	c.path = c.path[:len(c.path)-1]
	c.dst = append(c.dst, '<', '/')
	c.dst = append(c.dst, c.d.name(&c.d.nodes[f.row])...)
	c.dst = append(c.dst, '>')
	for _, r := range slices.Backward(c.undo[f.undo:]) {
		if r.inScope {
			c.inScope[r.prefix] = r.ns
		} else {
			c.rendered[r.prefix] = r.ns
		}
	}
	c.undo = c.undo[:f.undo]
	if c.out != nil {
		c.out.nodes[f.out].end = int32(len(c.out.nodes))
		c.out.nodes[f.out].close = int32(len(c.dst))
	}
}

func (c *canonicalizer) writeDeclaration(decl declaration) {
	c.dst = append(c.dst, " xmlns"...)
	if decl.prefix != defaultPrefix {
		c.dst = append(c.dst, ':')
		c.dst = append(c.dst, c.d.prefixes[decl.prefix]...)
	}
	c.dst = append(c.dst, '=', '"')
	uri := c.d.uris[decl.ns]
	if isPlainValue(uri) && bytes.IndexByte(uri, '<') < 0 {
		c.dst = append(c.dst, uri...)
	} else {
		c.dst = appendEscapedAttribute(c.dst, uri)
	}
	c.dst = append(c.dst, '"')
}

func (c *canonicalizer) writeAttribute(a *attribute) {
	d := c.d
	c.dst = append(c.dst, ' ')
	pos := int32(len(c.dst))
	if a.plain && a.val == a.pos+int32(a.name)+2 && d.src[a.val-1] == '"' {
		c.dst = append(c.dst, d.src[a.pos:a.val+a.size+1]...) // written as the canonical form has it
		if c.out != nil {
			c.recordAttribute(a, pos, pos+int32(a.name)+2, 1)
		}
		return
	}
	c.dst = append(c.dst, d.attrName(a)...)
	c.dst = append(c.dst, '=', '"')
	val := int32(len(c.dst))
	if a.plain {
		c.dst = append(c.dst, d.value(a)...)
	} else {
		c.text = appendAttributeValue(c.text[:0], d.value(a))
		c.dst = appendEscapedAttribute(c.dst, c.text)
	}
	if c.out != nil {
		c.recordAttribute(a, pos, val, 0)
	}
	c.dst = append(c.dst, '"')
}

// leaf writes text, a comment or a processing instruction.
func (c *canonicalizer) leaf(n *node) {
	raw := c.d.content(n)
	start := len(c.dst)
	switch n.kind {
	case textNode:
		if n.exact {
			c.dst = append(c.dst, raw...)
		} else {
			c.text = appendText(c.text[:0], raw)
			c.dst = appendEscapedText(c.dst, c.text)
		}
	case cdataNode:
		c.text = appendLines(c.text[:0], raw)
		c.dst = appendEscapedText(c.dst, c.text)
	case commentNode:
		c.dst = append(c.dst, "<!--"...)
		c.dst = appendLines(c.dst, raw)
		c.dst = append(c.dst, "-->"...)
		return
	case piNode:
		c.dst = append(c.dst, "<?"...)
		target := ncName(raw)
		data := bytes.TrimLeft(raw[target:], " \t\r\n")
		c.dst = append(c.dst, raw[:target]...)
		if len(data) > 0 {
			c.dst = append(c.dst, ' ')
			c.dst = appendLines(c.dst, data)
		}
		c.dst = append(c.dst, "?>"...)
		return
	}
	if c.out != nil {
		c.recordText(start)
	}
}

// appendEscapedText: Canonical XML 1.0, 2.3, text nodes.
func appendEscapedText(dst, s []byte) []byte {
	for _, c := range s {
		switch c {
		case '&':
			dst = append(dst, "&amp;"...)
		case '<':
			dst = append(dst, "&lt;"...)
		case '>':
			dst = append(dst, "&gt;"...)
		case '\r':
			dst = append(dst, "&#xD;"...)
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

// appendEscapedAttribute: Canonical XML 1.0, 2.3, attribute nodes.
func appendEscapedAttribute(dst, s []byte) []byte {
	for _, c := range s {
		switch c {
		case '&':
			dst = append(dst, "&amp;"...)
		case '<':
			dst = append(dst, "&lt;"...)
		case '"':
			dst = append(dst, "&quot;"...)
		case '\t':
			dst = append(dst, "&#x9;"...)
		case '\n':
			dst = append(dst, "&#xA;"...)
		case '\r':
			dst = append(dst, "&#xD;"...)
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

// prefixList splits the PrefixList attribute (Exclusive XML Canonicalization, 2).
func prefixList(s string) ([]string, error) {
	if len(s) > maxPrefixOctets {
		return nil, fault(Limit, "more than %d octets in a PrefixList", maxPrefixOctets)
	}
	list := strings.FieldsFunc(s, func(c rune) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' })
	if len(list) > maxPrefixList {
		return nil, fault(Limit, "more than %d prefixes in a PrefixList", maxPrefixList)
	}
	for i, p := range list {
		if p == "#default" {
			list[i] = ""
		}
	}
	return list, nil
}
