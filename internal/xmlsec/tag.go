package xmlsec

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/maphash"
	"slices"
)

// startTag reads "<name …>" or "<name …/>" at r.pos.
func (r *Reader) startTag() error {
	d := &r.doc
	src := d.src
	if len(d.nodes) >= r.limits.Nodes {
		return r.limit("nodes", r.limits.Nodes)
	}
	if len(r.open) >= maxDepth {
		return r.limit("levels", maxDepth)
	}
	start := r.pos + 1
	size, colon, err := r.qualifiedName(start)
	if err != nil {
		return err
	}
	row := int32(len(d.nodes))
	n := d.addNode()
	n.kind, n.pos, n.size, n.colon = elementNode, int32(start), int32(size), uint8(colon)
	n.attr, n.decl, n.parent = int32(len(d.attrs)), int32(len(d.decls)), -1
	if k := len(r.open); k > 0 {
		n.parent = r.open[k-1]
	}
	r.pos = start + size
	r.less = indexFrom(src, r.pos, '<')
	empty, exact := false, true
	for {
		if r.pos >= len(src) {
			return r.fail(r.pos, "ends inside a tag")
		}
		c := src[r.pos]
		if c == '>' {
			r.pos++
			break
		}
		if c == '/' {
			if r.pos+1 >= len(src) || src[r.pos+1] != '>' {
				return r.fail(r.pos, `"/" inside a tag`)
			}
			r.pos += 2
			empty, exact = true, false
			break
		}
		if !isSpace(c) {
			return r.fail(r.pos, "no white space before an attribute")
		}
		if r.space(); r.pos == len(src) || src[r.pos] == '>' || src[r.pos] == '/' {
			exact = false
			continue
		}
		if err := r.attribute(n); err != nil {
			return err
		}
	}
	if err := r.resolve(n); err != nil {
		return err
	}
	sorted := exactAttributes(d, n)
	if !sorted {
		attrs := d.attributesOf(n)
		if twice := r.repeated(attrs); twice >= 0 {
			return r.fail(int(attrs[twice].pos), "an attribute that is there twice")
		}
	}
	n.exact = exact && n.decls == 0 && sorted
	if empty {
		r.close(row)
		return nil
	}
	r.open = append(r.open, row)
	return nil
}

// endTag reads "</name>" at r.pos and closes the innermost element.
func (r *Reader) endTag() error {
	d := &r.doc
	row := r.open[len(r.open)-1]
	name := d.name(&d.nodes[row])
	p := r.pos + 2
	if len(d.src)-p <= len(name) || !bytes.Equal(d.src[p:p+len(name)], name) {
		return r.fail(r.pos, "an end tag that does not match its start tag")
	}
	r.pos = p + len(name)
	if d.src[r.pos] != '>' {
		d.nodes[row].exact = false
		if !isSpace(d.src[r.pos]) {
			return r.fail(r.pos, "an end tag that does not match its start tag")
		}
		r.space()
		if r.pos >= len(d.src) || d.src[r.pos] != '>' {
			return r.fail(r.pos, "an end tag that does not end")
		}
	}
	r.pos++
	r.open = r.open[:len(r.open)-1]
	r.close(row)
	return nil
}

// close ends the element of that row and takes its declarations out of scope.
func (r *Reader) close(row int32) {
	n := &r.doc.nodes[row]
	n.end = int32(len(r.doc.nodes))
	n.close = int32(r.pos)
	if n.parent >= 0 {
		outer := &r.doc.nodes[n.parent]
		outer.exact = outer.exact && n.exact && n.prefix == outer.prefix
	}
	for _, decl := range r.doc.declarationsOf(n) {
		r.bound[decl.prefix] = decl.outer
	}
}

// exactAttributes reports whether the attributes of n, behind one space each, are written as the canonical form has them:
// plain values in double quotes, sorted, none with a prefix, none twice. An element is exact if its start tag is, and declares
// nothing, and its end tag, and all inside it, and if all elements inside it have its prefix: then, where its namespace is
// declared already, its octets are its canonical form.
func exactAttributes(d *document, n *node) bool {
	attrs := d.attributesOf(n)
	at := n.pos + n.size
	for i := range attrs {
		a := &attrs[i]
		if a.pos != at+1 || d.src[at] != ' ' || a.colon > 0 || !a.plain || a.val != a.pos+int32(a.name)+2 || d.src[a.val-1] != '"' ||
			i > 0 && bytes.Compare(d.attrName(&attrs[i-1]), d.attrName(a)) >= 0 {
			return false
		}
		at = a.val + a.size + 1
	}
	return true
}

