//! That an event was redacted, by whom and why.

use async_graphql::{Context, Object, Result};
use serde_json::Value;

use super::event::RoomEvent;
use crate::schema::{
    context::{app, session, unless_absent},
    types::{users::user::User, values::text::Text},
};

/// Why an event has no content any more.
pub(crate) struct Redaction(RoomEvent);

/// Why an event has no content any more.
#[Object]
impl Redaction {
    /// The redaction.
    async fn event(&self) -> &RoomEvent {
        &self.0
    }

    /// Who took it back.
    async fn by(&self) -> User {
        self.0.sent_by()
    }

    /// The reason, in the words of who took it back.
    async fn reason(&self) -> Option<Text> {
        let content: Value = self.0.as_pdu().content_as()?;
        Some(Text(content.get("reason")?.as_str()?.to_owned()))
    }
}

/// Whether `event` was redacted, as the read side knows it now.
pub(crate) fn is_redacted(context: &Context<'_>, event: &RoomEvent) -> bool {
    let view = app(context).models.view();
    let (position, index) = event.place();
    let room = view.room(&event.as_pdu().room_id);
    room.is_some_and(|room| room.redaction(position, index).is_some())
}

/// By which event `event` was redacted, if the viewer may see that.
pub(crate) async fn because(context: &Context<'_>, event: &RoomEvent) -> Result<Option<Redaction>> {
    let viewer = session(context).viewpoint()?;
    let room = &event.as_pdu().room_id;
    let found = app(context).models.redacted_by(room, &viewer, event.place()).await;
    let found = unless_absent(found)?.flatten();
    Ok(found.and_then(|found| RoomEvent::of_timeline(&found)).map(Redaction))
}
