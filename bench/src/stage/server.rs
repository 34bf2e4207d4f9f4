//! The measured program and the bare reference beside it, each in its own process.
//!
//! **Invariant:** the process ends with the value that started it, or when a signal ends this
//! program.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, ChildStderr, ChildStdin, Command, Stdio},
    sync::mpsc::{Sender, channel},
    time::Duration,
};

use parking_lot::Mutex;
use tokio::{
    runtime::Builder,
    signal::unix::{SignalKind, signal},
};

use crate::{Error, broadcast, stats::float};

/// Longest start of a server until it listens.
const START_MAX: Duration = Duration::from_mins(5);

/// The text before the address in the first line of the log.
pub(crate) const ANNOUNCEMENT: &str = "listening on http://";

/// Clock ticks of `/proc` in a second, on every Linux of today.
const TICKS_PER_SECOND: f64 = 100.0;

/// How long a server has to be idle to be at rest.
const QUIET: Duration = Duration::from_millis(200);

/// Interval between two checks for that.
const SETTLE_MAX: u32 = 300;

/// The process IDs of all running servers.
static RUNNING: Mutex<Vec<u32>> = Mutex::new(Vec::new());

/// A running server.
pub(crate) struct Server {
    child: Child,
    address: String,
}

/// Memory of a process, in MiB.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory {
    /// All resident memory, with pages of files.
    pub(crate) resident: f64,
    /// Memory without a file behind it.
    pub(crate) anonymous: f64,
}

impl Server {
    /// Starts `program` on the data in `folder`, and waits until it listens.
    ///
    /// # Errors
    /// Quotes its output instead.
    pub(crate) fn start(program: &Path, folder: &Path) -> Result<Self, Error> {
        let mut command = Command::new(program);
        // A benchmark asks for more than any user does.
        command.args(["serve", "--listen", "127.0.0.1:0", "--limits-rate", "none", "--data"]);
        command.arg(folder);
        command.stdin(Stdio::null());
        Self::spawn(command)
    }

    /// Starts the bare reference of a fan-out; see [`crate::broadcast`]. Also returns the writer
    /// for the text to send.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub(crate) fn bare() -> Result<(Self, ChildStdin), Error> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg(broadcast::ARGUMENT).stdin(Stdio::piped());
        let mut server = Self::spawn(command)?;
        let lines = server.child.stdin.take().ok_or("there is no pipe to the bare server")?;
        Ok((server, lines))
    }

    fn spawn(mut command: Command) -> Result<Self, Error> {
        // The settings of the benchmark are not for the server.
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("ROOKERY_BENCH_") {
                command.env_remove(name);
            }
        }
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = {
            let mut running = RUNNING.lock();
            let child = command.spawn()?;
            running.push(child.id());
            child
        };
        let lines = child.stderr.take();
        let mut server = Self { child, address: String::new() };
        let (found, address) = channel();
        if let Some(lines) = lines {
            std::thread::spawn(move || watch(lines, &found));
        }
        server.address = address
            .recv_timeout(START_MAX)
            .map_err(|_| "the server did not print its address".to_owned())??;
        Ok(server)
    }

    /// Stops it as an operator does, and waits until it has ended.
    ///
    /// # Errors
    /// If the signal cannot be sent, or if it ends with a failure.
    pub(crate) fn stop(mut self) -> Result<(), Error> {
        let id = i32::try_from(self.child.id())?;
        let process = rustix::process::Pid::from_raw(id).ok_or("the server has no process ID")?;
        rustix::process::kill_process(process, rustix::process::Signal::TERM)?;
        let ended = self.child.wait()?;
        if ended.success() { Ok(()) } else { Err(format!("the server ended with {ended}").into()) }
    }

    /// The address of its listener: `127.0.0.1:PORT`.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Its processor time so far, in seconds.
    ///
    /// # Errors
    /// If the system does not report it.
    pub(crate) fn processor_seconds(&self) -> Result<f64, Error> {
        let text = fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        Ok(ticks(&text).ok_or("cannot read /proc/PID/stat")? / TICKS_PER_SECOND)
    }

    /// The bytes that it has read from files so far; pages of mapped files do not count.
    ///
    /// # Errors
    /// If the system does not report it.
    pub(crate) fn bytes_read(&self) -> Result<f64, Error> {
        let text = fs::read_to_string(format!("/proc/{}/io", self.child.id()))?;
        let line = text.lines().find_map(|line| line.strip_prefix("rchar: "));
        Ok(line.ok_or("cannot read /proc/PID/io")?.trim().parse()?)
    }

    /// Waits until it has no more work: no processor time for a while.
    ///
    /// # Errors
    /// If it still works after a minute.
    pub(crate) async fn settle(&self) -> Result<(), Error> {
        let mut used = self.processor_seconds()?;
        for _ in 0..SETTLE_MAX {
            tokio::time::sleep(QUIET).await;
            let now = self.processor_seconds()?;
            if now - used < 2.0 / TICKS_PER_SECOND {
                return Ok(());
            }
            used = now;
        }
        Err("the server does not come to rest".into())
    }

    /// Its memory.
    ///
    /// # Errors
    /// If the system does not report it.
    pub(crate) fn memory(&self) -> Result<Memory, Error> {
        let text = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let of = |name| mebibytes(&text, name).ok_or("cannot read /proc/PID/status");
        Ok(Memory { resident: of("VmRSS:")?, anonymous: of("RssAnon:")? })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The process may have ended by itself: then there is nothing to end.
        let _ended = self.child.kill();
        let mut running = RUNNING.lock();
        let _reaped = self.child.wait();
        running.retain(|id| *id != self.child.id());
    }
}

