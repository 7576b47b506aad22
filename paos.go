package saml

import (
	"bytes"
	"errors"
	"mime"
	"net/http"
	"strings"

	"github.com/logintrust/saml/internal/binding"
	"github.com/logintrust/saml/internal/compose"
	"github.com/logintrust/saml/internal/wire"
	"github.com/logintrust/saml/internal/xmlsec"
)

// Enhanced clients (SAML Profiles 4.2, ECP 2.0) are programs, not browsers: they take our AuthnRequest to an identity provider
// themselves and bring its Response back, both in SOAP envelopes on connections of their own (PAOS, SAML Bindings 3.3). The
// Response is judged by Validate as any other. Channel bindings and holder-of-key confirmation are not supported.
//
// A client is known by the cookie of browsers, and one that keeps none is refused. There is no other secret that would do: a
// relay state travels beside the Response, so whoever gets hold of the one has the other.

const paosType = "application/vnd.paos+xml"

// asksForPAOS reports whether a request is an enhanced client's that offers to ask an identity provider, and which options it
// names (SAML Profiles 4.2.3.1, errata E21 and E54; ECP 2.0, 2.3.1). That grants nothing, so it is read generously: clients are
// known that part types with ";" and use single quotes.
func (sp *ServiceProvider) asksForPAOS(r *http.Request) (options []string, asks bool) {
	if !sp.config.ECP || !acceptsPAOS(r.Header.Values("Accept")) {
		return nil, false
	}
	version, services, _ := strings.Cut(strings.Join(r.Header.Values("PAOS"), ";"), ";")
	version, found := strings.CutPrefix(strings.TrimSpace(version), "ver")
	version, equals := strings.CutPrefix(strings.TrimSpace(version), "=")
	if !found || !equals || !strings.Contains(version, wire.PAOSNS) {
		return nil, false
	}
	for service := range strings.SplitSeq(services, ";") {
		words := strings.Split(service, ",")
		for i, word := range words {
			words[i] = strings.Trim(strings.TrimSpace(word), `"'`)
		}
		if words[0] == wire.ECPNS {
			return words[1:], true
		}
	}
	return nil, false
}

func acceptsPAOS(accept []string) bool {
	for list := range strings.SplitSeq(strings.Join(accept, ","), ",") {
		offered := false
		for part := range strings.SplitSeq(list, ";") {
			switch strings.ToLower(strings.TrimSpace(part)) {
			case paosType:
				offered = true
			case "q=0", "q=0.0", "q=0.00", "q=0.000":
				offered = false
			}
		}
		if offered {
			return true
		}
	}
	return false
}

// bringsPAOS reports whether a request is an enhanced client's that brings a Response.
func (sp *ServiceProvider) bringsPAOS(r *http.Request) bool {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return sp.config.ECP && r.Method == http.MethodPost && err == nil && kind == paosType
}

// checkPAOS says why a login by an enhanced client could not be finished, before it begins.
func (sp *ServiceProvider) checkPAOS(trust *LoginTrust, opts *StartOptions) error {
	switch {
	case opts.Binding != PAOSBinding:
		return nil
	case !sp.config.ECP:
		return errors.New("saml: PAOSBinding without Config.ECP")
	case trust.Initiation == InitiatedByIdP:
		return refuse(MethodNotAllowed, "an enhanced client, and a trust whose logins the identity provider begins", "a browser").of(trust)
	case trust.PasswordRequired:
		return noPasswordByPAOS().of(trust)
	case opts.Details.ByArtifact || opts.Details.ACSByIndex:
		return errors.New("saml: StartOptions.Details: ByArtifact and ACSByIndex are not for PAOSBinding")
	}
	return nil
}

// noPasswordByPAOS: an enhanced client shows no form.
func noPasswordByPAOS() *Error {
	return refuse(MethodNotAllowed, "an enhanced client, and LoginTrust.PasswordRequired", "a browser, which can ask for the password")
}

