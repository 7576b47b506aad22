package samltest

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net/url"
	"strings"

	"github.com/beevik/etree"
)

// Blank, as the value of any string field of a message, writes the attribute or element present but empty. The empty string
// leaves it out. (XML has no NUL, so Blank can be mistaken for nothing else.)
const Blank = "\x00"

// Parts says what of a response is signed. The parts add up: SignResponse|SignAssertion.
type Parts int

// The parts of a response that can be signed.
const (
	SignResponse Parts = 1 << iota
	SignAssertion
	SignNothing Parts = 0
)

// Answer is a Response to be: change any field, then ask for [Answer.XML], [Answer.Encode] or [Answer.Form]. An empty string
// or nil leaves the attribute or element out, and [Blank] writes it empty. Each call builds and signs anew from the fields;
// with RSA keys the result is the same every time.
type Answer struct {
	ID           string
	Version      string
	IssueInstant string
	Destination  string
	Consent      string
	InResponseTo string
	Issuer       *NameID
	Extensions   []string // raw XML
	Status       *Status
	Assertions   []*Assertion

	Sign          Parts
	Seal          Seal  // how it is signed
	AssertionSeal *Seal // how the assertions are, if otherwise than Seal
	Style         Style

	// Encrypt encrypts each assertion, once it is signed and before the response is, for these recipients.
	Encrypt []Encryption
	// EncryptNameID and EncryptAttributes do so with the NameID of each Subject and with each Attribute, before anything is
	// signed.
	EncryptNameID, EncryptAttributes []Encryption

	BeforeSign func(response *etree.Element) // edits the tree that is then signed
	AfterSign  func(response *etree.Element) // edits what was signed
	Bytes      func(xml []byte) []byte       // edits the octets

	ACSURL     string // where the form is posted; not part of the message
	RelayState string
}

// Style is how a message is written, which must make no difference to who reads it.
type Style struct {
	Protocol    string // prefix of the protocol's elements; empty: default namespace declarations
	Assertion   string // prefix of the assertion's elements; empty: default namespace declarations
	Pretty      bool   // line breaks and indentation
	Declaration bool   // <?xml version="1.0" encoding="UTF-8"?>

	Local           bool   // the assertion's prefix is declared where it is used first, not on the root
	Schema          string // prefix of XML Schema, declared on the response and on the assertion; empty: on each typed value
	AttributesFirst bool   // the AttributeStatement stands before the AuthnStatement
}

// Status is a Response's Status.
type Status struct {
	Code    string
	Second  string   // second-level code
	Message string   // StatusMessage
	Detail  []string // raw XML in StatusDetail
}

// Answer is a good answer to the request, about alice, signed as the Personality has it: by default the assertion is.
func (p *IdP) Answer(req Request) *Answer { return p.AnswerAbout(req, p.users[0]) }

// AnswerAbout is a good answer to the request about that user. A request without ID makes it unsolicited.
func (p *IdP) AnswerAbout(req Request, user User) *Answer {
	a := p.Refuse(req, Status{Code: Success})
	a.Sign = p.Personality.Sign
	a.Assertions = []*Assertion{p.assertion(req, user, a.IssueInstant)}
	if sp, found := p.findSP(req.SPEntityID, req.ACSURL); found && p.Personality.Encrypts {
		a.Encrypt = p.EncryptFor(sp)
	}
	return a
}

// Refuse is an answer without an assertion, such as one with the status [NoPassive]. It is unsigned, as most are; set Sign
// for a signed one.
func (p *IdP) Refuse(req Request, status Status) *Answer {
	shape := p.Personality
	a := &Answer{
		ID:           shape.ID(),
		Version:      "2.0",
		IssueInstant: p.In(0),
		Destination:  req.ACSURL,
		Consent:      shape.Consent,
		InResponseTo: req.ID,
		Issuer:       &NameID{Value: p.EntityID, Format: shape.IssuerFormat},
		Status:       &status,
		Seal:         p.Seal(),
		Style:        shape.Style,
		ACSURL:       req.ACSURL,
		RelayState:   req.RelayState,
	}
	if shape.NoDestination {
		a.Destination = ""
	}
	if shape.DropRelayState {
		a.RelayState = ""
	}
	return a
}

