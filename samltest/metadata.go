package samltest

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	"github.com/beevik/etree"
)

// Metadata is the IdP's metadata, signed only if its Personality signs it. Beside the signing keys it may list one for
// encryption, which an importer must not pin.
func (p *IdP) Metadata() []byte {
	if !p.Personality.Metadata.Signed {
		return p.asFile(p.descriptor())
	}
	signed, err := p.SignedMetadata(p.Seal())
	if err != nil {
		panic(fmt.Sprintf("samltest: sign metadata: %v", err)) // a Personality's Seal that cannot sign
	}
	return signed
}

// SignedMetadata is the metadata signed with the IdP's own key, or by another seal, such as a federation's.
func (p *IdP) SignedMetadata(seal Seal) ([]byte, error) {
	root := p.descriptor()
	root.CreateAttr("ID", p.Personality.ID())
	if err := seal.Enveloped(root); err != nil {
		return nil, err
	}
	return p.asFile(root), nil
}

func (p *IdP) asFile(root *etree.Element) []byte {
	xml := serialize(root, true)
	if p.Personality.Metadata.BOM {
		return append([]byte("\xef\xbb\xbf"), xml...)
	}
	return xml
}

func (p *IdP) descriptor() *etree.Element {
	shape := p.Personality.Metadata
	root := etree.NewElement("EntityDescriptor")
	root.CreateAttr(strings.TrimSuffix("xmlns:"+shape.Prefix, ":"), nsMetadata)
	root.CreateAttr("entityID", p.EntityID)
	if shape.Lifetime != 0 {
		root.CreateAttr("validUntil", p.In(shape.Lifetime))
	}
	role := root.CreateElement("IDPSSODescriptor")
	if shape.WantSigned != "" {
		role.CreateAttr("WantAuthnRequestsSigned", shape.WantSigned)
	}
	role.CreateAttr("protocolSupportEnumeration", strings.TrimSpace(nsProtocol+" "+shape.Protocols))
	if shape.ErrorURL != "" {
		role.CreateAttr("errorURL", shape.ErrorURL)
	}
	p.addKeys(role)
	p.addEndpoints(role)
	if shape.Edit != nil {
		shape.Edit(p, root, role)
	}
	prefix(root, shape.Prefix)
	return root
}

func (p *IdP) addKeys(role *etree.Element) {
	use := "signing"
	if p.Personality.Metadata.NoUse {
		use = ""
	}
	for _, own := range p.published() {
		p.addKey(role, use, own.certificate)
		if p.Personality.Metadata.KeyNames {
			info := role.ChildElements()[len(role.ChildElements())-1].ChildElements()[0]
			name := etree.NewElement("ds:KeyName")
			name.SetText(cmp.Or(p.sealWith(own).KeyName, p.beside("").Hostname()))
			info.InsertChildAt(0, name)
		}
	}
	if !p.Personality.Metadata.EncryptionKey {
		return
	}
	p.addKey(role, "encryption", p.EncryptionCertificate())
}

// addKey adds a KeyDescriptor; without use it counts for everything.
func (p *IdP) addKey(role *etree.Element, use string, certificate []byte) {
	descriptor := role.CreateElement("KeyDescriptor")
	if use != "" {
		descriptor.CreateAttr("use", use)
	}
	info := descriptor.CreateElement("ds:KeyInfo")
	info.CreateAttr("xmlns:ds", nsSignature)
	info.CreateElement("ds:X509Data").CreateElement("ds:X509Certificate").SetText(base64.StdEncoding.EncodeToString(certificate))
}

func (p *IdP) addEndpoints(role *etree.Element) {
	endpoint := func(tag, binding, location string) {
		el := role.CreateElement(tag)
		el.CreateAttr("Binding", binding)
		el.CreateAttr("Location", location)
	}
	if p.SLOURL() != "" {
		endpoint("SingleLogoutService", bindingRedirect, p.SLOURL())
		endpoint("SingleLogoutService", bindingPOST, p.SLOURL())
	}
	for _, format := range p.nameFormats() {
		role.CreateElement("NameIDFormat").SetText(format)
	}
	endpoint("SingleSignOnService", bindingRedirect, p.SSOURL)
	endpoint("SingleSignOnService", bindingPOST, p.SSOPostURL())
}

func (p *IdP) nameFormats() []string {
	if p.Personality.NameFormats == nil {
		return []string{FormatPersistent, FormatUnspecified}
	}
	return slices.Clone(p.Personality.NameFormats)
}

// prefix gives the elements of metadata their prefix: those that have none so far and are in no other namespace.
func prefix(el *etree.Element, p string) {
	if p == "" || el.Space != "" || el.SelectAttr("xmlns") != nil {
		return
	}
	el.Space = p
	for _, child := range el.ChildElements() {
		prefix(child, p)
	}
}
