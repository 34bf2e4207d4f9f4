//! Profiles, and how a change reaches the rooms of the user.
//!
//! A profile is changed in the user's own stream, and then the change is answered. After that each
//! room that the user has joined gets a member event ([`Renames`](crate::users::renames::Renames)).
//! Its command ID derives from the change, the profile and the room, so telling a room twice writes
//! nothing. The process `profiles` repeats the work after a crash or a failure.
//!
//! **Invariant:** the last profile that a room gets is the profile of the user. A task that has
//! told the rooms tells them again if the profile has changed meanwhile.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use rookery_domain::{Account, AccountCommand, Fact, Profile, RoomCommand, RoomId};
use rookery_log::{CommandId, Position};
use serde::Serialize;

use crate::{
    Actor, Commands, HandleError, Outcome, Retry,
    rooms::outcome,
    stream::{
        handle::{Decided, Request},
        state::StreamState,
    },
};

/// How many rooms get the profile at once.
const UNDER_WAY_MAX: usize = 256;

/// The change of a profile. The outer option says whether a field changes, the inner one is its new
/// value.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ProfileChange {
    /// The name to show; `None` to show the user ID.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub displayname: Option<Option<String>>,
    /// The `mxc:` address of the avatar.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub avatar_url: Option<Option<String>>,
}

impl ProfileChange {
    fn decide(&self, account: Option<&Account>) -> Result<Vec<Fact>, HandleError> {
        let fresh = Account::default();
        let account = account.unwrap_or(&fresh);
        let command = AccountCommand::SetProfile { profile: self.of(account.profile()) };
        let events = account.decide(&command)?;
        Ok(events.into_iter().map(Fact::Account).collect())
    }

    fn of(&self, profile: &Profile) -> Profile {
        Profile {
            displayname: self.displayname.clone().unwrap_or(profile.displayname.clone()),
            avatar_url: self.avatar_url.clone().unwrap_or(profile.avatar_url.clone()),
        }
    }
}

/// A decided change in flight.
pub struct StartedProfile {
    request: Request,
    stream_state: Arc<StreamState<Account>>,
    decided: Decided,
}

impl Commands {
    /// Changes the profile of the actor. The rooms get it later.
    pub(crate) async fn set_profile_now(
        &self,
        actor: &Actor,
        change: &ProfileChange,
        request: &Request,
    ) -> Result<Outcome, HandleError> {
        let stream_state = self.accounts.state_of(actor.user.as_str());
        let decide = |account: Option<&Account>| Ok(request.noted(change.decide(account)?));
        let handled = self.core.handle(&self.accounts, &stream_state, request, decide).await?;
        let outcome = outcome(request, None, handled);
        self.tell_rooms_later(actor, &outcome);
        Ok(outcome)
    }

    /// Queues a changed profile for [`Self::run_processes`], which spreads it to the rooms.
    pub(crate) fn tell_rooms_later(&self, actor: &Actor, changed: &Outcome) {
        if changed.changed {
            self.renames.put(&actor.user, changed.position);
        }
    }

