//! The logs, the write sides and their faults.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    sync::Arc,
    time::Duration,
};

use rookery_log::{ErasableLog, EventLog, Hash, MemoryLog};
use tokio::{sync::watch, task::LocalSet, time::sleep};

use super::{
    check,
    client::Client,
    read_side::ReadSide,
    template::{USERS, template},
};
use crate::{
    CommandOptions, Commands,
    testing::{Fate, FaultyLog, Rng, Seeded},
};

/// How long clients act before the faults end, in ticks of a millisecond.
const TICKS_MAX: u64 = 400;

/// The kinds of faults.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chaos {
    /// How many write sides there are.
    pub(super) sides: usize,
    /// How many of a hundred appends are not simply written.
    pub(super) faults: usize,
    /// Whether an append may be written after its answer said that the outcome is unknown.
    pub(super) delays: bool,
    /// In how many ticks, on average, a write side is dropped; 0 for never.
    pub(super) crash_one_in: usize,
    /// In how many ticks, on average, a log is full for a while; 0 for never.
    pub(super) full_one_in: usize,
    /// Whether reads sometimes fail.
    pub(super) reads_fail: bool,
    /// Whether an append that is not written is acknowledged, which no log may do.
    pub(super) lies: bool,
}

impl Chaos {
    pub(super) fn of(seed: u64) -> Self {
        let mut rng = Rng::new(seed ^ 0xc4a0);
        Self {
            sides: 1 + rng.below(2),
            faults: *rng.pick(&[0, 10, 30, 60]),
            delays: rng.one_in(2),
            crash_one_in: *rng.pick(&[0, 0, 30, 80]),
            full_one_in: *rng.pick(&[0, 20, 60]),
            reads_fail: rng.one_in(4),
            lies: false,
        }
    }
}

/// A write side with its own log over the shared one.
pub(super) struct Side {
    log: RefCell<Arc<FaultyLog>>,
    commands: RefCell<Arc<Commands>>,
    /// How often it was opened; every request ends when that changes.
    pub(super) opened: watch::Sender<u64>,
    full_for: Cell<u64>,
    blind_for: Cell<u64>,
}

impl Side {
    fn open(store: &Arc<MemoryLog>) -> Self {
        let log = FaultyLog::new(store);
        log.hold();
        let commands = RefCell::new(open(store, &log));
        let (log, opened) = (RefCell::new(log), watch::Sender::new(0));
        Self { log, commands, opened, full_for: Cell::new(0), blind_for: Cell::new(0) }
    }

    pub(super) fn commands(&self) -> Arc<Commands> {
        Arc::clone(&self.commands.borrow())
    }

    /// The process ends: some of the waiting appends are written, and none is answered.
    fn crash(&self, store: &Arc<MemoryLog>, rng: &mut Rng) {
        let old = self.log.replace(FaultyLog::new(store));
        for _ in 0..rng.below(old.waiting() + 1) {
            old.settle_next(Fate::Write);
        }
        old.refuse();
        old.settle_all(Fate::Refuse);
        let log = Arc::clone(&self.log.borrow());
        log.hold();
        self.commands.replace(open(store, &log));
        self.opened.send_modify(|opened| *opened += 1);
        self.full_for.set(0);
        self.blind_for.set(0);
    }

    fn tick(&self, store: &Arc<MemoryLog>, chaos: Chaos, rng: &mut Rng) {
        let log = Arc::clone(&self.log.borrow());
        if chaos.crash_one_in > 0 && rng.one_in(chaos.crash_one_in) {
            return self.crash(store, rng);
        }
        if chaos.full_one_in > 0 && rng.one_in(chaos.full_one_in) {
            self.full_for.set(1 + rng.below(10) as u64);
            log.refuse();
        } else if self.full_for.get() > 0 {
            self.full_for.set(self.full_for.get() - 1);
            if self.full_for.get() == 0 {
                log.hold();
            }
        }
        if chaos.reads_fail && rng.one_in(40) {
            self.blind_for.set(1 + rng.below(4) as u64);
        }
        log.fail_reads(self.blind_for.get() > 0);
        self.blind_for.set(self.blind_for.get().saturating_sub(1));
        for _ in 0..rng.below(4) {
            log.settle_next(fate(chaos, rng));
        }
    }

    fn heal(&self) {
        let log = self.log.borrow();
        log.fail_reads(false);
        log.pass();
    }
}

fn fate(chaos: Chaos, rng: &mut Rng) -> Fate {
    if rng.below(100) >= chaos.faults {
        return Fate::Write;
    }
    match rng.below(if chaos.lies { 4 } else { 3 }) {
        0 => Fate::LoseAnswer,
        1 => Fate::Refuse,
        2 if chaos.delays => Fate::Delay,
        2 => Fate::Write,
        _ => Fate::Pretend,
    }
}

fn open(store: &Arc<MemoryLog>, log: &Arc<FaultyLog>) -> Arc<Commands> {
    let name = "test".try_into().unwrap();
    let options =
        CommandOptions { action_wait: Duration::from_millis(20), ..CommandOptions::default() };
    let log: Arc<dyn ErasableLog> = Arc::clone(log) as _;
    Arc::new(Commands::open(log, name, ReadSide::ports(store), None, options).unwrap())
}

/// The end of the log; equal for equal seeds.
pub(super) type Ending = (u64, Hash);

/// Runs the simulation of `seed`.
///
/// # Errors
/// The property that does not hold.
pub(super) fn run(seed: u64, chaos: Chaos) -> Result<Ending, String> {
    let template = template();
    let _seeded = Seeded::new(seed);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .map_err(|error| error.to_string())?;
    let set = LocalSet::new();
    set.block_on(&runtime, async {
        let mut rng = Rng::new(seed);
        let store = template.log();
        let sides: Rc<Vec<_>> = Rc::new((0..chaos.sides).map(|_| Side::open(&store)).collect());
        let clients: Vec<_> = USERS
            .iter()
            .map(|user| Client::new(user, rng.number(), &store, &sides, &template.rooms))
            .map(|client| tokio::task::spawn_local(client.act()))
            .collect();
        for _ in 0..TICKS_MAX {
            if clients.iter().all(tokio::task::JoinHandle::is_finished) {
                break;
            }
            sleep(Duration::from_millis(1)).await;
            for side in sides.iter() {
                side.tick(&store, chaos, &mut rng);
            }
        }
        for side in sides.iter() {
            side.heal();
        }
        let mut journals = Vec::new();
        for client in clients {
            journals.push(client.await.map_err(|error| error.to_string())?);
        }
        let ordered = chaos.sides == 1 && !chaos.delays;
        check::all(&store, &sides, &journals, &template.rooms, ordered).await?;
        let (position, hash) = store.tail_hash().await.map_err(|error| error.to_string())?;
        Ok((position.0, hash))
    })
}
