package xmlsec

import (
	"crypto"
	"crypto/aes"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/fips140"
	"crypto/rand"
	"crypto/rsa"
	"crypto/subtle"
	"encoding/binary"
	"encoding/hex"
)

const (
	xencNamespace   = "http://www.w3.org/2001/04/xmlenc#"
	xenc11Namespace = "http://www.w3.org/2009/xmlenc11#"
	dsig11Namespace = "http://www.w3.org/2009/xmldsig11#"
)

// A keyTransport is how an EncryptedKey carries the key of the data.
type keyTransport struct {
	kind  transportKind
	oaep  rsa.OAEPOptions // for rsaOAEP
	wrap  int             // for ecdhES: octets of the key that wraps
	peer  *ecdh.PublicKey // for ecdhES: the sender's key
	hash  crypto.Hash     // for ecdhES: of the key derivation
	other []byte          // for ecdhES: OtherInfo of the key derivation
}

type transportKind uint8

const (
	rsaOAEP transportKind = iota
	rsa15
	ecdhES
)

// readTransport takes an EncryptedKey's EncryptionMethod apart, and its AgreementMethod, if it needs one (XML Encryption
// 1.1, 5.5, 5.6 and 5.7).
func readTransport(key Element, p Policy, vouched bool) (keyTransport, error) {
	method := key.lone(xencNamespace, "EncryptionMethod")
	uri := method.value("Algorithm")
	switch string(uri) {
	case "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p":
		return readOAEP(method, crypto.SHA1)
	case "http://www.w3.org/2009/xmlenc11#rsa-oaep":
		mgf := crypto.SHA1
		if e := method.Child(xenc11Namespace, "MGF"); e.Exists() {
			var known bool
			if mgf, known = mgfHash(e.value("Algorithm")); !known {
				return keyTransport{}, fault(UnsupportedAlgorithm, "mask generation %.64q", e.value("Algorithm"))
			}
		}
		return readOAEP(method, mgf)
	case "http://www.w3.org/2001/04/xmlenc#rsa-1_5":
		if !p.AllowRSA15 || !vouched {
			return keyTransport{}, fault(WeakAlgorithm, "RSA 1.5 encryption")
		}
		if fips140.Enforced() {
			return keyTransport{}, fault(WeakAlgorithm, "RSA 1.5 encryption in FIPS 140-3 mode")
		}
		return keyTransport{kind: rsa15}, nil
	case "http://www.w3.org/2001/04/xmlenc#kw-aes128":
		return readAgreement(key, 16)
	case "http://www.w3.org/2001/04/xmlenc#kw-aes192":
		return readAgreement(key, 24)
	case "http://www.w3.org/2001/04/xmlenc#kw-aes256":
		return readAgreement(key, 32)
	}
	return keyTransport{}, fault(UnsupportedAlgorithm, "key transport %.64q", uri)
}

// readOAEP: the digest and the hash of the mask are two things; neither follows from the other.
func readOAEP(method Element, mgf crypto.Hash) (keyTransport, error) {
	t := keyTransport{kind: rsaOAEP, oaep: rsa.OAEPOptions{Hash: crypto.SHA1, MGFHash: mgf}}
	if e := method.Child(dsNamespace, "DigestMethod"); e.Exists() {
		var known bool
		if t.oaep.Hash, known = digestAlgorithm(e.value("Algorithm")); !known {
			return t, fault(UnsupportedAlgorithm, "OAEP digest %.64q", e.value("Algorithm"))
		}
	}
	if fips140.Enforced() && (t.oaep.Hash == crypto.SHA1 || mgf == crypto.SHA1) {
		return t, fault(WeakAlgorithm, "OAEP with SHA-1 in FIPS 140-3 mode")
	}
	if label := method.Child(xencNamespace, "OAEPparams"); label.Exists() {
		var err error
		if t.oaep.Label, err = cipherOctets(label, maxLabel); err != nil {
			return t, err
		}
	}
	return t, nil
}

