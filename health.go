package saml

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"
)

// Health says what expires when: our own keys and metadata, and the keys of login trusts. It is plain data, for a page of
// the host, for monitoring, and for a mail to an administrator.
type Health struct {
	// At is the time that it was made for.
	At time.Time `json:"at"`
	// Severity is the gravest one of Items; HealthOK if there are none.
	Severity Severity `json:"severity"`
	// Items are what there is to say, the gravest first and among these what ends first.
	Items []HealthItem `json:"items"`
}

// A Severity says how soon somebody must act.
type Severity string

// Severities, from the least to the gravest.
const (
	// HealthOK: nothing is to be done.
	HealthOK Severity = "ok"
	// HealthNotice: it ends within ninety days, or is worth a look; plan for it.
	HealthNotice Severity = "notice"
	// HealthWarning: it ends within thirty days, or what has ended does not stop logins by itself; act.
	HealthWarning Severity = "warning"
	// HealthCritical: logins fail now, or will within seven days, at some identity provider or at all of them.
	HealthCritical Severity = "critical"
)

// A HealthKind says what an item is about.
type HealthKind string

// What can end.
const (
	// HealthSigningKey: the certificate of one of Config.SigningKeys.
	HealthSigningKey HealthKind = "signing_key"
	// HealthDecryptionKey: the certificate of one of Config.DecryptionKeys.
	HealthDecryptionKey HealthKind = "decryption_key"
	// HealthMetadata: our metadata, by MetadataOptions.ValidUntil.
	HealthMetadata HealthKind = "metadata"
	// HealthTrustKey: the certificate of a key of a login trust.
	HealthTrustKey HealthKind = "trust_key"
	// HealthTrustEncryptionKey: the certificate of the key that names are encrypted to; see LoginTrust.EncryptNameID.
	HealthTrustEncryptionKey HealthKind = "trust_encryption_key"
)

// A HealthItem is one thing that ends.
type HealthItem struct {
	Kind     HealthKind `json:"kind"`
	Severity Severity   `json:"severity"`
	// Domain is the login trust's, "" for what is ours.
	Domain string `json:"domain,omitempty"`
	// KeySHA256 and CertificateSHA256 name the key, as PublicKey.SHA256 and PublicKey.CertificateSHA256 do.
	KeySHA256         string `json:"keySHA256,omitempty"`
	CertificateSHA256 string `json:"certificateSHA256,omitempty"`
	// Ends is when it ends; zero if that cannot be read.
	Ends time.Time `json:"ends,omitzero"`
	// DaysLeft are the whole days until then, negative once it has passed: -1 on the first day. 0 without Ends.
	DaysLeft int `json:"daysLeft"`
	// Text says what ends, and what to do, in a sentence.
	Text string `json:"text"`
}

// How many days before an end it counts as what.
const (
	noticeDays   = 90
	warningDays  = 30
	criticalDays = 7
)

// Health says what ends when, at a time that is usually now: our signing and decryption keys' certificates, our metadata, and
// the certificates of keys of the trusts that the host passes. It asks nobody and takes no time. A bare key never ends.
//
// Certificates are only the wrapping of keys. Those of identity providers never refuse a login here; ours may do so at
// identity providers that look at dates, as ADFS does.
func (sp *ServiceProvider) Health(now time.Time, trusts ...LoginTrust) Health {
	h := Health{At: now.UTC(), Severity: HealthOK, Items: []HealthItem{}}
	for _, k := range sp.config.SigningKeys {
		h.own(HealthSigningKey, k.public(), k.PublishOnly)
	}
	for _, k := range sp.config.DecryptionKeys {
		if public, err := k.public(); err == nil {
			h.own(HealthDecryptionKey, withCertificate(public, k.Certificate), false)
		}
	}
	h.metadata(sp.config.Metadata.ValidUntil)
	for i := range trusts {
		h.trust(&trusts[i])
		h.encryption(&trusts[i])
	}
	slices.SortStableFunc(h.Items, func(a, b HealthItem) int {
		return cmp.Or(cmp.Compare(b.Severity.rank(), a.Severity.rank()), a.Ends.Compare(b.Ends))
	})
	if len(h.Items) > 0 {
		h.Severity = h.Items[0].Severity
	}
	return h
}

func (s Severity) rank() int {
	return slices.Index([]Severity{HealthOK, HealthNotice, HealthWarning, HealthCritical}, s)
}

// daysLeft rounds down: an hour after the end it is -1.
func (h *Health) daysLeft(end time.Time) int {
	return int(math.Floor(end.Sub(h.At).Hours() / 24))
}

// grade is how grave an end of ours is that has days left.
func grade(days int) Severity {
	switch {
	case days < criticalDays:
		return HealthCritical
	case days < warningDays:
		return HealthWarning
	case days < noticeDays:
		return HealthNotice
	}
	return HealthOK
}

