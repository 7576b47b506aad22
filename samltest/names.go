package samltest

import "github.com/logintrust/saml/internal/compose"

// Namespaces of the messages.
const (
	nsAssertion = "urn:oasis:names:tc:SAML:2.0:assertion"
	nsProtocol  = "urn:oasis:names:tc:SAML:2.0:protocol"
	nsMetadata  = "urn:oasis:names:tc:SAML:2.0:metadata"
	nsSignature = "http://www.w3.org/2000/09/xmldsig#"
	nsExclusive = "http://www.w3.org/2001/10/xml-exc-c14n#"
	nsSchema    = "http://www.w3.org/2001/XMLSchema"
	nsInstance  = "http://www.w3.org/2001/XMLSchema-instance"
)

// Bindings, of SAML Bindings 3.
const (
	bindingRedirect = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
	bindingPOST     = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
	bindingArtifact = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Artifact"
	bindingPAOS     = "urn:oasis:names:tc:SAML:2.0:bindings:PAOS"
)

// Subject confirmation methods, of SAML Profiles 3.
const (
	Bearer        = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
	HolderOfKey   = "urn:oasis:names:tc:SAML:2.0:cm:holder-of-key"
	SenderVouches = "urn:oasis:names:tc:SAML:2.0:cm:sender-vouches"
)

// Status codes, of SAML Core 3.2.2.2.
const (
	Success     = "urn:oasis:names:tc:SAML:2.0:status:Success"
	Requester   = "urn:oasis:names:tc:SAML:2.0:status:Requester"
	Responder   = "urn:oasis:names:tc:SAML:2.0:status:Responder"
	AuthnFailed = "urn:oasis:names:tc:SAML:2.0:status:AuthnFailed"
	NoPassive   = "urn:oasis:names:tc:SAML:2.0:status:NoPassive"

	InvalidNameIDPolicy = "urn:oasis:names:tc:SAML:2.0:status:InvalidNameIDPolicy"

	PartialLogout = "urn:oasis:names:tc:SAML:2.0:status:PartialLogout"
)

// Formats of name identifiers and attribute names, of SAML Core 8.2 and 8.3.
const (
	FormatUnspecified = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"
	FormatEmail       = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
	FormatEntity      = "urn:oasis:names:tc:SAML:2.0:nameid-format:entity"
	FormatPersistent  = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
	FormatTransient   = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
	NameBasic         = "urn:oasis:names:tc:SAML:2.0:attrname-format:basic"
	NameURI           = "urn:oasis:names:tc:SAML:2.0:attrname-format:uri"
)

// Authentication context classes, of SAML Authentication Context 3.4.
const (
	ClassPassword  = "urn:oasis:names:tc:SAML:2.0:ac:classes:Password"
	ClassProtected = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"

	classUnspecified = "urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified"
)

// Algorithms for [Encryption.Block] and [Encryption.Transport].
const (
	AES128GCM = compose.AES128GCM
	AES256GCM = compose.AES256GCM
	AES256CBC = compose.AES256CBC
	RSAOAEP   = compose.OAEPMGF1P
)

// milliseconds is how times are written by default: xs:dateTime in UTC.
const milliseconds = "2006-01-02T15:04:05.000Z"

// Signature methods for [Seal.Method].
const (
	RSASHA1     = "http://www.w3.org/2000/09/xmldsig#rsa-sha1"
	RSASHA256   = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
	RSASHA384   = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384"
	RSASHA512   = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512"
	ECDSASHA1   = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha1"
	ECDSASHA256 = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"
	ECDSASHA384 = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384"
	ECDSASHA512 = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512"
)

// Digest methods for [Seal.Digest].
const (
	SHA1   = "http://www.w3.org/2000/09/xmldsig#sha1"
	SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
	SHA384 = "http://www.w3.org/2001/04/xmldsig-more#sha384"
	SHA512 = "http://www.w3.org/2001/04/xmlenc#sha512"
)

// Canonicalisation methods for [Seal.C14N].
const (
	Exclusive             = "http://www.w3.org/2001/10/xml-exc-c14n#"
	ExclusiveWithComments = "http://www.w3.org/2001/10/xml-exc-c14n#WithComments"
	Inclusive             = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
	Inclusive11           = "http://www.w3.org/2006/12/xml-c14n11"
)

const transformEnveloped = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
