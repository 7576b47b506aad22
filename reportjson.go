package saml

import (
	"encoding/json"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// MarshalJSON writes the report with every character escaped that a terminal or a log viewer might obey instead of show:
// controls, and what turns the direction of writing. A report quotes strangers, and its JSON is looked at as often as parsed.
func (r Report) MarshalJSON() ([]byte, error) {
	type fields Report // without this method
	text, err := json.Marshal(fields(r))
	if err != nil {
		return nil, err
	}
	return escapeUnprintable(text), nil
}

// escapeUnprintable writes as \u what is not printable in JSON. That stands in its strings only.
func escapeUnprintable(text []byte) []byte {
	var out []byte
	done := 0 // octets of text that are in out
	for i := 0; i < len(text); {
		c, size := utf8.DecodeRune(text[i:])
		if !strconv.IsPrint(c) {
			out = append(out, text[done:i]...)
			out = appendEscape(out, c)
			done = i + size
		}
		i += size
	}
	return append(out, text[done:]...)
}

// appendEscape writes \uXXXX, two of them for a character beyond the basic plane (RFC 8259, section 7).
func appendEscape(out []byte, c rune) []byte {
	for _, unit := range utf16.AppendRune(nil, c) {
		const hex = "0123456789abcdef"
		out = append(out, '\\', 'u', hex[unit>>12], hex[unit>>8&15], hex[unit>>4&15], hex[unit&15])
	}
	return out
}
