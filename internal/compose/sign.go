package compose

import (
	"crypto"
	"crypto/ecdsa"
	"encoding/asn1"
	"encoding/base64"
	"fmt"
	"io"
	"math/big"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"

	"github.com/logintrust/saml/internal/wire"
	"github.com/logintrust/saml/internal/xmlsec"
)

// A SigningKey is a key of ours, and how it signs.
type SigningKey struct {
	Signer      crypto.Signer
	Certificate []byte // DER, for KeyInfo; nil leaves that out
	Algorithm   string // URI of the signature algorithm; "" is the one that suits the key
	Digest      string // URI of the digest; "" is the one that goes with the algorithm
}

// Method is the algorithm that the key signs with.
func (k SigningKey) Method() (Method, error) {
	if k.Algorithm == "" {
		return DefaultMethod(k.Signer.Public())
	}
	m, known := MethodByURI(k.Algorithm)
	if !known {
		return Method{}, fmt.Errorf("no signature algorithm %.64q", k.Algorithm)
	}
	if !m.Fits(k.Signer.Public()) {
		return Method{}, fmt.Errorf("%s does not sign with a %T", m.URI, k.Signer.Public())
	}
	return m, nil
}

// Sign returns a copy of e, which has an ID and begins with Issuer, with an enveloped signature behind it. certificate
// may be nil. The algorithm is the one that suits the key.
func Sign(e *etree.Element, signer crypto.Signer, certificate []byte) (*etree.Element, error) {
	return SigningKey{Signer: signer, Certificate: certificate}.Sign(e)
}

// Sign returns a copy of e, which has an ID and begins with Issuer, with an enveloped signature behind it.
func (k SigningKey) Sign(e *etree.Element) (*etree.Element, error) { return k.enveloped(e, 1) }

// SignFirst does what Sign does, for metadata, in which the signature comes first (SAML Metadata 2.3.2).
func (k SigningKey) SignFirst(e *etree.Element) (*etree.Element, error) { return k.enveloped(e, 0) }

func (k SigningKey) enveloped(e *etree.Element, at int) (*etree.Element, error) {
	m, err := k.Method()
	if err != nil {
		return nil, err
	}
	digest := k.Digest
	if digest == "" {
		digest = m.Digest()
	}
	var signature *etree.Element
	if m.family != rsaPSS && m.family != eddsa && digest == m.Digest() {
		signature, err = k.byGoxmldsig(e, m)
	} else {
		signature, err = k.byHand(e, m, digest)
	}
	if err != nil {
		return nil, err
	}
	signed := e.Copy()
	signed.InsertChildAt(at, signature)
	return signed, k.check(signed)
}

// byGoxmldsig makes the signature of the algorithms that goxmldsig knows.
func (k SigningKey) byGoxmldsig(e *etree.Element, m Method) (*etree.Element, error) {
	var certs [][]byte
	if k.Certificate != nil {
		certs = [][]byte{k.Certificate}
	}
	ctx, err := dsig.NewSigningContext(XMLSigner(k.Signer), certs)
	if err != nil {
		return nil, err
	}
	ctx.Canonicalizer = dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList("")
	if err := ctx.SetSignatureMethod(m.URI); err != nil {
		return nil, err
	}
	signature, err := ctx.ConstructSignature(e.Copy(), true)
	if err != nil {
		return nil, err
	}
	if info := signature.FindElement("./KeyInfo"); info != nil && k.Certificate == nil {
		signature.RemoveChild(info)
	}
	return signature, nil
}

// byHand makes the others over our own canonical form: RSA-PSS, Ed25519, and a digest with another hash than the
// signature's. Without the signature in it, e is already what enveloped-signature leaves of it.
func (k SigningKey) byHand(e *etree.Element, m Method, digest string) (*etree.Element, error) {
	hash, known := digestHash(digest)
	if !known {
		return nil, fmt.Errorf("no digest algorithm %.64q", digest)
	}
	octets, err := canonical(e.Copy())
	if err != nil {
		return nil, err
	}
	h := hash.New()
	h.Write(octets)
	info := signedInfo(m.URI, digest, e.SelectAttrValue("ID", ""), h.Sum(nil))
	info.CreateAttr("xmlns:ds", wire.SignatureNS)
	if octets, err = canonical(info.Copy()); err != nil {
		return nil, err
	}
	info.RemoveAttr("xmlns:ds") // Signature declares it, which is the same to exclusive canonicalisation
	value, err := m.Sign(k.Signer, octets)
	if err != nil {
		return nil, err
	}
	signature := etree.NewElement("ds:Signature")
	signature.CreateAttr("xmlns:ds", wire.SignatureNS)
	signature.AddChild(info)
	signature.CreateElement("ds:SignatureValue").SetText(base64.StdEncoding.EncodeToString(value))
	if k.Certificate != nil {
		signature.CreateElement("ds:KeyInfo").CreateElement("ds:X509Data").CreateElement("ds:X509Certificate").
			SetText(base64.StdEncoding.EncodeToString(k.Certificate))
	}
	return signature, nil
}

