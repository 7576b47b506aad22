package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"slices"
	"strings"
)

// A mutation is one check that can be turned off.
type mutation struct {
	number int
	file   string
	line   int
	name   string // file, function and what is changed: the same for as long as that code is
}

// A rewriter gives every check of one file a switch.
type rewriter struct {
	file    string
	src     []byte
	fset    *token.FileSet
	mutants []mutation
	edits   []edit
	first   int            // number of the file's first mutant
	seen    map[string]int // how often a name was given
	inside  []scope
}

// An edit inserts text in front of the octet at that offset.
type edit struct {
	at    int
	text  string
	after bool // it ends something, so it stands before what begins there, and the inner one comes first
}

// A scope is a function with what it returns last.
type scope struct {
	name   string
	last   string // the type's text; "" for no result
	count  int    // of results
	handed map[ast.Stmt]bool
}

// rewrite gives each check of the source a switch of internal/mutant. Mutants are numbered from first.
func rewrite(file string, src []byte, first int) (out []byte, mutants []mutation, err error) {
	r := &rewriter{file: file, src: src, fset: token.NewFileSet(), first: first, seen: map[string]int{}}
	tree, err := parser.ParseFile(r.fset, file, src, parser.SkipObjectResolution)
	if err != nil {
		return nil, nil, err
	}
	for _, d := range tree.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Body != nil {
				r.function(nameOf(d), d.Type, d.Body)
			}
		case *ast.GenDecl:
			r.inside = []scope{{name: "var"}}
			r.rules(d)
			r.inside = nil
		}
	}
	if len(r.mutants) == 0 {
		return src, nil, nil
	}
	r.insert(r.offset(tree.Name.End()), `; import "github.com/logintrust/saml/internal/mutant"`, false)
	return r.apply(), r.mutants, nil
}

// nameOf is a function's name, with its receiver's.
func nameOf(d *ast.FuncDecl) string {
	if d.Recv == nil {
		return d.Name.Name
	}
	t := d.Recv.List[0].Type
	if star, ok := t.(*ast.StarExpr); ok {
		t = star.X
	}
	if id, ok := t.(*ast.Ident); ok {
		return id.Name + "." + d.Name.Name
	}
	return d.Name.Name
}

func (r *rewriter) function(name string, t *ast.FuncType, body *ast.BlockStmt) {
	s := scope{name: name, handed: map[ast.Stmt]bool{}}
	if t.Results != nil {
		s.last, s.count = r.text(t.Results.List[len(t.Results.List)-1].Type), t.Results.NumFields()
	}
	r.inside = append(r.inside, s)
	ast.Inspect(body, r.visit)
	r.inside = r.inside[:len(r.inside)-1]
}

func (r *rewriter) scope() *scope { return &r.inside[len(r.inside)-1] }

func (r *rewriter) visit(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.FuncLit:
		r.function(r.scope().name, n.Type, n.Body)
		return false
	case *ast.IfStmt:
		if r.refuses(n.Body.List) {
			r.hand(n.Body.List)
			r.condition(n.Cond, true)
		}
	case *ast.SwitchStmt:
		if n.Tag == nil {
			r.cases(n)
		}
	case *ast.ReturnStmt:
		r.result(n)
	}
	return true
}

// cases turns off those of a switch without tag that refuse.
func (r *rewriter) cases(n *ast.SwitchStmt) {
	for _, s := range n.Body.List {
		c := s.(*ast.CaseClause)
		if len(c.List) == 0 || !r.refuses(c.Body) {
			continue
		}
		r.hand(c.Body)
		for _, e := range c.List {
			r.condition(e, true)
		}
	}
}

// hand notes the last statement of a body as one that need not be mutated itself: its condition is.
func (r *rewriter) hand(body []ast.Stmt) {
	r.scope().handed[body[len(body)-1]] = true
}

// refuses reports whether a body ends with a refusal: a return of one, the assignment of one, or going on with the next
// candidate.
func (r *rewriter) refuses(body []ast.Stmt) bool {
	if len(body) == 0 {
		return false
	}
	switch s := body[len(body)-1].(type) {
	case *ast.ReturnStmt:
		return len(s.Results) > 0 && r.isRefusal(s.Results[len(s.Results)-1])
	case *ast.BranchStmt:
		return s.Tok == token.CONTINUE && len(body) == 1
	case *ast.AssignStmt:
		return slices.ContainsFunc(s.Lhs, func(e ast.Expr) bool {
			id, ok := e.(*ast.Ident)
			return ok && slices.Contains([]string{"err", "e", "refused", "refusal", "problem", "weak", "unused"}, id.Name)
		})
	}
	return false
}

// isRefusal reports whether a function that returns e last has refused, by the type of what it returns.
func (r *rewriter) isRefusal(e ast.Expr) bool {
	text := r.text(e)
	switch last := r.scope().last; {
	case last == "bool":
		return text == "false" || text == "true"
	case last == "string":
		return text == `""`
	case isError(last):
		return text != "nil"
	case strings.HasPrefix(last, "*"), strings.HasPrefix(last, "[]"), strings.HasSuffix(last, "Curve"):
		return text == "nil"
	}
	return false
}

func isError(t string) bool { return t == "error" || t == "*Error" || t == "*mismatch" }

// condition gives a condition a switch, and each operand of its "and" and "or" as well.
func (r *rewriter) condition(e ast.Expr, never bool) {
	if never {
		r.wrap(e, "((", fmt.Sprintf(") && !mutant.On(%d))", r.add(e.Pos(), "never "+r.text(e))))
	}
	r.operands(e)
}

