//! A small client that waits for answers, for the check of a relay and for measurements. Calls have that of the browser.

mod connection;
mod link;
mod target;
mod trouble;

pub use self::{
    connection::{Allocated, Family, Login, Received, RelayClient, Source},
    target::{Target, TargetError, Transport},
    trouble::Trouble,
};