// signedInfo has the one shape that SAML allows (SAML Core 5.4).
func signedInfo(method, digest, id string, sum []byte) *etree.Element {
	info := etree.NewElement("ds:SignedInfo")
	info.CreateElement("ds:CanonicalizationMethod").CreateAttr("Algorithm", xmlsec.ExclusiveC14N)
	info.CreateElement("ds:SignatureMethod").CreateAttr("Algorithm", method)
	reference := info.CreateElement("ds:Reference")
	reference.CreateAttr("URI", "#"+id)
	transforms := reference.CreateElement("ds:Transforms")
	transforms.CreateElement("ds:Transform").CreateAttr("Algorithm", "http://www.w3.org/2000/09/xmldsig#enveloped-signature")
	transforms.CreateElement("ds:Transform").CreateAttr("Algorithm", xmlsec.ExclusiveC14N)
	reference.CreateElement("ds:DigestMethod").CreateAttr("Algorithm", digest)
	reference.CreateElement("ds:DigestValue").SetText(base64.StdEncoding.EncodeToString(sum))
	return info
}

// canonical is the exclusive canonical form of e.
func canonical(e *etree.Element) ([]byte, error) {
	u, err := parse(e)
	if err != nil {
		return nil, err
	}
	return u.Canonicalize(nil, u.Root(), xmlsec.C14N{Exclusive: true})
}

func parse(e *etree.Element) (*xmlsec.Unverified, error) {
	text, err := Bytes(e)
	if err != nil {
		return nil, err
	}
	return xmlsec.Parse(text, xmlsec.MetadataLimits())
}

// check reads what was signed as a peer would, so that nothing leaves which nobody can verify: goxmldsig's canonical form is
// not libxml2's in every case, a Signer may ignore its options, and a faulty RSA signature gives the private key away
// (Boneh, DeMillo and Lipton, 1997).
func (k SigningKey) check(signed *etree.Element) error {
	u, err := parse(signed)
	if err != nil {
		return err
	}
	if _, err := u.Verify(u.Root(), []crypto.PublicKey{k.Signer.Public()}, xmlsec.Policy{}); err != nil {
		return fmt.Errorf("the signature that was made does not verify: %w", err)
	}
	return nil
}

// XMLSigner makes ECDSA signatures come as XML Signature has them, r and s of fixed length (XML Signature 1.1, 6.4.3),
// where crypto.Signer has DER.
func XMLSigner(signer crypto.Signer) crypto.Signer {
	if _, ok := signer.Public().(*ecdsa.PublicKey); ok {
		return fixedLength{signer}
	}
	return signer
}

type fixedLength struct{ crypto.Signer }

func (f fixedLength) Sign(rand io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	der, err := f.Signer.Sign(rand, digest, opts)
	if err != nil {
		return nil, err
	}
	var pair struct{ R, S *big.Int }
	if rest, err := asn1.Unmarshal(der, &pair); err != nil || len(rest) > 0 {
		return nil, fmt.Errorf("the signer gave no ECDSA signature: %v", err)
	}
	size := (f.Public().(*ecdsa.PublicKey).Curve.Params().BitSize + 7) / 8
	if pair.R.Sign() <= 0 || pair.S.Sign() <= 0 || pair.R.BitLen() > 8*size || pair.S.BitLen() > 8*size {
		return nil, fmt.Errorf("the signer gave no ECDSA signature")
	}
	out := make([]byte, 2*size)
	pair.R.FillBytes(out[:size])
	pair.S.FillBytes(out[size:])
	return out, nil
}
