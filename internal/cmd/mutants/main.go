// Mutants says which checks of the library are needed, by taking them away one at a time: each mutant is the library with one
// check turned off, or turned round. It must be caught: by an attack of samltest or a vector of testdata/vectors, or else by
// another test.
//
//	go run ./internal/cmd/mutants [-v] [-only REGEXP] [-share 2/6] [-files REGEXP]
//
// It fails if a mutant survives that equivalent.txt does not name, and if that names one that is caught or no more there. See
// docs/mutants.md.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"regexp"
	"sync"
)

// incoming are the files whose checks are meant: what a message from outside goes through, and what it may bring about. The
// others make requests, pages and keys, or read what an administrator writes.
const incoming = `^(internal/(binding|outbound)/\w+|internal/wire/(artifact|assertion|attribute|decoder|keyinfo|logout|managenameid|metadata|paos|response|soap|time)|` +
	`internal/xmlsec/(algorithms|base64|blockcipher|c14n|chars|decrypt|detached|element|keytransport|reader|record|signature|table|tag|xmldecl)|` +
	`artifact|askedrules|ended|http|issuer|logintrust|logout|logoutsoap|mapping|mappingrules|metadatain|metadatakeys|nameidchange|paos|` +
	`password|pending|proposal|relaystate|rules|sp|translation)\.go$`

type options struct {
	files, only *regexp.Regexp
	share, of   int // of every so many mutants this one
	verbose     bool
}

func main() {
	o := options{of: 1}
	files := flag.String("files", incoming, "make mutants of the files that match `REGEXP`; other than the usual ones are reported only")
	only := flag.String("only", "", "try only mutants whose names match `REGEXP`")
	share := flag.String("share", "0/1", "try only every `N`th mutant, from the Kth on: K/N")
	flag.BoolVar(&o.verbose, "v", false, "print what became of each mutant")
	flag.Parse()
	var err error
	if o.files, err = regexp.Compile(*files); err == nil {
		o.only, err = regexp.Compile(*only)
	}
	if err == nil {
		if _, err = fmt.Sscanf(*share, "%d/%d", &o.share, &o.of); err == nil && o.of < 1 {
			err = errors.New("-share of nothing")
		}
	}
	if err == nil {
		err = run(".", o, os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1)
	}
}

// run makes the mutants of the library in the directory root, and tries those that are chosen.
func run(root string, o options, out io.Writer) error {
	work, err := os.MkdirTemp("", "mutants-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(work) }()
	overlay, all, err := mutate(root, work, o.files)
	if err != nil {
		return err
	}
	known, err := readEquivalents()
	if err != nil {
		return err
	}
	suites := suitesIn(work)
	if err := atOnce(suites, func(s *suite) error { return s.build(root, overlay) }); err != nil {
		return err
	}
	r := newReach()
	if err := atOnce(suites, func(s *suite) error { return r.trace(root, s) }); err != nil {
		return err
	}
	var chosen []mutation
	for i, m := range all {
		if o.only.MatchString(m.name) && i%o.of == o.share%o.of {
			chosen = append(chosen, m)
		}
	}
	report := newReport(out, known, o.verbose)
	var lock sync.Mutex
	if err := atOnce(chosen, func(m mutation) error {
		_, expected := known[m.name]
		f := r.try(root, m, suites, expected)
		lock.Lock()
		defer lock.Unlock()
		report.add(f)
		return nil
	}); err != nil {
		return err
	}
	if o.files.String() == incoming {
		report.missing(all)
	}
	return report.close(len(all))
}

// atOnce does something with each of a list, two at a time, and returns the first error.
func atOnce[T any](list []T, do func(T) error) error {
	queue := make(chan T)
	failures := make(chan error, len(list))
	var group sync.WaitGroup
	for range 2 {
		group.Go(func() {
			for x := range queue {
				failures <- do(x)
			}
		})
	}
	for _, x := range list {
		queue <- x
	}
	close(queue)
	group.Wait()
	close(failures)
	for err := range failures {
		if err != nil {
			return err
		}
	}
	return nil
}
