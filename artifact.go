package saml

import (
	"bytes"
	"context"
	"crypto/fips140"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/logintrust/saml/internal/compose"
	"github.com/logintrust/saml/internal/wire"
	"github.com/logintrust/saml/internal/xmlsec"
)

// An ArtifactService is where an identity provider resolves artifacts (SAML Metadata 2.4.3).
type ArtifactService struct {
	// Index is what artifacts call it.
	Index uint16 `json:"index"`
	URL   string `json:"url"`
}

// String is the service in words, for Diff.
func (s ArtifactService) String() string { return fmt.Sprintf("%d at %s", s.Index, s.URL) }

// An ArtifactTrustStore is a TrustStore that knows identity providers by the hash that artifacts name them by. A TrustStore
// that is none takes no artifacts.
type ArtifactTrustStore interface {
	// FindTrustBySource returns the trust whose Domain has that SHA-1. None is found == false, not an error.
	FindTrustBySource(ctx context.Context, source [20]byte) (trust LoginTrust, found bool, err error)
}

// ArtifactSource is what artifacts name an identity provider by: the SHA-1 of its entity ID (SAML Bindings 3.6.4.2). It says
// where to ask, and proves nothing.
func ArtifactSource(entityID string) (source [20]byte) {
	fips140.WithoutEnforcement(func() { source = sha1.Sum([]byte(entityID)) })
	return source
}

const (
	artifactIndex = 1 // of our assertion consumer service for artifacts, in our metadata
	artifactSize  = 44
	artifactType  = 4
	artifactKeep  = 24 * time.Hour // for how long one that was tried is refused
)

// An artifact of type 4 (SAML Bindings 3.6.4).
type artifact struct {
	index  uint16
	source [20]byte
}

func parseArtifact(text string) (a artifact, ok bool) {
	if len(text) != base64.StdEncoding.EncodedLen(artifactSize) {
		return a, false
	}
	b, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || len(b) != artifactSize || binary.BigEndian.Uint16(b) != artifactType { // erratum E4: no other type is one of SAML 2.0
		return a, false
	}
	a.index = binary.BigEndian.Uint16(b[2:])
	copy(a.source[:], b[4:])
	return a, true
}

// A resolution is what an artifact has led to: the answer of the identity provider that gave it out. It proves nothing.
type resolution struct {
	trust   *LoginTrust
	request string // ID of the ArtifactResolve that is answered
	answer  []byte
}

// resolve asks the identity provider for the Response that an artifact stands for. From then on it is judged as if it had
// come directly (SAML Core 3.5).
func (sp *ServiceProvider) resolve(ctx context.Context, posted *Posted, now time.Time) (*resolution, *Error) {
	text := posted.Artifact
	trust, service, refused := sp.findArtifactService(ctx, text)
	if refused != nil {
		return nil, refused
	}
	// Once, whatever comes of it (SAML Bindings 3.6.5.2).
	first, err := sp.config.State.Add(ctx, stateKey(artifactKind, sp.config.EntityID, trust.Domain, text), []byte{1}, artifactKeep)
	if err != nil {
		return nil, storeFailed(err).claiming(trust)
	}
	if !first {
		return nil, sp.artifactAgain(ctx, trust, posted).claiming(trust)
	}
	id := newID()
	answer, err := sp.askForMessage(ctx, trust, compose.ArtifactResolve{ID: id, IssueInstant: now, Destination: service, Issuer: sp.config.EntityID, Artifact: text})
	if err != nil {
		e := refuse(ArtifactFailed, "no answer to an artifact", "the message that it stands for")
		e.cause = err
		return nil, e.claiming(trust)
	}
	return &resolution{trust, id, answer}, nil
}

// artifactAgain refuses an artifact that was used before. If it is the same browser that brings it again, within a minute of
// the login that it made, the refusal knows where that led.
func (sp *ServiceProvider) artifactAgain(ctx context.Context, trust *LoginTrust, posted *Posted) *Error {
	f, refused := sp.findFinished(ctx, sp.finishedArtifactKey(trust, posted.Artifact))
	if refused != nil {
		return refused
	}
	e := refuse(Replayed, "an artifact that was used before", "a new one")
	if f != nil && f.isFrom(posted.BrowserKey) {
		e.repeat = f
	}
	return e
}

