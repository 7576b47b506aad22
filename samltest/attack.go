package samltest

import (
	"net/url"

	"github.com/beevik/etree"
	saml "github.com/logintrust/saml"
)

// Class groups the attacks by what they aim at.
type Class string

// The classes of attacks.
const (
	Wrapping   Class = "wrapping"   // a signature that verifies, over something else than what is read
	Tampering  Class = "tampering"  // no signature, a broken one, or one in the wrong place
	References Class = "references" // a signature that covers less than it seems to
	Keys       Class = "keys"       // a signature by the wrong key or a weak algorithm
	Parsing    Class = "parsing"    // octets that two parsers read differently, or that cost too much
	Profile    Class = "profile"    // a genuine signature under what the specification forbids
	Mixup      Class = "mixup"      // a genuine message at the wrong time, place or browser

	Encrypted   Class = "encrypted"   // a ciphertext that is genuine, around or beside what is not
	Ciphertexts Class = "ciphertexts" // a ciphertext that must not open, or must not be tried

	RelayStates Class = "relaystate" // a genuine login that leads to the attacker's site
	Exhaustion  Class = "exhaustion" // a message that costs more to read than to send
	Metadata    Class = "metadata"   // metadata of an identity provider that gives the attacker a say; see [MetadataAttacks]
)

// Attack is one forgery. A service provider that trusts [Scene.IdP] must refuse what Forge makes, unless Won or Bounded says
// otherwise.
type Attack struct {
	Name      string // unique among all attacks
	Class     Class
	Reference string // CVE, paper, or section of a specification

	// Reasons are the right reasons for the refusal; any other means that it was refused by luck. Several, where the order of
	// checks is the library's business.
	Reasons []saml.Reason

	// Won says whether the attacker got what she wanted, of the pages that came of it: the answer to the form, and where that
	// leads in the service provider's own site. It is for attacks with a genuine login, which may be accepted.
	Won func(pages []*Page) bool
	// Bounded says that it may be accepted, if only there is an answer within [Target.Patience].
	Bounded bool

	// Base makes an honest answer the kind that the attack starts from; nil: none is needed. An answer with nothing but this
	// change must be accepted.
	Base func(a *Answer)

	// Forge makes the form that is posted in the victim's browser.
	Forge func(s *Scene) url.Values

	// NeedsIdPInitiated says that the attack is about unsolicited answers and proves nothing against a login trust that does
	// not allow them; NeedsSolicited, that it is no attack against one that does.
	NeedsIdPInitiated bool
	NeedsSolicited    bool

	// Demand changes the login trust to one that demands what the attack goes against; it is tried where [Target.Trusts] is set.
	// Ask is the same for what the service provider asks for, where [Target.Provider] is attacked. nil: nothing.
	Demand func(trust *saml.LoginTrust)
	Ask    func(options *saml.StartOptions)

	// Encrypted says that the honest answer's assertion is encrypted, for which the service provider must have published a
	// key.
	Encrypted bool
}

// base makes an honest answer to that service provider the kind that the attack starts from.
func (a Attack) base(sp SP) func(*Answer) {
	return func(answer *Answer) {
		if a.Encrypted {
			answer.Encrypt = []Encryption{{Key: sp.EncryptionKey}}
		}
		if a.Base != nil {
			a.Base(answer)
		}
	}
}

// Attacks are all attacks, class by class.
func Attacks() []Attack {
	var all []Attack
	for _, class := range []struct {
		name    Class
		attacks []Attack
	}{
		{Wrapping, wrappingAttacks()},
		{Tampering, tamperingAttacks()},
		{References, referenceAttacks()},
		{Keys, keyAttacks()},
		{Parsing, parsingAttacks()},
		{Profile, append(append(profileAttacks(), conditionAttacks()...), demandAttacks()...)},
		{Mixup, mixupAttacks()},
		{Encrypted, encryptedAttacks()},
		{Ciphertexts, ciphertextAttacks()},
		{RelayStates, relayStateAttacks()},
		{Exhaustion, exhaustionAttacks()},
	} {
		for _, attack := range class.attacks {
			attack.Class = class.name
			attack.Encrypted = attack.Encrypted || class.name == Encrypted || class.name == Ciphertexts
			all = append(all, attack)
		}
	}
	return all
}

// Scene is where an attack takes place: who is there, and what the attacker can make them do.
type Scene struct {
	IdP     *IdP // whom the service provider trusts
	Other   *IdP // another one; the service provider may or may not trust it too
	SP      SP
	Mallory Seal // the attacker's key, in a certificate that bears the IdP's name

	base   func(a *Answer)
	begin  func(p *IdP, elsewhere bool, place string) Request
	accept func(form url.Values, elsewhere bool)
	plant  func(name, value string)
}

