package oracle

import (
	_ "embed"
	"encoding/binary"
	"errors"
	"os"
	"strconv"
	"testing"
)

//go:embed testdata/Enc.java
var encSource []byte

// santuario lists what Apache Santuario needs, as Debian's libxml-security-java and what that depends on have it.
var santuario = []string{"/usr/share/java/xmlsec.jar", "/usr/share/java/slf4j-api.jar", "/usr/share/java/slf4j-nop.jar", "/usr/share/java/commons-codec.jar"}

// JavaEnc is a running JVM that encrypts and decrypts with Apache Santuario, and agrees on keys with the JDK. Safe for
// concurrent use.
type JavaEnc struct{ jvm }

// StartJavaEnc starts the JVM and ends it with the test.
func StartJavaEnc(t testing.TB) *JavaEnc {
	t.Helper()
	for _, jar := range santuario {
		if _, err := os.Stat(jar); err != nil {
			missing(t, jar+" is not installed")
		}
	}
	j := new(JavaEnc)
	j.start(t, "Enc.java", encSource, santuario...)
	return j
}

// Encrypt puts an EncryptedData in the place of the first child element of doc's root, for an RSA key (SPKI, DER). An empty
// digest, mgf or label is left out.
func (j *JavaEnc) Encrypt(block, transport, digest, mgf string, label, spki, doc []byte) ([]byte, error) {
	return j.ask("encrypt", block, transport, digest, mgf, b64(label), b64(spki), b64(doc))
}

// Decrypt opens the first EncryptedData of doc with an RSA key (PKCS #8, DER).
func (j *JavaEnc) Decrypt(pkcs8, doc []byte) ([]byte, error) {
	return j.ask("decrypt", b64(pkcs8), b64(doc))
}

// Wrap wraps a key by what ECDH and the key derivation of NIST SP 800-56A make of a private key (PKCS #8) and a public one
// (SPKI). hash is the JDK's name of a hash, such as SHA-256, and bits the length of the key that wraps.
func (j *JavaEnc) Wrap(pkcs8, spki []byte, hash string, other []byte, bits int, key []byte) ([]byte, error) {
	return j.ask("agree", b64(pkcs8), b64(spki), hash, b64(other), strconv.Itoa(bits), "wrap", b64(key))
}

// Unwrap undoes Wrap.
func (j *JavaEnc) Unwrap(pkcs8, spki []byte, hash string, other []byte, bits int, wrapped []byte) ([]byte, error) {
	return j.ask("agree", b64(pkcs8), b64(spki), hash, b64(other), strconv.Itoa(bits), "unwrap", b64(wrapped))
}

// Generate makes a private key (PKCS #8) and its public one (SPKI) on the curve of a public key.
func (j *JavaEnc) Generate(like []byte) (pkcs8, spki []byte, err error) {
	pair, err := j.ask("generate", b64(like))
	if err != nil {
		return nil, nil, err
	}
	if len(pair) < 4 || int(binary.BigEndian.Uint32(pair)) > len(pair)-4 {
		return nil, nil, errors.New("java: no pair of keys")
	}
	n := 4 + int(binary.BigEndian.Uint32(pair))
	return pair[4:n], pair[n:], nil
}

// SealGCM encrypts with AES-GCM: nonce, ciphertext and tag.
func (j *JavaEnc) SealGCM(key, plain []byte) ([]byte, error) {
	return j.ask("gcm", "seal", b64(key), b64(plain))
}

// OpenGCM undoes SealGCM.
func (j *JavaEnc) OpenGCM(key, octets []byte) ([]byte, error) {
	return j.ask("gcm", "open", b64(key), b64(octets))
}
