package saml

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
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
var ErrSeveralIdPs = errors.New("saml: the metadata holds several identity providers; name one by its entity ID")

// TrustFromMetadata proposes a login trust from an identity provider's metadata: one EntityDescriptor, or an aggregate
// from which entityID picks one. entityID may be empty if there is only one identity provider. now is held against
// validUntil. Keys and endpoints come from the IDPSSODescriptor for SAML 2.0 alone.
//
// The trust is provisional: an administrator looks at it, activates and saves it. The metadata's own signature is not
// verified; whoever calls this vouches for where the metadata comes from.
func TrustFromMetadata(metadata []byte, entityID string, now time.Time) (LoginTrust, error) {
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
		key, err := keyFromMetadata(k)
		if err != nil {
			unread = err
			continue
		}
		if !slices.ContainsFunc(t.Keys, key.Equal) {
			t.Keys = append(t.Keys, key)
		}
	}
	if len(t.Keys) == 0 {
		return LoginTrust{}, fmt.Errorf("saml: the metadata of %s has no signing key that can be read: %w", quoted(t.Domain), errors.Join(unread))
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
