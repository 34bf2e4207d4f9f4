//! Joins, leaves, invites and kicks.

use std::sync::Arc;

use axum::extract::{Path, State};
use rookery_command::{Command, Outcome, Retry};
use rookery_domain::{Invitee, Membership, OwnedUserId, RoomCommand, UserId};
use rookery_view::RoomView;
use serde::Deserialize;
use serde_json::json;

use crate::client::{
    api::Api,
    refusal::{Answer, MatrixError, Reply, nothing},
    request::{
        acting::Acting,
        body::{Content, alias, room_id},
    },
};

/// The most rooms in one answer.
const ROOMS_MAX: usize = rookery_domain::limits::ROOMS_MAX;

/// The body of calls that change the membership of a user.
#[derive(Deserialize)]
pub(crate) struct Change {
    user_id: Option<String>,
    reason: Option<String>,
}

impl Change {
    /// The user in the body.
    fn user(&self) -> Result<OwnedUserId, MatrixError> {
        let user = self.user_id.as_deref().ok_or_else(|| {
            MatrixError::bad("M_MISSING_PARAM", "`user_id` is missing; name the user")
        })?;
        UserId::parse(user).map_err(|_| MatrixError::invalid(format!("{user:?} is no user ID")))
    }

    /// The reason; an empty one is none.
    fn reason(self) -> Option<String> {
        self.reason.filter(|reason| !reason.is_empty())
    }
}

pub(crate) async fn joined_rooms(State(api): State<Arc<Api>>, acting: Acting) -> Answer {
    let view = api.reader.view();
    let page = view.rooms_of(&acting.user, Membership::Join, None, ROOMS_MAX);
    // The bot is in no room that its service only follows.
    let is_joined = |room: &&RoomView<'_>| room.is_joined(&acting.user);
    let rooms: Vec<_> = page.rooms.iter().filter(is_joined).map(RoomView::id).collect();
    Ok(Reply(json!({ "joined_rooms": rooms })))
}

/// Joins a room by its ID or by an alias.
pub(crate) async fn join(
    State(api): State<Arc<Api>>,
    acting: Acting,
    Path(room): Path<String>,
    Content(body): Content<Change>,
) -> Answer {
    let command = &RoomCommand::Join { reason: body.reason(), member_of: None };
    let joined: Outcome = if room.starts_with('#') {
        let alias = alias(&room)?;
        api.room_of(&alias).await?;
        let room = (&*alias).into();
        let command = Command::Enter { room, command, via: &[] };
        api.execute(&acting, command, Retry::Unnamed).await?
    } else {
        api.act(&acting, &room_id(&room)?, command, Retry::Unnamed).await?
    };
    Ok(Reply(json!({ "room_id": joined.room_id })))
}

pub(crate) async fn invite(
    State(api): State<Arc<Api>>,
    acting: Acting,
    Path(room): Path<String>,
    Content(body): Content<Change>,
) -> Answer {
    let invitee = Invitee::from(body.user()?);
    let command = RoomCommand::Invite { invitee, reason: body.reason() };
    api.act(&acting, &room_id(&room)?, &command, Retry::Unnamed).await?;
    Ok(nothing())
}

/// Removes a user. A user who kicks themselves leaves: so some bridges give a reason.
pub(crate) async fn kick(
    State(api): State<Arc<Api>>,
    acting: Acting,
    Path(room): Path<String>,
    Content(body): Content<Change>,
) -> Answer {
    let user = body.user()?;
    let reason = body.reason();
    let command = if user == acting.user {
        RoomCommand::Leave { reason, successor: None }
    } else {
        RoomCommand::Kick { user, reason }
    };
    api.act(&acting, &room_id(&room)?, &command, Retry::Unnamed).await?;
    Ok(nothing())
}

pub(crate) async fn leave(
    State(api): State<Arc<Api>>,
    acting: Acting,
    Path(room): Path<String>,
    Content(body): Content<Change>,
) -> Answer {
    let command = RoomCommand::Leave { reason: body.reason(), successor: None };
    api.act(&acting, &room_id(&room)?, &command, Retry::Unnamed).await?;
    Ok(nothing())
}

/// The server keeps no list of left rooms that a user could forget.
pub(crate) async fn forget(
    State(api): State<Arc<Api>>,
    acting: Acting,
    Path(room): Path<String>,
) -> Answer {
    let room = room_id(&room)?;
    if api.reader.view().is_joined(&room, &acting.user) {
        let message = format!("{} is a member of this room; leave it first", acting.user);
        return Err(MatrixError::bad("M_UNKNOWN", message));
    }
    Ok(nothing())
}
