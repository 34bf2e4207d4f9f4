//! Relations of an event: edits, reactions, a thread. Each counts only the events that the viewer
//! may see.

use std::sync::Arc;

use async_graphql::{ComplexObject, Context, Object, Result, SimpleObject};
use rookery_domain::{OwnedEventId, OwnedRoomId, Pdu, Relation};
use rookery_log::Position;
use rookery_projection::{Reactions, RowKey};
use rookery_view::{RoomView, Seen};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::event::{RoomEvent, one_event};
use crate::schema::{
    context::{PAGE_MAX, app, page_size, session, unless_absent},
    reads::{Reacted, reads},
    types::{
        rooms::{
            room::Room,
            timeline::{self, TimelineArguments, TimelineConnection},
        },
        users::{pages::UserConnection, user::User},
        values::{
            connection::{Page, connection},
            scalars::CursorScalar,
            text::OwnedJsonText,
        },
    },
};

/// The reactions to an event with one key.
#[derive(Clone)]
pub(crate) struct Reaction {
    /// All reactions to the event, and the index of this one.
    all: Arc<[Reacted]>,
    index: usize,
    room: OwnedRoomId,
}

impl Reaction {
    fn found(&self) -> &Reactions {
        &self.all[self.index].0
    }
}

connection!(ReactionConnection, ReactionEdge, Reaction, "A page of the reactions to an event.");

/// Reactions on a page, by default.
pub(crate) const PAGE_DEFAULT: usize = 20;

/// The reactions to an event with one key.
#[Object]
impl Reaction {
    /// The key, usually an emoji.
    async fn key(&self) -> &str {
        &self.found().key
    }

    /// How many users.
    async fn count(&self) -> i32 {
        i32::try_from(self.found().users.len()).unwrap_or(i32::MAX)
    }

    /// Whether you are one of them.
    async fn is_mine(&self) -> bool {
        self.all[self.index].1
    }

    /// The users, in the order in which they reacted.
    async fn users(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many, from 1 to 100.")] first: Option<i32>,
        #[graphql(desc = "The cursor after which to continue.")] after: Option<String>,
    ) -> Result<UserConnection> {
        let limit = page_size("first", first, PAGE_MAX)?;
        let users = &self.found().users;
        if after.is_some() {
            reads(context).look_at_rows(users.len())?;
        }
        let page = Page::of(users.iter(), limit, after.as_deref(), ToString::to_string)?;
        Ok(UserConnection(page.map(|user| User::in_room(user.clone(), self.room.clone()))))
    }
}

/// The thread that an event began.
#[derive(SimpleObject)]
#[graphql(complex)]
pub(crate) struct Thread {
    /// How many events it has, beside its root.
    count: i32,
    /// The last of them.
    last_event: Option<RoomEvent>,
    /// Whether you have sent one of them.
    is_participant: bool,
    #[graphql(skip)]
    root: OwnedEventId,
    #[graphql(skip)]
    room: OwnedRoomId,
}

/// Messages of a thread on a page, by default.
pub(crate) const THREAD_DEFAULT: usize = 20;

#[ComplexObject]
impl Thread {
    /// Its messages, with the cursors of the timeline: `last` and `before` to scroll back, `first`
    /// and `after` to scroll forward. The newest ones by default.
    async fn messages(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many, scrolling forward, from 1 to 100.")] first: Option<i32>,
        #[graphql(desc = "Messages after this cursor.")] after: Option<CursorScalar>,
        #[graphql(desc = "How many, scrolling back, from 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Messages before this cursor.")] before: Option<CursorScalar>,
    ) -> Result<TimelineConnection> {
        let last = if first.is_none() && after.is_none() {
            last.or(i32::try_from(THREAD_DEFAULT).ok())
        } else {
            last
        };
        let of_thread = Some(self.root.clone());
        let page =
            TimelineArguments { first, after, before, of_thread, ..TimelineArguments::last(last) };
        timeline::page(context, &Room::new(self.room.clone()), page).await
    }
}

/// Reads the relations of an event that the viewer may see.
fn look<T: Default>(
    context: &Context<'_>,
    event: &Pdu,
    until: Option<Position>,
    look: impl FnOnce(&RoomView<'_>, &Seen<'_>) -> T,
) -> Result<T> {
    let viewer = session(context).viewpoint()?;
    let view = app(context).models.view();
    let Some(room) = view.room(&event.room_id) else { return Ok(T::default()) };
    let seen = Seen { sight: room.sight(&viewer), until };
    Ok(look(&room, &seen))
}

