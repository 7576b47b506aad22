package saml_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/beevik/etree"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml"
	"github.com/logintrust/saml/internal/oracle"
)

// ownKeys has a key of ours of each kind, made once.
var ownKeys = sync.OnceValue(func() map[string]saml.KeyPair {
	all := map[string]saml.KeyPair{}
	add := func(name string, key crypto.Signer, err error) {
		if err != nil {
			panic(err)
		}
		all[name] = saml.KeyPair{Signer: onlySigner{key}}
	}
	for name, bits := range map[string]int{"rsa2048": 2048, "rsa3072": 3072, "next": 2048} {
		key, err := rsa.GenerateKey(rand.Reader, bits)
		add(name, key, err)
	}
	for name, curve := range map[string]elliptic.Curve{"p256": elliptic.P256(), "p384": elliptic.P384(), "p521": elliptic.P521()} {
		key, err := ecdsa.GenerateKey(curve, rand.Reader)
		add(name, key, err)
	}
	_, key, err := ed25519.GenerateKey(rand.Reader)
	add("ed25519", key, err)
	return all
})

// keyList is some of them, in that order; "-" in front of a name publishes only.
func keyList(names ...string) (list []saml.KeyPair) {
	for _, name := range names {
		name, only := strings.CutPrefix(name, "-")
		pair := ownKeys()[name]
		pair.PublishOnly = only
		list = append(list, pair)
	}
	return list
}

// algorithmsOf are those that metadata declares, in a role or in an entity.
func algorithmsOf(uris ...string) string {
	text := `<Extensions xmlns:alg="urn:oasis:names:tc:SAML:metadata:algsupport">`
	for _, uri := range uris {
		text += uri
	}
	return text + `</Extensions>`
}

func signingMethod(uri string, more ...string) string {
	return `<alg:SigningMethod Algorithm="` + uri + `" ` + strings.Join(more, " ") + `/>`
}

func digestMethod(uri string) string { return `<alg:DigestMethod Algorithm="` + uri + `"/>` }

// declaring is an identity provider's metadata with these Extensions of the entity and of the role.
func declaring(t *testing.T, entity, role string) []byte {
	t.Helper()
	key, err := saml.NewPublicKey(ownKeys()["p256"].Signer.Public())
	require.NoError(t, err)
	text, err := key.MarshalText()
	require.NoError(t, err)
	block, _ := pem.Decode(text)
	return []byte(`<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="https://idp.example.com/">` + entity +
		`<IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">` + role +
		`<KeyDescriptor><KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><DEREncodedKeyValue xmlns="http://www.w3.org/2009/xmldsig11#">` +
		base64.StdEncoding.EncodeToString(block.Bytes) + `</DEREncodedKeyValue></KeyInfo></KeyDescriptor>` +
		`<SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://idp.example.com/r"/>` +
		`<SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://idp.example.com/p"/>` +
		`</IDPSSODescriptor></EntityDescriptor>`)
}

// A sentSignature is what a request says of its signature.
type sentSignature struct {
	algorithm, digest string
	octets, value     []byte // by HTTP-Redirect
	id                string // by HTTP-POST
	xml               []byte
}

