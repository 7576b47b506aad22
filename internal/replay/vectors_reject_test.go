package replay_test

import (
	"encoding/base64"
	"strings"
	"time"

	"github.com/beevik/etree"

	"github.com/logintrust/saml"
	"github.com/logintrust/saml/samltest"
)

// A change edits a case and the answer in it.
type change = func(v *vector, a *samltest.Answer)

// refuse is a case that must be refused for that reason.
func (w *world) refuse(class, name string, reason saml.Reason, description, ref string, edit change) *vector {
	w.t.Helper()
	return w.login("reject-"+name, class, description, string(reason), []string{ref}, edit)
}

// answered edits the answer alone.
func answered(edit func(a *samltest.Answer)) change {
	return func(_ *vector, a *samltest.Answer) { edit(a) }
}

// asserted edits the assertion alone.
func asserted(edit func(a *samltest.Assertion)) change {
	return func(_ *vector, a *samltest.Answer) { edit(a.Assertion()) }
}

// confirmed edits the bearer confirmation alone.
func confirmed(edit func(c *samltest.Confirmation)) change {
	return func(_ *vector, a *samltest.Answer) { edit(&a.Assertion().Subject.Confirmations[0]) }
}

// conditioned edits the conditions alone.
func conditioned(edit func(c *samltest.Conditions)) change {
	return func(_ *vector, a *samltest.Answer) { edit(a.Assertion().Conditions) }
}

// afterSigning edits the message after it was signed.
func afterSigning(edit func(response *etree.Element)) change {
	return func(_ *vector, a *samltest.Answer) { a.AfterSign = edit }
}

// octets edits the message as it goes over the wire.
func octets(edit func(xml string) string) change {
	return func(_ *vector, a *samltest.Answer) {
		a.Bytes = func(xml []byte) []byte { return []byte(edit(string(xml))) }
	}
}

func both(edits ...change) change {
	return func(v *vector, a *samltest.Answer) {
		for _, edit := range edits {
			edit(v, a)
		}
	}
}

func responseSigned(_ *vector, a *samltest.Answer) { a.Sign = samltest.SignResponse }

