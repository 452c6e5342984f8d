//! Set-up, test, tidy and benchmark commands.
fn main() {}
