//! Operations in any order: the shown state equals that of a simple model.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use proptest::{collection::vec, prelude::*};
use rookery_domain::{EphemeralKind, Filter, OwnedRoomId, OwnedUserId, RoomId, UserId};

use crate::{
    Audience, Ephemeral, LINGER, Listening, Now, POLL_COUNTS, Presence, Shown, TOLD_EVERY,
    TYPING_ROOMS_MAX,
    due::Subject,
    state::{Changed, State},
};

fn user(number: usize) -> OwnedUserId {
    UserId::parse(format!("@user{number}:test")).unwrap()
}

fn room(number: usize) -> OwnedRoomId {
    RoomId::parse(format!("!room{number}:test")).unwrap()
}

/// A clock that tests set.
#[derive(Clone)]
struct Clock(Arc<Mutex<Now>>);

impl Clock {
    fn new() -> Self {
        Self(Arc::new(Mutex::new(Now { at: Instant::now(), wall_millis: 1_000_000 })))
    }

    fn now(&self) -> Now {
        *self.0.lock()
    }

    fn turn(&self, by: Duration) {
        let mut now = self.0.lock();
        now.at += by;
        now.wall_millis += u64::try_from(by.as_millis()).unwrap();
    }
}

#[derive(Clone, Debug)]
enum Act {
    Connect(usize, usize),
    Disconnect(usize, usize),
    Poll(usize, usize),
    Choose(usize, usize, Presence),
    Type(usize, usize, usize, u64),
    Stop(usize, usize, usize),
    Leave(usize, usize),
    Pass(u64),
}

fn act() -> impl Strategy<Value = Act> {
    let (user, device, room) = (0usize..2, 0usize..3, 0usize..12);
    let presence =
        prop_oneof![Just(Presence::Online), Just(Presence::Unavailable), Just(Presence::Offline)];
    prop_oneof![
        3 => (user.clone(), device.clone()).prop_map(|(user, device)| Act::Connect(user, device)),
        3 => (user.clone(), device.clone())
            .prop_map(|(user, device)| Act::Disconnect(user, device)),
        1 => (user.clone(), device.clone()).prop_map(|(user, device)| Act::Poll(user, device)),
        2 => (user.clone(), device.clone(), presence)
            .prop_map(|(user, device, presence)| Act::Choose(user, device, presence)),
        4 => (user.clone(), device.clone(), room.clone(), 1u64..60)
            .prop_map(|(user, device, room, seconds)| Act::Type(user, device, room, seconds)),
        1 => (user.clone(), device, room.clone())
            .prop_map(|(user, device, room)| Act::Stop(user, device, room)),
        1 => (user, room).prop_map(|(user, room)| Act::Leave(user, room)),
        4 => (0u64..40_000).prop_map(Act::Pass),
    ]
}

/// A simple model of the state, by the number of the user and the device.
#[derive(Default)]
struct Plain {
    sockets: BTreeMap<(usize, usize), u32>,
    until: BTreeMap<(usize, usize), Instant>,
    chosen: BTreeMap<(usize, usize), Presence>,
    typing: Vec<((usize, usize), usize, Instant)>,
}

impl Plain {
    fn play(&mut self, act: &Act, now: Instant) {
        match *act {
            Act::Connect(user, device) => {
                *self.sockets.entry((user, device)).or_default() += 1;
                self.until.remove(&(user, device));
            }
            Act::Disconnect(user, device) => {
                let sockets = self.sockets.entry((user, device)).or_default();
                if *sockets == 0 {
                    return;
                }
                *sockets -= 1;
                if *sockets == 0 {
                    self.until.insert((user, device), now + LINGER);
                    self.typing.retain(|(who, ..)| *who != (user, device));
                }
            }
            Act::Poll(user, device) => self.poll((user, device), now),
            Act::Choose(user, device, presence) => {
                self.poll((user, device), now);
                self.chosen.insert((user, device), presence);
            }
            Act::Type(user, device, room, seconds) => {
                let until = now + Duration::from_secs(seconds);
                let same = |(who, where_, _): &&mut ((usize, usize), usize, Instant)| {
                    (*who, *where_) == ((user, device), room)
                };
                match self.typing.iter_mut().find(same) {
                    Some((.., end)) => *end = until,
                    None => self.typing.push(((user, device), room, until)),
                }
                let own = self.typing.iter().filter(|(who, ..)| *who == (user, device));
                if own.count() > TYPING_ROOMS_MAX {
                    let first = self.typing.iter().position(|(who, ..)| *who == (user, device));
                    self.typing.remove(first.unwrap());
                }
            }
            Act::Stop(user, device, room) => {
                self.typing.retain(|(who, at, _)| (*who, *at) != ((user, device), room));
            }
            Act::Leave(user, room) => {
                self.typing.retain(|(who, at, _)| (who.0, *at) != (user, room));
            }
            Act::Pass(_) => {}
        }
    }

