package samltest

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"net/url"
	"strings"

	"github.com/beevik/etree"

	saml "github.com/logintrust/saml"
	"github.com/logintrust/saml/internal/compose"
)

const (
	nsEncryption   = "http://www.w3.org/2001/04/xmlenc#"
	nsEncryption11 = "http://www.w3.org/2009/xmlenc11#"

	cbcPaper = "Jager and Somorovsky, How to Break XML Encryption (CCS 2011)"
	bothPubs = "Somorovsky, On the Insecurity of XML Security (2013), section 5.4"
)

// encryptedAttacks use that anybody can encrypt for the service provider: a ciphertext proves nothing, and where it stands
// does not either. Unless Base says otherwise the assertion inside is signed, and what stands around it is not.
func encryptedAttacks() []Attack {
	closed := because(saml.DecryptionFailed)
	several := because(saml.SeveralAssertions)
	inert := because(saml.Unsigned, saml.BadResponse, saml.MalformedSignature)
	inside := signing(SignResponse)
	return []Attack{
		{Name: "encrypted, and signed by nobody", Reference: "SAML Core erratum E26", Reasons: because(saml.Unsigned),
			Forge: before(func(a *Answer) { a.Sign = SignNothing })},
		{Name: "in clear, where it must be encrypted", Reference: "the login trust's options", Reasons: because(saml.EncryptionRequired),
			Demand: func(t *saml.LoginTrust) { t.RequireEncryption = true }, Forge: before(func(a *Answer) { a.Encrypt = nil })},
		{Name: "encrypted, without a time of its issue", Reference: "SAML Core 2.3.3", Reasons: because(saml.BadResponse),
			Forge: before(func(a *Answer) { a.Assertion().IssueInstant = "" })},
		{Name: "encrypted, and signed by the attacker", Reference: "SAML Core 5.4.5", Reasons: because(saml.BadSignature),
			Forge: func(s *Scene) url.Values {
				a := s.Answer()
				a.Seal = s.Mallory
				return a.Form()
			}},
		{Name: "encrypted for us by another service provider that received it", Reference: "SAML Profiles 4.1.4.2", Reasons: because(saml.WrongAudience),
			Forge: before(func(a *Answer) { a.Assertion().Conditions.Audiences = [][]string{{"https://other.example.com"}} })},
		{Name: "changed, and encrypted anew", Reference: "XML Signature 3.2.1", Reasons: because(saml.BadSignature),
			Forge: plain(func(xml string) string { return strings.Replace(xml, ">alice<", ">"+evil+"<", 1) })},
		{Name: "signature taken off, and encrypted anew", Reference: xsw + "section 5.1, signature exclusion", Reasons: because(saml.Unsigned),
			Forge: plainTree(func(assertion *etree.Element) { assertion.RemoveChild(signatureOf(assertion)) })},
		{Name: "XSW4 in the plaintext: forged assertion around the signed one", Reference: xsw + "XSW4", Reasons: inert,
			Forge: plainTree(func(assertion *etree.Element) {
				genuine := assertion.Copy()
				become(assertion, forged(assertion))
				assertion.AddChild(genuine)
			})},
		{Name: "XSW8 in the plaintext: signed assertion in a ds:Object of the forged one's signature", Reference: xsw + "XSW8", Reasons: append(inert, saml.BadSignature),
			Forge: plainTree(func(assertion *etree.Element) {
				genuine, signature := bare(assertion), signatureOf(assertion).Copy()
				become(assertion, forged(assertion))
				place(signature, len(signature.Child), "Object", genuine)
				insertAfterIssuer(assertion, signature)
			})},
		{Name: "forged and signed assertion in one ciphertext", Reference: "SAML Core 2.3.4", Reasons: closed,
			Forge: plain(func(xml string) string { return strings.Replace(xml, ">alice<", ">"+evil+"<", 1) + xml })},
		{Name: "signed and forged assertion in one ciphertext", Reference: "SAML Core 2.3.4", Reasons: closed,
			Forge: plain(func(xml string) string { return xml + strings.Replace(xml, ">alice<", ">"+evil+"<", 1) })},
		{Name: "plaintext that closes the element around it", Reference: bothPubs, Reasons: closed,
			Forge: plain(func(xml string) string { return "</scope>" + xml + "<scope>" })},
		{Name: "plaintext that closes the EncryptedAssertion", Reference: bothPubs, Reasons: closed,
			Forge: plain(func(xml string) string { return "</saml:EncryptedAssertion>" + xml + "<saml:EncryptedAssertion>" })},
		{Name: "plaintext with a document type declaration", Reference: "CWE-611", Reasons: closed,
			Forge: plain(func(xml string) string { return `<!DOCTYPE x [<!ENTITY y SYSTEM "file:///etc/passwd">]>` + xml })},
		{Name: "plaintext that is a bomb of depth", Reference: "CWE-674", Reasons: closed,
			Forge: plain(func(xml string) string {
				const deep = 5000
				return strings.Repeat("<saml:Advice>", deep) + xml + strings.Repeat("</saml:Advice>", deep)
			})},
		{Name: "encrypted Response in the place of an assertion", Reference: "SAML Core 2.3.4", Reasons: closed,
			Forge: plain(func(xml string) string { return "<samlp:Response>" + xml + "</samlp:Response>" })},
		{Name: "encrypted assertion encrypted once more", Reference: "SAML Core 2.3.4", Reasons: closed,
			Forge: func(s *Scene) url.Values {
				return plain(func(xml string) string {
					return "<saml:EncryptedAssertion>" + sealedText(s, xml) + "</saml:EncryptedAssertion>"
				})(s)
			}},
		{Name: "plaintext with the ID of the response", Reference: "SAML Core 1.3.4", Reasons: because(saml.BadResponse),
			Forge: before(func(a *Answer) { a.ID = a.Assertion().ID })},
		{Name: "forged encrypted assertion before the genuine one", Reference: xsw + "XSW3", Reasons: several, Forge: beside(0)},
		{Name: "forged encrypted assertion after the genuine one", Reference: xsw + "XSW3", Reasons: several, Forge: beside(1)},
		{Name: "forged assertion in clear before the encrypted one", Reference: xsw + "XSW3", Reasons: several, Forge: clearBeside(0)},
		{Name: "forged assertion in clear after the encrypted one", Reference: xsw + "XSW3", Reasons: several, Forge: clearBeside(1)},
		{Name: "forged assertion in clear, the encrypted one in Extensions", Reference: xsw + "section 4.2", Reasons: inert,
			Forge: displaced(func(response, _, genuine *etree.Element) { place(response, 1, "Extensions", genuine) })},
		{Name: "forged assertion in clear, the encrypted one in StatusDetail", Reference: xsw + "section 4.2", Reasons: inert,
			Forge: displaced(func(response, _, genuine *etree.Element) {
				status := find(response, nsProtocol, "Status")
				place(status, len(status.Child), "StatusDetail", genuine)
			})},
		{Name: "forged assertion in clear, the encrypted one in its Advice", Reference: "SAML Core 2.6", Reasons: inert,
			Forge: displaced(func(_, forged, genuine *etree.Element) {
				place(forged, forged.SelectElement("Conditions").Index()+1, "Advice", genuine)
			})},
		{Name: "encrypted assertion inside an EncryptedAssertion", Reference: "SAML Core 2.3.4, schema", Reasons: because(saml.BadResponse),
			Forge: after(func(response *etree.Element) {
				genuine := encryptedOf(response)
				outer := genuine.Copy()
				become(genuine, outer.Copy())
				empty(genuine)
				genuine.AddChild(outer)
			})},
		{Name: "signed response, its ciphertext that of another answer", Reference: "XML Signature 3.2.1", Reasons: because(saml.BadSignature), Base: inside,
			Forge: func(s *Scene) url.Values {
				other := parsed(s.Answer().XML()).FindElement(".//EncryptedData")
				return after(func(response *etree.Element) {
					genuine := encryptedOf(response).SelectElement("EncryptedData")
					genuine.Parent().InsertChildAt(genuine.Index(), other)
					genuine.Parent().RemoveChild(genuine)
				})(s)
			}},
		{Name: "signed response, its ciphertext the attacker's", Reference: "XML Signature 3.2.1", Reasons: because(saml.BadSignature), Base: inside,
			Forge: func(s *Scene) url.Values {
				a := s.Answer()
				a.AfterSign = func(response *etree.Element) {
					own := s.AnswerTo(Request{ID: a.InResponseTo, SPEntityID: s.SP.EntityID, ACSURL: s.SP.ACSURL})
					own.Assertion().Subject.NameID.Value = evil
					become(encryptedOf(response), encryptedOf(parsed(own.XML())))
				}
				return a.Form()
			}},
		{Name: "unsigned envelope around the ciphertext of a signed response", Reference: "SAML Core 5.3", Reasons: because(saml.Unsigned), Base: inside,
			Forge: after(func(response *etree.Element) { response.RemoveChild(signatureOf(response)) })},
		{Name: "ciphertext of the answer to another request", Reference: "SAML Profiles 4.1.4.3", Reasons: because(saml.WrongInResponseTo),
			Forge: func(s *Scene) url.Values {
				a := s.Answer()
				a.InResponseTo = s.Begin().ID
				return a.Form()
			}},
		{Name: "encrypted NameID of another under the assertion's signature", Reference: "SAML Core 2.2.4", Reasons: because(saml.BadSignature), Base: nameEncrypted,
			Forge: func(s *Scene) url.Values {
				other := s.Answer()
				encryptName(other, s.SP)
				theirs := parsed(other.XML()).FindElement(".//EncryptedID/EncryptedData")
				a := s.Answer()
				encryptName(a, s.SP)
				a.AfterSign = func(response *etree.Element) {
					genuine := response.FindElement(".//EncryptedID/EncryptedData")
					genuine.Parent().InsertChildAt(genuine.Index(), theirs)
					genuine.Parent().RemoveChild(genuine)
				}
				return a.Form()
			}},
	}
}

