//! Messages that refer to others: replies, threads, edits, reactions.
//!
//! **Invariant:** the target is an event of this room that the sender may see. Any other target (of
//! another room, hidden, never sent) gets the same answer.
//! **Invariant:** the same rules hold for content that a client wrote itself.

use std::borrow::Cow;

use ruma_common::EventId;
use serde_json::{Value, json};

use super::message;
use crate::{
    Bound, JsonObject, KnownEvent, MessageRelation, Rejection, Relation, RelationKind,
    events::relation::{RELATES_TO, reaction_key, same_reaction},
    limits::MENTIONS_MAX,
    room::{Context, Room, authorise::Draft, command::Mentions},
};

const MENTIONS: &str = "m.mentions";

/// The draft of a reaction.
pub(super) fn reaction(event: &EventId, key: &str) -> Result<Draft<'static>, Rejection> {
    let key = reaction_key(key)?;
    let mut content = JsonObject::new();
    let relates = json!({ "rel_type": "m.annotation", "event_id": event, "key": key });
    content.insert(RELATES_TO.into(), relates);
    Ok(message::draft("m.reaction".into(), Cow::Owned(content)))
}

/// Writes the relation and the mentions into the content of a message.
///
/// The earlier mentions come from the replaced event, and the last message of a thread from its
/// root, where these are known.
pub(super) fn refer(
    content: &mut JsonObject,
    relation: Option<&MessageRelation>,
    mentions: Option<&Mentions>,
    cx: &Context,
) -> Result<(), Rejection> {
    let mentions = mentions.map(written).transpose()?;
    let reply = |event: &EventId| json!({ "event_id": event });
    let relates = match relation {
        None => None,
        Some(MessageRelation::Reply(to)) => Some(json!({ "m.in_reply_to": reply(to) })),
        Some(MessageRelation::Thread { root, reply_to }) => {
            let end = cx.known(root).and_then(|known| known.thread_end.as_deref());
            let answered = reply_to.as_deref().or(end).unwrap_or(root);
            Some(json!({
                "rel_type": "m.thread",
                "event_id": root,
                "is_falling_back": reply_to.is_none(),
                "m.in_reply_to": reply(answered),
            }))
        }
        Some(MessageRelation::Edit(event)) => {
            let mut new_content = content.clone();
            if let Some(mentions) = &mentions {
                new_content.insert(MENTIONS.into(), mentions.clone());
            }
            for key in ["body", "formatted_body"] {
                if let Some(Value::String(text)) = content.get_mut(key) {
                    text.insert_str(0, "* ");
                }
            }
            content.insert("m.new_content".into(), new_content.into());
            let before = cx.known(event).and_then(|known| known.pdu.content_as::<JsonObject>());
            let before = before.and_then(|mut content| content.remove(MENTIONS));
            let added = mentions.map(|new| added(&new, before.as_ref()));
            content.extend(added.map(|added| (MENTIONS.into(), added)));
            content
                .insert(RELATES_TO.into(), json!({ "rel_type": "m.replace", "event_id": event }));
            return Ok(());
        }
    };
    content.extend(relates.map(|relates| (RELATES_TO.into(), relates)));
    content.extend(mentions.map(|mentions| (MENTIONS.into(), mentions)));
    Ok(())
}

fn written(mentions: &Mentions) -> Result<Value, Rejection> {
    let (count, max) = (mentions.users.len(), MENTIONS_MAX);
    if count > max {
        return Err(Rejection::TooMany { what: "mentions", count, max });
    }
    let mut value = JsonObject::new();
    if !mentions.users.is_empty() {
        value.insert("user_ids".into(), mentions.users.iter().map(|it| it.as_str()).collect());
    }
    if mentions.room {
        value.insert("room".into(), true.into());
    }
    Ok(value.into())
}

/// The mentions that an edit adds. Nobody is notified twice for one message.
fn added(new: &Value, before: Option<&Value>) -> Value {
    let users = |value: &Value| value.get("user_ids").and_then(Value::as_array).cloned();
    let old = before.and_then(users).unwrap_or_default();
    let mut added = JsonObject::new();
    let fresh = users(new).unwrap_or_default();
    let fresh: Vec<_> = fresh.into_iter().filter(|user| !old.contains(user)).collect();
    if !fresh.is_empty() {
        added.insert("user_ids".into(), fresh.into());
    }
    let calls_room = |value: &Value| value.get("room") == Some(&Value::Bool(true));
    if calls_room(new) && !before.is_some_and(calls_room) {
        added.insert("room".into(), true.into());
    }
    added.into()
}

