package samltest

import (
	"net/url"

	"github.com/beevik/etree"
	saml "github.com/logintrust/saml"
)

// referenceAttacks are signatures by the genuine key that cover something else, or less, than the element they stand in. An
// attacker gets such a signature from an IdP, or an endpoint near it, that signs what it is given.
func referenceAttacks() []Attack {
	refused := because(saml.MalformedSignature, saml.BadSignature, saml.UnsupportedAlgorithm)
	algorithm := because(saml.UnsupportedAlgorithm, saml.MalformedSignature)
	const one = "SAML Core 5.4.2: exactly one Reference, to the ID of the signed element"
	const transforms = "SAML Core 5.4.4: enveloped signature and exclusive canonicalisation only"
	return []Attack{
		{Name: "URI empty", Reference: one, Reasons: refused,
			Forge: referring(func(response, assertion *etree.Element) []reference {
				ref := to(assertion)
				ref.uri, ref.octets = "", mustCanonical(response)
				return []reference{ref}
			})},
		{Name: "no URI", Reference: one, Reasons: refused,
			Forge: resigned(func(info *etree.Element) { info.SelectElement("Reference").RemoveAttr("URI") })},
		{Name: "URI of the response", Reference: one, Reasons: refused,
			Forge: referring(func(response, assertion *etree.Element) []reference {
				ref := to(response)
				ref.transforms = to(assertion).transforms
				return []reference{ref}
			})},
		{Name: "URI of an element inside", Reference: one, Reasons: refused,
			Forge: referring(func(_, assertion *etree.Element) []reference {
				inner := assertion.SelectElement("AuthnStatement")
				inner.CreateAttr("ID", newID())
				ref := to(inner)
				assertion.FindElement(".//NameID").SetText(evil)
				return []reference{ref}
			})},
		{Name: "URI of another host", Reference: "XML Signature 4.4.3.1, SSRF", Reasons: refused, Forge: referringTo("https://evil.example.com/assertion.xml")},
		{Name: "URI of a file", Reference: "XML Signature 4.4.3.1, SSRF", Reasons: refused, Forge: referringTo("file:///etc/hostname")},
		{Name: "URI as an XPointer to the root", Reference: "XML Signature 4.4.3.2", Reasons: refused, Forge: referringTo("#xpointer(/)")},
		{Name: "URI as an XPointer to the ID", Reference: "XML Signature 4.4.3.2; " + one, Reasons: refused,
			Forge: referring(func(_, assertion *etree.Element) []reference {
				ref := to(assertion)
				ref.uri = "#xpointer(id('" + assertion.SelectAttrValue("ID", "") + "'))"
				return []reference{ref}
			})},
		{Name: "two References, the second elsewhere", Reference: one, Reasons: refused,
			Forge: referring(func(_, assertion *etree.Element) []reference {
				inner := assertion.SelectElement("AuthnStatement")
				inner.CreateAttr("ID", newID())
				return []reference{to(assertion), to(inner)}
			})},
		{Name: "the same Reference twice", Reference: one, Reasons: refused,
			Forge: referring(func(_, assertion *etree.Element) []reference { return []reference{to(assertion), to(assertion)} })},
		{Name: "no Reference", Reference: one, Reasons: refused,
			Forge: referring(func(_, assertion *etree.Element) []reference {
				assertion.FindElement(".//NameID").SetText(evil)
				return nil
			})},
		{Name: "XPath filter leaves the Subject out", Reference: transforms, Reasons: algorithm,
			Forge: withoutSubject(transform{
				algorithm: "http://www.w3.org/TR/1999/REC-xpath-19991116",
				child:     filter("XPath", "not(ancestor-or-self::*[local-name()='Subject'])"),
			})},
		{Name: "XPath Filter 2.0 leaves the Subject out", Reference: transforms, Reasons: algorithm,
			Forge: withoutSubject(transform{
				algorithm: "http://www.w3.org/2002/06/xmldsig-filter2",
				child:     filter("XPath", "//*[local-name()='Subject']"),
			})},
		{Name: "XSLT transform", Reference: "XML Signature Best Practices 2.1.2; " + transforms, Reasons: algorithm,
			Forge: withoutSubject(transform{
				algorithm: "http://www.w3.org/TR/1999/REC-xslt-19991116",
				child:     filter("stylesheet", ""),
			})},
		{Name: "base64 transform", Reference: transforms, Reasons: algorithm,
			Forge: transforming(transform{algorithm: transformEnveloped}, transform{algorithm: nsSignature + "base64"})},
		{Name: "unknown transform", Reference: transforms, Reasons: algorithm,
			Forge: transforming(transform{algorithm: transformEnveloped}, transform{algorithm: "urn:x"})},
		{Name: "three transforms", Reference: transforms, Reasons: refused,
			Forge: transforming(transform{algorithm: transformEnveloped}, transform{algorithm: Exclusive}, transform{algorithm: Exclusive})},
		{Name: "enveloped twice", Reference: transforms, Reasons: refused,
			Forge: transforming(transform{algorithm: transformEnveloped}, transform{algorithm: transformEnveloped})},
		{Name: "enveloped missing", Reference: transforms, Reasons: refused, Forge: transforming(transform{algorithm: Exclusive})},
		{Name: "canonicalisation before enveloped", Reference: transforms, Reasons: refused,
			Forge: transforming(transform{algorithm: Exclusive}, transform{algorithm: transformEnveloped})},
		{Name: "no transforms", Reference: transforms, Reasons: refused, Forge: transforming()},
		{Name: "hundred transforms", Reference: "XML Signature Best Practices 2.1.1", Reasons: refused,
			Forge: transforming(many(100, transform{algorithm: Exclusive})...)},
		{Name: "inclusive canonicalisation of the Reference", Reference: transforms, Reasons: append(algorithm, saml.WeakAlgorithm),
			Forge: before(func(a *Answer) { a.Seal.C14N = Inclusive })},
		{Name: "something else in the canonicalisation", Reference: transforms, Reasons: algorithm,
			Forge: resigned(func(info *etree.Element) { place(info.SelectElement("CanonicalizationMethod"), 0, "XPath") })},
		{Name: "something else in the Transforms", Reference: "XML Signature 4.4.3.4", Reasons: refused,
			Forge: resigned(func(info *etree.Element) {
				list := info.FindElement(".//Transforms")
				place(list, len(list.Child), "Other").CreateAttr("Algorithm", Exclusive)
			})},
		{Name: "text in SignedInfo", Reference: "XML Signature 4.4, schema", Reasons: refused,
			Forge: resigned(func(info *etree.Element) { info.InsertChildAt(1, etree.NewText("x")) })},
		{Name: "element in the DigestValue", Reference: "CVE-2025-29775 (xml-crypto)", Reasons: refused,
			Forge: resigned(func(info *etree.Element) { place(info.FindElement(".//DigestValue"), 0, "x") })},
		{Name: "element in the SignatureValue", Reference: "XML Signature 4.3, schema", Reasons: refused,
			Forge: inSignature("SignatureValue", func(el *etree.Element) { place(el, 0, "x") })},
		{Name: "parameter of SignatureMethod", Reference: "XML Signature 4.4.2: HMACOutputLength is for HMAC", Reasons: refused,
			Forge: resigned(func(info *etree.Element) {
				place(info.SelectElement("SignatureMethod"), 0, "HMACOutputLength", etree.NewText("8"))
			})},
		{Name: "ds:Object beside the signature's parts", Reference: "SAML erratum E91", Reasons: refused,
			Forge: inSignature("", func(signature *etree.Element) { place(signature, len(signature.Child), "Object") })},
		{Name: "unknown canonicalisation of SignedInfo", Reference: "XML Signature 4.4.1", Reasons: algorithm,
			Forge: resigned(func(info *etree.Element) {
				info.SelectElement("CanonicalizationMethod").CreateAttr("Algorithm", "urn:x")
			})},
		{Name: "unknown digest algorithm", Reference: "XML Signature 4.4.3.5", Reasons: algorithm,
			Forge: resigned(func(info *etree.Element) { info.FindElement(".//DigestMethod").CreateAttr("Algorithm", "urn:x") })},
		{Name: "MD5 digest", Reference: "RFC 6931 2.1.1", Reasons: append(algorithm, saml.WeakAlgorithm),
			Forge: before(func(a *Answer) { a.Seal.Digest = "http://www.w3.org/2001/04/xmldsig-more#md5" })},
		{Name: "Manifest instead of the assertion", Reference: "XML Signature 5.1: what a Manifest lists need not verify", Reasons: refused, Forge: manifest},
		{Name: "assertion with Id instead of ID", Reference: "SAML Core 1.3.4", Reasons: append(refused, saml.BadResponse, saml.Unsigned), Forge: otherID("Id")},
		{Name: "assertion with xml:id instead of ID", Reference: "SAML Core 1.3.4", Reasons: append(refused, saml.BadResponse, saml.Unsigned), Forge: otherID("xml:id")},
		{Name: "forged assertion whose xml:id is the ID of the signed one", Reference: xsw + "section 4.1", Reasons: append(refused, saml.BadResponse, saml.Unsigned),
			Forge: swap(func(response, genuine, evil *etree.Element) {
				id := genuine.SelectAttrValue("ID", "")
				evil.CreateAttr("xml:id", id)
				insertAfterIssuer(evil, signatureOf(genuine).Copy())
				place(response, 1, "Extensions", genuine)
			})},
	}
}

