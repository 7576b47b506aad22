package compose

import (
	"github.com/beevik/etree"

	"github.com/logintrust/saml/internal/wire"
)

// PAOSRequest is an AuthnRequest for an enhanced client (SAML Profiles 4.2.4): what it is to take to an identity provider, and
// what it needs to know itself.
type PAOSRequest struct {
	Request    AuthnRequest
	RelayState string
	IDPs       []IDPEntry // whom the client may ask
}

// Write builds the envelope. The request in it is signed unless key is nil.
func (r PAOSRequest) Write(key *SigningKey) ([]byte, error) {
	message, err := signed(r.Request, key)
	if err != nil {
		return nil, err
	}
	envelope := etree.NewElement("soap:Envelope")
	envelope.CreateAttr("xmlns:soap", wire.SOAPNS)
	headers := envelope.CreateElement("soap:Header")
	header := func(name, space, uri string) *etree.Element {
		e := headers.CreateElement(space + ":" + name)
		e.CreateAttr("xmlns:"+space, uri)
		e.CreateAttr("soap:mustUnderstand", "1")
		e.CreateAttr("soap:actor", wire.ActorNext)
		return e
	}
	paos := header("Request", "paos", wire.PAOSNS)
	paos.CreateAttr("responseConsumerURL", r.Request.ACSURL)
	paos.CreateAttr("messageID", r.Request.ID)
	paos.CreateAttr("service", wire.ECPNS)
	r.describe(header("Request", "ecp", wire.ECPNS))
	header("RelayState", "ecp", wire.ECPNS).SetText(r.RelayState)
	envelope.CreateElement("soap:Body").AddChild(message)
	return Bytes(envelope)
}

// describe tells the client what the request tells the identity provider (SAML Profiles 4.2.4.2). IsPassive is true there if it
// is left out.
func (r PAOSRequest) describe(e *etree.Element) {
	passive := "0"
	if r.Request.IsPassive {
		passive = "1"
	}
	e.CreateAttr("IsPassive", passive)
	optional(e, "ProviderName", r.Request.ProviderName)
	e.CreateAttr("xmlns:saml", wire.AssertionNS)
	e.CreateElement("saml:Issuer").SetText(r.Request.Issuer)
	if len(r.IDPs) == 0 {
		return
	}
	e.CreateAttr("xmlns:samlp", wire.ProtocolNS)
	list := e.CreateElement("samlp:IDPList")
	for _, idp := range r.IDPs {
		idp.describe(list)
	}
}
