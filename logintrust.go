package saml

import (
	"time"

	"github.com/logintrust/saml/internal/xmlsec"
)

// A LoginTrust is the record that an application keeps for one identity provider: who it is, by which keys it is known,
// and what its users may do. It is plain data; its JSON form is stable. Every zero value is the strict choice, and the
// zero LoginTrust lets nobody in.
type LoginTrust struct {
	// Domain is the entity ID of the identity provider, which is the Issuer of its messages: 1 to 255 printable ASCII
	// characters, compared octet for octet.
	Domain string `json:"domain"`
	// Description is what users see, 1 to 255 characters.
	Description string `json:"description,omitempty"`
	// Product says whose software the identity provider is. It changes no check: it chooses how a target is handed over and
	// how a refusal is explained, and Product.AttributeNames gives the names to start from.
	Product Product `json:"product,omitzero"`
	// LoginURL is where AuthnRequests go by HTTP-Redirect, and where users go to begin at their identity provider. It need
	// not be reachable from here: only browsers go there.
	LoginURL string `json:"loginURL,omitempty"`
	// LoginPostURL is where AuthnRequests go by HTTP-POST.
	LoginPostURL string `json:"loginPostURL,omitempty"`
	// LogoutURL is where users go once they are logged out here, if their identity provider takes no part in single logout;
	// LoginURL if empty.
	LogoutURL string `json:"logoutURL,omitempty"`
	// ArtifactServices are where artifacts are resolved, by the index that an artifact names.
	ArtifactServices []ArtifactService `json:"artifactServices,omitempty"`
	// SLOURL and SLOPostURL are where messages of single logout go by HTTP-Redirect and by HTTP-POST; without either, logout is
	// local.
	SLOURL     string `json:"sloURL,omitempty"`
	SLOPostURL string `json:"sloPostURL,omitempty"`
	// SLOSOAPURL is where the identity provider is asked without a browser; see LogoutBySOAP.
	SLOSOAPURL string `json:"sloSOAPURL,omitempty"`
	// SLOResponseURL and SLOPostResponseURL are where our answers to logout requests go, if not there as well (erratum E41).
	SLOResponseURL     string `json:"sloResponseURL,omitempty"`
	SLOPostResponseURL string `json:"sloPostResponseURL,omitempty"`
	// NameIDURL and NameIDPostURL are where our answers to ManageNameIDRequests go, by HTTP-Redirect and by HTTP-POST; see
	// Config.NameIDs.
	NameIDURL     string `json:"nameIDURL,omitempty"`
	NameIDPostURL string `json:"nameIDPostURL,omitempty"`
	// ErrorURL is where the identity provider says that users find help.
	ErrorURL string `json:"errorURL,omitempty"`
	// Keys are the keys that verify the identity provider's signatures, in any order, at most 8. A key in a message counts
	// for nothing.
	Keys []PublicKey `json:"keys,omitempty"`

	// EncryptionKeys are keys of the identity provider that we encrypt to, at most 8; the first is used. They verify nothing.
	EncryptionKeys []PublicKey `json:"encryptionKeys,omitempty"`

	// State says whether anybody gets in.
	State TrustState `json:"state"`
	// SAML admits logins by SAML.
	SAML bool `json:"saml,omitempty"`
	// OpenID admits logins by OpenID Connect, and Ticket those by a signed login ticket. This package implements SAML; a host
	// that implements the others beside it keeps their switches here and asks Admits.
	OpenID bool `json:"openID,omitempty"`
	Ticket bool `json:"ticket,omitempty"`
	// TicketInQuery admits a ticket in a URL too, where logs and Referer headers keep it.
	TicketInQuery bool `json:"ticketInQuery,omitempty"`

	// Initiation says how a login begins when our own login page sends a user away.
	Initiation Initiation `json:"initiation,omitzero"`
	// TargetParam names the parameter by which an identity provider that begins the login itself is told where it leads.
	TargetParam TargetParam `json:"targetParam,omitzero"`
	// PassPageVariables copies the variables of the page at which a session ended to LoginURL; without it the page stays
	// and a pop-up window signs the user in again. What is copied ends in the identity provider's logs.
	PassPageVariables bool `json:"passPageVariables,omitempty"`
	// PageVariables names the variables that may be copied. Empty copies none: pages may have health data in theirs.
	PageVariables []string `json:"pageVariables,omitempty"`
	// StripQuestionMark writes targets without "?", for identity providers that lose what stands behind it.
	StripQuestionMark bool `json:"stripQuestionMark,omitempty"`
	// LinkOnLoginPage shows a link with the Description on the login page, while the trust is active.
	LinkOnLoginPage bool `json:"linkOnLoginPage,omitempty"`
	// AsyncLogout tells the identity provider that we await no answer to a logout request, so that it keeps the user (SAML V2.0
	// Asynchronous Single Logout Protocol Extension). Set it only where the identity provider understands that.
	AsyncLogout bool `json:"asyncLogout,omitempty"`
	// CloseOnLogout closes the window once the user is logged out, for identity providers that open one for us.
	CloseOnLogout bool `json:"closeOnLogout,omitempty"`

	// Organization is whose users the trust may log in. Empty means nobody's, unless AllowAnyOrganization is set.
	Organization string `json:"organization,omitempty"`
	// AllowAnyOrganization admits users of every organization, and e-mail addresses and scopes of every domain. Who holds the
	// identity provider's key can then sign in as anybody: it is for applications that have one customer.
	AllowAnyOrganization bool `json:"allowAnyOrganization,omitempty"`
	// EmailDomains are the domains of e-mail addresses that the identity provider may assert; a domain does not include those
	// below it. Empty means none.
	EmailDomains []string `json:"emailDomains,omitempty"`
	// Scopes are what may stand behind the "@" of scoped attributes such as eduPersonPrincipalName. Empty means none.
	Scopes []string `json:"scopes,omitempty"`
	// Match says what of a user is compared with what the identity provider asserts.
	Match Match `json:"match,omitzero"`
	// Attributes names the attributes that hold a user's names and e-mail address.
	Attributes AttributeNames `json:"attributes,omitzero"`
	// Translation says whether the identity provider's name for a user is looked up in a table of local ones.
	Translation Translation `json:"translation,omitzero"`
	// AllowTransientNameID takes a transient NameID for a lasting one. By the specification it names somebody else tomorrow
	// (SAML Core 8.3.8), who is then signed in as the user of today; some products put a user name there all the same.
	AllowTransientNameID bool `json:"allowTransientNameID,omitempty"`
	// PrivilegedUsers are the IDs of the privileged users whom this trust may log in; no other privileged user gets in by it.
	PrivilegedUsers []string `json:"privilegedUsers,omitempty"`
	// DeniedUsers are the IDs of users who do not get in by this trust.
	DeniedUsers []string `json:"deniedUsers,omitempty"`
	// AllowedRoles lists the roles of which a user must have one; empty admits any.
	AllowedRoles []string `json:"allowedRoles,omitempty"`
	// CreateUsers makes a local user of an unknown one, with DefaultRole and DefaultDepartment.
	CreateUsers       bool   `json:"createUsers,omitempty"`
	DefaultRole       string `json:"defaultRole,omitempty"`
	DefaultDepartment string `json:"defaultDepartment,omitempty"`
	// ReactivateUsers lets a login switch a login-disabled user on again. Deleted, locked and expired users stay what they are.
	ReactivateUsers bool `json:"reactivateUsers,omitempty"`
	// PasswordRequired asks for the user's local password after the identity provider has answered.
	PasswordRequired bool `json:"passwordRequired,omitempty"`

	// AllowIdPInitiated admits responses that nobody asked for. They cannot be bound to a browser, so an attacker who has
	// an account may sign a victim's browser in to it (login CSRF; SAML erratum E90).
	AllowIdPInitiated bool `json:"allowIdPInitiated,omitempty"`
	// AllowUnknownInResponseTo takes a response that names a request which we never made for one that nobody asked for.
	// It needs AllowIdPInitiated and has its risk; some products invent an InResponseTo when their user begins.
	AllowUnknownInResponseTo bool `json:"allowUnknownInResponseTo,omitempty"`

	// RequireSignedResponse refuses a Response that is not signed itself, although its assertion is.
	RequireSignedResponse bool `json:"requireSignedResponse,omitempty"`
	// RequireSignedAssertion refuses an assertion that is not signed itself, although the Response around it is.
	RequireSignedAssertion bool `json:"requireSignedAssertion,omitempty"`
	// RequireEncryption refuses an assertion that did not come encrypted.
	RequireEncryption bool `json:"requireEncryption,omitempty"`
	// RequireDestination refuses a Response without Destination even if it is not signed.
	RequireDestination bool `json:"requireDestination,omitempty"`
	// CheckClientAddress refuses an assertion whose bearer confirmation names another network address than the client's,
	// which to the handlers is http.Request.RemoteAddr: behind a proxy, the proxy's, unless something in front sets it.
	CheckClientAddress bool `json:"checkClientAddress,omitempty"`

	// AllowSHA1 admits signatures and digests with SHA-1. Collisions are practical (SHAttered, 2017): who can choose part of
	// what the identity provider signs may move its signature to another text.
	AllowSHA1 bool `json:"allowSHA1,omitempty"`
	// AllowRSA1024 admits RSA keys from 1024 bits, which a well-funded attacker can factor and then sign with.
	AllowRSA1024 bool `json:"allowRSA1024,omitempty"`
	// AllowInclusiveC14NReference admits inclusive canonicalisation of what is signed, whose octets depend on declarations
	// outside of it, which an attacker may change.
	AllowInclusiveC14NReference bool `json:"allowInclusiveC14NReference,omitempty"`
	// AllowSignedCBC admits AES-CBC where a verified signature covers the ciphertext. CBC itself does not notice changes.
	AllowSignedCBC bool `json:"allowSignedCBC,omitempty"`
	// InsecureAllowUnsignedCBC admits AES-CBC also where only the assertion inside is signed, as SimpleSAMLphp and
	// LemonLDAP::NG send it. Whoever recorded such a message can send changed copies of it and read it by how they are refused
	// (padding oracle; Jager and Somorovsky, 2011; erratum E93). All such refusals have one reason and one text, and take
	// about as long, which makes it hard and not impossible.
	InsecureAllowUnsignedCBC bool `json:"insecureAllowUnsignedCBC,omitempty"`
	// InsecureAllowRSA15 admits keys that are encrypted with RSA 1.5, inside of a signed Response only. Outside of one,
	// whoever can try changed messages opens recorded ones (Bleichenbacher, 1998).
	InsecureAllowRSA15 bool `json:"insecureAllowRSA15,omitempty"`
	// Allow3DES admits Triple DES where AES-CBC would be admitted. Its blocks are so small that they repeat, and what they
	// hold can be read off (Sweet32, 2016).
	Allow3DES bool `json:"allow3DES,omitempty"`

	// AllowRedirectDER admits ECDSA signatures of messages by HTTP-Redirect in DER, as OpenSAML makes them, beside the form of
	// XML Signature. Whoever can change a message on its way could give its signature the other form; logout needs no more than
	// that it verifies.
	AllowRedirectDER bool `json:"allowRedirectDER,omitempty"`

	// WantRequestsSigned says that the identity provider wants signed AuthnRequests; without a key of ours no login starts.
	WantRequestsSigned bool `json:"wantRequestsSigned,omitempty"`
	// SignatureAlgorithm is the URI of the algorithm that what we send is signed with, AlgorithmRSASHA256 or another. Empty is
	// the first of SigningMethods that a key of ours can do, or without these the one that suits our first key.
	SignatureAlgorithm string `json:"signatureAlgorithm,omitempty"`
	// SigningMethods are the signature algorithms that the identity provider declares in its metadata, in its order. What we
	// send is signed with one of them, by the first of our keys that fits, or no login starts. Empty: it declares none.
	SigningMethods []SigningMethod `json:"signingMethods,omitempty"`
	// DigestMethods are the URIs of the digests that it declares, in its order, for signatures inside of XML.
	DigestMethods []string `json:"digestMethods,omitempty"`
	// EncryptNameID encrypts the NameIDs that we send, in LogoutRequests and in StartOptions.Subject, to the first of
	// EncryptionKeys. Set it only for an identity provider that wants it: many read none that is encrypted (SAML V2.0 Deployment
	// Profile, SDP-SP30).
	EncryptNameID bool `json:"encryptNameID,omitempty"`
	// EncryptionMethods are the URIs of the algorithms that the identity provider declares for EncryptionKeys, in its order. We
	// encrypt with AES-GCM, and RSA-OAEP or ECDH-ES, or not at all. Empty: it declares none.
	EncryptionMethods []string `json:"encryptionMethods,omitempty"`
	// Audiences are further audiences that are accepted beside our own entity ID.
	Audiences []string `json:"audiences,omitempty"`
	// AuthnContext lists the authentication context classes that are accepted; empty accepts any.
	AuthnContext []string `json:"authnContext,omitempty"`
	// MaxAuthnAge is how long ago the user may have been authenticated; 0 sets no limit. In JSON it is nanoseconds.
	MaxAuthnAge time.Duration `json:"maxAuthnAgeNanoseconds,omitempty"`
	// RequiredAttributes names attributes without which a login is refused.
	RequiredAttributes []string `json:"requiredAttributes,omitempty"`
}

