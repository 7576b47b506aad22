package replay_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml/internal/replay"
	"github.com/logintrust/saml/samltest"
)

// now is the clock of all cases.
var now = time.Date(2026, 3, 14, 15, 9, 26, 0, time.UTC)

// at is the time so far from now, as a message has it.
func at(d time.Duration) string { return samltest.Time(now.Add(d)) }

// clock is the time so far from now, as a case has it.
func clock(d time.Duration) string { return now.Add(d).Format(time.RFC3339Nano) }

const (
	spEntityID  = "https://sp.example.com/sso/metadata"
	acsURL      = "https://sp.example.com/sso/acs"
	idpEntityID = "https://idp.example.com/metadata"
	requestID   = "_request"
	directory   = "../../testdata"
)

// A vector is a case with what is expected of it, as a file under testdata/vectors has it.
type vector struct {
	Name         string   `json:"name"`
	Class        string   `json:"class"`
	Description  string   `json:"description"`
	Refs         []string `json:"refs"`
	Kind         string   `json:"kind"`
	Now          string   `json:"now"`
	SP           sp       `json:"sp"`
	IdPEntityID  string   `json:"idpEntityID"`
	IdPMetadata  string   `json:"idpMetadata"`
	RequestID    string   `json:"requestID"`
	SAMLResponse *string  `json:"samlResponse,omitempty"`
	SAMLRequest  *string  `json:"samlRequest,omitempty"`
	Query        *string  `json:"query,omitempty"`
	RelayState   string   `json:"relayState,omitempty"`
	Sequence     []step   `json:"sequence,omitempty"`

	Expect       replay.Verdict      `json:"expect"`
	Reason       string              `json:"reason,omitempty"`
	NameID       *string             `json:"nameID,omitempty"`
	NameIDFormat *string             `json:"nameIDFormat,omitempty"`
	Attributes   map[string][]string `json:"attributes,omitzero"`
	Redirect     *string             `json:"redirect,omitempty"`
	SSOURL       *string             `json:"ssoURL,omitempty"`
	CertSHA256   []string            `json:"certSHA256,omitzero"`

	random bool // its octets come out otherwise each time, as ciphertexts do
}

type sp struct {
	EntityID                   string   `json:"entityID"`
	ACSURL                     string   `json:"acsURL"`
	SLOURL                     string   `json:"sloURL,omitempty"`
	AllowIdPInitiated          bool     `json:"allowIdPInitiated,omitempty"`
	ClockSkewSeconds           *float64 `json:"clockSkewSeconds,omitempty"`
	RequireEncryptedAssertions bool     `json:"requireEncryptedAssertions,omitempty"`
	DecryptionKeyPEM           string   `json:"decryptionKeyPEM,omitempty"`
	DecryptionCertPEM          string   `json:"decryptionCertPEM,omitempty"`
	OldDecryptionKeyPEM        string   `json:"oldDecryptionKeyPEM,omitempty"`
	OldDecryptionCertPEM       string   `json:"oldDecryptionCertPEM,omitempty"`
	MetadataTrustCertPEM       string   `json:"metadataTrustCertPEM,omitempty"`
	RelayStateAllowedHosts     []string `json:"relayStateAllowedHosts,omitempty"`
	Allow                      []string `json:"allow,omitempty"`
}

type step struct {
	SAMLResponse string         `json:"samlResponse"`
	RelayState   string         `json:"relayState,omitempty"`
	Now          string         `json:"now"`
	RequestID    string         `json:"requestID"`
	Expect       replay.Verdict `json:"expect"`
}

// line is the vector as it is replayed, and as its file has it.
func (v *vector) line(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	require.NoError(t, e.Encode(v))
	return b.Bytes()
}

// A world is the identity provider that the cases are about, and everybody's keys.
type world struct {
	t       testing.TB
	idp     *samltest.IdP
	mallory samltest.Seal
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t: t, idp: newIdP(t, "idp-rsa2048")}
	w.mallory = w.seal("mallory-rsa2048")
	return w
}

// newIdP is the identity provider with another of its keys.
func newIdP(t testing.TB, key string) *samltest.IdP {
	t.Helper()
	idp, err := samltest.New(samltest.Options{EntityID: idpEntityID, Key: privateKey(t, key), Now: func() time.Time { return now }})
	require.NoError(t, err)
	return idp
}

func (w *world) seal(key string) samltest.Seal {
	w.t.Helper()
	return newIdP(w.t, key).Seal()
}

// keyText is a private key as its file has it.
func keyText(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(directory, "keys", name+".TEST-ONLY.key.pem"))
	require.NoError(t, err)
	return string(text)
}

