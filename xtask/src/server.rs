//! A private `rookery` server for the time of a check.
//!
//! **Invariant:** the process ends with the value that started it.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

/// Longest start of a server until it listens.
const START_MAX: Duration = Duration::from_mins(1);

/// The text before the address in the first line of the log.
const ANNOUNCEMENT: &str = "listening on http://";

/// The secret of its relay for calls, with which a check makes credentials of its own.
pub(crate) const TURN_SECRET: &str = "secret-of-the-relay-of-the-checks";

/// A running server on a free port of this machine.
pub(crate) struct Server {
    child: Child,
    url: String,
    log: PathBuf,
}

impl Server {
    /// Starts `program` with its data in `folder` and waits for its address.
    ///
    /// # Errors
    /// The program cannot start, ends, or is silent for too long.
    pub(crate) fn start(program: &Path, folder: &Path) -> Result<Self, String> {
        let log = folder.join("server.log");
        let file = File::create(&log)
            .map_err(|error| format!("cannot write {}: {error}", log.display()))?;
        let mut child = Command::new(program)
            .args(["serve", "--listen", "127.0.0.1:0", "--turn-listen", "127.0.0.1:0", "--data"])
            .arg(folder.join("data"))
            .env("ROOKERY_TURN_SECRET", TURN_SECRET)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("cannot start {}: {error}", program.display()))?;
        let lines = child.stderr.take();
        let mut server = Self { child, url: String::new(), log };
        let (found, address) = channel();
        if let Some(lines) = lines {
            std::thread::spawn(move || watch(lines, file, &found));
        }
        let address = address.recv_timeout(START_MAX).map_err(|_| {
            let log = std::fs::read_to_string(&server.log).unwrap_or_default();
            format!(
                "the server did not print `{ANNOUNCEMENT}...` on standard error; its output:\n{log}"
            )
        })?;
        server.url = format!("http://{address}");
        Ok(server)
    }

    /// The address of its listener, without a slash at the end.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The file with its log.
    pub(crate) fn log(&self) -> &Path {
        &self.log
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The process may have ended by itself: then there is nothing to end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Copies the log into `file`, and sends the address once the log names it.
fn watch(lines: ChildStderr, mut file: File, found: &Sender<String>) {
    for line in BufReader::new(lines).lines().map_while(Result::ok) {
        // A failed write of the log must not stop reading: the server would block.
        let _ = writeln!(file, "{line}");
        if let Some(address) = announced(&line) {
            let _ = found.send(address.to_owned());
        }
    }
}

/// The address in a line of the log, whether that is plain text or JSON.
fn announced(line: &str) -> Option<&str> {
    let (_, rest) = line.split_once(ANNOUNCEMENT)?;
    let end = rest.find(|letter: char| !letter.is_alphanumeric() && !".:[]".contains(letter));
    Some(&rest[..end.unwrap_or(rest.len())])
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    /// Another process writes the file. A file that any thread of this process has open for writing
    /// is also open in new children for a moment, and cannot be executed during that time.
    fn script(folder: &Path, text: &str) -> PathBuf {
        let path = folder.join("rookery");
        let write = r#"printf %s "$1" > "$2" && chmod 700 "$2""#;
        let written = Command::new("sh").args(["-c", write, "sh", text]).arg(&path).status();
        assert!(written.unwrap().success());
        path
    }

    #[test]
    fn address_is_found_in_text_and_json() {
        let text = "2026-01-01T00:00:00Z  INFO rookery: listening on http://127.0.0.1:4711";
        assert_eq!(announced(text), Some("127.0.0.1:4711"));
        let json = r#"{"level":"INFO","message":"listening on http://[::1]:4711","target":"a"}"#;
        assert_eq!(announced(json), Some("[::1]:4711"));
        assert_eq!(announced("INFO opening the log"), None);
    }

    #[test]
    fn server_that_announces_itself_is_used_and_ended() {
        let folder = tempfile::tempdir().unwrap();
        let text = "#!/bin/sh\necho \"$@\" >&2\necho 'listening on http://127.0.0.1:9' >&2\nexec sleep 600\n";
        let program = script(folder.path(), text);
        let server = Server::start(&program, folder.path()).unwrap();
        assert_eq!(server.url(), "http://127.0.0.1:9");
        let log = std::fs::read_to_string(server.log()).unwrap();
        assert!(log.starts_with("serve --listen 127.0.0.1:0 --data "), "{log}");
        let process = PathBuf::from(format!("/proc/{}", server.child.id()));
        assert!(process.exists());
        drop(server);
        assert!(!process.exists());
    }

    #[test]
    fn server_that_ends_at_once_is_quoted() {
        let folder = tempfile::tempdir().unwrap();
        let program = script(folder.path(), "#!/bin/sh\necho 'no such folder' >&2\nexit 1\n");
        let refusal = Server::start(&program, folder.path()).map(|_| ()).unwrap_err();
        assert!(refusal.contains("no such folder"), "{refusal}");
    }
}