func (w *world) signatureVectors() []*vector {
	refuse := func(name string, reason saml.Reason, description, ref string, edit change) *vector {
		w.t.Helper()
		return w.refuse("signature", name, reason, description, ref, edit)
	}
	const keyInfo = "SAML V2.0 Metadata Interoperability Profile 2.6.1"
	inSignature := func(edit func(signature *etree.Element)) change {
		return afterSigning(func(response *etree.Element) { edit(response.FindElement("//Assertion/Signature")) })
	}
	return []*vector{
		refuse("unsigned", saml.Unsigned, "Neither Response nor assertion is signed.", "SAML Profiles 4.1.4.5", answered(func(a *samltest.Answer) { a.Sign = samltest.SignNothing })),
		refuse("signature-removed", saml.Unsigned, "The signature was cut out.", "SAML Profiles 4.1.4.5",
			afterSigning(func(response *etree.Element) { remove(response.FindElement("//Assertion/Signature")) })),
		refuse("name-changed", saml.BadSignature, "The NameID was changed after signing.", "SAML Core 5.4",
			afterSigning(func(response *etree.Element) { response.FindElement("//NameID").SetText("admin") })),
		refuse("signature-value-changed", saml.BadSignature, "The SignatureValue is another's.", "XML Signature 1.1, 3.2.2", inSignature(func(s *etree.Element) {
			s.SelectElement("SignatureValue").SetText(base64.StdEncoding.EncodeToString(make([]byte, 256)))
		})),
		refuse("attackers-key", saml.BadSignature, "Signed by the attacker, whose certificate is in the message.", keyInfo, answered(func(a *samltest.Answer) { a.Seal = w.mallory })),
		refuse("attackers-key-genuine-certificate", saml.BadSignature, "Signed by the attacker under the genuine certificate.", keyInfo, answered(func(a *samltest.Answer) {
			genuine := a.Seal.Certificate
			a.Seal = w.mallory
			a.Seal.Certificate = genuine
		})),
		refuse("encryption-key", saml.BadSignature, "Signed with the key that metadata lists for encryption.", "SAML Metadata 2.4.1.1", func(v *vector, a *samltest.Answer) {
			encryption := w.seal("next-rsa2048")
			v.IdPMetadata = metadata(idpEntityID, "", keyDescriptor("signing", a.Seal.Certificate), keyDescriptor("encryption", encryption.Certificate))
			a.Seal = encryption
		}),
		refuse("attackers-response", saml.BadSignature, "A genuine assertion in a Response that the attacker signed: every signature that counts must verify.", "DESIGN.md section 9, number 1",
			answered(func(a *samltest.Answer) {
				a.Sign = samltest.SignResponse | samltest.SignAssertion
				genuine := a.Seal
				a.Seal, a.AssertionSeal = w.mallory, &genuine
			})),
		refuse("no-key-of-type", saml.NoKeyOnFile, "Signed with an EC key, while only an RSA key is on file.", "SAML Core 5.4", answered(func(a *samltest.Answer) { a.Seal = w.seal("idp-p256") })),
		refuse("rsa-sha1", saml.WeakAlgorithm, "RSA with SHA-1.", "RFC 6931 2.3.1", answered(func(a *samltest.Answer) { a.Seal.Method = samltest.RSASHA1 })),
		refuse("sha1-digest", saml.WeakAlgorithm, "A digest with SHA-1 under a signature with SHA-256.", "XML Signature 1.1, 6.2.1", answered(func(a *samltest.Answer) { a.Seal.Digest = samltest.SHA1 })),
		refuse("inclusive", saml.WeakAlgorithm, "Inclusive canonicalisation of the assertion.", "DESIGN.md section 9, number 8", answered(func(a *samltest.Answer) { a.Seal.C14N = samltest.Inclusive })),
		refuse("rsa-md5", saml.UnsupportedAlgorithm, "RSA with MD5.", "RFC 6931 2.3.1", answered(func(a *samltest.Answer) { a.Seal.Method = "http://www.w3.org/2001/04/xmldsig-more#rsa-md5" })),
		refuse("hmac", saml.UnsupportedAlgorithm, "An HMAC, whose secret would be the public key.", "CVE-2015-9235 for tokens", inSignature(func(s *etree.Element) {
			s.FindElement(".//SignatureMethod").CreateAttr("Algorithm", "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256")
		})),
		refuse("rsa1024", saml.WeakKey, "The key on file has 1024 bits.", "NIST SP 800-131A", func(v *vector, a *samltest.Answer) {
			a.Seal = w.seal("weak-rsa1024")
			v.IdPMetadata = metadata(idpEntityID, "", keyDescriptor("signing", a.Seal.Certificate))
		}),
		refuse("two-references", saml.MalformedSignature, "A second Reference in SignedInfo.", "SAML Core 5.4.2", inSignature(func(s *etree.Element) {
			info := s.SelectElement("SignedInfo")
			info.AddChild(info.SelectElement("Reference").Copy())
		})),
		refuse("object", saml.MalformedSignature, "A ds:Object in the signature.", "SAML Core erratum E91", inSignature(func(s *etree.Element) { s.CreateElement("ds:Object") })),
		refuse("empty-reference", saml.MalformedSignature, "A Reference with an empty URI, to the whole document.", "SAML Core 5.4.2", inSignature(func(s *etree.Element) {
			s.FindElement(".//Reference").CreateAttr("URI", "")
		})),
		refuse("xslt", saml.MalformedSignature, "A transform by XSLT.", "SAML Core 5.4.4", inSignature(func(s *etree.Element) {
			s.FindElement(".//Transform").CreateAttr("Algorithm", "http://www.w3.org/TR/1999/REC-xslt-19991116")
		})),
		refuse("no-enveloped-transform", saml.MalformedSignature, "No enveloped-signature transform.", "SAML Core 5.4.4", inSignature(func(s *etree.Element) {
			remove(s.FindElement(".//Transform"))
		})),
		refuse("in-clear", saml.EncryptionRequired, "An assertion in clear, where an encrypted one is required.", "SAML Profiles 4.1.4.5", func(v *vector, _ *samltest.Answer) {
			v.SP.RequireEncryptedAssertions = true
		}),
	}
}

