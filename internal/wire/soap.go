package wire

import "github.com/logintrust/saml/internal/xmlsec"

// Enveloped returns the one message in a SOAP envelope, the zero Element if there is none: a fault is none. Headers are not
// looked at, unless one demands it, which SAML never does.
func Enveloped(root xmlsec.Element) xmlsec.Element {
	message, err := enveloped(root, notUnderstood)
	if err != nil || message.Is(SOAPNS, "Fault") {
		return xmlsec.Element{}
	}
	return message
}

// enveloped returns what stands in the Body of a SOAP 1.1 Envelope, which is one element, if no header objects.
func enveloped(root xmlsec.Element, object func(header xmlsec.Element) error) (xmlsec.Element, error) {
	if !root.Is(SOAPNS, "Envelope") {
		return xmlsec.Element{}, malformed("the message is a %.64q, not a SOAP 1.1 Envelope", root.Local())
	}
	body := root.First()
	if body.Is(SOAPNS, "Header") {
		for header := range body.Children() {
			if err := object(header); err != nil {
				return xmlsec.Element{}, err
			}
		}
		body = body.Next()
	}
	message := body.First()
	if !body.Is(SOAPNS, "Body") || body.Next().Exists() || !message.Exists() || message.Next().Exists() {
		return xmlsec.Element{}, malformed("an Envelope without one message in its one Body")
	}
	return message, nil
}

// notUnderstood objects to a header that demands to be understood.
func notUnderstood(header xmlsec.Element) error {
	if must, found := header.Find(SOAPNS, "mustUnderstand"); found && string(must.Value()) != "0" {
		return malformed("the header %.64q, which demands to be understood", header.Local())
	}
	return nil
}
