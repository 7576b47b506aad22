package wire

import (
	"fmt"
	"strings"
	"time"

	"github.com/logintrust/saml/internal/xmlsec"
)

// Error says what in a message is not as SAML's schemas have it.
type Error struct{ Msg string }

func (e *Error) Error() string { return e.Msg }

func malformed(format string, args ...any) error { return &Error{fmt.Sprintf(format, args...)} }

// Text is an optional string.
type Text struct {
	Value   string
	Present bool
}

// A decoder makes strings. Those of one message share a few blocks of memory, which hold nothing but what is handed
// out; a message of five thousand values costs as many allocations as one of five.
type decoder struct {
	block   strings.Builder
	buf     []byte
	values  []string       // room for attribute values
	known   index          // of the attributes so far
	opener  *xmlsec.Opener // opens what is encrypted; nil if we have no key for that
	policy  xmlsec.Policy
	in      xmlsec.Signed // where the assertion stands that is being decoded
	scratch [256]byte

	documents []*xmlsec.Unverified // the message, and what was opened of it
	room      [2]*xmlsec.Unverified
}

const (
	blockSize  = 512
	maxReserve = 2 << 10 // for an assertion without long lists, which make their own room
)

func (d *decoder) string(b []byte) string {
	if s, ok := intern(b); ok {
		return s
	}
	if d.block.Cap()-d.block.Len() < len(b) {
		d.reserve(max(blockSize, 2*len(b)))
	}
	from := d.block.Len()
	d.block.Write(b)
	return d.block.String()[from:]
}

// reserve makes room for n octets of values at once. What was handed out keeps its old block alive.
func (d *decoder) reserve(n int) {
	if d.block.Cap()-d.block.Len() < n {
		d.block = strings.Builder{}
		d.block.Grow(n)
	}
}

// empty returns the buffer for the next value.
func (d *decoder) empty() []byte {
	if d.buf == nil {
		d.buf = d.scratch[:0]
	}
	return d.buf[:0]
}

func (d *decoder) text(e xmlsec.Element) string { return d.string(d.octets(e)) }

// trimmed returns the text of e without white space around it: for URIs, whose type collapses white space.
func (d *decoder) trimmed(e xmlsec.Element) string { return d.string(trimSpace(d.octets(e))) }

// octets returns the text of e, valid until the next call.
func (d *decoder) octets(e xmlsec.Element) []byte {
	if text, ok := e.PlainText(); ok {
		return text
	}
	d.buf = e.AppendText(d.empty())
	return d.buf
}

func trimSpace(b []byte) []byte {
	isSpace := func(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }
	for len(b) > 0 && isSpace(b[0]) {
		b = b[1:]
	}
	for len(b) > 0 && isSpace(b[len(b)-1]) {
		b = b[:len(b)-1]
	}
	return b
}

func (d *decoder) attr(e xmlsec.Element, name string) Text {
	a, found := e.Find("", name)
	if !found {
		return Text{}
	}
	return Text{d.string(a.Value()), true}
}

// time reads an optional xs:dateTime attribute.
func (d *decoder) time(e xmlsec.Element, name string) (time.Time, error) {
	a, found := e.Find("", name)
	if !found {
		return time.Time{}, nil
	}
	t, ok := ParseTime(a.Value())
	if !ok {
		return time.Time{}, malformed("%s/@%s is not a time: %.64q", e.Local(), name, a.Value())
	}
	return t, nil
}

// open decrypts an element of the assertion that is being decoded. Its ciphertext is signed, so what comes out is.
func (d *decoder) open(e xmlsec.Element, space, local string) (xmlsec.Element, error) {
	plain, signed, err := d.in.Decrypt(e, d.opener, d.policy)
	if err != nil {
		return xmlsec.Element{}, err
	}
	if !signed.Root().Is(space, local) {
		return xmlsec.Element{}, xmlsec.Closed()
	}
	return signed.Root(), d.checkIDs(plain.Document())
}

// checkIDs refuses what was opened if an element in it has the ID of another in the message, opened parts included
// (SAML Core 1.3.4): somebody else might resolve it otherwise.
func (d *decoder) checkIDs(opened *xmlsec.Unverified) error {
	for _, u := range d.documents {
		if u.SharesID(opened) {
			return &xmlsec.Error{Kind: xmlsec.DuplicateID, Offset: -1, Msg: "an element that was encrypted has the ID of another"}
		}
	}
	d.documents = append(d.documents, opened)
	return nil
}

// A sequence walks the child elements of e in the order of a schema.
type sequence struct {
	of   xmlsec.Element
	next xmlsec.Element
}

func walk(e xmlsec.Element) sequence { return sequence{of: e, next: e.First()} }

// take returns the next child if it has that name.
func (s *sequence) take(space, local string) (xmlsec.Element, bool) {
	if !s.next.Is(space, local) {
		return xmlsec.Element{}, false
	}
	e := s.next
	s.next = e.Next()
	return e, true
}

// end refuses a child that no take has taken: unknown, in the wrong place, or once too often.
func (s *sequence) end() error {
	if s.next.Exists() {
		return malformed("%s holds an unexpected %.64q", s.of.Local(), s.next.Local())
	}
	return nil
}
