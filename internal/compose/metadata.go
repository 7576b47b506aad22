package compose

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/fips140"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math/big"
	"strconv"
	"time"

	"github.com/beevik/etree"

	"github.com/logintrust/saml/internal/wire"
)

// SPMetadata is what a service provider publishes of itself (SAML Metadata 2.4.4). What is zero is left out.
type SPMetadata struct {
	EntityID       string
	CacheDuration  string
	ValidUntil     time.Time
	ACSURL         string
	LogoutURL      string // for HTTP-Redirect and HTTP-POST
	LogoutBySOAP   bool   // LogoutURL is for SOAP too
	NameIDURL      string // for NameID management by HTTP-Redirect, HTTP-POST and SOAP
	SignsRequests  bool
	SigningKeys    []MetadataKey
	EncryptionKeys []MetadataKey // some products encrypt as soon as there is one
	NameIDFormats  []string
	UI             []UIElement
	ByArtifact     bool   // the ACS takes artifacts too
	ByPAOS         bool   // and what enhanced clients bring
	DiscoveryURL   string // where a discovery service may send users back
	Organization   *Organization
	Contacts       []Contact
	Services       []AttributeService
	Digests        []string // that we verify, the preferred first
	Methods        []SupportedMethod
}

// SupportedMethod is alg:SigningMethod (SAML V2.0 Metadata Profile for Algorithm Support 2.4).
type SupportedMethod struct {
	Algorithm              string
	MinKeySize, MaxKeySize int // 0 leaves it out
}

const discoveryNS = "urn:oasis:names:tc:SAML:profiles:SSO:idp-discovery-protocol"

// MetadataKey is a published key: a certificate, or a bare key if Certificate is nil.
type MetadataKey struct {
	Certificate []byte
	Key         crypto.PublicKey
}

// A Localized text is in a language, or in none if Lang is empty.
type Localized struct{ Lang, Value string }

// A UIElement is a child of mdui:UIInfo.
type UIElement struct {
	Name string // DisplayName, Description, …
	Localized
	Width, Height int // of a Logo
}

// Organization is md:Organization (SAML Metadata 2.3.2.1).
type Organization struct{ Names, DisplayNames, URLs []Localized }

// Contact is md:ContactPerson (SAML Metadata 2.3.2.2).
type Contact struct {
	Type                        string
	Security                    bool // REFEDS: a security contact, of the type other
	Company, GivenName, SurName string
	Emails, Phones              []string
}

// AttributeService is md:AttributeConsumingService (SAML Metadata 2.4.4.1).
type AttributeService struct {
	Names, Descriptions []Localized
	Attributes          []RequestedAttribute
}

// RequestedAttribute is md:RequestedAttribute (SAML Metadata 2.4.4.2).
type RequestedAttribute struct {
	Name, NameFormat, FriendlyName string
	Required                       bool
}

// Document builds the metadata, and signs it with a key, if there is one.
func (m SPMetadata) Document(key *SigningKey) ([]byte, error) {
	e := etree.NewElement("md:EntityDescriptor")
	e.CreateAttr("xmlns:md", wire.MetadataNS)
	e.CreateAttr("entityID", m.EntityID)
	if !m.ValidUntil.IsZero() {
		e.CreateAttr("validUntil", Instant(m.ValidUntil))
	}
	if m.CacheDuration != "" {
		e.CreateAttr("cacheDuration", m.CacheDuration)
	}
	m.algorithms(e)
	if err := m.role(e.CreateElement("md:SPSSODescriptor")); err != nil {
		return nil, err
	}
	if m.Organization != nil {
		m.Organization.describe(e.CreateElement("md:Organization"))
	}
	for _, c := range m.Contacts {
		c.describe(e.CreateElement("md:ContactPerson"))
	}
	doc := etree.NewDocument()
	doc.CreateProcInst("xml", `version="1.0" encoding="UTF-8"`)
	doc.AddChild(e)
	doc.Indent(2)
	doc.WriteSettings.CanonicalText = true
	doc.WriteSettings.CanonicalAttrVal = true
	if key == nil {
		return doc.WriteToBytes()
	}
	// The ID comes from the content, so that it is as stable as that is.
	content, err := doc.WriteToBytes()
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(content)
	e.CreateAttr("ID", "_"+hex.EncodeToString(sum[:20]))
	signed, err := key.SignFirst(e)
	if err != nil {
		return nil, err
	}
	doc.SetRoot(signed)
	return doc.WriteToBytes()
}

// algorithms says what we verify, in the Extensions of the entity: the first child but for a signature.
func (m SPMetadata) algorithms(e *etree.Element) {
	if len(m.Digests)+len(m.Methods) == 0 {
		return
	}
	extensions := e.CreateElement("md:Extensions")
	extensions.CreateAttr("xmlns:alg", wire.AlgorithmNS)
	for _, uri := range m.Digests {
		extensions.CreateElement("alg:DigestMethod").CreateAttr("Algorithm", uri)
	}
	for _, method := range m.Methods {
		child := extensions.CreateElement("alg:SigningMethod")
		child.CreateAttr("Algorithm", method.Algorithm)
		if method.MinKeySize > 0 {
			child.CreateAttr("MinKeySize", strconv.Itoa(method.MinKeySize))
		}
		if method.MaxKeySize > 0 {
			child.CreateAttr("MaxKeySize", strconv.Itoa(method.MaxKeySize))
		}
	}
}

