package advice

import (
	"slices"
	"strings"
)

// Difference says in what two names differ that nearly agree, "" if they do not.
func Difference(found, wanted string) string {
	switch {
	case found == wanted || found == "" || wanted == "":
		return ""
	case strings.TrimSpace(found) == strings.TrimSpace(wanted):
		return "they differ only by white space"
	case strings.TrimRight(found, "/") == strings.TrimRight(wanted, "/"):
		return "they differ only by a slash at the end"
	case strings.EqualFold(found, wanted):
		return "they differ only by the case of letters"
	}
	a, b := plain(found), plain(wanted)
	switch {
	case a.rest == b.rest && a.scheme != b.scheme:
		return "they differ only by " + a.scheme + " and " + b.scheme
	case a.rest == b.rest && a.port != b.port:
		return "they differ only by the port"
	case a.rest == b.rest:
		return "they differ only in ways that mean the same: they are compared letter for letter"
	case strings.TrimPrefix(a.rest, "www.") == strings.TrimPrefix(b.rest, "www."):
		return `they differ only by "www."`
	}
	return ""
}

// Near are the names that a person takes for this one: with and without a slash at the end, http and https, small letters.
func Near(name string) (list []string) {
	add := func(s string) {
		if s != name && s != "" && !slices.Contains(list, s) {
			list = append(list, s)
		}
	}
	add(strings.TrimSpace(name))
	bare := strings.TrimRight(strings.TrimSpace(name), "/")
	for _, s := range []string{bare, bare + "/"} {
		add(s)
		add(strings.ToLower(s))
		if rest, ok := strings.CutPrefix(s, "http://"); ok {
			add("https://" + rest)
		}
		if rest, ok := strings.CutPrefix(s, "https://"); ok {
			add("http://" + rest)
		}
	}
	return list
}

type parts struct{ scheme, port, rest string }

// plain takes a URL apart; rest is in small letters, without slash at its end.
func plain(s string) (p parts) {
	scheme, rest, found := strings.Cut(strings.ToLower(strings.TrimSpace(s)), "://")
	if !found {
		return parts{rest: strings.TrimRight(scheme, "/")}
	}
	host, path, _ := strings.Cut(rest, "/")
	p.scheme = scheme
	if name, port, ok := strings.Cut(host, ":"); ok && !strings.Contains(port, ":") {
		host, p.port = name, port
	}
	p.rest = strings.TrimRight(host+"/"+path, "/")
	return p
}
