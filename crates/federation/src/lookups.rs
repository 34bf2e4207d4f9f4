//! Directories and profiles of other servers, which users of this server look up.
//!
//! **Invariant:** each user has a rate, and all together have a bound of requests at a time. Profiles are remembered,
//! within a bound.

use std::{num::NonZeroUsize, sync::Arc, time::Duration};

use async_trait::async_trait;
use lru::LruCache;
use parking_lot::Mutex;
use rookery_domain::{
    HistoryVisibility, JoinRule, OwnedRoomAliasId, OwnedRoomId, OwnedUserId, Profile, RoomAliasId,
    ServerName, UserId,
};
use rookery_rates::{Buckets, Pace};
use rookery_view::{
    AliasElsewhere, CURSOR_ELSEWHERE_BYTES_MAX, NoAnswer, OtherServers, RoomSnapshot,
    RoomsElsewhere, WantedElsewhere,
};
use tokio::sync::Semaphore;

use crate::{
    Federation,
    client::{DirectoryRoom, Remote},
};

/// How often a user may ask other servers.
pub(crate) const LOOKUPS_PACE: Pace = Pace { burst: 30, interval: Duration::from_secs(2) };

/// Most users whose budgets are remembered.
const USERS_MAX: usize = 20_000;

/// Most lookups at a time.
const LOOKUPS_AT_ONCE_MAX: usize = 16;

/// Most profiles that are remembered, with those that do not exist.
const PROFILES_MAX: usize = 10_000;

/// How long a profile is remembered, in milliseconds: ten minutes.
const PROFILE_LASTS_MILLIS: u64 = 10 * 60 * 1_000;

/// Most servers that are named for an alias.
const ALIAS_SERVERS_MAX: usize = 50;

/// Longest text of another server that is shown, in bytes.
const TEXT_BYTES_MAX: usize = 4 * 1_024;

/// The bounds of lookups, and the profiles that were found.
pub(crate) struct Lookups {
    users: Buckets,
    at_once: Arc<Semaphore>,
    profiles: Mutex<LruCache<OwnedUserId, (u64, Option<Profile>)>>,
}

impl Lookups {
    pub(crate) fn new() -> Self {
        let max = NonZeroUsize::new(PROFILES_MAX).unwrap_or(NonZeroUsize::MIN);
        Self {
            users: Buckets::new(USERS_MAX),
            at_once: Arc::new(Semaphore::new(LOOKUPS_AT_ONCE_MAX)),
            profiles: Mutex::new(LruCache::new(max)),
        }
    }

    fn may_ask(&self, viewer: &UserId, now: u64) -> Result<(), NoAnswer> {
        let taken = self.users.take(Some(LOOKUPS_PACE), &viewer.as_str(), now);
        taken.map_err(|wait| {
            let seconds = wait.as_secs() + 1;
            NoAnswer(format!("you ask other servers too often: try again in {seconds} s"))
        })
    }

    /// A remembered profile; `Err` if the server has to be asked.
    fn known(&self, user: &UserId, now: u64) -> Result<Option<Profile>, ()> {
        let mut profiles = self.profiles.lock();
        let known = profiles.get(user);
        let known = known.filter(|(found, _)| now.saturating_sub(*found) < PROFILE_LASTS_MILLIS);
        known.map(|(_, profile)| profile.clone()).ok_or(())
    }

    /// Asks, in a task of its own: a client that does not read its answer keeps no place.
    #[expect(clippy::await_holding_invalid_type, reason = "it runs in a task of its own")]
    async fn ask<T: Send + 'static>(
        &self,
        question: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, NoAnswer> {
        let busy = "too many lookups on other servers go on: try again";
        let permit = Arc::clone(&self.at_once).try_acquire_owned();
        let permit = permit.map_err(|_| NoAnswer(busy.to_owned()))?;
        let asked = tokio::spawn(async move {
            let _permit = permit;
            question.await
        });
        asked.await.map_err(|error| NoAnswer(error.to_string()))
    }
}

