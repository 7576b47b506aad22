package saml

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"
)

// A TrustStore finds login trusts. Its methods are called concurrently, and what they return is not changed.
type TrustStore interface {
	// FindTrust returns the trust with exactly that Domain. No such trust is found == false, not an error.
	FindTrust(ctx context.Context, domain string) (trust LoginTrust, found bool, err error)
}

// MemoryTrusts is a TrustStore in memory.
type MemoryTrusts struct {
	mu     sync.RWMutex
	trusts map[string]LoginTrust
}

// NewMemoryTrusts returns a store that holds these trusts.
func NewMemoryTrusts(trusts ...LoginTrust) *MemoryTrusts {
	m := &MemoryTrusts{trusts: make(map[string]LoginTrust, len(trusts))}
	for _, t := range trusts {
		m.Set(t)
	}
	return m
}

// Set adds a trust, or replaces the one with the same Domain.
func (m *MemoryTrusts) Set(t LoginTrust) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.trusts == nil {
		m.trusts = make(map[string]LoginTrust)
	}
	m.trusts[t.Domain] = t
}

// Remove forgets the trust with that Domain.
func (m *MemoryTrusts) Remove(domain string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.trusts, domain)
}

// FindTrust implements TrustStore.
func (m *MemoryTrusts) FindTrust(_ context.Context, domain string) (LoginTrust, bool, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	t, found := m.trusts[domain]
	return t, found, nil
}

// FindTrustBySource implements ArtifactTrustStore, by looking at every trust.
func (m *MemoryTrusts) FindTrustBySource(_ context.Context, source [20]byte) (LoginTrust, bool, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	for domain, t := range m.trusts {
		if ArtifactSource(domain) == source {
			return t, true, nil
		}
	}
	return LoginTrust{}, false, nil
}

// All returns the trusts, by Description.
func (m *MemoryTrusts) All() []LoginTrust {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return slices.SortedFunc(maps.Values(m.trusts), func(a, b LoginTrust) int {
		return cmp.Or(cmp.Compare(a.Description, b.Description), cmp.Compare(a.Domain, b.Domain))
	})
}

// A StateStore remembers pending requests and what was used, for all processes that serve one service provider. Its
// methods are atomic and are called concurrently. A store that fails refuses the login.
//
// Keys are 64 hexadecimal digits, values at most 256 KiB of octets. The message of a login that waits for a
// password is kept for ten minutes. A store copies values: a caller may write into the slice that it gave to Add, and into those
// that Get and Take gave it.
type StateStore interface {
	// Add stores value under key unless there is one already, and says whether it did. The entry disappears after keep,
	// by the store's own clock; a keep of zero or less is an error.
	Add(ctx context.Context, key string, value []byte, keep time.Duration) (added bool, err error)
	// Get returns the value under key. None is found == false, not an error.
	Get(ctx context.Context, key string) (value []byte, found bool, err error)
	// Take returns the value under key and removes it; of several callers only one finds it.
	Take(ctx context.Context, key string) (value []byte, found bool, err error)
}

// MemoryState is a StateStore in memory, for one process.
type MemoryState struct {
	mu      sync.Mutex
	entries map[string]stateEntry
	octets  int       // of all values
	sweep   int       // additions until expired entries are looked for
	swept   time.Time // when they were last
}

type stateEntry struct {
	value   []byte
	expires time.Time
}

const (
	maxStateEntries = 1 << 20
	maxStateOctets  = 256 << 20
	sweepEvery      = 1 << 10
	sweepPause      = time.Second // at least, between two sweeps of a store that is full
)

// NewMemoryState returns an empty store.
func NewMemoryState() *MemoryState {
	return new(MemoryState)
}

// Add implements StateStore. A store of a million entries or 256 MB of values is full, which is an error. Not only logins that
// are begun fill it: logout requests and artifacts are remembered too, made-up artifacts among them. So put a limit on requests
// in front of the whole of Handler.
func (m *MemoryState) Add(_ context.Context, key string, value []byte, keep time.Duration) (bool, error) {
	if keep <= 0 {
		return false, errors.New("saml: a state entry must be kept for longer than nothing")
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	full := len(m.entries) >= maxStateEntries || m.octets+len(value) > maxStateOctets
	if m.sweep--; m.sweep <= 0 || full && now.Sub(m.swept) >= sweepPause {
		m.removeExpired(now)
		full = len(m.entries) >= maxStateEntries || m.octets+len(value) > maxStateOctets
	}
	if e, found := m.entries[key]; found {
		if e.expires.After(now) {
			return false, nil
		}
		m.remove(key, e)
	}
	if full {
		return false, errors.New("saml: the state store is full")
	}
	if m.entries == nil {
		m.entries = make(map[string]stateEntry)
	}
	m.entries[key] = stateEntry{slices.Clone(value), now.Add(keep)}
	m.octets += len(value)
	return true, nil
}

// removeExpired looks at every entry. It comes again after as many additions as there are entries, so that it costs a
// constant for each.
func (m *MemoryState) removeExpired(now time.Time) {
	for key, e := range m.entries {
		if !e.expires.After(now) {
			m.remove(key, e)
		}
	}
	m.sweep, m.swept = max(sweepEvery, len(m.entries)), now
}

func (m *MemoryState) remove(key string, e stateEntry) {
	delete(m.entries, key)
	m.octets -= len(e.value)
}

// Get implements StateStore.
func (m *MemoryState) Get(_ context.Context, key string) ([]byte, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e, found := m.entries[key]
	if !found || !e.expires.After(time.Now()) {
		return nil, false, nil
	}
	return slices.Clone(e.value), true, nil
}

// Take implements StateStore.
func (m *MemoryState) Take(_ context.Context, key string) ([]byte, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e, found := m.entries[key]
	if found {
		m.remove(key, e)
	}
	if !found || !e.expires.After(time.Now()) {
		return nil, false, nil
	}
	return e.value, true, nil
}

// Kinds of state. They separate what is stored under the same ID.
const (
	pendingKind   = "request"   // a request that waits for its answer
	discoveryKind = "discovery" // a user at the discovery service
	finishedKind  = "finished"  // a request that was answered within the last minute
	artifactKind  = "artifact"  // an artifact that was tried
	resolvedKind  = "resolved"  // an artifact that made a login within the last minute
	usedKind      = "assertion" // an assertion that was used
	testKind      = "test"      // a test login that waits for its answer
	reportKind    = "report"    // how a test login ended
	passwordKind  = "password"  // a login that waits for its user's local password
	tryKind       = "try"       // one of the tries at that
	logoutKind    = "logout"    // a logout request of ours that waits for its answer
	heardKind     = "heard"     // a logout request of an identity provider that was acted upon
	endedKind     = "ended"     // a session that an identity provider has ended
)

// stateKey is the key under which a store keeps something: a hash over the kind, the service provider, the trust and the
// ID, each with its length, so that no two tuples meet and nothing foreign stands in a key.
func stateKey(kind, sp, trust, id string) string {
	var buf [512]byte
	b := buf[:0]
	for _, part := range [...]string{kind, sp, trust, id} {
		b = binary.AppendUvarint(b, uint64(len(part)))
		b = append(b, part...)
	}
	sum := sha256.Sum256(b)
	return string(hex.AppendEncode(buf[:0], sum[:]))
}
