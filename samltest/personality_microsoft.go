package samltest

import (
	"time"

	"github.com/beevik/etree"
	saml "github.com/logintrust/saml"
)

// Names of claims that Entra ID and ADFS share (quirk 22).
const (
	wsClaims = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"
	msClaims = "http://schemas.microsoft.com/identity/claims/"
)

const (
	demoTenant = "0f3c2b1a-4d5e-4f60-8a7b-9c0d1e2f3a4b"
	nsFed      = "http://docs.oasis-open.org/wsfed/federation/200706"

	// maxEntraGroups is how many groups an assertion of Entra ID lists; of more it gives a link (quirk 21).
	maxEntraGroups = 150
)

// entraID: an assertion in a default namespace, its attributes before the authentication, IDs that are GUIDs (quirks 14 to 27).
func entraID() Personality {
	const host = "https://login.microsoftonline.com/" + demoTenant
	return Personality{
		Name: "entra-id", Title: "Microsoft Entra ID", Product: saml.EntraID,
		EntityID: "https://sts.windows.net/" + demoTenant + "/", // quirk 14: another host than the endpoints', with a slash
		SSOURL:   host + "/saml2", SLOURL: host + "/saml2",
		MetadataURL: host + "/federationmetadata/2007-06/federationmetadata.xml",
		StartURL:    host + "/signin", StartSP: "appid",
		Style:           Style{Protocol: "samlp", AttributesFirst: true},
		Sign:            SignAssertion, // quirk 16
		CertificateName: "Microsoft Azure Federated SSO Certificate",
		ID:              underscoreGUID,
		LowerHex:        true, // quirk 1
		NameFormats:     []string{FormatEmail, FormatPersistent, FormatUnspecified, FormatTransient},
		Username:        func(u User) string { return pairwise("entra", "app", u.Name) }, // quirk 19: no name that anybody knows
		Attributes:      entraAttributes,
		NotOnOrAfter:    70 * time.Minute, Confirmation: 5 * time.Minute, // quirk 23
		ClassRef:     ClassPassword,
		SessionIndex: func(a *Assertion) string { return a.ID },
		OtherFormat:  Status{Code: Requester, Second: InvalidNameIDPolicy, Message: "AADSTS700221: NameIDPolicy asks for a format that is not supported."},
		Passive:      Status{Code: Responder, Second: NoPassive, Message: "AADSTS50058: A silent sign-in was asked for, and nobody is signed in."}, // quirk 27
		Encryption:   Encryption{Block: AES256CBC, Transport: RSAOAEP},
		Metadata: MetadataShape{BOM: true, Signed: true, // quirk 11
			Edit: func(p *IdP, root, role *etree.Element) { federationRoles(p, root, role) }},
	}
}

func entraAttributes(u User) []Attribute {
	groups := Attr("http://schemas.microsoft.com/ws/2008/06/identity/claims/groups", u.Groups...)
	if len(u.Groups) > maxEntraGroups {
		groups = Attr("http://schemas.microsoft.com/claims/groups.link", "https://graph.windows.net/"+demoTenant+"/users/"+pairwise("entra", "oid", u.Name)+"/getMemberObjects")
	}
	return named("", Attr(msClaims+"tenantid", demoTenant), Attr(msClaims+"objectidentifier", guidOf(u.Name)),
		Attr(msClaims+"displayname", u.fullName()), groups, Attr(msClaims+"identityprovider", "https://sts.windows.net/"+demoTenant+"/"),
		Attr("http://schemas.microsoft.com/claims/authnmethodsreferences", "http://schemas.microsoft.com/ws/2008/06/identity/authenticationmethod/password"),
		Attr(wsClaims+"givenname", u.FirstName), Attr(wsClaims+"surname", u.LastName),
		Attr(wsClaims+"emailaddress", u.Email), Attr(wsClaims+"name", u.Email))
}