func mgfHash(uri []byte) (crypto.Hash, bool) {
	switch string(uri) {
	case "http://www.w3.org/2009/xmlenc11#mgf1sha1":
		return crypto.SHA1, true
	case "http://www.w3.org/2009/xmlenc11#mgf1sha256":
		return crypto.SHA256, true
	case "http://www.w3.org/2009/xmlenc11#mgf1sha384":
		return crypto.SHA384, true
	case "http://www.w3.org/2009/xmlenc11#mgf1sha512":
		return crypto.SHA512, true
	}
	return 0, false
}

// readAgreement reads ECDH-ES with ConcatKDF (XML Encryption 1.1, 5.4.1 and 5.6.4).
func readAgreement(key Element, wrap int) (keyTransport, error) {
	t := keyTransport{kind: ecdhES, wrap: wrap}
	agreement := key.lone(dsNamespace, "KeyInfo").lone(xencNamespace, "AgreementMethod")
	if uri := agreement.value("Algorithm"); string(uri) != "http://www.w3.org/2009/xmlenc11#ECDH-ES" {
		return t, fault(UnsupportedAlgorithm, "key agreement %.64q", uri)
	}
	derivation := agreement.Child(xenc11Namespace, "KeyDerivationMethod")
	if uri := derivation.value("Algorithm"); string(uri) != "http://www.w3.org/2009/xmlenc11#ConcatKDF" {
		return t, fault(UnsupportedAlgorithm, "key derivation %.64q", uri)
	}
	params := derivation.Child(xenc11Namespace, "ConcatKDFParams")
	uri := params.Child(dsNamespace, "DigestMethod").value("Algorithm")
	var known bool
	if t.hash, known = digestAlgorithm(uri); !known || t.hash == crypto.SHA1 {
		return t, fault(UnsupportedAlgorithm, "digest of the key derivation %.64q", uri)
	}
	var err error
	for _, name := range []string{"AlgorithmID", "PartyUInfo", "PartyVInfo", "SuppPubInfo", "SuppPrivInfo"} {
		if t.other, err = appendBitString(t.other, params.value(name)); err != nil {
			return t, err
		}
	}
	t.peer, err = readPeer(agreement.Child(xencNamespace, "OriginatorKeyInfo").Child(dsNamespace, "KeyValue"))
	return t, err
}

// appendBitString appends what a parameter of ConcatKDF holds: hexadecimal digits, the first two of which say how many
// bits at the end are padding. Of those that are not whole octets none is in use.
func appendBitString(dst, value []byte) ([]byte, error) {
	if len(value) == 0 {
		return dst, nil
	}
	if len(value) > maxLabel || len(value)%2 != 0 {
		return nil, fault(MalformedEncryption, "a parameter of the key derivation that is not hexadecimal")
	}
	octets := make([]byte, hex.DecodedLen(len(value)))
	if _, err := hex.Decode(octets, value); err != nil || octets[0] != 0 {
		return nil, fault(MalformedEncryption, "a parameter of the key derivation that is not hexadecimal octets")
	}
	return append(dst, octets[1:]...), nil
}

// readPeer reads the sender's key (XML Signature 1.1, 4.5.2.3).
func readPeer(value Element) (*ecdh.PublicKey, error) {
	ec := value.Child(dsig11Namespace, "ECKeyValue")
	curve := curveByURN(ec.Child(dsig11Namespace, "NamedCurve").value("URI"))
	if curve == nil {
		return nil, fault(UnsupportedAlgorithm, "a sender's key that is not on P-256, P-384 or P-521")
	}
	point, err := cipherOctets(ec.Child(dsig11Namespace, "PublicKey"), maxLabel)
	if err != nil {
		return nil, err
	}
	peer, err := curve.NewPublicKey(point) // refuses what is not on the curve
	if err != nil {
		return nil, fault(MalformedEncryption, "a sender's key that is not on its curve")
	}
	return peer, nil
}

