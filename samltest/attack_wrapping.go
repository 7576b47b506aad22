package samltest

import (
	"net/url"
	"strings"

	"github.com/beevik/etree"
	saml "github.com/logintrust/saml"
)

// xsw is the paper that named the wrapping attacks 1 to 8.
const xsw = "Somorovsky et al., On Breaking SAML: Be Whoever You Want to Be (USENIX Security 2012), "

// wrappingAttacks keep a genuine signature over a genuine element and put a forged one where it will be read. Each is made of an
// answer whose response is signed or whose assertion is, and again of one where both are.
func wrappingAttacks() []Attack {
	single := append(classicalWrappings(), containerWrappings()...)
	both := make([]Attack, len(single))
	for i, attack := range single {
		attack.Name += ", both signed"
		attack.Base = signing(SignResponse | SignAssertion)
		attack.Reasons = append(because(saml.BadSignature), attack.Reasons...)
		both[i] = attack
	}
	return append(single, both...)
}

// containerWrappings hide what is signed wherever the schemas allow any element.
func containerWrappings() (list []Attack) {
	reasons := because(saml.Unsigned, saml.MalformedSignature, saml.BadSignature, saml.BadResponse, saml.SeveralAssertions)
	const reference = "Somorovsky et al. (USENIX Security 2012), section 4.2; Ludwig, RUB-NDS SAML containers"
	for _, container := range []struct {
		name string
		put  func(response, assertion, genuine *etree.Element)
	}{
		{"StatusDetail", func(response, _, genuine *etree.Element) {
			status := find(response, nsProtocol, "Status")
			place(status, len(status.Child), "StatusDetail", genuine)
		}},
		{"the Advice", func(_, assertion, genuine *etree.Element) {
			place(assertion, assertion.SelectElement("Conditions").Index()+1, "Advice", genuine)
		}},
		{"the SubjectConfirmationData", func(_, assertion, genuine *etree.Element) {
			assertion.FindElement(".//SubjectConfirmationData").AddChild(genuine)
		}},
		{"an AttributeValue", func(_, assertion, genuine *etree.Element) {
			value := assertion.FindElement(".//AttributeValue")
			value.SetText("")
			value.AddChild(genuine)
		}},
		{"the AuthnContextDecl", func(_, assertion, genuine *etree.Element) {
			context := assertion.FindElement(".//AuthnContext")
			place(context, len(context.Child), "AuthnContextDecl", genuine).Space = assertion.Space
		}},
		{"a condition", func(_, assertion, genuine *etree.Element) {
			conditions := assertion.SelectElement("Conditions")
			place(conditions, len(conditions.Child), "Condition", genuine)
		}},
	} {
		list = append(list, Attack{Name: "signed response in " + container.name + " of a forged one", Reference: reference, Reasons: reasons, Base: signing(SignResponse),
			Forge: after(func(response *etree.Element) {
				genuine := response.Copy()
				become(response, forged(response))
				container.put(response, response.FindElement("./Assertion"), genuine)
			})})
	}
	for _, container := range []struct {
		name, tag string
	}{{"the KeyInfo of the response's signature", "KeyInfo"}, {"an Object of the response's signature", "Object"}} {
		list = append(list, Attack{Name: "signed assertion in " + container.name + " by the attacker", Reference: reference, Reasons: reasons,
			Forge: func(s *Scene) url.Values {
				a := s.Answer()
				a.AfterSign = func(response *etree.Element) {
					assertion := assertionOf(response)
					genuine := assertion.Copy()
					become(assertion, forged(assertion))
					if old := signatureOf(response); old != nil {
						response.RemoveChild(old)
					}
					if err := s.Mallory.Enveloped(response); err != nil {
						panic(err) // the attacker's key is RSA
					}
					signature := signatureOf(response)
					if info := signature.SelectElement(container.tag); info != nil {
						info.AddChild(genuine)
						return
					}
					place(signature, len(signature.Child), container.tag, genuine)
				}
				return a.Form()
			}})
	}
	return list
}

