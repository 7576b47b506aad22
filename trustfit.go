package saml

import "errors"

// Problems are all that trust.Problems has to say, and behind that what an active trust asks for that this service provider
// has not been given, so that logins would be refused or could not begin: for the form that saves a trust, since otherwise the
// first user finds out. It asks no store and no network, and does not look at what only some logins need.
func (sp *ServiceProvider) Problems(trust LoginTrust) []FieldError {
	p := problems(trust.Problems())
	if trust.State == Active && trust.SAML {
		sp.checkBegins(&p, &trust)
		sp.checkOpens(&p, &trust)
		sp.checkMaps(&p, &trust)
	}
	return p
}

// checkBegins: is there a way for a login to begin, and can we send what it takes?
func (sp *ServiceProvider) checkBegins(p *problems, t *LoginTrust) {
	if t.Initiation != InitiatedBySP {
		return
	}
	location, byPOST, _ := endpoint(*t, AnyBinding) // a place that is none is said by trust.Problems
	if location == "" {
		begins := t.AllowIdPInitiated || sp.config.ECP
		p.when(!begins, "LoginURL", "is needed, or LoginPostURL, or AllowIdPInitiated: there is no way to sign in")
		return
	}
	key, err := sp.signingKey(t)
	switch {
	case errors.Is(err, ErrNoAlgorithm):
		field := "SignatureAlgorithm"
		if t.SignatureAlgorithm == "" {
			field = "SigningMethods"
		}
		p.add(field, "the application has no key that signs so (Config.SigningKeys, SignatureAlgorithms)")
	case err != nil:
		p.add("WantRequestsSigned", "the application has no key that signs (Config.SigningKeys)")
	case key != nil && byPOST:
		_, err = sp.digest(t)
		p.when(err != nil, "DigestMethods", "the application makes none of them (Config.DigestAlgorithms)")
	}
}

// checkOpens: can we read what the trust demands?
func (sp *ServiceProvider) checkOpens(p *problems, t *LoginTrust) {
	p.when(t.RequireEncryption && len(sp.config.DecryptionKeys) == 0, "RequireEncryption",
		"the application has no key that decrypts (Config.DecryptionKeys)")
}

// checkMaps: is there a way to a local user?
func (sp *ServiceProvider) checkMaps(p *problems, t *LoginTrust) {
	if sp.config.Users == nil {
		p.when(t.PasswordRequired, "PasswordRequired", "the application has no directory of users (Config.Users)")
		return
	}
	const orAny = ", or AllowAnyOrganization: the trust lets nobody in"
	p.when(t.isNobodys(), "Organization", "is needed"+orAny)
	p.when(t.Match == MatchEmail && len(t.EmailDomains) == 0 && !t.AllowAnyOrganization, "EmailDomains",
		"are needed where users are known by their e-mail addresses"+orAny)
	p.when(t.Translation != TranslationNone && sp.config.Translations == nil, "Translation",
		"the application has no table of translations (Config.Translations)")
}
