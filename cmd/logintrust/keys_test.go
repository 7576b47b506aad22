package main

import (
	"crypto/x509"
	"encoding/pem"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml"
)

// made makes a key and its certificate, and returns the names of their files.
func made(t *testing.T, kind string, more ...string) (key, certificate string) {
	t.Helper()
	out := filepath.Join(t.TempDir(), "sp")
	status, stdout, stderr := call("", append([]string{"keys", "generate", "-type", kind, "-subject", "app.example.com", "-out", out}, more...)...)
	require.Equal(t, exitOK, status, stderr)
	assert.NotContains(t, stdout, "BEGIN")
	return out + ".key.pem", out + ".crt.pem"
}

func content(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	require.NoError(t, err)
	return string(b)
}

// bodyOf is what stands between the markers of PEM.
func bodyOf(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[1:len(lines)-1], "\n")
}

func TestKeysGenerate(t *testing.T) {
	t.Parallel()
	for _, kind := range saml.KeyKinds() {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			key, certificate := made(t, string(kind), "-days", "30")
			info, err := os.Stat(key)
			require.NoError(t, err)
			assert.Equal(t, fs.FileMode(0o600), info.Mode())
			pair, err := saml.ParseKeyPair(content(t, key), content(t, certificate))
			require.NoError(t, err)
			cert, err := x509.ParseCertificate(pair.Certificate)
			require.NoError(t, err)
			assert.Equal(t, "app.example.com", cert.Subject.CommonName)
			assert.Equal(t, 30*24*time.Hour, cert.NotAfter.Sub(cert.NotBefore))

			before := content(t, key) + content(t, certificate)
			base := strings.TrimSuffix(key, ".key.pem")
			for _, gone := range []string{"", certificate, key} {
				if gone != "" { // one of the two is enough
					require.NoError(t, os.Rename(gone, gone+".aside"))
				}
				status, stdout, stderr := call("", "keys", "generate", "-subject", "x", "-type", "p256", "-out", base)
				assert.Equal(t, exitUnable, status)
				assert.Empty(t, stdout)
				assert.Contains(t, stderr, "is not overwritten")
				if gone != "" {
					assert.NoFileExists(t, gone)
					require.NoError(t, os.Rename(gone+".aside", gone))
				}
			}
			assert.Equal(t, before, content(t, key)+content(t, certificate))
		})
	}
}

// req: SE-KEY
func TestKeysInspect(t *testing.T) {
	t.Parallel()
	rsaKey, rsaCertificate := made(t, "rsa-2048", "-days", "10")
	ecKey, _ := made(t, "p384")
	edKey, edCertificate := made(t, "ed25519")
	public := func(key string) string {
		k, err := saml.PublicFromPrivate(content(t, key))
		require.NoError(t, err)
		return k.SHA256()
	}
	_, sec1, _ := call("", "keys", "convert", "-to", "sec1", ecKey)
	for _, tt := range []struct {
		name, stdin string
		args        []string
		want        []string
	}{
		{"a certificate", content(t, rsaCertificate), nil, []string{"RSA 2048", public(rsaKey), "CN=app.example.com", "valid until", "The certificate expires on"}},
		{"a pasted certificate", strings.ReplaceAll(bodyOf(content(t, rsaCertificate)), "\n", " "), []string{"-"}, []string{"RSA 2048", "CN=app.example.com"}},
		{"a private key", "", []string{ecKey}, []string{"private key, of which this is the public half", "ECDSA P-384", public(ecKey)}},
		{"a private key without markers", bodyOf(content(t, edKey)), nil, []string{"private key", "Ed25519", public(edKey)}},
		{"SEC 1 with parameters", "-----BEGIN EC PARAMETERS-----\nBgUrgQQAIg==\n-----END EC PARAMETERS-----\n" + sec1, nil, []string{"private key", "ECDSA P-384"}},
		{"several in one", content(t, rsaKey) + content(t, rsaCertificate) + content(t, edCertificate), nil, []string{"private key", "RSA 2048", "Ed25519"}},
		{"several files", "", []string{rsaKey, edCertificate}, []string{rsaKey + ":", edCertificate + ":", "Ed25519"}},
		{"a weak key", content(t, "../../testdata/keys/weak-rsa1024.TEST-ONLY.key.pem"), nil, []string{"RSA 1024", "fewer than 2048"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			status, stdout, stderr := call(tt.stdin, append([]string{"keys", "inspect"}, tt.args...)...)
			require.Equal(t, exitOK, status, stderr)
			for _, want := range tt.want {
				assert.Contains(t, stdout, want)
			}
			assert.Empty(t, stderr)
			for _, secret := range []string{rsaKey, ecKey, edKey} {
				assert.NotContains(t, stdout, bodyOf(content(t, secret))[:40])
			}
		})
	}
}

