package main

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"io"

	"github.com/logintrust/saml"
)

const unsealUsage = `Usage: logintrust unseal -key FILE [FILE...]

Opens sealed cases, one a line, with the private key that they were sealed for, and writes them in clear to standard output,
for "logintrust replay" or a test. They hold personal data. Cases that are not sealed pass as they are.

Exit status: 0 done; 1 one could not be opened; 2 wrong usage.

  -key FILE   the private key: PEM, on P-256, P-384, P-521 or X25519
`

func runUnseal(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("unseal", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	key := flags.String("key", "", "")
	names, err := parse(flags, args)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(stdout, unsealUsage)
		return exitOK
	}
	if err == nil && *key == "" {
		err = errors.New("-key is missing")
	}
	if err != nil {
		fmt.Fprintf(stderr, "logintrust unseal: %v; \"logintrust unseal -h\" explains.\n", err)
		return exitUsage
	}
	if len(names) == 0 {
		names = []string{"-"}
	}
	for _, name := range names {
		if err := unsealAll(name, *key, stdin, stdout); err != nil {
			fmt.Fprintf(stderr, "logintrust unseal: %v.\n", err)
			return exitUnable
		}
	}
	return exitOK
}

func unsealAll(name, key string, stdin io.Reader, stdout io.Writer) error {
	input, err := readAll(name, stdin)
	if err != nil {
		return err
	}
	for line := range bytes.Lines(input) {
		if saml.IsSealedCase(line) {
			if line, err = unseal(line, key); err != nil {
				return err
			}
		}
		if _, err := fmt.Fprintf(stdout, "%s\n", bytes.TrimRight(line, "\r\n")); err != nil {
			return err
		}
	}
	return nil
}

// parseCaseKey reads a private key for sealed cases.
func parseCaseKey(text string) (ecdh.KeyExchanger, error) {
	block, rest := pem.Decode([]byte(text))
	for block != nil && block.Type != "PRIVATE KEY" && block.Type != "EC PRIVATE KEY" { // openssl ecparam writes parameters first
		block, rest = pem.Decode(rest)
	}
	if block == nil {
		return nil, errors.New("not a private key in PEM without password")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		key, err = x509.ParseECPrivateKey(block.Bytes)
	}
	switch k := key.(type) {
	case *ecdh.PrivateKey:
		return k, nil
	case *ecdsa.PrivateKey:
		if err == nil {
			return k.ECDH()
		}
	}
	return nil, errors.New("not a private key on P-256, P-384, P-521 or X25519")
}
