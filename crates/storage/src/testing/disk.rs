//! A disk in memory that loses what was not synced, fills up, and fails on demand.
//!
//! What is written is seen by readers at once, as in a page cache. A power cut keeps of it what was synced, and of
//! the rest whatever chance decides, by sectors of 512 bytes. A failed sync forgets that anything was to be
//! synced, as Linux does: later syncs succeed and make nothing of it durable.

use crate::log::segment::disk::{Disk, DiskFile};
use std::collections::BTreeMap;
use std::io::{Error, ErrorKind, Result};
use std::sync::{Arc, Mutex, MutexGuard};

const SECTOR_BYTES: u64 = 512;

/// Reproducible randomness for tests (`SplitMix64`).
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// The same seed gives the same numbers.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `end`, which is not 0.
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % end
    }

    /// True once in `times`.
    pub fn one_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }
}

#[derive(Clone)]
enum Pending {
    Write(u64, Vec<u8>),
    Size(u64),
}

#[derive(Default)]
struct Inode {
    seen: Vec<u8>,
    durable: Vec<u8>,
    pending: Vec<Pending>,
    sync_failed: bool,
}

type Node = Arc<Mutex<Inode>>;

enum FolderChange {
    Set(String, Node),
    Rename(String, String, Node),
    Remove(String),
}

#[derive(Default)]
struct State {
    seen: BTreeMap<String, Node>,
    durable: BTreeMap<String, Node>,
    pending: Vec<FolderChange>,
    /// Changes until the power goes.
    power: Option<u64>,
    /// Bytes that all files may have together.
    room: Option<u64>,
    /// Syncs until one fails.
    sync_fails_in: Option<u64>,
    /// Calls until one fails, and how.
    fault: Option<(u64, ErrorKind)>,
    changes: u64,
    calls: u64,
    /// What failed by [`SimulatedDisk::fail_call_after`].
    failed: Option<Call>,
    /// Syncs of a file after one of its syncs had failed.
    syncs_after_failure: u64,
    last_write: Option<LastWrite>,
}

/// The last write, and what was in its place.
struct LastWrite {
    node: Node,
    before: Vec<u8>,
    offset: usize,
    end: usize,
}

/// What a file layer is asked to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Call {
    /// List the folder.
    List,
    /// Make a file.
    Create,
    /// Open a file.
    Open,
    /// Give a file another name.
    Rename,
    /// Remove a name.
    Remove,
    /// Make names durable.
    SyncFolder,
    /// Ask for the length of a file.
    Size,
    /// Read.
    Read,
    /// Write.
    Write,
    /// Cut or extend a file, or make room for it.
    SetSize,
    /// Make a file durable.
    Sync,
}

/// See the module.
#[derive(Clone, Default)]
pub struct SimulatedDisk {
    state: Arc<Mutex<State>>,
}

fn lost_power() -> Error {
    Error::other("the power is gone")
}

impl SimulatedDisk {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Lets the power go after so many changes; every later call fails.
    pub fn cut_power_after(&self, changes: u64) {
        self.state().power = Some(changes);
    }

    /// Whether the power is still there.
    #[must_use]
    pub fn has_power(&self) -> bool {
        self.state().power != Some(0)
    }

    /// How many changes there were: creations, writes, syncs, renames, removals.
    #[must_use]
    pub fn changes(&self) -> u64 {
        self.state().changes
    }

    /// Bounds what all files may have together.
    pub fn set_room(&self, bytes: Option<u64>) {
        self.state().room = bytes;
    }

    /// Bytes of all files together.
    #[must_use]
    pub fn used(&self) -> u64 {
        used(&self.state())
    }

    /// Lets one sync of a file fail, after so many others.
    pub fn fail_sync_after(&self, syncs: u64) {
        self.state().sync_fails_in = Some(syncs);
    }

