package xmlsec

import "iter"

// Unverified is a document as received. What it says may veto a login or be shown to an administrator; it never grants
// anything.
type Unverified struct{ r *Reader }

// Root returns the root element.
func (u *Unverified) Root() Element { return u.r.doc.root() }

func (d *document) root() Element {
	for i := range d.nodes {
		if d.nodes[i].kind == elementNode {
			return Element{d: d, row: int32(i)}
		}
	}
	return Element{}
}

// An Element is a view of one element of a document. The zero Element is no element: it has no name, no attributes and
// no children.
type Element struct {
	d   *document
	row int32
}

// HasSignature reports whether e has a ds:Signature child.
func (e Element) HasSignature() bool { return e.Child(dsNamespace, signatureName).Exists() }

// Exists reports whether e is an element.
func (e Element) Exists() bool { return e.d != nil }

func (e Element) node() *node { return &e.d.nodes[e.row] }

// Is reports whether e has this expanded name. Like First and Next it is called from a hundred places in each login: as a
// copy at each of them it would take more of the instruction cache than a call takes time.
//
//go:noinline
func (e Element) Is(space, local string) bool {
	if e.d == nil {
		return false
	}
	n := e.node()
	return int(n.size)-int(n.colon) == len(local) && string(e.d.local(n)) == local && string(e.d.uris[n.ns]) == space
}

// Space returns the namespace name of e.
func (e Element) Space() string {
	if e.d == nil {
		return ""
	}
	return string(e.d.uris[e.node().ns])
}

// Local returns the local name of e.
func (e Element) Local() string {
	if e.d == nil {
		return ""
	}
	return string(e.d.local(e.node()))
}

// Parent returns the element around e, the zero Element for the root.
func (e Element) Parent() Element {
	if e.d == nil || e.node().parent < 0 {
		return Element{}
	}
	return Element{e.d, e.node().parent}
}

// Children yields the child elements in document order.
func (e Element) Children() iter.Seq[Element] {
	return func(yield func(Element) bool) {
		for c := e.First(); c.Exists(); c = c.Next() {
			if !yield(c) {
				return
			}
		}
	}
}

// First returns the first child element, the zero Element if there is none.
//
//go:noinline
func (e Element) First() Element {
	if e.d == nil {
		return Element{}
	}
	return e.d.elementFrom(e.row+1, e.node().end)
}

// Next returns the next element with the same parent, the zero Element if there is none.
//
//go:noinline
func (e Element) Next() Element {
	if e.d == nil {
		return Element{}
	}
	end := int32(len(e.d.nodes))
	if p := e.node().parent; p >= 0 {
		end = e.d.nodes[p].end
	}
	return e.d.elementFrom(e.node().end, end)
}

// elementFrom returns the first element among siblings from row i up to end.
func (d *document) elementFrom(i, end int32) Element {
	for ; i < end; i = d.nodes[i].end {
		if d.nodes[i].kind == elementNode {
			return Element{d, i}
		}
	}
	return Element{}
}

// Count returns the number of child elements.
func (e Element) Count() (n int) {
	for c := e.First(); c.Exists(); c = c.Next() {
		n++
	}
	return n
}

// Child returns the first child element of that name, the zero Element if there is none.
func (e Element) Child(space, local string) Element {
	for c := e.First(); c.Exists(); c = c.Next() {
		if c.Is(space, local) {
			return c
		}
	}
	return Element{}
}

// An Attr is one attribute of an element.
type Attr struct {
	d *document
	a *attribute
}

// Space returns the namespace name of the attribute, "" for one without prefix.
func (a Attr) Space() string { return string(a.d.uris[a.a.ns]) }

// Local returns the local name of the attribute.
func (a Attr) Local() string { return string(a.d.attrLocal(a.a)) }

// AppendValue appends the normalised value to dst.
func (a Attr) AppendValue(dst []byte) []byte {
	raw := a.d.value(a.a)
	if a.a.plain {
		return append(dst, raw...)
	}
	return appendAttributeValue(dst, raw)
}

// Value returns the normalised value. It is octets of the document where it can be, and must not be changed.
func (a Attr) Value() []byte {
	if a.a.plain {
		return a.d.value(a.a)
	}
	return a.AppendValue(nil)
}

