package saml_test

import (
	"crypto"
	"crypto/fips140"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"math/big"
	"net/url"
	"strings"
	"testing"

	"github.com/beevik/etree"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml"
	"github.com/logintrust/saml/samltest"
)

func publicKeyOf(t testing.TB, key crypto.PublicKey) saml.PublicKey {
	t.Helper()
	k, err := saml.NewPublicKey(key)
	require.NoError(t, err)
	return k
}

func parseXML(t testing.TB, xml []byte) *etree.Document {
	t.Helper()
	doc := etree.NewDocument()
	require.NoError(t, doc.ReadFromBytes(xml))
	return doc
}

// withMethods puts elements behind the KeyInfo of a KeyDescriptor.
func withMethods(descriptor, methods string) string {
	return strings.Replace(descriptor, "</ds:KeyInfo>", "</ds:KeyInfo>"+methods, 1)
}

// shortCertificate holds a key that is too short.
func shortCertificate(t testing.TB) []byte {
	t.Helper()
	key := mustKey(t, "weak-rsa1024")
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), mustKey(t, "idp-rsa2048"))
	require.NoError(t, err)
	return der
}

// secretive makes a trust whose identity provider wants encrypted NameIDs.
func secretive(t testing.TB, idp *samltest.IdP) func(*saml.LoginTrust) {
	return func(trust *saml.LoginTrust) {
		trust.EncryptNameID = true
		trust.EncryptionKeys = []saml.PublicKey{pinned(t, idp.EncryptionCertificate()), pinned(t, idp.Certificate())}
	}
}

var wholeName = samltest.NameID{Value: "a&<b>é", Format: samltest.FormatPersistent, NameQualifier: "https://idp.example.com/metadata",
	SPNameQualifier: "https://sp.example.com/sso/metadata", SPProvidedID: "p"}

// The option encrypts the name in a logout request, by each binding, to a key of the identity provider, each time anew; in clear
// it is nowhere. Without the option it is in clear, keys or not.
//
// req: SDP-SP30 IIP-MD08 CORE-2.2.4-fresh
func TestEncryptedNameIDInLogoutRequest(t *testing.T) {
	t.Parallel()
	l := newLeaving(t)
	session := l.signIn("s1", func(a *samltest.Answer) { a.Assertion().Subject.NameID = &wholeName })
	l.setTrust(func(trust *saml.LoginTrust) {
		trust.EncryptionKeys = []saml.PublicKey{pinned(t, l.idp.EncryptionCertificate())}
	})
	_, got := l.ask(session, saml.LogoutOptions{})
	assert.Equal(t, wholeName, got.NameID, "keys are no wish")

	l.setTrust(secretive(t, l.idp))
	seen := map[string]bool{}
	for _, binding := range []saml.Binding{saml.RedirectBinding, saml.POSTBinding, saml.POSTBinding} {
		_, got := l.ask(session, saml.LogoutOptions{Binding: binding})
		assert.Zero(t, got.NameID)
		assert.NotContains(t, string(got.XML), "é")
		assert.NotContains(t, string(got.XML), "NameQualifier")
		assert.Equal(t, []string{"s1"}, got.SessionIndexes)
		name, err := l.idp.OpenNameID(got.XML)
		require.NoError(t, err)
		assert.Equal(t, wholeName, name)
		_, err = otherIdP(t).OpenNameID(got.XML)
		require.Error(t, err)
		doc := parseXML(t, got.XML)
		for _, e := range doc.FindElements("//CipherValue") {
			assert.False(t, seen[e.Text()], "the same ciphertext again")
			seen[e.Text()] = true
		}
	}
	assert.Len(t, seen, 6)

	soap := newSOAPLeaving(t)
	soap.setTrust(secretive(t, soap.idp))
	session = soap.session()
	_, err := soap.sp.LogoutBySOAP(t.Context(), session, saml.LogoutOptions{})
	require.NoError(t, err)
	name, err := soap.idp.OpenNameID(soap.asked[0].XML)
	require.NoError(t, err)
	assert.Equal(t, session.NameID.Value, name.Value)
}

// The same for the user that an AuthnRequest asks for.
//
// req: SDP-SP30
func TestEncryptedSubjectInAuthnRequest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	edit := w.trust()
	secretive(t, w.idp)(&edit)
	w.trusts.Set(edit)
	subject := saml.NameID(wholeName)
	for _, binding := range []saml.Binding{saml.RedirectBinding, saml.POSTBinding} {
		started, err := w.sp.Request(t.Context(), w.trust(), saml.StartOptions{Binding: binding, Subject: &subject})
		require.NoError(t, err)
		var request samltest.Request
		if started.URL != "" {
			request = mustRequest(t, started.URL)
		} else {
			form := url.Values{}
			for name, value := range started.Fields {
				form.Set(name, value)
			}
			request, err = samltest.ParseForm(form)
			require.NoError(t, err)
		}
		assert.NotContains(t, string(request.XML), "é")
		name, err := w.idp.OpenNameID(request.XML)
		require.NoError(t, err)
		assert.Equal(t, wholeName, name)

		// The answer is held against the name all the same.
		answer := w.idp.Answer(request)
		login, err := w.post(answer, started.BrowserKey)
		refused(t, saml.OtherSubject, login, err)
		answer.Assertion().Subject.NameID = &wholeName
		login, err = w.post(answer, started.BrowserKey)
		accepted(t, login, err)
	}
}

