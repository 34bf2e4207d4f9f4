//! Ends the calls of devices that were removed, also if the server stopped in between.

use rookery_domain::{AccountEvent, Fact, UserId};
use rookery_log::{Millis, Record, StreamKind};

use super::{Process, Undone, mention};
use crate::{Commands, stream::state::read_facts};

/// Ends calls. `now` is the time of the events that it makes.
pub(crate) struct CallProcess<'a> {
    pub(crate) commands: &'a Commands,
    pub(crate) now: Millis,
}

impl Process for CallProcess<'_> {
    const NAME: &'static str = "calls";

    fn concerns(record: &Record) -> bool {
        let is_account = matches!(record.commit.stream.split(), Some((StreamKind::User, _)));
        is_account && mention(&record.commit.events, "device_removed")
    }

    async fn handle(&self, record: &Record) -> Result<bool, Undone> {
        let Some((_, user)) = record.commit.stream.split() else { return Ok(false) };
        let Ok(user) = UserId::parse(user) else { return Ok(false) };
        let facts = read_facts::<rookery_domain::Account>(record)?;
        let removed = facts.into_iter().filter_map(|fact| match fact {
            Fact::Account(AccountEvent::DeviceRemoved { device_id }) => Some(device_id),
            _ => None,
        });
        let removed: Vec<_> = removed.collect();
        let ended = self.commands.end_calls_of_devices(&user, &removed, record.position, self.now);
        Ok(Box::pin(ended).await?)
    }
}
