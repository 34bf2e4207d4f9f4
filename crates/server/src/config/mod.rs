//! The configuration: defaults, then a file (TOML), then environment variables, then flags.
//!
//! `settings` lists every setting once. Its key, variable and flag follow from one name
//! (`limits.body`, `ROOKERY_LIMITS_BODY`, `--limits-body`).
//!
//! **Invariant:** nothing is ignored silently. The program refuses an unknown key in the file and
//! an invalid value, and names the place and the expected form.

mod error;
mod folder;
mod host;
mod identity;
mod load;
mod memory;
mod proxies;
mod settings;
mod shape;
mod values;

#[cfg(test)]
mod tests;

#[cfg(test)]
pub(crate) use self::values::network;
pub(crate) use self::values::parse_duration;
pub use self::{
    error::{ConfigError, Problem, Source},
    folder::{FolderError, check_folder, check_writable},
    host::Host,
    identity::{DEFAULT_SERVER_NAME, IdentityError, ServerIdentity},
    load::{Loaded, load},
    memory::Caches,
    proxies::{Client, Network, TrustedProxies},
    settings::{ALL, Scope, Setting},
    shape::{Config, Limits, LogFormat},
};
