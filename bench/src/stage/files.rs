//! The limit of open files: thousands of sockets need more than the default of many systems.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::{Error, settings::Settings};

/// Files besides the sockets.
const SPARE: u64 = 500;

/// Raises the limit of this program and of the servers that it starts, as far as allowed.
///
/// # Errors
/// If the system forbids that.
pub(crate) fn raise_limit() -> Result<(), Error> {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit })?;
    Ok(())
}

/// Checks that `sockets` can be open at once.
///
/// # Errors
/// States what to do if they cannot.
pub(crate) fn enough_for(sockets: usize) -> Result<(), Error> {
    let needed = sockets as u64 + SPARE;
    match getrlimit(Resource::Nofile).current {
        Some(limit) if limit < needed => {
            let prefix = Settings::PREFIX;
            Err(format!(
                "{sockets} sockets need {needed} open files and {limit} are allowed: raise the \
                 hard limit (`ulimit -Hn`), or measure fewer ({prefix}LISTENERS, {prefix}SOCKETS)"
            )
            .into())
        }
        _ => Ok(()),
    }
}
