//! The one door: authenticate, resolve, authorize, execute, audit.