// classicalWrappings are the eight of the paper, and their like.
func classicalWrappings() []Attack {
	misplaced := because(saml.Unsigned, saml.MalformedSignature, saml.BadSignature, saml.BadResponse)
	several := because(saml.SeveralAssertions, saml.Unsigned, saml.BadResponse, saml.MalformedSignature)
	around := signing(SignResponse)
	return []Attack{
		{Name: "XSW1 signed response inside the signature of a forged response", Reference: xsw + "XSW1", Reasons: misplaced, Base: around,
			Forge: after(func(response *etree.Element) {
				genuine, signature := bare(response), signatureOf(response).Copy()
				become(response, forged(response))
				signature.AddChild(genuine)
				insertAfterIssuer(response, signature)
			})},
		{Name: "XSW2 signed response beside its signature in a forged response", Reference: xsw + "XSW2", Reasons: misplaced, Base: around,
			Forge: after(func(response *etree.Element) {
				genuine, signature := bare(response), signatureOf(response).Copy()
				become(response, forged(response))
				insertAfterIssuer(response, signature)
				insertAfterIssuer(response, genuine)
			})},
		{Name: "XSW3 forged assertion before the signed one", Reference: xsw + "XSW3", Reasons: several,
			Forge: after(func(response *etree.Element) {
				genuine := assertionOf(response)
				response.InsertChildAt(genuine.Index(), forged(genuine))
			})},
		{Name: "XSW4 forged assertion around the signed one", Reference: xsw + "XSW4", Reasons: misplaced,
			Forge: swap(func(_, genuine, evil *etree.Element) {
				evil.AddChild(genuine)
			})},
		{Name: "XSW5 forged assertion carries the signature, the signed one follows", Reference: xsw + "XSW5",
			Reasons: append(several, saml.BadSignature),
			Forge: swap(func(response, genuine, evil *etree.Element) {
				insertAfterIssuer(evil, signatureOf(genuine).Copy())
				response.AddChild(bare(genuine))
			})},
		{Name: "XSW6 signed assertion inside the signature of the forged one", Reference: xsw + "XSW6", Reasons: misplaced,
			Forge: swap(func(_, genuine, evil *etree.Element) {
				signature := signatureOf(genuine).Copy()
				signature.AddChild(bare(genuine))
				insertAfterIssuer(evil, signature)
			})},
		{Name: "XSW7 forged assertion with the same ID in Extensions", Reference: xsw + "XSW7", Reasons: because(saml.BadResponse, saml.MalformedSignature),
			Forge: after(func(response *etree.Element) {
				evil := forged(assertionOf(response))
				evil.CreateAttr("ID", assertionOf(response).SelectAttrValue("ID", ""))
				place(response, 1, "Extensions", evil)
			})},
		{Name: "XSW8 signed assertion in a ds:Object of the forged one's signature", Reference: xsw + "XSW8", Reasons: misplaced,
			Forge: swap(func(_, genuine, evil *etree.Element) {
				signature := signatureOf(genuine).Copy()
				place(signature, len(signature.Child), "Object", bare(genuine))
				insertAfterIssuer(evil, signature)
			})},
		{Name: "signed assertion moved to Extensions, a forged one in its place", Reference: xsw + "section 4.2", Reasons: misplaced,
			Forge: swap(func(response, genuine, _ *etree.Element) { place(response, 1, "Extensions", genuine) })},
		{Name: "signed assertion moved to StatusDetail, a forged one in its place", Reference: xsw + "section 4.2", Reasons: misplaced,
			Forge: swap(func(response, genuine, _ *etree.Element) {
				status := find(response, nsProtocol, "Status")
				place(status, len(status.Child), "StatusDetail", genuine)
			})},
		{Name: "signed assertion in the Advice of a forged one", Reference: "SAML Core 2.6", Reasons: misplaced,
			Forge: swap(func(_, genuine, evil *etree.Element) {
				place(evil, evil.SelectElement("Conditions").Index()+1, "Advice", genuine)
			})},
		{Name: "signed assertion in the SubjectConfirmationData of a forged one", Reference: "SAML Core 2.4.1.2", Reasons: misplaced,
			Forge: swap(func(_, genuine, evil *etree.Element) {
				evil.FindElement(".//SubjectConfirmationData").AddChild(genuine)
			})},
		{Name: "signed assertion in an AttributeValue of a forged one", Reference: "SAML Core 2.7.3.1.1", Reasons: misplaced,
			Forge: swap(func(_, genuine, evil *etree.Element) {
				value := evil.FindElement(".//AttributeValue")
				value.SetText("")
				value.AddChild(genuine)
			})},
		{Name: "forged assertion after the signed one", Reference: "CVE-2022-41912 (crewjam/saml)", Reasons: several,
			Forge: after(func(response *etree.Element) { response.AddChild(forged(assertionOf(response))) })},
		{Name: "forged assertion with the ID of the signed one before it", Reference: "CVE-2024-45409 (ruby-saml), Core 1.3.4", Reasons: append(several, saml.BadSignature),
			Forge: after(func(response *etree.Element) {
				genuine := assertionOf(response)
				evil := forged(genuine)
				evil.CreateAttr("ID", genuine.SelectAttrValue("ID", ""))
				response.InsertChildAt(genuine.Index(), evil)
			})},
		{Name: "forged assertion with the ID and the signature of the signed one", Reference: xsw + "section 4.1", Reasons: append(several, saml.BadSignature),
			Forge: after(func(response *etree.Element) {
				genuine := assertionOf(response)
				evil := forged(genuine)
				evil.CreateAttr("ID", genuine.SelectAttrValue("ID", ""))
				insertAfterIssuer(evil, signatureOf(genuine).Copy())
				response.InsertChildAt(genuine.Index(), evil)
			})},
		{Name: "signed response as a child of a forged one", Reference: xsw + "XSW2", Reasons: append(misplaced, several...), Base: around,
			Forge: after(func(response *etree.Element) {
				genuine := response.Copy()
				become(response, forged(response))
				response.AddChild(genuine)
			})},
		{Name: "signed response in the Extensions of a forged one", Reference: xsw + "section 4.2", Reasons: misplaced, Base: around,
			Forge: after(func(response *etree.Element) {
				genuine := response.Copy()
				become(response, forged(response))
				place(response, 1, "Extensions", genuine)
			})},
		{Name: "signed response in a ds:Object of its signature in a forged one", Reference: xsw + "section 4.1", Reasons: misplaced, Base: around,
			Forge: after(func(response *etree.Element) {
				genuine, signature := bare(response), signatureOf(response).Copy()
				become(response, forged(response))
				place(signature, len(signature.Child), "Object", genuine)
				insertAfterIssuer(response, signature)
			})},
		{Name: "forged and signed response under another root", Reference: "SAML Bindings 3.5.4", Reasons: because(saml.BadResponse), Base: around,
			Forge: octets(func(xml []byte) []byte {
				genuine := string(xml)
				return []byte("<both>" + strings.ReplaceAll(genuine, ">alice<", ">"+evil+"<") + genuine + "</both>")
			})},
		{Name: "signed response in a SOAP envelope, posted", Reference: "SAML Bindings 3.5.4", Reasons: because(saml.BadResponse), Base: around,
			Forge: octets(func(xml []byte) []byte {
				const soap = "http://schemas.xmlsoap.org/soap/envelope/"
				return []byte(`<s:Envelope xmlns:s="` + soap + `"><s:Body>` + string(xml) + `</s:Body></s:Envelope>`)
			})},
		{Name: "forged response with the ID of the signed assertion", Reference: "SAML Core 1.3.4, XML 1.0 validity of ID", Reasons: misplaced,
			Forge: swap(func(response, genuine, _ *etree.Element) {
				response.CreateAttr("ID", genuine.SelectAttrValue("ID", ""))
				insertAfterIssuer(response, signatureOf(genuine).Copy())
				place(response, 2, "Extensions", bare(genuine))
			})},
		{Name: "signed assertion as an EncryptedAssertion's neighbour of a forged one", Reference: "SAML Core 2.3.4",
			Reasons: append(several, saml.EncryptedAssertion),
			Forge: swap(func(response, genuine, evil *etree.Element) {
				place(response, len(response.Child), "EncryptedAssertion", genuine).Space = evil.Space
			})},
	}
}

// become turns el into other where it stands.
func become(el, other *etree.Element) {
	el.Space, el.Tag, el.Attr = other.Space, other.Tag, nil
	for _, a := range other.Attr {
		el.CreateAttr(a.FullKey(), a.Value)
	}
	empty(el)
	for len(other.Child) > 0 {
		el.AddChild(other.Child[0])
	}
}

// swap forges the assertion where it stands; hide puts the genuine one, or a part of it, somewhere in the response.
func swap(hide func(response, genuine, evil *etree.Element)) forge {
	return after(func(response *etree.Element) {
		assertion := assertionOf(response)
		genuine := assertion.Copy()
		become(assertion, forged(assertion))
		hide(response, genuine, assertion)
	})
}
