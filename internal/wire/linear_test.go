package wire_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml/internal/wire"
	"github.com/logintrust/saml/internal/xmlsec"
)

// repeat writes a format n times, with numbers.
func repeat(n int, format string) string {
	var s strings.Builder
	for i := range n {
		fmt.Fprintf(&s, format, i)
	}
	return s.String()
}

// Signed input is hostile input, too: the administrator of another tenant holds a key. Whatever an assertion is full of,
// reading it costs time in proportion to its length.
//
// req: SE-LIMITS
func TestCostIsLinear(t *testing.T) {
	const n = 200
	for name, inner := range map[string]func(n int) string{
		"attributes": func(n int) string {
			return `<saml:AttributeStatement>` + repeat(n, `<saml:Attribute Name="a%d"><saml:AttributeValue>v</saml:AttributeValue></saml:Attribute>`) + `</saml:AttributeStatement>`
		},
		"attributes of one name": func(n int) string {
			return `<saml:AttributeStatement>` + repeat(n, `<saml:Attribute Name="a"><saml:AttributeValue>v%d</saml:AttributeValue></saml:Attribute>`) + `</saml:AttributeStatement>`
		},
		"attributes of two names": func(n int) string {
			return `<saml:AttributeStatement>` + repeat(n, `<saml:Attribute Name="a"><saml:AttributeValue/><saml:AttributeValue/></saml:Attribute><saml:Attribute Name="b"><saml:AttributeValue>%d</saml:AttributeValue></saml:Attribute>`) + `</saml:AttributeStatement>`
		},
		"values": func(n int) string {
			return `<saml:AttributeStatement><saml:Attribute Name="a">` + repeat(n, `<saml:AttributeValue>%d</saml:AttributeValue>`) + `</saml:Attribute></saml:AttributeStatement>`
		},
		"values of XML": func(n int) string {
			return `<saml:AttributeStatement><saml:Attribute Name="a">` + repeat(n, `<saml:AttributeValue><x>%d</x></saml:AttributeValue>`) + `</saml:Attribute></saml:AttributeStatement>`
		},
		"values that are null": func(n int) string {
			return `<saml:AttributeStatement><saml:Attribute Name="a">` + strings.Repeat(`<saml:AttributeValue xsi:nil="1"/>`, n) + `</saml:Attribute></saml:AttributeStatement>`
		},
		"attribute statements": func(n int) string {
			return strings.Repeat(`<saml:AttributeStatement>`+attribute+`</saml:AttributeStatement>`, n)
		},
		"attribute statements of many names": func(n int) string {
			return repeat(n, `<saml:AttributeStatement><saml:Attribute Name="a%d"/></saml:AttributeStatement>`)
		},
		"authenticating authorities": func(n int) string { // of authentication statements there are a hundred at most
			return strings.Replace(authn, `</saml:AuthnContext>`, repeat(n, `<saml:AuthenticatingAuthority>a%d</saml:AuthenticatingAuthority>`)+`</saml:AuthnContext>`, 1)
		},
		"other statements": func(n int) string { return strings.Repeat(`<saml:Statement/>`, n) },
		"confirmations":    func(n int) string { return `<saml:Subject>` + strings.Repeat(bearer, n) + `</saml:Subject>` },
		"conditions": func(n int) string {
			return `<saml:Conditions>` + strings.Repeat(`<saml:OneTimeUse/><x/>`, n) + `</saml:Conditions>`
		},
		"audience restrictions": func(n int) string {
			return `<saml:Conditions>` + repeat(n, `<saml:AudienceRestriction><saml:Audience>%d</saml:Audience></saml:AudienceRestriction>`) + `</saml:Conditions>`
		},
		"audiences": func(n int) string {
			return `<saml:Conditions><saml:AudienceRestriction>` + repeat(n, `<saml:Audience>%d</saml:Audience>`) + `</saml:AudienceRestriction></saml:Conditions>`
		},
		"proxies": func(n int) string {
			return `<saml:Conditions>` + repeat(n, `<saml:ProxyRestriction><saml:Audience>%d</saml:Audience></saml:ProxyRestriction>`) + `</saml:Conditions>`
		},
		"authorities": func(n int) string {
			return `<saml:AuthnStatement><saml:AuthnContext>` + repeat(n, `<saml:AuthenticatingAuthority>%d</saml:AuthenticatingAuthority>`) + `</saml:AuthnContext></saml:AuthnStatement>`
		},
		"pieces of text": func(n int) string {
			return `<saml:Subject><saml:NameID>` + strings.Repeat(`a<!-- -->`, n) + `</saml:NameID></saml:Subject>`
		},
		"what is passed over": func(n int) string { return `<saml:Advice>` + strings.Repeat(`<x/>`, n) + `</saml:Advice>` },
		"signatures passed over": func(n int) string {
			return `<saml:Advice>` + strings.Repeat(`<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"/>`, n) + `</saml:Advice>`
		},
	} {
		t.Run(name, func(t *testing.T) {
			small, ok := signed(frame(inner(n)), "_a")
			require.True(t, ok)
			large, ok := signed(frame(inner(8*n)), "_a")
			require.True(t, ok)
			// Quadratic is 64 times for eight times the length. The shortest of many runs counts, since other programs take
			// the processor away at any time.
			const floor = 100 * time.Microsecond
			growth := float64(len(large)) / float64(len(small))
			atSmall, atLarge := time.Hour, time.Hour
			for run := 1; ; run++ {
				atSmall, atLarge = min(atSmall, timed(t, small)), min(atLarge, timed(t, large))
				linear := float64(atLarge) <= 3*growth*float64(max(atSmall, floor))
				if raceDetector || run >= 3 && linear {
					return // the detector has costs of its own
				}
				require.Less(t, run, 400, "%v for %d octets, %v for %d", atSmall, len(small), atLarge, len(large))
			}
		})
	}
}

// timed is how long it takes to open a response.
func timed(t testing.TB, doc string) time.Duration {
	t.Helper()
	u, err := xmlsec.Parse([]byte(doc), xmlsec.Limits{})
	require.NoError(t, err)
	began := time.Now()
	r, err := wire.ReadResponse(u)
	require.NoError(t, err)
	o, err := r.Open(pinned, xmlsec.Policy{}, nil)
	took := time.Since(began)
	require.NoError(t, err)
	require.NotNil(t, o.Assertion)
	return took
}
