// Package saml is a SAML 2.0 service provider for Go web applications: it lets the people of an application's customers
// sign in with their own identity provider (IdP).
//
// The application keeps a [LoginTrust] for each IdP: its Domain (entity ID), its pinned keys, and what its users may do.
// The package publishes SP metadata, imports IdP metadata, starts logins or accepts those that the IdP began, and
// validates what comes back: the Issuer picks the trust, the signature must verify with a key pinned for that trust and
// never with one from the message, every rule of the Web Browser SSO Profile holds, and nothing is used twice.
//
// # How to use it
//
// There are three rungs, each made of the one below; most applications need the first.
//
//	sp, err := saml.New(saml.Config{BaseURL: "https://app.example.com", Trusts: trusts, State: saml.NewMemoryState()})
//	mux.Handle("/sso/", sp.Handler(onLogin))      // 1: everything mounted
//	sp.StartLogin(w, r, trust, opts)              // 2: from handlers of your own
//	sp.FinishLogin(w, r)
//	sp.Request(ctx, trust, opts)                  // 3: without net/http
//	sp.Validate(ctx, posted)
//
// The package keeps no sessions and renders no pages but the safe error page and the one that posts a form: what onLogin
// does with a [Login] is the application's.
//
// # When a login is refused
//
// The user sees a sentence and a reference; [Config].OnRefusal has the rest: [Error.Report] says of each check what was found
// and wanted, who can mend it and how. [ServiceProvider.Explain] does so for any message, and [ServiceProvider.StartTest] for
// a trust that is not saved yet.
//
// # What it promises
//
// A [Login] and its [Assertion] can be made by Validate, FinishLogin and FinishPassword only, from octets that a pinned key
// signed. Every refusal is an *[Error] with a stable [Reason]; no value stands beside an error, and no finding is a warning. Every zero
// value is the strict choice, and each option that weakens a check begins with Allow or Insecure and names the attack that
// it opens. A host can add checks, never take one away.
//
// Within a major version no exported name and no Reason goes, and what is accepted stays accepted unless the change log
// says "Security:" with the reason.
package saml
