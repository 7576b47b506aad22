package wire

import "github.com/logintrust/saml/internal/xmlsec"

// keys reads every key of a ds:KeyInfo: certificates first, bare keys where there is none.
func (d *decoder) keys(info xmlsec.Element) (keys []Key) {
	for data := range info.Children() {
		if !data.Is(SignatureNS, "X509Data") {
			continue
		}
		var k Key
		for c := range data.Children() {
			if c.Is(SignatureNS, "X509Certificate") {
				k.Certificates = append(k.Certificates, d.text(c))
			}
		}
		if k.Certificates != nil {
			keys = append(keys, k)
		}
	}
	if len(keys) > 0 {
		return keys
	}
	for v := range info.Children() {
		rsa := v.Child(SignatureNS, "RSAKeyValue")
		ec := v.Child(dsig11NS, "ECKeyValue")
		switch {
		case v.Is(dsig11NS, "DEREncodedKeyValue"):
			keys = append(keys, Key{DER: d.text(v)})
		case v.Is(SignatureNS, "KeyValue") && rsa.Exists():
			keys = append(keys, Key{Modulus: d.text(rsa.Child(SignatureNS, "Modulus")), Exponent: d.text(rsa.Child(SignatureNS, "Exponent"))})
		case v.Is(SignatureNS, "KeyValue") && ec.Exists():
			keys = append(keys, Key{Curve: d.attr(ec.Child(dsig11NS, "NamedCurve"), "URI").Value,
				Point: d.text(ec.Child(dsig11NS, "PublicKey"))})
		}
	}
	return keys
}

// maxSenderKeys is how many keys are read of one signature: it has one signer.
const maxSenderKeys = 2

// SenderKeys returns the keys that the signatures of the Response and of its assertion name themselves. Whoever wrote the
// message chose them, so they prove nothing: they are for telling, of a message that was refused, whether its sender has a
// key that is not on file.
func (r *Response) SenderKeys() (keys []Key) {
	for _, e := range []xmlsec.Element{r.root, r.assertion} {
		if e.Exists() {
			found := r.d.keys(e.Child(SignatureNS, "Signature").Child(SignatureNS, "KeyInfo"))
			keys = append(keys, found[:min(len(found), maxSenderKeys)]...)
		}
	}
	return keys
}
