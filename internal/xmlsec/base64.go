package xmlsec

import (
	"encoding/binary"
	"slices"
)

// sextets holds what a character stands for at each place in a group of four, where it belongs in the three octets of the
// group as they lie in memory; or notBase64. Four small tables stay in the fastest cache, where one of all pairs would not.
var sextets = func() (t [4][256]uint32) {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	for place := range t {
		for c := range t[place] {
			t[place][c] = notBase64
		}
		for v, c := range []byte(alphabet) {
			var octets [4]byte
			binary.BigEndian.PutUint32(octets[:], uint32(v)<<(26-6*place))
			t[place][c] = binary.LittleEndian.Uint32(octets[:])
		}
	}
	return t
}()

const notBase64 = 1 << 31

// AppendBase64 appends what s decodes to: RFC 4648, section 4, with padding, its unused bits zero, and XML white space
// anywhere (XML Schema part 2, 3.2.16; SAML Bindings 3.5.4). It is our own because the standard library's decoder, at
// twice the cost, would be a tenth of what a whole login costs.
func AppendBase64[T string | []byte](dst []byte, s T) (out []byte, ok bool) {
	start := len(dst)
	dst = slices.Grow(dst, len(s)/4*3+4) // four octets are written where three count
	dst = dst[:cap(dst)]
	n := start
	var group [4]byte
	have := 0 // characters in group
	for i := 0; i < len(s); {
		if have == 0 {
			done := decodeGroups(dst[n:], s[i:])
			n, i = n+done/4*3, i+done
		}
		if i == len(s) {
			break
		}
		c := s[i]
		i++
		switch {
		case isSpace(c):
			continue
		case c == '=':
			return finishBase64(dst[:n], group[:have], s[i:])
		case sextets[0][c] == notBase64:
			return dst[:start], false
		}
		group[have] = c
		if have++; have == 4 {
			binary.LittleEndian.PutUint32(dst[n:], octetsOf(group))
			n, have = n+3, 0
		}
	}
	return dst[:n], have == 0
}

// holdsMore reports whether a text stands for more than that many octets in base64, before it is decoded. White space is left
// out, padding is not.
func holdsMore(text []byte, most int) bool {
	n := len(text)
	if n/4*3 <= most {
		return false
	}
	for _, c := range text {
		if isSpace(c) {
			n--
		}
	}
	return n/4*3 > most
}

// decodeGroups decodes groups of four characters, until white space or padding is among them, and returns how many characters
// that were. It may write beyond the octets that count.
func decodeGroups[T string | []byte](dst []byte, s T) (done int) {
	t := &sextets
	for len(s) >= 16 && len(dst) >= 13 {
		a := t[0][s[0]] | t[1][s[1]] | t[2][s[2]] | t[3][s[3]]
		binary.LittleEndian.PutUint32(dst, a)
		b := t[0][s[4]] | t[1][s[5]] | t[2][s[6]] | t[3][s[7]]
		binary.LittleEndian.PutUint32(dst[3:], b)
		c := t[0][s[8]] | t[1][s[9]] | t[2][s[10]] | t[3][s[11]]
		binary.LittleEndian.PutUint32(dst[6:], c)
		d := t[0][s[12]] | t[1][s[13]] | t[2][s[14]] | t[3][s[15]]
		binary.LittleEndian.PutUint32(dst[9:], d)
		if (a|b|c|d)&notBase64 != 0 {
			break
		}
		dst, s, done = dst[12:], s[16:], done+16
	}
	for len(s) >= 4 && len(dst) >= 4 {
		v := octetsOf([4]byte{s[0], s[1], s[2], s[3]})
		if v&notBase64 != 0 {
			break
		}
		binary.LittleEndian.PutUint32(dst, v)
		dst, s, done = dst[3:], s[4:], done+4
	}
	return done
}

// finishBase64 decodes the last group, of which one "=" has been read; rest is what follows it.
func finishBase64[T string | []byte](dst, group []byte, rest T) ([]byte, bool) {
	padding := 1
	for i := range len(rest) {
		switch c := rest[i]; {
		case isSpace(c):
		case c == '=':
			padding++
		default:
			return dst, false
		}
	}
	if len(group)+padding != 4 || padding > 2 {
		return dst, false
	}
	v := octetsOf([4]byte{group[0], group[1], 'A', 'A'})
	if padding == 2 {
		return append(dst, byte(v)), v>>8 == 0
	}
	v |= octetsOf([4]byte{'A', 'A', group[2], 'A'})
	return append(dst, byte(v), byte(v>>8)), v>>16 == 0
}

// octetsOf is what a group of four characters stands for: three octets, the first one lowest. notBase64 is set if one is not of
// the alphabet.
func octetsOf(group [4]byte) uint32 {
	return sextets[0][group[0]] | sextets[1][group[1]] | sextets[2][group[2]] | sextets[3][group[3]]
}
