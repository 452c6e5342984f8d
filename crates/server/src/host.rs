//! The services as the listener sees them: answering, being reset, being closed.
//!
//! Everything that a reset throws away hangs on one `World` and one shutdown of its own; the data folder is free
//! again when the last handle on its stores is gone.

use crate::compose::{World, compose};
use crate::config::ServeSettings;
use crate::handler::{Handler, Transport};
use crate::load::Admitted;
use crate::operator_error::OperatorError;
use crate::refusal::{Form, Refusal};
use crate::root_choice::RootChoice;
use crate::root_command::{set, shown};
use crate::root_of_trust::{Bound, Root};
use crate::startup::FirstStart;
use bulla_envelope::DataFolderState;
use bulla_gate::KeptDenial;
use bulla_runtime::{BoxFuture, Runtime, Shutdown, ShutdownTrigger};
use bulla_storage::{BackupReport, Backups, Released, Stores, open_embedded, open_memory};
use bulla_types::RequestId;
use bytes::Bytes;
use http::Response;
use http::request::Parts;
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, RwLock, oneshot};

/// How long closing waits for the stores to be let go of.
const CLOSE_WAIT: Duration = Duration::from_secs(10);

/// The services, ready to answer.
pub(crate) struct Composed {
    /// What answers.
    pub(crate) handler: Arc<dyn Handler>,
    /// The same for the operator.
    pub(crate) host: Arc<Host>,
    /// What is told once, if this start made the organization.
    pub(crate) first_start: Option<FirstStart>,
    /// Where the root key comes from, for the start-up message.
    pub(crate) root_key: String,
}

/// The services with everything they stand on.
pub(crate) struct Host {
    settings: ServeSettings,
    runtime: Runtime,
    /// What the data are bound to; another one after a rotation.
    root: Mutex<Root>,
    standing: RwLock<Option<Standing>>,
    /// Held while a backup is taken.
    backing_up: Mutex<()>,
}

/// Services that stand, and what must go before their data is free.
struct Standing {
    gate: Arc<bulla_gate::Gate>,
    bound: Bound,
    stop: ShutdownTrigger,
    released: Released,
    backups: Option<Backups>,
}

/// Opens the data folder and builds the services.
pub(crate) async fn host(settings: &ServeSettings, runtime: &Runtime) -> Result<Composed, OperatorError> {
    let root = Root::open(settings, runtime).await?;
    let root_key = root.description.clone();
    let host = Host {
        settings: settings.clone(),
        runtime: runtime.clone(),
        root: Mutex::new(root),
        standing: RwLock::new(None),
        backing_up: Mutex::new(()),
    };
    let first_start = host.raise(&mut *host.standing.write().await).await?;
    let host = Arc::new(host);
    Ok(Composed {
        handler: Arc::new(SharedHost(Arc::clone(&host))),
        host,
        first_start,
        root_key,
    })
}

impl Host {
    /// Opens the stores and builds the services over them.
    async fn raise(&self, standing: &mut Option<Standing>) -> Result<Option<FirstStart>, OperatorError> {
        let stores = self.stores()?;
        let (stop, runtime) = self.own_shutdown();
        let root = self.root.lock().await.clone();
        let World {
            gate,
            bound,
            first_start,
        } = compose(&self.settings, runtime, &stores, &root).await?;
        *standing = Some(Standing {
            gate,
            bound,
            stop,
            released: stores.released.clone(),
            backups: stores.backups.clone(),
        });
        Ok(first_start)
    }

    fn stores(&self) -> Result<Stores, OperatorError> {
        if self.settings.ephemeral {
            return Ok(open_memory());
        }
        open_embedded(&self.settings.data, self.runtime.tasks.as_ref())
            .map_err(|error| OperatorError::failed(error.to_string()))
    }

    /// A shutdown that ends with the server's, and can end before.
    fn own_shutdown(&self) -> (ShutdownTrigger, Runtime) {
        let (stop, shutdown) = Shutdown::pair();
        let (also_stop, both) = Shutdown::pair();
        let servers = self.runtime.shutdown.clone();
        self.runtime.tasks.spawn(Box::pin(async move {
            tokio::select! {
                () = servers.wait() => {}
                () = shutdown.wait() => {}
            }
            also_stop.pull();
        }));
        (
            stop,
            Runtime {
                shutdown: both,
                ..self.runtime.clone()
            },
        )
    }

    /// Lets go of the services and waits until their stores are closed.
    async fn lower(&self, standing: &mut Option<Standing>) {
        let Some(Standing {
            gate,
            bound,
            stop,
            released,
            backups,
        }) = standing.take()
        else {
            return;
        };
        stop.pull();
        drop((gate, bound, backups));
        tokio::select! {
            () = released.wait() => {}
            () = self.runtime.clock.sleep(CLOSE_WAIT) => {
                tracing::warn!("the stores are still in use; what was acknowledged is on disk all the same");
            }
        }
    }

