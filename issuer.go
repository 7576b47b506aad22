package saml

import (
	"context"

	"github.com/logintrust/saml/internal/wire"
)

// findTrust picks the login trust by the Issuer, which is all that an unverified message is asked for, and returns it with
// that Issuer.
func (sp *ServiceProvider) findTrust(ctx context.Context, c *wire.Claims) (trust *LoginTrust, issuer string, refused *Error) {
	if issuer, refused = claimedIssuer(c); refused != nil {
		return nil, "", refused
	}
	if trust, refused = sp.trustOf(ctx, issuer); refused != nil {
		return nil, "", refused
	}
	if refused := trust.gate(MethodSAML); refused != nil {
		return nil, "", refused.claiming(trust)
	}
	return trust, issuer, nil
}

// claimedIssuer is whom a message says that it is from: the Issuer of the Response or, if it has none, of its assertion.
func claimedIssuer(c *wire.Claims) (string, *Error) {
	from := c.Issuer
	if !from.Present {
		from = c.AssertionIssuer
	}
	if !from.Present {
		return "", refuse(WrongIssuer, "no Issuer", "the Issuer of a login trust")
	}
	return from.Value, nil
}

// trustOf finds the trust whose Domain is the issuer, or else the one that the resolver has for it.
func (sp *ServiceProvider) trustOf(ctx context.Context, issuer string) (*LoginTrust, *Error) {
	trust, found, err := sp.config.Trusts.FindTrust(ctx, issuer)
	if err == nil && found && trust.Domain == issuer {
		return &trust, nil
	}
	domain := ""
	if err == nil && sp.config.ResolveIssuer != nil {
		if domain, found, err = sp.config.ResolveIssuer(ctx, issuer); err == nil && found {
			trust, found, err = sp.config.Trusts.FindTrust(ctx, domain)
		}
	}
	switch {
	case err != nil:
		return nil, storeFailed(err)
	case domain == "" || !found || trust.Domain != domain:
		return nil, refuse(UnknownDomain, quoted(issuer), "the Domain of a login trust")
	}
	return &trust, nil
}

// confirmIssuer asks again for the trust of an issuer that is not its Domain, now that the issuer is proven: what picked
// the keys was not, and the answer may have changed.
func (sp *ServiceProvider) confirmIssuer(ctx context.Context, c *candidate) *Error {
	if c.issuer == c.trust.Domain {
		return nil
	}
	issuer := c.Assertion.Issuer.Value // which the rules hold against c.issuer
	trust, refused := sp.trustOf(ctx, issuer)
	if refused != nil {
		return refused
	}
	if trust.Domain != c.trust.Domain {
		return refuse(WrongIssuer, quoted(issuer), "an issuer of "+quoted(c.trust.Domain))
	}
	return nil
}
