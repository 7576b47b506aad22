package saml

import "strings"

// A Login is a login that was accepted: who, by which trust, and where to now. It is only made by Validate, FinishLogin and
// FinishPassword.
type Login struct {
	*Assertion
	trust       *LoginTrust
	returnTo    string
	requestID   string
	unsolicited bool
	steppedUp   bool

	user                 *User
	created, reactivated bool
}

// Trust is the login trust that admitted the user.
func (l *Login) Trust() LoginTrust {
	if l.trust == nil {
		return LoginTrust{}
	}
	return *l.trust
}

// ReturnTo is where to send the user: a local path, or a URL of a host in Config.RelayStateHosts.
func (l *Login) ReturnTo() string { return l.returnTo }

// User is the local user whom the login is for; found is false without Config.Users.
func (l *Login) User() (user User, found bool) {
	if l.user == nil {
		return User{}, false
	}
	return l.user.clone(), true
}

// Created reports whether the login made its user, for an audit log.
func (l *Login) Created() bool { return l.created }

// Reactivated reports whether the login switched a login-disabled user on again, for an audit log.
func (l *Login) Reactivated() bool { return l.reactivated }

// RequestID is the ID of the request that was answered, "" if there was none.
func (l *Login) RequestID() string { return l.requestID }

// Unsolicited reports whether the identity provider began: the login is not bound to this browser, so a host with a
// session of another user should ask "continue as …" before it replaces it.
func (l *Login) Unsolicited() bool { return l.unsolicited }

// SteppedUp reports whether the login answers StartStepUp: the subject is the same as before, and was asked again.
func (l *Login) SteppedUp() bool { return l.steppedUp }

// Popup reports whether the login was begun in a pop-up window, to go on in the window that opened it: answer it with
// FinishPopup.
func (l *Login) Popup() bool {
	return strings.HasPrefix(l.returnTo, "/") && strings.HasSuffix(l.returnTo, popupDone)
}
