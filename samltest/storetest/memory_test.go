package storetest_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	saml "github.com/logintrust/saml"
	"github.com/logintrust/saml/samltest/storetest"
)

func TestMemoryState(t *testing.T) {
	t.Parallel()
	storetest.StateStore(t, func() saml.StateStore { return saml.NewMemoryState() })
}

func TestMemoryUsers(t *testing.T) {
	t.Parallel()
	storetest.UserDirectory(t, func(users ...saml.User) saml.UserDirectory { return saml.NewMemoryUsers(users...) })
}

func TestMemoryTrusts(t *testing.T) {
	t.Parallel()
	storetest.TrustStore(t, func(trusts ...saml.LoginTrust) saml.TrustStore {
		for _, trust := range trusts { // a store may demand it
			assert.NoError(t, trust.Check())
		}
		return saml.NewMemoryTrusts(trusts...)
	})
}

// A zero value is an empty store.
func TestZeroValues(t *testing.T) {
	t.Parallel()
	storetest.StateStore(t, func() saml.StateStore { return new(saml.MemoryState) })
	storetest.UserDirectory(t, func(users ...saml.User) saml.UserDirectory {
		m := new(saml.MemoryUsers)
		for _, u := range users {
			m.Set(u)
		}
		return m
	})
}