// attribute reads name="value" at r.pos, an attribute or a namespace declaration.
func (r *Reader) attribute(n *node) error {
	src := r.doc.src
	start := r.pos
	size, colon, err := r.qualifiedName(start)
	if err != nil {
		return err
	}
	r.pos = start + size
	if r.pos+1 < len(src) && src[r.pos] == '=' && src[r.pos+1] == '"' {
		r.pos++
	} else {
		r.space()
		if r.pos >= len(src) || src[r.pos] != '=' {
			return r.fail(r.pos, "an attribute without a value")
		}
		r.pos++
		r.space()
	}
	val, end, plain, err := r.attributeValue()
	if err != nil {
		return err
	}
	name := src[start : start+size]
	if string(name) == "xmlns" {
		return r.declare(n, defaultPrefix, val, end, plain)
	}
	if colon == 6 && string(name[:5]) == "xmlns" {
		prefix, err := r.prefix(name[6:])
		if err != nil {
			return err
		}
		return r.declare(n, prefix, val, end, plain)
	}
	if n.attrs >= maxAttributes {
		return r.limit("attributes", maxAttributes)
	}
	n.attrs++
	a := r.doc.addAttribute()
	a.pos, a.name, a.colon = int32(start), int16(size), uint8(colon)
	a.val, a.size, a.plain = int32(val), int32(end-val), plain
	return nil
}

// attributeValue reads a quoted value at r.pos.
func (r *Reader) attributeValue() (start, end int, plain bool, err error) {
	src := r.doc.src
	if r.pos >= len(src) || src[r.pos] != '"' && src[r.pos] != '\'' {
		return 0, 0, false, r.fail(r.pos, "an attribute value without quotes")
	}
	quote := src[r.pos]
	start = r.pos + 1
	i := bytes.IndexByte(src[start:r.less], quote)
	if i < 0 {
		if r.less == len(src) {
			return 0, 0, false, r.fail(start, "an attribute value that does not end")
		}
		return 0, 0, false, r.fail(r.less, `"<" in an attribute value`)
	}
	end = start + i
	r.pos = end + 1
	if !r.hasAmp && !r.hasSpace && quote == '"' || isPlainValue(src[start:end]) {
		return start, end, true, nil
	}
	if bytes.IndexByte(src[start:end], '&') >= 0 {
		err = r.references(start, end)
	}
	return start, end, false, err
}

// isPlainValue reports whether a value as written is its own value and needs no escape in the canonical form: it holds no
// reference, no white space to normalise, and no double quote.
func isPlainValue(value []byte) bool {
	const ones, high = 0x0101010101010101, 0x8080808080808080
	i, seen := 0, uint64(0)
	for ; i+8 <= len(value); i += 8 {
		w := binary.LittleEndian.Uint64(value[i:])
		amp, quote := w^('&'*ones), w^('"'*ones)
		seen |= ((amp-ones)&^amp | (quote-ones)&^quote | (w-' '*ones)&^w) & high
	}
	for _, c := range value[i:] {
		if c == '&' || c < ' ' || c == '"' {
			return false
		}
	}
	return seen == 0
}

// declare binds a prefix for the element n and its descendants (Namespaces in XML 1.0, section 3).
func (r *Reader) declare(n *node, prefix int16, val, end int, plain bool) error {
	d := &r.doc
	if n.decls >= maxDeclarations {
		return r.limit("namespace declarations", maxDeclarations)
	}
	for _, other := range d.decls[n.decl:] {
		if other.prefix == prefix {
			return r.fail(val, "a prefix declared twice")
		}
	}
	uri := d.src[val:end]
	if !plain {
		r.unescaped = appendAttributeValue(r.unescaped[:0], uri)
		uri = r.unescaped
	}
	ns := int16(noNamespace)
	if len(uri) > 0 {
		var err error
		if ns, err = r.namespace(prefix, uri, plain); err != nil {
			return err
		}
	} else if prefix != defaultPrefix {
		return r.fail(val, "a prefix bound to no namespace")
	}
	if (prefix == xmlPrefix) != (ns == xmlURI) {
		return r.fail(val, "the prefix xml or its namespace re-bound")
	}
	d.decls = append(d.decls, declaration{prefix: prefix, ns: ns, outer: r.bound[prefix]})
	n.decls++
	r.bound[prefix] = ns
	return nil
}

