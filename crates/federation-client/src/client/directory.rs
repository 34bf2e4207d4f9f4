//! The public directory of another server.

use std::time::Duration;

use rookery_domain::{OwnedRoomId, ServerName};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Call, CallError, Remote};
use crate::paths::query;

/// How long a directory is waited for.
const TIME_MAX: Duration = Duration::from_secs(15);

const PATH: &str = "/_matrix/federation/v1/publicRooms";

/// A page of a directory.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DirectoryPage {
    /// The rooms.
    pub chunk: Vec<DirectoryRoom>,
    /// The cursor of the next page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_batch: Option<String>,
    /// How many rooms there are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_room_count_estimate: Option<u64>,
}

/// A room of a directory.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DirectoryRoom {
    /// Its ID.
    pub room_id: OwnedRoomId,
    /// How many users have joined.
    #[serde(default)]
    pub num_joined_members: u64,
    /// Whether everybody may read it.
    #[serde(default)]
    pub world_readable: bool,
    /// Whether guests may join.
    #[serde(default)]
    pub guest_can_join: bool,
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its topic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// The address of its avatar.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub avatar_url: Option<String>,
    /// Its canonical alias.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub canonical_alias: Option<String>,
    /// How users may join; `None` means that everybody may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub join_rule: Option<String>,
    /// Its type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room_type: Option<String>,
}

impl Remote {
    /// Up to `limit` rooms of the public directory of `server` that contain the text `search`, after the cursor `after`.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn public_rooms(
        &self,
        server: &ServerName,
        (search, after): (Option<&str>, Option<&str>),
        limit: usize,
    ) -> Result<DirectoryPage, CallError> {
        let call = if let Some(search) = search {
            let mut body = json!({ "limit": limit, "filter": { "generic_search_term": search } });
            if let Some(after) = after {
                body["since"] = json!(after);
            }
            Call::get(PATH).posting(&body)
        } else {
            let limit = limit.to_string();
            let since = after.map(|after| ("since", after));
            let parameters: Vec<_> = [("limit", limit.as_str())].into_iter().chain(since).collect();
            Call::get(query(PATH, &parameters))
        };
        self.ask(server, call.time_max(TIME_MAX)).await
    }
}
