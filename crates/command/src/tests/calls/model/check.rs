//! The model of calls, and the comparison with a log.

use std::{collections::BTreeMap, sync::Arc};

use rookery_domain::{
    CallId, EndReason, Fact, Membership, Origin, OwnedRoomId, OwnedUserId, RoomCalls, RoomEvent,
    RoomId, Subject,
};
use rookery_log::{ErasableLog, EventLog, Millis, Position, Scope, StreamKind};
use serde_json::Value;

use crate::{Commands, testing::calls_in};

/// A call, as the contents of the events tell it.
#[derive(Debug)]
struct Modelled {
    room: OwnedRoomId,
    /// The caller and the callee, each with their device.
    parties: [(OwnedUserId, Option<String>); 2],
    expires: u64,
    answered: bool,
}

#[derive(Default)]
struct Model {
    active: BTreeMap<CallId, Modelled>,
    seen: Vec<CallId>,
    members: BTreeMap<(OwnedRoomId, OwnedUserId), Membership>,
    steps: usize,
}

/// Checks every event of the log. Returns the number of steps of calls.
///
/// # Errors
/// The first property that does not hold.
pub(super) async fn log(log: &dyn EventLog, one_writer: bool) -> Result<usize, String> {
    let mut model = Model::default();
    let records = log.read(&Scope::All, Position::ORIGIN, 4_096).await;
    for record in records.map_err(|error| error.to_string())? {
        let Some((kind, subject)) = record.commit.stream.split() else { continue };
        for event in &record.commit.events {
            let subject_kind = match kind {
                StreamKind::Room => Subject::Room,
                StreamKind::User => Subject::Account,
                StreamKind::Alias => continue,
            };
            let fact = Fact::read(subject_kind, &event.id, &event.envelope, &event.content);
            match fact.map_err(|error| error.to_string())? {
                Fact::Room(event) => {
                    let room = RoomId::parse(subject).map_err(|error| error.to_string())?;
                    model.event(&room, &event).map_err(|violation| {
                        format!("{violation}, at {}: {event:?}", record.position)
                    })?;
                    model.users(one_writer)?;
                }
                Fact::Account(_) | Fact::Alias(_) => {}
            }
        }
    }
    let rooms = calls_in(log).await.map_err(|error| error.to_string())?;
    let of_log = rooms.values().flat_map(RoomCalls::active).map(|call| call.id.clone());
    let mut of_log: Vec<_> = of_log.collect();
    of_log.sort();
    let of_model: Vec<_> = model.active.keys().cloned().collect();
    if of_log != of_model {
        return Err(format!("the log has the calls {of_log:?}, and the model {of_model:?}"));
    }
    Ok(model.steps)
}