// What cannot be encrypted does not go in clear.
//
// req: SDP-SP30 IIP-MD10
func TestNameIDIsNeverInClearAgainstTheOption(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*saml.LoginTrust){
		"no key":       func(trust *saml.LoginTrust) { trust.EncryptionKeys = nil },
		"an empty key": func(trust *saml.LoginTrust) { trust.EncryptionKeys = make([]saml.PublicKey, 1) },
		"a short key": func(trust *saml.LoginTrust) {
			trust.EncryptionKeys[0] = publicKeyOf(t, mustKey(t, "weak-rsa1024").Public())
		},
		"CBC only": func(trust *saml.LoginTrust) {
			trust.EncryptionMethods = []string{"http://www.w3.org/2001/04/xmlenc#aes256-cbc"}
		},
		"RSA 1.5 only": func(trust *saml.LoginTrust) {
			trust.EncryptionMethods = []string{"http://www.w3.org/2001/04/xmlenc#rsa-1_5"}
		},
		"Triple DES": func(trust *saml.LoginTrust) {
			trust.EncryptionMethods = []string{"http://www.w3.org/2001/04/xmlenc#tripledes-cbc"}
		},
		"GCM, RSA 1.5": func(trust *saml.LoginTrust) {
			trust.EncryptionMethods = []string{"http://www.w3.org/2009/xmlenc11#aes128-gcm", "http://www.w3.org/2001/04/xmlenc#rsa-1_5"}
		},
	} {
		l := newLeaving(t)
		session := l.signIn("s1")
		l.setTrust(secretive(t, l.idp))
		l.setTrust(change)
		started, err := l.sp.LogoutRequest(t.Context(), session, saml.LogoutOptions{})
		require.Error(t, err, name)
		assert.NotErrorIs(t, err, saml.ErrNoSingleLogout)
		assert.Nil(t, started)
		trust := l.trust()
		assert.Equal(t, len(trust.EncryptionMethods) > 0, errors.Is(err, saml.ErrNoAlgorithm), name)
		require.Error(t, trust.Check(), name)
		subject := session.NameID
		started, err = l.sp.Request(t.Context(), trust, saml.StartOptions{Subject: &subject})
		require.Error(t, err, name)
		assert.Nil(t, started)
		_, err = l.sp.Request(t.Context(), trust, saml.StartOptions{})
		require.NoError(t, err, "a request without name")
	}
}

// The algorithms are those that the identity provider declares, in its order.
//
// req: IIP-MD10
func TestEncryptionMethods(t *testing.T) {
	t.Parallel()
	l := newLeaving(t)
	session := l.signIn("s1")
	for _, c := range []struct {
		declared         []string
		block, transport string
	}{
		{nil, "aes256-gcm", "rsa-oaep-mgf1p"},
		{[]string{"urn:x"}, "aes256-gcm", "rsa-oaep-mgf1p"},
		{[]string{"http://www.w3.org/2001/04/xmlenc#aes128-cbc", "http://www.w3.org/2009/xmlenc11#aes128-gcm", "http://www.w3.org/2009/xmlenc11#aes256-gcm"}, "aes128-gcm", "rsa-oaep-mgf1p"},
		{[]string{"http://www.w3.org/2009/xmlenc11#rsa-oaep", "http://www.w3.org/2001/04/xmlenc#rsa-1_5"}, "aes256-gcm", "rsa-oaep"},
	} {
		l.setTrust(secretive(t, l.idp))
		l.setTrust(func(trust *saml.LoginTrust) { trust.EncryptionMethods = c.declared })
		_, got := l.ask(session, saml.LogoutOptions{})
		var used []string
		for _, e := range parseXML(t, got.XML).FindElements("//EncryptionMethod") {
			uri, err := url.Parse(e.SelectAttrValue("Algorithm", ""))
			require.NoError(t, err)
			used = append(used, uri.Fragment)
		}
		if fips140.Enforced() { // which forbids the mask with SHA-1
			c.transport = "rsa-oaep"
		}
		assert.Equal(t, []string{c.block, c.transport}, used)
		_, err := l.idp.OpenNameID(got.XML)
		require.NoError(t, err)
	}
}

