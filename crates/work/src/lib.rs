//! Work that several clients wait for.
//!
//! A client that stops reading is no longer polled. Whatever its future holds then, or waits for in a fair queue, stays
//! with it: a permit, a lock, a read that others have joined. So nothing of that kind is in a client's future. Work that
//! does not end at once runs in a task of its own, which always goes on, and the client has a handle on it.
//!
//! **Invariant:** no handle of this crate keeps another client waiting, whether it is polled, forgotten or dropped.

mod first;
mod job;
mod lock;
mod parked;
mod shared;
mod task;
mod turns;

pub use job::Job;
pub use lock::{Guard, Lock, OwnedGuard};
pub use parked::{Unburdened, unburdened};
pub use shared::SharedFuture;
pub use task::Task;
pub use turns::{Turn, Turns};
