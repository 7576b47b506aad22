package saml

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/logintrust/saml/internal/binding"
)

// Where the identity provider begins a login, it gets no AuthnRequest: the browser goes to LoginURL with a parameter that
// says where the login leads, and comes back with an answer that nobody asked for.

// handOver begins a login at an identity provider that begins them itself.
func (sp *ServiceProvider) handOver(trust *LoginTrust, opts StartOptions) (*Started, error) {
	switch {
	case !trust.AllowIdPInitiated:
		return nil, refuse(UnsolicitedNotAllowed, "Initiation by the identity provider", "AllowIdPInitiated").of(trust)
	case trust.LoginURL == "" || !targetParams.has(int(trust.TargetParam)):
		return nil, fmt.Errorf("saml: the trust %s has no login URL, or no target parameter", quoted(trust.Domain))
	case opts.Binding == POSTBinding || opts.ForceAuthn || opts.IsPassive || opts.MaxAuthnAge != 0 || len(opts.AuthnContext) > 0 ||
		opts.NameIDFormat != "" || opts.RequestID != "" || opts.Subject != nil || opts.SameSubject != nil ||
		!reflect.ValueOf(opts.Details).IsZero():
		// Nothing could hold the answer against what was asked for.
		return nil, fmt.Errorf("saml: %s begins logins itself, so it can be asked for nothing but where a login leads", quoted(trust.Domain))
	}
	if err := checkURL(trust.LoginURL); err != nil {
		return nil, err
	}
	return &Started{URL: sp.beginURL(trust, opts)}, nil
}

// beginURL is LoginURL, octet for octet, with what else the identity provider is told behind its own query. A variable
// that LoginURL has itself is not written again.
func (sp *ServiceProvider) beginURL(t *LoginTrust, opts StartOptions) string {
	own := query(t.LoginURL)
	variables := t.pageVariables(opts.PageQuery)
	add := func(name, value string) {
		if !hasVariable(own, name) {
			variables = append(variables, name+"="+escape(value))
		}
	}
	switch t.Product {
	case Shibboleth: // https://shibboleth.atlassian.net/wiki/spaces/IDP4/pages/1265631833: unsolicited SSO
		add("providerId", sp.config.EntityID)
		add("shire", sp.config.ACSURL)
	case Ping:
		add("PartnerSpId", sp.config.EntityID)
	}
	target := sp.absoluteTarget(t, opts.ReturnTo)
	if t.Product == ADFS && t.TargetParam == TargetRelayState {
		target = "RPID=" + escape(sp.config.EntityID) + "&RelayState=" + escape(target)
	}
	add(t.TargetParam.String(), target)
	return withQuery(t.LoginURL, variables)
}

// absoluteTarget is where a login leads, as an identity provider is told it. What is too long to come back leads to the
// default page.
func (sp *ServiceProvider) absoluteTarget(t *LoginTrust, returnTo string) string {
	for _, place := range []string{sp.target(returnTo), sp.config.DefaultPath} {
		if strings.HasPrefix(place, "/") {
			if t.StripQuestionMark {
				place = stripQuestionMark(place)
			}
			place = origin(sp.config.BaseURL) + place
		}
		if place != "" && len(place) <= maxReturnTo {
			return place
		}
	}
	return sp.config.BaseURL
}

// handedBack is where an identity provider says that a login leads which it began: RelayState, or else the field that the
// trust names. It is as little believed as any relay state.
func (p *Posted) handedBack(t *LoginTrust) string {
	switch {
	case p.RelayState != "":
		return p.RelayState
	case t.TargetParam == TargetResource:
		return p.TargetResource
	case t.TargetParam == TargetShibboleth:
		return p.Target
	}
	return ""
}

// Variables of URLs.

// reservedVariables belong to a protocol: a page must not speak to an identity provider in our name. In lower case.
var reservedVariables = []string{"samlrequest", "samlresponse", "samlart", "samlencoding", "relaystate", "sigalg", "signature",
	"login_ticket", "login_signature", "targetresource", "target", "providerid", "shire", "partnerspid"}

// isReserved compares as the most careless reader does: without regard to case, and with "." for "_", as PHP has it.
func isReserved(name string) bool {
	return slices.Contains(reservedVariables, strings.ToLower(strings.ReplaceAll(name, ".", "_")))
}

