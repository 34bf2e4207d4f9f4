//! The operator's socket: one command for each connection, as a line of JSON; replies as lines of JSON.
//!
//! **Invariant:** the socket is in the data directory with mode 0600: a user who can open it could read the data anyway.
//! **Invariant:** a connection that cannot be accepted, read or answered never ends the socket.
//! **Invariant:** in every format, a command is an object with `format`, and the program shows the reply
//! `{"failed": TEXT}`. So a program and a server of two versions can tell each other what to do.

use std::{fs, io, os::unix::fs::PermissionsExt, path::Path, sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{UnixListener, UnixStream},
    sync::mpsc,
    time::timeout,
};

use super::{Destination, Order, Output, Reply, execute, show};
use crate::{failure::Failure, node::Node};

/// The name of the socket in the data directory.
pub const SOCKET_NAME: &str = "operator.sock";

/// The format of commands and replies. It goes up with each change that another version would
/// misunderstand.
const FORMAT: u32 = 2;

/// Pause after a failed accept.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// Longest time in which a connection has to send its command.
const ORDER_WAIT_MAX: Duration = Duration::from_secs(30);

/// Longest command in bytes: one with events of other servers.
const ORDER_BYTES_MAX: u64 = 1024 * 1024;

/// A command in transit.
#[derive(Serialize)]
struct Request<'a> {
    format: u32,
    /// The version of the sending program, for people.
    version: &'a str,
    order: &'a Order,
}

/// Creates the socket in `data`. Commands that arrive from now on wait for [`serve`].
///
/// # Errors
/// If the socket cannot be created: its path may be too long.
pub fn bind(data: &Path) -> io::Result<UnixListener> {
    let path = data.join(SOCKET_NAME);
    fs::remove_file(&path).or_else(|error| match error.kind() {
        io::ErrorKind::NotFound => Ok(()),
        _ => Err(error),
    })?;
    let listener = UnixListener::bind(&path)?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// Executes incoming commands, until dropped.
pub async fn serve(listener: UnixListener, node: Arc<Node>) {
    let mut told = false;
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                // Most likely the process has no free file descriptors for the moment.
                if !std::mem::replace(&mut told, true) {
                    tracing::warn!("cannot accept an operator's connection now: {error}");
                }
                tokio::time::sleep(ACCEPT_AGAIN).await;
                continue;
            }
        };
        told = false;
        let node = Arc::clone(&node);
        tokio::spawn(async move {
            if let Err(error) = answer(stream, &node).await {
                tracing::warn!("an operator's connection broke off: {error}");
            }
        });
    }
}

async fn answer(stream: UnixStream, node: &Node) -> io::Result<()> {
    let (reader, mut writer) = stream.into_split();
    let mut reader = BufReader::new(reader);
    let mut line = Vec::new();
    let mut bounded = (&mut reader).take(ORDER_BYTES_MAX);
    match timeout(ORDER_WAIT_MAX, bounded.read_until(b'\n', &mut line)).await {
        // The peer only asked whether a server runs.
        Ok(Ok(0)) => return Ok(()),
        Ok(read) => read?,
        Err(_) => return Err(io::Error::new(io::ErrorKind::TimedOut, "no command came in time")),
    };
    let (output, mut replies) = Output::channel();
    let write = async move {
        while let Some(reply) = replies.recv().await {
            let mut line = serde_json::to_vec(&reply)?;
            line.push(b'\n');
            writer.write_all(&line).await?;
        }
        drop(replies);
        Ok(())
    };
    let order = match read_order(&line) {
        Ok(order) => order,
        Err(failure) => {
            output.end(Err(failure)).await;
            drop(output);
            return write.await;
        }
    };
    let may_stop = order.changes_nothing();
    let work = async {
        let result = execute(node, order, &output).await;
        output.end(result).await;
        drop(output);
    };
    // When the operator has gone, nobody needs the rest of a `log tail --follow`.
    let gone = async {
        let mut rest = [0; 64];
        while may_stop && matches!(reader.read(&mut rest).await, Ok(1..)) {}
        if !may_stop {
            std::future::pending::<()>().await;
        }
    };
    tokio::pin!(write, work);
    tokio::select! {
        written = &mut write => {
            if !may_stop {
                work.await;
            }
            written
        }
        () = &mut work => write.await,
        () = gone => Ok(()),
    }
}

/// Reads the command of a program, which may have another version.
fn read_order(line: &[u8]) -> Result<Order, Failure> {
    #[derive(Deserialize)]
    struct Head {
        #[serde(default)]
        format: u32,
        #[serde(default)]
        version: Option<String>,
    }
    #[derive(Deserialize)]
    struct Body {
        order: Order,
    }
    if line.len() as u64 >= ORDER_BYTES_MAX && line.last() != Some(&b'\n') {
        return Err(Failure::new(format!("a command has at most {ORDER_BYTES_MAX} bytes")));
    }
    let unread =
        |error: serde_json::Error| Failure::new(format!("cannot read the command: {error}"));
    let version = env!("CARGO_PKG_VERSION");
    // Programs from before the formats sent no object, or one without a format.
    let head = serde_json::from_slice(line).unwrap_or(Head { format: 0, version: None });
    if head.format != FORMAT {
        let asking =
            head.version.map(|version| format!(" (version {version})")).unwrap_or_default();
        let asked = head.format;
        return Err(Failure::new(format!(
            "this program{asking} sends commands of format {asked}, and the running server \
             (version {version}) accepts format {FORMAT}: use the `rookery` program of the \
             server, or restart the server with this one"
        )));
    }
    Ok(serde_json::from_slice::<Body>(line).map_err(unread)?.order)
}

