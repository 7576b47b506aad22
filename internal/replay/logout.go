package replay

import (
	"cmp"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"

	"github.com/logintrust/saml"
)

// judgeLogoutRequest brings the identity provider's request; all sessions that it names end.
func (c *Case) judgeLogoutRequest(byPOST bool) Answer {
	ended := &endings{}
	s, err := c.beginLogout(ended)
	if err != nil {
		return answerTo(err)
	}
	message, err := c.logoutMessage(byPOST, "samlRequest", c.SAMLRequest)
	if err != nil {
		return answerTo(err)
	}
	answer, err := s.sp.AnswerLogout(context.Background(), message)
	switch {
	case err != nil:
		return answerTo(err)
	case answer.Refusal != nil:
		return answerTo(answer.Refusal)
	}
	name := ended.last.NameID
	return Answer{Verdict: Accept, Login: &Login{NameID: name.Value, NameIDFormat: cmp.Or(name.Format, saml.NameIDUnspecified), Attributes: map[string][]string{}}}
}

// judgeLogoutResponse brings the answer to our request, from the browser that made it. The logout must be complete.
func (c *Case) judgeLogoutResponse(byPOST bool) Answer {
	s, err := c.beginLogout(&endings{})
	if err != nil {
		return answerTo(err)
	}
	message, err := c.logoutMessage(byPOST, "samlResponse", c.SAMLResponse)
	if err != nil {
		return answerTo(err)
	}
	if c.RequestID != "" {
		session := saml.LoginSession{Domain: s.trust.Domain, NameID: saml.NameID{Value: "somebody"}} // the request goes nowhere
		started, err := s.sp.LogoutRequest(context.Background(), session, saml.LogoutOptions{RequestID: c.RequestID})
		if err != nil {
			return answerTo(fmt.Errorf("making the request: %w", err))
		}
		message.BrowserKey = started.BrowserKey
	}
	result, err := s.sp.CompleteLogout(context.Background(), message)
	switch {
	case err != nil:
		return answerTo(err)
	case result.Outcome == saml.LogoutPartial:
		return answerTo(&refusal{PartialLogout, errors.New("the identity provider could not reach all service providers")})
	case result.Outcome != saml.LogoutComplete:
		return answerTo(&refusal{LogoutFailed, fmt.Errorf("the identity provider answers with status %.64q", result.Status.Code)})
	}
	return Answer{Verdict: Accept}
}

// beginLogout is a service provider with single logout at the case's address. Its other addresses do not matter.
func (c *Case) beginLogout(sessions saml.Sessions) (*session, error) {
	slo, err := url.Parse(c.SP.SLOURL)
	if err != nil || slo.Host == "" {
		return nil, fmt.Errorf(`"sp.sloURL" %.64q is not an absolute URL`, c.SP.SLOURL)
	}
	base := slo.Scheme + "://" + slo.Host
	config := saml.Config{BaseURL: base, EntityID: c.SP.EntityID, LogoutURL: c.SP.SLOURL, MetadataURL: base + "/__metadata", LoginURL: base + "/__login",
		ACSURL: base + "/__acs", InsecureAllowHTTP: true, Sessions: sessions, SigningKeys: []saml.KeyPair{{Signer: ownKey()}}}
	if err := c.SP.complete(&config); err != nil {
		return nil, err
	}
	s, err := c.beginWith(config)
	if err == nil && s.trust.SLOURL == "" && s.trust.SLOPostURL == "" {
		s.trust.SLOURL = "https://idp.invalid/"
		s.trusts.Set(s.trust)
	}
	return s, err
}

// logoutMessage is what the case's browser brings.
func (c *Case) logoutMessage(byPOST bool, field string, value *string) (saml.LogoutMessage, error) {
	switch {
	case !byPOST && c.Query == nil:
		return saml.LogoutMessage{}, errors.New(`"query" is missing`)
	case !byPOST:
		return saml.LogoutMessage{Query: cmp.Or(strings.TrimPrefix(*c.Query, "?"), "&")}, nil // one that is empty is one without message
	case value == nil:
		return saml.LogoutMessage{}, fmt.Errorf("%q is missing", field)
	case field == "samlRequest":
		return saml.LogoutMessage{SAMLRequest: *value, RelayState: c.RelayState}, nil
	}
	return saml.LogoutMessage{SAMLResponse: *value, RelayState: c.RelayState}, nil
}

// endings are the sessions of a host that has one of everybody.
type endings struct{ last saml.Logout }

func (e *endings) EndSessions(_ context.Context, logout saml.Logout) (int, error) {
	e.last = logout
	return 1, nil
}

// ownKey signs what goes nowhere.
var ownKey = sync.OnceValue(func() crypto.Signer {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err) // crypto/rand does not fail
	}
	return key
})
