package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// packages are where mutants are made: all that a message from outside goes through.
var packages = []string{".", "internal/binding", "internal/outbound", "internal/wire", "internal/xmlsec"}

// A suite is the test binary of one package, with the mutants inside.
type suite struct {
	dir    string
	attack string // the tests that are attacks or vectors; "" for none
	skip   string // tests that are left out; "" for none
	binary string
}

// suitesIn are what is run, the attacks first. Their binaries are in the directory work.
func suitesIn(work string) []*suite {
	list := []*suite{
		{dir: "samltest", attack: "TestAttacks|TestAttacksIdPInitiated|TestCheckReasons"},
		{dir: "internal/replay", attack: "TestVectors"},
		{dir: ".", attack: "TestLogoutAttacks", skip: `Test\w*RuleIsNeeded`}, // which are such tests themselves
	}
	for _, dir := range packages[1:] {
		list = append(list, &suite{dir: dir, skip: "TestOracle.*"}) // these need other programs
	}
	for _, s := range list {
		s.binary = filepath.Join(work, strings.NewReplacer("/", "_", ".", "root").Replace(s.dir)+".test")
	}
	return list
}

// mutate writes rewritten sources of the files that match, and the overlay that puts them in the place of the real ones.
func mutate(root, work string, match *regexp.Regexp) (overlay string, mutants []mutation, err error) {
	if root, err = filepath.Abs(root); err != nil {
		return "", nil, err
	}
	replace := map[string]string{}
	for _, dir := range packages {
		files, err := filepath.Glob(filepath.Join(root, dir, "*.go"))
		if err != nil {
			return "", nil, err
		}
		for _, file := range files {
			name := filepath.ToSlash(filepath.Join(dir, filepath.Base(file)))
			if strings.HasSuffix(name, "_test.go") || !match.MatchString(name) {
				continue
			}
			src, err := os.ReadFile(file)
			if err != nil {
				return "", nil, err
			}
			out, found, err := rewrite(name, src, len(mutants))
			if err != nil {
				return "", nil, err
			}
			if len(found) == 0 {
				continue
			}
			mutants = append(mutants, found...)
			to := filepath.Join(work, strings.ReplaceAll(name, "/", "_"))
			if err := os.WriteFile(to, out, 0o600); err != nil {
				return "", nil, err
			}
			replace[file] = to
		}
	}
	text, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", nil, err
	}
	overlay = filepath.Join(work, "overlay.json")
	return overlay, mutants, os.WriteFile(overlay, text, 0o600)
}

// build compiles a suite once, for all mutants.
func (s *suite) build(root, overlay string) error {
	build := exec.Command("go", "test", "-c", "-overlay", overlay, "-o", s.binary, "./"+s.dir)
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", s.dir, err, out)
	}
	return nil
}
