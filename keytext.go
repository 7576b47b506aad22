package saml

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

const (
	maxKeyText = 64 << 10 // octets of a pasted key
	maxKeyDER  = 32 << 10 // octets of what is in it, which as PEM stay below maxKeyText
)

const (
	errPrivateKey = sentinel("saml: this is a private key; it must stay with its owner, who should now replace it")
	errDSA        = sentinel("saml: DSA keys are not supported; the identity provider needs an RSA, ECDSA or Ed25519 key")
	errNoKey      = sentinel("saml: neither a certificate nor a public key that can be read")
)

// ParsePublicKey reads one key in any form that people paste: PEM of a certificate, of a SubjectPublicKeyInfo or of a
// PKCS#1 public key, or the base64 of one of these without markers, as metadata has it. The content decides which it is.
// Lines may be of any length, indented or all in one, and the markers' hyphens may have become dashes. A private key is
// refused; no error repeats what was pasted.
func ParsePublicKey(text string) (PublicKey, error) {
	if key, ok := parseBareBase64(text); ok {
		return key, nil
	}
	der, err := publicDER(text)
	if err != nil {
		return PublicKey{}, err
	}
	return parseKeyDER(der)
}

// parseBareBase64 is the short way for what metadata has. If it does not lead to a key, the long way says why.
func parseBareBase64(text string) (PublicKey, bool) {
	for _, c := range []byte(text) {
		if notBase64(rune(c)) && c != ' ' && c != '\t' && c != '\n' && c != '\r' {
			return PublicKey{}, false
		}
	}
	if len(text) > maxKeyText {
		return PublicKey{}, false
	}
	der, err := decodeKey(text)
	if err != nil {
		return PublicKey{}, false
	}
	key, err := parseKeyDER(der)
	return key, err == nil
}

// publicDER finds the one object in a pasted text.
func publicDER(text string) ([]byte, error) {
	text, err := cleaned(text)
	if err != nil {
		return nil, err
	}
	if namesPrivateKey(text) {
		return nil, errPrivateKey
	}
	der, err := onlyObject(text)
	if err != nil {
		return nil, err
	}
	if !bytes.Contains(der, []byte("-----BEGIN ")) {
		return der, nil
	}
	// The base64 of PEM, as some products write it in metadata.
	if text, err = cleaned(string(der)); err != nil {
		return nil, err
	}
	if namesPrivateKey(text) {
		return nil, errPrivateKey
	}
	return onlyObject(text)
}

// cleaned takes out what copying through mails, word processors and web pages puts in.
func cleaned(text string) (string, error) {
	if len(text) > maxKeyText {
		return "", fmt.Errorf("saml: a key of more than %d octets", maxKeyText)
	}
	text = strings.NewReplacer(`\r`, "", `\n`, "\n").Replace(text) // line ends out of JSON
	return strings.Map(func(r rune) rune {
		switch r {
		case '\uFEFF', '\u200B', '\u200C', '\u200D', '\u200E', '\u200F', '\u2060', '\u00AD', '\r': // marks without width
			return -1
		case '\u00A0', '\u2007', '\u202F', '\u3000': // spaces that do not break, and wide ones
			return ' '
		case '\u2010', '\u2011', '\u2012', '\u2013', '\u2014', '\u2015', '\u2212', '\u2E3A', '\u2E3B', '\uFE58', '\uFE63', '\uFF0D': // hyphens, dashes, the minus sign
			return '-'
		}
		return r
	}, text), nil
}

// namesPrivateKey looks for the words in any spelling. Ten given letters in a row do not happen in base64 by chance.
func namesPrivateKey(text string) bool {
	bare := strings.Map(func(r rune) rune {
		if r == ' ' || r == '\t' || r == '\n' || r == '\v' || r == '\f' || r == '-' || r == '_' {
			return -1
		}
		return r
	}, text)
	return strings.Contains(strings.ToUpper(bare), "PRIVATEKEY")
}

// marker is a PEM boundary with any number of hyphens.
var marker = regexp.MustCompile(`-+\s*(BEGIN|END)\s+([A-Z0-9 ]{1,40}?)\s*-+`)

// onlyObject decodes the one PEM object, or the base64 without markers, that a text holds.
func onlyObject(text string) ([]byte, error) {
	marks := marker.FindAllStringSubmatchIndex(text, 5)
	if len(marks) == 0 {
		return decodeKey(text)
	}
	word := func(mark []int, group int) string { return text[mark[2*group]:mark[2*group+1]] }
	begins := 0
	for _, mark := range marks {
		if word(mark, 1) == "BEGIN" {
			begins++
		}
	}
	switch {
	case begins > 1:
		return nil, errors.New("saml: more than one key; paste them one at a time")
	case begins == 0 || word(marks[0], 1) != "BEGIN":
		return nil, errors.New("saml: the line with BEGIN is missing")
	case len(marks) == 1:
		return nil, errors.New("saml: the line with END is missing, and perhaps part of the key")
	case len(marks) > 2 || strings.TrimSpace(text[marks[1][1]:]) != "":
		return nil, errors.New("saml: there is text behind the key; paste one key and nothing else")
	case word(marks[0], 2) != word(marks[1], 2):
		return nil, errors.New("saml: the lines with BEGIN and END do not belong together")
	}
	if err := checkLabel(word(marks[0], 2)); err != nil {
		return nil, err
	}
	return decodeKey(text[marks[0][1]:marks[1][0]])
}

