package saml

import (
	"bytes"
	"context"
	"fmt"

	"github.com/logintrust/saml/internal/compose"
	"github.com/logintrust/saml/internal/wire"
)

// LogoutBySOAP asks the identity provider of a session to log the user out, on a connection of our own (SAML Profiles 4.4.3.1):
// for sessions that end without a browser. It needs Config.LogoutClient and the trust's SLOSOAPURL, or is ErrNoSingleLogout.
// The answer counts only if it is signed. Of the options ReturnTo, Binding and BrowserKey mean nothing here. A refusal of the
// answer is an *Error; the session here has ended before, whatever comes.
func (sp *ServiceProvider) LogoutBySOAP(ctx context.Context, session LoginSession, opts LogoutOptions) (*LogoutResult, error) {
	trust, err := sp.singleLogoutTrust(ctx, session)
	if err != nil {
		return nil, err
	}
	if sp.config.LogoutClient == nil || trust.SLOSOAPURL == "" || checkURL(trust.SLOSOAPURL) != nil {
		return nil, ErrNoSingleLogout
	}
	request, err := sp.logoutRequest(trust, session, trust.SLOSOAPURL, &opts)
	if err != nil {
		return nil, err
	}
	sent, err := sp.send(outgoing{trust: trust, message: request, bySOAP: true})
	if err != nil {
		return nil, err
	}
	answer, err := sp.config.LogoutClient.post(ctx, trust, trust.SLOSOAPURL, sent.soap, sp.config.MaxMessageBytes)
	if err != nil {
		return nil, fmt.Errorf("saml: logout by SOAP: %w", err)
	}
	result, refused := sp.readSOAPAnswer(ctx, trust, request, bytes.TrimSpace(answer))
	if refused != nil {
		return nil, refused.of(trust).leaving()
	}
	return result, nil
}

// readSOAPAnswer judges the answer that came on the connection of its request. It needs no Destination, since nobody was given
// it to deliver; one that it has must be ours.
func (sp *ServiceProvider) readSOAPAnswer(ctx context.Context, trust *LoginTrust, request compose.LogoutRequest, answer []byte) (*LogoutResult, *Error) {
	w := sp.readers.Get().(*workspace)
	defer sp.release(w)
	var message wire.Logout
	d := sp.departure(wire.SingleLogout)
	d.answered = true
	if refused := sp.readEnvelope(w, answer, &message, false); refused != nil {
		return nil, refused
	}
	if refused := sp.findLogoutTrust(ctx, d, message.Issuer); refused != nil {
		return nil, refused
	}
	if d.trust.Domain != trust.Domain {
		return nil, refuse(WrongIssuer, quoted(d.issuer), quoted(trust.Domain))
	}
	if refused := d.open(w, &message, nil, sp.policy(d.trust), sp.opener(w)); refused != nil {
		return nil, refused
	}
	if refused := d.apply(sp.rules.address); refused != nil {
		return nil, refused
	}
	if refused := sp.confirmLogoutIssuer(ctx, d); refused != nil {
		return nil, refused
	}
	if refused := d.apply(sp.rules.departure); refused != nil {
		return nil, refused
	}
	if id := d.response.InResponseTo; id.Value != request.ID {
		return nil, refuse(UnknownRequest, quoted(id.Value), "the request that was sent")
	}
	return d.result(), nil
}
