package samltest

import (
	"time"

	"github.com/beevik/etree"
	saml "github.com/logintrust/saml"
)

// demoScope is the scope of the Shibboleth IdP's users.
const demoScope = "example.com"

// shibboleth: the response signed, the assertion encrypted for whoever publishes a key, transient names, attributes called by
// OIDs (quirks 38 to 41).
func shibboleth() Personality {
	const host = "https://idp.example.com/idp/profile/"
	return Personality{
		Name: "shibboleth", Title: "Shibboleth IdP", Product: saml.Shibboleth, OwnHost: true,
		EntityID: "https://idp.example.com/idp/shibboleth",
		SSOURL:   host + "SAML2/Redirect/SSO", SSOPostURL: host + "SAML2/POST/SSO",
		SLOURL:      host + "SAML2/Redirect/SLO",
		MetadataURL: "/idp/shibboleth",
		StartURL:    host + "SAML2/Unsolicited/SSO", StartSP: "providerId", StartTarget: "target",
		Style:           Style{Protocol: "saml2p", Assertion: "saml2", Local: true, Schema: "xsd", Declaration: true},
		Sign:            SignResponse,
		SignRefusals:    true,
		Seal:            Seal{Prefix: "ds", Prefixes: []string{"xsd"}},
		CertificateName: "idp.example.com",
		ID:              hexID("_", 16),
		NameFormats:     []string{FormatTransient, FormatPersistent}, // quirk 39: no e-mail address
		Qualified:       true,                                        // quirk 41
		Attributes:      oidAttributes,
		NotOnOrAfter:    5 * time.Minute,
		OtherFormat:     Status{Code: Requester, Second: InvalidNameIDPolicy, Message: "Required NameID format not supported"},
		Passive:         Status{Code: Responder, Second: NoPassive, Message: "An error occurred."},
		Encrypts:        true, Encryption: Encryption{Block: AES128GCM, Transport: RSAOAEP}, // quirk 38
		Metadata: MetadataShape{NoUse: true, KeyNames: true, Edit: shibbolethMetadata}, // quirk 40
	}
}

// oidAttributes: quirk 39.
func oidAttributes(u User) []Attribute {
	list := []Attribute{}
	for _, a := range []struct{ oid, friendly, value string }{
		{"0.9.2342.19200300.100.1.3", "mail", u.Email}, {"2.5.4.42", "givenName", u.FirstName}, {"2.5.4.4", "sn", u.LastName},
		{"2.16.840.1.113730.3.1.241", "displayName", u.fullName()}, {"1.3.6.1.4.1.5923.1.1.1.6", "eduPersonPrincipalName", u.Name + "@" + demoScope},
	} {
		attribute := Attr("urn:oid:"+a.oid, a.value)
		attribute.FriendlyName = a.friendly
		list = append(list, attribute)
	}
	affiliation := Attr("urn:oid:1.3.6.1.4.1.5923.1.1.1.9", "member@"+demoScope, "staff@"+demoScope)
	affiliation.FriendlyName = "eduPersonScopedAffiliation"
	groups := Attr("urn:oid:1.3.6.1.4.1.5923.1.5.1.1", u.Groups...)
	groups.FriendlyName = "isMemberOf"
	return typed("xsd:string", named(NameURI, append(list, affiliation, groups)...))
}

// shibbolethMetadata adds scopes, older protocols' endpoints and the role of an attribute authority, with the same keys (quirk
// 40).
func shibbolethMetadata(p *IdP, root, role *etree.Element) {
	extensions := etree.NewElement("Extensions")
	scope := extensions.CreateElement("shibmd:Scope")
	scope.CreateAttr("xmlns:shibmd", "urn:mace:shibboleth:metadata:1.0")
	scope.CreateAttr("regexp", "false")
	scope.SetText(demoScope)
	ui := extensions.CreateElement("mdui:UIInfo")
	ui.CreateAttr("xmlns:mdui", "urn:oasis:names:tc:SAML:metadata:ui")
	name := ui.CreateElement("mdui:DisplayName")
	name.CreateAttr("xml:lang", "en")
	name.SetText("Example University")
	role.InsertChildAt(0, extensions)
	older := role.CreateElement("SingleSignOnService")
	older.CreateAttr("Binding", "urn:mace:shibboleth:1.0:profiles:AuthnRequest")
	older.CreateAttr("Location", p.beside("/idp/profile/Shibboleth/SSO").String())
	authority := root.CreateElement("AttributeAuthorityDescriptor")
	authority.CreateAttr("protocolSupportEnumeration", nsProtocol)
	p.addKey(authority, "", p.Certificate())
	service := authority.CreateElement("AttributeService")
	service.CreateAttr("Binding", "urn:oasis:names:tc:SAML:2.0:bindings:SOAP")
	service.CreateAttr("Location", p.beside("/idp/profile/SAML2/SOAP/AttributeQuery").String())
}

// keycloak: one address for everything, the response signed, the key's name and value in KeyInfo, one Attribute for each role
// (quirks 42 and 43).
func keycloak() Personality {
	const realm = "https://sso.example.com/realms/demo"
	return Personality{
		Name: "keycloak", Title: "Keycloak", Product: saml.Keycloak, OwnHost: true,
		EntityID: realm, // quirk 43
		SSOURL:   realm + "/protocol/saml", SLOURL: realm + "/protocol/saml",
		MetadataURL: realm + "/protocol/saml/descriptor",
		StartURL:    realm + "/protocol/saml/clients/demo",
		Style:       Style{Protocol: "samlp", Assertion: "saml"},
		Sign:        SignResponse, SignRefusals: true,
		Seal: Seal{Prefix: "dsig", KeyValue: true}, KeyName: true, CertificateName: "demo", // quirk 43
		ID:           func() string { return "ID_" + guid() },
		NameFormats:  []string{FormatUnspecified, FormatEmail, FormatPersistent, FormatTransient},
		Attributes:   keycloakAttributes,
		NotOnOrAfter: time.Minute, Confirmation: 5 * time.Minute,
		SessionEnd:   10 * time.Hour,
		ClassRef:     classUnspecified,
		SessionIndex: func(*Assertion) string { return guid() + "::" + guid() },
		Encryption:   Encryption{Block: AES256GCM, Transport: RSAOAEP},
		Metadata:     MetadataShape{Prefix: "md", KeyNames: true, WantSigned: "true"},
	}
}

// keycloakAttributes are those of the mappers that Keycloak brings along, X500 email, givenName and surname, and the list of roles.
func keycloakAttributes(u User) []Attribute {
	list := []Attribute{}
	for _, a := range []struct{ oid, friendly, value string }{
		{"1.2.840.113549.1.9.1", "email", u.Email}, {"2.5.4.42", "givenName", u.FirstName}, {"2.5.4.4", "surname", u.LastName},
	} {
		attribute := Attr("urn:oid:"+a.oid, a.value)
		attribute.FriendlyName = a.friendly
		list = append(list, attribute)
	}
	roles := []Attribute{}
	for _, role := range u.Groups { // quirk 42
		roles = append(roles, Attr("Role", role))
	}
	return typed("xs:string", append(named(NameURI, list...), named(NameBasic, roles...)...))
}
