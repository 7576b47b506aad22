package wire

import (
	"crypto"
	"errors"
	"time"

	"github.com/logintrust/saml/internal/xmlsec"
)

// Claims is what a Response says of itself. As long as it is not signed (see Opened) it may only veto a login or be
// shown.
type Claims struct {
	ID, Version   string
	IssueInstant  time.Time
	Destination   Text
	InResponseTo  Text
	Issuer        Text
	IssuerFormat  Text
	StatusCode    string   // the top-level code
	StatusSub     []string // the codes inside it, outermost first
	StatusMessage string
	StatusDetail  string // the elements of it, as sent

	Assertions int // direct children, encrypted ones included
	Encrypted  int

	// AssertionIssuer is what the one unencrypted assertion says, verified or not.
	AssertionIssuer Text
}

// A Response is a message whose elements are where the schema has them. Nothing in it is verified yet.
type Response struct {
	Claims    Claims
	root      xmlsec.Element
	assertion xmlsec.Element
	encrypted xmlsec.Element // the EncryptedAssertion, if there is one in place of the assertion
	signed    bool           // a ds:Signature in its place on the Response
	outer     xmlsec.Element // the ArtifactResponse around it, if it came in one
	u         *xmlsec.Unverified
	d         decoder
	opened    Opened
}

const (
	maxStatusCodes  = 8       // nested status codes that are read
	maxStatusDetail = 4 << 10 // octets of StatusDetail that are kept
)

// ReadResponse checks that u is a samlp:Response and where its parts are (SAML Core 3.2.2, 3.3.3).
func ReadResponse(u *xmlsec.Unverified) (*Response, error) {
	r := new(Response)
	if err := r.Read(u); err != nil {
		return nil, err
	}
	return r, nil
}

// Read is ReadResponse in memory that is kept: what r held before is forgotten.
func (r *Response) Read(u *xmlsec.Unverified) error {
	*r = Response{u: u, root: u.Root()}
	return r.read()
}

func (r *Response) read() error {
	if !r.root.Is(ProtocolNS, "Response") {
		return malformed("the message is a %.64q, not a samlp:Response", r.root.Local())
	}
	d := &r.d
	var err error
	if r.Claims, r.assertion, r.signed, err = d.claims(r.root); err != nil {
		return err
	}
	if r.Claims.Assertions != 1 {
		r.assertion = xmlsec.Element{} // of several none counts
	}
	if r.Claims.Encrypted > 0 {
		r.assertion, r.encrypted = xmlsec.Element{}, r.assertion
	}
	if r.assertion.Exists() {
		if issuer := r.assertion.First(); issuer.Is(AssertionNS, "Issuer") {
			r.Claims.AssertionIssuer = Text{d.text(issuer), true}
		}
	}
	return nil
}

// claims decodes the Response element itself; assertion is its last Assertion or EncryptedAssertion.
func (d *decoder) claims(e xmlsec.Element) (c Claims, assertion xmlsec.Element, signed bool, err error) {
	c.ID = d.attr(e, "ID").Value
	c.Version = d.attr(e, "Version").Value
	c.Destination = d.attr(e, "Destination")
	c.InResponseTo = d.attr(e, "InResponseTo")
	if c.IssueInstant, err = d.time(e, "IssueInstant"); err != nil {
		return c, assertion, false, err
	}
	if c.ID == "" || c.IssueInstant.IsZero() {
		return c, assertion, false, malformed("Response without ID or IssueInstant")
	}
	s := walk(e)
	if issuer, ok := s.take(AssertionNS, "Issuer"); ok {
		c.Issuer = Text{d.text(issuer), true}
		c.IssuerFormat = d.attr(issuer, "Format")
	}
	_, signed = s.take(SignatureNS, "Signature")
	s.take(ProtocolNS, "Extensions")
	if status, ok := s.take(ProtocolNS, "Status"); ok {
		if err = d.status(status, &c); err != nil {
			return c, assertion, signed, err
		}
	}
	for {
		if a, ok := s.take(AssertionNS, "Assertion"); ok {
			c.Assertions++
			assertion = a
			continue
		}
		if a, ok := s.take(AssertionNS, "EncryptedAssertion"); ok {
			c.Assertions++
			c.Encrypted++
			assertion = a
			continue
		}
		return c, assertion, signed, s.end()
	}
}

func (d *decoder) status(e xmlsec.Element, c *Claims) error {
	s := walk(e)
	code, ok := s.take(ProtocolNS, "StatusCode")
	if !ok {
		return malformed("Status without StatusCode")
	}
	c.StatusCode = d.attr(code, "Value").Value
	for sub := code.Child(ProtocolNS, "StatusCode"); sub.Exists() && len(c.StatusSub) < maxStatusCodes; {
		c.StatusSub = append(c.StatusSub, d.attr(sub, "Value").Value)
		sub = sub.Child(ProtocolNS, "StatusCode")
	}
	if m, ok := s.take(ProtocolNS, "StatusMessage"); ok {
		c.StatusMessage = d.text(m)
	}
	if detail, ok := s.take(ProtocolNS, "StatusDetail"); ok {
		var xml []byte
		for child := detail.First(); child.Exists() && len(xml)+child.Size() < maxStatusDetail; child = child.Next() {
			xml = child.AppendOuter(xml)
		}
		c.StatusDetail = d.string(xml)
	}
	return s.end()
}

