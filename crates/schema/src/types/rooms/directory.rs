//! Pages of the public directory.

use async_graphql::{Context, Result};
use rookery_log::{Position, TokenKind};
use rookery_view::{Moment, PublicRoomCursor};

use super::room::Room;
use crate::{
    context::{App, app, session},
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
