package samltest

import (
	"bytes"
	"compress/flate"
	"fmt"
	"net/url"
	"strings"
	"unicode/utf16"

	"github.com/beevik/etree"
	saml "github.com/logintrust/saml"
)

// parsingAttacks are octets that two parsers read differently, or that cost much more to read than to send. Where it can be
// so, the signature over the assertion stays good: the trick is around it.
func parsingAttacks() []Attack {
	bad := because(saml.BadResponse)
	large := because(saml.TooLarge, saml.BadResponse)
	request := because(saml.BadRequest, saml.BadResponse)
	around := signing(SignAssertion)
	const doctype = "OWASP XXE; CVE-2025-66567 (ruby-saml): no DTD in SAML"
	const differential = "CVE-2025-25291 and 25292 (ruby-saml): parser differential"
	return []Attack{
		{Name: "DOCTYPE", Reference: doctype, Reasons: bad, Base: around,
			Forge: prefixed(`<!DOCTYPE Response>`)},
		{Name: "DOCTYPE with a default attribute", Reference: differential, Reasons: bad, Base: around,
			Forge: prefixed(`<!DOCTYPE Response [<!ATTLIST Assertion ID CDATA "x">]>`)},
		{Name: "internal entity in the NameID", Reference: doctype, Reasons: bad,
			Forge: inNameID(`<!DOCTYPE r [<!ENTITY who "admin">]>`, "&who;")},
		{Name: "external entity in the NameID", Reference: doctype, Reasons: bad,
			Forge: inNameID(`<!DOCTYPE r [<!ENTITY who SYSTEM "file:///etc/hostname">]>`, "&who;")},
		{Name: "external DTD", Reference: doctype + "; SSRF", Reasons: bad, Base: around,
			Forge: prefixed(`<!DOCTYPE r SYSTEM "https://evil.example.com/evil.dtd">`)},
		{Name: "billion laughs", Reference: "CVE-2003-1564", Reasons: bad,
			Forge: inNameID(laughs(), "&l9;")},
		{Name: "entity that is not declared", Reference: "XML 1.0, 4.1 WFC: Entity Declared", Reasons: bad,
			Forge: inNameID("", "&who;")},
		{Name: "processing instruction around the assertion", Reference: differential, Reasons: bad,
			Forge: after(func(response *etree.Element) { response.AddChild(etree.NewProcInst("x", "y")) })},
		{Name: "processing instruction in the NameID, signed", Reference: "Duo Labs (2018), CVE-2017-11427 and others", Reasons: bad,
			Forge: edit(func(response *etree.Element) {
				name := response.FindElement(".//NameID")
				name.SetText("")
				name.AddChild(etree.NewText(evil))
				name.AddChild(etree.NewProcInst("x", "y"))
				name.AddChild(etree.NewText(".evil.example.com"))
			})},
		{Name: "duplicate attribute", Reference: "XML 1.0, 3.1 WFC: Unique Att Spec", Reasons: bad, Base: around,
			Forge: replaced(` Version="2.0"`, ` Version="2.0" Version="2.0"`)},
		{Name: "duplicate attribute by two prefixes of one namespace", Reference: "Namespaces in XML 6.3", Reasons: bad, Base: around,
			Forge: replaced(` Version="2.0"`, ` Version="2.0" xmlns:a="urn:x" xmlns:b="urn:x" a:c="1" b:c="2"`)},
		{Name: "duplicate namespace declaration", Reference: "XML 1.0, 3.1 WFC: Unique Att Spec", Reasons: bad, Base: around,
			Forge: replaced(` xmlns:saml=`, ` xmlns:saml="urn:x" xmlns:saml=`)},
		{Name: "unbound prefix of an element", Reference: "Namespaces in XML 5", Reasons: bad, Base: around,
			Forge: replaced("</samlp:Status>", "</samlp:Status><x:y/>")},
		{Name: "unbound prefix of an attribute", Reference: "Namespaces in XML 5", Reasons: bad, Base: around,
			Forge: replaced(` Version="2.0"`, ` Version="2.0" x:y="z"`)},
		{Name: "prefix xml bound to another namespace", Reference: "Namespaces in XML 3", Reasons: bad, Base: around,
			Forge: replaced(` Version="2.0"`, ` Version="2.0" xmlns:xml="urn:x"`)},
		{Name: "prefix unbound again", Reference: "Namespaces in XML 5", Reasons: bad, Base: around,
			Forge: replaced("</samlp:Status>", `</samlp:Status><samlp:x xmlns:samlp=""/>`)},
		{Name: "name that begins with a colon", Reference: "CVE-2020-29509, CVE-2020-29511 (Go encoding/xml)", Reasons: bad, Base: around,
			Forge: replaced(` Version="2.0"`, ` Version="2.0" :attr="z"`)},
		{Name: "name with two colons", Reference: "CVE-2020-29510 (Go encoding/xml)", Reasons: bad, Base: around,
			Forge: replaced("</samlp:Status>", "</samlp:Status><samlp:x:y/>")},
		{Name: "directive with a quote in a comment", Reference: "CVE-2020-29510 (Go encoding/xml directives)", Reasons: bad, Base: around,
			Forge: prefixed(`<!x<!-- -->" <y z="-->"/>`)},
		{Name: "two roots", Reference: "XML 1.0, 2.1", Reasons: bad,
			Forge: octets(func(xml []byte) []byte { return append(xml, xml...) })},
		{Name: "text after the root", Reference: "XML 1.0, 2.1", Reasons: bad,
			Forge: octets(func(xml []byte) []byte { return append(xml, "x"...) })},
		{Name: "text before the root", Reference: "XML 1.0, 2.8", Reasons: bad, Forge: prefixed("x")},
		{Name: "root cut off", Reference: "XML 1.0, 2.1", Reasons: bad,
			Forge: octets(func(xml []byte) []byte { return bytes.TrimSuffix(xml, []byte("</samlp:Response>")) })},
		{Name: "UTF-16", Reference: "E-number none; only UTF-8 is read: " + differential, Reasons: bad, Forge: octets(toUTF16)},
		{Name: "UTF-16 in name, UTF-8 in fact", Reference: differential, Reasons: bad, Forge: prefixed(`<?xml version="1.0" encoding="UTF-16"?>`)},
		{Name: "Latin-1 in name", Reference: differential, Reasons: bad, Forge: prefixed(`<?xml version="1.0" encoding="ISO-8859-1"?>`)},
		{Name: "UTF-7 in name", Reference: differential, Reasons: bad, Forge: prefixed(`<?xml version="1.0" encoding="UTF-7"?>`)},
		{Name: "XML 1.1", Reference: "SAML Core 1.2: XML 1.0", Reasons: bad, Forge: prefixed(`<?xml version="1.1"?>`)},
		{Name: "invalid UTF-8", Reference: "RFC 3629, Section 3", Reasons: bad, Forge: statusMessage("\xff")},
		{Name: "overlong UTF-8", Reference: "RFC 3629, Section 10", Reasons: bad, Forge: statusMessage("\xc0\xbc")},
		{Name: "surrogate in UTF-8", Reference: "RFC 3629, Section 3", Reasons: bad, Forge: statusMessage("\xed\xa0\x80")},
		{Name: "NUL", Reference: "XML 1.0, 2.2", Reasons: bad, Forge: statusMessage("\x00")},
		{Name: "reference to NUL", Reference: "XML 1.0, 4.1 WFC: Legal Character", Reasons: bad, Forge: statusMessage("&#0;")},
		{Name: "reference beyond Unicode", Reference: "XML 1.0, 4.1 WFC: Legal Character", Reasons: bad, Forge: statusMessage("&#x110000;")},
		{Name: "reference that overflows", Reference: "XML 1.0, 4.1 WFC: Legal Character", Reasons: bad, Forge: statusMessage("&#18446744073709551681;")},
		{Name: "end of CDATA in text", Reference: "XML 1.0, 2.4", Reasons: bad, Forge: statusMessage("]]>")},
		{Name: "two hyphens in a comment", Reference: "XML 1.0, 2.5", Reasons: bad, Forge: statusMessage("<!-- -- -->")},
		{Name: "less-than in an attribute", Reference: "XML 1.0, 3.1 WFC: No < in Attribute Values", Reasons: bad, Base: around,
			Forge: replaced(` Version="2.0"`, ` Version="2.0" Consent="<"`)},
		{Name: "attribute without quotes", Reference: "XML 1.0, 3.1", Reasons: bad, Base: around,
			Forge: replaced(` Version="2.0"`, ` Version=2.0`)},
		{Name: "no space between attributes", Reference: "XML 1.0, 3.1", Reasons: bad, Base: around,
			Forge: replaced(` Version="2.0" `, ` Version="2.0"`)},
		{Name: "deep nesting", Reference: "CVE-2022-30633, CVE-2022-28131 (Go encoding/xml)", Reasons: large,
			Forge: extended(strings.Repeat("<x>", 20000) + strings.Repeat("</x>", 20000))},
		{Name: "attribute flood", Reference: "limits: DESIGN, invariant 2", Reasons: large,
			Forge: extended("<x" + numbered(5000, ` a%d=""`) + "/>")},
		{Name: "namespace flood", Reference: "limits: cost of canonicalisation with many declarations", Reasons: large,
			Forge: extended("<x" + numbered(5000, ` xmlns:a%d="urn:x"`) + "/>")},
		{Name: "nested namespace flood", Reference: "limits: cost of canonicalisation with many declarations", Reasons: large,
			Forge: extended(numbered(2000, `<x xmlns:a%[1]d="urn:%[1]d">`) + strings.Repeat("</x>", 2000))},
		{Name: "element flood", Reference: "limits: DESIGN, invariant 2", Reasons: large, Forge: extended(strings.Repeat("<x/>", 400000))},
		{Name: "huge", Reference: "limits: DESIGN, section 9, number 6", Reasons: append(large, saml.BadRequest), Forge: extended("<x>" + strings.Repeat("x", 3<<20) + "</x>")},
		{Name: "elements in SAML 1.1's namespace", Reference: "SAML Core 1.2", Reasons: append(bad, saml.NoAssertion, saml.Unsigned, saml.WrongVersion),
			Forge: before(func(a *Answer) {
				a.Sign = SignResponse
				a.BeforeSign = func(response *etree.Element) {
					assertionOf(response).CreateAttr("xmlns:saml", "urn:oasis:names:tc:SAML:1.0:assertion")
				}
			})},
		{Name: "message deflated as for Redirect", Reference: "SAML Bindings 3.5.4", Reasons: bad, Forge: octets(deflated)},
		{Name: "no base64", Reference: "SAML Bindings 3.5.4", Reasons: request,
			Forge: onForm(func(form url.Values) { form.Set("SAMLResponse", "%%%") })},
		{Name: "padding behind whole base64", Reference: "RFC 4648, Section 3.2", Reasons: request, Forge: behindBase64("=")},
		{Name: "text behind the padding of base64", Reference: "RFC 4648, Section 3.3", Reasons: request, Forge: behindBase64("====PGE+")},
		{Name: "one character behind whole base64", Reference: "RFC 4648, Section 3.2", Reasons: request, Forge: behindBase64("A")},
		{Name: "base64 with another alphabet's characters", Reference: "RFC 4648, Section 3.3", Reasons: request,
			Forge: onForm(func(form url.Values) {
				value := form.Get("SAMLResponse")
				form.Set("SAMLResponse", value[:40]+"-_!"+value[40:])
			})},
		{Name: "empty message", Reference: "SAML Bindings 3.5.4", Reasons: request,
			Forge: onForm(func(form url.Values) { form.Set("SAMLResponse", "") })},
		{Name: "two messages in one form", Reference: "SAML Bindings 3.5.4", Reasons: request,
			Forge: onForm(func(form url.Values) { form.Add("SAMLResponse", form.Get("SAMLResponse")) })},
		{Name: "an AuthnRequest where the response belongs", Reference: "SAML Bindings 3.5.4", Reasons: bad,
			Forge: func(s *Scene) url.Values { return formOf(s.Begin().XML, "") }},
	}
}

