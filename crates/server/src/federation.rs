//! Federation: its settings, and the parts of the server that it is made of.

mod serving;
mod settings;

pub(crate) use self::serving::Serving;
pub use self::settings::FederationSettings;
