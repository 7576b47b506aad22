package saml_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml"
	"github.com/logintrust/saml/samltest"
)

// fullTrust is a trust in which no field is zero.
func fullTrust(t testing.TB) saml.LoginTrust {
	t.Helper()
	trust := samltest.NewIdP(t).Trust()
	v := reflect.ValueOf(&trust).Elem()
	for i := range v.NumField() {
		name, field := v.Type().Field(i).Name, v.Field(i)
		switch field.Interface().(type) {
		case bool:
			field.SetBool(true)
		case string:
			if field.String() == "" {
				field.SetString("https://example.com/" + name)
			}
		case []string:
			field.Set(reflect.ValueOf([]string{strings.ToLower(name) + ".example.com", "b.example.com"}))
		case time.Duration:
			field.SetInt(int64(time.Hour))
		case []saml.PublicKey:
			field.Set(reflect.ValueOf(trust.Keys))
		case []saml.ArtifactService:
			trust.ArtifactServices = []saml.ArtifactService{{Index: 1, URL: "https://example.com/artifact"}}
		case []saml.SigningMethod:
			trust.SigningMethods = []saml.SigningMethod{{Algorithm: saml.AlgorithmRSASHA512, MinKeySize: 2048, MaxKeySize: 4096}, {Algorithm: "urn:x"}}
		case saml.AttributeNames:
			trust.Attributes = saml.AttributeNames{FirstName: "f", LastName: "l", Email: "e", Username: "u"}
		default:
			require.Equal(t, reflect.Int, field.Kind(), "%s: a type that this test does not know", name)
			field.SetInt(1)
		}
	}
	trust.PageVariables = []string{"id", "tab"}
	trust.EncryptionMethods = []string{"http://www.w3.org/2009/xmlenc11#aes128-gcm", "urn:x"}
	trust.SignatureAlgorithm = saml.AlgorithmRSASHA512
	trust.DigestMethods = []string{saml.AlgorithmSHA512, "urn:x"}
	trust.AllowedRoles = []string{trust.DefaultRole, "admin"}
	for i := range v.NumField() {
		require.False(t, v.Field(i).IsZero(), v.Type().Field(i).Name)
	}
	return trust
}

// eachField calls f with a trust in which just that field differs from the full one; of a struct, one field of it.
func eachField(t *testing.T, f func(name string, changed saml.LoginTrust)) {
	full := fullTrust(t)
	other, err := samltest.New(samltest.Options{EntityID: "https://other.example.com"})
	require.NoError(t, err)
	for i := range reflect.TypeFor[saml.LoginTrust]().NumField() {
		changed := full
		field := reflect.ValueOf(&changed).Elem().Field(i)
		name := reflect.TypeFor[saml.LoginTrust]().Field(i).Name
		switch field.Kind() {
		case reflect.Struct:
			for j := range field.NumField() {
				changed := full
				reflect.ValueOf(&changed).Elem().Field(i).Field(j).SetString("other")
				f(name+"."+field.Type().Field(j).Name, changed)
			}
			continue
		case reflect.Slice:
			switch name {
			case "Keys", "EncryptionKeys":
				field.Set(reflect.ValueOf(other.Trust().Keys))
			case "ArtifactServices":
				field.Set(reflect.ValueOf([]saml.ArtifactService{{Index: 2, URL: "https://example.com/artifact"}}))
			case "SigningMethods":
				field.Set(reflect.ValueOf([]saml.SigningMethod{{Algorithm: "urn:x"}, {Algorithm: saml.AlgorithmRSASHA512}}))
			default:
				field.Set(reflect.ValueOf([]string{"b.example.com", "other.example.com"}))
			}
		default:
			field.SetZero()
		}
		f(name, changed)
	}
}

// req: CS-08 no field is forgotten, on the way out and back
func TestLoginTrustJSONHasEveryField(t *testing.T) {
	t.Parallel()
	full := fullTrust(t)
	names := map[string]bool{}
	for i := range reflect.TypeFor[saml.LoginTrust]().NumField() {
		field := reflect.TypeFor[saml.LoginTrust]().Field(i)
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		require.NotEmpty(t, name, field.Name)
		require.False(t, names[name], name)
		names[name] = true
	}
	text, err := json.Marshal(full)
	require.NoError(t, err)
	var fields map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(text, &fields))
	assert.Len(t, fields, len(names))
	var again saml.LoginTrust
	require.NoError(t, json.Unmarshal(text, &again))
	assert.Equal(t, full, again)
	eachField(t, func(name string, changed saml.LoginTrust) {
		text, err := json.Marshal(changed)
		require.NoError(t, err, name)
		again := full // what is not in the text must not stay
		require.NoError(t, json.Unmarshal(text, &again), name)
		assert.Equal(t, changed, again, name)
	})
}

