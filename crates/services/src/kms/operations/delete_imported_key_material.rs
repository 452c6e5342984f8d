//! `DeleteImportedKeyMaterial`: the key does nothing until the same material is imported again.

use crate::kms::access::Sought;
use crate::kms::errors::KmsError;
use crate::kms::validate::violation;
use crate::kms::{Kms, current};
use bulla_gate::{Access, Authorized, Call, Operation, Resolved};
use bulla_wire::Shape;

/// The operation.
#[derive(Debug)]
pub(crate) struct DeleteImportedKeyMaterial;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "DeleteImportedKeyMaterialRequest")]
pub(crate) struct DeleteImportedKeyMaterialInput {
    /// Key id or key ARN.
    pub(crate) key_id: String,
    /// That of the key's material; of symmetric keys only.
    pub(crate) key_material_id: Option<String>,
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "DeleteImportedKeyMaterialResponse")]
pub(crate) struct DeleteImportedKeyMaterialOutput {
    /// Key ARN.
    pub(crate) key_id: String,
    /// Of symmetric keys that had material.
    pub(crate) key_material_id: Option<String>,
}

impl Operation for DeleteImportedKeyMaterial {
    const NAME: &'static str = "DeleteImportedKeyMaterial";
    type Service = Kms;
    type Input = DeleteImportedKeyMaterialInput;
    type Output = DeleteImportedKeyMaterialOutput;
    type Error = KmsError;
    type Target = Sought;

    async fn resolve(
        kms: &Kms,
        call: &Call<'_>,
        input: DeleteImportedKeyMaterialInput,
    ) -> Result<Resolved<Self>, KmsError> {
        let target = kms.seek_key(call, &input.key_id, "keyId")?;
        let access = Access::one(target.request(kms, "kms:DeleteImportedKeyMaterial"));
        Ok(Resolved {
            input,
            target,
            access,
        })
    }

    async fn execute(
        kms: &Kms,
        call: &Call<'_>,
        granted: Authorized<Self>,
    ) -> Result<DeleteImportedKeyMaterialOutput, KmsError> {
        let (input, target) = granted.into_parts();
        let (key, now) = (target.into_key()?, call.time());
        kms.write(call, |view| {
            let key = current(view, &key, now)?;
            key.check_external()?;
            let id = key.current_material_id();
            if let Some(named) = input.key_material_id.filter(|named| id.as_ref() != Some(named)) {
                let constraint = "Member must be the id of material of this key";
                return Err(violation(&named, "keyMaterialId", constraint));
            }
            let answer = DeleteImportedKeyMaterialOutput {
                key_id: key.arn.to_string(),
                key_material_id: id,
            };
            if key.material.secret.is_absent() {
                return Ok((Vec::new(), answer));
            }
            Ok((vec![key.without_material()], answer))
        })
        .await
    }
}