// assertion is a good assertion about the user.
func (p *IdP) assertion(req Request, user User, instant string) *Assertion {
	shape := p.Personality
	class := shape.ClassRef
	if len(req.AuthnContext) > 0 {
		class = req.AuthnContext[0]
	}
	a := &Assertion{
		ID:           shape.AssertionID(),
		Version:      "2.0",
		IssueInstant: instant,
		Issuer:       &NameID{Value: p.EntityID, Format: shape.IssuerFormat},
		Subject: &Subject{
			NameID: shape.name(user, req.NameIDFormat, p.EntityID, req.SPEntityID),
			Confirmations: []Confirmation{{
				Method:       Bearer,
				Recipient:    req.ACSURL,
				NotOnOrAfter: p.In(shape.Confirmation),
				InResponseTo: req.ID,
			}},
		},
		Conditions: &Conditions{
			NotBefore:    p.In(-shape.NotBefore),
			NotOnOrAfter: p.In(shape.NotOnOrAfter),
			Audiences:    [][]string{{req.SPEntityID}},
		},
		Statements: []AuthnStatement{{AuthnInstant: instant, SessionIndex: newID(), ClassRef: class}},
	}
	if shape.Attributes == nil {
		a.Attributes = user.attributes()
	} else {
		a.Attributes = append(shape.Attributes(user), user.Attributes...)
	}
	if shape.SessionIndex != nil {
		a.Statements[0].SessionIndex = shape.SessionIndex(a)
	}
	if shape.SessionEnd != 0 {
		a.Statements[0].SessionNotOnOrAfter = p.In(shape.SessionEnd)
	}
	return a
}

// Assertion is the first assertion, the only one in a good answer.
func (a *Answer) Assertion() *Assertion { return a.Assertions[0] }

// XML is the message as it goes over the wire. It panics when it cannot be built or signed, which is a mistake of the test.
func (a *Answer) XML() []byte {
	response, err := a.build()
	if err != nil {
		panic(fmt.Sprintf("samltest: build answer: %v", err))
	}
	xml := serialize(response, a.Style.Declaration)
	if a.Bytes != nil {
		xml = a.Bytes(xml)
	}
	return xml
}

// Encode is the message in base64, as a form carries it.
func (a *Answer) Encode() string { return base64.StdEncoding.EncodeToString(a.XML()) }

// Form holds the fields that the browser posts to ACSURL.
func (a *Answer) Form() url.Values { return formOf(a.XML(), a.RelayState) }

func formOf(xml []byte, relayState string) url.Values {
	form := url.Values{"SAMLResponse": {base64.StdEncoding.EncodeToString(xml)}}
	if relayState != "" {
		form.Set("RelayState", relayState)
	}
	return form
}

// build makes the tree, signs the assertions and then the response around them.
func (a *Answer) build() (*etree.Element, error) {
	response, assertions, err := a.unsigned()
	if err != nil {
		return nil, err
	}
	if a.BeforeSign != nil {
		a.BeforeSign(response)
	}
	if err := a.encryptParts(assertions); err != nil {
		return nil, err
	}
	if a.Sign&SignAssertion != 0 {
		seal := a.Seal
		if a.AssertionSeal != nil {
			seal = *a.AssertionSeal
		}
		for i, el := range assertions {
			if a.Assertions[i].Unsigned {
				continue
			}
			if err := seal.Enveloped(el); err != nil {
				return nil, err
			}
		}
	}
	for _, el := range assertions {
		if len(a.Encrypt) == 0 {
			break
		}
		if err := encrypt(&writer{style: a.Style}, el, "EncryptedAssertion", a.Encrypt); err != nil {
			return nil, err
		}
	}
	if a.Sign&SignResponse != 0 {
		if err := a.Seal.Enveloped(response); err != nil {
			return nil, err
		}
	}
	if a.AfterSign != nil {
		a.AfterSign(response)
	}
	return response, nil
}

func (a *Answer) unsigned() (response *etree.Element, assertions []*etree.Element, err error) {
	w := &writer{style: a.Style}
	response = w.element(nil, nsProtocol, "Response")
	w.attr(response, "ID", a.ID)
	w.attr(response, "Version", a.Version)
	w.attr(response, "IssueInstant", a.IssueInstant)
	w.attr(response, "Destination", a.Destination)
	w.attr(response, "Consent", a.Consent)
	w.attr(response, "InResponseTo", a.InResponseTo)
	w.nameID(response, "Issuer", a.Issuer)
	if len(a.Extensions) > 0 {
		w.raw(w.element(response, nsProtocol, "Extensions"), a.Extensions...)
	}
	w.status(response, a.Status)
	for _, assertion := range a.Assertions {
		assertions = append(assertions, w.assertion(response, assertion))
	}
	if a.Style.Pretty {
		etree.NewDocumentWithRoot(response).Indent(2)
	}
	return response, assertions, w.err
}

// serialize writes the document so that reading it gives the same tree back: what a parser would normalise is escaped.
func serialize(root *etree.Element, declaration bool) []byte {
	doc := etree.NewDocument()
	if declaration {
		doc.CreateProcInst("xml", `version="1.0" encoding="UTF-8"`)
	}
	doc.AddChild(root)
	doc.WriteSettings = etree.WriteSettings{CanonicalAttrVal: true, CanonicalText: true}
	xml, err := doc.WriteToBytes()
	if err != nil {
		panic(fmt.Sprintf("samltest: write XML: %v", err)) // a bytes.Buffer does not fail
	}
	return xml
}

// newID is a fresh xs:ID: it must not begin with a digit.
func newID() string { return "_" + strings.ToLower(rand.Text()) }
