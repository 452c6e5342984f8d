//! Names of the domain, parsed once: ARNs, account ids, regions, queue names, key ids.