// prefixed puts something before the root.
func prefixed(prefix string) forge {
	return octets(func(xml []byte) []byte { return append([]byte(prefix), xml...) })
}

// replaced replaces text that occurs first in the response's own part, which the assertion's signature does not cover.
func replaced(old, with string) forge {
	return octets(func(xml []byte) []byte { return bytes.Replace(xml, []byte(old), []byte(with), 1) })
}

// inNameID writes an entity reference for the NameID.
func inNameID(prefix, text string) forge {
	return octets(func(xml []byte) []byte {
		return append([]byte(prefix), bytes.Replace(xml, []byte(">alice<"), []byte(">"+text+"<"), 1)...)
	})
}

// statusMessage writes octets as they are into the StatusMessage, outside of the signature.
func statusMessage(raw string) forge {
	return replaced("</samlp:Status>", "<samlp:StatusMessage>"+raw+"</samlp:StatusMessage></samlp:Status>")
}

// extended writes octets as they are into Extensions, outside of the signature.
func extended(raw string) forge {
	return replaced("<samlp:Status>", "<samlp:Extensions>"+raw+"</samlp:Extensions><samlp:Status>")
}

// onForm edits the form of an honest answer.
func onForm(change func(form url.Values)) forge {
	return func(s *Scene) url.Values {
		form := s.Answer().Form()
		change(form)
		return form
	}
}

