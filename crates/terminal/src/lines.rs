//! A queue of lines for an output that may be full, gone or stalled.
//!
//! **Invariant:** to add a line never waits for the output, never fails and never panics.
//! **Invariant:** at most [`WAITING_BYTES_MAX`] wait. The queue drops and counts a line beyond
//! that, and a line that the output refuses.

use std::{
    collections::VecDeque,
    io::{self, Write},
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::{Condvar, Mutex};

/// Most bytes in the queue.
const WAITING_BYTES_MAX: usize = 1024 * 1024;

/// Room in the queue for the lines that report losses. Without it the report itself would be lost, and counted.
const REPORT_BYTES_MAX: usize = 1024;

/// Pause when an output takes nothing at the moment, but does not block its writer.
const RETRY_AFTER: Duration = Duration::from_millis(20);

/// The lines of one output. Cheap to clone: all clones are the same.
#[derive(Clone, Default)]
pub(crate) struct Lines(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Vec<u8>>,
    waiting_bytes: usize,
    /// Whether a line has left the queue and is not written yet.
    writing: bool,
    /// Lines that were dropped since the start.
    lost: u64,
    /// The number of them in the latest report.
    lost_told: u64,
}

impl Lines {
    /// Adds bytes that are written in one piece.
    pub(crate) fn add(&self, line: &[u8]) {
        let mut state = self.0.state.lock();
        if state.waiting_bytes + line.len() > WAITING_BYTES_MAX {
            state.lost += 1;
            return;
        }
        state.waiting_bytes += line.len();
        state.waiting.push_back(line.to_vec());
        self.0.changed.notify_all();
    }

    /// Lines that were dropped since the start.
    pub(crate) fn lost(&self) -> u64 {
        self.0.state.lock().lost
    }

    /// Waits until everything is written, at most for `longest`. Returns whether it is.
    pub(crate) fn flush(&self, longest: Duration) -> bool {
        let deadline = Instant::now() + longest;
        let mut state = self.0.state.lock();
        while state.writing || !state.waiting.is_empty() {
            if self.0.changed.wait_until(&mut state, deadline).timed_out() {
                return false;
            }
        }
        true
    }

    /// Writes added lines, for ever. When a line could be written after losses, it calls
    /// `tell_lost` with the number of losses since the start, and writes the lines that this adds
    /// too.
    pub(crate) fn write_to(&self, output: &mut dyn Write, tell_lost: &dyn Fn(u64)) -> ! {
        let mut broken_line = false;
        loop {
            let line = self.next();
            let written = write_line(output, &mut broken_line, &line);
            let untold = {
                let mut state = self.0.state.lock();
                state.lost += u64::from(written.is_err());
                let has_room = state.waiting_bytes + REPORT_BYTES_MAX <= WAITING_BYTES_MAX;
                let untold = written.is_ok() && has_room && state.lost > state.lost_told;
                untold.then(|| {
                    state.lost_told = state.lost;
                    state.lost
                })
            };
            if let Some(lost) = untold {
                tell_lost(lost);
            }
            self.0.state.lock().writing = false;
            self.0.changed.notify_all();
        }
    }

    /// Waits for the next line.
    fn next(&self) -> Vec<u8> {
        let mut state = self.0.state.lock();
        loop {
            if let Some(line) = state.waiting.pop_front() {
                state.waiting_bytes -= line.len();
                state.writing = true;
                return line;
            }
            self.0.changed.wait(&mut state);
        }
    }
}

/// Writes a whole line. After an interrupted line, the next one starts on a line of its own.
fn write_line(output: &mut dyn Write, broken_line: &mut bool, line: &[u8]) -> io::Result<()> {
    if *broken_line {
        write_all(output, b"\n").map_err(|(_, error)| error)?;
        *broken_line = false;
    }
    write_all(output, line).map_err(|(done, error)| {
        *broken_line = done > 0;
        error
    })
}

/// Writes `bytes`, or returns the number of written bytes before the error.
fn write_all(output: &mut dyn Write, bytes: &[u8]) -> Result<(), (usize, io::Error)> {
    let mut done = 0;
    while done < bytes.len() {
        match output.write(&bytes[done..]) {
            Ok(0) => return Err((done, io::ErrorKind::WriteZero.into())),
            Ok(written) => done += written,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                std::thread::sleep(RETRY_AFTER);
            }
            Err(error) => return Err((done, error)),
        }
    }
    output.flush().map_err(|error| (done, error))
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// An output that answers each write as scripted.
    struct Scripted {
        answers: mpsc::Receiver<io::Result<usize>>,
        written: Arc<Mutex<Vec<u8>>>,
    }

    impl Write for Scripted {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let written = self.answers.recv().unwrap_or(Ok(usize::MAX))?.min(bytes.len());
            self.written.lock().extend_from_slice(&bytes[..written]);
            Ok(written)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    struct Fixture {
        lines: Lines,
        answers: mpsc::Sender<io::Result<usize>>,
        written: Arc<Mutex<Vec<u8>>>,
    }

    fn fixture() -> Fixture {
        let (lines, (answers, script)) = (Lines::default(), mpsc::channel());
        let written = Arc::<Mutex<Vec<u8>>>::default();
        let mut output = Scripted { answers: script, written: Arc::clone(&written) };
        let writer = lines.clone();
        std::thread::spawn(move || {
            let notes = writer.clone();
            writer.write_to(&mut output, &|lost| notes.add(format!("{lost} lost\n").as_bytes()))
        });
        Fixture { lines, answers, written }
    }

    impl Fixture {
        fn answer(&self, answer: io::Result<usize>) {
            self.answers.send(answer).expect("the writer runs");
        }

        fn text(&self) -> String {
            assert!(self.lines.flush(Duration::from_secs(30)), "everything is written");
            String::from_utf8(self.written.lock().clone()).expect("text")
        }
    }

    fn full() -> io::Result<usize> {
        Err(io::ErrorKind::StorageFull.into())
    }

    #[test]
    fn lines_that_cannot_be_written_are_counted_and_told_when_writing_works_again() {
        let fixture = fixture();
        for line in ["one\n", "two\n", "three\n"] {
            fixture.lines.add(line.as_bytes());
        }
        fixture.answer(full());
        fixture.answer(full());
        for _ in 0..2 {
            fixture.answer(Ok(usize::MAX));
        }
        assert_eq!(fixture.text(), "three\n2 lost\n");
        assert_eq!(fixture.lines.lost(), 2);
    }

    #[test]
    fn a_line_that_breaks_off_is_ended_before_the_next() {
        let fixture = fixture();
        fixture.lines.add(b"broken\n");
        fixture.lines.add(b"whole\n");
        for answer in [Ok(3), full(), Ok(1), Ok(usize::MAX), Ok(usize::MAX)] {
            fixture.answer(answer);
        }
        assert_eq!(fixture.text(), "bro\nwhole\n1 lost\n");
    }

    #[test]
    fn an_output_that_takes_nothing_just_now_gets_the_line_later() {
        let fixture = fixture();
        fixture.lines.add(b"patient\n");
        fixture.answer(Err(io::ErrorKind::WouldBlock.into()));
        fixture.answer(Err(io::ErrorKind::Interrupted.into()));
        fixture.answer(Ok(usize::MAX));
        assert_eq!(fixture.text(), "patient\n");
        assert_eq!(fixture.lines.lost(), 0);
    }

    #[test]
    fn an_output_that_stalls_keeps_nobody_waiting_and_memory_is_bounded() {
        let fixture = fixture();
        let line = [b'x'; 1_024];
        fixture.lines.add(&line);
        // The writer has taken the first line, so the queue can become full to its last byte.
        let deadline = Instant::now() + Duration::from_secs(30);
        while !fixture.lines.0.state.lock().writing {
            assert!(Instant::now() < deadline, "the writer takes a line");
            std::thread::yield_now();
        }
        for _ in 1..4_096 {
            fixture.lines.add(&line);
        }
        assert!(!fixture.lines.flush(Duration::from_millis(1)), "nothing is written yet");
        assert!(fixture.lines.0.state.lock().waiting_bytes <= WAITING_BYTES_MAX);
        let lost = fixture.lines.lost();
        assert!((3_000..4_096).contains(&lost), "{lost}");
        let Fixture { lines, answers, written } = fixture;
        drop(answers);
        assert!(lines.flush(Duration::from_secs(30)));
        assert!(written.lock().ends_with(format!("{lost} lost\n").as_bytes()));
    }
}
