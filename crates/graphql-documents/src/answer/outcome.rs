//! The outcome of a request, ready to be sent.
//!
//! **Invariant:** each error has `extensions.code`, and none contains the message of a fault.

use std::any::Any;

use async_graphql::{ErrorExtensionValues, PathSegment, Response, ServerError, Value};
use serde::Serialize;
use serde::ser::SerializeMap;

use super::fault::FaultId;
use super::refusal::{Effect, Refusal, code};
use crate::cost::Cost;
use crate::gate::OperationKind;

/// A GraphQL response with the stage that its request reached.
#[derive(Debug)]
pub enum Outcome {
    /// It was executed: there is `data`, possibly `null`.
    Executed(Response),
    /// The library found it invalid: there is no `data`.
    Invalid(Response),
    /// It was refused before or during execution.
    Refused(Refusal),
}

impl From<Refusal> for Outcome {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl Serialize for Outcome {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Executed(response) => response.serialize(serializer),
            Self::Invalid(_) | Self::Refused(_) => {
                let mut map = serializer.serialize_map(Some(1))?;
                match self.errors() {
                    Errors::Refusal(refusal) => map.serialize_entry("errors", &[refusal])?,
                    Errors::Library(errors) => map.serialize_entry("errors", errors)?,
                }
                map.end()
            }
        }
    }
}

/// A list of errors, as the payload of an `error` message.
pub enum Errors<'a> {
    /// The error of a refusal.
    Refusal(&'a Refusal),
    /// The errors of the executor.
    Library(&'a [ServerError]),
}

impl Serialize for Errors<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Refusal(refusal) => [refusal].serialize(serializer),
            Self::Library(errors) => errors.serialize(serializer),
        }
    }
}

impl Outcome {
    /// The outcome of a query or a mutation.
    #[must_use]
    pub fn of_execution(mut response: Response) -> Self {
        label(&mut response.errors);
        let invalid = response.data == Value::Null
            && !response.errors.is_empty()
            && response.errors.iter().all(|error| error.path.is_empty());
        if invalid {
            response.errors.truncate(ERRORS_MAX);
        }
        if invalid { Self::Invalid(response) } else { Self::Executed(response) }
    }

    /// Adds the cost for the client, if it is known.
    #[must_use]
    pub fn with_cost(mut self, cost: Option<Cost>) -> Self {
        if let (Self::Executed(response), Some(cost)) = (&mut self, cost) {
            response.extensions.insert("cost".to_owned(), cost.into());
        }
        self
    }

    /// Marks the operation as executed, whatever its answer is.
    #[must_use]
    pub fn into_executed(self) -> Self {
        match self {
            Self::Invalid(response) => Self::Executed(response),
            other => other,
        }
    }

    /// The outcome of one step of a subscription. An error at the subscribed field ends it.
    #[must_use]
    pub fn of_step(mut response: Response) -> Self {
        label(&mut response.errors);
        let ended = response.data == Value::Null
            && !response.errors.is_empty()
            && response.errors.iter().all(|error| error.path.len() <= 1);
        if ended { Self::Invalid(response) } else { Self::Executed(response) }
    }

    /// The outcome of a panic. Its message is in the log.
    #[must_use]
    pub fn of_panic(panic: &(dyn Any + Send)) -> Self {
        let fault = FaultId::new();
        let text = panic.downcast_ref::<&str>().copied();
        let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
        tracing::error!(fault_id = %fault, panic = text.unwrap_or("-"), "resolver panicked");
        Self::Refused(Refusal { fault: Some(fault), ..Refusal::new(code::INTERNAL, FAULT) })
    }

    /// Adds to the errors of a started operation whether it may have changed anything. `to_learn`
    /// says how clients learn that.
    #[must_use]
    pub fn with_effect(mut self, kind: OperationKind, to_learn: &str) -> Self {
        match &mut self {
            _ if kind != OperationKind::Mutation => {}
            Self::Refused(refusal) => {
                refusal.outcome = Some(Effect::Unknown);
                refusal.message = format!("{} {to_learn}", refusal.message).into();
            }
            Self::Executed(response) => {
                let errors = response.errors.iter_mut();
                let extensions = errors.filter_map(|error| error.extensions.as_mut());
                for extensions in extensions.filter(|extensions| is_open(extensions)) {
                    extensions.set("outcome", Effect::Unknown.name());
                }
            }
            Self::Invalid(_) => {}
        }
        self
    }

    /// The errors, as sent.
    #[must_use]
    pub fn errors(&self) -> Errors<'_> {
        match self {
            Self::Executed(response) | Self::Invalid(response) => Errors::Library(&response.errors),
            Self::Refused(refusal) => Errors::Refusal(refusal),
        }
    }

    /// The code of the first error, for the log.
    #[must_use]
    pub fn code(&self) -> Option<String> {
        match self {
            Self::Refused(refusal) => Some(refusal.code.to_owned()),
            Self::Executed(response) | Self::Invalid(response) => {
                match response.errors.first()?.extensions.as_ref()?.get("code")? {
                    Value::String(code) => Some(code.clone()),
                    _ => None,
                }
            }
        }
    }
}

/// Most errors for one invalid document. One for each of its fields would make the answer much
/// longer than it.
const ERRORS_MAX: usize = 50;

/// Whether an error of a mutation leaves its effect unknown.
fn is_open(extensions: &ErrorExtensionValues) -> bool {
    let Some(Value::String(code)) = extensions.get("code") else { return false };
    let codes = [code::UNAVAILABLE, code::INTERNAL, code::ANSWER_TOO_LARGE, code::TOO_MUCH_WORK];
    codes.contains(&code.as_str()) && extensions.get("outcome").is_none()
}

const FAULT: &str = "The server failed to answer this; its log says why, under `faultId`.";

/// Gives each error a code. A resolver's error without a code is a fault, and its message is not
/// sent.
fn label(errors: &mut [ServerError]) {
    for error in errors {
        let extensions = error.extensions.get_or_insert_with(ErrorExtensionValues::default);
        if extensions.get("code").is_some() {
            continue;
        }
        let code = if error.path.is_empty() && error.source.is_none() {
            code_of_invalid(&error.message)
        } else if is_about_input(&error.message) && error.source.is_none() {
            code::BAD_USER_INPUT
        } else {
            let fault = FaultId::new();
            tracing::error!(fault_id = %fault, path = %path(&error.path), error = ?error.message, "resolver failed");
            extensions.set("faultId", fault.to_string());
            FAULT.clone_into(&mut error.message);
            code::INTERNAL
        };
        extensions.set("code", code);
    }
}

/// async-graphql marks its own limits only by their messages.
fn code_of_invalid(message: &str) -> &'static str {
    match message {
        "Query is nested too deep." => code::QUERY_TOO_DEEP,
        "Query is too complex." => code::QUERY_TOO_COMPLEX,
        _ if message.contains("recursion depth") => code::QUERY_TOO_DEEP,
        _ if is_about_input(message) => code::BAD_USER_INPUT,
        _ => code::GRAPHQL_VALIDATION_FAILED,
    }
}

/// The messages with which async-graphql refuses an argument during execution.
fn is_about_input(message: &str) -> bool {
    ["Failed to parse \"", "Expected input type \"", "Invalid value for argument \"", "Variable "]
        .iter()
        .any(|start| message.starts_with(start))
}

fn path(segments: &[PathSegment]) -> String {
    let segments: Vec<_> = segments
        .iter()
        .map(|segment| match segment {
            PathSegment::Field(field) => field.clone(),
            PathSegment::Index(index) => index.to_string(),
        })
        .collect();
    segments.join(".")
}