// signatures begins a login by each binding and returns what the requests say.
func signatures(t *testing.T, trust saml.LoginTrust, config saml.Config) (redirect, post sentSignature, err error) {
	t.Helper()
	trust.State = saml.Active
	require.NoError(t, trust.Check())
	config.BaseURL, config.Trusts, config.State = "https://sp.example.com", saml.NewMemoryTrusts(trust), saml.NewMemoryState()
	sp, err := saml.New(config)
	require.NoError(t, err)
	started, err := sp.Request(t.Context(), trust, saml.StartOptions{Binding: saml.RedirectBinding})
	if err != nil {
		_, posted := sp.Request(t.Context(), trust, saml.StartOptions{Binding: saml.POSTBinding})
		assert.Equal(t, err, posted)
		return redirect, post, err
	}
	_, query, _ := strings.Cut(started.URL, "?")
	values, err := url.ParseQuery(query)
	require.NoError(t, err)
	octets, _, _ := strings.Cut(query, "&Signature=")
	redirect.algorithm, redirect.octets = values.Get("SigAlg"), []byte(octets)
	redirect.value, err = base64.StdEncoding.DecodeString(values.Get("Signature"))
	require.NoError(t, err)

	started, err = sp.Request(t.Context(), trust, saml.StartOptions{Binding: saml.POSTBinding})
	if err != nil {
		return redirect, post, err
	}
	post.id = started.RequestID
	post.xml, err = base64.StdEncoding.DecodeString(started.Fields["SAMLRequest"])
	require.NoError(t, err)
	doc := etree.NewDocument()
	require.NoError(t, doc.ReadFromBytes(post.xml))
	if method := doc.FindElement("//SignatureMethod"); method != nil {
		post.algorithm = method.SelectAttrValue("Algorithm", "")
		post.digest = doc.FindElement("//DigestMethod").SelectAttrValue("Algorithm", "")
	}
	return redirect, post, nil
}

