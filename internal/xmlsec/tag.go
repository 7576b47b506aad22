package xmlsec

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/maphash"
	"slices"
)

// startTag reads "<name …>" or "<name …/>" at pos.
func (r *Reader) startTag(pos int) (next int, err error) {
	d := &r.doc
	src := d.src
	if len(d.nodes) >= r.limits.Nodes {
		return 0, r.limit(pos, "nodes", r.limits.Nodes)
	}
	if len(r.open) >= maxDepth {
		return 0, r.limit(pos, "levels", maxDepth)
	}
	start := pos + 1
	size, colon, err := r.qualifiedName(start)
	if err != nil {
		return 0, err
	}
	row := int32(len(d.nodes))
	n := d.addNode()
	n.kind, n.pos, n.size, n.colon = elementNode, int32(start), int32(size), uint8(colon)
	n.attr, n.decl, n.parent = int32(len(d.attrs)), int32(len(d.decls)), -1
	if k := len(r.open); k > 0 {
		n.parent = r.open[k-1]
	}
	pos = start + size
	r.less, r.prefixed = indexFrom(src, pos, '<'), false
	exact := true
	for pos < len(src) && src[pos] != '>' && src[pos] != '/' {
		if !isSpace(src[pos]) {
			return 0, r.fail(pos, "no white space before an attribute")
		}
		at := skipSpace(src, pos)
		if at == len(src) || src[at] == '>' || src[at] == '/' {
			pos, exact = at, false
			break
		}
		exact = exact && src[pos] == ' ' && at == pos+1
		var plainly bool
		if pos, plainly, err = r.attribute(n, at); err != nil {
			return 0, err
		}
		exact = exact && plainly
	}
	if pos == len(src) {
		return 0, r.fail(pos, "ends inside a tag")
	}
	empty := src[pos] == '/'
	if empty {
		if pos++; pos == len(src) || src[pos] != '>' {
			return 0, r.fail(pos-1, `"/" inside a tag`)
		}
	}
	pos++
	if err := r.resolve(n, exact); err != nil {
		return 0, err
	}
	n.exact = exact && n.decls == 0 && !empty
	if empty {
		r.close(row, pos)
		return pos, nil
	}
	r.open = append(r.open, row)
	return pos, nil
}

// endTag reads "</name>" at pos and closes the innermost element.
func (r *Reader) endTag(pos int) (next int, err error) {
	d := &r.doc
	row := r.open[len(r.open)-1]
	name := d.name(&d.nodes[row])
	rest := d.src[pos+2:]
	if len(rest) <= len(name) || !bytes.Equal(rest[:len(name)], name) {
		return 0, r.fail(pos, "an end tag that does not match its start tag")
	}
	end := pos + 2 + len(name)
	if d.src[end] != '>' {
		d.nodes[row].exact = false
		if !isSpace(d.src[end]) {
			return 0, r.fail(end, "an end tag that does not match its start tag")
		}
		if end = skipSpace(d.src, end); end == len(d.src) || d.src[end] != '>' {
			return 0, r.fail(end, "an end tag that does not end")
		}
	}
	r.open = r.open[:len(r.open)-1]
	r.close(row, end+1)
	return end + 1, nil
}

// close ends the element of that row at an offset, and takes its declarations out of scope.
func (r *Reader) close(row int32, pos int) {
	n := &r.doc.nodes[row]
	n.end = int32(len(r.doc.nodes))
	n.close = int32(pos)
	if n.parent >= 0 {
		outer := &r.doc.nodes[n.parent]
		outer.exact = outer.exact && n.exact && n.prefix == outer.prefix
	}
	if n.decls > 0 {
		for _, decl := range r.doc.declarationsOf(n) {
			r.bound[decl.prefix] = decl.outer
		}
	}
}

// attribute reads name="value" at pos, an attribute or a namespace declaration. It is exact if it is written as the canonical
// form has it: a plain value in double quotes, behind what is sorted before it, and without a prefix. An element is exact if
// its attributes are, behind one space each, and it declares nothing, and so are its end tag and all inside it, and if all
// elements inside it have its prefix: then, where its namespace is declared already, its octets are its canonical form.
func (r *Reader) attribute(n *node, pos int) (next int, exact bool, err error) {
	d := &r.doc
	src := d.src
	size, colon, err := r.qualifiedName(pos)
	if err != nil {
		return 0, false, err
	}
	name, at := src[pos:pos+size], pos+size
	if at+1 < len(src) && src[at] == '=' && src[at+1] == '"' {
		exact = colon == 0
		at++
	} else {
		if at = skipSpace(src, at); at == len(src) || src[at] != '=' {
			return 0, false, r.fail(at, "an attribute without a value")
		}
		at = skipSpace(src, at+1)
	}
	val, end, plain, err := r.attributeValue(at)
	if err != nil {
		return 0, false, err
	}
	if string(name) == "xmlns" {
		return end + 1, false, r.declare(n, defaultPrefix, val, end, plain)
	}
	if colon == 6 && string(name[:5]) == "xmlns" {
		prefix, err := r.prefix(name[6:], pos)
		if err != nil {
			return 0, false, err
		}
		return end + 1, false, r.declare(n, prefix, val, end, plain)
	}
	if n.attrs >= maxAttributes {
		return 0, false, r.limit(end+1, "attributes", maxAttributes)
	}
	exact = exact && plain && (n.attrs == 0 || bytes.Compare(d.attrName(&d.attrs[len(d.attrs)-1]), name) < 0)
	r.prefixed = r.prefixed || colon > 0
	if isID(name) {
		r.ids = append(r.ids, int32(len(d.attrs)))
	}
	n.attrs++
	a := d.addAttribute()
	a.pos, a.name, a.colon = int32(pos), int16(size), uint8(colon)
	a.val, a.size, a.plain = int32(val), int32(end-val), plain
	return end + 1, exact, nil
}

