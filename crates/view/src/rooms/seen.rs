//! Visibility of the events that relate to another one.

use rookery_domain::IgnoredUsers;
use rookery_log::Position;
use rookery_projection::Relating;

use crate::Sight;

/// The bounds of visible relations.
#[derive(Clone, Debug)]
pub struct Seen<'a> {
    /// The sight of the viewer.
    pub sight: Sight<'a>,
    /// The users whose relations the viewer does not get.
    pub ignored: IgnoredUsers,
    /// Only relations that existed at this position.
    pub until: Option<Position>,
}

impl Seen<'_> {
    pub(crate) fn sees(&self, relating: &Relating) -> bool {
        let is_there = self.until.is_none_or(|until| relating.key.position <= until);
        // Relating events are no state.
        is_there && !self.ignored.contains(relating.sender()) && self.sight.sees(relating.sequence)
    }
}