// What an identity provider declares decides, in its order, which key of ours signs, and how.
//
// req: IIP-MD10 ALGSUP-2.5 ALGSUP-keysize SG-ROLL
func TestSigningAsDeclared(t *testing.T) {
	t.Parallel()
	java := oracle.StartJavaDSig(t)
	const rsaSHA1 = "http://www.w3.org/2000/09/xmldsig#rsa-sha1"
	for _, c := range []struct {
		name         string
		entity, role []string
		keys         string
		algorithm    string // "" is unsigned
		key          string
		digest       string
	}{
		{"nothing declared", nil, nil, "rsa2048 p256", saml.AlgorithmRSASHA256, "rsa2048", saml.AlgorithmSHA256},
		{"nothing declared, P-521", nil, nil, "p521 rsa2048", saml.AlgorithmECDSASHA512, "p521", saml.AlgorithmSHA512},
		{"nothing declared, Ed25519", nil, nil, "ed25519", saml.AlgorithmEd25519, "ed25519", saml.AlgorithmSHA256},
		{"no key", nil, nil, "", "", "", ""},
		{"ECDSA only", nil, []string{signingMethod(saml.AlgorithmECDSASHA256)}, "rsa2048 p256", saml.AlgorithmECDSASHA256, "p256", saml.AlgorithmSHA256},
		{"ECDSA only, on any curve", nil, []string{signingMethod(saml.AlgorithmECDSASHA256)}, "rsa2048 p384", saml.AlgorithmECDSASHA256, "p384", saml.AlgorithmSHA256},
		{"of the entity", []string{signingMethod(saml.AlgorithmECDSASHA256)}, nil, "rsa2048 p256", saml.AlgorithmECDSASHA256, "p256", saml.AlgorithmSHA256},
		{"the role's replace the entity's", []string{signingMethod(saml.AlgorithmECDSASHA256)}, []string{signingMethod(saml.AlgorithmRSASHA512)}, "p256 rsa2048", saml.AlgorithmRSASHA512, "rsa2048", saml.AlgorithmSHA512},
		{"a role with digests only", []string{signingMethod(saml.AlgorithmECDSASHA256)}, []string{digestMethod(saml.AlgorithmSHA384)}, "rsa2048 p256", saml.AlgorithmECDSASHA256, "p256", saml.AlgorithmSHA384},
		{"in their order", nil, []string{signingMethod(rsaSHA1), signingMethod("urn:x"), signingMethod(saml.AlgorithmRSAPSSSHA384), signingMethod(saml.AlgorithmECDSASHA256)}, "p256 rsa2048",
			saml.AlgorithmRSAPSSSHA384, "rsa2048", saml.AlgorithmSHA384},
		{"the first key that fits", nil, []string{signingMethod(saml.AlgorithmRSASHA256)}, "p256 rsa3072 rsa2048", saml.AlgorithmRSASHA256, "rsa3072", saml.AlgorithmSHA256},
		{"no key that only publishes", nil, []string{signingMethod(saml.AlgorithmRSASHA256)}, "-next p256 rsa2048", saml.AlgorithmRSASHA256, "rsa2048", saml.AlgorithmSHA256},
		{"too short a key", nil, []string{signingMethod(saml.AlgorithmRSASHA256, `MinKeySize="3072"`)}, "rsa2048 rsa3072", saml.AlgorithmRSASHA256, "rsa3072", saml.AlgorithmSHA256},
		{"too long a key", nil, []string{signingMethod(saml.AlgorithmRSASHA256, `MaxKeySize="2048"`)}, "rsa3072 rsa2048", saml.AlgorithmRSASHA256, "rsa2048", saml.AlgorithmSHA256},
		{"a key of that size", nil, []string{signingMethod(saml.AlgorithmRSASHA256, `MinKeySize="2048"`, `MaxKeySize=" 2048 "`)}, "rsa2048", saml.AlgorithmRSASHA256, "rsa2048", saml.AlgorithmSHA256},
		{"sizes of curves", nil, []string{signingMethod(saml.AlgorithmECDSASHA384, `MinKeySize="384"`, `MaxKeySize="384"`)}, "p256 p521 p384", saml.AlgorithmECDSASHA384, "p384", saml.AlgorithmSHA384},
		{"a size that nobody can read", nil, []string{signingMethod(saml.AlgorithmRSASHA256, `MinKeySize="99999999999999999999"`, `MaxKeySize="-1"`)}, "rsa2048", saml.AlgorithmRSASHA256, "rsa2048", saml.AlgorithmSHA256},
		{"the next method for a short key", nil, []string{signingMethod(saml.AlgorithmRSASHA256, `MinKeySize="3072"`), signingMethod(saml.AlgorithmECDSASHA256)}, "rsa2048 p256", saml.AlgorithmECDSASHA256, "p256", saml.AlgorithmSHA256},
		{"a digest", nil, []string{digestMethod("http://www.w3.org/2000/09/xmldsig#sha1"), digestMethod(saml.AlgorithmSHA512), digestMethod(saml.AlgorithmSHA256)}, "rsa2048", saml.AlgorithmRSASHA256, "rsa2048", saml.AlgorithmSHA512},
		{"sizes that no key has", nil, []string{signingMethod(saml.AlgorithmECDSASHA256, `MinKeySize="384"`, `MaxKeySize="256"`), signingMethod(saml.AlgorithmRSASHA256)}, "p256 rsa2048", saml.AlgorithmRSASHA256, "rsa2048", saml.AlgorithmSHA256},
		{"nothing that is an algorithm", nil, []string{`<alg:SigningMethod/>`, signingMethod(""), signingMethod("no URI")}, "rsa2048", saml.AlgorithmRSASHA256, "rsa2048", saml.AlgorithmSHA256},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			part := func(list []string) string {
				if list == nil {
					return ""
				}
				return algorithmsOf(list...)
			}
			trust, err := saml.TrustFromMetadata(declaring(t, part(c.entity), part(c.role)), "", now)
			require.NoError(t, err)
			redirect, post, err := signatures(t, trust, saml.Config{SigningKeys: keyList(strings.Fields(c.keys)...)})
			require.NoError(t, err)
			assert.Equal(t, c.algorithm, redirect.algorithm)
			assert.Equal(t, c.algorithm, post.algorithm)
			assert.Equal(t, c.digest, post.digest)
			if c.key == "" {
				return
			}
			spki, err := x509.MarshalPKIXPublicKey(ownKeys()[c.key].Signer.Public())
			require.NoError(t, err)
			assert.NoError(t, java.VerifyOctets(redirect.algorithm, spki, redirect.value, redirect.octets))
			_, err = java.Verify(post.id, spki, post.xml)
			assert.NoError(t, err)
		})
	}
}

