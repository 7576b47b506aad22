package xmlsec_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml/internal/xmlsec"
)

// What can be read can be written, and what is written is read as the same: the canonical form of a canonical form is
// that form. And of each element, the table that Verify would hand out is the one that a fresh reading gives.
//
// req: SE-PARSER SE-GOXML
func FuzzReader(f *testing.F) {
	for _, doc := range whole {
		f.Add([]byte(doc))
	}
	for _, doc := range recorded {
		f.Add([]byte(doc))
	}
	for _, doc := range subsets {
		f.Add([]byte(doc))
	}
	for seed := range uint64(20) {
		f.Add(newGenerator(seed).document())
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		before := string(doc)
		u, err := xmlsec.Parse(doc, xmlsec.MetadataLimits())
		if err != nil {
			require.Nil(t, u)
			_, err := xmlsec.Parse(doc, xmlsec.Limits{})
			require.Error(t, err, "messages may hold less than metadata")
			return
		}
		for _, m := range []xmlsec.C14N{{}, {V11: true}, {Exclusive: true}, {Exclusive: true, Prefixes: []string{"", "a", "p"}}} {
			for _, m.Comments = range []bool{false, true} {
				sameAgain(t, u, m)
			}
		}
		n := 0
		for e := range descendants(u.Root()) {
			if n++; n > 40 {
				break
			}
			signature, _ := e.Signature()
			for _, m := range methods {
				sameSigned(t, u, e, signature, m)
			}
		}
		require.Equal(t, before, string(doc), "the document was written to")
	})
}

// sameAgain demands that the canonical form is a fixed point.
func sameAgain(t testing.TB, u *xmlsec.Unverified, m xmlsec.C14N) {
	t.Helper()
	once, err := u.CanonicalizeDocument(nil, m)
	if isKind(err, xmlsec.Limit) {
		return
	}
	require.NoError(t, err)
	read, err := xmlsec.Parse(once, xmlsec.MetadataLimits())
	if isKind(err, xmlsec.Limit) { // an element may use more prefixes than it may declare
		return
	}
	require.NoError(t, err, "%+v gives %q", m, once)
	again, err := read.CanonicalizeDocument(nil, m)
	require.NoError(t, err)
	require.Equal(t, string(once), string(again), "%+v", m)
}
