package saml_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The code in README.md is the code of an example that runs.
func TestReadmeCode(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	examples, err := os.ReadFile("example_test.go")
	require.NoError(t, err)
	dedented := strings.ReplaceAll("\n"+string(examples), "\n\t", "\n")
	blocks := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(string(readme), -1)
	require.NotEmpty(t, blocks)
	for _, block := range blocks {
		assert.Contains(t, dedented, "\n"+block[1])
	}
}

// So is the code in docs/keys.md.
func TestKeysCode(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("docs/keys.md")
	require.NoError(t, err)
	example, err := os.ReadFile("example_explain_test.go")
	require.NoError(t, err)
	blocks := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(string(page), -1)
	require.Len(t, blocks, 1)
	assert.Contains(t, string(example), "\n"+blocks[0][1])
}
