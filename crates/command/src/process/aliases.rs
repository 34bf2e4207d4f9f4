//! Keeps aliases and rooms consistent: an alias points to a room that lists it, or to none.
//!
//! An alias is claimed before the room lists it, and released after the room removes it. This
//! process releases aliases that a crash or an unknown outcome has left in between. It also
//! releases the aliases of a room that is empty and that nobody can enter again.

use std::collections::{BTreeMap, BTreeSet};

use parking_lot::Mutex;
use rookery_domain::{AliasEvent, Fact, OwnedRoomAliasId, OwnedRoomId, RoomId};
use rookery_log::{Millis, PAGE_MAX, Position, Record, Scope, StreamKind};

use super::{Process, Undone, mention, state_events};
use crate::{
    Actor, Commands,
    stream::{aggregate::Aggregate, state::read_facts},
};

/// The age from which on a claim counts as abandoned. Another gateway may still work on a younger
/// one.
const CLAIM_AGE_MIN_MS: u64 = 60_000;

/// The type of the events that list the aliases of a room.
const NAMES: &str = "m.room.canonical_alias";

/// How many rooms are remembered as inhabited.
const INHABITED_MAX: usize = 10_000;

/// Releases aliases.
pub(crate) struct AliasProcess<'a> {
    commands: &'a Commands,
    now: Millis,
    /// Rooms that users can be in, with the end of the log at that check.
    inhabited: Mutex<BTreeMap<OwnedRoomId, Position>>,
}

impl<'a> AliasProcess<'a> {
    /// `now` is the time of the events that it makes.
    pub(crate) fn new(commands: &'a Commands, now: Millis) -> Self {
        Self { commands, now, inhabited: Mutex::default() }
    }
}

impl Process for AliasProcess<'_> {
    const NAME: &'static str = "aliases";

    fn concerns(record: &Record) -> bool {
        match record.commit.stream.split() {
            Some((StreamKind::Alias, _)) => true,
            Some((StreamKind::Room, _)) => state_events(record).is_some_and(|events| {
                let told = ["\"membership\":\"leave\"", "\"membership\":\"ban\"", NAMES];
                told.into_iter().any(|text| mention(events, text))
            }),
            _ => false,
        }
    }

    async fn handle(&self, record: &Record) -> Result<bool, Undone> {
        match record.commit.stream.split() {
            Some((StreamKind::Alias, alias)) => {
                let Ok(alias) = OwnedRoomAliasId::try_from(alias) else { return Ok(false) };
                let facts = read_facts::<rookery_domain::Alias>(record)?;
                match facts.into_iter().next_back() {
                    Some(Fact::Alias(AliasEvent::Claimed { room_id, .. })) => {
                        self.check_claim(record, &alias, &room_id).await
                    }
                    Some(Fact::Alias(AliasEvent::Released { .. })) => {
                        self.check_release(record, &alias).await
                    }
                    _ => Ok(false),
                }
            }
            Some((StreamKind::Room, room)) => {
                let Ok(room) = RoomId::parse(room) else { return Ok(false) };
                self.check_room(record, &room).await
            }
            _ => Ok(false),
        }
    }
}

