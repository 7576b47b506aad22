package main

import "testing"

// Each work is one that this library accepts and the floor can do; what the others cannot do is a row of the table.
func TestWorks(t *testing.T) {
	works, err := allWorks()
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range works {
		for _, c := range w.contenders()[:2] {
			if err := c.try(); err != nil {
				t.Errorf("%s: %s: %v", w.name, c.name, err)
			}
		}
	}
}
