//! Starts the real binary on a port of its own choice, and ends it.

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc,
    time::Duration,
};

/// How long a start may take on a slow machine before the test gives up.
const START_MAX: Duration = Duration::from_secs(60);

/// A running server. Dropping it kills it.
pub struct Server {
    child: Child,
    address: String,
    data: PathBuf,
}

/// The binary under test.
pub fn rookery() -> Command {
    Command::new(env!("CARGO_BIN_EXE_rookery"))
}

impl Server {
    /// Starts a server on the data in `data`.
    pub fn start(data: &Path) -> Self {
        Self::start_with(data, &[])
    }

    /// Starts a server with more arguments.
    pub fn start_with(data: &Path, arguments: &[&str]) -> Self {
        let mut child = rookery()
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(data)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let stderr = child.stderr.take().expect("stderr is piped");
        let (sender, receiver) = mpsc::channel();
        std::thread::spawn(move || {
            let mut seen = Vec::new();
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                if let Some((_, address)) = line.split_once("listening on http://") {
                    let address = address.split_whitespace().next().unwrap_or_default();
                    sender.send(Ok(address.to_owned())).ok();
                }
                if seen.len() < 50 {
                    seen.push(line);
                }
            }
            sender.send(Err(seen.join("\n"))).ok();
        });
        let address = match receiver.recv_timeout(START_MAX) {
            Ok(Ok(address)) => address,
            Ok(Err(log)) => panic!("the server ended before it listened:\n{log}"),
            Err(error) => {
                child.kill().ok();
                panic!("the server did not say where it listens: {error}");
            }
        };
        Self { child, address, data: data.to_owned() }
    }

    /// Where it listens: `127.0.0.1:PORT`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Ends it as a power cut of the process would.
    pub fn kill(mut self) -> PathBuf {
        self.child.kill().expect("the server can be killed");
        self.child.wait().expect("the server ends");
        self.data.clone()
    }

    /// Asks it to end, and waits until it has.
    pub fn stop(mut self) -> ExitStatus {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &id]).status().expect("kill runs");
        assert!(sent.success());
        self.child.wait().expect("the server ends")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