func curveByURN(urn []byte) ecdh.Curve {
	switch string(urn) {
	case "urn:oid:1.2.840.10045.3.1.7":
		return ecdh.P256()
	case "urn:oid:1.3.132.0.34":
		return ecdh.P384()
	case "urn:oid:1.3.132.0.35":
		return ecdh.P521()
	}
	return nil
}

// fits reports whether one of our private keys is of the type that the transport needs.
func (t *keyTransport) fits(key crypto.PrivateKey) bool {
	if t.kind == ecdhES {
		k := keyExchanger(key)
		return k != nil && k.Curve() == t.peer.Curve()
	}
	d, ok := key.(crypto.Decrypter)
	if !ok {
		return false
	}
	_, ok = d.Public().(*rsa.PublicKey)
	return ok
}

func keyExchanger(key crypto.PrivateKey) ecdh.KeyExchanger {
	switch k := key.(type) {
	case *ecdsa.PrivateKey:
		e, err := k.ECDH()
		if err != nil {
			return nil
		}
		return e
	case ecdh.KeyExchanger:
		return k
	}
	return nil
}

// unwrap opens an EncryptedKey's value: size octets. It is one operation with the private key. What cannot be opened
// comes out as random octets, so that what follows takes the same way in both cases.
func (t *keyTransport) unwrap(key crypto.PrivateKey, value []byte, size int) []byte {
	random := make([]byte, size)
	_, _ = rand.Read(random) // never fails
	opened := t.open(key, value, size)
	if len(opened) != size {
		return random
	}
	return opened
}

func (t *keyTransport) open(key crypto.PrivateKey, value []byte, size int) []byte {
	if t.kind == ecdhES {
		secret, err := keyExchanger(key).ECDH(t.peer)
		if err != nil {
			return nil
		}
		return unwrapKey(concatKDF(t.hash, secret, t.other, t.wrap), value)
	}
	var opts crypto.DecrypterOpts = &t.oaep
	if t.kind == rsa15 {
		// With the size given, Go answers a bad padding with random octets of its own (RFC 3218, 2.3.2).
		//lint:ignore SA1019 for a trust that admits it, inside of a signature only
		opts = &rsa.PKCS1v15DecryptOptions{SessionKeyLen: size}
	}
	opened, err := key.(crypto.Decrypter).Decrypt(rand.Reader, value, opts)
	if err != nil {
		return nil
	}
	return opened
}

// concatKDF: NIST SP 800-56A, 5.8.1, as XML Encryption 1.1, 5.4.1 has it.
func concatKDF(h crypto.Hash, secret, other []byte, size int) []byte {
	var out []byte
	for counter := uint32(1); len(out) < size; counter++ {
		input := binary.BigEndian.AppendUint32(nil, counter)
		input = append(append(input, secret...), other...)
		out = appendHash(out, h, input)
	}
	return out[:size]
}

// unwrapKey: AES Key Wrap (RFC 3394, 2.2.2). It returns nil if the integrity check fails.
func unwrapKey(kek, wrapped []byte) []byte {
	n := len(wrapped)/8 - 1
	if len(wrapped)%8 != 0 || n < 2 || n > 8 {
		return nil
	}
	block, err := aes.NewCipher(kek)
	if err != nil {
		return nil
	}
	var buf [16]byte
	copy(buf[:8], wrapped[:8])
	out := append([]byte(nil), wrapped[8:]...)
	for j := 5; j >= 0; j-- {
		for i := n; i >= 1; i-- {
			counter := binary.BigEndian.Uint64(buf[:8]) ^ uint64(n*j+i)
			binary.BigEndian.PutUint64(buf[:8], counter)
			copy(buf[8:], out[(i-1)*8:i*8])
			block.Decrypt(buf[:], buf[:])
			copy(out[(i-1)*8:], buf[8:])
		}
	}
	check := []byte{0xa6, 0xa6, 0xa6, 0xa6, 0xa6, 0xa6, 0xa6, 0xa6}
	if subtle.ConstantTimeCompare(buf[:8], check) != 1 {
		return nil
	}
	return out
}
