package xmlsec

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"unicode/utf8"
)

// Reader parses documents one after the other in memory that it keeps. A Reader is not for concurrent use, and what
// it returned is valid until its next Parse.
type Reader struct {
	doc        document
	unverified Unverified
	limits     Limits
	less       int     // offset of the first "<" behind the name of the last start tag
	open       []int32 // rows of the open elements
	bound      []int16 // namespace that each prefix is bound to here

	knownPrefixes rowIndex
	knownURIs     rowIndex
	recent        [8]recentPrefix // spares most look-ups
	prefixed      bool            // whether an attribute of the last start tag has a prefix
	lastURI       []int16         // by prefix: the namespace it was last bound to
	ids           []int32         // rows of attributes that are IDs
	unescaped     []byte          // scratch for namespace names that hold references

	hasAmp, hasCR, hasCDEnd bool // whether the octet, or "]]>", is anywhere in the document
	hasSpace                bool // whether a tab, a line feed or a carriage return is

	canon  canonicalizer
	signed [3]document // canonical forms that Verify hands out
	used   int
	tried  bool     // whether a signature was held against a key
	info   []byte   // canonical SignedInfo
	plain  []byte   // what was decrypted, for a Reader of an Opener
	opened document // its canonical form
	value  []byte   // scratch for base64
	digest [maxDigest]byte
}

// NewReader returns a Reader ready to parse.
func NewReader() *Reader {
	return &Reader{}
}

// Parse reads one document with a Reader of its own.
func Parse(src []byte, limits Limits) (*Unverified, error) {
	return NewReader().Parse(src, limits)
}

// Parse reads one UTF-8 XML document: one root, nothing but comments and white space around it, no DTD, every prefix
// bound, attributes and IDs unique, within the limits. src must not change while the result is in use.
func (r *Reader) Parse(src []byte, limits Limits) (*Unverified, error) {
	r.reset(src, limits.orDefault())
	if len(src) > r.limits.Bytes {
		return nil, &Error{Limit, -1, fmt.Sprintf("the document has %d octets, more than %d", len(src), r.limits.Bytes)}
	}
	if err := r.checkCharacters(); err != nil {
		return nil, err
	}
	if err := r.document(); err != nil {
		return nil, err
	}
	if err := r.checkIDs(); err != nil {
		return nil, err
	}
	r.unverified.r = r
	return &r.unverified, nil
}

func (r *Reader) reset(src []byte, limits Limits) {
	d := &r.doc
	d.src, d.nodes, d.attrs, d.decls = src, d.nodes[:0], d.attrs[:0], d.decls[:0]
	d.uris = append(d.uris[:0], nil, xmlNamespaceBytes)
	d.prefixes = append(d.prefixes[:0], nil, xmlPrefixBytes)
	r.bound = append(r.bound[:0], noNamespace, xmlURI)
	r.lastURI = append(r.lastURI[:0], noNamespace, xmlURI)
	r.knownPrefixes.reset()
	r.knownURIs.reset()
	r.recent = [8]recentPrefix{}
	r.limits, r.less, r.open, r.ids, r.used = limits, 0, r.open[:0], r.ids[:0], 0
	r.tried = false
}

// checkCharacters refuses what no XML document may hold (XML 1.0, 2.2), in a few passes that run at the speed of memory.
func (r *Reader) checkCharacters() error {
	src := r.doc.src
	i, c := controlCharacter(src)
	if i >= 0 {
		return r.fail(i, "holds the control character %#x", src[i])
	}
	r.hasSpace = c.space
	if !c.ascii {
		if !utf8.Valid(src) {
			return r.fail(firstInvalid(src), "not UTF-8")
		}
		if bytes.Contains(src, []byte("\xef\xbf\xbe")) || bytes.Contains(src, []byte("\xef\xbf\xbf")) {
			return r.fail(-1, "holds a character that XML does not allow")
		}
	}
	r.hasAmp = bytes.IndexByte(src, '&') >= 0
	r.hasCR = c.space && bytes.IndexByte(src, '\r') >= 0
	r.hasCDEnd = bytes.Contains(src, []byte("]]>"))
	return nil
}

// characters says what a document holds: nothing but ASCII; a tab, a line feed or a carriage return.
type characters struct{ ascii, space bool }

