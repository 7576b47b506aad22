package wire

import (
	"github.com/logintrust/saml/internal/xmlsec"
)

// attributeStatement decodes saml:AttributeStatement (SAML Core 2.7.3). An empty one is not of the schema, but some
// products send it and it says nothing.
func (d *decoder) attributeStatement(e xmlsec.Element, a *Assertion) error {
	n, values := 0, 0
	for child := e.First(); child.Exists(); child = child.Next() {
		n++
		values += child.Count()
	}
	if a.Attributes == nil {
		a.Attributes = make([]Attribute, 0, n)
	}
	d.values = make([]string, 0, values) // one block for the values of all attributes
	for child := e.First(); child.Exists(); child = child.Next() {
		switch {
		case child.Is(AssertionNS, "Attribute"):
			if err := d.attribute(child, a); err != nil {
				return err
			}
		case child.Is(AssertionNS, "EncryptedAttribute") && d.opener != nil:
			plain, err := d.open(child, AssertionNS, "Attribute")
			if err != nil {
				return err
			}
			if err := d.attribute(plain, a); err != nil {
				return err
			}
		case child.Is(AssertionNS, "EncryptedAttribute"):
			return &xmlsec.Error{Kind: xmlsec.NoDecryptionKey, Offset: -1, Msg: "an EncryptedAttribute, and no key of ours to open it"}
		default:
			return malformed("AttributeStatement holds a %.64q", child.Local())
		}
	}
	return nil
}

// An index finds the attribute of a name and format, so that the values of repeated elements are joined, in whatever
// statement they stand.
type index struct {
	rows    map[[2]string]int // made once there are many
	indexed int               // attributes that rows holds
}

const fewAttributes = 32

func (x *index) row(list []Attribute, name, format string) int {
	if len(list) <= fewAttributes {
		for i := range list {
			// Names of one vendor are URIs that differ in their last characters only.
			if other := list[i].Name; len(other) == len(name) && (name == "" || other[len(other)-1] == name[len(name)-1]) &&
				other == name && list[i].NameFormat == format {
				return i
			}
		}
		return -1
	}
	if x.rows == nil {
		x.rows = make(map[[2]string]int, 2*len(list))
	}
	for ; x.indexed < len(list); x.indexed++ {
		x.rows[[2]string{list[x.indexed].Name, list[x.indexed].NameFormat}] = x.indexed
	}
	if i, ok := x.rows[[2]string{name, format}]; ok {
		return i
	}
	return -1
}

func (d *decoder) attribute(e xmlsec.Element, assertion *Assertion) error {
	name, format := d.attr(e, "Name"), d.attr(e, "NameFormat").Value
	if !name.Present {
		return malformed("Attribute without Name")
	}
	if format == "" {
		format = AttrNameUnspecified // SAML Core 2.7.3.1
	}
	row := d.known.row(assertion.Attributes, name.Value, format)
	if row < 0 {
		row = len(assertion.Attributes)
		assertion.Attributes = append(assertion.Attributes, Attribute{Name: name.Value, NameFormat: format, FriendlyName: d.attr(e, "FriendlyName").Value})
	}
	a := &assertion.Attributes[row]
	n := e.Count()
	if a.Values == nil && n > 0 {
		from := len(d.values)
		if from+n > cap(d.values) { // an attribute that was encrypted
			d.values, from = make([]string, 0, n), 0
		}
		d.values = d.values[:from+n]
		a.Values = d.values[from : from : from+n]
	}
	if n > 1 {
		d.reserve(textSize(e))
	}
	for v := e.First(); v.Exists(); v = v.Next() {
		if !v.Is(AssertionNS, "AttributeValue") {
			return malformed("Attribute holds a %.64q", v.Local())
		}
		d.value(v, a)
	}
	return nil
}

// textSize is how many octets of text the child elements of e hold, as far as they hold nothing but text.
func textSize(e xmlsec.Element) (size int) {
	for v := e.First(); v.Exists(); v = v.Next() {
		text, _ := v.PlainText()
		size += len(text)
	}
	return size
}

// value adds one AttributeValue: its text, and what else it is (SAML Core 2.7.3.1.1).
func (d *decoder) value(e xmlsec.Element, a *Attribute) {
	row := len(a.Values)
	if first := e.First(); first.Exists() {
		x := Extra{Index: row}
		text := d.text(e)
		if first.Is(AssertionNS, "NameID") {
			// eduPersonTargetedID and the like: the identifier is the value.
			id := d.nameID(first)
			x.NameID, text = &id, id.Value
		}
		d.buf = e.AppendInner(d.empty())
		x.XML = d.string(d.buf)
		a.Values = append(a.Values, text)
		a.Extra = append(a.Extra, x)
		return
	}
	if isNil, found := e.Find(InstanceNS, "nil"); found {
		d.buf = trimSpace(isNil.AppendValue(d.empty()))
		if s := string(d.buf); s == "true" || s == "1" {
			a.Extra = append(a.Extra, Extra{Index: row, Nil: true})
		}
	}
	a.Values = append(a.Values, d.text(e))
}