func checkLabel(label string) error {
	switch label {
	case "CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE", "PUBLIC KEY", "RSA PUBLIC KEY", "EC PUBLIC KEY":
		return nil
	case "DSA PUBLIC KEY":
		return errDSA
	case "PKCS7", "CMS":
		return errors.New("saml: a PKCS #7 bundle; export the one certificate as Base-64 encoded X.509")
	}
	return fmt.Errorf("saml: a %q is neither a certificate nor a public key", label)
}

// decodeKey reads base64 strictly and says in an administrator's words what is wrong with it.
func decodeKey(body string) ([]byte, error) {
	body = strings.Join(strings.Fields(body), "")
	der, err := base64.StdEncoding.Strict().DecodeString(body)
	switch {
	case body == "":
		return nil, errors.New("saml: there is no key in it")
	case strings.ContainsAny(body, "<>"):
		return nil, errors.New("saml: this is XML; paste only the text inside its X509Certificate element")
	case strings.ContainsFunc(body, notBase64):
		return nil, errors.New("saml: neither PEM nor base64: it has a character that base64 does not have")
	case len(body)%4 != 0:
		return nil, fmt.Errorf("saml: the base64 has %d characters, which is not a multiple of 4: part of it is missing", len(body))
	case err != nil:
		return nil, errors.New("saml: neither PEM nor base64: its end is not as base64 ends")
	}
	return der, nil
}

func notBase64(r rune) bool {
	return (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '+' && r != '/' && r != '='
}

// parseKeyDER tells by its content what der is.
func parseKeyDER(der []byte) (PublicKey, error) {
	if len(der) > maxKeyDER {
		return PublicKey{}, fmt.Errorf("saml: a key of more than %d octets", maxKeyDER)
	}
	if cert, err := x509.ParseCertificate(der); err == nil {
		return keyIn(cert)
	}
	if looksPrivate(der) {
		return PublicKey{}, errPrivateKey
	}
	var outer asn1.RawValue
	behind, err := asn1.Unmarshal(der, &outer)
	if err != nil {
		return PublicKey{}, errNoKey
	}
	if len(behind) > 0 { // OpenSSL's TRUSTED CERTIFICATE has more behind it
		der = slices.Clone(outer.FullBytes)
		if cert, err := x509.ParseCertificate(der); err == nil {
			return keyIn(cert)
		}
	}
	if key, err := x509.ParsePKIXPublicKey(der); err == nil {
		return NewPublicKey(key)
	}
	if key, err := x509.ParsePKCS1PublicKey(der); err == nil {
		return NewPublicKey(key)
	}
	if spki, ok := keyOfCertificate(der); ok {
		if key, err := x509.ParsePKIXPublicKey(spki); err == nil {
			k, err := NewPublicKey(key)
			if err != nil {
				return PublicKey{}, err
			}
			k.certificate = der
			return k, nil
		}
	}
	return PublicKey{}, errNoKey
}

func keyIn(cert *x509.Certificate) (PublicKey, error) {
	k, err := NewPublicKey(cert.PublicKey)
	if err != nil {
		return PublicKey{}, err
	}
	k.certificate, k.notBefore, k.notAfter = cert.Raw, cert.NotBefore, cert.NotAfter
	return k, nil
}

// looksPrivate knows a private key without markers by its shape: PKCS#8, PKCS#1, SEC 1 and DSA begin with a version
// number, as PKCS#12 does, and only a PKCS#1 public key begins with a number too, of two; encrypted PKCS#8 is an algorithm
// and an octet string. It need not be one that can be read.
func looksPrivate(der []byte) bool {
	var parts []asn1.RawValue
	if _, err := asn1.Unmarshal(der, &parts); err != nil || len(parts) < 2 {
		return false
	}
	switch parts[0].Tag {
	case asn1.TagInteger:
		return len(parts) > 2 || parts[1].Tag != asn1.TagInteger
	case asn1.TagSequence:
		return parts[1].Tag == asn1.TagOctetString
	}
	return false
}

// keyOfCertificate finds the SubjectPublicKeyInfo of a certificate that crypto/x509 refuses, for a negative serial number
// or an odd extension: only the key counts.
func keyOfCertificate(der []byte) (spki []byte, ok bool) {
	var certificate struct {
		TBS       asn1.RawValue
		Algorithm asn1.RawValue
		Signature asn1.RawValue
	}
	if _, err := asn1.Unmarshal(der, &certificate); err != nil {
		return nil, false
	}
	var tbs struct {
		Version   asn1.RawValue `asn1:"optional,tag:0"`
		Serial    asn1.RawValue
		Algorithm asn1.RawValue
		Issuer    asn1.RawValue
		Validity  asn1.RawValue
		Subject   asn1.RawValue
		Key       asn1.RawValue
	}
	if _, err := asn1.Unmarshal(certificate.TBS.FullBytes, &tbs); err != nil {
		return nil, false
	}
	return tbs.Key.FullBytes, true
}
