//! Work that a test refuses: in a debug build, the file that `ROOKERY_UNFIT` names has a name in each line.
//!
//! **Invariant:** a release build refuses nothing.

/// Succeeds unless a test refuses the work of this name now.
///
/// # Errors
/// The reason, for the error of the caller.
pub fn unless_refused(name: &str) -> Result<(), &'static str> {
    let file = if cfg!(debug_assertions) { std::env::var_os("ROOKERY_UNFIT") } else { None };
    let names = file.and_then(|file| std::fs::read_to_string(file).ok()).unwrap_or_default();
    let is_named = names.lines().any(|line| line == name);
    if is_named { Err("a test asked to refuse this stream") } else { Ok(()) }
}
