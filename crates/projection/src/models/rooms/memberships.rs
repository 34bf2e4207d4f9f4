//! Memberships: the members of each room, with their history.

use std::collections::BTreeMap;

use rookery_domain::{
    Change, Erased, EventStatus, Membership, MembershipStep, OwnedUserId, Pdu, ServerInRoom,
    ServerName, ServersInRoom, UserId, user_of_member_event,
};
use rookery_log::{Position, StreamKind};
use serde::{Deserialize, Serialize};

use super::rooms_of_users::MemberSince;
use crate::models::{Fold, RoomsOfUsers, StreamKey, Unfit};
use crate::{Committed, RowKey, commits::Content};

/// The type of member events.
const MEMBER: &str = "m.room.member";

/// A change of a membership.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MembershipChange {
    /// The event.
    pub sequence: u64,
    /// Its commit.
    pub position: Position,
    /// The membership from that event on.
    pub membership: Membership,
    /// It is a member event of this user. Otherwise another event changed the membership through
    /// state resolution.
    pub own: bool,
}

impl Change<Membership> for MembershipChange {
    fn sequence(&self) -> u64 {
        self.sequence
    }

    fn value(&self) -> Membership {
        self.membership
    }
}

impl MembershipStep for MembershipChange {
    fn is_own(&self) -> bool {
        self.own
    }
}

/// A present or former member of a room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// The membership now.
    pub membership: Membership,
    /// The member event that holds the user's slot; `None` if the slot is empty.
    pub event: Option<RowKey>,
    /// The sender of that event, or of the last one: the inviter of an invite, or the user who
    /// kicked or banned.
    pub sender: OwnedUserId,
    /// The name to show in this room.
    pub displayname: Option<Box<str>>,
    /// The `mxc:` address of the avatar in this room.
    pub avatar_url: Option<Box<str>>,
    /// All member events, and all other events by which the membership changed, in order of
    /// arrival. Changes of the profile of a joined user are left out. Never empty.
    pub history: Vec<MembershipChange>,
}

impl Member {
    /// Whether this differs from the state after the commit at `position`.
    #[must_use]
    pub fn changed_after(&self, position: Position) -> bool {
        self.event.is_some_and(|event| event.position > position)
            || self.history.last().is_some_and(|last| last.position > position)
    }

    /// The membership after the commit at `position`.
    #[must_use]
    pub fn membership_at(&self, position: Position) -> Membership {
        let end = self.history.partition_point(|change| change.position <= position);
        end.checked_sub(1).map(|last| self.history[last].membership).unwrap_or_default()
    }

    /// The event since which the user has this membership.
    #[must_use]
    pub fn since(&self) -> Option<MembershipChange> {
        let same = |change: &&MembershipChange| change.membership == self.membership;
        self.history.iter().rev().take_while(same).last().copied()
    }
}

/// The members of one room.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct RoomMembers {
    // Boxed, because most rooms are small and the nodes of such a map are not.
    members: BTreeMap<OwnedUserId, Box<Member>>,
    servers: ServersInRoom<Position>,
    joined: u64,
    invited: u64,
    /// The last commit with an accepted event.
    pub(crate) activity: Position,
}

impl RoomMembers {
    /// A present or former member of the room.
    #[must_use]
    pub fn get(&self, user: &UserId) -> Option<&Member> {
        self.members.get(user).map(|member| &**member)
    }

    /// The ID of a present or former member of the room.
    #[must_use]
    pub fn id_of(&self, user: &UserId) -> Option<&UserId> {
        self.members.get_key_value(user).map(|(user, _)| &**user)
    }

    /// All present and former members, by user ID.
    pub fn iter(&self) -> impl Iterator<Item = (&OwnedUserId, &Member)> {
        self.members.iter().map(|(user, member)| (user, &**member))
    }

    /// All present and former members after `user`, by user ID.
    pub fn after(&self, user: &UserId) -> impl Iterator<Item = (&OwnedUserId, &Member)> {
        use std::ops::Bound::{Excluded, Unbounded};
        let members = self.members.range::<UserId, _>((Excluded(user), Unbounded));
        members.map(|(user, member)| (user, &**member))
    }

    /// A server that has or had members in the room.
    #[must_use]
    pub fn server(&self, name: &ServerName) -> Option<&ServerInRoom<Position>> {
        self.servers.get(name)
    }

    /// The servers that have or had members in the room, by name, after `name`.
    #[must_use]
    pub fn servers_after(&self, name: Option<&ServerName>) -> &[ServerInRoom<Position>] {
        self.servers.after(name)
    }

    /// How many users are joined.
    #[must_use]
    pub fn joined(&self) -> u64 {
        self.joined
    }

    /// How many users are invited.
    #[must_use]
    pub fn invited(&self) -> u64 {
        self.invited
    }

