//! `cargo xtask torture`: tests that take chances, for as long as somebody wants.

mod list;
mod request;
mod rig;
mod run;

pub(crate) use run::main;