// A key for encryption verifies nothing, and one for signatures encrypts nothing unless metadata says so.
//
// req: SG-USE IIP-MD11
func TestEncryptionKeysFromMetadata(t *testing.T) {
	t.Parallel()
	idp := samltest.NewIdP(t)
	trust, err := saml.TrustFromMetadata(idp.Metadata(), "", now)
	require.NoError(t, err)
	assert.Equal(t, []saml.PublicKey{pinned(t, idp.Certificate())}, trust.Keys)
	assert.Equal(t, []saml.PublicKey{pinned(t, idp.EncryptionCertificate())}, trust.EncryptionKeys)
	assert.False(t, trust.EncryptNameID, "nobody has asked for that")

	// Signed with the key for encryption.
	w := newWorld(t)
	edit := w.trust()
	edit.EncryptionKeys = []saml.PublicKey{pinned(t, otherIdP(t).Certificate())}
	w.trusts.Set(edit)
	started, request := w.start(saml.StartOptions{})
	answer := w.idp.Answer(request)
	answer.Seal = otherIdP(t).Seal()
	login, err := w.post(answer, started.BrowserKey)
	refused(t, saml.BadSignature, login, err)

	const methods = `<md:EncryptionMethod Algorithm="http://www.w3.org/2009/xmlenc11#aes128-gcm"/><md:EncryptionMethod Algorithm="x"/>`
	cert, other := idp.Certificate(), otherIdP(t).Certificate()
	for name, c := range map[string]struct {
		keys    string
		encrypt []saml.PublicKey
		methods []string
	}{
		"without use":                 {keyDescriptor("", cert), []saml.PublicKey{pinned(t, cert)}, nil},
		"for signing":                 {keyDescriptor(` use="signing"`, cert), nil, nil},
		"one for each":                {keyDescriptor(` use="signing"`, cert) + keyDescriptor(` use="encryption"`, other), []saml.PublicKey{pinned(t, other)}, nil},
		"two, and one twice":          {keyDescriptor("", cert) + keyDescriptor(` use="encryption"`, other) + keyDescriptor(` use="encryption"`, other), []saml.PublicKey{pinned(t, cert), pinned(t, other)}, nil},
		"another use":                 {keyDescriptor(` use="signing"`, cert) + keyDescriptor(` use="other"`, other), nil, nil},
		"methods":                     {withMethods(keyDescriptor("", cert), methods), []saml.PublicKey{pinned(t, cert)}, []string{"http://www.w3.org/2009/xmlenc11#aes128-gcm"}},
		"methods of a key that signs": {withMethods(keyDescriptor(` use="signing"`, cert), methods), nil, nil},
		"a short key, and unreadable": {keyDescriptor(` use="signing"`, cert) + keyDescriptor(` use="encryption"`, shortCertificate(t)) + keyDescriptor(` use="encryption"`, []byte("junk")), nil, nil},
	} {
		trust, err := saml.TrustFromMetadata([]byte(entity("https://one", saml2, c.keys+sso(redirect, "https://idp/r"))), "", now)
		require.NoError(t, err, name)
		assert.Equal(t, []saml.PublicKey{pinned(t, cert)}, trust.Keys, name)
		assert.Equal(t, c.encrypt, trust.EncryptionKeys, name)
		assert.Equal(t, c.methods, trust.EncryptionMethods, name)
	}
}

// A rollover of the key for encryption is a decision of its own, and no login depends on it.
func TestEncryptionKeyRollover(t *testing.T) {
	t.Parallel()
	old, next := idpNamed(t, "old"), idpNamed(t, "next")
	signing := keyDescriptor(` use="signing"`, old.Certificate())
	xml := func(keys string) string {
		return entity("https://one", saml2, signing+keys+sso(redirect, "https://idp/r"))
	}
	trust := proposalOf(t, xml(keyDescriptor(` use="encryption"`, old.Certificate()))).Trust
	trust.EncryptNameID = true
	require.NoError(t, trust.Check())
	list, err := trust.Compare(proposalOf(t, xml(keyDescriptor(` use="encryption"`, next.Certificate()))))
	require.NoError(t, err)
	require.Equal(t, []saml.DifferenceKind{saml.AddEncryptionKey, saml.RemoveEncryptionKey}, kinds(list))
	_, err = list[1].Apply(trust)
	require.ErrorContains(t, err, "EncryptNameID", "the last one, while it is needed")
	trust, err = list[0].Apply(trust)
	require.NoError(t, err)
	_, err = list[0].Apply(trust)
	require.ErrorContains(t, err, "compare again")
	trust, err = list[1].Apply(trust)
	require.NoError(t, err)
	assert.Equal(t, []saml.PublicKey{pinned(t, next.Certificate())}, trust.EncryptionKeys)
	assert.Equal(t, []saml.PublicKey{pinned(t, old.Certificate())}, trust.Keys)

	list, err = trust.Compare(proposalOf(t, xml("")))
	require.NoError(t, err)
	require.Equal(t, []saml.DifferenceKind{saml.RemoveEncryptionKey}, kinds(list))
	trust.EncryptNameID = false
	trust, err = list[0].Apply(trust)
	require.NoError(t, err)
	assert.Empty(t, trust.EncryptionKeys)

	methods := withMethods(keyDescriptor(` use="encryption"`, next.Certificate()), `<md:EncryptionMethod Algorithm="urn:x"/>`)
	list, err = trust.Compare(proposalOf(t, xml(methods)))
	require.NoError(t, err)
	require.Equal(t, []saml.DifferenceKind{saml.AddEncryptionKey, saml.ChangeEncryptionMethods}, kinds(list))
	for _, d := range list {
		trust, err = d.Apply(trust)
		require.NoError(t, err)
	}
	assert.Equal(t, []string{"urn:x"}, trust.EncryptionMethods)
}