// to is an honest reference to the element.
func to(el *etree.Element) reference {
	return reference{
		uri:        "#" + el.SelectAttrValue("ID", ""),
		transforms: []transform{{algorithm: transformEnveloped}, {algorithm: Exclusive}},
		octets:     mustCanonical(el),
	}
}

// referring lets the genuine key sign the references, in the assertion.
func referring(refs func(response, assertion *etree.Element) []reference) forge {
	return func(s *Scene) url.Values {
		a := s.Answer()
		a.Sign = SignNothing
		a.AfterSign = func(response *etree.Element) {
			assertion := assertionOf(response)
			if _, err := s.IdP.Seal().sign(assertion, refs(response, assertion)...); err != nil {
				panic(err)
			}
		}
		return a.Form()
	}
}

// referringTo has an honest digest and another URI.
func referringTo(uri string) forge {
	return referring(func(_, assertion *etree.Element) []reference {
		ref := to(assertion)
		ref.uri = uri
		return []reference{ref}
	})
}

// transforming has an honest digest and other transforms.
func transforming(transforms ...transform) forge {
	return referring(func(_, assertion *etree.Element) []reference {
		ref := to(assertion)
		ref.transforms = transforms
		return []reference{ref}
	})
}

// withoutSubject signs the assertion without its Subject, by that transform, and then changes the Subject.
func withoutSubject(leavesOut transform) forge {
	return referring(func(_, assertion *etree.Element) []reference {
		ref := to(assertion)
		ref.transforms = []transform{{algorithm: transformEnveloped}, leavesOut, {algorithm: Exclusive}}
		rest := detach(assertion)
		rest.RemoveChild(rest.SelectElement("Subject"))
		ref.octets = mustCanonical(rest)
		assertion.FindElement(".//NameID").SetText(evil)
		return []reference{ref}
	})
}

