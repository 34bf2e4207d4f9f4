//! Somebody new who follows the pages word for word: `cargo xtask test newcomer`.

mod page;
mod script;
mod walk;

pub(crate) use walk::walk;
