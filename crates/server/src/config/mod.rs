//! The configuration: defaults, then a file (TOML), then environment variables, then flags.
//!
//! `settings` lists every setting once. Its key, variable and flag follow from one name
//! (`limits.body`, `ROOKERY_LIMITS_BODY`, `--limits-body`).
//!
//! **Invariant:** nothing is ignored silently. The program refuses an unknown key in the file and
//! an invalid value, and names the place and the expected form.

mod error;
mod folder;
mod identity;
mod load;
mod memory;
mod settings;
mod shape;
mod values;

#[cfg(test)]
mod tests;

pub(crate) use self::values::parse_duration;
pub use rookery_hosts::{Client, Host, Network, TrustedProxies};

pub use self::{
    error::{ConfigError, Problem, Source},
    folder::{FolderError, check_folder, check_writable},
    identity::{DEFAULT_SERVER_NAME, IdentityError, OldSigningKey, ServerIdentity},
    load::{Loaded, load},
    memory::Caches,
    settings::{ALL, Scope, Setting},
    shape::{Config, Limits, LogFormat},
};
