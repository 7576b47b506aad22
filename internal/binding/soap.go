package binding

import (
	"bytes"

	"github.com/logintrust/saml/internal/xmlsec"
)

const soapNS = "http://schemas.xmlsoap.org/soap/envelope/"

// Envelope puts a message into a SOAP 1.1 envelope (SAML Bindings 3.2.2): one message, and no header.
func Envelope(xml []byte) []byte {
	var b bytes.Buffer
	b.WriteString(`<soap:Envelope xmlns:soap="` + soapNS + `"><soap:Body>`)
	b.Write(xml)
	b.WriteString(`</soap:Body></soap:Envelope>`)
	return b.Bytes()
}

// Enveloped returns the one message in a SOAP envelope, the zero Element if there is none: a fault is none. Headers are not
// looked at, unless one demands it, which SAML never does.
func Enveloped(root xmlsec.Element) xmlsec.Element {
	if !root.Is(soapNS, "Envelope") {
		return xmlsec.Element{}
	}
	body := root.First()
	if body.Is(soapNS, "Header") {
		for header := range body.Children() {
			if must, found := header.Find(soapNS, "mustUnderstand"); found && string(must.Value()) != "0" {
				return xmlsec.Element{}
			}
		}
		body = body.Next()
	}
	message := body.First()
	if !body.Is(soapNS, "Body") || body.Next().Exists() || message.Next().Exists() || message.Is(soapNS, "Fault") {
		return xmlsec.Element{}
	}
	return message
}
