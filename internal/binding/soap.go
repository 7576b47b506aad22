package binding

import (
	"bytes"

	"github.com/logintrust/saml/internal/wire"
)

// Envelope puts a message into a SOAP 1.1 envelope (SAML Bindings 3.2.2): one message, and no header.
func Envelope(xml []byte) []byte {
	var b bytes.Buffer
	b.WriteString(`<soap:Envelope xmlns:soap="` + wire.SOAPNS + `"><soap:Body>`)
	b.Write(xml)
	b.WriteString(`</soap:Body></soap:Envelope>`)
	return b.Bytes()
}
