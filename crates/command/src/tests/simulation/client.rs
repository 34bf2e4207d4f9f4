//! A user with one device, who acts and keeps a journal.

use std::{pin::pin, rc::Rc, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::future::{Either, join_all, select};
use rookery_domain::{JoinRule, OwnedEventId, OwnedRoomId, OwnedUserId, RoomCommand};
use rookery_log::{EventLog, MemoryLog, Position};
use tokio::time::{sleep, timeout};

use super::{
    super::{actor, join, text},
    template::USERS,
    world::Side,
};
use crate::{Commands, HandleError, ProfileChange, Retry, testing::Rng};

/// How many actions a client carries out.
const ACTIONS: u64 = 6;

/// How often an action is tried before the client goes on without an answer.
const ATTEMPTS_MAX: u32 = 40;

/// The command of an action.
#[derive(Clone, Debug)]
pub(super) enum Wanted {
    Room(OwnedRoomId, RoomCommand),
    Name(String),
}

/// The final answer to an action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// These events, with their position.
    Made(Position, Vec<(OwnedEventId, Bytes)>),
    /// It changed nothing.
    Held,
    /// The code of a refusal.
    Refused(String),
    /// It came too late.
    TooLate,
    /// No answer that says the outcome.
    Nothing,
}

/// One action.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) action: u64,
    pub(super) wanted: Wanted,
    pub(super) told: Told,
    /// The end of the log at the first request, and at the answer.
    pub(super) window: (Position, Position),
}

/// The actions of a user.
#[derive(Debug)]
pub(super) struct Journal {
    pub(super) user: OwnedUserId,
    pub(super) entries: Vec<Entry>,
    /// Faults that were noticed at once.
    pub(super) wrong: Vec<String>,
}

pub(super) struct Client {
    name: &'static str,
    rng: Rng,
    store: Arc<MemoryLog>,
    sides: Rc<Vec<Side>>,
    rooms: [OwnedRoomId; 2],
}

impl Client {
    pub(super) fn new(
        name: &'static str,
        seed: u64,
        store: &Arc<MemoryLog>,
        sides: &Rc<Vec<Side>>,
        rooms: &[OwnedRoomId; 2],
    ) -> Self {
        let (store, sides) = (Arc::clone(store), Rc::clone(sides));
        Self { name, rng: Rng::new(seed), store, sides, rooms: rooms.clone() }
    }

    /// Acts, sometimes several actions at once, until all have an answer or are given up.
    pub(super) async fn act(mut self) -> Journal {
        let user = actor(self.name).user;
        let mut journal = Journal { user, entries: Vec::new(), wrong: Vec::new() };
        let mut action = 1;
        while action <= ACTIONS {
            let together = (1 + self.rng.below(3) as u64).min(ACTIONS + 1 - action);
            let batch: Vec<_> = (action..action + together)
                .map(|action| (action, self.wanted(action), Rng::new(self.rng.number())))
                .collect();
            let client = &self;
            let wanders = together == 1;
            let entries = batch
                .into_iter()
                .map(|(action, wanted, rng)| client.perform(action, wanted, rng, wanders));
            for (entry, wrong) in join_all(entries).await {
                journal.entries.push(entry);
                journal.wrong.extend(wrong);
            }
            action += together;
            sleep(Duration::from_millis(self.rng.below(4) as u64)).await;
        }
        journal
    }

    fn wanted(&mut self, action: u64) -> Wanted {
        let room = self.rng.pick(&self.rooms).clone();
        let user = actor(USERS[self.rng.below(USERS.len())]).user;
        let command = match self.rng.below(19) {
            0..=3 => text(&format!("{} {action}", self.name)),
            4..=6 => RoomCommand::SetTopic { topic: (*self.rng.pick(&["one", "two"])).to_owned() },
            7 | 8 => join(),
            9 => RoomCommand::Leave { reason: None, successor: None },
            10 => RoomCommand::Kick { user, reason: None },
            11 => RoomCommand::Ban { user, reason: None },
            12 => RoomCommand::Unban { user, reason: None },
            13 => {
                let rule = if self.rng.one_in(2) { JoinRule::Public } else { JoinRule::Invite };
                RoomCommand::SetJoinRule { rule }
            }
            14..=16 => {
                let mut any = || match self.rng.below(3) {
                    0 => None,
                    1 => Some("#one:test".try_into().unwrap()),
                    _ => Some("#two:test".try_into().unwrap()),
                };
                RoomCommand::SetAliases {
                    canonical: any(),
                    alternative: any().into_iter().collect(),
                }
            }
            _ => return Wanted::Name((*self.rng.pick(&["Ann", "Ben", "Cat"])).to_owned()),
        };
        Wanted::Room(room, command)
    }

