package saml

import "strings"

// A Login is a login that was accepted: who, by which trust, and where to now. It is only made by Validate and
// FinishLogin.
type Login struct {
	*Assertion
	trust       LoginTrust
	returnTo    string
	requestID   string
	unsolicited bool
}

// Trust is the login trust that admitted the user.
func (l *Login) Trust() LoginTrust { return l.trust }

// ReturnTo is where to send the user: a local path, or a URL of a host in Config.RelayStateHosts.
func (l *Login) ReturnTo() string { return l.returnTo }

// RequestID is the ID of the request that was answered, "" if there was none.
func (l *Login) RequestID() string { return l.requestID }

// Unsolicited reports whether the identity provider began: the login is not bound to this browser, so a host with a
// session of another user should ask "continue as …" before it replaces it.
func (l *Login) Unsolicited() bool { return l.unsolicited }

// Popup reports whether the login was begun in a pop-up window, to go on in the window that opened it: answer it with
// FinishPopup.
func (l *Login) Popup() bool {
	return strings.HasPrefix(l.returnTo, "/") && strings.HasSuffix(l.returnTo, popupDone)
}
