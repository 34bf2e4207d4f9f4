//! Pages of the members of a room.
//!
//! **Invariant:** only viewers inside the room see members.
//! **Invariant:** the models are released after a bounded number of members.

use rookery_domain::{Membership, OwnedUserId, Pdu, Power, Profile, RoomId, UserId};
use rookery_log::Position;
use rookery_projection::{Member, Summary};

use super::RoomView;
use crate::{Access, Meter, Reader, TimelineError};

/// Members that are checked before the models are released.
const LOOKED_MAX: usize = if cfg!(test) { 2 } else { 1_000 };

/// A user in a room, as the other members see them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomMember {
    /// The user.
    pub user_id: OwnedUserId,
    /// The name and avatar in the room.
    pub profile: Profile,
    /// The membership.
    pub membership: Membership,
    /// The power.
    pub power: Power,
    /// The user who last changed the membership: the user, the inviter or a moderator.
    pub changed_by: OwnedUserId,
}

/// The requested members of a room.
#[derive(Clone, Copy, Debug)]
pub struct WantedMembers<'a> {
    /// With this membership.
    pub membership: Membership,
    /// After this user, in the order of user IDs.
    pub after: Option<&'a UserId>,
    /// The greatest number of members.
    pub limit: usize,
    /// As of the commit at this position; as of now for `None`.
    pub as_of: Option<Position>,
}

/// A member of a page, whose event at the moment may still have to be read.
struct Listed {
    member: RoomMember,
    /// The slot of the member event, if another event may have held it at the moment.
    changed: Option<(String, String)>,
}

/// Whether a count is known without counting.
enum Known {
    /// The room shows nothing.
    Nothing,
    ToBeCounted,
    Count(u64),
}

impl Reader {
    /// A page of the members of the room, ordered by user ID. Empty unless `viewer` is inside.
    ///
    /// # Errors
    /// [`TimelineError`] if the log or a file of the models cannot be read, or if the budget of the
    /// request is used up.
    pub async fn members(
        &self,
        room: &RoomId,
        viewer: &UserId,
        wanted: WantedMembers<'_>,
        meter: &dyn Meter,
    ) -> Result<Vec<RoomMember>, TimelineError> {
        let WantedMembers { membership, after, limit, as_of } = wanted;
        let summary = self.settings_for(room, as_of, meter).await?;
        let (mut after, mut listed) = (after.map(ToOwned::to_owned), Vec::new());
        loop {
            let looked = self.look_at_members(room, viewer, &mut after, |view, user, member| {
                if membership_of(view, user, member, as_of) != membership {
                    return true;
                }
                let summary = summary.as_ref().unwrap_or(view.summary());
                listed.push(Listed::of(view, summary, (user, member), as_of));
                listed.len() < limit
            });
            meter.take_rows(looked)?;
            if looked < LOOKED_MAX || listed.len() >= limit {
                break;
            }
            meter.turn().await?;
        }
        self.as_they_were(room, listed, as_of, meter).await
    }

