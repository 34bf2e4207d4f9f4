//! Expected refusals: data, with a code from one documented list.

use std::time::Duration;

use async_graphql::{Context, SimpleObject, Value};
use rookery_command::HandleError;
use rookery_domain::{OwnedRoomId, Rejection};

use super::fault::Fault;
use crate::scalars::RoomIdScalar;

pub use super::code::{AccountRefusal, RefusalCode};

/// A refusal. Nothing was changed.
#[derive(Clone, Debug, SimpleObject)]
pub struct Refusal {
    /// The code of the rule.
    pub code: RefusalCode,
    /// The rule, and what to do, in English.
    pub message: String,
    /// The field of the input that the rule is about. Null if it is about none, or about several.
    pub field: Option<String>,
    /// After how many seconds to retry; for `RATE_LIMITED` and `BUSY`.
    pub retry_after: Option<i32>,
    /// The room that has replaced this one; for `ROOM_REPLACED`.
    pub replaced_by: Option<RoomIdScalar>,
}

impl Refusal {
    /// The refusal with this code.
    pub fn of(code: RefusalCode, message: String) -> Self {
        Self { code, message, field: None, retry_after: None, replaced_by: None }
    }

    /// The refusal of a rate limit that lets the client retry after `wait`.
    pub fn until(code: RefusalCode, message: String, wait: Duration) -> Self {
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        let retry_after = Some(i32::try_from(seconds).unwrap_or(i32::MAX));
        Self { retry_after, ..Self::of(code, message) }
    }

    /// Adds the room that replaces this one.
    #[must_use]
    pub fn in_favour_of(self, room: Option<OwnedRoomId>) -> Self {
        Self { replaced_by: room.map(RoomIdScalar), ..self }
    }

    /// Adds the field of the mutation's input that the rule is about, if it can be only one.
    #[must_use]
    pub fn in_input_of(self, context: &Context<'_>) -> Self {
        let arguments = context.field().arguments().unwrap_or_default();
        let input = arguments.into_iter().find(|(name, _)| name == "input");
        let Some((_, Value::Object(input))) = input else { return self };
        let is_given = |field: &str| input.get(field).is_some_and(|value| *value != Value::Null);
        let mut fields = self.code.fields().iter().filter(|field| is_given(field));
        let field = match (fields.next(), fields.next()) {
            (Some(only), None) => Some((*only).to_owned()),
            _ => None,
        };
        Self { field, ..self }
    }
}

/// The result of a command for a payload: a refusal is data, a fault is an error.
pub fn refused<T>(
    context: &Context<'_>,
    result: Result<T, HandleError>,
) -> Result<Result<T, Refusal>, Fault> {
    match result {
        Ok(value) => Ok(Ok(value)),
        Err(error) => Ok(Err(refusal(error)?.in_input_of(context))),
    }
}

fn refusal(error: HandleError) -> Result<Refusal, Fault> {
    let message = error.to_string();
    let code = match error {
        HandleError::Rejected(rejection) => {
            let refusal = Refusal::of(RefusalCode::from(&rejection), message);
            return Ok(match rejection {
                Rejection::RoomReplaced(room) => refusal.in_favour_of(Some(room)),
                _ => refusal,
            });
        }
        HandleError::NoSuchRoom => RefusalCode::NoSuchRoom,
        HandleError::ActionIdReused => RefusalCode::ActionIdReused,
        HandleError::ActionTooLate { .. } => RefusalCode::ActionTooLate,
        HandleError::RefusedBefore { code, .. } => {
            let code = RefusalCode::named(&code);
            let replaced = code == RefusalCode::RoomReplaced;
            let room = replaced.then(|| Rejection::replacement_named_in(&message)).flatten();
            return Ok(Refusal::of(code, message).in_favour_of(room));
        }
        HandleError::Contended { .. } => RefusalCode::Contended,
        HandleError::RateLimited { wait, .. } => {
            return Ok(Refusal::until(RefusalCode::RateLimited, message, wait));
        }
        HandleError::TooLarge => RefusalCode::TooMany,
        HandleError::LoggedOut => return Err(Fault::unauthenticated()),
        HandleError::Unavailable(unavailable) => {
            return Err(Fault::unavailable(&unavailable.reason));
        }
        HandleError::Unreadable { .. } => return Err(Fault::internal(&message)),
    };
    Ok(Refusal::of(code, message))
}
