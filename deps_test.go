package saml_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What may import what. Do not change this to mend a build: it is the architecture.
//
//   - examples → cmd, samltest → root → internal; nothing points upwards.
//   - encoding/xml is nowhere outside tests: one reader for one message.
//   - etree and goxmldsig are in internal/compose, which builds what goes out, and in samltest, the second opinion.
//   - internal/xmlsec has the standard library only.
func TestImports(t *testing.T) {
	t.Parallel()
	const module = "github.com/logintrust/saml"
	builders := []string{"internal/compose", "samltest"}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if path != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || nested(path)) {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		dir := filepath.ToSlash(filepath.Dir(path))
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		require.NoError(t, err)
		for _, spec := range file.Imports {
			name, err := strconv.Unquote(spec.Path.Value)
			require.NoError(t, err)
			assert.NotEqual(t, "encoding/xml", name, path)
			if strings.HasPrefix(name, "github.com/beevik/etree") || strings.HasPrefix(name, "github.com/russellhaering/goxmldsig") {
				assert.Contains(t, builders, dir, path)
			}
			if strings.HasPrefix(name, "github.com/stretchr") {
				assert.Equal(t, "internal/oracle", dir, path)
			}
			if dir == "internal/xmlsec" {
				assert.NotContains(t, name, ".", path)
			}
			if !strings.HasPrefix(name, module) {
				continue
			}
			below := strings.TrimPrefix(strings.TrimPrefix(name, module), "/")
			assert.Greater(t, floor(dir), floor(below), "%s imports %s", path, name)
		}
		return nil
	})
	require.NoError(t, err)
}

func nested(dir string) bool {
	matches, _ := filepath.Glob(filepath.Join(dir, "go.mod"))
	return len(matches) > 0
}

// floor is how high a package stands; it may import what stands lower.
func floor(dir string) int {
	floors := []string{"internal/advice", "internal/outbound", "internal/xmlsec", "internal/wire", "internal/compose", "internal/binding", "."}
	if dir == "" {
		dir = "."
	}
	if i := slices.Index(floors, dir); i >= 0 {
		return i
	}
	switch {
	case dir == "internal/oracle", dir == "internal/mutant":
		return 0
	case dir == "samltest":
		return 10
	case dir == "internal/replay":
		return 11
	case strings.HasPrefix(dir, "cmd/"), strings.HasPrefix(dir, "internal/cmd/"):
		return 12
	}
	return 13
}
