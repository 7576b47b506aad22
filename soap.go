package saml

import (
	"context"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"github.com/logintrust/saml/internal/outbound"
)

// A SOAPClient makes the requests of our own to identity providers (SAML Bindings 3.2): by https, to addresses that may be
// dialled, and within limits. Both sides prove who they are (SAML Profiles 4.1.4.4): we by a signature or by a certificate
// for TLS, the identity provider by its certificate for TLS and by a signature on the message, as always. Its certificate must be
// one that RootCAs vouch for, or hold one of the trust's Keys, whatever else it says.
type SOAPClient struct {
	// Certificates are ours for TLS, for identity providers that ask for one.
	Certificates []tls.Certificate
	// Credentials are ours for HTTP Basic (RFC 7617), for identity providers that ask for them: user name and password for that
	// URL of a login trust, which must be looked at, or everybody who is asked learns them all. found is false for none. Nil has
	// none.
	Credentials func(target string) (user, password string, found bool)
	// RootCAs are the authorities that vouch for identity providers' servers, the system's if nil.
	RootCAs *x509.CertPool
	// AllowAddresses admits addresses beside public ones: identity providers in our own network.
	AllowAddresses []netip.Prefix
	// Timeout is the time for everything: 5 seconds if 0, and at most a minute.
	Timeout time.Duration
	// Proxy picks a proxy; nil uses none.
	Proxy func(*http.Request) (*url.URL, error)
}

// String says what there is of it, and Format that, whatever the verb is: no verb shows the private key of a certificate.
func (c SOAPClient) String() string {
	return fmt.Sprintf("SOAPClient(%d certificates)", len(c.Certificates))
}

// Format writes String.
func (c SOAPClient) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, c.String()) }

// complete is a copy with what was left out; nil stays nil.
func (c *SOAPClient) complete() (*SOAPClient, error) {
	if c == nil {
		return nil, nil
	}
	client := *c
	if client.Timeout == 0 {
		client.Timeout = defaultFetchTimeout
	}
	if client.Timeout < 0 || client.Timeout > maxFetchTimeout {
		return nil, errors.New("a Timeout out of range")
	}
	return &client, nil
}

// post asks an identity provider.
func (c *SOAPClient) post(ctx context.Context, trust *LoginTrust, target string, envelope []byte, most int) ([]byte, error) {
	client := outbound.Client{Guard: c.AllowAddresses, Timeout: c.Timeout, MaxBytes: most, Proxy: c.Proxy,
		TLS: &tls.Config{RootCAs: c.RootCAs, Certificates: c.Certificates}}
	for _, k := range trust.Keys {
		if short, ok := k.key.(*rsa.PublicKey); !ok || short.N.BitLen() >= minRSABits {
			client.ServerKeys = appendPinned(client.ServerKeys, []PublicKey{k})
		}
	}
	if c.Credentials != nil {
		if user, password, found := c.Credentials(target); found {
			client.User, client.Password = user, password
		}
	}
	return client.Post(ctx, target, "text/xml; charset=utf-8", envelope)
}