// composePAOS makes the envelope. Nobody knows where the client will take it, so the request has no Destination.
func (sp *ServiceProvider) composePAOS(started *Started, request compose.AuthnRequest, trust *LoginTrust, wantSigned bool) error {
	key, err := sp.signing(trust, true)
	if err != nil {
		return err
	}
	if key == nil && wantSigned { // ECP 2.0, 2.3.2
		return refuse(NotConfigured, "a client that wants a signed request", "a key that signs in Config.SigningKeys").of(trust)
	}
	request.ByPAOS = true
	envelope := compose.PAOSRequest{Request: request, RelayState: started.RelayState, IDPs: []compose.IDPEntry{{ProviderID: trust.Domain}}}
	if started.PAOS, err = envelope.Write(key); err != nil {
		return errors.Join(errors.New("saml: PAOS"), err)
	}
	return nil
}

// readPosted has the Response that was posted, by a form or by an enhanced client, its parts in their places. Nothing is
// verified yet.
func (sp *ServiceProvider) readPosted(w *workspace, posted *Posted) (*wire.Response, *Error) {
	if posted.PAOS == nil {
		return sp.read(w, posted.SAMLResponse)
	}
	if !sp.config.ECP || posted.SAMLResponse != "" || posted.Artifact != "" {
		return nil, refuse(BadRequest, "a message by PAOS", "one message, and Config.ECP")
	}
	if len(posted.PAOS) > sp.config.MaxMessageBytes {
		return nil, refuse(TooLarge, "a larger message", "a message within Config.MaxMessageBytes")
	}
	w.message = append(w.message[:0], posted.PAOS...)
	u, err := w.reader.Parse(bytes.TrimSpace(w.message), xmlsec.Limits{Bytes: sp.config.MaxMessageBytes})
	if err != nil {
		return nil, reasonOf(err)
	}
	headers, err := w.response.ReadPAOS(u)
	if err != nil {
		return nil, reasonOf(err)
	}
	posted.headers, posted.RelayState = &headers, headers.RelayState.Value
	if refused := checkRelayState(posted.RelayState); refused != nil {
		return nil, refused
	}
	return &w.response, nil
}

// askedPAOS: an answer comes by the binding that was asked for. By PAOS it comes with the relay state that went with the request
// and, if it says what it answers, with our messageID, which is that of the request. Looser than Profiles 4.2.4.5: the header
// paos:Response may be missing, as clients do; the signed InResponseTo says the same.
func askedPAOS(c *candidate, p *pending) *mismatch {
	h := c.headers
	switch {
	case p.paos && h == nil:
		return &mismatch{found: "an answer by a browser", wanted: "one by the enhanced client that asked"}
	case !p.paos && h != nil:
		return &mismatch{found: "an answer by an enhanced client", wanted: "one by the browser that asked"}
	case h == nil:
		return nil
	case h.RelayState.Value != p.relay:
		return &mismatch{found: "another ecp:RelayState, or none", wanted: "the one of the request"}
	case h.RefersTo.Present && h.RefersTo.Value != c.confirmed.InResponseTo.Value:
		return &mismatch{found: "refToMessageID " + quoted(h.RefersTo.Value), wanted: quoted(c.confirmed.InResponseTo.Value)}
	}
	return nil
}

// checkUnsolicited: what an enhanced client brings was asked for, whatever the trust allows (SAML Profiles 4.2.3).
func (c *candidate) checkUnsolicited() *Error {
	if c.headers != nil {
		return refuse(UnsolicitedNotAllowed, "an answer by an enhanced client to no request of ours that waits", "an answer to a request of ours")
	}
	return c.trust.checkUnsolicited()
}

// writeFault answers an enhanced client whose login was refused: with a status of HTTP and a SOAP fault (ECP 2.0, 2.3.8).
func writeFault(w http.ResponseWriter, status int) {
	binding.NoStore(w.Header())
	w.Header().Set("Content-Type", "text/xml; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(soapFault)) // a peer that has gone away cannot be told
}
