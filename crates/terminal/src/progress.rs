//! Progress of long work on the terminal: the finished part, the speed and the time left.
//!
//! **Invariant:** a report costs a look at the clock; a write happens a few times a second at most.
//! **Invariant:** nothing is written to standard output, which is for results.

use std::{
    io::{self, IsTerminal, Write},
    time::{Duration, Instant},
};

use crate::Stderr;

/// Time between changes of the line on a terminal.
const TERMINAL_EVERY: Duration = Duration::from_millis(200);

/// Time between lines without a terminal.
const PLAIN_EVERY: Duration = Duration::from_secs(5);

/// Reports one piece of work. Dropping it ends the line.
pub struct Progress {
    label: String,
    unit: &'static str,
    total: Option<u64>,
    begun: Instant,
    told: Instant,
    terminal: bool,
    output: Box<dyn Write + Send>,
    shown: usize,
}

impl Progress {
    /// Reports `label` on standard error; `unit` names the counted things (`events`). Without
    /// `total` it shows neither a share nor the time left.
    #[must_use]
    pub fn on_stderr(label: impl Into<String>, unit: &'static str, total: Option<u64>) -> Self {
        let terminal = io::stderr().is_terminal();
        Self::new(label, unit, total, terminal, Box::new(Stderr))
    }

    /// Like [`Self::on_stderr`], on any output.
    #[must_use]
    pub fn new(
        label: impl Into<String>,
        unit: &'static str,
        total: Option<u64>,
        terminal: bool,
        output: Box<dyn Write + Send>,
    ) -> Self {
        let now = Instant::now();
        Self { label: label.into(), unit, total, begun: now, told: now, terminal, output, shown: 0 }
    }

    /// Corrects the total, when it becomes known or grows.
    pub const fn set_total(&mut self, total: u64) {
        self.total = Some(total);
    }

    /// Reports that `done` of the work is done. Writes only now and then.
    pub fn tell(&mut self, done: u64) {
        let now = Instant::now();
        let every = if self.terminal { TERMINAL_EVERY } else { PLAIN_EVERY };
        if now - self.told >= every {
            self.told = now;
            self.write(done, now - self.begun);
        }
    }

    /// Reports the end of the work.
    pub fn finish(mut self, done: u64) {
        let elapsed = self.begun.elapsed();
        let text = finished(&self.label, self.unit, done, elapsed);
        self.show(&text);
    }

    fn write(&mut self, done: u64, elapsed: Duration) {
        let text = status(&self.label, self.unit, done, self.total, elapsed);
        self.show(&text);
    }

    /// The work goes on without a terminal, so errors are ignored.
    fn show(&mut self, text: &str) {
        let written = if self.terminal {
            let (width, shown) = (text.chars().count(), self.shown);
            self.shown = width;
            let blanks = shown.saturating_sub(width);
            write!(self.output, "\r{text}{:blanks$}", "").and_then(|()| self.output.flush())
        } else {
            writeln!(self.output, "{text}")
        };
        drop(written);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.terminal && self.shown > 0 {
            drop(writeln!(self.output));
        }
    }
}

fn status(label: &str, unit: &str, done: u64, total: Option<u64>, elapsed: Duration) -> String {
    let rate = per_second(done, elapsed);
    let Some(total) = total else {
        return format!("{label}: {} {unit}, {}/s", grouped(done), grouped(rate));
    };
    let percent = (u128::from(done.min(total)) * 100).checked_div(u128::from(total)).unwrap_or(100);
    let left = match total.saturating_sub(done).checked_div(rate) {
        Some(seconds) => format!("{} left", spoken(Duration::from_secs(seconds))),
        None => "time left unknown".to_owned(),
    };
    let (done, total, rate) = (grouped(done), grouped(total), grouped(rate));
    format!("{label}: {percent:>3} % ({done} of {total} {unit}), {rate}/s, {left}")
}

fn finished(label: &str, unit: &str, done: u64, elapsed: Duration) -> String {
    let rate = grouped(per_second(done, elapsed));
    let seconds = elapsed.as_secs_f64();
    format!("{label}: done, {} {unit} in {seconds:.1} s, {rate}/s", grouped(done))
}

fn per_second(done: u64, elapsed: Duration) -> u64 {
    let millis = elapsed.as_millis().max(1);
    u64::try_from(u128::from(done) * 1_000 / millis).unwrap_or(u64::MAX)
}

/// `1,234,567`
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// `42 s`, `3 min 05 s`, `2 h 07 min`
fn spoken(time: Duration) -> String {
    let seconds = time.as_secs();
    match (seconds / 3_600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds:02} s"),
        (hours, minutes, _) => format!("{hours} h {minutes:02} min"),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Screen(Arc<Mutex<Vec<u8>>>);

    impl Write for Screen {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("not poisoned").extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Screen {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().expect("not poisoned").clone()).expect("text")
        }
    }

    #[test]
    fn status_says_share_rate_and_time_left() {
        let ten_seconds = Duration::from_secs(10);
        assert_eq!(
            status("import", "events", 250_000, Some(1_000_000), ten_seconds),
            "import:  25 % (250,000 of 1,000,000 events), 25,000/s, 30 s left"
        );
        assert_eq!(status("import", "events", 50, None, ten_seconds), "import: 50 events, 5/s");
        assert_eq!(
            status("import", "events", 0, Some(0), Duration::ZERO),
            "import: 100 % (0 of 0 events), 0/s, time left unknown"
        );
    }

    #[test]
    fn more_than_the_total_is_no_more_than_all() {
        let text = status("import", "events", 30, Some(20), Duration::from_secs(1));
        assert!(text.starts_with("import: 100 %") && text.ends_with("0 s left"), "{text}");
    }

    #[test]
    fn numbers_and_times_are_easy_to_read() {
        for (number, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(number), text);
        }
        for (seconds, text) in [(59, "59 s"), (185, "3 min 05 s"), (7_620, "2 h 07 min")] {
            assert_eq!(spoken(Duration::from_secs(seconds)), text);
        }
    }

    #[test]
    fn a_terminal_line_is_written_over_and_ended() {
        let screen = Screen::default();
        let mut progress = Progress::new("x", "lines", None, true, Box::new(screen.clone()));
        progress.show("a long line");
        progress.show("short");
        drop(progress);
        assert_eq!(screen.text(), "\ra long line\rshort      \n");
    }

    #[test]
    fn without_a_terminal_each_line_stands_alone() {
        let screen = Screen::default();
        let mut progress = Progress::new("x", "lines", Some(4), false, Box::new(screen.clone()));
        progress.show("first");
        progress.tell(1_000_000);
        progress.finish(4);
        let text = screen.text();
        assert!(text.starts_with("first\nx: done, 4 lines in "), "{text}");
        assert!(!text.contains('\r'));
    }
}
