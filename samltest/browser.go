package samltest

import (
	"html"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path"
	"regexp"
	"strconv"
	"strings"
)

// Browser is a browser without a network: it visits handlers in this process and keeps their cookies. It follows nothing by
// itself. It is stricter than a real one in this: two hosts are always two sites, even under one registrable domain, so a
// cookie without SameSite=None never travels with a POST from one to the other.
//
// A Browser is for one goroutine.
type Browser struct {
	sites map[string]http.Handler // by origin
	jar   []storedCookie
}

// NewBrowser is a browser that knows no site and has no cookies.
func NewBrowser() *Browser { return &Browser{sites: map[string]http.Handler{}} }

// Site tells the browser who answers at that origin, such as https://app.example.com. It returns the browser.
func (b *Browser) Site(origin string, handler http.Handler) *Browser {
	b.sites[origin] = handler
	return b
}

// Page is what the browser got.
type Page struct {
	URL    *url.URL
	Status int
	Header http.Header
	Body   string
}

// Form is a form on a page, with the fields that it would send.
type Form struct {
	Method string // upper case
	Action string // absolute
	Fields url.Values
}

// Get visits a URL as if it had been typed in.
func (b *Browser) Get(target string) *Page {
	return b.visit(nil, http.MethodGet, target, nil)
}

// Follow goes where the page redirects to.
func (b *Browser) Follow(page *Page) *Page {
	return b.visit(page.URL, http.MethodGet, page.Location(), nil)
}

// Submit sends a form that stands on that page.
func (b *Browser) Submit(page *Page, form Form) *Page {
	return b.Post(page.URL.String(), form.Action, form.Fields)
}

// Post sends fields by a form that stands on a page at the URL from.
func (b *Browser) Post(from, target string, fields url.Values) *Page {
	origin, err := url.Parse(from)
	if err != nil {
		return broken(nil, err.Error())
	}
	return b.visit(origin, http.MethodPost, target, fields)
}

// visit makes one request. from is the page that caused it; nil: the person did.
func (b *Browser) visit(from *url.URL, method, target string, fields url.Values) *Page {
	u, err := url.Parse(target)
	if err != nil {
		return broken(nil, err.Error())
	}
	if from != nil {
		u = from.ResolveReference(u)
	}
	handler := b.sites[originOf(u)]
	if handler == nil {
		return broken(u, "no site at "+originOf(u))
	}
	r := httptest.NewRequest(method, u.String(), strings.NewReader(fields.Encode()))
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	relation := "none"
	if from != nil {
		relation = "same-origin"
		if originOf(from) != originOf(u) {
			relation = "cross-site"
		}
		if method == http.MethodPost {
			r.Header.Set("Origin", originOf(from))
		}
	}
	r.Header.Set("Sec-Fetch-Site", relation)
	r.Header.Set("Sec-Fetch-Mode", "navigate")
	r.Header.Set("Sec-Fetch-Dest", "document")
	for _, c := range b.jar {
		if c.goesTo(u) && c.goesWith(method, from != nil && from.Hostname() != u.Hostname()) {
			r.AddCookie(&http.Cookie{Name: c.Name, Value: c.Value})
		}
	}
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	response := w.Result()
	for _, c := range response.Cookies() {
		b.keep(c, u)
	}
	return &Page{URL: u, Status: response.StatusCode, Header: response.Header, Body: w.Body.String()}
}

// broken is the page that a browser shows when it cannot reach a site.
func broken(u *url.URL, text string) *Page {
	if u == nil {
		u = &url.URL{}
	}
	return &Page{URL: u, Status: http.StatusBadGateway, Header: http.Header{}, Body: text}
}

func originOf(u *url.URL) string { return u.Scheme + "://" + u.Host }

// storedCookie is a cookie with what the browser remembers of where it came from.
type storedCookie struct {
	*http.Cookie
	host string
}