// A Method is a way to sign in that a login trust admits or does not.
type Method int

// Methods. This package implements SAML; the others are for hosts that implement them beside it.
const (
	MethodSAML   Method = 1 + iota // LoginTrust.SAML
	MethodOpenID                   // LoginTrust.OpenID
	MethodTicket                   // LoginTrust.Ticket
)

var methods = wordList{"none", "SAML", "OpenID", "ticket"}

// String names the method.
func (m Method) String() string { return methods.word(int(m)) }

// allows reports whether the method is switched on.
func (t *LoginTrust) allows(m Method) bool {
	return m == MethodSAML && t.SAML || m == MethodOpenID && t.OpenID || m == MethodTicket && t.Ticket
}

// Admits says whether anybody gets in by this trust with that method. It is the gate that every method passes before
// anything of its message is believed; SAML passes it by itself. A refusal is an *Error: TrustProvisional, TrustInactive,
// MethodNotAllowed or NoKeyOnFile. OpenID Connect needs no key on file: its keys are its issuer's.
func (t *LoginTrust) Admits(m Method) error {
	if refused := t.gate(m); refused != nil {
		return refused.of(t)
	}
	return nil
}

func (t *LoginTrust) gate(m Method) *Error {
	switch {
	case t.State == Provisional:
		return refuse(TrustProvisional, "", "an active trust")
	case t.State != Active:
		return refuse(TrustInactive, "", "an active trust")
	case !t.allows(m):
		return refuse(MethodNotAllowed, m.String(), "a method that the trust admits")
	case len(t.Keys) == 0 && m != MethodOpenID:
		return refuse(NoKeyOnFile, "no key", "a key of the identity provider")
	}
	return nil
}

// checkUnsolicited: what nobody asked for is not bound to the browser that brings it (SAML Profiles 4.1.5, erratum E90).
func (t *LoginTrust) checkUnsolicited() *Error {
	if !t.AllowIdPInitiated {
		return refuse(UnsolicitedNotAllowed, "no InResponseTo", "an answer to a request of ours")
	}
	return nil
}

func (t *LoginTrust) policy() xmlsec.Policy {
	return xmlsec.Policy{AllowSHA1: t.AllowSHA1, AllowRSA1024: t.AllowRSA1024, AllowInclusiveReference: t.AllowInclusiveC14NReference,
		AllowSignedCBC: t.AllowSignedCBC, AllowUnsignedCBC: t.InsecureAllowUnsignedCBC, AllowRSA15: t.InsecureAllowRSA15,
		AllowTripleDES: t.Allow3DES, AllowDER: t.AllowRedirectDER}
}
