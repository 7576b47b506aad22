package samltest

import (
	"bytes"
	"cmp"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"
	saml "github.com/logintrust/saml"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAttacksAreNamed(t *testing.T) {
	t.Parallel()
	attacks := Attacks()
	assert.GreaterOrEqual(t, len(attacks), 75)
	names, perClass := map[string]bool{}, map[Class]int{}
	for _, a := range attacks {
		assert.False(t, names[a.Name], "twice: %s", a.Name)
		names[a.Name] = true
		perClass[a.Class]++
		assert.NotEmpty(t, a.Reference, a.Name)
		assert.Equal(t, a.Won == nil && !a.Bounded, len(a.Reasons) > 0, a.Name)
		assert.NotNil(t, a.Forge, a.Name)
	}
	for _, class := range []Class{Wrapping, Tampering, References, Keys, Parsing, Profile, Mixup, Encrypted, Ciphertexts, RelayStates, Exhaustion} {
		assert.GreaterOrEqual(t, perClass[class], 10, class)
	}
}

// testSP is a service provider that publishes a key.
func testSP(t *testing.T) SP {
	t.Helper()
	key, err := keyFor("sp", RSA2048)
	require.NoError(t, err)
	return SP{EntityID: "https://app.example.com/sso/metadata", ACSURL: "https://app.example.com/sso/acs", EncryptionKey: key.Public()}
}

// stage is a scene with no service provider at all.
func stage(t *testing.T, a Attack) *Scene {
	t.Helper()
	idp := NewIdP(t)
	other, err := New(Options{EntityID: "https://other.example.com", SSOURL: "https://other.example.com/sso"})
	require.NoError(t, err)
	mallory, err := mallorySeal(idp)
	require.NoError(t, err)
	sp := testSP(t)
	return &Scene{
		IdP: idp, Other: other, SP: sp, Mallory: mallory, base: a.base(sp),
		plant: func(string, string) {},
		begin: func(p *IdP, _ bool, _ string) Request {
			return Request{ID: newID(), SPEntityID: sp.EntityID, ACSURL: sp.ACSURL, Destination: p.SSOURL, XML: []byte(`<samlp:AuthnRequest/>`)}
		},
		accept: func(url.Values, bool) {},
	}
}

// message is what an attack posts, nil if it is not XML.
func message(t *testing.T, a Attack) (xml []byte, root *etree.Element) {
	t.Helper()
	form := a.Forge(stage(t, a))
	xml, err := base64.StdEncoding.DecodeString(form.Get("SAMLResponse"))
	if err != nil {
		return nil, nil
	}
	doc := etree.NewDocument()
	if err := doc.ReadFromBytes(xml); err != nil {
		return xml, nil
	}
	return xml, doc.Root()
}

// TestWrappingKeepsSignature holds each wrapping attack to its idea: a genuine signature verifies over the element that it
// refers to, wherever that is now, and somebody else's name stands outside of that element.
func TestWrappingKeepsSignature(t *testing.T) {
	t.Parallel()
	for _, a := range wrappingAttacks() {
		t.Run(a.Name, func(t *testing.T) {
			t.Parallel()
			xml, root := message(t, a)
			require.NotNil(t, root)
			covered := verified(t, NewIdP(t), root)
			require.NotEmpty(t, covered)
			if strings.Contains(a.Name, "SOAP") {
				return
			}
			assert.Contains(t, string(covered[0]), ">alice<")
			assert.NotContains(t, string(covered[0]), ">"+evil+"<")
			assert.Contains(t, string(xml), ">"+evil+"<")
		})
	}
}

// verified finds what the genuine key has signed in the tree as a careless service provider would: any signature, over any
// element of that ID.
func verified(t *testing.T, idp *IdP, root *etree.Element) (covered [][]byte) {
	t.Helper()
	for _, signature := range root.FindElements("//Signature") {
		info := signature.SelectElement("SignedInfo")
		octets := mustCanonical(info)
		value, err := base64.StdEncoding.DecodeString(signature.SelectElement("SignatureValue").Text())
		require.NoError(t, err)
		digest := sha256.Sum256(octets)
		if rsa.VerifyPKCS1v15(idp.own[0].signer.Public().(*rsa.PublicKey), crypto.SHA256, digest[:], value) != nil {
			continue
		}
		id := strings.TrimPrefix(info.SelectElement("Reference").SelectAttrValue("URI", ""), "#")
		for _, el := range root.FindElements("//*[@ID='" + id + "']") {
			for _, candidate := range []*etree.Element{detach(el), bareOf(detach(el))} {
				octets := mustCanonical(candidate)
				if digest, _ := digestWith(SHA256, octets); digest == info.FindElement(".//DigestValue").Text() {
					covered = append(covered, octets)
				}
			}
		}
	}
	return covered
}

func bareOf(el *etree.Element) *etree.Element {
	if signatureOf(el) == nil {
		return el
	}
	return bare(el)
}

// TestProfileAttacksVerify holds the attacks by a genuine key to that: the signature is good, so that only the rule that is
// meant can refuse them.
func TestProfileAttacksVerify(t *testing.T) {
	t.Parallel()
	for _, a := range append(append(profileAttacks(), conditionAttacks()...), demandAttacks()...) {
		t.Run(a.Name, func(t *testing.T) {
			t.Parallel()
			_, root := message(t, a)
			require.NotNil(t, root)
			if strings.Contains(a.Name, "ID of the assertion") || a.Name == "success without assertion" {
				return
			}
			assert.NotEmpty(t, verified(t, NewIdP(t), root))
		})
	}
}

// TestAttacksDiffer catches an attack whose edit finds nothing to edit.
func TestAttacksDiffer(t *testing.T) {
	t.Parallel()
	for _, a := range Attacks() {
		t.Run(a.Name, func(t *testing.T) {
			t.Parallel()
			if a.Class == Mixup || a.Class == RelayStates || a.Demand != nil || a.Ask != nil { // an honest answer to somebody else
				assert.NotEmpty(t, a.Forge(stage(t, a)).Get("SAMLResponse"))
				return
			}
			scene := stage(t, a)
			var honest *Answer
			scene.base = func(answer *Answer) {
				a.base(scene.SP)(answer)
				honest = answer
			}
			form := a.Forge(scene)
			if honest == nil || len(form["SAMLResponse"]) > 1 {
				return
			}
			same := *scene.IdP.Answer(Request{ID: honest.InResponseTo, SPEntityID: scene.SP.EntityID, ACSURL: scene.SP.ACSURL})
			a.base(scene.SP)(&same)
			forgedXML, err := base64.StdEncoding.DecodeString(form.Get("SAMLResponse"))
			if err != nil || len(forgedXML) > 100_000 {
				return
			}
			assert.NotEqual(t, normal(same.XML()), normal(forgedXML))
		})
	}
}

// gullible is a service provider that accepts everything, and goes wherever it is told.
func gullible(sp SP) http.Handler {
	place := ""
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		target := "/"
		if r.URL.Path == "/sso/acs" {
			r.Body = http.MaxBytesReader(w, r.Body, 64<<20) // ParseForm alone has a limit
			if err := r.ParseForm(); err != nil {
				panic(err)
			}
			told := append(r.PostForm["RelayState"], place)
			slices.SortStableFunc(told, func(a, b string) int { return strings.Index(b, "evil") - strings.Index(a, "evil") })
			w.Header()["Location"] = []string{cmp.Or(told[0], target)}
			w.WriteHeader(http.StatusSeeOther)
			_, _ = w.Write([]byte("going to " + told[0]))
			return
		}
		if r.URL.Path == "/sso/login" {
			place = r.URL.Query().Get("target")
			request := `<samlp:AuthnRequest xmlns:samlp="` + nsProtocol + `" ID="` + newID() + `" Version="2.0" IssueInstant="2026-01-02T03:04:05Z"` +
				` AssertionConsumerServiceURL="` + sp.ACSURL + `"><saml:Issuer xmlns:saml="` + nsAssertion + `">` + sp.EntityID + `</saml:Issuer></samlp:AuthnRequest>`
			target = "https://idp.example.com/sso?" + url.Values{"SAMLRequest": {encode(deflated([]byte(request)))}}.Encode()
		}
		http.Redirect(w, r, target, http.StatusSeeOther)
	})
}

