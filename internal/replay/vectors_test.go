package replay_test

import (
	"bytes"
	"crypto/fips140"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml"
	"github.com/logintrust/saml/internal/advice"
	"github.com/logintrust/saml/internal/fips"
	"github.com/logintrust/saml/internal/replay"
)

var update = flag.Bool("update", false, "write testdata/vectors and testdata/reports anew")

// vectors are all that the generator makes. Files of other origin may lie beside them.
func vectors(t testing.TB) []*vector {
	w := newWorld(t)
	return slices.Concat(w.acceptVectors(), w.signatureVectors(), w.wrappingVectors(), w.parsingVectors(), w.profileVectors(),
		w.timeVectors(), w.sequenceVectors(), w.relayStateVectors(), w.metadataVectors(), w.encryptionVectors(), w.logoutVectors())
}

func vectorFile(name string) string { return filepath.Join(directory, "vectors", name+".json") }

// TestGenerate writes the vectors with -update, and otherwise sees that each has its file. A file with ciphertexts, which come
// out otherwise each time, stays as it is.
func TestGenerate(t *testing.T) {
	fips.Forbids(t, "SHA-1 and RSA keys of 1024 bits")
	seen := map[string]bool{}
	for _, v := range vectors(t) {
		require.False(t, seen[v.Name], "two vectors %s", v.Name)
		seen[v.Name] = true
		if _, err := os.Stat(vectorFile(v.Name)); *update && (err != nil || !v.random) {
			require.NoError(t, os.WriteFile(vectorFile(v.Name), v.line(t), 0o644))
			continue
		}
		assert.FileExists(t, vectorFile(v.Name), "run go test -update")
	}
}

// readVectors reads what is checked in.
func readVectors(t *testing.T) (list []vector, lines [][]byte) {
	t.Helper()
	names, err := filepath.Glob(vectorFile("*"))
	require.NoError(t, err)
	require.NotEmpty(t, names)
	for _, name := range names {
		line, err := os.ReadFile(name)
		require.NoError(t, err)
		var v vector
		require.NoError(t, json.Unmarshal(line, &v), name)
		require.Equal(t, name, vectorFile(v.Name))
		require.Equal(t, 1, bytes.Count(line, []byte("\n")), "%s: one line", name)
		list, lines = append(list, v), append(lines, line)
	}
	return list, lines
}

// weak are the vectors that FIPS 140-3 mode refuses for an algorithm, whatever comes of them elsewhere: SHA-1 in a signature,
// RSA 1.5, Triple DES, and above all rsa-oaep-mgf1p, by which most of the ciphertexts are carried.
var weak = []string{
	"accept-sha1-allowed", "encryption-aes128-gcm", "encryption-attributes", "encryption-both-signed",
	"encryption-for-others-too", "encryption-gcm-oaep", "encryption-inside-response", "encryption-key-beside",
	"encryption-mgf1p-sha256", "encryption-name-id", "encryption-oaep-label", "encryption-old-key", "encryption-required",
	"encryption-signed-3des", "encryption-signed-cbc", "encryption-signed-rsa15", "encryption-unsigned-cbc",
	"logout-request-post-sha1-allowed", "logout-request-redirect-sha1-allowed", "reject-encryption-another-key",
	"reject-encryption-attackers-key", "reject-encryption-bad-padding", "reject-encryption-break-out",
	"reject-encryption-changed-inside", "reject-encryption-content-changed", "reject-encryption-content-short",
	"reject-encryption-doctype-inside", "reject-encryption-good-padding", "reject-encryption-key-changed",
	"reject-encryption-name-id-another-key", "reject-encryption-name-only", "reject-encryption-not-an-assertion",
	"reject-encryption-tag-changed", "reject-encryption-two-elements", "reject-encryption-unsigned",
}

// TestVectors judges every vector.
func TestVectors(t *testing.T) {
	t.Parallel()
	list, lines := readVectors(t)
	for i, v := range list {
		t.Run(v.Name, func(t *testing.T) {
			t.Parallel()
			if v.Name == "accept-rsa1024-allowed" {
				fips.Forbids(t, "RSA keys of 1024 bits")
			}
			require.NotEmpty(t, v.Class)
			require.NotEmpty(t, v.Description)
			require.NotEmpty(t, v.Refs)
			a := replay.Judge(lines[i])
			assert.Equal(t, v.Name, a.Name)
			if fips140.Enforced() && slices.Contains(weak, v.Name) {
				assert.Equal(t, replay.Reject, a.Verdict, a.Detail)
				assert.Equal(t, string(saml.WeakAlgorithm), a.Reason, a.Detail)
				return
			}
			assert.Equal(t, v.Expect, a.Verdict, a.Detail)
			assert.Equal(t, v.Reason, a.Reason, a.Detail)
			assert.Empty(t, a.Differences(lines[i]))
			for _, private := range []string{"alice", "Alice", "Smith", "MII"} {
				assert.NotContains(t, a.Detail, private, "a refusal tells what it must not")
			}
			if (v.Kind == "post-response" || v.Kind == "relay-state") && v.Reason != replay.BadMetadata {
				explained(t, v, lines[i])
			}
		})
	}
}