    /// Backs up what the services stand on, while they go on.
    pub(crate) async fn back_up(&self, into: &Path) -> Result<BackupReport, OperatorError> {
        let backups = self
            .standing
            .read()
            .await
            .as_ref()
            .and_then(|standing| standing.backups.clone());
        let Some(backups) = backups else {
            return Err(OperatorError::failed("there is nothing to back up").why("the server is stopping"));
        };
        let Ok(_one) = self.backing_up.try_lock() else {
            return Err(OperatorError::failed("a backup is being taken already")
                .why("each reads all data once")
                .fix("wait until it is done"));
        };
        let taken = backups.take(into, &[], self.runtime.tasks.as_ref()).await;
        taken.map_err(|error| OperatorError::failed(error.to_string()))
    }

    /// Which root key the data are bound to.
    pub(crate) async fn root_status(&self) -> Result<Value, OperatorError> {
        let mut value = shown(&self.bound().await?.binding().await?);
        set(&mut value, "server", "running");
        set(&mut value, "place", self.root.lock().await.key.describe().place);
        Ok(value)
    }

    /// Binds the data to another root key, while the services go on.
    pub(crate) async fn rotate_root(&self, choice: RootChoice) -> Result<Value, OperatorError> {
        let Ok(mut root) = self.root.try_lock() else {
            return Err(
                OperatorError::failed("the root key is being replaced already").fix("wait until it is done")
            );
        };
        let bound = self.bound().await?;
        let data = &self.settings.data;
        let new = Root::chosen(choice, data, DataFolderState::New, &self.runtime).await?;
        let (before, now) = bound.replace_root(&new, &self.runtime).await?;
        let mut value = shown(&now);
        set(&mut value, "place", new.key.describe().place);
        set(&mut value, "before_provider", before.provider.to_string());
        set(&mut value, "before_id", before.id.to_string());
        *root = new;
        Ok(value)
    }

    /// The last denial of the call with this id, or of all.
    pub(crate) async fn denial(
        &self,
        id: Option<RequestId>,
    ) -> Result<Option<Arc<KeptDenial>>, OperatorError> {
        let standing = self.standing.read().await;
        let Some(Standing { gate, .. }) = &*standing else {
            return Err(OperatorError::failed("the server cannot be asked").why("it is stopping"));
        };
        Ok(match id {
            Some(id) => gate.denial(id),
            None => gate.last_denial(),
        })
    }

    async fn bound(&self) -> Result<Bound, OperatorError> {
        let standing = self.standing.read().await;
        let bound = standing.as_ref().map(|standing| standing.bound.clone());
        bound.ok_or_else(|| {
            OperatorError::failed("the root key cannot be asked for").why("the server is stopping")
        })
    }

    async fn start_over(&self) {
        let mut standing = self.standing.write().await;
        self.lower(&mut standing).await;
        if !self.settings.ephemeral
            && let Err(error) = bulla_storage::remove_embedded(&self.settings.data)
        {
            tracing::error!(%error, "the data could not be removed; it stays as it was");
        }
        if let Err(error) = self.raise(&mut standing).await {
            tracing::error!(%error, "the services could not be built again; restart the server");
        }
    }
}

/// The host as the listener holds it. Starting over outlives the request that asked for it.
struct SharedHost(Arc<Host>);

impl Handler for SharedHost {
    fn handle(
        &self,
        parts: Parts,
        body: Bytes,
        transport: Transport,
        admitted: Option<Admitted>,
    ) -> BoxFuture<'_, Response<Bytes>> {
        // Nobody holds the lock for writing but to start over.
        if let Ok(standing) = self.0.standing.try_read()
            && let Some(standing) = &*standing
        {
            let gate = Arc::clone(&standing.gate);
            return Box::pin(async move { gate.handle_holding(parts, body, transport, admitted).await });
        }
        Box::pin(async move {
            let gate = self
                .0
                .standing
                .read()
                .await
                .as_ref()
                .map(|standing| Arc::clone(&standing.gate));
            let Some(gate) = gate else {
                let id = RequestId::from_entropy(self.0.runtime.entropy.id_bytes());
                return Refusal::Unavailable.answer(Form::of(&parts), id.as_str());
            };
            gate.handle_holding(parts, body, transport, admitted).await
        })
    }

    fn reset(&self) -> BoxFuture<'_, ()> {
        let host = Arc::clone(&self.0);
        let (sender, receiver) = oneshot::channel();
        self.0.runtime.tasks.spawn(Box::pin(async move {
            host.start_over().await;
            // Whoever asked may have gone away; it is done all the same.
            let _ = sender.send(());
        }));
        Box::pin(async move { drop(receiver.await) })
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let mut standing = self.0.standing.write().await;
            self.0.lower(&mut standing).await;
        })
    }
}
