// Results prints what go test prints, from what go test -json writes on standard input, and fails if a test failed or
// was skipped, or if fewer passed than its first argument says. A file admits skipped tests by name, one "package test" a
// line; one of them that was not skipped fails too, so that the list stays what it is.
//
//	go test -json ./... | go run .ci/results.go [LEAST [FILE]]
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
)

// An event is a line of go test -json.
type event struct{ Action, Package, Test, Output string }

// events calls f for each event.
func events(in io.Reader, f func(event)) error {
	d := json.NewDecoder(in)
	for {
		var e event
		if err := d.Decode(&e); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("reading what go test -json writes: %w", err)
		}
		f(e)
	}
}

func main() {
	least := 0
	if len(os.Args) > 1 {
		least, _ = strconv.Atoi(os.Args[1])
	}
	admitted := map[string]bool{}
	if len(os.Args) > 2 {
		list, err := os.ReadFile(os.Args[2])
		if err != nil {
			fmt.Fprintln(os.Stderr, "results:", err)
			os.Exit(1)
		}
		for line := range strings.Lines(string(list)) {
			if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
				admitted[line] = true
			}
		}
	}
	if err := printResults(os.Stdin, os.Stdout, least, admitted); err != nil {
		fmt.Fprintln(os.Stderr, "results:", err)
		os.Exit(1)
	}
}

// printResults prints each package's line and all that failed and skipped tests wrote.
func printResults(in io.Reader, out io.Writer, least int, admitted map[string]bool) error {
	type test struct{ pkg, name string }
	wrote := map[test]*strings.Builder{}
	failed, skipped, passed := 0, 0, 0
	err := events(in, func(e event) {
		t := test{e.Package, e.Test}
		switch e.Action {
		case "output", "build-output":
			switch {
			case strings.HasPrefix(e.Output, "=== "), e.Test == "" && e.Output == "PASS\n":
			case e.Test == "":
				fmt.Fprint(out, e.Output)
			default:
				if wrote[t] == nil {
					wrote[t] = new(strings.Builder)
				}
				wrote[t].WriteString(e.Output)
			}
			return
		case "fail", "build-fail":
			failed++
		case "skip":
			name := e.Package + " " + e.Test
			switch {
			case e.Test == "": // a package is skipped when it has no tests
			case admitted[name]:
				delete(admitted, name)
				delete(wrote, t)
			default:
				skipped++
			}
		case "pass":
			if e.Test != "" {
				passed++
			}
		}
		if b := wrote[t]; b != nil && (e.Action == "fail" || e.Action == "skip") {
			fmt.Fprint(out, b.String())
		}
		if e.Action != "run" && e.Action != "pause" && e.Action != "cont" {
			delete(wrote, t)
		}
	})
	for t, b := range wrote { // no verdict: the process died in it
		fmt.Fprintf(out, "%s %s:\n%s", t.pkg, t.name, b)
	}
	fmt.Fprintf(out, "%d tests passed, %d were skipped\n", passed, skipped)
	switch {
	case err != nil:
		return err
	case failed > 0:
		return fmt.Errorf("%d tests and packages failed", failed)
	case skipped > 0:
		return fmt.Errorf("%d tests were skipped, and here a skip is a failure", skipped)
	case len(admitted) > 0:
		return fmt.Errorf("not skipped, although they are listed: %s", strings.Join(slices.Sorted(maps.Keys(admitted)), ", "))
	case passed < least:
		return fmt.Errorf("%d tests passed, where %d is the least", passed, least)
	}
	return nil
}
