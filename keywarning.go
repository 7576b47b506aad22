package saml

import (
	"crypto/rsa"
	"fmt"
	"time"
)

// A KeyWarningCode says what sort of thing an administrator should know of a key.
type KeyWarningCode string

// What there is to say of a key. None of it refuses a login, except that a weak key needs LoginTrust.AllowRSA1024.
const (
	// KeyExpired: the certificate has expired; the identity provider may be about to replace the key, or may have.
	KeyExpired KeyWarningCode = "expired"
	// KeyNotYetValid: the certificate is not valid yet.
	KeyNotYetValid KeyWarningCode = "not_yet_valid"
	// KeyExpiresSoon: the certificate expires within the time that was asked for.
	KeyExpiresSoon KeyWarningCode = "expires_soon"
	// KeyDatesUnreadable: the certificate cannot be read beyond its key, so nobody can say when it expires.
	KeyDatesUnreadable KeyWarningCode = "dates_unreadable"
	// KeyWeak: an RSA key of less than 2048 bits, which is refused at login unless the trust allows it.
	KeyWeak KeyWarningCode = "weak_key"
)

// A KeyWarning is something that an administrator should know of a key: a code for programs, a sentence for people.
type KeyWarning struct {
	Code KeyWarningCode `json:"code"`
	Text string         `json:"text"`
}

// minRSABits is what a login demands without LoginTrust.AllowRSA1024.
const minRSABits = 2048

// maxRSABits is the longest key that is pinned.
const maxRSABits = 8192

// Warnings lists what an administrator should know of the key at that time; soon is how long before its certificate
// expires that begins to count, 0 for not before. A certificate is only the wrapping of a key: that it is signed by
// itself, or by nobody known, is no warning.
func (k PublicKey) Warnings(now time.Time, soon time.Duration) []KeyWarning {
	var list []KeyWarning
	warn := func(code KeyWarningCode, format string, args ...any) {
		list = append(list, KeyWarning{code, fmt.Sprintf(format, args...)})
	}
	switch {
	case k.certificate == nil: // a bare key has no dates
	case k.notAfter.IsZero():
		warn(KeyDatesUnreadable, "The certificate cannot be read beyond its key, so it is not known when it expires.")
	case now.After(k.notAfter):
		warn(KeyExpired, "The certificate expired on %s. Logins go on; ask the identity provider for its new one.", day(k.notAfter))
	case now.Before(k.notBefore):
		warn(KeyNotYetValid, "The certificate is valid from %s only. Logins by it are accepted now.", day(k.notBefore))
	case k.notAfter.Sub(now) <= soon && soon > 0:
		warn(KeyExpiresSoon, "The certificate expires on %s. Ask the identity provider for its next one.", day(k.notAfter))
	}
	if key, ok := k.key.(*rsa.PublicKey); ok && key.N.BitLen() < minRSABits {
		warn(KeyWeak, "The RSA key has %d bits; fewer than %d are refused at login unless the trust allows it.", key.N.BitLen(), minRSABits)
	}
	return list
}

func day(t time.Time) string { return t.UTC().Format("2 January 2006") }
