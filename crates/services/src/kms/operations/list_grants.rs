//! `ListGrants`: the grants on a key, in order of id.

use crate::kms::Kms;
use crate::kms::access::Sought;
use crate::kms::errors::KmsError;
use crate::kms::grant;
use crate::kms::grant_shapes::{ListGrantsOutput, no_service, principal};
use crate::kms::limits::GRANTS_PAGE;
use crate::kms::operations::create_grant::is_for_aws;
use crate::kms::validate;
use bulla_gate::{Access, Authorized, Call, Operation, Resolved};
use bulla_wire::Shape;

/// The operation.
#[derive(Debug)]
pub(crate) struct ListGrants;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "ListGrantsRequest")]
pub(crate) struct ListGrantsInput {
    /// 1 to 1,000, 50 if absent.
    pub(crate) limit: Option<i32>,
    /// `NextMarker` of the page before.
    pub(crate) marker: Option<String>,
    /// Key id or key ARN; of another account an ARN only.
    pub(crate) key_id: String,
    /// Only this grant.
    pub(crate) grant_id: Option<String>,
    /// Only grants to this principal.
    pub(crate) grantee_principal: Option<String>,
    /// Not built; refused.
    pub(crate) grantee_service_principal: Option<String>,
}

/// How many, of which key.
#[derive(Debug)]
pub(crate) struct GrantsPage {
    limit: usize,
    key: Sought,
}

impl Operation for ListGrants {
    const NAME: &'static str = "ListGrants";
    type Service = Kms;
    type Input = ListGrantsInput;
    type Output = ListGrantsOutput;
    type Error = KmsError;
    type Target = GrantsPage;

    async fn resolve(kms: &Kms, call: &Call<'_>, input: ListGrantsInput) -> Result<Resolved<Self>, KmsError> {
        let limit = validate::page(input.limit, GRANTS_PAGE)?;
        grant_marker(input.marker.as_deref())?;
        no_service(
            input.grantee_service_principal.as_ref(),
            "GranteeServicePrincipal",
        )?;
        input.grant_id.as_deref().map_or(Ok(()), grant::check_id)?;
        if let Some(grantee) = &input.grantee_principal {
            principal(grantee, "granteePrincipal")?;
        }
        let key = kms.seek_key(call, &input.key_id, "keyId")?;
        let request = key
            .request_across_accounts(kms, "kms:ListGrants")
            .with_key("kms:GrantIsForAWSResource", is_for_aws(call));
        Ok(Resolved {
            input,
            target: GrantsPage { limit, key },
            access: Access::one(request),
        })
    }

    async fn execute(
        kms: &Kms,
        _: &Call<'_>,
        granted: Authorized<Self>,
    ) -> Result<ListGrantsOutput, KmsError> {
        let (input, page) = granted.into_parts();
        let key = page.key.into_key()?;
        let view = kms.view();
        let found = view
            .grants
            .of_key(key.region, key.id, input.marker.as_deref())
            .filter(|grant| input.grant_id.as_deref().is_none_or(|id| *grant.id == *id))
            .filter(|grant| {
                let wanted = input.grantee_principal.as_deref();
                wanted.is_none_or(|grantee| *grant.terms.grantee == *grantee)
            });
        Ok(ListGrantsOutput::page(found, page.limit))
    }
}

/// A marker is the id of the last grant of the page before.
pub(crate) fn grant_marker(marker: Option<&str>) -> Result<(), KmsError> {
    validate::marker(marker)?;
    marker
        .map_or(Ok(()), grant::check_id)
        .map_err(|_| KmsError::InvalidMarker)
}
