package e2e_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml/internal/oracle"
)

// A lemonLDAP is a running LemonLDAP::NG portal, on loopback.
type lemonLDAP struct {
	listen   string // where its own server listens
	base     string // where its users see it: the same, or a proxy for TLS in front
	entityID string
	metadata []byte
	run      string // its directory
	version  int    // of the configuration
	sp       string // metadata of the service provider
	users    map[string]account
}

const lemonLDAPDir = "../testdata/idps/lemonldap"

func startLemonLDAP(t *testing.T) *lemonLDAP {
	t.Helper()
	address := freeAddress(t)
	return startLemonLDAPAt(t, address, "http://"+address)
}

func startLemonLDAPAt(t *testing.T, address, base string) *lemonLDAP {
	t.Helper()
	starman := oracle.Need(t, "starman")
	idp := &lemonLDAP{listen: "http://" + address, base: base, run: t.TempDir(), users: accounts(t)}
	idp.entityID = idp.base + "/saml/metadata"
	for _, dir := range []string{"conf", "cache", "sessions/lock", "psessions/lock"} {
		require.NoError(t, os.MkdirAll(filepath.Join(idp.run, dir), 0o700))
	}
	writeKeyPair(t, filepath.Join(idp.run, "idp.key"), filepath.Join(idp.run, "idp.crt"))
	idp.configure(t, nil)
	require.NoError(t, os.WriteFile(filepath.Join(idp.run, "lemonldap-ng.ini"), fmt.Appendf(nil, `[all]
logLevel = warn
checkTime = 1
logger = Lemonldap::NG::Common::Logger::Std
userLogger = Lemonldap::NG::Common::Logger::Std
[configuration]
type = File
dirName = %s/conf
[portal]
staticPrefix = /static
templateDir = /usr/share/lemonldap-ng/portal/templates
languages = en
[handler]
status = 0
`, idp.run), 0o600))
	program, err := filepath.Abs(filepath.Join(lemonLDAPDir, "portal.psgi"))
	require.NoError(t, err)
	users, err := filepath.Abs(filepath.Join(simpleSAMLphpDir, "users.json"))
	require.NoError(t, err)
	start(t, idp.listen+"/saml/metadata", []string{"IDP_RUN=" + idp.run, "IDP_USERS=" + users}, starman, "--listen", address, "--workers", "1", program)
	idp.metadata = fetch(t, idp.listen+"/saml/metadata")
	return idp
}

