//! Reading one room at one checkpoint.

use std::{io, ops::ControlFlow};

use rookery_domain::{EventId, Membership, OwnedUserId, RoomAliasId, RoomId, UserId};
use rookery_log::Position;
use rookery_projection::{
    Member, MembershipChange, Models, Reactions, ReadMark, ReadMarks, Related, RoomMembers, RowKey,
    Slots, StreamKey, Summary, Thread, TimelineReader, TimelineRow,
};

use super::Seen;
use crate::{
    Viewer,
    following::{Followed, Services},
};

/// Slots that are read before the models are released.
const SLOTS_LOOKED_MAX: usize = 512;

/// Rows in which the end of a timeline at a position is searched.
const END_LOOKED_MAX: usize = 256;

/// A part of the slots of a room's state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SlotsPage {
    /// Type and state key of the slots, in their order. Some may have been empty at the requested
    /// position: see [`Reader::held_at`](crate::Reader::held_at).
    pub slots: Vec<(String, String)>,
    /// How many slots were checked.
    pub looked: usize,
    /// The last checked slot, if there may be more.
    pub resume: Option<(String, String)>,
}

/// The requested slots of the state of a room.
#[derive(Clone, Copy, Debug)]
pub struct WantedSlots<'a> {
    /// Of this type only.
    pub kind: Option<&'a str>,
    /// With this state key only.
    pub state_key: Option<&'a str>,
    /// After this slot, by type and state key.
    pub after: Option<(&'a str, &'a str)>,
    /// As of the commit at this position.
    pub at: Position,
    /// The greatest number of slots.
    pub limit: usize,
}

/// The progress of a walk back over the changes of a slot; `None` before its first step.
pub(crate) type SlotWalk = Option<Walked>;

/// See [`SlotWalk`].
#[derive(Debug)]
pub(crate) struct Walked {
    holder: Option<RowKey>,
    /// How many of the changes by state resolution are left.
    left: usize,
    /// How many changes were visited.
    pub(crate) steps: usize,
}

/// One room, at the position of its [`View`](crate::View).
#[derive(Clone, Copy)]
pub struct RoomView<'a> {
    models: &'a Models,
    followings: &'a Services,
    key: StreamKey,
    room: &'a RoomId,
    summary: &'a Summary,
}

impl<'a> RoomView<'a> {
    pub(crate) fn new(
        models: &'a Models,
        followings: &'a Services,
        key: StreamKey,
    ) -> Option<Self> {
        let (room, summary) = (models.room_id(key)?, models.summary(key)?);
        Some(Self { models, followings, key, room, summary })
    }

    /// The models, and the key of the room.
    pub(crate) fn models(&self) -> (&'a Models, StreamKey) {
        (self.models, self.key)
    }