func remove(e *etree.Element) { e.Parent().RemoveChild(e) }

// forged is a copy of an assertion or Response for the attacker, without its signatures.
func forged(genuine *etree.Element) *etree.Element {
	evil := genuine.Copy()
	for _, s := range evil.FindElements(".//Signature") {
		remove(s)
	}
	for _, name := range evil.FindElements(".//NameID") {
		name.SetText("admin")
	}
	return evil
}

// reidentified gives an element, and what is in it, IDs of its own.
func reidentified(e *etree.Element) *etree.Element {
	for _, x := range append(e.FindElements(".//*"), e) {
		if id := x.SelectAttr("ID"); id != nil {
			id.Value += "_evil"
		}
	}
	return e
}

// bare is a copy of a signed element without its signature.
func bare(e *etree.Element) *etree.Element {
	copied := e.Copy()
	copied.RemoveChild(copied.SelectElement("Signature"))
	return copied
}

// replaceAssertion puts a forged assertion in the place of the signed one, which hide puts elsewhere.
func replaceAssertion(hide func(response, genuine, evil *etree.Element)) change {
	return afterSigning(func(response *etree.Element) {
		assertion := response.SelectElement("Assertion")
		genuine, evil := assertion.Copy(), reidentified(forged(assertion))
		response.InsertChildAt(assertion.Index(), evil)
		response.RemoveChild(assertion)
		hide(response, genuine, evil)
	})
}

func extensions(response, content *etree.Element) {
	e := etree.NewElement("samlp:Extensions")
	e.AddChild(content)
	response.InsertChildAt(1, e)
}

func (w *world) wrappingVectors() []*vector {
	refuse := func(name string, reason saml.Reason, description, ref string, edit change) *vector {
		w.t.Helper()
		return w.refuse("wrapping", name, reason, description, "Somorovsky et al., On Breaking SAML (USENIX Security 2012)"+ref, edit)
	}
	return []*vector{
		refuse("xsw-before", saml.SeveralAssertions, "A forged assertion before the signed one.", ", XSW3", afterSigning(func(response *etree.Element) {
			genuine := response.SelectElement("Assertion")
			response.InsertChildAt(genuine.Index(), reidentified(forged(genuine)))
		})),
		refuse("xsw-after", saml.SeveralAssertions, "A forged assertion after the signed one.", "; CVE-2022-41912", afterSigning(func(response *etree.Element) {
			response.AddChild(reidentified(forged(response.SelectElement("Assertion"))))
		})),
		refuse("xsw-around", saml.Unsigned, "A forged assertion around the signed one.", ", XSW4", replaceAssertion(func(_, genuine, evil *etree.Element) {
			evil.AddChild(genuine)
		})),
		refuse("xsw-in-object", saml.MalformedSignature, "The signed assertion in a ds:Object of its own signature in the forged one.", ", XSW8", replaceAssertion(func(_, genuine, evil *etree.Element) {
			signature := genuine.SelectElement("Signature").Copy()
			signature.CreateElement("ds:Object").AddChild(bare(genuine))
			evil.InsertChildAt(1, signature)
		})),
		refuse("xsw-in-extensions", saml.Unsigned, "The signed assertion in Extensions, a forged one in its place.", ", section 4.2", replaceAssertion(func(response, genuine, _ *etree.Element) {
			extensions(response, genuine)
		})),
		refuse("xsw-same-id", saml.BadResponse, "A forged assertion with the ID of the signed one in Extensions.", ", XSW7; CVE-2024-45409", afterSigning(func(response *etree.Element) {
			extensions(response, forged(response.SelectElement("Assertion")))
		})),
		refuse("xsw-in-advice", saml.Unsigned, "The signed assertion in the Advice of a forged one.", "; SAML Core 2.6", replaceAssertion(func(_, genuine, evil *etree.Element) {
			advice := etree.NewElement("saml:Advice")
			advice.AddChild(genuine)
			evil.InsertChildAt(evil.SelectElement("Conditions").Index()+1, advice)
		})),
		refuse("xsw-response", saml.MalformedSignature, "A signed Response inside the signature of a forged one.", ", XSW1", both(responseSigned, afterSigning(func(response *etree.Element) {
			genuine, signature := bare(response), response.SelectElement("Signature")
			name := response.FindElement("./Assertion/Subject/NameID")
			name.SetText("admin")
			response.CreateAttr("ID", "_evil")
			response.SelectElement("Assertion").CreateAttr("ID", "_evil_assertion")
			signature.AddChild(genuine)
		}))),
	}
}

