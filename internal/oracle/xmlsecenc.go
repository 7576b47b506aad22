package oracle

import (
	"os"
	"path/filepath"
	"testing"
)

// XMLSecEncrypt puts an EncryptedData made of the template in the place of the first child element of doc's root. session is
// the kind of its key as xmlsec1 names it (aes-128, des-192); the key is a PEM public one.
func XMLSecEncrypt(t testing.TB, template []byte, session string, publicPEM, doc []byte) ([]byte, error) {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, "key.pem", publicPEM)
	write(t, dir, "doc.xml", doc)
	write(t, dir, "template.xml", template)
	_, _, err := run(t, dir, nil, Need(t, "xmlsec1"), "--encrypt", "--pubkey-pem", "key.pem", "--session-key", session, "--xml-data", "doc.xml",
		"--node-xpath", "/*/*", "--output", "out.xml", "template.xml")
	if err != nil {
		return nil, err
	}
	return os.ReadFile(filepath.Join(dir, "out.xml"))
}

// XMLSecDecrypt opens the first EncryptedData of doc with a PEM private key and returns the document with what was in it.
func XMLSecDecrypt(t testing.TB, privatePEM, doc []byte) ([]byte, error) {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, "key.pem", privatePEM)
	write(t, dir, "doc.xml", doc)
	_, _, err := run(t, dir, nil, Need(t, "xmlsec1"), "--decrypt", "--privkey-pem", "key.pem", "--output", "out.xml", "doc.xml")
	if err != nil {
		return nil, err
	}
	return os.ReadFile(filepath.Join(dir, "out.xml"))
}
