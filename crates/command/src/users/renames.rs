//! Changes of profiles that some rooms do not have yet.
//!
//! **Invariant:** no caller waits for it: a change is answered once it is durable.
//! **Invariant:** before a user acts in a room after the change, that room gets the new profile, so
//! later events of the user come after it.
//! **Invariant:** a user with many rooms delays the rooms of others by no more than a share of the
//! disk: the server spreads several changes at a time.
//! **Invariant:** the process `profiles` does the work that is dropped here, at a stop or because
//! there is too much.

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

/// How many changes wait at most.
const WAITING_MAX: usize = 4_096;

/// How many changes the server spreads at a time.
const AT_ONCE: usize = 8;

/// The waiting changes, oldest first.
#[derive(Default)]
pub(crate) struct Renames {
    state: Mutex<State>,
    more: Notify,
    /// Whether any room has to be told. Mostly none has, and then actions need not take the lock.
    is_any: AtomicBool,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<(OwnedUserId, Position)>,
    /// The last change of each user with untold rooms.
    last: HashMap<OwnedUserId, Position>,
}

impl Renames {
    /// The commit at `position` changed the profile of `user`.
    pub(crate) fn put(&self, user: &UserId, position: Position) {
        let mut state = self.state.lock();
        if state.waiting.len() < WAITING_MAX {
            state.waiting.push_back((user.to_owned(), position));
            state.last.insert(user.to_owned(), position);
            self.is_any.store(true, Ordering::Release);
            self.more.notify_one();
        }
    }

    /// The change of this user that rooms may not have yet.
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
    /// Tells rooms of changed profiles, while it is polled.
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

    /// Tells a room of a changed profile before the actor acts in it, if the room may not have it
    /// yet.
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
            // Another write side was faster: the background task updates the room later.
            Err(HandleError::Contended { .. }) => Ok(()),
            outcome => unless_gone(outcome).map(drop),
        }
    }

    /// Tells the rooms of one change. After a failure the process does it.
    async fn spread(&self, user: OwnedUserId, changed: Position, now: Millis) {
        let actor = Actor::for_server(user, now);
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