// resigned edits the SignedInfo of an honest signature and lets the genuine key sign that.
func resigned(change func(info *etree.Element)) forge {
	return func(s *Scene) url.Values {
		return inSignature("SignedInfo", func(info *etree.Element) {
			change(info)
			value, err := s.IdP.Seal().signatureValue(mustCanonical(info))
			if err != nil {
				panic(err)
			}
			info.Parent().SelectElement("SignatureValue").SetText(encode(value))
		})(s)
	}
}

// manifest signs a Manifest, in a ds:Object, that lists the assertion with a digest that is wrong.
func manifest(s *Scene) url.Values {
	a := s.Answer()
	a.Sign = SignNothing
	a.AfterSign = func(response *etree.Element) {
		assertion := assertionOf(response)
		list := etree.NewElement("ds:Manifest")
		list.CreateAttr("xmlns:ds", nsSignature)
		list.CreateAttr("Id", newID())
		seal := s.IdP.Seal()
		if err := seal.addReference(list, to(assertion)); err != nil {
			panic(err)
		}
		ref := reference{uri: "#" + list.SelectAttrValue("Id", ""), transforms: []transform{{algorithm: Exclusive}}, octets: mustCanonical(list)}
		signature, err := seal.sign(assertion, ref)
		if err != nil {
			panic(err)
		}
		signature.FindElement(".//Reference").CreateAttr("Type", nsSignature+"Manifest")
		value, err := seal.signatureValue(mustCanonical(signature.SelectElement("SignedInfo")))
		if err != nil {
			panic(err)
		}
		signature.SelectElement("SignatureValue").SetText(encode(value))
		place(signature, len(signature.Child), "Object", list)
		assertion.FindElement(".//NameID").SetText(evil)
	}
	return a.Form()
}

// otherID gives the assertion its ID by another attribute, under an honest signature.
func otherID(attribute string) forge {
	return referring(func(_, assertion *etree.Element) []reference {
		id := assertion.RemoveAttr("ID").Value
		assertion.CreateAttr(attribute, id)
		ref := to(assertion)
		ref.uri = "#" + id
		return []reference{ref}
	})
}

// filter is the content of a transform.
func filter(tag, text string) *etree.Element {
	el := etree.NewElement(tag)
	switch tag {
	case "stylesheet":
		el.CreateAttr("xmlns", "http://www.w3.org/1999/XSL/Transform")
		el.CreateAttr("version", "1.0")
	default:
		el.CreateAttr("xmlns", nsSignature)
		el.SetText(text)
	}
	return el
}

func many[T any](n int, v T) []T {
	list := make([]T, n)
	for i := range list {
		list[i] = v
	}
	return list
}

func mustCanonical(el *etree.Element) []byte {
	octets, err := canonical(el, Exclusive, nil)
	if err != nil {
		panic(err)
	}
	return octets
}
