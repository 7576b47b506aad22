package samltest

import (
	"net/url"
	"regexp"
	"strings"
)

// evilHost is where the attacker would like the browser to go.
const evilHost = "evil.example.net"

// evilScript is what the attacker would like the browser to run.
const evilScript = "<script>alert('forged')</script>"

// places are the parameters by which hosts are told where a login leads.
var places = []string{"target", "TargetResource", "TARGET", "RelayState", "return", "returnTo", "return_to", "returnUrl", "ReturnUrl", "next",
	"redirect", "redirect_uri", "redirectTo", "continue", "url", "goto", "dest", "destination"}

// relayStateAttacks come with a genuine answer, and a RelayState that leads to the attacker's site or brings a script. A login
// may come of them; the browser must not be led away, and the script must not be written. Each comes as the answer's RelayState
// and as a place in the link that starts the login.
func relayStateAttacks() (list []Attack) {
	const redirect = "CWE-601, SAML Bindings 3.4.3"
	for _, evil := range []struct {
		name, reference string
		value           func(own *url.URL) string
	}{
		{"another site", redirect, same("https://" + evilHost + "/")},
		{"another site, without https", redirect, same("http://" + evilHost + "/")},
		{"another site in capitals", redirect, same("HTTPS://" + strings.ToUpper(evilHost) + "/")},
		{"two slashes", redirect, same("//" + evilHost + "/")},
		{"three slashes", redirect, same("///" + evilHost + "/")},
		{"slash and backslash", "WHATWG URL, relative slash state", same(`/\` + evilHost + "/")},
		{"backslash and slash", "WHATWG URL, relative slash state", same(`\/` + evilHost + "/")},
		{"two backslashes", "WHATWG URL, relative slash state", same(`\\` + evilHost + "/")},
		{"tab between slashes", "WHATWG URL 4.4: tabs and newlines are removed", same("/\t/" + evilHost + "/")},
		{"newline between slashes", "WHATWG URL 4.4: tabs and newlines are removed", same("/\n/" + evilHost + "/")},
		{"return between slashes", "WHATWG URL 4.4: tabs and newlines are removed", same("/\r/" + evilHost + "/")},
		{"tab before a backslash", "WHATWG URL 4.4: tabs and newlines are removed", same("/\t\\" + evilHost + "/")},
		{"space before it", "WHATWG URL 4.4: spaces are trimmed", same(" //" + evilHost + "/")},
		{"control characters before it", "WHATWG URL 4.4: control characters are trimmed", same("\x01\x1f//" + evilHost + "/")},
		{"newline in the scheme", "WHATWG URL 4.4: tabs and newlines are removed", same("ht\ntps://" + evilHost + "/")},
		{"backslashes behind the scheme", "WHATWG URL, special authority slashes state", same(`https:\\` + evilHost + "/")},
		{"one slash behind the other scheme", "WHATWG URL, special authority slashes state", func(own *url.URL) string { return otherScheme(own) + ":/" + evilHost + "/" }},
		{"no slash behind the other scheme", "WHATWG URL, special authority slashes state", func(own *url.URL) string { return otherScheme(own) + ":" + evilHost + "/" }},
		{"own site as user information", redirect, func(own *url.URL) string { return originOf(own) + "@" + evilHost + "/" }},
		{"own site as user and password", redirect, func(own *url.URL) string { return originOf(own) + ":443@" + evilHost + "/" }},
		{"own site as a prefix", redirect, func(own *url.URL) string { return originOf(own) + "." + evilHost + "/" }},
		{"own site in the query", redirect, func(own *url.URL) string { return "https://" + evilHost + "/?" + own.Host }},
		{"own site in the fragment", redirect, func(own *url.URL) string { return "https://" + evilHost + "/#" + originOf(own) }},
		{"own site behind a backslash", "WHATWG URL, authority state", func(own *url.URL) string { return "https://" + evilHost + `\@` + own.Host + "/" }},
		{"own site behind a fragment", redirect, func(own *url.URL) string { return "https://" + evilHost + "#@" + own.Host + "/" }},
		{"encoded letters in the host", "WHATWG URL, host parser", same("https://%65vil.example.net/")},
		{"ideographic full stops in the host", "UTS 46", same("https://evil。example。net/")},
		{"javascript", "CWE-79", same("javascript:alert('forged')")},
		{"javascript in mixed case", "CWE-79", same("JaVaScRiPt:alert('forged')")},
		{"javascript with a tab", "WHATWG URL 4.4: tabs and newlines are removed", same("java\tscript:alert('forged')")},
		{"javascript behind a control character", "WHATWG URL 4.4: control characters are trimmed", same("\x01javascript:alert('forged')")},
		{"data", "CWE-79", same("data:text/html,alert('forged')")},
		{"vbscript", "CWE-79", same("vbscript:msgbox('forged')")},
		{"file", redirect, same("file:///etc/passwd")},
		{"a scheme of an app", redirect, same("intent://" + evilHost + "#Intent;scheme=http;end")},
		{"an element that ends the attribute", "CWE-79", same(`"'>` + evilScript)},
		{"an element in a path", "CWE-79", same(`/"'>` + evilScript)},
		{"an element in a URL of the own site", "CWE-79", func(own *url.URL) string { return originOf(own) + `/?"'>` + evilScript }},
		{"another site, far too long", redirect, same("https://" + evilHost + "/" + strings.Repeat("a", 100<<10))},
		{"another site, longer than SAML allows", "SAML Bindings 3.4.3: 80 octets", same("https://" + evilHost + "/" + strings.Repeat("a", 80))},
	} {
		value := func(s *Scene) string {
			own, err := url.Parse(s.SP.ACSURL)
			if err != nil {
				own = &url.URL{Scheme: "https"} // of a Target that has no ACS URL
			}
			return evil.value(own)
		}
		list = append(list,
			Attack{Name: "RelayState: " + evil.name, Reference: evil.reference, Won: ledAstray,
				Forge: func(s *Scene) url.Values {
					form := s.Answer().Form()
					form.Set("RelayState", value(s))
					return form
				}},
			Attack{Name: "RelayState of an unsolicited answer: " + evil.name, Reference: evil.reference, Won: ledAstray, NeedsIdPInitiated: true,
				Forge: func(s *Scene) url.Values {
					form := s.AnswerTo(s.unsolicited()).Form()
					form.Set("RelayState", value(s))
					return form
				}},
			Attack{Name: "link to a login: " + evil.name, Reference: evil.reference, Won: ledAstray,
				Forge: func(s *Scene) url.Values { return s.AnswerTo(s.BeginWith(value(s))).Form() }})
	}
	return append(list,
		Attack{Name: "RelayState: another site behind the own one", Reference: "CWE-235", Won: ledAstray, Forge: func(s *Scene) url.Values {
			form := s.Answer().Form()
			form.Add("RelayState", "https://"+evilHost+"/")
			return form
		}},
		Attack{Name: "RelayState: another site before the own one", Reference: "CWE-235", Won: ledAstray, Forge: func(s *Scene) url.Values {
			form := s.Answer().Form()
			form["RelayState"] = append([]string{"https://" + evilHost + "/"}, form["RelayState"]...)
			return form
		}},
	)
}

func same(value string) func(*url.URL) string { return func(*url.URL) string { return value } }

func otherScheme(own *url.URL) string {
	if own.Scheme == "http" {
		return "https"
	}
	return "http"
}

// ledAstray reports whether the browser is led to the attacker's site, or runs her script.
func ledAstray(pages []*Page) bool {
	for _, page := range pages {
		if strings.Contains(page.Body, evilScript) {
			return true
		}
		for _, to := range page.leadsTo() {
			scheme, host := whereTo(page.URL, to)
			if scheme != "http" && scheme != "https" || host == evilHost || strings.HasSuffix(host, "."+evilHost) {
				return true
			}
		}
	}
	return false
}

var (
	refreshURL  = regexp.MustCompile(`(?is)url\s*=\s*['"]?([^'">]*)`)
	refreshMeta = regexp.MustCompile(`(?is)<meta\b[^>]*http-equiv\s*=\s*["']?refresh[^>]*>`)
)

// leadsTo is where a page sends the browser by itself, as it is written.
func (p *Page) leadsTo() (list []string) {
	list = append(list, p.Header.Values("Location")...)
	for _, refresh := range append(p.Header.Values("Refresh"), refreshMeta.FindAllString(p.Body, -1)...) {
		if m := refreshURL.FindStringSubmatch(refresh); m != nil {
			list = append(list, m[1])
		}
	}
	for _, form := range p.Forms() {
		list = append(list, form.Action)
	}
	return list
}

var schemeStart = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9+.-]*):`)

// whereTo is where a browser goes from a page, as the URL standard of browsers has it (WHATWG URL, 4.4), which reads more than
// net/url does: it is they who are led.
func whereTo(from *url.URL, location string) (scheme, host string) {
	location = strings.TrimFunc(location, func(r rune) bool { return r <= ' ' })
	location = strings.NewReplacer("\t", "", "\n", "", "\r", "").Replace(location)
	scheme = from.Scheme
	if m := schemeStart.FindStringSubmatch(location); m != nil {
		scheme = strings.ToLower(m[1])
		if scheme != "http" && scheme != "https" {
			return scheme, ""
		}
		location = location[len(m[0]):]
		if scheme != from.Scheme { // slashes make no difference
			location = "//" + location
		}
	}
	end := strings.IndexAny(location, "?#")
	if end < 0 {
		end = len(location)
	}
	location = strings.ReplaceAll(location[:end], `\`, "/")
	if !strings.HasPrefix(location, "//") {
		return scheme, from.Hostname()
	}
	host, _, _ = strings.Cut(strings.TrimLeft(location, "/"), "/")
	if i := strings.LastIndex(host, "@"); i >= 0 {
		host = host[i+1:]
	}
	if decoded, err := url.PathUnescape(host); err == nil {
		host = decoded
	}
	host, _, _ = strings.Cut(strings.ToLower(strings.ReplaceAll(host, "。", ".")), ":")
	return scheme, host
}
