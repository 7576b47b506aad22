package replay

// Guard is guard, for tests.
var Guard = guard
