package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/logintrust/saml"
)

const generateUsage = `Usage: logintrust keys generate -subject NAME [-type TYPE] [-days N] [-out NAME]

Makes a private key and a self-signed certificate for it: NAME.key.pem, which only you can read, and NAME.crt.pem. Neither
file may be there already.

  -subject NAME   common name of the certificate, such as app.example.com
  -type TYPE      rsa-2048, rsa-3072 (default), rsa-4096, p256, p384, p521 or ed25519, which only signs
  -days N         how long the certificate is valid: 3650 by default, 36500 at most
  -out NAME       what the names of the files begin with: "saml" by default
`

func generate(args []string, _ io.Reader, stdout io.Writer) error {
	flags := flag.NewFlagSet("generate", flag.ContinueOnError)
	subject, kind := flags.String("subject", "", ""), flags.String("type", string(saml.RSA3072), "")
	days, out := flags.Int("days", 3650, ""), flags.String("out", "saml", "")
	rest, done, err := flagsFor(flags, generateUsage, args, stdout)
	switch {
	case err != nil || done:
		return err
	case len(rest) > 0:
		return usageError(fmt.Sprintf("%q is too much", rest[0]))
	case *subject == "":
		return usageError("-subject is missing")
	case !slices.Contains(saml.KeyKinds(), saml.KeyKind(*kind)):
		return usageError(fmt.Sprintf("there is no -type %q; there are %s", *kind, choices(saml.KeyKinds())))
	case *days < 1:
		return usageError("-days must be 1 or more")
	}
	keyFile, certificateFile := *out+".key.pem", *out+".crt.pem"
	for _, name := range []string{keyFile, certificateFile} { // before any work; writeNew makes sure of it
		if _, err := os.Lstat(name); err == nil {
			return fmt.Errorf("%s is there already, and is not overwritten", name)
		}
	}
	pair, err := saml.GenerateKeyPair(saml.KeyKind(*kind), saml.CertificateOptions{Subject: *subject, NotBefore: time.Now(), Days: *days})
	if err != nil {
		return err
	}
	certificate, key, err := pair.PEM()
	if err != nil {
		return err
	}
	if err := writeNew(keyFile, key, 0o600); err != nil {
		return err
	}
	if err := writeNew(certificateFile, certificate, 0o644); err != nil {
		_ = os.Remove(keyFile) // it was made just now, and has no certificate
		return err
	}
	_, err = fmt.Fprintf(stdout, "%s: the private key; keep it secret\n%s: its certificate\n", keyFile, certificateFile)
	if err != nil {
		return err
	}
	public, err := saml.ParsePublicKey(string(certificate))
	if err != nil {
		return err
	}
	return describe(stdout, public, time.Now())
}