func TestKeysConvert(t *testing.T) {
	t.Parallel()
	rsaKey, rsaCertificate := made(t, "rsa-2048")
	ecKey, _ := made(t, "p256")
	edKey, _ := made(t, "ed25519")
	for _, tt := range []struct{ from, to, label string }{
		{rsaKey, "pkcs8", "PRIVATE KEY"}, {rsaKey, "pkcs1", "RSA PRIVATE KEY"}, {ecKey, "sec1", "EC PRIVATE KEY"}, {ecKey, "pkcs8", "PRIVATE KEY"}, {edKey, "pkcs8", "PRIVATE KEY"},
		{rsaKey, "spki", "PUBLIC KEY"}, {ecKey, "spki", "PUBLIC KEY"}, {edKey, "spki", "PUBLIC KEY"}, {rsaCertificate, "spki", "PUBLIC KEY"}, {rsaCertificate, "certificate", "CERTIFICATE"},
	} {
		status, stdout, stderr := call("", "keys", "convert", "-to", tt.to, tt.from)
		require.Equal(t, exitOK, status, stderr)
		block, rest := pem.Decode([]byte(stdout))
		require.NotNil(t, block, tt)
		assert.Equal(t, tt.label, block.Type, tt)
		assert.Empty(t, rest)
		out := filepath.Join(t.TempDir(), "out.pem")
		status, silent, stderr := call(stdout, "keys", "convert", "-to", tt.to, "-out", out)
		require.Equal(t, exitOK, status, stderr)
		assert.Empty(t, silent)
		assert.Equal(t, stdout, content(t, out), "the same again")
		info, err := os.Stat(out)
		require.NoError(t, err)
		assert.Equal(t, strings.Contains(tt.label, "PRIVATE"), info.Mode() == 0o600)
		status, _, stderr = call(stdout, "keys", "convert", "-to", tt.to, "-out", out)
		assert.Equal(t, exitUnable, status)
		assert.Contains(t, stderr, "is not overwritten")
		openssl, err := exec.LookPath("openssl")
		if err != nil {
			continue
		}
		arguments := map[string][]string{"PUBLIC KEY": {"pkey", "-pubin"}, "CERTIFICATE": {"x509"}}[tt.label]
		if arguments == nil {
			arguments = []string{"pkey"}
		}
		said, err := exec.Command(openssl, append(arguments, "-noout", "-in", out)...).CombinedOutput()
		assert.NoError(t, err, "%v: %s", tt, said)
	}
	for _, tt := range []struct{ from, to string }{{edKey, "pkcs1"}, {rsaKey, "sec1"}, {edKey, "sec1"}, {rsaCertificate, "pkcs8"}, {rsaKey, "certificate"}} {
		status, stdout, stderr := call("", "keys", "convert", "-to", tt.to, tt.from)
		assert.Equal(t, exitUnable, status, tt)
		assert.Empty(t, stdout)
		assert.NotContains(t, stderr, bodyOf(content(t, tt.from))[:20])
	}
}

