package main

import (
	"bytes"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml/samltest"
)

const acsURL = "http://localhost:8080/sso/acs"

// Somebody opens the home page, signs in at the identity provider, and is greeted.
func TestLogin(t *testing.T) {
	t.Parallel()
	idp := samltest.NewIdP(t)
	page := idp.Login(t, newApp(idp.Metadata()), "http://localhost:8080/")
	assert.Equal(t, "Hello \"alice\", by https://idp.example.com/metadata.\n", page.Body)
	assert.Equal(t, "text/plain; charset=utf-8", page.Header.Get("Content-Type"))
}

// It is short.
func TestLength(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("main.go")
	require.NoError(t, err)
	assert.Less(t, bytes.Count(text, []byte("\n")), 60)
}

// Every attack is refused.
func TestAttacks(t *testing.T) {
	t.Parallel()
	idp := samltest.NewIdP(t)
	idp.AddSP(samltest.SP{EntityID: "http://localhost:8080/sso/metadata", ACSURL: acsURL})
	idp.RunAttacks(t, newApp(idp.Metadata()))
}
