package saml

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/logintrust/saml/internal/compose"
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
