package e2e_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml/internal/oracle"
)

// Where Debian's package puts what PHP serves, and our configuration of it.
const (
	simpleSAMLphpWWW = "/usr/share/simplesamlphp/www"
	simpleSAMLphpDir = "../testdata/idps/simplesamlphp"
)

// needIdPs skips a test where the identity providers are not installed.
func needIdPs(t *testing.T) {
	t.Helper()
	if os.Getenv("SAML_E2E_SIMPLESAMLPHP") != "1" {
		t.Skip("needs SimpleSAMLphp and LemonLDAP::NG: .ci/run installs them and sets SAML_E2E_SIMPLESAMLPHP=1")
	}
}

// An account is a user of the identity provider.
type account struct {
	Username, Password, Firstname, Lastname, Email string
	Groups                                         []string
}

// A simpleSAMLphp is a running SimpleSAMLphp, PHP's built-in server on loopback.
type simpleSAMLphp struct {
	base     string
	entityID string
	metadata []byte
	run      string // its directory
	users    map[string]account
}

// settings are those of testdata/idps/simplesamlphp/README.md.
type settings map[string]any

func startSimpleSAMLphp(t *testing.T) *simpleSAMLphp {
	t.Helper()
	php := oracle.Need(t, "php")
	_, err := os.Stat(simpleSAMLphpWWW)
	require.NoError(t, err, "the package simplesamlphp is not installed")
	config, err := filepath.Abs(simpleSAMLphpDir)
	require.NoError(t, err)

	idp := &simpleSAMLphp{base: "http://" + freeAddress(t), run: t.TempDir()}
	idp.entityID = idp.base + "/simplesaml/saml2/idp/metadata.php"
	for _, dir := range []string{"tmp", "sp", "www"} {
		require.NoError(t, os.Mkdir(filepath.Join(idp.run, dir), 0o700))
	}
	require.NoError(t, os.Symlink(simpleSAMLphpWWW, filepath.Join(idp.run, "www", "simplesaml")))
	writeKeyPair(t, filepath.Join(idp.run, "idp.key"), filepath.Join(idp.run, "idp.crt"))
	idp.users = accounts(t)

	start(t, idp.entityID, []string{
		"SIMPLESAMLPHP_CONFIG_DIR=" + filepath.Join(config, "config"), "IDP_RUN=" + idp.run, "IDP_BASE=" + idp.base,
	}, php, "-d", "session.save_path="+filepath.Join(idp.run, "tmp"), "-d", "display_errors=0",
		"-d", "error_log="+filepath.Join(idp.run, "php.log"), "-S", idp.base[len("http://"):], "-t", filepath.Join(idp.run, "www"))
	idp.metadata = fetch(t, idp.entityID)
	return idp
}

// accounts are the users of both identity providers.
func accounts(t *testing.T) map[string]account {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(simpleSAMLphpDir, "users.json"))
	require.NoError(t, err)
	var list []account
	require.NoError(t, json.Unmarshal(text, &list))
	users := map[string]account{}
	for _, a := range list {
		users[a.Username] = a
	}
	return users
}

// set replaces the settings; they count from the next request on.
func (idp *simpleSAMLphp) set(t *testing.T, s settings) {
	t.Helper()
	text, err := json.Marshal(s)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(idp.run, "settings.json"), text, 0o600))
}

// trust tells the identity provider about a service provider.
func (idp *simpleSAMLphp) trust(t *testing.T, metadata []byte) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(idp.run, "sp", "1.xml"), metadata, 0o600))
}

// freeAddress returns a loopback address that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().String()
}

// start runs a server, waits until it answers at ready, and ends it with the test.
func start(t *testing.T, ready string, env []string, name string, args ...string) {
	t.Helper()
	output, err := os.Create(filepath.Join(t.TempDir(), "output"))
	require.NoError(t, err)
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = output, output
	require.NoError(t, cmd.Start())
	ended := make(chan struct{})
	go func() { cmd.Wait(); close(ended) }()
	t.Cleanup(func() {
		cmd.Process.Kill()
		<-ended
		output.Close()
		if text, _ := os.ReadFile(output.Name()); t.Failed() {
			t.Logf("%s wrote:\n%.8000s", filepath.Base(name), text)
		}
	})
	client := http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{Proxy: nil}}
	for deadline := time.Now().Add(60 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		select {
		case <-ended:
			t.Fatalf("%s ended before it answered", filepath.Base(name))
		default:
		}
		if res, err := client.Get(ready); err == nil {
			res.Body.Close()
			if res.StatusCode < 500 {
				return
			}
		}
	}
	t.Fatalf("%s does not answer at %s", filepath.Base(name), ready)
}

func fetch(t *testing.T, target string) []byte {
	t.Helper()
	client := http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{Proxy: nil}}
	res, err := client.Get(target)
	require.NoError(t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, res.StatusCode, "%s: %.500s", target, body)
	return body
}

// writeKeyPair makes a private key and a certificate for it, in two files or in one.
func writeKeyPair(t *testing.T, keyFile, certFile string) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	cert := selfSigned(t, key)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	keyPEM := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert})
	if keyFile == certFile {
		keyPEM = append(keyPEM, certPEM...)
	} else {
		require.NoError(t, os.WriteFile(certFile, certPEM, 0o600))
	}
	require.NoError(t, os.WriteFile(keyFile, keyPEM, 0o600))
}

// selfSigned is a certificate for a key, in DER.
func selfSigned(t *testing.T, key *rsa.PrivateKey) []byte {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "end-to-end test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour)}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	return cert
}
