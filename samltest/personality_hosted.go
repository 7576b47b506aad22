package samltest

import (
	"time"

	saml "github.com/logintrust/saml"
)

// attrUnspecified is the NameFormat of attributes of which nothing is known, as Okta writes them.
const attrUnspecified = "urn:oasis:names:tc:SAML:2.0:attrname-format:unspecified"

// okta: OpenSAML's prefixes, both parts signed, an Issuer with the format of an entity, IDs of digits (quirks 32 to 36).
func okta() Personality {
	const app = "https://example.okta.com/app/example_demo_1/exk1fxphMq8aLf0Zs5d7"
	const id = "exk1fxphMq8aLf0Zs5d7"
	return Personality{
		Name: "okta", Title: "Okta", Product: saml.Okta,
		EntityID: "http://www.okta.com/" + id,
		SSOURL:   app + "/sso/saml", SLOURL: app + "/slo/saml",
		MetadataURL: app + "/sso/saml/metadata",
		StartURL:    "https://example.okta.com/home/example_demo_1/0oa1fxphMq8aLf0Zs5d7/aln1", // quirk 36: a tile
		Style:       Style{Protocol: "saml2p", Assertion: "saml2", Local: true, Schema: "xs", Declaration: true},
		Sign:        SignResponse | SignAssertion,
		Seal:        Seal{Prefix: "ds", Prefixes: []string{"xs"}}, CertificateName: "example",
		IssuerFormat: FormatEntity, // quirk 32
		ID:           digits("id", 19),
		NameFormats:  []string{FormatUnspecified, FormatEmail, FormatPersistent, FormatTransient},
		Username:     func(u User) string { return u.Email },
		Attributes: func(u User) []Attribute {
			return typed("xs:string", named(attrUnspecified, Attr("email", u.Email), Attr("firstName", u.FirstName), Attr("lastName", u.LastName), Attr("groups", u.Groups...)))
		},
		NotBefore: 5 * time.Minute, NotOnOrAfter: 5 * time.Minute, // quirk 32
		Encryption: Encryption{Block: AES256CBC, Transport: RSAOAEP, Beside: true}, // quirk 33
		Metadata:   MetadataShape{Prefix: "md", WantSigned: "false"},
	}
}

// google: plain attribute names of any type, the certificate's subject in KeyInfo, no single logout (quirks 28 to 31).
func google() Personality {
	const id = "idpid=C03abc4d5"
	return Personality{
		Name: "google", Title: "Google Workspace", Product: saml.Google,
		EntityID:    "https://accounts.google.com/o/saml2?" + id,
		SSOURL:      "https://accounts.google.com/o/saml2/idp?" + id,
		MetadataURL: "https://accounts.google.com/o/saml2/metadata?" + id, // quirk 30: really a download
		StartURL:    "https://accounts.google.com/o/saml2/initsso?" + id, StartSP: "spid",
		Style:           Style{Protocol: "saml2p", Assertion: "saml2", Local: true, Declaration: true},
		Sign:            SignAssertion, // quirk 31
		Seal:            Seal{Prefix: "ds", SubjectName: true},
		CertificateName: "Google",
		ID:              hexID("_", 16),
		NameFormats:     []string{FormatEmail, FormatUnspecified, FormatPersistent, FormatTransient},
		Attributes: func(u User) []Attribute {
			return typed("xs:anyType", named("", Attr("email", u.Email), Attr("firstName", u.FirstName), Attr("lastName", u.LastName), Attr("groups", u.Groups...)))
		},
		NotBefore: 5 * time.Minute, NotOnOrAfter: 5 * time.Minute,
		ClassRef: classUnspecified,
		Metadata: MetadataShape{Prefix: "md", WantSigned: "false", Lifetime: 5 * 365 * 24 * time.Hour},
	}
}

