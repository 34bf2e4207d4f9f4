//! The edge for Matrix bridges: programs that speak the Application Service API of Matrix work with this server
//! unchanged.
//!
//! Towards us a bridge makes calls of the client-server API ([`client`](crate::router)). Towards the bridge we push
//! transactions ([`push`](crate::push_to)) and ask whether its users and aliases exist ([`Asking`]).
//!
//! **Invariant:** only tokens of services reach anything here; without a registered bridge there is nothing here.
//! **Invariant:** each call is an adapter over the commands and the views that GraphQL uses. Nothing here decides who
//! may do or read what.
//! **Invariant:** calls and pushes know neither how services are registered nor which library sends requests: they have
//! the ports [`Services`], [`Source`] and [`Outgoing`]. Only [`registered`](crate::bridges) does.

mod ask;
mod client;
mod event;
mod outgoing;
mod push;
mod registered;
mod services;
#[cfg(test)]
mod tests;

pub use self::{
    ask::Asking,
    client::{api::Api, router::router},
    event::client_event,
    outgoing::{Outgoing, OutgoingAnswer, OutgoingError, OutgoingRequest},
    push::{
        consumer::ConsumerSource,
        source::{Source, SourceError, Transaction},
        worker::push_to,
    },
    registered::{Bridges, Pushing, bridges, client, push},
    services::{ActingSession, Endpoint, Ensured, Service, Services},
};
