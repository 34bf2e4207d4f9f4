//! The free space that the log leaves on the disk.
//!
//! **Invariant:** a group is refused before it would use up the space that is kept free.

use rookery_log::Unavailable;

use super::Writer;

/// How many groups are written between two checks of the free space ...
const GROUPS_PER_LOOK: u32 = 64;
/// ... and how many bytes of commits.
const BYTES_PER_LOOK: u64 = 1024 * 1024;
/// The engine writes a value, and now and then rewrites the 16 beside it.
const WRITTEN_PER_BYTE: u64 = 4;

/// How much may be written without a check of the free space.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Allowance {
    groups: u32,
    bytes: u64,
}

impl Allowance {
    /// Subtracts a group of `bytes`; `None` if it is more than is left.
    fn spend(self, bytes: u64) -> Option<Self> {
        let groups = self.groups.checked_sub(1)?;
        Some(Self { groups, bytes: self.bytes.checked_sub(bytes)? })
    }
}

impl Writer {
    /// Updates the state of the disk even without writes: other programs may fill it, or free
    /// space.
    pub(super) fn look_at_disk(&mut self) {
        self.allowance = Allowance::default();
        self.refusal(0);
    }

    /// The reason why a group of `bytes` cannot be written now, if there is one. A full disk may
    /// get space again; a fault stays.
    pub(super) fn refusal(&mut self, bytes: u64) -> Option<Unavailable> {
        if let Some(unavailable) = self.shared.broken() {
            return Some(unavailable);
        }
        if let Some(left) = self.allowance.spend(bytes) {
            self.allowance = left;
            return None;
        }
        let free = self.options.disk.free_bytes(&self.dir).unwrap_or(u64::MAX);
        let needed =
            self.options.free_bytes_min.saturating_add(bytes.saturating_mul(WRITTEN_PER_BYTE));
        if free >= needed {
            self.allowance = Allowance { groups: GROUPS_PER_LOOK, bytes: BYTES_PER_LOOK };
            self.shared.set_fault(None);
            return None;
        }
        let reason = format!(
            "the disk is full: {free} bytes are free below {}, and {needed} are needed. Free some space; writes continue automatically then",
            self.dir.display(),
        );
        let unavailable = Unavailable { reason: reason.into() };
        // If only this group is too large, only this group is refused.
        if free < self.options.free_bytes_min {
            self.shared.set_fault(Some(unavailable.clone()));
        }
        Some(unavailable)
    }
}
