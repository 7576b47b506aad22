package samltest

import (
	"bytes"
	"compress/flate"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/beevik/etree"
	saml "github.com/logintrust/saml"
)

// LogoutMessage is a LogoutRequest or LogoutResponse to be, or a ManageNameIDRequest: change any field, then ask for [LogoutMessage.URL],
// [LogoutMessage.Form] or [LogoutMessage.XML]. An empty string or nil leaves the attribute or element out, and [Blank] writes
// it empty. Each call builds and signs anew from the fields.
type LogoutMessage struct {
	Response     bool // a LogoutResponse; otherwise a LogoutRequest
	ID           string
	Version      string
	IssueInstant string
	Destination  string
	Issuer       *NameID
	Extensions   []string // raw XML
	RelayState   string

	// Of a request.
	NotOnOrAfter   string
	Reason         string
	NameID         *NameID
	Identifier     []string // raw XML in the place of the NameID
	SessionIndexes []string
	// EncryptNameID makes the NameID an EncryptedID for these recipients, before anything is signed.
	EncryptNameID []Encryption

	// Of a ManageNameIDRequest, which has NewID or Terminate.
	ManageNameID bool
	NewID        string
	Terminate    bool
	// EncryptNewID makes the NewID a NewEncryptedID for these recipients, before anything is signed.
	EncryptNewID []Encryption

	// Of an answer.
	InResponseTo string
	Status       *Status

	SLOURL   string // where it goes; not part of the message
	Seal     Seal   // how it is signed
	Unsigned bool
	Style    Style
	LowerHex bool // small hexadecimal in the query, as ADFS and Entra ID write it

	BeforeSign func(message *etree.Element) // edits the tree that is then signed
	AfterSign  func(message *etree.Element) // edits what was signed, by the POST binding
	Bytes      func(xml []byte) []byte      // edits the octets
	Deflated   func([]byte) []byte          // edits what was deflated, before the query is signed
	Query      func(query string) string    // edits the signed query
}

// LogoutRequest is a good request to end that session at the service provider's endpoint.
func (p *IdP) LogoutRequest(session saml.LoginSession, sloURL string) *LogoutMessage {
	name := NameID(session.NameID)
	m := p.logoutMessage(sloURL)
	m.NotOnOrAfter, m.NameID = p.In(5*time.Minute), &name
	m.SessionIndexes = slices.Clone(session.SessionIndexes)
	return m
}

// NameIDRequest is a good ManageNameIDRequest about the user of that session, to the service provider's endpoint: his name is newID
// from now on or, if that is "", is used no more.
func (p *IdP) NameIDRequest(session saml.LoginSession, newID, nameIDURL string) *LogoutMessage {
	name := NameID(session.NameID)
	m := p.logoutMessage(nameIDURL)
	m.ManageNameID, m.NameID, m.NewID, m.Terminate = true, &name, newID, newID == ""
	return m
}

// LogoutResponse is a good answer to the request, to the service provider's endpoint.
func (p *IdP) LogoutResponse(req ReceivedLogout, sloURL string) *LogoutMessage {
	m := p.logoutMessage(sloURL)
	m.Response, m.InResponseTo, m.RelayState, m.Status = true, req.ID, req.RelayState, &Status{Code: Success}
	return m
}

func (p *IdP) logoutMessage(sloURL string) *LogoutMessage {
	shape := p.Personality
	return &LogoutMessage{ID: shape.ID(), Version: "2.0", IssueInstant: p.In(0), Destination: sloURL, SLOURL: sloURL,
		Issuer: &NameID{Value: p.EntityID, Format: shape.IssuerFormat}, Seal: p.Seal(), Style: shape.Style, LowerHex: shape.LowerHex}
}

// element makes the tree, without signature.
func (m *LogoutMessage) element() (*etree.Element, error) {
	w := &writer{style: m.Style}
	el := w.element(nil, nsProtocol, m.tag())
	for _, a := range []struct{ key, value string }{{"ID", m.ID}, {"Version", m.Version}, {"IssueInstant", m.IssueInstant},
		{"Destination", m.Destination}, {"InResponseTo", m.InResponseTo}, {"NotOnOrAfter", m.NotOnOrAfter}, {"Reason", m.Reason}} {
		w.attr(el, a.key, a.value)
	}
	w.nameID(el, "Issuer", m.Issuer)
	if len(m.Extensions) > 0 {
		w.raw(w.element(el, nsProtocol, "Extensions"), m.Extensions...)
	}
	w.status(el, m.Status)
	w.nameID(el, "NameID", m.NameID)
	w.raw(el, m.Identifier...)
	for _, index := range m.SessionIndexes {
		w.text(el, nsProtocol, "SessionIndex", index)
	}
	w.text(el, nsProtocol, "NewID", m.NewID)
	if m.Terminate {
		w.element(el, nsProtocol, "Terminate")
	}
	if m.Style.Pretty {
		etree.NewDocumentWithRoot(el).Indent(2)
	}
	if len(m.EncryptNameID) > 0 {
		for _, name := range el.SelectElements("NameID") {
			if err := encrypt(w, name, "EncryptedID", m.EncryptNameID); err != nil {
				return nil, err
			}
		}
	}
	if len(m.EncryptNewID) > 0 {
		for _, id := range el.SelectElements("NewID") {
			if err := encrypt(w, id, "NewEncryptedID", m.EncryptNewID); err != nil {
				return nil, err
			}
		}
		for _, id := range el.SelectElements("NewEncryptedID") {
			id.Space = el.Space // of the protocol, unlike other encrypted elements
		}
	}
	if m.BeforeSign != nil {
		m.BeforeSign(el)
	}
	return el, w.err
}

