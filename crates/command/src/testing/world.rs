//! Several servers, one room.

use rookery_domain::{
    CreateRoom, OwnedRoomId, OwnedUserId, PowerLevelsChange, Preset, RoomCommand, RoomVersionId,
};
use rookery_log::Millis;

use super::{Rng, Rogue, Sent, Server};
use crate::TrustedKeys;

/// The users of each server.
const USERS: [&str; 3] = ["ann", "ben", "cat"];

/// Servers that act in one room, and the events that they sent.
pub struct World {
    /// The servers.
    pub servers: Vec<Server>,
    /// The keys of all of them, and of the rogue.
    pub keys: TrustedKeys,
    /// The room.
    pub room_id: OwnedRoomId,
    /// Its version.
    pub version: RoomVersionId,
    /// All events so far. No event comes before one that it names.
    pub sent: Vec<Sent>,
    /// A server that breaks the rules.
    pub rogue: Option<Rogue>,
    rng: Rng,
    clock: u64,
    /// For each server, the events that it has not received yet, as indexes into `sent`.
    due: Vec<Vec<usize>>,
}

impl World {
    /// A public room of this version on `servers` servers, created by the first user of the first
    /// server. The first user of each other server has a power level of 100. No other user is in it
    /// yet.
    pub async fn new(seed: u64, version: RoomVersionId, servers: usize) -> Self {
        let names = ["one.example", "two.example", "three.example", "four.example"];
        let servers = names.iter().take(servers).map(|name| Server::in_memory(name)).collect();
        Self::of(seed, version, servers).await
    }

    /// Like [`Self::new`], with these servers; at least one.
    ///
    /// # Panics
    /// If the first server does not let its user create a room.
    pub async fn of(seed: u64, version: RoomVersionId, servers: Vec<Server>) -> Self {
        let mut keys = TrustedKeys::default();
        for server in &servers {
            server.publish(&mut keys);
        }
        let helpers = servers[1..].iter().map(|server| (server.user(USERS[0]), Some(100)));
        let users = helpers.collect();
        let create = CreateRoom {
            version: Some(version.clone()),
            preset: Preset::Public,
            power_levels: PowerLevelsChange { users, ..PowerLevelsChange::default() },
            ..CreateRoom::default()
        };
        let room_id = servers[0].create(USERS[0], &create, 1_000).await;
        let due = vec![Vec::new(); servers.len()];
        let mut world = Self {
            servers,
            keys,
            room_id,
            version,
            sent: Vec::new(),
            rogue: None,
            rng: Rng::new(seed),
            clock: 1_000,
            due,
        };
        world.collect(0).await;
        world.settle().await;
        world
    }

    /// Lets all users join, and delivers their joins to all servers.
    pub async fn join_all(&mut self) {
        let join = RoomCommand::Join { reason: None, member_of: None };
        for server in 0..self.servers.len() {
            for user in USERS {
                self.let_act(server, user, &join).await;
            }
            self.settle().await;
        }
    }

    /// Adds a rogue to the room: a server that signs events which break the rules.
    pub async fn invite_rogue(&mut self) {
        let mut rogue = Rogue::new("rogue.example");
        rogue.server.publish(&mut self.keys);
        for sent in &self.sent {
            sent.deliver(&rogue.server.commands, &self.keys).await;
        }
        let joins = rogue.enter(&self.room_id, &self.version, self.clock).await;
        self.rogue = Some(rogue);
        for sent in joins {
            self.send(sent, usize::MAX);
        }
    }

    /// Takes this many random steps: users act, events arrive, servers stop and start.
    pub async fn run(&mut self, steps: usize) {
        for number in 0..steps as u64 {
            if self.rng.one_in(25) {
                let any = self.rng.below(self.servers.len());
                self.restart(any);
            }
            match self.rng.below(if self.rogue.is_some() { 10 } else { 8 }) {
                0..=5 => self.act(number).await,
                6 | 7 => self.pass_on().await,
                _ => self.misbehave(number),
            }
        }
    }

