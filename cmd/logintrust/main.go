// Logintrust is the command line of the library.
//
// logintrust explain says of a login how it meets each check, and who can mend what fails.
// logintrust replay judges logins that were written down, one JSON object a line, each with its own clock and keys.
// logintrust unseal opens written-down logins that were sealed for an administrator.
// logintrust keys makes, inspects and converts keys and certificates of service providers.
// logintrust idp starts an identity provider for trying things out, that writes like a product.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
)

// Exit statuses.
const (
	exitOK      = 0
	exitUnable  = 1 // something could not be done or judged
	exitUsage   = 2
	exitDiffers = 3 // an answer is not as the case expects
	exitRefused = 3 // the login that was explained is refused
)

const usage = `Usage: logintrust COMMAND [ARGUMENT...]

Commands:
  explain [FLAG...] [FILE]    say why a login is refused, and who can mend it
  replay [FLAG...] [FILE...]  judge written-down logins, one JSON object a line
  unseal -key FILE [FILE...]  open sealed cases
  keys COMMAND                make, inspect and convert keys and certificates
  idp [-personality NAME]     start an identity provider for trying things out
  help                        print this text

"logintrust COMMAND -h" says more about a command.
`

func main() {
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	if len(args) == 0 {
		fmt.Fprint(stderr, usage)
		return exitUsage
	}
	switch args[0] {
	case "explain":
		return runExplain(args[1:], stdin, stdout, stderr)
	case "unseal":
		return runUnseal(args[1:], stdin, stdout, stderr)
	case "replay":
		return runReplay(args[1:], stdin, stdout, stderr)
	case "keys":
		return runKeys(args[1:], stdin, stdout, stderr)
	case "idp":
		return runIdP(args[1:], stdin, stdout, stderr)
	case "help", "-h", "-help", "--help":
		fmt.Fprint(stdout, usage)
		return exitOK
	}
	fmt.Fprintf(stderr, "logintrust: there is no command %q; \"logintrust help\" lists them.\n", args[0])
	return exitUsage
}

// choices lists words in a sentence: "a, b and c".
func choices[T ~string](words []T) string {
	var b strings.Builder
	for i, word := range words {
		switch {
		case i == 0:
		case i == len(words)-1:
			b.WriteString(" and ")
		default:
			b.WriteString(", ")
		}
		b.WriteString(string(word))
	}
	return b.String()
}

// parse reads flags wherever they stand among the arguments, and returns the other arguments.
func parse(flags *flag.FlagSet, args []string) (rest []string, err error) {
	for len(args) > 0 {
		if err := flags.Parse(args); err != nil {
			return nil, err
		}
		left := flags.Args()
		if ended := len(left) < len(args) && args[len(args)-len(left)-1] == "--"; ended || len(left) == 0 {
			return append(rest, left...), nil
		}
		rest, args = append(rest, left[0]), left[1:]
	}
	return rest, nil
}
