package saml

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/logintrust/saml/internal/compose"
)

// A document is our metadata, made once, with its ETag.
type document struct {
	bytes []byte
	etag  string
}

// describe makes the metadata. Its bytes depend on the configuration alone.
func (sp *ServiceProvider) describe() (document, error) {
	o := &sp.config.Metadata
	m := compose.SPMetadata{EntityID: sp.config.EntityID, CacheDuration: cacheDuration(o.CacheDuration), ValidUntil: o.ValidUntil,
		ACSURL: sp.config.ACSURL, SignsRequests: len(sp.config.signers()) > 0, NameIDFormats: o.NameIDFormats, UI: o.UI.elements()}
	m.ByArtifact, m.ByPAOS = sp.config.Artifacts != nil, sp.config.ECP
	if sp.config.DiscoveryURL != "" {
		m.DiscoveryURL = sp.config.LoginURL
	}
	if !o.OmitAlgorithms {
		m.Digests, m.Methods = sp.config.supported()
	}
	if sp.config.Sessions != nil {
		m.LogoutURL, m.LogoutBySOAP = sp.config.LogoutURL, o.LogoutBySOAP
	}
	if sp.config.NameIDs != nil {
		m.NameIDURL = sp.config.NameIDURL
	}
	for _, k := range sp.config.SigningKeys {
		m.SigningKeys = append(m.SigningKeys, compose.MetadataKey{Certificate: k.Certificate, Key: k.Signer.Public()})
	}
	for _, k := range sp.config.DecryptionKeys {
		public, err := k.public()
		if err != nil {
			return document{}, fmt.Errorf("saml: metadata: %w", err)
		}
		m.EncryptionKeys = append(m.EncryptionKeys, compose.MetadataKey{Certificate: k.Certificate, Key: public})
	}
	if org := o.Organization; !org.isZero() {
		m.Organization = &compose.Organization{Names: localized(org.Names), DisplayNames: localized(org.DisplayNames), URLs: localized(org.URLs)}
	}
	for _, c := range o.Contacts {
		m.Contacts = append(m.Contacts, c.element())
	}
	for _, s := range o.Services {
		service := compose.AttributeService{Names: localized(s.Names), Descriptions: localized(s.Descriptions)}
		for _, a := range s.Attributes {
			service.Attributes = append(service.Attributes, compose.RequestedAttribute(a))
		}
		m.Services = append(m.Services, service)
	}
	var key *compose.SigningKey
	if o.Sign {
		var err error
		if key, err = sp.config.defaultSigning(sp.config.signers()[0]); err != nil {
			return document{}, err
		}
	}
	b, err := m.Document(key)
	if err != nil {
		return document{}, fmt.Errorf("saml: metadata: %w", err)
	}
	sum := sha256.Sum256(b)
	return document{bytes: b, etag: `"` + hex.EncodeToString(sum[:16]) + `"`}, nil
}

// Metadata is the SP metadata, an md:EntityDescriptor to give to identity providers: as a block of text, as the file that
// {MetadataURL}?download is, or by MetadataURL, the same bytes each time. They stay the same as long as the configuration
// does, and need no login trust.
func (sp *ServiceProvider) Metadata() []byte { return slices.Clone(sp.metadata.bytes) }

// localized has the languages in their order, so that the bytes are stable.
func localized(texts map[string]string) (list []compose.Localized) {
	for _, lang := range slices.Sorted(maps.Keys(texts)) {
		list = append(list, compose.Localized{Lang: lang, Value: texts[lang]})
	}
	return list
}

func (u UIInfo) elements() (list []compose.UIElement) {
	for _, part := range []struct {
		name  string
		texts map[string]string
	}{{"DisplayName", u.DisplayNames}, {"Description", u.Descriptions}} {
		for _, text := range localized(part.texts) {
			list = append(list, compose.UIElement{Name: part.name, Localized: text})
		}
	}
	for _, l := range u.Logos {
		list = append(list, compose.UIElement{Name: "Logo", Localized: compose.Localized{Lang: l.Lang, Value: l.URL}, Width: l.Width, Height: l.Height})
	}
	for _, part := range []struct {
		name  string
		texts map[string]string
	}{{"InformationURL", u.InformationURLs}, {"PrivacyStatementURL", u.PrivacyStatementURLs}} {
		for _, text := range localized(part.texts) {
			list = append(list, compose.UIElement{Name: part.name, Localized: text})
		}
	}
	return list
}

func (c Contact) element() compose.Contact {
	e := compose.Contact{Type: string(c.Type), Company: c.Company, GivenName: c.GivenName, SurName: c.SurName, Phones: c.Phones}
	if c.Type == SecurityContact {
		e.Type, e.Security = string(OtherContact), true
	}
	for _, address := range c.Emails {
		e.Emails = append(e.Emails, "mailto:"+strings.TrimPrefix(address, "mailto:"))
	}
	return e
}

// cacheDuration writes an xs:duration.
func cacheDuration(d time.Duration) string {
	if days := d / (24 * time.Hour); days*24*time.Hour == d {
		return fmt.Sprintf("P%dD", days)
	}
	return fmt.Sprintf("PT%dS", d/time.Second)
}
