package replay_test

import (
	"crypto/fips140"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml"
	"github.com/logintrust/saml/internal/replay"
)

// Reports read as they are written down in testdata/reports: go test -run TestReports ./internal/replay -update
func TestReports(t *testing.T) {
	t.Parallel()
	list, lines := readVectors(t)
	byName := map[string][]byte{}
	for i, v := range list {
		byName[v.Name] = lines[i]
	}
	for _, name := range []string{
		"accept-assertion-signed", "accept-both-signed", "accept-idp-initiated", "encryption-gcm-oaep",
		"reject-attackers-key", "reject-audience", "reject-conditions-end", "reject-destination", "reject-encryption-key-changed", "reject-encrypted",
		"reject-idp-refused", "reject-issuer-with-a-slash", "reject-name-changed", "reject-no-authn-statement", "reject-not-xml",
		"reject-not-yet-valid", "reject-rsa-sha1", "reject-unknown-issuer", "reject-unknown-request", "reject-unsigned", "reject-unsolicited", "reject-xsw-in-extensions",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Contains(t, byName, name)
			report, err := replay.Explain(byName[name], "", saml.ExplainOptions{})
			require.NoError(t, err)
			if fips140.Enforced() && slices.Contains(weak, name) {
				assert.Equal(t, saml.WeakAlgorithm, report.Reason)
				return
			}
			golden(t, name+".txt", report.String())
			text, err := json.MarshalIndent(report, "", "  ")
			require.NoError(t, err)
			golden(t, name+".json", string(text)+"\n")
		})
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("../../testdata/reports", name)
	if *update {
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o777))
		require.NoError(t, os.WriteFile(file, []byte(got), 0o666))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, string(want), got)
}
