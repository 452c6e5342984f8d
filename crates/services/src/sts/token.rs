//! Session tokens: what a session is, sealed, in the client's hands.
//!
//! Why not stored: a session needs no commit to begin and none to end, and survives a restart. The token holds the
//! unique id of the role or user, not its name: one that is made again under an old name has other sessions. It is bound to its
//! access key id; the secret is not in it but derived from the server's key and the access key id.

use super::limits::TOKEN_CHARS_MAX;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bulla_envelope::{InstanceKey, Purpose, SealError, SecretKey, encode_parts, unwrap, wrap};
use bulla_gate::SecretAccessKey;
use bulla_runtime::Entropy;
use bulla_types::Timestamp;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// 2 has managed session policies and source identity, which 1 lacks; 3 has sessions of others than roles.
const FORMAT: u32 = 3;
const LABEL: &[u8] = b"bulla session token 1";
/// Bytes that make the 40 characters of a secret access key.
const SECRET_BYTES: usize = 30;

/// Whose session it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Subject {
    /// A role's.
    #[default]
    Role,
    /// A user's own.
    User,
    /// A root user's own.
    Root,
    /// Of somebody for whom a user vouches.
    FederatedByUser,
    /// Of somebody for whom a root user vouches.
    FederatedByRoot,
}

/// What a token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Session {
    pub(super) subject: Subject,
    /// Unique id of the role or user; of a root user the account.
    pub(super) id: String,
    /// Its name; the sessions of users and root users of their own have none.
    pub(super) name: String,
    pub(super) issued: Timestamp,
    pub(super) expires: Timestamp,
    /// Session policy.
    pub(super) policy: Option<String>,
    /// ARNs of managed session policies.
    pub(super) policy_arns: Vec<String>,
    /// Who stands behind the session.
    pub(super) source_identity: Option<String>,
    /// Session tags, also those that were passed on to it.
    pub(super) tags: Vec<(String, String)>,
    /// Keys of the tags that it passes on.
    pub(super) transitive: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SessionRecord {
    format: u32,
    #[serde(default)]
    subject: Subject,
    /// The name is of a time when only roles had sessions.
    #[serde(rename = "role")]
    id: String,
    name: String,
    issued_ms: u64,
    expires_ms: u64,
    policy: Option<String>,
    tags: Vec<(String, String)>,
    transitive: Vec<String>,
    #[serde(default)]
    policy_arns: Vec<String>,
    #[serde(default)]
    source_identity: Option<String>,
}

/// The keys that make tokens and secrets of sessions.
#[derive(Debug)]
pub(super) struct TokenKeys {
    seal: SecretKey,
    secrets: SecretKey,
}

impl TokenKeys {
    pub(super) fn new(instance: &InstanceKey) -> Result<Self, SealError> {
        Ok(Self {
            seal: instance.derive(Purpose::SessionTokens, &[b"tokens"])?,
            secrets: instance.derive(Purpose::SessionTokens, &[b"secret access keys"])?,
        })
    }

    /// The secret of a session's access key.
    pub(super) fn secret(&self, access_key: &str) -> Result<SecretAccessKey, SealError> {
        let derived = self
            .secrets
            .derive(Purpose::SessionTokens, &[access_key.as_bytes()])?;
        let bytes = derived.expose().get(..SECRET_BYTES).ok_or(SealError::Refused)?;
        Ok(SecretAccessKey::new(Zeroizing::new(BASE64.encode(bytes))))
    }

    /// The token of a session.
    pub(super) fn seal(
        &self,
        access_key: &str,
        session: &Session,
        entropy: &dyn Entropy,
    ) -> Result<String, SealError> {
        let record = SessionRecord {
            format: FORMAT,
            subject: session.subject,
            id: session.id.clone(),
            name: session.name.clone(),
            issued_ms: session.issued.as_millis(),
            expires_ms: session.expires.as_millis(),
            policy: session.policy.clone(),
            tags: session.tags.clone(),
            transitive: session.transitive.clone(),
            policy_arns: session.policy_arns.clone(),
            source_identity: session.source_identity.clone(),
        };
        let plain = serde_json::to_vec(&record).map_err(|_| SealError::Refused)?;
        Ok(BASE64.encode(wrap(&self.seal, &plain, &binding(access_key), entropy)?))
    }

