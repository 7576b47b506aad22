package xmlsec

// Limits bounds what [Reader.Parse] reads. The zero value of a field means the default for messages.
type Limits struct {
	// Bytes is the largest document, in octets.
	Bytes int
	// Nodes is the largest number of elements, texts, comments and processing instructions together.
	Nodes int
	// AllowPI admits processing instructions: metadata may hold them, messages never do.
	AllowPI bool
}

const (
	// MaxMessageBytes is the largest SAML message that is read by default: DESIGN.md section 9, number 6.
	MaxMessageBytes = 3 << 20
	// MaxMetadataBytes is the largest metadata document; federations of ten thousand entities have some 80 MB.
	MaxMetadataBytes = 128 << 20

	maxMessageNodes  = 100_000 // a group list of 5,000 values has 10,000
	maxMetadataNodes = 8_000_000

	maxDepth        = 128  // open elements; a SAML response has about ten
	maxAttributes   = 64   // attributes of one element
	maxDeclarations = 64   // namespace declarations of one element
	maxPrefixes     = 256  // distinct prefixes in one document
	maxNamespaces   = 1024 // distinct namespace names in one document
	maxName         = 256  // octets of a qualified name
	maxNamespaceURI = 1024 // octets of a namespace name

	// Exclusive canonicalisation repeats an inherited declaration at each sibling that uses it, so the canonical form
	// may be longer than the document. Real messages stay below twice; this stops a document made to explode.
	maxCanonicalGrowth = 4
	canonicalAllowance = 64 << 10

	maxTransforms   = 2  // enveloped-signature and one canonicalisation
	maxPrefixList   = 64 // prefixes in one InclusiveNamespaces
	maxPrefixOctets = 4 << 10
	maxSignedInfo   = 16 << 10 // octets; one of the allowed shape has some 800
	maxKeysTried    = 8        // keys tried for one signature
	maxSignature    = 2048
	minRSABits      = 2048
	minWeakRSABits  = 1024
	maxRSABits      = 8192

	maxEncryptedKeys  = 16      // EncryptedKeys that one encrypted element may carry
	maxWrappedKey     = 2 << 10 // octets of an EncryptedKey's value
	maxLabel          = 1 << 10 // octets of OAEPparams, of a parameter of a key derivation, of a sender's key
	maxPrivateKeyWork = 4       // operations with a private key in one login
)

// MetadataLimits are the bounds for metadata documents, which an administrator imports.
func MetadataLimits() Limits {
	return Limits{Bytes: MaxMetadataBytes, Nodes: maxMetadataNodes, AllowPI: true}
}

func (l Limits) orDefault() Limits {
	if l.Bytes <= 0 {
		l.Bytes = MaxMessageBytes
	}
	if l.Nodes <= 0 {
		l.Nodes = maxMessageNodes
	}
	return l
}