// A screen is a terminal.
type screen struct{ strings.Builder }

func (*screen) Stat() (os.FileInfo, error) { return os.Stat(os.DevNull) }

func TestPrivateKeysStayOffTheScreen(t *testing.T) {
	t.Parallel()
	key, certificate := made(t, "p256")
	for _, tt := range []struct {
		args   []string
		status int
	}{
		{[]string{"-to", "pkcs8", key}, exitUsage},
		{[]string{"-to", "sec1", key}, exitUsage},
		{[]string{"-to", "sec1", "-show-private", key}, exitOK},
		{[]string{"-to", "spki", key}, exitOK},
		{[]string{"-to", "certificate", certificate}, exitOK},
		{[]string{"-to", "pkcs8", "-out", filepath.Join(t.TempDir(), "k"), key}, exitOK},
	} {
		var out screen
		var stderr strings.Builder
		assert.Equal(t, tt.status, run(append([]string{"keys", "convert"}, tt.args...), strings.NewReader(""), &out, &stderr), tt.args)
		if tt.status == exitUsage {
			assert.Empty(t, out.String())
			assert.Contains(t, stderr.String(), "-show-private")
		}
	}
}

func TestKeysUsage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, tt := range []struct {
		args, stdin string
		status      int
		out, err    string
	}{
		{"keys", "", exitUsage, "", "Usage: logintrust keys"},
		{"keys help", "", exitOK, "openssl pkcs12", ""},
		{"keys generate -h", "", exitOK, "ed25519", ""},
		{"keys inspect -h", "", exitOK, "SHA-256", ""},
		{"keys convert --help", "", exitOK, "openssl pkcs12 -export", ""},
		{"keys brew", "", exitUsage, "", `there is no command "brew"`},
		{"keys generate", "", exitUsage, "", "-subject is missing"},
		{"keys generate -subject x -type dsa", "", exitUsage, "", `there is no -type "dsa"; there are rsa-2048, rsa-3072, rsa-4096, p256, p384, p521 and ed25519`},
		{"keys generate -subject x -days 0", "", exitUsage, "", "-days"},
		{"keys generate -subject x -days 99999 -out " + dir + "/x", "", exitUnable, "", "36500"},
		{"keys generate -subject x tea", "", exitUsage, "", `"tea" is too much`},
		{"keys generate -subject x -type p256 -out " + dir + "/none/x", "", exitUnable, "", "no such file"},
		{"keys generate -tea", "", exitUsage, "", "-tea"},
		{"keys inspect " + dir + "/none", "", exitUnable, "", "no such file"},
		{"keys inspect", "", exitUnable, "", "no key in it"},
		{"keys inspect", "tea", exitUnable, "", "base64"},
		{"keys inspect", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n", exitUnable, "", "openssl pkey"},
		{"keys inspect", strings.Repeat("A", 70_000), exitUnable, "", "which is no key"},
		{"keys convert", "", exitUsage, "", "-to is missing"},
		{"keys convert -to tea", "", exitUsage, "", `there is no form "tea"; there are certificate, pkcs1, pkcs8, sec1 and spki`},
		{"keys convert -to spki a b", "", exitUsage, "", "one file"},
		{"keys convert -to spki", "tea", exitUnable, "", "base64"},
	} {
		status, out, err := call(tt.stdin, strings.Fields(tt.args)...)
		assert.Equal(t, tt.status, status, "%s: %s", tt.args, err)
		assert.Contains(t, out, tt.out, tt.args)
		assert.Contains(t, err, tt.err, tt.args)
		if tt.status != exitOK {
			assert.Empty(t, out, tt.args)
			assert.True(t, tt.args == "keys" || strings.Count(err, "\n") == 1, "one sentence: %s", err)
			assert.NotContains(t, err, "saml: ")
		} else {
			assert.Empty(t, err, tt.args)
		}
	}
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Empty(t, left)
}
