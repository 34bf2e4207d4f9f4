//! The membership of a bot in one room over time: joined while the room concerns its service, and
//! otherwise as its own member events say.
//!
//! **Invariant:** a room of which only the state before the join of this server is known is not followed
//! yet. It is from the join on, if it concerns the service by then.

use rookery_domain::Membership;
use rookery_log::Position;
use rookery_projection::{MemberSince, MembershipChange};

/// The change of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// The number of members and aliases in the namespaces; the room counts as well.
    Reasons(i64),
    /// The bot's own membership.
    Member(Membership),
    /// Only the state before the join of this server is known.
    Awaits,
    /// This server has joined: events go on from here.
    Begins,
}

/// A change in a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Step {
    /// The commit.
    pub(super) position: Position,
    /// The first event from which on it holds.
    pub(super) sequence: u64,
    /// That event is a member event of a user in a namespace, or of the bot.
    pub(super) own: bool,
    /// The change.
    pub(super) what: What,
}

/// The membership of a bot in a room.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Followed {
    reasons: i64,
    member: Membership,
    /// This server has not joined yet.
    awaits: bool,
    history: Vec<MembershipChange>,
    /// The first event after the moment since which the service follows, if the room concerned it
    /// at that moment.
    begins: Option<u64>,
    /// The commit since which the room is followed.
    since: Option<Position>,
}

impl Followed {
    /// The membership of a bot whose service follows rooms after the commit at `since`; `begins` is
    /// the first event of the room after that.
    pub(super) fn of(since: Position, begins: u64, mut steps: Vec<Step>) -> Self {
        steps.sort_by_key(|step| (step.position, step.sequence));
        let (earlier, later) = steps.split_at(steps.partition_point(|it| it.position <= since));
        let mut followed = Self::default();
        let mut reasons = 0;
        for step in earlier {
            match step.what {
                What::Reasons(change) => reasons += change,
                What::Member(_) | What::Awaits | What::Begins => followed.apply(&[*step]),
            }
        }
        if followed.awaits {
            followed.reasons = reasons;
        } else if reasons > 0 {
            let (own, what) = (false, What::Reasons(reasons));
            let was_member = followed.now() == Membership::Join;
            followed.apply(&[Step { position: since, sequence: begins, own, what }]);
            followed.begins = Some(begins).filter(|_| !was_member);
        }
        followed.apply(later);
        followed
    }

    /// Applies later changes, in their order.
    pub(super) fn apply(&mut self, steps: &[Step]) {
        let same = |one: &Step, other: &Step| {
            (one.position, one.sequence) == (other.position, other.sequence)
        };
        for steps in steps.chunk_by(same) {
            let Step { position, sequence, .. } = steps[0];
            let was_followed = self.is_followed();
            for step in steps {
                match step.what {
                    What::Reasons(change) => self.reasons += change,
                    What::Member(membership) => self.member = membership,
                    What::Awaits => self.awaits = true,
                    What::Begins => self.awaits = false,
                }
            }
            if self.is_followed() && !was_followed {
                self.since = Some(position);
            }
            if self.awaits {
                continue;
            }
            let (own, membership) = (steps.iter().any(|step| step.own), self.effective());
            self.note(MembershipChange { sequence, position, membership, own });
        }
    }

    /// Whether the bot and its service have nothing to do with the room. Whether this server has joined it shows again
    /// when they have.
    pub(super) fn is_nothing(&self) -> bool {
        *self == Self { awaits: self.awaits, ..Self::default() }
    }

    fn is_followed(&self) -> bool {
        self.reasons > 0 && !self.awaits
    }

    fn effective(&self) -> Membership {
        match self.member {
            _ if self.is_followed() => Membership::Join,
            // The bot keeps the events that it could see.
            Membership::None if self.since.is_some() => Membership::Leave,
            member => member,
        }
    }

    /// A joined user sees their own events in any case, so these are left out.
    fn note(&mut self, change: MembershipChange) {
        let before = self.now();
        if change.membership != before || (change.own && before != Membership::Join) {
            self.history.push(change);
        }
    }

    /// The commit since which the room is followed; `None` if it is not followed now.
    pub(super) fn followed_since(&self) -> Option<Position> {
        self.since.filter(|_| self.is_followed())
    }

    /// Whether the room is followed since the moment at which the service was added.
    pub(super) fn is_followed_since(&self, added: Position) -> bool {
        self.followed_since() == Some(added)
    }

    /// Whether the events from `sequence` on are the first that the bot gets of a room that
    /// concerned its service when that was added.
    pub(super) fn begins_at(&self, sequence: u64) -> bool {
        self.begins == Some(sequence)
    }

    /// The membership now.
    pub(crate) fn now(&self) -> Membership {
        self.history.last().map(|last| last.membership).unwrap_or_default()
    }