func (m *LogoutMessage) tag() string {
	exchange, side := "Logout", "Request"
	if m.ManageNameID {
		exchange = "ManageNameID"
	}
	if m.Response {
		side = "Response"
	}
	return exchange + side
}

// Element is the signed tree, as the POST binding has it.
func (m *LogoutMessage) Element() *etree.Element {
	el, err := m.element()
	if err == nil && !m.Unsigned {
		err = m.Seal.Enveloped(el)
	}
	if err != nil {
		panic(fmt.Sprintf("samltest: build logout message: %v", err)) // a mistake of the test
	}
	if m.AfterSign != nil {
		m.AfterSign(el)
	}
	return el
}

// XML is the message by the POST binding.
func (m *LogoutMessage) XML() []byte { return m.edited(serialize(m.Element(), m.Style.Declaration)) }

func (m *LogoutMessage) edited(xml []byte) []byte {
	if m.Bytes != nil {
		return m.Bytes(xml)
	}
	return xml
}

// SOAP is the message in an envelope.
func (m *LogoutMessage) SOAP() []byte {
	return []byte(`<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Header><x:Any xmlns:x="urn:x"/></s:Header><s:Body>` +
		string(m.XML()) + `</s:Body></s:Envelope>`)
}

func (m *LogoutMessage) parameter() string {
	if m.Response {
		return "SAMLResponse"
	}
	return "SAMLRequest"
}

// Form holds the fields that the browser posts.
func (m *LogoutMessage) Form() url.Values {
	form := url.Values{m.parameter(): {base64.StdEncoding.EncodeToString(m.XML())}}
	if m.RelayState != "" {
		form.Set("RelayState", m.RelayState)
	}
	return form
}

var percent = regexp.MustCompile(`%[0-9A-F]{2}`)

func (m *LogoutMessage) escape(s string) string {
	s = url.QueryEscape(s)
	if m.LowerHex {
		s = percent.ReplaceAllStringFunc(s, strings.ToLower)
	}
	return s
}

// RawQuery is the query of the message by HTTP-Redirect, signed over exactly these octets.
func (m *LogoutMessage) RawQuery() string {
	el, err := m.element()
	if err != nil {
		panic(fmt.Sprintf("samltest: build logout message: %v", err))
	}
	compressed := deflated(m.edited(serialize(el, m.Style.Declaration)))
	if m.Deflated != nil {
		compressed = m.Deflated(compressed)
	}
	query := m.parameter() + "=" + m.escape(base64.StdEncoding.EncodeToString(compressed))
	if m.RelayState != "" {
		query += "&RelayState=" + m.escape(m.RelayState)
	}
	if !m.Unsigned {
		query += "&SigAlg=" + m.escape(m.Seal.method())
		value, err := m.Seal.signatureValue([]byte(query))
		if err != nil {
			panic(fmt.Sprintf("samltest: sign query: %v", err))
		}
		query += "&Signature=" + m.escape(base64.StdEncoding.EncodeToString(value))
	}
	if m.Query != nil {
		query = m.Query(query)
	}
	return query
}

// URL is where the browser is sent by HTTP-Redirect.
func (m *LogoutMessage) URL() string {
	if strings.Contains(m.SLOURL, "?") {
		return m.SLOURL + "&" + m.RawQuery()
	}
	return m.SLOURL + "?" + m.RawQuery()
}

// ReceivedLogout is a message of single logout, or a ManageNameIDResponse, as the IdP received it.
type ReceivedLogout struct {
	Response       bool
	ID             string
	SPEntityID     string // Issuer
	Destination    string
	InResponseTo   string
	IssueInstant   string
	NotOnOrAfter   string
	Reason         string
	NameID         NameID
	SessionIndexes []string
	Asynchronous   bool
	Status         []string // the codes, outermost first
	RelayState     string
	XML            []byte

	// Of a message by Redirect; see [Request].
	SigAlg    string
	Signature []byte
	Signed    string
}

