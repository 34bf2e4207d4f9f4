//! Starts the real binary on a port of its own choice, and ends it.

use std::{
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex, mpsc},
    time::{Duration, Instant},
};

/// Longest start on a slow machine before the test fails.
const START_MAX: Duration = Duration::from_mins(1);

/// A running server. Dropping it kills it.
pub(crate) struct Server {
    child: Child,
    address: String,
    data: PathBuf,
    log: Arc<Mutex<Vec<String>>>,
}

/// The binary under test.
pub(crate) fn rookery() -> Command {
    Command::new(env!("CARGO_BIN_EXE_rookery"))
}

impl Server {
    /// Starts a server on the data in `data`.
    pub(crate) fn start(data: &Path) -> Self {
        Self::start_with(data, &[])
    }

    /// Starts a server with more arguments.
    pub(crate) fn start_with(data: &Path, arguments: &[&str]) -> Self {
        Self::start_as(rookery(), data, arguments)
    }

    /// Starts a server with a command to which `serve` and its arguments are added.
    pub(crate) fn start_as(command: Command, data: &Path, arguments: &[&str]) -> Self {
        Self::try_start_as(command, data, arguments)
            .unwrap_or_else(|log| panic!("the server ended before it listened:\n{log}"))
    }

    /// Starts a server on the data in `data`, or returns its log if it ended before it listened.
    pub(crate) fn try_start(data: &Path) -> Result<Self, String> {
        Self::try_start_as(rookery(), data, &[])
    }

    fn try_start_as(mut command: Command, data: &Path, arguments: &[&str]) -> Result<Self, String> {
        let mut child = command
            // Tests send as fast as they can.
            .env("ROOKERY_LIMITS_RATES_MESSAGES", "none")
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
        let log = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&log);
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                let address = line
                    .split_once("listening on http://")
                    .map(|(_, rest)| rest.split_whitespace().next().unwrap_or_default().to_owned());
                // Before the test continues, so that it finds this line and all earlier lines.
                seen.lock().expect("nobody panics with it").push(line);
                if let Some(address) = address {
                    sender.send(Ok(address)).ok();
                }
            }
            let seen = seen.lock().expect("nobody panics with it");
            sender.send(Err(seen.join("\n"))).ok();
        });
        let address = match receiver.recv_timeout(START_MAX) {
            Ok(Ok(address)) => address,
            Ok(Err(log)) => {
                child.wait().expect("the server ends");
                return Err(log);
            }
            Err(error) => {
                child.kill().ok();
                panic!("the server did not say where it listens: {error}");
            }
        };
        Ok(Self { child, address, data: data.to_owned(), log })
    }

    /// Starts a server whose log goes to `stderr`, where nobody reads its port.
    pub(crate) fn start_unheard(data: &Path, stderr: impl Into<Stdio>, arguments: &[&str]) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
        let address = free.local_addr().expect("it has a port").to_string();
        drop(free);
        let child = rookery()
            .args(["serve", "--listen", &address, "--data"])
            .arg(data)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(stderr)
            .spawn()
            .expect("the binary starts");
        let mut server =
            Self { child, address, data: data.to_owned(), log: Arc::new(Mutex::new(Vec::new())) };
        let deadline = Instant::now() + START_MAX;
        while TcpStream::connect(server.address()).is_err() {
            let ended = server.child.try_wait().expect("its state can be asked for");
            assert_eq!(ended, None, "the server ended");
            assert!(Instant::now() < deadline, "the server does not listen");
            std::thread::sleep(Duration::from_millis(10));
        }
        server
    }

    /// The address of its listener: `127.0.0.1:PORT`.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Ends it like a power cut of the process.
    pub(crate) fn kill(mut self) -> PathBuf {
        self.child.kill().expect("the server can be killed");
        self.child.wait().expect("the server ends");
        self.data.clone()
    }

    /// Asks it to end, and waits for the end.
    pub(crate) fn stop(mut self) -> ExitStatus {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &id]).status().expect("kill runs");
        assert!(sent.success());
        self.child.wait().expect("the server ends")
    }

    /// The process ID.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// The lines of its log so far that contain `text`.
    pub(crate) fn logged(&self, text: &str) -> Vec<String> {
        let log = self.log.lock().expect("nobody panics with it");
        log.iter().filter(|line| line.contains(text)).cloned().collect()
    }
}

/// The output of a command, and its status.
pub(crate) struct Ran {
    pub(crate) success: bool,
    pub(crate) output: String,
    pub(crate) error: String,
}

/// Runs `rookery` on the data in `data`, with `input` on its standard input.
pub(crate) fn run(data: &Path, arguments: &[&str], input: &str) -> Ran {
    let mut child = rookery()
        .args(arguments)
        .arg("--data")
        .arg(data)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    // A command that does not read its input may close it.
    child.stdin.take().expect("it is piped").write_all(input.as_bytes()).ok();
    let ran = child.wait_with_output().expect("the command ends");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("the output is text");
    Ran { success: ran.status.success(), output: text(ran.stdout), error: text(ran.stderr) }
}

/// Runs a command that has to succeed, and returns its output.
pub(crate) fn succeed(data: &Path, arguments: &[&str], input: &str) -> String {
    let ran = run(data, arguments, input);
    assert!(ran.success, "{arguments:?} failed: {}", ran.error);
    ran.output
}

/// Runs a command that has to fail, and returns its message.
pub(crate) fn fail(data: &Path, arguments: &[&str], input: &str) -> String {
    let ran = run(data, arguments, input);
    assert!(!ran.success, "{arguments:?} did not fail");
    assert!(!ran.error.contains("panicked"), "{}", ran.error);
    ran.error
}

/// Waits until `holds`, and fails if it never does.
pub(crate) fn eventually(what: &str, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + START_MAX;
    while !holds() {
        assert!(Instant::now() < deadline, "still not so: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
