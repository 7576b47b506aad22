package wire

import (
	"strings"
	"time"

	"github.com/logintrust/saml/internal/xmlsec"
)

// IdP is what metadata says of one identity provider, in its IDPSSODescriptor for SAML 2.0 and nowhere else.
type IdP struct {
	EntityID           string
	ValidUntil         time.Time // the earliest of the descriptors around and in it
	ErrorURL           string
	WantSignedRequests bool
	DisplayName        string // mdui:DisplayName or OrganizationDisplayName, English if there is a choice
	SSO                []Endpoint
	Keys               []Key // for signing or without use
}

// Endpoint is a place that an IdP listens at.
type Endpoint struct{ Binding, Location string }

// Key is the content of a KeyDescriptor: a certificate or a bare key.
type Key struct {
	// Certificates are the base64 of the X509Certificates of one X509Data, which may be a chain; none for a bare key.
	Certificates []string
	// Modulus and Exponent are the base64 of an RSAKeyValue; Curve and Point the URI and base64 of an ECKeyValue.
	Modulus, Exponent, Curve, Point string
	// DER is the base64 of a DEREncodedKeyValue.
	DER string
}

const (
	dsig11NS           = "http://www.w3.org/2009/xmldsig11#"
	maxMetadataNesting = 16
)

// ReadIdPs decodes the identity providers of a metadata document, an EntityDescriptor or an EntitiesDescriptor, for
// which want says yes to the entity ID.
func ReadIdPs(root xmlsec.Element, want func(entityID string) bool) ([]IdP, error) {
	r := metadataReader{want: want}
	if !root.Is(MetadataNS, "EntityDescriptor") && !root.Is(MetadataNS, "EntitiesDescriptor") {
		return nil, malformed("the document is a %.64q, not SAML metadata", root.Local())
	}
	if err := r.read(root, time.Time{}, 0); err != nil {
		return nil, err
	}
	return r.found, nil
}

type metadataReader struct {
	d     decoder
	want  func(string) bool
	found []IdP
}

func (r *metadataReader) read(e xmlsec.Element, until time.Time, depth int) error {
	if depth > maxMetadataNesting {
		return malformed("more than %d levels of EntitiesDescriptor", maxMetadataNesting)
	}
	own, err := r.d.time(e, "validUntil")
	if err != nil {
		return err
	}
	until = earlier(until, own)
	if e.Is(MetadataNS, "EntitiesDescriptor") {
		for child := range e.Children() {
			if child.Is(MetadataNS, "EntityDescriptor") || child.Is(MetadataNS, "EntitiesDescriptor") {
				if err := r.read(child, until, depth+1); err != nil {
					return err
				}
			}
		}
		return nil
	}
	id := r.d.attr(e, "entityID").Value
	if id == "" {
		return malformed("EntityDescriptor without entityID")
	}
	if !r.want(id) {
		return nil
	}
	for role := range e.Children() {
		if !role.Is(MetadataNS, "IDPSSODescriptor") || !speaksSAML2(r.d.attr(role, "protocolSupportEnumeration").Value) {
			continue
		}
		idp, err := r.idp(e, role, until)
		if err != nil {
			return err
		}
		idp.EntityID = id
		r.found = append(r.found, idp)
		return nil
	}
	return nil
}

func speaksSAML2(protocols string) bool {
	for p := range strings.FieldsSeq(protocols) {
		if p == ProtocolNS {
			return true
		}
	}
	return false
}

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

func (r *metadataReader) idp(entity, role xmlsec.Element, until time.Time) (IdP, error) {
	own, err := r.d.time(role, "validUntil")
	if err != nil {
		return IdP{}, err
	}
	wants := r.d.attr(role, "WantAuthnRequestsSigned").Value
	idp := IdP{ValidUntil: earlier(until, own), ErrorURL: r.d.attr(role, "errorURL").Value,
		WantSignedRequests: wants == "true" || wants == "1"}
	for child := range role.Children() {
		switch {
		case child.Is(MetadataNS, "SingleSignOnService"):
			idp.SSO = append(idp.SSO, Endpoint{r.d.attr(child, "Binding").Value, r.d.attr(child, "Location").Value})
		case child.Is(MetadataNS, "KeyDescriptor"):
			if use := r.d.attr(child, "use"); !use.Present || use.Value == "signing" {
				idp.Keys = append(idp.Keys, r.keys(child)...)
			}
		case child.Is(MetadataNS, "Extensions"):
			idp.DisplayName = r.preferred(child.Child(UINS, "UIInfo"), UINS, "DisplayName")
		}
	}
	if idp.DisplayName == "" {
		idp.DisplayName = r.preferred(entity.Child(MetadataNS, "Organization"), MetadataNS, "OrganizationDisplayName")
	}
	return idp, nil
}

// preferred returns the text of the child of that name that is in English, or else the first.
func (r *metadataReader) preferred(e xmlsec.Element, space, local string) (text string) {
	const xmlNS = "http://www.w3.org/XML/1998/namespace"
	for child := range e.Children() {
		if !child.Is(space, local) {
			continue
		}
		english := false
		if lang, ok := child.Find(xmlNS, "lang"); ok {
			english = strings.HasPrefix(string(lang.AppendValue(nil)), "en")
		}
		if text == "" || english {
			text = r.d.trimmed(child)
		}
		if english {
			break
		}
	}
	return text
}

// keys reads every key of a KeyDescriptor: certificates first, bare keys where there is none.
func (r *metadataReader) keys(e xmlsec.Element) (keys []Key) {
	info := e.Child(SignatureNS, "KeyInfo")
	for data := range info.Children() {
		if !data.Is(SignatureNS, "X509Data") {
			continue
		}
		var k Key
		for c := range data.Children() {
			if c.Is(SignatureNS, "X509Certificate") {
				k.Certificates = append(k.Certificates, r.d.text(c))
			}
		}
		if k.Certificates != nil {
			keys = append(keys, k)
		}
	}
	if len(keys) > 0 {
		return keys
	}
	for v := range info.Children() {
		rsa := v.Child(SignatureNS, "RSAKeyValue")
		ec := v.Child(dsig11NS, "ECKeyValue")
		switch {
		case v.Is(dsig11NS, "DEREncodedKeyValue"):
			keys = append(keys, Key{DER: r.d.text(v)})
		case v.Is(SignatureNS, "KeyValue") && rsa.Exists():
			keys = append(keys, Key{Modulus: r.d.text(rsa.Child(SignatureNS, "Modulus")), Exponent: r.d.text(rsa.Child(SignatureNS, "Exponent"))})
		case v.Is(SignatureNS, "KeyValue") && ec.Exists():
			keys = append(keys, Key{Curve: r.d.attr(ec.Child(dsig11NS, "NamedCurve"), "URI").Value,
				Point: r.d.text(ec.Child(dsig11NS, "PublicKey"))})
		}
	}
	return keys
}
