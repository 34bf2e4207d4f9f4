//! The fields that all events have.

use async_graphql::{Context, ID, Object, Result};
use rookery_domain::{Origin, RoomVersionId, TimelineEventType};
use rookery_log::Millis;
use rookery_view::EVENT_UNIT_BYTES;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    event::RoomEvent,
    redacted::{self, Redaction},
    relations,
};
use crate::{
    context::{STALE_AFTER, app, session, unless_absent},
    marks::{SharedBy, shared},
    reads::reads,
    types::{
        errors::fault::Fault,
        rooms::room::Room,
        users::user::User,
        values::{
            eager::Eager,
            node_id::NodeId,
            scalars::{CursorScalar, DateTime, EventIdScalar, Long, PositionScalar},
            text::{JsonText, OwnedJsonText, Text},
        },
    },
};

/// The units of work for signing an event, beside those for its length.
const SIGNED_UNITS: usize = 4;

/// The fields of all events.
#[derive(Clone)]
pub(crate) struct EventFields(pub(super) RoomEvent);

/// The fields of all events.
#[Object]
impl EventFields {
    /// The global ID of the event.
    #[graphql(directive = shared::apply(SharedBy::Everyone))]
    pub async fn id(&self) -> ID {
        NodeId::Event(self.0.pdu.event_id.clone()).into()
    }

    /// The ID of the event: a hash of its content.
    #[graphql(directive = shared::apply(SharedBy::Everyone))]
    async fn event_id(&self) -> EventIdScalar {
        EventIdScalar(self.0.pdu.event_id.clone())
    }

    /// The room of the event.
    #[graphql(directive = shared::apply(SharedBy::Everyone))]
    async fn room(&self) -> Eager<Room> {
        Eager(Room::new(self.0.pdu.room_id.clone()))
    }

    /// The sender.
    #[graphql(directive = shared::apply(SharedBy::Everyone))]
    async fn sender(&self) -> Eager<User> {
        Eager(self.0.sent_by())
    }

    /// The type, such as `m.room.message`.
    #[graphql(name = "type", directive = shared::apply(SharedBy::Everyone))]
    async fn event_type(&self) -> String {
        self.0.pdu.kind.to_string()
    }

    /// The state key. Null for an event that is not state.
    #[graphql(directive = shared::apply(SharedBy::Everyone))]
    async fn state_key(&self) -> Option<&str> {
        self.0.pdu.state_key.as_deref()
    }

    /// Whether it was redacted. Then `content` has only the parts that the rules of the room need,
    /// usually none.
    #[graphql(directive = shared::apply(SharedBy::Members))]
    async fn is_redacted(&self, context: &Context<'_>) -> bool {
        redacted::is_redacted(context, &self.0)
    }

    /// The redaction of it. Null if it was not redacted, or if you may not see the redaction.
    async fn redacted_because(&self, context: &Context<'_>) -> Result<Option<Redaction>> {
        Box::pin(redacted::because(context, &self.0)).await
    }

