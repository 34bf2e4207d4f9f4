//! Calls between two users of a room: who calls whom, who answers first, and how a call ends.
//!
//! A call is a few events of its room, in the names and fields of Matrix: `m.call.invite`,
//! `m.call.answer`, `m.call.reject`, `m.call.hangup`. They hold no SDP and no candidates. The room
//! has one writer, so the log decides who answered and who called first, once.
//!
//! ```text
//!            AnswerCall                HangUpCall
//! Ringing ─────────────────▶ Answered ───────────────────▶ Ended
//!    │  RejectCall, HangUpCall, end of the lifetime           ▲
//!    └────────────────────────────────────────────────────────┘
//!         a party leaves, is kicked or banned; the room closes
//! ```
//!
//! The effect of an event on calls is in its envelope ([`Envelope::calls`](crate::Envelope::calls)).
//! The write side states it once ([`Room::call_changes`](crate::Room::call_changes)), and every
//! reader follows it with [`Call::placed`] and [`Call::follow`].
//!
//! **Invariant:** only envelopes change calls. An event of another server, or an old event that a
//! client sent by itself, is shown and changes no call, whatever its type and content.
//! **Invariant:** the ID of a call and its steps are in envelopes, which redaction never changes.
//! The callee is in the content of the invite alone: a redacted invite names nobody.
//! **Invariant:** a call ends once. Every step after the end changes nothing.
//!
//! Source: Matrix client-server specification, "Voice over IP", version "1".

mod call;
mod change;
mod content;
mod id;
mod media;
mod room_calls;

pub(crate) use self::content::{
    ANSWER, HANGUP, INVITE, REJECT, answer, hangup, invite, mutation_for, read_step, reject,
};
pub use self::{
    call::{Answer, Call, CallState, End},
    change::{CallChange, CallStep},
    content::is_call_type,
    id::{CallId, PartyId},
    media::{CallMedia, EndReason, HangUpReason},
    room_calls::RoomCalls,
};
