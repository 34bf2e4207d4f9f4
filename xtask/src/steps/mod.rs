//! `cargo xtask test`: the checks, in order.

mod code;
mod list;
mod packages;
mod program;
mod report;
mod requirements;
mod run;
mod side_by_side;
mod sources;
mod step;

pub(crate) use run::main;
pub(crate) use step::Stop;
