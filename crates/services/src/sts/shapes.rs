//! Structures that several operations share, as the API has them.

use crate::iam::SecretText;
use bulla_types::Timestamp;
use bulla_wire::Shape;

/// A managed policy.
#[derive(Debug, Shape)]
pub(crate) struct PolicyDescriptorType {
    #[member(name = "arn")]
    pub(crate) arn: Option<String>,
}

/// A session tag.
#[derive(Clone, Debug, Shape)]
pub(crate) struct Tag {
    pub(crate) key: String,
    pub(crate) value: String,
}

/// Temporary credentials.
#[derive(Debug, Shape)]
pub(crate) struct Credentials {
    pub(crate) access_key_id: String,
    pub(crate) secret_access_key: SecretText,
    pub(crate) session_token: SecretText,
    pub(crate) expiration: Timestamp,
}

/// The tags as pairs.
pub(super) fn pairs(tags: &[Tag]) -> Vec<(String, String)> {
    tags.iter()
        .map(|tag| (tag.key.clone(), tag.value.clone()))
        .collect()
}