// ciphertextAttacks change what a private key is to be used on: to learn something from the refusal, to have it used often,
// or to have it used on what nobody should encrypt with.
func ciphertextAttacks() []Attack {
	closed := because(saml.DecryptionFailed)
	weak := because(saml.WeakAlgorithm)
	unknown := because(saml.UnsupportedAlgorithm)
	malformed := because(saml.BadResponse)
	method := func(of, algorithm string) forge {
		return after(func(response *etree.Element) {
			response.FindElement(".//"+of+"/EncryptionMethod").CreateAttr("Algorithm", algorithm)
		})
	}
	const data, key = "EncryptedData", "EncryptedKey"
	return []Attack{
		{Name: "a bit of the ciphertext", Reference: "XML Encryption 1.1, 5.2.4", Reasons: closed, Forge: cipherValue(data, flip(40))},
		{Name: "a bit of the nonce", Reference: "XML Encryption 1.1, 5.2.4", Reasons: closed, Forge: cipherValue(data, flip(0))},
		{Name: "a bit of the tag", Reference: "XML Encryption 1.1, 5.2.4", Reasons: closed, Forge: cipherValue(data, flip(-1))},
		{Name: "a tag of 96 bits", Reference: "NIST SP 800-38D, appendix C", Reasons: closed, Forge: cipherValue(data, func(b []byte) []byte { return b[:len(b)-4] })},
		{Name: "a nonce and nothing else", Reference: "XML Encryption 1.1, 5.2.4", Reasons: closed, Forge: cipherValue(data, func(b []byte) []byte { return b[:12] })},
		{Name: "one octet of ciphertext", Reference: "XML Encryption 1.1, 5.2.4", Reasons: closed, Forge: cipherValue(data, func(b []byte) []byte { return b[:1] })},
		{Name: "no ciphertext", Reference: "XML Encryption 1.1, 3.3", Reasons: malformed, Forge: cipherValue(data, func([]byte) []byte { return nil })},
		{Name: "ciphertext that is not base64", Reference: "XML Encryption 1.1, 3.3", Reasons: malformed,
			Forge: after(func(response *etree.Element) {
				response.FindElement(".//EncryptedData/CipherData/CipherValue").SetText("%%%%")
			})},
		{Name: "a bit of the encrypted key", Reference: "Manger, A Chosen Ciphertext Attack on RSA-OAEP (CRYPTO 2001)", Reasons: closed, Forge: cipherValue(key, flip(-8))},
		{Name: "an encrypted key of zeros", Reference: "Manger (CRYPTO 2001)", Reasons: closed, Forge: cipherValue(key, func(b []byte) []byte { return make([]byte, len(b)) })},
		{Name: "an encrypted key that is too short", Reference: "XML Encryption 1.1, 5.5.2", Reasons: closed, Forge: cipherValue(key, func(b []byte) []byte { return b[:len(b)-8] })},
		{Name: "an encrypted key that is too long", Reference: "XML Encryption 1.1, 5.5.2", Reasons: closed,
			Forge: cipherValue(key, func(b []byte) []byte { return append(b, b...) })},
		{Name: "an encrypted key of 100 KB", Reference: "CWE-400", Reasons: because(saml.TooLarge), Forge: cipherValue(key, func([]byte) []byte { return make([]byte, 100_000) })},
		{Name: "a key for a cipher of another length", Reference: "XML Encryption 1.1, 5.2", Reasons: closed, Forge: method(data, nsEncryption11+"aes128-gcm")},
		{Name: "GCM called CBC", Reference: "Jager, Paterson and Somorovsky, One Bad Apple (NDSS 2013)", Reasons: weak, Forge: method(data, nsEncryption+"aes256-cbc")},
		{Name: "OAEP called RSA 1.5", Reference: "Jager, Schinzel and Somorovsky, Bleichenbacher's Attack Strikes Again (ESORICS 2012)", Reasons: weak,
			Forge: method(key, nsEncryption+"rsa-1_5")},
		{Name: "CBC", Reference: cbcPaper, Reasons: weak, Forge: before(func(a *Answer) { a.Encrypt[0].Block = nsEncryption + "aes128-cbc" })},
		{Name: "CBC in a signed response", Reference: cbcPaper, Reasons: weak, Base: signing(SignResponse),
			Forge: before(func(a *Answer) { a.Encrypt[0].Block = nsEncryption + "aes256-cbc" })},
		{Name: "Triple DES", Reference: "Bhargavan and Leurent, Sweet32 (CCS 2016)", Reasons: weak, Forge: before(func(a *Answer) { a.Encrypt[0].Block = nsEncryption + "tripledes-cbc" })},
		{Name: "no EncryptionMethod of the data", Reference: "XML Encryption 1.1, 3.2", Reasons: unknown,
			Forge: after(func(response *etree.Element) { response.FindElement(".//EncryptedData/EncryptionMethod").Remove() })},
		{Name: "no EncryptionMethod of the key", Reference: "XML Encryption 1.1, 3.2", Reasons: unknown,
			Forge: after(func(response *etree.Element) { response.FindElement(".//EncryptedKey/EncryptionMethod").Remove() })},
		{Name: "unknown cipher", Reference: "XML Encryption 1.1, 5.1", Reasons: unknown, Forge: method(data, "urn:example:rot13")},
		{Name: "unknown key transport", Reference: "XML Encryption 1.1, 5.1", Reasons: unknown, Forge: method(key, "urn:example:rot13")},
		{Name: "unknown mask generation", Reference: "XML Encryption 1.1, 5.5.2", Reasons: unknown,
			Forge: after(func(response *etree.Element) {
				m := response.FindElement(".//EncryptedKey/EncryptionMethod")
				m.CreateAttr("Algorithm", nsEncryption11+"rsa-oaep")
				if known := m.SelectElement("MGF"); known != nil {
					known.Remove()
				}
				mgf := m.CreateElement("x:MGF")
				mgf.CreateAttr("xmlns:x", nsEncryption11)
				mgf.CreateAttr("Algorithm", nsEncryption11+"mgf1md5")
			})},
		{Name: "ciphertext to be fetched", Reference: "CWE-918; XML Encryption 1.1, 3.3.1", Reasons: malformed,
			Forge: after(func(response *etree.Element) {
				e := response.FindElement(".//EncryptedData/CipherData/CipherValue")
				empty(e)
				e.Tag = "CipherReference"
				e.CreateAttr("URI", "http://127.0.0.1:1/")
			})},
		{Name: "key to be fetched", Reference: "CWE-918; XML Signature 1.1, 4.5.3", Reasons: because(saml.EncryptedAssertion),
			Forge: after(func(response *etree.Element) {
				e := response.FindElement(".//EncryptedData/KeyInfo")
				empty(e)
				place(e, 0, "RetrievalMethod").CreateAttr("URI", "http://127.0.0.1:1/")
			})},
		{Name: "no key", Reference: "XML Encryption 1.1, 3.5", Reasons: because(saml.EncryptedAssertion),
			Forge: after(func(response *etree.Element) { response.FindElement(".//EncryptedKey").Remove() })},
		{Name: "key for another recipient", Reference: "SAML Core 2.2.4, erratum E43", Reasons: because(saml.EncryptedAssertion),
			Forge: before(func(a *Answer) { a.Encrypt[0].Recipient = "https://other.example.com" })},
		{Name: "ten thousand keys", Reference: "CWE-400", Reasons: because(saml.TooLarge),
			Forge: after(func(response *etree.Element) {
				e := response.FindElement(".//EncryptedKey")
				for range 10_000 {
					e.Parent().AddChild(e.Copy())
				}
			})},
		{Name: "sixteen keys that do not open", Reference: "CWE-400", Reasons: closed,
			Forge: after(func(response *etree.Element) {
				e := response.FindElement(".//EncryptedKey")
				corrupt(e.FindElement("./CipherData/CipherValue"))
				for range 15 {
					e.Parent().AddChild(e.Copy())
				}
			})},
		{Name: "two EncryptedData", Reference: "SAML Core 2.3.4, schema", Reasons: malformed,
			Forge: after(func(response *etree.Element) {
				e := response.FindElement(".//EncryptedData")
				e.Parent().AddChild(e.Copy())
			})},
		{Name: "two CipherData", Reference: "XML Encryption 1.1, 3.1, schema", Reasons: malformed,
			Forge: after(func(response *etree.Element) {
				e := response.FindElement(".//EncryptedData/CipherData")
				e.Parent().AddChild(e.Copy())
			})},
		{Name: "content in the place of an element", Reference: "SAML Core 2.2.4", Reasons: malformed,
			Forge: after(func(response *etree.Element) {
				response.FindElement(".//EncryptedData").CreateAttr("Type", nsEncryption+"Content")
			})},
		{Name: "a sender's key off the curve", Reference: "Jager, Schwenk and Somorovsky, Practical Invalid Curve Attacks (ESORICS 2015)", Reasons: malformed,
			Forge: senderKey(func(point []byte) []byte { return flip(-1)(point) })},
		{Name: "a sender's key at infinity", Reference: "NIST SP 800-56A, 5.6.2.3", Reasons: malformed, Forge: senderKey(func([]byte) []byte { return []byte{0} })},
	}
}