// namespace returns the row of a namespace name, which is octets of the document if it is plain.
func (r *Reader) namespace(prefix int16, uri []byte, plain bool) (int16, error) {
	d := &r.doc
	if last := r.lastURI[prefix]; bytes.Equal(d.uris[last], uri) {
		return last, nil
	}
	row, found := r.knownURIs.find(d.uris, uri)
	if !found {
		switch {
		case len(uri) > maxNamespaceURI:
			return 0, r.limit("octets in a namespace name", maxNamespaceURI)
		case len(d.uris) >= maxNamespaces:
			return 0, r.limit("namespaces", maxNamespaces)
		case string(uri) == xmlnsNamespace:
			return 0, r.fail(r.pos, "the namespace of declarations bound to a prefix")
		}
		if !plain {
			uri = bytes.Clone(uri)
		}
		row = int16(len(d.uris))
		d.uris = append(d.uris, uri)
	}
	r.lastURI[prefix] = row
	return row, nil
}

// prefix returns the row of a prefix.
func (r *Reader) prefix(p []byte) (int16, error) {
	slot := &r.recent[(int(p[0])+len(p))&7]
	if bytes.Equal(r.doc.prefixes[*slot], p) {
		return *slot, nil
	}
	row, found := r.knownPrefixes.find(r.doc.prefixes, p)
	if !found {
		if len(r.doc.prefixes) >= maxPrefixes {
			return 0, r.limit("prefixes", maxPrefixes)
		}
		if string(p) == "xmlns" {
			return 0, r.fail(r.pos, "the prefix xmlns used as a name")
		}
		row = int16(len(r.doc.prefixes))
		r.doc.prefixes = append(r.doc.prefixes, p)
		r.bound = append(r.bound, unbound)
		r.lastURI = append(r.lastURI, noNamespace)
	}
	*slot = row
	return row, nil
}

// resolve finds the namespaces of an element's name and of its attributes, and refuses attributes that are twice there.
func (r *Reader) resolve(n *node) error {
	d := &r.doc
	var err error
	if n.prefix, n.ns, err = r.lookUp(int(n.pos), int(n.colon)); err != nil {
		return err
	}
	attrs := d.attributesOf(n)
	for i := range attrs {
		a := &attrs[i]
		if a.colon > 0 { // an attribute without prefix is in no namespace
			if a.prefix, a.ns, err = r.lookUp(int(a.pos), int(a.colon)); err != nil {
				return err
			}
		}
		if isID(d, a) {
			r.ids = append(r.ids, n.attr+int32(i))
		}
	}
	return nil
}

// repeated returns the first attribute whose expanded name another before it has, -1 if there is none. Of many only
// hashes are compared, so that an element of many attributes costs little more for each than one of few.
func (r *Reader) repeated(attrs []attribute) int {
	const few = 8
	if len(attrs) > few {
		return r.repeatedOfMany(attrs)
	}
	for i := 1; i < len(attrs); i++ {
		for j := range i {
			if r.doc.sameAttribute(&attrs[j], &attrs[i]) {
				return i
			}
		}
	}
	return -1
}

func (r *Reader) repeatedOfMany(attrs []attribute) int {
	var hashes [maxAttributes]uint64
	for i := range attrs {
		hashes[i] = maphash.Bytes(hashSeed, r.doc.attrLocal(&attrs[i])) + uint64(attrs[i].ns)
		for j := range i {
			if hashes[i] == hashes[j] && r.doc.sameAttribute(&attrs[j], &attrs[i]) {
				return i
			}
		}
	}
	return -1
}

// hashSeed makes hashes that nobody outside can foresee.
var hashSeed = maphash.MakeSeed()