// configure writes the next configuration, which the portal reads within a second or two.
func (idp *lemonLDAP) configure(t *testing.T, options map[string]string) {
	t.Helper()
	read := func(name string) string {
		b, err := os.ReadFile(filepath.Join(idp.run, name))
		require.NoError(t, err)
		return string(b)
	}
	idp.version++
	key, certificate := read("idp.key"), read("idp.crt")
	store := func(dir string) map[string]string {
		return map[string]string{"Directory": filepath.Join(idp.run, dir), "LockDirectory": filepath.Join(idp.run, dir, "lock"),
			"generateModule": "Lemonldap::NG::Common::Apache::Session::Generate::SHA256"}
	}
	oid := func(name, friendly string) string {
		return "1;" + name + ";urn:oasis:names:tc:SAML:2.0:attrname-format:uri;" + friendly
	}
	conf := map[string]any{
		"cfgNum": idp.version, "cfgVersion": "2.16.1", "cfgAuthor": "test", "cfgDate": "1700000000",
		"portal": idp.base + "/", "domain": "127.0.0.1", "cookieName": "lemonldap", "securedCookie": 0, "httpOnly": 1, "sameSite": "Lax",
		"key": "for-tests-0123456789abcdef", "authentication": "Demo", "userDB": "Same", "passwordDB": "Demo", "registerDB": "Null",
		"demoExportedVars": map[string]string{"uid": "uid", "cn": "cn", "mail": "mail", "sn": "sn", "givenName": "givenName", "labGroups": "labGroups"},
		"exportedVars":     map[string]string{}, "macros": map[string]string{"_whatToTrace": "$uid"}, "whatToTrace": "uid",
		"trustedDomains": "*", "locationRules": map[string]string{}, "applicationList": map[string]string{}, "groups": map[string]string{},
		"globalStorage": "Apache::Session::File", "globalStorageOptions": store("sessions"),
		"persistentStorage": "Apache::Session::File", "persistentStorageOptions": store("psessions"),
		"localSessionStorage": "Cache::FileCache", "localSessionStorageOptions": map[string]any{"cache_depth": 3, "cache_root": filepath.Join(idp.run, "cache"),
			"default_expires_in": 600, "directory_umask": "007", "namespace": "sessions"},
		"issuerDBSAMLActivation": 1, "issuerDBSAMLPath": "^/saml/", "samlEntityID": "#PORTAL#/saml/metadata",
		"samlServicePrivateKeySig": key, "samlServicePublicKeySig": certificate, "samlServicePrivateKeyEnc": key, "samlServicePublicKeyEnc": certificate,
		"samlServiceUseCertificateInResponse": 1, "samlServiceSignatureMethod": "RSA_SHA256", "samlIDPSSODescriptorWantAuthnRequestsSigned": 0,
		"samlNameIDFormatMapEmail": "mail", "samlOrganizationName": "Test", "samlOrganizationDisplayName": "Test", "samlOrganizationURL": "http://example.org",
		"requireToken": 1, "captcha": "::Captcha::None", "captcha_login_enabled": 0, "captcha_register_enabled": 0, "captcha_mail_enabled": 0,
		"portalDisplayResetPassword": 0, "portalDisplayRegister": 0, "portalDisplayLogout": 1, "portalCheckLogins": 0, "portalStatus": 0,
		"portalErrorOnExpiredSession": 0, "loginHistoryEnabled": 0, "stayConnected": 0, "bruteForceProtection": 0, "useSafeJail": 0,
	}
	if idp.sp != "" {
		all := map[string]string{"samlSPMetaDataOptionsEncryptionMode": "none", "samlSPMetaDataOptionsSignSSOMessage": "1", "samlSPMetaDataOptionsSignSLOMessage": "1",
			"samlSPMetaDataOptionsCheckSSOMessageSignature": "0", "samlSPMetaDataOptionsCheckSLOMessageSignature": "1", "samlSPMetaDataOptionsEnableIDPInitiatedURL": "1",
			"samlSPMetaDataOptionsForceUTF8": "1", "samlSPMetaDataOptionsNotOnOrAfterTimeout": "3600", "samlSPMetaDataOptionsSessionNotOnOrAfterTimeout": "3600"}
		maps.Copy(all, options)
		conf["samlSPMetaDataXML"] = map[string]any{"sp1": map[string]string{"samlSPMetaDataXML": idp.sp}}
		conf["samlSPMetaDataOptions"] = map[string]any{"sp1": all}
		conf["samlSPMetaDataMacros"] = map[string]any{"sp1": map[string]string{}}
		conf["samlSPMetaDataExportedAttributes"] = map[string]any{"sp1": map[string]string{
			"uid": oid("urn:oid:0.9.2342.19200300.100.1.1", "uid"), "mail": oid("urn:oid:0.9.2342.19200300.100.1.3", "mail"),
			"givenName": oid("urn:oid:2.5.4.42", "givenName"), "sn": oid("urn:oid:2.5.4.4", "sn"),
			"labGroups": oid("urn:oid:1.3.6.1.4.1.5923.1.1.1.1", "eduPersonAffiliation")}}
	}
	text, err := json.Marshal(conf)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(idp.run, "conf", fmt.Sprintf("lmConf-%d.json", idp.version)), text, 0o600))
	if idp.version > 1 {
		time.Sleep(3 * time.Second) // until its worker has looked
	}
}

// Another product than SimpleSAMLphp, on other libraries: Lasso, libxml2, xmlsec1.
//
// req: CS-01
func TestLemonLDAP(t *testing.T) {
	needIdPs(t)
	idp := startLemonLDAP(t)
	sp := startServer(t, idp.metadata)
	idp.sp = string(sp.metadata)

	starts := map[string]string{
		"redirect":     sp.base + "/sso/login?" + url.Values{"entityID": {idp.entityID}, "target": {"/?from=here"}}.Encode(),
		"post":         sp.base + "/sso/login?" + url.Values{"entityID": {idp.entityID}, "target": {"/?from=here"}, "binding": {"post"}}.Encode(),
		"from the IdP": idp.base + "/saml/singleSignOn?" + url.Values{"IDPInitiated": {"1"}, "spConfKey": {"sp1"}}.Encode(),
	}
	for name, options := range map[string]map[string]string{
		"both signed":      nil,
		"assertion signed": {"samlSPMetaDataOptionsSignSSOMessage": "0"},
		"one-time use":     {"samlSPMetaDataOptionsOneTimeUse": "1"},
		"SHA-512":          {"samlSPMetaDataOptionsSignatureMethod": "RSA_SHA512"},
	} {
		idp.configure(t, options)
		for way, place := range starts {
			for _, user := range []string{"alice", "bob"} {
				t.Run(name+", "+way+", "+user, func(t *testing.T) {
					b := newBrowser(t, idp.users[user])
					p := b.visit(place)
					require.Equal(t, 200, p.status, p.text())
					for _, want := range append([]string{idp.users[user].Firstname, idp.users[user].Lastname, idp.users[user].Email}, idp.users[user].Groups...) {
						assert.Contains(t, p.text(), want)
					}
					if way != "from the IdP" {
						assert.Equal(t, sp.base+"/?from=here", p.url.String())
					}
				})
			}
		}
	}
	idp.configure(t, map[string]string{"samlSPMetaDataOptionsSignatureMethod": "RSA_SHA1"})
	p := newBrowser(t, idp.users["alice"]).visit(starts["redirect"])
	assert.True(t, p.status >= 400 && p.status < 500, "SHA-1: status %d: %s", p.status, p.text())
}

