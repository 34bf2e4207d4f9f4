//! What an event says of another one: that it answers, replaces, or reacts to it.
//!
//! **Invariant:** a relation is read here and nowhere else, so that what the rules check is what
//! the read side counts.
//!
//! Source: Matrix client-server specification, "Forming relationships between events",
//! "Rich replies", "Threading", "Event replacements", "Event annotations and reactions".

use std::{borrow::Cow, sync::Arc};

use ruma_common::{EventId, OwnedEventId};
use ruma_events::TimelineEventType;
use serde_json::Value;

use crate::{Erased, JsonObject, Pdu, Rejection, composed, limits::REACTION_KEY_BYTES_MAX};

/// The key of the content under which relations stand.
pub(crate) const RELATES_TO: &str = "m.relates_to";

/// What an event says of others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relation {
    /// The event that it is about, and in which way. None for a plain reply.
    pub to: Option<(OwnedEventId, RelationKind)>,
    /// The event that it answers.
    pub in_reply_to: Option<OwnedEventId>,
}

/// In which way an event is about another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RelationKind {
    /// It reacts to it with this key (`m.annotation`).
    Reaction(String),
    /// It replaces its content (`m.replace`).
    Edit,
    /// It belongs to the thread that the other one began (`m.thread`).
    Thread {
        /// The answer that it names is only for clients that know no threads.
        falling_back: bool,
    },
    /// In a way that the server only passes on.
    Other,
}

/// An event that a command refers to, as the read side has it.
#[derive(Clone, Debug)]
pub struct KnownEvent {
    /// The event.
    pub pdu: Arc<Pdu>,
    /// Its number in its room.
    pub sequence: u64,
    /// The sender of the command may see it.
    pub visible: bool,
    /// Its content was taken back.
    pub redacted: bool,
    /// What its redaction erases: the event itself, and what its sender wrote in its place (edits). Of the latter, nothing
    /// where no redaction is decided.
    pub erases: Vec<Erased>,
    /// The keys with which the sender of the command has reacted to it.
    pub own_reactions: Vec<String>,
    /// The keys with which anybody has reacted to it.
    pub reactions: Vec<String>,
    /// The last event of the thread that it began, of those that the sender of the command sees.
    pub thread_end: Option<OwnedEventId>,
    /// How many edits its sender has made of it.
    pub edits: usize,
}

impl Relation {
    /// What an event of the log says of others; none if nothing, or nothing that can be read.
    #[must_use]
    pub fn of(event: &Pdu) -> Option<Self> {
        // Most events say nothing, and need not be parsed to know that.
        if event.state_key.is_some() || !event.content.get().contains(RELATES_TO) {
            return None;
        }
        let content: JsonObject = event.content_as()?;
        Self::read(&content).ok().flatten()
    }

    /// What the content of an event says of others.
    ///
    /// # Errors
    /// [`Rejection::InvalidContent`] if it is not of the form that the specification gives.
    pub(crate) fn read(content: &JsonObject) -> Result<Option<Self>, Rejection> {
        let Some(value) = content.get(RELATES_TO) else { return Ok(None) };
        let Value::Object(value) = value else { return Err(wrong("it is no object")) };
        let in_reply_to = match value.get("m.in_reply_to") {
            None => None,
            Some(Value::Object(reply)) => Some(event_id(reply)?),
            Some(_) => return Err(wrong("m.in_reply_to is no object")),
        };
        let to = match value.get("rel_type") {
            None => None,
            Some(Value::String(kind)) => Some((event_id(value)?, RelationKind::read(kind, value)?)),
            Some(_) => return Err(wrong("rel_type is no text")),
        };
        if to.is_none() && in_reply_to.is_none() {
            return Err(wrong("it has neither a rel_type nor an m.in_reply_to"));
        }
        Ok(Some(Self { to, in_reply_to }))
    }

    /// Whether the event says something by itself: it is no state, no redaction, no reaction, and no
    /// edit. Such an event can be the last message of a room, and others can be counted as unread.
    #[must_use]
    pub fn stands_alone(event: &Pdu) -> bool {
        use TimelineEventType::{Reaction, RoomRedaction};
        let says = event.state_key.is_none() && !matches!(event.kind, Reaction | RoomRedaction);
        says && !matches!(Self::of(event), Some(Self { to: Some((_, RelationKind::Edit)), .. }))
    }

    /// The event that it answers; none where that is named for clients alone that know no threads.
    #[must_use]
    pub fn into_reply(self) -> Option<OwnedEventId> {
        let falling_back =
            matches!(self.to, Some((_, RelationKind::Thread { falling_back: true })));
        self.in_reply_to.filter(|_| !falling_back)
    }

    /// The events that it names.
    pub fn targets(&self) -> impl Iterator<Item = &EventId> {
        let to = self.to.iter().map(|(event, _)| &**event);
        to.chain(self.in_reply_to.as_deref())
    }
}

impl RelationKind {
    fn read(kind: &str, value: &JsonObject) -> Result<Self, Rejection> {
        Ok(match kind {
            "m.annotation" => {
                let key = value.get("key").and_then(Value::as_str);
                let key = key.ok_or_else(|| wrong("an m.annotation has a key"))?;
                Self::Reaction(reaction_key(key)?.to_owned())
            }
            "m.replace" => Self::Edit,
            "m.thread" => {
                let falling_back = value.get("is_falling_back").and_then(Value::as_bool);
                Self::Thread { falling_back: falling_back.unwrap_or(false) }
            }
            _ => Self::Other,
        })
    }
}

/// Whether two keys are the same reaction: variation selectors (U+FE0E, U+FE0F) choose how an emoji looks, and not which it is,
/// and a letter with an accent is the same in one character or two.
#[must_use]
pub fn same_reaction(one: &str, other: &str) -> bool {
    plain_reaction(one) == plain_reaction(other)
}

/// A key composed and without variation selectors: what all keys that are the same reaction have in common.
#[must_use]
pub fn plain_reaction(key: &str) -> Cow<'_, str> {
    let is_selector = |char: char| matches!(char, '\u{fe0e}' | '\u{fe0f}');
    if key.contains(is_selector) {
        let plain: String = key.chars().filter(|char| !is_selector(*char)).collect();
        return composed(&plain).into_owned().into();
    }
    composed(key)
}

/// A key that somebody may react with.
pub(crate) fn reaction_key(key: &str) -> Result<&str, Rejection> {
    if key.is_empty() {
        let reason = "a reaction has a key, such as an emoji".to_owned();
        return Err(Rejection::InvalidContent(reason));
    }
    Rejection::unless_visible("the key of the reaction", key)?;
    Rejection::if_longer("the key of the reaction", key, REACTION_KEY_BYTES_MAX)?;
    Ok(key)
}

fn event_id(object: &JsonObject) -> Result<OwnedEventId, Rejection> {
    let text = object.get("event_id").and_then(Value::as_str);
    text.and_then(|text| text.try_into().ok()).ok_or_else(|| wrong("its event_id is no event ID"))
}

fn wrong(reason: &str) -> Rejection {
    Rejection::InvalidContent(format!("{RELATES_TO}: {reason}"))
}
