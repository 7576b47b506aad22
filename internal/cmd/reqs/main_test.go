package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const sample = `package p

// TestA is documented.
// req: A-1, A-2 because of this
func TestA(t *testing.T) {
	// req: A-3 LT-18
	t.Run("x", func(t *testing.T) { req(t, "A-4") })
}

// req: A-5
func TestFails(t *testing.T) {}

// %s
func helper() {}
`

const events = `{"Action":"pass","Package":"example.org/m/p","Test":"TestA"}
{"Action":"pass","Package":"example.org/m/p","Test":"TestA/x"}
{"Action":"fail","Package":"example.org/m/p","Test":"TestFails"}
`

func reqsOf(t *testing.T, comment string) (string, error) {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "p"), 0o700))
	for name, text := range map[string]string{
		"go.mod":      "module example.org/m\n",
		"p/p_test.go": strings.Replace(sample, "%s", comment, 1),
		"table.tsv":   "id\tlevel\ttier\tgroup\nA-1\tMUST\tT1\tg\nA-2\tMUST\tT1\tg\nA-3\tMAY\tT2\tg\nA-4\tMUST\tT1\tg\nA-5\tMUST\tT1\tg\nA-6\tMAY\tT2\tg\n",
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	var out strings.Builder
	err := run(dir, filepath.Join(dir, "table.tsv"), "T1", strings.NewReader(events), &out)
	return out.String(), err
}

func TestReqs(t *testing.T) {
	t.Parallel()
	got, err := reqsOf(t, "nothing")
	require.NoError(t, err)
	assert.Equal(t, "A-1\texample.org/m/p.TestA\nA-2\texample.org/m/p.TestA\nA-3\texample.org/m/p.TestA\nA-4\texample.org/m/p.TestA\n"+
		"LT-18\texample.org/m/p.TestA\nA-5\t-\tT1 MUST\n3 of 4 requirements have a test that ran and passed\n", got)

	_, err = reqsOf(t, "req: A-1")
	require.ErrorContains(t, err, "p_test.go:13:1: not in a test")
}

func TestReqsUnknown(t *testing.T) {
	t.Parallel()
	_, err := reqsOf(t, "nothing\n// req: B-1\nfunc TestB(t *testing.T) {}\n")
	require.ErrorContains(t, err, "example.org/m/p.TestB: no such requirement: B-1")
}
