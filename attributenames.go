package saml

import "cmp"

// AttributeNames gives the names by which a product's identity provider sends a user's names, to start a trust's Attributes
// from. Products that send what their administrator configures get the names that are most used there.
func (p Product) AttributeNames() AttributeNames {
	const claims = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"
	const givenName, surname = "urn:oid:2.5.4.42", "urn:oid:2.5.4.4"
	switch p {
	case EntraID, ADFS:
		return AttributeNames{FirstName: claims + "givenname", LastName: claims + "surname", Email: claims + "emailaddress"}
	case Okta, Google, Ping:
		return AttributeNames{FirstName: "firstName", LastName: "lastName", Email: "email"}
	case Shibboleth:
		// Its NameID is transient, so eduPersonPrincipalName is the name.
		return AttributeNames{FirstName: givenName, LastName: surname, Email: "urn:oid:0.9.2342.19200300.100.1.3",
			Username: "urn:oid:1.3.6.1.4.1.5923.1.1.1.6"}
	case OneLogin:
		return AttributeNames{FirstName: "User.FirstName", LastName: "User.LastName", Email: "User.email"}
	case Keycloak:
		// Those of the mappers that it brings along.
		return AttributeNames{FirstName: givenName, LastName: surname, Email: "urn:oid:1.2.840.113549.1.9.1"}
	}
	return AttributeNames{}
}

// complete fills in the defaults.
func (n AttributeNames) complete() AttributeNames {
	n.FirstName = cmp.Or(n.FirstName, "firstname")
	n.LastName = cmp.Or(n.LastName, "lastname")
	n.Email = cmp.Or(n.Email, "email")
	return n
}
