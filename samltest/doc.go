// Package samltest is an identity provider for tests: good, quirky and evil.
//
// Good: [NewIdP] makes an [IdP] in one line, [IdP.Trust] is the login trust for it, [IdP.Answer] an answer that a service
// provider should accept, and [IdP.Handler] a small sign-in service to point a browser at.
//
//	idp := samltest.NewIdP(t)
//	trusts := saml.NewMemoryTrusts(idp.Trust())
//	…
//	request, err := samltest.ParseRequestURL(location) // where the service provider sent the browser
//	form := idp.Answer(request).Form()                 // what the browser posts back
//
// Quirky: every field of an [Answer] can be changed or left out before it is signed, and [Answer.BeforeSign],
// [Answer.AfterSign] and [Answer.Bytes] reach what has no field.
//
// Evil: [Attacks] is a list of named forgeries, and [IdP.RunAttacks] tries all of them on a service provider's handler.
//
// Nothing here shares code with the library's own XML engine: messages are built with etree, canonicalised and signed with
// goxmldsig, so that what this package signs is a second opinion on what the library verifies.
//
// It is for tests and demonstrations only. Its keys live for one process, its passwords are in its source.
package samltest
