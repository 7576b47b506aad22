package saml_test

import (
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml/internal/advice"
)

var update = flag.Bool("update", false, "write the generated files anew")

// reasonNames reads the constants of errors.go.
func reasonNames(t *testing.T) (names []string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "errors.go", nil, 0)
	require.NoError(t, err)
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if kind, ok := spec.Type.(*ast.Ident); ok && kind.Name == "Reason" {
			name, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			require.NoError(t, err)
			names = append(names, name)
		}
		return true
	})
	require.Greater(t, len(names), 60)
	return names
}

// Each reason has its advice, and docs/reasons.md is what is made of it: go test -run TestReasonsDocument . -update
func TestReasonsDocument(t *testing.T) {
	t.Parallel()
	names := reasonNames(t)
	for _, name := range names {
		a := advice.For(name, "")
		assert.NotEmpty(t, a.Meaning, name)
		assert.NotEmpty(t, a.Actor, name)
		assert.NotEmpty(t, a.Remedy, name)
	}
	assert.ElementsMatch(t, names, advice.Reasons())
	want := advice.Document(names)
	if *update {
		require.NoError(t, os.WriteFile("docs/reasons.md", []byte(want), 0o666))
	}
	got, err := os.ReadFile("docs/reasons.md")
	require.NoError(t, err)
	assert.Equal(t, want, string(got), "docs/reasons.md is out of date: go test -run TestReasonsDocument . -update")
}
