//! Calls over logs that fail, hang, lose answers and fill up, with write sides that are killed.
//!
//! Users place, answer, reject and hang up calls on several devices, in two rooms, through one or two write sides.
//! They leave, are kicked, join again and are logged out, and send some commands twice. Everything follows from a
//! seed. When the faults end, the log is compared with a model of calls that knows nothing of the write side: one
//! step after the other, from the contents of the events alone.

mod check;

use std::{cell::RefCell, rc::Rc, sync::Arc, time::Duration};

use rookery_domain::{CallId, OwnedRoomId, RoomCommand};
use rookery_log::{Epoch, ErasableLog, EventLog, MemoryLog, Millis, Rounds};
use tokio::{task::LocalSet, time::sleep};

use super::{
    super::{actor, join, simulation::read_side::ReadSide},
    answer, call, hang_up, on, reject, room_of,
};
use crate::{
    CommandOptions, Commands, HandleError, Retry,
    testing::{CallsInLog, Fate, FaultyLog, Rng, Seeded, calls_in},
};

/// Rounds of a plain test run.
const ROUNDS: u64 = 150;

/// How long users act before the faults end, in ticks of a millisecond.
const TICKS: u64 = 300;

/// How many steps each user takes.
const STEPS: usize = 14;

const USERS: [&str; 4] = ["alice", "bob", "carol", "dave"];
const DEVICES: [&str; 2] = ["PHONE", "LAPTOP"];

/// How long a call rings at least, in milliseconds.
const LIFETIME: u64 = 90_000;

/// A write side over a log of its own.
struct Side(RefCell<(Arc<FaultyLog>, Arc<Commands>)>);

impl Side {
    fn open(store: &Arc<MemoryLog>) -> Self {
        let log = FaultyLog::new(store);
        log.hold();
        Self(RefCell::new((Arc::clone(&log), commands(store, log))))
    }

    fn commands(&self) -> Arc<Commands> {
        Arc::clone(&self.0.borrow().1)
    }

    /// The process ends: some of the waiting appends are written, and none is answered.
    fn kill(&self, store: &Arc<MemoryLog>, rng: &mut Rng) {
        let (old, _) = self.0.replace(Self::open(store).0.into_inner());
        for _ in 0..rng.below(old.waiting() + 1) {
            old.settle_next(Fate::Write);
        }
        old.refuse();
        old.settle_all(Fate::Refuse);
    }

    fn tick(&self, store: &Arc<MemoryLog>, faults: usize, rng: &mut Rng) {
        if faults > 0 && rng.one_in(120) {
            return self.kill(store, rng);
        }
        let log = Arc::clone(&self.0.borrow().0);
        for _ in 0..rng.below(4) {
            let fate = match rng.below(100) {
                fate if fate >= faults => Fate::Write,
                fate if fate % 2 == 0 => Fate::LoseAnswer,
                _ => Fate::Refuse,
            };
            log.settle_next(fate);
        }
    }
}

fn commands(store: &Arc<MemoryLog>, log: Arc<FaultyLog>) -> Arc<Commands> {
    let options =
        CommandOptions { action_wait: Duration::from_millis(20), ..CommandOptions::default() };
    let ports = ReadSide::ports(store);
    Arc::new(Commands::open(log, "test".try_into().unwrap(), ports, None, options).unwrap())
}

/// A user who acts.
struct User {
    name: &'static str,
    rng: Rng,
    store: Arc<MemoryLog>,
    sides: Rc<Vec<Side>>,
    rooms: [OwnedRoomId; 2],
    clock: Rc<RefCell<u64>>,
}

impl User {
    async fn act(mut self) {
        for number in 1..=STEPS as u64 {
            let device = *self.rng.pick(&DEVICES);
            let (room, command) = self.wanted().await;
            let now = *self.clock.borrow();
            let actor = crate::Actor { now: Millis(now), ..on(self.name, device) };
            let named = self.rng.one_in(2);
            let retry = if named { Retry::Action(number) } else { Retry::Unnamed };
            let side = self.rng.below(self.sides.len());
            let commands = self.sides[side].commands();
            if self.rng.one_in(20) {
                let devices = [device.to_owned()];
                let gone = commands.devices_removed(&actor, devices);
                drop(tokio::time::timeout(Duration::from_millis(60), gone).await);
            } else {
                let first = commands.room(&actor, &room, &command, retry);
                let told = tokio::time::timeout(Duration::from_millis(60), first).await;
                let unknown = matches!(told, Err(_) | Ok(Err(HandleError::Unavailable(_))));
                if named && (unknown || self.rng.one_in(3)) {
                    let again = self.rng.below(self.sides.len());
                    let commands = self.sides[again].commands();
                    let again = commands.room(&actor, &room, &command, retry);
                    drop(tokio::time::timeout(Duration::from_millis(60), again).await);
                }
            }
            sleep(Duration::from_millis(self.rng.below(6) as u64)).await;
        }
    }

