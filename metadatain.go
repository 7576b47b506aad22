package saml

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/logintrust/saml/internal/wire"
	"github.com/logintrust/saml/internal/xmlsec"
)

// ImportOptions say which identity provider of a metadata document is meant, and who must vouch for it. The zero value
// takes the only one there is, and whoever calls vouches for where the document comes from.
type ImportOptions struct {
	// EntityID picks an identity provider; it may be empty if there is only one.
	EntityID string
	// Keys, if there are any, are those of a federation or another source: one of them must have signed the root of the
	// document, and nothing is read but what it signed. A key inside the document counts for nothing.
	Keys []PublicKey
	// MaxValidity, if not 0, refuses metadata that has no validUntil, or one further ahead: who signs for ever lets an old
	// document be served for ever.
	MaxValidity time.Duration
	// LogoutURL also proposes the place for logout by HTTP-Redirect as LoginTrust.LogoutURL.
	LogoutURL bool

	// AllowSignedEntity takes an aggregate whose root is not signed, if the picked entity is. Whoever delivers the document
	// can then leave out entities, and serve an older description of one; what stands around it can only shorten its validity.
	AllowSignedEntity bool
	// AllowSHA1, AllowRSA1024 and AllowInclusiveC14NReference are for the signature by Keys, and open what the fields of
	// LoginTrust with these names do: here a forged identity provider.
	AllowSHA1, AllowRSA1024, AllowInclusiveC14NReference bool
}

// An importable is one identity provider of a metadata document.
type importable struct {
	wire.IdP
	verified bool // by one of ImportOptions.Keys
}

// read returns the identity providers in metadata for which want says yes. Those that are not verified although there
// are Keys must go through verify before anything else is read of them.
func (o ImportOptions) read(metadata []byte, want func(entityID string) bool, now time.Time) (*xmlsec.Unverified, []importable, error) {
	if now.IsZero() {
		return nil, nil, errors.New("saml: metadata is held against a time, usually time.Now(), and there is none")
	}
	metadata, err := fromUTF16(metadata)
	if err != nil {
		return nil, nil, err
	}
	u, err := xmlsec.Parse(metadata, xmlsec.MetadataLimits())
	if err != nil {
		return nil, nil, fmt.Errorf("saml: metadata: %w", err)
	}
	root, verified, err := o.root(u)
	if err != nil {
		return nil, nil, fmt.Errorf("saml: metadata: %w", err)
	}
	if verified || len(o.Keys) == 0 {
		if err := o.checkValidity(root, now); err != nil {
			return nil, nil, err
		}
	}
	idps, err := wire.ReadIdPs(root, want)
	if err != nil {
		return nil, nil, fmt.Errorf("saml: metadata: %w", err)
	}
	list := make([]importable, len(idps))
	for i, idp := range idps {
		list[i] = importable{idp, verified}
	}
	return u, list, nil
}

// root is the root of what may be read: what a key signed, or all of it if there is no key. The signature stands where the
// schema has it, first in the root (SAML Metadata 2.3.1, 2.3.2).
func (o ImportOptions) root(u *xmlsec.Unverified) (root xmlsec.Element, verified bool, err error) {
	root = u.Root()
	switch {
	case len(o.Keys) == 0:
		return root, false, nil
	case root.First().Is(wire.SignatureNS, "Signature"):
		signed, err := u.Verify(root, appendPinned(nil, o.Keys), o.policy())
		return signed.Root(), err == nil, err
	case o.AllowSignedEntity && root.Is(wire.MetadataNS, "EntitiesDescriptor") && !root.HasSignature():
		return root, false, nil
	}
	return xmlsec.Element{}, false, errors.New("the document does not begin with a signature over all of it")
}

