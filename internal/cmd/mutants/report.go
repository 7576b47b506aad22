package main

import (
	_ "embed"
	"fmt"
	"io"
	"slices"
	"strings"
)

//go:embed equivalent.txt
var equivalentText string

// readEquivalents reads the names of mutants that nobody can catch, each with the reason above it.
func readEquivalents() (reasons map[string]string, err error) {
	reasons = map[string]string{}
	reason := ""
	for line := range strings.Lines(equivalentText) {
		line = strings.TrimSpace(line)
		switch {
		case line == "", strings.HasPrefix(line, "#"):
		case strings.HasPrefix(line, "= "):
			reason = line[2:]
		case reason == "":
			return nil, fmt.Errorf("equivalent.txt: no reason for %s", line)
		case reasons[line] != "":
			return nil, fmt.Errorf("equivalent.txt: twice: %s", line)
		default:
			reasons[line] = reason
		}
	}
	return reasons, nil
}

// A report tells what became of the mutants.
type report struct {
	out     io.Writer
	known   map[string]string
	verbose bool

	count    map[catcher]int
	listed   int
	problems []string
}

func newReport(out io.Writer, known map[string]string, verbose bool) *report {
	return &report{out: out, known: known, verbose: verbose, count: map[catcher]int{}}
}

func (r *report) add(f fate) {
	m := f.mutation
	where := fmt.Sprintf("%s (line %d)", m.name, m.line)
	_, listed := r.known[m.name]
	switch {
	case f.caught == nobody && listed:
		r.listed++
	case f.caught == nobody:
		r.problems = append(r.problems, "survived: "+where)
	case listed:
		r.problems = append(r.problems, "equivalent.txt names it, but "+f.by+" catches it: "+where)
	}
	if f.caught != nobody || !listed {
		r.count[f.caught]++
	}
	if r.verbose {
		fmt.Fprintf(r.out, "%s\t%s\t%s\t%s\n", f.caught, where, f.by, f.how)
	}
}

// missing complains about names that are no mutant's any more.
func (r *report) missing(all []mutation) {
	there := map[string]bool{}
	for _, m := range all {
		there[m.name] = true
	}
	for name := range r.known {
		if !there[name] {
			r.problems = append(r.problems, "equivalent.txt names what is not there: "+name)
		}
	}
}

// close sums up.
func (r *report) close(all int) error {
	slices.Sort(r.problems)
	for _, p := range r.problems {
		fmt.Fprintln(r.out, p)
	}
	tried := r.count[attack] + r.count[unitTest] + r.count[nobody] + r.listed
	fmt.Fprintf(r.out, "%d of %d mutants: %d caught by an attack or a vector, %d by another test only, %d equivalent, %d survived\n",
		tried, all, r.count[attack], r.count[unitTest], r.listed, r.count[nobody])
	if len(r.problems) > 0 {
		return fmt.Errorf("%d problems", len(r.problems))
	}
	return nil
}
