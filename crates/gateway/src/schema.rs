//! The GraphQL schema.
//!
//! **Invariant:** identifiers are parsed here, once; inside, a room ID is a room ID.
//! **Invariant:** an expected refusal is data; a fault is an error with a code and no internals.

#![expect(clippy::unused_async, reason = "async-graphql takes resolvers that are async")]

mod cost;
mod query;
pub(crate) mod subscription;
#[cfg(test)]
mod tests;

use std::sync::{Arc, LazyLock};

pub use async_graphql::Request;
use async_graphql::ValidationMode;
use rookery_graphql_documents::{CostModel, Types, Validated};
use rookery_mutations::Mutation;
use rookery_schema::{
    marks::{Marks, without_marks},
    types::{errors::payload::ActionPayload, node::Node},
};

use crate::sharing::Fanout;
pub use crate::sharing::{FanoutCounts, SharingSchema};

pub use rookery_schema::{
    context::{App, Session, token_key, token_secret},
    entrances::Entrances,
    ice::{IceServer, IceServers},
    types::errors::fault::TO_LEARN,
};

pub use self::cost::GUARDED_FIELDS;

/// The schema of Rookery.
pub type Schema = async_graphql::Schema<query::Query, Mutation, subscription::Subscription>;

/// Deepest nesting of a query's fields. Standard introspection queries need 15.
const DEPTH_MAX: usize = 20;

/// Most directives on one field.
const DIRECTIVES_MAX: usize = 10;

/// The schema, executed on `app`.
#[must_use]
pub fn schema(app: Arc<App>) -> Schema {
    let fanout = fanout(&app);
    builder().data(app).data(fanout).finish()
}

/// The schema, executed on `app`, for documents that were read against [`types`].
#[must_use]
pub fn executor(app: Arc<App>) -> Validated<SharingSchema> {
    // Documents were validated before; the library's limits are checked each time.
    let fanout = fanout(&app);
    let schema = builder().data(app).data(fanout).validation_mode(ValidationMode::Fast).finish();
    Validated::new(schema.into())
}

/// The shared answers of one schema.
fn fanout(app: &App) -> Arc<Fanout> {
    Arc::new(match app.shared_answers_bytes_max {
        Some(bytes_max) => Fanout::within(app.shares_answers, bytes_max),
        None => Fanout::new(app.shares_answers),
    })
}

/// The text of the schema as the server reads it: once, when it is first needed.
struct Definitions {
    marks: Marks,
    costs: Arc<CostModel>,
}

static DEFINITIONS: LazyLock<Definitions> = LazyLock::new(|| {
    let marks = match Marks::of_sdl(&marked_sdl()) {
        Ok(marks) => marks,
        Err(error) => unreachable!("{error}"),
    };
    let costs = Arc::new(CostModel::new(marks.types(), cost::RULES));
    Definitions { marks, costs }
});

/// Begins to read the schema, which takes some milliseconds, on a thread of its own. A server calls
/// this before it opens its data.
pub fn prepare() {
    let thread = std::thread::Builder::new().name("schema".into());
    // Without the thread, the first caller that needs the schema reads it.
    thread.spawn(|| LazyLock::force(&DEFINITIONS)).ok();
}

/// The types of the schema, for the validation of documents.
#[must_use]
pub fn types() -> Arc<Types> {
    Arc::clone(DEFINITIONS.marks.types())
}

/// The costs of its fields.
#[must_use]
pub(crate) fn costs() -> Arc<CostModel> {
    Arc::clone(&DEFINITIONS.costs)
}

/// The fields that have the same value for many subscribers.
pub(crate) fn marks() -> &'static Marks {
    &DEFINITIONS.marks
}

/// The schema as text, in the GraphQL schema definition language.
#[must_use]
pub fn sdl() -> String {
    without_marks(&marked_sdl())
}

/// The same, with a mark at each field that has the same value for many subscribers:
/// `@shared(by: EVERYONE)`. The marks are no part of the schema for clients.
#[must_use]
pub fn marked_sdl() -> String {
    let options = async_graphql::SDLExportOptions::new().include_specified_by();
    builder().finish().sdl_with_options(options)
}

fn builder() -> async_graphql::SchemaBuilder<query::Query, Mutation, subscription::Subscription> {
    Schema::build(query::Query, Mutation::default(), subscription::Subscription)
        .limit_depth(DEPTH_MAX)
        .limit_directives(DIRECTIVES_MAX)
        .register_output_type::<Node>()
        .register_output_type::<ActionPayload>()
}
