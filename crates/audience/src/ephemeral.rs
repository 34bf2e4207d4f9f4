//! Typing, presence and signals on this server: the read models decide the audience, and the log
//! ends typing and calls.

use std::sync::Arc;

use rookery_accounts::{Accounts, SessionListener};
use rookery_delivery::Follower;
use rookery_domain::{EventStatus, Membership, Origin, RoomId, TimelineEventType, UserId};
use rookery_ephemeral::{Audience, Ephemeral, Listening, Now};
use rookery_log::Millis;
use rookery_projection::Committed;
use rookery_view::{Reader, View};

use crate::calls;

/// Commits that are processed in one go.
const BATCH_COMMITS: usize = 256;

/// Decides the audience by the read models.
struct FromModels(Reader);

impl FromModels {
    /// The cheaper of two ways: through the members, or through the users with a reader.
    fn joined(
        view: &View<'_>,
        room: &RoomId,
        listening: &Listening<'_>,
        tell: &mut dyn FnMut(&UserId),
    ) {
        let Some(room) = view.room(room) else { return };
        if usize::try_from(room.joined_count()).is_ok_and(|joined| joined < listening.count()) {
            let members =
                room.members().filter(|(_, member)| member.membership == Membership::Join);
            members.filter(|(user, _)| listening.has(user)).for_each(|(user, _)| tell(user));
        } else {
            listening.users().filter(|user| room.is_joined(user)).for_each(tell);
        }
    }
}

impl Audience for FromModels {
    fn of_room(&self, room: &RoomId, listening: &Listening<'_>, tell: &mut dyn FnMut(&UserId)) {
        Self::joined(&self.0.view(), room, listening, tell);
    }

    fn of_user(&self, user: &UserId, listening: &Listening<'_>, tell: &mut dyn FnMut(&UserId)) {
        if listening.has(user) {
            tell(user);
        }
        let view = self.0.view();
        for (room, membership) in view.memberships_of(user) {
            if membership == Membership::Join {
                Self::joined(&view, room, listening, tell);
            }
        }
    }
}

/// Typing and presence for the users that this reader knows. `clock` is the time that users see.
#[must_use]
pub fn ephemeral(reader: Reader, clock: fn() -> Millis) -> Ephemeral {
    let now = move || Now { at: std::time::Instant::now(), wall_millis: clock().0 };
    Ephemeral::new(FromModels(reader), now)
}

/// Ends a device's typing when its session ends.
struct EndsWithSession(Ephemeral);

impl SessionListener for EndsWithSession {
    fn ended(&self, user_id: &str, device_id: &str) {
        if let Ok(user) = <&UserId>::try_from(user_id) {
            self.0.logged_out(user, device_id);
        }
    }
}

/// From now on a device stops typing everywhere, and its signals are gone, when its session ends for
/// any reason.
pub fn end_with_sessions(ephemeral: &Ephemeral, accounts: &Accounts) {
    accounts.listen(Arc::new(EndsWithSession(ephemeral.clone())));
}

/// Ends typing whose time is over, and what the log ends: a user who sends a message has typed it, a
/// user who leaves a room stops typing there, and a call that ends has no more signals. Works while
/// it is polled. Run it once.
pub async fn keep_ephemeral(ephemeral: &Ephemeral, reader: &Reader, follower: Follower) {
    tokio::join!(ephemeral.run(), follow(ephemeral, reader, follower));
}

async fn follow(ephemeral: &Ephemeral, reader: &Reader, follower: Follower) {
    let mut position = follower.checkpoint();
    while follower.wait(position).await.is_ok() {
        let batch = match follower.next(position, BATCH_COMMITS).await {
            Ok(batch) => batch,
            Err(error) => {
                tracing::warn!(
                    "messages up to now end no typing, which expires by itself: {error}"
                );
                position = follower.checkpoint();
                calls::settle_all(ephemeral, reader);
                continue;
            }
        };
        position = batch.position;
        if ephemeral.somebody_types() {
            batch.commits.iter().for_each(|committed| end_typing(ephemeral, committed));
        }
        if ephemeral.somebody_calls() {
            let commits = batch.commits.iter();
            commits.for_each(|committed| calls::follow(ephemeral, reader, committed));
        }
    }
}

fn end_typing(ephemeral: &Ephemeral, committed: &Committed) {
    for (_, event) in committed.room_events() {
        if event.envelope.status != EventStatus::Accepted {
            continue;
        }
        let pdu = &event.pdu;
        for change in event.state_changes().filter(|change| change.kind == "m.room.member") {
            let stays = |pdu| Membership::of(pdu) == Membership::Join;
            let stays = change.holder.is_some_and(|holder| stays(holder.pdu));
            if let Ok(user) = <&UserId>::try_from(change.state_key)
                && !stays
            {
                ephemeral.left(&pdu.room_id, user);
            }
        }
        let is_message =
            matches!(pdu.kind, TimelineEventType::RoomMessage | TimelineEventType::RoomEncrypted);
        match &event.envelope.origin {
            Origin::Local { device: Some(device), .. } if is_message => {
                ephemeral.type_in(&pdu.room_id, &pdu.sender, device, None);
            }
            Origin::Server(_) if is_message => ephemeral.left(&pdu.room_id, &pdu.sender),
            _ => {}
        }
    }
}