// TestTargetCatches holds the harness to its purpose: a service provider that accepts everything falls for every attack.
func TestTargetCatches(t *testing.T) {
	t.Parallel()
	sp := testSP(t)
	for _, a := range Attacks() {
		t.Run(a.Name, func(t *testing.T) {
			t.Parallel()
			x := Target{IdP: NewIdP(t), Handler: gullible(sp), SP: sp}
			require.NoError(t, x.complete())
			scene, victim := x.scene(t.Fatalf, a)
			got := x.wait(victim, a.Forge(scene))
			require.False(t, got.late)
			assert.True(t, got.accepted)
			assert.Equal(t, !a.Bounded, a.fell(got), got.text)
		})
	}
}

// TestTargetCatchesMisuse: a host that has a service provider in order, but goes where the form says instead of where the login
// leads, is caught by attacks with a RelayState.
func TestTargetCatchesMisuse(t *testing.T) {
	t.Parallel()
	idp := NewIdP(t)
	sp, err := saml.New(saml.Config{BaseURL: "https://app.example.com", Trusts: saml.NewMemoryTrusts(idp.Trust()), State: saml.NewMemoryState()})
	require.NoError(t, err)
	require.NoError(t, idp.AddSPMetadata(sp.Metadata()))
	site := sp.Handler(func(w http.ResponseWriter, r *http.Request, _ *saml.Login) {
		http.Redirect(w, r, r.PostForm.Get("RelayState"), http.StatusSeeOther)
	})
	x := Target{IdP: idp, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			require.NoError(t, r.ParseForm())
		}
		site.ServeHTTP(w, r)
	})}
	require.NoError(t, x.complete())
	caught, tried := 0, 0
	for _, a := range relayStateAttacks() {
		if a.NeedsIdPInitiated || !strings.HasPrefix(a.Name, "RelayState: ") {
			continue
		}
		scene, victim := x.scene(t.Fatalf, a)
		got := x.wait(victim, a.Forge(scene))
		tried++
		if a.fell(got) {
			caught++
		}
	}
	assert.Greater(t, caught, tried/2)
}

