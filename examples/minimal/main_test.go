package main

import (
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
	app, err := newApp(idp.Metadata())
	require.NoError(t, err)
	page := idp.Login(t, app, "http://localhost:8080/")
	assert.Equal(t, "Hello \"alice\", by https://idp.example.com/metadata.\n", page.Body)

	_, err = newApp([]byte("no metadata"))
	assert.Error(t, err)
}

// Every attack is refused.
func TestAttacks(t *testing.T) {
	t.Parallel()
	idp := samltest.NewIdP(t)
	app, err := newApp(idp.Metadata())
	require.NoError(t, err)
	idp.AddSP(samltest.SP{EntityID: "http://localhost:8080/sso/metadata", ACSURL: acsURL})
	idp.RunAttacks(t, app)
}
