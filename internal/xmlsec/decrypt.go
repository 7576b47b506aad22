package xmlsec

import (
	"crypto"
	"slices"
)

// An Opener opens what was encrypted for us. It is for one login, and not for concurrent use.
type Opener struct {
	// Keys are our private keys: each a crypto.Decrypter for RSA, an ecdh.KeyExchanger or an *ecdsa.PrivateKey.
	Keys []crypto.PrivateKey
	// Recipient is our entity ID: a key that names another recipient is left alone.
	Recipient string
	// Limits are for what comes out.
	Limits Limits

	work    int // operations with a private key so far
	last    int // the key that opened something last, which is tried first
	readers []*Reader
	used    int
}

// Reset makes an Opener ready for the next login, in memory that it keeps.
func (o *Opener) Reset(keys []crypto.PrivateKey, recipient string, limits Limits) {
	o.Keys, o.Recipient, o.Limits, o.work, o.last, o.used = keys, recipient, limits, 0, 0, 0
}

// Plain is one element as it was before it was encrypted, in a document of its own.
type Plain struct {
	u         *Unverified
	e         Element
	malleable bool
}

// Malleable reports whether anybody may have changed the ciphertext: CBC that no signature covers. Until what is inside is
// verified, all that goes wrong must then look like [Undecryptable].
func (p Plain) Malleable() bool { return p.malleable }

// Tried reports whether a signature inside was held against a key; see [TakeTime].
func (p Plain) Tried() bool { return p.u != nil && p.u.r.tried }

// Document is what holds the element; its signature is verified with it.
func (p Plain) Document() *Unverified { return p.u }

// Root is the element.
func (p Plain) Root() Element { return p.e }

// Decrypt opens e, an element that holds an xenc:EncryptedData, although nobody vouches for it: what comes out is no more
// than what the message says.
func (u *Unverified) Decrypt(e Element, o *Opener, p Policy) (Plain, error) {
	return o.decrypt(e, p, false)
}

// Decrypt opens e, an element of s that holds an xenc:EncryptedData. Who signed the ciphertext signed what is in it, so the
// canonical form of what comes out is signed too.
func (s Signed) Decrypt(e Element, o *Opener, p Policy) (Plain, Signed, error) {
	plain, err := o.decrypt(e, p, true)
	if err != nil {
		return Plain{}, Signed{}, err
	}
	r := plain.u.r
	out := &r.opened
	c := &r.canon
	c.begin(&r.doc, out.src[:0], C14N{Exclusive: true}, -1, out)
	if out.src, err = c.subtree(plain.e.row); err != nil {
		return Plain{}, Signed{}, Closed()
	}
	return plain, Signed{d: out}, nil
}

// Closed is the fault that every ciphertext gets which cannot be opened, whatever the reason: a bad key, padding, tag or
// what stands in its place. A sender who could tell them apart could read what others encrypted for us.
func Closed() error {
	return fault(Undecryptable, "what is encrypted cannot be opened with the keys of this service provider")
}

// decrypt reads everything that is there for all to see, and refuses what is not allowed, before a private key is used.
func (o *Opener) decrypt(e Element, p Policy, vouched bool) (Plain, error) {
	data, keys, err := encryptedParts(e)
	if err != nil {
		return Plain{}, err
	}
	method := data.lone(xencNamespace, "EncryptionMethod").value("Algorithm")
	block, known := blockCipherByURI(method)
	if !known {
		return Plain{}, fault(UnsupportedAlgorithm, "encryption %.64q", method)
	}
	if err := block.check(p, vouched); err != nil {
		return Plain{}, err
	}
	content, err := cipherValue(data, o.Limits.orDefault().Bytes)
	if err != nil {
		return Plain{}, err
	}
	wrapped, err := o.readKeys(keys, p, vouched)
	if err != nil {
		return Plain{}, err
	}
	plain, err := o.try(e, block, wrapped, content)
	if err != nil {
		return Plain{}, err
	}
	plain.malleable = block.mode != aesGCM && !vouched
	return plain, nil
}

// A wrappedKey is an EncryptedKey that may be for us.
type wrappedKey struct {
	transport keyTransport
	value     []byte
}

// readKeys takes apart the EncryptedKeys, those first that name us. If none is of a kind that can be used, the fault of the
// first says why.
func (o *Opener) readKeys(keys []Element, p Policy, vouched bool) ([]wrappedKey, error) {
	var wrapped []wrappedKey
	var unused error
	for _, named := range []bool{true, false} {
		for _, e := range keys {
			recipient := e.value("Recipient")
			if named != (string(recipient) == o.Recipient) || !named && len(recipient) > 0 {
				continue
			}
			transport, err := readTransport(e, p, vouched)
			var value []byte
			if err == nil {
				value, err = cipherValue(e, maxWrappedKey)
			}
			if err != nil {
				unused = firstOf(unused, err)
				continue
			}
			wrapped = append(wrapped, wrappedKey{transport, value})
		}
	}
	if len(wrapped) == 0 {
		return nil, firstOf(unused, fault(NoDecryptionKey, "nothing that is encrypted for this service provider"))
	}
	return wrapped, nil
}

