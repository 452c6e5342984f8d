//! The services as the listener sees them: answering, being reset, being closed.
//!
//! Everything that a reset throws away hangs on one `World` and one shutdown of its own; the data folder is free
//! again when the last handle on its stores is gone.

use crate::compose::{World, compose};
use crate::config::ServeSettings;
use crate::handler::{Handler, Transport};
use crate::held_keys::HeldKeys;
use crate::keyring;
use crate::keys_certificates;
use crate::load::Admitted;
use crate::operator_error::OperatorError;
use crate::refusal::{Form, Refusal};
use crate::root_choice::RootChoice;
use crate::root_command::{set, shown};
use crate::root_of_trust::{Bound, Root};
use crate::startup::FirstStart;
use bulla_envelope::{DataFolderState, KeyringFolder, RootKeyProvider};
use bulla_gate::KeptDenial;
use bulla_runtime::{BoxFuture, Runtime, Shutdown, ShutdownTrigger, on_thread};
use bulla_services::ec2::Listeners;
use bulla_storage::{BackupReport, Backups, Released, Stores, open_embedded, open_memory};
use bulla_types::RequestId;
use bytes::Bytes;
use http::Response;
use http::request::Parts;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::sync::{Mutex, RwLock, oneshot, watch};

/// How long after a failure the root key is asked for again, at first and at most.
const ROOT_PAUSE_MIN: Duration = Duration::from_secs(1);
const ROOT_PAUSE_MAX: Duration = Duration::from_mins(1);
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
    /// Where the keyring is, for the start-up message.
    pub(crate) keyring: String,
    /// Whether the services answer; they do not as long as the root key cannot be reached.
    pub(crate) answers: watch::Receiver<bool>,
}

/// The services with everything they stand on.
pub(crate) struct Host {
    settings: ServeSettings,
    runtime: Runtime,
    /// Those of VPC endpoints.
    listeners: Arc<dyn Listeners>,
    /// What the data are bound to; another one after a rotation.
    root: std::sync::Mutex<Root>,
    /// Where the keyring is, as long as this process runs.
    keyring: PathBuf,
    /// Held while the root key is replaced.
    rotating: Mutex<()>,
    standing: RwLock<Option<Standing>>,
    answers: watch::Sender<bool>,
    /// Held while a backup is taken.
    backing_up: Mutex<()>,
}

/// Services that stand, or the data that wait for them, and what must go before the data is free.
struct Standing {
    services: Services,
    stop: ShutdownTrigger,
    released: Released,
    backups: Option<Backups>,
}

/// What answers.
enum Services {
    /// The services.
    Up {
        gate: Arc<bulla_gate::Gate>,
        held_keys: HeldKeys,
        bound: Bound,
        keyring: Option<Arc<KeyringFolder>>,
    },
    /// Nobody: the root key cannot be reached, and why.
    WaitForRoot { stores: Stores, why: OperatorError },
}

impl Services {
    fn gate(&self) -> Option<Arc<bulla_gate::Gate>> {
        match self {
            Self::Up { gate, .. } => Some(Arc::clone(gate)),
            Self::WaitForRoot { .. } => None,
        }
    }

    fn of(world: World) -> (Self, Option<FirstStart>) {
        let World {
            gate,
            held_keys,
            bound,
            keyring,
            first_start,
        } = world;
        let up = Self::Up {
            gate,
            held_keys,
            bound,
            keyring,
        };
        (up, first_start)
    }
}

/// Opens the data folder and builds the services.
pub(crate) async fn host(
    settings: &ServeSettings,
    runtime: &Runtime,
    listeners: Arc<dyn Listeners>,
) -> Result<Composed, OperatorError> {
    let root = Root::open(settings, runtime).await?;
    let root_key = root.description.clone();
    let holds_file = root.key.describe().provider == RootKeyProvider::File;
    let keyring = if settings.ephemeral {
        PathBuf::new()
    } else {
        keyring::place(settings, holds_file)?
    };
    let told = if settings.ephemeral {
        "in memory, gone at exit".to_owned()
    } else {
        keyring.display().to_string()
    };
    let (answers, listener) = watch::channel(false);
    let host = Arc::new(Host {
        settings: settings.clone(),
        runtime: runtime.clone(),
        listeners,
        root: std::sync::Mutex::new(root),
        keyring,
        rotating: Mutex::new(()),
        standing: RwLock::new(None),
        answers,
        backing_up: Mutex::new(()),
    });
    let first_start = host.raise(&mut *host.standing.write().await).await?;
    Ok(Composed {
        handler: Arc::new(SharedHost(Arc::clone(&host))),
        host,
        first_start,
        root_key,
        keyring: told,
        answers: listener,
    })
}

