package saml

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A DifferenceKind says what a Difference would do.
type DifferenceKind string

// What metadata may have changed. Options that an administrator sets by hand are not among it.
const (
	// AddKey pins a key that the metadata has and the trust has not.
	AddKey DifferenceKind = "add_key"
	// RenewCertificate puts the metadata's certificate in the place of the trust's, for the same key: logins do not change.
	RenewCertificate DifferenceKind = "renew_certificate"
	// RemoveKey drops a key that the metadata no longer has: messages signed with it are refused from then on.
	RemoveKey DifferenceKind = "remove_key"
	// AddEncryptionKey, RenewEncryptionCertificate and RemoveEncryptionKey do the same to LoginTrust.EncryptionKeys. No login
	// depends on them.
	AddEncryptionKey           DifferenceKind = "add_encryption_key"
	RenewEncryptionCertificate DifferenceKind = "renew_encryption_certificate"
	RemoveEncryptionKey        DifferenceKind = "remove_encryption_key"
	// These put the metadata's value in the place of the field with that name. ChangeWantRequestsSigned needs SigningKeys in
	// the Config, or no login starts.
	ChangeLoginURL           DifferenceKind = "change_login_url"
	ChangeLoginPostURL       DifferenceKind = "change_login_post_url"
	ChangeLogoutURL          DifferenceKind = "change_logout_url"
	ChangeSLOURL             DifferenceKind = "change_slo_url"
	ChangeSLOPostURL         DifferenceKind = "change_slo_post_url"
	ChangeSLOResponseURL     DifferenceKind = "change_slo_response_url"
	ChangeSLOPostResponseURL DifferenceKind = "change_slo_post_response_url"
	ChangeSLOSOAPURL         DifferenceKind = "change_slo_soap_url"
	ChangeNameIDURL          DifferenceKind = "change_name_id_url"
	ChangeNameIDPostURL      DifferenceKind = "change_name_id_post_url"
	ChangeErrorURL           DifferenceKind = "change_error_url"
	ChangeWantRequestsSigned DifferenceKind = "change_want_requests_signed"
	ChangeScopes             DifferenceKind = "change_scopes"
	ChangeArtifactServices   DifferenceKind = "change_artifact_services"
	ChangeSigningMethods     DifferenceKind = "change_signing_methods"
	ChangeDigestMethods      DifferenceKind = "change_digest_methods"
	ChangeEncryptionMethods  DifferenceKind = "change_encryption_methods"
)

// A Difference is one decision for an administrator: what the trust has, what the metadata has, side by side.
type Difference struct {
	Kind DifferenceKind `json:"kind"`
	// Have and Want are the texts of a field; of a key, its SHA256.
	Have string `json:"have,omitempty"`
	Want string `json:"want,omitempty"`
	// OldKey is the key that the trust has, NewKey the one that the metadata has; for AddKey and RemoveKey one of them is nil.
	OldKey *PublicKey `json:"oldKey,omitempty"`
	NewKey *PublicKey `json:"newKey,omitempty"`
}

// ErrOtherEntity says that metadata describes another identity provider than the trust is for.
const ErrOtherEntity = sentinel("saml: the metadata is of another identity provider")

// Compare lists what the metadata behind a proposal would change in a trust, each a decision of its own: keys to add, renewed
// certificates, then fields, then keys to remove. None says that nothing needs saving. Keys are the same if their
// SubjectPublicKeyInfo is, whatever certificate they are in. A proposal for another entity ID is ErrOtherEntity.
//
// In a rollover nothing interrupts logins: new keys are added beside the old ones, which stay until somebody removes them.
func (t *LoginTrust) Compare(p Proposal) ([]Difference, error) {
	want := &p.Trust
	if t.Domain != want.Domain {
		err := fmt.Errorf("%w: %s, not %s", ErrOtherEntity, quoted(want.Domain), quoted(t.Domain))
		if strings.EqualFold(strings.TrimRight(t.Domain, "/"), strings.TrimRight(want.Domain, "/")) {
			err = fmt.Errorf("%w; they differ by a slash or by capital letters only, which counts", err)
		}
		return nil, err
	}
	if len(want.Keys) == 0 {
		return nil, errors.New("saml: a proposal without keys")
	}
	added, renewed, removed := compareKeys(signatureKeys, t.Keys, want.Keys)
	list := append(added, renewed...)
	added, renewed, removedToo := compareKeys(encryptionKeys, t.EncryptionKeys, want.EncryptionKeys)
	list, removed = slices.Concat(list, added, renewed), append(removed, removedToo...)
	field := func(kind DifferenceKind, have, want string) {
		if have != want {
			list = append(list, Difference{Kind: kind, Have: have, Want: want})
		}
	}
	field(ChangeLoginURL, t.LoginURL, want.LoginURL)
	field(ChangeLoginPostURL, t.LoginPostURL, want.LoginPostURL)
	if want.LogoutURL != "" { // which an import proposes only if asked
		field(ChangeLogoutURL, t.LogoutURL, want.LogoutURL)
	}
	field(ChangeSLOURL, t.SLOURL, want.SLOURL)
	field(ChangeSLOPostURL, t.SLOPostURL, want.SLOPostURL)
	field(ChangeSLOResponseURL, t.SLOResponseURL, want.SLOResponseURL)
	field(ChangeSLOPostResponseURL, t.SLOPostResponseURL, want.SLOPostResponseURL)
	field(ChangeSLOSOAPURL, t.SLOSOAPURL, want.SLOSOAPURL)
	field(ChangeNameIDURL, t.NameIDURL, want.NameIDURL)
	field(ChangeNameIDPostURL, t.NameIDPostURL, want.NameIDPostURL)
	field(ChangeArtifactServices, serviceList(t.ArtifactServices), serviceList(want.ArtifactServices))
	if want.ErrorURL != "" {
		field(ChangeErrorURL, t.ErrorURL, want.ErrorURL)
	}
	field(ChangeWantRequestsSigned, fmt.Sprint(t.WantRequestsSigned), fmt.Sprint(want.WantRequestsSigned))
	field(ChangeSigningMethods, methodList(t.SigningMethods), methodList(want.SigningMethods))
	field(ChangeDigestMethods, strings.Join(t.DigestMethods, " "), strings.Join(want.DigestMethods, " "))
	field(ChangeEncryptionMethods, strings.Join(t.EncryptionMethods, " "), strings.Join(want.EncryptionMethods, " "))
	if p.Verified && len(want.Scopes) > 0 {
		field(ChangeScopes, scopeList(t.Scopes), scopeList(want.Scopes))
	}
	return append(list, removed...), nil
}

