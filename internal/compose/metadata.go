package compose

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"encoding/base64"
	"fmt"
	"math/big"

	"github.com/beevik/etree"

	"github.com/logintrust/saml/internal/wire"
)

// SPMetadata is what a service provider publishes of itself (SAML Metadata 2.4.4).
type SPMetadata struct {
	EntityID      string
	CacheDuration string
	ACSURL        string
	SignsRequests bool
	SigningKeys   []MetadataKey
}

// MetadataKey is a published key: a certificate, or a bare key if Certificate is nil.
type MetadataKey struct {
	Certificate []byte
	Key         crypto.PublicKey
}

// Document builds the metadata.
func (m SPMetadata) Document() ([]byte, error) {
	e := etree.NewElement("md:EntityDescriptor")
	e.CreateAttr("xmlns:md", wire.MetadataNS)
	e.CreateAttr("entityID", m.EntityID)
	if m.CacheDuration != "" {
		e.CreateAttr("cacheDuration", m.CacheDuration)
	}
	role := e.CreateElement("md:SPSSODescriptor")
	if m.SignsRequests {
		role.CreateAttr("AuthnRequestsSigned", "true")
	}
	role.CreateAttr("protocolSupportEnumeration", wire.ProtocolNS)
	for _, k := range m.SigningKeys {
		if err := k.describe(role, "signing"); err != nil {
			return nil, err
		}
	}
	acs := role.CreateElement("md:AssertionConsumerService")
	acs.CreateAttr("Binding", wire.BindingPOST)
	acs.CreateAttr("Location", m.ACSURL)
	acs.CreateAttr("index", "0")
	acs.CreateAttr("isDefault", "true")
	doc := etree.NewDocument()
	doc.CreateProcInst("xml", `version="1.0" encoding="UTF-8"`)
	doc.AddChild(e)
	doc.Indent(2)
	doc.WriteSettings.CanonicalText = true
	doc.WriteSettings.CanonicalAttrVal = true
	return doc.WriteToBytes()
}

func (k MetadataKey) describe(role *etree.Element, use string) error {
	descriptor := role.CreateElement("md:KeyDescriptor")
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
	default:
		return fmt.Errorf("cannot publish a %T", k.Key)
	}
	return nil
}
