package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"github.com/logintrust/saml/samltest"
)

const (
	base = "https://sp.example.com"
	acs  = base + "/sso/acs"
	spID = base + "/sso/metadata"
)

// A work is one response that all contenders validate.
type work struct {
	name          string
	target, never float64 // ratios to the floor: DESIGN.md section 7
	idp           *samltest.IdP
	key           crypto.Signer
	signatures    int
	opening       *rsa.PrivateKey // what opens the assertion; nil if it is not encrypted
	posted        string          // base64
	message       []byte
	requestID     string
}

func allWorks() ([]work, error) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	opening, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	plans := []struct {
		name          string
		target, never float64
		key           crypto.Signer
		sign          samltest.Parts
		signatures    int
		values        int
		encrypted     bool
	}{
		{"6 KB, assertion signed", 1.5, 2.0, rsaKey, samltest.SignAssertion, 1, 0, false},
		{"6 KB, both signed", 1.35, 1.7, rsaKey, samltest.SignResponse | samltest.SignAssertion, 2, 0, false},
		{"300 group values", 3, 4, rsaKey, samltest.SignAssertion, 1, 300, false},
		{"5000 group values", 0, 0, rsaKey, samltest.SignAssertion, 1, 5000, false},
		{"6 KB, ECDSA P-256", 1.25, 1.5, ecKey, samltest.SignAssertion, 1, 0, false},
		{"6 KB, encrypted", 1.05, 1.1, rsaKey, samltest.SignAssertion, 1, 0, true},
	}
	works := make([]work, 0, len(plans))
	for _, p := range plans {
		w := work{name: p.name, target: p.target, never: p.never, key: p.key, signatures: p.signatures, requestID: "_" + strings.Repeat("a1", 20)}
		if w.idp, err = samltest.New(samltest.Options{EntityID: "https://idp.example.com/metadata", Key: p.key}); err != nil {
			return nil, err
		}
		a := w.idp.Answer(samltest.Request{ID: w.requestID, ACSURL: acs, SPEntityID: spID})
		a.Sign = p.sign
		if p.values > 0 {
			groups := make([]string, p.values)
			for i := range groups {
				groups[i] = fmt.Sprintf("CN=application-%04d-users,OU=Groups,OU=Clinical,DC=hospital,DC=example,DC=com", i)
			}
			a.Assertion().Attributes = append(a.Assertion().Attributes, samltest.Attr("groups", groups...))
		} else {
			fill(a, 6<<10)
		}
		if p.encrypted {
			// AES-256-GCM and RSA-OAEP-MGF1P; the digest is written out, since not everybody knows the default.
			w.opening = opening
			a.Encrypt = []samltest.Encryption{{Key: opening.Public(), Digest: crypto.SHA1}}
		}
		w.message = a.XML()
		w.posted = base64.StdEncoding.EncodeToString(w.message)
		works = append(works, w)
	}
	return works, nil
}

// fill adds attributes of the ordinary kind until the message has that many octets.
func fill(a *samltest.Answer, octets int) {
	for i := 0; len(a.XML()) < octets; i++ {
		name := fmt.Sprintf("http://schemas.xmlsoap.org/ws/2005/05/identity/claims/extra%02d", i)
		a.Assertion().Attributes = append(a.Assertion().Attributes, samltest.Attr(name, "a value of the ordinary kind, "+time.Duration(i).String()))
	}
}
