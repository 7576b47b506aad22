package saml

import (
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/logintrust/saml/internal/wire"
	"github.com/logintrust/saml/internal/xmlsec"
)

// A Reason is why a login, or a message about a logout, was refused. Reasons are constants and errors: errors.Is(err, saml.Expired). Their strings are
// stable within a major version; hosts may store them and translate them.
type Reason string

// Reasons, in the order in which a login meets them.
const (
	// BadRequest: not a form POST with one SAMLResponse or, for logout, not one message by one of the bindings.
	BadRequest Reason = "bad_request"
	// BadArtifact: not an artifact of SAML 2.0, or of a service that the login trust does not have.
	BadArtifact Reason = "bad_artifact"
	// ArtifactFailed: the identity provider did not give out the message that an artifact stands for.
	ArtifactFailed Reason = "artifact_failed"
	// TooLarge: the form, the message or its structure is beyond a limit.
	TooLarge Reason = "too_large"
	// BadResponse: not base64, not well-formed XML, or not a SAML message of the kind and form that the schemas have.
	BadResponse Reason = "bad_response"

	// SSODisabled: single sign-on as a whole is switched off; see Config.Enabled.
	SSODisabled Reason = "sso_disabled"
	// UnknownDomain: no login trust has the message's Issuer as its Domain.
	UnknownDomain Reason = "unknown_domain"
	// TrustProvisional: the login trust is still being set up.
	TrustProvisional Reason = "trust_provisional"
	// TrustInactive: the login trust is switched off.
	TrustInactive Reason = "trust_inactive"
	// MethodNotAllowed: the login trust does not admit the method; see LoginTrust.Admits.
	MethodNotAllowed Reason = "method_not_allowed"
	// NoKeyOnFile: the login trust has no key, or none of the type that the signature needs.
	NoKeyOnFile Reason = "no_key_on_file"

	// Unsigned: a signature that the login trust requires is missing.
	Unsigned Reason = "unsigned"
	// MalformedSignature: the signature is not of the one form that SAML allows.
	MalformedSignature Reason = "malformed_signature"
	// WeakAlgorithm: the message uses an algorithm that is refused unless the login trust allows it.
	WeakAlgorithm Reason = "weak_algorithm"
	// UnsupportedAlgorithm: the message uses an algorithm that is not supported.
	UnsupportedAlgorithm Reason = "unsupported_algorithm"
	// WeakKey: the key on file is too short.
	WeakKey Reason = "weak_key"
	// BadSignature: no key on file made the signature, or what it covers was changed.
	BadSignature Reason = "bad_signature"

	// WrongVersion: not SAML 2.0.
	WrongVersion Reason = "wrong_version"
	// WrongDestination: the message was meant for another address.
	WrongDestination Reason = "wrong_destination"
	// WrongIssuer: an Issuer is missing, or is not the one of the login trust.
	WrongIssuer Reason = "wrong_issuer"
	// IdPRefused: the identity provider answers that it did not sign the user in.
	IdPRefused Reason = "idp_refused"
	// NoPassive: the identity provider could not sign the user in without asking; see StartOptions.IsPassive.
	NoPassive Reason = "no_passive"
	// NoAssertion: a success without assertion.
	NoAssertion Reason = "no_assertion"
	// SeveralAssertions: more than one assertion.
	SeveralAssertions Reason = "several_assertions"
	// EncryptedAssertion: the assertion is encrypted, in whole or in part, and this service provider has no key to open it.
	EncryptedAssertion Reason = "encrypted_assertion"
	// EncryptionRequired: the assertion came in clear, and the login trust requires encryption.
	EncryptionRequired Reason = "encryption_required"

	// DecryptionFailed: what is encrypted could not be opened. There is one such refusal, whatever went wrong.
	DecryptionFailed Reason = "decryption_failed"

	// NoSubject: the assertion, or the logout request, names no subject, or names it in a way that is not supported.
	NoSubject Reason = "no_subject"
	// WrongSubjectQualifier: the NameID was made for another service provider.
	WrongSubjectQualifier Reason = "wrong_subject_qualifier"
	// NoBearerConfirmation: no bearer confirmation with Recipient and NotOnOrAfter.
	NoBearerConfirmation Reason = "no_bearer_confirmation"
	// WrongRecipient: the assertion may be delivered to another address only.
	WrongRecipient Reason = "wrong_recipient"
	// WrongAddress: the assertion may be delivered by another network address only.
	WrongAddress Reason = "wrong_address"
	// WrongInResponseTo: the message and its assertion name different requests, or only one of them names one.
	WrongInResponseTo Reason = "wrong_in_response_to"
	// NotYetValid: a time in the message is still to come.
	NotYetValid Reason = "not_yet_valid"
	// Expired: the assertion, or the logout request, is too old.
	Expired Reason = "expired"
	// ValidTooLong: the assertion is valid for longer than it could be remembered.
	ValidTooLong Reason = "valid_too_long"
	// BadConditions: conditions that contradict themselves.
	BadConditions Reason = "bad_conditions"
	// UnknownCondition: a condition that is not understood, so that nobody knows whether it holds.
	UnknownCondition Reason = "unknown_condition"
	// WrongAudience: the assertion is not restricted to this service provider.
	WrongAudience Reason = "wrong_audience"
	// NoAuthnStatement: the assertion does not say how and when the user was authenticated.
	NoAuthnStatement Reason = "no_authn_statement"
	// AuthnInFuture: the authentication is said to have happened in the future.
	AuthnInFuture Reason = "authn_in_future"
	// SessionExpired: the session at the identity provider is over.
	SessionExpired Reason = "session_expired"
	// WrongAuthnContext: the user was not authenticated in a way that is accepted.
	WrongAuthnContext Reason = "wrong_authn_context"
	// ReauthenticationRequired: the authentication is older than what is accepted.
	ReauthenticationRequired Reason = "reauthentication_required"
	// WrongNameIDFormat: another format of NameID than was asked for.
	WrongNameIDFormat Reason = "wrong_name_id_format"
	// OtherSubject: an answer about somebody else than was asked for.
	OtherSubject Reason = "other_subject"
	// MissingAttribute: an attribute that the login trust requires is missing; Error.Missing names them.
	MissingAttribute Reason = "missing_attribute"

	// UnsolicitedNotAllowed: a login that the identity provider began, which the login trust does not allow.
	UnsolicitedNotAllowed Reason = "unsolicited_not_allowed"
	// NoIdPChosen: the user came back from the discovery service without a choice.
	NoIdPChosen Reason = "no_idp_chosen"
	// UnknownRequest: an answer to a request that is not pending: never made, made to another IdP, or too old.
	UnknownRequest Reason = "unknown_request"
	// BrowserMismatch: an answer to a request that another browser made.
	BrowserMismatch Reason = "browser_mismatch"
	// Replayed: the response, its assertion or the logout request was used before.
	Replayed Reason = "replayed"
	// LoggedOut: the identity provider has ended the session before the login was finished.
	LoggedOut Reason = "logged_out"

	// TransientSubject: the user's only identifier is a transient one, which the login trust does not take for a lasting one.
	TransientSubject Reason = "transient_subject"
	// BadSubject: what the identity provider calls the user is missing, longer than 255 characters, or has control characters
	// or white space at an end.
	BadSubject Reason = "bad_subject"
	// BadAttribute: an attribute that names the user has several values, or one that is no name or no e-mail address.
	BadAttribute Reason = "bad_attribute"
	// WrongScope: the user's name has a scope that the login trust does not list.
	WrongScope Reason = "wrong_scope"
	// WrongEmailDomain: the user's e-mail address has a domain that the login trust does not list.
	WrongEmailDomain Reason = "wrong_email_domain"
	// NotTranslated: the login trust admits translated users only, and this one has no translation.
	NotTranslated Reason = "not_translated"
	// TranslationDangling: the user's translation leads to no user of the login trust's organization.
	TranslationDangling Reason = "translation_dangling"
	// WrongOrganization: the user is of an organization whose users the login trust may not log in.
	WrongOrganization Reason = "wrong_organization"
	// AmbiguousUser: several users have what identifies this one.
	AmbiguousUser Reason = "ambiguous_user"
	// AmbiguousEmail: several users have the e-mail address.
	AmbiguousEmail Reason = "ambiguous_email"
	// WrongSubject: the user of that name or address belongs to another subject; see User.AccountKeys.
	WrongSubject Reason = "wrong_subject"
	// InvalidUser: there is no such user, and none is created.
	InvalidUser Reason = "invalid_user"
	// EmailTaken: the e-mail address of a user to be created is another user's.
	EmailTaken Reason = "email_taken"
	// UsernameTaken: the user name of a user to be created is another user's.
	UsernameTaken Reason = "username_taken"
	// SSODisabledForUser: the user logs in with a password, not by single sign-on.
	SSODisabledForUser Reason = "sso_disabled_for_user"
	// UserDisabled: the user is login-disabled, deleted, locked or expired.
	UserDisabled Reason = "user_disabled"
	// UserNotAllowed: the login trust denies the user: by name, for his roles, or because he is privileged.
	UserNotAllowed Reason = "user_not_allowed"
	// NoRoles: the user has no role.
	NoRoles Reason = "no_roles"
	// PasswordRequired: no refusal yet: the user's local password is asked for; see Error.PasswordStep.
	PasswordRequired Reason = "password_required"
	// PasswordWrong: the local password was wrong; there are tries left.
	PasswordWrong Reason = "password_wrong"
	// PasswordFailed: the local password was wrong too often.
	PasswordFailed Reason = "password_failed"

	// NoAnswer: no refusal: a test login to which no answer has come back yet; see TestResult.
	NoAnswer Reason = "no_answer"
	// NotConfigured: the trust or the service provider lacks what this login needs, such as a URL or a signing key.
	NotConfigured Reason = "not_configured"
	// StoreFailed: a store could not be asked, so nothing is known and nobody gets in.
	StoreFailed Reason = "store_failed"
)

