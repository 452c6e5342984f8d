//! One run: who does the next step, when time passes, and when the server dies.

use crate::directory::SimulatedDirectory;
use crate::executor::{Executor, Owner};
use crate::options::Options;
use crate::people::People;
use crate::server::{Durable, Life};
use crate::time::Time;
use crate::world::{Crash, World};
use bulla_envelope::{InstanceKey, MemoryErasureKeys, MemoryRootKey};
use bulla_runtime::SeededEntropy;
use bulla_storage::OpenError;
use bulla_storage::testing::disk::{Random, SimulatedDisk};
use std::rc::Rc;
use std::sync::Arc;

/// Steps after which a run is taken to be stuck.
const STEPS_MAX: u64 = 3_000_000;

/// Times that the server dies by chance; what comes after shows whether it recovers.
const CRASHES_MAX: u64 = 25;

/// What came of a run.
#[derive(Clone, Debug)]
pub struct Report {
    /// The promise that was broken, if one was.
    pub broken: Option<String>,
    /// Messages that were sent.
    pub messages: usize,
    /// Times that the server died.
    pub crashes: u64,
    /// A number that depends on everything that happened and when.
    pub fingerprint: u64,
    /// The last events, if they were traced.
    pub trace: Vec<String>,
}

/// Runs what the options say.
#[must_use]
pub fn run(options: &Options) -> Report {
    let mut simulation = Simulation::new(options.clone());
    simulation.run();
    let world = simulation.world;
    let model = world.model.borrow();
    Report {
        broken: model.violation.clone(),
        messages: model.messages.len(),
        crashes: simulation.crashes,
        fingerprint: simulation.fingerprint,
        trace: world.traced(),
    }
}

struct Simulation {
    options: Options,
    world: Rc<World>,
    time: Time,
    executor: Executor,
    durable: Durable,
    life: Option<Life>,
    /// When the next server starts.
    down_until: u64,
    /// When the log's next commit is written, if something waits for it.
    commit_due: Option<u64>,
    order: Random,
    chance: Random,
    crashes: u64,
    fingerprint: u64,
}

impl Simulation {
    fn new(options: Options) -> Self {
        let time = Time::default();
        let entropy = SeededEntropy::new(options.seed);
        let root = MemoryRootKey::generate(&entropy).unwrap();
        let (instance, _) = InstanceKey::create(&root, &entropy).unwrap();
        let durable = Durable {
            disk: SimulatedDisk::default(),
            directory: SimulatedDirectory::new(options.partitions, &time, options.seed, options.directory_ms),
            instance: Arc::new(instance),
            erasure: MemoryErasureKeys::new(Arc::new(SeededEntropy::new(options.seed))),
            people: Arc::new(People::new()),
        };
        let world = Rc::new(World::new(options.clone(), time.clone()));
        let mut executor = Executor::default();
        let story = crate::story::story(Rc::clone(&world));
        executor.spawn(Owner::World, Box::pin(story));
        Self {
            world,
            time,
            executor,
            durable,
            life: None,
            down_until: 0,
            commit_due: None,
            order: Random::new(options.seed ^ 0x006f_7264_6572),
            chance: Random::new(options.seed ^ 0x6368_616e_6365),
            crashes: 0,
            fingerprint: 0,
            options,
        }
    }

    fn run(&mut self) {
        for _ in 0..STEPS_MAX {
            if self.executor.world_is_done() || self.is_broken() {
                return;
            }
            self.step();
        }
        let mut model = self.world.model.borrow_mut();
        model.broken(|| "the run does not end: somebody waits for what never comes".into());
    }

    fn is_broken(&self) -> bool {
        self.world.model.borrow().violation.is_some()
    }

    fn step(&mut self) {
        self.world.step();
        for (owner, job) in self.world.take_jobs() {
            if owner == Owner::World || self.life.is_some() {
                self.executor.spawn(owner, job);
            }
        }
        self.strike();
        match &self.life {
            Some(life) => {
                self.executor.take_in(&life.inbox);
                match life.opened() {
                    None => {}
                    Some(Ok(gate)) => {
                        self.world.note(|| "the server is up".into());
                        self.world.open_door(gate);
                    }
                    Some(Err(why)) => self.failed_start(&why),
                }
            }
            None if self.time.now() >= self.down_until => self.start(),
            None => {}
        }
        let did = self.go_on();
        self.fingerprint = (self.fingerprint ^ did ^ (self.time.now() << 20))
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            .rotate_left(23);
    }

