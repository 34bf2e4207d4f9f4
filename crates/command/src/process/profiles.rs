//! The name and the avatar of a user reach every room of the user.
//!
//! A change of profile is written to the rooms of the user. A member event may carry an older
//! profile, because the profile changed while its user joined or created the room. Then another
//! member event follows it.

use rookery_domain::{
    AccountEvent, Fact, Membership, OwnedUserId, RoomCommand, RoomId, Subject, UserId,
};
use rookery_log::{LoggedEvent, Millis, Record, StreamKind};

use super::{Process, Undone, mention, state_events};
use crate::{
    Actor, Commands,
    stream::state::read_facts,
    users::profile::{telling, unless_gone},
};

/// Tells rooms of profiles. `now` is the time of the events that it makes.
pub(crate) struct ProfileProcess<'a> {
    pub(crate) commands: &'a Commands,
    pub(crate) now: Millis,
}

impl Process for ProfileProcess<'_> {
    const NAME: &'static str = "profiles";

    fn concerns(record: &Record) -> bool {
        match record.commit.stream.split() {
            Some((StreamKind::User, _)) => record.commit.events.iter().any(changes_profile),
            Some((StreamKind::Room, _)) => state_events(record)
                .is_some_and(|events| mention(events, "\"membership\":\"join\"")),
            _ => false,
        }
    }

    async fn handle(&self, record: &Record) -> Result<bool, Undone> {
        match record.commit.stream.split() {
            Some((StreamKind::User, user)) => {
                let Ok(user) = UserId::parse(user) else { return Ok(false) };
                let told = self.commands.tell_rooms(&self.actor(user), record.position).await?;
                match told.left {
                    None => Ok(true),
                    Some(reason) => Err(Undone::Skipped(reason)),
                }
            }
            Some((StreamKind::Room, room)) => {
                let Ok(room) = RoomId::parse(room) else { return Ok(false) };
                self.follow_joins(record, &room).await
            }
            _ => Ok(false),
        }
    }
}

impl ProfileProcess<'_> {
    fn actor(&self, user: OwnedUserId) -> Actor {
        Actor::for_server(user, self.now)
    }

    /// Updates members of this server who joined with another profile than they have now.
    async fn follow_joins(&self, record: &Record, room: &RoomId) -> Result<bool, Undone> {
        let mut behind = Vec::new();
        for fact in read_facts::<rookery_domain::Room>(record)? {
            let Fact::Room(event) = fact else { continue };
            let joined = event.pdu.kind.to_string() == "m.room.member"
                && Membership::of(&event.pdu) == Membership::Join;
            let user = event.pdu.state_key.as_deref().map(UserId::parse);
            let (true, Some(Ok(user))) = (joined, user) else { continue };
            if user.server_name() == self.commands.server_name
                && self.commands.profile(&user).await? != rookery_domain::Profile::of(&event.pdu)
            {
                behind.push(user);
            }
        }
        let told = !behind.is_empty();
        for user in behind {
            let profile = self.commands.profile(&user).await?;
            let retry = telling(record.position, &profile, room);
            let command = RoomCommand::SetMemberProfile { profile };
            unless_gone(
                self.commands.in_room_unnumbered(&self.actor(user), room, &command, retry).await,
            )?;
        }
        Ok(told)
    }
}

fn changes_profile(event: &LoggedEvent) -> bool {
    if memchr::memmem::find(&event.content, b"profile_changed").is_none() {
        return false;
    }
    let fact = Fact::read(Subject::Account, &event.id, &event.envelope, &event.content);
    matches!(fact, Ok(Fact::Account(AccountEvent::ProfileChanged { .. })))
}