// TestTargetCatchesBreakdowns: one that breaks down or never answers is caught by any attack.
func TestTargetCatchesBreakdowns(t *testing.T) {
	t.Parallel()
	sp := testSP(t)
	never := make(chan struct{})
	t.Cleanup(func() { close(never) })
	for name, answer := range map[string]func(w http.ResponseWriter){
		"error":   func(w http.ResponseWriter) { w.WriteHeader(http.StatusInternalServerError) },
		"panic":   func(http.ResponseWriter) { panic("at the disco") },
		"silence": func(http.ResponseWriter) { <-never },
	} {
		x := Target{IdP: NewIdP(t), SP: sp, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/sso/acs" {
				answer(w)
				return
			}
			gullible(sp).ServeHTTP(w, r)
		})}
		require.NoError(t, x.complete())
		if name == "silence" {
			x.Patience = 50 * time.Millisecond
		}
		attack := exhaustionAttacks()[0]
		scene, victim := x.scene(t.Fatalf, attack)
		got := x.wait(victim, attack.Forge(scene))
		assert.Equal(t, name == "silence", got.late, name)
		assert.True(t, attack.fell(got), name)
		assert.NotContains(t, got.says(), "accepted", name)
	}
}

// TestWhereTo reads places as browsers do.
func TestWhereTo(t *testing.T) {
	t.Parallel()
	from := &url.URL{Scheme: "https", Host: "app.example.com", Path: "/sso/acs"}
	for _, tt := range []struct{ location, want string }{
		{"/", "https app.example.com"}, {"deep", "https app.example.com"}, {"?a=//b", "https app.example.com"}, {"/a?b=//c#//d", "https app.example.com"},
		{"//b", "https b"}, {`/\b`, "https b"}, {`\\b/c`, "https b"}, {"https:b", "https app.example.com"}, {"http:b", "http b"},
		{"https://b:8080/c", "https b"}, {"https://a@b/", "https b"}, {"JAVASCRIPT:x", "javascript "}, {"java\tscript:x", "javascript "},
		{" //b", "https b"}, {"/%2fb", "https app.example.com"},
	} {
		scheme, host := whereTo(from, tt.location)
		assert.Equal(t, tt.want, scheme+" "+host, "%q", tt.location)
	}
}

// normal leaves out what differs between two honest answers: IDs, times, digests and signature values.
func normal(xml []byte) string {
	doc := etree.NewDocument()
	doc.ReadSettings.PreserveDuplicateAttrs = true
	if doc.ReadFromBytes(xml) != nil || doc.Root() == nil || bytes.HasPrefix(xml, []byte("<?")) {
		return string(xml)
	}
	for _, el := range append(doc.FindElements("//*"), doc.Root()) {
		for i, a := range el.Attr {
			if strings.HasSuffix(a.Key, "ID") || a.Key == "URI" || a.Key == "SessionIndex" || a.Key == "InResponseTo" || strings.HasPrefix(a.Value, "20") {
				el.Attr[i].Value = el.Attr[i].Value[:min(1, len(a.Value))]
			}
		}
	}
	text, err := doc.WriteToString()
	if err != nil {
		return string(xml)
	}
	return text
}
