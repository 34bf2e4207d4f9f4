//! Invites, as invited users see them.

use async_graphql::{Context, Result, SimpleObject};
use rookery_domain::{Elsewhere, Membership, Pdu};
use serde_json::Value;

use super::room::Room;
use crate::{
    context::{app, session, unless_absent},
    types::{
        users::user::User,
        values::{scalars::DateTime, text::Text},
    },
};

/// Your invite to a room.
#[derive(Clone, SimpleObject)]
pub struct Invite {
    /// The user who invites you.
    inviter: User,
    /// The reason of the invite.
    reason: Option<Text>,
    /// Whether it is to a direct conversation.
    is_direct: bool,
    /// When it was sent.
    sent_at: DateTime,
    /// The server of the user who invites you.
    server: String,
}

impl Invite {
    /// The viewer's invite to the room, if they are invited now.
    pub async fn of(context: &Context<'_>, room: &Room) -> Result<Option<Self>> {
        let viewer = session(context).viewer()?;
        let elsewhere = {
            let view = app(context).models.view();
            view.elsewhere(room.matrix_id(), viewer).map(|it| Self::elsewhere(&it.standing))
        };
        if let Some(invite) = elsewhere {
            return Ok(invite);
        }
        let invite = app(context).models.invite(room.matrix_id(), viewer).await;
        Ok(unless_absent(invite)?.flatten().map(|event| Self::read(&event.event().pdu)))
    }

    /// Reads an invite.
    pub fn read(invite: &Pdu) -> Self {
        let content: Value = invite.content_as().unwrap_or_default();
        Self {
            inviter: User::in_room(invite.sender.clone(), invite.room_id.clone()),
            reason: content["reason"].as_str().map(|text| Text(text.to_owned())),
            is_direct: content["is_direct"].as_bool().unwrap_or(false),
            sent_at: DateTime(rookery_log::Millis(invite.origin_server_ts.0.into())),
            server: invite.sender.server_name().to_string(),
        }
    }

    /// An invite to a room that this server is not in; `None` for a request to join.
    pub fn elsewhere(standing: &Elsewhere) -> Option<Self> {
        let preview = &standing.preview;
        (standing.membership == Membership::Invite).then(|| Self {
            inviter: User::with_profile(preview.inviter.clone(), preview.inviter_profile.clone()),
            reason: preview.reason.clone().map(Text),
            is_direct: preview.is_direct,
            sent_at: DateTime(rookery_log::Millis(standing.sent)),
            server: preview.inviter.server_name().to_string(),
        })
    }

    /// The user who invites.
    pub fn into_inviter(self) -> User {
        self.inviter
    }
}
