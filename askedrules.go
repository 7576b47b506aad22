package saml

// An askedRule is one demand of a request.
type askedRule struct {
	reason Reason
	spec   string
	check  func(*candidate, *pending) *mismatch
}

// askedRules hold an answer against its request.
var askedRules = []askedRule{
	{BadRequest, "SAML Profiles 4.2.4", askedPAOS},
	{WrongAuthnContext, "SAML Core 3.3.2.2.1", askedContext},
	{ReauthenticationRequired, "SAML Core 3.4.1, ForceAuthn", askedForce},
	{ReauthenticationRequired, "StartOptions.MaxAuthnAge", askedAge},
	{WrongNameIDFormat, "SAML Core 3.4.1.1", askedFormat},
	{OtherSubject, "SAML Core 3.4.1, Subject", askedSubject},
}

func (c *candidate) applyAsked(p *pending) *Error {
	for _, r := range c.rules.asked {
		if m := r.check(c, p); m != nil {
			e := refuse(r.reason, m.found, m.wanted)
			e.Spec = r.spec
			return e
		}
	}
	return nil
}

// askedForce: who was to be authenticated anew was, behind the request.
func askedForce(c *candidate, p *pending) *mismatch {
	if t := lastAuthnBy(c.Assertion, c.classesFor(p)); p.forceAuthn && t.Before(p.issued.Add(-c.skew)) {
		return &mismatch{found: "AuthnInstant " + stamp(t), wanted: "at least " + stamp(p.issued.Add(-c.skew))}
	}
	return nil
}

// classesFor are those of which the authentication that counts must be one: an old strong one and a fresh weak one are no fresh
// strong one.
func (c *candidate) classesFor(p *pending) []string {
	if len(p.authnContext) > 0 {
		return p.authnContext
	}
	return c.trust.AuthnContext
}

func askedAge(c *candidate, p *pending) *mismatch {
	return c.authnSince(p.maxAuthnAge, c.classesFor(p))
}

func askedContext(c *candidate, p *pending) *mismatch {
	return oneOfClasses(c.Assertion, p.authnContext)
}

func askedFormat(c *candidate, p *pending) *mismatch {
	got := newNameID(c.Assertion.NameID).Format
	if p.nameIDFormat != "" && p.nameIDFormat != NameIDUnspecified && got != p.nameIDFormat {
		return &mismatch{found: quoted(got), wanted: quoted(p.nameIDFormat)}
	}
	return nil
}

func askedSubject(c *candidate, p *pending) *mismatch {
	if p.subject != "" && !c.isSubject(p.subject) {
		return &mismatch{found: "another subject", wanted: "the one that was asked for"}
	}
	return nil
}

// isSubject reports whether the assertion is about whom the request asked for; see expectedSubject.
func (c *candidate) isSubject(fingerprint string) bool {
	a := Assertion{w: c.Assertion, spEntityID: c.entityID}
	s := a.Subject()
	if s.NameID.Value == "" {
		return false
	}
	if s.fingerprint(true) == fingerprint {
		return true
	}
	s.Issuer = c.trust.Domain // as the request had it
	return s.fingerprint(false) == fingerprint
}