// keep stores a cookie, or forgets it when it has expired, by the rules of RFC 6265bis, Section 5.
func (b *Browser) keep(c *http.Cookie, from *url.URL) {
	secure := from.Scheme == "https" || loopback(from)
	switch {
	case c.Secure && !secure,
		c.SameSite == http.SameSiteNoneMode && !c.Secure,
		strings.HasPrefix(c.Name, "__Secure-") && !c.Secure,
		strings.HasPrefix(c.Name, "__Host-") && (!c.Secure || c.Path != "/" || c.Domain != ""):
		return
	}
	c.Domain = strings.TrimPrefix(c.Domain, ".")
	if c.Domain != "" && !within(from.Hostname(), c.Domain) {
		return
	}
	if !strings.HasPrefix(c.Path, "/") {
		c.Path = path.Dir("/" + strings.TrimPrefix(from.Path, "/"))
	}
	kept := b.jar[:0]
	for _, old := range b.jar {
		if old.Name != c.Name || old.Path != c.Path || old.Domain != c.Domain || old.host != from.Hostname() {
			kept = append(kept, old)
		}
	}
	b.jar = kept
	if c.MaxAge >= 0 {
		b.jar = append(b.jar, storedCookie{c, from.Hostname()})
	}
}

func (c storedCookie) goesTo(u *url.URL) bool {
	if c.Secure && u.Scheme != "https" && !loopback(u) {
		return false
	}
	if c.Domain == "" && c.host != u.Hostname() || c.Domain != "" && !within(u.Hostname(), c.Domain) {
		return false
	}
	requested := "/" + strings.TrimPrefix(u.Path, "/")
	return requested == c.Path || strings.HasPrefix(requested, strings.TrimSuffix(c.Path, "/")+"/")
}

// goesWith applies SameSite; a cookie without it is Lax. (The two minutes in which Chromium sends such a cookie with a POST
// all the same are not to be relied on.)
func (c storedCookie) goesWith(method string, crossSite bool) bool {
	switch {
	case !crossSite || c.SameSite == http.SameSiteNoneMode:
		return true
	case c.SameSite == http.SameSiteStrictMode:
		return false
	default:
		return method == http.MethodGet
	}
}

func within(host, domain string) bool { return host == domain || strings.HasSuffix(host, "."+domain) }

func loopback(u *url.URL) bool {
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}

// Location is where the page redirects to, absolute; empty if it does not.
func (p *Page) Location() string {
	location := p.Header.Get("Location")
	u, err := url.Parse(location)
	if location == "" || err != nil {
		return ""
	}
	return p.URL.ResolveReference(u).String()
}

// Forms are the forms of the page. The reader is a small one: it knows quoted attributes and input elements, which is what
// html/template pages of this package and of the library consist of.
func (p *Page) Forms() []Form {
	forms := regexp.MustCompile(`(?is)<form\b([^>]*)>(.*?)</form>`)
	inputs := regexp.MustCompile(`(?is)<input\b([^>]*)>`)
	var list []Form
	for _, f := range forms.FindAllStringSubmatch(p.Body, -1) {
		attrs := attributesOf(f[1])
		action, err := p.URL.Parse(attrs["action"])
		if err != nil {
			continue
		}
		form := Form{Method: strings.ToUpper(attrs["method"]), Action: action.String(), Fields: url.Values{}}
		for _, input := range inputs.FindAllStringSubmatch(f[2], -1) {
			if field := attributesOf(input[1]); field["name"] != "" {
				form.Fields.Add(field["name"], field["value"])
			}
		}
		list = append(list, form)
	}
	return list
}

// start is the first of what a person would read on the page, for who reads why a test failed.
func (p *Page) start() string {
	unread := regexp.MustCompile(`(?is)<!--.*?-->|<(style|script|head)\b.*?</(style|script|head)>|<[^>]*>`)
	text := strings.Join(strings.Fields(html.UnescapeString(unread.ReplaceAllString(p.Body, " "))), " ")
	if text == "" {
		return "with an empty page"
	}
	return "with the page " + strconv.Quote(strings.ToValidUTF8(text[:min(len(text), maxStart)], ""))
}

const maxStart = 300 // octets of a page that a failure shows

func attributesOf(tag string) map[string]string {
	attribute := regexp.MustCompile(`(?s)([\w-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')`)
	attrs := map[string]string{}
	for _, m := range attribute.FindAllStringSubmatch(tag, -1) {
		attrs[strings.ToLower(m[1])] = html.UnescapeString(m[2] + m[3])
	}
	return attrs
}
