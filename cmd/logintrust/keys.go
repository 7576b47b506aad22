package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
)

const keysUsage = `Usage: logintrust keys COMMAND [ARGUMENT...]

Commands:
  generate   make a private key and a certificate for it
  inspect    say what keys and certificates are, never their private parts
  convert    write a key in another form

"logintrust keys COMMAND -h" says more about a command.

Exit status: 0 done; 1 it could not be done; 2 wrong usage.

A PKCS #12 file (.p12, .pfx) is taken apart with OpenSSL, which asks for its password:
  openssl pkcs12 -in FILE.p12 -nodes -out FILE.pem
`

// maxKeyFile bounds what is read of a key.
const maxKeyFile = 64 << 10

func runKeys(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	if len(args) == 0 {
		fmt.Fprint(stderr, keysUsage)
		return exitUsage
	}
	commands := map[string]func([]string, io.Reader, io.Writer) error{"generate": generate, "inspect": inspect, "convert": convert}
	command := commands[args[0]]
	switch {
	case command != nil:
	case args[0] == "help" || args[0] == "-h" || args[0] == "-help" || args[0] == "--help":
		fmt.Fprint(stdout, keysUsage)
		return exitOK
	default:
		fmt.Fprintf(stderr, "logintrust keys: there is no command %q; \"logintrust keys help\" lists them.\n", args[0])
		return exitUsage
	}
	err := command(args[1:], stdin, stdout)
	if err == nil {
		return exitOK
	}
	text := strings.TrimPrefix(err.Error(), "saml: ")
	if _, wrong := errors.AsType[usageError](err); wrong {
		fmt.Fprintf(stderr, "logintrust keys %s: %s; \"logintrust keys %s -h\" explains.\n", args[0], text, args[0])
		return exitUsage
	}
	fmt.Fprintf(stderr, "logintrust keys %s: %s.\n", args[0], text)
	return exitUnable
}

// A usageError is the user's fault.
type usageError string

func (e usageError) Error() string { return string(e) }

// flagsFor reads a command's flags; done says that its help was asked for, and printed.
func flagsFor(flags *flag.FlagSet, usage string, args []string, stdout io.Writer) (rest []string, done bool, err error) {
	flags.SetOutput(io.Discard)
	rest, err = parse(flags, args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		_, err = fmt.Fprint(stdout, usage)
		return nil, true, err
	case err != nil:
		return nil, false, usageError(err.Error())
	}
	return rest, false, nil
}

// readText reads a file, or standard input for "-" and for no name.
func readText(name string, stdin io.Reader) (string, error) {
	in := stdin
	if name != "-" && name != "" {
		f, err := os.Open(name)
		if err != nil {
			return "", err
		}
		defer f.Close() // only read from
		in = f
	}
	text, err := io.ReadAll(io.LimitReader(in, maxKeyFile+1))
	if err != nil {
		return "", err
	}
	if len(text) > maxKeyFile {
		return "", fmt.Errorf("more than %d octets, which is no key", maxKeyFile)
	}
	return string(text), nil
}

// isTerminal reports whether what is written there ends on a screen.
func isTerminal(w io.Writer) bool {
	f, ok := w.(interface{ Stat() (os.FileInfo, error) })
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// writeNew writes a file that must not be there yet.
func writeNew(name string, content []byte, mode os.FileMode) (err error) {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if errors.Is(err, os.ErrExist) {
		return fmt.Errorf("%s is there already, and is not overwritten", name)
	}
	if err != nil {
		return err
	}
	defer func() {
		err = errors.Join(err, f.Close())
		if err != nil {
			_ = os.Remove(name) // half a key is worse than none
		}
	}()
	_, err = f.Write(content)
	return err
}
