package saml

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"github.com/logintrust/saml/internal/outbound"
	"github.com/logintrust/saml/internal/xmlsec"
)

// A MetadataFetcher gets metadata from a URL that an administrator enters, who may be a stranger: it goes by https to public
// addresses, follows few redirects, and gives up soon. Its zero value is ready to use. Nothing in this package fetches
// anything unless a host calls Fetch.
type MetadataFetcher struct {
	// AllowAddresses admits addresses beside public ones: a loopback, private or link-local network. Whoever may enter a
	// URL can then have this process ask what only it can reach there, such as a cloud's metadata service.
	AllowAddresses []netip.Prefix
	// MaxBytes bounds the document, decompressed: 4 MiB if 0, and at most the 128 MiB that an import reads.
	MaxBytes int
	// Timeout is the time for everything: 5 seconds if 0, and at most a minute, for a federation's aggregate.
	Timeout time.Duration
	// RootCAs are the authorities that vouch for servers, the system's if nil.
	RootCAs *x509.CertPool
	// Proxy picks a proxy; nil uses none, whatever the environment says. AllowAddresses then holds for the proxy's address;
	// keeping internal names out of reach is the proxy's affair.
	Proxy func(*http.Request) (*url.URL, error)
}

const (
	defaultFetchBytes   = 4 << 20
	defaultFetchTimeout = 5 * time.Second
	maxFetchTimeout     = time.Minute
	maxFetchRedirects   = 3
)

// Fetch returns the octets that are at an https URL, for ProposeTrust. An error says in an administrator's words what is
// wrong and does not repeat the URL. The type that the server gives does not matter.
func (f MetadataFetcher) Fetch(ctx context.Context, metadataURL string) ([]byte, error) {
	if f.MaxBytes == 0 {
		f.MaxBytes = defaultFetchBytes
	}
	if f.Timeout == 0 {
		f.Timeout = defaultFetchTimeout
	}
	if f.MaxBytes < 0 || f.MaxBytes > xmlsec.MaxMetadataBytes || f.Timeout < 0 || f.Timeout > maxFetchTimeout {
		return nil, errors.New("saml: MetadataFetcher: MaxBytes or Timeout out of range")
	}
	client := outbound.Client{Guard: f.AllowAddresses, Timeout: f.Timeout, MaxBytes: f.MaxBytes, MaxRedirects: maxFetchRedirects,
		TLS: &tls.Config{RootCAs: f.RootCAs}, Proxy: f.Proxy}
	body, err := client.Get(ctx, metadataURL, "application/samlmetadata+xml, application/xml;q=0.9, text/xml;q=0.9, */*;q=0.1")
	if err != nil {
		return nil, fmt.Errorf("saml: fetching metadata: %w", err)
	}
	return body, nil
}
