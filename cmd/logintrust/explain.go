package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/logintrust/saml"
	"github.com/logintrust/saml/internal/replay"
)

const explainUsage = `Usage: logintrust explain [FLAG...] [FILE]

Says of a login how it meets each check, what was found and wanted, who can mend it and how. FILE, or standard input, is a
Response as XML, as base64 or as the body of a form; a browser's HTTP archive (HAR); or cases, one JSON object a line, sealed
ones included. What is not given is taken from the message itself, and said on standard error. A case has its own trust,
names, request and clock: flags for these do not count then.

Exit status: 0 accepted; 1 unreadable; 2 wrong usage; 3 refused.

  -trust FILE            the login trust, as JSON
  -metadata FILE         or the identity provider's metadata; -idp ID picks one of several
  -entity-id ID          our entity ID
  -acs URL               our assertion consumer service
  -request ID            the request that waits; "none" if none does
  -now TIME              the clock, as RFC 3339; now, or the time in the archive, if it is not given
  -skew DURATION         the tolerance for clocks that differ, 3m if it is not given
  -decryption-key FILE   our private key for what is encrypted
  -key FILE              the private key for sealed cases
  -personal              show names and values of the user too
  -json                  write reports as JSON, one a line
`

// An explainer holds what the flags say.
type explainer struct {
	trust, metadata, decryptionKey, key string // files
	skew                                time.Duration
	assume                              replay.Assumptions
	show                                saml.ExplainOptions
	asJSON                              bool

	stdout, stderr io.Writer
	given          []string // the flags
	refused        bool
}

func runExplain(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	x := explainer{stdout: stdout, stderr: stderr}
	flags := flag.NewFlagSet("explain", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&x.trust, "trust", "", "")
	flags.StringVar(&x.metadata, "metadata", "", "")
	flags.StringVar(&x.assume.IdPEntityID, "idp", "", "")
	flags.StringVar(&x.assume.EntityID, "entity-id", "", "")
	flags.StringVar(&x.assume.ACSURL, "acs", "", "")
	flags.StringVar(&x.assume.RequestID, "request", "", "")
	flags.StringVar(&x.assume.Now, "now", "", "")
	flags.DurationVar(&x.skew, "skew", 3*time.Minute, "")
	flags.StringVar(&x.decryptionKey, "decryption-key", "", "")
	flags.StringVar(&x.key, "key", "", "")
	flags.BoolVar(&x.show.Personal, "personal", false, "")
	flags.BoolVar(&x.asJSON, "json", false, "")
	names, err := parse(flags, args)
	flags.Visit(func(f *flag.Flag) { x.given = append(x.given, f.Name) })
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(stdout, explainUsage)
		return exitOK
	case err == nil && len(names) > 1:
		err = errors.New("one file at a time")
	case err == nil && x.trust != "" && x.metadata != "":
		err = errors.New("-trust or -metadata, not both")
	}
	if err != nil {
		fmt.Fprintf(stderr, "logintrust explain: %v; \"logintrust explain -h\" explains.\n", err)
		return exitUsage
	}
	if err := x.run(append(names, "-")[0], stdin); err != nil {
		fmt.Fprintf(stderr, "logintrust explain: %v.\n", err)
		return exitUnable
	}
	if x.refused {
		return exitRefused
	}
	return exitOK
}

func (x *explainer) run(name string, stdin io.Reader) error {
	input, err := readAll(name, stdin)
	if err != nil {
		return err
	}
	if lines, ok := caseLines(input); ok {
		x.sayIgnored()
		if x.decryptionKey != "" {
			text, err := os.ReadFile(x.decryptionKey)
			if err != nil {
				return err
			}
			x.assume.DecryptionKeyPEM = string(text)
		}
		for _, line := range lines {
			if err := x.explainCase(line); err != nil {
				return err
			}
		}
		return nil
	}
	if err := x.readFiles(); err != nil {
		return err
	}
	captures, err := replay.Captures(input)
	if err != nil {
		return err
	}
	explained := false
	for _, c := range captures {
		if err = x.explainCapture(c); err == nil {
			explained = true
		} else if len(captures) > 1 { // an archive may hold what is no Response
			fmt.Fprintf(x.stderr, "left out: %v\n", err)
		}
	}
	if explained {
		return nil
	}
	return err
}

