// Package replay judges logins that were written down: a case is one JSON object with everything that a login needs, its
// clock and the identity provider's keys included, and an answer says what the library makes of it. The vectors under
// testdata are cases, and so is what logintrust replay reads.
package replay

import (
	"errors"
	"fmt"
	"time"

	"github.com/logintrust/saml"
)

// Kinds of cases that are judged. Any other is answered with Unsupported.
const (
	kindPostResponse = "post-response"
	kindSequence     = "sequence"
	kindRelayState   = "relay-state"
	kindMetadata     = "metadata"

	kindLogoutRequestRedirect  = "logout-request-redirect"
	kindLogoutRequestPOST      = "logout-request-post"
	kindLogoutResponseRedirect = "logout-response-redirect"
	kindLogoutResponsePOST     = "logout-response-post"
)

// A Case is what is judged. What a case says for people, or expects, is not in it; unknown fields are ignored.
type Case struct {
	Name        string           `json:"name"`
	Kind        string           `json:"kind"` // post-response if empty
	Now         string           `json:"now"`
	SP          ServiceProvider  `json:"sp"`
	IdPEntityID string           `json:"idpEntityID"`
	IdPMetadata string           `json:"idpMetadata"`
	Trust       *saml.LoginTrust `json:"trust"` // in the place of idpMetadata: the login trust as the application has it

	RequestID    string  `json:"requestID"`   // the one outstanding request, "" if there is none
	RequestedAt  string  `json:"requestedAt"` // when it was made, RFC 3339; "" if that is not known
	SAMLResponse *string `json:"samlResponse"`
	SAMLRequest  *string `json:"samlRequest"`
	Query        *string `json:"query"` // of a message by HTTP-Redirect, raw
	RelayState   string  `json:"relayState"`

	Sequence []Step `json:"sequence"`
}

// A ServiceProvider is whom the messages are for, and what its login trust admits.
type ServiceProvider struct {
	EntityID                   string   `json:"entityID"`
	ACSURL                     string   `json:"acsURL"`
	SLOURL                     string   `json:"sloURL"`
	AllowIdPInitiated          bool     `json:"allowIdPInitiated"`
	ClockSkewSeconds           *float64 `json:"clockSkewSeconds"` // nil: the library's own default
	RequireEncryptedAssertions bool     `json:"requireEncryptedAssertions"`
	DecryptionKeyPEM           string   `json:"decryptionKeyPEM"`
	DecryptionCertPEM          string   `json:"decryptionCertPEM"`
	OldDecryptionKeyPEM        string   `json:"oldDecryptionKeyPEM"` // the one before
	OldDecryptionCertPEM       string   `json:"oldDecryptionCertPEM"`
	MetadataTrustCertPEM       string   `json:"metadataTrustCertPEM"`
	RelayStateAllowedHosts     []string `json:"relayStateAllowedHosts"`
	Allow                      []string `json:"allow"` // names of the trust's Allow… and Insecure… options
}

// A Step is one post of a sequence. A clock or a request that it leaves out is the case's.
type Step struct {
	SAMLResponse *string `json:"samlResponse"`
	RelayState   string  `json:"relayState"`
	Now          string  `json:"now"`
	RequestID    *string `json:"requestID"`
	Expect       Verdict `json:"expect"`
}

// only is a case's single post as a step.
func (c *Case) only() Step {
	return Step{SAMLResponse: c.SAMLResponse, RelayState: c.RelayState, Now: c.Now, RequestID: &c.RequestID}
}

// complete fills in what a step of the case's sequence leaves out.
func (c *Case) complete(s Step) Step {
	if s.Now == "" {
		s.Now = c.Now
	}
	if s.RequestID == nil {
		s.RequestID = &c.RequestID
	}
	return s
}

func parseNow(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, errors.New(`"now" is missing`)
	}
	return parseTime("now", s)
}

func parseTime(field, s string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return time.Time{}, fmt.Errorf("%q %.64q is not a time as RFC 3339 has it", field, s)
	}
	return t, nil
}