func (w *world) parsingVectors() []*vector {
	refuse := func(name string, reason saml.Reason, description, ref string, edit change) *vector {
		w.t.Helper()
		return w.refuse("parsing", name, reason, description, ref, edit)
	}
	raw := func(value string) change { return func(v *vector, _ *samltest.Answer) { v.SAMLResponse = &value } }
	doctype := func(subset string) change {
		return octets(func(xml string) string { return "<!DOCTYPE samlp:Response " + subset + ">" + xml })
	}
	return []*vector{
		refuse("not-base64", saml.BadResponse, "Not base64.", "SAML Bindings 3.5.4", raw("<Response/>")),
		refuse("empty", saml.BadResponse, "Nothing.", "SAML Bindings 3.5.4", raw("")),
		refuse("not-xml", saml.BadResponse, "Base64 of no XML.", "SAML Bindings 3.5.4", raw(base64.StdEncoding.EncodeToString([]byte("hello")))),
		refuse("another-document", saml.BadResponse, "Not a Response.", "SAML Core 3.3.3", raw(base64.StdEncoding.EncodeToString([]byte(`<html xmlns="http://www.w3.org/1999/xhtml"/>`)))),
		refuse("doctype", saml.BadResponse, "A document type declaration.", "DESIGN.md section 2, number 2", doctype("[]")),
		refuse("external-entity", saml.BadResponse, "An external entity.", "CWE-611", doctype(`[<!ENTITY x SYSTEM "file:///etc/hostname">]`)),
		refuse("entity-expansion", saml.BadResponse, "Entities that grow.", "CWE-776", doctype(`[<!ENTITY a "aaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]`)),
		refuse("processing-instruction", saml.BadResponse, "A processing instruction in the message.", "DESIGN.md section 2, number 2",
			octets(func(xml string) string { return strings.Replace(xml, "<samlp:Status>", "<?x y?><samlp:Status>", 1) })),
		refuse("two-roots", saml.BadResponse, "Something behind the root.", "XML 1.0, 2.1", octets(func(xml string) string { return xml + "<x/>" })),
		refuse("duplicate-attribute", saml.BadResponse, "An attribute twice.", "XML 1.0, 3.1", octets(func(xml string) string {
			return strings.Replace(xml, ` Version="2.0"`, ` Version="2.0" Version="2.0"`, 1)
		})),
		refuse("unbound-prefix", saml.BadResponse, "A prefix that is not declared.", "Namespaces in XML 1.0, 5", octets(func(xml string) string {
			return strings.Replace(xml, "<samlp:Status>", "<samlp:Status x:y=\"\">", 1)
		})),
		refuse("utf-16", saml.BadResponse, "UTF-16.", "DESIGN.md section 9, number 9", octets(func(xml string) string {
			var b strings.Builder
			b.WriteString("\xff\xfe")
			for _, c := range []byte(xml) {
				b.Write([]byte{c, 0})
			}
			return b.String()
		})),
		refuse("too-deep", saml.TooLarge, "Elements in elements, two hundred deep.", "CWE-674", answered(func(a *samltest.Answer) {
			a.Extensions = []string{strings.Repeat(`<x xmlns="urn:x">`, 200) + strings.Repeat("</x>", 200)}
		})),
		refuse("too-many-attributes", saml.TooLarge, "An element with a hundred attributes.", "CWE-407", octets(func(xml string) string {
			var b strings.Builder
			for i := range 100 {
				b.WriteString(" a" + string(rune('0'+i/10)) + string(rune('0'+i%10)) + `=""`)
			}
			return strings.Replace(xml, "<samlp:Status>", "<samlp:Status"+b.String()+">", 1)
		})),
		refuse("unexpected-element", saml.BadResponse, "An element that the schema does not have.", "SAML Core 3.2.2", octets(func(xml string) string {
			return strings.Replace(xml, "</samlp:Status>", `</samlp:Status><x xmlns="urn:x"/>`, 1)
		})),
	}
}