    /// Delivers all remaining events to every server.
    pub async fn settle(&mut self) {
        for to in 0..self.servers.len() {
            let due = std::mem::take(&mut self.due[to]);
            self.give(to, &due).await;
        }
    }

    /// Carries out a command of one user of one server, and sends its events. Returns `false` if a
    /// rule forbids it, or if it makes no events.
    pub async fn let_act(&mut self, server: usize, user: &str, command: &RoomCommand) -> bool {
        self.clock += 10;
        let acted = self.servers[server].act(user, &self.room_id, command, self.clock).await;
        self.collect(server).await;
        acted.is_ok_and(|outcome| !outcome.events.is_empty())
    }

    /// All users of all servers.
    #[must_use]
    pub fn users(&self) -> Vec<OwnedUserId> {
        let users = |server: &Server| USERS.map(|name| server.user(name));
        self.servers.iter().flat_map(users).collect()
    }

    /// Sends an event that no server of this world made.
    pub fn send(&mut self, sent: Sent, by: usize) {
        let place = self.sent.len();
        self.sent.push(sent);
        for (server, due) in self.due.iter_mut().enumerate() {
            if server != by {
                due.push(place);
            }
        }
    }

    /// A stopping server loses the events that it held back, so it gets all events of others again.
    fn restart(&mut self, server: usize) {
        self.servers[server].restart();
        let name = &self.servers[server].name;
        let others = self.sent.iter().enumerate().filter(|(_, sent)| sent.origin != *name);
        self.due[server] = others.map(|(place, _)| place).collect();
    }

    /// A user of some server acts. Forbidden commands are not counted.
    async fn act(&mut self, number: u64) {
        let server = self.rng.below(self.servers.len());
        let users = self.users();
        for _ in 0..4 {
            let user = if self.rng.one_in(2) { USERS[0] } else { *self.rng.pick(&USERS) };
            let command = self.rng.command(&users, number);
            // Clocks differ from server to server, and some stand still.
            self.clock += [0, 1, 50][self.rng.below(3)];
            let now = self.clock + [0, 300, 5][server % 3];
            let acted = self.servers[server].act(user, &self.room_id, &command, now).await;
            if acted.is_ok_and(|outcome| !outcome.events.is_empty()) {
                break;
            }
        }
        self.collect(server).await;
    }

    /// One server gets some of its due events: the oldest, or any.
    async fn pass_on(&mut self) {
        let to = self.rng.below(self.servers.len());
        let mut given = Vec::new();
        let due = &mut self.due[to];
        if due.is_empty() {
            return;
        }
        for _ in 0..=self.rng.below(6) {
            if due.is_empty() {
                break;
            }
            let any = self.rng.one_in(3);
            let at = if any { self.rng.below(due.len()) } else { 0 };
            given.push(due.remove(at));
        }
        if self.rng.one_in(4) {
            given.push(self.rng.below(self.sent.len()));
        }
        self.give(to, &given).await;
    }

    fn misbehave(&mut self, number: u64) {
        let Some(rogue) = &mut self.rogue else { return };
        let sent = rogue.forge(&self.sent, &self.version, &mut self.rng, number);
        if let Some(sent) = sent {
            self.send(sent, usize::MAX);
        }
    }

    async fn collect(&mut self, server: usize) {
        let made = self.servers[server].outbox(&self.room_id, &self.version).await;
        for sent in made {
            self.send(sent, server);
        }
    }

    async fn give(&self, to: usize, places: &[usize]) {
        let mut places = places;
        while let Some(first) = places.first().map(|place| &self.sent[*place]) {
            let same = places.iter().take_while(|at| self.sent[**at].origin == first.origin);
            let (delivery, rest) = places.split_at(same.count());
            let pdus: Vec<_> = delivery.iter().map(|at| self.sent[*at].json.clone()).collect();
            let commands = &self.servers[to].commands;
            let taken =
                commands.receive(&self.keys, &first.origin, &self.room_id, &pdus, Millis(1)).await;
            assert!(taken.is_ok(), "{taken:?}");
            places = rest;
        }
    }
}
