//! Relations: an event answers another event, replaces it, or reacts to it.
//!
//! **Invariant:** only this module reads relations, so the rules check the same relations that the
//! read side counts.
//!
//! Source: Matrix client-server specification, "Forming relationships between events", "Rich
//! replies", "Threading", "Event replacements", "Event annotations and reactions".

use std::{borrow::Cow, sync::Arc};

use ruma_common::{EventId, OwnedEventId};
use ruma_events::TimelineEventType;
use serde_json::Value;

use crate::{Erased, JsonObject, Pdu, Rejection, composed, limits::REACTION_KEY_BYTES_MAX};

/// The key of the content that holds relations.
pub(crate) const RELATES_TO: &str = "m.relates_to";

/// The relations of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relation {
    /// The event that it relates to, and how. `None` for a plain reply.
    pub to: Option<(OwnedEventId, RelationKind)>,
    /// The event that it answers.
    pub in_reply_to: Option<OwnedEventId>,
}

/// How an event relates to another event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RelationKind {
    /// A reaction with this key (`m.annotation`).
    Reaction(String),
    /// A replacement of the content (`m.replace`).
    Edit,
    /// A message in the thread that the other event began (`m.thread`).
    Thread {
        /// The named answer is only for clients that do not support threads.
        falling_back: bool,
    },
    /// Another relation, which the server only passes on.
    Other,
}

/// An event that a command refers to, as the read side has it.
#[derive(Clone, Debug)]
pub struct KnownEvent {
    /// The event.
    pub pdu: Arc<Pdu>,
    /// Its sequence in its room.
    pub sequence: u64,
    /// The sender of the command may see it.
    pub visible: bool,
    /// Its content was redacted.
    pub redacted: bool,
    /// The events that its redaction erases: the event itself and the sender's edits of it. The
    /// edits are left out unless a redaction is being decided.
    pub erases: Vec<Erased>,
    /// The keys with which the sender of the command has reacted to it.
    pub own_reactions: Vec<String>,
    /// The keys of all reactions to it.
    pub reactions: Vec<String>,
    /// The last event that the sender of the command can see in the thread that it began.
    pub thread_end: Option<OwnedEventId>,
    /// How many edits its sender has made of it.
    pub edits: usize,
}

impl Relation {
    /// The relations of an event in the log; `None` if it has none or they cannot be read.
    #[must_use]
    pub fn of(event: &Pdu) -> Option<Self> {
        // Most events have no relations, and this avoids parsing them.
        if event.state_key.is_some() || !event.content.get().contains(RELATES_TO) {
            return None;
        }
        let content: JsonObject = event.content_as()?;
        Self::read(&content).ok().flatten()
    }

    /// Reads the relations from the content of an event.
    ///
    /// # Errors
    /// [`Rejection::InvalidContent`] if they do not have the form of the specification.
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

    /// Whether the event is a message of its own: not state, a redaction, a reaction, an edit or a
    /// later step of a call.
    /// Such an event can be the last message of a room, and it can be counted as unread.
    #[must_use]
    pub fn stands_alone(event: &Pdu) -> bool {
        use TimelineEventType::{
            CallAnswer, CallCandidates, CallHangup, CallNegotiate, CallReject, CallSelectAnswer,
            Reaction, RoomRedaction,
        };
        let is_step = matches!(
            event.kind,
            CallAnswer
                | CallCandidates
                | CallHangup
                | CallNegotiate
                | CallReject
                | CallSelectAnswer
                | Reaction
                | RoomRedaction
        );
        let says = event.state_key.is_none() && !is_step;
        says && !matches!(Self::of(event), Some(Self { to: Some((_, RelationKind::Edit)), .. }))
    }

    /// The event that it answers; `None` if that is named only for clients that do not support
    /// threads.
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

/// Whether two keys are the same reaction. Variation selectors (U+FE0E, U+FE0F) do not count: they
/// only choose how an emoji looks. An accented letter is the same in its composed and its
/// decomposed form.
#[must_use]
pub fn same_reaction(one: &str, other: &str) -> bool {
    plain_reaction(one) == plain_reaction(other)
}

/// The normal form of a reaction's key: composed and without variation selectors.
#[must_use]
pub fn plain_reaction(key: &str) -> Cow<'_, str> {
    let is_selector = |char: char| matches!(char, '\u{fe0e}' | '\u{fe0f}');
    if key.contains(is_selector) {
        let plain: String = key.chars().filter(|char| !is_selector(*char)).collect();
        return composed(&plain).into_owned().into();
    }
    composed(key)
}

/// Checks the key of a reaction.
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