    /// A command, mostly about a call that exists.
    async fn wanted(&mut self) -> (OwnedRoomId, RoomCommand) {
        let rooms = calls_in(&*self.store).await.unwrap();
        let calls = rooms.iter().flat_map(|(room, calls)| calls.active().map(move |it| (room, it)));
        let calls: Vec<(OwnedRoomId, CallId)> =
            calls.map(|(room, call)| (room.clone(), call.id.clone())).collect();
        let other = actor(USERS[self.rng.below(USERS.len())]).user;
        let room = self.rng.pick(&self.rooms).clone();
        let choice = self.rng.below(20);
        if calls.is_empty() || choice < 7 {
            let callee = *self.rng.pick(&USERS);
            return (room, call(callee));
        }
        let (of_call, id) = self.rng.pick(&calls).clone();
        match choice {
            7..=11 => (of_call, answer(&id)),
            12 | 13 => (of_call, reject(&id)),
            14 | 15 => (of_call, hang_up(&id)),
            16 => (room, RoomCommand::Leave { reason: None, successor: None }),
            17 => (room, RoomCommand::Kick { user: other, reason: None }),
            _ => (room, join()),
        }
    }
}

/// Runs the simulation of `seed`.
///
/// # Errors
/// The property that does not hold.
fn run(seed: u64) -> Result<usize, String> {
    let _seeded = Seeded::new(seed);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .map_err(|error| error.to_string())?;
    let set = LocalSet::new();
    set.block_on(&runtime, async {
        let mut rng = Rng::new(seed);
        let (sides, faults) = (1 + rng.below(2), *rng.pick(&[0, 0, 10, 40]));
        let store = Arc::new(MemoryLog::new(Epoch(1)));
        let rooms = {
            let log: Arc<dyn ErasableLog> = Arc::clone(&store) as _;
            let commands = super::super::commands(&log);
            [room_of(&commands, &USERS).await, room_of(&commands, &USERS).await]
        };
        let sides: Rc<Vec<_>> = Rc::new((0..sides).map(|_| Side::open(&store)).collect());
        let clock = Rc::new(RefCell::new(2_000));
        let users: Vec<_> = USERS
            .iter()
            .map(|name| User {
                name,
                rng: Rng::new(rng.number()),
                store: Arc::clone(&store),
                sides: Rc::clone(&sides),
                rooms: rooms.clone(),
                clock: Rc::clone(&clock),
            })
            .map(|user| tokio::task::spawn_local(user.act()))
            .collect();
        for _ in 0..TICKS {
            sleep(Duration::from_millis(1)).await;
            *clock.borrow_mut() += if rng.one_in(40) { LIFETIME / 2 } else { 100 };
            sides.iter().for_each(|side| side.tick(&store, faults, &mut rng));
        }
        for side in sides.iter() {
            side.0.borrow().0.pass();
        }
        for user in users {
            user.await.map_err(|error| error.to_string())?;
        }
        let now = *clock.borrow();
        let log: Arc<dyn ErasableLog> = Arc::clone(&store) as _;
        // The test ends calls as the server does at its start and by its timers.
        let last = super::super::commands(&log);
        last.resume_call_ends(Millis(now)).await.map_err(|error| error.to_string())?;
        let checked = check::log(&*store, sides.len() == 1).await?;
        check::nothing_rings_for_ever(&last, &log, Millis(now + LIFETIME)).await?;
        Ok(checked)
    })
}

#[test]
fn calls_are_those_of_the_model_whatever_the_log_does() {
    let mut steps = 0;
    for seed in Rounds::of(ROUNDS, 0x0_ca_11) {
        match run(seed) {
            Ok(checked) => steps += checked,
            Err(violation) => panic!(
                "seed {seed}: {violation}\nrepeat it with ROOKERY_TORTURE_SEED={seed} \
                 ROOKERY_TORTURE_MINUTES=0"
            ),
        }
    }
    assert!(steps > 1_000, "only {steps} steps of calls");
}

#[tokio::test]
async fn the_lookup_of_tests_reads_the_log() {
    use crate::CallLookup;
    let log = super::super::memory();
    let commands = super::super::commands(&log);
    let room = room_of(&commands, &["alice", "bob"]).await;
    let id = super::place(&commands, "alice", &room, "bob").await;
    let port: Arc<dyn EventLog> = Arc::clone(&log) as _;
    let found = CallsInLog(port).active_calls(&actor("bob").user, *log.tail().borrow()).await;
    assert_eq!(found.unwrap(), [(room, id)]);
}