func scopeList(scopes []string) string {
	return strings.Join(slices.Sorted(slices.Values(scopes)), " ")
}

// keyKinds are what may become of the keys of one field.
type keyKinds struct{ add, renew, remove DifferenceKind }

var (
	signatureKeys  = keyKinds{AddKey, RenewCertificate, RemoveKey}
	encryptionKeys = keyKinds{AddEncryptionKey, RenewEncryptionCertificate, RemoveEncryptionKey}
)

// compareKeys pairs the wrappings of each key: one that only the metadata has renews one that only the trust has.
func compareKeys(kinds keyKinds, have, want []PublicKey) (added, renewed, removed []Difference) {
	contains := func(list []PublicKey, key PublicKey) bool { return slices.ContainsFunc(list, key.Equal) }
	wrapped := func(list []PublicKey, key PublicKey) bool { return slices.ContainsFunc(list, key.sameWrapping) }
	var taken []PublicKey // of have, by a renewal
	for _, key := range want {
		if !contains(have, key) {
			if !slices.ContainsFunc(added, func(d Difference) bool { return d.NewKey.Equal(key) }) {
				added = append(added, Difference{Kind: kinds.add, Want: key.SHA256(), NewKey: &key})
			}
			continue
		}
		if key.certificate == nil || wrapped(have, key) {
			continue
		}
		for _, old := range have {
			if old.Equal(key) && !wrapped(want, old) && !wrapped(taken, old) {
				taken = append(taken, old)
				renewed = append(renewed, Difference{Kind: kinds.renew, Have: old.SHA256(), Want: key.SHA256(), OldKey: &old, NewKey: &key})
				break
			}
		}
	}
	for _, key := range have {
		if !contains(want, key) {
			removed = append(removed, Difference{Kind: kinds.remove, Have: key.SHA256(), OldKey: &key})
		}
	}
	return added, renewed, removed
}

func (k PublicKey) sameWrapping(other PublicKey) bool {
	return k.Equal(other) && bytes.Equal(k.certificate, other.certificate)
}

// serviceList writes each service as its index and its URL, in the order of the indexes.
func serviceList(services []ArtifactService) string {
	services = slices.SortedStableFunc(slices.Values(services), func(a, b ArtifactService) int { return cmp.Compare(a.Index, b.Index) })
	var words []string
	for _, s := range services {
		words = append(words, strconv.Itoa(int(s.Index)), s.URL)
	}
	return strings.Join(words, " ")
}

func readServiceList(text string) (services []ArtifactService, err error) {
	for pair := range slices.Chunk(strings.Fields(text), 2) {
		index, err := strconv.ParseUint(pair[0], 10, 16)
		if err != nil || len(pair) < 2 {
			return nil, fmt.Errorf("saml: no list of artifact services: %.64q", text)
		}
		services = append(services, ArtifactService{uint16(index), pair[1]})
	}
	return services, nil
}

// ID names a decision in a form: it is the same whenever the same trust is compared with the same metadata, and another one
// if what it is about has changed.
func (d Difference) ID() string {
	parts := []string{string(d.Kind), d.Have, d.Want}
	for _, key := range []*PublicKey{d.OldKey, d.NewKey} {
		if key != nil {
			parts = append(parts, key.CertificateSHA256())
		}
	}
	return hexSum([]byte(fmt.Sprintf("%q", parts)))[:32]
}

