//! Listeners, TLS, configuration, command line, composition.
