//! Events that cannot be decided yet.

mod early;
mod held;

pub use self::{
    early::{EARLY_BYTES_MAX, EARLY_PER_SERVER_BYTES_MAX, Early},
    held::{
        HELD_BYTES_MAX, HELD_PER_ROOM_BYTES_MAX, HELD_PER_ROOM_MAX, HELD_PER_SERVER_BYTES_MAX,
        Held, HeldBack, HeldEvent,
    },
};