    /// One user in the room; `None` if the room has no member event of the user, or if `viewer` is
    /// not inside.
    ///
    /// # Errors
    /// As [`Self::members`].
    pub async fn member(
        &self,
        room: &RoomId,
        viewer: &UserId,
        (user, as_of): (&UserId, Option<Position>),
        meter: &dyn Meter,
    ) -> Result<Option<RoomMember>, TimelineError> {
        let summary = self.settings_for(room, as_of, meter).await?;
        let listed = {
            let view = self.view();
            let found = view.room_for(room, viewer, Access::Inside);
            let there = |found: &RoomView<'_>| {
                let member = found.member(user)?;
                let membership = membership_of(found, user, member, as_of);
                let summary = summary.as_ref().unwrap_or(found.summary());
                (membership != Membership::None)
                    .then(|| Listed::of(found, summary, (user, member), as_of))
            };
            found.as_ref().and_then(there)
        };
        let listed = listed.into_iter().collect();
        Ok(self.as_they_were(room, listed, as_of, meter).await?.pop())
    }

    /// How many users have `membership` in the room; 0 unless `viewer` is inside. If the models have
    /// no count, the members are counted.
    ///
    /// # Errors
    /// As [`Self::members`].
    pub async fn member_count(
        &self,
        room: &RoomId,
        viewer: &UserId,
        (membership, as_of): (Membership, Option<Position>),
        meter: &dyn Meter,
    ) -> Result<usize, TimelineError> {
        let known = {
            let view = self.view();
            let found = view.room_for(room, viewer, Access::Inside);
            found.map_or(Known::Nothing, |found| {
                let is_now = as_of.is_none_or(|at| found.activity() <= at);
                match membership {
                    Membership::Join if is_now => Known::Count(found.joined_count()),
                    Membership::Invite if is_now => Known::Count(found.invited_count()),
                    _ => Known::ToBeCounted,
                }
            })
        };
        match known {
            Known::Nothing => return Ok(0),
            Known::Count(count) => return Ok(usize::try_from(count).unwrap_or(usize::MAX)),
            Known::ToBeCounted => {}
        }
        let (mut count, mut after) = (0, None);
        loop {
            meter.turn().await?;
            let looked = self.look_at_members(room, viewer, &mut after, |view, user, member| {
                count += usize::from(membership_of(view, user, member, as_of) == membership);
                true
            });
            meter.take_rows(looked)?;
            if looked < LOOKED_MAX {
                return Ok(count);
            }
        }
    }

    /// Passes up to [`LOOKED_MAX`] members after `after` to `each`, until that returns `false`, and
    /// moves `after` on. Returns their number.
    fn look_at_members(
        &self,
        room: &RoomId,
        viewer: &UserId,
        after: &mut Option<OwnedUserId>,
        mut each: impl FnMut(&RoomView<'_>, &UserId, &Member) -> bool,
    ) -> usize {
        let view = self.view();
        let Some(found) = view.room_for(room, viewer, Access::Inside) else { return 0 };
        let members: Box<dyn Iterator<Item = (&OwnedUserId, &Member)>> = match &*after {
            Some(user) => Box::new(found.members_after(user)),
            None => Box::new(found.members()),
        };
        let (mut looked, mut last) = (0, None);
        for (user, member) in members.take(LOOKED_MAX) {
            looked += 1;
            last = Some(user.clone());
            if !each(&found, user, member) {
                break;
            }
        }
        *after = last;
        looked
    }

    /// The settings of the room at a moment; `None` if they are the present ones.
    async fn settings_for(
        &self,
        room: &RoomId,
        as_of: Option<Position>,
        meter: &dyn Meter,
    ) -> Result<Option<Summary>, TimelineError> {
        let Some(at) = as_of else { return Ok(None) };
        let is_old = self.view().room(room).is_some_and(|room| room.activity() > at);
        if is_old { self.settings_at_within(room, at, meter).await } else { Ok(None) }
    }

    /// Reads the events that were replaced since, all at once.
    async fn as_they_were(
        &self,
        room: &RoomId,
        listed: Vec<Listed>,
        as_of: Option<Position>,
        meter: &dyn Meter,
    ) -> Result<Vec<RoomMember>, TimelineError> {
        let slots: Vec<_> = listed.iter().filter_map(|listed| listed.changed.clone()).collect();
        let mut events = Vec::new();
        if let Some(at) = as_of.filter(|_| !slots.is_empty()) {
            let keys = self.held_at(room, &slots, at, meter).await?;
            events = self.events_at(room, &keys).await?;
            meter.show(&events).await?;
        }
        let restate = |Listed { mut member, changed }: Listed| {
            let user = changed.as_ref().map(|(_, user)| &**user);
            let is_of = |pdu: &Pdu| user.is_some() && pdu.state_key.as_deref() == user;
            let held = events.iter().map(|event| &event.event().pdu).find(|pdu| is_of(pdu));
            if let Some(pdu) = held {
                let shown = |text: Option<String>| text.filter(|text| !text.is_empty());
                let Profile { displayname, avatar_url } = Profile::of(pdu);
                member.profile =
                    Profile { displayname: shown(displayname), avatar_url: shown(avatar_url) };
                member.changed_by = pdu.sender.clone();
            }
            member
        };
        Ok(listed.into_iter().map(restate).collect())
    }
}

impl Listed {
    fn of(
        room: &RoomView<'_>,
        summary: &Summary,
        (user, member): (&UserId, &Member),
        as_of: Option<Position>,
    ) -> Self {
        let at = as_of.filter(|at| member.changed_after(*at));
        let member = RoomMember {
            user_id: user.to_owned(),
            profile: profile_of(member),
            membership: membership_of(room, user, member, as_of),
            power: summary.power(user),
            changed_by: member.sender.clone(),
        };
        let changed = at.map(|_| ("m.room.member".to_owned(), user.to_string()));
        Self { member, changed }
    }
}

/// Name and avatar of a member in the room.
pub(crate) fn profile_of(member: &Member) -> Profile {
    let text = |text: &Option<Box<str>>| text.as_deref().map(ToOwned::to_owned);
    Profile { displayname: text(&member.displayname), avatar_url: text(&member.avatar_url) }
}

fn membership_of(
    room: &RoomView<'_>,
    user: &UserId,
    member: &Member,
    as_of: Option<Position>,
) -> Membership {
    match as_of {
        Some(at) if member.changed_after(at) => room.membership_at(user, at),
        _ => member.membership,
    }
}
