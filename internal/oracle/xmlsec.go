package oracle

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Octets are what xmlsec1 fed to its digests and to its signature.
type Octets struct {
	Document   []byte   // the document as it stands in the end, signed
	References [][]byte // canonical form of what each Reference selects, after its transforms, in document order
	SignedInfo []byte   // canonical SignedInfo
}

// XMLSecSign fills in the first ds:Signature template in the document. The key is a PEM private key. An idAttr is
// "namespace:Element", or "Element" without a namespace, whose attribute ID is then an ID; or an option of xmlsec1 with
// its value, as in "--node-xpath=//…", to pick another Signature.
func XMLSecSign(t testing.TB, template, keyPEM []byte, idAttrs ...string) ([]byte, error) {
	t.Helper()
	octets, err := XMLSecOctets(t, template, keyPEM, idAttrs...)
	return octets.Document, err
}

// XMLSecOctets does what XMLSecSign does and also returns the octets that xmlsec1 (that is, libxml2) digests and signs.
func XMLSecOctets(t testing.TB, template, keyPEM []byte, idAttrs ...string) (Octets, error) {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, "key.pem", keyPEM)
	octets, err := xmlsec(t, dir, template, []string{"--sign", "--privkey-pem", "key.pem", "--output", "out.xml"}, idAttrs)
	if err != nil {
		return Octets{}, err
	}
	octets.Document, err = os.ReadFile(filepath.Join(dir, "out.xml"))
	return octets, err
}

// XMLSecVerify checks the first ds:Signature in the document with a PEM public key or certificate, and nothing that
// the message itself brings. Its idAttrs are those of XMLSecSign.
func XMLSecVerify(t testing.TB, doc, publicPEM []byte, idAttrs ...string) (Octets, error) {
	t.Helper()
	dir := t.TempDir()
	option := "--pubkey-pem"
	if bytes.Contains(publicPEM, []byte("BEGIN CERTIFICATE")) {
		option = "--pubkey-cert-pem"
	}
	write(t, dir, "key.pem", publicPEM)
	args := []string{"--verify", "--enabled-reference-uris", "empty,same-doc", "--enabled-key-data", "rsa,ecdsa", option, "key.pem"}
	return xmlsec(t, dir, doc, args, idAttrs)
}

// xmlsec runs xmlsec1 in dir, since it takes a comma in the name of a file for the end of that name.
func xmlsec(t testing.TB, dir string, doc []byte, args, idAttrs []string) (Octets, error) {
	t.Helper()
	program := Need(t, "xmlsec1")
	for _, a := range idAttrs {
		if option, value, found := strings.Cut(a, "="); found && strings.HasPrefix(a, "--") {
			args = append(args, option, value)
		} else {
			args = append(args, "--id-attr:ID", a)
		}
	}
	write(t, dir, "doc.xml", doc)
	args = append(args, "--store-references", "--store-signatures", "--print-debug", "doc.xml")
	out, _, err := run(t, dir, nil, program, args...)
	if err != nil {
		return Octets{}, err
	}
	if _, status, _ := bytes.Cut(out, []byte(" CONTEXT\n")); !bytes.HasPrefix(status, []byte("== Status: succeeded\n")) {
		return Octets{}, fmt.Errorf("xmlsec1: %.200s", out)
	}
	signed := buffers(out, "PreSigned")
	if len(signed) != 1 {
		t.Fatalf("xmlsec1 printed %d canonical forms of SignedInfo", len(signed))
	}
	return Octets{Document: doc, References: buffers(out, "PreDigest"), SignedInfo: signed[0]}, nil
}

// buffers cuts the octets between xmlsec1's marks out of its debug output.
func buffers(out []byte, name string) [][]byte {
	begin, end := []byte("== "+name+" data - start buffer:\n"), []byte("\n== "+name+" data - end buffer\n")
	var all [][]byte
	for {
		_, rest, found := bytes.Cut(out, begin)
		octets, after, closed := bytes.Cut(rest, end)
		if !found || !closed {
			return all
		}
		all, out = append(all, octets), after
	}
}
