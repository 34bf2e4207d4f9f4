//! The queues, for operators.

use std::fmt::Write as _;

use rookery_domain::OwnedServerName;

use super::Sender;

/// The state of a destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DestinationStatus {
    /// Its name.
    pub server: OwnedServerName,
    /// How many events wait in memory, with those of the transaction that is under way.
    pub waiting: usize,
    /// Whether it gets only the last event of each room, after a long outage.
    pub is_behind: bool,
    /// How many tries have failed in a row.
    pub failures: u32,
    /// When it is tried again, in milliseconds since 1970.
    pub next_try: Option<u64>,
    /// Why the last try failed.
    pub trouble: Option<String>,
    /// When it last took a transaction, in milliseconds since 1970.
    pub last_success: Option<u64>,
}

impl DestinationStatus {
    /// The state as a line of text, given the time in milliseconds since 1970.
    #[must_use]
    pub fn line(&self, now: u64) -> String {
        let waiting = self.waiting;
        let plural = if waiting == 1 { "" } else { "s" };
        let mut text = format!("{}: {waiting} event{plural} waiting", self.server);
        if self.is_behind {
            text.push_str(", gets only the last event of each room after its outage");
        }
        if let Some(next_try) = self.next_try {
            let seconds = next_try.saturating_sub(now).div_ceil(1_000);
            let trouble = self.trouble.as_deref().unwrap_or("unknown");
            let failures = self.failures;
            // Writing to a string cannot fail.
            write!(text, ", failed {failures} times, next try in {seconds} s: {trouble}").ok();
        }
        let success = self.last_success.map(|at| now.saturating_sub(at) / 1_000);
        text += &success.map_or_else(
            || "; has never taken events\n".to_owned(),
            |seconds| format!("; last took events {seconds} s ago\n"),
        );
        text
    }
}

impl Sender {
    /// All destinations, by name.
    pub(crate) fn status(&self) -> Vec<DestinationStatus> {
        let links: Vec<_> = self.0.links.lock().values().cloned().collect();
        let status = |link: std::sync::Arc<super::link::Link>| {
            let queue = link.queue.lock();
            let state = &queue.state;
            let under_way = state.outstanding.as_ref().map_or(0, |it| it.events.len());
            DestinationStatus {
                server: link.name.clone(),
                waiting: queue.pending.len() + under_way,
                is_behind: state.is_behind,
                failures: state.failures,
                next_try: (state.failures > 0).then_some(state.next_try),
                trouble: state.trouble.clone(),
                last_success: (state.last_success > 0).then_some(state.last_success),
            }
        };
        let mut all: Vec<_> = links.into_iter().map(status).collect();
        all.sort_by(|a, b| a.server.cmp(&b.server));
        all
    }

    /// Tries a destination again now. Returns `false` if nothing was ever sent to it.
    pub(crate) fn retry(&self, server: &rookery_domain::ServerName) -> bool {
        let link = self.0.links.lock().get(server).cloned();
        link.is_some_and(|link| {
            link.end_pause();
            true
        })
    }
}
