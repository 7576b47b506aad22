package samltest

import (
	"bytes"
	"compress/flate"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/beevik/etree"
)

// maxRequest is how long an AuthnRequest may be once inflated.
const maxRequest = 1 << 20

// Request is an AuthnRequest as the IdP received it. For an unsolicited answer fill in ACSURL and SPEntityID only.
type Request struct {
	ID           string
	SPEntityID   string // Issuer
	ACSURL       string // AssertionConsumerServiceURL
	Destination  string
	IssueInstant string
	ForceAuthn   bool
	IsPassive    bool
	ByArtifact   bool     // the answer is to come by HTTP-Artifact; see [IdP.Artifact]
	ByPAOS       bool     // the answer is to come by an enhanced client; see [ParsePAOS]
	NameIDFormat string   // NameIDPolicy's
	AuthnContext []string // RequestedAuthnContext's class references
	RelayState   string
	XML          []byte // the message itself

	// Of a message by Redirect: the algorithm and value of the signature in the query, and the octets that it covers (SAML
	// Bindings 3.4.4.1). Empty without signature.
	SigAlg    string
	Signature []byte
	Signed    string
}

// ParseRequest reads an AuthnRequest from a GET by the Redirect binding or a POST by the POST binding.
func ParseRequest(r *http.Request) (Request, error) {
	if r.Method != http.MethodPost {
		return parseQuery(r.URL)
	}
	if err := r.ParseForm(); err != nil {
		return Request{}, fmt.Errorf("samltest: form: %w", err)
	}
	return ParseForm(r.PostForm)
}

// ParseRequestURL reads an AuthnRequest from the URL to which a service provider redirects the browser.
func ParseRequestURL(location string) (Request, error) {
	u, err := url.Parse(location)
	if err != nil {
		return Request{}, fmt.Errorf("samltest: request URL: %w", err)
	}
	return parseQuery(u)
}

// ParseForm reads an AuthnRequest from the fields of a form by the POST binding.
func ParseForm(form url.Values) (Request, error) {
	xml, err := base64.StdEncoding.DecodeString(form.Get("SAMLRequest"))
	if err != nil {
		return Request{}, fmt.Errorf("samltest: SAMLRequest: %w", err)
	}
	return parseAuthnRequest(xml, form.Get("RelayState"))
}

// parseQuery undoes the DEFLATE encoding of SAML Bindings 3.4.4.1.
func parseQuery(u *url.URL) (Request, error) {
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return Request{}, fmt.Errorf("samltest: query: %w", err)
	}
	deflated, err := base64.StdEncoding.DecodeString(query.Get("SAMLRequest"))
	if err != nil {
		return Request{}, fmt.Errorf("samltest: SAMLRequest: %w", err)
	}
	source := bytes.NewReader(deflated)
	xml, err := io.ReadAll(io.LimitReader(flate.NewReader(source), maxRequest+1))
	if err != nil {
		return Request{}, fmt.Errorf("samltest: SAMLRequest: inflate: %w", err)
	}
	if source.Len() > 0 {
		return Request{}, errors.New("samltest: SAMLRequest: octets after the DEFLATE stream")
	}
	req, err := parseAuthnRequest(xml, query.Get("RelayState"))
	if err != nil {
		return Request{}, err
	}
	if query.Has("SigAlg") {
		req.SigAlg = query.Get("SigAlg")
		req.Signed = signedOctets(u.RawQuery)
		if req.Signature, err = base64.StdEncoding.DecodeString(query.Get("Signature")); err != nil {
			return Request{}, fmt.Errorf("samltest: Signature: %w", err)
		}
	}
	return req, nil
}

