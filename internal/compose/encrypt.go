package compose

import (
	"cmp"
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/fips140"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"

	"github.com/beevik/etree"
)

// Algorithms of XML Encryption 1.1.
const (
	AES128GCM = "http://www.w3.org/2009/xmlenc11#aes128-gcm"
	AES192GCM = "http://www.w3.org/2009/xmlenc11#aes192-gcm"
	AES256GCM = "http://www.w3.org/2009/xmlenc11#aes256-gcm"
	AES128CBC = "http://www.w3.org/2001/04/xmlenc#aes128-cbc"
	AES192CBC = "http://www.w3.org/2001/04/xmlenc#aes192-cbc"
	AES256CBC = "http://www.w3.org/2001/04/xmlenc#aes256-cbc"
	TripleDES = "http://www.w3.org/2001/04/xmlenc#tripledes-cbc"

	OAEPMGF1P  = "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p"
	OAEP       = "http://www.w3.org/2009/xmlenc11#rsa-oaep"
	RSA15      = "http://www.w3.org/2001/04/xmlenc#rsa-1_5"
	WrapAES128 = "http://www.w3.org/2001/04/xmlenc#kw-aes128"
	WrapAES192 = "http://www.w3.org/2001/04/xmlenc#kw-aes192"
	WrapAES256 = "http://www.w3.org/2001/04/xmlenc#kw-aes256"

	ecdhES    = "http://www.w3.org/2009/xmlenc11#ECDH-ES"
	concatKDF = "http://www.w3.org/2009/xmlenc11#ConcatKDF"
)

// Encryption says how an element is encrypted. The zero value is AES-256-GCM, with the key carried by RSA-OAEP or, for an
// EC key, by ECDH-ES and AES Key Wrap. We send nothing weaker; the rest is for tests of what peers send.
type Encryption struct {
	// Key is the recipient's: *rsa.PublicKey, *ecdsa.PublicKey or *ecdh.PublicKey.
	Key crypto.PublicKey
	// Block and Transport are algorithms; empty for the default.
	Block, Transport string
	// Digest and MGF are the hashes of OAEP, Digest also that of the key derivation; 0 for the default.
	Digest, MGF crypto.Hash
	// Label is OAEPparams.
	Label []byte
	// Recipient is written into EncryptedKey.
	Recipient string
	// Beside puts the EncryptedKey behind the EncryptedData, with a RetrievalMethod that points at it.
	Beside bool
}

// Encrypted returns an element of that name which holds what plain says, encrypted for each recipient. The algorithm of
// the data is the first one's.
func Encrypted(name string, plain []byte, recipients ...Encryption) (*etree.Element, error) {
	outer := etree.NewElement(name)
	block := recipients[0].Block
	if block == "" {
		block = AES256GCM
	}
	key := make([]byte, keySizes[block])
	_, _ = rand.Read(key)
	octets, err := seal(block, key, plain)
	if err != nil {
		return nil, err
	}
	data := outer.CreateElement("xenc:EncryptedData")
	data.CreateAttr("xmlns:xenc", "http://www.w3.org/2001/04/xmlenc#")
	data.CreateAttr("xmlns:ds", "http://www.w3.org/2000/09/xmldsig#")
	data.CreateAttr("Type", "http://www.w3.org/2001/04/xmlenc#Element")
	data.CreateElement("xenc:EncryptionMethod").CreateAttr("Algorithm", block)
	info := data.CreateElement("ds:KeyInfo")
	for i, r := range recipients {
		carried, err := r.encryptedKey(key)
		if err != nil {
			return nil, err
		}
		if !r.Beside {
			info.AddChild(carried)
			continue
		}
		id := fmt.Sprintf("_key%d%s", i, hex.EncodeToString(octets[:8]))
		carried.CreateAttr("Id", id)
		carried.CreateAttr("xmlns:xenc", "http://www.w3.org/2001/04/xmlenc#")
		carried.CreateAttr("xmlns:ds", "http://www.w3.org/2000/09/xmldsig#")
		method := info.CreateElement("ds:RetrievalMethod")
		method.CreateAttr("Type", "http://www.w3.org/2001/04/xmlenc#EncryptedKey")
		method.CreateAttr("URI", "#"+id)
		outer.AddChild(carried)
	}
	cipherData(data, octets)
	return outer, nil
}

