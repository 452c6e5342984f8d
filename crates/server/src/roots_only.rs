//! Temporary.
use bulla_gate::*;
use bulla_runtime::BoxFuture;
use bulla_types::*;
use std::sync::Arc;
pub(crate) struct RootsOnly;
impl Credentials for RootsOnly {
    fn find(&self, _: &str, _: Option<&str>, _: Timestamp) -> Result<Credential, CredentialRefusal> { Err(CredentialRefusal::Unknown) }
    fn open_account(&self, account: AccountId) -> BoxFuture<'_, Result<Arc<Identity>, String>> {
        let arn: Arc<str> = format!("arn:aws:iam::{account}:root").into();
        Box::pin(async move { Ok(Arc::new(Identity { kind: IdentityKind::Root, account, arn: arn.clone(), principal_arn: arn, user_id: account.as_str().into(), user_name: None, tags: vec![], policies: vec![], boundary: None, session: None, token_issued: None })) })
    }
}
impl Organizations for RootsOnly { fn place(&self, _: AccountId) -> Option<Arc<OrganizationPlace>> { None } }