// Single logout with LemonLDAP::NG, begun on either side, by either binding: it ends alice's session on both sides and leaves
// bob's. Its signatures are verified here, and those of our requests there, by Lasso. Answers to it go to another place than
// requests. What it begins itself is carried by a hidden frame of its page.
func TestLemonLDAPLogout(t *testing.T) {
	needIdPs(t)
	idp := startLemonLDAP(t)
	for _, c := range []struct {
		name   string
		edit   func(*testing.T, []byte) []byte // of metadata
		method string
	}{
		{"redirect", keep, http.MethodGet},
		{"POST", withoutRedirect, http.MethodPost},
	} {
		sp := startServer(t, c.edit(t, idp.metadata))
		idp.sp = string(c.edit(t, sp.metadata))
		idp.configure(t, nil)
		login := sp.base + "/sso/login?" + url.Values{"entityID": {idp.entityID}, "target": {"/?from=here"}}.Encode()
		signIn := func(t *testing.T, user string) *browser {
			b := newBrowser(t, idp.users[user])
			p := b.visit(login)
			require.Contains(t, p.text(), idp.users[user].Email)
			b.messages = nil
			return b
		}
		for side, leave := range map[string]func(*testing.T, *browser){
			"here": func(t *testing.T, b *browser) {
				p := b.take(signOut(t, sp))
				assert.Equal(t, sp.base+"/?out", p.url.String(), p.text())
			},
			"there": func(t *testing.T, b *browser) {
				p := b.visit(idp.base + "/?logout=1")
				frames := b.frames(p)
				require.Len(t, frames, 1, p.body)
				assert.Equal(t, "ok.png", path.Base(frames[0].url.Path), "its verdict on our answer")
				assert.True(t, strings.HasPrefix(b.messages[len(b.messages)-1].target, idp.base+"/saml/singleLogoutReturn"))
			},
		} {
			t.Run("from "+side+" by "+c.name, func(t *testing.T) {
				alice, bob := signIn(t, "alice"), signIn(t, "bob")
				leave(t, alice)
				// What came without our cookie, the browser brings again.
				alice.messages = slices.CompactFunc(alice.messages, func(x, y message) bool { return x.value == y.value })
				checkMessages(t, alice, c.method, c.method, "LogoutRequest", "LogoutResponse")
				assert.Contains(t, alice.visit(sp.base+"/").text(), "You are not signed in")
				assert.Contains(t, alice.visit(login).body, `type="password"`, "the session there lives")
				assert.Contains(t, bob.visit(sp.base+"/").text(), idp.users["bob"].Email)
				assert.Contains(t, bob.visit(login).text(), idp.users["bob"].Email, "bob's session there is gone")
				assert.Equal(t, 1, bob.logins)
			})
		}
		t.Run("changed, by "+c.name, func(t *testing.T) { // else it would not show that our signature is looked at
			alice := signIn(t, "alice")
			var asks step
			alice.run(signOut(t, sp), func(s step) bool {
				asks = s
				return strings.HasPrefix(s.target, idp.base)
			})
			if c.method == http.MethodGet {
				asks.target = strings.Replace(asks.target, "&Signature=", "&Signature=AAAA", 1)
			} else {
				xml, err := base64.StdEncoding.DecodeString(asks.fields.Get("SAMLRequest"))
				require.NoError(t, err)
				changed := bytes.Replace(xml, []byte(`NotOnOrAfter="2`), []byte(`NotOnOrAfter="3`), 1)
				require.NotEqual(t, xml, changed)
				asks.fields.Set("SAMLRequest", base64.StdEncoding.EncodeToString(changed))
			}
			assert.Equal(t, http.StatusBadRequest, alice.take(asks).status)
			assert.Contains(t, alice.visit(login).text(), idp.users["alice"].Email)
			assert.Equal(t, 1, alice.logins, "the session there is gone")
		})
	}
}
