//! `ListKeyRotations`: the materials of a key, oldest first.

use crate::kms::Kms;
use crate::kms::access::Sought;
use crate::kms::errors::KmsError;
use crate::kms::key::{Key, Made, Material};
use crate::kms::limits::KEYS_PAGE;
use crate::kms::validate::{self, one_of};
use bulla_gate::{Access, Authorized, Call, Operation, Resolved};
use bulla_types::Timestamp;
use bulla_wire::Shape;

/// The operation.
#[derive(Debug)]
pub(crate) struct ListKeyRotations;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "ListKeyRotationsRequest")]
pub(crate) struct ListKeyRotationsInput {
    /// Key id or key ARN.
    pub(crate) key_id: String,
    /// `ROTATIONS_ONLY`, also if absent, or `ALL_KEY_MATERIAL`: the first one too.
    pub(crate) include_key_material: Option<String>,
    /// 1 to 1,000, 100 if absent.
    pub(crate) limit: Option<i32>,
    /// `NextMarker` of the page before.
    pub(crate) marker: Option<String>,
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "ListKeyRotationsResponse")]
pub(crate) struct ListKeyRotationsOutput {
    pub(crate) rotations: Vec<RotationsListEntry>,
    pub(crate) next_marker: Option<String>,
    pub(crate) truncated: bool,
}

/// A material of a key.
#[derive(Debug, Shape)]
pub(crate) struct RotationsListEntry {
    /// Key ARN.
    pub(crate) key_id: String,
    pub(crate) key_material_id: String,
    pub(crate) key_material_description: Option<String>,
    pub(crate) import_state: Option<String>,
    /// `CURRENT` or `NON_CURRENT`.
    pub(crate) key_material_state: String,
    pub(crate) expiration_model: Option<String>,
    pub(crate) valid_to: Option<Timestamp>,
    /// When it became current; nothing for the first one.
    pub(crate) rotation_date: Option<Timestamp>,
    /// `AUTOMATIC` or `ON_DEMAND`; nothing for the first one.
    pub(crate) rotation_type: Option<String>,
}

/// How many, behind which version, of which key.
#[derive(Debug)]
pub(crate) struct RotationsPage {
    limit: usize,
    after: u32,
    key: Sought,
}

impl Operation for ListKeyRotations {
    const NAME: &'static str = "ListKeyRotations";
    type Service = Kms;
    type Input = ListKeyRotationsInput;
    type Output = ListKeyRotationsOutput;
    type Error = KmsError;
    type Target = RotationsPage;

    async fn resolve(
        kms: &Kms,
        call: &Call<'_>,
        input: ListKeyRotationsInput,
    ) -> Result<Resolved<Self>, KmsError> {
        let limit = validate::page(input.limit, KEYS_PAGE)?;
        validate::marker(input.marker.as_deref())?;
        let after = input.marker.as_deref().map_or(Ok(0), str::parse);
        let after = after.map_err(|_| KmsError::InvalidMarker)?;
        if let Some(include) = &input.include_key_material {
            one_of(
                include,
                "includeKeyMaterial",
                &["ALL_KEY_MATERIAL", "ROTATIONS_ONLY"],
            )?;
        }
        let key = kms.seek_key(call, &input.key_id, "keyId")?;
        let access = Access::one(key.request(kms, "kms:ListKeyRotations"));
        Ok(Resolved {
            input,
            target: RotationsPage { limit, after, key },
            access,
        })
    }

    async fn execute(
        _: &Kms,
        _: &Call<'_>,
        granted: Authorized<Self>,
    ) -> Result<ListKeyRotationsOutput, KmsError> {
        let (input, page) = granted.into_parts();
        let key = page.key.into_key()?;
        key.check_rotatable()?;
        let all = input.include_key_material.as_deref() == Some("ALL_KEY_MATERIAL");
        let mut found = key
            .materials()
            .filter(|material| !material.id.is_empty())
            .filter(|material| material.version > page.after && (all || material.made != Made::WithTheKey));
        let (mut rotations, mut last) = (Vec::new(), 0);
        for material in found.by_ref().take(page.limit) {
            rotations.push(entry(&key, material));
            last = material.version;
        }
        let truncated = found.next().is_some();
        Ok(ListKeyRotationsOutput {
            rotations,
            next_marker: truncated.then(|| last.to_string()),
            truncated,
        })
    }
}

fn entry(key: &Key, material: &Material) -> RotationsListEntry {
    let current = material.version == key.material.version;
    let rotation_type = match material.made {
        Made::WithTheKey => None,
        Made::Automatically => Some("AUTOMATIC"),
        Made::OnDemand => Some("ON_DEMAND"),
    };
    let external = key.external.as_ref();
    let import_state = if material.secret.is_absent() {
        "PENDING_IMPORT"
    } else {
        "IMPORTED"
    };
    RotationsListEntry {
        key_id: key.arn.to_string(),
        key_material_id: material.id.to_string(),
        key_material_description: external.and_then(|external| external.description.clone()),
        import_state: external.map(|_| import_state.to_owned()),
        key_material_state: if current { "CURRENT" } else { "NON_CURRENT" }.to_owned(),
        expiration_model: key.expiration_model().map(str::to_owned),
        valid_to: key.expires(),
        rotation_date: rotation_type.map(|_| material.created),
        rotation_type: rotation_type.map(str::to_owned),
    }
}