    /// The room ID.
    #[must_use]
    pub fn id(&self) -> &'a RoomId {
        self.room
    }

    /// The settings of the room.
    #[must_use]
    pub fn summary(&self) -> &'a Summary {
        self.summary
    }

    /// The aliases that point to the room, whether or not the room lists them.
    pub fn aliases(&self) -> impl Iterator<Item = &'a RoomAliasId> {
        self.models.aliases_of(self.room)
    }

    /// How many users are joined.
    #[must_use]
    pub fn joined_count(&self) -> u64 {
        self.models.members(self.key).map_or(0, RoomMembers::joined)
    }

    /// How many users are invited.
    #[must_use]
    pub fn invited_count(&self) -> u64 {
        self.models.members(self.key).map_or(0, RoomMembers::invited)
    }

    /// The last commit in the room.
    #[must_use]
    pub fn activity(&self) -> Position {
        self.models.members(self.key).map(RoomMembers::activity).unwrap_or_default()
    }

    /// A present or former member of the room.
    #[must_use]
    pub fn member(&self, user: &UserId) -> Option<&'a Member> {
        self.models.members(self.key)?.get(user)
    }

    /// All present and former members, by user ID.
    pub fn members(&self) -> impl Iterator<Item = (&'a OwnedUserId, &'a Member)> {
        self.models.members(self.key).into_iter().flat_map(RoomMembers::iter)
    }

    /// All present and former members after `user`, for pages.
    pub fn members_after(
        &self,
        user: &UserId,
    ) -> impl Iterator<Item = (&'a OwnedUserId, &'a Member)> {
        self.models.members(self.key).into_iter().flat_map(move |room| room.after(user))
    }

    /// The read receipts of `user` in the room. Only the user may see the private one.
    #[must_use]
    pub fn read_marks(&self, user: &UserId) -> Option<&'a ReadMarks> {
        self.models.read_marks(self.models.user(user)?, self.room)
    }

    /// The public receipts of the joined members, newest first.
    pub fn public_marks(&self) -> impl Iterator<Item = (&'a UserId, &'a ReadMark)> {
        let marks = self.public_marks_before(Position(u64::MAX));
        marks.filter(|(_, _, joined)| *joined).map(|(user, mark, _)| (user, mark))
    }

    /// The public receipts before a position, newest first, each with whether its user is joined.
    pub fn public_marks_before(
        &self,
        before: Position,
    ) -> impl Iterator<Item = (&'a UserId, &'a ReadMark, bool)> {
        let (models, room) = (self.models, *self);
        models.readers().before(self.room, before).filter_map(move |key| {
            let user = models.user_id(key)?;
            let mark = models.read_marks(key, room.room)?.public.as_ref()?;
            let member = room.member(user);
            Some((user, mark, member.is_some_and(|it| it.membership == Membership::Join)))
        })
    }

    /// The membership of a service's bot, which is joined while its service follows the room; `None`
    /// for all other users, and if the bot has no membership.
    pub(crate) fn followed(&self, user: &UserId) -> Option<&'a Followed> {
        self.followings.of(user)?.room(self.key)
    }

    /// The membership of `user`. It decides what they may read: a service's bot counts as joined
    /// while its service follows the room. See [`Self::is_joined`] for members alone.
    #[must_use]
    pub fn membership(&self, user: &UserId) -> Membership {
        match self.followed(user) {
            Some(followed) => followed.now(),
            None => self.member(user).map(|member| member.membership).unwrap_or_default(),
        }
    }

    /// Whether `user` reads the room as a joined member does.
    #[must_use]
    pub fn reads(&self, user: &UserId) -> bool {
        self.membership(user) == Membership::Join
    }

    /// The membership of `user` after the commit at `position`, as in [`Self::membership`].
    #[must_use]
    pub fn membership_at(&self, user: &UserId, position: Position) -> Membership {
        match self.followed(user) {
            Some(followed) => followed.at(position),
            None => self.member(user).map(|it| it.membership_at(position)).unwrap_or_default(),
        }
    }

    /// The changes of [`Self::membership`], in order of arrival.
    pub(crate) fn history(&self, user: &UserId) -> &'a [MembershipChange] {
        match self.followed(user) {
            Some(followed) => followed.history(),
            None => self.member(user).map(|member| &*member.history).unwrap_or_default(),
        }
    }

    /// The last edit of an event by its sender, among the visible ones.
    #[must_use]
    pub fn latest_edit(&self, event: &EventId, sender: &UserId, seen: &Seen<'_>) -> Option<RowKey> {
        self.related(event)?.latest_edit(sender, |it| seen.sees(it))
    }

    /// How many edits of an event there are, by any user.
    #[must_use]
    pub fn edits_len(&self, event: &EventId) -> usize {
        self.related(event).map_or(0, Related::edits_len)
    }

    /// All edits of an event by its sender.
    #[must_use]
    pub fn edits(&self, event: &EventId, sender: &UserId) -> Vec<RowKey> {
        self.related(event).map(|related| related.edits(sender)).unwrap_or_default()
    }

    /// How many edits of an event its sender has made.
    #[must_use]
    pub fn edit_count(&self, event: &EventId, sender: &UserId) -> usize {
        self.related(event).map_or(0, |related| related.edit_count(sender))
    }

    /// The last visible event of the thread that an event began.
    #[must_use]
    pub fn thread_end(&self, event: &EventId, seen: &Seen<'_>) -> Option<RowKey> {
        self.related(event)?.thread_end(|it| seen.sees(it))
    }

    /// The visible reactions to an event, by key.
    #[must_use]
    pub fn reactions(&self, event: &EventId, seen: &Seen<'_>) -> Vec<Reactions> {
        self.related(event).map(|related| related.reactions(|it| seen.sees(it))).unwrap_or_default()
    }

    /// How many events edit an event, react to it, or continue it.
    #[must_use]
    pub fn related_count(&self, event: &EventId) -> usize {
        self.related(event).map_or(0, Related::len)
    }

    /// The visible events of the thread that an event began; `None` if none is visible.
    #[must_use]
    pub fn thread(&self, event: &EventId, viewer: &Viewer, seen: &Seen<'_>) -> Option<Thread> {
        let viewer = match viewer {
            Viewer::User(user) => Some(&**user),
            Viewer::Server => None,
        };
        self.related(event)?.thread(viewer, |it| seen.sees(it))
    }

    /// The keys of all reactions to an event, each once.
    #[must_use]
    pub fn reaction_keys(&self, event: &EventId) -> Vec<&'a str> {
        self.related(event).map(Related::reaction_keys).unwrap_or_default()
    }

    /// The keys of a user's reactions to an event.
    pub fn reactions_of(&self, event: &EventId, user: &UserId) -> impl Iterator<Item = &'a str> {
        let related = self.related(event).into_iter();
        related.flat_map(move |related| related.reactions_of(user))
    }

    fn related(&self, event: &EventId) -> Option<&'a Related> {
        self.models.related(self.key, event)
    }

    /// The redaction of the event at `index` of the commit at `position`, if it was redacted.
    #[must_use]
    pub fn redaction(&self, position: Position, index: u16) -> Option<RowKey> {
        self.models.redaction(self.key, position, index)
    }

    /// The event that holds a slot of the room's state.
    #[must_use]
    pub fn state(&self, kind: &str, state_key: &str) -> Option<RowKey> {
        self.models.slots(self.key)?.get(kind, state_key)
    }

    /// The events that hold the room's state: type, state key, event.
    pub fn state_all(&self) -> impl Iterator<Item = (&'a str, &'a str, RowKey)> {
        self.models.slots(self.key).into_iter().flat_map(Slots::iter)
    }

    /// The event that held a slot after the commit at `position`, in one walk.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn state_at(
        &self,
        kind: &str,
        state_key: &str,
        position: Position,
    ) -> io::Result<Option<RowKey>> {
        let mut walk = SlotWalk::default();
        loop {
            let walked = self.walk_slot((kind, state_key), position, &mut walk, usize::MAX)?;
            if let ControlFlow::Break(held) = walked {
                return Ok(held);
            }
        }
    }

    /// Walks back over the changes of a slot, by new holders and by state resolution, for at most
    /// `steps`, and counts them. Breaks with the event that held the slot after the commit at
    /// `position`.
    pub(crate) fn walk_slot(
        &self,
        (kind, state_key): (&str, &str),
        position: Position,
        walk: &mut SlotWalk,
        steps: usize,
    ) -> io::Result<ControlFlow<Option<RowKey>>> {
        let Some(slots) = self.models.slots(self.key) else {
            return Ok(ControlFlow::Break(None));
        };
        let resolved = slots.resolved(kind, state_key);
        let now = || slots.get(kind, state_key);
        let Walked { holder, left, steps: walked } =
            walk.get_or_insert_with(|| Walked { holder: now(), left: resolved.len(), steps: 0 });
        for _ in 0..steps {
            *walked += 1;
            // Only the end of it grows.
            let resolved = resolved.get(..*left).unwrap_or(resolved);
            let last = resolved.last();
            let taken = |key: &RowKey| last.is_none_or(|last| (key.position, key.index) > last.at);
            if let Some(key) = holder.filter(taken) {
                if key.position <= position {
                    return Ok(ControlFlow::Break(*holder));
                }
                *holder = self.row(key)?.and_then(|row| row.replaced);
            } else if let Some(last) = last {
                if last.at.0 <= position {
                    return Ok(ControlFlow::Break(*holder));
                }
                *holder = last.before;
                *left = resolved.len() - 1;
            } else {
                return Ok(ControlFlow::Break(None));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// The events that held the room's state after the commit at `position`: type, state key,
    /// event.
    ///
    /// # Errors
    /// If the file of a timeline cannot be read.
    #[cfg(any(test, feature = "testing"))]
    pub fn state_all_at(
        &self,
        position: Position,
    ) -> impl Iterator<Item = io::Result<(&'a str, &'a str, RowKey)>> {
        let room = *self;
        let slots = self.models.slots(self.key).into_iter().flat_map(|slots| {
            let held = slots.iter().map(|(kind, state_key, _)| (kind, state_key));
            held.chain(slots.emptied())
        });
        slots.filter_map(move |(kind, state_key)| {
            let held = room.state_at(kind, state_key, position).transpose()?;
            Some(held.map(|key| (kind, state_key, key)))
        })
    }

    /// A page of the slots of the state, by type and state key, that are held now or were held at a
    /// position. The cost grows only with the page.
    #[must_use]
    pub fn slots(&self, wanted: WantedSlots<'_>) -> SlotsPage {
        let WantedSlots { kind, state_key, after, at, limit } = wanted;
        let mut page = SlotsPage::default();
        let Some(slots) = self.models.slots(self.key) else { return page };
        if let (Some(kind), Some(state_key)) = (kind, state_key) {
            let slot = (kind, state_key);
            if limit > 0 && after.is_none_or(|after| after < slot) {
                page.slots.push((kind.to_owned(), state_key.to_owned()));
                page.looked = 1;
            }
            return page;
        }
        // Slots that are empty now may have been held then. There are few.
        let is_now = at >= self.activity();
        let emptied = slots.emptied().filter(|slot| !is_now && after.is_none_or(|it| it < *slot));
        let emptied = emptied.filter(|(other, _)| kind.is_none_or(|kind| kind == *other));
        let mut emptied = emptied.peekable();
        let mut held = slots.after(kind, after).peekable();
        loop {
            let next = match (held.peek(), emptied.peek()) {
                (Some(slot), Some(other)) if other < slot => emptied.next(),
                (Some(_), _) => held.next(),
                (None, _) => emptied.next(),
            };
            let Some((kind, key)) = next else { return page };
            page.looked += 1;
            if state_key.is_none_or(|wanted| wanted == key) {
                page.slots.push((kind.to_owned(), key.to_owned()));
            }
            if page.looked >= SLOTS_LOOKED_MAX || page.slots.len() >= limit {
                page.resume = Some((kind.to_owned(), key.to_owned()));
                return page;
            }
        }
    }

    /// How many events the timeline has.
    #[must_use]
    pub fn timeline_len(&self) -> u64 {
        self.models.timeline_len(self.key)
    }

    /// A place in the timeline behind all events that the commit at `position` or earlier ones
    /// brought; `next` is the number of the next event.
    ///
    /// # Errors
    /// If the file of the timelines cannot be read.
    pub fn end_at(&self, position: Position, next: u64) -> io::Result<RowKey> {
        let rows = self.rows_before(None, END_LOOKED_MAX)?;
        let last = rows.iter().find(|row| row.key.position <= position);
        // The depth of an event of this server is its number, unless other servers take part.
        let depth = last.map_or(next.saturating_sub(1), |row| row.key.depth);
        Ok(RowKey { depth, position, index: 0 })
    }

    /// The first row of the timeline, without events that are known without their places.
    pub(crate) fn first_row(&self) -> io::Result<Option<TimelineRow>> {
        let (mut rows, is_placed) =
            (self.rows_after(None, 1)?, |it: &&TimelineRow| !it.flags.is_outlier());
        while rows.iter().find(is_placed).is_none()
            && let Some(last) = rows.last()
        {
            rows = self.rows_after(Some(last.key), 256)?;
        }
        Ok(rows.iter().find(is_placed).copied())
    }

    fn reader(&self) -> Option<TimelineReader<'a>> {
        self.models.timeline(self.key)
    }

    /// Up to `limit` rows before `key` (from the end for `None`), last one first.
    ///
    /// # Errors
    /// If the file of the timelines cannot be read.
    pub fn rows_before(&self, key: Option<RowKey>, limit: usize) -> io::Result<Vec<TimelineRow>> {
        self.reader().map_or(Ok(Vec::new()), |reader| reader.before(key, limit))
    }

    /// Up to `limit` rows after `key` (from the beginning for `None`), first one first.
    ///
    /// # Errors
    /// If the file of the timelines cannot be read.
    pub fn rows_after(&self, key: Option<RowKey>, limit: usize) -> io::Result<Vec<TimelineRow>> {
        self.reader().map_or(Ok(Vec::new()), |reader| reader.after(key, limit))
    }

    /// The row at a place.
    ///
    /// # Errors
    /// If the file of the timelines cannot be read.
    pub fn row(&self, key: RowKey) -> io::Result<Option<TimelineRow>> {
        self.reader().map_or(Ok(None), |reader| reader.row(key))
    }

    /// The rows at these places; places without a row are left out.
    ///
    /// # Errors
    /// If the file of the timelines cannot be read.
    pub fn rows(&self, keys: &[RowKey]) -> io::Result<Vec<TimelineRow>> {
        self.reader().map_or(Ok(Vec::new()), |reader| reader.rows(keys))
    }
}
