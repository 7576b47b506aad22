package saml_test

import (
	"fmt"
	"time"

	"github.com/logintrust/saml"
)

// A new key is stored, loaded, published as the next one, and watched.
func ExampleServiceProvider_Health() {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	make := func(days int) saml.KeyPair {
		pair, err := saml.GenerateKeyPair(saml.P256, saml.CertificateOptions{Subject: "app.example.com", NotBefore: now, Days: days})
		if err != nil {
			panic(err)
		}
		return pair
	}
	current := make(20)
	certificate, key, err := make(3650).PEM() // keep both where only the application reads them
	if err != nil {
		panic(err)
	}
	next, err := saml.ParseKeyPair(string(certificate), string(key))
	if err != nil {
		panic(err)
	}
	next.PublishOnly = true
	sp, err := saml.New(saml.Config{BaseURL: "https://app.example.com", Trusts: saml.NewMemoryTrusts(), State: saml.NewMemoryState(),
		SigningKeys: []saml.KeyPair{current, next}})
	if err != nil {
		panic(err)
	}
	health := sp.Health(now)
	fmt.Println(health.Severity)
	for _, item := range health.Items {
		fmt.Println(item.Kind, item.Severity, item.DaysLeft)
	}
	// Output:
	// warning
	// signing_key warning 20
	// signing_key ok 3650
}
