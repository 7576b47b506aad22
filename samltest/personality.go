package samltest

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math/big"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/beevik/etree"
	saml "github.com/logintrust/saml"
)

// Personality is how a product writes: the shape of its addresses, messages and metadata. It decides nothing about who a user
// is, and no service provider should need to know it. [Personalities] lists those that this package knows; change any field of
// one before it goes into [Options], or of [IdP.Personality] before the IdP's first use. The zero value is an IdP of no
// product.
//
// Numbers like "quirk 14" in its values are rows of what products are known to do.
type Personality struct {
	Name    string // a word for command lines, such as "entra-id"; empty for no product
	Title   string // what people call it
	Product saml.Product

	// Addresses, each absolute or relative to SSOURL. SSOPostURL is empty where both bindings have one address, SLOURL where
	// there is no single logout. OwnHost says that the entity ID is of the host that [Options.Origin] replaces.
	EntityID, SSOURL, SSOPostURL, SLOURL, MetadataURL, StartURL, HomeURL string
	OwnHost                                                              bool
	// StartSP and StartTarget are the parameters of StartURL that name the service provider and the place there.
	StartSP, StartTarget string
	// PackedState unpacks both from one RelayState: RPID=…&RelayState=…
	PackedState bool

	// Messages.
	Style           Style
	Sign            Parts // of an answer
	SignRefusals    bool  // an answer without assertion is signed
	Seal            Seal  // how, but for Key, Certificate and KeyName, which the IdP fills in
	KeyName         bool  // KeyInfo names the key
	CertificateName string
	IssuerFormat    string
	Consent         string
	NoDestination   bool
	DropRelayState  bool
	LowerHex        bool // small hexadecimal in signed queries
	ID, AssertionID func() string
	TimeLayout      string // of time.Format

	// The assertion. NameFormats are those that it makes, the first by default; a request for another gets the status
	// OtherFormat, if that has a Code.
	NameFormats  []string
	Qualified    bool // persistent and transient names bear both qualifiers
	Username     func(u User) string
	Attributes   func(u User) []Attribute
	NotBefore    time.Duration // before now
	NotOnOrAfter time.Duration
	Confirmation time.Duration // until SubjectConfirmationData's NotOnOrAfter
	SessionEnd   time.Duration // until SessionNotOnOrAfter; 0: none
	ClassRef     string
	SessionIndex func(a *Assertion) string // nil: the IdP's own session
	OtherFormat  Status
	Passive      Status // where nobody is signed in and IsPassive asks for no page

	// Encryption is how assertions are encrypted, but for Key. Encrypts says that it does so as soon as the service provider
	// publishes a key; others begin when an administrator says so: see [Answer.Encrypt] and [IdP.EncryptFor].
	Encrypts   bool
	Encryption Encryption

	Metadata MetadataShape
}

// MetadataShape is how a product writes its metadata.
type MetadataShape struct {
	Prefix        string // empty: a default namespace
	BOM           bool   // a byte order mark at the start
	Signed        bool   // by the IdP's own key
	NoUse         bool   // KeyDescriptors without use, which count for both
	KeyNames      bool
	EncryptionKey bool // a key for encryption, which counts for no signature
	Lifetime      time.Duration
	Protocols     string // beside SAML 2.0, in protocolSupportEnumeration
	WantSigned    string // WantAuthnRequestsSigned; empty: absent
	ErrorURL      string
	// Edit adds what only this product has.
	Edit func(p *IdP, root, role *etree.Element)
}

// Personalities are those of all products that this package knows.
func Personalities() []Personality {
	return []Personality{entraID(), adfs(), okta(), google(), pingFederate(), pingOne(), shibboleth(), keycloak(), oneLogin()}
}

// FindPersonality is the personality of that name, such as "entra-id".
func FindPersonality(name string) (p Personality, found bool) {
	for _, p := range Personalities() {
		if p.Name == name {
			return p, true
		}
	}
	return Personality{}, false
}

// completed fills in what is empty with what an IdP of no product does.
func (p Personality) completed() Personality {
	fill := func(field *string, value string) {
		if *field == "" {
			*field = value
		}
	}
	if p.Name == "" {
		fill(&p.SLOURL, "slo")
		p.SignRefusals = true
		if p.Style == (Style{}) {
			p.Style = Style{Protocol: "samlp", Assertion: "saml"}
		}
		fill(&p.Seal.Prefix, "ds")
		if p.Metadata.Prefix == "" && p.Metadata.Edit == nil {
			p.Metadata = MetadataShape{Prefix: "md", EncryptionKey: true, WantSigned: "false"}
		}
		if p.NotBefore == 0 {
			p.NotBefore = time.Minute
		}
		if p.Sign == SignNothing {
			p.Sign = SignAssertion
		}
		fill(&p.HomeURL, ".")
	}
	fill(&p.SSOURL, "https://idp.example.com/sso")
	fill(&p.EntityID, "metadata")
	fill(&p.MetadataURL, "metadata")
	fill(&p.StartURL, "start")
	fill(&p.HomeURL, "/")
	fill(&p.StartSP, "sp")
	fill(&p.StartTarget, "RelayState")
	fill(&p.TimeLayout, milliseconds)
	fill(&p.ClassRef, ClassProtected)
	fill(&p.Passive.Code, Responder)
	fill(&p.Passive.Second, NoPassive)
	if p.ID == nil {
		p.ID = newID
	}
	if p.AssertionID == nil {
		p.AssertionID = p.ID
	}
	for _, d := range []*time.Duration{&p.NotOnOrAfter, &p.Confirmation} {
		if *d == 0 {
			*d = 5 * time.Minute
		}
	}
	return p
}