// sayIgnored names the flags that say what a case says itself.
func (x *explainer) sayIgnored() {
	for _, name := range x.given {
		if slices.Contains([]string{"trust", "metadata", "idp", "entity-id", "acs", "request", "now", "skew"}, name) {
			fmt.Fprintf(x.stderr, "ignored: -%s, since a case has its own\n", name)
		}
	}
}

// readAll reads the whole input, which is one message or a few.
func readAll(name string, stdin io.Reader) ([]byte, error) {
	if name == "-" {
		return io.ReadAll(stdin)
	}
	return os.ReadFile(name)
}

// caseLines splits cases, of which each is one line, from anything else that is JSON.
func caseLines(input []byte) (lines [][]byte, ok bool) {
	var one bytes.Buffer
	if json.Compact(&one, input) == nil { // a single object, however it is laid out
		input = one.Bytes()
	}
	for line := range bytes.Lines(input) {
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		var c struct {
			SAMLResponse *string `json:"samlResponse"`
			Kind         *string `json:"kind"`
		}
		if !saml.IsSealedCase(line) && (json.Unmarshal(line, &c) != nil || c.SAMLResponse == nil && c.Kind == nil) {
			return nil, false
		}
		lines = append(lines, line)
	}
	return lines, len(lines) > 0
}

// readFiles reads what the flags name.
func (x *explainer) readFiles() error {
	if x.trust != "" {
		text, err := os.ReadFile(x.trust)
		if err != nil {
			return err
		}
		if startsWith(text, "<") {
			return fmt.Errorf("-trust %s: this is XML, and a login trust is JSON: metadata goes to -metadata", x.trust)
		}
		if err := json.Unmarshal(text, &x.assume.Trust); err != nil {
			return fmt.Errorf("%s: %w", x.trust, err)
		}
	}
	for _, file := range []struct {
		name string
		text *string
	}{{x.metadata, &x.assume.Metadata}, {x.decryptionKey, &x.assume.DecryptionKeyPEM}} {
		if file.name == "" {
			continue
		}
		text, err := os.ReadFile(file.name)
		if err != nil {
			return err
		}
		if file.text == &x.assume.Metadata && startsWith(text, "{") {
			return fmt.Errorf("-metadata %s: this is JSON, and metadata is XML: a login trust goes to -trust", file.name)
		}
		*file.text = string(text)
	}
	seconds := x.skew.Seconds()
	x.assume.ClockSkewSeconds = &seconds
	return nil
}

// startsWith tells what is in a file, which may begin with a byte order mark and white space.
func startsWith(text []byte, first string) bool {
	return bytes.HasPrefix(bytes.TrimSpace(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))), []byte(first))
}

func (x *explainer) explainCapture(c replay.Capture) error {
	assume := x.assume
	if assume.Now == "" && c.Time == "" {
		assume.Now = time.Now().UTC().Format(time.RFC3339Nano)
	}
	line, assumed, err := c.Case(assume)
	if err != nil {
		return err
	}
	for _, a := range assumed {
		fmt.Fprintf(x.stderr, "assumed: %s\n", a)
	}
	return x.explainCase(line)
}

func (x *explainer) explainCase(line []byte) error {
	if saml.IsSealedCase(line) {
		var err error
		if line, err = unseal(line, x.key); err != nil {
			return err
		}
	}
	report, err := replay.Explain(line, x.assume.DecryptionKeyPEM, x.show)
	if err != nil {
		return err
	}
	x.refused = x.refused || !report.Accepted
	if !x.asJSON {
		_, err = io.WriteString(x.stdout, report.String())
		return err
	}
	text, err := json.Marshal(report)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(x.stdout, "%s\n", text)
	return err
}

// unseal opens a sealed case with the key in a file.
func unseal(line []byte, file string) ([]byte, error) {
	if file == "" {
		return nil, errors.New("the case is sealed: -key names the file of the private key")
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	key, err := parseCaseKey(string(text))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	plain, err := saml.OpenCase(line, key)
	if err != nil {
		return nil, errors.New(strings.TrimPrefix(err.Error(), "saml: "))
	}
	return plain, nil
}