    /// Decides a change and starts its append, without waiting for the disk and without telling the
    /// rooms. For imports, which tell the rooms in their own order.
    ///
    /// # Errors
    /// [`HandleError`], which says whether to retry.
    pub fn start_profile<'a>(
        &'a self,
        actor: &'a Actor,
        change: &'a ProfileChange,
        retry: Retry,
    ) -> BoxFuture<'a, Result<StartedProfile, HandleError>> {
        Box::pin(async move {
            let stream_state = self.accounts.state_of(actor.user.as_str());
            let decide = |account: Option<&Account>| change.decide(account);
            let request = actor.request(retry);
            let decided =
                self.core.decide(&self.accounts, &stream_state, &request, &decide).await?;
            Ok(StartedProfile { request, stream_state, decided })
        })
    }

    /// Waits until a started change is durable. Returns its position.
    ///
    /// # Errors
    /// [`HandleError::Contended`] if another writer came first: nothing was written.
    pub fn finish_profile(
        &self,
        started: StartedProfile,
    ) -> BoxFuture<'_, Result<Position, HandleError>> {
        Box::pin(async move {
            let StartedProfile { request, stream_state, decided } = started;
            match self.core.settle(&stream_state, &request, decided).await? {
                Some(handled) => Ok(handled.position),
                None => Err(HandleError::Contended { attempts: 1 }),
            }
        })
    }

    /// Tells each joined room of the change that was committed at `changed`, with one commit for
    /// each room.
    pub(crate) async fn tell_rooms(
        &self,
        actor: &Actor,
        changed: Position,
    ) -> Result<Told, HandleError> {
        let mut told = Told { left: None };
        let mut profile = self.profile(&actor.user).await?;
        loop {
            self.tell_rooms_of(actor, changed, &profile, &mut told).await?;
            // The same rooms may have been told of another change meanwhile, before this one.
            let now = self.profile(&actor.user).await?;
            if now == profile {
                return Ok(told);
            }
            profile = now;
        }
    }

    async fn tell_rooms_of(
        &self,
        actor: &Actor,
        changed: Position,
        profile: &Profile,
        told: &mut Told,
    ) -> Result<(), HandleError> {
        let tail = *self.core.log.tail().borrow();
        let rooms = self.memberships.joined_rooms(&actor.user, tail.max(changed)).await?;
        let command = RoomCommand::SetMemberProfile { profile: profile.clone() };
        let retry = |room: &RoomId| telling(changed, profile, room);
        for rooms in rooms.chunks(UNDER_WAY_MAX) {
            let mut started = Vec::with_capacity(rooms.len());
            let mut contended = Vec::new();
            for room in rooms {
                let start = self.start(actor, room, &command, retry(room)).await;
                started.extend(told.unless_left(room, start)?.map(|start| (start, room)));
            }
            for (start, room) in started {
                match self.finish(start).await {
                    Err(HandleError::Contended { .. }) => contended.push(room),
                    outcome => self.told(told.unless_left(room, outcome)?),
                }
            }
            // Another gateway wrote to these rooms at the same time: one by one, with retries.
            for room in contended {
                let outcome = self.in_room_unnumbered(actor, room, &command, retry(room)).await;
                self.told(told.unless_left(room, outcome)?);
            }
        }
        Ok(())
    }

    fn told(&self, outcome: Option<Outcome>) {
        let Some(outcome) = outcome else { return };
        if !outcome.events.is_empty() {
            // The member event carries the new profile, so it has no further work.
            self.profiles.done(outcome.position);
        }
    }
}

/// The result of telling rooms of a profile.
pub(crate) struct Told {
    /// The reason why a room did not get a profile.
    pub(crate) left: Option<String>,
}

impl Told {
    /// Skips a room that cannot be read; the others get the profile nevertheless.
    fn unless_left<T>(
        &mut self,
        room: &RoomId,
        result: Result<T, HandleError>,
    ) -> Result<Option<T>, HandleError> {
        match unless_gone(result) {
            Err(error @ HandleError::Unreadable { .. }) => {
                self.left = Some(format!("{room} cannot be told of a profile: {error}"));
                Ok(None)
            }
            result => result,
        }
    }
}

/// Telling a room of a change twice has the effect of telling it once.
pub(crate) fn telling(changed: Position, profile: &Profile, room: &RoomId) -> Retry {
    let said =
        |text: &Option<String>| text.as_ref().map_or_else(String::new, |it| format!("={it}"));
    let (name, avatar) = (said(&profile.displayname), said(&profile.avatar_url));
    let parts: [&[u8]; 5] =
        [b"profile", &changed.0.to_le_bytes(), room.as_bytes(), name.as_bytes(), avatar.as_bytes()];
    Retry::Named(CommandId::derive(&parts))
}

/// Ignores a refusal for a user who has left meanwhile, or to whom the room is closed.
pub(crate) fn unless_gone<T>(result: Result<T, HandleError>) -> Result<Option<T>, HandleError> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(HandleError::Rejected(_) | HandleError::NoSuchRoom) => Ok(None),
        Err(error) => Err(error),
    }
}
