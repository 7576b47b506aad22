package saml

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/logintrust/saml/internal/binding"
	"github.com/logintrust/saml/internal/compose"
	"github.com/logintrust/saml/internal/wire"
)

// Reasons for a logout (SAML Core 3.7.3), for LogoutOptions.Reason.
const (
	LogoutByUser  = "urn:oasis:names:tc:SAML:2.0:logout:user"
	LogoutByAdmin = "urn:oasis:names:tc:SAML:2.0:logout:admin"
)

// LogoutOptions say how a logout is asked for.
type LogoutOptions struct {
	// ReturnTo is where the user goes when the identity provider has answered; as StartOptions.ReturnTo.
	ReturnTo string
	// Binding is how the request travels: AnyBinding is HTTP-Redirect if the trust has an SLOURL, or else HTTP-POST.
	Binding Binding
	// Reason is why, a URI (erratum E10); "" says nothing.
	Reason string
	// RequestID is the ID of the LogoutRequest; "" makes a new random one, as it should be. It is for judging recorded messages.
	RequestID string
	// BrowserKey is the key that the browser holds from an earlier request, "" if it holds none.
	BrowserKey string
}

const logoutRequestLife = 5 * time.Minute // how long a request of ours counts

// ErrNoSingleLogout says that an identity provider cannot be asked to log a user out: it takes no part in single logout, the
// user came without NameID, or the login trust is gone or not active. The logout here is all there is; see
// LoginTrust.AfterLogout.
const ErrNoSingleLogout = sentinel("saml: no single logout with this identity provider")

// LogoutRequest asks the identity provider of a session, which the host has ended by now, to log the user out everywhere: the
// third rung of the API, without net/http. With sessions of several identity providers it is called for each. The request
// waits for its answer for an hour; that none comes does no harm.
func (sp *ServiceProvider) LogoutRequest(ctx context.Context, session LoginSession, opts LogoutOptions) (*Started, error) {
	trust, err := sp.singleLogoutTrust(ctx, session)
	if err != nil {
		return nil, err
	}
	location, byPOST, err := logoutEndpoint(trust, opts.Binding)
	if err != nil {
		return nil, err
	}
	request, err := sp.logoutRequest(trust, session, location, &opts)
	if err != nil {
		return nil, err
	}
	started := &Started{RequestID: opts.RequestID, BrowserKey: browserKeyFrom(opts.BrowserKey),
		RelayState: base64.RawURLEncoding.EncodeToString(random(relayBytes))}
	sent, err := sp.send(outgoing{trust: trust, name: "SAMLRequest", message: request, location: location, relay: started.RelayState, byPOST: byPOST})
	if err != nil {
		return nil, err
	}
	started.URL, started.Action, started.Fields = sent.url, sent.action, sent.fields
	if trust.AsyncLogout {
		return started, nil // nothing waits
	}
	if err := sp.rememberLogout(ctx, trust, started, request.IssueInstant, opts.ReturnTo); err != nil {
		return nil, err
	}
	return started, nil
}

// logoutRequest is the request of a logout that ends the session; it fills in the ID.
func (sp *ServiceProvider) logoutRequest(trust *LoginTrust, session LoginSession, location string, opts *LogoutOptions) (r compose.LogoutRequest, err error) {
	if opts.Reason != "" && !isURI(opts.Reason) {
		return r, fmt.Errorf("saml: LogoutOptions.Reason %s is not a URI", quoted(opts.Reason))
	}
	if opts.RequestID == "" {
		opts.RequestID = newID()
	} else if !isID(opts.RequestID) {
		return r, fmt.Errorf("saml: LogoutOptions.RequestID %s is no ID", quoted(opts.RequestID))
	}
	now := sp.config.Now()
	r = compose.LogoutRequest{ID: opts.RequestID, IssueInstant: now, NotOnOrAfter: now.Add(logoutRequestLife), Destination: location,
		Issuer: sp.config.EntityID, Reason: opts.Reason, NameID: wire.NameID(session.NameID), Asynchronous: trust.AsyncLogout,
		SessionIndexes: session.SessionIndexes} // erratum E38
	r.EncryptTo, err = trust.nameIDEncryption()
	return r, err
}

// singleLogoutTrust is the trust of a session, if it can be asked.
func (sp *ServiceProvider) singleLogoutTrust(ctx context.Context, session LoginSession) (*LoginTrust, error) {
	if sp.config.Sessions == nil || session.NameID.Value == "" {
		return nil, ErrNoSingleLogout
	}
	trust, found, err := sp.config.Trusts.FindTrust(ctx, session.Domain)
	switch {
	case err != nil:
		return nil, storeFailed(err)
	case !found || trust.Domain != session.Domain || trust.gate(MethodSAML) != nil:
		return nil, ErrNoSingleLogout
	}
	return &trust, nil
}

// rememberLogout keeps the request until it is answered, for the browser that made it.
func (sp *ServiceProvider) rememberLogout(ctx context.Context, trust *LoginTrust, started *Started, now time.Time, returnTo string) error {
	p := &pending{browser: sha256.Sum256([]byte(started.BrowserKey)), issued: now, returnTo: sp.target(returnTo), relay: started.RelayState}
	key := stateKey(logoutKind, sp.config.EntityID, trust.Domain, started.RequestID)
	added, err := sp.config.State.Add(ctx, key, p.marshal(), pendingKeep)
	if err == nil && !added {
		err = errors.New("the state store already holds a new request")
	}
	if err != nil {
		return storeFailed(err)
	}
	return nil
}