// plain forges by editing what is encrypted, after it was signed: anybody can encrypt it anew.
func plain(change func(xml string) string) forge {
	return before(func(a *Answer) {
		a.Encrypt[0].Plain = func(xml []byte) []byte { return []byte(change(string(xml))) }
	})
}

// plainTree does so with the tree.
func plainTree(change func(assertion *etree.Element)) forge {
	return plain(func(xml string) string {
		root := parsed([]byte(xml))
		change(root)
		return string(serialize(root.Copy(), false))
	})
}

func parsed(xml []byte) *etree.Element {
	doc := etree.NewDocument()
	if err := doc.ReadFromBytes(xml); err != nil {
		panic(err)
	}
	return doc.Root()
}

// sealedText is XML encrypted for the service provider: an EncryptedData.
func sealedText(s *Scene, xml string) string {
	e, err := compose.Encrypted("x", []byte(xml), compose.Encryption{Key: s.SP.EncryptionKey})
	if err != nil {
		panic(err)
	}
	return string(serialize(e.SelectElement("EncryptedData").Copy(), false))
}

func encryptedOf(response *etree.Element) *etree.Element {
	return find(response, nsAssertion, "EncryptedAssertion")
}

// beside puts an assertion that the attacker made, unsigned and encrypted, before or after the genuine one.
func beside(after int) forge {
	return func(s *Scene) url.Values {
		a := s.Answer()
		own := s.AnswerTo(Request{ID: a.InResponseTo, SPEntityID: s.SP.EntityID, ACSURL: s.SP.ACSURL})
		own.Sign = SignNothing
		own.Assertion().Subject.NameID.Value = evil
		theirs := encryptedOf(parsed(own.XML()))
		a.AfterSign = func(response *etree.Element) { response.InsertChildAt(encryptedOf(response).Index()+after, theirs) }
		return a.Form()
	}
}

