package samltest

import (
	"errors"
	"fmt"

	"github.com/beevik/etree"
)

const (
	nsSOAP = "http://schemas.xmlsoap.org/soap/envelope/"
	nsPAOS = "urn:liberty:paos:2003-08"
	nsECP  = "urn:oasis:names:tc:SAML:2.0:profiles:SSO:ecp"
)

// ParsePAOS reads the AuthnRequest that a service provider gives to an enhanced client (SAML Profiles 4.2.3.2). It wants the
// headers that a client needs: a paos:Request whose responseConsumerURL is the request's, and an ecp:Request.
func ParsePAOS(envelope []byte) (Request, error) {
	root, err := readRoot(envelope, nsSOAP, "Envelope")
	if err != nil {
		return Request{}, err
	}
	header, body := find(root, nsSOAP, "Header"), find(root, nsSOAP, "Body")
	if header == nil || body == nil || len(body.ChildElements()) != 1 {
		return Request{}, errors.New("samltest: PAOS: want a Header, and a Body with one element")
	}
	paos, relay := find(header, nsPAOS, "Request"), ""
	if paos == nil || find(header, nsECP, "Request") == nil {
		return Request{}, errors.New("samltest: PAOS: want paos:Request and ecp:Request")
	}
	if state := find(header, nsECP, "RelayState"); state != nil {
		relay = state.Text()
	}
	xml, err := etree.NewDocumentWithRoot(body.ChildElements()[0].Copy()).WriteToBytes()
	if err != nil {
		return Request{}, fmt.Errorf("samltest: PAOS: %w", err)
	}
	req, err := parseAuthnRequest(xml, relay)
	if err == nil && paos.SelectAttrValue("responseConsumerURL", "") != req.ACSURL {
		err = errors.New("samltest: PAOS: responseConsumerURL is not that of the request (erratum E35)")
	}
	return req, err
}

// PAOS is the answer as an enhanced client brings it, of the type application/vnd.paos+xml: with the relay state that it got, and
// the ID of the message that it answers (SAML Profiles 4.2.3.7).
func (a *Answer) PAOS() []byte {
	const attributes = ` s:mustUnderstand="1" s:actor="http://schemas.xmlsoap.org/soap/actor/next"`
	return []byte(`<s:Envelope xmlns:s="` + nsSOAP + `"><s:Header><paos:Response xmlns:paos="` + nsPAOS + `"` + attributes + ` refToMessageID="` +
		a.InResponseTo + `"/><ecp:RelayState xmlns:ecp="` + nsECP + `"` + attributes + `>` + a.RelayState + `</ecp:RelayState></s:Header><s:Body>` +
		string(a.XML()) + `</s:Body></s:Envelope>`)
}
