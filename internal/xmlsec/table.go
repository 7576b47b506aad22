package xmlsec

import "bytes"

// Namespaces that XML itself reserves.
const (
	xmlNamespace   = "http://www.w3.org/XML/1998/namespace"
	xmlnsNamespace = "http://www.w3.org/2000/xmlns/"
)

type nodeKind uint8

const (
	elementNode nodeKind = iota
	textNode
	cdataNode
	commentNode
	piNode
)

// A node is one row of a document's table, in document order. Offsets count octets of document.src.
type node struct {
	pos    int32  // element: of its name; else: of the content, for a processing instruction its target
	size   int32  // of the name or the content
	end    int32  // first row that is not a descendant
	close  int32  // offset behind the end tag or the content
	parent int32  // row of the parent element, -1 at the top
	attr   int32  // first row in document.attrs
	decl   int32  // first row in document.decls
	ns     int16  // element: its namespace
	prefix int16  // element: its prefix
	attrs  uint16 // how many attributes
	decls  uint16 // how many declarations
	colon  uint8  // octets of the prefix and its colon
	kind   nodeKind
	plain  bool // text: holds no reference and no carriage return, so its octets are its value
	exact  bool // text and elements: written as the exclusive canonical form has it; see exactAttributes
}

// An attribute is one row of document.attrs.
type attribute struct {
	pos    int32 // of the name
	val    int32 // of the value between its quotes
	size   int32 // of the value
	name   int16 // size of the name
	ns     int16
	prefix int16
	colon  uint8
	plain  bool // the octets are the value, and need no escape in the canonical form
}

// A declaration is one row of document.decls.
type declaration struct {
	prefix int16
	ns     int16
	outer  int16 // what the prefix was bound to outside
}

// Rows of document.uris and document.prefixes that every document has.
const (
	noNamespace   = 0
	xmlURI        = 1
	defaultPrefix = 0
	xmlPrefix     = 1
	unbound       = -1
)

var (
	xmlNamespaceBytes = []byte(xmlNamespace)
	xmlPrefixBytes    = []byte("xml")
)

// A rowIndex finds the row of some octets in a column: by looking at each where there are few, as in any real message,
// and by a map where there are many, so that the cost of a look-up does not depend on their number.
type rowIndex struct {
	rows    map[string]int16
	indexed int // rows of the column that the map holds
}

const fewRows = 24

func (x *rowIndex) reset() {
	if x.indexed > 0 {
		clear(x.rows)
		x.indexed = 0
	}
}

func (x *rowIndex) find(column [][]byte, want []byte) (int16, bool) {
	if len(column) <= fewRows {
		for row := 1; row < len(column); row++ {
			if bytes.Equal(column[row], want) {
				return int16(row), true
			}
		}
		return 0, false
	}
	if x.rows == nil {
		x.rows = make(map[string]int16, 2*len(column))
	}
	for ; x.indexed < len(column); x.indexed++ {
		x.rows[string(column[x.indexed])] = int16(x.indexed)
	}
	row, found := x.rows[string(want)]
	return row, found
}

// A document is bytes and the tables that describe them: either octets as received or canonical octets.
type document struct {
	src      []byte
	nodes    []node
	attrs    []attribute
	decls    []declaration
	uris     [][]byte // namespace names; row 0 is "no namespace"
	prefixes [][]byte // row 0 is "no prefix"
}

func (d *document) name(n *node) []byte       { return d.src[n.pos : n.pos+n.size] }
func (d *document) local(n *node) []byte      { return d.src[n.pos+int32(n.colon) : n.pos+n.size] }
func (d *document) content(n *node) []byte    { return d.src[n.pos : n.pos+n.size] }
func (d *document) value(a *attribute) []byte { return d.src[a.val : a.val+a.size] }
func (d *document) attrName(a *attribute) []byte {
	return d.src[a.pos : a.pos+int32(a.name)]
}
func (d *document) attrLocal(a *attribute) []byte {
	return d.src[a.pos+int32(a.colon) : a.pos+int32(a.name)]
}
func (d *document) attributesOf(n *node) []attribute {
	return d.attrs[n.attr : n.attr+int32(n.attrs)]
}
func (d *document) declarationsOf(n *node) []declaration {
	return d.decls[n.decl : n.decl+int32(n.decls)]
}

// addNode adds an empty row, to be filled where it stands: a row made elsewhere and copied costs several times as much.
func (d *document) addNode() *node {
	d.nodes = append(d.nodes, node{})
	return &d.nodes[len(d.nodes)-1]
}

// addAttribute does the same for an attribute.
func (d *document) addAttribute() *attribute {
	d.attrs = append(d.attrs, attribute{})
	return &d.attrs[len(d.attrs)-1]
}

// sameAttribute reports whether two attributes have the same expanded name.
func (d *document) sameAttribute(a, b *attribute) bool {
	return a.ns == b.ns && int(a.name)-int(a.colon) == int(b.name)-int(b.colon) &&
		bytes.Equal(d.attrLocal(a), d.attrLocal(b))
}
