package saml_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml"
	"github.com/logintrust/saml/samltest"
)

// Every attack is refused over the handlers, with the reason that is right for it.
//
// req: SG-SWS PROF-4.1.4.3-sig SG-POS CORE-5-env CORE-5.4.2 CORE-5.4.4 E91 SG-ALGCONF SG-SIGNEDINFO IIP-SSO01 SA-09 SA-12
func TestAttacks(t *testing.T) {
	t.Parallel()
	idp, err := samltest.New(samltest.Options{})
	require.NoError(t, err)
	trusts := saml.NewMemoryTrusts(idp.Trust())
	sp, err := saml.New(saml.Config{BaseURL: "https://app.example.com", Trusts: trusts, State: saml.NewMemoryState(),
		DecryptionKeys: []saml.DecryptionKey{{Key: cipherKey()}}})
	require.NoError(t, err)
	require.NoError(t, idp.AddSPMetadata(sp.Metadata()))
	idp.RunAttacks(t, sp.Handler(func(w http.ResponseWriter, r *http.Request, login *saml.Login) {
		http.Redirect(w, r, login.ReturnTo(), http.StatusSeeOther)
	}))
}

// One service provider, many goroutines, and trusts that change under them.
//
// req: SE-CONC
func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 20 {
				login, err := w.login()
				assert.NoError(t, err)
				if login != nil {
					assert.Equal(t, "alice", login.Subject().NameID.Value)
				}
			}
		})
	}
	trust := w.trust()
	for range 200 {
		trust.Description += "x"[:len(trust.Description)%2]
		w.trusts.Set(trust)
		w.trusts.All()
	}
	group.Wait()
}

// Time comes from Config.Now alone.
//
// req: TM-CLOCK TM-PARSE
func TestClock(t *testing.T) {
	t.Parallel()
	w := newWorld(t, allowIdPInitiated)
	answer := w.unsolicited()
	for _, c := range []struct {
		year   int
		reason saml.Reason
	}{{1999, saml.NotYetValid}, {2525, saml.Expired}, {2026, ""}} {
		w.now = time.Date(c.year, now.Month(), now.Day(), now.Hour(), now.Minute(), now.Second(), 0, time.UTC)
		login, err := w.post(answer, "")
		if c.reason == "" {
			accepted(t, login, err)
			continue
		}
		refused(t, c.reason, login, err)
	}
}

// trap is a transport that nothing may use.
type trap struct{ t *testing.T }

func (r trap) RoundTrip(req *http.Request) (*http.Response, error) {
	r.t.Errorf("a request to %s", req.URL)
	return nil, http.ErrAbortHandler
}

// Reading a message asks nobody anything. The test is not parallel, since it changes what all share.
//
// req: SE-NONET
func TestNoNetwork(t *testing.T) {
	before := http.DefaultTransport
	http.DefaultTransport = trap{t}
	defer func() { http.DefaultTransport = before }()
	w := newWorld(t)
	login, err := w.login(func(a *samltest.Answer) {
		a.Extensions = []string{`<x:a xmlns:x="urn:x" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="urn:x http://127.0.0.1:1/x.xsd"/>`,
			`<ds:RetrievalMethod xmlns:ds="http://www.w3.org/2000/09/xmldsig#" URI="http://127.0.0.1:1/key"/>`}
	})
	accepted(t, login, err)
	_, err = saml.TrustFromMetadata([]byte(strings.Replace(string(w.idp.Metadata()), "<md:IDPSSODescriptor", `<md:AdditionalMetadataLocation namespace="urn:x">http://127.0.0.1:1/</md:AdditionalMetadataLocation><md:IDPSSODescriptor`, 1)), "", now)
	require.NoError(t, err)
}

// Every refusal that the handlers meet reaches the hook, once, with its reference.
//
// req: SE-SIGNAL
func TestOnRefusal(t *testing.T) {
	t.Parallel()
	references := map[string]saml.Reason{}
	s := newSite(t)
	for _, edit := range []func(*samltest.Answer){
		func(a *samltest.Answer) { a.Seal.Method, a.Seal.Digest = samltest.RSASHA1, samltest.SHA1 },
		func(a *samltest.Answer) { a.Bytes = replaceBytes("alice", "mallory") },
		func(a *samltest.Answer) { a.Sign = samltest.SignNothing },
	} {
		b := s.browser()
		answer := s.idp.Answer(b.start(""))
		edit(answer)
		_, body := b.post(answer)
		_, reference, found := strings.Cut(body, "Reference: ")
		require.True(t, found)
		references[reference[:10]] = s.reason()
	}
	assert.Len(t, references, 3)
	for _, want := range []saml.Reason{saml.WeakAlgorithm, saml.BadSignature, saml.Unsigned} {
		assert.Contains(t, references, keyOf(references, want))
	}
}

func keyOf(m map[string]saml.Reason, want saml.Reason) string {
	for k, v := range m {
		if v == want {
			return k
		}
	}
	return ""
}