impl Room {
    /// Checks the relations of a draft. Returns `false` if they hold already: the sender has made
    /// the same reaction before.
    pub(super) fn check_relation(&self, draft: &Draft, cx: &Context) -> Result<bool, Rejection> {
        let is_reaction = draft.kind == "m.reaction";
        let relation = Relation::read(&draft.content)?;
        if is_reaction {
            let reacts =
                matches!(relation, Some(Relation { to: Some((_, RelationKind::Reaction(_))), .. }));
            if !reacts {
                let reason = "an m.reaction relates to an event by m.annotation";
                return Err(Rejection::InvalidContent(reason.to_owned()));
            }
        }
        let Some(relation) = relation else { return Ok(true) };
        self.require_member(cx.sender)?;
        let target = match &relation.to {
            Some((target, _)) => Some(self.known_here(target, cx)?),
            None => None,
        };
        if let Some(answered) = &relation.in_reply_to {
            // The end of a thread was looked up with its root.
            let is_end = target.is_some_and(|root| root.thread_end.as_ref() == Some(answered));
            if !is_end {
                self.known_here(answered, cx)?;
            }
        }
        let (Some((_, kind)), Some(target)) = (&relation.to, target) else { return Ok(true) };
        match kind {
            RelationKind::Edit => check_edit(target, draft, cx).map(|()| true),
            RelationKind::Thread { .. } => check_thread(target).map(|()| true),
            RelationKind::Reaction(_) if target.redacted => {
                Err(Rejection::EventRedacted(target.pdu.event_id.clone()))
            }
            RelationKind::Reaction(key) => {
                let among = |keys: &[String]| keys.iter().any(|it| same_reaction(it, key));
                if is_reaction && among(&target.own_reactions) {
                    return Ok(false);
                }
                Bound::OwnReactions.admit(target.own_reactions.len())?;
                if !among(&target.reactions) {
                    Bound::Reactions.admit(target.reactions.len())?;
                }
                Ok(true)
            }
            RelationKind::Other => Ok(true),
        }
    }

    /// An event of this room that the sender may see.
    pub(super) fn known_here<'a>(
        &self,
        event: &EventId,
        cx: &Context<'a>,
    ) -> Result<&'a KnownEvent, Rejection> {
        let known = cx.known(event);
        let here = known.filter(|known| known.visible && known.pdu.room_id == self.id);
        here.ok_or_else(|| Rejection::NoSuchEvent(event.to_owned()))
    }
}

/// Source: Matrix client-server specification, "Validity of replacement events".
fn check_edit(target: &KnownEvent, draft: &Draft, cx: &Context) -> Result<(), Rejection> {
    let event = &target.pdu;
    let refuse =
        |rule: &'static str| Err(Rejection::NotEditable { event: event.event_id.clone(), rule });
    if event.sender != *cx.sender {
        return Err(Rejection::EventNotYours(event.event_id.clone()));
    }
    if target.redacted {
        return Err(Rejection::EventRedacted(event.event_id.clone()));
    }
    if event.state_key.is_some() {
        return refuse("it is state; set the state again");
    }
    if event.kind.to_string() != draft.kind {
        return refuse("an edit has the type of what it replaces");
    }
    if matches!(Relation::of(event), Some(Relation { to: Some((_, RelationKind::Edit)), .. })) {
        return refuse("it is an edit itself; edit the first message");
    }
    let replaces = draft.content.get("m.new_content").is_some_and(Value::is_object);
    if draft.kind != "m.room.encrypted" && !replaces {
        let reason = "an edit has its content in m.new_content".to_owned();
        return Err(Rejection::InvalidContent(reason));
    }
    Bound::Edits.admit(target.edits)
}

/// Source: Matrix client-server specification, "Validation of m.thread relationships".
fn check_thread(root: &KnownEvent) -> Result<(), Rejection> {
    let relates = Relation::of(&root.pdu).is_some_and(|relation| relation.to.is_some());
    if relates || root.pdu.state_key.is_some() {
        return Err(Rejection::NotAThreadRoot(root.pdu.event_id.clone()));
    }
    Ok(())
}