// Error implements error. It is for logs; the page that a user sees shows Public.
func (r Reason) Error() string { return "saml: " + string(r) }

// LogValue is the bare reason for slog, such as "expired".
func (r Reason) LogValue() slog.Value { return slog.StringValue(string(r)) }

// Public is a sentence for the user, which tells an attacker nothing. Several reasons share one.
func (r Reason) Public() string {
	switch r {
	case NoPassive:
		return "You are not signed in at your identity provider."
	case IdPRefused:
		return "Your identity provider did not sign you in."
	case BrowserMismatch, UnknownRequest, Replayed, LoggedOut:
		return "This sign-in was already used, has expired, or was started in another browser. Please start again."
	case ReauthenticationRequired, SessionExpired, Expired:
		return "This sign-in is too old. Please sign in again."
	case NoIdPChosen:
		return "No identity provider was chosen. Please start again."
	case SSODisabled:
		return "Single sign-on is switched off here. Please sign in another way."
	case TransientSubject, BadSubject, BadAttribute, WrongScope, WrongEmailDomain, NotTranslated, TranslationDangling, WrongOrganization,
		AmbiguousUser, AmbiguousEmail, WrongSubject, InvalidUser, EmailTaken, UsernameTaken, SSODisabledForUser, UserDisabled,
		UserNotAllowed, NoRoles:
		// One sentence, so that nobody learns who is a user here.
		return "Your identity provider signed you in, but you have no access here. Please contact your administrator and quote the reference below."
	case PasswordRequired:
		return "Your password for this application is needed too."
	case PasswordWrong:
		return "The password is not right. Please try again."
	case PasswordFailed:
		return "The password was wrong too often. Please start again."
	case StoreFailed, NotConfigured, ArtifactFailed:
		return "Signing in is not possible at the moment. Please try again later."
	}
	return "The sign-in was refused. Please contact your administrator and quote the reference below."
}

