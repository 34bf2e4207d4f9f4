//! The changes of a commit, in step with the models.

use std::sync::atomic::Ordering;

use rookery_domain::{
    EventStatus, Membership, RoomAliasId, RoomEvent, RoomId, TimelineEventType, UserId,
};
use rookery_log::{Position, StreamKind};
use rookery_namespaces::Service;
use rookery_projection::{Committed, MembershipChange, Models, Observer, StreamKey};

use super::{
    Followings,
    history::{Step, What},
};

/// The type of member events.
const MEMBER: &str = "m.room.member";

impl Observer for Followings {
    /// The commit may take an alias from a room, or be the join of this server.
    fn before(&self, models: &Models, committed: &Committed) {
        if self.is_empty() {
            return;
        }
        *self.alias_before.lock() =
            alias_of(committed).and_then(|alias| models.alias_target(alias)).cloned();
        let room = room_of(committed).and_then(|room| models.room(room));
        self.had_begun.store(room.is_some_and(|room| has_begun(models, room)), Ordering::Relaxed);
    }

    fn after(&self, models: &Models, committed: &Committed) {
        if self.is_empty() {
            return;
        }
        let mut services = self.services.write();
        if let Some(alias) = alias_of(committed) {
            let before = self.alias_before.lock().take();
            let now = models.alias_target(alias);
            let moved = [(before.as_ref(), -1), (now, 1)];
            for rooms in services.0.values_mut() {
                if before.as_ref() == now || !rooms.service.namespaces.claims_alias(alias) {
                    continue;
                }
                for (room, change) in moved {
                    let Some(key) = room.and_then(|room| models.room(room)) else { continue };
                    let sequence = next_sequence(models, key);
                    let position = committed.position;
                    let step = |what| Step { position, sequence, own: false, what };
                    let awaits = (!has_begun(models, key)).then(|| step(What::Awaits));
                    let moved = step(What::Reasons(change));
                    let steps: Vec<_> = awaits.into_iter().chain([moved]).collect();
                    rooms.apply(key, &steps, true);
                }
            }
            return;
        }
        let room = room_of(committed).and_then(|room| Some((room, models.room(room)?)));
        let Some((room, key)) = room else { return };
        let is_known = self.had_begun.load(Ordering::Relaxed);
        let begins = begin_in(committed).filter(|_| !is_known);
        let awaits = !is_known && !has_begun(models, key);
        for rooms in services.0.values_mut() {
            let mut steps = steps_of(&rooms.service, models, (room, key), committed);
            steps.extend(begins.filter(|begins| begins.sequence > 1));
            let (position, sequence) = (committed.position, committed.first_sequence);
            let early = begins.is_some_and(|begins| begins.sequence > sequence);
            if !steps.is_empty() && (awaits || early) {
                let what = What::Awaits;
                steps.push(Step { position, sequence, own: false, what });
            }
            steps.sort_by_key(|step| step.sequence);
            rooms.apply(key, &steps, false);
        }
    }

    fn reset(&self) {
        self.stale.notify_one();
    }
}

fn alias_of(committed: &Committed) -> Option<&RoomAliasId> {
    let (StreamKind::Alias, alias) = committed.stream.split()? else { return None };
    <&RoomAliasId>::try_from(alias).ok()
}

fn room_of(committed: &Committed) -> Option<&RoomId> {
    let (StreamKind::Room, room) = committed.stream.split()? else { return None };
    <&RoomId>::try_from(room).ok()
}

/// Whether a room has an event with a place. Before the join of this server, only its state is known.
fn has_begun(models: &Models, room: StreamKey) -> bool {
    models.members(room).is_some_and(|members| members.activity() > Position::ORIGIN)
}

/// The first event with a place in a commit.
pub(super) fn begin_in(committed: &Committed) -> Option<Step> {
    let has_place = |event: &RoomEvent| {
        event.envelope.status == EventStatus::Accepted && event.envelope.past.is_none()
    };
    let (index, _) = committed.room_events().find(|(_, event)| has_place(event))?;
    let (position, sequence) = (committed.position, committed.sequence(index));
    Some(Step { position, sequence, own: false, what: What::Begins })
}

/// The number of the next event of a room.
pub(super) fn next_sequence(models: &Models, room: StreamKey) -> u64 {
    models.summary(room).map_or(0, |summary| summary.last_sequence) + 1
}

/// The changes of a commit of a room, which the models have just applied.
fn steps_of(
    service: &Service,
    models: &Models,
    (room, key): (&RoomId, StreamKey),
    committed: &Committed,
) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut users: Vec<_> = members(committed).collect();
    users.sort_unstable();
    users.dedup();
    for user in users {
        let Ok(user) = <&UserId>::try_from(user) else { continue };
        let kinds = Kinds::of(service, user);
        let member = models.members(key).and_then(|members| members.get(user));
        if let Some(member) = member.filter(|_| kinds.any()) {
            steps.extend(member_steps(&member.history, kinds, |it| it == committed.position));
        }
    }
    if committed.first_sequence == 1 {
        let claims = |alias: &&RoomAliasId| service.namespaces.claims_alias(alias);
        let aliases = models.aliases_of(room).filter(claims).count();
        let reasons = aliases + usize::from(service.namespaces.claims_room(room));
        if reasons > 0 {
            let what = What::Reasons(i64::try_from(reasons).unwrap_or(i64::MAX));
            steps.push(Step { position: committed.position, sequence: 1, own: false, what });
        }
    }
    steps
}

/// The users of the member events in a commit, and the users whose memberships it may change.
fn members(committed: &Committed) -> impl Iterator<Item = &str> {
    committed.room_events().flat_map(|(_, event)| {
        let is_member = event.pdu.kind == TimelineEventType::RoomMember;
        let own = event.pdu.state_key.as_deref().filter(|_| is_member);
        let may = event.pdu.state_key.is_some() || event.envelope.state.is_some();
        let changes = may.then(|| event.state_changes()).into_iter().flatten();
        let slots = changes.filter(|change| change.kind == MEMBER).map(|change| change.state_key);
        own.into_iter().chain(slots)
    })
}

/// The relation of a user to a service.
#[derive(Clone, Copy)]
pub(super) struct Kinds {
    is_bot: bool,
    is_claimed: bool,
}

impl Kinds {
    pub(super) fn of(service: &Service, user: &UserId) -> Self {
        Self { is_bot: *user == service.bot, is_claimed: service.namespaces.claims_user(user) }
    }

    pub(super) fn any(self) -> bool {
        self.is_bot || self.is_claimed
    }
}

/// The changes of a member at the chosen positions.
pub(super) fn member_steps(
    history: &[MembershipChange],
    kinds: Kinds,
    at: impl Fn(Position) -> bool,
) -> Vec<Step> {
    let concerns = |it: Membership| i64::from(matches!(it, Membership::Join | Membership::Invite));
    let mut steps = Vec::new();
    let mut before = Membership::None;
    for change in history {
        let MembershipChange { position, sequence, membership, own } = *change;
        if at(position) {
            let mut add = |what| steps.push(Step { position, sequence, own, what });
            let reasons = concerns(membership) - concerns(before);
            if kinds.is_claimed && reasons != 0 {
                add(What::Reasons(reasons));
            }
            if kinds.is_bot {
                add(What::Member(membership));
            }
        }
        before = membership;
    }
    steps
}