func cipherData(e *etree.Element, octets []byte) {
	e.CreateElement("xenc:CipherData").CreateElement("xenc:CipherValue").SetText(base64.StdEncoding.EncodeToString(octets))
}

var keySizes = map[string]int{AES128GCM: 16, AES192GCM: 24, AES256GCM: 32, AES128CBC: 16, AES192CBC: 24, AES256CBC: 32, TripleDES: 24,
	WrapAES128: 16, WrapAES192: 24, WrapAES256: 32}

// seal encrypts the content (XML Encryption 1.1, 5.2).
func seal(algorithm string, key, plain []byte) ([]byte, error) {
	var block cipher.Block
	var err error
	if algorithm == TripleDES {
		block, err = des.NewTripleDESCipher(key)
	} else {
		block, err = aes.NewCipher(key)
	}
	if err != nil {
		return nil, err
	}
	switch algorithm {
	case AES128GCM, AES192GCM, AES256GCM:
		gcm, err := cipher.NewGCMWithRandomNonce(block)
		if err != nil {
			return nil, err
		}
		return gcm.Seal(nil, nil, plain, nil), nil
	}
	size := block.BlockSize()
	padding := size - len(plain)%size
	out := make([]byte, size+len(plain)+padding)
	_, _ = rand.Read(out[:size])
	copy(out[size:], plain)
	out[len(out)-1] = byte(padding)
	cipher.NewCBCEncrypter(block, out[:size]).CryptBlocks(out[size:], out[size:])
	return out, nil
}

func (r Encryption) encryptedKey(key []byte) (*etree.Element, error) {
	e := etree.NewElement("xenc:EncryptedKey")
	if r.Recipient != "" {
		e.CreateAttr("Recipient", r.Recipient)
	}
	var octets []byte
	var err error
	if k, ok := r.Key.(*rsa.PublicKey); ok {
		octets, err = r.transport(e, k, key)
	} else {
		octets, err = r.agree(e, key)
	}
	if err != nil {
		return nil, err
	}
	cipherData(e, octets)
	return e, nil
}

// transport encrypts the key with RSA (XML Encryption 1.1, 5.5).
func (r Encryption) transport(e *etree.Element, to *rsa.PublicKey, key []byte) ([]byte, error) {
	uri := r.Transport
	if uri == "" {
		uri = OAEPMGF1P
		if fips140.Enforced() { // whose mask is made with SHA-1
			uri, r.Digest, r.MGF = OAEP, cmp.Or(r.Digest, crypto.SHA256), cmp.Or(r.MGF, crypto.SHA256)
		}
	}
	method := e.CreateElement("xenc:EncryptionMethod")
	method.CreateAttr("Algorithm", uri)
	if uri == RSA15 {
		//lint:ignore SA1019 some peers send it
		return rsa.EncryptPKCS1v15(rand.Reader, to, key)
	}
	opts := &rsa.OAEPOptions{Hash: crypto.SHA1, MGFHash: crypto.SHA1, Label: r.Label}
	if r.Label != nil {
		method.CreateElement("xenc:OAEPparams").SetText(base64.StdEncoding.EncodeToString(r.Label))
	}
	if r.Digest != 0 {
		opts.Hash = r.Digest
		method.CreateElement("ds:DigestMethod").CreateAttr("Algorithm", digestURIs[r.Digest])
	}
	if r.MGF != 0 && uri == OAEP {
		opts.MGFHash = r.MGF
		mgf := method.CreateElement("xenc11:MGF")
		mgf.CreateAttr("xmlns:xenc11", "http://www.w3.org/2009/xmlenc11#")
		mgf.CreateAttr("Algorithm", mgfURIs[r.MGF])
	}
	return rsa.EncryptOAEPWithOptions(rand.Reader, to, key, opts)
}

var digestURIs = map[crypto.Hash]string{crypto.SHA1: "http://www.w3.org/2000/09/xmldsig#sha1",
	crypto.SHA256: "http://www.w3.org/2001/04/xmlenc#sha256", crypto.SHA384: "http://www.w3.org/2001/04/xmldsig-more#sha384",
	crypto.SHA512: "http://www.w3.org/2001/04/xmlenc#sha512"}

