package samltest_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/logintrust/saml/samltest"
	"github.com/stretchr/testify/assert"
)

// echo sets the cookies that the query names and shows those that came.
func echo(cookies ...string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/set" {
			for _, c := range cookies {
				w.Header().Add("Set-Cookie", c)
			}
			return
		}
		for _, c := range r.Cookies() {
			fmt.Fprint(w, c.Name, " ")
		}
	})
}

func TestBrowserCookies(t *testing.T) {
	t.Parallel()
	browser := samltest.NewBrowser().Site("https://app.example.com", echo(
		"none=1; SameSite=None; Secure; Path=/", "lax=1; SameSite=Lax; Path=/", "strict=1; SameSite=Strict; Path=/",
		"plain=1; Path=/", "deep=1; Path=/deep", "gone=1; Path=/", "gone=; Path=/; Max-Age=0",
		"__Host-good=1; SameSite=None; Secure; Path=/", "__Host-path=1; Secure; Path=/deep", "__Host-open=1; Path=/",
		"open=1; SameSite=None; Path=/", "other=1; Domain=evil.example.com; Path=/",
	)).Site("http://app.example.com", echo())
	browser.Get("https://app.example.com/set")

	const own, foreign = "https://app.example.com/page", "https://idp.example.com/sso"
	assert.Equal(t, "none lax strict plain __Host-good ", browser.Get(own).Body)
	assert.Equal(t, "none lax strict plain deep __Host-good ", browser.Get("https://app.example.com/deep/x").Body)
	assert.Equal(t, "none lax strict plain __Host-good ", browser.Post(own, own, nil).Body)
	assert.Equal(t, "none __Host-good ", browser.Post(foreign, own, nil).Body)
	assert.Equal(t, "lax strict plain ", browser.Get("http://app.example.com/page").Body)
	assert.Equal(t, http.StatusBadGateway, browser.Get("https://nowhere.example.com/").Status)
}

func TestPageForms(t *testing.T) {
	t.Parallel()
	page := samltest.NewBrowser().Site("https://app.example.com", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `<FORM method=post action='acs?a=1&amp;b=2' METHOD="post"><input type="hidden" name="x" value="&#34;&lt;">
<input value='' name="y"/><button>Go</button></FORM><form action=""></form>`)
	})).Get("https://app.example.com/sso/login")
	forms := page.Forms()
	assert.Len(t, forms, 2)
	assert.Equal(t, "POST", forms[0].Method)
	assert.Equal(t, "https://app.example.com/sso/acs?a=1&b=2", forms[0].Action)
	assert.Equal(t, `"<`, forms[0].Fields.Get("x"))
	assert.True(t, forms[0].Fields.Has("y"))
	assert.Empty(t, page.Location())
}
