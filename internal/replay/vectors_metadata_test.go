package replay_test

import (
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"math/big"
	"strings"
	"time"

	"github.com/beevik/etree"

	"github.com/logintrust/saml/internal/replay"
	"github.com/logintrust/saml/samltest"
)

func sum(certificate []byte) string {
	s := sha256.Sum256(certificate)
	return hex.EncodeToString(s[:])
}

// rsaKeyValue is a bare key in metadata.
func rsaKeyValue(key *rsa.PublicKey) string {
	b64 := base64.StdEncoding.EncodeToString
	return `<md:KeyDescriptor><ds:KeyInfo><ds:KeyValue><ds:RSAKeyValue><ds:Modulus>` + b64(key.N.Bytes()) + `</ds:Modulus><ds:Exponent>` +
		b64(big.NewInt(int64(key.E)).Bytes()) + `</ds:Exponent></ds:RSAKeyValue></ds:KeyValue></ds:KeyInfo></md:KeyDescriptor>`
}

func (w *world) metadataVectors() []*vector {
	idp, next, federation := w.idp.Certificate(), w.seal("next-rsa2048"), w.seal("federation-rsa2048")
	own, others := w.metadata(), metadata(other, "", keyDescriptor("", next.Certificate))
	until := func(d time.Duration) string { return ` validUntil="` + at(d) + `"` }

	describe := func(name, description, ref, xml string, certificates ...string) *vector {
		v := &vector{Name: "metadata-" + name, Class: "metadata", Description: description, Refs: []string{ref}, Kind: "metadata", Now: clock(0),
			SP: sp{EntityID: spEntityID, ACSURL: acsURL}, IdPEntityID: idpEntityID, IdPMetadata: xml, Expect: replay.Reject, Reason: replay.BadMetadata}
		if certificates != nil {
			v.Expect, v.Reason = replay.Accept, ""
			v.SSOURL, v.CertSHA256 = new("https://idp.example.com/sso"), certificates
		}
		return v
	}
	unnamed := func(v *vector) *vector { v.IdPEntityID = ""; return v }
	signedBy := func(v *vector) *vector {
		v.SP.MetadataTrustCertPEM = certificatePEM(federation.Certificate)
		return v
	}
	postOnly := describe("post-only", "No endpoint for HTTP-Redirect.", "SAML Metadata 2.4.3", strings.ReplaceAll(own, "HTTP-Redirect", "HTTP-Artifact"), sum(idp))
	postOnly.SSOURL = new("")

	return []*vector{
		describe("entity", "One EntityDescriptor.", "SAML Metadata 2.3.2", own, sum(idp)),
		unnamed(describe("only-entity", "One EntityDescriptor, and nobody says which.", "SAML Metadata 2.3.2", own, sum(idp))),
		describe("aggregate", "The second entity of a federation.", "SAML Metadata 2.3.1", aggregate("", others, own), sum(idp)),
		describe("aggregate-in-aggregate", "An entity in a federation in a federation.", "SAML Metadata 2.3.1", aggregate("", others, aggregate("", own)), sum(idp)),
		describe("two-keys", "Two keys for signing, one for encryption, which is not pinned.", "SAML Metadata 2.4.1.1",
			metadata(idpEntityID, "", keyDescriptor("signing", idp), keyDescriptor("", next.Certificate), keyDescriptor("encryption", federation.Certificate)), sum(idp), sum(next.Certificate)),
		describe("bare-key", "A bare key.", "SAML V2.0 Metadata Interoperability Profile 2.6.1", metadata(idpEntityID, "", rsaKeyValue(next.Key.Public().(*rsa.PublicKey))), []string{}...),
		describe("valid", "Valid for a second more.", "SAML Metadata 2.3.2", metadata(idpEntityID, until(time.Second), keyDescriptor("signing", idp)), sum(idp)),
		describe("expired-certificate", "A key in a certificate that expired.", "SAML V2.0 Metadata Interoperability Profile 2.6.1",
			metadata(idpEntityID, "", keyDescriptor("signing", oldCertificate(w.t, w.idp.Seal().Key))), sum(oldCertificate(w.t, w.idp.Seal().Key))),
		postOnly,
		signedBy(describe("signed", "Signed with the key that vouches for metadata.", "SAML Metadata 3", w.signMetadata(own, federation, nil), sum(idp))),
		signedBy(describe("signed-aggregate", "A federation signed with the key that vouches for metadata.", "SAML Metadata 3", w.signMetadata(aggregate("", others, own), federation, nil), sum(idp))),
		describe("signature-not-asked-for", "Signed with a key that nobody asks for.", "SAML Metadata 3", w.signMetadata(own, w.mallory, nil), sum(idp)),

		describe("expired", "No longer valid.", "SAML Metadata 2.3.2", metadata(idpEntityID, until(0), keyDescriptor("signing", idp))),
		describe("aggregate-expired", "The federation is no longer valid.", "SAML Metadata 2.3.1", aggregate(until(-time.Hour), own)),
		describe("unknown-entity", "A federation that does not have the entity.", "SAML Metadata 2.3.1", aggregate("", others)),
		describe("entity-twice", "A federation that describes the entity twice.", "SAML Metadata 2.3.1", aggregate("", own, own)),
		unnamed(describe("several", "A federation, and nobody says which entity.", "SAML Metadata 2.3.1", aggregate("", others, own))),
		describe("no-key", "No key for signing.", "SAML Metadata 2.4.1.1", metadata(idpEntityID, "", keyDescriptor("encryption", idp))),
		describe("broken-key", "A key that is none.", "SAML Metadata 2.4.1.1", metadata(idpEntityID, "", keyDescriptor("signing", []byte("no key")))),
		describe("no-role", "A service provider, no identity provider.", "SAML Metadata 2.4.3", strings.ReplaceAll(own, "IDPSSODescriptor", "SPSSODescriptor")),
		describe("saml1", "An identity provider for SAML 1.1 only.", "SAML Metadata 2.4.1", strings.ReplaceAll(own, `"urn:oasis:names:tc:SAML:2.0:protocol"`, `"urn:oasis:names:tc:SAML:1.1:protocol"`)),
		describe("no-endpoint", "No endpoint for HTTP-Redirect or HTTP-POST.", "SAML Metadata 2.4.3", strings.ReplaceAll(own, "bindings:HTTP-", "bindings:X-")),
		describe("javascript-endpoint", "An endpoint that is no https URL.", "CWE-79", strings.ReplaceAll(own, `"https://idp.example.com/`, `"javascript:`)),
		describe("not-xml", "Not XML.", "XML 1.0, 2.1", "<html>"),
		describe("not-metadata", "XML, but not metadata.", "SAML Metadata 2.3", `<html xmlns="http://www.w3.org/1999/xhtml"/>`),
		describe("doctype", "A document type declaration.", "CWE-611", `<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]>`+own),
		signedBy(describe("unsigned", "Not signed, where a key must vouch.", "SAML Metadata 3", own)),
		signedBy(describe("signed-by-another", "Signed with another key than the one that must vouch.", "SAML Metadata 3", w.signMetadata(own, w.mallory, nil))),
		signedBy(describe("tampered", "An endpoint was changed after signing.", "SAML Metadata 3", w.signMetadata(own, federation, func(root *etree.Element) {
			root.FindElement("//SingleSignOnService").CreateAttr("Location", "https://evil.example.net/sso")
		}))),
		signedBy(describe("signed-inside", "Only an entity of the federation is signed, not all of it.", "SAML Metadata 3", aggregate("", w.signMetadata(own, federation, nil)))),
		signedBy(describe("signature-last", "The signature stands where the schema has none.", "SAML Metadata 2.3.2", w.signMetadata(own, federation, func(root *etree.Element) {
			signature := root.SelectElement("Signature")
			root.RemoveChild(signature)
			root.AddChild(signature)
		}))),
		signedBy(describe("signed-expired", "Signed, and no longer valid.", "SAML Metadata 2.3.2", w.signMetadata(metadata(idpEntityID, until(-time.Hour), keyDescriptor("signing", idp)), federation, nil))),

		w.login("metadata-login-expired", "metadata", "A login by metadata that is no longer valid.", replay.BadMetadata, []string{"SAML Metadata 2.3.2"}, func(v *vector, _ *samltest.Answer) {
			v.IdPMetadata = metadata(idpEntityID, until(-time.Hour), keyDescriptor("signing", idp))
		}),
		w.login("metadata-login-unsigned", "metadata", "A login by metadata that nobody vouches for.", replay.BadMetadata, []string{"SAML Metadata 3"}, func(v *vector, _ *samltest.Answer) {
			signedBy(v)
		}),
		w.login("metadata-login-signed", "metadata", "A login by a federation's signed metadata.", "", []string{"SAML Metadata 3"}, func(v *vector, _ *samltest.Answer) {
			v.IdPMetadata = w.signMetadata(aggregate("", others, own), federation, nil)
			signedBy(v)
		}),
	}
}
