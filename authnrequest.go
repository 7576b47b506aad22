package saml

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/logintrust/saml/internal/binding"
	"github.com/logintrust/saml/internal/compose"
)

// A Binding is how a message travels.
type Binding int

// Bindings for AuthnRequests.
const (
	// AnyBinding is HTTP-Redirect if the trust has a LoginURL, or else HTTP-POST.
	AnyBinding Binding = iota
	// RedirectBinding is HTTP-Redirect (SAML Bindings 3.4).
	RedirectBinding
	// POSTBinding is HTTP-POST (SAML Bindings 3.5).
	POSTBinding
	// PAOSBinding is for an enhanced client (SAML Bindings 3.3), which takes the request to the identity provider itself; see
	// Config.ECP. For logins only.
	PAOSBinding
)

// StartOptions say what a login is asked for. The zero value asks for the least, which every product takes: no NameID
// format, no authentication context.
type StartOptions struct {
	// ReturnTo is where the login leads: a path of ours, a URL of our origin, or an https URL of a RelayStateHosts. It stays here; the identity provider
	// does not see it. What is neither leads to Config.DefaultPath.
	ReturnTo string
	// PageQuery is the query, without "?", of the page at which a session ended. What LoginTrust.PassPageVariables and
	// PageVariables let through of it is added to LoginURL.
	PageQuery string
	// Binding is how the request travels.
	Binding Binding
	// ForceAuthn asks for a fresh authentication, and refuses an answer with an older one (SAML Core 3.4.1).
	ForceAuthn bool
	// IsPassive asks that the user is not asked anything; the ordinary refusal is then NoPassive.
	IsPassive bool
	// MaxAuthnAge refuses an answer whose authentication is older; 0 sets no limit.
	MaxAuthnAge time.Duration
	// AuthnContext asks for one of these classes, in order of preference, and refuses any other.
	AuthnContext []string
	// NameIDFormat asks for a NameID of that format, and refuses any other.
	NameIDFormat string
	// Subject asks that this user is authenticated and no other, and refuses an answer that is not about this very NameID (SAML
	// Core 3.4.1). For a mere hint see RequestDetails.Parameters.
	Subject *NameID
	// SameSubject refuses an answer about anybody but this user of an earlier login; the identity provider does not see it.
	SameSubject *Subject
	// Details are the parts of a request that few identity providers want.
	Details RequestDetails
	// RequestID is the ID of the AuthnRequest; "" makes a new random one, as it should be. It is for judging recorded logins:
	// at most 256 octets of printable characters. An identity provider takes an xs:ID only, which begins with a letter or "_".
	RequestID string
	// BrowserKey is the key that the browser holds from an earlier request, "" if it holds none.
	BrowserKey string

	wantSigned bool // an enhanced client asks that its request be signed
}

// Started is a login that was begun: what the browser is to do, and to keep.
type Started struct {
	// URL is where to send the browser by 303, for HTTP-Redirect and InitiatedByIdP; "" for HTTP-POST.
	URL string
	// Action and Fields are the form that the browser is to post, for HTTP-POST.
	Action string
	Fields map[string]string
	// PAOS is what the enhanced client gets, of the type application/vnd.paos+xml, for PAOSBinding; URL and Action are then "".
	PAOS []byte
	// RequestID is the ID of the AuthnRequest; it, RelayState and BrowserKey are "" for InitiatedByIdP.
	RequestID string
	// RelayState is the opaque handle that travels beside it.
	RelayState string
	// BrowserKey binds the answer to this browser: keep it in a cookie that scripts cannot read, and give it to Validate
	// with the answer. If StartOptions.BrowserKey was a key, it is the same.
	BrowserKey string
}

const (
	requestIDBytes  = 20 // SAML Core 1.3.4 asks for 128 bits and suggests 160
	browserKeyBytes = 16
	relayBytes      = 16 // 22 characters: far below the 80 octets of SAML Bindings 3.4.3
	maxClasses      = 32
)

// Request begins a login at an identity provider: the third rung of the API, without net/http. The request waits for its
// answer for an hour. A trust with InitiatedByIdP gets no request, so nothing waits: Started then has a URL and nothing else.
func (sp *ServiceProvider) Request(ctx context.Context, trust LoginTrust, opts StartOptions) (*Started, error) {
	if refused := sp.checkEnabled(ctx); refused != nil {
		return nil, refused.of(&trust)
	}
	if refused := trust.gate(MethodSAML); refused != nil {
		return nil, refused.of(&trust)
	}
	if err := sp.checkPAOS(&trust, &opts); err != nil {
		return nil, err
	}
	if trust.Initiation == InitiatedByIdP {
		return sp.handOver(&trust, opts)
	}
	started, p, err := sp.ask(&trust, opts)
	if err != nil {
		return nil, err
	}
	if err := sp.keepRequest(ctx, sp.pendingKey(trust.Domain, started.RequestID), p.marshal()); err != nil {
		return nil, err
	}
	return started, nil
}

