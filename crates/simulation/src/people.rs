//! Who asks: principals with real policies behind made-up access keys.

use bulla_gate::{
    AuditRecord, AuditTrail, Credential, CredentialRefusal, Credentials, Identity, IdentityKind,
    OrganizationPlace, Organizations, SecretAccessKey,
};
use bulla_policy::{IdentityOwner, Policy, PolicyKind};
use bulla_runtime::BoxFuture;
use bulla_types::{AccountId, Timestamp};
use std::sync::Arc;

/// Who owns the queues.
pub(crate) const ACCOUNT: &str = "111122223333";
/// Whom only the queues' policies let in.
pub(crate) const STRANGER: &str = "444455556666";
/// A user of [`ACCOUNT`] whom an identity policy allows everything of SQS and KMS.
pub(crate) const USER: &str = "AKIAUSER";

const USER_POLICY: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["sqs:*","kms:*"],"Resource":"*"}]}"#;

/// The three of them.
pub(crate) struct People {
    owner: Arc<Identity>,
    stranger: Arc<Identity>,
    user: Arc<Identity>,
}

impl People {
    pub(crate) fn new() -> Self {
        let policy = Policy::parse(USER_POLICY, PolicyKind::Identity(IdentityOwner::User)).unwrap();
        let arn: Arc<str> = format!("arn:aws:iam::{ACCOUNT}:user/worker").into();
        let user = Identity {
            kind: IdentityKind::User,
            arn: Arc::clone(&arn),
            principal_arn: arn,
            user_id: "AIDAWORKER".into(),
            user_name: Some("worker".into()),
            policies: vec![Arc::new(policy.labelled("policy of worker"))],
            ..root(ACCOUNT)
        };
        Self {
            owner: Arc::new(root(ACCOUNT)),
            stranger: Arc::new(root(STRANGER)),
            user: Arc::new(user),
        }
    }
}

fn root(account: &str) -> Identity {
    let arn: Arc<str> = format!("arn:aws:iam::{account}:root").into();
    Identity {
        kind: IdentityKind::Root,
        account: AccountId::parse(account).unwrap(),
        arn: Arc::clone(&arn),
        principal_arn: arn,
        user_id: account.into(),
        user_name: None,
        tags: Vec::new(),
        policies: Vec::new(),
        boundary: None,
        session: None,
        token_issued: None,
        source_identity: None,
    }
}

impl Credentials for People {
    fn find(&self, access_key: &str, _: Option<&str>, _: Timestamp) -> Result<Credential, CredentialRefusal> {
        let identity = match access_key {
            ACCOUNT => &self.owner,
            STRANGER => &self.stranger,
            USER => &self.user,
            _ => return Err(CredentialRefusal::Unknown),
        };
        Ok(Credential {
            secret: Arc::new(SecretAccessKey::new("secret".to_owned().into())),
            identity: Arc::clone(identity),
        })
    }

    fn open_account(&self, account: AccountId) -> BoxFuture<'_, Result<Arc<Identity>, String>> {
        Box::pin(std::future::ready(Err(format!(
            "nobody of {account} is simulated"
        ))))
    }
}

impl Organizations for People {
    fn place(&self, _: AccountId) -> Option<Arc<OrganizationPlace>> {
        None
    }
}

/// Nobody reads the audit here.
pub(crate) struct NoAudit;

impl AuditTrail for NoAudit {
    fn record(&self, _: &AuditRecord<'_>) {}
}