/// A connection to the server that runs on `data`, if there is one.
///
/// The program tries this first. The lock of the log would give the answer only after the time that a server may
/// take to close the log.
pub async fn reach(data: &Path) -> Option<UnixStream> {
    UnixStream::connect(data.join(SOCKET_NAME)).await.ok()
}

/// Sends a command to the server that runs on `data`, and shows its replies.
///
/// # Errors
/// [`Failure`] if the server cannot be reached, or if the command failed.
pub async fn ask(data: &Path, order: &Order, destination: &Destination) -> Result<(), Failure> {
    ask_on(connect(data).await?, order, destination).await
}

async fn connect(data: &Path) -> Result<UnixStream, Failure> {
    UnixStream::connect(data.join(SOCKET_NAME)).await.map_err(|error| {
        let data = data.display();
        Failure::new(format!(
            "the data in {data} is in use, and the process that uses it accepts no commands \
             ({error}): stop it and try again"
        ))
    })
}

/// Like [`ask`], for commands that need a running server.
///
/// # Errors
/// As [`ask`].
pub async fn ask_running(data: &Path, order: &Order) -> Result<(), Failure> {
    let stream = UnixStream::connect(data.join(SOCKET_NAME)).await.map_err(|error| {
        let data = data.display();
        Failure::new(format!(
            "no server on the data in {data} accepts commands ({error}): start one with \
             `rookery serve --data {data}`"
        ))
    })?;
    ask_on(stream, order, &Destination::Screen).await
}

/// Sends a command to the server that runs on `data`, and returns the text of its answer.
///
/// # Errors
/// As [`ask`].
pub(crate) async fn answer_of(data: &Path, order: &Order) -> Result<String, Failure> {
    let (mut replies, read) = exchange(connect(data).await?, order).await?;
    let collect = async move {
        let mut text = String::new();
        while let Some(reply) = replies.recv().await {
            match reply {
                Reply::Text(more) => text += &more,
                Reply::Note(_) | Reply::Progress { .. } => {}
                Reply::Done => return Ok(text),
                Reply::Failed(reason) => return Err(Failure::new(reason)),
            }
        }
        Err(Failure::new("the server stopped before the command had finished"))
    };
    tokio::join!(collect, read).0
}

async fn ask_on(
    stream: UnixStream,
    order: &Order,
    destination: &Destination,
) -> Result<(), Failure> {
    let (receiver, read) = exchange(stream, order).await?;
    let shown = show(receiver, destination, order.changes_nothing());
    tokio::pin!(shown);
    tokio::select! {
        shown = &mut shown => return shown,
        () = read => {}
    }
    shown.await
}

/// Sends a command. The replies arrive at the returned receiver, while the caller drives the
/// returned future.
async fn exchange(
    stream: UnixStream,
    order: &Order,
) -> Result<(mpsc::Receiver<Reply>, impl Future<Output = ()> + use<>), Failure> {
    let request = Request { format: FORMAT, version: env!("CARGO_PKG_VERSION"), order };
    let mut line = serde_json::to_vec(&request).map_err(io::Error::from)?;
    line.push(b'\n');
    let (reader, mut writer) = stream.into_split();
    // A server that refuses the command may have closed its side already, after stating its reason.
    writer.write_all(&line).await.ok();
    let (sender, receiver) = mpsc::channel(16);
    let read = async move {
        // The server would take an end of this side as a reason to stop.
        let _writer = writer;
        let mut lines = BufReader::new(reader).lines();
        let mut answered = false;
        while let Ok(Some(line)) = lines.next_line().await {
            let reply = serde_json::from_str(&line).unwrap_or_else(|_| {
                Reply::Failed(
                    "this program does not understand the server's answer: use the `rookery` \
                     program of the server"
                        .to_owned(),
                )
            });
            answered = true;
            if sender.send(reply).await.is_err() {
                return;
            }
        }
        if !answered {
            let reason = "the server closed the connection without an answer: it is stopping, or it has another version than this program. Try again, or use the `rookery` program of the server";
            sender.send(Reply::Failed(reason.to_owned())).await.ok();
        }
    };
    Ok((receiver, read))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(line: &str) -> String {
        read_order(line.as_bytes()).err().map(|failure| failure.to_string()).unwrap_or_default()
    }

    #[test]
    fn order_of_this_version_is_read_as_it_was_sent() {
        let request = Request { format: FORMAT, version: "0", order: &Order::Status };
        let line = serde_json::to_vec(&request).expect("writes");
        assert!(matches!(read_order(&line), Ok(Order::Status)));
    }

    #[test]
    fn order_of_another_version_is_refused_with_what_to_do() {
        for line in [
            "\"status\"",
            "{\"tail\":{\"after\":null,\"follow\":false}}",
            "{\"format\":3,\"version\":\"9.8.7\",\"order\":\"dance\"}",
            "{\"format\":3,\"something\":\"else\"}",
        ] {
            let said = refusal(line);
            assert!(said.contains("use the `rookery` program of the server"), "{line}: {said}");
        }
        assert!(refusal("{\"format\":3,\"version\":\"9.8.7\"}").contains("9.8.7"));
        assert!(refusal("{\"format\":2,\"order\":\"dance\"}").contains("dance"));
        let long = "x".repeat(usize::try_from(ORDER_BYTES_MAX).expect("fits"));
        assert!(refusal(&long).contains("at most"));
    }

    #[test]
    fn replies_of_every_format_can_say_why_an_order_failed() {
        let reply: Reply = serde_json::from_str("{\"failed\":\"because\"}").expect("reads");
        assert!(matches!(reply, Reply::Failed(reason) if reason == "because"));
    }
}
