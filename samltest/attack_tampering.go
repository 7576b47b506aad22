package samltest

import (
	"encoding/base64"
	"net/url"
	"strings"

	"github.com/beevik/etree"
	saml "github.com/logintrust/saml"
)

// tamperingAttacks have no signature, a broken one, one in the wrong place, or one too many.
func tamperingAttacks() []Attack {
	unsigned := because(saml.Unsigned)
	broken := because(saml.BadSignature)
	malformed := because(saml.MalformedSignature, saml.BadSignature)
	return append([]Attack{
		{Name: "unsigned", Reference: "SAML Profiles 4.1.3.5", Reasons: unsigned,
			Forge: before(func(a *Answer) { a.Sign = SignNothing })},
		{Name: "signature of the assertion removed", Reference: xsw + "section 5.1, signature exclusion", Reasons: unsigned,
			Forge: after(func(response *etree.Element) { become(assertionOf(response), forged(assertionOf(response))) })},
		{Name: "signature of the response removed", Reference: xsw + "section 5.1, signature exclusion", Reasons: unsigned, Base: signing(SignResponse),
			Forge: after(func(response *etree.Element) { become(response, forged(response)) })},
		{Name: "both signatures removed", Reference: xsw + "section 5.1, signature exclusion", Reasons: unsigned, Base: signing(SignResponse | SignAssertion),
			Forge: after(func(response *etree.Element) { become(response, forged(response)) })},
		{Name: "empty Signature element", Reference: "XML Signature 4.2", Reasons: malformed,
			Forge: inSignature("", empty)},
		{Name: "empty SignatureValue", Reference: "XML Signature 4.3", Reasons: malformed,
			Forge: inSignature("SignatureValue", empty)},
		{Name: "no SignatureValue", Reference: "XML Signature 4.3", Reasons: malformed,
			Forge: inSignature("SignatureValue", func(el *etree.Element) { el.Remove() })},
		{Name: "no SignedInfo", Reference: "XML Signature 4.4", Reasons: malformed,
			Forge: inSignature("SignedInfo", func(el *etree.Element) { el.Remove() })},
		{Name: "SignatureValue corrupted", Reference: "XML Signature 3.2.2", Reasons: broken,
			Forge: inSignature("SignatureValue", corrupt)},
		{Name: "SignatureValue of another answer", Reference: "XML Signature 3.2.2", Reasons: broken,
			Forge: func(s *Scene) url.Values {
				other := etree.NewDocument()
				if err := other.ReadFromBytes(s.Answer().XML()); err != nil {
					panic(err)
				}
				value := other.FindElement("//SignatureValue").Text()
				return inSignature("SignatureValue", func(el *etree.Element) { el.SetText(value) })(s)
			}},
		{Name: "DigestValue corrupted", Reference: "XML Signature 3.2.1", Reasons: broken,
			Forge: inSignature("DigestValue", corrupt)},
		{Name: "DigestValue made anew after tampering", Reference: "XML Signature 3.2", Reasons: broken,
			Forge: tampered(func(assertion *etree.Element) {
				digest := digestOf(bare(detach(assertion)))
				assertion.FindElement("./Signature//DigestValue").SetText(digest)
			})},
		{Name: "DigestValue made anew, put as a comment before the signed one", Reference: "CVE-2025-29775 (xml-crypto)", Reasons: malformed,
			Forge: tampered(func(assertion *etree.Element) {
				digest := digestOf(bare(detach(assertion)))
				assertion.FindElement("./Signature//DigestValue").InsertChildAt(0, etree.NewComment(digest))
			})},
		{Name: "DigestValue made anew, put in the StatusDetail", Reference: "CVE-2024-45409 (ruby-saml)", Reasons: broken,
			Forge: tampered(func(assertion *etree.Element) {
				digest := assertion.FindElement("./Signature//DigestValue").Copy()
				digest.CreateAttr("xmlns:ds", nsSignature)
				digest.SetText(digestOf(bare(detach(assertion))))
				status := find(assertion.Parent(), nsProtocol, "Status")
				place(status, len(status.Child), "StatusDetail", digest)
			})},
		{Name: "forged SignedInfo before the signed one", Reference: "CVE-2025-29774 (xml-crypto)", Reasons: malformed,
			Forge: tampered(func(assertion *etree.Element) {
				info := assertion.FindElement("./Signature/SignedInfo")
				evil := info.Copy()
				evil.FindElement(".//DigestValue").SetText(digestOf(bare(detach(assertion))))
				info.Parent().InsertChildAt(info.Index(), evil)
			})},
		{Name: "forged SignedInfo after the signed one", Reference: "CVE-2025-29774 (xml-crypto)", Reasons: malformed,
			Forge: tampered(func(assertion *etree.Element) {
				info := assertion.FindElement("./Signature/SignedInfo")
				evil := info.Copy()
				evil.FindElement(".//DigestValue").SetText(digestOf(bare(detach(assertion))))
				info.Parent().InsertChildAt(info.Index()+1, evil)
			})},
		{Name: "good response signature, broken assertion signature", Reference: "SAML Core 5.4.1", Reasons: broken, Base: signing(SignResponse | SignAssertion),
			Forge: func(s *Scene) url.Values {
				a := s.Answer()
				a.AssertionSeal = &s.Mallory
				return a.Form()
			}},
		{Name: "good assertion signature, broken response signature", Reference: "SAML Core 5.4.1", Reasons: broken, Base: signing(SignResponse | SignAssertion),
			Forge: after(func(response *etree.Element) { corrupt(response.FindElement("./Signature//DigestValue")) })},
		{Name: "good assertion signature, response changed under its own", Reference: "SAML Core 5.4.1", Reasons: broken, Base: signing(SignResponse | SignAssertion),
			Forge: after(func(response *etree.Element) { response.CreateAttr("Consent", "urn:x") })},
		{Name: "signature at the end of the assertion", Reference: "SAML Core 2.3.3, schema", Reasons: because(saml.MalformedSignature, saml.Unsigned, saml.BadResponse),
			Forge: after(func(response *etree.Element) { signatureLast(assertionOf(response)) })},
		{Name: "signature at the end of the response", Reference: "SAML Core 3.2.2, schema", Reasons: because(saml.MalformedSignature, saml.Unsigned, saml.BadResponse),
			Base: signing(SignResponse), Forge: after(signatureLast)},
		{Name: "signature at the end of the response, the assertion signed too", Reference: "SAML Core 3.2.2, schema",
			Reasons: because(saml.MalformedSignature, saml.BadResponse), Base: signing(SignResponse | SignAssertion), Forge: after(signatureLast)},
		{Name: "signature of the assertion moved to the response", Reference: "SAML Core 5.4.2", Reasons: because(saml.MalformedSignature, saml.BadSignature, saml.Unsigned),
			Forge: after(func(response *etree.Element) {
				assertion := assertionOf(response)
				insertAfterIssuer(response, assertion.RemoveChild(signatureOf(assertion)).(*etree.Element))
			})},
		{Name: "signature of the assertion moved into its Subject", Reference: "SAML Core 5.4.1", Reasons: because(saml.MalformedSignature, saml.Unsigned, saml.BadResponse),
			Forge: after(func(response *etree.Element) {
				assertion := assertionOf(response)
				signature := assertion.RemoveChild(signatureOf(assertion))
				assertion.SelectElement("Subject").AddChild(signature)
			})},
		{Name: "the same signature twice", Reference: "SAML Core 2.3.3, schema", Reasons: malformed,
			Forge: after(func(response *etree.Element) {
				insertAfterIssuer(assertionOf(response), signatureOf(assertionOf(response)).Copy())
			})},
		{Name: "attacker's signature before the genuine one", Reference: "SAML Core 2.3.3, schema", Reasons: malformed, Forge: secondSignature(0)},
		{Name: "attacker's signature after the genuine one", Reference: "SAML Core 2.3.3, schema", Reasons: malformed, Forge: secondSignature(1)},
	}, changes()...)
}

