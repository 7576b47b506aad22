package replay

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/logintrust/saml"
	"github.com/logintrust/saml/internal/wire"
	"github.com/logintrust/saml/internal/xmlsec"
)

// importTrust makes the case's login trust from its metadata: what an administrator would save and activate.
func (c *Case) importTrust(now time.Time) (saml.LoginTrust, error) {
	if strings.TrimSpace(c.IdPMetadata) == "" {
		return saml.LoginTrust{}, errors.New(`"idpMetadata" is missing`)
	}
	var options saml.LoginTrust
	if err := c.SP.setOptions(&options); err != nil {
		return saml.LoginTrust{}, err
	}
	metadata := []byte(c.IdPMetadata)
	if c.SP.MetadataTrustCertPEM != "" {
		key, err := publicKey(c.SP.MetadataTrustCertPEM)
		if err != nil {
			return saml.LoginTrust{}, err
		}
		policy := xmlsec.Policy{AllowSHA1: options.AllowSHA1, AllowRSA1024: options.AllowRSA1024,
			AllowInclusiveReference: options.AllowInclusiveC14NReference}
		if metadata, err = verifyMetadata(metadata, key, policy); err != nil {
			return saml.LoginTrust{}, &refusal{BadMetadata, fmt.Errorf("metadata signature: %w", err)}
		}
	}
	trust, err := saml.TrustFromMetadata(metadata, c.IdPEntityID, now)
	if err != nil {
		return saml.LoginTrust{}, &refusal{BadMetadata, err}
	}
	trust.State = saml.Active
	if err := c.SP.setOptions(&trust); err != nil {
		return saml.LoginTrust{}, err
	}
	return trust, trust.Check()
}

// verifyMetadata returns the canonical octets of the metadata's root that the key signed: only what is signed is imported.
// The signature stands where the schema has it, first in the root (SAML Metadata 2.3.1, 2.3.2), and covers the root.
func verifyMetadata(metadata []byte, key crypto.PublicKey, policy xmlsec.Policy) ([]byte, error) {
	u, err := xmlsec.Parse(metadata, xmlsec.MetadataLimits())
	if err != nil {
		return nil, err
	}
	root := u.Root()
	if first := root.First(); !first.Is(wire.SignatureNS, "Signature") {
		return nil, errors.New("the document does not begin with a signature over all of it")
	}
	signed, err := u.Verify(root, []crypto.PublicKey{key}, policy)
	if err != nil {
		return nil, err
	}
	return signed.Bytes(), nil
}

// publicKey reads the key that vouches for metadata.
func publicKey(text string) (crypto.PublicKey, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, errors.New(`"metadataTrustCertPEM" is not PEM`)
	}
	if cert, err := x509.ParseCertificate(block.Bytes); err == nil {
		return cert.PublicKey, nil
	}
	if key, err := x509.ParsePKIXPublicKey(block.Bytes); err == nil {
		return key, nil
	}
	return nil, errors.New(`"metadataTrustCertPEM" is neither a certificate nor a public key`)
}

// setOptions sets the options that weaken a trust, by their names.
func (sp *ServiceProvider) setOptions(t *saml.LoginTrust) error {
	if sp.AllowIdPInitiated {
		t.AllowIdPInitiated = true
	}
	for _, name := range sp.Allow {
		switch name {
		case "AllowSHA1":
			t.AllowSHA1 = true
		case "AllowRSA1024":
			t.AllowRSA1024 = true
		case "AllowInclusiveC14NReference":
			t.AllowInclusiveC14NReference = true
		case "AllowIdPInitiated":
			t.AllowIdPInitiated = true
		case "AllowUnknownInResponseTo":
			t.AllowUnknownInResponseTo = true
		case "AllowSignedCBC", "InsecureAllowUnsignedCBC", "InsecureAllowRSA15", "Allow3DES":
			// About encrypted assertions, which are refused whatever they are encrypted with.
		case "AllowRedirectDER", "AllowAnyOrganization":
			// About signed queries and users' organizations, which no kind of case comes to.
		default:
			return fmt.Errorf(`"sp.allow" has the unknown option %.64q`, name)
		}
	}
	return nil
}
