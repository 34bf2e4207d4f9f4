//! An executor that validates each document once.
//!
//! async-graphql validates at every execution, and an extension that answered for it would slow down every field
//! of every answer. So there are two schemas of the same types: one only validates, the other only executes.
//!
//! **Invariant:** nothing is executed that the validating schema has not passed, with these variables or with others
//! that its rules cannot tell from them.
//! **Invariant:** the document is validated as the client wrote it, and executed as it was planned.

use std::sync::Arc;

use async_graphql::extensions::{
    Extension, ExtensionContext, ExtensionFactory, NextExecute, NextParseQuery,
};
use async_graphql::parser::types::ExecutableDocument;
use async_graphql::{Data, Executor, Request, Response, SchemaEnv, ServerResult, Value, Variables};
use futures_util::stream::BoxStream;
use futures_util::{FutureExt as _, StreamExt as _, stream};
use parking_lot::Mutex;

use super::variables::Uses;
use super::{Reading, Valid};
use crate::transport::frame::{Frame, Frames};

/// Validates with one schema and executes with another.
#[derive(Clone)]
pub struct Validated<E> {
    run: E,
    check: E,
}

impl<E: Executor> Validated<E> {
    /// Executes with `run`, which need not check what `check` checks; `check` has the extension [`Check`], and the
    /// same types and limits.
    pub fn new(run: E, check: E) -> Self {
        Self { run, check }
    }

    /// Puts the parsed document into a request that is valid.
    ///
    /// # Errors
    /// The answer to a request that is not.
    async fn prepare(&self, mut request: Request) -> Result<Request, Response> {
        let reading = reading(&request);
        let known = reading.as_ref().and_then(Reading::valid);
        if let Some(valid) = known.filter(|valid| valid.uses.surely_fit(&request.variables)) {
            let planned = reading.as_ref().and_then(Reading::planned);
            request.set_parsed_query(planned.unwrap_or_else(|| valid.document.clone()));
            return Ok(request);
        }
        let found = Found::default();
        let mut check = Request::new(request.query.as_str())
            .variables(request.variables.clone())
            .data(found.clone());
        check.operation_name.clone_from(&request.operation_name);
        if let Ok(document) = request.parsed_query() {
            check.set_parsed_query(document.clone());
        }
        let response = self.check.execute(check).await;
        if !response.errors.is_empty() {
            return Err(response);
        }
        if let Some((document, schema)) = found.take() {
            let planned = reading.as_ref().and_then(Reading::planned);
            request.set_parsed_query(planned.unwrap_or_else(|| document.clone()));
            if let Some(reading) = &reading {
                let (uses, bytes) = Uses::of(&document, schema);
                let bytes = bytes + request.query.len();
                reading.keep(&request.query, Valid { document, uses, bytes });
            }
        }
        Ok(request)
    }
}

fn reading(request: &Request) -> Option<Reading> {
    let data = request.data.get(&std::any::TypeId::of::<Reading>())?;
    data.downcast_ref::<Reading>().cloned()
}

impl<E: Executor> Executor for Validated<E> {
    async fn execute(&self, request: Request) -> Response {
        match self.prepare(request).await {
            Ok(request) => self.run.execute(request).await,
            Err(response) => response,
        }
    }

    fn execute_stream(
        &self,
        request: Request,
        session_data: Option<Arc<Data>>,
    ) -> BoxStream<'static, Response> {
        let this = self.clone();
        // Nothing happens before the stream is asked: whoever asks catches panics.
        let prepared = async move {
            match this.prepare(request).await {
                Ok(request) => this.run.execute_stream(request, session_data),
                Err(response) => stream::iter([response]).boxed(),
            }
        };
        prepared.flatten_stream().boxed()
    }
}

impl<E: Frames> Frames for Validated<E> {
    fn frames(&self, request: Request) -> BoxStream<'static, Frame> {
        let this = self.clone();
        let prepared = async move {
            match this.prepare(request).await {
                Ok(request) => this.run.frames(request),
                Err(response) => stream::iter([response.into()]).boxed(),
            }
        };
        prepared.flatten_stream().boxed()
    }
}

/// What validation has found, on its way out of the schema.
#[derive(Clone, Default)]
struct Found(Arc<Mutex<Option<(ExecutableDocument, SchemaEnv)>>>);

impl Found {
    fn take(&self) -> Option<(ExecutableDocument, SchemaEnv)> {
        self.0.lock().take()
    }
}

/// The extension of the schema that only validates.
pub struct Check;

impl ExtensionFactory for Check {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Self)
    }
}

#[async_graphql::async_trait::async_trait]
impl Extension for Check {
    async fn parse_query(
        &self,
        context: &ExtensionContext<'_>,
        query: &str,
        variables: &Variables,
        next: NextParseQuery<'_>,
    ) -> ServerResult<ExecutableDocument> {
        let document = next.run(context, query, variables).await?;
        if let Some(found) = context.data_opt::<Found>() {
            *found.0.lock() = Some((document.clone(), context.schema_env.clone()));
        }
        Ok(document)
    }

    async fn execute(
        &self,
        _: &ExtensionContext<'_>,
        _: Option<&str>,
        _: NextExecute<'_>,
    ) -> Response {
        Response::new(Value::Null)
    }
}