// changes are small edits under a signature, one for each thing that a service provider believes.
func changes() []Attack {
	var list []Attack
	for _, change := range []struct {
		name string
		edit func(assertion *etree.Element)
	}{
		{"NameID", func(a *etree.Element) { a.FindElement(".//NameID").SetText(evil) }},
		{"NameID's format", func(a *etree.Element) { a.FindElement(".//NameID").CreateAttr("Format", FormatEmail) }},
		{"attribute value", func(a *etree.Element) { a.FindElement(".//AttributeValue").SetText(evil) }},
		{"Audience", func(a *etree.Element) { a.FindElement(".//Audience").CreateText("/other") }},
		{"NotOnOrAfter", func(a *etree.Element) {
			a.SelectElement("Conditions").CreateAttr("NotOnOrAfter", "2048-01-01T00:00:00Z")
		}},
		{"SessionIndex", func(a *etree.Element) { a.SelectElement("AuthnStatement").CreateAttr("SessionIndex", "x") }},
		{"ID", func(a *etree.Element) { a.CreateAttr("ID", newID()) }},
		{"white space", func(a *etree.Element) { a.SelectElement("Subject").CreateText("\n") }},
		{"new attribute", func(a *etree.Element) {
			attribute := a.FindElement(".//Attribute")
			added := attribute.Copy()
			added.CreateAttr("Name", "role")
			attribute.Parent().AddChild(added)
		}},
	} {
		list = append(list, Attack{
			Name:      "changed after signing: " + change.name,
			Reference: "XML Signature 3.2.1",
			Reasons:   because(saml.BadSignature, saml.MalformedSignature),
			Forge:     after(func(response *etree.Element) { change.edit(assertionOf(response)) }),
		})
	}
	return list
}