// pageVariable is what the name of a variable looks like that may be passed on.
var pageVariable = regexp.MustCompile(`^[A-Za-z0-9_.:-]{1,64}$`)

// pageVariables are those of a page's query that the trust passes on, in order, each decoded and encoded once. Of a query
// that is too long, none are.
func (t *LoginTrust) pageVariables(pageQuery string) (list []string) {
	if !t.PassPageVariables || len(pageQuery) > maxReturnTo {
		return nil
	}
	own := query(t.LoginURL)
	for piece := range strings.SplitSeq(pageQuery, "&") {
		name, value, isPair := strings.Cut(piece, "=")
		name, err1 := url.QueryUnescape(name)
		value, err2 := url.QueryUnescape(value)
		if err1 != nil || err2 != nil || !slices.Contains(t.PageVariables, name) || !pageVariable.MatchString(name) ||
			isReserved(name) || hasVariable(own, name) {
			continue
		}
		piece = escape(name)
		if isPair {
			piece += "=" + escape(value)
		}
		list = append(list, piece)
	}
	return list
}

// query is the query of a URL, as it is written.
func query(location string) string {
	_, q, _ := strings.Cut(location, "?")
	return q
}

// hasVariable reports whether a query has a variable of that name, in any letter case.
func hasVariable(query, name string) bool {
	for piece := range strings.SplitSeq(query, "&") {
		written, _, _ := strings.Cut(piece, "=")
		if decoded, err := url.QueryUnescape(written); err == nil {
			written = decoded
		}
		if strings.EqualFold(written, name) {
			return true
		}
	}
	return false
}

// withQuery puts variables behind a URL, which keeps every octet that it has.
func withQuery(location string, variables []string) string {
	if len(variables) == 0 {
		return location
	}
	separator := "?"
	if strings.Contains(location, "?") {
		separator = "&"
		if strings.HasSuffix(location, "?") || strings.HasSuffix(location, "&") {
			separator = ""
		}
	}
	return location + separator + strings.Join(variables, "&")
}

// escape percent-encodes; a space is %20, which every reader of queries takes for one.
func escape(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

// Targets without question mark, for LoginTrust.StripQuestionMark: {path}/~q/{base64url of the query}. Leaving the mark out
// could not be undone; this can.

const (
	questionMark = "/~q/"
	noQuery      = "-" // no base64 has one character: a path that has questionMark in it, and no query
)

// stripQuestionMark writes a local path without "?".
func stripQuestionMark(place string) string {
	place, fragment := cutFragment(place)
	path, query, asks := strings.Cut(place, "?")
	switch {
	case asks && path == "/": // "//" would begin the name of a host
		path = questionMark + base64.RawURLEncoding.EncodeToString([]byte(query))
	case asks:
		path += questionMark + base64.RawURLEncoding.EncodeToString([]byte(query))
	case strings.Contains(path, questionMark):
		path += questionMark + noQuery
	}
	return path + fragment
}

func cutFragment(place string) (before, fragment string) {
	if i := strings.IndexByte(place, '#'); i >= 0 {
		return place[:i], place[i:]
	}
	return place, ""
}

// RestoreQuestionMark turns a local path that LoginTrust.StripQuestionMark has changed back into what it was. What is not
// exactly of that form is returned as it is.
func RestoreQuestionMark(place string) string {
	before, fragment := cutFragment(place)
	i := strings.LastIndex(before, questionMark)
	if i < 0 {
		return place
	}
	path, code := cmp.Or(before[:i], "/"), before[i+len(questionMark):]
	restored := path + fragment
	if code != noQuery {
		query, err := base64.RawURLEncoding.Strict().DecodeString(code)
		if err != nil {
			return place
		}
		restored = path + "?" + string(query) + fragment
	}
	if localPath(restored) == "" || stripQuestionMark(restored) != place {
		return place
	}
	return restored
}

// RestoreQuestionMarks sends a browser that an identity provider has sent to a target without question mark to the page
// that is meant, by a redirect that stays on its host; everything else goes to next. The assertion consumer service needs
// it not: it is for identity providers that send the browser to the target themselves.
func RestoreQuestionMarks(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		place := r.URL.RequestURI()
		if restored := RestoreQuestionMark(place); restored != place && isRead(r) {
			binding.SeeOther(w, restored)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// isRead reports whether a request changes nothing, and can be made again.
func isRead(r *http.Request) bool { return r.Method == http.MethodGet || r.Method == http.MethodHead }