    /// The last commit with an accepted event.
    #[must_use]
    pub fn activity(&self) -> Position {
        self.activity
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
    const VERSION: u32 = 3;
    const KIND: StreamKind = StreamKind::Room;
    type Shared = RoomsOfUsers;

    /// A redacted member event keeps only the membership.
    fn forget(&mut self, erased: &Erased) {
        let slot = erased.slot.as_ref().filter(|slot| slot.kind == MEMBER);
        let user = slot.and_then(|slot| <&UserId>::try_from(&*slot.state_key).ok());
        let member = user.and_then(|user| self.members.get_mut(user));
        if let Some(member) =
            member.filter(|member| member.event.is_some_and(|event| event.is_of(erased)))
        {
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
            let mut change = MembershipChange {
                sequence: committed.sequence(index),
                position: committed.position,
                membership: Membership::None,
                own: false,
            };
            let own = user_of_member_event(&event.pdu);
            for slot in event.state_changes().filter(|slot| slot.kind == MEMBER) {
                let Ok(user) = <&UserId>::try_from(slot.state_key) else { continue };
                let holder = slot
                    .holder
                    .map(|holder| (&**holder.pdu, RowKey::of_holder(&holder, committed, index)));
                let before = self.get(user).map(Member::is_since);
                change.membership = holder.map(|(pdu, _)| Membership::of(pdu)).unwrap_or_default();
                change.own = own == Some(user);
                let now = self.set(user, holder, change);
                self.recount(user, before.map(|(before, _)| before), change);
                if before != Some(now) {
                    rooms_of_users.set(user, room, before, now);
                }
            }
            if event.envelope.status != EventStatus::Accepted {
                continue;
            }
            let is_past = event.envelope.past.is_some();
            if !is_past {
                self.activity = committed.position;
            }
            event.erases().iter().for_each(|erased| self.forget(erased));
            if let Some(user) = own
                && !is_past
                && !event.holds_its_slot()
            {
                let own = MembershipChange { own: true, ..change };
                self.superseded(user, &event.pdu, own, (room, rooms_of_users));
            }
        }
        rooms_of_users.active(room, before, self.activity);
        Ok(())
    }
}

impl RoomMembers {
    /// Another event holds the slot of a user from now on, or none.
    fn set(
        &mut self,
        user: &UserId,
        holder: Option<(&Pdu, RowKey)>,
        change: MembershipChange,
    ) -> MemberSince {
        let content = holder.map(|(pdu, _)| Content::of(pdu)).unwrap_or_default();
        let sender = holder.map(|(pdu, _)| &*pdu.sender);
        let member = self.entry(user, sender.unwrap_or(user));
        member.event = holder.map(|(_, key)| key);
        if let Some(sender) = sender {
            sender.clone_into(&mut member.sender);
        }
        member.displayname = content.text("displayname").map(Into::into);
        member.avatar_url = content.text("avatar_url").map(Into::into);
        member.membership = change.membership;
        member.note(change);
        member.is_since()
    }

    /// A member event without its slot changes nothing, but its user may see it.
    fn superseded(
        &mut self,
        user: &UserId,
        pdu: &Pdu,
        mut change: MembershipChange,
        (room, rooms_of_users): (StreamKey, &mut RoomsOfUsers),
    ) {
        let before = self.get(user).map(Member::is_since);
        let member = self.entry(user, &pdu.sender);
        change.membership = member.membership;
        member.note(change);
        let now = member.is_since();
        if before != Some(now) {
            rooms_of_users.set(user, room, before, now);
        }
    }

    fn entry(&mut self, user: &UserId, sender: &UserId) -> &mut Member {
        let new = || {
            Box::new(Member {
                membership: Membership::None,
                event: None,
                sender: sender.to_owned(),
                displayname: None,
                avatar_url: None,
                history: Vec::with_capacity(1),
            })
        };
        self.members.entry(user.to_owned()).or_insert_with(new)
    }

    fn recount(&mut self, user: &UserId, before: Option<Membership>, now: MembershipChange) {
        if let Some(count) = before.and_then(|before| self.count(before)) {
            *count -= 1;
        }
        if let Some(count) = self.count(now.membership) {
            *count += 1;
        }
        let (before, after) = (before.unwrap_or_default(), now.membership);
        self.servers.recount(user.server_name(), before, after, now.position);
    }
}

impl Member {
    /// The membership, and the commit since which it holds.
    pub(super) fn is_since(&self) -> MemberSince {
        (self.membership, self.since().map(|since| since.position).unwrap_or_default())
    }

    /// Records a change, or an own event of the user that changes nothing. If one event is both, it
    /// makes one entry.
    fn note(&mut self, change: MembershipChange) {
        if let Some(last) = self.history.last_mut()
            && last.sequence == change.sequence
        {
            *last = MembershipChange { own: last.own || change.own, ..change };
            return;
        }
        let stays = self.history.last().is_some_and(|last| last.membership == Membership::Join)
            && change.membership == Membership::Join;
        if !stays {
            self.history.push(change);
        }
    }
}