    /// Lets one of those who can do something; answers who did.
    fn go_on(&mut self) -> u64 {
        if let Some(life) = &mut self.life {
            if self.order.one_in(16) && life.steps.collect() {
                return u64::MAX;
            }
            let now = self.time.now();
            if life.steps.is_asked() {
                let due = *self
                    .commit_due
                    .get_or_insert_with(|| now + self.order.below(self.options.commit_ms + 1));
                if due <= now && self.order.one_in(4) {
                    self.commit_due = None;
                    life.steps.commit();
                    return u64::MAX - 1;
                }
            }
        }
        if let Some(task) = self.executor.step(&mut self.order) {
            return task;
        }
        let start = self.life.is_none().then_some(self.down_until);
        let next = [self.time.next_due(), self.commit_due, start];
        if let Some(next) = next.into_iter().flatten().min() {
            self.time.advance_to(next);
        }
        u64::MAX - 2
    }

    /// What befalls the server before this step, if anything.
    fn strike(&mut self) {
        if self.life.is_none() {
            return;
        }
        if let Some(crash) = self.world.crash_wanted.take() {
            return self.crash(crash);
        }
        if !self.durable.disk.has_power() {
            return self.crash(Crash::Power);
        }
        let sick = self.world.restart_wanted.get() && self.chance.one_in(50);
        if sick {
            let crash = self.world.pick(&[Crash::Process, Crash::Power]);
            return self.crash(crash);
        }
        if !self.world.faults.get() || self.crashes > CRASHES_MAX {
            return;
        }
        if self.options.crash_every > 0 && self.chance.one_in(self.options.crash_every) {
            match self.chance.below(3) {
                0 => self.crash(Crash::Process),
                1 => self.crash(Crash::Power),
                _ => {
                    self.world.model.borrow_mut().has_trouble();
                    self.durable.disk.cut_power_after(self.chance.below(20));
                }
            }
        } else if self.options.disk_faults && self.chance.one_in(1_000) {
            self.world.model.borrow_mut().has_trouble();
            match self.chance.below(4) {
                0 => self.durable.disk.fail_sync_after(self.chance.below(5)),
                1 => self.durable.disk.set_room(None),
                _ => {
                    let room = self.durable.disk.used() + self.chance.below(60_000);
                    self.durable.disk.set_room(Some(room));
                }
            }
            self.world.note(|| "the disk is in trouble".into());
        }
    }

    fn start(&mut self) {
        let seed = self.chance.below(u64::MAX);
        let started = Life::start(&self.options, &self.durable, &self.time, seed, &mut self.executor);
        match started {
            Ok(life) => self.life = Some(life),
            Err(OpenError::Io { .. }) if !self.durable.disk.has_power() => self.crash(Crash::Power),
            Err(error) => self.failed_start(&error.to_string()),
        }
    }

    fn failed_start(&mut self, why: &str) {
        if !self.durable.disk.has_power() {
            return self.crash(Crash::Power);
        }
        let mut model = self.world.model.borrow_mut();
        if model.trouble {
            drop(model);
            return self.crash(Crash::Process);
        }
        model.broken(|| format!("the server does not start: {why}"));
    }

    fn crash(&mut self, crash: Crash) {
        self.world.note(|| format!("crash: {crash:?}"));
        self.world.close_door();
        self.world.restart_wanted.set(false);
        self.executor.kill_server();
        self.life = None;
        self.commit_due = None;
        self.durable.disk = match crash {
            Crash::Process => self.durable.disk.after_kill(),
            Crash::Power => self.durable.disk.after_power_cut(&mut self.chance),
        };
        let now = self.world.now();
        self.world.model.borrow_mut().crash(now);
        self.crashes += 1;
        self.down_until = self.time.now() + self.chance.below(3_000);
    }
}