func privateKey(t testing.TB, name string) crypto.Signer {
	t.Helper()
	block, _ := pem.Decode([]byte(keyText(t, name)))
	require.NotNil(t, block)
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	require.NoError(t, err)
	if ec, ok := key.(*ecdsa.PrivateKey); ok {
		return deterministic{ec}
	}
	return key.(crypto.Signer)
}

// deterministic signs by RFC 6979, so that vectors come out the same each time.
type deterministic struct{ *ecdsa.PrivateKey }

func (d deterministic) Sign(_ io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	return d.PrivateKey.Sign(nil, digest, opts)
}

// oldCertificate wraps a key in a certificate that expired long ago.
func oldCertificate(t testing.TB, key crypto.Signer) []byte {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: "expired"},
		NotBefore: time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2002, 1, 1, 0, 0, 0, 0, time.UTC)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	return der
}

func certificatePEM(der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// answer is a good answer to the request, of which every octet is known beforehand.
func (w *world) answer(id string) *samltest.Answer {
	return fixed(w.idp.Answer(samltest.Request{ID: id, SPEntityID: spEntityID, ACSURL: acsURL}), "")
}

// fixed gives an answer IDs that are the same each time.
func fixed(a *samltest.Answer, suffix string) *samltest.Answer {
	a.ID = "_response" + suffix
	for _, assertion := range a.Assertions {
		assertion.ID = "_assertion" + suffix
		assertion.Statements[0].SessionIndex = "_session" + suffix
	}
	return a
}

// metadata describes an identity provider with these signing keys; elements stand before its endpoints.
func metadata(entityID, attributes string, keys ...string) string {
	return fmt.Sprintf(`<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" xmlns:ds="http://www.w3.org/2000/09/xmldsig#" entityID="%s"%s>`+
		`<md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">%s`+
		`<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://idp.example.com/post"/>`+
		`<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://idp.example.com/sso"/>`+
		`</md:IDPSSODescriptor></md:EntityDescriptor>`, entityID, attributes, strings.Join(keys, ""))
}

// aggregate is a federation of these entities.
func aggregate(attributes string, entities ...string) string {
	return fmt.Sprintf(`<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata"%s>%s</md:EntitiesDescriptor>`,
		attributes, strings.Join(entities, "\n"))
}

// keyDescriptor is a certificate in metadata, for a use or, if that is "", for any.
func keyDescriptor(use string, certificate []byte) string {
	if use != "" {
		use = ` use="` + use + `"`
	}
	return fmt.Sprintf(`<md:KeyDescriptor%s><ds:KeyInfo><ds:X509Data><ds:X509Certificate>%s</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>`,
		use, base64.StdEncoding.EncodeToString(certificate))
}

func (w *world) metadata() string {
	return metadata(idpEntityID, "", keyDescriptor("signing", w.idp.Certificate()))
}

// signMetadata signs the root of a document; change edits what was signed.
func (w *world) signMetadata(xml string, seal samltest.Seal, change func(root *etree.Element)) string {
	w.t.Helper()
	doc := etree.NewDocument()
	require.NoError(w.t, doc.ReadFromString(xml))
	doc.Root().CreateAttr("ID", "_metadata")
	require.NoError(w.t, seal.Enveloped(doc.Root()))
	if change != nil {
		change(doc.Root())
	}
	text, err := doc.WriteToString()
	require.NoError(w.t, err)
	return text
}

// login is a case of one post. change edits the case and the answer before that is written.
func (w *world) login(name, class, description string, reason string, refs []string, change func(v *vector, a *samltest.Answer)) *vector {
	w.t.Helper()
	v := &vector{Name: name, Class: class, Description: description, Refs: refs, Kind: "post-response", Now: clock(0),
		SP: sp{EntityID: spEntityID, ACSURL: acsURL}, IdPEntityID: idpEntityID, IdPMetadata: w.metadata(), RequestID: requestID,
		Expect: replay.Reject, Reason: reason}
	if reason == "" {
		v.Expect = replay.Accept
		v.NameID, v.NameIDFormat = new("alice"), new(samltest.FormatPersistent)
		v.Attributes = map[string][]string{"firstname": {"Alice"}, "lastname": {"Smith"}, "email": {"alice@example.com"}}
	}
	a := w.answer(requestID)
	if change != nil {
		change(v, a)
	}
	if v.SAMLResponse == nil && v.Sequence == nil {
		v.SAMLResponse = new(a.Encode())
	}
	return v
}

// unsolicited makes an answer one that nobody asked for.
func unsolicited(v *vector, a *samltest.Answer) {
	v.RequestID, a.InResponseTo = "", ""
	for i := range a.Assertion().Subject.Confirmations {
		a.Assertion().Subject.Confirmations[i].InResponseTo = ""
	}
}
