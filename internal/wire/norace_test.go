//go:build !race

package wire_test

// raceDetector says that the tests run under the race detector, and that times mean nothing.
const raceDetector = false