var mgfURIs = map[crypto.Hash]string{crypto.SHA1: "http://www.w3.org/2009/xmlenc11#mgf1sha1",
	crypto.SHA256: "http://www.w3.org/2009/xmlenc11#mgf1sha256", crypto.SHA384: "http://www.w3.org/2009/xmlenc11#mgf1sha384",
	crypto.SHA512: "http://www.w3.org/2009/xmlenc11#mgf1sha512"}

// agree wraps the key by a key of the moment's and the recipient's (XML Encryption 1.1, 5.6.4 and 5.4.1).
func (r Encryption) agree(e *etree.Element, key []byte) ([]byte, error) {
	to, ok := r.Key.(*ecdh.PublicKey)
	if k, isECDSA := r.Key.(*ecdsa.PublicKey); isECDSA {
		var err error
		if to, err = k.ECDH(); err != nil {
			return nil, err
		}
	} else if !ok {
		return nil, fmt.Errorf("no encryption for a %T", r.Key)
	}
	ours, err := to.Curve().GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	secret, err := ours.ECDH(to)
	if err != nil {
		return nil, err
	}
	uri, hash := r.Transport, r.Digest
	if uri == "" {
		uri = WrapAES256
	}
	if hash == 0 {
		hash = crypto.SHA256
	}
	e.CreateElement("xenc:EncryptionMethod").CreateAttr("Algorithm", uri)
	agreement := e.CreateElement("ds:KeyInfo").CreateElement("xenc:AgreementMethod")
	agreement.CreateAttr("Algorithm", ecdhES)
	derivation := agreement.CreateElement("xenc11:KeyDerivationMethod")
	derivation.CreateAttr("xmlns:xenc11", "http://www.w3.org/2009/xmlenc11#")
	derivation.CreateAttr("Algorithm", concatKDF)
	params := derivation.CreateElement("xenc11:ConcatKDFParams")
	info := [...]string{"AlgorithmID", "PartyUInfo", "PartyVInfo"}
	for _, name := range info {
		params.CreateAttr(name, "00"+hex.EncodeToString([]byte(name)))
	}
	params.CreateElement("ds:DigestMethod").CreateAttr("Algorithm", digestURIs[hash])
	ec := agreement.CreateElement("xenc:OriginatorKeyInfo").CreateElement("ds:KeyValue").CreateElement("dsig11:ECKeyValue")
	ec.CreateAttr("xmlns:dsig11", "http://www.w3.org/2009/xmldsig11#")
	ec.CreateElement("dsig11:NamedCurve").CreateAttr("URI", curveURN(to.Curve()))
	ec.CreateElement("dsig11:PublicKey").SetText(base64.StdEncoding.EncodeToString(ours.PublicKey().Bytes()))
	var other []byte
	for _, name := range info {
		other = append(other, name...)
	}
	return wrapKey(derive(hash, secret, other, keySizes[uri]), key)
}

func curveURN(c ecdh.Curve) string {
	switch c {
	case ecdh.P256():
		return "urn:oid:1.2.840.10045.3.1.7"
	case ecdh.P384():
		return "urn:oid:1.3.132.0.34"
	}
	return "urn:oid:1.3.132.0.35"
}

// derive: NIST SP 800-56A, 5.8.1.
func derive(hash crypto.Hash, secret, other []byte, size int) (out []byte) {
	for counter := uint32(1); len(out) < size; counter++ {
		h := hash.New()
		h.Write(binary.BigEndian.AppendUint32(nil, counter))
		h.Write(secret)
		h.Write(other)
		out = h.Sum(out)
	}
	return out[:size]
}

// wrapKey: AES Key Wrap (RFC 3394, 2.2.1).
func wrapKey(kek, key []byte) ([]byte, error) {
	block, err := aes.NewCipher(kek)
	if err != nil {
		return nil, err
	}
	n := len(key) / 8
	out := append([]byte{0xa6, 0xa6, 0xa6, 0xa6, 0xa6, 0xa6, 0xa6, 0xa6}, key...)
	var buf [16]byte
	for j := range 6 {
		for i := 1; i <= n; i++ {
			copy(buf[:8], out[:8])
			copy(buf[8:], out[8*i:])
			block.Encrypt(buf[:], buf[:])
			binary.BigEndian.PutUint64(out, binary.BigEndian.Uint64(buf[:8])^uint64(n*j+i))
			copy(out[8*i:], buf[8:])
		}
	}
	return out, nil
}
