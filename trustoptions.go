package saml

import "fmt"

// A TrustState says whether anybody gets in by a trust.
type TrustState int

// States of a login trust.
const (
	// Provisional: being set up; nobody gets in.
	Provisional TrustState = iota
	// Active: its users get in.
	Active
	// Inactive: switched off; nobody gets in.
	Inactive
)

// An Initiation says who begins a login.
type Initiation int

// Initiations.
const (
	// InitiatedBySP: we send an AuthnRequest, and the answer is bound to it and to the browser.
	InitiatedBySP Initiation = iota
	// InitiatedByIdP: we send the user to LoginURL with the target as a parameter, and the identity provider answers unasked.
	// It needs AllowIdPInitiated.
	InitiatedByIdP
)

// A TargetParam names the parameter of LoginURL that says where a login leads, for InitiatedByIdP.
type TargetParam int

// Target parameters.
const (
	TargetResource   TargetParam = iota // TargetResource
	TargetRelayState                    // RelayState, as ADFS wants it
	TargetShibboleth                    // target, as Shibboleth wants it
)

// A Translation says whether names are looked up in the host's table of translations.
type Translation int

// Translations.
const (
	// TranslationNone: the identity provider's name is the local one.
	TranslationNone Translation = iota
	// TranslationOptional: a name without translation is the local one. An identity provider that has a user with the name of
	// a local administrator then signs in as him, unless he is privileged: see LoginTrust.PrivilegedUsers.
	TranslationOptional
	// TranslationRequired: nobody without translation gets in, and nobody is created.
	TranslationRequired
)

// A Match says what of a local user is compared with what the identity provider asserts.
type Match int

// Matches.
const (
	// MatchUsername: the user name, octet for octet, with the NameID or with the attribute that AttributeNames.Username names.
	MatchUsername Match = iota
	// MatchEmail: the e-mail address, without regard to ASCII case, with the attribute AttributeNames.Email or, without that, with a
	// NameID that has the form of an e-mail address. An address that several users share refuses.
	MatchEmail
)

// A Product is whose software an identity provider is.
type Product int

// Products with known ways.
const (
	GenericIdP Product = iota
	EntraID
	ADFS
	Okta
	Google
	Shibboleth
	Keycloak
	Ping
	OneLogin
	SimpleSAMLphp
)

// AttributeNames names the attributes that hold a user's names. An empty field stands for the default.
type AttributeNames struct {
	// FirstName, LastName and Email; by default firstname, lastname and email.
	FirstName string `json:"firstName,omitempty"`
	LastName  string `json:"lastName,omitempty"`
	Email     string `json:"email,omitempty"`
	// Username names the attribute that takes the NameID's place, such as eduPersonPrincipalName, whose scope is then held
	// against LoginTrust.Scopes; empty, the NameID is the name.
	Username string `json:"username,omitempty"`
}

// A wordList writes the values of an option as words, the zero value first.
type wordList []string

var (
	trustStates  = wordList{"provisional", "active", "inactive"}
	initiations  = wordList{"sp", "idp"}
	targetParams = wordList{"TargetResource", "RelayState", "target"}
	translations = wordList{"none", "optional", "required"}
	matches      = wordList{"username", "email"}
	products     = wordList{"generic", "entra", "adfs", "okta", "google", "shibboleth", "keycloak", "ping", "onelogin", "simplesamlphp"}
)

func (l wordList) has(i int) bool { return i >= 0 && i < len(l) }

func (l wordList) word(i int) string {
	if !l.has(i) {
		return fmt.Sprintf("unknown (%d)", i)
	}
	return l[i]
}

func (l wordList) marshal(what string, i int) ([]byte, error) {
	if !l.has(i) {
		return nil, fmt.Errorf("saml: unknown %s %d", what, i)
	}
	return []byte(l[i]), nil
}

func (l wordList) unmarshal(what string, text []byte) (int, error) {
	for i, word := range l {
		if string(text) == word {
			return i, nil
		}
	}
	return 0, fmt.Errorf("saml: unknown %s %.64q", what, text)
}

// String gives the word that MarshalText writes.
func (s TrustState) String() string { return trustStates.word(int(s)) }

// MarshalText writes provisional, active or inactive.
func (s TrustState) MarshalText() ([]byte, error) { return trustStates.marshal("trust state", int(s)) }

// UnmarshalText reads what MarshalText writes.
func (s *TrustState) UnmarshalText(text []byte) error {
	i, err := trustStates.unmarshal("trust state", text)
	if err == nil {
		*s = TrustState(i)
	}
	return err
}

// String gives the word that MarshalText writes.
func (i Initiation) String() string { return initiations.word(int(i)) }

// MarshalText writes sp or idp.
func (i Initiation) MarshalText() ([]byte, error) { return initiations.marshal("initiation", int(i)) }

// UnmarshalText reads what MarshalText writes.
func (i *Initiation) UnmarshalText(text []byte) error {
	value, err := initiations.unmarshal("initiation", text)
	if err == nil {
		*i = Initiation(value)
	}
	return err
}

// String gives the word that MarshalText writes.
func (p TargetParam) String() string { return targetParams.word(int(p)) }

// MarshalText writes TargetResource, RelayState or target, which is the name of the parameter.
func (p TargetParam) MarshalText() ([]byte, error) {
	return targetParams.marshal("target parameter", int(p))
}

// UnmarshalText reads what MarshalText writes.
func (p *TargetParam) UnmarshalText(text []byte) error {
	value, err := targetParams.unmarshal("target parameter", text)
	if err == nil {
		*p = TargetParam(value)
	}
	return err
}

// String gives the word that MarshalText writes.
func (t Translation) String() string { return translations.word(int(t)) }

// MarshalText writes none, optional or required.
func (t Translation) MarshalText() ([]byte, error) {
	return translations.marshal("translation", int(t))
}

// UnmarshalText reads what MarshalText writes.
func (t *Translation) UnmarshalText(text []byte) error {
	value, err := translations.unmarshal("translation", text)
	if err == nil {
		*t = Translation(value)
	}
	return err
}

// String gives the word that MarshalText writes.
func (m Match) String() string { return matches.word(int(m)) }

// MarshalText writes username or email.
func (m Match) MarshalText() ([]byte, error) { return matches.marshal("match", int(m)) }

// UnmarshalText reads what MarshalText writes.
func (m *Match) UnmarshalText(text []byte) error {
	value, err := matches.unmarshal("match", text)
	if err == nil {
		*m = Match(value)
	}
	return err
}

// String gives the word that MarshalText writes.
func (p Product) String() string { return products.word(int(p)) }

// MarshalText writes generic, entra, adfs, okta, google, shibboleth, keycloak, ping, onelogin or simplesamlphp.
func (p Product) MarshalText() ([]byte, error) { return products.marshal("product", int(p)) }

// UnmarshalText reads what MarshalText writes.
func (p *Product) UnmarshalText(text []byte) error {
	value, err := products.unmarshal("product", text)
	if err == nil {
		*p = Product(value)
	}
	return err
}