async fn event_at(
    context: &Context<'_>,
    event: &Pdu,
    key: Option<RowKey>,
    until: Option<Position>,
) -> Result<Option<RoomEvent>> {
    let Some(key) = key else { return Ok(None) };
    reads(context).pause().await?;
    let found = app(context).models.events_at(&event.room_id, &[key]).await;
    let found = unless_absent(found)?.unwrap_or_default();
    reads(context).keep(&found).await?;
    let found = found.into_iter().next();
    Ok(found.and_then(|event| RoomEvent::of_timeline(&event)).map(|event| event.shown_as_of(until)))
}

/// The last edit of the event.
pub(crate) async fn latest_edit(
    context: &Context<'_>,
    event: &Pdu,
    until: Option<Position>,
) -> Result<Option<RoomEvent>> {
    let reads = reads(context);
    reads.pause().await?;
    let edits = look(context, event, until, |room, _| room.edits_len(&event.event_id))?;
    reads.look_at_rows(edits)?;
    let key = look(context, event, until, |room, seen| {
        room.latest_edit(&event.event_id, &event.sender, seen)
    })?;
    event_at(context, event, key, until).await
}

/// The content of an event after its last edit.
pub(crate) fn edited_content(edit: &Pdu) -> Option<OwnedJsonText> {
    #[derive(Deserialize)]
    struct Edit {
        #[serde(rename = "m.new_content")]
        content: Box<RawValue>,
    }
    edit.content_as().map(|Edit { content }| OwnedJsonText(content))
}

/// A page of the reactions to the event.
pub(crate) async fn reactions(
    context: &Context<'_>,
    event: &Pdu,
    until: Option<Position>,
    (first, after): (Option<i32>, Option<&str>),
) -> Result<ReactionConnection> {
    let limit = page_size("first", first, PAGE_DEFAULT)?;
    let viewer = session(context).viewer()?;
    let reads = reads(context);
    reads.pause().await?;
    let all = reads.reactions(&event.event_id, until, || {
        let related = look(context, event, until, |room, _| room.related_count(&event.event_id))?;
        reads.look_at_rows(related)?;
        let found =
            look(context, event, until, |room, seen| room.reactions(&event.event_id, seen))?;
        let mine = |found: Reactions| {
            let me = found.users.iter().any(|user| user == viewer);
            (found, me)
        };
        Ok(found.into_iter().map(mine).collect())
    })?;
    let reaction = |index| {
        let (all, room) = (Arc::clone(&all), event.room_id.clone());
        Reaction { all, index, room }
    };
    let key = |reaction: &Reaction| reaction.found().key.to_string();
    Ok(ReactionConnection(Page::of((0..all.len()).map(reaction), limit, after, key)?))
}

/// The thread that the event began.
pub(crate) async fn thread(
    context: &Context<'_>,
    event: &Pdu,
    until: Option<Position>,
) -> Result<Option<Thread>> {
    let viewer = session(context).viewpoint()?;
    let reads = reads(context);
    reads.pause().await?;
    let related = look(context, event, until, |room, _| room.related_count(&event.event_id))?;
    reads.look_at_rows(related)?;
    let found =
        look(context, event, until, |room, seen| room.thread(&event.event_id, &viewer, seen))?;
    let Some(found) = found else { return Ok(None) };
    Ok(Some(Thread {
        count: i32::try_from(found.count).unwrap_or(i32::MAX),
        last_event: event_at(context, event, Some(found.last), until).await?,
        is_participant: found.participated,
        root: event.event_id.clone(),
        room: event.room_id.clone(),
    }))
}

/// The event that this one answers, if the viewer may see it.
pub(crate) async fn reply_to(
    context: &Context<'_>,
    event: &Pdu,
    until: Option<Position>,
) -> Result<Option<RoomEvent>> {
    let Some(answered) = Relation::of(event).and_then(Relation::into_reply) else {
        return Ok(None);
    };
    let viewer = session(context).viewpoint()?;
    let found = one_event(context, &answered, &viewer).await?;
    let found = found.filter(|(place, _)| place.room_id == event.room_id);
    let found = found.and_then(|(_, event)| RoomEvent::of_timeline(&event));
    Ok(found.map(|event| event.shown_as_of(until)))
}
