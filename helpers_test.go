package saml_test

import (
	"bytes"
	"net/netip"

	"github.com/beevik/etree"
)

func mustAddr(s string) netip.Addr { return netip.MustParseAddr(s) }

// replaceBytes changes the octets of a message, once.
func replaceBytes(old, new string) func([]byte) []byte {
	return func(b []byte) []byte {
		if !bytes.Contains(b, []byte(old)) {
			panic("nothing to replace: " + old)
		}
		return bytes.Replace(b, []byte(old), []byte(new), 1)
	}
}

// setConfirmationType gives SubjectConfirmationData an xsi:type, by a prefix of its own.
func setConfirmationType(response *etree.Element) {
	data := response.FindElement(".//SubjectConfirmationData")
	data.CreateAttr("xmlns:i", "http://www.w3.org/2001/XMLSchema-instance")
	data.CreateAttr("xmlns:a", "urn:oasis:names:tc:SAML:2.0:assertion")
	data.CreateAttr("i:type", "a:KeyInfoConfirmationDataType")
}
