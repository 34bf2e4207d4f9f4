//! Tells other servers who types, who has read up to where, and who is there.
//!
//! **Invariant:** the cost follows the changes. Without typing or online users that other servers know of, nothing runs.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    sync::Arc,
    time::Duration,
};

use rookery_domain::{OwnedRoomId, OwnedServerName, OwnedUserId, RoomId, ServerName, UserId};
use rookery_ephemeral::{Ephemeral, Presence, Watch, Watched};
use tokio::time::{Instant, sleep_until};

use super::{outbox::Outbox, routing::Sender};

/// How often typing is repeated while it lasts. Other servers forget it after a minute.
const TYPING_REPEATED: Duration = Duration::from_secs(30);

/// How often the presence of users who are there is repeated. Other servers forget it after half an hour.
const PRESENCE_REPEATED: Duration = Duration::from_mins(20);

/// Most typing users of this server in a room that others learn of.
const TYPING_USERS_MAX: usize = 100;

/// Most servers that learn of a user's presence.
const SERVERS_MAX: usize = 2_000;

/// Most users whose presence is repeated.
const PRESENT_MAX: usize = 100_000;

/// Most members of a room whose presence a server learns when it joins.
const MEMBERS_MAX: usize = 2_000;

/// The states that other servers know.
struct States {
    ephemeral: Ephemeral,
    watch: Arc<Watch>,
    typing: BTreeMap<OwnedRoomId, BTreeSet<OwnedUserId>>,
    present: HashSet<OwnedUserId>,
    typing_again: Instant,
    presence_again: Instant,
}

impl States {
    fn new(ephemeral: Ephemeral, own: OwnedServerName) -> Self {
        let watch = ephemeral.watch(own);
        let now = Instant::now();
        Self {
            ephemeral,
            watch,
            typing: BTreeMap::new(),
            present: HashSet::new(),
            typing_again: now,
            presence_again: now,
        }
    }

    /// Waits until there is something to tell.
    async fn changed(&self) {
        let at = |is_needed: bool, at: Instant| async move {
            if is_needed { sleep_until(at).await } else { std::future::pending().await }
        };
        tokio::select! {
            () = self.watch.changed() => {}
            () = at(!self.typing.is_empty(), self.typing_again) => {}
            () = at(!self.present.is_empty(), self.presence_again) => {}
        }
    }
}

impl Sender {
    /// Tells other servers of changed states until this is dropped.
    pub(super) async fn tell_states(&self) {
        let mut states = States::new(self.0.ephemeral.clone(), self.0.own_name.clone());
        loop {
            states.changed().await;
            self.tell(&mut states).await;
        }
    }

    /// Gives the changed states to the destinations that they concern.
    async fn tell(&self, states: &mut States) {
        let Watched { mut rooms, mut users } = states.watch.take();
        let now = Instant::now();
        let is_typing_again = now >= states.typing_again;
        if is_typing_again {
            states.typing_again = now + TYPING_REPEATED;
            rooms.extend(states.typing.keys().cloned());
        }
        if now >= states.presence_again {
            states.presence_again = now + PRESENCE_REPEATED;
            users.extend(states.present.iter().cloned());
        }
        for room in rooms {
            self.tell_typing(states, &room, is_typing_again);
            tokio::task::yield_now().await;
        }
        for user in users {
            self.tell_presence(states, &user).await;
        }
    }

    fn tell_typing(&self, states: &mut States, room: &RoomId, is_again: bool) {
        let typing = states.ephemeral.typing(room).into_iter();
        let own = typing.filter(|user| user.server_name() == self.0.own_name);
        let now: BTreeSet<_> = own.take(TYPING_USERS_MAX).collect();
        let known = states.typing.get(room).cloned().unwrap_or_default();
        let news: Vec<_> = now.iter().filter(|user| is_again || !known.contains(*user)).collect();
        let ended: Vec<_> = known.difference(&now).collect();
        if news.is_empty() && ended.is_empty() {
            return;
        }
        let servers = self.servers_in(room);
        if servers.is_empty() || now.is_empty() {
            states.typing.remove(room);
        } else {
            states.typing.insert(room.to_owned(), now.clone());
        }
        self.post(&servers, |outbox| {
            for user in &ended {
                outbox.typing(room, user, false);
            }
            for user in &news {
                outbox.typing(room, user, true);
            }
        });
    }

    async fn tell_presence(&self, states: &mut States, user: &UserId) {
        let mut servers = self.0.events.reader.servers_of(user, SERVERS_MAX).await;
        servers.remove(&self.0.own_name);
        let is_there = states.ephemeral.presence(user).presence > Presence::Offline;
        if is_there && !servers.is_empty() && states.present.len() < PRESENT_MAX {
            states.present.insert(user.to_owned());
        } else if !is_there || servers.is_empty() {
            states.present.remove(user);
        }
        self.post(&servers, |outbox| outbox.presence(user));
    }

    /// Tells servers that are new in a room who of its members is there.
    pub(super) fn introduce(&self, room: &RoomId, newcomers: &BTreeSet<OwnedServerName>) {
        if newcomers.is_empty() {
            return;
        }
        let own: Vec<_> = {
            let view = self.0.events.reader.view();
            let Some(room) = view.room(room) else { return };
            let members = room.members().take(MEMBERS_MAX);
            let own = members.filter(|(user, _)| user.server_name() == self.0.own_name);
            let own = own.filter(|(user, _)| room.is_joined(user));
            own.map(|(user, _)| user.clone()).collect()
        };
        let there = self.0.ephemeral.there(Some(&own), MEMBERS_MAX);
        self.post(newcomers, |outbox| {
            for user in &there {
                outbox.presence(user);
            }
        });
    }

    /// Tells the other servers of a room that a user who just joined it is there.
    pub(super) fn introduce_user(&self, user: &UserId, servers: &BTreeSet<OwnedServerName>) {
        if self.0.ephemeral.presence(user).presence > Presence::Offline {
            self.post(servers, |outbox| outbox.presence(user));
        }
    }

    /// The other servers with joined users in a room.
    fn servers_in(&self, room: &RoomId) -> BTreeSet<OwnedServerName> {
        let view = self.0.events.reader.view();
        let Some(room) = view.room(room) else { return BTreeSet::new() };
        let others = room.joined_servers().filter(|server| *server != self.0.own_name);
        others.map(ServerName::to_owned).collect()
    }

    /// Changes the outboxes of these servers, except those that are away.
    pub(super) fn post(&self, servers: &BTreeSet<OwnedServerName>, change: impl Fn(&mut Outbox)) {
        for server in servers {
            if !self.0.transport.access().allows(server) {
                continue;
            }
            let link = self.link(server);
            let is_away = link.queue.lock().state.failures > 0;
            if !is_away {
                change(&mut link.outbox.lock());
                link.work.notify_one();
            }
        }
    }
}
