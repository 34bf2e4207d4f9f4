//! The signals that a stream has had.

use std::{collections::BTreeMap, sync::Arc};

use rookery_domain::UserId;

use super::CallSignal;
use crate::Ephemeral;

/// The last signal of each call that a stream of a device has had.
#[derive(Debug, Default)]
pub struct SignalCursor(BTreeMap<Box<str>, u64>);

impl SignalCursor {
    /// The signals of `calls` for a device that it has not had yet, with the ID of their call.
    pub fn take(
        &mut self,
        ephemeral: &Ephemeral,
        (user, device): (&UserId, &str),
        calls: impl IntoIterator<Item = Box<str>>,
    ) -> Vec<(Box<str>, Arc<CallSignal>)> {
        let mut taken = Vec::new();
        for call in calls {
            let after = self.0.get(&call).copied().unwrap_or_default();
            let Some(signals) = ephemeral.signals(&call, (user, device), after) else { continue };
            if let Some(last) = signals.last() {
                self.0.insert(call.clone(), last.number);
            }
            taken.extend(signals.into_iter().map(|signal| (call.clone(), signal)));
        }
        // Only calls that go on may have more.
        if self.0.len() > 1 {
            self.0.retain(|call, _| ephemeral.signals(call, (user, device), u64::MAX).is_some());
        }
        taken
    }
}
