package main

import (
	"context"
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"math/big"
	"net/url"
	"sync"
	"time"

	"github.com/beevik/etree"
	crewjam "github.com/crewjam/saml"
	gosaml2 "github.com/russellhaering/gosaml2"
	dsig "github.com/russellhaering/goxmldsig"

	"github.com/logintrust/saml"
)

const (
	floorName = "floor: cryptography alone"
	oursName  = "this library"
)

func (w work) contenders() []*contender {
	return []*contender{
		{name: floorName, once: w.floor()},
		{name: oursName, once: w.ours()},
		{name: "etree + goxmldsig alone", once: w.bare()},
		{name: "crewjam/saml", once: w.crewjam()},
		{name: "gosaml2", once: w.gosaml2()},
	}
}

// floor is what cannot be avoided: for each signature one operation with the public key, and one SHA-256 over the octets;
// for what is encrypted, one with the private key, and AES-GCM over them.
func (w work) floor() func() error {
	if w.opening != nil {
		return w.encryptedFloor()
	}
	return w.signedFloor()
}

func (w work) encryptedFloor() func() error {
	key := make([]byte, 32)
	wrapped, err := rsa.EncryptOAEP(sha1.New(), rand.Reader, &w.opening.PublicKey, key, nil)
	if err != nil {
		return func() error { return err }
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return func() error { return err }
	}
	gcm, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return func() error { return err }
	}
	content := gcm.Seal(nil, nil, make([]byte, base64.StdEncoding.DecodedLen(len(w.message))), nil)
	signed := w.signedFloor()
	return func() error {
		key, err := rsa.DecryptOAEP(sha1.New(), nil, w.opening, wrapped, nil)
		if err != nil {
			return err
		}
		block, err := aes.NewCipher(key)
		if err != nil {
			return err
		}
		gcm, err := cipher.NewGCMWithRandomNonce(block)
		if err != nil {
			return err
		}
		if _, err := gcm.Open(nil, nil, content, nil); err != nil {
			return err
		}
		return signed()
	}
}

func (w work) signedFloor() func() error {
	digest := sha256.Sum256(w.message)
	signature, err := w.key.Sign(rand.Reader, digest[:], crypto.SHA256)
	return func() error {
		for range w.signatures {
			sum := sha256.Sum256(w.message)
			switch key := w.key.Public().(type) {
			case *rsa.PublicKey:
				err = rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], signature)
			case *ecdsa.PublicKey:
				if !ecdsa.VerifyASN1(key, sum[:], signature) {
					err = errors.New("the signature does not verify")
				}
			}
		}
		return err
	}
}

// ours runs the whole of Validate, solicited, with every check and the state store. The same response comes again and
// again, so the store forgets what was spent and gives back the pending request.
func (w work) ours() func() error {
	state := &forgetful{MemoryState: saml.NewMemoryState()}
	trust := w.idp.Trust()
	config := saml.Config{BaseURL: base, Trusts: saml.NewMemoryTrusts(trust), State: state}
	if w.opening != nil {
		config.DecryptionKeys = []saml.DecryptionKey{{Key: w.opening}}
	}
	sp, err := saml.New(config)
	if err != nil {
		return func() error { return err }
	}
	started, err := sp.Request(context.Background(), trust, saml.StartOptions{ReturnTo: "/inbox", RequestID: w.requestID})
	if err != nil {
		return func() error { return err }
	}
	posted := saml.Posted{SAMLResponse: w.posted, BrowserKey: started.BrowserKey}
	return func() error {
		_, err := sp.Validate(context.Background(), posted)
		return err
	}
}

// forgetful is a store in which a request waits forever and nothing is ever used up.
type forgetful struct {
	*saml.MemoryState
	mu      sync.Mutex
	pending []byte
	key     string
}

func (f *forgetful) Add(_ context.Context, key string, value []byte, _ time.Duration) (bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.pending == nil {
		f.key, f.pending = key, value
	}
	return true, nil
}

func (f *forgetful) Get(_ context.Context, key string) ([]byte, bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.pending, key == f.key, nil
}

