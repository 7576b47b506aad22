// Package xmlsec reads XML strictly, canonicalises it, and verifies XML signatures over pinned public keys. It uses
// the standard library only.
//
// Unverified goes in, Signed comes out. [Reader.Parse] makes one pass over the bytes into flat tables of nodes:
// offsets, no strings, no tree. [Unverified.Verify] checks the one signature of an element and returns [Signed]: the
// canonical bytes whose digest the key signed, with a table of their own, so that what is decoded afterwards is read
// from those bytes and from no others.
//
// The cost of any input is linear in its length; each limit is a named constant in limits.go.
package xmlsec
