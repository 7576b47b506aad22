package wire_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/logintrust/saml/internal/wire"
)

// req: TM-PARSE
func TestParseTime(t *testing.T) {
	t.Parallel()
	at := func(year, month, day, hour, minute, second, nano int) time.Time {
		return time.Date(year, time.Month(month), day, hour, minute, second, nano, time.UTC)
	}
	noon := at(2026, 3, 14, 12, 0, 0, 0)
	for text, want := range map[string]time.Time{
		"2013-03-18T03:28:54.1839884Z": at(2013, 3, 18, 3, 28, 54, 183_988_400), // Entra ID
		"2026-03-14T12:00:00Z":         noon,
		"2026-03-14T12:00:00":          noon, // no zone: UTC, by SAML Core 1.3.3
		"2026-03-14T12:00:00.000Z":     noon,
		"2026-03-14T12:00:00.5":        noon.Add(time.Second / 2),
		" \t\r\n2026-03-14T12:00:00Z ": noon, // whitespace collapses

		"2026-03-14T12:00:00+00:00":    noon,
		"2026-03-14T12:00:00-00:00":    noon,
		"2026-03-14T13:30:00+01:30":    noon,
		"2026-03-14T06:15:00-05:45":    noon,
		"2026-03-15T02:00:00+14:00":    noon,
		"2026-03-13T22:00:00-14:00":    noon,
		"2026-03-14T12:00:00.25+00:00": noon.Add(time.Second / 4),

		"2026-03-14T24:00:00Z":      at(2026, 3, 15, 0, 0, 0, 0),
		"2026-12-31T24:00:00.000Z":  at(2027, 1, 1, 0, 0, 0, 0),
		"2024-02-28T24:00:00Z":      at(2024, 2, 29, 0, 0, 0, 0),
		"2026-03-14T24:00:00+01:00": at(2026, 3, 14, 23, 0, 0, 0),
		"2026-03-14T23:59:59.9Z":    at(2026, 3, 14, 23, 59, 59, 900_000_000),

		"2024-02-29T00:00:00Z":      at(2024, 2, 29, 0, 0, 0, 0),
		"2000-02-29T00:00:00Z":      at(2000, 2, 29, 0, 0, 0, 0),
		"2026-01-31T00:00:00Z":      at(2026, 1, 31, 0, 0, 0, 0),
		"2026-04-30T00:00:00Z":      at(2026, 4, 30, 0, 0, 0, 0),
		"1900-01-01T00:00:00Z":      at(1900, 1, 1, 0, 0, 0, 0),
		"1900-01-01T00:00:00+14:00": at(1899, 12, 31, 10, 0, 0, 0),
		"9999-12-31T23:59:59Z":      at(9999, 12, 31, 23, 59, 59, 0),
		"9999-12-31T24:00:00-14:00": at(10000, 1, 1, 14, 0, 0, 0),
	} {
		got, ok := wire.ParseTime([]byte(text))
		assert.True(t, ok, "%q", text)
		assert.Equal(t, want, got, "%q", text)
	}
	for _, text := range []string{
		"", " ", "now", "2026-03-14", "12:00:00Z", "1773489600", "2026-03-14T12:00Z", "2026-03-14T12:00:00ZZ", "2026-03-14T12:00:00Z+00:00",
		"2013-03-18T3:28:54Z", "2013-03-18T03:28:54,5Z", // both of which time.Parse takes
		"2026-3-14T12:00:00Z", "2026-03-4T12:00:00Z", "26-03-14T12:00:00Z", "2026-03-14T12:0:00Z", "2026-03-14T12:00:0Z",
		"2026/03/14T12:00:00Z", "2026-03-14 12:00:00Z", "2026-03-14t12:00:00Z", "2026-03-14T12:00:00z", "20260314T120000Z", "2026-W11-6T12:00:00", "2026-073T12:00:00Z",
		"2026-03-14T12:00:60Z", "2026-06-30T23:59:60Z", "2026-03-14T12:60:00Z", "2026-03-14T25:00:00Z", "2026-03-14T24:00:01Z", "2026-03-14T24:01:00Z", "2026-03-14T24:00:00.1Z", "2026-03-14T24:00:00.000000001Z",
		"2026-00-14T12:00:00Z", "2026-13-14T12:00:00Z", "2026-03-00T12:00:00Z", "2026-03-32T12:00:00Z", "2026-04-31T12:00:00Z", "2026-02-29T12:00:00Z", "2100-02-29T12:00:00Z", "1900-02-29T12:00:00Z", "2024-02-30T12:00:00Z",
		"0000-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "1899-12-31T23:59:59Z", "-2026-03-14T12:00:00Z", "+2026-03-14T12:00:00Z", "12026-03-14T12:00:00Z", "-001-01-01T00:00:00Z",
		"2026-03-14T12:00:00.Z", "2026-03-14T12:00:00.", "2026-03-14T12:00:00.5.5Z", "2026-03-14T12:00:00. 5Z", "2026-03-14T12:00:00.-5Z", "2026-03-14T12:00:00.5 Z", "2026-03-14T12:00:00 Z", "2026-03-14T12:00:00.5e1Z",
		"2026-03-14T12:00:00+1:00", "2026-03-14T12:00:00+01", "2026-03-14T12:00:00+0100", "2026-03-14T12:00:00+01:60", "2026-03-14T12:00:00+14:01", "2026-03-14T12:00:00-14:01", "2026-03-14T12:00:00+24:00",
		"2026-03-14T12:00:00+01:00Z", "2026-03-14T12:00:00 +01:00", "2026-03-14T12:00:00+-1:00", "2026-03-14T12:00:00\u221201:00", "2026-03-14T12:00:00UTC", "2026-03-14T12:00:00+01:00:00", "2026-03-14T12:00:00+",
		"\u0662\u0660\u0662\u0666-03-14T12:00:00Z", "2026-03-14T12:00:00Z\x00", "\u00a02026-03-14T12:00:00Z", "2026-03-14T+2:00:00Z", "2026-03-14T12:00:-1Z", "2026- 3-14T12:00:00Z", strings.Repeat("2", 1000),
	} {
		got, ok := wire.ParseTime([]byte(text))
		assert.False(t, ok, "%q", text)
		assert.True(t, got.IsZero(), "%q: a value beside a refusal", text)
	}
}

