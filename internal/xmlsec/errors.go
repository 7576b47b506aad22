package xmlsec

import "fmt"

// Kind says what sort of fault an [Error] is.
type Kind int

const (
	// Syntax: not well-formed, or of a form that messages must not have (a DTD, a processing instruction, UTF-16).
	Syntax Kind = iota
	// Limit: larger, deeper or wider than the named limits.
	Limit
	// DuplicateID: two elements carry the same ID.
	DuplicateID
	// Unsigned: the element has no ds:Signature child.
	Unsigned
	// MalformedSignature: a signature whose shape is not the one that SAML allows.
	MalformedSignature
	// WeakAlgorithm: an algorithm that the policy refuses, though the library knows it.
	WeakAlgorithm
	// UnsupportedAlgorithm: an algorithm that is on no list.
	UnsupportedAlgorithm
	// WeakKey: the pinned key of the right type is too short.
	WeakKey
	// NoKey: no pinned key is of the type that the signature's algorithm needs.
	NoKey
	// BadSignature: no pinned key made this signature over this SignedInfo.
	BadSignature
	// BadDigest: SignedInfo is genuine, but the element is not the one that was signed.
	BadDigest
	// MalformedEncryption: an encrypted element whose shape is not the one that SAML allows.
	MalformedEncryption
	// NoDecryptionKey: encrypted, but not for a key of ours.
	NoDecryptionKey
	// Undecryptable: what is encrypted cannot be opened. There is one such fault, whatever the cause.
	Undecryptable
)

// Error is a refusal to read or to verify. Its text quotes at most a few octets of names, never content.
type Error struct {
	Kind   Kind
	Offset int // octets from the start of the document; -1 where there is no one place
	Msg    string
}

func (e *Error) Error() string {
	if e.Offset < 0 {
		return e.Msg
	}
	return fmt.Sprintf("%s (at octet %d)", e.Msg, e.Offset)
}

func fault(k Kind, format string, args ...any) error {
	return &Error{Kind: k, Offset: -1, Msg: fmt.Sprintf(format, args...)}
}
