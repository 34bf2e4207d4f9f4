//! TURN: its settings, the credentials for users, the task that relays, and the check for operators.

mod check;
mod issuer;
mod relay;
mod settings;

pub use self::settings::TurnSettings;
pub(crate) use self::{check::check, issuer::Issuer, relay::Relay};