// req: TM-PARSE
func TestParseTimeFraction(t *testing.T) {
	t.Parallel()
	const digits = "12345678912345678912"
	for n := range len(digits) + 1 {
		text := "2026-03-14T12:00:00." + digits[:n] + "Z"
		if n == 0 {
			text = "2026-03-14T12:00:00Z"
		}
		nano := 0
		for i := range 9 { // digits beyond the ninth count for nothing
			nano *= 10
			if i < n {
				nano += int(digits[i] - '0')
			}
		}
		got, ok := wire.ParseTime([]byte(text))
		assert.True(t, ok, "%q", text)
		assert.Equal(t, nano, got.Nanosecond(), "%q", text)
	}
	got, ok := wire.ParseTime([]byte("2026-03-14T12:00:00." + strings.Repeat("9", 10_000) + "Z"))
	assert.True(t, ok)
	assert.Equal(t, 999_999_999, got.Nanosecond())
}

// Each character is where it must be: with any other in its place it is no time.
func TestParseTimeCharacterByCharacter(t *testing.T) {
	t.Parallel()
	const text = "2026-03-14T12:10:20+01:30"
	isDigit := func(c byte) bool { return '0' <= c && c <= '9' }
	for i := range len(text) {
		for c := range byte(128) {
			if c == text[i] || isDigit(c) && isDigit(text[i]) || c == '-' && text[i] == '+' {
				continue
			}
			changed := text[:i] + string(c) + text[i+1:]
			got, ok := wire.ParseTime([]byte(changed))
			assert.False(t, ok, "%q is taken for %v", changed, got)
		}
	}
}

// Every day of the calendar, against the standard library.
func TestParseTimeDays(t *testing.T) {
	t.Parallel()
	for day := time.Date(1900, 1, 1, 23, 59, 58, 0, time.UTC); day.Year() < 2110; day = day.AddDate(0, 0, 1) {
		got, ok := wire.ParseTime([]byte(day.Format(time.RFC3339)))
		if !ok || !got.Equal(day) {
			t.Fatalf("%v: got %v, %t", day, got, ok)
		}
	}
}

// Where both readers take a time, they take it for the same.
//
// req: TM-PARSE
func FuzzTime(f *testing.F) {
	for _, text := range []string{"2026-03-14T12:00:00Z", "2026-03-14T12:00:00.123456789Z", "2026-03-14T24:00:00+14:00", "2013-03-18T3:28:54Z", "2013-03-18T03:28:54,5Z", "2024-02-29T23:59:59-14:00",
		"2026-03-14T12:00:00", " 2026-03-14T12:00:00Z\n", "1900-01-01T00:00:00+14:00", "9999-12-31T24:00:00-00:00", "2026-06-30T23:59:60Z", "2026-03-14T12:00:00.00000000000000000000Z"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		ours, ok := wire.ParseTime([]byte(text))
		if !ok {
			if !ours.IsZero() {
				t.Errorf("%q: a value beside a refusal", text)
			}
			return
		}
		if ours.IsZero() || ours.Location() != time.UTC {
			t.Errorf("%q: %v", text, ours)
		}
		trimmed := strings.Trim(text, " \t\r\n")
		theirs, err := time.Parse(time.RFC3339, trimmed)
		if err != nil {
			theirs, err = time.Parse("2006-01-02T15:04:05", trimmed) // takes a fraction, too
		}
		switch {
		case err == nil && !ours.Equal(theirs):
			t.Errorf("%q: ours %v, theirs %v", text, ours, theirs)
		case err != nil && !strings.Contains(trimmed, "T24:00:00"):
			t.Errorf("%q: ours %v, theirs %v", text, ours, err)
		}
		again, ok := wire.ParseTime([]byte(ours.Format("2006-01-02T15:04:05.999999999Z")))
		if ours.Year() >= 1900 && ours.Year() <= 9999 && (!ok || !again.Equal(ours)) {
			t.Errorf("%q: %v, and then %v", text, ours, again)
		}
	})
}

// req: E94-cache
func TestParseDuration(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	for text, want := range map[string]time.Duration{
		"PT1H": time.Hour, " P1D ": day, "P1Y2M3DT4H5M6S": (365+60+3)*day + 4*time.Hour + 5*time.Minute + 6*time.Second,
		"P1M": 30 * day, "PT1M": time.Minute, "PT0S": 0, "PT90000S": 25 * time.Hour,
		"P9999Y": 3650 * day, "PT99999999999999999999999999S": 3650 * day, "P9Y999999999999M": 3650 * day,
	} {
		got, ok := wire.ParseDuration([]byte(text))
		assert.True(t, ok, text)
		assert.Equal(t, want, got, text)
	}
	for _, text := range []string{"", "P", "PT", "P1", "1D", "-P1D", "P-1D", "P1DT", "P1S", "PT1D", "P1D1Y", "PT1S1H", "P1D1D", "PT1HT1M", "P1.5D", "PT1.5S", "P1W", "p1d", "PÿD",
		"PYD", "PDD", "PTS", "P12", "P1DT12", "X1D", "1D1D", "PT1HM"} {
		_, ok := wire.ParseDuration([]byte(text))
		assert.False(t, ok, text)
	}
}