func (f *forgetful) Take(ctx context.Context, key string) ([]byte, bool, error) {
	return f.Get(ctx, key)
}

func (w work) certificate() *x509.Certificate {
	cert, err := x509.ParseCertificate(w.idp.Certificate())
	if err != nil {
		panic(err)
	}
	return cert
}

// openingCertificate wraps the key that opens, for who wants a certificate.
func (w work) openingCertificate() tls.Certificate {
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, w.opening.Public(), w.opening)
	if err != nil {
		panic(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: w.opening}
}

// bare parses with etree and verifies with goxmldsig: no rules, nothing decoded.
func (w work) bare() func() error {
	ctx := dsig.NewDefaultValidationContext(&dsig.MemoryX509CertificateStore{Roots: []*x509.Certificate{w.certificate()}})
	ctx.IdAttribute = "ID"
	return func() error {
		raw, err := base64.StdEncoding.DecodeString(w.posted)
		if err != nil {
			return err
		}
		doc := etree.NewDocument()
		if err := doc.ReadFromBytes(raw); err != nil {
			return err
		}
		root := doc.Root()
		signed := 0
		for _, e := range []*etree.Element{root, root.FindElement("./Assertion")} {
			if e == nil || e.FindElement("./Signature") == nil {
				continue
			}
			// goxmldsig wants the namespaces that are declared above the element.
			copied := e.Copy()
			for _, a := range root.Attr {
				if a.Space == "xmlns" && copied.SelectAttr("xmlns:"+a.Key) == nil {
					copied.CreateAttr("xmlns:"+a.Key, a.Value)
				}
			}
			if _, err := ctx.Validate(copied); err != nil {
				return err
			}
			signed++
		}
		if signed != w.signatures {
			return errors.New("not all signatures were seen")
		}
		return nil
	}
}

func (w work) crewjam() func() error {
	must := func(s string) url.URL {
		u, err := url.Parse(s)
		if err != nil {
			panic(err)
		}
		return *u
	}
	metadata := &crewjam.EntityDescriptor{EntityID: w.idp.EntityID, IDPSSODescriptors: []crewjam.IDPSSODescriptor{{
		SSODescriptor: crewjam.SSODescriptor{RoleDescriptor: crewjam.RoleDescriptor{
			ProtocolSupportEnumeration: "urn:oasis:names:tc:SAML:2.0:protocol",
			KeyDescriptors: []crewjam.KeyDescriptor{{Use: "signing", KeyInfo: crewjam.KeyInfo{X509Data: crewjam.X509Data{
				X509Certificates: []crewjam.X509Certificate{{Data: base64.StdEncoding.EncodeToString(w.idp.Certificate())}}}}}},
		}},
		SingleSignOnServices: []crewjam.Endpoint{{Binding: crewjam.HTTPRedirectBinding, Location: w.idp.SSOURL}},
	}}}
	sp := crewjam.ServiceProvider{EntityID: spID, AcsURL: must(acs), MetadataURL: must(spID), IDPMetadata: metadata}
	if w.opening != nil {
		sp.Key = w.opening
	}
	return func() error {
		raw, err := base64.StdEncoding.DecodeString(w.posted)
		if err != nil {
			return err
		}
		_, err = sp.ParseXMLResponse(raw, []string{w.requestID}, sp.AcsURL)
		return err
	}
}

func (w work) gosaml2() func() error {
	sp := &gosaml2.SAMLServiceProvider{
		IdentityProviderSSOURL: w.idp.SSOURL, IdentityProviderIssuer: w.idp.EntityID, ServiceProviderIssuer: spID,
		AssertionConsumerServiceURL: acs, AudienceURI: spID,
		IDPCertificateStore: &dsig.MemoryX509CertificateStore{Roots: []*x509.Certificate{w.certificate()}},
	}
	if w.opening != nil {
		sp.SPKeyStore = dsig.TLSCertKeyStore(w.openingCertificate())
	}
	return func() error {
		info, err := sp.RetrieveAssertionInfo(w.posted)
		if err == nil && (info.WarningInfo.InvalidTime || info.WarningInfo.NotInAudience) {
			err = errors.New("a warning")
		}
		return err
	}
}
