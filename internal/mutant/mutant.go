// Package mutant is the switch inside of test binaries that internal/cmd/mutants builds: each check of the library can be
// turned off there, one at a time, while the attacks are tried. Nothing imports it but code that is rewritten for that.
package mutant

import (
	"os"
	"reflect"
	"strconv"
	"sync/atomic"
	"time"
)

// Variables of the environment that a test binary is run with.
const (
	// Active is the number of the mutant that is on.
	Active = "LOGINTRUST_MUTANT"
	// Trace has each mutant that would have made a difference written to standard output, as a line "\x01number".
	Trace = "LOGINTRUST_MUTANT_TRACE"
)

var (
	active  = activeFrom(os.Getenv(Active))
	tracing = os.Getenv(Trace) != ""
	traced  [1 << 14]atomic.Int64
)

func activeFrom(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return -1
	}
	return n
}

// On reports whether the mutant n is on. It is asked only where that makes a difference to one condition.
func On(n int) bool {
	if tracing {
		trace(n)
	}
	return n == active
}

// Drop is err, or the zero value if the mutant n is on.
func Drop[E comparable](n int, err E) E {
	var none E
	if err != none && On(n) {
		return none
	}
	return err
}

// Off is check, or a function of its type that finds nothing if the mutant n is on.
func Off[F any](n int, check F) F {
	if n != active && !tracing {
		return check
	}
	v := reflect.ValueOf(check)
	return reflect.MakeFunc(v.Type(), func(args []reflect.Value) []reflect.Value {
		if n == active {
			return nothing(v.Type())
		}
		results := v.Call(args)
		for _, r := range results {
			if !r.IsZero() {
				trace(n)
			}
		}
		return results
	}).Interface().(F)
}

func nothing(t reflect.Type) (zeros []reflect.Value) {
	for i := range t.NumOut() {
		zeros = append(zeros, reflect.Zero(t.Out(i)))
	}
	return zeros
}

// trace writes a number, though not again at once: a loop would write it a million times.
func trace(n int) {
	const pause = 20 * time.Microsecond
	now := time.Now().UnixNano()
	if last := traced[n].Swap(now); now-last > int64(pause) {
		_, _ = os.Stdout.WriteString("\x01" + strconv.Itoa(n) + "\n")
	}
}
