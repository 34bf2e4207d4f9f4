//! The server, for its administrators.
//!
//! **Invariant:** each field refuses everybody else with `FORBIDDEN`.

pub mod accounts;
pub mod rooms;
pub mod status;

use async_graphql::{Context, Object, Result};

use self::{accounts::AccountConnection, rooms::RoomOverviewConnection, status::ServerStatus};
use super::{
    outgoing_webhooks::{self, OutgoingWebhookConnection},
    users::consumers::{self, ConsumerConnection},
};
use crate::context::{app, session};

/// Accounts or rooms on a page, by default.
pub const PAGE_DEFAULT: usize = 20;

/// The server, for its administrators.
pub struct Admin;

/// The server, for its administrators.
#[Object]
impl Admin {
    /// The state of the server: its log, its read models, and counters since it started.
    async fn status(&self, context: &Context<'_>) -> Result<ServerStatus> {
        session(context).admin()?;
        Ok(ServerStatus::of(app(context))?)
    }

    /// The accounts of this server, by user name.
    async fn accounts(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many, from 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "The cursor after which to continue.")] after: Option<String>,
        #[graphql(desc = "The beginning of the user name, without `@`.")] search: Option<String>,
    ) -> Result<AccountConnection> {
        session(context).admin()?;
        Ok(accounts::page(context, search.as_deref(), (first, after))?)
    }

    /// The rooms of this server, the newest first.
    async fn rooms(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many, from 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "The cursor after which to continue.")] after: Option<String>,
        #[graphql(desc = "Only rooms whose name, topic, alias or ID contains this.")]
        search: Option<String>,
    ) -> Result<RoomOverviewConnection> {
        session(context).admin()?;
        Ok(rooms::page(context, search.as_deref(), (first, after)).await?)
    }

    /// The consumers of all users, by owner and name.
    async fn consumers(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many, from 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "The cursor after which to continue.")] after: Option<String>,
    ) -> Result<ConsumerConnection> {
        session(context).admin()?;
        consumers::page(context, None, (first, after)).await
    }

    /// The outgoing webhooks of all users, by ID.
    async fn outgoing_webhooks(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many, from 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "The cursor after which to continue.")] after: Option<String>,
    ) -> Result<OutgoingWebhookConnection> {
        session(context).admin()?;
        outgoing_webhooks::page(context, None, (first, after)).await
    }
}
