package binding

import (
	"encoding/binary"
	"slices"
)

// sextets holds what a character stands for at each place in a group of four, shifted to where it belongs in the 24 bits of
// the group; or notBase64. Four small tables stay in the fastest cache, where one of all pairs would not.
var sextets = func() (t [4][256]uint32) {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	for place := range t {
		for c := range t[place] {
			t[place][c] = notBase64
		}
		for v, c := range []byte(alphabet) {
			t[place][c] = uint32(v) << (18 - 6*place)
		}
	}
	return t
}()

const notBase64 = 1 << 31

// AppendBase64 appends what s decodes to: RFC 4648, section 4, with padding, its unused bits zero, and XML white space
// anywhere (SAML Bindings 3.5.4). It is our own because the standard library's decoder, at several times the cost, would be
// a tenth of what a whole login costs.
func AppendBase64(dst []byte, s string) (out []byte, ok bool) {
	start := len(dst)
	dst = slices.Grow(dst, len(s)/4*3+8) // eight octets are written where six count
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
		case c == ' ' || c == '\t' || c == '\r' || c == '\n':
			continue
		case c == '=':
			return finishBase64(dst[:n], group[:have], s[i:])
		case sextets[0][c] == notBase64:
			return dst[:start], false
		}
		group[have] = c
		if have++; have == 4 {
			v := value(group)
			dst[n], dst[n+1], dst[n+2] = byte(v>>16), byte(v>>8), byte(v)
			n, have = n+3, 0
		}
	}
	return dst[:n], have == 0
}

// decodeGroups decodes groups of four characters, two at once, until white space or padding is among them, and returns how
// many characters that were. It may write two octets more than count.
func decodeGroups(dst []byte, s string) (done int) {
	for len(s) >= 8 && len(dst) >= 8 {
		first := value([4]byte{s[0], s[1], s[2], s[3]})
		second := value([4]byte{s[4], s[5], s[6], s[7]})
		if (first|second)&notBase64 != 0 {
			break
		}
		binary.BigEndian.PutUint64(dst, uint64(first)<<40|uint64(second)<<16)
		dst, s, done = dst[6:], s[8:], done+8
	}
	return done
}

// finishBase64 decodes the last group, of which one "=" has been read; rest is what follows it.
func finishBase64(dst, group []byte, rest string) ([]byte, bool) {
	padding := 1
	for _, c := range []byte(rest) {
		switch c {
		case ' ', '\t', '\r', '\n':
		case '=':
			padding++
		default:
			return dst, false
		}
	}
	if len(group)+padding != 4 || padding > 2 {
		return dst, false
	}
	v := value([4]byte{group[0], group[1], 'A', 'A'})
	if padding == 2 {
		return append(dst, byte(v>>16)), v&0xffff == 0
	}
	v |= value([4]byte{'A', 'A', group[2], 'A'})
	return append(dst, byte(v>>16), byte(v>>8)), v&0xff == 0
}

// value is what a group of four characters stands for; notBase64 is set if one is not of the alphabet.
func value(group [4]byte) uint32 {
	return sextets[0][group[0]] | sextets[1][group[1]] | sextets[2][group[2]] | sextets[3][group[3]]
}
