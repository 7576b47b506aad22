package saml

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/logintrust/saml/internal/compose"
	"github.com/logintrust/saml/internal/wire"
	"github.com/logintrust/saml/internal/xmlsec"
)

// A document is our metadata, made once, with its ETag.
type document struct {
	bytes []byte
	etag  string
}

const metadataCacheDuration = "P1D"

// describe makes the metadata. Its bytes depend on the configuration alone.
func (sp *ServiceProvider) describe() (document, error) {
	m := compose.SPMetadata{EntityID: sp.config.EntityID, CacheDuration: metadataCacheDuration, ACSURL: sp.config.ACSURL,
		SignsRequests: len(sp.config.SigningKeys) > 0}
	for _, k := range sp.config.SigningKeys {
		m.SigningKeys = append(m.SigningKeys, compose.MetadataKey{Certificate: k.Certificate, Key: k.Signer.Public()})
	}
	b, err := m.Document()
	if err != nil {
		return document{}, fmt.Errorf("saml: metadata: %w", err)
	}
	sum := sha256.Sum256(b)
	return document{bytes: b, etag: `"` + hex.EncodeToString(sum[:16]) + `"`}, nil
}

// Metadata is the SP metadata, an md:EntityDescriptor to give to identity providers. Its bytes stay the same as long as
// the configuration does.
func (sp *ServiceProvider) Metadata() []byte { return slices.Clone(sp.metadata.bytes) }

// ErrSeveralIdPs says that metadata holds more than one identity provider, and none was picked.
const ErrSeveralIdPs = sentinel("saml: the metadata holds several identity providers; name one by its entity ID")

// TrustFromMetadata proposes a login trust from an identity provider's metadata: one EntityDescriptor, or an aggregate
// from which entityID picks one. entityID may be empty if there is only one identity provider. now is held against
// validUntil. Keys and endpoints come from the IDPSSODescriptor for SAML 2.0 alone.
//
// The trust is provisional: an administrator looks at it, activates and saves it. The metadata's own signature is not
// verified; whoever calls this vouches for where the metadata comes from.
func TrustFromMetadata(metadata []byte, entityID string, now time.Time) (LoginTrust, error) {
	metadata, err := fromUTF16(metadata)
	if err != nil {
		return LoginTrust{}, err
	}
	u, err := xmlsec.Parse(metadata, xmlsec.MetadataLimits())
	if err != nil {
		return LoginTrust{}, fmt.Errorf("saml: metadata: %w", err)
	}
	idps, err := wire.ReadIdPs(u.Root(), func(id string) bool { return entityID == "" || id == entityID })
	if err != nil {
		return LoginTrust{}, fmt.Errorf("saml: metadata: %w", err)
	}
	switch {
	case len(idps) == 0 && entityID != "":
		return LoginTrust{}, fmt.Errorf("saml: the metadata holds no SAML 2.0 identity provider %s", quoted(entityID))
	case len(idps) == 0:
		return LoginTrust{}, errors.New("saml: the metadata holds no SAML 2.0 identity provider")
	case len(idps) > 1 && entityID == "":
		return LoginTrust{}, ErrSeveralIdPs
	case len(idps) > 1:
		return LoginTrust{}, fmt.Errorf("saml: the metadata describes %s more than once", quoted(entityID))
	}
	return trustFrom(idps[0], now)
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

func trustFrom(idp wire.IdP, now time.Time) (LoginTrust, error) {
	if !idp.ValidUntil.IsZero() && !now.Before(idp.ValidUntil) {
		return LoginTrust{}, fmt.Errorf("saml: the metadata expired at %s", stamp(idp.ValidUntil))
	}
	t := LoginTrust{Domain: idp.EntityID, Description: description(idp), SAML: true, WantRequestsSigned: idp.WantSignedRequests}
	if checkURL(idp.ErrorURL) == nil {
		t.ErrorURL = idp.ErrorURL
	}
	plain := false // an endpoint without TLS: no login starts there, but the identity provider may begin
	for _, e := range idp.SSO {
		if checkURL(e.Location) != nil {
			plain = plain || strings.HasPrefix(e.Location, "http://")
			continue
		}
		switch {
		case e.Binding == wire.BindingRedirect && t.LoginURL == "":
			t.LoginURL = e.Location
		case e.Binding == wire.BindingPOST && t.LoginPostURL == "":
			t.LoginPostURL = e.Location
		}
	}
	var unread error
	for _, k := range idp.Keys {
		if len(t.Keys) > maxPinnedKeys {
			break // Check says what is wrong
		}
		keys, err := keysFromMetadata(k)
		if err != nil {
			unread = err
		}
		for _, key := range keys {
			// Two certificates for one key are two wrappings, of which an administrator may know either.
			if !slices.ContainsFunc(t.Keys, func(k PublicKey) bool { return k.Equal(key) && bytes.Equal(k.certificate, key.certificate) }) {
				t.Keys = append(t.Keys, key)
			}
		}
	}
	if len(t.Keys) == 0 {
		none := fmt.Errorf("saml: the metadata of %s has no signing key that can be read", quoted(t.Domain))
		if unread != nil {
			none = fmt.Errorf("%w: %w", none, unread)
		}
		return LoginTrust{}, none
	}
	if t.LoginURL == "" && t.LoginPostURL == "" && !plain {
		return LoginTrust{}, fmt.Errorf("saml: the metadata of %s has no https endpoint for HTTP-Redirect or HTTP-POST", quoted(t.Domain))
	}
	if err := t.Check(); err != nil {
		return LoginTrust{}, err
	}
	return t, nil
}

// description is the name that users see, cut to what fits.
func description(idp wire.IdP) string {
	name := strings.Join(strings.Fields(idp.DisplayName), " ")
	if name == "" {
		name = idp.EntityID
	}
	for utf8.RuneCountInString(name) > maxShortText {
		_, size := utf8.DecodeLastRuneInString(name)
		name = name[:len(name)-size]
	}
	return name
}
