//! `ListRetirableGrants`: the grants that a principal of the caller's account may retire, on keys of any account.

use crate::kms::Kms;
use crate::kms::errors::KmsError;
use crate::kms::grant_shapes::{ListGrantsOutput, no_service, principal};
use crate::kms::limits::GRANTS_PAGE;
use crate::kms::operations::list_grants::grant_marker;
use crate::kms::validate;
use bulla_gate::{Access, AccessRequest, Authorized, Call, Operation, Resolved};
use bulla_types::Arn;
use bulla_wire::Shape;
use std::sync::Arc;

/// The operation.
#[derive(Debug)]
pub(crate) struct ListRetirableGrants;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "ListRetirableGrantsRequest")]
pub(crate) struct ListRetirableGrantsInput {
    /// 1 to 1,000, 50 if absent.
    pub(crate) limit: Option<i32>,
    /// `NextMarker` of the page before.
    pub(crate) marker: Option<String>,
    /// ARN of a principal of the caller's account; required.
    pub(crate) retiring_principal: Option<String>,
    /// Not built; refused.
    pub(crate) retiring_service_principal: Option<String>,
}

/// How many, and whose.
#[derive(Debug)]
pub(crate) struct RetirablePage {
    limit: usize,
    retiring: Arc<str>,
}

impl Operation for ListRetirableGrants {
    const NAME: &'static str = "ListRetirableGrants";
    type Service = Kms;
    type Input = ListRetirableGrantsInput;
    type Output = ListGrantsOutput;
    type Error = KmsError;
    type Target = RetirablePage;

    async fn resolve(
        _: &Kms,
        call: &Call<'_>,
        input: ListRetirableGrantsInput,
    ) -> Result<Resolved<Self>, KmsError> {
        let limit = validate::page(input.limit, GRANTS_PAGE)?;
        grant_marker(input.marker.as_deref())?;
        no_service(
            input.retiring_service_principal.as_ref(),
            "RetiringServicePrincipal",
        )?;
        let text = input
            .retiring_principal
            .as_deref()
            .ok_or_else(|| KmsError::Validation {
                reason: "RetiringPrincipal is required.".to_owned(),
            })?;
        let retiring = principal(text, "retiringPrincipal")?;
        let account = Arn::parse(text).ok().and_then(|arn| arn.account_id());
        if account != Some(call.account()) {
            return Err(KmsError::InvalidArn {
                text: text.to_owned(),
            });
        }
        let access = Access::one(AccessRequest::new("kms:ListRetirableGrants", "*", call.account()));
        Ok(Resolved {
            input,
            target: RetirablePage { limit, retiring },
            access,
        })
    }

    async fn execute(
        kms: &Kms,
        call: &Call<'_>,
        granted: Authorized<Self>,
    ) -> Result<ListGrantsOutput, KmsError> {
        let (input, page) = granted.into_parts();
        let view = kms.view();
        let found = view
            .grants
            .retirable(call.region(), &page.retiring, input.marker.as_deref())
            .filter(|grant| view.key(grant.region, grant.key, call.time()).is_some());
        Ok(ListGrantsOutput::page(found, page.limit))
    }
}