    /// The disk as the next process finds it when only the process died.
    #[must_use]
    pub fn after_kill(&self) -> Self {
        let state = self.state();
        let mut known: BTreeMap<*const Mutex<Inode>, Node> = BTreeMap::new();
        let mut copy = |node: &Node| {
            let copied = known.entry(Arc::as_ptr(node)).or_insert_with(|| {
                let inode = node.lock().unwrap();
                let (seen, durable) = (inode.seen.clone(), inode.durable.clone());
                Arc::new(Mutex::new(Inode {
                    seen,
                    durable,
                    pending: inode.pending.clone(),
                    sync_failed: false,
                }))
            });
            Arc::clone(copied)
        };
        let mut folder = |names: &BTreeMap<String, Node>| -> BTreeMap<String, Node> {
            names
                .iter()
                .map(|(name, node)| (name.clone(), copy(node)))
                .collect()
        };
        let (seen, durable) = (folder(&state.seen), folder(&state.durable));
        let pending = state.pending.iter().map(|change| match change {
            FolderChange::Set(name, node) => FolderChange::Set(name.clone(), copy(node)),
            FolderChange::Rename(from, to, node) => {
                FolderChange::Rename(from.clone(), to.clone(), copy(node))
            }
            FolderChange::Remove(name) => FolderChange::Remove(name.clone()),
        });
        let pending = pending.collect();
        Self {
            state: Arc::new(Mutex::new(State {
                seen,
                durable,
                pending,
                ..State::default()
            })),
        }
    }

    /// The disk as the next process finds it after the power was gone.
    #[must_use]
    pub fn after_power_cut(&self, random: &mut Random) -> Self {
        let state = self.state();
        let mut names = state.durable.clone();
        for change in &state.pending {
            if random.one_in(2) {
                continue;
            }
            match change {
                FolderChange::Set(name, node) => drop(names.insert(name.clone(), Arc::clone(node))),
                FolderChange::Rename(from, to, node) => {
                    names.remove(from);
                    names.insert(to.clone(), Arc::clone(node));
                }
                FolderChange::Remove(name) => drop(names.remove(name)),
            }
        }
        let luck = random.below(5);
        let mut survive = |(name, node): (String, Node)| {
            let seen = surviving(&node.lock().unwrap(), luck, random);
            let inode = Inode {
                durable: seen.clone(),
                seen,
                pending: Vec::new(),
                sync_failed: false,
            };
            (name, Arc::new(Mutex::new(inode)))
        };
        let seen: BTreeMap<String, Node> = names.into_iter().map(&mut survive).collect();
        let durable = seen.clone();
        Self {
            state: Arc::new(Mutex::new(State {
                seen,
                durable,
                ..State::default()
            })),
        }
    }

    /// The bytes of a file as readers see them.
    #[must_use]
    pub fn content(&self, name: &str) -> Vec<u8> {
        self.state().seen[name].lock().unwrap().seen.clone()
    }

    /// Replaces a file, durably.
    pub fn set_content(&self, name: &str, bytes: Vec<u8>) {
        let inode = Inode {
            seen: bytes.clone(),
            durable: bytes,
            pending: Vec::new(),
            sync_failed: false,
        };
        let node = Arc::new(Mutex::new(inode));
        let mut state = self.state();
        state.seen.insert(name.to_owned(), Arc::clone(&node));
        state.durable.insert(name.to_owned(), node);
    }

    /// Lets one call of any kind fail, after so many others.
    pub fn fail_call_after(&self, calls: u64, how: ErrorKind) {
        let mut state = self.state();
        state.fault = Some((calls, how));
        state.failed = None;
    }

    /// Takes back a failure that has not come.
    pub fn work_again(&self) {
        self.state().fault = None;
    }

    /// The call that was let fail, once it has come.
    #[must_use]
    pub fn failed_call(&self) -> Option<Call> {
        self.state().failed
    }