func parseAuthnRequest(xml []byte, relayState string) (Request, error) {
	if len(xml) == 0 || len(xml) > maxRequest {
		return Request{}, fmt.Errorf("samltest: AuthnRequest of %d octets", len(xml))
	}
	root, err := readRoot(xml, nsProtocol, "AuthnRequest")
	if err != nil {
		return Request{}, err
	}
	req := Request{
		ID:           root.SelectAttrValue("ID", ""),
		ACSURL:       root.SelectAttrValue("AssertionConsumerServiceURL", ""),
		Destination:  root.SelectAttrValue("Destination", ""),
		IssueInstant: root.SelectAttrValue("IssueInstant", ""),
		RelayState:   relayState,
		XML:          xml,
	}
	if issuer := find(root, nsAssertion, "Issuer"); issuer != nil {
		req.SPEntityID = issuer.Text()
	}
	if policy := find(root, nsProtocol, "NameIDPolicy"); policy != nil {
		req.NameIDFormat = policy.SelectAttrValue("Format", "")
	}
	if wanted := find(root, nsProtocol, "RequestedAuthnContext"); wanted != nil {
		for _, el := range wanted.ChildElements() {
			if el.Tag == "AuthnContextClassRef" {
				req.AuthnContext = append(req.AuthnContext, el.Text())
			}
		}
	}
	if err := req.read(root); err != nil {
		return Request{}, err
	}
	return req, nil
}

// read checks what SAML Core 3.2.1 and 3.4.1 ask of every AuthnRequest, and reads what may be wrong.
func (req *Request) read(root *etree.Element) error {
	if req.ID == "" || (req.ID[0] >= '0' && req.ID[0] <= '9') {
		return fmt.Errorf("samltest: AuthnRequest: ID %q is no xs:ID", req.ID)
	}
	if version := root.SelectAttrValue("Version", ""); version != "2.0" {
		return fmt.Errorf("samltest: AuthnRequest: Version %q", version)
	}
	if _, err := time.Parse("2006-01-02T15:04:05Z", req.IssueInstant); err != nil {
		return fmt.Errorf("samltest: AuthnRequest: IssueInstant %q: want UTC", req.IssueInstant)
	}
	if req.SPEntityID == "" {
		return errors.New("samltest: AuthnRequest: no Issuer")
	}
	switch binding := root.SelectAttrValue("ProtocolBinding", bindingPOST); binding {
	case bindingPOST:
	case bindingArtifact:
		req.ByArtifact = true
	case bindingPAOS:
		req.ByPAOS = true
	default:
		return fmt.Errorf("samltest: AuthnRequest: ProtocolBinding %q: want %q or %q", binding, bindingPOST, bindingArtifact)
	}
	var err error
	if req.ForceAuthn, err = boolean(root, "ForceAuthn"); err != nil {
		return err
	}
	req.IsPassive, err = boolean(root, "IsPassive")
	return err
}

// readRoot reads well-formed XML whose root has that name.
func readRoot(xml []byte, space, local string) (*etree.Element, error) {
	doc := etree.NewDocument()
	doc.ReadSettings.ValidateInput = true
	if err := doc.ReadFromBytes(bytes.TrimSpace(xml)); err != nil { // the validation takes a newline at the end for a fault
		return nil, fmt.Errorf("samltest: %s: %w", local, err)
	}
	root := doc.Root()
	if root == nil || root.Tag != local || root.NamespaceURI() != space {
		return nil, fmt.Errorf("samltest: the message is no %s", local)
	}
	return root, nil
}

// boolean reads an xs:boolean attribute.
func boolean(el *etree.Element, key string) (bool, error) {
	switch value := el.SelectAttrValue(key, "false"); value {
	case "true", "1":
		return true, nil
	case "false", "0":
		return false, nil
	default:
		return false, fmt.Errorf("samltest: AuthnRequest: %s %q is no xs:boolean", key, value)
	}
}

// signedOctets picks the raw parameters out of the query in the order in which they are signed.
func signedOctets(rawQuery string) string {
	var octets string
	for _, name := range []string{"SAMLRequest", "RelayState", "SigAlg"} {
		for part := range bytes.SplitSeq([]byte(rawQuery), []byte("&")) {
			if bytes.HasPrefix(part, []byte(name+"=")) {
				if octets != "" {
					octets += "&"
				}
				octets += string(part)
			}
		}
	}
	return octets
}
