package saml

import (
	"context"
	"slices"

	"github.com/logintrust/saml/internal/wire"
)

// WithoutRule is a copy of the service provider that lacks its i-th rule, and that rule's name; nil behind the last.
// Nothing outside this package's tests can make one.
func (sp *ServiceProvider) WithoutRule(i int) (lacking *ServiceProvider, name string) {
	lacking, err := New(sp.config)
	if err != nil {
		panic(err)
	}
	drop := func(list []rule, i int) []rule { return slices.Delete(slices.Clone(list), i, i+1) }
	if i < len(envelopeRules) {
		lacking.envelope = drop(envelopeRules, i)
		return lacking, string(envelopeRules[i].reason) + ", " + envelopeRules[i].spec
	}
	if i -= len(envelopeRules); i < len(assertionRules) {
		lacking.assertion = drop(assertionRules, i)
		return lacking, string(assertionRules[i].reason) + ", " + assertionRules[i].spec
	}
	return nil, ""
}

// WithoutLogoutRule is WithoutRule for messages of single logout.
func (sp *ServiceProvider) WithoutLogoutRule(i int) (lacking *ServiceProvider, name string) {
	lacking, err := New(sp.config)
	if err != nil {
		panic(err)
	}
	drop := func(list []logoutRule, i int) []logoutRule { return slices.Delete(slices.Clone(list), i, i+1) }
	if i < len(addressRules) {
		lacking.address = drop(addressRules, i)
		return lacking, string(addressRules[i].reason)
	}
	if i -= len(addressRules); i < len(departureRules) {
		lacking.departure = drop(departureRules, i)
		return lacking, string(departureRules[i].reason)
	}
	return nil, ""
}

// StripQuestionMark and LocalPath are for the fuzz target of their counterpart.
var (
	StripQuestionMark = stripQuestionMark
	LocalPath         = localPath
)

// MapSubject maps a subject of an issuer that need not be the trust's Domain, which no message can have today.
func (sp *ServiceProvider) MapSubject(ctx context.Context, trust LoginTrust, issuer, name string, attributes map[string]string) (*Login, error) {
	a := &wire.Assertion{Issuer: wire.NameID{Value: issuer}, Identifier: wire.ByNameID, NameID: wire.NameID{Value: name}}
	for name, value := range attributes {
		a.Attributes = append(a.Attributes, wire.Attribute{Name: name, Values: []string{value}})
	}
	login := &Login{Assertion: &Assertion{w: a, spEntityID: sp.config.EntityID}, trust: &trust}
	if err := sp.mapUser(ctx, login, Posted{}, sp.config.Now()); err != nil {
		return nil, err
	}
	return login, nil
}
