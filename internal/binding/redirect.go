// Package binding carries messages through a browser: by HTTP-Redirect and by HTTP-POST.
package binding

import (
	"bytes"
	"compress/flate"
	"crypto"
	"encoding/base64"
	"fmt"
	"net/url"
	"strings"
	"sync"

	"github.com/logintrust/saml/internal/compose"
)

// writers keeps compressors: a fresh one costs 800 KB.
var writers = sync.Pool{New: func() any {
	w, err := flate.NewWriter(nil, flate.BestSpeed)
	if err != nil {
		panic(err) // the level is a constant that flate knows
	}
	return w
}}

// Redirect is a message for the HTTP-Redirect binding (SAML Bindings 3.4).
type Redirect struct {
	Location   string // the peer's endpoint; its own query is kept, in front and unsigned
	Param      string // SAMLRequest or SAMLResponse
	XML        []byte
	RelayState string        // "" leaves it out
	Signer     crypto.Signer // nil sends it unsigned
	Algorithm  string        // URI of the signature algorithm; "" is the one that suits the key
}

// URL builds the URL once, and signs exactly the octets that it sends (SAML Bindings 3.4.4.1).
func (m Redirect) URL() (string, error) {
	var deflated bytes.Buffer
	w := writers.Get().(*flate.Writer)
	defer writers.Put(w)
	w.Reset(&deflated)
	if _, err := w.Write(m.XML); err != nil {
		return "", err
	}
	if err := w.Close(); err != nil {
		return "", err
	}
	var q strings.Builder
	q.WriteString(m.Param + "=" + url.QueryEscape(base64.StdEncoding.EncodeToString(deflated.Bytes())))
	if m.RelayState != "" {
		q.WriteString("&RelayState=" + url.QueryEscape(m.RelayState))
	}
	if m.Signer != nil {
		method, err := compose.SigningKey{Signer: m.Signer, Algorithm: m.Algorithm}.Method()
		if err != nil {
			return "", err
		}
		q.WriteString("&SigAlg=" + url.QueryEscape(method.URI))
		signature, err := method.Sign(m.Signer, []byte(q.String()))
		if err != nil {
			return "", fmt.Errorf("signing: %w", err)
		}
		q.WriteString("&Signature=" + url.QueryEscape(base64.StdEncoding.EncodeToString(signature)))
	}
	separator := "?"
	if strings.Contains(m.Location, "?") {
		separator = "&"
		if strings.HasSuffix(m.Location, "?") || strings.HasSuffix(m.Location, "&") {
			separator = ""
		}
	}
	return m.Location + separator + q.String(), nil
}
