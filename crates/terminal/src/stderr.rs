//! Standard error: log lines, progress and messages to the person at the terminal.
//!
//! **Invariant:** one thread writes, and all others only pass lines to it. So a full disk, or a
//! reader that is gone or stalled, delays and ends nothing.

use std::{
    fmt::Display,
    io::{self, Write},
    sync::LazyLock,
    time::Duration,
};

use crate::lines::Lines;

/// How long the end of the program waits for its last lines.
const FLUSH_MAX: Duration = Duration::from_secs(1);

static LINES: LazyLock<Lines> = LazyLock::new(|| {
    let lines = Lines::default();
    let writer = lines.clone();
    let thread = std::thread::Builder::new().name("stderr".into());
    // Without a thread nothing is written, and lines count as lost once the queue is full.
    drop(thread.spawn(move || writer.write_to(&mut io::stderr(), &tell_lost)));
    lines
});

fn tell_lost(lost: u64) {
    tracing::warn!(
        lost,
        "lost log lines that could not be written to standard error; the count is since the start"
    );
}

/// Standard error as an output that never fails. One call of `write` stays in one piece.
#[derive(Clone, Copy, Debug)]
pub struct Stderr;

impl Write for Stderr {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LINES.add(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Prints a line for the person at the terminal.
pub fn tell(line: impl Display) {
    LINES.add(format!("{line}\n").as_bytes());
}

/// Waits until all lines are written, for a short time if they cannot be.
pub fn flush() {
    LINES.flush(FLUSH_MAX);
}

/// Prints a question without ending the line, and waits until it is visible.
pub fn ask(text: impl Display) {
    LINES.add(text.to_string().as_bytes());
    flush();
}

/// Log lines that could not be written since the start.
pub fn lost_lines() -> u64 {
    LINES.lost()
}
