package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/logintrust/saml/internal/mutant"
)

// A probe is a test that a mutant makes a difference to, which therefore may catch it.
type probe struct {
	suite  *suite
	test   string
	attack bool
}

// A reach says which probes there are for each mutant, and how long each takes.
type reach struct {
	lock   sync.Mutex
	probes map[int][]probe
	takes  map[probe]time.Duration
}

func newReach() *reach { return &reach{probes: map[int][]probe{}, takes: map[probe]time.Duration{}} }

// trace runs the tests of a suite once, with no mutant on, and notes what each of them would notice. Examples are left out,
// whose output is their own.
func (r *reach) trace(root string, s *suite) error {
	attacks := "^(" + s.attack + ")$"
	if s.attack != "" {
		if err := r.traceSome(root, s, attacks, "^$", true); err != nil {
			return err
		}
	}
	return r.traceSome(root, s, "^(Test|Fuzz)", "^("+s.attack+"|"+s.skip+")$", false)
}

func (r *reach) traceSome(root string, s *suite, run, skip string, attacks bool) error {
	command := s.command(root, "-test.v", "-test.parallel=1", "-test.timeout=10m", "-test.run="+run, "-test.skip="+skip)
	command.Env = append(command.Env, mutant.Trace+"=1")
	out, err := command.StdoutPipe()
	if err != nil {
		return err
	}
	var complaint strings.Builder
	command.Stderr = &complaint
	if err := command.Start(); err != nil {
		return err
	}
	failed := r.read(out, s, attacks)
	err = command.Wait()
	if len(failed) > 0 {
		return fmt.Errorf("%s fails with no mutant on: %s", s.dir, strings.Join(failed, ", "))
	}
	if err != nil {
		return fmt.Errorf("%s: %w\n%.2000s", s.dir, err, complaint.String())
	}
	return nil
}

// command runs a suite where its test data is. No other program is found, so that tests against those skip themselves.
func (s *suite) command(root string, args ...string) *exec.Cmd {
	run := exec.Command(s.binary, args...)
	run.Dir = filepath.Join(root, s.dir)
	run.Env = append(slices.DeleteFunc(os.Environ(), func(v string) bool {
		return strings.HasPrefix(v, "PATH=") || strings.HasPrefix(v, "SAML_") || strings.HasPrefix(v, "GODEBUG=")
	}), "PATH=/nonexistent")
	return run
}

var verdict = regexp.MustCompile(`^ *--- (PASS|FAIL|SKIP): (\S+) \(([0-9.]+)s\)`)

// read takes what a traced suite writes.
func (r *reach) read(out io.Reader, s *suite, attacks bool) (failed []string) {
	var current probe
	seen := map[int]probe{}
	in := bufio.NewReaderSize(out, 1<<20)
	for {
		line, err := in.ReadString('\n')
		line = strings.TrimSuffix(line, "\n")
		if before, number, found := strings.Cut(line, "\x01"); found {
			if n, err := strconv.Atoi(number); err == nil && current.test != "" && seen[n] != current {
				seen[n] = current
				r.note(n, current)
			}
			line = before
		}
		if name, is := strings.CutPrefix(line, "=== "); is {
			_, name, _ = strings.Cut(name, " ")
			current = probe{s, strings.TrimSpace(name), attacks}
			if !attacks {
				current.test, _, _ = strings.Cut(current.test, "/")
			}
		}
		if m := verdict.FindStringSubmatch(line); m != nil {
			seconds, _ := strconv.ParseFloat(m[3], 64)
			r.lock.Lock()
			r.takes[probe{s, m[2], attacks}] = time.Duration(seconds * float64(time.Second))
			r.lock.Unlock()
			if m[1] == "FAIL" {
				failed = append(failed, m[2])
			}
		}
		if err != nil {
			return failed
		}
	}
}

func (r *reach) note(n int, p probe) {
	r.lock.Lock()
	defer r.lock.Unlock()
	if !slices.Contains(r.probes[n], p) {
		r.probes[n] = append(r.probes[n], p)
	}
}
