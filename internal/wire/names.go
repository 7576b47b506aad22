package wire

// Namespaces.
const (
	AssertionNS = "urn:oasis:names:tc:SAML:2.0:assertion"
	ProtocolNS  = "urn:oasis:names:tc:SAML:2.0:protocol"
	MetadataNS  = "urn:oasis:names:tc:SAML:2.0:metadata"
	UINS        = "urn:oasis:names:tc:SAML:metadata:ui"
	AlgorithmNS = "urn:oasis:names:tc:SAML:metadata:algsupport"
	SignatureNS = "http://www.w3.org/2000/09/xmldsig#"
	InstanceNS  = "http://www.w3.org/2001/XMLSchema-instance"
	SOAPNS      = "http://schemas.xmlsoap.org/soap/envelope/"

	AsyncLogoutNS = "urn:oasis:names:tc:SAML:2.0:protocol:ext:async-slo"
)

// Identifiers of SAML Core section 8 and Profiles section 3.
const (
	StatusSuccess   = "urn:oasis:names:tc:SAML:2.0:status:Success"
	StatusNoPassive = "urn:oasis:names:tc:SAML:2.0:status:NoPassive"

	MethodBearer = "urn:oasis:names:tc:SAML:2.0:cm:bearer"

	FormatUnspecified = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"
	FormatEmail       = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
	FormatEntity      = "urn:oasis:names:tc:SAML:2.0:nameid-format:entity"
	FormatPersistent  = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
	FormatTransient   = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"

	AttrNameUnspecified = "urn:oasis:names:tc:SAML:2.0:attrname-format:unspecified"
	AttrNameURI         = "urn:oasis:names:tc:SAML:2.0:attrname-format:uri"
	AttrNameBasic       = "urn:oasis:names:tc:SAML:2.0:attrname-format:basic"

	ClassPasswordProtectedTransport = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"
	ClassPassword                   = "urn:oasis:names:tc:SAML:2.0:ac:classes:Password"

	BindingRedirect = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
	BindingPOST     = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
	BindingArtifact = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Artifact"
	BindingSOAP     = "urn:oasis:names:tc:SAML:2.0:bindings:SOAP"
	BindingPAOS     = "urn:oasis:names:tc:SAML:2.0:bindings:PAOS"
)

// intern returns the constant for an identifier that most messages carry, so that it costs no memory.
func intern(b []byte) (string, bool) {
	switch string(b) {
	case "2.0":
		return "2.0", true
	case MethodBearer:
		return MethodBearer, true
	case FormatUnspecified:
		return FormatUnspecified, true
	case FormatEmail:
		return FormatEmail, true
	case FormatEntity:
		return FormatEntity, true
	case FormatPersistent:
		return FormatPersistent, true
	case FormatTransient:
		return FormatTransient, true
	case AttrNameUnspecified:
		return AttrNameUnspecified, true
	case AttrNameURI:
		return AttrNameURI, true
	case AttrNameBasic:
		return AttrNameBasic, true
	case ClassPasswordProtectedTransport:
		return ClassPasswordProtectedTransport, true
	case ClassPassword:
		return ClassPassword, true
	case StatusSuccess:
		return StatusSuccess, true
	}
	return "", len(b) == 0
}
