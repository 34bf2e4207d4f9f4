//! Federation: its settings, and the parts of the server that it is made of.

mod delegation;
mod serving;
mod settings;

pub use self::settings::FederationSettings;
pub(crate) use self::{delegation::well_known, serving::Serving};
