package wire

import (
	"strconv"
	"strings"
	"time"

	"github.com/logintrust/saml/internal/xmlsec"
)

// IdP is what metadata says of one identity provider, in its IDPSSODescriptor for SAML 2.0 and nowhere else.
type IdP struct {
	// Descriptor is the EntityDescriptor.
	Descriptor         xmlsec.Element
	EntityID           string
	ValidUntil         time.Time     // the earliest of the descriptors around and in it
	CacheDuration      time.Duration // the shortest of them, 0 for none
	ErrorURL           string
	WantSignedRequests bool
	DisplayName        string // mdui:DisplayName or a name of the Organization, English if there is a choice
	Scopes             []Scope
	SSO, SLO           []Endpoint
	NameID             []Endpoint        // ManageNameIDService
	Artifact           []IndexedEndpoint // ArtifactResolutionService
	Keys               []Key             // for signing or without use
	EncryptionKeys     []Key             // for encryption or without use
	EncryptionMethods  []string          // that are declared beside them
	SigningMethods     []SigningMethod
	DigestMethods      []string
	Keyless            int // KeyDescriptors for signing or without use that hold no key
}

// Scope is a shibmd:Scope: what may stand behind the "@" of scoped attributes.
type Scope struct {
	Value  string
	Regexp bool
}

// SigningMethod is an alg:SigningMethod; sizes are 0 where it gives none that can be read.
type SigningMethod struct {
	Algorithm              string
	MinKeySize, MaxKeySize int
}

// Endpoint is a place that an IdP listens at. Answers go to ResponseLocation if there is one (erratum E41).
type Endpoint struct{ Binding, Location, ResponseLocation string }

// IndexedEndpoint is an endpoint that an artifact names by its index.
type IndexedEndpoint struct {
	Endpoint
	Index string
}

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
	scopeNS            = "urn:mace:shibboleth:metadata:1.0"
	maxMetadataNesting = 16
)

// ReadIdPs decodes the identity providers of a metadata document, an EntityDescriptor or an EntitiesDescriptor, for
// which want says yes to the entity ID.
func ReadIdPs(root xmlsec.Element, want func(entityID string) bool) ([]IdP, error) {
	r := metadataReader{want: want}
	if !root.Is(MetadataNS, "EntityDescriptor") && !root.Is(MetadataNS, "EntitiesDescriptor") {
		return nil, malformed("the document is a %.64q, not SAML metadata", root.Local())
	}
	if err := r.read(root, lifetime{}, 0); err != nil {
		return nil, err
	}
	return r.found, nil
}

type metadataReader struct {
	d     decoder
	want  func(string) bool
	found []IdP
}

// A lifetime is how long metadata may be used. What is nested can only shorten it (erratum E76).
type lifetime struct {
	until time.Time
	cache time.Duration
}

func (r *metadataReader) within(outer lifetime, e xmlsec.Element) (lifetime, error) {
	until, err := r.d.time(e, "validUntil")
	if err != nil {
		return lifetime{}, err
	}
	if outer.until.IsZero() || !until.IsZero() && until.Before(outer.until) {
		outer.until = until
	}
	// A hint: what cannot be read is as good as none.
	if a, found := e.Find("", "cacheDuration"); found {
		if cache, ok := ParseDuration(a.Value()); ok && (outer.cache == 0 || cache < outer.cache) {
			outer.cache = cache
		}
	}
	return outer, nil
}

