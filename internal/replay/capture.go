package replay

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/logintrust/saml"
	"github.com/logintrust/saml/internal/wire"
	"github.com/logintrust/saml/internal/xmlsec"
)

// A Capture is a Response as somebody saved it: from a browser's tools, a log or a mail.
type Capture struct {
	SAMLResponse string // base64
	RelayState   string
	ACSURL       string // where it was posted, "" if that is not known
	Time         string // when, RFC 3339, "" if that is not known
}

// Captures finds the Responses in what somebody saved: XML, base64 with or without percent-encoding, the body of a form, or an
// HTTP archive (HAR), in which each POST of a SAMLResponse is one.
func Captures(input []byte) ([]Capture, error) {
	text := bytes.TrimSpace(bytes.TrimPrefix(bytes.TrimSpace(input), []byte("\xef\xbb\xbf")))
	switch {
	case len(text) == 0:
		return nil, errors.New("nothing to read")
	case text[0] == '{':
		return fromArchive(text)
	case text[0] == '<':
		return []Capture{{SAMLResponse: base64.StdEncoding.EncodeToString(text)}}, nil
	case bytes.Contains(text, []byte("SAMLResponse=")):
		return fromForm(string(text))
	}
	value := string(text)
	if strings.Contains(value, "%") {
		var err error
		if value, err = url.PathUnescape(value); err != nil {
			return nil, errors.New("neither XML nor base64")
		}
	}
	return []Capture{{SAMLResponse: value}}, nil
}

// fromForm reads the body of a form, or a line that ends in one.
func fromForm(text string) ([]Capture, error) {
	form, err := url.ParseQuery(text[strings.LastIndexAny(text, "?\n ")+1:])
	if err != nil || form.Get("SAMLResponse") == "" {
		return nil, errors.New("a form that cannot be read")
	}
	return []Capture{{SAMLResponse: form.Get("SAMLResponse"), RelayState: form.Get("RelayState")}}, nil
}

// An archive is as much as is read of an HTTP archive.
type archive struct {
	Log struct {
		Entries []struct {
			Started string `json:"startedDateTime"`
			Request struct {
				Method string `json:"method"`
				URL    string `json:"url"`
				Data   struct {
					Text   string `json:"text"`
					Params []struct {
						Name  string `json:"name"`
						Value string `json:"value"`
					} `json:"params"`
				} `json:"postData"`
			} `json:"request"`
		} `json:"entries"`
	} `json:"log"`
}

func fromArchive(text []byte) (list []Capture, err error) {
	var a archive
	if err := json.Unmarshal(text, &a); err != nil {
		return nil, fmt.Errorf("neither a case nor an HTTP archive: %w", err)
	}
	for _, e := range a.Log.Entries {
		if e.Request.Method != "POST" {
			continue
		}
		form, _ := url.ParseQuery(e.Request.Data.Text)
		if form.Get("SAMLResponse") == "" {
			form = url.Values{}
			for _, p := range e.Request.Data.Params {
				form.Add(p.Name, unescaped(p.Value))
			}
		}
		if message := form.Get("SAMLResponse"); message != "" {
			list = append(list, Capture{SAMLResponse: message, RelayState: form.Get("RelayState"), ACSURL: e.Request.URL, Time: e.Started})
		}
	}
	if len(list) == 0 {
		return nil, errors.New("an HTTP archive without a POST of a SAMLResponse")
	}
	return list, nil
}

// unescaped: some browsers write the parameters of a form as they were sent, others as they were meant.
func unescaped(s string) string {
	if strings.Contains(s, "%") {
		if plain, err := url.QueryUnescape(s); err == nil {
			return plain
		}
	}
	return s
}

// Assumptions are what a capture is judged by. What is empty is taken from the message itself.
type Assumptions struct {
	EntityID, ACSURL string
	Now              string           // RFC 3339
	RequestID        string           // the request that waits; NoRequest for none
	Trust            *saml.LoginTrust // or
	Metadata         string           // of the identity provider, and
	IdPEntityID      string           // which one in it is meant
	DecryptionKeyPEM string
	ClockSkewSeconds *float64
}

// NoRequest, as Assumptions.RequestID, says that none waits.
const NoRequest = "none"

// Case is the capture as a case, and says what was taken from the message itself because nobody said.
func (c Capture) Case(a Assumptions) (line []byte, assumed []string, err error) {
	m, err := peek(c.SAMLResponse)
	if err != nil {
		return nil, nil, err
	}
	assume := func(what, value string) string {
		if value != "" {
			assumed = append(assumed, fmt.Sprintf("%s %.100q, as the message has it", what, value))
		}
		return value
	}
	one := Case{Name: "capture", Now: cmp.Or(a.Now, c.Time), SAMLResponse: &c.SAMLResponse, RelayState: c.RelayState, IdPEntityID: a.IdPEntityID,
		IdPMetadata: a.Metadata, Trust: a.Trust,
		SP: ServiceProvider{EntityID: a.EntityID, ACSURL: cmp.Or(a.ACSURL, c.ACSURL), DecryptionKeyPEM: a.DecryptionKeyPEM, ClockSkewSeconds: a.ClockSkewSeconds}}
	if one.Trust == nil && one.IdPMetadata == "" {
		one.Trust = &saml.LoginTrust{Domain: m.issuer, State: saml.Active, SAML: true, AllowIdPInitiated: true}
		assumed = append(assumed, "no login trust was given, so nothing can be proven")
	}
	if one.SP.EntityID == "" {
		one.SP.EntityID = cmp.Or(assume("our entity ID is", m.audience), "https://sp.invalid/metadata")
	}
	if one.SP.ACSURL == "" {
		one.SP.ACSURL = cmp.Or(assume("our assertion consumer service is", cmp.Or(m.destination, m.recipient)), "https://sp.invalid/acs")
	}
	switch a.RequestID {
	case NoRequest:
	case "":
		one.RequestID = assume("a request waits with the ID", m.inResponseTo)
	default:
		one.RequestID = a.RequestID
	}
	line, err = json.Marshal(one)
	return line, assumed, err
}

// A message is what a Response says of itself. It serves to complete a question, never to answer one.
type message struct {
	issuer, destination, recipient, audience, inResponseTo string
	issued                                                 time.Time
}

func peek(value string) (m message, err error) {
	octets, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(value), ""))
	if err != nil {
		return m, errors.New("neither XML nor base64")
	}
	u, err := xmlsec.Parse(octets, xmlsec.Limits{})
	if err != nil {
		return m, fmt.Errorf("not XML as SAML has it: %w", err)
	}
	r, err := wire.ReadResponse(u)
	if err != nil {
		return m, fmt.Errorf("not a SAML Response: %w", err)
	}
	m.issuer = cmp.Or(r.Claims.Issuer.Value, r.Claims.AssertionIssuer.Value)
	m.issued = r.Claims.IssueInstant
	m.destination, m.inResponseTo = r.Claims.Destination.Value, r.Claims.InResponseTo.Value
	assertion := u.Root().Child(wire.AssertionNS, "Assertion")
	for c := range assertion.Child(wire.AssertionNS, "Subject").Children() {
		if recipient, found := c.Child(wire.AssertionNS, "SubjectConfirmationData").Attr("Recipient"); found && m.recipient == "" {
			m.recipient = recipient
		}
	}
	m.audience = strings.TrimSpace(assertion.Child(wire.AssertionNS, "Conditions").Child(wire.AssertionNS, "AudienceRestriction").
		Child(wire.AssertionNS, "Audience").Text())
	return m, nil
}
