//! Signals of calls: the offers, answers and candidates that let two devices connect.
//!
//! A call begins and ends in the log. Its signals hold addresses of its parties, so they stay out of
//! the log: they are here while the call lasts.
//!
//! **Invariant:** a signal reaches only the devices that it is for. Those of the caller are for all
//! devices of the callee while the call rings, and for the device that answered from then on. Those
//! of the callee are for the device that calls.
//! **Invariant:** no signal is queued for a reader. A reader asks for those that it has not had.
//! **Invariant:** the signals of a call are bounded, and so are those of all calls.

mod call;
mod cursor;
mod shared;
mod signal;
mod table;
#[cfg(test)]
mod tests;

pub(crate) use self::table::Calls;
pub use self::{
    call::{CallDevice, CallParties, CallSide},
    cursor::SignalCursor,
    signal::{
        ALL_CALLS_BYTES_MAX, CALL_BYTES_MAX, CALL_CANDIDATES_MAX, CallSignal, CallSignalBody,
        CallSignalKind, IceCandidate, SignalRefused,
    },
};
