package saml

import (
	"cmp"
	"context"
	"sync"
)

// Translations is the application's table from what identity providers call a user to his local user name. It is asked
// concurrently.
type Translations interface {
	// Translate returns the local user name for a subject that the trust with that Domain vouches for. No translation is
	// found == false, not an error. The same NameID means different people at different issuers, in different formats and
	// under different qualifiers, so a table by its value alone lets one customer's identity provider log in another's users.
	Translate(ctx context.Context, trustDomain string, subject Subject) (username string, found bool, err error)
}

// MemoryTranslations is a table of translations in memory.
type MemoryTranslations struct {
	mu    sync.RWMutex
	names map[translationKey]string
}

// A translationKey is all that makes a subject unique, and the trust.
type translationKey struct {
	domain, issuer string
	name           NameID
}

// NewMemoryTranslations returns an empty table.
func NewMemoryTranslations() *MemoryTranslations { return new(MemoryTranslations) }

// Set translates a subject of a trust. A Subject without Issuer is the trust's own. One whose NameID has a Value and nothing
// else stands for that value in every format and under all qualifiers; one with more is tried first. An empty user name
// takes the translation away.
func (m *MemoryTranslations) Set(trustDomain string, subject Subject, username string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	subject.Issuer = cmp.Or(subject.Issuer, trustDomain)
	key := translationKey{trustDomain, subject.Issuer, subject.withoutDefaults()}
	if username == "" {
		delete(m.names, key)
		return
	}
	if m.names == nil {
		m.names = make(map[translationKey]string)
	}
	m.names[key] = username
}

// withoutDefaults is the NameID without the qualifiers that a persistent one has anyhow (SAML Core 8.3.7).
func (s Subject) withoutDefaults() NameID {
	n := s.NameID
	n.SPProvidedID = "" // our own alias of the same name
	if n != (NameID{Value: n.Value}) {
		n.Format = cmp.Or(n.Format, NameIDUnspecified)
	}
	if n.Format == NameIDPersistent {
		if n.NameQualifier == s.Issuer {
			n.NameQualifier = ""
		}
		if n.SPNameQualifier == s.SPEntityID {
			n.SPNameQualifier = ""
		}
	}
	return n
}

// Translate implements Translations.
func (m *MemoryTranslations) Translate(_ context.Context, trustDomain string, subject Subject) (string, bool, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	own := subject.withoutDefaults()
	names := []NameID{own}
	if own.Format == NameIDPersistent && own.SPNameQualifier == "" && subject.SPEntityID != "" { // Set does not know what is ours
		written := own
		written.SPNameQualifier = subject.SPEntityID
		names = append(names, written)
	}
	for _, name := range append(names, NameID{Value: own.Value}) {
		if username, found := m.names[translationKey{trustDomain, subject.Issuer, name}]; found {
			return username, true, nil
		}
	}
	return "", false, nil
}
