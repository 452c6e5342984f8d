//! Operations of STS that are known and not built.

/// What AWS has and Bulla has not built; `UnsupportedOperation` says so.
pub(super) const NOT_BUILT: &[&str] = &[
    // Identity providers.
    "AssumeRoleWithSAML",
    "AssumeRoleWithWebIdentity",
    "GetWebIdentityToken",
    // Root access and delegation for whole organizations.
    "AssumeRoot",
    "GetDelegatedAccessToken",
];
