package e2e_test

import (
	"fmt"
	"html"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// A browser behaves as one without scripts whose user presses the only button there is: it follows redirects, sends the
// forms that carry SAML messages, fills in log-in forms, and keeps cookies by the rules of browsers: host, path, Secure,
// Max-Age and SameSite. A browser is for one goroutine.
type browser struct {
	t    *testing.T
	name string // of the user who sits before it
	pass string
	// portsAreOneSite is what browsers do on loopback. False is as in real life, where service provider and identity
	// provider are different sites: a POST from one to the other loses SameSite=Lax cookies.
	portsAreOneSite bool

	client   http.Client
	cookies  []cookie
	messages []message
	log      []string
	logins   int
	dropped  int // cookies that SameSite held back
}

// A cookie belongs to scheme, host and port: between ports, cookies are shared in real life, which would let the IdP's
// and the service provider's hide each other's mistakes.
type cookie struct {
	http.Cookie
	origin  string
	expires time.Time // zero: with the session
}

// A message is a SAML message that the browser carried.
type message struct {
	parameter string // SAMLRequest or SAMLResponse
	value     string
	fields    url.Values
	method    string
	target    string
}

// A page is what the browser shows.
type page struct {
	url    *url.URL
	status int
	header http.Header
	body   string
}

// text is the page as its reader sees it: without tags, references resolved.
func (p *page) text() string {
	plain := regexp.MustCompile(`(?is)<(script|style)\b.*?</(script|style)>|<[^>]*>`).ReplaceAllString(p.body, " ")
	return strings.Join(strings.Fields(html.UnescapeString(plain)), " ")
}

// maxSteps is how many pages and redirects a login may take.
const maxSteps = 20

func newBrowser(t *testing.T, user account) *browser {
	b := &browser{t: t, name: user.Username, pass: user.Password}
	b.client = http.Client{
		Timeout:       30 * time.Second,
		Transport:     &http.Transport{Proxy: nil, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("%s's browser:\n%s", user.Username, strings.Join(b.log, "\n"))
		}
	})
	return b
}

// visit types a URL in and goes on until a page that waits for a person.
func (b *browser) visit(target string) *page {
	b.t.Helper()
	return b.run(step{method: http.MethodGet, target: target}, nil)
}

// visitUntil does what visit does, but stops before a step that stop is true for, and returns it.
func (b *browser) visitUntil(target string, stop func(step) bool) step {
	b.t.Helper()
	var stopped *step
	b.run(step{method: http.MethodGet, target: target}, func(s step) bool {
		if stop(s) {
			stopped = &s
		}
		return stopped != nil
	})
	if stopped == nil {
		b.t.Fatalf("did not come to the step to stop at")
	}
	return *stopped
}

// take makes one step, such as visitUntil returned, and goes on.
func (b *browser) take(s step) *page {
	b.t.Helper()
	return b.run(s, nil)
}

// frames does in each frame of a page what visit does in a window, and returns what they show.
func (b *browser) frames(top *page) []*page {
	b.t.Helper()
	var shown []*page
	for _, tag := range tagShape.FindAllStringSubmatch(top.body, -1) {
		source := attributesOf(tag[2])["src"]
		if !strings.EqualFold(tag[1], "iframe") || source == "" {
			continue
		}
		target, err := top.url.Parse(source)
		if err != nil {
			b.t.Fatal(err)
		}
		shown = append(shown, b.run(step{method: http.MethodGet, target: target.String(), from: top.url, top: top.url}, nil))
	}
	return shown
}

// A step is one request, and the page that causes it.
type step struct {
	method, target string
	fields         url.Values
	from           *url.URL // nil: the person
	top            *url.URL // the page whose frame this is for; nil: none
}

func (b *browser) run(s step, stop func(step) bool) *page {
	b.t.Helper()
	for range maxSteps {
		if stop != nil && stop(s) {
			return nil
		}
		p := b.request(s)
		next, more := b.next(p, s)
		if !more {
			return p
		}
		next.top = s.top
		s = next
	}
	b.t.Fatalf("no end after %d pages", maxSteps)
	return nil
}