func TestLoginTrustJSONRefuses(t *testing.T) {
	t.Parallel()
	// req: LT-32
	for text, fails := range map[string]string{
		`{"domain":"x","requireEncryptoin":true}`:               "requireEncryptoin",
		`{"attributes":{"phone":"x"}}`:                          "phone",
		`{"targetParam":"RelayState target"}`:                   "unknown target parameter",
		`{"targetParam":"Target"}`:                              "unknown target parameter",
		`{"targetParam":["RelayState","target"]}`:               "target",
		`{"state":"on"}`:                                        "unknown trust state",
		`{"keys":["x"]}`:                                        "multiple of 4",
		`{"maxAuthnAgeNanoseconds":"1h"}`:                       "maxAuthnAge",
		`[]`:                                                    "login trust",
		`{"domain":"x","state":"provisional","State":"active"}`: "unknown field \"State\"",
		`{"domain":"x","state":"provisional","state":"active"}`: "\"state\" is there twice",
		"{\"domain\":\"x\",\"state\":\"provisional\",\"\u017ftate\":\"active\"}":    "unknown field",
		`{"domain":"x","requireSignedResponse":true,"REQUIRESIGNEDRESPONSE":false}`: "REQUIRESIGNEDRESPONSE",
		`{"DOMAIN":"x"}`: "unknown field \"DOMAIN\"",
		`{"attributes":{"email":"a","email":"b"}}`: "\"email\" is there twice",
		`{"attributes":{"Email":"a"}}`:             "unknown field \"Email\"",
		`{"initiation":"both"}`:                    "unknown initiation",
		`{"keys":["-----BEGIN RSA PRIVATE KEY-----\nc2VjcmV0\n-----END RSA PRIVATE KEY-----"]}`: "private key",
	} {
		trust := saml.LoginTrust{Domain: "before"}
		err := json.Unmarshal([]byte(text), &trust)
		require.ErrorContains(t, err, fails, text)
		assert.NotContains(t, err.Error(), "c2VjcmV0")
		assert.Equal(t, "before", trust.Domain, "nothing changes on an error")
	}
	trust := saml.LoginTrust{Domain: "before"}
	require.NoError(t, json.Unmarshal([]byte(`null`), &trust))
	assert.Equal(t, "before", trust.Domain)
	require.NoError(t, json.Unmarshal([]byte(`{}`), &trust))
	assert.Zero(t, trust)
}

func TestDiffHasEveryField(t *testing.T) {
	t.Parallel()
	full := fullTrust(t)
	assert.Empty(t, saml.Diff(full, full))
	eachField(t, func(name string, changed saml.LoginTrust) {
		changes := saml.Diff(full, changed)
		require.NotEmpty(t, changes, name)
		for _, c := range changes {
			assert.Equal(t, name, c.Field)
			assert.NotEqual(t, c.Old, c.New)
			assert.Contains(t, c.String(), name)
			assert.NotContains(t, c.String(), "BEGIN")
			assert.NotContains(t, c.String(), "{")
			assert.NotContains(t, c.String(), "unknown")
		}
		back := saml.Diff(changed, full)
		require.Len(t, back, len(changes), name)
	})
}

