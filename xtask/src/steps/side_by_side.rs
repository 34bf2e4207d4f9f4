//! Runs test programs side by side, so that some work while others wait.
//!
//! **Invariant:** a test program that compares durations runs alone.
//! **Invariant:** every program runs, also after one has failed, and its output is in one piece.

use std::num::NonZeroUsize;
use std::process::Stdio;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use crate::binaries::Binary;
use crate::process;
use crate::repository::Repository;

/// The target whose tests compare the latencies of users.
const ALONE: &str = "e2e";

/// Runs `binaries`, as many at a time as there are processors.
///
/// # Errors
/// Names those that failed.
pub(super) fn run(repository: &Repository, binaries: &[Binary]) -> Result<(), String> {
    let (alone, others): (Vec<_>, Vec<_>) = binaries.iter().partition(|it| it.is_of(ALONE));
    let shown = Mutex::new(());
    let processors = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let mut failed =
        each(&others, processors, |binary| named(binary, in_one_piece(repository, binary, &shown)));
    failed.extend(each(&alone, 1, |binary| {
        named(binary, process::run(&mut binary.command(repository)))
    }));
    if failed.is_empty() { Ok(()) } else { Err(failed.join("; ")) }
}

fn named(binary: &Binary, result: Result<(), String>) -> Result<(), String> {
    result.map_err(|reason| format!("{}: {reason}", binary.name()))
}

/// Runs each of `items`, `width` at a time. Returns the errors.
fn each<T: Sync>(
    items: &[T],
    width: usize,
    run: impl Fn(&T) -> Result<(), String> + Sync,
) -> Vec<String> {
    let open = Mutex::new(items.iter());
    let failed = Mutex::new(Vec::new());
    let work = || {
        loop {
            let next = locked(&open).next();
            let Some(item) = next else { return };
            if let Err(reason) = run(item) {
                locked(&failed).push(reason);
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..width {
            scope.spawn(work);
        }
    });
    failed.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// Runs a program, and shows its output once it has ended.
fn in_one_piece(repository: &Repository, binary: &Binary, shown: &Mutex<()>) -> Result<(), String> {
    let output = binary.command(repository).stdin(Stdio::null()).output();
    let output = output.map_err(|error| format!("it did not start: {error}"))?;
    let _shown = locked(shown);
    println!("\n$ {}", binary.name());
    print!("{}", String::from_utf8_lossy(&output.stdout));
    eprint!("{}", String::from_utf8_lossy(&output.stderr));
    if output.status.success() { Ok(()) } else { Err(output.status.to_string()) }
}

fn locked<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use super::*;

    #[test]
    fn programs_run_at_the_same_time_and_a_failure_stops_no_other() {
        let both = Barrier::new(2);
        let ran = Mutex::new(Vec::new());
        let failed = each(&[1, 2, 3, 4], 2, |number| {
            both.wait();
            locked(&ran).push(*number);
            if number % 2 == 0 { Err(format!("{number} failed")) } else { Ok(()) }
        });
        let mut ran = locked(&ran).clone();
        ran.sort_unstable();
        assert_eq!(ran, [1, 2, 3, 4]);
        assert_eq!(failed.len(), 2, "{failed:?}");
    }
}
