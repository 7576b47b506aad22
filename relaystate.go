package saml

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
)

const (
	maxRelayState = 8 << 10 // octets that are admitted; a relay state of our own has at most 80 (SAML Bindings 3.4.3)
	maxReturnTo   = 2 << 10 // octets of a place to go
)

// checkRelayState bounds what travels beside a message.
func checkRelayState(s string) *Error {
	if len(s) > maxRelayState {
		return refuse(TooLarge, "a larger RelayState", fmt.Sprintf("at most %d octets", maxRelayState))
	}
	return nil
}

// target reduces a URL that came from outside to a place where a user may be sent: the path of a URL of our own origin, a
// path that is one already, or an https URL of a host in Config.RelayStateHosts. Everything else is "".
func (sp *ServiceProvider) target(s string) string {
	if path := localPath(s); path != "" {
		return path
	}
	if len(s) > maxReturnTo || strings.ContainsFunc(s, isUnsafe) {
		return ""
	}
	u, err := url.Parse(s)
	if err != nil || u.User != nil || u.Opaque != "" || u.Host == "" {
		return ""
	}
	if origin(s) == origin(sp.config.BaseURL) {
		if u.Path == "" {
			u.Path = "/"
		}
		return localPath(localPart(u))
	}
	if u.Scheme == "https" && slices.Contains(sp.config.RelayStateHosts, u.Host) {
		return u.String()
	}
	return ""
}

func localPart(u *url.URL) string {
	local := url.URL{Path: u.Path, RawPath: u.RawPath, RawQuery: u.RawQuery, ForceQuery: u.ForceQuery, Fragment: u.Fragment, RawFragment: u.RawFragment}
	return local.String()
}

// localPath returns s if it is a path of our own, as a browser reads it: one slash at the front, not two, no backslash
// (which a browser takes for a slash), no control character (which it may leave out).
func localPath(s string) string {
	if len(s) > maxReturnTo || s == "" || s[0] != '/' || strings.HasPrefix(s, "//") || strings.ContainsFunc(s, isUnsafe) {
		return ""
	}
	u, err := url.Parse(s)
	if err != nil || u.Host != "" || u.Scheme != "" || !strings.HasPrefix(u.Path, "/") || strings.HasPrefix(u.Path, "//") ||
		strings.Contains(u.Path, "/.//") || strings.Contains(u.Path, "/..//") { // which become "//" where dots are resolved
		return ""
	}
	return s
}

// isUnsafe holds for what never stands in a URL as it is written, and what readers of URLs disagree about.
func isUnsafe(r rune) bool {
	return r <= ' ' || r == '\\' || r == 0x7f || r == '<' || r == '>' || r == '"' || r > '~'
}