// ask makes a request, and what is to be kept of it until its answer comes.
func (sp *ServiceProvider) ask(trust *LoginTrust, opts StartOptions) (*Started, *pending, error) {
	location, byPOST, err := endpoint(*trust, opts.Binding)
	if err != nil {
		return nil, nil, err
	}
	signing, err := sp.signing(trust, byPOST)
	if err != nil {
		return nil, nil, err
	}
	if len(opts.AuthnContext) > maxClasses || opts.MaxAuthnAge < 0 {
		return nil, nil, fmt.Errorf("saml: StartOptions: at most %d AuthnContext classes, and no negative MaxAuthnAge", maxClasses)
	}
	if opts.RequestID == "" {
		opts.RequestID = newID()
	} else if !isID(opts.RequestID) {
		return nil, nil, fmt.Errorf("saml: StartOptions.RequestID %s is no ID", quoted(opts.RequestID))
	}
	if err := opts.Details.check(sp, opts.AuthnContext); err != nil {
		return nil, nil, fmt.Errorf("saml: StartOptions.Details: %w", err)
	}
	subject, err := sp.expectedSubject(trust, &opts)
	if err != nil {
		return nil, nil, err
	}
	started := &Started{RequestID: opts.RequestID, BrowserKey: browserKeyFrom(opts.BrowserKey),
		RelayState: base64.RawURLEncoding.EncodeToString(random(relayBytes))}
	request, err := sp.authnRequest(trust, &opts)
	if err != nil {
		return nil, nil, err
	}
	now := sp.config.Now()
	request.IssueInstant, request.Destination = now, location
	if opts.Binding == PAOSBinding {
		err = sp.composePAOS(started, request, trust, opts.wantSigned)
	} else if byPOST {
		err = composeForm(started, request, signing, opts.Details.query())
	} else {
		err = composeURL(started, request, signing, append(trust.pageVariables(opts.PageQuery), opts.Details.query()...))
	}
	if err != nil {
		return nil, nil, err
	}
	p := &pending{browser: sha256.Sum256([]byte(started.BrowserKey)), issued: now, returnTo: sp.target(opts.ReturnTo),
		relay: started.RelayState, forceAuthn: opts.ForceAuthn, maxAuthnAge: opts.MaxAuthnAge,
		nameIDFormat: opts.NameIDFormat, subject: subject, sameSubject: opts.SameSubject != nil, paos: opts.Binding == PAOSBinding}
	if opts.Details.Comparison == Exact {
		p.authnContext = slices.Clone(opts.AuthnContext)
	}
	return started, p, nil
}

func endpoint(trust LoginTrust, b Binding) (location string, byPOST bool, err error) {
	switch {
	case b == PAOSBinding:
		return "", false, nil // the client knows where
	case b != POSTBinding && trust.LoginURL != "":
		location = trust.LoginURL
	case b != RedirectBinding && trust.LoginPostURL != "":
		location, byPOST = trust.LoginPostURL, true
	default:
		return "", false, fmt.Errorf("saml: the trust %s has no login URL for that binding", quoted(trust.Domain))
	}
	return location, byPOST, checkURL(location)
}

// composeURL signs with any algorithm that has a URI, Ed25519 too: SigAlg is where it goes (SAML Bindings 3.4.4.1).
func composeURL(started *Started, request compose.AuthnRequest, key *compose.SigningKey, variables []string) error {
	xml, err := compose.Write(request, nil)
	if err != nil {
		return fmt.Errorf("saml: %w", err)
	}
	message := binding.Redirect{Location: withQuery(request.Destination, variables), Param: "SAMLRequest", XML: xml, RelayState: started.RelayState}
	if key != nil {
		message.Signer, message.Algorithm = key.Signer, key.Algorithm
	}
	if started.URL, err = message.URL(); err != nil {
		return fmt.Errorf("saml: %w", err)
	}
	return nil
}

func composeForm(started *Started, request compose.AuthnRequest, key *compose.SigningKey, variables []string) error {
	xml, err := compose.Write(request, key)
	if err != nil {
		return fmt.Errorf("saml: %w", err)
	}
	started.Action = withQuery(request.Destination, variables)
	started.Fields = map[string]string{"SAMLRequest": base64.StdEncoding.EncodeToString(xml), "RelayState": started.RelayState}
	return nil
}

func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b) // never fails (crypto/rand)
	return b
}

// newID is an xs:ID, which begins with no digit (SAML Core 1.3.4).
func newID() string { return "_" + hex.EncodeToString(random(requestIDBytes)) }

// isID reports whether s may stand for a request: printable characters, of which XML leaves each as it is.
func isID(s string) bool {
	odd := func(c rune) bool {
		return unicode.IsSpace(c) || !unicode.IsPrint(c) || strings.ContainsRune(`"&'<>`, c)
	}
	return s != "" && len(s) <= 256 && utf8.ValidString(s) && !strings.ContainsFunc(s, odd)
}

// isBrowserKey reports whether s has the form of the keys that we give out.
func isBrowserKey(s string) bool {
	b, err := base64.RawURLEncoding.DecodeString(s)
	return err == nil && len(b) == browserKeyBytes
}

// browserKeyFrom is what a browser brought if that is a key of ours, or else a new one for it.
func browserKeyFrom(brought string) string {
	if isBrowserKey(brought) {
		return brought
	}
	return base64.RawURLEncoding.EncodeToString(random(browserKeyBytes))
}

// LoginLink is the URL of our login handler for a trust: a link for a login page. target is where the login leads.
func (sp *ServiceProvider) LoginLink(trust LoginTrust, target string) string {
	q := url.Values{"entityID": {trust.Domain}}
	if target != "" {
		q.Set("target", target)
	}
	if strings.Contains(sp.config.LoginURL, "?") {
		return sp.config.LoginURL + "&" + q.Encode()
	}
	return sp.config.LoginURL + "?" + q.Encode()
}
