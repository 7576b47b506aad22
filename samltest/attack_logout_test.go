package samltest

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestLogoutAttacksAreNamed(t *testing.T) {
	t.Parallel()
	attacks := LogoutAttacks()
	assert.GreaterOrEqual(t, len(attacks), 100)
	names := map[string]bool{}
	for _, a := range attacks {
		assert.False(t, names[a.Name], "twice: %s", a.Name)
		names[a.Name] = true
		assert.NotEmpty(t, a.Class, a.Name)
		assert.NotEmpty(t, a.Reference, a.Name)
		assert.NotNil(t, a.Forge, a.Name)
	}
}
