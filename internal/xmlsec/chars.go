package xmlsec

import (
	"bytes"
	"unicode/utf8"
)

const (
	nameStart = 1 << iota // may begin a name
	nameChar              // may go on in one
)

var nameClass = func() (t [256]uint8) {
	for c := range 256 {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', c == '_':
			t[c] = nameStart | nameChar
		case '0' <= c && c <= '9', c == '-', c == '.':
			t[c] = nameChar
		}
	}
	return t
}()

// ncName returns the size of the name without colon at the start of b, 0 if there is none (Namespaces in XML, 4).
func ncName(b []byte) int {
	i := 0
	for i < len(b) && nameClass[b[i]]&nameChar != 0 {
		i++
	}
	if i < len(b) && b[i] >= 0x80 {
		return wideName(b)
	}
	if i > 0 && nameClass[b[0]]&nameStart == 0 {
		return 0
	}
	return i
}

// wideName is ncName for names that are not ASCII alone.
func wideName(b []byte) int {
	for i := 0; i < len(b); {
		c, n := utf8.DecodeRune(b[i:])
		switch {
		case c < utf8.RuneSelf && nameClass[c]&nameStart != 0, c >= utf8.RuneSelf && isWideNameStart(c):
		case i > 0 && (c < utf8.RuneSelf && nameClass[c]&nameChar != 0 || c >= utf8.RuneSelf && isWideNameChar(c)):
		default:
			return i
		}
		i += n
	}
	return len(b)
}

// isWideNameStart: XML 1.0 (fifth edition), production 4, without the ASCII part.
func isWideNameStart(c rune) bool {
	switch {
	case 0xC0 <= c && c <= 0xD6, 0xD8 <= c && c <= 0xF6, 0xF8 <= c && c <= 0x2FF, 0x370 <= c && c <= 0x37D,
		0x37F <= c && c <= 0x1FFF, 0x200C <= c && c <= 0x200D, 0x2070 <= c && c <= 0x218F, 0x2C00 <= c && c <= 0x2FEF,
		0x3001 <= c && c <= 0xD7FF, 0xF900 <= c && c <= 0xFDCF, 0xFDF0 <= c && c <= 0xFFFD, 0x10000 <= c && c <= 0xEFFFF:
		return true
	}
	return false
}

// isWideNameChar: production 4a, what it adds to production 4.
func isWideNameChar(c rune) bool {
	return c == 0xB7 || 0x300 <= c && c <= 0x36F || 0x203F <= c && c <= 0x2040
}

// isChar: XML 1.0, production 2.
func isChar(c rune) bool {
	switch {
	case c == '\t', c == '\n', c == '\r', 0x20 <= c && c <= 0xD7FF, 0xE000 <= c && c <= 0xFFFD, 0x10000 <= c && c <= 0x10FFFF:
		return true
	}
	return false
}

// reference reads the reference at the start of b, which begins with "&": its character and its size; size 0 if it is
// none of the five predefined entities and no reference to a legal character.
func reference(b []byte) (c rune, size int) {
	const longest = 12 // "&#x0010FFFF;" and the like; more leading zeros are refused
	end := bytes.IndexByte(b[:min(len(b), longest)], ';')
	if end < 2 {
		return 0, 0
	}
	name := b[1:end]
	switch string(name) {
	case "amp":
		return '&', end + 1
	case "lt":
		return '<', end + 1
	case "gt":
		return '>', end + 1
	case "quot":
		return '"', end + 1
	case "apos":
		return '\'', end + 1
	}
	if name[0] != '#' || len(name) < 2 {
		return 0, 0
	}
	digits, base := name[1:], rune(10)
	if digits[0] == 'x' {
		digits, base = digits[1:], 16
	}
	if len(digits) == 0 {
		return 0, 0
	}
	for _, d := range digits {
		v := rune(99)
		switch {
		case '0' <= d && d <= '9':
			v = rune(d - '0')
		case 'a' <= d && d <= 'f':
			v = rune(d-'a') + 10
		case 'A' <= d && d <= 'F':
			v = rune(d-'A') + 10
		}
		if v >= base {
			return 0, 0
		}
		if c = c*base + v; c > utf8.MaxRune {
			return 0, 0
		}
	}
	if !isChar(c) {
		return 0, 0
	}
	return c, end + 1
}

// references checks every reference between two offsets.
func (r *Reader) references(start, end int) error {
	b := r.doc.src[start:end]
	for {
		i := bytes.IndexByte(b, '&')
		if i < 0 {
			return nil
		}
		_, size := reference(b[i:])
		if size == 0 {
			return r.fail(end-len(b)+i, "a reference to neither a predefined entity nor a legal character")
		}
		b = b[i+size:]
	}
}

// appendText appends the value of text as written: references replaced, line ends normalised (XML 1.0, 2.11).
func appendText(dst, raw []byte) []byte {
	for i := 0; i < len(raw); {
		switch c := raw[i]; c {
		case '&':
			v, size := reference(raw[i:])
			dst = utf8.AppendRune(dst, v)
			i += size
		case '\r':
			dst = append(dst, '\n')
			i++
			if i < len(raw) && raw[i] == '\n' {
				i++
			}
		default:
			dst = append(dst, c)
			i++
		}
	}
	return dst
}

// appendLines appends raw with normalised line ends and nothing else changed: CDATA sections, comments, instructions.
func appendLines(dst, raw []byte) []byte {
	for i := 0; i < len(raw); i++ {
		if raw[i] != '\r' {
			dst = append(dst, raw[i])
			continue
		}
		dst = append(dst, '\n')
		if i+1 < len(raw) && raw[i+1] == '\n' {
			i++
		}
	}
	return dst
}

// appendAttributeValue appends the normalised value of an attribute as written (XML 1.0, 3.3.3).
func appendAttributeValue(dst, raw []byte) []byte {
	for i := 0; i < len(raw); {
		switch c := raw[i]; c {
		case '&':
			v, size := reference(raw[i:])
			dst = utf8.AppendRune(dst, v)
			i += size
		case '\r':
			dst = append(dst, ' ')
			i++
			if i < len(raw) && raw[i] == '\n' {
				i++
			}
		case '\n', '\t':
			dst = append(dst, ' ')
			i++
		default:
			dst = append(dst, c)
			i++
		}
	}
	return dst
}