// placed resolves the addresses, on the origin if there is one.
func (p Personality) placed(origin, ssoURL, entityID string) (Personality, error) {
	if ssoURL != "" {
		p.SSOURL = ssoURL
	}
	sso, err := url.Parse(p.SSOURL)
	if err != nil || sso.Host == "" || !strings.HasPrefix(sso.Path, "/") {
		return Personality{}, fmt.Errorf("samltest: SSOURL %q: want an absolute URL with a path", p.SSOURL)
	}
	host := sso.Host
	var to *url.URL
	if origin != "" {
		if to, err = url.Parse(origin); err != nil || to.Scheme != "http" && to.Scheme != "https" || to.Host == "" || strings.Trim(to.Path, "/") != "" {
			return Personality{}, fmt.Errorf("samltest: Origin %q: want one like https://idp.example.com", origin)
		}
	}
	for _, place := range []*string{&p.EntityID, &p.SSOURL, &p.SSOPostURL, &p.SLOURL, &p.MetadataURL, &p.StartURL, &p.HomeURL} {
		own := place != &p.EntityID || p.OwnHost || p.Name == ""
		if *place == "" {
			continue
		}
		u, err := sso.Parse(*place)
		if err != nil {
			return Personality{}, fmt.Errorf("samltest: personality %s: %w", p.Name, err)
		}
		if to != nil && own && u.Host == host {
			plain := place == &p.EntityID && p.Name != "" && u.Scheme == "http" // ADFS says http of itself, whatever it is reached by
			u.Host = to.Host
			if !plain {
				u.Scheme = to.Scheme
			}
		}
		if place == &p.EntityID && !strings.Contains(*place, ":") || place != &p.EntityID || to != nil && own {
			*place = u.String()
		}
	}
	if entityID != "" {
		p.EntityID = entityID
	}
	return p, nil
}

// name is the NameID of a user by the format asked for.
func (p Personality) name(u User, format, idp, sp string) *NameID {
	switch {
	case p.NameFormats == nil: // no product: the user says it
		n := u.nameID()
		if format != "" && format != FormatUnspecified {
			n.Format = format
		}
		return n
	case format == "" || format == FormatUnspecified && !slices.Contains(p.NameFormats, format):
		format = p.NameFormats[0]
	}
	n := &NameID{Format: format}
	switch format {
	case FormatEmail:
		n.Value = u.Email
	case FormatPersistent:
		n.Value = pairwise(idp, sp, u.Name)
	case FormatTransient:
		n.Value = "AAdzZWNyZXQx" + rand.Text() + rand.Text()
	default:
		n.Value = u.Name
		if p.Username != nil {
			n.Value = p.Username(u)
		}
	}
	if p.Qualified && (format == FormatPersistent || format == FormatTransient) {
		n.NameQualifier, n.SPNameQualifier = idp, sp
	}
	return n
}

// makes reports whether the personality makes names of that format.
func (p Personality) makes(format string) bool {
	return p.OtherFormat.Code == "" || format == "" || format == FormatUnspecified || slices.Contains(p.NameFormats, format)
}

// pairwise is an opaque name for a user at one service provider: the same each time, another elsewhere.
func pairwise(idp, sp, user string) string {
	sum := sha256.Sum256([]byte(idp + "\x00" + sp + "\x00" + user))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// Shapes of IDs.

func guid() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b)
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80 // RFC 9562, Section 5.4
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

func underscoreGUID() string { return "_" + guid() }

func hexID(prefix string, octets int) func() string {
	return func() string {
		b := make([]byte, octets)
		_, _ = rand.Read(b)
		return prefix + hex.EncodeToString(b)
	}
}

func digits(prefix string, n int) func() string {
	return func() string {
		id := []byte(prefix)
		for range n {
			id = append(id, oneOf("0123456789"))
		}
		return string(id)
	}
}

func oneOf(letters string) byte {
	i, err := rand.Int(rand.Reader, big.NewInt(int64(len(letters))))
	if err != nil {
		panic(fmt.Sprintf("samltest: randomness: %v", err)) // crypto/rand does not fail
	}
	return letters[i.Int64()]
}

// guidOf is a GUID that is the same for the same name.
func guidOf(name string) string {
	b := sha256.Sum256([]byte(name))
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:16])
}

// typed gives all values an xsi:type.
func typed(schemaType string, list []Attribute) []Attribute {
	for i := range list {
		for j := range list[i].Values {
			list[i].Values[j].Type = schemaType
		}
	}
	return list
}

// named makes attributes of one NameFormat from pairs of name and values, without those that have no value.
func named(format string, pairs ...Attribute) (list []Attribute) {
	list = []Attribute{}
	for _, a := range pairs {
		a.NameFormat = format
		a.Values = slices.DeleteFunc(a.Values, func(v Value) bool { return v.Text == "" })
		if len(a.Values) > 0 {
			list = append(list, a)
		}
	}
	return list
}