impl AliasProcess<'_> {
    /// Releases an alias that was claimed for a room that does not list it.
    async fn check_claim(
        &self,
        record: &Record,
        alias: &OwnedRoomAliasId,
        room: &OwnedRoomId,
    ) -> Result<bool, Undone> {
        let here = self.commands.resolve_alias(alias).await?.as_ref() == Some(room);
        if !here || self.commands.goes_by(room, alias).await? {
            return Ok(false);
        }
        // A clock that was set back does not keep a claim young for ever.
        let age = self.now.0.abs_diff(record.commit.received.0);
        if self.commands.claims.is_in_hand(alias) || age < CLAIM_AGE_MIN_MS {
            return Err(Undone::Later(format!(
                "{alias} is claimed for {room}, which may still list it"
            )));
        }
        self.release(alias, room).await
    }

    /// Claims an alias again for its room, if two simultaneous commands let the room list a free
    /// alias.
    async fn check_release(
        &self,
        record: &Record,
        alias: &OwnedRoomAliasId,
    ) -> Result<bool, Undone> {
        if self.commands.resolve_alias(alias).await?.is_some() {
            return Ok(false);
        }
        let scope = Scope::Stream(record.commit.stream.clone());
        let mut state: Option<rookery_domain::Alias> = None;
        let mut after = Position::ORIGIN;
        while after.next() < record.position {
            let page = self.commands.core.log.read(&scope, after, PAGE_MAX).await;
            let page = page.map_err(|error| Undone::from(crate::HandleError::from(error)))?;
            let Some(last) = page.last() else { break };
            after = last.position;
            for record in page.iter().filter(|before| before.position < record.position) {
                for fact in read_facts::<rookery_domain::Alias>(record)? {
                    state = Aggregate::apply(state.take(), &fact);
                }
            }
        }
        let held = state.as_ref().and_then(crate::rooms::aliases::claim);
        let Some((room, user)) = held else { return Ok(false) };
        if !self.commands.goes_by(&room, alias).await? {
            return Ok(false);
        }
        let actor = Actor::for_server(user, self.now);
        self.commands.claim_alias(&actor, alias, &room).await?;
        Ok(true)
    }

    /// Releases the aliases that a room no longer lists, or all if it is deserted.
    async fn check_room(&self, record: &Record, room: &OwnedRoomId) -> Result<bool, Undone> {
        let renamed = mention(&record.commit.events, NAMES);
        let seen = self.inhabited.lock().get(room).copied();
        if !renamed && seen.is_some_and(|seen| record.position <= seen) {
            return Ok(false);
        }
        let tail = *self.commands.core.log.tail().borrow();
        let mut gone: BTreeSet<_> =
            self.commands.aliases_of_deserted(room).await?.into_iter().collect();
        if gone.is_empty() {
            let mut inhabited = self.inhabited.lock();
            if inhabited.len() >= INHABITED_MAX {
                inhabited.clear();
            }
            inhabited.insert(room.clone(), tail);
        }
        if renamed {
            gone.extend(self.former(record, room).await?);
        }
        let mut released = false;
        for alias in gone {
            if self.commands.resolve_alias(&alias).await?.as_ref() != Some(room) {
                continue;
            }
            if self.commands.claims.is_in_hand(&alias) {
                return Err(Undone::Later(format!("a command is giving {alias} to {room}")));
            }
            released |= self.release(&alias, room).await?;
        }
        Ok(released)
    }

    /// The aliases that the room listed at any time up to this commit and does not list now.
    async fn former(
        &self,
        upto: &Record,
        room: &OwnedRoomId,
    ) -> Result<Vec<OwnedRoomAliasId>, Undone> {
        let scope = Scope::Stream(upto.commit.stream.clone());
        let (mut named, mut after) = (BTreeSet::new(), Position::ORIGIN);
        while after < upto.position {
            let page = self.commands.core.log.read(&scope, after, PAGE_MAX).await;
            let page = page.map_err(|error| Undone::from(crate::HandleError::from(error)))?;
            let Some(last) = page.last() else { break };
            after = last.position;
            for record in page.iter().filter(|record| mention(&record.commit.events, NAMES)) {
                let facts = read_facts::<rookery_domain::Room>(record)?;
                let state = facts.iter().fold(None, rookery_domain::Room::apply);
                named.extend(state.iter().flat_map(crate::rooms::aliases::shown));
            }
        }
        let mut former = Vec::new();
        for alias in named {
            if !self.commands.goes_by(room, &alias).await? {
                former.push(alias);
            }
        }
        Ok(former)
    }

    async fn release(&self, alias: &OwnedRoomAliasId, room: &RoomId) -> Result<bool, Undone> {
        let facts = self.commands.holder(alias).await?;
        let Some(user) = facts else { return Ok(false) };
        let actor = Actor::for_server(user, self.now);
        self.commands.release_alias(&actor, alias, room).await?;
        tracing::info!(%alias, %room, "an alias is free again");
        Ok(true)
    }
}