    /// The membership after the commit at `position`.
    pub(crate) fn at(&self, position: Position) -> Membership {
        self.before_index(self.history.partition_point(|change| change.position <= position))
    }

    /// The membership after the event `sequence`, and whether that event is one of its own.
    pub(super) fn after(&self, sequence: u64) -> (Membership, bool) {
        let end = self.history.partition_point(|change| change.sequence <= sequence);
        let last = end.checked_sub(1).map(|last| &self.history[last]);
        let own = last.is_some_and(|last| last.sequence == sequence && last.own);
        (self.before_index(end), own)
    }

    fn before_index(&self, end: usize) -> Membership {
        end.checked_sub(1).map(|last| self.history[last].membership).unwrap_or_default()
    }

    /// All changes, in order of arrival.
    pub(crate) fn history(&self) -> &[MembershipChange] {
        &self.history
    }

    /// The changes after one position, up to another.
    pub(crate) fn changes(&self, after: Position, until: Position) -> &[MembershipChange] {
        let at = |end: Position| self.history.partition_point(|change| change.position <= end);
        &self.history[at(after)..at(until).max(at(after))]
    }

    /// The membership, and the commit since which it holds.
    pub(super) fn is_since(&self) -> MemberSince {
        let last = self.history.last();
        (self.now(), last.map(|last| last.position).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reasons(position: u64, sequence: u64, change: i64) -> Step {
        let what = What::Reasons(change);
        Step { position: Position(position), sequence, own: true, what }
    }

    fn member(position: u64, sequence: u64, membership: Membership) -> Step {
        let what = What::Member(membership);
        Step { position: Position(position), sequence, own: true, what }
    }

    fn shown(followed: &Followed) -> Vec<(u64, u64, Membership)> {
        let history = followed.history().iter();
        history.map(|it| (it.position.0, it.sequence, it.membership)).collect()
    }

    use Membership::{Join, Leave};

    #[test]
    fn a_room_is_followed_from_the_first_reason_to_the_last() {
        let steps = vec![reasons(3, 2, 1), reasons(5, 4, 1), reasons(7, 6, -1), reasons(9, 8, -1)];
        let followed = Followed::of(Position(1), 1, steps);
        assert_eq!(shown(&followed), [(3, 2, Join), (9, 8, Leave)]);
        assert_eq!(followed.followed_since(), None);
        assert_eq!(followed.after(8), (Leave, true), "the event that ends it is seen");
        assert_eq!(followed.after(9), (Leave, false));
    }

    #[test]
    fn what_was_before_the_service_begins_with_it() {
        let steps = vec![reasons(3, 2, 1), reasons(9, 8, -1)];
        let followed = Followed::of(Position(6), 5, steps.clone());
        assert_eq!(shown(&followed), [(6, 5, Join), (9, 8, Leave)]);
        assert!(followed.begins_at(5) && !followed.begins_at(6));
        let over = Followed::of(Position(9), 9, steps);
        assert_eq!(shown(&over), []);
    }

    #[test]
    fn a_bot_that_leaves_still_follows_and_one_that_is_a_member_stays() {
        let steps = vec![reasons(3, 2, 1), member(4, 3, Join), member(5, 4, Leave)];
        assert_eq!(shown(&Followed::of(Position(1), 1, steps)), [(3, 2, Join)]);
        let steps = vec![member(2, 1, Join), reasons(3, 2, 1), reasons(4, 3, -1)];
        assert_eq!(shown(&Followed::of(Position(1), 1, steps)), [(2, 1, Join)]);
    }

    #[test]
    fn one_event_that_removes_a_reason_and_gives_another_closes_nothing() {
        let steps = vec![reasons(3, 2, 1), reasons(4, 3, -1), reasons(4, 3, 1)];
        assert_eq!(shown(&Followed::of(Position(1), 1, steps)), [(3, 2, Join)]);
    }

    #[test]
    fn changes_after_a_build_are_those_of_a_later_build() {
        let steps = vec![
            reasons(3, 2, 1),
            member(4, 3, Membership::Invite),
            reasons(5, 4, -1),
            reasons(6, 6, 1),
            member(7, 6, Join),
            reasons(8, 7, -1),
        ];
        for since in 0..9 {
            let begins = steps.iter().find(|it| it.position.0 > since).map_or(8, |it| it.sequence);
            let whole = Followed::of(Position(since), begins, steps.clone());
            for cut in 0..=steps.len() {
                if steps[cut..].iter().any(|it| it.position.0 <= since) {
                    continue;
                }
                let mut grown = Followed::of(Position(since), begins, steps[..cut].to_vec());
                grown.apply(&steps[cut..]);
                assert_eq!(grown, whole, "since {since}, cut {cut}");
            }
        }
    }
}
