package saml

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
)

// An Account is what decides how a user of the application may sign in.
type Account struct {
	// ID is the host's own.
	ID string
	// Type is the kind of user, in the host's words: admin, customer, supplier.
	Type string
	// SSODisabled says that this user signs in with a password and never by single sign-on: the way in while single sign-on
	// is being set up, or broken.
	SSODisabled bool
}

// An SSOPolicy says who must sign in by single sign-on: plain data that the host keeps, and functions over it. It demands
// nothing until an administrator says so, as every demand here; what it demands then has one exception, SSODisabled.
type SSOPolicy struct {
	// On is the switch that Config.Enabled reads too. While it is off, everybody may use a password.
	On bool `json:"on"`
	// AllTypes demands single sign-on of every type of user, Types of those that it lists.
	AllTypes bool     `json:"allTypes,omitempty"`
	Types    []string `json:"types,omitempty"`
	// Pilot lists the IDs of those who try it first: while it is not empty, nothing is demanded of anybody else.
	Pilot []string `json:"pilot,omitempty"`
	// HasDefault: DefaultTrust found a trust, to which all logins go. It ends the pilot: with the login page gone, single
	// sign-on is demanded of everybody.
	HasDefault bool `json:"-"`
	// NoBreakGlass takes the password form away that ?sso=off shows although there is a default trust.
	NoBreakGlass bool `json:"noBreakGlass,omitempty"`
}

// Demands reports whether this user must sign in by single sign-on, and so has no use for a password: he may not sign in
// with one, not ask for a new one, and no administrator sets one for him.
func (p *SSOPolicy) Demands(a Account) bool {
	switch {
	case !p.On || a.SSODisabled:
		return false
	case p.HasDefault:
		return true
	case len(p.Pilot) > 0 && !slices.Contains(p.Pilot, a.ID):
		return false
	}
	return p.AllTypes || slices.Contains(p.Types, a.Type)
}

// PasswordLogin decides a login with a password. verify compares the password; it is called whatever the answer, and there
// is one answer for a wrong password, an unknown user (the zero Account, and a verify that works as long for nobody) and a
// user of whom single sign-on is demanded: neither words nor time tell them apart. Show PasswordRefused for it.
func (p *SSOPolicy) PasswordLogin(a Account, verify func() bool) bool {
	right := verify()
	return right && !p.Demands(a)
}

// Sentences for what a password is refused for: each is the same whether the user is there or not.
const (
	// PasswordRefused answers a login.
	PasswordRefused = "The user name or the password is wrong, or this account signs in through its identity provider."
	// ResetRequested answers a request for a new password. For an account of which single sign-on is demanded no mail goes out.
	ResetRequested = "If there is an account with that address that uses a password, a message is on its way."
	// PasswordNotSet answers an administrator who sets a password for such an account (409 Conflict).
	PasswordNotSet = "This user signs in through an identity provider and has no password."
)

// The login page.

// RemoteLogInHeading stands above the links to identity providers on a login page.
const RemoteLogInHeading = "Remote Log In"

// A RemoteLogin is a link on the login page.
type RemoteLogin struct{ Description, URL string }

// RemoteLogins are the links for a login page: of the trusts with LinkOnLoginPage that are active and can be begun at, by
// Description, without regard to case. target is where a login leads.
func (sp *ServiceProvider) RemoteLogins(trusts []LoginTrust, target string) (list []RemoteLogin) {
	trusts = slices.DeleteFunc(slices.Clone(trusts), func(t LoginTrust) bool { return !t.LinkOnLoginPage || !t.canBegin() })
	slices.SortStableFunc(trusts, func(a, b LoginTrust) int {
		return cmp.Or(strings.Compare(strings.ToLower(a.Description), strings.ToLower(b.Description)),
			strings.Compare(a.Description, b.Description), strings.Compare(a.Domain, b.Domain))
	})
	for _, t := range trusts {
		list = append(list, RemoteLogin{t.Description, sp.LoginLink(t, target)})
	}
	return list
}

// canBegin reports whether a login can begin here: the trust admits SAML, and it is known where to send the browser.
func (t *LoginTrust) canBegin() bool {
	return t.gate(MethodSAML) == nil && (t.LoginURL != "" || t.LoginPostURL != "" && t.Initiation == InitiatedBySP)
}

// Where a request goes that has no session.

// A Way is what becomes of a request for which there is no session.
type Way int

// Ways. The zero one is the page that harms nobody.
const (
	// ToLoginPage: show the host's login page.
	ToLoginPage Way = iota
	// ToIdP: send the browser to the identity provider, by StartAutomatic.
	ToIdP
	// ToPopup: show the page from which a pop-up window signs the user in again, by WriteSessionEnded.
	ToPopup
	// ToScript: tell a script, which can follow no redirect to another site, by WriteUnauthorized.
	ToScript
)

// A Visit is a request for which there is no session, as far as it decides where it goes; see ServiceProvider.Visit.
type Visit struct {
	// Script: a script, a frame or the like asks, not a window that shows what comes back.
	Script bool
	// Read: the request changes nothing and can be made again.
	Read bool
	// SSOOff: the user asks for the password form, by ?sso=off.
	SSOOff bool
	// Paused: this browser was just logged out, refused, or redirected.
	Paused bool
	// Ended is the trust of the session that ended, if there was one that is remembered.
	Ended *LoginTrust
}

