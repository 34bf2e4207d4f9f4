//! Numbered actions of one device, in any order of arrival.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::{FutureExt, future::join_all};
use proptest::{collection::vec, prelude::*};
use rookery_domain::{
    CreateRoom, EventId, Filter, Fingerprint, OwnedRoomId, RoomCommand, RoomId, RoomVersionId,
    UserId,
};
use rookery_log::{ErasableLog, Unavailable};
use tokio::sync::Barrier;

use super::{actions, actor, bodies, join, memory, open, public_room, text};
use crate::{
    Actor, Command, CommandOptions, Commands, HandleError, LoggedIn, ProfileChange, ReadMark, Retry,
};

/// A write side in which an action waits this long.
fn waiting(log: &Arc<dyn ErasableLog>, wait: Duration) -> Commands {
    open(log, None, CommandOptions { action_wait: wait, ..CommandOptions::default() })
}

fn patient(log: &Arc<dyn ErasableLog>) -> Arc<Commands> {
    Arc::new(waiting(log, Duration::from_mins(1)))
}

fn hasty(log: &Arc<dyn ErasableLog>) -> Commands {
    waiting(log, Duration::ZERO)
}

async fn numbers(log: &Arc<dyn ErasableLog>, who: &str) -> Vec<u64> {
    let user = actor(who).user;
    let all = actions(log).await.into_iter();
    all.filter(|(by, ..)| *by == user).map(|(.., number)| number).collect()
}

/// The outcome of an action, as its sender sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Told {
    Done { position: u64, events: Vec<String> },
    Refused(String),
    TooLate,
    Reused,
}

fn told(result: Result<(u64, Vec<String>), HandleError>) -> Told {
    match result {
        Ok((position, events)) => Told::Done { position, events },
        Err(HandleError::ActionTooLate { .. }) => Told::TooLate,
        Err(HandleError::ActionIdReused) => Told::Reused,
        Err(error) => Told::Refused(error.to_string()),
    }
}

/// Carries out an action whose kind follows from its number.
async fn act(commands: &Commands, who: &Actor, rooms: &[OwnedRoomId], number: u64) -> Told {
    let retry = Retry::Action(number);
    let room = &rooms[usize::try_from(number).unwrap() % rooms.len()];
    let name = |name: &str| RoomCommand::SetName { name: name.into() };
    let command = match number % 8 {
        0 => {
            let displayname = Some(Some(format!("name {number}")));
            let change = ProfileChange { displayname, avatar_url: None };
            let done = commands.set_profile(who, &change, retry).await;
            return told(done.map(|done| (done.position.0, Vec::new())));
        }
        6 => {
            let filter = Filter { types: Some(vec![number.to_string()]), ..Filter::default() };
            let command = Command::CreateFilter { filter: &filter };
            let done = commands.execute(who, command, retry).await;
            return told(done.map(|done| (done.position.0, vec![done.changed.to_string()])));
        }
        7 => {
            let done = commands.mark_read(who, &create_event(room), retry).await;
            return told(done.map(|done| (done.position.0, vec![done.changed.to_string()])));
        }
        1 => join(),
        2 => name("refused"),
        _ => text(&number.to_string()),
    };
    let done = commands.room(who, room, &command, retry).await;
    told(done.map(|done| {
        let events = done.events.iter().map(|event| event.event_id.to_string());
        (done.position.0, events.collect())
    }))
}

/// The room is named after the event that created it.
fn create_event(room: &RoomId) -> ReadMark {
    let event_id = EventId::parse(room.as_str().replace('!', "$")).unwrap();
    ReadMark { room_id: room.to_owned(), event_id, private: false }
}

async fn rooms(commands: &Commands) -> Vec<OwnedRoomId> {
    let rooms = vec![public_room(commands, "alice").await, public_room(commands, "alice").await];
    for room in &rooms {
        commands.room(&actor("bob"), room, &join(), Retry::Unnamed).await.unwrap();
    }
    rooms
}

