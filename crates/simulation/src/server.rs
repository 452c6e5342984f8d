//! One life of the server: the real services behind the real gate over the simulated disk, from a start to a crash.

use crate::directory::SimulatedDirectory;
use crate::executor::{Executor, Inbox, Owner};
use crate::options::{Mutation, Options};
use crate::people::{NoAudit, People};
use crate::time::{ProcessClock, Time};
use bulla_envelope::{InstanceKey, MemoryErasureKeys};
use bulla_gate::{Authentication, Gate, Ports};
use bulla_runtime::{Runtime, SeededEntropy, Shutdown, ShutdownTrigger};
use bulla_services::{kms, sqs};
use bulla_storage::log::segment::disk::{Disk, DiskFile};
use bulla_storage::log::segment::steps::Steps;
use bulla_storage::log::segment::{Options as LogOptions, SegmentLog};
use bulla_storage::testing::disk::SimulatedDisk;
use bulla_storage::{DirectoryWriter, OpenError, Stores, open_memory};
use bulla_types::AccountId;
use std::io::Result as IoResult;
use std::sync::{Arc, Mutex};

/// What outlives every server.
pub(crate) struct Durable {
    pub(crate) disk: SimulatedDisk,
    pub(crate) directory: SimulatedDirectory,
    pub(crate) instance: Arc<InstanceKey>,
    pub(crate) erasure: MemoryErasureKeys,
    pub(crate) people: Arc<People>,
}

/// What a start came to, once it has.
type Door = Arc<Mutex<Option<Result<Arc<Gate>, String>>>>;

/// A server that runs, or starts.
pub(crate) struct Life {
    pub(crate) inbox: Inbox,
    pub(crate) steps: Steps,
    door: Door,
    _running: ShutdownTrigger,
}

impl Life {
    /// Begins to start a server. Nothing of an earlier one may be left.
    ///
    /// # Errors
    /// Why the log does not open.
    pub(crate) fn start(
        options: &Options,
        durable: &Durable,
        time: &Time,
        seed: u64,
        executor: &mut Executor,
    ) -> Result<Self, OpenError> {
        let disk: Arc<dyn Disk> = match options.mutation {
            Some(Mutation::SyncsNothing) => Arc::new(LyingDisk(durable.disk.clone())),
            Some(_) | None => Arc::new(durable.disk.clone()),
        };
        let log_options = LogOptions {
            partitions: options.partitions,
            segment_bytes: options.segment_bytes,
            keep: None,
        };
        let (log, steps) = SegmentLog::open_stepped(disk, log_options)?;
        let stores = Stores {
            directory: Arc::new(durable.directory.clone()),
            log: Arc::new(log),
            ..open_memory()
        };
        let inbox = Inbox::default();
        let (running, shutdown) = Shutdown::pair();
        let runtime = Runtime {
            clock: Arc::new(ProcessClock::start(time)),
            entropy: Arc::new(SeededEntropy::new(seed)),
            tasks: Arc::new(inbox.clone()),
            shutdown,
        };
        let door = Door::default();
        let (instance, people) = (Arc::clone(&durable.instance), Arc::clone(&durable.people));
        let erasure = durable.erasure.clone();
        let opened = Arc::clone(&door);
        let start = async move {
            let gate = compose(runtime, stores, &instance, erasure, people).await;
            *opened.lock().unwrap() = Some(gate);
        };
        executor.spawn(Owner::Server, Box::pin(start));
        Ok(Self {
            inbox,
            steps,
            door,
            _running: running,
        })
    }

    /// The server's door as soon as it is open, or why it does not open; told once.
    pub(crate) fn opened(&self) -> Option<Result<Arc<Gate>, String>> {
        self.door.lock().unwrap().take()
    }
}

async fn compose(
    runtime: Runtime,
    stores: Stores,
    instance: &InstanceKey,
    erasure: MemoryErasureKeys,
    people: Arc<People>,
) -> Result<Arc<Gate>, String> {
    let directory = DirectoryWriter::open(stores.directory.as_ref(), "local", runtime.tasks.as_ref())
        .await
        .map_err(|error| error.to_string())?;
    let kms = kms::Kms::open(runtime.clone(), directory.clone(), instance, Arc::new(erasure))
        .await
        .map_err(|error| error.to_string())?;
    let sqs = sqs::Sqs::open(runtime.clone(), &stores, directory, instance).await?;
    let ports = Ports {
        credentials: Arc::<People>::clone(&people),
        organizations: people,
        endpoints: Arc::new(bulla_gate::NoEndpoints),
        audit: Arc::new(NoAudit),
    };
    let open = Authentication::Open {
        default_account: AccountId::ZERO,
    };
    let mut gate = Gate::new(runtime, ports, open);
    gate.serve(kms, kms::operations::OPERATIONS);
    gate.serve(sqs, sqs::operations::OPERATIONS);
    Ok(Arc::new(gate))
}

/// A disk that says that it has synced and has not: a mutation that the checker must notice.
struct LyingDisk(SimulatedDisk);

impl Disk for LyingDisk {
    fn list(&self) -> IoResult<Vec<String>> {
        self.0.list()
    }

    fn create(&self, name: &str, len: u64) -> IoResult<Arc<dyn DiskFile>> {
        Ok(Arc::new(LyingFile(self.0.create(name, len)?)))
    }

    fn open(&self, name: &str) -> IoResult<Arc<dyn DiskFile>> {
        Ok(Arc::new(LyingFile(self.0.open(name)?)))
    }

    fn rename(&self, from: &str, to: &str) -> IoResult<()> {
        self.0.rename(from, to)
    }

    fn remove(&self, name: &str) -> IoResult<()> {
        self.0.remove(name)
    }

    fn sync_folder(&self) -> IoResult<()> {
        self.0.sync_folder()
    }

    fn path(&self, name: &str) -> String {
        self.0.path(name)
    }
}

struct LyingFile(Arc<dyn DiskFile>);

impl DiskFile for LyingFile {
    fn size(&self) -> IoResult<u64> {
        self.0.size()
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> IoResult<usize> {
        self.0.read_at(buffer, offset)
    }

    fn write_all_at(&self, bytes: &[u8], offset: u64) -> IoResult<()> {
        self.0.write_all_at(bytes, offset)
    }

    fn set_size(&self, size: u64) -> IoResult<()> {
        self.0.set_size(size)
    }

    fn reserve(&self, size: u64) -> IoResult<()> {
        self.0.reserve(size)
    }

    fn sync_data(&self) -> IoResult<()> {
        Ok(())
    }

    fn sync_all(&self) -> IoResult<()> {
        self.0.sync_all()
    }
}