func (w *world) profileVectors() []*vector {
	refuse := func(name string, reason saml.Reason, description, ref string, edit change) *vector {
		w.t.Helper()
		return w.refuse("profile", name, reason, description, ref, edit)
	}
	status := func(code, second string) change {
		return answered(func(a *samltest.Answer) {
			a.Assertions, a.Sign = nil, samltest.SignNothing
			a.Status = &samltest.Status{Code: code, Second: second, Message: "no"}
		})
	}
	const elsewhere = "https://other.example.com/acs"
	return []*vector{
		refuse("unknown-issuer", saml.UnknownDomain, "An Issuer that no trust is for.", "SAML Profiles 4.1.4.2", answered(func(a *samltest.Answer) {
			a.Issuer.Value, a.Assertion().Issuer.Value = other, other
		})),
		refuse("issuer-with-a-slash", saml.UnknownDomain, "An Issuer with a slash more.", "SAML Core 1.3.2", answered(func(a *samltest.Answer) {
			a.Issuer.Value += "/"
		})),
		refuse("assertion-issuer", saml.WrongIssuer, "The signed assertion is another's than the Response says.", "SAML Profiles 4.1.4.2", asserted(func(a *samltest.Assertion) { a.Issuer.Value = other })),
		refuse("no-issuer-in-signed-response", saml.WrongIssuer, "A signed Response without Issuer.", "SAML Profiles 4.1.4.2, erratum E17", both(responseSigned, answered(func(a *samltest.Answer) { a.Issuer = nil }))),
		refuse("issuer-format", saml.WrongIssuer, "An Issuer whose Format is not entity.", "SAML Profiles 4.1.4.2", answered(func(a *samltest.Answer) { a.Issuer.Format = samltest.FormatEmail })),
		refuse("response-version", saml.WrongVersion, "A Response of SAML 1.1.", "SAML Core 4.1.3.2", answered(func(a *samltest.Answer) { a.Version = "1.1" })),
		refuse("assertion-version", saml.WrongVersion, "An assertion of version 2.1.", "SAML Core 4.1.3.1", asserted(func(a *samltest.Assertion) { a.Version = "2.1" })),
		refuse("destination", saml.WrongDestination, "A Destination that is not ours.", "SAML Bindings 3.5.5.2", answered(func(a *samltest.Answer) { a.Destination = elsewhere })),
		refuse("no-destination-in-signed-response", saml.WrongDestination, "A signed Response without Destination.", "SAML Bindings 3.5.5.2", both(responseSigned, answered(func(a *samltest.Answer) { a.Destination = "" }))),
		refuse("idp-refused", saml.IdPRefused, "The identity provider did not sign the user in.", "SAML Core 3.2.2.2", status(samltest.Responder, samltest.AuthnFailed)),
		refuse("no-passive", saml.NoPassive, "The identity provider could not sign in without asking.", "SAML Core 3.2.2.2", status(samltest.Responder, samltest.NoPassive)),
		refuse("status-with-assertion", saml.IdPRefused, "A failure that carries a good assertion.", "SAML Core 3.2.2.2", answered(func(a *samltest.Answer) { a.Status.Code = samltest.Requester })),
		refuse("no-assertion", saml.NoAssertion, "A success without assertion.", "SAML Profiles 4.1.4.2", status(samltest.Success, "")),
		refuse("two-assertions", saml.SeveralAssertions, "Two good assertions.", "DESIGN.md section 4", both(responseSigned, answered(func(a *samltest.Answer) {
			second := *a.Assertion()
			second.ID = "_second"
			a.Assertions = append(a.Assertions, &second)
		}))),
		refuse("encrypted", saml.EncryptedAssertion, "An encrypted assertion, and no key to open it.", "SAML Core 2.3.4", both(responseSigned, answered(func(a *samltest.Answer) {
			a.BeforeSign = func(response *etree.Element) {
				remove(response.SelectElement("Assertion"))
				response.CreateElement("saml:EncryptedAssertion")
			}
		}))),
		refuse("no-subject", saml.NoSubject, "An assertion about nobody.", "SAML Profiles 4.1.4.2", asserted(func(a *samltest.Assertion) { a.Subject = nil })),
		refuse("empty-name", saml.NoSubject, "An empty NameID.", "SAML Core 2.2.3", asserted(func(a *samltest.Assertion) { a.Subject.NameID.Value = "" })),
		refuse("subject-qualifier", saml.WrongSubjectQualifier, "A NameID for another service provider.", "SAML Core 8.3.7", asserted(func(a *samltest.Assertion) { a.Subject.NameID.SPNameQualifier = other })),
		refuse("no-confirmation", saml.NoBearerConfirmation, "No SubjectConfirmation.", "SAML Profiles 4.1.4.2", asserted(func(a *samltest.Assertion) { a.Subject.Confirmations = nil })),
		refuse("holder-of-key", saml.NoBearerConfirmation, "Holder-of-key taken for bearer.", "SAML Profiles 4.1.4.2", confirmed(func(c *samltest.Confirmation) { c.Method = samltest.HolderOfKey })),
		refuse("no-confirmation-data", saml.NoBearerConfirmation, "A bearer confirmation without SubjectConfirmationData.", "SAML Profiles 4.1.4.2", confirmed(func(c *samltest.Confirmation) { c.NoData = true })),
		refuse("no-confirmation-end", saml.NoBearerConfirmation, "A bearer confirmation without NotOnOrAfter.", "SAML Profiles 4.1.4.2", confirmed(func(c *samltest.Confirmation) { c.NotOnOrAfter = "" })),
		refuse("no-recipient", saml.NoBearerConfirmation, "A bearer confirmation without Recipient.", "SAML Profiles 4.1.4.2", confirmed(func(c *samltest.Confirmation) { c.Recipient = "" })),
		refuse("recipient", saml.WrongRecipient, "An assertion for another recipient.", "SAML Profiles 4.1.4.2", confirmed(func(c *samltest.Confirmation) { c.Recipient = elsewhere })),
		refuse("in-response-to-differs", saml.WrongInResponseTo, "Response and confirmation name different requests.", "SAML Profiles 4.1.4.3", confirmed(func(c *samltest.Confirmation) { c.InResponseTo = "_another" })),
		refuse("in-response-to-added", saml.WrongInResponseTo, "An unsolicited assertion in a Response that names our request.", "SAML Profiles 4.1.4.3", confirmed(func(c *samltest.Confirmation) { c.InResponseTo = "" })),
		refuse("unsolicited", saml.UnsolicitedNotAllowed, "Nobody asked, and the trust does not admit that.", "SAML Profiles 4.1.5, erratum E90", unsolicited),
		refuse("unknown-request", saml.UnknownRequest, "The answer to a request that was never made.", "SAML Core 3.2.2", func(v *vector, _ *samltest.Answer) { v.RequestID = "_another" }),
		refuse("unknown-request-though-idp-initiated", saml.UnknownRequest, "The answer to a request that was never made, at a trust that admits unsolicited ones.", "SAML Core 3.2.2", func(v *vector, _ *samltest.Answer) {
			v.RequestID, v.SP.AllowIdPInitiated = "", true
		}),
		refuse("no-conditions", saml.WrongAudience, "An assertion without Conditions.", "SAML Profiles 4.1.4.2", asserted(func(a *samltest.Assertion) { a.Conditions = nil })),
		refuse("no-audience", saml.WrongAudience, "Conditions without AudienceRestriction.", "SAML Profiles 4.1.4.2", conditioned(func(c *samltest.Conditions) { c.Audiences = nil })),
		refuse("audience", saml.WrongAudience, "An assertion for another audience.", "SAML Core 2.5.1.4", conditioned(func(c *samltest.Conditions) { c.Audiences = [][]string{{other}} })),
		refuse("audience-prefix", saml.WrongAudience, "An audience that begins like ours.", "SAML Core 2.5.1.4", conditioned(func(c *samltest.Conditions) { c.Audiences = [][]string{{spEntityID + ".example.net"}} })),
		refuse("second-audience-restriction", saml.WrongAudience, "Two AudienceRestrictions, the first met, the second not.", "SAML Core 2.5.1.4, erratum E46",
			conditioned(func(c *samltest.Conditions) { c.Audiences = [][]string{{spEntityID}, {other}} })),
		refuse("first-audience-restriction", saml.WrongAudience, "Two AudienceRestrictions, the second met, the first not.", "SAML Core 2.5.1.4, erratum E46",
			conditioned(func(c *samltest.Conditions) { c.Audiences = [][]string{{other}, {spEntityID}} })),
		refuse("one-time-use-twice", saml.BadConditions, "OneTimeUse twice.", "SAML Core 2.5.1.5", conditioned(func(c *samltest.Conditions) { c.OneTimeUse = 2 })),
		refuse("conditions-upside-down", saml.BadConditions, "NotBefore after NotOnOrAfter.", "SAML Core 2.5.1.2", conditioned(func(c *samltest.Conditions) {
			c.NotBefore, c.NotOnOrAfter = at(time.Minute), at(-time.Minute)
		})),
		refuse("unknown-condition", saml.UnknownCondition, "A condition that nobody understands.", "SAML Core 2.5.1.1", conditioned(func(c *samltest.Conditions) {
			c.Raw = []string{`<saml:Condition xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:x="urn:x" xsi:type="x:OnTuesdays"/>`}
		})),
		refuse("no-authn-statement", saml.NoAuthnStatement, "An assertion without AuthnStatement.", "SAML Profiles 4.1.4.2", asserted(func(a *samltest.Assertion) { a.Statements = nil })),
	}
}

