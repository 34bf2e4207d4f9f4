//! Builds the rooms of a service from the models, while the projector goes on.
//!
//! **Invariant:** the models are released after a bounded number of rooms. The IDs of all users,
//! aliases or rooms are compared with the namespaces in one go.

use std::{collections::HashMap, sync::Arc};

use rookery_domain::{AliasEvent, Fact, OwnedRoomId, OwnedUserId, RoomId, UserId};
use rookery_log::{
    Epoch, Millis, PAGE_MAX, Position, ReadError, Record, Scope, StreamId, StreamKind,
};
use rookery_namespaces::Service;
use rookery_projection::{Models, StreamKey, Summary, decode};

use super::{
    history::{Followed, Step, What},
    index::{ByAlias, ServiceRooms},
    observe::{Kinds, begin_in, member_steps, next_sequence},
};
use crate::Reader;

/// Users whose rooms are read during one lock of the models.
const USERS_AT_ONCE: usize = 64;

/// The commit after which a service follows rooms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FollowPlace {
    /// The epoch of its log.
    pub epoch: Epoch,
    /// Its position.
    pub position: Position,
}

/// The changes of each room.
type Steps = HashMap<StreamKey, Vec<Step>>;

impl Reader {
    /// From now on the service follows the rooms that concern it: [`Self::prepare_following`] and
    /// [`Self::show_following`].
    ///
    /// # Errors
    /// [`ReadError`] if the log cannot be read. The service follows no room then.
    pub async fn follow(
        &self,
        service: Arc<Service>,
        since: Option<FollowPlace>,
        added: Millis,
    ) -> Result<FollowPlace, ReadError> {
        let bot = service.bot.clone();
        let place = self.prepare_following(service, since, added).await?;
        self.show_following(&bot);
        Ok(place)
    }

    /// From now on the bot of a prepared service reads the rooms that the service follows.
    pub fn show_following(&self, bot: &UserId) {
        self.followings.show(bot);
    }

    /// Finds the rooms that concern the service, and keeps them up to date. It follows them with their
    /// events after `since`; with those from now on for `None`. Returns that place. Nobody sees
    /// anything of it before [`Self::show_following`].
    ///
    /// # Errors
    /// [`ReadError`] if the log cannot be read. The service follows no room then.
    pub async fn prepare_following(
        &self,
        service: Arc<Service>,
        since: Option<FollowPlace>,
        added: Millis,
    ) -> Result<FollowPlace, ReadError> {
        let reader = self.clone();
        // The task goes on if its caller goes away.
        let task = tokio::spawn(async move {
            let since = match since {
                Some(place) => Some(reader.in_this_log(place).await?),
                None => None,
            };
            let bot = service.bot.clone();
            let built = reader.build(service, since, added).await;
            if built.is_err() {
                reader.followings.remove(&bot);
            }
            built
        });
        let position = task.await.map_err(|_| interrupted())??;
        Ok(FollowPlace { epoch: self.epoch(), position })
    }

    /// The service of this bot follows no room any more.
    pub fn unfollow(&self, bot: &UserId) {
        self.followings.remove(bot);
    }

    /// The bots whose services follow rooms.
    #[must_use]
    pub fn following_bots(&self) -> Vec<OwnedUserId> {
        self.followings.read().bots().cloned().collect()
    }

    /// Builds the rooms again whenever rows of the models changed without commits. Works while it is
    /// polled. Run it once.
    pub async fn keep_following(&self) {
        loop {
            self.followings.stale.notified().await;
            for bot in self.following_bots() {
                let of =
                    |rooms: &ServiceRooms| (Arc::clone(&rooms.service), rooms.since, rooms.added);
                let Some((service, since, added)) = self.followings.read().of(&bot).map(of) else {
                    continue;
                };
                if let Err(error) = self.build(service, Some(since), added).await {
                    tracing::error!(%bot, "the rooms that a service follows may be wrong: {error}");
                }
            }
        }
    }

    /// A place of this log, or of an earlier copy of it: a log that was restored has its own end.
    async fn in_this_log(&self, place: FollowPlace) -> Result<Position, ReadError> {
        let (log, own) = (self.models.log(), self.epoch());
        if place.epoch == own {
            return Ok(place.position);
        }
        let (mut low, mut high) = (Position::ORIGIN, *log.tail().borrow());
        while low < high {
            let middle = Position(low.0 + (high.0 - low.0).div_ceil(2));
            let before = Position(middle.0.saturating_sub(1));
            match log.read(&Scope::All, before, 1).await?.first() {
                Some(record) if record.epoch != own => low = middle,
                Some(_) => high = before,
                None => break,
            }
        }
        Ok(low.min(place.position))
    }

