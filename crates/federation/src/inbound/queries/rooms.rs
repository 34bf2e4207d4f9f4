//! `GET` and `POST /_matrix/federation/v1/publicRooms`: the public directory for other servers.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use rookery_domain::{HistoryVisibility, JoinRule};
use rookery_log::{Position, Sealed, TokenKey, TokenKind};
use rookery_view::{PublicRoomCursor, RoomView};
use serde::Deserialize;

use super::super::{
    authenticated::Authenticated,
    events::Query,
    refusal::{Answer, Refusal, Reply},
};
use crate::{
    client::{DirectoryPage, DirectoryRoom},
    home::Home,
};

/// Most rooms of a page.
const PAGE_MAX: usize = 100;

/// Bytes of a place before sealing: three numbers.
const PLACE: usize = 24;

#[derive(Default, Deserialize)]
struct Asked {
    limit: Option<usize>,
    since: Option<String>,
    #[serde(default)]
    filter: Filter,
}

#[derive(Default, Deserialize)]
struct Filter {
    generic_search_term: Option<String>,
}

pub(in crate::inbound) async fn page(
    State(home): State<Arc<Home>>,
    RawQuery(query): RawQuery,
    _request: Authenticated,
) -> Answer {
    let query = Query::of(query.as_deref());
    let limit = query.one("limit").map(str::parse).transpose();
    let limit = limit.map_err(|_| Refusal::invalid("`limit` is no number"))?;
    let since = query.one("since").map(ToOwned::to_owned);
    answer(&home, Asked { limit, since, filter: Filter::default() }).await
}

pub(in crate::inbound) async fn search(
    State(home): State<Arc<Home>>,
    request: Authenticated,
) -> Answer {
    answer(&home, request.json()?).await
}

async fn answer(home: &Home, asked: Asked) -> Answer {
    if !home.shows_directory {
        return Err(Refusal::forbidden("this server does not show its directory to others"));
    }
    let limit = asked.limit.unwrap_or(PAGE_MAX).clamp(1, PAGE_MAX);
    let key = TokenKey::derive(&home.own.current.derive_secret("rookery directory for servers"));
    let epoch = home.reader.epoch();
    let open = |since: &String| {
        let sealed: Sealed<PLACE> = since.parse().ok()?;
        key.open(TokenKind::Directory, epoch, &sealed).map(place)
    };
    let unknown = || Refusal::invalid("`since` is not of this directory");
    let after = asked.since.as_ref().map(|since| open(since).ok_or_else(unknown)).transpose()?;
    let search = asked.filter.generic_search_term.as_deref();
    let found = home.reader.public_rooms(search, after, limit).await;
    let view = home.reader.view();
    let rooms = found.rooms.iter().filter_map(|place| view.listed_room(*place));
    let chunk = rooms.map(|room| described(&room)).collect();
    let last = found.rooms.last().filter(|_| found.has_more);
    let seal = |last: &PublicRoomCursor| key.seal(TokenKind::Directory, epoch, bytes(*last));
    let next_batch = last.map(|last| seal(last).to_string());
    let total_room_count_estimate = Some(found.total as u64);
    Reply::from(&DirectoryPage { chunk, next_batch, total_room_count_estimate })
}

fn described(room: &RoomView<'_>) -> DirectoryRoom {
    let summary = room.summary();
    let join_rule = match summary.join_rule {
        Some(JoinRule::Public) => "public",
        Some(JoinRule::Knock) => "knock",
        Some(JoinRule::Restricted(_)) => "restricted",
        Some(JoinRule::KnockRestricted(_)) => "knock_restricted",
        _ => "invite",
    };
    DirectoryRoom {
        room_id: room.id().to_owned(),
        num_joined_members: room.joined_count(),
        world_readable: summary.history_visibility() == HistoryVisibility::WorldReadable,
        guest_can_join: false,
        name: summary.name.clone(),
        topic: summary.topic.clone(),
        avatar_url: summary.avatar_url.clone(),
        canonical_alias: summary.canonical_alias.clone(),
        join_rule: Some(join_rule.to_owned()),
        room_type: summary.kind.clone(),
    }
}

fn bytes(place: PublicRoomCursor) -> [u8; PLACE] {
    let mut plain = [0; PLACE];
    let numbers = [place.position.0, place.joined, place.room.0];
    for (part, number) in plain.chunks_exact_mut(8).zip(numbers) {
        part.copy_from_slice(&number.to_be_bytes());
    }
    plain
}

fn place(plain: [u8; PLACE]) -> PublicRoomCursor {
    let number = |at: usize| {
        plain[at..at + 8].iter().fold(0, |number: u64, byte| number << 8 | u64::from(*byte))
    };
    let (position, room) = (Position(number(0)), Position(number(16)));
    PublicRoomCursor { position, joined: number(8), room }
}