/// From now on, SIGTERM and SIGINT end this program and all its servers.
///
/// # Errors
/// If signals cannot be handled.
pub(crate) fn end_on_signal() -> Result<(), Error> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let entered = runtime.enter();
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    drop(entered);
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        runtime.block_on(async {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        });
        // The lock stays held, so that no other server starts.
        let running = RUNNING.lock();
        let ids = running.iter().map(u32::to_string);
        // Nothing else can be tried.
        let _sent = Command::new("kill").arg("-KILL").args(ids).status();
        std::process::exit(130);
    })?;
    Ok(())
}

/// Sends the address once the log names it, or else the output. Reads on, so that the server never
/// waits for a reader.
fn watch(lines: ChildStderr, found: &Sender<Result<String, String>>) {
    let mut said = Vec::new();
    for line in BufReader::new(lines).lines().map_while(Result::ok) {
        if let Some((_, rest)) = line.split_once(ANNOUNCEMENT) {
            let address = rest.split_whitespace().next().unwrap_or_default();
            // Nobody waits for a second one.
            let _first = found.send(Ok(address.to_owned()));
        }
        if said.len() < 50 {
            said.push(line);
        }
    }
    let _late = found.send(Err(format!("the server ended:\n{}", said.join("\n"))));
}

/// The ticks in user and kernel mode. The name in brackets may contain any characters.
fn ticks(stat: &str) -> Option<f64> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let kernel: u64 = fields.next()?.parse().ok()?;
    Some(float(user + kernel))
}

fn mebibytes(status: &str, name: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(float(kibibytes) / 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_found_whatever_the_name_of_the_program() {
        let stat = "7 (a) b) S 1 2 3 4 5 6 7 8 9 10 120 30 0 0 20 0 8 0 1 2 3";
        assert_eq!(ticks(stat), Some(150.0));
    }

    #[test]
    fn memory_is_found_by_its_name() {
        let status = "Name:\trookery\nVmRSS:\t    2048 kB\nRssAnon:\t    1536 kB\n";
        assert_eq!(mebibytes(status, "VmRSS:"), Some(2.0));
        assert_eq!(mebibytes(status, "RssAnon:"), Some(1.5));
        assert_eq!(mebibytes(status, "VmSwap:"), None);
    }
}
