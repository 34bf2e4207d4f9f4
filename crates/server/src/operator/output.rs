//! The output of a running operator command.

use std::{
    fs::File,
    io::{self, BufWriter, IntoInnerError, Write},
    path::Path,
};

use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use super::Destination;
use crate::{failure::Failure, terminal, terminal::progress::Progress};

/// Replies that may queue up for display.
const REPLIES_MAX: usize = 64;

/// One message of a command.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// Text for the standard output, unchanged.
    Text(String),
    /// A line for the waiting person.
    Note(String),
    /// The progress of the work.
    Progress {
        /// The name of the work.
        label: String,
        /// The number of finished commits.
        done: u64,
        /// The number of all commits.
        total: u64,
    },
    /// The command has finished.
    Done,
    /// The command has failed, for this reason.
    Failed(String),
}

/// Receives the messages of a command.
#[derive(Clone)]
pub struct Output(mpsc::Sender<Reply>);

impl Output {
    /// An output, and its receiver.
    #[must_use]
    pub fn channel() -> (Self, mpsc::Receiver<Reply>) {
        let (sender, receiver) = mpsc::channel(REPLIES_MAX);
        (Self(sender), receiver)
    }

    /// Prints text. Returns `false` if the reader has gone.
    pub async fn text(&self, text: String) -> bool {
        self.0.send(Reply::Text(text)).await.is_ok()
    }

    /// Waits until the reader has gone.
    pub async fn closed(&self) {
        self.0.closed().await;
    }

    /// Sends a line to the waiting person.
    pub async fn note(&self, line: impl Into<String>) {
        self.0.send(Reply::Note(line.into())).await.ok();
    }

    /// Reports progress, unless the previous report is still unread.
    pub fn progress(&self, label: &str, done: u64, total: u64) {
        let label = label.to_owned();
        self.0.try_send(Reply::Progress { label, done, total }).ok();
    }

    /// Reports the end, or the reason of a failure.
    pub async fn end(&self, result: Result<(), Failure>) {
        let reply = match result {
            Ok(()) => Reply::Done,
            Err(failure) => Reply::Failed(failure.to_string()),
        };
        self.0.send(reply).await.ok();
    }
}

/// Shows replies to the person at the terminal until the last one.
///
/// The function ends at the first reply that it cannot show, and then takes no more, so that nobody waits for it.
/// With `may_stop` it ends as soon as the reader of the standard output has gone, even without output.
///
/// # Errors
/// [`Failure`] if the command failed, if it broke off, or if the output cannot be written.
pub async fn show(
    mut replies: mpsc::Receiver<Reply>,
    destination: &Destination,
    may_stop: bool,
) -> Result<(), Failure> {
    let mut output = Printed::open(destination)?;
    let mut bar: Option<(String, Progress)> = None;
    let is_watched = may_stop && matches!(destination, Destination::Screen);
    let reader_gone = terminal::reader_gone();
    tokio::pin!(reader_gone);
    loop {
        let reply = tokio::select! {
            biased;
            reply = replies.recv() => reply,
            () = &mut reader_gone, if is_watched => return Err(Failure::reader_gone()),
        };
        let Some(reply) = reply else { break };
        match reply {
            Reply::Text(text) => output.print(&text)?,
            Reply::Note(line) => {
                bar = None;
                terminal::tell(line);
            }
            Reply::Progress { label, done, total } => {
                if bar.as_ref().is_none_or(|(shown, _)| *shown != label) {
                    bar = Some((label.clone(), Progress::on_stderr(label, "commits", Some(total))));
                }
                if let Some((_, bar)) = &mut bar {
                    bar.set_total(total);
                    bar.tell(done);
                }
            }
            Reply::Done => return output.end(),
            Reply::Failed(reason) => return Err(Failure::new(reason)),
        }
    }
    Err(Failure::new("the server stopped before the command had finished: run it again"))
}

/// The target of a command's text.
enum Printed<'a> {
    Screen,
    File(&'a Path, BufWriter<File>),
}

impl<'a> Printed<'a> {
    fn open(destination: &'a Destination) -> Result<Self, Failure> {
        let Destination::File(path) = destination else { return Ok(Self::Screen) };
        let file = File::create_new(path)
            .map_err(|error| Failure::file("cannot write a new file", path, error))?;
        Ok(Self::File(path, BufWriter::new(file)))
    }

    fn print(&mut self, text: &str) -> Result<(), Failure> {
        match self {
            Self::Screen => terminal::print(text),
            Self::File(path, file) => {
                file.write_all(text.as_bytes()).map_err(|error| not_whole(path, &error))
            }
        }
    }

    /// A file that is reported as written survives a power cut.
    fn end(self) -> Result<(), Failure> {
        let Self::File(path, file) = self else { return Ok(()) };
        let written = file.into_inner().map_err(IntoInnerError::into_error);
        written.and_then(|file| file.sync_all()).map_err(|error| not_whole(path, &error))
    }
}

fn not_whole(path: &Path, error: &io::Error) -> Failure {
    let path = path.display();
    Failure::new(format!("cannot write {path}: {error}; the file is not complete: remove it"))
}
