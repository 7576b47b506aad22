package replay_test

import (
	"bytes"
	"crypto"
	"encoding/base64"

	"github.com/beevik/etree"

	"github.com/logintrust/saml"
	"github.com/logintrust/saml/samltest"
)

const (
	xenc   = "http://www.w3.org/2001/04/xmlenc#"
	xenc11 = "http://www.w3.org/2009/xmlenc11#"

	contentPath = ".//EncryptedData/CipherData/CipherValue"
	keyPath     = ".//EncryptedKey/CipherData/CipherValue"
)

// forKey is how something is encrypted for one of the service provider's keys, which is also the one that the case has.
func (w *world) forKey(name string, edit func(e *samltest.Encryption)) []samltest.Encryption {
	w.t.Helper()
	e := samltest.Encryption{Key: privateKey(w.t, name).Public()}
	if edit != nil {
		edit(&e)
	}
	return []samltest.Encryption{e}
}

// encrypted is an answer whose assertion is signed and then encrypted for the service provider.
func (w *world) encrypted(edit func(e *samltest.Encryption)) change {
	return func(v *vector, a *samltest.Answer) {
		v.SP.DecryptionKeyPEM, a.Encrypt = keyText(w.t, "sp-rsa2048"), w.forKey("sp-rsa2048", edit)
	}
}

func algorithms(block, transport string) func(e *samltest.Encryption) {
	return func(e *samltest.Encryption) { e.Block, e.Transport = block, transport }
}

func allowing(options ...string) change {
	return func(v *vector, _ *samltest.Answer) { v.SP.Allow = options }
}

// cipherValue edits the octets of a CipherValue.
func cipherValue(path string, edit func(octets []byte) []byte) change {
	return afterSigning(func(response *etree.Element) {
		e := response.FindElement(path)
		octets, err := base64.StdEncoding.DecodeString(e.Text())
		if err != nil {
			panic(err)
		}
		e.SetText(base64.StdEncoding.EncodeToString(edit(octets)))
	})
}

func flipped(at int) func([]byte) []byte {
	return func(b []byte) []byte {
		b[at] ^= 1
		return b
	}
}

// plaintext edits what is encrypted.
func plaintext(edit func(xml string) string) func(e *samltest.Encryption) {
	return func(e *samltest.Encryption) { e.Plain = func(xml []byte) []byte { return []byte(edit(string(xml))) } }
}

func (w *world) encryptionVectors() []*vector {
	list := append(w.openingVectors(), w.closedVectors()...)
	for _, v := range list {
		v.random = true
	}
	return list
}

