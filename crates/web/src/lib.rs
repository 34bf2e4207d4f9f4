//! The chat in the browser, and the other pages that the server serves. Their files are built into the binary.
//!
//! The sources of the chat are in `app`, and its bundle is committed in `files`: the server builds without Node.js.
//!
//! **Invariant:** a page loads nothing from another host.
//! **Invariant:** pages hold no data of any account: the chat gets it through the public GraphQL API.

mod chat;
mod pages;
mod routes;

pub use self::{chat::CHAT_POLICY, pages::GRAPHIQL, routes::router};