// attributeValue reads a quoted value at pos.
func (r *Reader) attributeValue(pos int) (start, end int, plain bool, err error) {
	src := r.doc.src
	if pos >= len(src) || src[pos] != '"' && src[pos] != '\'' {
		return 0, 0, false, r.fail(pos, "an attribute value without quotes")
	}
	quote := src[pos]
	start = pos + 1
	i := bytes.IndexByte(src[start:r.less], quote)
	if i < 0 {
		if r.less == len(src) {
			return 0, 0, false, r.fail(start, "an attribute value that does not end")
		}
		return 0, 0, false, r.fail(r.less, `"<" in an attribute value`)
	}
	end = start + i
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
		return r.limit(val, "namespace declarations", maxDeclarations)
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
		if ns, err = r.namespace(prefix, uri, val, plain); err != nil {
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

// namespace returns the row of a namespace name, which is octets of the document, at pos, if it is plain.
func (r *Reader) namespace(prefix int16, uri []byte, pos int, plain bool) (int16, error) {
	d := &r.doc
	if last := r.lastURI[prefix]; bytes.Equal(d.uris[last], uri) {
		return last, nil
	}
	row, found := r.knownURIs.find(d.uris, uri)
	if !found {
		switch {
		case len(uri) > maxNamespaceURI:
			return 0, r.limit(pos, "octets in a namespace name", maxNamespaceURI)
		case len(d.uris) >= maxNamespaces:
			return 0, r.limit(pos, "namespaces", maxNamespaces)
		case string(uri) == xmlnsNamespace:
			return 0, r.fail(pos, "the namespace of declarations bound to a prefix")
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

// A recentPrefix is a prefix with its colon, in one word, and the row of the prefix. The word is never zero, since no
// document holds NUL.
type recentPrefix struct {
	word uint64
	row  int16
}

// prefixAt returns the row of the prefix at pos that with its colon has that size.
func (r *Reader) prefixAt(pos, size int) (int16, error) {
	b := r.doc.src[pos:]
	if size > 8 || len(b) < 8 {
		return r.prefix(b[:size-1], pos)
	}
	word := binary.LittleEndian.Uint64(b) << (64 - 8*size)
	recent := &r.recent[word*hashMultiplier>>61]
	if recent.word == word {
		return recent.row, nil
	}
	row, err := r.prefix(b[:size-1], pos)
	if err == nil {
		*recent = recentPrefix{word, row}
	}
	return row, err
}

const hashMultiplier = 0x9e3779b97f4a7c15 // 2^64 over the golden ratio: its product's highest bits depend on all bits

// prefix returns the row of a prefix, which is read at pos.
func (r *Reader) prefix(p []byte, pos int) (int16, error) {
	row, found := r.knownPrefixes.find(r.doc.prefixes, p)
	if !found {
		if len(r.doc.prefixes) >= maxPrefixes {
			return 0, r.limit(pos, "prefixes", maxPrefixes)
		}
		if string(p) == "xmlns" {
			return 0, r.fail(pos, "the prefix xmlns used as a name")
		}
		row = int16(len(r.doc.prefixes))
		r.doc.prefixes = append(r.doc.prefixes, p)
		r.bound = append(r.bound, unbound)
		r.lastURI = append(r.lastURI, noNamespace)
	}
	return row, nil
}

// resolve finds the namespaces of an element's name and of its attributes, and refuses attributes that are twice there, which
// exact ones cannot be.
func (r *Reader) resolve(n *node, exact bool) (err error) {
	d := &r.doc
	if n.prefix, n.ns, err = r.lookUp(int(n.pos), int(n.colon)); err != nil || exact {
		return err
	}
	attrs := d.attributesOf(n)
	if r.prefixed {
		for i := range attrs {
			a := &attrs[i]
			if a.colon == 0 { // an attribute without prefix is in no namespace
				continue
			}
			if a.prefix, a.ns, err = r.lookUp(int(a.pos), int(a.colon)); err != nil {
				return err
			}
		}
	}
	if twice := r.repeated(attrs); twice >= 0 {
		return r.fail(int(attrs[twice].pos), "an attribute that is there twice")
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
		if prefix, err = r.prefixAt(pos, colon); err != nil {
			return 0, 0, err
		}
	}
	ns = r.bound[prefix]
	if ns == unbound {
		return 0, 0, r.fail(pos, "a prefix that is not bound")
	}
	return prefix, ns, nil
}

// isID reports whether an attribute of that name is taken for an ID when IDs must be unique: SAML's and metadata's ID, XML
// Signature's and XML Encryption's Id, and xml:id, whose prefix nothing else can have. A Reference is never resolved by these
// (see Verify); refusing duplicates among all of them leaves no room for another reader to resolve it differently.
func isID(name []byte) bool {
	switch string(name) {
	case "ID", "Id", "xml:id":
		return true
	}
	return false
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
	b := r.doc.src[pos:min(pos+maxName, len(r.doc.src))]
	// An ASCII name within the limits, as all are.
	i := 0
	for i < len(b) && nameClass[b[i]]&nameChar != 0 {
		i++
	}
	if i < len(b) && b[i] == ':' {
		colon = i + 1
		for i++; i < len(b) && nameClass[b[i]]&nameChar != 0; i++ {
		}
	}
	if colon < i && i < len(b) && b[i] < 0x80 && b[i] != ':' && nameClass[b[0]]&nameClass[b[colon]]&nameStart != 0 {
		return i, colon, nil
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
