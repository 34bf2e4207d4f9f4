//! Durable consumers: how fast they get what happens, how fast they catch up, and what they cost others.

mod behind;
mod beside;
mod client;
mod live;
mod run;

pub(super) use run::run;
