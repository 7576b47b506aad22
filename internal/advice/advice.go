package advice

// Who can mend what was refused.
const (
	IdP       = "the identity provider's administrator"
	App       = "the application's administrator, in the login trust"
	User      = "the user"
	Developer = "the application's developers"
	Switch    = "the application's administrator, by Config.Enabled"
	Directory = "the application's administrator, in the list of users"
	Both      = "both administrators together"
	Nobody    = "nobody: this is what an attack looks like"
)

// Advice is what a reason means, and what to do.
type Advice struct {
	// Meaning says what happened, in a sentence.
	Meaning string
	// Actor is who can mend it.
	Actor string
	// Remedy says what to do.
	Remedy string
}

type entry struct {
	meaning, actor, remedy string
	products               map[string]string // remedies in the words of a product
}

// For returns the advice for a reason, in the words of the product if there are any.
func For(reason, product string) Advice {
	e := entries[reason]
	a := Advice{e.meaning, e.actor, e.remedy}
	if words := e.products[product]; words != "" {
		a.Remedy = product + ": " + words
	}
	if also := ours[reason]; also != "" {
		a.Remedy += " " + also
	}
	return a
}

// ours is what can be done on our side instead, whatever the product is.
var ours = map[string]string{
	"missing_attribute": "Or tell the login trust the names that the identity provider sends: LoginTrust.Attributes, for instance trust.Attributes = trust.Product.AttributeNames(), and RequiredAttributes.",
}

