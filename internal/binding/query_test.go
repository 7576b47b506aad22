package binding_test

import (
	"bytes"
	"compress/flate"
	"crypto"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/url"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml/internal/binding"
	"github.com/logintrust/saml/internal/xmlsec"
)

const vectorDir = "../../testdata/redirect/"

// verify reads a query and verifies it, as whoever receives one does.
func verify(query string, keys []crypto.PublicKey, p xmlsec.Policy) ([]byte, error) {
	q, err := binding.ReadQuery(query)
	if err != nil {
		return nil, err
	}
	s, found, err := q.Signature()
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, &xmlsec.Error{Kind: xmlsec.Unsigned}
	}
	xml, err := q.AppendXML(nil, xmlsec.MaxMessageBytes)
	if err != nil {
		return nil, err
	}
	u, err := xmlsec.NewReader().Parse(xml, xmlsec.Limits{})
	if err != nil {
		return nil, err
	}
	signed, err := u.VerifyDetached(s, keys, p)
	if err != nil {
		return nil, err
	}
	return signed.Bytes(), nil
}

func vectorKeys(t *testing.T) (keys []crypto.PublicKey) {
	t.Helper()
	for _, name := range []string{"rsa2048", "p256"} {
		text, err := os.ReadFile(vectorDir + name + ".cert.pem")
		require.NoError(t, err)
		block, _ := pem.Decode(text)
		require.NotNil(t, block)
		cert, err := x509.ParseCertificate(block.Bytes)
		require.NoError(t, err)
		keys = append(keys, cert.PublicKey)
	}
	return keys
}

type queryVector struct {
	Name, Query, Expect, Why string
	Signed                   string `json:"signed_octets"`
}

func queryVectors(t testing.TB) []queryVector {
	t.Helper()
	text, err := os.ReadFile(vectorDir + "vectors.json")
	require.NoError(t, err)
	var file struct{ Vectors []queryVector }
	require.NoError(t, json.Unmarshal(text, &file))
	require.NotEmpty(t, file.Vectors)
	return file.Vectors
}

// lenient are the vectors that may be taken or refused; these are taken, ecdsa-der by an option.
var lenient = map[string]xmlsec.Policy{"empty-relaystate-unsigned": {}, "empty-relaystate-signed": {}, "signature-whitespace": {}, "ecdsa-der": {AllowDER: true}}

// req: BIND-3.4.4.1-2 BIND-3.4.4.1-6 BIND-3.4.4.1-7 BIND-3.4.4.1-9 BIND-3.4.4.1-10 BIND-3.4.4.1-11 RD-DUP RD-ECDSA RD-TAIL RD-NAMES
func TestQueryVectors(t *testing.T) {
	t.Parallel()
	keys := vectorKeys(t)
	message, err := os.ReadFile(vectorDir + "message.xml")
	require.NoError(t, err)
	for _, v := range queryVectors(t) {
		t.Run(v.Name, func(t *testing.T) {
			t.Parallel()
			got, err := verify(v.Query, keys, xmlsec.Policy{})
			switch v.Expect {
			case "valid":
				require.NoError(t, err, v.Why)
				assert.Equal(t, string(message), string(got))
			case "valid-lenient":
				policy, known := lenient[v.Name]
				require.True(t, known, v.Name)
				if policy != (xmlsec.Policy{}) {
					require.Error(t, err, "by option only")
				}
				got, err = verify(v.Query, keys, policy)
				require.NoError(t, err, v.Why)
				assert.Equal(t, string(message), string(got))
			case "invalid", "invalid-by-default":
				assert.Contains(t, []xmlsec.Kind{xmlsec.BadSignature, xmlsec.MalformedSignature, xmlsec.UnsupportedAlgorithm, xmlsec.NoKey, xmlsec.WeakAlgorithm}, kindOf(t, err), v.Why)
			case "refuse-before-crypto":
				require.ErrorIs(t, err, binding.ErrQuery, v.Why)
			case "refuse":
				require.ErrorIs(t, err, binding.ErrInflate, v.Why)
			default:
				t.Fatalf("unknown expectation %q", v.Expect)
			}
			if err != nil {
				assert.Nil(t, got)
			}
		})
	}
}

func kindOf(t *testing.T, err error) xmlsec.Kind {
	t.Helper()
	var e *xmlsec.Error
	require.ErrorAs(t, err, &e)
	return e.Kind
}

