// Package samltest is an identity provider for tests: good, quirky and evil.
//
// Good: [NewIdP] makes an [IdP] in one line, [IdP.Trust] is the login trust for it, and [IdP.Login] walks a whole login, from a
// page of the host to the IdP and back, without a network. A host's test has three lines:
//
//	idp := samltest.NewIdP(t)
//	page := idp.Login(t, newApp(idp.Trust()), "https://app.example.com/reports")
//	assert.Contains(t, page.Body, "Welcome")
//
// The parts are there too: [IdP.Answer] is an answer that a service provider should accept, [IdP.Handler] a small sign-in service
// to point a browser at, and [Browser] one without a network.
//
//	request, err := samltest.ParseRequestURL(location) // where the service provider sent the browser
//	form := idp.Answer(request).Form()                 // what the browser posts back
//
// Quirky: [Personalities] write as products do, Entra ID, ADFS, Okta and more; every field of an [Answer] can be changed or left
// out before it is signed, and [Answer.BeforeSign], [Answer.AfterSign] and [Answer.Bytes] reach what has no field. Keys roll over
// by [IdP.Publish], [IdP.SignWith] and [IdP.Retire]; [IdP.Now] is the clock.
//
// Evil: [Attacks] is a list of named forgeries, and [IdP.RunAttacks] tries all of them on a service provider's handler;
// [LogoutAttacks] and [MetadataAttacks] have their own runners.
//
// Nothing here shares code with the library's own XML engine: messages are built with etree, canonicalised and signed with
// goxmldsig, so that what this package signs is a second opinion on what the library verifies.
//
// It is for tests and demonstrations only. Its keys live for one process, its passwords are in its source.
package samltest
