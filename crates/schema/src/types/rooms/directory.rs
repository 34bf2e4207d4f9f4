//! Pages of the public directory.

use async_graphql::{Context, Result};
use rookery_domain::ServerName;
use rookery_log::{Position, TokenKind};
use rookery_view::{CURSOR_ELSEWHERE_BYTES_MAX, Moment, PublicRoomCursor, WantedElsewhere};

use super::room::Room;
use crate::{
    context::{App, app, session},
    reads::reads,
    types::{
        errors::fault::Fault,
        values::connection::{Page, counted_connection, not_of_this_list},
    },
};

/// Bytes of a place before sealing: three numbers.
const PLACE: usize = 24;

/// A page of the public directory.
pub struct PublicRooms {
    page: Page<Room>,
    total_count: usize,
}

counted_connection!(
    PublicRooms,
    "PublicRoomConnection",
    PublicRoomEdge,
    Room,
    "A page of the public directory."
);

impl PublicRooms {
    /// The listed rooms that `search` finds, largest first, after the cursor `after`.
    pub async fn page(
        context: &Context<'_>,
        search: Option<&str>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Self> {
        let app = app(context);
        let after = after.map(|after| open(app, after)).transpose()?;
        let found = app.models.public_rooms(search, after, limit).await;
        let (viewer, view) = (session(context).viewer()?, app.models.view());
        let room = |place: &PublicRoomCursor| {
            let room = view.listed_room(*place)?;
            let moment = Moment::new(view.position(), None, None);
            Some((seal(app, *place), Room::at(&room, viewer, moment)))
        };
        let rooms: Vec<_> = found.rooms.iter().filter_map(room).collect();
        let end = rooms.last().map(|(cursor, _)| cursor.clone()).unwrap_or_default();
        let page = Page::with_cursors(rooms, after.is_some(), found.has_more.then_some(end));
        Ok(Self { page, total_count: found.total })
    }

    /// The rooms that the public directory of another server lists, in its order. A cursor continues after the whole page.
    pub async fn elsewhere(
        context: &Context<'_>,
        server: &ServerName,
        wanted: WantedElsewhere<'_>,
    ) -> Result<Self> {
        let (app, viewer) = (app(context), session(context).viewer()?);
        if wanted.after.is_some_and(|after| after.len() > CURSOR_ELSEWHERE_BYTES_MAX) {
            return Err(not_of_this_list().into());
        }
        let reads = reads(context);
        reads.pause().await?;
        let found = app.other_servers.public_rooms(viewer, server, wanted).await;
        let found = found.map_err(|error| Fault::server_unreachable(error.to_string()))?;
        reads.look_at_rows(found.rooms.len())?;
        let position = app.models.view().position();
        let cursor = found.next.clone().unwrap_or_default();
        let total_count = found
            .total
            .map_or(found.rooms.len(), |total| usize::try_from(total).unwrap_or(usize::MAX));
        let rooms = found.rooms.into_iter().map(|(id, snapshot)| {
            let moment = Moment::new(position, None, None);
            (cursor.clone(), Room::known(id, moment, Some(snapshot)))
        });
        let page = Page::with_cursors(rooms.collect(), wanted.after.is_some(), found.next);
        Ok(Self { page, total_count })
    }

    async fn count(&self, _: &Context<'_>) -> Result<usize> {
        Ok(self.total_count)
    }
}

/// The cursor of a place in the directory.
fn seal(app: &App, place: PublicRoomCursor) -> String {
    let mut plain = [0; PLACE];
    let numbers = [place.position.0, place.joined, place.room.0];
    for (part, number) in plain.chunks_exact_mut(8).zip(numbers) {
        part.copy_from_slice(&number.to_be_bytes());
    }
    app.token_key.seal(TokenKind::Directory, app.log.epoch(), plain).to_string()
}

/// The place from which a client wants to continue.
fn open(app: &App, after: &str) -> Result<PublicRoomCursor, Fault> {
    let sealed = after.parse().map_err(|_| not_of_this_list())?;
    let plain: Option<[u8; PLACE]> =
        app.token_key.open(TokenKind::Directory, app.log.epoch(), &sealed);
    let plain = plain.ok_or_else(not_of_this_list)?;
    let number = |at: usize| {
        plain[at..at + 8].iter().fold(0, |number: u64, byte| number << 8 | u64::from(*byte))
    };
    let (position, room) = (Position(number(0)), Position(number(16)));
    Ok(PublicRoomCursor { position, joined: number(8), room })
}