// controlCharacter returns the offset of the first octet below space other than tab, line feed and carriage return; and if
// there is none, what there is.
func controlCharacter(b []byte) (offset int, c characters) {
	const low, high = 0x2020202020202020, 0x8080808080808080
	below := func(w uint64) uint64 { return (w - low) &^ w & high } // has a bit for each octet below space
	rest, all := b, uint64(0)
	for ; len(rest) >= 32; rest = rest[32:] {
		w0, w1 := binary.LittleEndian.Uint64(rest), binary.LittleEndian.Uint64(rest[8:])
		w2, w3 := binary.LittleEndian.Uint64(rest[16:]), binary.LittleEndian.Uint64(rest[24:])
		if (w0|w1|w2|w3|(w0-low)|(w1-low)|(w2-low)|(w3-low))&high == 0 {
			continue // ASCII, and nothing below space, as most of any message
		}
		all |= w0 | w1 | w2 | w3
		if below(w0)|below(w1)|below(w2)|below(w3) == 0 {
			continue
		}
		if j := slowControlCharacter(rest[:32]); j >= 0 {
			return len(b) - len(rest) + j, c
		}
		c.space = true
	}
	if j := slowControlCharacter(rest); j >= 0 {
		return len(b) - len(rest) + j, c
	}
	for _, octet := range rest {
		all |= uint64(octet)
		c.space = c.space || octet < ' '
	}
	c.ascii = all&high == 0
	return -1, c
}

func slowControlCharacter(b []byte) int {
	for i, c := range b {
		if c < ' ' && c != '\n' && c != '\t' && c != '\r' {
			return i
		}
	}
	return -1
}

func firstInvalid(b []byte) int {
	for i := 0; i < len(b); {
		c, n := utf8.DecodeRune(b[i:])
		if c == utf8.RuneError && n <= 1 {
			return i
		}
		i += n
	}
	return -1
}

func (r *Reader) fail(offset int, format string, args ...any) error {
	return &Error{Syntax, offset, fmt.Sprintf(format, args...)}
}

func (r *Reader) limit(offset int, what string, most int) error {
	return &Error{Limit, offset, fmt.Sprintf("more than %d %s", most, what)}
}

// What reads a part of the document is given the offset where that begins, and returns the offset behind it: an offset that
// each step would have to fetch from memory is what the next one waits for.

// document reads: byte order mark, XML declaration, root, and the comments around it.
func (r *Reader) document() error {
	src := r.doc.src
	pos := len(src) - len(bytes.TrimPrefix(src, []byte("\xef\xbb\xbf")))
	pos, err := r.xmlDeclaration(pos)
	if err != nil {
		return err
	}
	seenRoot := false
	for {
		if pos = skipSpace(src, pos); pos == len(src) {
			break
		}
		if src[pos] != '<' {
			return r.fail(pos, "text outside the root element")
		}
		if pos+1 < len(src) && (src[pos+1] == '!' || src[pos+1] == '?') {
			if bytes.HasPrefix(src[pos:], []byte("<![CDATA[")) {
				return r.fail(pos, "text outside the root element")
			}
			if pos, err = r.markup(pos); err != nil {
				return err
			}
			continue
		}
		if seenRoot {
			return r.fail(pos, "more than one root element")
		}
		seenRoot = true
		if pos, err = r.root(pos); err != nil {
			return err
		}
	}
	if !seenRoot {
		return r.fail(pos, "no element")
	}
	return nil
}

// root reads the root element and everything in it.
func (r *Reader) root(pos int) (next int, err error) {
	src := r.doc.src
	if pos, err = r.startTag(pos); err != nil {
		return 0, err
	}
	for len(r.open) > 0 {
		if pos == len(src) || src[pos] != '<' {
			if r.less < pos {
				r.less = indexFrom(src, pos, '<')
			}
			if r.less == len(src) {
				return 0, r.fail(len(src), "ends inside an element")
			}
			if err := r.text(pos, r.less); err != nil {
				return 0, err
			}
			pos = r.less
		}
		if pos+1 == len(src) {
			return 0, r.fail(pos, "ends inside a tag")
		}
		switch src[pos+1] {
		case '/':
			pos, err = r.endTag(pos)
		case '!', '?':
			pos, err = r.markup(pos)
		default:
			pos, err = r.startTag(pos)
		}
		if err != nil {
			return 0, err
		}
	}
	return pos, nil
}