// No algorithm in common is an error that a host can tell from others, before anything is stored.
//
// req: IIP-MD10 ALGSUP-keysize
func TestNoCommonAlgorithm(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ role, keys string }{
		"another kind of key":            {signingMethod(saml.AlgorithmECDSASHA256), "rsa2048 ed25519"},
		"nothing that we know":           {signingMethod("http://www.w3.org/2000/09/xmldsig#rsa-sha1") + signingMethod("urn:x"), "rsa2048 p256"},
		"a key that is too short":        {signingMethod(saml.AlgorithmRSASHA256, `MinKeySize="2049"`), "rsa2048"},
		"a key that publishes only":      {signingMethod(saml.AlgorithmECDSASHA256), "rsa2048 -p256"},
		"a key that is one bit too long": {signingMethod(saml.AlgorithmRSASHA256, `MaxKeySize="2047"`), "rsa2048"},
	} {
		trust, err := saml.TrustFromMetadata(declaring(t, "", algorithmsOf(c.role)), "", now)
		require.NoError(t, err)
		_, _, err = signatures(t, trust, saml.Config{SigningKeys: keyList(strings.Fields(c.keys)...)})
		require.ErrorIs(t, err, saml.ErrNoAlgorithm, name)
		_, _, err = signatures(t, trust, saml.Config{})
		require.NoError(t, err, "who signs nothing needs no algorithm")
	}
	trust, err := saml.TrustFromMetadata(declaring(t, "", algorithmsOf(digestMethod("urn:x"))), "", now)
	require.NoError(t, err)
	redirect, _, err := signatures(t, trust, saml.Config{SigningKeys: keyList("rsa2048")})
	assert.Equal(t, saml.AlgorithmRSASHA256, redirect.algorithm, "there is no digest by HTTP-Redirect")
	require.ErrorIs(t, err, saml.ErrNoAlgorithm)
}

// An administrator names the algorithm, inside of what is declared.
func TestSignatureAlgorithmOfATrust(t *testing.T) {
	t.Parallel()
	trust, err := saml.TrustFromMetadata(declaring(t, "", ""), "", now)
	require.NoError(t, err)
	config := saml.Config{SigningKeys: keyList("rsa2048", "p256", "ed25519")}
	for uri, digest := range map[string]string{saml.AlgorithmRSASHA256: saml.AlgorithmSHA256, saml.AlgorithmRSASHA384: saml.AlgorithmSHA384, saml.AlgorithmRSASHA512: saml.AlgorithmSHA512,
		saml.AlgorithmRSAPSSSHA256: saml.AlgorithmSHA256, saml.AlgorithmRSAPSSSHA384: saml.AlgorithmSHA384, saml.AlgorithmRSAPSSSHA512: saml.AlgorithmSHA512,
		saml.AlgorithmECDSASHA256: saml.AlgorithmSHA256, saml.AlgorithmECDSASHA384: saml.AlgorithmSHA384, saml.AlgorithmECDSASHA512: saml.AlgorithmSHA512,
		saml.AlgorithmEd25519: saml.AlgorithmSHA256} {
		trust.SignatureAlgorithm = uri
		redirect, post, err := signatures(t, trust, config)
		require.NoError(t, err, uri)
		assert.Equal(t, []string{uri, uri, digest}, []string{redirect.algorithm, post.algorithm, post.digest})
	}
	trust.SignatureAlgorithm = saml.AlgorithmECDSASHA256
	_, _, err = signatures(t, trust, saml.Config{SigningKeys: keyList("rsa2048")})
	require.ErrorIs(t, err, saml.ErrNoAlgorithm)
	trust.SigningMethods = []saml.SigningMethod{{Algorithm: saml.AlgorithmRSASHA256}, {Algorithm: saml.AlgorithmECDSASHA256, MinKeySize: 384}}
	redirect, _, err := signatures(t, trust, saml.Config{SigningKeys: keyList("p256", "p384")})
	require.NoError(t, err)
	assert.Equal(t, saml.AlgorithmECDSASHA256, redirect.algorithm)
	_, _, err = signatures(t, trust, saml.Config{SigningKeys: keyList("p256")})
	require.ErrorIs(t, err, saml.ErrNoAlgorithm)
}