    /// How many calls there were, reads too.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.state().calls
    }

    /// How often a file was synced although one of its syncs had failed; what such a sync says means nothing.
    #[must_use]
    pub fn syncs_after_failure(&self) -> u64 {
        self.state().syncs_after_failure
    }

    /// Bytes of the last write, unless it was synced.
    #[must_use]
    pub fn last_write_bytes(&self) -> usize {
        let state = self.state();
        let unsynced = state
            .last_write
            .as_ref()
            .filter(|last| !last.node.lock().unwrap().pending.is_empty());
        unsynced.map_or(0, |last| last.end - last.offset)
    }

    /// The disk as the next process finds it when of the last write only so many bytes got there, and of all others
    /// everything.
    #[must_use]
    pub fn after_torn_write(&self, bytes: usize) -> Self {
        let torn = self.after_kill();
        let state = self.state();
        if let Some(last) = &state.last_write {
            let name = state.seen.iter().find(|(_, node)| Arc::ptr_eq(node, &last.node));
            if let Some((name, _)) = name {
                let from = (last.offset + bytes).min(last.end);
                let mut content = last.node.lock().unwrap().seen.clone();
                let old = last.before.get(from..).unwrap_or_default();
                let end = last.end.min(last.before.len()).max(from);
                content.truncate(if last.before.len() < last.end {
                    end
                } else {
                    content.len()
                });
                content[from..end].copy_from_slice(&old[..end - from]);
                torn.set_content(name, content);
            }
        }
        torn
    }

    /// Removes a file as somebody would who does not know what it is.
    pub fn lose(&self, name: &str) {
        let mut state = self.state();
        state.seen.remove(name);
        state.durable.remove(name);
    }

    fn call(&self, call: Call) -> Result<MutexGuard<'_, State>> {
        let mut state = self.state();
        state.calls += 1;
        match state.fault {
            Some((0, how)) => {
                state.fault = None;
                state.failed = Some(call);
                Err(how.into())
            }
            Some((left, how)) => {
                state.fault = Some((left - 1, how));
                Ok(state)
            }
            None => Ok(state),
        }
    }

    fn change(&self, call: Call) -> Result<MutexGuard<'_, State>> {
        let mut state = self.call(call)?;
        if state.power == Some(0) {
            return Err(lost_power());
        }
        state.power = state.power.map(|left| left - 1);
        state.changes += 1;
        Ok(state)
    }
}

fn used(state: &State) -> u64 {
    state
        .seen
        .values()
        .map(|node| node.lock().unwrap().seen.len() as u64)
        .sum()
}

/// What a power cut leaves of a file: of every unsynced change, some sectors. `luck` of 0 is none, 4 is all.
fn surviving(inode: &Inode, luck: u64, random: &mut Random) -> Vec<u8> {
    let mut bytes = inode.durable.clone();
    for pending in &inode.pending {
        match pending {
            Pending::Size(size) => {
                if random.below(4) < luck {
                    bytes.resize(usize::try_from(*size).unwrap(), 0);
                }
            }
            Pending::Write(offset, written) => {
                let mut at = 0;
                while at < written.len() {
                    let from = *offset + at as u64;
                    let left = usize::try_from(SECTOR_BYTES - from % SECTOR_BYTES).unwrap();
                    let piece = &written[at..(at + left).min(written.len())];
                    if random.below(4) < luck {
                        write(&mut bytes, from, piece);
                    }
                    at += piece.len();
                }
            }
        }
    }
    bytes
}

fn write(bytes: &mut Vec<u8>, offset: u64, piece: &[u8]) {
    let from = usize::try_from(offset).unwrap();
    if bytes.len() < from + piece.len() {
        bytes.resize(from + piece.len(), 0);
    }
    bytes[from..from + piece.len()].copy_from_slice(piece);
}

impl Disk for SimulatedDisk {
    fn list(&self) -> Result<Vec<String>> {
        Ok(self.call(Call::List)?.seen.keys().cloned().collect())
    }

    fn create(&self, name: &str, len: u64) -> Result<Arc<dyn DiskFile>> {
        let node = Node::default();
        {
            let mut state = self.change(Call::Create)?;
            if state.seen.contains_key(name) {
                return Err(ErrorKind::AlreadyExists.into());
            }
            state.seen.insert(name.to_owned(), Arc::clone(&node));
            state
                .pending
                .push(FolderChange::Set(name.to_owned(), Arc::clone(&node)));
        }
        let file = SimulatedFile {
            disk: self.clone(),
            node,
        };
        file.reserve(len)?;
        Ok(Arc::new(file))
    }

    fn open(&self, name: &str) -> Result<Arc<dyn DiskFile>> {
        let node = self
            .call(Call::Open)?
            .seen
            .get(name)
            .cloned()
            .ok_or(ErrorKind::NotFound)?;
        Ok(Arc::new(SimulatedFile {
            disk: self.clone(),
            node,
        }))
    }

