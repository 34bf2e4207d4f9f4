//! Calls of the engine whose panics become errors.
//!
//! sled asserts on the data it reads. Damage that its checksums miss ends in a panic, in the
//! calling thread or in one of its own (named `sled-io-N`).
//!
//! **Invariant:** panics of other code are reported as usual.

use std::{
    any::Any,
    cell::Cell,
    panic::{self, AssertUnwindSafe},
    sync::Once,
    thread,
};

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// Runs `work`. A panic in it becomes an error with its message, and is not printed.
pub(crate) fn catch<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    install();
    let before = QUIET.replace(true);
    let result = panic::catch_unwind(AssertUnwindSafe(work));
    QUIET.set(before);
    result.map_err(|payload| message(payload.as_ref()))
}

fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let engine = thread::current().name().is_some_and(|name| name.starts_with("sled-io-"));
            if !engine && !QUIET.get() {
                before(info);
            }
        }));
    });
}

fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| payload.downcast_ref::<&str>().copied());
    let line = text.unwrap_or("no message").lines().next().unwrap_or_default();
    line.chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panic_becomes_its_message() {
        assert_eq!(
            catch(|| panic!("page {} is torn", 7)),
            Err::<(), _>("page 7 is torn".to_owned())
        );
        assert_eq!(catch(|| 3), Ok(3));
    }
}