// The octets that are verified are those that whoever made the vectors signed.
func TestQuerySignedOctets(t *testing.T) {
	t.Parallel()
	for _, v := range queryVectors(t) {
		q, err := binding.ReadQuery(v.Query)
		if err != nil || v.Expect != "valid" {
			continue
		}
		s, found, err := q.Signature()
		require.NoError(t, err)
		require.True(t, found)
		assert.Equal(t, v.Signed, string(s.Octets[0]), v.Name)
	}
}

// An RSA-SHA1 signature is refused, the strongest key notwithstanding, unless the policy allows it; and DSA and HMAC whatever
// it allows.
//
// req: BIND-3.4.4.1-alg05
func TestQueryAlgorithms(t *testing.T) {
	t.Parallel()
	query := func(uri string) string {
		return "SAMLRequest=" + url.QueryEscape(deflate([]byte("<a/>"))) + "&SigAlg=" + url.QueryEscape(uri) + "&Signature=QUJD"
	}
	keys := vectorKeys(t)
	for uri, want := range map[string]xmlsec.Kind{
		"http://www.w3.org/2000/09/xmldsig#rsa-sha1":         xmlsec.WeakAlgorithm,
		"http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha1":  xmlsec.WeakAlgorithm,
		"http://www.w3.org/2000/09/xmldsig#dsa-sha1":         xmlsec.UnsupportedAlgorithm,
		"http://www.w3.org/2001/04/xmldsig-more#hmac-sha256": xmlsec.UnsupportedAlgorithm,
		"http://www.w3.org/2001/04/xmldsig-more#RSA-SHA256":  xmlsec.UnsupportedAlgorithm,
		"": xmlsec.UnsupportedAlgorithm,
		"http://www.w3.org/2021/04/xmldsig-more#eddsa-ed25519":   xmlsec.NoKey,
		"http://www.w3.org/2001/04/xmldsig-more#rsa-sha256":      xmlsec.BadSignature,
		"http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256":    xmlsec.BadSignature,
		"http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1": xmlsec.BadSignature,
	} {
		_, err := verify(query(uri), keys, xmlsec.Policy{AllowDER: true})
		assert.Equal(t, want, kindOf(t, err), uri)
	}
	_, err := verify(query("http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"), nil, xmlsec.Policy{})
	assert.Equal(t, xmlsec.NoKey, kindOf(t, err))
	_, err = verify(strings.Replace(query("http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"), "QUJD", url.QueryEscape(base64.StdEncoding.EncodeToString(make([]byte, 4096))), 1), keys, xmlsec.Policy{})
	assert.Equal(t, xmlsec.MalformedSignature, kindOf(t, err))
}

func deflate(xml []byte) string {
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestCompression)
	if err != nil {
		panic(err)
	}
	w.Write(xml)
	w.Close()
	return base64.StdEncoding.EncodeToString(b.Bytes())
}

// A message in base64 that goes on behind its end is none, even if what stands before is whole.
func TestQueryMessageThatGoesOn(t *testing.T) {
	t.Parallel()
	xml := []byte("<a/>")
	for len(deflate(xml))%4 != 0 || strings.Contains(deflate(xml), "=") {
		xml = append(xml, ' ')
	}
	for more, ok := range map[string]bool{"": true, "=": false, "A": false, "====PGE+": false} {
		q, err := binding.ReadQuery("SAMLRequest=" + url.QueryEscape(deflate(xml)+more))
		require.NoError(t, err)
		_, err = q.AppendXML(nil, 100)
		if ok {
			require.NoError(t, err)
			continue
		}
		require.ErrorIs(t, err, binding.ErrInflate, more)
	}
	q, err := binding.ReadQuery("SAMLRequest=")
	require.NoError(t, err)
	_, err = q.AppendXML(nil, 100)
	require.ErrorIs(t, err, binding.ErrInflate)
}

// req: BIND-3.4.4-enc RD-DUP RD-NAMES
func TestReadQuery(t *testing.T) {
	t.Parallel()
	good := "SAMLRequest=" + url.QueryEscape(deflate([]byte("<a/>")))
	for _, query := range []string{
		good, "x=1&" + good + "&y=%2f&y=2", good + "&SAMLEncoding=urn%3Aoasis%3Anames%3Atc%3ASAML%3A2.0%3Abindings%3AURL-Encoding%3ADEFLATE",
		good + "&", "&&" + good, good + "&%zz=1", good + "&samlrequest=x", good + "&RelayState=a=b", good + "&SigAlg=urn%3Ax",
	} {
		q, err := binding.ReadQuery(query)
		require.NoError(t, err, query)
		assert.True(t, q.Request)
		xml, err := q.AppendXML([]byte("-"), 100)
		require.NoError(t, err, query)
		assert.Equal(t, "-<a/>", string(xml))
		_, found, err := q.Signature()
		require.NoError(t, err)
		assert.False(t, found)
	}
	for _, query := range []string{
		"", "RelayState=x", good + "&" + good, good + "&SAMLResponse=x", good + "&SAMLEncoding=", good + "&SAMLEncoding=urn%3Ax",
		good + "&Signature=a&Signature=a", good + "&SigAlg=a&SigAlg=b", good + "&RelayState=a&RelayState=a", good + "&Relay%53tate=x",
		good + "&%53ignature=x", "SAMLRequest=%zz", good + "&RelayState=%", good + "&SAMLEncoding=%", good + "&SAMLEncoding=x&SAMLEncoding=x",
		strings.Replace(good, "SAMLRequest", "SAML%52equest", 1), good + "&RelayState", good + "&Signature",
	} {
		_, err := binding.ReadQuery(query)
		assert.ErrorIs(t, err, binding.ErrQuery, query)
	}
	_, err := binding.ReadQuery(good + "&x=" + strings.Repeat("a", binding.MaxQuery))
	require.ErrorIs(t, err, binding.ErrTooLarge)
	for query, text := range map[string]string{good + "&Signature=QUJD": "without SigAlg", good + "&SigAlg=x&Signature=!": "base64",
		good + "&SigAlg=%&Signature=QUJD": "base64", good + "&SigAlg=x&Signature=%": "base64"} {
		q, err := binding.ReadQuery(query)
		require.NoError(t, err)
		_, found, err := q.Signature()
		require.ErrorContains(t, err, text)
		assert.True(t, found)
	}
	for _, message := range []string{"", "!", "QUJD", url.QueryEscape(deflate([]byte("<a/>")) + "AAAA"), url.QueryEscape(base64.StdEncoding.EncodeToString([]byte("<a/>")))} {
		q, err := binding.ReadQuery("SAMLResponse=" + message)
		require.NoError(t, err)
		assert.False(t, q.Request)
		_, err = q.AppendXML(nil, 100)
		assert.ErrorIs(t, err, binding.ErrInflate, message)
	}
}

// What inflates to a gigabyte is refused, and costs no more than what it is allowed to become.
//
// req: RD-BOMB
func TestBomb(t *testing.T) {
	bomb := deflate(make([]byte, 30<<20))
	require.Less(t, len(bomb), binding.MaxQuery)
	for _, message := range []string{bomb, deflate(make([]byte, 101))} {
		q, err := binding.ReadQuery("SAMLRequest=" + url.QueryEscape(message))
		require.NoError(t, err)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err = q.AppendXML(nil, 100)
		runtime.ReadMemStats(&after)
		require.ErrorIs(t, err, binding.ErrTooLarge)
		_, err = q.AppendXML(nil, 100<<20)
		if message == bomb {
			require.ErrorIs(t, err, binding.ErrTooLarge, "the ratio counts where the size does not")
		}
		assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(1<<20))
	}
	q, err := binding.ReadQuery("SAMLRequest=" + url.QueryEscape(deflate(make([]byte, 100))))
	require.NoError(t, err)
	xml, err := q.AppendXML(nil, 100)
	require.NoError(t, err)
	assert.Len(t, xml, 100)
}

// FuzzQuery: what is verified is what is read. Of each query that is taken, the message and the relay state are those that a
// reader of decoded values finds, and each stands in the signed octets as it came.
func FuzzQuery(f *testing.F) {
	for _, v := range queryVectors(f) {
		f.Add(v.Query)
	}
	f.Fuzz(func(t *testing.T, query string) {
		q, err := binding.ReadQuery(query)
		if err != nil {
			return
		}
		s, found, err := q.Signature()
		if err == nil && found {
			for _, part := range strings.Split(string(s.Octets[len(s.Octets)-1]), "&") {
				require.Contains(t, strings.Split(query, "&"), part)
			}
			values, err := url.ParseQuery(strings.ReplaceAll(query, ";", "%3b"))
			if err == nil {
				require.Equal(t, values.Get("RelayState"), q.RelayState)
				require.Equal(t, []string{s.Algorithm}, values["SigAlg"])
			}
		}
		xml, err := q.AppendXML(nil, 1<<16)
		require.LessOrEqual(t, len(xml), 1<<16)
		if err != nil {
			require.Empty(t, xml)
		}
	})
}