    /// The content of the event.
    #[graphql(directive = shared::apply(SharedBy::Everyone))]
    async fn content(&self) -> JsonText<'_> {
        JsonText(&self.0.pdu.content)
    }

    /// The text of a message. Null for other events.
    #[graphql(directive = shared::apply(SharedBy::Everyone))]
    async fn text(&self) -> Option<Text> {
        #[derive(Deserialize)]
        struct Message {
            body: String,
        }
        let is_message = self.0.pdu.kind == TimelineEventType::RoomMessage;
        let message: Option<Message> = is_message.then(|| self.0.pdu.content_as()).flatten();
        message.map(|message| Text(message.body))
    }

    /// When it was sent, according to its sender.
    #[graphql(directive = shared::apply(SharedBy::Everyone))]
    async fn sent_at(&self) -> DateTime {
        DateTime(Millis(self.0.pdu.origin_server_ts.0.into()))
    }

    /// When this server received it.
    #[graphql(directive = shared::apply(SharedBy::Everyone))]
    async fn received_at(&self) -> DateTime {
        DateTime(self.0.received)
    }

    /// Its sequence number in the room: 1, 2, 3 ... in order of arrival. The stream lists the
    /// events that it leaves out as `skipped`; any other gap means that you missed an event.
    #[graphql(directive = shared::apply(SharedBy::Everyone))]
    async fn sequence(&self) -> Long {
        Long::of_count(self.0.sequence)
    }

    /// Its depth in the room's graph of events. The timeline is in order of depth, and in order of
    /// `sequence` within a depth.
    #[graphql(directive = shared::apply(SharedBy::Everyone))]
    async fn depth(&self) -> Long {
        Long::of_count(self.0.pdu.depth)
    }

    /// Whether it came from another server after an event that comes later in the timeline. Streams
    /// have such events only if the filter has `includeLate`.
    #[graphql(directive = shared::apply(SharedBy::Everyone))]
    async fn is_late(&self) -> bool {
        self.0.flags.is_late()
    }

    /// For an event that arrived late: the event before it in the timeline, among those that you
    /// may see and that existed when it arrived. Null if there is none, and for all other events,
    /// which come after all earlier ones.
    async fn after(&self, context: &Context<'_>) -> Result<Option<EventIdScalar>> {
        if !self.0.flags.is_late() {
            return Ok(None);
        }
        let app = app(context);
        let viewer = session(context).viewpoint()?;
        let (room, reads) = (&self.0.pdu.room_id, reads(context));
        let before = app.models.event_before_within(room, &viewer, self.0.key(), &reads);
        let before = Box::pin(before).await;
        let before = unless_absent(before)?.flatten();
        Ok(before.map(|event| EventIdScalar(event.event().pdu.event_id.clone())))
    }

    /// Whether it is state that another event had superseded before it arrived, so it was never the
    /// room's state. It is in the timeline, and no stream has it.
    #[graphql(directive = shared::apply(SharedBy::Everyone))]
    async fn is_superseded(&self) -> bool {
        self.0.flags.is_superseded()
    }

    /// Its place in the whole log.
    #[graphql(directive = shared::apply(SharedBy::Everyone))]
    async fn position(&self, context: &Context<'_>) -> PositionScalar {
        app(context).token(self.0.position)
    }

    /// Its place in the timeline of its room.
    #[graphql(directive = shared::apply(SharedBy::Everyone))]
    async fn cursor(&self, context: &Context<'_>) -> CursorScalar {
        self.0.cursor_in(app(context))
    }

    /// Your number for the action. Only the device that sent it sees it.
    #[graphql(directive = shared::apply(SharedBy::Others))]
    async fn action_id(&self, context: &Context<'_>) -> Option<i32> {
        let session = session(context);
        let Origin::Local { device: Some(device), action: Some(action), .. } = &self.0.origin
        else {
            return None;
        };
        let own = session.device_id().ok() == Some(device.as_str())
            && session.viewer().ok() == Some(&*self.0.pdu.sender);
        own.then(|| i32::try_from(*action).unwrap_or(i32::MAX))
    }

    /// The state event that it replaced. Null for messages, for the first event of its kind, and if
    /// you may not see the replaced content.
    async fn replaced(&self, context: &Context<'_>) -> Result<Option<RoomEvent>> {
        Box::pin(replaced(context, &self.0)).await
    }

    /// The content of the state that it replaced, with the old name, topic or display name.
    async fn previous_content(&self, context: &Context<'_>) -> Result<Option<OwnedJsonText>> {
        let replaced = Box::pin(replaced(context, &self.0)).await?;
        Ok(replaced.map(|event| OwnedJsonText(event.pdu.content.clone())))
    }

    /// The last edit of it by its sender that you may see. Null if there is none.
    async fn latest_edit(&self, context: &Context<'_>) -> Result<Option<RoomEvent>> {
        Box::pin(relations::latest_edit(context, &self.0.pdu, self.0.as_of)).await
    }

    /// Its content after its last edit. Null if it was not edited.
    async fn edited_content(&self, context: &Context<'_>) -> Result<Option<OwnedJsonText>> {
        let edit = Box::pin(relations::latest_edit(context, &self.0.pdu, self.0.as_of)).await?;
        Ok(edit.and_then(|edit| relations::edited_content(&edit.pdu)))
    }

    /// The reactions to the event, by key, in the order in which each key was first used.
    async fn reactions(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many, from 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "The cursor after which to continue.")] after: Option<String>,
    ) -> Result<relations::ReactionConnection> {
        let after = after.as_deref();
        Box::pin(relations::reactions(context, &self.0.pdu, self.0.as_of, (first, after))).await
    }

    /// The thread that it began. Null if there is none with an event that you may see.
    async fn thread(&self, context: &Context<'_>) -> Result<Option<relations::Thread>> {
        Box::pin(relations::thread(context, &self.0.pdu, self.0.as_of)).await
    }

    /// The event that it answers. Null if there is none that you may see.
    async fn reply_to(&self, context: &Context<'_>) -> Result<Option<RoomEvent>> {
        Box::pin(relations::reply_to(context, &self.0.pdu, self.0.as_of)).await
    }

    /// The whole event as a Matrix PDU, signed by this server if it was made here.
    #[graphql(directive = shared::apply(SharedBy::Everyone))]
    async fn pdu(&self, context: &Context<'_>) -> Result<OwnedJsonText> {
        Box::pin(pdu(context, &self.0)).await
    }
}

/// The state event that `event` replaced, if the viewer may see it.
async fn replaced(context: &Context<'_>, event: &RoomEvent) -> Result<Option<RoomEvent>> {
    if event.pdu.state_key.is_none() {
        return Ok(None);
    }
    let app = app(context);
    let viewer = session(context).viewpoint()?;
    // The answer to a mutation has events that the read side may not have yet.
    app.models.wait_for(event.position, STALE_AFTER).await.map_err(|_| Fault::stale())?;
    let found = app.models.event(&event.pdu.event_id, &viewer).await;
    let Some(Some((place, found))) = unless_absent(found)? else { return Ok(None) };
    let replaced = app.models.replaced_by(&place.room_id, &found, &viewer).await;
    Ok(unless_absent(replaced)?.flatten().and_then(|event| RoomEvent::of_timeline(&event)))
}

/// The whole event as a Matrix PDU.
async fn pdu(context: &Context<'_>, event: &RoomEvent) -> Result<OwnedJsonText> {
    let (app, reads) = (app(context), reads(context));
    // Hashing and signing take as long as reading some events.
    reads.pause().await?;
    reads.look_at(SIGNED_UNITS + event.pdu.json.len() / EVENT_UNIT_BYTES)?;
    let server = app.commands.server_name();
    if event.pdu.sender.server_name() != server {
        let json = String::from_utf8(event.pdu.json.to_vec())?;
        return Ok(OwnedJsonText(RawValue::from_string(json)?));
    }
    let version = {
        let view = app.models.view();
        view.room(&event.pdu.room_id).and_then(|room| room.summary().version.clone())
    };
    let version = version.and_then(|version| RoomVersionId::try_from(version).ok());
    let version = version.unwrap_or(RoomVersionId::V12);
    let signed = rookery_domain::sign(&event.pdu, &app.signing_key, server, &version);
    let signed = signed.map_err(|error| Fault::internal(&error.to_string()))?;
    Ok(OwnedJsonText(RawValue::from_string(signed)?))
}
