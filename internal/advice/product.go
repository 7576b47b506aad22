package advice

import (
	"net/url"
	"slices"
	"strings"
)

// Products that are recognised.
const (
	EntraID       = "Entra ID"
	ADFS          = "AD FS"
	Okta          = "Okta"
	Google        = "Google Workspace"
	Ping          = "Ping"
	Shibboleth    = "Shibboleth"
	Keycloak      = "Keycloak"
	OneLogin      = "OneLogin"
	SimpleSAMLphp = "SimpleSAMLphp"
	LemonLDAP     = "LemonLDAP::NG"
	Auth0         = "Auth0"
	AWS           = "AWS IAM Identity Center"
	JumpCloud     = "JumpCloud"
	Rippling      = "Rippling"
	Duo           = "Duo"
)

// Facts are what tells products apart. All of it may be a lie.
type Facts struct {
	// Issuer is the entity ID that the message names.
	Issuer string
	// StatusMessage is the text beside a status.
	StatusMessage string
	// Attributes are the names of the attributes.
	Attributes []string
}

// shapes are the forms that products give to their entity IDs: a host, or the end of one behind a dot, and what the path
// holds. Hosts of products that customers run themselves are "".
var shapes = []struct{ product, host, path string }{
	{EntraID, "sts.windows.net", ""},
	{EntraID, "login.microsoftonline.com", ""},
	{EntraID, "sts.chinacloudapi.cn", ""},
	{Okta, "www.okta.com", ""},
	{Okta, "okta.com", ""},
	{Okta, "oktapreview.com", ""},
	{Okta, "okta-emea.com", ""},
	{Google, "accounts.google.com", "/o/saml2"},
	{Ping, "pingone.com", ""},
	{Ping, "pingone.eu", ""},
	{Ping, "pingidentity.com", ""},
	{OneLogin, "onelogin.com", ""},
	{Auth0, "auth0.com", ""},
	{AWS, "amazonaws.com", "/saml/"},
	{JumpCloud, "jumpcloud.com", ""},
	{Rippling, "rippling.com", ""},
	{Duo, "duosecurity.com", ""},
	{ADFS, "", "/adfs/services/trust"},
	{Keycloak, "", "/realms/"},
	{Shibboleth, "", "/idp/shibboleth"},
	{SimpleSAMLphp, "", "/saml2/idp/metadata.php"},
	{SimpleSAMLphp, "", "/module.php/saml/idp/metadata"},
	{LemonLDAP, "", "/saml/metadata"},
}

// Recognise names the product that wrote a message, "" if none is recognised.
func Recognise(f Facts) (product string) {
	if strings.HasPrefix(f.Issuer, "urn:") && strings.HasSuffix(f.Issuer, ".auth0.com") {
		return Auth0
	}
	if u, err := url.Parse(f.Issuer); err == nil && u.Host != "" {
		host := strings.ToLower(u.Hostname())
		for _, s := range shapes {
			if isHost(host, s.host) && strings.Contains(u.Path, s.path) {
				return s.product
			}
		}
	}
	switch {
	case strings.Contains(f.StatusMessage, "AADSTS"), slices.Contains(f.Attributes, "http://schemas.microsoft.com/identity/claims/tenantid"):
		return EntraID // behind a name of the customer's own
	case strings.Contains(f.StatusMessage, "MSIS"):
		return ADFS
	}
	return ""
}

// isHost reports whether host is the domain or in it; "" is any.
func isHost(host, domain string) bool {
	return domain == "" || host == domain || strings.HasSuffix(host, "."+domain)
}
