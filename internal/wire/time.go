package wire

import "time"

// ParseTime reads an xs:dateTime (XML Schema part 2, 3.2.7): any number of fraction digits, Z or an offset, 24:00:00 as
// the end of a day. A time without zone is taken as UTC, since SAML Core 1.3.3 says that times have "no time zone
// component". Years before 1900 are refused, so that no legal value is the zero time.
func ParseTime(b []byte) (time.Time, bool) {
	b = trimSpace(b)
	if len(b) < len("2006-01-02T15:04:05") || b[4] != '-' || b[7] != '-' || b[10] != 'T' || b[13] != ':' || b[16] != ':' {
		return time.Time{}, false
	}
	year, ok0 := digits(b[0:4])
	month, ok1 := digits(b[5:7])
	day, ok2 := digits(b[8:10])
	hour, ok3 := digits(b[11:13])
	minute, ok4 := digits(b[14:16])
	second, ok5 := digits(b[17:19])
	if !(ok0 && ok1 && ok2 && ok3 && ok4 && ok5) {
		return time.Time{}, false
	}
	nano, rest, ok := fraction(b[19:])
	if !ok {
		return time.Time{}, false
	}
	offset, ok := zone(rest)
	if !ok || year < 1900 || month < 1 || month > 12 || day < 1 || day > daysIn(year, month) || minute > 59 || second > 59 ||
		hour > 24 || hour == 24 && (minute != 0 || second != 0 || nano != 0) {
		return time.Time{}, false
	}
	t := time.Date(year, time.Month(month), day, hour, minute, second, nano, time.UTC)
	return t.Add(-time.Duration(offset) * time.Minute), true
}

func digits(b []byte) (n int, ok bool) {
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, true
}

// fraction reads ".123"; digits beyond the ninth count for nothing.
func fraction(b []byte) (nano int, rest []byte, ok bool) {
	if len(b) == 0 || b[0] != '.' {
		return 0, b, true
	}
	i, unit := 1, 100_000_000
	for ; i < len(b) && '0' <= b[i] && b[i] <= '9'; i++ {
		nano += int(b[i]-'0') * unit
		unit /= 10
	}
	return nano, b[i:], i > 1
}

// zone reads "", "Z" or "+01:00" and returns minutes east of UTC.
func zone(b []byte) (minutes int, ok bool) {
	if len(b) == 0 || len(b) == 1 && b[0] == 'Z' {
		return 0, true
	}
	if len(b) != 6 || b[0] != '+' && b[0] != '-' || b[3] != ':' {
		return 0, false
	}
	h, ok0 := digits(b[1:3])
	m, ok1 := digits(b[4:6])
	if !ok0 || !ok1 || m > 59 || h*60+m > 14*60 {
		return 0, false
	}
	if b[0] == '-' {
		return -(h*60 + m), true
	}
	return h*60 + m, true
}

func daysIn(year, month int) int {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

// ParseDuration reads an xs:duration (XML Schema part 2, 3.2.6) that is not negative, with whole numbers. A year counts 365
// days and a month 30; what is longer than maxDuration counts as that.
func ParseDuration(b []byte) (time.Duration, bool) {
	b = trimSpace(b)
	if len(b) < len("P1D") || b[0] != 'P' {
		return 0, false
	}
	const day = 24 * time.Hour
	units := []struct {
		letter byte
		inTime bool
		unit   time.Duration
	}{{'Y', false, 365 * day}, {'M', false, 30 * day}, {'D', false, day}, {'H', true, time.Hour}, {'M', true, time.Minute}, {'S', true, time.Second}}
	var sum time.Duration
	inTime := false
	for b = b[1:]; len(b) > 0; {
		if b[0] == 'T' {
			if inTime || len(b) == 1 {
				return 0, false
			}
			inTime, b = true, b[1:]
		}
		size := 0
		for size < len(b) && b[size] >= '0' && b[size] <= '9' {
			size++
		}
		if size == 0 || size == len(b) {
			return 0, false
		}
		for len(units) > 0 && (units[0].letter != b[size] || units[0].inTime != inTime) {
			units = units[1:]
		}
		if len(units) == 0 {
			return 0, false
		}
		sum = min(sum+atMost(b[:size], maxDuration/units[0].unit)*units[0].unit, maxDuration)
		units, b = units[1:], b[size+1:]
	}
	return sum, true
}

// maxDuration is the longest that is told apart: nothing is kept for ten years.
const maxDuration = 10 * 365 * 24 * time.Hour

func atMost(digits []byte, most time.Duration) (n time.Duration) {
	for _, c := range digits {
		if n = n*10 + time.Duration(c-'0'); n > most {
			return most
		}
	}
	return n
}