impl Model {
    fn event(&mut self, room: &RoomId, event: &RoomEvent) -> Result<(), String> {
        let pdu = &event.pdu;
        let content: Value = pdu.content_as().unwrap_or_default();
        let text = |key: &str| content[key].as_str().unwrap_or_default().to_owned();
        let id = || text("call_id").parse::<CallId>().map_err(|error| error.to_string());
        let device = match &event.envelope.origin {
            Origin::Local { device, .. } => device.clone(),
            Origin::Server(_) => None,
        };
        let now = u64::from(pdu.origin_server_ts.0);
        let kind = pdu.kind.to_string();
        let ended: Vec<CallId> = match &*kind {
            "m.call.invite" => {
                let (id, callee) = (id()?, OwnedUserId::try_from(text("invitee")));
                let callee = callee.map_err(|error| error.to_string())?;
                if self.seen.contains(&id) {
                    return Err(format!("the call {id} is placed twice"));
                }
                for user in [&pdu.sender, &callee] {
                    let joined = self.members.get(&(room.to_owned(), user.clone()));
                    if joined != Some(&Membership::Join) {
                        return Err(format!("{user} has not joined"));
                    }
                }
                let parties = [(pdu.sender.clone(), device), (callee, None)];
                let expires = now + content["lifetime"].as_u64().unwrap_or_default();
                let call = Modelled { room: room.to_owned(), parties, expires, answered: false };
                self.seen.push(id.clone());
                self.active.insert(id, call);
                self.steps += 1;
                return Ok(());
            }
            "m.call.answer" => {
                let id = id()?;
                let call = self.active.get_mut(&id).ok_or("an answer to no call")?;
                let is_fit =
                    !call.answered && call.parties[1].0 == pdu.sender && now < call.expires;
                if !is_fit || call.room != room {
                    return Err(format!("a call that does not take this answer: {call:?}"));
                }
                call.answered = true;
                call.parties[1].1 = device;
                self.steps += 1;
                return Ok(());
            }
            "m.call.reject" | "m.call.hangup" => {
                let id = id()?;
                let call = self.active.get(&id).ok_or("the end of no call")?;
                let party = call.parties.iter().find(|(user, _)| *user == pdu.sender);
                let (_, of_party) = party.ok_or("a stranger ends a call")?;
                let by_device = device.is_some();
                let is_fit = match &*kind {
                    "m.call.reject" => !call.answered && call.parties[1].0 == pdu.sender,
                    _ if by_device => *of_party == device,
                    // The server.
                    _ if text("reason") == "invite_timeout" => {
                        !call.answered && now >= call.expires
                    }
                    _ => true,
                };
                if !is_fit {
                    return Err(format!("a call that does not end so: {call:?}"));
                }
                vec![id]
            }
            "m.room.member" => {
                let user = pdu.state_key.clone().unwrap_or_default();
                let user = OwnedUserId::try_from(user).map_err(|error| error.to_string())?;
                let membership = Membership::of(pdu);
                self.members.insert((room.to_owned(), user.clone()), membership);
                let is_of = |call: &Modelled| {
                    call.room == room && call.parties.iter().any(|(party, _)| *party == user)
                };
                let ends = membership != Membership::Join;
                let of_user = self.active.iter().filter(|(_, call)| ends && is_of(call));
                of_user.map(|(id, _)| id.clone()).collect()
            }
            _ => Vec::new(),
        };
        for id in &ended {
            self.active.remove(id);
            self.steps += 1;
        }
        let mut stated: Vec<_> =
            event.envelope.calls.iter().map(|change| change.call_id.clone()).collect();
        stated.sort();
        let mut ended = ended;
        ended.sort();
        if stated == ended {
            Ok(())
        } else {
            Err(format!("the envelope ends {stated:?}, and the event {ended:?}"))
        }
    }

    /// A user has one call: in each room, and in all rooms if one process writes.
    fn users(&self, one_writer: bool) -> Result<(), String> {
        let mut of_users: BTreeMap<(Option<&RoomId>, &OwnedUserId), &CallId> = BTreeMap::new();
        for (id, call) in &self.active {
            for (user, _) in &call.parties {
                let room = (!one_writer).then_some(&*call.room);
                if let Some(other) = of_users.insert((room, user), id) {
                    // Two writers may let two others call a user at the same moment.
                    let other = &self.active[other];
                    let rings = |call: &Modelled| !call.answered && call.parties[1].0 == *user;
                    if one_writer || !(rings(call) || rings(other)) {
                        return Err(format!("{user} has two calls: {call:?} and {other:?}"));
                    }
                }
            }
        }
        Ok(())
    }
}

/// Ends what rings when its time has come, as the server does. Then no call rings.
///
/// # Errors
/// The call that rings on.
pub(super) async fn nothing_rings_for_ever(
    commands: &Commands,
    log: &Arc<dyn ErasableLog>,
    now: Millis,
) -> Result<(), String> {
    let rooms = calls_in(&**log).await.map_err(|error| error.to_string())?;
    for (room, calls) in &rooms {
        for call in calls.active() {
            let timeout = EndReason::InviteTimeout;
            let ended = commands.end_active_call(room, &call.id, &call.caller, timeout, now).await;
            let ended = ended.map_err(|error| error.to_string())?;
            if ended == call.answer().is_some() {
                return Err(format!("it ended: {ended}, with the answer {:?}", call.answer()));
            }
        }
    }
    Ok(())
}
