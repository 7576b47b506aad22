package saml

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"slices"
	"strings"

	"github.com/logintrust/saml/internal/wire"
)

// A LoginSession is what a host keeps of a login, beside its own session, so that it can be logged out: plain data with a
// stable JSON form. Login.Session makes it.
type LoginSession struct {
	// Domain is the login trust.
	Domain string `json:"domain"`
	// SubjectKey stands for whom the identity provider logged in: a hash, safe to store and to log, by which a host finds the
	// sessions that a Logout names. Unlike Subject.AccountKey there is one for a transient NameID too. "" without NameID.
	SubjectKey string `json:"subjectKey,omitempty"`
	// NameID is as it was sent, with what it left out left out, since products compare it octet for octet with what comes back
	// (SAML Core 3.3.4).
	NameID NameID `json:"nameID,omitzero"`
	// SessionIndexes are the identity provider's names for the session: as a rule one, or none. A logout by any of them ends it.
	SessionIndexes []string `json:"sessionIndexes,omitempty"`
}

// Session is what to keep of the login in the host's own session: StartLogout wants it back, and Config.Sessions finds the
// session by its SubjectKey and SessionIndexes.
func (l *Login) Session() LoginSession {
	s := LoginSession{Domain: l.Trust().Domain, SessionIndexes: l.SessionIndexes()}
	w := l.data()
	if w.Identifier != wire.ByNameID || l.Assertion == nil {
		return s
	}
	s.NameID = NameID(w.NameID)
	s.SubjectKey = subjectKey(l.spEntityID, s.Domain, w.Issuer.Value, w.NameID)
	return s
}

// subjectKey is a hash over the trust, the issuer and the NameID. A qualifier that is left out stands for the identity provider
// and for us (SAML Core 8.3.7 and 8.3.8), in every format: an issuer that writes them once means nobody else by leaving them
// out. SPProvidedID does not count: it is our own alias of the same name.
func subjectKey(sp, domain, issuer string, n wire.NameID) string {
	if strings.TrimSpace(n.Value) == "" {
		return ""
	}
	var b []byte
	for _, part := range [...]string{domain, issuer, cmp.Or(n.Format, NameIDUnspecified), cmp.Or(n.NameQualifier, issuer),
		cmp.Or(n.SPNameQualifier, sp), n.Value} {
		b = binary.AppendUvarint(b, uint64(len(part)))
		b = append(b, part...)
	}
	sum := sha256.Sum256(b)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// A Logout names the sessions that an identity provider ends: those of one subject, all of them or those of the
// SessionIndexes.
type Logout struct {
	// Domain is the login trust whose sessions these are; another's never end.
	Domain string
	// SubjectKey is that of LoginSession.
	SubjectKey string
	// SessionIndexes names sessions by any of theirs. Empty means all of the subject, those without SessionIndexes among them
	// (SAML Core 3.7.3.1).
	SessionIndexes []string
	// NameID is as the request has it: for hosts that look people up by it. What is compared is SubjectKey.
	NameID NameID
}

// Ends reports whether a session is among those that end.
func (l Logout) Ends(s LoginSession) bool {
	return s.SubjectKey != "" && s.SubjectKey == l.SubjectKey && s.Domain == l.Domain &&
		(len(l.SessionIndexes) == 0 || slices.ContainsFunc(s.SessionIndexes, l.names))
}

func (l *Logout) names(index string) bool {
	index = trimSessionIndex(index)
	return index != "" && slices.Contains(l.SessionIndexes, index)
}

// Sessions ends sessions of the application: the host's, which keeps with each of them what Login.Session gave.
type Sessions interface {
	// EndSessions ends the sessions that logout names (see Logout.Ends), wherever their browsers are, and says how many there
	// were. No such session is 0 and no error: it has ended already. On an error the identity provider is told that logout
	// failed; ended is then how many did end. It is called concurrently, and no cookie comes with the call.
	EndSessions(ctx context.Context, logout Logout) (ended int, err error)
}

// trimSessionIndex is an index as requests name it: there it is the text of an element, around which white space may stand.
func trimSessionIndex(index string) string { return strings.Trim(index, " \t\r\n") }