// verify makes sure that a picked identity provider is read from signed octets, if there are Keys.
func (o ImportOptions) verify(u *xmlsec.Unverified, idp importable, now time.Time) (importable, error) {
	if idp.verified || len(o.Keys) == 0 {
		return idp, nil
	}
	if !idp.Descriptor.First().Is(wire.SignatureNS, "Signature") {
		return importable{}, fmt.Errorf("saml: metadata: neither the document nor the entity %s begins with a signature over all of it", quoted(idp.EntityID))
	}
	signed, err := u.Verify(idp.Descriptor, appendPinned(nil, o.Keys), o.policy())
	if err != nil {
		return importable{}, fmt.Errorf("saml: metadata: %w", err)
	}
	if err := o.checkValidity(signed.Root(), now); err != nil {
		return importable{}, err
	}
	read, err := wire.ReadIdPs(signed.Root(), func(id string) bool { return id == idp.EntityID })
	if err != nil || len(read) != 1 {
		return importable{}, errors.New("saml: metadata: what is signed is not the entity that was picked")
	}
	// What stands around may shorten, although nobody signed it.
	if outer := idp.ValidUntil; !outer.IsZero() && (read[0].ValidUntil.IsZero() || outer.Before(read[0].ValidUntil)) {
		read[0].ValidUntil = outer
	}
	if outer := idp.CacheDuration; outer != 0 && (read[0].CacheDuration == 0 || outer < read[0].CacheDuration) {
		read[0].CacheDuration = outer
	}
	return importable{read[0], true}, nil
}

func (o ImportOptions) policy() xmlsec.Policy {
	return xmlsec.Policy{AllowSHA1: o.AllowSHA1, AllowRSA1024: o.AllowRSA1024, AllowInclusiveReference: o.AllowInclusiveC14NReference}
}

// checkValidity holds the validUntil of what is signed, or of the root, against MaxValidity.
func (o ImportOptions) checkValidity(e xmlsec.Element, now time.Time) error {
	if o.MaxValidity == 0 {
		return nil
	}
	value, found := e.Attr("validUntil")
	until, ok := wire.ParseTime([]byte(value))
	switch {
	case !found || !ok:
		return errors.New("saml: the metadata has no validUntil, which is required of it")
	case until.After(now.Add(o.MaxValidity)):
		return fmt.Errorf("saml: the metadata is valid until %s, which is further ahead than %v", stamp(until), o.MaxValidity)
	}
	return nil
}

// fromUTF16 turns UTF-16 with a byte order mark, as some tools export metadata, into UTF-8. Text that somebody converted
// on the way may still say that it is UTF-16; what it says of itself goes in both cases.
func fromUTF16(b []byte) ([]byte, error) {
	var order binary.ByteOrder
	switch {
	case bytes.HasPrefix(b, []byte{0xff, 0xfe}):
		order = binary.LittleEndian
	case bytes.HasPrefix(b, []byte{0xfe, 0xff}):
		order = binary.BigEndian
	case declaresUTF16(b):
		return withoutDeclaration(b), nil
	default:
		return b, nil
	}
	if len(b)%2 != 0 || len(b) > xmlsec.MaxMetadataBytes {
		return nil, errors.New("saml: metadata: UTF-16 that is cut or too long")
	}
	out := make([]byte, 0, len(b))
	for i := 2; i < len(b); i += 2 {
		c := rune(order.Uint16(b[i:]))
		if utf16.IsSurrogate(c) {
			low := rune(-1)
			if i += 2; i < len(b) {
				low = rune(order.Uint16(b[i:]))
			}
			if c = utf16.DecodeRune(c, low); c == utf8.RuneError {
				return nil, errors.New("saml: metadata: not UTF-16")
			}
		}
		out = utf8.AppendRune(out, c)
	}
	return withoutDeclaration(out), nil
}

func declaresUTF16(b []byte) bool {
	b = bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))
	end := bytes.Index(b, []byte("?>"))
	return bytes.HasPrefix(b, []byte("<?xml ")) && end >= 0 && bytes.Contains(bytes.ToLower(b[:end]), []byte("utf-16"))
}

func withoutDeclaration(b []byte) []byte {
	b = bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))
	if bytes.HasPrefix(b, []byte("<?xml ")) {
		if end := bytes.Index(b, []byte("?>")); end >= 0 {
			return b[end+2:]
		}
	}
	return b
}