// The host says which algorithms there are: for what it signs, for what it accepts.
//
// req: IIP-ALG08
func TestAdmittedAlgorithms(t *testing.T) {
	t.Parallel()
	trust, err := saml.TrustFromMetadata(declaring(t, "", ""), "", now)
	require.NoError(t, err)
	config := saml.Config{SigningKeys: keyList("rsa2048"), SignatureAlgorithms: []string{saml.AlgorithmECDSASHA256, saml.AlgorithmRSASHA512}, DigestAlgorithms: []string{saml.AlgorithmSHA384}}
	redirect, post, err := signatures(t, trust, config)
	require.NoError(t, err)
	assert.Equal(t, []string{saml.AlgorithmRSASHA512, saml.AlgorithmRSASHA512, saml.AlgorithmSHA384}, []string{redirect.algorithm, post.algorithm, post.digest})
	trust.SignatureAlgorithm = saml.AlgorithmRSASHA256
	_, _, err = signatures(t, trust, config)
	require.ErrorIs(t, err, saml.ErrNoAlgorithm)
	trust.SignatureAlgorithm, trust.DigestMethods = "", []string{saml.AlgorithmSHA256}
	_, _, err = signatures(t, trust, config)
	require.ErrorIs(t, err, saml.ErrNoAlgorithm)

	for name, c := range map[string]struct {
		change func(*saml.Config)
		reason error
	}{
		"all": {func(*saml.Config) {}, nil},
		"listed": {func(c *saml.Config) {
			c.SignatureAlgorithms, c.DigestAlgorithms = []string{saml.AlgorithmRSASHA256}, []string{saml.AlgorithmSHA256}
		}, nil},
		"not the method": {func(c *saml.Config) {
			c.SignatureAlgorithms = []string{saml.AlgorithmECDSASHA256, saml.AlgorithmRSASHA512}
		}, saml.WeakAlgorithm},
		"not the digest": {func(c *saml.Config) { c.DigestAlgorithms = []string{saml.AlgorithmSHA512} }, saml.WeakAlgorithm},
	} {
		w := newWorld(t, func(_ *saml.LoginTrust, config *saml.Config) { c.change(config) })
		login, err := w.login()
		if c.reason == nil {
			accepted(t, login, err)
			continue
		}
		require.ErrorIs(t, err, c.reason, name)
	}

	good := saml.Config{BaseURL: "https://sp.example.com", Trusts: saml.NewMemoryTrusts(), State: saml.NewMemoryState(), SigningKeys: keyList("rsa2048")}
	for name, change := range map[string]func(*saml.Config){
		"unknown":                func(c *saml.Config) { c.SignatureAlgorithms = []string{"urn:x"} },
		"for ever forbidden":     func(c *saml.Config) { c.DigestAlgorithms = []string{"http://www.w3.org/2001/04/xmldsig-more#md5"} },
		"twice":                  func(c *saml.Config) { c.DigestAlgorithms = []string{saml.AlgorithmSHA256, saml.AlgorithmSHA256} },
		"none for a key":         func(c *saml.Config) { c.SignatureAlgorithms = []string{saml.AlgorithmECDSASHA256} },
		"no digest to sign with": func(c *saml.Config) { c.DigestAlgorithms = []string{"http://www.w3.org/2000/09/xmldsig#sha1"} },
		"SHA-1 does not sign":    func(c *saml.Config) { c.SignatureAlgorithms = []string{"http://www.w3.org/2000/09/xmldsig#rsa-sha1"} },
		"a digest for a method":  func(c *saml.Config) { c.SignatureAlgorithms = []string{saml.AlgorithmSHA256} },
		"none for the second key": func(c *saml.Config) {
			c.SigningKeys, c.SignatureAlgorithms = keyList("rsa2048", "-p256"), []string{saml.AlgorithmRSASHA256}
		},
	} {
		config := good
		change(&config)
		_, err := saml.New(config)
		require.Error(t, err, name)
	}
}

