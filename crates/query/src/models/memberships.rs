//! Memberships: who is in which room, and was when.

use std::collections::BTreeMap;

use rookery_domain::{Erased, EventStatus, Membership, OwnedUserId, Pdu, UserId};
use rookery_log::{Position, StreamKind};
use serde::{Deserialize, Serialize};

use super::{Fold, RoomsOfUsers, StreamKey, Unfit};
use crate::{Committed, RowKey, content::Content};

/// From which event on a membership holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MembershipChange {
    /// The member event.
    pub sequence: u64,
    /// Its commit.
    pub position: Position,
    /// What the user is from that event on.
    pub membership: Membership,
}

/// A user in a room, or one that was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// What the user is now.
    pub membership: Membership,
    /// The member event that says so.
    pub event: RowKey,
    /// Who sent that event: the inviter of an invite, who kicked or banned.
    pub sender: OwnedUserId,
    /// The name to show in this room.
    pub displayname: Option<Box<str>>,
    /// The `mxc:` address of the avatar in this room.
    pub avatar_url: Option<Box<str>>,
    /// Every member event, in order of arrival, but for those by which who was joined stays joined
    /// (changes of the profile). Never empty.
    pub history: Vec<MembershipChange>,
}

impl Member {
    /// Since which event the user is what the user is.
    #[must_use]
    pub fn since(&self) -> Option<MembershipChange> {
        let same = |change: &&MembershipChange| change.membership == self.membership;
        self.history.iter().rev().take_while(same).last().copied()
    }
}

/// The users of one room.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct RoomMembers {
    // Boxed, as most rooms are small and the nodes of such a map are not.
    members: BTreeMap<OwnedUserId, Box<Member>>,
    joined: u64,
    invited: u64,
    /// The last commit with an accepted event.
    pub(crate) activity: Position,
}

impl RoomMembers {
    pub(crate) fn get(&self, user: &UserId) -> Option<&Member> {
        self.members.get(user).map(|member| &**member)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&OwnedUserId, &Member)> {
        self.members.iter().map(|(user, member)| (user, &**member))
    }

    pub(crate) fn after(&self, user: &UserId) -> impl Iterator<Item = (&OwnedUserId, &Member)> {
        use std::ops::Bound::{Excluded, Unbounded};
        let members = self.members.range::<UserId, _>((Excluded(user), Unbounded));
        members.map(|(user, member)| (user, &**member))
    }

    pub(crate) fn joined(&self) -> u64 {
        self.joined
    }

    pub(crate) fn invited(&self) -> u64 {
        self.invited
    }

    fn count(&mut self, membership: Membership) -> Option<&mut u64> {
        match membership {
            Membership::Join => Some(&mut self.joined),
            Membership::Invite => Some(&mut self.invited),
            _ => None,
        }
    }
}

impl Fold for RoomMembers {
    const NAME: &'static str = "memberships";
    const VERSION: u32 = 1;
    const KIND: StreamKind = StreamKind::Room;
    type Shared = RoomsOfUsers;

    /// A member event that is redacted still says who is what, and nothing else.
    fn forget(&mut self, erased: &Erased) {
        let slot = erased.slot.as_ref().filter(|slot| slot.kind == "m.room.member");
        let user = slot.and_then(|slot| <&UserId>::try_from(&*slot.state_key).ok());
        let member = user.and_then(|user| self.members.get_mut(user));
        if let Some(member) = member.filter(|member| member.event.is_of(erased)) {
            member.displayname = None;
            member.avatar_url = None;
        }
    }

    fn apply(
        &mut self,
        room: StreamKey,
        committed: &Committed,
        rooms_of_users: &mut RoomsOfUsers,
    ) -> Result<(), Unfit> {
        let before = self.activity;
        for (index, event) in committed.room_events() {
            if event.envelope.status != EventStatus::Accepted {
                continue;
            }
            self.activity = committed.position;
            event.erases().iter().for_each(|erased| self.forget(erased));
            let pdu = &event.pdu;
            let Some((kind, state_key)) = pdu.state_slot() else { continue };
            if kind != "m.room.member" {
                continue;
            }
            // A state key that is no user ID makes nobody a member.
            let Ok(user) = <&UserId>::try_from(state_key) else { continue };
            let key = RowKey::of(pdu, committed.position, index);
            let before = self.members.get(user);
            if before.is_some_and(|member| member.event > key) {
                continue;
            }
            let before = before.map(|member| member.membership);
            let membership = Membership::of(pdu);
            let change = MembershipChange {
                sequence: committed.sequence(index),
                position: committed.position,
                membership,
            };
            self.members_changed(user, change, key, pdu);
            if before != Some(membership) {
                if let Some(count) = before.and_then(|before| self.count(before)) {
                    *count -= 1;
                }
                if let Some(count) = self.count(membership) {
                    *count += 1;
                }
                rooms_of_users.set(user, room, membership);
            }
        }
        rooms_of_users.active(room, before, self.activity);
        Ok(())
    }
}

impl RoomMembers {
    fn members_changed(
        &mut self,
        user: &UserId,
        change: MembershipChange,
        event: RowKey,
        pdu: &Pdu,
    ) {
        let content = Content::of(pdu);
        let member = self.members.entry(user.to_owned()).or_insert_with(|| {
            Box::new(Member {
                membership: change.membership,
                event,
                sender: pdu.sender.clone(),
                displayname: None,
                avatar_url: None,
                history: Vec::with_capacity(1),
            })
        });
        member.membership = change.membership;
        member.event = event;
        member.sender.clone_from(&pdu.sender);
        member.displayname = content.text("displayname").map(Into::into);
        member.avatar_url = content.text("avatar_url").map(Into::into);
        let stays = member.history.last().is_some_and(|last| last.membership == Membership::Join)
            && change.membership == Membership::Join;
        if !stays {
            member.history.push(change);
        }
    }
}
