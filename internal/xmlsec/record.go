package xmlsec

import "bytes"

// recordElement writes the row of a start tag whose name stands at pos of the canonical octets.
func (c *canonicalizer) recordElement(n *node, pos int32) int32 {
	row := int32(len(c.out.nodes))
	to := c.out.addNode()
	to.kind, to.pos, to.size, to.colon, to.ns, to.prefix = elementNode, pos, n.size, n.colon, n.ns, n.prefix
	to.parent, to.attr, to.decl = c.recordParent(), int32(len(c.out.attrs)), int32(len(c.out.decls))
	to.attrs, to.decls = uint16(len(c.order)), uint16(len(c.decls))
	c.out.decls = append(c.out.decls, c.decls...)
	return row
}

// recordCopy writes the rows of an element just copied: those of the source, moved.
func (c *canonicalizer) recordCopy(row, shift int32) {
	d, out := c.d, c.out
	first, end := &d.nodes[row], d.nodes[row].end
	start := int32(len(out.nodes))
	down, right := start-row, int32(len(out.attrs))-first.attr
	out.nodes = append(out.nodes, d.nodes[row:end]...)
	attrEnd := first.attr
	for i := range out.nodes[start:] {
		n := &out.nodes[start+int32(i)]
		if n.kind == elementNode {
			attrEnd = n.attr + int32(n.attrs)
			n.attr += right
			n.decl = int32(len(out.decls))
		}
		n.pos += shift
		n.close += shift
		n.end += down
		n.parent += down
	}
	out.nodes[start].parent = c.recordParent()
	start = int32(len(out.attrs))
	out.attrs = append(out.attrs, d.attrs[first.attr:attrEnd]...)
	for i := range out.attrs[start:] {
		a := &out.attrs[start+int32(i)]
		a.pos += shift
		a.val += shift
	}
}

func (c *canonicalizer) recordParent() int32 {
	if k := len(c.path); k > 0 {
		return c.path[k-1].out
	}
	return -1
}

// recordAttribute writes the row of an attribute just written, name at pos and value from val to the end of the octets
// but for its closing quote, if that is written already.
func (c *canonicalizer) recordAttribute(a *attribute, pos, val, quote int32) {
	size := int32(len(c.dst)) - val - quote
	to := c.out.addAttribute()
	to.pos, to.val, to.size = pos, val, size
	to.name, to.colon, to.ns, to.prefix = a.name, a.colon, a.ns, a.prefix
	to.plain = a.plain || bytes.IndexByte(c.dst[val:], '&') < 0
}

// recordText writes the row of text just written from start to the end of the octets. Text that stood on both sides of
// a comment or a CDATA boundary is one text in the canonical form, and one row.
func (c *canonicalizer) recordText(start int) {
	size := int32(len(c.dst) - start)
	if size == 0 {
		return
	}
	plain := bytes.IndexByte(c.dst[start:], '&') < 0
	if k := len(c.out.nodes); k > 0 {
		if last := &c.out.nodes[k-1]; last.kind == textNode && last.pos+last.size == int32(start) {
			last.size += size
			last.close += size
			last.plain = last.plain && plain
			return
		}
	}
	row := int32(len(c.out.nodes))
	n := c.out.addNode()
	n.kind, n.pos, n.size, n.plain = textNode, int32(start), size, plain
	n.end, n.close, n.parent = row+1, int32(start)+size, c.recordParent()
}
