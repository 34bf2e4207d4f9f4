//! Relations of an event: edits, reactions, a thread. Each counts only the events that the viewer
//! may see.

use std::sync::Arc;

use async_graphql::{ComplexObject, Context, Object, Result, SimpleObject};
use rookery_domain::{OwnedEventId, OwnedRoomId, Pdu};
use rookery_log::Position;
use rookery_projection::Reactions;
use rookery_view::{Reacted, Subject, TimelineEvent};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::event::RoomEvent;
use crate::{
    context::{PAGE_MAX, app, page_size, session},
    reads::reads,
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
pub struct Reaction {
    /// All reactions to the event, and the index of this one.
    all: Arc<[Reacted]>,
    index: usize,
    room: OwnedRoomId,
}

impl Reaction {
    fn found(&self) -> &Reactions {
        &self.all[self.index].reactions
    }
}

connection!(ReactionConnection, ReactionEdge, Reaction, "A page of the reactions to an event.");

/// Reactions on a page, by default.
pub const PAGE_DEFAULT: usize = 20;

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
        self.all[self.index].is_mine
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
pub struct Thread {
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
pub const THREAD_DEFAULT: usize = 20;

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
        Box::pin(timeline::page(context, &Room::new(self.room.clone()), page)).await
    }
}

/// The last edit of the event.
pub async fn latest_edit(
    context: &Context<'_>,
    event: &Pdu,
    until: Option<Position>,
) -> Result<Option<RoomEvent>> {
    let (viewer, reads) = (session(context).viewer()?, reads(context));
    let subject = Subject { event, until };
    let edit = app(context).models.latest_edit(subject, viewer, &reads).await;
    Ok(shown(reads.found(edit)?.flatten(), until))
}

/// An event as of a position.
fn shown(event: Option<TimelineEvent>, until: Option<Position>) -> Option<RoomEvent> {
    Some(RoomEvent::of_timeline(&event?)?.shown_as_of(until))
}

/// The content of an event after its last edit.
pub fn edited_content(edit: &Pdu) -> Option<OwnedJsonText> {
    #[derive(Deserialize)]
    struct Edit {
        #[serde(rename = "m.new_content")]
        content: Box<RawValue>,
    }
    edit.content_as().map(|Edit { content }| OwnedJsonText(content))
}

/// A page of the reactions to the event.
pub async fn reactions(
    context: &Context<'_>,
    event: &Pdu,
    until: Option<Position>,
    (first, after): (Option<i32>, Option<&str>),
) -> Result<ReactionConnection> {
    let limit = page_size("first", first, PAGE_DEFAULT)?;
    let (viewer, reads) = (session(context).viewer()?, reads(context));
    let key = (event.event_id.clone(), until);
    let all = if let Some(known) = reads.reactions(&key) {
        known
    } else {
        let subject = Subject { event, until };
        let all = app(context).models.reactions(subject, viewer, &reads).await;
        let all = reads.found(all)?.unwrap_or_default();
        reads.reacted(key, &all);
        all
    };
    let reaction = |index| {
        let (all, room) = (Arc::clone(&all), event.room_id.clone());
        Reaction { all, index, room }
    };
    let key = |reaction: &Reaction| reaction.found().key.to_string();
    Ok(ReactionConnection(Page::of((0..all.len()).map(reaction), limit, after, key)?))
}

/// The thread that the event began.
pub async fn thread(
    context: &Context<'_>,
    event: &Pdu,
    until: Option<Position>,
) -> Result<Option<Thread>> {
    let (viewer, reads) = (session(context).viewer()?, reads(context));
    let subject = Subject { event, until };
    let thread = app(context).models.thread(subject, viewer, &reads).await;
    let Some(thread) = reads.found(thread)?.flatten() else { return Ok(None) };
    Ok(Some(Thread {
        count: i32::try_from(thread.count).unwrap_or(i32::MAX),
        last_event: shown(thread.last_event, until),
        is_participant: thread.is_participant,
        root: event.event_id.clone(),
        room: event.room_id.clone(),
    }))
}

/// The event that this one answers, if the viewer may see it.
pub async fn reply_to(
    context: &Context<'_>,
    event: &Pdu,
    until: Option<Position>,
) -> Result<Option<RoomEvent>> {
    let (viewer, reads) = (session(context).viewer()?, reads(context));
    let answered = app(context).models.answered_by(event, viewer, &reads).await;
    Ok(shown(reads.found(answered)?.flatten(), until))
}
