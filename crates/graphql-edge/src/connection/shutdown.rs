//! Telling everyone that the server stops, and learning when they are done.

use std::future::pending;

use tokio::sync::watch;

/// Makes a pair: the one who stops the server, and those who heed it.
#[must_use]
pub fn shutdown() -> (ShutdownHandle, Shutdown) {
    let (sender, receiver) = watch::channel(false);
    (ShutdownHandle(sender), Shutdown(receiver))
}

/// Stops the server.
#[derive(Debug)]
pub struct ShutdownHandle(watch::Sender<bool>);

impl ShutdownHandle {
    /// Asks everyone to finish: no new connections, and sockets close with 1012.
    pub fn request(&self) {
        self.0.send_replace(true);
    }

    /// Resolves once every [`Shutdown`] is dropped: every connection and socket ended.
    pub async fn drained(&self) {
        self.0.closed().await;
    }
}

/// Learns that the server stops. Whoever holds one keeps [`ShutdownHandle::drained`] waiting.
#[derive(Clone, Debug)]
pub struct Shutdown(watch::Receiver<bool>);

impl Shutdown {
    /// Resolves once the server is to stop; never if the handle is dropped without asking.
    pub async fn requested(&mut self) {
        if self.0.wait_for(|requested| *requested).await.is_err() {
            pending::<()>().await;
        }
    }

    /// Whether the server is to stop.
    #[must_use]
    pub fn is_requested(&self) -> bool {
        *self.0.borrow()
    }
}
