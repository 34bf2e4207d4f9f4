//! What came of an event: edits, reactions, a thread. Each only as far as the viewer may see the
//! events that say so.

use async_graphql::{Context, Json, Object, Result, SimpleObject};
use rookery_domain::{OwnedRoomId, OwnedUserId, Pdu, Relation};
use rookery_log::Position;
use rookery_query::{RoomView, RowKey, Seen};
use serde_json::Value;

use super::{
    context::{PAGE_MAX, app, page_size, session, unless_absent},
    event::RoomEvent,
    user::User,
};

/// All who reacted to an event in one way.
pub(crate) struct Reaction {
    key: String,
    users: Vec<OwnedUserId>,
    me: bool,
    room: OwnedRoomId,
}

/// All who reacted to an event in one way.
#[Object]
impl Reaction {
    /// With what: an emoji, mostly.
    async fn key(&self) -> &str {
        &self.key
    }

    /// How many users.
    async fn count(&self) -> i32 {
        i32::try_from(self.users.len()).unwrap_or(i32::MAX)
    }

    /// Whether you are one of them.
    async fn me(&self) -> bool {
        self.me
    }

    /// Who, in the order in which they reacted.
    async fn users(
        &self,
        #[graphql(desc = "How many, from 1 to 100.")] first: Option<i32>,
    ) -> Result<Vec<User>> {
        let limit = page_size("first", first, PAGE_MAX)?;
        let users = self.users.iter().take(limit);
        Ok(users.map(|user| User::in_room(user.clone(), self.room.clone())).collect())
    }
}

/// The thread that an event began.
#[derive(SimpleObject)]
pub(crate) struct Thread {
    /// How many events it has, beside the one that began it.
    count: i32,
    /// The last of them.
    last_event: Option<RoomEvent>,
    /// Whether you have sent one of them.
    participated: bool,
}

/// Looks at what relates to an event, through the eyes of who asks.
fn look<T: Default>(
    context: &Context<'_>,
    event: &Pdu,
    until: Option<Position>,
    look: impl FnOnce(&RoomView<'_>, &Seen) -> T,
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
    let found = app(context).models.events_at(&event.room_id, &[key]).await;
    let found = unless_absent(found)?.and_then(|mut found| found.pop());
    Ok(found.and_then(|event| RoomEvent::of_timeline(&event)).map(|event| event.shown_as_of(until)))
}

/// The last edit of the event.
pub(crate) async fn latest_edit(
    context: &Context<'_>,
    event: &Pdu,
    until: Option<Position>,
) -> Result<Option<RoomEvent>> {
    let key = look(context, event, until, |room, seen| {
        room.latest_edit(&event.event_id, &event.sender, seen)
    })?;
    event_at(context, event, key, until).await
}

/// What the last edit of an event made of its content.
pub(crate) fn edited_content(edit: &Pdu) -> Option<Json<Value>> {
    let mut content: Value = edit.content_as()?;
    content.get_mut("m.new_content").map(|content| Json(content.take()))
}

/// The reactions to the event.
pub(crate) fn reactions(
    context: &Context<'_>,
    event: &Pdu,
    until: Option<Position>,
) -> Result<Vec<Reaction>> {
    let viewer = session(context).viewer()?;
    let found = look(context, event, until, |room, seen| room.reactions(&event.event_id, seen))?;
    let reaction = |found: rookery_query::Reactions| Reaction {
        me: found.users.iter().any(|user| user == viewer),
        key: found.key.into(),
        users: found.users,
        room: event.room_id.clone(),
    };
    Ok(found.into_iter().map(reaction).collect())
}

/// The thread that the event began.
pub(crate) async fn thread(
    context: &Context<'_>,
    event: &Pdu,
    until: Option<Position>,
) -> Result<Option<Thread>> {
    let viewer = session(context).viewpoint()?;
    let found =
        look(context, event, until, |room, seen| room.thread(&event.event_id, &viewer, seen))?;
    let Some(found) = found else { return Ok(None) };
    Ok(Some(Thread {
        count: i32::try_from(found.count).unwrap_or(i32::MAX),
        last_event: event_at(context, event, Some(found.last), until).await?,
        participated: found.participated,
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
    let found = unless_absent(app(context).models.event(&answered, &viewer).await)?.flatten();
    let found = found.filter(|(place, _)| place.room_id == event.room_id);
    let found = found.and_then(|(_, event)| RoomEvent::of_timeline(&event));
    Ok(found.map(|event| event.shown_as_of(until)))
}