func (w *world) timeVectors() []*vector {
	refuse := func(name string, reason saml.Reason, description, ref string, edit change) *vector {
		w.t.Helper()
		return w.refuse("time", name, reason, description, ref, edit)
	}
	accept := func(name, description, ref string, edit change) *vector {
		w.t.Helper()
		return w.login("accept-"+name, "time", description, "", []string{ref}, edit)
	}
	// The answers end five minutes after now, and begin one minute before it.
	const end, start = 5 * time.Minute, -time.Minute
	seen := func(d time.Duration) change { return func(v *vector, _ *samltest.Answer) { v.Now = clock(d) } }
	skew := func(seconds float64) change {
		return func(v *vector, _ *samltest.Answer) { v.SP.ClockSkewSeconds = &seconds }
	}
	longer := conditioned(func(c *samltest.Conditions) { c.NotOnOrAfter = at(time.Hour) })
	longConfirmed := confirmed(func(c *samltest.Confirmation) { c.NotOnOrAfter = at(time.Hour) })
	return []*vector{
		accept("last-moment", "A millisecond before the end, tolerance included.", "SAML Core 2.5.1.2", seen(end+3*time.Minute-time.Millisecond)),
		refuse("confirmation-end", saml.Expired, "At the end of the confirmation, tolerance included.", "SAML Profiles 4.1.4.2", both(longer, seen(end+3*time.Minute))),
		refuse("conditions-end", saml.Expired, "At the end of the conditions, tolerance included.", "SAML Core 2.5.1.2", both(longConfirmed, seen(end+3*time.Minute))),
		accept("no-skew", "A millisecond before the end, without tolerance.", "DESIGN.md section 9, number 4", both(skew(0), seen(end-time.Millisecond))),
		refuse("no-skew-end", saml.Expired, "At the end, without tolerance.", "DESIGN.md section 9, number 4", both(skew(0), seen(end))),
		accept("one-minute-skew", "Within a tolerance of one minute.", "DESIGN.md section 9, number 4", both(skew(60), seen(end+59*time.Second))),
		refuse("one-minute-skew-end", saml.Expired, "Beyond a tolerance of one minute.", "DESIGN.md section 9, number 4", both(skew(60), seen(end+time.Minute))),
		refuse("not-yet-valid", saml.NotYetValid, "Conditions that begin later, tolerance included.", "SAML Core 2.5.1.2", conditioned(func(c *samltest.Conditions) {
			c.NotBefore = at(3*time.Minute + time.Millisecond)
		})),
		accept("first-moment", "Conditions that begin now, tolerance included.", "SAML Core 2.5.1.2", conditioned(func(c *samltest.Conditions) { c.NotBefore = at(3 * time.Minute) })),
		refuse("issued-later", saml.NotYetValid, "A Response from the future.", "SAML Core 1.3.3", answered(func(a *samltest.Answer) { a.IssueInstant = at(time.Hour) })),
		refuse("asserted-later", saml.NotYetValid, "An assertion from the future.", "SAML Core 2.3.3", asserted(func(a *samltest.Assertion) { a.IssueInstant = at(time.Hour) })),
		refuse("no-skew-start", saml.NotYetValid, "Before the conditions begin, without tolerance.", "SAML Core 2.5.1.2", both(skew(0), seen(start-time.Millisecond),
			answered(func(a *samltest.Answer) { a.IssueInstant = at(-time.Hour) }), asserted(func(a *samltest.Assertion) {
				a.IssueInstant, a.Statements[0].AuthnInstant = at(-time.Hour), at(-time.Hour)
			}))),
		refuse("valid-too-long", saml.ValidTooLong, "Deliverable for longer than it can be remembered.", "DESIGN.md section 9, number 4", confirmed(func(c *samltest.Confirmation) {
			c.NotOnOrAfter = at(24*time.Hour + time.Second)
		})),
		refuse("authn-in-future", saml.AuthnInFuture, "An authentication in the future.", "SAML Core 2.7.2", asserted(func(a *samltest.Assertion) { a.Statements[0].AuthnInstant = at(time.Hour) })),
		refuse("session-over", saml.SessionExpired, "The session at the identity provider is over.", "SAML Core 2.7.2", asserted(func(a *samltest.Assertion) {
			a.Statements[0].SessionNotOnOrAfter = at(-time.Hour)
		})),
		refuse("lenient-time", saml.BadResponse, "A time that xs:dateTime does not have, though time.Parse takes it.", "DESIGN.md section 9, number 4", conditioned(func(c *samltest.Conditions) {
			c.NotBefore = "2026-03-14T3:08:26Z"
		})),
	}
}