// inSignature edits the named element in the assertion's signature, or the signature itself.
func inSignature(tag string, change func(el *etree.Element)) forge {
	return after(func(response *etree.Element) {
		signature := signatureOf(assertionOf(response))
		if tag == "" {
			change(signature)
			return
		}
		change(signature.FindElement(".//" + tag))
	})
}

// tampered changes the NameID under the signature; cover is how the attacker hides that.
func tampered(cover func(assertion *etree.Element)) forge {
	return after(func(response *etree.Element) {
		assertion := assertionOf(response)
		assertion.FindElement(".//NameID").SetText(evil)
		cover(assertion)
	})
}

// secondSignature adds a signature by the attacker's key, over the same assertion, beside the genuine one.
func secondSignature(index int) forge {
	return func(s *Scene) url.Values {
		return after(func(response *etree.Element) {
			assertion := assertionOf(response)
			genuine := assertion.RemoveChild(signatureOf(assertion)).(*etree.Element)
			if err := s.Mallory.Enveloped(assertion); err != nil {
				panic(err)
			}
			assertion.InsertChildAt(signatureOf(assertion).Index()+1-index, genuine)
		})(s)
	}
}

// signatureLast moves the element's signature to its end.
func signatureLast(el *etree.Element) { el.AddChild(el.RemoveChild(signatureOf(el))) }

// digestOf is the element's DigestValue as a genuine signature would have it.
func digestOf(el *etree.Element) string {
	xml, err := canonical(el, Exclusive, nil)
	if err != nil {
		panic(err)
	}
	digest, err := digestWith(SHA256, xml)
	if err != nil {
		panic(err)
	}
	return digest
}

// corrupt flips a bit of a value in base64, which stays well formed.
func corrupt(el *etree.Element) {
	value, err := base64.StdEncoding.DecodeString(strings.TrimSpace(el.Text()))
	if err != nil {
		panic(err)
	}
	value[len(value)/2] ^= 1
	el.SetText(base64.StdEncoding.EncodeToString(value))
}

func empty(el *etree.Element) {
	for len(el.Child) > 0 {
		el.RemoveChildAt(0)
	}
}
