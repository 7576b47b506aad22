package saml

import (
	"context"
	"reflect"
	"runtime"
	"slices"
	"strings"

	"github.com/logintrust/saml/internal/wire"
)

// WithoutRule is a copy of the service provider that lacks its i-th rule, with the name of the rule's function and its reason;
// nil behind the last. Nothing outside this package's tests can make one.
func (sp *ServiceProvider) WithoutRule(i int) (lacking *ServiceProvider, name string, reason Reason) {
	lacking, err := New(sp.config)
	if err != nil {
		panic(err)
	}
	rules := *lacking.rules
	lacking.rules = &rules
	var check any
	switch {
	case drop(&rules.envelope, &i, &reason, &check), drop(&rules.assertion, &i, &reason, &check), drop(&rules.confirmation, &i, &reason, &check),
		drop(&rules.asked, &i, &reason, &check), drop(&rules.address, &i, &reason, &check), drop(&rules.departure, &i, &reason, &check),
		drop(&rules.change, &i, &reason, &check):
		name = runtime.FuncForPC(reflect.ValueOf(check).Pointer()).Name()
		return lacking, name[strings.LastIndexByte(name, '.')+1:], reason
	}
	return nil, "", ""
}

// drop takes the i-th rule out of a list, or counts i down by the list's length.
func drop[R interface{ parts() (Reason, any) }](list *[]R, i *int, reason *Reason, check *any) bool {
	if *i >= len(*list) {
		*i -= len(*list)
		return false
	}
	*reason, *check = (*list)[*i].parts()
	*list = slices.Delete(slices.Clone(*list), *i, *i+1)
	return true
}

func (r rule) parts() (Reason, any)             { return r.reason, r.check }
func (r confirmationRule) parts() (Reason, any) { return r.reason, r.check }
func (r askedRule) parts() (Reason, any)        { return r.reason, r.check }
func (r logoutRule) parts() (Reason, any)       { return r.reason, r.check }

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
