//! Typing, presence and the signals of calls: state that is true now and never stored.
//!
//! [`Ephemeral`] holds the users who are typing, the users who are online, and the signals of the
//! calls that go on. A [`Connection`] is one open socket of a device. A [`Reader`] learns of changes. A change is a state and not a
//! message: a slow reader gets the latest state, once.
//!
//! **Invariant:** nothing here reaches the log or a file; a restart forgets it all.
//! **Invariant:** the rules ([`state`](self), typing, presence) read no clock: the time is an
//! argument.
//! **Invariant:** a change wakes only the readers that receive it. An idle reader costs nothing
//! when strangers type.

mod calls;
mod due;
mod ephemeral;
mod presence;
mod readers;
mod remote;
mod state;
#[cfg(test)]
mod tests;
mod time;
mod typing;
mod watch;

pub use self::{
    calls::{
        ALL_CALLS_BYTES_MAX, CALL_BYTES_MAX, CALL_CANDIDATES_MAX, CallDevice, CallParties,
        CallSide, CallSignal, CallSignalBody, CallSignalKind, IceCandidate, SignalCursor,
        SignalRefused,
    },
    ephemeral::{Connection, Ephemeral},
    presence::{LINGER, POLL_COUNTS, Presence, STATUS_BYTES_MAX, Shown, TOLD_EVERY},
    readers::{Audience, Changes, Listening, Reader},
    remote::{
        REMOTE_PRESENCE_LASTS, REMOTE_PRESENCES_MAX, REMOTE_PRESENCES_SERVER_MAX,
        REMOTE_TYPING_LASTS, REMOTE_TYPING_MAX, REMOTE_TYPING_ROOM_MAX, REMOTE_TYPING_SERVER_MAX,
    },
    time::Now,
    typing::{TYPING_DEFAULT, TYPING_MAX, TYPING_ROOMS_MAX},
    watch::{Watch, Watched},
};
