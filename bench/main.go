// Command bench holds this library against others on the same bytes in one run: time, octets and allocations for one
// response, from the posted base64 to the decoded assertion, with the bare cost of cryptography as the floor.
//
//	go run -C bench .
//
// Each contender runs in short slices right behind one of the floor, the rows are interleaved, and the medians of many rounds
// count, so that ratios hold where times do not.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"slices"
	"text/tabwriter"
	"time"
)

func main() {
	rounds := flag.Int("rounds", 60, "rounds; the median counts")
	slice := flag.Duration("slice", 10*time.Millisecond, "how long each contender runs in each round")
	quick := flag.Bool("quick", false, "few short rounds, to see that everything runs")
	check := flag.Bool("check", false, "exit with status 1 if a ratio is above its limit")
	only := flag.String("only", "", "run only this work")
	profile := flag.String("cpuprofile", "", "write a CPU profile of this library's rows to this file")
	flag.Parse()
	if *quick {
		*rounds, *slice = 3, 5*time.Millisecond
	}
	if err := run(*rounds, *slice, *only, *profile, *check); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(rounds int, slice time.Duration, only, profile string, check bool) error {
	works, err := allWorks()
	if err != nil {
		return err
	}
	if profile != "" {
		f, err := os.Create(profile)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	fmt.Printf("%s, %s/%s, %d CPUs; medians of %d rounds\n\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), rounds)
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(out, "work\tcontender\tµs\tratio\ttarget\tnever above\tKB\tallocs\t")
	over := 0
	for _, w := range works {
		if only != "" && w.name != only {
			continue
		}
		contenders := w.contenders()
		if profile != "" {
			contenders = slices.DeleteFunc(contenders, func(c *contender) bool { return c.name != floorName && c.name != oursName })
		}
		measure(contenders, rounds, slice)
		over += w.report(out, contenders)
	}
	if err := out.Flush(); err != nil {
		return err
	}
	if check && over > 0 {
		return fmt.Errorf("%d ratios are above their limit", over)
	}
	return nil
}

// A contender does one piece of work.
type contender struct {
	name    string
	once    func() error
	refused error // why it cannot do it at all

	times  []float64 // µs, one for each slice
	ratios []float64 // to the floor, which ran right before
	octets uint64
	allocs uint64
}

// try does the work once; a contender that panics cannot do it.
func (c *contender) try() (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = errPanic
		}
	}()
	return c.once()
}

var errPanic = errors.New("panics")

// measure runs the contenders in turn, round by round.
func measure(contenders []*contender, rounds int, slice time.Duration) {
	for _, c := range contenders {
		if c.refused = c.try(); c.refused != nil {
			continue
		}
		const n = 20
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range n {
			_ = c.once()
		}
		runtime.ReadMemStats(&after)
		c.octets, c.allocs = (after.TotalAlloc-before.TotalAlloc)/n, (after.Mallocs-before.Mallocs)/n
	}
	floor := contenders[0]
	for range rounds {
		for _, c := range contenders[1:] {
			if c.refused != nil {
				continue
			}
			runtime.GC() // nobody pays for the garbage of who ran before
			_ = c.try()  // nor for the memory that this took from the pools
			beside := floor.run(slice)
			c.times = append(c.times, c.run(slice))
			c.ratios = append(c.ratios, c.times[len(c.times)-1]/beside)
			floor.times, floor.ratios = append(floor.times, beside), append(floor.ratios, 1)
		}
	}
}

// run does the work again and again for that long, and returns what one time took, in µs.
func (c *contender) run(slice time.Duration) float64 {
	runs, start := 0, time.Now()
	for time.Since(start) < slice {
		_ = c.once()
		runs++
	}
	return float64(time.Since(start).Nanoseconds()) / float64(runs) / 1000
}

func median(v []float64) float64 {
	s := slices.Clone(v)
	slices.Sort(s)
	return s[len(s)/2]
}

// report prints the rows of one work, and returns how many of ours are above the limit.
func (w work) report(out *tabwriter.Writer, contenders []*contender) (over int) {
	for _, c := range contenders {
		if c.refused != nil {
			word := "refused"
			if errors.Is(c.refused, errPanic) {
				word = "panics"
			}
			fmt.Fprintf(out, "%s\t%s\t%s\t\t\t\t\t\t\n", w.name, c.name, word)
			continue
		}
		ratio := median(c.ratios)
		target, never := "", ""
		if c.name == oursName {
			target, never = limit(w.target), limit(w.never)
			if w.never > 0 && ratio > w.never {
				over++
			}
		}
		fmt.Fprintf(out, "%s\t%s\t%.1f\t%.2f\t%s\t%s\t%.1f\t%d\t\n", w.name, c.name, median(c.times), ratio, target, never,
			float64(c.octets)/1024, c.allocs)
	}
	return over
}

func limit(v float64) string {
	if v == 0 {
		return ""
	}
	return fmt.Sprintf("%.2f", v)
}
