//! Numbered actions: the greatest number of each device among the actions that were carried out.
//!
//! A device acts in many streams. A row belongs to a stream and holds the greatest number of each
//! device there. An index holds the greatest number over all streams.
//!
//! **Invariant:** a device is identified by a hash over user and device, so the model names
//! neither.

use std::{
    collections::{BTreeMap, HashMap},
    io,
    path::Path,
};

use rookery_domain::{AccountEvent, Fact, Origin};
use rookery_log::StreamKind;
use serde::{Deserialize, Serialize};

use crate::Committed;
use crate::models::{Fold, Rows, Shared, StreamKey, Unfit};

/// Identifies a device of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
struct DeviceKey([u8; 16]);

impl DeviceKey {
    fn of(user: &str, device: &str) -> Self {
        let mut hasher = blake3::Hasher::new();
        // The length marks the end of the user and the begin of the device.
        hasher.update(&(user.len() as u64).to_le_bytes());
        hasher.update(user.as_bytes());
        hasher.update(device.as_bytes());
        let mut key = [0; 16];
        hasher.finalize_xof().fill(&mut key);
        Self(key)
    }
}

/// The greatest number of each device in one stream.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ActionNumbers(BTreeMap<DeviceKey, u64>);

impl Fold for ActionNumbers {
    const NAME: &'static str = "actions";
    const VERSION: u32 = 1;
    const KIND: StreamKind = StreamKind::Room;
    type Shared = LastNumbers;

    fn concerns(kind: StreamKind) -> bool {
        matches!(kind, StreamKind::Room | StreamKind::User)
    }

    fn apply(
        &mut self,
        _: StreamKey,
        committed: &Committed,
        last: &mut LastNumbers,
    ) -> Result<(), Unfit> {
        for fact in committed.facts.iter().flatten() {
            let Some((user, device, number)) = numbered(committed, fact) else { continue };
            let device = DeviceKey::of(user, device);
            let greatest = self.0.entry(device).or_default();
            *greatest = number.max(*greatest);
            last.reached(device, number);
        }
        Ok(())
    }
}

/// The user, device and number of the action that made a fact.
fn numbered<'a>(committed: &'a Committed, fact: &'a Fact) -> Option<(&'a str, &'a str, u64)> {
    match fact {
        Fact::Room(event) => match &event.envelope.origin {
            Origin::Local { device: Some(device), action: Some(action), .. } => {
                Some((event.pdu.sender.as_str(), device, *action))
            }
            Origin::Local { .. } | Origin::Server(_) => None,
        },
        Fact::Account(AccountEvent::ActionNoted { device, action, .. }) => {
            Some((committed.stream.split()?.1, device, *action))
        }
        Fact::Account(_) | Fact::Alias(_) => None,
    }
}

/// The greatest number of each device in all streams.
#[derive(Default)]
pub(crate) struct LastNumbers(HashMap<DeviceKey, u64>);

impl LastNumbers {
    /// The greatest number of the device; 0 if there is none.
    pub(crate) fn of(&self, user: &str, device: &str) -> u64 {
        self.0.get(&DeviceKey::of(user, device)).copied().unwrap_or_default()
    }

    fn reached(&mut self, device: DeviceKey, number: u64) {
        let greatest = self.0.entry(device).or_default();
        *greatest = number.max(*greatest);
    }
}

impl Shared<ActionNumbers> for LastNumbers {
    type Saved = ();

    fn create(_: &Path, _: usize) -> io::Result<Self> {
        Ok(Self::default())
    }

    fn added(&mut self, _: StreamKey, row: &ActionNumbers) {
        for (device, number) in &row.0 {
            self.reached(*device, *number);
        }
    }

    /// A row is replaced by one of the same stream, which only grows, so no number is removed.
    fn removed(&mut self, _: StreamKey, _: Option<&ActionNumbers>) {}

    fn merge(&mut self, other: Self, _: &mut Rows<ActionNumbers>) {
        for (device, number) in other.0 {
            self.reached(device, number);
        }
    }

    fn save(&self) -> io::Result<()> {
        Ok(())
    }
}