// Begin starts a login at the IdP in the victim's browser, and returns the request that the service provider sends.
func (s *Scene) Begin() Request { return s.begin(s.IdP, false, "") }

// BeginWith starts it by a link that names a place to which the login shall lead. It falls back to one without if the service
// provider refuses that.
func (s *Scene) BeginWith(place string) Request { return s.begin(s.IdP, false, place) }

// BeginAtOther starts a login at the other IdP in the victim's browser. It falls back to the IdP if the service provider does
// not know the other.
func (s *Scene) BeginAtOther() Request { return s.begin(s.Other, false, "") }

// BeginElsewhere starts a login at the IdP in another browser.
func (s *Scene) BeginElsewhere() Request { return s.begin(s.IdP, true, "") }

// Plant puts a cookie for the service provider into the victim's browser, as a neighbour under the same domain can.
func (s *Scene) Plant(name, value string) { s.plant(name, value) }

// Accept posts the form in the victim's browser and insists that it is accepted: a step that must work before the attack.
func (s *Scene) Accept(form url.Values) { s.accept(form, false) }

// AcceptElsewhere posts the form in the other browser and insists that it is accepted.
func (s *Scene) AcceptElsewhere(form url.Values) { s.accept(form, true) }

// Answer is an honest answer to a new request of the victim's browser, with the attack's Base applied.
func (s *Scene) Answer() *Answer { return s.AnswerTo(s.Begin()) }

// AnswerTo is an honest answer to that request, with the attack's Base applied.
func (s *Scene) AnswerTo(req Request) *Answer {
	a := s.IdP.Answer(req)
	if s.base != nil {
		s.base(a)
	}
	return a
}

// forge is how an attack makes its form.
type forge = func(s *Scene) url.Values

// before forges by changing the answer before it is signed: the IdP itself signs what it must not say.
func before(change func(a *Answer)) forge {
	return func(s *Scene) url.Values {
		a := s.Answer()
		change(a)
		return a.Form()
	}
}

// edit forges by editing the tree that is then signed.
func edit(change func(response *etree.Element)) forge {
	return before(func(a *Answer) { a.BeforeSign = change })
}

// after forges by editing what has been signed.
func after(change func(response *etree.Element)) forge {
	return before(func(a *Answer) { a.AfterSign = change })
}

// octets forges by editing the octets of the signed message.
func octets(change func(xml []byte) []byte) forge {
	return before(func(a *Answer) { a.Bytes = change })
}

// signing is the Base of an attack that needs other parts signed than the assertion.
func signing(parts Parts) func(a *Answer) { return func(a *Answer) { a.Sign = parts } }

func because(reasons ...saml.Reason) []saml.Reason { return reasons }

// evil is whom the attacker would like to be.
const evil = "admin"

// forged is a copy of an assertion, or of a response with its assertion, for somebody else: without its signatures, under new
// IDs, and with another NameID.
func forged(genuine *etree.Element) *etree.Element {
	el := genuine.Copy()
	rename(el)
	return el
}

func rename(el *etree.Element) {
	if el.SelectAttr("ID") != nil {
		el.CreateAttr("ID", newID())
	}
	for _, child := range el.ChildElements() {
		switch child.Tag {
		case "Signature":
			el.RemoveChild(child)
		case "NameID":
			child.SetText(evil)
		default:
			rename(child)
		}
	}
}

// bare is a copy of an element without its own signature: what its signature's enveloped transform leaves.
func bare(el *etree.Element) *etree.Element {
	copied := el.Copy()
	copied.RemoveChild(signatureOf(copied))
	return copied
}

// assertionOf is the response's assertion.
func assertionOf(response *etree.Element) *etree.Element {
	return find(response, nsAssertion, "Assertion")
}

// signatureOf is the element's own signature. (A copy has lost the namespaces of its ancestors, so only the name counts.)
func signatureOf(el *etree.Element) *etree.Element { return el.SelectElement("Signature") }

// place puts a new child of that name into the parent, in the parent's namespace, with the content.
func place(parent *etree.Element, index int, tag string, content ...etree.Token) *etree.Element {
	el := etree.NewElement(tag)
	el.Space = parent.Space
	for _, c := range content {
		el.AddChild(c)
	}
	parent.InsertChildAt(index, el)
	return el
}