// openingVectors are encrypted logins that must work.
func (w *world) openingVectors() []*vector {
	accept := func(name, description, ref string, edits ...change) *vector {
		w.t.Helper()
		return w.login("encryption-"+name, "encryption", description, "", []string{ref}, both(edits...))
	}
	inside := change(responseSigned)
	return []*vector{
		accept("gcm-oaep", "The ordinary encrypted login: AES-256-GCM and RSA-OAEP.", "XML Encryption 1.1, 5.2.4, 5.5.2", w.encrypted(nil)),
		accept("required", "An encrypted assertion, where one is required.", "SAML Profiles 4.1.4.5", w.encrypted(nil), func(v *vector, _ *samltest.Answer) {
			v.SP.RequireEncryptedAssertions = true
		}),
		accept("inside-response", "Only the Response is signed; its signature covers the ciphertext.", "SAML Core 2.3.4", inside, w.encrypted(nil)),
		accept("both-signed", "Response and assertion are signed.", "SAML Core 5.3", w.encrypted(nil), answered(func(a *samltest.Answer) {
			a.Sign = samltest.SignResponse | samltest.SignAssertion
		})),
		accept("aes128-gcm", "AES-128-GCM.", "XML Encryption 1.1, 5.2.4", w.encrypted(algorithms(xenc11+"aes128-gcm", ""))),
		accept("oaep-sha256-mgf1sha256", "RSA-OAEP with SHA-256 throughout.", "XML Encryption 1.1, 5.5.2", w.encrypted(func(e *samltest.Encryption) {
			e.Transport, e.Digest, e.MGF = xenc11+"rsa-oaep", crypto.SHA256, crypto.SHA256
		})),
		accept("mgf1p-sha256", "rsa-oaep-mgf1p with SHA-256: its mask is made with SHA-1 all the same.", "XML Encryption 1.1, 5.5.2", w.encrypted(func(e *samltest.Encryption) {
			e.Digest = crypto.SHA256
		})),
		accept("oaep-label", "RSA-OAEP with OAEPparams.", "XML Encryption 1.1, 5.5.2", w.encrypted(func(e *samltest.Encryption) { e.Label = []byte("label") })),
		accept("old-key", "Encrypted for the key before the current one.", "Federation Interoperability SP08 (IIP-SP08)", func(v *vector, a *samltest.Answer) {
			v.SP.DecryptionKeyPEM, v.SP.OldDecryptionKeyPEM = keyText(w.t, "sp-rsa2048"), keyText(w.t, "sp-old-rsa2048")
			a.Encrypt = w.forKey("sp-old-rsa2048", nil)
		}),
		accept("ecdh-es", "ECDH-ES with ConcatKDF and AES key wrap.", "XML Encryption 1.1, 5.6.4", func(v *vector, a *samltest.Answer) {
			v.SP.DecryptionKeyPEM, a.Encrypt = keyText(w.t, "sp-p256"), w.forKey("sp-p256", nil)
		}),
		accept("key-beside", "The EncryptedKey stands behind the EncryptedData.", "SAML Core 2.2.4, erratum E43", w.encrypted(func(e *samltest.Encryption) { e.Beside = true })),
		accept("for-others-too", "A second EncryptedKey is for another service provider.", "SAML Core 2.2.4, erratum E43", func(v *vector, a *samltest.Answer) {
			v.SP.DecryptionKeyPEM = keyText(w.t, "sp-rsa2048")
			a.Encrypt = append(w.forKey("mallory-rsa2048", func(e *samltest.Encryption) { e.Recipient = other }),
				w.forKey("sp-rsa2048", func(e *samltest.Encryption) { e.Recipient = spEntityID })...)
		}),
		accept("name-id", "An EncryptedID in an assertion in clear.", "SAML Core 2.2.4", func(v *vector, a *samltest.Answer) {
			v.SP.DecryptionKeyPEM, a.EncryptNameID = keyText(w.t, "sp-rsa2048"), w.forKey("sp-rsa2048", nil)
		}),
		accept("attributes", "EncryptedAttributes in an encrypted assertion.", "SAML Core 2.7.3.2", w.encrypted(nil), func(v *vector, a *samltest.Answer) {
			a.EncryptAttributes = w.forKey("sp-rsa2048", nil)
		}),
		accept("signed-cbc", "CBC under the Response's signature, by a trust that allows it.", "SAML Core erratum E93", inside,
			w.encrypted(algorithms(xenc+"aes256-cbc", "")), allowing("AllowSignedCBC")),
		accept("unsigned-cbc", "CBC that no signature covers, by a trust that allows it.", "SAML Core erratum E93",
			w.encrypted(algorithms(xenc+"aes128-cbc", "")), allowing("InsecureAllowUnsignedCBC")),
		accept("signed-3des", "Triple DES under the Response's signature, by a trust that allows both it and CBC.", "NIST SP 800-131A", inside,
			w.encrypted(algorithms(xenc+"tripledes-cbc", "")), allowing("AllowSignedCBC", "Allow3DES")),
		accept("signed-rsa15", "RSA 1.5 under the Response's signature, by a trust that allows it.", "XML Encryption 1.1, 5.5.1", inside,
			w.encrypted(algorithms("", xenc+"rsa-1_5")), allowing("InsecureAllowRSA15")),
	}
}

