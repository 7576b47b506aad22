// Package oracle finds and runs the independent programs that give a second opinion on our XML security: libxml2's
// xmllint, xmlsec1, the XML signatures of the JDK, and Apache Santuario.
//
// It is test support: only _test.go files import it. A test that needs a program which is not installed is skipped,
// unless the environment says SAML_ORACLES=required, as .ci/run does: then it fails.
//
// Which oracle stands behind what:
//
//	canonical form, whole documents, with comments        xmllint            [C14N]
//	canonical form, subsets, PrefixLists, no comments     xmlsec1            [XMLSecOctets]
//	RSA 1.5 and ECDSA signatures                          xmlsec1            [XMLSecSign], [XMLSecVerify]
//	RSA-PSS, Ed25519 (xmlsec1 1.2 knows neither), ECDSA   javax.xml.crypto   [StartJavaDSig]
//	encryption with CBC, GCM, RSA-OAEP (MGF1P), RSA 1.5   xmlsec1            [XMLSecEncrypt], [XMLSecDecrypt]
//	the same, and RSA-OAEP with any digest and MGF        Apache Santuario   [StartJavaEnc]
//	ECDH, AES key wrap, AES-GCM                           the JDK            [StartJavaEnc]
//	SAML schemas                                          xmllint            [ValidateSchema]
package oracle

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// runLimit is the longest that one run of a program may take before the test fails.
const runLimit = 2 * time.Minute

// Required reports whether a missing program fails a test instead of skipping it.
func Required() bool { return os.Getenv("SAML_ORACLES") == "required" }

// Need returns the path of a program. Without it the test is skipped, or fails where oracles are required.
func Need(t testing.TB, program string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		missing(t, program+" is not installed")
	}
	return path
}

func missing(t testing.TB, what string) {
	t.Helper()
	if Required() {
		t.Fatalf("%s, and SAML_ORACLES=required", what)
	}
	t.Skipf("%s; .ci/run installs it", what)
}

// run runs a program in dir and returns both its outputs; err carries what it wrote to stderr.
func run(t testing.TB, dir string, env []string, path string, args ...string) (stdout, stderr []byte, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), runLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err = cmd.Run()
	if ctx.Err() != nil {
		t.Fatalf("%s took longer than %s", filepath.Base(path), runLimit)
	}
	if err != nil {
		err = fmt.Errorf("%s: %w: %.2000s", filepath.Base(path), err, errs.Bytes())
	}
	return out.Bytes(), errs.Bytes(), err
}

// write makes a file in dir and returns its path.
func write(t testing.TB, dir, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