impl Host {
    /// Opens the stores and builds the services over them, or has them wait for the root key.
    async fn raise(
        self: &Arc<Self>,
        standing: &mut Option<Standing>,
    ) -> Result<Option<FirstStart>, OperatorError> {
        let stores = self.stores()?;
        let (stop, runtime) = self.own_shutdown();
        let released = stores.released.clone();
        let backups = stores.backups.clone();
        let root = self.root();
        let (listeners, keyring) = (&self.listeners, &self.keyring);
        let composed = compose(
            &self.settings,
            runtime.clone(),
            &stores,
            &root,
            listeners,
            keyring,
        )
        .await;
        let (services, first_start) = match composed {
            Ok(world) => Services::of(world),
            Err(why) if why.is_passing() => {
                tracing::error!(%why, "the root key cannot be reached; the server answers so, and goes on trying");
                self.try_again(runtime);
                (Services::WaitForRoot { stores, why }, None)
            }
            Err(why) => return Err(why),
        };
        let is_up = matches!(services, Services::Up { .. });
        *standing = Some(Standing {
            services,
            stop,
            released,
            backups,
        });
        self.answers.send_replace(is_up);
        Ok(first_start)
    }

    /// Asks for the root key until it is there, less and less often. Nobody is kept waiting meanwhile.
    fn try_again(self: &Arc<Self>, runtime: Runtime) {
        let host = Arc::clone(self);
        let tasks = Arc::clone(&runtime.tasks);
        tasks.spawn(Box::pin(async move {
            let mut pause = ROOT_PAUSE_MIN;
            loop {
                tokio::select! {
                    () = runtime.shutdown.wait() => return,
                    () = runtime.clock.sleep(pause) => {}
                }
                pause = pause.saturating_mul(2).min(ROOT_PAUSE_MAX);
                let waiting = match host
                    .standing
                    .read()
                    .await
                    .as_ref()
                    .map(|standing| &standing.services)
                {
                    Some(Services::WaitForRoot { stores, .. }) => stores.clone(),
                    Some(Services::Up { .. }) | None => return,
                };
                let root = host.root();
                let (settings, listeners, keyring) = (&host.settings, &host.listeners, &host.keyring);
                let composed = compose(settings, runtime.clone(), &waiting, &root, listeners, keyring).await;
                drop(waiting);
                if host.take_up(composed).await {
                    return;
                }
            }
        }));
    }

