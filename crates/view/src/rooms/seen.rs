//! Which of the events that relate to another one a viewer is shown.

use rookery_log::Position;
use rookery_projection::Relating;

use crate::Sight;

/// Up to where and by whom relations are seen.
#[derive(Clone, Debug)]
pub struct Seen<'a> {
    /// What the viewer may see.
    pub sight: Sight<'a>,
    /// Only what was there at this position.
    pub until: Option<Position>,
}

impl Seen<'_> {
    pub(crate) fn sees(&self, relating: &Relating) -> bool {
        let is_there = self.until.is_none_or(|until| relating.key.position <= until);
        is_there && self.sight.sees(relating.sequence)
    }
}
