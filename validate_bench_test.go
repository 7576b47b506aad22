package saml_test

import (
	"context"
	"testing"
	"time"

	"github.com/logintrust/saml"
	"github.com/logintrust/saml/samltest"
)

// sameAgain is a store in which the one pending request waits forever and nothing is ever used up.
type sameAgain struct {
	key   string
	value []byte
}

func (s *sameAgain) Add(_ context.Context, key string, value []byte, _ time.Duration) (bool, error) {
	if s.value == nil {
		s.key, s.value = key, value
	}
	return true, nil
}

func (s *sameAgain) Get(_ context.Context, key string) ([]byte, bool, error) {
	return s.value, key == s.key, nil
}

func (s *sameAgain) Take(ctx context.Context, key string) ([]byte, bool, error) {
	return s.Get(ctx, key)
}

func BenchmarkValidate(b *testing.B) {
	for _, row := range []struct {
		name   string
		sign   samltest.Parts
		values int
	}{
		{"AssertionSigned", samltest.SignAssertion, 0},
		{"BothSigned", samltest.SignAssertion | samltest.SignResponse, 0},
		{"300Values", samltest.SignAssertion, 300},
	} {
		b.Run(row.name, func(b *testing.B) {
			w := newWorld(b, func(_ *saml.LoginTrust, c *saml.Config) { c.State = &sameAgain{} })
			started, request := w.start(saml.StartOptions{ReturnTo: "/inbox"})
			answer := w.idp.Answer(request)
			answer.Sign = row.sign
			if row.values > 0 {
				values := make([]string, row.values)
				for i := range values {
					values[i] = "CN=application-users,OU=Groups,OU=Clinical,DC=hospital,DC=example,DC=com"
				}
				answer.Assertion().Attributes = append(answer.Assertion().Attributes, samltest.Attr("groups", values...))
			}
			for i := 0; len(answer.XML()) < 6<<10; i++ {
				answer.Assertion().Attributes = append(answer.Assertion().Attributes, samltest.Attr("http://schemas.xmlsoap.org/ws/2005/05/identity/claims/extra"+string(rune('a'+i)), "a value of the ordinary kind"))
			}
			posted := saml.Posted{SAMLResponse: answer.Encode(), BrowserKey: started.BrowserKey}
			b.ReportAllocs()
			for b.Loop() {
				_, err := w.sp.Validate(context.Background(), posted)
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
