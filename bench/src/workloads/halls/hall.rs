//! A room with one speaker and many listeners.

use std::{path::Path, time::Instant};

use rookery_domain::OwnedRoomId;
use rookery_log::SealedPosition;
use serde_json::json;

use crate::{
    Error,
    audience::{Audience, Listener},
    http,
    seed::{Seed, chatter, names},
    server::Server,
    socket::{self, Socket},
    speaker::Speaker,
    stamp::MARK,
};

/// A document that shows messages.
pub(in crate::workloads) const FOLLOW: &str =
    "subscription($after: Position) { eventStream(after: $after) {
    position events { __typename ... on RoomEvent {
        eventId type sequence text sentAt sender { userId } room { roomId } } } } }";

/// Connections for messages that do not wait for each other.
pub(in crate::workloads) const SPEAKERS: usize = 8;

/// A room, the token of its speaker, and those of its listeners.
pub(in crate::workloads) struct Hall {
    pub(in crate::workloads) speaker: String,
    pub(in crate::workloads) listeners: Vec<String>,
    pub(in crate::workloads) room: String,
}

impl Hall {
    /// Creates a data directory with the room and this number of messages.
    ///
    /// # Errors
    /// If it cannot be created.
    pub(in crate::workloads) fn build(
        data: &Path,
        listeners: usize,
        messages: u64,
    ) -> Result<Self, Error> {
        let users = names("user", listeners + 1);
        let mut seed = Seed::open(data)?;
        seed.users(&users)?;
        let mut tokens = seed.tokens(&users)?;
        let (rooms, _) = seed.rooms(&[(users[0].clone(), "Hall".to_owned())])?;
        for user in &users[1..] {
            seed.join(&rooms[0], user)?;
        }
        say(&mut seed, &rooms[0], messages)?;
        seed.close()?;
        let listeners = tokens.split_off(1);
        Ok(Self { speaker: tokens.remove(0), listeners, room: rooms[0].to_string() })
    }

    /// Adds more messages to `room` while no server runs.
    ///
    /// # Errors
    /// If one is refused.
    pub(in crate::workloads) fn talk(data: &Path, room: &str, messages: u64) -> Result<(), Error> {
        let mut seed = Seed::open(data)?;
        say(&mut seed, &OwnedRoomId::try_from(room)?, messages)?;
        seed.close()
    }

    /// All listeners on `server`, as the first group of an audience, from now on.
    ///
    /// # Errors
    /// If one is refused.
    pub(in crate::workloads) async fn listen(&self, server: &Server) -> Result<Audience, Error> {
        let after = position(server, &self.speaker).await?;
        let mut listeners = Vec::with_capacity(self.listeners.len());
        for token in &self.listeners {
            listeners.push(follow(server, token, FOLLOW, after, 0).await?);
        }
        Audience::start(Instant::now(), listeners, &[MARK])
    }

    /// Connections of the speaker.
    ///
    /// # Errors
    /// If one is refused.
    pub(in crate::workloads) async fn speakers(
        &self,
        server: &Server,
    ) -> Result<Vec<Speaker>, Error> {
        let mut speakers = Vec::new();
        for _ in 0..SPEAKERS {
            let listeners = self.listeners.len();
            let (address, token) = (server.address(), &self.speaker);
            speakers.push(Speaker::member(address, token, &self.room, listeners).await?);
        }
        Ok(speakers)
    }
}

fn say(seed: &mut Seed, room: &OwnedRoomId, messages: u64) -> Result<(), Error> {
    (0..messages).try_for_each(|number| seed.say(room, "user0", chatter(number)))
}

/// The end of the log.
///
/// # Errors
/// If the server does not return it to the owner of `token`.
pub(in crate::workloads) async fn position(
    server: &Server,
    token: &str,
) -> Result<SealedPosition, Error> {
    let mut connection = http::Connection::open(server.address()).await?;
    let answer = connection.run(token, "{ viewer { position } }", &json!({})).await?;
    Ok(answer["viewer"]["position"].as_str().ok_or("the viewer has no position")?.parse()?)
}

/// The bytes that subscribe to `document` after the position `after`.
pub(in crate::workloads) fn subscription(document: &str, after: SealedPosition) -> Vec<u8> {
    socket::subscribe("1", document, &json!({ "after": after.to_string() }))
}

/// Subscribes after a position; the subscription misses no later message.
///
/// # Errors
/// If the server refuses it.
pub(in crate::workloads) async fn follow(
    server: &Server,
    token: &str,
    document: &str,
    after: SealedPosition,
    group: usize,
) -> Result<Listener, Error> {
    let mut socket = Socket::open(server.address(), token).await?;
    socket.send(&subscription(document, after)).await?;
    Listener::new(socket, group)
}