func (b *browser) request(s step) *page {
	b.t.Helper()
	u, err := url.Parse(s.target)
	if err != nil {
		b.t.Fatal(err)
	}
	u.Fragment = ""
	req, err := http.NewRequestWithContext(b.t.Context(), s.method, u.String(), nil)
	if err != nil {
		b.t.Fatal(err)
	}
	carried := u.Query()
	if s.method == http.MethodPost {
		carried = s.fields
		body := s.fields.Encode()
		req.Body, req.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for _, parameter := range []string{"SAMLRequest", "SAMLResponse"} {
		if v := carried.Get(parameter); v != "" {
			b.messages = append(b.messages, message{parameter, v, carried, s.method, s.target})
		}
	}
	site := "none"
	if s.from != nil {
		site = "cross-site"
		if b.sameSite(s.from, u) {
			site = "same-site"
		}
		if origin(s.from) == origin(u) {
			site = "same-origin"
		}
		if s.method == http.MethodPost {
			req.Header.Set("Origin", origin(s.from))
		}
	}
	req.Header.Set("Sec-Fetch-Site", site)
	req.Header.Set("Sec-Fetch-Mode", "navigate")
	destination := "document"
	if s.top != nil {
		destination = "iframe"
	}
	req.Header.Set("Sec-Fetch-Dest", destination)
	req.Header.Set("Accept", "text/html")
	req.Header.Set("User-Agent", "e2e browser")
	for _, c := range b.sent(u, s) {
		req.AddCookie(&c.Cookie)
	}
	res, err := b.client.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, 4<<20))
	if err != nil {
		b.t.Fatal(err)
	}
	b.log = append(b.log, fmt.Sprintf("%s %.120s (%s) -> %d", s.method, s.target, site, res.StatusCode))
	for _, c := range res.Cookies() {
		b.store(u, c)
	}
	return &page{u, res.StatusCode, res.Header, string(body)}
}

func origin(u *url.URL) string { return u.Scheme + "://" + u.Host }

func (b *browser) sameSite(a, c *url.URL) bool {
	if b.portsAreOneSite {
		return a.Scheme == c.Scheme && a.Hostname() == c.Hostname()
	}
	return origin(a) == origin(c)
}

// sent chooses the cookies that go with a request.
func (b *browser) sent(u *url.URL, s step) []cookie {
	cross := s.from != nil && !b.sameSite(s.from, u)
	inside := s.top != nil && !b.sameSite(s.top, u) // a frame of another site's page
	path := u.EscapedPath()
	if path == "" {
		path = "/"
	}
	var list []cookie
	for _, c := range b.cookies {
		inPath := path == c.Path || strings.HasPrefix(path, strings.TrimSuffix(c.Path, "/")+"/")
		if c.origin != origin(u) || !inPath || !c.expires.IsZero() && c.expires.Before(time.Now()) {
			continue
		}
		// Stricter than Chrome, which lets a cookie without SameSite pass for two minutes: it counts as Lax at once.
		lax := c.SameSite != http.SameSiteNoneMode
		if (cross || inside) && (c.SameSite == http.SameSiteStrictMode || lax && (s.method != http.MethodGet || s.top != nil)) {
			b.dropped++
			b.log = append(b.log, "  cookie "+c.Name+" held back by SameSite")
			continue
		}
		list = append(list, c)
	}
	slices.SortStableFunc(list, func(x, y cookie) int { return len(y.Path) - len(x.Path) })
	return list
}

// store keeps a cookie, or refuses it as browsers do.
func (b *browser) store(u *url.URL, c *http.Cookie) {
	loopback := u.Hostname() == "127.0.0.1" || u.Hostname() == "localhost"
	secure := u.Scheme == "https" || loopback // browsers trust loopback
	refuse := func(why string) { b.log = append(b.log, "  cookie "+c.Name+" refused: "+why) }
	switch {
	case c.Secure && !secure:
		refuse("Secure, without https")
		return
	case c.SameSite == http.SameSiteNoneMode && !c.Secure:
		refuse("SameSite=None without Secure")
		return
	case strings.HasPrefix(c.Name, "__Host-") && (!c.Secure || c.Path != "/" || c.Domain != ""):
		refuse("not what __Host- promises")
		return
	}
	kept := cookie{Cookie: *c, origin: origin(u)}
	if !strings.HasPrefix(c.Path, "/") {
		kept.Path = u.Path[:strings.LastIndexByte("/"+u.Path, '/')]
		if kept.Path == "" {
			kept.Path = "/"
		}
	}
	switch {
	case c.MaxAge < 0:
		kept.expires = time.Unix(1, 0)
	case c.MaxAge > 0:
		kept.expires = time.Now().Add(time.Duration(c.MaxAge) * time.Second)
	case !c.Expires.IsZero():
		kept.expires = c.Expires
	}
	b.cookies = slices.DeleteFunc(b.cookies, func(o cookie) bool {
		return o.Name == kept.Name && o.origin == kept.origin && o.Path == kept.Path
	})
	if kept.expires.IsZero() || kept.expires.After(time.Now()) {
		b.cookies = append(b.cookies, kept)
	}
}

