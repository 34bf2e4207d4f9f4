//! Follows the pages word for word, as a newcomer does: `cargo xtask test newcomer`.

mod page;
mod script;
mod walk;

pub(crate) use walk::walk;
