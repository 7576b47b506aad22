package saml

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"time"
)

// A pending request waits for its answer in the StateStore.
type pending struct {
	browser  [sha256.Size]byte // hash of the browser key; the key itself is in the cookie only
	issued   time.Time
	returnTo string // where the login leads, already reduced to a place of our own
	relay    string // the opaque RelayState that was sent

	// What was asked for, to be held against the answer.
	forceAuthn   bool
	paos         bool // how the answer is to come
	sameSubject  bool // subject is that of an earlier login
	maxAuthnAge  time.Duration
	nameIDFormat string
	authnContext []string
	subject      string // a fingerprint; "" if anybody will do
}

const (
	pendingKeep  = time.Hour   // how long an answer may take: DESIGN.md section 9, number 4
	finishedKeep = time.Minute // how long a double submit is forgiven: section 9, number 7
	replayLimit  = 24 * time.Hour
	// Processes that share a store may have clocks that differ: what was used is remembered for that much longer.
	replayMargin = 10 * time.Minute

	maxStateValue = 256 << 10 // octets of a value, as StateStore says

	pendingVersion  = 1
	finishedVersion = 1
)

func (p *pending) marshal() []byte {
	b := make([]byte, 0, 128+len(p.returnTo))
	flags := byte(0)
	if p.forceAuthn {
		flags |= 1
	}
	if p.sameSubject {
		flags |= 2
	}
	if p.paos {
		flags |= 4
	}
	b = append(b, pendingVersion, flags)
	b = append(b, p.browser[:]...)
	b = binary.AppendVarint(b, p.issued.UnixNano())
	b = binary.AppendVarint(b, int64(p.maxAuthnAge))
	b = appendString(b, p.returnTo)
	b = appendString(b, p.relay)
	b = appendString(b, p.nameIDFormat)
	b = appendString(b, p.subject)
	b = binary.AppendUvarint(b, uint64(len(p.authnContext)))
	for _, class := range p.authnContext {
		b = appendString(b, class)
	}
	return b
}

func unmarshalPending(b []byte) (*pending, error) {
	r := record{rest: b}
	if r.byte() != pendingVersion {
		return nil, errRecord
	}
	p := &pending{}
	flags := r.byte()
	p.forceAuthn, p.sameSubject, p.paos = flags&1 != 0, flags&2 != 0, flags&4 != 0
	r.fixed(p.browser[:])
	p.issued = time.Unix(0, r.int()).UTC()
	p.maxAuthnAge = time.Duration(r.int())
	p.returnTo, p.relay, p.nameIDFormat, p.subject = r.string(), r.string(), r.string(), r.string()
	for n := r.uint(); n > 0 && !r.bad; n-- {
		p.authnContext = append(p.authnContext, r.string())
	}
	if r.bad || len(r.rest) > 0 {
		return nil, errRecord
	}
	return p, nil
}

// isFrom reports whether the browser holds the key that the request was bound to.
func (p *pending) isFrom(browserKey string) bool {
	return isHashOf(p.browser, browserKey)
}

func isHashOf(browser [sha256.Size]byte, key string) bool {
	sum := sha256.Sum256([]byte(key))
	return subtle.ConstantTimeCompare(sum[:], browser[:]) == 1
}

// finished is what is kept for a minute of a request that was answered, so that a double submit ends well.
type finished struct {
	browser   [sha256.Size]byte
	assertion string // ID of the assertion that made the login
	returnTo  string
}

// isFrom reports whether the browser holds the key of the one that signed in.
func (f *finished) isFrom(browserKey string) bool { return isHashOf(f.browser, browserKey) }

func (f *finished) marshal() []byte {
	b := make([]byte, 0, 80+len(f.returnTo))
	b = append(b, finishedVersion)
	b = append(b, f.browser[:]...)
	b = appendString(b, f.assertion)
	return appendString(b, f.returnTo)
}

func unmarshalFinished(b []byte) (*finished, error) {
	r := record{rest: b}
	if r.byte() != finishedVersion {
		return nil, errRecord
	}
	f := &finished{}
	r.fixed(f.browser[:])
	f.assertion, f.returnTo = r.string(), r.string()
	if r.bad || len(r.rest) > 0 {
		return nil, errRecord
	}
	return f, nil
}

var errRecord = errors.New("saml: the state store holds something that was not written by this version")

func appendString(b []byte, s string) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

// A record reads what marshal wrote. The first thing that does not fit makes it bad, and everything after it zero.
type record struct {
	rest []byte
	bad  bool
}

func (r *record) fixed(dst []byte) {
	if len(r.rest) < len(dst) {
		r.fail()
		return
	}
	copy(dst, r.rest)
	r.rest = r.rest[len(dst):]
}

func (r *record) byte() byte {
	var b [1]byte
	r.fixed(b[:])
	return b[0]
}

func (r *record) int() int64 {
	v, n := binary.Varint(r.rest)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

func (r *record) uint() uint64 {
	v, n := binary.Uvarint(r.rest)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

func (r *record) string() string {
	n := r.uint()
	if n > uint64(len(r.rest)) {
		r.fail()
		return ""
	}
	s := string(r.rest[:n])
	r.rest = r.rest[n:]
	return s
}

func (r *record) fail() { r.rest, r.bad = nil, true }