// Attributes yields the attributes, without namespace declarations, in document order.
func (e Element) Attributes() iter.Seq[Attr] {
	return func(yield func(Attr) bool) {
		if e.d == nil {
			return
		}
		attrs := e.d.attributesOf(e.node())
		for i := range attrs {
			if !yield(Attr{e.d, &attrs[i]}) {
				return
			}
		}
	}
}

// Find returns the attribute of that expanded name; space is "" for an attribute in no namespace.
func (e Element) Find(space, local string) (Attr, bool) {
	if e.d == nil {
		return Attr{}, false
	}
	attrs := e.d.attributesOf(e.node())
	for i := range attrs {
		a := &attrs[i]
		if int(a.name)-int(a.colon) == len(local) && string(e.d.attrLocal(a)) == local && string(e.d.uris[a.ns]) == space {
			return Attr{e.d, a}, true
		}
	}
	return Attr{}, false
}

// Attr returns the value of the attribute of that name in no namespace.
func (e Element) Attr(local string) (value string, found bool) {
	a, found := e.Find("", local)
	if !found {
		return "", false
	}
	return string(a.AppendValue(nil)), true
}

// value returns the value of the attribute in no namespace, nil if it is not there. It must not be changed.
func (e Element) value(local string) []byte {
	a, found := e.Find("", local)
	if !found {
		return nil
	}
	return a.Value()
}

// AppendText appends the text of e to dst: its text and CDATA children joined, comments left out, the text of child
// elements not included.
func (e Element) AppendText(dst []byte) []byte {
	if e.d == nil {
		return dst
	}
	end := e.node().end
	for i := e.row + 1; i < end; i = e.d.nodes[i].end {
		n := &e.d.nodes[i]
		switch {
		case n.kind == textNode && !n.plain:
			dst = appendText(dst, e.d.content(n))
		case n.kind == cdataNode && !n.plain:
			dst = appendLines(dst, e.d.content(n))
		case n.kind == textNode || n.kind == cdataNode:
			dst = append(dst, e.d.content(n)...)
		}
	}
	return dst
}

// PlainText returns the text of e if it is one run of octets of the document, which must not be changed; ok is false if
// AppendText has to put it together.
func (e Element) PlainText() (text []byte, ok bool) {
	if e.d == nil {
		return nil, true
	}
	switch n := e.node(); n.end - e.row {
	case 1:
		return nil, true
	case 2:
		if only := &e.d.nodes[e.row+1]; only.plain && (only.kind == textNode || only.kind == cdataNode) {
			return e.d.content(only), true
		}
	}
	return nil, false
}

// Text returns the text of e as AppendText does.
func (e Element) Text() string { return string(e.AppendText(nil)) }

// AppendOuter appends e from its start tag to its end tag, as written.
func (e Element) AppendOuter(dst []byte) []byte {
	if e.d == nil {
		return dst
	}
	return append(dst, e.d.src[e.node().pos-1:e.node().close]...)
}

// Size returns the octets from the start of e's name to the end of its end tag.
func (e Element) Size() int {
	if e.d == nil {
		return 0
	}
	return int(e.node().close - e.node().pos)
}

// hasText reports whether e has a text child that is more than white space.
func (e Element) hasText() bool {
	for i := e.row + 1; i < e.node().end; i = e.d.nodes[i].end {
		n := &e.d.nodes[i]
		if n.kind != textNode && n.kind != cdataNode {
			continue
		}
		for _, c := range e.d.content(n) {
			if !isSpace(c) {
				return true
			}
		}
	}
	return false
}

// onlyText reports whether e has no children but text, CDATA sections among it: no elements and no comments.
func (e Element) onlyText() bool {
	for i := e.row + 1; i < e.node().end; i = e.d.nodes[i].end {
		if kind := e.d.nodes[i].kind; kind != textNode && kind != cdataNode {
			return false
		}
	}
	return true
}

// AppendInner appends what stands between the tags of e, octet for octet. It is for Signed elements of messages, whose
// octets are canonical: neither comments nor CDATA sections nor processing instructions are among them.
func (e Element) AppendInner(dst []byte) []byte {
	if e.d == nil || e.node().end == e.row+1 {
		return dst
	}
	first := &e.d.nodes[e.row+1]
	from, to := first.pos, first.pos
	if first.kind == elementNode {
		from--
	}
	for i := e.row + 1; i < e.node().end; i = e.d.nodes[i].end {
		to = e.d.nodes[i].close
	}
	return append(dst, e.d.src[from:to]...)
}
