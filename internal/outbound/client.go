// Package outbound makes the few HTTP requests that leave the process: to addresses that people type in, or that messages
// name. An attacker who may choose one must not reach what only we can reach, nor keep us waiting, nor fill our memory.
package outbound

import (
	"bytes"
	"context"
	"crypto"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"
)

// A Client makes one request at a time, each on a connection of its own, and keeps nothing: no cookies, no credentials, no
// connections.
type Client struct {
	// Guard says which addresses beside public ones may be dialled.
	Guard Guard
	// Timeout is the time for everything, redirects and reading included. Required.
	Timeout time.Duration
	// MaxBytes bounds the answer, decompressed. Required.
	MaxBytes int
	// MaxRedirects is how many redirects of a GET are followed.
	MaxRedirects int
	// TLS is the configuration for TLS; nil verifies by the system's roots. TLS 1.2 is the least.
	TLS *tls.Config
	// ServerKeys, for Post, are keys of which a server may hold one in the place of a certificate that an authority vouches for.
	ServerKeys []crypto.PublicKey
	// User and Password, for Post, go along by HTTP Basic unless both are "" (RFC 7617): with the first request, since a challenge
	// is not awaited.
	User, Password string
	// Proxy picks a proxy, nil none. The environment is not asked. A proxy resolves names itself, so the Guard sees the
	// proxy's address, and of the target's only what the URL writes as an address.
	Proxy func(*http.Request) (*url.URL, error)
}

// maxHeaderBytes bounds the header of an answer.
const maxHeaderBytes = 64 << 10

// Get fetches what is at an https URL. The answer must be 200; errors do not repeat the URL, which may be a secret.
func (c Client) Get(ctx context.Context, target, accept string) ([]byte, error) {
	u, err := url.Parse(target)
	if err != nil {
		return nil, errors.New("not a URL")
	}
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	transport := c.transport()
	for redirects := 0; ; redirects++ {
		if err := c.checkURL(u); err != nil {
			return nil, err
		}
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
		if err != nil {
			return nil, errors.New("not a URL")
		}
		request.Header.Set("Accept", accept)
		body, next, err := c.exchange(transport, request)
		if err != nil {
			return nil, c.explain(ctx, err)
		}
		if next == nil {
			return body, nil
		}
		if redirects == c.MaxRedirects {
			return nil, fmt.Errorf("more than %d redirects", c.MaxRedirects)
		}
		u = next
	}
}

// Post sends body to an https URL and returns the answer, which must be 200. A redirect is not followed.
func (c Client) Post(ctx context.Context, target, contentType string, body []byte) ([]byte, error) {
	u, err := url.Parse(target)
	if err != nil {
		return nil, errors.New("not a URL")
	}
	if err := c.checkURL(u); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), bytes.NewReader(body))
	if err != nil {
		return nil, errors.New("not a URL")
	}
	request.Header.Set("Content-Type", contentType)
	request.Header.Set("Cache-Control", "no-cache, no-store")
	request.Header.Set("Pragma", "no-cache")
	if c.User != "" || c.Password != "" {
		request.SetBasicAuth(c.User, c.Password)
	}
	answer, next, err := c.exchange(c.transport(), request)
	if c.isPinned(err) { // nothing was sent yet
		request = request.Clone(ctx)
		request.Body = io.NopCloser(bytes.NewReader(body))
		answer, next, err = c.exchange(c.pinnedTransport(), request)
	}
	if err != nil {
		return nil, c.explain(ctx, err)
	}
	if next != nil {
		return nil, errors.New("a redirect in answer to a POST")
	}
	return answer, nil
}

// isPinned reports whether a server was refused for its certificate, although its key is one of ServerKeys: who vouches for the
// certificate, and until when, does not matter then, nor what it is called (SAML V2.0 Metadata Interoperability Profile 2.6.1).
func (c Client) isPinned(err error) bool {
	refused, ok := errors.AsType[*tls.CertificateVerificationError](err)
	return ok && len(refused.UnverifiedCertificates) > 0 && c.hasServerKey(refused.UnverifiedCertificates[0].PublicKey)
}

