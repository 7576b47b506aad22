package saml_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// testSources are all tests, of all modules.
func testSources(t *testing.T) string {
	t.Helper()
	var tests strings.Builder
	require.NoError(t, filepath.WalkDir(".", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		b, err := os.ReadFile(path)
		tests.Write(b)
		return err
	}))
	return tests.String()
}

// The tests that docs/oracles.md names are there.
func TestOraclesAreThere(t *testing.T) {
	t.Parallel()
	tests := testSources(t)
	table, err := os.ReadFile("docs/oracles.md")
	require.NoError(t, err)
	names := regexp.MustCompile(`Test\w+`).FindAllString(string(table), -1)
	require.Greater(t, len(names), 10)
	for _, name := range names {
		assert.Contains(t, tests, "func "+name+"(", name)
	}
}

// README's map has each file of the package.
func TestMapIsWhole(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	for _, file := range files {
		if !strings.HasSuffix(file, "_test.go") {
			assert.Contains(t, string(readme), "]("+file+")")
		}
	}
}

// docs/features.md has each row once, and the tests that it names are there. A row that is done
// is also named above a test that proves it.
func TestFeaturesAreProven(t *testing.T) {
	t.Parallel()
	tests := testSources(t)
	named := map[string]bool{} // the rows that stand above a test
	for line := range strings.Lines(tests) {
		if ids, found := strings.CutPrefix(line, "// req:"); found {
			for _, id := range regexp.MustCompile(`[\w-]+`).FindAllString(ids, -1) {
				named[id] = true
			}
		}
	}
	table, err := os.ReadFile("docs/features.md")
	require.NoError(t, err)
	var want, got []string
	for _, product := range []struct {
		prefix string
		rows   int
	}{{"CS", 18}, {"SA", 16}, {"LT", 67}, {"CL", 27}} {
		for i := range product.rows {
			want = append(want, fmt.Sprintf("%s-%02d", product.prefix, i+1))
		}
	}
	row := regexp.MustCompile(`(?m)^\| ([A-Z]{2}-\d+) \| ([^|]*) \| (.*) \|$`)
	for _, m := range row.FindAllStringSubmatch(string(table), -1) {
		id, state, by := m[1], m[2], m[3]
		got = append(got, id)
		assert.Contains(t, []string{"done", "host", "open"}, state, id)
		names := regexp.MustCompile(`\b(?:Test|Fuzz|Example)\w+`).FindAllString(by, -1)
		if state == "done" {
			assert.NotEmpty(t, names, id)
			assert.True(t, named[id], "no test names %s", id)
		}
		for _, name := range names {
			assert.True(t, strings.Contains(tests, "func "+name+"("), "%s: %s", id, name)
		}
	}
	assert.Equal(t, want, got)
	for line := range strings.Lines(string(table)) {
		assert.True(t, !strings.HasPrefix(line, "|") || row.MatchString(strings.TrimSuffix(line, "\n")) || strings.HasPrefix(line, "| row") || strings.HasPrefix(line, "|-"), line)
	}
}