// role has its parts in the order of the schema.
func (m SPMetadata) role(role *etree.Element) error {
	if m.SignsRequests {
		role.CreateAttr("AuthnRequestsSigned", "true")
	}
	role.CreateAttr("protocolSupportEnumeration", wire.ProtocolNS)
	var extensions *etree.Element
	if len(m.UI) > 0 || m.DiscoveryURL != "" {
		extensions = role.CreateElement("md:Extensions")
	}
	if m.DiscoveryURL != "" { // Identity Provider Discovery Service Protocol 2.5
		response := extensions.CreateElement("idpdisc:DiscoveryResponse")
		response.CreateAttr("xmlns:idpdisc", discoveryNS)
		response.CreateAttr("Binding", discoveryNS)
		response.CreateAttr("Location", m.DiscoveryURL)
		response.CreateAttr("index", "0")
	}
	if len(m.UI) > 0 {
		ui := extensions.CreateElement("mdui:UIInfo")
		ui.CreateAttr("xmlns:mdui", wire.UINS)
		for _, u := range m.UI {
			u.describe(ui)
		}
	}
	for _, k := range m.SigningKeys {
		if err := k.describe(role.CreateElement("md:KeyDescriptor"), "signing"); err != nil {
			return err
		}
	}
	for _, k := range m.EncryptionKeys {
		descriptor := role.CreateElement("md:KeyDescriptor")
		if err := k.describe(descriptor, "encryption"); err != nil {
			return err
		}
		k.addMethods(descriptor)
	}
	if m.LogoutURL != "" {
		bindings := []string{wire.BindingRedirect, wire.BindingPOST}
		if m.LogoutBySOAP {
			bindings = append(bindings, wire.BindingSOAP) // last: many take the first that they can
		}
		for _, binding := range bindings {
			slo := role.CreateElement("md:SingleLogoutService")
			slo.CreateAttr("Binding", binding)
			slo.CreateAttr("Location", m.LogoutURL)
		}
	}
	if m.NameIDURL != "" {
		for _, binding := range []string{wire.BindingRedirect, wire.BindingPOST, wire.BindingSOAP} {
			service := role.CreateElement("md:ManageNameIDService")
			service.CreateAttr("Binding", binding)
			service.CreateAttr("Location", m.NameIDURL)
		}
	}
	for _, format := range m.NameIDFormats {
		role.CreateElement("md:NameIDFormat").SetText(format)
	}
	acs := role.CreateElement("md:AssertionConsumerService")
	acs.CreateAttr("Binding", wire.BindingPOST)
	acs.CreateAttr("Location", m.ACSURL)
	acs.CreateAttr("index", "0")
	acs.CreateAttr("isDefault", "true")
	more := func(binding, index string) {
		acs := role.CreateElement("md:AssertionConsumerService")
		acs.CreateAttr("Binding", binding)
		acs.CreateAttr("Location", m.ACSURL)
		acs.CreateAttr("index", index)
	}
	if m.ByArtifact {
		more(wire.BindingArtifact, "1")
	}
	if m.ByPAOS {
		more(wire.BindingPAOS, "2")
	}
	for i, s := range m.Services {
		s.describe(role.CreateElement("md:AttributeConsumingService"), i)
	}
	return nil
}

func addLocalized(parent *etree.Element, name string, texts []Localized) {
	for _, text := range texts {
		addText(parent, name, text)
	}
}

func addText(parent *etree.Element, name string, text Localized) *etree.Element {
	e := parent.CreateElement(name)
	if text.Lang != "" {
		e.CreateAttr("xml:lang", text.Lang)
	}
	e.SetText(text.Value)
	return e
}

func addOptional(parent *etree.Element, name, text string) {
	if text != "" {
		parent.CreateElement(name).SetText(text)
	}
}

func (u UIElement) describe(ui *etree.Element) {
	e := addText(ui, "mdui:"+u.Name, u.Localized)
	if u.Width > 0 {
		e.CreateAttr("height", strconv.Itoa(u.Height))
		e.CreateAttr("width", strconv.Itoa(u.Width))
	}
}

func (o *Organization) describe(e *etree.Element) {
	addLocalized(e, "md:OrganizationName", o.Names)
	addLocalized(e, "md:OrganizationDisplayName", o.DisplayNames)
	addLocalized(e, "md:OrganizationURL", o.URLs)
}

