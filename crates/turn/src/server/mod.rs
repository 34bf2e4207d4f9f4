//! The relay.

mod access;
mod allocation;
mod answers;
mod client;
mod options;
mod ports;
mod relay;
mod requests;
mod sockets;
mod table;
mod tcp;

pub use self::{
    options::{Bounds, Clock, Now, Options},
    relay::Usage,
    sockets::{BindError, Monitor, Server},
};
