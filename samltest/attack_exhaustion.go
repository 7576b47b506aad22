package samltest

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/beevik/etree"
	saml "github.com/logintrust/saml"
)

// exhaustionAttacks cost the attacker a message and the service provider as much as it lets them. Those that are Bounded may be
// accepted: what counts is that an answer comes soon.
func exhaustionAttacks() []Attack {
	large := because(saml.TooLarge, saml.BadResponse, saml.BadRequest)
	signature := append(because(saml.MalformedSignature, saml.BadSignature, saml.Unsigned), large...)
	const limits = "SAML Security Considerations 4.2.1; CWE-400"
	const canonical = "XML Signature Best Practices 2.1.2: cost of canonicalisation"
	return []Attack{
		{Name: "100,000 attributes of one element", Reference: limits, Reasons: large, Forge: extended("<x" + numbered(100_000, ` a%d=""`) + "/>")},
		{Name: "100,000 attributes of an element in the assertion, signed", Reference: limits, Reasons: large,
			Forge: edit(func(response *etree.Element) { addRaw(assertionOf(response), "<x"+numbered(100_000, ` a%d=""`)+"/>") })},
		{Name: "100,000 namespaces of one element", Reference: canonical, Reasons: large, Forge: extended("<x" + numbered(100_000, ` xmlns:a%[1]d="urn:%[1]d"`) + "/>")},
		{Name: "100,000 namespaces, one in the other", Reference: canonical, Reasons: large,
			Forge: extended(numbered(50_000, `<x xmlns:a%[1]d="u%[1]d">`) + strings.Repeat("</x>", 50_000))},
		{Name: "default namespace changed 50,000 times", Reference: canonical, Reasons: large,
			Forge: extended(numbered(50_000, `<x xmlns="u%d">`) + strings.Repeat("</x>", 50_000))},
		{Name: "100,000 levels", Reference: "CVE-2022-28131 (Go encoding/xml)", Reasons: large, Forge: extended(strings.Repeat("<x>", 100_000) + strings.Repeat("</x>", 100_000))},
		{Name: "100,000 levels, never closed", Reference: "CVE-2022-28131 (Go encoding/xml)", Reasons: large, Forge: extended(strings.Repeat("<x>", 100_000))},
		{Name: "10 MB of text", Reference: limits, Reasons: large, Forge: extended("<x>" + strings.Repeat("x", 10<<20) + "</x>")},
		{Name: "10 MB of spaces behind the message", Reference: limits, Reasons: large, Forge: octets(func(xml []byte) []byte { return append(xml, strings.Repeat(" ", 10<<20)...) })},
		{Name: "10 MB in one comment", Reference: limits, Reasons: large, Forge: extended("<!--" + strings.Repeat("x", 10<<20) + "-->")},
		{Name: "a name of 1 MB", Reference: limits, Reasons: large, Forge: extended("<" + strings.Repeat("x", 1<<20) + "/>")},
		{Name: "a namespace of 1 MB", Reference: limits, Reasons: large, Forge: extended(`<x xmlns="` + strings.Repeat("x", 1<<20) + `"/>`)},
		{Name: "100,000 comments in the name", Reference: limits, Bounded: true, Forge: extended(strings.Repeat("<!--x-->", 100_000))},
		{Name: "100,000 character references", Reference: limits, Bounded: true, Forge: statusMessage(strings.Repeat("&#x41;", 100_000))},
		{Name: "100,000 CDATA sections", Reference: limits, Bounded: true, Forge: statusMessage(strings.Repeat("<![CDATA[x]]>", 100_000))},
		{Name: "30,000 IDs", Reference: "XML 1.0, VC: ID; a quadratic search for two that are the same", Bounded: true, Forge: extended(numbered(30_000, `<x ID="_%d"/>`))},
		{Name: "an attribute value of 1 MB", Reference: limits, Bounded: true, Forge: extended(`<x a="` + strings.Repeat("&#10;", 200_000) + `"/>`)},
		{Name: "40,000 group values, signed", Reference: limits, Bounded: true, Forge: before(func(a *Answer) {
			groups := make([]string, 40_000)
			for i := range groups {
				groups[i] = strconv.Itoa(i)
			}
			a.Assertion().Attributes = append(a.Assertion().Attributes, Attr("groups", groups...))
		})},
		{Name: "20,000 audiences, none of them right", Reference: limits, Reasons: append(large, saml.WrongAudience), Forge: before(func(a *Answer) {
			audiences := make([]string, 20_000)
			for i := range audiences {
				audiences[i] = fmt.Sprintf("https://sp%d.example.com", i)
			}
			a.Assertion().Conditions.Audiences = [][]string{audiences}
		})},
		{Name: "5,000 audience restrictions, none of them right", Reference: limits, Reasons: append(large, saml.WrongAudience), Forge: before(func(a *Answer) {
			a.Assertion().Conditions.Audiences = nil
			for i := range 5_000 {
				a.Assertion().Conditions.Audiences = append(a.Assertion().Conditions.Audiences, []string{fmt.Sprintf("https://sp%d.example.com", i)})
			}
		})},
		{Name: "5,000 confirmations, none of them right", Reference: limits,
			Reasons: append(large, saml.WrongRecipient, saml.NoBearerConfirmation, saml.WrongInResponseTo), Forge: before(func(a *Answer) {
				wrong := a.Assertion().Subject.Confirmations[0]
				wrong.Recipient = "https://other.example.com/acs"
				a.Assertion().Subject.Confirmations = nil
				for range 5_000 {
					a.Assertion().Subject.Confirmations = append(a.Assertion().Subject.Confirmations, wrong)
				}
			})},
		{Name: "2,000 assertions", Reference: limits, Reasons: append(signature, saml.SeveralAssertions), Forge: after(func(response *etree.Element) {
			copies(response, assertionOf(response), 2_000, func(el *etree.Element) { el.CreateAttr("ID", newID()) })
		})},
		{Name: "5,000 references", Reference: "CVE-2013-2156 and others; " + limits, Reasons: signature, Forge: inSignature("", func(signature *etree.Element) {
			info := signature.SelectElement("SignedInfo")
			copies(info, info.SelectElement("Reference"), 5_000, nil)
		})},
		{Name: "5,000 transforms", Reference: "XML Signature Best Practices 2.1.1; " + limits, Reasons: signature, Forge: inSignature("", func(signature *etree.Element) {
			list := signature.FindElement("./SignedInfo/Reference/Transforms")
			copies(list, list.ChildElements()[1], 5_000, nil)
		})},
		{Name: "5,000 signatures", Reference: limits, Reasons: signature, Forge: after(func(response *etree.Element) {
			assertion := assertionOf(response)
			copies(assertion, signatureOf(assertion), 5_000, nil)
		})},
		{Name: "5,000 certificates by the attacker", Reference: "SAML Security Considerations 4.2.1; " + limits, Reasons: signature, Forge: func(s *Scene) url.Values {
			a := s.Answer()
			a.Seal = s.Mallory
			a.AfterSign = func(response *etree.Element) {
				data := signatureOf(assertionOf(response)).FindElement("./KeyInfo/X509Data")
				copies(data, data.SelectElement("X509Certificate"), 2_000, nil)
			}
			return a.Form()
		}},
		{Name: "an RSA key of a million bits by the attacker", Reference: "CVE-2023-29409; " + limits, Reasons: signature, Forge: func(s *Scene) url.Values {
			a := s.Answer()
			a.Seal = s.Mallory
			a.Seal.KeyValue = true
			a.AfterSign = func(response *etree.Element) {
				signatureOf(assertionOf(response)).FindElement(".//Modulus").SetText(encode(make([]byte, 125_000)))
			}
			return a.Form()
		}},
		{Name: "a signature value of 1 MB", Reference: limits, Reasons: signature, Forge: inSignature("", func(signature *etree.Element) {
			signature.SelectElement("SignatureValue").SetText(encode(make([]byte, 700_000)))
		})},
		{Name: "a PrefixList of 100,000 prefixes", Reference: canonical, Reasons: signature, Forge: func(s *Scene) url.Values {
			a := s.Answer()
			a.Seal.Prefixes = strings.Fields(numbered(100_000, "p%d "))
			return a.Form()
		}},
		{Name: "a PrefixList of one name of 1 MB", Reference: canonical, Reasons: signature, Forge: inSignature("", func(signature *etree.Element) {
			transform := signature.FindElement("./SignedInfo/Reference/Transforms").ChildElements()[1]
			list := transform.CreateElement("ec:InclusiveNamespaces")
			list.CreateAttr("xmlns:ec", nsExclusive)
			list.CreateAttr("PrefixList", strings.Repeat("p", 1<<20))
		})},
		{Name: "3,000 encrypted keys", Reference: "Somorovsky, Schwenk, Technical Analysis of Countermeasures against Attack on XML Encryption (2012); " + limits,
			Reasons: append(because(saml.DecryptionFailed), large...), Encrypted: true, Forge: after(func(response *etree.Element) {
				info := response.FindElement("./EncryptedAssertion/EncryptedData/KeyInfo")
				info.FindElement("./EncryptedKey//CipherValue").SetText(encode(make([]byte, 256)))
				copies(info, info.ChildElements()[0], 3_000, nil)
			})},
		{Name: "3,000 encrypted attributes", Reference: limits, Encrypted: true,
			Reasons: append(because(saml.DecryptionFailed, saml.BadAttribute, saml.EncryptedAssertion), large...), Forge: func(s *Scene) url.Values {
				a := s.Answer()
				a.EncryptAttributes, a.Encrypt = a.Encrypt, nil
				a.BeforeSign = nil
				a.AfterSign = func(response *etree.Element) {
					list := assertionOf(response).FindElement("./AttributeStatement")
					copies(list, list.ChildElements()[0], 3_000, nil)
				}
				a.Sign = SignNothing
				return a.Form()
			}},
		{Name: "3 MB of spaces in the base64", Reference: limits, Bounded: true, Forge: onForm(func(form url.Values) {
			form.Set("SAMLResponse", strings.Repeat(" ", 3<<20)+form.Get("SAMLResponse"))
		})},
		{Name: "5,000 fields of the form", Reference: "CVE-2011-4885: hash collisions of form fields", Bounded: true, Forge: onForm(func(form url.Values) {
			for i := range 5_000 {
				form.Set(fmt.Sprint("f", i), "x")
			}
		})},
		{Name: "a RelayState of 3 MB", Reference: limits, Bounded: true, Forge: onForm(func(form url.Values) { form.Set("RelayState", strings.Repeat("x", 3<<20)) })},
		{Name: "3,000 cookies", Reference: "CVE-2025-58186: memory of parsed cookies (Go)", Bounded: true, Forge: func(s *Scene) url.Values {
			form := s.Answer().Form()
			for i := range 3_000 {
				s.Plant(fmt.Sprintf("c%d", i), "x")
			}
			return form
		}},
	}
}

// copies adds n copies of a child behind it, each changed if there is a change.
func copies(parent, child *etree.Element, n int, change func(el *etree.Element)) {
	for range n {
		el := child.Copy()
		if change != nil {
			change(el)
		}
		parent.AddChild(el)
	}
}

// addRaw adds a fragment of XML to an element.
func addRaw(parent *etree.Element, fragment string) {
	w := &writer{}
	w.raw(parent, fragment)
	if w.err != nil {
		panic(fmt.Sprintf("samltest: %v", w.err)) // a mistake of this file
	}
}