// Route decides where a request goes for which there is no session. standard is the default trust as it is now, nil if
// there is none. The trust is the one to sign in with, nil on ToLoginPage. A trust that admits nobody any more leads to the
// login page: a default never locks everybody out.
func (p *SSOPolicy) Route(v Visit, standard *LoginTrust) (Way, *LoginTrust) {
	trust := v.Ended
	if trust == nil || !trust.canBegin() {
		trust = standard
	}
	usable := p.On && trust != nil && trust.canBegin()
	if !usable {
		trust = nil
	}
	switch {
	case v.Script:
		return ToScript, trust
	case !usable, v.SSOOff && !p.NoBreakGlass:
		return ToLoginPage, nil
	case trust == v.Ended && (!trust.PassPageVariables || !v.Read || v.Paused):
		return ToPopup, trust
	case v.Paused || !v.Read:
		return ToLoginPage, nil
	}
	return ToIdP, trust
}

// After a logout.

// AfterLogout is where a browser goes once its session here has ended: LogoutURL, or else LoginURL, or else "", which is
// the host's own page. Where closes is true the page there closes its window first of all.
//
// LoginURL is where a session at the identity provider that still lives signs the user in again at once: set a LogoutURL.
// Call ServiceProvider.Pause before the redirect, so that this application at least does not send him back there.
func (t *LoginTrust) AfterLogout() (place string, closes bool) {
	return cmp.Or(t.LogoutURL, t.LoginURL), t.CloseOnLogout
}

// The default trust, to which all logins go.

// A DefaultStore keeps the Domain of the default trust. It is one value and no mark on a trust, so that there is never more
// than one. Its methods are called concurrently.
type DefaultStore interface {
	// DefaultTrust returns the Domain, "" if there is none.
	DefaultTrust(ctx context.Context) (domain string, err error)
	// SwapDefaultTrust replaces old by new, "" being none, in one step, and says whether it did: not if another value than
	// old is there.
	SwapDefaultTrust(ctx context.Context, old, new string) (swapped bool, err error)
}

// DefaultFacts are what the host knows of a trust that is to become the default.
type DefaultFacts struct {
	// Succeeded: somebody has signed in through the trust, as it is now.
	Succeeded bool
	// Confirmed: nobody has, and the administrator was asked and wants it all the same.
	Confirmed bool
	// BreakGlass: there is an active administrator with SSODisabled, whose password works.
	BreakGlass bool
}

// Errors of CanBeDefault and MakeDefault, beside those of LoginTrust.Admits.
const (
	// ErrNotTried: nobody has signed in through the trust yet. Ask the administrator, and come back with Confirmed.
	ErrNotTried = sentinel("saml: nobody has signed in through this trust yet")
	// ErrNoBreakGlass: if the identity provider failed, nobody could sign in and mend it.
	ErrNoBreakGlass = sentinel("saml: no user could sign in if this identity provider failed; set SSO Disabled for an administrator first")
	// ErrNoLoginURL: it is not known where to send users.
	ErrNoLoginURL = sentinel("saml: this trust has no login URL")
	// ErrDefaultChanged: somebody else has changed the default meanwhile. Look again.
	ErrDefaultChanged = sentinel("saml: the default trust was changed meanwhile")
)

// CanBeDefault says why a trust must not become the default, nil if it may: it must admit SAML, be known where to begin
// at, have been tried, and leave a way in should it fail.
func (t *LoginTrust) CanBeDefault(facts DefaultFacts) error {
	if err := t.Admits(MethodSAML); err != nil {
		return err
	}
	switch {
	case !t.canBegin():
		return ErrNoLoginURL
	case !facts.BreakGlass:
		return ErrNoBreakGlass
	case !facts.Succeeded && !facts.Confirmed:
		return ErrNotTried
	}
	return nil
}

// MakeDefault makes the trust with that Domain the default, if CanBeDefault has nothing against it. Of two administrators
// who do so at once, one gets ErrDefaultChanged.
func MakeDefault(ctx context.Context, trusts TrustStore, defaults DefaultStore, domain string, facts DefaultFacts) error {
	before, err := defaults.DefaultTrust(ctx)
	if err != nil {
		return err
	}
	if err := canBeDefault(ctx, trusts, domain, facts); err != nil {
		return err
	}
	swapped, err := defaults.SwapDefaultTrust(ctx, before, domain)
	if err != nil {
		return err
	}
	if !swapped {
		return ErrDefaultChanged
	}
	// The trust may have been switched off since it was looked at, by somebody who found nothing to clear.
	if err := canBeDefault(ctx, trusts, domain, facts); err != nil {
		return errors.Join(err, ClearDefault(ctx, defaults, domain))
	}
	return nil
}

func canBeDefault(ctx context.Context, trusts TrustStore, domain string, facts DefaultFacts) error {
	trust, found, err := trusts.FindTrust(ctx, domain)
	switch {
	case err != nil:
		return err
	case !found:
		return refuse(UnknownDomain, quoted(domain), "the Domain of a login trust")
	}
	return trust.CanBeDefault(facts)
}

// ClearDefault ends the default if it is the trust with that Domain. Call it for "Remove default", and after every trust
// that was switched off or deleted.
func ClearDefault(ctx context.Context, defaults DefaultStore, domain string) error {
	if domain == "" {
		return nil
	}
	_, err := defaults.SwapDefaultTrust(ctx, domain, "")
	return err
}

// DefaultTrust returns the default trust, nil if there is none or if it admits nobody: what SSOPolicy.Route asks for.
func DefaultTrust(ctx context.Context, trusts TrustStore, defaults DefaultStore) (*LoginTrust, error) {
	domain, err := defaults.DefaultTrust(ctx)
	if err != nil || domain == "" {
		return nil, err
	}
	trust, found, err := trusts.FindTrust(ctx, domain)
	if err != nil || !found || !trust.canBegin() {
		return nil, err
	}
	return &trust, nil
}
