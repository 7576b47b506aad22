// Package wire knows SAML's vocabulary: what the elements of a Response, an Assertion and metadata are called, in what
// order they stand and what may be absent. An assertion is decoded only from what a pinned key signed
// ([xmlsec.Signed]); from the rest of a message come [Claims], which may veto or be shown and never grant.
//
// Absent is not empty: optional strings are [Text], absent times are the zero time.
package wire
