package samltest

import (
	"encoding/base64"

	"github.com/beevik/etree"
)

// Metadata is the IdP's metadata, unsigned. Beside the signing key it lists one for encryption, which an importer must not
// pin.
func (p *IdP) Metadata() []byte { return serialize(p.descriptor(), true) }

// SignedMetadata is the metadata signed with the IdP's own key, or by another seal, such as a federation's.
func (p *IdP) SignedMetadata(seal Seal) ([]byte, error) {
	root := p.descriptor()
	root.CreateAttr("ID", newID())
	if err := seal.Enveloped(root); err != nil {
		return nil, err
	}
	return serialize(root, true), nil
}

func (p *IdP) descriptor() *etree.Element {
	root := etree.NewElement("md:EntityDescriptor")
	root.CreateAttr("xmlns:md", nsMetadata)
	root.CreateAttr("entityID", p.EntityID)
	role := root.CreateElement("md:IDPSSODescriptor")
	role.CreateAttr("WantAuthnRequestsSigned", "false")
	role.CreateAttr("protocolSupportEnumeration", nsProtocol)
	addKey(role, "signing", p.certificate)
	addKey(role, "encryption", p.EncryptionCertificate())
	for _, binding := range []string{bindingRedirect, bindingPOST} {
		slo := role.CreateElement("md:SingleLogoutService")
		slo.CreateAttr("Binding", binding)
		slo.CreateAttr("Location", p.SLOURL())
	}
	for _, format := range []string{FormatPersistent, FormatUnspecified} {
		role.CreateElement("md:NameIDFormat").SetText(format)
	}
	for _, binding := range []string{bindingRedirect, bindingPOST} {
		sso := role.CreateElement("md:SingleSignOnService")
		sso.CreateAttr("Binding", binding)
		sso.CreateAttr("Location", p.SSOURL)
	}
	return root
}

func addKey(role *etree.Element, use string, certificate []byte) {
	descriptor := role.CreateElement("md:KeyDescriptor")
	descriptor.CreateAttr("use", use)
	info := descriptor.CreateElement("ds:KeyInfo")
	info.CreateAttr("xmlns:ds", nsSignature)
	info.CreateElement("ds:X509Data").CreateElement("ds:X509Certificate").SetText(base64.StdEncoding.EncodeToString(certificate))
}
