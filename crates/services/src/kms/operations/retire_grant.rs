//! `RetireGrant`: whoever uses a grant gives it back.
//!
//! The grant itself says who may: its retiring principal, its grantee if it allows `RetireGrant`, and the account that
//! made it. Each becomes a grant of `kms:RetireGrant` that the policies are shown; policies may allow others, and deny
//! anybody.

use crate::kms::Kms;
use crate::kms::access::Sought;
use crate::kms::data_key::end_dry_run;
use crate::kms::errors::KmsError;
use crate::kms::grant::{self, Grant};
use bulla_gate::{Access, Authorized, Call, Operation, Resolved};
use bulla_wire::{Empty, Shape};
use std::sync::Arc;

/// The operation.
#[derive(Debug)]
pub(crate) struct RetireGrant;

/// Its input: either a token or both ids.
#[derive(Debug, Shape)]
#[shape(name = "RetireGrantRequest")]
pub(crate) struct RetireGrantInput {
    pub(crate) grant_token: Option<String>,
    /// Key ARN or key id.
    pub(crate) key_id: Option<String>,
    pub(crate) grant_id: Option<String>,
    pub(crate) dry_run: Option<bool>,
}

/// The grant and its key. A grant on a key of another account that does not exist is not told from one that may not be
/// retired.
#[derive(Debug)]
pub(crate) struct Retirable {
    key: Sought,
    grant: Option<Arc<Grant>>,
}

impl Operation for RetireGrant {
    const NAME: &'static str = "RetireGrant";
    type Service = Kms;
    type Input = RetireGrantInput;
    type Output = Empty;
    type Error = KmsError;
    type Target = Retirable;

    async fn resolve(
        kms: &Kms,
        call: &Call<'_>,
        input: RetireGrantInput,
    ) -> Result<Resolved<Self>, KmsError> {
        let target = match (&input.grant_token, &input.key_id, &input.grant_id) {
            (Some(token), None, None) => by_token(kms, call, token)?,
            (None, Some(key), Some(id)) => {
                grant::check_id(id)?;
                let key = kms.seek_key(call, key, "keyId")?;
                let grant = key.grant(kms, id);
                Retirable { key, grant }
            }
            (Some(_), _, _) | (None, None, _) | (None, Some(_), None) => {
                return Err(KmsError::Validation {
                    reason: "Specify either GrantToken, or both KeyId and GrantId.".to_owned(),
                });
            }
        };
        let retirers = target.grant.as_deref().map_or(Ok(Arc::default()), retirers)?;
        let request = target
            .key
            .request_across_accounts(kms, "kms:RetireGrant")
            .with_grants(retirers);
        Ok(Resolved {
            input,
            target,
            access: Access::one(request),
        })
    }

    async fn execute(kms: &Kms, call: &Call<'_>, granted: Authorized<Self>) -> Result<Empty, KmsError> {
        let (input, target) = granted.into_parts();
        target.key.into_key()?;
        let grant = target.grant.ok_or_else(|| KmsError::GrantNotFound {
            id: input.grant_id.as_deref().unwrap_or_default().into(),
        })?;
        end_dry_run(input.dry_run)?;
        kms.end_grant(call, &grant).await?;
        Ok(Empty)
    }
}

fn by_token(kms: &Kms, call: &Call<'_>, token: &str) -> Result<Retirable, KmsError> {
    let grant = kms.grant_of_token(token)?;
    if grant.region != call.region() {
        return Err(KmsError::InvalidGrantToken);
    }
    let key = kms.view().key(grant.region, grant.key, call.time()).cloned();
    let key = key.ok_or(KmsError::InvalidGrantToken)?;
    Ok(Retirable {
        key: Sought::found(key, Arc::default()),
        grant: Some(grant),
    })
}

/// Those whom a grant lets retire it.
fn retirers(grant: &Grant) -> Result<Arc<[bulla_policy::Grant]>, KmsError> {
    let issuer = format!("arn:aws:iam::{}:root", grant.issuer);
    let own = grant.terms.allow("RetireGrant").then_some(&*grant.terms.grantee);
    [own, grant.terms.retiring.as_deref(), Some(&*issuer)]
        .into_iter()
        .flatten()
        .map(|principal| bulla_policy::Grant::new(&grant.id, principal, ["RetireGrant"], None))
        .collect::<Result<_, _>>()
        .map_err(|_| KmsError::Internal)
}
