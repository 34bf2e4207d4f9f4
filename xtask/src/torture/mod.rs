//! `cargo xtask torture`: randomised tests, for any duration.

mod busy;

mod list;
mod request;
mod rig;
mod run;

pub(crate) use run::main;
