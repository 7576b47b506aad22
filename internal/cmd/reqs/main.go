// Reqs says which requirements have a test that ran.
//
//	go test -json ./... | go run ./internal/cmd/reqs -tsv testdata/saml-requirements.tsv [-tier T1]
//
// A test names its requirements in comments, in front of the test function or anywhere inside it, or in calls:
//
//	// req: CORE-2.5.1.4 SDP-SP12 and, if wanted, words that are no IDs
//	req(t, "CORE-2.5.1.4")
//
// Reqs prints a line "id<TAB>tests" for each requirement whose tests ran and passed, and with -tsv also those without,
// from a table with the columns id, level and tier. It fails on a mention outside a test and, with -tsv, on an unknown ID,
// unless that has the form of a feature's: LT-18.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

func main() {
	root := flag.String("C", ".", "the repository")
	table := flag.String("tsv", "", "list the requirements of this `file` that have no test")
	tier := flag.String("tier", "", "of the table only this tier")
	flag.Parse()
	if err := run(*root, *table, *tier, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "reqs:", err)
		os.Exit(1)
	}
}

func run(root, table, tier string, events io.Reader, out io.Writer) error {
	passed, err := passedTests(events)
	if err != nil {
		return err
	}
	named, stray, err := namedIn(root)
	if err != nil {
		return err
	}
	known := map[string]string{} // ID to tier and level
	if table != "" {
		text, err := os.ReadFile(table)
		if err != nil {
			return err
		}
		for line := range strings.Lines(string(text)) {
			if col := strings.Split(line, "\t"); len(col) > 3 && col[0] != "id" {
				known[col[0]] = col[2] + " " + col[1]
			}
		}
	}
	covered := map[string]bool{}
	for _, id := range slices.Sorted(maps.Keys(named)) {
		if known[id] == "" && table != "" && !featureRow.MatchString(id) {
			stray = append(stray, fmt.Sprintf("%s: no such requirement: %s", named[id][0], id))
		}
		ran := slices.DeleteFunc(slices.Clone(named[id]), func(test string) bool { return !passed[test] })
		if len(ran) > 0 {
			covered[id] = true
			slices.Sort(ran)
			fmt.Fprintf(out, "%s\t%s\n", id, strings.Join(slices.Compact(ran), " "))
		}
	}
	total, with := 0, 0
	for _, id := range slices.Sorted(maps.Keys(known)) {
		switch {
		case !strings.HasPrefix(known[id], tier):
		case covered[id]:
			total, with = total+1, with+1
		default:
			total++
			fmt.Fprintf(out, "%s\t-\t%s\n", id, known[id])
		}
	}
	if table != "" {
		fmt.Fprintf(out, "%d of %d requirements have a test that ran and passed\n", with, total)
	}
	if len(stray) > 0 {
		return fmt.Errorf("%d mentions go astray:\n%s", len(stray), strings.Join(stray, "\n"))
	}
	return nil
}

// passedTests reads what go test -json writes: the top-level tests that passed, as "import/path.TestName".
func passedTests(in io.Reader) (map[string]bool, error) {
	passed := map[string]bool{}
	for d := json.NewDecoder(in); ; {
		var e struct{ Action, Package, Test string }
		if err := d.Decode(&e); errors.Is(err, io.EOF) {
			return passed, nil
		} else if err != nil {
			return nil, fmt.Errorf("reading what go test -json writes: %w", err)
		}
		if e.Action == "pass" && e.Test != "" {
			passed[e.Package+"."+e.Test] = true
		}
	}
}

// namedIn finds the requirements that the tests below root name: ID to "import/path.TestName".
func namedIn(root string) (named map[string][]string, stray []string, err error) {
	named = map[string][]string{}
	imports := map[string]string{} // import path of each folder
	err = filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && file != root && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata"):
			return filepath.SkipDir
		case d.IsDir():
			imports[file] = path.Join(imports[filepath.Dir(file)], d.Name())
			if mod, err := os.ReadFile(filepath.Join(file, "go.mod")); err == nil {
				imports[file] = moduleLine.FindStringSubmatch(string(mod))[1]
			}
			return nil
		case !strings.HasSuffix(file, "_test.go"):
			return nil
		}
		set := token.NewFileSet()
		f, err := parser.ParseFile(set, file, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		for pos, ids := range mentions(f) {
			test := testAt(f, pos)
			if test == "" {
				stray = append(stray, fmt.Sprintf("%s: not in a test", set.Position(pos)))
				continue
			}
			for _, id := range ids {
				named[id] = append(named[id], imports[filepath.Dir(file)]+"."+test)
			}
		}
		return nil
	})
	return named, stray, err
}

var (
	idShape    = regexp.MustCompile(`^[A-Za-z]+[A-Z0-9-][A-Za-z0-9._/-]*$`)
	featureRow = regexp.MustCompile(`^(CS|SA|LT|CL)-[0-9]{2}$`) // of the products' features, which the table does not have
	testName   = regexp.MustCompile(`^(Test|Fuzz|Example)`)
	moduleLine = regexp.MustCompile(`(?m)^module\s+(\S+)`)
)

// mentions returns the IDs in "// req:" comments and in calls of req(t, …), by position.
func mentions(f *ast.File) map[token.Pos][]string {
	found := map[token.Pos][]string{}
	for _, group := range f.Comments {
		for _, c := range group.List {
			if list, ok := strings.CutPrefix(c.Text, "// req:"); ok {
				for word := range strings.FieldsSeq(strings.ReplaceAll(list, ",", " ")) {
					if !idShape.MatchString(word) {
						break // prose
					}
					found[c.Pos()] = append(found[c.Pos()], word)
				}
			}
		}
	}
	ast.Inspect(f, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok {
			if name, ok := call.Fun.(*ast.Ident); ok && name.Name == "req" {
				for _, arg := range call.Args {
					if lit, ok := arg.(*ast.BasicLit); ok && lit.Kind == token.STRING {
						id, _ := strconv.Unquote(lit.Value)
						found[call.Pos()] = append(found[call.Pos()], id)
					}
				}
			}
		}
		return true
	})
	return found
}

// testAt names the test function that a position belongs to, "" for none.
func testAt(f *ast.File, pos token.Pos) string {
	for _, decl := range f.Decls {
		if fn, ok := decl.(*ast.FuncDecl); ok && fn.Recv == nil && testName.MatchString(fn.Name.Name) {
			if (fn.Pos() <= pos || fn.Doc != nil && fn.Doc.Pos() <= pos) && pos < fn.End() {
				return fn.Name.Name
			}
		}
	}
	return ""
}
