package xmlsec

import "fmt"

// The limits, for tests at their boundaries.
const (
	MaxMessageNodes   = maxMessageNodes
	MaxDepth          = maxDepth
	MaxAttributes     = maxAttributes
	MaxDeclarations   = maxDeclarations
	MaxPrefixes       = maxPrefixes
	MaxNamespaces     = maxNamespaces
	MaxName           = maxName
	MaxNamespaceURI   = maxNamespaceURI
	MaxGrowth         = maxCanonicalGrowth
	GrowthAllowance   = canonicalAllowance
	MaxPrefixList     = maxPrefixList
	MaxPrefixOctets   = maxPrefixOctets
	MaxSignedInfo     = maxSignedInfo
	MaxRSABits        = maxRSABits
	MaxKeysTried      = maxKeysTried
	MaxSignatureBytes = maxSignature
	XMLNamespace      = xmlNamespace
)

// NCName measures the name at the start of b.
func NCName(b []byte) int { return ncName(b) }

// HoldsMore bounds base64 before it is decoded.
func HoldsMore(text string, most int) bool { return holdsMore([]byte(text), most) }

// Record canonicalises e with the one child skip left out, if it exists, and returns what Verify would return if a key
// had signed it.
func (u *Unverified) Record(e, skip Element, m C14N) (Signed, error) {
	row := int32(-1)
	if skip.Exists() {
		row = skip.row
	}
	out := new(document)
	c := &u.r.canon
	c.begin(e.d, nil, m, row, out)
	octets, err := c.subtree(e.row)
	if err != nil {
		return Signed{}, err
	}
	out.src = octets
	return Signed{d: out}, nil
}

// Inexact makes the canonicaliser write every element piece by piece, as if none were exact.
func (u *Unverified) Inexact() {
	for i := range u.r.doc.nodes {
		u.r.doc.nodes[i].exact = false
	}
}

// Difference compares the table that came with canonical octets with the table of a fresh reading of them, row by row,
// and says where they differ; "" if they are the same.
func (s Signed) Difference(fresh *Unverified) string {
	a, b := s.d, &fresh.r.doc
	if len(a.nodes) != len(b.nodes) || len(a.attrs) != len(b.attrs) || len(a.decls) != len(b.decls) {
		return fmt.Sprintf("rows of nodes, attributes, declarations: recorded %d %d %d, fresh %d %d %d",
			len(a.nodes), len(a.attrs), len(a.decls), len(b.nodes), len(b.attrs), len(b.decls))
	}
	for i := range a.nodes {
		if got, want := a.describeNode(i), b.describeNode(i); got != want {
			return fmt.Sprintf("node %d: recorded %s, fresh %s", i, got, want)
		}
	}
	for i := range a.attrs {
		if got, want := a.describeAttribute(i), b.describeAttribute(i); got != want {
			return fmt.Sprintf("attribute %d: recorded %s, fresh %s", i, got, want)
		}
	}
	for i := range a.decls {
		if got, want := a.describeDeclaration(i), b.describeDeclaration(i); got != want {
			return fmt.Sprintf("declaration %d: recorded %s, fresh %s", i, got, want)
		}
	}
	return ""
}

func (d *document) describeNode(i int) string {
	n := d.nodes[i]
	ns, prefix := d.uris[n.ns], d.prefixes[n.prefix]
	if n.kind != elementNode { // what has no name has no use for these
		n.attr, n.decl = 0, 0
	}
	n.ns, n.prefix, n.exact = 0, 0, false // a recorded table is read, not canonicalised again, and has no use for exact
	return fmt.Sprintf("%+v {%s}%s %q", n, ns, prefix, d.src[n.pos:n.close])
}

func (d *document) describeAttribute(i int) string {
	a := d.attrs[i]
	ns, prefix := d.uris[a.ns], d.prefixes[a.prefix]
	a.ns, a.prefix = 0, 0
	return fmt.Sprintf("%+v {%s}%s %q %q", a, ns, prefix, d.attrName(&a), d.value(&a))
}

func (d *document) describeDeclaration(i int) string {
	return fmt.Sprintf("%q=%q", d.prefixes[d.decls[i].prefix], d.uris[d.decls[i].ns])
}

// The parts of key agreement that have published vectors.
var (
	UnwrapKey = unwrapKey
	ConcatKDF = concatKDF
)