// indexFrom returns the offset of the first c from that one on, the end if there is none.
func indexFrom(src []byte, from int, c byte) int {
	if i := bytes.IndexByte(src[from:], c); i >= 0 {
		return from + i
	}
	return len(src)
}

func (r *Reader) text(pos, end int) error {
	seg := r.doc.src[pos:end]
	plain, exact := true, bytes.IndexByte(seg, '>') < 0
	if r.hasCDEnd && bytes.Contains(seg, []byte("]]>")) {
		return r.fail(pos, `"]]>" in text`)
	}
	if r.hasAmp && bytes.IndexByte(seg, '&') >= 0 {
		plain = false
		if err := r.references(pos, end); err != nil {
			return err
		}
	}
	if r.hasCR && bytes.IndexByte(seg, '\r') >= 0 {
		plain = false
	}
	return r.leaf(textNode, pos, end, plain, plain && exact)
}

// leaf adds a row that has no descendants.
func (r *Reader) leaf(kind nodeKind, start, end int, plain, exact bool) error {
	d := &r.doc
	if len(d.nodes) >= r.limits.Nodes {
		return r.limit(start, "nodes", r.limits.Nodes)
	}
	n := d.addNode()
	n.kind, n.plain, n.exact = kind, plain, exact
	n.pos, n.size, n.close = int32(start), int32(end-start), int32(end)
	n.end, n.parent = int32(len(d.nodes)), -1
	if k := len(r.open); k > 0 {
		n.parent = r.open[k-1]
		if !exact {
			d.nodes[n.parent].exact = false
		}
	}
	return nil
}

// markup reads a comment, a CDATA section or a processing instruction.
func (r *Reader) markup(pos int) (next int, err error) {
	rest := r.doc.src[pos:]
	switch {
	case bytes.HasPrefix(rest, []byte("<!--")):
		i := bytes.Index(rest[4:], []byte("--"))
		if i < 0 || 4+i+2 >= len(rest) {
			return 0, r.fail(pos, "a comment does not end")
		}
		if rest[4+i+2] != '>' {
			return 0, r.fail(pos+4+i, `"--" inside a comment`)
		}
		plain := !r.hasCR || bytes.IndexByte(rest[4:4+i], '\r') < 0
		return pos + 4 + i + 3, r.leaf(commentNode, pos+4, pos+4+i, plain, false)
	case bytes.HasPrefix(rest, []byte("<![CDATA[")):
		i := bytes.Index(rest[9:], []byte("]]>"))
		if i < 0 {
			return 0, r.fail(pos, "a CDATA section does not end")
		}
		plain := !r.hasCR || bytes.IndexByte(rest[9:9+i], '\r') < 0
		return pos + 9 + i + 3, r.leaf(cdataNode, pos+9, pos+9+i, plain, false)
	case bytes.HasPrefix(rest, []byte("<?")):
		return r.processingInstruction(pos)
	case bytes.HasPrefix(rest, []byte("<!DOCTYPE")):
		return 0, r.fail(pos, "a document type declaration is not allowed")
	}
	return 0, r.fail(pos, "unknown markup")
}

func (r *Reader) processingInstruction(pos int) (next int, err error) {
	if !r.limits.AllowPI {
		return 0, r.fail(pos, "a processing instruction is not allowed")
	}
	start := pos + 2
	i := bytes.Index(r.doc.src[start:], []byte("?>"))
	if i < 0 {
		return 0, r.fail(pos, "a processing instruction does not end")
	}
	body := r.doc.src[start : start+i]
	n := ncName(body)
	if n == 0 || n < len(body) && !isSpace(body[n]) || n == 3 && bytes.EqualFold(body[:3], []byte("xml")) {
		return 0, r.fail(pos, "a processing instruction without a proper target")
	}
	plain := !r.hasCR || bytes.IndexByte(body, '\r') < 0
	return start + i + 2, r.leaf(piNode, start, start+i, plain, false)
}

// skipSpace returns the offset of the first octet from pos on that is no white space, the end if there is none.
func skipSpace(src []byte, pos int) int {
	for pos < len(src) && isSpace(src[pos]) {
		pos++
	}
	return pos
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }
