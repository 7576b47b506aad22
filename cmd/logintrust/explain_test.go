package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml"
	"github.com/logintrust/saml/samltest"
)

// A capture is a vector as somebody might have saved its message.
type capture struct {
	Now          string `json:"now"`
	SAMLResponse string `json:"samlResponse"`
	IdPMetadata  string `json:"idpMetadata"`
	RequestID    string `json:"requestID"`
}

func captured(t *testing.T, vector string) (c capture, flags []string) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(read(t, vector)), &c))
	metadata := filepath.Join(t.TempDir(), "idp.xml")
	require.NoError(t, os.WriteFile(metadata, []byte(c.IdPMetadata), 0o600))
	return c, []string{"explain", "-metadata", metadata, "-now", c.Now}
}

// One message in every form that people save it in.
func TestExplainForms(t *testing.T) {
	t.Parallel()
	for vector, want := range map[string]int{"accept-assertion-signed": exitOK, "reject-audience": exitRefused} {
		c, flags := captured(t, vector)
		flags = append(flags, "-entity-id", "https://sp.example.com/sso/metadata", "-acs", "https://sp.example.com/sso/acs")
		xml, err := base64.StdEncoding.DecodeString(c.SAMLResponse)
		require.NoError(t, err)
		archive := func(data string) string {
			return `{"log":{"entries":[{"startedDateTime":"` + c.Now + `","request":{"method":"GET","url":"https://sp.example.com/"}},
				{"startedDateTime":"` + c.Now + `","request":{"method":"POST","url":"https://sp.example.com/sso/acs","postData":` + data + `}}]}}`
		}
		quoted, err := json.Marshal(c.SAMLResponse)
		require.NoError(t, err)
		form := "SAMLResponse=" + url.QueryEscape(c.SAMLResponse) + "&RelayState=x"
		var pretty bytes.Buffer
		require.NoError(t, json.Indent(&pretty, []byte(read(t, vector)), "", "  "))
		for name, input := range map[string]string{
			"XML":              string(xml),
			"base64":           c.SAMLResponse,
			"base64 in lines":  c.SAMLResponse[:76] + "\r\n" + c.SAMLResponse[76:] + "\n",
			"percent-encoded":  url.QueryEscape(c.SAMLResponse),
			"form":             form,
			"archive, text":    archive(`{"text":"` + form + `"}`),
			"archive, params":  archive(`{"params":[{"name":"SAMLResponse","value":` + string(quoted) + `}]}`),
			"archive, as sent": archive(`{"params":[{"name":"SAMLResponse","value":"` + url.QueryEscape(c.SAMLResponse) + `"}]}`),
			"case":             read(t, vector),
			"case, laid out":   pretty.String(),
			"case, CRLF":       strings.TrimSpace(read(t, vector)) + "\r\n",
		} {
			status, out, errs := call(input, flags...)
			assert.Equal(t, want, status, "%s: %s%s", name, out, errs)
			if want == exitRefused {
				assert.Contains(t, out, "REFUSED: wrong_audience", name)
				assert.Contains(t, out, "What to do", name)
			} else {
				assert.Contains(t, out, "ACCEPTED", name)
			}
			assert.NotContains(t, out+errs, "alice", name)
		}
	}
}

// An archive may hold what is no Response beside one that is.
func TestExplainArchiveOfMore(t *testing.T) {
	t.Parallel()
	c, flags := captured(t, "reject-audience")
	flags = append(flags, "-entity-id", "https://sp.example.com/sso/metadata")
	entry := func(message string) string {
		return `{"startedDateTime":"` + c.Now + `","request":{"method":"POST","url":"https://sp.example.com/sso/acs","postData":{"text":"SAMLResponse=` + url.QueryEscape(message) + `"}}}`
	}
	other := base64.StdEncoding.EncodeToString([]byte("<a/>"))
	status, out, errs := call(`{"log":{"entries":[`+entry(other)+","+entry(c.SAMLResponse)+`]}}`, flags...)
	assert.Equal(t, exitRefused, status)
	assert.Contains(t, out, "REFUSED: wrong_audience")
	assert.Contains(t, errs, "left out: not a SAML Response")
	status, _, errs = call(`{"log":{"entries":[`+entry(other)+`]}}`, flags...)
	assert.Equal(t, exitUnable, status)
	assert.Contains(t, errs, "not a SAML Response")
}

// What nobody said is taken from the message, and said.
func TestExplainAssumes(t *testing.T) {
	t.Parallel()
	c, flags := captured(t, "accept-assertion-signed")
	status, _, errs := call(c.SAMLResponse, flags...)
	assert.Equal(t, exitOK, status)
	for _, assumed := range []string{"our entity ID is", "our assertion consumer service is", "a request waits"} {
		assert.Contains(t, errs, assumed)
	}
	status, out, _ := call(c.SAMLResponse, append(flags, "-request", "none")...)
	assert.Equal(t, exitRefused, status)
	assert.Contains(t, out, "unknown_request")
	status, out, errs = call(c.SAMLResponse, "explain", "-now", c.Now)
	assert.Equal(t, exitRefused, status)
	assert.Contains(t, errs, "nothing can be proven")
	assert.Contains(t, out, "no_key_on_file")
	assert.Contains(t, out, "SHA-256")
}

func TestExplainAsJSON(t *testing.T) {
	t.Parallel()
	status, out, _ := call(read(t, "reject-audience"), "explain", "-json")
	assert.Equal(t, exitRefused, status)
	var report saml.Report
	require.NoError(t, json.Unmarshal([]byte(out), &report))
	assert.Equal(t, saml.WrongAudience, report.Reason)
	assert.Equal(t, 1, strings.Count(out, "\n"))
	_, out, _ = call(read(t, "accept-assertion-signed"), "explain", "-json", "-personal")
	assert.Contains(t, out, "alice")
}

func TestExplainRefusesToRead(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	bad := filepath.Join(dir, "bad.json")
	require.NoError(t, os.WriteFile(bad, []byte("{"), 0o600))
	metadata, trust := filepath.Join(dir, "idp.xml"), filepath.Join(dir, "trust.json")
	require.NoError(t, os.WriteFile(metadata, append([]byte("\xef\xbb\xbf\n"), samltest.NewIdP(t).Metadata()...), 0o600))
	require.NoError(t, os.WriteFile(trust, []byte(` {"domain":"x"}`), 0o600))
	for _, tt := range []struct {
		stdin  string
		args   []string
		status int
		err    string
	}{
		{"", nil, exitUnable, "nothing to read"},
		{"?", nil, exitUnable, "neither XML nor base64"},
		{"<a/>", nil, exitUnable, "not a SAML Response"},
		{"<a", nil, exitUnable, "not XML"},
		{"{}", nil, exitUnable, "without a POST"},
		{"{", nil, exitUnable, "neither a case nor an HTTP archive"},
		{`{"kind":"metadata"}`, nil, exitUnable, "cannot be explained"},
		{"x", []string{"-trust", bad}, exitUnable, "bad.json"},
		{"x", []string{"-trust", filepath.Join(dir, "none")}, exitUnable, "none"},
		{"x", []string{"-trust", metadata}, exitUnable, "-trust " + metadata + ": this is XML"},
		{"x", []string{"-metadata", trust}, exitUnable, "-metadata " + trust + ": this is JSON"},
		{"x", []string{"-brew"}, exitUsage, "-brew"},
		{"x", []string{"a", "b"}, exitUsage, "one file"},
		{"x", []string{"-trust", "a", "-metadata", "b"}, exitUsage, "not both"},
		{"", []string{filepath.Join(dir, "none")}, exitUnable, "none"},
	} {
		status, out, err := call(tt.stdin, append([]string{"explain"}, tt.args...)...)
		assert.Equal(t, tt.status, status, "%q %v: %s", tt.stdin, tt.args, err)
		assert.Contains(t, err, tt.err, "%q %v", tt.stdin, tt.args)
		assert.Empty(t, out)
		assert.Equal(t, 1, strings.Count(err, "\n"), "one sentence: %s", err)
	}
	status, out, _ := call("", "explain", "-h")
	assert.Equal(t, exitOK, status)
	assert.Contains(t, out, "-decryption-key")
}

// A case that was sealed for an administrator is opened with his key, by explain and by unseal.
func TestSealedCases(t *testing.T) {
	t.Parallel()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	dir := t.TempDir()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	file := filepath.Join(dir, "key.pem")
	require.NoError(t, os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600))

	idp := samltest.NewIdP(t)
	sp, err := saml.New(saml.Config{BaseURL: "https://app.example.com", Trusts: saml.NewMemoryTrusts(idp.Trust()), State: saml.NewMemoryState(), Now: func() time.Time { return time.Now().Add(time.Hour) }})
	require.NoError(t, err)
	_, err = sp.Validate(context.Background(), saml.Posted{SAMLResponse: idp.Answer(samltest.Request{ID: "_x", ACSURL: "https://app.example.com/sso/acs", SPEntityID: sp.EntityID()}).Encode()})
	var refused *saml.Error
	require.ErrorAs(t, err, &refused)
	public, err := key.PublicKey.ECDH()
	require.NoError(t, err)
	sealed, err := refused.SealedCase(context.Background(), public)
	require.NoError(t, err)

	status, out, errs := call(string(sealed), "explain", "-key", file)
	assert.Equal(t, exitRefused, status, errs)
	assert.Contains(t, out, "REFUSED: expired")
	status, _, errs = call(string(sealed), "explain")
	assert.Equal(t, exitUnable, status)
	assert.Contains(t, errs, "-key names the file")

	status, plain, errs := call(string(sealed)+read(t, "accept-assertion-signed"), "unseal", "-key", file)
	require.Equal(t, exitOK, status, errs)
	status, out, errs = call(plain, "replay", "-check")
	assert.Equal(t, exitOK, status, errs)
	assert.Contains(t, out, `"reason":"expired"`)

	status, out, errs = call(string(sealed)+read(t, "accept-assertion-signed"), "replay", "-check", "-key", file)
	assert.Equal(t, exitOK, status, errs)
	assert.Contains(t, out, `"reason":"expired"`)
	status, out, _ = call(string(sealed), "replay")
	assert.Equal(t, exitUnable, status)
	assert.Contains(t, out, "the case is sealed")

	// As docs/keys.md has it: the certificate of a key that "keys generate" made seals, and its key opens.
	base := filepath.Join(dir, "cases")
	status, _, errs = call("", "keys", "generate", "-type", "p256", "-subject", "refused logins", "-out", base)
	require.Equal(t, exitOK, status, errs)
	text, err := os.ReadFile(base + ".crt.pem")
	require.NoError(t, err)
	block, _ := pem.Decode(text)
	require.NotNil(t, block)
	certificate, err := x509.ParseCertificate(block.Bytes)
	require.NoError(t, err)
	public, err = certificate.PublicKey.(*ecdsa.PublicKey).ECDH()
	require.NoError(t, err)
	another, err := refused.SealedCase(context.Background(), public)
	require.NoError(t, err)
	status, out, errs = call(string(another), "explain", "-key", base+".key.pem")
	assert.Equal(t, exitRefused, status, errs)
	assert.Contains(t, out, "REFUSED: expired")

	for _, tt := range []struct {
		args   []string
		status int
		err    string
	}{
		{[]string{"unseal"}, exitUsage, "-key is missing"},
		{[]string{"unseal", "-brew"}, exitUsage, "-brew"},
		{[]string{"unseal", "-key", vectors + "README.md"}, exitUnable, "not a private key in PEM"},
		{[]string{"unseal", "-key", filepath.Join(dir, "none")}, exitUnable, "none"},
		{[]string{"unseal", "-key", file, filepath.Join(dir, "none")}, exitUnable, "none"},
	} {
		status, _, errs := call(string(sealed), tt.args...)
		assert.Equal(t, tt.status, status, tt.args)
		assert.Contains(t, errs, tt.err, tt.args)
	}
	status, out, _ = call("", "unseal", "-h")
	assert.Equal(t, exitOK, status)
	assert.Contains(t, out, "Opens sealed cases")
}

// A case says for itself what flags say of a capture; but never has the key for what is encrypted.
func TestExplainACase(t *testing.T) {
	t.Parallel()
	status, _, errs := call(read(t, "reject-audience"), "explain", "-now", "2020-01-01T00:00:00Z", "-trust", "none.json")
	assert.Equal(t, exitRefused, status)
	assert.Equal(t, "ignored: -now, since a case has its own\nignored: -trust, since a case has its own\n", errs)

	var c map[string]any
	require.NoError(t, json.Unmarshal([]byte(read(t, "encryption-oaep-sha256-mgf1sha256")), &c))
	sp := c["sp"].(map[string]any)
	key := filepath.Join(t.TempDir(), "key.pem")
	require.NoError(t, os.WriteFile(key, []byte(sp["decryptionKeyPEM"].(string)), 0o600))
	delete(sp, "decryptionKeyPEM")
	line, err := json.Marshal(c)
	require.NoError(t, err)
	status, out, _ := call(string(line), "explain")
	assert.Equal(t, exitRefused, status)
	assert.Contains(t, out, "encrypted_assertion")
	status, out, errs = call(string(line), "explain", "-decryption-key", key)
	assert.Equal(t, exitOK, status, out+errs)
	status, _, _ = call(string(line), "explain", "-decryption-key", key+".none")
	assert.Equal(t, exitUnable, status)
}

// A key comes as openssl writes it, with its parameters before it; and cases stay one a line.
func TestUnsealReadsWhatThereIs(t *testing.T) {
	t.Parallel()
	key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	require.NoError(t, err)
	der, err := x509.MarshalECPrivateKey(key)
	require.NoError(t, err)
	dir := t.TempDir()
	file := filepath.Join(dir, "key.pem")
	text := append(pem.EncodeToMemory(&pem.Block{Type: "EC PARAMETERS", Bytes: []byte{6, 5, 43, 129, 4, 0, 34}}), pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der})...)
	require.NoError(t, os.WriteFile(file, text, 0o600))
	parsed, err := parseCaseKey(string(text))
	require.NoError(t, err)
	public, err := key.PublicKey.ECDH()
	require.NoError(t, err)
	assert.True(t, parsed.PublicKey().Equal(public))

	one := filepath.Join(dir, "one.json")
	require.NoError(t, os.WriteFile(one, []byte(`{"samlResponse":"x"}`), 0o600)) // without a line end
	status, out, errs := call("", "unseal", "-key", file, one, one)
	require.Equal(t, exitOK, status, errs)
	assert.Equal(t, strings.Repeat("{\"samlResponse\":\"x\"}\n", 2), out)
}
