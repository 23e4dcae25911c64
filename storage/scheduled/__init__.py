"""Work by the clock: what was run when, and the lock under which one process does it."""
