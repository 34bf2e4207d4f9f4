//! Joins, leaves, invites and kicks.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::Uri,
};
use form_urlencoded::parse;
use rookery_command::{Command, Retry};
use rookery_domain::{
    Invitee, Membership, OwnedRoomOrAliasId, OwnedServerName, OwnedUserId, RoomCommand, UserId,
};
use rookery_view::RoomView;
use serde::Deserialize;
use serde_json::json;

use crate::client::{
    api::{Api, ended, no_such_alias},
    refusal::{Answer, MatrixError, Reply, nothing},
    request::{
        acting::Acting,
        body::{Content, room_id},
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

/// Joins a room by its ID or by an alias, here or through other servers. `via` and `server_name` in the query are
/// servers that may be in the room.
pub(crate) async fn join(
    State(api): State<Arc<Api>>,
    acting: Acting,
    Path(room): Path<String>,
    uri: Uri,
    Content(body): Content<Change>,
) -> Answer {
    let room = OwnedRoomOrAliasId::try_from(&*room)
        .map_err(|_| MatrixError::invalid(format!("{room:?} is no room ID and no alias")))?;
    let via = servers(&uri)?;
    let command = &RoomCommand::Join { reason: body.reason(), member_of: None };
    let command = Command::Enter { room: &room, command, via: &via };
    let joined = api.outcome(&acting, command, Retry::Unnamed).await;
    let joined = joined.map_err(|error| match error.kept_code() {
        Some("NO_SUCH_ROOM") if room.is_room_alias_id() => no_such_alias(),
        _ => error.into(),
    })?;
    Ok(Reply(json!({ "room_id": ended(joined)?.room_id })))
}

/// The servers in the query of a join.
fn servers(uri: &Uri) -> Result<Vec<OwnedServerName>, MatrixError> {
    let fields = parse(uri.query().unwrap_or_default().as_bytes());
    let named = fields.filter(|(key, _)| matches!(&**key, "via" | "server_name"));
    let server = |name: &str| {
        let server = OwnedServerName::try_from(name);
        server.map_err(|_| MatrixError::invalid(format!("{name:?} is no name of a server")))
    };
    named.map(|(_, name)| server(&name)).collect()
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
