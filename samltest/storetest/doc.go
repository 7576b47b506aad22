// Package storetest holds the stores of an application against what the library demands of them: that they are atomic
// above all, for a store that is not lets a login in twice. Run a suite in the tests of your own store:
//
//	func TestStore(t *testing.T) {
//		storetest.StateStore(t, func() saml.StateStore { return newStore(t) })
//	}
//
// Each suite makes stores of its own, which it asks concurrently; run it with -race.
package storetest

import "sync"

// many is how many callers come at once.
const many = 50

// atOnce calls f concurrently, with 0 to many-1, and waits.
func atOnce(f func(i int)) {
	var group sync.WaitGroup
	gate := make(chan struct{})
	for i := range many {
		group.Go(func() {
			<-gate
			f(i)
		})
	}
	close(gate)
	group.Wait()
}
