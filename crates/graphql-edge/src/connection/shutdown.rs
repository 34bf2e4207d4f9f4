//! Shutdown: the request to stop, and the wait until all connections have ended.

use std::future::pending;

use tokio::sync::watch;

/// Makes a pair: a handle to stop the server, and the receiver for its tasks.
#[must_use]
pub fn shutdown() -> (ShutdownHandle, Shutdown) {
    let (sender, receiver) = watch::channel(false);
    (ShutdownHandle(sender), Shutdown(receiver))
}

/// Stops the server.
#[derive(Debug)]
pub struct ShutdownHandle(watch::Sender<bool>);

impl ShutdownHandle {
    /// Requests a shutdown: no new connections, and sockets close with 1012.
    pub fn request(&self) {
        self.0.send_replace(true);
    }

    /// Resolves once every [`Shutdown`] is dropped: every connection and socket has ended.
    pub async fn drained(&self) {
        self.0.closed().await;
    }
}

/// Receives the shutdown request. [`ShutdownHandle::drained`] waits until all of these are dropped.
#[derive(Clone, Debug)]
pub struct Shutdown(watch::Receiver<bool>);

impl Shutdown {
    /// Resolves on a shutdown request; never if the handle is dropped without one.
    pub async fn requested(&mut self) {
        if self.0.wait_for(|requested| *requested).await.is_err() {
            pending::<()>().await;
        }
    }

    /// Whether a shutdown was requested.
    #[must_use]
    pub fn is_requested(&self) -> bool {
        *self.0.borrow()
    }
}