#[tokio::test(start_paused = true)]
async fn actions_sent_together_in_any_order_are_logged_in_theirs() {
    let log = memory();
    let commands = patient(&log);
    let rooms = rooms(&commands).await;
    let bob = actor("bob");
    let order = [3, 1, 2, 9, 8, 7, 6, 5, 4, 10];
    let sent = order.map(|number| act(&commands, &bob, &rooms, number));
    let told = join_all(sent).await;
    assert!(!told.contains(&Told::TooLate), "{told:?}");
    assert_eq!(numbers(&log, "bob").await, (1..=10).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn a_missing_number_is_waited_for_once_and_not_for_ever() {
    let log = memory();
    let commands = patient(&log);
    let rooms = rooms(&commands).await;
    let bob = actor("bob");
    let started = tokio::time::Instant::now();
    let sent = [7, 4, 3, 9, 8].map(|number| act(&commands, &bob, &rooms, number));
    join_all(sent).await;
    assert_eq!(numbers(&log, "bob").await, [3, 4, 7, 8, 9]);
    assert_eq!(started.elapsed().as_secs(), 60, "all of them waited for the same minute");
    assert_eq!(act(&commands, &bob, &rooms, 5).await, Told::TooLate);
    assert_eq!(act(&commands, &bob, &rooms, 10).await, act(&commands, &bob, &rooms, 10).await);
    assert_eq!(started.elapsed().as_secs(), 60, "the next one does not wait");
}

#[tokio::test(start_paused = true)]
async fn whoever_goes_away_before_its_turn_keeps_nobody_waiting() {
    let log = memory();
    let commands = patient(&log);
    let rooms = rooms(&commands).await;
    let bob = actor("bob");
    let mut gone = Box::pin(act(&commands, &bob, &rooms, 2));
    assert!((&mut gone).now_or_never().is_none());
    drop(gone);
    let started = tokio::time::Instant::now();
    let sent = [3, 1, 2].map(|number| act(&commands, &bob, &rooms, number));
    join_all(sent).await;
    assert_eq!(numbers(&log, "bob").await, [1, 2, 3]);
    assert_eq!(started.elapsed().as_secs(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_mark_that_is_refused_takes_its_number_and_is_refused_again() {
    let log = memory();
    let commands = patient(&log);
    let rooms = rooms(&commands).await;
    let (bob, carol) = (actor("bob"), actor("carol"));
    let started = tokio::time::Instant::now();
    let (here, there) = (create_event(&rooms[0]), create_event(&rooms[1]));
    let nowhere = ReadMark { room_id: rooms[0].clone(), ..there.clone() };
    let mark = async |who: &Actor, mark: &ReadMark, number| {
        let marked = commands.mark_read(who, mark, Retry::Action(number)).await;
        marked.map(|marked| marked.changed).map_err(|error| error.to_string())
    };
    let no_event = mark(&bob, &nowhere, 1).await.unwrap_err();
    assert!(no_event.contains(nowhere.event_id.as_str()), "{no_event}");
    assert_eq!(mark(&bob, &here, 2).await, Ok(true));
    assert_eq!(mark(&bob, &nowhere, 1).await, Err(no_event));
    let no_member = mark(&carol, &here, 1).await.unwrap_err();
    assert!(no_member.contains("not a member"), "{no_member}");
    // A user who joins and moves the receipt at once has joined when the turn of the receipt comes.
    let join_now = join();
    let (marked, joined) = tokio::join!(
        mark(&carol, &here, 3),
        commands.room(&carol, &rooms[0], &join_now, Retry::Action(2)),
    );
    joined.unwrap();
    assert_eq!(marked, Ok(true));
    assert_eq!(mark(&carol, &here, 1).await, Err(no_member));
    assert_eq!(
        (numbers(&log, "bob").await, numbers(&log, "carol").await),
        (vec![1, 2], vec![1, 2, 3])
    );
    assert_eq!(started.elapsed().as_secs(), 0, "nothing was waited for");
}

/// A device that is logged in while this is set.
struct Switch(AtomicBool);

impl LoggedIn for Switch {
    fn is_logged_in(&self, _: &UserId, _: &str) -> Result<bool, Unavailable> {
        Ok(self.0.load(Ordering::SeqCst))
    }
}

#[tokio::test]
async fn an_action_that_waits_is_not_carried_out_once_its_device_is_logged_out() {
    let log = memory();
    let switch = Arc::new(Switch(true.into()));
    let commands = waiting(&log, Duration::from_mins(1)).with_logged_in(switch.clone());
    let rooms = rooms(&commands).await;
    let bob = actor("bob");
    let (first, third) = (text("first"), text("third"));
    let mut waits = Box::pin(commands.room(&bob, &rooms[0], &third, Retry::Action(3)));
    assert!((&mut waits).now_or_never().is_none(), "action 2 is missing");
    commands.room(&bob, &rooms[0], &first, Retry::Action(1)).await.unwrap();
    switch.0.store(false, Ordering::SeqCst);
    commands.room(&bob, &rooms[0], &first, Retry::Action(2)).await.unwrap();
    assert!(matches!(waits.await, Err(HandleError::LoggedOut)));
    assert_eq!(numbers(&log, "bob").await, [1, 2]);
    // Its number is free.
    switch.0.store(true, Ordering::SeqCst);
    commands.room(&bob, &rooms[0], &third, Retry::Action(3)).await.unwrap();
    assert_eq!(numbers(&log, "bob").await, [1, 2, 3]);
}

#[tokio::test]
async fn devices_and_users_count_for_themselves() {
    let log = memory();
    let commands = hasty(&log);
    let rooms = rooms(&commands).await;
    let laptop = Actor { device: Some("LAPTOP".into()), ..actor("bob") };
    for (who, number) in [(&actor("bob"), 5), (&laptop, 4), (&actor("alice"), 3)] {
        assert!(matches!(act(&commands, who, &rooms, number).await, Told::Done { .. }));
    }
    assert_eq!(act(&commands, &actor("bob"), &rooms, 4).await, Told::TooLate);
}

#[tokio::test]
async fn commands_without_numbers_leave_no_notes() {
    let log = memory();
    let commands = hasty(&log);
    let rooms = rooms(&commands).await;
    let before = *log.tail().borrow();
    let bob = actor("bob");
    let name = RoomCommand::SetName { name: "refused".into() };
    commands.room(&bob, &rooms[0], &name, Retry::Unnamed).await.unwrap_err();
    commands.room(&bob, &rooms[0], &join(), Retry::Unnamed).await.unwrap();
    assert_eq!(*log.tail().borrow(), before);
}

#[tokio::test]
async fn a_long_refusal_is_the_same_first_and_later() {
    let log = memory();
    let commands = hasty(&log);
    let rooms = rooms(&commands).await;
    let command = RoomCommand::SendEvent {
        event_type: format!("m.room.{}", "é".repeat(2_000)),
        content: serde_json::Map::new(),
    };
    let bob = actor("bob");
    let send = || commands.room(&bob, &rooms[0], &command, Retry::Action(1));
    let (first, again) = (send().await.unwrap_err(), send().await.unwrap_err());
    assert_eq!(first.to_string(), again.to_string());
    assert!(first.to_string().len() < 600, "{first}");
}

#[tokio::test]
async fn a_retry_of_a_redacted_message_gets_the_first_result() {
    let log = memory();
    let commands = hasty(&log);
    let rooms = rooms(&commands).await;
    let say = |body: &'static str| {
        let (commands, rooms) = (&commands, &rooms);
        async move {
            let bob = actor("bob");
            commands.room(&bob, &rooms[0], &text(body), Retry::Action(1)).await
        }
    };
    let first = say("secret").await.unwrap();
    let redact = RoomCommand::Redact { event_id: first.events[0].event_id.clone(), reason: None };
    commands.room(&actor("bob"), &rooms[0], &redact, Retry::Action(2)).await.unwrap();
    assert!(bodies(&log).await.is_empty());
    let again = say("secret").await.unwrap();
    assert_eq!(again.events[0].event_id, first.events[0].event_id);
    assert!(matches!(say("other").await, Err(HandleError::ActionIdReused)));
}

/// One run of the server: the actions sent while it runs, all at once, each by a task of its own,
/// and whether the caller waits for the answer.
type Run = Vec<(u64, bool)>;

fn runs() -> impl Strategy<Value = Vec<Run>> {
    vec(vec((1_u64..14, any::<bool>()), 1..24), 1..4)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Many tasks at once, retries, answers that get lost, numbers left out, restarts.
    #[test]
    fn each_action_is_logged_once_and_in_order_and_each_retry_gets_the_first_result(
        runs in runs(), patience in any::<bool>(),
    ) {
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        runtime.worker_threads(2).enable_all().build().unwrap().block_on(async {
            let log = memory();
            let rooms = rooms(&hasty(&log)).await;
            let mut first: BTreeMap<u64, Told> = BTreeMap::new();
            for run in &runs {
                let wait = Duration::from_millis(if patience { 2 } else { 0 });
                let commands = Arc::new(waiting(&log, wait));
                let barrier = Arc::new(Barrier::new(run.len() + 1));
                let tasks: Vec<_> = run
                    .iter()
                    .map(|&(number, hears)| {
                        let (commands, rooms) = (Arc::clone(&commands), rooms.clone());
                        let barrier = Arc::clone(&barrier);
                        let task = tokio::spawn(async move {
                            barrier.wait().await;
                            (number, act(&commands, &actor("bob"), &rooms, number).await)
                        });
                        (task, hears)
                    })
                    .collect();
                barrier.wait().await;
                for (task, hears) in tasks {
                    if hears {
                        let (number, told) = task.await.unwrap();
                        let before = first.entry(number).or_insert_with(|| told.clone());
                        assert_eq!(*before, told, "action {number}");
                    } else {
                        // The connection breaks, at any stage of the action. The server does not
                        // stop before its threads have released the action.
                        task.abort();
                        drop(task.await);
                    }
                }
            }
            let logged = numbers(&log, "bob").await;
            assert!(logged.is_sorted_by(|one, next| one < next), "{logged:?}");
            let commands = hasty(&log);
            for (number, told) in first {
                assert_eq!(logged.contains(&number), told != Told::TooLate, "{number}: {told:?}");
                assert_eq!(act(&commands, &actor("bob"), &rooms, number).await, told, "{number}");
            }
        });
    }
}

/// The log holds these fingerprints: never edit them.
#[test]
fn the_fingerprints_of_what_is_asked_never_change() {
    let of = |asked: Command| Fingerprint::of(b"action", &asked).to_string();
    let room = CreateRoom::default();
    let name = |name| ProfileChange { displayname: name, avatar_url: None };
    let version = RoomVersionId::V12;
    let (marked, event_id) = (RoomId::parse("!a:test").unwrap(), EventId::parse("$a").unwrap());
    let mark = ReadMark { room_id: marked.clone(), event_id, private: false };
    let found = [
        of(Command::InRoom { room: &marked, command: &text("hello") }),
        of(Command::CreateRoom { room: &room }),
        of(Command::UpgradeRoom { room: &marked, version: &version }),
        of(Command::SetProfile { change: &name(Some(Some("Al".into()))) }),
        of(Command::SetProfile { change: &name(Some(None)) }),
        of(Command::SetProfile { change: &name(None) }),
        of(Command::MarkRead(&mark)),
        of(Command::CreateFilter { filter: &Filter::default() }),
    ];
    let golden = [
        "WmwHxR-6p9ATRFY6rW2nbQ",
        "NaWaYIc3O9xvG9yZG05Tqw",
        "w7fG7532WJPNg_CQm-2guA",
        "ur6fYZ0dtgkQ5BnO0j_w5A",
        "Zz9dm21OTtCAdenBgf9nfQ",
        "sArB9SN7IHRmgxkvYrfSjw",
        "RypcwQc2ninCpPAOqeUfpw",
        "FutRtV3ePZ9IjE8kQhgSMg",
    ];
    assert_eq!(found, golden);
}
