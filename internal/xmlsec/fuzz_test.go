package xmlsec_test

import (
	"fmt"
	"slices"
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
		sameInexact(t, doc)
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

// sameInexact demands that elements which are copied whole come out as those that are written piece by piece.
func sameInexact(t testing.TB, doc []byte) {
	t.Helper()
	fast, err := xmlsec.Parse(doc, xmlsec.MetadataLimits())
	require.NoError(t, err)
	slow, err := xmlsec.Parse(doc, xmlsec.MetadataLimits())
	require.NoError(t, err)
	slow.Inexact()
	all := slices.Collect(descendants(fast.Root()))
	for i, e := range slices.Collect(descendants(slow.Root()))[:min(len(all), 40)] {
		copied, err1 := fast.Canonicalize(nil, all[i], xmlsec.C14N{Exclusive: true})
		written, err2 := slow.Canonicalize(nil, e, xmlsec.C14N{Exclusive: true})
		require.Equal(t, err1 == nil, err2 == nil)
		require.Equal(t, string(written), string(copied))
	}
}

// Elements that are written almost as the canonical form has them must not be copied whole.
func TestAlmostExact(t *testing.T) {
	t.Parallel()
	for _, inside := range []string{
		`<p:x></p:x>`, `<p:x a="1" b="2">t</p:x>`, `<p:x/>`, `<p:x ></p:x>`, `<p:x></p:x >`, `<p:x  a="1"></p:x>`, "<p:x\na=\"1\"></p:x>",
		`<p:x a='1'></p:x>`, `<p:x a ="1"></p:x>`, `<p:x a= "1"></p:x>`, `<p:x b="2" a="1"></p:x>`, `<p:x a="1" ></p:x>`,
		`<p:x a="&lt;"></p:x>`, `<p:x a="'"></p:x>`, `<p:x a='"'></p:x>`, "<p:x a=\"\t\"></p:x>", `<p:x q:a="1"></p:x>`, `<p:x p:a="1"></p:x>`, `<p:x xml:a="1"></p:x>`,
		`<p:x xmlns:p="urn:p"></p:x>`, `<p:x xmlns:z="urn:z"></p:x>`, `<p:x xmlns:p="urn:other"></p:x>`, `<q:x></q:x>`, `<p:x><q:y></q:y></p:x>`,
		`<p:x><p:y/></p:x>`, `<p:x><y></y></p:x>`, `<p:x>&amp;</p:x>`, `<p:x>></p:x>`, "<p:x>\r</p:x>", `<p:x><!--c--></p:x>`, `<p:x><![CDATA[t]]></p:x>`,
		`<p:x>t<p:y>u</p:y>v</p:x>`, `<p:x a="1" ab="2" ac="3"></p:x>`, `<p:x ab="1" a="2"></p:x>`, `<x></x>`, `<x xmlns=""></x>`,
	} {
		for _, around := range []string{
			`<p:e xmlns:p="urn:p" xmlns:q="urn:q">%s</p:e>`, `<p:e xmlns:p="urn:p" xmlns:q="urn:q"><p:f>%s</p:f></p:e>`,
			`<e xmlns:p="urn:p" xmlns:q="urn:q">%s</e>`, `<q:e xmlns:p="urn:p" xmlns:q="urn:q"><p:f a="1">%s</p:f></q:e>`,
			`<e xmlns="urn:d" xmlns:p="urn:p" xmlns:q="urn:q"><f>%s</f></e>`,
		} {
			sameInexact(t, fmt.Appendf(nil, around, inside))
		}
	}
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
