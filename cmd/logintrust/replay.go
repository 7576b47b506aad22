package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/logintrust/saml"
	"github.com/logintrust/saml/internal/replay"
)

const replayUsage = `Usage: logintrust replay [-check] [-key FILE] [FILE...]

Reads logins that were written down, one JSON object a line, from the files or from standard input ("-"), and answers
each with one line of JSON on standard output, in order and at once.

Exit status: 0 all could be judged; 1 one or more could not, or a file; 2 wrong usage; 3 with -check, an answer is not as expected.

  -check      compare each answer with what its case expects, and print a summary on standard error
  -key FILE   the private key for sealed cases
`

func runReplay(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("replay", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	check := flags.Bool("check", false, "")
	key := flags.String("key", "", "")
	names, err := parse(flags, args)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(stdout, replayUsage)
		return exitOK
	}
	if err != nil {
		fmt.Fprintf(stderr, "logintrust replay: %v; \"logintrust replay -h\" explains.\n", err)
		return exitUsage
	}
	inputs, closeAll, err := open(names, stdin)
	if err != nil {
		fmt.Fprintf(stderr, "logintrust replay: %v.\n", err)
		return exitUnable
	}
	defer closeAll()

	t := tally{check: *check, stdout: stdout, stderr: stderr}
	for _, in := range inputs {
		if err := replay.Stream(in, opener(*key), t.take); err != nil {
			fmt.Fprintf(stderr, "logintrust replay: %v.\n", err)
			return exitUnable
		}
	}
	return t.finish()
}

// opener opens sealed cases with the key in a file, and leaves others as they are.
func opener(key string) func(line []byte) ([]byte, error) {
	return func(line []byte) ([]byte, error) {
		if !saml.IsSealedCase(line) {
			return line, nil
		}
		return unseal(line, key)
	}
}

// open opens all inputs before the first is read, so that nothing is judged if a name is mistyped.
func open(names []string, stdin io.Reader) (inputs []io.Reader, closeAll func(), err error) {
	if len(names) == 0 {
		names = []string{"-"}
	}
	var files []*os.File
	closeAll = func() {
		for _, f := range files {
			_ = f.Close() // only read from
		}
	}
	for _, name := range names {
		if name == "-" {
			inputs = append(inputs, stdin)
			continue
		}
		f, err := os.Open(name)
		if err != nil {
			closeAll()
			return nil, nil, err
		}
		files, inputs = append(files, f), append(inputs, f)
	}
	return inputs, closeAll, nil
}

// A tally writes the answers and counts them.
type tally struct {
	check          bool
	stdout, stderr io.Writer

	cases, unjudged, differ int
}

func (t *tally) take(line []byte, a replay.Answer) error {
	t.cases++
	if err := a.Write(t.stdout); err != nil {
		return err
	}
	if a.Verdict == replay.Error || a.Verdict == replay.Unsupported {
		t.unjudged++
		t.note("%s: %s: %s", a.Name, a.Verdict, a.Detail)
		return nil
	}
	if !t.check {
		return nil
	}
	if differences := a.Differences(line); len(differences) > 0 {
		t.differ++
		t.note("%s: %s (%s)", a.Name, strings.Join(differences, "; "), a.Detail)
	}
	return nil
}

// note writes a line for who compares.
func (t *tally) note(format string, args ...any) {
	if t.check {
		fmt.Fprintf(t.stderr, format+"\n", args...)
	}
}

func (t *tally) finish() int {
	t.note("%d cases: %d as expected, %d not, %d that could not be judged", t.cases, t.cases-t.differ-t.unjudged, t.differ, t.unjudged)
	switch {
	case t.unjudged > 0:
		return exitUnable
	case t.differ > 0:
		return exitDiffers
	}
	return exitOK
}
