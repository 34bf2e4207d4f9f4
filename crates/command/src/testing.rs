//! Simulated servers that share a room: for the tests of this crate, and of others through its
//! feature `testing`.
//!
//! Each [`Server`] is a real write side with a name and a key of its own. A [`World`] lets several
//! of them act in one room. It passes signed events between them late, in part, out of order and
//! more than once. One of them may be a rogue that signs invalid events. Everything follows from a
//! seed. The sent events ([`World::sent`]) can then be given to any other
//! [`Commands`](crate::Commands), over any log, in any order ([`Orders`]).
//!
//! ```ignore
//! let mut world = World::new(seed, RoomVersionId::V12, 3).await;
//! world.run(60).await;
//! for sent in Orders::new(seed).shuffled(&world.sent) {
//!     sent.deliver(&commands, &world.keys).await;
//! }
//! ```

mod calls;
mod chance;
mod faulty;
mod files;
mod folded;
mod rogue;
mod server;
mod steps;
mod world;

pub(crate) use self::chance::bytes as seeded_bytes;
pub use self::{
    calls::{CallsInLog, calls_in},
    chance::Seeded,
    faulty::{Fate, FaultyLog},
    files::{event_file, key_file},
    folded::{Folded, folded, graph_of, history, room_of},
    rogue::Rogue,
    server::{NoReadSide, Sent, Server},
    steps::{Orders, Rng},
    world::World,
};