func (r *Reader) lookUp(pos, colon int) (prefix, ns int16, err error) {
	if colon > 0 {
		if prefix, err = r.prefix(r.doc.src[pos : pos+colon-1]); err != nil {
			return 0, 0, err
		}
	}
	ns = r.bound[prefix]
	if ns == unbound {
		return 0, 0, r.fail(pos, "a prefix that is not bound")
	}
	return prefix, ns, nil
}

// isID reports whether an attribute is taken for an ID when IDs must be unique: SAML's and metadata's ID, XML
// Signature's and XML Encryption's Id, and xml:id. A Reference is never resolved by these (see Verify); refusing
// duplicates among all of them leaves no room for another reader to resolve it differently.
func isID(d *document, a *attribute) bool {
	if int(a.name)-int(a.colon) != 2 {
		return false
	}
	c0, c1 := d.src[a.pos+int32(a.colon)], d.src[a.pos+int32(a.colon)+1]
	if a.ns == noNamespace {
		return c0 == 'I' && (c1 == 'D' || c1 == 'd')
	}
	return a.ns == xmlURI && c0 == 'i' && c1 == 'd'
}

// checkIDs refuses a document in which two elements have the same ID, however it is written.
func (r *Reader) checkIDs() error {
	const few = 8
	twice := func(row int32) error {
		return &Error{DuplicateID, int(r.doc.attrs[row].val), "two elements have the same ID"}
	}
	if len(r.ids) <= few {
		for i, a := range r.ids {
			for _, b := range r.ids[:i] {
				if bytes.Equal(r.id(a), r.id(b)) {
					return twice(a)
				}
			}
		}
		return nil
	}
	seen := make(map[uint64]int32, len(r.ids))
	for _, a := range r.ids {
		id := r.id(a)
		key := maphash.Bytes(hashSeed, id)
		if b, found := seen[key]; found && bytes.Equal(id, r.id(b)) {
			return twice(a)
		}
		seen[key] = a
	}
	return nil
}

// SharesID reports whether an element of u has the ID of one of other: once what was encrypted is open, IDs must be
// unique in both.
func (u *Unverified) SharesID(other *Unverified) bool {
	if len(u.r.ids) == 0 || len(other.r.ids) == 0 {
		return false
	}
	seen := make(map[string]bool, len(u.r.ids))
	for _, row := range u.r.ids {
		seen[string(u.r.id(row))] = true
	}
	return slices.ContainsFunc(other.r.ids, func(row int32) bool { return seen[string(other.r.id(row))] })
}

// id returns the value of the attribute in that row.
func (r *Reader) id(row int32) []byte { return Attr{&r.doc, &r.doc.attrs[row]}.Value() }

// qualifiedName measures a name at pos: its size, and how much of it is prefix and colon.
func (r *Reader) qualifiedName(pos int) (size, colon int, err error) {
	src := r.doc.src
	// An ASCII name within the limits, as all are.
	i, stop := pos, min(len(src), pos+maxName)
	for i < stop && nameClass[src[i]]&nameChar != 0 {
		i++
	}
	if i > pos && i < stop && src[i] == ':' {
		colon = i - pos + 1
		for i++; i < stop && nameClass[src[i]]&nameChar != 0; i++ {
		}
		starts := nameClass[src[pos]]&nameStart != 0 && i > pos+colon && nameClass[src[pos+colon]]&nameStart != 0
		if starts && i < stop && src[i] < 0x80 && src[i] != ':' {
			return i - pos, colon, nil
		}
	} else if i > pos && i < stop && src[i] < 0x80 && nameClass[src[pos]]&nameStart != 0 {
		return i - pos, 0, nil
	}
	return r.oddName(pos)
}

// oddName is qualifiedName for whatever else there is.
func (r *Reader) oddName(pos int) (size, colon int, err error) {
	b := r.doc.src[pos:]
	if len(b) > maxName+1 {
		b = b[:maxName+1]
	}
	size = ncName(b)
	if size > 0 && size < len(b) && b[size] == ':' {
		colon = size + 1
		local := ncName(b[colon:])
		if local == 0 {
			return 0, 0, r.fail(pos, "not a name")
		}
		size = colon + local
	}
	switch {
	case size == 0:
		return 0, 0, r.fail(pos, "not a name")
	case size > maxName:
		return 0, 0, &Error{Limit, pos, fmt.Sprintf("a name of more than %d octets", maxName)}
	}
	return size, colon, nil
}