// closedVectors are encrypted logins that must be refused.
func (w *world) closedVectors() []*vector {
	refuse := func(name string, reason saml.Reason, description, ref string, edits ...change) *vector {
		w.t.Helper()
		return w.refuse("encryption", "encryption-"+name, reason, description, ref, both(edits...))
	}
	inside := change(responseSigned)
	return []*vector{
		refuse("another-key", saml.DecryptionFailed, "Encrypted for a key that is not ours.", "SAML Core 2.3.4", func(v *vector, a *samltest.Answer) {
			v.SP.DecryptionKeyPEM, a.Encrypt = keyText(w.t, "sp-rsa2048"), w.forKey("mallory-rsa2048", nil)
		}),
		refuse("content-changed", saml.DecryptionFailed, "A bit of the ciphertext is changed.", "XML Encryption 1.1, 5.2.4", w.encrypted(nil), cipherValue(contentPath, flipped(40))),
		refuse("tag-changed", saml.DecryptionFailed, "A bit of the tag is changed.", "XML Encryption 1.1, 5.2.4", w.encrypted(nil),
			cipherValue(contentPath, func(b []byte) []byte { return flipped(len(b) - 1)(b) })),
		refuse("key-changed", saml.DecryptionFailed, "A bit of the encrypted key is changed.", "XML Encryption 1.1, 5.5.2", w.encrypted(nil), cipherValue(keyPath, flipped(200))),
		refuse("content-short", saml.DecryptionFailed, "A ciphertext that is shorter than its nonce.", "XML Encryption 1.1, 5.2.4", w.encrypted(nil),
			cipherValue(contentPath, func(b []byte) []byte { return b[:11] })),
		refuse("break-out", saml.DecryptionFailed, "Plaintext that tries to leave the place where it is put.", "SAML Core 2.3.4", w.encrypted(plaintext(func(xml string) string {
			return "</scope>" + xml + "<scope>"
		}))),
		refuse("two-elements", saml.DecryptionFailed, "Two assertions in one ciphertext.", "SAML Core 2.3.4", w.encrypted(plaintext(func(xml string) string { return xml + xml }))),
		refuse("not-an-assertion", saml.DecryptionFailed, "An encrypted Advice in the place of an assertion.", "SAML Core 2.3.4",
			w.encrypted(plaintext(func(string) string { return "<saml:Advice/>" }))),
		refuse("doctype-inside", saml.DecryptionFailed, "A document type declaration inside.", "XML 1.0, 2.8", w.encrypted(plaintext(func(xml string) string { return `<!DOCTYPE x>` + xml }))),
		refuse("bad-padding", saml.DecryptionFailed, "CBC with a broken padding looks like any other ciphertext that does not open.", "Jager and Somorovsky (CCS 2011)",
			w.encrypted(algorithms(xenc+"aes128-cbc", "")), allowing("InsecureAllowUnsignedCBC"), cipherValue(contentPath, func(b []byte) []byte { return flipped(len(b) - 17)(b) })),
		refuse("good-padding", saml.DecryptionFailed, "CBC that opens, and whose content nobody vouches for, looks like one that does not open.", "Jager and Somorovsky (CCS 2011)",
			allowing("InsecureAllowUnsignedCBC"), w.encrypted(func(e *samltest.Encryption) {
				e.Block, e.Plain = xenc+"aes128-cbc", func(xml []byte) []byte { return bytes.Replace(xml, []byte("alice"), []byte("admin"), 1) }
			})),
		refuse("name-id-another-key", saml.DecryptionFailed, "An EncryptedID for a key that is not ours.", "SAML Core 2.2.4", func(v *vector, a *samltest.Answer) {
			v.SP.DecryptionKeyPEM, a.EncryptNameID = keyText(w.t, "sp-rsa2048"), w.forKey("mallory-rsa2048", nil)
		}),
		refuse("unsigned", saml.Unsigned, "An encrypted assertion that nobody signed: anybody can encrypt for us.", "SAML Core errata E26, E93", w.encrypted(nil),
			answered(func(a *samltest.Answer) { a.Sign = samltest.SignNothing })),
		refuse("attackers-key", saml.BadSignature, "The assertion inside is signed by the attacker.", "SAML Core 2.3.4", w.encrypted(nil), answered(func(a *samltest.Answer) { a.Seal = w.mallory })),
		refuse("changed-inside", saml.BadSignature, "The assertion was changed before it was encrypted anew.", "SAML Core 5.4",
			w.encrypted(plaintext(func(xml string) string {
				return string(bytes.Replace([]byte(xml), []byte("alice"), []byte("admin"), 1))
			}))),
		refuse("swapped", saml.BadSignature, "Another ciphertext under the Response's signature.", "SAML Core 5.4", inside, w.encrypted(nil), cipherValue(contentPath, flipped(0))),
		refuse("two", saml.SeveralAssertions, "Two EncryptedAssertions.", "SAML Profiles 4.1.4.2", w.encrypted(nil), afterSigning(func(response *etree.Element) {
			response.AddChild(response.FindElement("./EncryptedAssertion").Copy())
		})),
		refuse("cbc", saml.WeakAlgorithm, "CBC under the Response's signature, by default.", "DESIGN.md section 9, number 2", inside, w.encrypted(algorithms(xenc+"aes256-cbc", ""))),
		refuse("cbc-unsigned", saml.WeakAlgorithm, "CBC that no signature covers, by a trust that allows it under one.", "SAML Core erratum E93",
			w.encrypted(algorithms(xenc+"aes256-cbc", "")), allowing("AllowSignedCBC")),
		refuse("3des", saml.WeakAlgorithm, "Triple DES, by a trust that allows CBC alone.", "NIST SP 800-131A", inside, w.encrypted(algorithms(xenc+"tripledes-cbc", "")), allowing("AllowSignedCBC")),
		refuse("rsa15", saml.WeakAlgorithm, "RSA 1.5, by default.", "DESIGN.md section 9, number 2", inside, w.encrypted(algorithms("", xenc+"rsa-1_5"))),
		refuse("rsa15-unsigned", saml.WeakAlgorithm, "RSA 1.5 that no signature covers, whatever the trust allows.", "Bleichenbacher (CRYPTO 1998)",
			w.encrypted(algorithms("", xenc+"rsa-1_5")), allowing("InsecureAllowRSA15")),
		refuse("unknown-method", saml.UnsupportedAlgorithm, "An algorithm that nobody knows.", "XML Encryption 1.1, 5.1", w.encrypted(nil), afterSigning(func(response *etree.Element) {
			response.FindElement(".//EncryptedData/EncryptionMethod").CreateAttr("Algorithm", xenc11+"aes512-gcm")
		})),
		refuse("cipher-reference", saml.BadResponse, "A ciphertext that would have to be fetched.", "XML Encryption 1.1, 3.3.1", w.encrypted(nil), afterSigning(func(response *etree.Element) {
			e := response.FindElement(contentPath)
			e.Tag = "CipherReference"
			e.SetText("")
			e.CreateAttr("URI", "http://127.0.0.1:1/")
		})),
		refuse("no-key-of-ours", saml.EncryptedAssertion, "An encrypted assertion, and a service provider without keys.", "SAML Core 2.3.4", w.encrypted(nil), func(v *vector, _ *samltest.Answer) {
			v.SP.DecryptionKeyPEM = ""
		}),
		refuse("for-another", saml.EncryptedAssertion, "Every EncryptedKey names another recipient.", "SAML Core 2.2.4, erratum E43",
			w.encrypted(func(e *samltest.Encryption) { e.Recipient = other })),
		refuse("name-only", saml.EncryptionRequired, "An EncryptedID in an assertion in clear, where an encrypted assertion is required.", "SAML Profiles 4.1.4.5", func(v *vector, a *samltest.Answer) {
			v.SP.RequireEncryptedAssertions, v.SP.DecryptionKeyPEM, a.EncryptNameID = true, keyText(w.t, "sp-rsa2048"), w.forKey("sp-rsa2048", nil)
		}),
	}
}