// inClear is an assertion that the attacker made, as a reader finds it in an answer to the same request.
func inClear(s *Scene, a *Answer) *etree.Element {
	own := s.AnswerTo(Request{ID: a.InResponseTo, SPEntityID: s.SP.EntityID, ACSURL: s.SP.ACSURL})
	own.Sign, own.Encrypt = SignNothing, nil
	own.Assertion().Subject.NameID.Value = evil
	return assertionOf(parsed(own.XML())).Copy()
}

func clearBeside(after int) forge {
	return func(s *Scene) url.Values {
		a := s.Answer()
		own := inClear(s, a)
		a.AfterSign = func(response *etree.Element) { response.InsertChildAt(encryptedOf(response).Index()+after, own) }
		return a.Form()
	}
}

// displaced puts an assertion that the attacker made in the place of the encrypted one, which is put elsewhere.
func displaced(put func(response, forged, genuine *etree.Element)) forge {
	return func(s *Scene) url.Values {
		a := s.Answer()
		own := inClear(s, a)
		a.AfterSign = func(response *etree.Element) {
			genuine := encryptedOf(response)
			at := genuine.Index()
			response.RemoveChildAt(at)
			response.InsertChildAt(at, own)
			put(response, own, genuine)
		}
		return a.Form()
	}
}