    fn tail(&self) -> Position {
        *self.store.tail().borrow()
    }

    /// Tries one action until its outcome is known, and sometimes once more.
    async fn perform(
        &self,
        action: u64,
        wanted: Wanted,
        mut rng: Rng,
        wanders: bool,
    ) -> (Entry, Vec<String>) {
        let (begin, mut wrong) = (self.tail(), Vec::new());
        let mut side = action_side(self.name, self.sides.len());
        let (mut told, mut end) = (Told::Nothing, begin);
        for _ in 0..ATTEMPTS_MAX {
            // One write side knows which of two actions came first; two do not.
            if wanders && rng.one_in(8) {
                side = rng.below(self.sides.len());
            }
            let patience = Duration::from_millis(1 + rng.below(60) as u64);
            let answer = self.ask(side, action, &wanted, patience).await;
            match answer {
                Some(Told::Nothing) | None => {
                    sleep(Duration::from_millis(rng.below(8) as u64)).await;
                }
                Some(answer) if told == Told::Nothing => {
                    (told, end) = (answer, self.tail());
                    if let Told::Made(position, _) = &told
                        && *position > end
                    {
                        wrong.push(format!("{} {action}: answered ahead of the log", self.name));
                    }
                    if rng.below(4) > 0 {
                        break;
                    }
                }
                Some(again) if again == told => break,
                Some(again) => {
                    let name = self.name;
                    wrong.push(format!("{name} {action}: told {told:?}, and again {again:?}"));
                    break;
                }
            }
        }
        (Entry { action, wanted, told, window: (begin, end) }, wrong)
    }

    /// One try; `None` if the client gives up or the server stops.
    async fn ask(
        &self,
        side: usize,
        action: u64,
        wanted: &Wanted,
        patience: Duration,
    ) -> Option<Told> {
        let side = &self.sides[side];
        let mut opened = side.opened.subscribe();
        let commands = side.commands();
        let asked = pin!(timeout(patience, ask(&commands, self.name, action, wanted)));
        match select(asked, pin!(opened.changed())).await {
            Either::Left((answer, _)) => answer.ok(),
            Either::Right(_) => None,
        }
    }
}

/// The write side that a user's device usually uses.
fn action_side(name: &str, sides: usize) -> usize {
    USERS.iter().position(|user| *user == name).unwrap_or_default() % sides
}

async fn ask(commands: &Commands, name: &str, action: u64, wanted: &Wanted) -> Told {
    let (actor, retry) = (actor(name), Retry::Action(action));
    let made = match wanted {
        Wanted::Room(room, command) => {
            let outcome = commands.room(&actor, room, command, retry).await;
            outcome.map(|outcome| {
                let events = outcome.events.iter();
                let events = events.map(|pdu| (pdu.event_id.clone(), pdu.json.clone()));
                (outcome.position, events.collect::<Vec<_>>())
            })
        }
        Wanted::Name(name) => {
            let change = ProfileChange { displayname: Some(Some(name.clone())), avatar_url: None };
            let outcome = commands.set_profile(&actor, &change, retry).await;
            // The position for an unchanged room is not compared.
            outcome.map(|outcome| {
                let empty = (OwnedEventId::try_from("$profile").unwrap(), Bytes::new());
                (Position::ORIGIN, if outcome.changed { vec![empty] } else { Vec::new() })
            })
        }
    };
    match made {
        Ok((_, events)) if events.is_empty() => Told::Held,
        Ok((position, events)) => Told::Made(position, events),
        Err(HandleError::ActionTooLate { .. }) => Told::TooLate,
        Err(HandleError::ActionIdReused) => Told::Refused("ACTION_ID_REUSED".to_owned()),
        Err(error) => match error.kept_code() {
            Some(code) => Told::Refused(code.to_owned()),
            None => Told::Nothing,
        },
    }
}
