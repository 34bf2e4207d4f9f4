//! Changes of profiles whose rooms are to be told.
//!
//! **Invariant:** nobody waits for it: a change is answered once it is durable.
//! **Invariant:** a room in which the user acts after the change is told first, so that what the user says after it comes
//! after it.
//! **Invariant:** a user with many rooms keeps the rooms of others waiting no longer than a share of the disk: several
//! changes are told at a time.
//! **Invariant:** what is dropped here, at a stop or because there is too much of it, is left for the process `profiles`.

use std::{
    collections::{HashMap, VecDeque},
    sync::atomic::{AtomicBool, Ordering},
};

use futures_util::{StreamExt, stream::FuturesUnordered};
use parking_lot::Mutex;
use rookery_domain::{OwnedUserId, RoomCommand, RoomId, UserId};
use rookery_log::{Millis, Position};
use tokio::sync::Notify;

use crate::{
    Actor, Commands, HandleError,
    users::profile::{telling, unless_gone},
};

/// Changes that wait at most.
const WAITING_MAX: usize = 4_096;

/// Changes that are told at a time.
const AT_ONCE: usize = 8;

/// The changes that wait, the oldest first.
#[derive(Default)]
pub(crate) struct Renames {
    state: Mutex<State>,
    more: Notify,
    /// Whether any room is to be told: mostly none is, and actions need not ask for the lock.
    is_any: AtomicBool,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<(OwnedUserId, Position)>,
    /// The last change of each user whose rooms have not all been told.
    last: HashMap<OwnedUserId, Position>,
}

impl Renames {
    /// The profile of `user` was changed by the commit at `position`.
    pub(crate) fn put(&self, user: &UserId, position: Position) {
        let mut state = self.state.lock();
        if state.waiting.len() < WAITING_MAX {
            state.waiting.push_back((user.to_owned(), position));
            state.last.insert(user.to_owned(), position);
            self.is_any.store(true, Ordering::Release);
            self.more.notify_one();
        }
    }

    /// The change of this user that rooms may not know yet.
    fn untold(&self, user: &UserId) -> Option<Position> {
        if !self.is_any.load(Ordering::Acquire) {
            return None;
        }
        self.state.lock().last.get(user).copied()
    }

    /// All rooms have been told of this change, or the process tells them.
    fn end(&self, user: &UserId, position: Position) {
        let mut state = self.state.lock();
        if state.last.get(user) == Some(&position) {
            state.last.remove(user);
            self.is_any.store(!state.last.is_empty(), Ordering::Release);
        }
    }

    async fn take(&self) -> (OwnedUserId, Position) {
        loop {
            let more = self.more.notified();
            let first = self.state.lock().waiting.pop_front();
            if let Some(first) = first {
                return first;
            }
            more.await;
        }
    }
}

impl Commands {
    /// Tells rooms of changed profiles, for as long as it is polled.
    pub(crate) async fn spread_renames(&self, clock: impl Fn() -> Millis + Sync) {
        let mut under_way = FuturesUnordered::new();
        loop {
            tokio::select! {
                (user, position) = self.renames.take(), if under_way.len() < AT_ONCE => {
                    under_way.push(self.spread(user, position, clock()));
                }
                Some(()) = under_way.next() => {}
            }
        }
    }

    /// Tells a room in which the actor is about to act of a changed profile, if it may not know that yet.
    pub(crate) async fn tell_first(&self, actor: &Actor, room: &RoomId) -> Result<(), HandleError> {
        let Some(changed) = self.renames.untold(&actor.user) else { return Ok(()) };
        let profile = self.profile(&actor.user).await?;
        let retry = telling(changed, &profile, room);
        let actor = &Actor { device: None, deliver: None, ..actor.clone() };
        let command = RoomCommand::SetMemberProfile { profile };
        let Some(started) = unless_gone(self.start(actor, room, &command, retry).await)? else {
            return Ok(());
        };
        match self.finish(started).await {
            // Another write side was faster: the room is told behind it.
            Err(HandleError::Contended { .. }) => Ok(()),
            outcome => unless_gone(outcome).map(drop),
        }
    }

    /// Tells the rooms of one change. After a failure the process does it.
    async fn spread(&self, user: OwnedUserId, changed: Position, now: Millis) {
        let actor = Actor { user, device: None, now, deliver: None };
        if let Some(_in_hand) = self.profiles.begin(changed) {
            self.spread_in_hand(&actor, changed).await;
        }
        self.renames.end(&actor.user, changed);
    }

    async fn spread_in_hand(&self, actor: &Actor, changed: Position) {
        match self.tell_rooms(actor, changed).await {
            Ok(told) => {
                if let Some(reason) = told.left {
                    self.profiles.skip(changed, &reason);
                }
                self.profiles.done(changed);
            }
            Err(error) => {
                tracing::warn!(user = %actor.user, "rooms are told of a profile later: {error}");
            }
        }
    }
}