// logoutEndpoint is where a request goes: to Location, never to ResponseLocation (erratum E41).
func logoutEndpoint(t *LoginTrust, b Binding) (location string, byPOST bool, err error) {
	switch {
	case b == PAOSBinding:
		return "", false, ErrNoSingleLogout
	case b != POSTBinding && t.SLOURL != "":
		location = t.SLOURL
	case b != RedirectBinding && t.SLOPostURL != "":
		location, byPOST = t.SLOPostURL, true
	default:
		return "", false, ErrNoSingleLogout
	}
	return location, byPOST, checkURL(location)
}

// answerPlaces is where our answers go, by HTTP-Redirect and by HTTP-POST.
func (d *departure) answerPlaces() (redirect, form string) {
	if d.exchange == wire.NameIDManagement {
		return d.trust.NameIDURL, d.trust.NameIDPostURL
	}
	return cmp.Or(d.trust.SLOResponseURL, d.trust.SLOURL), cmp.Or(d.trust.SLOPostResponseURL, d.trust.SLOPostURL)
}

// answerEndpoint is where the answer goes: by the binding of the request if there is a place for that, or else by the other
// (SAML Profiles 4.4.3.4).
func (d *departure) answerEndpoint() (location string, post, found bool) {
	redirect, form := d.answerPlaces()
	switch {
	case d.byPOST && form != "" || redirect == "":
		location, post = form, true
	default:
		location = redirect
	}
	return location, post, location != "" && checkURL(location) == nil
}

// reply makes the answer, signed, and says where it goes: nowhere if there is no place for it, or none is awaited. The relay state
// goes back as it came (SAML Bindings 3.1.1).
func (sp *ServiceProvider) reply(d *departure, code, below string) (sent, *Error) {
	response := compose.Answer{Exchange: d.exchange, ID: newID(), IssueInstant: d.now, Issuer: sp.config.EntityID, InResponseTo: d.request.ID,
		Status: code, Below: below}
	out := outgoing{trust: d.trust, name: "SAMLResponse", relay: d.relay, bySOAP: d.bySOAP}
	if !d.bySOAP {
		found := false
		if out.location, out.byPOST, found = d.answerEndpoint(); !found || d.leave != nil && d.leave.Asynchronous {
			return sent{}, nil
		}
		response.Destination = out.location
	}
	out.message = response
	s, err := sp.send(out)
	if err != nil {
		e := refuse(NotConfigured, "an answer that cannot be made", "")
		e.cause = err
		return sent{}, e
	}
	return s, nil
}

// status says what became of a request (SAML Core 3.2.2.2, Profiles 4.4.3.4): success only if the sessions really ended.
func (a *LogoutAnswer) status() (code, below string) {
	if a.Refusal == nil {
		return wire.StatusSuccess, ""
	}
	switch a.Refusal.Reason {
	case WrongVersion:
		return StatusVersionMismatch, ""
	case NoSubject:
		return StatusResponder, StatusRequestUnsupported
	case StoreFailed:
		if a.Ended > 0 {
			return StatusResponder, StatusPartialLogout
		}
		return StatusResponder, ""
	}
	return StatusRequester, ""
}

// An outgoing message of single logout, which is always signed (SAML Profiles 4.4.3.1 and 4.4.3.4).
type outgoing struct {
	trust           *LoginTrust
	name            string // of the parameter
	message         compose.Message
	location, relay string
	byPOST, bySOAP  bool
}

// A sent message is what the browser is to do, or what goes back on the identity provider's own connection.
type sent struct {
	url, action string
	fields      map[string]string
	soap        []byte
}

func (sp *ServiceProvider) send(out outgoing) (sent, error) {
	key, err := sp.signing(out.trust, out.byPOST || out.bySOAP)
	if err == nil && key == nil {
		err = ErrNoAlgorithm
	}
	if err != nil {
		return sent{}, err
	}
	var xml []byte
	switch {
	case out.bySOAP:
		xml, err = compose.WriteSOAP(out.message, key)
	case out.byPOST:
		xml, err = compose.Write(out.message, key)
	default: // the query is signed
		xml, err = compose.Write(out.message, nil)
	}
	if err != nil {
		return sent{}, fmt.Errorf("saml: %w", err)
	}
	switch {
	case out.bySOAP:
		return sent{soap: xml}, nil
	case out.byPOST:
		fields := map[string]string{out.name: base64.StdEncoding.EncodeToString(xml)}
		if out.relay != "" {
			fields["RelayState"] = out.relay
		}
		return sent{action: out.location, fields: fields}, nil
	}
	place, err := binding.Redirect{Location: out.location, Param: out.name, XML: xml, RelayState: out.relay, Signer: key.Signer,
		Algorithm: key.Algorithm}.URL()
	if err != nil {
		return sent{}, fmt.Errorf("saml: %w", err)
	}
	return sent{url: place}, nil
}

// isURI reports whether s is an absolute URI.
func isURI(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Scheme != "" && len(s) <= maxEntityID && !strings.ContainsFunc(s, isUnsafe)
}