func TestDiffReads(t *testing.T) {
	t.Parallel()
	old := samltest.NewIdP(t).Trust()
	old.EmailDomains = []string{"a.example.com", "b.example.com"}
	changed := old
	changed.State, changed.SAML, changed.Translation = saml.Inactive, false, saml.TranslationRequired
	changed.EmailDomains = []string{"b.example.com", "c.example.com"}
	changed.LogoutURL, changed.MaxAuthnAge, changed.Keys = "https://idp.example.com/bye", time.Hour, nil
	changed.Organization = "St\u202eMary"
	var lines []string
	for _, c := range saml.Diff(old, changed) {
		lines = append(lines, c.String())
	}
	assert.Equal(t, []string{
		"LogoutURL: added https://idp.example.com/bye",
		"Keys: removed key with SHA-256 " + old.Keys[0].SHA256(),
		"State: active → inactive",
		"SAML: yes → no",
		`Organization: added "St\u202eMary"`,
		"EmailDomains: removed a.example.com",
		"EmailDomains: added c.example.com",
		"Translation: none → required",
		"MaxAuthnAge: added 1h0m0s",
	}, lines)

	imported, err := saml.TrustFromMetadata(samltest.NewIdP(t).Metadata(), "", now)
	require.NoError(t, err)
	none := imported
	none.Keys = nil
	change := saml.Diff(none, imported)[0]
	assert.Contains(t, change.New, imported.Keys[0].CertificateSHA256())
	assert.Contains(t, change.New, "valid from ")
	reordered := old
	reordered.EmailDomains = []string{"b.example.com", "a.example.com"}
	assert.Empty(t, saml.Diff(old, reordered))
	twice := old
	twice.EmailDomains = []string{"a.example.com", "b.example.com", "b.example.com"}
	assert.Equal(t, []saml.Change{{"EmailDomains", "", "b.example.com"}}, saml.Diff(old, twice))
}

