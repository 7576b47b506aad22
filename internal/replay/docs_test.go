package replay_test

import (
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml/internal/replay"
)

// docs/cases.md has every field that is read and every kind.
func TestCasesDocument(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("../../docs/cases.md")
	require.NoError(t, err)
	words := []string{"post-response", "relay-state", "sequence", "metadata", "logout-request-redirect", "logout-request-post",
		"logout-response-redirect", "logout-response-post"}
	for _, kind := range words {
		answer := replay.Judge([]byte(`{"kind":"` + kind + `"}`))
		assert.Equal(t, replay.Error, answer.Verdict, kind)
	}
	assert.Equal(t, replay.Unsupported, replay.Judge([]byte(`{"kind":"telegram"}`)).Verdict)
	for _, part := range []any{replay.Case{}, replay.ServiceProvider{}, replay.Step{}, replay.Expectation{}} {
		of := reflect.TypeOf(part)
		for i := range of.NumField() {
			name, _, _ := strings.Cut(of.Field(i).Tag.Get("json"), ",")
			words = append(words, name)
		}
	}
	for _, word := range words {
		assert.Contains(t, string(doc), "`"+word+"`")
	}
}