// ParseLogoutURL reads a message of single logout from the URL to which a service provider redirects the browser.
func ParseLogoutURL(location string) (ReceivedLogout, error) {
	u, err := url.Parse(location)
	if err != nil {
		return ReceivedLogout{}, fmt.Errorf("samltest: logout URL: %w", err)
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return ReceivedLogout{}, fmt.Errorf("samltest: query: %w", err)
	}
	value := query.Get("SAMLRequest") + query.Get("SAMLResponse")
	compressed, err := base64.StdEncoding.DecodeString(value)
	if err != nil {
		return ReceivedLogout{}, fmt.Errorf("samltest: logout message: %w", err)
	}
	xml, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(compressed)), maxRequest+1))
	if err != nil {
		return ReceivedLogout{}, fmt.Errorf("samltest: logout message: inflate: %w", err)
	}
	m, err := parseLogout(xml, query)
	if err != nil || !query.Has("SigAlg") {
		return m, err
	}
	m.SigAlg, m.Signed = query.Get("SigAlg"), signedOctets(strings.Replace(u.RawQuery, "SAMLResponse=", "SAMLRequest=", 1))
	if m.Response {
		m.Signed = strings.Replace(m.Signed, "SAMLRequest=", "SAMLResponse=", 1)
	}
	m.Signature, err = base64.StdEncoding.DecodeString(query.Get("Signature"))
	return m, err
}

// ParseLogoutForm reads a message of single logout from the fields of a form by the POST binding.
func ParseLogoutForm(form url.Values) (ReceivedLogout, error) {
	xml, err := base64.StdEncoding.DecodeString(form.Get("SAMLRequest") + form.Get("SAMLResponse"))
	if err != nil {
		return ReceivedLogout{}, fmt.Errorf("samltest: logout message: %w", err)
	}
	return parseLogout(xml, form)
}

func parseLogout(xml []byte, fields url.Values) (ReceivedLogout, error) {
	if len(xml) == 0 || len(xml) > maxRequest || fields.Has("SAMLRequest") == fields.Has("SAMLResponse") {
		return ReceivedLogout{}, errors.New("samltest: want one logout message")
	}
	m, err := ReadLogout(xml)
	m.RelayState = fields.Get("RelayState")
	if err == nil && m.Response != fields.Has("SAMLResponse") {
		err = errors.New("samltest: a request in the place of an answer, or the other way round")
	}
	return m, err
}

// ReadLogout reads the XML of a message of single logout, or of a ManageNameIDResponse.
func ReadLogout(xml []byte) (ReceivedLogout, error) {
	m := ReceivedLogout{XML: xml}
	root, err := readRoot(xml, nsProtocol, "LogoutRequest")
	for _, tag := range []string{"LogoutResponse", "ManageNameIDResponse"} {
		if err != nil {
			root, err = readRoot(xml, nsProtocol, tag)
			m.Response = err == nil
		}
	}
	if err != nil {
		return ReceivedLogout{}, err
	}
	for key, field := range map[string]*string{"ID": &m.ID, "Destination": &m.Destination, "InResponseTo": &m.InResponseTo,
		"IssueInstant": &m.IssueInstant, "NotOnOrAfter": &m.NotOnOrAfter, "Reason": &m.Reason} {
		*field = root.SelectAttrValue(key, "")
	}
	if version := root.SelectAttrValue("Version", ""); version != "2.0" || m.ID == "" {
		return ReceivedLogout{}, fmt.Errorf("samltest: logout message: Version %q, ID %q", version, m.ID)
	}
	if issuer := find(root, nsAssertion, "Issuer"); issuer != nil {
		m.SPEntityID = issuer.Text()
	}
	if name := find(root, nsAssertion, "NameID"); name != nil {
		m.NameID = NameID{Value: name.Text(), Format: name.SelectAttrValue("Format", ""), NameQualifier: name.SelectAttrValue("NameQualifier", ""),
			SPNameQualifier: name.SelectAttrValue("SPNameQualifier", ""), SPProvidedID: name.SelectAttrValue("SPProvidedID", "")}
	}
	for _, el := range root.SelectElements("SessionIndex") {
		m.SessionIndexes = append(m.SessionIndexes, el.Text())
	}
	m.Asynchronous = root.FindElement("./Extensions/Asynchronous") != nil
	for code := root.FindElement("./Status/StatusCode"); code != nil; code = code.SelectElement("StatusCode") {
		m.Status = append(m.Status, code.SelectAttrValue("Value", ""))
	}
	return m, nil
}