// next says what follows a page without the person having to think: a redirect, a SAML message in a form, a log-in form.
func (b *browser) next(p *page, made step) (step, bool) {
	if location := p.header.Get("Location"); location != "" && p.status >= 300 && p.status < 400 {
		target, err := p.url.Parse(location)
		if err != nil {
			b.t.Fatal(err)
		}
		if p.status == http.StatusTemporaryRedirect || p.status == http.StatusPermanentRedirect {
			return step{method: made.method, target: target.String(), fields: made.fields, from: p.url}, true
		}
		return step{method: http.MethodGet, target: target.String(), from: p.url}, true
	}
	for _, f := range formsOf(p) {
		if f.has("SAMLRequest") || f.has("SAMLResponse") {
			return f.submit(), true
		}
		if f.password != "" && b.logins == 0 { // a second time would be a wrong password
			b.logins++
			f.fields.Set(f.user, b.name)
			f.fields.Set(f.password, b.pass)
			return f.submit(), true
		}
	}
	return step{}, false
}

// A form as it stands on a page, with what it would send.
type form struct {
	method, action string
	fields         url.Values
	user, password string // names of the inputs for them
	from           *url.URL
}

func (f form) has(name string) bool { return f.fields.Has(name) }

func (f form) submit() step {
	if f.method == http.MethodGet {
		target, _, _ := strings.Cut(f.action, "?")
		return step{method: http.MethodGet, target: target + "?" + f.fields.Encode(), from: f.from}
	}
	return step{method: f.method, target: f.action, fields: f.fields, from: f.from}
}

var (
	tagShape       = regexp.MustCompile(`(?is)<!--.*?-->|<(/?[a-z][a-z0-9]*)\b((?:[^>"']|"[^"]*"|'[^']*')*)>`)
	attributeShape = regexp.MustCompile(`(?is)([a-z][a-z0-9_:-]*)(?:\s*=\s*("[^"]*"|'[^']*'|[^\s"'>]+))?`)
)

func attributesOf(tag string) map[string]string {
	attrs := map[string]string{}
	for _, a := range attributeShape.FindAllStringSubmatch(tag, -1) {
		attrs[strings.ToLower(a[1])] = html.UnescapeString(strings.Trim(a[2], `"'`))
	}
	return attrs
}

func formsOf(p *page) []form {
	var forms []form
	for _, tag := range tagShape.FindAllStringSubmatch(p.body, -1) {
		attrs := attributesOf(tag[2])
		switch strings.ToLower(tag[1]) {
		case "form":
			action, err := p.url.Parse(attrs["action"])
			if err != nil {
				continue
			}
			method := strings.ToUpper(attrs["method"])
			if method != http.MethodPost {
				method = http.MethodGet
			}
			forms = append(forms, form{method: method, action: action.String(), fields: url.Values{}, from: p.url})
		case "input", "button":
			if len(forms) == 0 || attrs["name"] == "" {
				continue
			}
			f := &forms[len(forms)-1]
			switch kind := strings.ToLower(attrs["type"]); kind {
			case "submit", "button", "reset", "image", "checkbox", "radio":
				continue // not pressed, not chosen
			case "password":
				f.password = attrs["name"]
			case "", "text", "email":
				if f.user == "" {
					f.user = attrs["name"]
				}
			}
			f.fields.Add(attrs["name"], attrs["value"])
		}
	}
	return forms
}