// Opened is what the pinned keys vouch for.
type Opened struct {
	// Claims is read from signed octets if ResponseSigned, and may only veto otherwise.
	Claims         Claims
	ResponseSigned bool
	// AssertionSigned says that the assertion carries a signature of its own, and that it verified.
	AssertionSigned bool
	// WasEncrypted says that the assertion came encrypted.
	WasEncrypted bool
	// Assertion is nil if the Response holds none, or an encrypted one and there is nothing to open it with.
	Assertion *Assertion
}

// Open verifies every signature that counts and decodes what they cover. A signature counts as a direct child of the
// ArtifactResponse around it, of the Response or of its one Assertion, behind Issuer; elsewhere it is inert. Without one assertion that
// could count an unsigned Response is returned as claims. opener opens what is encrypted; nil if we have no key for that.
func (r *Response) Open(keys []crypto.PublicKey, p xmlsec.Policy, opener *xmlsec.Opener) (*Opened, error) {
	r.opened = Opened{Claims: r.Claims}
	o := &r.opened
	d := &r.d
	d.opener, d.policy, d.documents = opener, p, append(d.room[:0], r.u)
	covered, err := r.openOuter(keys, p)
	if err != nil {
		return nil, err
	}
	if r.signed {
		whole, err := r.u.Verify(r.root, keys, p)
		if err != nil {
			return nil, err
		}
		covered = vouch(whole)
	} else if r.root.HasSignature() {
		return nil, malformed("a signature that is not behind Issuer")
	}
	if covered.Exists() {
		o.ResponseSigned = true
		if o.Claims, _, _, err = d.claims(covered.Element); err != nil {
			return nil, err
		}
	}
	switch {
	case r.encrypted.Exists() && opener != nil:
		err = r.openEncrypted(keys, covered)
	case r.assertion.Exists():
		err = r.openAssertion(r.u, r.assertion, keys, covered.child(AssertionNS, "Assertion"))
	}
	if err != nil {
		return nil, err
	}
	return o, nil
}

// openAssertion decodes the assertion e of the document u, which is signed itself, or is what the Response's signature
// covers.
func (r *Response) openAssertion(u *xmlsec.Unverified, e xmlsec.Element, keys []crypto.PublicKey, covered vouched) (err error) {
	if e.HasSignature() {
		if second := e.First().Next(); !second.Is(SignatureNS, "Signature") {
			return malformed("an assertion's signature that is not behind Issuer")
		}
		part, err := u.Verify(e, keys, r.d.policy)
		if err != nil {
			return err
		}
		r.opened.AssertionSigned = true
		covered = vouch(part)
	}
	if !covered.Exists() {
		return &xmlsec.Error{Kind: xmlsec.Unsigned, Offset: -1, Msg: "neither the Response nor the Assertion is signed"}
	}
	r.opened.Assertion, err = r.d.assertion(covered)
	return err
}

// openEncrypted opens the EncryptedAssertion (SAML Core 2.3.4). Inside a verified Response the ciphertext is that of its
// signer. Outside of one, what comes out is worth nothing until its own signature verifies (erratum E93).
func (r *Response) openEncrypted(keys []crypto.PublicKey, response vouched) error {
	d := &r.d
	var plain xmlsec.Plain
	var signed xmlsec.Signed
	var err error
	if response.Exists() {
		e := response.child(AssertionNS, "EncryptedAssertion")
		plain, signed, err = response.in.Decrypt(e.Element, d.opener, d.policy)
	} else {
		plain, err = r.u.Decrypt(r.encrypted, d.opener, d.policy)
	}
	if err == nil {
		err = r.openPlain(plain, keys, vouch(signed))
	}
	if err != nil && (plain.Malleable() || isUndecryptable(err)) {
		if !plain.Tried() {
			xmlsec.TakeTime(keys)
		}
		return xmlsec.Closed()
	}
	return err
}

func isUndecryptable(err error) bool {
	e, ok := errors.AsType[*xmlsec.Error](err)
	return ok && e.Kind == xmlsec.Undecryptable
}

func (r *Response) openPlain(plain xmlsec.Plain, keys []crypto.PublicKey, covered vouched) error {
	e := plain.Root()
	if !e.Is(AssertionNS, "Assertion") {
		return xmlsec.Closed()
	}
	if err := r.d.checkIDs(plain.Document()); err != nil {
		return err
	}
	r.opened.WasEncrypted = true
	return r.openAssertion(plain.Document(), e, keys, covered)
}

// A vouched element stands in octets that a pinned key signed. There is no other way to make one than from Signed, and
// assertions are decoded from nothing else: the trust boundary is this type.
type vouched struct {
	xmlsec.Element
	in xmlsec.Signed
}

func vouch(s xmlsec.Signed) vouched { return vouched{s.Root(), s} }

func (v vouched) child(space, local string) vouched {
	return vouched{v.Child(space, local), v.in}
}
