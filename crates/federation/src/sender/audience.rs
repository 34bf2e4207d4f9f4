//! The servers that get an event: those with a joined user in its room.
//!
//! **Invariant:** the answer is that of the event's place in the log, whatever happened since.
//! **Invariant:** memory is bounded in remote users; a room that was forgotten is read again from the models.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use lru::LruCache;
use rookery_domain::{
    Membership, OwnedRoomId, OwnedServerName, OwnedUserId, RoomEvent, RoomId, ServerName, UserId,
};
use rookery_log::Position;
use rookery_view::Reader;

/// Most users of other servers that are remembered, in all rooms together.
const USERS_MAX: usize = 500_000;

/// The weight of a room without such users.
const ROOM_COUNTS: usize = 1;

/// The joined users of other servers, by room.
pub(super) struct Audience {
    server_name: OwnedServerName,
    reader: Reader,
    rooms: LruCache<OwnedRoomId, Remote>,
    users: usize,
}

/// The servers that an event concerns.
pub(super) struct Concerned {
    /// They get the event.
    pub(super) servers: BTreeSet<OwnedServerName>,
    /// They had no joined user in the room before it.
    pub(super) newcomers: BTreeSet<OwnedServerName>,
}

#[derive(Default)]
struct Remote(BTreeMap<OwnedServerName, HashSet<OwnedUserId>>);

impl Audience {
    pub(super) fn new(server_name: OwnedServerName, reader: Reader) -> Self {
        Self { server_name, reader, rooms: LruCache::unbounded(), users: 0 }
    }

    /// The servers that get `event`, which is part of the commit at `position`. It is called for the events of the log
    /// in their order.
    pub(super) fn of(&mut self, room: &RoomId, event: &RoomEvent, position: Position) -> Concerned {
        let mut remote = self.take(room, position);
        let before: BTreeSet<_> = remote.0.keys().cloned().collect();
        for change in event.state_changes().filter(|change| change.kind == "m.room.member") {
            let Ok(user) = <&UserId>::try_from(change.state_key) else { continue };
            if user.server_name() == self.server_name {
                continue;
            }
            let holder = change.holder.map(|holder| Membership::of(holder.pdu));
            remote.set(user, holder == Some(Membership::Join));
        }
        // A server that just joined gets its join, and one that just left gets its leave.
        let now: BTreeSet<_> = remote.0.keys().cloned().collect();
        self.put(room, remote);
        let newcomers = now.difference(&before).cloned().collect();
        let mut servers = before;
        servers.extend(now);
        servers.extend(self.excluded(room, event, position));
        Concerned { servers, newcomers }
    }

    /// The servers in a room before the commit at `position`.
    pub(super) fn before(
        &mut self,
        room: &RoomId,
        position: Position,
    ) -> BTreeSet<OwnedServerName> {
        let remote = self.take(room, position);
        let servers = remote.0.keys().cloned().collect();
        self.put(room, remote);
        servers
    }

    fn take(&mut self, room: &RoomId, position: Position) -> Remote {
        match self.rooms.pop(room) {
            Some(remote) => {
                self.users = self.users.saturating_sub(remote.weight());
                remote
            }
            None => self.read(room, Position(position.0.saturating_sub(1))),
        }
    }

    fn put(&mut self, room: &RoomId, remote: Remote) {
        self.users += remote.weight();
        self.rooms.put(room.to_owned(), remote);
        while self.users > USERS_MAX && self.rooms.len() > 1 {
            let Some((_, oldest)) = self.rooms.pop_lru() else { break };
            self.users = self.users.saturating_sub(oldest.weight());
        }
    }

    /// The server of a user whose invite or request to join this event ends. It is in the room with
    /// nobody, and learns of it in no other way.
    fn excluded(
        &self,
        room: &RoomId,
        event: &RoomEvent,
        position: Position,
    ) -> Option<OwnedServerName> {
        let pdu = &event.pdu;
        let user = <&UserId>::try_from(pdu.state_key.as_deref()?).ok()?;
        let ends = pdu.kind.to_string() == "m.room.member"
            && pdu.sender.server_name() == self.server_name
            && user.server_name() != self.server_name
            && matches!(Membership::of(pdu), Membership::Leave | Membership::Ban);
        if !ends {
            return None;
        }
        let view = self.reader.view();
        let before = Position(position.0.saturating_sub(1));
        let membership = view.room(room)?.member(user)?.membership_at(before);
        let waited = matches!(membership, Membership::Invite | Membership::Knock);
        waited.then(|| user.server_name().to_owned())
    }

    fn read(&self, room: &RoomId, at: Position) -> Remote {
        let view = self.reader.view();
        let mut remote = Remote::default();
        let Some(room) = view.room(room) else { return remote };
        for (user, member) in room.members() {
            let is_remote = user.server_name() != self.server_name;
            if is_remote && member.membership_at(at) == Membership::Join {
                remote.set(user, true);
            }
        }
        remote
    }
}

impl Remote {
    fn set(&mut self, user: &UserId, is_joined: bool) {
        let server: &ServerName = user.server_name();
        if is_joined {
            self.0.entry(server.to_owned()).or_default().insert(user.to_owned());
        } else if let Some(users) = self.0.get_mut(server) {
            users.remove(user);
            if users.is_empty() {
                self.0.remove(server);
            }
        }
    }

    fn weight(&self) -> usize {
        ROOM_COUNTS + self.0.values().map(HashSet::len).sum::<usize>()
    }
}
