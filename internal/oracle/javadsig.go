package oracle

import (
	"bufio"
	_ "embed"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"sync"
	"testing"
)

//go:embed testdata/DSig.java
var dsigSource []byte

// Signature algorithms that JavaDSig signs with; it verifies all that the JDK knows.
const (
	RSASHA256    = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
	PSSSHA256    = "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1"
	PSSSHA384    = "http://www.w3.org/2007/05/xmldsig-more#sha384-rsa-MGF1"
	PSSSHA512    = "http://www.w3.org/2007/05/xmldsig-more#sha512-rsa-MGF1"
	PSSParams    = "http://www.w3.org/2007/05/xmldsig-more#rsa-pss"
	Ed25519      = "http://www.w3.org/2021/04/xmldsig-more#eddsa-ed25519"
	Ed448        = "http://www.w3.org/2021/04/xmldsig-more#eddsa-ed448"
	ECDSASHA256  = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"
	ECDSASHA384  = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384"
	ECDSASHA512  = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512"
	digestSHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
)

// JavaDSig is a running JVM that signs and verifies with javax.xml.crypto.dsig. Safe for concurrent use; its start costs
// about a second, so a test makes one and shares it among its subtests.
type JavaDSig struct{ jvm }

// A jvm runs one program of ours, which answers jobs.
type jvm struct {
	mu  sync.Mutex
	in  io.Writer
	out *bufio.Reader
}

// StartJavaDSig starts the JVM and ends it with the test.
func StartJavaDSig(t testing.TB) *JavaDSig {
	t.Helper()
	j := new(JavaDSig)
	j.start(t, "DSig.java", dsigSource)
	return j
}

// start runs Java source with these libraries.
func (j *jvm) start(t testing.TB, name string, source []byte, libraries ...string) {
	t.Helper()
	java := Need(t, "java")
	args := []string{"-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx256m"}
	if len(libraries) > 0 {
		args = append(args, "-cp", strings.Join(libraries, ":"))
	}
	cmd := exec.Command(java, append(args, write(t, t.TempDir(), name, source))...)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var complaints strings.Builder
	cmd.Stderr = &complaints
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	j.in, j.out = in, bufio.NewReader(out)
	t.Cleanup(func() {
		in.Close() // the end of its input ends it
		if err := cmd.Wait(); err != nil {
			t.Errorf("java: %v: %.2000s", err, complaints.String())
		}
	})
	if answer, err := j.ask("hello"); err != nil || string(answer) != "hello" {
		in.Close()
		t.Fatalf("java did not come up: %q, %v: %.2000s", answer, err, complaints.String())
	}
}

// Sign puts an enveloped signature (exclusive canonicalisation, SHA-256 digest) into the element whose attribute ID is
// id: after its Issuer, if that is its first child, as its first child otherwise. The key is PKCS #8, DER.
func (j *JavaDSig) Sign(algorithm, id string, pkcs8, doc []byte) ([]byte, error) {
	return j.ask("sign", algorithm, digestSHA256, id, b64(pkcs8), b64(doc))
}

// Verify checks the ds:Signature that is a child of the element whose attribute ID is id with a public key (SPKI, DER)
// and returns the octets that its Reference digested.
func (j *JavaDSig) Verify(id string, spki, doc []byte) ([]byte, error) {
	return j.ask("verify", id, b64(spki), b64(doc))
}

// VerifyOctets checks a signature that stands apart from what it signs, as HTTP-Redirect has it, with a public key (SPKI, DER).
func (j *JavaDSig) VerifyOctets(algorithm string, spki, signature, message []byte) error {
	_, err := j.ask("octets", algorithm, b64(spki), b64(signature), b64(message))
	return err
}

// ask sends one job, a line of fields separated by tabs, and reads its answer, "ok<TAB>base64" or "error<TAB>message".
func (j *jvm) ask(fields ...string) ([]byte, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if _, err := io.WriteString(j.in, strings.Join(fields, "\t")+"\n"); err != nil {
		return nil, fmt.Errorf("java: %w", err)
	}
	line, err := j.out.ReadString('\n')
	if err != nil {
		return nil, fmt.Errorf("java: %w", err)
	}
	kind, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
	if kind != "ok" {
		return nil, errors.New("java: " + rest)
	}
	return base64.StdEncoding.DecodeString(rest)
}

func b64(b []byte) string { return base64.StdEncoding.EncodeToString(b) }
