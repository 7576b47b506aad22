package compose

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"encoding/asn1"
	"fmt"
	"io"
	"math/big"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"
)

// Signature algorithms that we sign with.
const (
	RSASHA256   = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
	ECDSASHA256 = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"
	ECDSASHA384 = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384"
	ECDSASHA512 = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512"
)

// Algorithm is the signature algorithm that suits a key of ours, and its hash.
func Algorithm(key crypto.PublicKey) (uri string, hash crypto.Hash, err error) {
	switch k := key.(type) {
	case *rsa.PublicKey:
		return RSASHA256, crypto.SHA256, nil
	case *ecdsa.PublicKey:
		switch bits := k.Curve.Params().BitSize; {
		case bits <= 256:
			return ECDSASHA256, crypto.SHA256, nil
		case bits <= 384:
			return ECDSASHA384, crypto.SHA384, nil
		default:
			return ECDSASHA512, crypto.SHA512, nil
		}
	}
	return "", 0, fmt.Errorf("no signature algorithm for a %T", key)
}

// Sign returns a copy of e, which has an ID and begins with Issuer, with an enveloped signature behind it. certificate
// may be nil.
func Sign(e *etree.Element, signer crypto.Signer, certificate []byte) (*etree.Element, error) {
	return sign(e, signer, certificate, 1)
}

// SignFirst does what Sign does, for metadata, in which the signature comes first (SAML Metadata 2.3.2).
func SignFirst(e *etree.Element, signer crypto.Signer, certificate []byte) (*etree.Element, error) {
	return sign(e, signer, certificate, 0)
}

func sign(e *etree.Element, signer crypto.Signer, certificate []byte, at int) (*etree.Element, error) {
	uri, _, err := Algorithm(signer.Public())
	if err != nil {
		return nil, err
	}
	var certs [][]byte
	if certificate != nil {
		certs = [][]byte{certificate}
	}
	ctx, err := dsig.NewSigningContext(XMLSigner(signer), certs)
	if err != nil {
		return nil, err
	}
	ctx.Canonicalizer = dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList("")
	if err := ctx.SetSignatureMethod(uri); err != nil {
		return nil, err
	}
	signature, err := ctx.ConstructSignature(e.Copy(), true)
	if err != nil {
		return nil, err
	}
	if info := signature.FindElement("./KeyInfo"); info != nil && certificate == nil {
		signature.RemoveChild(info)
	}
	signed := e.Copy()
	signed.InsertChildAt(at, signature)
	return signed, nil
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
