//! Takes the messages of another server.
//!
//! **Invariant:** a message counts only for users of its server who are joined, in rooms whose lists let that server take
//! part. Everything else is ignored, and fails no transaction.
//! **Invariant:** the work for a transaction is bounded, and so is that for a server over time.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use rookery_command::{Actor, ReadMark};
use rookery_domain::{
    EventStatus, Membership, OwnedEventId, OwnedRoomId, OwnedUserId, RoomId, ServerName, UserId,
};
use rookery_ephemeral::{STATUS_BYTES_MAX, Shown};
use rookery_log::Millis;
use serde_json::value::RawValue;
use tokio::task::JoinSet;

use super::form::{self, Edu, PresenceOf, Presences, ReceiptOf, Receipts, Typing};
use crate::{home::Home, rooms::Standing};

/// Longest message that is read.
const EDU_BYTES_MAX: usize = 128 * 1024;

/// Most rooms that are looked up for one transaction.
const ROOMS_MAX: usize = 100;

/// Most receipts of one transaction.
pub(crate) const RECEIPTS_MAX: usize = 200;

/// Most users of a message about presence.
const PRESENCES_MAX: usize = 100;

/// Most events that one receipt names and that are looked up.
const RECEIPT_EVENTS_MAX: usize = 5;

/// How long receipts wait until the read side knows the events of their transaction.
const CATCH_UP_MAX: std::time::Duration = std::time::Duration::from_secs(1);

/// The events that a user of another server says to have read, in one room.
type ReadUpTo = (OwnedUserId, Vec<OwnedEventId>);

struct Receiver<'a> {
    home: &'a Arc<Home>,
    origin: &'a ServerName,
    rooms: HashMap<OwnedRoomId, bool>,
    receipts: BTreeMap<OwnedRoomId, Vec<ReadUpTo>>,
    receipts_left: usize,
}

/// Takes the messages of a transaction of `origin`. Receipts are in the log when this answers.
pub(crate) async fn receive(home: &Arc<Home>, origin: &ServerName, edus: &[Box<RawValue>]) {
    let mut receiver = Receiver {
        home,
        origin,
        rooms: HashMap::new(),
        receipts: BTreeMap::new(),
        receipts_left: RECEIPTS_MAX,
    };
    for edu in edus {
        if edu.get().len() > EDU_BYTES_MAX {
            continue;
        }
        let Ok(Edu { edu_type, content }) = serde_json::from_str(edu.get()) else { continue };
        match edu_type.as_str() {
            "m.typing" => receiver.typing(content).await,
            "m.presence" => receiver.presence(content),
            "m.receipt" => receiver.receipts(content).await,
            _ => {}
        }
    }
    receiver.apply_receipts().await;
}