// nameEncrypted is the Base of an attack on an EncryptedID in an assertion in clear.
func nameEncrypted(a *Answer) { a.EncryptNameID, a.Encrypt = a.Encrypt, nil }

func encryptName(a *Answer, sp SP) { a.EncryptNameID = []Encryption{{Key: sp.EncryptionKey}} }

// cipherValue forges by editing the octets of the EncryptedData or the EncryptedKey.
func cipherValue(of string, change func(octets []byte) []byte) forge {
	return after(func(response *etree.Element) {
		editOctets(response.FindElement(".//"+of+"/CipherData/CipherValue"), change)
	})
}

func editOctets(e *etree.Element, change func(octets []byte) []byte) {
	octets, err := base64.StdEncoding.DecodeString(e.Text())
	if err != nil {
		panic(err)
	}
	e.SetText(base64.StdEncoding.EncodeToString(change(octets)))
}

// flip changes a bit at that place, from the end if it is negative.
func flip(at int) func([]byte) []byte {
	return func(b []byte) []byte {
		b = bytes.Clone(b)
		b[(at+len(b))%len(b)] ^= 1
		return b
	}
}

// senderKey forges an agreement of keys, whatever kind of key the service provider has, with an edited key of the sender.
func senderKey(change func(point []byte) []byte) forge {
	return before(func(a *Answer) {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			panic(err)
		}
		a.Encrypt[0].Key = key.Public()
		a.AfterSign = func(response *etree.Element) { editOctets(response.FindElement(".//PublicKey"), change) }
	})
}
