package replay_test

import (
	"fmt"
	"time"

	"github.com/beevik/etree"

	"github.com/logintrust/saml/samltest"
)

const other = "https://other.example.com/metadata"

// acceptVectors are logins that must work: a library that refuses them fails its users.
func (w *world) acceptVectors() []*vector {
	accept := func(name, description, ref string, change func(v *vector, a *samltest.Answer)) *vector {
		w.t.Helper()
		return w.login("accept-"+name, "accept", description, "", []string{ref}, change)
	}
	signed := func(parts samltest.Parts) func(*vector, *samltest.Answer) {
		return func(_ *vector, a *samltest.Answer) { a.Sign = parts }
	}
	confirmation := func(a *samltest.Answer) *samltest.Confirmation { return &a.Assertion().Subject.Confirmations[0] }
	return []*vector{
		accept("assertion-signed", "The ordinary login: the assertion is signed.", "SAML Profiles 4.1.4.2", nil),
		accept("response-signed", "The Response is signed, its assertion is not.", "SAML Profiles 4.1.4.5", signed(samltest.SignResponse)),
		accept("both-signed", "Assertion and Response are signed.", "SAML Profiles 4.1.4.5", signed(samltest.SignResponse|samltest.SignAssertion)),
		accept("ecdsa-p256", "Signed with an EC key: r and s, not DER.", "XML Signature 1.1, 6.4.3", func(v *vector, a *samltest.Answer) {
			a.Seal = w.seal("idp-p256")
			v.IdPMetadata = metadata(idpEntityID, "", keyDescriptor("signing", a.Seal.Certificate))
		}),
		accept("rsa-sha512", "RSA and digest with SHA-512.", "RFC 6931 2.3.4", func(_ *vector, a *samltest.Answer) {
			a.Seal.Method, a.Seal.Digest = samltest.RSASHA512, samltest.SHA512
		}),
		accept("idp-initiated", "Nobody asked, and the trust admits that.", "SAML Profiles 4.1.5", func(v *vector, a *samltest.Answer) {
			v.SP.AllowIdPInitiated = true
			unsolicited(v, a)
		}),
		accept("no-destination", "An unsigned Response needs no Destination.", "SAML Bindings 3.5.5.2", func(_ *vector, a *samltest.Answer) { a.Destination = "" }),
		accept("no-response-issuer", "An unsigned Response needs no Issuer.", "SAML Profiles 4.1.4.2, erratum E17", func(_ *vector, a *samltest.Answer) { a.Issuer = nil }),
		accept("default-namespaces", "No prefixes: default namespaces that change on the way down.", "Exclusive XML Canonicalization 2.4",
			func(_ *vector, a *samltest.Answer) { a.Style, a.Seal.Prefix = samltest.Style{}, "" }),
		accept("pretty", "Line breaks and indentation, which are signed too.", "XML Signature 1.1, 8.1",
			func(_ *vector, a *samltest.Answer) { a.Style.Pretty, a.Style.Declaration = true, true }),
		accept("prefix-list", "An InclusiveNamespaces PrefixList that names a prefix only values use.", "Exclusive XML Canonicalization 2.1",
			func(_ *vector, a *samltest.Answer) {
				a.Seal.Prefixes = []string{"xs"}
				a.Assertion().Attributes[0].Values[0].Type = "xs:string"
			}),
		accept("escaped-values", "Values with quotes, angle brackets and ampersands.", "XML 1.0, 2.4", func(v *vector, a *samltest.Answer) {
			const odd = `Bob "Bobby" & Co <b>`
			a.Assertion().Attributes[0] = samltest.Attr("firstname", odd)
			v.Attributes["firstname"] = []string{odd}
		}),
		accept("comment-in-name", "A comment put into a NameID after signing does not cut it short.", "CVE-2017-11427", func(v *vector, a *samltest.Answer) {
			v.NameID = new("admin@example.com.evil.example.net")
			a.Assertion().Subject.NameID.Value = *v.NameID
			a.AfterSign = func(response *etree.Element) {
				name := response.FindElement("//NameID")
				name.SetText("admin@example.com")
				name.CreateComment("x")
				name.CreateText(".evil.example.net")
			}
		}),
		accept("audience-last", "Of several Audiences in one restriction the last is ours.", "SAML Core 2.5.1.4", func(_ *vector, a *samltest.Answer) {
			a.Assertion().Conditions.Audiences = [][]string{{other, "urn:x", spEntityID}}
		}),
		accept("audience-first", "Of several Audiences in one restriction the first is ours.", "SAML Core 2.5.1.4", func(_ *vector, a *samltest.Answer) {
			a.Assertion().Conditions.Audiences = [][]string{{spEntityID, other}}
		}),
		accept("two-restrictions", "Two AudienceRestrictions, both met.", "SAML Core 2.5.1.4, erratum E46", func(_ *vector, a *samltest.Answer) {
			a.Assertion().Conditions.Audiences = [][]string{{spEntityID}, {other, spEntityID}}
		}),
		accept("second-confirmation", "One good bearer confirmation is enough, behind a holder-of-key one.", "SAML Profiles 4.1.4.2, erratum E26",
			func(_ *vector, a *samltest.Answer) {
				hok := *confirmation(a)
				hok.Method = samltest.HolderOfKey
				a.Assertion().Subject.Confirmations = append([]samltest.Confirmation{hok}, *confirmation(a))
			}),
		accept("second-recipient", "One good bearer confirmation is enough, behind one for another recipient.", "SAML Profiles 4.1.4.2, erratum E26",
			func(_ *vector, a *samltest.Answer) {
				elsewhere := *confirmation(a)
				elsewhere.Recipient = "https://other.example.com/acs"
				a.Assertion().Subject.Confirmations = append([]samltest.Confirmation{elsewhere}, *confirmation(a))
			}),
		accept("known-conditions", "OneTimeUse and ProxyRestriction are understood.", "SAML Core 2.5.1.5, 2.5.1.6", func(_ *vector, a *samltest.Answer) {
			a.Assertion().Conditions.OneTimeUse = 1
			a.Assertion().Conditions.ProxyRestriction = &samltest.ProxyRestriction{Count: "0"}
		}),
		accept("expired-certificate", "The pinned key came in a certificate that expired long ago; only the key counts.",
			"SAML V2.0 Metadata Interoperability Profile 2.6.1", func(v *vector, a *samltest.Answer) {
				a.Seal.Certificate = nil
				v.IdPMetadata = metadata(idpEntityID, "", keyDescriptor("signing", oldCertificate(w.t, a.Seal.Key)))
			}),
		accept("key-rollover", "Two keys on file; the second signed, and the message has no KeyInfo.", "SAML V2.0 Metadata Interoperability Profile 2.6.1",
			func(v *vector, a *samltest.Answer) {
				next := w.seal("next-rsa2048")
				v.IdPMetadata = metadata(idpEntityID, "", keyDescriptor("signing", a.Seal.Certificate), keyDescriptor("signing", next.Certificate))
				a.Seal, a.Seal.Certificate = next, nil
			}),
		accept("foreign-key-info", "The key in the message is another's; the pinned key signed.", "SAML Core 5.4.5", func(_ *vector, a *samltest.Answer) {
			a.Seal.Certificate = w.mallory.Certificate
		}),
		accept("many-groups", "A user in more than a thousand groups.", "DESIGN.md section 3", func(v *vector, a *samltest.Answer) {
			var groups []string
			for i := range 1200 {
				groups = append(groups, fmt.Sprintf("g%d", i))
			}
			a.Assertion().Attributes = append(a.Assertion().Attributes, samltest.Attr("groups", groups...))
			v.Attributes["groups"] = groups
		}),
		accept("sha1-allowed", "SHA-1, by a trust that allows it.", "DESIGN.md section 9, number 2", func(v *vector, a *samltest.Answer) {
			a.Seal.Method, a.Seal.Digest = samltest.RSASHA1, samltest.SHA1
			v.SP.Allow = []string{"AllowSHA1"}
		}),
		accept("rsa1024-allowed", "A short key, by a trust that allows it.", "DESIGN.md section 9, number 2", func(v *vector, a *samltest.Answer) {
			a.Seal = w.seal("weak-rsa1024")
			v.IdPMetadata = metadata(idpEntityID, "", keyDescriptor("signing", a.Seal.Certificate))
			v.SP.Allow = []string{"AllowRSA1024"}
		}),
		accept("inclusive-allowed", "Inclusive canonicalisation, by a trust that allows it.", "DESIGN.md section 9, number 8", func(v *vector, a *samltest.Answer) {
			a.Seal.C14N = samltest.Inclusive
			v.SP.Allow = []string{"AllowInclusiveC14NReference"}
		}),
		accept("unknown-in-response-to-allowed", "An InResponseTo that the identity provider invented, by a trust that allows it.", "DESIGN.md section 9, number 2",
			func(v *vector, _ *samltest.Answer) {
				v.RequestID = ""
				v.SP.AllowIdPInitiated, v.SP.Allow = true, []string{"AllowUnknownInResponseTo"}
			}),
		accept("no-name-id", "A subject that only attributes name.", "SAML Core 2.4.1", func(v *vector, a *samltest.Answer) {
			a.Assertion().Subject.NameID = nil
			v.NameID, v.NameIDFormat = new(""), nil
		}),
		accept("no-format", "A NameID without Format is unspecified.", "SAML Core 8.3.1", func(v *vector, a *samltest.Answer) {
			a.Assertion().Subject.NameID.Format = ""
			v.NameIDFormat = new(samltest.FormatUnspecified)
		}),
		accept("no-attributes", "An assertion without AttributeStatement.", "SAML Profiles 4.1.4.2", func(v *vector, a *samltest.Answer) {
			a.Assertion().Attributes = nil
			v.Attributes = map[string][]string{}
		}),
		accept("not-before-within-skew", "An identity provider whose clock is two minutes ahead.", "SAML Core 2.5.1.2", func(_ *vector, a *samltest.Answer) {
			a.Assertion().Conditions.NotBefore = at(2 * time.Minute)
		}),
	}
}