// What an identity provider declares is a decision like the others when its metadata is read again.
func TestDeclaredAlgorithmsChange(t *testing.T) {
	t.Parallel()
	old, err := saml.TrustFromMetadata(declaring(t, "", ""), "", now)
	require.NoError(t, err)
	p, err := saml.ProposeTrust(declaring(t, "", algorithmsOf(signingMethod(saml.AlgorithmRSASHA256, `MinKeySize="2048"`), signingMethod(saml.AlgorithmRSASHA256, `MinKeySize="2048"`),
		signingMethod(saml.AlgorithmECDSASHA256, `MaxKeySize="384"`), signingMethod("urn:x", `MinKeySize="1" MaxKeySize="2"`), signingMethod("urn:z", `MinKeySize="2" MaxKeySize="1"`), signingMethod("urn:y"), digestMethod(saml.AlgorithmSHA256), digestMethod(saml.AlgorithmSHA256), digestMethod("urn:z"))), saml.ImportOptions{}, now)
	require.NoError(t, err)
	want := []saml.SigningMethod{{Algorithm: saml.AlgorithmRSASHA256, MinKeySize: 2048}, {Algorithm: saml.AlgorithmECDSASHA256, MaxKeySize: 384}, {Algorithm: "urn:x", MinKeySize: 1, MaxKeySize: 2}, {Algorithm: "urn:y"}}
	assert.Equal(t, want, p.Trust.SigningMethods)
	assert.Equal(t, []string{saml.AlgorithmSHA256, "urn:z"}, p.Trust.DigestMethods)
	list, err := old.Compare(p)
	require.NoError(t, err)
	assert.Equal(t, []saml.DifferenceKind{saml.ChangeSigningMethods, saml.ChangeDigestMethods}, kinds(list))
	changed := old
	for _, d := range list {
		changed, err = d.Apply(changed)
		require.NoError(t, err)
		_, err = d.Apply(changed)
		require.Error(t, err, "it has been applied")
	}
	assert.Equal(t, p.Trust, changed)
	list, err = changed.Compare(saml.Proposal{Trust: old})
	require.NoError(t, err)
	for _, d := range list {
		changed, err = d.Apply(changed)
		require.NoError(t, err)
	}
	assert.Empty(t, saml.Diff(old, changed))
	many := ""
	for range 40 {
		many += signingMethod("urn:"+strings.Repeat("a", len(many)%97)) + digestMethod("urn:"+strings.Repeat("b", len(many)%89))
	}
	trust, err := saml.TrustFromMetadata(declaring(t, "", algorithmsOf(many)), "", now)
	require.NoError(t, err)
	assert.LessOrEqual(t, len(trust.SigningMethods), 32)
}

