//! Messages and other events that are not state.

use std::borrow::Cow;

use serde_json::Value;

use super::relation;
use crate::{
    JsonObject, MessageKind, Rejection, RoomCommand, calls,
    room::{Context, DIRECTORY_TYPE, authorise::Draft},
};

/// The draft of a command that does not depend on the room.
pub(super) fn said<'a>(command: &'a RoomCommand, cx: &Context) -> Result<Draft<'a>, Rejection> {
    match command {
        RoomCommand::SendMessage { kind, body, formatted_body, relation, mentions } => {
            let mut content = text(*kind, body, formatted_body.as_deref());
            relation::refer(&mut content, relation.as_ref(), mentions.as_ref(), cx)?;
            Ok(draft(Cow::Borrowed("m.room.message"), Cow::Owned(content)))
        }
        RoomCommand::React { event_id, key } => relation::reaction(event_id, key),
        RoomCommand::SendEvent { event_type, content } => custom(event_type, content),
        _ => Err(Rejection::InvalidContent("the command says nothing".to_owned())),
    }
}

/// The content of a message.
fn text(kind: MessageKind, body: &str, formatted: Option<&str>) -> JsonObject {
    let mut content = JsonObject::new();
    content.insert("msgtype".into(), kind.as_str().into());
    content.insert("body".into(), body.into());
    if let Some(formatted) = formatted {
        content.insert("format".into(), "org.matrix.custom.html".into());
        content.insert("formatted_body".into(), formatted.into());
    }
    content
}

/// The draft of an event whose type the client chose.
fn custom<'a>(event_type: &'a str, content: &'a JsonObject) -> Result<Draft<'a>, Rejection> {
    check_call_type(event_type)?;
    if is_reserved(event_type) {
        return Err(Rejection::ReservedType(event_type.to_owned()));
    }
    if event_type.is_empty() {
        return Err(Rejection::InvalidContent("the event type is empty".to_owned()));
    }
    let is_text = |key: &str| content.get(key).is_some_and(Value::is_string);
    if event_type == "m.room.message" && !(is_text("msgtype") && is_text("body")) {
        let reason = "a message has a msgtype and a body, both text";
        return Err(Rejection::InvalidContent(reason.to_owned()));
    }
    Ok(draft(Cow::Borrowed(event_type), Cow::Borrowed(content)))
}

/// Refuses types of calls: their mutations make these events.
pub(super) fn check_call_type(event_type: &str) -> Result<(), Rejection> {
    if !calls::is_call_type(event_type) {
        return Ok(());
    }
    let (event_type, mutation) = (event_type.to_owned(), calls::mutation_for(event_type));
    Err(Rejection::CallEventType { event_type, mutation })
}

/// Whether clients may not send this event type: it is state, acts on the room, or belongs to the
/// server.
fn is_reserved(event_type: &str) -> bool {
    let free = ["m.room.message", "m.room.encrypted"];
    let (namespace, _) = DIRECTORY_TYPE.rsplit_once('.').unwrap_or_default();
    let ours = event_type.strip_prefix(namespace).is_some_and(|rest| rest.starts_with('.'));
    ours || (event_type.starts_with("m.room.") && !free.contains(&event_type))
}

pub(super) fn draft<'a>(kind: Cow<'a, str>, content: Cow<'a, JsonObject>) -> Draft<'a> {
    Draft { kind, state_key: None, content }
}
