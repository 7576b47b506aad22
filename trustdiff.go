package saml

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// A Change is one difference between two login trusts, for a person: an administrator before he saves, an auditor after.
type Change struct {
	// Field is the name of the field of LoginTrust.
	Field string
	// Old and New are what it holds, in words; "" where there is nothing. For a list each entry that came or went is a
	// Change of its own.
	Old, New string
}

// String writes the change as a line of a log.
func (c Change) String() string {
	switch {
	case c.Old == "":
		return c.Field + ": added " + c.New
	case c.New == "":
		return c.Field + ": removed " + c.Old
	}
	return c.Field + ": " + c.Old + " → " + c.New
}

// Diff lists what is different in two login trusts, in the order of the fields. Keys are shown by their fingerprints and
// dates. The order of a list is a difference only where the first of it that will do is used.
func Diff(old, new LoginTrust) (changes []Change) {
	a, b := reflect.ValueOf(old), reflect.ValueOf(new)
	for i := range a.NumField() {
		changes = appendChanges(changes, a.Type().Field(i).Name, a.Field(i), b.Field(i))
	}
	return changes
}

func appendChanges(changes []Change, field string, old, new reflect.Value) []Change {
	switch old.Kind() {
	case reflect.Struct:
		for i := range old.NumField() {
			changes = appendChanges(changes, field+"."+old.Type().Field(i).Name, old.Field(i), new.Field(i))
		}
	case reflect.Slice:
		before, after := entries(old), entries(new)
		for _, gone := range without(before, after) {
			changes = append(changes, Change{field, gone, ""})
		}
		for _, added := range without(after, before) {
			changes = append(changes, Change{field, "", added})
		}
		if isRanked(field) && !slices.Equal(before, after) && sameEntries(before, after) {
			changes = append(changes, Change{field, strings.Join(before, ", "), strings.Join(after, ", ")})
		}
	default:
		if before, after := inWords(old.Interface()), inWords(new.Interface()); before != after {
			changes = append(changes, Change{field, before, after})
		}
	}
	return changes
}

// isRanked reports the lists of which the first entry that will do is used.
func isRanked(field string) bool {
	return slices.Contains([]string{"EncryptionKeys", "EncryptionMethods", "SigningMethods", "DigestMethods"}, field)
}

func sameEntries(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

func entries(list reflect.Value) (words []string) {
	for i := range list.Len() {
		words = append(words, inWords(list.Index(i).Interface()))
	}
	return words
}

// without is what list has more of than other.
func without(list, other []string) (rest []string) {
	other = slices.Clone(other)
	for _, entry := range list {
		if i := slices.Index(other, entry); i >= 0 {
			other = slices.Delete(other, i, i+1)
			continue
		}
		rest = append(rest, entry)
	}
	return rest
}

func inWords(value any) string {
	switch v := value.(type) {
	case bool:
		if v {
			return "yes"
		}
		return "no"
	case time.Duration:
		if v == 0 {
			return "" // no limit
		}
		return v.String()
	case string:
		if strings.ContainsFunc(v, func(r rune) bool { return !unicode.IsPrint(r) }) {
			return strconv.Quote(v)
		}
		return v
	}
	return fmt.Sprint(value) // keys and options, which have words of their own
}