// String writes the decision as a line of a log: its kind, what the trust has, what the metadata has.
func (d Difference) String() string {
	have, want := inWords(d.Have), inWords(d.Want)
	if d.OldKey != nil {
		have = d.OldKey.String()
	}
	if d.NewKey != nil {
		want = d.NewKey.String()
	}
	return Change{string(d.Kind), have, want}.String()
}

// Apply returns a copy of the trust with this one decision carried out, for the host to save; t itself stays as it is. It
// refuses what no longer fits the trust, a ninth key, and what would leave a trust without any key or place to sign in.
func (d Difference) Apply(t LoginTrust) (LoginTrust, error) {
	var err error
	switch d.Kind {
	case AddKey, RenewCertificate, RemoveKey:
		t.Keys, err = d.applyKey(signatureKeys, slices.Clone(t.Keys))
	case AddEncryptionKey, RenewEncryptionCertificate, RemoveEncryptionKey:
		t.EncryptionKeys, err = d.applyKey(encryptionKeys, slices.Clone(t.EncryptionKeys))
	case ChangeWantRequestsSigned:
		if fmt.Sprint(t.WantRequestsSigned) != d.Have {
			err = errStale
		}
		t.WantRequestsSigned = d.Want == "true"
	case ChangeScopes:
		if scopeList(t.Scopes) != d.Have {
			err = errStale
		}
		t.Scopes = strings.Fields(d.Want)
	case ChangeArtifactServices:
		if serviceList(t.ArtifactServices) != d.Have {
			err = errStale
			break
		}
		t.ArtifactServices, err = readServiceList(d.Want)
	case ChangeSigningMethods:
		if methodList(t.SigningMethods) != d.Have {
			err = errStale
		}
		t.SigningMethods = readMethodList(d.Want)
	case ChangeEncryptionMethods:
		if strings.Join(t.EncryptionMethods, " ") != d.Have {
			err = errStale
		}
		t.EncryptionMethods = strings.Fields(d.Want)
	case ChangeDigestMethods:
		if strings.Join(t.DigestMethods, " ") != d.Have {
			err = errStale
		}
		t.DigestMethods = strings.Fields(d.Want)
	default:
		err = d.applyURL(&t)
	}
	if err == nil {
		err = t.Check()
	}
	if err != nil {
		return LoginTrust{}, err
	}
	return t, nil
}

const errStale = sentinel("saml: the login trust has changed since it was compared; compare again")

func (d Difference) applyURL(t *LoginTrust) error {
	field := map[DifferenceKind]*string{ChangeLoginURL: &t.LoginURL, ChangeLoginPostURL: &t.LoginPostURL,
		ChangeLogoutURL: &t.LogoutURL, ChangeSLOURL: &t.SLOURL, ChangeSLOPostURL: &t.SLOPostURL, ChangeSLOResponseURL: &t.SLOResponseURL,
		ChangeSLOPostResponseURL: &t.SLOPostResponseURL, ChangeSLOSOAPURL: &t.SLOSOAPURL, ChangeNameIDURL: &t.NameIDURL,
		ChangeNameIDPostURL: &t.NameIDPostURL, ChangeErrorURL: &t.ErrorURL}[d.Kind]
	switch {
	case field == nil:
		return fmt.Errorf("saml: unknown difference %.64q", string(d.Kind))
	case *field != d.Have:
		return errStale
	}
	*field = d.Want
	if d.Want == "" && t.LoginURL == "" && t.LoginPostURL == "" {
		return errors.New("saml: this is the last place to sign in; put the new one in first")
	}
	return nil
}

func (d Difference) applyKey(kinds keyKinds, keys []PublicKey) ([]PublicKey, error) {
	switch {
	case d.Kind == kinds.add && d.NewKey != nil && d.NewKey.key != nil:
		switch {
		case slices.ContainsFunc(keys, d.NewKey.Equal):
			return nil, errStale
		case len(keys) >= maxPinnedKeys:
			return nil, fmt.Errorf("saml: a login trust holds at most %d keys; remove one that is no longer used first", maxPinnedKeys)
		}
		return append(keys, *d.NewKey), nil
	case d.Kind == kinds.renew && d.OldKey != nil && d.NewKey != nil && d.OldKey.key != nil && d.OldKey.Equal(*d.NewKey):
		i := slices.IndexFunc(keys, d.OldKey.sameWrapping)
		if i < 0 {
			return nil, errStale
		}
		keys[i] = *d.NewKey
		return keys, nil
	case d.Kind == kinds.remove && d.OldKey != nil:
		i := slices.IndexFunc(keys, d.OldKey.sameWrapping)
		if i < 0 {
			return nil, errStale
		}
		if kinds == signatureKeys && !slices.ContainsFunc(keys, func(k PublicKey) bool { return !k.Equal(*d.OldKey) }) {
			return nil, errors.New("saml: this is the last key; add the new one first")
		}
		return slices.Delete(keys, i, i+1), nil
	}
	return nil, errors.New("saml: a difference without its key")
}
