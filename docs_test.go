package saml_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The tests that docs/oracles.md names are there.
func TestOraclesAreThere(t *testing.T) {
	t.Parallel()
	var tests strings.Builder
	require.NoError(t, filepath.WalkDir(".", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		b, err := os.ReadFile(path)
		tests.Write(b)
		return err
	}))
	table, err := os.ReadFile("docs/oracles.md")
	require.NoError(t, err)
	names := regexp.MustCompile(`Test\w+`).FindAllString(string(table), -1)
	require.Greater(t, len(names), 10)
	for _, name := range names {
		assert.Contains(t, tests.String(), "func "+name+"(", name)
	}
}
