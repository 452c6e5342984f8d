//! What stands behind the listener: the only place that names all services.

use crate::audit_log::AuditLog;
use crate::config::ServeSettings;
use crate::operator_error::OperatorError;
use crate::root_of_trust::{Root, instance_key};
use crate::startup::FirstStart;
use bulla_gate::{Authentication, Gate, Ports};
use bulla_runtime::Runtime;
use bulla_services::{kms, sqs};
use bulla_storage::{DirectoryWriter, Stores};
use std::sync::Arc;

/// Name of this process as owner of partitions.
const NODE: &str = "local";

/// All services over one set of stores.
pub(crate) struct World {
    /// The door to them.
    pub(crate) gate: Arc<Gate>,
    /// What is told once, if this start made the organization.
    pub(crate) first_start: Option<FirstStart>,
}

/// Builds the services over these stores.
pub(crate) async fn compose(
    settings: &ServeSettings,
    runtime: Runtime,
    stores: &Stores,
    root: &Root,
) -> Result<World, OperatorError> {
    let directory = DirectoryWriter::open(stores.directory.as_ref(), NODE, runtime.tasks.as_ref())
        .await
        .map_err(|error| refused("the directory cannot be opened", &error))?;
    let instance = instance_key(root.key.as_ref(), &directory, &runtime).await?;
    let kms = kms::Kms::open(runtime.clone(), directory.clone(), &instance)
        .await
        .map_err(|error| refused("the keys cannot be read", &error))?;
    let sqs = sqs::Sqs::open(runtime.clone(), stores, directory.clone(), &instance)
        .await
        .map_err(|error| refused("the queues cannot be read", &error))?;
    let authentication = if settings.open {
        Authentication::Open { default_account: settings.open_account }
    } else {
        Authentication::Verified
    };
    let roots = Arc::new(crate::roots_only::RootsOnly);
    let ports = Ports { credentials: roots.clone(), organizations: roots, audit: Arc::new(AuditLog) };
    let mut gate = Gate::new(runtime, ports, authentication).with_public_url(settings.public_url.clone());
    gate.serve(kms, kms::operations::OPERATIONS);
    gate.serve(sqs, sqs::operations::OPERATIONS);
    Ok(World { gate: Arc::new(gate), first_start: None })
}

fn refused(what: &str, why: &dyn std::fmt::Display) -> OperatorError {
    OperatorError::failed(what).why(why)
}