func laughs() string {
	dtd := `<!DOCTYPE r [<!ENTITY l0 "ha">`
	for i := range 9 {
		dtd += fmt.Sprintf(`<!ENTITY l%d "%s">`, i+1, strings.Repeat(fmt.Sprintf("&l%d;", i), 10))
	}
	return dtd + "]>"
}

// numbered repeats the format with a running number.
func numbered(n int, format string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

func toUTF16(xml []byte) []byte {
	encoded := []byte{0xfe, 0xff}
	for _, unit := range utf16.Encode([]rune(string(xml))) {
		encoded = append(encoded, byte(unit>>8), byte(unit))
	}
	return encoded
}

func deflated(xml []byte) []byte {
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.DefaultCompression)
	if err != nil {
		panic(err)
	}
	_, _ = w.Write(xml) // a bytes.Buffer does not fail
	_ = w.Close()
	return b.Bytes()
}

// behindBase64 forges by writing something behind the message, which needs no padding itself.
func behindBase64(more string) forge {
	return func(s *Scene) url.Values {
		a := s.Answer()
		a.Bytes = func(xml []byte) []byte {
			for len(xml)%3 != 0 {
				xml = append(xml, '\n')
			}
			return xml
		}
		form := a.Form()
		form.Set("SAMLResponse", form.Get("SAMLResponse")+more)
		return form
	}
}