var entries = map[string]entry{
	"bad_request": {"The request was not a form POST with one message in it.", Developer,
		"Look at the binding: the identity provider must post to the assertion consumer service. A person who opens its URL by hand sees this too. Check that no proxy turns the POST into a GET, for instance by redirecting from http to https.", nil},
	"bad_artifact": {"What came was no artifact of SAML 2.0, or one of a service that the login trust does not have.", App,
		"Import the identity provider's metadata again: its ArtifactResolutionService has changed.", nil},
	"artifact_failed": {"The identity provider did not give out the message that an artifact stands for.", Both,
		"Check that this application reaches the identity provider's ArtifactResolutionService, that TLS and the signature of our request are accepted there, and that the artifact was not used before.", nil},
	"too_large": {"The form, the message or its structure is beyond a limit.", IdP,
		"Send fewer attribute values: only the groups that matter to this application.", map[string]string{
			EntraID: "Enterprise application, Single sign-on, Attributes & Claims, Group claim: emit only the groups that are assigned to the application.",
			ADFS:    "edit the relying party trust's claim issuance policy so that it sends only the groups that matter, not all token groups.",
			Okta:    "application, Sign On, Group Attribute Statements: narrow the filter.",
		}},
	"bad_response": {"The message is not base64, not well-formed XML, or not of the form that the SAML schemas have.", IdP,
		"Compare the message with the specification; a proxy that rewrites forms can damage it too.", nil},

	"sso_disabled": {"Single sign-on is switched off as a whole, for all login trusts.", Switch,
		"Config.Enabled answers that it is off: switch it on again where that function looks. The login trust has no part in it.", nil},
	"unknown_domain": {"No login trust has the message's Issuer as its Domain.", App,
		"Compare the Issuer with the Domain of the login trust letter for letter, slash at the end included, and import the metadata of an identity provider that you know if there is no trust for it yet.", map[string]string{
			EntraID:  "the Domain is the Microsoft Entra Identifier, https://sts.windows.net/{tenant}/ with its slash, and not the Login URL.",
			ADFS:     "the Domain is the Federation Service identifier, as a rule http://{host}/adfs/services/trust, with http.",
			Okta:     "the Domain is the Issuer on the application's Sign On page, http://www.okta.com/{id}. Each application has its own.",
			Google:   "the Domain is the Entity ID of the application's IdP details, https://accounts.google.com/o/saml2?idpid={id}.",
			OneLogin: "the Domain is the Issuer URL on the application's SSO page. Each application has its own.",
			Keycloak: "the Domain is the realm's URL, {base}/realms/{realm}; it changes with the host name that Keycloak is told.",
		}},
	"trust_provisional": {"The login trust is still being set up.", App, "Finish it and switch it to active.", nil},
	"trust_inactive":    {"The login trust is switched off.", App, "Switch it to active, if its users shall sign in again.", nil},
	"method_not_allowed": {"The login trust does not admit this way of signing in.", App,
		"Switch SAML on in the login trust.", nil},
	"no_key_on_file": {"The login trust has no key, or none of the kind that the signature needs.", App,
		"Import the identity provider's metadata again, or paste its current signing certificate.", nil},

	"unsigned": {"A signature that the login trust requires is missing.", IdP,
		"Sign the assertion, or the response, or both, as the login trust requires.", map[string]string{
			EntraID:       "Enterprise application, Single sign-on, SAML Certificates, Signing Option: Sign SAML response and assertion.",
			ADFS:          "Set-AdfsRelyingPartyTrust -SamlResponseSignature MessageAndAssertion.",
			Okta:          "application, General, SAML Settings, Advanced: Response and Assertion Signature both Signed.",
			Google:        "application, Service provider details: Signed response.",
			Keycloak:      "client, Settings: Sign documents and Sign assertions on.",
			OneLogin:      "application, Configuration, SAML signature element: Both.",
			Ping:          "application, Configuration: Sign Response, Sign Assertion, or both.",
			SimpleSAMLphp: "in the metadata of the service provider: 'saml20.sign.assertion' and 'saml20.sign.response' true.",
		}},
	"malformed_signature": {"The signature is not of the one form that SAML allows.", Nobody,
		"If the identity provider is genuine, report the message to its makers; forgeries by signature wrapping look like this.", nil},
	"weak_algorithm": {"The message uses an algorithm that is refused unless the login trust allows it, such as SHA-1.", IdP,
		"Sign with RSA-SHA256 or better, encrypt with AES-GCM; or weigh the trust's Allow options, each of which names its attack.", map[string]string{
			EntraID:       "Enterprise application, Single sign-on, SAML Certificates, Signing Algorithm: SHA-256.",
			ADFS:          "relying party trust, Properties, Advanced, Secure hash algorithm: SHA-256.",
			Okta:          "application, General, SAML Settings, Advanced: Signature Algorithm RSA-SHA256, Digest Algorithm SHA256.",
			Keycloak:      "client, Settings, Signature algorithm: RSA_SHA256; Encryption: an AES-GCM algorithm.",
			OneLogin:      "application, SSO, SAML Signature Algorithm: SHA-256.",
			Shibboleth:    "the encryption algorithm falls back to CBC where idp.encryption.config is shibboleth.EncryptionConfiguration.CBC: use the GCM default.",
			SimpleSAMLphp: "'signature.algorithm' to rsa-sha256; older versions encrypt with CBC: have the response signed too and set AllowSignedCBC; unsigned, an attacker can alter the ciphertext until the answers tell him what is in it.",
			LemonLDAP:     "SAML2 service, signature method RSA-SHA256; its encryption is CBC: have the response signed too and set AllowSignedCBC; unsigned, an attacker can alter the ciphertext until the answers tell him what is in it.",
		}},
	"unsupported_algorithm": {"The message uses an algorithm that is on no list.", IdP,
		"Sign with RSA-SHA256 or ECDSA-SHA256, and encrypt with AES-GCM and RSA-OAEP.", nil},
	"weak_key": {"The key on file is too short.", IdP, "Make a signing key of at least 2048 bits, and send its certificate.", nil},
	"bad_signature": {"No key on file made the signature, or what it covers was changed.", App,
		"If the identity provider has a new key: import its metadata again and add the key, after comparing its SHA-256 over another way. If it has not, the message was changed or forged.", map[string]string{
			EntraID:  "use the application's own App Federation Metadata Url, with ?appid=: its keys differ from the tenant's. Certificates are under Single sign-on, SAML Certificates.",
			ADFS:     "AD FS rolls its token-signing certificate over once a year by itself: import the federation metadata again.",
			Okta:     "application, Sign On, SAML Signing Certificates: the active one is used; its metadata is behind Actions.",
			Google:   "Apps, Web and mobile apps, the application, Service provider details, Certificate; download the metadata again.",
			Keycloak: "realm settings, Keys: a rotated RS256 key is at once the one that signs; import the descriptor again.",
			OneLogin: "application, SSO, X.509 Certificate: view details; it must be the one of this application.",
		}},

	"wrong_version": {"The message is not SAML 2.0.", IdP, "Set the application up as SAML 2.0 there.", map[string]string{
		Okta: "make the application a SAML 2.0 one, not SAML 1.1.",
		ADFS: "the relying party trust needs a SAML assertion consumer endpoint, not only WS-Federation.",
	}},
	"wrong_destination": {"The message was meant for another address.", IdP,
		"Set the assertion consumer service URL there to ours, letter for letter.", map[string]string{
			EntraID:  "Enterprise application, Single sign-on, Basic SAML Configuration, Reply URL (Assertion Consumer Service URL).",
			ADFS:     "relying party trust, Properties, Endpoints: the SAML Assertion Consumer Endpoint.",
			Okta:     "application, General, SAML Settings: Single sign-on URL, with Use this for Recipient URL and Destination URL.",
			Google:   "application, Service provider details: ACS URL.",
			Ping:     "application, Configuration: ACS URLs.",
			OneLogin: "application, Configuration: ACS (Consumer) URL, and its validator.",
			Keycloak: "client, Settings: Valid redirect URIs, and Advanced, Assertion Consumer Service POST Binding URL.",
		}},
	"wrong_issuer": {"An Issuer is missing, or is not the one of the login trust.", IdP,
		"Response and Assertion must name the same Issuer, which is the Domain of the login trust.", nil},
	"idp_refused": {"The identity provider answers that it did not sign the user in.", IdP,
		"Look in the identity provider's log at the time of the message: often the user is not assigned to the application.", map[string]string{
			EntraID:    "Entra ID, Sign-in logs, by the time and user; Enterprise application, Users and groups, for who is assigned.",
			ADFS:       "AD FS event log, events 364 and 321; the relying party trust's access control policy.",
			Okta:       "Reports, System Log; application, Assignments.",
			Google:     "Reporting, Audit and investigation, SAML log events; the application's User access.",
			OneLogin:   "Activity, Events; the user's applications and the policy of the application.",
			Keycloak:   "realm, Events, login events, of type LOGIN_ERROR.",
			Shibboleth: "idp-process.log at the time; an attribute filter or relying-party override may be missing.",
		}},
	"no_passive": {"The identity provider could not sign the user in without asking.", User,
		"This is the ordinary answer to a passive request: sign in with a button.", nil},
	"no_assertion": {"The message says success, and holds no assertion.", IdP,
		"Report it to the makers of the identity provider.", nil},
	"several_assertions": {"The message holds more than one assertion.", Nobody,
		"No known product does this; if the identity provider is genuine, make it send one.", nil},
	"encrypted_assertion": {"The assertion is encrypted, and this application has no key to open it.", Both,
		"Switch encryption off there, or give this application a decryption key and import its metadata there again.", map[string]string{
			EntraID:    "Enterprise application, Token encryption: the certificate that is active must be ours; deactivate it if we have none.",
			ADFS:       "relying party trust, Properties, Encryption: remove the certificate, or update the trust from our metadata.",
			Okta:       "application, General, SAML Settings, Advanced, Assertion Encryption.",
			Shibboleth: "idp.encryption.optional=true, or a relying-party override with p:encryptAssertions=\"false\".",
			Keycloak:   "client, Keys, Encryption keys config: Encrypt assertions.",
			OneLogin:   "application, Configuration, SAML encryption.",
		}},
	"encryption_required": {"The assertion came in clear, and the login trust requires encryption.", IdP,
		"Import our metadata, which has our encryption certificate, and switch encryption on.", map[string]string{
			EntraID:    "Enterprise application, Token encryption: import our certificate and activate it.",
			ADFS:       "relying party trust, Properties, Encryption: our certificate.",
			Okta:       "application, General, SAML Settings, Advanced, Assertion Encryption: Encrypted, with our certificate.",
			Google:     "Google Workspace does not encrypt assertions: the login trust cannot require it.",
			Keycloak:   "client, Keys, Encryption keys config: Encrypt assertions on.",
			OneLogin:   "application, Configuration: SAML encryption, with our public key.",
			Shibboleth: "p:encryptAssertions=\"true\" for this relying party; it is the default where our metadata has a key.",
		}},
	"decryption_failed": {"What is encrypted could not be opened. There is one such refusal, whatever went wrong.", Both,
		"Import our metadata there again, so that it encrypts for a key that we still have, with AES-GCM and RSA-OAEP.", nil},

	"no_subject": {"The message names no subject, or names it in a way that is not supported.", IdP,
		"Send a NameID.", map[string]string{
			ADFS: "add a claim rule that issues the claim type Name ID.",
		}},
	"wrong_subject_qualifier": {"The NameID was made for another service provider.", IdP,
		"The NameID's SPNameQualifier must be our entity ID.", nil},
	"no_bearer_confirmation": {"There is no bearer confirmation with Recipient and NotOnOrAfter.", IdP,
		"The identity provider must use the Web Browser SSO profile.", nil},
	"wrong_recipient": {"The assertion may be delivered to another address only.", IdP,
		"Set the Recipient there to our assertion consumer service URL, letter for letter.", map[string]string{
			EntraID:  "Enterprise application, Single sign-on, Basic SAML Configuration, Reply URL (Assertion Consumer Service URL).",
			Okta:     "application, General, SAML Settings: Recipient URL.",
			OneLogin: "application, Configuration: Recipient.",
			Google:   "application, Service provider details: ACS URL.",
			ADFS:     "relying party trust, Properties, Endpoints: the SAML Assertion Consumer Endpoint.",
		}},
	"wrong_address": {"The assertion may be delivered from another network address only.", App,
		"Users behind changing addresses cannot use CheckClientAddress: switch it off, or see that proxies pass on the client's address.", nil},
	"wrong_in_response_to": {"The message and its assertion name different requests, or only one of them names one.", Nobody,
		"If the identity provider is genuine, report it to its makers: parts of two answers were mixed.", nil},
	"not_yet_valid": {"A time in the message is still to come.", Both,
		"Set both clocks by NTP; Config.ClockSkew bridges minutes.", map[string]string{
			ADFS: "Set-AdfsRelyingPartyTrust -NotBeforeSkew 3 lets assertions begin earlier; set the server's clock all the same.",
		}},
	"expired": {"The message is too old.", User,
		"Sign in again from the application. If it happens to everybody, set both clocks by NTP.", nil},
	"valid_too_long": {"The assertion is valid for longer than it could be remembered.", IdP,
		"Let a SubjectConfirmation end within a day; five minutes are usual.", nil},
	"bad_conditions":    {"The conditions contradict themselves.", IdP, "Report the message to the makers of the identity provider.", nil},
	"unknown_condition": {"There is a condition that is not understood, so that nobody knows whether it holds.", IdP, "Leave the condition out.", nil},
	"wrong_audience": {"The assertion is not restricted to this application.", IdP,
		"Set the audience there to our entity ID, letter for letter.", map[string]string{
			EntraID:  "Enterprise application, Single sign-on, Basic SAML Configuration, Identifier (Entity ID).",
			ADFS:     "relying party trust, Properties, Identifiers: Relying party identifiers.",
			Okta:     "application, General, SAML Settings: Audience URI (SP Entity ID).",
			Google:   "application, Service provider details: Entity ID.",
			OneLogin: "application, Configuration: Audience (EntityID).",
			Keycloak: "client, Settings: Client ID is our entity ID.",
			Ping:     "application, Configuration: Entity ID.",
		}},
	"no_authn_statement": {"The assertion does not say how and when the user was authenticated.", IdP,
		"Send an AuthnStatement.", nil},
	"authn_in_future": {"The authentication is said to have happened in the future.", Both, "Set both clocks by NTP.", nil},
	"session_expired": {"The session at the identity provider is over.", User, "Sign in again.", nil},
	"wrong_authn_context": {"The user was not authenticated in a way that is accepted.", Both,
		"Ask for the second factor there, or let the login trust accept what it sends.", map[string]string{
			EntraID: "a Conditional Access policy can demand multi-factor authentication; the class that it sends is seldom the one that was asked for, so ask for none and look at the authnmethodsreferences attribute.",
		}},
	"reauthentication_required": {"The authentication is older than what is accepted.", User,
		"Sign in again. If the identity provider does not ask for the password although ForceAuthn was sent, its administrator must let it.", nil},
	"wrong_name_id_format": {"The NameID has another format than was asked for.", IdP,
		"Send the format that is asked for, or let the application ask for none.", map[string]string{
			EntraID: "Enterprise application, Single sign-on, Attributes & Claims, Unique User Identifier: Name identifier format.",
			ADFS:    "the claim rule that issues Name ID: its outgoing name ID format.",
			Okta:    "application, General, SAML Settings: Name ID format.",
			Google:  "application, Service provider details: Name ID format.",
		}},
	"other_subject": {"The answer is about somebody else than was asked for.", User,
		"Sign in at the identity provider with the account that is signed in here.", nil},
	"missing_attribute": {"An attribute that the login trust requires is missing.", Both,
		"Release the attribute to this application, under the name that the login trust wants.", map[string]string{
			EntraID:    "Enterprise application, Single sign-on, Attributes & Claims: names are URIs such as http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress. Above 150 groups a link comes in the place of the groups.",
			ADFS:       "the relying party trust's claim issuance policy: a rule that sends it.",
			Okta:       "application, General, SAML Settings: Attribute Statements.",
			Google:     "application, SAML attribute mapping.",
			Shibboleth: "attribute-filter.xml: a policy that releases it to our entity ID.",
			Keycloak:   "client, Client scopes, the dedicated scope: a mapper.",
			OneLogin:   "application, Parameters: with Include in SAML assertion.",
			Ping:       "application, Attribute Mappings.",
		}},

	"unsolicited_not_allowed": {"The identity provider began the login, which the login trust does not allow.", App,
		"Start from the application, or set AllowIdPInitiated, which lets an attacker sign a victim in to an account of his own.", map[string]string{
			EntraID: "My Apps and the Test button begin there; set a Sign on URL to our login page, and both begin with us.",
			Okta:    "tiles begin there; a bookmark app that leads to our login page begins with us.",
			Google:  "the app launcher begins there; set a Start URL that leads to our login page.",
		}},
	"no_idp_chosen": {"The user came back from the discovery service without a choice.", User, "Choose an identity provider.", nil},
	"unknown_request": {"The answer is to a request that is not pending: never made, made to another identity provider, or too old.", User,
		"Start again from the application. If it happens to everybody, the processes of the application do not share one state store.", map[string]string{
			EntraID:  "the Test button of the portal makes up an InResponseTo: start from the application instead.",
			Rippling: "answers that it began itself name a request that it made up: the trust has AllowUnknownInResponseTo for that.",
		}},
	"browser_mismatch": {"The answer came in another browser than its request.", User,
		"Start again in one browser. Private windows, cookies that are blocked, and an application that answers on two host names cause it too.", nil},
	"replayed":   {"The message was used before.", User, "Start again: a reload or the back button sent it once more.", nil},
	"logged_out": {"The identity provider has ended the session before the login was finished.", User, "Sign in again.", nil},

	"transient_subject": {"The user's only identifier is a transient one, which the login trust does not take for a lasting one.", IdP,
		"Send a persistent NameID, or name the user by an attribute and let the login trust use it.", map[string]string{
			Shibboleth: "saml-nameid.properties: a persistent NameID, or release an identifier such as subject-id and name it in the login trust.",
		}},
	"bad_subject": {"What the identity provider calls the user is missing, too long, or has control characters or white space at an end.", IdP,
		"Mend the user's entry there.", nil},
	"bad_attribute": {"An attribute that names the user has several values, or one that is no name or no e-mail address.", IdP,
		"Send one value.", nil},
	"wrong_scope":        {"The user's name has a scope that the login trust does not list.", App, "Add the scope to the login trust, if the identity provider may speak for it.", nil},
	"wrong_email_domain": {"The user's e-mail address has a domain that the login trust does not list.", App, "Add the domain to the login trust, if the identity provider may speak for it.", nil},
	"not_translated":     {"The login trust admits translated users only, and this one has no translation.", App, "Add a translation for the user.", nil},
	"translation_dangling": {"The user's translation leads to no user of the login trust's organization.", App,
		"Mend the translation, or create the user.", nil},
	"wrong_organization":    {"The user is of an organization whose users the login trust may not log in.", App, "Check LoginTrust.Organization and the user's organization.", nil},
	"ambiguous_user":        {"Several users have what identifies this one.", Directory, "Give each user a name of his own, or use a translation.", nil},
	"ambiguous_email":       {"Several users have the e-mail address.", Directory, "Give each user an address of his own, or match by another name.", nil},
	"wrong_subject":         {"The user of that name or address belongs to another subject.", Directory, "If it is the same person with a new account at the identity provider, remove the user's old account key.", nil},
	"invalid_user":          {"There is no such user, and none is created.", Directory, "Create the user, or let the login trust create users.", nil},
	"email_taken":           {"The e-mail address of a user to be created is another user's.", Directory, "Find out whether it is the same person. If it is, link that user to the subject; if not, give one of them another address. Users are never merged.", nil},
	"username_taken":        {"The user name of a user to be created is another user's.", Directory, "Find out whether it is the same person. If it is, link that user to the subject; if not, give one of them another name. Users are never merged.", nil},
	"sso_disabled_for_user": {"The user logs in with a password, not by single sign-on.", Directory, "Switch single sign-on for the user on.", nil},
	"user_disabled":         {"The user is login-disabled, deleted, locked or expired.", Directory, "Enable the user, or let the login trust re-activate users.", nil},
	"user_not_allowed":      {"The login trust denies the user: by name, for his roles, or because he is privileged.", App, "Name a privileged user in LoginTrust.PrivilegedUsers, if he shall come in by this trust.", nil},
	"no_roles":              {"The user has no role.", Directory, "Give the user a role.", nil},
	"password_required":     {"The user's local password is asked for too; this is no refusal yet.", User, "Type the password.", nil},
	"password_wrong":        {"The local password was wrong; there are tries left.", User, "Try again.", nil},
	"password_failed":       {"The local password was wrong too often.", User, "Start again, or have the password reset.", nil},

	"not_configured": {"The trust or the application lacks what this login needs, such as a URL or a signing key.", App, "Complete the login trust, or the configuration: the detail names what is missing.", nil},
	"store_failed":   {"A store could not be asked, so nothing is known and nobody gets in.", Developer, "Look after the database or cache behind the stores: the cause is in the error.", nil},

	"no_answer": {"No answer came back from the identity provider.", IdP,
		"The browser most likely still shows an error page there: its text says what the identity provider dislikes.", map[string]string{
			EntraID:    "an AADSTS code stands on the page: AADSTS700016 is a wrong Identifier (Entity ID), AADSTS50011 a wrong Reply URL, AADSTS50105 a user who is not assigned.",
			ADFS:       "the page has an Activity ID: look for it in the AD FS event log. MSIS3200 is an assertion consumer service that the relying party trust lacks.",
			Google:     "the page says 403 app_not_configured or app_not_configured_for_user: the Entity ID or ACS URL differs from ours, or the application is off for the user.",
			Okta:       "a 404 or 403 page: the application is inactive, or the user is not assigned.",
			Keycloak:   "'Invalid requester' or 'Client not found': the Client ID is not our entity ID; 'Invalid redirect uri': the Valid redirect URIs lack our URL.",
			Shibboleth: "'Unsupported Request' or 'Web Login Service - Unsupported Request': our metadata is not loaded there.",
		}},
}