func (r *metadataReader) read(e xmlsec.Element, life lifetime, depth int) error {
	if depth > maxMetadataNesting {
		return malformed("more than %d levels of EntitiesDescriptor", maxMetadataNesting)
	}
	life, err := r.within(life, e)
	if err != nil {
		return err
	}
	if e.Is(MetadataNS, "EntitiesDescriptor") {
		for child := range e.Children() {
			if child.Is(MetadataNS, "EntityDescriptor") || child.Is(MetadataNS, "EntitiesDescriptor") {
				if err := r.read(child, life, depth+1); err != nil {
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
		idp, err := r.idp(e, role, life)
		if err != nil {
			return err
		}
		idp.EntityID, idp.Descriptor = id, e
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

func (r *metadataReader) idp(entity, role xmlsec.Element, life lifetime) (IdP, error) {
	life, err := r.within(life, role)
	if err != nil {
		return IdP{}, err
	}
	idp := IdP{ValidUntil: life.until, CacheDuration: life.cache, ErrorURL: r.d.attr(role, "errorURL").Value,
		WantSignedRequests: isTrue(r.d.attr(role, "WantAuthnRequestsSigned").Value)}
	for child := range role.Children() {
		switch {
		case child.Is(MetadataNS, "SingleSignOnService"):
			idp.SSO = append(idp.SSO, r.endpoint(child))
		case child.Is(MetadataNS, "SingleLogoutService"):
			idp.SLO = append(idp.SLO, r.endpoint(child))
		case child.Is(MetadataNS, "ManageNameIDService"):
			idp.NameID = append(idp.NameID, r.endpoint(child))
		case child.Is(MetadataNS, "ArtifactResolutionService"):
			idp.Artifact = append(idp.Artifact, IndexedEndpoint{r.endpoint(child), r.d.attr(child, "index").Value})
		case child.Is(MetadataNS, "KeyDescriptor"):
			r.keyDescriptor(&idp, child)
		case child.Is(MetadataNS, "Extensions"):
			idp.DisplayName = r.preferred(child.Child(UINS, "UIInfo"), UINS, "DisplayName")
			idp.Scopes = r.scopes(idp.Scopes, child)
		}
	}
	idp.Scopes = r.scopes(idp.Scopes, entity.Child(MetadataNS, "Extensions"))
	r.algorithms(&idp, role.Child(MetadataNS, "Extensions"))
	r.algorithms(&idp, entity.Child(MetadataNS, "Extensions"))
	for _, name := range []string{"OrganizationDisplayName", "OrganizationName"} {
		if idp.DisplayName == "" {
			idp.DisplayName = r.preferred(entity.Child(MetadataNS, "Organization"), MetadataNS, name)
		}
	}
	return idp, nil
}

// keyDescriptor: without use it is for both (erratum E62).
func (r *metadataReader) keyDescriptor(idp *IdP, e xmlsec.Element) {
	use, keys := r.d.attr(e, "use"), r.d.keys(e.Child(SignatureNS, "KeyInfo"))
	if !use.Present || use.Value == "signing" {
		if len(keys) == 0 {
			idp.Keyless++
		}
		idp.Keys = append(idp.Keys, keys...)
	}
	if use.Present && use.Value != "encryption" {
		return
	}
	idp.EncryptionKeys = append(idp.EncryptionKeys, keys...)
	for child := range e.Children() {
		if child.Is(MetadataNS, "EncryptionMethod") {
			idp.EncryptionMethods = append(idp.EncryptionMethods, r.d.attr(child, "Algorithm").Value)
		}
	}
}

func isTrue(s string) bool { return s == "true" || s == "1" }

func (r *metadataReader) endpoint(e xmlsec.Element) Endpoint {
	return Endpoint{r.d.attr(e, "Binding").Value, r.d.attr(e, "Location").Value, r.d.attr(e, "ResponseLocation").Value}
}

func (r *metadataReader) scopes(list []Scope, extensions xmlsec.Element) []Scope {
	for child := range extensions.Children() {
		if child.Is(scopeNS, "Scope") {
			list = append(list, Scope{r.d.trimmed(child), isTrue(r.d.attr(child, "regexp").Value)})
		}
	}
	return list
}

// algorithms reads a list that is not there yet: the role's take the place of the entity's (SAML V2.0 Metadata Profile for
// Algorithm Support 2.5).
func (r *metadataReader) algorithms(idp *IdP, extensions xmlsec.Element) {
	signing, digests := len(idp.SigningMethods) == 0, len(idp.DigestMethods) == 0
	for child := range extensions.Children() {
		uri := r.d.attr(child, "Algorithm").Value
		switch {
		case uri == "":
		case signing && child.Is(AlgorithmNS, "SigningMethod"):
			idp.SigningMethods = append(idp.SigningMethods, SigningMethod{uri, r.bits(child, "MinKeySize"), r.bits(child, "MaxKeySize")})
		case digests && child.Is(AlgorithmNS, "DigestMethod"):
			idp.DigestMethods = append(idp.DigestMethods, uri)
		}
	}
}

func (r *metadataReader) bits(e xmlsec.Element, name string) int {
	n, err := strconv.ParseUint(strings.TrimSpace(r.d.attr(e, name).Value), 10, 31)
	if err != nil {
		return 0
	}
	return int(n)
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