// Metadata says what we verify, in the host's order or in ours, and nothing that is switched off; the bytes are stable.
//
// req: IIP-MD09 MP-ALG MP-STABLE
func TestMetadataAlgorithms(t *testing.T) {
	t.Parallel()
	const sha1 = "http://www.w3.org/2000/09/xmldsig#sha1"
	for name, c := range map[string]struct {
		change           func(*saml.Config)
		digests, methods []string
	}{
		"all": {func(*saml.Config) {}, []string{saml.AlgorithmSHA256, saml.AlgorithmSHA384, saml.AlgorithmSHA512}, []string{saml.AlgorithmRSASHA256, saml.AlgorithmECDSASHA256, saml.AlgorithmRSASHA384, saml.AlgorithmECDSASHA384,
			saml.AlgorithmRSASHA512, saml.AlgorithmECDSASHA512, saml.AlgorithmRSAPSSSHA256, saml.AlgorithmRSAPSSSHA384, saml.AlgorithmRSAPSSSHA512, saml.AlgorithmEd25519}},
		"restricted, in another order": {func(c *saml.Config) {
			c.DigestAlgorithms, c.SignatureAlgorithms = []string{saml.AlgorithmSHA512, saml.AlgorithmSHA256}, []string{saml.AlgorithmECDSASHA512, saml.AlgorithmRSASHA256}
		}, []string{saml.AlgorithmSHA512, saml.AlgorithmSHA256}, []string{saml.AlgorithmECDSASHA512, saml.AlgorithmRSASHA256}},
		"SHA-1, which a trust must allow": {func(c *saml.Config) {
			c.DigestAlgorithms, c.SignatureAlgorithms = []string{sha1, saml.AlgorithmSHA256}, []string{"http://www.w3.org/2000/09/xmldsig#rsa-sha1", saml.AlgorithmRSASHA256}
		}, []string{saml.AlgorithmSHA256}, []string{saml.AlgorithmRSASHA256}},
		"left out": {func(c *saml.Config) { c.Metadata.OmitAlgorithms = true }, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			make := func() []byte {
				config := saml.Config{BaseURL: "https://sp.example.com", Trusts: saml.NewMemoryTrusts(), State: saml.NewMemoryState(), SigningKeys: keyList("rsa2048")}
				config.Metadata.UI.DisplayNames = map[string]string{"en": "Test"}
				c.change(&config)
				sp, err := saml.New(config)
				require.NoError(t, err)
				return sp.Metadata()
			}
			first := make()
			assert.Equal(t, string(first), string(make()))
			assert.NoError(t, oracle.ValidateSchema(t, first, "metadata"), "%s", first)
			doc := etree.NewDocument()
			require.NoError(t, doc.ReadFromBytes(first))
			var digests, methods []string
			for _, e := range doc.FindElements("/EntityDescriptor/Extensions/DigestMethod") {
				digests = append(digests, e.SelectAttrValue("Algorithm", ""))
			}
			for _, e := range doc.FindElements("/EntityDescriptor/Extensions/SigningMethod") {
				uri := e.SelectAttrValue("Algorithm", "")
				methods = append(methods, uri)
				isRSA := strings.Contains(uri, "rsa-")
				assert.Equal(t, isRSA, e.SelectAttrValue("MinKeySize", "") == "2048", uri)
				assert.Equal(t, isRSA, e.SelectAttrValue("MaxKeySize", "") == "8192", uri)
			}
			assert.Equal(t, c.digests, digests)
			assert.Equal(t, c.methods, methods)
		})
	}
}

// Metadata with every kind of key, certificate or bare, is valid by the schemas, signed by each algorithm too.
//
// req: MP-SCHEMA MP-SIGN MP-KEYS
func TestSchemaOfKeys(t *testing.T) {
	t.Parallel()
	java := oracle.StartJavaDSig(t)
	for name, pair := range ownKeys() {
		for _, wrapped := range []bool{false, true} {
			if wrapped {
				var err error
				pair.Certificate, err = saml.SelfSigned(pair.Signer, saml.CertificateOptions{Subject: "sp", NotBefore: now})
				require.NoError(t, err)
			}
			config := saml.Config{BaseURL: "https://sp.example.com", Trusts: saml.NewMemoryTrusts(), State: saml.NewMemoryState(), SigningKeys: append([]saml.KeyPair{pair}, keyList("-next", "-ed25519")...)}
			config.Metadata.Sign = true
			sp, err := saml.New(config)
			require.NoError(t, err)
			require.NoError(t, oracle.ValidateSchema(t, sp.Metadata(), "metadata"), "%s: %s", name, sp.Metadata())
			spki, err := x509.MarshalPKIXPublicKey(pair.Signer.Public())
			require.NoError(t, err)
			doc := etree.NewDocument()
			require.NoError(t, doc.ReadFromBytes(sp.Metadata()))
			_, err = java.Verify(doc.Root().SelectAttrValue("ID", ""), spki, sp.Metadata())
			require.NoError(t, err, name)
		}
	}
}