impl Receiver<'_> {
    async fn typing(&mut self, content: &RawValue) {
        let Ok(Typing { room_id, user_id, typing }) = serde_json::from_str(content.get()) else {
            return;
        };
        if self.may_say(1) && self.is_in(&room_id, &user_id).await {
            self.home.ephemeral.type_remotely(&room_id, &user_id, typing);
        }
    }

    fn presence(&self, content: &RawValue) {
        let Ok(Presences { push }) = serde_json::from_str(content.get()) else { return };
        for of in push.into_iter().take(PRESENCES_MAX) {
            let PresenceOf { user_id, presence, status_msg, last_active_ago, .. } = of;
            let Some(presence) = form::presence(&presence) else { continue };
            if !self.may_say(1) || user_id.server_name() != self.origin || !self.is_here(&user_id) {
                continue;
            }
            let status_message = status_msg.filter(|status| status.len() <= STATUS_BYTES_MAX);
            let now = self.home.now();
            let last_active_millis = last_active_ago.map(|ago| now.saturating_sub(ago));
            let shown = Shown { presence, status_message, last_active_millis };
            self.home.ephemeral.appear(&user_id, shown);
        }
    }

    async fn receipts(&mut self, content: &RawValue) {
        let Ok(rooms) = serde_json::from_str::<Receipts>(content.get()) else { return };
        for (room, receipts) in rooms {
            for (user, ReceiptOf { mut event_ids, data }) in receipts.read {
                // A receipt of one thread says nothing about the rest of the room.
                if data.thread_id.is_some_and(|thread| thread != "main") {
                    continue;
                }
                if self.receipts_left == 0 || !self.may_say(1) {
                    return;
                }
                self.receipts_left -= 1;
                if self.is_in(&room, &user).await {
                    event_ids.truncate(RECEIPT_EVENTS_MAX);
                    self.receipts.entry(room.clone()).or_default().push((user, event_ids));
                }
            }
        }
    }

    /// Appends the receipts that move on. One that its server repeats, or that names an unknown event, changes nothing.
    async fn apply_receipts(&mut self) {
        if self.receipts.is_empty() {
            return;
        }
        let home = self.home;
        let tail = *home.reader.models().log().tail().borrow();
        // Without that, events of the same transaction are not known yet, and the next receipt tells.
        home.reader.wait_for(tail, CATCH_UP_MAX).await.ok();
        let mut appends = JoinSet::new();
        for (room, receipts) in std::mem::take(&mut self.receipts) {
            let ids: Vec<_> = receipts.iter().flat_map(|(_, events)| events).cloned().collect();
            let found = match home.events().get(&room, &ids).await {
                Ok(found) => found,
                Err(error) => {
                    tracing::warn!(%room, %error, "cannot look up the events of receipts");
                    continue;
                }
            };
            let shown = found.into_iter().filter(|event| event.status == EventStatus::Accepted);
            let sequences: HashMap<_, _> =
                shown.map(|event| (event.pdu.event_id.clone(), event.sequence)).collect();
            for (user, events) in receipts {
                let known = events.into_iter().filter_map(|event| {
                    let sequence = *sequences.get(&event)?;
                    Some((sequence, event))
                });
                let Some((sequence, event_id)) = known.max_by_key(|(sequence, _)| *sequence) else {
                    continue;
                };
                if !home.rates.receipt(self.origin, home.now()) {
                    break;
                }
                let mark = ReadMark { room_id: room.clone(), event_id, private: false };
                let home = Arc::clone(home);
                appends.spawn(async move { append(&home, user, mark, sequence).await });
            }
        }
        appends.join_all().await;
    }

    /// Charges states to the server.
    fn may_say(&self, states: u32) -> bool {
        self.home.rates.states(self.origin, states, self.home.now())
    }

    /// Whether the user is of the server, and joined in a room here.
    fn is_here(&self, user: &UserId) -> bool {
        let joined = self.home.reader.view().rooms_count(user, Membership::Join);
        joined.is_some_and(|joined| joined > 0)
    }

    /// Whether the user is of the server, and joined in the room, which lets the server take part.
    async fn is_in(&mut self, room: &RoomId, user: &UserId) -> bool {
        let is_joined = {
            let view = self.home.reader.view();
            view.room(room).is_some_and(|room| room.is_joined(user))
        };
        user.server_name() == self.origin && is_joined && self.is_let_in(room).await
    }

    async fn is_let_in(&mut self, room: &RoomId) -> bool {
        if let Some(is_let_in) = self.rooms.get(room) {
            return *is_let_in;
        }
        if self.rooms.len() >= ROOMS_MAX {
            return false;
        }
        let standing = Standing::of(&self.home.commands, self.origin, room).await;
        let is_let_in = standing.is_ok_and(|standing| standing.has_member && standing.is_let_in);
        self.rooms.insert(room.to_owned(), is_let_in);
        is_let_in
    }
}

async fn append(home: &Home, user: OwnedUserId, mark: ReadMark, sequence: u64) {
    let now = Millis(home.now());
    let actor = Actor::for_server(user, now);
    if let Err(error) = home.commands.note_receipt(&actor, &mark, sequence).await {
        tracing::warn!(user = %actor.user, %error, "cannot store a receipt of another server");
    }
}
