//! What the world gives: clock, entropy, tasks, shutdown; real and manual.