// explained: the explanation of a case ends as its judgement does, and tells nothing private.
func explained(t *testing.T, v vector, line []byte) {
	report, err := replay.Explain(line, "", saml.ExplainOptions{})
	require.NoError(t, err)
	assert.Equal(t, v.Expect == replay.Accept, report.Accepted, report)
	assert.Equal(t, v.Reason, string(report.Reason), report)
	text, err := json.Marshal(report)
	require.NoError(t, err)
	for _, private := range []string{"alice", "Alice", "Smith", "MII"} {
		assert.NotContains(t, report.String()+string(text), private)
	}
}

// TestVectorsStream judges all vectors in one stream, in order.
func TestVectorsStream(t *testing.T) {
	t.Parallel()
	list, lines := readVectors(t)
	var names, answered []string
	for _, v := range list {
		names = append(names, v.Name)
	}
	require.NoError(t, replay.Stream(bytes.NewReader(slices.Concat(lines...)), nil, func(_ []byte, a replay.Answer) error {
		answered = append(answered, a.Name)
		return nil
	}))
	assert.Equal(t, names, answered)
}

// unreachable are the reasons that no case can lead to, and why.
var unreachable = map[saml.Reason]string{
	saml.SSODisabled:              "a case's service provider is switched on",
	saml.TrustProvisional:         "a case's trust is active",
	saml.TrustInactive:            "a case's trust is active",
	saml.MethodNotAllowed:         "a case's trust admits SAML",
	saml.WrongAddress:             "a case has no CheckClientAddress",
	saml.WrongAuthnContext:        "a case asks for no context",
	saml.ReauthenticationRequired: "a case asks for no fresh authentication",
	saml.WrongNameIDFormat:        "a case asks for no format",
	saml.MissingAttribute:         "a case requires no attribute",
	saml.BadArtifact:              "a case has no artifact",
	saml.ArtifactFailed:           "a case has no artifact",
	saml.OtherSubject:             "a case asks for no subject",
	saml.NoIdPChosen:              "of the HTTP handler",
	saml.BrowserMismatch:          "a case has one browser",
	saml.LoggedOut:                "a case has a login or a logout",
	saml.NoAnswer:                 "of a test login",
	saml.StoreFailed:              "a case's store does not fail",
	saml.NotConfigured:            "of the HTTP handler",
	saml.TransientSubject:         noUsers,
	saml.BadSubject:               noUsers,
	saml.BadAttribute:             noUsers,
	saml.WrongScope:               noUsers,
	saml.WrongEmailDomain:         noUsers,
	saml.NotTranslated:            noUsers,
	saml.TranslationDangling:      noUsers,
	saml.WrongOrganization:        noUsers,
	saml.AmbiguousUser:            noUsers,
	saml.AmbiguousEmail:           noUsers,
	saml.WrongSubject:             noUsers,
	saml.InvalidUser:              noUsers,
	saml.EmailTaken:               noUsers,
	saml.UsernameTaken:            noUsers,
	saml.SSODisabledForUser:       noUsers,
	saml.UserDisabled:             noUsers,
	saml.UserNotAllowed:           noUsers,
	saml.NoRoles:                  noUsers,
	saml.PasswordRequired:         noUsers,
	saml.PasswordWrong:            noUsers,
	saml.PasswordFailed:           noUsers,
}

const noUsers = "a case has no users"

// TestEveryReasonHasAVector holds the reasons in the library's source against the vectors.
func TestEveryReasonHasAVector(t *testing.T) {
	t.Parallel()
	covered := map[string]bool{}
	list, lines := readVectors(t)
	for i, v := range list {
		covered[v.Reason] = true
		for _, step := range replay.Judge(lines[i]).Steps {
			covered[step.Reason] = true
		}
	}
	reasons := advice.Reasons() // all of them: see TestReasonsDocument
	require.NotEmpty(t, reasons)
	for _, reason := range reasons {
		_, exempt := unreachable[saml.Reason(reason)]
		assert.NotEqual(t, exempt, covered[reason], "reason %s: a vector, or else a word why not", reason)
	}
}