// adfs: as Entra ID, but the entity ID is of its own host and begins with http; Consent, a KeyInfo in another namespace style, and
// encryption as soon as there is a key (quirks 2 to 13).
func adfs() Personality {
	const host = "https://adfs.example.com/"
	return Personality{
		Name: "adfs", Title: "AD FS", Product: saml.ADFS, OwnHost: true,
		EntityID: "http://adfs.example.com/adfs/services/trust",
		SSOURL:   host + "adfs/ls/", SLOURL: host + "adfs/ls/",
		MetadataURL: host + "FederationMetadata/2007-06/FederationMetadata.xml",
		StartURL:    host + "adfs/ls/IdpInitiatedSignOn.aspx", StartSP: "loginToRp", PackedState: true, // quirk 9
		Style:           Style{Protocol: "samlp", AttributesFirst: true}, // quirk 12: the assertion in a default namespace
		Sign:            SignAssertion,
		Seal:            Seal{Prefix: "ds", PlainKeyInfo: true},
		CertificateName: "ADFS Signing - adfs.example.com",
		Consent:         "urn:oasis:names:tc:SAML:2.0:consent:unspecified", // quirk 12
		ID:              underscoreGUID,
		LowerHex:        true, // quirk 1
		NameFormats:     []string{FormatEmail},
		Attributes: func(u User) []Attribute {
			return named("", Attr(wsClaims+"upn", u.Email), Attr(wsClaims+"emailaddress", u.Email), Attr(wsClaims+"givenname", u.FirstName),
				Attr(wsClaims+"surname", u.LastName), Attr("http://schemas.xmlsoap.org/claims/Group", u.Groups...))
		},
		NotOnOrAfter: time.Hour, Confirmation: 5 * time.Minute, // quirk 7: NotBefore is now, to the millisecond
		ClassRef:     ClassProtected,
		SessionIndex: func(a *Assertion) string { return a.ID },
		OtherFormat:  Status{Code: Requester, Second: InvalidNameIDPolicy}, // quirk 3
		SignRefusals: true,
		Encrypts:     true, Encryption: Encryption{Block: AES256CBC, Transport: RSAOAEP}, // quirk 4
		Metadata: MetadataShape{BOM: true, Signed: true, EncryptionKey: true, // quirks 10 and 11
			Protocols: "http://docs.oasis-open.org/ws-sx/ws-trust/200512 " + nsFed,
			Edit: func(p *IdP, root, role *etree.Element) {
				federationRoles(p, root, role)
				alsoServiceProvider(p, root, role)
			}},
	}
}

// federationRoles puts the roles of WS-Federation before that of SAML (quirk 10). Their keys are no keys of the SAML role's.
func federationRoles(p *IdP, root, role *etree.Element) {
	for _, kind := range []string{"SecurityTokenServiceType", "ApplicationServiceType"} {
		el := etree.NewElement("RoleDescriptor")
		el.CreateAttr("xmlns:xsi", nsInstance)
		el.CreateAttr("xmlns:fed", nsFed)
		el.CreateAttr("xsi:type", "fed:"+kind)
		el.CreateAttr("protocolSupportEnumeration", nsFed)
		p.addKey(el, "signing", p.Certificate())
		place := "fed:PassiveRequestorEndpoint"
		address := el.CreateElement(place).CreateElement("EndpointReference")
		address.CreateAttr("xmlns", "http://www.w3.org/2005/08/addressing")
		address.CreateElement("Address").SetText(p.SSOURL)
		root.InsertChildAt(role.Index(), el)
	}
}

// alsoServiceProvider: ADFS can be one too, with the same key (quirk 10).
func alsoServiceProvider(p *IdP, root, role *etree.Element) {
	el := etree.NewElement("SPSSODescriptor")
	el.CreateAttr("WantAssertionsSigned", "true")
	el.CreateAttr("protocolSupportEnumeration", nsProtocol)
	p.addKey(el, "signing", p.Certificate())
	acs := el.CreateElement("AssertionConsumerService")
	acs.CreateAttr("Binding", bindingPOST)
	acs.CreateAttr("Location", p.SSOURL)
	acs.CreateAttr("index", "0")
	acs.CreateAttr("isDefault", "true")
	root.InsertChildAt(role.Index(), el)
}
