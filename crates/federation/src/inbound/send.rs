//! `PUT /_matrix/federation/v1/send/{txnId}`: events and messages of another server.
//!
//! **Invariant:** a transaction that comes again gets its first answer, and changes nothing.
//! **Invariant:** events that wait for others are stored before the answer, which does not wait for them.

use std::{collections::BTreeMap, sync::Arc};

use axum::extract::{Path, State};
use rookery_command::{Receipt, Received};
use rookery_domain::{EventStatus, Incoming, OwnedRoomId, OwnedServerName, RoomId, ServerName};
use serde::Deserialize;
use serde_json::{Map, Value, json, value::RawValue};

use super::{
    authenticated::Authenticated,
    refusal::{Answer, Refusal, Reply},
};
use crate::{edus, elsewhere::take_withdrawal, home::Home, rooms::Standing};

/// Most events of a transaction.
pub(crate) const PDUS_MAX: usize = 50;

/// Most messages of a transaction.
pub(crate) const EDUS_MAX: usize = 100;

#[derive(Deserialize)]
struct Transaction {
    #[serde(default)]
    pdus: Vec<Box<RawValue>>,
    #[serde(default)]
    edus: Vec<Box<RawValue>>,
}

pub(super) async fn send(
    State(home): State<Arc<Home>>,
    Path(id): Path<String>,
    request: Authenticated,
) -> Answer {
    if id.len() > 255 {
        return Err(Refusal::invalid("the ID of the transaction is longer than 255 bytes"));
    }
    let transaction: Transaction = request.json()?;
    if transaction.pdus.len() > PDUS_MAX || transaction.edus.len() > EDUS_MAX {
        let most = format!("a transaction has at most {PDUS_MAX} PDUs and {EDUS_MAX} EDUs");
        return Err(Refusal::bad("M_TOO_LARGE", most));
    }
    // The work goes on if the other side goes away, so that its retry finds the answer.
    let work = tokio::spawn(async move {
        let _turn = home.turns.take(&request.origin).await?;
        if let Some(answer) = home.store.transaction(&request.origin, &id).await? {
            return Ok(Reply(answer));
        }
        // Messages without events have one answer anyway, so each costs no write to the disk.
        let is_stored = !transaction.pdus.is_empty();
        let pdus = receive(&home, &request, transaction.pdus).await?;
        edus::receive(&home, &request.origin, &transaction.edus).await;
        let answer = json!({ "pdus": pdus }).to_string().into_bytes();
        if !is_stored {
            return Ok(Reply(answer));
        }
        home.store.put_transaction(request.origin.clone(), id, answer.clone()).await?;
        Ok(Reply(answer))
    });
    work.await.map_err(|error| Refusal::fault(&error))?
}

/// Gives the events to their rooms, and returns the outcome of each that has an ID.
async fn receive(
    home: &Arc<Home>,
    request: &Authenticated,
    pdus: Vec<Box<RawValue>>,
) -> Result<Map<String, Value>, Refusal> {
    let mut rooms: BTreeMap<OwnedRoomId, Vec<Box<RawValue>>> = BTreeMap::new();
    for pdu in pdus {
        // An event without a room has no ID either, so nothing can be said of it.
        if let Some(room) = Incoming::room_of(&pdu) {
            rooms.entry(room).or_default().push(pdu);
        }
    }
    let mut outcomes = Map::new();
    for (room, pdus) in rooms {
        let standing = Standing::of(&home.commands, &request.origin, &room).await?;
        let pdus = end_invites(home, &request.origin, &room, pdus).await?;
        let refused = match &standing.version {
            // The join is on its way: its events wait for it.
            None if home.limits.expects(&room) => None,
            None => Some("this server is not in the room"),
            Some(_) if !standing.is_let_in => Some("the room does not let your server take part"),
            Some(_)
                if !home.rates.is_trusted(
                    (&request.origin, &room),
                    standing.has_member,
                    home.now(),
                ) =>
            {
                Some("too many events of your server were rejected in this room: try again later")
            }
            Some(_) => None,
        };
        if let Some(why) = refused {
            for pdu in pdus {
                let version = standing.version.as_ref();
                let event = version.and_then(|version| Incoming::read(&pdu, version).ok());
                if let Some(event) = event {
                    outcomes.insert(event.event_id().to_string(), json!({ "error": why }));
                }
            }
            continue;
        }
        let receipts = home.receive(&request.origin, &room, &pdus).await?;
        let is_rejected = |it: &&Receipt| matches!(it.received, Received::Rejected { .. });
        let rejected = receipts.iter().filter(is_rejected).count();
        home.rates.rejected((&request.origin, &room), standing.has_member, rejected, home.now());
        wait(home, (&request.origin, &room), &pdus, &receipts).await?;
        for receipt in receipts {
            let Some(id) = receipt.event_id else { continue };
            outcomes.insert(id.to_string(), outcome(&receipt.received));
        }
    }
    Ok(outcomes)
}

/// Stores the events that wait for others, and lets these be searched for.
async fn wait(
    home: &Home,
    (origin, room): (&OwnedServerName, &OwnedRoomId),
    pdus: &[Box<RawValue>],
    receipts: &[Receipt],
) -> Result<(), Refusal> {
    let waits = |receipt: &&Receipt| matches!(receipt.received, Received::Held { .. });
    if !receipts.iter().any(|receipt| waits(&receipt)) {
        return Ok(());
    }
    let new = receipts.iter().zip(pdus).filter(|(receipt, _)| waits(receipt));
    let new = new.filter_map(|(receipt, pdu)| Some((receipt.event_id.clone()?, pdu.clone())));
    let new = new.collect();
    let mut waiting = home.commands.waiting(room);
    waiting.retain(|event| event.origin == *origin);
    let waiting = waiting.into_iter().map(|event| event.pdu.event_id.clone()).collect();
    home.store.keep_waiting((origin.clone(), room.clone()), new, waiting).await?;
    home.gaps.search(origin, room, home.now());
    Ok(())
}

/// Takes the events that end invites to a room without users of this server, or requests to join it.
/// Returns the others.
async fn end_invites(
    home: &Home,
    origin: &ServerName,
    room: &RoomId,
    pdus: Vec<Box<RawValue>>,
) -> Result<Vec<Box<RawValue>>, Refusal> {
    let mut others = Vec::new();
    for pdu in pdus {
        // In a room that this server is in, the event is one of the room too.
        if !take_withdrawal(home, origin, room, &pdu).await?
            || home.commands.is_in_room(room).await?
        {
            others.push(pdu);
        }
    }
    Ok(others)
}

/// The outcome of an event, as the other side gets it.
fn outcome(received: &Received) -> Value {
    match received {
        // A soft-failed event is kept like an accepted one: the difference is of this server alone. An event that waits
        // is stored, and the others are asked for after this answer.
        Received::Accepted { .. }
        | Received::Held { .. }
        | Received::SoftFailed { .. }
        | Received::Known {
            status: EventStatus::Accepted | EventStatus::SoftFailed | EventStatus::Outlier,
        } => json!({}),
        Received::Known { status: EventStatus::Rejected } => {
            json!({ "error": "it was rejected before" })
        }
        Received::Rejected { reason, .. } | Received::Refused { reason } => {
            json!({ "error": reason })
        }
    }
}
