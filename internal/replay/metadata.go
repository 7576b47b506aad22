package replay

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/logintrust/saml"
)

// importTrust is the case's own login trust, or what an administrator would save and activate of its metadata.
func (c *Case) importTrust(now time.Time) (saml.LoginTrust, error) {
	if c.Trust != nil {
		return *c.Trust, nil
	}
	if strings.TrimSpace(c.IdPMetadata) == "" {
		return saml.LoginTrust{}, errors.New(`"idpMetadata" or "trust" is missing`)
	}
	var options saml.LoginTrust
	if err := c.SP.setOptions(&options); err != nil {
		return saml.LoginTrust{}, err
	}
	opts := saml.ImportOptions{EntityID: c.IdPEntityID, AllowSHA1: options.AllowSHA1, AllowRSA1024: options.AllowRSA1024,
		AllowInclusiveC14NReference: options.AllowInclusiveC14NReference}
	if c.SP.MetadataTrustCertPEM != "" {
		key, err := saml.ParsePublicKey(c.SP.MetadataTrustCertPEM)
		if err != nil {
			return saml.LoginTrust{}, fmt.Errorf(`"metadataTrustCertPEM": %w`, err)
		}
		opts.Keys = []saml.PublicKey{key}
	}
	proposal, err := saml.ProposeTrust([]byte(c.IdPMetadata), opts, now)
	if err != nil {
		return saml.LoginTrust{}, &refusal{BadMetadata, err}
	}
	trust := proposal.Trust
	trust.State = saml.Active
	if err := c.SP.setOptions(&trust); err != nil {
		return saml.LoginTrust{}, err
	}
	return trust, trust.Check()
}

// setOptions sets what the case demands of a trust, and the options that weaken it, by their names.
func (sp *ServiceProvider) setOptions(t *saml.LoginTrust) error {
	t.AllowIdPInitiated = sp.AllowIdPInitiated
	t.RequireEncryption = sp.RequireEncryptedAssertions
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
		case "AllowSignedCBC":
			t.AllowSignedCBC = true
		case "InsecureAllowUnsignedCBC":
			t.InsecureAllowUnsignedCBC = true
		case "InsecureAllowRSA15":
			t.InsecureAllowRSA15 = true
		case "Allow3DES":
			t.Allow3DES = true
		case "AllowRedirectDER":
			t.AllowRedirectDER = true
		case "AllowAnyOrganization":
			// About users' organizations, which no kind of case comes to.
		default:
			return fmt.Errorf(`"sp.allow" has the unknown option %.64q`, name)
		}
	}
	return nil
}