func (h *Health) add(item HealthItem, key PublicKey, format string, args ...any) {
	item.Text = fmt.Sprintf(format, args...)
	item.KeySHA256, item.CertificateSHA256 = key.SHA256(), key.CertificateSHA256()
	if !item.Ends.IsZero() {
		item.Ends = item.Ends.UTC()
		item.DaysLeft = h.daysLeft(item.Ends)
	}
	h.Items = append(h.Items, item)
}

// ends writes when something ends, or ended.
func (h *Health) ends(end time.Time) string {
	if h.At.After(end) {
		return "expired on " + day(end)
	}
	return "expires on " + day(end)
}

// own is about a key of ours. One that only publishes hinders nobody.
func (h *Health) own(kind HealthKind, key PublicKey, publishOnly bool) {
	if key.certificate == nil {
		return
	}
	what := map[HealthKind]string{HealthSigningKey: "signing key", HealthDecryptionKey: "decryption key"}[kind]
	if key.notAfter.IsZero() {
		h.add(HealthItem{Kind: kind, Severity: HealthNotice}, key, "The certificate of our %s cannot be read beyond its key.", what)
		return
	}
	severity := grade(h.daysLeft(key.notAfter))
	text := "The certificate of our %s %s."
	switch {
	case publishOnly:
		severity = atMost(severity, HealthNotice)
		text = "The certificate of our %s, which is published only, %s."
	case severity != HealthOK:
		text += " Publish the next key, and give identity providers time to read it before it takes over."
	}
	h.add(HealthItem{Kind: kind, Severity: severity, Ends: key.notAfter}, key, text, what, h.ends(key.notAfter))
}

func (h *Health) metadata(until time.Time) {
	if until.IsZero() {
		return
	}
	severity := grade(h.daysLeft(until))
	text := "Our metadata %s."
	if severity != HealthOK {
		text += " Set a later Metadata.ValidUntil: identity providers refuse logins without valid metadata."
	}
	h.add(HealthItem{Kind: HealthMetadata, Severity: severity, Ends: until}, PublicKey{}, text, h.ends(until))
}

// trust is about the keys of an identity provider. Whatever their certificates say, logins go on here: what counts is that a
// rollover may be near. A key that lasts longer, or a trust that lets nobody in, makes it less pressing.
func (h *Health) trust(t *LoginTrust) {
	var last time.Time
	for _, k := range t.Keys {
		if k.notAfter.After(last) {
			last = k.notAfter
		}
	}
	for i, k := range t.Keys {
		if k.certificate == nil || slices.ContainsFunc(t.Keys[:i], k.sameWrapping) {
			continue
		}
		h.foreign(t, HealthTrustKey, "a key of", k, func(s Severity) (Severity, string) {
			switch {
			case s == HealthOK:
				return s, ""
			case k.notAfter.Before(last) && grade(h.daysLeft(last)) == HealthOK:
				return HealthNotice, " A newer key is there; remove this one once it is no longer used."
			}
			return s, " Logins go on; ask the identity provider for its next one."
		})
	}
}

// encryption is about the first of the keys that we encrypt to, the one that is used. That it has expired hinders us as little,
// but an identity provider that has put the key away opens nothing with it.
func (h *Health) encryption(t *LoginTrust) {
	if !t.EncryptNameID || len(t.EncryptionKeys) == 0 || t.EncryptionKeys[0].certificate == nil {
		return
	}
	h.foreign(t, HealthTrustEncryptionKey, "the key that we encrypt to for", t.EncryptionKeys[0], func(s Severity) (Severity, string) {
		if s == HealthOK {
			return s, ""
		}
		return s, " It stays in use; ask the identity provider for its next one, or logouts may not be understood."
	})
}

// foreign is about the certificate of a key of an identity provider. weigh says how grave it is, given how soon it ends, and
// what to do.
func (h *Health) foreign(t *LoginTrust, kind HealthKind, what string, k PublicKey, weigh func(Severity) (Severity, string)) {
	item := HealthItem{Kind: kind, Domain: t.Domain, Severity: HealthNotice, Ends: k.notAfter}
	if k.notAfter.IsZero() {
		h.add(item, k, "The certificate of %s %s cannot be read beyond its key.", what, quoted(t.Domain))
		return
	}
	severity, advice := weigh(atMost(grade(h.daysLeft(k.notAfter)), HealthWarning))
	if t.State != Active {
		severity = atMost(severity, HealthNotice)
	}
	item.Severity = severity
	h.add(item, k, "The certificate of %s %s %s.%s", what, quoted(t.Domain), h.ends(k.notAfter), advice)
}

func atMost(s, most Severity) Severity {
	if s.rank() > most.rank() {
		return most
	}
	return s
}
