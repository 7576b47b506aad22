package wire

import "github.com/logintrust/saml/internal/xmlsec"

// Identifiers of the Reverse SOAP binding (SAML Bindings 3.3) and of the profile for enhanced clients (SAML Profiles 4.2).
const (
	PAOSNS    = "urn:liberty:paos:2003-08"
	ECPNS     = "urn:oasis:names:tc:SAML:2.0:profiles:SSO:ecp"
	ActorNext = "http://schemas.xmlsoap.org/soap/actor/next"

	// ECPWantSigned is the option by which a client asks for a signed AuthnRequest (ECP 2.0, 2.3.1).
	ECPWantSigned = "urn:oasis:names:tc:SAML:2.0:profiles:SSO:ecp:2.0:WantAuthnRequestsSigned"
)

// PAOSHeaders are what a client says about the Response that it brings. Nobody signed them: they may only veto.
type PAOSHeaders struct {
	RefersTo   Text // paos:Response, refToMessageID
	RelayState Text // ecp:RelayState
}

// ReadPAOS reads the Response in the envelope that a client brings, a SOAP 1.1 Envelope with one message in its Body, and the
// headers of the profile (SAML Profiles 4.2.4.5 and 4.2.4.3). Others are not looked at, unless one demands it.
func (r *Response) ReadPAOS(u *xmlsec.Unverified) (h PAOSHeaders, err error) {
	*r = Response{u: u}
	seen := [2]bool{}
	r.root, err = enveloped(u.Root(), func(header xmlsec.Element) error {
		at := 0
		switch {
		case header.Is(PAOSNS, "Response"):
			h.RefersTo = r.d.attr(header, "refToMessageID")
		case header.Is(ECPNS, "RelayState"):
			at, h.RelayState = 1, Text{r.d.text(header), true}
		default:
			return notUnderstood(header)
		}
		if seen[at] {
			return malformed("the header %s twice", header.Local())
		}
		seen[at] = true
		return addressedToUs(header)
	})
	if err != nil {
		return h, err
	}
	if r.root.Is(SOAPNS, "Fault") {
		return h, malformed("a SOAP fault: the client could not get a Response")
	}
	return h, r.read()
}

// addressedToUs: the headers of the profile are for whom they reach first, who must know them.
func addressedToUs(header xmlsec.Element) error {
	actor, addressed := header.Find(SOAPNS, "actor")
	must, demands := header.Find(SOAPNS, "mustUnderstand")
	if !addressed || !demands || string(actor.Value()) != ActorNext || string(must.Value()) != "1" {
		return malformed("the header %s without the actor next and mustUnderstand", header.Local())
	}
	return nil
}
