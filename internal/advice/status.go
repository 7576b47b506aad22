package advice

import (
	"regexp"
	"strings"
)

// Status says what an identity provider's refusal means. message is its own text, of which only a code is repeated: the
// rest often names the user.
func Status(code string, sub []string, message string) string {
	if known := vendorCode(message); known != "" {
		return known
	}
	for i := len(sub) - 1; i >= 0; i-- {
		if meaning := statusCodes[last(sub[i])]; meaning != "" {
			return meaning
		}
	}
	return statusCodes[last(code)]
}

func last(code string) string { return code[strings.LastIndexByte(code, ':')+1:] }

// statusCodes are those of SAML Core 3.2.2.2.
var statusCodes = map[string]string{
	"Requester":              "the identity provider finds fault with our request: its own log says with what",
	"Responder":              "the identity provider failed: its own log says why",
	"VersionMismatch":        "the identity provider does not take SAML 2.0 requests at this address",
	"AuthnFailed":            "the user could not prove who he is",
	"InvalidAttrNameOrValue": "the identity provider does not take an attribute that was asked for",
	"InvalidNameIDPolicy":    "the identity provider cannot make a NameID of the format that was asked for: ask for none, or set a rule there that makes it",
	"NoAuthnContext":         "the identity provider cannot authenticate in the way that was asked for",
	"NoAvailableIDP":         "no identity provider of those that were asked for can be reached",
	"NoPassive":              "the user would have to be asked, and the request said not to",
	"NoSupportedIDP":         "the identity provider supports none of those that were asked for",
	"PartialLogout":          "not every application could be logged out",
	"ProxyCountExceeded":     "the identity provider would have to ask another one, and the request said not to",
	"RequestDenied":          "the identity provider does not want to answer: often the user is not assigned to this application",
	"RequestUnsupported":     "the identity provider does not support such a request",
	"UnknownPrincipal":       "the identity provider does not know the user who was asked for",
	"UnsupportedBinding":     "the identity provider cannot answer by the binding that was asked for: it wants another assertion consumer service",
}

var (
	aadsts = regexp.MustCompile(`AADSTS(\d{4,7})`)
	msis   = regexp.MustCompile(`MSIS(\d{4})`)
)

// vendorCode explains the codes that Microsoft's products write into their texts.
func vendorCode(message string) string {
	if m := aadsts.FindStringSubmatch(message); m != nil {
		if meaning := entraCodes[m[1]]; meaning != "" {
			return "AADSTS" + m[1] + ": " + meaning
		}
		return "AADSTS" + m[1] + ": see the sign-in log of Entra ID"
	}
	if m := msis.FindStringSubmatch(message); m != nil {
		if meaning := adfsCodes[m[1]]; meaning != "" {
			return "MSIS" + m[1] + ": " + meaning
		}
		return "MSIS" + m[1] + ": see the event log of AD FS"
	}
	return ""
}

var entraCodes = map[string]string{
	"16000":   "the browser is signed in with several accounts, none of which fits: sign out of the others, or use a private window",
	"50011":   "the Reply URL of the request is not one of the application's: Enterprise application, Single sign-on, Basic SAML Configuration, Reply URL",
	"50020":   "the user's account is of another tenant, and not a guest of this one",
	"50034":   "there is no such user in this tenant",
	"50053":   "the user's account is locked after too many wrong passwords, or the sign-in came from an address that is blocked",
	"50055":   "the user's password has expired",
	"50057":   "the user's account is disabled",
	"50058":   "nobody is signed in, and the request said not to ask",
	"50074":   "a second factor is demanded and was not given",
	"50076":   "a second factor is demanded by policy and was not given",
	"50079":   "the user must enrol for multi-factor authentication first",
	"50105":   "the user is not assigned to the application: Enterprise application, Users and groups, Add user/group",
	"50107":   "the federation realm does not exist: the domain's federation settings are wrong",
	"50126":   "the user name or password was wrong",
	"50144":   "the user's password in Active Directory has expired",
	"53000":   "Conditional Access demands a compliant device",
	"53003":   "a Conditional Access policy blocks the sign-in: Entra ID, Sign-in logs, Conditional Access",
	"65001":   "consent to the application has not been given",
	"70001":   "the application is not in this tenant: the Identifier (Entity ID) there is not our entity ID",
	"700016":  "there is no application with our entity ID in this tenant: Enterprise application, Single sign-on, Basic SAML Configuration, Identifier (Entity ID)",
	"75001":   "the request was not well-formed for its binding",
	"75005":   "Entra ID does not support something in the request",
	"75008":   "Entra ID denied the request: its Destination is not the tenant's sign-on URL",
	"75011":   "the user signed in by another method than the one that was asked for: ask for no authentication context",
	"75016":   "the NameIDPolicy of the request is not one that Entra ID takes",
	"76021":   "the application demands signed requests, and ours was not: give us a signing key, or switch the demand off",
	"76026":   "the request's IssueInstant is too old: our clock is behind",
	"90072":   "the user's account is of another tenant and must be invited as a guest",
	"7000112": "the application is disabled in the tenant",
	"7500525": "the request is not well-formed XML",
	"7500529": "the value of an ID in the request is no ID",
}

var adfsCodes = map[string]string{
	"0037": "no signature certificate of ours is in the relying party trust: import our metadata again",
	"0038": "the signature of our request does not verify: the relying party trust has another certificate, or its Secure hash algorithm is not ours",
	"1014": "a logout message must be signed: import our metadata again, so that the relying party trust has our certificate",
	"3014": "AD FS does not take our encryption certificate: it has expired, or AD FS cannot check whether it was revoked: import our metadata again, and look at the relying party trust's EncryptionCertificateRevocationCheck",
	"3200": "no AssertionConsumerService of the relying party trust is the one that the request asks for: update the trust from our metadata",
	"5007": "the user is not permitted: the relying party trust's access control policy, or its issuance authorization rules",
	"7012": "an error in AD FS: its event log says which",
	"7042": "the browser came back six times within 20 seconds, so AD FS stopped a loop",
	"7065": "there is no handler for the address: IdP-initiated sign-on is switched off, or the URL is wrong",
	"7070": "the NameIDPolicy of the request cannot be met: no claim rule issues a Name ID of that format",
	"7074": "the Issuer of the request has attributes that AD FS does not take",
	"7093": "the message is not signed with the algorithm that the relying party trust expects: its Secure hash algorithm must be SHA-256",
}
