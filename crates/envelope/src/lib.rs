//! Data keys, AEAD sealing, root-key providers.
