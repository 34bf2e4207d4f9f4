//! A read side that folds the log as it grows.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use futures_util::FutureExt;
use parking_lot::Mutex;
use rookery_domain::{
    AccountEvent, Fact, KnownEvent, Membership, Origin, OwnedEventId, OwnedRoomId, OwnedUserId,
    UserId,
};
use rookery_log::{EventLog, MemoryLog, Position, Record, Scope, StreamKind, Unavailable};

use super::check::facts_of;
use crate::{EventLookup, LastActions, Memberships, Ports, testing::CallsInLog};

pub(in crate::tests) struct ReadSide {
    log: Arc<MemoryLog>,
    folded: Mutex<Folded>,
}

#[derive(Default)]
struct Folded {
    position: Position,
    memberships: BTreeMap<(OwnedUserId, OwnedRoomId), Membership>,
    actions: BTreeMap<(OwnedUserId, String), u64>,
}

impl ReadSide {
    pub(in crate::tests) fn ports(log: &Arc<MemoryLog>) -> Ports {
        let side = Arc::new(Self { log: Arc::clone(log), folded: Mutex::default() });
        let (memberships, events) = (side.clone(), side.clone());
        let calls = Arc::new(CallsInLog(Arc::clone(log) as _));
        Ports { memberships, events, last_actions: side, calls }
    }

    fn folded<T>(&self, look: impl FnOnce(&Folded) -> T) -> T {
        let mut folded = self.folded.lock();
        let page = self.log.read(&Scope::All, folded.position, 4_096).now_or_never();
        for record in page.unwrap().unwrap() {
            folded.fold(&record);
        }
        look(&folded)
    }
}

impl Folded {
    fn fold(&mut self, record: &Record) {
        self.position = record.position;
        let Some((kind, subject)) = record.commit.stream.split() else { return };
        for fact in facts_of(record) {
            match (kind, fact) {
                (StreamKind::Room, Fact::Room(event)) => {
                    if let Origin::Local { device: Some(device), action: Some(action), .. } =
                        &event.envelope.origin
                    {
                        let last = self.actions.entry((event.pdu.sender.clone(), device.clone()));
                        let last = last.or_default();
                        *last = (*last).max(*action);
                    }
                    let user = event.pdu.state_key.as_deref().map(OwnedUserId::try_from);
                    if let (true, Some(Ok(user))) =
                        (event.pdu.kind.to_string() == "m.room.member", user)
                    {
                        let room = OwnedRoomId::try_from(subject).unwrap();
                        self.memberships.insert((user, room), Membership::of(&event.pdu));
                    }
                }
                (_, Fact::Account(AccountEvent::ActionNoted { device, action, .. })) => {
                    let user = OwnedUserId::try_from(subject).unwrap();
                    let last = self.actions.entry((user, device)).or_default();
                    *last = (*last).max(action);
                }
                _ => {}
            }
        }
    }
}

#[async_trait]
impl Memberships for ReadSide {
    async fn joined_rooms(
        &self,
        user: &UserId,
        _: Position,
    ) -> Result<Vec<OwnedRoomId>, Unavailable> {
        Ok(self.folded(|folded| {
            let all = folded.memberships.iter();
            let joined = all.filter(|((of, _), is)| of == user && **is == Membership::Join);
            joined.map(|((_, room), _)| room.clone()).collect()
        }))
    }
}

/// No command here refers to events.
#[async_trait]
impl EventLookup for ReadSide {
    async fn known(
        &self,
        _: &[OwnedEventId],
        _: &UserId,
        _: Position,
    ) -> Result<Vec<KnownEvent>, Unavailable> {
        Ok(Vec::new())
    }
}

#[async_trait]
impl LastActions for ReadSide {
    async fn last_action(
        &self,
        user: &UserId,
        device: &str,
        _: Position,
    ) -> Result<u64, Unavailable> {
        let key = (user.to_owned(), device.to_owned());
        Ok(self.folded(|folded| folded.actions.get(&key).copied().unwrap_or_default()))
    }
}
