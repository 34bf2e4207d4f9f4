//! Invites, as invited users see them.

use async_graphql::{Context, Result, SimpleObject};
use rookery_domain::Pdu;
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
}

impl Invite {
    /// The viewer's invite to the room, if they are invited now.
    pub async fn of(context: &Context<'_>, room: &Room) -> Result<Option<Self>> {
        let viewer = session(context).viewer()?;
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
        }
    }
}
