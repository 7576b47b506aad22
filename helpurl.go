package saml

import (
	"net/url"
	"strconv"
	"strings"
	"time"
)

// HelpURL is the ErrorURL with the placeholders filled in that research federations use (REFEDS, SAML V2.0 metadata deployment
// profile for errorURL): what went wrong, when, at which service provider, and our reference. "" if there is none. It is for a
// link that a user may follow; nothing in it tells more than the error page does.
func (e *Error) HelpURL(spEntityID, reference string, now time.Time) string {
	if e.ErrorURL == "" || checkURL(e.ErrorURL) != nil {
		return ""
	}
	return strings.NewReplacer("ERRORURL_CODE", e.helpCode(), "ERRORURL_TS", strconv.FormatInt(now.Unix(), 10),
		"ERRORURL_RP", url.QueryEscape(spEntityID), "ERRORURL_TID", url.QueryEscape(reference), "ERRORURL_CTX", "").Replace(e.ErrorURL)
}

// helpCode is one of the four codes that identity providers know.
func (e *Error) helpCode() string {
	switch e.Reason {
	case MissingAttribute, BadAttribute, NoSubject, BadSubject, TransientSubject, WrongNameIDFormat:
		return "IDENTIFICATION_FAILURE"
	case WrongAuthnContext, ReauthenticationRequired:
		return "AUTHENTICATION_FAILURE"
	case UserNotAllowed, NoRoles, WrongOrganization, WrongScope, NotTranslated, InvalidUser, UserDisabled:
		return "AUTHORIZATION_FAILURE"
	}
	return "OTHER_ERROR"
}
