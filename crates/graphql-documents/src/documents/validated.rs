//! An executor of documents that were read: it executes the planned operation and completes its answers.
//!
//! **Invariant:** the server executes valid documents with variables that fit, and no others.
//! **Invariant:** the executor gets the planned operation and not the text of the client.

use std::sync::Arc;

use async_graphql::{Data, Executor, Request, Response, ServerError};
use futures_util::stream::BoxStream;
use futures_util::{StreamExt as _, stream};

use super::{Executable, Reading};

/// Executes with another executor, which need not validate.
///
/// The data of each request has the [`Reading`] of its document.
#[derive(Clone, Debug)]
pub struct Validated<E>(E);

impl<E: Executor> Validated<E> {
    /// Executes with `run`.
    pub fn new(run: E) -> Self {
        Self(run)
    }

    /// The executor that it executes with.
    pub fn executor(&self) -> &E {
        &self.0
    }
}

/// Puts the planned operation into a request, whose data has the [`Reading`] of its document.
///
/// # Errors
/// The answer to a request that is not valid.
pub fn prepare(mut request: Request) -> Result<(Request, Arc<Executable>), Box<Response>> {
    let refused = |error: ServerError| Box::new(Response::from_errors(vec![error]));
    let Some(reading) = reading(&request) else {
        return Err(refused(ServerError::new("The document of the request was not read.", None)));
    };
    if reading.executable().is_none() {
        let variables = std::mem::take(&mut request.variables);
        let name = request.operation_name.as_deref();
        let plan = reading.plan(&request.query, name, variables);
        if let Some(plan) = plan.map_err(|refusal| refused(refusal.into()))? {
            request.variables = plan.variables;
        }
    }
    let Some(executable) = reading.executable() else {
        let errors = reading.read(&request.query).err().unwrap_or_default().to_vec();
        return Err(Box::new(Response::from_errors(errors)));
    };
    request.set_parsed_query(executable.document().clone());
    Ok((request, Arc::clone(executable)))
}

fn reading(request: &Request) -> Option<Reading> {
    let data = request.data.get(&std::any::TypeId::of::<Reading>())?;
    data.downcast_ref::<Reading>().cloned()
}

impl<E: Executor> Executor for Validated<E> {
    async fn execute(&self, request: Request) -> Response {
        let (request, executable) = match prepare(request) {
            Ok(prepared) => prepared,
            Err(response) => return *response,
        };
        let mut response = self.0.execute(request).await;
        executable.complete(&mut response);
        response
    }

    fn execute_stream(
        &self,
        request: Request,
        session_data: Option<Arc<Data>>,
    ) -> BoxStream<'static, Response> {
        let run = self.0.clone();
        // Nothing happens before the stream is polled, so its caller catches panics.
        let prepared = stream::once(async move {
            let (request, executable) = match prepare(request) {
                Ok(prepared) => prepared,
                Err(response) => return stream::iter([*response]).boxed(),
            };
            let complete = move |mut response: Response| {
                executable.complete(&mut response);
                response
            };
            run.execute_stream(request, session_data).map(complete).boxed()
        });
        prepared.flatten().boxed()
    }
}