func (c Contact) describe(e *etree.Element) {
	e.CreateAttr("contactType", c.Type)
	if c.Security {
		e.CreateAttr("xmlns:remd", "http://refeds.org/metadata")
		e.CreateAttr("remd:contactType", "http://refeds.org/metadata/contactType/security")
	}
	addOptional(e, "md:Company", c.Company)
	addOptional(e, "md:GivenName", c.GivenName)
	addOptional(e, "md:SurName", c.SurName)
	for _, address := range c.Emails {
		addOptional(e, "md:EmailAddress", address)
	}
	for _, number := range c.Phones {
		addOptional(e, "md:TelephoneNumber", number)
	}
}

// describe gives no service isDefault: the first is then the default (erratum E87).
func (s AttributeService) describe(e *etree.Element, index int) {
	e.CreateAttr("index", strconv.Itoa(index))
	addLocalized(e, "md:ServiceName", s.Names)
	addLocalized(e, "md:ServiceDescription", s.Descriptions)
	for _, a := range s.Attributes {
		requested := e.CreateElement("md:RequestedAttribute")
		requested.CreateAttr("Name", a.Name)
		if a.NameFormat != "" {
			requested.CreateAttr("NameFormat", a.NameFormat)
		}
		if a.FriendlyName != "" {
			requested.CreateAttr("FriendlyName", a.FriendlyName)
		}
		if a.Required {
			requested.CreateAttr("isRequired", "true")
		}
	}
}

// addMethods lists the algorithms that peers may encrypt with for the key, in order of preference: those of the data, then
// those that carry its key (Algorithm Support 2.3). CBC and RSA 1.5 are never among them, whatever a trust allows.
func (k MetadataKey) addMethods(descriptor *etree.Element) {
	method := func(algorithm string) *etree.Element {
		e := descriptor.CreateElement("md:EncryptionMethod")
		e.CreateAttr("Algorithm", algorithm)
		return e
	}
	digest := func(e *etree.Element, algorithm string) {
		d := e.CreateElement("ds:DigestMethod")
		d.CreateAttr("xmlns:ds", wire.SignatureNS)
		d.CreateAttr("Algorithm", algorithm)
	}
	method(AES256GCM)
	method(AES128GCM)
	if _, ok := k.Key.(*ecdsa.PublicKey); ok {
		method(ecdhES)
		method(WrapAES256)
		method(WrapAES128)
		return
	}
	if !fips140.Enforced() {
		digest(method(OAEPMGF1P), digestURIs[crypto.SHA1])
		digest(method(OAEP), digestURIs[crypto.SHA256])
		return
	}
	// The mode forbids SHA-1, which is MGF's default. Elsewhere MGF is left out: a validator needs to know its schema.
	oaep := method(OAEP)
	digest(oaep, digestURIs[crypto.SHA256])
	mgf := oaep.CreateElement("xenc11:MGF")
	mgf.CreateAttr("xmlns:xenc11", "http://www.w3.org/2009/xmlenc11#")
	mgf.CreateAttr("Algorithm", mgfURIs[crypto.SHA256])
}

func (k MetadataKey) describe(descriptor *etree.Element, use string) error {
	descriptor.CreateAttr("use", use)
	info := descriptor.CreateElement("ds:KeyInfo")
	info.CreateAttr("xmlns:ds", wire.SignatureNS)
	if k.Certificate != nil {
		info.CreateElement("ds:X509Data").CreateElement("ds:X509Certificate").SetText(base64.StdEncoding.EncodeToString(k.Certificate))
		return nil
	}
	value := info.CreateElement("ds:KeyValue")
	switch key := k.Key.(type) {
	case *rsa.PublicKey:
		e := value.CreateElement("ds:RSAKeyValue")
		e.CreateElement("ds:Modulus").SetText(base64.StdEncoding.EncodeToString(key.N.Bytes()))
		e.CreateElement("ds:Exponent").SetText(base64.StdEncoding.EncodeToString(big.NewInt(int64(key.E)).Bytes()))
	case *ecdsa.PublicKey:
		oids := map[int]string{256: "1.2.840.10045.3.1.7", 384: "1.3.132.0.34", 521: "1.3.132.0.35"}
		point, err := key.Bytes()
		if err != nil {
			return err
		}
		e := value.CreateElement("dsig11:ECKeyValue")
		e.CreateAttr("xmlns:dsig11", "http://www.w3.org/2009/xmldsig11#")
		e.CreateElement("dsig11:NamedCurve").CreateAttr("URI", "urn:oid:"+oids[key.Curve.Params().BitSize])
		e.CreateElement("dsig11:PublicKey").SetText(base64.StdEncoding.EncodeToString(point))
	case ed25519.PublicKey:
		// XML Signature has no KeyValue for it: DEREncodedKeyValue stands in the KeyInfo itself (XML Signature 1.1, 4.5.8).
		der, err := x509.MarshalPKIXPublicKey(key)
		if err != nil {
			return err
		}
		info.RemoveChild(value)
		e := info.CreateElement("dsig11:DEREncodedKeyValue")
		e.CreateAttr("xmlns:dsig11", "http://www.w3.org/2009/xmldsig11#")
		e.SetText(base64.StdEncoding.EncodeToString(der))
	default:
		return fmt.Errorf("cannot publish a %T", k.Key)
	}
	return nil
}
