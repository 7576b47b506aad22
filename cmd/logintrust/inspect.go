package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/logintrust/saml"
)

const inspectUsage = `Usage: logintrust keys inspect [FILE...]

Says of each file, or of standard input, what it holds: a certificate, a public key or a private key, PEM or base64 as
metadata has it, or several in PEM. Type and size, the SHA-256 of the public key, the certificate's dates, and warnings. Nothing of a
private key is shown but its public half.
`

// soon is how long before its end a certificate is worth a warning.
const soon = 90 * 24 * time.Hour

func inspect(args []string, stdin io.Reader, stdout io.Writer) error {
	names, done, err := flagsFor(flag.NewFlagSet("inspect", flag.ContinueOnError), inspectUsage, args, stdout)
	if err != nil || done {
		return err
	}
	if len(names) == 0 {
		names = []string{"-"}
	}
	now := time.Now()
	for i, name := range names {
		text, err := readText(name, stdin)
		if err != nil {
			return err
		}
		if len(names) > 1 {
			if i > 0 {
				fmt.Fprintln(stdout)
			}
			fmt.Fprintf(stdout, "%s:\n", name)
		}
		for j, part := range parts(text) {
			if j > 0 {
				fmt.Fprintln(stdout)
			}
			if err := inspectOne(stdout, part, now); err != nil {
				if len(names) > 1 {
					return fmt.Errorf("%s: %w", name, trimmed(err))
				}
				return err
			}
		}
	}
	return nil
}

func trimmed(err error) error { return errors.New(strings.TrimPrefix(err.Error(), "saml: ")) }

// parts are the PEM blocks of a text, without EC PARAMETERS; a text without markers is one part.
func parts(text string) (list []string) {
	rest := text
	for {
		end := strings.Index(rest, "-----END ")
		if end < 0 {
			break
		}
		line := strings.Index(rest[end+9:], "-----")
		if line < 0 {
			break
		}
		end += 9 + line + 5
		if part := rest[:end]; !strings.Contains(part, "BEGIN EC PARAMETERS") {
			list = append(list, part)
		}
		rest = rest[end:]
	}
	if strings.TrimSpace(rest) != "" || len(list) == 0 {
		list = append(list, rest)
	}
	return list
}

func inspectOne(w io.Writer, text string, now time.Time) error {
	key, err := saml.ParsePublicKey(text)
	if err == nil {
		return describe(w, key, now)
	}
	private, privateErr := saml.PublicFromPrivate(text)
	switch {
	case privateErr == nil:
		if _, err := fmt.Fprintln(w, "private key, of which this is the public half"); err != nil {
			return err
		}
		return describe(w, private, now)
	case strings.Contains(strings.ToUpper(text), "PRIVATE KEY"):
		return privateErr
	}
	return err
}

// describe says what a public key is.
func describe(w io.Writer, key saml.PublicKey, now time.Time) error {
	var b strings.Builder
	line := func(name, value string) { fmt.Fprintf(&b, "%-20s%s\n", name, value) }
	line("key", key.Kind())
	line("SHA-256 of the key", key.SHA256())
	if sum := key.CertificateSHA256(); sum != "" {
		line("certificate", key.CertificateSubject())
		line("serial number", key.CertificateSerial())
		line("SHA-256 of it", sum)
		if from, to := key.CertificateDates(); !to.IsZero() {
			line("valid from", from.UTC().Format(time.RFC3339))
			line("valid until", to.UTC().Format(time.RFC3339))
		}
	}
	for _, warning := range key.Warnings(now, soon) {
		line("warning", warning.Text)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
