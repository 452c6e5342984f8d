//! What stands behind the listener: the only place that names all services.

use crate::audit_log::AuditLog;
use crate::config::ServeSettings;
use crate::held_keys::HeldKeys;
use crate::keyring::{Keyring, keys_refused};
use crate::operator_error::OperatorError;
use crate::root_of_trust::{Bound, Root};
use crate::startup::FirstStart;
use bulla_envelope::{InstanceKey, KeyringFolder};
use bulla_gate::{Authentication, Gate, Ports};
use bulla_runtime::Runtime;
use bulla_services::iam::KnownAccounts;
use bulla_services::{ec2, iam, kms, organizations, sqs, sts};
use bulla_storage::{DirectoryWriter, Stores};
use std::path::Path;
use std::sync::Arc;
use zeroize::Zeroizing;

/// Name of this process as owner of partitions.
const NODE: &str = "local";

/// All services over one set of stores.
pub(crate) struct World {
    /// The door to them.
    pub(crate) gate: Arc<Gate>,
    /// For the operator.
    pub(crate) held_keys: HeldKeys,
    /// The key behind them, and what it is bound to.
    pub(crate) bound: Bound,
    /// Where the erasure keys are, unless in memory.
    pub(crate) keyring: Option<Arc<KeyringFolder>>,
    /// What is told once, if this start made the organization.
    pub(crate) first_start: Option<FirstStart>,
}

/// Builds the services over these stores.
pub(crate) async fn compose(
    settings: &ServeSettings,
    runtime: Runtime,
    stores: &Stores,
    root: &Root,
    listeners: &Arc<dyn ec2::Listeners>,
    keyring: &Path,
) -> Result<World, OperatorError> {
    let directory = DirectoryWriter::open(stores.directory.as_ref(), NODE, runtime.tasks.as_ref())
        .await
        .map_err(|error| refused("the directory cannot be opened", &error))?;
    let bound = Bound::open(root, &directory, &runtime).await?;
    let instance = &bound.instance;
    let known = if settings.open {
        KnownAccounts::All
    } else {
        KnownAccounts::Made
    };
    let iam = iam::Iam::open(runtime.clone(), directory.clone(), instance, known)
        .await
        .map_err(|error| refused("the principals cannot be read", &error))?;
    let sts = sts::Sts::open(&iam, instance).map_err(|error| refused("sessions cannot be made", &error))?;
    let organizations = organizations::Organizations::open(runtime.clone(), directory.clone(), &iam)
        .await
        .map_err(|error| refused("the organizations cannot be read", &error))?;
    let (kms, keyring) = keys(settings, &runtime, &directory, instance, keyring).await?;
    let sqs = sqs::Sqs::open(runtime.clone(), stores, directory.clone(), instance)
        .await
        .map_err(|error| refused("the queues cannot be read", &error))?;
    let first_start = first_start(settings, &organizations).await?;
    let endpoints = Arc::<ec2::Known>::default();
    let ports = Ports {
        endpoints: Arc::<ec2::Known>::clone(&endpoints),
        credentials: sts.credentials(),
        organizations: Arc::<organizations::Organizations>::clone(&organizations),
        audit: Arc::new(AuditLog),
    };
    let network = settings.network.network().map_err(OperatorError::usage)?;
    let ec2 = ec2::Ec2::open(
        runtime.clone(),
        directory.clone(),
        network,
        Arc::clone(listeners),
        endpoints,
    )
    .await
    .map_err(|error| refused("the VPC endpoints cannot be read", &error))?;
    let mut gate = Gate::new(runtime, ports, authentication(settings))
        .with_public_url(settings.public_url.clone())
        .with_waits_max(usize::try_from(settings.limits.max_long_polls).unwrap_or(usize::MAX));
    gate.serve(iam, iam::operations::OPERATIONS);
    gate.serve(sts, sts::operations::OPERATIONS);
    gate.serve(organizations, organizations::operations::OPERATIONS);
    gate.serve(Arc::clone(&kms), kms::operations::OPERATIONS);
    gate.serve(Arc::clone(&sqs), sqs::operations::OPERATIONS);
    gate.serve(ec2, ec2::operations::OPERATIONS);
    let gate = Arc::new(gate);
    Ok(World {
        held_keys: HeldKeys {
            gate: Arc::clone(&gate),
            kms,
            sqs,
        },
        gate,
        bound,
        keyring,
        first_start,
    })
}

fn authentication(settings: &ServeSettings) -> Authentication {
    if settings.open {
        Authentication::Open {
            default_account: settings.open_account,
        }
    } else {
        Authentication::Verified
    }
}

/// The key service, over the erasure keys in this place, and these.
async fn keys(
    settings: &ServeSettings,
    runtime: &Runtime,
    directory: &DirectoryWriter,
    instance: &Arc<InstanceKey>,
    place: &Path,
) -> Result<(Arc<kms::Kms>, Option<Arc<KeyringFolder>>), OperatorError> {
    let keyring = Keyring::open(settings, place, instance, runtime).await?;
    let keys = Arc::clone(&keyring.keys);
    let is_new = keys
        .is_new()
        .await
        .map_err(|error| crate::keyring::told(&error))?;
    if !is_new {
        keyring.remember(place, directory).await?;
    }
    let kms = match kms::Kms::open(runtime.clone(), directory.clone(), instance, keys).await {
        Ok(kms) => kms,
        Err(error) => return Err(keys_refused(error, directory).await),
    };
    keyring.remember(place, directory).await?;
    Ok((kms, keyring.folder))
}

/// Makes the organization when there is no account yet. In open mode its management account is the one that access
/// keys without an account of their own act for.
async fn first_start(
    settings: &ServeSettings,
    organizations: &organizations::Organizations,
) -> Result<Option<FirstStart>, OperatorError> {
    let management = settings.open.then_some(settings.open_account);
    let first = organizations
        .first_start(management)
        .await
        .map_err(|_| OperatorError::failed("the organization cannot be made").why("the log says more"))?;
    Ok(first.map(|first| FirstStart {
        organization: first.organization.to_string(),
        account: first.account,
        access_key_id: first.access_key_id.to_string(),
        secret_access_key: Zeroizing::new(first.secret_access_key.expose().to_owned()),
    }))
}

fn refused(what: &str, why: &dyn std::fmt::Display) -> OperatorError {
    OperatorError::failed(what).why(why)
}
