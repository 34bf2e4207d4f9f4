//! The operator's socket: one order a connection, as a line of JSON; replies as lines of JSON.
//!
//! **Invariant:** the socket lies in the data directory with mode 0600: who can open it could read
//! the data anyway.

use std::{fs, io, os::unix::fs::PermissionsExt, path::Path, sync::Arc, time::Duration};

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{UnixListener, UnixStream},
    sync::mpsc,
};

use super::{Destination, Order, Output, Reply, execute, show};
use crate::{failure::Failure, node::Node};

/// The name of the socket in the data directory.
pub const SOCKET_NAME: &str = "operator.sock";

/// How long to wait after a connection could not be taken.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// Longest order, in bytes: one that brings events of other servers.
const ORDER_BYTES_MAX: u64 = 1024 * 1024;

/// Makes the socket in `data`. Orders that come in from now on wait for [`serve`].
///
/// # Errors
/// If the socket cannot be made: its path may be too long.
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

/// Carries out the orders that come in, until dropped.
pub async fn serve(listener: UnixListener, node: Arc<Node>) {
    let mut told = false;
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                // Most likely there are no file descriptors left, and there will be some again.
                if !std::mem::replace(&mut told, true) {
                    tracing::warn!("an operator's connection cannot be taken now: {error}");
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
    let mut line = String::new();
    let mut reader = BufReader::new(tokio::io::AsyncReadExt::take(reader, ORDER_BYTES_MAX));
    reader.read_line(&mut line).await?;
    let order: Order = serde_json::from_str(&line)?;
    let (output, mut replies) = Output::channel();
    let write = async {
        while let Some(reply) = replies.recv().await {
            let mut line = serde_json::to_vec(&reply)?;
            line.push(b'\n');
            writer.write_all(&line).await?;
        }
        Ok(())
    };
    let work = async {
        let result = execute(node, order, &output).await;
        output.end(result).await;
        drop(output);
    };
    // When the operator is gone, nobody waits for the rest of a `log tail --follow`.
    tokio::pin!(write);
    tokio::select! {
        written = &mut write => written,
        () = work => write.await,
    }
}

/// Sends an order to the server that runs on `data`, and shows what it says.
///
/// # Errors
/// [`Failure`] if it cannot be reached, or if the order failed.
pub async fn ask(data: &Path, order: &Order, destination: &Destination) -> Result<(), Failure> {
    let stream = UnixStream::connect(data.join(SOCKET_NAME)).await.map_err(|error| {
        let data = data.display();
        Failure::new(format!(
            "the data in {data} is in use, and the process that uses it takes no orders \
             ({error}): stop it and try again"
        ))
    })?;
    ask_on(stream, order, destination).await
}

/// Like [`ask`], for orders that make sense only where a server runs.
///
/// # Errors
/// As [`ask`].
pub async fn ask_running(data: &Path, order: &Order) -> Result<(), Failure> {
    let stream = UnixStream::connect(data.join(SOCKET_NAME)).await.map_err(|error| {
        let data = data.display();
        Failure::new(format!(
            "no server on the data in {data} takes orders ({error}): start one with \
             `rookery serve --data {data}`"
        ))
    })?;
    ask_on(stream, order, &Destination::Screen).await
}

async fn ask_on(
    mut stream: UnixStream,
    order: &Order,
    destination: &Destination,
) -> Result<(), Failure> {
    let mut line = serde_json::to_vec(order).map_err(io::Error::from)?;
    line.push(b'\n');
    stream.write_all(&line).await?;
    let (sender, receiver) = mpsc::channel(16);
    let read = async {
        let mut lines = BufReader::new(&mut stream).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            let Ok(reply) = serde_json::from_str::<Reply>(&line) else { break };
            if sender.send(reply).await.is_err() {
                break;
            }
        }
        drop(sender);
    };
    let (shown, ()) = tokio::join!(show(receiver, destination), read);
    shown
}
