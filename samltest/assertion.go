package samltest

// Assertion is an assertion of an [Answer]. An empty string or nil leaves a piece out.
type Assertion struct {
	ID           string
	Version      string
	IssueInstant string
	Issuer       *NameID
	Subject      *Subject
	Conditions   *Conditions
	Advice       []string // raw XML
	Statements   []AuthnStatement
	Attributes   []Attribute // nil: no AttributeStatement; empty: an empty one
	Unsigned     bool        // left out when the answer's assertions are signed
}

// NameID is a name identifier, or an Issuer, which has the same shape.
type NameID struct {
	Value           string
	Format          string
	NameQualifier   string
	SPNameQualifier string
	SPProvidedID    string
}

// Subject is whom an assertion is about, and who may present it.
type Subject struct {
	NameID        *NameID
	Confirmations []Confirmation
}

// Confirmation is a SubjectConfirmation with its SubjectConfirmationData.
type Confirmation struct {
	Method       string
	NameID       *NameID
	NoData       bool // no SubjectConfirmationData at all
	NotBefore    string
	NotOnOrAfter string
	Recipient    string
	InResponseTo string
	Address      string
	Raw          []string // raw XML in the SubjectConfirmationData, such as a ds:KeyInfo
}

// Conditions are when, where and how an assertion may be used.
type Conditions struct {
	NotBefore        string
	NotOnOrAfter     string
	Audiences        [][]string // one AudienceRestriction each
	OneTimeUse       int        // how many there are
	ProxyRestriction *ProxyRestriction
	Raw              []string // raw XML, such as an unknown Condition
}

// ProxyRestriction limits further assertions made from this one.
type ProxyRestriction struct {
	Count     string
	Audiences []string
}

// AuthnStatement tells when and how the user signed in.
type AuthnStatement struct {
	AuthnInstant        string
	SessionIndex        string
	SessionNotOnOrAfter string
	Address             string // SubjectLocality
	NoContext           bool   // no AuthnContext at all
	ClassRef            string
	DeclRef             string
	Authorities         []string // AuthenticatingAuthority
}

// Attribute is an attribute of the user.
type Attribute struct {
	Name         string
	NameFormat   string
	FriendlyName string
	Values       []Value
}

// Value is one AttributeValue.
type Value struct {
	Text string
	Type string   // xsi:type, such as "xs:string"
	Nil  bool     // xsi:nil="true"
	Raw  []string // raw XML, such as the NameID of an eduPersonTargetedID
}

// Attr is an attribute with plain text values.
func Attr(name string, values ...string) Attribute {
	attribute := Attribute{Name: name, NameFormat: NameBasic}
	for _, v := range values {
		attribute.Values = append(attribute.Values, Value{Text: v})
	}
	return attribute
}