    #[expect(
        clippy::await_holding_invalid_type,
        reason = "builds run in tasks of their own, one at a time"
    )]
    async fn build(
        &self,
        service: Arc<Service>,
        since: Option<Position>,
        added: Millis,
    ) -> Result<Position, ReadError> {
        let _building = self.followings.building.lock().await;
        let (until, since) = {
            let models = self.models.read();
            let until = models.position();
            let since = since.unwrap_or(until);
            // From here on the projector notes the changes.
            self.followings.add(ServiceRooms::new(Arc::clone(&service), since, added));
            (until, since)
        };
        let mut steps = Steps::new();
        self.add_members(&service, until, &mut steps).await;
        let mut by_alias = ByAlias::new();
        self.add_aliases(&service, until, (&mut steps, &mut by_alias)).await?;
        self.add_rooms(&service, until, &mut steps);
        for (room, steps) in &mut steps {
            self.add_begin(&service, (*room, until), steps).await?;
        }
        let mut rooms = HashMap::new();
        let mut begins = HashMap::new();
        for (room, steps) in &steps {
            let begin = self.first_after(*room, since).await?;
            begins.insert(*room, begin);
            rooms.insert(*room, Followed::of(since, begin, steps.clone()));
        }
        let _models = self.models.read();
        let mut services = self.followings.services.write();
        let Some(taking) = services.0.get_mut(&service.bot) else { return Ok(since) };
        for (room, later) in taking.pending.take().into_iter().flatten() {
            for step in &later {
                by_alias.entry(step.position).or_default().push(room);
            }
            let all = steps.entry(room).or_default();
            all.extend(later);
            let begin = begins.get(&room).copied().unwrap_or_default();
            rooms.insert(room, Followed::of(since, begin, all.clone()));
        }
        rooms.retain(|_, followed| !followed.is_nothing());
        taking.take_over(rooms, by_alias);
        Ok(since)
    }

    /// The changes by users in a namespace, and by the bot.
    async fn add_members(&self, service: &Service, until: Position, steps: &mut Steps) {
        let claims = service.namespaces.claims_users();
        let mut users: Vec<OwnedUserId> = Vec::new();
        if claims {
            let models = self.models.read();
            let all = models.rooms_of_users().users();
            let claimed = all.filter(|user| service.namespaces.claims_user(user));
            users.extend(claimed.map(ToOwned::to_owned));
        }
        if !users.contains(&service.bot) {
            users.push(service.bot.clone());
        }
        for users in users.chunks(USERS_AT_ONCE) {
            {
                let models = self.models.read();
                for user in users {
                    let kinds = Kinds::of(service, user);
                    for (room, _) in models.rooms_of_users().all(user) {
                        let Some(members) = models.members(room) else { continue };
                        let Some(member) = members.get(user) else { continue };
                        let new = member_steps(&member.history, kinds, |at| at <= until);
                        if !new.is_empty() {
                            steps.entry(room).or_default().extend(new);
                        }
                    }
                }
            }
            tokio::task::yield_now().await;
        }
    }

    /// The changes by aliases in a namespace. Their past is in the log.
    async fn add_aliases(
        &self,
        service: &Service,
        until: Position,
        (steps, by_alias): (&mut Steps, &mut ByAlias),
    ) -> Result<(), ReadError> {
        if !service.namespaces.claims_aliases() {
            return Ok(());
        }
        let aliases: Vec<_> = {
            let models = self.models.read();
            let claimed = models.aliases().filter(|it| service.namespaces.claims_alias(it));
            claimed.map(ToOwned::to_owned).collect()
        };
        for alias in aliases {
            let stream = StreamId::new(StreamKind::Alias, alias.as_str());
            let (mut at, mut room) = (Position::ORIGIN, None);
            loop {
                let log = &**self.models.log();
                let records = log.read(&Scope::Stream(stream.clone()), at, PAGE_MAX).await?;
                let Some(last) = records.last() else { break };
                at = last.position;
                for commit in decode(log, &records).await? {
                    if commit.position > until {
                        break;
                    }
                    let before = room.clone();
                    for fact in commit.facts.iter().flatten() {
                        match fact {
                            Fact::Alias(AliasEvent::Claimed { room_id, .. }) => {
                                room = Some(room_id.clone());
                            }
                            Fact::Alias(AliasEvent::Released { .. }) => room = None,
                            _ => {}
                        }
                    }
                    if before != room {
                        let moved = [(before.as_ref(), -1), (room.as_ref(), 1)];
                        self.alias_moved(moved, commit.position, (steps, by_alias)).await?;
                    }
                }
            }
        }
        Ok(())
    }

    async fn alias_moved(
        &self,
        moved: [(Option<&OwnedRoomId>, i64); 2],
        position: Position,
        (steps, by_alias): (&mut Steps, &mut ByAlias),
    ) -> Result<(), ReadError> {
        for (room, change) in moved {
            let room = room.and_then(|room| self.models.read().room(room));
            let Some(room) = room else { continue };
            let sequence = self.first_after(room, position).await?;
            // An alias may come before its room, which begins with its first commit.
            let position = position.max(Position(room.0));
            let what = What::Reasons(change);
            steps.entry(room).or_default().push(Step { position, sequence, own: false, what });
            by_alias.entry(position).or_default().push(room);
        }
        Ok(())
    }

    /// The rooms in a namespace.
    fn add_rooms(&self, service: &Service, until: Position, steps: &mut Steps) {
        if !service.namespaces.claims_rooms() {
            return;
        }
        let models = self.models.read();
        for room in models.rooms().filter(|room| Position(room.0) <= until) {
            let claimed = |id: &RoomId| service.namespaces.claims_room(id);
            if models.room_id(room).is_some_and(claimed) {
                let (position, what) = (Position(room.0), What::Reasons(1));
                let step = Step { position, sequence: 1, own: false, what };
                steps.entry(room).or_default().push(step);
            }
        }
    }

    /// The join of this server, if a room is known from before it.
    async fn add_begin(
        &self,
        service: &Service,
        (room, until): (StreamKey, Position),
        steps: &mut Vec<Step>,
    ) -> Result<(), ReadError> {
        let first = Position(room.0);
        let stream = {
            let models = self.models.read();
            if is_made_here(&models, service, room) {
                return Ok(());
            }
            models.stream(room).cloned()
        };
        let Some(stream) = stream else { return Ok(()) };
        let (log, mut at, mut limit) = (&**self.models.log(), Position::ORIGIN, 1);
        loop {
            let records = log.read(&Scope::Stream(stream.clone()), at, limit).await?;
            let Some(last) = records.last() else { return Ok(()) };
            at = last.position;
            for commit in decode(log, &records).await? {
                if commit.position > until {
                    return Ok(());
                }
                let begins = begin_in(&commit);
                if commit.position == first {
                    if begins.is_some_and(|begins| begins.sequence == 1) {
                        return Ok(());
                    }
                    let (position, what) = (first, What::Awaits);
                    steps.insert(0, Step { position, sequence: 1, own: false, what });
                }
                if let Some(begins) = begins {
                    steps.push(begins);
                    return Ok(());
                }
            }
            limit = PAGE_MAX;
        }
    }

    /// The number of the first event of a room after the commit at `position`.
    async fn first_after(&self, room: StreamKey, position: Position) -> Result<u64, ReadError> {
        let (stream, next) = {
            let models = self.models.read();
            let next = next_sequence(&models, room);
            if models.members_applied(room).is_some_and(|applied| applied <= position) {
                return Ok(next);
            }
            (models.stream(room).cloned(), next)
        };
        let Some(stream) = stream else { return Ok(next) };
        let records = self.models.log().read(&Scope::Stream(stream), position, 1).await?;
        let first =
            |record: &Arc<Record>| record.revision.0 + 1 - record.commit.events.len() as u64;
        Ok(records.first().map_or(next, first))
    }
}

/// Whether a user of this server made the room here, so that all its events have places.
fn is_made_here(models: &Models, service: &Service, room: StreamKey) -> bool {
    let creator = models.summary(room).and_then(Summary::creator);
    let creator = creator.filter(|creator| creator.server_name() == service.bot.server_name());
    let member = creator.and_then(|creator| models.members(room)?.get(creator));
    let first = member.and_then(|member| member.history.first());
    first.is_some_and(|change| change.position == Position(room.0))
}

fn interrupted() -> ReadError {
    let reason = "the task that finds the rooms of a service was interrupted; try again";
    rookery_log::Unavailable { reason: reason.into() }.into()
}