    /// Puts services that were composed where nobody answered; whether that is over.
    async fn take_up(&self, composed: Result<World, OperatorError>) -> bool {
        let mut standing = self.standing.write().await;
        let Some(Standing {
            services: services @ Services::WaitForRoot { .. },
            ..
        }) = standing.as_mut()
        else {
            return true;
        };
        match composed {
            Ok(world) => {
                let (up, first_start) = Services::of(world);
                *services = up;
                if let Some(first) = first_start {
                    crate::serve::say(&crate::startup::late_first_start(&first));
                }
                tracing::info!("the root key is reached; the server answers");
                self.answers.send_replace(true);
                true
            }
            Err(error) => {
                // What will not pass is not tried again: a PIN that is refused again and again locks a token.
                let is_over = !error.is_passing();
                if is_over {
                    tracing::error!(%error, "the root key cannot be used; mend that and restart the server");
                } else {
                    tracing::warn!(%error, "the root key cannot be used yet");
                }
                if let Services::WaitForRoot { why, .. } = services {
                    *why = error;
                }
                is_over
            }
        }
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
            services,
            stop,
            released,
            backups,
        }) = standing.take()
        else {
            return;
        };
        stop.pull();
        self.answers.send_replace(false);
        drop((services, backups));
        tokio::select! {
            () = released.wait() => {}
            () = self.runtime.clock.sleep(CLOSE_WAIT) => {
                tracing::warn!("the stores are still in use; what was acknowledged is on disk all the same");
            }
        }
        // Those of calls that were under way too.
        self.listeners.close_all().await;
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
        let (mut value, server) = match self.bound().await {
            Ok(bound) => (shown(&bound.binding().await?), "running"),
            Err(why) if why.is_passing() => (json!({ "why": why.to_string() }), "waiting for the root key"),
            Err(why) => return Err(why),
        };
        set(&mut value, "server", server);
        set(&mut value, "place", self.root().key.describe().place);
        if !self.settings.ephemeral {
            set(&mut value, "keyring", self.keyring.display().to_string());
        }
        Ok(value)
    }

    /// Binds the data to another root key, while the services go on.
    pub(crate) async fn rotate_root(&self, choice: RootChoice) -> Result<Value, OperatorError> {
        let Ok(_one) = self.rotating.try_lock() else {
            return Err(
                OperatorError::failed("the root key is being replaced already").fix("wait until it is done")
            );
        };
        let bound = self.bound().await?;
        let data = &self.settings.data;
        let is_made = matches!(&choice, RootChoice::File(Some(path)) if !path.exists());
        let new = Root::chosen(choice, data, DataFolderState::New, &self.runtime).await?;
        let (before, now) = bound.replace_root(&new, &self.runtime).await?;
        let mut value = shown(&now);
        set(&mut value, "place", new.key.describe().place);
        if is_made {
            set(&mut value, "made", "now");
        }
        set(&mut value, "before_provider", before.provider.to_string());
        set(&mut value, "before_id", before.id.to_string());
        *self.root.lock().unwrap_or_else(PoisonError::into_inner) = new;
        Ok(value)
    }

    /// The last denial of the call with this id, or of all.
    pub(crate) async fn denial(
        &self,
        id: Option<RequestId>,
    ) -> Result<Option<Arc<KeptDenial>>, OperatorError> {
        let gate = match self
            .standing
            .read()
            .await
            .as_ref()
            .map(|standing| &standing.services)
        {
            Some(Services::Up { gate, .. }) => Arc::clone(gate),
            Some(Services::WaitForRoot { why, .. }) => return Err(why.clone()),
            None => return Err(OperatorError::failed("the server cannot be asked").why("it is stopping")),
        };
        Ok(match id {
            Some(id) => gate.denial(id),
            None => gate.last_denial(),
        })
    }

    /// The data keys that the services hold.
    pub(crate) async fn held_keys(&self) -> Result<HeldKeys, OperatorError> {
        match self
            .standing
            .read()
            .await
            .as_ref()
            .map(|standing| &standing.services)
        {
            Some(Services::Up { held_keys, .. }) => Ok(held_keys.clone()),
            Some(Services::WaitForRoot { why, .. }) => Err(why.clone()),
            None => Err(OperatorError::failed("the server cannot be asked").why("it is stopping")),
        }
    }

    fn root(&self) -> Root {
        self.root.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn bound(&self) -> Result<Bound, OperatorError> {
        match self
            .standing
            .read()
            .await
            .as_ref()
            .map(|standing| &standing.services)
        {
            Some(Services::Up { bound, .. }) => Ok(bound.clone()),
            Some(Services::WaitForRoot { why, .. }) => Err(why.clone()),
            None => {
                Err(OperatorError::failed("the root key cannot be asked for").why("the server is stopping"))
            }
        }
    }

    /// The certificates of destroyed keys.
    pub(crate) async fn certificates(&self) -> Result<Value, OperatorError> {
        let services = self.held_keys().await?;
        let found = services.kms.certificates().await;
        found
            .map(|found| keys_certificates::shown(&found))
            .map_err(|error| OperatorError::failed("the certificates cannot be read").why(error))
    }

    /// Removes the erasure keys of data that were removed.
    async fn forget_keyring(&self, keyring: Option<Arc<KeyringFolder>>) {
        let Some(keyring) = keyring else { return };
        let remove = move || keyring.remove_all();
        match on_thread(&*self.runtime.tasks, "bulla-keyring", remove).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the erasure keys of the former data are left"),
            Err(error) => tracing::warn!(%error, "the erasure keys of the former data are left"),
        }
    }

    async fn start_over(self: &Arc<Self>) {
        // A root key that is being replaced is that of the data which are about to go.
        let _no_rotation = self.rotating.lock().await;
        let mut standing = self.standing.write().await;
        let keyring = match standing.as_ref().map(|standing| &standing.services) {
            Some(Services::Up { keyring, .. }) => keyring.clone(),
            Some(Services::WaitForRoot { .. }) | None => None,
        };
        self.lower(&mut standing).await;
        if !self.settings.ephemeral {
            match bulla_storage::remove_embedded(&self.settings.data) {
                Err(error) => tracing::error!(%error, "the data could not be removed; it stays as it was"),
                Ok(()) => self.forget_keyring(keyring).await,
            }
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
        // Nobody holds the lock for writing but to start over, or for a moment when the root key is reached.
        if let Ok(standing) = self.0.standing.try_read()
            && let Some(gate) = standing.as_ref().and_then(|standing| standing.services.gate())
        {
            return Box::pin(async move { gate.handle_holding(parts, body, transport, admitted).await });
        }
        Box::pin(async move {
            let (gate, refusal) = match self.0.standing.read().await.as_ref() {
                Some(standing) => (standing.services.gate(), Refusal::root_key(&parts)),
                None => (None, Refusal::Unavailable),
            };
            let Some(gate) = gate else {
                let id = RequestId::from_entropy(self.0.runtime.entropy.id_bytes());
                return refusal.answer(Form::of(&parts), id.as_str());
            };
            gate.handle_holding(parts, body, transport, admitted).await
        })
    }

    fn is_ready(&self) -> bool {
        *self.0.answers.borrow()
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
