package saml

import "slices"

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

// StripQuestionMark and LocalPath are for the fuzz target of their counterpart.
var (
	StripQuestionMark = stripQuestionMark
	LocalPath         = localPath
)
