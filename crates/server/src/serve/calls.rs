//! Ends calls that nobody ends.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use rookery_audience::calls::{CallTimers, DueCall};
use rookery_domain::UserId;

use crate::node::{Node, clock};

/// Time between two checks while there are calls.
const LOOK: Duration = Duration::from_millis(500);

/// Ends calls while it is polled. Run it once.
pub(super) async fn end_calls(node: Arc<Node>) {
    let mut timers = CallTimers::new(Instant::now());
    loop {
        tokio::time::sleep(LOOK).await;
        let calls = node.reader.view().active_calls();
        let is_connected = |user: &UserId, device: &str| node.ephemeral.is_connected(user, device);
        for due in timers.look(&calls, (Instant::now(), clock::now()), is_connected) {
            end(&node, &due).await;
        }
    }
}

/// Ends a call. If that fails, the next check tries again.
async fn end(node: &Node, DueCall { room, call, user, reason }: &DueCall) {
    let ended = node.commands.end_active_call(room, call, user, *reason, clock::now()).await;
    if let Err(error) = ended {
        tracing::warn!(%room, "cannot end a call that is over: {error}");
    }
}
