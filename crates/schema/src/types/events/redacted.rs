//! Redactions of events, with their sender and reason.

use async_graphql::{Context, Object, Result};
use serde_json::Value;

use super::event::RoomEvent;
use crate::{
    context::{app, session, unless_absent},
    types::{users::user::User, values::text::Text},
};

/// The redaction of an event.
pub struct Redaction(RoomEvent);

/// The redaction of an event.
#[Object]
impl Redaction {
    /// The redaction event.
    async fn event(&self) -> &RoomEvent {
        &self.0
    }

    /// The user who redacted it.
    async fn by(&self) -> User {
        self.0.sent_by()
    }

    /// The reason that the user gave.
    async fn reason(&self) -> Option<Text> {
        let content: Value = self.0.as_pdu().content_as()?;
        Some(Text(content.get("reason")?.as_str()?.to_owned()))
    }
}

/// Whether `event` was redacted, as the read side knows it now.
pub fn is_redacted(context: &Context<'_>, event: &RoomEvent) -> bool {
    let view = app(context).models.view();
    let (position, index) = event.place();
    let room = view.room(&event.as_pdu().room_id);
    room.is_some_and(|room| room.redaction(position, index).is_some())
}

/// The redaction of `event`, if the viewer may see it.
pub async fn because(context: &Context<'_>, event: &RoomEvent) -> Result<Option<Redaction>> {
    let viewer = session(context).viewpoint()?;
    let room = &event.as_pdu().room_id;
    let found = app(context).models.redacted_by(room, &viewer, event.place()).await;
    let found = unless_absent(found)?.flatten();
    Ok(found.and_then(|found| RoomEvent::of_timeline(&found)).map(Redaction))
}
