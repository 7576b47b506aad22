package main

import (
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const sample = `package sample

import "errors"

var someRules = []func(int) error{
	check,
}

func check(n int) error {
	if n < 0 || n > 9 && n != 20 {
		return errors.New("out of range")
	}
	switch {
	case n == 3:
		return errors.New("three")
	}
	return more(n)
}

func more(n int) error { return errors.New("more") }

func known(n int) bool {
	switch n {
	case 1, 2:
		return true
	}
	return n == 7
}

func both(n int) (int, error) {
	var err error
	if n == 8 {
		err = errors.New("eight")
	}
	return 5, err
}
`

func TestRewrite(t *testing.T) {
	t.Parallel()
	rules := strings.Replace(sample, "\tcheck,\n", "\t{check},\n", 1)
	rules = strings.Replace(rules, "[]func(int) error{", "[]struct{ check func(int) error }{", 1)
	out, mutants, err := rewrite("sample.go", []byte(rules), 10)
	require.NoError(t, err)
	var names []string
	for i, m := range mutants {
		assert.Equal(t, 10+i, m.number)
		names = append(names, strings.TrimPrefix(m.name, "sample.go "))
	}
	assert.ElementsMatch(t, []string{
		"someRules: no rule check",
		"check: never n < 0 || n > 9 && n != 20",
		"check: without n < 0", "check: without n > 9 && n != 20", "check: without n > 9", "check: without n != 20",
		"check: never n == 3",
		"check: no more(n)",
		`more: no errors.New("more")`,
		"known: not return true", "known: true for n == 7", "known: false for n == 7",
		"both: never n == 8", "both: no err",
	}, names)
	_, err = parser.ParseFile(token.NewFileSet(), "sample.go", out, 0)
	require.NoError(t, err, string(out))
	assert.Equal(t, strings.Count(rules, "\n"), strings.Count(string(out), "\n"), "lines move")
	assert.Contains(t, string(out), "if (((n < 0 && !mutant.On(12)) || (((n > 9) || mutant.On(14)) && ((n != 20) || mutant.On(15)) && !mutant.On(13))) && !mutant.On(11)) {")
}

// Every mutant does what its name says: a sample is built and run once for each.
func TestMutantsDiffer(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("there is no go command")
	}
	dir := t.TempDir()
	source := strings.Replace(sample, "\tcheck,\n", "", 1)
	out, mutants, err := rewrite("sample.go", []byte(source), 0)
	require.NoError(t, err)
	text := strings.ReplaceAll(string(out), `import "github.com/logintrust/saml/internal/mutant"`, `import "sample/mutant"`)
	text = strings.Replace(text, "package sample", "package main", 1)
	runtime, err := os.ReadFile("../../mutant/mutant.go")
	require.NoError(t, err)
	require.NoError(t, os.Mkdir(filepath.Join(dir, "mutant"), 0o755))
	for name, content := range map[string]string{"go.mod": "module sample\n\ngo 1.26\n", "sample.go": text, "mutant/mutant.go": string(runtime),
		"main.go": "package main\n\nimport \"fmt\"\n\nfunc main() {\n\tfor n := -1; n < 25; n++ {\n\t\t_, err := both(n)\n\t\tfmt.Print(check(n), known(n), err, \" \")\n\t}\n}\n"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600))
	}
	build := exec.Command("go", "build", "-o", "sample", ".")
	build.Dir = dir
	built, err := build.CombinedOutput()
	require.NoError(t, err, string(built))
	run := func(number string) string {
		sample := exec.Command(filepath.Join(dir, "sample"))
		sample.Env = append(os.Environ(), "LOGINTRUST_MUTANT="+number)
		out, err := sample.CombinedOutput()
		require.NoError(t, err)
		return string(out)
	}
	genuine := run("")
	for _, m := range mutants {
		assert.NotEqual(t, genuine, run(strconv.Itoa(m.number)), m.name)
	}
}

func TestPattern(t *testing.T) {
	t.Parallel()
	re := strings.Split(pattern([]string{"TestA/x/y_(z)", "TestB"}), "/")
	require.Len(t, re, 3)
	assert.Regexp(t, re[0], "TestA")
	assert.Regexp(t, re[0], "TestB")
	assert.NotRegexp(t, re[0], "TestAB")
	assert.Regexp(t, re[2], "y_(z)")
}

func TestTold(t *testing.T) {
	t.Parallel()
	by, how, failed := told("--- FAIL: TestA (0.01s)\n    --- FAIL: TestA/b (0.00s)\n        x.go:1: accepted (CVE)\n", []string{"TestA"})
	assert.True(t, failed)
	assert.Equal(t, "TestA/b", by)
	assert.Equal(t, "x.go:1: accepted (CVE)", how)
	by, _, failed = told("panic: out of range\n", []string{"TestC", "TestD"})
	assert.True(t, failed)
	assert.Equal(t, "TestC", by)
}

func TestReport(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	r := newReport(&out, map[string]string{"a: never": "why", "b: never": "why", "gone: never": "why"}, false)
	r.add(fate{mutation: mutation{name: "a: never"}})
	r.add(fate{mutation: mutation{name: "b: never"}, caught: attack, by: "TestB"})
	r.add(fate{mutation: mutation{name: "c: never"}})
	r.add(fate{mutation: mutation{name: "d: never"}, caught: unitTest, by: "TestD"})
	r.missing([]mutation{{name: "a: never"}, {name: "b: never"}})
	require.Error(t, r.close(9))
	assert.Equal(t, `equivalent.txt names it, but TestB catches it: b: never (line 0)
equivalent.txt names what is not there: gone: never
survived: c: never (line 0)
4 of 9 mutants: 1 caught by an attack or a vector, 1 by another test only, 1 equivalent, 1 survived
`, out.String())
}

// The names in equivalent.txt are those of mutants that there are.
func TestEquivalents(t *testing.T) {
	t.Parallel()
	known, err := readEquivalents()
	require.NoError(t, err)
	_, all, err := mutate("../../..", t.TempDir(), regexp.MustCompile(incoming))
	require.NoError(t, err)
	assert.Greater(t, len(all), 1000)
	var out strings.Builder
	r := newReport(&out, known, false)
	r.missing(all)
	assert.Empty(t, r.problems)
}
