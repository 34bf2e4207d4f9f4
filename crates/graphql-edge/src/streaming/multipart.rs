//! Multipart subscriptions for Apollo Client: each result is a part of one `multipart/mixed`
//! answer.
//!
//! A part ends with the boundary of the next one, so a client has it complete at once. Errors of
//! the operation are in the part's `payload`. Errors of the connection are beside it, and `payload`
//! is null.
//!
//! Source: Apollo Router, "Multipart HTTP protocol for GraphQL Subscriptions".

use std::sync::Arc;

use axum::response::Response;
use parking_lot::Mutex;
use rookery_graphql_documents::{Outcome, Refusal};

use super::delivery::{Delivery, Ends, Form, Line};
use crate::http::router::Transport;
use crate::operation::operations::{Run, Wording};
use crate::port::auth::{Authenticator, SessionEnd};

static MULTIPART: Form = Form {
    content_type: "multipart/mixed; boundary=\"graphql\"; subscriptionSpec=\"1.0\"",
    opening: "\r\n--graphql",
    heartbeat: "\r\nContent-Type: application/json\r\n\r\n{}\r\n--graphql",
    wording: Wording { next, next_shared, error, complete },
    tells_shutdown: true,
};

/// Answers a subscription.
pub(crate) fn subscribe<E, A: Authenticator>(
    transport: &Transport<E, A>,
    session: (&A::Session, Arc<dyn SessionEnd>),
    run: Run,
    held: Box<dyn Send>,
) -> Result<Response, Refusal> {
    let mut line = Line::new(&MULTIPART);
    line.start("", run);
    let line = Arc::new(Mutex::new(line));
    let form = (&MULTIPART, Ends::WithOperation);
    Ok(Delivery::new(transport, session, line, form, held)?.respond())
}

fn part(json: &str) -> String {
    ["\r\nContent-Type: application/json\r\n\r\n", json, "\r\n--graphql"].concat()
}

fn next(id: &str, outcome: &Outcome) -> String {
    match outcome {
        // An error of the connection stands beside the payload.
        Outcome::Refused(_) => part(&["{\"payload\":null,", &outcome.text()[1..]].concat()),
        Outcome::Executed(_) | Outcome::Invalid(_) => next_shared(id, &outcome.text()),
    }
}

fn next_shared(_: &str, payload: &str) -> String {
    part(&["{\"payload\":", payload, "}"].concat())
}

fn error(id: &str, outcome: &Outcome) -> String {
    next(id, outcome) + &complete(id)
}

/// Turns the boundary that was already sent into the last one.
fn complete(_: &str) -> String {
    "--\r\n".to_owned()
}

#[cfg(test)]
mod tests {
    use async_graphql::{Response, Value};

    use super::*;
    use rookery_graphql_documents::code;

    #[test]
    fn a_shared_payload_makes_the_same_part_as_an_own_one() {
        let response = Response::new(Value::from("line\nend"));
        let shared = serde_json::to_string(&response).unwrap_or_default();
        assert_eq!(next_shared("", &shared), next("", &Outcome::Executed(response)));
    }

    #[test]
    fn what_is_wrong_with_the_connection_stands_beside_the_payload() {
        let refused = Outcome::Refused(Refusal::new(code::UNAVAILABLE, "later"));
        assert_eq!(
            error("", &refused),
            "\r\nContent-Type: application/json\r\n\r\n\
             {\"payload\":null,\"errors\":[{\"message\":\"later\",\"extensions\":{\"code\":\"UNAVAILABLE\"}}]}\
             \r\n--graphql--\r\n"
        );
    }
}
