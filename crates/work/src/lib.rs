//! Work that several clients wait for.
//!
//! The server does not poll the future of a client that stops reading. Such a future keeps
//! everything that it holds or waits for: a permit, a lock, a read that others have joined. So a
//! client's future holds nothing of that kind. Work that does not end at once runs in a task of its
//! own, which always continues, and the client has a handle on it.
//!
//! **Invariant:** no handle of this crate keeps another client waiting, whether it is polled,
//! forgotten or dropped.

mod first;
mod job;
mod keyed;
mod lanes;
mod lock;
mod parked;
mod refused;
mod shared;
mod task;
mod turns;

pub use job::Job;
pub use keyed::KeyedTasks;
pub use lanes::Lanes;
pub use lock::{Guard, Lock, OwnedGuard};
pub use parked::{Unburdened, unburdened};
pub use refused::unless_refused;
pub use shared::SharedFuture;
pub use task::Task;
pub use turns::{Turn, Turns};
