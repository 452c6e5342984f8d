//! `UpdatePrimaryRegion`: a replica becomes the primary key, and the primary key a replica.
//!
//! It is done when it is answered: the state `Updating`, which AWS shows meanwhile, is never seen.

use crate::kms::access::Sought;
use crate::kms::errors::KmsError;
use crate::kms::key::{Key, KeyState};
use crate::kms::multi_region;
use crate::kms::reference::key_arn;
use crate::kms::view::View;
use crate::kms::{Kms, current};
use bulla_gate::{Access, Authorized, Call, Operation, Resolved};
use bulla_types::{Region, Timestamp};
use bulla_wire::{Empty, Shape};

/// The operation.
#[derive(Debug)]
pub(crate) struct UpdatePrimaryRegion;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "UpdatePrimaryRegionRequest")]
pub(crate) struct UpdatePrimaryRegionInput {
    /// Key id or key ARN of the present primary key.
    pub(crate) key_id: String,
    /// A region that has a replica.
    pub(crate) primary_region: String,
}

/// The primary key, and where it is to be.
#[derive(Debug)]
pub(crate) struct Move {
    from: Sought,
    to: Region,
    /// Whether there was a replica, and so the policies were asked about it.
    asked: bool,
}

impl Operation for UpdatePrimaryRegion {
    const NAME: &'static str = "UpdatePrimaryRegion";
    type Service = Kms;
    type Input = UpdatePrimaryRegionInput;
    type Output = Empty;
    type Error = KmsError;
    type Target = Move;

    async fn resolve(
        kms: &Kms,
        call: &Call<'_>,
        input: UpdatePrimaryRegionInput,
    ) -> Result<Resolved<Self>, KmsError> {
        let to = multi_region::region(&input.primary_region, "primaryRegion")?;
        let from = kms.seek_key(call, &input.key_id, "keyId")?;
        let ask = |key: &Sought| {
            key.request(kms, "kms:UpdatePrimaryRegion")
                .with_key("kms:PrimaryRegion", to.as_str())
        };
        let mut needs = vec![ask(&from)];
        let replica = from.key.as_ref().and_then(|key| {
            let replica = kms.view().key(to, key.id, call.time()).cloned()?;
            (replica.owner == key.owner).then_some(replica)
        });
        let asked = replica.is_some();
        if let Some(replica) = replica {
            let grants = kms.grants_of(call, &replica);
            needs.push(ask(&Sought::found(replica, grants)).in_region(to));
        }
        Ok(Resolved {
            input,
            target: Move { from, to, asked },
            access: Access::Needs(needs),
        })
    }

    async fn execute(kms: &Kms, call: &Call<'_>, granted: Authorized<Self>) -> Result<Empty, KmsError> {
        let (_, Move { from, to, asked }) = granted.into_parts();
        let (key, now) = (from.into_key()?, call.time());
        if !asked {
            key.check_primary()?;
            let key = key_arn(to, key.owner, key.id);
            return Err(KmsError::KeyNotFound { key });
        }
        kms.write(call, |view| {
            let primary = current(view, &key, now)?;
            Ok((moved(view, &primary, to, now)?, Empty))
        })
        .await
    }
}

/// All keys of the multi-Region key, with their new primary.
fn moved(view: &View, primary: &Key, to: Region, now: Timestamp) -> Result<Vec<Key>, KmsError> {
    primary.check_primary()?;
    check_movable(primary)?;
    if to == primary.region {
        return Err(KmsError::Unsupported {
            reason: format!("{} is the primary key already.", primary.arn),
        });
    }
    let replica = view
        .key(to, primary.id, now)
        .ok_or_else(|| KmsError::KeyNotFound {
            key: key_arn(to, primary.owner, primary.id),
        })?;
    check_movable(replica)?;
    // Whoever is primary gives the others their material.
    if replica.is_locked() {
        replica.check_usable()?;
    }
    let change = |key: &std::sync::Arc<Key>| Key {
        primary: Some(to),
        ..Key::clone(key)
    };
    Ok(view.related(primary.id, now).map(change).collect())
}

/// A key that waits for its material may change its role; one that is disabled or will be deleted may not.
fn check_movable(key: &Key) -> Result<(), KmsError> {
    match key.state {
        KeyState::Enabled | KeyState::PendingImport => Ok(()),
        KeyState::Disabled | KeyState::PendingDeletion(_) | KeyState::PendingReplicaDeletion(_) => {
            key.check_usable()
        }
    }
}
