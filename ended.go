package saml

import (
	"context"
	"encoding/binary"
	"errors"
	"time"

	"github.com/logintrust/saml/internal/wire"
)

// A logout may overtake the login that it ends: the identity provider sends one by a browser that is slow, and the other
// before that arrives. What was ended is remembered, so that the login is refused (SAML Core 3.7.3.1).

// An endedNote says that sessions were ended.
type endedNote struct {
	issued time.Time // IssueInstant of the logout request
	until  time.Time // when it counted no more
}

const (
	endedVersion = 1
	// maxEndedNotes is how many sessions one request may have a note of their own for; one that names more is noted for the whole
	// subject. Most name one or two.
	maxEndedNotes = 8
	endedTries    = 4 // at a note that somebody else writes at the same moment
)

// endedKeep is how long a note counts: an assertion is accepted up to replayLimit before it ends, so what was issued before
// the logout may come that much later.
func (sp *ServiceProvider) endedKeep() time.Duration {
	return replayLimit + sp.config.ClockSkew + replayMargin
}

// covers reports whether n says all that other says.
func (n endedNote) covers(other endedNote) bool {
	return !n.issued.Before(other.issued) && !n.until.Before(other.until)
}

// and is the note that says what both say: of each time the later counts.
func (n endedNote) and(other endedNote) endedNote {
	if other.issued.After(n.issued) {
		n.issued = other.issued
	}
	if other.until.After(n.until) {
		n.until = other.until
	}
	return n
}

func (n endedNote) marshal() []byte {
	b := binary.AppendVarint([]byte{endedVersion}, n.issued.UnixNano())
	return binary.AppendVarint(b, n.until.UnixNano())
}

func unmarshalEnded(b []byte) (n endedNote, err error) {
	r := record{rest: b}
	if r.byte() != endedVersion {
		return n, errRecord
	}
	n.issued, n.until = time.Unix(0, r.int()).UTC(), time.Unix(0, r.int()).UTC()
	if r.bad || len(r.rest) > 0 {
		return n, errRecord
	}
	return n, nil
}

// endedKey is where a note about one session of a subject is kept, or about all if index is "". SubjectKeys are of one length.
func (sp *ServiceProvider) endedKey(domain, subject, index string) string {
	return stateKey(endedKind, sp.config.EntityID, domain, subject+trimSessionIndex(index))
}

// noteEnded remembers what a logout ends.
func (sp *ServiceProvider) noteEnded(ctx context.Context, d *departure, logout Logout) *Error {
	indexes := logout.SessionIndexes
	if len(indexes) == 0 || len(indexes) > maxEndedNotes {
		indexes = []string{""}
	}
	for _, index := range indexes {
		key := sp.endedKey(logout.Domain, logout.SubjectKey, index)
		if err := sp.keepNote(ctx, key, endedNote{d.instant, d.end().Add(d.skew)}); err != nil {
			return storeFailed(err)
		}
	}
	return nil
}

// keepNote adds a note to what is remembered of a session, if it says more: a logout that comes late takes nothing back.
func (sp *ServiceProvider) keepNote(ctx context.Context, key string, note endedNote) error {
	for range endedTries {
		value, found, err := sp.config.State.Get(ctx, key)
		if err != nil {
			return err
		}
		if found {
			before, err := unmarshalEnded(value)
			if err != nil || before.covers(note) {
				return err
			}
			note = note.and(before)
			if _, _, err := sp.config.State.Take(ctx, key); err != nil {
				return err
			}
		}
		if added, err := sp.config.State.Add(ctx, key, note.marshal(), sp.endedKeep()); err != nil || added {
			return err
		}
	}
	return errContended
}

var errContended = errors.New("saml: too many logouts of one session at the same moment")

// checkEnded refuses a login whose session the identity provider has ended already. It is asked when the login has spent what
// it spends, as late as can be.
func (sp *ServiceProvider) checkEnded(ctx context.Context, a *wire.Assertion, trust *LoginTrust, now time.Time) *Error {
	if sp.config.Sessions == nil || a.Identifier != wire.ByNameID {
		return nil
	}
	subject := subjectKey(sp.config.EntityID, trust.Domain, a.Issuer.Value, a.NameID)
	if refused := sp.checkNote(ctx, a, trust, subject, "", now); refused != nil {
		return refused
	}
	for _, st := range a.Authn { // wire bounds their number
		if trimSessionIndex(st.SessionIndex.Value) == "" {
			continue
		}
		if refused := sp.checkNote(ctx, a, trust, subject, st.SessionIndex.Value, now); refused != nil {
			return refused
		}
	}
	return nil
}

// checkNote: what was issued before the logout has ended with it. What names an ended session has too, for as long as the
// request counts; later an identity provider may use the name again. Looser than Core 3.7.3.1 where all sessions of a subject
// were ended: what was issued after that is a session of its own.
func (sp *ServiceProvider) checkNote(ctx context.Context, a *wire.Assertion, trust *LoginTrust, subject, index string, now time.Time) *Error {
	value, found, err := sp.config.State.Get(ctx, sp.endedKey(trust.Domain, subject, index))
	var note endedNote
	if err == nil && found {
		note, err = unmarshalEnded(value)
	}
	switch {
	case err != nil:
		return storeFailed(err)
	case !found, a.IssueInstant.After(note.issued) && (index == "" || !now.Before(note.until)):
		return nil
	}
	e := refuse(LoggedOut, "a session that was ended at "+stamp(note.issued), "one that lives")
	e.Spec = "SAML Core 3.7.3.1"
	return e
}
