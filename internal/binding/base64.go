package binding

import (
	"encoding/binary"
	"slices"
	"sync"
)

// sextets holds what a character stands for, or notBase64.
var sextets = func() (t [256]uint16) {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	for c := range t {
		t[c] = notBase64
	}
	for v, c := range []byte(alphabet) {
		t[c] = uint16(v)
	}
	return t
}()

const notBase64 = 1 << 15

// pairs holds what two characters stand for, the first in the low octet of the index. Of its 128 KB only the few that
// belong to the alphabet are ever touched. It is made when the first message comes.
var pairs = sync.OnceValue(func() *[1 << 16]uint16 {
	t := new([1 << 16]uint16)
	for i := range t {
		first, second := sextets[i&0xff], sextets[i>>8]
		t[i] = (first|second)&notBase64 | first<<6&0xfc0 | second&0x3f
	}
	return t
})

// AppendBase64 appends what s decodes to: RFC 4648, section 4, with padding, its unused bits zero, and XML white space
// anywhere (SAML Bindings 3.5.4). It is our own because the standard library's decoder, at several times the cost, would be
// a tenth of what a whole login costs.
func AppendBase64(dst []byte, s string) (out []byte, ok bool) {
	start := len(dst)
	dst = slices.Grow(dst, len(s)/4*3+8) // eight octets are written where six count
	dst = dst[:cap(dst)]
	n := start
	two := pairs()
	var group [4]byte
	have := 0 // characters in group
	for i := 0; i < len(s); {
		// Two groups at once, as long as there is no white space and no padding among them.
		for have == 0 && i+8 <= len(s) {
			q := s[i : i+8]
			w := uint64(q[0]) | uint64(q[1])<<8 | uint64(q[2])<<16 | uint64(q[3])<<24 | // one load
				uint64(q[4])<<32 | uint64(q[5])<<40 | uint64(q[6])<<48 | uint64(q[7])<<56
			a, b, c, d := two[uint16(w)], two[uint16(w>>16)], two[uint16(w>>32)], two[uint16(w>>48)]
			if (a|b|c|d)&notBase64 != 0 {
				break
			}
			binary.BigEndian.PutUint64(dst[n:], uint64(a)<<52|uint64(b)<<40|uint64(c)<<28|uint64(d)<<16)
			n += 6
			i += 8
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
		case sextets[c] == notBase64:
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

// value is what a group of the alphabet's characters stands for.
func value(group [4]byte) uint32 {
	return uint32(sextets[group[0]])<<18 | uint32(sextets[group[1]])<<12 | uint32(sextets[group[2]])<<6 | uint32(sextets[group[3]])
}
