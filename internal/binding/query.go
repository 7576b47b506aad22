package binding

import (
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"sync"

	"github.com/logintrust/saml/internal/xmlsec"
)

// A Query is a message that came by HTTP-Redirect (SAML Bindings 3.4), as its raw query has it.
type Query struct {
	// Request says that the message is a SAMLRequest; otherwise it is a SAMLResponse.
	Request bool
	// RelayState is decoded; it stays out of what is signed if it is empty.
	RelayState string

	message  string // base64 of what was deflated
	deflated []byte

	fields map[string]string // the raw values
}

const (
	// MaxQuery is the longest query that is read, in octets. Browsers and servers carry less.
	MaxQuery = 64 << 10
	// maxInflated bounds a message once inflated, and maxRatio what one octet may become; the first octets are free, since a
	// short message of many namespaces shrinks more than a long one.
	maxInflated   = 1 << 20
	maxRatio      = 32
	freeInflation = 16 << 10

	encodingDeflate = "urn:oasis:names:tc:SAML:2.0:bindings:URL-Encoding:DEFLATE"
)

// Faults of a query, which are no faults of the XML in it.
var (
	// ErrQuery says that a query does not hold one message.
	ErrQuery = errors.New("the query does not hold one SAML message")
	// ErrInflate says that the message is not raw DEFLATE (RFC 1951) in base64.
	ErrInflate = errors.New("the message is not raw DEFLATE in base64")
	// ErrTooLarge says that the query, or what it inflates to, is beyond a limit.
	ErrTooLarge = errors.New("the query or its message is too large")
)

// queryNames are the parameters of the binding, in the order in which they are signed. All others are the endpoint's own,
// and no part of the message.
var queryNames = []string{"SAMLRequest", "SAMLResponse", "RelayState", "SigAlg", "Signature", "SAMLEncoding"}

// ReadQuery takes a raw query apart: split at "&" and at the first "=", nothing decoded. Stricter than SAML Bindings 3.4 in
// that each parameter of the binding is there at most once, by its plain name: otherwise what is verified and what is read
// could be two things.
func ReadQuery(raw string) (*Query, error) {
	if len(raw) > MaxQuery {
		return nil, ErrTooLarge
	}
	q := &Query{fields: make(map[string]string, len(queryNames))}
	for part := range strings.SplitSeq(raw, "&") {
		name, value, whole := strings.Cut(part, "=")
		plain, err := url.QueryUnescape(name)
		if err != nil || !isQueryName(plain) {
			continue
		}
		if _, twice := q.fields[plain]; twice || plain != name || !whole {
			return nil, fmt.Errorf("%w: %s is repeated, percent-encoded, or without \"=\"", ErrQuery, plain)
		}
		q.fields[plain] = value
	}
	request, isRequest := q.fields["SAMLRequest"]
	response, isResponse := q.fields["SAMLResponse"]
	if isRequest == isResponse {
		return nil, fmt.Errorf("%w: want one of SAMLRequest and SAMLResponse", ErrQuery)
	}
	q.Request = isRequest
	return q, q.decode(request + response)
}

func isQueryName(name string) bool {
	for _, known := range queryNames {
		if name == known {
			return true
		}
	}
	return false
}

func (q *Query) decode(message string) (err error) {
	encoding, found := q.fields["SAMLEncoding"]
	if encoding, err = url.QueryUnescape(encoding); err != nil || found && encoding != encodingDeflate {
		return fmt.Errorf("%w: a SAMLEncoding other than DEFLATE", ErrQuery)
	}
	if q.message, err = url.QueryUnescape(message); err != nil {
		return fmt.Errorf("%w: the message's percent-encoding", ErrQuery)
	}
	if q.RelayState, err = url.QueryUnescape(q.fields["RelayState"]); err != nil {
		return fmt.Errorf("%w: RelayState's percent-encoding", ErrQuery)
	}
	return nil
}

// inflaters keeps decompressors: a fresh one costs 40 KB.
var inflaters = sync.Pool{New: func() any { return flate.NewReader(bytes.NewReader(nil)) }}

// AppendXML appends the message to dst: at most limit octets of it, and no more than what real messages grow to.
func (q *Query) AppendXML(dst []byte, limit int) ([]byte, error) {
	var ok bool
	if q.deflated, ok = xmlsec.AppendBase64(q.deflated[:0], q.message); !ok || len(q.deflated) == 0 {
		return dst, ErrInflate
	}
	limit = min(limit, maxInflated, freeInflation+maxRatio*len(q.deflated))
	r := inflaters.Get().(io.ReadCloser)
	defer inflaters.Put(r)
	source := bytes.NewReader(q.deflated)
	if err := r.(flate.Resetter).Reset(source, nil); err != nil {
		return dst, ErrInflate
	}
	b := bytes.NewBuffer(dst)
	n, err := io.Copy(b, io.LimitReader(r, int64(limit)+1))
	switch {
	case err != nil:
		return dst, ErrInflate
	case n > int64(limit):
		return dst, ErrTooLarge
	case source.Len() > 0:
		return dst, fmt.Errorf("%w: octets behind the end", ErrInflate)
	}
	return b.Bytes(), nil
}

// Signature is the signature in the query; found is false if there is none. Without SigAlg there is no default
// algorithm, and the signature is malformed.
func (q *Query) Signature() (s xmlsec.Detached, found bool, err error) {
	algorithm, hasAlgorithm := q.fields["SigAlg"]
	value, hasValue := q.fields["Signature"]
	if !hasValue {
		return s, false, nil // an algorithm alone signs nothing
	}
	malformed := &xmlsec.Error{Kind: xmlsec.MalformedSignature, Offset: -1, Msg: "a Signature without SigAlg, or not in base64"}
	if !hasAlgorithm {
		return s, true, malformed
	}
	if s.Algorithm, err = url.QueryUnescape(algorithm); err != nil {
		return s, true, malformed
	}
	if value, err = url.QueryUnescape(value); err != nil {
		return s, true, malformed
	}
	var ok bool
	if s.Value, ok = xmlsec.AppendBase64(nil, value); !ok {
		return s, true, malformed
	}
	s.Octets = q.signed()
	return s, true, nil
}

// signed is what the signature covers: the raw values in the order of the binding, as they came, since percent-encoding has
// many forms (SAML Bindings 3.4.4.1). A RelayState without value is left out; some senders sign it all the same, to the same
// effect, so that there are two readings.
func (q *Query) signed() (readings [][]byte) {
	join := func(names ...string) []byte {
		var b []byte
		for _, name := range names {
			if value, found := q.fields[name]; found {
				if b != nil {
					b = append(b, '&')
				}
				b = append(append(append(b, name...), '='), value...)
			}
		}
		return b
	}
	relay, found := q.fields["RelayState"]
	if !found || relay != "" {
		return [][]byte{join("SAMLRequest", "SAMLResponse", "RelayState", "SigAlg")}
	}
	return [][]byte{join("SAMLRequest", "SAMLResponse", "SigAlg"), join("SAMLRequest", "SAMLResponse", "RelayState", "SigAlg")}
}