// An Error is a refused login. Its text is for the host's log: it holds no NameID, attribute value, assertion, cookie or
// key. Report and SealedCase say more. It keeps the message that was refused for as long as it is kept itself.
type Error struct {
	Reason Reason
	// Spec is the section of the specification that asks for what was missed, "" if it is our own rule.
	Spec string
	// Found and Wanted say what the message had and what would have been accepted; at most 64 characters of any foreign
	// value, quoted.
	Found, Wanted string
	// Domain is the trust that the message was judged by. It comes from the Issuer, and is proven only if the reason is one
	// that is met behind the signature.
	Domain string
	// Status is what the identity provider answered, for IdPRefused and NoPassive.
	Status *Status
	// Missing names the attributes that were required and are not there, for MissingAttribute.
	Missing []string
	// ReturnTo is where the login was to lead, for an IdPRefused or NoPassive that answers a request of this browser; "" if
	// that is not known.
	ReturnTo string
	// ErrorURL is where the identity provider's metadata says that users find help, "" if it says nothing, or if no key on file
	// vouches for the message: then it may be anybody's.
	ErrorURL string

	cause   error
	step    *PasswordStep
	allow   string                                       // the HTTP method that would have been right, if that is what is wrong
	repeat  *finished                                    // the login that this very response made a moment ago
	answers string                                       // the request that the message claims to answer
	seen    func() (*ServiceProvider, Posted, time.Time) // what was refused, for Report and UnsealedCase; nil if it is not kept
	hop     bool                                         // only the browser's cookie is missing
	stage   string                                       // behind the rules, where the login ended; "" before
	logout  bool                                         // of a message about a logout, not about a login
	naming  bool                                         // of a message about a name
}