    fn poll(&mut self, device: (usize, usize), now: Instant) {
        if self.sockets.get(&device).copied().unwrap_or_default() == 0 {
            let until = self.until.entry(device).or_insert(now);
            *until = (*until).max(now + POLL_COUNTS);
        }
    }

    fn pass(&mut self, now: Instant) {
        self.typing.retain(|(.., until)| *until > now);
        self.until.retain(|_, until| *until > now);
        let connected = |device: &(usize, usize)| {
            self.sockets.get(device).copied().unwrap_or_default() > 0
                || self.until.contains_key(device)
        };
        self.chosen.retain(|device, _| connected(device));
    }

    fn typing(&self, room: usize) -> Vec<OwnedUserId> {
        let here = self.typing.iter().filter(|(_, at, _)| *at == room);
        let users: BTreeSet<_> = here.map(|(who, ..)| user(who.0)).collect();
        users.into_iter().collect()
    }

    fn presence(&self, user: usize) -> Presence {
        let sockets = self.sockets.iter().filter(|(_, sockets)| **sockets > 0);
        let devices = sockets.map(|(device, _)| device).chain(self.until.keys());
        let own = devices.filter(|device| device.0 == user);
        own.map(|device| self.chosen.get(device).copied().unwrap_or(Presence::Online))
            .max()
            .unwrap_or_default()
    }
}