// req: LT-13 LT-14 LT-15 LT-34 LT-49 LT-50
func TestLoginTrustProblems(t *testing.T) {
	t.Parallel()
	long := func(n int, entry string) []string {
		list := make([]string, n)
		for i := range list {
			list[i] = fmt.Sprintf("%s%d", entry, i)
		}
		return list
	}
	byIdP := func(t *saml.LoginTrust) {
		t.Initiation, t.AllowIdPInitiated, t.TargetParam = saml.InitiatedByIdP, true, saml.TargetShibboleth
	}
	for _, c := range []struct {
		name, field string // "" is fine
		change      func(*saml.LoginTrust)
	}{
		{"untouched", "", func(*saml.LoginTrust) {}},
		{"no Domain", "Domain", func(t *saml.LoginTrust) { t.Domain = "" }},
		{"Domain of 255", "", func(t *saml.LoginTrust) { t.Domain = strings.Repeat("a", 255) }},
		{"Domain of 256", "Domain", func(t *saml.LoginTrust) { t.Domain = strings.Repeat("a", 256) }},
		{"Domain as URL", "", func(t *saml.LoginTrust) { t.Domain = "https://saml.example.com" }},
		{"Domain as URN", "", func(t *saml.LoginTrust) { t.Domain = "urn:example:idp" }},
		{"Domain as token", "", func(t *saml.LoginTrust) { t.Domain = "EPICURL" }},
		{"Domain with space", "Domain", func(t *saml.LoginTrust) { t.Domain = "a b" }},
		{"Domain with control character", "Domain", func(t *saml.LoginTrust) { t.Domain = "a\x7f" }},
		{"Domain with quote", "Domain", func(t *saml.LoginTrust) { t.Domain = `a"b` }},
		{"Domain with bracket", "Domain", func(t *saml.LoginTrust) { t.Domain = "a<b" }},
		{"no Description", "Description", func(t *saml.LoginTrust) { t.Description = "" }},
		{"blank Description", "Description", func(t *saml.LoginTrust) { t.Description = "  " }},
		{"Description of 255", "", func(t *saml.LoginTrust) { t.Description = strings.Repeat("é", 255) }},
		{"Description of 256", "Description", func(t *saml.LoginTrust) { t.Description = strings.Repeat("é", 256) }},
		{"Description of two lines", "Description", func(t *saml.LoginTrust) { t.Description = "a\nb" }},
		{"Description that is not UTF-8", "Description", func(t *saml.LoginTrust) { t.Description = "\xff" }},
		{"Product", "Product", func(t *saml.LoginTrust) { t.Product = 99 }},
		{"LoginURL by http", "LoginURL", func(t *saml.LoginTrust) { t.LoginURL = "http://idp.example.com" }},
		{"LoginURL on the loopback", "", func(t *saml.LoginTrust) { t.LoginURL = "http://localhost:8080/sso" }},
		{"LoginURL on the loopback by address", "", func(t *saml.LoginTrust) { t.LoginURL = "http://127.0.0.1:8080/sso" }},
		{"LoginURL by http to an address", "LoginURL", func(t *saml.LoginTrust) { t.LoginURL = "http://192.0.2.1/sso" }},
		{"LoginURL by ftp", "LoginURL", func(t *saml.LoginTrust) { t.LoginURL = "ftp://localhost/sso" }},
		{"Audience with a hidden character", "Audiences", func(t *saml.LoginTrust) { t.Audiences = []string{"urn:x\u200by"} }},
		{"two artifact services with one index", "ArtifactServices", func(t *saml.LoginTrust) {
			t.ArtifactServices = []saml.ArtifactService{{Index: 1, URL: "https://idp.example.com/a"}, {Index: 1, URL: "https://idp.example.com/b"}}
		}},
		{"two artifact services", "", func(t *saml.LoginTrust) {
			t.ArtifactServices = []saml.ArtifactService{{Index: 1, URL: "https://idp.example.com/a"}, {Index: 2, URL: "https://idp.example.com/a"}}
		}},
		{"LoginURL that resolves nowhere", "", func(t *saml.LoginTrust) { t.LoginURL = "https://idp.invalid/" }},
		{"LoginURL too long", "LoginURL", func(t *saml.LoginTrust) { t.LoginURL = "https://idp.example.com/" + strings.Repeat("a", 2025) }},
		{"LoginURL with fragment", "LoginURL", func(t *saml.LoginTrust) { t.LoginURL = "https://idp.example.com/#a" }},
		{"LogoutURL", "", func(t *saml.LoginTrust) { t.LogoutURL = "https://idp.example.com/out" }},
		{"LogoutURL as script", "LogoutURL", func(t *saml.LoginTrust) { t.LogoutURL = "javascript:alert(1)" }},
		{"LogoutURL with user", "LogoutURL", func(t *saml.LoginTrust) { t.LogoutURL = "https://a@b.example.com/" }},
		{"8 keys", "", func(t *saml.LoginTrust) {
			for len(t.Keys) < 8 {
				t.Keys = append(t.Keys[:len(t.Keys):len(t.Keys)], t.Keys[0])
			}
		}},
		{"9 keys", "Keys", func(t *saml.LoginTrust) {
			for len(t.Keys) < 9 {
				t.Keys = append(t.Keys[:len(t.Keys):len(t.Keys)], t.Keys[0])
			}
		}},
		{"State", "State", func(t *saml.LoginTrust) { t.State = -1 }},
		{"active without method", "SAML", func(t *saml.LoginTrust) { t.SAML = false }},
		{"provisional without method or key", "", func(t *saml.LoginTrust) { t.State, t.SAML, t.Keys = saml.Provisional, false, nil }},
		{"active without key", "Keys", func(t *saml.LoginTrust) { t.Keys = nil }},
		{"ticket without key", "Keys", func(t *saml.LoginTrust) { t.SAML, t.Ticket, t.Keys = false, true, nil }},
		{"OpenID without key", "", func(t *saml.LoginTrust) { t.SAML, t.OpenID, t.Keys = false, true, nil }},
		{"inactive without key", "", func(t *saml.LoginTrust) { t.State, t.Keys = saml.Inactive, nil }},
		{"TicketInQuery without Ticket", "TicketInQuery", func(t *saml.LoginTrust) { t.TicketInQuery = true }},
		{"TicketInQuery", "", func(t *saml.LoginTrust) { t.Ticket, t.TicketInQuery = true, true }},
		{"Initiation", "Initiation", func(t *saml.LoginTrust) { t.Initiation = 2 }},
		{"TargetParam", "TargetParam", func(t *saml.LoginTrust) { t.TargetParam = 3 }},
		{"by the IdP", "", byIdP},
		{"by the IdP, not allowed", "Initiation", func(t *saml.LoginTrust) { t.Initiation = saml.InitiatedByIdP }},
		{"by the IdP, nowhere", "LoginURL", func(t *saml.LoginTrust) { byIdP(t); t.LoginURL = "" }},
		{"by the IdP, with a target", "LoginURL", func(t *saml.LoginTrust) { byIdP(t); t.LoginURL = "https://idp.example.com/?a=1&Target=x" }},
		{"by the IdP, with another parameter", "", func(t *saml.LoginTrust) { byIdP(t); t.LoginURL = "https://idp.example.com/?RelayState=x" }},
		{"page variables", "", func(t *saml.LoginTrust) { t.PageVariables = []string{"id", "Tab_2", "a.b:c-d"} }},
		{"32 page variables", "", func(t *saml.LoginTrust) { t.PageVariables = long(32, "v") }},
		{"33 page variables", "PageVariables", func(t *saml.LoginTrust) { t.PageVariables = long(33, "v") }},
		{"Organization too long", "Organization", func(t *saml.LoginTrust) { t.Organization = strings.Repeat("a", 256) }},
		{"e-mail domains", "", func(t *saml.LoginTrust) {
			t.EmailDomains = []string{"example.com", "Example.ORG", "xn--mller-kva.de", "intranet"}
		}},
		{"1001 e-mail domains", "EmailDomains", func(t *saml.LoginTrust) { t.EmailDomains = long(1001, "d") }},
		{"e-mail domain twice", "EmailDomains", func(t *saml.LoginTrust) { t.EmailDomains = []string{"example.com", "EXAMPLE.com"} }},
		{"scopes", "", func(t *saml.LoginTrust) { t.Scopes = []string{"example.edu"} }},
		{"scope with @", "Scopes", func(t *saml.LoginTrust) { t.Scopes = []string{"@example.edu"} }},
		{"Match", "Match", func(t *saml.LoginTrust) { t.Match = 2 }},
		{"attribute name", "Attributes", func(t *saml.LoginTrust) { t.Attributes.Email = "a\tb" }},
		{"Translation", "Translation", func(t *saml.LoginTrust) { t.Translation = 3 }},
		{"empty user", "PrivilegedUsers", func(t *saml.LoginTrust) { t.PrivilegedUsers = []string{""} }},
		{"user with blanks", "DeniedUsers", func(t *saml.LoginTrust) { t.DeniedUsers = []string{" a"} }},
		{"role too long", "AllowedRoles", func(t *saml.LoginTrust) { t.AllowedRoles = []string{strings.Repeat("r", 256)} }},
		{"creation without role", "DefaultRole", func(t *saml.LoginTrust) { t.CreateUsers = true }},
		{"creation with role", "", func(t *saml.LoginTrust) { t.CreateUsers, t.DefaultRole = true, "clerk" }},
		{"creation with a role that is not allowed", "DefaultRole", func(t *saml.LoginTrust) {
			t.CreateUsers, t.DefaultRole, t.AllowedRoles = true, "clerk", []string{"nurse"}
		}},
		{"creation and a password", "PasswordRequired", func(t *saml.LoginTrust) {
			t.CreateUsers, t.DefaultRole, t.PasswordRequired = true, "clerk", true
		}},
		{"department", "DefaultDepartment", func(t *saml.LoginTrust) { t.DefaultDepartment = "a\x00" }},
		{"unknown InResponseTo", "AllowUnknownInResponseTo", func(t *saml.LoginTrust) { t.AllowUnknownInResponseTo = true }},
		{"signature algorithm", "", func(t *saml.LoginTrust) { t.SignatureAlgorithm = saml.AlgorithmEd25519 }},
		{"signature algorithm that we do not make", "SignatureAlgorithm", func(t *saml.LoginTrust) { t.SignatureAlgorithm = "http://www.w3.org/2000/09/xmldsig#rsa-sha1" }},
		{"signature algorithm that is declared", "", func(t *saml.LoginTrust) {
			t.SignatureAlgorithm, t.SigningMethods = saml.AlgorithmRSASHA512, []saml.SigningMethod{{Algorithm: "urn:x"}, {Algorithm: saml.AlgorithmRSASHA512}}
		}},
		{"signature algorithm that is not declared", "SignatureAlgorithm", func(t *saml.LoginTrust) {
			t.SignatureAlgorithm, t.SigningMethods = saml.AlgorithmRSASHA512, []saml.SigningMethod{{Algorithm: saml.AlgorithmRSASHA256}}
		}},
		{"signing method with sizes", "", func(t *saml.LoginTrust) {
			t.SigningMethods = []saml.SigningMethod{{Algorithm: "urn:x", MinKeySize: 1, MaxKeySize: 1}, {Algorithm: "urn:x", MaxKeySize: 2}, {Algorithm: "urn:x", MinKeySize: 3}}
		}},
		{"signing method with sizes the wrong way round", "SigningMethods", func(t *saml.LoginTrust) {
			t.SigningMethods = []saml.SigningMethod{{Algorithm: "urn:x", MinKeySize: 2, MaxKeySize: 1}}
		}},
		{"signing method with a negative size", "SigningMethods", func(t *saml.LoginTrust) {
			t.SigningMethods = []saml.SigningMethod{{Algorithm: "urn:x", MinKeySize: -2}}
		}},
		{"signing method that is no URI", "SigningMethods", func(t *saml.LoginTrust) { t.SigningMethods = []saml.SigningMethod{{Algorithm: "rsa-sha256"}} }},
		{"signing method with space", "SigningMethods", func(t *saml.LoginTrust) { t.SigningMethods = []saml.SigningMethod{{Algorithm: "urn:a b"}} }},
		{"encryption", "", func(t *saml.LoginTrust) { t.EncryptNameID, t.EncryptionKeys = true, t.Keys }},
		{"encryption keys alone", "", func(t *saml.LoginTrust) { t.EncryptionKeys = t.Keys }},
		{"encryption without key", "EncryptNameID", func(t *saml.LoginTrust) { t.EncryptNameID = true }},
		{"encryption with CBC only", "EncryptNameID", func(t *saml.LoginTrust) {
			t.EncryptNameID, t.EncryptionKeys, t.EncryptionMethods = true, t.Keys, []string{"http://www.w3.org/2001/04/xmlenc#aes128-cbc"}
		}},
		{"empty encryption key", "EncryptionKeys", func(t *saml.LoginTrust) { t.EncryptionKeys = make([]saml.PublicKey, 1) }},
		{"nine encryption keys", "EncryptionKeys", func(t *saml.LoginTrust) { t.EncryptionKeys = slices.Repeat(t.Keys, 9) }},
		{"short encryption key", "EncryptionKeys", func(trust *saml.LoginTrust) {
			trust.EncryptionKeys = []saml.PublicKey{publicKeyOf(t, mustKey(t, "weak-rsa1024").Public())}
		}},
		{"encryption key that signs only", "EncryptionKeys", func(trust *saml.LoginTrust) {
			public, _, err := ed25519.GenerateKey(rand.Reader)
			require.NoError(t, err)
			trust.EncryptionKeys = []saml.PublicKey{publicKeyOf(t, public)}
		}},
		{"encryption method that is no URI", "EncryptionMethods", func(t *saml.LoginTrust) { t.EncryptionMethods = []string{"aes128-gcm"} }},
		{"33 digests", "DigestMethods", func(t *saml.LoginTrust) { t.DigestMethods = long(33, "urn:") }},
		{"empty digest", "DigestMethods", func(t *saml.LoginTrust) { t.DigestMethods = []string{""} }},
		{"audience with space", "Audiences", func(t *saml.LoginTrust) { t.Audiences = []string{"a b"} }},
		{"33 contexts", "AuthnContext", func(t *saml.LoginTrust) { t.AuthnContext = long(33, "urn:") }},
		{"negative age", "MaxAuthnAge", func(t *saml.LoginTrust) { t.MaxAuthnAge = -1 }},
		{"empty required attribute", "RequiredAttributes", func(t *saml.LoginTrust) { t.RequiredAttributes = []string{""} }},
	} {
		trust := samltest.NewIdP(t).Trust()
		c.change(&trust)
		err := trust.Check()
		if c.field == "" {
			require.NoError(t, err, c.name)
			continue
		}
		var wrong *saml.FieldError
		require.ErrorAs(t, err, &wrong, c.name)
		assert.Equal(t, c.field, wrong.Field, c.name)
		assert.NotEmpty(t, wrong.Problem)
		assert.Equal(t, "saml: login trust: "+wrong.Field+": "+wrong.Problem, err.Error())
		_, exists := reflect.TypeFor[saml.LoginTrust]().FieldByName(wrong.Field)
		assert.True(t, exists)
	}
}

