// Package fips helps tests to run where only what FIPS 140-3 approves works (GODEBUG=fips140=only).
//
// It is test support: only _test.go files import it.
package fips

import (
	"crypto/fips140"
	"testing"
)

// Forbids skips a test that makes or accepts what the mode forbids: SHA-1, MD5, RSA keys below 2048 bits, RSA 1.5 encryption,
// Triple DES. .ci/fips-skips.txt has the names of these tests; no other may be skipped there.
func Forbids(t testing.TB, what string) {
	t.Helper()
	if fips140.Enforced() {
		t.Skip("FIPS 140-3 mode forbids " + what)
	}
}