// pingFederate: prefixes declared where they are used, IDs of 27 characters, no Destination, and no relay state back (quirk
// 37). Its entity ID is whatever its administrator wrote.
func pingFederate() Personality {
	const host = "https://sso.example.com:9031/"
	return Personality{
		Name: "pingfederate", Title: "PingFederate", Product: saml.Ping,
		EntityID: "https://sso.example.com/pingfederate",
		SSOURL:   host + "idp/SSO.saml2", SLOURL: host + "idp/SLO.saml2",
		MetadataURL: host + "pf/federation_metadata.ping",
		StartURL:    host + "idp/startSSO.ping", StartSP: "PartnerSpId", StartTarget: "TARGET",
		Style:           Style{Protocol: "samlp", Assertion: "saml", Local: true},
		Sign:            SignAssertion,
		Seal:            Seal{Prefix: "ds"},
		CertificateName: "PingFederate signing",
		NoDestination:   true, DropRelayState: true, // quirk 37
		ID:          pingID,
		NameFormats: []string{FormatUnspecified, FormatEmail, FormatPersistent, FormatTransient},
		Attributes: func(u User) []Attribute {
			return typed("xs:string", named(NameBasic, Attr("email", u.Email), Attr("firstName", u.FirstName), Attr("lastName", u.LastName), Attr("memberOf", u.Groups...)))
		},
		NotBefore: 5 * time.Minute, NotOnOrAfter: 5 * time.Minute,
		ClassRef:   ClassPassword,
		Encryption: Encryption{Block: AES256GCM, Transport: RSAOAEP},
		Metadata:   MetadataShape{Prefix: "md", WantSigned: "false"},
	}
}

// pingID has 27 characters of an alphabet with a dot and two dashes, the first of which is a letter.
func pingID() string {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	const all = letters + "0123456789._-"
	id := []byte{oneOf(letters)}
	for range 26 {
		id = append(id, oneOf(all))
	}
	return string(id)
}

// pingOne is Ping's hosted service.
func pingOne() Personality {
	const environment = "https://auth.pingone.com/7a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d"
	return Personality{
		Name: "pingone", Title: "PingOne", Product: saml.Ping,
		EntityID: environment,
		SSOURL:   environment + "/saml20/idp/sso", SLOURL: environment + "/saml20/idp/slo",
		MetadataURL: environment + "/saml20/metadata/5e6f7a8b-9c0d-4e1f-a2b3-c4d5e6f7a8b9",
		StartURL:    environment + "/saml20/idp/startsso", StartSP: "spEntityId",
		Style:           Style{Protocol: "samlp", Assertion: "saml", Local: true, Declaration: true},
		Sign:            SignAssertion,
		Seal:            Seal{Prefix: "ds"},
		CertificateName: "PingOne SSO Certificate for Demo environment",
		ID:              hexID("ID", 16),
		NameFormats:     []string{FormatUnspecified, FormatEmail, FormatPersistent, FormatTransient},
		Attributes: func(u User) []Attribute {
			return typed("xs:string", named(NameBasic, Attr("email", u.Email), Attr("firstName", u.FirstName), Attr("lastName", u.LastName), Attr("groups", u.Groups...)))
		},
		NotBefore: time.Minute, NotOnOrAfter: 5 * time.Minute,
		Encryption: Encryption{Block: AES256GCM, Transport: RSAOAEP},
		Metadata:   MetadataShape{Prefix: "md", WantSigned: "false"},
	}
}

// oneLogin: letters before IDs, times without fractions, three minutes either way, attributes called User.….
func oneLogin() Personality {
	const host = "https://example.onelogin.com/trust/saml2/"
	const app = "3f2e1d0c-5b4a-4978-8685-a4b3c2d1e0f9"
	return Personality{
		Name: "onelogin", Title: "OneLogin", Product: saml.OneLogin,
		EntityID: "https://app.onelogin.com/saml/metadata/" + app,
		SSOURL:   host + "http-redirect/sso/" + app, SSOPostURL: host + "http-post/sso/" + app,
		SLOURL:      host + "http-redirect/slo/" + app,
		MetadataURL: "/saml/metadata/" + app,
		StartURL:    "/launch/" + app,
		Style:       Style{Protocol: "samlp", Assertion: "saml"},
		Sign:        SignAssertion,
		Seal:        Seal{Prefix: "ds"}, CertificateName: "OneLogin Account example",
		ID: hexID("R", 20), AssertionID: hexID("A", 20),
		TimeLayout:  "2006-01-02T15:04:05Z",
		NameFormats: []string{FormatEmail, FormatUnspecified, FormatPersistent, FormatTransient},
		Attributes: func(u User) []Attribute {
			return typed("xs:string", named(NameBasic, Attr("User.email", u.Email), Attr("User.FirstName", u.FirstName),
				Attr("User.LastName", u.LastName), Attr("memberOf", u.Groups...)))
		},
		NotBefore: 3 * time.Minute, NotOnOrAfter: 3 * time.Minute, Confirmation: 3 * time.Minute,
		SessionEnd:   24 * time.Hour,
		SessionIndex: func(*Assertion) string { return underscoreGUID() },
		Encryption:   Encryption{Block: AES256CBC, Transport: RSAOAEP},
		Metadata:     MetadataShape{WantSigned: "false"},
	}
}
