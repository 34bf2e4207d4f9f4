//! Places in the log at which a consumer may begin.

use rookery_log::{Epoch, Millis, Position, Record, Scope};

use super::Consumers;
use crate::FollowError;

/// A place at which a consumer begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConsumerPlace {
    /// The end of the log.
    Now,
    /// The beginning of the log.
    Beginning,
    /// After this position.
    After(Position),
    /// Before the first commit that was received at this moment or later.
    Time(Millis),
}

impl Consumers {
    /// The position of a place.
    pub(super) async fn find(&self, place: ConsumerPlace) -> Result<Position, FollowError> {
        match place {
            // The models have everything up to there, so nothing before it comes later.
            ConsumerPlace::Now => Ok(self.shared.feeds.models().checkpoint_now()),
            ConsumerPlace::Beginning => Ok(Position::ORIGIN),
            ConsumerPlace::After(position) => Ok(position),
            ConsumerPlace::Time(time) => {
                self.last_before(|record| record.commit.received < time).await
            }
        }
    }

    /// The epoch of the log.
    pub(super) fn epoch(&self) -> Epoch {
        self.shared.feeds.models().log().epoch()
    }

    /// The end of the log.
    pub(super) fn end_of_log(&self) -> Position {
        *self.shared.feeds.models().log().tail().borrow()
    }

    /// The last position that this log has in common with the log of another epoch. A log that was
    /// restored began a new epoch there.
    pub(super) async fn common_history(&self, other: Epoch) -> Result<Position, FollowError> {
        let own = self.epoch();
        if own == other {
            return Ok(self.end_of_log());
        }
        self.last_before(|record| record.epoch != own).await
    }

    /// The last position of the part of the log whose commits fit. Commits that fit come before the
    /// others. If a clock went back some do not, and the place is one of those that may be meant.
    async fn last_before(&self, fits: impl Fn(&Record) -> bool) -> Result<Position, FollowError> {
        let log = self.shared.feeds.models().log();
        let (mut low, mut high) = (Position::ORIGIN, self.end_of_log());
        while low < high {
            let middle = Position(low.0 + (high.0 - low.0).div_ceil(2));
            let before = Position(middle.0.saturating_sub(1));
            let records = log.read(&Scope::All, before, 1).await?;
            match records.first() {
                Some(record) if fits(record) => low = middle,
                Some(_) => high = before,
                None => return Ok(low),
            }
        }
        Ok(low)
    }
}
