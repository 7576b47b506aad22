package main

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/logintrust/saml"
)

const convertUsage = `Usage: logintrust keys convert -to FORM [-out FILE] [-show-private] [FILE]

Writes the key or certificate in a file, or on standard input, in another form, as PEM:

  pkcs8         PRIVATE KEY, of any kind                    from a private key
  pkcs1         RSA PRIVATE KEY                             from an RSA private key
  sec1          EC PRIVATE KEY                              from an ECDSA private key
  spki          PUBLIC KEY                                  from a private or public key, or a certificate
  certificate   CERTIFICATE, of PEM or of base64 that was pasted from metadata

  -out FILE       write there, for you alone to read if it is a private key, and never over a file that is there
  -show-private   write a private key even to a terminal

A PKCS #12 file (.p12, .pfx) is made and taken apart with OpenSSL:
  openssl pkcs12 -export -inkey KEY.pem -in CERTIFICATE.pem -out FILE.p12
  openssl pkcs12 -in FILE.p12 -nodes -out FILE.pem
`

func convert(args []string, stdin io.Reader, stdout io.Writer) error {
	flags := flag.NewFlagSet("convert", flag.ContinueOnError)
	to, out, show := flags.String("to", "", ""), flags.String("out", "", ""), flags.Bool("show-private", false, "")
	rest, done, err := flagsFor(flags, convertUsage, args, stdout)
	switch {
	case err != nil || done:
		return err
	case len(rest) > 1:
		return usageError("one file at a time")
	case *to == "":
		return usageError("-to is missing")
	}
	write, known := forms()[*to]
	if !known {
		return usageError(fmt.Sprintf("there is no form %q; there are %s", *to, choices(slices.Sorted(maps.Keys(forms())))))
	}
	private := *to == "pkcs8" || *to == "pkcs1" || *to == "sec1"
	if private && *out == "" && !*show && isTerminal(stdout) {
		return usageError("this would show a private key on the screen; name a file with -out, or add -show-private")
	}
	name := "-"
	if len(rest) == 1 {
		name = rest[0]
	}
	text, err := readText(name, stdin)
	if err != nil {
		return err
	}
	block, err := write(text)
	if err != nil {
		return err
	}
	content := pem.EncodeToMemory(block)
	if *out == "" {
		_, err = stdout.Write(content)
		return err
	}
	if private {
		return writeNew(*out, content, 0o600)
	}
	return writeNew(*out, content, 0o644)
}

// forms returns what reads a text and writes it in another form.
func forms() map[string]func(text string) (*pem.Block, error) {
	return map[string]func(text string) (*pem.Block, error){
		"pkcs8": toPKCS8, "pkcs1": toPKCS1, "sec1": toSEC1, "spki": toSPKI, "certificate": toCertificate,
	}
}

func toPKCS8(text string) (*pem.Block, error) {
	key, err := saml.ParsePrivateKey(text)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	return &pem.Block{Type: "PRIVATE KEY", Bytes: der}, err
}

func toPKCS1(text string) (*pem.Block, error) {
	key, err := saml.ParsePrivateKey(text)
	if err != nil {
		return nil, err
	}
	private, ok := key.(*rsa.PrivateKey)
	if !ok {
		return nil, errors.New("PKCS #1 is for RSA keys")
	}
	return &pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(private)}, nil
}

func toSEC1(text string) (*pem.Block, error) {
	key, err := saml.ParsePrivateKey(text)
	if err != nil {
		return nil, err
	}
	private, ok := key.(*ecdsa.PrivateKey)
	if !ok {
		return nil, errors.New("SEC 1 is for ECDSA keys")
	}
	der, err := x509.MarshalECPrivateKey(private)
	return &pem.Block{Type: "EC PRIVATE KEY", Bytes: der}, err
}

func toSPKI(text string) (*pem.Block, error) {
	key, err := saml.ParsePublicKey(text)
	if err != nil {
		private, privateErr := saml.PublicFromPrivate(text)
		if privateErr != nil {
			return nil, err
		}
		key = private
	}
	return &pem.Block{Type: "PUBLIC KEY", Bytes: key.SPKI()}, nil
}

func toCertificate(text string) (*pem.Block, error) {
	key, err := saml.ParsePublicKey(text)
	if err != nil {
		return nil, err
	}
	if key.CertificateSHA256() == "" {
		return nil, errors.New("this is a bare key; \"logintrust keys generate\" makes a certificate with its key")
	}
	stored, err := key.MarshalText()
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(stored)
	return block, nil
}