    /// What a token says; `None` when it is not one of ours for this access key.
    pub(super) fn open(&self, access_key: &str, token: &str) -> Option<Session> {
        if token.len() > TOKEN_CHARS_MAX {
            return None;
        }
        let wrapped = BASE64.decode(token).ok()?;
        let plain = unwrap(&self.seal, &wrapped, &binding(access_key)).ok()?;
        let record: SessionRecord = serde_json::from_slice(plain.expose()).ok()?;
        (1..=FORMAT).contains(&record.format).then(|| Session {
            subject: record.subject,
            id: record.id,
            name: record.name,
            issued: Timestamp::from_millis(record.issued_ms),
            expires: Timestamp::from_millis(record.expires_ms),
            policy: record.policy,
            tags: record.tags,
            transitive: record.transitive,
            policy_arns: record.policy_arns,
            source_identity: record.source_identity,
        })
    }
}

fn binding(access_key: &str) -> Vec<u8> {
    encode_parts(&[LABEL, access_key.as_bytes()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use bulla_envelope::MemoryRootKey;
    use bulla_runtime::SeededEntropy;

    fn keys(seed: u64) -> TokenKeys {
        let entropy = SeededEntropy::new(seed);
        let root = MemoryRootKey::generate(&entropy).unwrap();
        TokenKeys::new(&InstanceKey::create(&root, &entropy).unwrap().0).unwrap()
    }

    fn session() -> Session {
        Session {
            subject: Subject::Role,
            id: "AROAX".to_owned(),
            name: "me".to_owned(),
            issued: Timestamp::from_seconds(1),
            expires: Timestamp::from_seconds(901),
            policy: Some("{}".to_owned()),
            tags: vec![("a".to_owned(), "b".to_owned())],
            transitive: vec!["a".to_owned()],
            policy_arns: vec!["arn:aws:iam::aws:policy/AmazonSQSFullAccess".to_owned()],
            source_identity: Some("ann".to_owned()),
        }
    }

    #[test]
    fn a_token_opens_for_its_own_access_key_only() {
        let (keys, entropy) = (keys(1), SeededEntropy::new(9));
        let token = keys.seal("ASIA1", &session(), &entropy).unwrap();
        assert_eq!(keys.open("ASIA1", &token), Some(session()));
        assert_eq!(keys.open("ASIA2", &token), None);
        assert_eq!(super::tests::keys(2).open("ASIA1", &token), None);
        for broken in ["", "x", &token[4..], &format!("{token}AAAA")] {
            assert_eq!(keys.open("ASIA1", broken), None);
        }
    }

    #[test]
    fn tokens_of_the_second_format_are_sessions_of_roles() {
        let (keys, entropy) = (keys(1), SeededEntropy::new(9));
        let plain = br#"{"format":2,"role":"AROAX","name":"me","issued_ms":1000,"expires_ms":901000,"policy":"{}",
            "tags":[["a","b"]],"transitive":["a"],"policy_arns":["arn:aws:iam::aws:policy/AmazonSQSFullAccess"],
            "source_identity":"ann"}"#;
        let wrapped = wrap(&keys.seal, plain, &binding("ASIA1"), &entropy).unwrap();
        assert_eq!(keys.open("ASIA1", &BASE64.encode(wrapped)), Some(session()));
    }

    #[test]
    fn a_sessions_secret_belongs_to_its_access_key() {
        let keys = keys(1);
        let secret = |id: &str| keys.secret(id).unwrap().expose().to_owned();
        assert_eq!(secret("ASIA1").len(), 40);
        assert_eq!(secret("ASIA1"), secret("ASIA1"));
        assert_ne!(secret("ASIA1"), secret("ASIA2"));
    }
}
