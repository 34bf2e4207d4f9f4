//! Rooms as they were at an earlier position.

mod missed;
mod moved;
mod settings;
mod since;
mod slots;

pub use self::{moved::Moved, settings::PastRoom};
