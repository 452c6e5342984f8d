//! What the policy language promises, through its public door.

mod support;
mod vectors;