func firstOf(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

// try opens the content with each wrapped key and each key of ours. From here on all that goes wrong looks the same.
func (o *Opener) try(e Element, block blockCipher, wrapped []wrappedKey, content []byte) (Plain, error) {
	fitting := false
	for i := range wrapped {
		w := &wrapped[i]
		for j := range o.Keys {
			at := (o.last + j) % len(o.Keys)
			key := o.Keys[at]
			if !w.transport.fits(key) {
				continue
			}
			fitting = true
			if o.work == maxPrivateKeyWork {
				return Plain{}, Closed()
			}
			o.work++
			plain, ok := block.open(w.transport.unwrap(key, w.value, block.keySize), content)
			if !ok {
				continue
			}
			if p, ok := o.parse(e, plain); ok {
				o.last = at
				return p, nil
			}
		}
	}
	if !fitting {
		return Plain{}, fault(NoDecryptionKey, "encrypted for a key of another kind than those of this service provider")
	}
	return Plain{}, Closed()
}

// parse reads what came out as one element, with the namespaces that were in scope where it stood (XML Encryption 1.1,
// 4.4). It is put into an element that declares them, out of which nothing well-formed can break.
func (o *Opener) parse(around Element, plain []byte) (Plain, bool) {
	if o.used == len(o.readers) {
		o.readers = append(o.readers, NewReader())
	}
	r := o.readers[o.used]
	r.plain = appendScope(append(r.plain[:0], "<scope"...), around)
	r.plain = append(r.plain, '>')
	r.plain = append(r.plain, plain...)
	r.plain = append(r.plain, "</scope>"...)
	u, err := r.Parse(r.plain, o.Limits)
	if err != nil {
		return Plain{}, false
	}
	only := u.Root().First()
	if !only.Exists() || only.Next().Exists() || u.Root().hasText() {
		return Plain{}, false
	}
	o.used++
	return Plain{u: u, e: only}, true
}

// appendScope appends declarations of the namespaces in scope at e.
func appendScope(dst []byte, e Element) []byte {
	d := e.d
	var done []int16
	for ; e.Exists(); e = e.Parent() {
		for _, decl := range d.declarationsOf(e.node()) {
			if slices.Contains(done, decl.prefix) {
				continue
			}
			done = append(done, decl.prefix)
			if decl.prefix == xmlPrefix || decl.ns == noNamespace {
				continue
			}
			dst = append(dst, " xmlns"...)
			if decl.prefix != defaultPrefix {
				dst = append(append(dst, ':'), d.prefixes[decl.prefix]...)
			}
			dst = append(appendEscapedAttribute(append(dst, `="`...), d.uris[decl.ns]), '"')
		}
	}
	return dst
}

// encryptedParts finds the one EncryptedData in e and the EncryptedKeys that may belong to it: in its KeyInfo, and beside
// it (SAML Core 2.2.4; erratum E43). A RetrievalMethod can point at the latter only, so it need not be followed.
func encryptedParts(e Element) (data Element, keys []Element, err error) {
	for c := e.First(); c.Exists(); c = c.Next() {
		switch {
		case c.Is(xencNamespace, "EncryptedData") && !data.Exists():
			data = c
		case c.Is(xencNamespace, "EncryptedKey"):
			keys = append(keys, c)
		default:
			return data, nil, fault(MalformedEncryption, "an encrypted element must hold one EncryptedData, and EncryptedKeys")
		}
		if len(keys) > maxEncryptedKeys {
			return data, nil, fault(Limit, "more than %d encrypted keys", maxEncryptedKeys)
		}
	}
	if !data.Exists() {
		return data, nil, fault(MalformedEncryption, "an encrypted element without EncryptedData")
	}
	if t := data.value("Type"); len(t) > 0 && string(t) != xencNamespace+"Element" {
		return data, nil, fault(MalformedEncryption, "an EncryptedData that does not hold an element")
	}
	beside := keys
	keys = nil
	for c := data.lone(dsNamespace, "KeyInfo").First(); c.Exists(); c = c.Next() {
		if c.Is(xencNamespace, "EncryptedKey") {
			keys = append(keys, c)
		}
		if len(keys)+len(beside) > maxEncryptedKeys {
			return data, nil, fault(Limit, "more than %d encrypted keys", maxEncryptedKeys)
		}
	}
	return data, append(keys, beside...), nil
}

// lone returns the child element of that name if there is exactly one: of two, two readers might take one each.
func (e Element) lone(space, local string) (found Element) {
	for c := e.First(); c.Exists(); c = c.Next() {
		if !c.Is(space, local) {
			continue
		}
		if found.Exists() {
			return Element{}
		}
		found = c
	}
	return found
}

// cipherValue decodes the CipherValue of an EncryptedData or EncryptedKey. A CipherReference, which would have us fetch
// something, is refused.
func cipherValue(e Element, most int) ([]byte, error) {
	value := e.lone(xencNamespace, "CipherData").First()
	if !value.Is(xencNamespace, "CipherValue") || value.Next().Exists() || !value.onlyText() {
		return nil, fault(MalformedEncryption, "an encrypted element without CipherValue")
	}
	return cipherOctets(value, most)
}

// cipherOctets decodes the base64 that e holds.
func cipherOctets(e Element, most int) ([]byte, error) {
	text, plain := e.PlainText()
	if !plain {
		text = e.AppendText(nil)
	}
	if holdsMore(text, most) {
		return nil, fault(Limit, "more than %d octets of encrypted content", most)
	}
	out, ok := AppendBase64(nil, text)
	if !ok || len(out) == 0 {
		return nil, fault(MalformedEncryption, "encrypted content that is not base64")
	}
	return out, nil
}