    fn rename(&self, from: &str, to: &str) -> Result<()> {
        let mut state = self.change(Call::Rename)?;
        let node = state.seen.remove(from).ok_or(ErrorKind::NotFound)?;
        state.seen.insert(to.to_owned(), Arc::clone(&node));
        state
            .pending
            .push(FolderChange::Rename(from.to_owned(), to.to_owned(), node));
        Ok(())
    }

    fn remove(&self, name: &str) -> Result<()> {
        let mut state = self.change(Call::Remove)?;
        state.seen.remove(name).ok_or(ErrorKind::NotFound)?;
        state.pending.push(FolderChange::Remove(name.to_owned()));
        Ok(())
    }

    fn sync_folder(&self) -> Result<()> {
        let mut state = self.change(Call::SyncFolder)?;
        state.durable = state.seen.clone();
        state.pending.clear();
        Ok(())
    }

    fn path(&self, name: &str) -> String {
        format!("/simulated/{name}")
    }
}

struct SimulatedFile {
    disk: SimulatedDisk,
    node: Node,
}

impl SimulatedFile {
    /// How far the file may grow now.
    fn largest(&self, state: &State) -> u64 {
        let own = self.node.lock().unwrap().seen.len() as u64;
        state
            .room
            .map_or(u64::MAX, |room| own + room.saturating_sub(used(state)))
    }
}

impl DiskFile for SimulatedFile {
    fn size(&self) -> Result<u64> {
        drop(self.disk.call(Call::Size)?);
        Ok(self.node.lock().unwrap().seen.len() as u64)
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> Result<usize> {
        drop(self.disk.call(Call::Read)?);
        let inode = self.node.lock().unwrap();
        let from = usize::try_from(offset).unwrap().min(inode.seen.len());
        let count = buffer.len().min(inode.seen.len() - from);
        buffer[..count].copy_from_slice(&inode.seen[from..from + count]);
        Ok(count)
    }

    fn write_all_at(&self, bytes: &[u8], offset: u64) -> Result<()> {
        let mut state = self.disk.change(Call::Write)?;
        let largest = self.largest(&state);
        let fits = usize::try_from(largest.saturating_sub(offset).min(bytes.len() as u64)).unwrap();
        let mut inode = self.node.lock().unwrap();
        let (written, rest) = bytes.split_at(fits);
        let from = usize::try_from(offset).unwrap();
        state.last_write = Some(LastWrite {
            node: Arc::clone(&self.node),
            before: inode.seen.clone(),
            offset: from,
            end: from + fits,
        });
        write(&mut inode.seen, offset, written);
        inode.pending.push(Pending::Write(offset, written.to_vec()));
        if rest.is_empty() {
            Ok(())
        } else {
            Err(ErrorKind::StorageFull.into())
        }
    }

    fn set_size(&self, size: u64) -> Result<()> {
        let state = self.disk.change(Call::SetSize)?;
        if size > self.largest(&state) {
            return Err(ErrorKind::StorageFull.into());
        }
        let mut inode = self.node.lock().unwrap();
        inode.seen.resize(usize::try_from(size).unwrap(), 0);
        inode.pending.push(Pending::Size(size));
        Ok(())
    }

    fn reserve(&self, size: u64) -> Result<()> {
        if size > self.size()? {
            self.set_size(size)
        } else {
            Ok(())
        }
    }

    fn sync_data(&self) -> Result<()> {
        let changed = self.disk.change(Call::Sync);
        let mut inode = self.node.lock().unwrap();
        let mut state = changed.inspect_err(|_| {
            inode.pending.clear();
            inode.sync_failed = true;
        })?;
        state.syncs_after_failure += u64::from(inode.sync_failed);
        if state.sync_fails_in == Some(0) {
            state.sync_fails_in = None;
            inode.pending.clear();
            inode.sync_failed = true;
            return Err(Error::other("the disk did not take it"));
        }
        state.sync_fails_in = state.sync_fails_in.map(|left| left - 1);
        let pending = std::mem::take(&mut inode.pending);
        for pending in pending {
            match pending {
                Pending::Size(size) => inode.durable.resize(usize::try_from(size).unwrap(), 0),
                Pending::Write(offset, bytes) => write(&mut inode.durable, offset, &bytes),
            }
        }
        Ok(())
    }

    fn sync_all(&self) -> Result<()> {
        self.sync_data()
    }
}