// req: LT-66
func TestAllProblemsAtOnce(t *testing.T) {
	t.Parallel()
	trust := saml.LoginTrust{State: saml.Active, EmailDomains: []string{"*.a", "b@c"}, MaxAuthnAge: -1}
	var fields []string
	for _, p := range trust.Problems() {
		fields = append(fields, p.Field)
	}
	assert.Equal(t, []string{"Domain", "Description", "SAML", "EmailDomains", "EmailDomains", "MaxAuthnAge"}, fields)
	full := fullTrust(t)
	assert.Len(t, full.Problems(), 1)
	full.PasswordRequired = false
	assert.Empty(t, full.Problems())
}

func TestDomainNames(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"", ".", "a.", ".a", "a..b", "a@b", "*", "*.a.com", "-a.com", "a-.com", "a b", "a/b", "a:1", "é.com", "a.com\n",
		"ａ.com", "a。com", strings.Repeat("a", 64) + ".com", strings.Repeat("a.", 127) + "aa"} {
		trust := samltest.NewIdP(t).Trust()
		trust.EmailDomains = []string{bad}
		assert.ErrorContains(t, trust.Check(), "EmailDomains: entry 1 ", "%q", bad)
	}
}

// A page cannot speak to the identity provider in our name.
func TestReservedPageVariables(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"", "SAMLRequest", "samlrequest", "SAMLResponse", "SAMLart", "RelayState", "RELAYSTATE", "SigAlg", "Signature",
		"login_ticket", "Login_Ticket", "login.ticket", "login_signature", "TargetResource", "target", "TARGET", "providerId", "shire",
		"PartnerSpId", "Relay\u200bState", "ſigAlg", "RelayState ", "Relay%53tate", "a=b", "a&b", "a[]", "login ticket", "a\r\nb", strings.Repeat("a", 65)} {
		trust := samltest.NewIdP(t).Trust()
		trust.PageVariables = []string{bad}
		assert.ErrorContains(t, trust.Check(), "PageVariables: entry 1 ", "%q", bad)
	}
}

