package main

import (
	"context"
	"errors"
	"os/exec"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/logintrust/saml/internal/mutant"
)

// A fate is what became of a mutant.
type fate struct {
	mutation
	caught catcher
	by     string // the test, for one that was caught
	how    string // what the test said
}

// A catcher says which line of defence caught a mutant.
type catcher int

const (
	nobody catcher = iota
	unitTest
	attack
)

func (c catcher) String() string { return [...]string{"survived", "unit test", "attack"}[c] }

const (
	patience = time.Minute // for what runs for ever
	longTest = time.Second // run only for a mutant that would survive otherwise
	enough   = 48          // tests of a suite for one mutant, where all of a suite come by it
	perRun   = 24          // tests that are run at a time, since the first ones catch most mutants
)

// try turns one mutant on and runs the probes that may catch it: the attacks, and if none does, the other tests; those that
// take long come last, and not for a mutant that nothing is known to catch.
func (r *reach) try(root string, m mutation, list []*suite, known bool) fate {
	f := r.trySome(root, m, list, true, func(probe) bool { return true })
	if f.caught == nobody {
		f = r.trySome(root, m, list, false, func(p probe) bool { return r.takes[p] < longTest })
	}
	if f.caught == nobody && !known {
		f = r.trySome(root, m, list, false, func(p probe) bool { return r.takes[p] >= longTest })
	}
	return f
}

// trySome runs the attacks, or the other tests, that are wanted of each suite until one fails.
func (r *reach) trySome(root string, m mutation, list []*suite, attacks bool, wanted func(probe) bool) fate {
	f := fate{mutation: m}
	for _, s := range ownFirst(list, m) {
		var tests []string
		for _, p := range r.probes[m.number] {
			if p.suite == s && p.attack == attacks && wanted(p) {
				tests = append(tests, p.test)
			}
		}
		slices.SortStableFunc(tests, func(a, b string) int { return int(r.takes[probe{s, a, attacks}] - r.takes[probe{s, b, attacks}]) })
		if attacks || s.dir != path.Dir(m.file) {
			tests = some(tests)
		}
		for _, portion := range portions(tests) {
			if by, how, failed := s.run(root, m, portion); failed {
				f.caught, f.by, f.how = unitTest, by, how
				if attacks {
					f.caught = attack
				}
				return f
			}
		}
	}
	return f
}

// ownFirst puts the tests of the mutant's own package in front.
func ownFirst(list []*suite, m mutation) []*suite {
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b *suite) int {
		own := func(s *suite) int {
			if s.dir == path.Dir(m.file) {
				return 0
			}
			return 1
		}
		return own(a) - own(b)
	})
	return list
}

// some are at most as many tests as are run where many would notice a mutant, from all over the list.
func some(tests []string) (list []string) {
	if len(tests) <= enough {
		return tests
	}
	for i := range enough {
		list = append(list, tests[i*len(tests)/enough])
	}
	return list
}

// portions splits tests into runs: subtests of one test, or tests without.
func portions(tests []string) (all [][]string) {
	var names []string
	under := map[string][]string{}
	for _, test := range tests {
		top, _, found := strings.Cut(test, "/")
		if !found {
			top = ""
		}
		if under[top] == nil {
			names = append(names, top)
		}
		under[top] = append(under[top], test)
	}
	for _, top := range names {
		all = slices.AppendSeq(all, slices.Chunk(under[top], perRun))
	}
	return all
}

var failure = regexp.MustCompile(`(?m)^ *--- FAIL: (\S+)`)

// run runs some tests of a suite with a mutant on, and says which fails first, and how.
func (s *suite) run(root string, m mutation, tests []string) (by, how string, failed bool) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	command := s.command(root, "-test.run="+pattern(tests), "-test.failfast", "-test.timeout="+(patience-5*time.Second).String())
	run := exec.CommandContext(ctx, command.Path, command.Args[1:]...)
	run.Dir, run.Env = command.Dir, append(command.Env, mutant.Active+"="+strconv.Itoa(m.number))
	out, err := run.CombinedOutput()
	if err == nil {
		return "", "", false
	}
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return "", err.Error(), true
	}
	return told(string(out), tests)
}

// told reads which test failed: the innermost one.
func told(out string, tests []string) (by, how string, failed bool) {
	by = tests[0]
	if all := failure.FindAllStringSubmatch(out, -1); len(all) > 0 {
		by = slices.MaxFunc(all, func(a, b []string) int { return strings.Count(a[1], "/") - strings.Count(b[1], "/") })[1]
	}
	for line := range strings.Lines(out) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "panic:") || strings.Contains(line, "accepted (") || strings.Contains(line, "refused for the wrong reason") ||
			strings.Contains(line, "honest") || strings.HasPrefix(line, "Error:") || strings.Contains(line, "expected:") || strings.Contains(line, "actual") {
			return by, line, true
		}
	}
	return by, "", true
}

// pattern matches these tests, and perhaps a few more of their neighbours.
func pattern(tests []string) string {
	var levels [][]string
	for _, test := range tests {
		for i, part := range strings.Split(test, "/") {
			if i == len(levels) {
				levels = append(levels, nil)
			}
			if q := regexp.QuoteMeta(part); !slices.Contains(levels[i], q) {
				levels[i] = append(levels[i], q)
			}
		}
	}
	var parts []string
	for _, l := range levels {
		parts = append(parts, "^("+strings.Join(l, "|")+")$")
	}
	return strings.Join(parts, "/")
}
