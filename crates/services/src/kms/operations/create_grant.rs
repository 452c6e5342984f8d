//! `CreateGrant`: lets a principal use a key, beside the key policy.
//!
//! Who may make grants through a grant may only hand on what that grant allows: grants that allow less are not shown to
//! the policies at all.

use crate::kms::Kms;
use crate::kms::access::{Sought, with_encryption_pairs};
use crate::kms::data_key::end_dry_run;
use crate::kms::errors::KmsError;
use crate::kms::grant::Terms;
use crate::kms::grant_shapes::{self, GrantConstraints, no_service};
use bulla_gate::{Access, AccessRequest, Authorized, Call, Operation, Resolved};
use bulla_policy::GrantConstraint;
use bulla_wire::Shape;

/// The operation.
#[derive(Debug)]
pub(crate) struct CreateGrant;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "CreateGrantRequest")]
pub(crate) struct CreateGrantInput {
    /// Key id or key ARN; of another account an ARN only.
    pub(crate) key_id: String,
    /// ARN of a user, role, session or account; required.
    pub(crate) grantee_principal: Option<String>,
    /// ARN of who may retire the grant.
    pub(crate) retiring_principal: Option<String>,
    /// At least one.
    pub(crate) operations: Vec<String>,
    pub(crate) constraints: Option<GrantConstraints>,
    #[member(default)]
    pub(crate) grant_tokens: Vec<String>,
    /// With a name, the same request makes one grant however often it is sent.
    pub(crate) name: Option<String>,
    pub(crate) dry_run: Option<bool>,
    /// Not built; refused.
    pub(crate) grantee_service_principal: Option<String>,
    /// Not built; refused.
    pub(crate) retiring_service_principal: Option<String>,
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "CreateGrantResponse")]
pub(crate) struct CreateGrantOutput {
    pub(crate) grant_token: String,
    pub(crate) grant_id: String,
}

/// The key, and what is to be granted on it.
#[derive(Debug)]
pub(crate) struct NewGrant {
    key: Sought,
    terms: Terms,
}

fn terms(input: &CreateGrantInput) -> Result<Terms, KmsError> {
    no_service(
        input.grantee_service_principal.as_ref(),
        "GranteeServicePrincipal",
    )?;
    no_service(
        input.retiring_service_principal.as_ref(),
        "RetiringServicePrincipal",
    )?;
    let grantee = input
        .grantee_principal
        .as_ref()
        .ok_or_else(|| KmsError::Validation {
            reason: "GranteePrincipal is required.".to_owned(),
        })?;
    input.name.as_deref().map_or(Ok(()), grant_shapes::name)?;
    let retiring = input.retiring_principal.as_ref();
    let terms = Terms {
        name: input.name.clone(),
        grantee: grant_shapes::principal(grantee, "granteePrincipal")?,
        retiring: retiring
            .map(|arn| grant_shapes::principal(arn, "retiringPrincipal"))
            .transpose()?,
        operations: grant_shapes::operations(&input.operations)?,
        constraint: grant_shapes::constraint(input.constraints.as_ref())?,
    };
    grant_shapes::check(&terms)?;
    Ok(terms)
}

/// Condition keys about the grant that is to be.
///
/// Source: KMS Developer Guide, "AWS KMS condition keys" (read 2026-11-21).
fn with_terms(mut request: AccessRequest, terms: &Terms) -> AccessRequest {
    request = request
        .with_key("kms:GranteePrincipal", &*terms.grantee)
        .with_keys("kms:GrantOperations", terms.operations.clone());
    if let Some(retiring) = &terms.retiring {
        request = request.with_key("kms:RetiringPrincipal", &**retiring);
    }
    let (kind, pairs) = match &terms.constraint {
        None => return request,
        Some(GrantConstraint::EncryptionContextEquals(pairs)) => ("EncryptionContextEquals", pairs),
        Some(GrantConstraint::EncryptionContextSubset(pairs)) => ("EncryptionContextSubset", pairs),
    };
    with_encryption_pairs(request.with_key("kms:GrantConstraintType", kind), pairs)
}

impl Operation for CreateGrant {
    const NAME: &'static str = "CreateGrant";
    type Service = Kms;
    type Input = CreateGrantInput;
    type Output = CreateGrantOutput;
    type Error = KmsError;
    type Target = NewGrant;

    async fn resolve(
        kms: &Kms,
        call: &Call<'_>,
        input: CreateGrantInput,
    ) -> Result<Resolved<Self>, KmsError> {
        kms.check_grant_tokens(&input.grant_tokens)?;
        let terms = terms(&input)?;
        let key = kms.seek_key(call, &input.key_id, "keyId")?;
        let request = key
            .request_across_accounts(kms, "kms:CreateGrant")
            .with_grants(key.grants_that_cover(kms, &terms))
            .with_key("kms:GrantIsForAWSResource", is_for_aws(call));
        let access = Access::one(with_terms(request, &terms));
        Ok(Resolved {
            input,
            target: NewGrant { key, terms },
            access,
        })
    }

    async fn execute(
        kms: &Kms,
        call: &Call<'_>,
        granted: Authorized<Self>,
    ) -> Result<CreateGrantOutput, KmsError> {
        let (input, target) = granted.into_parts();
        let key = target.key.into_key()?;
        key.check_usable()?;
        grant_shapes::check_fit(&target.terms, &key)?;
        end_dry_run(input.dry_run)?;
        let (id, grant_token) = kms.create_grant(call, &key, target.terms).await?;
        Ok(CreateGrantOutput {
            grant_token,
            grant_id: id.to_string(),
        })
    }
}

/// Whether a service asks for the caller.
pub(crate) fn is_for_aws(call: &Call<'_>) -> String {
    (!call.caller().via().is_empty()).to_string()
}