fn play(state: &mut State, act: &Act, plain: &Plain, now: Now) -> Changed {
    let name = |device: usize| format!("DEVICE{device}");
    match *act {
        Act::Connect(one, device) => state.connected(&user(one), &name(device), now),
        Act::Disconnect(one, device) => {
            // A socket closes once.
            if plain.sockets.get(&(one, device)).copied().unwrap_or_default() == 0 {
                return Vec::new();
            }
            state.disconnected(&user(one), &name(device), now)
        }
        Act::Poll(one, device) => state.polled(&user(one), &name(device), now),
        Act::Choose(one, device, presence) => {
            state.choose(&user(one), &name(device), presence, None, now)
        }
        Act::Type(one, device, at, seconds) => {
            let how_long = Some(Duration::from_secs(seconds));
            state.type_in(&room(at), &user(one), &name(device), how_long, now)
        }
        Act::Stop(one, device, at) => {
            state.type_in(&room(at), &user(one), &name(device), None, now)
        }
        Act::Leave(one, at) => state.stop_user(&room(at), &user(one), now),
        Act::Pass(_) => Vec::new(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn what_is_shown_is_what_a_plain_account_says(acts in vec(act(), 1..80)) {
        let clock = Clock::new();
        let (mut state, mut plain) = (State::default(), Plain::default());
        // The state as seen by an observer who reads only subjects that were reported as changed.
        let mut known_typing: BTreeMap<OwnedRoomId, Vec<OwnedUserId>> = BTreeMap::new();
        let mut known_presence: BTreeMap<OwnedUserId, Presence> = BTreeMap::new();
        let mut told: BTreeMap<OwnedUserId, Vec<Instant>> = BTreeMap::new();
        for act in &acts {
            if let Act::Pass(millis) = act {
                clock.turn(Duration::from_millis(*millis));
            }
            let now = clock.now();
            let mut changed = state.sweep(now);
            plain.pass(now.at);
            changed.extend(play(&mut state, act, &plain, now));
            plain.play(act, now.at);
            for subject in changed {
                match subject {
                    Subject::Room(room) => {
                        let users = state.typing.users(&room).cloned().collect();
                        known_typing.insert(room, users);
                    }
                    Subject::User(user) => {
                        known_presence.insert(user.clone(), state.presences.shown(&user).presence);
                        told.entry(user).or_default().push(now.at);
                    }
                }
            }
            for at in 0..12 {
                let users: Vec<_> = state.typing.users(&room(at)).cloned().collect();
                prop_assert_eq!(&users, &plain.typing(at));
                prop_assert_eq!(known_typing.get(&room(at)).cloned().unwrap_or_default(), users);
            }
            for one in 0..2 {
                let shown = state.presences.shown(&user(one)).presence;
                prop_assert_eq!(known_presence.get(&user(one)).copied().unwrap_or_default(), shown);
            }
        }
        // After a quiet moment, the shown presence is the best one of the devices.
        clock.turn(TOLD_EVERY);
        state.sweep(clock.now());
        plain.pass(clock.now().at);
        for one in 0..2 {
            prop_assert_eq!(state.presences.shown(&user(one)).presence, plain.presence(one));
        }
        prop_assert!(state.due.len() <= 12 + 2, "one entry for each subject");
    }

    #[test]
    fn all_of_it_ends_by_itself(acts in vec(act(), 1..60)) {
        let clock = Clock::new();
        let (mut state, mut plain) = (State::default(), Plain::default());
        for act in &acts {
            play(&mut state, act, &plain, clock.now());
            plain.play(act, clock.now().at);
        }
        for ((one, device), sockets) in &plain.sockets {
            for _ in 0..*sockets {
                state.disconnected(&user(*one), &format!("DEVICE{device}"), clock.now());
            }
        }
        // The last change may have to wait for the one before it.
        for _ in 0..3 {
            clock.turn(Duration::from_mins(2));
            state.sweep(clock.now());
        }
        prop_assert!(state.typing.is_empty());
        prop_assert_eq!(state.presences.len(), 0);
        prop_assert_eq!(state.due.len(), 0);
    }
}

/// Users 0 and 1 are in room 0, users 1 and 2 in room 1; user 3 is a stranger.
struct Rooms;

impl Rooms {
    fn joined(room: &RoomId) -> Vec<OwnedUserId> {
        if room == self::room(0) { vec![user(0), user(1)] } else { vec![user(1), user(2)] }
    }
}

impl Audience for Rooms {
    fn of_room(&self, room: &RoomId, listening: &Listening<'_>, tell: &mut dyn FnMut(&UserId)) {
        let joined = Self::joined(room);
        joined.iter().filter(|user| listening.has(user)).for_each(|user| tell(user));
    }

    fn of_user(&self, user: &UserId, listening: &Listening<'_>, tell: &mut dyn FnMut(&UserId)) {
        for room in [room(0), room(1)] {
            if Self::joined(&room).iter().any(|other| other == user) {
                self.of_room(&room, listening, tell);
            }
        }
    }
}

fn ephemeral(clock: &Clock) -> Ephemeral {
    let clock = clock.clone();
    Ephemeral::new(Rooms, move || clock.now())
}

#[test]
fn only_those_who_may_know_are_woken() {
    let (clock, seconds) = (Clock::new(), Some(Duration::from_secs(10)));
    let ephemeral = ephemeral(&clock);
    let readers: Vec<_> =
        (0..4).map(|one| ephemeral.reader(&user(one), None, Arc::default())).collect();
    ephemeral.type_in(&room(0), &user(0), "PHONE", seconds);
    let woken = |readers: &[crate::Reader]| -> Vec<usize> {
        (0..4).filter(|one| !readers[*one].take().is_empty()).collect()
    };
    assert_eq!(woken(&readers), [0, 1]);
    let _connection = ephemeral.connected(&user(2), "PHONE");
    assert_eq!(woken(&readers), [1, 2]);
    assert_eq!(woken(&readers), [] as [usize; 0]);
}

#[test]
fn a_slow_reader_learns_of_many_changes_as_one() {
    let (clock, seconds) = (Clock::new(), Some(Duration::from_secs(10)));
    let ephemeral = ephemeral(&clock);
    let reader = ephemeral.reader(&user(1), None, Arc::default());
    for _ in 0..100 {
        ephemeral.type_in(&room(0), &user(0), "PHONE", seconds);
        ephemeral.type_in(&room(0), &user(0), "PHONE", None);
    }
    let changes = reader.take();
    assert_eq!((changes.rooms.len(), changes.users.len()), (1, 0));
    assert_eq!(ephemeral.typing(&room(0)), [] as [OwnedUserId; 0]);
}

#[test]
fn a_reader_gets_only_what_it_wants_and_is_forgotten_when_it_ends() {
    let clock = Clock::new();
    let ephemeral = ephemeral(&clock);
    let wants = Filter {
        ephemeral: Some(vec![EphemeralKind::Presence]),
        presence_of: Some(vec![user(2)]),
        ..Filter::default()
    };
    let reader = ephemeral.reader(&user(1), None, Arc::new(wants));
    ephemeral.type_in(&room(0), &user(0), "PHONE", Some(Duration::from_secs(10)));
    let _first = ephemeral.connected(&user(0), "PHONE");
    assert!(reader.take().is_empty());
    let _second = ephemeral.connected(&user(2), "PHONE");
    assert_eq!(reader.take().users, [user(2)].into());
    drop(reader);
    assert_eq!(ephemeral.reader(&user(1), None, Arc::default()).take(), crate::Changes::default());
}

#[test]
fn the_status_message_is_the_last_word_of_a_device_that_is_connected() {
    let clock = Clock::new();
    let ephemeral = ephemeral(&clock);
    let status = |text: &str| Some(text.to_owned());
    let shown = || {
        let Shown { presence, status_message, .. } = ephemeral.presence(&user(0));
        (presence, status_message)
    };
    let _laptop = ephemeral.connected(&user(0), "LAPTOP");
    let phone = ephemeral.connected(&user(0), "PHONE");
    ephemeral.choose(&user(0), "LAPTOP", Presence::Unavailable, status("busy"));
    clock.turn(TOLD_EVERY);
    ephemeral.choose(&user(0), "PHONE", Presence::Online, status("on the train"));
    assert_eq!(shown(), (Presence::Online, status("on the train")));
    drop(phone);
    clock.turn(LINGER);
    ephemeral.polled(&user(0), "LAPTOP");
    assert_eq!(shown(), (Presence::Unavailable, status("busy")));
    assert!(ephemeral.presence(&user(0)).last_active_millis.is_some());
}

#[tokio::test(start_paused = true)]
async fn what_is_over_ends_while_it_runs_and_the_bell_rings() {
    let start = (Instant::now(), tokio::time::Instant::now());
    let clock = move || Now { at: start.0 + start.1.elapsed(), wall_millis: 0 };
    let ephemeral = Ephemeral::new(Rooms, clock);
    let reader = ephemeral.reader(&user(1), None, Arc::default());
    let running = ephemeral.clone();
    let task = tokio::spawn(async move { running.run().await });
    ephemeral.type_in(&room(0), &user(0), "PHONE", Some(Duration::from_secs(10)));
    reader.changed().await;
    assert_eq!(reader.take().rooms, [room(0)].into());
    assert_eq!(ephemeral.typing(&room(0)), [user(0)]);
    reader.changed().await;
    assert_eq!(ephemeral.typing(&room(0)), [] as [OwnedUserId; 0]);
    task.abort();
}

#[test]
fn a_device_whose_session_ends_types_nowhere_and_its_user_goes_on_elsewhere() {
    let clock = Clock::new();
    let mut state = State::default();
    let (ada, bob) = (user(1), user(2));
    let minute = Some(Duration::from_mins(1));
    for number in 0..3 {
        state.type_in(&room(number), &ada, "lost", minute, clock.now());
    }
    state.type_in(&room(0), &ada, "kept", minute, clock.now());
    state.type_in(&room(1), &bob, "lost", minute, clock.now());
    state.polled(&ada, "lost", clock.now());
    let mut changed = state.logged_out(&ada, "lost", clock.now());
    changed.retain(|subject| matches!(subject, Subject::Room(_)));
    let typists = |number| state.typing.users(&room(number)).cloned().collect::<Vec<_>>();
    assert_eq!([typists(0), typists(1), typists(2)], [vec![ada.clone()], vec![bob], vec![]]);
    assert_eq!(changed, [Subject::Room(room(1)), Subject::Room(room(2))], "others are told");
    assert!(state.logged_out(&ada, "lost", clock.now()).is_empty(), "once is enough");
    clock.turn(TOLD_EVERY);
    state.sweep(clock.now());
    assert!(!state.presences.is_there(&ada), "a device that polled is gone at once");
}