// noteArtifact remembers where the login led that an artifact made. A login that nobody asked for is bound to no browser. It is a
// help and no part of the login, which goes on without it.
func (sp *ServiceProvider) noteArtifact(ctx context.Context, login *Login, posted Posted) {
	if posted.Artifact == "" || login.unsolicited {
		return
	}
	note := finished{browser: sha256.Sum256([]byte(posted.BrowserKey)), assertion: login.ID(), returnTo: login.returnTo}
	_, _ = sp.config.State.Add(context.WithoutCancel(ctx), sp.finishedArtifactKey(login.trust, posted.Artifact), note.marshal(), finishedKeep)
}

func (sp *ServiceProvider) finishedArtifactKey(trust *LoginTrust, artifact string) string {
	return stateKey(resolvedKind, sp.config.EntityID, trust.Domain, artifact)
}

// findArtifactService says who gave an artifact out, and where he listens: nobody unknown is asked anything.
func (sp *ServiceProvider) findArtifactService(ctx context.Context, text string) (*LoginTrust, string, *Error) {
	store, ok := sp.config.Trusts.(ArtifactTrustStore)
	if sp.config.Artifacts == nil || !ok {
		return nil, "", refuse(NotConfigured, "an artifact", "Config.Artifacts, and Trusts that are an ArtifactTrustStore")
	}
	a, ok := parseArtifact(text)
	if !ok {
		return nil, "", refuse(BadArtifact, "something else", "an artifact of type 4")
	}
	trust, found, err := store.FindTrustBySource(ctx, a.source)
	if err != nil {
		return nil, "", storeFailed(err)
	}
	if !found || ArtifactSource(trust.Domain) != a.source {
		return nil, "", refuse(UnknownDomain, "an artifact of an unknown source", "one of a login trust's")
	}
	if refused := trust.gate(MethodSAML); refused != nil {
		return nil, "", refused.claiming(&trust)
	}
	for _, s := range trust.ArtifactServices {
		if s.Index == a.index {
			return &trust, s.URL, nil
		}
	}
	return nil, "", refuse(BadArtifact, fmt.Sprintf("an artifact of service %d", a.index), "one of LoginTrust.ArtifactServices").claiming(&trust)
}

// askForMessage makes the exchange (SAML Bindings 3.2).
func (sp *ServiceProvider) askForMessage(ctx context.Context, trust *LoginTrust, request compose.ArtifactResolve) ([]byte, error) {
	key, err := sp.signing(trust, true)
	if err != nil {
		return nil, err
	}
	soap, err := compose.WriteSOAP(request, key)
	if err != nil {
		return nil, err
	}
	return sp.config.Artifacts.post(ctx, trust, request.Destination, soap, sp.config.MaxMessageBytes)
}

// readResolved takes the Response out of what came, and holds the ArtifactResponse around it against what was asked.
func (sp *ServiceProvider) readResolved(ctx context.Context, w *workspace, r *resolution) (*wire.Response, *Error) {
	w.message = append(w.message[:0], r.answer...)
	u, err := w.reader.Parse(bytes.TrimSpace(w.message), xmlsec.Limits{Bytes: sp.config.MaxMessageBytes})
	if err != nil {
		return nil, reasonOf(err)
	}
	message := wire.Enveloped(u.Root())
	if !message.Exists() {
		return nil, refuse(ArtifactFailed, "no SAML message in the answer", "an ArtifactResponse in a SOAP envelope")
	}
	c, err := w.response.ReadResolved(u, message)
	if err != nil {
		return nil, reasonOf(err)
	}
	no := func(found, wanted string) (*wire.Response, *Error) {
		e := refuse(ArtifactFailed, found, wanted)
		e.Spec = "SAML Core 3.5.2"
		return nil, e
	}
	switch {
	case c.Version != "2.0":
		return no("version "+quoted(c.Version), "2.0")
	case c.InResponseTo.Value != r.request:
		return no("an ArtifactResponse to another request", "one to ours")
	case c.StatusCode != wire.StatusSuccess:
		return no("status "+quoted(c.StatusCode), "Success")
	case c.Empty:
		return no("an ArtifactResponse without Response", "the Response that the artifact stands for")
	}
	if c.Issuer.Present && c.Issuer.Value != r.trust.Domain { // or an issuer that is the trust's by Config.ResolveIssuer
		of, refused := sp.trustOf(ctx, c.Issuer.Value)
		if refused != nil && refused.Reason == StoreFailed {
			return nil, refused
		}
		if refused != nil || of.Domain != r.trust.Domain {
			return no(quoted(c.Issuer.Value), quoted(r.trust.Domain))
		}
	}
	return &w.response, nil
}