#[async_trait]
impl OtherServers for Federation {
    async fn public_rooms(
        &self,
        viewer: &UserId,
        server: &ServerName,
        wanted: WantedElsewhere<'_>,
    ) -> Result<RoomsElsewhere, NoAnswer> {
        let home = self.home();
        home.lookups.may_ask(viewer, home.now())?;
        let remote = Remote::new(home.transport.clone());
        let (server, limit) = (server.to_owned(), wanted.limit);
        let text = |text: Option<&str>| text.map(ToOwned::to_owned);
        let (search, after) = (text(wanted.search), text(wanted.after));
        let question = async move {
            let wanted = (search.as_deref(), after.as_deref());
            remote.public_rooms(&server, wanted, limit).await
        };
        let found = home.lookups.ask(question).await?;
        let found = found.map_err(|error| NoAnswer(error.to_string()))?;
        let rooms = found.chunk.into_iter().take(limit).map(described).collect();
        let next = found.next_batch.filter(|next| next.len() <= CURSOR_ELSEWHERE_BYTES_MAX);
        Ok(RoomsElsewhere { rooms, next, total: found.total_room_count_estimate })
    }

    async fn profile(&self, viewer: &UserId, user: &UserId) -> Option<Profile> {
        let home = self.home();
        if let Ok(known) = home.lookups.known(user, home.now()) {
            return known;
        }
        home.lookups.may_ask(viewer, home.now()).ok()?;
        let (remote, asked) = (Remote::new(home.transport.clone()), user.to_owned());
        let question = async move { remote.profile(asked.server_name(), &asked).await };
        let profile = match home.lookups.ask(question).await.ok()? {
            Ok(answer) => {
                let text = |name: &str| shown(answer.get(name)?.as_str()?.to_owned());
                Some(Profile { displayname: text("displayname"), avatar_url: text("avatar_url") })
            }
            Err(error) if error.code.is_some() => None,
            // The server itself is away: that is not remembered here, but in its pause.
            Err(_) => return None,
        };
        home.lookups.profiles.lock().put(user.to_owned(), (home.now(), profile.clone()));
        profile
    }

    async fn alias(
        &self,
        viewer: &UserId,
        alias: &RoomAliasId,
    ) -> Result<Option<AliasElsewhere>, NoAnswer> {
        let home = self.home();
        home.lookups.may_ask(viewer, home.now())?;
        let (remote, alias) = (Remote::new(home.transport.clone()), alias.to_owned());
        let question = async move { remote.alias(alias.server_name(), &alias).await };
        match home.lookups.ask(question).await? {
            Ok(found) => {
                let servers = found.servers.into_iter().take(ALIAS_SERVERS_MAX).collect();
                Ok(Some(AliasElsewhere { room_id: found.room_id, servers }))
            }
            Err(error) if error.code.as_deref() == Some("M_NOT_FOUND") => Ok(None),
            Err(error) => Err(NoAnswer(error.to_string())),
        }
    }
}

fn shown(text: String) -> Option<String> {
    (!text.is_empty() && text.len() <= TEXT_BYTES_MAX).then_some(text)
}

fn described(room: DirectoryRoom) -> (OwnedRoomId, RoomSnapshot) {
    let alias = room.canonical_alias.and_then(|alias| OwnedRoomAliasId::try_from(alias).ok());
    let join_rule = match room.join_rule.as_deref() {
        None | Some("public") => Some(JoinRule::Public),
        Some("knock") => Some(JoinRule::Knock),
        _ => None,
    };
    let snapshot = RoomSnapshot {
        name: room.name.and_then(shown),
        topic: room.topic.and_then(shown),
        avatar_url: room.avatar_url.and_then(shown),
        aliases: alias.iter().cloned().collect(),
        canonical_alias: alias,
        join_rule,
        history_visibility: room.world_readable.then_some(HistoryVisibility::WorldReadable),
        is_listed: true,
        room_type: room.room_type.and_then(shown),
        member_count: Some(room.num_joined_members),
        ..RoomSnapshot::default()
    };
    (room.room_id, snapshot)
}
