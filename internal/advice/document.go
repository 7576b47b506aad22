package advice

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Reasons are the reasons for which there is advice, sorted.
func Reasons() []string { return slices.Sorted(maps.Keys(entries)) }

// Document is docs/reasons.md: of each reason, in this order, what it means, who acts, and the remedies.
func Document(reasons []string) string {
	var b strings.Builder
	b.WriteString("# Reasons\n\nWhy a login, or a message about a logout, was refused: what each reason means, who can mend it, and where. " +
		"`Explain` says the same of a login at hand. This page is made from `internal/advice` by\n" +
		"`go test -run TestReasonsDocument . -update`.\n\n" +
		"Names of menus are those of the products at the time of writing; they move.\n")
	for _, reason := range reasons {
		e := entries[reason]
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\n- **Who:** %s\n- **Remedy:** %s\n", reason, e.meaning, e.actor, For(reason, "").Remedy)
		for _, product := range slices.Sorted(maps.Keys(e.products)) {
			fmt.Fprintf(&b, "- **%s:** %s\n", product, e.products[product])
		}
	}
	return b.String()
}
