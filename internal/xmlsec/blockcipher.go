package xmlsec

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"
	"crypto/fips140"
)

// A blockCipher is what an EncryptionMethod of an EncryptedData names (XML Encryption 1.1, 5.2).
type blockCipher struct {
	mode    blockMode
	keySize int // octets
}

type blockMode uint8

const (
	aesGCM blockMode = iota
	aesCBC
	tripleDES
)

func blockCipherByURI(uri []byte) (blockCipher, bool) {
	switch string(uri) {
	case "http://www.w3.org/2009/xmlenc11#aes128-gcm":
		return blockCipher{aesGCM, 16}, true
	case "http://www.w3.org/2009/xmlenc11#aes192-gcm":
		return blockCipher{aesGCM, 24}, true
	case "http://www.w3.org/2009/xmlenc11#aes256-gcm":
		return blockCipher{aesGCM, 32}, true
	case "http://www.w3.org/2001/04/xmlenc#aes128-cbc":
		return blockCipher{aesCBC, 16}, true
	case "http://www.w3.org/2001/04/xmlenc#aes192-cbc":
		return blockCipher{aesCBC, 24}, true
	case "http://www.w3.org/2001/04/xmlenc#aes256-cbc":
		return blockCipher{aesCBC, 32}, true
	case "http://www.w3.org/2001/04/xmlenc#tripledes-cbc":
		return blockCipher{tripleDES, 24}, true
	}
	return blockCipher{}, false
}

// check refuses a cipher that the policy does not admit. vouched says that a verified signature covers the ciphertext:
// without one, whoever can hand in changed ciphertexts and see which are refused how reads CBC without the key (Jager and
// Somorovsky, 2011; erratum E93).
func (b blockCipher) check(p Policy, vouched bool) error {
	if b.mode == aesGCM {
		return nil
	}
	if b.mode == tripleDES && !p.AllowTripleDES {
		return fault(WeakAlgorithm, "Triple DES")
	}
	if b.mode == tripleDES && fips140.Enforced() {
		return fault(WeakAlgorithm, "Triple DES in FIPS 140-3 mode")
	}
	switch {
	case vouched && !p.AllowSignedCBC && !p.AllowUnsignedCBC:
		return fault(WeakAlgorithm, "CBC, which does not protect what it encrypts")
	case !vouched && !p.AllowUnsignedCBC:
		return fault(WeakAlgorithm, "CBC outside of a signature")
	}
	return nil
}

// open decrypts. It says no more than whether it could.
func (b blockCipher) open(key, data []byte) (plain []byte, ok bool) {
	if len(key) != b.keySize {
		return nil, false
	}
	if b.mode == aesGCM {
		return openGCM(key, data)
	}
	var block cipher.Block
	var err error
	if b.mode == tripleDES {
		block, err = des.NewTripleDESCipher(key)
	} else {
		block, err = aes.NewCipher(key)
	}
	if err != nil {
		return nil, false
	}
	return openCBC(block, data)
}

// openGCM: XML Encryption 1.1, 5.2.4: a nonce of 96 bits, the ciphertext, a tag of 128 bits.
func openGCM(key, data []byte) ([]byte, bool) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, false
	}
	gcm, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, false
	}
	plain, err := gcm.Open(nil, nil, data, nil)
	return plain, err == nil
}

// openCBC: XML Encryption 1.1, 5.2: an initialisation vector, then whole blocks, the last octet of which says how many
// octets are padding.
func openCBC(block cipher.Block, data []byte) ([]byte, bool) {
	size := block.BlockSize()
	if len(data) < 2*size || len(data)%size != 0 {
		return nil, false
	}
	plain := make([]byte, len(data)-size)
	cipher.NewCBCDecrypter(block, data[:size]).CryptBlocks(plain, data[size:])
	padding := int(plain[len(plain)-1])
	if padding < 1 || padding > size {
		return nil, false
	}
	return plain[:len(plain)-padding], true
}
