//! GraphQL over Server-Sent Events: the protocol graphql-sse, with a connection for each operation
//! or with one for all.
//!
//! Source: "GraphQL over Server-Sent Events Protocol" (`graphql-sse` 2, PROTOCOL.md).

mod reservation;
mod single;

use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use parking_lot::Mutex;
use rookery_graphql_documents::{Outcome, Refusal};
use serde_json::Value;

use super::delivery::{Delivery, Ends, Form, Line, response};
use crate::http::router::Transport;
use crate::operation::operations::{Run, Wording};
use crate::port::auth::{Authenticator, SessionEnd};

pub(crate) use reservation::Reservations;
pub(crate) use single::{open, operate, reserve, stop, token};

const CONTENT_TYPE: &str = "text/event-stream; charset=utf-8";
/// A comment, which clients ignore.
const COMMENT: &str = ":\n\n";

/// A connection for each operation.
static DISTINCT: Form = Form {
    content_type: CONTENT_TYPE,
    opening: COMMENT,
    heartbeat: COMMENT,
    wording: Wording { next, next_shared, error, complete },
    // Without `complete`, clients reconnect.
    tells_shutdown: false,
};

/// One connection for all operations.
static SINGLE: Form = Form {
    content_type: CONTENT_TYPE,
    opening: COMMENT,
    heartbeat: COMMENT,
    wording: Wording {
        next: next_of,
        next_shared: next_shared_of,
        error: error_of,
        complete: complete_of,
    },
    tells_shutdown: false,
};

/// Answers an operation with a stream of its own.
pub(crate) fn stream<E, A: Authenticator>(
    transport: &Transport<E, A>,
    session: (&A::Session, Arc<dyn SessionEnd>),
    run: Run,
    held: Box<dyn Send>,
) -> Result<Response, Refusal> {
    let mut line = Line::new(&DISTINCT);
    line.start("", run);
    let line = Arc::new(Mutex::new(line));
    let form = (&DISTINCT, Ends::WithOperation);
    Ok(Delivery::new(transport, session, line, form, held)?.respond())
}

/// Reports a refusal in a stream: browsers hide other answers from an `EventSource`.
pub(crate) fn refused(refusal: Refusal) -> Response {
    response(&DISTINCT, Body::from(error("", &refusal.into())))
}

/// Each event is one line of JSON, which escapes line breaks.
fn event(name: &str, data: &[&str]) -> String {
    ["event: ", name, "\ndata: ", &data.concat(), "\n\n"].concat()
}

fn next(id: &str, outcome: &Outcome) -> String {
    next_shared(id, &outcome.text())
}

fn next_shared(_: &str, payload: &str) -> String {
    event("next", &[payload])
}

fn error(id: &str, outcome: &Outcome) -> String {
    next(id, outcome) + &complete(id)
}

/// Browsers notice an event only with `data`. There is no space after it, because some clients read
/// the rest as JSON.
fn complete(_: &str) -> String {
    "event: complete\ndata:\n\n".to_owned()
}

fn next_of(id: &str, outcome: &Outcome) -> String {
    next_shared_of(id, &outcome.text())
}

fn next_shared_of(id: &str, payload: &str) -> String {
    event("next", &["{\"id\":", &Value::from(id).to_string(), ",\"payload\":", payload, "}"])
}

fn error_of(id: &str, outcome: &Outcome) -> String {
    next_of(id, outcome) + &complete_of(id)
}

fn complete_of(id: &str) -> String {
    event("complete", &["{\"id\":", &Value::from(id).to_string(), "}"])
}

#[cfg(test)]
mod tests {
    use async_graphql::{Response, Value as GraphQl};

    use super::*;

    #[test]
    fn a_shared_payload_makes_the_same_event_as_an_own_one() {
        let response = Response::new(GraphQl::from("two\nlines\r\n\u{2028}"));
        let shared = serde_json::to_string(&response).unwrap_or_default();
        let own = Outcome::Executed(response);
        assert_eq!(next_shared("", &shared), next("", &own));
        assert_eq!(next_shared_of("\"\n", &shared), next_of("\"\n", &own));
    }

    #[test]
    fn an_event_is_one_line_of_data_whatever_is_in_it() {
        let nasty =
            Outcome::Executed(Response::new(GraphQl::from("a\n\nevent: complete\r\rdata: x")));
        let text = next_of("id\n\ndata: y", &nasty);
        assert_eq!(text.matches('\n').count(), 3, "{text}");
        assert!(!text.contains('\r'), "{text}");
    }
}