// A sentinel is an error that is told from others by itself, and that nobody can assign.
type sentinel string

func (s sentinel) Error() string { return string(s) }

// Status codes of SAML Core 3.2.2.2, for Status.Has.
const (
	StatusRequester             = "urn:oasis:names:tc:SAML:2.0:status:Requester"
	StatusResponder             = "urn:oasis:names:tc:SAML:2.0:status:Responder"
	StatusVersionMismatch       = "urn:oasis:names:tc:SAML:2.0:status:VersionMismatch"
	StatusAuthnFailed           = "urn:oasis:names:tc:SAML:2.0:status:AuthnFailed"
	StatusInvalidNameIDPolicy   = "urn:oasis:names:tc:SAML:2.0:status:InvalidNameIDPolicy"
	StatusNoAuthnContext        = "urn:oasis:names:tc:SAML:2.0:status:NoAuthnContext"
	StatusNoAvailableIDP        = "urn:oasis:names:tc:SAML:2.0:status:NoAvailableIDP"
	StatusNoPassive             = wire.StatusNoPassive
	StatusNoSupportedIDP        = "urn:oasis:names:tc:SAML:2.0:status:NoSupportedIDP"
	StatusPartialLogout         = "urn:oasis:names:tc:SAML:2.0:status:PartialLogout"
	StatusProxyCountExceeded    = "urn:oasis:names:tc:SAML:2.0:status:ProxyCountExceeded"
	StatusRequestDenied         = "urn:oasis:names:tc:SAML:2.0:status:RequestDenied"
	StatusRequestUnsupported    = "urn:oasis:names:tc:SAML:2.0:status:RequestUnsupported"
	StatusRequestVersionTooHigh = "urn:oasis:names:tc:SAML:2.0:status:RequestVersionTooHigh"
	StatusRequestVersionTooLow  = "urn:oasis:names:tc:SAML:2.0:status:RequestVersionTooLow"
	StatusUnknownPrincipal      = "urn:oasis:names:tc:SAML:2.0:status:UnknownPrincipal"
	StatusUnsupportedBinding    = "urn:oasis:names:tc:SAML:2.0:status:UnsupportedBinding"
)

// A Status is what an identity provider answers instead of an assertion (SAML Core 3.2.2.2).
type Status struct {
	// Code is the top-level code, a URI.
	Code string
	// Sub are the codes inside it, outermost first.
	Sub []string
	// Message is text for a person; foreign, to be escaped in a page. It often names the user, so JSON leaves it out.
	Message string `json:"-"`
	// Detail is the XML inside StatusDetail, as sent, at most 4096 octets of it; foreign, and left out of JSON.
	Detail string `json:"-"`
	// Signed says that one of the trust's keys vouches for the answer.
	Signed bool
}