// req: LT-17 LT-21 LT-26 CS-13 CS-18 SA-08
func TestAdmits(t *testing.T) {
	t.Parallel()
	methods := []saml.Method{saml.MethodSAML, saml.MethodOpenID, saml.MethodTicket}
	full := samltest.NewIdP(t).Trust()
	full.OpenID, full.Ticket = true, true
	for _, m := range methods {
		trust := full
		assert.NoError(t, trust.Admits(m), m)
		trust.State = saml.Inactive
		assert.ErrorIs(t, trust.Admits(m), saml.TrustInactive)
		trust.State = 9
		assert.ErrorIs(t, trust.Admits(m), saml.TrustInactive)
		trust.State = saml.Provisional
		assert.ErrorIs(t, trust.Admits(m), saml.TrustProvisional)
		trust = full
		trust.SAML, trust.OpenID, trust.Ticket = m != saml.MethodSAML, m != saml.MethodOpenID, m != saml.MethodTicket
		require.ErrorIs(t, trust.Admits(m), saml.MethodNotAllowed)
		assert.Contains(t, trust.Admits(m).Error(), m.String())
		trust = full
		trust.Keys = nil
		if err := trust.Admits(m); m == saml.MethodOpenID {
			assert.NoError(t, err)
		} else {
			assert.ErrorIs(t, err, saml.NoKeyOnFile)
		}
	}
	assert.ErrorIs(t, full.Admits(0), saml.MethodNotAllowed)
	assert.ErrorIs(t, full.Admits(9), saml.MethodNotAllowed)
	var refusal *saml.Error
	require.ErrorAs(t, full.Admits(0), &refusal)
	assert.Equal(t, full.Domain, refusal.Domain)
}

// Where the first of a list is used, its order is a difference.
func TestDiffOfOrder(t *testing.T) {
	t.Parallel()
	a, b := pinned(t, idpNamed(t, "a").Certificate()), pinned(t, idpNamed(t, "b").Certificate())
	changes := saml.Diff(saml.LoginTrust{EncryptionKeys: []saml.PublicKey{a, b}}, saml.LoginTrust{EncryptionKeys: []saml.PublicKey{b, a}})
	require.Len(t, changes, 1)
	assert.Equal(t, "EncryptionKeys", changes[0].Field)
	assert.NotEqual(t, changes[0].Old, changes[0].New)
	assert.Empty(t, saml.Diff(saml.LoginTrust{Keys: []saml.PublicKey{a, b}}, saml.LoginTrust{Keys: []saml.PublicKey{b, a}}))
	assert.Empty(t, saml.Diff(saml.LoginTrust{EncryptionKeys: []saml.PublicKey{a, b}}, saml.LoginTrust{EncryptionKeys: []saml.PublicKey{a, b}}))
	assert.NotEmpty(t, saml.Diff(saml.LoginTrust{DigestMethods: []string{"x", "y"}}, saml.LoginTrust{DigestMethods: []string{"y", "x"}}))
}
