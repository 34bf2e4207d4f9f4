//! A client of the conversation: `graphql_client` has the types, `graphql-ws-client` the connection.
//!
//! One line of JSON on standard input is a call, one on standard output an answer: see `process.mjs`.
//!
//! **Invariant:** each call has a connection of its own, which does not come back by itself.

#[expect(dead_code, nonstandard_style, unused_imports, reason = "generated code")]
mod documents;

use std::error::Error;
use std::rc::Rc;

use futures_lite::StreamExt as _;
use graphql_client::GraphQLQuery;
use graphql_ws_client::graphql::StreamingOperation;
use graphql_ws_client::{Client, Subscription};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::HeaderValue;

type Failure = Box<dyn Error>;

/// A call of the conversation.
#[derive(Deserialize)]
struct Call {
    id: u64,
    token: Option<String>,
    document: String,
    variables: Value,
}

impl Call {
    /// The kind and the name of the operation.
    fn head(&self) -> (&str, &str) {
        let mut words = self.document.split(|letter: char| !letter.is_alphanumeric());
        (words.next().unwrap_or_default(), words.next().unwrap_or_default())
    }

    fn is_subscription(&self) -> bool {
        self.head().0 == "subscription"
    }
}

/// Connects with the token of a call, and starts one operation.
async fn start<Q>(url: &str, call: &Call) -> Result<Subscription<StreamingOperation<Q>>, Failure>
where
    Q: GraphQLQuery + Send + Sync + Unpin + 'static,
    Q::Variables: for<'a> Deserialize<'a> + Send + Sync + Unpin,
    Q::ResponseData: Send,
{
    let mut request = url.into_client_request()?;
    let protocol = HeaderValue::from_static("graphql-transport-ws");
    request.headers_mut().insert("Sec-WebSocket-Protocol", protocol);
    let (socket, _) = tokio_tungstenite::connect_async(request).await?;
    // The generated variables of a document without any are a unit.
    let is_empty = call.variables.as_object().is_some_and(serde_json::Map::is_empty);
    let variables = if is_empty { Value::Null } else { call.variables.clone() };
    let operation = StreamingOperation::<Q>::new(serde_json::from_value(variables)?);
    let payload =
        call.token.as_ref().map(|token| json!({"Authorization": format!("Bearer {token}")}));
    Ok(Client::build(socket).payload(payload.unwrap_or(json!({})))?.subscribe(operation).await?)
}

/// Prints each result of an operation, and its end.
///
/// graphql-ws-client tells no close code once it is connected: its results end. So a request without an answer is sent
/// again, and that connection fails with the code.
async fn answer<Q>(url: &str, call: &Call) -> Result<(), Failure>
where
    Q: GraphQLQuery + Send + Sync + Unpin + 'static,
    Q::Variables: for<'a> Deserialize<'a> + Send + Sync + Unpin,
    Q::ResponseData: serde::Serialize + Send,
{
    let mut data = None;
    while data.is_none() {
        let mut results = start::<Q>(url, call).await?;
        while let Some(result) = results.next().await {
            let result = result?;
            if let Some(error) = result.errors.and_then(|errors| errors.into_iter().next()) {
                let code = error.extensions.and_then(|extensions| extensions.get("code").cloned());
                say(json!({"id": call.id, "error": {"message": error.message, "code": code}}));
                return Ok(());
            }
            let value = serde_json::to_value(result.data)?;
            if call.is_subscription() {
                say(json!({"id": call.id, "next": value}));
            } else {
                data = Some(value);
            }
        }
        if call.is_subscription() {
            break;
        }
    }
    say(json!({"id": call.id, "data": data}));
    Ok(())
}

fn say(answer: Value) {
    println!("{answer}");
}

/// The close code of the socket, if that is the reason of a failure.
fn close_code(failure: &Failure) -> Option<u16> {
    match failure.downcast_ref() {
        Some(graphql_ws_client::Error::Close(code, _)) => Some(*code),
        _ => None,
    }
}

async fn serve(url: Rc<str>, call: Call) {
    if let Err(failure) = documents::dispatch(&url, &call).await {
        let error = json!({"message": failure.to_string(), "code": close_code(&failure)});
        say(json!({"id": call.id, "error": error}));
    }
}

async fn run(server: String) -> Result<(), Failure> {
    let url: Rc<str> = format!("{}/graphql", server.replace("http", "ws")).into();
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Some(line) = lines.next_line().await? {
        tokio::task::spawn_local(serve(Rc::clone(&url), serde_json::from_str(&line)?));
    }
    Ok(())
}

fn main() -> Result<(), Failure> {
    let server = std::env::args().nth(1).ok_or("give the address of the server")?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    tokio::task::LocalSet::new().block_on(&runtime, run(server))
}
