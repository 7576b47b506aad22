package wire

import "github.com/logintrust/saml/internal/xmlsec"

// Enveloped returns the one message in a SOAP envelope, the zero Element if there is none: a fault is none. Headers are not
// looked at, unless one demands it, which SAML never does.
func Enveloped(root xmlsec.Element) xmlsec.Element {
	if !root.Is(SOAPNS, "Envelope") {
		return xmlsec.Element{}
	}
	body := root.First()
	if body.Is(SOAPNS, "Header") {
		for header := range body.Children() {
			if must, found := header.Find(SOAPNS, "mustUnderstand"); found && string(must.Value()) != "0" {
				return xmlsec.Element{}
			}
		}
		body = body.Next()
	}
	message := body.First()
	if !body.Is(SOAPNS, "Body") || body.Next().Exists() || message.Next().Exists() || message.Is(SOAPNS, "Fault") {
		return xmlsec.Element{}
	}
	return message
}