func (r *rewriter) operands(e ast.Expr) {
	switch e := e.(type) {
	case *ast.ParenExpr:
		r.operands(e.X)
	case *ast.UnaryExpr:
		if e.Op == token.NOT {
			r.operands(e.X)
		}
	case *ast.BinaryExpr:
		switch e.Op {
		case token.LOR:
			for _, x := range []ast.Expr{e.X, e.Y} {
				if b, ok := x.(*ast.BinaryExpr); !ok || b.Op != token.LOR {
					r.wrap(x, "(", fmt.Sprintf(" && !mutant.On(%d))", r.add(x.Pos(), "without "+r.text(x))))
				}
				r.operands(x)
			}
		case token.LAND:
			for _, x := range []ast.Expr{e.X, e.Y} {
				if b, ok := x.(*ast.BinaryExpr); !ok || b.Op != token.LAND {
					r.wrap(x, "((", fmt.Sprintf(") || mutant.On(%d))", r.add(x.Pos(), "without "+r.text(x))))
				}
				r.operands(x)
			}
		}
	}
}

// result mutates what a function returns: a verdict into its opposite, and a refusal that no condition leads to, or the
// last check of all, into acceptance.
func (r *rewriter) result(n *ast.ReturnStmt) {
	s := r.scope()
	if len(n.Results) != s.count || s.count == 0 || s.handed[n] {
		return
	}
	last := n.Results[len(n.Results)-1]
	text := r.text(last)
	switch {
	case s.last == "bool" && (text == "true" || text == "false"):
		r.reverse(n, map[string]string{"true": "false", "false": "true"}[text])
	case s.last == "bool" && len(n.Results) == 1:
		yes, no := r.add(n.Pos(), "true for "+text), r.add(n.Pos(), "false for "+text)
		r.wrap(last, "(((", fmt.Sprintf(") || mutant.On(%d)) && !mutant.On(%d))", yes, no))
		r.operands(last)
	case isError(s.last) && text != "nil" && (len(n.Results) > 1 || text != "err"):
		r.wrap(last, fmt.Sprintf("mutant.Drop[%s](%d, ", s.last, r.add(n.Pos(), "no "+text)), ")")
	}
}

// reverse puts a return in front of n, which has another last result.
func (r *rewriter) reverse(n *ast.ReturnStmt, last string) {
	others := ""
	for _, e := range n.Results[:len(n.Results)-1] {
		others += r.text(e) + ", "
	}
	number := r.add(n.Pos(), "not "+r.textOf(n.Pos(), n.End()))
	r.insert(r.offset(n.Pos()), fmt.Sprintf("if mutant.On(%d) { return %s%s }; ", number, others, last), false)
}

// rules takes the functions out of lists of rules, one at a time.
func (r *rewriter) rules(d *ast.GenDecl) {
	for _, s := range d.Specs {
		v, ok := s.(*ast.ValueSpec)
		if !ok || len(v.Names) != 1 || len(v.Values) != 1 || !strings.HasSuffix(v.Names[0].Name, "Rules") {
			continue
		}
		r.scope().name = v.Names[0].Name
		list, ok := v.Values[0].(*ast.CompositeLit)
		if !ok {
			continue
		}
		for _, row := range list.Elts {
			fields := row.(*ast.CompositeLit).Elts
			at := slices.IndexFunc(fields, isCheck)
			if at < 0 {
				continue
			}
			check := fields[at]
			r.wrap(check, fmt.Sprintf("mutant.Off(%d, ", r.add(check.Pos(), "no rule "+r.text(check))), ")")
		}
	}
}

// isCheck reports whether a field of a row is its function, by the names that these have.
func isCheck(e ast.Expr) bool {
	id, ok := e.(*ast.Ident)
	return ok && slices.ContainsFunc([]string{"check", "confirm", "asked"}, func(begins string) bool { return strings.HasPrefix(id.Name, begins) })
}

// add names a new mutant and returns its number.
func (r *rewriter) add(pos token.Pos, what string) int {
	name := path.Clean(r.file) + " " + r.scope().name + ": " + what
	r.seen[name]++
	if n := r.seen[name]; n > 1 {
		name = fmt.Sprintf("%s (%d)", name, n)
	}
	m := mutation{number: r.first + len(r.mutants), file: r.file, line: r.fset.Position(pos).Line, name: name}
	r.mutants = append(r.mutants, m)
	return m.number
}

func (r *rewriter) offset(p token.Pos) int { return r.fset.Position(p).Offset }

// text is the source of a node, on one line.
func (r *rewriter) text(n ast.Node) string { return r.textOf(n.Pos(), n.End()) }

func (r *rewriter) textOf(from, to token.Pos) string {
	return strings.Join(strings.Fields(string(r.src[r.offset(from):r.offset(to)])), " ")
}

func (r *rewriter) wrap(n ast.Node, before, after string) {
	r.insert(r.offset(n.Pos()), before, false)
	r.insert(r.offset(n.End()), after, true)
}

func (r *rewriter) insert(at int, text string, after bool) {
	r.edits = append(r.edits, edit{at, text, after})
}

// apply makes the edits. Of several at one place, those that end something come first, the inner before the outer; then
// those that begin something, the outer before the inner.
func (r *rewriter) apply() (out []byte) {
	var begins, ends []edit
	for _, e := range r.edits {
		if e.after {
			ends = append(ends, e)
		} else {
			begins = append(begins, e)
		}
	}
	slices.Reverse(ends)
	all := append(ends, begins...)
	slices.SortStableFunc(all, func(a, b edit) int { return a.at - b.at })
	done := 0
	for _, e := range all {
		out = append(append(out, r.src[done:e.at]...), e.text...)
		done = e.at
	}
	return append(out, r.src[done:]...)
}
