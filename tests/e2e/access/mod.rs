//! Access of users and hosts, and its end.

mod hosts;
mod nearness;
mod revocation;
mod rules;
mod security;
mod visibility;