// Has reports whether the status holds that code at any level.
func (s *Status) Has(code string) bool {
	if s == nil {
		return false
	}
	for _, sub := range s.Sub {
		if sub == code {
			return true
		}
	}
	return s.Code == code
}

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Reason.Error())
	if e.Domain != "" {
		fmt.Fprintf(&b, " from %s", quoted(e.Domain))
	}
	found, wanted := e.gotAndWanted()
	if found != "" {
		fmt.Fprintf(&b, ": got %s", found)
	}
	if wanted != "" {
		fmt.Fprintf(&b, ", want %s", wanted)
	}
	if e.Spec != "" {
		fmt.Fprintf(&b, " (%s)", e.Spec)
	}
	if e.cause != nil {
		fmt.Fprintf(&b, ": %v", e.cause)
	}
	return b.String()
}

// gotAndWanted are Found and Wanted, with the names of all attributes that are missing.
func (e *Error) gotAndWanted() (found, wanted string) {
	if e.Reason == MissingAttribute && len(e.Missing) > 0 {
		names := listed(e.Missing, maxMissing)
		return "no attribute " + names, "the attributes that the login trust needs: " + names
	}
	return e.Found, e.Wanted
}

const maxMissing = 5 // names of missing attributes that a refusal lists

// Unwrap gives errors.Is the Reason, and what lies under it, such as the error of a store.
func (e *Error) Unwrap() []error {
	if e.cause != nil {
		return []error{e.Reason, e.cause}
	}
	return []error{e.Reason}
}

func refuse(r Reason, found, wanted string) *Error {
	return &Error{Reason: r, Found: found, Wanted: wanted}
}

// at notes the stage behind the rules at which a login ended.
func (e *Error) at(stage string) *Error {
	e.stage = stage
	return e
}

// hostFailed refuses since something of the host's could not be asked. What it says may name people, so only errors.Is and
// errors.As find it.
func hostFailed(what string, cause error) *Error { return storeFailed(hushed{what, &cause}) }

// A hushed error holds its cause by a pointer, behind which no verb of fmt looks.
type hushed struct {
	what  string
	cause *error
}

func (h hushed) Error() string { return h.what }
func (h hushed) Unwrap() error { return *h.cause }

// of names the trust whose keys vouch for what is refused, or which a page of ours chose.
func (e *Error) of(t *LoginTrust) *Error {
	e.Domain, e.ErrorURL = t.Domain, t.ErrorURL
	return e
}

// claiming names the trust that a message says it is from. Nobody has proven that, so nobody is sent to its page for help.
func (e *Error) claiming(t *LoginTrust) *Error {
	e.Domain = t.Domain
	return e
}

// refusal names the trust of the candidate, proven or not.
func (c *candidate) refusal(e *Error) *Error {
	if c.isProven() {
		return e.of(c.trust)
	}
	return e.claiming(c.trust)
}

// quoted shows a foreign value: at most 64 characters of it.
func quoted(s string) string { return fmt.Sprintf("%.64q", s) }

// unquoted shows a foreign value where whoever writes it quotes it by himself, as handlers of slog do: at most 64 characters of
// it, with a mark in the place of what cannot be printed.
func unquoted(s string) string {
	return strings.Map(func(r rune) rune {
		if strconv.IsPrint(r) {
			return r
		}
		return utf8.RuneError
	}, fmt.Sprintf("%.64s", s))
}

// reasonOf gives a fault of the XML layer its reason.
func reasonOf(err error) *Error {
	reason := BadResponse
	if e, ok := errors.AsType[*xmlsec.Error](err); ok {
		switch e.Kind {
		case xmlsec.Limit:
			reason = TooLarge
		case xmlsec.Unsigned:
			reason = Unsigned
		case xmlsec.MalformedSignature:
			reason = MalformedSignature
		case xmlsec.WeakAlgorithm:
			reason = WeakAlgorithm
		case xmlsec.UnsupportedAlgorithm:
			reason = UnsupportedAlgorithm
		case xmlsec.WeakKey:
			reason = WeakKey
		case xmlsec.NoKey:
			reason = NoKeyOnFile
		case xmlsec.Undecryptable:
			reason = DecryptionFailed
		case xmlsec.NoDecryptionKey:
			reason = EncryptedAssertion
		case xmlsec.BadSignature, xmlsec.BadDigest:
			reason = BadSignature
		}
	}
	return &Error{Reason: reason, Found: err.Error()}
}