// checkPinned admits a server that has proven, by the handshake, that it holds one of ServerKeys.
func (c Client) checkPinned(state tls.ConnectionState) error {
	if len(state.PeerCertificates) == 0 || !c.hasServerKey(state.PeerCertificates[0].PublicKey) {
		return errors.New("a server with another key")
	}
	return nil
}

func (c Client) hasServerKey(key crypto.PublicKey) bool {
	comparable, ok := key.(interface{ Equal(crypto.PublicKey) bool })
	return ok && slices.ContainsFunc(c.ServerKeys, comparable.Equal)
}

// transport has no connections to keep: no goroutine outlives a request.
func (c Client) transport() *http.Transport {
	dialer := &net.Dialer{Control: c.Guard.Control, KeepAlive: -1}
	config := &tls.Config{}
	if c.TLS != nil {
		config = c.TLS.Clone()
	}
	config.MinVersion = max(config.MinVersion, tls.VersionTLS12)
	return &http.Transport{Proxy: c.Proxy, DialContext: dialer.DialContext, TLSClientConfig: config, DisableKeepAlives: true,
		MaxResponseHeaderBytes: maxHeaderBytes}
}

// pinnedTransport knows servers by their keys alone.
func (c Client) pinnedTransport() *http.Transport {
	t := c.transport()
	t.TLSClientConfig.InsecureSkipVerify = true // checkPinned does it, at every handshake
	t.TLSClientConfig.VerifyConnection = c.checkPinned
	return t
}

func (c Client) checkURL(u *url.URL) error {
	switch {
	case u.Scheme != "https":
		return fmt.Errorf("%.16q instead of https", u.Scheme)
	case u.Hostname() == "" || u.Opaque != "":
		return errors.New("a URL without host")
	case u.User != nil:
		return errors.New("a URL with credentials")
	}
	if addr, err := netip.ParseAddr(u.Hostname()); err == nil {
		return c.Guard.Check(addr)
	}
	return nil
}

// exchange makes one request. It returns the body, or where a redirect leads.
func (c Client) exchange(transport *http.Transport, request *http.Request) (body []byte, next *url.URL, err error) {
	response, err := transport.RoundTrip(request) // not http.Client, which sends Referer and follows by itself
	if err != nil {
		return nil, nil, err
	}
	defer response.Body.Close()
	switch response.StatusCode {
	case http.StatusOK:
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		next, err = response.Location()
		if err != nil {
			return nil, nil, errors.New("a redirect to nowhere")
		}
		next.Fragment, next.RawFragment = "", ""
		return nil, next, nil
	default:
		return nil, nil, fmt.Errorf("the server answers %d", response.StatusCode)
	}
	if coding := response.Header.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		return nil, nil, fmt.Errorf("the answer is encoded as %.16q", coding) // gzip has been taken off by now
	}
	body, err = io.ReadAll(io.LimitReader(response.Body, int64(c.MaxBytes)+1))
	if err != nil {
		return nil, nil, err
	}
	if err := request.Context().Err(); err != nil {
		return nil, nil, err // a server that notices that we leave may end its answer in good order
	}
	if len(body) > c.MaxBytes {
		return nil, nil, fmt.Errorf("more than %d octets", c.MaxBytes)
	}
	return body, nil, nil
}

// explain says what went wrong without the addresses that errors of the network carry.
func (c Client) explain(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return fmt.Errorf("no whole answer within %v: %w", c.Timeout, ctx.Err())
		}
		return ctx.Err()
	}
	if errors.Is(err, ErrAddress) {
		return ErrAddress
	}
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return errors.New("the name of the host is not known")
	}
	if _, ok := errors.AsType[*net.OpError](err); ok {
		return errors.New("the connection failed")
	}
	return err
}
